//! The part of the standard library that a program can call: one row a function.
//!
//! A signature is Rust's own, with `T` and `E` for what the type is made of and `Self` for the type itself. Types, elision
//! and bounds are read from it, for the library as for a function of the program.

/// A function of the library.
#[derive(Debug)]
pub struct Row {
    /// What it belongs to: a type with its parameters, `[T]`, `str`, `{integer}`, `{float}`, a module (`std::mem`), or
    /// `*` for a trait's method that every type with the bound has.
    pub on: &'static str,
    /// Its signature.
    pub signature: &'static str,
    /// What runs it.
    pub run: Builtin,
}

/// What a line can be made of.
pub const FORMS: &[&str] = &[
    "let x = …, let mut x: T = …, x = …, x += …, { … }",
    "if, loop, while, for i in 0..n, for x in &v; break, continue, return",
    "fn f(x: u32) -> u32 { … }, struct S { x: u32 }, impl S { … }, impl Drop for S",
    "println!, format!, vec!, panic!, assert!, assert_eq!; use std::rc::Rc;",
    "Vec::new_in(&bump), Box::new_in(7, &bump): a heap by name, in an arena of its own; Vec<u8, &Bump>",
    "numbers, bool, char, (A, B), [T; N], &T, &mut T, &[T], &str",
];

/// What functions belong to. Those that are written as operators, `*rc` and `v[1..]`, are none of a reader's.
pub fn owners() -> impl Iterator<Item = &'static str> {
    OWNERS.iter().copied().filter(|on| !matches!(*on, "Deref" | "[..]"))
}

/// The names of what is called on a value.
pub fn methods() -> impl Iterator<Item = &'static str> {
    let is_method = |row: &&'static Row| row.signature.contains("self");
    let owners = owners().flat_map(names);
    let of_rows = move |name: &&'static str| {
        ROWS.iter().filter(is_method).any(|row| row.signature[3..].starts_with(&format!("{name}(")))
    };
    owners.filter(of_rows)
}

/// The functions of a type, by name.
pub fn names(on: &'static str) -> impl Iterator<Item = &'static str> {
    let name = |row: &'static Row| {
        let rest = row.signature.strip_prefix("fn ").unwrap_or(row.signature);
        rest.split('(').next().unwrap_or(rest)
    };
    ROWS.iter().filter(move |row| row.on == on && !row.is_written_otherwise()).map(name)
}

impl Row {
    /// Whether the program writes it in another way: as a macro or an operator.
    fn is_written_otherwise(&self) -> bool {
        use Builtin as B;
        matches!(self.run, B::VecFromElem | B::VecFromArray | B::StringAdd)
    }
}

macro_rules! library {
    ($($on:literal { $($run:ident $signature:literal)* })*) => {
        /// What runs a row of [`ROWS`]. Each does what std's function of that name does today, panics included.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Builtin { $($($run,)*)* }

        /// What rows belong to, in order.
        const OWNERS: &[&str] = &[$($on,)*];

        /// Every function of the library.
        pub const ROWS: &[Row] = &[$($(Row { on: $on, signature: $signature, run: Builtin::$run },)*)*];
    };
}

library! {
    "*" {
        Clone "fn clone(&self) -> Self where Self: Clone"
        ToString "fn to_string(&self) -> String where Self: Display"
    }
    "std::mem" {
        Swap "fn swap(a: &mut T, b: &mut T)"
        Replace "fn replace(dest: &mut T, src: T) -> T"
        Take "fn take(dest: &mut T) -> T where T: Default"
        Forget "fn forget(value: T)"
        Drop "fn drop(value: T)"
        SizeOf "fn size_of() -> usize"
        AlignOf "fn align_of() -> usize"
        SizeOfVal "fn size_of_val(value: &T) -> usize"
        AlignOfVal "fn align_of_val(value: &T) -> usize"
    }
    "Vec<T>" {
        VecNew "fn new() -> Vec<T>"
        VecWithCapacity "fn with_capacity(capacity: usize) -> Vec<T>"
        VecNewIn "fn new_in(alloc: A) -> Vec<T, A> where A: Allocator"
        VecWithCapacityIn "fn with_capacity_in(capacity: usize, alloc: A) -> Vec<T, A> where A: Allocator"
        VecFromElem "fn from_elem(value: T, len: usize) -> Vec<T> where T: Clone"
        VecFromArray "fn from_array(items: Box<[T]>) -> Vec<T>"
        VecPush "fn push(&mut self, value: T)"
        VecPop "fn pop(&mut self) -> Option<T>"
        VecInsert "fn insert(&mut self, index: usize, element: T)"
        VecRemove "fn remove(&mut self, index: usize) -> T"
        VecSwapRemove "fn swap_remove(&mut self, index: usize) -> T"
        VecTruncate "fn truncate(&mut self, len: usize)"
        VecAppend "fn append(&mut self, other: &mut Vec<T>)"
        VecExtendFromSlice "fn extend_from_slice(&mut self, other: &[T]) where T: Clone"
        VecResize "fn resize(&mut self, new_len: usize, value: T) where T: Clone"
        VecReserve "fn reserve(&mut self, additional: usize)"
        VecReserveExact "fn reserve_exact(&mut self, additional: usize)"
        VecTryReserve "fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError>"
        VecShrinkToFit "fn shrink_to_fit(&mut self)"
        VecClear "fn clear(&mut self)"
        VecLen "fn len(&self) -> usize"
        VecIsEmpty "fn is_empty(&self) -> bool"
        VecCapacity "fn capacity(&self) -> usize"
        VecAsSlice "fn as_slice(&self) -> &[T]"
        VecAsMutSlice "fn as_mut_slice(&mut self) -> &mut [T]"
        VecIntoBoxedSlice "fn into_boxed_slice(self) -> Box<[T]>"
        VecLeak "fn leak(self) -> &'static mut [T]"
    }
    "[T]" {
        SliceLen "fn len(&self) -> usize"
        SliceIsEmpty "fn is_empty(&self) -> bool"
        SliceFirst "fn first(&self) -> Option<&T>"
        SliceLast "fn last(&self) -> Option<&T>"
        SliceGet "fn get(&self, index: usize) -> Option<&T>"
        SliceGetMut "fn get_mut(&mut self, index: usize) -> Option<&mut T>"
        SliceIter "fn iter(&self) -> Iter<T>"
        SliceSwap "fn swap(&mut self, a: usize, b: usize)"
        SliceReverse "fn reverse(&mut self)"
        SliceSort "fn sort(&mut self) where T: Ord"
        SliceFill "fn fill(&mut self, value: T) where T: Clone"
        SliceContains "fn contains(&self, x: &T) -> bool where T: PartialEq"
        SliceToVec "fn to_vec(&self) -> Vec<T> where T: Clone"
    }
    "[..]" {
        // `&s[range]`: the bounds are both ends, the end behind the last.
        SliceRange "fn index_range(this: &[T], start: usize, end: usize) -> &[T]"
        SliceRangeMut "fn index_range_mut(this: &mut [T], start: usize, end: usize) -> &mut [T]"
        StrRange "fn index_str(s: &str, start: usize, end: usize) -> &str"
        // `&s[start..=last]`.
        SliceThrough "fn index_through(this: &[T], start: usize, last: usize) -> &[T]"
        SliceThroughMut "fn index_through_mut(this: &mut [T], start: usize, last: usize) -> &mut [T]"
        StrThrough "fn index_str_through(s: &str, start: usize, last: usize) -> &str"
        // `&s[start..]`.
        SliceFrom "fn index_from(this: &[T], start: usize) -> &[T]"
        SliceFromMut "fn index_from_mut(this: &mut [T], start: usize) -> &mut [T]"
        StrFrom "fn index_str_from(s: &str, start: usize) -> &str"
    }
    "String" {
        StringNew "fn new() -> String"
        StringWithCapacity "fn with_capacity(capacity: usize) -> String"
        StringFrom "fn from(s: &str) -> String"
        StringPush "fn push(&mut self, ch: char)"
        StringPushStr "fn push_str(&mut self, string: &str)"
        StringPop "fn pop(&mut self) -> Option<char>"
        StringInsert "fn insert(&mut self, index: usize, ch: char)"
        StringRemove "fn remove(&mut self, index: usize) -> char"
        StringTruncate "fn truncate(&mut self, new_len: usize)"
        StringReserve "fn reserve(&mut self, additional: usize)"
        StringShrinkToFit "fn shrink_to_fit(&mut self)"
        StringClear "fn clear(&mut self)"
        StringLen "fn len(&self) -> usize"
        StringIsEmpty "fn is_empty(&self) -> bool"
        StringCapacity "fn capacity(&self) -> usize"
        StringAsStr "fn as_str(&self) -> &str"
        StringIntoBytes "fn into_bytes(self) -> Vec<u8>"
        // `a + &b`.
        StringAdd "fn add(self, other: &str) -> String"
    }
    "str" {
        StrLen "fn len(&self) -> usize"
        StrIsEmpty "fn is_empty(&self) -> bool"
        StrToOwned "fn to_owned(&self) -> String"
        StrAsBytes "fn as_bytes(&self) -> &[u8]"
        StrContains "fn contains(&self, pattern: &str) -> bool"
        StrStartsWith "fn starts_with(&self, pattern: &str) -> bool"
        StrEndsWith "fn ends_with(&self, pattern: &str) -> bool"
        StrTrim "fn trim(&self) -> &str"
        StrRepeat "fn repeat(&self, n: usize) -> String"
        StrToUppercase "fn to_uppercase(&self) -> String"
        StrToLowercase "fn to_lowercase(&self) -> String"
    }
    "Box<T>" {
        BoxNew "fn new(x: T) -> Box<T>"
        BoxNewIn "fn new_in(x: T, alloc: A) -> Box<T, A> where A: Allocator"
        BoxLeak "fn leak(b: Box<T>) -> &'static mut T"
    }
    "Option<T>" {
        OptionUnwrap "fn unwrap(self) -> T"
        OptionExpect "fn expect(self, msg: &str) -> T"
        OptionUnwrapOr "fn unwrap_or(self, default: T) -> T"
        OptionIsSome "fn is_some(&self) -> bool"
        OptionIsNone "fn is_none(&self) -> bool"
        OptionTake "fn take(&mut self) -> Option<T>"
        OptionReplace "fn replace(&mut self, value: T) -> Option<T>"
        OptionInsert "fn insert(&mut self, value: T) -> &mut T"
        OptionGetOrInsert "fn get_or_insert(&mut self, value: T) -> &mut T"
        OptionAsRef "fn as_ref(&self) -> Option<&T>"
        OptionAsMut "fn as_mut(&mut self) -> Option<&mut T>"
        OptionOkOr "fn ok_or(self, err: E) -> Result<T, E>"
    }
    "Option<&T>" {
        OptionCloned "fn cloned(self) -> Option<T> where T: Clone"
        OptionCopied "fn copied(self) -> Option<T> where T: Copy"
    }
    "Result<T, E>" {
        ResultUnwrap "fn unwrap(self) -> T where E: Debug"
        ResultExpect "fn expect(self, msg: &str) -> T where E: Debug"
        ResultUnwrapErr "fn unwrap_err(self) -> E where T: Debug"
        ResultUnwrapOr "fn unwrap_or(self, default: T) -> T"
        ResultIsOk "fn is_ok(&self) -> bool"
        ResultIsErr "fn is_err(&self) -> bool"
        ResultOk "fn ok(self) -> Option<T>"
        ResultErr "fn err(self) -> Option<E>"
    }
    "Rc<T>" {
        RcNew "fn new(value: T) -> Rc<T>"
        RcStrongCount "fn strong_count(this: &Rc<T>) -> usize"
        RcWeakCount "fn weak_count(this: &Rc<T>) -> usize"
        RcDowngrade "fn downgrade(this: &Rc<T>) -> Weak<T>"
        RcPtrEq "fn ptr_eq(this: &Rc<T>, other: &Rc<T>) -> bool"
        RcGetMut "fn get_mut(this: &mut Rc<T>) -> Option<&mut T>"
        RcTryUnwrap "fn try_unwrap(this: Rc<T>) -> Result<T, Rc<T>>"
    }
    "Weak<T>" {
        WeakNew "fn new() -> Weak<T>"
        WeakUpgrade "fn upgrade(&self) -> Option<Rc<T>>"
    }
    "Cell<T>" {
        CellNew "fn new(value: T) -> Cell<T>"
        CellGet "fn get(&self) -> T where T: Copy"
        CellSet "fn set(&self, val: T)"
        CellReplace "fn replace(&self, val: T) -> T"
        CellIntoInner "fn into_inner(self) -> T"
    }
    "RefCell<T>" {
        RefCellNew "fn new(value: T) -> RefCell<T>"
        RefCellBorrow "fn borrow(&self) -> Ref<T>"
        RefCellBorrowMut "fn borrow_mut(&self) -> RefMut<T>"
        RefCellIntoInner "fn into_inner(self) -> T"
    }
    "Deref" {
        // What leads through a smart pointer: a reference to what it holds.
        VecIndex "fn index(this: &Vec<T>, index: usize) -> &T"
        VecIndexMut "fn index_mut(this: &mut Vec<T>, index: usize) -> &mut T"
        VecDeref "fn deref(this: &Vec<T>) -> &[T]"
        VecDerefMut "fn deref_mut(this: &mut Vec<T>) -> &mut [T]"
        StringDeref "fn deref(this: &String) -> &str"
        RcDeref "fn deref(this: &Rc<T>) -> &T"
        RefGuardDeref "fn deref(this: &Ref<T>) -> &T"
        RefMutGuardDeref "fn deref(this: &RefMut<T>) -> &T"
        RefMutGuardDerefMut "fn deref_mut(this: &mut RefMut<T>) -> &mut T"
    }
    "{integer}" {
        IntPow "fn pow(self, exp: u32) -> Self"
        IntAbs "fn abs(self) -> Self"
        IntMin "fn min(self, other: Self) -> Self"
        IntMax "fn max(self, other: Self) -> Self"
        IntWrappingAdd "fn wrapping_add(self, rhs: Self) -> Self"
        IntWrappingSub "fn wrapping_sub(self, rhs: Self) -> Self"
        IntWrappingMul "fn wrapping_mul(self, rhs: Self) -> Self"
        IntCheckedAdd "fn checked_add(self, rhs: Self) -> Option<Self>"
        IntCheckedSub "fn checked_sub(self, rhs: Self) -> Option<Self>"
        IntCheckedMul "fn checked_mul(self, rhs: Self) -> Option<Self>"
        IntCheckedDiv "fn checked_div(self, rhs: Self) -> Option<Self>"
        IntSaturatingAdd "fn saturating_add(self, rhs: Self) -> Self"
        IntSaturatingSub "fn saturating_sub(self, rhs: Self) -> Self"
        IntCountOnes "fn count_ones(self) -> u32"
        IntLeadingZeros "fn leading_zeros(self) -> u32"
        IntTrailingZeros "fn trailing_zeros(self) -> u32"
        IntIsPowerOfTwo "fn is_power_of_two(self) -> bool"
        IntNextPowerOfTwo "fn next_power_of_two(self) -> Self"
    }
    "{float}" {
        FloatSqrt "fn sqrt(self) -> Self"
        FloatAbs "fn abs(self) -> Self"
        FloatMin "fn min(self, other: Self) -> Self"
        FloatMax "fn max(self, other: Self) -> Self"
        FloatFloor "fn floor(self) -> Self"
        FloatPowi "fn powi(self, n: i32) -> Self"
    }
}
