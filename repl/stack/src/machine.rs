use std::ops::Range;
use std::sync::Arc;

use imbl::Vector;
use memory::{Bits, Pages};

use crate::value::Run;
use crate::{Type, Value};

/// Where the stack starts, and the stack pointer of an empty one. The byte at this address is never used.
pub const START: u32 = 0xffff_ffff;

/// Bytes of a return address or a saved frame pointer on our 64-bit machine.
const WORD_BYTES: u32 = 8;

/// Names one slot for good: later slots have larger numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// What lies in one place of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A pushed slot.
    Slot {
        /// Its name.
        name: Arc<str>,
        /// Its type; without one it is so many bytes.
        ty: Option<Type>,
        /// Whether Rust would let it be assigned to: all but a `let` without `mut`.
        mutable: bool,
    },
    /// The address a call will go on at.
    ReturnAddress(u64),
    /// The caller's frame pointer.
    FramePointer(u32),
    /// A frame's locals, reserved in one go.
    Locals,
}

/// A stretch of the stack in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its lowest address.
    pub address: u32,
    /// Its bytes, padding not counted.
    pub size_bytes: u32,
    /// Its alignment.
    pub align_bytes: u32,
    /// Bytes left unused above it, so that its address is a multiple of its alignment.
    pub padding_bytes: u32,
    /// What it is.
    pub kind: ItemKind,
    /// Its number; frames' words have one too.
    pub id: SlotId,
}

impl Item {
    /// The address just above its highest byte.
    pub fn end(&self) -> u32 {
        self.address + self.size_bytes
    }
}

#[derive(Clone, Debug)]
struct Frame {
    function: Arc<str>,
    /// Items below this index belong to the callers.
    first_item: usize,
    /// Items below this index stay until `ret`.
    first_slot: usize,
    sp_before: u32,
    caller_pointer: u32,
}

/// One byte as a dump shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Byte {
    /// Nobody wrote it since the machine started.
    Never,
    /// Written once, but not by its present owner; or it has no owner now.
    Old(u8),
    /// Written by its owner.
    Set(u8),
}

/// The stack would reach into the guard below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// Bytes asked for: with what belongs to them and the padding, unless they are beyond counting.
    pub wanted_bytes: u64,
    /// Bytes between the stack pointer and the stack's end.
    pub left_bytes: u32,
}

/// There is nothing to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Underflow {
    /// No slot on the stack at all.
    Empty,
    /// No slot in the frame of the function named; its caller's slots are not ours to pop.
    FrameEmpty(Arc<str>),
    /// No call to return from.
    NoCall,
}

/// Where a push went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The new item.
    pub item: Item,
    /// The stack pointer before.
    pub sp_before: u32,
}

/// What a pop took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Popped {
    /// The item that is gone.
    pub item: Item,
    /// The stack pointer now.
    pub sp: u32,
}

/// What a call reserved, from the top down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Return address, saved frame pointer if asked for, locals if any.
    pub items: Vec<Item>,
    /// The stack pointer before.
    pub sp_before: u32,
}

/// What a return took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The function that is left.
    pub function: Arc<str>,
    /// Everything of its frame, the newest first.
    pub items: Vec<Item>,
    /// The address the return goes to.
    pub return_to: u64,
    /// The stack pointer before.
    pub sp_before: u32,
    /// The stack pointer now.
    pub sp: u32,
}

/// The stack machine. Addresses run from `end()` up to [`START`]; it grows down.
#[derive(Clone)]
pub struct Stack {
    size_bytes: u32,
    sp: u32,
    /// The register, 0 until a frame sets it.
    frame_pointer: u32,
    bytes: Pages,
    written: Bits,
    set: Bits,
    items: Vector<Item>,
    frames: Vector<Frame>,
    next_id: u32,
}

impl Stack {
    /// An empty stack of `size_bytes`.
    pub fn new(size_bytes: u32) -> Self {
        Self {
            size_bytes,
            sp: START,
            frame_pointer: 0,
            bytes: Pages::new(size_bytes),
            written: Bits::new(size_bytes),
            set: Bits::new(size_bytes),
            items: Vector::new(),
            frames: Vector::new(),
            next_id: 0,
        }
    }

    /// An empty stack of `size_bytes` whose slots go on being numbered where this one stopped.
    #[must_use]
    pub fn replaced(&self, size_bytes: u32) -> Self {
        Self { next_id: self.next_id, ..Self::new(size_bytes) }
    }

    /// The lowest address that may be used; the guard lies below.
    pub fn end(&self) -> u32 {
        START - self.size_bytes
    }

    /// Its bytes, used or not.
    pub fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    /// The lowest byte in use.
    pub fn sp(&self) -> u32 {
        self.sp
    }

    /// Bytes in use, padding included.
    pub fn used_bytes(&self) -> u32 {
        START - self.sp
    }

    /// The items, the oldest first: addresses fall.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Item> + ExactSizeIterator {
        self.items.iter()
    }

    /// The functions called and not returned from, each with the number of items below its frame.
    pub fn frames(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&Arc<str>, usize)> + ExactSizeIterator {
        self.frames.iter().map(|frame| (&frame.function, frame.first_item))
    }

    /// The item numbered `id`, while it is on the stack.
    pub fn item(&self, id: SlotId) -> Option<&Item> {
        self.items.binary_search_by_key(&id, |item| item.id).ok().map(|index| &self.items[index])
    }

    /// The item whose bytes or padding hold `address`.
    pub fn item_at(&self, address: u32) -> Option<&Item> {
        // Addresses fall as the index grows: the first whose lowest byte is not above `address`.
        let (mut low, mut high) = (0, self.items.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.items[middle].address > address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.items.get(low).filter(|item| address < item.end() + item.padding_bytes)
    }

    /// Reserves a slot and stores its value, if it has one.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the slot and its padding do not fit; nothing has changed then.
    pub fn push(
        &mut self,
        size_bytes: u64,
        align_bytes: u32,
        kind: ItemKind,
        value: Option<&Value>,
    ) -> Result<Pushed, Overflow> {
        let sp_before = self.sp;
        let address = self.below(self.sp, size_bytes, align_bytes)?;
        let item = self.reserve(address, size_bytes as u32, align_bytes, kind);
        if let Some(value) = value {
            let mut at = item.address;
            value.bytes(&mut |run| match run {
                Run::Bytes(bytes) => {
                    self.write(at, bytes);
                    at += bytes.len() as u32;
                }
                Run::Repeat(byte, count) => {
                    self.fill(at..at + count as u32, byte);
                    at += count as u32;
                }
            });
        }
        Ok(Pushed { item, sp_before })
    }

    /// Takes the newest slot of the present frame away, its padding with it.
    ///
    /// # Errors
    ///
    /// [`Underflow`] if the frame has none.
    pub fn pop(&mut self) -> Result<Popped, Underflow> {
        let first_slot = self.frames.last().map_or(0, |frame| frame.first_slot);
        if self.items.len() <= first_slot {
            return Err(match self.frames.last() {
                Some(frame) => Underflow::FrameEmpty(Arc::clone(&frame.function)),
                None => Underflow::Empty,
            });
        }
        let item = self.items.pop_back().expect("an item was counted above");
        self.raise(item.end() + item.padding_bytes);
        Ok(Popped { item, sp: self.sp })
    }

    /// Opens a frame: return address, the caller's frame pointer if asked for, and `locals_bytes` at align 8.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the frame does not fit; nothing has changed then.
    pub fn call(
        &mut self,
        function: Arc<str>,
        return_to: u64,
        locals_bytes: u64,
        frame_pointer: bool,
    ) -> Result<Called, Overflow> {
        let words = 1 + u64::from(frame_pointer);
        let first = self.below(self.sp, words * u64::from(WORD_BYTES), WORD_BYTES)?;
        let locals = self.below(first, locals_bytes, WORD_BYTES)?;

        let frame = Frame {
            function,
            first_item: self.items.len(),
            first_slot: self.items.len() + words as usize + usize::from(locals_bytes > 0),
            sp_before: self.sp,
            caller_pointer: self.frame_pointer,
        };
        let sp_before = self.sp;
        let mut items = Vec::with_capacity(3);
        let mut address = first + (words as u32 - 1) * WORD_BYTES;
        items.push(self.word(address, ItemKind::ReturnAddress(return_to), return_to));
        if frame_pointer {
            address -= WORD_BYTES;
            let saved = self.frame_pointer;
            items.push(self.word(address, ItemKind::FramePointer(saved), u64::from(saved)));
            self.frame_pointer = address;
        }
        if locals_bytes > 0 {
            items.push(self.reserve(locals, locals_bytes as u32, WORD_BYTES, ItemKind::Locals));
        }
        self.frames.push_back(frame);
        Ok(Called { items, sp_before })
    }

    /// Leaves the newest frame and everything in it.
    ///
    /// # Errors
    ///
    /// [`Underflow::NoCall`] outside any call.
    pub fn ret(&mut self) -> Result<Returned, Underflow> {
        let frame = self.frames.pop_back().ok_or(Underflow::NoCall)?;
        let sp_before = self.sp;
        let mut items: Vec<_> = self.items.split_off(frame.first_item).into_iter().collect();
        let ItemKind::ReturnAddress(return_to) = items[0].kind else {
            unreachable!("a frame starts with its return address, not {:?}", items[0])
        };
        items.reverse();
        self.frame_pointer = frame.caller_pointer;
        self.raise(frame.sp_before);
        Ok(Returned { function: frame.function, items, return_to, sp_before, sp: self.sp })
    }

    /// Stores bytes in a range in use. The caller has checked whose they are.
    pub fn write(&mut self, address: u32, bytes: &[u8]) {
        let at = self.index(address);
        let range = at..at + bytes.len() as u32;
        self.bytes.write(at, bytes);
        self.written.fill(range.clone(), true);
        self.set.fill(range, true);
    }

    /// Stores one byte all over a range in use.
    pub fn fill(&mut self, range: Range<u32>, byte: u8) {
        let range = self.index(range.start)..self.index(range.end);
        self.bytes.fill(range.clone(), byte);
        self.written.fill(range.clone(), true);
        self.set.fill(range, true);
    }

    /// The bytes of a range between the stack's end and [`START`].
    pub fn read(&self, range: Range<u32>) -> Vec<u8> {
        self.bytes.read(self.index(range.start)..self.index(range.end))
    }

    /// The bytes from `address` on, as many as there is room for.
    pub fn read_into(&self, address: u32, bytes: &mut [u8]) {
        self.bytes.read_into(self.index(address), bytes);
    }

    /// Forgets that the range was written by its owner.
    pub fn unset(&mut self, range: Range<u32>) {
        let range = self.index(range.start)..self.index(range.end);
        self.set.fill(range, false);
    }

    /// The first byte of the range that its owner has not written.
    pub fn first_unset(&self, range: Range<u32>) -> Option<u32> {
        let end = self.end();
        self.set.first_clear(range.start - end..range.end - end).map(|at| at + end)
    }

    /// The first byte of the range that its owner has written.
    pub fn first_set(&self, range: Range<u32>) -> Option<u32> {
        let end = self.end();
        self.set.first_set(range.start - end..range.end - end).map(|at| at + end)
    }

    /// One byte between the stack's end and [`START`], as a dump shows it.
    pub fn byte(&self, address: u32) -> Byte {
        let at = self.index(address);
        match (self.written.get(at), self.set.get(at)) {
            (_, true) => Byte::Set(self.bytes.byte(at)),
            (true, false) => Byte::Old(self.bytes.byte(at)),
            (false, false) => Byte::Never,
        }
    }

    /// The value in an item, if all of its bytes are set and make one.
    pub fn value(&self, item: &Item) -> Option<Value> {
        let ItemKind::Slot { ty: Some(ty), .. } = &item.kind else { return None };
        let range = item.address..item.end();
        if self.first_unset(range.clone()).is_some() {
            return None;
        }
        Value::decode(ty, &self.read(range))
    }

    fn index(&self, address: u32) -> u32 {
        assert!(address >= self.end(), "{address:#x} lies below the stack's end {:#x}", self.end());
        address - self.end()
    }

    /// Where `size_bytes` go below `address`.
    fn below(&self, address: u32, size_bytes: u64, align_bytes: u32) -> Result<u32, Overflow> {
        let left_bytes = self.sp - self.end();
        let overflow = |wanted_bytes| Overflow { wanted_bytes, left_bytes };
        let lowest = u64::from(address).checked_sub(size_bytes).ok_or(overflow(size_bytes))?;
        let aligned = lowest - lowest % u64::from(align_bytes);
        if aligned < u64::from(self.end()) {
            return Err(overflow(u64::from(self.sp) - aligned));
        }
        Ok(aligned as u32)
    }

    fn reserve(&mut self, address: u32, size_bytes: u32, align_bytes: u32, kind: ItemKind) -> Item {
        let padding_bytes = self.sp - (address + size_bytes);
        let id = SlotId(self.next_id);
        self.next_id += 1;
        self.sp = address;
        let item = Item { address, size_bytes, align_bytes, padding_bytes, kind, id };
        self.items.push_back(item.clone());
        item
    }

    fn word(&mut self, address: u32, kind: ItemKind, value: u64) -> Item {
        let item = self.reserve(address, WORD_BYTES, WORD_BYTES, kind);
        self.write(address, &value.to_le_bytes());
        item
    }

    /// Moves the stack pointer up; the bytes below it stay, but belong to nobody.
    fn raise(&mut self, sp: u32) {
        let range = self.index(self.sp)..self.index(sp);
        self.set.fill(range, false);
        self.sp = sp;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scalar;

    fn slot(name: &str, ty: Option<Type>) -> ItemKind {
        ItemKind::Slot { name: name.into(), ty, mutable: true }
    }

    fn push(stack: &mut Stack, size: u64, align: u32) -> Result<Pushed, Overflow> {
        stack.push(size, align, slot("s", None), None)
    }

    #[test]
    fn two_hundred_bytes_then_a_word_leave_seven_of_padding() {
        let mut stack = Stack::new(65536);
        assert_eq!(push(&mut stack, 200, 1).unwrap().item.address, 0xffff_ff37);
        let word = push(&mut stack, 8, 8).unwrap().item;
        assert_eq!((word.address, word.padding_bytes, stack.used_bytes()), (0xffff_ff28, 7, 215));
        assert_eq!(stack.pop().unwrap().sp, 0xffff_ff37);
    }

    #[test]
    fn a_push_that_would_reach_the_guard_changes_nothing() {
        let mut stack = Stack::new(64);
        push(&mut stack, 60, 1).unwrap();
        let refused = push(&mut stack, 5, 1);
        assert_eq!(refused, Err(Overflow { wanted_bytes: 5, left_bytes: 4 }));
        assert_eq!(push(&mut stack, u64::MAX, 16).unwrap_err().left_bytes, 4);
        push(&mut stack, 4, 1).unwrap();
        assert_eq!(stack.sp(), stack.end());
    }

    #[test]
    fn a_value_is_read_back_and_stays_after_pop_as_old_bytes() {
        let mut stack = Stack::new(64);
        let value = Value::Scalar { scalar: Scalar::U16, bits: 0x1234 };
        let item = stack.push(2, 2, slot("x", Some(value.type_of())), Some(&value)).unwrap().item;
        assert_eq!(stack.value(&item), Some(value));
        stack.pop().unwrap();
        assert_eq!(stack.byte(item.address), Byte::Old(0x34));
        assert_eq!(stack.byte(item.address - 1), Byte::Never);
        push(&mut stack, 3, 1).unwrap();
        assert_eq!(stack.first_unset(stack.sp()..START), Some(stack.sp()));
    }

    #[test]
    fn a_call_and_its_return_restore_sp_and_the_frame_pointer() {
        let mut stack = Stack::new(1024);
        push(&mut stack, 3, 1).unwrap();
        let outer = stack.call("f".into(), 0x40_0010, 16, true).unwrap();
        assert_eq!(outer.items.iter().map(|item| item.size_bytes).collect::<Vec<_>>(), [8, 8, 16]);
        assert_eq!(outer.items[0].address % 8, 0);
        let inner = stack.call("g".into(), 0x40_0020, 0, true).unwrap();
        assert_eq!(inner.items[1].kind, ItemKind::FramePointer(outer.items[1].address));
        assert_eq!(stack.pop(), Err(Underflow::FrameEmpty("g".into())));
        push(&mut stack, 1, 1).unwrap();
        let returned = stack.ret().unwrap();
        assert_eq!((returned.return_to, returned.items.len()), (0x40_0020, 3));
        assert_eq!(stack.ret().unwrap().sp, START - 3);
        assert_eq!(stack.ret(), Err(Underflow::NoCall));
    }

    #[test]
    fn an_address_finds_the_item_that_holds_it() {
        let mut stack = Stack::new(1024);
        push(&mut stack, 200, 1).unwrap();
        push(&mut stack, 8, 8).unwrap();
        for (address, expect) in [
            (0xffff_ffff, None),
            (0xffff_fffe, Some(0)),
            (0xffff_ff37, Some(0)),
            (0xffff_ff36, Some(1)),
            (0xffff_ff28, Some(1)),
            (0xffff_ff27, None),
        ] {
            assert_eq!(stack.item_at(address).map(|item| item.id.0), expect, "{address:#x}");
        }
    }
}
