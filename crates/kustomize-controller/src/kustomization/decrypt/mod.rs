//! What sops encrypted, decrypted: files before the build, objects after it.
//!
//! Keys come from the Secret that the object names, and live as long as the attempt. What was
//! decrypted is never written anywhere but to the cluster.

mod account;
mod keys;
mod objects;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use file_tree::FileTree;
use key_services::Services;
use kustomize_build::generate::Kustomization;
use manifest::Object;
use sops_decrypt::{Encrypted, Format, Integrity, KeyError, KeyService, Keys, Part, Recipient};

pub(crate) use self::keys::{Error as KeysError, of};
pub(crate) use self::objects::Error as ObjectError;
pub(crate) use self::sources::{Error as SourceError, Sources};

/// Who decrypts for an object.
pub(crate) struct Decryptor {
    keys: Keys,
    /// Who holds the keys that are not at hand.
    services: Services,
    /// Whether files must be as sops wrote them.
    integrity: Integrity,
    /// Changes when the keys do.
    digest: String,
    /// Parts of keys that were opened: a file is opened more than once, and a service costs a request.
    opened: Mutex<HashMap<String, Part>>,
}

impl Decryptor {
    fn new(keys: Keys, services: Services, integrity: Integrity, digest: String) -> Self {
        Self { keys, services, integrity, digest, opened: Mutex::default() }
    }

    /// A digest of what the keys come from, by which a change is seen.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// The tree with decrypted files in place of encrypted ones.
    pub(crate) fn sources(
        &self,
        tree: &Arc<FileTree>,
        kustomization: &Kustomization,
    ) -> Result<Sources, SourceError> {
        sources::decrypted(self, tree, kustomization)
    }

    /// Decrypts an object where it stands, if it is encrypted. Gives the texts that were secret.
    pub(crate) fn object(&self, object: &mut Object) -> Result<Vec<String>, ObjectError> {
        objects::decrypt(self, object)
    }

    /// Decrypts a file as it is in the source.
    fn file(
        &self,
        data: &[u8],
        input: Format,
        output: Format,
    ) -> Result<sops_decrypt::Plaintext, sops_decrypt::Error> {
        sops_decrypt::decrypt(data, input, output, self, self.integrity)
    }

    /// Makes sure that a file is as sops wrote it.
    fn verify(&self, data: &[u8], format: Format) -> Result<(), sops_decrypt::Error> {
        let encrypted = Encrypted::read(data, format)?;
        let key = encrypted.data_key(self)?;
        encrypted.decrypt(&key, Integrity::Verified).map(drop)
    }
}

impl KeyService for Decryptor {
    fn open(&self, recipient: &Recipient) -> Result<Part, KeyError> {
        let name = format!("{recipient:?}");
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = opened().get(&name) {
            return Ok(part.clone());
        }
        let part = match recipient {
            Recipient::Age { .. } | Recipient::Pgp { .. } | Recipient::Huawei { .. } => {
                self.keys.open(recipient)
            }
            Recipient::AwsKms { .. }
            | Recipient::GcpKms { .. }
            | Recipient::AzureKeyVault { .. }
            | Recipient::Vault { .. } => self.services.open(recipient),
        }?;
        opened().insert(name, part.clone());
        Ok(part)
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decryptor(..)")
    }
}
