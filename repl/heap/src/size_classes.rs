//! Size classes: small blocks lie in slots of their class's size, cut from slabs; the rest goes to a TLSF heap.
//!
//! ```text
//!  a slab of class 48: a block of the heap underneath, 4,096 bytes at 4096 k + 12
//!  | word | a  |free| b  |free| c  | not cut yet …                       | waste |
//!  +------+----+----+----+----+----+-------------------------------------+-------+
//!         ^4096 k + 16                                            next slab's word ^
//!
//!  a free slot: | next | unset … |
//!
//!  beside the arena, for each 4,096 bytes of it: | class, used, cut | free | next | prev |
//! ```
//!
//! A request of up to 512 bytes is rounded up to its class: 16, 32 and so on to 128, then four classes for each doubling.
//! It gets the slot that was freed last in the first slab of the class. No slot has a header: `deallocate` looks its slab up
//! by the address, and finds the class there. That table lies beside the arena, so that neighbours in it share a
//! cache line, which headers a page apart never do.
//!
//! A class has a list of its slabs with room, so a full slab is out of the way until one of its slots comes back.
//! A slab whose last block goes is given back to the heap underneath at once, where it joins its neighbours.
//!
//! Invariants:
//!
//! 1. The heap underneath keeps its own.
//! 2. Each slab is a block of that heap, 4,096 bytes long and 12 bytes behind a multiple of 4,096.
//! 3. The slots of a slab that were cut are in use or in its list of free ones, each once.
//! 4. The list of a class holds exactly its slabs with room, and every `prev` mirrors a `next`.
//! 5. A slab has a block in use.
//!
//! Cost: O(1) for each operation, a handful of instructions without a branch that depends on sizes; O(classes) when nothing
//! but a slot of a larger class is left.
//! Bad at: a few blocks in each of many classes, which hold a slab each. A block keeps its slot when it shrinks.
//!
//! Bonwick, "The slab allocator: an object-caching kernel memory allocator", USENIX Summer 1994; Evans, "A scalable
//! concurrent malloc(3) implementation for FreeBSD", 2006, for the classes; Leijen, Zorn and de Moura, "Mimalloc: free list
//! sharding in action", 2019, for a list in each slab.

#![expect(
    clippy::inline_always,
    reason = "these are a few instructions each, and a second user of one would make a call of it"
)]

use std::alloc::Layout;
use std::ops::Range;

use memory::Pages;

use crate::tlsf::{self, Tlsf};
use crate::{
    Because, Broken, Census, Class, Design, Edges, Full, Info, Memory, Need, Observer, Offset,
    Over, Piece, PieceKind, Placement, Slots, Step, Storage, Structure, Unfit,
};

const SLAB_BYTES: u32 = 4096;
/// What of a slab is slots: all but the word of the heap underneath.
const SLOTS_BYTES: u32 = SLAB_BYTES - tlsf::HEADER_BYTES;
const GRAIN_BYTES: u32 = 16;
/// The largest slot.
const SMALL_BYTES: u32 = 512;
/// Smaller arenas have room for few slabs or none: there every request goes to the heap underneath.
const LEAST_BYTES: u32 = 2 * SLAB_BYTES;
/// The payload of the first slab there could be.
const FIRST_SLOT: Offset = tlsf::FIRST_BLOCK.plus(tlsf::HEADER_BYTES);

const CLASSES: usize = 16;
/// The bytes of each class's slots.
const SLOT_BYTES: [u32; CLASSES] =
    [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
/// How many slots a slab of each class has.
const SLOTS: [u32; CLASSES] = {
    let mut slots = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        slots[class] = SLOTS_BYTES / SLOT_BYTES[class];
        class += 1;
    }
    slots
};
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

/// An entry's first word: the class, how many slots are in use, how many have been cut. 0 where no slab is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State(u32);

impl State {
    const NONE: Self = Self(0);
    const ONE_USED: u32 = 1 << 8;
    const ONE_CUT: u32 = 1 << 20;

    fn fresh(class: usize) -> Self {
        Self(class as u32 + 1)
    }

    /// Of a slab; there is no class where none is.
    #[inline(always)]
    fn class(self) -> usize {
        (self.0 & 0xff).wrapping_sub(1) as usize % CLASSES
    }

    #[inline(always)]
    fn used(self) -> u32 {
        self.0 >> 8 & 0xfff
    }

    #[inline(always)]
    fn cut(self) -> u32 {
        self.0 >> 20
    }

    fn is_full(self) -> bool {
        self.used() == SLOTS[self.class()]
    }

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

    /// Puts `slab` at the head of its class's list.
    fn link(&mut self, slab: Slab, class: usize) {
        let next = std::mem::replace(&mut self.heads[class], slab);
        self.table.set_field(entry_of(slab), NEXT, next.0);
        self.table.set_field(entry_of(slab), PREV, NO_SLAB.0);
        if next != NO_SLAB {
            self.table.set_field(entry_of(next), PREV, slab.0);
        }
    }

    fn unlink(&mut self, slab: Slab, class: usize) {
        let (prev, next) = (self.prev(slab), self.next(slab));
        if prev == NO_SLAB {
            self.heads[class] = next;
        } else {
            self.table.set_field(entry_of(prev), NEXT, next.0);
        }
        if next != NO_SLAB {
            self.table.set_field(entry_of(next), PREV, prev.0);
        }
    }

    /// The slab that the block at `at` is in. Only where there are slabs.
    #[inline(always)]
    fn slab_with(&self, at: Offset) -> Option<(Slab, State)> {
        let slab = slab_at(at);
        let state = self.state(slab);
        (state != State::NONE).then_some((slab, state))
    }

    /// `slab_with`, or none where there are no slabs.
    fn owner_of(&self, at: Offset) -> Option<(Slab, State)> {
        (self.small_bytes > 0).then(|| self.slab_with(at)).flatten()
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
        if next == NIL && state.is_full() {
            self.leave(slab, class);
        }
        taken(slot, SLOT_BYTES[class], 0, observer)
    }

    /// A slab that has nothing left leaves its list.
    #[cold]
    fn leave(&mut self, slab: Slab, class: usize) {
        self.unlink(slab, class);
    }

    /// `allocate` where the first slab of `class` has no free slot: cuts one, from a new slab if need be. When the heap
    /// underneath has no room for a slab, a block of its own may fit in there, or else a larger slot is free.
    #[cold]
    fn take_uncut(
        &mut self,
        class: usize,
        layout: Layout,
        observer: &mut impl Observer,
    ) -> Result<Placement, Full> {
        if self.heads[class] != NO_SLAB || self.open_slab(class, observer) {
            return Ok(self.cut(class, self.heads[class], observer));
        }
        observer.step(Step::Handed { second: true, because: Because::Full });
        if let Ok(placed) = self.allocate_under(layout, observer) {
            return Ok(placed);
        }
        for larger in class + 1..CLASSES {
            let slab = self.heads[larger];
            observer.step(Step::Class { class: class_of(larger), found: slab != NO_SLAB });
            if slab != NO_SLAB {
                return Ok(match self.free(slab) {
                    NIL => self.cut(larger, slab, observer),
                    slot => self.take(larger, slab, slot, observer),
                });
            }
        }
        Err(Full)
    }

    /// Cuts the next slot from `slab`, which has room and no free slot.
    fn cut(&mut self, class: usize, slab: Slab, observer: &mut impl Observer) -> Placement {
        let state = self.state(slab);
        let slot = slot_at(slab, state, state.cut());
        let left = (SLOTS[class] - state.cut() - 1) * SLOT_BYTES[class];
        let state = State(state.0 + State::ONE_USED + State::ONE_CUT);
        self.set_state(slab, state);
        if state.is_full() {
            self.leave(slab, class);
        }
        taken(slot, SLOT_BYTES[class], left, observer)
    }

    /// Whether there is a new slab for `class`.
    fn open_slab(&mut self, class: usize, observer: &mut impl Observer) -> bool {
        let phase = FIRST_SLOT.0;
        let placed = self.under.allocate_aligned(SLAB_BYTES, SLAB_BYTES, phase, observer);
        let Ok(placed) = placed else { return false };
        let slab = slab_at(placed.at);
        self.set_state(slab, State::fresh(class));
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
        let layout = Layout::new::<[u8; SLOTS_BYTES as usize]>();
        self.deallocate_under(first_slot(slab), layout, observer);
    }

    // The heap underneath, kept out of the way of the few instructions that a slot takes.

    #[inline(never)]
    fn allocate_under(
        &mut self,
        layout: Layout,
        observer: &mut impl Observer,
    ) -> Result<Placement, Full> {
        self.under.allocate(layout, observer)
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
            is_cut_slot(slab, state, slot).then(|| {
                let this = slot;
                slot = Offset(self.under.memory.word(this));
                this
            })
        })
        .take(state.cut() as usize)
    }

    /// Which slots of a slab are free, bit by bit.
    fn free_bits(&self, slab: Slab, state: State) -> SlotBits {
        let mut bits = SlotBits::default();
        for slot in self.free_slots(slab) {
            bits.set(index_of(slab, state, slot));
        }
        bits
    }

    /// A piece of the heap underneath, in pieces if it is a slab.
    fn pieces_of(&self, piece: Piece) -> impl Iterator<Item = Piece> + '_ {
        let slab = self.slab_of_piece(piece);
        let plain = slab.is_none().then_some(piece);
        plain.into_iter().chain(slab.into_iter().flat_map(move |(slab, state)| {
            let books = |at, size_bytes| Piece { at, size_bytes, kind: PieceKind::Books };
            let free = self.free_bits(slab, state);
            let slots = (0..state.cut()).map(move |index| Piece {
                at: slot_at(slab, state, index),
                size_bytes: state.slot_bytes(),
                kind: if free.get(index) { PieceKind::Hole } else { PieceKind::Block },
            });
            let uncut = uncut_of(slab, state);
            let waste = books(uncut.end(), piece.end().since(uncut.end()));
            std::iter::once(books(piece.at, tlsf::HEADER_BYTES))
                .chain(slots)
                .chain([uncut, waste].into_iter().filter(|piece| piece.size_bytes > 0))
        }))
    }

    fn slab_of_piece(&self, piece: Piece) -> Option<(Slab, State)> {
        let payload = piece.at.plus(tlsf::HEADER_BYTES);
        let is_whole = piece.kind == PieceKind::Block
            && piece.size_bytes == SLAB_BYTES
            && payload == first_slot(slab_at(payload));
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
        let uncut = uncut_of(slab, state);
        self.free_slots(slab)
            .map(move |slot| Piece::hole(slot, state.slot_bytes()))
            .chain((uncut.size_bytes > 0).then_some(uncut))
    }

    fn slots_of(&self, class: usize) -> Slots {
        let slot_bytes = SLOT_BYTES[class];
        let of_class = |&(_, state): &(Slab, State)| state.class() == class;
        let slabs = || self.under.pieces().filter_map(|p| self.slab_of_piece(p)).filter(of_class);
        let cut = slabs().map(|(_, state)| state.cut()).sum();
        let free = self.slabs_with_room(class).flat_map(|slab| self.free_slots(slab)).collect();
        Slots { slot_bytes, cut, free }
    }

    /// Invariants 3 to 5 for one slab. Counts its slots.
    fn check_slab(&self, slab: Slab, state: State, census: &mut Census) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: first_slot(slab) });
        let free = self.free_slots(slab).count() as u32;
        let bits = self.free_bits(slab, state).count();
        let last = self
            .free_slots(slab)
            .last()
            .map_or(self.free(slab), |slot| Offset(self.under.memory.word(slot)));
        let adds_up = state.used() + free == state.cut() && state.cut() <= SLOTS[state.class()];
        if !adds_up || free != bits || last != NIL {
            return broken(3);
        }
        if state.used() == 0 {
            return broken(5);
        }
        let (prev, next) = (self.prev(slab), self.next(slab));
        let reached = match prev {
            NO_SLAB => self.heads[state.class()] == slab,
            prev => self.next(prev) == slab,
        };
        if !state.is_full() && (!reached || (next != NO_SLAB && self.prev(next) != slab)) {
            return broken(4);
        }
        census.used += state.used();
        census.holes += free + u32::from(state.cut() < SLOTS[state.class()]);
        Ok(())
    }
}

/// A bit for each slot of a slab.
#[derive(Clone, Copy, Default)]
struct SlotBits([u64; 4]);

impl SlotBits {
    fn get(self, index: u32) -> bool {
        self.0[index as usize / 64] >> (index % 64) & 1 != 0
    }

    fn set(&mut self, index: u32) {
        self.0[index as usize / 64] |= 1 << (index % 64);
    }

    fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl SizeClasses<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "size-classes",
        summary: "slots of 16 sizes cut from slabs, without headers; large blocks go to tlsf",
        options: &[],
        inner: &[],
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
        let mut table = memory.books(if has_slabs { table_bytes(len) } else { 0 });
        table.fill(Offset(0)..Offset(table.len()), 0);
        Self {
            under: Tlsf::new(memory),
            table,
            heads: [NO_SLAB; CLASSES],
            small_bytes: if has_slabs { SMALL_BYTES } else { 0 },
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
            observer.step(Step::Handed { second: true, because: Because::Large });
            return self.allocate_under(layout, &mut observer);
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
            return self.take_uncut(class, layout, &mut observer);
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
            self.settle(slab, freed, !state.is_full(), &mut observer);
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
            self.table.grow(table_bytes(len).max(old_bytes));
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
        match self.owner_of(hole.at) {
            Some((_, state)) => state.slot_bytes(),
            None => self.under.fits(hole),
        }
    }

    fn block_edges(&self, at: Offset) -> Edges {
        match self.owner_of(at) {
            Some(_) => Edges::NONE,
            None => self.under.block_edges(at),
        }
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        match self.owner_of(hole.at) {
            // Nothing was written yet where no slot has been cut.
            Some((slab, state)) if is_cut_slot(slab, state, hole.at) => Edges::front(4),
            Some(_) => Edges::NONE,
            None => self.under.hole_edges(hole),
        }
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "the heap underneath keeps its own rules",
            "each slab is a block of that heap, 4,096 bytes long",
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
                with_room += usize::from(!state.is_full());
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
fn table_bytes(arena_bytes: u32) -> u32 {
    (slab_at(Offset(arena_bytes.max(FIRST_SLOT.0))).0 + 1) * ENTRY_BYTES
}

#[inline(always)]
fn entry_of(slab: Slab) -> Offset {
    Offset(slab.0 * ENTRY_BYTES)
}

/// The number that a slab has, or would have, with `at` in it.
#[inline(always)]
fn slab_at(at: Offset) -> Slab {
    Slab((at.0 + SLAB_BYTES - FIRST_SLOT.0) / SLAB_BYTES)
}

fn first_slot(slab: Slab) -> Offset {
    Offset((slab.0 - 1) * SLAB_BYTES).plus(FIRST_SLOT.0)
}

fn slot_at(slab: Slab, state: State, index: u32) -> Offset {
    first_slot(slab).plus(index * state.slot_bytes())
}

fn index_of(slab: Slab, state: State, slot: Offset) -> u32 {
    slot.since(first_slot(slab)) / state.slot_bytes()
}

/// Whether a slot of the slab starts at `at` that was cut already.
fn is_cut_slot(slab: Slab, state: State, at: Offset) -> bool {
    at >= first_slot(slab)
        && at < slot_at(slab, state, state.cut())
        && at.since(first_slot(slab)).is_multiple_of(state.slot_bytes())
}

/// The slots of a slab that have not been cut yet, as one hole.
fn uncut_of(slab: Slab, state: State) -> Piece {
    let slots = SLOTS[state.class()].saturating_sub(state.cut());
    Piece::hole(slot_at(slab, state, state.cut()), slots * state.slot_bytes())
}

/// The class whose slots a request of at most [`SMALL_BYTES`] gets.
#[inline(always)]
fn class_for(size_bytes: u32) -> usize {
    CLASS_OF_GRAINS[size_bytes.div_ceil(GRAIN_BYTES) as usize % CLASS_OF_GRAINS.len()] as usize
        % CLASSES
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
