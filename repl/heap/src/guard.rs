//! A wrapper that looks for misuse: canaries around each block, poison in freed ones, a queue that holds them back.
//!
//! ```text
//!  a block of the heap inside
//!  +------+------+------+------+-----------+------+--------------+
//!  | seal | size | prev | next |  payload  | rear | fd fd fd ... |
//!  +------+------+------+------+-----------+------+--------------+
//!  ^ the front canary, 16 bytes or the     ^ the rear canary,
//!    alignment; fd fd in front of the seal   8 bytes or more
//! ```
//!
//! `size` and `rear` say how long payload and rear canary are; `prev` and `next` link the live blocks, so that `check`
//! finds each, whatever the heap inside knows of its blocks, and asks for no memory: a program may check its own global
//! allocator. The seal is a checksum of the other four words, and says how long the front is. All other bytes are 0xfd.
//! A write past either end damages a canary; `deallocate`, and every `check`, looks at both.
//!
//! A freed block is filled with 0xdd, poison, and held back until so many others were freed behind it; then it goes to
//! the heap inside, if its poison is whole. Until then a late read meets poison, a late write is noticed, and so is a
//! second free: the first one broke the seal. When the heap inside is full, the blocks held back go first.
//!
//! Invariants: those of the heap inside, then
//!
//! 1. Every canary is whole, and the list holds the live blocks.
//! 2. Every byte held back is poison.
//!
//! Cost: filling and comparing, O(bytes) a request. Bad at: memory. Used by C programmers as Electric Fence (Perens, 1987)
//! and dmalloc, and as `AddressSanitizer`'s redzones and quarantine (Serebryany et al., USENIX ATC 2012).

use std::alloc::Layout;

use crate::around::{ask_inner, stored_in_inner};
use crate::{
    AnyHeap, Broken, Budget, Census, Design, Edges, Full, Info, Inner, MAX_ALIGN, Need, Observer,
    Offset, OptionInfo, Origin, Over, Piece, PieceKind, Placement, Step, Storage, Structure, Takes,
    Wrapper,
};

/// Bytes of the front canary's words.
const FRONT_BYTES: u32 = 16;
/// Bytes of the rear canary, at least.
const REAR_BYTES: u32 = 8;
/// The bits of a seal that say how long the front is, as a power of two.
const SHIFT_BITS: u32 = 31;
/// Behind the last block. Nothing can lie here.
const NIL: Offset = Offset(u32::MAX);
const FILL: u8 = 0xfd;
const POISON: u8 = 0xdd;
/// Blocks that can be held back.
const MOST_HELD: usize = 32;
const DEFAULT_HELD: u32 = 4;

/// The guard. See the top of the file.
#[derive(Clone, Debug)]
pub struct Guard<D> {
    inner: D,
    /// Freed blocks held back, in a ring: the oldest at `oldest`.
    held: [Held; MOST_HELD],
    oldest: usize,
    held_count: usize,
    most_held: usize,
    /// The payload of the block allocated last, or `NIL`: the head of the list.
    newest: Offset,
    live: u32,
}

/// A freed block: where the heap inside placed it, and what it was asked for there.
#[derive(Clone, Copy, Debug)]
struct Held {
    at: Offset,
    layout: Layout,
    /// Its payload, poisoned.
    payload: Offset,
    payload_bytes: u32,
}

/// What the canaries say of their block.
#[derive(Clone, Copy, Debug)]
struct Canary {
    front_bytes: u32,
    payload_bytes: u32,
    rear_bytes: u32,
    /// The payloads of its neighbours in the list.
    prev: Offset,
    next: Offset,
}

impl Canary {
    /// The front's length, and a checksum in whose steps nothing is lost (multiplicative hashing, Knuth, The Art of
    /// Computer Programming, volume 3, section 6.4).
    fn seal(&self) -> u32 {
        let words = [self.payload_bytes, self.rear_bytes, self.prev.0, self.next.0];
        let mix = |sum: u32, word: u32| (sum ^ word).wrapping_mul(0x9e37_79b1).rotate_left(15);
        words.into_iter().fold(0, mix) & !SHIFT_BITS | self.front_bytes.trailing_zeros()
    }
}

impl<D> Guard<D> {
    /// Guards the blocks of `inner`, and holds `most_held` of the freed ones back, at most 32.
    pub fn around(inner: D, most_held: usize) -> Self {
        assert!(most_held <= MOST_HELD, "{most_held} blocks are more than {MOST_HELD}");
        let nothing = Held {
            at: Offset(0),
            layout: Layout::new::<u8>(),
            payload: Offset(0),
            payload_bytes: 0,
        };
        Self {
            inner,
            held: [nothing; MOST_HELD],
            oldest: 0,
            held_count: 0,
            most_held,
            newest: NIL,
            live: 0,
        }
    }

    /// Whether a piece of the heap inside is a freed block.
    fn holds_back(&self, piece: &Piece) -> bool {
        piece.kind == PieceKind::Block
            && self.held().any(|held| piece.at <= held.at && held.at < piece.end())
    }

    fn held(&self) -> impl Iterator<Item = &Held> + '_ {
        (0..self.held_count).map(|index| &self.held[(self.oldest + index) % MOST_HELD])
    }
}

impl Guard<AnyHeap> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "guard",
        summary: "a wrapper: canaries, poison, freed blocks held back",
        details: "A write past either end of a block damages a canary, which is looked at when the block is freed and by `check`. Freed blocks are filled with 0xdd and held back until N others were freed, so that a late use meets poison and no new owner.",
        options: &[OptionInfo {
            key: "quarantine",
            takes: Takes::Number { min: 0, max: MOST_HELD as u32, default: DEFAULT_HELD },
        }],
        inner: &[Inner::Heap],
        origin: Origin::Ours,
        build: |spec, len| {
            let inner = spec.inner[0].build(len)?;
            Ok(Box::new(Self::around(inner, spec.number("quarantine") as usize)))
        },
    };
}

impl<M, D: Over<M>> Over<M> for Guard<D> {
    fn new(memory: M) -> Self {
        Self::around(D::new(memory), DEFAULT_HELD as usize)
    }
}

stored_in_inner!(Guard);

impl<D: Design> Guard<D> {
    /// Whether the heap inside may be asked for so much.
    fn may_hold(&self, layout: Layout) -> bool {
        let budget = self.inner.budget(layout.size() as u64);
        layout.size() <= budget.map_or(self.len(), |budget| budget.limit_bytes) as usize
    }

    // Canaries.

    fn word(&self, at: Offset) -> u32 {
        let mut bytes = [0; 4];
        self.inner.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn set_word(&mut self, at: Offset, word: u32) {
        self.inner.write(at, &word.to_le_bytes());
    }

    /// Writes the words of the canaries around a payload.
    fn set_words(&mut self, payload: Offset, canary: Canary) {
        let words = [canary.seal(), canary.payload_bytes, canary.prev.0, canary.next.0];
        for (index, word) in (0..).zip(words) {
            self.set_word(seal_of(payload).plus(4 * index), word);
        }
        self.set_word(payload.plus(canary.payload_bytes), canary.rear_bytes);
    }

    /// Writes the canaries around a payload, filling included.
    fn surround(&mut self, payload: Offset, canary: Canary) {
        let Canary { front_bytes, payload_bytes, rear_bytes, .. } = canary;
        self.inner.fill(payload.minus(front_bytes)..seal_of(payload), FILL);
        let rear = payload.plus(payload_bytes);
        self.inner.fill(rear..rear.plus(rear_bytes), FILL);
        self.set_words(payload, canary);
    }

    /// What the words around a payload say; `None` if the seal does not fit them. Reads nothing outside the arena.
    fn canary_of(&self, payload: Offset) -> Option<Canary> {
        let len = self.len();
        let words = payload.0.checked_sub(FRONT_BYTES).filter(|_| payload.0 <= len).map(Offset)?;
        let [seal, payload_bytes, prev, next] =
            [0, 4, 8, 12].map(|plus| self.word(words.plus(plus)));
        let rear = payload.0.checked_add(payload_bytes)?;
        let room_bytes = len.checked_sub(rear).filter(|room| *room >= REAR_BYTES)?;
        let canary = Canary {
            front_bytes: 1 << (seal & SHIFT_BITS),
            payload_bytes,
            rear_bytes: self.word(Offset(rear)),
            prev: Offset(prev),
            next: Offset(next),
        };
        let sound = (FRONT_BYTES..=payload.0).contains(&canary.front_bytes)
            && (REAR_BYTES..=room_bytes).contains(&canary.rear_bytes)
            && canary.seal() == seal;
        sound.then_some(canary)
    }

    fn is_filled(&self, from: Offset, to: Offset, byte: u8) -> bool {
        let mut at = from;
        let mut buffer = [0; 64];
        while at < to {
            let part = &mut buffer[..to.since(at).min(64) as usize];
            self.inner.read(at, part);
            if part.iter().any(|found| *found != byte) {
                return false;
            }
            at = at.plus(part.len() as u32);
        }
        true
    }

    /// The canaries around a payload, if they are whole, filling included.
    fn whole(&self, payload: Offset) -> Option<Canary> {
        self.canary_of(payload).filter(|canary| {
            let rear = payload.plus(canary.payload_bytes);
            self.is_filled(payload.minus(canary.front_bytes), seal_of(payload), FILL)
                && self.is_filled(rear.plus(4), rear.plus(canary.rear_bytes), FILL)
        })
    }

    // The list of live blocks.

    /// Changes the canary of a neighbour in the list.
    fn relink(&mut self, payload: Offset, change: impl FnOnce(&mut Canary)) {
        let mut canary = self.canary_of(payload).unwrap_or_else(|| damaged(payload));
        change(&mut canary);
        self.set_words(payload, canary);
    }

    /// Puts canaries around a new block, and it into the list.
    fn enlist(&mut self, payload: Offset, canary: Canary) {
        let next = self.newest;
        self.surround(payload, Canary { next, ..canary });
        if next != NIL {
            self.relink(next, |canary| canary.prev = payload);
        }
        self.newest = payload;
        self.live += 1;
    }

    /// Takes a block from the list and breaks its seal.
    fn strike(&mut self, payload: Offset, Canary { prev, next, .. }: Canary) {
        if prev == NIL {
            self.newest = next;
        } else {
            self.relink(prev, |canary| canary.next = next);
        }
        if next != NIL {
            self.relink(next, |canary| canary.prev = prev);
        }
        self.set_word(seal_of(payload), 0);
        self.live -= 1;
    }

    /// Gives the oldest block held back to the heap inside.
    fn release_oldest(&mut self, mut observer: impl Observer) {
        let Held { at, layout, payload, payload_bytes } = self.held[self.oldest];
        observer.step(Step::Released { at: payload });
        assert!(
            self.is_filled(payload, payload.plus(payload_bytes), POISON),
            "a freed block at {payload:?} was written to"
        );
        self.oldest = (self.oldest + 1) % MOST_HELD;
        self.held_count -= 1;
        self.inner.deallocate(at, layout, observer);
    }
}

#[cold]
fn damaged(payload: Offset) -> ! {
    panic!("a canary of the block at {payload:?} is damaged, or it was freed before")
}

fn seal_of(payload: Offset) -> Offset {
    payload.minus(FRONT_BYTES)
}

/// What the heap inside granted, seen from outside: the payload, and what is around it. It is in no list yet.
fn outer(at: Offset, granted_bytes: u32, layout: Layout) -> (Placement, Canary) {
    let (front_bytes, payload_bytes) = (front_bytes(layout), layout.size() as u32);
    let rear_bytes = granted_bytes - front_bytes - payload_bytes;
    let placed = Placement { at: at.plus(front_bytes), granted_bytes: payload_bytes };
    (placed, Canary { front_bytes, payload_bytes, rear_bytes, prev: NIL, next: NIL })
}

/// Bytes in front of a payload: room for the words, and a multiple of the alignment.
fn front_bytes(layout: Layout) -> u32 {
    FRONT_BYTES.max(layout.align() as u32)
}

/// What the heap inside is asked for. `None` if that is more than an arena holds.
fn inner_layout(layout: Layout) -> Option<Layout> {
    let size = layout.size() + (front_bytes(layout) + REAR_BYTES) as usize;
    let layout = Layout::from_size_align(size, layout.align().max(4)).ok()?;
    (layout.size() <= crate::MAX_ARENA as usize).then_some(layout)
}

impl<D: Design> Design for Guard<D> {
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let inner = inner_layout(layout).filter(|inner| self.may_hold(*inner));
        let inner = inner.ok_or(Full)?;
        let placed = loop {
            match self.inner.allocate(inner, &mut observer) {
                Ok(placed) => break placed,
                Err(Full) if self.held_count == 0 => return Err(Full),
                Err(Full) => self.release_oldest(&mut observer),
            }
        };
        let (placed, canary) = outer(placed.at, placed.granted_bytes, layout);
        self.enlist(placed.at, canary);
        Ok(placed)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let canary = self.whole(at).unwrap_or_else(|| damaged(at));
        self.strike(at, canary);
        let payload_bytes = layout.size() as u32;
        self.inner.fill(at..at.plus(payload_bytes), POISON);
        let inner = inner_layout(layout).expect("the block was allocated with this layout");
        let block = at.minus(front_bytes(layout));
        if self.most_held == 0 {
            return self.inner.deallocate(block, inner, observer);
        }
        observer.step(Step::Held { at, size_bytes: payload_bytes });
        if self.held_count == self.most_held {
            self.release_oldest(&mut observer);
        }
        let newest = (self.oldest + self.held_count) % MOST_HELD;
        self.held[newest] = Held { at: block, layout: inner, payload: at, payload_bytes };
        self.held_count += 1;
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: impl Observer,
    ) -> Result<Placement, Full> {
        let Canary { prev, next, .. } = self.whole(at).unwrap_or_else(|| damaged(at));
        let new = Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        let new_inner = inner_layout(new).filter(|new| self.may_hold(*new));
        let new_inner = new_inner.ok_or(Full)?;
        let inner = inner_layout(layout).expect("the block was allocated with this layout");
        let block = at.minus(front_bytes(layout));
        let placed = self.inner.resize(block, inner, new_inner.size() as u32, observer)?;
        let (placed, canary) = outer(placed.at, placed.granted_bytes, new);
        self.surround(placed.at, Canary { prev, next, ..canary });
        Ok(placed)
    }

    /// What is held back is forgotten: the heap inside takes its bytes back, or keeps them until a reset further down.
    fn reset(&mut self, mark: Offset) {
        let gone = self.inner.reset_range(mark);
        let mut at = self.newest;
        while at != NIL {
            let canary = self.canary_of(at).unwrap_or_else(|| damaged(at));
            if gone.contains(&at.minus(canary.front_bytes)) {
                self.strike(at, canary);
            }
            at = canary.next;
        }
        self.held_count = 0;
        self.inner.reset(mark);
    }

    fn newer_than(&self, at: Offset) -> Option<Offset> {
        // A block held back is still on the heap inside, which then cannot take one below it.
        let canary = self.canary_of(at)?;
        let newer = self.inner.newer_than(at.minus(canary.front_bytes))?;
        let held = self.held().any(|held| held.at == newer);
        // How long its front is only its own seal says.
        let fronts = FRONT_BYTES.ilog2()..=MAX_ALIGN.ilog2();
        let is_there = |payload: &Offset| {
            let canary = self.canary_of(*payload);
            canary.is_some_and(|canary| payload.minus(canary.front_bytes) == newer)
        };
        fronts.map(|shift| newer.plus(1 << shift)).find(is_there).filter(|_| !held)
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.inner.pieces().map(|piece| {
            if self.holds_back(&piece) { Piece { kind: PieceKind::Held, ..piece } } else { piece }
        })
    }

    fn structure(&self) -> Structure {
        let held = self.held().map(|held| Piece {
            at: held.payload,
            size_bytes: held.payload_bytes,
            kind: PieceKind::Held,
        });
        let (held, most) = (held.collect(), self.most_held as u32);
        let wrapper = Wrapper::Guard { canary_bytes: FRONT_BYTES, poison: POISON, held, most };
        Structure::Around { wrapper, inner: Box::new(self.inner.structure()) }
    }

    fn need(&self, layout: Layout) -> Need {
        let front_bytes = front_bytes(layout);
        let Some(inner) = inner_layout(layout) else {
            let edges = Edges { front_bytes, canary_bytes: front_bytes, rear_bytes: REAR_BYTES };
            return Need { payload_bytes: layout.size() as u64, edges };
        };
        let need = self.inner.need(inner);
        let payload_bytes = layout.size() as u64;
        let rear_bytes = need.payload_bytes.saturating_sub(payload_bytes + u64::from(front_bytes));
        Need {
            payload_bytes,
            edges: Edges {
                front_bytes: need.edges.front_bytes + front_bytes,
                canary_bytes: front_bytes,
                rear_bytes: rear_bytes as u32 + need.edges.rear_bytes,
            },
        }
    }

    fn fits(&self, hole: Piece) -> u32 {
        self.inner.fits(hole).saturating_sub(FRONT_BYTES + REAR_BYTES)
    }

    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        inner_layout(layout).is_some_and(|inner| self.inner.eligible(hole, inner))
    }

    fn budget(&self, size_bytes: u64) -> Option<Budget> {
        self.inner.budget(size_bytes)
    }

    fn block_edges(&self, at: Offset) -> Edges {
        let Some(canary) = self.canary_of(at) else { return Edges::NONE };
        let inner = self.inner.block_edges(at.minus(canary.front_bytes));
        Edges {
            front_bytes: inner.front_bytes + canary.front_bytes,
            canary_bytes: canary.front_bytes + inner.canary_bytes,
            rear_bytes: canary.rear_bytes + inner.rear_bytes,
        }
    }

    fn rules(&self) -> Vec<&'static str> {
        let mut rules = self.inner.rules();
        rules.extend([
            "every canary is whole, and each live block is listed",
            "every byte held back is poison",
        ]);
        rules
    }

    fn check(&self) -> Result<Census, Broken> {
        let census = self.inner.check()?;
        // `rules` allocates, and a program may check its global allocator: not before something is broken.
        let broken = |own, at| Err(Broken { invariant: self.inner.rules().len() + own, at });
        let (mut prev, mut at) = (NIL, self.newest);
        for _ in 0..self.live {
            let canary = self.whole(at).filter(|canary| canary.prev == prev);
            let Some(canary) = canary else { return broken(1, at) };
            (prev, at) = (at, canary.next);
        }
        if at != NIL {
            return broken(1, at);
        }
        let poisoned = |held: &&Held| {
            !self.is_filled(held.payload, held.payload.plus(held.payload_bytes), POISON)
        };
        if let Some(held) = self.held().find(poisoned) {
            return broken(2, held.payload);
        }
        Ok(Census { used: self.live, ..census })
    }

    ask_inner! { grow top holes }
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;
    use crate::oracle::layout;
    use crate::{Bump, FirstFit};

    type Guarded = Guard<FirstFit<Pages>>;

    #[test]
    fn a_write_one_byte_past_either_end_breaks_a_canary() {
        for (size, align) in [(5, 1), (40, 8), (64, 64)] {
            let mut heap = Guarded::new(Pages::new(1024));
            let at = heap.allocate(layout(size, align), ()).unwrap().at;
            heap.check().unwrap();
            for damaged in [at.minus(1), at.plus(size as u32)] {
                let mut copy = heap.clone();
                copy.write(damaged, b"x");
                assert_eq!(copy.check().unwrap_err().invariant, 6, "{damaged:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a canary of the block at +0x18 is damaged")]
    fn freeing_a_block_with_a_damaged_canary_is_noticed() {
        let mut heap = Guarded::new(Pages::new(1024));
        let at = heap.allocate(layout(40, 8), ()).unwrap().at;
        heap.write(at.plus(40), b"x");
        heap.deallocate(at, layout(40, 8), ());
    }

    #[test]
    fn a_check_finds_the_blocks_of_a_heap_that_knows_none() {
        let mut heap = Guard::<Bump<Pages>>::new(Pages::new(1024));
        let blocks: Vec<_> = (0..3).map(|_| heap.allocate(layout(40, 8), ()).unwrap().at).collect();
        heap.deallocate(blocks[1], layout(40, 8), ());
        assert_eq!(heap.check().unwrap().used, 2);
        heap.write(blocks[0].plus(40), b"x");
        assert_eq!(heap.check(), Err(Broken { invariant: 2, at: blocks[0] }));
    }

    #[test]
    fn a_reset_takes_its_blocks_from_the_list() {
        let mut heap = Guard::<Bump<Pages>>::new(Pages::new(1024));
        heap.allocate(layout(40, 8), ()).unwrap();
        let mark = heap.top().unwrap();
        heap.allocate(layout(40, 8), ()).unwrap();
        heap.allocate(layout(40, 64), ()).unwrap();
        heap.reset(mark);
        assert_eq!(heap.check().unwrap().used, 1);
        heap.allocate(layout(100, 8), ()).unwrap();
        assert_eq!(heap.check().unwrap().used, 2);
    }

    #[test]
    #[should_panic(expected = "or it was freed before")]
    fn a_second_free_is_noticed_while_the_block_is_held_back() {
        let mut heap = Guarded::new(Pages::new(1024));
        let at = heap.allocate(layout(40, 8), ()).unwrap().at;
        heap.deallocate(at, layout(40, 8), ());
        heap.deallocate(at, layout(40, 8), ());
    }

    #[test]
    fn a_freed_block_is_poison_until_others_were_freed_behind_it() {
        let mut heap = Guard::around(FirstFit::<Pages>::new(Pages::new(1024)), 2);
        let blocks: Vec<_> = (0..4).map(|_| heap.allocate(layout(40, 8), ()).unwrap().at).collect();
        heap.deallocate(blocks[0], layout(40, 8), ());
        let mut bytes = [0; 40];
        heap.read(blocks[0], &mut bytes);
        assert_eq!(bytes, [POISON; 40]);
        assert_ne!(heap.allocate(layout(40, 8), ()).unwrap().at, blocks[0]);
        heap.deallocate(blocks[1], layout(40, 8), ());
        heap.deallocate(blocks[2], layout(40, 8), ());
        assert_eq!(heap.allocate(layout(40, 8), ()).unwrap().at, blocks[0]);
        heap.write(blocks[1], b"late");
        assert_eq!(heap.check().unwrap_err().invariant, 7);
    }

    #[test]
    fn blocks_held_back_go_before_a_request_is_refused() {
        let mut heap = Guarded::new(Pages::new(256));
        let at = heap.allocate(layout(200, 8), ()).unwrap().at;
        heap.deallocate(at, layout(200, 8), ());
        assert_eq!(heap.allocate(layout(200, 8), ()).unwrap().at, at);
    }
}
