use std::alloc::Layout;
use std::ptr::NonNull;

use ::talc::DefaultBinning;
use ::talc::source::Manual;

use super::{Peer, is_reasonable, resized};
use crate::{Memory, Region};

/// Talc: bins by size, a boundary tag of a byte, its lists at the region's start.
///
/// Its counters: feature `counters`, then `Talc::counters`. It has no walk of its blocks.
pub struct Talc(::talc::base::Talc<Manual, DefaultBinning>);

impl Peer for Talc {
    const NAME: &'static str = "talc";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        let mut talc = ::talc::base::Talc::new(Manual);
        // SAFETY: the region is this allocator's alone, as `Region::new` demands.
        unsafe { talc.claim(region.start().as_ptr(), region.len() as usize) }?;
        Some(Self(talc))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        // SAFETY: the layout has a size.
        unsafe { self.0.allocate(layout) }
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { self.0.deallocate(at.as_ptr(), layout) }
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        let new_layout = resized(layout, new_bytes)?;
        // SAFETY: the block is live with this layout and the new size above zero. If it cannot stay, the new block is
        // another one that holds the smaller size, and the old one is given back once.
        unsafe {
            if self.0.try_realloc_in_place(at.as_ptr(), layout, new_bytes) {
                return Some(at);
            }
            let new = self.0.allocate(new_layout)?;
            new.copy_from_nonoverlapping(at, new_bytes.min(layout.size()));
            self.0.deallocate(at.as_ptr(), layout);
            Some(new)
        }
    }
}
