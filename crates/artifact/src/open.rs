//! From the bytes of an artifact to a tree in memory.
//!
//! Only regular files and directories are accepted; nothing is ever written to a disk. The tree's
//! files are slices of the one buffer that the archive was inflated into.

use std::io::{self, Read as _};

use bytes::Bytes;
use file_tree::{BuildError, File, FileTree, PathError, TreePath};
use flate2::bufread::MultiGzDecoder;

/// What an artifact may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after inflation, headers included.
    pub bytes: u64,
    /// Bytes after inflation for each byte before, once there are more than [`FREE_BYTES`].
    pub ratio: u64,
    /// Files and directories together.
    pub entries: usize,
    /// Bytes of one path.
    pub path_bytes: usize,
    /// Names of one path.
    pub depth: usize,
}

/// Small artifacts may compress as well as they like.
pub const FREE_BYTES: u64 = 16 << 20;

/// Why an artifact cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The compression is broken.
    #[error("requires gzip-compressed body")]
    Inflate(#[source] io::Error),
    /// The archive is broken.
    #[error("tar error")]
    Archive(#[source] io::Error),
    /// The archive is larger than we accept.
    #[error("the artifact is larger than {limit_bytes} bytes when opened")]
    TooLarge {
        /// What would be accepted.
        limit_bytes: u64,
    },
    /// The archive inflates as no honest one does.
    #[error("the artifact inflates to more than {limit} times its size")]
    Inflates {
        /// What would be accepted.
        limit: u64,
    },
    /// The archive holds more entries than we accept.
    #[error("the artifact holds more than {limit} files and directories")]
    TooManyEntries {
        /// What would be accepted.
        limit: usize,
    },
    /// A name that could leave the tree, or that is longer or deeper than we accept.
    #[error("tar contained invalid name error {name:?}")]
    Name {
        /// The name, cut.
        name: String,
        /// What is wrong with it, where it is not its length.
        #[source]
        source: Option<PathError>,
    },
    /// A link.
    #[error("tar file entry {name} is a symlink, which is not allowed in this context")]
    Symlink {
        /// The name of the entry.
        name: String,
    },
    /// Neither file nor directory.
    #[error("tar file entry {name} contained unsupported file type {kind}")]
    Unsupported {
        /// The name of the entry.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// Two entries contradict each other.
    #[error(transparent)]
    Tree(#[from] BuildError),
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 << 20, ratio: 200, entries: 100_000, path_bytes: 4096, depth: 128 }
    }
}

/// Inflates and reads a whole `tar.gz`. Takes CPU in proportion to its size.
///
/// # Errors
/// If the archive is broken, holds what is not allowed, or exceeds `limits`.
pub fn tree(archive: &[u8], limits: &Limits) -> Result<FileTree, Error> {
    let buffer = inflate(archive, limits)?;
    let mut builder = FileTree::builder();
    let mut reader = tar::Archive::new(io::Cursor::new(buffer.as_ref()));
    let entries = reader.entries_with_seek().map_err(Error::Archive)?;
    for (count, entry) in entries.enumerate() {
        let entry = entry.map_err(Error::Archive)?;
        if count >= limits.entries {
            return Err(Error::TooManyEntries { limit: limits.entries });
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match Kind::of(entry.header().entry_type()) {
            Kind::Comment => {}
            Kind::Directory => {
                builder.directory(&path(&name, limits)?)?;
            }
            Kind::File => {
                let bytes = content(&buffer, &entry)?;
                // A mode that nobody wrote is no reason to refuse the file.
                let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
                builder.file(&path(&name, limits)?, File { bytes, executable })?;
            }
            Kind::Symlink => return Err(Error::Symlink { name: cut(&name) }),
            Kind::Unsupported(kind) => return Err(Error::Unsupported { name: cut(&name), kind }),
        }
    }
    Ok(builder.build())
}

/// The five ways in which we look at an entry.
enum Kind {
    File,
    Directory,
    Symlink,
    /// A header that speaks of other entries.
    Comment,
    Unsupported(&'static str),
}

impl Kind {
    fn of(entry_type: tar::EntryType) -> Self {
        match entry_type {
            tar::EntryType::Regular | tar::EntryType::Continuous => Self::File,
            tar::EntryType::Directory => Self::Directory,
            tar::EntryType::Symlink => Self::Symlink,
            tar::EntryType::XGlobalHeader => Self::Comment,
            tar::EntryType::Link => Self::Unsupported("hard link"),
            tar::EntryType::Char => Self::Unsupported("character device"),
            tar::EntryType::Block => Self::Unsupported("block device"),
            tar::EntryType::Fifo => Self::Unsupported("named pipe"),
            tar::EntryType::GNUSparse => Self::Unsupported("sparse file"),
            _ => Self::Unsupported("unknown"),
        }
    }
}

fn inflate(archive: &[u8], limits: &Limits) -> Result<Bytes, Error> {
    let by_ratio = (archive.len() as u64).saturating_mul(limits.ratio).max(FREE_BYTES);
    let limit = limits.bytes.min(by_ratio);
    let mut buffer = Vec::new();
    let inflated = MultiGzDecoder::new(archive)
        .take(limit + 1)
        .read_to_end(&mut buffer)
        .map_err(Error::Inflate)?;
    if inflated as u64 <= limit {
        buffer.shrink_to_fit();
        return Ok(buffer.into());
    }
    Err(if by_ratio < limits.bytes {
        Error::Inflates { limit: limits.ratio }
    } else {
        Error::TooLarge { limit_bytes: limits.bytes }
    })
}

fn content<R: io::Read>(buffer: &Bytes, entry: &tar::Entry<'_, R>) -> Result<Bytes, Error> {
    let cut_short = || Error::Archive(io::ErrorKind::UnexpectedEof.into());
    let start = usize::try_from(entry.raw_file_position()).map_err(|_large| cut_short())?;
    let size = usize::try_from(entry.size()).map_err(|_large| cut_short())?;
    let end = start.checked_add(size).filter(|end| *end <= buffer.len()).ok_or_else(cut_short)?;
    Ok(buffer.slice(start..end))
}

/// Flux refuses `..` even where it would stay inside, and `\` altogether.
fn path(name: &str, limits: &Limits) -> Result<TreePath, Error> {
    let refused = |source| Error::Name { name: cut(name), source };
    let mut names = name.split('/').filter(|name| !matches!(*name, "" | ".")).peekable();
    if name.is_empty()
        || name.contains('\\')
        || name.len() > limits.path_bytes
        || names.clone().any(|name| name == "..")
        || names.by_ref().take(limits.depth + 1).count() > limits.depth
    {
        return Err(refused(None));
    }
    TreePath::parse(name).map_err(|error| refused(Some(error)))
}

fn cut(name: &str) -> String {
    name.chars().take(256).collect()
}
