//! Real git over real HTTP, with credentials and with faults on demand.

mod backend;
mod fault;

use crate::GitRepository;
use crate::certificates::{Ca, Certificate};
use crate::process::ScratchDir;
use crate::web_server::{Bound, Tls, WebServer};
use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub use fault::Fault;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who may read a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Anonymous,
    /// Whoever sends this user and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// Whoever sends this token.
    Bearer(String),
}

/// One request that a repository got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The part of the path behind the repository: `info/refs`, `git-upload-pack`.
    pub path: String,
    /// The protocol-2 command (`ls-refs`, `fetch`), if it has one.
    pub command: Option<String>,
}

#[derive(Default)]
struct Hosted {
    access: Access,
    fault: Option<Fault>,
    requests: Vec<Request>,
}

#[derive(Clone)]
struct Shared {
    root: PathBuf,
    hosted: Arc<Mutex<BTreeMap<String, Hosted>>>,
}

impl Shared {
    fn hosted(&self) -> MutexGuard<'_, BTreeMap<String, Hosted>> {
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves bare repositories at `URL/NAME.git` through `git http-backend`. It runs in a thread of its
/// own, so it may be shared by tests, each of which has its own runtime.
pub struct GitServer {
    server: WebServer,
    shared: Shared,
    _dir: ScratchDir,
}

impl std::fmt::Debug for GitServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitServer").field("url", &self.server.url()).finish_non_exhaustive()
    }
}

impl GitServer {
    /// Serves over plain HTTP on a free port of the loopback.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn http() -> Result<Self> {
        Self::start(None)
    }

    /// Serves over HTTPS with a certificate of `ca` for `localhost` and `127.0.0.1`. With
    /// `clients`, only clients with a certificate of that authority are let in.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn https(ca: &Ca, clients: Option<&Ca>) -> Result<Self> {
        let server: Certificate = ca.server(&["localhost", "127.0.0.1"])?;
        Self::start(Some(Tls::new(&server, clients)?))
    }

    fn start(tls: Option<Tls>) -> Result<Self> {
        let dir = ScratchDir::new("ferroflux-git-")?;
        let shared = Shared { root: dir.path().to_path_buf(), hosted: Arc::default() };
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let server = Bound::new(tls)?.serve("git-server", app)?;
        Ok(Self { server, shared, _dir: dir })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The address of the repository `name`.
    pub fn repository_url(&self, name: &str) -> String {
        format!("{}/{name}.git", self.url())
    }

    /// Makes an empty repository, which everybody may read. `name` may hold slashes.
    ///
    /// # Errors
    /// If git refuses.
    pub fn create(&self, name: &str) -> Result<GitRepository> {
        let repository = GitRepository::create(&self.shared.root.join(format!("{name}.git")))?;
        self.shared.hosted().entry(name.to_owned()).or_default();
        Ok(repository)
    }

    /// From now on, `name` may be read only so.
    pub fn set_access(&self, name: &str, access: Access) {
        self.shared.hosted().entry(name.to_owned()).or_default().access = access;
    }

    /// From now on, `name` fails so; `None` heals it.
    pub fn set_fault(&self, name: &str, fault: Option<Fault>) {
        self.shared.hosted().entry(name.to_owned()).or_default().fault = fault;
    }

    /// The requests that `name` has got since the last call.
    pub fn take_requests(&self, name: &str) -> Vec<Request> {
        let mut hosted = self.shared.hosted();
        hosted.get_mut(name).map(|h| std::mem::take(&mut h.requests)).unwrap_or_default()
    }
}

/// Request bodies are negotiations: small. Pushes in tests are small too.
const MAX_REQUEST_BYTES: usize = 64 << 20;

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some((name, path)) = split(uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let command = command(&headers, &body);
    let (allowed, fault) = {
        let mut all = shared.hosted();
        let Some(hosted) = all.get_mut(name) else {
            return (StatusCode::NOT_FOUND, "repository not found\n").into_response();
        };
        hosted.requests.push(Request { path: path.to_owned(), command: command.clone() });
        (allows(&hosted.access, &headers), hosted.fault.clone())
    };
    if !allowed {
        return unauthorised();
    }
    if let Some(early) = fault::before(fault.as_ref(), path, command.as_deref()).await {
        return early;
    }
    let request =
        backend::Request { root: &shared.root, method, uri: &uri, headers: &headers, body };
    match backend::run(request).await {
        Ok(response) => fault::after(fault.as_ref(), path, command.as_deref(), response),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response(),
    }
}

/// `/a/b.git/info/refs` is repository `a/b` and path `info/refs`.
fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once(".git/").filter(|(name, _)| !name.contains(".."))
}

pub(crate) fn unauthorised() -> Response {
    let realm = [(header::WWW_AUTHENTICATE, "Basic realm=\"testbed\"")];
    (StatusCode::UNAUTHORIZED, realm, "unauthorized\n").into_response()
}

pub(crate) fn allows(access: &Access, headers: &HeaderMap) -> bool {
    let wanted = match access {
        Access::Anonymous => return true,
        Access::Basic { user, password } => {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        Access::Bearer(token) => format!("Bearer {token}"),
    };
    headers.get(header::AUTHORIZATION).is_some_and(|sent| sent.as_bytes() == wanted.as_bytes())
}

/// The first line of a protocol-2 request is `command=NAME`. Compressed bodies are long, so `fetch`.
fn command(headers: &HeaderMap, body: &Bytes) -> Option<String> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Some("fetch".to_owned());
    }
    let start = String::from_utf8_lossy(body.get(4..body.len().min(64))?).into_owned();
    let name = start.strip_prefix("command=")?.split(['\n', '0']).next()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_repository() {
        assert_eq!(split("/a/b.git/info/refs"), Some(("a/b", "info/refs")));
        assert_eq!(split("/../a.git/HEAD"), None);
        assert_eq!(split("/a"), None);
    }

    #[test]
    fn the_command_is_read_from_the_body() {
        let body = Bytes::from_static(b"0014command=ls-refs\n0001");
        assert_eq!(command(&HeaderMap::new(), &body).as_deref(), Some("ls-refs"));
        assert_eq!(command(&HeaderMap::new(), &Bytes::new()), None);
    }
}
