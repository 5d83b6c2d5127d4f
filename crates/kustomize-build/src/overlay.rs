//! A kustomization over objects that come from elsewhere, as Flux's post-renderers apply it.

use file_tree::{File, FileTree, TreePath};
use serde_json::{Map, Value};

use crate::{Built, Error, Options, build};

/// The file that stands for the objects; messages name it. Flux's own name.
const INPUT: &str = "helm-output.yaml";

/// Applies a kustomization to objects: its patches, images and whatever else it says. Its
/// `resources` and what it names by path do not count, since there is nothing but the objects.
///
/// # Errors
/// As [`build`].
pub fn overlay(
    documents: Vec<Map<String, Value>>,
    mut kustomization: Map<String, Value>,
    options: &Options,
) -> Result<Built, Error> {
    kustomization.insert("resources".to_owned(), vec![INPUT].into());
    let objects = Built { documents, warnings: Vec::new() }.to_yaml();
    let mut tree = FileTree::builder();
    let kustomization = Value::Object(kustomization).to_string();
    for (name, text) in [("kustomization.yaml", kustomization), (INPUT, objects)] {
        let file = File { bytes: text.into(), executable: false };
        let Ok(path) = TreePath::parse(name) else { continue };
        // Two plain names in an empty tree cannot be in each other's way.
        tree.file(&path, file).ok();
    }
    build(&tree.build(), &TreePath::ROOT, options)
}
