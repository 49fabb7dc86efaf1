//! Ownership and borrows, judged as rustc judges them.
//!
//! A body becomes a `graph` of points. `moves` walks it forward: who has a value where. `loans` follows each
//! borrow as long as somebody who holds it is live. What a signature promises of references is compared with what a
//! body does in `signature`. All faults are collected, and the first one in the source is the answer, as it is with
//! rustc.

mod build;
mod fault;
mod graph;
mod judge;
mod loans;
mod moves;
mod regions;
mod signature;

pub use fault::{Access, Fault, Later, MovedFrom, Needs, NotMutable, Use, Wrong};
pub use judge::Judge;

use imbl::Vector;

use crate::items::Items;
use crate::typed::{At, Function, Lifetime, Local, Top};

use build::{Build, Built, Outcome};
use graph::{Act, Graph, NodeId};
use loans::{Added, Followed};
use moves::Marks;
use signature::Escape;

/// Judges a function's body.
///
/// # Errors
///
/// The first thing in it that rustc refuses.
pub fn function(items: &Items, function: &Function) -> Result<(), Fault> {
    let mut build = Build::new(items, &function.locals, Built::default());
    let caller = build.function(function);
    build.built.graph.finish();
    let Build { built: Built { graph, .. }, faults, result, .. } = &mut build;
    let is_reached = moves::walk(graph, NodeId::new(0), &mut Vec::new(), faults);
    let added = Added {
        from: NodeId::new(0),
        first_loan: 0,
        is_reached: &is_reached,
        alive: &[],
        result: result.as_ref(),
    };
    judge(graph, &mut Followed::default(), &added, faults);
    for escape in caller.escapes(graph) {
        faults.push(escaped(function, graph, result.as_ref(), &escape));
    }
    first(faults)
}

/// A log's body, which grows line by line: each is judged as the end of a function that holds all of them.
#[derive(Debug, Default)]
pub struct Log {
    built: Built,
    marks: Marks,
    followed: Followed,
}

impl Log {
    /// Adds what a line means.
    ///
    /// # Errors
    ///
    /// The first thing that rustc refuses. That may stand in an older line, see [`Fault::at`]. The log is of no use
    /// then.
    pub fn add<'a>(
        &mut self,
        items: &Items,
        locals: &Vector<Local>,
        tops: impl IntoIterator<Item = &'a Top>,
    ) -> Result<(), Fault> {
        let mut build = Build::new(items, locals, std::mem::take(&mut self.built));
        let from = NodeId::new(build.built.graph.nodes.len());
        let first_loan = build.built.graph.loans.len();
        for top in tops {
            build.top(top);
        }
        let Build { built, faults, .. } = &mut build;
        built.graph.finish();
        let mut is_reached = moves::walk(&built.graph, from, &mut self.marks, faults);
        let end = NodeId::new(built.graph.nodes.len());
        build.end_for_now(At::default());
        let Build { mut built, mut faults, .. } = build;
        is_reached.resize(built.graph.nodes.len() - from.index(), true);
        let is_reached = &is_reached;
        let added = Added { from, first_loan, is_reached, alive: &built.alive, result: None };
        judge(&mut built.graph, &mut self.followed, &added, &mut faults);
        built.graph.truncate(end, &built.alive);
        built.graph.regions.settle();
        self.built = built;
        first(&mut faults)
    }
}

/// Follows the loans. What is refused only because of a guess is said to be so.
fn judge(graph: &mut Graph, followed: &mut Followed, added: &Added<'_>, faults: &mut Vec<Fault>) {
    let is_sure = !faults.is_empty();
    followed.judge(graph, added, faults);
    if is_sure || faults.is_empty() || !graph.regions.has_guesses() {
        return;
    }
    graph.regions.is_bold = true;
    let all = Added {
        from: NodeId::new(0),
        first_loan: 0,
        is_reached: &vec![true; graph.nodes.len()],
        ..*added
    };
    let mut bold = Vec::new();
    Followed::default().judge(graph, &all, &mut bold);
    graph.regions.is_bold = false;
    if bold.is_empty() {
        for fault in faults {
            let wrong = Box::new(fault.wrong.clone());
            fault.wrong = Wrong::Limit { wrong };
        }
    }
}

fn escaped(function: &Function, graph: &Graph, result: Option<&Outcome>, escape: &Escape) -> Fault {
    let values = result.iter().flat_map(|result| &result.values);
    let returned = values.into_iter().find(|(value, _)| {
        let mut regions = graph.variable(*value).regions();
        regions.any(|own| escape.way.iter().any(|(region, _)| *region == own))
    });
    let steps = || escape.way.iter().map(|(_, at)| *at).filter(|at| *at != At::default());
    let is_assignment = |at: &At| {
        graph.nodes.iter().any(|node| node.at == *at && matches!(node.act, Act::Assign(_)))
    };
    let assigned = steps().find(is_assignment);
    let at = returned.map(|(_, at)| *at).or(assigned).or(steps().next()).unwrap_or(function.at);
    let name = |param: Option<usize>| param.map(|param| function.locals[param].name.clone());
    let (from, to) = (name(escape.params.0), name(escape.params.1));
    let is_this = |name: &Option<std::sync::Arc<str>>| name.as_deref() == Some("self");
    let unnamed = match (escape.from, escape.to) {
        (Lifetime::Elided(_), Lifetime::Named(_)) if !is_this(&from) => from.clone(),
        (Lifetime::Named(_), Lifetime::Elided(_)) if !is_this(&to) => to.clone(),
        _ => None,
    };
    let is_passed = returned.is_none() && assigned.is_none();
    let needs = if is_passed && escape.to == Lifetime::Static {
        Needs::Static
    } else {
        unnamed.map_or(Needs::Lifetime, |param| Needs::Name { param })
    };
    Fault { at, wrong: Wrong::Escapes { param: from, is_returned: returned.is_some(), needs } }
}

/// The first one in the order of the source. Of two at one place it is the one that rustc names first.
fn first(faults: &mut Vec<Fault>) -> Result<(), Fault> {
    let rank = |wrong: &Wrong| match wrong {
        Wrong::Borrowed { .. } | Wrong::Unset { .. } => 0,
        Wrong::Moved { .. } => 2,
        Wrong::BorrowedToWrite { .. } => 3,
        Wrong::Returned { .. } => 4,
        _ => 1,
    };
    let first =
        faults.drain(..).min_by_key(|Fault { at, wrong }| (at.line, at.start, at.end, rank(wrong)));
    first.map_or(Ok(()), Err)
}
