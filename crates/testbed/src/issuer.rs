//! An identity provider, which says who somebody is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Ca;
use crate::web_server::{Bound, Tls, WebServer};

/// Where its keys are.
const KEYS: &str = "/keys";

/// Offers its keys by discovery, as the standard has it. It runs in a thread of its own.
#[derive(Debug)]
pub struct Issuer {
    server: WebServer,
    shared: Arc<Mutex<Offered>>,
}

#[derive(Debug)]
struct Offered {
    key: Key,
    /// How it calls itself.
    name: String,
    /// Where it is.
    url: String,
    /// How often its keys were asked for.
    asked: usize,
    /// How often it was asked who it is.
    named: usize,
}

struct Key {
    id: String,
    pair: KeyPair,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Serves over plain HTTP on a free port of the loopback. Its key is called `first`.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn http() -> Result<Self> {
        Self::start(None)
    }

    /// The same over HTTPS, with a certificate of `ca` for `127.0.0.1`.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn https(ca: &Ca) -> Result<Self> {
        Self::start(Some(Tls::new(&ca.server(&["127.0.0.1"])?, None)?))
    }

    fn start(tls: Option<Tls>) -> Result<Self> {
        let bound = Bound::new(tls)?;
        let (key, url) = (Key::new("first")?, bound.url().to_owned());
        let offered = Offered { key, name: url.clone(), url, asked: 0, named: 0 };
        let shared = Arc::new(Mutex::new(offered));
        let app = Router::new().fallback(offer).with_state(Arc::clone(&shared));
        let server = bound.serve("issuer", app)?;
        Ok(Self { server, shared })
    }

    /// Where it is, which is how it calls itself.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Where its keys are.
    pub fn keys_url(&self) -> String {
        format!("{}{KEYS}", self.url())
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.offered().asked
    }

    /// How often it was asked how it calls itself, and where its keys are.
    pub fn named(&self) -> usize {
        self.offered().named
    }

    /// From now on, it calls itself so.
    pub fn rename(&self, name: &str) {
        name.clone_into(&mut self.offered().name);
    }

    /// From now on there is a new key, and no other one.
    ///
    /// # Errors
    /// If the key cannot be made.
    pub fn rotate(&self, id: &str) -> Result<()> {
        self.offered().key = Key::new(id)?;
        Ok(())
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn token(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.offered().key.id});
        self.token_with(&header, claims)
    }

    /// A token with these claims and a header that may be wrong, signed with RSA all the same.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn token_with(&self, header: &Value, claims: &Value) -> Result<String> {
        let text = unsigned(header, claims);
        let offered = self.offered();
        let mut signature = vec![0; offered.key.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed =
            offered.key.pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature);
        signed.map_err(|_unspecified| anyhow!("the token cannot be signed"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// A token that is "signed" with what everybody knows, the public key, as the shared key of
    /// HS256.
    ///
    /// # Errors
    /// If the public key cannot be written.
    pub fn forged_token(&self, claims: &Value) -> Result<String> {
        let offered = self.offered();
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": offered.key.id});
        let text = unsigned(&header, claims);
        let public: PublicKeyX509Der<'_> = offered.key.pair.public_key().as_der()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_ref());
        let signature = hmac::sign(&key, text.as_bytes());
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn offered(&self) -> MutexGuard<'_, Offered> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(id: &str) -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048);
        let pair = pair.map_err(|_unspecified| anyhow!("a key cannot be made"))?;
        Ok(Self { id: id.to_owned(), pair })
    }

    /// As the keys of issuers are told.
    fn public(&self) -> Value {
        let public = self.pair.public_key();
        let number = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// Header and claims of a token.
fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", part(header), part(claims))
}

async fn offer(State(shared): State<Arc<Mutex<Offered>>>, uri: Uri) -> Response {
    let mut offered = shared.lock().unwrap_or_else(PoisonError::into_inner);
    match uri.path() {
        "/.well-known/openid-configuration" => {
            offered.named += 1;
            let keys = format!("{}{KEYS}", offered.url);
            axum::Json(json!({"issuer": offered.name, "jwks_uri": keys})).into_response()
        }
        KEYS => {
            offered.asked += 1;
            axum::Json(json!({"keys": [offered.key.public()]})).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
