//! `String` and `str`: UTF-8, always whole characters.

use super::format::display_text;
use super::library::Called;
use super::memory::{fat, thin};
use super::slice::behind;
use super::vec::Header;
use super::vm::{Run, Vm, panic};
use crate::layout::LayoutId;
use crate::library::Builtin;

/// Bytes of a text that a message shows.
const SHOWN_BYTES: usize = 256;

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
                let more = text.len() as u64;
                let header = self.reserve(byte, at, more)?;
                let place = header.first + index;
                self.count_steps((header.len - index) / 64)?;
                self.copy(place, place + more, header.len - index);
                self.machine.write(place, text);
                self.set_len(at, header.len + more);
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
            B::StringShrinkToFit => self.shrink(byte, at)?,
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
            B::StrContains => return Ok(text().contains(&other()).into()),
            B::StrStartsWith => return Ok(text().starts_with(&other()).into()),
            B::StrEndsWith => return Ok(text().ends_with(&other()).into()),
            B::StrTrim => {
                let text = text();
                let before = (text.len() - text.trim_start().len()) as u64;
                return Ok(fat(at + before, text.trim().len() as u64));
            }
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
