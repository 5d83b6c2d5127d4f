//! What a server may send.

use std::time::Duration;

/// The caps on one conversation. Every byte that a server sends counts against one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long the server may be silent.
    pub idle_timeout: Duration,
    /// The size of the list of references.
    pub refs_bytes: u64,
    /// The size of a pack.
    pub pack_bytes: u64,
    /// The number of objects in a pack.
    pub objects: u32,
    /// The size of one object, inflated.
    pub object_bytes: usize,
    /// The number of entries in all directories of a commit.
    pub tree_entries: usize,
    /// The number of directories above a file.
    pub tree_depth: usize,
    /// The length of a path.
    pub path_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(30),
            refs_bytes: 256 << 20,
            pack_bytes: 2 << 30,
            objects: 2_000_000,
            object_bytes: 128 << 20,
            tree_entries: 500_000,
            tree_depth: 128,
            path_bytes: 4096,
        }
    }
}
