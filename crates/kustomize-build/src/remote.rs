//! Bases in other repositories. A build fetches nothing: it says what it lacks, and may be begun again
//! with it.

use std::collections::BTreeMap;

use file_tree::{FileTree, TreePath};

/// Directories of other repositories, by the address under which a kustomization names them.
///
/// Who allows them builds in rounds: a build that lacks one fails with an error whose
/// [`missing_base`](crate::Error::missing_base) is the address. It is fetched under limits, added
/// here, and the build begun again; the number of rounds is the caller's limit.
#[derive(Clone, Debug, Default)]
pub struct RemoteBases(BTreeMap<String, RemoteBase>);

/// A directory of another repository.
#[derive(Clone, Debug)]
pub(crate) struct RemoteBase {
    pub(crate) tree: FileTree,
    pub(crate) directory: TreePath,
}

impl RemoteBases {
    /// Adds what an address stands for: a tree, and the directory in it that is built.
    pub fn insert(&mut self, url: String, tree: FileTree, directory: TreePath) {
        self.0.insert(url, RemoteBase { tree, directory });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What an address stands for, and the address itself.
    pub(crate) fn get(&self, url: &str) -> Option<(&str, &RemoteBase)> {
        self.0.get_key_value(url).map(|(url, base)| (url.as_str(), base))
    }
}
