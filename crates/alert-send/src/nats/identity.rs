//! Who we are to a NATS server.

use alert_message::NatsLogin;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http_access::Login;
use nkeys::KeyPair;
use secret_text::Secret;
use serde_json::{Map, Value};

use super::error::{Error, Fault};
use super::server::UrlLogin;

/// Who we are.
pub(super) enum Identity {
    Nobody,
    Password(Login),
    /// A key that the server knows.
    Key(KeyPair),
    /// A key that somebody whom the server knows vouches for.
    Vouched {
        token: Secret,
        key: KeyPair,
    },
}

impl Identity {
    /// Reads keys and tokens.
    pub(super) fn of(login: Option<NatsLogin>) -> Result<Self, Error> {
        Ok(match login {
            None => Self::Nobody,
            Some(NatsLogin::Password { username, password }) => {
                Self::Password(Login { username, password })
            }
            Some(NatsLogin::Seed(seed)) => {
                Self::Key(KeyPair::from_seed(seed.expose().trim()).map_err(|_quotes| Error::Seed)?)
            }
            Some(NatsLogin::Credentials(file)) => {
                let (token, key) =
                    credentials(file.expose()).ok_or(Error::Connect(Fault::Credentials))?;
                Self::Vouched { token, key }
            }
        })
    }

    /// What a login says about us. What the address says comes before all but a token.
    pub(super) fn login(
        &self,
        by_address: Option<&UrlLogin>,
        nonce: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let mut said = Map::new();
        let mut say = |key: &str, value: &str| said.insert(key.to_owned(), value.into());
        match (by_address, self) {
            (Some(UrlLogin::Token(token)), _) => {
                say("auth_token", token.expose());
            }
            (Some(UrlLogin::Password(login)), _) | (None, Self::Password(login)) => {
                say("user", &login.username);
                say("pass", login.password.expose());
            }
            (None, Self::Key(_)) if nonce.is_empty() => return Err(Fault::NoNkeys),
            (None, Self::Key(key)) => {
                say("nkey", &key.public_key());
                say("sig", &signature(key, nonce)?);
            }
            (None, Self::Nobody | Self::Vouched { .. }) => {}
        }
        if let Self::Vouched { token, key } = self {
            say("jwt", token.expose());
            say("sig", &signature(key, nonce)?);
        }
        Ok(said)
    }
}

fn signature(key: &KeyPair, nonce: &str) -> Result<String, Fault> {
    // Fails only for keys that are no pair.
    let signature = key.sign(nonce.as_bytes()).map_err(|_half| Fault::Credentials)?;
    Ok(BASE64.encode(signature))
}

/// Token and key of a credentials file: two blocks with a line of dashes before and behind each.
///
/// Flux: a file without blocks is a token as a whole, and its first line that looks like a seed is one.
fn credentials(file: &str) -> Option<(Secret, KeyPair)> {
    let lines: Vec<&str> = file.lines().map(str::trim).collect();
    let is_rule = |line: &str| line.len() >= 6 && line.starts_with("---") && line.ends_with("---");
    let blocks = lines.windows(3).filter(|lines| is_rule(lines[0]) && is_rule(lines[2]));
    // What is between two blocks looks like a block, too, but for being empty or a line of dashes.
    let is_word = |line: &&str| !line.is_empty() && !is_rule(line);
    let mut blocks = blocks.map(|lines| lines[1]).filter(is_word);
    let token = blocks.next().unwrap_or(file);
    let is_seed = |line: &&str| ["SO", "SA", "SU"].iter().any(|kind| line.starts_with(kind));
    let seed = blocks.next().or_else(|| lines.iter().copied().find(is_seed))?;
    let key = KeyPair::from_seed(seed).ok()?;
    Some((Secret::new(token), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

    #[test]
    fn credentials_have_a_token_and_a_seed() {
        let rule = |text| format!("-----{text}-----\n");
        let block = |kind: &str, content: &str| {
            rule(format!("BEGIN {kind}")) + content + "\n" + &rule(format!("END {kind}"))
        };
        let file =
            block("NATS USER JWT", "a.b.c") + "\nIMPORTANT\n\n" + &block("USER NKEY SEED", SEED);
        let windows = file.replace('\n', "\r\n");
        let close = file.replace("\nIMPORTANT\n\n", "");
        for file in [&file, &windows, &close, &file.trim_end().to_owned()] {
            let (token, key) = credentials(file).unwrap();
            assert_eq!((token.expose(), key.seed().unwrap().as_str()), ("a.b.c", SEED));
        }
        let bare = format!("a.b.c\n{SEED}\n");
        assert_eq!(credentials(&bare).unwrap().0.expose(), bare);
        for file in
            ["", "a.b.c", "SU", &block("NATS USER JWT", "a.b.c"), &file.replace(SEED, "SUAé")]
        {
            assert!(credentials(file).is_none(), "{file}");
        }
    }

    #[test]
    fn the_address_comes_before_all_but_a_token() {
        let told = |login, by_address: Option<&UrlLogin>| {
            let said = Identity::of(login).unwrap().login(by_address, "nonce").unwrap();
            said.into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" ")
        };
        let secret = |text: &str| Secret::new(text);
        let password =
            || Some(NatsLogin::Password { username: "me".to_owned(), password: secret("pw") });
        let seed = || Some(NatsLogin::Seed(secret(SEED)));
        let file = || Some(NatsLogin::Credentials(secret(SEED)));
        let token = UrlLogin::Token(secret("t"));
        assert_eq!(told(None, None), "");
        assert_eq!(told(password(), None), "pass user");
        assert_eq!(told(seed(), None), "nkey sig");
        assert_eq!(told(file(), None), "jwt sig");
        assert_eq!(told(seed(), Some(&token)), "auth_token");
        assert_eq!(told(file(), Some(&token)), "auth_token jwt sig");
        assert!(matches!(Identity::of(Some(NatsLogin::Seed(secret("SU")))), Err(Error::Seed)));
        let identity = Identity::of(seed()).unwrap();
        assert!(matches!(identity.login(None, ""), Err(Fault::NoNkeys)));
    }
}
