//! Answers without the secrets that they echo.

use alert_message::{Error as MessageError, Provider};
use secret_text::Secret;

use crate::Error;

const MASK: &str = "*****";
/// Shorter texts are no secrets, and masking them would leave nothing to read.
const SHORTEST: usize = 4;
/// Limit: characters of an answer that are shown.
const SHOWN: usize = 1024;

/// The error with what a server said made harmless.
pub(crate) fn masked(error: Error, provider: &Provider) -> Error {
    match error {
        Error::Message(MessageError::Refused { status, body }) => {
            let body = shown(&body, provider);
            Error::Message(MessageError::Refused { status, body })
        }
        Error::Message(MessageError::Slack { error }) => {
            Error::Message(MessageError::Slack { error: shown(&error, provider) })
        }
        Error::Nats { subject, source } => {
            let source = source.masked(|said| shown(said, provider));
            Error::Nats { subject, source }
        }
        other => other,
    }
}

/// A text without what is secret of a provider, and not too long to be read.
pub(crate) fn shown(said: &str, provider: &Provider) -> String {
    let mut said = said.to_owned();
    for secret in secrets(provider) {
        if secret.len() >= SHORTEST {
            said = said.replace(secret, MASK);
        }
    }
    match said.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}

/// All that is secret of a provider, longest first: one may be a part of another.
fn secrets(provider: &Provider) -> Vec<&str> {
    let address = provider.address.expose();
    // A server knows its path, and servers of chats know who we are by it.
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let mut all: Vec<&str> = provider.headers.values().map(Secret::expose).collect();
    all.extend([&provider.token, &provider.password].map(Secret::expose));
    let keys = [&provider.nats_credentials, &provider.nats_seed];
    all.extend(keys.into_iter().flat_map(|key| key.expose().lines().map(str::trim)));
    // NATS servers are several, each with a login.
    let logins = address.split(',').filter_map(|address| Some(address.rsplit_once('@')?.0));
    all.extend(logins.map(|login| login.rsplit_once('/').map_or(login, |(_, login)| login)));
    all.extend([address].into_iter().chain(path.map(|(_, path)| path)));
    // The scheme of an authorization is none, what follows it is.
    all.extend(all.clone().iter().filter_map(|text| Some(text.split_once(' ')?.1)));
    all.extend(all.clone().iter().filter_map(|text| Some(text.split_once(':')?.1)));
    all.sort_by_key(|text| std::cmp::Reverse(text.len()));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alert_message::{AlertIdentity, Kind, TokenOf};

    use super::*;

    #[test]
    fn an_answer_loses_what_is_secret_and_too_long() {
        let secret = Secret::new;
        let provider = Provider {
            kind: Kind::Generic,
            address: secret("https://hooks.example/T0/canary-path"),
            channel: String::new(),
            username: String::new(),
            password: secret("canary-password"),
            token: secret("canary-token"),
            token_of: TokenOf::default(),
            headers: BTreeMap::from([("authorization".to_owned(), secret("Bearer canary-header"))]),
            nats_credentials: Secret::default(),
            nats_seed: Secret::default(),
            status_id: String::new(),
            uid: String::new(),
            alert: AlertIdentity::default(),
        };
        let echo = "no canary-token canary-password at /T0/canary-path by canary-header".to_owned();
        let body = echo + &"x".repeat(5000);
        let error = Error::Message(MessageError::Refused { status: 500, body });
        let text = masked(error, &provider).to_string();
        assert!(text.contains("no ***** ***** at /***** by *****xxx"), "{text}");
        assert!(!text.contains("canary") && text.len() < 1200, "{text}");
    }
}
