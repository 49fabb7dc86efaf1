//! How loans flow between regions.
//!
//! Each reference of each variable has a *region*: the points of the program at which what it borrowed must stay as
//! it is. Which references a type has, [`crate::references`] says.

use crate::typed::At;

use super::graph::{RegionId, VariableId};

/// Who a region belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A variable or temporary: the region holds the points at which it is live.
    Variable(VariableId),
    /// The caller, or the whole program: the region holds every point.
    Caller,
    /// A lifetime of a function, in one call of it.
    Call,
}

/// A region.
#[derive(Clone, Debug)]
pub(super) struct Region {
    /// Who it belongs to.
    pub owner: Owner,
    /// Whether the end of its variable looks through it.
    pub is_dropped: bool,
    /// The newest of the flows from it.
    last_flow: Option<u32>,
}

/// Loans in a region are also in `to`.
#[derive(Clone, Debug)]
struct Flow {
    to: RegionId,
    at: At,
    /// Whether it is there only because we cannot tell which of several references is meant.
    is_guess: bool,
    /// The flow before this one from the same region.
    before: Option<u32>,
}

/// The regions of a body and what flows between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    all: Vec<Region>,
    flows: Vec<Flow>,
    has_guesses: bool,
    flows_to_caller: bool,
    /// Whose references newly flow on since [`Regions::settle`], some more than once.
    newly_lending: Vec<VariableId>,
    /// Whether guesses do not count.
    pub is_bold: bool,
}

impl Regions {
    /// A new region.
    pub(super) fn add(&mut self, owner: Owner, is_dropped: bool) -> RegionId {
        self.all.push(Region { owner, is_dropped, last_flow: None });
        RegionId::new(self.all.len() - 1)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The region.
    pub(super) fn get(&self, region: RegionId) -> &Region {
        &self.all[region.index()]
    }

    /// Whether there is a flow that is a guess.
    pub(super) fn has_guesses(&self) -> bool {
        self.has_guesses
    }

    /// Whether anything is borrowed for longer than the body lasts.
    pub(super) fn flows_to_caller(&self) -> bool {
        self.flows_to_caller
    }

    /// From now on, what is borrowed for `from` is borrowed for `to` too.
    pub(super) fn flow(&mut self, from: RegionId, to: RegionId, at: At) {
        self.add_flow(from, to, at, false);
    }

    /// The same, to be on the safe side.
    pub(super) fn guess(&mut self, from: RegionId, to: RegionId, at: At) {
        self.has_guesses = true;
        self.add_flow(from, to, at, true);
    }

    fn add_flow(&mut self, from: RegionId, to: RegionId, at: At, is_guess: bool) {
        if from == to {
            return;
        }
        self.flows_to_caller |= self.get(to).owner == Owner::Caller;
        if let Owner::Variable(variable) = self.get(from).owner {
            self.newly_lending.push(variable);
        }
        let before = self.all[from.index()].last_flow.replace(self.flows.len() as u32);
        self.flows.push(Flow { to, at, is_guess, before });
    }

    /// Whose references newly flow on.
    pub(super) fn newly_lending(&self) -> impl Iterator<Item = VariableId> {
        self.newly_lending.iter().copied()
    }

    /// What flows by now is no longer new.
    pub(super) fn settle(&mut self) {
        self.newly_lending.clear();
    }

    /// The regions that `from` flows into, itself first.
    pub(super) fn reach(&self, from: RegionId, reach: &mut Reach) {
        reach.begin(self.len());
        reach.visit(from, None);
        let mut done = 0;
        while let Some(found) = reach.found.get(done) {
            let mut next = self.get(found.region).last_flow;
            while let Some(flow) = next.map(|flow| &self.flows[flow as usize]) {
                if !(flow.is_guess && self.is_bold) {
                    reach.visit(flow.to, Some((done, flow.at)));
                }
                next = flow.before;
            }
            done += 1;
        }
    }
}

/// The regions reached from one.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// In the order in which they were found.
    pub found: Vec<Reached>,
    /// The number of the search that last reached each region.
    reached_by: Vec<u32>,
    search: u32,
}

/// A region reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub region: RegionId,
    /// The one it was reached from, by its place in the list, and where.
    pub from: Option<(usize, At)>,
}

impl Reach {
    fn begin(&mut self, regions: usize) {
        self.found.clear();
        self.reached_by.resize(regions, 0);
        self.search += 1;
    }

    fn visit(&mut self, region: RegionId, from: Option<(usize, At)>) {
        if !self.has(region) {
            self.reached_by[region.index()] = self.search;
            self.found.push(Reached { region, from });
        }
    }

    /// Whether the region was reached.
    pub(super) fn has(&self, region: RegionId) -> bool {
        self.reached_by[region.index()] == self.search
    }

    /// How the region at this place of the list was reached: each region on the way, and where the way led into it.
    pub(super) fn way(&self, place: usize) -> Vec<(RegionId, At)> {
        let mut way = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next {
            let Reached { region, from } = self.found[place];
            way.push((region, from.map_or_else(At::default, |(_, at)| at)));
            next = from.map(|(before, _)| before);
        }
        way.reverse();
        way
    }
}
