//! Which type has which trait.

use super::infer::{Class, Infer};
use crate::types::{Lib, Structs, Type};

/// Whether a type has a trait: `Copy`, `Clone`, `Debug`, `Display`, `PartialEq`, `Ord`, `Default`, or one of a number's
/// ways to be written. What is not known yet may have any.
pub(super) fn has(ty: &Type, bound: &str, infer: &Infer, structs: &Structs) -> bool {
    let ty = infer.shallow(ty);
    let all = |args: &[Type]| args.iter().all(|arg| has(arg, bound, infer, structs));
    if let Type::Var(id) = ty {
        return match infer.class(id) {
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
            Type::Lib(Lib::Rc | Lib::Weak | Lib::Iter, _) => true,
            Type::Lib(Lib::RefGuard | Lib::RefMutGuard, _) => false,
            Type::Lib(Lib::Cell, args) => has(&args[0], "Copy", infer, structs),
            Type::Lib(_, args) => all(args),
            other => has(other, "Copy", infer, structs),
        },
        "Debug" => match &ty {
            Type::Struct(id, _) => structs.get(*id).derives.debug,
            Type::Lib(Lib::Weak, _) => true,
            Type::Tuple(items) | Type::Lib(_, items) => all(items),
            Type::Array(inner, _) | Type::Slice(inner) | Type::Ref(_, inner) => {
                has(inner, bound, infer, structs)
            }
            _ => true,
        },
        "Display" => match &ty {
            Type::Scalar(_) | Type::Str | Type::Lib(Lib::String | Lib::TryReserveError, _) => true,
            Type::Ref(_, inner) => has(inner, bound, infer, structs),
            Type::Lib(Lib::Box | Lib::Rc | Lib::RefGuard | Lib::RefMutGuard, args) => {
                has(&args[0], bound, infer, structs)
            }
            _ => false,
        },
        "PartialEq" | "Ord" => match &ty {
            Type::Struct(id, _) => structs.get(*id).derives.partial_eq && bound == "PartialEq",
            Type::Tuple(items) => all(items),
            Type::Array(inner, _) | Type::Slice(inner) | Type::Ref(_, inner) => {
                has(inner, bound, infer, structs)
            }
            Type::Scalar(scalar) => bound == "PartialEq" || !scalar.is_float(),
            Type::Lib(Lib::Weak | Lib::Iter | Lib::RefGuard | Lib::RefMutGuard, _) => false,
            Type::Lib(Lib::Range | Lib::TryReserveError, _) => bound == "PartialEq",
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
            Type::Ref(_, inner) => matches!(**inner, Type::Str),
            Type::Lib(Lib::Vec | Lib::String | Lib::Option | Lib::Weak, _) | Type::Scalar(_) => {
                true
            }
            Type::Lib(Lib::Box | Lib::Rc | Lib::Cell | Lib::RefCell, args) => all(args),
            _ => false,
        },
        "Pointer" => matches!(ty, Type::Ref(..) | Type::Lib(Lib::Box | Lib::Rc, _)),
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
        other => unreachable!("the library asks for no {other}"),
    }
}
