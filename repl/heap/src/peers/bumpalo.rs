use std::alloc::Layout;
use std::ptr::NonNull;

use allocator_api2::alloc::Allocator;

use super::{Peer, is_reasonable, resized};
use crate::{Memory, Region};

/// A bump allocator that grows down: the peer of our `bump` and `stack`.
///
/// It has one chunk of its own as long as the region, and is full at its end. Only the last block is reclaimed.
pub struct Bumpalo(bumpalo::Bump);

impl Peer for Bumpalo {
    const NAME: &'static str = "bumpalo";
    const OVER_REGION: bool = false;

    fn over(region: Region) -> Option<Self> {
        let bump = bumpalo::Bump::try_with_capacity(region.len() as usize).ok()?;
        bump.set_allocation_limit(Some(bump.allocated_bytes()));
        Some(Self(bump))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        self.0.try_alloc_layout(layout).ok()
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { (&self.0).deallocate(at, layout) }
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        let new_layout = resized(layout, new_bytes)?;
        // SAFETY: the block is live with this layout, and each branch has the size on its side.
        let block = unsafe {
            if new_bytes >= layout.size() {
                (&self.0).grow(at, layout, new_layout)
            } else {
                (&self.0).shrink(at, layout, new_layout)
            }
        };
        block.ok().map(NonNull::cast)
    }
}
