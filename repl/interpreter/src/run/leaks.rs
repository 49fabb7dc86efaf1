//! What a program owns on the heap, and what it has lost.

use super::State;
use super::memory::Bytes;
use super::pointers::{Found, Role};
use crate::items::Items;
use crate::layout::LayoutId;
use crate::machine::Machine;
use crate::types::Type;

/// A block the program allocated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    content: LayoutId,
    kind: BlockKind,
}

/// What a block was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// One value: of a `Box`.
    Value,
    /// Elements: of a `Vec`, a `String`, a `Box<[T]>`.
    Elements,
    /// A value with its counts: of an `Rc`.
    Counted,
}

impl Block {
    pub(super) fn value(content: LayoutId) -> Self {
        Self { content, kind: BlockKind::Value }
    }

    pub(super) fn elements(content: LayoutId) -> Self {
        Self { content, kind: BlockKind::Elements }
    }

    pub(super) fn counted(content: LayoutId) -> Self {
        Self { content, kind: BlockKind::Counted }
    }
}

/// A block that nothing owns any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Its first byte.
    pub address: u64,
    /// What it was asked for.
    pub kind: BlockKind,
    /// The type of the value or the elements in it.
    pub content: Type,
}

impl State {
    /// The blocks of the program that no live variable owns, in the order of their addresses: `Rc`s in a circle,
    /// `mem::forget`, `Box::leak`.
    pub fn leaks(&self, items: &Items, machine: &dyn Machine) -> Vec<Leak> {
        let mut lost = self.blocks.clone();
        let mut owns = |id| self.layouts[id].needs_drop;
        let mut keep = |pointer: &Found<'_>| {
            if pointer.role == Role::Owner {
                lost.remove(&pointer.to);
            }
            true
        };
        self.walk(Bytes { items, machine }, None, &mut owns, &mut keep);
        lost.iter()
            .map(|(address, block)| Leak {
                address: *address,
                kind: block.kind,
                content: self.layouts[block.content].ty.clone(),
            })
            .collect()
    }
}
