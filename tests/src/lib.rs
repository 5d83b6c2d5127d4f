//! What the controllers do together, on a real API server.
//!
//! [`Ground`] is a cluster with our custom resources, [`World`] has our controllers and a git server
//! besides; tests share them. [`Scene`] is what a
//! test has for itself: a namespace and a repository. All tests are in one binary (`tests/system`),
//! because each binary would start a control plane of its own and take seconds to link.

mod objects;
mod replica;
mod scene;
mod shard;
mod world;

pub use objects::Kind;
pub use replica::Replica;
pub use scene::{Ready, Scene};
pub use shard::Shard;
pub use world::{Ground, World, repository_root};
