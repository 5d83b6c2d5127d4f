//! A Helm repository over real HTTP.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::oneshot;

/// Serves packaged charts and their index at `URL/index.yaml`. It runs in a thread of its own, so it
/// may be shared by tests, each of which has its own runtime.
#[derive(Debug)]
pub struct ChartServer {
    url: String,
    files: Files,
    entries: Mutex<BTreeMap<String, Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What is served, by path.
#[derive(Clone, Debug, Default)]
struct Files(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl Files {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChartServer {
    /// Serves over plain HTTP on a free port of the loopback, without any chart.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn http() -> Result<Self> {
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let url = format!("http://127.0.0.1:{}", socket.local_addr()?.port());
        let files = Files::default();
        let app = Router::new().fallback(answer).with_state(files.clone());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread =
            std::thread::Builder::new().name("chart-server".to_owned()).spawn(move || {
                runtime.block_on(async {
                    let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
                    tokio::select! {
                        _ = axum::serve(socket, app) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        let entries = Mutex::default();
        let server = Self { url, files, entries, stop: Some(stop), thread: Some(thread) };
        server.index();
        Ok(server)
    }

    /// Where the repository is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Packages a chart of these files, and puts it into the index. `Chart.yaml` is made.
    ///
    /// # Errors
    /// If it cannot be packaged.
    pub fn publish(&self, name: &str, version: &str, files: &[(&str, &str)]) -> Result<()> {
        let about = format!(
            "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"{version}\"\n"
        );
        let archive = package(name, &about, files).context("packaging a chart")?;
        self.files.all().insert(format!("/{name}-{version}.tgz"), archive);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.entry(name.to_owned()).or_default().push(version.to_owned());
        drop(entries);
        self.index();
        Ok(())
    }

    fn index(&self) {
        let mut index = "apiVersion: v1\nentries:\n".to_owned();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, versions) in &*entries {
            // Writing to a string cannot fail.
            _ = writeln!(index, "  {name}:");
            for version in versions {
                _ = writeln!(index, "  - apiVersion: v2\n    name: {name}\n    version: {version}");
                _ = writeln!(index, "    urls: [{name}-{version}.tgz]");
            }
        }
        if entries.is_empty() {
            index.push_str("  {}\n");
        }
        self.files.all().insert("/index.yaml".to_owned(), index.into());
    }
}

impl Drop for ChartServer {
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

async fn answer(State(files): State<Files>, uri: Uri) -> Response {
    let found = files.all().get(uri.path()).cloned();
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

fn package(name: &str, about: &str, files: &[(&str, &str)]) -> Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in [("Chart.yaml", about)].iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}/{path}"), text.as_bytes())?;
    }
    Ok(archive.into_inner()?.finish()?.into())
}
