use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use heap::Region;
use heap::peers::Peer;

/// What an allocator works in.
pub(crate) const ARENA_BYTES: usize = 64 << 20;
/// Behind it, for what bumpalo adds to the chunk it is asked for.
const SPARE_BYTES: usize = 64 << 10;

/// The memory every allocator works in: aligned to its own size, so that offsets and addresses have the same buddies.
pub(crate) struct Arena(NonNull<u8>);

impl Arena {
    /// Every page is touched. Never freed: it lives as long as the process.
    pub(crate) fn new() -> Self {
        let layout = Layout::from_size_align(ARENA_BYTES + SPARE_BYTES, ARENA_BYTES);
        // SAFETY: the layout has a size.
        let base = unsafe { System.alloc(layout.expect("a layout")) };
        let base = NonNull::new(base).expect("64 MiB of memory");
        // SAFETY: the block has this size.
        unsafe { base.write_bytes(1, ARENA_BYTES + SPARE_BYTES) }
        Self(base)
    }

    /// A fresh allocator over all of it, the one before being gone.
    pub(crate) fn heap<P: Peer>(&mut self) -> P {
        if !P::OVER_REGION {
            TO_LEND.store(self.0.as_ptr(), Relaxed);
        }
        // SAFETY: the memory is never freed. The callers drop each heap before they make the next; one with its own
        // memory does not use the region, but may get the arena from `Lender` while it lives, and gives it back.
        let region = unsafe { Region::new(self.0.as_ptr(), ARENA_BYTES) };
        let heap = P::over(region);
        TO_LEND.store(ptr::null_mut(), Relaxed);
        heap.expect("64 MiB are enough for any allocator")
    }

    /// How far behind the arena's start the block ends.
    pub(crate) fn end_offset(&self, at: NonNull<u8>, size_bytes: usize) -> usize {
        at.addr().get() + size_bytes - self.0.addr().get()
    }
}

/// The process's allocator: the system's, but for bumpalo's chunk, which is the arena. So bumpalo works in the same
/// memory as the others, and not in pages that are new for each run.
struct Lender;

#[global_allocator]
static LENDER: Lender = Lender;

/// The arena, while a heap with its own memory is being made.
static TO_LEND: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// The arena, while it is lent.
static LENT: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

// SAFETY: the arena is lent to one block at a time, large enough and aligned for it; all else is the system's.
unsafe impl GlobalAlloc for Lender {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if (ARENA_BYTES..=ARENA_BYTES + SPARE_BYTES).contains(&layout.size()) {
            let arena = TO_LEND.swap(ptr::null_mut(), Relaxed);
            if !arena.is_null() {
                LENT.store(arena, Relaxed);
                return arena;
            }
        }
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if at == LENT.load(Relaxed) {
            LENT.store(ptr::null_mut(), Relaxed);
            return;
        }
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        assert!(at != LENT.load(Relaxed), "bumpalo never resizes a chunk");
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(at, layout, new_size) }
    }
}
