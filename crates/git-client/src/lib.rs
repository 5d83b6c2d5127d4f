//! Git repositories, read over http and https.
//!
//! ```text
//! Client → Session::open → resolve (which commit?) → fetch (its objects) → Snapshot (commit, tree, blobs)
//! ```
//! The conversation is ours: small, asynchronous, with a deadline and a cap on everything a server
//! sends, and with errors that say what Flux says. Objects and packs are gitoxide's. Nothing is
//! ever checked out: a snapshot is a pack in a temporary directory, which goes with its value.

mod access;
mod error;
mod file;
mod http;
mod limits;
mod pack;
mod protocol;
mod reach;
mod resolve;
mod session;
mod snapshot;

pub use access::{Access, Credentials, InvalidAccess};
pub use error::Error;
pub use http::{Client, Remote};
pub use http_access::{Access as Connection, Cause, ClientCertificate, Login, Proxy, Secret};
pub use limits::Limits;
pub use reach::Reach;
pub use resolve::{Reference, Target};
pub use session::Session;
pub use snapshot::{Commit, EntryKind, Objects, Signature, Snapshot, TreeEntry};
