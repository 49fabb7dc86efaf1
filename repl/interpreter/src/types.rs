//! The types a program of the subset can have.
//!
//! Lifetimes are not part of a type here: the borrow checker numbers them itself, see [`crate::check`].

#![allow(clippy::match_same_arms, reason = "a match here is a table that is read row by row")]

use std::fmt;
use std::sync::Arc;

use stack::Scalar;

/// A type. Its order is of use for maps alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A number, `bool` or `char`.
    Scalar(Scalar),
    /// `str`, behind a pointer.
    Str,
    /// `!`: of an expression that does not come back.
    Never,
    /// A tuple; the empty one is `()`.
    Tuple(Arc<[Type]>),
    /// `[T; N]`.
    Array(Arc<Type>, u64),
    /// `[T]`, behind a pointer.
    Slice(Arc<Type>),
    /// `&T` and `&mut T`.
    Ref(Mutability, Arc<Type>),
    /// A struct of the program.
    Struct(StructId, Arc<str>),
    /// `dyn Shape`, behind a pointer.
    Dyn(TraitId, Arc<str>),
    /// A type of the library, with its arguments. Those of a `Vec` or `Box` with an allocator of its own end in that.
    Lib(Lib, Arc<[Type]>),
    /// A number that is an argument of a type: 8 in `heapless::Vec<u8, 8>`.
    Const(u64),
    /// `&'static Bump`: a heap of that design, as an allocator. Only a collection holds one.
    Heap(Heap),
    /// A parameter of a library signature: `T` in `Vec<T>`, by its number.
    Param(u8),
    /// Not known yet.
    Var(VarId),
}

/// Whether a reference may be written through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutability {
    /// `&T`.
    Shared,
    /// `&mut T`.
    Mut,
}

/// A heap, by its name in the machine's list: `first-fit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heap(pub &'static str);

impl Heap {
    /// As a program calls it: `first_fit`.
    pub fn name(self) -> String {
        self.0.replace('-', "_")
    }

    /// Its type: `FirstFit`.
    pub fn ty(self) -> String {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        self.0.split('-').map(capital).collect()
    }
}

/// Names a struct of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StructId {
    /// Its number.
    pub number: u32,
    /// How many lifetimes it has: part of the name, so that a type tells how many references it may hold.
    pub lifetimes: u8,
}

/// Names a trait that can stand behind `dyn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraitId {
    /// `std::fmt::Debug`.
    Debug,
    /// `std::fmt::Display`.
    Display,
    /// One of the program, by its number.
    Own(u32),
}

/// Names a type that inference has yet to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// A type of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lib {
    /// `Vec<T>`: capacity, pointer, length.
    Vec,
    /// `String`: a `Vec<u8>`.
    String,
    /// `Box<T>`.
    Box,
    /// `Option<T>`.
    Option,
    /// `Result<T, E>`.
    Result,
    /// `Rc<T>`: a pointer to two counts and the value.
    Rc,
    /// `std::rc::Weak<T>`.
    Weak,
    /// `Arc<T>`: as an `Rc`.
    Arc,
    /// `std::sync::Weak<T>`.
    ArcWeak,
    /// `Cell<T>`.
    Cell,
    /// `RefCell<T>`: a flag and the value.
    RefCell,
    /// `std::cell::Ref<'_, T>`.
    RefGuard,
    /// `std::cell::RefMut<'_, T>`.
    RefMutGuard,
    /// `std::ops::Range<T>`.
    Range,
    /// `std::slice::Iter<'_, T>`: what `v.iter()` gives a `for` loop.
    Iter,
    /// `std::collections::TryReserveError`.
    TryReserveError,
    /// `std::borrow::Cow<'_, B>`: a `&B`, or what owns a `B`.
    Cow,
    /// `heapless::Vec<T, N, LenT>`: a length and room for `N` elements.
    HeaplessVec,
    /// `heapless::String<N, LenT>`: a `heapless::Vec<u8, N, LenT>`.
    HeaplessString,
    /// `heapless::Deque<T, N>`: room for `N` elements, used in a circle.
    Deque,
    /// `heapless::CapacityError`.
    CapacityError,
    /// `std::cell::BorrowError`.
    BorrowError,
    /// `std::cell::BorrowMutError`.
    BorrowMutError,
    /// `std::num::ParseIntError`.
    ParseIntError,
    /// `heapless::pool::boxed::Box<P>`, a value in a block of the pool `P`. What `P` holds is a second argument here.
    PoolBox,
    /// `heapless::pool::boxed::BoxBlock<T>`: a block for a pool.
    BoxBlock,
}

/// A row of the library's types.
pub struct LibRow {
    /// The type.
    pub lib: Lib,
    /// As rustc's messages call it; of another crate, with the crate's name.
    pub name: &'static str,
    /// The module it is in.
    pub module: &'static str,
    /// Its parameters as Rust declares them: `T`, `const N: usize`, `LenT = usize`.
    pub params: &'static [&'static str],
}

impl LibRow {
    /// Whether it needs no import.
    pub fn is_in_prelude(&self) -> bool {
        matches!(self.lib, Lib::Vec | Lib::String | Lib::Box | Lib::Option | Lib::Result)
    }

    /// How many parameters must be given.
    pub fn required(&self) -> usize {
        self.params.iter().filter(|param| !param.contains('=')).count()
    }

    /// Whether an argument is a number.
    pub fn is_const(&self, param: usize) -> bool {
        self.params.get(param).is_some_and(|param| param.starts_with("const "))
    }
}

impl Lib {
    /// Whether a value of it holds a reference of its own: a guard, an iterator, a `Cow`.
    pub fn is_reference(self) -> bool {
        matches!(self, Self::RefGuard | Self::RefMutGuard | Self::Iter | Self::Cow)
    }

    /// Every one, in the order of the enum.
    pub const ALL: &[LibRow] = &[
        LibRow { lib: Self::Vec, name: "Vec", module: "vec", params: &["T"] },
        LibRow { lib: Self::String, name: "String", module: "string", params: &[] },
        LibRow { lib: Self::Box, name: "Box", module: "boxed", params: &["T"] },
        LibRow { lib: Self::Option, name: "Option", module: "option", params: &["T"] },
        LibRow { lib: Self::Result, name: "Result", module: "result", params: &["T", "E"] },
        LibRow { lib: Self::Rc, name: "Rc", module: "rc", params: &["T"] },
        LibRow { lib: Self::Weak, name: "Weak", module: "rc", params: &["T"] },
        LibRow { lib: Self::Arc, name: "Arc", module: "sync", params: &["T"] },
        LibRow { lib: Self::ArcWeak, name: "Weak", module: "sync", params: &["T"] },
        LibRow { lib: Self::Cell, name: "Cell", module: "cell", params: &["T"] },
        LibRow { lib: Self::RefCell, name: "RefCell", module: "cell", params: &["T"] },
        LibRow { lib: Self::RefGuard, name: "Ref", module: "cell", params: &["T"] },
        LibRow { lib: Self::RefMutGuard, name: "RefMut", module: "cell", params: &["T"] },
        LibRow { lib: Self::Range, name: "Range", module: "ops", params: &["T"] },
        LibRow { lib: Self::Iter, name: "Iter", module: "slice", params: &["T"] },
        LibRow {
            lib: Self::TryReserveError,
            name: "TryReserveError",
            module: "collections",
            params: &[],
        },
        LibRow { lib: Self::Cow, name: "Cow", module: "borrow", params: &["B"] },
        LibRow {
            lib: Self::HeaplessVec,
            name: "heapless::Vec",
            module: "vec",
            params: &["T", "const N: usize", "LenT = usize"],
        },
        LibRow {
            lib: Self::HeaplessString,
            name: "heapless::String",
            module: "string",
            params: &["const N: usize", "LenT = usize"],
        },
        LibRow {
            lib: Self::Deque,
            name: "heapless::Deque",
            module: "deque",
            params: &["T", "const N: usize"],
        },
        LibRow {
            lib: Self::CapacityError,
            name: "heapless::CapacityError",
            module: "",
            params: &[],
        },
        LibRow { lib: Self::BorrowError, name: "BorrowError", module: "cell", params: &[] },
        LibRow { lib: Self::BorrowMutError, name: "BorrowMutError", module: "cell", params: &[] },
        LibRow { lib: Self::ParseIntError, name: "ParseIntError", module: "num", params: &[] },
        LibRow {
            lib: Self::PoolBox,
            name: "heapless::pool::boxed::Box",
            module: "",
            params: &["P", "Data = P::Data"],
        },
        LibRow {
            lib: Self::BoxBlock,
            name: "BoxBlock",
            module: "heapless::pool::boxed",
            params: &["T"],
        },
    ];

    /// The names of its variants, if it is an enum.
    pub fn variants(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Option => Some(["None", "Some"]),
            Self::Result => Some(["Ok", "Err"]),
            Self::Cow => Some(["Borrowed", "Owned"]),
            _ => None,
        }
    }

    /// Its row.
    pub fn row(self) -> &'static LibRow {
        &Self::ALL[self as usize]
    }

    /// Whether it is a collection of heapless: its elements lie in the value itself.
    pub fn is_heapless(self) -> bool {
        matches!(self, Self::HeaplessVec | Self::HeaplessString | Self::Deque)
    }
}

/// A struct of the program.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a word of its declaration")]
pub struct Struct {
    /// Its name.
    pub name: Arc<str>,
    /// Its fields in the order they were declared. A tuple struct's are called `0`, `1`, …
    pub fields: Vec<Field>,
    /// Whether it is a tuple struct.
    pub is_tuple: bool,
    /// Whether it is `#[repr(C)]`.
    pub is_repr_c: bool,
    /// What each of its lifetimes is to who holds a value.
    pub lifetimes: Vec<Held>,
    /// Where its name stands.
    pub at: crate::typed::At,
    /// Whether it is one of std's: its fields are not the program's to see.
    pub is_of_std: bool,
    /// What it derives.
    pub derives: Derives,
    /// Its `impl Drop`, if it has one.
    pub drop: Option<crate::typed::FunctionId>,
    /// Whether it is `pub`: what a pool holds must be.
    pub is_public: bool,
    /// What its blocks hold, if it is a pool: `heapless::box_pool!` declares one.
    pub pool: Option<Type>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// The lifetimes of its references, in the order in which they are written.
    pub lifetimes: Vec<crate::typed::Lifetime>,
}

/// How a struct holds the references of one of its lifetimes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whether they may be exchanged for others through a shared reference or a `&mut`: `Cell<&'a T>`.
    pub is_invariant: bool,
    /// Whether the end of a value looks through them.
    pub is_dropped: bool,
}

/// What a struct derives.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs, clippy::struct_excessive_bools)]
pub struct Derives {
    pub copy: bool,
    pub clone: bool,
    pub debug: bool,
    pub partial_eq: bool,
    pub default: bool,
}

/// The structs of a program.
#[derive(Clone, Debug, Default)]
pub struct Structs(pub imbl::Vector<Arc<Struct>>);

impl Structs {
    /// The struct.
    pub fn get(&self, id: StructId) -> &Arc<Struct> {
        &self.0[id.number as usize]
    }

    /// Changes a struct.
    pub fn change(&mut self, id: StructId, change: impl FnOnce(&mut Struct)) {
        change(Arc::make_mut(&mut self.0[id.number as usize]));
    }
}

impl Type {
    /// `()`.
    pub fn unit() -> Self {
        Self::Tuple(Arc::from([]))
    }

    /// `bool`.
    pub const BOOL: Self = Self::Scalar(Scalar::Bool);
    /// `usize`.
    pub const USIZE: Self = Self::Scalar(Scalar::Usize);
    /// `u8`.
    pub const U8: Self = Self::Scalar(Scalar::U8);

    /// A library type.
    pub fn lib(lib: Lib, params: impl Into<Arc<[Self]>>) -> Self {
        Self::Lib(lib, params.into())
    }

    /// `String`.
    pub fn string() -> Self {
        Self::lib(Lib::String, [])
    }

    /// `&T` or `&mut T`.
    pub fn reference(mutability: Mutability, to: Self) -> Self {
        Self::Ref(mutability, Arc::new(to))
    }

    /// Whether it is `()`.
    pub fn is_unit(&self) -> bool {
        matches!(self, Self::Tuple(items) if items.is_empty())
    }

    /// Whether a value of it is as large as its type says: all but `str`, `[T]` and `dyn Trait`.
    pub fn is_sized(&self) -> bool {
        !matches!(self, Self::Str | Self::Slice(_) | Self::Dyn(..))
    }

    /// What it points to, if it is a reference, and whether it may be written through.
    pub fn referent(&self) -> Option<(Mutability, &Self)> {
        match self {
            Self::Ref(mutability, to) => Some((*mutability, to)),
            _ => None,
        }
    }

    /// Whether it is the library type.
    pub fn is_lib(&self, lib: Lib) -> bool {
        matches!(self, Self::Lib(of, _) if *of == lib)
    }

    /// What owns a value of it: `<B as ToOwned>::Owned`, of those types that a `Cow` can have.
    pub fn owned(&self) -> Option<Self> {
        match self {
            Self::Str => Some(Self::string()),
            Self::Slice(element) => Some(Self::lib(Lib::Vec, [Self::clone(element)])),
            _ => None,
        }
    }

    /// The first argument of a library type: `T` of `Vec<T>`.
    pub fn first_arg(&self) -> &Self {
        match self {
            Self::Lib(_, args) => &args[0],
            other => panic!("{other:?} has no arguments"),
        }
    }

    /// The heap that a `Vec` or `Box` was given, if it was given one.
    pub fn allocator(&self) -> Option<&Self> {
        match self {
            Self::Lib(Lib::Vec | Lib::Box, args) => args.get(1),
            _ => None,
        }
    }

    /// Whether assigning or passing it leaves the source usable: `T: Copy`.
    pub fn is_copy(&self, structs: &Structs) -> bool {
        match self {
            Self::Scalar(_) | Self::Never | Self::Ref(Mutability::Shared, _) | Self::Heap(_) => {
                true
            }
            Self::Const(_) => true,
            Self::Tuple(items) => items.iter().all(|item| item.is_copy(structs)),
            Self::Array(element, _) => element.is_copy(structs),
            Self::Struct(id, _) => structs.get(*id).derives.copy,
            Self::Lib(Lib::Option | Lib::Result, args) => {
                args.iter().all(|arg| arg.is_copy(structs))
            }
            Self::Var(_) | Self::Param(_) => false,
            Self::Str | Self::Slice(_) | Self::Dyn(..) | Self::Ref(..) | Self::Lib(..) => false,
        }
    }

    /// Whether its end has something to do: it owns a block, or holds something that does, or has an `impl Drop`.
    pub fn needs_drop(&self, structs: &Structs) -> bool {
        match self {
            Self::Scalar(_) | Self::Never | Self::Ref(..) | Self::Str => false,
            Self::Const(_) | Self::Heap(_) => false,
            Self::Tuple(items) => items.iter().any(|item| item.needs_drop(structs)),
            Self::Array(element, len) => *len > 0 && element.needs_drop(structs),
            Self::Slice(element) => element.needs_drop(structs),
            // Whose value it is, nobody knows before it runs.
            Self::Dyn(..) => true,
            Self::Struct(id, _) => {
                let of = structs.get(*id);
                of.drop.is_some() || of.fields.iter().any(|field| field.ty.needs_drop(structs))
            }
            Self::Lib(lib, args) => match lib {
                Lib::Vec | Lib::String | Lib::Box | Lib::Cow => true,
                Lib::Rc | Lib::Weak | Lib::Arc | Lib::ArcWeak => true,
                Lib::RefGuard | Lib::RefMutGuard => true,
                // They have an `impl Drop`, whatever their elements are.
                Lib::HeaplessVec | Lib::HeaplessString | Lib::Deque | Lib::PoolBox => true,
                Lib::Iter | Lib::Range | Lib::TryReserveError | Lib::CapacityError => false,
                Lib::BorrowError | Lib::BorrowMutError | Lib::ParseIntError => false,
                Lib::BoxBlock => false,
                Lib::Option | Lib::Result | Lib::Cell | Lib::RefCell => {
                    args.iter().any(|arg| arg.needs_drop(structs))
                }
            },
            Self::Param(_) | Self::Var(_) => false,
        }
    }

    /// How many layers of references it has, one inside the other: `&Vec<&str>` has 2. What [`Lib::is_reference`] is a
    /// layer; so is what may hold one, a struct with a lifetime or a `dyn Trait`.
    pub fn layers(&self) -> u8 {
        match self {
            Self::Ref(_, to) => 1 + to.layers(),
            Self::Dyn(..) => 1,
            Self::Struct(id, _) => id.lifetimes.min(1),
            Self::Lib(lib, args) if lib.is_reference() => 1 + args[0].layers(),
            Self::Tuple(items) | Self::Lib(_, items) => {
                items.iter().map(Self::layers).max().unwrap_or(0)
            }
            Self::Array(inner, _) | Self::Slice(inner) => inner.layers(),
            _ => 0,
        }
    }

    /// Replaces what `of` knows.
    #[must_use]
    pub fn map(&self, of: &mut impl FnMut(&Self) -> Option<Self>) -> Self {
        if let Some(known) = of(self) {
            return known;
        }
        match self {
            Self::Tuple(items) => Self::Tuple(items.iter().map(|item| item.map(of)).collect()),
            Self::Array(element, len) => Self::Array(Arc::new(element.map(of)), *len),
            Self::Slice(element) => Self::Slice(Arc::new(element.map(of))),
            Self::Ref(mutability, to) => Self::Ref(*mutability, Arc::new(to.map(of))),
            Self::Lib(lib, args) => Self::Lib(*lib, args.iter().map(|arg| arg.map(of)).collect()),
            other => other.clone(),
        }
    }

    /// Whether `test` holds for it or a type inside it. Struct fields are not looked into.
    pub fn any(&self, test: &mut impl FnMut(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::Tuple(items) => items.iter().any(|item| item.any(test)),
                Self::Array(inner, _) | Self::Slice(inner) | Self::Ref(_, inner) => inner.any(test),
                Self::Lib(_, args) => args.iter().any(|arg| arg.any(test)),
                _ => false,
            }
    }
}

/// As rustc writes it in its messages.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(&mut |_| "_"))
    }
}

impl Type {
    /// As rustc writes it, with a word of the caller's for what is not known.
    pub fn named(&self, unknown: &mut impl FnMut(VarId) -> &'static str) -> String {
        let list = |items: &[Self], unknown: &mut _| {
            let names: Vec<_> = items.iter().map(|item| item.named(unknown)).collect();
            names.join(", ")
        };
        match self {
            Self::Scalar(scalar) => scalar.name().to_owned(),
            Self::Str => "str".to_owned(),
            Self::Never => "!".to_owned(),
            Self::Tuple(items) => {
                let comma = if items.len() == 1 { "," } else { "" };
                format!("({}{comma})", list(items, unknown))
            }
            Self::Array(element, len) => format!("[{}; {len}]", element.named(unknown)),
            Self::Slice(element) => format!("[{}]", element.named(unknown)),
            Self::Ref(Mutability::Shared, to) => format!("&{}", to.named(unknown)),
            Self::Ref(Mutability::Mut, to) => format!("&mut {}", to.named(unknown)),
            Self::Struct(_, name) => name.to_string(),
            Self::Dyn(_, name) => format!("dyn {name}"),
            Self::Lib(lib, args) if args.is_empty() => lib.row().name.to_owned(),
            Self::Lib(lib, args) => {
                let row = lib.row();
                // What nobody has to write is written where it is not the default.
                let is_default = |at: usize| {
                    at >= row.required() && (args[at] == Self::USIZE || *lib == Lib::PoolBox)
                };
                let args = if is_default(args.len() - 1) { &args[..args.len() - 1] } else { args };
                format!("{}<{}>", row.name, list(args, unknown))
            }
            Self::Heap(heap) => format!("&{}", heap.ty()),
            Self::Const(number) => number.to_string(),
            Self::Param(number) => ["T", "E", "U"][usize::from(*number)].to_owned(),
            Self::Var(id) => unknown(*id).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_s_rows_are_in_the_order_of_the_enum() {
        for (index, row) in Lib::ALL.iter().enumerate() {
            assert_eq!(row.lib as usize, index, "{}", row.name);
        }
    }
}
