//! Whoever knows the token of a receiver.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

use std::fmt::Write as _;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use webhook_request::Kind;

pub(crate) const TOKEN: &str = "a secret that nobody guesses";

/// Adds what proves that the sender knows the token.
pub(crate) fn prove(kind: Kind, body: &[u8], headers: &mut HeaderMap) {
    let (name, value) = match kind {
        Kind::GenericHmac => {
            ("x-signature", format!("sha512={}", code::<Hmac<sha2::Sha512>>(body)))
        }
        Kind::GitHub | Kind::Bitbucket => {
            ("x-hub-signature-256", format!("sha256={}", code::<Hmac<sha2::Sha256>>(body)))
        }
        Kind::Nexus => ("x-nexus-webhook-signature", code::<Hmac<sha1::Sha1>>(body)),
        Kind::GitLab => ("x-gitlab-token", TOKEN.to_owned()),
        Kind::Harbor => ("authorization", TOKEN.to_owned()),
        _ => return,
    };
    headers.insert(name, value.parse().unwrap());
}

fn code<M: Mac + KeyInit>(body: &[u8]) -> String {
    let mut mac = <M as Mac>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(body);
    let code = mac.finalize().into_bytes();
    code.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        _ = write!(digits, "{byte:02x}");
        digits
    })
}
