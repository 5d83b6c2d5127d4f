//! Recursion that follows the nesting of hostile input.

/// Calls the function with at least 1 MiB of stack, on a fresh piece if need be.
///
/// The depth of such recursion is always limited elsewhere; this only makes the limit independent
/// of the size of the calling thread's stack. The megabyte is for what is reached from here without
/// asking again: a function that walks a value down to [`Unbounded::DEPTH`] levels.
///
/// [`Unbounded::DEPTH`]: crate::Unbounded::DEPTH
pub(crate) fn grow<T>(call: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(1 << 20, 8 << 20, call)
}
