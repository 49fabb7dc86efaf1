//! `Vec`: growth, and what moves when.

use super::leaks::Block;
use super::library::Called;
use super::memory::{fat, thin};
use super::vm::{Halt, Run, Vm, element, panic};
use crate::layout::{Layout, LayoutId, Shape, WORD_BYTES, reserve_error, vec};
use crate::library::Builtin;
use crate::machine::Refused;
use crate::typed::CompareOp;

/// Where a vector lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct VecAt {
    at: u64,
    has_allocator: bool,
}

/// One without an allocator, as most are.
impl From<u64> for VecAt {
    fn from(at: u64) -> Self {
        Self { at, has_allocator: false }
    }
}

impl VecAt {
    /// One of that layout.
    pub(super) fn of(at: u64, layout: &Layout) -> Self {
        Self { at, has_allocator: layout.allocator_offset().is_some() }
    }

    fn len_at(self) -> u64 {
        self.at + if self.has_allocator { vec::ALLOCATOR + WORD_BYTES } else { vec::LEN }
    }
}

/// Where a vector lies and what it is made of now.
#[derive(Clone, Copy)]
pub(super) struct Header {
    at: VecAt,
    pub(super) capacity: u64,
    pub(super) first: u64,
    pub(super) len: u64,
}

/// Why there is no room for more elements.
enum NoRoom {
    /// More bytes than an address space has.
    Overflow,
    /// The heap refused so many bytes.
    Heap(u64),
}

impl From<NoRoom> for Halt {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::Overflow => Self::Panic("capacity overflow".to_owned()),
            NoRoom::Heap(_) => Refused::Heap.into(),
        }
    }
}

impl Vm<'_> {
    pub(super) fn header(&self, at: impl Into<VecAt>) -> Header {
        let at: VecAt = at.into();
        let [capacity, first, len] =
            [at.at + vec::CAPACITY, at.at + vec::POINTER, at.len_at()].map(|at| self.word(at));
        Header { at, capacity, first, len }
    }

    /// Writes all but the allocator.
    pub(super) fn write_vec(&mut self, at: impl Into<VecAt>, capacity: u64, first: u64, len: u64) {
        let at: VecAt = at.into();
        self.set_word(at.at + vec::CAPACITY, capacity);
        self.set_word(at.at + vec::POINTER, first);
        self.set_word(at.len_at(), len);
    }

    pub(super) fn set_len(&mut self, at: impl Into<VecAt>, len: u64) {
        self.set_word(at.into().len_at(), len);
    }

    /// The heap that a vector was given, if it was given one.
    fn heap_of(&self, at: VecAt) -> Option<u64> {
        at.has_allocator.then(|| self.word(at.at + vec::ALLOCATOR))
    }

    /// Bytes of so many elements.
    fn bytes_of(&self, of: LayoutId, count: u64) -> Result<u64, NoRoom> {
        let Layout { size, align, .. } = *self.layouts[of];
        let most = i64::MAX.cast_unsigned() - (align - 1);
        size.checked_mul(count).filter(|bytes| *bytes <= most).ok_or(NoRoom::Overflow)
    }

    /// A vector without elements but with room for `capacity`, at `to`, where its allocator lies already.
    pub(super) fn new_vec(
        &mut self,
        of: LayoutId,
        capacity: u64,
        is_zeroed: bool,
        to: impl Into<VecAt>,
    ) -> Run<u64> {
        let to: VecAt = to.into();
        let heap = self.heap_of(to);
        let (first, capacity) = self.new_elements_in(heap, of, capacity, is_zeroed)?;
        self.write_vec(to, capacity, first, 0);
        Ok(first)
    }

    /// Room for so many elements, and the capacity of who owns them.
    pub(super) fn new_elements(
        &mut self,
        of: LayoutId,
        count: u64,
        is_zeroed: bool,
    ) -> Run<(u64, u64)> {
        self.new_elements_in(None, of, count, is_zeroed)
    }

    fn new_elements_in(
        &mut self,
        heap: Option<u64>,
        of: LayoutId,
        count: u64,
        is_zeroed: bool,
    ) -> Run<(u64, u64)> {
        let bytes = self.bytes_of(of, count)?;
        let align = self.layouts[of].align;
        let first = self.allocate_in(heap, bytes, align, Block::elements(of), is_zeroed)?;
        // Elements without a size need no room, so there is always room for them.
        Ok((first, if bytes == 0 { 0 } else { count }))
    }

    fn capacity(&self, of: LayoutId, header: &Header) -> u64 {
        if self.layouts[of].size == 0 { u64::MAX } else { header.capacity }
    }

    /// Room for `more` elements: twice the capacity if that is enough, and not fewer than is worth a block.
    fn grow(
        &mut self,
        of: LayoutId,
        header: &mut Header,
        more: u64,
        is_exact: bool,
    ) -> Result<(), NoRoom> {
        if more <= self.capacity(of, header) - header.len {
            return Ok(());
        }
        let size = self.layouts[of].size;
        let needed = header.len.checked_add(more).filter(|_| size > 0).ok_or(NoRoom::Overflow)?;
        let least = match size {
            1 => 8,
            2..=1024 => 4,
            _ => 1,
        };
        let capacity = if is_exact { needed } else { needed.max(header.capacity * 2).max(least) };
        self.set_capacity(of, header, capacity)
    }

    fn set_capacity(
        &mut self,
        of: LayoutId,
        header: &mut Header,
        capacity: u64,
    ) -> Result<(), NoRoom> {
        let bytes = self.bytes_of(of, capacity)?;
        let Layout { size, align, .. } = *self.layouts[of];
        let old = header.capacity * size;
        let placed = if old == 0 {
            let heap = self.heap_of(header.at);
            self.allocate_in(heap, bytes, align, Block::elements(of), false)
        } else {
            self.reallocate(header.first, old, align, bytes)
        };
        header.first = placed.map_err(|_| NoRoom::Heap(bytes))?;
        header.capacity = capacity;
        self.set_word(header.at.at + vec::CAPACITY, header.capacity);
        self.set_word(header.at.at + vec::POINTER, header.first);
        Ok(())
    }

    pub(super) fn reserve(&mut self, of: LayoutId, at: impl Into<VecAt>, more: u64) -> Run<Header> {
        let mut header = self.header(at);
        self.grow(of, &mut header, more, false)?;
        Ok(header)
    }

    /// Gives back what is not used, down to a capacity.
    pub(super) fn shrink(&mut self, of: LayoutId, at: impl Into<VecAt>, least: u64) -> Run {
        let at: VecAt = at.into();
        let mut header = self.header(at);
        let Layout { size, align, .. } = *self.layouts[of];
        let capacity = header.len.max(least);
        if size == 0 || header.capacity <= capacity {
            return Ok(());
        }
        if capacity > 0 {
            return Ok(self.set_capacity(of, &mut header, capacity)?);
        }
        self.deallocate(header.first, header.capacity * size, align);
        self.write_vec(at, 0, align, 0);
        Ok(())
    }

    /// `Vec<T>` from so many clones of a value, the last of which is the value itself.
    fn repeat_elem(&mut self, of: LayoutId, value: u128, count: u64, to: u64) -> Run {
        let is_zero = self.is_zero(of, value);
        let first = self.new_vec(of, count, is_zero, to)?;
        if count == 0 {
            if !self.layouts[of].is_operand() {
                self.drop_later(value as u64, of);
            }
            return Ok(());
        }
        if !is_zero {
            self.fill_with(of, value, first, count)?;
        }
        self.set_len(to, count);
        Ok(())
    }

    /// So many values, clones but for the last.
    fn fill_with(&mut self, of: LayoutId, value: u128, first: u64, count: u64) -> Run {
        let size = self.layouts[of].size;
        let last = first + (count - 1) * size;
        if self.is_plain(of) {
            self.store(of, value, first);
            return self.replicate(first, size, count);
        }
        for index in 0..count - 1 {
            self.clone_to(of, value as u64, first + index * size)?;
        }
        self.store(of, value, last);
        Ok(())
    }

    /// Whether all bytes of a value are zero and std knows that of its type: then it asks for zeroed memory.
    fn is_zero(&self, of: LayoutId, value: u128) -> bool {
        let layout = &self.layouts[of];
        match &layout.shape {
            Shape::Scalar(_) => value == 0,
            Shape::Array(element, len) if *len <= 16 => {
                let size = self.layouts[*element].size;
                (0..*len).all(|index| self.is_zero_at(*element, value as u64 + index * size))
            }
            Shape::Record { fields, .. } if matches!(layout.ty, crate::types::Type::Tuple(_)) => {
                !fields.is_empty()
                    && fields
                        .iter()
                        .all(|part| self.is_zero_at(part.id, value as u64 + part.offset))
            }
            // `None` of what is never null.
            Shape::Choice(choice) => match choice.variants {
                [None, Some(part)] => {
                    let payload = &self.layouts[part.id];
                    matches!(payload.shape, Shape::Reference(_) | Shape::Box(_))
                        && payload.allocator_offset().is_none()
                        && self.variant(value as u64, choice) == 0
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_zero_at(&self, of: LayoutId, at: u64) -> bool {
        let layout = &self.layouts[of];
        let value = if layout.is_operand() { self.bits(at, layout.size) } else { at.into() };
        self.is_zero(of, value)
    }

    pub(super) fn vec(&mut self, call: &Called<'_>) -> Run<u128> {
        let of = call.of();
        let Layout { size, align, .. } = *self.layouts[of];
        let has_allocator = call.types.len() > 1;
        let (at, to) =
            (VecAt { at: call.word(0), has_allocator }, VecAt { at: call.to, has_allocator });
        match call.run {
            Builtin::VecNewIn | Builtin::VecWithCapacityIn => {
                let (capacity, heap) = match call.run {
                    Builtin::VecNewIn => (0, call.word(0)),
                    _ => (call.word(0), call.word(1)),
                };
                self.set_word(call.to + vec::ALLOCATOR, heap);
                self.new_vec(of, capacity, false, to)?;
            }
            Builtin::VecNew => self.write_vec(call.to, 0, align, 0),
            Builtin::VecWithCapacity => {
                self.new_vec(of, call.word(0), false, call.to)?;
            }
            Builtin::VecFromElem => self.repeat_elem(of, call.args[0], call.word(1), call.to)?,
            Builtin::VecFromArray => {
                let (first, len) = thin(self.bits(call.word(0), 2 * WORD_BYTES));
                let capacity = if size == 0 { 0 } else { len };
                self.write_vec(call.to, capacity, first, len);
                if let Some(block) = self.state.blocks.get_mut(&first).filter(|_| size > 0) {
                    *block = Block::elements(of);
                }
            }
            Builtin::VecPush => {
                let header = self.reserve(of, at, 1)?;
                self.store(of, call.args[1], header.first + header.len * size);
                self.set_len(at, header.len + 1);
            }
            Builtin::VecPop => {
                let header = self.header(at);
                if header.len == 0 {
                    self.write_none(call.result, call.to);
                } else {
                    self.set_len(at, header.len - 1);
                    let last = header.first + (header.len - 1) * size;
                    self.write_payload(call.result, 1, last, call.to);
                }
            }
            Builtin::VecInsert => {
                let (index, len) = (call.word(1), self.header(at).len);
                if index > len {
                    return panic(format!(
                        "insertion index (is {index}) should be <= len (is {len})"
                    ));
                }
                let header = self.reserve(of, at, 1)?;
                let place = header.first + index * size;
                self.count_steps((len - index) * size / 64)?;
                self.copy(place, place + size, (len - index) * size);
                self.store(of, call.args[2], place);
                self.set_len(at, len + 1);
            }
            Builtin::VecRemove | Builtin::VecSwapRemove => {
                let (index, Header { first, len, .. }) = (call.word(1), self.header(at));
                let is_swap = call.run == Builtin::VecSwapRemove;
                if index >= len {
                    let what = if is_swap { "swap_remove" } else { "removal" };
                    return panic(format!("{what} index (is {index}) should be < len (is {len})"));
                }
                let place = first + index * size;
                let value = self.take(of, place, call.to);
                if is_swap {
                    self.copy(first + (len - 1) * size, place, size);
                } else {
                    self.count_steps((len - index) * size / 64)?;
                    self.copy(place + size, place, (len - index - 1) * size);
                }
                self.set_len(at, len - 1);
                return Ok(value);
            }
            Builtin::VecTruncate => self.truncate(of, at, call.word(1)),
            Builtin::VecClear => self.truncate(of, at, 0),
            Builtin::VecAppend => {
                let other = self.header(VecAt { at: call.word(1), ..at });
                let header = self.reserve(of, at, other.len)?;
                self.count_steps(other.len * size / 64)?;
                self.copy(other.first, header.first + header.len * size, other.len * size);
                self.set_len(other.at, 0);
                self.set_len(at, header.len + other.len);
            }
            Builtin::VecExtendFromSlice => {
                let (from, count) = thin(call.args[1]);
                let header = self.reserve(of, at, count)?;
                self.clone_elements(of, from, header.first + header.len * size, count)?;
                self.set_len(at, header.len + count);
            }
            Builtin::VecResize => {
                let (wanted, len) = (call.word(1), self.header(at).len);
                if wanted > len {
                    let header = self.reserve(of, at, wanted - len)?;
                    let place = header.first + len * size;
                    self.fill_with(of, call.args[2], place, wanted - len)?;
                    self.set_len(at, wanted);
                } else {
                    if !self.layouts[of].is_operand() {
                        self.drop_later(call.word(2), of);
                    }
                    self.truncate(of, at, wanted);
                }
            }
            Builtin::VecReserve => {
                self.reserve(of, at, call.word(1))?;
            }
            Builtin::VecReserveExact => {
                let mut header = self.header(at);
                self.grow(of, &mut header, call.word(1), true)?;
            }
            Builtin::VecTryReserve | Builtin::VecTryReserveExact => {
                let mut header = self.header(at);
                let is_exact = call.run == Builtin::VecTryReserveExact;
                let result = self.grow(of, &mut header, call.word(1), is_exact);
                self.write_reserved(call, align, &result);
            }
            Builtin::VecShrinkToFit => self.shrink(of, at, 0)?,
            Builtin::VecShrinkTo => self.shrink(of, at, call.word(1))?,
            Builtin::VecSplitOff => {
                let (index, header) = (call.word(1), self.header(at));
                let len = header.len;
                if index > len {
                    return panic(format!(
                        "`at` split index (is {index}) should be <= len (is {len})"
                    ));
                }
                if let Some(heap) = self.heap_of(at) {
                    self.set_word(call.to + vec::ALLOCATOR, heap);
                }
                let first = self.new_vec(of, len - index, false, to)?;
                self.count_steps((len - index) * size / 64)?;
                self.copy(header.first + index * size, first, (len - index) * size);
                self.set_len(to, len - index);
                self.set_len(at, index);
            }
            Builtin::VecDedup => self.dedup(of, at)?,
            Builtin::VecLen => return Ok(self.header(at).len.into()),
            Builtin::VecIsEmpty => return Ok((self.header(at).len == 0).into()),
            Builtin::VecCapacity => {
                let header = self.header(at);
                return Ok(self.capacity(of, &header).into());
            }
            Builtin::VecIntoBoxedSlice => {
                self.shrink(of, at, 0)?;
                let Header { first, len, .. } = self.header(at);
                self.set_bits(call.to, 2 * WORD_BYTES, fat(first, len));
                if let Some(heap) = self.heap_of(at) {
                    self.set_word(call.to + 2 * WORD_BYTES, heap);
                }
            }
            Builtin::VecIndex | Builtin::VecIndexMut => {
                let Header { first, len, .. } = self.header(at);
                return Ok(element(first, len, call.word(1), size)?.into());
            }
            // `leak`, `as_slice`, `deref`.
            _ => {
                let Header { first, len, .. } = self.header(at);
                return Ok(fat(first, len));
            }
        }
        Ok(0)
    }

    /// Drops each element that equals the one before it. They go to the end first.
    fn dedup(&mut self, of: LayoutId, at: VecAt) -> Run {
        let (header, size) = (self.header(at), self.layouts[of].size);
        let place = |index: u64| (of, u128::from(header.first + index * size));
        let (mut kept, mut twice) = (Vec::new(), Vec::new());
        for index in 0..header.len {
            let is_same = match kept.last() {
                Some(last) => self.compare(CompareOp::Eq, place(index), place(*last))?,
                None => false,
            };
            if is_same { twice.push(index) } else { kept.push(index) }
        }
        let count = twice.len() as u64;
        kept.append(&mut twice);
        self.permute(of, header.first, kept)?;
        self.truncate(of, at, header.len - count);
        Ok(())
    }

    /// Drops what is behind the first `len` elements. They are out of the vector before the first one is dropped.
    fn truncate(&mut self, of: LayoutId, at: VecAt, len: u64) {
        let header = self.header(at);
        if len < header.len {
            self.set_len(at, len);
            let size = self.layouts[of].size;
            self.drop_elements_later(header.first + len * size, of, header.len - len);
        }
    }

    /// `Ok(())`, or what was asked for.
    fn write_reserved(&mut self, call: &Called<'_>, align: u64, result: &Result<(), NoRoom>) {
        let Shape::Choice(choice) = self.layouts[call.result].shape.clone() else {
            panic!("try_reserve gives a Result")
        };
        match result {
            Ok(()) => self.set_variant(call.to, &choice, 0),
            Err(no_room) => {
                let at = call.to + choice.variants[1].map_or(0, |part| part.offset);
                match no_room {
                    NoRoom::Overflow => self.set_word(at + reserve_error::ALIGN, 0),
                    NoRoom::Heap(bytes) => {
                        self.set_word(at + reserve_error::ALIGN, align);
                        self.set_word(at + reserve_error::SIZE, *bytes);
                    }
                }
                self.set_variant(call.to, &choice, 1);
            }
        }
    }
}
