//! The references of a type, and how loans flow between regions.
//!
//! Each reference of each variable has a *region*: the points of the program at which what it borrowed must stay as it
//! is. Lifetimes are not part of a [`Type`], so a type is walked from outside in, and each reference it has gets a number:
//! its *slot*. `&Vec<&str>` has two. All the references of a struct count as one.

use crate::types::{Lib, Mutability, StructId, Structs, Type};

use super::graph::{RegionId, VariableId};
use crate::typed::At;

/// A reference of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// How many references it lies inside of.
    pub layer: u8,
    /// The slot of the innermost of these.
    pub outer: Option<usize>,
    /// Whether it must be the same on both sides of an assignment, because it can be written through what it lies in.
    pub is_invariant: bool,
    /// Whether the end of a value of the type may look through it: `Vec<&T>` does not, a struct with `impl Drop` does.
    pub is_dropped: bool,
}

/// The slots of a type, from outside in.
pub(super) fn slots(structs: &Structs, ty: &Type) -> Vec<Slot> {
    let mut walk = Walk { structs, slots: Vec::new(), inside: Vec::new() };
    walk.ty(ty, 0, None, false, true);
    walk.slots
}

/// How many slots a type has.
pub(super) fn slot_count(structs: &Structs, ty: &Type) -> usize {
    match ty {
        Type::Scalar(_) | Type::Str | Type::Never | Type::Param(_) | Type::Var(_) => 0,
        Type::Lib(Lib::String | Lib::TryReserveError, _) => 0,
        Type::Lib(Lib::Vec | Lib::Box | Lib::Option | Lib::Rc | Lib::Cell, args) => {
            slot_count(structs, &args[0])
        }
        Type::Ref(_, to) => 1 + slot_count(structs, to),
        Type::Array(inner, _) | Type::Slice(inner) => slot_count(structs, inner),
        _ => slots(structs, ty).len(),
    }
}

struct Walk<'a> {
    structs: &'a Structs,
    slots: Vec<Slot>,
    /// The structs around, so that one that holds itself in a `Box` ends.
    inside: Vec<StructId>,
}

impl Walk<'_> {
    fn ty(
        &mut self,
        ty: &Type,
        layer: u8,
        outer: Option<usize>,
        is_invariant: bool,
        is_owned: bool,
    ) {
        match ty {
            Type::Scalar(_) | Type::Str | Type::Never | Type::Param(_) | Type::Var(_) => {}
            Type::Tuple(items) => {
                for item in items.iter() {
                    self.ty(item, layer, outer, is_invariant, is_owned);
                }
            }
            Type::Array(inner, _) | Type::Slice(inner) => {
                self.ty(inner, layer, outer, is_invariant, is_owned);
            }
            Type::Ref(mutability, to) => {
                self.slots.push(Slot { layer, outer, is_invariant, is_dropped: false });
                let outer = Some(self.slots.len() - 1);
                let is_written = *mutability == Mutability::Mut;
                self.ty(to, layer + 1, outer, is_invariant || is_written, false);
            }
            Type::Struct(id, _) => self.structure(*id, layer, outer, is_invariant, is_owned),
            Type::Lib(lib @ (Lib::RefGuard | Lib::RefMutGuard | Lib::Iter), args) => {
                let is_guard = *lib != Lib::Iter;
                let is_dropped = is_owned && is_guard;
                self.slots.push(Slot { layer, outer, is_invariant, is_dropped });
                let outer = Some(self.slots.len() - 1);
                let is_written = *lib == Lib::RefMutGuard;
                self.ty(&args[0], layer + 1, outer, is_invariant || is_written, false);
            }
            Type::Lib(lib, args) => {
                let is_written = matches!(lib, Lib::Cell | Lib::RefCell);
                // The end of a `Weak` does not touch the value.
                let is_owned = is_owned && *lib != Lib::Weak;
                for arg in args.iter() {
                    self.ty(arg, layer, outer, is_invariant || is_written, is_owned);
                }
            }
        }
    }

    fn structure(
        &mut self,
        id: StructId,
        layer: u8,
        outer: Option<usize>,
        is_invariant: bool,
        is_owned: bool,
    ) {
        if self.inside.contains(&id) {
            return;
        }
        self.inside.push(id);
        let of = self.structs.get(id);
        let mut fields =
            Walk { structs: self.structs, slots: Vec::new(), inside: self.inside.clone() };
        for field in &of.fields {
            fields.ty(&field.ty, 0, None, false, true);
        }
        self.inside.pop();
        if fields.slots.is_empty() {
            return;
        }
        let is_written = fields.slots.iter().any(|slot| slot.is_invariant);
        let looks = of.drop.is_some() || fields.slots.iter().any(|slot| slot.is_dropped);
        self.slots.push(Slot {
            layer,
            outer,
            is_invariant: is_invariant || is_written,
            is_dropped: is_owned && looks,
        });
    }
}

/// Who a region belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A variable or temporary: the region holds the points at which it is live.
    Variable(VariableId),
    /// The caller, or the whole program: the region holds every point.
    Caller,
}

/// A region.
#[derive(Clone, Debug)]
pub(super) struct Region {
    /// Who it belongs to.
    pub owner: Owner,
    /// Whether the end of its variable may look through it.
    pub is_dropped: bool,
    first_flow: u32,
}

/// Loans in a region are also in `to`.
#[derive(Clone, Debug)]
struct Flow {
    to: RegionId,
    at: At,
    next: u32,
}

const NO_FLOW: u32 = u32::MAX;

/// The regions of a body and what flows between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    regions: Vec<Region>,
    flows: Vec<Flow>,
}

impl Regions {
    /// A new region.
    pub(super) fn add(&mut self, owner: Owner, is_dropped: bool) -> RegionId {
        self.regions.push(Region { owner, is_dropped, first_flow: NO_FLOW });
        RegionId::new(self.regions.len() - 1)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.regions.len()
    }

    /// The region.
    pub(super) fn get(&self, region: RegionId) -> &Region {
        &self.regions[region.index()]
    }

    /// From now on, what is borrowed for `from` is borrowed for `to` too.
    pub(super) fn flow(&mut self, from: RegionId, to: RegionId, at: At) {
        if from == to {
            return;
        }
        let next = self.regions[from.index()].first_flow;
        self.regions[from.index()].first_flow = self.flows.len() as u32;
        self.flows.push(Flow { to, at, next });
    }

    /// The regions that `from` flows into, itself first, each with the region it was reached from and where.
    pub(super) fn reach(&self, from: RegionId, reach: &mut Reach) {
        reach.clear(self.len());
        reach.visit(from, None);
        let mut done = 0;
        while let Some(&(region, _)) = reach.found.get(done) {
            let mut next = self.regions[region.index()].first_flow;
            while next != NO_FLOW {
                let flow = &self.flows[next as usize];
                reach.visit(flow.to, Some((done as u32, flow.at)));
                next = flow.next;
            }
            done += 1;
        }
    }
}

/// A set of regions reached from one, kept to be used again.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// In the order they were found, with who led there and where.
    pub found: Vec<(RegionId, Option<(u32, At)>)>,
    stamps: Vec<u32>,
    stamp: u32,
}

impl Reach {
    fn clear(&mut self, regions: usize) {
        self.found.clear();
        self.stamps.resize(regions, 0);
        self.stamp += 1;
    }

    fn visit(&mut self, region: RegionId, from: Option<(u32, At)>) {
        let stamp = &mut self.stamps[region.index()];
        if *stamp != self.stamp {
            *stamp = self.stamp;
            self.found.push((region, from));
        }
    }

    /// Whether the region was reached.
    pub(super) fn has(&self, region: RegionId) -> bool {
        self.stamps.get(region.index()).is_some_and(|stamp| *stamp == self.stamp)
    }
}
