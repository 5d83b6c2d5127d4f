//! Artifacts: how one is packed, kept, served, brought over and opened.
//!
//! An artifact is a reproducible `tar.gz` that a source advertises by URL and digest. The producing
//! side is [`pack`] → [`Store`] → [`serve`]; the consuming side is [`fetch`] → [`open`], which
//! [`Shelf`] joins so that a revision is brought over and opened once, however many use it.
//!
//! Nothing here trusts its input: names are checked on both sides, sizes, counts and ratios are
//! capped on both sides, and bytes are opened only after their digest was found right.

pub mod digest;
pub mod fetch;
pub mod open;
pub mod pack;
pub mod serve;
pub mod shelf;
pub mod store;

pub use digest::{Algorithm, Digest};
pub use fetch::Fetcher;
pub use shelf::Shelf;
pub use store::Store;
