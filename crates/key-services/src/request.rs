//! Requests that cannot hang, be led elsewhere, or flood us.

use std::time::Duration;

use http_access::{Access, InvalidAccess};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::error::Reason;

/// How long a service may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer. Tokens have a few kilobytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// An HTTP client for key services.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    timeout: Duration,
}

/// An answer that is a success.
pub(crate) struct Answer(Vec<u8>);

/// A request.
pub(crate) struct Request<'a> {
    /// What is asked for, for errors.
    pub(crate) step: &'static str,
    pub(crate) url: String,
    /// A GET if there is none.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, &'a str)>,
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::with_timeout(TIMEOUT)
    }

    /// A client that waits for answers this long.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn with_timeout(timeout: Duration) -> Result<Self, reqwest::Error> {
        Ok(Self { http: builder(timeout).build()?, timeout })
    }

    /// A client like this one that reaches services in another way.
    pub(crate) fn through(&self, access: &Access) -> Result<Self, InvalidAccess> {
        let builder = access.prepare(builder(self.timeout))?;
        let http = builder.build().map_err(InvalidAccess::Client)?;
        Ok(Self { http, timeout: self.timeout })
    }

    /// Sends a request; only a success is an answer.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Reason> {
        let step = request.step;
        let unreachable = |problem| Reason::Unreachable { step, problem };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_no_header| Reason::Credential { what: "credential" })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let builder = match request.body {
            Some(body) => self.http.post(&request.url).body(body),
            None => self.http.get(&request.url),
        };
        let sent = tokio::time::timeout(self.timeout, builder.headers(headers).send()).await;
        // What reqwest says may hold the address, which may hold secrets.
        let mut response = match sent {
            Err(_elapsed) => return Err(unreachable("no answer in time")),
            Ok(Err(error)) if error.is_timeout() => return Err(unreachable("no answer in time")),
            Ok(Err(error)) if error.is_builder() => return Err(unreachable("a malformed address")),
            Ok(Err(_)) => return Err(unreachable("the service cannot be reached")),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        let mut body = Vec::new();
        loop {
            let chunk = tokio::time::timeout(self.timeout, response.chunk()).await;
            let chunk = match chunk {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(_)) | Err(_) => return Err(unreachable("the answer breaks off")),
            };
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Reason::TooLong { step, limit_bytes: MAX_ANSWER_BYTES });
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer(body));
        }
        Err(Reason::Refused { step, status: status.as_u16(), code: code(&body) })
    }
}

fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        // A redirect would carry credentials to who is not known.
        .redirect(reqwest::redirect::Policy::none())
}

impl Answer {
    pub(crate) fn json(self, step: &'static str) -> Result<Value, Reason> {
        serde_json::from_slice(&self.0).map_err(|_quotes| Reason::Answer { step })
    }

    pub(crate) fn text(self, step: &'static str) -> Result<String, Reason> {
        String::from_utf8(self.0).map_err(|_quotes| Reason::Answer { step })
    }
}

/// The code of an error, if it looks like one: the text beside it may echo what was sent.
fn code(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let places = ["/__type", "/error/status", "/error/code", "/error"];
    let code = places.iter().find_map(|place| answer.pointer(place)?.as_str())?;
    let code = code.rsplit('#').next().unwrap_or(code);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (code.len() <= 64 && code.chars().all(is_word)).then(|| code.to_owned())
}

/// A form: names and values, escaped.
pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    fields.collect::<Vec<_>>().join("&").into_bytes()
}

/// A text with everything escaped that is not a letter, a digit or one of `-_.~`.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}

/// Whether these are the segments of a path, none of which climbs or hides another.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('/').all(|segment| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
    })
}
