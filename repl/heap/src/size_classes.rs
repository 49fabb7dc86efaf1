//! Size classes: small blocks lie in slots of their class's size, cut from slabs; the rest goes to a TLSF heap.
//!
//! ```text
//!  a slab of class 48: a block of the heap underneath
//!  | word | a  |free| b  |free| c  | not cut yet …                       | waste |
//!  +------+----+----+----+----+----+-------------------------------------+-------+
//!         ^ slab bytes * k + 16
//!
//!  a free slot: | next | unset … |
//!
//!  beside the arena, for each slab there could be: | class, used, uncut | free | next | prev |
//! ```
//!
//! A request of up to 512 bytes is rounded up to its class: 16, 32 and so on to 128, then four classes for each
//! doubling. It gets the slot that was freed last in the first slab of the class. No slot has a header: `deallocate`
//! finds the slab by the address, and in the table the class. The table lies beside the arena, where four slabs share
//! a cache line; headers in the slabs would lie a power of two apart, and all want the same lines. A slab is a 64th
//! of the arena, 4 to 16 KiB.
//!
//! A class has a list of its slabs with room, so a full slab is out of the way until one of its slots comes back.
//! Then it goes to the list's tail: until it is its turn, more may come back. A slab whose last block goes is given
//! back to the heap underneath at once, where it joins its neighbours.
//!
//! When the heap underneath has no room for a slab, it may have some for the block itself; or else a slot of a larger
//! class will do.
//!
//! Invariants:
//!
//! 1. The heap underneath keeps its own.
//! 2. Each slab is a block of that heap, at its place in the arena.
//! 3. The slots of a slab that were cut are in use or in its list of free ones, each once.
//! 4. The list of a class holds exactly its slabs with room. Every `prev` mirrors a `next`; the head's is the tail.
//! 5. A slab has a block in use.
//!
//! Cost: O(1) for each operation, some 25 instructions for a slot; O(classes) when the arena is full.
//! Bad at: a few blocks in each of many classes, which hold a slab each; one block that holds a slab when the others
//! died. A block keeps its slot when it shrinks.
//!
//! Bonwick, "The slab allocator: an object-caching kernel memory allocator", USENIX Summer 1994. The classes are
//! those of Evans, "A scalable concurrent malloc(3) implementation for FreeBSD", 2006, and a list in each slab that
//! of Leijen, Zorn and de Moura, "Mimalloc: free list sharding in action", 2019.

#![expect(
    clippy::inline_always,
    reason = "these are a few instructions each, and a second user of one would make a call of it"
)]

use std::alloc::Layout;
use std::ops::Range;

use memory::Pages;

use crate::tlsf::{self, NOWHERE, Tlsf, or_full};
use crate::{
    Because, Broken, Census, Class, Design, Edges, Full, Info, Memory, Need, Observer, Offset,
    Origin, Over, Piece, PieceKind, Placement, Slots, Step, Storage, Structure, Unfit,
};

/// The smallest and the largest slab. In between, it is a 64th of the arena.
const MIN_SLAB_SHIFT: u32 = 12;
const MAX_SLAB_SHIFT: u32 = 14;
const GRAIN_BYTES: u32 = 16;
/// The largest slot.
const SMALL_BYTES: u32 = 512;
/// Smaller arenas have room for few slabs or none: there every request goes to the heap underneath.
const LEAST_BYTES: u32 = 2 << MIN_SLAB_SHIFT;
/// The payload of the first slab there could be.
const FIRST_SLOT: Offset = tlsf::FIRST_BLOCK.plus(tlsf::HEADER_BYTES);

const CLASSES: usize = 16;
/// The bytes of each class's slots.
const SLOT_BYTES: [u32; CLASSES] =
    [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
/// The class of a size, by its grains of 16 bytes, rounded up.
const CLASS_OF_GRAINS: [u8; 64] = {
    let mut classes = [0; 64];
    let mut grains = 0;
    let mut class = 0;
    while grains <= (SMALL_BYTES / GRAIN_BYTES) as usize {
        if grains as u32 * GRAIN_BYTES > SLOT_BYTES[class as usize] {
            class += 1;
        }
        classes[grains] = class;
        grains += 1;
    }
    classes
};

/// The end of a list of free slots. The heap underneath keeps its own books there.
const NIL: Offset = Offset(0);

/// A slab by its number: the place of its entry in the table. Slab 0 is none; its entry says that nothing is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slab(u32);

const NO_SLAB: Slab = Slab(0);

// A table entry's words.
const ENTRY_BYTES: u32 = 16;
const STATE: u32 = 0;
const FREE: u32 = 4;
const NEXT: u32 = 8;
const PREV: u32 = 12;

/// An entry's first word: the class, how many slots are in use, how many have not been cut yet. 0 where no slab is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State(u32);

impl State {
    const NONE: Self = Self(0);
    const ONE_USED: u32 = 1 << 5;
    const ONE_UNCUT: u32 = 1 << 18;

    /// A slab of `class` with nothing cut from it.
    fn fresh(class: usize, slots: u32) -> Self {
        Self(class as u32 + 1 + slots * Self::ONE_UNCUT)
    }

    /// Of a slab; there is no class where none is.
    #[inline(always)]
    fn class(self) -> usize {
        (self.0 % Self::ONE_USED).wrapping_sub(1) as usize % CLASSES
    }

    #[inline(always)]
    fn used(self) -> u32 {
        self.0 % Self::ONE_UNCUT / Self::ONE_USED
    }

    #[inline(always)]
    fn uncut(self) -> u32 {
        self.0 / Self::ONE_UNCUT
    }

    #[inline(always)]
    fn slot_bytes(self) -> u32 {
        SLOT_BYTES[self.class()]
    }
}

/// The size-class allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct SizeClasses<M> {
    /// Has the arena, and in it the slabs and every block that is in none.
    under: Tlsf<M>,
    /// The table of slabs.
    table: M,
    /// The first slab with room of each class.
    heads: [Slab; CLASSES],
    /// The largest request for a slot: 0 if there are no slabs.
    small_bytes: u32,
    /// A slab has `1 << slab_shift` bytes.
    slab_shift: u32,
    /// How many slabs there are.
    slabs: u32,
}

impl<M: Memory> SizeClasses<M> {
    // The table.

    #[inline(always)]
    fn state(&self, slab: Slab) -> State {
        State(self.table.field(entry_of(slab), STATE))
    }

    #[inline(always)]
    fn set_state(&mut self, slab: Slab, state: State) {
        self.table.set_field(entry_of(slab), STATE, state.0);
    }

    #[inline(always)]
    fn free(&self, slab: Slab) -> Offset {
        Offset(self.table.field(entry_of(slab), FREE))
    }

    #[inline(always)]
    fn set_free(&mut self, slab: Slab, slot: Offset) {
        self.table.set_field(entry_of(slab), FREE, slot.0);
    }

    fn next(&self, slab: Slab) -> Slab {
        Slab(self.table.field(entry_of(slab), NEXT))
    }

    fn prev(&self, slab: Slab) -> Slab {
        Slab(self.table.field(entry_of(slab), PREV))
    }

    fn set_next(&mut self, slab: Slab, next: Slab) {
        self.table.set_field(entry_of(slab), NEXT, next.0);
    }

    fn set_prev(&mut self, slab: Slab, prev: Slab) {
        self.table.set_field(entry_of(slab), PREV, prev.0);
    }

    /// Puts `slab` at the tail of its class's list: until it is asked again, more of its slots may come back.
    fn link(&mut self, slab: Slab, class: usize) {
        let head = self.heads[class];
        let tail = if head == NO_SLAB { slab } else { self.prev(head) };
        if head == NO_SLAB {
            self.heads[class] = slab;
        } else {
            self.set_next(tail, slab);
            self.set_prev(head, slab);
        }
        self.set_prev(slab, tail);
        self.set_next(slab, NO_SLAB);
    }

    fn unlink(&mut self, slab: Slab, class: usize) {
        let (prev, next) = (self.prev(slab), self.next(slab));
        let head = self.heads[class];
        if head == slab {
            self.heads[class] = next;
        } else {
            self.set_next(prev, next);
        }
        match (next, head == slab) {
            (NO_SLAB, true) => {}
            (NO_SLAB, false) => self.set_prev(head, prev),
            (next, _) => self.set_prev(next, prev),
        }
    }

    /// The slab that the block at `at` is in. Only where there are slabs.
    #[inline(always)]
    fn slab_with(&self, at: Offset) -> Option<(Slab, State)> {
        let slab = self.slab_at(at);
        let state = self.state(slab);
        (state != State::NONE).then_some((slab, state))
    }

    /// `slab_with`, or none where there are no slabs.
    fn owner_of(&self, at: Offset) -> Option<(Slab, State)> {
        (self.small_bytes > 0 && at >= FIRST_SLOT && at.0 < self.len())
            .then(|| self.slab_with(at))
            .flatten()
    }

    /// A hole of the heap underneath starts with its header, in front of where a slab could start.
    fn owner_of_hole(&self, hole: Piece) -> Option<(Slab, State)> {
        self.owner_of(hole.at.plus(tlsf::HEADER_BYTES))
    }

    // Where slabs and slots lie.

    /// The number that a slab has, or would have, with `at` in it.
    #[inline(always)]
    fn slab_at(&self, at: Offset) -> Slab {
        Slab(((at.0 - FIRST_SLOT.0) >> self.slab_shift) + 1)
    }

    fn first_slot(&self, slab: Slab) -> Offset {
        FIRST_SLOT.plus((slab.0 - 1) << self.slab_shift)
    }

    /// How many slots of a class a slab has. The word of the heap underneath takes room for one of 16 bytes.
    fn slots_in_slab(&self, class: usize) -> u32 {
        ((1 << self.slab_shift) - tlsf::HEADER_BYTES) / SLOT_BYTES[class]
    }

    /// How many slots were cut so far.
    fn cut_of(&self, state: State) -> u32 {
        self.slots_in_slab(state.class()) - state.uncut()
    }

    fn slot_at(&self, slab: Slab, state: State, index: u32) -> Offset {
        self.first_slot(slab).plus(index * state.slot_bytes())
    }

    // Slots.

    /// Takes the free slot `slot`, the head of its slab's list.
    #[inline(always)]
    fn take(
        &mut self,
        class: usize,
        slab: Slab,
        slot: Offset,
        observer: &mut impl Observer,
    ) -> Placement {
        let next = Offset(self.under.memory.word(slot));
        let state = State(self.state(slab).0 + State::ONE_USED);
        self.set_free(slab, next);
        self.set_state(slab, state);
        if next == NIL && state.uncut() == 0 {
            self.leave(slab, class);
        }
        taken(slot, SLOT_BYTES[class], 0, observer)
    }

    /// A slab that has nothing left leaves its list.
    #[cold]
    fn leave(&mut self, slab: Slab, class: usize) {
        self.unlink(slab, class);
    }

    /// `allocate` where the first slab of `class` has no free slot: cuts one, from a new slab if need be. When the
    /// heap underneath has no room for a slab, a block of its own may fit in there, or else a larger slot is free.
    #[cold]
    fn take_uncut(
        &mut self,
        class: usize,
        layout: Layout,
        observer: &mut impl Observer,
    ) -> Placement {
        if self.heads[class] != NO_SLAB || self.open_slab(class, observer) {
            return self.cut(class, self.heads[class], observer);
        }
        observer.step(Step::Handed { second: true, because: Because::Underneath });
        let placed = self.allocate_under(layout, observer);
        if placed != NOWHERE {
            return placed;
        }
        for larger in class + 1..CLASSES {
            let slab = self.heads[larger];
            observer.step(Step::Class { class: class_of(larger), found: slab != NO_SLAB });
            if slab != NO_SLAB {
                return match self.free(slab) {
                    NIL => self.cut(larger, slab, observer),
                    slot => self.take(larger, slab, slot, observer),
                };
            }
        }
        NOWHERE
    }

    /// Cuts the next slot from `slab`, which has room and no free slot.
    fn cut(&mut self, class: usize, slab: Slab, observer: &mut impl Observer) -> Placement {
        let state = self.state(slab);
        let slot = self.slot_at(slab, state, self.cut_of(state));
        let cut = State(state.0 + State::ONE_USED - State::ONE_UNCUT);
        self.set_state(slab, cut);
        if cut.uncut() == 0 {
            self.leave(slab, class);
        }
        taken(slot, SLOT_BYTES[class], cut.uncut() * SLOT_BYTES[class], observer)
    }

    /// Whether there is a new slab for `class`.
    fn open_slab(&mut self, class: usize, observer: &mut impl Observer) -> bool {
        let phase = FIRST_SLOT.0;
        let slab_bytes = 1 << self.slab_shift;
        let placed = self.under.allocate_aligned(slab_bytes, slab_bytes, phase, observer);
        if placed == NOWHERE {
            return false;
        }
        let slab = self.slab_at(placed.at);
        self.set_state(slab, State::fresh(class, self.slots_in_slab(class)));
        self.set_free(slab, NIL);
        self.link(slab, class);
        self.slabs += 1;
        true
    }

    /// What a freed slot may bring with it: its slab had no room before, or has no block any more.
    #[cold]
    fn settle(&mut self, slab: Slab, state: State, had_room: bool, observer: &mut impl Observer) {
        let class = state.class();
        if state.used() > 0 {
            if !had_room {
                self.link(slab, class);
            }
            return;
        }
        if had_room {
            self.unlink(slab, class);
        }
        self.set_state(slab, State::NONE);
        self.slabs -= 1;
        self.deallocate_under(self.first_slot(slab), Layout::new::<u64>(), observer);
    }

    // The heap underneath, kept out of the way of the few instructions that a slot takes.

    #[inline(never)]
    fn allocate_under(&mut self, layout: Layout, observer: &mut impl Observer) -> Placement {
        self.under.allocate(layout, observer).unwrap_or(NOWHERE)
    }

    #[inline(never)]
    fn deallocate_under(&mut self, at: Offset, layout: Layout, observer: &mut impl Observer) {
        self.under.deallocate(at, layout, observer);
    }

    // Drawing and checking. Nothing here trusts a link in the arena.

    /// The free slots of a slab, the next to be taken first. They end at a link that leads out of it.
    fn free_slots(&self, slab: Slab) -> impl Iterator<Item = Offset> + '_ {
        let state = self.state(slab);
        let mut slot = self.free(slab);
        std::iter::from_fn(move || {
            self.is_cut_slot(slab, state, slot).then(|| {
                let this = slot;
                slot = Offset(self.under.memory.word(this));
                this
            })
        })
        .take(self.cut_of(state) as usize)
    }

    /// Which slots of a slab are free, bit by bit.
    fn free_bits(&self, slab: Slab, state: State) -> SlotBits {
        let mut bits = SlotBits::default();
        for slot in self.free_slots(slab) {
            bits.set(slot.since(self.first_slot(slab)) / state.slot_bytes());
        }
        bits
    }

    /// Whether a slot of the slab starts at `at` that was cut already.
    fn is_cut_slot(&self, slab: Slab, state: State, at: Offset) -> bool {
        at >= self.first_slot(slab)
            && at < self.slot_at(slab, state, self.cut_of(state))
            && at.since(self.first_slot(slab)).is_multiple_of(state.slot_bytes())
    }

    /// The slots of a slab that have not been cut yet, as one hole.
    fn uncut_of(&self, slab: Slab, state: State) -> Piece {
        let at = self.slot_at(slab, state, self.cut_of(state));
        Piece::hole(at, state.uncut() * state.slot_bytes())
    }

    /// A piece of the heap underneath, in pieces if it is a slab.
    fn pieces_of(&self, piece: Piece) -> impl Iterator<Item = Piece> + '_ {
        let slab = self.slab_of_piece(piece);
        let plain = slab.is_none().then_some(piece);
        plain.into_iter().chain(slab.into_iter().flat_map(move |(slab, state)| {
            let books = |at, size_bytes| Piece { at, size_bytes, kind: PieceKind::Books };
            let free = self.free_bits(slab, state);
            let slots = (0..self.cut_of(state)).map(move |index| Piece {
                at: self.slot_at(slab, state, index),
                size_bytes: state.slot_bytes(),
                kind: if free.get(index) { PieceKind::Hole } else { PieceKind::Block },
            });
            let uncut = self.uncut_of(slab, state);
            let waste = books(uncut.end(), piece.end().since(uncut.end()));
            std::iter::once(books(piece.at, tlsf::HEADER_BYTES))
                .chain(slots)
                .chain([uncut, waste].into_iter().filter(|piece| piece.size_bytes > 0))
        }))
    }

    fn slab_of_piece(&self, piece: Piece) -> Option<(Slab, State)> {
        let payload = piece.at.plus(tlsf::HEADER_BYTES);
        let is_whole = piece.kind == PieceKind::Block
            && piece.size_bytes == 1 << self.slab_shift
            && payload == self.first_slot(self.slab_at(payload));
        is_whole.then(|| self.owner_of(payload)).flatten()
    }

    /// The slabs of a class that have room, in the order they are asked. A list ends at the latest behind all slabs.
    fn slabs_with_room(&self, class: usize) -> impl Iterator<Item = Slab> + '_ {
        let mut slab = self.heads[class];
        std::iter::from_fn(move || {
            (slab != NO_SLAB).then(|| {
                let this = slab;
                slab = self.next(this);
                this
            })
        })
        .take(self.slabs as usize)
    }

    fn holes_of(&self, slab: Slab) -> impl Iterator<Item = Piece> + '_ {
        let state = self.state(slab);
        let uncut = self.uncut_of(slab, state);
        self.free_slots(slab)
            .map(move |slot| Piece::hole(slot, state.slot_bytes()))
            .chain((uncut.size_bytes > 0).then_some(uncut))
    }

    fn slots_of(&self, class: usize) -> Slots {
        let slot_bytes = SLOT_BYTES[class];
        let of_class = |&(_, state): &(Slab, State)| state.class() == class;
        let slabs = || self.under.pieces().filter_map(|p| self.slab_of_piece(p)).filter(of_class);
        let cut = slabs().map(|(_, state)| self.cut_of(state)).sum();
        let free = self.slabs_with_room(class).flat_map(|slab| self.free_slots(slab)).collect();
        Slots { slot_bytes, cut, free }
    }

    fn has_room(&self, slab: Slab, state: State) -> bool {
        self.free(slab) != NIL || state.uncut() > 0
    }

    /// Invariants 3 to 5 for one slab. Counts its slots.
    fn check_slab(&self, slab: Slab, state: State, census: &mut Census) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: self.first_slot(slab) });
        let free = self.free_slots(slab).count() as u32;
        let bits = self.free_bits(slab, state).count();
        let last = self
            .free_slots(slab)
            .last()
            .map_or(self.free(slab), |slot| Offset(self.under.memory.word(slot)));
        if state.used() + free != self.cut_of(state) || free != bits || last != NIL {
            return broken(3);
        }
        if state.used() == 0 {
            return broken(5);
        }
        if self.has_room(slab, state) {
            let (prev, next, head) = (self.prev(slab), self.next(slab), self.heads[state.class()]);
            // The head's `prev` is the tail.
            let reached = slab == head || self.next(prev) == slab;
            let mirrored = self.prev(if next == NO_SLAB { head } else { next }) == slab;
            if !reached || !mirrored {
                return broken(4);
            }
        }
        census.used += state.used();
        census.holes += free + u32::from(state.uncut() > 0);
        Ok(())
    }
}

/// A bit for each slot of a slab.
#[derive(Clone)]
struct SlotBits([u64; WORDS_OF_BITS]);

/// Enough for the smallest slots in the largest slab.
const WORDS_OF_BITS: usize = (1 << MAX_SLAB_SHIFT) / GRAIN_BYTES as usize / 64;

impl Default for SlotBits {
    fn default() -> Self {
        Self([0; WORDS_OF_BITS])
    }
}

impl SlotBits {
    fn get(&self, index: u32) -> bool {
        self.0[index as usize / 64] >> (index % 64) & 1 != 0
    }

    fn set(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl SizeClasses<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "size-classes",
        summary: "slots of 16 sizes in slabs; large blocks go to tlsf",
        details: "Small sizes are rounded up to a class and get a slot of a slab of that class; a slab with no slot in use goes back. Large requests, and the slabs, come from a TLSF heap. No header on a slot: dealloc is told the size.",
        options: &[],
        inner: &[],
        origin: Origin::Ours,
        build: |_, len| {
            if len < LEAST_BYTES {
                return Err(Unfit::TooSmall { least_bytes: LEAST_BYTES });
            }
            Ok(Box::new(Self::new(Pages::new(len))))
        },
    };
}

impl<M: Memory> Over<M> for SizeClasses<M> {
    /// Less than 8 KiB have no slabs: all goes to the heap underneath.
    fn new(mut memory: M) -> Self {
        let len = memory.len();
        let has_slabs = len >= LEAST_BYTES;
        let slab_shift = (len / 64).max(1).ilog2().clamp(MIN_SLAB_SHIFT, MAX_SLAB_SHIFT);
        let mut table = memory.books(if has_slabs { table_bytes(len, slab_shift) } else { 0 });
        table.fill(Offset(0)..Offset(table.len()), 0);
        Self {
            under: Tlsf::new(memory),
            table,
            heads: [NO_SLAB; CLASSES],
            small_bytes: if has_slabs { SMALL_BYTES } else { 0 },
            slab_shift,
            slabs: 0,
        }
    }
}

impl<M: Memory> Storage for SizeClasses<M> {
    fn len(&self) -> u32 {
        Storage::len(&self.under)
    }

    fn read(&self, at: Offset, into: &mut [u8]) {
        self.under.read(at, into);
    }

    fn write(&mut self, at: Offset, bytes: &[u8]) {
        self.under.write(at, bytes);
    }

    fn fill(&mut self, range: Range<Offset>, byte: u8) {
        self.under.fill(range, byte);
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        self.under.copy(from, to, len);
    }
}

impl<M: Memory> Design for SizeClasses<M> {
    #[inline(always)]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        if layout.size() > self.small_bytes as usize || layout.align() > GRAIN_BYTES as usize {
            observer.step(Step::Handed { second: true, because: Because::Underneath });
            return or_full(self.allocate_under(layout, &mut observer));
        }
        let class = class_for(layout.size() as u32);
        let slab = self.heads[class];
        let slot = self.free(slab);
        observer.step(Step::Rounded {
            asked_bytes: layout.size() as u32,
            block_bytes: SLOT_BYTES[class],
        });
        observer.step(Step::Class { class: class_of(class), found: slab != NO_SLAB });
        if slot == NIL {
            return or_full(self.take_uncut(class, layout, &mut observer));
        }
        Ok(self.take(class, slab, slot, &mut observer))
    }

    #[inline(always)]
    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        if layout.size() > self.small_bytes as usize {
            return self.deallocate_under(at, layout, &mut observer);
        }
        let Some((slab, state)) = self.slab_with(at) else {
            return self.deallocate_under(at, layout, &mut observer);
        };
        let free = self.free(slab);
        let freed = State(state.0 - State::ONE_USED);
        self.under.memory.set_word(at, free.0);
        self.set_free(slab, at);
        self.set_state(slab, freed);
        let size_bytes = state.slot_bytes();
        let (in_front, behind) = (false, false);
        observer.step(Step::Joined { at, freed_bytes: size_bytes, size_bytes, in_front, behind });
        observer.step(Step::Listed { at, class: class_of(state.class()) });
        if free == NIL || freed.used() == 0 {
            self.settle(slab, freed, free != NIL || state.uncut() > 0, &mut observer);
        }
    }

    #[inline]
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: impl Observer,
    ) -> Result<Placement, Full> {
        match self.owner_of(at) {
            Some((_, state)) if new_bytes <= state.slot_bytes() => {
                Ok(Placement { at, granted_bytes: state.slot_bytes() })
            }
            Some(_) => Err(Full),
            None => self.under.resize(at, layout, new_bytes, observer),
        }
    }

    #[inline]
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        if self.owner_of(at).is_none() {
            return self.under.reallocate(at, layout, new_bytes, observer);
        }
        if let Ok(placed) = self.resize(at, layout, new_bytes, &mut observer) {
            return Ok(placed);
        }
        let new_layout =
            Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        let placed = self.allocate(new_layout, &mut observer)?;
        self.under.memory.copy(at, placed.at, layout.size() as u32);
        self.deallocate(at, layout, &mut observer);
        Ok(placed)
    }

    fn grow(&mut self, len: u32, observer: impl Observer) {
        self.under.grow(len, observer);
        if len >= LEAST_BYTES {
            let old_bytes = self.table.len();
            self.table.grow(table_bytes(len, self.slab_shift).max(old_bytes));
            self.table.fill(Offset(old_bytes)..Offset(self.table.len()), 0);
            self.small_bytes = SMALL_BYTES;
        }
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.under.pieces().flat_map(|piece| self.pieces_of(piece))
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        (0..CLASSES)
            .flat_map(|class| self.slabs_with_room(class))
            .flat_map(|slab| self.holes_of(slab))
            .chain(self.under.holes())
    }

    fn structure(&self) -> Structure {
        let slots = (0..CLASSES).map(|class| self.slots_of(class)).filter(|slots| slots.cut > 0);
        Structure::Slabs { slots: slots.collect(), under: Box::new(self.under.structure()) }
    }

    fn need(&self, layout: Layout) -> Need {
        if layout.size() > self.small_bytes as usize || layout.align() > GRAIN_BYTES as usize {
            return self.under.need(layout);
        }
        let payload_bytes = SLOT_BYTES[class_for(layout.size() as u32)].into();
        Need { payload_bytes, edges: Edges::NONE }
    }

    fn fits(&self, hole: Piece) -> u32 {
        match self.owner_of_hole(hole) {
            Some((_, state)) => state.slot_bytes(),
            None => self.under.fits(hole),
        }
    }

    /// A slab's room is for slots alone.
    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        let small =
            layout.size() <= self.small_bytes as usize && layout.align() <= GRAIN_BYTES as usize;
        match self.owner_of_hole(hole) {
            Some((_, state)) => small && layout.size() <= state.slot_bytes() as usize,
            None => true,
        }
    }

    fn block_edges(&self, at: Offset) -> Edges {
        match self.owner_of(at) {
            Some(_) => Edges::NONE,
            None => self.under.block_edges(at),
        }
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        match self.owner_of_hole(hole) {
            // Nothing was written yet where no slot has been cut.
            Some((slab, state)) if self.is_cut_slot(slab, state, hole.at) => Edges::front(4),
            Some(_) => Edges::NONE,
            None => self.under.hole_edges(hole),
        }
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "the heap underneath keeps its own rules",
            "each slab is a block of that heap, at its place",
            "a slot that was cut is in use or free, and a free one is in its slab's list once",
            "the list of a class holds exactly its slabs with room",
            "a slab has a block in use",
        ]
    }

    fn check(&self) -> Result<Census, Broken> {
        let under = self.under.check().map_err(|broken| Broken { invariant: 1, ..broken })?;
        let mut census = Census { used: 0, ..under };
        let (mut slabs, mut with_room) = (0, 0);
        for piece in self.under.pieces() {
            if let Some((slab, state)) = self.slab_of_piece(piece) {
                self.check_slab(slab, state, &mut census)?;
                slabs += 1;
                with_room += usize::from(self.has_room(slab, state));
            } else if piece.kind == PieceKind::Block {
                census.used += 1;
            }
        }
        if slabs != self.slabs {
            return Err(Broken { invariant: 2, at: FIRST_SLOT });
        }
        let listed = (0..CLASSES).map(|class| self.slabs_with_room(class).count()).sum::<usize>();
        if listed != with_room {
            return Err(Broken { invariant: 4, at: FIRST_SLOT });
        }
        Ok(census)
    }
}

/// The table for so long an arena: an entry for each slab there could be, and one for none.
fn table_bytes(arena_bytes: u32, slab_shift: u32) -> u32 {
    ((arena_bytes >> slab_shift) + 2) * ENTRY_BYTES
}

#[inline(always)]
fn entry_of(slab: Slab) -> Offset {
    Offset(slab.0 * ENTRY_BYTES)
}

/// The class whose slots a request of at most [`SMALL_BYTES`] gets.
#[inline(always)]
fn class_for(size_bytes: u32) -> usize {
    // No `div_ceil`: the sum cannot overflow, and that saves three instructions of ten.
    #[expect(clippy::manual_div_ceil)]
    let grains = (size_bytes + GRAIN_BYTES - 1) / GRAIN_BYTES;
    let class = CLASS_OF_GRAINS[grains as usize % CLASS_OF_GRAINS.len()];
    class as usize % CLASSES
}

/// What a class holds, for the observer.
fn class_of(class: usize) -> Class {
    let below = if class == 0 { 0 } else { SLOT_BYTES[class - 1] };
    Class { first: class as u32, second: None, min_bytes: below + 1, max_bytes: SLOT_BYTES[class] }
}

/// A slot that was taken, told and placed.
#[inline(always)]
fn taken(
    at: Offset,
    slot_bytes: u32,
    remaining_bytes: u32,
    observer: &mut impl Observer,
) -> Placement {
    observer.step(Step::Cut {
        at,
        padding_bytes: 0,
        header_bytes: 0,
        payload_bytes: slot_bytes,
        remaining_bytes,
    });
    Placement { at, granted_bytes: slot_bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, layout};
    use crate::{MAX_ALIGN, MAX_ARENA};

    type Heap = SizeClasses<Pages>;

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
    fn each_size_has_the_smallest_class_that_holds_it() {
        for size in 1..=SMALL_BYTES {
            let class = class_for(size);
            assert!(size <= SLOT_BYTES[class], "{size} is in class {class}");
            assert!(class == 0 || size > SLOT_BYTES[class - 1], "{size} is in class {class}");
        }
    }

    #[test]
    fn blocks_of_a_class_are_neighbours_without_a_header() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 40).0).collect();
        assert_eq!(blocks, [16, 64, 112, 160]);
        assert_eq!(allocate(&mut heap, 100).0, 4096 + 16);
    }

    #[test]
    fn the_slot_that_was_freed_last_is_taken_first() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 40)).collect();
        free(&mut heap, blocks[2], 40);
        free(&mut heap, blocks[0], 40);
        assert_eq!(allocate(&mut heap, 33), blocks[0]);
        assert_eq!(allocate(&mut heap, 48), blocks[2]);
    }

    #[test]
    fn the_steps_tell_the_class_and_the_slot() {
        let mut heap = heap(64 * 1024);
        allocate(&mut heap, 40);
        let b = allocate(&mut heap, 40);
        allocate(&mut heap, 40);
        let class = class_of(2);
        assert_eq!((class.min_bytes, class.max_bytes), (33, 48));
        let mut steps = Vec::new();
        heap.deallocate(b, layout(40, 8), &mut steps);
        heap.allocate(layout(36, 8), &mut steps).unwrap();
        let joined =
            Step::Joined { at: b, freed_bytes: 48, size_bytes: 48, in_front: false, behind: false };
        let expect = [
            joined,
            Step::Listed { at: b, class },
            Step::Rounded { asked_bytes: 36, block_bytes: 48 },
            Step::Class { class, found: true },
            Step::Cut {
                at: b,
                padding_bytes: 0,
                header_bytes: 0,
                payload_bytes: 48,
                remaining_bytes: 0,
            },
        ];
        assert_eq!(steps, expect);
    }

    #[test]
    fn the_pieces_show_slots_what_is_not_cut_and_what_is_wasted() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..3).map(|_| allocate(&mut heap, 300)).collect();
        free(&mut heap, blocks[1], 300);
        let pieces: Vec<_> = heap.pieces().map(|p| (p.at.0, p.size_bytes, p.kind)).collect();
        let expect = [
            (0, 12, PieceKind::Books),
            (12, 4, PieceKind::Books),
            (16, 320, PieceKind::Block),
            (336, 320, PieceKind::Hole),
            (656, 320, PieceKind::Block),
            (976, 9 * 320, PieceKind::Hole),
            (3856, 252, PieceKind::Books),
            (4108, 61424, PieceKind::Hole),
            (65532, 4, PieceKind::Books),
        ];
        assert_eq!(pieces, expect);
        let Structure::Slabs { slots, .. } = heap.structure() else { unreachable!() };
        assert_eq!(slots, [Slots { slot_bytes: 320, cut: 3, free: vec![blocks[1]] }]);
    }

    #[test]
    fn an_empty_slab_goes_back() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..100).map(|_| allocate(&mut heap, 200)).collect();
        assert_eq!(heap.slabs, 6);
        for (index, &at) in blocks.iter().enumerate() {
            free(&mut heap, at, 200);
            assert_eq!(heap.slabs, 6 - (index as u32 + 1) / 18 - u32::from(index == 99));
        }
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
    }

    #[test]
    fn a_full_slab_that_gets_room_waits_behind_the_others() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..20).map(|_| allocate(&mut heap, 512)).collect();
        // Slabs of seven: two are full, and the third has room for one more.
        free(&mut heap, blocks[3], 512);
        assert_eq!(heap.slabs, 3);
        assert!(allocate(&mut heap, 512) > blocks[19]);
        assert_eq!(allocate(&mut heap, 512), blocks[3]);
    }

    #[test]
    fn a_block_stays_in_its_slot_while_it_fits_and_moves_with_its_bytes() {
        let mut heap = heap(64 * 1024);
        let at = allocate(&mut heap, 40);
        heap.write(at, b"kept");
        let placed = heap.reallocate(at, layout(40, 8), 48, ()).unwrap();
        assert_eq!(placed, Placement { at, granted_bytes: 48 });
        let mut bytes = [0; 4];
        for (old, new) in [(48, 49), (49, 600), (600, 4000), (4000, 20)] {
            let from = heap.pieces().find(|piece| piece.kind == PieceKind::Block).unwrap();
            let from = from.at.plus(if old > 512 { 4 } else { 0 });
            let placed = heap.reallocate(from, layout(old, 8), new, ()).unwrap();
            heap.check().unwrap();
            heap.read(placed.at, &mut bytes);
            assert_eq!(&bytes, b"kept", "from {old} to {new}");
        }
        // It shrank where it was, in the heap underneath, and is freed there as a small block.
        let block = heap.pieces().find(|piece| piece.kind == PieceKind::Block).unwrap();
        free(&mut heap, block.at.plus(4), 20);
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
    }

    #[test]
    fn without_room_for_a_slab_small_blocks_go_underneath_and_then_to_larger_slots() {
        let mut heap = heap(8 * 1024);
        allocate(&mut heap, 512);
        let mut blocks = Vec::new();
        while let Ok(placed) = heap.allocate(layout(100, 8), ()) {
            heap.check().unwrap();
            blocks.push((placed, heap.block_edges(placed.at).front_bytes));
        }
        let underneath = blocks.iter().filter(|(_, front_bytes)| *front_bytes == 4).count();
        let larger = blocks.iter().filter(|(placed, _)| placed.granted_bytes == 512).count();
        assert_eq!((underneath, larger, blocks.len()), (36, 6, 42));
        for (placed, _) in blocks {
            free(&mut heap, placed.at, 100);
        }
        assert_eq!(heap.check().unwrap().used, 1);
    }

    #[test]
    fn a_grown_arena_has_room_for_more_slabs() {
        for len in [0, 16, 4096, 8192] {
            let mut heap = heap(len);
            Design::grow(&mut heap, 64 * 1024, ());
            let blocks: Vec<_> = (0..100).map(|_| allocate(&mut heap, 256)).collect();
            assert_eq!(heap.slabs, 7, "from {len}");
            for at in blocks {
                free(&mut heap, at, 256);
            }
            assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
        }
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let mut heap = heap(64 * 1024);
        let blocks: Vec<_> = (0..4).map(|_| allocate(&mut heap, 40)).collect();
        free(&mut heap, blocks[0], 40);
        free(&mut heap, blocks[2], 40);
        for (at, word, invariant) in [
            (Offset(12), 0, 2),
            (blocks[2], blocks[2].0, 3),
            (blocks[2], 1 << 20, 3),
            (blocks[2], 0, 3),
        ] {
            let mut damaged = heap.clone();
            damaged.under.memory.set_word(at.0, word);
            let broken = damaged.check().unwrap_err().invariant;
            // The slab's own header belongs to the heap underneath.
            assert_eq!(broken, if at == Offset(12) { 1 } else { invariant }, "{word} at {at:?}");
        }
        let mut damaged = heap.clone();
        damaged.slabs += 1;
        assert_eq!(damaged.check().unwrap_err().invariant, 2);
        damaged = heap.clone();
        damaged.heads[2] = NO_SLAB;
        assert_eq!(damaged.check().unwrap_err().invariant, 4);
        damaged = heap.clone();
        damaged.heads[3] = Slab(1);
        assert_eq!(damaged.check().unwrap_err().invariant, 4);
    }

    #[test]
    fn random_programs_agree_with_the_oracle() {
        for arena_bytes in [16, 16 * 1024] {
            let fresh = || Heap::new(Pages::new(arena_bytes));
            oracle::random_programs(true, fresh, |heap| {
                assert!(heap.slabs == 0 && heap.check().unwrap().used == 0);
            });
        }
    }

    #[test]
    fn a_damaged_arena_is_named_or_drawn_and_never_followed_outside() {
        let fresh = || Heap::new(Pages::new(16 * 1024));
        oracle::random_damage_is_survived(fresh);
        oracle::damage_is_survived(fresh());
    }

    // What bit others.

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for len in [0, 8, 16, 24] {
            let mut heap = heap(len);
            assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
            assert_eq!(heap.check(), Ok(Census::default()));
            assert_eq!(heap.pieces().map(|piece| piece.size_bytes).sum::<u32>(), len);
        }
        let plain = crate::Spec::plain(&Heap::INFO);
        assert!(matches!(plain.build(4096), Err(Unfit::TooSmall { least_bytes: 8192 })));
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79() {
        let mut heap = heap(64 * 1024);
        let at = allocate(&mut heap, 40);
        let before: Vec<_> = heap.pieces().collect();
        for size in [64 << 10, 1 << 30, u32::MAX as usize - 3, isize::MAX as usize / 2] {
            for align in [1, 8, 16, MAX_ALIGN as usize] {
                assert_eq!(heap.allocate(layout(size, align), ()), Err(Full), "{size}, {align}");
            }
        }
        assert_eq!(heap.reallocate(at, layout(40, 8), u32::MAX, ()), Err(Full));
        assert!(heap.pieces().eq(before));
        assert!(heap.need(layout(isize::MAX as usize / 2, 1)).block_bytes() > 1 << 61);
    }

    #[test]
    fn the_largest_arena_does_not_overflow_embedded_alloc_125() {
        let mut heap = heap(MAX_ARENA);
        assert_eq!(heap.allocate(layout(MAX_ARENA as usize - 16, 8), ()), Err(Full));
        let large = heap.allocate(layout(MAX_ARENA as usize - 64 * 1024, 8), ()).unwrap();
        let small: Vec<_> =
            std::iter::from_fn(|| heap.allocate(layout(500, 16), ()).ok()).collect();
        assert!(small.len() > 100, "{}", small.len());
        heap.check().unwrap();
        heap.deallocate(large.at, layout(MAX_ARENA as usize - 64 * 1024, 8), ());
        for placed in small {
            heap.deallocate(placed.at, layout(500, 16), ());
        }
        assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
    }

    #[test]
    fn a_high_alignment_keeps_to_the_arena_bumpalo_19() {
        let mut heap = heap(512 * 1024);
        for align in (0..=16).map(|power| 1 << power) {
            let placed = heap.allocate(layout(24, align), ()).unwrap();
            assert!(placed.at.0.is_multiple_of(align as u32), "{placed:?} for {align}");
            heap.check().unwrap();
        }
        let mut small = self::heap(64 * 1024);
        allocate(&mut small, 8);
        assert_eq!(small.allocate(layout(8, MAX_ALIGN as usize), ()), Err(Full));
        small.check().unwrap();
    }
}
