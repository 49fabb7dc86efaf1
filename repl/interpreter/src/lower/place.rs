//! Places: what leads to one, through what, and how it is borrowed.

use std::sync::Arc;

use super::infer::Class;
use super::signature::Parsed;
use super::{Kind, Lower, Result, signature};
use crate::library::Builtin;
use crate::typed::{At, BorrowKind, Expr, ExprKind, Place, Root, Step, Stmt};
use crate::types::{Lib, Mutability, Type};

/// What an expression is: memory, or a value without a home.
pub(super) enum Operand {
    Place(Place, At),
    Value(Expr),
}

impl Operand {
    pub(super) fn ty(&self) -> &Type {
        match self {
            Self::Place(place, _) => &place.ty,
            Self::Value(value) => &value.ty,
        }
    }

    pub(super) fn at(&self) -> At {
        match self {
            Self::Place(_, at) => *at,
            Self::Value(value) => value.at,
        }
    }

    /// Memory in any case: a value lies in a temporary.
    pub(super) fn into_place(self) -> Place {
        match self {
            Self::Place(place, _) => place,
            Self::Value(value) => {
                let ty = value.ty.clone();
                Place { root: Root::Temporary(Box::new(value)), steps: Vec::new(), ty }
            }
        }
    }

    /// A value in any case: a place is read.
    pub(super) fn into_value(self) -> Expr {
        match self {
            Self::Place(place, at) => read(place, at),
            Self::Value(value) => value,
        }
    }
}

/// Reads a place. What only just became a temporary is the value itself.
pub(super) fn read(place: Place, at: At) -> Expr {
    match place {
        Place { root: Root::Temporary(value), steps, .. } if steps.is_empty() => *value,
        place => Expr { ty: place.ty.clone(), kind: ExprKind::Read(place), at },
    }
}

impl Place {
    /// One step further.
    pub(super) fn step(mut self, step: Step) -> Self {
        self.ty = step.ty().clone();
        self.steps.push(step);
        self
    }

    /// The variable.
    pub(super) fn local(id: crate::typed::LocalId, ty: Type) -> Self {
        Self { root: Root::Local(id), steps: Vec::new(), ty }
    }
}

/// The functions that lead through a smart pointer: to look, and to change where that can be.
const SMART: &[(Lib, Builtin, Option<Builtin>)] = &[
    (Lib::Vec, Builtin::VecDeref, Some(Builtin::VecDerefMut)),
    (Lib::String, Builtin::StringDeref, None),
    (Lib::Rc, Builtin::RcDeref, None),
    (Lib::Arc, Builtin::RcDeref, None),
    (Lib::Cow, Builtin::CowDeref, None),
    (Lib::HeaplessVec, Builtin::HeaplessVecDeref, Some(Builtin::HeaplessVecDerefMut)),
    (Lib::HeaplessString, Builtin::HeaplessStringDeref, None),
    (Lib::PoolBox, Builtin::PoolBoxDeref, Some(Builtin::PoolBoxDerefMut)),
    (Lib::RefGuard, Builtin::RefGuardDeref, None),
    (Lib::RefMutGuard, Builtin::RefMutGuardDeref, Some(Builtin::RefMutGuardDerefMut)),
];

/// What changes the same place that a function only looks at.
fn mutable_twin(run: Builtin) -> Option<Builtin> {
    match run {
        Builtin::VecIndex => Some(Builtin::VecIndexMut),
        Builtin::SliceRange => Some(Builtin::SliceRangeMut),
        Builtin::SliceThrough => Some(Builtin::SliceThroughMut),
        Builtin::SliceFrom => Some(Builtin::SliceFromMut),
        _ => SMART.iter().find(|row| row.1 == run)?.2,
    }
}

impl Lower<'_> {
    /// A call of what is written as an operator.
    pub(super) fn library(
        &mut self,
        run: Builtin,
        types: Vec<Type>,
        args: Vec<Expr>,
        at: At,
    ) -> Expr {
        self.library_row(signature::of(run), types, args, at)
    }

    /// A call of the library whose parameters are known.
    pub(super) fn library_row(
        &mut self,
        parsed: &'static Parsed,
        types: Vec<Type>,
        args: Vec<Expr>,
        at: At,
    ) -> Expr {
        let ty = parsed.put(&parsed.signature.result, &types);
        Expr { kind: ExprKind::Library { row: parsed.row, types, args }, ty, at }
    }

    /// `&place` or `&mut place`.
    pub(super) fn borrow(&mut self, mut place: Place, borrow: BorrowKind, at: At) -> Expr {
        let mutability = match borrow {
            BorrowKind::Shared => Mutability::Shared,
            BorrowKind::Mut | BorrowKind::TwoPhase => Mutability::Mut,
        };
        if mutability == Mutability::Mut {
            make_mutable(&mut place);
        }
        let ty = Type::reference(mutability, place.ty.clone());
        Expr { kind: ExprKind::Borrow { borrow, place }, ty, at }
    }

    /// One step through a pointer, if the place holds one.
    pub(super) fn deref(&mut self, place: Place, at: At) -> std::result::Result<Place, Place> {
        let ty = self.shallow(&place.ty);
        match &ty {
            Type::Ref(_, to) => Ok(place.step(Step::Deref(Type::clone(to)))),
            Type::Lib(Lib::Box, args) => Ok(place.step(Step::Deref(args[0].clone()))),
            Type::Lib(lib, args) => {
                let Some(&(_, run, _)) = SMART.iter().find(|row| row.0 == *lib) else {
                    return Err(place);
                };
                let this = self.borrow(place, BorrowKind::Shared, at);
                let pointer = self.library(run, args.to_vec(), vec![this], at);
                let (_, to) = pointer.ty.referent().expect("a deref gives a reference");
                let to = to.clone();
                let place = Operand::Value(pointer).into_place();
                Ok(place.step(Step::Deref(to)))
            }
            _ => Err(place),
        }
    }

    /// An array seen as a slice.
    pub(super) fn unsized_array(
        &mut self,
        place: Place,
        at: At,
    ) -> std::result::Result<Place, Place> {
        let Some((element, _)) = self.names.infer.array_of(&place.ty) else { return Err(place) };
        let slice = Type::Slice(element);
        let borrow = self.borrow(place, BorrowKind::Shared, at);
        let ty = Type::reference(Mutability::Shared, slice.clone());
        let pointer = Expr { kind: ExprKind::Unsize(Box::new(borrow)), ty, at };
        Ok(Operand::Value(pointer).into_place().step(Step::Deref(slice)))
    }

    /// `place[index]`.
    pub(super) fn index(&mut self, base: Operand, index: &syn::ExprIndex) -> Result<Operand> {
        let at = self.at(index);
        let base_at = base.at();
        let first_ty = base.ty().clone();
        let mut place = base.into_place();
        if let Some(range) = self.range_of(&index.index)? {
            return self.index_range(place, &range, &first_ty, at);
        }
        loop {
            let ty = self.shallow(&place.ty);
            match &ty {
                Type::Array(element, _) | Type::Slice(element) => {
                    let element = Type::clone(element);
                    let index = self.index_value(&index.index, &ty)?;
                    let step = Step::Index(Box::new(index), element);
                    return Ok(Operand::Place(place.step(step), at));
                }
                Type::Lib(Lib::Vec, args) => {
                    let element = args[0].clone();
                    let slice = Type::Slice(Arc::new(element.clone()));
                    let this = self.borrow(place, BorrowKind::Shared, base_at);
                    let index = self.index_value(&index.index, &slice)?;
                    let types = args.to_vec();
                    let pointer = self.library(Builtin::VecIndex, types, vec![this, index], at);
                    let place = Operand::Value(pointer).into_place();
                    return Ok(Operand::Place(place.step(Step::Deref(element)), at));
                }
                Type::Str | Type::Lib(Lib::String | Lib::HeaplessString, _) => {
                    let by = self.expr(&index.index, None)?;
                    let by = self.type_name(&by.ty);
                    let kind = Kind::BadIndexType { of: "str".to_owned(), by };
                    return self.fault(kind, &index.index);
                }
                _ => {}
            }
            place = if let Ok(place) = self.deref(place, base_at) {
                place
            } else {
                let ty = self.type_name(&first_ty);
                return self.fault(Kind::NotIndexable { ty }, index);
            };
        }
    }

    fn index_value(&mut self, index: &syn::Expr, of: &Type) -> Result<Expr> {
        let value = self.expr(index, None)?;
        let ty = self.shallow(&value.ty);
        if let Some(Class::Any) = self.names.infer.class_of(&ty) {
            // Several types can stand here, so this says nothing of its.
            return Ok(value);
        }
        if self.names.infer.unify(&Type::USIZE, &ty).is_err() && ty != Type::Never {
            let (of, by) = (self.type_name(of), self.type_name(&ty));
            return self.fault(Kind::BadIndexType { of, by }, index);
        }
        Ok(value)
    }

    /// `place[a..b]`: a slice.
    fn index_range(
        &mut self,
        mut place: Place,
        range: &super::expr::Ends,
        first_ty: &Type,
        at: At,
    ) -> Result<Operand> {
        loop {
            let ty = self.shallow(&place.ty);
            let ([to, through, from], types) = match &ty {
                Type::Slice(element) => (
                    [Builtin::SliceRange, Builtin::SliceThrough, Builtin::SliceFrom],
                    vec![Type::clone(element)],
                ),
                Type::Str => {
                    ([Builtin::StrRange, Builtin::StrThrough, Builtin::StrFrom], Vec::new())
                }
                Type::Array(..) => {
                    place = self.unsized_array(place, at).unwrap_or_else(|place| place);
                    continue;
                }
                _ => {
                    let Ok(next) = self.deref(place, at) else {
                        let ty = self.type_name(first_ty);
                        return Err(super::Fault { kind: Kind::NotIndexable { ty }, at });
                    };
                    place = next;
                    continue;
                }
            };
            let zero = || Expr { kind: ExprKind::Constant(0), ty: Type::USIZE, at };
            let this = self.borrow(place, BorrowKind::Shared, at);
            let mut args = vec![this, range.start.clone().unwrap_or_else(zero)];
            args.extend(range.end.clone());
            let run = match (&range.end, range.is_inclusive) {
                (None, _) => from,
                (Some(_), false) => to,
                (Some(_), true) => through,
            };
            let pointer = self.library(run, types, args, at);
            return Ok(Operand::Place(
                Operand::Value(pointer).into_place().step(Step::Deref(ty)),
                at,
            ));
        }
    }

    /// Gives a temporary that a `let` borrows a home that lasts as long as the `let`'s scope.
    pub(super) fn hoist(&mut self, place: &mut Place) {
        let Root::Temporary(value) = &mut place.root else { return };
        match &mut value.kind {
            ExprKind::Library { row, args, .. } if is_path(row.run) => {
                self.hoist_referent(&mut args[0]);
            }
            // A reference that is followed needs no home of its own; what it refers to may.
            _ if matches!(place.steps.first(), Some(Step::Deref(_)))
                && matches!(self.names.infer.shallow(&value.ty), Type::Ref(..)) =>
            {
                self.hoist_referent(value);
            }
            _ => {
                let (ty, at) = (value.ty.clone(), value.at);
                let local = self.hidden_local("".into(), ty, true, at);
                let Root::Temporary(value) = std::mem::replace(&mut place.root, Root::Local(local))
                else {
                    unreachable!("it was a temporary above")
                };
                self.hoisted.push(Stmt::Let { local, init: Some(*value), at });
            }
        }
    }

    fn hoist_referent(&mut self, reference: &mut Expr) {
        match &mut reference.kind {
            ExprKind::Unsize(inner) => self.hoist_referent(inner),
            ExprKind::Borrow { place, .. } => self.hoist(place),
            _ => {}
        }
    }
}

/// A place is to be changed: what leads there through smart pointers, or through an array seen as a slice, borrows
/// mutably on the way.
pub(super) fn make_mutable(place: &mut Place) {
    let Root::Temporary(value) = &mut place.root else { return };
    let this = match &mut value.kind {
        ExprKind::Library { row, args, .. } => {
            let Some(twin) = mutable_twin(row.run) else { return };
            *row = signature::of(twin).row;
            &mut args[0]
        }
        ExprKind::Unsize(inner) => &mut **inner,
        _ => return,
    };
    for ty in [&mut value.ty, &mut this.ty] {
        if let Type::Ref(mutability, _) = ty {
            *mutability = Mutability::Mut;
        }
    }
    if let ExprKind::Borrow { borrow, place } = &mut this.kind {
        // Not a two-phase borrow: `v[v.len() - 1] = 1` is E0502.
        *borrow = BorrowKind::Mut;
        make_mutable(place);
    }
}

/// Whether a function of the library is written as a step of a path: `*rc`, `v[0]`.
fn is_path(run: Builtin) -> bool {
    use Builtin as B;
    let index = matches!(run, B::VecIndex | B::VecIndexMut);
    let range = matches!(run, B::SliceRange | B::SliceRangeMut | B::StrRange);
    let through = matches!(run, B::SliceThrough | B::SliceThroughMut | B::StrThrough);
    let from = matches!(run, B::SliceFrom | B::SliceFromMut | B::StrFrom);
    index || range || through || from || SMART.iter().any(|row| row.1 == run || row.2 == Some(run))
}
