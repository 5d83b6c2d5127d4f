//! From the repository's index to an artifact in the storage.

use std::{
    io::{BufReader, BufWriter, Seek as _},
    sync::Arc,
};

use artifact::pack;
use chart_repository::{FetchError, Repository};
use crd_types::{Artifact, conditions::FETCH_FAILED, reasons, source::HelmRepository};
use helm_chart::index::{RewriteError, rewrite};
use reconcile_loop::chain;
use tokio::time::Instant;

use crate::{
    context::Context,
    source::{
        Stop,
        conclude::Retry,
        storage::{self, in_thread},
    },
};

/// An index on the disk, as the repository sent it.
#[derive(Debug)]
pub(super) struct Downloaded {
    file: std::fs::File,
    /// `sha256:` and the digest of the bytes that were sent.
    pub(super) revision: String,
    sha256: String,
}

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("failed to cache index to temporary file")]
    Fetch(#[from] FetchError),
    #[error("failed to create temporary file")]
    Scratch(#[source] std::io::Error),
}

/// Brings the index over into a file without a name, which is gone when nobody holds it any more.
pub(super) async fn download(
    repository: &Repository,
    deadline: Instant,
    ctx: &Context,
) -> Result<Downloaded, Error> {
    let file = tempfile::tempfile_in(&ctx.scratch).map_err(Error::Scratch)?;
    let mut buffered = BufWriter::new(file);
    let limit_bytes = ctx.settings.helm.index;
    let downloaded = repository.index(&mut buffered, limit_bytes, deadline).await?;
    let file = buffered
        .into_inner()
        .map_err(|error| Error::Fetch(FetchError::Write(error.into_error())))?;
    let revision = format!("sha256:{}", downloaded.sha256);
    Ok(Downloaded { file, revision, sha256: downloaded.sha256 })
}

/// Writes the index anew into the storage, one chart at a time.
///
/// # Errors
/// If it is no index, or the storage is full.
pub(super) async fn store(
    object: Arc<HelmRepository>,
    downloaded: Downloaded,
    ctx: Arc<Context>,
) -> Result<Artifact, Stop> {
    in_thread(move || write(&object, downloaded, &ctx)).await
}

fn write(
    object: &HelmRepository,
    mut downloaded: Downloaded,
    ctx: &Context,
) -> Result<Artifact, Stop> {
    let not_stored = |message| Stop::not_stored(reasons::ARCHIVE_OPERATION_FAILED, message);
    let no_index = |error: &dyn std::error::Error| {
        let message = format!("failed to load Helm repository from index YAML: {}", chain(error));
        Stop::new(FETCH_FAILED, "IndexationFailed", message, Retry::Backoff)
    };
    downloaded.file.rewind().map_err(|error| no_index(&error))?;
    let file = format!("index-{}.yaml", downloaded.sha256);
    let path = storage::path(object, &file).map_err(|error| not_stored(error.to_string()))?;
    // Reading and writing take turns, so a broken index is noticed in the middle of writing.
    let mut broken = None;
    let artifact = storage::write::<HelmRepository>(&path, &downloaded.revision, ctx, |output| {
        let input = BufReader::with_capacity(64 * 1024, &downloaded.file);
        rewrite(input, output).map_err(|error| match error {
            RewriteError::Write(error) => pack::Error::Write(error),
            RewriteError::Index(error) => {
                broken = Some(error);
                pack::Error::Write(std::io::ErrorKind::InvalidData.into())
            }
        })
    });
    if let Some(error) = broken {
        return Err(no_index(&error));
    }
    artifact.map_err(|error| {
        not_stored(format!("unable to save artifact to storage: {}", chain(&error)))
    })
}
