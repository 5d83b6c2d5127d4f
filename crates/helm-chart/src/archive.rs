//! Chart archives: a gzipped tar of one folder.
//!
//! An archive is hostile until it is read. It may be small and unpack to much, name files outside
//! its folder, or hold links; each of these is an error that names the limit.

use std::io::Read;

use bytes::Bytes;

use crate::chart::{Chart, ChartFile};
use crate::load::{self, LoadError};
use crate::quote::quoted;

/// Most bytes of one file, as in Helm.
pub const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// Most bytes of all files of a chart, those of archives within it included.
///
/// Differs: Helm's limit is 100 MiB. Nobody has such a chart, and it is held in memory.
pub const MAX_CHART_BYTES: u64 = 48 * 1024 * 1024;
/// Most entries of a chart, those of archives within it included.
pub const MAX_ENTRIES: usize = 20_000;
/// Most bytes of a file's name.
pub const MAX_NAME_BYTES: usize = 4096;
/// How many bytes one byte of the archive may unpack to.
pub const MAX_RATIO: u64 = 200;
/// Bytes that any archive may unpack to, whatever its ratio.
const RATIO_FREE_BYTES: u64 = 8 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why an archive is not read. Where Helm has words for it, they are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes do not begin as gzip does.
    #[error("gzip: invalid header")]
    NotGzip,
    /// The compressed stream or the tar within it is broken.
    #[error("cannot read the archive")]
    Broken(#[source] std::io::Error),
    /// There are no files.
    #[error("no files in chart archive")]
    Empty,
    /// A file lies at the root of the file system.
    #[error("chart illegally contains absolute paths")]
    AbsolutePath,
    /// A file has no name below the chart's folder.
    #[error("chart illegally contains content outside the base directory: {}", quoted(.name))]
    OutsideFolder {
        /// The name in the archive.
        name: String,
    },
    /// A file lies above the chart's folder.
    #[error("chart illegally references parent directory")]
    ParentFolder,
    /// A file is named as a Windows drive is.
    #[error("chart contains illegally named files")]
    DriveLetter,
    /// The archive has no folder.
    #[error("chart yaml not in base directory")]
    NoFolder,
    /// An entry is a link, a device or a pipe.
    #[error("chart illegally contains {}, which is no regular file", quoted(.name))]
    NotRegular {
        /// The name in the archive.
        name: String,
    },
    /// A name is no UTF-8.
    #[error("chart contains a file whose name is not UTF-8")]
    NameNotText,
    /// A name holds a NUL byte, which no file system has.
    #[error("chart contains a file whose name holds a NUL byte")]
    NulInName,
    /// A name is longer than any file system has it.
    #[error("chart contains a file whose name is longer than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    /// One file is too large.
    #[error(
        "decompressed chart file {} is larger than the maximum file size {MAX_FILE_BYTES}",
        quoted(.name)
    )]
    FileTooLarge {
        /// The name in the archive.
        name: String,
    },
    /// All files together are too large.
    #[error("decompressed chart is larger than the maximum size {MAX_CHART_BYTES}")]
    ChartTooLarge,
    /// There are too many entries.
    #[error("chart archive has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// The archive unpacks to far more than charts do.
    #[error("chart archive unpacks to more than {MAX_RATIO} times its size")]
    Ratio,
}

/// Loads a chart from a `.tgz`.
///
/// # Errors
/// If the archive is broken or exceeds a limit, or if what is in it is no chart.
pub fn load(archive: &[u8]) -> Result<Chart, LoadError> {
    let mut budget = Budget::default();
    let files = files(archive, &mut budget)?;
    load::check_format(&files)?;
    load::load(files, &mut budget, 0)
}

/// The files of an archive, with names below its folder; archives within it stay as they are.
///
/// # Errors
/// If the archive is broken or exceeds a limit.
pub fn entries(archive: &[u8]) -> Result<Vec<ChartFile>, ArchiveError> {
    files(archive, &mut Budget::default())
}

/// What is left of the limits that an archive and those within it share.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: u64,
    entries: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: MAX_CHART_BYTES, entries: MAX_ENTRIES }
    }
}

/// The files of an archive, with names below its folder.
pub(crate) fn files(archive: &[u8], budget: &mut Budget) -> Result<Vec<ChartFile>, ArchiveError> {
    if !archive.starts_with(b"\x1f\x8b\x08") {
        return Err(ArchiveError::NotGzip);
    }
    let most = RATIO_FREE_BYTES.max(archive.len() as u64 * MAX_RATIO);
    // Headers count too: a million empty entries are no chart either.
    let stream = Limited { inner: flate2::read::MultiGzDecoder::new(archive), left: most };
    let mut tar = tar::Archive::new(stream);
    let mut files = Vec::new();
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        budget.entries = budget.entries.checked_sub(1).ok_or(ArchiveError::TooManyEntries)?;
        let name = entry.path_bytes().into_owned();
        if name.len() > MAX_NAME_BYTES {
            return Err(ArchiveError::NameTooLong);
        }
        if name.contains(&0) {
            return Err(ArchiveError::NulInName);
        }
        let name = String::from_utf8(name).map_err(|_bytes| ArchiveError::NameNotText)?;
        match entry.header().entry_type() {
            tar::EntryType::Directory | tar::EntryType::XGlobalHeader | tar::EntryType::XHeader => {
                continue;
            }
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {}
            _ => return Err(ArchiveError::NotRegular { name }),
        }
        // Go takes a name that ends in a slash for a folder.
        if name.ends_with('/') {
            continue;
        }
        let path = path_below_folder(&name)?;
        let size = entry.size();
        if size > budget.bytes {
            return Err(ArchiveError::ChartTooLarge);
        }
        if size > MAX_FILE_BYTES {
            return Err(ArchiveError::FileTooLarge { name });
        }
        // Room that grows by doubling would be twice what it has to be.
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        entry.read_to_end(&mut bytes).map_err(broken)?;
        budget.bytes = budget
            .bytes
            .checked_sub(bytes.len() as u64)
            .filter(|left| *left > 0)
            .ok_or(ArchiveError::ChartTooLarge)?;
        files.push(ChartFile { name: path, bytes: without_mark(bytes.into()) });
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

/// The content without a byte order mark.
pub(crate) fn without_mark(bytes: Bytes) -> Bytes {
    if bytes.starts_with(BYTE_ORDER_MARK) { bytes.slice(BYTE_ORDER_MARK.len()..) } else { bytes }
}

/// Takes the first name off a path and checks where the rest leads.
fn path_below_folder(name: &str) -> Result<String, ArchiveError> {
    // An archive made on Windows.
    let slash = if name.contains('\\') { '\\' } else { '/' };
    let (folder, rest) = name.split_once(slash).unwrap_or((name, ""));
    let rest = rest.replace(slash, "/");
    if rest.starts_with('/') {
        return Err(ArchiveError::AbsolutePath);
    }
    let path = cleaned(&rest);
    if path.is_empty() {
        return Err(if folder == "Chart.yaml" {
            ArchiveError::NoFolder
        } else {
            ArchiveError::OutsideFolder { name: name.to_owned() }
        });
    }
    if path.starts_with("..") {
        return Err(ArchiveError::ParentFolder);
    }
    if matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic()) {
        return Err(ArchiveError::DriveLetter);
    }
    if folder == "Chart.yaml" {
        return Err(ArchiveError::NoFolder);
    }
    Ok(path)
}

/// Go's `path.Clean` of a relative path; empty for the folder itself.
pub fn cleaned(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

fn broken(error: std::io::Error) -> ArchiveError {
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<RatioExceeded>) {
        return ArchiveError::Ratio;
    }
    ArchiveError::Broken(error)
}

/// A stream that fails, rather than ends, when too much came out of it.
struct Limited<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("unpacks to too much")]
struct RatioExceeded;

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| std::io::Error::other(RatioExceeded))?;
        Ok(read)
    }
}
