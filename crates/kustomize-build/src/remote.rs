//! Bases in other repositories, and files behind addresses. A build fetches nothing: it says what it lacks, and may be begun again
//! with it.

use std::collections::BTreeMap;

use bytes::Bytes;
use file_tree::{FileTree, TreePath};

/// Directories of other repositories and files, by the address under which a kustomization names them.
///
/// Who allows them builds in rounds: a build that lacks one fails with an error whose
/// [`missing_base`](crate::Error::missing_base) is the address. It is fetched under limits, added
/// here, and the build begun again; the number of rounds is the caller's limit.
#[derive(Clone, Debug, Default)]
pub struct RemoteBases {
    directories: BTreeMap<String, RemoteBase>,
    files: BTreeMap<String, Bytes>,
}

/// A directory of another repository.
#[derive(Clone, Debug)]
pub(crate) struct RemoteBase {
    pub(crate) tree: FileTree,
    pub(crate) directory: TreePath,
}

impl RemoteBases {
    /// Adds what an address stands for: a tree, and the directory in it that is built.
    pub fn insert(&mut self, url: String, tree: FileTree, directory: TreePath) {
        self.directories.insert(url, RemoteBase { tree, directory });
    }

    /// Adds the file that an address stands for.
    pub fn insert_file(&mut self, url: String, content: Bytes) {
        self.files.insert(url, content);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.directories.len() + self.files.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.files.is_empty()
    }

    /// What an address stands for, and the address itself.
    pub(crate) fn get(&self, url: &str) -> Option<(&str, &RemoteBase)> {
        self.directories.get_key_value(url).map(|(url, base)| (url.as_str(), base))
    }

    /// The file that an address stands for.
    pub(crate) fn file(&self, url: &str) -> Option<&Bytes> {
        self.files.get(url)
    }
}
