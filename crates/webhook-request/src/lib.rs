//! Requests to receivers: who sent them, and what they say.
//!
//! Nothing of a request is parsed before its signature was found right. Signatures and tokens are
//! compared in constant time, over the body as it came. Where an identity provider vouches for the
//! sender ([`Kind::Gcr`], [`Kind::GenericOidc`]), the caller fetches the provider's keys and
//! [`token::verify`] does the rest: nothing here does I/O or reads a clock.

mod bounded;
mod events;
mod hmac_signature;
mod kind;
mod payload;
mod rejected;
pub mod token;

pub use bounded::InvalidJson;
pub use kind::Kind;
pub use payload::Payload;
pub use rejected::Rejected;

use http::HeaderMap;
use secret_text::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, letter for letter.
    pub body: &'a [u8],
}

/// The path under which a receiver takes requests. `token` is empty for [`Kind::GenericOidc`].
pub fn path(token: &Secret, name: &str, namespace: &str) -> String {
    let digest = Sha256::new()
        .chain_update(token.expose())
        .chain_update(name)
        .chain_update(namespace)
        .finalize();
    format!("/hook/{digest:x}")
}

/// Whether a request was sent by someone who knows the token of the receiver, and reports one of
/// `events` (any, where there are none).
///
/// The senders of [`Kind::Gcr`] and [`Kind::GenericOidc`] are known by a token of their identity
/// provider, which the caller must have verified.
///
/// # Errors
/// Why the request is turned away.
pub fn admit(
    kind: Kind,
    token: &Secret,
    events: &[String],
    request: Request<'_>,
) -> Result<Payload, Rejected> {
    if kind.has_token() && token.is_empty() {
        // Flux: takes requests without a signature then, for GitHub and Bitbucket.
        return Err(Rejected::EmptyToken);
    }
    match kind {
        Kind::Generic | Kind::GenericOidc => {}
        Kind::GenericHmac => hmac_signature::check(request, token, &["x-signature"])?,
        Kind::GitHub => {
            hmac_signature::check(request, token, &hmac_signature::HUB)
                .map_err(|source| Rejected::Signature { service: "GitHub", source })?;
            events::check(events, request, "x-github-event", "GitHub event")?;
            return payload::of_hub(request);
        }
        Kind::Bitbucket => {
            hmac_signature::check(request, token, &hmac_signature::HUB)
                .map_err(|source| Rejected::Signature { service: "Bitbucket server", source })?;
            events::check(events, request, "x-event-key", "Bitbucket server event")?;
            return payload::of_hub(request);
        }
        Kind::GitLab => {
            if !header_is(request, "x-gitlab-token", token)? {
                return Err(Rejected::Token { header: "X-Gitlab-Token" });
            }
            events::check(events, request, "x-gitlab-event", "GitLab event")?;
        }
        Kind::Harbor => {
            if !header_is(request, "authorization", token)? {
                return Err(Rejected::Token { header: "Harbor Authorization" });
            }
        }
        Kind::Nexus => {
            hmac_signature::check_nexus(request, token)?;
            payload::nexus(request.body)?;
        }
        Kind::CdEvents => {
            payload::cd_event(request.body)?;
            events::check(events, request, "ce-type", "CDEvent")?;
        }
        Kind::DockerHub => payload::docker_hub(request.body)?,
        Kind::Quay => payload::quay(request.body)?,
        Kind::Acr => payload::acr(request.body)?,
        Kind::Gcr => return payload::gcr(request.body),
    }
    Ok(payload::of(request))
}

/// Whether a header is a secret, told in constant time.
fn header_is(request: Request<'_>, name: &'static str, secret: &Secret) -> Result<bool, Rejected> {
    let found = only(request.headers, name)?.unwrap_or_default();
    Ok(found.as_bytes().ct_eq(secret.expose().as_bytes()).into())
}

/// The one value of a header. Two values may mean one thing to us and another to a proxy before us.
fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Rejected> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Rejected::Repeated { header: name });
    }
    first
        .map(|value| value.to_str().map_err(|_bytes| Rejected::NotText { header: name }))
        .transpose()
}
