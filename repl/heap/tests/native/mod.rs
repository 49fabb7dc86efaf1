//! A peer that is written in C, and so not in the crate itself: `cargo check` for other systems needs no compiler of theirs.

use std::alloc::{GlobalAlloc, Layout};

use heap::peers::{Named, ProcessWide, Visit};

/// Microsoft's mimalloc.
pub(crate) struct MiMalloc;

/// As a peer.
pub(crate) type Mimalloc = ProcessWide<MiMalloc>;

// SAFETY: every call goes on to mimalloc's own `GlobalAlloc` as it came.
unsafe impl GlobalAlloc for MiMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is mimalloc's.
        unsafe { mimalloc::MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is mimalloc's.
        unsafe { mimalloc::MiMalloc.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        // SAFETY: the caller's contract is mimalloc's.
        unsafe { mimalloc::MiMalloc.realloc(at, layout, new_bytes) }
    }
}

impl Named for MiMalloc {
    const NAME: &'static str = "mimalloc";
    const HANDLE: Self = Self;
}

/// Every peer there is here.
pub(crate) fn each_peer(visitor: &mut impl Visit) {
    heap::peers::each_peer(visitor);
    visitor.visit::<Mimalloc>();
}
