//! Who the controller is where it has no credentials.

use futures::future::BoxFuture;
use zeroize::Zeroizing;

use crate::account::{AccountError, ServiceAccount};

/// Why there is no identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Nobody has said who we are.
    #[error("the decryption Secret has none, and there is no workload identity for {service}")]
    None {
        /// Which service.
        service: &'static str,
    },
    /// The service account is none for us.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// What the operator has set up cannot be read.
    #[error("cannot read {what}: {message}")]
    Unreadable {
        /// What it is.
        what: String,
        /// What happened.
        message: String,
    },
    /// An annotation of the service account is missing.
    #[error("ServiceAccount '{account}' has no annotation '{annotation}'")]
    Annotation {
        /// The namespace and name.
        account: String,
        /// Which annotation.
        annotation: &'static str,
    },
    /// A Vault server that nobody trusts.
    #[error("no Vault login path configured for address '{address}'")]
    Untrusted {
        /// The server.
        address: String,
    },
}

/// A secret text.
pub type Secret = Zeroizing<String>;

/// Who the controller is: a service account, whose tokens clouds exchange for theirs.
pub trait Identity: Send + Sync {
    /// A token of the service account for an audience.
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Secret, IdentityError>>;

    /// The role of AWS to assume.
    ///
    /// # Errors
    /// If there is none.
    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>>;

    /// The tenant and client of Azure to be.
    ///
    /// # Errors
    /// If there is none.
    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>>;

    /// The service account that is somebody at Google.
    fn google_account(&self) -> Option<&ServiceAccount> {
        None
    }

    /// Whether to ask the metadata server of Google's machines, without a service account.
    fn google_metadata(&self) -> bool;

    /// Whether a Vault server may be sent a token that the Secret holds: a file that strangers wrote
    /// names the server.
    ///
    /// # Errors
    /// If there is a list of servers to trust, and this one is not in it.
    fn vault_admits<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<(), IdentityError>>;

    /// The path at which a Vault server takes tokens of service accounts.
    ///
    /// # Errors
    /// If the server is not trusted.
    fn vault_login<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<String, IdentityError>>;
}
