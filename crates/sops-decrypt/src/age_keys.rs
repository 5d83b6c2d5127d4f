//! age identities.

use std::io::{self, Read as _};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Identity, x25519};
use zeroize::Zeroizing;

use crate::data_key::Part;

/// The longest part of a key. Real ones have 32 or 33 bytes.
const MAX_PART_BYTES: u64 = 1024;

/// More identities would make a file with many recipients costly.
const MAX_IDENTITIES: usize = 256;

/// age identities.
#[derive(Default)]
pub(crate) struct AgeKeys(Vec<x25519::Identity>);

/// Why a text has no identities.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not UTF-8.
    #[error("the identities are no text")]
    NotText,
    /// A line that is neither a comment nor an identity.
    #[error("unknown identity type in line {line}")]
    Unknown {
        /// Counted from 1.
        line: usize,
    },
    /// A line that starts as an identity and is none.
    #[error("malformed secret key in line {line}")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// An identity of a kind that is not supported.
    #[error("{kind} identities are not supported, line {line}")]
    Unsupported {
        /// The kind.
        kind: &'static str,
        /// Counted from 1.
        line: usize,
    },
    /// There are too many.
    #[error("more than {limit} identities")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

/// Why no identity opens a part of a key, in the words of age.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// There is no identity.
    #[error("failed to load age identities: no key of the decryption Secret ends in .agekey")]
    NoIdentity,
    /// The header does not fit.
    #[error("failed to create reader for decrypting sops data key with age")]
    Header(#[source] HeaderError),
    /// The header fits, but what follows is broken.
    #[error("failed to copy age decrypted data into bytes.Buffer")]
    Body(#[source] io::Error),
    /// What was encrypted is too long for a key.
    #[error("the data key is longer than {limit_bytes} bytes")]
    TooLong {
        /// How long it may be.
        limit_bytes: u64,
    },
}

/// What is wrong with a header.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The one identity is not the right one.
    #[error("identity did not match any of the recipients: incorrect identity for recipient block")]
    OneIdentity,
    /// None of several identities is the right one.
    #[error("no identity matched any of the recipients")]
    Identities,
    /// It cannot be read.
    #[error("failed to read header: {0}")]
    Unreadable(DecryptError),
}

impl AgeKeys {
    pub(crate) fn import(&mut self, text: &[u8]) -> Result<(), ImportError> {
        let text = std::str::from_utf8(text).map_err(|_no_text| ImportError::NotText)?;
        for (index, row) in text.split('\n').enumerate() {
            let line = index + 1;
            let row = row.strip_suffix('\r').unwrap_or(row);
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            if row.starts_with("AGE-PLUGIN-") {
                return Err(ImportError::Unsupported { kind: "plugin", line });
            }
            if row.starts_with("AGE-SECRET-KEY-PQ-1") {
                return Err(ImportError::Unsupported { kind: "post-quantum", line });
            }
            if !row.starts_with("AGE-SECRET-KEY-1") {
                return Err(ImportError::Unknown { line });
            }
            let identity = row.parse().map_err(|_what| ImportError::Malformed { line })?;
            if self.0.len() == MAX_IDENTITIES {
                return Err(ImportError::TooMany { limit: MAX_IDENTITIES });
            }
            self.0.push(identity);
        }
        Ok(())
    }

    /// Opens an armored age file.
    pub(crate) fn open(&self, armored: &str) -> Result<Part, AgeError> {
        if self.0.is_empty() {
            return Err(AgeError::NoIdentity);
        }
        let unreadable = |error| AgeError::Header(HeaderError::Unreadable(error));
        let decryptor =
            Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).map_err(unreadable)?;
        let identities = self.0.iter().map(|identity| identity as &dyn Identity);
        let mut reader = decryptor.decrypt(identities).map_err(|error| match error {
            DecryptError::NoMatchingKeys if self.0.len() == 1 => {
                AgeError::Header(HeaderError::OneIdentity)
            }
            DecryptError::NoMatchingKeys => AgeError::Header(HeaderError::Identities),
            error => unreadable(error),
        })?;
        let mut part = Zeroizing::new(Vec::with_capacity(64));
        let mut limited = (&mut reader).take(MAX_PART_BYTES + 1);
        let length = limited.read_to_end(&mut part).map_err(AgeError::Body)?;
        if length as u64 > MAX_PART_BYTES {
            return Err(AgeError::TooLong { limit_bytes: MAX_PART_BYTES });
        }
        Ok(part)
    }
}
