//! From the typed form to the graph, in the order in which rustc evaluates.

use std::borrow::Cow;
use std::ops::Index;
use std::sync::Arc;

use crate::items::Items;
use crate::typed::{
    self, At, BinaryOp, Block, BorrowKind, Expr, ExprKind, Format, Function, Local, LocalId,
    LoopId, Place, Root, Signature, Stmt, Top,
};
use crate::types::{Lib, Mutability, Type};

use super::fault::{Fault, MovedFrom, NotMutable, Wrong};
use super::graph::Step;
use super::graph::{Act, Borrow, Graph, Loan, LoanId, Next, NodeId, PathId, RegionId, VariableId};
use super::regions::{Owner, slot_count, slots};
use super::signature::{Call, Caller};

/// Builds the graph of a body.
pub(super) struct Build<'a> {
    items: &'a Items,
    locals: &'a dyn Index<usize, Output = Local>,
    /// What is built.
    pub built: Built,
    /// What can be refused without a look at the whole.
    pub faults: Vec<Fault>,
    loops: Vec<Loop>,
    labels: Vec<Label>,
    /// Of a function: what its result flows into, and where it is given.
    pub result: Option<Outcome>,
    /// Whether a run can come to where the graph grows.
    is_reached: bool,
    /// Of a log: where a line that panics goes on, since the prompt does.
    line_end: Option<LabelId>,
}

/// A body as far as it is built.
#[derive(Debug)]
pub(super) struct Built {
    /// Its graph.
    pub graph: Graph,
    /// What each variable of the typed form is here.
    variables: Vec<Option<VariableId>>,
    /// The variables and temporaries that exist, the newest last.
    pub alive: Vec<VariableId>,
    /// How many of these look through a reference when they are dropped.
    alive_looking: usize,
    /// Where the scopes of several lines began.
    open: Vec<usize>,
    /// The region of `'static`.
    fixed: RegionId,
}

impl Default for Built {
    fn default() -> Self {
        let mut graph = Graph::default();
        let fixed = graph.regions.add(Owner::Caller, false);
        // Something to go on from.
        graph.add(Act::Nothing, At::default());
        Self {
            graph,
            variables: Vec::new(),
            alive: Vec::new(),
            alive_looking: 0,
            open: Vec::new(),
            fixed,
        }
    }
}

/// What a function returns.
pub(super) struct Outcome {
    ty: Type,
    /// The caller's regions, one for each slot.
    pub regions: Vec<RegionId>,
    /// The values returned, and where.
    pub values: Vec<(VariableId, At)>,
}

struct Loop {
    id: LoopId,
    head: LabelId,
    end: LabelId,
    /// Where its value goes.
    into: Option<VariableId>,
    /// How many variables live outside of it.
    outside: usize,
}

#[derive(Clone, Copy)]
struct LabelId(usize);

#[derive(Default)]
struct Label {
    node: Option<NodeId>,
    waiting: Vec<NodeId>,
}

/// A place, found.
struct Found {
    path: PathId,
    /// The regions of what lies there.
    regions: Vec<RegionId>,
    /// The references gone through, the first one first.
    through: Vec<(RegionId, Mutability)>,
    /// Why it cannot be moved out of, if so.
    stuck: Option<MovedFrom>,
    /// The reference that does not allow to write, if one is gone through.
    read_only: Option<PathId>,
}

impl<'a> Build<'a> {
    /// Goes on from what is built.
    pub(super) fn new(
        items: &'a Items,
        locals: &'a dyn Index<usize, Output = Local>,
        built: Built,
    ) -> Self {
        Self {
            items,
            locals,
            built,
            faults: Vec::new(),
            loops: Vec::new(),
            labels: Vec::new(),
            result: None,
            is_reached: true,
            line_end: None,
        }
    }

    /// A line's part of the log's body.
    pub(super) fn top(&mut self, top: &Top) {
        let before = NodeId::new(self.built.graph.nodes.len() - 1);
        self.labels.clear();
        let end = self.label();
        self.line_end = Some(end);
        match top {
            Top::Stmt(stmt) => self.stmt(stmt),
            Top::Show(expr) => self.expr_stmt(expr),
            Top::Open(_) => self.built.open.push(self.built.alive.len()),
            Top::Close(at) => {
                let depth = self.built.open.pop().unwrap_or(0);
                self.close(depth, *at);
            }
            Top::Pop(local, at) => {
                let variable = self.variable_of(*local);
                self.built.alive.retain(|alive| *alive != variable);
                self.built.alive_looking -=
                    usize::from(self.built.graph.variable(variable).looks_when_dropped);
                self.end(variable, *at);
            }
        }
        if !self.is_reached {
            self.bind(end, At::default());
        }
        if !self.is_reached {
            // An endless loop: the prompt will have stopped it.
            let here = self.add(Act::Nothing, At::default());
            self.built.graph.connect(before, here, true);
            self.is_reached = true;
        }
        if self.built.graph.nodes.last().is_some_and(|last| last.next != Next::Step) {
            self.add(Act::Nothing, At::default());
        }
    }

    /// The end of the log's body, for now: what is still alive ends, as at the end of a function.
    pub(super) fn end_for_now(&mut self, at: At) {
        // That matters only to a borrow that an end looks through, or that is to outlive it.
        if self.built.alive_looking > 0 || self.built.graph.regions.flows_to_caller() {
            self.leave(0, at);
        }
        self.stop(at);
    }

    /// A whole function.
    pub(super) fn function(&mut self, function: &Function) -> Caller {
        let caller = Caller::new(&mut self.built.graph, self.built.fixed, &function.signature);
        for (number, ty) in function.signature.params.iter().enumerate() {
            let variable = self.declare(LocalId(number as u32));
            self.built.graph.variables[variable.index()].is_parameter = true;
            let own = self.regions_of(variable);
            self.flow(&caller.param(number), &own, ty, At::default());
            self.add(Act::Define(variable), function.at);
            self.live(variable);
        }
        let regions = caller.result();
        let ty = function.signature.result.clone();
        self.result = Some(Outcome { ty, regions, values: Vec::new() });
        let end = function.body.end;
        let value = self.returned(function.body.tail.as_ref().map_or(end, |tail| tail.at));
        self.block(&function.body, value);
        self.close(0, end);
        self.stop(end);
        caller
    }

    // Points and jumps.

    fn add(&mut self, act: Act, at: At) -> NodeId {
        self.built.graph.add(act, at)
    }

    fn label(&mut self) -> LabelId {
        self.labels.push(Label::default());
        LabelId(self.labels.len() - 1)
    }

    /// The label is here.
    fn bind(&mut self, label: LabelId, at: At) {
        let here = self.add(Act::Nothing, at);
        self.labels[label.0].node = Some(here);
        for from in std::mem::take(&mut self.labels[label.0].waiting) {
            self.is_reached = true;
            let is_fork = matches!(self.built.graph.nodes[from.index()].next, Next::Fork(_));
            self.built.graph.connect(from, here, is_fork);
        }
    }

    /// Goes to the label, always or perhaps.
    fn go(&mut self, label: LabelId, is_fork: bool, at: At) {
        let from = self.add(Act::Nothing, at);
        // The target may not be known yet; the kind is.
        self.built.graph.nodes[from.index()].next =
            if is_fork { Next::Fork(from) } else { Next::Nothing };
        match self.labels[label.0].node {
            Some(to) => self.built.graph.connect(from, to, is_fork),
            None if self.is_reached => self.labels[label.0].waiting.push(from),
            None => self.built.graph.nodes[from.index()].next = Next::Nothing,
        }
        self.is_reached &= is_fork;
    }

    fn stop(&mut self, at: At) {
        let node = self.add(Act::Nothing, at);
        self.built.graph.nodes[node.index()].next = Next::Nothing;
        self.is_reached = false;
    }

    /// Something here may panic. What has something to drop is dropped on the way out; that matters only where a drop looks
    /// through a reference.
    fn may_panic(&mut self, at: At) {
        if self.built.alive_looking == 0 {
            return;
        }
        let on = self.label();
        self.go(on, true, at);
        for alive in self.built.alive.clone().into_iter().rev() {
            if self.built.graph.variable(alive).needs_drop {
                self.add(Act::Drop(alive), at);
            }
        }
        self.stop(at);
        self.bind(on, at);
    }

    /// A panic, or a call that does not come back.
    fn panic(&mut self, at: At) {
        self.may_panic(at);
        match self.line_end {
            // The prompt lives on with what the line had done.
            Some(end) => self.go(end, false, at),
            None => self.stop(at),
        }
    }

    // Variables and scopes.

    fn declare(&mut self, id: LocalId) -> VariableId {
        let local = &self.locals[id.0 as usize];
        let slots = slots(&local.ty);
        let is_hidden =
            !local.name.starts_with(|first: char| first == '_' || first.is_alphabetic());
        let name = (!is_hidden).then(|| Arc::clone(&local.name));
        let id_here = self.built.graph.add_variable(name, local.at, &slots);
        let variable = &mut self.built.graph.variables[id_here.index()];
        variable.is_mutable = local.is_mutable || is_hidden;
        variable.needs_drop = local.ty.needs_drop(&self.items.structs);
        let index = id.0 as usize;
        if self.built.variables.len() <= index {
            self.built.variables.resize(index + 1, None);
        }
        self.built.variables[index] = Some(id_here);
        id_here
    }

    fn variable_of(&self, id: LocalId) -> VariableId {
        self.built.variables.get(id.0 as usize).copied().flatten().expect("it was declared")
    }

    fn temporary(&mut self, ty: &Type, at: At) -> VariableId {
        let slots = slots(ty);
        let variable = self.built.graph.add_variable(None, at, &slots);
        self.built.graph.variables[variable.index()].needs_drop =
            ty.needs_drop(&self.items.structs);
        variable
    }

    /// A temporary for a value that has references.
    fn held(&mut self, ty: &Type, at: At) -> Option<VariableId> {
        (slot_count(ty) > 0).then(|| self.temporary(ty, at))
    }

    fn live(&mut self, variable: VariableId) {
        self.built.alive_looking +=
            usize::from(self.built.graph.variable(variable).looks_when_dropped);
        self.built.alive.push(variable);
    }

    /// Ends what came to life since there were `depth` variables, the newest first.
    fn close(&mut self, depth: usize, at: At) {
        while self.built.alive.len() > depth {
            let variable = self.built.alive.pop().expect("there are more");
            self.built.alive_looking -=
                usize::from(self.built.graph.variable(variable).looks_when_dropped);
            self.end(variable, at);
        }
    }

    /// The way out of a scope that is not its end: `break`, `continue`, `return`.
    fn leave(&mut self, depth: usize, at: At) {
        for variable in self.built.alive[depth..].to_vec().into_iter().rev() {
            self.end(variable, at);
        }
    }

    fn end(&mut self, variable: VariableId, at: At) {
        let of = self.built.graph.variable(variable);
        if of.is_constant {
            return;
        }
        // A loan from later in the source reaches this end only around a loop.
        let matters = of.is_borrowed || !of.marked.is_empty() || !self.loops.is_empty();
        let is_dropped = of.needs_drop && (matters || of.looks_when_dropped);
        if is_dropped {
            self.add(Act::Drop(variable), at);
        }
        if matters {
            self.add(Act::End(variable), at);
        }
    }

    /// What `part` leaves behind ends with it.
    fn scope(&mut self, at: At, part: impl FnOnce(&mut Self)) {
        let depth = self.built.alive.len();
        part(self);
        self.close(depth, at);
    }

    // Statements.

    fn block(&mut self, block: &Block, into: Option<VariableId>) {
        self.scope(block.end, |it| {
            for stmt in &block.stmts {
                it.stmt(stmt);
            }
            if let Some(tail) = &block.tail {
                it.scope(tail.at, |it| it.value(tail, into));
            }
        });
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let { local, init: Some(init), at } => {
                let variable = self.declare(*local);
                self.scope(*at, |it| {
                    let has_regions = it.built.graph.variable(variable).region_count > 0;
                    it.value(init, has_regions.then_some(variable));
                });
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
            // rustc allows it of a place that was moved out of, or borrowed.
            Stmt::Mention(place, at) => self.scope(*at, |it| {
                it.place(place, *at);
            }),
        }
    }

    fn expr_stmt(&mut self, expr: &Expr) {
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
    fn operand(&mut self, expr: &Expr) -> Option<VariableId> {
        let held = self.held(&expr.ty, expr.at);
        self.value(expr, held);
        held
    }

    /// Evaluates operands from left to right, and makes a value of them.
    fn operands<'e>(
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
    fn make(&mut self, held: &[Option<VariableId>], into: Option<VariableId>, at: At) {
        self.define(into, at);
        for variable in held.iter().flatten() {
            self.add(Act::Use(*variable), at);
        }
    }

    fn define(&mut self, into: Option<VariableId>, at: At) {
        if let Some(into) = into {
            self.add(Act::Define(into), at);
        }
    }

    /// References flow from one value to another of the same type.
    fn flow(&mut self, from: &[RegionId], to: &[RegionId], ty: &Type, at: At) {
        if from.is_empty() || to.is_empty() {
            return;
        }
        let slots = slots(ty);
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

    fn regions_of(&self, variable: VariableId) -> Vec<RegionId> {
        self.built.graph.variable(variable).regions().collect()
    }

    fn regions_into(&self, into: Option<VariableId>) -> Vec<RegionId> {
        into.map_or_else(Vec::new, |into| self.regions_of(into))
    }

    /// Evaluates an expression; references in its value flow into the regions of `into`, which is set by it.
    fn value(&mut self, expr: &Expr, into: Option<VariableId>) {
        let at = expr.at;
        match &expr.kind {
            ExprKind::Constant(_) | ExprKind::Text { .. } => self.define(into, at),
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
                if let Some(loan) = self.borrow(*borrow, place, into, at) {
                    // Nobody waits to activate it.
                    self.activate(loan, at);
                }
                self.define(into, at);
            }
            ExprKind::Aggregate(items) => {
                let held = self.operands(items.iter().map(|(_, item)| item), into, at);
                if into.is_some() {
                    let to = self.regions_into(into);
                    for ((number, item), held) in items.iter().zip(held) {
                        let Some(held) = held else { continue };
                        let from = self.regions_of(held);
                        let to = Self::field_regions(&expr.ty, &to, *number, &item.ty);
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
                        let to = Self::field_regions(&expr.ty, &to, *number, &item.ty);
                        self.flow(&from, &to, &item.ty, at);
                    }
                }
            }
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
            ExprKind::Library { row, types, args } => {
                self.call(args, into, at, || Cow::Owned(crate::lower::signature(row, types)));
            }
            ExprKind::Print(format) => self.format(format, at),
            ExprKind::Formatted(format) => {
                self.format(format, at);
            }
            ExprKind::Panic(format) => {
                self.format(format, at);
                self.panic(at);
            }
        }
    }

    fn format(&mut self, format: &Format, at: At) {
        self.operands(&format.args, None, at);
        self.may_panic(at);
    }

    /// Where a function's result goes, given at `at`.
    fn returned(&mut self, at: At) -> Option<VariableId> {
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
    fn activate(&mut self, loan: LoanId, at: At) {
        let node = self.add(Act::Activate(loan), at);
        self.built.graph.loans[loan.index()].active_from = Some(node);
    }

    /// The arguments from left to right, then the call.
    fn call<'s>(
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
            let call = Call { params: &params, result: &result, at };
            call.flow(&mut self.built.graph.regions, self.built.fixed, &signature());
        }
        self.make(&held, into, at);
    }

    fn assign(&mut self, place: &Place, value: &Expr, at: At) {
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

    /// Refuses to write where nothing may be written. Variables assigned to as a whole are another matter: see `moves`.
    fn assigned(&mut self, found: &Found, at: At) {
        if self.built.graph.path(found.path).last.is_some()
            && let Some(why) = self.not_mutable(found)
        {
            let place = self.built.graph.name(found.path);
            self.faults.push(Fault { at, wrong: Wrong::Written { place, why } });
        }
    }

    fn not_mutable(&self, found: &Found) -> Option<NotMutable> {
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

    fn stuck(&mut self, path: PathId, from: MovedFrom, at: At) {
        let place = self.built.graph.name(path);
        self.faults.push(Fault { at, wrong: Wrong::MovedOut { place, from } });
    }

    fn borrow(
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
            self.faults.push(Fault { at, wrong: Wrong::BorrowedToWrite { place, why } });
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

    // Places.

    fn place(&mut self, place: &Place, at: At) -> Found {
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
                    found.regions = Self::field_regions(ty, &found.regions, *number, to);
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
    fn field_regions(of: &Type, regions: &[RegionId], number: u32, field: &Type) -> Vec<RegionId> {
        let before = match of {
            Type::Tuple(items) | Type::Lib(Lib::Result, items) => {
                items[..number as usize].iter().map(slot_count).sum()
            }
            _ => 0,
        };
        regions[before..before + slot_count(field)].to_vec()
    }

    // Loops.

    fn loop_of(&self, id: LoopId) -> &Loop {
        self.loops.iter().rev().find(|of| of.id == id).expect("it is inside the loop")
    }

    fn looped(
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
    fn turn(
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
    fn elements(&mut self, list: VariableId, slice: &Type, element: VariableId, at: At) {
        let (from, to) = (self.regions_of(list), self.regions_of(element));
        self.flow(&from, &to, slice, at);
    }
}

/// Whether `&mut` of it is a constant too: nothing can be written through it.
fn is_empty(ty: &Type) -> bool {
    matches!(ty, Type::Array(_, 0))
}

/// Whether a `&` of the value is a constant that lives as long as the program: rustc's promotion.
fn is_constant(expr: &Expr) -> bool {
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
        ExprKind::Read(place) => is_constant_place(place),
        ExprKind::Borrow { borrow: BorrowKind::Shared, place } => is_constant_place(place),
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
