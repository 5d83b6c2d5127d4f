//! What Flux's controller does before a build: it makes a kustomization where there is none, and
//! merges the fields of its own object into it.
//!
//! Nothing is written: the result is a value that [`build`](crate::build_with) takes in place of
//! the file.

mod merge;
mod scan;

use file_tree::{FileTree, TreePath};
use serde_json::{Map, Value};

use crate::Error;
use crate::kustomization::FILE_NAMES;
use crate::reads::Reads;

/// The fields of a Flux Kustomization that change what is built. Empty ones change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// `spec.targetNamespace`.
    pub target_namespace: Option<String>,
    /// `spec.namePrefix`.
    pub name_prefix: Option<String>,
    /// `spec.nameSuffix`.
    pub name_suffix: Option<String>,
    /// `spec.patches`.
    pub patches: Vec<Patch>,
    /// `spec.components`.
    pub components: Vec<String>,
    /// `spec.ignoreMissingComponents`.
    pub ignore_missing_components: bool,
    /// `spec.images`.
    pub images: Vec<Image>,
    /// `spec.buildMetadata`.
    pub build_metadata: Vec<String>,
    /// `spec.patchesStrategicMerge` of old versions: each a patch as JSON.
    pub patches_strategic_merge: Vec<Value>,
    /// `spec.patchesJson6902` of old versions.
    pub patches_json6902: Vec<Json6902Patch>,
}

/// A patch in YAML or JSON, and what it applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// The patch: a strategic merge patch or a list of JSON 6902 operations.
    pub patch: String,
    /// What it applies to; without it, the object that the patch itself names.
    pub target: Option<Selector>,
}

/// A list of JSON 6902 operations, and what it applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json6902Patch {
    /// The operations, as JSON.
    pub patch: Vec<Value>,
    /// What it applies to.
    pub target: Selector,
}

/// Which objects a patch applies to. Empty parts select all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// A regular expression for the API group.
    pub group: String,
    /// A regular expression for the version.
    pub version: String,
    /// A regular expression for the kind.
    pub kind: String,
    /// A regular expression for the name.
    pub name: String,
    /// A regular expression for the namespace.
    pub namespace: String,
    /// A label selector for the labels.
    pub label_selector: String,
    /// A label selector for the annotations.
    pub annotation_selector: String,
}

/// A new name, tag or digest for an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The image without tag.
    pub name: String,
    /// The name that replaces it.
    pub new_name: String,
    /// The tag that replaces it.
    pub new_tag: String,
    /// The digest that replaces the tag.
    pub digest: String,
}

/// A kustomization that stands in place of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Kustomization {
    /// The directory in which it stands.
    pub(crate) directory: TreePath,
    pub(crate) file_name: &'static str,
    pub(crate) fields: Map<String, Value>,
    reads: Reads,
}

impl Kustomization {
    /// The directory in which it stands.
    pub const fn directory(&self) -> &TreePath {
        &self.directory
    }

    /// What it says.
    pub const fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// What was looked at to make it.
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }
}

/// Makes the kustomization that the controller builds at `path`.
///
/// # Errors
/// If a file is no Kubernetes YAML, the kustomization is malformed, or a component is not local.
pub fn kustomization(
    tree: &FileTree,
    path: &TreePath,
    overlay: &Overlay,
    root_name: &str,
) -> Result<Kustomization, Error> {
    let mut reads = Reads::default();
    reads.paths.extend(FILE_NAMES.into_iter().filter_map(|name| path.join(name).ok()));
    let found =
        FILE_NAMES.into_iter().find_map(|name| Some((name, tree.file(&path.join(name).ok()?)?)));
    let (file_name, mut fields) = match found {
        Some((name, file)) => (name, merge::read(&file.bytes)?),
        None => (FILE_NAMES[0], scan::generate(tree, path, root_name, &mut reads)?),
    };
    merge::overlay(&mut fields, tree, path, overlay)?;
    let components = overlay.components.iter();
    reads.paths.extend(components.filter_map(|component| path.join(component).ok()));
    Ok(Kustomization { directory: path.clone(), file_name, fields, reads })
}
