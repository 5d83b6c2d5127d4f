//! What a document may cost.

/// What a document may cost; beyond it parsing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole input.
    pub bytes: usize,
    /// Collections inside each other, those that aliases bring in included.
    pub depth: usize,
    /// Values of all kinds, each as often as it stands there or is referred to.
    pub nodes: usize,
    /// Values that come from aliases alone. Go's own measure, which depends on the size of the
    /// document, holds besides.
    pub aliased_nodes: usize,
    /// Bytes of text that come from aliases alone.
    pub aliased_bytes: usize,
}

impl Default for Limits {
    /// Room for the largest chart repository indexes that there are.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 256,
            nodes: 8_000_000,
            aliased_nodes: 400_000,
            aliased_bytes: 64 << 20,
        }
    }
}
