use std::fmt;
use std::sync::Arc;

/// A primitive type of Rust, laid out as on a 64-bit machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Scalar {
    U8,
    U16,
    U32,
    U64,
    U128,
    Usize,
    I8,
    I16,
    I32,
    I64,
    I128,
    Isize,
    F32,
    F64,
    Bool,
    Char,
}

impl Scalar {
    /// Every scalar with its name and its size in bytes. The alignment is the size.
    pub const ALL: &[(Self, &'static str, u32)] = &[
        (Self::U8, "u8", 1),
        (Self::U16, "u16", 2),
        (Self::U32, "u32", 4),
        (Self::U64, "u64", 8),
        (Self::U128, "u128", 16),
        (Self::Usize, "usize", 8),
        (Self::I8, "i8", 1),
        (Self::I16, "i16", 2),
        (Self::I32, "i32", 4),
        (Self::I64, "i64", 8),
        (Self::I128, "i128", 16),
        (Self::Isize, "isize", 8),
        (Self::F32, "f32", 4),
        (Self::F64, "f64", 8),
        (Self::Bool, "bool", 1),
        (Self::Char, "char", 4),
    ];

    fn row(self) -> &'static (Self, &'static str, u32) {
        &Self::ALL[self as usize]
    }

    /// The type's name in Rust.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Its size and alignment in bytes.
    pub fn size_bytes(self) -> u32 {
        self.row().2
    }

    /// The scalar of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Whether it is an integer, signed or not.
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::F32 | Self::F64 | Self::Bool | Self::Char)
    }

    /// Whether it is an integer that can be negative.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I128 | Self::Isize)
    }

    /// Whether it is a floating-point number.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// A type whose size is known when a line is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A primitive.
    Scalar(Scalar),
    /// `[T; N]`.
    Array(Arc<Type>, u64),
    /// A type that the stack does not look into.
    Named {
        /// Its name.
        name: Arc<str>,
        /// Its bytes.
        size_bytes: u64,
        /// Its alignment.
        align_bytes: u32,
    },
}

impl Type {
    /// The size in bytes, or `None` beyond `u64`.
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::Scalar(scalar) => Some(u64::from(scalar.size_bytes())),
            Self::Array(element, len) => element.size_bytes()?.checked_mul(*len),
            Self::Named { size_bytes, .. } => Some(*size_bytes),
        }
    }

    /// The alignment in bytes.
    pub fn align_bytes(&self) -> u32 {
        match self {
            Self::Scalar(scalar) => scalar.size_bytes(),
            Self::Array(element, _) => element.align_bytes(),
            Self::Named { align_bytes, .. } => *align_bytes,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => f.write_str(scalar.name()),
            Self::Array(element, len) => write!(f, "[{element}; {len}]"),
            Self::Named { name, .. } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_alignments_are_those_of_rustc() {
        macro_rules! check {
            ($($t:ty),*) => {$(
                let scalar = Scalar::named(stringify!($t)).unwrap();
                assert_eq!((scalar.size_bytes() as usize, scalar.name()), (size_of::<$t>(), stringify!($t)));
                assert_eq!(scalar.size_bytes() as usize, align_of::<$t>());
            )*};
        }
        check!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, bool, char);
        #[cfg(target_pointer_width = "64")]
        check!(usize, isize);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, row) in Scalar::ALL.iter().enumerate() {
            assert_eq!(row.0 as usize, i, "{}", row.1);
        }
    }

    #[test]
    fn an_array_is_its_elements_and_aligned_like_one() {
        let array = Type::Array(Arc::new(Type::Scalar(Scalar::U32)), 3);
        assert_eq!((array.size_bytes(), array.align_bytes()), (Some(12), 4));
        assert_eq!(Type::Array(Arc::new(array), u64::MAX).size_bytes(), None);
    }
}
