//! Any request is admitted or turned away, and only by what proves who sent it.

#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

mod sender;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use fuzz_input::{Corpus, Values, cases, check, soon};
use http::{HeaderMap, HeaderValue};
use secret_text::Secret;
use sender::{TOKEN, prove};
use serde_json::{Value, json};
use webhook_request::token::{JwkSet, bearer, claimed_issuer, verify};
use webhook_request::{Kind, Request, admit};

const TABLE: &str = "webhook-request/tests/tables/payloads.json";
const ISSUER: &str = "https://issuer.example.org";
const NOW: i64 = 1_772_600_767;
/// Kinds whose requests prove that their sender knows the token.
const PROVING: [Kind; 6] =
    [Kind::GenericHmac, Kind::GitHub, Kind::GitLab, Kind::Bitbucket, Kind::Harbor, Kind::Nexus];

/// Every header that anybody looks at.
const HEADERS: [&str; 11] = [
    "authorization",
    "ce-type",
    "content-type",
    "x-event-key",
    "x-github-event",
    "x-gitlab-event",
    "x-gitlab-token",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-nexus-webhook-signature",
    "x-signature",
];

/// Every kind judges a body, from a stranger and from someone who knows the token.
fn run(body: &[u8], headers: &HeaderMap) {
    let events = ["push".to_owned(), "dev.cdevents.change.merged.0.2.0".to_owned()];
    for kind in Kind::all() {
        for events in [&[][..], &events] {
            let judged = |headers: &HeaderMap| {
                let token = Secret::new(TOKEN);
                let payload = soon(|| admit(kind, &token, events, Request { headers, body }))?;
                soon(|| drop(payload.json(body)));
                Ok::<_, webhook_request::Rejected>(())
            };
            assert!(!PROVING.contains(&kind) || judged(headers).is_err(), "{kind:?}");
            let mut proven = headers.clone();
            prove(kind, body, &mut proven);
            drop(judged(&proven));
        }
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )])
}

#[test]
fn any_bytes() {
    check(200).for_each(|body| run(body, &json_headers()));
}

#[test]
fn payloads_that_are_nearly_right() {
    let values = Values::of_table(TABLE, "body").value();
    check(500)
        .with_generator(values)
        .for_each(|body| run(body.to_string().as_bytes(), &json_headers()));
    let bodies: Vec<String> = cases(TABLE)
        .as_array()
        .into_iter()
        .flatten()
        .map(|case| case["body"].to_string())
        .collect();
    let texts = Corpus::of(bodies).bytes();
    check(300).with_generator(texts).for_each(|body| run(body, &json_headers()));
}

#[test]
fn headers_that_are_nearly_right() {
    let body = b"{}";
    let right: Vec<String> = PROVING
        .into_iter()
        .flat_map(|kind| {
            let mut headers = HeaderMap::new();
            prove(kind, body, &mut headers);
            headers
                .into_iter()
                .map(|(_, value)| value.to_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
        .chain(
            ["push", "Bearer a.b.c", "application/json; charset=utf-8", "sha1=", "sha256=00"]
                .map(str::to_owned),
        )
        .collect();
    let values = Corpus::of(right.clone()).bytes();
    check(1000).with_generator((values, 0..HEADERS.len(), 0..3_usize)).for_each(
        |(value, at, times)| {
            let Ok(value) = HeaderValue::from_bytes(value) else { return };
            // What is still right proves what it says.
            if right.iter().any(|right| right.as_bytes().eq_ignore_ascii_case(value.as_bytes())) {
                return;
            }
            let mut headers = json_headers();
            for _ in 0..*times {
                headers.append(HEADERS[*at], value.clone());
            }
            run(body, &headers);
            if let Ok(token) = bearer(&headers) {
                drop(soon(|| claimed_issuer(token)));
            }
        },
    );
}

/// A provider with one key, and what it says.
struct Provider {
    key: EcdsaKeyPair,
    keys: Value,
}

impl Provider {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "use": "sig", "x": x, "y": y});
        Self { key, keys: json!({"keys": [jwk]}) }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    fn right(&self) -> String {
        self.token(&json!({"alg": "ES256", "kid": "k"}), &claims())
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": ["us"], "exp": NOW + 60, "nbf": NOW, "sub": "ci"})
}

#[test]
fn tokens_that_are_nearly_right() {
    let provider = Provider::new();
    let keys: JwkSet = serde_json::from_value(provider.keys.clone()).unwrap();
    let right = provider.right();
    check(1000).with_generator(Corpus::of([right.clone()]).text()).for_each(|token| {
        drop(soon(|| claimed_issuer(token)));
        if soon(|| verify(token, &keys, &[ISSUER], "us", NOW)).is_ok() {
            assert_eq!(*token, right);
        }
    });
}

#[test]
fn claims_that_are_nearly_right() {
    let provider = Provider::new();
    let keys: JwkSet = serde_json::from_value(provider.keys.clone()).unwrap();
    let header = json!({"alg": "ES256", "kid": "k"});
    let values = Values::of([json!([header, claims()])]).value();
    check(500).with_generator(values).for_each(|both| {
        let token = provider.token(&both[0], &both[1]);
        if let Ok(claims) = soon(|| verify(&token, &keys, &[ISSUER], "us", NOW)) {
            assert_eq!(claims["iss"], ISSUER);
            let aud = &claims["aud"];
            assert!(aud == "us" || aud.as_array().is_some_and(|all| all.contains(&json!("us"))));
            assert!(claims["exp"].as_f64().unwrap() > 1_772_600_767.0);
        }
    });
}

#[test]
fn keys_that_are_nearly_right() {
    let provider = Provider::new();
    let token = provider.right();
    let values = Values::of([provider.keys.clone()]).value();
    check(500).with_generator(values).for_each(|keys| {
        if let Ok(keys) = serde_json::from_value::<JwkSet>(keys.clone()) {
            drop(soon(|| verify(&token, &keys, &[ISSUER], "us", NOW)));
        }
    });
}
