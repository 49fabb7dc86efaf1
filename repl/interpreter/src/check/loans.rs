//! Which loans are in force where, and what conflicts with them: NLL (RFC 2094) with two-phase borrows (RFC 2025).
//!
//! A loan is in force from its point on, as long as somebody who holds it is live. So each loan is followed forward
//! over the points of its region, and what happens there is compared with it. Most end one or two points later.

use crate::typed::At;

use super::build::Outcome;
use super::fault::{Access, Fault, Later, Wrong};
use super::graph::{Act, Borrow, Depth, Graph, LoanId, NodeId, PathId, Step, VariableId};
use super::regions::{Owner, Reach};

/// What is known of the loans of a body that grows at its end.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Where each variable is live because it is used later, once somebody asked.
    live: Vec<Option<NodeSet>>,
    /// The loans that may be needed by what is still to come, in the order of the source.
    open: Vec<Open>,
    /// The variables that what is new uses, or lends on.
    is_touched: Vec<bool>,
    /// The number of the search that last came to each point.
    seen: Vec<u32>,
    search: u32,
    reach: Reach,
    region: NodeSet,
    todo: Vec<NodeId>,
}

/// A loan that may be needed again.
#[derive(Debug)]
struct Open {
    loan: LoanId,
    /// Who may hold it.
    holders: Vec<VariableId>,
}

/// What was added to a body.
pub(super) struct Added<'a> {
    /// The first new point.
    pub from: NodeId,
    /// The first new loan.
    pub first_loan: usize,
    /// Which of the new points can be reached.
    pub is_reached: &'a [bool],
    /// Who is alive behind it all.
    pub alive: &'a [VariableId],
    /// What a function returns.
    pub result: Option<&'a Outcome>,
}

impl Followed {
    /// Judges the new loans, and those older ones that what is new may need.
    pub(super) fn judge(&mut self, graph: &Graph, added: &Added<'_>, faults: &mut Vec<Fault>) {
        self.live.resize(graph.variables.len(), None);
        self.seen.resize(self.seen.len().max(graph.nodes.len()), 0);
        self.is_touched.clear();
        self.is_touched.resize(graph.variables.len(), false);
        for node in &graph.nodes[added.from.index()..] {
            if let Some(variable) = graph.used(node.act) {
                self.is_touched[variable.index()] = true;
                self.add_uses(graph, variable, added.from);
            }
        }
        for variable in graph.regions.newly_lending() {
            self.is_touched[variable.index()] = true;
        }
        let mut open = std::mem::take(&mut self.open);
        let new = (added.first_loan..graph.loans.len()).map(LoanId::new).filter(|loan| {
            let node = graph.loans[loan.index()].node;
            added.is_reached[node.index() - added.from.index()]
        });
        open.extend(new.map(|loan| Open { loan, holders: Vec::new() }));
        let mut judge = Judge { graph, result: added.result, state: self, faults };
        for of in &mut open {
            let is_new = of.loan.index() >= added.first_loan;
            let concerns = |holder: &VariableId| {
                judge.state.is_touched[holder.index()] || graph.variable(*holder).looks_when_dropped
            };
            if is_new || of.holders.iter().any(concerns) {
                judge.loan(of.loan);
                of.holders = judge.holders();
            }
        }
        self.is_touched.fill(false);
        for alive in added.alive {
            self.is_touched[alive.index()] = true;
        }
        open.retain(|of| of.holders.iter().any(|holder| self.is_touched[holder.index()]));
        self.open = open;
    }

    /// A variable is live up to its new uses.
    fn add_uses(&mut self, graph: &Graph, variable: VariableId, from: NodeId) {
        let of = graph.variable(variable);
        if let Some(live) = &mut self.live[variable.index()] {
            let new = of.uses.partition_point(|used| *used < from);
            back(graph, variable, &of.uses[new..], |_| true, live);
        }
    }

    /// Where a variable is live because it is used later.
    fn live(&mut self, graph: &Graph, variable: VariableId) -> &NodeSet {
        self.live[variable.index()].get_or_insert_with(|| {
            let of = graph.variable(variable);
            let mut live = NodeSet::from(of.born);
            back(graph, variable, &of.uses, |_| true, &mut live);
            live
        })
    }
}

/// Adds the points from which one of `uses` can be reached without a new value, and the points that gave the value.
fn back(
    graph: &Graph,
    variable: VariableId,
    uses: &[NodeId],
    may_pass: impl Fn(NodeId) -> bool,
    live: &mut NodeSet,
) {
    let mut todo: Vec<_> = uses.iter().copied().filter(|node| may_pass(*node)).collect();
    while let Some(node) = todo.pop() {
        if !live.insert(node) {
            continue;
        }
        for before in graph.predecessors(node) {
            if graph.defines(before, variable) {
                live.insert(before);
            } else if may_pass(before) {
                todo.push(before);
            }
        }
    }
}

/// Where a variable is live because its end looks through its references. One that has no value any more has no end.
fn live_by_drop(graph: &Graph, variable: VariableId) -> NodeSet {
    let of = graph.variable(variable);
    let mut live = NodeSet::from(of.born);
    if !of.drops.is_empty() {
        let has_value = has_value(graph, variable);
        back(graph, variable, &of.drops, |node| has_value.has(node), &mut live);
    }
    live
}

/// The points at which a variable may have a value.
fn has_value(graph: &Graph, variable: VariableId) -> NodeSet {
    let of = graph.variable(variable);
    let mut found = NodeSet::from(of.born);
    let mut todo: Vec<_> = (of.born.index()..graph.nodes.len())
        .map(NodeId::new)
        .filter(|node| match graph.nodes[node.index()].act {
            Act::Define(defined) => defined == variable,
            Act::Assign(path) => graph.path(path).variable == variable,
            _ => false,
        })
        .flat_map(|node| graph.successors(node))
        .collect();
    while let Some(node) = todo.pop() {
        if found.insert(node) {
            let is_gone = match graph.nodes[node.index()].act {
                Act::Move(path) => path == of.path,
                Act::End(ended) | Act::Declare(ended) => ended == variable,
                _ => false,
            };
            if !is_gone {
                todo.extend(graph.successors(node));
            }
        }
    }
    found
}

struct Judge<'a> {
    graph: &'a Graph,
    result: Option<&'a Outcome>,
    state: &'a mut Followed,
    faults: &'a mut Vec<Fault>,
}

/// A set of points that lie near each other.
#[derive(Clone, Debug, Default)]
struct NodeSet {
    first_word: usize,
    words: Vec<u64>,
    is_all: bool,
}

impl NodeSet {
    /// A set for points from `first` on.
    fn from(first: NodeId) -> Self {
        Self { first_word: first.index() / 64, words: Vec::new(), is_all: false }
    }

    /// Empties it, for points from `first` on.
    fn start(&mut self, first: NodeId) {
        self.first_word = first.index() / 64;
        self.words.clear();
        self.is_all = false;
    }

    /// Whether it was not in it before.
    fn insert(&mut self, node: NodeId) -> bool {
        let word = node.index() / 64 - self.first_word;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (node.index() % 64);
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    fn has(&self, node: NodeId) -> bool {
        self.is_all
            || (node.index() / 64)
                .checked_sub(self.first_word)
                .and_then(|word| self.words.get(word))
                .is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }

    /// Adds what of `other` lies at or behind the set's first point.
    fn extend(&mut self, other: &Self) {
        let from = other.first_word.max(self.first_word);
        let end = other.first_word + other.words.len();
        if end > self.first_word + self.words.len() {
            self.words.resize(end - self.first_word, 0);
        }
        for word in from..end {
            self.words[word - self.first_word] |= other.words[word - other.first_word];
        }
    }
}

/// How a borrowed place is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    /// By the program.
    Access(PathId, Access),
    /// By the drop of its variable.
    Drop,
    /// By the end of its variable.
    End,
}

impl Judge<'_> {
    /// Follows a loan.
    fn loan(&mut self, id: LoanId) {
        let graph = self.graph;
        let loan = &graph.loans[id.index()];
        self.fill_region(id);
        self.state.search += 1;
        let mut todo = std::mem::take(&mut self.state.todo);
        todo.extend(graph.successors(loan.node));
        while let Some(node) = todo.pop() {
            let seen = &mut self.state.seen[node.index()];
            if *seen == self.state.search || !self.state.region.has(node) {
                continue;
            }
            *seen = self.state.search;
            let act = graph.nodes[node.index()].act;
            if let Some(touch) = self.conflict(id, node, act) {
                self.fault(id, node, touch);
            }
            let is_over = match act {
                Act::Assign(path) => graph.is_redirected(loan.path, path),
                Act::End(variable) => graph.path(loan.path).variable == variable,
                _ => false,
            };
            if !is_over {
                todo.extend(graph.successors(node));
            }
        }
        self.state.todo = todo;
    }

    /// The points of a loan's region that lie behind it.
    fn fill_region(&mut self, loan: LoanId) {
        let graph = self.graph;
        let loan = &graph.loans[loan.index()];
        let mut reach = std::mem::take(&mut self.state.reach);
        let mut region = std::mem::take(&mut self.state.region);
        graph.regions.reach(loan.region, &mut reach);
        // A loan's variable was there before it; the way back of a loop is not further back than that.
        region.start(graph.root(loan.path).born);
        for found in &reach.found {
            let of = graph.regions.get(found.region);
            match of.owner {
                Owner::Caller => region.is_all = true,
                Owner::Call => {}
                Owner::Variable(variable) => {
                    region.extend(self.state.live(graph, variable));
                    if of.is_dropped {
                        region.extend(&live_by_drop(graph, variable));
                    }
                }
            }
        }
        self.state.reach = reach;
        self.state.region = region;
    }

    /// Who may hold the loan just followed.
    fn holders(&self) -> Vec<VariableId> {
        let found = self.state.reach.found.iter();
        let owners = found.filter_map(|found| match self.graph.regions.get(found.region).owner {
            Owner::Variable(variable) => Some(variable),
            Owner::Caller | Owner::Call => None,
        });
        owners.collect()
    }

    /// Whether what happens at a point conflicts with a loan in force there.
    fn conflict(&self, id: LoanId, node: NodeId, act: Act) -> Option<Touch> {
        let graph = self.graph;
        let loan = &graph.loans[id.index()];
        let (path, depth, touch) = match act {
            Act::Copy(path) => (path, Depth::Deep, Touch::Access(path, Access::Read)),
            Act::Move(path) => (path, Depth::Deep, Touch::Access(path, Access::Move)),
            Act::Borrow(path, Borrow::Shared, _) => {
                (path, Depth::Deep, Touch::Access(path, Access::Borrow))
            }
            Act::Borrow(path, ..) => (path, Depth::Deep, Touch::Access(path, Access::BorrowMut)),
            Act::Activate(other) if other != id => {
                let path = graph.loans[other.index()].path;
                (path, Depth::Deep, Touch::Access(path, Access::BorrowMut))
            }
            Act::Replace(path) => (path, Depth::Drop, Touch::Access(path, Access::Assign)),
            Act::Assign(path) => (path, Depth::Shallow, Touch::Access(path, Access::Assign)),
            Act::Drop(variable) => (graph.variable(variable).path, Depth::Drop, Touch::Drop),
            Act::End(variable) => (graph.variable(variable).path, Depth::Shallow, Touch::End),
            _ => return None,
        };
        let is_active = loan.active_from.is_none_or(|from| node < loan.node || from <= node);
        let is_exclusive = loan.borrow != Borrow::Shared && is_active;
        let is_allowed = match (act, touch) {
            (_, Touch::Access(_, Access::Read | Access::Borrow)) => !is_exclusive,
            // A reservation is as good as a `&`.
            (Act::Borrow(_, Borrow::TwoPhase, _), _) => loan.borrow == Borrow::Shared,
            _ => false,
        };
        (!is_allowed && graph.touches(path, depth, loan.path)).then_some(touch)
    }

    fn fault(&mut self, id: LoanId, node: NodeId, touch: Touch) {
        let graph = self.graph;
        let loan = &graph.loans[id.index()];
        let borrowed = graph.nodes[loan.node.index()].at;
        let at = graph.nodes[node.index()].at;
        let place = graph.name(loan.path);
        let later = self.later(node);
        if let Touch::Access(touched, access) = touch {
            let wrong = Wrong::Borrowed {
                place: graph.name(touched),
                loan: place,
                access,
                is_mutable: loan.borrow != Borrow::Shared,
                borrowed,
                later,
            };
            self.faults.push(Fault { at, wrong });
            return;
        }
        let root = graph.root(loan.path);
        let fault = if touch == Touch::Drop && self.is_in_destructor(loan.path) {
            Fault { at: borrowed, wrong: Wrong::BorrowedByDestructor { place, end: at, later } }
        } else if let Some(returned) = self.returned() {
            let wrong = Wrong::Returned {
                name: root.name.clone(),
                is_parameter: root.is_parameter,
                borrowed,
            };
            Fault { at: returned, wrong }
        } else if let Some(name) = &root.name {
            let wrong = Wrong::TooShort { name: name.clone(), place, end: at, later };
            Fault { at: borrowed, wrong }
        } else {
            Fault { at: root.at, wrong: Wrong::TemporaryTooShort { borrowed, end: at, later } }
        };
        self.faults.push(fault);
    }

    /// Whether a borrowed path leads through a field of something with an `impl Drop`.
    fn is_in_destructor(&self, path: PathId) -> bool {
        self.graph.shorter(path).any(|shorter| {
            matches!(self.graph.path(shorter).last, Some((_, Step::Field { is_of_drop: true, .. })))
        })
    }

    /// Where the loan just followed is returned, if it is, and not put somewhere first that the caller sees.
    fn returned(&self) -> Option<At> {
        let is_caller = |region| match self.graph.regions.get(region).owner {
            Owner::Caller => true,
            Owner::Call => false,
            Owner::Variable(variable) => self.graph.variable(variable).is_parameter,
        };
        let is_direct = |value: VariableId| {
            let regions: Vec<_> = self.graph.variable(value).regions().collect();
            let found = self.state.reach.found.iter();
            let place = found.into_iter().position(|found| regions.contains(&found.region));
            place.is_some_and(|place| {
                !self.state.reach.way(place).iter().any(|(region, _)| is_caller(*region))
            })
        };
        let values = &self.result?.values;
        values.iter().find(|(value, _)| is_direct(*value)).map(|(_, at)| *at)
    }

    /// Who uses a loan behind a point: the loan just followed.
    fn later(&self, node: NodeId) -> Later {
        let graph = self.graph;
        let holds = |variable: VariableId| {
            graph.variable(variable).regions().any(|region| self.state.reach.has(region))
        };
        let mut is_seen = vec![false; graph.nodes.len()];
        let mut todo: std::collections::VecDeque<_> = graph.successors(node).collect();
        while let Some(id) = todo.pop_front() {
            if !self.state.region.has(id) || std::mem::replace(&mut is_seen[id.index()], true) {
                continue;
            }
            let of = &graph.nodes[id.index()];
            if let Some(user) = graph.used(of.act).filter(|user| holds(*user)) {
                let name = graph.variable(user).name.clone();
                return Later::Use { name, at: of.at, is_around: id <= node };
            }
            if let Act::Drop(variable) = of.act
                && graph.variable(variable).looks_when_dropped
                && holds(variable)
            {
                return Later::Drop { name: graph.variable(variable).name.clone(), at: of.at };
            }
            todo.extend(graph.successors(id));
        }
        Later::Caller
    }
}
