//! Helm's records in Secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster_apply::{ApiError, Resource, TenantClient};
use helm_release::{
    DecodeError, INTENT_ANNOTATION, Intent, LABELS, Record, SECRET_TYPE, check_size, decode,
    encode, labels, secret_name,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ActionError;

/// Limit: bytes that the records of one release may unpack to, the newest first. Older ones beyond it
/// count as unreadable: nothing can be rolled back to them.
const HISTORY_BYTES: u64 = 64 << 20;

/// The records of one release.
#[derive(Clone, Debug)]
pub struct Storage {
    client: TenantClient,
    namespace: String,
    release: String,
}

/// What is stored about a release.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The records, in the order of versions.
    pub records: Vec<Arc<Record>>,
    /// Secrets that ought to be records and cannot be read. Helm passes them over; so do we, but
    /// their versions are taken.
    pub corrupt: Vec<Corrupt>,
}

/// A Secret that ought to be a record and cannot be read.
#[derive(Clone, Debug)]
pub struct Corrupt {
    /// Name of the Secret.
    pub secret: String,
    /// The version that it stands for; 0 if its name says none.
    pub version: i64,
    /// What is wrong.
    pub error: Arc<DecodeError>,
}

/// Why records were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// They could not be listed.
    #[error("query: failed to query with labels")]
    List(#[source] Box<ApiError>),
    /// The revision exists: somebody else made it.
    #[error("release: already exists")]
    Exists,
    /// A record was not created.
    #[error("create: failed to create")]
    Create(#[source] Box<ApiError>),
    /// A record was not changed.
    #[error("update: failed to update")]
    Update(#[source] Box<ApiError>),
    /// A record was not deleted.
    #[error("delete: failed to delete")]
    Delete(#[source] Box<ApiError>),
    /// The record cannot be printed.
    #[error("failed to encode release")]
    Encode(#[source] serde_json::Error),
    /// The newest record cannot be read, so nothing can be done that depends on it.
    #[error(
        "release record `{secret}` is corrupt: delete that Secret, or restore it from a backup"
    )]
    Corrupt {
        /// Name of the Secret.
        secret: String,
        /// What is wrong.
        #[source]
        error: Arc<DecodeError>,
    },
}

#[derive(Deserialize)]
struct SecretList {
    #[serde(default)]
    items: Vec<Secret>,
}

#[derive(Deserialize)]
struct Secret {
    metadata: Metadata,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl History {
    /// The newest record.
    pub fn last(&self) -> Option<&Arc<Record>> {
        self.records.last()
    }

    /// A revision.
    pub fn get(&self, version: i64) -> Option<&Arc<Record>> {
        self.records.iter().find(|record| record.version == version)
    }

    /// Refuses to go on if the newest record cannot be read.
    ///
    /// # Errors
    /// If so.
    pub fn check(&self) -> Result<(), StorageError> {
        let newest = self.last().map_or(0, |record| record.version);
        match self.corrupt.iter().max_by_key(|corrupt| corrupt.version) {
            Some(Corrupt { secret, version, error }) if *version > newest => {
                Err(StorageError::Corrupt { secret: secret.clone(), error: Arc::clone(error) })
            }
            _ => Ok(()),
        }
    }
}

impl Storage {
    /// The records of a release in a namespace.
    pub fn new(client: TenantClient, namespace: &str, release: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), release: release.to_owned() }
    }

    /// All records of the release. One request, at every reconciliation.
    ///
    /// A watch would save it, but reads with the controller's rights what the tenant may not see,
    /// misses remote clusters, and keeps what only a change needs.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn history(&self) -> Result<History, StorageError> {
        let selector = format!("name={},owner=helm", self.release);
        let list = self
            .client
            .list_objects(&secrets(), &self.namespace, &selector)
            .await
            .map_err(|error| StorageError::List(Box::new(error)))?;
        let list: SecretList = serde_json::from_value(list)
            .map_err(|error| StorageError::List(Box::new(ApiError::Malformed(error))))?;
        let mut history = History::default();
        let version = |secret: &Secret| {
            let (_, version) = secret.metadata.name.rsplit_once(".v")?;
            version.parse::<i64>().ok()
        };
        let mut secrets = list.items;
        // The newest count, whatever the others take.
        secrets.sort_by_key(|secret| std::cmp::Reverse(version(secret)));
        let mut left_bytes = HISTORY_BYTES;
        for secret in secrets {
            let name = secret.metadata.name.clone();
            let version = version(&secret).unwrap_or(0);
            match self.read(secret, version, &mut left_bytes) {
                Ok(record) => history.records.push(Arc::new(record)),
                Err(error) => {
                    let error = Arc::new(error);
                    history.corrupt.push(Corrupt { secret: name, version, error });
                }
            }
        }
        history.records.sort_by_key(|record| record.version);
        Ok(history)
    }

    fn read(
        &self,
        mut secret: Secret,
        version: i64,
        left_bytes: &mut u64,
    ) -> Result<Record, DecodeError> {
        use base64::Engine as _;
        let data = secret.data.remove("release").unwrap_or_default();
        let data =
            base64::engine::general_purpose::STANDARD.decode(data).map_err(DecodeError::Base64)?;
        let mut record = decode(&data, left_bytes)?;
        if record.name != self.release || record.version != version {
            return Err(DecodeError::Mismatch {
                found: secret_name(&record.name, record.version),
                wanted: secret.metadata.name,
            });
        }
        record.labels = secret.metadata.labels;
        record.labels.retain(|label, _| !LABELS.contains(&label.as_str()));
        let intent = secret.metadata.annotations.get(INTENT_ANNOTATION);
        record.intent = intent.and_then(|text| Intent::from_annotation(text));
        Ok(record)
    }

    /// Stores a new revision. The name of its Secret is the lock: two cannot make the same one.
    ///
    /// # Errors
    /// If it exists, is too large or is refused. Nothing is stored then.
    pub(crate) async fn create(&self, record: &Record) -> Result<(), ActionError> {
        let secret = self.secret(record, "createdAt")?;
        match self.client.create_object(&secrets(), &self.namespace, &secret).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_conflict() && self.is_stored(record).await => Ok(()),
            Err(error) if error.is_conflict() => Err(StorageError::Exists.into()),
            Err(error) => Err(StorageError::Create(Box::new(error)).into()),
        }
    }

    /// Whether a create that the server says came too late was our own, whose answer was lost.
    async fn is_stored(&self, record: &Record) -> bool {
        let stored = self.history().await.ok();
        stored.is_some_and(|history| {
            history
                .get(record.version)
                .is_some_and(|stored| stored.intent == record.intent && stored.info == record.info)
        })
    }

    /// Stores a revision again.
    ///
    /// # Errors
    /// If it is gone, too large or refused.
    pub(crate) async fn update(&self, record: &Record) -> Result<(), ActionError> {
        let secret = self.secret(record, "modifiedAt")?;
        let name = secret_name(&record.name, record.version);
        match self.client.replace_object(&secrets(), &self.namespace, &name, &secret).await {
            Ok(_) => Ok(()),
            Err(error) => Err(StorageError::Update(Box::new(error)).into()),
        }
    }

    /// Deletes a revision. One that is gone is no error.
    pub(crate) async fn delete(&self, version: i64) -> Result<(), StorageError> {
        let name = secret_name(&self.release, version);
        match self.client.delete_object(&secrets(), &self.namespace, &name, "Background").await {
            Err(error) if !error.is_not_found() => Err(StorageError::Delete(Box::new(error))),
            _ => Ok(()),
        }
    }

    fn secret(&self, record: &Record, stamp: &str) -> Result<Value, ActionError> {
        use base64::Engine as _;
        let encoded = encode(record).map_err(StorageError::Encode)?;
        check_size(record, &encoded)?;
        let mut labels = labels(record);
        labels.insert(stamp.to_owned(), jiff::Timestamp::now().as_second().to_string());
        let mut metadata = json!({
            "name": secret_name(&record.name, record.version),
            "namespace": self.namespace,
            "labels": labels,
        });
        if let Some(intent) = &record.intent {
            metadata["annotations"] = json!({ INTENT_ANNOTATION: intent.to_annotation() });
        }
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": SECRET_TYPE,
            "data": { "release": base64::engine::general_purpose::STANDARD.encode(encoded) },
        }))
    }
}

pub(crate) fn secrets() -> Resource {
    Resource::new("", "v1", "Secret", "secrets", true)
}
