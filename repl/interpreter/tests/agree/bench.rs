//! The machine that programs run on here: it hands out every block anew and notices every access outside of one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use interpreter::{Machine, NewSlot, Note, Refused};

const STACK_TOP: u64 = 0xffff_ffff;
const STACK_BYTES: u64 = 1 << 20;
const HEAP_BASE: u64 = 0x1000_0000;
const HEAP_BYTES: u64 = 1 << 26;
/// Between two blocks, so that no access reaches from one to the next.
const GAP_BYTES: u64 = 32;

/// A program without its loop's end, as shrinking makes them, is stopped when it has asked so often.
const MOST_LOOKS: u32 = 500;

/// A stack, a heap, and what was printed.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) printed: String,
    stack: Vec<u8>,
    /// The stack pointers before each slot, and before each frame how many slots there were.
    slots: Vec<u64>,
    frames: Vec<usize>,
    stack_pointer: u64,
    heap: Vec<u8>,
    /// How often it was asked to stop.
    looks: Cell<u32>,
    /// Sizes and alignments of the live blocks.
    blocks: BTreeMap<u64, (u64, u64)>,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            printed: String::new(),
            stack: vec![0xcd; STACK_BYTES as usize],
            slots: Vec::new(),
            frames: Vec::new(),
            stack_pointer: STACK_TOP,
            heap: Vec::new(),
            looks: Cell::new(0),
            blocks: BTreeMap::new(),
        }
    }
}

impl Bench {
    /// The bytes at an address; all must be in use.
    fn bytes(&self, at: u64, len: u64) -> &[u8] {
        match self.place(at, len) {
            Ok(start) => &self.stack[start..start + len as usize],
            Err(start) => &self.heap[start..start + len as usize],
        }
    }

    fn bytes_mut(&mut self, at: u64, len: u64) -> &mut [u8] {
        match self.place(at, len) {
            Ok(start) => &mut self.stack[start..start + len as usize],
            Err(start) => &mut self.heap[start..start + len as usize],
        }
    }

    /// Where in the stack, or else in the heap.
    fn place(&self, at: u64, len: u64) -> Result<usize, usize> {
        if len == 0 {
            return Ok(0);
        }
        if at >= self.stack_pointer && at + len <= STACK_TOP {
            return Ok((at - (STACK_TOP - STACK_BYTES)) as usize);
        }
        let block = self.blocks.range(..=at).next_back();
        let is_inside = block.is_some_and(|(start, (size, _))| at + len <= start + size);
        assert!(is_inside, "{len} bytes at {at:#x} are in no slot and no block");
        Err((at - HEAP_BASE) as usize)
    }
}

impl Machine for Bench {
    fn push(&mut self, slot: &NewSlot<'_>) -> Result<u64, Refused> {
        let room = self.stack_pointer - (STACK_TOP - STACK_BYTES);
        if slot.size + slot.align > room {
            return Err(Refused::Stack);
        }
        self.slots.push(self.stack_pointer);
        self.stack_pointer = (self.stack_pointer - slot.size) / slot.align * slot.align;
        let (at, size) = (self.stack_pointer, slot.size);
        self.bytes_mut(at, size).fill(0xcd);
        Ok(at)
    }

    fn pop(&mut self, count: usize) {
        for _ in 0..count {
            self.stack_pointer = self.slots.pop().expect("a slot was pushed");
        }
    }

    fn enter(&mut self, _function: &Arc<str>, _line: u32) -> Result<(), Refused> {
        self.frames.push(self.slots.len());
        Ok(())
    }

    fn leave(&mut self) {
        let slots = self.frames.pop().expect("a frame was entered");
        self.pop(self.slots.len() - slots);
    }

    fn allocate(&mut self, size: u64, align: u64, is_zeroed: bool) -> Result<u64, Refused> {
        assert!(size > 0, "no block has no bytes");
        let at = (HEAP_BASE + self.heap.len() as u64 + GAP_BYTES).next_multiple_of(align);
        let end = at - HEAP_BASE + size;
        if end > HEAP_BYTES {
            return Err(Refused::Heap);
        }
        self.heap.resize(end as usize, 0xcd);
        self.blocks.insert(at, (size, align));
        if is_zeroed {
            self.bytes_mut(at, size).fill(0);
        }
        Ok(at)
    }

    fn reallocate(&mut self, at: u64, size: u64, align: u64, new: u64) -> Result<u64, Refused> {
        let moved = self.allocate(new, align, false)?;
        self.copy(at, moved, size.min(new));
        self.deallocate(at, size, align);
        Ok(moved)
    }

    fn deallocate(&mut self, at: u64, size: u64, align: u64) {
        self.bytes_mut(at, size).fill(0xdd);
        assert_eq!(self.blocks.remove(&at), Some((size, align)), "the block at {at:#x}");
    }

    fn read(&self, at: u64, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.bytes(at, bytes.len() as u64));
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.bytes_mut(at, bytes.len() as u64).copy_from_slice(bytes);
    }

    fn fill(&mut self, at: u64, len: u64, byte: u8) {
        self.bytes_mut(at, len).fill(byte);
    }

    fn copy(&mut self, from: u64, to: u64, len: u64) {
        let bytes = self.bytes(from, len).to_vec();
        self.write(to, &bytes);
    }

    fn tell(&mut self, note: Note) {
        if let Note::Print(text) = note {
            self.printed += &text;
        }
    }

    fn is_stopped(&self) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.looks.get() > MOST_LOOKS
    }
}
