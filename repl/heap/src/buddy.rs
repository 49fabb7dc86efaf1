//! The binary buddy system: blocks are powers of two, and a freed block joins the other half of what it was cut from.
//!
//! ```text
//!  0          256          512                       1024
//!  | a |hole|  hole       |  b                       |     blocks of 128, 128, 256 and 512 bytes
//!  +---+----+-------------+--------------------------+
//!  books   | 7 | 7+free | 8+free | 9 |                     one status byte per 16 bytes of arena, beside the arena
//!
//!  hole
//!  +------+------+-------+
//!  | next | prev | unset |                                 links of the list of its order, only while it is a hole
//!  +------+------+-------+
//! ```
//!
//! A block of order k has 2^k bytes and starts at a multiple of 2^k, so its buddy's address differs from its own in
//! bit k alone: no search finds it. A request is rounded up to a power of two, at least 16 and at least its
//! alignment. The smallest hole that is large enough is halved until it is the size wanted; each upper half goes to
//! the list of its order. A freed block joins its buddy while that is a hole of the same order. `listed` has a bit
//! for each order whose list is not empty, so the smallest order that will do is one instruction.
//!
//! Blocks have no header. The size comes back with the block, as Rust's `dealloc` gives it, and whether the buddy is
//! free stands in the books: one byte for the first 16 bytes of each block, its order and a bit for "free". The bytes
//! for the rest of a block are stale and never read. An arena that is no power of two is the powers of
//! two that it is the sum of, the largest first. Only the first of them, the root, is in a list from the start. The
//! others, in the rest, follow one by one when no list has a hole large enough: smaller as they are, they would be
//! taken first, and scatter blocks over the arena's end.
//!
//! Invariants:
//!
//! 1. The books' blocks tile the arena up to the rest, each of order 4 to 30.
//! 2. Every block starts at a multiple of its size.
//! 3. No two buddies are both holes.
//! 4. The list of each order holds exactly the holes of that order, and every `prev` but the first hole's, which
//!    nobody reads, mirrors a `next`.
//! 5. Bit k of `listed` is set exactly when the list of order k is not empty.
//!
//! Cost: allocate, deallocate and resize are O(log arena), one list operation for each halving or joining, whatever
//! the number of blocks. Bad at: sizes just above a power of two, which waste up to half of their block; and
//! neighbours that are not buddies never join.
//!
//! Knowlton, "A fast storage allocator", Communications of the ACM 8(10), 1965; Knuth, The Art of Computer
//! Programming, volume 1, section 2.5, algorithms R and S.

use std::alloc::Layout;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::{
    Broken, Census, Class, Design, Edges, Full, Info, Memory, Need, Node, NodeKind, Observer,
    Offset, Origin, Over, Piece, PieceKind, Placement, Step, Structure, sandbox,
};

const MIN_ORDER: u32 = 4;
const MIN_BLOCK_BYTES: u32 = bytes_of(MIN_ORDER);
/// The order of the largest arena, [`MAX_ARENA`](crate::MAX_ARENA).
const MAX_ORDER: u32 = 30;
/// A power of two above the largest order, so that a masked order needs no check against the lists' length.
const LISTS: usize = 32;
const LINK_BYTES: u32 = 8;
/// The bit of a status byte that says that the block is a hole.
const FREE: u8 = 0x80;
/// The end of a list of holes. No hole can start here.
const NIL: Offset = Offset(u32::MAX);

/// The buddy allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct Buddy<M> {
    memory: M,
    books: M,
    /// Where the rest starts: powers of two that are in no list and not in the books.
    rest: Offset,
    /// Bit k: the list of order k is not empty.
    listed: u32,
    /// The first hole of each order.
    heads: [Offset; LISTS],
}

impl<M: Memory> Buddy<M> {
    /// The end of the last whole 16 bytes.
    #[inline]
    fn end(&self) -> Offset {
        Offset(self.memory.len() & !(MIN_BLOCK_BYTES - 1))
    }

    // The books.

    #[inline]
    fn set_status(&mut self, block: Offset, status: u8) {
        self.books.set_byte(book_of(block), status);
    }

    /// Whether a hole of this order starts at `block`, an offset that may be wrong.
    #[inline]
    fn is_hole(&self, block: Offset, order: u32) -> bool {
        block < self.rest && self.books.byte(book_of(block)) == FREE | order as u8
    }

    /// The order of the block at `block`, and whether it is a hole; `None` if the books make no sense there.
    fn status(&self, block: Offset) -> Option<(u32, bool)> {
        if block >= self.rest {
            return None;
        }
        let status = self.books.byte(book_of(block));
        let order = u32::from(status & !FREE);
        let whole =
            (MIN_ORDER..=MAX_ORDER).contains(&order) && bytes_of(order) <= self.rest.since(block);
        whole.then_some((order, status & FREE != 0))
    }

    // The lists of holes.

    #[inline]
    fn next(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(next_of(hole)))
    }

    #[inline]
    fn prev(&self, hole: Offset) -> Offset {
        Offset(self.memory.word(prev_of(hole)))
    }

    #[inline]
    fn head(&self, order: u32) -> Offset {
        self.heads[order as usize % LISTS]
    }

    #[inline]
    fn set_head(&mut self, order: u32, hole: Offset) {
        self.heads[order as usize % LISTS] = hole;
    }

    /// Makes a hole of `block`, the first of its order's list. Nobody reads the `prev` of a first hole, so it stays
    /// as it was, and taking the first hole touches no other.
    #[inline]
    fn list(&mut self, block: Offset, order: u32) {
        let next = self.head(order);
        if next != NIL {
            self.memory.set_word(prev_of(next), block.0);
        }
        self.listed |= bytes_of(order);
        self.list_alone(block, order, next);
    }

    /// The part of [`Buddy::list`] that a list that was empty needs, but for the bit.
    #[inline]
    fn list_alone(&mut self, block: Offset, order: u32, next: Offset) {
        self.memory.set_word(next_of(block), next.0);
        self.set_head(order, block);
        self.set_status(block, FREE | order as u8);
    }

    /// Takes the first hole off a list that has one.
    #[inline]
    fn unlist_first(&mut self, order: u32) -> Offset {
        let hole = self.head(order);
        let next = self.next(hole);
        self.set_head(order, next);
        self.listed ^= u32::from(next == NIL) << order;
        hole
    }

    /// Takes a hole off its list.
    #[inline]
    fn unlist(&mut self, hole: Offset, order: u32) {
        if hole == self.head(order) {
            self.unlist_first(order);
            return;
        }
        let (prev, next) = (self.prev(hole), self.next(hole));
        self.memory.set_word(next_of(prev), next.0);
        if next != NIL {
            self.memory.set_word(prev_of(next), prev.0);
        }
    }

    /// The holes of an order, the first of the list first. A damaged link ends the walk.
    fn holes_of(&self, order: u32) -> impl Iterator<Item = Offset> + '_ {
        let mut hole = self.head(order);
        let mut left = self.rest.0 / bytes_of(order);
        std::iter::from_fn(move || {
            let listed = left > 0 && hole.is_aligned(bytes_of(order));
            (listed && self.is_hole(hole, order)).then(|| {
                left -= 1;
                let found = hole;
                hole = self.next(found);
                found
            })
        })
    }

    // Halving and joining.

    /// Lists the upper halves of `block`, from the half of order `from` down, until `to` is the order of what is
    /// left.
    #[inline]
    fn halve(&mut self, block: Offset, from: u32, to: u32, observer: &mut impl Observer) {
        for half in (to..from).rev() {
            let upper = block.plus(bytes_of(half));
            self.list(upper, half);
            observer.step(Step::Halved { at: block, half_bytes: bytes_of(half) });
            observer.step(Step::Listed { at: upper, class: class_of(half) });
        }
    }

    /// Makes a hole of `block`, which is in nobody's hands, and joins it with its buddy while that is a hole.
    #[inline]
    fn release(&mut self, block: Offset, order: u32, observer: &mut impl Observer) {
        let freed_bytes = bytes_of(order);
        let (mut hole, mut joined) = (block, order);
        loop {
            let buddy = buddy_of(hole, joined);
            if !self.is_hole(buddy, joined) {
                break;
            }
            self.unlist(buddy, joined);
            let in_front = buddy < hole;
            hole = Offset(hole.0.min(buddy.0));
            joined += 1;
            let size_bytes = bytes_of(joined);
            let behind = !in_front;
            observer.step(Step::Joined { at: hole, freed_bytes, size_bytes, in_front, behind });
        }
        if joined == order {
            let (at, size_bytes) = (hole, freed_bytes);
            let (in_front, behind) = (false, false);
            observer.step(Step::Joined { at, freed_bytes, size_bytes, in_front, behind });
        }
        self.list(hole, joined);
        observer.step(Step::Listed { at: hole, class: class_of(joined) });
        self.debug_check_block(hole);
    }

    /// The powers of two in the rest, each with its order.
    fn resting(&self) -> impl Iterator<Item = (Offset, u32)> + '_ {
        let mut at = self.rest;
        std::iter::from_fn(move || {
            (at < self.end()).then(|| {
                let (found, order) = (at, largest_order(at, self.end()));
                at = at.plus(bytes_of(order));
                (found, order)
            })
        })
    }

    /// Lists the first power of two of the rest if it is at least of order `least`; those behind it are smaller. None
    /// is the buddy of a hole: in front of each lies a larger one, or the arena's start.
    #[cold]
    fn list_from_rest(&mut self, least: u32, observer: &mut impl Observer) -> Result<(), Full> {
        let (at, order) = self.resting().next().ok_or(Full)?;
        let fits = order >= least;
        observer.step(Step::Looked { at, size_bytes: bytes_of(order), fits });
        if !fits {
            return Err(Full);
        }
        self.rest = at.plus(bytes_of(order));
        self.list(at, order);
        Ok(())
    }

    // Checks.

    fn debug_check_block(&self, block: Offset) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            assert_eq!(self.check_block(block).err(), None, "after a change at {block:?}");
        }
    }

    fn debug_check_owned(&self, block: Offset, order: u32) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            assert_eq!(
                self.status(block),
                Some((order, false)),
                "no block of 2^{order}: {block:?}"
            );
        }
    }

    /// Invariants 1 to 3, and the links of 4, for one block.
    fn check_block(&self, block: Offset) -> Result<(u32, bool), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: block });
        let Some((order, free)) = self.status(block) else { return broken(1) };
        if !block.is_aligned(bytes_of(order)) {
            return broken(2);
        }
        if free {
            if self.is_hole(buddy_of(block, order), order) {
                return broken(3);
            }
            let in_place =
                |link: Offset| link.is_aligned(bytes_of(order)) && self.is_hole(link, order);
            // A first hole's `prev` may never have been written: it is not even looked at.
            let follows_another = || {
                let prev = self.prev(block);
                in_place(prev) && self.next(prev) == block
            };
            let next = self.next(block);
            let mirrored = (next == NIL || (in_place(next) && self.prev(next) == block))
                && (self.head(order) == block || follows_another());
            if !mirrored {
                return broken(4);
            }
        }
        Ok((order, free))
    }

    // Drawing.

    /// The node at `at`, of 2^`order` bytes, and all below it, into `nodes`.
    fn walk(&self, at: Offset, order: u32, depth: u32, nodes: &mut Vec<Node>) {
        let kind = match self.status(at) {
            None if at >= self.rest => NodeKind::Hole,
            Some((found, _)) if found < order && order > MIN_ORDER => NodeKind::Split,
            Some((_, true)) => NodeKind::Hole,
            _ => NodeKind::Block,
        };
        nodes.push(Node { at, size_bytes: bytes_of(order), depth, kind });
        if kind == NodeKind::Split {
            let half = order - 1;
            self.walk(at, half, depth + 1, nodes);
            self.walk(at.plus(bytes_of(half)), half, depth + 1, nodes);
        }
    }
}

impl Buddy<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "buddy",
        summary: "powers of two, halved and joined with their other half",
        details: "Sizes are rounded up to a power of two. A hole is halved until the half is just large enough; a freed half joins its other half, its buddy, if that is free. No header: dealloc is told the size, and status bytes lie outside. Bad at sizes just above a power of two: up to half of a block is slack.",
        options: &[],
        inner: &[],
        origin: Origin::Ours,
        build: |_, len| Ok(Box::new(Self::new(Pages::new(len)))),
    };
}

impl<M: Memory> Over<M> for Buddy<M> {
    /// A region gives up a byte in 17 for the books. Bytes behind the last multiple of 16 are not used.
    fn new(mut memory: M) -> Self {
        let books = memory.books(memory.len() / MIN_BLOCK_BYTES);
        let rest = Offset(0);
        let mut heap = Self { memory, books, rest, listed: 0, heads: [NIL; LISTS] };
        // Of less than 16 bytes there is none to list.
        let _ = heap.list_from_rest(MIN_ORDER, &mut ());
        heap
    }
}

stored_in_memory!(Buddy);

impl<M: Memory> Design for Buddy<M> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let order = order_for(layout.size() as u64, layout.align() as u64);
        if order > MAX_ORDER {
            return Err(Full);
        }
        let granted_bytes = bytes_of(order);
        let asked_bytes = layout.size() as u32;
        observer.step(Step::Rounded { asked_bytes, block_bytes: granted_bytes });
        if self.listed >> order == 0 {
            for empty_order in order..=self.end().0.max(1).ilog2() {
                observer.step(Step::Class { class: class_of(empty_order), found: false });
            }
            self.list_from_rest(order, &mut observer)?;
        }
        let found_order = (self.listed & (u32::MAX << order)).trailing_zeros();
        // (Of an inclusive range, a loop would be left for `()`.)
        for empty_order in order..found_order {
            observer.step(Step::Class { class: class_of(empty_order), found: false });
        }
        observer.step(Step::Class { class: class_of(found_order), found: true });
        let at = self.unlist_first(found_order);
        // Each list from `order` up to there is empty: it would have been found first.
        for half in (order..found_order).rev() {
            let upper = at.plus(bytes_of(half));
            self.list_alone(upper, half, NIL);
            observer.step(Step::Halved { at, half_bytes: bytes_of(half) });
            observer.step(Step::Listed { at: upper, class: class_of(half) });
        }
        self.listed |= bytes_of(found_order) - bytes_of(order);
        self.set_status(at, order as u8);
        observer.step(Step::Cut {
            at,
            padding_bytes: 0,
            header_bytes: 0,
            payload_bytes: granted_bytes,
            remaining_bytes: 0,
        });
        self.debug_check_block(at);
        Ok(Placement { at, granted_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let order = order_for(layout.size() as u64, layout.align() as u64);
        self.debug_check_owned(at, order);
        self.release(at, order, &mut observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let old = order_for(layout.size() as u64, layout.align() as u64);
        let new = order_for(u64::from(new_bytes), layout.align() as u64);
        self.debug_check_owned(at, old);
        if new > MAX_ORDER {
            return Err(Full);
        }
        let granted_bytes = bytes_of(new);
        if new > old {
            // A block is the lower half all the way up exactly when it is aligned to its new size.
            let is_lower = at.is_aligned(granted_bytes);
            let upper = |order| at.plus(bytes_of(order));
            if !is_lower || !(old..new).all(|order| self.is_hole(upper(order), order)) {
                return Err(Full);
            }
            observer.step(Step::Rounded { asked_bytes: new_bytes, block_bytes: granted_bytes });
            for order in old..new {
                self.unlist(upper(order), order);
                observer.step(Step::Cut {
                    at: upper(order),
                    padding_bytes: 0,
                    header_bytes: 0,
                    payload_bytes: bytes_of(order),
                    remaining_bytes: 0,
                });
            }
        } else {
            observer.step(Step::Rounded { asked_bytes: new_bytes, block_bytes: granted_bytes });
            // No half can join: its buddy, the lower half, is in use.
            self.halve(at, old, new, &mut observer);
        }
        self.set_status(at, new as u8);
        self.debug_check_block(at);
        Ok(Placement { at, granted_bytes })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        while self.list_from_rest(MIN_ORDER, &mut ()).is_ok() {}
        self.memory.grow(len);
        let books_bytes = self.memory.len() / MIN_BLOCK_BYTES;
        self.books.grow(books_bytes.max(self.books.len()));
        // Each power of two may join what is in front of it. What is behind is in the rest, and no hole yet.
        while self.rest < self.end() {
            let (block, order) = (self.rest, largest_order(self.rest, self.end()));
            self.rest = block.plus(bytes_of(order));
            self.release(block, order, &mut observer);
        }
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let end = Offset(self.memory.len());
        let mut at = Offset(0);
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let (size_bytes, kind) = match self.status(at) {
                    Some((order, true)) => (bytes_of(order), PieceKind::Hole),
                    Some((order, false)) => (bytes_of(order), PieceKind::Block),
                    None if at >= self.rest && at < self.end() => {
                        (bytes_of(largest_order(at, self.end())), PieceKind::Hole)
                    }
                    // Less than 16 bytes at the end, or damaged books.
                    None => (end.since(at), PieceKind::Books),
                };
                let piece = Piece { at, size_bytes, kind };
                at = piece.end();
                piece
            })
        })
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        let listed = (MIN_ORDER..=MAX_ORDER)
            .flat_map(|order| self.holes_of(order).map(move |at| (at, order)));
        listed.chain(self.resting()).map(|(at, order)| Piece::hole(at, bytes_of(order)))
    }

    fn structure(&self) -> Structure {
        let mut nodes = Vec::new();
        let mut at = Offset(0);
        while at < self.end() {
            let order = largest_order(at, self.end());
            self.walk(at, order, 0, &mut nodes);
            at = at.plus(bytes_of(order));
        }
        Structure::Tree(nodes)
    }

    fn need(&self, layout: Layout) -> Need {
        let order = order_for(layout.size() as u64, layout.align() as u64);
        Need { payload_bytes: 1 << order, edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::NONE
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        Edges::front(if hole.at < self.rest { LINK_BYTES } else { 0 })
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "the blocks of the books tile the arena up to the rest, each of order 4 to 30",
            "every block starts at a multiple of its size",
            "no two buddies are both holes",
            "the list of each order holds exactly the holes of that order",
            "a bit says which lists are not empty",
        ]
    }

    fn check(&self) -> Result<Census, Broken> {
        let mut census = Census { used: 0, holes: self.resting().count() as u32 };
        let mut holes = [0_u32; LISTS];
        let mut at = Offset(0);
        while at < self.rest {
            let (order, free) = self.check_block(at)?;
            if free {
                census.holes += 1;
                holes[order as usize] += 1;
            } else {
                census.used += 1;
            }
            at = at.plus(bytes_of(order));
        }
        for order in 0..LISTS as u32 {
            let expected = holes[order as usize];
            let head = self.head(order);
            // Every hole is mirrored by its neighbours in the list, so a walk that counts right has met each once.
            let found = self.holes_of(order).count();
            if found != expected as usize || (expected == 0) != (head == NIL) {
                return Err(Broken { invariant: 4, at: head });
            }
            if (self.listed & bytes_of(order) != 0) != (head != NIL) {
                return Err(Broken { invariant: 5, at: head });
            }
        }
        Ok(census)
    }
}

/// The bytes of a block of order `order`.
#[inline]
const fn bytes_of(order: u32) -> u32 {
    1 << order
}

/// The order of the smallest block that holds `size_bytes` at `align_bytes`.
#[inline]
fn order_for(size_bytes: u64, align_bytes: u64) -> u32 {
    let least = size_bytes.max(align_bytes).max(u64::from(MIN_BLOCK_BYTES));
    u64::BITS - (least - 1).leading_zeros()
}

/// The order of the largest block that may start at `at` and ends no later than `end`.
fn largest_order(at: Offset, end: Offset) -> u32 {
    let room = end.since(at).ilog2();
    // Every order is aligned at 0.
    if at.0 == 0 { room } else { room.min(at.0.trailing_zeros()) }
}

/// The other half of what `block` was cut from.
#[inline]
fn buddy_of(block: Offset, order: u32) -> Offset {
    Offset(block.0 ^ bytes_of(order))
}

/// Where the books keep the status of the block that starts at `block`.
#[inline]
fn book_of(block: Offset) -> Offset {
    Offset(block.0 / MIN_BLOCK_BYTES)
}

#[inline]
fn next_of(hole: Offset) -> Offset {
    hole
}

#[inline]
fn prev_of(hole: Offset) -> Offset {
    hole.plus(4)
}

fn class_of(order: u32) -> Class {
    let size_bytes = bytes_of(order);
    Class { first: order, second: None, min_bytes: size_bytes, max_bytes: size_bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, layout};

    type Heap = Buddy<Pages>;
    type Damage = fn(&mut Heap, Offset, Offset);

    fn heap(len: u32) -> Heap {
        Heap::new(Pages::new(len))
    }

    fn allocate(heap: &mut Heap, size: usize) -> Offset {
        let at = heap.allocate(layout(size, 1), ()).unwrap().at;
        heap.check().unwrap();
        at
    }

    fn free(heap: &mut Heap, at: Offset, size: usize) {
        heap.deallocate(at, layout(size, 1), ());
        heap.check().unwrap();
    }

    fn holes(heap: &Heap) -> Vec<(u32, u32)> {
        Design::holes(heap).map(|hole| (hole.at.0, hole.size_bytes)).collect()
    }

    #[test]
    fn an_arena_of_1024_bytes_is_one_hole_of_1024() {
        assert_eq!(holes(&heap(1024)), [(0, 1024)]);
        assert_eq!(heap(1024).allocate(layout(1024, 1), ()).unwrap().granted_bytes, 1024);
    }

    #[test]
    fn an_arena_of_1008_bytes_is_the_powers_of_two_it_is_the_sum_of() {
        let expected = [(0, 512), (512, 256), (768, 128), (896, 64), (960, 32), (992, 16)];
        let mut heap = heap(1008);
        assert_eq!(holes(&heap), expected);
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 6 }));
        // Each of them serves when those in front are used up.
        let blocks: Vec<_> = (0..63).map(|_| allocate(&mut heap, 16).0).collect();
        assert!(blocks.iter().copied().eq((0..63).map(|n| n * 16)));
        assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
    }

    #[test]
    fn a_request_halves_the_smallest_hole_that_is_large_enough() {
        let mut heap = heap(1024);
        let mut steps = Vec::new();
        assert_eq!(heap.allocate(layout(200, 8), &mut steps).unwrap().at, Offset(0));
        let class = |order, found| Step::Class { class: class_of(order), found };
        let halved = |half_bytes| Step::Halved { at: Offset(0), half_bytes };
        let listed = |at, order| Step::Listed { at: Offset(at), class: class_of(order) };
        assert_eq!(
            steps,
            [
                Step::Rounded { asked_bytes: 200, block_bytes: 256 },
                class(8, false),
                class(9, false),
                class(10, true),
                halved(512),
                listed(512, 9),
                halved(256),
                listed(256, 8),
                Step::Cut {
                    at: Offset(0),
                    padding_bytes: 0,
                    header_bytes: 0,
                    payload_bytes: 256,
                    remaining_bytes: 0
                },
            ]
        );
        assert_eq!(holes(&heap), [(256, 256), (512, 512)]);
    }

    #[test]
    fn a_freed_block_joins_its_buddies_up_to_the_whole() {
        let mut heap = heap(1024);
        let at = allocate(&mut heap, 200);
        let mut steps = Vec::new();
        heap.deallocate(at, layout(200, 1), &mut steps);
        let joined = |size_bytes| Step::Joined {
            at,
            freed_bytes: 256,
            size_bytes,
            in_front: false,
            behind: true,
        };
        assert_eq!(steps, [joined(512), joined(1024), Step::Listed { at, class: class_of(10) }]);
        assert_eq!(holes(&heap), [(0, 1024)]);
    }

    #[test]
    fn neighbours_that_are_not_buddies_do_not_join() {
        let mut heap = heap(64);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 16)).collect();
        free(&mut heap, blocks[1], 16);
        free(&mut heap, blocks[2], 16);
        assert_eq!(holes(&heap), [(32, 16), (16, 16)]);
        free(&mut heap, blocks[0], 16);
        assert_eq!(holes(&heap), [(32, 16), (0, 32)]);
    }

    #[test]
    fn a_block_shrinks_by_its_upper_halves_and_grows_back_into_them() {
        let mut heap = heap(1024);
        let at = allocate(&mut heap, 512);
        let shrunk = heap.resize(at, layout(512, 1), 100, ()).unwrap();
        assert_eq!(shrunk, Placement { at, granted_bytes: 128 });
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(128, 128), (256, 256), (512, 512)]);
        assert_eq!(heap.resize(at, layout(100, 1), 400, ()).unwrap().granted_bytes, 512);
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(512, 512)]);
    }

    #[test]
    fn an_upper_half_cannot_grow_in_place_and_moves_with_its_bytes() {
        let mut heap = heap(256);
        let (low, high) = (allocate(&mut heap, 16), allocate(&mut heap, 16));
        heap.memory.write(high.0, b"sixteen bytes!!!");
        free(&mut heap, low, 16);
        assert_eq!(heap.resize(high, layout(16, 1), 32, ()), Err(Full));
        let moved = heap.reallocate(high, layout(16, 1), 32, ()).unwrap().at;
        assert_eq!((moved, heap.memory.read(32..48)), (Offset(32), b"sixteen bytes!!!".to_vec()));
        heap.check().unwrap();
    }

    #[test]
    fn a_resize_that_fails_keeps_the_block_and_its_bytes() {
        let mut heap = heap(64);
        let (low, _) = (allocate(&mut heap, 16), allocate(&mut heap, 32));
        heap.memory.write(low.0, b"sixteen bytes!!!");
        let before = holes(&heap);
        // The buddy of 16 is free, but not the one of 32.
        assert_eq!(heap.reallocate(low, layout(16, 1), 64, ()), Err(Full));
        heap.check().unwrap();
        assert_eq!((holes(&heap), heap.memory.read(0..16)), (before, b"sixteen bytes!!!".to_vec()));
    }

    #[test]
    fn alignment_rounds_the_order_up_and_costs_no_padding() {
        let mut heap = heap(1024);
        allocate(&mut heap, 1);
        let placed = heap.allocate(layout(1, 256), ()).unwrap();
        assert_eq!(placed, Placement { at: Offset(256), granted_bytes: 256 });
    }

    #[test]
    fn alignment_padding_is_not_leaked_blog_os_796() {
        let mut heap = heap(1 << 17);
        let small = allocate(&mut heap, 1);
        for _ in 0..1000 {
            let at = heap.allocate(layout(24, 65536), ()).unwrap().at;
            heap.deallocate(at, layout(24, 65536), ());
        }
        free(&mut heap, small, 1);
        assert_eq!(holes(&heap), [(0, 1 << 17)]);
    }

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for len in [0, 8, 15] {
            let mut heap = heap(len);
            assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
            assert_eq!(heap.check(), Ok(Census::default()));
            assert_eq!(heap.pieces().map(|piece| piece.size_bytes).sum::<u32>(), len);
        }
        assert_eq!(heap(16).allocate(layout(16, 16), ()).unwrap().at, Offset(0));
    }

    #[test]
    fn the_largest_arena_has_no_offset_that_overflows_embedded_alloc_125() {
        let mut heap = heap(crate::MAX_ARENA);
        let half = 1 << 29;
        let (low, high) = (allocate(&mut heap, half), allocate(&mut heap, half));
        assert_eq!((low, high), (Offset(0), Offset(1 << 29)));
        assert_eq!(heap.resize(high, layout(half, 1), crate::MAX_ARENA, ()), Err(Full));
        free(&mut heap, high, half);
        assert_eq!(heap.resize(low, layout(half, 1), u32::MAX, ()), Err(Full));
        free(&mut heap, low, half);
        assert_eq!(holes(&heap), [(0, 1 << 30)]);
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79() {
        for len in [16, 1024, 1008, 1 << 20] {
            oracle::too_much_is_full(heap(len));
        }
    }

    #[test]
    fn a_grown_arena_joins_what_became_a_pair() {
        let mut heap = heap(512);
        Design::grow(&mut heap, 1024, ());
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(0, 1024)]);
        Design::grow(&mut heap, 1024 + 48, ());
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(1056, 16), (1024, 32), (0, 1024)]);
    }

    #[test]
    fn the_tree_has_each_node_before_its_halves() {
        let mut heap = heap(48);
        allocate(&mut heap, 16);
        allocate(&mut heap, 16);
        let node = |at, size_bytes, depth, kind| Node { at: Offset(at), size_bytes, depth, kind };
        assert_eq!(
            heap.structure(),
            Structure::Tree(vec![
                node(0, 32, 0, NodeKind::Split),
                node(0, 16, 1, NodeKind::Block),
                node(16, 16, 1, NodeKind::Block),
                node(32, 16, 0, NodeKind::Hole),
            ])
        );
    }

    #[test]
    fn random_programs_agree_with_the_interval_map() {
        for len in [1 << 16, 10_000, 100] {
            let fresh = || heap(len);
            oracle::random_programs(true, fresh, |settled| {
                let whole = heap(crate::Storage::len(&settled));
                assert!(settled.pieces().eq(whole.pieces()));
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
        let (a, b) = (allocate(&mut heap, 16), allocate(&mut heap, 64));
        free(&mut heap, a, 16);
        let a_hole = Offset(512);
        let damages: [(usize, Damage); 8] = [
            (1, |heap, b, _| heap.set_status(b, 3)),
            (1, |heap, b, _| heap.set_status(b, 30)),
            (2, |heap, b, _| heap.set_status(b, 8)),
            (3, |heap, _, hole| {
                heap.set_status(hole, FREE | 8);
                heap.set_status(hole.plus(256), FREE | 8);
            }),
            (4, |heap, _, hole| heap.memory.set_word(next_of(hole).0, 1)),
            (4, |heap, _, hole| heap.set_head(9, hole.plus(16))),
            (4, |heap, _, hole| heap.set_status(hole, 9)),
            (5, |heap, _, _| heap.listed |= 1 << 20),
        ];
        for (invariant, damage) in damages {
            let mut damaged = heap.clone();
            damage(&mut damaged, b, a_hole);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant);
            // Whatever is damaged, drawing ends.
            damaged.holes().count();
            damaged.structure();
            assert_eq!(damaged.pieces().map(|piece| piece.size_bytes).sum::<u32>(), 1024);
        }
    }
}
