//! What a program owns on the heap, and what it has lost.

use std::collections::BTreeSet;

use super::code::{Path, PathStep, rest_of};
use super::memory::Bytes;
use super::{Held, State};
use crate::items::Items;
use crate::layout::{LayoutId, Shape, WORD_BYTES, rc, vec};
use crate::machine::Machine;
use crate::types::{Heap, Type};

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

/// A value whose blocks are owned.
struct Owner {
    at: u64,
    id: LayoutId,
    moved: Vec<Path>,
}

impl State {
    /// The blocks of the program that no live variable owns, in the order of their addresses: `Rc`s in a circle,
    /// `mem::forget`, `Box::leak`.
    pub fn leaks(&self, items: &Items, machine: &dyn Machine) -> Vec<Leak> {
        let mut lost = self.blocks.clone();
        let view = Bytes { items, machine };
        // Free blocks are a pool's, however they came to be static.
        for top in self.pools.values() {
            let mut next = *top as u64;
            while lost.remove(&next).is_some() {
                next = view.word(next);
            }
        }
        let mut owners: Vec<_> = self
            .slots
            .iter()
            .filter_map(|slot| {
                let moved = match &slot.held {
                    Held::Unset | Held::Moved => return None,
                    Held::Live => Vec::new(),
                    Held::Partly(parts) => parts.to_vec(),
                };
                Some(Owner { at: slot.address, id: slot.layout, moved })
            })
            .collect();
        while let Some(owner) = owners.pop() {
            if self.layouts[owner.id].needs_drop {
                self.visit(view, &owner, &mut lost, &mut owners);
            }
        }
        lost.iter()
            .map(|(address, block)| Leak {
                address: *address,
                kind: block.kind,
                content: self.layouts[block.content].ty.clone(),
            })
            .collect()
    }

    /// The heaps that live variables hold by name.
    pub fn heaps(&self) -> BTreeSet<Heap> {
        let mut heaps = BTreeSet::new();
        for slot in &self.slots {
            if matches!(slot.held, Held::Live | Held::Partly(_)) {
                self.layouts[slot.layout].ty.any(&mut |ty| {
                    heaps.extend(match ty {
                        Type::Heap(heap) => Some(*heap),
                        _ => None,
                    });
                    false
                });
            }
        }
        heaps
    }

    /// Takes the blocks that a value owns itself out of the lost ones, and lists what is in it.
    fn visit(
        &self,
        view: Bytes<'_>,
        owner: &Owner,
        lost: &mut imbl::OrdMap<u64, Block>,
        owners: &mut Vec<Owner>,
    ) {
        let at = owner.at;
        let layout = &self.layouts[owner.id];
        let mut own = |at: u64, id| owners.push(Owner { at, id, moved: Vec::new() });
        match &layout.shape {
            Shape::Record { fields, .. } => {
                for (number, part) in fields.iter().enumerate() {
                    let moved = rest_of(&owner.moved, PathStep::Field(number as u32));
                    if !moved.iter().any(|path| path.is_empty()) {
                        owners.push(Owner { at: at + part.offset, id: part.id, moved });
                    }
                }
            }
            Shape::Array(element, len) => {
                let size = self.layouts[*element].size;
                (0..*len).for_each(|index| own(at + index * size, *element));
            }
            Shape::Choice(choice) => {
                if let Some(part) = choice.variants[view.variant(at, choice)] {
                    own(at + part.offset, part.id);
                }
            }
            Shape::Cell(inner) => own(at, *inner),
            Shape::RefCell(inner) => own(at + inner.offset, inner.id),
            Shape::Vec(element) => {
                let first = view.word(at + vec::POINTER);
                let len = view.word(at + layout.len_offset());
                lost.remove(&first);
                let size = self.layouts[*element].size;
                if self.layouts[*element].needs_drop {
                    (0..len).for_each(|index| own(first + index * size, *element));
                }
            }
            Shape::PoolBox { data, .. } => {
                let block = view.word(at);
                lost.remove(&block);
                own(block, *data);
            }
            Shape::Inline(room, len_bytes) => {
                let list = view.inline(*room, *len_bytes, at);
                let size = self.layouts[room.element].size;
                (0..list.len).for_each(|index| own(list.first + index * size, room.element));
            }
            Shape::Deque(room) => {
                let size = self.layouts[room.element].size;
                for (first, count) in view.ring(*room, size, at).stretches() {
                    (0..count).for_each(|index| own(first + index * size, room.element));
                }
            }
            Shape::Box(to) => {
                let first = view.word(at);
                lost.remove(&first);
                if let Shape::Dyn = self.layouts[*to].shape {
                    let of = self.layouts.of_vtable(view.word(at + WORD_BYTES));
                    own(first, of.expect("a dyn has a vtable"));
                } else if layout.pointer_bytes() == WORD_BYTES {
                    let moved = rest_of(&owner.moved, PathStep::Deref);
                    if !moved.iter().any(|path| path.is_empty()) {
                        owners.push(Owner { at: first, id: *to, moved });
                    }
                } else if let Some(element) = self.layouts[*to].element() {
                    let size = self.layouts[element].size;
                    let len = view.word(at + WORD_BYTES);
                    (0..len).for_each(|index| own(first + index * size, element));
                }
            }
            Shape::Rc(value) => {
                let block = view.word(at);
                // A block is looked into once: several own it, perhaps from inside.
                if lost.remove(&block).is_some() {
                    own(block + self.layouts.rc_value_offset(*value), *value);
                }
            }
            // A `Weak` keeps the block, not what is in it: that is gone, or somebody else's to keep.
            Shape::Weak(_) => {
                let block = view.word(at);
                if block != u64::MAX && view.word(block + rc::STRONG) == 0 {
                    lost.remove(&block);
                }
            }
            _ => {}
        }
    }
}
