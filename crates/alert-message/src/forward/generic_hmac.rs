//! Any web server that wants a signature.

use std::fmt::Write as _;

use event_api::Event;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::generic;
use crate::{Error, Provider, Step};

const NO_KEY: Error = Error::Setting { sentence: "HMAC key is empty" };

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let body = event.to_json();
    let key = provider.token.expose().as_bytes();
    let mut request = generic::request(provider, event, body.clone())?;
    if key.is_empty() {
        return Err(NO_KEY);
    }
    // Keys of every length are taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_length| NO_KEY)?;
    mac.update(body.as_bytes());
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        // Writing to a String cannot fail.
        _ = write!(signature, "{byte:02x}");
    }
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-signature"));
    Ok(Step::tell(request.with("X-Signature", signature)))
}
