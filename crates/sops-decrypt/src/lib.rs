//! Files that sops encrypted, decrypted and their integrity verified.
//!
//! Bytes in, plaintext out: [`Encrypted::read`] takes a file apart, [`Encrypted::data_key`] asks
//! whoever holds keys for the key of the file, [`Encrypted::decrypt`] opens its values and compares
//! its MAC, [`Decrypted::print`] prints it as sops would. [`Keys`] holds age and PGP keys; keys that
//! never leave a cloud are asked for by another implementation of [`KeyService`].
//!
//! Everything secret has a type that cannot be printed and is wiped when it goes.

mod age_keys;
mod data_key;
mod dotenv;
mod error;
mod format;
mod ini;
mod json;
mod keys;
mod metadata;
#[cfg(feature = "parity")]
pub mod parity;
mod pgp_keys;
mod shamir;
mod tree;
mod unflatten;
mod value;
mod walk;
mod wrap;

pub use age_keys::{AgeError, HeaderError, ImportError as AgeImportError};
pub use data_key::{DataKey, DataKeyError, KeyService, Part, Report};
pub use error::{CipherError, Error, IntegrityError, LoadError, PrintError, ValueError, WalkError};
pub use format::Format;
pub use keys::{ImportError, KeyError, Keys};
pub use metadata::Recipient;
pub use pgp_keys::{ImportError as PgpImportError, PgpError};
pub use shamir::ShamirError;
pub use tree::{Decrypted, Encrypted, Plaintext};

/// The largest file that is decrypted, in bytes, as in Flux.
pub const MAX_BYTES: usize = 5 << 20;

/// Whether the MAC of a file must be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// The file is as sops wrote it, so its MAC must be right.
    Verified,
    /// The file has been changed on purpose since, so its MAC says nothing. Each encrypted value is
    /// still known to be whole and in its place.
    Ignored,
}

/// Decrypts a file: reads it as one format, prints it as another.
///
/// # Errors
/// Names the step that failed, in Flux's words, without anything that is secret.
pub fn decrypt(
    data: &[u8],
    input: Format,
    output: Format,
    keys: &dyn KeyService,
    integrity: Integrity,
) -> Result<Plaintext, Error> {
    let encrypted = Encrypted::read(data, input)?;
    let key = encrypted.data_key(keys)?;
    let decrypted = encrypted.decrypt(&key, integrity)?;
    decrypted.print(output).map_err(|source| Error::Print { input, output, source })
}
