//! Addresses and amounts as people read them.

use std::fmt;

use serde::Serialize;

/// An address of our machine: `0x1000_0008`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Address(pub u64);

/// Where the arena of the heap in use starts.
pub const HEAP_BASE: Address = Address(0x1000_0000);

impl Address {
    /// The address `bytes` further up; at the end of the address space it stays there.
    #[must_use]
    pub fn plus(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }
}

impl From<u32> for Address {
    /// A stack address.
    fn from(address: u32) -> Self {
        Self(u64::from(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:08x}", self.0);
        let first = digits.len() % 4;
        f.write_str("0x")?;
        f.write_str(&digits[..first])?;
        for (i, start) in (first..digits.len()).step_by(4).enumerate() {
            if i > 0 || first > 0 {
                f.write_str("_")?;
            }
            f.write_str(&digits[start..start + 4])?;
        }
        Ok(())
    }
}

/// A number with its thousands apart: `65,321`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A number with its noun: `1 byte`, `200 bytes`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", Count(number))
}

/// `count` of bytes.
pub fn bytes(number: u64) -> String {
    count(number, "byte")
}

/// A size as a headline has it: `64 KiB`, `3.7 GiB`, `1,000 bytes`.
pub fn size(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if number >= unit && number.is_multiple_of(unit) {
            return format!("{} {name}", Count(number / unit));
        }
        if number >= 10 * unit || (number >= unit && unit == 1 << 30) {
            return format!("{}.{} {name}", number / unit, number % unit * 10 / unit);
        }
    }
    bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_eight_digits_and_a_gap_every_four() {
        for (address, expect) in [
            (0, "0x0000_0000"),
            (0x1000_0008, "0x1000_0008"),
            (0x1_0000_0000, "0x1_0000_0000"),
            (u64::MAX, "0xffff_ffff_ffff_ffff"),
        ] {
            assert_eq!(Address(address).to_string(), expect);
        }
    }

    #[test]
    fn amounts_are_grouped_and_named() {
        for (number, expect) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1000, "1,000 bytes"),
            (1024, "1 KiB"),
            (65536, "64 KiB"),
            (1536, "1,536 bytes"),
            (4_008_640_000, "3.7 GiB"),
        ] {
            assert_eq!(size(number), expect);
        }
        assert_eq!(format!("{:>8}", Count(65321)), "  65,321");
    }
}
