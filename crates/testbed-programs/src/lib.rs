//! Finds and builds the programs that the test bed runs: a control plane, and real tools to compare with.
//!
//! They are built once from the Go module registry into a cache directory outside the repository.
//! The crate is apart from `testbed` because `cargo xtask setup` needs it without an API client.

mod build;
mod locate;

pub use build::{BuildError, build};
pub use locate::{Assets, MissingAsset, Program, cache_dir};

/// The Kubernetes version of the control plane; it is part of the cache directory's name.
pub const KUBERNETES_VERSION: &str = "1.34.3";
