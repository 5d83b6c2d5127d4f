//! `git http-backend` as a CGI program.

use anyhow::{Context as _, Result, bail};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio_util::io::ReaderStream;

pub(super) struct Request<'a> {
    pub(super) root: &'a Path,
    pub(super) method: Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
}

/// Runs it and streams its answer.
pub(super) async fn run(request: Request<'_>) -> Result<Response> {
    let header = |name: header::HeaderName| {
        request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let mut git = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", request.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("PATH_INFO", request.uri.path())
        .env("QUERY_STRING", request.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", request.method.as_str())
        .env("REMOTE_ADDR", "127.0.0.1")
        // With a user, pushing is allowed.
        .env("REMOTE_USER", "testbed")
        .env("CONTENT_TYPE", header(header::CONTENT_TYPE))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(header::CONTENT_ENCODING))
        .env("HTTP_GIT_PROTOCOL", header(header::HeaderName::from_static("git-protocol")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start git http-backend")?;
    let mut stdin = git.stdin.take().context("no standard input")?;
    let stdout = git.stdout.take().context("no standard output")?;
    let body = request.body;
    tokio::spawn(async move {
        // git may stop reading when it has refused the request; its answer says so.
        drop(stdin.write_all(&body).await);
        drop(stdin);
        drop(git.wait().await);
    });
    let mut output = BufReader::new(stdout);
    let mut response = Response::builder();
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).await? == 0 {
            bail!("git http-backend ended before its headers did");
        }
        match line.trim_end().split_once(": ") {
            None => break,
            Some(("Status", status)) => {
                let code = status.split(' ').next().unwrap_or_default();
                response = response.status(code.parse::<u16>()?);
            }
            Some((name, value)) => response = response.header(name, value),
        }
    }
    Ok(response.body(Body::from_stream(ReaderStream::new(output)))?)
}
