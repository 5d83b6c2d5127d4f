//! `source.toolkit.fluxcd.io`.

mod git_repository;

pub use git_repository::*;

/// The API group.
pub const GROUP: &str = "source.toolkit.fluxcd.io";
