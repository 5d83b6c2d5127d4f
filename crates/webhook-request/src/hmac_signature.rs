//! Signatures of bodies by a shared key.

use hmac::{Hmac, Mac};
use secret_text::Secret;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::{Rejected, Request, only};

/// The headers of GitHub's signature, the better one first.
pub(crate) const HUB: [&str; 2] = ["x-hub-signature-256", "x-hub-signature"];

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// There is none.
    #[error("missing signature")]
    Missing,
    /// The header is there more than once, or not text.
    #[error("ambiguous signature")]
    Ambiguous,
    /// It is not `hash=hexadecimal digits`.
    #[error("error parsing signature")]
    Malformed,
    /// Its hash is none of sha1, sha256 and sha512.
    #[error("unknown hash type prefix")]
    UnknownHash,
    /// It is not that of the body.
    #[error("payload signature check failed")]
    Wrong,
}

/// Checks the signature in the first of `headers` that is there.
pub(crate) fn check(
    request: Request<'_>,
    key: &Secret,
    headers: &[&'static str],
) -> Result<(), InvalidSignature> {
    let mut signature = None;
    for header in headers {
        signature = only(request.headers, header).map_err(|_twice| InvalidSignature::Ambiguous)?;
        if signature.is_some_and(|signature| !signature.is_empty()) {
            break;
        }
    }
    let signature = signature.filter(|signature| !signature.is_empty());
    let signature = signature.ok_or(InvalidSignature::Missing)?;
    let (hash, digits) = signature.split_once('=').ok_or(InvalidSignature::Malformed)?;
    let code = unhex(digits).ok_or(InvalidSignature::Malformed)?;
    let is_right = match hash {
        "sha1" => is_code::<Hmac<Sha1>>(key, request.body, &code),
        "sha256" => is_code::<Hmac<Sha256>>(key, request.body, &code),
        "sha512" => is_code::<Hmac<Sha512>>(key, request.body, &code),
        _ => return Err(InvalidSignature::UnknownHash),
    };
    if is_right { Ok(()) } else { Err(InvalidSignature::Wrong) }
}

/// Nexus signs with SHA-1 and does not say so.
pub(crate) fn check_nexus(request: Request<'_>, key: &Secret) -> Result<(), Rejected> {
    let signature = only(request.headers, "x-nexus-webhook-signature")?.unwrap_or_default();
    if signature.is_empty() {
        return Err(Rejected::NexusUnsigned);
    }
    let is_right =
        unhex(signature).is_some_and(|code| is_code::<Hmac<Sha1>>(key, request.body, &code));
    if is_right { Ok(()) } else { Err(Rejected::Nexus) }
}

/// Whether a code is that of the body, told in constant time.
fn is_code<M: Mac + hmac::digest::KeyInit>(key: &Secret, body: &[u8], code: &[u8]) -> bool {
    // Keys of every length are taken.
    <M as Mac>::new_from_slice(key.expose().as_bytes()).is_ok_and(|mut mac| {
        mac.update(body);
        mac.verify_slice(code).is_ok()
    })
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}
