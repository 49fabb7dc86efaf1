//! Recursion over expressions that a line may nest [deep](crate::lower): each level gets the stack it needs.

/// Bytes of the process's stack that one level needs at most, with all that it calls before it recurses.
const LEVEL_BYTES: usize = 256 * 1024;
/// Bytes of a new stretch of stack.
const STRETCH_BYTES: usize = 4 * 1024 * 1024;

/// Does `work`, on a new stretch of stack if little is left.
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(LEVEL_BYTES, STRETCH_BYTES, work)
}
