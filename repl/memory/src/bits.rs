use std::ops::Range;

use crate::Pages;

/// One bit for each of `len` bytes, all clear at first; cloned and copied page-wise like [`Pages`].
#[derive(Clone)]
pub struct Bits {
    pages: Pages,
}

impl Bits {
    /// `len` clear bits.
    pub fn new(len: u32) -> Self {
        Self { pages: Pages::new(len.div_ceil(8)) }
    }

    /// Adds clear bits until there are at least `len`.
    pub fn grow(&mut self, len: u32) {
        self.pages.grow(len.div_ceil(8).max(self.pages.len()));
    }

    /// The bit at `at`.
    pub fn get(&self, at: u32) -> bool {
        self.pages.byte(at / 8) & (1 << (at % 8)) != 0
    }

    /// Sets every bit of `range` to `value`.
    pub fn fill(&mut self, range: Range<u32>, value: bool) {
        let (first, last) = (range.start.div_ceil(8), range.end / 8);
        if first > last {
            // The whole range lies inside one byte.
            return self.fill_within(range, value);
        }
        self.fill_within(range.start..first * 8, value);
        self.pages.fill(first..last, if value { 0xff } else { 0 });
        self.fill_within(last * 8..range.end, value);
    }

    /// The first clear bit of `range`, if any.
    pub fn first_clear(&self, range: Range<u32>) -> Option<u32> {
        self.first(range, false)
    }

    /// The first set bit of `range`, if any.
    pub fn first_set(&self, range: Range<u32>) -> Option<u32> {
        self.first(range, true)
    }

    fn first(&self, range: Range<u32>, value: bool) -> Option<u32> {
        let whole = if value { 0 } else { 0xff };
        let mut at = range.start;
        while at < range.end {
            if at.is_multiple_of(8) && self.pages.byte(at / 8) == whole {
                at += 8;
            } else if self.get(at) == value {
                return Some(at);
            } else {
                at += 1;
            }
        }
        None
    }

    /// Bits of one byte.
    fn fill_within(&mut self, range: Range<u32>, value: bool) {
        if range.is_empty() {
            return;
        }
        let index = range.start / 8;
        let mask = range.fold(0u8, |mask, at| mask | 1 << (at % 8));
        let byte = self.pages.byte(index);
        let byte = if value { byte | mask } else { byte & !mask };
        self.pages.write(index, &[byte]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_range_is_set_and_its_neighbours_are_not() {
        for (start, end) in [(0, 1), (3, 5), (3, 8), (8, 16), (7, 17), (1, 64), (5, 5)] {
            let mut bits = Bits::new(80);
            bits.fill(start..end, true);
            for at in 0..80 {
                assert_eq!(bits.get(at), (start..end).contains(&at), "bit {at} of {start}..{end}");
            }
            bits.fill(start..end, false);
            assert_eq!(bits.first_clear(0..80), Some(0));
        }
    }

    #[test]
    fn the_first_clear_bit_is_found_between_set_ones() {
        let mut bits = Bits::new(100_000);
        bits.fill(0..90_001, true);
        assert_eq!(bits.first_clear(0..90_001), None);
        assert_eq!(bits.first_clear(3..100_000), Some(90_001));
        assert_eq!(
            (bits.first_set(90_001..100_000), bits.first_set(90_000..100_000)),
            (None, Some(90_000))
        );
    }
}
