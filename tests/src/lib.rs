//! What the controllers do together, on a real API server.
//!
//! [`World`] is what tests share: a control plane, the controllers, a git server. [`Scene`] is what a
//! test has for itself: a namespace and a repository. All tests are in one binary (`tests/system`),
//! because each binary would start a control plane of its own and take seconds to link.

mod objects;
mod scene;
mod world;

pub use objects::Kind;
pub use scene::{Ready, Scene};
pub use world::{World, repository_root};
