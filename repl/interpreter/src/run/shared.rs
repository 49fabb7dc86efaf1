//! `Rc`, `Weak`, `Cell`, `RefCell` and its guards.

use std::sync::Arc;

use super::leaks::Block;
use super::library::Called;
use super::vm::{Run, Vm, panic};
use crate::layout::{LayoutId, Part, Shape, WORD_BYTES, rc};
use crate::library::Builtin;

pub(super) const ALREADY_BORROWED: &str = "RefCell already borrowed";
pub(super) const ALREADY_MUTABLY_BORROWED: &str = "RefCell already mutably borrowed";

impl Vm<'_> {
    /// A block for a counted value that is still to be stored.
    pub(super) fn new_rc(&mut self, of: LayoutId) -> Run<u64> {
        let (size, align) = self.layouts.rc_block(of);
        let block = self.allocate(size, align, Block::counted(of))?;
        self.set_word(block + rc::STRONG, 1);
        self.set_word(block + rc::WEAK, 1);
        Ok(block)
    }

    pub(super) fn count_up(&mut self, at: u64) {
        let count = self.word(at);
        self.set_word(at, count + 1);
    }

    fn count_down(&mut self, at: u64) {
        let count = self.word(at);
        self.set_word(at, count - 1);
    }

    /// The value behind the `Rc` at `at`, nobody else's from now on: a clone in a block of its own if there are other `Rc`,
    /// itself in another block if there are `Weak`.
    fn make_mut(&mut self, of: LayoutId, at: u64) -> Run<u64> {
        let old = self.word(at);
        let offset = self.layouts.rc_value_offset(of);
        let (strong, weak) = (self.word(old + rc::STRONG), self.word(old + rc::WEAK));
        if (strong, weak) == (1, 1) {
            return Ok(old + offset);
        }
        let new = self.new_rc(of)?;
        if strong == 1 {
            self.copy(old + offset, new + offset, self.layouts[of].size);
            self.count_down(old + rc::WEAK);
        } else if let Err(halt) = self.clone_into(of, old + offset, new + offset) {
            let (size, align) = self.layouts.rc_block(of);
            self.deallocate(new, size, align);
            return Err(halt);
        }
        self.count_down(old + rc::STRONG);
        self.set_word(at, new);
        Ok(new + offset)
    }

    /// Calls of `Rc` and `Weak`. A reference to either leads to the address of the block.
    pub(super) fn rc(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        if call.run == B::WeakNew {
            self.set_word(call.to, u64::MAX);
            return Ok(0);
        }
        let of = call.of();
        if call.run == B::RcNew {
            let block = self.new_rc(of)?;
            self.store(of, call.args[0], block + self.layouts.rc_value_offset(of));
            self.set_word(call.to, block);
            return Ok(0);
        }
        let block = self.word(call.word(0));
        let value = block.wrapping_add(self.layouts.rc_value_offset(of));
        match call.run {
            B::RcDeref => return Ok(value.into()),
            B::RcStrongCount => return Ok(self.word(block + rc::STRONG).into()),
            // All `Rc` together hold one.
            B::RcWeakCount => return Ok((self.word(block + rc::WEAK) - 1).into()),
            B::RcPtrEq => return Ok((block == self.word(call.word(1))).into()),
            B::RcDowngrade => {
                self.count_up(block + rc::WEAK);
                self.set_word(call.to, block);
            }
            B::RcGetMut => {
                let is_only =
                    self.word(block + rc::STRONG) == 1 && self.word(block + rc::WEAK) == 1;
                self.write_option(call.result, is_only.then_some(value.into()), call.to);
            }
            B::RcTryUnwrap => {
                if self.word(block + rc::STRONG) == 1 {
                    self.set_word(block + rc::STRONG, 0);
                    self.write_payload(call.result, 0, value, call.to);
                    self.drop_weak(block, of);
                } else {
                    self.write_payload(call.result, 1, call.word(0), call.to);
                }
            }
            B::RcIntoInner | B::RcUnwrapOrClone => {
                let (is_last, is_option) =
                    (self.word(block + rc::STRONG) == 1, call.run == B::RcIntoInner);
                let mut result = 0;
                if is_option && is_last {
                    self.write_payload(call.result, 1, value, call.to);
                } else if is_option {
                    self.write_none(call.result, call.to);
                } else if is_last {
                    result = self.take(of, value, call.to);
                } else {
                    result = self.clone_to(of, value, call.to)?;
                }
                self.count_down(block + rc::STRONG);
                if is_last {
                    self.drop_weak(block, of);
                }
                return Ok(result);
            }
            B::RcMakeMut => return Ok(self.make_mut(of, call.word(0))?.into()),
            B::WeakStrongCount | B::WeakWeakCount => {
                let strong = if block == u64::MAX { 0 } else { self.word(block + rc::STRONG) };
                let is_weak = call.run == B::WeakWeakCount && strong > 0;
                return Ok(if is_weak { self.word(block + rc::WEAK) - 1 } else { strong }.into());
            }
            B::WeakUpgrade => {
                if block == u64::MAX || self.word(block + rc::STRONG) == 0 {
                    self.write_none(call.result, call.to);
                } else {
                    self.count_up(block + rc::STRONG);
                    self.write_payload(call.result, 1, call.word(0), call.to);
                }
            }
            other => panic!("{other:?} is not of Rc or Weak"),
        }
        Ok(0)
    }

    /// Calls of `Cell`, `RefCell` and the guards. A guard is the address of the value, then that of the flag.
    pub(super) fn cell(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let at = call.word(0);
        match call.run {
            B::CellNew => self.store(call.of(), call.args[0], call.to),
            B::CellGet | B::CellIntoInner => return Ok(self.take(call.of(), at, call.to)),
            B::CellSet => self.replace_later(call.of(), call.args[1], at),
            B::CellReplace => {
                let old = self.take(call.of(), at, call.to);
                self.store(call.of(), call.args[1], at);
                return Ok(old);
            }
            B::CellTake => {
                let old = self.take(call.of(), at, call.to);
                self.write_default(call.of(), at)?;
                return Ok(old);
            }
            B::CellSwap => self.swap(call.of(), at, call.word(1))?,
            B::CellGetMut => return Ok(at.into()),
            B::RefCellGetMut => {
                let part = self.in_ref_cell(self.referent(call.arg_types[0]));
                return Ok((at + part.offset).into());
            }
            B::RefCellReplace | B::RefCellTake => {
                let part = self.in_ref_cell(self.referent(call.arg_types[0]));
                if self.word(at) != 0 {
                    return panic(ALREADY_BORROWED);
                }
                let old = self.take(part.id, at + part.offset, call.to);
                if call.run == B::RefCellTake {
                    self.write_default(part.id, at + part.offset)?;
                } else {
                    self.store(part.id, call.args[1], at + part.offset);
                }
                return Ok(old);
            }
            B::RefCellTryBorrow | B::RefCellTryBorrowMut => {
                let part = self.in_ref_cell(self.referent(call.arg_types[0]));
                let flag = self.word(at).cast_signed();
                let is_mut = call.run == B::RefCellTryBorrowMut;
                let result = self.choice_of(call.result);
                let is_lent = if is_mut { flag != 0 } else { flag < 0 };
                if let (false, Some(guard)) = (is_lent, result.variants[0]) {
                    self.set_word(at, if is_mut { -1 } else { flag + 1 }.cast_unsigned());
                    self.set_word(call.to + guard.offset, at + part.offset);
                    self.set_word(call.to + guard.offset + WORD_BYTES, at);
                }
                self.set_variant(call.to, &result, usize::from(is_lent));
            }
            B::RefCellNew => {
                let part = self.in_ref_cell(call.result);
                self.set_word(call.to, 0);
                self.store(part.id, call.args[0], call.to + part.offset);
            }
            B::RefCellIntoInner => {
                let part = self.in_ref_cell(call.arg_types[0]);
                return Ok(self.take(part.id, at + part.offset, call.to));
            }
            B::RefCellBorrow | B::RefCellBorrowMut => {
                let part = self.in_ref_cell(self.referent(call.arg_types[0]));
                let flag = self.word(at).cast_signed();
                let flag = match call.run {
                    B::RefCellBorrow if flag < 0 => return panic(ALREADY_MUTABLY_BORROWED),
                    B::RefCellBorrow => flag + 1,
                    _ if flag != 0 => return panic(ALREADY_BORROWED),
                    _ => -1,
                };
                self.set_word(at, flag.cast_unsigned());
                self.set_word(call.to, at + part.offset);
                self.set_word(call.to + WORD_BYTES, at);
            }
            // The guards' `deref`.
            _ => return Ok(self.word(at).into()),
        }
        Ok(0)
    }

    fn in_ref_cell(&self, id: LayoutId) -> Part {
        let layout = Arc::clone(&self.layouts[id]);
        match layout.shape {
            Shape::RefCell(part) => part,
            _ => panic!("{} is no RefCell", layout.ty),
        }
    }
}
