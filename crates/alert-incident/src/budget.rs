//! The memory that all incidents of a process may take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Limit: bytes, about, of all that is remembered of incidents.
const BYTES: usize = 32 << 20;

/// The memory that all incidents of a process may take together, in bytes, about.
#[derive(Debug)]
pub struct Budget {
    left: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(BYTES)
    }
}

impl Budget {
    /// So many bytes.
    pub const fn of(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes) }
    }

    fn reserve(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// A part of a budget. Dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Place {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Place {
    /// That many bytes, if there are any left.
    pub(crate) fn of(budget: &Arc<Budget>, bytes: usize) -> Option<Self> {
        budget.reserve(bytes).then(|| Self { budget: Arc::clone(budget), bytes })
    }

    /// Takes more, if there is more, and says so.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let grown = self.budget.reserve(bytes);
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Gives some back.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        drop(self.split(bytes));
    }

    /// Makes a place of its own of a part.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { budget: Arc::clone(&self.budget), bytes }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
