//! The bump allocator: one number, the top.
//!
//! ```text
//!  0                         top                        len
//!  | a | b |pad|   c         |          hole             |
//!  +---+---+---+-------------+---------------------------+
//! ```
//!
//! A request is rounded up to its alignment and placed at the top, which moves up. There is no header. A block that is
//! given back is forgotten, unless it is the last one: then the top moves down again, so that the newest `Vec` can grow
//! and shrink in place. Everything else comes back at once, by `reset`.
//!
//! Invariants:
//!
//! 1. The top lies in `0..=len`.
//!
//! Cost: allocate, deallocate and reset are O(1). Bad at: blocks that die in another order than last in, first out.
//!
//! [`BumpDown`](crate::BumpDown) is the same from the arena's end down.
//!
//! Also known as arena or region allocation: Hanson, "Fast allocation and deallocation of memory based on object
//! lifetimes", Software: Practice and Experience 20(1), 1990.

use std::alloc::Layout;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::top::{Halves, drawn_by_top};
use crate::{
    BumpDown, Design, Edges, Full, Info, Memory, Need, Observer, Offset, OptionInfo, Origin, Over,
    Piece, Placement, Step, Takes,
};

/// The bump allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct Bump<M> {
    memory: M,
    top: Offset,
}

impl<M: Memory> Bump<M> {
    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    #[inline]
    fn halves(&self) -> Halves {
        Halves { top: self.top, end: self.end(), down: false }
    }

    fn is_last(&self, at: Offset, size_bytes: u32) -> bool {
        at.plus(size_bytes) == self.top
    }

    fn lower_top(&mut self, top: Offset, observer: &mut impl Observer) {
        let freed_bytes = self.top.since(top);
        let behind = self.top < self.end();
        self.top = top;
        let size_bytes = self.end().since(top);
        observer.step(Step::Joined { at: top, freed_bytes, size_bytes, in_front: false, behind });
    }
}

impl Bump<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "bump",
        summary: "one pointer that moves; freed blocks wait for `reset`",
        details: "A request goes to the top, rounded up to its alignment. No header. A freed block comes back only if it was the last; everything else at once, by `reset`. Going down it rounds with a mask alone; going up it adds first.",
        options: &[OptionInfo { key: "grow", takes: Takes::Choice(&["up", "down"]) }],
        inner: &[],
        origin: Origin::Ours,
        build: |spec, len| {
            let memory = Pages::new(len);
            match spec.choice("grow") {
                "down" => Ok(Box::new(BumpDown::new(memory))),
                _ => Ok(Box::new(Self::new(memory))),
            }
        },
    };
}

impl<M: Memory> Over<M> for Bump<M> {
    fn new(memory: M) -> Self {
        Self { memory, top: Offset(0) }
    }
}

stored_in_memory!(Bump);

impl<M: Memory> Design for Bump<M> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let at = self.top.align_up(layout.align() as u32);
        let fits = u64::from(at.0) + layout.size() as u64 <= u64::from(self.end().0);
        if let Some(hole) = self.halves().hole() {
            observer.step(Step::Looked { at: hole.at, size_bytes: hole.size_bytes, fits });
        }
        if !fits {
            return Err(Full);
        }
        let size_bytes = layout.size() as u32;
        let padding_bytes = at.since(self.top);
        let from = self.top;
        self.top = at.plus(size_bytes);
        observer.step(Step::Cut {
            at: from,
            padding_bytes,
            header_bytes: 0,
            payload_bytes: size_bytes,
            remaining_bytes: self.end().since(self.top),
        });
        Ok(Placement { at, granted_bytes: size_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let size_bytes = layout.size() as u32;
        if self.is_last(at, size_bytes) {
            self.lower_top(at, &mut observer);
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
        let old_bytes = layout.size() as u32;
        let placed = Placement { at, granted_bytes: new_bytes };
        if !self.is_last(at, old_bytes) {
            if new_bytes > old_bytes {
                return Err(Full);
            }
            if new_bytes < old_bytes {
                let size_bytes = old_bytes - new_bytes;
                observer.step(Step::Stranded { at: at.plus(new_bytes), size_bytes });
            }
            return Ok(placed);
        }
        if new_bytes > self.end().since(at) {
            return Err(Full);
        }
        let top = at.plus(new_bytes);
        if top > self.top {
            let (from, payload_bytes) = (self.top, top.since(self.top));
            self.top = top;
            observer.step(Step::Cut {
                at: from,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes,
                remaining_bytes: self.end().since(top),
            });
        } else if top < self.top {
            self.lower_top(top, &mut observer);
        }
        Ok(placed)
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old_bytes = self.memory.len();
        self.memory.grow(len);
        let Some(hole) = self.halves().hole() else { return };
        observer.step(Step::Joined {
            at: hole.at,
            freed_bytes: self.memory.len() - old_bytes,
            size_bytes: hole.size_bytes,
            in_front: self.top.0 < old_bytes,
            behind: false,
        });
    }

    fn reset(&mut self, mark: Offset) {
        assert!(mark <= self.top, "reset to {mark:?}, above the top {:?}", self.top);
        self.top = mark;
    }

    fn need(&self, layout: Layout) -> Need {
        Need { payload_bytes: layout.size() as u64, edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.end().since(hole.at.align_up(8).min(hole.end()))
    }

    drawn_by_top! {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Census;
    use crate::oracle::{self, layout};

    fn bump(len: u32) -> Bump<Pages> {
        Bump::new(Pages::new(len))
    }

    #[test]
    fn a_block_starts_at_the_next_multiple_of_its_alignment() {
        let mut heap = bump(64);
        heap.allocate(layout(3, 1), ()).unwrap();
        let placed = heap.allocate(layout(8, 8), ()).unwrap();
        assert_eq!(placed, Placement { at: Offset(8), granted_bytes: 8 });
    }

    #[test]
    fn only_the_last_block_comes_back() {
        let mut heap = bump(64);
        let (a, b) =
            (heap.allocate(layout(8, 8), ()).unwrap(), heap.allocate(layout(8, 8), ()).unwrap());
        let mut steps = Vec::new();
        heap.deallocate(a.at, layout(8, 8), &mut steps);
        assert_eq!(steps, [Step::Stranded { at: Offset(0), size_bytes: 8 }]);
        heap.deallocate(b.at, layout(8, 8), ());
        assert_eq!(heap.top(), Some(Offset(8)));
    }

    #[test]
    fn the_last_block_grows_in_place_and_another_moves() {
        let mut heap = bump(64);
        let a = heap.allocate(layout(8, 8), ()).unwrap();
        assert_eq!(heap.reallocate(a.at, layout(8, 8), 16, ()).unwrap().at, a.at);
        heap.allocate(layout(8, 8), ()).unwrap();
        assert_eq!(heap.reallocate(a.at, layout(16, 8), 24, ()).unwrap().at, Offset(24));
    }

    #[test]
    fn a_request_no_offset_can_count_is_full_linked_list_allocator_79() {
        let mut heap = bump(64);
        heap.allocate(layout(1, 1), ()).unwrap();
        for size in [65, u32::MAX as usize, isize::MAX as usize - 7] {
            assert_eq!(heap.allocate(layout(size, 8), ()), Err(Full), "size {size}");
        }
        #[cfg(target_pointer_width = "64")]
        assert_eq!(heap.allocate(layout((1 << 32) + 1, 1), ()), Err(Full));
        assert_eq!(heap.top(), Some(Offset(1)));
    }

    #[test]
    fn a_reset_frees_all_bytes_above_its_mark() {
        let mut heap = bump(64);
        heap.allocate(layout(8, 8), ()).unwrap();
        let mark = heap.top().unwrap();
        heap.allocate(layout(24, 8), ()).unwrap();
        assert_eq!(heap.reset_range(mark), Offset(8)..Offset(32));
        heap.reset(mark);
        assert_eq!((heap.top(), heap.reset_range(heap.origin())), (Some(mark), Offset(0)..mark));
    }

    #[test]
    fn an_alignment_beyond_the_end_is_full_not_an_overflow() {
        let mut heap = bump(64);
        heap.allocate(layout(1, 1), ()).unwrap();
        assert_eq!(heap.allocate(layout(1, 65536), ()), Err(Full));
        assert_eq!(heap.top(), Some(Offset(1)));
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
