//! Bytes at addresses: the machine's stack and heap, and the program's read-only memory.

use super::leaks::Block;
use super::vm::{Halt, Run, Vm};
use crate::items::Items;
use crate::layout::{Choice, LayoutId, Tag, WORD_BYTES};
use crate::machine::{Machine, READ_ONLY_BASE, Refused, is_read_only};

/// So many bytes are looked for before they are read.
const LONG_BYTES: u64 = 4096;

/// What can be read.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) items: &'a Items,
    pub(super) machine: &'a dyn Machine,
}

impl Bytes<'_> {
    /// The bits of a value of up to 16 bytes, little end first.
    pub(super) fn bits(self, at: u64, size: u64) -> u128 {
        if is_read_only(at) {
            let mut bytes = [0; 16];
            self.copy_read_only(at, &mut bytes[..size as usize]);
            return u128::from_le_bytes(bytes);
        }
        self.machine.read_bits(at, size)
    }

    pub(super) fn word(self, at: u64) -> u64 {
        self.bits(at, WORD_BYTES) as u64
    }

    pub(super) fn bytes(self, at: u64, len: u64) -> Vec<u8> {
        // A `dare` may have made any number of this length: nothing is set aside for what is not there.
        assert!(
            len < LONG_BYTES || is_read_only(at) || self.machine.is_live(at, len),
            "{len} bytes at {at:#x} are in no slot and no block"
        );
        let mut bytes = vec![0; len as usize];
        if is_read_only(at) {
            self.copy_read_only(at, &mut bytes);
        } else if len > 0 {
            self.machine.read(at, &mut bytes);
        }
        bytes
    }

    /// The text of so many bytes.
    pub(super) fn text(self, at: u64, len: u64) -> String {
        String::from_utf8(self.bytes(at, len)).expect("only whole characters are stored in a str")
    }

    /// Which variant the `Option` or `Result` at `at` is.
    pub(super) fn variant(self, at: u64, choice: &Choice) -> usize {
        match choice.tag {
            // No other number is ever written; a stale reference may lead to one.
            Tag::Direct(size) => usize::from(self.bits(at, size) != 0),
            Tag::Niche { of, offset, size, other } => {
                if self.bits(at + offset, size) == other {
                    1 - of
                } else {
                    of
                }
            }
        }
    }

    fn copy_read_only(self, at: u64, bytes: &mut [u8]) {
        let start = (at - READ_ONLY_BASE) as usize;
        let stored = self.items.read_only.iter().skip(start);
        bytes.iter_mut().zip(stored).for_each(|(to, from)| *to = *from);
    }
}

/// An address and a length as one operand.
pub(super) fn fat(address: u64, len: u64) -> u128 {
    u128::from(address) | u128::from(len) << 64
}

/// The address and the length of a fat pointer.
pub(super) fn thin(fat: u128) -> (u64, u64) {
    (fat as u64, (fat >> 64) as u64)
}

impl Vm<'_> {
    pub(super) fn view(&self) -> Bytes<'_> {
        Bytes { items: self.items, machine: self.machine }
    }

    pub(super) fn bits(&self, at: u64, size: u64) -> u128 {
        self.view().bits(at, size)
    }

    pub(super) fn word(&self, at: u64) -> u64 {
        self.view().word(at)
    }

    pub(super) fn set_bits(&mut self, at: u64, size: u64, bits: u128) {
        if size > 0 {
            self.machine.write_bits(at, size, bits);
        }
    }

    pub(super) fn set_word(&mut self, at: u64, word: u64) {
        self.set_bits(at, WORD_BYTES, word.into());
    }

    /// Copies a value, its padding and unset bytes as they are.
    pub(super) fn copy(&mut self, from: u64, to: u64, len: u64) {
        if len == 0 || from == to {
            return;
        }
        if is_read_only(from) {
            let bytes = self.view().bytes(from, len);
            self.machine.write(to, &bytes);
        } else {
            self.machine.copy(from, to, len);
        }
    }

    /// Stores an argument or element: its bits if it is an operand, else what lies at that address.
    pub(super) fn store(&mut self, id: LayoutId, value: u128, to: u64) {
        let layout = &self.layouts[id];
        let size = layout.size;
        if layout.is_operand() {
            self.set_bits(to, size, value);
        } else {
            self.copy(value as u64, to, size);
        }
    }

    /// Takes a value from memory: the operand, or nothing once it is copied to `to`.
    pub(super) fn take(&mut self, id: LayoutId, from: u64, to: u64) -> u128 {
        let layout = &self.layouts[id];
        let size = layout.size;
        if layout.is_operand() {
            return self.bits(from, size);
        }
        self.copy(from, to, size);
        0
    }

    // The heap.

    /// A block for `what`. Without bytes it is no block: the address is the alignment, as std's dangling pointers are.
    pub(super) fn allocate(&mut self, size: u64, align: u64, what: Block) -> Run<u64> {
        self.allocate_in(None, size, align, what, false).map_err(Halt::from)
    }

    /// The same in a heap of the program's, if it names one.
    pub(super) fn allocate_in(
        &mut self,
        heap: Option<u64>,
        size: u64,
        align: u64,
        what: Block,
        is_zeroed: bool,
    ) -> Result<u64, Refused> {
        if size == 0 {
            return Ok(align);
        }
        let at = self.machine.allocate(heap, size, align, is_zeroed)?;
        self.state.blocks.insert(at, what);
        Ok(at)
    }

    pub(super) fn reallocate(
        &mut self,
        at: u64,
        size: u64,
        align: u64,
        new: u64,
    ) -> Result<u64, Refused> {
        let to = self.machine.reallocate(at, size, align, new)?;
        if to != at
            && let Some(block) = self.state.blocks.remove(&at)
        {
            self.state.blocks.insert(to, block);
        }
        Ok(to)
    }

    pub(super) fn deallocate(&mut self, at: u64, size: u64, align: u64) {
        if size > 0 {
            self.machine.deallocate(at, size, align);
            self.state.blocks.remove(&at);
        }
    }
}
