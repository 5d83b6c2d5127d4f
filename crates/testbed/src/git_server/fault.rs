//! How a server goes wrong.

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use std::io;
use std::time::Duration;

/// What a repository does to whoever asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers everything with this status, for example 401, 403, 404 or 500.
    Status(u16),
    /// Accepts the connection and never answers.
    Hang,
    /// Sends its answers in pieces of 1 KiB, with this pause between them.
    Slow {
        /// The pause.
        pause: Duration,
    },
    /// Ends the connection after this many bytes of the pack.
    CloseMidPack {
        /// The number of bytes that still arrive.
        after: usize,
    },
    /// Lists references without end.
    Endless,
    /// Sends clients to this address instead.
    Redirect(String),
}

/// The answer of a server that does not even ask git.
pub(super) async fn before(
    fault: Option<&Fault>,
    path: &str,
    command: Option<&str>,
) -> Option<Response> {
    match fault? {
        Fault::Status(code) => {
            let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some((status, "fault\n").into_response())
        }
        Fault::Hang => std::future::pending().await,
        Fault::Redirect(url) => {
            let target = format!("{url}/{path}?service=git-upload-pack");
            Some((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, target)]).into_response())
        }
        Fault::Endless if command == Some("ls-refs") => {
            let kind = [(header::CONTENT_TYPE, "application/x-git-upload-pack-result")];
            Some((kind, Body::from_stream(endless_refs())).into_response())
        }
        Fault::Slow { .. } | Fault::CloseMidPack { .. } | Fault::Endless => None,
    }
}

/// What becomes of git's answer on its way.
pub(super) fn after(
    fault: Option<&Fault>,
    path: &str,
    command: Option<&str>,
    response: Response,
) -> Response {
    let is_pack = path == "git-upload-pack" && command != Some("ls-refs");
    match fault {
        Some(Fault::Slow { pause }) => {
            let pause = *pause;
            response.map(|body| Body::from_stream(trickle(body, pause)))
        }
        Some(Fault::CloseMidPack { after }) if is_pack => {
            let after = *after;
            response.map(|body| Body::from_stream(cut(body, after)))
        }
        _ => response,
    }
}

fn trickle(body: Body, pause: Duration) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    body.into_data_stream()
        .flat_map(|chunk| {
            let pieces: Vec<_> = match chunk {
                Ok(chunk) => chunk.chunks(1024).map(|p| Ok(Bytes::copy_from_slice(p))).collect(),
                Err(error) => vec![Err(error)],
            };
            stream::iter(pieces)
        })
        .then(move |piece| async move {
            tokio::time::sleep(pause).await;
            piece
        })
}

/// Passes `left` bytes and then an error, which makes the HTTP server drop the connection.
fn cut(body: Body, left: usize) -> impl Stream<Item = io::Result<Bytes>> {
    let body = body.into_data_stream();
    stream::unfold(Some((body, left)), |state| async move {
        let (mut body, left) = state?;
        match body.next().await {
            Some(Ok(chunk)) if chunk.len() < left => {
                let left = left - chunk.len();
                Some((Ok(chunk), Some((body, left))))
            }
            Some(Ok(chunk)) if left > 0 => Some((Ok(chunk.slice(..left)), Some((body, 0)))),
            _ => Some((Err(io::ErrorKind::ConnectionReset.into()), None)),
        }
    })
}

fn endless_refs() -> impl Stream<Item = io::Result<Bytes>> {
    stream::iter(0_u64..).map(|n| {
        let lines = (0..500).map(|k| {
            let line = format!("{:040x} refs/heads/b{}\n", n + 1, n * 500 + k);
            format!("{:04x}{line}", line.len() + 4)
        });
        Ok(Bytes::from(lines.collect::<Vec<_>>().concat()))
    })
}
