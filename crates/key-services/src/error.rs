//! Why a service opens nothing. Neither credentials nor texts of answers are in here.

use crate::bearers::BearerError;
use crate::identity::IdentityError;

/// Why a service opens nothing, by service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS KMS.
    #[error("failed to decrypt sops data key with AWS KMS")]
    AwsKms(#[source] Reason),
    /// GCP KMS.
    #[error("failed to decrypt sops data key with GCP KMS key")]
    GcpKms(#[source] Reason),
    /// Azure Key Vault.
    #[error("failed to decrypt sops data key with Azure Key Vault key")]
    AzureKeyVault(#[source] Reason),
    /// Vault or `OpenBao`.
    #[error("failed to decrypt sops data key from Vault transit backend")]
    Vault(#[source] Reason),
    /// A service that is none of these.
    #[error("the key service is not supported")]
    Unsupported,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The file names a key that cannot be one.
    #[error("the file names a malformed {what}")]
    Malformed {
        /// What is malformed.
        what: &'static str,
    },
    /// The file names a host that is none of the service, so nothing was sent there.
    #[error("`{host}` is no host of the service")]
    Host {
        /// The host.
        host: String,
    },
    /// There is neither a credential nor an identity.
    #[error("no credentials: {0}")]
    NoCredentials(#[from] IdentityError),
    /// The identity is nobody there.
    #[error(transparent)]
    Identity(Box<BearerError>),
    /// The service cannot be reached, or does not answer in time.
    #[error("{step}: {problem}")]
    Unreachable {
        /// What was asked for.
        step: &'static str,
        /// What happened, without the address.
        problem: &'static str,
    },
    /// The service refuses.
    #[error("{step}: the service answered {status}{}", suffix(.code.as_deref()))]
    Refused {
        /// What was asked for.
        step: &'static str,
        /// The status of the answer.
        status: u16,
        /// The code of the error, if the service has such.
        code: Option<String>,
    },
    /// The answer is too long.
    #[error("{step}: the answer is longer than {limit_bytes} bytes")]
    TooLong {
        /// What was asked for.
        step: &'static str,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// The answer is not what it should be.
    #[error("{step}: the answer is not understood")]
    Answer {
        /// What was asked for.
        step: &'static str,
    },
    /// A credential cannot be used.
    #[error("the {what} cannot be used")]
    Credential {
        /// Which part of it.
        what: &'static str,
    },
}

fn suffix(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" {code}"))
}
