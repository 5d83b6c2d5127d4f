//! The tree itself, and how it is filled.

use std::collections::{BTreeMap, btree_map};

use bytes::Bytes;

use crate::TreePath;

/// A tree of directories and files; read-only once it is built.
#[derive(Clone, Debug, Default)]
pub struct FileTree {
    directories: BTreeMap<TreePath, BTreeMap<String, Entry>>,
    size_bytes: u64,
}

/// What a directory holds under one name.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A directory, listed by [`FileTree::children`] of its own path.
    Directory,
    /// A regular file.
    File(File),
}

/// A regular file.
#[derive(Clone, Debug)]
pub struct File {
    /// The content.
    pub bytes: Bytes,
    /// Whether any execute bit is set.
    pub executable: bool,
}

/// Why a tree could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// One path is a file and a directory at once.
    #[error("`{path}` is both a file and a directory")]
    FileAndDirectory {
        /// The path in question.
        path: String,
    },
}

impl FileTree {
    /// Starts an empty tree, which holds only its root.
    pub fn builder() -> Builder {
        let mut tree = Self::default();
        tree.directories.insert(TreePath::ROOT, BTreeMap::new());
        Builder { tree }
    }

    /// Starts with what is in this tree. Contents are shared.
    pub fn to_builder(&self) -> Builder {
        Builder { tree: self.clone() }
    }

    /// The file at `path`, if there is one.
    pub fn file(&self, path: &TreePath) -> Option<&File> {
        match self.directories.get(&path.parent()?)?.get(path.file_name()?)? {
            Entry::File(file) => Some(file),
            Entry::Directory => None,
        }
    }

    /// Whether `path` is a directory.
    pub fn is_directory(&self, path: &TreePath) -> bool {
        self.directories.contains_key(path)
    }

    /// What the directory holds, sorted by name; nothing if it is no directory.
    pub fn children(&self, directory: &TreePath) -> btree_map::Iter<'_, String, Entry> {
        static EMPTY: BTreeMap<String, Entry> = BTreeMap::new();
        self.directories.get(directory).unwrap_or(&EMPTY).iter()
    }

    /// The sum of all file sizes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Every directory with its entries, sorted by path.
    pub fn directories(&self) -> btree_map::Iter<'_, TreePath, BTreeMap<String, Entry>> {
        self.directories.iter()
    }
}

/// Fills a tree.
#[derive(Debug)]
pub struct Builder {
    tree: FileTree,
}

impl Builder {
    /// Adds a directory and those above it.
    ///
    /// # Errors
    /// If the path, or one above it, is a file.
    pub fn directory(&mut self, path: &TreePath) -> Result<&mut Self, BuildError> {
        if self.tree.directories.contains_key(path) {
            return Ok(self);
        }
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            self.directory(&parent)?;
            let entries = self.tree.directories.entry(parent).or_default();
            if let Some(Entry::File(_)) = entries.get(name) {
                return Err(BuildError::FileAndDirectory { path: path.to_string() });
            }
            entries.insert(name.to_owned(), Entry::Directory);
        }
        self.tree.directories.insert(path.clone(), BTreeMap::new());
        Ok(self)
    }

    /// Adds a file and the directories above it; a second file of the same path replaces the first.
    ///
    /// # Errors
    /// If the path is a directory, or one above it is a file.
    pub fn file(&mut self, path: &TreePath, file: File) -> Result<&mut Self, BuildError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(BuildError::FileAndDirectory { path: path.to_string() });
        };
        if self.tree.directories.contains_key(path) {
            return Err(BuildError::FileAndDirectory { path: path.to_string() });
        }
        self.directory(&parent)?;
        self.tree.size_bytes += file.bytes.len() as u64;
        let entries = self.tree.directories.entry(parent).or_default();
        if let Some(Entry::File(old)) = entries.insert(name.to_owned(), Entry::File(file)) {
            self.tree.size_bytes -= old.bytes.len() as u64;
        }
        Ok(self)
    }

    /// The finished tree.
    pub fn build(self) -> FileTree {
        self.tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    fn text(content: &'static str) -> File {
        File { bytes: Bytes::from_static(content.as_bytes()), executable: false }
    }

    #[test]
    fn files_bring_their_directories() {
        let mut builder = FileTree::builder();
        builder.file(&path("apps/web/a.yaml"), text("a")).unwrap();
        builder.file(&path("apps/b.yaml"), text("bb")).unwrap();
        let tree = builder.build();
        assert!(tree.is_directory(&path("apps/web")));
        let names: Vec<_> = tree.children(&path("apps")).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b.yaml", "web"]);
        assert_eq!(tree.size_bytes(), 3);
        assert_eq!(tree.file(&path("apps/web/a.yaml")).unwrap().bytes, "a");
        assert!(tree.file(&path("apps/web")).is_none());
        assert!(tree.children(&path("none")).next().is_none());
    }

    #[test]
    fn a_path_is_not_a_file_and_a_directory() {
        let mut builder = FileTree::builder();
        builder.file(&path("a"), text("1")).unwrap();
        assert!(builder.file(&path("a/b"), text("2")).is_err());
        builder.directory(&path("d")).unwrap();
        assert!(builder.file(&path("d"), text("3")).is_err());
        assert!(builder.file(&TreePath::ROOT, text("4")).is_err());
    }
}
