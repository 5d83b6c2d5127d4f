//! Remote clusters that trust the service accounts of this one, so that no kubeconfig is stored.
//!
//! Flux: `auth/utils`, `GetRESTConfig`, with the provider `generic`. A ConfigMap says where the
//! cluster is; a token of a service account, good for its audiences only, says who asks. The tokens
//! are held in memory and replaced before they expire, so that no wait outlives one.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderValue;
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::Api;
use kube::api::PostParams;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::api::ApiError;
use crate::kubeconfig::KubeconfigError;

/// How long a token is good for if the API server does not say.
const LIFETIME: Duration = Duration::from_hours(1);
/// The part of its lifetime in which a token is used, in percent.
const USED_PERCENT: u32 = 80;

/// How the operator of this controller lets objects use identities of service accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identities<'a> {
    /// Objects may use service accounts of their own namespaces (`ObjectLevelWorkloadIdentity`).
    pub object_level: bool,
    /// The service account of those that name none (`--default-kubeconfig-service-account`).
    pub default_account: Option<&'a str>,
}

/// Why a ConfigMap does not lead to a cluster. Beginnings are Flux's words.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The ConfigMap cannot be read.
    #[error("failed to get configmap {name}")]
    ConfigMap {
        /// Namespace and name.
        name: String,
        /// What the API server said.
        source: Box<ApiError>,
    },
    /// There is no such provider.
    #[error("provider '{provider}' not implemented")]
    Provider {
        /// What was given.
        provider: String,
    },
    /// The provider is a cloud, whose credentials are not fetched here.
    #[error(
        "provider '{provider}' of ConfigMap '{config_map}' is not supported: it needs credentials \
         of that cloud. Use the provider 'generic', or spec.kubeConfig.secretRef"
    )]
    Cloud {
        /// Which one.
        provider: String,
        /// Namespace and name of what asks for it.
        config_map: String,
    },
    /// The ConfigMap says nothing of where the cluster is.
    #[error("cluster address is required to create a REST config")]
    NoAddress,
    /// What it says is none.
    #[error("failed to parse cluster address {address}: {why}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong.
        why: String,
    },
    /// Nobody lets the controller prove who it is.
    #[error("failed to get access token for cluster")]
    Token(#[from] TokenError),
    /// What the ConfigMap says of the cluster is no use.
    #[error("no client can be made of ConfigMap '{config_map}'")]
    Client {
        /// Namespace and name.
        config_map: String,
        /// Why.
        source: KubeconfigError,
    },
}

/// Why there is no token to show.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The operator does not let objects use service accounts.
    #[error("ObjectLevelWorkloadIdentity feature gate is not enabled")]
    Gate,
    /// The service account cannot be read.
    #[error("failed to get service account '{account}'")]
    Account {
        /// Namespace and name.
        account: String,
        /// What the API server said.
        source: Box<ApiError>,
    },
    /// The one that the operator chose is not there.
    #[error(
        "failed to get service account '{account}': the specified default service account does \
         not exist in the object namespace. your cluster is subject to multi-tenant workload \
         identity lockdown, reach out to your cluster administrator for help"
    )]
    NoDefaultAccount {
        /// Namespace and name.
        account: String,
    },
    /// The API server does not say who the controller is.
    #[error("failed to create provider access token for the controller")]
    Controller(#[source] Box<ApiError>),
    /// The controller has no service account, so nobody makes tokens for it.
    #[error(
        "failed to create provider access token for the controller: it is '{user}' and no service \
         account"
    )]
    NoController {
        /// Who it is.
        user: String,
    },
    /// The API server makes no token.
    #[error("failed to create kubernetes token for service account '{account}'")]
    Request {
        /// Namespace and name.
        account: String,
        /// What it said.
        source: Box<ApiError>,
    },
    /// What it made cannot be shown.
    #[error("the API server made no usable token for service account '{account}'")]
    Unusable {
        /// Namespace and name.
        account: String,
    },
}

impl FederationError {
    /// Whether nothing but an edit of the ConfigMap helps.
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Cloud { .. })
    }
}

/// What a ConfigMap says of a remote cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    /// The canonical address.
    pub(crate) address: String,
    /// Certificates in PEM.
    pub(crate) authority: Option<String>,
    audiences: Vec<String>,
    account: Option<String>,
}

impl Access {
    /// Reads the ConfigMap `name` of `namespace` with `client`.
    pub(crate) async fn read(
        client: &kube::Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, FederationError> {
        let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
        let full = format!("{namespace}/{name}");
        let found = api.get(name).await.map_err(|error| FederationError::ConfigMap {
            name: full.clone(),
            source: Box::new(error.into()),
        })?;
        Self::of(&found.data.unwrap_or_default(), full)
    }

    /// What the data of a ConfigMap says. Pure.
    fn of(data: &BTreeMap<String, String>, config_map: String) -> Result<Self, FederationError> {
        let given = |key: &str| data.get(key).filter(|text| !text.is_empty()).cloned();
        match data.get("provider").map_or("", String::as_str) {
            "generic" => {}
            cloud @ ("aws" | "azure" | "gcp") => {
                return Err(FederationError::Cloud { provider: cloud.to_owned(), config_map });
            }
            other => return Err(FederationError::Provider { provider: other.to_owned() }),
        }
        let stated = given("address").ok_or(FederationError::NoAddress)?;
        let address = canonical(&stated).map_err(|why| {
            let address = stated.clone();
            FederationError::Address { address, why }
        })?;
        let audiences = data.get("audiences").map_or("", String::as_str).lines();
        let audiences = audiences.map(str::trim).filter(|audience| !audience.is_empty());
        let mut audiences: Vec<String> = audiences.map(ToOwned::to_owned).collect();
        if audiences.is_empty() {
            // Flux: as it is written, not the canonical form.
            audiences.push(stated);
        }
        let (authority, account) = (given("ca.crt"), given("serviceAccountName"));
        Ok(Self { address, authority, audiences, account })
    }

    /// Who shows its tokens to the cluster, as an account of `namespace`. Reads the account, so that
    /// one that is gone is not acted for.
    pub(crate) async fn tokens(
        &self,
        local: &kube::Client,
        namespace: &str,
        identities: Identities<'_>,
    ) -> Result<Tokens, TokenError> {
        let Some(name) = self.account.as_deref().or(identities.default_account) else {
            let (namespace, name) = own_account(local).await?;
            return Ok(Tokens::new(local, namespace, name, self.audiences.clone()));
        };
        let api: Api<ServiceAccount> = Api::namespaced(local.clone(), namespace);
        let account = format!("{namespace}/{name}");
        match api.get_metadata(name).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 && self.account.is_none() => {
                return Err(TokenError::NoDefaultAccount { account });
            }
            Err(source) => {
                return Err(TokenError::Account { account, source: Box::new(source.into()) });
            }
        }
        if !identities.object_level {
            return Err(TokenError::Gate);
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Ok(Tokens::new(local, namespace, name, self.audiences.clone()))
    }
}

/// `https://host:port`, in lower case.
fn canonical(address: &str) -> Result<String, String> {
    let full =
        if address.starts_with("http") { address.to_owned() } else { format!("https://{address}") };
    let parsed: http::Uri = full.parse().map_err(|error: http::uri::InvalidUri| {
        format!("failed to parse Kubernetes API server address '{full}': {error}")
    })?;
    if parsed.scheme() != Some(&http::uri::Scheme::HTTPS) {
        return Err(format!("the Kubernetes API server address '{full}' must use https scheme"));
    }
    let host = parsed.host().unwrap_or_default().to_lowercase();
    let port = parsed.port_u16().unwrap_or(443);
    Ok(format!("https://{host}:{port}"))
}

/// Namespace and name of the service account that the controller runs as.
async fn own_account(local: &kube::Client) -> Result<(String, String), TokenError> {
    let api: Api<SelfSubjectReview> = Api::all(local.clone());
    let asked = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let answer = asked.map_err(|error| TokenError::Controller(Box::new(error.into())))?;
    let user = answer.status.and_then(|status| status.user_info?.username).unwrap_or_default();
    let account = user.strip_prefix("system:serviceaccount:");
    match account.and_then(|account| account.split_once(':')) {
        Some((namespace, name)) => Ok((namespace.to_owned(), name.to_owned())),
        None => Err(TokenError::NoController { user }),
    }
}

/// Tokens of a service account of our own cluster.
pub(crate) struct Tokens {
    local: kube::Client,
    namespace: String,
    name: String,
    audiences: Vec<String>,
    current: Mutex<Option<Token>>,
}

struct Token {
    /// The whole `Authorization` header.
    header: HeaderValue,
    renew_at: Instant,
}

impl Tokens {
    fn new(local: &kube::Client, namespace: String, name: String, audiences: Vec<String>) -> Self {
        let local = local.clone();
        Self { local, namespace, name, audiences, current: Mutex::default() }
    }

    /// Whose tokens they are: namespace and name.
    pub(crate) fn account(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    /// The header that proves who asks. Asks for a token if there is none, or not for much longer.
    pub(crate) async fn header(&self) -> Result<HeaderValue, TokenError> {
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && Instant::now() < token.renew_at
        {
            return Ok(token.header.clone());
        }
        let token = self.request().await?;
        let header = token.header.clone();
        *current = Some(token);
        Ok(header)
    }

    /// The cluster does not accept what was shown: the next time it is shown another.
    pub(crate) async fn forget(&self, shown: &HeaderValue) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.header == shown) {
            *current = None;
        }
    }

    async fn request(&self) -> Result<Token, TokenError> {
        let account = || format!("{}/{}", self.namespace, self.name);
        let spec = TokenRequestSpec { audiences: self.audiences.clone(), ..Default::default() };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let api: Api<ServiceAccount> = Api::namespaced(self.local.clone(), &self.namespace);
        let begun = Instant::now();
        let made = api.create_token_request(&self.name, &PostParams::default(), &request).await;
        let made = made.map_err(|error| TokenError::Request {
            account: account(),
            source: Box::new(error.into()),
        })?;
        let seconds = made.spec.expiration_seconds.and_then(|all| u64::try_from(all).ok());
        let lifetime = seconds.map_or(LIFETIME, Duration::from_secs);
        let token = made.status.map(|status| status.token).filter(|token| !token.is_empty());
        let header = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let Some(mut header) = header else {
            return Err(TokenError::Unusable { account: account() });
        };
        header.set_sensitive(true);
        Ok(Token { header, renew_at: begun + lifetime * USED_PERCENT / 100 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(data: &[(&str, &str)]) -> Result<Access, String> {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let read = Access::of(&data.collect(), "web/cluster".to_owned());
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_config_map_says_where_and_for_whom() {
        let generic = ("provider", "generic");
        let found = access(&[
            generic,
            ("address", "API.example.com"),
            ("audiences", "a\n b \n\n"),
            ("serviceAccountName", "tenant"),
        ]);
        let found = found.unwrap();
        assert_eq!(found.address, "https://api.example.com:443");
        assert_eq!(found.audiences, ["a", "b"]);
        assert_eq!(found.account.as_deref(), Some("tenant"));
        let plain = access(&[generic, ("address", "https://Host:6443")]).unwrap();
        assert_eq!(plain.address, "https://host:6443");
        assert_eq!(plain.audiences, ["https://Host:6443"]);
    }

    #[test]
    fn what_is_wrong_is_told_as_by_flux() {
        let told = |data: &[(&str, &str)]| access(data).unwrap_err();
        assert_eq!(told(&[]), "provider '' not implemented");
        assert_eq!(told(&[("provider", "ibm")]), "provider 'ibm' not implemented");
        assert!(told(&[("provider", "gcp")]).contains("'gcp' of ConfigMap 'web/cluster'"));
        let generic = ("provider", "generic");
        assert_eq!(told(&[generic]), "cluster address is required to create a REST config");
        assert_eq!(
            told(&[generic, ("address", "http://a")]),
            "failed to parse cluster address http://a: the Kubernetes API server address \
             'http://a' must use https scheme"
        );
    }
}
