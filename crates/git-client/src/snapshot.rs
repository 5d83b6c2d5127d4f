//! The objects of a commit, and what they say.

use std::{cmp::Ordering, fmt};

use gix_hash::{Kind as HashKind, ObjectId};
use gix_object::{CommitRef, Kind, TreeRefIter, tree::EntryKind as GitKind};
use gix_pack::{Bundle, cache::lru::MemoryCappedHashmap};
use gix_zlib::Inflate;
use tempfile::TempDir;

use crate::{error::Error, limits::Limits};

/// The objects that a server has sent, in a temporary directory that goes with this value.
pub struct Snapshot {
    bundle: Bundle,
    limits: Limits,
    // Last, so that the files are closed before they are removed.
    _directory: TempDir,
}

/// Reads objects. Keeps buffers between calls, so it is for one thread at a time. Blocks.
pub struct Objects<'a> {
    snapshot: &'a Snapshot,
    inflate: Inflate,
    cache: MemoryCappedHashmap,
    buffer: Vec<u8>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub id: String,
    /// The id of its root directory.
    pub tree: String,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The whole message.
    pub message: String,
}

/// Who did something, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// Seconds since the epoch.
    pub seconds: i64,
}

/// A directory, file or other thing in the tree of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The names from the root, joined by slashes.
    ///
    /// Differs: bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its id: for [`Objects::blob`] if it is a file or a link.
    pub id: String,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory; what it holds follows.
    Directory,
    /// A regular file.
    File {
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symbolic link; its blob is the target.
    Symlink,
    /// Another repository; its id is a commit there.
    Submodule,
}

/// How much memory the objects take that others are built upon.
const CACHE_BYTES: usize = 16 << 20;

/// The id of the tree without entries, which servers need not send.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

impl Snapshot {
    pub(crate) fn new(bundle: Bundle, directory: TempDir, limits: Limits) -> Self {
        Self { bundle, limits, _directory: directory }
    }

    /// A reader of the objects.
    pub fn objects(&self) -> Objects<'_> {
        Objects {
            snapshot: self,
            inflate: Inflate::default(),
            cache: MemoryCappedHashmap::new(CACHE_BYTES),
            buffer: Vec::new(),
        }
    }

    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.bundle.index.lookup(id).is_some()
    }
}

impl Objects<'_> {
    /// The commit with this id.
    ///
    /// # Errors
    /// If there is none, or it is broken.
    pub fn commit(&mut self, id: &str) -> Result<Commit, Error> {
        let missing = || Error::CommitNotFound { id: id.to_owned() };
        let object = ObjectId::from_hex(id.as_bytes()).map_err(|_syntax| missing())?;
        if !self.snapshot.has(&object) {
            return Err(missing());
        }
        let data = self.data(&object, Kind::Commit, "read the commit")?;
        let commit = CommitRef::from_bytes(data, HashKind::Sha1)
            .map_err(|error| broken("read the commit", &error))?;
        Ok(Commit {
            id: id.to_owned(),
            tree: commit.tree().to_string(),
            author: signature(commit.author),
            committer: signature(commit.committer),
            message: commit.message.to_string(),
        })
    }

    /// Everything below the directory with this id, in the order in which Go walks directories: by
    /// name, and what a directory holds right after it.
    ///
    /// # Errors
    /// If an object is missing or broken, a name is none, or there is too much of it.
    pub fn tree(&mut self, id: &str) -> Result<Vec<TreeEntry>, Error> {
        let mut entries: Vec<TreeEntry> = Vec::new();
        // What is to be visited, the next at the end; directories are replaced by what they hold.
        let mut pending = self.directory(id, "", 0)?;
        while let Some((entry, depth)) = pending.pop() {
            if entry.kind == EntryKind::Directory {
                pending.extend(self.directory(&entry.id, &entry.path, depth + 1)?);
            }
            entries.push(entry);
            if entries.len() + pending.len() > self.snapshot.limits.tree_entries {
                let limit = self.snapshot.limits.tree_entries.to_string();
                return Err(Error::TooLarge { what: "the files of the commit", limit });
            }
        }
        Ok(entries)
    }

    /// The content of a file, or the target of a link.
    ///
    /// # Errors
    /// If the object is missing or broken.
    pub fn blob(&mut self, id: &str) -> Result<&[u8], Error> {
        let action = "read a file";
        let id = ObjectId::from_hex(id.as_bytes()).map_err(|error| broken(action, &error))?;
        self.data(&id, Kind::Blob, action)
    }

    /// What one directory holds, last name first.
    fn directory(
        &mut self,
        id: &str,
        path: &str,
        depth: usize,
    ) -> Result<Vec<(TreeEntry, usize)>, Error> {
        let action = "read a directory";
        let limits = self.snapshot.limits.clone();
        if depth > limits.tree_depth {
            let limit = format!("{} levels", limits.tree_depth);
            return Err(Error::TooLarge { what: "directories within each other", limit });
        }
        if id == EMPTY_TREE {
            return Ok(Vec::new());
        }
        let id = ObjectId::from_hex(id.as_bytes()).map_err(|error| broken(action, &error))?;
        let data = self.data(&id, Kind::Tree, action)?;
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(data, HashKind::Sha1) {
            let entry = entry.map_err(|error| broken(action, &error))?;
            let name = String::from_utf8_lossy(entry.filename);
            check_name(&name)?;
            let path = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
            if path.len() > limits.path_bytes {
                let limit = format!("{} bytes", limits.path_bytes);
                return Err(Error::TooLarge { what: "the path of a file", limit });
            }
            let kind = match entry.mode.kind() {
                GitKind::Tree => EntryKind::Directory,
                GitKind::Blob => EntryKind::File { executable: false },
                GitKind::BlobExecutable => EntryKind::File { executable: true },
                GitKind::Link => EntryKind::Symlink,
                GitKind::Commit => EntryKind::Submodule,
            };
            entries.push((TreeEntry { path, kind, id: entry.oid.to_string() }, depth));
        }
        // Git orders a directory as if its name ended in a slash; Go does not.
        entries.sort_by(|(one, _), (other, _)| other.path.cmp(&one.path));
        if entries.windows(2).any(|pair| pair[0].0.path.cmp(&pair[1].0.path) == Ordering::Equal) {
            return Err(Error::Objects { action, detail: "it holds one name twice".to_owned() });
        }
        Ok(entries)
    }

    fn data(&mut self, id: &ObjectId, kind: Kind, action: &'static str) -> Result<&[u8], Error> {
        let found = self
            .snapshot
            .bundle
            .find(id, &mut self.buffer, &mut self.inflate, &mut self.cache)
            .map_err(|error| broken(action, &error))?;
        match found {
            Some((data, _)) if data.kind == kind => Ok(data.data),
            Some(_) => Err(Error::Objects { action, detail: format!("{id} is not a {kind}") }),
            None => Err(Error::Objects { action, detail: format!("{id} was not sent") }),
        }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let is_git = name.eq_ignore_ascii_case(".git");
    if name.is_empty() || is_git || matches!(name, "." | "..") || name.contains(['/', '\\', '\0']) {
        return Err(Error::FileName { name: name.chars().take(256).collect() });
    }
    Ok(())
}

/// Reads `name <mail> seconds offset`. A commit whose author is unreadable is still a commit.
fn signature(line: &[u8]) -> Signature {
    let line = String::from_utf8_lossy(line);
    let (name, rest) = line.split_once('<').unwrap_or((&line, ""));
    let (email, time) = rest.rsplit_once('>').unwrap_or((rest, ""));
    let seconds = time.split_whitespace().next().and_then(|seconds| seconds.parse().ok());
    Signature {
        name: name.trim().to_owned(),
        email: email.trim().to_owned(),
        seconds: seconds.unwrap_or_default(),
    }
}

fn broken(action: &'static str, error: &dyn fmt::Display) -> Error {
    Error::Objects { action, detail: error.to_string() }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.bundle.index.num_objects();
        f.debug_struct("Snapshot").field("objects", &objects).finish_non_exhaustive()
    }
}

impl fmt::Debug for Objects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("snapshot", self.snapshot).finish_non_exhaustive()
    }
}
