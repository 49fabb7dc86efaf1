//! Types as they are written.

use std::sync::Arc;

use stack::Scalar;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments};

use super::infer::Class;
use super::item::listed_in;
use super::{Kind, Lower, Result, heap};
use crate::types::{Lib, Mutability, StructId, Type};

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
            syn::Type::TraitObject(object) => self.object_type(object),
            syn::Type::ImplTrait(_) => self.unsupported(
                "impl Trait",
                "Name the type itself, or Box<dyn Trait>.",
                ty,
            ),
            syn::Type::Ptr(_) => self.unsupported(
                "A raw pointer",
                "References do: &T, &mut T. The prompt's own commands take addresses: read 0x1000_0008.",
                ty,
            ),
            _ => self.unsupported(
                "This type",
                "Numbers, bool, char, tuples, arrays, structs, references, String, Vec, Box, Option, Result, Rc, Arc, Cell, RefCell and Cow can be used.",
                ty,
            ),
        }
    }

    fn path_type(&mut self, path: &syn::Path) -> Result<Type> {
        let last = path.segments.last().expect("a path has a segment");
        let name = last.ident.to_string();
        if path.segments.len() == 1 {
            if let Some(scalar) = Scalar::named(&name) {
                return Ok(Type::Scalar(scalar));
            }
            if name == "str" {
                return Ok(Type::Str);
            }
        }
        if let Some(id) = self.struct_at(path) {
            let takes = usize::from(id.lifetimes);
            let (types, lifetimes) = (arguments(last).len(), lifetime_count(last));
            let given = if types == 0 { lifetimes } else { types };
            if types > 0 || lifetimes > 0 && lifetimes != takes {
                return self.fault(Kind::MissingGenerics { ty: name, takes, given }, path);
            }
            return Ok(Type::Struct(id, Arc::clone(&self.items.structs.get(id).name)));
        }
        if self.is_trait(path) {
            return self.fault(Kind::TraitAsType { name }, path);
        }
        let whole = self.whole_path(path);
        if whole == "std::io::Result" {
            return self.io_result(last, path);
        }
        if let Some((module, _)) = whole.rsplit_once("::")
            && self.library_type(path).is_none()
            && let Some(names) = listed_in(module)
        {
            return if names.split_whitespace().any(|known| known == name) {
                self.unsupported(&whole, "help rust lists the types that can be used.", path)
            } else {
                self.fault(Kind::UnknownType { name, nearest: None }, path)
            };
        }
        let Some(lib) = self.library_type(path) else {
            if path.segments.len() > 1 {
                let of = path.segments[0].ident.to_string();
                if of == "heapless" {
                    return self.not_of_heapless(name, path);
                }
                return self.fault(Kind::UndeclaredType { name: of }, path);
            }
            if self.heap_of_type(&name).is_some() {
                return self.unsupported("A heap's type", heap::INSTEAD, path);
            }
            let nearest = self.nearest_type(&name);
            return self.fault(Kind::UnknownType { name, nearest }, path);
        };
        let given = lifetime_count(last);
        let takes = usize::from(lib.is_reference());
        if given > takes {
            return self.fault(Kind::MissingGenerics { ty: name, takes, given }, path);
        }
        Ok(Type::lib(lib, self.library_args(lib, last, path)?))
    }

    /// The arguments of a library type, with what is not written put in.
    pub(super) fn library_args(
        &mut self,
        lib: Lib,
        segment: &syn::PathSegment,
        path: &syn::Path,
    ) -> Result<Vec<Type>> {
        let row = lib.row();
        let given = arguments(segment);
        let most = match lib {
            Lib::PoolBox => row.required(),
            // And an allocator.
            Lib::Vec | Lib::Box => row.params.len() + 1,
            _ => row.params.len(),
        };
        if !(row.required()..=most).contains(&given.len()) {
            let (ty, takes) = (row.name.to_owned(), row.required());
            return self.fault(Kind::MissingGenerics { ty, takes, given: given.len() }, path);
        }
        let mut args = Vec::new();
        for (number, arg) in given.iter().enumerate() {
            let ty = match (row.is_const(number), arg) {
                (true, _) => self.const_arg(arg)?,
                (false, GenericArgument::Type(ty)) if number == row.params.len() => {
                    args.push(self.allocator_type(ty)?);
                    break;
                }
                (false, GenericArgument::Type(ty)) if lib.is_heapless() => self.sized_type(ty)?,
                (false, GenericArgument::Type(ty)) => self.ty(ty)?,
                (false, GenericArgument::Const(value)) => {
                    return self.fault(Kind::WrongArgument { takes: "a type" }, value);
                }
                (false, _) => {
                    return self.unsupported("This argument", "A type can stand here.", arg);
                }
            };
            if matches!(ty, Type::Dyn(..)) && lib != Lib::Box {
                return self.unsized_arg(lib, &ty, path, arg);
            }
            if number >= row.required() {
                self.check_len_type(&ty, arg)?;
            }
            args.push(ty);
        }
        if lib == Lib::PoolBox {
            args.push(self.data_of_pool(&args[0], path)?);
        }
        args.resize(row.params.len().max(args.len()), Type::USIZE);
        if lib == Lib::Cow {
            self.check_cow(&args[0], self.at(path))?;
        }
        Ok(args)
    }

    /// What a pool holds.
    fn data_of_pool(&self, pool: &Type, path: &syn::Path) -> Result<Type> {
        if let Type::Struct(id, _) = self.shallow(pool)
            && let Some(data) = &self.items.structs.get(id).pool
        {
            return Ok(data.clone());
        }
        let (ty, why) = (self.type_name(pool), super::fault::Why::Bound);
        self.fault(Kind::MissingTrait { ty, is_struct: false, bound: "BoxPool", why }, path)
    }

    /// Refuses a `dyn Trait` as an argument: std takes it here and we do not, or nobody does.
    fn unsized_arg<T>(
        &self,
        lib: Lib,
        ty: &Type,
        path: &syn::Path,
        arg: &GenericArgument,
    ) -> Result<T> {
        let may_be_unsized =
            matches!(lib, Lib::Rc | Lib::Weak | Lib::Arc | Lib::ArcWeak | Lib::Cell | Lib::RefCell);
        if may_be_unsized {
            let what = format!("{}<{ty}>", lib.row().name);
            return self.unsupported(&what, "Box<dyn Trait> and &dyn Trait can be used.", path);
        }
        self.fault(Kind::Unsized { ty: ty.to_string() }, arg)
    }

    /// `std::io::Result<T>`.
    fn io_result(&mut self, last: &syn::PathSegment, path: &syn::Path) -> Result<Type> {
        let types = self.turbofish(last)?;
        let [ok] = &types[..] else {
            let given = arguments(last).len();
            let ty = "std::io::Result".to_owned();
            return self.fault(Kind::MissingGenerics { ty, takes: 1, given }, path);
        };
        let id = self.names.given.structs["std::io::Error"];
        let error = Type::Struct(id, Arc::clone(&self.items.structs.get(id).name));
        Ok(Type::lib(Lib::Result, [ok.clone(), error]))
    }

    /// The struct that a path leads to.
    pub(super) fn struct_at(&self, path: &syn::Path) -> Option<StructId> {
        if let [only] = path.segments.iter().collect::<Vec<_>>()[..]
            && let Some(id) = self.names.items.structs.get(only.ident.to_string().as_str())
        {
            return Some(*id);
        }
        self.names.given.structs.get(self.whole_path(path).as_str()).copied()
    }

    /// A number as an argument: `8`, `{ 4 * 2 }`, `_`.
    fn const_arg(&mut self, arg: &GenericArgument) -> Result<Type> {
        let number = match arg {
            GenericArgument::Type(syn::Type::Infer(_)) => return Ok(self.fresh(Class::Any)),
            GenericArgument::Const(syn::Expr::Block(block)) => match &block.block.stmts[..] {
                [syn::Stmt::Expr(value, None)] => self.constant_len(value)?,
                _ => return self.bad_constant(arg),
            },
            GenericArgument::Const(syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Bool(_) | syn::Lit::Char(_) | syn::Lit::Str(_),
                ..
            })) => {
                let found = "something else".to_owned();
                return self.fault(Kind::Mismatch { expected: "usize".to_owned(), found }, arg);
            }
            GenericArgument::Const(syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Int(lit),
                ..
            })) if lit.base10_digits().starts_with('-') => {
                return self.fault(Kind::NotUnary { op: "-", ty: "usize".to_owned() }, arg);
            }
            GenericArgument::Const(value) => self.constant_len(value)?,
            GenericArgument::Type(syn::Type::Path(path)) if path.path.get_ident().is_some() => {
                let name = path.path.segments[0].ident.to_string();
                if self.find_local(&name).is_some() {
                    return self.fault(Kind::NonConstant { name }, arg);
                }
                self.path_type(&path.path)?;
                return self.fault(Kind::WrongArgument { takes: "a number" }, arg);
            }
            _ => return self.fault(Kind::WrongArgument { takes: "a number" }, arg),
        };
        Ok(Type::Const(number))
    }

    /// The type of a length: heapless takes four.
    fn check_len_type(&self, ty: &Type, arg: &GenericArgument) -> Result<()> {
        let ty = self.shallow(ty);
        let names = ["u8", "u16", "u32", "usize"];
        if matches!(&ty, Type::Scalar(scalar) if names.contains(&scalar.name()))
            || matches!(ty, Type::Var(_))
        {
            return Ok(());
        }
        let (ty, why) = (self.type_name(&ty), super::fault::Why::Bound);
        let is_struct = false;
        self.fault(Kind::MissingTrait { ty, is_struct, bound: "LenType", why }, arg)
    }

    /// The library type that a path leads to: of the prelude, imported, or with its whole path.
    pub(super) fn library_type(&self, path: &syn::Path) -> Option<Lib> {
        library_at(&self.whole_path(path))
    }

    /// A path with what imports stand for.
    pub(super) fn whole_path(&self, path: &syn::Path) -> String {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match names.as_slice() {
            [one] => match self.names.items.uses.get(one.as_str()) {
                Some(whole) => whole.to_string(),
                None => one.clone(),
            },
            [first, rest @ ..] => match self.names.items.uses.get(first.as_str()) {
                Some(whole) => format!("{whole}::{}", rest.join("::")),
                None => names.join("::"),
            },
            [] => String::new(),
        }
    }

    /// A type of heapless that does not run here, or none of its.
    pub(super) fn not_of_heapless<T>(&self, name: String, node: &impl Spanned) -> Result<T> {
        if HEAPLESS.split(' ').any(|known| known == name) {
            let what = format!("heapless::{name}");
            return self.unsupported(&what, "heapless::Vec, String and Deque can be used.", node);
        }
        self.fault(Kind::UnknownType { name, nearest: None }, node)
    }

    fn nearest_type(&self, name: &str) -> Option<String> {
        let known = Lib::ALL.iter().map(|row| row.name.to_owned());
        let scalars = Scalar::ALL.iter().map(|row| row.1.to_owned());
        let structs = self.names.items.structs.keys().map(ToString::to_string);
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

    fn bad_constant<T>(&self, expr: &impl Spanned) -> Result<T> {
        self.unsupported(
            "This length",
            "A length is a number, or a sum of numbers: [0u8; 4 * 50].",
            expr,
        )
    }
}

/// What stands in angle brackets, lifetimes aside.
fn arguments(segment: &syn::PathSegment) -> Vec<&GenericArgument> {
    let PathArguments::AngleBracketed(args) = &segment.arguments else { return Vec::new() };
    args.args.iter().filter(|arg| !matches!(arg, GenericArgument::Lifetime(_))).collect()
}

fn lifetime_count(segment: &syn::PathSegment) -> usize {
    let PathArguments::AngleBracketed(args) = &segment.arguments else { return 0 };
    args.args.iter().filter(|arg| matches!(arg, GenericArgument::Lifetime(_))).count()
}

/// What else the crate has at its root.
pub(super) const HEAPLESS: &str = "BinaryHeap CString HistoryBuf OldestOrdered IndexMap IndexSet LenType LinearMap \
    VecView binary_heap c_string history_buf index_map index_set linear_map mpmc sorted_linked_list spsc storage \
    format arc_pool object_pool";

/// The library type at a whole path; the prelude's have a short one too.
pub(super) fn library_at(path: &str) -> Option<Lib> {
    let row = Lib::ALL.iter().find(|row| {
        if row.module.starts_with("heapless::") {
            return path.strip_prefix(row.module) == Some(&format!("::{}", row.name));
        }
        if let Some((krate, name)) = row.name.split_once("::") {
            let inside = path.strip_prefix(krate).and_then(|path| path.strip_prefix("::"));
            return inside == Some(name) || inside == Some(&format!("{}::{name}", row.module));
        }
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
