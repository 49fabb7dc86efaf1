//! A machine that takes nothing on trust: it panics when a byte is read that nobody wrote, a block is freed with a size it
//! does not have, a slot is popped that is not there, or anything is touched outside what is in use.

#![allow(dead_code, reason = "no test needs all of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use interpreter::types::Heap;
use interpreter::{Machine, NewSlot, Note, Refused};

const STACK_START: u64 = 0xffff_ffff;
const HEAP_START: u64 = 0x1000_0000;
/// Where the heaps beside it are said to be.
const HEAPS_START: u64 = 0x5000_0000;
/// Their names.
pub(crate) const HEAPS: &[&str] = &["bump", "first-fit", "tlsf"];
/// The same as a program has them that rustc compiles. What it prints does not depend on where they put things.
pub(crate) const HEAPS_OF_RUSTC: &str = include_str!("heaps.txt");
/// Bytes between two blocks that belong to nobody.
const GAP_BYTES: u64 = 16;

/// Bytes with what is known of each.
#[derive(Clone)]
struct Memory {
    start: u64,
    bytes: Vec<u8>,
    is_set: Vec<bool>,
}

impl Memory {
    fn new(start: u64, len: u64) -> Self {
        let len = len as usize;
        Self { start, bytes: vec![0; len], is_set: vec![false; len] }
    }

    fn range(&self, at: u64, len: u64) -> std::ops::Range<usize> {
        let from = (at - self.start) as usize;
        from..from + len as usize
    }
}

#[derive(Clone, Copy)]
struct Slot {
    address: u64,
    size: u64,
    sp_before: u64,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct TestMachine {
    stack: Memory,
    heap: Memory,
    sp: u64,
    slots: Vec<Slot>,
    frames: Vec<(usize, u64)>,
    next_block: u64,
    /// The heaps beside the one in use, in the order they were named. All share the bytes.
    heaps: Vec<Heap>,
    /// The blocks that were asked of one of them.
    pub(crate) named: BTreeMap<u64, Heap>,
    /// Size and alignment of each live block.
    pub(crate) blocks: BTreeMap<u64, (u64, u64)>,
    /// The largest request the heap grants.
    pub(crate) most_bytes: u64,
    /// How often a block was asked for with zeroed bytes.
    pub(crate) zeroed: u64,
    /// What was told.
    pub(crate) notes: Vec<Note>,
    /// Looks until it asks to stop.
    pub(crate) looks_left: std::cell::Cell<u64>,
}

impl TestMachine {
    pub(crate) fn new(stack_bytes: u64, heap_bytes: u64) -> Self {
        Self {
            stack: Memory::new(STACK_START - stack_bytes, stack_bytes),
            heap: Memory::new(HEAP_START, heap_bytes),
            sp: STACK_START,
            slots: Vec::new(),
            frames: Vec::new(),
            next_block: HEAP_START,
            heaps: Vec::new(),
            named: BTreeMap::new(),
            blocks: BTreeMap::new(),
            most_bytes: u64::MAX,
            zeroed: 0,
            notes: Vec::new(),
            looks_left: std::cell::Cell::new(u64::MAX),
        }
    }

    /// Slots on the stack.
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// What was printed.
    pub(crate) fn printed(&self) -> String {
        let printed = self.notes.iter().filter_map(|note| match note {
            Note::Print(text) => Some(text.as_str()),
            _ => None,
        });
        printed.collect()
    }

    /// Bytes, set or not.
    pub(crate) fn bytes(&self, at: u64, len: u64) -> Vec<u8> {
        let memory = self.memory(at);
        memory.bytes[memory.range(at, len)].to_vec()
    }

    /// Whether each byte is set.
    pub(crate) fn set(&self, at: u64, len: u64) -> Vec<bool> {
        let memory = self.memory(at);
        memory.is_set[memory.range(at, len)].to_vec()
    }

    fn memory(&self, at: u64) -> &Memory {
        if at >= self.stack.start { &self.stack } else { &self.heap }
    }

    fn memory_mut(&mut self, at: u64) -> &mut Memory {
        if at >= self.stack.start { &mut self.stack } else { &mut self.heap }
    }

    fn check(&self, at: u64, len: u64) {
        assert!(self.is_live(at, len), "{len} bytes at {at:#x} are in no slot and no block");
    }
}

impl Machine for TestMachine {
    fn push(&mut self, slot: &NewSlot<'_>) -> Result<u64, Refused> {
        let lowest = self.sp.checked_sub(slot.size).ok_or(Refused::Stack)?;
        let address = lowest - lowest % slot.align;
        if address < self.stack.start {
            return Err(Refused::Stack);
        }
        self.slots.push(Slot { address, size: slot.size, sp_before: self.sp });
        self.sp = address;
        let range = self.stack.range(address, slot.size);
        self.stack.is_set[range].fill(false);
        Ok(address)
    }

    fn pop(&mut self, count: usize) {
        let first = self.frames.last().map_or(0, |frame| frame.0);
        assert!(self.slots.len() - first >= count, "{count} slots are not there");
        for _ in 0..count {
            self.sp = self.slots.pop().expect("they were counted").sp_before;
        }
    }

    fn enter(&mut self, _: &Arc<str>, _: u32) -> Result<(), Refused> {
        if self.sp < self.stack.start + 16 {
            return Err(Refused::Stack);
        }
        self.frames.push((self.slots.len(), self.sp));
        self.sp = (self.sp - 8) / 8 * 8;
        Ok(())
    }

    fn leave(&mut self) {
        let (slots, sp) = self.frames.pop().expect("a frame is left once");
        self.slots.truncate(slots);
        self.sp = sp;
    }

    fn heap(&mut self, heap: Heap) -> Result<u64, Refused> {
        let known = self.heaps.iter().position(|known| *known == heap);
        let index = known.unwrap_or_else(|| {
            self.heaps.push(heap);
            self.heaps.len() - 1
        });
        Ok(HEAPS_START + index as u64)
    }

    fn allocate(
        &mut self,
        heap: Option<u64>,
        size: u64,
        align: u64,
        is_zeroed: bool,
    ) -> Result<u64, Refused> {
        let named = heap.map(|at| self.heaps[(at - HEAPS_START) as usize]);
        assert!(size > 0 && align.is_power_of_two());
        let at = self.next_block.next_multiple_of(align);
        let end = self.heap.start + self.heap.bytes.len() as u64;
        if size > self.most_bytes || at.checked_add(size + GAP_BYTES).is_none_or(|to| to > end) {
            return Err(Refused::Heap);
        }
        self.next_block = at + size + GAP_BYTES;
        self.blocks.insert(at, (size, align));
        self.named.extend(named.map(|heap| (at, heap)));
        let range = self.heap.range(at, size);
        self.heap.bytes[range.clone()].fill(0);
        self.heap.is_set[range].fill(is_zeroed);
        self.zeroed += u64::from(is_zeroed);
        Ok(at)
    }

    fn reallocate(&mut self, at: u64, size: u64, align: u64, new: u64) -> Result<u64, Refused> {
        assert_eq!(self.blocks.get(&at), Some(&(size, align)), "a block is resized as it is");
        let heap = self.named.get(&at).copied().map(|heap| self.heap(heap)).transpose()?;
        let to = self.allocate(heap, new, align, false)?;
        self.copy(at, to, size.min(new));
        self.deallocate(at, size, align);
        Ok(to)
    }

    fn deallocate(&mut self, at: u64, size: u64, align: u64) {
        assert_eq!(self.blocks.remove(&at), Some((size, align)), "a block is freed as it is");
        self.named.remove(&at);
    }

    fn is_live(&self, at: u64, len: u64) -> bool {
        let Some(end) = at.checked_add(len) else { return false };
        if at >= self.sp {
            let slot = self.slots.partition_point(|slot| slot.address > at);
            self.slots.get(slot).is_some_and(|slot| end <= slot.address + slot.size)
        } else {
            let block = self.blocks.range(..=at).next_back();
            block.is_some_and(|(start, (size, _))| end <= *start + size)
        }
    }

    fn read(&self, at: u64, bytes: &mut [u8]) {
        let len = bytes.len() as u64;
        self.check(at, len);
        let memory = self.memory(at);
        let range = memory.range(at, len);
        let unset = memory.is_set[range.clone()].iter().position(|is_set| !is_set);
        assert_eq!(unset, None, "{len} bytes at {at:#x}: a byte is read that nobody wrote");
        bytes.copy_from_slice(&memory.bytes[range]);
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.check(at, bytes.len() as u64);
        let memory = self.memory_mut(at);
        let range = memory.range(at, bytes.len() as u64);
        memory.bytes[range.clone()].copy_from_slice(bytes);
        memory.is_set[range].fill(true);
    }

    fn fill(&mut self, at: u64, len: u64, byte: u8) {
        self.check(at, len);
        let memory = self.memory_mut(at);
        let range = memory.range(at, len);
        memory.bytes[range.clone()].fill(byte);
        memory.is_set[range].fill(true);
    }

    fn copy(&mut self, from: u64, to: u64, len: u64) {
        self.check(from, len);
        self.check(to, len);
        let source = self.memory(from);
        let range = source.range(from, len);
        let (bytes, is_set) = (source.bytes[range.clone()].to_vec(), source.is_set[range].to_vec());
        let target = self.memory_mut(to);
        let range = target.range(to, len);
        target.bytes[range.clone()].copy_from_slice(&bytes);
        target.is_set[range].copy_from_slice(&is_set);
    }

    fn tell(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn is_stopped(&self) -> bool {
        let left = self.looks_left.get();
        self.looks_left.set(left.saturating_sub(1));
        left == 0
    }
}
