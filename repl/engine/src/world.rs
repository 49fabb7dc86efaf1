//! The state of the machine: arenas, stack, names, and the program of Rust lines.
//!
//! A clone is cheap (see [`memory::Pages`] and `imbl`), which is what checkpoints are made of. Every method that can
//! refuse does so before it changes anything.

use std::alloc::Layout;
use std::ops::Bound;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use heap::{
    Edges, Full, HEAPS, Info, MAX_ALIGN, MAX_ARENA, Observer, Offset, Origin, Piece, Placement,
    Spec, Step, Unfit,
};
use imbl::{OrdMap, OrdSet};
use interpreter::types::Heap;
use stack::{Item, ItemKind, SlotId, Stack, Type, Value};

use crate::arena::{Arena, ArenaId, Arenas};
use crate::args::Place;
use crate::ledger::{BlockId, Life};
use crate::literal::Slot;
use crate::problem::{Argument, Cause, Problem, Successor, Trouble, Whereabouts};
use crate::reply::Event;
use crate::scan::Span;
use crate::touched::Touched;
use crate::units::Address;
use crate::why;

/// The heap a session starts with.
pub(crate) const DEFAULT_HEAP: &str = "first-fit";
/// Its bytes.
pub(crate) const DEFAULT_HEAP_BYTES: u32 = 1024;
/// The bytes of the stack a session starts with.
pub(crate) const DEFAULT_STACK_BYTES: u32 = 64 * 1024;
/// The largest stack.
pub(crate) const MAX_STACK_BYTES: u32 = 64 << 20;
/// Arenas and stacks are multiples of this.
pub(crate) const SIZE_GRAIN: u64 = 16;
/// The alignment of a block that names none.
pub(crate) const DEFAULT_ALIGN: u64 = 8;
/// Where our machine's code lies: line N of the log at 16 N bytes behind it.
const CODE_BASE: u64 = 0x0040_0000;

/// So many writes of Rust take the time of a plain command.
const TOUCHES_OF_A_COMMAND: u64 = 64;

/// The heaps that a program can name: each by itself, so none that wraps others.
static NAMED_BY_RUST: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    HEAPS.iter().filter(|info| info.inner.is_empty()).map(|info| info.name).collect()
});

/// Names on each side of an unknown one that it is compared with.
const NAMES_COMPARED: usize = 8;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// A pointer into a block: to its start, unless it is an alias made with an offset.
    Block { id: BlockId, plus: u64 },
    /// A pointer into a stack slot.
    Slot { id: SlotId, address: u32, size_bytes: u32, plus: u64 },
    /// A top to go back to, of one of the arenas there have been in use.
    Mark { at: Offset, generation: u32 },
}

/// What a place leads to.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// As the user called it.
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(crate) owner: Owner,
}

#[derive(Clone, Debug)]
pub(crate) enum Owner {
    Block { id: BlockId, plus: u64 },
    Slot { id: SlotId, address: u32, size_bytes: u32, plus: u64 },
    Nobody,
}

/// Something live that may be read or written.
pub(crate) struct Target {
    name: Arc<str>,
    /// Its first byte.
    memory: Memory,
    size_bytes: u64,
    /// How far inside the pointer points.
    plus: u64,
    /// What offsets are counted from: the pointer, if it has a name, else the owner's start.
    origin: u64,
    write: bool,
}

/// A range of its bytes.
pub(crate) struct Access {
    pub(crate) name: Arc<str>,
    pub(crate) offset: u64,
    pub(crate) address: Address,
    pub(crate) len: u64,
    memory: Memory,
}

/// A place in one of the memories.
enum Memory {
    /// An offset in an arena.
    Heap(ArenaId, u32),
    /// An address on the stack.
    Stack(u32),
}

/// The whole state of a session's machine.
#[derive(Clone)]
pub struct World {
    pub(crate) arenas: Arenas,
    /// The last request a heap had, for `why`.
    pub(crate) asked: Option<Asked>,
    pub(crate) stack: Stack,
    pub(crate) stack_peak_bytes: u32,
    slot_deaths: OrdMap<SlotId, Cause>,
    pub(crate) names: OrdMap<Arc<str>, Named>,
    next_block: u64,
    next_slot: u64,
    next_mark: u64,
    next_owned: u64,
    /// The addresses the last step changed, half open.
    changed: Touched,
    /// The same for the line being run.
    touched: Touched,
    /// The line being run.
    pub(crate) now: Cause,
    /// The program of Rust lines.
    pub(crate) rust: interpreter::Program,
    /// The lines it was made of, by their number in the log.
    pub(crate) rust_lines: OrdMap<u32, Arc<str>>,
    /// The slots of its variables.
    pub(crate) rust_slots: OrdSet<SlotId>,
    /// The blocks it owns.
    pub(crate) owned: OrdSet<BlockId>,
    /// Calls of its functions that are running.
    pub(crate) rust_frames: u32,
    /// Set from outside: a line of Rust that runs is then given up.
    pub(crate) stop: Arc<AtomicBool>,
    /// What replaying up to here costs, in units of a plain command.
    pub(crate) work: u64,
}

/// Holes of one search that are kept word for word; a longer one is counted beyond.
const LOOKS_KEPT: usize = 64;

/// Hears what the allocator did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// What it did, in order; of the holes each search looked at only the first ones.
    pub(crate) steps: Vec<Step>,
    /// The others of each search that had more.
    pub(crate) unnamed: Vec<Unnamed>,
    /// Where they are, the first of them.
    unnamed_at: Vec<Offset>,
    /// How many holes the search under way has looked at.
    looked_now: usize,
    /// How many holes it looked at.
    pub(crate) looked: u64,
    /// How many it walked past to find a place among them.
    walked: u64,
}

/// Holes a search looked at that are not among the steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unnamed {
    /// The step they stood in front of.
    pub(crate) before: usize,
    pub(crate) holes: u64,
}

impl Trace {
    /// Whether it looked at the hole at `at`, as far as that is remembered.
    pub(crate) fn has_looked_at(&self, at: Offset) -> bool {
        let is_this = |step: &Step| matches!(step, Step::Looked { at: seen, .. } if *seen == at);
        self.unnamed_at.contains(&at) || self.steps.iter().any(is_this)
    }

    fn look(&mut self, step: Step, at: Offset) {
        self.looked += 1;
        self.looked_now += 1;
        if self.looked_now <= LOOKS_KEPT {
            self.steps.push(step);
            return;
        }
        if self.unnamed_at.len() < why::COMPARED {
            self.unnamed_at.push(at);
        }
        match self.unnamed.last_mut() {
            Some(unnamed) if self.looked_now > LOOKS_KEPT + 1 => unnamed.holes += 1,
            _ => self.unnamed.push(Unnamed { before: self.steps.len(), holes: 1 }),
        }
    }
}

impl Observer for Trace {
    fn step(&mut self, step: Step) {
        match step {
            Step::Looked { at, .. } => return self.look(step, at),
            Step::Walked { holes } => self.walked += u64::from(holes),
            // Another heap, another search.
            Step::Handed { .. } => self.looked_now = 0,
            _ => {}
        }
        self.steps.push(step);
    }
}

/// A request that the heap had, and its way to the answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) by: Cause,
    /// Whose heap it was.
    pub(crate) of: ArenaId,
    pub(crate) what: What,
    /// The block's name.
    pub(crate) name: Arc<str>,
    pub(crate) answer: Result<Option<Placement>, Full>,
    pub(crate) trace: Trace,
}

/// What a heap was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Allocate(Layout),
    Deallocate { at: Offset, layout: Layout },
    Reallocate { at: Offset, layout: Layout, new_bytes: u32 },
}

impl Default for World {
    fn default() -> Self {
        let info = heap::named(DEFAULT_HEAP).expect("the default heap is in the table");
        let in_use = Arena::new(ArenaId::IN_USE, Arc::new(Spec::plain(info)), DEFAULT_HEAP_BYTES)
            .expect("1 KiB are enough for the default heap");
        Self {
            arenas: Arenas::new(in_use),
            asked: None,
            stack: Stack::new(DEFAULT_STACK_BYTES),
            stack_peak_bytes: 0,
            slot_deaths: OrdMap::new(),
            names: OrdMap::new(),
            next_block: 0,
            next_slot: 1,
            next_mark: 1,
            next_owned: 1,
            changed: Touched::default(),
            touched: Touched::default(),
            now: Cause { line: 0, text: "".into() },
            rust: interpreter::Program::with_heaps(&NAMED_BY_RUST),
            rust_lines: OrdMap::new(),
            rust_slots: OrdSet::new(),
            owned: OrdSet::new(),
            rust_frames: 0,
            stop: Arc::default(),
            work: 0,
        }
    }
}

impl World {
    // What a shell may say of it.

    /// The name of the heap in use.
    pub fn heap_name(&self) -> &str {
        &self.arena().name
    }

    /// The heap in use.
    pub fn heap(&self) -> &dyn heap::Heap {
        &*self.arena().heap
    }

    /// What it was built from.
    pub fn spec(&self) -> &Spec {
        &self.arena().spec
    }

    /// The arena in use.
    pub(crate) fn arena(&self) -> &Arena {
        &self.arenas[ArenaId::IN_USE]
    }

    /// The bytes of its arena.
    pub fn heap_bytes(&self) -> u64 {
        u64::from(self.arena().size_bytes)
    }

    /// The bytes of the stack, used or not.
    pub fn stack_bytes(&self) -> u64 {
        u64::from(self.stack.size_bytes())
    }

    // Blocks.

    pub(crate) fn life(&self, id: BlockId) -> &Life {
        self.arenas[id.arena].ledger.life(id)
    }

    pub(crate) fn block_name(&self, id: BlockId) -> Arc<str> {
        Arc::clone(self.arenas[id.arena].ledger.name(id))
    }

    /// The live block that holds `address`, and how far inside.
    pub(crate) fn live_around(&self, address: Address) -> Option<(BlockId, u32)> {
        let (arena, at) = self.arenas.at(address)?;
        arena.ledger.live_around(at)
    }

    /// Where a block starts.
    fn start_of(&self, id: BlockId) -> Address {
        self.arenas[id.arena].address(self.life(id).at)
    }

    // Names.

    /// Takes `given`, or the next free name of the series.
    fn new_block_name(&mut self, given: Option<Arc<str>>) -> Arc<str> {
        given.unwrap_or_else(|| {
            loop {
                let name = letters(self.next_block);
                self.next_block += 1;
                if !self.is_known(&name) {
                    return name.into();
                }
            }
        })
    }

    fn numbered(names: &OrdMap<Arc<str>, Named>, next: &mut u64, letter: char) -> Arc<str> {
        loop {
            let name = format!("{letter}{next}");
            *next += 1;
            if !names.contains_key(name.as_str()) {
                return name.into();
            }
        }
    }

    /// Whether something has or had that name.
    fn is_known(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.rust.local(name).is_some()
    }

    /// Where a variable of Rust lies.
    fn variable(&self, name: &str) -> Option<Named> {
        let address = self.rust.address(name)? as u32;
        let item = self.stack.item_at(address)?;
        Some(Named::Slot { id: item.id, address, size_bytes: item.size_bytes, plus: 0 })
    }

    /// Refuses a name that something has or had.
    pub(crate) fn check_free_name(&self, name: Option<(&Arc<str>, Span)>) -> Result<(), Problem> {
        match name {
            Some((name, span)) if self.is_known(name) => {
                let argument = Argument::NameTaken { name: Arc::clone(name) };
                Err(Problem::new(Trouble::BadArgument(argument), span))
            }
            _ => Ok(()),
        }
    }

    // Finding what a place means.

    /// What `place` leads to. Only a name nobody gave is refused here.
    pub(crate) fn locate(&self, place: &Place, span: Span) -> Result<Spot, Problem> {
        match place {
            Place::Address(address) => Ok(self.locate_address(*address)),
            Place::Name { name, plus } => {
                let Some(base) =
                    self.variable(name).or_else(|| self.names.get(name.as_str()).cloned())
                else {
                    return Err(self.unknown_handle(name, span));
                };
                let shown = if *plus > 0 { format!("{name}+{plus}") } else { name.clone() };
                let spot = match base {
                    Named::Block { id, plus: base } => {
                        let plus = base.saturating_add(*plus);
                        let address = self.start_of(id).plus(plus);
                        Spot { name: shown, address, owner: Owner::Block { id, plus } }
                    }
                    Named::Slot { id, address, size_bytes, plus: base } => {
                        let plus = base.saturating_add(*plus);
                        let owner = Owner::Slot { id, address, size_bytes, plus };
                        Spot { name: shown, address: Address::from(address).plus(plus), owner }
                    }
                    Named::Mark { .. } => {
                        return Err(Problem::new(
                            Trouble::MarkIsNoBlock { name: name.clone() },
                            span,
                        ));
                    }
                };
                Ok(spot)
            }
        }
    }

    fn locate_address(&self, address: Address) -> Spot {
        let spot = |owner| Spot { name: address.to_string(), address, owner };
        if let Some((arena, at)) = self.arenas.at(address)
            && let Some((id, plus)) = arena.ledger.around(at)
        {
            return spot(Owner::Block { id, plus: u64::from(plus) });
        }
        if let Some(at) = self.stack_address(address)
            && let Some(item) = self.stack.item_at(at)
            && let ItemKind::Slot { .. } = item.kind
            && at < item.end()
        {
            let plus = u64::from(at - item.address);
            let Item { id, address, size_bytes, .. } = *item;
            return spot(Owner::Slot { id, address, size_bytes, plus });
        }
        spot(Owner::Nobody)
    }

    fn unknown_handle(&self, name: &str, span: Span) -> Problem {
        // A session may have a million names; those that sort next to this one are near enough.
        let below = self.names.range::<_, str>((Bound::Unbounded, Bound::Excluded(name))).rev();
        let above = self.names.range::<_, str>((Bound::Excluded(name), Bound::Unbounded));
        let distance = |known: &Arc<str>| strsim::damerau_levenshtein(known, name);
        let nearest = below
            .take(NAMES_COMPARED)
            .chain(above.take(NAMES_COMPARED))
            .filter(|(known, named)| known.len() > 1 && name.len() > 1 && self.is_live(named))
            .map(|(known, _)| known)
            .min_by_key(|known| distance(known))
            .filter(|known| distance(known) <= 2)
            .cloned();
        Problem::new(Trouble::UnknownHandle { name: name.to_owned(), nearest }, span)
    }

    pub(crate) fn is_live(&self, named: &Named) -> bool {
        match named {
            Named::Block { id, .. } => self.arenas[id.arena].ledger.death(*id).is_none(),
            Named::Slot { id, .. } => self.stack.item(*id).is_some(),
            Named::Mark { at, generation } => self.arena().mark_is_live(*at, *generation),
        }
    }

    /// The address, if it lies between the stack's end and its start.
    pub(crate) fn stack_address(&self, address: Address) -> Option<u32> {
        let at = u32::try_from(address.0).ok()?;
        (at >= self.stack.end() && at < stack::START).then_some(at)
    }

    /// Where `address` lies, in words.
    pub(crate) fn whereabouts(&self, address: Address) -> Whereabouts {
        if let Some((arena, at)) = self.arenas.at(address) {
            return arena.whereabouts(at);
        }
        if let Some(at) = self.stack_address(address) {
            return match self.stack.item_at(at).map(|item| &item.kind) {
                Some(ItemKind::Slot { name, .. }) => Whereabouts::Slot { name: Arc::clone(name) },
                Some(_) => Whereabouts::Frame,
                None => Whereabouts::StackUnused,
            };
        }
        let end = u64::from(self.stack.end());
        if (end - 4096..end).contains(&address.0) {
            Whereabouts::Guard
        } else {
            Whereabouts::Nowhere
        }
    }

    /// The block a spot leads to, if it is live; what is wrong with it otherwise.
    fn live_block(&self, spot: &Spot, use_of: Use, span: Span) -> Result<(BlockId, u64), Problem> {
        let foreign = || {
            let trouble = Trouble::ForeignPointer {
                address: spot.address,
                lies: self.whereabouts(spot.address),
                free: use_of == Use::Free,
            };
            Problem::new(trouble, span)
        };
        let Owner::Block { id, plus } = spot.owner else { return Err(foreign()) };
        let Arena { ledger, heap, generation, .. } = &self.arenas[id.arena];
        let life = ledger.life(id);
        let Some(cause) = ledger.death(id) else { return Ok((id, plus)) };
        let (name, address, cause) = (spot.name.clone(), spot.address, cause.clone());
        let trouble = match ledger.successor(life) {
            _ if life.generation != *generation => {
                Trouble::Stale { name, cause, now: Successor::Arena, address }
            }
            Some(owner) => {
                let now = Successor::Block(Arc::clone(ledger.name(owner)));
                Trouble::Stale { name, cause, now, address }
            }
            None => {
                let lies = self.whereabouts(address);
                match use_of {
                    Use::Free => Trouble::DoubleFree {
                        name,
                        cause,
                        lies,
                        address,
                        size: u64::from(life.size_bytes),
                        links: heap.top().is_none(),
                    },
                    Use::Read => Trouble::UseAfterFree { name, cause, lies, address, write: false },
                    Use::Write => Trouble::UseAfterFree { name, cause, lies, address, write: true },
                }
            }
        };
        Err(Problem::new(trouble, span))
    }

    /// The live block that `spot` points to the start of.
    pub(crate) fn block_at(&self, spot: &Spot, span: Span) -> Result<BlockId, Problem> {
        let (id, plus) = self.live_block(spot, Use::Free, span)?;
        if plus == 0 {
            self.check_not_owned(id, span)?;
            return Ok(id);
        }
        let life = self.life(id);
        if plus > u64::from(life.size_bytes) {
            // Past the block it is just an address, and may even be another block's.
            let spot = self.locate_address(spot.address);
            return if let Owner::Block { plus: 0, .. } = spot.owner {
                self.block_at(&spot, span)
            } else {
                let lies = self.whereabouts(spot.address);
                Err(Problem::new(
                    Trouble::ForeignPointer { address: spot.address, lies, free: true },
                    span,
                ))
            };
        }
        let (block, start) = (self.block_name(id), self.start_of(id));
        Err(Problem::new(
            Trouble::InteriorPointer { block, at: spot.address, inside: plus, start },
            span,
        ))
    }

    /// Refuses to change a block behind the back of the value of Rust that owns it.
    fn check_not_owned(&self, id: BlockId, span: Span) -> Result<(), Problem> {
        if !self.owned.contains(&id) {
            return Ok(());
        }
        let name = self.block_name(id).to_string();
        Err(Problem::new(Trouble::Owned { name }, span))
    }

    /// The live block or slot that `spot` leads into.
    pub(crate) fn target(&self, spot: &Spot, write: bool, span: Span) -> Result<Target, Problem> {
        let is_address = spot.name.starts_with("0x");
        if let Owner::Slot { id, address, size_bytes, plus } = spot.owner {
            let Some(item) = self.stack.item(id) else {
                let cause = self.slot_deaths.get(&id).cloned();
                let cause = cause.expect("a slot that is gone went at some line");
                let trouble = Trouble::UseAfterReturn { name: spot.name.clone(), cause, write };
                return Err(Problem::new(trouble, span));
            };
            if write && self.rust_slots.contains(&id) && !holds_numbers(&item.kind) {
                return Err(Problem::new(Trouble::Owned { name: spot.name.clone() }, span));
            }
            let (name, origin) = match &item.kind {
                ItemKind::Slot { name, .. } if is_address => (Arc::clone(name), 0),
                _ => (spot.name.as_str().into(), plus),
            };
            let (memory, size_bytes) = (Memory::Stack(address), u64::from(size_bytes));
            return Ok(Target { name, memory, size_bytes, plus, origin, write });
        }
        let use_of = if write { Use::Write } else { Use::Read };
        let (id, plus) = self.live_block(spot, use_of, span)?;
        if write {
            self.check_not_owned(id, span)?;
        }
        let life = self.life(id);
        let (name, origin) =
            if is_address { (self.block_name(id), 0) } else { (spot.name.as_str().into(), plus) };
        let (memory, size_bytes) = (Memory::Heap(id.arena, life.at.0), u64::from(life.size_bytes));
        Ok(Target { name, memory, size_bytes, plus, origin, write })
    }

    /// The bytes of `target` from `offset` on; `len` of them, or all up to its end. At least one.
    pub(crate) fn range(
        &self,
        target: &Target,
        offset: u64,
        len: Option<u64>,
        span: Span,
    ) -> Result<Access, Problem> {
        let Target { name, memory, size_bytes, plus, origin, write } = target;
        let first = plus.saturating_add(offset);
        let len = len.unwrap_or(size_bytes.saturating_sub(first));
        let base = match *memory {
            Memory::Heap(arena, at) => self.arenas[arena].address(Offset(at)),
            Memory::Stack(address) => Address::from(address),
        };
        if first >= *size_bytes || len > size_bytes - first {
            let at = first.max(*size_bytes);
            let address = base.plus(at);
            let trouble = Trouble::OutOfBounds {
                name: name.to_string(),
                len: size_bytes.saturating_sub(*origin),
                at: at - origin,
                address,
                lies: self.whereabouts(address),
                write: *write,
            };
            return Err(Problem::new(trouble, span));
        }
        let memory = match memory {
            Memory::Heap(arena, at) => Memory::Heap(*arena, at + first as u32),
            Memory::Stack(address) => Memory::Stack(address + first as u32),
        };
        let (name, offset) = (Arc::clone(name), first - origin);
        Ok(Access { name, offset, address: base.plus(first), len, memory })
    }

    /// Stores `bytes`, as many as the access has.
    pub(crate) fn store(&mut self, access: &Access, bytes: &[u8]) {
        self.put(access.address, bytes);
        self.work += bytes.len() as u64 / 4096;
    }

    /// Stores bytes at an address of the heap or the stack.
    pub(crate) fn put(&mut self, address: Address, bytes: &[u8]) {
        match self.arenas.at_mut(address) {
            Some((arena, at)) => {
                arena.heap.write(Offset(at), bytes);
                arena.ledger.note_written(at..at + bytes.len() as u32);
            }
            None => self.stack.write(address.0 as u32, bytes),
        }
        self.touch(address, bytes.len() as u64);
    }

    /// The bytes of an access, if every one of them is set.
    pub(crate) fn load(&self, access: &Access, span: Span) -> Result<Vec<u8>, Problem> {
        let len = access.len as u32;
        let unset = match access.memory {
            Memory::Heap(arena, at) => {
                let unset = self.arenas[arena].ledger.first_unset(at..at + len);
                unset.map(|unset| unset - at)
            }
            Memory::Stack(address) => {
                self.stack.first_unset(address..address + len).map(|unset| unset - address)
            }
        };
        if let Some(unset) = unset {
            let cause = match access.memory {
                Memory::Heap(arena, at) => {
                    let ledger = &self.arenas[arena].ledger;
                    ledger.live_around(at).map(|(id, _)| ledger.birth(id).clone())
                }
                Memory::Stack(_) => None,
            };
            let trouble = Trouble::Uninitialised {
                name: access.name.to_string(),
                at: access.offset + u64::from(unset),
                address: access.address.plus(u64::from(unset)),
                cause,
            };
            return Err(Problem::new(trouble, span));
        }
        Ok(match access.memory {
            Memory::Heap(arena, at) => {
                let mut bytes = vec![0; len as usize];
                self.arenas[arena].heap.read(Offset(at), &mut bytes);
                bytes
            }
            Memory::Stack(address) => self.stack.read(address..address + len),
        })
    }

    /// The slot's value, if the access covers all of it.
    pub(crate) fn slot_value(&self, spot: &Spot, access: &Access) -> Option<String> {
        let Owner::Slot { id, .. } = spot.owner else { return None };
        let item = self.stack.item(id)?;
        let whole = access.offset == 0 && access.len == u64::from(item.size_bytes);
        self.stack.value(item).filter(|_| whole).map(|value| value.to_string())
    }

    /// The bytes from a spot to its owner's end, dead or alive.
    pub(crate) fn natural_len(&self, spot: &Spot) -> Option<u64> {
        let (size_bytes, plus) = match spot.owner {
            Owner::Block { id, plus } => (self.life(id).size_bytes, plus),
            Owner::Slot { size_bytes, plus, .. } => (size_bytes, plus),
            Owner::Nobody => return None,
        };
        u64::from(size_bytes).checked_sub(plus).filter(|&len| len > 0)
    }

    /// Gives `name` to what `spot` leads to, if it is live.
    pub(crate) fn alias(
        &mut self,
        name: Arc<str>,
        spot: &Spot,
        span: Span,
    ) -> Result<Address, Problem> {
        let named = match spot.owner {
            Owner::Slot { id, address, size_bytes, plus } if self.stack.item(id).is_some() => {
                Named::Slot { id, address, size_bytes, plus }
            }
            Owner::Slot { .. } => {
                return Err(self.target(spot, false, span).err().expect("a dead slot is refused"));
            }
            Owner::Block { .. } | Owner::Nobody => {
                let (id, plus) = self.live_block(spot, Use::Read, span)?;
                Named::Block { id, plus }
            }
        };
        self.names.insert(name, named);
        Ok(spot.address)
    }

    // The heap.

    /// The arena of a design that a program names. It is made when it is first named, and stays.
    pub(crate) fn arena_named(
        &mut self,
        info: &'static Info,
        span: Span,
    ) -> Result<ArenaId, Problem> {
        if let Some(arena) = self.arenas.of(info) {
            return Ok(arena.id);
        }
        if info.origin == Origin::Process {
            let trouble = Trouble::HeapOfTheProcess { heap: info.name };
            return Err(Problem::new(trouble, span));
        }
        let added = self.arenas.add(info);
        let arena = added
            .map_err(|unfit| Problem::new(unfit_trouble(&unfit, info.name.to_owned(), 0), span))?;
        let (id, start, bytes) = (arena.id, arena.id.base(), u64::from(arena.size_bytes));
        self.touch(start, bytes);
        self.work += 1;
        Ok(id)
    }

    /// Allocates a block in an arena.
    pub(crate) fn alloc(
        &mut self,
        of: ArenaId,
        layout: Layout,
        name: Option<Arc<str>>,
        zeroed: bool,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        let mut trace = Trace::default();
        let answer = self.arenas[of].asking(|heap| heap.allocate(layout, &mut trace));
        let what = What::Allocate(layout);
        let size_bytes = layout.size() as u32;
        let Ok(placed) = answer else {
            self.note_asked(of, what, "".into(), Err(Full), trace);
            let (size, align) = (u64::from(size_bytes), layout.align() as u64);
            return Err(self.arenas[of].no_room(size, align, span));
        };
        let name = self.new_block_name(name);
        let arena = &mut self.arenas[of];
        arena.ledger.grow(arena.heap.len());
        let (edges, address) = (arena.heap.block_edges(placed.at), arena.address(placed.at));
        let named = Arc::clone(&name);
        let id = arena.ledger.born(named, placed, edges, layout, arena.generation, &self.now);
        if zeroed {
            let range = placed.at.0..placed.at.0 + size_bytes;
            arena.heap.fill(Offset(range.start)..Offset(range.end), 0);
            arena.ledger.note_written(range);
        }
        arena.tally.allocs += 1;
        arena.note_peak();
        self.names.insert(Arc::clone(&name), Named::Block { id, plus: 0 });
        let mut events = vec![Event::Alloc {
            handle: Arc::clone(&name),
            address,
            size_bytes: u64::from(size_bytes),
            granted_bytes: u64::from(placed.granted_bytes),
            align_bytes: layout.align() as u64,
            zeroed,
        }];
        self.touch_block(of, placed, edges);
        self.tell(of, &trace, Some((placed, edges, size_bytes)), &mut events);
        self.note_asked(of, what, name, Ok(Some(placed)), trace);
        Ok(events)
    }

    fn note_asked(
        &mut self,
        of: ArenaId,
        what: What,
        name: Arc<str>,
        answer: Result<Option<Placement>, Full>,
        trace: Trace,
    ) {
        self.asked = Some(Asked { by: self.now.clone(), of, what, name, answer, trace });
    }

    /// The name of the next block that a value of Rust owns.
    pub(crate) fn next_owned_name(&mut self) -> Arc<str> {
        Self::numbered(&self.names, &mut self.next_owned, 'h')
    }

    /// The name the next block gets that is given none.
    pub(crate) fn next_block_name(&mut self) -> Arc<str> {
        self.new_block_name(None)
    }

    /// The layout a caller without a ledger would pass on.
    pub(crate) fn raw_layout(&self, spot: &Spot, size: Option<u64>, align: Option<u64>) -> Layout {
        let life = match spot.owner {
            Owner::Block { id, .. } => Some(self.life(id)),
            _ => None,
        };
        let size = size.unwrap_or(life.map_or(8, |life| u64::from(life.size_bytes)));
        let align = align.unwrap_or(life.map_or(8, |life| u64::from(life.align_bytes)));
        let align = if align.is_power_of_two() { align.min(u64::from(MAX_ALIGN)) } else { 8 };
        Layout::from_size_align(size.clamp(1, u64::from(MAX_ARENA)) as usize, align as usize)
            .expect("size and align are in range")
    }

    /// Frees a live block.
    pub(crate) fn free(&mut self, id: BlockId) -> Vec<Event> {
        let of = id.arena;
        let arena = &mut self.arenas[of];
        let (life, name) = (*arena.ledger.life(id), Arc::clone(arena.ledger.name(id)));
        let mut trace = Trace::default();
        arena.heap.deallocate(life.at, life.layout(), &mut trace);
        arena.ledger.die(id, &self.now);
        if arena.spec.is_foreign() {
            // What the crate wrote there is not ours to show.
            arena.ledger.forget(life.extent());
        }
        arena.tally.frees += 1;
        let mut events = vec![Event::Free {
            handle: Arc::clone(&name),
            address: arena.address(life.at),
            size_bytes: u64::from(life.size_bytes),
        }];
        self.touch_extent(of, &life);
        self.tell(of, &trace, None, &mut events);
        let what = What::Deallocate { at: life.at, layout: life.layout() };
        self.note_asked(of, what, name, Ok(None), trace);
        events
    }

    /// Resizes a live block, in place or by moving it.
    pub(crate) fn realloc(
        &mut self,
        id: BlockId,
        size_bytes: u64,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        let of = id.arena;
        let arena = &mut self.arenas[of];
        let (life, name) = (*arena.ledger.life(id), Arc::clone(arena.ledger.name(id)));
        let align = u64::from(life.align_bytes);
        if size_bytes == 0 {
            return Err(Problem::new(Trouble::ZeroSize { block: Some(name) }, span));
        }
        arena.layout(size_bytes, span, align, span)?;
        if size_bytes > u64::from(life.size_bytes) {
            arena.check_newest(id, span)?;
        }
        let new_bytes = size_bytes as u32;
        let mut trace = Trace::default();
        let what = What::Reallocate { at: life.at, layout: life.layout(), new_bytes };
        let answer =
            arena.asking(|heap| heap.reallocate(life.at, life.layout(), new_bytes, &mut trace));
        let Ok(placed) = answer else {
            self.note_asked(of, what, name, Err(Full), trace);
            return Err(self.arenas[of].no_room(size_bytes, align, span));
        };
        arena.ledger.grow(arena.heap.len());
        let edges = arena.heap.block_edges(placed.at);
        let moved = placed.at != life.at;
        if moved {
            let new = arena.ledger.moved(id, placed, edges, new_bytes, &self.now);
            self.names.insert(Arc::clone(&name), Named::Block { id: new, plus: 0 });
            arena.tally.moved += 1;
            self.work += u64::from(new_bytes) / 4096;
        } else {
            arena.ledger.resized(id, new_bytes, placed.granted_bytes, edges);
        }
        arena.tally.reallocs += 1;
        arena.note_peak();
        let mut events = vec![Event::Realloc {
            handle: Arc::clone(&name),
            from: arena.address(life.at),
            address: arena.address(placed.at),
            old_bytes: u64::from(life.size_bytes),
            size_bytes,
            granted_bytes: u64::from(placed.granted_bytes),
            moved,
        }];
        self.touch_block(of, placed, edges);
        if moved {
            self.touch_extent(of, &life);
        }
        self.tell(of, &trace, Some((placed, edges, new_bytes)), &mut events);
        self.note_asked(of, what, name, Ok(Some(placed)), trace);
        Ok(events)
    }

    /// Puts a fresh arena in place of the one in use.
    pub(crate) fn replace_heap(
        &mut self,
        spec: Arc<Spec>,
        size_bytes: u32,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        let called = spec.called();
        let new = self
            .arena()
            .replaced(spec, size_bytes, &self.now)
            .map_err(|unfit| Problem::new(unfit_trouble(&unfit, called, size_bytes), span))?;
        // What is owned dies with the arena. Values of the new design's would be taken for this one's.
        let dies = |id: &BlockId| {
            id.arena == ArenaId::IN_USE || self.arenas[id.arena].is_of(new.spec.info)
        };
        let names =
            |heap: Heap| [self.arena(), &new].iter().any(|arena| arena.spec.info.name == heap.0);
        if self.owned.iter().any(dies) || self.rust.heaps().into_iter().any(names) {
            return Err(Problem::new(Trouble::RustLives { what: "heap" }, span));
        }
        let lost_blocks = self.arena().ledger.live_count();
        let (heap, limits) = (Arc::clone(&new.name), new.heap.budget(u64::MAX).is_some());
        self.arenas[ArenaId::IN_USE] = new;
        self.asked = None;
        // Making and dropping an arena costs by its size, however empty.
        self.work += lost_blocks / 64 + (u64::from(size_bytes) >> 22);
        let (address, size_bytes) = (ArenaId::IN_USE.base(), u64::from(size_bytes));
        self.touch(address, size_bytes);
        Ok(vec![Event::Use { heap, address, size_bytes, lost_blocks, limits }])
    }

    /// Grows the arena in use to `size_bytes`.
    pub(crate) fn grow_heap(&mut self, size_bytes: u32) -> Vec<Event> {
        let arena = &mut self.arenas[ArenaId::IN_USE];
        let old_bytes = std::mem::replace(&mut arena.size_bytes, size_bytes);
        let mut trace = Trace::default();
        arena.heap.grow(size_bytes, &mut trace);
        arena.ledger.grow(arena.heap.len());
        self.asked = None;
        self.work += arena.ledger.live_count() / 64;
        let added_bytes = u64::from(size_bytes - old_bytes);
        let heap = arena.called();
        let mut events = vec![Event::Grow { heap, added_bytes, size_bytes: u64::from(size_bytes) }];
        self.tell(ArenaId::IN_USE, &trace, None, &mut events);
        events
    }

    /// Remembers the top.
    pub(crate) fn mark(&mut self, span: Span) -> Result<Vec<Event>, Problem> {
        let at = self.arena().top("mark", span)?;
        let (generation, address) = (self.arena().generation, self.arena().address(at));
        let name = Self::numbered(&self.names, &mut self.next_mark, 'm');
        self.names.insert(Arc::clone(&name), Named::Mark { at, generation });
        Ok(vec![Event::Mark { name, address }])
    }

    /// Goes back to a mark, or to the arena's start.
    pub(crate) fn reset(
        &mut self,
        mark: Option<(&String, Span)>,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        self.arena().top("reset", span)?;
        let at = match mark {
            None => self.arena().heap.origin(),
            Some((name, span)) => match self.names.get(name.as_str()) {
                Some(named @ &Named::Mark { at, .. }) if self.is_live(named) => at,
                Some(&Named::Mark { generation, .. }) => {
                    let arena_gone = generation != self.arena().generation;
                    return Err(Problem::new(
                        Trouble::StaleMark { name: name.clone(), arena_gone },
                        span,
                    ));
                }
                _ => {
                    let live = self.names.iter().filter(|(_, named)| {
                        matches!(named, Named::Mark { .. }) && self.is_live(named)
                    });
                    let live = live.map(|(name, _)| Arc::clone(name)).next_back();
                    return Err(Problem::new(
                        Trouble::UnknownMark { name: name.clone(), live },
                        span,
                    ));
                }
            },
        };
        let range = self.arena().heap.reset_range(at);
        let gone = self.arena().ledger.live_in(range.start.0..range.end.0);
        if gone.iter().any(|id| self.owned.contains(id)) {
            return Err(Problem::new(Trouble::RustLives { what: "heap" }, span));
        }
        let blocks = gone.len() as u64;
        self.work += blocks / 8;
        let arena = &mut self.arenas[ArenaId::IN_USE];
        for id in gone {
            arena.ledger.die(id, &self.now);
        }
        arena.heap.reset(at);
        self.asked = None;
        let size_bytes = u64::from(range.end.since(range.start));
        let (address, start) = (arena.address(at), arena.address(range.start));
        let free_bytes = arena.heap.holes().map(|hole| u64::from(hole.size_bytes)).sum();
        self.touch(start, size_bytes);
        Ok(vec![Event::Reset { address, blocks, size_bytes, free_bytes }])
    }

    /// Turns what the allocator did into events. `placed` is the block that came of it, if one did, what is around it,
    /// and the size that was asked for.
    fn tell(
        &mut self,
        of: ArenaId,
        trace: &Trace,
        placed: Option<(Placement, Edges, u32)>,
        events: &mut Vec<Event>,
    ) {
        self.work += 1 + (trace.looked + trace.walked) / 32;
        let arena = &mut self.arenas[of];
        let heap = arena.called();
        let mut joined = Vec::new();
        let (mut halved, mut merged, mut listed) = (None, None, None);
        // The last cut around the block is the one that made it; one before it may have made a slab.
        let makes = placed.and_then(|(placed, ..)| {
            trace.steps.iter().rposition(|step| match *step {
                Step::Cut { at, padding_bytes, header_bytes, payload_bytes, .. } => {
                    let piece = at.plus(padding_bytes);
                    piece <= placed.at && placed.at < piece.plus(header_bytes + payload_bytes)
                }
                _ => false,
            })
        });
        for (index, &step) in trace.steps.iter().enumerate() {
            match step {
                Step::Halved { at, half_bytes } => {
                    arena.note_hole(at.plus(half_bytes), half_bytes);
                    let (from, times) = halved.unwrap_or((2 * half_bytes, 0));
                    halved = Some((from, times + 1));
                    let event = Event::Halve {
                        heap: Arc::clone(&heap),
                        from_bytes: u64::from(from),
                        to_bytes: u64::from(half_bytes),
                        times: times + 1,
                    };
                    match events.last_mut() {
                        Some(last @ Event::Halve { .. }) => *last = event,
                        _ => events.push(event),
                    }
                }
                Step::Cut { at, padding_bytes, header_bytes, payload_bytes, remaining_bytes } => {
                    let piece = at.plus(padding_bytes);
                    let behind = piece.plus(header_bytes + payload_bytes);
                    if padding_bytes > 0 && arena.heap.top().is_none() {
                        arena.note_hole(at, padding_bytes);
                    }
                    if remaining_bytes > 0 {
                        arena.note_hole(behind, remaining_bytes);
                    }
                    let taken = header_bytes + payload_bytes;
                    // The piece that holds the block: what is around it and behind it is known better than to the cut.
                    let own = placed.filter(|(placed, edges, _)| {
                        let start = placed.at.minus(edges.front_bytes);
                        let end = start.plus(edges.sum() + placed.granted_bytes);
                        makes == Some(index) && start >= piece && end <= behind
                    });
                    let (header, slack) = own.map_or((header_bytes, 0), |(placed, edges, size)| {
                        (edges.sum(), placed.granted_bytes - size)
                    });
                    events.push(Event::Split {
                        heap: Arc::clone(&heap),
                        address: arena.address(piece),
                        padding_bytes: u64::from(padding_bytes),
                        header_bytes: u64::from(header),
                        payload_bytes: u64::from(taken - header),
                        slack_bytes: u64::from(slack),
                        remaining_bytes: u64::from(remaining_bytes),
                    });
                }
                Step::Joined { at, freed_bytes, size_bytes, in_front, behind } => {
                    arena.note_hole(at, size_bytes);
                    joined.push((arena.address(at), u64::from(size_bytes)));
                    let hole = Piece::hole(at, size_bytes);
                    // A buddy joins again and again; what came free is what the first join said.
                    let (freed, front, back) = merged.unwrap_or((freed_bytes, false, false));
                    let continues = matches!(events.last(), Some(Event::Merge { .. }));
                    let (freed, front, back) = if continues {
                        (freed, front || in_front, back || behind)
                    } else {
                        (freed_bytes, in_front, behind)
                    };
                    merged = Some((freed, front, back));
                    if continues {
                        events.pop();
                    }
                    events.push(Event::Merge {
                        address: arena.address(at),
                        freed_bytes: u64::from(freed),
                        size_bytes: u64::from(size_bytes),
                        fits_bytes: u64::from(arena.heap.fits(hole)),
                        in_front: front,
                        behind: back,
                        links: arena.heap.hole_edges(hole).front_bytes > 0,
                    });
                }
                Step::Stranded { at, size_bytes } => {
                    let (heap, size_bytes) = (Arc::clone(&heap), u64::from(size_bytes));
                    events.push(Event::Strand { heap, address: arena.address(at), size_bytes });
                }
                Step::Released { at } => {
                    let handle = arena.ledger.dead_at(at.0).cloned();
                    merged = None;
                    events.push(Event::Release { handle, address: arena.address(at) });
                }
                Step::Held { at, size_bytes } => {
                    // Poison is what stands there now.
                    arena.ledger.note_links(at.0..at.0 + size_bytes);
                    let (heap, size_bytes) = (Arc::clone(&heap), u64::from(size_bytes));
                    events.push(Event::Hold { heap, address: arena.address(at), size_bytes });
                }
                Step::Listed { at, class } if placed.is_none() => {
                    listed = Some((at, class.max_bytes));
                }
                Step::Rounded { .. }
                | Step::Class { .. }
                | Step::Skipped { .. }
                | Step::Looked { .. }
                | Step::Walked { .. }
                | Step::Listed { .. }
                | Step::Handed { .. } => {}
            }
        }
        // A slot that goes to its list joins nothing.
        if let (Some((at, slot_bytes)), [_]) = (listed, &events[..]) {
            arena.note_hole(at, slot_bytes);
            let slot_bytes = u64::from(slot_bytes);
            events.push(Event::List { heap, address: arena.address(at), slot_bytes });
        }
        for (address, bytes) in joined {
            self.touch(address, bytes);
        }
    }

    // The stack.

    /// Pushes a slot.
    pub(crate) fn push(
        &mut self,
        slot: &Slot,
        mutable: bool,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        self.check_free_name(slot.name.as_ref().map(|name| (name, span)))?;
        let size_bytes = slot.size.bytes;
        let align = slot.size.ty.as_ref().map_or(1, Type::align_bytes);
        check_possible(size_bytes, u64::from(align), span)?;
        let mut next = self.next_slot;
        let name = match &slot.name {
            Some(name) => Arc::clone(name),
            None => Self::numbered(&self.names, &mut next, 's'),
        };
        let kind = ItemKind::Slot { name: Arc::clone(&name), ty: slot.size.ty.clone(), mutable };
        let pushed = self
            .stack
            .push(size_bytes, align, kind, slot.value.as_ref())
            .map_err(|overflow| self.stack_overflow(overflow, span))?;
        self.next_slot = next;
        let Item { id, address, padding_bytes, .. } = pushed.item;
        let size = pushed.item.size_bytes;
        self.names
            .insert(Arc::clone(&name), Named::Slot { id, address, size_bytes: size, plus: 0 });
        self.note_stack(address.into(), u64::from(size + padding_bytes));
        Ok(vec![Event::Push {
            name,
            address: address.into(),
            size_bytes,
            align_bytes: u64::from(align),
            padding_bytes: u64::from(padding_bytes),
            value: slot.value.as_ref().map(Value::to_string),
            ty: slot.size.ty.as_ref().map(Type::to_string),
            literal: slot.value.as_ref().map(Value::literal),
            sp_before: pushed.sp_before.into(),
        }])
    }

    /// Reserves a variable of Rust, or a temporary.
    pub(crate) fn push_rust(
        &mut self,
        size_bytes: u64,
        align_bytes: u32,
        kind: ItemKind,
    ) -> Result<stack::Pushed, stack::Overflow> {
        let pushed = self.stack.push(size_bytes, align_bytes, kind, None)?;
        let Item { id, address, size_bytes, padding_bytes, .. } = pushed.item;
        self.rust_slots.insert(id);
        self.note_stack(address.into(), u64::from(size_bytes + padding_bytes));
        Ok(pushed)
    }

    /// Takes the newest `count` variables away, and what was pushed on top of them.
    pub(crate) fn pop_rust(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let popped = self.stack.pop().expect("a variable's slot is on the stack");
            self.bury(&popped.item);
            self.note_popped(&popped.item);
            left -= usize::from(self.rust_slots.remove(&popped.item.id).is_some());
        }
    }

    /// Opens a frame for a function of Rust.
    pub(crate) fn enter_rust(
        &mut self,
        function: Arc<str>,
        line: u32,
    ) -> Result<(), stack::Overflow> {
        let return_to = CODE_BASE + 16 * u64::from(line);
        let called = self.stack.call(function, return_to, 0, false)?;
        let sp = self.stack.sp();
        self.note_stack(sp.into(), u64::from(called.sp_before - sp));
        self.rust_frames += 1;
        Ok(())
    }

    /// Leaves it.
    pub(crate) fn leave_rust(&mut self) {
        let returned = self.stack.ret().expect("the function was entered");
        for item in &returned.items {
            self.rust_slots.remove(&item.id);
        }
        self.note_stack(returned.sp_before.into(), u64::from(returned.sp - returned.sp_before));
        self.rust_frames -= 1;
    }

    /// Pops the newest slot.
    pub(crate) fn pop(&mut self, span: Span) -> Result<Vec<Event>, Problem> {
        let popped = self.stack.pop().map_err(|underflow| stack_underflow(underflow, span))?;
        self.bury(&popped.item);
        self.note_popped(&popped.item);
        Ok(vec![popped_event(&popped.item)])
    }

    fn note_popped(&mut self, item: &Item) {
        let Item { address, size_bytes, padding_bytes, .. } = *item;
        self.note_stack(address.into(), u64::from(size_bytes + padding_bytes));
    }

    /// Whether variables of Rust live.
    pub(crate) fn has_variables(&self) -> bool {
        !self.rust_slots.is_empty()
    }

    /// The newest slot, if a variable of Rust lies in it.
    pub(crate) fn newest_variable(&self) -> Option<&Item> {
        self.stack.items().next_back().filter(|item| self.rust_slots.contains(&item.id))
    }

    /// Whether the newest frame that `call` opened holds variables of Rust.
    pub(crate) fn frame_has_variables(&self) -> bool {
        let first = self.stack.frames().next_back().map_or(usize::MAX, |(_, first)| first);
        self.stack.items().skip(first).any(|item| self.rust_slots.contains(&item.id))
    }

    /// Opens a frame.
    pub(crate) fn call(
        &mut self,
        function: Arc<str>,
        locals_bytes: u64,
        frame_pointer: bool,
        span: Span,
    ) -> Result<Vec<Event>, Problem> {
        check_possible(locals_bytes, 8, span)?;
        let return_to = CODE_BASE + 16 * u64::from(self.now.line);
        let called = self
            .stack
            .call(Arc::clone(&function), return_to, locals_bytes, frame_pointer)
            .map_err(|overflow| self.stack_overflow(overflow, span))?;
        let sp = self.stack.sp();
        self.note_stack(sp.into(), u64::from(called.sp_before - sp));
        Ok(vec![Event::Call {
            name: function,
            return_address: Address(return_to),
            address: called.items[0].address.into(),
            padding_bytes: called.items.iter().map(|item| u64::from(item.padding_bytes)).sum(),
            frame_pointer: frame_pointer.then(|| called.items[1].address.into()),
            locals_bytes,
            sp_before: called.sp_before.into(),
            sp: sp.into(),
        }])
    }

    /// Leaves a frame.
    pub(crate) fn ret(&mut self, span: Span) -> Result<Vec<Event>, Problem> {
        let returned = self.stack.ret().map_err(|underflow| stack_underflow(underflow, span))?;
        let slots =
            returned.items.iter().filter(|item| matches!(item.kind, ItemKind::Slot { .. })).count();
        returned.items.iter().for_each(|item| self.bury(item));
        self.work += returned.items.len() as u64 / 8;
        let size_bytes = u64::from(returned.sp - returned.sp_before);
        self.note_stack(returned.sp_before.into(), size_bytes);
        Ok(vec![Event::Ret {
            name: returned.function,
            return_address: Address(returned.return_to),
            line: line_of(returned.return_to),
            slots: slots as u64,
            size_bytes,
            sp: returned.sp.into(),
        }])
    }

    /// Puts a fresh stack in place of the old one.
    pub(crate) fn replace_stack(&mut self, size_bytes: u32) -> Vec<Event> {
        let items: Vec<_> = self.stack.items().cloned().collect();
        for item in &items {
            self.bury(item);
        }
        self.stack = self.stack.replaced(size_bytes);
        self.stack_peak_bytes = 0;
        let (start, end) = (Address::from(stack::START), Address::from(self.stack.end()));
        self.touch(end, u64::from(size_bytes));
        vec![Event::StackNew { size_bytes: u64::from(size_bytes), start, end }]
    }

    fn bury(&mut self, item: &Item) {
        if let ItemKind::Slot { .. } = item.kind {
            self.slot_deaths.insert(item.id, self.now.clone());
        }
    }

    pub(crate) fn stack_overflow(&self, overflow: stack::Overflow, span: Span) -> Problem {
        let trouble = Trouble::StackOverflow {
            wanted: overflow.wanted_bytes,
            left: u64::from(overflow.left_bytes),
            size: u64::from(self.stack.size_bytes()),
        };
        Problem::new(trouble, span)
    }

    fn note_stack(&mut self, address: Address, bytes: u64) {
        self.touch(address, bytes);
        self.work += bytes / 4096;
        self.stack_peak_bytes = self.stack_peak_bytes.max(self.stack.used_bytes());
    }

    // What the last step changed.

    pub(crate) fn touch(&mut self, address: Address, bytes: u64) {
        self.touched.add(address.0, address.0 + bytes);
    }

    fn touch_block(&mut self, of: ArenaId, placed: Placement, edges: Edges) {
        let start = self.arenas[of].address(placed.at.minus(edges.front_bytes));
        self.touch(start, u64::from(edges.sum() + placed.granted_bytes));
    }

    fn touch_extent(&mut self, of: ArenaId, life: &Life) {
        let extent = life.extent();
        let start = self.arenas[of].address(Offset(extent.start));
        self.touch(start, extent.len() as u64);
    }

    /// The line is done: if it was a step, what it touched is what changed last.
    pub(crate) fn conclude(&mut self, is_step: bool) {
        let touched = std::mem::take(&mut self.touched);
        if is_step {
            // A loop of Rust is one line, and may be a million steps.
            self.work += 1 + touched.times() / TOUCHES_OF_A_COMMAND;
            self.changed = touched;
        }
    }

    /// Whether the last step changed a byte of the range.
    pub(crate) fn has_changed(&self, address: Address, bytes: u64) -> bool {
        self.changed.meets(address.0, address.0 + bytes)
    }
}

/// What is told of a slot that is gone.
pub(crate) fn popped_event(item: &Item) -> Event {
    let ItemKind::Slot { name, .. } = &item.kind else {
        unreachable!("pop takes slots only, not {item:?}")
    };
    Event::Pop {
        name: Arc::clone(name),
        address: item.address.into(),
        size_bytes: u64::from(item.size_bytes),
        padding_bytes: u64::from(item.padding_bytes),
        sp: (item.end() + item.padding_bytes).into(),
    }
}

/// Why a heap cannot be set up in so many bytes.
fn unfit_trouble(unfit: &Unfit, heap: String, size_bytes: u32) -> Trouble {
    match *unfit {
        Unfit::TooSmall { least_bytes } => {
            let (size, least) = (u64::from(size_bytes), u64::from(least_bytes));
            Trouble::HeapTooSmall { heap, size, least }
        }
        Unfit::Missing { instead } => Trouble::HeapMissing { heap, instead },
        Unfit::Grows => Trouble::HeapGrows { heap },
    }
}

/// Refuses a size that no machine of 64 bits could serve once it is rounded up.
pub(crate) fn check_possible(size: u64, align: u64, span: Span) -> Result<(), Problem> {
    if size > i64::MAX.cast_unsigned() - (align - 1) {
        let trouble = Trouble::SizeOverflow { bytes: Some(size), align: align as u32 };
        return Err(Problem::new(trouble, span));
    }
    Ok(())
}

/// Whether any bytes are a value of the slot's type.
fn holds_numbers(kind: &ItemKind) -> bool {
    let ItemKind::Slot { ty: Some(ty), .. } = kind else { return true };
    let mut ty = ty;
    while let Type::Array(element, _) = ty {
        ty = element;
    }
    matches!(ty, Type::Scalar(scalar) if scalar.is_integer() || scalar.is_float())
}

/// What somebody wants of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Free,
    Read,
    Write,
}

fn stack_underflow(underflow: stack::Underflow, span: Span) -> Problem {
    let trouble = match underflow {
        stack::Underflow::Empty => Trouble::StackEmpty,
        stack::Underflow::FrameEmpty(function) => Trouble::FrameEmpty { function },
        stack::Underflow::NoCall => Trouble::NoCall,
    };
    Problem::new(trouble, span)
}

/// The line of the log whose code lies at `address`.
pub(crate) fn line_of(address: u64) -> u32 {
    ((address - CODE_BASE) / 16) as u32
}

/// 0 is `a`, 25 is `z`, 26 is `aa`.
fn letters(mut number: u64) -> String {
    let mut name = Vec::new();
    loop {
        name.push(b'a' + (number % 26) as u8);
        number /= 26;
        if number == 0 {
            break;
        }
        number -= 1;
    }
    name.iter().rev().map(|&letter| char::from(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_on_after_z() {
        for (number, name) in
            [(0, "a"), (25, "z"), (26, "aa"), (27, "ab"), (701, "zz"), (702, "aaa")]
        {
            assert_eq!(letters(number), name);
        }
    }
}
