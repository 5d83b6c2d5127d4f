//! What a document may cost.

/// What a document may cost; beyond it parsing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole input.
    pub bytes: usize,
    /// Collections inside each other.
    pub depth: usize,
    /// Values of all kinds, each as often as it stands there or is referred to.
    pub nodes: usize,
    /// Values that come from aliases alone.
    pub aliased_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, depth: 256, nodes: 8_000_000, aliased_nodes: 400_000 }
    }
}
