//! What of a tree a build has looked at.

use std::collections::BTreeSet;

use file_tree::{Entry, FileTree, TreePath};
use sha2::{Digest as _, Sha256};

/// The names that a build has looked up, found or not. A build of another tree in which all of them
/// are the same has the same result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Files that were read, directories that were entered, and names that were not there.
    pub paths: BTreeSet<TreePath>,
    /// Directories of which all entries counted: those without a kustomization.
    pub listed: BTreeSet<TreePath>,
}

impl Reads {
    /// A SHA-256 of all that was looked at, as it is in `tree`.
    ///
    /// Two trees with the same digest build to the same; what else they hold does not count. It
    /// costs one pass over the bytes that the build has read.
    pub fn digest(&self, tree: &FileTree) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut field = |tag: u8, bytes: &[u8]| {
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        for path in &self.paths {
            field(b'p', path.as_str().as_bytes());
            match tree.file(path) {
                Some(file) => field(b'f', &file.bytes),
                None if tree.is_directory(path) => field(b'd', &[]),
                None => field(b'-', &[]),
            }
        }
        for directory in &self.listed {
            field(b'l', directory.as_str().as_bytes());
            for (name, entry) in tree.children(directory) {
                let tag = if matches!(entry, Entry::Directory) { b'D' } else { b'F' };
                field(tag, name.as_bytes());
            }
        }
        hasher.finalize().into()
    }

    /// Adds what another step has looked at.
    pub fn extend(&mut self, other: &Self) {
        self.paths.extend(other.paths.iter().cloned());
        self.listed.extend(other.listed.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use file_tree::{File, FileTree, TreePath};

    use super::*;
    use crate::{Options, build_noting, generate};

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::builder();
        for (path, text) in files {
            let file = File { bytes: (*text).to_owned().into(), executable: false };
            tree.file(&TreePath::parse(path).unwrap(), file).unwrap();
        }
        tree.build()
    }

    fn digest(reads: &Reads, files: &[(&str, &str)], more: &[(&str, &str)]) -> [u8; 32] {
        reads.digest(&tree(&[files, more].concat()))
    }

    fn reads(files: &[(&str, &str)], root: &str) -> Reads {
        let (tree, root) = (tree(files), TreePath::parse(root).unwrap());
        let overlay = generate::Overlay::default();
        let kustomization = generate::kustomization(&tree, &root, &overlay, "").unwrap();
        let mut reads = Reads::default();
        build_noting(&tree, &kustomization, &Options::controller(), &mut reads).unwrap();
        reads
    }

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    #[test]
    fn bases_and_generator_files_count_and_neighbours_do_not() {
        let files = [
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", MAP),
            (
                "app/kustomization.yaml",
                "resources: [../base]\nconfigMapGenerator: [{name: g, files: [x.txt]}]\n",
            ),
            ("app/x.txt", "x"),
            ("other/kustomization.yaml", "resources: []\n"),
        ];
        let reads = reads(&files, "app");
        let before = digest(&reads, &files, &[]);
        assert_eq!(before, digest(&reads, &files, &[("other/new.yaml", MAP)]));
        assert_eq!(before, digest(&reads, &files, &[("app/unused.yaml", MAP)]));
        for changed in [
            ("base/a.yaml", "other"),
            ("app/x.txt", "y"),
            ("base/kustomization.yaml", "resources: []\n"),
            ("base/kustomization.yml", "resources: []\n"),
        ] {
            assert_ne!(before, digest(&reads, &files, &[changed]), "{changed:?}");
        }
    }

    #[test]
    fn without_a_kustomization_a_new_file_counts() {
        let files = [("app/a.yaml", MAP), ("app/sub/b.yaml", &MAP.replace("name: a", "name: b"))];
        let reads = reads(&files, "app");
        let before = digest(&reads, &files, &[]);
        assert_eq!(before, digest(&reads, &files, &[("new.yaml", MAP)]));
        assert_ne!(before, digest(&reads, &files, &[("app/sub/new.yaml", MAP)]));
        assert_ne!(before, digest(&reads, &files, &[("app/sub/kustomization.yaml", "")]));
        assert_ne!(before, digest(&reads, &files, &[("app/a.yaml", "other")]));
    }
}
