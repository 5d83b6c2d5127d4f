//! Keys that are at hand: age identities and PGP keys.

use crate::Recipient;
use crate::age_keys::{self, AgeError, AgeKeys};
use crate::data_key::{KeyService, Part};
use crate::pgp_keys::{self, PgpError, PgpKeys};

/// Age identities and PGP keys. They cannot be printed, and are wiped when they go.
#[derive(Default)]
pub struct Keys {
    age: AgeKeys,
    pgp: PgpKeys,
}

/// Why keys cannot be taken in. Nothing of the keys is shown.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line that is no age identity.
    #[error("failed to parse and add to age identities")]
    Age(#[source] age_keys::ImportError),
    /// A text that has no PGP key.
    #[error("failed to import armored key data into GnuPG keyring")]
    Pgp(#[source] pgp_keys::ImportError),
}

/// Why a part of a key cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No age identity opens it.
    #[error(transparent)]
    Age(#[from] AgeError),
    /// No PGP key opens it.
    #[error("failed to decrypt sops data key with pgp")]
    Pgp(#[from] PgpError),
    /// A service that is not at hand.
    #[error("no credentials for {service}")]
    NoService {
        /// Which one.
        service: &'static str,
    },
    /// A service that was asked and refused.
    #[error(transparent)]
    Service(Box<dyn std::error::Error + Send + Sync>),
}

impl Keys {
    /// Takes in the age identities of a text, one a line.
    ///
    /// # Errors
    /// If a line that is no comment is no identity.
    pub fn import_age(&mut self, text: &[u8]) -> Result<(), ImportError> {
        self.age.import(text).map_err(ImportError::Age)
    }

    /// Takes in the private PGP keys of an armored text, those of subkeys too.
    ///
    /// # Errors
    /// If it has none.
    pub fn import_pgp(&mut self, armored: &[u8]) -> Result<(), ImportError> {
        self.pgp.import(armored).map_err(ImportError::Pgp)
    }
}

impl KeyService for Keys {
    fn open(&self, recipient: &Recipient) -> Result<Part, KeyError> {
        let service = match recipient {
            Recipient::Age { enc, .. } => return Ok(self.age.open(enc)?),
            Recipient::Pgp { enc, .. } => return Ok(self.pgp.open(enc)?),
            Recipient::AwsKms { .. } => "AWS KMS",
            Recipient::GcpKms { .. } => "GCP KMS",
            Recipient::AzureKeyVault { .. } => "Azure Key Vault",
            Recipient::Vault { .. } => "Vault",
            Recipient::Huawei { .. } => "Huawei Cloud KMS, which is not supported",
        };
        Err(KeyError::NoService { service })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}
