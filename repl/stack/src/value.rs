use std::fmt::{self, Write};
use std::sync::Arc;

use crate::{Scalar, Type};

/// Elements of an array that its text shows at most.
const SHOWN: u64 = 1000;

/// A value with its type, as its bytes lie in memory: little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A primitive; `bits` holds its bytes, zero-extended.
    Scalar {
        /// Its type.
        scalar: Scalar,
        /// Its bytes as a number.
        bits: u128,
    },
    /// `[value; len]`.
    Repeat(Arc<Value>, u64),
    /// `[a, b, c]`, all of one type; never empty.
    List(Vec<Value>),
}

impl Value {
    /// The type.
    pub fn type_of(&self) -> Type {
        match self {
            Self::Scalar { scalar, .. } => Type::Scalar(*scalar),
            Self::Repeat(element, len) => Type::Array(Arc::new(element.type_of()), *len),
            Self::List(elements) => {
                Type::Array(Arc::new(elements[0].type_of()), elements.len() as u64)
            }
        }
    }

    /// Hands `write` the bytes, piece by piece, in order. `Err(byte, count)` is a run of one byte.
    pub fn bytes(&self, write: &mut impl FnMut(Run<'_>)) {
        match self {
            Self::Scalar { scalar, bits } => {
                write(Run::Bytes(&bits.to_le_bytes()[..scalar.size_bytes() as usize]));
            }
            Self::Repeat(element, len) => match element.uniform() {
                Some(byte) => {
                    let size =
                        self.type_of().size_bytes().expect("a value that was placed has a size");
                    write(Run::Repeat(byte, size));
                }
                None => (0..*len).for_each(|_| element.bytes(write)),
            },
            Self::List(elements) => elements.iter().for_each(|element| element.bytes(write)),
        }
    }

    /// The byte that all of its bytes are, if they are all the same.
    pub fn uniform(&self) -> Option<u8> {
        match self {
            Self::Scalar { scalar, bits } => {
                let bytes = bits.to_le_bytes();
                let bytes = &bytes[..scalar.size_bytes() as usize];
                bytes.iter().all(|byte| *byte == bytes[0]).then_some(bytes[0])
            }
            Self::Repeat(element, _) => element.uniform(),
            Self::List(elements) => {
                let byte = elements[0].uniform()?;
                elements.iter().all(|element| element.uniform() == Some(byte)).then_some(byte)
            }
        }
    }

    /// The value of type `ty` that `bytes` hold, at least its first thousand elements. `None` if they hold none:
    /// 7 is no `bool`.
    pub fn decode(ty: &Type, bytes: &[u8]) -> Option<Self> {
        match ty {
            Type::Scalar(scalar) => {
                let mut wide = [0; 16];
                let size = scalar.size_bytes() as usize;
                wide[..size].copy_from_slice(&bytes[..size]);
                let bits = u128::from_le_bytes(wide);
                let valid = match scalar {
                    Scalar::Bool => bits < 2,
                    Scalar::Char => char::from_u32(bits as u32).is_some(),
                    _ => true,
                };
                valid.then_some(Self::Scalar { scalar: *scalar, bits })
            }
            Type::Named { .. } => None,
            Type::Array(element, len) => {
                let size = element.size_bytes()? as usize;
                let decode = |i: u64| Self::decode(element, &bytes[i as usize * size..]);
                let shown = if size == 0 { 0 } else { (*len).min(SHOWN) };
                let elements: Vec<_> = (0..shown).map(decode).collect::<Option<_>>()?;
                match elements.split_first() {
                    Some((first, rest))
                        if rest.iter().all(|value| value == first) || *len > SHOWN =>
                    {
                        let uniform = bytes.chunks_exact(size).all(|chunk| chunk == &bytes[..size]);
                        if uniform {
                            return Some(Self::Repeat(Arc::new(first.clone()), *len));
                        }
                        Some(Self::List(elements))
                    }
                    Some(_) => Some(Self::List(elements)),
                    None => Some(Self::Repeat(Arc::new(Self::zero(element)?), *len)),
                }
            }
        }
    }

    /// The value whose bytes are all zero, of a type that the stack looks into.
    pub fn zero(ty: &Type) -> Option<Self> {
        match ty {
            Type::Scalar(scalar) => Some(Self::Scalar { scalar: *scalar, bits: 0 }),
            Type::Array(element, len) => Some(Self::Repeat(Arc::new(Self::zero(element)?), *len)),
            Type::Named { .. } => None,
        }
    }

    /// Rust's notation, short: `[0u8; 200]`, `10u8`, `[10, 0, 0, …]`.
    pub fn literal(&self) -> String {
        match self {
            Self::Scalar { scalar, .. } if scalar.is_integer() || scalar.is_float() => {
                format!("{self}{}", scalar.name())
            }
            Self::Scalar { .. } => self.to_string(),
            Self::Repeat(element, len) => format!("[{}; {len}]", element.literal()),
            Self::List(elements) => {
                let mut text = String::from("[");
                for (i, element) in elements.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ", " };
                    if i == 6 && elements.len() > 7 {
                        text.push_str(", …");
                        break;
                    }
                    let _ = write!(text, "{separator}{element}");
                }
                text + "]"
            }
        }
    }
}

/// A stretch of a value's bytes.
#[derive(Clone, Copy, Debug)]
pub enum Run<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// One byte so many times.
    Repeat(u8, u64),
}

/// As `{:?}` prints the value, up to a thousand elements of an array.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar { scalar, bits } => scalar_debug(f, *scalar, *bits),
            Self::Repeat(element, len) => {
                list(f, std::iter::repeat_n(&**element, (*len).min(SHOWN + 1) as usize))
            }
            Self::List(elements) => list(f, elements.iter()),
        }
    }
}

fn list<'a>(f: &mut fmt::Formatter<'_>, elements: impl Iterator<Item = &'a Value>) -> fmt::Result {
    f.write_char('[')?;
    for (i, element) in elements.enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        if i as u64 == SHOWN {
            f.write_char('…')?;
            break;
        }
        write!(f, "{element}")?;
    }
    f.write_char(']')
}

fn scalar_debug(f: &mut fmt::Formatter<'_>, scalar: Scalar, bits: u128) -> fmt::Result {
    match scalar {
        Scalar::F32 => write!(f, "{:?}", f32::from_bits(bits as u32)),
        Scalar::F64 => write!(f, "{:?}", f64::from_bits(bits as u64)),
        Scalar::Bool => write!(f, "{:?}", bits != 0),
        Scalar::Char => write!(f, "{:?}", char::from_u32(bits as u32).unwrap_or('\u{fffd}')),
        _ if scalar.is_signed() => {
            let unused = 128 - scalar.size_bytes() * 8;
            write!(f, "{}", (bits << unused).cast_signed() >> unused)
        }
        _ => write!(f, "{bits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(scalar: Scalar, bits: u128) -> Value {
        Value::Scalar { scalar, bits }
    }

    #[test]
    fn values_print_as_rust_debug_does() {
        for (value, expect) in [
            (scalar(Scalar::I8, 0xff), format!("{:?}", -1i8)),
            (scalar(Scalar::I128, u128::MAX), format!("{:?}", -1i128)),
            (scalar(Scalar::F64, u128::from(2f64.to_bits())), format!("{:?}", 2f64)),
            (scalar(Scalar::Char, 0x27), format!("{:?}", '\'')),
            (scalar(Scalar::Bool, 1), format!("{:?}", true)),
            (Value::Repeat(Arc::new(scalar(Scalar::U8, 3)), 3), format!("{:?}", [3u8; 3])),
        ] {
            assert_eq!(value.to_string(), expect);
        }
    }

    #[test]
    fn bytes_decode_to_the_value_they_came_from() {
        let list = Value::List(vec![scalar(Scalar::U16, 1), scalar(Scalar::U16, 0x203)]);
        let mut bytes = Vec::new();
        list.bytes(&mut |run| match run {
            Run::Bytes(some) => bytes.extend_from_slice(some),
            Run::Repeat(byte, count) => bytes.resize(bytes.len() + count as usize, byte),
        });
        assert_eq!(bytes, [1, 0, 3, 2]);
        assert_eq!(Value::decode(&list.type_of(), &bytes), Some(list));
    }

    #[test]
    fn bytes_that_hold_no_value_decode_to_none() {
        assert_eq!(Value::decode(&Type::Scalar(Scalar::Bool), &[7]), None);
        assert_eq!(Value::decode(&Type::Scalar(Scalar::Char), &[0, 0xd8, 0, 0]), None);
    }

    #[test]
    fn literals_are_short() {
        let zeros = Value::zero(&Type::Array(Arc::new(Type::Scalar(Scalar::U8)), 200)).unwrap();
        assert_eq!(zeros.literal(), "[0u8; 200]");
        let mut bytes = vec![0; 200];
        bytes[0] = 10;
        let changed = Value::decode(&zeros.type_of(), &bytes).unwrap();
        assert_eq!(changed.literal(), "[10, 0, 0, 0, 0, 0, …]");
    }
}
