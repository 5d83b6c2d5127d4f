//! A kustomization of all manifests below a directory that has none.

use file_tree::{Entry, FileTree, TreePath};
use serde_json::{Map, Value};

use crate::Error;
use crate::documents;
use crate::kustomization::FILE_NAMES;

/// Directories are walked this deep.
const MAX_DEPTH: usize = 256;

/// Makes the kustomization.
///
/// Flux: a directory without manifests builds to nothing, for which a placeholder stands.
pub(super) fn generate(
    tree: &FileTree,
    path: &TreePath,
    root_name: &str,
) -> Result<Map<String, Value>, Error> {
    let mut found = Vec::new();
    walk(tree, path, ".", root_name, 0, &mut found)?;
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

fn walk(
    tree: &FileTree,
    directory: &TreePath,
    shown: &str,
    root_name: &str,
    depth: usize,
    found: &mut Vec<String>,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::LimitExceeded { what: "directories inside each other", limit: 256 });
    }
    for (name, entry) in tree.children(directory) {
        let Ok(path) = directory.join(name) else { continue };
        let shown = format!("{shown}/{name}");
        match entry {
            Entry::Directory => {
                let has = |file: &str| path.join(file).is_ok_and(|path| tree.file(&path).is_some());
                if FILE_NAMES.into_iter().any(has) {
                    found.push(shown);
                } else {
                    walk(tree, &path, &shown, root_name, depth + 1, found)?;
                }
            }
            Entry::File(file) => {
                if !is_manifest(name) {
                    continue;
                }
                if let Err(source) = documents::resources(&file.bytes) {
                    let path = format!("{}/{}", root_name.trim_end_matches('/'), path.as_str());
                    return Err(Error::NotKubernetes { path, source });
                }
                found.push(shown);
            }
        }
    }
    Ok(())
}

/// Whether a file of this name is taken for a manifest.
fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml"].into_iter().any(|extension| name.ends_with(extension))
}
