//! Statements and expressions.

use std::sync::Arc;

use imbl::OrdMap;
use stack::Scalar;

use super::fault::{Twice, Why};
use super::infer::Class;
use super::place::{Operand, make_mutable};
use super::{Fault, Kind, Literal, Loop, Lower, Result, heap, is_block_like, ty};
use crate::deep::deep;
use crate::library::Builtin;
use crate::typed::{
    At, BinaryOp, Block, BorrowKind, CompareOp, Expr, ExprKind, LoopId, Place, Root, Step, Stmt,
    UnaryOp,
};
use crate::types::{Lib, Mutability, TraitId, Type};

/// The ends of `a..b`, as indices.
pub(super) struct Ends {
    pub(super) start: Option<Expr>,
    pub(super) end: Option<Expr>,
    /// Whether the end is the last index, not the one behind it.
    pub(super) is_inclusive: bool,
}

impl Lower<'_> {
    // Statements.

    pub(super) fn stmt(&mut self, stmt: &syn::Stmt, stmts: &mut Vec<Stmt>) -> Result<()> {
        match stmt {
            syn::Stmt::Local(local) => self.let_(local, stmts),
            syn::Stmt::Item(item) => self.item(item),
            syn::Stmt::Expr(expr, semicolon) => {
                let value = self.expr(expr, None)?;
                let ty = self.shallow(&value.ty);
                if semicolon.is_none() && is_block_like(expr) && ty != Type::Never {
                    self.unify(&Type::unit(), &ty, value.at)?;
                }
                stmts.push(Stmt::Expr(value));
                Ok(())
            }
            syn::Stmt::Macro(mac) if self.is_box_pool(&mac.mac) && mac.semi_token.is_some() => {
                Ok(())
            }
            syn::Stmt::Macro(mac) => {
                let value = self.macro_call(&mac.mac, None, self.at(mac))?;
                stmts.push(Stmt::Expr(value));
                Ok(())
            }
        }
    }

    fn let_(&mut self, local: &syn::Local, stmts: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at(local);
        let (pattern, declared) = match &local.pat {
            syn::Pat::Type(typed) => {
                self.check_no_lifetime(&typed.ty)?;
                (&*typed.pat, Some(self.sized_type(&typed.ty)?))
            }
            pattern => (pattern, None),
        };
        let pattern = unparenthesized_pattern(pattern);
        if let Some(init) = &local.init
            && init.diverge.is_some()
        {
            return self.unsupported("let … else", "if and is_some() can say the same.", local);
        }
        let init = local.init.as_ref().map(|init| &*init.expr);
        if let (syn::Pat::Wild(_), Some(init)) = (pattern, init) {
            return self.let_wild(init, declared.as_ref(), at, stmts);
        }
        let value = match init {
            Some(init) => {
                self.is_extending = true;
                let value = match &declared {
                    Some(ty) => self.coerced(init, ty),
                    None => self.expr(init, None),
                };
                self.is_extending = false;
                let value = value?;
                stmts.append(&mut self.hoisted);
                Some(value)
            }
            None => None,
        };
        let ty = match (&declared, &value) {
            (Some(ty), _) => ty.clone(),
            (None, Some(value)) => value.ty.clone(),
            (None, None) => self.fresh(Class::Any),
        };
        if !self.shallow(&ty).is_sized() {
            let ty = self.type_name(&ty);
            return Err(Fault { kind: Kind::Unsized { ty }, at });
        }
        self.bind(pattern, &ty, value, at, stmts)
    }

    /// `let _ = …`: a value is dropped at once, a place is left alone.
    fn let_wild(
        &mut self,
        init: &syn::Expr,
        declared: Option<&Type>,
        at: At,
        stmts: &mut Vec<Stmt>,
    ) -> Result<()> {
        let operand = self.operand(init, declared)?;
        match operand {
            Operand::Place(place, _) => {
                if let Some(declared) = declared {
                    self.unify(declared, &place.ty.clone(), at)?;
                }
                stmts.push(Stmt::Mention(place, at));
            }
            Operand::Value(value) => {
                let value = match declared {
                    Some(declared) => self.coerce(value, declared)?,
                    None => value,
                };
                stmts.push(Stmt::Expr(value));
            }
        }
        Ok(())
    }

    /// Binds a pattern: a name, or a tuple of patterns.
    fn bind(
        &mut self,
        pattern: &syn::Pat,
        ty: &Type,
        init: Option<Expr>,
        at: At,
        stmts: &mut Vec<Stmt>,
    ) -> Result<()> {
        match unparenthesized_pattern(pattern) {
            syn::Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                let name_at = self.at(&name.ident);
                let text = name.ident.to_string();
                let local =
                    self.declare_local(&text, ty.clone(), name.mutability.is_some(), name_at);
                stmts.push(Stmt::Let { local, init, at });
                Ok(())
            }
            syn::Pat::Type(typed) => {
                let declared = self.sized_type(&typed.ty)?;
                self.unify(&declared, ty, at)?;
                self.bind(&typed.pat, ty, init, at, stmts)
            }
            syn::Pat::Tuple(tuple) => {
                if let Some((name, twice)) = bound_twice(pattern) {
                    let place = Twice::Pattern;
                    return self.fault(Kind::DeclaredTwice { name, place }, &twice);
                }
                let Some(init) = init else {
                    return self.unsupported(
                        "A pattern without a value",
                        "Declare each variable by itself.",
                        pattern,
                    );
                };
                let Type::Tuple(items) = self.shallow(ty) else {
                    let fresh: Arc<[Type]> =
                        tuple.elems.iter().map(|_| self.fresh(Class::Any)).collect();
                    return Err(self.mismatch(ty, &Type::Tuple(fresh), self.at(pattern)));
                };
                if items.len() != tuple.elems.len() {
                    let fresh: Arc<[Type]> =
                        tuple.elems.iter().map(|_| self.fresh(Class::Any)).collect();
                    return Err(self.mismatch(ty, &Type::Tuple(fresh), self.at(pattern)));
                }
                // Of a place that is found without doing anything, each part is found by itself.
                let (place, whole) = match init.kind {
                    ExprKind::Read(place) if is_still(&place) => (place, None),
                    _ => {
                        let local = self.hidden_local("".into(), ty.clone(), true, at);
                        (Place::local(local, ty.clone()), Some((local, init)))
                    }
                };
                let mut bound = Vec::new();
                for (index, (pattern, item)) in tuple.elems.iter().zip(items.iter()).enumerate() {
                    if let syn::Pat::Wild(_) = unparenthesized_pattern(pattern) {
                        continue;
                    }
                    let field = place.clone().step(Step::Field(index as u32, item.clone()));
                    let value = super::place::read(field, self.at(pattern));
                    self.bind(pattern, item, Some(value), at, &mut bound)?;
                }
                let Some((whole, init)) = whole else {
                    stmts.append(&mut bound);
                    return Ok(());
                };
                let part = |stmt| match stmt {
                    Stmt::Let { local, init: Some(part), .. } => (local, part),
                    other => unreachable!("a part of a local is bound by a let, not by {other:?}"),
                };
                let parts = bound.into_iter().map(part).collect();
                stmts.push(Stmt::Pattern { whole, init, parts, at });
                Ok(())
            }
            syn::Pat::Wild(_) => Ok(()),
            _ => self.unsupported(
                "This pattern",
                "A name, or a tuple of names: let (a, b) = t;",
                pattern,
            ),
        }
    }

    /// A block in a scope of its own.
    pub(super) fn block(
        &mut self,
        block: &syn::Block,
        expect: Option<&Type>,
    ) -> Result<(Block, Type)> {
        self.body.scopes.push_back(OrdMap::new());
        let lowered = self.scoped(block, expect);
        self.body.scopes.pop_back();
        lowered
    }

    pub(super) fn scoped(
        &mut self,
        block: &syn::Block,
        expect: Option<&Type>,
    ) -> Result<(Block, Type)> {
        let was_extending = std::mem::take(&mut self.is_extending);
        let hoisted = std::mem::take(&mut self.hoisted);
        self.names.enter();
        self.declare(&block.stmts)?;
        let mut stmts = Vec::new();
        let mut tail = None;
        let mut diverges = false;
        for (index, stmt) in block.stmts.iter().enumerate() {
            match stmt {
                syn::Stmt::Expr(expr, None) if index + 1 == block.stmts.len() => {
                    let value = match expect {
                        Some(expect) => self.coerced(expr, expect)?,
                        None => self.expr(expr, None)?,
                    };
                    tail = Some(Box::new(value));
                }
                syn::Stmt::Macro(mac)
                    if mac.semi_token.is_none() && index + 1 == block.stmts.len() =>
                {
                    let value = self.macro_call(&mac.mac, expect, self.at(mac))?;
                    let value = match expect {
                        Some(expect) => self.coerce(value, expect)?,
                        None => value,
                    };
                    tail = Some(Box::new(value));
                }
                stmt => {
                    self.stmt(stmt, &mut stmts)?;
                    if let Some(
                        Stmt::Expr(value)
                        | Stmt::Let { init: Some(value), .. }
                        | Stmt::Pattern { init: value, .. },
                    ) = stmts.last()
                    {
                        diverges |= self.shallow(&value.ty) == Type::Never;
                    }
                }
            }
        }
        let end = self.at(&block.brace_token.span.close());
        let ty = match &tail {
            Some(_) if diverges => Type::Never,
            Some(value) => value.ty.clone(),
            None if diverges => Type::Never,
            None => Type::unit(),
        };
        (self.is_extending, self.hoisted) = (was_extending, hoisted);
        self.names.leave();
        Ok((Block { stmts, tail, end }, ty))
    }

    // Expressions.

    /// An expression that must fit a type.
    pub(super) fn coerced(&mut self, expr: &syn::Expr, expected: &Type) -> Result<Expr> {
        let value = self.expr(expr, Some(expected))?;
        self.coerce(value, expected)
    }

    /// Makes a value fit a type: reborrows, follows pointers, forgets an array's length.
    pub(super) fn coerce(&mut self, value: Expr, expected: &Type) -> Result<Expr> {
        let (found, wanted) = (self.shallow(&value.ty), self.shallow(expected));
        match (&found, &wanted) {
            (Type::Never, _) => Ok(Expr { ty: wanted, ..value }),
            (Type::Ref(m, from), Type::Ref(n, to)) => {
                if (*m, *n) == (Mutability::Shared, Mutability::Mut) {
                    let (expected, found) = (self.type_name(&wanted), self.type_name(&found));
                    return Err(Fault {
                        kind: Kind::MutabilityMismatch { expected, found },
                        at: value.at,
                    });
                }
                self.coerce_reference(value, (*m, from), (*n, to), &wanted)
            }
            (Type::Lib(Lib::Box, from), Type::Lib(Lib::Box, to))
                if from.len() == to.len()
                    && matches!(
                        (self.shallow(&from[0]), self.shallow(&to[0])),
                        (Type::Array(..), Type::Slice(_))
                    ) =>
            {
                let (Type::Array(element, _), Type::Slice(wanted_element)) =
                    (self.shallow(&from[0]), self.shallow(&to[0]))
                else {
                    unreachable!("matched above")
                };
                self.unify(&wanted_element, &element, value.at)?;
                for (from, to) in from.iter().zip(to.iter()).skip(1) {
                    self.unify(to, from, value.at)?;
                }
                let at = value.at;
                Ok(Expr { kind: ExprKind::Unsize(Box::new(value)), ty: wanted, at })
            }
            (Type::Lib(Lib::Box, from), Type::Lib(Lib::Box, to))
                if from.len() == to.len() && self.becomes_dyn(&from[0], &to[0]) =>
            {
                self.check_implements(&from[0], &to[0], value.at)?;
                for (from, to) in from.iter().zip(to.iter()).skip(1) {
                    self.unify(to, from, value.at)?;
                }
                let at = value.at;
                Ok(Expr { kind: ExprKind::Unsize(Box::new(value)), ty: wanted, at })
            }
            _ => {
                let same = self.unify(&wanted, &found, value.at);
                same.map_err(|fault| self.of_number(fault, &value, &wanted))?;
                Ok(value)
            }
        }
    }

    /// Two numbers of different types, of which one is a variable: perhaps its literal was taken for another type.
    fn of_number(&self, fault: Fault, value: &Expr, wanted: &Type) -> Fault {
        let both = [wanted, &self.shallow(&value.ty)];
        match (fault.kind, &value.kind) {
            (Kind::Mismatch { expected, found }, ExprKind::Read(place))
                if both.iter().all(|ty| matches!(ty, Type::Scalar(_)))
                    && place.steps.is_empty()
                    && let Root::Local(local) = place.root =>
            {
                let name = self.body.locals[local.0 as usize].name.to_string();
                Fault { kind: Kind::NumberMismatch { name, expected, found }, at: fault.at }
            }
            (kind, _) => Fault { kind, at: fault.at },
        }
    }

    fn coerce_reference(
        &mut self,
        value: Expr,
        (from_mutability, from): (Mutability, &Type),
        (to_mutability, to): (Mutability, &Type),
        wanted: &Type,
    ) -> Result<Expr> {
        let at = value.at;
        let kind = match to_mutability {
            Mutability::Shared => BorrowKind::Shared,
            Mutability::Mut => BorrowKind::Mut,
        };
        if self.becomes_dyn(from, to) {
            self.check_implements(from, to, at)?;
            let reference = Type::reference(to_mutability, from.clone());
            let (from, to) = ((from_mutability, from), (to_mutability, from));
            let value = self.coerce_reference(value, from, to, &reference)?;
            let (kind, ty) = (ExprKind::Unsize(Box::new(value)), wanted.clone());
            return Ok(Expr { kind, ty, at });
        }
        if self.same_head(from, to) {
            self.unify(to, from, at).map_err(|_| self.mismatch(wanted, &value.ty, at))?;
            if from_mutability == Mutability::Shared {
                return Ok(value);
            }
            // `&mut` is lent on, not given away; a fresh one needs no lending.
            let lent = match value.kind {
                ExprKind::Read(place) => {
                    let to = place.ty.referent().map(|(_, to)| to.clone());
                    let to = to.unwrap_or_else(|| from.clone());
                    self.borrow(place.step(Step::Deref(to)), kind, at)
                }
                _ if kind == BorrowKind::Shared => {
                    let place = Operand::Value(value).into_place();
                    self.borrow(place.step(Step::Deref(from.clone())), kind, at)
                }
                _ => value,
            };
            // A `dyn` may be taken for one that holds for less long, behind `&mut` too.
            return Ok(match self.shallow(to) {
                Type::Dyn(..) => {
                    Expr { kind: ExprKind::Unsize(Box::new(lent)), ty: wanted.clone(), at }
                }
                _ => lent,
            });
        }
        // Through smart pointers, until the types meet.
        let found_ty = value.ty.clone();
        let mut place = match value.kind {
            ExprKind::Read(place) => place,
            ExprKind::Borrow { place, .. }
                if place.steps.is_empty() || from_mutability == to_mutability =>
            {
                // `&s` where `&str` is wanted: the path goes on from `s` itself.
                return self.coerce_path(place, kind, to, wanted, &found_ty, at);
            }
            _ => Operand::Value(value).into_place(),
        };
        place = place.step(Step::Deref(from.clone()));
        self.coerce_path(place, kind, to, wanted, &found_ty, at)
    }

    fn coerce_path(
        &mut self,
        mut place: Place,
        kind: BorrowKind,
        to: &Type,
        wanted: &Type,
        found: &Type,
        at: At,
    ) -> Result<Expr> {
        let mut is_followed = false;
        loop {
            if self.same_head(&place.ty, to) {
                let ty = place.ty.clone();
                self.names.infer.unify(to, &ty).map_err(|_| self.mismatch(wanted, found, at))?;
                return Ok(self.borrow(place, kind, at));
            }
            // Not `&&[T; N]`: it takes one coercion to get at the array and another to forget its length.
            if let (false, Some((element, _)), Type::Slice(wanted_element)) =
                (is_followed, self.names.infer.array_of(&place.ty), self.shallow(to))
            {
                let same = self.names.infer.unify(&wanted_element, &element);
                same.map_err(|_| self.mismatch(wanted, found, at))?;
                let borrow = self.borrow(place, kind, at);
                let ty = wanted.clone();
                return Ok(Expr { kind: ExprKind::Unsize(Box::new(borrow)), ty, at });
            }
            place = self.deref(place, at).map_err(|_| self.mismatch(wanted, found, at))?;
            is_followed = true;
        }
    }

    /// Whether a value of one type is to stand behind a pointer to another, a `dyn`.
    fn becomes_dyn(&self, from: &Type, to: &Type) -> bool {
        let from = self.shallow(from);
        let is_known = self.names.infer.class_of(&from) != Some(Class::Any);
        matches!(self.shallow(to), Type::Dyn(..)) && !matches!(from, Type::Dyn(..)) && is_known
    }

    /// Refuses a `dyn` of a value that does not have its trait.
    fn check_implements(&mut self, from: &Type, to: &Type, at: At) -> Result<()> {
        let (from, to) = (self.shallow(from), self.shallow(to));
        let Type::Dyn(of, name) = to else { unreachable!("it is a dyn") };
        let bound = match of {
            TraitId::Debug => "Debug",
            TraitId::Display => "Display",
            TraitId::Own(number) => {
                let of = Arc::clone(&self.items.traits[number as usize]);
                if self.implementor_of(&of, &from).is_some() {
                    return Ok(());
                }
                let ty = self.type_name(&from);
                let is_pointer = matches!(from, Type::Ref(..) | Type::Lib(Lib::Box, _));
                if of.path.is_some() && is_pointer {
                    let what = format!("{ty} as a dyn {name}");
                    let instead = "What it points to can be one: &mut *x.";
                    return Err(Fault { kind: Kind::Unsupported { what, instead }, at });
                }
                return Err(Fault { kind: Kind::LacksTrait { ty, name: name.to_string() }, at });
            }
        };
        self.bounds.push((from.clone(), "Sized", at, Why::Bound));
        self.bounds.push((from, bound, at, Why::Bound));
        Ok(())
    }

    /// Whether two types could be one, by their outermost layer.
    fn same_head(&self, a: &Type, b: &Type) -> bool {
        match (self.shallow(a), self.shallow(b)) {
            (Type::Var(_), _) | (_, Type::Var(_)) => true,
            (Type::Scalar(a), Type::Scalar(b)) => a == b,
            (Type::Lib(a, _), Type::Lib(b, _)) => a == b,
            (Type::Struct(a, _), Type::Struct(b, _)) => a == b,
            (Type::Dyn(a, _), Type::Dyn(b, _)) => a == b,
            (Type::Array(_, n), Type::Array(_, m)) => n == m,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }

    /// An expression as a value.
    pub(super) fn expr(&mut self, expr: &syn::Expr, expect: Option<&Type>) -> Result<Expr> {
        Ok(self.operand(expr, expect)?.into_value())
    }

    /// An expression as what it is: memory, or a value.
    pub(super) fn operand(&mut self, expr: &syn::Expr, expect: Option<&Type>) -> Result<Operand> {
        let at = self.at(expr);
        // What a borrow inside may keep alive is decided by the forms that pass it on.
        let is_extending = std::mem::take(&mut self.is_extending);
        let operand = deep(|| self.operand_inner(expr, expect, at, is_extending));
        self.is_extending = is_extending;
        operand
    }

    fn operand_inner(
        &mut self,
        expr: &syn::Expr,
        expect: Option<&Type>,
        at: At,
        is_extending: bool,
    ) -> Result<Operand> {
        use syn::Expr as E;
        let value = |kind, ty| Ok(Operand::Value(Expr { kind, ty, at }));
        match expr {
            E::Paren(inner) => {
                self.is_extending = is_extending;
                self.operand(&inner.expr, expect)
            }
            E::Group(inner) => {
                self.is_extending = is_extending;
                self.operand(&inner.expr, expect)
            }
            E::Lit(lit) => Ok(Operand::Value(self.literal(&lit.lit, expect, at)?)),
            E::Path(path) => self.path(path, expect, at),
            E::Field(field) => self.field(field, at),
            E::Index(index) => {
                let base = self.operand(&index.expr, None)?;
                self.index(base, index)
            }
            E::Unary(unary) => match unary.op {
                syn::UnOp::Deref(_) => {
                    let inner = self.operand(&unary.expr, None)?;
                    let (ty, inner_at) = (self.type_name(inner.ty()), inner.at());
                    if matches!(self.shallow(inner.ty()), Type::Lib(Lib::Vec | Lib::String, _)) {
                        let place = self.deref(inner.into_place(), inner_at);
                        return match place {
                            Ok(place) => Ok(Operand::Place(place, at)),
                            Err(_) => self.fault(Kind::NotDereferenceable { ty }, expr),
                        };
                    }
                    match self.deref(inner.into_place(), inner_at) {
                        Ok(place) => Ok(Operand::Place(place, at)),
                        Err(_) => self.fault(Kind::NotDereferenceable { ty }, expr),
                    }
                }
                syn::UnOp::Neg(_) => self.unary(UnaryOp::Neg, "-", &unary.expr, at),
                syn::UnOp::Not(_) => self.unary(UnaryOp::Not, "!", &unary.expr, at),
                _ => self.unsupported("This operator", "-, ! and * can stand in front.", expr),
            },
            E::Reference(reference) => {
                let mutability = if reference.mutability.is_some() {
                    BorrowKind::Mut
                } else {
                    BorrowKind::Shared
                };
                let hint = expect.map(|ty| self.shallow(ty));
                let hint = hint.as_ref().and_then(Type::referent).map(|(_, to)| to.clone());
                let hint =
                    hint.filter(|to| !matches!(self.shallow(to), Type::Slice(_) | Type::Str));
                self.is_extending = is_extending;
                let operand = self.operand(&reference.expr, hint.as_ref())?;
                self.is_extending = false;
                let mut place = operand.into_place();
                if mutability == BorrowKind::Mut {
                    make_mutable(&mut place);
                }
                if is_extending {
                    self.hoist(&mut place);
                }
                Ok(Operand::Value(self.borrow(place, mutability, at)))
            }
            E::Binary(binary) => Ok(Operand::Value(self.binary(binary, at)?)),
            E::Assign(assign) => {
                if let E::Infer(_) = &*assign.left {
                    let value = self.expr(&assign.right, None)?;
                    return Ok(Operand::Value(value));
                }
                let operand = self.operand(&assign.left, None)?;
                let Operand::Place(mut place, _) = operand else {
                    return self.fault(Kind::BadAssignment, &assign.left);
                };
                make_mutable(&mut place);
                let ty = place.ty.clone();
                let right = self.coerced(&assign.right, &ty)?;
                value(ExprKind::Assign(place, Box::new(right)), Type::unit())
            }
            E::Cast(cast) => Ok(Operand::Value(self.cast(cast, at)?)),
            E::Tuple(tuple) => {
                let hints = match expect.map(|ty| self.shallow(ty)) {
                    Some(Type::Tuple(items)) if items.len() == tuple.elems.len() => Some(items),
                    _ => None,
                };
                let mut items = Vec::new();
                for (index, item) in tuple.elems.iter().enumerate() {
                    self.is_extending = is_extending;
                    items.push((
                        index as u32,
                        match &hints {
                            Some(hints) => self.coerced(item, &hints[index])?,
                            None => self.expr(item, None)?,
                        },
                    ));
                }
                self.is_extending = false;
                let ty = Type::Tuple(items.iter().map(|(_, item)| item.ty.clone()).collect());
                value(ExprKind::Aggregate(items), ty)
            }
            E::Array(array) => {
                let element = match expect.map(|ty| self.shallow(ty)) {
                    Some(Type::Array(element, _) | Type::Slice(element)) => Type::clone(&element),
                    _ => self.fresh(Class::Any),
                };
                let mut items = Vec::new();
                for (index, item) in array.elems.iter().enumerate() {
                    self.is_extending = is_extending;
                    items.push((index as u32, self.coerced(item, &element)?));
                }
                self.is_extending = false;
                let ty = Type::Array(Arc::new(element), items.len() as u64);
                value(ExprKind::Aggregate(items), ty)
            }
            E::Repeat(repeat) => {
                let hint = match expect.map(|ty| self.shallow(ty)) {
                    Some(Type::Array(element, _)) => Some(Type::clone(&element)),
                    _ => None,
                };
                let element = match &hint {
                    Some(hint) => self.coerced(&repeat.expr, hint)?,
                    None => self.expr(&repeat.expr, None)?,
                };
                let len = self.constant_len(&repeat.len)?;
                if len > 1 {
                    self.bounds.push((element.ty.clone(), "Copy", element.at, Why::Repeat));
                }
                let ty = Type::Array(Arc::new(element.ty.clone()), len);
                value(ExprKind::Repeat(Box::new(element), len), ty)
            }
            E::Struct(literal) => {
                Ok(Operand::Value(self.struct_literal(literal, is_extending, at)?))
            }
            E::Call(call) => Ok(Operand::Value(self.call(call, expect)?)),
            E::MethodCall(call) => Ok(Operand::Value(self.method_call(call)?)),
            E::Macro(mac) => Ok(Operand::Value(self.macro_call(&mac.mac, expect, at)?)),
            E::Block(block) if block.label.is_none() => {
                let (block, ty) = self.block(&block.block, expect)?;
                value(ExprKind::Block(block), ty)
            }
            E::If(branch) => Ok(Operand::Value(self.if_(branch, expect, at)?)),
            E::Loop(repeat) => {
                let id = self.enter_loop(repeat.label.as_ref(), true);
                let (block, ty) = self.block(&repeat.body, None)?;
                if ty != Type::Never {
                    self.unify(&Type::unit(), &ty, at)?;
                }
                let left = self.body.loops.pop().expect("the loop was entered above");
                let ty =
                    if left.is_left { left.value.unwrap_or_else(Type::unit) } else { Type::Never };
                value(ExprKind::Loop(id, block), ty)
            }
            E::While(repeat) => Ok(Operand::Value(self.while_(repeat, at)?)),
            E::ForLoop(repeat) => Ok(Operand::Value(self.for_(repeat, at)?)),
            E::Break(leave) => {
                let Some(index) = self.find_loop(leave.label.as_ref()) else {
                    return self.fault(no_loop("break", leave.label.as_ref()), expr);
                };
                let (id, wanted) =
                    (self.body.loops[index].id, self.body.loops[index].value.clone());
                self.body.loops[index].is_left = true;
                let given = match (&leave.expr, wanted) {
                    (None, None) => None,
                    (None, Some(wanted)) => {
                        self.unify(&wanted, &Type::unit(), at)?;
                        None
                    }
                    (Some(given), Some(wanted)) => Some(Box::new(self.coerced(given, &wanted)?)),
                    (Some(_), None) => return self.fault(Kind::BreakWithValue, expr),
                };
                value(ExprKind::Break(id, given), Type::Never)
            }
            E::Continue(again) => {
                let Some(index) = self.find_loop(again.label.as_ref()) else {
                    return self.fault(no_loop("continue", again.label.as_ref()), expr);
                };
                value(ExprKind::Continue(self.body.loops[index].id), Type::Never)
            }
            E::Return(back) => {
                let wanted = self.body.result.clone();
                let given = if let Some(given) = &back.expr {
                    Some(Box::new(self.coerced(given, &wanted)?))
                } else if self.names.infer.unify(&wanted, &Type::unit()).is_err() {
                    let expected = self.type_name(&wanted);
                    return self.fault(Kind::EmptyReturn { expected }, expr);
                } else {
                    None
                };
                if self.body.outer.is_empty() {
                    return self.unsupported(
                        "return outside of a function",
                        "Put it into one: fn f() -> u32 { return 5; }",
                        expr,
                    );
                }
                value(ExprKind::Return(given), Type::Never)
            }
            E::Closure(_) => self.unsupported(
                "A closure",
                "A function can do the work: fn f(x: u32) -> u32 { … }",
                expr,
            ),
            E::Match(_) => {
                self.unsupported("match", "if, is_some() and unwrap() can say the same.", expr)
            }
            E::Let(_) => {
                self.unsupported("if let", "is_some() and unwrap() can say the same.", expr)
            }
            E::Unsafe(_) => self.unsupported(
                "An unsafe block",
                "Nothing here needs one: dare shows what an unchecked line would do.",
                expr,
            ),
            E::Try(_) => self.unsupported("?", "unwrap() or is_ok() look into a Result.", expr),
            E::Async(_) | E::Await(_) => {
                self.unsupported("async", "Calls here run to their end.", expr)
            }
            E::Range(_) => self.unsupported(
                "A range as a value",
                "It stands in a for loop or an index: for i in 0..3, &v[1..2].",
                expr,
            ),
            E::Const(_) => self.unsupported("A const block", "A plain block will do.", expr),
            _ => self.unsupported("This expression", "help rust shows what can be written.", expr),
        }
    }

    fn literal(&mut self, lit: &syn::Lit, expect: Option<&Type>, at: At) -> Result<Expr> {
        let expr = |kind, ty| Expr { kind, ty, at };
        Ok(match lit {
            syn::Lit::Int(int) => {
                let suffix = int.suffix();
                let digits = int.base10_digits();
                if let Some(scalar) = Scalar::named(suffix).filter(|scalar| scalar.is_float()) {
                    let value = self.float_bits(digits);
                    return Ok(expr(value, Type::Scalar(scalar)));
                }
                let ty = match Scalar::named(suffix) {
                    Some(scalar) if scalar.is_integer() => Type::Scalar(scalar),
                    Some(_) => return self.bad_suffix(suffix, at),
                    None if suffix.is_empty() => match expect.map(|ty| self.shallow(ty)) {
                        Some(Type::Scalar(scalar)) if scalar.is_integer() => Type::Scalar(scalar),
                        _ => self.fresh(Class::Integer),
                    },
                    None => return self.bad_suffix(suffix, at),
                };
                let Ok(value) = digits.parse::<u128>() else {
                    let kind = Kind::LiteralOutOfRange {
                        literal: digits.to_owned(),
                        ty: "u128".to_owned(),
                    };
                    return Err(Fault { kind, at });
                };
                self.literals.push(Literal { value, ty: ty.clone(), is_negated: false, at });
                expr(ExprKind::Constant(value), ty)
            }
            syn::Lit::Float(float) => {
                let ty = match Scalar::named(float.suffix()) {
                    Some(scalar) if scalar.is_float() => Type::Scalar(scalar),
                    _ if float.suffix().is_empty() => match expect.map(|ty| self.shallow(ty)) {
                        Some(Type::Scalar(scalar)) if scalar.is_float() => Type::Scalar(scalar),
                        _ => self.fresh(Class::Float),
                    },
                    _ => return self.bad_suffix(float.suffix(), at),
                };
                expr(self.float_bits(float.base10_digits()), ty)
            }
            syn::Lit::Bool(value) => expr(ExprKind::Constant(u128::from(value.value)), Type::BOOL),
            syn::Lit::Char(value) => expr(
                ExprKind::Constant(u128::from(u32::from(value.value()))),
                Type::Scalar(Scalar::Char),
            ),
            syn::Lit::Byte(value) => expr(ExprKind::Constant(u128::from(value.value())), Type::U8),
            syn::Lit::Str(text) => self.text(&text.value(), at),
            syn::Lit::ByteStr(text) => {
                let bytes = text.value();
                let address = self.items.place_bytes(&bytes);
                let array = Type::Array(Arc::new(Type::U8), bytes.len() as u64);
                expr(ExprKind::Constant(address.into()), Type::reference(Mutability::Shared, array))
            }
            syn::Lit::CStr(_) => {
                let what = "A C string".to_owned();
                let instead = "A byte string can stand here: b\"hi\\0\".";
                return Err(Fault { kind: Kind::Unsupported { what, instead }, at });
            }
            _ => {
                let kind = Kind::Syntax { message: "this literal is too large".to_owned() };
                return Err(Fault { kind, at });
            }
        })
    }

    fn bad_suffix<T>(&self, suffix: &str, at: At) -> Result<T> {
        Err(Fault {
            kind: Kind::Syntax { message: format!("there is no number type {suffix}") },
            at,
        })
    }

    /// Both widths of a float: which one it is comes out later, see `finish`.
    fn float_bits(&self, digits: &str) -> ExprKind {
        let wide: f64 = digits.parse().unwrap_or(f64::INFINITY);
        let narrow: f32 = digits.parse().unwrap_or(f32::INFINITY);
        ExprKind::Constant(u128::from(narrow.to_bits()) << 64 | u128::from(wide.to_bits()))
    }

    /// A string literal.
    pub(super) fn text(&mut self, text: &str, at: At) -> Expr {
        let address = self.items.place_bytes(text.as_bytes());
        let kind = ExprKind::Text { address, len: text.len() as u64 };
        Expr { kind, ty: Type::reference(Mutability::Shared, Type::Str), at }
    }

    fn path(&mut self, path: &syn::ExprPath, expect: Option<&Type>, at: At) -> Result<Operand> {
        let segments: Vec<_> =
            path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [name] = segments.as_slice() {
            if let Some(local) = self.find_local(name) {
                let ty = self.local_type(local);
                return Ok(Operand::Place(Place::local(local, ty), at));
            }
            if name == "None" {
                let given = self.turbofish(&path.path.segments[0])?;
                let payload = given.into_iter().next();
                let payload = payload.unwrap_or_else(|| self.fresh(Class::Any));
                let ty = Type::lib(Lib::Option, [payload]);
                if let Some(expect) = expect {
                    let _ = self.names.infer.unify(&ty, expect);
                }
                return Ok(Operand::Value(Expr { kind: ExprKind::Variant(0, None), ty, at }));
            }
            if let Some(&id) = self.names.items.structs.get(name.as_str()) {
                let of = Arc::clone(self.items.structs.get(id));
                if of.fields.is_empty() && of.is_tuple {
                    let ty = Type::Struct(id, Arc::clone(&of.name));
                    return Ok(Operand::Value(Expr {
                        kind: ExprKind::Aggregate(Vec::new()),
                        ty,
                        at,
                    }));
                }
                return self.fault(Kind::NotTupleStruct { name: name.clone() }, path);
            }
            if self.names.items.functions.contains_key(name.as_str()) {
                return self.unsupported(
                    "A function as a value",
                    "Call it where it is needed.",
                    path,
                );
            }
            let outer = self.body.outer.iter().any(|scope| scope.contains_key(name.as_str()));
            if outer {
                return self.fault(Kind::Captures { name: name.clone() }, path);
            }
            if name == "self" {
                return self.fault(Kind::SelfOutside, path);
            }
            if self.heap(name).is_some() {
                return self.unsupported("A heap as a value", heap::INSTEAD, path);
            }
            let nearest = self.nearest_value(name);
            let is_moved_scope = self.body.locals.iter().any(|local| *local.name == **name);
            return self
                .fault(Kind::UnknownValue { name: name.clone(), nearest, is_moved_scope }, path);
        }
        if let [owner, constant] = segments.as_slice()
            && let Some(scalar) = Scalar::named(owner)
        {
            return if let Some((bits, ty)) = constant_of(scalar, constant) {
                Ok(Operand::Value(Expr {
                    kind: ExprKind::Constant(bits),
                    ty: Type::Scalar(ty),
                    at,
                }))
            } else {
                let (function, ty) = (constant.clone(), owner.clone());
                self.fault(Kind::NoAssociated { function, ty }, path)
            };
        }
        if self.library_type(&path.path).is_some() || segments[0] == "std" {
            return self.unsupported(
                "This path as a value",
                "Functions are called: Vec::new().",
                path,
            );
        }
        let name = segments[..segments.len() - 1].join("::");
        self.fault(Kind::UndeclaredType { name }, path)
    }

    pub(super) fn nearest_value(&self, name: &str) -> Option<String> {
        let known = self.body.scopes.iter().flat_map(OrdMap::keys).map(ToString::to_string);
        ty::nearest(name, known)
    }

    fn field(&mut self, field: &syn::ExprField, at: At) -> Result<Operand> {
        let base = self.operand(&field.base, None)?;
        let base_at = base.at();
        let first_ty = self.shallow(base.ty());
        let name = match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(index) => index.index.to_string(),
        };
        let mut place = base.into_place();
        let mut innermost;
        let mut is_method = false;
        loop {
            let ty = self.shallow(&place.ty);
            innermost = ty.clone();
            is_method |= super::signature::named(&name).any(|parsed| match (&parsed.on, &ty) {
                (Some(Type::Lib(a, _)), Type::Lib(b, _)) => a == b,
                (Some(a), b) => std::mem::discriminant(a) == std::mem::discriminant(b),
                _ => false,
            });
            let found = match &ty {
                Type::Tuple(items) => name
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index).map(|ty| (index, ty.clone()))),
                Type::Struct(id, _) => {
                    let of = self.items.structs.get(*id);
                    let index = of.fields.iter().position(|field| *field.name == *name);
                    index.map(|index| (index, of.fields[index].ty.clone()))
                }
                _ => None,
            };
            if let Type::Struct(id, _) = &ty
                && found.is_some()
                && self.items.structs.get(*id).is_of_std
                && !self.is_given
            {
                let ty = self.type_name(&ty);
                return self.fault(Kind::PrivateField { field: name, ty }, &field.member);
            }
            if let Some((index, ty)) = found {
                let step = Step::Field(index as u32, ty);
                return Ok(Operand::Place(place.step(step), at));
            }
            place = match self.deref(place, base_at) {
                Ok(place) => place,
                Err(_) => break,
            };
        }
        let ty = self.type_name(&first_ty);
        let member = &field.member;
        if let Some(Class::Any) = self.names.infer.class_of(&first_ty) {
            return Err(Fault {
                kind: Kind::NeedsType { what: "this value".to_owned() },
                at: base_at,
            });
        }
        if self.names.infer.is_number(&first_ty) || matches!(first_ty, Type::Scalar(_)) {
            return self.fault(Kind::NoFieldsAtAll { ty }, member);
        }
        let is_private = matches!((&first_ty, &*name), (Type::Lib(Lib::Vec, _), "len" | "buf"))
            || first_ty.is_lib(Lib::String) && name == "vec"
            || match (&first_ty, &*name) {
                (Type::Lib(Lib::HeaplessVec, _), name) => {
                    ["len", "buffer", "phantom"].contains(&name)
                }
                (Type::Lib(Lib::HeaplessString, _), name) => name == "vec",
                (Type::Lib(Lib::Deque, _), name) => {
                    ["front", "back", "full", "buffer", "phantom"].contains(&name)
                }
                _ => false,
            };
        if is_private {
            return self.fault(Kind::PrivateField { field: name, ty }, member);
        }
        let own_method = match &innermost {
            Type::Struct(id, _) => self.names.methods.contains_key(&(*id, name.as_str().into())),
            _ => false,
        };
        if is_method || own_method {
            return self.fault(Kind::MethodNotField { method: name, ty }, member);
        }
        let has = match &innermost {
            Type::Struct(id, _) => {
                let fields = &self.items.structs.get(*id).fields;
                fields.iter().map(|field| field.name.to_string()).collect()
            }
            _ => Vec::new(),
        };
        self.fault(Kind::NoField { field: name, ty, has }, member)
    }

    fn struct_literal(
        &mut self,
        literal: &syn::ExprStruct,
        is_extending: bool,
        at: At,
    ) -> Result<Expr> {
        let name = literal.path.segments.last().expect("a path has a segment").ident.to_string();
        if literal.rest.is_some() {
            return self.unsupported("..", "Give each field its value.", literal);
        }
        let Some(&id) = self.names.items.structs.get(name.as_str()) else {
            return self.fault(Kind::UnknownStruct { name }, &literal.path);
        };
        let of = Arc::clone(self.items.structs.get(id));
        let mut fields: Vec<(u32, Expr)> = Vec::new();
        for given in &literal.fields {
            let field = match &given.member {
                syn::Member::Named(name) => name.to_string(),
                syn::Member::Unnamed(index) => index.index.to_string(),
            };
            let Some(index) = of.fields.iter().position(|known| *known.name == *field) else {
                let has = of.fields.iter().map(|field| field.name.to_string()).collect();
                return self.fault(Kind::UnknownField { of: name, field, has }, &given.member);
            };
            if fields.iter().any(|(known, _)| *known == index as u32) {
                return self.fault(Kind::TwiceField { field }, &given.member);
            }
            self.is_extending = is_extending;
            let value = self.coerced(&given.expr, &of.fields[index].ty)?;
            self.is_extending = false;
            fields.push((index as u32, value));
        }
        let missing: Vec<_> = of
            .fields
            .iter()
            .enumerate()
            .filter(|(index, _)| !fields.iter().any(|(known, _)| *known == *index as u32))
            .map(|(_, field)| field.name.to_string())
            .collect();
        if !missing.is_empty() {
            return self.fault(Kind::MissingFields { of: name, fields: missing }, &literal.path);
        }
        Ok(Expr {
            kind: ExprKind::Aggregate(fields),
            ty: Type::Struct(id, Arc::clone(&of.name)),
            at,
        })
    }

    fn unary(
        &mut self,
        op: UnaryOp,
        name: &'static str,
        operand: &syn::Expr,
        at: At,
    ) -> Result<Operand> {
        let mut value = self.expr(operand, None)?;
        if let (UnaryOp::Neg, syn::Expr::Lit(_), Some(literal)) =
            (op, unparenthesized(operand), self.literals.last_mut())
        {
            literal.is_negated = true;
        }
        if let Type::Ref(_, to) = self.shallow(&value.ty)
            && matches!(self.shallow(&to), Type::Scalar(_))
        {
            value = self.followed(value);
        }
        let ty = self.shallow(&value.ty);
        if let Some(Class::Any) = self.names.infer.class_of(&ty) {
            let what = "this value".to_owned();
            return Err(Fault { kind: Kind::NeedsType { what }, at: value.at });
        }
        let fits = match op {
            UnaryOp::Neg => match &ty {
                Type::Scalar(scalar) => scalar.is_signed() || scalar.is_float(),
                _ => self.names.infer.is_number(&ty),
            },
            UnaryOp::Not => ty == Type::BOOL || self.names.infer.is_integer(&ty),
        };
        if !fits && ty != Type::Never {
            let ty = self.type_name(&ty);
            return Err(Fault { kind: Kind::NotUnary { op: name, ty }, at });
        }
        Ok(Operand::Value(Expr { kind: ExprKind::Unary(op, Box::new(value)), ty, at }))
    }

    /// What a reference to a scalar leads to.
    fn followed(&mut self, value: Expr) -> Expr {
        let at = value.at;
        let place = match value.kind {
            ExprKind::Read(place) => place,
            _ => Operand::Value(value).into_place(),
        };
        match self.deref(place, at) {
            Ok(place) => super::place::read(place, at),
            Err(place) => super::place::read(place, at),
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary, at: At) -> Result<Expr> {
        use syn::BinOp as B;
        let (op, name, assigns) = match &binary.op {
            B::And(_) | B::Or(_) => {
                let left = Box::new(self.coerced(&binary.left, &Type::BOOL)?);
                let right = Box::new(self.coerced(&binary.right, &Type::BOOL)?);
                let kind = match &binary.op {
                    B::And(_) => ExprKind::And(left, right),
                    _ => ExprKind::Or(left, right),
                };
                return Ok(Expr { kind, ty: Type::BOOL, at });
            }
            B::Add(_) => (BinaryOp::Add, "+", false),
            B::Sub(_) => (BinaryOp::Sub, "-", false),
            B::Mul(_) => (BinaryOp::Mul, "*", false),
            B::Div(_) => (BinaryOp::Div, "/", false),
            B::Rem(_) => (BinaryOp::Rem, "%", false),
            B::BitAnd(_) => (BinaryOp::And, "&", false),
            B::BitOr(_) => (BinaryOp::Or, "|", false),
            B::BitXor(_) => (BinaryOp::Xor, "^", false),
            B::Shl(_) => (BinaryOp::Shl, "<<", false),
            B::Shr(_) => (BinaryOp::Shr, ">>", false),
            B::Eq(_) => (BinaryOp::Compare(CompareOp::Eq), "==", false),
            B::Ne(_) => (BinaryOp::Compare(CompareOp::Ne), "!=", false),
            B::Lt(_) => (BinaryOp::Compare(CompareOp::Lt), "<", false),
            B::Le(_) => (BinaryOp::Compare(CompareOp::Le), "<=", false),
            B::Gt(_) => (BinaryOp::Compare(CompareOp::Gt), ">", false),
            B::Ge(_) => (BinaryOp::Compare(CompareOp::Ge), ">=", false),
            B::AddAssign(_) => (BinaryOp::Add, "+=", true),
            B::SubAssign(_) => (BinaryOp::Sub, "-=", true),
            B::MulAssign(_) => (BinaryOp::Mul, "*=", true),
            B::DivAssign(_) => (BinaryOp::Div, "/=", true),
            B::RemAssign(_) => (BinaryOp::Rem, "%=", true),
            B::BitAndAssign(_) => (BinaryOp::And, "&=", true),
            B::BitOrAssign(_) => (BinaryOp::Or, "|=", true),
            B::BitXorAssign(_) => (BinaryOp::Xor, "^=", true),
            B::ShlAssign(_) => (BinaryOp::Shl, "<<=", true),
            B::ShrAssign(_) => (BinaryOp::Shr, ">>=", true),
            _ => {
                return self.unsupported(
                    "This operator",
                    "help rust shows what can be written.",
                    binary,
                );
            }
        };
        if assigns {
            return self.assign_op(op, name, binary, at);
        }
        if let BinaryOp::Compare(compare) = op {
            return self.compare(compare, name, binary, at);
        }
        // No hints: rustc lets neither the result nor one side say of the other which type it is.
        let left = self.expr(&binary.left, None)?;
        let left_ty = self.shallow(&left.ty);
        if left_ty.is_lib(Lib::String) && op == BinaryOp::Add {
            let str_ref = Type::reference(Mutability::Shared, Type::Str);
            let right = self.coerced(&binary.right, &str_ref)?;
            return Ok(self.library(Builtin::StringAdd, Vec::new(), vec![left, right], at));
        }
        let right = self.expr(&binary.right, None)?;
        let (left, right, ty) = self.scalars(op, name, left, right, at)?;
        Ok(Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, at })
    }

    /// Refuses a left side of which nothing is known.
    fn check_left(&mut self, ty: &Type, at: At) -> Result<()> {
        if self.names.infer.class_of(ty) != Some(Class::Any) {
            return Ok(());
        }
        // A trait that it must have says more.
        self.finish_bounds()?;
        let what = "the left side".to_owned();
        Err(Fault { kind: Kind::NeedsType { what }, at })
    }

    /// Two operands as scalars that the operator takes, and what it gives.
    fn scalars(
        &mut self,
        op: BinaryOp,
        name: &'static str,
        left: Expr,
        right: Expr,
        at: At,
    ) -> Result<(Expr, Expr, Type)> {
        let follow = |this: &mut Self, value: Expr| {
            let through = match this.shallow(&value.ty) {
                Type::Ref(_, to) => {
                    matches!(this.shallow(&to), Type::Scalar(_)) || this.names.infer.is_number(&to)
                }
                _ => false,
            };
            if through { this.followed(value) } else { value }
        };
        let (left, right) = (follow(self, left), follow(self, right));
        let (left_ty, right_ty) = (self.shallow(&left.ty), self.shallow(&right.ty));
        if left_ty == Type::Never || right_ty == Type::Never {
            return Ok((left, right, Type::Never));
        }
        let bitwise = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Xor);
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        let takes = |this: &Self, ty: &Type| match (bitwise, shift) {
            (true, _) => this.names.infer.is_integer(ty) || *ty == Type::BOOL,
            (_, true) => this.names.infer.is_integer(ty),
            _ => this.names.infer.is_number(ty),
        };
        let names = |this: &Self| (this.type_name(&left_ty), this.type_name(&right_ty));
        self.check_left(&left_ty, left.at)?;
        if let (true, Some(Class::Any)) =
            (takes(self, &left_ty), self.names.infer.class_of(&right_ty))
        {
            return Err(Fault { kind: Kind::NeedsOperand { code: "E0284" }, at: right.at });
        }
        if !takes(self, &left_ty) {
            let (left, right) = names(self);
            return Err(Fault { kind: Kind::NotBinary { op: name, left, right }, at });
        }
        if shift {
            if !takes(self, &right_ty) {
                let (left, right) = names(self);
                return Err(Fault { kind: Kind::NotBinaryWith { op: name, left, right }, at });
            }
            return Ok((left, right, left_ty));
        }
        if self.names.infer.unify(&left_ty, &right_ty).is_err() {
            let (left_name, right_name) = names(self);
            let both = self.names.infer.is_number(&left_ty)
                && matches!(right_ty, Type::Scalar(scalar) if scalar.is_integer() || scalar.is_float());
            let kind = if both {
                Kind::Mismatch { expected: left_name, found: right_name }
            } else {
                Kind::NotBinaryWith { op: name, left: left_name, right: right_name }
            };
            let at = if both { right.at } else { at };
            return Err(Fault { kind, at });
        }
        Ok((left, right, left_ty))
    }

    fn assign_op(
        &mut self,
        op: BinaryOp,
        name: &'static str,
        binary: &syn::ExprBinary,
        at: At,
    ) -> Result<Expr> {
        let Operand::Place(mut place, left_at) = self.operand(&binary.left, None)? else {
            return self.fault(Kind::BadAssignmentOp, &binary.left);
        };
        let left_ty = self.shallow(&place.ty);
        if left_ty.is_lib(Lib::String) && op == BinaryOp::Add {
            let str_ref = Type::reference(Mutability::Shared, Type::Str);
            let this = self.borrow(place, BorrowKind::TwoPhase, left_at);
            let right = self.coerced(&binary.right, &str_ref)?;
            return Ok(self.library(Builtin::StringPushStr, Vec::new(), vec![this, right], at));
        }
        let right = self.expr(&binary.right, None)?;
        if let Type::Ref(..) = left_ty {
            let (left, right) = (self.type_name(&left_ty), self.type_name(&right.ty));
            let kind = Kind::NotBinaryAssign { op: name, left, right };
            return Err(Fault { kind, at });
        }
        let left = Expr { kind: ExprKind::Constant(0), ty: left_ty.clone(), at: left_at };
        let (_, right, _) =
            self.scalars(op, name, left, right, at).map_err(|fault| match fault.kind {
                Kind::NotBinary { op, left, right } => {
                    Fault { kind: Kind::NotBinaryAssign { op, left, right }, ..fault }
                }
                Kind::NeedsOperand { .. } => {
                    Fault { kind: Kind::NeedsOperand { code: "E0283" }, ..fault }
                }
                _ => fault,
            })?;
        make_mutable(&mut place);
        Ok(Expr { kind: ExprKind::AssignOp(op, place, Box::new(right)), ty: Type::unit(), at })
    }

    fn compare(
        &mut self,
        op: CompareOp,
        name: &'static str,
        binary: &syn::ExprBinary,
        at: At,
    ) -> Result<Expr> {
        let left = self.operand(&binary.left, None)?;
        let left_ty = self.shallow(left.ty());
        let hint = self.names.infer.is_number(&left_ty).then(|| left_ty.clone());
        let right = self.operand(&binary.right, hint.as_ref())?;
        let right_ty = self.shallow(right.ty());
        if left_ty == Type::Never || right_ty == Type::Never {
            let kind = ExprKind::Binary(
                BinaryOp::Compare(op),
                Box::new(left.into_value()),
                Box::new(right.into_value()),
            );
            return Ok(Expr { kind, ty: Type::BOOL, at });
        }
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        self.check_left(&left_ty, left.at())?;
        let is_alone =
            matches!(left_ty, Type::Scalar(_) | Type::Struct(..)) || has_one_like(&left_ty);
        // What can be compared with several types says nothing of the other side's.
        if !is_alone
            && !self.names.infer.is_number(&left_ty)
            && self.names.infer.class_of(&right_ty) == Some(Class::Any)
        {
            return Err(Fault { kind: Kind::NeedsOperand { code: "E0283" }, at: right.at() });
        }
        let (left_part, right_part) = self.compared_parts(&left_ty, &right_ty, is_equality);
        if self.names.infer.unify(&left_part, &right_part).is_err() {
            let kind = self.not_comparable(&left_ty, &right_ty, left_part != left_ty, name);
            return Err(Fault { kind, at });
        }
        let bound = match op {
            CompareOp::Eq | CompareOp::Ne => "PartialEq",
            _ => "Ord",
        };
        let is_scalar = |this: &Self, ty: &Type| {
            matches!(ty, Type::Scalar(_)) || this.names.infer.is_number(ty)
        };
        if is_scalar(self, &left_ty) {
            let kind = ExprKind::Binary(
                BinaryOp::Compare(op),
                Box::new(left.into_value()),
                Box::new(right.into_value()),
            );
            return Ok(Expr { kind, ty: Type::BOOL, at });
        }
        let has = super::traits::has(&left_ty, bound, &self.names.infer, &self.items.structs);
        let is_ordered = bound == "Ord" && self.is_partly_ordered(&left_ty);
        if !has && !is_ordered {
            let (left, right) = (self.type_name(&left_ty), self.type_name(&right_ty));
            return Err(Fault { kind: Kind::NotBinary { op: name, left, right }, at });
        }
        let (left_at, right_at) = (left.at(), right.at());
        let left = self.borrow(left.into_place(), BorrowKind::Shared, left_at);
        let right = self.borrow(right.into_place(), BorrowKind::Shared, right_at);
        let kind = ExprKind::Compare(op, Box::new(left), Box::new(right));
        Ok(Expr { kind, ty: Type::BOOL, at })
    }

    /// What is wrong with a comparison of two types that cannot be one, or whose elements cannot.
    pub(super) fn not_comparable(
        &self,
        left: &Type,
        right: &Type,
        by_elements: bool,
        op: &'static str,
    ) -> Kind {
        let sides = [left, right].map(|ty| self.shallow(ty));
        let [left_name, right_name] = sides.each_ref().map(|ty| self.type_name(ty));
        let has = |test: fn(&Type) -> bool| sides.iter().any(test);
        let is_scalar = |ty: &Type| matches!(ty, Type::Scalar(_));
        if by_elements {
            return Kind::NotBinaryWith { op, left: left_name, right: right_name };
        }
        if is_scalar(&sides[0]) || self.names.infer.is_number(&sides[0]) {
            return if has(is_scalar) {
                Kind::Mismatch { expected: left_name, found: right_name }
            } else {
                Kind::NotBinaryWith { op, left: left_name, right: right_name }
            };
        }
        // Each is ordered among its like alone.
        let is_heapless = |ty: &Type| matches!(ty, Type::Lib(lib, _) if lib.is_heapless());
        let is_ordering = !["==", "!="].contains(&op);
        if is_ordering && (has(is_heapless) || sides[0].is_lib(Lib::Vec)) {
            return Kind::Mismatch { expected: left_name, found: right_name };
        }
        self.comparison_fault(&sides[0], op, left_name, right_name)
    }

    /// What of two types must be one for them to be compared: both, the elements of lists, nothing of texts.
    pub(super) fn compared_parts(
        &self,
        left: &Type,
        right: &Type,
        is_equality: bool,
    ) -> (Type, Type) {
        let sides = [left, right].map(|ty| self.shallow(ty));
        let is = |lib: Lib| sides.each_ref().map(|ty| ty.is_lib(lib));
        let is_text = |ty: &Type| {
            let is_cow = || ty.is_lib(Lib::Cow) && self.shallow(ty.first_arg()) == Type::Str;
            let is_str = || ty.referent().is_some_and(|(_, to)| *to == Type::Str);
            ty.is_lib(Lib::String) || ty.is_lib(Lib::HeaplessString) || is_cow() || is_str()
        };
        let is_owned_by_std = is(Lib::String).contains(&true) || is(Lib::Cow).contains(&true);
        let is_mixed = is_owned_by_std && is(Lib::HeaplessString).contains(&true);
        let texts = sides.iter().all(is_text) && is_equality && !is_mixed;
        if texts || is(Lib::HeaplessString) == [true; 2] {
            return (Type::unit(), Type::unit());
        }
        if let [Type::Lib(Lib::PoolBox, left), Type::Lib(Lib::PoolBox, right)] = &sides {
            return (left[1].clone(), right[1].clone());
        }
        let element = |ty: &Type| match ty {
            Type::Lib(Lib::Vec | Lib::HeaplessVec | Lib::Deque, args) => Some(args[0].clone()),
            Type::Array(element, _) => Some(Type::clone(element)),
            Type::Ref(mutability, to) => match (mutability, self.shallow(to)) {
                (_, Type::Slice(element)) | (Mutability::Shared, Type::Array(element, _)) => {
                    Some(Type::clone(&element))
                }
                _ => None,
            },
            _ => None,
        };
        let is_array = |ty: &Type| matches!(ty, Type::Array(..));
        let is_other = |ty: &Type| matches!(ty, Type::Array(..) | Type::Ref(..));
        let lists = match (is(Lib::HeaplessVec), is(Lib::Vec)) {
            ([true, true], _) => true,
            ([true, false], _) => is_equality && is_other(&sides[1]),
            ([false, true], _) => is_equality && is_other(&sides[0]),
            (_, [true, false]) => is_equality && is_array(&sides[1]),
            // Of two heaps.
            (_, [true, true]) => sides[0].allocator() != sides[1].allocator(),
            _ => is_equality && is(Lib::Deque) == [true; 2],
        };
        match sides.each_ref().map(element) {
            [Some(left), Some(right)] if lists => (left, right),
            _ => (left.clone(), right.clone()),
        }
    }

    /// `<` is `PartialOrd`'s: floats inside have it.
    fn is_partly_ordered(&self, ty: &Type) -> bool {
        match self.shallow(ty) {
            Type::Scalar(_) => true,
            Type::Var(_) => true,
            Type::Tuple(items) => items.iter().all(|item| self.is_partly_ordered(item)),
            Type::Array(inner, _) | Type::Slice(inner) | Type::Ref(_, inner) => {
                self.is_partly_ordered(&inner)
            }
            Type::Lib(Lib::PoolBox, args) => self.is_partly_ordered(&args[1]),
            Type::Lib(
                Lib::Vec | Lib::Option | Lib::Box | Lib::Rc | Lib::Arc | Lib::HeaplessVec,
                args,
            ) => args.iter().all(|arg| self.is_partly_ordered(arg)),
            other => super::traits::has(&other, "Ord", &self.names.infer, &self.items.structs),
        }
    }

    /// A comparison of two types: rustc calls it a missing implementation where the left type can be compared at all.
    fn comparison_fault(
        &self,
        left_ty: &Type,
        op: &'static str,
        left: String,
        right: String,
    ) -> Kind {
        let has_own =
            super::traits::has(left_ty, "PartialEq", &self.names.infer, &self.items.structs);
        match left_ty {
            Type::Struct(..) if has_own => Kind::Mismatch { expected: left, found: right },
            Type::Struct(..) => Kind::NotBinary { op, left, right },
            ty if has_one_like(ty) => Kind::Mismatch { expected: left, found: right },
            _ => Kind::NotBinaryWith { op, left, right },
        }
    }

    fn cast(&mut self, cast: &syn::ExprCast, at: At) -> Result<Expr> {
        let to = self.ty(&cast.ty)?;
        if let (Type::Lib(Lib::Box, args), syn::Expr::Call(_)) = (&to, unparenthesized(&cast.expr))
            && matches!(self.shallow(&args[0]), Type::Dyn(..))
        {
            // `Box::new(x) as Box<dyn Trait>`
            return self.coerced(&cast.expr, &to);
        }
        let value = self.expr(&cast.expr, None)?;
        let from = self.shallow(&value.ty);
        let target = self.shallow(&to);
        if from == Type::Never {
            return Ok(Expr { ty: to, ..value });
        }
        if let (Some(Class::Integer), Type::Scalar(scalar)) =
            (self.names.infer.class_of(&from), &target)
            && (scalar.is_integer() || *scalar == Scalar::Char)
        {
            // A literal takes the type it is cast to, where it can.
            let wanted = if *scalar == Scalar::Char { Type::U8 } else { target.clone() };
            let _ = self.names.infer.unify(&from, &wanted);
        }
        let from = self.names.infer.settle(&value.ty);
        if from == target {
            return Ok(value);
        }
        let (Type::Scalar(source), Type::Scalar(goal)) = (&from, &target) else {
            let (from_name, to_name) = (self.type_name(&from), self.type_name(&target));
            let are_boxes = from.is_lib(Lib::Box) && target.is_lib(Lib::Box);
            if are_boxes || matches!((&from, &target), (Type::Ref(..), Type::Ref(..))) {
                return self.coerce(value, &target).map_err(|fault| match fault.kind {
                    Kind::Mismatch { .. } if are_boxes => {
                        let kind = Kind::CastNonPrimitive { from: from_name, to: to_name };
                        Fault { kind, at }
                    }
                    _ => fault,
                });
            }
            let kind = match (&from, &target) {
                (Type::Ref(..), Type::Scalar(_)) => {
                    Kind::CastInvalid { from: from_name, to: to_name }
                }
                _ => Kind::CastNonPrimitive { from: from_name, to: to_name },
            };
            return Err(Fault { kind, at });
        };
        let (from, to_name) = (source.name().to_owned(), goal.name().to_owned());
        let kind = match (source, goal) {
            (a, b) if (a.is_integer() || a.is_float()) && (b.is_integer() || b.is_float()) => None,
            (Scalar::Bool | Scalar::Char, b) if b.is_integer() => None,
            (Scalar::U8, Scalar::Char) => None,
            (_, Scalar::Bool) => Some(Kind::CastBool { from }),
            (_, Scalar::Char) => Some(Kind::CastChar { from }),
            _ => Some(Kind::CastInvalid { from, to: to_name }),
        };
        if let Some(kind) = kind {
            return Err(Fault { kind, at });
        }
        Ok(Expr { kind: ExprKind::Cast(Box::new(value)), ty: target, at })
    }

    fn if_(&mut self, branch: &syn::ExprIf, expect: Option<&Type>, at: At) -> Result<Expr> {
        let condition = self.coerced(&branch.cond, &Type::BOOL)?;
        let then_at = self.at(&branch.then_branch);
        let Some((_, other)) = &branch.else_branch else {
            let (then, ty) = self.block(&branch.then_branch, None)?;
            if let Some(expect) = expect {
                let wanted = self.shallow(expect);
                if !wanted.is_unit() && !matches!(wanted, Type::Var(_)) {
                    let expected = self.type_name(&wanted);
                    return Err(Fault { kind: Kind::NoElse { expected }, at });
                }
            }
            if ty != Type::Never && self.names.infer.unify(&Type::unit(), &ty).is_err() {
                return Err(match &then.tail {
                    Some(tail) => self.mismatch(&Type::unit(), &ty, tail.at),
                    None => self.mismatch(&Type::unit(), &ty, at),
                });
            }
            let then = Expr { kind: ExprKind::Block(then), ty: Type::unit(), at: then_at };
            let kind = ExprKind::If(Box::new(condition), Box::new(then), None);
            return Ok(Expr { kind, ty: Type::unit(), at });
        };
        let (then, then_ty) = self.block(&branch.then_branch, expect)?;
        let then = Expr { kind: ExprKind::Block(then), ty: then_ty, at: then_at };
        let hint = expect.cloned().or_else(|| {
            let ty = self.shallow(&then.ty);
            (ty != Type::Never).then_some(ty)
        });
        let other = match &hint {
            Some(hint) => self.coerced(other, hint)?,
            None => self.expr(other, None)?,
        };
        let ty = match self.shallow(&then.ty) {
            Type::Never => other.ty.clone(),
            ty => ty,
        };
        let then = if self.shallow(&then.ty) == Type::Never {
            Expr { ty: ty.clone(), ..then }
        } else {
            then
        };
        let kind = ExprKind::If(Box::new(condition), Box::new(then), Some(Box::new(other)));
        Ok(Expr { kind, ty, at })
    }

    fn enter_loop(&mut self, label: Option<&syn::Label>, has_value: bool) -> LoopId {
        let id = LoopId(self.body.next_loop);
        self.body.next_loop += 1;
        let value = has_value.then(|| self.fresh(Class::Any));
        let label = label.map(|label| label.name.ident.to_string());
        self.body.loops.push(Loop { id, label, value, is_left: false });
        id
    }

    fn find_loop(&self, label: Option<&syn::Lifetime>) -> Option<usize> {
        match label {
            None => self.body.loops.len().checked_sub(1),
            Some(label) => {
                let label = label.ident.to_string();
                self.body.loops.iter().rposition(|around| around.label.as_ref() == Some(&label))
            }
        }
    }

    /// `while c { … }` is `loop { if c { … } else { break } }`.
    fn while_(&mut self, repeat: &syn::ExprWhile, at: At) -> Result<Expr> {
        let id = self.enter_loop(repeat.label.as_ref(), false);
        let condition = self.coerced(&repeat.cond, &Type::BOOL)?;
        let body_at = self.at(&repeat.body);
        let (body, ty) = self.block(&repeat.body, None)?;
        if ty != Type::Never {
            self.unify(&Type::unit(), &ty, body_at)?;
        }
        self.body.loops.pop();
        let expr = |kind, ty| Expr { kind, ty, at: body_at };
        let body = expr(ExprKind::Block(body), Type::unit());
        let leave = Expr { kind: ExprKind::Break(id, None), ty: Type::unit(), at: condition.at };
        let kind = ExprKind::If(Box::new(condition), Box::new(body), Some(Box::new(leave)));
        let stmts = vec![Stmt::Expr(expr(kind, Type::unit()))];
        let block = Block { stmts, tail: None, end: body_at };
        Ok(Expr { kind: ExprKind::Loop(id, block), ty: Type::unit(), at })
    }

    fn for_(&mut self, repeat: &syn::ExprForLoop, at: At) -> Result<Expr> {
        let (name, is_mutable) = match &*repeat.pat {
            syn::Pat::Ident(name) => (name.ident.to_string(), name.mutability.is_some()),
            syn::Pat::Wild(_) => ("_".to_owned(), false),
            _ => {
                return self.unsupported(
                    "This pattern",
                    "A name can stand here: for x in …",
                    &repeat.pat,
                );
            }
        };
        let name_at = self.at(&repeat.pat);
        if let syn::Expr::Range(range) = unparenthesized(&repeat.expr) {
            return self.for_range(repeat, range, &name, is_mutable, name_at, at);
        }
        let items = self.expr(&repeat.expr, None)?;
        let items_at = items.at;
        let ty = self.shallow(&items.ty);
        let slice = match &ty {
            Type::Lib(Lib::Iter, args) => {
                // `v.iter()` gives what it was made of: the slice it borrows.
                let element = args[0].clone();
                let ExprKind::Library { args, .. } = items.kind else {
                    return self.unsupported(
                        "An iterator in a variable",
                        "Write v.iter() in the for loop.",
                        &repeat.expr,
                    );
                };
                let slice = args.into_iter().next().expect("iter has a receiver");
                Some((slice, element, Mutability::Shared))
            }
            Type::Ref(mutability, to) => {
                let to = self.shallow(to);
                let element = match &to {
                    Type::Lib(Lib::Vec | Lib::HeaplessVec | Lib::Deque, args) => {
                        Some(args[0].clone())
                    }
                    Type::Array(element, _) | Type::Slice(element) => Some(Type::clone(element)),
                    _ => None,
                };
                match element {
                    // Its elements may lie in two stretches.
                    Some(element) if to.is_lib(Lib::Deque) => Some((items, element, *mutability)),
                    Some(element) => {
                        let mutability = *mutability;
                        let slice =
                            Type::reference(mutability, Type::Slice(Arc::new(element.clone())));
                        Some((self.coerce(items, &slice)?, element, mutability))
                    }
                    None => None,
                }
            }
            Type::Lib(Lib::Vec | Lib::Option | Lib::Result | Lib::HeaplessVec | Lib::Deque, _)
            | Type::Array(..) => {
                return self.unsupported(
                    "A for loop that takes its collection apart",
                    "Look at each element: for x in &v.",
                    &repeat.expr,
                );
            }
            _ => None,
        };
        let Some((slice, element, mutability)) = slice else {
            let ty = self.type_name(&ty);
            return Err(Fault { kind: Kind::NotIterable { ty }, at: items_at });
        };
        let id = self.enter_loop(repeat.label.as_ref(), false);
        let item = Type::reference(mutability, element);
        let (local, body) = self.for_body(repeat, &name, item, is_mutable, name_at)?;
        let slice = Box::new(slice);
        let kind = ExprKind::ForEach { id, local, slice, body };
        Ok(Expr { kind, ty: Type::unit(), at })
    }

    fn for_range(
        &mut self,
        repeat: &syn::ExprForLoop,
        range: &syn::ExprRange,
        name: &str,
        is_mutable: bool,
        name_at: At,
        at: At,
    ) -> Result<Expr> {
        let (Some(start), Some(end)) = (&range.start, &range.end) else {
            return self.unsupported(
                "A range without an end",
                "loop and break can say the same.",
                range,
            );
        };
        let start = self.expr(start, None)?;
        let ty = start.ty.clone();
        let end = self.coerced(end, &ty)?;
        if !self.names.infer.is_integer(&ty) {
            let ty = format!("Range<{}>", self.type_name(&ty));
            return self.fault(Kind::NotIterable { ty }, range);
        }
        let is_inclusive = matches!(range.limits, syn::RangeLimits::Closed(_));
        let id = self.enter_loop(repeat.label.as_ref(), false);
        let (local, body) = self.for_body(repeat, name, ty, is_mutable, name_at)?;
        let (start, end) = (Box::new(start), Box::new(end));
        let kind = ExprKind::ForRange { id, local, start, end, is_inclusive, body };
        Ok(Expr { kind, ty: Type::unit(), at })
    }

    fn for_body(
        &mut self,
        repeat: &syn::ExprForLoop,
        name: &str,
        ty: Type,
        is_mutable: bool,
        name_at: At,
    ) -> Result<(crate::typed::LocalId, Block)> {
        self.body.scopes.push_back(OrdMap::new());
        let local = if name == "_" {
            self.hidden_local("_".into(), ty, is_mutable, name_at)
        } else {
            self.declare_local(name, ty, is_mutable, name_at)
        };
        let lowered = self.block(&repeat.body, None);
        self.body.scopes.pop_back();
        let (body, ty) = lowered?;
        if ty != Type::Never {
            self.unify(&Type::unit(), &ty, self.at(&repeat.body))?;
        }
        self.body.loops.pop();
        Ok((local, body))
    }

    /// The ends of a range that stands as an index.
    pub(super) fn range_of(&mut self, index: &syn::Expr) -> Result<Option<Ends>> {
        let syn::Expr::Range(range) = unparenthesized(index) else { return Ok(None) };
        let start =
            range.start.as_ref().map(|start| self.coerced(start, &Type::USIZE)).transpose()?;
        let end = range.end.as_ref().map(|end| self.coerced(end, &Type::USIZE)).transpose()?;
        let is_inclusive = matches!(range.limits, syn::RangeLimits::Closed(_));
        Ok(Some(Ends { start, end, is_inclusive }))
    }
}

/// A name that a pattern binds twice.
fn bound_twice(pattern: &syn::Pat) -> Option<(String, syn::Ident)> {
    fn names<'a>(pattern: &'a syn::Pat, found: &mut Vec<&'a syn::Ident>) {
        match pattern {
            syn::Pat::Ident(name) => found.push(&name.ident),
            syn::Pat::Paren(inner) => names(&inner.pat, found),
            syn::Pat::Type(typed) => names(&typed.pat, found),
            syn::Pat::Tuple(tuple) => tuple.elems.iter().for_each(|pattern| names(pattern, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    names(pattern, &mut found);
    let twice = found.iter().enumerate().find(|(index, name)| found[..*index].contains(name));
    twice.map(|(_, name)| (name.to_string(), (*name).clone()))
}

/// What is wrong with a `break` or `continue` that leaves nothing.
fn no_loop(word: &'static str, label: Option<&syn::Lifetime>) -> Kind {
    match label {
        Some(label) => Kind::UnknownLabel { label: label.ident.to_string() },
        None => Kind::OutsideLoop { word },
    }
}

fn unparenthesized_pattern(pattern: &syn::Pat) -> &syn::Pat {
    match pattern {
        syn::Pat::Paren(inner) => unparenthesized_pattern(&inner.pat),
        pattern => pattern,
    }
}

/// Whether a place can be found again and again: it starts at a variable, and no index has to be worked out.
fn is_still(place: &Place) -> bool {
    let is_still = |step: &Step| match step {
        Step::Index(index, _) => matches!(index.kind, ExprKind::Constant(_)),
        Step::Field(..) | Step::Deref(_) => true,
    };
    matches!(place.root, Root::Local(_)) && place.steps.iter().all(is_still)
}

/// Whether values of the type can be compared with those of their own type alone.
fn has_one_like(ty: &Type) -> bool {
    match ty {
        Type::Tuple(_) => true,
        Type::Lib(lib, _) => {
            let is_cell = matches!(lib, Lib::Cell | Lib::RefCell);
            let is_choice = matches!(lib, Lib::Option | Lib::Result);
            is_cell
                || is_choice
                || matches!(lib, Lib::Deque | Lib::PoolBox | Lib::Box | Lib::Rc | Lib::Arc)
        }
        _ => false,
    }
}

fn unparenthesized(expr: &syn::Expr) -> &syn::Expr {
    match expr {
        syn::Expr::Paren(inner) => unparenthesized(&inner.expr),
        syn::Expr::Group(inner) => unparenthesized(&inner.expr),
        expr => expr,
    }
}

/// `u32::MAX` and the like.
fn constant_of(scalar: Scalar, name: &str) -> Option<(u128, Scalar)> {
    let bits = scalar.size_bytes() * 8;
    let all = u128::MAX >> (128 - bits);
    if scalar.is_integer() {
        return match (name, scalar.is_signed()) {
            ("MAX", true) => Some((all >> 1, scalar)),
            ("MAX", false) => Some((all, scalar)),
            ("MIN", true) => Some(((all >> 1) + 1, scalar)),
            ("MIN", false) => Some((0, scalar)),
            ("BITS", _) => Some((u128::from(bits), Scalar::U32)),
            _ => None,
        };
    }
    // Both widths, as for a literal: see `Lower::float_bits`.
    let float = |wide: f64, narrow: f32| {
        Some((u128::from(narrow.to_bits()) << 64 | u128::from(wide.to_bits()), scalar))
    };
    match (scalar.is_float(), name) {
        (true, "MAX") => float(f64::MAX, f32::MAX),
        (true, "MIN") => float(f64::MIN, f32::MIN),
        (true, "EPSILON") => float(f64::EPSILON, f32::EPSILON),
        (true, "INFINITY") => float(f64::INFINITY, f32::INFINITY),
        (true, "NAN") => float(f64::NAN, f32::NAN),
        (false, "MAX") if scalar == Scalar::Char => Some((0x10_ffff, scalar)),
        _ => None,
    }
}
