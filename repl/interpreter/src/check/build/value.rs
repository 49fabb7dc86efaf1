//! Statements and values: what each does, one point after the other.

use std::borrow::Cow;

use crate::deep::deep;
use crate::references::slots;
use crate::typed::{
    At, Block, BorrowKind, Expr, ExprKind, Format, LocalId, LoopId, Place, Signature, Stmt,
};
use crate::types::{Lib, Type};

use super::super::graph::{Act, LoanId, RegionId, VariableId};
use super::super::signature::Call;
use super::place::is_constant;
use super::{Build, Loop};

impl Build<'_> {
    // Statements.

    pub(super) fn block(&mut self, block: &Block, into: Option<VariableId>) {
        self.scope(block.end, |it| {
            for stmt in &block.stmts {
                it.stmt(stmt);
            }
            if let Some(tail) = &block.tail {
                it.scope(tail.at, |it| it.value(tail, into));
            }
        });
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let { local, init: Some(init), at } => {
                let variable = self.declare(*local);
                self.scope(*at, |it| it.bound(variable, init, *at));
                let is_hidden = self.built.graph.variable(variable).name.is_none();
                let of = &mut self.built.graph.variables[variable.index()];
                of.is_constant = is_hidden && is_constant(init);
                self.live(variable);
            }
            Stmt::Let { local, init: None, at } => {
                let variable = self.declare(*local);
                let path = self.built.graph.variable(variable).path;
                self.built.graph.mark(path);
                let ever = self.built.graph.marks;
                let of = &mut self.built.graph.variables[variable.index()];
                of.is_set = false;
                if !of.is_mutable {
                    of.ever_mark = Some(ever);
                    self.built.graph.marks += 1;
                }
                self.add(Act::Declare(variable), *at);
                self.live(variable);
            }
            Stmt::Expr(expr) => self.expr_stmt(expr),
            Stmt::Pattern { whole, init, parts, at } => {
                let variables: Vec<_> =
                    parts.iter().map(|(local, _)| self.declare(*local)).collect();
                self.scope(*at, |it| {
                    let whole = it.declare(*whole);
                    it.bound(whole, init, *at);
                    it.live(whole);
                    for (variable, (_, part)) in variables.iter().zip(parts) {
                        it.bound(*variable, part, *at);
                    }
                });
                for variable in variables {
                    self.live(variable);
                }
            }
            // rustc allows it of a place that was moved out of, or borrowed.
            Stmt::Mention(place, at) => self.scope(*at, |it| {
                it.place(place, *at);
            }),
        }
    }

    /// A variable gets its first value.
    fn bound(&mut self, variable: VariableId, value: &Expr, at: At) {
        let has_regions = self.built.graph.variable(variable).region_count > 0;
        self.value(value, has_regions.then_some(variable));
        if has_regions {
            // rustc looks at what a `let` bound, so a reference must be good when it is bound.
            let path = self.built.graph.variable(variable).path;
            self.add(Act::Copy(path), at);
        }
    }

    pub(super) fn expr_stmt(&mut self, expr: &Expr) {
        self.scope(expr.at, |it| match it.held(&expr.ty, expr.at) {
            Some(value) if it.built.graph.variable(value).looks_when_dropped => {
                it.value(expr, Some(value));
                it.live(value);
            }
            _ => it.value(expr, None),
        });
    }

    // Values.

    /// Evaluates an operand that is used a little later; what holds its references meanwhile.
    pub(super) fn operand(&mut self, expr: &Expr) -> Option<VariableId> {
        let held = self.held(&expr.ty, expr.at);
        self.value(expr, held);
        held
    }

    /// Evaluates operands from left to right, and makes a value of them.
    pub(super) fn operands<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        into: Option<VariableId>,
        at: At,
    ) -> Vec<Option<VariableId>> {
        let held: Vec<_> = exprs.into_iter().map(|expr| self.operand(expr)).collect();
        self.make(&held, into, at);
        held
    }

    /// Makes a value of operands. Each is held until the new value holds what it borrowed.
    pub(super) fn make(&mut self, held: &[Option<VariableId>], into: Option<VariableId>, at: At) {
        self.define(into, at);
        for variable in held.iter().flatten() {
            self.add(Act::Use(*variable), at);
        }
    }

    pub(super) fn define(&mut self, into: Option<VariableId>, at: At) {
        if let Some(into) = into {
            self.add(Act::Define(into), at);
        }
    }

    /// References flow from one value to another of the same type.
    pub(super) fn flow(&mut self, from: &[RegionId], to: &[RegionId], ty: &Type, at: At) {
        if from.is_empty() || to.is_empty() {
            return;
        }
        let slots = slots(&self.items.structs, ty);
        if (from.len(), to.len()) != (slots.len(), slots.len()) {
            // A collection whose elements were not known when this line was read, but are now.
            for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
                self.built.graph.regions.guess(*from, *to, at);
                self.built.graph.regions.guess(*to, *from, at);
            }
            return;
        }
        for (slot, (from, to)) in slots.iter().zip(from.iter().zip(to)) {
            self.built.graph.regions.flow(*from, *to, at);
            if slot.is_invariant {
                self.built.graph.regions.flow(*to, *from, at);
            }
        }
    }

    pub(super) fn regions_of(&self, variable: VariableId) -> Vec<RegionId> {
        self.built.graph.variable(variable).regions().collect()
    }

    pub(super) fn regions_into(&self, into: Option<VariableId>) -> Vec<RegionId> {
        into.map_or_else(Vec::new, |into| self.regions_of(into))
    }

    /// Evaluates an expression; references in its value flow into the regions of `into`, which is set by it.
    pub(super) fn value(&mut self, expr: &Expr, into: Option<VariableId>) {
        deep(|| self.one_value(expr, into));
    }

    fn one_value(&mut self, expr: &Expr, into: Option<VariableId>) {
        let at = expr.at;
        match &expr.kind {
            ExprKind::Constant(_) | ExprKind::Text { .. } | ExprKind::Heap(_) => {
                self.define(into, at);
            }
            ExprKind::Read(place) => {
                let found = self.place(place, at);
                if place.ty.is_copy(&self.items.structs) {
                    self.add(Act::Copy(found.path), at);
                } else {
                    if let Some(stuck) = found.stuck {
                        self.stuck(found.path, stuck, at);
                    } else {
                        self.built.graph.mark(found.path);
                    }
                    self.add(Act::Move(found.path), at);
                }
                if into.is_some() {
                    let to = self.regions_into(into);
                    self.flow(&found.regions, &to, &place.ty, at);
                    self.define(into, at);
                }
            }
            ExprKind::Borrow { borrow, place } => {
                let loan = self.borrow(*borrow, place, into, at);
                self.define(into, at);
                if let Some(loan) = loan {
                    // Nobody waits to activate it.
                    self.activate(loan, at);
                }
            }
            ExprKind::Aggregate(items) => {
                // A field may have to last for ever, whoever the value is for.
                let is_struct = matches!(expr.ty, Type::Struct(..));
                let into = into.or_else(|| self.held(&expr.ty, at));
                let held = self.operands(items.iter().map(|(_, item)| item), into, at);
                if into.is_some() || is_struct {
                    let to = self.regions_into(into);
                    for ((number, item), held) in items.iter().zip(held) {
                        let Some(held) = held else { continue };
                        let from = self.regions_of(held);
                        let to = self.field_regions(&expr.ty, &to, *number, &item.ty);
                        self.flow(&from, &to, &item.ty, at);
                    }
                }
            }
            ExprKind::Variant(number, item) => {
                let item = item.as_deref();
                let held = self.operands(item, into, at);
                if into.is_some() {
                    let to = self.regions_into(into);
                    if let (Some(item), [Some(held)]) = (item, held.as_slice()) {
                        let from = self.regions_of(*held);
                        let to = self.field_regions(&expr.ty, &to, *number, &item.ty);
                        self.flow(&from, &to, &item.ty, at);
                    }
                }
            }
            ExprKind::Unsize(item) if holds_dyn(&expr.ty) => self.object(item, &expr.ty, into, at),
            ExprKind::Repeat(item, _) | ExprKind::Unsize(item) => self.value(item, into),
            ExprKind::Binary(_, left, right) => {
                self.value(left, None);
                self.value(right, None);
                self.may_panic(at);
            }
            ExprKind::Unary(_, inner) => {
                self.value(inner, None);
                self.may_panic(at);
            }
            ExprKind::Cast(inner) => self.value(inner, None),
            ExprKind::Compare(_, left, right) => {
                self.operands([&**left, &**right], None, at);
            }
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                let end = self.label();
                self.scope(left.at, |it| it.value(left, None));
                self.go(end, true, at);
                self.scope(right.at, |it| it.value(right, None));
                self.bind(end, at);
            }
            ExprKind::Assign(place, value) => self.assign(place, value, at),
            ExprKind::AssignOp(_, place, value) => {
                self.value(value, None);
                let found = self.place(place, at);
                self.add(Act::Copy(found.path), at);
                self.may_panic(at);
                self.assigned(&found, at);
                self.add(Act::Assign(found.path), at);
            }
            ExprKind::Block(block) => self.block(block, into),
            ExprKind::If(condition, then, otherwise) => {
                let other = self.label();
                let end = self.label();
                self.scope(condition.at, |it| it.value(condition, None));
                self.go(other, true, at);
                self.scope(then.at, |it| it.value(then, into));
                self.go(end, false, at);
                self.bind(other, at);
                if let Some(otherwise) = otherwise {
                    self.scope(otherwise.at, |it| it.value(otherwise, into));
                }
                self.bind(end, at);
            }
            ExprKind::Loop(id, body) => {
                self.looped(*id, into, at, |it| it.block(body, None));
            }
            ExprKind::ForRange { id, local, start, end, body, .. } => {
                self.value(start, None);
                self.value(end, None);
                self.looped(*id, None, at, |it| it.turn(*local, body, at, |_, _| {}));
            }
            ExprKind::ForEach { id, local, slice, body } => {
                let list = self.operand(slice);
                if let Some(list) = list {
                    self.live(list);
                }
                self.looped(*id, None, at, |it| {
                    it.turn(*local, body, at, |it, element| {
                        if let Some(list) = list {
                            it.make(&[Some(list)], Some(element), slice.at);
                            it.elements(list, &slice.ty, element, slice.at);
                        }
                    });
                });
            }
            ExprKind::Break(id, value) => {
                let of = self.loop_of(*id);
                let (end, into, outside) = (of.end, of.into, of.outside);
                if let Some(value) = value {
                    self.scope(value.at, |it| it.value(value, into));
                }
                self.leave(outside, at);
                self.go(end, false, at);
            }
            ExprKind::Continue(id) => {
                let of = self.loop_of(*id);
                let (head, outside) = (of.head, of.outside);
                self.leave(outside, at);
                self.go(head, false, at);
            }
            ExprKind::Return(value) => {
                if let Some(value) = value {
                    let into = self.returned(value.at);
                    self.value(value, into);
                }
                self.leave(0, at);
                self.stop(at);
            }
            ExprKind::Call(function, args) => {
                let items = self.items;
                let signature = &items.function(*function).signature;
                self.call(args, into, at, || Cow::Borrowed(signature));
                if signature.result == Type::Never {
                    self.panic(at);
                }
            }
            ExprKind::CallDyn { of, method, args } => {
                let items = self.items;
                let signature = &items.traits[*of as usize].methods[*method as usize].signature;
                self.call(args, into, at, || Cow::Borrowed(signature));
                if signature.result == Type::Never {
                    self.panic(at);
                }
            }
            ExprKind::Library { row, types, args } => {
                self.call(args, into, at, || Cow::Owned(crate::lower::signature(row, types)));
            }
            ExprKind::Print(format) => self.format(format, at),
            ExprKind::Formatted(format) => {
                self.format(format, at);
            }
            // What is written borrows as long as the text is needed: it is put together on the way out.
            ExprKind::FormattedBytes(format) => {
                let held = self.operands(&format.args, into, at);
                self.may_panic(at);
                for (held, arg) in held.into_iter().flatten().zip(&format.args) {
                    let from = self.regions_of(held)[0];
                    for to in self.regions_into(into) {
                        self.built.graph.regions.flow(from, to, arg.at);
                    }
                }
            }
            ExprKind::Panic(format) => {
                self.format(format, at);
                self.panic(at);
            }
        }
    }

    /// A pointer to a `dyn`: the pointer's own reference stays what it is, all that the value holds must last as long as
    /// the `dyn` says. Even behind `&mut` that may be less than it was before.
    fn object(&mut self, item: &Expr, ty: &Type, into: Option<VariableId>, at: At) {
        let held = self.operands([item], into, at);
        self.flow_into_object(held[0], ty, into, at);
    }

    fn flow_into_object(
        &mut self,
        held: Option<VariableId>,
        ty: &Type,
        into: Option<VariableId>,
        at: At,
    ) {
        let to = self.regions_into(into);
        let (Some(held), Some((dynamic, own))) = (held, to.split_last()) else { return };
        debug_assert!(own.len() == usize::from(matches!(ty, Type::Ref(..))), "{ty}");
        for (index, from) in self.regions_of(held).into_iter().enumerate() {
            let to = own.get(index).unwrap_or(dynamic);
            self.built.graph.regions.flow(from, *to, at);
        }
    }

    pub(super) fn format(&mut self, format: &Format, at: At) {
        self.operands(&format.args, None, at);
        self.may_panic(at);
    }

    /// Where a function's result goes, given at `at`.
    pub(super) fn returned(&mut self, at: At) -> Option<VariableId> {
        let result = self.result.as_ref()?;
        if result.regions.is_empty() {
            return None;
        }
        let (ty, to) = (result.ty.clone(), result.regions.clone());
        let value = self.temporary(&ty, at);
        let from = self.regions_of(value);
        self.flow(&from, &to, &ty, at);
        self.result.as_mut()?.values.push((value, at));
        Some(value)
    }

    /// `activates` what waits for it.
    pub(super) fn activate(&mut self, loan: LoanId, at: At) {
        let node = self.add(Act::Activate(loan), at);
        self.built.graph.loans[loan.index()].active_from = Some(node);
    }

    /// The arguments from left to right, then the call.
    pub(super) fn call<'s>(
        &mut self,
        args: &[Expr],
        into: Option<VariableId>,
        at: At,
        signature: impl FnOnce() -> Cow<'s, Signature>,
    ) {
        let mut waiting = Vec::new();
        let mut held = Vec::with_capacity(args.len());
        for arg in args {
            match &arg.kind {
                ExprKind::Borrow { borrow: borrow @ BorrowKind::TwoPhase, place } => {
                    let value = self.held(&arg.ty, arg.at);
                    waiting.extend(self.borrow(*borrow, place, value, arg.at));
                    self.define(value, arg.at);
                    held.push(value);
                }
                ExprKind::Unsize(inner)
                    if holds_dyn(&arg.ty)
                        && let ExprKind::Borrow { borrow: BorrowKind::TwoPhase, place } =
                            &inner.kind =>
                {
                    let thin = self.held(&inner.ty, arg.at);
                    waiting.extend(self.borrow(BorrowKind::TwoPhase, place, thin, arg.at));
                    self.define(thin, arg.at);
                    let value = self.held(&arg.ty, arg.at);
                    self.make(&[thin], value, arg.at);
                    self.flow_into_object(thin, &arg.ty, value, arg.at);
                    held.push(value);
                }
                _ => held.push(self.operand(arg)),
            }
        }
        for loan in waiting {
            self.activate(loan, at);
        }
        self.may_panic(at);
        let has_references = held.iter().chain([&into]).flatten().next().is_some();
        if has_references {
            let params: Vec<_> = held.iter().map(|held| self.regions_into(*held)).collect();
            let result = self.regions_into(into);
            let structs = &self.items.structs;
            let call = Call { params: &params, result: &result, structs, at };
            call.flow(&mut self.built.graph.regions, self.built.fixed, &signature());
        }
        self.make(&held, into, at);
    }

    pub(super) fn assign(&mut self, place: &Place, value: &Expr, at: At) {
        let held = self.operand(value);
        let found = self.place(place, at);
        self.assigned(&found, at);
        if place.ty.needs_drop(&self.items.structs) {
            self.add(Act::Replace(found.path), at);
        }
        self.add(Act::Assign(found.path), at);
        if let Some(held) = held {
            self.add(Act::Use(held), at);
            let from = self.regions_of(held);
            self.flow(&from, &found.regions, &place.ty, at);
        }
    }

    // Loops.

    pub(super) fn loop_of(&self, id: LoopId) -> &Loop {
        self.loops.iter().rev().find(|of| of.id == id).expect("it is inside the loop")
    }

    pub(super) fn looped(
        &mut self,
        id: LoopId,
        into: Option<VariableId>,
        at: At,
        body: impl FnOnce(&mut Self),
    ) {
        let (head, end) = (self.label(), self.label());
        self.bind(head, at);
        self.loops.push(Loop { id, head, end, into, outside: self.built.alive.len() });
        body(self);
        self.go(head, false, at);
        self.loops.pop();
        self.bind(end, at);
    }

    /// A turn of a `for`: perhaps none, or the variable gets a new value.
    pub(super) fn turn(
        &mut self,
        local: LocalId,
        body: &Block,
        at: At,
        set: impl FnOnce(&mut Self, VariableId),
    ) {
        let end = self.loops.last().expect("it is inside the loop").end;
        let variable = self.declare(local);
        self.go(end, true, at);
        self.scope(body.end, |it| {
            set(it, variable);
            it.live(variable);
            it.block(body, None);
        });
    }

    /// A variable is a reference to an element of a slice.
    pub(super) fn elements(&mut self, list: VariableId, slice: &Type, element: VariableId, at: At) {
        let (from, to) = (self.regions_of(list), self.regions_of(element));
        self.flow(&from, &to, slice, at);
    }
}

/// Whether a pointer leads to a `dyn`.
fn holds_dyn(ty: &Type) -> bool {
    match ty {
        Type::Ref(_, to) => matches!(**to, Type::Dyn(..)),
        Type::Lib(Lib::Box, args) => matches!(args[0], Type::Dyn(..)),
        _ => false,
    }
}
