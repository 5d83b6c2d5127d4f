//! `notification.toolkit.fluxcd.io`.

/// The API group.
pub const GROUP: &str = "notification.toolkit.fluxcd.io";
