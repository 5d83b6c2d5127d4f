//! The form of a record in a Secret, the same for every version of Helm since 3.0.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize as _;

use crate::record::Record;
use go_json::push_number;

/// Type of the Secret that holds a record.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// The labels that Helm sets itself. All others are the user's.
pub const LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];
/// How many bytes a record may unpack to. A Secret holds 1 MiB; text packs ten to one.
const MAX_UNPACKED_BYTES: u64 = 32 << 20;

const GZIP: &[u8] = b"\x1f\x8b\x08";

/// Why a Secret holds no record.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The outer coding is broken.
    #[error("the record is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The compressed stream is broken.
    #[error("the record cannot be unpacked")]
    Gzip(#[source] std::io::Error),
    /// It unpacks to more than a record can have.
    #[error("the record unpacks to more than {} MiB", MAX_UNPACKED_BYTES >> 20)]
    TooLarge,
    /// It unpacks to more than is left for it beside others.
    #[error("the records of the release unpack to too much together")]
    TooMuch,
    /// What is unpacked is no record.
    #[error("the record is not a Helm release")]
    Json(#[source] serde_json::Error),
    /// The record says it is another one than the Secret does.
    #[error("the record is of {found}, its Secret is of {wanted}")]
    Mismatch {
        /// Name and version in the record.
        found: String,
        /// Name and version that the Secret stands for.
        wanted: String,
    },
}

/// Name of the Secret that holds a revision.
pub fn secret_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The labels of the Secret of a record. Helm finds records by them.
pub fn labels(record: &Record) -> BTreeMap<String, String> {
    let mut labels = record.labels.clone();
    labels.extend([
        ("name".to_owned(), record.name.clone()),
        ("owner".to_owned(), "helm".to_owned()),
        ("status".to_owned(), record.info.status.to_string()),
        ("version".to_owned(), record.version.to_string()),
    ]);
    labels
}

/// The value of the key `release` of the Secret (before the base64 of the Secret itself).
///
/// # Errors
/// If the record would not be read again for its size, however small it packs.
pub fn encode(record: &Record) -> Result<String, serde_json::Error> {
    let packed = GzEncoder::new(Vec::new(), Compression::best());
    let mut capped = Capped { packed, left_bytes: MAX_UNPACKED_BYTES };
    record.serialize(&mut serde_json::Serializer::with_formatter(&mut capped, GoNumbers))?;
    let mut packed = capped.packed;
    packed.flush().map_err(serde_json::Error::io)?;
    Ok(STANDARD.encode(packed.finish().map_err(serde_json::Error::io)?))
}

/// Packs no more than can be unpacked.
struct Capped {
    packed: GzEncoder<Vec<u8>>,
    left_bytes: u64,
}

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.left_bytes.checked_sub(bytes.len() as u64);
        self.left_bytes = left.ok_or_else(|| std::io::Error::other(DecodeError::TooLarge))?;
        self.packed.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.packed.flush()
    }
}

/// Prints numbers as Go does: `3`, where ours would print `3.0`.
struct GoNumbers;

impl serde_json::ser::Formatter for GoNumbers {
    fn write_f64<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        value: f64,
    ) -> std::io::Result<()> {
        let mut text = String::new();
        push_number(&mut text, value);
        writer.write_all(text.as_bytes())
    }
}

/// Reads the value of the key `release` of a Secret. Labels and intent are not part of it.
/// `left_bytes` is what it may unpack to beside others, and loses what it took.
///
/// # Errors
/// If it is no record. Hostile bytes cost at most the limit.
pub fn decode(text: &[u8], left_bytes: &mut u64) -> Result<Record, DecodeError> {
    let bytes = STANDARD.decode(text.trim_ascii()).map_err(DecodeError::Base64)?;
    let limit = MAX_UNPACKED_BYTES.min(*left_bytes);
    let mut json = Vec::new();
    // Records from before Helm compressed them are plain.
    let unpacked = if bytes.starts_with(GZIP) {
        GzDecoder::new(bytes.as_slice()).take(limit + 1).read_to_end(&mut json)
    } else {
        bytes.as_slice().take(limit + 1).read_to_end(&mut json)
    };
    *left_bytes = left_bytes.saturating_sub(json.len() as u64);
    unpacked.map_err(DecodeError::Gzip)?;
    if json.len() as u64 > limit {
        let is_alone = limit == MAX_UNPACKED_BYTES;
        return Err(if is_alone { DecodeError::TooLarge } else { DecodeError::TooMuch });
    }
    serde_json::from_slice(&json).map_err(DecodeError::Json)
}
