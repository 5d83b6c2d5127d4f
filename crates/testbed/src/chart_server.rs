//! A Helm repository over real HTTP, with credentials.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Ca;
use crate::git_server::{Access, allows, unauthorised};
use crate::web_server::{Bound, Tls, WebServer};

/// Serves packaged charts and their index at `URL/index.yaml`. It runs in a thread of its own, so it
/// may be shared by tests, each of which has its own runtime.
#[derive(Debug)]
pub struct ChartServer {
    server: WebServer,
    shared: Shared,
    entries: Mutex<BTreeMap<String, Vec<String>>>,
}

/// What is served, and to whom.
#[derive(Debug, Default)]
struct Served {
    /// By path.
    files: BTreeMap<String, Bytes>,
    access: Access,
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Served>>);

impl Shared {
    fn served(&self) -> MutexGuard<'_, Served> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChartServer {
    /// Serves over plain HTTP on a free port of the loopback, without any chart.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn http() -> Result<Self> {
        Self::start(None)
    }

    /// Serves over HTTPS with a certificate of `ca` for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn https(ca: &Ca) -> Result<Self> {
        Self::start(Some(Tls::new(&ca.server(&["localhost", "127.0.0.1"])?, None)?))
    }

    /// As [`Self::https`], for clients with a certificate of the same authority.
    ///
    /// # Errors
    /// If the server cannot be started.
    pub fn https_for_clients(ca: &Ca) -> Result<Self> {
        Self::start(Some(Tls::new(&ca.server(&["localhost", "127.0.0.1"])?, Some(ca))?))
    }

    fn start(tls: Option<Tls>) -> Result<Self> {
        let shared = Shared::default();
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let server = Bound::new(tls)?.serve("chart-server", app)?;
        let server = Self { server, shared, entries: Mutex::default() };
        server.index();
        Ok(server)
    }

    /// Where the repository is.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// From now on, `path` (`/index.yaml`) is this.
    pub fn put(&self, path: &str, file: impl Into<Bytes>) {
        self.shared.served().files.insert(path.to_owned(), file.into());
    }

    /// From now on, files are given out only so.
    pub fn set_access(&self, access: Access) {
        self.shared.served().access = access;
    }

    /// Packages a chart of these files, and puts it into the index. `Chart.yaml` is made.
    ///
    /// # Errors
    /// If it cannot be packaged.
    pub fn publish(&self, name: &str, version: &str, files: &[(&str, &str)]) -> Result<()> {
        let about = format!(
            "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"{version}\"\n"
        );
        let files = [("Chart.yaml", about.as_str())].into_iter().chain(files.iter().copied());
        let files: Vec<_> = files.map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        self.publish_files(name, version, &files)
    }

    /// Packages the chart in `folder` as `version`, and puts it into the index under the folder's
    /// name.
    ///
    /// # Errors
    /// If a file cannot be read, or the chart cannot be packaged.
    pub fn publish_folder(&self, folder: &Path, version: &str) -> Result<()> {
        let name = folder.file_name().and_then(|name| name.to_str()).context("no name")?;
        let mut files = Vec::new();
        read_folder(folder, "", &mut files)?;
        let about = files.iter_mut().find(|(path, _)| path == "Chart.yaml");
        let (_, about) = about.with_context(|| format!("no Chart.yaml in {}", folder.display()))?;
        let lines = about.lines().map(|line| match line.split_once(": ") {
            Some((key @ ("version" | "appVersion"), _)) => format!("{key}: {version}"),
            _ => line.to_owned(),
        });
        *about = lines.collect::<Vec<_>>().join("\n");
        self.publish_files(name, version, &files)
    }

    fn publish_files(&self, name: &str, version: &str, files: &[(String, String)]) -> Result<()> {
        let archive = package(name, files).context("packaging a chart")?;
        self.put(&format!("/{name}-{version}.tgz"), archive);
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
        self.put("/index.yaml", index);
    }
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, uri: Uri) -> Response {
    let served = shared.served();
    if !allows(&served.access, &headers) {
        return unauthorised();
    }
    let found = served.files.get(uri.path()).cloned();
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// All files below `folder`, by their paths from there.
fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, std::fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn package(name: &str, files: &[(String, String)]) -> Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}/{path}"), text.as_bytes())?;
    }
    Ok(archive.into_inner()?.finish()?.into())
}
