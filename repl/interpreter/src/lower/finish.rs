//! The end of a line: literals that nothing decided get their types, and every type is written out.

use stack::Scalar;

use super::{Fault, Kind, Lower, Result, traits};
use crate::deep::deep;
use crate::typed::{Block, Expr, ExprKind, Function, Place, Root, Step, Stmt, Top, UnaryOp};
use crate::types::{Lib, Type};

impl Lower<'_> {
    /// Settles what a line left open.
    pub(super) fn finish(&mut self, tops: &mut [Top], first_local: usize) -> Result<()> {
        self.finish_bounds()?;
        for index in first_local..self.body.locals.len() {
            let ty = self.body.locals[index].ty.clone();
            let ty = self.names.infer.settle(&ty);
            let local = &mut self.body.locals[index];
            local.ty = ty;
            if !size_is_known(&local.ty) {
                return Err(Fault { kind: unknown(&local.ty, &local.name), at: local.at });
            }
        }
        // A collection declared earlier may have got its type on this line.
        for index in 0..first_local {
            if self.body.locals[index].ty.any(&mut |ty| matches!(ty, Type::Var(_))) {
                let ty = self.body.locals[index].ty.clone();
                self.body.locals[index].ty = self.names.infer.settle(&ty);
            }
        }
        for top in tops {
            match top {
                Top::Stmt(stmt) => self.finish_stmt(stmt)?,
                Top::Show(value) => self.finish_expr(value)?,
                Top::Open(_) | Top::Close(_) | Top::Pop(..) => {}
            }
        }
        Ok(())
    }

    /// The same for a function's body.
    pub(super) fn finish_function(&mut self, function: &mut Function) -> Result<()> {
        self.finish_bounds()?;
        for local in &mut function.locals {
            local.ty = self.names.infer.settle(&local.ty);
            if local.ty.any(&mut |ty| matches!(ty, Type::Var(_))) {
                return Err(Fault { kind: unknown(&local.ty, &local.name), at: local.at });
            }
        }
        self.finish_block(&mut function.body)
    }

    pub(super) fn finish_bounds(&mut self) -> Result<()> {
        for literal in std::mem::take(&mut self.literals) {
            let ty = self.names.infer.settle(&literal.ty);
            let Type::Scalar(scalar) = ty else { continue };
            if !scalar.is_integer() {
                continue;
            }
            let bits = scalar.size_bytes() * 8;
            let most = u128::MAX >> (128 - bits + u32::from(scalar.is_signed()));
            let most = most + u128::from(literal.is_negated && scalar.is_signed());
            if literal.value > most {
                let sign = if literal.is_negated { "-" } else { "" };
                let (literal_text, ty) =
                    (format!("{sign}{}", literal.value), scalar.name().to_owned());
                let kind = Kind::LiteralOutOfRange { literal: literal_text, ty };
                return Err(Fault { kind, at: literal.at });
            }
        }
        for (ty, bound, at, why) in std::mem::take(&mut self.bounds) {
            let settled = self.names.infer.settle(&ty);
            let needs = match (bound, &settled) {
                ("FromStr", Type::Var(_)) => Some(Kind::NeedsParsed),
                ("Default", Type::Var(_)) => Some(Kind::NeedsDefault),
                _ => None,
            };
            if let Some(kind) = needs {
                return Err(Fault { kind, at });
            }
            if !traits::has(&settled, bound, &self.names.infer, &self.items.structs) {
                if let ("Owned", Type::Tuple(pair)) = (bound, &settled) {
                    let (borrowed, found) = (pair[0].to_string(), pair[1].to_string());
                    return Err(Fault { kind: Kind::NotOwned { borrowed, found }, at });
                }
                if let ("FromStr", Type::Scalar(_) | Type::Lib(Lib::String, _)) = (bound, &settled)
                {
                    let what = format!("parse::<{settled}>");
                    let instead = "Text can be parsed as an integer: \"5\".parse::<u32>()";
                    return Err(Fault { kind: Kind::Unsupported { what, instead }, at });
                }
                let is_struct = matches!(settled, Type::Struct(..));
                let ty = settled.to_string();
                if bound == "capacity" {
                    return Err(Fault { kind: Kind::BadCapacity { ty }, at });
                }
                return Err(Fault { kind: Kind::MissingTrait { ty, is_struct, bound, why }, at });
            }
        }
        Ok(())
    }

    fn finish_block(&mut self, block: &mut Block) -> Result<()> {
        block.stmts.iter_mut().try_for_each(|stmt| self.finish_stmt(stmt))?;
        block.tail.iter_mut().try_for_each(|tail| self.finish_expr(tail))
    }

    fn finish_stmt(&mut self, stmt: &mut Stmt) -> Result<()> {
        match stmt {
            Stmt::Let { init, .. } => init.iter_mut().try_for_each(|init| self.finish_expr(init)),
            Stmt::Expr(value) => self.finish_expr(value),
            Stmt::Mention(place, _) => self.finish_place(place),
            Stmt::Pattern { init, parts, .. } => {
                self.finish_expr(init)?;
                parts.iter_mut().try_for_each(|(_, part)| self.finish_expr(part))
            }
        }
    }

    fn finish_place(&mut self, place: &mut Place) -> Result<()> {
        place.ty = self.names.infer.settle(&place.ty);
        if let Root::Temporary(value) = &mut place.root {
            self.finish_expr(value)?;
        }
        for step in &mut place.steps {
            match step {
                Step::Field(_, ty) | Step::Deref(ty) => *ty = self.names.infer.settle(ty),
                Step::Index(index, ty) => {
                    *ty = self.names.infer.settle(ty);
                    self.finish_expr(index)?;
                }
            }
        }
        Ok(())
    }

    fn finish_exprs(&mut self, exprs: &mut [Expr]) -> Result<()> {
        exprs.iter_mut().try_for_each(|expr| self.finish_expr(expr))
    }

    fn finish_expr(&mut self, expr: &mut Expr) -> Result<()> {
        deep(|| self.finish_one(expr))
    }

    fn finish_one(&mut self, expr: &mut Expr) -> Result<()> {
        expr.ty = self.names.infer.settle(&expr.ty);
        if !size_is_known(&expr.ty) {
            return Err(Fault { kind: unknown(&expr.ty, "this value"), at: expr.at });
        }
        match &mut expr.kind {
            ExprKind::Constant(bits) => {
                if let Type::Scalar(scalar) = expr.ty {
                    *bits = match scalar {
                        Scalar::F64 => *bits & u128::from(u64::MAX),
                        Scalar::F32 => *bits >> 64,
                        _ => *bits,
                    };
                }
            }
            ExprKind::Text { .. } | ExprKind::Heap(_) | ExprKind::Continue(_) => {}
            ExprKind::Read(place) | ExprKind::Borrow { place, .. } => self.finish_place(place)?,
            ExprKind::Aggregate(items) => {
                items.iter_mut().try_for_each(|(_, item)| self.finish_expr(item))?;
            }
            ExprKind::Unary(op, inner) => {
                self.finish_expr(inner)?;
                if let (UnaryOp::Neg, ExprKind::Constant(bits), Type::Scalar(scalar)) =
                    (*op, &inner.kind, &inner.ty)
                    && scalar.is_integer()
                {
                    let all = u128::MAX >> (128 - scalar.size_bytes() * 8);
                    expr.kind = ExprKind::Constant(bits.wrapping_neg() & all);
                }
            }
            ExprKind::Repeat(inner, _) | ExprKind::Cast(inner) | ExprKind::Unsize(inner) => {
                self.finish_expr(inner)?;
            }
            ExprKind::Variant(_, inner) | ExprKind::Break(_, inner) | ExprKind::Return(inner) => {
                inner.iter_mut().try_for_each(|inner| self.finish_expr(inner))?;
            }
            ExprKind::Binary(_, a, b)
            | ExprKind::Compare(_, a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b) => {
                self.finish_expr(a)?;
                self.finish_expr(b)?;
            }
            ExprKind::Assign(place, value) | ExprKind::AssignOp(_, place, value) => {
                self.finish_place(place)?;
                self.finish_expr(value)?;
            }
            ExprKind::Block(block) | ExprKind::Loop(_, block) => self.finish_block(block)?,
            ExprKind::If(condition, then, other) => {
                self.finish_expr(condition)?;
                self.finish_expr(then)?;
                other.iter_mut().try_for_each(|other| self.finish_expr(other))?;
            }
            ExprKind::ForRange { start, end, body, .. } => {
                self.finish_expr(start)?;
                self.finish_expr(end)?;
                self.finish_block(body)?;
            }
            ExprKind::ForEach { slice, body, .. } => {
                self.finish_expr(slice)?;
                self.finish_block(body)?;
            }
            ExprKind::Call(_, args) | ExprKind::CallDyn { args, .. } => self.finish_exprs(args)?,
            ExprKind::Library { types, args, .. } => {
                for ty in types {
                    *ty = self.names.infer.settle(ty);
                }
                self.finish_exprs(args)?;
            }
            ExprKind::Print(format)
            | ExprKind::Formatted(format)
            | ExprKind::FormattedBytes(format)
            | ExprKind::Panic(format) => {
                self.finish_exprs(&mut format.args)?;
            }
        }
        Ok(())
    }
}

/// What is not known of the type of something.
fn unknown(ty: &Type, what: &str) -> Kind {
    if ty.is_lib(Lib::Cow) {
        return Kind::NeedsCow;
    }
    let what = what.to_owned();
    let mut missing = None;
    ty.any(&mut |ty| {
        if let Type::Lib(lib, args) = ty {
            for (param, arg) in lib.row().params.iter().zip(args.iter()) {
                let name = param.strip_prefix("const ").unwrap_or(param);
                if matches!(arg, Type::Var(_)) && name != "T" && lib.is_heapless() {
                    missing = name.split([':', ' ']).next();
                }
            }
        }
        false
    });
    match missing {
        Some(param) => Kind::NeedsArgument { what, param },
        None => Kind::NeedsType { what },
    }
}

/// Whether a value's size is known, though an element's behind a pointer may not be: an empty collection's is found at its
/// first use.
fn size_is_known(ty: &Type) -> bool {
    match ty {
        Type::Var(_) => false,
        Type::Tuple(items) => items.iter().all(size_is_known),
        Type::Array(inner, _) => size_is_known(inner),
        Type::Lib(Lib::Vec | Lib::Rc | Lib::Weak | Lib::Arc | Lib::ArcWeak, _) => true,
        Type::Lib(_, args) => args.iter().all(size_is_known),
        Type::Ref(_, to) => !matches!(**to, Type::Var(_)),
        _ => true,
    }
}
