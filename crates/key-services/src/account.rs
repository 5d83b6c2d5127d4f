//! Service accounts of the cluster, as which objects are known to clouds.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt as _};

use crate::identity::Secret;

/// How long the API server may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a token is good for: it is exchanged at once.
const TOKEN_SECONDS: i64 = 600;

/// A service account. Whoever calls this has checked that the object may name it.
#[derive(Clone)]
pub struct ServiceAccount {
    client: Client,
    namespace: String,
    name: String,
    is_default: bool,
}

/// Why a service account is none for us. The words are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// It cannot be read.
    #[error("failed to get service account '{account}': {message}")]
    Get {
        /// Namespace and name.
        account: String,
        /// What the API server says.
        message: String,
    },
    /// The one of objects that name none is not there.
    #[error(
        "failed to get service account '{account}': the specified default service account does not \
         exist in the object namespace. your cluster is subject to multi-tenant workload identity \
         lockdown, reach out to your cluster administrator for help"
    )]
    NoDefault {
        /// Namespace and name.
        account: String,
    },
    /// There is no token.
    #[error("failed to create kubernetes token for service account '{account}': {message}")]
    Token {
        /// Namespace and name.
        account: String,
        /// What the API server says.
        message: String,
    },
}

impl ServiceAccount {
    /// The one that an object names.
    pub fn named(client: Client, namespace: String, name: String) -> Self {
        Self { client, namespace, name, is_default: false }
    }

    /// The one of objects that name none.
    pub fn default_of(client: Client, namespace: String, name: String) -> Self {
        Self { client, namespace, name, is_default: true }
    }

    /// Namespace and name.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Its annotations, as they are now.
    ///
    /// # Errors
    /// If the API server does not tell them.
    pub async fn annotations(&self) -> Result<BTreeMap<String, String>, AccountError> {
        let message = match tokio::time::timeout(TIMEOUT, self.api().get(&self.name)).await {
            Ok(Ok(found)) => return Ok(found.annotations().clone()),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 && self.is_default => {
                return Err(AccountError::NoDefault { account: self.path() });
            }
            Ok(Err(error)) => said(error),
            Err(_elapsed) => silent(),
        };
        Err(AccountError::Get { account: self.path(), message })
    }

    /// A token for an audience.
    ///
    /// # Errors
    /// If the API server does not make one.
    pub async fn token(&self, audience: &str) -> Result<Secret, AccountError> {
        let spec = TokenRequestSpec {
            audiences: vec![audience.to_owned()],
            expiration_seconds: Some(TOKEN_SECONDS),
            bound_object_ref: None,
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let (api, params) = (self.api(), PostParams::default());
        let asked = api.create_token_request(&self.name, &params, &request);
        let message = match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(Ok(TokenRequest { status: Some(status), .. })) => {
                return Ok(Secret::new(status.token));
            }
            Ok(Ok(_)) => "the answer has none".to_owned(),
            Ok(Err(error)) => said(error),
            Err(_elapsed) => silent(),
        };
        Err(AccountError::Token { account: self.path(), message })
    }

    fn api(&self) -> Api<v1::ServiceAccount> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

fn said(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message,
        other => other.to_string(),
    }
}

fn silent() -> String {
    "the API server did not answer in time".to_owned()
}

impl std::fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServiceAccount").field(&self.path()).finish()
    }
}
