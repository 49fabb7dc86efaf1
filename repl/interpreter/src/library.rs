//! The part of the standard library, and of heapless, that a program can call: one row a function.
//!
//! A signature is Rust's own, with `T` and `E` for what the type is made of and `Self` for the type itself. Types, elision
//! and bounds are read from it, for the library as for a function of the program.

/// A function of the library.
#[derive(Debug)]
pub struct Row {
    /// What it belongs to: a type with its parameters, `[T]`, `str`, `u8`, a class of numbers (`{integer}`, `{unsigned}`,
    /// `{signed}`, `{float}`), a module (`std::mem`), or `*` for a trait's method that every type with the bound has.
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
    "trait T { fn f(&self); }, impl T for S { … }, &dyn T, Box<dyn T>",
    "dyn Debug, dyn Display; dyn std::io::Write of Vec<u8>, stdout(), sink() and yours",
    "println!, format!, write!, vec!, panic!, assert!, assert_eq!; use std::rc::Rc;",
    "Vec::new_in(&bump), Box::new_in(7, &bump): a heap by name, in an arena of its own; Vec<u8, &Bump>",
    "use heapless::box_pool; box_pool!(P: [u8; 32]); P.alloc([0; 32])",
    "numbers, bool, char, (A, B), [T; N], &T, &mut T, &[T], &str",
];

/// What functions belong to. Those that are written as operators, `*rc` and `v[1..]`, are none of a reader's.
pub fn owners() -> impl Iterator<Item = &'static str> {
    OWNERS.iter().copied().filter(|on| !matches!(*on, "Deref" | "[..]" | "given"))
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
        let is_vec = self.on == "Vec<T>" && matches!(self.run, B::VecFromElem | B::VecFromArray);
        is_vec || self.run == B::StringAdd
    }
}

/// A row that begins with `=` is run as the row above that has this name.
macro_rules! library {
    ($($on:literal { $($($run:ident)? $(= $same:ident)? $signature:literal)* })*) => {
        /// What runs a row of [`ROWS`]. Each does what std's function of that name does today, panics included.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Builtin { $($($($run,)?)*)* }

        /// What rows belong to, in order.
        const OWNERS: &[&str] = &[$($on,)*];

        /// Every function of the library.
        pub const ROWS: &[Row] = &[
            $($(Row { on: $on, signature: $signature, run: Builtin::$($run)?$($same)? },)*)*
        ];
    };
}

library! {
    "given" {
        // What std's own code needs: see `lower/given.rs`.
        PrintBytes "fn print_bytes(bytes: &[u8])"
    }
    "*" {
        Default "fn default() -> Self where Self: Default"
        Clone "fn clone(&self) -> Self where Self: Clone"
        ToString "fn to_string(&self) -> String where Self: Display"
        =Clone "fn to_owned(&self) -> Self where Self: ToOwned"
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
        NeedsDrop "fn needs_drop() -> bool"
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
        VecSplitOff "fn split_off(&mut self, at: usize) -> Vec<T>"
        VecDedup "fn dedup(&mut self) where T: PartialEq"
        VecResize "fn resize(&mut self, new_len: usize, value: T) where T: Clone"
        VecReserve "fn reserve(&mut self, additional: usize)"
        VecReserveExact "fn reserve_exact(&mut self, additional: usize)"
        VecTryReserve "fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError>"
        VecTryReserveExact "fn try_reserve_exact(&mut self, additional: usize) -> Result<(), TryReserveError>"
        VecShrinkToFit "fn shrink_to_fit(&mut self)"
        VecShrinkTo "fn shrink_to(&mut self, min_capacity: usize)"
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
        =SliceFirst "fn first_mut(&mut self) -> Option<&mut T>"
        =SliceLast "fn last_mut(&mut self) -> Option<&mut T>"
        SliceGet "fn get(&self, index: usize) -> Option<&T>"
        SliceGetMut "fn get_mut(&mut self, index: usize) -> Option<&mut T>"
        SliceIter "fn iter(&self) -> Iter<T>"
        SliceSwap "fn swap(&mut self, a: usize, b: usize)"
        SliceReverse "fn reverse(&mut self)"
        SliceRotateLeft "fn rotate_left(&mut self, mid: usize)"
        SliceRotateRight "fn rotate_right(&mut self, k: usize)"
        SliceSort "fn sort(&mut self) where T: Ord"
        =SliceSort "fn sort_unstable(&mut self) where T: Ord"
        SliceBinarySearch "fn binary_search(&self, x: &T) -> Result<usize, usize> where T: Ord"
        SliceFill "fn fill(&mut self, value: T) where T: Clone"
        SliceContains "fn contains(&self, x: &T) -> bool where T: PartialEq"
        SliceStartsWith "fn starts_with(&self, needle: &[T]) -> bool where T: PartialEq"
        SliceEndsWith "fn ends_with(&self, needle: &[T]) -> bool where T: PartialEq"
        SliceSplitAt "fn split_at(&self, mid: usize) -> (&[T], &[T])"
        =SliceSplitAt "fn split_at_mut(&mut self, mid: usize) -> (&mut [T], &mut [T])"
        SliceCopyFromSlice "fn copy_from_slice(&mut self, src: &[T]) where T: Copy"
        SliceRepeat "fn repeat(&self, n: usize) -> Vec<T> where T: Copy"
        SliceToVec "fn to_vec(&self) -> Vec<T> where T: Clone"
        =SliceToVec "fn to_owned(&self) -> Vec<T> where T: Clone"
    }
    "[Vec<T>]" {
        SliceConcat "fn concat(&self) -> Vec<T> where T: Clone"
    }
    "[String]" {
        StrConcat "fn concat(&self) -> String"
        StrJoin "fn join(&self, sep: &str) -> String"
    }
    "[&str]" {
        =StrConcat "fn concat(&self) -> String"
        =StrJoin "fn join(&self, sep: &str) -> String"
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
        StringInsertStr "fn insert_str(&mut self, idx: usize, string: &str)"
        StringSplitOff "fn split_off(&mut self, at: usize) -> String"
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
        StringFromUtf8Lossy "fn from_utf8_lossy(v: &[u8]) -> Cow<str>"
        // `a + &b`.
        StringAdd "fn add(self, other: &str) -> String"
    }
    "str" {
        StrLen "fn len(&self) -> usize"
        StrIsEmpty "fn is_empty(&self) -> bool"
        StrToOwned "fn to_owned(&self) -> String"
        StrAsBytes "fn as_bytes(&self) -> &[u8]"
        StrIsCharBoundary "fn is_char_boundary(&self, index: usize) -> bool"
        StrContains "fn contains(&self, pattern: T) -> bool where T: Pattern"
        StrStartsWith "fn starts_with(&self, pattern: T) -> bool where T: Pattern"
        StrEndsWith "fn ends_with(&self, pattern: T) -> bool where T: Pattern"
        StrFind "fn find(&self, pattern: T) -> Option<usize> where T: Pattern"
        StrRfind "fn rfind(&self, pattern: T) -> Option<usize> where T: Pattern"
        StrStripPrefix "fn strip_prefix(&self, prefix: T) -> Option<&str> where T: Pattern"
        StrStripSuffix "fn strip_suffix(&self, suffix: T) -> Option<&str> where T: Pattern"
        StrSplitOnce "fn split_once(&self, delimiter: T) -> Option<(&str, &str)> where T: Pattern"
        StrSplitAt "fn split_at(&self, mid: usize) -> (&str, &str)"
        StrParse "fn parse(&self) -> Result<T, ParseIntError> where T: FromStr"
        StrTrim "fn trim(&self) -> &str"
        StrTrimStart "fn trim_start(&self) -> &str"
        StrTrimEnd "fn trim_end(&self) -> &str"
        StrIsAscii "fn is_ascii(&self) -> bool"
        StrEqIgnoreAsciiCase "fn eq_ignore_ascii_case(&self, other: &str) -> bool"
        StrToAsciiUppercase "fn to_ascii_uppercase(&self) -> String"
        StrToAsciiLowercase "fn to_ascii_lowercase(&self) -> String"
        StrRepeat "fn repeat(&self, n: usize) -> String"
        StrToUppercase "fn to_uppercase(&self) -> String"
        StrToLowercase "fn to_lowercase(&self) -> String"
    }
    "Box<T>" {
        BoxNew "fn new(x: T) -> Box<T>"
        BoxNewIn "fn new_in(x: T, alloc: A) -> Box<T, A> where A: Allocator"
        BoxLeak "fn leak(b: Box<T>) -> &'static mut T"
    }
    "Box<[T]>" {
        =VecFromArray "fn into_vec(self) -> Vec<T>"
    }
    "Option<T>" {
        OptionUnwrap "fn unwrap(self) -> T"
        OptionExpect "fn expect(self, msg: &str) -> T"
        OptionUnwrapOr "fn unwrap_or(self, default: T) -> T"
        OptionUnwrapOrDefault "fn unwrap_or_default(self) -> T where T: Default"
        OptionAnd "fn and(self, optb: Option<E>) -> Option<E>"
        OptionOr "fn or(self, optb: Option<T>) -> Option<T>"
        OptionXor "fn xor(self, optb: Option<T>) -> Option<T>"
        OptionZip "fn zip(self, other: Option<E>) -> Option<(T, E)>"
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
    "Option<Option<T>>" {
        OptionFlatten "fn flatten(self) -> Option<T>"
    }
    "Result<T, E>" {
        ResultUnwrap "fn unwrap(self) -> T where E: Debug"
        ResultExpect "fn expect(self, msg: &str) -> T where E: Debug"
        ResultUnwrapErr "fn unwrap_err(self) -> E where T: Debug"
        ResultUnwrapOr "fn unwrap_or(self, default: T) -> T"
        ResultExpectErr "fn expect_err(self, msg: &str) -> E where T: Debug"
        ResultUnwrapOrDefault "fn unwrap_or_default(self) -> T where T: Default"
        ResultAsRef "fn as_ref(&self) -> Result<&T, &E>"
        =ResultAsRef "fn as_mut(&mut self) -> Result<&mut T, &mut E>"
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
        RcIntoInner "fn into_inner(this: Rc<T>) -> Option<T>"
        RcUnwrapOrClone "fn unwrap_or_clone(this: Rc<T>) -> T where T: Clone"
        RcMakeMut "fn make_mut(this: &mut Rc<T>) -> &mut T where T: Clone"
    }
    "Weak<T>" {
        WeakNew "fn new() -> Weak<T>"
        WeakUpgrade "fn upgrade(&self) -> Option<Rc<T>>"
        WeakStrongCount "fn strong_count(&self) -> usize"
        WeakWeakCount "fn weak_count(&self) -> usize"
        =RcPtrEq "fn ptr_eq(&self, other: &Weak<T>) -> bool"
    }
    "Arc<T>" {
        =RcNew "fn new(value: T) -> Arc<T>"
        =RcStrongCount "fn strong_count(this: &Arc<T>) -> usize"
        =RcWeakCount "fn weak_count(this: &Arc<T>) -> usize"
        =RcDowngrade "fn downgrade(this: &Arc<T>) -> sync::Weak<T>"
        =RcPtrEq "fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool"
        =RcGetMut "fn get_mut(this: &mut Arc<T>) -> Option<&mut T>"
        =RcTryUnwrap "fn try_unwrap(this: Arc<T>) -> Result<T, Arc<T>>"
        =RcIntoInner "fn into_inner(this: Arc<T>) -> Option<T>"
        =RcUnwrapOrClone "fn unwrap_or_clone(this: Arc<T>) -> T where T: Clone"
        =RcMakeMut "fn make_mut(this: &mut Arc<T>) -> &mut T where T: Clone"
    }
    "sync::Weak<T>" {
        =WeakNew "fn new() -> sync::Weak<T>"
        =WeakUpgrade "fn upgrade(&self) -> Option<Arc<T>>"
        =WeakStrongCount "fn strong_count(&self) -> usize"
        =WeakWeakCount "fn weak_count(&self) -> usize"
        =RcPtrEq "fn ptr_eq(&self, other: &sync::Weak<T>) -> bool"
    }
    "Cow<str>" {
        CowIntoOwned "fn into_owned(self) -> String"
        CowToMut "fn to_mut(&mut self) -> &mut String"
    }
    "Cow<[T]>" {
        =CowIntoOwned "fn into_owned(self) -> Vec<T> where T: Clone"
        =CowToMut "fn to_mut(&mut self) -> &mut Vec<T> where T: Clone"
    }
    "Cell<T>" {
        CellNew "fn new(value: T) -> Cell<T>"
        CellGet "fn get(&self) -> T where T: Copy"
        CellSet "fn set(&self, val: T)"
        CellReplace "fn replace(&self, val: T) -> T"
        CellTake "fn take(&self) -> T where T: Default"
        CellSwap "fn swap(&self, other: &Cell<T>)"
        CellGetMut "fn get_mut(&mut self) -> &mut T"
        CellIntoInner "fn into_inner(self) -> T"
    }
    "RefCell<T>" {
        RefCellNew "fn new(value: T) -> RefCell<T>"
        RefCellBorrow "fn borrow(&self) -> Ref<T>"
        RefCellBorrowMut "fn borrow_mut(&self) -> RefMut<T>"
        RefCellTryBorrow "fn try_borrow(&self) -> Result<Ref<T>, BorrowError>"
        RefCellTryBorrowMut "fn try_borrow_mut(&self) -> Result<RefMut<T>, BorrowMutError>"
        RefCellReplace "fn replace(&self, t: T) -> T"
        RefCellTake "fn take(&self) -> T where T: Default"
        RefCellGetMut "fn get_mut(&mut self) -> &mut T"
        RefCellIntoInner "fn into_inner(self) -> T"
    }
    "heapless::Vec<T, N>" {
        HeaplessVecNew "fn new() -> heapless::Vec<T, N>"
        HeaplessVecFromSlice "fn from_slice(other: &[T]) -> Result<heapless::Vec<T, N>, heapless::CapacityError> where T: Clone"
        HeaplessVecPush "fn push(&mut self, item: T) -> Result<(), T>"
        HeaplessVecPop "fn pop(&mut self) -> Option<T>"
        HeaplessVecInsert "fn insert(&mut self, index: usize, element: T) -> Result<(), T>"
        HeaplessVecRemove "fn remove(&mut self, index: usize) -> T"
        HeaplessVecSwapRemove "fn swap_remove(&mut self, index: usize) -> T"
        HeaplessVecTruncate "fn truncate(&mut self, len: usize)"
        HeaplessVecClear "fn clear(&mut self)"
        HeaplessVecExtendFromSlice "fn extend_from_slice(&mut self, other: &[T]) -> Result<(), heapless::CapacityError> where T: Clone"
        HeaplessVecResize "fn resize(&mut self, new_len: usize, value: T) -> Result<(), heapless::CapacityError> where T: Clone"
        HeaplessVecCapacity "fn capacity(&self) -> usize"
        HeaplessVecIsFull "fn is_full(&self) -> bool"
        HeaplessVecIsEmpty "fn is_empty(&self) -> bool"
        HeaplessVecAsSlice "fn as_slice(&self) -> &[T]"
        HeaplessVecAsMutSlice "fn as_mut_slice(&mut self) -> &mut [T]"
        HeaplessVecStartsWith "fn starts_with(&self, needle: &[T]) -> bool where T: PartialEq"
        HeaplessVecEndsWith "fn ends_with(&self, needle: &[T]) -> bool where T: PartialEq"
    }
    "heapless::String<N>" {
        HeaplessStringNew "fn new() -> heapless::String<N>"
        HeaplessStringTryFrom "fn try_from(s: &str) -> Result<heapless::String<N>, heapless::CapacityError>"
        HeaplessStringPush "fn push(&mut self, c: char) -> Result<(), heapless::CapacityError>"
        HeaplessStringPushStr "fn push_str(&mut self, string: &str) -> Result<(), heapless::CapacityError>"
        HeaplessStringPop "fn pop(&mut self) -> Option<char>"
        HeaplessStringInsert "fn insert(&mut self, idx: usize, ch: char) -> Result<(), heapless::CapacityError>"
        HeaplessStringInsertStr "fn insert_str(&mut self, idx: usize, string: &str) -> Result<(), heapless::CapacityError>"
        HeaplessStringRemove "fn remove(&mut self, index: usize) -> char"
        HeaplessStringTruncate "fn truncate(&mut self, new_len: usize)"
        HeaplessStringClear "fn clear(&mut self)"
        HeaplessStringCapacity "fn capacity(&self) -> usize"
        HeaplessStringAsStr "fn as_str(&self) -> &str"
        HeaplessStringIntoBytes "fn into_bytes(self) -> heapless::Vec<u8, N>"
    }
    "heapless::Deque<T, N>" {
        DequeNew "fn new() -> heapless::Deque<T, N>"
        DequePushBack "fn push_back(&mut self, item: T) -> Result<(), T>"
        DequePushFront "fn push_front(&mut self, item: T) -> Result<(), T>"
        DequePopBack "fn pop_back(&mut self) -> Option<T>"
        DequePopFront "fn pop_front(&mut self) -> Option<T>"
        DequeFront "fn front(&self) -> Option<&T>"
        DequeFrontMut "fn front_mut(&mut self) -> Option<&mut T>"
        DequeBack "fn back(&self) -> Option<&T>"
        DequeBackMut "fn back_mut(&mut self) -> Option<&mut T>"
        DequeGet "fn get(&self, index: usize) -> Option<&T>"
        DequeGetMut "fn get_mut(&mut self, index: usize) -> Option<&mut T>"
        DequeSwap "fn swap(&mut self, i: usize, j: usize)"
        DequeSwapRemoveFront "fn swap_remove_front(&mut self, index: usize) -> Option<T>"
        DequeSwapRemoveBack "fn swap_remove_back(&mut self, index: usize) -> Option<T>"
        DequeTruncate "fn truncate(&mut self, len: usize)"
        DequeClear "fn clear(&mut self)"
        DequeLen "fn len(&self) -> usize"
        DequeCapacity "fn capacity(&self) -> usize"
        DequeIsFull "fn is_full(&self) -> bool"
        DequeIsEmpty "fn is_empty(&self) -> bool"
        DequeAsSlices "fn as_slices(&self) -> (&[T], &[T])"
    }
    "{pool}" {
        PoolAlloc "fn alloc(&self, value: Data) -> Result<heapless::pool::boxed::Box<Self>, Data>"
        PoolManage "fn manage(&self, block: &'static mut BoxBlock<Data>)"
    }
    "BoxBlock<T>" {
        BoxBlockNew "fn new() -> BoxBlock<T>"
    }
    "Deref" {
        // What leads through a smart pointer: a reference to what it holds.
        VecIndex "fn index(this: &Vec<T>, index: usize) -> &T"
        VecIndexMut "fn index_mut(this: &mut Vec<T>, index: usize) -> &mut T"
        VecDeref "fn deref(this: &Vec<T>) -> &[T]"
        VecDerefMut "fn deref_mut(this: &mut Vec<T>) -> &mut [T]"
        StringDeref "fn deref(this: &String) -> &str"
        RcDeref "fn deref(this: &Rc<T>) -> &T"
        CowDeref "fn deref(this: &Cow<T>) -> &T"
        HeaplessVecDeref "fn deref(this: &heapless::Vec<T, N>) -> &[T]"
        HeaplessVecDerefMut "fn deref_mut(this: &mut heapless::Vec<T, N>) -> &mut [T]"
        PoolBoxDeref "fn deref(this: &heapless::pool::boxed::Box<P>) -> &Data"
        PoolBoxDerefMut "fn deref_mut(this: &mut heapless::pool::boxed::Box<P>) -> &mut Data"
        HeaplessStringDeref "fn deref(this: &heapless::String<N>) -> &str"
        RefGuardDeref "fn deref(this: &Ref<T>) -> &T"
        RefMutGuardDeref "fn deref(this: &RefMut<T>) -> &T"
        RefMutGuardDerefMut "fn deref_mut(this: &mut RefMut<T>) -> &mut T"
    }
    "{integer}" {
        IntPow "fn pow(self, exp: u32) -> Self"
        IntMin "fn min(self, other: Self) -> Self"
        IntMax "fn max(self, other: Self) -> Self"
        IntClamp "fn clamp(self, min: Self, max: Self) -> Self"
        IntRemEuclid "fn rem_euclid(self, rhs: Self) -> Self"
        IntDivEuclid "fn div_euclid(self, rhs: Self) -> Self"
        IntWrappingNeg "fn wrapping_neg(self) -> Self"
        IntWrappingAdd "fn wrapping_add(self, rhs: Self) -> Self"
        IntWrappingSub "fn wrapping_sub(self, rhs: Self) -> Self"
        IntWrappingMul "fn wrapping_mul(self, rhs: Self) -> Self"
        IntCheckedAdd "fn checked_add(self, rhs: Self) -> Option<Self>"
        IntCheckedSub "fn checked_sub(self, rhs: Self) -> Option<Self>"
        IntCheckedMul "fn checked_mul(self, rhs: Self) -> Option<Self>"
        IntCheckedDiv "fn checked_div(self, rhs: Self) -> Option<Self>"
        IntCheckedRem "fn checked_rem(self, rhs: Self) -> Option<Self>"
        IntCheckedPow "fn checked_pow(self, exp: u32) -> Option<Self>"
        IntOverflowingAdd "fn overflowing_add(self, rhs: Self) -> (Self, bool)"
        IntOverflowingSub "fn overflowing_sub(self, rhs: Self) -> (Self, bool)"
        IntOverflowingMul "fn overflowing_mul(self, rhs: Self) -> (Self, bool)"
        IntSaturatingMul "fn saturating_mul(self, rhs: Self) -> Self"
        IntSaturatingAdd "fn saturating_add(self, rhs: Self) -> Self"
        IntSaturatingSub "fn saturating_sub(self, rhs: Self) -> Self"
        IntCountOnes "fn count_ones(self) -> u32"
        IntLeadingZeros "fn leading_zeros(self) -> u32"
        IntTrailingZeros "fn trailing_zeros(self) -> u32"
        IntCountZeros "fn count_zeros(self) -> u32"
        IntLeadingOnes "fn leading_ones(self) -> u32"
        IntTrailingOnes "fn trailing_ones(self) -> u32"
        IntRotateLeft "fn rotate_left(self, n: u32) -> Self"
        IntRotateRight "fn rotate_right(self, n: u32) -> Self"
        IntSwapBytes "fn swap_bytes(self) -> Self"
        IntReverseBits "fn reverse_bits(self) -> Self"
        IntIsqrt "fn isqrt(self) -> Self"
        IntIlog2 "fn ilog2(self) -> u32"
        IntIlog10 "fn ilog10(self) -> u32"
        IntToLeBytes "fn to_le_bytes(self) -> [u8; size_of::<Self>()]"
        IntToBeBytes "fn to_be_bytes(self) -> [u8; size_of::<Self>()]"
        =IntToLeBytes "fn to_ne_bytes(self) -> [u8; size_of::<Self>()]"
        IntFromLeBytes "fn from_le_bytes(bytes: [u8; size_of::<Self>()]) -> Self"
        IntFromBeBytes "fn from_be_bytes(bytes: [u8; size_of::<Self>()]) -> Self"
        =IntFromLeBytes "fn from_ne_bytes(bytes: [u8; size_of::<Self>()]) -> Self"
    }
    "{unsigned}" {
        IntAbsDiff "fn abs_diff(self, other: Self) -> Self"
        IntDivCeil "fn div_ceil(self, rhs: Self) -> Self"
        IntNextMultipleOf "fn next_multiple_of(self, rhs: Self) -> Self"
        IntIsPowerOfTwo "fn is_power_of_two(self) -> bool"
        IntNextPowerOfTwo "fn next_power_of_two(self) -> Self"
        IntCheckedNextPowerOfTwo "fn checked_next_power_of_two(self) -> Option<Self>"
    }
    "{signed}" {
        IntAbs "fn abs(self) -> Self"
        IntSignum "fn signum(self) -> Self"
        IntIsNegative "fn is_negative(self) -> bool"
        IntIsPositive "fn is_positive(self) -> bool"
    }
    "{float}" {
        FloatSqrt "fn sqrt(self) -> Self"
        FloatAbs "fn abs(self) -> Self"
        FloatMin "fn min(self, other: Self) -> Self"
        FloatMax "fn max(self, other: Self) -> Self"
        FloatFloor "fn floor(self) -> Self"
        FloatCeil "fn ceil(self) -> Self"
        FloatRound "fn round(self) -> Self"
        FloatTrunc "fn trunc(self) -> Self"
        FloatSignum "fn signum(self) -> Self"
        FloatIsNan "fn is_nan(self) -> bool"
        FloatPowi "fn powi(self, n: i32) -> Self"
    }
    "f32" {
        FloatToBits "fn to_bits(self) -> u32"
        FloatFromBits "fn from_bits(v: u32) -> f32"
    }
    "f64" {
        =FloatToBits "fn to_bits(self) -> u64"
        =FloatFromBits "fn from_bits(v: u64) -> f64"
    }
    "bool" {
        BoolThenSome "fn then_some(self, t: T) -> Option<T>"
    }
    "char" {
        CharIsAlphabetic "fn is_alphabetic(self) -> bool"
        CharIsNumeric "fn is_numeric(self) -> bool"
        CharIsAlphanumeric "fn is_alphanumeric(self) -> bool"
        CharIsWhitespace "fn is_whitespace(self) -> bool"
        CharIsUppercase "fn is_uppercase(self) -> bool"
        CharIsLowercase "fn is_lowercase(self) -> bool"
        CharIsControl "fn is_control(self) -> bool"
        CharIsAscii "fn is_ascii(&self) -> bool"
        CharIsAsciiAlphabetic "fn is_ascii_alphabetic(&self) -> bool"
        CharIsAsciiDigit "fn is_ascii_digit(&self) -> bool"
        CharIsAsciiHexdigit "fn is_ascii_hexdigit(&self) -> bool"
        CharIsAsciiAlphanumeric "fn is_ascii_alphanumeric(&self) -> bool"
        CharIsAsciiUppercase "fn is_ascii_uppercase(&self) -> bool"
        CharIsAsciiLowercase "fn is_ascii_lowercase(&self) -> bool"
        CharIsAsciiWhitespace "fn is_ascii_whitespace(&self) -> bool"
        CharIsAsciiPunctuation "fn is_ascii_punctuation(&self) -> bool"
        CharToAsciiUppercase "fn to_ascii_uppercase(&self) -> char"
        CharToAsciiLowercase "fn to_ascii_lowercase(&self) -> char"
        CharEqIgnoreAsciiCase "fn eq_ignore_ascii_case(&self, other: &char) -> bool"
        CharLenUtf8 "fn len_utf8(self) -> usize"
        CharIsDigit "fn is_digit(self, radix: u32) -> bool"
        CharToDigit "fn to_digit(self, radix: u32) -> Option<u32>"
        CharFromDigit "fn from_digit(num: u32, radix: u32) -> Option<char>"
        CharFromU32 "fn from_u32(i: u32) -> Option<char>"
    }
    "u8" {
        =CharIsAscii "fn is_ascii(&self) -> bool"
        =CharIsAsciiAlphabetic "fn is_ascii_alphabetic(&self) -> bool"
        =CharIsAsciiDigit "fn is_ascii_digit(&self) -> bool"
        =CharIsAsciiHexdigit "fn is_ascii_hexdigit(&self) -> bool"
        =CharIsAsciiAlphanumeric "fn is_ascii_alphanumeric(&self) -> bool"
        =CharIsAsciiUppercase "fn is_ascii_uppercase(&self) -> bool"
        =CharIsAsciiLowercase "fn is_ascii_lowercase(&self) -> bool"
        =CharIsAsciiWhitespace "fn is_ascii_whitespace(&self) -> bool"
        =CharIsAsciiPunctuation "fn is_ascii_punctuation(&self) -> bool"
        =CharToAsciiUppercase "fn to_ascii_uppercase(&self) -> u8"
        =CharToAsciiLowercase "fn to_ascii_lowercase(&self) -> u8"
        =CharEqIgnoreAsciiCase "fn eq_ignore_ascii_case(&self, other: &u8) -> bool"
    }
}
