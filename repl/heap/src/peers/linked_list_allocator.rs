use std::alloc::Layout;
use std::ptr::NonNull;

use linked_list_allocator::Heap;

use super::{Peer, is_reasonable};
use crate::{Memory, Region};

/// A list of holes by address without a header, from "Writing an OS in Rust": the peer of our `first-fit` family.
///
/// It can tell `used` and `free`, and has no walk of its blocks.
pub struct LinkedListAllocator(Heap);

/// Below this `Heap::new` panics.
const SMALLEST_BYTES: u32 = 4 * size_of::<usize>() as u32;

impl Peer for LinkedListAllocator {
    const NAME: &'static str = "linked-list-allocator";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        if region.len() < SMALLEST_BYTES {
            return None;
        }
        // SAFETY: the region is this allocator's alone, as `Region::new` demands.
        Some(Self(unsafe { Heap::new(region.start().as_ptr(), region.len() as usize) }))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        self.0.allocate_first_fit(layout).ok()
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { self.0.deallocate(at, layout) }
    }
}
