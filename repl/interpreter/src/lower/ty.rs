//! Types as they are written.

use std::sync::Arc;

use stack::Scalar;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments};

use super::infer::Class;
use super::{Kind, Lower, Result, heap};
use crate::types::{Lib, Mutability, Type};

impl Lower<'_> {
    /// A type that a variable can have.
    pub(super) fn sized_type(&mut self, ty: &syn::Type) -> Result<Type> {
        let lowered = self.ty(ty)?;
        if lowered.is_sized() {
            Ok(lowered)
        } else {
            self.fault(Kind::Unsized { ty: lowered.to_string() }, ty)
        }
    }

    /// Refuses a lifetime in the type of a `let`: how long it promises to hold is not judged here.
    pub(super) fn check_no_lifetime(&self, ty: &syn::Type) -> Result<()> {
        struct Find(Option<syn::Lifetime>);
        impl VisitMut for Find {
            fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
                self.0.get_or_insert_with(|| lifetime.clone());
            }
        }
        let mut find = Find(None);
        find.visit_type_mut(&mut ty.clone());
        match find.0.filter(|lifetime| lifetime.ident != "_") {
            Some(lifetime) => self.unsupported(
                "A lifetime in a let's type",
                "Leave it out: let r: &T = &x; functions can name theirs.",
                &lifetime,
            ),
            None => Ok(()),
        }
    }

    /// Any type.
    pub(super) fn ty(&mut self, ty: &syn::Type) -> Result<Type> {
        match ty {
            syn::Type::Paren(inner) => self.ty(&inner.elem),
            syn::Type::Group(inner) => self.ty(&inner.elem),
            syn::Type::Infer(_) => Ok(self.fresh(Class::Any)),
            syn::Type::Never(_) => Ok(Type::Never),
            syn::Type::Tuple(tuple) => {
                let items = tuple.elems.iter().map(|ty| self.sized_type(ty));
                Ok(Type::Tuple(items.collect::<Result<_>>()?))
            }
            syn::Type::Array(array) => {
                let element = self.sized_type(&array.elem)?;
                let len = self.constant_len(&array.len)?;
                Ok(Type::Array(Arc::new(element), len))
            }
            syn::Type::Slice(slice) => Ok(Type::Slice(Arc::new(self.sized_type(&slice.elem)?))),
            syn::Type::Reference(reference) => {
                let mutability =
                    if reference.mutability.is_some() { Mutability::Mut } else { Mutability::Shared };
                Ok(Type::reference(mutability, self.ty(&reference.elem)?))
            }
            syn::Type::Path(path) if path.qself.is_none() => self.path_type(&path.path),
            syn::Type::TraitObject(_) | syn::Type::ImplTrait(_) => self.unsupported(
                "A trait as a type",
                "Name the type itself: a struct, a Box, a reference.",
                ty,
            ),
            syn::Type::Ptr(_) => self.unsupported(
                "A raw pointer",
                "References do: &T, &mut T. The prompt's own commands take addresses: read 0x1000_0008.",
                ty,
            ),
            _ => self.unsupported(
                "This type",
                "Numbers, bool, char, tuples, arrays, structs, references, String, Vec, Box, Option, Result, Rc, Cell and RefCell can be used.",
                ty,
            ),
        }
    }

    fn path_type(&mut self, path: &syn::Path) -> Result<Type> {
        let last = path.segments.last().expect("a path has a segment");
        let name = last.ident.to_string();
        let args: Vec<&syn::Type> = match &last.arguments {
            PathArguments::AngleBracketed(args) => {
                let mut types = Vec::new();
                for arg in &args.args {
                    match arg {
                        GenericArgument::Type(ty) => types.push(ty),
                        GenericArgument::Lifetime(_) => {}
                        _ => {
                            return self.unsupported(
                                "This argument",
                                "A type can stand here.",
                                arg,
                            );
                        }
                    }
                }
                types
            }
            _ => Vec::new(),
        };
        if path.segments.len() == 1 {
            if let Some(scalar) = Scalar::named(&name) {
                return Ok(Type::Scalar(scalar));
            }
            if name == "str" {
                return Ok(Type::Str);
            }
            if let Some(id) = self.names.structs.get(name.as_str()) {
                if !args.is_empty() {
                    let (ty, given) = (name, args.len());
                    return self.fault(Kind::MissingGenerics { ty, takes: 0, given }, path);
                }
                return Ok(Type::Struct(*id, name.as_str().into()));
            }
        }
        let Some(lib) = self.library_type(path) else {
            if path.segments.len() > 1 {
                let name = path.segments[0].ident.to_string();
                return self.fault(Kind::UndeclaredType { name }, path);
            }
            if self.heap_of_type(&name).is_some() {
                return self.unsupported("A heap's type", heap::INSTEAD, path);
            }
            let nearest = self.nearest_type(&name);
            return self.fault(Kind::UnknownType { name, nearest }, path);
        };
        let takes = lib.row().params.len();
        let has_allocator = matches!(lib, Lib::Vec | Lib::Box) && args.len() == 2;
        if args.len() != takes && !has_allocator {
            let ty = lib.row().name.to_owned();
            return self.fault(Kind::MissingGenerics { ty, takes, given: args.len() }, path);
        }
        let mut types = Vec::new();
        for (index, ty) in args.into_iter().enumerate() {
            types.push(if index == takes { self.allocator_type(ty)? } else { self.ty(ty)? });
        }
        Ok(Type::lib(lib, types))
    }

    /// The library type that a path leads to: of the prelude, imported, or with its whole path.
    pub(super) fn library_type(&self, path: &syn::Path) -> Option<Lib> {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let whole = match names.as_slice() {
            [one] => match self.names.uses.get(one.as_str()) {
                Some(whole) => whole.to_string(),
                None => one.clone(),
            },
            [first, rest @ ..] => match self.names.uses.get(first.as_str()) {
                Some(whole) => format!("{whole}::{}", rest.join("::")),
                None => names.join("::"),
            },
            [] => return None,
        };
        library_at(&whole)
    }

    fn nearest_type(&self, name: &str) -> Option<String> {
        let known = Lib::ALL.iter().map(|row| row.name.to_owned());
        let scalars = Scalar::ALL.iter().map(|row| row.1.to_owned());
        let structs = self.names.structs.keys().map(ToString::to_string);
        nearest(name, known.chain(scalars).chain(structs))
    }

    /// The length in `[T; N]`: a constant.
    pub(super) fn constant_len(&mut self, expr: &syn::Expr) -> Result<u64> {
        match expr {
            syn::Expr::Paren(inner) => self.constant_len(&inner.expr),
            syn::Expr::Group(inner) => self.constant_len(&inner.expr),
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(lit), .. }) => {
                if !matches!(lit.suffix(), "" | "usize") {
                    let (expected, found) = ("usize".to_owned(), lit.suffix().to_owned());
                    return self.fault(Kind::Mismatch { expected, found }, expr);
                }
                let out_of_range =
                    Kind::LiteralOutOfRange { literal: lit.to_string(), ty: "usize".to_owned() };
                lit.base10_parse().or_else(|_| self.fault(out_of_range, expr))
            }
            syn::Expr::Binary(binary) => {
                let (left, right) =
                    (self.constant_len(&binary.left)?, self.constant_len(&binary.right)?);
                let value = match binary.op {
                    syn::BinOp::Add(_) => left.checked_add(right),
                    syn::BinOp::Sub(_) => left.checked_sub(right),
                    syn::BinOp::Mul(_) => left.checked_mul(right),
                    syn::BinOp::Div(_) => left.checked_div(right),
                    _ => return self.bad_constant(expr),
                };
                match value {
                    Some(value) => Ok(value),
                    None => self.bad_constant(expr),
                }
            }
            syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), .. }) => {
                self.fault(Kind::NotUnary { op: "-", ty: "usize".to_owned() }, expr)
            }
            syn::Expr::Path(path) => {
                let name =
                    path.path.segments.last().expect("a path has a segment").ident.to_string();
                if self.find_local(&name).is_some() {
                    return self.fault(Kind::NonConstant { name }, expr);
                }
                let nearest = self.nearest_value(&name);
                self.fault(Kind::UnknownValue { name, nearest, is_moved_scope: false }, expr)
            }
            _ => self.bad_constant(expr),
        }
    }

    fn bad_constant<T>(&self, expr: &syn::Expr) -> Result<T> {
        self.unsupported(
            "This length",
            "A length is a number, or a sum of numbers: [0u8; 4 * 50].",
            expr,
        )
    }
}

/// The library type at a whole path; the prelude's have a short one too.
pub(super) fn library_at(path: &str) -> Option<Lib> {
    let row = Lib::ALL.iter().find(|row| {
        let in_prelude = row.is_in_prelude() && path == row.name;
        let inside = |root: &str| path.strip_prefix(root).and_then(|path| path.strip_prefix("::"));
        let below = ["std", "alloc", "core"].into_iter().find_map(inside);
        in_prelude || below == Some(&format!("{}::{}", row.module, row.name))
    });
    row.map(|row| row.lib)
}

/// The known word nearest to a wrong one, if one is near.
pub(super) fn nearest(word: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let near = known.map(|known| (strsim::damerau_levenshtein(&known, word), known));
    let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < word.len()).then_some(known)
}
