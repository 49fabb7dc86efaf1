//! The list of holes without headers: first fit, next fit, best fit and worst fit.
//!
//! ```text
//!  blocks in use            hole                   block
//!  +---------+-------------+------+------+-------+---------+
//!  |    a    |      b      | size | next | unset |    c    |
//!  +---------+-------------+------+------+-------+---------+
//!  ^                       ^      ^
//!  nothing in front        hole   hole + 4: the next hole in the list
//! ```
//!
//! Rust's `dealloc` is told the block's layout, C's `free` is not. So a block need not say how long it is: it is its
//! payload, rounded up to 8 bytes, and the books are in the holes alone. A hole has a size and one link, 8 bytes, and
//! that is the smallest block; whatever a cut leaves is a hole. Between two holes the allocator knows that bytes are
//! taken, not by how many blocks. A `dealloc` with a wrong size goes unnoticed, until two blocks share bytes.
//!
//! Orders, fits and the rover are those of [`crate::FreeList`].
//!
//! Invariants:
//!
//! 1. Every hole lies in the arena; its start and its size are multiples of 8, its size not 0.
//! 2. No two holes overlap or touch.
//! 3. The list is in its order, and ends.
//! 4. The rover is a hole, or nothing.
//! 5. By address: the index knows each zone's first hole, and the class of every hole.
//!
//! Cost: allocate is O(holes). Deallocate has to find the holes around the block, which only the list knows: by
//! address a walk through the holes of one zone of the index, O(holes) in an arena of up to 64 KiB and a handful in
//! larger ones; by `Lifo` and by size a walk through the list, until both neighbours are found, or to its end.
//! Growing a block in place walks as far as freeing it would.
//!
//! Bad at: frees in the two other orders; telling a mistake; and what its fit is bad at, see `fit.rs`.

use std::alloc::Layout;

use crate::design::stored_in_memory;
use crate::fit::{Best, ByAddress, First, Found, Next, Wanted, Worst, find};
use crate::hole_list::{HoleList, ListHead, Walk};
use crate::zones::NIL;
use crate::{
    Broken, Census, Design, Edges, Fit, Full, MAX_ARENA, Memory, Need, Observer, Offset, Order,
    Over, Piece, PieceKind, Placement, Policy, Step, Structure, sandbox,
};

const GRAIN_BYTES: u32 = 8;
/// A size and a link.
const MIN_BLOCK_BYTES: u32 = 8;
/// More than an arena has, and little enough to add offsets to.
const BEYOND_BYTES: u32 = 2 * MAX_ARENA;

/// A list of holes between blocks without headers. See the top of the file.
#[derive(Clone, Debug)]
pub struct Headerless<M, F, O = ByAddress> {
    memory: M,
    head: ListHead<F, O>,
}

/// First fit without headers.
pub type HeaderlessFirstFit<M, O = ByAddress> = Headerless<M, First, O>;
/// Next fit without headers.
pub type HeaderlessNextFit<M, O = ByAddress> = Headerless<M, Next, O>;
/// Best fit without headers.
pub type HeaderlessBestFit<M, O = ByAddress> = Headerless<M, Best, O>;
/// Worst fit without headers.
pub type HeaderlessWorstFit<M, O = ByAddress> = Headerless<M, Worst, O>;

/// A hole and the one in front of it in the list, `NIL` at the head.
#[derive(Clone, Copy)]
struct Link {
    prev: Offset,
    hole: Offset,
}

/// The holes that touch a stretch of the arena.
#[derive(Default)]
struct Touching {
    in_front: Option<Link>,
    behind: Option<Link>,
    /// By address: the hole in front, touching or not.
    prev: Option<Offset>,
}

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> Headerless<M, F, O> {
    /// Takes over `memory`, all of it free. Its length is a multiple of 8.
    pub fn with(memory: M, fit: F, order: O) -> Self {
        let size_bytes = memory.len();
        assert!(size_bytes.is_multiple_of(GRAIN_BYTES), "{size_bytes} is no multiple of 8");
        let mut heap = Self { memory, head: ListHead::new(fit, order, size_bytes) };
        if size_bytes > 0 {
            heap.put(NIL, Piece::hole(Offset(0), size_bytes), NIL);
        }
        heap
    }

    #[inline]
    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    // The words of a hole.

    #[inline]
    fn set_size(&mut self, hole: Offset, size_bytes: u32) {
        self.memory.set_word(hole, size_bytes);
    }

    #[inline]
    fn hole_end(&self, hole: Offset) -> Offset {
        hole.plus(self.hole_bytes(hole))
    }

    #[inline]
    fn link(&mut self, from: Offset, to: Offset) {
        if from == NIL {
            self.head.first = to;
        } else {
            self.memory.set_word(next_of(from), to.0);
        }
    }

    // The list of holes.

    /// Makes a hole and puts it into the list between two neighbours.
    #[inline]
    fn put(&mut self, prev: Offset, hole: Piece, next: Offset) {
        self.set_size(hole.at, hole.size_bytes);
        self.link(prev, hole.at);
        self.link(hole.at, next);
        self.head.index(hole);
    }

    /// Makes a hole and puts it where the size wants it.
    fn put_by_size(&mut self, hole: Piece, observer: &mut impl Observer) {
        let (prev, next) = self.neighbours_by_size(hole, observer);
        self.put(prev, hole, next);
    }

    #[inline]
    fn take_out(&mut self, link: Link) {
        let next = self.next(link.hole);
        self.link(link.prev, next);
        self.head.forget(link.hole, next);
    }

    /// Takes a hole from the list and makes holes of what a cut left of it: in its place, or by size where they
    /// belong. Answers where a search goes on: at the rest behind the cut, else at the next hole.
    #[inline]
    fn replace(
        &mut self,
        prev: Option<Offset>,
        hole: Offset,
        rests: [Option<Piece>; 2],
        observer: &mut impl Observer,
    ) -> Offset {
        let next = self.next(hole);
        let go_on = rests[1].map_or(next, |tail| tail.at);
        let by_size = self.head.order() == Order::Size;
        if let (Some(padding), false) = (rests[0], by_size) {
            // The hole stays where it is, only shorter.
            self.set_size(hole, padding.size_bytes);
            self.head.index(padding);
            if let Some(tail) = rests[1] {
                self.put(hole, tail, next);
            }
            return go_on;
        }
        let prev = prev.unwrap_or_else(|| self.prev(hole, observer));
        self.head.forget(hole, next);
        match rests {
            [None, Some(tail)] if !by_size => self.put(prev, tail, next),
            _ => {
                self.link(prev, next);
                for rest in rests.into_iter().flatten() {
                    self.put_by_size(rest, observer);
                }
            }
        }
        go_on
    }

    /// The hole in front of `hole` in the list, or `NIL`: a walk.
    fn prev(&self, hole: Offset, observer: &mut impl Observer) -> Offset {
        let (mut prev, mut next) = (NIL, self.head.first);
        if self.by_address() {
            let start = self.head.zones.hole_before(hole);
            if start != NIL {
                next = start;
            }
        }
        let mut walk = Walk::through(self);
        while next != hole {
            walk.past(next);
            prev = next;
            next = self.next(next);
        }
        if walk.holes > 0 {
            observer.step(Step::Walked { holes: walk.holes });
        }
        prev
    }

    /// Finds the holes that touch the stretch from `at` up to `end`.
    #[inline]
    fn touching(&self, at: Offset, end: Offset, observer: &mut impl Observer) -> Touching {
        if !self.by_address() {
            return self.touching_anywhere(at, end, observer);
        }
        let mut walk = Walk::through(self);
        let (mut before, mut prev) = (NIL, NIL);
        let mut next = self.head.zones.hole_before(at);
        if next == NIL {
            next = self.head.first;
        }
        while next < at {
            walk.past(next);
            (before, prev) = (prev, next);
            next = self.next(next);
        }
        observer.step(Step::Walked { holes: walk.holes });
        let touches = prev != NIL && self.hole_end(prev) == at;
        Touching {
            // By address nobody asks for the hole in front of the one in front: it keeps its place.
            in_front: touches.then_some(Link { prev: before, hole: prev }),
            behind: (next == end).then_some(Link { prev, hole: next }),
            prev: Some(prev),
        }
    }

    /// The same through a list that is not in address order.
    fn touching_anywhere(&self, at: Offset, end: Offset, observer: &mut impl Observer) -> Touching {
        let mut touching = Touching::default();
        let mut walk = Walk::through(self);
        let (mut prev, mut hole) = (NIL, self.head.first);
        while hole != NIL {
            walk.past(hole);
            if hole == end {
                touching.behind = Some(Link { prev, hole });
            } else if self.hole_end(hole) == at {
                touching.in_front = Some(Link { prev, hole });
            }
            if touching.in_front.is_some() && touching.behind.is_some() {
                break;
            }
            (prev, hole) = (hole, self.next(hole));
        }
        observer.step(Step::Walked { holes: walk.holes });
        touching
    }

    // Joining.

    /// Makes a hole of `freed_bytes` from `block` on, which are in nobody's hands, and joins it with the holes around
    /// it.
    #[inline]
    fn release(&mut self, block: Offset, freed_bytes: u32, observer: &mut impl Observer) {
        let touching = self.touching(block, block.plus(freed_bytes), observer);
        let (in_front, behind) =
            (touching.in_front.map(|link| link.hole), touching.behind.map(|link| link.hole));
        let at = in_front.unwrap_or(block);
        let size_bytes = freed_bytes
            + in_front.map_or(0, |hole| self.hole_bytes(hole))
            + behind.map_or(0, |hole| self.hole_bytes(hole));
        let joined = Piece::hole(at, size_bytes);
        if let Some(prev) = touching.prev {
            self.list_by_address(joined, prev, in_front, touching.behind);
        } else {
            self.take_out_both(touching);
            match self.head.order() {
                Order::Size => self.put_by_size(joined, observer),
                _ => self.put(NIL, joined, self.head.first),
            }
        }
        self.head.rover_follows([in_front, behind], at);
        observer.step(Step::Joined {
            at,
            freed_bytes,
            size_bytes,
            in_front: in_front.is_some(),
            behind: behind.is_some(),
        });
        self.debug_check(at);
    }

    /// Puts `joined` into the list behind `prev`, for the holes it is made of.
    #[inline]
    fn list_by_address(
        &mut self,
        joined: Piece,
        prev: Offset,
        in_front: Option<Offset>,
        behind: Option<Link>,
    ) {
        if let Some(behind) = behind {
            self.take_out(behind);
        }
        if in_front.is_some() {
            self.set_size(joined.at, joined.size_bytes);
            self.head.index(joined);
        } else {
            let next = if prev == NIL { self.head.first } else { self.next(prev) };
            self.put(prev, joined, next);
        }
    }

    fn take_out_both(&mut self, Touching { in_front, behind, .. }: Touching) {
        if let Some(front) = in_front {
            self.take_out(front);
        }
        if let Some(mut behind) = behind {
            if let Some(front) = in_front
                && front.hole == behind.prev
            {
                behind.prev = front.prev;
            }
            self.take_out(behind);
        }
    }

    // Checking.

    fn debug_check(&self, hole: Offset) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            assert!(self.is_whole(hole), "a hole of {} at {hole:?}", self.hole_bytes(hole));
            if self.by_address() {
                let next = self.next(hole);
                assert!(next > self.hole_end(hole), "{next:?} behind {hole:?}");
            }
        }
    }

    /// Invariant 1.
    fn is_whole(&self, hole: Offset) -> bool {
        self.can_be_hole(hole) && {
            let size_bytes = self.hole_bytes(hole);
            size_bytes > 0
                && size_bytes.is_multiple_of(GRAIN_BYTES)
                && size_bytes <= self.end().since(hole)
        }
    }

    /// By address the list as it is; in the other orders it is sorted, which allocates.
    fn holes_by_address(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut sorted = if self.by_address() { Vec::new() } else { self.listed().collect() };
        sorted.sort_unstable_by_key(|piece: &Piece| piece.at);
        let mut linked = self.by_address().then(|| self.listed());
        let mut sorted = sorted.into_iter();
        std::iter::from_fn(move || match &mut linked {
            Some(holes) => holes.next(),
            None => sorted.next(),
        })
    }
}

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> HoleList for Headerless<M, F, O> {
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
        self.memory.word(hole)
    }

    /// Whatever is left in front is a hole.
    #[inline]
    fn place(hole: Offset, align_bytes: u32) -> Offset {
        hole.align_up(align_bytes.max(GRAIN_BYTES))
    }

    fn can_be_hole(&self, at: Offset) -> bool {
        at.0.is_multiple_of(GRAIN_BYTES) && at < self.end()
    }

    fn most_holes(&self) -> u32 {
        // Between two holes lies a block.
        self.end().0.div_ceil(2 * MIN_BLOCK_BYTES)
    }
}

impl<M, F, O> Over<M> for Headerless<M, F, O>
where
    M: Memory,
    F: Policy<Fit> + Default,
    O: Policy<Order> + Default,
{
    /// The memory's length is a multiple of 8.
    fn new(memory: M) -> Self {
        Self::with(memory, F::default(), O::default())
    }
}

stored_in_memory!(Headerless, F: Policy<Fit>, O: Policy<Order>);

impl<M: Memory, F: Policy<Fit>, O: Policy<Order>> Design for Headerless<M, F, O> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let need = block_bytes(layout.size() as u64);
        let wanted = Wanted { need, align_bytes: layout.align() as u32 };
        let Found { prev, hole, hole_bytes, block } =
            find(self, wanted, &mut observer).ok_or(Full)?;
        let padding_bytes = block.since(hole);
        let remaining_bytes = hole_bytes - padding_bytes - need;
        observer.step(Step::Cut {
            at: hole,
            padding_bytes,
            header_bytes: 0,
            payload_bytes: need,
            remaining_bytes,
        });
        let padding = (padding_bytes > 0).then(|| Piece::hole(hole, padding_bytes));
        let tail = (remaining_bytes > 0).then(|| Piece::hole(block.plus(need), remaining_bytes));
        let rover = self.replace(prev, hole, [padding, tail], &mut observer);
        self.head.searched_up_to(rover);
        Ok(Placement { at: block, granted_bytes: need })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        self.release(at, block_bytes(layout.size() as u64), &mut observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let size_bytes = block_bytes(layout.size() as u64);
        let need = block_bytes(u64::from(new_bytes));
        if need > size_bytes {
            let end = at.plus(size_bytes);
            let added_bytes = need - size_bytes;
            if added_bytes > self.end().since(end) {
                return Err(Full);
            }
            let behind = self.touching(at, end, &mut observer).behind.ok_or(Full)?;
            let hole_bytes = self.hole_bytes(behind.hole);
            if added_bytes > hole_bytes {
                return Err(Full);
            }
            let remaining_bytes = hole_bytes - added_bytes;
            observer.step(Step::Cut {
                at: behind.hole,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: added_bytes,
                remaining_bytes,
            });
            let tail = (remaining_bytes > 0).then(|| Piece::hole(at.plus(need), remaining_bytes));
            let rests = [None, tail];
            let rover = self.replace(Some(behind.prev), behind.hole, rests, &mut observer);
            self.head.rover_follows([Some(behind.hole), None], rover);
        } else if need < size_bytes {
            self.release(at.plus(need), size_bytes - need, &mut observer);
        }
        Ok(Placement { at, granted_bytes: need })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old_end = self.end();
        self.memory.grow(len);
        let added_bytes = self.end().since(old_end);
        assert!(added_bytes.is_multiple_of(GRAIN_BYTES), "{added_bytes} bytes make no block");
        if added_bytes == 0 {
            return;
        }
        self.refine_index(len);
        self.release(old_end, added_bytes, &mut observer);
    }

    /// Allocates, except by address.
    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut at = Offset(0);
        let mut holes = self.holes_by_address().peekable();
        std::iter::from_fn(move || {
            let end = holes.peek().map_or(self.end(), |hole| hole.at);
            let piece = if at < end {
                Piece { at, size_bytes: end.since(at), kind: PieceKind::Taken }
            } else {
                // A damaged size does not lead out of the arena.
                let hole = holes.next()?;
                let size_bytes = hole.size_bytes.min(self.end().since(hole.at));
                Piece::hole(hole.at, size_bytes)
            };
            at = piece.end();
            Some(piece)
        })
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        self.in_order_of_search()
    }

    fn structure(&self) -> Structure {
        self.head.structure()
    }

    fn need(&self, layout: Layout) -> Need {
        Need { payload_bytes: whole_block_bytes(layout.size() as u64), edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::NONE
    }

    fn hole_edges(&self, _: Piece) -> Edges {
        Edges::front(MIN_BLOCK_BYTES)
    }

    fn rules(&self) -> Vec<&'static str> {
        let mut rules = vec![
            "every hole lies in the arena, its start and size multiples of 8",
            "no two holes overlap or touch",
            match self.head.order() {
                Order::Address => "the list is in address order",
                Order::Lifo => "the list ends",
                Order::Size => "the list goes from the smallest hole to the largest",
            },
        ];
        rules.extend(self.head.rules());
        rules
    }

    /// Allocates, except by address.
    fn check(&self) -> Result<Census, Broken> {
        let broken = |invariant, at| Err(Broken { invariant, at });
        let (mut prev, mut hole) = (NIL, self.head.first);
        let mut holes = 0;
        while hole != NIL {
            if !self.is_whole(hole) {
                return broken(1, hole);
            }
            // A list that leads around has more holes than the arena has room for.
            holes += 1;
            if holes > self.most_holes() || prev != NIL && !self.is_in_order(prev, hole) {
                return broken(3, hole);
            }
            (prev, hole) = (hole, self.next(hole));
        }
        let mut used = 0;
        let mut end = None;
        for hole in self.holes_by_address() {
            if end.is_some_and(|end| hole.at <= end) {
                return broken(2, hole.at);
            }
            used += u32::from(hole.at > Offset(0));
            end = Some(hole.end());
        }
        used += u32::from(end.unwrap_or(Offset(0)) < self.end());
        self.check_head(3, 4)?;
        Ok(Census { used, holes })
    }
}

/// The bytes of a block with so large a payload: rounded up, and at least a hole's.
fn whole_block_bytes(payload_bytes: u64) -> u64 {
    payload_bytes.max(1).next_multiple_of(u64::from(GRAIN_BYTES))
}

/// The same for a search: what no arena can hold is [`BEYOND_BYTES`].
#[inline]
fn block_bytes(payload_bytes: u64) -> u32 {
    whole_block_bytes(payload_bytes.min(u64::from(BEYOND_BYTES))) as u32
}

fn next_of(hole: Offset) -> Offset {
    hole.plus(4)
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;

    type Heap = Headerless<Pages, Fit, Order>;

    const ORDERS: [Order; 3] = [Order::Address, Order::Lifo, Order::Size];

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    fn filled(order: Order, sizes: &[usize]) -> (Heap, Vec<(Offset, Layout)>) {
        let mut heap = Headerless::with(Pages::new(1024), Fit::First, order);
        let blocks = sizes
            .iter()
            .map(|&size| (heap.allocate(layout(size), ()).unwrap().at, layout(size)))
            .collect();
        (heap, blocks)
    }

    fn free(heap: &mut Heap, (at, layout): (Offset, Layout)) {
        heap.deallocate(at, layout, ());
        heap.check().unwrap();
    }

    fn holes(heap: &Heap) -> Vec<(u32, u32)> {
        Design::holes(heap).map(|hole| (hole.at.0, hole.size_bytes)).collect()
    }

    #[test]
    fn a_block_is_its_payload_rounded_up_to_8() {
        for (size, end) in [(1, 8), (8, 8), (9, 16), (200, 200), (201, 208)] {
            let (heap, blocks) = filled(Order::Address, &[size]);
            assert_eq!((blocks[0].0.0, holes(&heap)), (0, vec![(end, 1024 - end)]), "size {size}");
        }
    }

    #[test]
    fn a_freed_block_joins_the_holes_on_both_sides_in_every_order() {
        for order in ORDERS {
            for (first, second) in [(0, 2), (2, 0)] {
                let (mut heap, blocks) = filled(order, &[40, 24, 96, 8]);
                free(&mut heap, blocks[first]);
                free(&mut heap, blocks[second]);
                free(&mut heap, blocks[1]);
                let mut holes = holes(&heap);
                holes.sort_unstable();
                assert_eq!(holes, [(0, 160), (168, 856)], "{order:?}");
                free(&mut heap, blocks[3]);
                assert_eq!(self::holes(&heap), [(0, 1024)], "{order:?}");
            }
        }
    }

    #[test]
    fn eight_bytes_between_two_blocks_are_a_hole() {
        for order in ORDERS {
            let (mut heap, blocks) = filled(order, &[8, 8, 8]);
            free(&mut heap, blocks[1]);
            assert_eq!(heap.check(), Ok(Census { used: 2, holes: 2 }));
            let mut steps = Vec::new();
            assert_eq!(heap.allocate(layout(1), &mut steps).unwrap().at, Offset(8));
        }
    }

    #[test]
    fn a_block_grows_into_the_hole_behind_it_and_shrinks_back() {
        for order in ORDERS {
            let (mut heap, b) = filled(order, &[40, 8]);
            let placed = heap.resize(b[1].0, b[1].1, 100, ()).unwrap();
            assert_eq!(placed, Placement { at: b[1].0, granted_bytes: 104 });
            heap.check().unwrap();
            assert_eq!(heap.resize(b[1].0, layout(100), 985, ()), Err(Full));
            assert_eq!(heap.resize(b[1].0, layout(100), 984, ()).unwrap().granted_bytes, 984);
            assert_eq!(holes(&heap), []);
            assert_eq!(heap.resize(b[1].0, layout(984), 8, ()).unwrap().at, b[1].0);
            heap.check().unwrap();
            assert_eq!(holes(&heap), [(48, 976)]);
            assert_eq!(heap.resize(b[0].0, layout(40), 48, ()), Err(Full));
        }
    }

    #[test]
    fn what_is_between_two_holes_is_taken() {
        let (mut heap, b) = filled(Order::Lifo, &[40, 24, 96, 16]);
        free(&mut heap, b[2]);
        free(&mut heap, b[0]);
        let pieces: Vec<_> =
            heap.pieces().map(|piece| (piece.at.0, piece.size_bytes, piece.kind)).collect();
        assert_eq!(
            pieces,
            [
                (0, 40, PieceKind::Hole),
                (40, 24, PieceKind::Taken),
                (64, 96, PieceKind::Hole),
                (160, 16, PieceKind::Taken),
                (176, 848, PieceKind::Hole),
            ]
        );
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let (mut heap, b) = filled(Order::Address, &[40, 24, 40, 24]);
        free(&mut heap, b[0]);
        free(&mut heap, b[2]);
        for (at, word, invariant) in [
            (Offset(0), 44, 1),
            (Offset(0), 2048, 1),
            (Offset(0), 64, 2),
            (next_of(Offset(64)), 0, 3),
        ] {
            let mut damaged = heap.clone();
            Memory::set_word(&mut damaged.memory, at, word);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant, "{at:?} {word}");
        }
        for order in ORDERS {
            let (mut heap, b) = filled(order, &[40, 24, 40, 24]);
            free(&mut heap, b[0]);
            // The list goes around and around.
            let first = heap.head.first;
            Memory::set_word(&mut heap.memory, next_of(first), first.0);
            assert_eq!(heap.check().unwrap_err().invariant, 3, "{order:?}");
        }
    }
}
