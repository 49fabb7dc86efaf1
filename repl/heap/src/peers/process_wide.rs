use std::alloc::{GlobalAlloc, Layout};
use std::ptr::NonNull;

use super::Peer;
use crate::Region;

/// An allocator of the whole process that brings its own memory: `system`, and with the feature `jemalloc` that. Tests
/// and benchmarks add `mimalloc`, which is written in C.
///
/// `system` has `malloc_usable_size` and `mallinfo2` where it is glibc; none has a walk of its blocks.
pub struct ProcessWide<G>(G);

/// A process-wide allocator by name.
pub trait Named: GlobalAlloc {
    /// The crate's name, or `system`.
    const NAME: &'static str;
    /// The allocator, a handle without state.
    const HANDLE: Self;
}

impl Named for std::alloc::System {
    const NAME: &'static str = "system";
    const HANDLE: Self = Self;
}

#[cfg(feature = "jemalloc")]
impl Named for tikv_jemallocator::Jemalloc {
    const NAME: &'static str = "jemalloc";
    const HANDLE: Self = Self;
}

impl<G: Named> Peer for ProcessWide<G> {
    const NAME: &'static str = G::NAME;
    const OVER_REGION: bool = false;

    fn over(_: Region) -> Option<Self> {
        Some(Self(G::HANDLE))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the layout has a size.
        NonNull::new(unsafe { self.0.alloc(layout) })
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is `GlobalAlloc`'s.
        unsafe { self.0.dealloc(at.as_ptr(), layout) }
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        Layout::from_size_align(new_bytes, layout.align()).ok()?;
        // SAFETY: the caller's contract is `GlobalAlloc`'s, and the new size makes a layout.
        NonNull::new(unsafe { self.0.realloc(at.as_ptr(), layout, new_bytes) })
    }
}
