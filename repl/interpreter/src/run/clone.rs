//! `Clone`: part after part, from a list of what is left to clone.

use std::sync::Arc;

use super::leaks::Block;
use super::shared::ALREADY_MUTABLY_BORROWED;
use super::vec::{Header, VecAt};
use super::vm::{Run, Vm, panic};
use crate::layout::{LINK_BYTES, Layout, LayoutId, Shape, WORD_BYTES, rc};
use crate::types::{Lib, Type};

/// Values to clone: `count` of them from `from` on.
struct Todo {
    id: LayoutId,
    from: u64,
    to: u64,
    count: u64,
}

impl Vm<'_> {
    /// Whether a clone is a copy of the bytes.
    pub(super) fn is_plain(&self, id: LayoutId) -> bool {
        match &self.layouts[id].shape {
            Shape::Scalar(_)
            | Shape::Reference(_)
            | Shape::Never
            | Shape::Range(..)
            | Shape::Iter(_)
            | Shape::ReserveError
            | Shape::Error(_) => true,
            Shape::Array(inner, _) | Shape::Cell(inner) => self.is_plain(*inner),
            Shape::Record { fields, .. } => fields.iter().all(|part| self.is_plain(part.id)),
            Shape::Choice(choice) => {
                choice.variants.iter().flatten().all(|part| self.is_plain(part.id))
            }
            _ => false,
        }
    }

    /// The clone of what lies at `from`: an operand, or made at `to`.
    pub(super) fn clone_to(&mut self, id: LayoutId, from: u64, to: u64) -> Run<u128> {
        if self.layouts[id].is_operand() {
            return Ok(self.bits(from, self.layouts[id].size));
        }
        self.clone_into(id, from, to)?;
        Ok(0)
    }

    /// The clone of what lies at `from`, made at `to`.
    pub(super) fn clone_into(&mut self, id: LayoutId, from: u64, to: u64) -> Run {
        self.clone_elements(id, from, to, 1)
    }

    /// Clones of so many values, one behind the other.
    pub(super) fn clone_elements(&mut self, id: LayoutId, from: u64, to: u64, count: u64) -> Run {
        // A clone can only panic on a `RefCell`, or for want of a pool's block: found out before, so that nothing has to be taken back.
        if self.layouts[id].ty.any(&mut may_hold_cells) {
            self.wanted_blocks.clear();
            self.clone_all(Todo { id, from, to, count }, true)?;
            let wanted = std::mem::take(&mut self.wanted_blocks);
            self.check_blocks(wanted)?;
        }
        self.clone_all(Todo { id, from, to, count }, false)
    }

    fn clone_all(&mut self, first: Todo, is_look: bool) -> Run {
        let mut todo = vec![first];
        while let Some(next) = todo.pop() {
            let Todo { id, from, to, count } = next;
            let layout = Arc::clone(&self.layouts[id]);
            if self.is_plain(id) {
                if !is_look {
                    self.count_steps(layout.size * count / 64)?;
                    self.copy(from, to, layout.size * count);
                }
                continue;
            }
            self.count_steps(1)?;
            if count != 1 {
                if count > 0 {
                    let size = layout.size;
                    todo.push(Todo {
                        id,
                        from: from + size,
                        to: to.wrapping_add(size),
                        count: count - 1,
                    });
                    todo.push(Todo { id, from, to, count: 1 });
                }
                continue;
            }
            self.clone_one(&layout, from, to, is_look, &mut todo)?;
        }
        Ok(())
    }

    /// Clones what a value is itself, and lists its parts. A mere look makes nothing.
    fn clone_one(
        &mut self,
        layout: &Layout,
        from: u64,
        to: u64,
        is_look: bool,
        todo: &mut Vec<Todo>,
    ) -> Run {
        let part = |id, offset: u64| Todo {
            id,
            from: from + offset,
            to: to.wrapping_add(offset),
            count: 1,
        };
        match &layout.shape {
            Shape::Array(element, len) => {
                todo.push(Todo { id: *element, from, to, count: *len });
            }
            Shape::Cell(inner) => todo.push(part(*inner, 0)),
            Shape::Record { fields, .. } => {
                todo.extend(fields.iter().rev().map(|field| part(field.id, field.offset)));
            }
            Shape::Choice(choice) => {
                let variant = self.variant(from, choice);
                if !is_look {
                    self.set_variant(to, choice, variant);
                }
                todo.extend(choice.variants[variant].map(|held| part(held.id, held.offset)));
            }
            Shape::RefCell(inner) => {
                if self.word(from).cast_signed() < 0 {
                    return panic(ALREADY_MUTABLY_BORROWED);
                }
                if !is_look {
                    self.set_word(to, 0);
                }
                todo.push(part(inner.id, inner.offset));
            }
            Shape::Vec(element) => {
                let (source, target) = (VecAt::of(from, layout), VecAt::of(to, layout));
                let Header { first, len, .. } = self.header(source);
                let mut place = 0;
                if !is_look {
                    self.copy_allocator(layout, from, to);
                    place = self.new_vec(*element, len, false, target)?;
                    self.set_len(target, len);
                }
                todo.push(Todo { id: *element, from: first, to: place, count: len });
            }
            Shape::Box(of) => {
                let first = self.word(from);
                let element =
                    self.layouts[*of].element().filter(|_| layout.pointer_bytes() > WORD_BYTES);
                let (id, count) = match element {
                    Some(element) => (element, self.word(from + WORD_BYTES)),
                    None => (*of, 1),
                };
                let Layout { size, align, .. } = *self.layouts[id];
                let mut place = 0;
                if !is_look {
                    let what =
                        if element.is_some() { Block::elements(id) } else { Block::value(id) };
                    let heap = self.copy_allocator(layout, from, to);
                    place = self.allocate_in(heap, size * count, align, what, false)?;
                    self.set_word(to, place);
                    if element.is_some() {
                        self.set_word(to + WORD_BYTES, count);
                    }
                }
                todo.push(Todo { id, from: first, to: place, count });
            }
            Shape::Rc(_) | Shape::Weak(_) if is_look => {}
            Shape::Rc(_) | Shape::Weak(_) => {
                let block = self.word(from);
                if block != u64::MAX {
                    let is_rc = matches!(layout.shape, Shape::Rc(_));
                    self.count_up(block + if is_rc { rc::STRONG } else { rc::WEAK });
                }
                self.set_word(to, block);
            }
            Shape::PoolBox { pool, data } => {
                let from = self.word(from);
                let mut place = 0;
                if is_look {
                    self.wanted_blocks.push(*pool);
                } else {
                    let block = self.take_block(*pool).expect("they were counted before");
                    self.set_bits(to, LINK_BYTES, block);
                    place = block as u64;
                }
                todo.push(Todo { id: *data, from, to: place, count: 1 });
            }
            Shape::Inline(room, len_bytes) => {
                let list = self.view().inline(*room, *len_bytes, from);
                if !is_look {
                    self.set_bits(to, *len_bytes, list.len.into());
                }
                let Todo { to, .. } = part(room.element, room.offset);
                todo.push(Todo { id: room.element, from: list.first, to, count: list.len });
            }
            Shape::Deque(room) => {
                let size = self.layouts[room.element].size;
                let ring = self.view().ring(*room, size, from);
                let mut to = if is_look { 0 } else { self.new_ring(&ring, to) };
                for (from, count) in ring.stretches() {
                    todo.push(Todo { id: room.element, from, to, count });
                    to = to.wrapping_add(count * size);
                }
            }
            shape => panic!("{shape:?} cannot be cloned"),
        }
        Ok(())
    }
}

impl Vm<'_> {
    /// A clone has the allocator of what it is a clone of.
    fn copy_allocator(&mut self, layout: &Layout, from: u64, to: u64) -> Option<u64> {
        let offset = layout.allocator_offset()?;
        let heap = self.word(from + offset);
        self.set_word(to + offset, heap);
        Some(heap)
    }
}

/// The fields of a struct are not looked into.
fn may_hold_cells(ty: &Type) -> bool {
    ty.is_lib(Lib::RefCell) || ty.is_lib(Lib::PoolBox) || matches!(ty, Type::Struct(..))
}
