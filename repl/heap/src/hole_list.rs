//! A list of holes: what the free-list family keeps of it beside the arena, and the walks through it.
//!
//! The links lie in the holes, in whatever words a heap has for them; [`HoleList`] is how it reads them. Where the list
//! starts, the rover, the index and the policy all these follow are a [`ListHead`], in the allocator itself.

use crate::fit::{Fit, Policy};
use crate::zones::{NIL, Zones};
use crate::{Broken, Observer, Offset, Order, Piece, Step, Structure, sandbox};

/// What a heap knows of its list without a look into the arena.
#[derive(Clone, Debug)]
pub(crate) struct ListHead<F, O> {
    fit: F,
    order: O,
    /// The first hole, or `NIL`.
    pub(crate) first: Offset,
    /// Where a search of next fit starts: a hole, or `NIL` for the first.
    pub(crate) rover: Offset,
    /// Filled only in address order.
    pub(crate) zones: Zones,
}

impl<F: Policy<Fit>, O: Policy<Order>> ListHead<F, O> {
    /// No holes yet, in an arena of so many bytes.
    pub(crate) fn new(fit: F, order: O, arena_bytes: u32) -> Self {
        Self { fit, order, first: NIL, rover: NIL, zones: Zones::new(arena_bytes) }
    }

    #[inline]
    pub(crate) fn fit(&self) -> Fit {
        self.fit.get()
    }

    #[inline]
    pub(crate) fn order(&self) -> Order {
        self.order.get()
    }

    #[inline]
    pub(crate) fn by_address(&self) -> bool {
        self.order() == Order::Address
    }

    /// Whether the index has something to say.
    #[inline]
    pub(crate) fn is_indexed(&self) -> bool {
        self.by_address() && !self.zones.is_one()
    }

    /// There is a hole, new or of a new size.
    #[inline]
    pub(crate) fn index(&mut self, hole: Piece) {
        if self.by_address() {
            self.zones.add(hole.at, hole.size_bytes);
        }
    }

    /// A hole goes; `next` is the one behind it, or `NIL`.
    #[inline]
    pub(crate) fn forget(&mut self, hole: Offset, next: Offset) {
        if self.by_address() {
            self.zones.remove(hole, next);
        }
    }

    /// A search has taken its hole: the next one starts at `at`.
    #[inline]
    pub(crate) fn searched_up_to(&mut self, at: Offset) {
        if self.fit() == Fit::Next {
            self.rover = at;
        }
    }

    /// If the rover is one of these holes, which are no more, it is the one at `at` now.
    #[inline]
    pub(crate) fn rover_follows(&mut self, gone: [Option<Offset>; 2], at: Offset) {
        // Most often there is none.
        if self.fit() == Fit::Next && gone != [None; 2] && gone.contains(&Some(self.rover)) {
            self.rover = at;
        }
    }

    /// The list, for drawing.
    pub(crate) fn structure(&self) -> Structure {
        let rover = if self.rover == NIL { self.first } else { self.rover };
        let rover = (self.fit() == Fit::Next && rover != NIL).then_some(rover);
        Structure::List { order: self.order(), rover }
    }

    /// What [`HoleList::check_head`] verifies, to stand behind a heap's own rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &'static str> {
        let indexed = self.is_indexed();
        let rover = self.fit() == Fit::Next || indexed;
        let rules = [
            (rover, "the rover is a hole, or nothing"),
            (indexed, "the index knows each zone's first hole, and the class of every hole"),
        ];
        rules.into_iter().filter_map(|(applies, rule)| applies.then_some(rule))
    }
}

/// A heap that keeps its holes in one list.
pub(crate) trait HoleList {
    type Fit: Policy<Fit>;
    type Order: Policy<Order>;

    fn head(&self) -> &ListHead<Self::Fit, Self::Order>;

    fn head_mut(&mut self) -> &mut ListHead<Self::Fit, Self::Order>;

    fn next(&self, hole: Offset) -> Offset;

    fn hole_bytes(&self, hole: Offset) -> u32;

    /// Where a block goes in `hole` so that its payload is aligned and what is left in front is no hole or a whole
    /// one.
    fn place(hole: Offset, align_bytes: u32) -> Offset;

    /// Whether a hole at `at` would lie inside the arena: to be asked before a link that may be damaged is followed.
    fn can_be_hole(&self, at: Offset) -> bool;

    /// More holes than this do not go into the arena.
    fn most_holes(&self) -> u32;

    #[inline]
    fn zones(&mut self) -> &mut Zones {
        &mut self.head_mut().zones
    }

    #[inline]
    fn by_address(&self) -> bool {
        self.head().by_address()
    }

    /// Whether the order allows `next` behind `hole`.
    fn is_in_order(&self, hole: Offset, next: Offset) -> bool {
        match self.head().order() {
            Order::Address => hole < next,
            Order::Lifo => hole != next,
            Order::Size => (self.hole_bytes(hole), hole) < (self.hole_bytes(next), next),
        }
    }

    /// Where `hole`, which is not in the list yet, belongs by its size: behind the one, before the other, or `NIL`.
    fn neighbours_by_size(&self, hole: Piece, observer: &mut impl Observer) -> (Offset, Offset) {
        let mut walk = Walk::through(self);
        let (mut prev, mut next) = (NIL, self.head().first);
        while next != NIL && (self.hole_bytes(next), next) < (hole.size_bytes, hole.at) {
            walk.past(next);
            prev = next;
            next = self.next(next);
        }
        observer.step(Step::Walked { holes: walk.holes });
        (prev, next)
    }

    /// The arena is `arena_bytes` long now: where it has outgrown an index of one zone, it gets another.
    fn refine_index(&mut self, arena_bytes: u32) {
        if self.zones().is_too_coarse_for(arena_bytes) {
            self.index_anew(Zones::new(arena_bytes));
        }
    }

    /// Fills a fresh index from the list.
    fn index_anew(&mut self, zones: Zones) {
        self.head_mut().zones = zones;
        let mut walk = Walk::through(self);
        let mut hole = self.head().first;
        while hole != NIL {
            walk.past(hole);
            let piece = Piece::hole(hole, self.hole_bytes(hole));
            self.head_mut().index(piece);
            hole = self.next(hole);
        }
    }

    /// The same heap with an index of one zone, so that every search walks.
    #[cfg(test)]
    fn without_index(mut self) -> Self
    where
        Self: Sized,
    {
        self.index_anew(Zones::new(0));
        self
    }

    /// The holes from the first on, as far as damaged links can be followed.
    fn listed(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut hole = self.head().first;
        let mut left = self.most_holes();
        std::iter::from_fn(move || {
            if left == 0 || !self.can_be_hole(hole) {
                return None;
            }
            left -= 1;
            let piece = Piece::hole(hole, self.hole_bytes(hole));
            hole = self.next(hole);
            Some(piece)
        })
    }

    /// The holes in the order a search looks at them: from the rover around to it again, or from the first.
    fn in_order_of_search(&self) -> impl Iterator<Item = Piece> + '_ {
        let head = self.head();
        let rover = if head.fit() == Fit::Next { head.rover } else { NIL };
        let mut around = rover == NIL;
        let mut hole = if around { head.first } else { rover };
        let mut left = self.most_holes();
        std::iter::from_fn(move || {
            if hole == NIL && !around {
                around = true;
                hole = head.first;
                if hole == rover {
                    hole = NIL;
                }
            }
            if left == 0 || !self.can_be_hole(hole) {
                return None;
            }
            left -= 1;
            let piece = Piece::hole(hole, self.hole_bytes(hole));
            hole = self.next(hole);
            if around && hole == rover {
                hole = NIL;
            }
            Some(piece)
        })
    }

    /// Whether rover and index agree with the list, whose own invariant is number `of_list`: it is whole, and ends.
    /// The rover's is number `of_rover`, the index's the one behind. Of one zone it is the list's first hole.
    fn check_head(&self, of_list: usize, of_rover: usize) -> Result<(), Broken> {
        let head = self.head();
        if head.rover != NIL && !self.listed().any(|hole| hole.at == head.rover) {
            return Err(Broken { invariant: of_rover, at: head.rover });
        }
        if !head.by_address() {
            return Ok(());
        }
        let invariant = if head.is_indexed() { of_rover + 1 } else { of_list };
        let (mut prev, mut leading) = (NIL, 0);
        for Piece { at, size_bytes, .. } in self.listed() {
            if !head.zones.agrees(prev, at, size_bytes) {
                return Err(Broken { invariant, at });
            }
            let leads = prev == NIL || head.zones.zone_of(prev) != head.zones.zone_of(at);
            leading += u32::from(leads);
            prev = at;
        }
        if leading != head.zones.occupied() {
            return Err(Broken { invariant, at: Offset(0) });
        }
        Ok(())
    }
}

/// Counts the holes a walk comes past. Where there are more than the arena has room for, the list leads around: a
/// program wrote past its block, and going on would never end.
pub(crate) struct Walk {
    pub(crate) holes: u32,
    most: u32,
}

impl Walk {
    #[inline]
    pub(crate) fn through(list: &(impl HoleList + ?Sized)) -> Self {
        Self { holes: 0, most: list.most_holes() }
    }

    #[inline]
    pub(crate) fn past(&mut self, hole: Offset) {
        self.holes += 1;
        if self.holes > self.most {
            leads_around(hole);
        }
    }
}

#[cold]
fn leads_around(hole: Offset) -> ! {
    sandbox::end_endless();
    panic!("the list of holes leads around, past {hole:?}");
}
