//! Slices.

use std::cmp::Ordering;
use std::sync::Arc;

use super::drop::Task;
use super::library::Called;
use super::memory::{fat, thin};
use super::vec::VecAt;
use super::vm::{Run, Vm, element, panic};
use crate::layout::{Layout, LayoutId, Shape, WORD_BYTES, vec};
use crate::library::Builtin;
use crate::typed::CompareOp;

impl Vm<'_> {
    pub(super) fn slice(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let of = call.of();
        let Layout { size, .. } = *self.layouts[of];
        let (first, len) = thin(call.args[0]);
        match call.run {
            B::SliceLen => return Ok(len.into()),
            B::SliceIsEmpty => return Ok((len == 0).into()),
            B::SliceFirst | B::SliceLast | B::SliceGet | B::SliceGetMut => {
                let index = match call.run {
                    B::SliceFirst => 0,
                    B::SliceLast => len.wrapping_sub(1),
                    _ => call.word(1),
                };
                let place = (index < len).then(|| u128::from(first + index * size));
                self.write_option(call.result, place, call.to);
            }
            B::SliceIter => {
                let end = if size == 0 { len } else { first + len * size };
                self.set_word(call.to, first);
                self.set_word(call.to + WORD_BYTES, end);
            }
            B::SliceSwap => {
                let a = element(first, len, call.word(1), size)?;
                let b = element(first, len, call.word(2), size)?;
                self.swap(of, a, b)?;
            }
            B::SliceReverse => {
                for index in 0..len / 2 {
                    self.count_steps(1)?;
                    self.swap(of, first + index * size, first + (len - 1 - index) * size)?;
                }
            }
            B::SliceSort => self.sort(of, first, len)?,
            B::SliceRotateLeft | B::SliceRotateRight => {
                let by = call.word(1);
                let name = if call.run == B::SliceRotateLeft { "mid" } else { "k" };
                if by > len {
                    return panic(format!("assertion failed: {name} <= self.len()"));
                }
                let start = if call.run == B::SliceRotateLeft { by } else { len - by };
                self.permute(of, first, (start..len).chain(0..start).collect())?;
            }
            B::SliceBinarySearch => {
                let found = self.search(of, (first, len), call.args[1])?;
                let (variant, index) = found.map_or_else(|index| (1, index), |index| (0, index));
                self.write_variant(call.result, variant, index.into(), call.to);
            }
            B::SliceStartsWith | B::SliceEndsWith => {
                let (needle, needle_len) = thin(call.args[1]);
                let Some(rest) = len.checked_sub(needle_len) else { return Ok(0) };
                let start = if call.run == B::SliceStartsWith { 0 } else { rest };
                for index in 0..needle_len {
                    let a = (of, u128::from(first + (start + index) * size));
                    let b = (of, u128::from(needle + index * size));
                    if !self.compare(CompareOp::Eq, a, b)? {
                        return Ok(0);
                    }
                }
                return Ok(1);
            }
            B::SliceSplitAt => {
                let mid = call.word(1);
                if mid > len {
                    return panic("mid > len");
                }
                let halves = [fat(first, mid), fat(first + mid * size, len - mid)];
                self.write_tuple(call.result, &halves, call.to);
            }
            B::SliceCopyFromSlice => {
                let (from, from_len) = thin(call.args[1]);
                if from_len != len {
                    return panic(format!(
                        "copy_from_slice: source slice length ({from_len}) does not match destination slice length ({len})"
                    ));
                }
                self.count_steps(len * size / 64)?;
                self.copy(from, first, len * size);
            }
            B::SliceRepeat => {
                let count = call.word(1);
                let Some(total) = len.checked_mul(count) else {
                    return panic("capacity overflow");
                };
                let to = self.new_vec(of, total, false, call.to)?;
                if total > 0 {
                    self.copy(first, to, len * size);
                    self.replicate(to, len * size, count)?;
                }
                self.set_len(call.to, total);
            }
            B::SliceConcat => {
                let lists: Vec<_> =
                    (0..len).map(|list| self.header(first + list * vec::SIZE)).collect();
                let total = lists.iter().map(|list| list.len).sum();
                let mut to = self.new_vec(of, total, false, call.to)?;
                for list in lists {
                    self.clone_elements(of, list.first, to, list.len)?;
                    to += list.len * size;
                }
                self.set_len(call.to, total);
            }
            B::SliceFill => self.fill(of, call.args[1], first, len)?,
            B::SliceContains => {
                let wanted = (of, self.reference_to(of, call.args[1]));
                for index in 0..len {
                    let at = self.reference_to(of, (first + index * size).into());
                    if self.compare(CompareOp::Eq, (of, at), wanted)? {
                        return Ok(1);
                    }
                }
                return Ok(0);
            }
            B::SliceToVec => {
                let to = self.new_vec(of, len, false, call.to)?;
                self.clone_elements(of, first, to, len)?;
                self.set_len(call.to, len);
            }
            B::SliceRange
            | B::SliceRangeMut
            | B::SliceThrough
            | B::SliceThroughMut
            | B::SliceFrom
            | B::SliceFromMut => {
                let start = call.word(1);
                let (end, is_beyond) = match call.run {
                    B::SliceFrom | B::SliceFromMut => (len, false),
                    B::SliceRange | B::SliceRangeMut => (call.word(2), call.word(2) > len),
                    _ => behind(call.word(2), len),
                };
                if start > len {
                    return panic(format!(
                        "range start index {start} out of range for slice of length {len}"
                    ));
                }
                if is_beyond {
                    return panic(format!(
                        "range end index {end} out of range for slice of length {len}"
                    ));
                }
                if start > end {
                    return panic(format!("slice index starts at {start} but ends at {end}"));
                }
                return Ok(fat(first + start * size, end - start));
            }
            other => panic!("{other:?} is not of slices"),
        }
        Ok(0)
    }

    /// A reference to a sized value is its address.
    fn reference_to(&self, of: LayoutId, at: u128) -> u128 {
        debug_assert!(self.layouts[of].ty.is_sized());
        at
    }

    /// Sorts as std does, stable: first which element goes where, then each is moved once.
    fn sort(&mut self, of: LayoutId, first: u64, len: u64) -> Run {
        let size = self.layouts[of].size;
        let place = |index: u64| first + index * size;
        self.count_steps(len * u64::from(len.checked_ilog2().unwrap_or(0)))?;
        let mut order: Vec<u64> = (0..len).collect();
        let mut failed = None;
        order.sort_by(|a, b| {
            let [a, b] = [*a, *b].map(|index| (of, u128::from(place(index))));
            match self.order(a, b, false) {
                Ok(order) => order.unwrap_or(Ordering::Equal),
                Err(halt) => {
                    failed.get_or_insert(halt);
                    Ordering::Equal
                }
            }
        });
        if let Some(halt) = failed {
            return Err(halt);
        }
        self.permute(of, first, order)
    }

    /// What stands where afterwards: `order[n]` comes to place `n`.
    pub(super) fn permute(&mut self, of: LayoutId, first: u64, mut order: Vec<u64>) -> Run {
        let layout = Arc::clone(&self.layouts[of]);
        let place = |index: u64| first + index * layout.size;
        self.count_steps(order.len() as u64)?;
        let between = self.borrow_slot(&layout)?;
        // Round each cycle: its first element waits in between while the others move up.
        for start in 0..order.len() as u64 {
            if order[start as usize] == start {
                continue;
            }
            self.copy(place(start), between, layout.size);
            let mut to = start;
            loop {
                let from = std::mem::replace(&mut order[to as usize], to);
                if from == start {
                    self.copy(between, place(to), layout.size);
                    break;
                }
                self.copy(place(from), place(to), layout.size);
                to = from;
            }
        }
        self.machine.pop(1);
        Ok(())
    }

    /// The place of a value in what is sorted, as std finds it: halves, and of equal ones the same.
    fn search(
        &mut self,
        of: LayoutId,
        (first, len): (u64, u64),
        wanted: u128,
    ) -> Run<Result<u64, u64>> {
        let size = self.layouts[of].size;
        let order = |vm: &mut Self, index: u64| {
            let order = vm.order((of, u128::from(first + index * size)), (of, wanted), false)?;
            Run::Ok(order.unwrap_or(Ordering::Equal))
        };
        if len == 0 {
            return Ok(Err(0));
        }
        let (mut base, mut left) = (0, len);
        while left > 1 {
            let half = left / 2;
            if order(self, base + half)? != Ordering::Greater {
                base += half;
            }
            left -= half;
        }
        Ok(match order(self, base)? {
            Ordering::Equal => Ok(base),
            Ordering::Less => Err(base + 1),
            Ordering::Greater => Err(base),
        })
    }

    /// Clones of a value all over a slice, the last of which is the value itself.
    fn fill(&mut self, of: LayoutId, value: u128, first: u64, len: u64) -> Run {
        let layout = Arc::clone(&self.layouts[of]);
        if self.is_plain(of) {
            if len > 0 {
                self.store(of, value, first);
                self.replicate(first, layout.size, len)?;
            }
            return Ok(());
        }
        let from = value as u64;
        let Some(last) = len.checked_sub(1).map(|index| first + index * layout.size) else {
            self.drop_later(from, of);
            return Ok(());
        };
        self.replace_later(of, value, last);
        for index in (0..len - 1).rev() {
            self.count_steps(1)?;
            let to = first + index * layout.size;
            match layout.shape {
                // `Vec::clone_from` keeps the block it has.
                Shape::Vec(element) if self.is_plain(element) => {
                    let (from, to) = (VecAt::of(from, &layout), VecAt::of(to, &layout));
                    self.tasks.push(Task::Refill { from, to, element });
                }
                _ => {
                    self.tasks.push(Task::Clone { id: of, from, to });
                    self.drop_later(to, of);
                }
            }
        }
        Ok(())
    }

    /// `to.clone_from(from)` of two vectors.
    pub(super) fn refill(&mut self, from: VecAt, to: VecAt, element: LayoutId) -> Run {
        let source = self.header(from);
        self.set_len(to, 0);
        let target = self.reserve(element, to, source.len)?;
        self.copy(source.first, target.first, source.len * self.layouts[element].size);
        self.set_len(to, source.len);
        Ok(())
    }
}

/// The index behind the last of an inclusive range; the last itself if that is out of bounds, as std's message names it.
pub(super) fn behind(last: u64, len: u64) -> (u64, bool) {
    if last < len { (last + 1, false) } else { (last, true) }
}
