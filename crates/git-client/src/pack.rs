//! Bringing a pack over, and indexing it.

use std::{
    error::Error as StdError,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use gix_hash::Kind;
use gix_pack::{Bundle, bundle::write::Options, data::input::Mode, index::Version};
use gix_utils::progress::Discard;
use http_access::Cause;
use tokio::{
    io::{AsyncWriteExt as _, BufWriter},
    time::{Instant, timeout_at},
};

use crate::{error::Error, limits::Limits, protocol::PackData, snapshot::Snapshot};

/// `PACK`, version, number of objects.
const HEADER_BYTES: usize = 12;

/// Sets the flag when it goes, whichever way.
struct InterruptOnDrop(Arc<AtomicBool>);

/// Writes the pack into a new directory below `scratch` and makes its objects accessible.
///
/// When cancelled, the indexing stops soon after and the directory goes.
pub(crate) async fn receive(
    data: PackData,
    limits: &Limits,
    deadline: Instant,
    scratch: &Path,
) -> Result<Snapshot, Error> {
    let directory = tempfile::Builder::new()
        .prefix("ferroflux-git-")
        .tempdir_in(scratch)
        .map_err(Error::Disk)?;
    let received = directory.path().join("received");
    download(data, limits, &received).await?;

    let interrupt = Arc::new(AtomicBool::new(false));
    let guard = InterruptOnDrop(Arc::clone(&interrupt));
    let limits = limits.clone();
    let indexing = tokio::task::spawn_blocking(move || {
        let bundle = index(&received, directory.path(), &limits, &interrupt)?;
        Ok(Snapshot::new(bundle, directory, limits))
    });
    let outcome = timeout_at(deadline, indexing).await;
    drop(guard);
    match outcome {
        Ok(Ok(snapshot)) => snapshot,
        Ok(Err(_panicked)) => Err(Error::Aborted),
        Err(_elapsed) => Err(Error::Read(Cause::Deadline)),
    }
}

async fn download(mut data: PackData, limits: &Limits, target: &Path) -> Result<(), Error> {
    let file = tokio::fs::File::create_new(target).await.map_err(Error::Disk)?;
    let mut file = BufWriter::with_capacity(256 * 1024, file);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let mut size_bytes = 0_u64;
    while let Some(piece) = data.next().await? {
        size_bytes += piece.len() as u64;
        if size_bytes > limits.pack_bytes {
            let limit = format!("{} bytes", limits.pack_bytes);
            return Err(Error::TooLarge { what: "the objects of the commit", limit });
        }
        if header.len() < HEADER_BYTES {
            header.extend(piece.iter().take(HEADER_BYTES - header.len()));
            check_count(&header, limits)?;
        }
        file.write_all(&piece).await.map_err(Error::Disk)?;
    }
    file.flush().await.map_err(Error::Disk)
}

fn check_count(header: &[u8], limits: &Limits) -> Result<(), Error> {
    let Some(count) = header.get(8..HEADER_BYTES).and_then(|bytes| bytes.try_into().ok()) else {
        return Ok(());
    };
    if u32::from_be_bytes(count) > limits.objects {
        let limit = limits.objects.to_string();
        return Err(Error::TooLarge { what: "the objects of the commit", limit });
    }
    Ok(())
}

/// Checks every object of the pack against its id and the pack against its checksum.
fn index(
    received: &PathBuf,
    directory: &Path,
    limits: &Limits,
    interrupt: &AtomicBool,
) -> Result<Bundle, Error> {
    let action = "index the objects";
    let mut pack = BufReader::with_capacity(256 * 1024, File::open(received).map_err(Error::Disk)?);
    let options = Options {
        thread_limit: Some(1),
        iteration_mode: Mode::Verify,
        index_version: Version::default(),
        alloc_limit_bytes: Some(limits.object_bytes),
        ..Options::default()
    };
    let outcome = Bundle::write_to_directory(
        &mut pack,
        Some(directory),
        &mut Discard,
        interrupt,
        None::<gix_object::find::Never>,
        Kind::Sha1,
        options,
    )
    .map_err(|error| failed(action, &error))?;
    std::fs::remove_file(received).map_err(Error::Disk)?;
    let bundle = outcome
        .to_bundle()
        .ok_or_else(|| Error::Objects { action, detail: "there is none".to_owned() })?
        .map_err(|error| failed(action, &error))?;
    let pack = bundle.pack.with_alloc_limit_bytes(Some(limits.object_bytes));
    Ok(Bundle { pack, index: bundle.index })
}

/// Tells a full disk, which is ours, from broken objects, which are the server's.
fn failed(action: &'static str, error: &(dyn StdError + 'static)) -> Error {
    let mut at = Some(error);
    while let Some(cause) = at {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(kind @ (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) = kind {
            return Error::Disk(io::Error::new(kind, cause.to_string()));
        }
        at = cause.source();
    }
    Error::Objects { action, detail: error.to_string() }
}

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
