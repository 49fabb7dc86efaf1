use std::alloc::Layout;
use std::ptr::NonNull;

use super::{Peer, is_reasonable, resized, slice};
use crate::Region;

/// 28 powers of two from the smallest block on, far above any region, each cut into 32 classes.
type Tlsf = rlsf::Tlsf<'static, u32, u32, 28, 32>;

/// Two-level segregated fit by yvt: the peer of our `tlsf`.
///
/// A walk of its blocks: feature `unstable`, then `Tlsf::iter_blocks` with the slice `over` gives it.
pub struct Rlsf(Tlsf);

impl Peer for Rlsf {
    const NAME: &'static str = "rlsf";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        let mut tlsf = Tlsf::new();
        // SAFETY: the region is this allocator's alone, as `Region::new` demands.
        unsafe { tlsf.insert_free_block_ptr(slice(&region)) }?;
        Some(Self(tlsf))
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !is_reasonable(layout) {
            return None;
        }
        self.0.allocate(layout)
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's contract is the crate's.
        unsafe { self.0.deallocate(at, layout.align()) }
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        let new_layout = resized(layout, new_bytes)?;
        // SAFETY: the caller's contract is the crate's; the alignment is the block's own.
        unsafe { self.0.reallocate(at, new_layout) }
    }
}
