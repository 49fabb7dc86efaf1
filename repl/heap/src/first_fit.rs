//! First fit: a list of holes in address order, split when too large, coalesced when neighbours.
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
//! section 2.5), kept in the header behind so that the arena's last block needs none. `next` and `prev` link the holes
//! in address order. All four are `u32` offsets or sizes; real allocators use words twice as wide.
//!
//! Invariants:
//!
//! 1. Blocks tile the arena: each starts where the one in front ends, and the last ends where the arena ends.
//! 2. Every size is a multiple of 8 and at least 16, room for a header and two links.
//! 3. Every `before` is the size of the block in front, 0 for the first.
//! 4. No two neighbours are both holes.
//! 5. The list holds exactly the holes, in address order, and every `prev` mirrors a `next`.
//!
//! Cost: allocate is O(holes). Deallocate is O(1) next to a hole, else O(holes) to find its place in the list.
//! Bad at: many small holes in front of the one that fits; each request walks past all of them.

use std::alloc::Layout;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::{
    Broken, Census, Design, Edges, Full, Info, Memory, Need, Observer, Offset, Order, Over, Piece,
    PieceKind, Placement, Step, Structure, sandbox,
};

const HEADER_BYTES: u32 = 8;
const MIN_BLOCK_BYTES: u32 = 16;
const GRAIN_BYTES: u32 = 8;
const IN_USE: u32 = 1;
/// The end of the list of holes. No hole can start here.
const NIL: Offset = Offset(u32::MAX);

/// The first-fit allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct FirstFit<M> {
    memory: M,
    first_hole: Offset,
}

/// A request and a hole that holds it.
struct Fit {
    hole: Offset,
    hole_bytes: u32,
    /// Where the block will start: the hole's start, or further up for alignment.
    block: Offset,
}

impl<M: Memory> FirstFit<M> {
    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    // The fields of a block, and the blocks around it.

    fn size(&self, block: Offset) -> u32 {
        self.memory.word(block) & !IN_USE
    }

    fn in_use(&self, block: Offset) -> bool {
        self.memory.word(block) & IN_USE != 0
    }

    /// Writes the size and tells the block behind.
    fn set_size(&mut self, block: Offset, size_bytes: u32, in_use: bool) {
        self.memory.set_word(block, size_bytes | u32::from(in_use));
        let behind = block.plus(size_bytes);
        if behind < self.end() {
            self.memory.set_word(before_of(behind), size_bytes);
        }
    }

    fn block_in_front(&self, block: Offset) -> Option<Offset> {
        let bytes = self.memory.word(before_of(block));
        (bytes > 0).then(|| block.minus(bytes))
    }

    fn block_behind(&self, block: Offset) -> Option<Offset> {
        let behind = block.plus(self.size(block));
        (behind < self.end()).then_some(behind)
    }

    fn hole_in_front(&self, block: Offset) -> Option<Offset> {
        self.block_in_front(block).filter(|&front| !self.in_use(front))
    }

    fn hole_behind(&self, block: Offset) -> Option<Offset> {
        self.block_behind(block).filter(|&behind| !self.in_use(behind))
    }

    // The list of holes.

    fn next(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(next_of(hole)))
    }

    fn prev(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(prev_of(hole)))
    }

    fn link(&mut self, from: Offset, to: Offset) {
        if from == NIL {
            self.first_hole = to;
        } else {
            self.memory.set_word(next_of(from), to.0);
        }
        if to != NIL {
            self.memory.set_word(prev_of(to), from.0);
        }
    }

    fn unlink(&mut self, hole: Offset) {
        let (prev, next) = (self.prev(hole), self.next(hole));
        self.link(prev, next);
    }

    /// Puts `hole` into the list between two neighbours of it.
    fn link_between(&mut self, prev: Offset, hole: Offset, next: Offset) {
        self.link(prev, hole);
        self.link(hole, next);
    }

    /// The last hole in front of `block`, or `NIL`: a walk from the list's head.
    fn last_hole_before(&self, block: Offset, observer: &mut impl Observer) -> Offset {
        let mut holes = 0;
        let mut prev = NIL;
        let mut hole = self.first_hole;
        while hole != NIL && hole < block {
            prev = hole;
            hole = self.next(hole);
            holes += 1;
        }
        observer.step(Step::Walked { holes });
        prev
    }

    // Finding, cutting and joining.

    fn find(&self, need: u32, align: u32, observer: &mut impl Observer) -> Option<Fit> {
        let mut hole = self.first_hole;
        while hole != NIL {
            let hole_bytes = self.size(hole);
            let block = place(hole, align);
            let fits = block.plus(need) <= hole.plus(hole_bytes);
            observer.step(Step::Looked { at: hole, size_bytes: hole_bytes, fits });
            if fits {
                return Some(Fit { hole, hole_bytes, block });
            }
            hole = self.next(hole);
        }
        None
    }

    /// Makes a hole of `block`, which is in nobody's hands, and joins it with the holes around it.
    fn release(&mut self, block: Offset, freed_bytes: u32, observer: &mut impl Observer) {
        let (in_front, behind) = (self.hole_in_front(block), self.hole_behind(block));
        let mut size_bytes = self.size(block);
        if let Some(behind) = behind {
            size_bytes += self.size(behind);
        }
        let at = match (in_front, behind) {
            (Some(front), _) => {
                size_bytes += self.size(front);
                if let Some(behind) = behind {
                    self.unlink(behind);
                }
                front
            }
            (None, Some(behind)) => {
                let (prev, next) = (self.prev(behind), self.next(behind));
                self.link_between(prev, block, next);
                block
            }
            (None, None) => {
                let prev = self.last_hole_before(block, observer);
                let next = if prev == NIL { self.first_hole } else { self.next(prev) };
                self.link_between(prev, block, next);
                block
            }
        };
        self.set_size(at, size_bytes, false);
        observer.step(Step::Joined {
            at,
            freed_bytes,
            size_bytes,
            in_front: in_front.is_some(),
            behind: behind.is_some(),
        });
        self.debug_check_around(at);
    }

    /// Cuts the tail off `block` if it is large enough for a hole, and says how many bytes `block` keeps.
    fn trim(&mut self, block: Offset, need: u32, observer: &mut impl Observer) -> u32 {
        let size_bytes = self.size(block);
        let tail_bytes = size_bytes - need;
        if tail_bytes < MIN_BLOCK_BYTES {
            return size_bytes;
        }
        self.set_size(block, need, true);
        let tail = block.plus(need);
        self.set_size(tail, tail_bytes, true);
        self.release(tail, tail_bytes, observer);
        need
    }

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

    /// Invariants 2 to 4, and the links of 5, for one block and the one behind it.
    fn check_block(&self, block: Offset) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: block });
        let size_bytes = self.size(block);
        if size_bytes < MIN_BLOCK_BYTES || !size_bytes.is_multiple_of(GRAIN_BYTES) {
            return broken(2);
        }
        if size_bytes > self.end().since(block) {
            return broken(1);
        }
        if let Some(behind) = self.block_behind(block) {
            if self.memory.word(before_of(behind)) != size_bytes {
                return broken(3);
            }
            if !self.in_use(block) && !self.in_use(behind) {
                return broken(4);
            }
        }
        if !self.in_use(block) {
            let (prev, next) = (self.prev(block), self.next(block));
            let in_order = (prev == NIL || prev < block) && next > block;
            let mirrored = (next == NIL || (next < self.end() && self.prev(next) == block))
                && if prev == NIL { self.first_hole == block } else { self.next(prev) == block };
            if !in_order || !mirrored {
                return broken(5);
            }
        }
        Ok(())
    }
}

impl FirstFit<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "first-fit",
        summary: "a list of holes by address; the first that fits is split",
        options: &[],
        inner: &[],
        is_foreign: false,
        build: |_, len| Ok(Box::new(Self::new(Pages::new(len)))),
    };
}

impl<M: Memory> Over<M> for FirstFit<M> {
    /// The memory's length is a multiple of 8; less than 16 bytes hold no block at all.
    fn new(memory: M) -> Self {
        let mut heap = Self { memory, first_hole: NIL };
        let size_bytes = heap.memory.len();
        assert!(size_bytes.is_multiple_of(GRAIN_BYTES), "{size_bytes} is no multiple of 8");
        if size_bytes >= MIN_BLOCK_BYTES {
            heap.set_size(Offset(0), size_bytes, false);
            heap.memory.set_word(before_of(Offset(0)), 0);
            heap.link_between(NIL, Offset(0), NIL);
        }
        heap
    }
}

stored_in_memory!(FirstFit);

impl<M: Memory> Design for FirstFit<M> {
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let need = block_bytes(layout.size() as u64) as u32;
        let fit = self.find(need, layout.align() as u32, &mut observer).ok_or(Full)?;
        let padding_bytes = fit.block.since(fit.hole);
        let piece_bytes = fit.hole_bytes - padding_bytes;
        let tail_bytes = piece_bytes - need;
        let (size_bytes, remaining_bytes) =
            if tail_bytes < MIN_BLOCK_BYTES { (piece_bytes, 0) } else { (need, tail_bytes) };

        let (mut prev, next) = (self.prev(fit.hole), self.next(fit.hole));
        if padding_bytes > 0 {
            // The front of the hole stays a hole, in its old place in the list.
            self.set_size(fit.hole, padding_bytes, false);
            prev = fit.hole;
        }
        self.set_size(fit.block, size_bytes, true);
        if remaining_bytes > 0 {
            let tail = fit.block.plus(size_bytes);
            self.set_size(tail, remaining_bytes, false);
            self.link_between(prev, tail, next);
        } else {
            self.link(prev, next);
        }
        self.debug_check_around(fit.block);

        let granted_bytes = size_bytes - HEADER_BYTES;
        observer.step(Step::Cut {
            at: fit.hole,
            padding_bytes,
            header_bytes: HEADER_BYTES,
            payload_bytes: granted_bytes,
            remaining_bytes,
        });
        Ok(Placement { at: payload_of(fit.block), granted_bytes })
    }

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
        let need = block_bytes(u64::from(new_bytes)) as u32;
        let size_bytes = self.size(block);
        if need > size_bytes {
            let behind = self.hole_behind(block).ok_or(Full)?;
            let room = size_bytes + self.size(behind);
            if need > room {
                return Err(Full);
            }
            let hole_bytes = self.size(behind);
            let (prev, next) = (self.prev(behind), self.next(behind));
            let remaining_bytes = if room - need < MIN_BLOCK_BYTES { 0 } else { room - need };
            self.set_size(block, room - remaining_bytes, true);
            if remaining_bytes > 0 {
                let tail = block.plus(need);
                self.set_size(tail, remaining_bytes, false);
                self.link_between(prev, tail, next);
            } else {
                self.link(prev, next);
            }
            observer.step(Step::Cut {
                at: behind,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: hole_bytes - remaining_bytes,
                remaining_bytes,
            });
        } else {
            self.trim(block, need, &mut observer);
        }
        self.debug_check_around(block);
        Ok(Placement { at, granted_bytes: self.size(block) - HEADER_BYTES })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old_bytes = self.memory.len();
        self.memory.grow(len);
        let added_bytes = self.memory.len() - old_bytes;
        assert!(
            added_bytes.is_multiple_of(GRAIN_BYTES) && added_bytes >= MIN_BLOCK_BYTES,
            "{added_bytes} bytes make no block"
        );
        let last = self.pieces_until(Offset(old_bytes)).last();
        let added = Offset(old_bytes);
        self.memory.set_word(before_of(added), last.map_or(0, |piece| piece.size_bytes));
        self.set_size(added, added_bytes, true);
        self.release(added, added_bytes, &mut observer);
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.pieces_until(self.end())
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut hole = self.first_hole;
        std::iter::from_fn(move || {
            (hole != NIL).then(|| {
                let piece = Piece { at: hole, size_bytes: self.size(hole), kind: PieceKind::Hole };
                hole = self.next(hole);
                piece
            })
        })
    }

    fn structure(&self) -> Structure {
        Structure::List { order: Order::Address, rover: None }
    }

    fn need(&self, layout: Layout) -> Need {
        let payload_bytes = block_bytes(layout.size() as u64) - u64::from(HEADER_BYTES);
        Need { payload_bytes, edges: Edges::front(HEADER_BYTES) }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes - HEADER_BYTES
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::front(HEADER_BYTES)
    }

    fn hole_edges(&self, _: Piece) -> Edges {
        Edges::front(MIN_BLOCK_BYTES)
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "blocks tile the arena",
            "every size is a multiple of 8, at least 16",
            "every header knows the size of the block in front",
            "no two neighbours are both holes",
            "the list holds exactly the holes, in address order",
        ]
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
        if at != self.end() {
            return Err(Broken { invariant: 1, at });
        }
        // Order and mirrors hold for every hole, so the list cannot loop; it may still miss some.
        if self.holes().take(census.holes as usize + 1).count() != census.holes as usize {
            return Err(Broken { invariant: 5, at: self.first_hole });
        }
        Ok(census)
    }
}

impl<M: Memory> FirstFit<M> {
    fn pieces_until(&self, end: Offset) -> impl Iterator<Item = Piece> + '_ {
        let mut at = Offset(0);
        std::iter::from_fn(move || {
            (at < end).then(|| {
                // One look at the header: a map of 100,000 blocks is mostly this line.
                let word = self.memory.word(at);
                let kind = if word & IN_USE != 0 { PieceKind::Block } else { PieceKind::Hole };
                let piece = Piece { at, size_bytes: word & !IN_USE, kind };
                at = piece.end();
                piece
            })
        })
    }
}

/// The bytes of a block with so large a payload, header and rounding included.
fn block_bytes(payload_bytes: u64) -> u64 {
    let rounded = payload_bytes.next_multiple_of(u64::from(GRAIN_BYTES));
    (rounded + u64::from(HEADER_BYTES)).max(u64::from(MIN_BLOCK_BYTES))
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
fn place(hole: Offset, align_bytes: u32) -> Offset {
    let aligned = header_of(payload_of(hole).align_up(align_bytes.max(GRAIN_BYTES)));
    match aligned.since(hole) {
        gap if gap > 0 && gap < MIN_BLOCK_BYTES => aligned.plus(align_bytes.max(GRAIN_BYTES)),
        _ => aligned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Heap = FirstFit<Pages>;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

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
