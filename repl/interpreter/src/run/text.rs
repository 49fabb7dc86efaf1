//! `String` and `str`: UTF-8, always whole characters.

use std::num::IntErrorKind;
use std::sync::Arc;

use stack::Scalar;

use super::format::display_text;
use super::library::Called;
use super::memory::{fat, thin};
use super::scalar::mask;
use super::slice::behind;
use super::vec::Header;
use super::vm::{Run, Vm, panic};
use crate::layout::{LayoutId, Shape};
use crate::library::Builtin;

/// Bytes of a text that a message shows.
const SHOWN_BYTES: usize = 256;

/// What a text is searched for.
enum Pattern {
    Chars(Vec<char>),
    Text(String),
}

/// Does something with a pattern, whichever it is.
macro_rules! with_pattern {
    ($pattern:expr, |$wanted:ident| $do:expr) => {
        match &$pattern {
            Pattern::Chars(chars) => {
                let $wanted = chars.as_slice();
                $do
            }
            Pattern::Text(text) => {
                let $wanted = text.as_str();
                $do
            }
        }
    };
}

/// Why text is no integer: as a `ParseIntError` holds it, by its number.
pub(super) const PARSE_ERRORS: &[(IntErrorKind, &str)] = &[
    (IntErrorKind::Empty, "cannot parse integer from empty string"),
    (IntErrorKind::InvalidDigit, "invalid digit found in string"),
    (IntErrorKind::PosOverflow, "number too large to fit in target type"),
    (IntErrorKind::NegOverflow, "number too small to fit in target type"),
];

impl Vm<'_> {
    /// The type of a string's bytes.
    fn byte(&self) -> LayoutId {
        self.layouts.known(&crate::types::Type::U8).expect("a String has bytes")
    }

    /// A string with a block just large enough.
    pub(super) fn new_string(&mut self, text: &str, to: u64) -> Run {
        let byte = self.byte();
        let first = self.new_vec(byte, text.len() as u64, false, to)?;
        self.count_steps(text.len() as u64 / 64)?;
        if !text.is_empty() {
            self.machine.write(first, text.as_bytes());
        }
        self.set_len(to, text.len() as u64);
        Ok(())
    }

    /// `to_string` of anything that can be displayed.
    pub(super) fn display(&mut self, of: LayoutId, reference: u128, to: u64) -> Run<u128> {
        let text = display_text(self, of, reference)?;
        self.new_string(&text, to)?;
        Ok(0)
    }

    fn str_of(&self, reference: u128) -> String {
        let (at, len) = thin(reference);
        self.view().text(at, len)
    }

    fn append(&mut self, at: u64, text: &[u8]) -> Run {
        let header = self.reserve(self.byte(), at, text.len() as u64)?;
        self.count_steps(text.len() as u64 / 64)?;
        if !text.is_empty() {
            self.machine.write(header.first + header.len, text);
        }
        self.set_len(at, header.len + text.len() as u64);
        Ok(())
    }

    fn insert(&mut self, at: u64, index: u64, text: &[u8]) -> Run {
        let more = text.len() as u64;
        let header = self.reserve(self.byte(), at, more)?;
        let place = header.first + index;
        self.count_steps((header.len - index + more) / 64)?;
        self.copy(place, place + more, header.len - index);
        if !text.is_empty() {
            self.machine.write(place, text);
        }
        self.set_len(at, header.len + more);
        Ok(())
    }

    /// Whether a character starts at `index`, or the text ends there.
    fn is_boundary(&self, header: &Header, index: u64) -> bool {
        index == 0
            || index == header.len
            || index < header.len && self.bits(header.first + index, 1) & 0xc0 != 0x80
    }

    pub(super) fn string(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let byte = self.byte();
        let at = call.word(0);
        match call.run {
            B::StringNew => self.write_vec(call.to, 0, 1, 0),
            B::StringWithCapacity => {
                self.new_vec(byte, at, false, call.to)?;
            }
            B::StringFrom => {
                let text = self.str_of(call.args[0]);
                self.new_string(&text, call.to)?;
            }
            B::StringPush => {
                let mut buffer = [0; 4];
                let text = char_of(call.args[1]).encode_utf8(&mut buffer).len();
                self.append(at, &buffer[..text])?;
            }
            B::StringPushStr => {
                let text = self.str_of(call.args[1]);
                self.append(at, text.as_bytes())?;
            }
            B::StringAdd => {
                let text = self.str_of(call.args[1]);
                self.append(at, text.as_bytes())?;
                self.copy(at, call.to, self.layouts[call.result].size);
            }
            B::StringPop => {
                let header = self.header(at);
                let mut start = header.len.saturating_sub(1);
                while start > 0 && !self.is_boundary(&header, start) {
                    start -= 1;
                }
                let last = self.view().text(header.first + start, header.len - start);
                self.set_len(at, start);
                let popped = last.chars().next().map(|last| u128::from(u32::from(last)));
                self.write_option(call.result, popped, call.to);
            }
            B::StringInsert => {
                let (header, index) = (self.header(at), call.word(1));
                if !self.is_boundary(&header, index) {
                    return panic("assertion failed: self.is_char_boundary(idx)");
                }
                let mut buffer = [0; 4];
                let text = char_of(call.args[2]).encode_utf8(&mut buffer).as_bytes();
                self.insert(at, index, text)?;
            }
            B::StringInsertStr => {
                let (header, index) = (self.header(at), call.word(1));
                if !self.is_boundary(&header, index) {
                    return panic("assertion failed: self.is_char_boundary(idx)");
                }
                let text = self.str_of(call.args[2]);
                self.insert(at, index, text.as_bytes())?;
            }
            B::StringSplitOff => {
                let (header, index) = (self.header(at), call.word(1));
                if !self.is_boundary(&header, index) {
                    return panic("assertion failed: self.is_char_boundary(at)");
                }
                let rest = self.view().text(header.first + index, header.len - index);
                self.new_string(&rest, call.to)?;
                self.set_len(at, index);
            }
            B::StringRemove => {
                let (header, index) = (self.header(at), call.word(1));
                let text = self.view().text(header.first, header.len);
                check_range(&text, index, header.len, false)?;
                let Some(removed) = text[index as usize..].chars().next() else {
                    return panic("cannot remove a char from the end of a string");
                };
                let (place, size) = (header.first + index, removed.len_utf8() as u64);
                self.count_steps(header.len / 64)?;
                self.copy(place + size, place, header.len - index - size);
                self.set_len(at, header.len - size);
                return Ok(u32::from(removed).into());
            }
            B::StringTruncate => {
                let (header, len) = (self.header(at), call.word(1));
                if len <= header.len {
                    if !self.is_boundary(&header, len) {
                        return panic("assertion failed: self.is_char_boundary(new_len)");
                    }
                    self.set_len(at, len);
                }
            }
            B::StringReserve => {
                self.reserve(byte, at, call.word(1))?;
            }
            B::StringShrinkToFit => self.shrink(byte, at, 0)?,
            B::StringClear => self.set_len(at, 0),
            B::StringLen => return Ok(self.header(at).len.into()),
            B::StringIsEmpty => return Ok((self.header(at).len == 0).into()),
            B::StringCapacity => return Ok(self.header(at).capacity.into()),
            B::StringFromUtf8Lossy => self.lossy(call)?,
            B::StringIntoBytes => self.copy(at, call.to, self.layouts[call.result].size),
            // `as_str`, `deref`.
            _ => {
                let Header { first, len, .. } = self.header(at);
                return Ok(fat(first, len));
            }
        }
        Ok(0)
    }

    /// `String::from_utf8_lossy`: what is text all through is borrowed.
    fn lossy(&mut self, call: &Called<'_>) -> Run {
        let (at, len) = thin(call.args[0]);
        let bytes = self.view().bytes(at, len);
        if std::str::from_utf8(&bytes).is_ok() {
            self.write_variant(call.result, 0, call.args[0], call.to);
            return Ok(());
        }
        let choice = self.choice_of(call.result);
        let owned = choice.variants[1].expect("a Cow<str> may own a String");
        let to = call.to + owned.offset;
        self.new_vec(self.byte(), len, false, to)?;
        for chunk in bytes.utf8_chunks() {
            self.append(to, chunk.valid().as_bytes())?;
            if !chunk.invalid().is_empty() {
                self.append(to, "\u{fffd}".as_bytes())?;
            }
        }
        self.set_variant(call.to, &choice, 1);
        Ok(())
    }

    pub(super) fn str(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let (at, len) = thin(call.args[0]);
        let text = || self.str_of(call.args[0]);
        let other = || self.str_of(call.args[1]);
        let made = match call.run {
            B::StrLen => return Ok(len.into()),
            B::StrIsEmpty => return Ok((len == 0).into()),
            B::StrAsBytes => return Ok(call.args[0]),
            B::StrContains
            | B::StrStartsWith
            | B::StrEndsWith
            | B::StrFind
            | B::StrRfind
            | B::StrStripPrefix
            | B::StrStripSuffix
            | B::StrSplitOnce => return Ok(self.look_for(call)),
            B::StrIsCharBoundary => {
                return Ok(text().is_char_boundary(call.word(1) as usize).into());
            }
            B::StrIsAscii => return Ok(text().is_ascii().into()),
            B::StrEqIgnoreAsciiCase => return Ok(text().eq_ignore_ascii_case(&other()).into()),
            B::StrTrim | B::StrTrimStart | B::StrTrimEnd => {
                let text = text();
                let start = if call.run == B::StrTrimEnd { &*text } else { text.trim_start() };
                let trimmed = if call.run == B::StrTrimStart { start } else { start.trim_end() };
                let before = (text.len() - start.len()) as u64;
                return Ok(fat(at + before, trimmed.len() as u64));
            }
            B::StrSplitAt => {
                let mid = call.word(1);
                check_range(&text(), 0, mid, mid > len)?;
                let halves = [fat(at, mid), fat(at + mid, len - mid)];
                self.write_tuple(call.result, &halves, call.to);
                return Ok(0);
            }
            B::StrParse => return Ok(self.parse(call)),
            B::StrConcat | B::StrJoin => return self.join(call),
            B::StrToAsciiUppercase => text().to_ascii_uppercase(),
            B::StrToAsciiLowercase => text().to_ascii_lowercase(),
            B::StrRange | B::StrThrough | B::StrFrom => {
                let start = call.word(1);
                let (end, is_beyond) = match call.run {
                    B::StrFrom => (len, false),
                    B::StrRange => (call.word(2), call.word(2) > len),
                    _ => behind(call.word(2), len),
                };
                check_range(&text(), start, end, is_beyond)?;
                return Ok(fat(at + start, end - start));
            }
            B::StrToOwned => text(),
            B::StrToUppercase => text().to_uppercase(),
            B::StrToLowercase => text().to_lowercase(),
            B::StrRepeat => return self.repeat(call),
            other => panic!("{other:?} is not of str"),
        };
        self.new_string(&made, call.to)?;
        Ok(0)
    }

    /// What a `Pattern` is: characters of which any fits, or text.
    fn pattern(&self, call: &Called<'_>) -> Pattern {
        let (mut id, mut value) = (call.arg_types[1], call.args[1]);
        loop {
            let layout = &self.layouts[id];
            let (at, len) = thin(value);
            match &layout.shape {
                Shape::Scalar(_) => return Pattern::Chars(vec![char_of(value)]),
                Shape::Str => return Pattern::Text(self.view().text(at, len)),
                Shape::Vec(_) => {
                    let header = self.header(at);
                    return Pattern::Text(self.view().text(header.first, header.len));
                }
                Shape::Reference(to) => {
                    id = *to;
                    if matches!(self.layouts[id].shape, Shape::Reference(_)) {
                        value = self.bits(at, self.layouts[id].size);
                    }
                }
                Shape::Array(char, _) | Shape::Slice(char) => {
                    let (size, len) = (
                        self.layouts[*char].size,
                        match layout.shape {
                            Shape::Array(_, len) => len,
                            _ => len,
                        },
                    );
                    let chars = (0..len).map(|index| char_of(self.bits(at + index * size, size)));
                    return Pattern::Chars(chars.collect());
                }
                shape => panic!("{shape:?} is no Pattern"),
            }
        }
    }

    fn look_for(&mut self, call: &Called<'_>) -> u128 {
        use Builtin as B;
        let (at, len) = thin(call.args[0]);
        let (text, pattern) = (self.str_of(call.args[0]), self.pattern(call));
        let from = |start: usize| fat(at + start as u64, len - start as u64);
        let found = with_pattern!(pattern, |wanted| match call.run {
            B::StrContains => return text.contains(wanted).into(),
            B::StrStartsWith => return text.starts_with(wanted).into(),
            B::StrEndsWith => return text.ends_with(wanted).into(),
            B::StrFind => text.find(wanted).map(|found| found as u128),
            B::StrRfind => text.rfind(wanted).map(|found| found as u128),
            B::StrStripPrefix =>
                text.strip_prefix(wanted).map(|rest| from(text.len() - rest.len())),
            B::StrStripSuffix => text.strip_suffix(wanted).map(|rest| fat(at, rest.len() as u64)),
            _ => {
                let halves = text.split_once(wanted);
                let halves = halves.map(|(before, behind)| {
                    [fat(at, before.len() as u64), from(text.len() - behind.len())]
                });
                let result = self.choice_of(call.result);
                if let (Some(halves), Some(part)) = (&halves, result.variants[1]) {
                    self.write_tuple(part.id, halves, call.to + part.offset);
                }
                self.set_variant(call.to, &result, halves.is_some().into());
                return 0;
            }
        });
        self.write_option(call.result, found, call.to);
        0
    }

    /// An integer, or what is wrong with it.
    fn parse(&mut self, call: &Called<'_>) -> u128 {
        let text = self.str_of(call.args[0]);
        let Shape::Scalar(scalar) = self.layouts[call.of()].shape else {
            panic!("integers alone are parsed")
        };
        let parsed = parsed(&text, scalar);
        match parsed {
            Ok(number) => self.write_variant(call.result, 0, number, call.to),
            Err(kind) => {
                let result = self.choice_of(call.result);
                let number = PARSE_ERRORS.iter().position(|row| row.0 == kind);
                let number = number.expect("every kind is listed") as u128;
                if let Some(part) = result.variants[1] {
                    self.set_bits(call.to + part.offset, 1, number);
                }
                self.set_variant(call.to, &result, 1);
            }
        }
        0
    }

    /// The texts of a slice of `String` or `&str`, with one between.
    fn join(&mut self, call: &Called<'_>) -> Run<u128> {
        let (first, count) = thin(call.args[0]);
        let slice = self.referent(call.arg_types[0]);
        let id = self.layouts[slice].element().expect("texts are joined in a slice");
        let layout = Arc::clone(&self.layouts[id]);
        let mut texts = Vec::new();
        self.count_steps(count)?;
        for at in (0..count).map(|index| first + index * layout.size) {
            texts.push(match layout.shape {
                Shape::Vec(_) => {
                    let header = self.header(at);
                    self.view().text(header.first, header.len)
                }
                _ => self.str_of(self.bits(at, layout.size)),
            });
        }
        let between =
            if call.run == Builtin::StrJoin { self.str_of(call.args[1]) } else { String::new() };
        self.new_string(&texts.join(&between), call.to)?;
        Ok(0)
    }

    fn repeat(&mut self, call: &Called<'_>) -> Run<u128> {
        let ((at, len), count) = (thin(call.args[0]), call.word(1));
        let Some(total) = len.checked_mul(count) else {
            return panic("capacity overflow");
        };
        let first = self.new_vec(self.byte(), total, false, call.to)?;
        if total > 0 {
            self.copy(at, first, len);
            self.replicate(first, len, count)?;
        }
        self.set_len(call.to, total);
        Ok(0)
    }
}

/// An integer of that type as std reads it.
fn parsed(text: &str, scalar: Scalar) -> Result<u128, IntErrorKind> {
    macro_rules! as_type {
        ($($unsigned:ident $u:ident $signed:ident $i:ident)*) => {
            match scalar {
                $(Scalar::$unsigned => text.parse::<$u>().map(u128::from),)*
                $(Scalar::$signed => text.parse::<$i>().map(|of| i128::from(of).cast_unsigned()),)*
                _ => panic!("integers alone are parsed"),
            }
        };
    }
    let number = as_type! {
        U8 u8 I8 i8
        U16 u16 I16 i16
        U32 u32 I32 i32
        U64 u64 I64 i64
        U128 u128 I128 i128
        Usize u64 Isize i64
    };
    number.map(|number| number & mask(scalar)).map_err(|error| *error.kind())
}

pub(super) fn char_of(bits: u128) -> char {
    char::from_u32(bits as u32).expect("a char holds a character")
}

/// What std says of bounds that do not fit a text.
pub(super) fn check_range(text: &str, start: u64, end: u64, is_beyond: bool) -> Run {
    let len = text.len() as u64;
    let shown = text.floor_char_boundary(SHOWN_BYTES);
    let rest = if shown < text.len() { "[...]" } else { "" };
    let shown = format!("`{}`{rest}", &text[..shown]);
    let sides = [("start", start), ("end", end)];
    for ((side, index), is_beyond) in sides.into_iter().zip([start > len, is_beyond]) {
        if is_beyond {
            return panic(format!("{side} byte index {index} is out of bounds of {shown}"));
        }
    }
    if start > end {
        return panic(format!("begin > end ({start} > {end}) when slicing {shown}"));
    }
    for (side, index) in sides {
        let index = index as usize;
        if !text.is_char_boundary(index) {
            let from = text.floor_char_boundary(index);
            let inside = text[from..].chars().next().expect("a boundary is before the end");
            let to = from + inside.len_utf8();
            return panic(format!(
                "{side} byte index {index} is not a char boundary; \
                 it is inside {inside:?} (bytes {from}..{to}) of {shown}"
            ));
        }
    }
    Ok(())
}
