//! Types, values, sizes and bytes as they are typed.

use std::sync::Arc;

use stack::{Scalar, Type, Value};

use crate::problem::{Argument, Problem, Trouble};
use crate::scan::{Span, Word};

/// Elements a list may be written with; more are written as `[value; n]`.
const MAX_LIST: usize = 4096;

/// How many bytes, and how they are aligned if a type said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The bytes.
    pub bytes: u64,
    /// The type that was given in place of a number.
    pub ty: Option<Type>,
}

/// What `push` is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name, if it was given one.
    pub name: Option<Arc<str>>,
    /// Its size, and its type unless it is so many bytes.
    pub size: Size,
    /// Its value, unless it starts unset.
    pub value: Option<Value>,
}

fn bad(argument: Argument, span: Span) -> Problem {
    Problem::new(Trouble::BadArgument(argument), span)
}

/// A whole number: `200`, `0xc8`, `0b1`, `0o17`, `1_000`. `None` if it is no number at all.
fn integer(text: &str) -> Option<Result<u128, ()>> {
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', b'o', ..] => (8, &digits[2..]),
        _ => (10, &digits[..]),
    };
    if digits.is_empty() || text.starts_with('_') || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    Some(u128::from_str_radix(digits, radix).map_err(|_| ()))
}

/// A number of 64 bits.
pub(crate) fn number(word: Word<'_>, what: &'static str) -> Result<u64, Problem> {
    if word.text.strip_prefix('-').is_some_and(|rest| integer(rest).is_some()) {
        return Err(bad(Argument::Negative { what }, word.span));
    }
    match integer(word.text) {
        None => Err(bad(Argument::NoNumber { what, text: word.text.to_owned() }, word.span)),
        Some(number) => {
            let number = number.ok().and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| match what {
                "a size" => {
                    Problem::new(Trouble::SizeOverflow { bytes: None, align: 1 }, word.span)
                }
                _ => bad(Argument::TooBig { what, text: word.text.to_owned() }, word.span),
            })
        }
    }
}

/// A size: a number, a number with a unit (`4K`, `2MiB`), or a type.
pub(crate) fn size(word: Word<'_>) -> Result<Size, Problem> {
    if let Some(ty) = type_of(word)? {
        return sized(ty, word.span);
    }
    let unit_at = word.text.find(|c: char| matches!(c.to_ascii_uppercase(), 'K' | 'M' | 'G'));
    let (digits, unit) = match unit_at {
        Some(at) if !word.text.starts_with("0x") => word.text.split_at(at),
        _ => (word.text, ""),
    };
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" => 0,
        "K" | "KIB" => 10,
        "M" | "MIB" => 20,
        "G" | "GIB" => 30,
        _ => {
            let text = word.text.to_owned();
            return Err(bad(Argument::NoNumber { what: "a size", text }, word.span));
        }
    };
    let count =
        number(Word { text: digits, span: word.span }, "a size").map_err(
            |problem| match problem.trouble {
                Trouble::BadArgument(Argument::NoNumber { .. }) => bad(
                    Argument::NoNumber { what: "a size", text: word.text.to_owned() },
                    word.span,
                ),
                _ => problem,
            },
        )?;
    let bytes = count
        .checked_mul(1 << shift)
        .ok_or_else(|| Problem::new(Trouble::SizeOverflow { bytes: None, align: 1 }, word.span))?;
    Ok(Size { bytes, ty: None })
}

fn sized(ty: Type, span: Span) -> Result<Size, Problem> {
    let bytes = ty.size_bytes().ok_or_else(|| {
        Problem::new(Trouble::SizeOverflow { bytes: None, align: ty.align_bytes() }, span)
    })?;
    Ok(Size { bytes, ty: Some(ty) })
}

/// The longest name, so that every row has room for it.
const MAX_NAME: usize = 32;

/// Whether `text` is an identifier of Rust.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text != "_"
}

/// A name for something new.
pub(crate) fn name(word: Word<'_>) -> Result<Arc<str>, Problem> {
    let keyword = crate::scan::KEYWORDS.contains(&word.text) || Scalar::named(word.text).is_some();
    if is_identifier(word.text) && !keyword && word.text.len() <= MAX_NAME {
        Ok(word.text.into())
    } else {
        Err(bad(Argument::NoName { text: word.text.to_owned() }, word.span))
    }
}

/// A type: a scalar's name, or `[T; N]`. `None` if the word is neither.
pub(crate) fn type_of(word: Word<'_>) -> Result<Option<Type>, Problem> {
    if let Some(scalar) = Scalar::named(word.text) {
        return Ok(Some(Type::Scalar(scalar)));
    }
    let Some((element, len)) = repeat(word) else { return Ok(None) };
    let Some(element) = type_of(element)? else { return Ok(None) };
    Ok(Some(Type::Array(Arc::new(element), array_len(len)?)))
}

/// The two halves of `[x; n]`.
fn repeat(word: Word<'_>) -> Option<(Word<'_>, Word<'_>)> {
    let inner = word.text.strip_prefix('[')?.strip_suffix(']')?;
    let mut depth = 0usize;
    let mut quoted = false;
    let at = inner.char_indices().find_map(|(at, c)| {
        match c {
            '\'' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ';' if depth == 0 && !quoted => return Some(at),
            _ => {}
        }
        None
    })?;
    let start = word.span.start + 1;
    Some((trimmed(&inner[..at], start), trimmed(&inner[at + 1..], start + at + 1)))
}

/// `text`, which starts at `start` of the line, without the space around it.
pub(crate) fn trimmed(text: &str, start: usize) -> Word<'_> {
    let start = start + (text.len() - text.trim_start().len());
    let text = text.trim();
    Word { text, span: Span { start, end: start + text.len() } }
}

/// The length of an array: a constant, as Rust demands.
fn array_len(word: Word<'_>) -> Result<u64, Problem> {
    if is_identifier(word.text) {
        return Err(Problem::new(Trouble::NotConstant { name: word.text.to_owned() }, word.span));
    }
    let digits = word.text.strip_suffix("usize").unwrap_or(word.text);
    number(Word { text: digits, span: word.span }, "an array's length")
}

/// A value: a literal, or an array of them. `expect` is the type a `let` names.
///
/// # Errors
///
/// What is no literal of that type.
pub(crate) fn value(word: Word<'_>, expect: Option<&Type>) -> Result<Value, Problem> {
    let element = match expect {
        Some(Type::Array(element, _)) => Some(&**element),
        _ => None,
    };
    let value = if let Some((first, len)) = repeat(word) {
        let len = array_len(len)?;
        Value::Repeat(Arc::new(value(first, element)?), len)
    } else if let Some(inner) = word.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'))
    {
        list(inner, word, element)?
    } else {
        let scalar = match expect {
            Some(Type::Scalar(scalar)) => Some(*scalar),
            _ => None,
        };
        scalar_value(word, scalar)?
    };
    match expect {
        Some(ty) if value.type_of() != *ty => {
            let found = value.type_of().to_string();
            Err(Problem::new(Trouble::Mismatched { expected: ty.to_string(), found }, word.span))
        }
        _ => Ok(value),
    }
}

fn list(inner: &str, word: Word<'_>, element: Option<&Type>) -> Result<Value, Problem> {
    let mut words = Vec::new();
    let (mut depth, mut quoted, mut start) = (0usize, false, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if depth == 0 && !quoted => {
                words.push(trimmed(&inner[start..at], word.span.start + 1 + start));
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = trimmed(&inner[start..], word.span.start + 1 + start);
    if !last.text.is_empty() {
        words.push(last);
    }
    if words.len() > MAX_LIST {
        return Err(bad(Argument::LongList { max: MAX_LIST as u64 }, word.span));
    }
    // A suffix anywhere in the list is the type of all, as rustc infers it.
    let suffixed = words.iter().find_map(|word| suffix(word.text)).map(Type::Scalar);
    let mut expect = element.cloned().or(suffixed);
    let mut elements = Vec::with_capacity(words.len());
    for word in words {
        let element = value(word, expect.as_ref())?;
        expect.get_or_insert_with(|| element.type_of());
        elements.push(element);
    }
    match (elements.is_empty(), expect) {
        (false, _) => Ok(Value::List(elements)),
        (true, Some(ty)) => {
            let zero = Value::zero(&ty).expect("a written type is of numbers and arrays");
            Ok(Value::Repeat(Arc::new(zero), 0))
        }
        (true, None) => Err(bad(Argument::EmptyList, word.span)),
    }
}

/// The scalar a number's suffix names.
fn suffix(text: &str) -> Option<Scalar> {
    let number = text.trim_start_matches('-');
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let at = number.rfind(['u', 'i', 'f'])?;
    // 0xf32 is a number, not 0x with a suffix.
    if number.starts_with("0x") && number.as_bytes()[at] == b'f' {
        return None;
    }
    Scalar::named(&number[at..])
}

fn scalar_value(word: Word<'_>, expect: Option<Scalar>) -> Result<Value, Problem> {
    let text = word.text;
    let of = |scalar, bits| Ok(Value::Scalar { scalar, bits });
    match text {
        "true" => return of(Scalar::Bool, 1),
        "false" => return of(Scalar::Bool, 0),
        _ => {}
    }
    if text.starts_with('\'') {
        return match character(text) {
            Some(c) => of(Scalar::Char, u128::from(c as u32)),
            None => Err(bad(Argument::NoValue { text: text.to_owned() }, word.span)),
        };
    }
    let suffixed = suffix(text);
    let digits = suffixed.map_or(text, |scalar| &text[..text.len() - scalar.name().len()]);
    let digits = digits.strip_suffix('_').unwrap_or(digits);
    let (negative, magnitude) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let as_integer = integer(magnitude);
    let default = if as_integer.is_some() { Scalar::I32 } else { Scalar::F64 };
    let fitting =
        expect.filter(|scalar| scalar.is_float() || (scalar.is_integer() && as_integer.is_some()));
    let scalar = suffixed.or(fitting).unwrap_or(default);
    // Rust has no implicit step from an integer literal to a float.
    let scalar = if scalar.is_float() && suffixed.is_none() && as_integer.is_some() {
        Scalar::I32
    } else {
        scalar
    };
    if scalar.is_float() {
        let number = magnitude.replace('_', "");
        let plain = number.starts_with(|c: char| c.is_ascii_digit());
        if let (true, Ok(value)) = (plain, number.parse::<f64>()) {
            let value = if negative { -value } else { value };
            let finite =
                if scalar == Scalar::F32 { (value as f32).is_finite() } else { value.is_finite() };
            if !finite {
                return Err(bad(
                    Argument::OutOfRange { ty: scalar.name(), text: text.to_owned() },
                    word.span,
                ));
            }
            if scalar == Scalar::F32 {
                let narrow = number.parse::<f32>().unwrap_or(value as f32);
                return of(scalar, u128::from((if negative { -narrow } else { narrow }).to_bits()));
            }
            return of(scalar, u128::from(value.to_bits()));
        }
        return Err(bad(Argument::NoValue { text: text.to_owned() }, word.span));
    }
    let Some(magnitude) = as_integer else {
        return Err(bad(Argument::NoValue { text: text.to_owned() }, word.span));
    };
    let out_of_range =
        || bad(Argument::OutOfRange { ty: scalar.name(), text: text.to_owned() }, word.span);
    let magnitude = magnitude.map_err(|()| out_of_range())?;
    let bits = scalar.size_bytes() * 8;
    let limit = match (scalar.is_signed(), negative) {
        (true, true) => 1u128 << (bits - 1),
        (true, false) => (1u128 << (bits - 1)) - 1,
        (false, true) if magnitude > 0 => return Err(out_of_range()),
        (false, _) => u128::MAX >> (128 - bits),
    };
    if magnitude > limit {
        return Err(out_of_range());
    }
    let value = if negative { magnitude.wrapping_neg() } else { magnitude };
    of(scalar, value & (u128::MAX >> (128 - bits)))
}

fn character(text: &str) -> Option<char> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = unescape(inner)?;
    let mut chars = unescaped.chars();
    let c = chars.next()?;
    chars.next().is_none().then_some(c)
}

/// Rust's escapes in characters and strings.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\\' => '\\',
            '\'' => '\'',
            '"' => '"',
            'x' => {
                let code: String = chars.by_ref().take(2).collect();
                let code = u8::from_str_radix(&code, 16).ok().filter(u8::is_ascii)?;
                char::from(code)
            }
            'u' => {
                let rest = chars.as_str().strip_prefix('{')?;
                let (code, after) = rest.split_once('}')?;
                chars = after.chars();
                char::from_u32(u32::from_str_radix(code, 16).ok()?)?
            }
            _ => return None,
        });
    }
    Some(out)
}

/// A list of bytes: `1 2 0xff`, or `"text"`, or both.
pub(crate) fn bytes(words: &[Word<'_>]) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(words.len());
    for word in words {
        if word.text.starts_with('"') {
            let text = word.text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            let text = text
                .and_then(unescape)
                .ok_or_else(|| bad(Argument::NoByte { text: word.text.to_owned() }, word.span))?;
            bytes.extend_from_slice(text.as_bytes());
            continue;
        }
        let digits = word.text.strip_suffix("u8").unwrap_or(word.text);
        match integer(digits) {
            Some(Ok(byte)) if byte < 256 => bytes.push(byte as u8),
            _ => return Err(bad(Argument::NoByte { text: word.text.to_owned() }, word.span)),
        }
    }
    Ok(bytes)
}

/// What `push` takes: SIZE, TYPE, VALUE or NAME = VALUE. `text` starts at `start` of the line.
pub(crate) fn slot(text: &str, start: usize) -> Result<Slot, Problem> {
    let word = trimmed(text, start);
    if let Some((left, right)) = assignment(word) {
        let name = name(left)?;
        let value = value(right, None)?;
        return with_value(Some(name), value, right.span);
    }
    if let Some(ty) = type_of(word)? {
        return Ok(Slot { name: None, size: sized(ty, word.span)?, value: None });
    }
    let number_first = word.text.starts_with(|c: char| c.is_ascii_digit());
    if (number_first && suffix(word.text).is_none() && word.text.parse::<f64>().is_err())
        || (integer(word.text).is_some())
        || word.text.strip_prefix('-').is_some_and(|rest| integer(rest).is_some())
    {
        return Ok(Slot { name: None, size: size(word)?, value: None });
    }
    let value = value(word, None)?;
    with_value(None, value, word.span)
}

/// A slot that holds `value`.
pub(crate) fn with_value(
    name: Option<Arc<str>>,
    value: Value,
    span: Span,
) -> Result<Slot, Problem> {
    Ok(Slot { name, size: sized(value.type_of(), span)?, value: Some(value) })
}

/// The two sides of `left = right`, where `left` has no operator of its own.
pub(crate) fn assignment(word: Word<'_>) -> Option<(Word<'_>, Word<'_>)> {
    let at = word.text.find('=')?;
    let after = &word.text[at + 1..];
    let inside = word.text[..at].contains(['"', '\'']) || after.starts_with('=');
    (!inside).then(|| {
        (trimmed(&word.text[..at], word.span.start), trimmed(after, word.span.start + at + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word<'_> {
        trimmed(text, 0)
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
        result.unwrap_err().trouble.code()
    }

    #[test]
    fn sizes_are_numbers_units_and_types() {
        for (text, expect) in [
            ("200", 200),
            ("0xc8", 200),
            ("0b1", 1),
            ("1_000", 1000),
            ("4K", 4096),
            ("2MiB", 2 << 20),
            ("1g", 1 << 30),
            ("u64", 8),
            ("[u8; 200]", 200),
            ("[[u16;3];2]", 12),
        ] {
            assert_eq!(size(word(text)).unwrap().bytes, expect, "{text}");
        }
    }

    #[test]
    fn what_is_no_size_says_why() {
        for (text, expect) in [
            ("-1", "bad-argument"),
            ("x", "bad-argument"),
            ("4KB", "bad-argument"),
            ("99999999999999999999", "size-overflow"),
            ("18446744073709551615G", "size-overflow"),
            ("[u64; 18446744073709551615]", "size-overflow"),
            ("[u8; n]", "E0435"),
        ] {
            assert_eq!(code(size(word(text))), expect, "{text}");
        }
    }

    #[test]
    fn literals_have_the_types_and_values_of_rust() {
        for (text, ty, shown) in [
            ("8", "i32", "8"),
            ("8u64", "u64", "8"),
            ("-1i8", "i8", "-1"),
            ("-128i8", "i8", "-128"),
            ("0xffu8", "u8", "255"),
            ("1_0u16", "u16", "10"),
            ("3.5", "f64", "3.5"),
            ("2f32", "f32", "2.0"),
            ("-0.1f32", "f32", "-0.1"),
            ("1e3", "f64", "1000.0"),
            ("true", "bool", "true"),
            ("'c'", "char", "'c'"),
            (r"'\n'", "char", r"'\n'"),
            ("';'", "char", "';'"),
            ("[1, 2u8]", "[u8; 2]", "[1, 2]"),
            ("[[0u8; 2]; 2]", "[[u8; 2]; 2]", "[[0, 0], [0, 0]]"),
            ("[';', ',']", "[char; 2]", "[';', ',']"),
        ] {
            let value = value(word(text), None).unwrap();
            assert_eq!(
                (value.type_of().to_string(), value.to_string()),
                (ty.to_owned(), shown.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_rustc_would_refuse_is_refused() {
        for (text, expect) in [
            ("300u8", "bad-argument"),
            ("-1u8", "bad-argument"),
            ("128i8", "bad-argument"),
            ("2147483648", "bad-argument"),
            ("[1u8, 2u16]", "E0308"),
            ("[true, 1]", "E0308"),
            ("[0u8; n]", "E0435"),
            ("[]", "bad-argument"),
            ("inf", "bad-argument"),
            ("'ab'", "bad-argument"),
        ] {
            assert_eq!(code(value(word(text), None)), expect, "{text}");
        }
    }

    #[test]
    fn push_tells_sizes_types_and_values_apart() {
        for (text, bytes, typed, valued) in [
            ("200", 200, false, false),
            ("4K", 4096, false, false),
            ("0x10", 16, false, false),
            ("u64", 8, true, false),
            ("8u64", 8, true, true),
            ("x = 8", 4, true, true),
            ("3.5", 8, true, true),
            ("[u8; 3]", 3, true, false),
            ("[0u8; 3]", 3, true, true),
        ] {
            let slot = slot(text, 5).unwrap();
            let found = (slot.size.bytes, slot.size.ty.is_some(), slot.value.is_some());
            assert_eq!(found, (bytes, typed, valued), "{text}");
        }
    }

    #[test]
    fn bytes_are_numbers_or_text() {
        assert_eq!(
            bytes(&[word("1"), word("0xff"), word(r#""a\n""#)]).unwrap(),
            [1, 255, b'a', b'\n']
        );
        assert_eq!(code(bytes(&[word("256")])), "bad-argument");
    }
}
