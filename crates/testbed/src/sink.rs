//! A server for notifications, which records what it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::Ca;
use crate::web_server::{Bound, Tls, WebServer};

/// Records all requests, and answers 200 unless told otherwise. It runs in a thread of its own.
#[derive(Debug)]
pub struct Sink {
    server: WebServer,
    shared: Arc<Mutex<Told>>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Received {
    /// How.
    pub method: Method,
    /// Where.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, letter for letter.
    pub text: String,
    /// Its body as JSON; null if it is none.
    pub body: Value,
}

/// What a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status without a body.
    Status(u16),
    /// A status with a header.
    Header(u16, &'static str, String),
    /// A status with all that was sent: the headers and the body.
    Echo(u16),
    /// 200 with a body, after a while.
    Late(Duration, String),
    /// Nothing, ever.
    Silence,
}

#[derive(Debug, Default)]
struct Told {
    received: Vec<Received>,
    /// What to answer, by path.
    replies: BTreeMap<String, Reply>,
    /// What to answer otherwise.
    usual: Option<Reply>,
    /// What to answer first.
    first: BTreeMap<String, VecDeque<Reply>>,
}

impl Sink {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn start() -> Result<Self> {
        Self::serve(None)
    }

    /// The same over HTTPS, with a certificate of `ca` for `127.0.0.1`; clients must have one of
    /// `clients`, if that is given.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn https(ca: &Ca, clients: Option<&Ca>) -> Result<Self> {
        Self::serve(Some(Tls::new(&ca.server(&["127.0.0.1"])?, clients)?))
    }

    fn serve(tls: Option<Tls>) -> Result<Self> {
        let shared = Arc::new(Mutex::new(Told::default()));
        let app = Router::new().fallback(record).with_state(Arc::clone(&shared));
        let server = Bound::new(tls)?.serve("sink", app)?;
        Ok(Self { server, shared })
    }

    /// Where it is, without a path.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// From now on, requests to `path` are answered so.
    pub fn answer(&self, path: &str, status: u16) {
        self.reply(path, Reply::Status(status));
    }

    /// From now on, requests to `path` get this.
    pub fn reply(&self, path: &str, reply: Reply) {
        told(&self.shared).replies.insert(path.to_owned(), reply);
    }

    /// From now on, all other requests get this.
    pub fn reply_to_all(&self, reply: Reply) {
        told(&self.shared).usual = Some(reply);
    }

    /// One request to `path` gets this, before all others get what they usually get.
    pub fn reply_once(&self, path: &str, reply: Reply) {
        told(&self.shared).first.entry(path.to_owned()).or_default().push_back(reply);
    }

    /// What came to `path` up to now.
    pub fn received(&self, path: &str) -> Vec<Received> {
        let told = told(&self.shared);
        told.received.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// All that came up to now.
    pub fn all(&self) -> Vec<Received> {
        told(&self.shared).received.clone()
    }
}

fn told(shared: &Mutex<Told>) -> MutexGuard<'_, Told> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn record(
    State(shared): State<Arc<Mutex<Told>>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    let echo = format!("{uri} {headers:?} {text}");
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let reply = told(&shared).take(Received { method, path, headers, text, body });
    let status = |status| StatusCode::from_u16(status).unwrap_or_default();
    match reply {
        Reply::Status(code) => status(code).into_response(),
        Reply::Header(code, name, value) => {
            let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
            (status(code), [(HeaderName::from_static(name), value)]).into_response()
        }
        Reply::Echo(code) => (status(code), echo).into_response(),
        Reply::Late(after, body) => {
            tokio::time::sleep(after).await;
            body.into_response()
        }
        Reply::Silence => std::future::pending().await,
    }
}

impl Told {
    /// Records a request, and says what to answer.
    fn take(&mut self, request: Received) -> Reply {
        let first = self.first.get_mut(&request.path).and_then(VecDeque::pop_front);
        let usual = || self.replies.get(&request.path).or(self.usual.as_ref()).cloned();
        let reply = first.or_else(usual).unwrap_or(Reply::Status(200));
        self.received.push(request);
        reply
    }
}
