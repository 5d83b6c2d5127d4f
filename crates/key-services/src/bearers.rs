//! Bearer tokens of clouds and of GitHub Apps, for who has a key or is somebody there.

use http_access::{Access, Clients, InvalidAccess, Proxy};
use tokio::sync::OnceCell;

use crate::account::{AccountError, ServiceAccount};
use crate::ambient::Ambient;
use crate::annotations::{self, AnnotationError};
use crate::credentials::{GoogleKey, ImportError};
use crate::desk::{Desk, Granted};
use crate::entra::{self, Proof};
use crate::error::Reason;
use crate::github_app::{AppError, GitHubApp};
use crate::google::{self, Federated};
use crate::kept::{Bearer, Counts, Kept, Key, Limits};
use crate::{Client, Endpoints};

/// What Flux asks for on behalf of an identity.
const GOOGLE_SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
];
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Hands out bearer tokens, and keeps them until they are old.
pub struct Bearers {
    client: Client,
    endpoints: Endpoints,
    ambient: Ambient,
    kept: Kept,
    clients: Clients,
    cluster: OnceCell<GoogleCluster>,
}

/// Why there is no token. The words are Flux's where it has them; no secret is in here.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The service account is none for us.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// It is not said for whom its token is to be.
    #[error("failed to get provider audience")]
    Audience(#[source] AudienceError),
    /// It is not said who it is at the cloud.
    #[error("failed to get provider identity from service account '{account}' annotations")]
    Identity {
        /// Namespace and name.
        account: String,
        /// What is wrong with an annotation.
        source: AnnotationError,
    },
    /// The cloud has no token for it.
    #[error("failed to create provider access token for service account '{account}'")]
    OfAccount {
        /// Namespace and name.
        account: String,
        /// What the cloud says.
        source: Reason,
    },
    /// The cloud has no token for the controller.
    #[error("failed to create provider access token for the controller")]
    OfController(#[source] Reason),
    /// The key is none.
    #[error("the credentials cannot be used")]
    Key(#[source] ImportError),
    /// There is no token for the key.
    #[error("failed to create provider access token for the credentials")]
    OfKey(#[source] Reason),
    /// The proxy cannot be used.
    #[error(transparent)]
    Access(#[from] InvalidAccess),
}

/// Why it is not known for whom a token is to be.
#[derive(Debug, thiserror::Error)]
pub enum AudienceError {
    /// An annotation is wrong.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// This is no cluster of Google.
    #[error("failed to get GKE cluster {what} from the metadata service")]
    Cluster {
        /// What was asked for.
        what: &'static str,
        /// What happened.
        source: Reason,
    },
}

/// A cluster of Google, which Google trusts without being told.
struct GoogleCluster {
    project: String,
    location: String,
    name: String,
}

impl Bearers {
    /// Nothing is asked for yet.
    pub fn new(client: Client, endpoints: Endpoints, ambient: Ambient, limits: Limits) -> Self {
        Self {
            client,
            endpoints,
            ambient,
            kept: Kept::new(limits),
            clients: Clients::default(),
            cluster: OnceCell::new(),
        }
    }

    /// A token of Google for a key, as JSON.
    ///
    /// # Errors
    /// If it is no key, or Google has no token for it.
    pub async fn google_key(
        &self,
        json: &str,
        scopes: &[&str],
        proxy: Option<&Proxy>,
    ) -> Result<Bearer, BearerError> {
        let key = GoogleKey::read(json.as_bytes()).map_err(BearerError::Key)?;
        let kept_as = Key::of(&["google key", json, &scopes.join(" "), address(proxy)]);
        self.kept(kept_as, async {
            let client = self.through(proxy)?;
            google::of_key(self.desk(&client), &key, scopes).await.map_err(BearerError::OfKey)
        })
        .await
    }

    /// A token of Google for a service account, or for the controller itself.
    ///
    /// # Errors
    /// If it is nobody at Google.
    pub async fn google(
        &self,
        account: Option<&ServiceAccount>,
        proxy: Option<&Proxy>,
    ) -> Result<Bearer, BearerError> {
        let Some(account) = account else {
            let kept_as = Key::of(&["google", address(proxy)]);
            let asked = async {
                let client = self.through(proxy)?;
                let desk = self.desk(&client);
                let granted = self.ambient.google(desk, self.direct(), &GOOGLE_SCOPES).await;
                granted.map_err(BearerError::OfController)
            };
            return self.kept(kept_as, asked).await;
        };
        // Read each time, so that what is said of an account counts at once.
        let said = account.annotations().await?;
        let told = annotations::google_audience(&said);
        let told = told.map_err(|error| BearerError::Audience(error.into()))?;
        // Who the cluster's token is for, and who Google's.
        let (audience, exchanged_for) = match told {
            Some(provider) => (provider.clone(), provider),
            None => self.cluster().await.map_err(BearerError::Audience)?.audiences(),
        };
        let acts_as = annotations::google_email(&said)
            .map_err(|source| BearerError::Identity { account: account.path(), source })?;
        let path = account.path();
        let parts =
            ["google account", &path, &audience, acts_as.unwrap_or_default(), address(proxy)];
        self.kept(Key::of(&parts), async {
            let client = self.through(proxy)?;
            let subject = account.token(&audience).await?;
            let identity = Federated {
                audience: &exchanged_for,
                subject: &subject,
                subject_type: JWT,
                acts_as,
            };
            let granted = google::of_federated(self.desk(&client), &identity, &GOOGLE_SCOPES).await;
            granted.map_err(|source| BearerError::OfAccount { account: account.path(), source })
        })
        .await
    }

    /// A token of Azure for a service account, or for the controller itself. The scope is an address
    /// with `/.default` at its end.
    ///
    /// # Errors
    /// If it is nobody at Azure.
    pub async fn azure(
        &self,
        account: Option<&ServiceAccount>,
        scope: &str,
        proxy: Option<&Proxy>,
    ) -> Result<Bearer, BearerError> {
        let Some(account) = account else {
            let kept_as = Key::of(&["azure", scope, address(proxy)]);
            let asked = async {
                let client = self.through(proxy)?;
                let desk = self.desk(&client);
                let granted = self.ambient.azure(desk, self.direct(), scope).await;
                granted.map_err(BearerError::OfController)
            };
            return self.kept(kept_as, asked).await;
        };
        let said = account.annotations().await?;
        let (tenant, id) = annotations::azure(&said)
            .map_err(|source| BearerError::Identity { account: account.path(), source })?;
        let path = account.path();
        let parts = ["azure account", &path, tenant, id, scope, address(proxy)];
        self.kept(Key::of(&parts), async {
            let client = self.through(proxy)?;
            let token = account.token(entra::AUDIENCE).await?;
            let who = entra::Client { tenant, id, authority: None };
            let proof = Proof::Token(&token);
            let granted = entra::of_client(self.desk(&client), &who, &proof, scope).await;
            granted.map_err(|source| BearerError::OfAccount { account: account.path(), source })
        })
        .await
    }

    /// A token of a GitHub App, with the App's name if `with_slug`. Servers at link-local addresses are
    /// not asked: who has an App says where its server is.
    ///
    /// # Errors
    /// If GitHub has no token for the App.
    pub async fn github_app(
        &self,
        app: &GitHubApp,
        with_slug: bool,
        access: &Access,
    ) -> Result<Bearer, AppError> {
        self.kept
            .get_or(app.kept_as(with_slug), async {
                let access = Access { avoid_link_local: true, ..access.clone() };
                app.token(&self.clients.client(&access)?, with_slug).await
            })
            .await
    }

    /// What is kept now.
    pub fn counts(&self) -> Counts {
        self.kept.counts()
    }

    async fn kept(
        &self,
        key: Key,
        asked: impl Future<Output = Result<Granted, BearerError>>,
    ) -> Result<Bearer, BearerError> {
        let asked = async {
            let granted = asked.await;
            granted.map(|Granted { token, life }| {
                (Bearer { token, slug: String::new(), was_kept: false }, life)
            })
        };
        self.kept.get_or(key, asked).await
    }

    fn desk<'a>(&'a self, client: &'a Client) -> Desk<'a> {
        Desk { client, endpoints: &self.endpoints }
    }

    /// Without a proxy. So metadata servers are asked: who names a proxy must not see the machine's
    /// tokens.
    pub(crate) fn direct(&self) -> Desk<'_> {
        self.desk(&self.client)
    }

    fn through(&self, proxy: Option<&Proxy>) -> Result<Client, InvalidAccess> {
        match proxy {
            None => Ok(self.client.clone()),
            Some(_) => self.client.through(&Access { proxy: proxy.cloned(), ..Access::default() }),
        }
    }

    async fn cluster(&self) -> Result<&GoogleCluster, AudienceError> {
        let ask = async |what, path| {
            let said = google::attribute(self.direct(), "ask the metadata server", path).await;
            said.map_err(|source| AudienceError::Cluster { what, source })
        };
        let look = async || {
            Ok(GoogleCluster {
                project: ask("project ID", "project/project-id").await?,
                location: ask("location", "instance/attributes/cluster-location").await?,
                name: ask("name", "instance/attributes/cluster-name").await?,
            })
        };
        self.cluster.get_or_try_init(look).await
    }
}

impl GoogleCluster {
    /// For whom its tokens are made, and who takes them for true.
    fn audiences(&self) -> (String, String) {
        let Self { project, location, name } = self;
        let pool = format!("{project}.svc.id.goog");
        let provider = format!(
            "https://container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{name}"
        );
        let both = format!("identitynamespace:{pool}:{provider}");
        (pool, both)
    }
}

fn address(proxy: Option<&Proxy>) -> &str {
    proxy.map_or("", |proxy| &proxy.url)
}

impl std::fmt::Debug for Bearers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearers").field("ambient", &self.ambient).finish_non_exhaustive()
    }
}
