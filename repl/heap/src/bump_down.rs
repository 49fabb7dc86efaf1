//! The bump allocator upside down: the top starts at the arena's end and moves down.
//!
//! ```text
//!  0                         top                        len
//!  |          hole           |   c         | b |pad| a   |
//!  +-------------------------+-------------+---+---+-----+
//! ```
//!
//! Downwards, one subtraction and one mask place a block: `(top - size) & !(align - 1)`. Upwards it takes a rounding,
//! an addition, and care that neither overflows. Sizes are rounded up to their alignment, or to 16 if that is less,
//! so that freeing the newest block gives back what it took. The price: a block that grows cannot stay. The newest
//! one slides down with its bytes, and up again when it shrinks to half or less, so that its old and new place do not
//! overlap.
//!
//! Invariants:
//!
//! 1. The top lies in `0..=len`.
//!
//! Cost: allocate, deallocate and reset are O(1); resizing the newest block copies it. Bad at: blocks that die in
//! another order than last in, first out, and a newest `Vec` that grows often. Bytes that `grow` adds lie above every
//! block: they wait for a reset to the end.
//!
//! Fitzgerald, "Always Bump Downwards", 2019; the crate `bumpalo` is built on it.

use std::alloc::Layout;
use std::ops::Range;

use crate::design::{move_block, stored_in_memory};
use crate::top::{Halves, drawn_by_top};
use crate::{Design, Edges, Full, Memory, Need, Observer, Offset, Over, Piece, Placement, Step};

/// Larger alignments do not round sizes up: a block of 24 bytes at 64 KiB would take 64 KiB even from aligned bytes.
const MAX_GRAIN_BYTES: usize = 16;

/// The downward bump allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct BumpDown<M> {
    memory: M,
    top: Offset,
}

impl<M: Memory> BumpDown<M> {
    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    #[inline]
    fn halves(&self) -> Halves {
        Halves { top: self.top, end: self.end(), down: true }
    }

    /// Where a block goes that ends at or below `end`.
    #[inline]
    fn place(end: Offset, size_bytes: usize, align_bytes: usize) -> Option<Offset> {
        let taken_bytes = rounded(size_bytes as u64, align_bytes);
        let start = u64::from(end.0).checked_sub(taken_bytes)? as u32;
        Some(Offset(start).align_down(align_bytes as u32))
    }

    fn raise_top(&mut self, top: Offset, observer: &mut impl Observer) {
        let (freed_bytes, in_front) = (top.since(self.top), self.top.0 > 0);
        self.top = top;
        let (at, size_bytes) = (Offset(0), top.0);
        observer.step(Step::Joined { at, freed_bytes, size_bytes, in_front, behind: false });
    }

    fn lower_top(&mut self, top: Offset, observer: &mut impl Observer) {
        let payload_bytes = self.top.since(top);
        self.top = top;
        observer.step(Step::Cut {
            at: top,
            padding_bytes: 0,
            header_bytes: 0,
            payload_bytes,
            remaining_bytes: top.0,
        });
    }
}

impl<M: Memory> Over<M> for BumpDown<M> {
    fn new(memory: M) -> Self {
        let top = Offset(memory.len());
        Self { memory, top }
    }
}

stored_in_memory!(BumpDown);

impl<M: Memory> Design for BumpDown<M> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let place = Self::place(self.top, layout.size(), layout.align());
        if let Some(hole) = self.halves().hole() {
            let fits = place.is_some();
            observer.step(Step::Looked { at: hole.at, size_bytes: hole.size_bytes, fits });
        }
        let at = place.ok_or(Full)?;
        // What alignment costs beyond that lies behind the block, and is its owner's.
        let granted_bytes = self.top.since(at);
        self.lower_top(at, &mut observer);
        Ok(Placement { at, granted_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let size_bytes = rounded(layout.size() as u64, layout.align()) as u32;
        if at == self.top {
            self.raise_top(at.plus(size_bytes), &mut observer);
        } else {
            observer.step(Step::Stranded { at, size_bytes });
        }
    }

    #[inline]
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let old_bytes = rounded(layout.size() as u64, layout.align()) as u32;
        if new_bytes > old_bytes {
            return Err(Full);
        }
        let new_bytes = rounded(new_bytes.into(), layout.align()) as u32;
        if new_bytes < old_bytes {
            let size_bytes = old_bytes - new_bytes;
            observer.step(Step::Stranded { at: at.plus(new_bytes), size_bytes });
        }
        Ok(Placement { at, granted_bytes: new_bytes })
    }

    /// The newest block slides; another one stays if it shrinks, else moves.
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let old_bytes = layout.size() as u32;
        let end = at.plus(rounded(layout.size() as u64, layout.align()) as u32);
        if at == self.top {
            let new_at = Self::place(end, new_bytes as usize, layout.align()).ok_or(Full)?;
            let kept_bytes = new_bytes.min(old_bytes);
            // Upwards only clear of itself: downwards a copy may overlap.
            if new_at <= at || new_at >= at.plus(kept_bytes) {
                self.memory.copy(at, new_at, kept_bytes);
                if new_at > at {
                    self.raise_top(new_at, &mut observer);
                } else if new_at < at {
                    self.lower_top(new_at, &mut observer);
                }
                return Ok(Placement { at: new_at, granted_bytes: end.since(new_at) });
            }
        }
        if let Ok(placed) = self.resize(at, layout, new_bytes, &mut observer) {
            return Ok(placed);
        }
        move_block(self, at, layout, new_bytes, observer)
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old = self.end();
        self.memory.grow(len);
        if self.top == old {
            self.raise_top(self.end(), &mut observer);
        } else {
            observer.step(Step::Stranded { at: old, size_bytes: self.end().since(old) });
        }
    }

    fn reset(&mut self, mark: Offset) {
        let (top, end) = (self.top, self.end());
        assert!(top <= mark && mark <= end, "reset to {mark:?}, not in {top:?}..={end:?}");
        self.top = mark;
    }

    fn reset_range(&self, mark: Offset) -> Range<Offset> {
        self.top..mark
    }

    fn origin(&self) -> Offset {
        self.end()
    }

    fn need(&self, layout: Layout) -> Need {
        let payload_bytes = rounded(layout.size() as u64, layout.align());
        Need { payload_bytes, edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.end().align_down(8).since(hole.at)
    }

    drawn_by_top! {}
}

/// The bytes a block takes.
#[inline]
fn rounded(size_bytes: u64, align_bytes: usize) -> u64 {
    let grain_bytes = align_bytes.min(MAX_GRAIN_BYTES) as u64;
    // A mask, as `next_multiple_of` divides.
    (size_bytes + grain_bytes - 1) & !(grain_bytes - 1)
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;
    use crate::Census;
    use crate::oracle::{self, layout};

    fn bump(len: u32) -> BumpDown<Pages> {
        BumpDown::new(Pages::new(len))
    }

    fn allocate(heap: &mut BumpDown<Pages>, size: usize) -> Offset {
        heap.allocate(layout(size, 8), ()).unwrap().at
    }

    #[test]
    fn a_block_starts_at_the_last_multiple_of_its_alignment_that_leaves_room() {
        let mut heap = bump(64);
        let placed = heap.allocate(layout(3, 8), ()).unwrap();
        assert_eq!(placed, Placement { at: Offset(56), granted_bytes: 8 });
        assert_eq!(heap.allocate(layout(40, 32), ()).unwrap().at, Offset(0));
        heap.check().unwrap();
    }

    #[test]
    fn the_newest_block_gives_back_what_rounding_took() {
        let mut heap = bump(64);
        let a = heap.allocate(layout(3, 8), ()).unwrap().at;
        heap.deallocate(a, layout(3, 8), ());
        assert_eq!(heap.top(), Some(Offset(64)));
    }

    #[test]
    fn only_the_newest_block_comes_back() {
        let mut heap = bump(64);
        let (a, b) = (allocate(&mut heap, 8), allocate(&mut heap, 8));
        let mut steps = Vec::new();
        heap.deallocate(a, layout(8, 8), &mut steps);
        assert_eq!(steps, [Step::Stranded { at: Offset(56), size_bytes: 8 }]);
        heap.deallocate(b, layout(8, 8), ());
        assert_eq!(heap.top(), Some(Offset(56)));
    }

    #[test]
    fn the_newest_block_slides_down_to_grow_and_up_to_shrink() {
        let mut heap = bump(128);
        let a = allocate(&mut heap, 16);
        heap.memory.write(a.0, b"sixteen bytes!!!");
        let grown = heap.reallocate(a, layout(16, 8), 24, ()).unwrap();
        assert_eq!((grown.at, grown.granted_bytes), (Offset(104), 24));
        assert_eq!(heap.memory.read(104..120), b"sixteen bytes!!!");
        let stays = heap.reallocate(grown.at, layout(24, 8), 16, ()).unwrap();
        assert_eq!(stays.at, Offset(104));
        let shrunk = heap.reallocate(stays.at, layout(16, 8), 7, ()).unwrap();
        assert_eq!(shrunk.at, Offset(112));
        assert_eq!(heap.memory.read(112..119), b"sixteen");
    }

    #[test]
    fn a_resize_that_fails_keeps_the_block_and_its_bytes() {
        let mut heap = bump(64);
        let a = allocate(&mut heap, 16);
        heap.memory.write(a.0, b"sixteen bytes!!!");
        assert_eq!(heap.reallocate(a, layout(16, 8), 72, ()), Err(Full));
        let b = allocate(&mut heap, 8);
        assert_eq!(heap.reallocate(a, layout(16, 8), 48, ()), Err(Full));
        assert_eq!((heap.top(), heap.memory.read(48..64)), (Some(b), b"sixteen bytes!!!".to_vec()));
    }

    #[test]
    fn a_reset_frees_all_bytes_below_its_mark() {
        let mut heap = bump(64);
        allocate(&mut heap, 8);
        let mark = heap.top().unwrap();
        allocate(&mut heap, 24);
        assert_eq!(heap.reset_range(mark), Offset(32)..Offset(56));
        heap.reset(mark);
        assert_eq!((heap.top(), heap.origin()), (Some(mark), Offset(64)));
        heap.reset(heap.origin());
        assert_eq!(allocate(&mut heap, 64), Offset(0));
    }

    #[test]
    fn a_high_alignment_keeps_blocks_apart_bumpalo_19() {
        let mut heap = bump(65536 * 2);
        let a = heap.allocate(layout(1, 1), ()).unwrap().at;
        let b = heap.allocate(layout(1, 65536), ()).unwrap().at;
        assert_eq!((a, b), (Offset(131_071), Offset(65536)));
        assert_eq!(heap.allocate(layout(65536, 65536), ()).unwrap().at, Offset(0));
        assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
    }

    #[test]
    fn a_request_no_offset_can_count_is_full_linked_list_allocator_79() {
        let mut heap = bump(64);
        for size in [65, u32::MAX as usize, isize::MAX as usize - 7] {
            assert_eq!(heap.allocate(layout(size, 8), ()), Err(Full), "size {size}");
        }
        #[cfg(target_pointer_width = "64")]
        assert_eq!(heap.allocate(layout((1 << 32) + 1, 1), ()), Err(Full));
        assert_eq!(heap.top(), Some(Offset(64)));
    }

    #[test]
    fn added_bytes_wait_for_a_reset_unless_nothing_is_taken() {
        let mut heap = bump(64);
        Design::grow(&mut heap, 128, ());
        assert_eq!(heap.top(), Some(Offset(128)));
        allocate(&mut heap, 64);
        Design::grow(&mut heap, 256, ());
        assert_eq!((heap.top(), heap.origin()), (Some(Offset(64)), Offset(256)));
        heap.check().unwrap();
    }

    #[test]
    fn random_programs_agree_with_the_interval_map() {
        oracle::random_programs(
            false,
            || bump(1 << 16),
            |mut settled| {
                settled.reset(settled.origin());
                assert_eq!(settled.check(), Ok(Census { used: 0, holes: 1 }));
            },
        );
    }
}
