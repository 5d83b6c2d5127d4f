//! Requests to the API server, as bytes: an object is serialised once and read once.

mod address;
mod error;
mod exchange;

use bytes::Bytes;
use http::{HeaderValue, Method};
use kube::client::Body;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

pub(crate) use self::address::Query;
pub(crate) use self::exchange::Answer;

pub use self::address::NameError;
pub use self::error::{ApiError, Cause, Details, Refusal};

use self::error::refusal;
use self::exchange::read;
use crate::cluster::TenantClient;

/// Asks for the metadata of an object, or of the objects of a list.
const METADATA_OBJECT: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
const METADATA_LIST: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// Asks for all groups with their kinds in one answer.
const AGGREGATED_DISCOVERY: HeaderValue = HeaderValue::from_static(
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
);

impl TenantClient {
    /// Reads one document; none if there is no such thing.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<Answer<T>>, ApiError> {
        match self.call(Method::GET, path, None, Bytes::new()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies an object with force; a dry run writes nothing.
    pub(crate) async fn patch_apply(
        &self,
        path: &str,
        object: Bytes,
        dry_run: bool,
    ) -> Result<Answer<Value>, ApiError> {
        let mut query = Query::default()
            .with("fieldManager", &self.settings().field_manager)
            .with("force", "true");
        if dry_run {
            query = query.with("dryRun", "All");
        } else {
            self.check_fence()?;
        }
        let uri = query.after(path);
        self.call(Method::PATCH, &uri, Some("application/apply-patch+yaml"), object).await
    }

    /// Changes an object by a JSON patch (RFC 6902).
    pub(crate) async fn patch_json(&self, path: &str, steps: &Value) -> Result<(), ApiError> {
        self.check_fence()?;
        let query = Query::default().with("fieldManager", &self.settings().field_manager);
        let uri = query.after(path);
        let body = Bytes::from(steps.to_string());
        self.call::<IgnoredAny>(Method::PATCH, &uri, Some("application/json-patch+json"), body)
            .await?;
        Ok(())
    }

    /// Deletes one object in the background; with `uid`, only if it still is that very one.
    pub(crate) async fn delete(&self, path: &str, uid: Option<&str>) -> Result<(), ApiError> {
        self.check_fence()?;
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        });
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({ "uid": uid });
        }
        let body = Bytes::from(options.to_string());
        self.call::<IgnoredAny>(Method::DELETE, path, Some("application/json"), body).await?;
        Ok(())
    }

    /// Begins a request whose answer is read as it comes in: a watch. Only its head is timed.
    pub(crate) async fn open(
        &self,
        uri: &str,
        metadata_only: bool,
    ) -> Result<http::Response<Body>, ApiError> {
        let mut request = self.request(Method::GET, uri, None, Bytes::new())?;
        if metadata_only {
            request.headers_mut().insert("Accept", METADATA_OBJECT);
        }
        let timeout = self.cluster.timeout;
        let answer = tokio::time::timeout(timeout, self.send(request))
            .await
            .map_err(|_elapsed| ApiError::TimedOut(timeout))??;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let bytes = read(answer.into_body()).await?;
        Err(ApiError::Refused(Box::new(refusal(status, &bytes))))
    }

    /// Reads a list; of each object all, or only its metadata.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        uri: &str,
        metadata_only: bool,
    ) -> Result<T, ApiError> {
        let mut request = self.request(Method::GET, uri, None, Bytes::new())?;
        if metadata_only {
            request.headers_mut().insert("Accept", METADATA_LIST);
        }
        Ok(self.exchange(request).await?.body)
    }

    /// Reads what is served, group by group with all kinds.
    pub(crate) async fn aggregated_discovery(&self, path: &str) -> Result<Value, ApiError> {
        let mut request = self.request(Method::GET, path, None, Bytes::new())?;
        request.headers_mut().insert("Accept", AGGREGATED_DISCOVERY);
        Ok(self.exchange(request).await?.body)
    }

    pub(crate) fn check_fence(&self) -> Result<(), ApiError> {
        if self.settings().may_write() { Ok(()) } else { Err(ApiError::Fenced) }
    }
}
