//! OCI registries: tags, manifests and blobs over http and https.
//!
//! Everything that comes back is capped and checked against its digest. A registry says how it wants
//! to be asked (basic or bearer); a login goes to it and to the token server that it names.

mod challenge;
mod docker;
mod manifest;
mod registry;

pub use docker::{InvalidDockerConfig, login};
pub use manifest::{Descriptor, Manifest};
pub use registry::{Error, InvalidReference, Registry};
