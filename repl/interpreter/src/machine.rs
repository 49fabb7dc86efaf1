//! What a program runs on: a stack and a heap, which belong to the caller.

use std::sync::Arc;

use crate::types::Heap;

/// Where string literals lie: read-only memory of the program.
pub const READ_ONLY_BASE: u64 = 0x0050_0000;

/// Whether an address is one of a string literal or vtable.
pub fn is_read_only(at: u64) -> bool {
    (READ_ONLY_BASE..0x1000_0000).contains(&at)
}

/// The machine. Addresses are the reader's: the stack falls from `0xffff_ffff`, the heap rises from `0x1000_0000`.
///
/// The interpreter keeps its side of the contract: it reads only what it wrote, frees only what it allocated and that
/// once, pops what it pushed in reverse. A breach is a bug of ours, and the machine panics.
pub trait Machine {
    /// Reserves a variable's bytes on the stack, unset; the address of the lowest.
    ///
    /// # Errors
    ///
    /// [`Refused::Stack`].
    fn push(&mut self, slot: &NewSlot<'_>) -> Result<u64, Refused>;

    /// Takes the newest `count` slots away.
    fn pop(&mut self, count: usize);

    /// Opens a frame for a call that stands at `line`.
    ///
    /// # Errors
    ///
    /// [`Refused::Stack`].
    fn enter(&mut self, function: &Arc<str>, line: u32) -> Result<(), Refused>;

    /// Leaves the newest frame and every slot in it.
    fn leave(&mut self);

    /// The address of a heap that the program names: what `&bump` is.
    ///
    /// # Errors
    ///
    /// [`Refused::Heap`] if there can be none.
    fn heap(&mut self, heap: Heap) -> Result<u64, Refused>;

    /// A block of `size` bytes, above zero: of the heap at an address that [`Self::heap`] gave, or of the one in use. The
    /// block's own address tells from then on whose it is.
    ///
    /// # Errors
    ///
    /// [`Refused::Heap`].
    fn allocate(
        &mut self,
        heap: Option<u64>,
        size: u64,
        align: u64,
        is_zeroed: bool,
    ) -> Result<u64, Refused>;

    /// Resizes a block, in place or by moving it; on refusal it is as it was.
    ///
    /// # Errors
    ///
    /// [`Refused::Heap`].
    fn reallocate(&mut self, at: u64, size: u64, align: u64, new: u64) -> Result<u64, Refused>;

    /// Gives a block back.
    fn deallocate(&mut self, at: u64, size: u64, align: u64);

    /// Whether all of these bytes are in one slot or block that is in use. What a reader is told follows references, and a
    /// variable may hold one to what is gone, as long as the program does not use it.
    fn is_live(&self, at: u64, len: u64) -> bool;

    /// Copies bytes out, of the stack or the heap.
    fn read(&self, at: u64, bytes: &mut [u8]);

    /// Stores bytes.
    fn write(&mut self, at: u64, bytes: &[u8]);

    /// Sets `len` bytes to `byte`.
    fn fill(&mut self, at: u64, len: u64, byte: u8);

    /// Copies `len` bytes that may overlap, set or unset.
    fn copy(&mut self, from: u64, to: u64, len: u64);

    /// The bits of `size` bytes, at most 16, little end first: a number read without a buffer.
    fn read_bits(&self, at: u64, size: u64) -> u128 {
        let mut bytes = [0; 16];
        self.read(at, &mut bytes[..size as usize]);
        u128::from_le_bytes(bytes)
    }

    /// Stores the low `size` bytes of a number.
    fn write_bits(&mut self, at: u64, size: u64, bits: u128) {
        self.write(at, &bits.to_le_bytes()[..size as usize]);
    }

    /// Something to tell the reader.
    fn tell(&mut self, note: Note);

    /// Whether somebody asked to stop: looked at now and then.
    fn is_stopped(&self) -> bool;
}

/// A variable that wants a place.
#[derive(Clone, Copy, Debug)]
pub struct NewSlot<'a> {
    /// Its name; a temporary has none.
    pub name: Option<&'a Arc<str>>,
    /// Its type.
    pub ty: &'a crate::types::Type,
    /// Its bytes.
    pub size: u64,
    /// Its alignment.
    pub align: u64,
    /// Whether it is `mut`.
    pub is_mutable: bool,
}

/// The machine has no room. It knows why, and says so when asked: the interpreter only carries this on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The stack would reach into its guard.
    Stack,
    /// The heap found no place, or the request could never be valid.
    Heap,
}

/// Something a program did that a reader wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A variable has its first value.
    Bind(Bound),
    /// A place got another value.
    Assign {
        /// As the program calls it.
        place: String,
        /// Where it lies.
        address: u64,
        /// Its bytes.
        size: u64,
        /// As `{:?}` prints it.
        value: String,
    },
    /// A line without a semicolon has a value.
    Value {
        /// Its type.
        ty: String,
        /// As `{:?}` prints it.
        value: String,
    },
    /// Text was printed.
    Print(String),
    /// A variable that had something to drop was dropped.
    Drop {
        /// Its name.
        name: Arc<str>,
    },
    /// A panic unwound.
    Panic {
        /// What it said.
        message: String,
    },
}

/// A variable with its first value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: crate::types::Type,
    /// Where it lies.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// As `{:?}` prints it, where it can be.
    pub value: String,
    /// Of a pointer to a `dyn`: the type of what it points to.
    pub behind: Option<String>,
}
