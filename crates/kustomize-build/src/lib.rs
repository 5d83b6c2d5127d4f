//! Kustomizations built as kustomize v5.8.1 builds them.
//!
//! [`build`] reads a kustomization and all that it refers to from a [`FileTree`] — nothing else can
//! be read — and answers the resources in order. [`generate`] does what Flux's controllers do
//! before: it makes the kustomization where there is none and merges the controller's own fields
//! into it.
//!
//! ```
//! use file_tree::{File, FileTree, TreePath};
//! use kustomize_build::{Options, build};
//!
//! let mut tree = FileTree::builder();
//! for (path, text) in [
//!     ("kustomization.yaml", "namePrefix: my-\nresources: [a.yaml]\n"),
//!     ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"),
//! ] {
//!     let file = File { bytes: text.into(), executable: false };
//!     tree.file(&TreePath::parse(path)?, file)?;
//! }
//! let built = build(&tree.build(), &TreePath::ROOT, &Options::command())?;
//! assert_eq!(built.to_yaml(), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: my-a\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod built;
mod config;
mod documents;
mod emit;
mod error;
mod field_spec;
pub mod generate;
mod generator;
mod go_syntax;
mod hash;
mod identity;
mod image;
pub mod json_patch;
mod kustomization;
mod loader;
mod merge;
mod name_reference;
mod options;
mod order;
mod origin;
mod overlay;

#[cfg(feature = "parity")]
pub mod parity;
mod path_match;
mod plugin;
mod reads;
mod remote;
mod resource;
mod resources;
mod schema;
mod selector;
mod shared_label;
mod target;
mod transform;
mod value;
mod vars;

pub use budget::Overspent;
pub use built::Built;
pub use config::MergeError;
pub use documents::DocumentError;
pub use error::Error;
pub use field_spec::FieldError;
pub use generator::{GeneratorError, SourceError};
pub use json_patch::JsonPatchError;
pub use kustomization::{KustomizationError, ShapeError};
pub use loader::LoadError;
pub use merge::StrategicMergeError;
pub use name_reference::NameReferenceError;
pub use options::{Limits, LoadRestriction, Mode, Options};
pub use order::SortError;
pub use overlay::overlay;
pub use path_match::PathError;
pub use plugin::{ConfigError, PluginError};
pub use reads::Reads;
pub use remote::RemoteBases;
pub use resources::ResourcesError;
pub use schema::OpenApiError;
pub use selector::{LabelSelectorError, ObjectSelector, SelectorError};
pub use transform::TransformError;
pub use vars::VarError;

use file_tree::{FileTree, TreePath};

/// Builds the kustomization at `root`.
///
/// # Errors
/// If kustomize would refuse it, if it needs something from outside the tree, or if it costs more
/// than the limits allow.
pub fn build(tree: &FileTree, root: &TreePath, options: &Options) -> Result<Built, Error> {
    target::build(tree, root, None, options, &mut Reads::default())
}

/// Builds a kustomization that stands in place of the file in its directory.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    tree: &FileTree,
    kustomization: &generate::Kustomization,
    options: &Options,
) -> Result<Built, Error> {
    build_noting(tree, kustomization, options, &mut Reads::default())
}

/// As [`build_with`]; `reads` learns what the build, and the making of the kustomization, looked at,
/// also if it fails.
///
/// # Errors
/// As [`build`].
pub fn build_noting(
    tree: &FileTree,
    kustomization: &generate::Kustomization,
    options: &Options,
    reads: &mut Reads,
) -> Result<Built, Error> {
    reads.extend(kustomization.reads());
    target::build(tree, &kustomization.directory, Some(kustomization), options, reads)
}
