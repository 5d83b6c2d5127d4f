//! PGP keys, as gpg exports them.

use std::io::Read as _;

use pgp::composed::{DecryptionOptions, Deserializable as _, Message, SignedSecretKey, TheRing};
use pgp::types::Password;
use zeroize::Zeroizing;

use crate::data_key::Part;

/// The longest part of a key. Real ones have 32 or 33 bytes.
const MAX_PART_BYTES: u64 = 1024;

/// More keys would make a file with many recipients costly.
const MAX_KEYS: usize = 64;

/// Messages may be compressed, and that again.
const MAX_LAYERS: usize = 4;

/// Private PGP keys.
#[derive(Default)]
pub(crate) struct PgpKeys(Vec<SignedSecretKey>);

/// Why a text has no private keys.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no armored text, or what it holds is broken.
    #[error("malformed key data")]
    Malformed,
    /// It holds public keys only, or nothing.
    #[error("no private key found")]
    NoKey,
    /// There are too many.
    #[error("more than {limit} keys")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

/// Why no key opens a part of a key.
#[derive(Debug, thiserror::Error)]
pub enum PgpError {
    /// There is no private key.
    #[error("no key of the decryption Secret ends in .asc")]
    NoKeys,
    /// The message is broken.
    #[error("malformed message")]
    Malformed,
    /// The message is for others, or the key has a passphrase.
    #[error("decryption failed: No secret key")]
    NoSecretKey,
    /// The message was changed.
    #[error("decryption failed: the message was changed or is not understood")]
    Changed,
    /// What was encrypted is too long for a key.
    #[error("the data key is longer than {limit_bytes} bytes")]
    TooLong {
        /// How long it may be.
        limit_bytes: u64,
    },
}

impl PgpKeys {
    pub(crate) fn import(&mut self, armored: &[u8]) -> Result<(), ImportError> {
        let before = self.0.len();
        // A text may hold several blocks, each with several keys.
        for block in blocks(armored) {
            let (keys, _headers) = SignedSecretKey::from_armor_many(block)
                .map_err(|_syntax| ImportError::Malformed)?;
            for key in keys {
                if self.0.len() == MAX_KEYS {
                    return Err(ImportError::TooMany { limit: MAX_KEYS });
                }
                self.0.push(key.map_err(|_syntax| ImportError::Malformed)?);
            }
        }
        if self.0.len() == before { Err(ImportError::NoKey) } else { Ok(()) }
    }

    /// Opens an armored message.
    pub(crate) fn open(&self, armored: &str) -> Result<Part, PgpError> {
        if self.0.is_empty() {
            return Err(PgpError::NoKeys);
        }
        let (message, _headers) =
            Message::from_armor(armored.as_bytes()).map_err(|_syntax| PgpError::Malformed)?;
        if !message.is_encrypted() {
            return Err(PgpError::Malformed);
        }
        let no_password = Password::empty();
        let ring = TheRing {
            secret_keys: self.0.iter().collect(),
            key_passwords: vec![&no_password],
            message_password: Vec::new(),
            session_keys: Vec::new(),
            // What gpg 2.3 and later write to keys that they made.
            decrypt_options: DecryptionOptions::new().enable_gnupg_aead(),
        };
        let (mut message, _result) = message.decrypt_the_ring(ring, true).map_err(|error| {
            if matches!(error, pgp::errors::Error::MissingKey) {
                PgpError::NoSecretKey
            } else {
                PgpError::Changed
            }
        })?;
        for _ in 0..MAX_LAYERS {
            if message.is_compressed() {
                message = message.decompress().map_err(|_broken| PgpError::Changed)?;
            }
        }
        if !message.is_literal() && !message.is_signed() && !message.is_one_pass_signed() {
            return Err(PgpError::Changed);
        }
        let mut part = Zeroizing::new(Vec::with_capacity(64));
        let mut limited = (&mut message).take(MAX_PART_BYTES + 1);
        let length = limited.read_to_end(&mut part).map_err(|_broken| PgpError::Changed)?;
        if length as u64 > MAX_PART_BYTES {
            return Err(PgpError::TooLong { limit_bytes: MAX_PART_BYTES });
        }
        Ok(part)
    }
}

/// The armored blocks of private keys in a text.
fn blocks(text: &[u8]) -> Vec<&[u8]> {
    const START: &[u8] = b"-----BEGIN PGP PRIVATE KEY BLOCK-----";
    let at = |from: usize| {
        let rest = text.get(from..)?;
        rest.windows(START.len()).position(|window| window == START).map(|at| at + from)
    };
    let mut blocks = Vec::new();
    let mut next = at(0);
    while let Some(start) = next {
        next = at(start + 1);
        blocks.push(&text[start..next.unwrap_or(text.len())]);
    }
    blocks
}
