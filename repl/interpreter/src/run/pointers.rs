//! The one walk through what a program's variables hold, from pointer to pointer: for who owns what, and for arrows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::code::{Path, PathStep, rest_of};
use super::memory::Bytes;
use super::{Held, State};
use crate::items::Items;
use crate::layout::{LayoutId, Shape, WORD_BYTES, rc, vec};
use crate::machine::Machine;
use crate::typed::LocalId;
use crate::types::Type;

/// The pointers that are listed at most.
const MOST_POINTERS: usize = 4096;
/// The values that are looked into for them at most: a `dare` may have tied a chain of boxes into a circle.
const MOST_VALUES: usize = 1 << 16;

/// A pointer in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Where it lies.
    pub at: u64,
    /// Where it leads.
    pub to: u64,
    /// What leads there.
    pub role: Role,
    /// The type of the value that it is, or is part of.
    pub ty: Type,
    /// What a program would write to get at it: `n.next`, `v[2]`. Stars are left out.
    pub path: String,
}

/// What a pointer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It keeps the block it leads to.
    Owner,
    /// It leads to what something else keeps.
    Guest,
    /// It says how to treat what the pointer beside it leads to.
    Vtable,
}

/// A pointer as it is found.
pub(super) struct Found<'a> {
    pub(super) at: u64,
    pub(super) to: u64,
    pub(super) role: Role,
    holder: LayoutId,
    values: &'a Values,
}

/// Values of one type, one behind the other.
struct Values {
    at: u64,
    id: LayoutId,
    left: u64,
    moved: Vec<Path>,
    path: String,
    /// The first one's place, of elements.
    index: Option<u64>,
}

/// Says which types are worth a look.
type Wants<'a> = dyn FnMut(LayoutId) -> bool + 'a;
/// Takes a pointer, and says whether there may be more.
type Finds<'a> = dyn FnMut(&Found<'_>) -> bool + 'a;

struct Walk<'a> {
    state: &'a State,
    view: Bytes<'a>,
    /// Whether paths are wanted.
    is_named: bool,
    todo: Vec<Values>,
    /// Blocks of `Rc`s: several lead there, perhaps from inside.
    seen: BTreeSet<u64>,
}

impl State {
    /// Goes through every live variable.
    pub(super) fn walk(
        &self,
        view: Bytes<'_>,
        name: Option<&dyn Fn(LocalId) -> Arc<str>>,
        wants: &mut Wants<'_>,
        finds: &mut Finds<'_>,
    ) {
        let mut walk = Walk {
            state: self,
            view,
            is_named: name.is_some(),
            todo: Vec::new(),
            seen: BTreeSet::new(),
        };
        // The oldest is looked at first.
        for (slot, local) in self.slots.iter().zip(&self.locals).rev() {
            let moved = match &slot.held {
                Held::Unset | Held::Moved => continue,
                Held::Live => Vec::new(),
                Held::Partly(parts) => parts.to_vec(),
            };
            let path = name.map_or_else(String::new, |name| name(*local).to_string());
            let (at, id) = (slot.address, slot.layout);
            walk.todo.push(Values { at, id, left: 1, moved, path, index: None });
        }
        let mut looks = 0;
        while let Some(mut values) = walk.todo.pop() {
            looks += 1;
            if values.left == 0 || !wants(values.id) || walk.is_named && looks > MOST_VALUES {
                continue;
            }
            let value = values.first();
            let size = self.layouts[values.id].size;
            values.at += size;
            values.left -= 1;
            values.index = values.index.map(|index| index + 1);
            walk.todo.push(values);
            if !walk.value(&value, finds) {
                return;
            }
        }
    }

    /// The pointers in the variables and in what they own, in the order of the variables; `name` is what each is called.
    pub fn pointers(
        &self,
        items: &Items,
        machine: &dyn Machine,
        name: &dyn Fn(LocalId) -> Arc<str>,
    ) -> Vec<Pointer> {
        let mut found = Vec::new();
        let mut known = BTreeMap::new();
        let mut wants = |id| self.holds_pointers(id, &mut known);
        let mut finds = |pointer: &Found<'_>| {
            found.push(Pointer {
                at: pointer.at,
                to: pointer.to,
                role: pointer.role,
                ty: self.layouts[pointer.holder].ty.clone(),
                path: pointer.values.path.clone(),
            });
            found.len() < MOST_POINTERS
        };
        self.walk(Bytes { items, machine }, Some(name), &mut wants, &mut finds);
        found
    }

    /// Whether values of a type have pointers in them.
    fn holds_pointers(&self, id: LayoutId, known: &mut BTreeMap<LayoutId, bool>) -> bool {
        if let Some(holds) = known.get(&id) {
            return *holds;
        }
        let holds = match &self.layouts[id].shape {
            Shape::Reference(_)
            | Shape::Box(_)
            | Shape::Vec(_)
            | Shape::Rc(_)
            | Shape::Weak(_)
            | Shape::Guard { .. }
            | Shape::Iter(_)
            | Shape::PoolBox { .. } => true,
            Shape::Record { fields, .. } => {
                fields.iter().any(|part| self.holds_pointers(part.id, known))
            }
            Shape::Choice(choice) => {
                let mut parts = choice.variants.iter().flatten();
                parts.any(|part| self.holds_pointers(part.id, known))
            }
            Shape::Array(inner, _) | Shape::Cell(inner) => self.holds_pointers(*inner, known),
            Shape::RefCell(part) => self.holds_pointers(part.id, known),
            Shape::Inline(room, _) | Shape::Deque(room) => self.holds_pointers(room.element, known),
            _ => false,
        };
        known.insert(id, holds);
        holds
    }
}

impl Values {
    /// The first of them by itself.
    fn first(&mut self) -> Self {
        let path = match self.index {
            Some(index) if !self.path.is_empty() => format!("{}[{index}]", self.path),
            _ => self.path.clone(),
        };
        let moved = std::mem::take(&mut self.moved);
        Self { at: self.at, id: self.id, left: 1, moved, path, index: None }
    }
}

impl Walk<'_> {
    /// Tells of a value's own pointers, and lists what is in it. The part that is listed last is looked at first.
    fn value(&mut self, value: &Values, finds: &mut Finds<'_>) -> bool {
        let (at, view) = (value.at, self.view);
        let layouts = &self.state.layouts;
        let layout = &layouts[value.id];
        let mut tell = |at, to, bytes, role| {
            // What has no bytes is nowhere.
            bytes == 0 || finds(&Found { at, to, role, holder: value.id, values: value })
        };
        match &layout.shape {
            Shape::Record { fields, .. } => {
                for (number, part) in fields.iter().enumerate().rev() {
                    let moved = rest_of(&value.moved, PathStep::Field(number as u32));
                    if !moved.iter().any(|path| path.is_empty()) {
                        let path = self.field(value, number);
                        let (at, id) = (at + part.offset, part.id);
                        self.todo.push(Values { at, id, left: 1, moved, path, index: None });
                    }
                }
            }
            Shape::Array(element, len) => self.elements(value, at, *element, *len),
            Shape::Choice(choice) => {
                if let Some(part) = choice.variants[view.variant(at, choice)] {
                    self.inside(value, at + part.offset, part.id);
                }
            }
            Shape::Cell(inner) => self.inside(value, at, *inner),
            Shape::RefCell(inner) => self.inside(value, at + inner.offset, inner.id),
            Shape::Inline(room, len_bytes) => {
                let list = view.inline(*room, *len_bytes, at);
                self.elements(value, list.first, room.element, list.len);
            }
            Shape::Deque(room) => {
                let ring = view.ring(*room, layouts[room.element].size, at);
                for (first, count) in ring.stretches().into_iter().rev() {
                    self.elements(value, first, room.element, count);
                }
            }
            Shape::Vec(element) => {
                let [capacity, first, len] = [vec::CAPACITY, vec::POINTER, layout.len_offset()]
                    .map(|offset| view.word(at + offset));
                let size = layouts[*element].size;
                let bytes = capacity.saturating_mul(size);
                if self.is_there(first, len.saturating_mul(size)) {
                    self.elements(value, first, *element, len);
                }
                return tell(at + vec::POINTER, first, bytes, Role::Owner);
            }
            Shape::Box(to) => {
                let first = view.word(at);
                let bytes = self.bytes_behind(*to, at);
                if self.is_there(first, bytes) {
                    self.boxed(value, first, *to);
                }
                return tell(at, first, bytes, Role::Owner)
                    && self
                        .vtable(*to, at)
                        .is_none_or(|to| tell(at + WORD_BYTES, to, WORD_BYTES, Role::Vtable));
            }
            Shape::PoolBox { data, .. } => {
                let block = view.word(at);
                let bytes = layouts[*data].size.max(WORD_BYTES);
                if self.is_there(block, layouts[*data].size) {
                    self.inside(value, block, *data);
                }
                return tell(at, block, bytes, Role::Owner);
            }
            Shape::Rc(of) => {
                let block = view.word(at);
                let bytes = layouts.rc_block(*of).0;
                if self.is_there(block, bytes) && self.seen.insert(block) {
                    self.inside(value, block + layouts.rc_value_offset(*of), *of);
                }
                return tell(at, block, bytes, Role::Owner);
            }
            Shape::Weak(_) => {
                let block = view.word(at);
                if block == u64::MAX {
                    return true;
                }
                // It keeps the block, not what is in it: that is gone, or somebody else's to keep.
                let is_last = self.is_there(block, rc::WEAK) && view.word(block + rc::STRONG) == 0;
                return tell(
                    at,
                    block,
                    WORD_BYTES,
                    if is_last { Role::Owner } else { Role::Guest },
                );
            }
            Shape::Reference(to) => {
                return tell(at, view.word(at), self.bytes_behind(*to, at), Role::Guest)
                    && self
                        .vtable(*to, at)
                        .is_none_or(|to| tell(at + WORD_BYTES, to, WORD_BYTES, Role::Vtable));
            }
            Shape::Guard { to, .. } => {
                let flag = at + WORD_BYTES;
                return tell(at, view.word(at), layouts[*to].size, Role::Guest)
                    && tell(flag, view.word(flag), WORD_BYTES, Role::Guest);
            }
            Shape::Iter(element) => {
                let (first, end) = (view.word(at), view.word(at + WORD_BYTES));
                let bytes = if layouts[*element].size == 0 { 0 } else { end.wrapping_sub(first) };
                return tell(at, first, bytes, Role::Guest);
            }
            _ => {}
        }
        true
    }

    /// What a field is called.
    fn field(&self, value: &Values, number: usize) -> String {
        if !self.is_named || value.path.is_empty() {
            return String::new();
        }
        match &self.state.layouts[value.id].ty {
            Type::Struct(of, ..) => {
                let fields = &self.view.items.structs.get(*of).fields;
                format!("{}.{}", value.path, fields[number].name)
            }
            _ => format!("{}.{number}", value.path),
        }
    }

    /// A value inside another that is reached by the same name.
    fn inside(&mut self, value: &Values, at: u64, id: LayoutId) {
        let path = value.path.clone();
        self.todo.push(Values { at, id, left: 1, moved: Vec::new(), path, index: None });
    }

    fn elements(&mut self, value: &Values, at: u64, id: LayoutId, count: u64) {
        let path = value.path.clone();
        self.todo.push(Values { at, id, left: count, moved: Vec::new(), path, index: Some(0) });
    }

    /// What a `Box` holds.
    fn boxed(&mut self, value: &Values, first: u64, to: LayoutId) {
        let layouts = &self.state.layouts;
        if let Shape::Dyn = layouts[to].shape {
            let of = layouts.of_vtable(self.view.word(value.at + WORD_BYTES));
            self.inside(value, first, of.expect("a dyn has a vtable"));
        } else if let Shape::Slice(element) = layouts[to].shape {
            let len = self.view.word(value.at + WORD_BYTES);
            self.elements(value, first, element, len);
        } else {
            let moved = rest_of(&value.moved, PathStep::Deref);
            if !moved.iter().any(|path| path.is_empty()) {
                let path = value.path.clone();
                self.todo.push(Values { at: first, id: to, left: 1, moved, path, index: None });
            }
        }
    }

    /// The vtable of the pointer at `at`, if it has one.
    fn vtable(&self, to: LayoutId, at: u64) -> Option<u64> {
        let is_dyn = matches!(self.state.layouts[to].shape, Shape::Dyn);
        is_dyn.then(|| self.view.word(at + WORD_BYTES))
    }

    /// How much the pointer at `at` leads to.
    fn bytes_behind(&self, to: LayoutId, at: u64) -> u64 {
        let layouts = &self.state.layouts;
        let second = || self.view.word(at + WORD_BYTES);
        match layouts[to].shape {
            Shape::Str => second(),
            Shape::Slice(element) => second().saturating_mul(layouts[element].size),
            Shape::Dyn => layouts.of_vtable(second()).map_or(0, |of| layouts[of].size),
            _ => layouts[to].size,
        }
    }

    /// Whether bytes are there to be looked into.
    fn is_there(&self, at: u64, bytes: u64) -> bool {
        bytes == 0 || self.view.machine.is_live(at, bytes)
    }
}
