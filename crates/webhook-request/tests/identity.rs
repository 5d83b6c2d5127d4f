//! Tokens of identity providers: whose are taken, and which are not.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};
use webhook_request::token::{InvalidToken, claimed_issuer, verify};

const ISSUER: &str = "https://issuer.example.org";
const NOW: i64 = 1_772_600_767;

struct Provider(EcdsaKeyPair);

impl Provider {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn keys(&self, id: &str) -> JwkSet {
        // An uncompressed point: 4, x, y.
        let point = self.0.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        let key = json!({"kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256", "use": "sig", "x": x, "y": y});
        serde_json::from_value(json!({"keys": [key]})).unwrap()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "notification-controller", "exp": NOW + 60, "sub": "ci"})
}

fn judged(provider: &Provider, token: &str) -> Result<Value, InvalidToken> {
    let keys = provider.keys("k1");
    verify(token, &keys, &[ISSUER], "notification-controller", NOW).map(Value::Object)
}

#[test]
fn a_token_of_the_issuer_for_us_is_taken() {
    let provider = Provider::new();
    let token = provider.token(&json!({"alg": "ES256", "kid": "k1"}), &claims());
    assert_eq!(claimed_issuer(&token).unwrap(), ISSUER);
    assert_eq!(judged(&provider, &token).unwrap()["sub"], "ci");
    let mut several = claims();
    several["aud"] = json!(["other", "notification-controller"]);
    assert!(judged(&provider, &provider.token(&json!({"alg": "ES256"}), &several)).is_ok());
}

/// A token need not name its key: any of the issuer will do, and no other one.
#[test]
fn a_token_without_a_key_is_tried_with_all() {
    let (first, second, stranger) = (Provider::new(), Provider::new(), Provider::new());
    let mut keys = first.keys("k1");
    keys.keys.extend(second.keys("k2").keys);
    let judged = |signer: &Provider| {
        let token = signer.token(&json!({"alg": "ES256"}), &claims());
        verify(&token, &keys, &[ISSUER], "notification-controller", NOW)
    };
    assert!(judged(&first).is_ok() && judged(&second).is_ok());
    assert!(matches!(judged(&stranger), Err(InvalidToken::UnknownKey)));
}

#[test]
fn what_is_claimed_must_be_right() {
    let provider = Provider::new();
    for (claim, value) in [
        ("iss", json!("https://other.example.org")),
        ("aud", json!("other")),
        ("aud", json!(null)),
        ("exp", json!(NOW)),
        ("exp", json!(null)),
        ("nbf", json!(NOW + 301)),
    ] {
        let mut claims = claims();
        claims[claim] = value.clone();
        let token = provider.token(&json!({"alg": "ES256", "kid": "k1"}), &claims);
        assert!(judged(&provider, &token).is_err(), "{claim} {value}");
    }
}

#[test]
fn only_the_issuers_own_signature_counts() {
    let provider = Provider::new();
    let stranger = Provider::new();
    let header = json!({"alg": "ES256", "kid": "k1"});
    let forged = stranger.token(&header, &claims());
    assert!(matches!(judged(&provider, &forged), Err(InvalidToken::Signature(_))));
    let unknown = provider.token(&json!({"alg": "ES256", "kid": "k2"}), &claims());
    assert!(matches!(judged(&provider, &unknown), Err(InvalidToken::UnknownKey)));
    for algorithm in ["none", "HS256", "nonsense"] {
        let token = provider.token(&json!({"alg": algorithm, "kid": "k1"}), &claims());
        assert!(judged(&provider, &token).is_err(), "{algorithm}");
    }
    // A key of another type than the algorithm says is no proof either.
    let confused = provider.token(&json!({"alg": "RS256", "kid": "k1"}), &claims());
    assert!(judged(&provider, &confused).is_err());
    let token = provider.token(&header, &claims());
    let (head, signature) = token.rsplit_once('.').unwrap();
    assert!(judged(&provider, &format!("{head}.")).is_err());
    assert!(judged(&provider, &format!("{head}.{}", signature.to_uppercase())).is_err());
}
