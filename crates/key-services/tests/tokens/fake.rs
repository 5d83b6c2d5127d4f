//! A service on the loopback interface, and keys whose signatures it can check.
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as URL};
use serde_json::{Value, json};

/// What was asked.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A field of a form.
    pub(crate) fn field(&self, name: &str) -> String {
        let body = String::from_utf8(self.body.clone()).unwrap();
        let fields = body.split('&').filter_map(|field| field.split_once('='));
        let value = fields.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        percent_decoded(value.unwrap_or_default())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap().as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Serves `answer`; gives the address.
pub(crate) async fn serve(answer: impl Fn(Asked) -> Response + Send + Sync + 'static) -> String {
    let answer = Arc::new(answer);
    let respond = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let answer = Arc::clone(&answer);
        let asked = Asked { method, path: uri.to_string(), headers, body: body.to_vec() };
        async move { answer(asked) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(respond);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

pub(crate) fn answered(value: &Value) -> Response {
    value.to_string().into_response()
}

/// A refusal that echoes what nobody may see.
pub(crate) fn refused(status: u16) -> Response {
    let body = json!({"error": "invalid_grant", "message": "canary"}).to_string();
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// An RSA key.
pub(crate) struct Rsa {
    pair: KeyPair,
    pub(crate) pkcs8: String,
}

impl Rsa {
    pub(crate) fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let pkcs8 = pem("PRIVATE KEY", der.as_ref());
        Self { pair, pkcs8 }
    }

    /// The same key as GitHub writes it: what PKCS #8 has around it is taken off.
    pub(crate) fn pkcs1(&self) -> String {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.pair).unwrap();
        // Sequence, version, algorithm; then the header of the octets that are the key.
        pem("RSA PRIVATE KEY", &der.as_ref()[26..])
    }

    pub(crate) fn public(&self) -> Public {
        Public(self.pair.public_key().as_ref().to_vec())
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let lines: Vec<_> =
        body.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// What verifies the signatures of a key.
pub(crate) struct Public(Vec<u8>);

impl Public {
    /// The claims of a token, if its signature is the key's.
    pub(crate) fn verified(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0);
        key.verify(text.as_bytes(), &URL.decode(signature).ok()?).ok()?;
        let (header, claims) = text.split_once('.')?;
        let read = |part: &str| serde_json::from_slice::<Value>(&URL.decode(part).ok()?).ok();
        (read(header)?["alg"] == "RS256").then(|| read(claims))?
    }
}

/// An error with all that it comes from, as people see it.
pub(crate) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
