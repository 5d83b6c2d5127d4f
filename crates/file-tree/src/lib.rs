//! A confined tree of files held in memory.
//!
//! What a source contains is untrusted, so whoever reads it gets this value and nothing else: a path
//! is either inside the tree or an error, and there is no file system behind it. Contents are
//! [`bytes::Bytes`], normally slices of one buffer, so that a tree of ten thousand files is one allocation
//! and can be shared by every reader of a revision.

mod path;
mod tree;

pub use path::{PathError, TreePath};
pub use tree::{BuildError, Builder, Entry, File, FileTree};
