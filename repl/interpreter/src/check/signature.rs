//! How references pass through a call, slot by slot; and what a function's body may assume of them.

use crate::items::Items;
use crate::typed::{Position, Signature};
use crate::types::Structs;

use super::graph::{Graph, RegionId};
use super::regions::{Owner, Reach, Slot, slots};

/// One slot of a signature flows into another. `None` is the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotFlow {
    pub from: (Option<u8>, usize),
    pub to: (Option<u8>, usize),
    /// Whether both can be written through, so that they must be the same.
    pub is_both_ways: bool,
    /// Whether it is known that exactly these two are meant. A [`crate::typed::Flow`] names a layer; where a layer has several
    /// references, a caller assumes that each flows into each, and a body that none does.
    pub is_exact: bool,
}

/// The flows of a signature.
pub(super) fn flows(structs: &Structs, signature: &Signature, is_library: bool) -> Vec<SlotFlow> {
    let slots_of = |position: Position| -> Vec<Slot> {
        match position.param {
            Some(param) => slots(structs, &signature.params[usize::from(param)]),
            None => slots(structs, &signature.result),
        }
    };
    let mut flows = Vec::new();
    for flow in &signature.flows {
        let (from, to) = (slots_of(flow.from), slots_of(flow.to));
        let deepest = from.iter().map(|slot| slot.layer).max().unwrap_or(0);
        for deeper in 0..=deepest.saturating_sub(flow.from.layer) {
            let at = |slots: &[Slot], layer: u8| -> Vec<usize> {
                (0..slots.len()).filter(|slot| slots[*slot].layer == layer + deeper).collect()
            };
            let (sources, targets) = (at(&from, flow.from.layer), at(&to, flow.to.layer));
            // The library keeps the order of what a type parameter stands for.
            let is_paired = sources.len() == targets.len() && (is_library || sources.len() == 1);
            for (first, source) in sources.iter().enumerate() {
                for (second, target) in targets.iter().enumerate() {
                    if is_paired && first != second {
                        continue;
                    }
                    flows.push(SlotFlow {
                        from: (flow.from.param, *source),
                        to: (flow.to.param, *target),
                        is_both_ways: from[*source].is_invariant && to[*target].is_invariant,
                        is_exact: is_paired,
                    });
                }
            }
        }
    }
    flows
}

/// The caller's regions, as a body sees them.
#[derive(Debug)]
pub(super) struct Universe {
    /// Of each parameter's slots.
    pub params: Vec<Vec<RegionId>>,
    /// Of the result's slots.
    pub result: Vec<RegionId>,
    /// What is known to flow into what, and whether exactly that.
    known: Vec<(RegionId, RegionId, bool)>,
}

impl Universe {
    /// A region for each slot of a signature.
    pub(super) fn new(items: &Items, graph: &mut Graph, signature: &Signature) -> Self {
        let mut known = Vec::new();
        let mut regions = |ty| -> Vec<RegionId> {
            let slots = slots(&items.structs, ty);
            let regions: Vec<_> =
                slots.iter().map(|_| graph.regions.add(Owner::Caller, false)).collect();
            for (slot, of) in slots.iter().enumerate() {
                // What a reference leads to outlives it.
                known.extend(of.outer.map(|outer| (regions[slot], regions[outer], true)));
            }
            regions
        };
        let params: Vec<_> = signature.params.iter().map(&mut regions).collect();
        let result = regions(&signature.result);
        for flow in flows(&items.structs, signature, false) {
            let side = |(param, slot): (Option<u8>, usize)| match param {
                Some(param) => params[usize::from(param)][slot],
                None => result[slot],
            };
            known.push((side(flow.from), side(flow.to), flow.is_exact));
        }
        Self { params, result, known }
    }

    /// Each caller's region that flows where the signature does not let it.
    pub(super) fn breaches(&self, graph: &Graph) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let mut reach = Reach::default();
        for (param, regions) in self.params.iter().enumerate() {
            for from in regions {
                graph.regions.reach(*from, &mut reach);
                let exact = self.known_from(*from, true);
                for (found, (to, _)) in reach.found.iter().enumerate() {
                    if graph.regions.get(*to).owner == Owner::Caller && !exact.contains(to) {
                        let is_limit = self.known_from(*from, false).contains(to);
                        breaches.push(Breach { param, is_limit, way: way(&reach, found) });
                    }
                }
            }
        }
        breaches
    }

    fn known_from(&self, from: RegionId, is_exact: bool) -> Vec<RegionId> {
        let mut found = vec![from];
        let mut done = 0;
        while let Some(region) = found.get(done).copied() {
            for (from, to, exact) in &self.known {
                if *from == region && (*exact || !is_exact) && !found.contains(to) {
                    found.push(*to);
                }
            }
            done += 1;
        }
        found
    }
}

/// A reference that a signature does not let through.
#[derive(Debug)]
pub(super) struct Breach {
    /// The parameter it comes from.
    pub param: usize,
    /// Whether the signature may well allow it, only we cannot tell.
    pub is_limit: bool,
    /// The regions it goes through, and where it gets into each.
    pub way: Vec<(RegionId, crate::typed::At)>,
}

fn way(reach: &Reach, found: usize) -> Vec<(RegionId, crate::typed::At)> {
    let mut way = Vec::new();
    let mut next = Some(found);
    while let Some(index) = next {
        let (region, from) = reach.found[index];
        way.push((region, from.map_or_else(Default::default, |(_, at)| at)));
        next = from.map(|(from, _)| from as usize);
    }
    way.reverse();
    way
}
