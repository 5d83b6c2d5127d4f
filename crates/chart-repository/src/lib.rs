//! Helm repositories: index and chart archives over http and https.
//!
//! A [`Repository`] brings its index over into a file, piece by piece, and a chart's archive into
//! memory, both under caps and checked against the digest that the index has. [`choice::version`]
//! says which version of a chart Flux takes.

pub mod choice;
mod repository;

pub use repository::{Downloaded, FetchError, InvalidUrl, Repository, normalized};
