//! `==` and `<` beyond numbers: part after part, from a list of what is left to compare.

use std::cmp::Ordering;
use std::sync::Arc;

use super::memory::thin;
use super::scalar;
use super::shared::ALREADY_MUTABLY_BORROWED;
use super::vm::{Run, Vm, panic};
use crate::layout::{LayoutId, Shape, WORD_BYTES, vec};
use crate::typed::CompareOp;
use crate::types::Lib;

/// A type and a reference to a value of it.
type Side = (LayoutId, u128);

/// Something left to compare.
enum Todo {
    Values(Side, Side),
    /// So many values from each on.
    Elements {
        a: (LayoutId, u64),
        b: (LayoutId, u64),
        left: u64,
    },
    /// What decides if everything before was equal.
    Decided(Ordering),
}

impl Vm<'_> {
    pub(super) fn compare(&mut self, op: CompareOp, a: Side, b: Side) -> Run<bool> {
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        Ok(scalar::holds(op, self.order(a, b, is_equality)?))
    }

    /// The order of two values. If only equality matters, two lists of different lengths are different at once.
    pub(super) fn order(&mut self, a: Side, b: Side, is_equality: bool) -> Run<Option<Ordering>> {
        let mut todo = vec![Todo::Values(a, b)];
        while let Some(next) = todo.pop() {
            self.count_steps(1)?;
            let order = match next {
                Todo::Decided(order) => Some(order),
                Todo::Elements { left: 0, .. } => Some(Ordering::Equal),
                Todo::Elements { a, b, left } => {
                    let [next_a, next_b] = [a, b].map(|(id, at)| (id, at + self.layouts[id].size));
                    todo.push(Todo::Elements { a: next_a, b: next_b, left: left - 1 });
                    let [a, b] = [a, b].map(|(id, at)| (id, u128::from(at)));
                    todo.push(Todo::Values(a, b));
                    continue;
                }
                Todo::Values(a, b) => {
                    self.order_values(self.follow(a), self.follow(b), is_equality, &mut todo)?
                }
            };
            if order != Some(Ordering::Equal) {
                return Ok(order);
            }
        }
        Ok(Some(Ordering::Equal))
    }

    /// Through references and what counts as one.
    fn follow(&self, (mut id, mut reference): Side) -> Side {
        loop {
            let at = reference as u64;
            let layout = &self.layouts[id];
            (id, reference) = match &layout.shape {
                Shape::Reference(to) | Shape::Box(to) => {
                    (*to, self.bits(at, layout.pointer_bytes()))
                }
                Shape::Guard { to, .. } => (*to, self.word(at).into()),
                Shape::PoolBox { data, .. } => (*data, self.word(at).into()),
                Shape::Rc(to) => (*to, (self.word(at) + self.layouts.rc_value_offset(*to)).into()),
                Shape::Cell(to) => (*to, reference),
                Shape::Choice(choice) if layout.ty.is_lib(Lib::Cow) => {
                    let part = choice.variants[self.variant(at, choice)];
                    let part = part.expect("a Cow always holds something");
                    (part.id, (at + part.offset).into())
                }
                _ => return (id, reference),
            };
        }
    }

    /// Bytes, if it is text.
    fn text_of(&self, (id, reference): Side) -> Option<Vec<u8>> {
        let at = reference as u64;
        match &self.layouts[id].shape {
            Shape::Str => {
                let (at, len) = thin(reference);
                Some(self.view().bytes(at, len))
            }
            Shape::Vec(_) if self.layouts[id].ty.is_lib(Lib::String) => {
                let (first, len) = (self.word(at + vec::POINTER), self.word(at + vec::LEN));
                Some(self.view().bytes(first, len))
            }
            Shape::Inline(room, len_bytes) if self.layouts[id].ty.is_lib(Lib::HeaplessString) => {
                let text = self.view().inline(*room, *len_bytes, at);
                Some(self.view().bytes(text.first, text.len))
            }
            _ => None,
        }
    }

    /// Element type, first element and length, if it is a list.
    fn list_of(&self, (id, reference): Side) -> Option<((LayoutId, u64), u64)> {
        let at = reference as u64;
        match &self.layouts[id].shape {
            Shape::Slice(element) => Some(((*element, at), thin(reference).1)),
            Shape::Array(element, len) => Some(((*element, at), *len)),
            Shape::Vec(element) => {
                let len = self.word(at + self.layouts[id].len_offset());
                Some(((*element, self.word(at + vec::POINTER)), len))
            }
            Shape::Inline(room, len_bytes) => {
                let list = self.view().inline(*room, *len_bytes, at);
                Some(((room.element, list.first), list.len))
            }
            _ => None,
        }
    }

    fn order_values(
        &mut self,
        a: Side,
        b: Side,
        is_equality: bool,
        todo: &mut Vec<Todo>,
    ) -> Run<Option<Ordering>> {
        let equal = Ok(Some(Ordering::Equal));
        if let (Some(a), Some(b)) = (self.text_of(a), self.text_of(b)) {
            self.count_steps(a.len() as u64 / 64)?;
            return Ok(Some(a.cmp(&b)));
        }
        if let (Some((a, a_len)), Some((b, b_len))) = (self.list_of(a), self.list_of(b)) {
            if is_equality && a_len != b_len {
                return Ok(Some(a_len.cmp(&b_len)));
            }
            todo.push(Todo::Decided(a_len.cmp(&b_len)));
            todo.push(Todo::Elements { a, b, left: a_len.min(b_len) });
            return equal;
        }
        if let (Shape::Deque(_), Shape::Deque(_)) =
            (&self.layouts[a.0].shape, &self.layouts[b.0].shape)
        {
            let (a, b) = (self.ring(a.0, a.1 as u64), self.ring(b.0, b.1 as u64));
            if a.len() != b.len() {
                return Ok(Some(a.len().cmp(&b.len())));
            }
            let (a_id, b_id) = (a.element(), b.element());
            todo.extend(a.beside(&b).into_iter().map(|[a, b, left]| Todo::Elements {
                a: (a_id, a),
                b: (b_id, b),
                left,
            }));
            return equal;
        }
        let layout = Arc::clone(&self.layouts[a.0]);
        assert_eq!(a.0, b.0, "{} against {}", layout.ty, self.layouts[b.0].ty);
        let [a, b] = [a.1 as u64, b.1 as u64];
        let at =
            |offset: u64, id| Todo::Values((id, (a + offset).into()), (id, (b + offset).into()));
        match &layout.shape {
            Shape::Scalar(scalar) => {
                let [a, b] = [a, b].map(|at| self.bits(at, layout.size));
                return Ok(scalar::order(*scalar, a, b));
            }
            Shape::Record { fields, .. } => {
                todo.extend(fields.iter().rev().map(|part| at(part.offset, part.id)));
            }
            Shape::Range(id, end) => todo.extend([at(*end, *id), at(0, *id)]),
            Shape::RefCell(part) => {
                if [a, b].iter().any(|flag| self.word(*flag).cast_signed() < 0) {
                    return panic(ALREADY_MUTABLY_BORROWED);
                }
                todo.push(at(part.offset, part.id));
            }
            Shape::Choice(choice) => {
                let [a_variant, b_variant] = [a, b].map(|at| self.variant(at, choice));
                if a_variant != b_variant {
                    return Ok(Some(a_variant.cmp(&b_variant)));
                }
                todo.extend(choice.variants[a_variant].map(|part| at(part.offset, part.id)));
            }
            Shape::ReserveError => {
                let [a, b] = [a, b].map(|at| self.bits(at, 2 * WORD_BYTES));
                return Ok(Some(a.cmp(&b)));
            }
            Shape::Error(_) => {
                let [a, b] = [a, b].map(|at| self.bits(at, layout.size));
                return Ok(Some(a.cmp(&b)));
            }
            Shape::Never => {}
            shape => panic!("{shape:?} cannot be compared"),
        }
        equal
    }
}
