//! How references pass through a call, and what a function's body may do with those of its caller.

use std::collections::BTreeMap;

use crate::references::{Slot, slots};
use crate::typed::{At, Flow, Lifetime, Lifetimes, Position, Signature};
use crate::types::{Structs, Type};

use super::graph::{Graph, RegionId};
use super::regions::{Owner, Reach, Regions};

/// The regions of a call's arguments and of its result.
pub(super) struct Call<'a> {
    pub params: &'a [Vec<RegionId>],
    pub result: &'a [RegionId],
    pub structs: &'a Structs,
    pub at: At,
}

impl Call<'_> {
    /// Lets references flow as the signature says.
    pub(super) fn flow(&self, regions: &mut Regions, fixed: RegionId, signature: &Signature) {
        match &signature.lifetimes {
            Some(lifetimes) => self.flow_by_lifetime(regions, fixed, signature, lifetimes),
            None => {
                for flow in &signature.flows {
                    self.flow_by_layer(regions, signature, *flow);
                }
            }
        }
    }

    fn flow_by_lifetime(
        &self,
        regions: &mut Regions,
        fixed: RegionId,
        signature: &Signature,
        lifetimes: &Lifetimes,
    ) {
        let mut of_call = BTreeMap::from([(Lifetime::Static, fixed)]);
        let mut of_call = |regions: &mut Regions, lifetime| {
            *of_call.entry(lifetime).or_insert_with(|| regions.add(Owner::Call, false))
        };
        for ((param, ty), lifetimes) in
            self.params.iter().zip(&signature.params).zip(&lifetimes.params)
        {
            let slots = slots(self.structs, ty);
            for ((region, slot), lifetime) in param.iter().zip(slots).zip(lifetimes) {
                let through = of_call(regions, *lifetime);
                regions.flow(*region, through, self.at);
                if slot.is_invariant {
                    regions.flow(through, *region, self.at);
                }
            }
        }
        let slots = slots(self.structs, &signature.result);
        let result = self.result.iter().zip(slots).zip(&lifetimes.result);
        for ((region, slot), lifetime) in result {
            let through = of_call(regions, *lifetime);
            regions.flow(through, *region, self.at);
            if slot.is_invariant {
                regions.flow(*region, through, self.at);
            }
        }
    }

    /// A layer and all deeper ones flow. Where a layer has as many references here as there, they are those of one
    /// type parameter, or so often as many if there it is a tuple of one type; otherwise it is not said which goes where.
    fn flow_by_layer(&self, regions: &mut Regions, signature: &Signature, flow: Flow) {
        let (Some(from), Some(to)) = (self.side(flow.from), self.side(flow.to)) else { return };
        let from_slots = slots(self.structs, type_of(signature, flow.from));
        let to_slots = slots(self.structs, type_of(signature, flow.to));
        let times = match type_of(signature, flow.to) {
            Type::Tuple(items) if items.windows(2).all(|pair| pair[0] == pair[1]) => items.len(),
            _ => 1,
        };
        let deepest = from_slots.iter().map(|slot| slot.layer).max().unwrap_or(0);
        for deeper in 0..=deepest.saturating_sub(flow.from.layer) {
            let at = |slots: &[Slot], layer: u8| -> Vec<usize> {
                (0..slots.len()).filter(|slot| slots[*slot].layer == layer + deeper).collect()
            };
            let sources = at(&from_slots, flow.from.layer);
            let targets = at(&to_slots, flow.to.layer);
            // One reference on this side is where all on the other come from.
            let is_only = sources.len() == 1;
            let is_paired = is_only || sources.len() * times == targets.len();
            for (first, source) in sources.iter().enumerate() {
                for (second, target) in targets.iter().enumerate() {
                    let (Some(one), Some(other)) = (from.get(*source), to.get(*target)) else {
                        continue;
                    };
                    let is_both_ways =
                        from_slots[*source].is_invariant && to_slots[*target].is_invariant;
                    if !is_paired {
                        regions.guess(*one, *other, self.at);
                        regions.guess(*other, *one, self.at);
                    } else if is_only || first == second % sources.len() {
                        regions.flow(*one, *other, self.at);
                        if is_both_ways {
                            regions.flow(*other, *one, self.at);
                        }
                    }
                }
            }
        }
    }

    fn side(&self, position: Position) -> Option<&[RegionId]> {
        match position.param {
            Some(param) => self.params.get(usize::from(param)).map(Vec::as_slice),
            None => Some(self.result),
        }
    }
}

fn type_of(signature: &Signature, position: Position) -> &Type {
    position.param.map_or(&signature.result, |param| &signature.params[usize::from(param)])
}

/// The caller's regions, as a function's body sees them: one for each lifetime of the signature.
#[derive(Debug)]
pub(super) struct Caller {
    regions: BTreeMap<Lifetime, RegionId>,
    lifetimes: Lifetimes,
    /// What is known to outlive what.
    known: Vec<(Lifetime, Lifetime)>,
}

impl Caller {
    /// The regions of a signature; `fixed` is that of `'static`.
    pub(super) fn new(
        graph: &mut Graph,
        structs: &Structs,
        fixed: RegionId,
        signature: &Signature,
    ) -> Self {
        let lifetimes = signature.lifetimes.clone().unwrap_or_default();
        let mut regions = BTreeMap::from([(Lifetime::Static, fixed)]);
        let mut known = Vec::new();
        let types = signature.params.iter().chain([&signature.result]);
        for (ty, of) in types.zip(lifetimes.params.iter().chain([&lifetimes.result])) {
            for (slot, lifetime) in slots(structs, ty).iter().zip(of) {
                regions.entry(*lifetime).or_insert_with(|| graph.regions.add(Owner::Caller, false));
                // What a reference leads to outlives it.
                known.extend(slot.outer.map(|outer| (*lifetime, of[outer])));
            }
        }
        Self { regions, lifetimes, known }
    }

    /// The regions of a parameter.
    pub(super) fn param(&self, param: usize) -> Vec<RegionId> {
        self.of(self.lifetimes.params.get(param))
    }

    /// The regions of the result.
    pub(super) fn result(&self) -> Vec<RegionId> {
        self.of(Some(&self.lifetimes.result))
    }

    fn of(&self, lifetimes: Option<&Vec<Lifetime>>) -> Vec<RegionId> {
        lifetimes.into_iter().flatten().map(|lifetime| self.regions[lifetime]).collect()
    }

    /// Every reference that flows to where the signature does not let it.
    pub(super) fn escapes(&self, graph: &Graph) -> Vec<Escape> {
        let mut escapes = Vec::new();
        let mut reach = Reach::default();
        for (from, region) in &self.regions {
            if *from == Lifetime::Static {
                continue;
            }
            graph.regions.reach(*region, &mut reach);
            for (to, target) in &self.regions {
                let place = reach.found.iter().position(|found| found.region == *target);
                if let Some(place) = place
                    && !self.outlives(*from, *to)
                {
                    let params = (self.param_with(*from), self.param_with(*to));
                    escapes.push(Escape { from: *from, to: *to, params, way: reach.way(place) });
                }
            }
        }
        escapes
    }

    fn outlives(&self, long: Lifetime, short: Lifetime) -> bool {
        let mut found = vec![long];
        let mut done = 0;
        while let Some(lifetime) = found.get(done).copied() {
            if lifetime == short {
                return true;
            }
            for (longer, shorter) in &self.known {
                if *longer == lifetime && !found.contains(shorter) {
                    found.push(*shorter);
                }
            }
            done += 1;
        }
        false
    }

    fn param_with(&self, lifetime: Lifetime) -> Option<usize> {
        self.lifetimes.params.iter().position(|of| of.contains(&lifetime))
    }
}

/// A reference that leaves a function by a way that its signature does not name.
#[derive(Debug)]
pub(super) struct Escape {
    /// The lifetime it has.
    pub from: Lifetime,
    /// The one it would need.
    pub to: Lifetime,
    /// The parameters with these.
    pub params: (Option<usize>, Option<usize>),
    /// The regions it goes through, and where it gets into each.
    pub way: Vec<(RegionId, At)>,
}
