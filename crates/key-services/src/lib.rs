//! Keys that never leave a cloud or a vault: AWS KMS, GCP KMS, Azure Key Vault, Vault and `OpenBao`
//! open parts of data keys for who may use them. And [`Bearers`]: tokens of clouds and of GitHub Apps,
//! for whoever has something to tell there.
//!
//! Each opening is one signed request, and at most two more for the right to make it. Where a request
//! goes is said by a file that strangers wrote, so hosts are checked before any credential is sent,
//! redirects are not followed, answers are capped and texts of answers are never shown.

mod account;
mod ambient;
mod annotations;
mod aws;
mod azure;
mod bearers;
mod credentials;
mod desk;
mod entra;
mod error;
mod gcp;
mod github_app;
mod google;
mod identity;
mod jwt;
mod kept;
mod request;
mod sigv4;
mod vault;

use std::sync::Arc;

use futures::future::BoxFuture;
use sops_decrypt::{KeyError, KeyService, Part, Recipient};
use tokio::runtime::Handle;

use desk::Desk;

pub use account::{AccountError, ServiceAccount};
pub use ambient::Ambient;
pub use annotations::AnnotationError;
pub use bearers::{AudienceError, BearerError, Bearers};
pub use credentials::{Credentials, ImportError};
pub use error::{Error, Reason};
pub use github_app::{AppError, AskError, GitHubApp};
pub use identity::{Identity, IdentityError, Secret};
pub use kept::{Bearer, Counts, Limits};
pub use request::Client;

/// Where the services are, if not where they are for everybody. For private endpoints, and tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// AWS KMS.
    pub aws_kms: Option<String>,
    /// AWS STS.
    pub aws_sts: Option<String>,
    /// GCP KMS.
    pub gcp_kms: Option<String>,
    /// Where Google hands out tokens.
    pub google_token: Option<String>,
    /// Where Google takes tokens of elsewhere for its own.
    pub google_sts: Option<String>,
    /// Where Google lets one account act as another.
    pub google_iam: Option<String>,
    /// The metadata server of Google's machines.
    pub google_metadata: Option<String>,
    /// Where Microsoft hands out tokens.
    pub azure_authority: Option<String>,
    /// The vault of every Azure key.
    pub azure_vault: Option<String>,
    /// The metadata server of Azure's machines.
    pub azure_metadata: Option<String>,
}

/// The services, for who has these credentials or this identity.
#[derive(Clone)]
pub struct Services {
    bearers: Arc<Bearers>,
    credentials: Arc<Credentials>,
    identity: Arc<dyn Identity>,
    runtime: Handle,
}

impl Services {
    /// The services, which are reached as `bearers` reaches them. Credentials come before the identity.
    pub fn new(
        bearers: Arc<Bearers>,
        credentials: Credentials,
        identity: Arc<dyn Identity>,
        runtime: Handle,
    ) -> Self {
        Self { bearers, credentials: Arc::new(credentials), identity, runtime }
    }

    fn client(&self) -> &Client {
        self.desk().client
    }

    fn endpoints(&self) -> &Endpoints {
        self.desk().endpoints
    }

    fn desk(&self) -> Desk<'_> {
        self.bearers.direct()
    }

    fn ask<'a>(&'a self, recipient: &'a Recipient) -> BoxFuture<'a, Result<Part, Error>> {
        Box::pin(async move {
            match recipient {
                Recipient::AwsKms { arn, role, context, enc } => {
                    let key = aws::Key { arn, role, context };
                    aws::decrypt(self, &key, enc).await.map_err(Error::AwsKms)
                }
                Recipient::GcpKms { resource_id, enc } => {
                    gcp::decrypt(self, resource_id, enc).await.map_err(Error::GcpKms)
                }
                Recipient::AzureKeyVault { vault_url, name, version, enc } => {
                    let key = azure::Key { vault_url, name, version };
                    azure::decrypt(self, &key, enc).await.map_err(Error::AzureKeyVault)
                }
                Recipient::Vault { address, engine_path, key_name, enc } => {
                    let key = vault::Key { address, engine_path, name: key_name };
                    vault::decrypt(self, &key, enc).await.map_err(Error::Vault)
                }
                Recipient::Age { .. } | Recipient::Pgp { .. } | Recipient::Huawei { .. } => {
                    Err(Error::Unsupported)
                }
            }
        })
    }
}

impl KeyService for Services {
    /// Asks, and blocks until there is an answer or time is up: not to be called from a task.
    fn open(&self, recipient: &Recipient) -> Result<Part, KeyError> {
        let asked = self.runtime.block_on(self.ask(recipient));
        asked.map_err(|error| KeyError::Service(Box::new(error)))
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services(..)")
    }
}
