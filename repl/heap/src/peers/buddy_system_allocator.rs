use std::alloc::Layout;
use std::ptr::NonNull;

use buddy_system_allocator::Heap;

use super::{Peer, is_reasonable};
use crate::{Memory, Region};

/// Blocks of powers of two without a header: the peer of our `buddy`.
///
/// It finds a block's buddy by the address, not the offset. Over a region that is not aligned to its size it starts
/// with the largest naturally aligned pieces; nothing is lost, but the largest block is the largest piece.
///
/// Its counters: `stats_alloc_user`, `stats_alloc_actual`, `stats_total_bytes`. It has no walk of its blocks.
pub struct BuddySystemAllocator(Heap<ORDERS>);

/// Powers of two up to 2³¹, above any region.
const ORDERS: usize = 32;

impl Peer for BuddySystemAllocator {
    const NAME: &'static str = "buddy-system-allocator";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        let mut heap = Heap::empty();
        // The crate makes its pointers from addresses.
        let start = region.start().as_ptr().expose_provenance();
        // SAFETY: the region is this allocator's alone, as `Region::new` demands.
        unsafe { heap.init(start, region.len() as usize) }
        (heap.stats_total_bytes() > 0).then_some(Self(heap))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        self.0.alloc(layout).ok()
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { self.0.dealloc(at, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{alloc, dealloc};

    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn an_unaligned_region_loses_no_bytes_but_its_largest_block() {
        let memory = Layout::from_size_align(2048 * KIB, 1024 * KIB).unwrap();
        // SAFETY: the layout has a size.
        let base = NonNull::new(unsafe { alloc(memory) }).unwrap();
        for (start, largest) in [(0, 1024 * KIB), (64 * KIB, 512 * KIB), (512 * KIB, 512 * KIB)] {
            // SAFETY: 1 MiB from there on is inside, nobody else uses it, and the heap before it is gone.
            let region = unsafe { Region::new(base.add(start).as_ptr(), 1024 * KIB) };
            let mut heap = BuddySystemAllocator::over(region).unwrap();
            assert_eq!(heap.0.stats_total_bytes(), 1024 * KIB, "from {start}");
            let layout = |size| Layout::from_size_align(size, 8).unwrap();
            // SAFETY: both have a size.
            unsafe {
                assert!(heap.allocate(layout(largest + 1)).is_none(), "from {start}");
                assert!(heap.allocate(layout(largest)).is_some(), "from {start}");
            }
        }
        // SAFETY: the memory came from there with this layout, and no heap is left.
        unsafe { dealloc(base.as_ptr(), memory) }
    }
}
