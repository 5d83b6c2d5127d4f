//! `image.toolkit.fluxcd.io`.

/// The API group.
pub const GROUP: &str = "image.toolkit.fluxcd.io";
