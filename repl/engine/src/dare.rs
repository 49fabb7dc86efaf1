//! What a forbidden line would really do: done without the ledger, on a copy of the machine that is then thrown away.
//!
//! The allocator's words may be damaged by it, so it runs in [`heap::sandbox`]: links are checked against the arena, and
//! a list that loops is given up. Somebody else's crate, in whatever wrapper, cannot be run so: its shell starts a process
//! that does the line for real ([`Session::dare_for_real`](crate::Session::dare_for_real)).

use std::alloc::Layout;
use std::sync::Arc;

use heap::sandbox::{self, Trap};
use heap::{Offset, Placement};

use crate::commands::{self, Run};
use crate::ledger::BlockId;
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::scan::Span;
use crate::units::{Address, HEAP_BASE};
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
    /// The offset it goes to, if it reaches the heap: inside an arena; where there is none, through a block there is or was.
    pub(crate) fn reach(&self, world: &World) -> Option<Offset> {
        let (address, last, past) = match self {
            Self::Free { address, .. } | Self::Realloc { address, .. } => (*address, *address, 0),
            Self::Write { address, bytes } => {
                (*address, address.plus(bytes.len() as u64 - 1), BEYOND)
            }
            Self::Read { address, len } => (*address, address.plus(shown(*len) - 1), BEYOND),
        };
        let reached = |address: Address, past: u32| {
            if !world.spec.is_measured() {
                return world.heap_offset(address).map(Offset);
            }
            let at = Offset(u32::try_from(address.0.checked_sub(HEAP_BASE.0)?).ok()?);
            world.is_through_a_block(at, past).then_some(at)
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

impl World {
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

    /// Does a forbidden line to the heap in use, for real, and then what an innocent program might do next. Says a line
    /// for each thing that came back; [`World::crashed`] reads them.
    pub(crate) fn dare_for_real(&mut self, line: &str, mut say: impl FnMut(&str)) {
        let Ok(Forbidden { unchecked, .. }) = forbidden(self, line, Span::all(line)) else {
            return;
        };
        let Some(at) = unchecked.reach(self) else { return };
        match &unchecked {
            Unchecked::Free { layout, .. } => {
                self.heap.deallocate(at, *layout, &mut ());
                say("freed");
            }
            Unchecked::Realloc { layout, new_bytes, .. } => {
                say(&said_of(self.heap.reallocate(at, *layout, *new_bytes, &mut ())));
            }
            Unchecked::Write { address, bytes } => {
                self.heap.write(at, bytes);
                say("wrote");
                if let Some(id) = self.guarded_by(*address) {
                    let life = *self.ledger.life(id);
                    self.heap.deallocate(life.at, life.layout(), &mut ());
                    say(&format!("free {}", self.ledger.name(id)));
                }
            }
            Unchecked::Read { len, .. } => {
                let mut bytes = vec![0; shown(*len) as usize];
                self.heap.read(at, &mut bytes);
                let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
                return say(&format!("read {}", bytes.join(" ")));
            }
        }
        let layout = Layout::from_size_align(unchecked.probe_bytes() as usize, 8)
            .expect("at most a mebibyte, aligned to 8");
        for _ in 0..PROBES {
            say(&said_of(self.heap.allocate(layout, &mut ())));
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
                    let owner =
                        self.heap_offset(address).and_then(|at| self.ledger.live_around(at));
                    let shared_with = owner.map(|(id, _)| Arc::clone(self.ledger.name(id)));
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
            heap: self.heap_called(),
            deed: said.first().map(deed_of),
            probes: said.iter().skip(1).map(probe).collect(),
            last_words,
            ending,
        })))
    }

    /// The block in front of `address`, if a guard has put canaries around it: it looks at them when that is freed.
    fn guarded_by(&self, address: Address) -> Option<BlockId> {
        let start = self.ledger.start_up_to(self.heap_offset(address)?)?;
        let (id, _) = self.ledger.live_around(start.0)?;
        (self.ledger.life(id).edges().canary_bytes > 0).then_some(id)
    }

    /// Does what is forbidden, and then what an innocent program might do next.
    pub(crate) fn dared(mut self, input: &str, forbidden: &Forbidden) -> Dare {
        let Forbidden { code, unchecked } = forbidden;
        let deed = match unchecked {
            Unchecked::Free { address, layout } => self.raw_free(*address, *layout),
            Unchecked::Realloc { address, layout, new_bytes } => {
                self.raw_realloc(*address, *layout, *new_bytes)
            }
            Unchecked::Write { address, bytes } => self.raw_write(*address, bytes),
            Unchecked::Read { address, len } => self.raw_read(*address, *len),
        };
        let rules = self.heap.rules();
        let broken = match sandbox::run(ACCESSES, || self.heap.check()) {
            Ok(Ok(_)) => None,
            Ok(Err(broken)) => rules.get(broken.invariant.wrapping_sub(1)).copied(),
            // It could not even be checked: what holds the arena together is gone.
            Err(_) => rules.first().copied(),
        };
        let mut probes = Vec::new();
        if let Deed::Wrote { address, .. } = &deed {
            let guarded = self.guarded_by(*address).map(|id| self.ledger.life(id).at);
            let behind = || self.ledger.start_behind(self.heap_offset(*address)?);
            if let Some(block) = guarded.or_else(behind) {
                self.probe_free(block, &mut probes);
            }
        }
        let heap_changed = match &deed {
            Deed::Freed { .. } | Deed::Moved { .. } => true,
            Deed::Wrote { address, .. } => self.arena_offset(*address).is_some(),
            _ => false,
        };
        if heap_changed {
            self.probe_allocs(unchecked.probe_bytes(), &mut probes);
        }
        let heap = self.heap_called();
        Dare { input: input.to_owned(), code, heap, deed, broken, probes }
    }

    /// Frees whatever lies at `address`, as the heap would without a ledger.
    fn raw_free(&mut self, address: Address, layout: Layout) -> Deed {
        let Some(at) = self.arena_offset(address) else { return outside(address) };
        match sandbox::run(ACCESSES, || self.heap.deallocate(Offset(at), layout, &mut ())) {
            Ok(()) => {
                // Freed with the wrong layout, or out of order, it is gone all the same.
                if let Some((id, 0)) = self.ledger.live_around(at) {
                    self.ledger.die(id, &self.now.clone());
                }
                Deed::Freed { address }
            }
            Err(trap) => Deed::Trapped { trap: trap_row(trap) },
        }
    }

    /// Resizes whatever lies at `address`.
    fn raw_realloc(&mut self, address: Address, layout: Layout, new_bytes: u32) -> Deed {
        let Some(at) = self.arena_offset(address) else { return outside(address) };
        let work = || self.heap.reallocate(Offset(at), layout, new_bytes, &mut ());
        match sandbox::run(ACCESSES, work) {
            Ok(Ok(placed)) => Deed::Moved {
                from: address,
                address: placed.at.into(),
                size_bytes: u64::from(new_bytes),
            },
            Ok(Err(heap::Full)) => Deed::Refused {},
            Err(trap) => Deed::Trapped { trap: trap_row(trap) },
        }
    }

    /// Stores bytes wherever `address` is.
    fn raw_write(&mut self, address: Address, bytes: &[u8]) -> Deed {
        let over = self.whereabouts(address).to_string();
        let end = address.plus(bytes.len() as u64 - 1);
        if let (Some(at), Some(_)) = (self.arena_offset(address), self.arena_offset(end)) {
            self.heap.write(Offset(at), bytes);
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
        if let (Some(at), Some(_)) = (self.arena_offset(address), self.arena_offset(end)) {
            self.heap.read(Offset(at), &mut bytes);
        } else if let (Some(at), Some(end)) = (self.stack_address(address), self.stack_address(end))
        {
            bytes = self.stack.read(at..end + 1);
        } else {
            return Deed::Faulted { address };
        }
        Deed::Read { address, bytes, over }
    }

    /// The offset of an address on a heap of ours. What does not reach somebody else's does nothing to it.
    fn arena_offset(&self, address: Address) -> Option<u32> {
        if self.spec.is_foreign() { None } else { self.heap_offset(address) }
    }

    fn probe_free(&mut self, at: Offset, probes: &mut Vec<Probe>) {
        let Some((id, _)) = self.ledger.live_around(at.0) else { return };
        let (life, name) = (*self.ledger.life(id), Arc::clone(self.ledger.name(id)));
        let work = || self.heap.deallocate(life.at, life.layout(), &mut ());
        let outcome = match sandbox::run(ACCESSES, work) {
            Ok(()) => ProbeOutcome::Freed {},
            Err(trap) => ProbeOutcome::Trapped { trap: trap_row(trap) },
        };
        self.ledger.die(id, &self.now.clone());
        probes.push(Probe { input: format!("free {name}"), outcome });
    }

    /// Allocates two blocks of a size, unless an earlier line did not come back.
    fn probe_allocs(&mut self, size_bytes: u64, probes: &mut Vec<Probe>) {
        let layout = Layout::from_size_align(size_bytes as usize, 8)
            .expect("at most a mebibyte, aligned to 8");
        for _ in 0..PROBES {
            if let Some(Probe { outcome: ProbeOutcome::Trapped { .. }, .. }) = probes.last() {
                return;
            }
            let outcome = match sandbox::run(ACCESSES, || self.heap.allocate(layout, &mut ())) {
                Ok(Ok(placed)) => {
                    let range = placed.at.0..placed.at.0.saturating_add(layout.size() as u32);
                    let owner = self.ledger.live().find(|(at, live)| {
                        at.0 < range.end && range.start < at.0 + live.size_bytes
                    });
                    let shared_with = owner.map(|(_, live)| Arc::clone(self.ledger.name(live.id)));
                    let name: Arc<str> = self.next_block_name();
                    let inside = placed.at.0.checked_add(placed.granted_bytes);
                    if shared_with.is_none() && inside.is_some_and(|end| end <= self.heap.len()) {
                        let (edges, now) = (heap::Edges::NONE, self.now.clone());
                        self.ledger.born(name, placed, edges, layout, self.arena, &now);
                    }
                    ProbeOutcome::At { address: placed.at.into(), shared_with }
                }
                Ok(Err(heap::Full)) => ProbeOutcome::Full {},
                Err(trap) => ProbeOutcome::Trapped { trap: trap_row(trap) },
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
fn said_of(answer: Result<Placement, heap::Full>) -> String {
    match answer {
        Ok(placed) => format!("at {}", Address::from(placed.at).0),
        Err(heap::Full) => "full".to_owned(),
    }
}

fn placed_at(said: &str) -> Option<Address> {
    said.strip_prefix("at ")?.parse().ok().map(Address)
}

fn outside(address: Address) -> Deed {
    Deed::Trapped { trap: TrapRow::Outside { address } }
}

fn trap_row(trap: Trap) -> TrapRow {
    match trap {
        Trap::Outside { at } => {
            // An offset that wrapped around is an address below the heap.
            let address = (HEAP_BASE.0 as u32).wrapping_add(at.0);
            TrapRow::Outside { address: Address(u64::from(address)) }
        }
        Trap::Endless => TrapRow::Endless {},
        Trap::Noticed => TrapRow::Noticed {},
    }
}
