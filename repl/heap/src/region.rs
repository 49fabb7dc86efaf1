use std::ptr::NonNull;

use memory::Pages;

use crate::{MAX_ARENA, Offset};

/// The bytes an allocator manages and keeps its own headers and links in.
///
/// Every method panics outside `0..len()`. Words are little-endian and lie at multiples of 4.
pub trait Memory {
    /// How many bytes there are, at most [`MAX_ARENA`].
    fn len(&self) -> u32;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The word at `at`.
    fn word(&self, at: Offset) -> u32;

    /// Stores a word at `at`.
    fn set_word(&mut self, at: Offset, word: u32);

    /// Copies `len` bytes from one place to another; the two do not overlap.
    fn copy(&mut self, from: Offset, to: Offset, len: u32);
}

impl Memory for Pages {
    fn len(&self) -> u32 {
        self.len()
    }

    #[inline]
    fn word(&self, at: Offset) -> u32 {
        self.word(at.0)
    }

    #[inline]
    fn set_word(&mut self, at: Offset, word: u32) {
        self.set_word(at.0, word);
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        self.copy(from.0, to.0, len);
    }
}

/// A range of real memory, owned by whoever holds the `Region`.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    len: u32,
}

// SAFETY: `Region::new` demands that nobody else uses the memory, so moving the one owner to another thread is fine.
unsafe impl Send for Region {}

impl Region {
    /// The memory from `base` on, `len` bytes long, rounded down to a multiple of 16.
    ///
    /// # Safety
    ///
    /// For as long as the region or a block from it is used, the memory is valid for reads and writes and nothing
    /// else uses it. `base` is a multiple of 16 and `len` at most [`MAX_ARENA`].
    ///
    /// # Panics
    ///
    /// If `base` is null or `len` too large.
    pub const unsafe fn new(base: *mut u8, len: usize) -> Self {
        assert!(len <= MAX_ARENA as usize, "a region is at most 1 GiB");
        let Some(base) = NonNull::new(base) else { panic!("a region does not start at null") };
        Self { base, len: len as u32 & !15 }
    }

    /// Where the region starts.
    pub const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The pointer to `len` bytes at `at`, checked to lie inside.
    #[inline]
    fn pointer(&self, at: Offset, len: u32) -> NonNull<u8> {
        assert!(len <= self.len && at.0 <= self.len - len, "{at:?} + {len} of {}", self.len);
        // SAFETY: the assert keeps the offset inside the region that `new` was promised.
        unsafe { self.base.add(at.0 as usize) }
    }
}

impl Memory for Region {
    fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn word(&self, at: Offset) -> u32 {
        // SAFETY: `pointer` is valid for 4 bytes; designs keep their words at multiples of 4 from an aligned base,
        // and initialise each before reading it. Unaligned reads cost nothing more here and ask for less.
        u32::from_le(unsafe { self.pointer(at, 4).cast::<u32>().read_unaligned() })
    }

    #[inline]
    fn set_word(&mut self, at: Offset, word: u32) {
        // SAFETY: `pointer` is valid for 4 bytes, and `&mut self` is the only owner.
        unsafe { self.pointer(at, 4).cast::<u32>().write_unaligned(word.to_le()) }
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        let (source, target) = (self.pointer(from, len), self.pointer(to, len));
        // SAFETY: both are valid for `len` bytes; `copy_to` allows any overlap.
        unsafe { source.copy_to(target, len as usize) }
    }
}
