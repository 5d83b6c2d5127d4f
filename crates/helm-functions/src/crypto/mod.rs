//! Hashes, passwords, encryption, keys and certificates.

mod aes_cbc;
mod certificate;
mod der;
mod hash;
mod key;
mod password;
mod pem;

use go_template::Functions;

pub(crate) use hash::hex;

pub(crate) fn register(f: &mut Functions) {
    hash::register(f);
    password::register(f);
    aes_cbc::register(f);
    key::register(f);
    certificate::register(f);
}

/// What these functions object to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum CryptoError {
    #[error("unable to decode base64 certificate")]
    Base64Certificate,
    #[error("unable to decode base64 private key")]
    Base64Key,
    #[error("unable to decode certificate")]
    NoCertificate,
    #[error("error parsing certificate: {place}: x509: malformed certificate")]
    MalformedCertificate { place: &'static str },
    #[error("error parsing private key: {0}")]
    ParsingKey(KeyError),
    #[error("parsing private key: {0}")]
    Key(KeyError),
    #[error("error parsing ip: {0}")]
    Ip(String),
    #[error("error parsing ip: {0} is not a string")]
    IpNotText(String),
    #[error("error processing alternate dns name: {0} is not a string")]
    NameNotText(String),
    #[error("error generating key")]
    Generating,
    #[error("error creating certificate")]
    Signing,
    #[error("runtime error: slice bounds out of range [:16] with capacity {0}")]
    TooShort(usize),
    #[error("crypto/cipher: input not full blocks")]
    NotFullBlocks,
    #[error("runtime error: index out of range [-1]")]
    NoPadding,
    #[error("runtime error: slice bounds out of range [:{0}]")]
    Padding(i64),
}

/// Why a text is no private key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum KeyError {
    #[error("no PEM data in input")]
    NoPem,
    #[error("no private key data in PEM block of type {0}")]
    NotAKey(String),
    #[error("invalid private key type {0}")]
    Type(String),
    #[error("decoding PEM as {0}: malformed key")]
    Malformed(&'static str),
}
