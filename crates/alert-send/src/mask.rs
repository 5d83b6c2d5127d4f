//! Answers without the secrets that they echo.

use alert_message::{Error as MessageError, Provider};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use http_access::{Access, Login};
use secret_text::Secret;
use url::Url;

use crate::Error;

const MASK: &str = "*****";
/// Shorter texts are no secrets, and masking them would leave nothing to read.
const SHORTEST: usize = 4;
/// Limit: characters of an answer that are shown.
const SHOWN: usize = 1024;

/// What nobody may see of a provider and of how it is reached.
pub(crate) struct Mask {
    /// Longest first: one may be a part of another.
    secrets: Vec<String>,
}

impl Mask {
    /// Hides the secrets of a provider, and who we are to the proxy.
    pub(crate) fn new(provider: &Provider, access: &Access) -> Self {
        let mut mask = Self { secrets: Vec::new() };
        mask.hide(of_provider(provider).into_iter().chain(of_proxy(access)));
        mask
    }

    /// Hides more.
    pub(crate) fn hide(&mut self, secrets: impl IntoIterator<Item = String>) {
        self.secrets.extend(secrets.into_iter().filter(|secret| secret.len() >= SHORTEST));
        self.secrets.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// The error with what a server said made harmless.
    pub(crate) fn error(&self, error: Error) -> Error {
        match error {
            Error::Message(MessageError::Refused { told, status, body }) => {
                Error::Message(MessageError::Refused { told, status, body: self.text(&body) })
            }
            Error::Message(MessageError::Api { told, said }) => {
                Error::Message(MessageError::Api { told, said: self.text(&said) })
            }
            Error::Message(MessageError::Slack { error }) => {
                Error::Message(MessageError::Slack { error: self.text(&error) })
            }
            Error::Nats { subject, source } => {
                Error::Nats { subject, source: source.masked(|said| self.text(said)) }
            }
            other => other,
        }
    }

    /// A text without secrets, and not too long to be read.
    pub(crate) fn text(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for secret in &self.secrets {
            said = said.replace(secret, MASK);
        }
        match said.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &said[..end]),
            None => said,
        }
    }
}

fn of_provider(provider: &Provider) -> Vec<String> {
    let (address, token) = (provider.address.expose(), provider.token.expose());
    let (username, password) = (provider.username.as_str(), provider.password.expose());
    // A server knows its path, and servers of chats know who we are by it.
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let mut all: Vec<&str> = provider.headers.values().map(Secret::expose).collect();
    all.extend([token, password, address].into_iter().chain(path.map(|(_, path)| path)));
    let keys = [&provider.nats_credentials, &provider.nats_seed];
    all.extend(keys.into_iter().flat_map(|key| key.expose().lines().map(str::trim)));
    // The scheme of an authorization is none, what follows it is.
    all.extend(all.clone().iter().filter_map(|text| Some(text.split_once(' ')?.1)));
    all.extend(all.clone().iter().filter_map(|text| Some(text.split_once(':')?.1)));
    let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    all.extend(address.split(',').flat_map(of_address));
    // As a login is sent by HTTP.
    let logins = [(username, password), (username, token), ("", token)];
    let logins = logins.into_iter().filter(|(_, secret)| !secret.is_empty());
    all.extend(logins.map(|(username, secret)| BASE64.encode(format!("{username}:{secret}"))));
    all.push(BASE64.encode(token));
    all
}

/// Who we are to a proxy, which sees it in every request and answers some itself.
fn of_proxy(access: &Access) -> Vec<String> {
    let Some(proxy) = &access.proxy else { return Vec::new() };
    let mut all = of_address(&proxy.url);
    if let Some(Login { username, password }) = &proxy.login {
        all.push(password.expose().to_owned());
        all.push(BASE64.encode(format!("{username}:{}", password.expose())));
    }
    all
}

/// The login that an address names: as it is written there, as it is meant, and as HTTP sends it.
fn of_address(address: &str) -> Vec<String> {
    let Some((before, _)) = address.rsplit_once('@') else { return Vec::new() };
    let written = before.rsplit_once('/').map_or(before, |(_, login)| login);
    let secret = written.split_once(':').map_or(written, |(_, password)| password);
    let mut all = vec![written.to_owned(), secret.to_owned(), BASE64.encode(written)];
    let meant = Url::parse(address.trim()).ok().and_then(|mut url| Login::take_from(&mut url));
    if let Some(Login { username, password }) = meant {
        all.push(BASE64.encode(format!("{username}:{}", password.expose())));
        all.push(if password.is_empty() { username } else { password.expose().to_owned() });
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alert_message::Kind;

    use super::*;

    #[test]
    fn an_answer_loses_what_is_secret_and_too_long() {
        let secret = Secret::new;
        let provider = Provider {
            password: secret("canary-password"),
            token: secret("canary-token"),
            headers: BTreeMap::from([("authorization".to_owned(), secret("Bearer canary-header"))]),
            ..Provider::new(Kind::Generic, "https://hooks.example/T0/canary-path")
        };
        let echo = "no canary-token canary-password at /T0/canary-path by canary-header".to_owned();
        let body = echo + &"x".repeat(5000);
        let error = Error::Message(MessageError::Refused { told: "", status: 500, body });
        let text = Mask::new(&provider, &Access::default()).error(error).to_string();
        assert!(text.contains("no ***** ***** at /***** by *****xxx"), "{text}");
        assert!(!text.contains("canary") && text.len() < 1200, "{text}");
    }
}
