use std::alloc::Layout;
use std::ptr::NonNull;

use super::Peer;
use crate::{MAX_ALIGN, Offset, Over, Placement, Region, TrustedRegion};

/// A [`Design`](crate::Design) of ours as a [`Peer`]: pointers for offsets, no lock, nobody listening, and no check of each
/// access, as the others have none.
pub struct Ours<D> {
    base: NonNull<u8>,
    design: D,
}

impl<D: Over<TrustedRegion>> Ours<D> {
    /// The design, to check and to draw.
    pub fn design(&self) -> &D {
        &self.design
    }

    /// What a design may be asked: it takes no size above its arena, and offsets agree with addresses only as far as
    /// the base is aligned.
    #[inline]
    fn serves(&self, size_bytes: usize, align_bytes: usize) -> bool {
        size_bytes <= self.design.len() as usize
            && align_bytes <= MAX_ALIGN as usize
            && (align_bytes <= 16 || self.base.addr().get().is_multiple_of(align_bytes))
    }

    #[inline]
    fn pointer(&self, placed: Placement) -> NonNull<u8> {
        // SAFETY: a design places blocks inside its region, whose base this is.
        unsafe { self.base.add(placed.at.0 as usize) }
    }

    #[inline]
    fn offset(&self, at: NonNull<u8>) -> Offset {
        Offset((at.addr().get() - self.base.addr().get()) as u32)
    }
}

impl<D: Over<TrustedRegion>> Peer for Ours<D> {
    const NAME: &'static str = "ours";
    const OVER_REGION: bool = true;

    fn over(region: Region) -> Option<Self> {
        let base = region.start();
        // SAFETY: the region is the design's alone, and `Peer`'s callers write to live blocks only.
        Some(Self { base, design: D::new(unsafe { TrustedRegion::new(region) }) })
    }

    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if !self.serves(layout.size(), layout.align()) {
            return None;
        }
        let placed = self.design.allocate(layout, ()).ok()?;
        Some(self.pointer(placed))
    }

    #[inline]
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        self.design.deallocate(self.offset(at), layout, ());
    }

    #[inline]
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        if !self.serves(new_bytes, layout.align()) {
            return None;
        }
        let placed = self.design.reallocate(self.offset(at), layout, new_bytes as u32, ()).ok()?;
        Some(self.pointer(placed))
    }
}
