use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

use super::Peer;
use crate::Region;

/// An allocator of the whole process that brings its own memory: `system`, `mimalloc`, and with the feature `jemalloc`
/// that. None has a walk of its blocks.
pub struct ProcessWide<G>(G);

/// An allocator that may know how large a block of its really is.
pub trait Usable: GlobalAlloc + Sync {
    /// The bytes of a block that its owner may use: at least those asked for.
    ///
    /// # Safety
    ///
    /// `at` is a live block of this allocator with this layout.
    unsafe fn usable_bytes(&self, _at: NonNull<u8>, layout: Layout) -> usize {
        layout.size()
    }
}

/// A process-wide allocator by name.
pub trait Named: Usable {
    /// The crate's name, or `system`.
    const NAME: &'static str;
    /// The allocator, a handle without state.
    const HANDLE: Self;
}

// Miri cannot call C, and has a system of its own.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe extern "C" {
    #[link_name = "malloc_usable_size"]
    fn usable_size(block: *const u8) -> usize;
}

#[cfg(all(target_vendor = "apple", not(miri)))]
unsafe extern "C" {
    #[link_name = "malloc_size"]
    fn usable_size(block: *const u8) -> usize;
}

impl Usable for System {
    #[cfg(all(any(target_os = "linux", target_vendor = "apple"), not(miri)))]
    unsafe fn usable_bytes(&self, at: NonNull<u8>, _: Layout) -> usize {
        // SAFETY: on these systems `System` is the C library's malloc, and the block is live.
        unsafe { usable_size(at.as_ptr()) }
    }
}

impl Named for System {
    const NAME: &'static str = "system";
    const HANDLE: Self = Self;
}

#[cfg(not(target_arch = "wasm32"))]
impl Usable for mimalloc::MiMalloc {
    unsafe fn usable_bytes(&self, at: NonNull<u8>, _: Layout) -> usize {
        // SAFETY: the block is live.
        unsafe { self.usable_size(at.as_ptr()) }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Named for mimalloc::MiMalloc {
    const NAME: &'static str = "mimalloc";
    const HANDLE: Self = Self;
}

#[cfg(feature = "jemalloc")]
impl Usable for tikv_jemallocator::Jemalloc {
    unsafe fn usable_bytes(&self, at: NonNull<u8>, _: Layout) -> usize {
        // SAFETY: the block is live.
        unsafe { tikv_jemallocator::usable_size(at.as_ptr()) }
    }
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
