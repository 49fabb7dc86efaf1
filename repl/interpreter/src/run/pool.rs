//! The pools of `heapless::box_pool!`: free blocks in a list, the newest first.
//!
//! A link is an address and a tag in one word of 128 bits, which a pool shared by several threads exchanges at once. The
//! tag counts how often the block was taken, so that a link seen earlier is not taken for the same again.

use super::library::Called;
use super::vm::{Run, Vm, panic};
use crate::layout::{LINK_BYTES, LayoutId};
use crate::library::Builtin;
use crate::types::{StructId, Type};

/// The link to a block.
fn link(address: u64, tag: u64) -> u128 {
    u128::from(address) | u128::from(tag) << 64
}

impl Vm<'_> {
    pub(super) fn pool(&mut self, call: &Called<'_>) -> u128 {
        if call.run == Builtin::BoxBlockNew {
            self.set_bits(call.to, LINK_BYTES, 0);
            return 0;
        }
        if let Builtin::PoolBoxDeref | Builtin::PoolBoxDerefMut = call.run {
            return self.word(call.word(0)).into();
        }
        let pool = self.pool_of(self.referent(call.arg_types[0]));
        if call.run == Builtin::PoolManage {
            self.give_back(pool, link(call.word(1), 1));
            return 0;
        }
        match self.take_block(pool) {
            None => self.write_variant(call.result, 1, call.args[1], call.to),
            Some(taken) => {
                self.store(call.types[1], call.args[1], taken as u64);
                let choice = self.choice_of(call.result);
                let place = call.to + choice.variants[0].map_or(0, |part| part.offset);
                self.set_bits(place, LINK_BYTES, taken);
                self.set_variant(call.to, &choice, 0);
            }
        }
        0
    }

    fn pool_of(&self, id: LayoutId) -> StructId {
        match &self.layouts[id].ty {
            Type::Struct(id, _) => *id,
            other => panic!("{other} is no pool"),
        }
    }

    /// The newest free block, with its tag one higher.
    pub(super) fn take_block(&mut self, pool: StructId) -> Option<u128> {
        let top = *self.state.pools.get(&pool).filter(|top| **top != 0)?;
        let next = self.bits(top as u64, LINK_BYTES);
        self.state.pools.insert(pool, next);
        Some(link(top as u64, ((top >> 64) as u64).checked_add(1).unwrap_or(1)))
    }

    /// A block is free again, the newest.
    pub(super) fn give_back(&mut self, pool: StructId, block: u128) {
        let top = self.state.pools.insert(pool, block).unwrap_or(0);
        self.set_bits(block as u64, LINK_BYTES, top);
    }

    /// Clones that need blocks get them or panic, all or none: `wanted` has the pool of each.
    pub(super) fn check_blocks(&mut self, mut wanted: Vec<StructId>) -> Run {
        wanted.sort_unstable();
        for pool in wanted.chunk_by(|a, b| a == b) {
            let mut next = self.state.pools.get(&pool[0]).copied().unwrap_or(0);
            for _ in pool {
                if next == 0 {
                    return panic("OOM");
                }
                next = self.bits(next as u64, LINK_BYTES);
            }
        }
        Ok(())
    }
}
