//! Recursion that follows the nesting of hostile input.

/// Calls the function with at least 128 KiB of stack, on a fresh piece if need be.
///
/// The depth of such recursion is always limited elsewhere; this only makes the limit independent
/// of the size of the calling thread's stack.
pub(crate) fn grow<T>(call: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 << 10, 2 << 20, call)
}
