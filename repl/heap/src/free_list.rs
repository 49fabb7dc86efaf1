//! A list of holes, split when too large, coalesced when neighbours: first fit, next fit, best fit and worst fit.
//!
//! ```text
//!  block in use                      hole
//!  +--------+--------+-----------+   +--------+--------+------+------+-------+
//!  | size|1 | before | payload … |   | size|0 | before | next | prev | unset |
//!  +--------+--------+-----------+   +--------+--------+------+------+-------+
//!  ^        ^        ^                                 ^      ^
//!  block    4 bytes  block + 8                         links, only while it is a hole
//! ```
//!
//! `size` counts the whole block, header included, in multiples of 8; its lowest bit says that the block is in use.
//! `before` is the size of the block in front: a boundary tag (Knuth, The Art of Computer Programming, volume 1,
//! section 2.5), kept in the header behind so that the arena's last block needs none. `next` and `prev` link the
//! holes in the list's order. All four are `u32` offsets or sizes; real allocators use words twice as wide.
//!
//! The list goes by address; or the hole freed last comes first, and what a split leaves keeps the hole's place
//! (`Lifo`); or the smallest comes first, of equals the lower one (`BySize`). `fit.rs` searches it. Next fit starts
//! at the *rover*: what its last search left of the hole it took, else the hole behind that one. When the rover's
//! hole joins another, the rover is the joint hole.
//!
//! Invariants:
//!
//! 1. Blocks tile the arena: each starts where the one in front ends, and the last ends where the arena ends.
//! 2. Every size is a multiple of 8 and at least 16, room for a header and two links.
//! 3. Every `before` is the size of the block in front, 0 for the first.
//! 4. No two neighbours are both holes.
//! 5. The list holds exactly the holes, in its order, and every `prev` mirrors a `next`.
//! 6. The rover is a hole, or nothing.
//! 7. By address: the index knows each zone's first hole, and the class of every hole.
//!
//! Cost: allocate is O(holes). Deallocate next to a hole is O(1), but by size O(holes) to sort the joint hole in.
//! Else it is O(1) by `Lifo`, O(holes) by size, and by address a walk through the holes of one zone of the index:
//! O(holes) in an arena of up to 64 KiB, a handful in larger ones. The header takes 8 bytes a block;
//! [`crate::Headerless`] has none.
//!
//! Bad at: many small holes in front of the one that fits. What each fit is bad at, and its worst case: `fit.rs`.

use std::alloc::Layout;

use crate::design::stored_in_memory;
use crate::fit::{Best, ByAddress, First, Found, Next, Wanted, Worst, find};
use crate::hole_list::{HoleList, ListHead, Walk};
use crate::zones::NIL;
use crate::{
    Broken, Census, Design, Edges, Fit, Full, MAX_ARENA, Memory, Need, Observer, Offset, Order,
    Over, Piece, PieceKind, Placement, Policy, Step, Structure, sandbox,
};

const HEADER_BYTES: u32 = 8;
const MIN_BLOCK_BYTES: u32 = 16;
const GRAIN_BYTES: u32 = 8;
const IN_USE: u32 = 1;
/// More than an arena has, and little enough to add offsets to.
const BEYOND_BYTES: u32 = 2 * MAX_ARENA;

/// A list of holes between blocks with boundary tags. See the top of the file.
#[derive(Clone, Debug)]
pub struct FreeList<M, F, O = ByAddress> {
    memory: M,
    head: ListHead<F, O>,
}

/// First fit.
pub type FirstFit<M, O = ByAddress> = FreeList<M, First, O>;
/// Next fit.
pub type NextFit<M, O = ByAddress> = FreeList<M, Next, O>;
/// Best fit.
pub type BestFit<M, O = ByAddress> = FreeList<M, Best, O>;
/// Worst fit.
pub type WorstFit<M, O = ByAddress> = FreeList<M, Worst, O>;

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> FreeList<M, F, O> {
    /// Takes over `memory`, all of it free. Its length is a multiple of 8; less than 16 bytes hold no block at all.
    pub fn with(memory: M, fit: F, order: O) -> Self {
        let size_bytes = memory.len();
        assert!(size_bytes.is_multiple_of(GRAIN_BYTES), "{size_bytes} is no multiple of 8");
        let mut heap = Self { memory, head: ListHead::new(fit, order, size_bytes) };
        if size_bytes >= MIN_BLOCK_BYTES {
            heap.set_size(Offset(0), size_bytes, false);
            heap.memory.set_word(before_of(Offset(0)), 0);
            heap.list(NIL, Piece::hole(Offset(0), size_bytes), NIL);
        }
        heap
    }

    /// Where the last block ends.
    #[inline]
    fn end(&self) -> Offset {
        match self.memory.len() {
            len if len < MIN_BLOCK_BYTES => Offset(0),
            len => Offset(len),
        }
    }

    // The fields of a block, and the blocks around it.

    #[inline]
    fn size(&self, block: Offset) -> u32 {
        self.memory.word(block) & !IN_USE
    }

    #[inline]
    fn in_use(&self, block: Offset) -> bool {
        self.memory.word(block) & IN_USE != 0
    }

    /// Writes the size and tells the block behind.
    #[inline]
    fn set_size(&mut self, block: Offset, size_bytes: u32, in_use: bool) {
        self.memory.set_word(block, size_bytes | u32::from(in_use));
        let behind = block.plus(size_bytes);
        if behind < self.end() {
            self.memory.set_word(before_of(behind), size_bytes);
        }
    }

    #[inline]
    fn block_in_front(&self, block: Offset) -> Option<Offset> {
        let bytes = self.memory.word(before_of(block));
        (bytes > 0).then(|| block.minus(bytes))
    }

    #[inline]
    fn block_behind(&self, block: Offset) -> Option<Offset> {
        let behind = block.plus(self.size(block));
        (behind < self.end()).then_some(behind)
    }

    #[inline]
    fn hole_in_front(&self, block: Offset) -> Option<Offset> {
        self.block_in_front(block).filter(|&front| !self.in_use(front))
    }

    #[inline]
    fn hole_behind(&self, block: Offset) -> Option<Offset> {
        self.block_behind(block).filter(|&behind| !self.in_use(behind))
    }

    // The list of holes.

    #[inline]
    fn prev(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(prev_of(hole)))
    }

    #[inline]
    fn link(&mut self, from: Offset, to: Offset) {
        if from == NIL {
            self.head.first = to;
        } else {
            self.memory.set_word(next_of(from), to.0);
        }
        if to != NIL {
            self.memory.set_word(prev_of(to), from.0);
        }
    }

    /// Puts `hole` into the list between two neighbours of it.
    #[inline]
    fn list(&mut self, prev: Offset, hole: Piece, next: Offset) {
        self.link(prev, hole.at);
        self.link(hole.at, next);
        self.head.index(hole);
    }

    #[inline]
    fn unlink(&mut self, hole: Offset) {
        let (prev, next) = (self.prev(hole), self.next(hole));
        self.link(prev, next);
        self.head.forget(hole, next);
    }

    /// Takes `hole` from the list and makes holes of what a cut left of it: in its place, or by size where they
    /// belong. Answers where a search goes on: at the rest behind the cut, else at the next hole.
    #[inline]
    fn replace(
        &mut self,
        hole: Offset,
        rests: [Option<Piece>; 2],
        observer: &mut impl Observer,
    ) -> Offset {
        // First of all: a rest's header may lie where these two links do.
        let (mut prev, next) = (self.prev(hole), self.next(hole));
        let by_size = self.head.order() == Order::Size;
        if by_size {
            self.link(prev, next);
        } else {
            self.head.forget(hole, next);
        }
        for rest in rests.into_iter().flatten() {
            self.set_size(rest.at, rest.size_bytes, false);
            if by_size {
                self.insert(rest, observer);
            } else {
                self.link(prev, rest.at);
                self.head.index(rest);
                prev = rest.at;
            }
        }
        if !by_size {
            self.link(prev, next);
        }
        rests[1].map_or(next, |tail| tail.at)
    }

    /// Puts a hole where the order wants it.
    fn insert(&mut self, hole: Piece, observer: &mut impl Observer) {
        let (prev, next) = match self.head.order() {
            Order::Address => self.neighbours_by_address(hole.at, observer),
            Order::Lifo => (NIL, self.head.first),
            Order::Size => self.neighbours_by_size(hole, observer),
        };
        self.list(prev, hole, next);
    }

    /// The last hole in front of `block` and the first one behind it, or `NIL`.
    fn neighbours_by_address(
        &self,
        block: Offset,
        observer: &mut impl Observer,
    ) -> (Offset, Offset) {
        if let Some(next) = self.head.zones.hole_behind(block) {
            observer.step(Step::Walked { holes: 0 });
            return (self.prev(next), next);
        }
        let mut walk = Walk::through(self);
        let mut prev = NIL;
        let mut next = self.head.zones.hole_before(block);
        while next < block {
            walk.past(next);
            prev = next;
            next = self.next(next);
        }
        observer.step(Step::Walked { holes: walk.holes });
        (prev, next)
    }

    // Cutting and joining.

    /// Makes a hole of `block`, which is in nobody's hands, and joins it with the holes around it.
    #[inline]
    fn release(&mut self, block: Offset, freed_bytes: u32, observer: &mut impl Observer) {
        let (in_front, behind) = (self.hole_in_front(block), self.hole_behind(block));
        let at = in_front.unwrap_or(block);
        let size_bytes = freed_bytes
            + in_front.map_or(0, |front| self.size(front))
            + behind.map_or(0, |behind| self.size(behind));
        let joined = Piece::hole(at, size_bytes);
        if self.by_address() {
            self.list_by_address(joined, in_front, behind, observer);
            self.set_size(at, size_bytes, false);
        } else {
            for joined in [in_front, behind].into_iter().flatten() {
                self.unlink(joined);
            }
            self.set_size(at, size_bytes, false);
            self.insert(joined, observer);
        }
        self.head.rover_follows([in_front, behind], at);
        observer.step(Step::Joined {
            at,
            freed_bytes,
            size_bytes,
            in_front: in_front.is_some(),
            behind: behind.is_some(),
        });
        self.debug_check_around(at);
    }

    /// Makes one entry of the list of the holes that `joined` is made of, without a walk if there is one.
    #[inline]
    fn list_by_address(
        &mut self,
        joined: Piece,
        in_front: Option<Offset>,
        behind: Option<Offset>,
        observer: &mut impl Observer,
    ) {
        if in_front.is_some() {
            if let Some(behind) = behind {
                self.unlink(behind);
            }
            return self.head.index(joined);
        }
        let (prev, next) = match behind {
            Some(behind) => {
                let (prev, next) = (self.prev(behind), self.next(behind));
                self.head.forget(behind, next);
                (prev, next)
            }
            None => self.neighbours_by_address(joined.at, observer),
        };
        self.list(prev, joined, next);
    }

    /// Cuts the tail off `block` if it is large enough for a hole.
    fn trim(&mut self, block: Offset, need: u32, observer: &mut impl Observer) {
        let tail_bytes = self.size(block) - need;
        if tail_bytes < MIN_BLOCK_BYTES {
            return;
        }
        self.set_size(block, need, true);
        let tail = block.plus(need);
        self.set_size(tail, tail_bytes, true);
        self.release(tail, tail_bytes, observer);
    }

    // Checking.

    fn debug_check_around(&self, block: Offset) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            for block in [self.block_in_front(block), Some(block), self.block_behind(block)]
                .into_iter()
                .flatten()
            {
                assert_eq!(self.check_block(block), Ok(()), "after a change at {block:?}");
            }
        }
    }

    /// Invariants 1 to 4, and the links of 5, for one block and the one behind it.
    fn check_block(&self, block: Offset) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: block });
        let size_bytes = self.size(block);
        if size_bytes < MIN_BLOCK_BYTES || !size_bytes.is_multiple_of(GRAIN_BYTES) {
            return broken(2);
        }
        if size_bytes > self.end().since(block) {
            return broken(1);
        }
        if block == Offset(0) && self.memory.word(before_of(block)) != 0 {
            return broken(3);
        }
        if let Some(behind) = self.block_behind(block) {
            if self.memory.word(before_of(behind)) != size_bytes {
                return broken(3);
            }
            if !self.in_use(block) && !self.in_use(behind) {
                return broken(4);
            }
        }
        if !self.in_use(block) && !self.are_links_whole(block) {
            return broken(5);
        }
        Ok(())
    }

    fn are_links_whole(&self, hole: Offset) -> bool {
        let (prev, next) = (self.prev(hole), self.next(hole));
        let from_prev = match prev {
            NIL => self.head.first == hole,
            _ => self.can_be_hole(prev) && self.next(prev) == hole && self.is_in_order(prev, hole),
        };
        let from_next = match next {
            NIL => true,
            _ => self.can_be_hole(next) && self.prev(next) == hole && self.is_in_order(hole, next),
        };
        from_prev && from_next
    }

    /// Invariants 5 to 7, once 1 to 4 and the links around each hole hold.
    fn check_list(&self, holes: u32) -> Result<(), Broken> {
        let (mut hole, mut count) = (self.head.first, 0);
        while hole != NIL {
            // Every hole is mirrored; a list that leads elsewhere, or around, has more than there are.
            count += 1;
            if count > holes || !self.can_be_hole(hole) || self.in_use(hole) {
                return Err(Broken { invariant: 5, at: hole });
            }
            hole = self.next(hole);
        }
        if count != holes {
            return Err(Broken { invariant: 5, at: self.head.first });
        }
        self.check_head(5, 6)
    }

    fn pieces_until(&self, end: Offset) -> impl Iterator<Item = Piece> + '_ {
        let mut at = Offset(0);
        std::iter::from_fn(move || {
            (at < end).then(|| {
                // One look at the header: a map of 100,000 blocks is mostly this line.
                let word = self.memory.word(at);
                let kind = if word & IN_USE != 0 { PieceKind::Block } else { PieceKind::Hole };
                // A damaged size still leads on, and not out of the arena.
                let size_bytes = (word & !(GRAIN_BYTES - 1)).max(GRAIN_BYTES).min(end.since(at));
                let piece = Piece { at, size_bytes, kind };
                at = piece.end();
                piece
            })
        })
    }
}

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> HoleList for FreeList<M, F, O> {
    type Fit = F;
    type Order = O;

    #[inline]
    fn head(&self) -> &ListHead<F, O> {
        &self.head
    }

    #[inline]
    fn head_mut(&mut self) -> &mut ListHead<F, O> {
        &mut self.head
    }

    #[inline]
    fn next(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(next_of(hole)))
    }

    #[inline]
    fn hole_bytes(&self, hole: Offset) -> u32 {
        self.size(hole)
    }

    #[inline]
    fn place(hole: Offset, align_bytes: u32) -> Offset {
        place(hole, align_bytes)
    }

    /// Whether a header and two links can be read at `at`.
    fn can_be_hole(&self, at: Offset) -> bool {
        let end = self.end().0;
        at.0.is_multiple_of(GRAIN_BYTES) && end >= MIN_BLOCK_BYTES && at.0 <= end - MIN_BLOCK_BYTES
    }

    fn most_holes(&self) -> u32 {
        self.end().0 / MIN_BLOCK_BYTES
    }
}

impl<M, F, O> Over<M> for FreeList<M, F, O>
where
    M: Memory,
    F: Policy<Fit> + Default,
    O: Policy<Order> + Default,
{
    /// The memory's length is a multiple of 8; less than 16 bytes hold no block at all.
    fn new(memory: M) -> Self {
        Self::with(memory, F::default(), O::default())
    }
}

stored_in_memory!(FreeList, F: Policy<Fit>, O: Policy<Order>);

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> Design for FreeList<M, F, O> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let need = block_bytes(layout.size() as u64);
        let wanted = Wanted { need, align_bytes: layout.align() as u32 };
        let Found { hole, hole_bytes, block, .. } =
            find(self, wanted, &mut observer).ok_or(Full)?;
        let padding_bytes = block.since(hole);
        let piece_bytes = hole_bytes - padding_bytes;
        let tail_bytes = piece_bytes - need;
        let (size_bytes, remaining_bytes) =
            if tail_bytes < MIN_BLOCK_BYTES { (piece_bytes, 0) } else { (need, tail_bytes) };
        let granted_bytes = size_bytes - HEADER_BYTES;
        observer.step(Step::Cut {
            at: hole,
            padding_bytes,
            header_bytes: HEADER_BYTES,
            payload_bytes: granted_bytes,
            remaining_bytes,
        });

        let padding = (padding_bytes > 0).then(|| Piece::hole(hole, padding_bytes));
        let tail = (remaining_bytes > 0).then(|| Piece::hole(block.plus(need), remaining_bytes));
        let rover = self.replace(hole, [padding, tail], &mut observer);
        self.head.searched_up_to(rover);
        self.set_size(block, size_bytes, true);
        self.debug_check_around(block);
        Ok(Placement { at: payload_of(block), granted_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, _: Layout, mut observer: impl Observer) {
        let block = header_of(at);
        debug_assert!(sandbox::is_running() || self.in_use(block), "{at:?} is not in use");
        let size_bytes = self.size(block);
        self.release(block, size_bytes, &mut observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        _: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let block = header_of(at);
        let need = block_bytes(u64::from(new_bytes));
        let size_bytes = self.size(block);
        if need > size_bytes {
            let behind = self.hole_behind(block).ok_or(Full)?;
            let hole_bytes = self.size(behind);
            let room = size_bytes + hole_bytes;
            if need > room {
                return Err(Full);
            }
            let remaining_bytes = if room - need < MIN_BLOCK_BYTES { 0 } else { room - need };
            observer.step(Step::Cut {
                at: behind,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: hole_bytes - remaining_bytes,
                remaining_bytes,
            });
            let tail =
                (remaining_bytes > 0).then(|| Piece::hole(block.plus(need), remaining_bytes));
            let rover = self.replace(behind, [None, tail], &mut observer);
            self.head.rover_follows([Some(behind), None], rover);
            self.set_size(block, room - remaining_bytes, true);
        } else {
            self.trim(block, need, &mut observer);
        }
        self.debug_check_around(block);
        Ok(Placement { at, granted_bytes: self.size(block) - HEADER_BYTES })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old_end = self.end();
        self.memory.grow(len);
        let added_bytes = self.end().since(old_end);
        assert!(
            added_bytes.is_multiple_of(GRAIN_BYTES) && added_bytes >= MIN_BLOCK_BYTES,
            "{added_bytes} bytes make no block"
        );
        self.refine_index(len);
        let last = self.pieces_until(old_end).last();
        self.memory.set_word(before_of(old_end), last.map_or(0, |piece| piece.size_bytes));
        self.set_size(old_end, added_bytes, true);
        self.release(old_end, added_bytes, &mut observer);
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.pieces_until(self.end())
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        self.in_order_of_search()
    }

    fn structure(&self) -> Structure {
        self.head.structure()
    }

    fn need(&self, layout: Layout) -> Need {
        let payload_bytes = whole_block_bytes(layout.size() as u64) - u64::from(HEADER_BYTES);
        Need { payload_bytes, edges: Edges::front(HEADER_BYTES) }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes - HEADER_BYTES
    }

    fn header_of_all(&self) -> Option<u32> {
        Some(HEADER_BYTES)
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::front(HEADER_BYTES)
    }

    fn hole_edges(&self, _: Piece) -> Edges {
        Edges::front(MIN_BLOCK_BYTES)
    }

    fn rules(&self) -> Vec<&'static str> {
        let mut rules = vec![
            "blocks tile the arena",
            "every size is a multiple of 8, at least 16",
            "every header knows the size of the block in front",
            "no two neighbours are both holes",
            match self.head.order() {
                Order::Address => "the list holds exactly the holes, in address order",
                Order::Lifo => "the list holds exactly the holes",
                Order::Size => "the list holds exactly the holes, the smallest first",
            },
        ];
        rules.extend(self.head.rules());
        rules
    }

    fn check(&self) -> Result<Census, Broken> {
        let mut census = Census::default();
        let mut at = Offset(0);
        while at < self.end() {
            self.check_block(at)?;
            if self.in_use(at) {
                census.used += 1;
            } else {
                census.holes += 1;
            }
            at = at.plus(self.size(at));
        }
        self.check_list(census.holes)?;
        Ok(census)
    }
}
/// The bytes of a block with so large a payload, header and rounding included.
fn whole_block_bytes(payload_bytes: u64) -> u64 {
    let rounded = payload_bytes.next_multiple_of(u64::from(GRAIN_BYTES));
    (rounded + u64::from(HEADER_BYTES)).max(u64::from(MIN_BLOCK_BYTES))
}

/// The same for a search: what no arena can hold is [`BEYOND_BYTES`].
#[inline]
fn block_bytes(payload_bytes: u64) -> u32 {
    whole_block_bytes(payload_bytes.min(u64::from(BEYOND_BYTES))) as u32
}

fn header_of(payload: Offset) -> Offset {
    payload.minus(HEADER_BYTES)
}

fn payload_of(block: Offset) -> Offset {
    block.plus(HEADER_BYTES)
}

fn before_of(block: Offset) -> Offset {
    block.plus(4)
}

fn next_of(hole: Offset) -> Offset {
    hole.plus(HEADER_BYTES)
}

fn prev_of(hole: Offset) -> Offset {
    hole.plus(HEADER_BYTES + 4)
}

/// Where a block goes in `hole` so that its payload is aligned and what is left in front is no block or a whole one.
#[inline]
fn place(hole: Offset, align_bytes: u32) -> Offset {
    if align_bytes <= GRAIN_BYTES {
        return hole;
    }
    let aligned = header_of(payload_of(hole).align_up(align_bytes));
    match aligned.since(hole) {
        gap if gap > 0 && gap < MIN_BLOCK_BYTES => aligned.plus(align_bytes),
        _ => aligned,
    }
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;
    use crate::oracle::layout;

    type Heap = FirstFit<Pages>;

    /// Allocates each size at align 8 in an arena of 1,024 bytes.
    fn filled(sizes: &[usize]) -> (Heap, Vec<Offset>) {
        let mut heap = Heap::new(Pages::new(1024));
        let blocks =
            sizes.iter().map(|&size| heap.allocate(layout(size, 8), ()).unwrap().at).collect();
        (heap, blocks)
    }

    fn free(heap: &mut Heap, at: Offset) {
        heap.deallocate(at, layout(1, 8), ());
        heap.check().unwrap();
    }

    fn holes(heap: &Heap) -> Vec<(u32, u32)> {
        Design::holes(heap).map(|hole| (hole.at.0, hole.size_bytes)).collect()
    }

    #[test]
    fn a_block_is_a_header_and_its_size_rounded_up_to_8() {
        for (size, end) in [(1, 16), (8, 16), (9, 24), (200, 208), (201, 216)] {
            let (heap, blocks) = filled(&[size]);
            assert_eq!((blocks[0].0, holes(&heap)), (8, vec![(end, 1024 - end)]), "size {size}");
        }
    }

    #[test]
    fn freeing_the_middle_block_leaves_two_holes() {
        let (mut heap, blocks) = filled(&[40, 24, 96]);
        free(&mut heap, blocks[1]);
        assert_eq!(holes(&heap), [(48, 32), (184, 840)]);
    }

    #[test]
    fn a_freed_block_joins_the_holes_on_both_sides() {
        let (mut heap, blocks) = filled(&[40, 24, 96]);
        free(&mut heap, blocks[0]);
        free(&mut heap, blocks[2]);
        free(&mut heap, blocks[1]);
        assert_eq!(holes(&heap), [(0, 1024)]);
    }

    #[test]
    fn the_lowest_hole_that_fits_is_taken() {
        let (mut heap, b) = filled(&[40, 24, 96, 16, 304, 16]);
        for i in [0, 2, 4] {
            free(&mut heap, b[i]);
        }
        let mut steps = Vec::new();
        assert_eq!(heap.allocate(layout(200, 8), &mut steps).unwrap().at, Offset(0xd8));
        let looked = steps.iter().filter(|step| matches!(step, Step::Looked { .. })).count();
        assert_eq!((looked, holes(&heap)), (3, vec![(0, 48), (80, 104), (416, 104), (544, 480)]));
    }

    #[test]
    fn a_rest_too_small_for_a_hole_stays_in_the_block() {
        let (mut heap, b) = filled(&[40, 8]);
        free(&mut heap, b[0]);
        assert_eq!(heap.allocate(layout(32, 8), ()).unwrap().granted_bytes, 40);
        heap.check().unwrap();
    }

    #[test]
    fn padding_for_a_large_alignment_stays_a_hole() {
        let mut heap = Heap::new(Pages::new(4096));
        let placed = heap.allocate(layout(64, 1024), ()).unwrap();
        assert_eq!((placed.at, holes(&heap)), (Offset(1024), vec![(0, 1016), (1088, 3008)]));
        heap.check().unwrap();
        free(&mut heap, placed.at);
        assert_eq!(holes(&heap), [(0, 4096)]);
    }

    #[test]
    fn a_block_grows_into_the_hole_behind_it_and_shrinks_back() {
        let (mut heap, b) = filled(&[40, 8]);
        let old = layout(8, 8);
        assert_eq!(
            heap.reallocate(b[1], old, 100, ()).unwrap(),
            Placement { at: b[1], granted_bytes: 104 }
        );
        heap.check().unwrap();
        assert_eq!(heap.reallocate(b[1], layout(100, 8), 8, ()).unwrap().at, b[1]);
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(64, 960)]);
    }

    #[test]
    fn a_block_with_a_neighbour_behind_moves_with_its_bytes() {
        let (mut heap, b) = filled(&[16, 8]);
        heap.memory.write(b[0].0, b"sixteen bytes!!!");
        let moved = heap.reallocate(b[0], layout(16, 8), 32, ()).unwrap();
        assert_eq!(moved.at, Offset(48));
        assert_eq!(heap.memory.read(48..64), b"sixteen bytes!!!");
        heap.check().unwrap();
    }

    #[test]
    fn a_grown_arena_extends_the_last_hole_or_adds_one() {
        for (sizes, expect) in [(&[40][..], (48, 2000)), (&[1016][..], (1024, 1024))] {
            let (mut heap, _) = filled(sizes);
            Design::grow(&mut heap, 2048, ());
            heap.check().unwrap();
            assert_eq!(holes(&heap), [expect]);
        }
    }

    fn story(fit: Fit, order: Order) -> FreeList<Pages, Fit, Order> {
        // Holes of 48, 104, 312 and 480 bytes, freed in the order of `freed`.
        let mut heap = FreeList::with(Pages::new(1024), fit, order);
        let blocks =
            [40, 24, 96, 16, 304, 16].map(|size| heap.allocate(layout(size, 8), ()).unwrap().at);
        for i in [2, 4, 0] {
            heap.deallocate(blocks[i], layout(1, 8), ());
            heap.check().unwrap();
        }
        heap
    }

    fn starts(heap: &FreeList<Pages, Fit, Order>) -> Vec<u32> {
        Design::holes(heap).map(|hole| hole.at.0).collect()
    }

    #[test]
    fn each_order_lists_the_holes_its_way() {
        for (order, expect) in [
            (Order::Address, [0, 80, 208, 544]),
            (Order::Lifo, [0, 208, 80, 544]),
            (Order::Size, [0, 80, 208, 544]),
        ] {
            assert_eq!(starts(&story(Fit::First, order)), expect, "{order:?}");
        }
    }

    #[test]
    fn each_fit_takes_its_hole() {
        for (fit, order, size, expect) in [
            (Fit::First, Order::Address, 60, 80),
            (Fit::First, Order::Lifo, 60, 208),
            (Fit::First, Order::Size, 200, 208),
            (Fit::Best, Order::Lifo, 60, 80),
            (Fit::Best, Order::Size, 200, 208),
            (Fit::Worst, Order::Address, 8, 544),
            (Fit::Worst, Order::Size, 8, 544),
            (Fit::Worst, Order::Lifo, 480, u32::MAX),
        ] {
            let placed = story(fit, order).allocate(layout(size, 8), ());
            let hole = placed.map_or(u32::MAX, |placed| header_of(placed.at).0);
            assert_eq!(hole, expect, "{fit:?} {order:?} for {size}");
        }
    }

    #[test]
    fn next_fit_goes_on_where_it_stopped_and_comes_around() {
        let mut heap = FreeList::with(Pages::new(1024), Fit::Next, Order::Address);
        let blocks: Vec<_> =
            (0..7).map(|_| heap.allocate(layout(120, 8), ()).unwrap().at).collect();
        for i in [0, 2, 4] {
            heap.deallocate(blocks[i], layout(120, 8), ());
        }
        // 0, 256, 512 and 896 are holes of 128; the last search ended at 896.
        let mut take = |size| heap.allocate(layout(size, 8), ()).map(|placed| placed.at.0 - 8);
        assert_eq!([take(120), take(56), take(56), take(56)], [Ok(896), Ok(0), Ok(64), Ok(256)]);
        assert_eq!((take(120), take(120)), (Ok(512), Err(Full)));
        assert_eq!(
            heap.structure(),
            Structure::List { order: Order::Address, rover: Some(Offset(320)) }
        );
        heap.check().unwrap();
    }

    #[test]
    fn the_rover_follows_its_hole_into_a_joint_one() {
        for order in [Order::Address, Order::Lifo, Order::Size] {
            let mut heap = FreeList::with(Pages::new(1024), Fit::Next, order);
            let blocks = [40, 40].map(|size| heap.allocate(layout(size, 8), ()).unwrap().at);
            assert_eq!(heap.head.rover, Offset(96));
            heap.deallocate(blocks[1], layout(40, 8), ());
            assert_eq!(heap.head.rover, Offset(48), "{order:?}");
            heap.check().unwrap();
        }
    }

    #[test]
    fn after_a_split_the_rest_keeps_the_place_of_its_hole_unless_the_size_decides() {
        for (order, expect) in [
            (Order::Address, vec![0, 80, 416, 544]),
            (Order::Lifo, vec![0, 416, 80, 544]),
            // Of 48, 104, 104 and 480 bytes: of equals the lower first.
            (Order::Size, vec![0, 80, 416, 544]),
        ] {
            let mut heap = story(Fit::Best, order);
            heap.allocate(layout(200, 8), ()).unwrap();
            heap.check().unwrap();
            assert_eq!(starts(&heap), expect, "{order:?}");
        }
    }

    #[test]
    fn best_fit_looks_no_further_than_an_exact_fit() {
        let mut heap = story(Fit::Best, Order::Address);
        let mut steps = Vec::new();
        heap.allocate(layout(96, 8), &mut steps).unwrap();
        let looked = steps.iter().filter(|step| matches!(step, Step::Looked { .. })).count();
        assert_eq!(looked, 2);
    }

    #[test]
    fn check_names_a_rover_or_an_index_that_broke() {
        let mut heap = FreeList::with(Pages::new(1 << 20), Fit::Next, Order::Address);
        let block = heap.allocate(layout(40, 8), ()).unwrap().at;
        heap.check().unwrap();
        let mut damaged = heap.clone();
        damaged.head.rover = header_of(block);
        assert_eq!(damaged.check(), Err(Broken { invariant: 6, at: Offset(0) }));
        let mut damaged = heap.clone();
        damaged.head.zones.remove(Offset(48), NIL);
        assert_eq!(damaged.check(), Err(Broken { invariant: 7, at: Offset(48) }));
        heap.head.zones.add(Offset(1 << 19), 48);
        assert_eq!(heap.check().unwrap_err().invariant, 7);
        assert_eq!(heap.rules().len(), 7);
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let (heap, b) = filled(&[40, 24]);
        for (at, word, invariant) in [
            (header_of(b[0]), 44 + IN_USE, 2),
            (header_of(b[0]), 4096 + IN_USE, 1),
            (before_of(header_of(b[1])), 8, 3),
            (header_of(b[1]), 32, 4),
            (next_of(Offset(80)), 16, 5),
        ] {
            let mut damaged = heap.clone();
            Memory::set_word(&mut damaged.memory, at, word);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant);
        }
    }
}
