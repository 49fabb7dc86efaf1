//! How the heap's last answer came about: the steps it took, the holes it passed, and what others would have taken.

use std::alloc::Layout;
use std::sync::Arc;

use heap::{Because, Offset, Order, Piece, Step, Structure};

use crate::arena::Arena;
use crate::view::{Other, Why, WhyAnswer, WhyAsk, WhyHole, WhyNeed, WhyStep};
use crate::world::{Asked, Trace, What};

/// Holes that were not looked at and are listed all the same.
const UNLOOKED: usize = 4;
/// Holes up to which other fits are compared.
pub(crate) const COMPARED: usize = 1000;

/// The answer to `asked`; `before` is the arena as it was then.
pub(crate) fn why(asked: &Asked, before: &Arena) -> Why {
    let heap = &before.heap;
    let sized = |layout: Layout| {
        let need = heap.need(layout);
        WhyNeed {
            payload_bytes: need.payload_bytes,
            header_bytes: u64::from(need.edges.front_bytes - need.edges.canary_bytes),
            canary_bytes: u64::from(need.edges.canary_bytes + need.edges.rear_bytes),
        }
    };
    let ask = match asked.what {
        What::Allocate(layout) => WhyAsk::Alloc {
            size_bytes: layout.size() as u64,
            align_bytes: layout.align() as u64,
            need: sized(layout),
        },
        What::Deallocate { at, layout } => {
            WhyAsk::Free { address: before.address(at), size_bytes: layout.size() as u64 }
        }
        What::Reallocate { at, layout, new_bytes } => WhyAsk::Realloc {
            address: before.address(at),
            old_bytes: layout.size() as u64,
            size_bytes: u64::from(new_bytes),
        },
    };
    let need = match asked.what {
        What::Allocate(layout) => Some(heap.need(layout).block_bytes()),
        What::Reallocate { layout, new_bytes, .. } => {
            Layout::from_size_align(new_bytes as usize, layout.align())
                .ok()
                .map(|layout| heap.need(layout).block_bytes())
        }
        What::Deallocate { .. } => None,
    };
    let order = match heap.structure() {
        Structure::List { rover: Some(_), .. } => Some("from where the last search ended"),
        Structure::List { order: Order::Address, .. } => Some("in address order"),
        Structure::List { order: Order::Lifo, .. } => Some("last freed first"),
        Structure::List { order: Order::Size, .. } => Some("in order of size"),
        _ => None,
    };
    let searched = order.is_some();
    let all = searched.then(|| heap.holes().count() as u64);
    let holes: Vec<Piece> =
        if searched { heap.holes().take(COMPARED).collect() } else { Vec::new() };
    let (unlooked, others) = match asked.what {
        What::Allocate(layout) if searched => {
            let unlooked = holes.iter().filter(|hole| !asked.trace.has_looked_at(hole.at));
            let rows = unlooked.take(UNLOOKED).map(|hole| WhyHole {
                address: before.address(hole.at),
                size_bytes: u64::from(hole.size_bytes),
            });
            let unlooked = all.unwrap_or(0).saturating_sub(asked.trace.looked);
            let rows: Vec<_> = rows.take(unlooked as usize).collect();
            // A wide alignment takes part of a hole; then the size alone says nothing.
            let compared = holes.len() > 1 && holes.len() < COMPARED && layout.align() <= 8;
            let others = if compared { others(asked, before, layout, &holes) } else { Vec::new() };
            ((rows, unlooked), others)
        }
        _ => ((Vec::new(), 0), Vec::new()),
    };
    Why {
        line: asked.by.line,
        input: Arc::clone(&asked.by.text),
        name: Arc::clone(&asked.name),
        heap: before.called(),
        is_foreign: before.spec.is_foreign(),
        whole_process: before.spec.is_measured(),
        ask,
        steps: rows(before, &asked.trace, need),
        looked: asked.trace.looked,
        unlooked: unlooked.0,
        unlooked_total: unlooked.1,
        holes: all,
        order,
        answer: match asked.answer {
            Ok(Some(placed)) => WhyAnswer::At {
                address: before.address(placed.at),
                granted_bytes: u64::from(placed.granted_bytes),
            },
            Ok(None) => {
                let kept = |step: &Step| matches!(step, Step::Stranded { .. } | Step::Held { .. });
                WhyAnswer::Freed { kept: asked.trace.steps.iter().any(kept) }
            }
            Err(heap::Full) => WhyAnswer::Full {},
        },
        others,
    }
}

/// What the other fits would have taken from the same list.
fn others(asked: &Asked, before: &Arena, layout: Layout, holes: &[Piece]) -> Vec<Other> {
    let ours = match asked.answer {
        Ok(Some(placed)) => {
            holes.iter().find(|hole| hole.at <= placed.at && placed.at < hole.end())
        }
        _ => None,
    };
    let fitting: Vec<&Piece> =
        holes.iter().filter(|hole| before.heap.fits(**hole) as usize >= layout.size()).collect();
    // A list that is searched from somewhere in its middle does not say what its head would have given.
    let around = matches!(before.heap.structure(), Structure::List { rover: Some(_), .. });
    let chosen = [
        ("first-fit", fitting.first().copied().filter(|_| !around)),
        ("best-fit", fitting.iter().copied().min_by_key(|hole| hole.size_bytes)),
        ("worst-fit", fitting.iter().copied().rev().max_by_key(|hole| hole.size_bytes)),
    ];
    let other = |(heap, hole): (&'static str, Option<&Piece>)| {
        let hole = hole?;
        let looked = match heap {
            "first-fit" => holes.iter().position(|other| other.at == hole.at)? as u64 + 1,
            _ => holes.len() as u64,
        };
        Some(Other {
            heap,
            looked,
            address: before.address(hole.at),
            size_bytes: u64::from(hole.size_bytes),
            same: ours.is_some_and(|ours| ours.at == hole.at),
        })
    };
    chosen
        .into_iter()
        .filter(|(heap, _)| *heap != before.spec.info.name)
        .filter_map(other)
        .collect()
}

/// The steps; `need` is what a block takes of the heap that is asked first.
fn rows(arena: &Arena, trace: &Trace, mut need: Option<u64>) -> Vec<WhyStep> {
    let mut rows = Vec::with_capacity(trace.steps.len() + trace.unnamed.len());
    let mut unnamed = trace.unnamed.iter().peekable();
    for index in 0..=trace.steps.len() {
        if let Some(unnamed) = unnamed.next_if(|unnamed| unnamed.before == index) {
            rows.push(WhyStep::Unnamed { holes: unnamed.holes });
        }
        let Some(&step) = trace.steps.get(index) else { break };
        if let Step::Rounded { block_bytes, .. } = step {
            need = Some(u64::from(block_bytes));
        }
        rows.push(row(arena, step, need));
    }
    rows
}

fn row(arena: &Arena, step: Step, need: Option<u64>) -> WhyStep {
    let address = |at: Offset| arena.address(at);
    match step {
        Step::Rounded { asked_bytes, block_bytes } => WhyStep::Rounded {
            asked_bytes: u64::from(asked_bytes),
            block_bytes: u64::from(block_bytes),
        },
        Step::Class { class: which, found } => WhyStep::Class { class: which.into(), found },
        Step::Looked { at, size_bytes, fits } => WhyStep::Looked {
            address: address(at),
            size_bytes: u64::from(size_bytes),
            fits,
            short_bytes: need.map_or(0, |need| need.saturating_sub(u64::from(size_bytes))),
        },
        Step::Skipped { zones, zone_bytes } => {
            WhyStep::Skipped { zones: u64::from(zones), zone_bytes: u64::from(zone_bytes) }
        }
        Step::Walked { holes } => WhyStep::Walked { holes: u64::from(holes) },
        Step::Halved { at, half_bytes } => {
            WhyStep::Halved { address: address(at), half_bytes: u64::from(half_bytes) }
        }
        Step::Cut { at, padding_bytes, header_bytes, payload_bytes, remaining_bytes } => {
            WhyStep::Cut {
                address: address(at),
                padding_bytes: u64::from(padding_bytes),
                taken_bytes: u64::from(header_bytes) + u64::from(payload_bytes),
                remaining_bytes: u64::from(remaining_bytes),
            }
        }
        Step::Joined { at, freed_bytes, size_bytes, in_front, behind } => WhyStep::Joined {
            address: address(at),
            freed_bytes: u64::from(freed_bytes),
            size_bytes: u64::from(size_bytes),
            in_front,
            behind,
        },
        Step::Listed { at, class: which } => {
            WhyStep::Listed { address: address(at), class: which.into() }
        }
        Step::Stranded { at, size_bytes } => {
            WhyStep::Stranded { address: address(at), size_bytes: u64::from(size_bytes) }
        }
        Step::Released { at } => WhyStep::Released { address: address(at) },
        Step::Held { at, size_bytes } => {
            WhyStep::Held { address: address(at), size_bytes: u64::from(size_bytes) }
        }
        Step::Handed { second, because } => WhyStep::Handed {
            second,
            because: match because {
                Because::First => "first",
                Because::Full => "full",
                Because::Unaligned => "unaligned",
                Because::Small => "small",
                Because::Large => "large",
                Because::Owner => "owner",
                Because::Locked => "locked",
                Because::Underneath => "underneath",
            },
        },
    }
}
