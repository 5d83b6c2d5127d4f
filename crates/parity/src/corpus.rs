//! The corpus' archives.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use file_tree::{File, FileTree, TreePath};

use crate::report::ParityError;

/// The files of a `.tar.zst`, by path.
pub(crate) fn zstd(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, ParityError> {
    let packed = read(path)?;
    let mut stream = ruzstd::decoding::StreamingDecoder::new(&packed[..])
        .map_err(|error| layout(path, error.to_string()))?;
    let mut tar = Vec::new();
    stream.read_to_end(&mut tar).map_err(|source| failed(path, source))?;
    let mut files = BTreeMap::new();
    each_file(&tar[..], &mut |name, bytes| {
        files.insert(name.trim_start_matches("./").to_owned(), bytes);
        Ok(())
    })
    .map_err(|source| failed(path, source))?;
    Ok(files)
}

/// The chart's folder in a `.tgz` as a tree whose root it is.
pub(crate) fn chart_folder(path: &Path) -> Result<FileTree, ParityError> {
    let packed = read(path)?;
    let mut builder = FileTree::builder();
    each_file(flate2::read::MultiGzDecoder::new(&packed[..]), &mut |name, bytes| {
        let name = name.trim_start_matches("./");
        let below = name.split_once('/').map_or("", |(_, rest)| rest);
        let place = TreePath::parse(below).map_err(std::io::Error::other)?;
        let file = File { bytes: bytes.into(), executable: false };
        builder.file(&place, file).map_err(std::io::Error::other)?;
        Ok(())
    })
    .map_err(|source| failed(path, source))?;
    Ok(builder.build())
}

fn each_file(
    tar: impl Read,
    visit: &mut dyn FnMut(&str, Vec<u8>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            visit(&name, bytes)?;
        }
    }
    Ok(())
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ParityError> {
    std::fs::read(path).map_err(|source| failed(path, source))
}

/// A file as JSON.
pub(crate) fn json(path: &Path) -> Result<serde_json::Value, ParityError> {
    serde_json::from_slice(&read(path)?).map_err(|error| layout(path, error.to_string()))
}

pub(crate) fn failed(path: &Path, source: std::io::Error) -> ParityError {
    ParityError::Read { path: path.display().to_string(), source }
}

pub(crate) fn layout(path: &Path, reason: impl Into<String>) -> ParityError {
    ParityError::Layout { path: path.display().to_string(), reason: reason.into() }
}
