//! The stack allocator: last in, first out, and a header that knows where the top was before.
//!
//! ```text
//!  0                                                     top                 len
//!  | header | a       | header | b   |pad| header | c    |       hole         |
//!  +--------+---------+--------+-----+---+--------+------+--------------------+
//!                                        ^
//!                                        newest
//!  header
//!  +----------+-------+
//!  | before|f | below |
//!  +----------+-------+
//! ```
//!
//! A request goes to the top, behind 8 bytes of header. `before` is where the top was, so that freeing the newest
//! block gives its padding back too; it is a multiple of 8, and its lowest bit `f` says that the block is free.
//! `below` is the header of the block that was the newest before, or `NIL`.
//!
//! A block that is freed while others lie above it only gets its bit set. It goes when everything above it has gone.
//! So a program that frees in any order runs on this heap, and gets its memory back when it empties its stack.
//!
//! Invariants:
//!
//! 1. The top is a multiple of 8 in `0..=len`.
//! 2. Every header is a multiple of 8, at or above its own `before`, and ends at or below the top.
//! 3. `below` is `NIL` exactly where `before` is 0; else the header below ends at or below `before`. So a walk from
//!    the newest block down ends.
//! 4. The newest block is in use.
//!
//! Cost: allocate is O(1). Deallocate is O(1) for each block that comes back. Bad at: one old block that stays, which
//! keeps everything below the top from being used again.
//!
//! The discipline of the call stack, for data, as the obstacks of the GNU C library have it. Knuth, The Art of
//! Computer Programming, volume 1, section 2.2.2, puts two such stacks face to face.

use std::alloc::Layout;
use std::ops::Range;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::{
    Broken, Census, Design, Edges, Full, Info, Memory, Need, Observer, Offset, Origin, Over, Piece,
    PieceKind, Placement, Step, Structure, sandbox,
};

const HEADER_BYTES: u32 = 8;
const GRAIN_BYTES: u32 = 8;
const FREE: u32 = 1;
/// The block below the lowest. No header can lie here.
const NIL: Offset = Offset(u32::MAX);

/// The stack allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct Stack<M> {
    memory: M,
    top: Offset,
    /// The header of the block under the top, or `NIL`.
    newest: Offset,
}

impl<M: Memory> Stack<M> {
    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    fn hole(&self) -> Option<Piece> {
        // A damaged header may have led the top anywhere.
        (self.top < self.end()).then(|| Piece::hole(self.top, self.end().since(self.top)))
    }

    // The fields of a header.

    #[inline]
    fn before(&self, block: Offset) -> Offset {
        Offset(self.memory.word(before_of(block)) & !FREE)
    }

    #[inline]
    fn is_free(&self, block: Offset) -> bool {
        self.memory.word(before_of(block)) & FREE != 0
    }

    #[inline]
    fn below(&self, block: Offset) -> Offset {
        Offset(self.memory.word(below_of(block)))
    }

    /// The blocks from the newest down, each with where it ends. A damaged header ends the walk.
    fn blocks(&self) -> impl Iterator<Item = (Offset, Offset)> + '_ {
        let (mut block, mut end) = (self.newest, self.top.min(self.end()));
        std::iter::from_fn(move || {
            self.check_block(block, end).is_ok().then(|| {
                let found = (block, end);
                (block, end) = (self.below(block), self.before(block));
                found
            })
        })
    }

    /// Takes the newest block off, and those under it that wait for that.
    #[inline]
    fn pop(&mut self, observer: &mut impl Observer) {
        loop {
            let block = self.newest;
            let old = self.top;
            self.top = self.before(block);
            self.newest = self.below(block);
            observer.step(Step::Joined {
                at: self.top,
                freed_bytes: old.0.wrapping_sub(self.top.0),
                size_bytes: self.end().0.wrapping_sub(self.top.0),
                in_front: false,
                behind: old < self.end(),
            });
            if self.newest == NIL || !self.is_free(self.newest) {
                break;
            }
        }
    }

    /// The top and the newest block there will be when every payload at or above `mark` has gone.
    fn without(&self, mark: Offset) -> (Offset, Offset) {
        let goes = |block| payload_of(block) >= mark || self.is_free(block);
        let lowest = self.blocks().map(|(block, _)| block).take_while(|&block| goes(block)).last();
        lowest.map_or((self.top, self.newest), |block| (self.before(block), self.below(block)))
    }

    /// Invariants 2 and 3 for a block that ends at `end`. Reads nothing outside the arena, whatever `block` is.
    fn check_block(&self, block: Offset, end: Offset) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: block });
        if end.0 < HEADER_BYTES
            || block > end.minus(HEADER_BYTES)
            || !block.is_aligned(GRAIN_BYTES)
            || self.before(block) > block
            || !self.before(block).is_aligned(GRAIN_BYTES)
        {
            return broken(2);
        }
        let (before, below) = (self.before(block), self.below(block));
        let linked = if below == NIL {
            before.0 == 0
        } else {
            before.0 >= HEADER_BYTES && below <= before.minus(HEADER_BYTES)
        };
        if linked { Ok(()) } else { broken(3) }
    }
}

impl Stack<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "stack",
        summary: "last in, first out; headers know the top before",
        details: "Each block has a header of 8 bytes that knows where the top was before, so that freeing the newest gives its padding back too. At the prompt the newest goes first: `not-lifo`. In a program a block freed out of order waits until everything above it has gone.",
        options: &[],
        inner: &[],
        origin: Origin::Ours,
        build: |_, len| Ok(Box::new(Self::new(Pages::new(len)))),
    };
}

impl<M: Memory> Over<M> for Stack<M> {
    fn new(memory: M) -> Self {
        Self { memory, top: Offset(0), newest: NIL }
    }
}

stored_in_memory!(Stack);

impl<M: Memory> Design for Stack<M> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let at = payload_of(self.top).align_up((layout.align() as u32).max(GRAIN_BYTES));
        let payload_bytes = rounded(layout.size() as u64);
        let fits = u64::from(at.0) + payload_bytes <= u64::from(self.memory.len());
        if let Some(hole) = self.hole() {
            observer.step(Step::Looked { at: hole.at, size_bytes: hole.size_bytes, fits });
        }
        if !fits {
            return Err(Full);
        }
        let payload_bytes = payload_bytes as u32;
        let (block, before) = (header_of(at), self.top);
        self.memory.set_word(before_of(block), before.0);
        self.memory.set_word(below_of(block), self.newest.0);
        self.newest = block;
        self.top = at.plus(payload_bytes);
        observer.step(Step::Cut {
            at: before,
            padding_bytes: block.since(before),
            header_bytes: HEADER_BYTES,
            payload_bytes,
            remaining_bytes: self.end().since(self.top),
        });
        Ok(Placement { at, granted_bytes: payload_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let block = header_of(at);
        if block == self.newest {
            self.pop(&mut observer);
            return;
        }
        let word = self.memory.word(before_of(block));
        debug_assert!(sandbox::is_running() || word & FREE == 0, "{at:?} is not in use");
        self.memory.set_word(before_of(block), word | FREE);
        let size_bytes = HEADER_BYTES + rounded(layout.size() as u64) as u32;
        observer.step(Step::Stranded { at: block, size_bytes });
    }

    #[inline]
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let (old_bytes, new_bytes) = (rounded(layout.size() as u64), rounded(new_bytes.into()));
        if header_of(at) != self.newest {
            if new_bytes > old_bytes {
                return Err(Full);
            }
            if new_bytes < old_bytes {
                let size_bytes = (old_bytes - new_bytes) as u32;
                observer.step(Step::Stranded { at: at.plus(new_bytes as u32), size_bytes });
            }
            return Ok(Placement { at, granted_bytes: new_bytes as u32 });
        }
        if u64::from(at.0) + new_bytes > u64::from(self.memory.len()) {
            return Err(Full);
        }
        let (old, granted_bytes) = (self.top, new_bytes as u32);
        self.top = at.plus(granted_bytes);
        let remaining_bytes = self.end().since(self.top);
        if self.top > old {
            observer.step(Step::Cut {
                at: old,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: self.top.since(old),
                remaining_bytes,
            });
        } else if self.top < old {
            observer.step(Step::Joined {
                at: self.top,
                freed_bytes: old.since(self.top),
                size_bytes: remaining_bytes,
                in_front: false,
                behind: old < self.end(),
            });
        }
        Ok(Placement { at, granted_bytes })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old = self.end();
        self.memory.grow(len);
        let Some(hole) = self.hole() else { return };
        observer.step(Step::Joined {
            at: hole.at,
            freed_bytes: self.end().since(old),
            size_bytes: hole.size_bytes,
            in_front: self.top < old,
            behind: false,
        });
    }

    fn reset(&mut self, mark: Offset) {
        assert!(mark <= self.top, "reset to {mark:?}, above the top {:?}", self.top);
        (self.top, self.newest) = self.without(mark);
    }

    fn reset_range(&self, mark: Offset) -> Range<Offset> {
        if mark > self.top { mark..self.top } else { self.without(mark).0..self.top }
    }

    fn top(&self) -> Option<Offset> {
        Some(self.top)
    }

    fn newer_than(&self, at: Offset) -> Option<Offset> {
        let is_older = self.newest != NIL && header_of(at) != self.newest;
        is_older.then(|| payload_of(self.newest))
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        // The chain leads down, the pieces go up.
        let mut pieces: Vec<_> = self.hole().into_iter().collect();
        let mut bottom = self.top.min(self.end());
        for (block, end) in self.blocks() {
            let kind = if self.is_free(block) { PieceKind::Held } else { PieceKind::Block };
            pieces.push(Piece { at: block, size_bytes: end.since(block), kind });
            bottom = self.before(block);
            let padding_bytes = block.since(bottom);
            if padding_bytes > 0 {
                let kind = PieceKind::Padding;
                pieces.push(Piece { at: bottom, size_bytes: padding_bytes, kind });
            }
        }
        if bottom.0 > 0 {
            // Under a damaged header nobody knows the blocks.
            pieces.push(Piece { at: Offset(0), size_bytes: bottom.0, kind: PieceKind::Taken });
        }
        pieces.into_iter().rev()
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        self.hole().into_iter()
    }

    fn structure(&self) -> Structure {
        Structure::Stack(self.blocks().map(|(block, _)| self.before(block)).collect())
    }

    fn need(&self, layout: Layout) -> Need {
        let edges = Edges::front(HEADER_BYTES);
        Need { payload_bytes: rounded(layout.size() as u64), edges }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes.saturating_sub(HEADER_BYTES) & !(GRAIN_BYTES - 1)
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::front(HEADER_BYTES)
    }

    fn hole_edges(&self, _: Piece) -> Edges {
        Edges::NONE
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "the top is a multiple of 8 inside the arena",
            "every header lies between the top before it and the top behind it",
            "every header knows the block below",
            "the newest block is in use",
        ]
    }

    fn check(&self) -> Result<Census, Broken> {
        if self.top > self.end() || !self.top.is_aligned(GRAIN_BYTES) {
            return Err(Broken { invariant: 1, at: self.top });
        }
        let mut census = Census { used: 0, holes: u32::from(self.hole().is_some()) };
        let (mut block, mut end) = (self.newest, self.top);
        if block == NIL && end.0 > 0 {
            return Err(Broken { invariant: 3, at: end });
        }
        while block != NIL {
            self.check_block(block, end)?;
            if block == self.newest && self.is_free(block) {
                return Err(Broken { invariant: 4, at: block });
            }
            census.used += u32::from(!self.is_free(block));
            (block, end) = (self.below(block), self.before(block));
        }
        Ok(census)
    }
}

/// The bytes of a payload, a multiple of 8 so that every header is one.
#[inline]
fn rounded(payload_bytes: u64) -> u64 {
    payload_bytes.next_multiple_of(u64::from(GRAIN_BYTES))
}

#[inline]
fn header_of(payload: Offset) -> Offset {
    payload.minus(HEADER_BYTES)
}

#[inline]
fn payload_of(block: Offset) -> Offset {
    block.plus(HEADER_BYTES)
}

#[inline]
fn before_of(block: Offset) -> Offset {
    block
}

#[inline]
fn below_of(block: Offset) -> Offset {
    block.plus(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PieceKind::{Block, Hole, Padding};
    use crate::oracle::{self, layout};

    type Heap = Stack<Pages>;

    fn heap(len: u32) -> Heap {
        Heap::new(Pages::new(len))
    }

    fn allocate(heap: &mut Heap, size: usize) -> Offset {
        let at = heap.allocate(layout(size, 8), ()).unwrap().at;
        heap.check().unwrap();
        at
    }

    fn free(heap: &mut Heap, at: Offset, size: usize) {
        heap.deallocate(at, layout(size, 8), ());
        heap.check().unwrap();
    }

    #[test]
    fn a_block_is_a_header_and_its_size_rounded_up_to_8() {
        let mut heap = heap(1024);
        let blocks: Vec<_> = [1, 8, 9].map(|size| allocate(&mut heap, size).0).to_vec();
        assert_eq!((blocks, heap.top), (vec![8, 24, 40], Offset(56)));
    }

    #[test]
    fn the_newest_block_comes_back_with_its_padding_and_alignment_is_not_leaked_blog_os_796() {
        let mut heap = heap(4096);
        allocate(&mut heap, 24);
        let placed = heap.allocate(layout(64, 1024), ()).unwrap();
        assert_eq!(placed.at, Offset(1024));
        let pieces: Vec<_> = heap.pieces().map(|piece| (piece.size_bytes, piece.kind)).collect();
        assert_eq!(pieces, [(32, Block), (984, Padding), (72, Block), (3008, Hole)]);
        heap.deallocate(placed.at, layout(64, 1024), ());
        assert_eq!(heap.top, Offset(32));
    }

    #[test]
    fn a_block_freed_out_of_order_waits_for_those_above() {
        let mut heap = heap(1024);
        let (a, b, c) = (allocate(&mut heap, 8), allocate(&mut heap, 8), allocate(&mut heap, 8));
        assert_eq!((heap.newer_than(b), heap.newer_than(c)), (Some(c), None));
        let mut steps = Vec::new();
        heap.deallocate(b, layout(8, 8), &mut steps);
        assert_eq!(steps, [Step::Stranded { at: Offset(16), size_bytes: 16 }]);
        assert_eq!(heap.check().unwrap().used, 2);
        assert_eq!(heap.top, Offset(48));
        free(&mut heap, c, 8);
        assert_eq!((heap.top, heap.newer_than(a)), (Offset(16), None));
        free(&mut heap, a, 8);
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
    }

    #[test]
    fn only_the_newest_block_grows_in_place() {
        let mut heap = heap(1024);
        let a = allocate(&mut heap, 8);
        let b = allocate(&mut heap, 8);
        assert_eq!(heap.resize(a, layout(8, 8), 16, ()), Err(Full));
        assert_eq!(heap.resize(b, layout(8, 8), 100, ()).unwrap().granted_bytes, 104);
        assert_eq!(heap.resize(b, layout(100, 8), 2000, ()), Err(Full));
        heap.memory.write(a.0, b"8 bytes!");
        let moved = heap.reallocate(a, layout(8, 8), 32, ()).unwrap().at;
        assert_eq!((moved, heap.memory.read(136..144)), (Offset(136), b"8 bytes!".to_vec()));
        heap.check().unwrap();
    }

    #[test]
    fn a_lower_block_shrinks_where_it_is_and_keeps_its_bytes_till_it_goes() {
        let mut heap = heap(1024);
        let a = allocate(&mut heap, 100);
        let b = allocate(&mut heap, 8);
        assert_eq!(heap.reallocate(a, layout(100, 8), 10, ()).unwrap().at, a);
        free(&mut heap, b, 8);
        assert_eq!(heap.top, Offset(112));
        free(&mut heap, a, 10);
        assert_eq!(heap.top, Offset(0));
    }

    #[test]
    fn a_reset_takes_every_block_above_its_mark_and_what_waited_below() {
        let mut heap = heap(1024);
        let (_a, b) = (allocate(&mut heap, 8), allocate(&mut heap, 8));
        let mark = Design::top(&heap).unwrap();
        let (_c, _d) = (allocate(&mut heap, 8), allocate(&mut heap, 8));
        assert_eq!(heap.reset_range(mark), Offset(32)..Offset(64));
        free(&mut heap, b, 8);
        assert_eq!(heap.reset_range(mark), Offset(16)..Offset(64));
        heap.reset(mark);
        heap.check().unwrap();
        assert_eq!(heap.top, Offset(16));
        heap.reset(heap.origin());
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
    }

    #[test]
    fn a_reset_leaves_a_block_that_lies_across_its_mark() {
        let mut heap = heap(1024);
        allocate(&mut heap, 8);
        let b = allocate(&mut heap, 8);
        let mark = Design::top(&heap).unwrap();
        free(&mut heap, b, 8);
        allocate(&mut heap, 100);
        let top = heap.top;
        heap.reset(mark);
        assert_eq!((heap.top, heap.check().unwrap().used), (top, 2));
    }

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for len in [0, 8, 15] {
            let mut heap = heap(len);
            assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
            assert_eq!(heap.check().unwrap().used, 0);
        }
        assert_eq!(heap(16).allocate(layout(8, 8), ()).unwrap().at, Offset(8));
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79() {
        for len in [16, 1024, 1 << 20] {
            oracle::too_much_is_full(heap(len));
        }
    }

    #[test]
    fn the_structure_is_the_tops_to_go_back_to() {
        let mut heap = heap(1024);
        allocate(&mut heap, 8);
        allocate(&mut heap, 100);
        assert_eq!(heap.structure(), Structure::Stack(vec![Offset(16), Offset(0)]));
    }

    #[test]
    fn random_programs_agree_with_the_interval_map() {
        for len in [1 << 16, 10_000, 100] {
            let fresh = || heap(len);
            oracle::random_programs(true, fresh, |settled| {
                assert_eq!(settled.check(), Ok(Census { used: 0, holes: 1 }));
                assert_eq!(settled.top, Offset(0));
            });
        }
    }

    #[test]
    fn drawing_and_checking_survive_any_damage() {
        oracle::damage_is_survived(heap(1024));
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let mut heap = heap(1024);
        let (a, b) = (header_of(allocate(&mut heap, 40)), header_of(allocate(&mut heap, 24)));
        for (at, word, invariant) in [
            (before_of(b), 1 << 20, 2),
            (before_of(b), 44, 2),
            (before_of(a), 8, 2),
            (below_of(b), 48, 3),
            (below_of(b), NIL.0, 3),
            (below_of(a), 0, 3),
            (below_of(b), 4, 2),
            (before_of(b), 48 + FREE, 4),
        ] {
            let mut damaged = heap.clone();
            damaged.memory.set_word(at.0, word);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant, "{word} at {at:?}");
            assert_eq!(damaged.pieces().map(|piece| piece.size_bytes).sum::<u32>(), 1024);
        }
        heap.top = Offset(1032);
        assert_eq!(heap.check().unwrap_err().invariant, 1);
    }
}
