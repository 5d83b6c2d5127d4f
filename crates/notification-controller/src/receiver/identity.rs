//! Who sends a request, where an identity provider vouches for the sender.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// How long it is believed that a provider does not answer: each stranger may ask for it once more.
const REMEMBERED: Duration = Duration::from_secs(10);
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
    Provider { issuer: String, source: Arc<Unfetched> },
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
    kept: Mutex<HashMap<String, Arc<Provider>>>,
    /// Where Google's are.
    google_keys: String,
}

/// A provider. Whoever finds its keys wanting fetches them, one at a time.
#[derive(Debug, Default)]
struct Provider {
    known: Mutex<Known>,
    fetching: tokio::sync::Mutex<()>,
}

/// What is known of a provider.
#[derive(Debug, Default)]
struct Known {
    /// Its keys, and when they were fetched.
    keys: Option<(Arc<JwkSet>, Instant)>,
    /// When they were last fetched for a key that was not among them.
    missed: Option<Instant>,
    /// When it last did not answer.
    failed: Option<(Arc<Unfetched>, Instant)>,
}

impl Known {
    /// The keys, unless they are to be fetched now: those that are known are too old, or `lacking`.
    fn answer(&self, lacking: Option<&Arc<JwkSet>>) -> Option<Result<Arc<JwkSet>, Arc<Unfetched>>> {
        let is_recent =
            |at: Option<Instant>, patience| at.is_some_and(|at| at.elapsed() < patience);
        if let Some((keys, at)) = &self.keys {
            let is_good = match lacking {
                // Somebody has fetched them since.
                Some(lacking) if !Arc::ptr_eq(lacking, keys) => true,
                Some(_) => is_recent(self.missed, SOONEST),
                None => at.elapsed() < KEPT,
            };
            if is_good {
                return Some(Ok(Arc::clone(keys)));
            }
        }
        let (error, at) = self.failed.as_ref()?;
        is_recent(Some(*at), REMEMBERED).then(|| Err(Arc::clone(error)))
    }

    fn learn(&mut self, fetched: Result<JwkSet, Unfetched>) -> Result<Arc<JwkSet>, Arc<Unfetched>> {
        let now = Instant::now();
        match fetched {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.keys = Some((Arc::clone(&keys), now));
                self.failed = None;
                Ok(keys)
            }
            Err(error) => {
                let error = Arc::new(error);
                self.failed = Some((Arc::clone(&error), now));
                Err(error)
            }
        }
    }
}

impl Provider {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let known = self.keys(keys, None).await?;
        match token::verify(token, &known, issuers, audience, now) {
            Err(InvalidToken::UnknownKey) => {
                let known = self.keys(keys, Some(&known)).await?;
                Ok(token::verify(token, &known, issuers, audience, now)?)
            }
            other => Ok(other?),
        }
    }

    /// The keys that are known, or new ones if those are `lacking` one.
    async fn keys(
        &self,
        keys: Keys<'_>,
        lacking: Option<&Arc<JwkSet>>,
    ) -> Result<Arc<JwkSet>, Error> {
        let (Keys::At(name) | Keys::Of(name)) = keys;
        let told = |source| Error::Provider { issuer: name.to_owned(), source };
        let provider = self.provider(name);
        if let Some(answer) = provider.known().answer(lacking) {
            return answer.map_err(told);
        }
        let _fetching = provider.fetching.lock().await;
        // Whoever was before us may have fetched them, or in vain.
        if let Some(answer) = provider.known().answer(lacking) {
            return answer.map_err(told);
        }
        if lacking.is_some() {
            provider.known().missed = Some(Instant::now());
        }
        let fetched = match keys {
            Keys::At(url) => self.fetch(url).await,
            Keys::Of(issuer) => self.discover(issuer).await,
        };
        provider.known().learn(fetched).map_err(told)
    }

    fn provider(&self, name: &str) -> Arc<Provider> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(name) && kept.len() >= MOST {
            kept.clear();
        }
        Arc::clone(kept.entry(name.to_owned()).or_default())
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

    /// Strangers with tokens that nobody signed, while the issuer is cold, and while it is down.
    #[tokio::test]
    async fn a_flood_of_tokens_is_one_request_to_the_issuer() {
        let issuer = Issuer::http().unwrap();
        let token = issuer.token(&json!({"iss": issuer.url(), "aud": AUDIENCE, "exp": NOW + 60}));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", token.unwrap()).parse().unwrap());
        let providers: Vec<OidcProvider> = serde_json::from_value(json!([{
            "issuerURL": issuer.url(),
            "validations": [{"expression": "true", "message": "m"}],
        }]))
        .unwrap();
        let flood = async |identities: &Identities| {
            let asked = (0..100).map(|_| identities.of_oidc(&providers, &headers, NOW));
            let answers = futures::future::join_all(asked).await;
            answers.into_iter().flatten().count()
        };
        let identities = Identities::default();
        assert_eq!((flood(&identities).await, issuer.asked()), (100, 1));
        let identities = Identities::default();
        let named = issuer.named();
        issuer.rename("https://somebody.else");
        assert_eq!((flood(&identities).await, issuer.named()), (0, named + 1));
        assert_eq!((flood(&identities).await, issuer.named()), (0, named + 1));
    }
}
