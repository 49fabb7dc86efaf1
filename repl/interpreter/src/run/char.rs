//! Methods of `char`, and those that a `u8` has like it.

use super::library::Called;
use super::vm::{Run, Vm, panic};
use crate::layout::Shape;
use crate::library::Builtin;

impl Vm<'_> {
    /// A `char`, or a byte as one: itself or behind a reference.
    fn char_arg(&self, call: &Called<'_>, arg: usize) -> char {
        let bits = match &self.layouts[call.arg_types[arg]].shape {
            Shape::Reference(to) => self.bits(call.word(arg), self.layouts[*to].size),
            _ => call.args[arg],
        };
        char::from_u32(bits as u32).expect("a char holds a character")
    }

    pub(super) fn char(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        if let B::CharFromU32 | B::CharFromDigit = call.run {
            let of = call.args[0] as u32;
            let found = match (call.run, call.args[1] as u32) {
                (B::CharFromU32, _) => char::from_u32(of),
                (_, radix @ 0..=36) => char::from_digit(of, radix),
                _ => return panic("from_digit: radix is too high (maximum 36)"),
            };
            let found = found.map(|found| u128::from(u32::from(found)));
            self.write_option(call.result, found, call.to);
            return Ok(0);
        }
        let this = self.char_arg(call, 0);
        if let B::CharIsDigit | B::CharToDigit = call.run {
            let radix = call.args[1] as u32;
            if !(2..=36).contains(&radix) {
                return panic(
                    "to_digit: invalid radix -- radix must be in the range 2 to 36 inclusive",
                );
            }
            if call.run == B::CharIsDigit {
                return Ok(this.is_digit(radix).into());
            }
            self.write_option(call.result, this.to_digit(radix).map(u128::from), call.to);
            return Ok(0);
        }
        let is = match call.run {
            B::CharToAsciiUppercase => return Ok(u32::from(this.to_ascii_uppercase()).into()),
            B::CharToAsciiLowercase => return Ok(u32::from(this.to_ascii_lowercase()).into()),
            B::CharLenUtf8 => return Ok(this.len_utf8() as u128),
            B::CharEqIgnoreAsciiCase => this.eq_ignore_ascii_case(&self.char_arg(call, 1)),
            B::CharIsAlphabetic => this.is_alphabetic(),
            B::CharIsNumeric => this.is_numeric(),
            B::CharIsAlphanumeric => this.is_alphanumeric(),
            B::CharIsWhitespace => this.is_whitespace(),
            B::CharIsUppercase => this.is_uppercase(),
            B::CharIsLowercase => this.is_lowercase(),
            B::CharIsControl => this.is_control(),
            B::CharIsAscii => this.is_ascii(),
            B::CharIsAsciiAlphabetic => this.is_ascii_alphabetic(),
            B::CharIsAsciiDigit => this.is_ascii_digit(),
            B::CharIsAsciiHexdigit => this.is_ascii_hexdigit(),
            B::CharIsAsciiAlphanumeric => this.is_ascii_alphanumeric(),
            B::CharIsAsciiUppercase => this.is_ascii_uppercase(),
            B::CharIsAsciiLowercase => this.is_ascii_lowercase(),
            B::CharIsAsciiWhitespace => this.is_ascii_whitespace(),
            B::CharIsAsciiPunctuation => this.is_ascii_punctuation(),
            other => panic!("{other:?} is not of char"),
        };
        Ok(is.into())
    }
}
