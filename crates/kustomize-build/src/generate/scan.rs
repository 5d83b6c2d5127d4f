//! A kustomization of all manifests below a directory that has none.

use file_tree::{Entry, FileTree, TreePath};
use serde_json::{Map, Value};

use crate::Error;
use crate::documents;
use crate::kustomization::FILE_NAMES;
use crate::reads::Reads;

/// Directories are walked this deep.
const MAX_DEPTH: usize = 256;

/// Makes the kustomization.
///
/// Flux: a directory without manifests builds to nothing, for which a placeholder stands.
pub(super) fn generate(
    tree: &FileTree,
    path: &TreePath,
    root_name: &str,
    reads: &mut Reads,
) -> Result<Map<String, Value>, Error> {
    let mut found = Vec::new();
    let mut scan = Scan { tree, root_name, found: &mut found, reads };
    scan.walk(path, ".", 0)?;
    let mut fields = Map::new();
    fields.insert("apiVersion".to_owned(), "kustomize.config.k8s.io/v1beta1".into());
    fields.insert("kind".to_owned(), "Kustomization".into());
    if found.is_empty() {
        fields.insert("namespace".to_owned(), "_placeholder".into());
    } else {
        fields.insert("resources".to_owned(), found.into());
    }
    Ok(fields)
}

struct Scan<'a> {
    tree: &'a FileTree,
    root_name: &'a str,
    found: &'a mut Vec<String>,
    reads: &'a mut Reads,
}

impl Scan<'_> {
    fn walk(&mut self, directory: &TreePath, shown: &str, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::LimitExceeded { what: "directories inside each other", limit: 256 });
        }
        self.reads.listed.insert(directory.clone());
        for (name, entry) in self.tree.children(directory) {
            let Ok(path) = directory.join(name) else { continue };
            let shown = format!("{shown}/{name}");
            match entry {
                Entry::Directory => {
                    if self.is_kustomization(&path) {
                        self.found.push(shown);
                    } else {
                        self.walk(&path, &shown, depth + 1)?;
                    }
                }
                Entry::File(file) => {
                    if !is_manifest(name) {
                        continue;
                    }
                    if let Err(source) = documents::resources(&file.bytes) {
                        let root = self.root_name.trim_end_matches('/');
                        let path = format!("{root}/{}", path.as_str());
                        return Err(Error::NotKubernetes { path, source });
                    }
                    self.found.push(shown);
                }
            }
        }
        Ok(())
    }

    fn is_kustomization(&mut self, directory: &TreePath) -> bool {
        FILE_NAMES.into_iter().filter_map(|name| directory.join(name).ok()).any(|path| {
            let there = self.tree.file(&path).is_some();
            self.reads.paths.insert(path);
            there
        })
    }
}

/// Whether a file of this name is taken for a manifest.
fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml"].into_iter().any(|extension| name.ends_with(extension))
}
