//! What a forbidden line would really do: done without the ledger, on a copy of the machine that is then thrown away.
//!
//! The allocator's words may be damaged by it, so it runs in [`heap::sandbox`]: links are checked against the arena, and
//! a list that loops is given up. Somebody else's crate, in whatever wrapper, cannot be run so: its shell starts a process
//! that does the line for real ([`Session::dare_for_real`](crate::Session::dare_for_real)).

use std::alloc::Layout;
use std::sync::Arc;

use heap::sandbox::{self, Trap};
use heap::{Offset, Placement};

use crate::arena::{Arena, ArenaId};
use crate::commands::{self, Run};
use crate::ledger::BlockId;
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::scan::Span;
use crate::units::Address;
use crate::view::{Crash, Dare, Deed, Ending, Probe, ProbeOutcome, TrapRow, View};
use crate::world::World;

/// Accesses to the arena after which a search is taken for an endless one.
const ACCESSES: u32 = 100_000;

/// A line that is refused, and what it would do if nobody looked.
pub(crate) struct Forbidden {
    /// The code it is refused with.
    pub(crate) code: &'static str,
    /// What it does without a ledger.
    pub(crate) unchecked: Unchecked,
}

/// What is forbidden about `line`, which stands at `span`.
///
/// # Errors
///
/// That nothing is, or what is wrong with it besides.
pub(crate) fn forbidden(world: &World, line: &str, span: Span) -> Result<Forbidden, Problem> {
    let (command, args) = commands::inner("dare", line, span)?;
    let not_for = || Problem::new(Trouble::NothingToDare { line: line.to_owned() }, span);
    let command = command.ok_or_else(not_for)?;
    let (Some(unchecked), Run::World(checked)) = (command.unchecked, command.run) else {
        return Err(not_for());
    };
    let Err(problem) = checked(&mut world.clone(), &args) else { return Err(not_for()) };
    if !problem.trouble.is_misuse() {
        return Err(problem);
    }
    Ok(Forbidden { code: problem.code(), unchecked: unchecked(world, &args) })
}

/// Bytes past a block up to which a read or write is taken for one through its pointer.
const BEYOND: u32 = 4096;

/// Innocent blocks that are asked for after a forbidden line.
const PROBES: usize = 2;

/// What a command does when nobody looks.
#[derive(Clone, Debug)]
pub enum Unchecked {
    /// `free`.
    Free {
        /// What is freed.
        address: Address,
        /// The layout that goes with it.
        layout: Layout,
    },
    /// `realloc`.
    Realloc {
        /// What is resized.
        address: Address,
        /// The layout that goes with it.
        layout: Layout,
        /// The size asked for.
        new_bytes: u32,
    },
    /// `write`.
    Write {
        /// Where to.
        address: Address,
        /// What.
        bytes: Vec<u8>,
    },
    /// `read`.
    Read {
        /// Where from.
        address: Address,
        /// How much.
        len: u64,
    },
}

impl Unchecked {
    /// The address it goes to.
    fn address(&self) -> Address {
        match self {
            Self::Free { address, .. }
            | Self::Realloc { address, .. }
            | Self::Write { address, .. }
            | Self::Read { address, .. } => *address,
        }
    }

    /// The offset it goes to, if it reaches a heap: inside an arena; where there is none, through a block there is or was.
    pub(crate) fn reach(&self, world: &World) -> Option<(ArenaId, Offset)> {
        let (address, last, past) = match self {
            Self::Free { address, .. } | Self::Realloc { address, .. } => (*address, *address, 0),
            Self::Write { address, bytes } => {
                (*address, address.plus(bytes.len() as u64 - 1), BEYOND)
            }
            Self::Read { address, len } => (*address, address.plus(shown(*len) - 1), BEYOND),
        };
        let reached = |address: Address, past: u32| {
            let in_use = world.arena();
            match world.arenas.at(address) {
                Some((arena, at)) if !arena.spec.is_measured() => Some((arena.id, Offset(at))),
                None if !in_use.spec.is_measured() => None,
                _ => {
                    let at = u32::try_from(address.0.checked_sub(in_use.id.base().0)?).ok()?;
                    let is_through = in_use.is_through_a_block(Offset(at), past);
                    is_through.then_some((in_use.id, Offset(at)))
                }
            }
        };
        reached(last, 2 * past)?;
        reached(address, past)
    }

    /// The size of the blocks that are asked for behind it.
    fn probe_bytes(&self) -> u64 {
        match self {
            Self::Free { layout, .. } => (layout.size() as u64).clamp(1, 1 << 20),
            Self::Realloc { new_bytes, .. } => u64::from(*new_bytes).clamp(1, 1 << 20),
            Self::Write { .. } | Self::Read { .. } => 64,
        }
    }
}

impl Arena {
    /// Whether a pointer to `at` may have been made from a block: one that has or had the byte, or else ends less than `past`
    /// bytes in front of it.
    fn is_through_a_block(&self, at: Offset, past: u32) -> bool {
        let is_past_one = || {
            let start = self.ledger.start_up_to(at.0)?;
            let (id, _) = self.ledger.live_around(start.0)?;
            Some(at.0 - self.ledger.life(id).extent().end < past)
        };
        self.ledger.extent_around(at.0).is_some()
            || self.ledger.around(at.0).is_some()
            || is_past_one().unwrap_or(false)
    }

    /// The block in front of `at`, if a guard has put canaries around it: it looks at them when that is freed.
    fn guarded_by(&self, at: Offset) -> Option<BlockId> {
        let start = self.ledger.start_up_to(at.0)?;
        let (id, _) = self.ledger.live_around(start.0)?;
        (self.ledger.life(id).edges().canary_bytes > 0).then_some(id)
    }
}

impl World {
    /// Does a forbidden line to its heap, for real, and then what an innocent program might do next. Says a line
    /// for each thing that came back; [`World::crashed`] reads them.
    pub(crate) fn dare_for_real(&mut self, line: &str, mut say: impl FnMut(&str)) {
        let Ok(Forbidden { unchecked, .. }) = forbidden(self, line, Span::all(line)) else {
            return;
        };
        let Some((of, at)) = unchecked.reach(self) else { return };
        let arena = &mut self.arenas[of];
        match &unchecked {
            Unchecked::Free { layout, .. } => {
                arena.heap.deallocate(at, *layout, &mut ());
                say("freed");
            }
            Unchecked::Realloc { layout, new_bytes, .. } => {
                say(&said_of(of, arena.heap.reallocate(at, *layout, *new_bytes, &mut ())));
            }
            Unchecked::Write { bytes, .. } => {
                arena.heap.write(at, bytes);
                say("wrote");
                if let Some(id) = arena.guarded_by(at) {
                    let life = *arena.ledger.life(id);
                    arena.heap.deallocate(life.at, life.layout(), &mut ());
                    say(&format!("free {}", arena.ledger.name(id)));
                }
            }
            Unchecked::Read { len, .. } => {
                let mut bytes = vec![0; shown(*len) as usize];
                arena.heap.read(at, &mut bytes);
                let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
                return say(&format!("read {}", bytes.join(" ")));
            }
        }
        let layout = Layout::from_size_align(unchecked.probe_bytes() as usize, 8)
            .expect("at most a mebibyte, aligned to 8");
        for _ in 0..PROBES {
            say(&said_of(of, arena.heap.allocate(layout, &mut ())));
        }
    }

    /// What a process said that did `line` for real, and how it ended.
    pub(crate) fn crashed(
        &self,
        line: &str,
        span: Span,
        said: &[String],
        last_words: Option<String>,
        ending: Ending,
    ) -> Result<Answer, Problem> {
        let Forbidden { code, unchecked } = forbidden(self, line, span)?;
        let size_bytes = unchecked.probe_bytes();
        let probe = |said: &String| {
            let alloc = || format!("alloc {size_bytes}");
            match placed_at(said) {
                Some(address) => {
                    let owner = self.live_around(address);
                    let shared_with = owner.map(|(id, _)| self.block_name(id));
                    Probe { input: alloc(), outcome: ProbeOutcome::At { address, shared_with } }
                }
                None if said.starts_with("free ") => {
                    Probe { input: said.clone(), outcome: ProbeOutcome::Freed {} }
                }
                None => Probe { input: alloc(), outcome: ProbeOutcome::Full {} },
            }
        };
        let deed_of = |said: &String| match unchecked {
            Unchecked::Free { address, .. } => Deed::Freed { address },
            Unchecked::Realloc { address: from, new_bytes, .. } => match placed_at(said) {
                Some(address) => Deed::Moved { from, address, size_bytes: u64::from(new_bytes) },
                None => Deed::Refused {},
            },
            Unchecked::Write { address, ref bytes } => {
                let over = self.whereabouts(address).to_string();
                Deed::Wrote { address, bytes: bytes.clone(), over }
            }
            Unchecked::Read { address, .. } => {
                let bytes = said.split(' ').filter_map(|byte| byte.parse().ok()).collect();
                Deed::Read { address, bytes, over: self.whereabouts(address).to_string() }
            }
        };
        Ok(Answer::look(View::Crash(Crash {
            input: line.to_owned(),
            code,
            heap: self.reached(&unchecked).called(),
            deed: said.first().map(deed_of),
            probes: said.iter().skip(1).map(probe).collect(),
            last_words,
            ending,
        })))
    }

    /// Does what is forbidden, and then what an innocent program might do next.
    pub(crate) fn dared(mut self, input: &str, forbidden: &Forbidden) -> Dare {
        let Forbidden { code, unchecked } = forbidden;
        let of = self.reached(unchecked).id;
        let deed = match unchecked {
            Unchecked::Free { address, layout } => self.raw_free(*address, *layout),
            Unchecked::Realloc { address, layout, new_bytes } => {
                self.raw_realloc(*address, *layout, *new_bytes)
            }
            Unchecked::Write { address, bytes } => self.raw_write(*address, bytes),
            Unchecked::Read { address, len } => self.raw_read(*address, *len),
        };
        let arena = &self.arenas[of];
        let rules = arena.heap.rules();
        let broken = match sandbox::run(ACCESSES, || arena.heap.check()) {
            Ok(Ok(_)) => None,
            Ok(Err(broken)) => rules.get(broken.invariant.wrapping_sub(1)).copied(),
            // It could not even be checked: what holds the arena together is gone.
            Err(_) => rules.first().copied(),
        };
        let mut probes = Vec::new();
        if let Deed::Wrote { address, .. } = &deed {
            let at = arena.offset(*address);
            let guarded = at.and_then(|at| arena.guarded_by(Offset(at)));
            let guarded = guarded.map(|id| arena.ledger.life(id).at);
            let behind = || arena.ledger.start_behind(at?);
            if let Some(block) = guarded.or_else(behind) {
                self.probe_free(of, block, &mut probes);
            }
        }
        let heap_changed = match &deed {
            Deed::Freed { .. } | Deed::Moved { .. } => true,
            Deed::Wrote { address, .. } => self.arena_at(*address).is_some(),
            _ => false,
        };
        if heap_changed {
            self.probe_allocs(of, unchecked.probe_bytes(), &mut probes);
        }
        let heap = self.arenas[of].called();
        Dare { input: input.to_owned(), code, heap, deed, broken, probes }
    }

    /// Frees whatever lies at `address`, as the heap would without a ledger.
    fn raw_free(&mut self, address: Address, layout: Layout) -> Deed {
        let Some((of, at)) = self.arena_at(address) else { return outside(address) };
        let arena = &mut self.arenas[of];
        match sandbox::run(ACCESSES, || arena.heap.deallocate(Offset(at), layout, &mut ())) {
            Ok(()) => {
                // Freed with the wrong layout, or out of order, it is gone all the same.
                if let Some((id, 0)) = arena.ledger.live_around(at) {
                    arena.ledger.die(id, &self.now);
                }
                Deed::Freed { address }
            }
            Err(trap) => Deed::Trapped { trap: trap_row(of, trap) },
        }
    }

    /// Resizes whatever lies at `address`.
    fn raw_realloc(&mut self, address: Address, layout: Layout, new_bytes: u32) -> Deed {
        let Some((of, at)) = self.arena_at(address) else { return outside(address) };
        let heap = &mut self.arenas[of].heap;
        let work = || heap.reallocate(Offset(at), layout, new_bytes, &mut ());
        match sandbox::run(ACCESSES, work) {
            Ok(Ok(placed)) => Deed::Moved {
                from: address,
                address: self.arenas[of].address(placed.at),
                size_bytes: u64::from(new_bytes),
            },
            Ok(Err(heap::Full)) => Deed::Refused {},
            Err(trap) => Deed::Trapped { trap: trap_row(of, trap) },
        }
    }

    /// Stores bytes wherever `address` is.
    fn raw_write(&mut self, address: Address, bytes: &[u8]) -> Deed {
        let over = self.whereabouts(address).to_string();
        let end = address.plus(bytes.len() as u64 - 1);
        if let (Some((of, at)), Some(_)) = (self.arena_at(address), self.arena_at(end)) {
            self.arenas[of].heap.write(Offset(at), bytes);
        } else if let (Some(at), Some(_)) = (self.stack_address(address), self.stack_address(end)) {
            self.stack.write(at, bytes);
        } else {
            return Deed::Faulted { address };
        }
        Deed::Wrote { address, bytes: bytes.to_vec(), over }
    }

    /// The bytes at `address`, whosever they are.
    fn raw_read(&self, address: Address, len: u64) -> Deed {
        let over = self.whereabouts(address).to_string();
        let len = shown(len);
        let end = address.plus(len - 1);
        let mut bytes = vec![0; len as usize];
        if let (Some((of, at)), Some(_)) = (self.arena_at(address), self.arena_at(end)) {
            self.arenas[of].heap.read(Offset(at), &mut bytes);
        } else if let (Some(at), Some(end)) = (self.stack_address(address), self.stack_address(end))
        {
            bytes = self.stack.read(at..end + 1);
        } else {
            return Deed::Faulted { address };
        }
        Deed::Read { address, bytes, over }
    }

    /// Where an address lies on a heap of ours. What does not reach somebody else's does nothing to it.
    fn arena_at(&self, address: Address) -> Option<(ArenaId, u32)> {
        let (arena, at) = self.arenas.at(address)?;
        (!arena.spec.is_foreign()).then_some((arena.id, at))
    }

    /// The arena that a forbidden line is about.
    fn reached(&self, unchecked: &Unchecked) -> &Arena {
        self.arenas.at(unchecked.address()).map_or(self.arena(), |(arena, _)| arena)
    }

    fn probe_free(&mut self, of: ArenaId, at: Offset, probes: &mut Vec<Probe>) {
        let arena = &mut self.arenas[of];
        let Some((id, _)) = arena.ledger.live_around(at.0) else { return };
        let (life, name) = (*arena.ledger.life(id), Arc::clone(arena.ledger.name(id)));
        let work = || arena.heap.deallocate(life.at, life.layout(), &mut ());
        let outcome = match sandbox::run(ACCESSES, work) {
            Ok(()) => ProbeOutcome::Freed {},
            Err(trap) => ProbeOutcome::Trapped { trap: trap_row(of, trap) },
        };
        arena.ledger.die(id, &self.now);
        probes.push(Probe { input: format!("free {name}"), outcome });
    }

    /// Allocates two blocks of a size, unless an earlier line did not come back.
    fn probe_allocs(&mut self, of: ArenaId, size_bytes: u64, probes: &mut Vec<Probe>) {
        let layout = Layout::from_size_align(size_bytes as usize, 8)
            .expect("at most a mebibyte, aligned to 8");
        for _ in 0..PROBES {
            if let Some(Probe { outcome: ProbeOutcome::Trapped { .. }, .. }) = probes.last() {
                return;
            }
            let arena = &mut self.arenas[of];
            let outcome = match sandbox::run(ACCESSES, || arena.heap.allocate(layout, &mut ())) {
                Ok(Ok(placed)) => {
                    let range = placed.at.0..placed.at.0.saturating_add(layout.size() as u32);
                    let owner = arena.ledger.live().find(|(at, live)| {
                        at.0 < range.end && range.start < at.0 + live.size_bytes
                    });
                    let shared_with = owner.map(|(_, live)| Arc::clone(arena.ledger.name(live.id)));
                    let inside = placed.at.0.checked_add(placed.granted_bytes);
                    let (inside, address) = (
                        inside.is_some_and(|end| end <= arena.heap.len()),
                        arena.address(placed.at),
                    );
                    let name = self.next_block_name();
                    if shared_with.is_none() && inside {
                        let (edges, arena) = (heap::Edges::NONE, &mut self.arenas[of]);
                        let generation = arena.generation;
                        arena.ledger.born(name, placed, edges, layout, generation, &self.now);
                    }
                    ProbeOutcome::At { address, shared_with }
                }
                Ok(Err(heap::Full)) => ProbeOutcome::Full {},
                Err(trap) => ProbeOutcome::Trapped { trap: trap_row(of, trap) },
            };
            probes.push(Probe { input: format!("alloc {size_bytes}"), outcome });
        }
    }
}

/// How many bytes of a read are shown.
fn shown(len: u64) -> u64 {
    const MOST: u64 = 64;
    len.clamp(1, MOST)
}

/// What a process says of an answer; [`placed_at`] reads it.
fn said_of(of: ArenaId, answer: Result<Placement, heap::Full>) -> String {
    match answer {
        Ok(placed) => format!("at {}", of.base().0 + u64::from(placed.at.0)),
        Err(heap::Full) => "full".to_owned(),
    }
}

fn placed_at(said: &str) -> Option<Address> {
    said.strip_prefix("at ")?.parse().ok().map(Address)
}

fn outside(address: Address) -> Deed {
    Deed::Trapped { trap: TrapRow::Outside { address } }
}

fn trap_row(of: ArenaId, trap: Trap) -> TrapRow {
    match trap {
        Trap::Outside { at } => {
            // An offset that wrapped around is an address below the heap.
            let address = (of.base().0 as u32).wrapping_add(at.0);
            TrapRow::Outside { address: Address(u64::from(address)) }
        }
        Trap::Endless => TrapRow::Endless {},
        Trap::Noticed => TrapRow::Noticed {},
    }
}
