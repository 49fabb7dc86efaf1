use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::{self, NonNull};

use super::{Peer, is_reasonable, resized};
use crate::{Memory, Region};

/// Doug Lea's malloc in Rust: what `std` uses on wasm32.
///
/// It has neither counters nor a walk of its blocks. In a box, since its lists of small blocks start and end in
/// itself and it must not move once it has memory.
pub struct Dlmalloc(Box<::dlmalloc::Dlmalloc<Once>>);

/// A system that has one piece of memory to give, and takes nothing back.
struct Once(Cell<Option<Region>>);

const NO_FLAGS: u32 = 0;
const PAGE_BYTES: usize = 4096;

// SAFETY: it hands out the region as a whole, once, and the region is nobody else's.
unsafe impl ::dlmalloc::Allocator for Once {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        match self.0.take() {
            Some(region) if size <= region.len() as usize => {
                (region.start().as_ptr(), region.len() as usize, NO_FLAGS)
            }
            kept => {
                self.0.set(kept);
                (ptr::null_mut(), 0, NO_FLAGS)
            }
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        false
    }

    fn page_size(&self) -> usize {
        PAGE_BYTES
    }
}

impl Peer for Dlmalloc {
    const NAME: &'static str = "dlmalloc";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        let once = Once(Cell::new(Some(region)));
        let mut dlmalloc = Box::new(::dlmalloc::Dlmalloc::new_with_allocator(once));
        // It rounds what it asks of the system up to this; 64 KiB would refuse a smaller region, or one just above.
        dlmalloc.set_granularity(2 * size_of::<usize>()).then_some(Self(dlmalloc))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        // SAFETY: the caller's contract is the crate's.
        NonNull::new(unsafe { self.0.malloc(layout.size(), layout.align()) })
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { self.0.free(at.as_ptr(), layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        resized(layout, new_bytes)?;
        let (old_bytes, align) = (layout.size(), layout.align());
        // SAFETY: the caller's contract is the crate's.
        NonNull::new(unsafe { self.0.realloc(at.as_ptr(), old_bytes, align, new_bytes) })
    }
}
