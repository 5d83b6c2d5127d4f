//! `kustomize.toolkit.fluxcd.io`.

mod kustomization;

pub use crate::appliers::{CommonMetadata, CustomHealthCheck};
pub use kustomization::*;

/// The API group.
pub const GROUP: &str = "kustomize.toolkit.fluxcd.io";
