//! Pools: one list of free slots for each of a few sizes, and no header.
//!
//! ```text
//!  0                                              top             len
//!  | 16 | 16 | 16 | 16 | 64        | 64        |   |    rest      |     slots of 16 and 64 bytes
//!  +----+----+----+----+-----------+-----------+---+--------------+
//!                        a free slot: | next | unset |
//!  books: the class of each slot, one byte where it starts; 0 inside a slot
//! ```
//!
//! A request goes to the smallest class whose slots are large and aligned enough. It gets the slot that was freed
//! last, or, when none is free, a new one cut from the rest of the arena. So which class a slot belongs to follows
//! from the layout it was asked with, and a block needs no header. A free slot serves its own class alone: a request
//! whose class is out of slots is refused when the rest is used up, whatever lies free in other classes.
//!
//! A slot starts at a multiple of the largest power of two that divides its size. What lies in front of it becomes
//! slots of smaller classes.
//!
//! A slot is free if it is in its class's list, and nothing else says so: freeing writes a link, and allocating
//! nothing. The books are written once, when a slot is cut, and read for drawing and checking alone.
//!
//! Invariants:
//!
//! 1. Slots and padding tile the bytes below the top, and the books are 0 inside slots.
//! 2. Every slot starts at a multiple of its class's alignment.
//! 3. The list of each class holds slots of that class, and it ends. So each is in it once.
//! 4. Each class has cut as many slots as there are.
//!
//! Cost: allocate and deallocate are O(1), a pop and a push. Cutting a slot costs what it cuts in front, once for
//! each byte of the arena. Bad at: sizes between the classes, and a program whose sizes change over time: slots never
//! join, and never change their class.
//!
//! Kenwright, "Fast efficient fixed-size memory pool", 2012, for the top that moves as slots are first used; the idea
//! is as old as the lists of Ross, "The AED free storage package", Communications of the ACM 10(8), 1967.

use std::alloc::Layout;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::{
    Broken, Census, Class, Design, Edges, Full, Info, Memory, Need, Observer, Offset, OptionInfo,
    Origin, Over, Piece, PieceKind, Placement, Slots, Step, Structure, Takes, sandbox,
};

/// The most classes a pool can have.
const MAX_CLASSES: usize = 16;
/// The largest slot, and so the largest alignment.
const MAX_SLOT_BYTES: u32 = crate::MAX_ALIGN;
const GRAIN_BYTES: u32 = 8;
/// Sizes up to here find their class in a table.
const TABLE_BYTES: u32 = 1024;
const TABLE_LEN: usize = (TABLE_BYTES / GRAIN_BYTES) as usize + 1;
const LINK_BYTES: u32 = 4;

/// The bit of a books' byte that says that a slot starts there, with its class in the low bits.
const SLOT: u8 = 0x80;
/// The books' byte of a grain too small for any slot.
const PADDING: u8 = 0x40;

/// The end of a list of slots. No slot can start here.
const NIL: Offset = Offset(u32::MAX);

/// What the prompt's pool has when no sizes are named: they share an arena of 1,024 bytes.
const DEFAULT_SIZES: &[u32] = &[8, 16, 32, 64, 128, 256, 512];

/// What a program's pool has: every power of two.
const ALL_POWERS: &[u32] =
    &[8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, MAX_SLOT_BYTES];

/// The pool allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct Pool<M> {
    memory: M,
    books: M,
    /// Where the rest starts that no slot was cut from yet.
    top: Offset,
    /// The books are 0 from the top up to here.
    cleared: Offset,
    /// The books have a byte for each 2^this bytes of arena.
    grain_shift: u32,
    count: usize,
    /// The class of each size up to 1,024, by the size in grains.
    by_size: [u8; TABLE_LEN],
    /// The classes, and behind them one that has no slots and never gets one, for what is too large.
    classes: [Pooled; MAX_CLASSES + 1],
}

/// A class of slots.
#[derive(Clone, Copy, Debug)]
struct Pooled {
    slot_bytes: u32,
    align_bytes: u32,
    /// The slot that was freed last.
    free: Offset,
    /// How many slots there are.
    cut: u32,
}

impl Pooled {
    const NONE: Self = Self { slot_bytes: 0, align_bytes: u32::MAX, free: NIL, cut: 0 };
}

impl<M: Memory> Pool<M> {
    /// A pool with a class for each of `sizes`: rising multiples of 8, at most 16 of them, at most 64 KiB.
    ///
    /// # Panics
    ///
    /// If `sizes` are not like that.
    pub fn with_sizes(mut memory: M, sizes: &[u32]) -> Self {
        assert!((1..=MAX_CLASSES).contains(&sizes.len()), "{} sizes", sizes.len());
        assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?} do not rise");
        let mut classes = [Pooled::NONE; MAX_CLASSES + 1];
        for (class, &slot_bytes) in classes.iter_mut().zip(sizes) {
            let fair = slot_bytes.is_multiple_of(GRAIN_BYTES) && slot_bytes <= MAX_SLOT_BYTES;
            assert!(fair && slot_bytes > 0, "a slot of {slot_bytes} bytes");
            let align_bytes = 1 << slot_bytes.trailing_zeros();
            *class = Pooled { slot_bytes, align_bytes, ..Pooled::NONE };
        }
        let by_size = std::array::from_fn(|grains| {
            let size_bytes = grains as u32 * GRAIN_BYTES;
            sizes.iter().filter(|&&slot_bytes| slot_bytes < size_bytes).count() as u8
        });
        let grain_shift = sizes.iter().map(|size| size.trailing_zeros()).min().unwrap_or(3);
        let books = memory.books(memory.len().div_ceil(1 << grain_shift));
        let (count, top) = (sizes.len(), Offset(0));
        Self { memory, books, top, cleared: top, grain_shift, count, by_size, classes }
    }

    fn end(&self) -> Offset {
        Offset(self.memory.len())
    }

    fn rest(&self) -> Option<Piece> {
        let size_bytes = self.end().since(self.top);
        (size_bytes > 0).then_some(Piece::hole(self.top, size_bytes))
    }

    // The classes.

    fn pooled(&self) -> &[Pooled] {
        &self.classes[..self.count]
    }

    /// The smallest class that will do; the one without slots if none will.
    #[inline]
    fn class_for(&self, layout: Layout) -> usize {
        let size_bytes = layout.size();
        let mut class = if size_bytes <= TABLE_BYTES as usize {
            usize::from(self.by_size[size_bytes.div_ceil(GRAIN_BYTES as usize)])
        } else {
            self.search(size_bytes)
        };
        if layout.align() > GRAIN_BYTES as usize {
            while (self.classes[class].align_bytes as usize) < layout.align() {
                class += 1;
            }
        }
        class
    }

    /// [`Pool::class_for`] beyond the table.
    #[cold]
    fn search(&self, size_bytes: usize) -> usize {
        self.pooled().partition_point(|class| (class.slot_bytes as usize) < size_bytes)
    }

    fn told(&self, class: usize) -> Class {
        let below = if class == 0 { 0 } else { self.classes[class - 1].slot_bytes };
        let max_bytes = self.classes[class].slot_bytes;
        Class { first: class as u32, second: None, min_bytes: below + 1, max_bytes }
    }

    // The books.

    #[inline]
    fn book_of(&self, slot: Offset) -> Offset {
        Offset(slot.0 >> self.grain_shift)
    }

    #[inline]
    fn note(&mut self, slot: Offset, byte: u8) {
        self.books.set_byte(self.book_of(slot), byte);
    }

    fn noted(&self, slot: Offset) -> u8 {
        self.books.byte(self.book_of(slot))
    }

    /// The class of the slot that starts at `at`, if the books make sense there.
    fn class_at(&self, at: Offset) -> Option<usize> {
        if at >= self.top || !at.is_aligned(1 << self.grain_shift) {
            return None;
        }
        let byte = self.noted(at);
        let class = usize::from(byte & !SLOT);
        let fair = byte & SLOT != 0
            && class < self.count
            && self.classes[class].slot_bytes <= self.top.since(at);
        fair.then_some(class)
    }

    fn debug_check_class(&self, slot: Offset, class: usize) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            assert_eq!(self.class_at(slot), Some(class), "no slot of class {class}: {slot:?}");
        }
    }

    // Free slots.

    #[inline]
    fn push(&mut self, slot: Offset, class: usize) {
        let next = std::mem::replace(&mut self.classes[class].free, slot);
        self.memory.set_word(next_of(slot), next.0);
    }

    /// The free slots of a class, the next to be taken first. A damaged link ends the walk.
    fn free_slots(&self, class: usize) -> impl Iterator<Item = Offset> + '_ {
        let mut slot = self.classes[class].free;
        let mut left = self.classes[class].cut;
        std::iter::from_fn(move || {
            (left > 0 && self.class_at(slot) == Some(class)).then(|| {
                left -= 1;
                let found = slot;
                slot = Offset(self.memory.word(next_of(found)));
                found
            })
        })
    }

    // Cutting slots from the rest.

    /// Where the next slot of a class would start, if there is room.
    fn next_cut(&self, class: usize) -> Option<Offset> {
        let Pooled { slot_bytes, align_bytes, .. } = self.classes[class];
        if slot_bytes == 0 {
            return None;
        }
        let at = self.top.align_up(align_bytes);
        (at.plus(slot_bytes) <= self.end()).then_some(at)
    }

    /// Cuts a slot, and slots of smaller classes from what lies in front of it.
    #[inline(never)]
    fn cut(&mut self, class: usize, observer: &mut impl Observer) -> Result<Offset, Full> {
        let place = self.next_cut(class);
        if let Some(rest) = self.rest() {
            let fits = place.is_some();
            observer.step(Step::Looked { at: rest.at, size_bytes: rest.size_bytes, fits });
        }
        let at = place.ok_or(Full)?;
        while self.top < at {
            self.cut_in_front(class, at.since(self.top), observer);
        }
        self.take_from_rest(class);
        observer.step(Step::Cut {
            at,
            padding_bytes: 0,
            header_bytes: 0,
            payload_bytes: self.classes[class].slot_bytes,
            remaining_bytes: self.end().since(self.top),
        });
        Ok(at)
    }

    /// Cuts the largest slot that may start at the top and is at most `room_bytes` long, or a grain of padding. The room
    /// is less than the alignment of the class `above`, and so than its slots.
    fn cut_in_front(&mut self, above: usize, room_bytes: u32, observer: &mut impl Observer) {
        let at = self.top;
        let class = self.classes[..above]
            .iter()
            .rposition(|class| class.slot_bytes <= room_bytes && at.is_aligned(class.align_bytes));
        if let Some(class) = class {
            self.take_from_rest(class);
            self.push(at, class);
            observer.step(Step::Listed { at, class: self.told(class) });
        } else {
            self.top = at.plus(1 << self.grain_shift);
            if self.top > self.cleared {
                self.clear_books();
            }
            self.note(at, PADDING);
        }
    }

    /// Clears the books up to the top and some way beyond: once for many slots.
    #[cold]
    fn clear_books(&mut self) {
        let end = Offset(self.end().0 & !((1 << self.grain_shift) - 1));
        let cleared = self.top.align_up(MAX_SLOT_BYTES).min(end).max(self.top);
        self.books.fill(self.book_of(self.cleared)..self.book_of(cleared), 0);
        self.cleared = cleared;
    }

    /// Makes the first bytes of the rest a slot, which is nobody's yet.
    fn take_from_rest(&mut self, class: usize) {
        let start = self.top;
        self.top = start.plus(self.classes[class].slot_bytes);
        self.classes[class].cut += 1;
        if self.top > self.cleared {
            self.clear_books();
        }
        self.note(start, SLOT | class as u8);
    }
}

impl Pool<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "pool",
        summary: "a list of free slots for each of a few sizes",
        details: "A request gets a slot of the smallest size that holds it: off that size's list, or cut from the rest of the arena. No header, no search, no split. A slot never changes its size, so free slots of one size are lost to all others; requests above the largest size are refused.",
        options: &[OptionInfo {
            key: "",
            takes: Takes::Sizes {
                most: MAX_CLASSES,
                max_bytes: MAX_SLOT_BYTES,
                default: DEFAULT_SIZES,
            },
        }],
        inner: &[],
        origin: Origin::Ours,
        build: |spec, len| Ok(Box::new(Self::with_sizes(Pages::new(len), spec.sizes("")))),
    };
}

impl<M: Memory> Over<M> for Pool<M> {
    /// With a class for each power of two from 8 to 65,536. A region gives up a byte in 9 for the books.
    fn new(memory: M) -> Self {
        Self::with_sizes(memory, ALL_POWERS)
    }
}

stored_in_memory!(Pool);

impl<M: Memory> Design for Pool<M> {
    #[inline]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let class = self.class_for(layout);
        let Pooled { slot_bytes, free, .. } = self.classes[class];
        if slot_bytes > 0 {
            let asked_bytes = layout.size() as u32;
            observer.step(Step::Rounded { asked_bytes, block_bytes: slot_bytes });
            observer.step(Step::Class { class: self.told(class), found: free != NIL });
        }
        let at = if free == NIL {
            self.cut(class, &mut observer)?
        } else {
            self.classes[class].free = Offset(self.memory.word(next_of(free)));
            observer.step(Step::Cut {
                at: free,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: slot_bytes,
                remaining_bytes: 0,
            });
            free
        };
        Ok(Placement { at, granted_bytes: slot_bytes })
    }

    #[inline]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let class = self.class_for(layout);
        self.debug_check_class(at, class);
        self.push(at, class);
        observer.step(Step::Listed { at, class: self.told(class) });
    }

    /// Only within the class: the slot has to come back to it.
    #[inline]
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let new = Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        let class = self.class_for(layout);
        self.debug_check_class(at, class);
        if self.class_for(new) != class {
            return Err(Full);
        }
        let granted_bytes = self.classes[class].slot_bytes;
        observer.step(Step::Rounded { asked_bytes: new_bytes, block_bytes: granted_bytes });
        Ok(Placement { at, granted_bytes })
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old = self.end();
        self.memory.grow(len);
        let books_bytes = self.memory.len().div_ceil(1 << self.grain_shift);
        self.books.grow(books_bytes.max(self.books.len()));
        let Some(rest) = self.rest() else { return };
        observer.step(Step::Joined {
            at: rest.at,
            freed_bytes: self.end().since(old),
            size_bytes: rest.size_bytes,
            in_front: self.top < old,
            behind: false,
        });
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut free: Vec<_> = (0..self.count).flat_map(|class| self.free_slots(class)).collect();
        free.sort_unstable();
        let mut free = free.into_iter().peekable();
        let mut at = Offset(0);
        let slots = std::iter::from_fn(move || {
            (at < self.top).then(|| {
                let mut piece = self.piece(at);
                if free.next_if_eq(&at).is_some() {
                    piece.kind = PieceKind::Hole;
                }
                at = piece.end();
                piece
            })
        });
        slots.chain(self.rest())
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        let slots = (0..self.count).flat_map(|class| {
            let size_bytes = self.classes[class].slot_bytes;
            self.free_slots(class).map(move |at| Piece::hole(at, size_bytes))
        });
        slots.chain(self.rest())
    }

    fn structure(&self) -> Structure {
        let slots = (0..self.count).map(|class| {
            let Pooled { slot_bytes, cut, .. } = self.classes[class];
            Slots { slot_bytes, cut, free: self.free_slots(class).collect() }
        });
        Structure::Slots(slots.collect())
    }

    /// A slot; or, of a request that no slot can hold, what one would have to be.
    fn need(&self, layout: Layout) -> Need {
        let slot_bytes = u64::from(self.classes[self.class_for(layout)].slot_bytes);
        let least = layout.size().max(layout.align()) as u64;
        let unserved = least.next_multiple_of(u64::from(GRAIN_BYTES));
        let payload_bytes = if slot_bytes > 0 { slot_bytes } else { unserved };
        Need { payload_bytes, edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        if hole.at < self.top {
            return hole.size_bytes;
        }
        let class = (0..self.count).rfind(|&class| self.next_cut(class).is_some());
        class.map_or(0, |class| self.classes[class].slot_bytes)
    }

    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        let slot_bytes = self.classes[self.class_for(layout)].slot_bytes;
        slot_bytes > 0 && (hole.at >= self.top || hole.size_bytes == slot_bytes)
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::NONE
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        Edges::front(if hole.at < self.top { LINK_BYTES } else { 0 })
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "slots tile the bytes below the top",
            "every slot starts at a multiple of its class's alignment",
            "the list of each class holds slots of that class, and ends",
            "each class has cut as many slots as there are",
        ]
    }

    fn check(&self) -> Result<Census, Broken> {
        if self.top > self.end() {
            return Err(Broken { invariant: 1, at: self.top });
        }
        let mut cut = [0_u32; MAX_CLASSES];
        let mut at = Offset(0);
        while at < self.top {
            let broken = |invariant| Err(Broken { invariant, at });
            if self.noted(at) == PADDING {
                at = at.plus(1 << self.grain_shift);
                continue;
            }
            let Some(class) = self.class_at(at) else { return broken(1) };
            let Pooled { slot_bytes, align_bytes, .. } = self.classes[class];
            let mut inside = self.book_of(at).0 + 1..self.book_of(at.plus(slot_bytes)).0;
            if inside.any(|book| self.books.byte(Offset(book)) != 0) {
                return broken(1);
            }
            if !at.is_aligned(align_bytes) {
                return broken(2);
            }
            cut[class] += 1;
            at = at.plus(slot_bytes);
        }
        let mut census = Census { used: 0, holes: u32::from(self.rest().is_some()) };
        for (class, pooled) in self.pooled().iter().enumerate() {
            let (mut free, mut end) = (0, pooled.free);
            for slot in self.free_slots(class) {
                free += 1;
                end = Offset(self.memory.word(next_of(slot)));
            }
            if end != NIL {
                return Err(Broken { invariant: 3, at: end });
            }
            if pooled.cut != cut[class] {
                return Err(Broken { invariant: 4, at: self.top });
            }
            census.used += cut[class] - free;
            census.holes += free;
        }
        Ok(census)
    }
}

impl<M: Memory> Pool<M> {
    /// The slot, free or not, or the padding that starts at `at`, below the top; all the rest below the top if the
    /// books are damaged.
    fn piece(&self, at: Offset) -> Piece {
        if let Some(class) = self.class_at(at) {
            let size_bytes = self.classes[class].slot_bytes;
            return Piece { at, size_bytes, kind: PieceKind::Block };
        }
        let grain_bytes = 1 << self.grain_shift;
        let mut end = at;
        while end < self.top && self.noted(end) == PADDING {
            end = end.plus(grain_bytes);
        }
        let mut kind = PieceKind::Padding;
        if end == at {
            (end, kind) = (self.top, PieceKind::Books);
        }
        Piece { at, size_bytes: end.since(at), kind }
    }
}

#[inline]
fn next_of(slot: Offset) -> Offset {
    slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PieceKind::{Block, Hole, Padding};
    use crate::oracle::{self, layout};

    type Heap = Pool<Pages>;
    type Damage = fn(&mut Heap);

    fn heap(len: u32, sizes: &[u32]) -> Heap {
        Heap::with_sizes(Pages::new(len), sizes)
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

    fn holes(heap: &Heap) -> Vec<(u32, u32)> {
        Design::holes(heap).map(|hole| (hole.at.0, hole.size_bytes)).collect()
    }

    #[test]
    fn a_request_gets_a_slot_of_the_smallest_class_that_holds_it() {
        for (size, slot) in [(1, 16), (16, 16), (17, 24), (25, 2048), (1025, 2048), (2048, 2048)] {
            let placed = heap(8192, &[16, 24, 2048]).allocate(layout(size, 8), ()).unwrap();
            assert_eq!(placed.granted_bytes, slot, "size {size}");
        }
        assert_eq!(heap(8192, &[16, 24, 2048]).allocate(layout(2049, 8), ()), Err(Full));
    }

    #[test]
    fn the_slot_freed_last_is_taken_first() {
        let mut heap = heap(1024, &[16]);
        let blocks: Vec<_> = (0..3).map(|_| allocate(&mut heap, 16)).collect();
        free(&mut heap, blocks[0], 16);
        free(&mut heap, blocks[1], 16);
        assert_eq!(holes(&heap), [(16, 16), (0, 16), (48, 976)]);
        assert_eq!((allocate(&mut heap, 9), allocate(&mut heap, 1)), (blocks[1], blocks[0]));
    }

    #[test]
    fn what_lies_in_front_of_a_slot_becomes_smaller_slots() {
        let mut heap = heap(1024, &[16, 64, 512]);
        allocate(&mut heap, 16);
        assert_eq!(allocate(&mut heap, 200), Offset(512));
        let Structure::Slots(slots) = heap.structure() else { panic!("a pool has slots") };
        let counts: Vec<_> =
            slots.iter().map(|of| (of.slot_bytes, of.cut, of.free.len())).collect();
        assert_eq!(counts, [(16, 4, 3), (64, 7, 7), (512, 1, 0)]);
    }

    #[test]
    fn a_gap_no_slot_fits_in_is_padding() {
        let mut heap = heap(1024, &[24, 64]);
        allocate(&mut heap, 24);
        assert_eq!(allocate(&mut heap, 64), Offset(64));
        let pieces: Vec<_> = heap.pieces().map(|piece| (piece.size_bytes, piece.kind)).collect();
        assert_eq!(pieces, [(24, Block), (24, Hole), (16, Padding), (64, Block), (896, Hole)]);
    }

    #[test]
    fn a_free_slot_of_another_class_does_not_serve() {
        let mut heap = heap(96, &[16, 64]);
        let large = allocate(&mut heap, 64);
        let small = allocate(&mut heap, 16);
        allocate(&mut heap, 16);
        free(&mut heap, large, 64);
        let before = holes(&heap);
        assert_eq!(heap.allocate(layout(16, 8), ()), Err(Full));
        assert_eq!(holes(&heap), before);
        let asked = layout(16, 8);
        assert!(!heap.eligible(Design::holes(&heap).next().unwrap(), asked));
        free(&mut heap, small, 16);
        assert!(heap.eligible(Design::holes(&heap).next().unwrap(), asked));
    }

    #[test]
    fn a_block_stays_while_its_class_is_the_same_and_else_moves_with_its_bytes() {
        let mut heap = heap(1024, &[16, 64]);
        let at = allocate(&mut heap, 9);
        heap.memory.write(at.0, b"sixteen bytes!!!");
        assert_eq!(heap.reallocate(at, layout(9, 8), 16, ()).unwrap().at, at);
        let moved = heap.reallocate(at, layout(16, 8), 17, ()).unwrap().at;
        assert_eq!((moved, heap.memory.read(64..80)), (Offset(64), b"sixteen bytes!!!".to_vec()));
        heap.check().unwrap();
        assert_eq!(heap.reallocate(moved, layout(17, 8), 65, ()), Err(Full));
        assert_eq!(heap.reallocate(moved, layout(17, 8), 3, ()).unwrap().granted_bytes, 16);
        heap.check().unwrap();
    }

    #[test]
    fn a_large_alignment_takes_a_class_that_has_it() {
        let mut heap = heap(1024, &[8, 24, 48, 64]);
        allocate(&mut heap, 8);
        for (align, slot) in [(8, 8), (16, 48), (32, 64), (64, 64)] {
            let placed = heap.allocate(layout(8, align), ()).unwrap();
            assert_eq!(placed.granted_bytes, slot);
            assert!(placed.at.is_aligned(align as u32));
        }
        assert_eq!(heap.allocate(layout(8, 128), ()), Err(Full));
        heap.check().unwrap();
    }

    #[test]
    fn alignment_padding_is_not_leaked_blog_os_796() {
        let mut heap = Heap::new(Pages::new(1 << 17));
        let at = allocate(&mut heap, 1);
        for _ in 0..1000 {
            let at = heap.allocate(layout(24, 65536), ()).unwrap().at;
            heap.deallocate(at, layout(24, 65536), ());
        }
        free(&mut heap, at, 1);
        // The bytes in front of the large slot are slots, one of each power of two.
        assert_eq!(heap.pieces().filter(|piece| piece.kind == PieceKind::Books).count(), 0);
        assert_eq!(heap.allocate(layout(32768, 8), ()).unwrap().at, Offset(32768));
    }

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for len in [0, 8, 15] {
            let mut heap = heap(len, &[16, 64]);
            assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
            assert_eq!(heap.check().unwrap().used, 0);
        }
        assert_eq!(heap(16, &[16, 64]).allocate(layout(8, 8), ()).unwrap().at, Offset(0));
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79() {
        for len in [16, 1024, 1 << 20] {
            oracle::too_much_is_full(heap(len, DEFAULT_SIZES));
            oracle::too_much_is_full(heap(len, &[24, 65528]));
            oracle::too_much_is_full(Heap::new(Pages::new(len)));
        }
    }

    #[test]
    fn a_grown_arena_has_a_longer_rest() {
        let mut heap = heap(64, &[16]);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 16)).collect();
        assert_eq!(heap.allocate(layout(16, 8), ()), Err(Full));
        Design::grow(&mut heap, 128, ());
        assert_eq!((blocks.len(), allocate(&mut heap, 16)), (4, Offset(64)));
    }

    #[test]
    fn sixteen_classes_of_every_kind_work() {
        let sizes: Vec<_> = (1..=16).map(|n| n * 8).collect();
        let mut heap = heap(65536, &sizes);
        for size in 1..=128 {
            let placed = heap.allocate(layout(size, 8), ()).unwrap();
            assert_eq!(placed.granted_bytes as usize, size.next_multiple_of(8));
        }
        assert_eq!(heap.allocate(layout(129, 8), ()), Err(Full));
        assert_eq!(heap.allocate(layout(1, 256), ()), Err(Full));
        heap.check().unwrap();
    }

    #[test]
    fn random_programs_agree_with_the_interval_map() {
        for sizes in [DEFAULT_SIZES, ALL_POWERS, &[24, 40, 600, 20_000], &[4096]] {
            for len in [8192, 96] {
                let fresh = || heap(len, sizes);
                oracle::random_programs(true, fresh, |settled| {
                    assert_eq!(settled.check().unwrap().used, 0);
                });
            }
        }
    }

    #[test]
    fn drawing_and_checking_survive_any_damage() {
        oracle::damage_is_survived(heap(1024, DEFAULT_SIZES));
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let mut heap = heap(1024, &[16, 64]);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 16)).collect();
        free(&mut heap, blocks[0], 16);
        free(&mut heap, blocks[1], 16);
        let damages: [(usize, Damage); 8] = [
            (1, |heap| heap.note(Offset(0), 0)),
            (1, |heap| heap.note(Offset(32), SLOT | 7)),
            (1, |heap| heap.note(Offset(0), SLOT | 1)),
            (2, |heap| {
                heap.top = Offset(96);
                heap.note(Offset(32), SLOT | 1);
                heap.note(Offset(48), 0);
            }),
            (3, |heap| heap.memory.set_word(16, 3)),
            (3, |heap| heap.memory.set_word(16, 16)),
            (3, |heap| heap.memory.set_word(0, 1 << 30)),
            (4, |heap| heap.classes[1].cut = 1),
        ];
        for (invariant, damage) in damages {
            let mut damaged = heap.clone();
            damage(&mut damaged);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant);
            damaged.structure();
            damaged.holes().count();
            damaged.pieces().count();
        }
    }
}
