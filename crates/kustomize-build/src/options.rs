//! How a build is to be done.

use crate::remote::RemoteBases;

/// How a build is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose build it is.
    pub mode: Mode,
    /// What a kustomization may read.
    pub load: LoadRestriction,
    /// How messages name the root of the tree: an absolute path without a slash at its end.
    pub root_name: String,
    /// The value of the label that `buildMetadata: [managedByLabel]` sets, after `kustomize-`.
    pub version: String,
    /// What a build may cost.
    pub limits: Limits,
    /// What it may use of other repositories: nothing, unless somebody brought it along.
    pub remote_bases: RemoteBases,
}

/// Whose build it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `kustomize build`: sorts in the legacy order unless told otherwise; an `openapi` field
    /// replaces what is known of Kubernetes' own kinds.
    Command,
    /// Flux's controllers: never sort unless told to; an `openapi` field adds to what is known.
    Controller,
}

/// What a kustomization may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadRestriction {
    /// Files in and below its own directory (the command's default).
    RootOnly,
    /// Any file of the tree (Flux's controllers).
    Tree,
}

/// What a build may cost; beyond it the build fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Kustomizations inside each other.
    pub depth: usize,
    /// Files that are read, each as often as it is.
    pub files: usize,
    /// Bytes that are read, each as often as it is.
    pub bytes: u64,
    /// Resources, of all kustomizations together.
    pub resources: usize,
    /// Bytes that are written: what the fields of kustomizations put into resources, again for each,
    /// and what the result is when it is printed.
    pub written_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            files: 20_000,
            bytes: 256 << 20,
            resources: 50_000,
            written_bytes: 256 << 20,
        }
    }
}

impl Options {
    /// As `kustomize build` does it.
    pub fn command() -> Self {
        Self {
            mode: Mode::Command,
            load: LoadRestriction::RootOnly,
            root_name: String::new(),
            version: "v5.8.1".to_owned(),
            limits: Limits::default(),
            remote_bases: RemoteBases::default(),
        }
    }

    /// As Flux's controllers do it.
    pub fn controller() -> Self {
        Self {
            mode: Mode::Controller,
            load: LoadRestriction::Tree,
            version: "(devel)".to_owned(),
            ..Self::command()
        }
    }
}
