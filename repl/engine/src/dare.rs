//! What a forbidden line would really do: done without the ledger, on a copy of the machine that is then thrown away.
//!
//! The allocator's words may be damaged by it, so it runs in [`heap::sandbox`]: links are checked against the arena, and
//! a list that loops is given up.

use std::alloc::Layout;
use std::sync::Arc;

use heap::Offset;
use heap::sandbox::{self, Trap};

use crate::units::{Address, HEAP_BASE};
use crate::view::{Dare, Deed, Probe, ProbeOutcome, TrapRow};
use crate::world::World;

/// Accesses to the arena after which a search is taken for an endless one.
const ACCESSES: u32 = 100_000;

impl World {
    /// Does `deed` and then what an innocent program might do next.
    pub(crate) fn dared(
        mut self,
        input: &str,
        code: &'static str,
        deed: impl FnOnce(&mut Self) -> Deed,
    ) -> Dare {
        let deed = deed(&mut self);
        let rules = self.heap.rules();
        let broken = match sandbox::run(ACCESSES, || self.heap.check()) {
            Ok(Ok(_)) => None,
            Ok(Err(broken)) => rules.get(broken.invariant.wrapping_sub(1)).copied(),
            // It could not even be checked: what holds the arena together is gone.
            Err(_) => rules.first().copied(),
        };
        let mut probes = Vec::new();
        match &deed {
            Deed::Freed { size_bytes, .. } | Deed::Moved { size_bytes, .. } => {
                self.probe_allocs(*size_bytes, 2, &mut probes);
            }
            Deed::Wrote { address, .. } if self.heap_offset(*address).is_some() => {
                // A guard looks at the canaries of the block that was written past.
                let in_front = self.block_in_front(*address);
                if let Some(own) = in_front.filter(|at| self.heap.block_edges(*at).canary_bytes > 0)
                {
                    self.probe_free(own, &mut probes);
                } else if let Some(next) = self.block_behind(*address) {
                    self.probe_free(next, &mut probes);
                }
                self.probe_allocs(64, 2, &mut probes);
            }
            _ => {}
        }
        let heap = self.heap_called();
        Dare { input: input.to_owned(), code, heap, deed, broken, probes }
    }

    /// Frees whatever lies at `address`, as the heap would without a ledger.
    pub(crate) fn raw_free(&mut self, address: Address, layout: Layout) -> Deed {
        let Some(at) = self.heap_offset(address) else { return outside(address) };
        match sandbox::run(ACCESSES, || self.heap.deallocate(Offset(at), layout, &mut ())) {
            Ok(()) => {
                // Freed with the wrong layout, or out of order, it is gone all the same.
                if let Some((id, 0)) = self.ledger.live_around(at) {
                    self.ledger.die(id, &self.now.clone());
                }
                Deed::Freed { address, size_bytes: layout.size() as u64 }
            }
            Err(trap) => Deed::Trapped { trap: trap_row(trap) },
        }
    }

    /// Resizes whatever lies at `address`.
    pub(crate) fn raw_realloc(&mut self, address: Address, layout: Layout, new_bytes: u32) -> Deed {
        let Some(at) = self.heap_offset(address) else { return outside(address) };
        let work = || self.heap.reallocate(Offset(at), layout, new_bytes, &mut ());
        match sandbox::run(ACCESSES, work) {
            Ok(Ok(placed)) => Deed::Moved {
                from: address,
                address: placed.at.into(),
                size_bytes: u64::from(new_bytes),
            },
            Ok(Err(heap::Full)) => Deed::Freed { address, size_bytes: 0 },
            Err(trap) => Deed::Trapped { trap: trap_row(trap) },
        }
    }

    /// Stores bytes wherever `address` is.
    pub(crate) fn raw_write(&mut self, address: Address, bytes: &[u8]) -> Deed {
        let over = self.whereabouts(address).to_string();
        let end = address.plus(bytes.len() as u64 - 1);
        if let (Some(at), Some(_)) = (self.heap_offset(address), self.heap_offset(end)) {
            self.heap.write(Offset(at), bytes);
        } else if let (Some(at), Some(_)) = (self.stack_address(address), self.stack_address(end)) {
            self.stack.write(at, bytes);
        } else {
            return Deed::Faulted { address };
        }
        Deed::Wrote { address, bytes: bytes.to_vec(), over }
    }

    /// The bytes at `address`, whosever they are.
    pub(crate) fn raw_read(&self, address: Address, len: u64) -> Deed {
        const MOST: u64 = 64;
        let over = self.whereabouts(address).to_string();
        let end = address.plus(len.clamp(1, MOST) - 1);
        let mut bytes = vec![0; len.clamp(1, MOST) as usize];
        if let (Some(at), Some(_)) = (self.heap_offset(address), self.heap_offset(end)) {
            self.heap.read(Offset(at), &mut bytes);
        } else if let (Some(at), Some(end)) = (self.stack_address(address), self.stack_address(end))
        {
            bytes = self.stack.read(at..end + 1);
        } else {
            return Deed::Faulted { address };
        }
        Deed::Read { address, bytes, over }
    }

    /// The payload of the last live block that starts at or in front of `address`.
    fn block_in_front(&self, address: Address) -> Option<Offset> {
        let at = self.heap_offset(address)?;
        self.ledger.live().map(|(start, _)| start).take_while(|start| start.0 <= at).last()
    }

    /// The payload of the first live block behind `address`.
    fn block_behind(&self, address: Address) -> Option<Offset> {
        let at = self.heap_offset(address)?;
        self.ledger.live().map(|(start, _)| start).find(|start| start.0 > at)
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

    /// Allocates `count` blocks of a size, unless an earlier line did not come back.
    fn probe_allocs(&mut self, size_bytes: u64, count: usize, probes: &mut Vec<Probe>) {
        let size_bytes = size_bytes.clamp(1, 1 << 20);
        let layout = Layout::from_size_align(size_bytes as usize, 8)
            .expect("at most a mebibyte, aligned to 8");
        for _ in 0..count {
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
