//! Who sends a request, where an identity provider vouches for the sender.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crd_types::notification::OidcProvider;
use http::HeaderMap;
use http_access::{Access, Clients, InvalidAccess, ReadError, Request, SendError, StatusCode, Url};
use serde::Deserialize;
use webhook_request::token::{self, Claims, InvalidToken, JwkSet};

use super::oidc::{self, Insufficient};
use crate::secrets::Found;

/// How long the keys of a provider are used.
const KEPT: Duration = Duration::from_mins(10);
/// How soon they are fetched once more for a key that is not among them: anybody may name one.
const SOONEST: Duration = Duration::from_secs(30);
/// Limit: providers whose keys are kept.
const MOST: usize = 64;
/// How long a provider may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Limit: bytes of what a provider answers.
const ANSWER_BYTES: u64 = 1 << 20;
/// Whom tokens are for, if the Receiver does not say.
const AUDIENCE: &str = "notification-controller";
/// Google's keys, and how it calls itself.
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";
const GOOGLE: [&str; 2] = ["accounts.google.com", "https://accounts.google.com"];

/// Why nobody vouches for a sender. No text here shows a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to verify OIDC token")]
    Token(#[from] InvalidToken),
    #[error("no oidcProvider configured for issuer {issuer:?}")]
    Stranger { issuer: String },
    #[error("failed to initialize OIDC provider for issuer {issuer:?}")]
    Provider { issuer: String, source: Box<Unfetched> },
    #[error(transparent)]
    Claims(#[from] Insufficient),
    #[error("invalid secret data: required field '{field}' for GCR receiver")]
    Field { field: &'static str },
    #[error("cannot authenticate GCR request: token email is '{email}', want '{wanted}'")]
    Email { email: String, wanted: String },
    #[error("cannot authenticate GCR request: token email '{email}' is not verified")]
    Unverified { email: String },
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfetched {
    #[error("its address is none")]
    Address,
    #[error(transparent)]
    Access(#[from] InvalidAccess),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("it calls itself {issuer:?}")]
    Issuer { issuer: String },
}

/// Keys of identity providers.
#[derive(Debug)]
pub(crate) struct Identities {
    clients: Clients,
    /// By the address that they are found with.
    kept: Mutex<HashMap<String, Kept>>,
    /// Where Google's are.
    google_keys: String,
}

/// Keys of a provider.
#[derive(Debug)]
struct Kept {
    keys: Arc<JwkSet>,
    /// When they were fetched.
    at: Instant,
    /// When they were last fetched for a key that was not among them.
    missed: Option<Instant>,
}

impl Default for Identities {
    fn default() -> Self {
        let google_keys = GOOGLE_KEYS.to_owned();
        Self { clients: Clients::default(), kept: Mutex::default(), google_keys }
    }
}

/// Where keys are found.
#[derive(Clone, Copy)]
enum Keys<'a> {
    /// At this address.
    At(&'a str),
    /// Where this issuer says.
    Of(&'a str),
}

/// What an issuer says of itself.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Identities {
    /// What a provider of a `generic-oidc` Receiver says of the sender.
    ///
    /// # Errors
    /// If none does, or not what it must.
    pub(crate) async fn of_oidc(
        &self,
        providers: &[OidcProvider],
        headers: &HeaderMap,
        now: i64,
    ) -> Result<Claims, Error> {
        let token = token::bearer(headers)?;
        let issuer = token::claimed_issuer(token)?;
        let provider = providers.iter().find(|provider| provider.issuer_url == issuer);
        let Some(provider) = provider else { return Err(Error::Stranger { issuer }) };
        let audience = provider.audience.as_deref().filter(|audience| !audience.is_empty());
        let audience = audience.unwrap_or(AUDIENCE);
        let claims = self.verified(token, Keys::Of(&issuer), &[&issuer], audience, now).await?;
        oidc::suffice(&claims, provider)?;
        Ok(claims)
    }

    /// Whether Google vouches for the sender that the Secret of a `gcr` Receiver names.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) async fn of_gcr(
        &self,
        secret: &Found,
        headers: &HeaderMap,
        now: i64,
    ) -> Result<(), Error> {
        let field = |field| {
            secret.text(field).filter(|text| !text.is_empty()).ok_or(Error::Field { field })
        };
        let (wanted, audience) = (field("email")?, field("audience")?);
        let token = token::bearer(headers)?;
        let claims =
            self.verified(token, Keys::At(&self.google_keys), &GOOGLE, &audience, now).await?;
        let email = claims.get("email").and_then(|email| email.as_str()).unwrap_or_default();
        if email != wanted {
            return Err(Error::Email { email: email.to_owned(), wanted });
        }
        match claims.get("email_verified").and_then(serde_json::Value::as_bool) {
            Some(true) => Ok(()),
            Some(false) | None => Err(Error::Unverified { email: wanted }),
        }
    }

    /// The claims of a token. Keys that lack the token's may be of yesterday.
    async fn verified(
        &self,
        token: &str,
        keys: Keys<'_>,
        issuers: &[&str],
        audience: &str,
        now: i64,
    ) -> Result<Claims, Error> {
        let known = self.keys(keys, false).await?;
        match token::verify(token, &known, issuers, audience, now) {
            Err(InvalidToken::UnknownKey) => {
                let known = self.keys(keys, true).await?;
                Ok(token::verify(token, &known, issuers, audience, now)?)
            }
            other => Ok(other?),
        }
    }

    /// The keys that are known, or new ones; `missed` says that one was not among them.
    async fn keys(&self, keys: Keys<'_>, missed: bool) -> Result<Arc<JwkSet>, Error> {
        let (Keys::At(name) | Keys::Of(name)) = keys;
        if let Some(known) = self.known(name, missed) {
            return Ok(known);
        }
        let fetched = match keys {
            Keys::At(url) => self.fetch(url).await,
            Keys::Of(issuer) => self.discover(issuer).await,
        };
        let fetched = fetched
            .map_err(|source| Error::Provider { issuer: name.to_owned(), source: source.into() })?;
        let (keys, at) = (Arc::new(fetched), Instant::now());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        let missed = kept.get(name).and_then(|known| known.missed);
        kept.insert(name.to_owned(), Kept { keys: Arc::clone(&keys), at, missed });
        Ok(keys)
    }

    /// The keys of a provider, unless they are to be fetched now.
    fn known(&self, name: &str, missed: bool) -> Option<Arc<JwkSet>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get_mut(name)?;
        let is_current = if missed {
            known.missed.is_some_and(|at| at.elapsed() < SOONEST)
        } else {
            known.at.elapsed() < KEPT
        };
        if missed && !is_current {
            known.missed = Some(Instant::now());
        }
        is_current.then(|| Arc::clone(&known.keys))
    }

    async fn discover(&self, issuer: &str) -> Result<JwkSet, Unfetched> {
        let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let found: Discovery = self.fetch(&at).await?;
        if found.issuer != issuer {
            return Err(Unfetched::Issuer { issuer: found.issuer });
        }
        self.fetch(&found.jwks_uri).await
    }

    async fn fetch<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, Unfetched> {
        let url = Url::parse(url).map_err(|_malformed| Unfetched::Address)?;
        // Whoever may write a Receiver names the issuer.
        let access = Access { avoid_link_local: true, ..Access::default() };
        let client = self.clients.client(&access)?;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        let answer = client.send(Request::get(&url, None), deadline).await?;
        if answer.status() != StatusCode::OK {
            return Err(Unfetched::Status(answer.status()));
        }
        let answer = answer.limited(ANSWER_BYTES).bytes().await?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use testbed::Issuer;

    use super::*;
    use crate::secrets::found;

    const NOW: i64 = 1_700_000_000;

    async fn judged(identities: &Identities, fields: &[(&str, &str)], token: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        match identities.of_gcr(&found(fields), &headers, NOW).await {
            Ok(()) => "admitted".to_owned(),
            Err(error) => reconcile_loop::chain(&error),
        }
    }

    #[tokio::test]
    async fn google_must_vouch_for_the_right_sender() {
        let google = Issuer::http().unwrap();
        let identities = Identities { google_keys: google.keys_url(), ..Identities::default() };
        let claims = json!({
            "iss": "https://accounts.google.com", "aud": "https://hooks.example.com",
            "exp": NOW + 60, "email": "ci@example.com", "email_verified": true,
        });
        let with = |changes: Value| {
            let mut claims = claims.clone();
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            google.token(&claims).unwrap()
        };
        let email = "cannot authenticate GCR request: token email";
        let fields = [
            ("token", "t"),
            ("email", "ci@example.com"),
            ("audience", "https://hooks.example.com"),
        ];
        for (changes, wanted) in [
            (json!({}), "admitted".to_owned()),
            (json!({"iss": "accounts.google.com"}), "admitted".to_owned()),
            (json!({"iss": google.url()}), format!("token issuer is {:?}, want", google.url())),
            (
                json!({"aud": "https://other.example.com"}),
                "token is not for the audience".to_owned(),
            ),
            (json!({"exp": NOW}), "token is expired".to_owned()),
            (json!({"email": "x@example.com"}), format!("{email} is 'x@example.com', want")),
            (json!({"email_verified": false}), format!("{email} 'ci@example.com' is not verified")),
            (
                json!({"email_verified": "true"}),
                format!("{email} 'ci@example.com' is not verified"),
            ),
            (json!({"email_verified": null}), format!("{email} 'ci@example.com' is not verified")),
        ] {
            let told = judged(&identities, &fields, &with(changes.clone())).await;
            assert!(told.contains(&wanted), "{changes}: {told}");
        }
        assert_eq!(google.asked(), 1, "its keys are kept");
        for lacking in ["email", "audience"] {
            let fields =
                fields.map(|(name, value)| (name, if name == lacking { "" } else { value }));
            let told = judged(&identities, &fields, &with(json!({}))).await;
            let wanted =
                format!("invalid secret data: required field '{lacking}' for GCR receiver");
            assert_eq!(told, wanted);
        }
    }

    #[tokio::test]
    async fn keys_are_fetched_for_one_that_is_missed_but_not_for_many() {
        let google = Issuer::http().unwrap();
        let identities = Identities { google_keys: google.keys_url(), ..Identities::default() };
        let fields = [("token", "t"), ("email", "e"), ("audience", "a")];
        let claims = json!({
            "iss": "accounts.google.com", "aud": "a", "exp": NOW + 60, "email": "e",
            "email_verified": true,
        });
        let old = google.token(&claims).unwrap();
        assert_eq!(judged(&identities, &fields, &old).await, "admitted");
        google.rotate("second").unwrap();
        let new = google.token(&claims).unwrap();
        assert_eq!(judged(&identities, &fields, &new).await, "admitted");
        for _ in 0..10 {
            let told = judged(&identities, &fields, &old).await;
            assert!(told.contains("a key that its issuer does not publish"), "{told}");
        }
        assert_eq!(google.asked(), 2);
    }
}
