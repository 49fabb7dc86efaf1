//! From the typed form to the graph, in the order in which rustc evaluates.

mod place;
mod value;

use std::ops::Index;
use std::sync::Arc;

use crate::items::Items;
use crate::references::{slot_count, slots};
use crate::typed::{At, Function, Local, LocalId, LoopId, Top};
use crate::types::Type;

use super::fault::{Fault, Wrong};
use super::graph::{Act, Graph, Next, NodeId, RegionId, VariableId};
use super::regions::Owner;
use super::signature::Caller;

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
            Top::Pop(local, at) => self.end_alone(*local, *at),
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
        let caller = Caller::new(
            &mut self.built.graph,
            &self.items.structs,
            self.built.fixed,
            &function.signature,
        );
        for (number, ty) in function.signature.params.iter().enumerate() {
            let variable = self.declare(LocalId(number as u32));
            self.built.graph.variables[variable.index()].is_parameter = true;
            let own = self.regions_of(variable);
            // A parameter has exactly the lifetimes that its type says.
            self.flow(&caller.param(number), &own, ty, At::default());
            self.flow(&own, &caller.param(number), ty, At::default());
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

    /// Something here may panic. What has something to drop is dropped on the way out; that matters only where a drop
    /// looks through a reference.
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

    /// Refuses something, unless nobody comes here.
    fn refuse(&mut self, at: At, wrong: Wrong) {
        if self.is_reached {
            self.faults.push(Fault { at, wrong });
        }
    }

    // Variables and scopes.

    fn declare(&mut self, id: LocalId) -> VariableId {
        let local = &self.locals[id.0 as usize];
        let slots = slots(&self.items.structs, &local.ty);
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
        let slots = slots(&self.items.structs, ty);
        let variable = self.built.graph.add_variable(None, at, &slots);
        self.built.graph.variables[variable.index()].needs_drop =
            ty.needs_drop(&self.items.structs);
        variable
    }

    /// A temporary for a value that has references.
    fn held(&mut self, ty: &Type, at: At) -> Option<VariableId> {
        (slot_count(&self.items.structs, ty) > 0).then(|| self.temporary(ty, at))
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
        for variable in self.built.alive[depth..].to_vec().iter().rev() {
            self.end(*variable, at);
        }
    }

    /// Ends a variable before those around it.
    fn end_alone(&mut self, local: LocalId, at: At) {
        let variable = self.variable_of(local);
        self.built.alive.retain(|alive| *alive != variable);
        self.built.alive_looking -=
            usize::from(self.built.graph.variable(variable).looks_when_dropped);
        self.end(variable, at);
    }

    fn end(&mut self, variable: VariableId, at: At) {
        let of = self.built.graph.variable(variable);
        // What was moved out of one has to be there again in the next turn of a loop.
        if of.is_constant && of.marked.is_empty() {
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
}
