//! The end of values: what a drop does, one task after the other, in Rust's order.

use std::sync::Arc;

use super::Held;
use super::code::{Path, PathStep, SlotRef, rest_of};
use super::vec::{Header, VecAt};
use super::vm::{Run, Vm};
use crate::layout::{LINK_BYTES, Layout, LayoutId, Shape, WORD_BYTES, rc};
use crate::types::StructId;

/// What is left to do. The newest task is done first.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// The value at `at`.
    Drop { at: u64, id: LayoutId },
    /// `left` values from `at` on.
    Elements { at: u64, id: LayoutId, left: u64 },
    /// The value at `at`, but for the parts that have been moved out.
    Rest { at: u64, id: LayoutId, moved: Vec<Path> },
    /// A block whose content is dropped.
    Free { at: u64, size: u64, align: u64 },
    /// A value that takes the place of one that is dropped before.
    Move { from: u64, to: u64, size: u64 },
    /// A clone in the place of what is dropped before.
    Clone { id: LayoutId, from: u64, to: u64 },
    /// A vector's elements become clones of another's, in the block it has.
    Refill { from: VecAt, to: VecAt, element: LayoutId },
    /// A pool's block whose content is dropped.
    GiveBack { pool: StructId, block: u128 },
    /// The `Weak` that all `Rc` of a block hold together.
    Weak { block: u64, value: LayoutId },
}

impl Vm<'_> {
    /// Has a value dropped, before the next operation.
    pub(super) fn drop_later(&mut self, at: u64, id: LayoutId) {
        if self.layouts[id].needs_drop {
            self.tasks.push(Task::Drop { at, id });
        }
    }

    pub(super) fn drop_elements_later(&mut self, at: u64, id: LayoutId, count: u64) {
        if self.layouts[id].needs_drop && count > 0 {
            self.tasks.push(Task::Elements { at, id, left: count });
        }
    }

    /// Drops what a slot holds, at the end of its scope. Its number counts from the first frame's.
    pub(super) fn drop_slot(&mut self, slot: SlotRef) {
        let of = self.absolute_slot_mut(slot);
        let held = std::mem::replace(&mut of.held, Held::Moved);
        let (at, id) = (of.address, of.layout);
        let name = of.name.take_if(|_| matches!(held, Held::Live | Held::Partly(_)));
        match held {
            Held::Unset | Held::Moved => {}
            Held::Live => self.drop_later(at, id),
            Held::Partly(parts) => self.tasks.push(Task::Rest { at, id, moved: parts.to_vec() }),
        }
        if let Some(name) = name {
            self.machine.tell(crate::machine::Note::Drop { name });
        }
    }

    /// Drops what a part of a slot holds, which is about to get another value.
    pub(super) fn drop_part(&mut self, slot: SlotRef, path: &Path) {
        let of = self.slot(slot);
        let (at, id) = (of.address, of.layout);
        let moved = match &of.held {
            Held::Unset | Held::Moved => return,
            Held::Live => Vec::new(),
            Held::Partly(parts) if parts.iter().any(|part| path.starts_with(part)) => return,
            Held::Partly(parts) => parts
                .iter()
                .filter_map(|part| Some(Path::from(part.strip_prefix(&**path)?)))
                .collect(),
        };
        let (at, id) = path.iter().fold((at, id), |(at, id), step| self.part(at, id, *step));
        self.slot_mut(slot).held.moved(path);
        if moved.is_empty() {
            self.drop_later(at, id);
        } else {
            self.tasks.push(Task::Rest { at, id, moved });
        }
    }

    /// Where a part of a value lies.
    fn part(&self, at: u64, id: LayoutId, step: PathStep) -> (u64, LayoutId) {
        match (step, &self.layouts[id].shape) {
            (PathStep::Field(number), Shape::Record { fields, .. }) => {
                let part = fields[number as usize];
                (at + part.offset, part.id)
            }
            (PathStep::Deref, Shape::Box(to)) => (self.word(at), *to),
            (step, shape) => panic!("{shape:?} has no {step:?}"),
        }
    }

    /// Does the newest task.
    pub(super) fn do_task(&mut self) -> Run {
        match self.tasks.pop().expect("the caller has seen a task") {
            Task::Drop { at, id } => {
                let layout = Arc::clone(&self.layouts[id]);
                self.drop_value(at, &layout)?;
            }
            Task::Elements { at, id, left } => {
                if left > 1 {
                    let next = at + self.layouts[id].size;
                    self.tasks.push(Task::Elements { at: next, id, left: left - 1 });
                }
                self.tasks.push(Task::Drop { at, id });
            }
            Task::Rest { at, id, moved } => self.drop_rest(at, id, &moved),
            Task::Free { at, size, align } => self.deallocate(at, size, align),
            Task::Move { from, to, size } => self.copy(from, to, size),
            Task::Clone { id, from, to } => self.clone_into(id, from, to)?,
            Task::Refill { from, to, element } => self.refill(from, to, element)?,
            Task::GiveBack { pool, block } => self.give_back(pool, block),
            Task::Weak { block, value } => self.drop_weak(block, value),
        }
        Ok(())
    }

    fn drop_value(&mut self, at: u64, layout: &Layout) -> Run {
        match &layout.shape {
            Shape::Record { fields, drop } => {
                for part in fields.iter().rev() {
                    self.drop_later(at + part.offset, part.id);
                }
                if let Some(function) = drop {
                    self.call_drop(*function, at)?;
                }
            }
            Shape::Array(element, len) => self.drop_elements_later(at, *element, *len),
            Shape::Choice(choice) => {
                if let Some(part) = choice.variants[self.variant(at, choice)] {
                    self.drop_later(at + part.offset, part.id);
                }
            }
            Shape::Vec(element) => {
                let Header { capacity, first, len, .. } = self.header(VecAt::of(at, layout));
                let Layout { size, align, .. } = *self.layouts[*element];
                if capacity > 0 && size > 0 {
                    self.tasks.push(Task::Free { at: first, size: capacity * size, align });
                }
                self.drop_elements_later(first, *element, len);
            }
            Shape::Box(to) => {
                let first = self.word(at);
                let to = &match self.layouts[*to].shape {
                    Shape::Dyn => self.behind_dyn(self.word(at + WORD_BYTES)),
                    _ => *to,
                };
                let Layout { mut size, align, .. } = *self.layouts[*to];
                if layout.pointer_bytes() > WORD_BYTES && !self.layouts[*to].ty.is_sized() {
                    let len = self.word(at + WORD_BYTES);
                    let element = self.layouts[*to].element();
                    size = len * element.map_or(1, |element| self.layouts[element].size);
                    self.tasks.push(Task::Free { at: first, size, align });
                    if let Some(element) = element {
                        self.drop_elements_later(first, element, len);
                    }
                } else {
                    self.tasks.push(Task::Free { at: first, size, align });
                    self.drop_later(first, *to);
                }
            }
            Shape::Rc(value) => {
                let block = self.word(at);
                let strong = self.word(block + rc::STRONG) - 1;
                self.set_word(block + rc::STRONG, strong);
                if strong == 0 {
                    self.tasks.push(Task::Weak { block, value: *value });
                    self.drop_later(block + self.layouts.rc_value_offset(*value), *value);
                }
            }
            Shape::Weak(value) => self.drop_weak(self.word(at), *value),
            Shape::Cell(inner) => self.drop_later(at, *inner),
            Shape::RefCell(inner) => self.drop_later(at + inner.offset, inner.id),
            Shape::Guard { is_mut, .. } => {
                let flag_at = self.word(at + WORD_BYTES);
                let flag = self.word(flag_at).cast_signed();
                let rest = if *is_mut { flag + 1 } else { flag - 1 };
                self.set_word(flag_at, rest.cast_unsigned());
            }
            Shape::PoolBox { pool, data } => {
                let block = self.bits(at, LINK_BYTES);
                self.tasks.push(Task::GiveBack { pool: *pool, block });
                self.drop_later(block as u64, *data);
            }
            Shape::Inline(room, len_bytes) => {
                let list = self.view().inline(*room, *len_bytes, at);
                self.drop_elements_later(list.first, room.element, list.len);
            }
            Shape::Deque(room) => {
                let size = self.layouts[room.element].size;
                let ring = self.view().ring(*room, size, at);
                self.drop_ring_later(&ring);
            }
            shape => panic!("{shape:?} has nothing to drop"),
        }
        Ok(())
    }

    fn drop_rest(&mut self, at: u64, id: LayoutId, moved: &[Path]) {
        let drop_part = |vm: &mut Self, at, id, moved: Vec<Path>| {
            if moved.is_empty() {
                vm.drop_later(at, id);
            } else if !moved.iter().any(|path| path.is_empty()) {
                vm.tasks.push(Task::Rest { at, id, moved });
            }
        };
        let layout = Arc::clone(&self.layouts[id]);
        match &layout.shape {
            Shape::Record { fields, .. } => {
                for (number, part) in fields.iter().enumerate().rev() {
                    let moved = rest_of(moved, PathStep::Field(number as u32));
                    drop_part(self, at + part.offset, part.id, moved);
                }
            }
            Shape::Box(to) => {
                let first = self.word(at);
                let Layout { size, align, .. } = *self.layouts[*to];
                self.tasks.push(Task::Free { at: first, size, align });
                drop_part(self, first, *to, rest_of(moved, PathStep::Deref));
            }
            shape => panic!("nothing can be moved out of {shape:?}"),
        }
    }

    /// One `Weak` less; the last one gives the block back.
    pub(super) fn drop_weak(&mut self, block: u64, value: LayoutId) {
        if block == u64::MAX {
            return;
        }
        let weak = self.word(block + rc::WEAK) - 1;
        self.set_word(block + rc::WEAK, weak);
        if weak == 0 {
            let (size, align) = self.layouts.rc_block(value);
            self.deallocate(block, size, align);
        }
    }
}
