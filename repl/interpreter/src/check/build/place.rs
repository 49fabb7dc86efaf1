//! Places: what leads to them, how they are borrowed, and what may not be done to them.

use std::sync::Arc;

use crate::references::slot_count;
use crate::typed::{self, At, BinaryOp, BorrowKind, Expr, ExprKind, Lifetime, Place, Root};
use crate::types::{Lib, Mutability, Type};

use super::super::fault::{MovedFrom, NotMutable, Wrong};
use super::super::graph::{Act, Borrow, Loan, LoanId, PathId, RegionId, Step, VariableId};
use super::Build;

/// A place, found.
pub(super) struct Found {
    pub(super) path: PathId,
    /// The regions of what lies there.
    pub(super) regions: Vec<RegionId>,
    /// The references gone through, the first one first.
    pub(super) through: Vec<(RegionId, Mutability)>,
    /// Why it cannot be moved out of, if so.
    pub(super) stuck: Option<MovedFrom>,
    /// The reference that does not allow to write, if one is gone through.
    pub(super) read_only: Option<PathId>,
}

impl Build<'_> {
    pub(super) fn place(&mut self, place: &Place, at: At) -> Found {
        let (variable, mut ty) = match &place.root {
            Root::Local(id) => {
                let variable = self.variable_of(*id);
                (variable, &self.locals[id.0 as usize].ty)
            }
            Root::Temporary(value) => {
                let variable = self.temporary(&value.ty, value.at);
                let has_regions = self.built.graph.variable(variable).region_count > 0;
                let loans = self.built.graph.loans.len();
                self.value(value, has_regions.then_some(variable));
                if let ExprKind::Library { .. } = value.kind
                    && let Some(loan) = self.built.graph.loans.get(loans)
                {
                    self.built.graph.variables[variable.index()].stands_for = Some(loan.path);
                }
                self.live(variable);
                (variable, &value.ty)
            }
        };
        let mut found = Found {
            path: self.built.graph.variable(variable).path,
            regions: self.regions_of(variable),
            through: Vec::new(),
            stuck: None,
            read_only: None,
        };
        for typed in &place.steps {
            let step = match (typed, ty) {
                (typed::Step::Deref(to), Type::Ref(mutability, _)) => {
                    found.through.push((found.regions.remove(0), *mutability));
                    found.stuck.get_or_insert(match to {
                        Type::Array(..) | Type::Slice(_) => MovedFrom::Element,
                        _ => MovedFrom::Reference,
                    });
                    if *mutability == Mutability::Shared {
                        found.read_only.get_or_insert(found.path);
                        Step::DerefShared
                    } else {
                        Step::DerefMut
                    }
                }
                (typed::Step::Deref(_), _) => Step::DerefBox,
                (typed::Step::Field(number, to), _) => {
                    found.regions = self.field_regions(ty, &found.regions, *number, to);
                    let (name, is_of_drop) = match ty {
                        Type::Struct(id, _) => {
                            let of = self.items.structs.get(*id);
                            (Arc::clone(&of.fields[*number as usize].name), of.drop.is_some())
                        }
                        _ => (Arc::from(number.to_string()), false),
                    };
                    if is_of_drop {
                        found
                            .stuck
                            .get_or_insert_with(|| MovedFrom::FieldOfDrop { ty: ty.to_string() });
                    }
                    Step::Field { number: *number, name, is_of_drop }
                }
                (typed::Step::Index(index, _), _) => {
                    self.value(index, None);
                    self.may_panic(at);
                    found.stuck.get_or_insert(MovedFrom::Element);
                    Step::Index
                }
            };
            found.path = self.built.graph.longer(found.path, step);
            ty = typed.ty();
        }
        found
    }

    /// Which of the regions of a value are those of a field.
    pub(super) fn field_regions(
        &self,
        of: &Type,
        regions: &[RegionId],
        number: u32,
        field: &Type,
    ) -> Vec<RegionId> {
        let structs = &self.items.structs;
        let before = match of {
            Type::Tuple(items) | Type::Lib(Lib::Result, items) => {
                items[..number as usize].iter().map(|item| slot_count(structs, item)).sum()
            }
            Type::Struct(id, _) => {
                let lifetimes = &structs.get(*id).fields[number as usize].lifetimes;
                let region = |lifetime: &Lifetime| match lifetime {
                    Lifetime::Named(number) => regions[usize::from(*number)],
                    Lifetime::Static | Lifetime::Elided(_) => self.built.fixed,
                };
                return lifetimes.iter().map(region).collect();
            }
            // Before what is in the elements stands the reference that the other variant is.
            Type::Lib(Lib::Cow, _) => number as usize,
            _ => 0,
        };
        regions[before..before + slot_count(structs, field)].to_vec()
    }

    /// Refuses to write where nothing may be written. Variables assigned to as a whole are another matter: see
    /// `moves`.
    pub(super) fn assigned(&mut self, found: &Found, at: At) {
        if self.built.graph.path(found.path).last.is_some()
            && let Some(why) = self.not_mutable(found)
        {
            let place = self.built.graph.name(found.path);
            self.refuse(at, Wrong::Written { place, why });
        }
    }

    pub(super) fn not_mutable(&self, found: &Found) -> Option<NotMutable> {
        if let Some(path) = found.read_only {
            return Some(NotMutable::Reference { place: self.built.graph.name(path) });
        }
        let root = self.built.graph.root(found.path);
        let is_through = found.through.iter().any(|(_, kind)| *kind == Mutability::Mut);
        if is_through || root.is_mutable {
            return None;
        }
        let name = Arc::clone(root.name.as_ref()?);
        Some(NotMutable::Variable { name, at: root.at })
    }

    pub(super) fn stuck(&mut self, path: PathId, from: MovedFrom, at: At) {
        let place = self.built.graph.name(path);
        self.refuse(at, Wrong::MovedOut { place, from });
    }

    pub(super) fn borrow(
        &mut self,
        kind: BorrowKind,
        place: &Place,
        into: Option<VariableId>,
        at: At,
    ) -> Option<LoanId> {
        let is_constant = match &place.root {
            Root::Temporary(value) => {
                is_constant(value) && (kind == BorrowKind::Shared || is_empty(&place.ty))
            }
            Root::Local(local) => {
                let variable = self.variable_of(*local);
                self.built.graph.variable(variable).is_constant && kind == BorrowKind::Shared
            }
        };
        let found = self.place(place, at);
        let borrow = match kind {
            BorrowKind::Shared => Borrow::Shared,
            BorrowKind::Mut => Borrow::Mut,
            BorrowKind::TwoPhase => Borrow::TwoPhase,
        };
        if borrow != Borrow::Shared
            && let Some(why) = self.not_mutable(&found)
        {
            let place = self.built.graph.name(found.path);
            self.refuse(at, Wrong::BorrowedToWrite { place, why });
        }
        let Some(into) = into else {
            self.add(Act::Borrow(found.path, borrow, None), at);
            return None;
        };
        let to = self.regions_of(into);
        let region = to[0];
        // Who borrows through a reference keeps what that one borrowed, up to the first that anybody may copy.
        for (through, mutability) in found.through.iter().rev() {
            self.built.graph.regions.flow(*through, region, at);
            if *mutability == Mutability::Shared {
                break;
            }
        }
        self.flow(&found.regions, &to[1..], &place.ty, at);
        if borrow != Borrow::Shared {
            for (from, to) in found.regions.iter().zip(&to[1..]) {
                self.built.graph.regions.flow(*to, *from, at);
            }
        }
        let is_new = !is_constant
            && found.through.iter().all(|(_, mutability)| *mutability == Mutability::Mut);
        if !is_new {
            self.add(Act::Borrow(found.path, borrow, None), at);
            return None;
        }
        let loan = LoanId::new(self.built.graph.loans.len());
        let node = self.add(Act::Borrow(found.path, borrow, Some(loan)), at);
        self.built.graph.loans.push(Loan {
            path: found.path,
            borrow,
            region,
            node,
            active_from: None,
        });
        let variable = self.built.graph.path(found.path).variable;
        self.built.graph.variables[variable.index()].is_borrowed = true;
        (borrow == Borrow::TwoPhase).then_some(loan)
    }
}

/// Whether `&mut` of it is a constant too: nothing can be written through it.
fn is_empty(ty: &Type) -> bool {
    matches!(ty, Type::Array(_, 0))
}

/// Whether a `&` of the value is a constant that lives as long as the program: rustc's promotion.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Constant(_) | ExprKind::Text { .. } => true,
        ExprKind::Unary(_, inner) | ExprKind::Cast(inner) | ExprKind::Unsize(inner) => {
            is_constant(inner)
        }
        ExprKind::Repeat(item, _) => is_constant(item),
        ExprKind::Variant(_, item) => item.as_deref().is_none_or(is_constant),
        ExprKind::Binary(BinaryOp::Div | BinaryOp::Rem, left, right) => {
            is_constant(left) && matches!(right.kind, ExprKind::Constant(1..))
        }
        ExprKind::Binary(_, left, right) => is_constant(left) && is_constant(right),
        ExprKind::Aggregate(items) => items.iter().all(|(_, item)| is_constant(item)),
        ExprKind::Read(place) | ExprKind::Borrow { borrow: BorrowKind::Shared, place } => {
            is_constant_place(place)
        }
        _ => false,
    }
}

fn is_constant_place(place: &Place) -> bool {
    let Root::Temporary(value) = &place.root else { return false };
    is_constant(value)
        && place.steps.iter().all(|step| match step {
            typed::Step::Field(..) => true,
            typed::Step::Index(index, _) => is_constant(index),
            typed::Step::Deref(_) => false,
        })
}
