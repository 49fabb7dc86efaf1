//! Whose every byte is, and who wrote it: what lets a mistake be named before it reaches an allocator.

use std::alloc::Layout;
use std::ops::Range;
use std::sync::Arc;

use heap::{Edges, Offset, Placement};
use imbl::{OrdMap, Vector};
use memory::Bits;

use crate::arena::ArenaId;
use crate::problem::Cause;

/// A block's life, from the line that made it to the line that ended it. Never used for another block, so a pointer
/// that outlived its block is a number that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId {
    /// Where it lies.
    pub(crate) arena: ArenaId,
    life: u32,
}

/// What is known of one block. Plain numbers: the ledger copies lives in chunks, and a name or a line is shared by many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    name: u32,
    pub(crate) at: Offset,
    pub(crate) size_bytes: u32,
    pub(crate) align_bytes: u32,
    pub(crate) granted_bytes: u32,
    /// The allocator's own bytes around it.
    front_bytes: u32,
    canary_bytes: u32,
    rear_bytes: u32,
    /// Which of those that have been in its arena's place it lay in.
    pub(crate) generation: u32,
    born: u32,
    died: Option<u32>,
}

impl Life {
    fn live(&self, id: BlockId) -> Live {
        let extent_bytes = self.extent().len() as u32;
        Live { id, size_bytes: self.size_bytes, front_bytes: self.front_bytes, extent_bytes }
    }

    /// The allocator's own bytes around it.
    pub(crate) fn edges(&self) -> Edges {
        let Self { front_bytes, canary_bytes, rear_bytes, .. } = *self;
        Edges { front_bytes, canary_bytes, rear_bytes }
    }

    /// The layout it was allocated with.
    pub(crate) fn layout(&self) -> Layout {
        Layout::from_size_align(self.size_bytes as usize, self.align_bytes as usize)
            .expect("a block was allocated with a valid layout")
    }

    fn range(&self) -> Range<u32> {
        self.at.0..self.at.0 + self.size_bytes
    }

    /// Everything that is taken for it: header, payload, slack, footer.
    pub(crate) fn extent(&self) -> Range<u32> {
        let end = self.at.0 + self.granted_bytes + self.rear_bytes;
        self.at.0 - self.front_bytes..end
    }
}

/// A live block, as the index by address knows it: small, since a map reads them all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) id: BlockId,
    pub(crate) size_bytes: u32,
    /// What is in front of its payload.
    front_bytes: u32,
    /// Everything that is taken for it.
    extent_bytes: u32,
}

impl Live {
    /// The first byte that is taken for it, if its payload is at `at`.
    pub(crate) fn start(&self, at: Offset) -> Offset {
        at.minus(self.front_bytes)
    }

    /// The byte behind the last.
    pub(crate) fn end(&self, at: Offset) -> Offset {
        self.start(at).plus(self.extent_bytes)
    }
}

/// The blocks of all arenas there have been in one place, and the bytes of the present one.
#[derive(Clone)]
pub(crate) struct Ledger {
    arena: ArenaId,
    lives: Vector<Life>,
    /// The blocks' names; a block that moves keeps its own.
    names: Vector<Arc<str>>,
    /// The lines that began or ended a life, in order.
    causes: Vector<Cause>,
    /// Live blocks by their payload's offset.
    live: OrdMap<u32, Live>,
    /// The last block that died at each offset, of this arena.
    dead: OrdMap<u32, BlockId>,
    /// Bytes ever written in this arena, by anyone.
    written: Bits,
    /// Bytes written by the block they belong to now.
    set: Bits,
    payload_bytes: u64,
}

impl Ledger {
    pub(crate) fn new(arena: ArenaId, arena_bytes: u32) -> Self {
        Self {
            arena,
            lives: Vector::new(),
            names: Vector::new(),
            causes: Vector::new(),
            live: OrdMap::new(),
            dead: OrdMap::new(),
            written: Bits::new(arena_bytes),
            set: Bits::new(arena_bytes),
            payload_bytes: 0,
        }
    }

    pub(crate) fn life(&self, id: BlockId) -> &Life {
        &self.lives[id.life as usize]
    }

    pub(crate) fn name(&self, id: BlockId) -> &Arc<str> {
        &self.names[self.life(id).name as usize]
    }

    /// The line that made the block, or moved it to where it lies.
    pub(crate) fn birth(&self, id: BlockId) -> &Cause {
        &self.causes[self.life(id).born as usize]
    }

    /// The line that ended the block, if one did.
    pub(crate) fn death(&self, id: BlockId) -> Option<&Cause> {
        self.life(id).died.map(|cause| &self.causes[cause as usize])
    }

    pub(crate) fn live_count(&self) -> u64 {
        self.live.len() as u64
    }

    /// The bytes asked for by all live blocks.
    pub(crate) fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Live blocks by address.
    pub(crate) fn live(&self) -> impl DoubleEndedIterator<Item = (Offset, Live)> {
        self.live.iter().map(|(&at, &live)| (Offset(at), live))
    }

    // Finding.

    /// The live block whose payload holds `at`, and how far inside.
    pub(crate) fn live_around(&self, at: u32) -> Option<(BlockId, u32)> {
        let (&start, live) = self.live.get_prev(&at)?;
        (at - start < live.size_bytes).then_some((live.id, at - start))
    }

    /// The live block around `at`, or else the last dead one that started at or before it.
    pub(crate) fn around(&self, at: u32) -> Option<(BlockId, u32)> {
        self.live_around(at).or_else(|| {
            let (&start, &id) = self.dead.get_prev(&at)?;
            (at - start < self.life(id).size_bytes).then_some((id, at - start))
        })
    }

    /// The live block that has any byte of a dead one now, in its payload or in the allocator's bytes around it.
    pub(crate) fn successor(&self, life: &Life) -> Option<BlockId> {
        let Range { start, end } = life.range();
        let holds = |id: BlockId| {
            let extent = self.life(id).extent();
            (extent.start < end && start < extent.end).then_some(id)
        };
        let in_front = self.live.get_prev(&start).and_then(|(_, live)| holds(live.id));
        in_front.or_else(|| {
            let (_, live) = self.live.get_next(&start)?;
            holds(live.id)
        })
    }

    /// The name of the last block that died with its payload at `at`.
    pub(crate) fn dead_at(&self, at: u32) -> Option<&Arc<str>> {
        self.dead.get(&at).map(|&id| self.name(id))
    }

    /// Where the last live block starts that does so at or in front of `at`.
    pub(crate) fn start_up_to(&self, at: u32) -> Option<Offset> {
        self.live.get_prev(&at).map(|(&start, _)| Offset(start))
    }

    /// Where the first live block starts that does so behind `at`.
    pub(crate) fn start_behind(&self, at: u32) -> Option<Offset> {
        self.live.get_next(&(at + 1)).map(|(&start, _)| Offset(start))
    }

    /// The live block in whose extent `at` lies, payload or not.
    pub(crate) fn extent_around(&self, at: u32) -> Option<BlockId> {
        let of = |id: BlockId| self.life(id).extent().contains(&at).then_some(id);
        let in_front = self.live.get_prev(&at).and_then(|(_, live)| of(live.id));
        in_front.or_else(|| of(self.live.get_next(&at)?.1.id))
    }

    /// Live blocks whose payload starts in a range.
    pub(crate) fn live_in(&self, range: Range<u32>) -> Vec<BlockId> {
        self.live.range(range).map(|(_, live)| live.id).collect()
    }

    // Lives.

    /// The number of a line that begins or ends lives.
    fn cause(&mut self, cause: &Cause) -> u32 {
        if self.causes.last().is_none_or(|last| last.line != cause.line) {
            self.causes.push_back(cause.clone());
        }
        self.causes.len() as u32 - 1
    }

    /// A block called `name` begins its life.
    pub(crate) fn born(
        &mut self,
        name: Arc<str>,
        placed: Placement,
        edges: Edges,
        layout: Layout,
        generation: u32,
        cause: &Cause,
    ) -> BlockId {
        self.names.push_back(name);
        let name = self.names.len() as u32 - 1;
        self.begin(name, placed, edges, layout, generation, cause)
    }

    fn begin(
        &mut self,
        name: u32,
        placed: Placement,
        edges: Edges,
        layout: Layout,
        generation: u32,
        cause: &Cause,
    ) -> BlockId {
        let id = BlockId { arena: self.arena, life: self.lives.len() as u32 };
        let life = Life {
            name,
            at: placed.at,
            size_bytes: layout.size() as u32,
            align_bytes: layout.align() as u32,
            granted_bytes: placed.granted_bytes,
            front_bytes: edges.front_bytes,
            canary_bytes: edges.canary_bytes,
            rear_bytes: edges.rear_bytes,
            generation,
            born: self.cause(cause),
            died: None,
        };
        self.set.fill(life.at.0..life.at.0 + life.granted_bytes, false);
        let extent = life.extent();
        self.note_links(extent.start..life.at.0);
        self.note_links(life.at.0 + life.granted_bytes..extent.end);
        self.live.insert(life.at.0, life.live(id));
        self.payload_bytes += u64::from(life.size_bytes);
        self.lives.push_back(life);
        id
    }

    /// A live block ends.
    pub(crate) fn die(&mut self, id: BlockId, cause: &Cause) {
        let died = self.cause(cause);
        let life = &mut self.lives[id.life as usize];
        assert!(life.died.is_none(), "{life:?} dies twice");
        life.died = Some(died);
        let life = *life;
        self.live.remove(&life.at.0);
        self.dead.insert(life.at.0, id);
        self.payload_bytes -= u64::from(life.size_bytes);
        self.set.fill(life.range(), false);
    }

    /// The block has another size where it is, and other bytes around it.
    pub(crate) fn resized(
        &mut self,
        id: BlockId,
        size_bytes: u32,
        granted_bytes: u32,
        edges: Edges,
    ) {
        let life = &mut self.lives[id.life as usize];
        let old = life.range();
        life.size_bytes = size_bytes;
        life.granted_bytes = granted_bytes;
        life.front_bytes = edges.front_bytes;
        life.canary_bytes = edges.canary_bytes;
        life.rear_bytes = edges.rear_bytes;
        let (new, extent) = (life.range(), life.extent());
        self.payload_bytes = self.payload_bytes + u64::from(size_bytes) - old.len() as u64;
        let live = life.live(id);
        self.live.insert(old.start, live);
        self.set.fill(old.end.min(new.end)..old.end.max(new.end), false);
        self.note_links(extent.start..new.start);
        self.note_links(new.start + granted_bytes..extent.end);
    }

    /// The block's bytes have moved: the old life ends, a new one of the same name begins.
    pub(crate) fn moved(
        &mut self,
        id: BlockId,
        placed: Placement,
        edges: Edges,
        size_bytes: u32,
        cause: &Cause,
    ) -> BlockId {
        let old = *self.life(id);
        let kept = old.size_bytes.min(size_bytes);
        let set = self.runs(old.at.0..old.at.0 + kept);
        self.die(id, cause);
        let layout = Layout::from_size_align(size_bytes as usize, old.align_bytes as usize)
            .expect("the engine judged the new size");
        let new = self.begin(old.name, placed, edges, layout, old.generation, cause);
        for run in set {
            let (start, end) =
                (run.start - old.at.0 + placed.at.0, run.end - old.at.0 + placed.at.0);
            self.note_written(start..end);
        }
        new
    }

    /// The runs of set bytes in a range.
    fn runs(&self, range: Range<u32>) -> Vec<Range<u32>> {
        let mut runs = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let end = self.set.first_clear(at..range.end).unwrap_or(range.end);
            if end > at {
                runs.push(at..end);
            }
            at = self.set.first_set(end..range.end).unwrap_or(range.end);
        }
        runs
    }

    /// That of a fresh arena in the same place: everything alive dies with the old one.
    pub(crate) fn restarted(mut self, arena_bytes: u32, cause: &Cause) -> Self {
        let died = self.cause(cause);
        for id in self.live_in(0..u32::MAX) {
            self.lives[id.life as usize].died = Some(died);
        }
        let Self { arena, lives, names, causes, .. } = self;
        Self { lives, names, causes, ..Self::new(arena, arena_bytes) }
    }

    pub(crate) fn grow(&mut self, arena_bytes: u32) {
        self.written.grow(arena_bytes);
        self.set.grow(arena_bytes);
    }

    // Bytes.

    /// The owner of the range wrote it.
    pub(crate) fn note_written(&mut self, range: Range<u32>) {
        self.written.fill(range.clone(), true);
        self.set.fill(range, true);
    }

    /// Nobody knows any more what stands there.
    pub(crate) fn forget(&mut self, range: Range<u32>) {
        self.written.fill(range, false);
    }

    /// The allocator wrote its own words there.
    pub(crate) fn note_links(&mut self, range: Range<u32>) {
        self.written.fill(range, true);
    }

    pub(crate) fn first_unset(&self, range: Range<u32>) -> Option<u32> {
        self.set.first_clear(range)
    }

    pub(crate) fn is_set(&self, at: u32) -> bool {
        self.set.get(at)
    }

    /// The first byte of the range that anyone ever wrote.
    pub(crate) fn first_written(&self, range: Range<u32>) -> Option<u32> {
        self.written.first_set(range)
    }

    pub(crate) fn was_written(&self, at: u32) -> bool {
        self.written.get(at)
    }
}
