//! Which type has which trait.

use stack::Scalar;

use super::infer::{Class, Infer};
use crate::types::{Lib, Mutability, Structs, TraitId, Type};

/// What a text can be searched for: a character, one of several, or text.
fn is_pattern(ty: &Type, infer: &Infer) -> bool {
    let is_char = |ty: &Type| infer.shallow(ty) == Type::Scalar(Scalar::Char);
    match ty {
        Type::Scalar(scalar) => *scalar == Scalar::Char,
        Type::Array(element, _) => is_char(element),
        Type::Ref(Mutability::Shared, to) => match &infer.shallow(to) {
            Type::Str | Type::Lib(Lib::String, _) => true,
            Type::Array(element, _) | Type::Slice(element) => is_char(element),
            Type::Ref(Mutability::Shared, to) => infer.shallow(to) == Type::Str,
            _ => false,
        },
        _ => false,
    }
}

/// Whether a type has a trait: `Copy`, `Clone`, `ToOwned`, `Debug`, `Display`, `PartialEq`, `Ord`, `Default`, or one of a number's
/// ways to be written. What is not known yet may have any.
pub(super) fn has(ty: &Type, bound: &str, infer: &Infer, structs: &Structs) -> bool {
    let ty = infer.shallow(ty);
    let all = |args: &[Type]| args.iter().all(|arg| has(arg, bound, infer, structs));
    match (&ty, bound) {
        (_, "Sized") => {}
        (Type::Const(_), _) => return true,
        // As what lies in the block is, but for what moves or makes one.
        (Type::Lib(Lib::PoolBox, _), "Copy" | "Default" | "Pointer") => return false,
        (Type::Lib(Lib::PoolBox, args), _) => return has(&args[1], bound, infer, structs),
        (Type::Lib(Lib::BoxBlock, _), _) => return bound == "Default",
        _ => {}
    }
    if let Type::Var(id) = ty {
        return match infer.class(id) {
            _ if bound == "Pattern" && infer.class(id) != Class::Any => false,
            Class::Float => {
                !matches!(bound, "Ord" | "LowerHex" | "UpperHex" | "Binary" | "Octal" | "Pointer")
            }
            Class::Integer => bound != "Pointer",
            Class::Any => true,
        };
    }
    match bound {
        "Copy" => match &ty {
            Type::Tuple(items) => all(items),
            Type::Array(element, _) => has(element, bound, infer, structs),
            Type::Lib(Lib::Option | Lib::Result, args) => all(args),
            other => other.is_copy(structs),
        },
        "Clone" => match &ty {
            Type::Tuple(items) => all(items),
            Type::Array(element, _) | Type::Slice(element) => has(element, bound, infer, structs),
            Type::Struct(id, _) => structs.get(*id).derives.clone,
            Type::Lib(Lib::Rc | Lib::Weak | Lib::Arc | Lib::ArcWeak | Lib::Iter, _) => true,
            Type::Lib(Lib::RefGuard | Lib::RefMutGuard | Lib::CapacityError, _) => false,
            Type::Lib(Lib::BorrowError | Lib::BorrowMutError, _) => false,
            Type::Lib(Lib::Cow, args) => infer.shallow(&args[0]) == Type::Str || all(args),
            Type::Lib(Lib::Cell, args) => has(&args[0], "Copy", infer, structs),
            Type::Lib(_, args) => all(args),
            other => has(other, "Copy", infer, structs),
        },
        "ToOwned" => ty == Type::Str || has(&ty, "Clone", infer, structs),
        "Debug" => match &ty {
            Type::Struct(id, _) => structs.get(*id).derives.debug,
            Type::Dyn(of, _) => *of == TraitId::Debug,
            Type::Lib(Lib::Weak | Lib::ArcWeak, _) => true,
            Type::Tuple(items) | Type::Lib(_, items) => all(items),
            Type::Array(inner, _) | Type::Slice(inner) | Type::Ref(_, inner) => {
                has(inner, bound, infer, structs)
            }
            _ => true,
        },
        "Display" => match &ty {
            Type::Scalar(_) | Type::Str | Type::Lib(Lib::String | Lib::TryReserveError, _) => true,
            Type::Dyn(of, _) => *of == TraitId::Display,
            Type::Lib(Lib::HeaplessString | Lib::CapacityError, _) => true,
            Type::Lib(Lib::BorrowError | Lib::BorrowMutError | Lib::ParseIntError, _) => true,
            Type::Ref(_, inner) => has(inner, bound, infer, structs),
            Type::Lib(
                Lib::Box | Lib::Rc | Lib::Arc | Lib::Cow | Lib::RefGuard | Lib::RefMutGuard,
                args,
            ) => has(&args[0], bound, infer, structs),
            _ => false,
        },
        "PartialEq" | "Ord" => match &ty {
            Type::Struct(id, _) => structs.get(*id).derives.partial_eq && bound == "PartialEq",
            Type::Tuple(items) => all(items),
            Type::Array(inner, _) | Type::Slice(inner) | Type::Ref(_, inner) => {
                has(inner, bound, infer, structs)
            }
            Type::Scalar(scalar) => bound == "PartialEq" || !scalar.is_float(),
            Type::Lib(Lib::Weak | Lib::ArcWeak | Lib::Iter, _) | Type::Dyn(..) => false,
            Type::Lib(Lib::RefGuard | Lib::RefMutGuard | Lib::CapacityError, _) => false,
            Type::Lib(Lib::BorrowError | Lib::BorrowMutError, _) => false,
            Type::Lib(Lib::Deque, args) => bound == "PartialEq" && all(args),
            Type::Lib(Lib::Range | Lib::TryReserveError | Lib::ParseIntError, _) => {
                bound == "PartialEq"
            }
            Type::Lib(Lib::Cell, args) => has(&args[0], "Copy", infer, structs) && all(args),
            Type::Lib(_, args) => all(args),
            _ => true,
        },
        "Allocator" => matches!(ty, Type::Heap(_)),
        "Default" => match &ty {
            ty if ty.allocator().is_some() => false,
            Type::Struct(id, _) => structs.get(*id).derives.default,
            Type::Tuple(items) => all(items),
            Type::Array(inner, len) => {
                *len <= 32 && (*len == 0 || has(inner, bound, infer, structs))
            }
            Type::Ref(_, inner) => matches!(**inner, Type::Str | Type::Slice(_)),
            Type::Lib(Lib::Box, args) if matches!(args[0], Type::Str | Type::Slice(_)) => true,
            Type::Scalar(_) | Type::Lib(Lib::Vec | Lib::String | Lib::Option, _) => true,
            Type::Lib(Lib::Weak | Lib::ArcWeak | Lib::Cow | Lib::CapacityError, _) => true,
            Type::Lib(lib, _) if lib.is_heapless() => true,
            Type::Lib(Lib::Box | Lib::Rc | Lib::Arc | Lib::Cell | Lib::RefCell, args) => all(args),
            _ => false,
        },
        "Pointer" => matches!(ty, Type::Ref(..) | Type::Lib(Lib::Box | Lib::Rc | Lib::Arc, _)),
        "LowerHex" | "UpperHex" | "Binary" | "Octal" => match &ty {
            Type::Scalar(scalar) => scalar.is_integer(),
            Type::Ref(_, inner) => has(inner, bound, infer, structs),
            _ => false,
        },
        "LowerExp" | "UpperExp" => match &ty {
            Type::Scalar(scalar) => scalar.is_integer() || scalar.is_float(),
            Type::Ref(_, inner) => has(inner, bound, infer, structs),
            _ => false,
        },
        "Sized" => ty.is_sized(),
        "FromStr" => matches!(ty, Type::Scalar(scalar) if scalar.is_integer()),
        "Pattern" => is_pattern(&ty, infer),
        // Of a pair: the second is what owns the first.
        "Owned" => match &ty {
            Type::Tuple(pair) => match infer.shallow(&pair[0]) {
                Type::Var(_) => true,
                borrowed => borrowed.owned().as_ref() == Some(&pair[1]),
            },
            _ => false,
        },
        // What heapless's `new` asserts when it is compiled.
        "capacity" => match &ty {
            Type::Lib(Lib::HeaplessVec | Lib::HeaplessString, args) => {
                let (capacity, len) = (&args[args.len() - 2], &args[args.len() - 1]);
                match (infer.shallow(capacity), infer.shallow(len)) {
                    (Type::Const(capacity), Type::Scalar(len)) if len.size_bytes() < 8 => {
                        capacity >> (len.size_bytes() * 8) == 0
                    }
                    _ => true,
                }
            }
            Type::Lib(Lib::Deque, args) => infer.shallow(&args[1]) != Type::Const(0),
            _ => true,
        },
        other => unreachable!("the library asks for no {other}"),
    }
}
