//! A server for notifications, which records what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::git_server::serve;

/// Records all requests, and answers 200 unless told otherwise. It runs in a thread of its own.
#[derive(Debug)]
pub struct Sink {
    url: String,
    shared: Arc<Mutex<Told>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
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

#[derive(Debug, Default)]
struct Told {
    received: Vec<Received>,
    /// Statuses by path.
    answers: BTreeMap<String, u16>,
}

impl Sink {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn start() -> Result<Self> {
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let url = format!("http://127.0.0.1:{}", socket.local_addr()?.port());
        let shared = Arc::new(Mutex::new(Told::default()));
        let app = Router::new().fallback(record).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("sink".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(socket, None, app) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on, requests to `path` are answered so.
    pub fn answer(&self, path: &str, status: u16) {
        told(&self.shared).answers.insert(path.to_owned(), status);
    }

    /// What came to `path` up to now.
    pub fn received(&self, path: &str) -> Vec<Received> {
        let told = told(&self.shared);
        told.received.iter().filter(|request| request.path == path).cloned().collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A server that ended already hears nothing.
            _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
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
) -> StatusCode {
    let mut told = told(&shared);
    let path = uri.path().to_owned();
    let status = told.answers.get(&path).copied().unwrap_or(200);
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    told.received.push(Received { method, path, headers, text, body });
    StatusCode::from_u16(status).unwrap_or_default()
}
