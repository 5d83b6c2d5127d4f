//! The artifact server: whole files, and nothing else.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};
use tokio_util::io::ReaderStream;

use crate::store::{Store, path_is_served};

/// Serves the artifacts of `store` for GET and HEAD.
///
/// Only regular files of the store's own layout are found: no listing, no link is followed, no
/// unfinished file is seen, and a name cannot climb.
///
/// Differs: the Go controller lists directories. `/` answers 200 with nothing, because the
/// readiness probe of a stock installation asks for it.
pub fn router(store: Arc<Store>) -> Router {
    Router::new().fallback(answer).with_state(store)
}

async fn answer(State(store): State<Arc<Store>>, request: Request<Body>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    let path = request.uri().path();
    if path == "/" {
        return StatusCode::OK.into_response();
    }
    let Some(names) = names(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let opened = tokio::task::spawn_blocking(move || open(&store, &names)).await;
    match opened {
        Ok(Ok((file, size_bytes))) => whole(request.method(), file, size_bytes),
        Ok(Err(error)) if is_absent(&error) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The four names of an artifact's path, decoded; none where the path is not of that form.
fn names(path: &str) -> Option<[String; 4]> {
    let decoded: Vec<String> =
        path.strip_prefix('/')?.split('/').map(decode).collect::<Option<_>>()?;
    let names: [String; 4] = decoded.try_into().ok()?;
    names.iter().all(|name| path_is_served(name)).then_some(names)
}

/// Undoes `%xx`. A decoded slash is not a separator any more, so it makes the name invalid later.
fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Walks down by directory handles, so that no link can be slipped in between.
fn open(store: &Store, names: &[String; 4]) -> io::Result<(std::fs::File, u64)> {
    let read = OFlags::RDONLY | OFlags::CLOEXEC;
    let below = read | OFlags::NOFOLLOW;
    let [directories @ .., file] = names;
    let mut handle = openat(CWD, store.root(), read | OFlags::DIRECTORY, Mode::empty())?;
    for directory in directories {
        handle = openat(&handle, directory, below | OFlags::DIRECTORY, Mode::empty())?;
    }
    // Looked at before it is opened: opening a pipe would wait for its writer.
    let seen = statat(&handle, file, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(seen.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = openat(&handle, file, below | OFlags::NONBLOCK, Mode::empty())?;
    let size_bytes = u64::try_from(fstat(&file)?.st_size).map_err(io::Error::other)?;
    Ok((file.into(), size_bytes))
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

fn whole(method: &Method, file: std::fs::File, size_bytes: u64) -> Response {
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024))
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(size_bytes)),
    ];
    (headers, body).into_response()
}
