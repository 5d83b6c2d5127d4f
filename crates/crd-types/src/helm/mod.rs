//! `helm.toolkit.fluxcd.io`.

/// The API group.
pub const GROUP: &str = "helm.toolkit.fluxcd.io";
