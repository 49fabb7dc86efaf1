//! Ownership and borrows, judged as rustc judges them.
//!
//! A body becomes a [`graph`] of points. [`moves`] walks it forward: who has a value where. [`loans`] follows each borrow as long
//! as somebody who holds it is live. What a signature promises of references is compared with what a body does in
//! [`signature`]. All faults are collected, and the first one in the source is the answer, as it is with rustc.

mod build;
mod fault;
mod graph;
mod loans;
mod moves;
mod regions;
mod signature;

pub use fault::{Access, Fault, Later, MovedFrom, Needs, NotMutable, Use, Wrong};

use imbl::Vector;

use crate::items::Items;
use crate::typed::{At, Function, Lifetime, Local, Top};

use build::Build;
use signature::Escape;

/// Judges a function's body.
///
/// # Errors
///
/// The first thing in it that rustc refuses.
pub fn function(items: &Items, function: &Function) -> Result<(), Fault> {
    let mut build = Build::new(items, &function.locals);
    let caller = build.function(function);
    let mut faults = judge(&mut build);
    for escape in caller.escapes(&build.graph) {
        faults.push(escaped(function, &build, &escape));
    }
    first(faults)
}

/// Judges the log's body so far, as that of a function which ends behind it.
///
/// # Errors
///
/// The first thing in it that rustc refuses. That may stand in an older line, see [`Fault::at`].
pub fn body<'a>(
    items: &Items,
    locals: &Vector<Local>,
    body: impl IntoIterator<Item = &'a Top>,
) -> Result<(), Fault> {
    let mut build = Build::new(items, locals);
    for top in body {
        build.top(top);
    }
    build.finish(At::default());
    first(judge(&mut build))
}

fn judge(build: &mut Build<'_>) -> Vec<Fault> {
    let mut faults = std::mem::take(&mut build.faults);
    let moves = moves::walk(&build.graph);
    faults.extend(moves.faults);
    let is_sure = !faults.is_empty();
    loans::judge(&build.graph, build.result.as_ref(), &moves.is_reached, &mut faults);
    if !is_sure && !faults.is_empty() && build.graph.regions.has_guesses() {
        let mut bold = Vec::new();
        build.graph.regions.is_bold = true;
        loans::judge(&build.graph, build.result.as_ref(), &moves.is_reached, &mut bold);
        build.graph.regions.is_bold = false;
        if bold.is_empty() {
            for fault in &mut faults {
                let wrong = Box::new(fault.wrong.clone());
                fault.wrong = Wrong::Limit { wrong };
            }
        }
    }
    faults
}

fn escaped(function: &Function, build: &Build<'_>, escape: &Escape) -> Fault {
    let values = build.result.iter().flat_map(|result| &result.values);
    let returned = values.into_iter().find(|(value, _)| {
        let mut regions = build.graph.variable(*value).regions();
        regions.any(|own| escape.way.iter().any(|(region, _)| *region == own))
    });
    let stored = escape.way.iter().map(|(_, at)| *at).find(|at| *at != At::default());
    let at = returned.map(|(_, at)| *at).or(stored).unwrap_or(function.at);
    let name = |param: Option<usize>| param.map(|param| function.locals[param].name.clone());
    let (from, to) = (name(escape.params.0), name(escape.params.1));
    let is_this = |name: &Option<std::sync::Arc<str>>| name.as_deref() == Some("self");
    let unnamed = match (escape.from, escape.to) {
        (Lifetime::Elided(_), Lifetime::Named(_)) if !is_this(&from) => from.clone(),
        (Lifetime::Named(_), Lifetime::Elided(_)) if !is_this(&to) => to.clone(),
        _ => None,
    };
    let needs = if returned.is_none() && escape.to == Lifetime::Static {
        Needs::Static
    } else {
        unnamed.map_or(Needs::Lifetime, |param| Needs::Name { param })
    };
    Fault { at, wrong: Wrong::Escapes { param: from, is_returned: returned.is_some(), needs } }
}

/// The first one in the order of the source.
fn first(faults: Vec<Fault>) -> Result<(), Fault> {
    let first = faults.into_iter().min_by_key(|fault| (fault.at.line, fault.at.start));
    first.map_or(Ok(()), Err)
}
