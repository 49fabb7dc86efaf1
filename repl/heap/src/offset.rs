use std::fmt;

/// The largest alignment a block may ask for, and the alignment of every arena the prompt uses.
pub const MAX_ALIGN: u32 = 64 * 1024;

/// The largest arena, in bytes: 1 GiB. Offsets and sizes therefore add up without overflow in a `u32`.
pub const MAX_ARENA: u32 = 1 << 30;

/// A distance in bytes from the arena's start.
///
/// Sums wrap around, as an unchecked allocator's do: an offset that a damaged word led to is caught where it is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u32);

impl Offset {
    /// The offset `bytes` further up.
    #[inline]
    #[must_use]
    pub const fn plus(self, bytes: u32) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// The offset `bytes` further down.
    #[inline]
    #[must_use]
    pub const fn minus(self, bytes: u32) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// The next multiple of `align_bytes`, a power of two, at or above this offset.
    #[inline]
    #[must_use]
    pub const fn align_up(self, align_bytes: u32) -> Self {
        debug_assert!(align_bytes.is_power_of_two());
        // A mask, as `next_multiple_of` divides.
        Self(self.0.wrapping_add(align_bytes - 1) & !(align_bytes - 1))
    }

    /// The next multiple of `align_bytes`, a power of two, at or below this offset.
    #[inline]
    #[must_use]
    pub const fn align_down(self, align_bytes: u32) -> Self {
        debug_assert!(align_bytes.is_power_of_two());
        Self(self.0 & !(align_bytes - 1))
    }

    /// Whether this offset is a multiple of `align_bytes`, a power of two.
    #[inline]
    #[must_use]
    pub const fn is_aligned(self, align_bytes: u32) -> bool {
        debug_assert!(align_bytes.is_power_of_two());
        self.0 & (align_bytes - 1) == 0
    }

    /// How many bytes lie from `lower` up to here.
    #[inline]
    #[must_use]
    pub const fn since(self, lower: Self) -> u32 {
        self.0 - lower.0
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:#x}", self.0)
    }
}
