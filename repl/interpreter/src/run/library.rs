//! Calls of the library: each does what std's function of that name does.

use std::sync::Arc;

use super::Held;
use super::code::{Arg, LibraryCall};
use super::drop::Task;
use super::leaks::Block;
use super::memory::{fat, thin};
use super::vm::{Run, Vm};
use crate::layout::{LINK_BYTES, Layout, LayoutId, Shape, WORD_BYTES};
use crate::library::Builtin;
use crate::types::Lib;

/// A call with its arguments: numbers and references as they are, everything else by its address.
pub(super) struct Called<'a> {
    pub(super) run: Builtin,
    /// What the row's `T` and `E` stand for.
    pub(super) types: &'a [LayoutId],
    pub(super) args: [u128; 3],
    pub(super) arg_types: &'a [LayoutId],
    /// Where a result that is no operand goes.
    pub(super) to: u64,
    pub(super) result: LayoutId,
}

impl Called<'_> {
    /// An argument that is a number of a word or an address.
    pub(super) fn word(&self, arg: usize) -> u64 {
        self.args[arg] as u64
    }

    /// `T`.
    pub(super) fn of(&self) -> LayoutId {
        self.types[0]
    }
}

impl Vm<'_> {
    pub(super) fn library(&mut self, call: &LibraryCall) -> Run {
        let count = call.args.iter().filter(|arg| matches!(arg, Arg::Operand)).count();
        let first = self.operands.len() - count;
        let mut operand = first;
        let mut args = [0; 3];
        for (value, arg) in args.iter_mut().zip(&call.args) {
            *value = match arg {
                Arg::Operand => {
                    operand += 1;
                    self.operands[operand - 1]
                }
                Arg::Slot(slot) => self.slot(*slot).address.into(),
            };
        }
        self.operands.truncate(first);
        let called = Called {
            run: call.run,
            types: &call.types,
            args,
            arg_types: &call.arg_types,
            to: call.result.map_or(0, |loc| self.address(loc)),
            result: call.result_type,
        };
        let value = self.call_library(&called)?;
        // After a panic they are still the caller's, which drops them.
        for arg in &call.args {
            if let Arg::Slot(slot) = arg {
                self.slot_mut(*slot).held = Held::Moved;
            }
        }
        if self.layouts[call.result_type].is_operand() {
            self.operands.push(value);
        }
        Ok(())
    }

    fn call_library(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        match call.run {
            B::Default => self.default(call.result, call.to),
            B::NeedsDrop => Ok(self.layouts[call.of()].needs_drop.into()),
            B::Clone => {
                let of = self.referent(call.arg_types[0]);
                self.clone_to(of, call.word(0), call.to)
            }
            B::ToString => {
                let of = self.referent(call.arg_types[0]);
                self.display(of, call.args[0], call.to)
            }
            B::Swap => {
                self.swap(call.of(), call.word(0), call.word(1))?;
                Ok(0)
            }
            B::Replace => {
                let old = self.take(call.of(), call.word(0), call.to);
                self.store(call.of(), call.args[1], call.word(0));
                Ok(old)
            }
            B::Take => {
                let old = self.take(call.of(), call.word(0), call.to);
                self.write_default(call.of(), call.word(0))?;
                Ok(old)
            }
            B::Forget => Ok(0),
            B::PrintBytes => {
                let (at, len) = thin(call.args[0]);
                let text = String::from_utf8_lossy(&self.view().bytes(at, len)).into_owned();
                self.count_steps(len / 16)?;
                self.machine.tell(crate::machine::Note::Print(text));
                Ok(0)
            }
            B::Drop => {
                self.drop_later(call.word(0), call.arg_types[0]);
                Ok(0)
            }
            B::SizeOf => Ok(self.layouts[call.of()].size.into()),
            B::AlignOf => Ok(self.layouts[call.of()].align.into()),
            B::SizeOfVal => {
                let of = self.referent(call.arg_types[0]);
                Ok(self.size_behind(of, thin(call.args[0]).1).into())
            }
            B::AlignOfVal => {
                let of = match self.referent(call.arg_types[0]) {
                    of if matches!(self.layouts[of].shape, Shape::Dyn) => {
                        self.behind_dyn(thin(call.args[0]).1)
                    }
                    of => of,
                };
                Ok(self.layouts[of].align.into())
            }
            B::BoxNew => {
                let Layout { size, align, .. } = *self.layouts[call.of()];
                let at = self.allocate(size, align, Block::value(call.of()))?;
                self.store(call.of(), call.args[0], at);
                self.set_word(call.to, at);
                Ok(0)
            }
            B::BoxNewIn => {
                let Layout { size, align, .. } = *self.layouts[call.of()];
                let heap = call.word(1);
                let what = Block::value(call.of());
                let at = self.allocate_in(Some(heap), size, align, what, false)?;
                self.store(call.of(), call.args[0], at);
                self.set_word(call.to, at);
                self.set_word(call.to + WORD_BYTES, heap);
                Ok(0)
            }
            // The pointer, without the allocator behind it.
            B::BoxLeak => Ok(self.bits(call.word(0), self.layouts[call.result].size)),
            B::VecNew
            | B::VecWithCapacity
            | B::VecNewIn
            | B::VecWithCapacityIn
            | B::VecFromElem
            | B::VecFromArray
            | B::VecPush
            | B::VecPop
            | B::VecInsert
            | B::VecRemove
            | B::VecSwapRemove
            | B::VecTruncate
            | B::VecAppend
            | B::VecExtendFromSlice
            | B::VecSplitOff
            | B::VecDedup
            | B::VecResize
            | B::VecReserve
            | B::VecReserveExact
            | B::VecTryReserve
            | B::VecTryReserveExact
            | B::VecShrinkToFit
            | B::VecShrinkTo
            | B::VecClear
            | B::VecLen
            | B::VecIsEmpty
            | B::VecCapacity
            | B::VecAsSlice
            | B::VecAsMutSlice
            | B::VecIntoBoxedSlice
            | B::VecLeak
            | B::VecIndex
            | B::VecIndexMut
            | B::VecDeref
            | B::VecDerefMut => self.vec(call),
            B::SliceLen
            | B::SliceIsEmpty
            | B::SliceFirst
            | B::SliceLast
            | B::SliceGet
            | B::SliceGetMut
            | B::SliceIter
            | B::SliceSwap
            | B::SliceReverse
            | B::SliceRotateLeft
            | B::SliceRotateRight
            | B::SliceSort
            | B::SliceBinarySearch
            | B::SliceStartsWith
            | B::SliceEndsWith
            | B::SliceSplitAt
            | B::SliceCopyFromSlice
            | B::SliceRepeat
            | B::SliceConcat
            | B::SliceFill
            | B::SliceContains
            | B::SliceToVec
            | B::SliceRange
            | B::SliceRangeMut
            | B::SliceThrough
            | B::SliceThroughMut
            | B::SliceFrom
            | B::SliceFromMut => self.slice(call),
            B::StringNew
            | B::StringWithCapacity
            | B::StringFrom
            | B::StringPush
            | B::StringPushStr
            | B::StringPop
            | B::StringInsert
            | B::StringInsertStr
            | B::StringSplitOff
            | B::StringRemove
            | B::StringTruncate
            | B::StringReserve
            | B::StringShrinkToFit
            | B::StringClear
            | B::StringLen
            | B::StringIsEmpty
            | B::StringCapacity
            | B::StringAsStr
            | B::StringIntoBytes
            | B::StringFromUtf8Lossy
            | B::StringAdd
            | B::StringDeref => self.string(call),
            B::StrLen
            | B::StrIsEmpty
            | B::StrToOwned
            | B::StrAsBytes
            | B::StrContains
            | B::StrStartsWith
            | B::StrEndsWith
            | B::StrIsCharBoundary
            | B::StrFind
            | B::StrRfind
            | B::StrStripPrefix
            | B::StrStripSuffix
            | B::StrSplitOnce
            | B::StrSplitAt
            | B::StrParse
            | B::StrTrimStart
            | B::StrTrimEnd
            | B::StrIsAscii
            | B::StrEqIgnoreAsciiCase
            | B::StrToAsciiUppercase
            | B::StrToAsciiLowercase
            | B::StrConcat
            | B::StrJoin
            | B::StrTrim
            | B::StrRepeat
            | B::StrToUppercase
            | B::StrToLowercase
            | B::StrRange
            | B::StrThrough
            | B::StrFrom => self.str(call),
            B::OptionUnwrap
            | B::OptionExpect
            | B::OptionUnwrapOr
            | B::OptionUnwrapOrDefault
            | B::OptionAnd
            | B::OptionOr
            | B::OptionXor
            | B::OptionZip
            | B::OptionFlatten
            | B::OptionIsSome
            | B::OptionIsNone
            | B::OptionTake
            | B::OptionReplace
            | B::OptionInsert
            | B::OptionGetOrInsert
            | B::OptionAsRef
            | B::OptionAsMut
            | B::OptionOkOr
            | B::OptionCloned
            | B::OptionCopied
            | B::ResultUnwrap
            | B::ResultExpect
            | B::ResultUnwrapErr
            | B::ResultUnwrapOr
            | B::ResultExpectErr
            | B::ResultUnwrapOrDefault
            | B::ResultAsRef
            | B::ResultIsOk
            | B::ResultIsErr
            | B::ResultOk
            | B::ResultErr => self.choice(call),
            B::RcNew
            | B::RcStrongCount
            | B::RcWeakCount
            | B::RcDowngrade
            | B::RcPtrEq
            | B::RcGetMut
            | B::RcTryUnwrap
            | B::RcIntoInner
            | B::RcUnwrapOrClone
            | B::RcMakeMut
            | B::RcDeref
            | B::WeakNew
            | B::WeakUpgrade
            | B::WeakStrongCount
            | B::WeakWeakCount => self.rc(call),
            B::CowIntoOwned | B::CowToMut | B::CowDeref => self.cow(call),
            B::CellNew
            | B::CellGet
            | B::CellSet
            | B::CellReplace
            | B::CellTake
            | B::CellSwap
            | B::CellGetMut
            | B::CellIntoInner
            | B::RefCellTryBorrow
            | B::RefCellTryBorrowMut
            | B::RefCellReplace
            | B::RefCellTake
            | B::RefCellGetMut
            | B::RefCellNew
            | B::RefCellBorrow
            | B::RefCellBorrowMut
            | B::RefCellIntoInner
            | B::RefGuardDeref
            | B::RefMutGuardDeref
            | B::RefMutGuardDerefMut => self.cell(call),
            B::HeaplessVecNew
            | B::HeaplessVecFromSlice
            | B::HeaplessVecPush
            | B::HeaplessVecPop
            | B::HeaplessVecInsert
            | B::HeaplessVecRemove
            | B::HeaplessVecSwapRemove
            | B::HeaplessVecTruncate
            | B::HeaplessVecClear
            | B::HeaplessVecExtendFromSlice
            | B::HeaplessVecResize
            | B::HeaplessVecCapacity
            | B::HeaplessVecIsFull
            | B::HeaplessVecIsEmpty
            | B::HeaplessVecAsSlice
            | B::HeaplessVecAsMutSlice
            | B::HeaplessVecStartsWith
            | B::HeaplessVecEndsWith
            | B::HeaplessVecDeref
            | B::HeaplessVecDerefMut => self.heapless_vec(call),
            B::HeaplessStringNew
            | B::HeaplessStringTryFrom
            | B::HeaplessStringPush
            | B::HeaplessStringPushStr
            | B::HeaplessStringPop
            | B::HeaplessStringInsert
            | B::HeaplessStringInsertStr
            | B::HeaplessStringRemove
            | B::HeaplessStringTruncate
            | B::HeaplessStringClear
            | B::HeaplessStringCapacity
            | B::HeaplessStringAsStr
            | B::HeaplessStringIntoBytes
            | B::HeaplessStringDeref => self.heapless_string(call),
            B::DequeNew
            | B::DequePushBack
            | B::DequePushFront
            | B::DequePopBack
            | B::DequePopFront
            | B::DequeFront
            | B::DequeFrontMut
            | B::DequeBack
            | B::DequeBackMut
            | B::DequeGet
            | B::DequeGetMut
            | B::DequeSwap
            | B::DequeSwapRemoveFront
            | B::DequeSwapRemoveBack
            | B::DequeTruncate
            | B::DequeClear
            | B::DequeLen
            | B::DequeCapacity
            | B::DequeIsFull
            | B::DequeIsEmpty
            | B::DequeAsSlices => self.deque(call),
            B::PoolAlloc
            | B::PoolManage
            | B::BoxBlockNew
            | B::PoolBoxDeref
            | B::PoolBoxDerefMut => Ok(self.pool(call)),
            B::IntPow
            | B::IntAbs
            | B::IntClamp
            | B::IntRemEuclid
            | B::IntDivEuclid
            | B::IntWrappingNeg
            | B::IntCheckedRem
            | B::IntCheckedPow
            | B::IntOverflowingAdd
            | B::IntOverflowingSub
            | B::IntOverflowingMul
            | B::IntSaturatingMul
            | B::IntCountZeros
            | B::IntLeadingOnes
            | B::IntTrailingOnes
            | B::IntRotateLeft
            | B::IntRotateRight
            | B::IntSwapBytes
            | B::IntReverseBits
            | B::IntIsqrt
            | B::IntIlog2
            | B::IntIlog10
            | B::IntToLeBytes
            | B::IntToBeBytes
            | B::IntFromLeBytes
            | B::IntFromBeBytes
            | B::IntAbsDiff
            | B::IntDivCeil
            | B::IntNextMultipleOf
            | B::IntCheckedNextPowerOfTwo
            | B::IntSignum
            | B::IntIsNegative
            | B::IntIsPositive
            | B::IntMin
            | B::IntMax
            | B::IntWrappingAdd
            | B::IntWrappingSub
            | B::IntWrappingMul
            | B::IntCheckedAdd
            | B::IntCheckedSub
            | B::IntCheckedMul
            | B::IntCheckedDiv
            | B::IntSaturatingAdd
            | B::IntSaturatingSub
            | B::IntCountOnes
            | B::IntLeadingZeros
            | B::IntTrailingZeros
            | B::IntIsPowerOfTwo
            | B::IntNextPowerOfTwo => self.integer(call),
            B::FloatSqrt
            | B::FloatAbs
            | B::FloatMin
            | B::FloatMax
            | B::FloatFloor
            | B::FloatPowi
            | B::FloatCeil
            | B::FloatRound
            | B::FloatTrunc
            | B::FloatIsNan
            | B::FloatSignum
            | B::FloatToBits
            | B::FloatFromBits => Ok(self.float(call)),
            B::BoolThenSome => {
                if call.args[0] == 1 {
                    self.write_variant(call.result, 1, call.args[1], call.to);
                } else {
                    if !self.layouts[call.arg_types[1]].is_operand() {
                        self.drop_later(call.word(1), call.arg_types[1]);
                    }
                    self.write_none(call.result, call.to);
                }
                Ok(0)
            }
            B::CharIsAlphabetic
            | B::CharIsNumeric
            | B::CharIsAlphanumeric
            | B::CharIsWhitespace
            | B::CharIsUppercase
            | B::CharIsLowercase
            | B::CharIsControl
            | B::CharIsAscii
            | B::CharIsAsciiAlphabetic
            | B::CharIsAsciiDigit
            | B::CharIsAsciiHexdigit
            | B::CharIsAsciiAlphanumeric
            | B::CharIsAsciiUppercase
            | B::CharIsAsciiLowercase
            | B::CharIsAsciiWhitespace
            | B::CharIsAsciiPunctuation
            | B::CharToAsciiUppercase
            | B::CharToAsciiLowercase
            | B::CharEqIgnoreAsciiCase
            | B::CharLenUtf8
            | B::CharIsDigit
            | B::CharToDigit
            | B::CharFromDigit
            | B::CharFromU32 => self.char(call),
        }
    }

    /// What a reference refers to.
    pub(super) fn referent(&self, id: LayoutId) -> LayoutId {
        match &self.layouts[id].shape {
            Shape::Reference(to) => *to,
            shape => panic!("{shape:?} is no reference"),
        }
    }

    /// The bytes of what a reference of that length refers to.
    pub(super) fn size_behind(&self, id: LayoutId, len: u64) -> u64 {
        match &self.layouts[id].shape {
            Shape::Str => len,
            Shape::Slice(element) => self.layouts[*element].size * len,
            Shape::Dyn => self.layouts[self.behind_dyn(len)].size,
            _ => self.layouts[id].size,
        }
    }

    /// The type of the value whose vtable lies at an address.
    pub(super) fn behind_dyn(&self, vtable: u64) -> LayoutId {
        self.layouts.of_vtable(vtable).expect("a dyn has a vtable")
    }

    /// Has what lies at `to` dropped, and puts the value there after that.
    pub(super) fn replace_later(&mut self, id: LayoutId, value: u128, to: u64) {
        if self.layouts[id].needs_drop {
            let size = self.layouts[id].size;
            self.tasks.push(Task::Move { from: value as u64, to, size });
            self.drop_later(to, id);
        } else {
            self.store(id, value, to);
        }
    }

    /// Two values change places. A third place is needed for one of them meanwhile.
    pub(super) fn swap(&mut self, id: LayoutId, a: u64, b: u64) -> Run {
        if self.layouts[id].is_operand() {
            let size = self.layouts[id].size;
            let (old_a, old_b) = (self.bits(a, size), self.bits(b, size));
            self.set_bits(a, size, old_b);
            self.set_bits(b, size, old_a);
            return Ok(());
        }
        let layout = Arc::clone(&self.layouts[id]);
        let between = self.borrow_slot(&layout)?;
        self.copy(a, between, layout.size);
        self.copy(b, a, layout.size);
        self.copy(between, b, layout.size);
        self.machine.pop(1);
        Ok(())
    }

    /// `T::default()`: an operand, or made at `to`.
    pub(super) fn default(&mut self, id: LayoutId, to: u64) -> Run<u128> {
        match self.layouts[id].shape {
            // `""` and `&[]`: nowhere, but aligned.
            Shape::Reference(of) => return Ok(fat(self.layouts[of].align, 0)),
            Shape::Scalar(_) => {}
            _ => self.write_default(id, to)?,
        }
        Ok(0)
    }

    /// A tuple of arguments, made at `to`.
    pub(super) fn write_tuple(&mut self, id: LayoutId, values: &[u128], to: u64) {
        let layout = Arc::clone(&self.layouts[id]);
        let Shape::Record { fields, .. } = &layout.shape else {
            panic!("{} is no tuple", layout.ty)
        };
        for (part, value) in fields.iter().zip(values) {
            self.store(part.id, *value, to + part.offset);
        }
    }

    /// `T::default()`, made at `to`.
    pub(super) fn write_default(&mut self, id: LayoutId, to: u64) -> Run {
        let layout = Arc::clone(&self.layouts[id]);
        match &layout.shape {
            Shape::Scalar(_) => self.set_bits(to, layout.size, 0),
            // `""` and `&[]`: nowhere, but aligned.
            Shape::Reference(of) => {
                self.set_word(to, self.layouts[*of].align);
                self.set_word(to + WORD_BYTES, 0);
            }
            Shape::Record { fields, .. } => {
                for part in fields {
                    self.write_default(part.id, to + part.offset)?;
                }
            }
            Shape::Array(element, len) => {
                let size = self.layouts[*element].size;
                self.count_steps(*len)?;
                for index in 0..*len {
                    self.write_default(*element, to + index * size)?;
                }
            }
            Shape::Choice(choice) => match choice.variants {
                [Some(_), Some(owned)] => {
                    self.write_default(owned.id, to + owned.offset)?;
                    self.set_variant(to, choice, 1);
                }
                _ => self.set_variant(to, choice, 0),
            },
            Shape::Vec(element) => self.write_vec(to, 0, self.layouts[*element].align, 0),
            Shape::Cell(inner) => self.write_default(*inner, to)?,
            Shape::RefCell(inner) => {
                self.set_word(to, 0);
                self.write_default(inner.id, to + inner.offset)?;
            }
            Shape::Box(of) if !self.layouts[*of].ty.is_sized() => {
                self.set_word(to, self.layouts[*of].align);
                self.set_word(to + WORD_BYTES, 0);
            }
            Shape::Box(of) => {
                let Layout { size, align, .. } = *self.layouts[*of];
                let at = self.allocate(size, align, Block::value(*of))?;
                self.write_default(*of, at)?;
                self.set_word(to, at);
            }
            Shape::Rc(of) => {
                let at = self.new_rc(*of)?;
                self.write_default(*of, at + self.layouts.rc_value_offset(*of))?;
                self.set_word(to, at);
            }
            Shape::Weak(_) => self.set_word(to, u64::MAX),
            Shape::Inline(..) | Shape::Deque(_) => self.new_heapless(id, to),
            Shape::Error(Lib::CapacityError) => {}
            Shape::BoxBlock(_) => self.set_bits(to, LINK_BYTES, 0),
            shape => panic!("{shape:?} has no default"),
        }
        Ok(())
    }
}
