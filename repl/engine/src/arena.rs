//! An arena: an allocator over its bytes, and whose every one of them is.

use std::alloc::Layout;
use std::borrow::Cow;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use heap::{
    Budget, Edges, Full, Heap, Info, MAX_ALIGN, MAX_ARENA, Offset, Piece, PieceKind, Spec,
    Structure, Unfit,
};

use crate::ledger::{BlockId, Ledger};
use crate::problem::{Cause, Problem, Room, Scatter, Shortage, Trouble, Whereabouts};
use crate::scan::Span;
use crate::units::{Address, HEAP_BASE};
use crate::world::check_possible;

/// The bytes of an arena beside the one in use, if they are enough for its heap's own books.
const BESIDE_BYTES: u32 = 1024;

/// Names an arena of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ArenaId(u8);

impl ArenaId {
    /// The one that commands speak to: `use` puts a fresh arena in its place.
    pub(crate) const IN_USE: Self = Self(0);

    /// Where it starts. The others lie behind the largest that the one in use can become.
    pub(crate) fn base(self) -> Address {
        const FIRST: u64 = HEAP_BASE.0 + MAX_ARENA as u64;
        const APART: u64 = 0x0100_0000;
        match self.0.checked_sub(1) {
            None => HEAP_BASE,
            Some(index) => Address(FIRST + APART * u64::from(index)),
        }
    }
}

/// The arenas of a session: the one in use, and those that values of Rust were given by name.
#[derive(Clone)]
pub(crate) struct Arenas(Vec<Arena>);

/// One of them.
#[derive(Clone)]
pub(crate) struct Arena {
    pub(crate) id: ArenaId,
    pub(crate) heap: Box<dyn Heap>,
    /// What `use` was told.
    pub(crate) spec: Arc<Spec>,
    /// The same as it was typed.
    pub(crate) name: Arc<str>,
    called: Arc<str>,
    /// How many there were in its place before it.
    pub(crate) generation: u32,
    /// The bytes it was given: its length, or for a heap that takes memory as it goes the limit.
    pub(crate) size_bytes: u32,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
}

/// Counts since the arena was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) allocs: u64,
    pub(crate) frees: u64,
    pub(crate) reallocs: u64,
    pub(crate) moved: u64,
    pub(crate) peak_payload_bytes: u64,
}

impl Arenas {
    pub(crate) fn new(in_use: Arena) -> Self {
        debug_assert_eq!(in_use.id, ArenaId::IN_USE);
        Self(vec![in_use])
    }

    /// The one of a design: that in use, or else that a program named.
    pub(crate) fn of(&self, info: &Info) -> Option<&Arena> {
        self.0.iter().find(|arena| arena.is_of(info))
    }

    /// One more, beside those there are: of a design as it is without options.
    ///
    /// # Errors
    ///
    /// [`Unfit`] if there is none of it here.
    pub(crate) fn add(&mut self, info: &'static Info) -> Result<&Arena, Unfit> {
        let id = ArenaId(self.0.len() as u8);
        let spec = Arc::new(Spec::plain(info));
        let arena = match Arena::new(id, Arc::clone(&spec), BESIDE_BYTES) {
            Err(Unfit::TooSmall { least_bytes }) => Arena::new(id, spec, least_bytes),
            made => made,
        };
        self.0.push(arena?);
        Ok(&self[id])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arena> {
        self.0.iter()
    }

    /// One as it was in this state: as it began, if it was made later, as `after` knows.
    pub(crate) fn before(&self, id: ArenaId, after: &Self) -> Cow<'_, Arena> {
        if let Some(arena) = self.0.get(usize::from(id.0)) {
            return Cow::Borrowed(arena);
        }
        let Arena { spec, size_bytes, .. } = &after[id];
        let fresh = Arena::new(id, Arc::clone(spec), *size_bytes);
        Cow::Owned(fresh.expect("it was made before"))
    }

    /// Those beside the one in use, whose names lead there: `use` refuses to hide one that has blocks.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &Arena> {
        let is_hidden = |arena: &&Arena| arena.is_of(self[ArenaId::IN_USE].spec.info);
        self.0.iter().skip(1).filter(move |arena| !is_hidden(arena))
    }

    /// The one an address lies in, and how far from its start.
    pub(crate) fn at(&self, address: Address) -> Option<(&Arena, u32)> {
        self.0.iter().find_map(|arena| Some((arena, arena.offset(address)?)))
    }

    /// The same to change it.
    pub(crate) fn at_mut(&mut self, address: Address) -> Option<(&mut Arena, u32)> {
        self.0.iter_mut().find_map(|arena| {
            let at = arena.offset(address)?;
            Some((arena, at))
        })
    }
}

impl Index<ArenaId> for Arenas {
    type Output = Arena;

    fn index(&self, id: ArenaId) -> &Arena {
        &self.0[usize::from(id.0)]
    }
}

impl IndexMut<ArenaId> for Arenas {
    fn index_mut(&mut self, id: ArenaId) -> &mut Arena {
        &mut self.0[usize::from(id.0)]
    }
}

impl Arena {
    /// Whether it is of a design, with options or without.
    pub(crate) fn is_of(&self, info: &Info) -> bool {
        self.spec.info.name == info.name
    }

    /// A fresh one.
    ///
    /// # Errors
    ///
    /// [`Unfit`] if the heap cannot be set up in so many bytes.
    pub(crate) fn new(id: ArenaId, spec: Arc<Spec>, size_bytes: u32) -> Result<Self, Unfit> {
        let heap = spec.build(size_bytes)?;
        let ledger = Ledger::new(id, heap.len());
        let (name, called) = (spec.to_string().into(), spec.called().into());
        let (generation, tally) = (0, Tally::default());
        let mut arena =
            Self { id, heap, spec, name, called, generation, size_bytes, ledger, tally };
        arena.note_links();
        Ok(arena)
    }

    /// The one that takes its place; every block dies with the old one, at the line `cause`.
    ///
    /// # Errors
    ///
    /// As [`Arena::new`].
    pub(crate) fn replaced(
        &self,
        spec: Arc<Spec>,
        size_bytes: u32,
        cause: &Cause,
    ) -> Result<Self, Unfit> {
        let mut new = Self::new(self.id, spec, size_bytes)?;
        new.generation = self.generation + 1;
        new.ledger = self.ledger.clone().restarted(new.heap.len(), cause);
        new.note_links();
        Ok(new)
    }

    /// Where an offset of it lies.
    pub(crate) fn address(&self, at: Offset) -> Address {
        self.id.base().plus(u64::from(at.0))
    }

    /// The offset of an address that lies in it.
    pub(crate) fn offset(&self, address: Address) -> Option<u32> {
        let at = address.0.checked_sub(self.id.base().0)?;
        (at < u64::from(self.heap.len())).then_some(at as u32)
    }

    /// The byte behind its last.
    pub(crate) fn end(&self) -> Address {
        self.id.base().plus(u64::from(self.heap.len()))
    }

    /// What the heap keeps in front of a payload.
    pub(crate) fn header_bytes(&self) -> u32 {
        self.heap.need(Layout::new::<u8>()).edges.front_bytes
    }

    /// The name by which messages call it: without its options.
    pub(crate) fn called(&self) -> Arc<str> {
        Arc::clone(&self.called)
    }

    /// Where a byte lies, in words.
    pub(crate) fn whereabouts(&self, at: u32) -> Whereabouts {
        if let Some((id, _)) = self.ledger.live_around(at) {
            return Whereabouts::Block { name: Arc::clone(self.ledger.name(id)) };
        }
        if let Some(id) = self.ledger.extent_around(at) {
            let (life, block) = (self.ledger.life(id), Arc::clone(self.ledger.name(id)));
            return if at < life.at.0 {
                Whereabouts::Header { block }
            } else if at < life.at.0 + life.granted_bytes {
                Whereabouts::Slack { block }
            } else {
                Whereabouts::Canary { block }
            };
        }
        let hole = self.heap.holes().find(|hole| hole.at.0 <= at && at < hole.end().0);
        match hole {
            Some(hole) if hole.kind == PieceKind::Gap => Whereabouts::Gap,
            Some(hole) if at - hole.at.0 < self.header_bytes() => Whereabouts::HoleHeader,
            Some(hole) => Whereabouts::Hole { at: self.address(hole.at) },
            None => self.outside_of_blocks(at),
        }
    }

    /// Where a byte of the arena lies that is in no block and in no hole.
    fn outside_of_blocks(&self, at: u32) -> Whereabouts {
        let piece = self.heap.pieces().find(|piece| piece.at.0 <= at && at < piece.end().0);
        match piece.map(|piece| piece.kind) {
            Some(PieceKind::Books) => Whereabouts::Books,
            Some(PieceKind::Padding) => Whereabouts::Padding,
            Some(PieceKind::Held) => Whereabouts::Held,
            Some(PieceKind::Gap) => Whereabouts::Gap,
            _ => Whereabouts::Stranded,
        }
    }

    pub(crate) fn mark_is_live(&self, at: Offset, generation: u32) -> bool {
        let below = at.0.checked_sub(1).and_then(|below| self.ledger.live_around(below));
        // A block that came once the top had been back beyond the mark, or has grown since.
        let lies_across = |(id, _)| self.ledger.life(id).extent().contains(&at.0);
        generation == self.generation
            && self.heap.top().is_some()
            && !below.is_some_and(lies_across)
            && {
                let range = self.heap.reset_range(at);
                range.start <= range.end
            }
    }

    /// Bytes of the arena that are neither free nor in a live block's reach.
    pub(crate) fn stranded_bytes(&self, free_bytes: u64) -> u64 {
        let known = |piece: &Piece| match piece.kind {
            PieceKind::Books | PieceKind::Padding | PieceKind::Held => u64::from(piece.size_bytes),
            _ => 0,
        };
        let known: u64 = self.heap.pieces().map(|piece| known(&piece)).sum();
        let live =
            self.ledger.live().map(|(_, live)| self.ledger.life(live.id).extent().len() as u64);
        u64::from(self.heap.len()) - free_bytes - known - live.sum::<u64>()
    }

    /// Whether the allocator's blocks are those of the ledger: as many, apart, aligned, inside.
    pub(crate) fn ledger_agrees(&self) -> bool {
        let len = self.heap.len();
        let (mut tracked, mut untracked) = (0, false);
        for piece in self.heap.pieces() {
            tracked += u64::from(piece.kind == PieceKind::Block);
            untracked |= piece.kind == PieceKind::Taken;
        }
        let counted = untracked || tracked == self.ledger.live_count();
        let mut end = 0;
        let apart = self.ledger.live().all(|(at, live)| {
            let life = self.ledger.life(live.id);
            let extent = life.extent();
            let ok =
                extent.start >= end && at.0.is_multiple_of(life.align_bytes) && extent.end <= len;
            end = extent.end;
            ok
        });
        counted && apart
    }

    /// Judges a request before any `Layout` is made, so that every host answers alike.
    pub(crate) fn layout(
        &self,
        size: u64,
        size_span: Span,
        align: u64,
        align_span: Span,
    ) -> Result<Layout, Problem> {
        if align == 0 || !align.is_power_of_two() || align > u64::from(MAX_ALIGN) {
            return Err(Problem::new(Trouble::BadAlign { align }, align_span));
        }
        if size == 0 {
            return Err(Problem::new(Trouble::ZeroSize { block: None }, size_span));
        }
        check_possible(size, align, size_span)?;
        if size > u64::from(MAX_ARENA) {
            return Err(self.no_room(size, align, size_span));
        }
        Ok(Layout::from_size_align(size as usize, align as usize)
            .expect("size and align were judged above"))
    }

    /// Why there is no room for a block, with the numbers.
    pub(crate) fn no_room(&self, size: u64, align: u64, span: Span) -> Problem {
        // Beyond any arena the design's rounding says nothing more.
        let asked =
            Layout::from_size_align(size.min(u64::from(MAX_ARENA)) as usize, align as usize)
                .expect("size and align were judged before");
        let header = u64::from(self.heap.need(asked).edges.sum());
        let need = self.heap.need(asked).block_bytes().max(size + header);
        if let Some(budget) = self.heap.budget(size) {
            return self.over_budget(need, budget, span);
        }
        let (mut total, mut usable, mut largest, mut fits, mut holes) = (0, 0, 0, 0, Vec::new());
        for hole in self.heap.holes() {
            let hole_bytes = u64::from(hole.size_bytes);
            total += hole_bytes;
            // A free slot serves its own size alone.
            if !self.heap.eligible(hole, asked) {
                continue;
            }
            usable += hole_bytes;
            largest = largest.max(hole_bytes);
            fits = fits.max(u64::from(self.heap.fits(hole)));
            holes.push(hole_bytes);
        }
        let heap = self.called();
        if holes.is_empty() && self.never_serves(asked) {
            let largest = self.largest_served();
            return Problem::new(Trouble::NeverServed { heap, size, align, largest }, span);
        }
        let room = self.room_for(need + if align > 8 { 2 * align } else { 0 });
        let scattered = usable >= need && holes.len() > 1;
        let trouble = if scattered && fits >= size && align <= 8 {
            Trouble::Missed { heap, need, largest, fits, room }
        } else if scattered {
            let cure = self.cure(asked);
            let payload = need - header;
            holes.truncate(8);
            let gaps = self.spec.is_foreign();
            Trouble::Fragmented(Box::new(Scatter {
                need,
                payload,
                header,
                total: usable,
                holes,
                gaps,
                align,
                cure,
                room,
            }))
        } else {
            let taken = total < u64::from(self.heap.len());
            // Only the arena in use can be reset.
            let strands = matches!(self.heap.structure(), Structure::Top { .. })
                && taken
                && self.id == ArenaId::IN_USE;
            let usable = (usable < total).then_some(usable);
            Trouble::OutOfMemory(Box::new(Shortage {
                heap,
                need,
                header,
                total,
                usable,
                largest,
                fits,
                gaps: self.spec.is_foreign(),
                align,
                strands,
                room,
            }))
        };
        Problem::new(trouble, span)
    }

    /// Why a heap that takes memory as it goes refused.
    fn over_budget(&self, need: u64, budget: Budget, span: Span) -> Problem {
        let heap = self.called();
        let (limit, live) = (u64::from(budget.limit_bytes), u64::from(budget.live_bytes));
        let trouble = match budget.missing {
            Some(instead) => Trouble::HeapMissing { heap: heap.to_string(), instead },
            None if live + need > limit => {
                let room = self.room_for(live + need - limit);
                Trouble::OverLimit { heap, need, live, limit, room }
            }
            None => Trouble::OutOfReach { heap, need, live },
        };
        Problem::new(trouble, span)
    }

    /// Whether even a fresh heap of this kind has nothing for such a request: a size above a pool's largest slot.
    fn never_serves(&self, layout: Layout) -> bool {
        self.spec.build(self.heap.len()).is_ok_and(|fresh| {
            let serves = fresh.holes().any(|hole| fresh.eligible(hole, layout));
            !serves
        })
    }

    /// The largest request that a fresh heap of this kind serves.
    fn largest_served(&self) -> u64 {
        let fresh = self.spec.build(self.heap.len());
        let fits = fresh.ok().and_then(|fresh| fresh.holes().map(|hole| fresh.fits(hole)).max());
        fits.map_or(0, u64::from)
    }

    /// A round size of more memory, or of a new arena, that is surely enough.
    fn room_for(&self, need: u64) -> Room {
        let round = |bytes: u64| (bytes + 64).next_power_of_two().max(1024);
        let more = round(need.min(u64::from(MAX_ARENA)));
        let all = round(u64::from(self.size_bytes) + need.min(u64::from(MAX_ARENA)));
        if self.id != ArenaId::IN_USE {
            Room::Beside { heap: self.spec.info.name }
        } else if !self.heap.can_grow() && all <= u64::from(MAX_ARENA) {
            Room::New { bytes: all }
        } else if self.heap.can_grow() && more <= u64::from(MAX_ARENA - self.size_bytes) {
            Room::Grow { bytes: more }
        } else {
            Room::None
        }
    }

    /// A live block that, once freed, makes room for `layout`, and the largest hole there is then. Found by trying it on
    /// a copy, the smallest blocks first; in a large arena by nobody.
    fn cure(&self, layout: Layout) -> Option<(Arc<str>, u64)> {
        const LARGEST_COPIED: u32 = 64 * 1024;
        const TRIED: usize = 64;
        if self.heap.len() > LARGEST_COPIED || self.id != ArenaId::IN_USE {
            return None;
        }
        let mut lives: Vec<_> = self.ledger.live().map(|(_, live)| live).collect();
        lives.sort_by_key(|live| live.size_bytes);
        lives.into_iter().take(TRIED).find_map(|live| {
            let life = self.ledger.life(live.id);
            if self.heap.newer_than(life.at).is_some() {
                return None;
            }
            let mut heap = self.heap.clone();
            heap.deallocate(life.at, life.layout(), &mut ());
            let largest = heap.holes().map(|hole| hole.size_bytes).max().unwrap_or(0);
            heap.allocate(layout, &mut ()).ok()?;
            Some((Arc::clone(self.ledger.name(live.id)), u64::from(largest)))
        })
    }

    /// Refuses to take a block away that others stand above, where the heap minds.
    pub(crate) fn check_newest(&self, id: BlockId, span: Span) -> Result<(), Problem> {
        let Some(newer) = self.heap.newer_than(self.ledger.life(id).at) else { return Ok(()) };
        let (newer, _) = self.ledger.live_around(newer.0).expect("the newest block is live");
        let name = |id| Arc::clone(self.ledger.name(id));
        let (block, newer, heap) = (name(id), name(newer), self.called());
        Err(Problem::new(Trouble::NotLifo { block, newer, heap }, span))
    }

    pub(crate) fn top(&self, command: &'static str, span: Span) -> Result<Offset, Problem> {
        let heap = self.called();
        self.heap.top().ok_or_else(|| Problem::new(Trouble::Unsupported { heap, command }, span))
    }

    /// Asks the heap for something. A heap of ours that refuses is as it was; a wrapper may have let go of what it held
    /// back, or counted, and is put back.
    pub(crate) fn asking<T>(
        &mut self,
        ask: impl FnOnce(&mut dyn Heap) -> Result<T, Full>,
    ) -> Result<T, Full> {
        let before = (!self.spec.inner.is_empty()).then(|| self.heap.clone());
        let answer = ask(&mut *self.heap);
        if let (Err(Full), Some(before)) = (&answer, before) {
            self.heap = before;
        }
        answer
    }

    /// A stretch became a hole: the allocator wrote its own words there.
    pub(crate) fn note_hole(&mut self, at: Offset, size_bytes: u32) {
        let hole = Piece::hole(at, size_bytes);
        let edges = self.heap.hole_edges(hole);
        if edges == Edges::NONE {
            return;
        }
        let Edges { front_bytes, rear_bytes, .. } = edges;
        self.ledger.note_links(at.0..hole.end().0.min(at.0 + front_bytes));
        self.ledger.note_links(hole.end().minus(rear_bytes).0..hole.end().0);
    }

    fn note_links(&mut self) {
        let holes: Vec<_> = self.heap.holes().collect();
        for hole in holes {
            self.note_hole(hole.at, hole.size_bytes);
        }
    }

    pub(crate) fn note_peak(&mut self) {
        self.tally.peak_payload_bytes =
            self.tally.peak_payload_bytes.max(self.ledger.payload_bytes());
    }
}
