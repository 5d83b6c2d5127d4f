//! The clusters that objects are applied to, and who applies them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;

use crate::discovery::Discovery;
use crate::federation::{Access, FederationError, Identities, Tokens};
use crate::kubeconfig::{self, KubeconfigError, Trust};
use crate::records::LiveRecords;
use crate::settings::Settings;

/// How long one request to our own cluster may take: admission webhooks may use half a minute.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(70);
/// How long one request to a remote cluster may take.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many remote clusters are kept connected at once.
const MAX_REMOTES: usize = 256;

/// The cluster this controller runs in, and the remote ones it has been pointed at.
#[derive(Debug)]
pub struct Clusters {
    settings: Arc<Settings>,
    local: Arc<Cluster>,
    remotes: Mutex<Vec<Remote>>,
    hasher: RandomState,
}

/// A remote cluster, remembered by what leads to it. The least recently used one is first.
#[derive(Debug)]
struct Remote {
    key: u64,
    cluster: Arc<Cluster>,
}

/// One cluster: how it is reached, what it serves and what is known of its objects.
pub struct Cluster {
    pub(crate) client: kube::Client,
    pub(crate) timeout: Duration,
    pub(crate) settings: Arc<Settings>,
    pub(crate) discovery: Discovery,
    pub(crate) records: Arc<LiveRecords>,
    /// What requests prove themselves with, if the client does not do it.
    pub(crate) tokens: Option<Tokens>,
    known: Known,
}

/// What users of a cluster know of it: one value of each type.
type Known = Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>;

/// The right to act on a cluster as somebody. Everything in this crate that touches objects takes
/// one, so that nothing can be done as the controller by oversight.
#[derive(Clone)]
pub struct TenantClient {
    pub(crate) cluster: Arc<Cluster>,
    /// The impersonated user; none acts as the controller itself.
    pub(crate) acts_as: Option<HeaderValue>,
}

/// Why nobody can be impersonated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// An empty name must never fall back to the controller's own rights.
    #[error("service account without {part}")]
    Empty {
        /// What is missing: `name` or `namespace`.
        part: &'static str,
    },
    /// The name is none that a service account can have, so it would mean somebody else.
    #[error("invalid service account {part} {value:?}")]
    Invalid {
        /// What is wrong: `name` or `namespace`.
        part: &'static str,
        /// What was given.
        value: String,
    },
}

impl Clusters {
    /// The cluster of this configuration as the local one, no remote ones yet.
    ///
    /// # Errors
    /// If no client can be made of the configuration.
    pub fn new(local: kube::Config, settings: Settings) -> Result<Self, kube::Error> {
        Ok(Self::with_client(kube::Client::try_from(local)?, settings))
    }

    /// As [`Self::new`], over a client that exists already.
    pub fn with_client(local: kube::Client, settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self {
            local: Arc::new(Cluster::new(local, LOCAL_TIMEOUT, Arc::clone(&settings))),
            settings,
            remotes: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// The cluster this controller runs in.
    pub fn local(&self) -> Arc<Cluster> {
        Arc::clone(&self.local)
    }

    /// The cluster that a kubeconfig (the bytes of a Secret's key) points at.
    ///
    /// # Errors
    /// If the kubeconfig cannot be used.
    pub async fn remote(
        &self,
        kubeconfig: &[u8],
        trust: Trust,
    ) -> Result<Arc<Cluster>, KubeconfigError> {
        let key = self.hasher.hash_one((kubeconfig, trust));
        if let Some(known) = self.recall(key) {
            return Ok(known);
        }
        let config = kubeconfig::sanitised(kubeconfig, trust).await?;
        self.connect(key, config, None)
    }

    /// The cluster that the ConfigMap `name` of `namespace` points at
    /// (`spec.kubeConfig.configMapRef`), reached with tokens of a service account. Reads the
    /// ConfigMap and the account.
    ///
    /// # Errors
    /// If the ConfigMap leads nowhere, or the account may not be used.
    pub async fn federated(
        &self,
        namespace: &str,
        name: &str,
        identities: Identities<'_>,
    ) -> Result<Arc<Cluster>, FederationError> {
        let access = Access::read(&self.local.client, namespace, name).await?;
        let tokens = access.tokens(&self.local.client, namespace, identities).await?;
        let key = self.hasher.hash_one((&access, tokens.account()));
        if let Some(known) = self.recall(key) {
            return Ok(known);
        }
        // A cluster that nobody may enter is not connected to.
        tokens.header().await?;
        let unusable = |source| {
            let config_map = format!("{namespace}/{name}");
            FederationError::Client { config_map, source }
        };
        let config = kubeconfig::anonymous(&access.address, access.authority.as_deref());
        let config = config.await.map_err(unusable)?;
        self.connect(key, config, Some(tokens)).map_err(unusable)
    }

    fn connect(
        &self,
        key: u64,
        config: kube::Config,
        tokens: Option<Tokens>,
    ) -> Result<Arc<Cluster>, KubeconfigError> {
        let client = kube::Client::try_from(config).map_err(KubeconfigError::client)?;
        let cluster = Cluster::new(client, REMOTE_TIMEOUT, Arc::clone(&self.settings));
        let cluster = Arc::new(Cluster { tokens, ..cluster });
        let mut remotes = self.remotes.lock().unwrap_or_else(PoisonError::into_inner);
        if remotes.len() >= MAX_REMOTES {
            remotes.remove(0);
        }
        remotes.push(Remote { key, cluster: Arc::clone(&cluster) });
        Ok(cluster)
    }

    fn recall(&self, key: u64) -> Option<Arc<Cluster>> {
        let mut remotes = self.remotes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = remotes.iter().position(|remote| remote.key == key)?;
        let remote = remotes.remove(at);
        let cluster = Arc::clone(&remote.cluster);
        remotes.push(remote);
        Some(cluster)
    }
}

impl Cluster {
    fn new(client: kube::Client, timeout: Duration, settings: Arc<Settings>) -> Self {
        let records = Arc::new(LiveRecords::new());
        let (discovery, known) = (Discovery::default(), Known::default());
        Self { client, timeout, settings, discovery, records, tokens: None, known }
    }

    /// What the user of a cluster knows of it, whose type is its own. It lives as long as the
    /// connection to the cluster.
    pub fn known<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.entry(TypeId::of::<T>()).or_insert_with(|| Arc::<T>::default());
        Arc::clone(own).downcast().unwrap_or_default()
    }

    /// What was last verified of the objects of this cluster.
    pub fn records(&self) -> &LiveRecords {
        &self.records
    }
}

impl TenantClient {
    /// Acts with the controller's own rights (on a remote cluster: those of its kubeconfig).
    pub fn as_controller(cluster: Arc<Cluster>) -> Self {
        Self { cluster, acts_as: None }
    }

    /// Acts as `system:serviceaccount:<namespace>:<name>`.
    ///
    /// # Errors
    /// If either part is empty or cannot stand in a user name: never falls back to other rights.
    pub fn as_service_account(
        cluster: Arc<Cluster>,
        namespace: &str,
        name: &str,
    ) -> Result<Self, IdentityError> {
        for (part, value) in [("namespace", namespace), ("name", name)] {
            if value.is_empty() {
                return Err(IdentityError::Empty { part });
            }
            if !value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
                return Err(IdentityError::Invalid { part, value: value.to_owned() });
            }
        }
        let user =
            HeaderValue::try_from(format!("system:serviceaccount:{namespace}:{name}")).map_err(
                |_unprintable| IdentityError::Invalid { part: "name", value: name.to_owned() },
            )?;
        Ok(Self { cluster, acts_as: Some(user) })
    }

    /// The cluster it acts on.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.cluster.settings
    }

    pub(crate) fn records(&self) -> &Arc<LiveRecords> {
        &self.cluster.records
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl fmt::Debug for TenantClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantClient").field("acts_as", &self.acts_as).finish_non_exhaustive()
    }
}
