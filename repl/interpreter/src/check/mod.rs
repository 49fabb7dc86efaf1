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

pub use fault::{Access, Fault, Later, MovedFrom, NotMutable, Use, Wrong};

use crate::items::Items;
use crate::typed::{At, Function, Local, Top};

use build::Build;

/// Judges a function's body.
pub fn function(items: &Items, function: &Function) -> Result<(), Fault> {
    let mut build = Build::new(items, &function.locals);
    let universe = build.function(function);
    let mut faults = judge(&mut build);
    for breach in universe.breaches(&build.graph) {
        let param = function.locals[breach.param].name.clone();
        let values = build.result.iter().flat_map(|result| &result.values);
        let returned = values.into_iter().find(|(value, _)| {
            let mut regions = build.graph.variable(*value).regions();
            regions.any(|own| breach.way.iter().any(|(region, _)| *region == own))
        });
        let at = match returned {
            Some((_, at)) => *at,
            None => breach
                .way
                .iter()
                .map(|(_, at)| *at)
                .find(|at| *at != At::default())
                .unwrap_or(function.at),
        };
        let wrong = if breach.is_limit {
            Wrong::Limit { param }
        } else {
            Wrong::Escapes { param, is_returned: returned.is_some() }
        };
        faults.push(Fault { at, wrong });
    }
    first(faults)
}

/// Judges the log's body so far, as the body of a function that ends behind it.
pub fn body<'a>(
    items: &Items,
    locals: &[Local],
    body: impl Iterator<Item = &'a Top>,
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
    loans::judge(&build.graph, build.result.as_ref(), &moves.is_reached, &mut faults);
    faults
}

/// The first one in the order of the source.
fn first(faults: Vec<Fault>) -> Result<(), Fault> {
    let first = faults.into_iter().min_by_key(|fault| (fault.at.line, fault.at.start));
    first.map_or(Ok(()), Err)
}
