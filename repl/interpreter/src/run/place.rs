//! Places in [`Code`](super::code): where they lie, what moves out of them, what is assigned to them.

use std::sync::Arc;

use super::code::{Loc, Op, Path, PathStep, SlotRef, Told};
use super::compile::{Compiler, Result, Spot, Want, is_operand, scalar};
use crate::library::Builtin;
use crate::typed::{BinaryOp, Expr, ExprKind, Place, Root, Step};
use crate::types::{Lib, Type};

impl Compiler<'_> {
    /// Finds a place: at a known spot, or its address becomes the newest operand.
    pub(super) fn place(&mut self, place: &Place) -> Result<Spot> {
        let mut steps = place.steps.iter();
        let (mut spot, mut ty) = match &place.root {
            Root::Local(local) => {
                (Spot::At(Loc::slot(self.slot_of(*local))), &self.locals[local.0 as usize].ty)
            }
            // A reference that is followed at once need not lie anywhere.
            Root::Temporary(value)
                if is_operand(&value.ty) && matches!(place.steps.first(), Some(Step::Deref(_))) =>
            {
                self.operand(value)?;
                (Spot::Operand, steps.next().expect("it was seen above").ty())
            }
            Root::Temporary(value) => {
                let slot = self.temporary(&value.ty)?;
                self.expr(value, Want::Into(Loc::slot(slot)))?;
                self.schedule(slot, &value.ty);
                (Spot::At(Loc::slot(slot)), &value.ty)
            }
        };
        for step in steps {
            spot = self.step(spot, ty, step)?;
            ty = step.ty();
        }
        Ok(spot)
    }

    pub(super) fn step(&mut self, spot: Spot, ty: &Type, step: &Step) -> Result<Spot> {
        match step {
            Step::Field(number, _) => {
                let offset = self.offset_of(ty, *number)?;
                Ok(match spot {
                    Spot::At(loc) => Spot::At(loc.plus(offset)),
                    Spot::Operand => {
                        self.emit(Op::Offset(offset));
                        spot
                    }
                })
            }
            Step::Deref(_) => {
                let size = self.pointer_bytes(ty)? as u8;
                match spot {
                    Spot::At(loc) => self.emit(Op::Load(loc, size)),
                    Spot::Operand => self.emit(Op::LoadAt(size)),
                };
                Ok(Spot::Operand)
            }
            Step::Index(index, element) => {
                let stride = self.size(element)?;
                if let (Spot::At(loc), Type::Array(_, len), ExprKind::Constant(index)) =
                    (spot, ty, &index.kind)
                    && *index < u128::from(*len)
                {
                    return Ok(Spot::At(loc.plus(*index as u64 * stride)));
                }
                if let Spot::At(loc) = spot {
                    self.emit(Op::Address(loc));
                }
                self.operands += 1;
                self.operand(index)?;
                self.operands -= 1;
                self.emit(match ty {
                    Type::Array(_, len) => Op::Element { stride, len: *len },
                    _ => Op::SliceElement { stride },
                });
                Ok(Spot::Operand)
            }
        }
    }

    pub(super) fn forget(&mut self, spot: Spot) {
        if matches!(spot, Spot::Operand) {
            self.emit(Op::Pop);
        }
    }

    /// The variable and the part of it that a place names, if that part can be moved out alone.
    pub(super) fn own_part(&self, place: &Place) -> Option<(SlotRef, Path)> {
        let Root::Local(local) = &place.root else { return None };
        let mut ty = &self.locals[local.0 as usize].ty;
        let mut path = Vec::new();
        for step in &place.steps {
            path.push(match step {
                Step::Field(number, _) => PathStep::Field(*number),
                Step::Deref(_) if ty.is_lib(Lib::Box) => PathStep::Deref,
                _ => return None,
            });
            ty = step.ty();
        }
        Some((self.slot_of(*local), path.into()))
    }

    /// `place = value`. Gives where the place is, if that is known.
    pub(super) fn assign(&mut self, place: &Place, value: &Expr) -> Result<Option<Loc>> {
        let own = self.own_part(place);
        let is_void = place.ty.is_unit() || place.ty == Type::Never;
        if is_operand(&place.ty) || is_void {
            let size = self.size(&place.ty)? as u8;
            self.expr(value, if is_void { Want::Nothing } else { Want::Operand })?;
            self.operands += 1;
            let spot = self.place(place)?;
            self.operands -= 1;
            match spot {
                Spot::At(_) | Spot::Operand if is_void => self.forget(spot),
                Spot::At(loc) => {
                    self.emit(Op::Store(loc, size));
                }
                Spot::Operand => {
                    self.emit(Op::StoreAt(size));
                }
            }
            if let Some((slot, path)) = own {
                self.emit(Op::Revived(slot, path));
            }
            return Ok(spot.known());
        }

        let size = self.size(&place.ty)?;
        let from = self.temporary(&place.ty)?;
        self.expr(value, Want::Into(Loc::slot(from)))?;
        self.schedule(from, &place.ty);
        let needs_drop = self.needs_drop(&place.ty);
        if needs_drop && let Some((slot, path)) = &own {
            self.emit(Op::DropPart(*slot, Arc::clone(path)));
        }
        let spot = self.place(place)?;
        if let Spot::At(loc) = spot {
            self.emit(Op::Address(loc));
        }
        if needs_drop && own.is_none() {
            let layout = self.layout(&place.ty)?;
            self.emit(Op::DropAt(layout));
        }
        self.emit(Op::CopyFrom(Loc::slot(from), size));
        self.emit(Op::Moved(from, Path::from([])));
        if let Some((slot, path)) = own {
            self.emit(Op::Revived(slot, path));
        }
        Ok(spot.known())
    }

    pub(super) fn assign_op(
        &mut self,
        op: BinaryOp,
        place: &Place,
        value: &Expr,
    ) -> Result<Option<Loc>> {
        let (scalar, rhs) = (scalar(&place.ty), scalar(&value.ty));
        self.operand(value)?;
        self.operands += 1;
        let spot = self.place(place)?;
        self.operands -= 1;
        self.emit(match spot {
            Spot::At(to) => Op::Update { to, op, scalar, rhs },
            Spot::Operand => Op::UpdateAt { op, scalar, rhs },
        });
        Ok(spot.known())
    }

    pub(super) fn tell_assigned(&mut self, place: &Place, loc: Option<Loc>) -> Result {
        let layout = self.layout(&place.ty)?;
        let name = self.place_text(place).into();
        self.emit(Op::Assigned(loc, Box::new(Told { name, layout })));
        Ok(())
    }

    /// A place as the program calls it; an index that is more than a name or a number is left out.
    pub(super) fn place_text(&self, place: &Place) -> String {
        let mut text = match &place.root {
            Root::Local(local) => self.locals[local.0 as usize].name.to_string(),
            Root::Temporary(value) => self.expr_text(value),
        };
        let mut ty = match &place.root {
            Root::Local(local) => &self.locals[local.0 as usize].ty,
            Root::Temporary(value) => &value.ty,
        };
        for (index, step) in place.steps.iter().enumerate() {
            match step {
                Step::Field(number, _) => {
                    let name = match ty {
                        Type::Struct(id, _) => {
                            let of = self.items.structs.get(*id);
                            of.fields[*number as usize].name.to_string()
                        }
                        _ => number.to_string(),
                    };
                    text = format!("{text}.{name}");
                }
                Step::Index(of, _) => text = format!("{text}[{}]", self.expr_text(of)),
                // `r.x` and `v[0]` need no star, and what an index or guard gave was not written as a reference.
                Step::Deref(_) => {
                    let is_last = index + 1 == place.steps.len();
                    if is_last && !(index == 0 && matches!(place.root, Root::Temporary(_))) {
                        text = format!("*{text}");
                    }
                }
            }
            ty = step.ty();
        }
        text
    }

    pub(super) fn expr_text(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Constant(bits) => bits.to_string(),
            ExprKind::Read(place) | ExprKind::Borrow { place, .. } => self.place_text(place),
            ExprKind::Unsize(inner) => self.expr_text(inner),
            ExprKind::Library { row, args, .. } => match row.run {
                Builtin::VecIndex | Builtin::VecIndexMut => {
                    format!("{}[{}]", self.expr_text(&args[0]), self.expr_text(&args[1]))
                }
                Builtin::RefGuardDeref
                | Builtin::RefMutGuardDeref
                | Builtin::RefMutGuardDerefMut => {
                    format!("*{}", self.expr_text(&args[0]))
                }
                Builtin::VecDeref | Builtin::VecDerefMut => self.expr_text(&args[0]),
                _ => "…".to_owned(),
            },
            _ => "…".to_owned(),
        }
    }
}
