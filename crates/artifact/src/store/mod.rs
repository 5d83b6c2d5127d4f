//! The artifacts of this replica on its disk.
//!
//! `<root>/<kind>/<namespace>/<name>/<file>`. A file appears under its name only once it is whole
//! and on the disk: it is written beside, synced, renamed, and the directory is synced.

mod garbage;
mod path;

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File},
    io::{self, BufReader, BufWriter, Read as _, Write},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

pub use garbage::Retention;
pub(crate) use path::is_harmless as path_is_served;
pub use path::{ArtifactPath, InvalidName};

use crate::digest::{Algorithm, Digest, HashingWriter};

/// Files that are not whole yet start with this; they are neither served nor counted.
const UNFINISHED: &str = ".unfinished-";

/// A directory of artifacts. Cloning is not needed: all methods take `&self`.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    algorithm: Algorithm,
    known: Mutex<Known>,
}

/// What was written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The digest of the file.
    pub digest: Digest,
    /// The size of the file.
    pub size_bytes: u64,
}

/// Why an artifact could not be stored, verified or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, or our share of it, is full.
    #[error("no space left on device for {path}")]
    Full {
        /// Where to we wanted to write.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another error of the file system.
    #[error("cannot {action} {path}")]
    Io {
        /// What we were doing.
        action: &'static str,
        /// On which file or directory.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The content could not be made.
    #[error(transparent)]
    Pack(crate::pack::Error),
}

/// A name under which the newest file of an object is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// `index.yaml`.
    Index,
    /// `latest.tar.gz`.
    Latest,
}

impl Alias {
    /// The name of the file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Index => "index.yaml",
            Self::Latest => "latest.tar.gz",
        }
    }
}

/// What a look at a stored file showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The file is there and has the digest.
    Intact,
    /// There is no regular file of that name.
    Missing,
    /// The file has another digest.
    Damaged {
        /// The digest that it should have.
        expected: Digest,
    },
}

/// What this process knows of its files, so that it need not read them again.
#[derive(Debug)]
struct Known {
    opened: Instant,
    next: u64,
    files: HashMap<PathBuf, Remembered>,
}

#[derive(Clone, Debug)]
struct Remembered {
    /// In which order the files came to be.
    sequence: u64,
    written: Instant,
    /// As of when the digest below was found right.
    stamp: Stamp,
    digest: Digest,
}

/// Changes when somebody else touches the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
}

impl Store {
    /// Opens the directory, creating it if needed, and removes what a killed process left half
    /// written.
    ///
    /// # Errors
    /// If the directory cannot be created or read.
    pub fn open(root: &Path, algorithm: Algorithm) -> Result<Self, Error> {
        create_directories(root)?;
        let root = fs::canonicalize(root).map_err(|error| failed("open", root, error))?;
        remove_unfinished(&root)?;
        let known = Known { opened: Instant::now(), next: 0, files: HashMap::new() };
        Ok(Self { root, algorithm, known: Mutex::new(known) })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes the file at `path` with what `content` produces. Blocks; may be repeated. When it
    /// fails, or the process is killed, an older file of that name is untouched.
    ///
    /// # Errors
    /// If `content` fails or the file cannot be written.
    pub fn write(
        &self,
        path: &ArtifactPath,
        content: impl FnOnce(&mut dyn Write) -> Result<(), crate::pack::Error>,
    ) -> Result<Stored, Error> {
        let target = self.root.join(path.as_str());
        let directory = self.root.join(path.directory());
        create_directories(&directory)?;
        let write_failed = |error| failed("write", &target, error);
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&directory)
            .map_err(write_failed)?;
        let buffered = BufWriter::new(unfinished.as_file());
        let mut writer = HashingWriter::new(buffered, self.algorithm);
        content(&mut writer).map_err(|error| match error {
            crate::pack::Error::Write(error) => write_failed(error),
            other @ (crate::pack::Error::TooManyEntries { .. }
            | crate::pack::Error::TooLarge { .. }) => Error::Pack(other),
        })?;
        writer.flush().map_err(write_failed)?;
        let (buffered, digest, size_bytes) = writer.finish();
        drop(buffered);
        unfinished.as_file().sync_all().map_err(write_failed)?;
        unfinished.persist(&target).map_err(|error| write_failed(error.error))?;
        sync_directory(&directory)?;
        self.remember(&target, digest.clone(), true);
        Ok(Stored { digest, size_bytes })
    }

    /// Makes the file at `path` answer to a second, unchanging name beside it, instead of an older
    /// one. Blocks; may be repeated.
    ///
    /// Differs: Flux makes a symbolic link; this is another name of the same file, because the
    /// server follows no links.
    ///
    /// # Errors
    /// If the name cannot be given.
    pub fn alias(&self, path: &ArtifactPath, alias: Alias) -> Result<(), Error> {
        let target = self.root.join(path.as_str());
        let directory = self.root.join(path.directory());
        let unfinished = directory.join(format!("{UNFINISHED}{}", alias.file()));
        remove_file(&unfinished)?;
        fs::hard_link(&target, &unfinished).map_err(|error| failed("link", &target, error))?;
        let named = directory.join(alias.file());
        fs::rename(&unfinished, &named).map_err(|error| failed("rename", &unfinished, error))?;
        // If both were one file already, nothing was renamed.
        remove_file(&unfinished)
    }

    /// Whether there is a regular file at `path`.
    pub fn has(&self, path: &ArtifactPath) -> bool {
        stamp(&self.root.join(path.as_str())).is_some()
    }

    /// Whether the file at `path` is whole. Reads it only if it is not known since the last time.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn condition(&self, path: &ArtifactPath, digest: &Digest) -> Result<Condition, Error> {
        let file = self.root.join(path.as_str());
        let Some(stamp) = stamp(&file) else {
            self.known().files.remove(&file);
            return Ok(Condition::Missing);
        };
        let known = self.known().files.get(&file).cloned();
        if known.is_some_and(|known| known.stamp == stamp && known.digest == *digest) {
            return Ok(Condition::Intact);
        }
        let found =
            hash(&file, digest.algorithm()).map_err(|error| failed("read", &file, error))?;
        if found != *digest {
            return Ok(Condition::Damaged { expected: digest.clone() });
        }
        self.remember(&file, found, false);
        Ok(Condition::Intact)
    }

    /// Removes the file at `path`; it is no error if there is none.
    ///
    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn remove(&self, path: &ArtifactPath) -> Result<(), Error> {
        let file = self.root.join(path.as_str());
        self.known().files.remove(&file);
        remove_file(&file)
    }

    fn remember(&self, file: &Path, digest: Digest, written: bool) {
        let Some(stamp) = stamp(file) else { return };
        let mut known = self.known();
        let before = known.files.get(file).map(|known| (known.sequence, known.written));
        let (sequence, since) = match before {
            Some(before) if !written => before,
            Some(_) | None if written => {
                known.next += 1;
                (known.next, Instant::now())
            }
            // Found on the disk: older than everything that this process wrote.
            Some(_) | None => (0, known.opened),
        };
        let remembered = Remembered { sequence, written: since, stamp, digest };
        known.files.insert(file.to_owned(), remembered);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere leaves the map usable: every change to it is a single call.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(file: &Path, algorithm: Algorithm) -> io::Result<Digest> {
    let mut reader = BufReader::new(File::open(file)?);
    let mut hasher = algorithm.hasher();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// None where there is no regular file (a link is none).
fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::symlink_metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some(Stamp { size_bytes: metadata.len(), modified: metadata.modified().ok() })
}

fn create_directories(directory: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| failed("create directory", directory, error))
}

fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| failed("sync directory", directory, error))
}

fn remove_file(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", file, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn remove_unfinished(root: &Path) -> Result<(), Error> {
    // Four levels: kind, namespace, name, file.
    let mut directories = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = directories.pop() {
        let entries = fs::read_dir(&directory)
            .map_err(|error| failed("read directory", &directory, error))?;
        for entry in entries.flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && depth < 3 {
                directories.push((entry.path(), depth + 1));
            } else if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                remove_file(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full { path, source },
        _ => Error::Io { action, path, source },
    }
}
