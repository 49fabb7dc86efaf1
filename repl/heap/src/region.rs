use std::ops::Range;
use std::ptr::NonNull;

use memory::Pages;

use crate::{MAX_ARENA, Offset, sandbox};

/// The bytes an allocator manages and keeps its own headers and links in.
///
/// Words are little-endian and lie at multiples of 4. Every range lies inside `0..len()`; [`Pages`] and [`Region`] panic
/// when it does not.
pub trait Memory: Sized {
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

    /// The word `field_bytes` above `block`. The same as `word(block.plus(field_bytes))`, but for real memory one
    /// instruction: a sum of offsets may wrap around and has to be made first, a sum of addresses is part of a load.
    #[inline]
    fn field(&self, block: Offset, field_bytes: u32) -> u32 {
        self.word(block.plus(field_bytes))
    }

    /// Stores a word `field_bytes` above `block`, as [`Memory::field`] loads it.
    #[inline]
    fn set_field(&mut self, block: Offset, field_bytes: u32, word: u32) {
        self.set_word(block.plus(field_bytes), word);
    }

    /// The byte at `at`.
    fn byte(&self, at: Offset) -> u8;

    /// Stores a byte at `at`.
    fn set_byte(&mut self, at: Offset, byte: u8);

    /// Copies `len` bytes from one place to another; the two may overlap only if `to` is the lower one.
    fn copy(&mut self, from: Offset, to: Offset, len: u32);

    /// Copies the bytes from `at` on into `into`.
    fn read(&self, at: Offset, into: &mut [u8]);

    /// Stores `bytes` from `at` on.
    fn write(&mut self, at: Offset, bytes: &[u8]);

    /// Sets every byte of a range to `byte`.
    fn fill(&mut self, range: Range<Offset>, byte: u8);

    /// Adds bytes until there are `len`. Only memory that can grow; real regions cannot.
    fn grow(&mut self, len: u32);

    /// Cuts the memory at `at`, a multiple of 16, before anyone has used it: this one ends there, the new one starts there.
    #[must_use]
    fn split(&mut self, at: Offset) -> Self;

    /// Memory for `len` bytes of books beside the blocks, before anyone has used it. A region gives up its last bytes for
    /// them. The prompt's pages give up none: there the books lie outside the arena, as an operating system's do.
    #[must_use]
    fn books(&mut self, len: u32) -> Self;
}

/// Memory at a real address.
///
/// # Safety
///
/// `base()` points to `len()` bytes that nobody but the memory's owner uses, and stays the same.
pub unsafe trait Real: Memory + Send {
    /// Where it starts.
    fn base(&self) -> NonNull<u8>;
}

impl Memory for Pages {
    fn len(&self) -> u32 {
        self.len()
    }

    #[inline]
    fn word(&self, at: Offset) -> u32 {
        sandbox::access(at, 4, self.len());
        if sandbox::is_running() && !at.0.is_multiple_of(4) {
            let bytes = std::array::from_fn(|index| self.byte(at.0 + index as u32));
            return u32::from_le_bytes(bytes);
        }
        self.word(at.0)
    }

    #[inline]
    fn set_word(&mut self, at: Offset, word: u32) {
        sandbox::access(at, 4, self.len());
        if sandbox::is_running() && !at.0.is_multiple_of(4) {
            return self.write(at.0, &word.to_le_bytes());
        }
        self.set_word(at.0, word);
    }

    fn byte(&self, at: Offset) -> u8 {
        sandbox::access(at, 1, self.len());
        self.byte(at.0)
    }

    fn set_byte(&mut self, at: Offset, byte: u8) {
        sandbox::access(at, 1, self.len());
        self.write(at.0, &[byte]);
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        sandbox::access(from, len, self.len());
        sandbox::access(to, len, self.len());
        self.copy(from.0, to.0, len);
    }

    fn read(&self, at: Offset, into: &mut [u8]) {
        sandbox::access(at, into.len() as u32, self.len());
        into.copy_from_slice(&self.read(at.0..at.0 + into.len() as u32));
    }

    fn write(&mut self, at: Offset, bytes: &[u8]) {
        sandbox::access(at, bytes.len() as u32, self.len());
        self.write(at.0, bytes);
    }

    fn fill(&mut self, range: Range<Offset>, byte: u8) {
        sandbox::access(range.start, range.end.0.saturating_sub(range.start.0), self.len());
        self.fill(range.start.0..range.end.0, byte);
    }

    fn grow(&mut self, len: u32) {
        self.grow(len);
    }

    fn split(&mut self, at: Offset) -> Self {
        let rest = Self::new(Offset(self.len()).since(at));
        *self = Self::new(at.0);
        rest
    }

    fn books(&mut self, len: u32) -> Self {
        Self::new(len)
    }
}

/// A range of real memory, owned by whoever holds the `Region`. Every access is checked to lie inside: a damaged link
/// stops the program instead of leading it astray.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    len: u32,
}

// SAFETY: `Region::new` demands that nobody else uses the memory, so moving the one owner to another thread is fine.
unsafe impl Send for Region {}

// SAFETY: `Region::new` demands it.
unsafe impl Real for Region {
    fn base(&self) -> NonNull<u8> {
        self.base
    }
}

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
    pub const fn start(&self) -> NonNull<u8> {
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

/// A [`Region`] whose accesses are checked in debug builds alone: what the fastest allocators do, and for programs whose
/// blocks are never written past their ends.
#[derive(Debug)]
pub struct TrustedRegion(Region);

// SAFETY: as for the region inside.
unsafe impl Real for TrustedRegion {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }
}

impl TrustedRegion {
    /// Takes over `region`, and trusts it.
    ///
    /// # Safety
    ///
    /// Every range that [`Memory`]'s methods get lies inside the region. The designs of this crate see to that as long as
    /// nobody writes to the region but into blocks while they are live.
    pub const unsafe fn new(region: Region) -> Self {
        Self(region)
    }

    /// Where the region starts.
    pub const fn start(&self) -> NonNull<u8> {
        self.0.base
    }

    #[inline]
    fn pointer(&self, at: Offset, len: u32) -> NonNull<u8> {
        debug_assert!(
            len <= self.0.len && at.0 <= self.0.len - len,
            "{at:?} + {len} of {}",
            self.0.len
        );
        // SAFETY: `new` was promised that the range lies inside.
        unsafe { self.0.base.add(at.0 as usize) }
    }
}

/// [`Memory`] for a type with `pointer`, `bytes_long` and `cut`.
macro_rules! real_memory {
    ($memory:ty) => {
        impl Memory for $memory {
            #[inline]
            fn len(&self) -> u32 {
                self.bytes_long()
            }

            #[inline]
            fn word(&self, at: Offset) -> u32 {
                // SAFETY: `pointer` is valid for 4 bytes; designs keep their words at multiples of 4 from an aligned
                // base, and initialise each before reading it. Unaligned reads cost nothing more here and ask for less.
                u32::from_le(unsafe { self.pointer(at, 4).cast::<u32>().read_unaligned() })
            }

            #[inline]
            fn set_word(&mut self, at: Offset, word: u32) {
                // SAFETY: `pointer` is valid for 4 bytes, and `&mut self` is the only owner.
                unsafe { self.pointer(at, 4).cast::<u32>().write_unaligned(word.to_le()) }
            }

            #[inline]
            fn field(&self, block: Offset, field_bytes: u32) -> u32 {
                let word = self.field_pointer(block, field_bytes).cast::<u32>();
                // SAFETY: as for `word`; `field_pointer` is valid for 4 bytes.
                u32::from_le(unsafe { word.read_unaligned() })
            }

            #[inline]
            fn set_field(&mut self, block: Offset, field_bytes: u32, word: u32) {
                let place = self.field_pointer(block, field_bytes).cast::<u32>();
                // SAFETY: `field_pointer` is valid for 4 bytes, and `&mut self` is the only owner.
                unsafe { place.write_unaligned(word.to_le()) }
            }

            #[inline]
            fn byte(&self, at: Offset) -> u8 {
                // SAFETY: `pointer` is valid for a byte that the design has initialised.
                unsafe { self.pointer(at, 1).read() }
            }

            #[inline]
            fn set_byte(&mut self, at: Offset, byte: u8) {
                // SAFETY: `pointer` is valid for a byte, and `&mut self` is the only owner.
                unsafe { self.pointer(at, 1).write(byte) }
            }

            fn copy(&mut self, from: Offset, to: Offset, len: u32) {
                let (source, target) = (self.pointer(from, len), self.pointer(to, len));
                // SAFETY: both are valid for `len` bytes; `copy_to` allows any overlap.
                unsafe { source.copy_to(target, len as usize) }
            }

            fn read(&self, at: Offset, into: &mut [u8]) {
                let source = self.pointer(at, into.len() as u32);
                // SAFETY: both are valid for `into.len()` bytes; callers read what was written.
                unsafe {
                    source.copy_to_nonoverlapping(NonNull::from(&mut *into).cast(), into.len())
                }
            }

            fn write(&mut self, at: Offset, bytes: &[u8]) {
                let target = self.pointer(at, bytes.len() as u32);
                // SAFETY: both are valid for `bytes.len()` bytes, and `&mut self` is the only owner of the target.
                unsafe { target.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) }
            }

            fn fill(&mut self, range: Range<Offset>, byte: u8) {
                let len = range.end.since(range.start);
                // SAFETY: `pointer` is valid for `len` bytes, and `&mut self` is the only owner.
                unsafe { self.pointer(range.start, len).write_bytes(byte, len as usize) }
            }

            fn grow(&mut self, len: u32) {
                unreachable!("a region of {} bytes cannot grow to {len}", self.len());
            }

            fn split(&mut self, at: Offset) -> Self {
                self.cut(at)
            }

            fn books(&mut self, len: u32) -> Self {
                let len = len.next_multiple_of(16).min(self.len());
                self.cut(Offset(self.len() - len))
            }
        }
    };
}

real_memory!(Region);
real_memory!(TrustedRegion);

impl Region {
    #[inline]
    fn field_pointer(&self, block: Offset, field_bytes: u32) -> NonNull<u8> {
        self.pointer(block.plus(field_bytes), 4)
    }

    #[inline]
    fn bytes_long(&self) -> u32 {
        self.len
    }

    fn cut(&mut self, at: Offset) -> Self {
        assert!(at.0.is_multiple_of(16), "a region is cut at a multiple of 16, not at {at:?}");
        let rest = Self { base: self.pointer(at, self.len - at.0), len: self.len - at.0 };
        self.len = at.0;
        rest
    }
}

impl TrustedRegion {
    /// The pointer to the word `field_bytes` above `block`, checked like `pointer`, in debug builds alone.
    #[inline]
    fn field_pointer(&self, block: Offset, field_bytes: u32) -> NonNull<u8> {
        debug_assert!(
            block.0 <= self.0.len && field_bytes + 4 <= self.0.len - block.0,
            "{block:?} + {field_bytes} of {}",
            self.0.len
        );
        // SAFETY: `new` was promised that the word lies inside.
        unsafe { self.0.base.add(block.0 as usize + field_bytes as usize) }
    }

    #[inline]
    fn bytes_long(&self) -> u32 {
        self.0.len
    }

    fn cut(&mut self, at: Offset) -> Self {
        Self(self.0.cut(at))
    }
}
