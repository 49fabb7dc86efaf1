//! Which hole a request gets, and in what order the holes are kept: what the heaps of the free-list family share.
//!
//! | fit | takes | searches |
//! |---|---|---|
//! | first | the first hole that fits | from the list's head |
//! | next | the first hole that fits | from where the last search ended, the rover (Knuth), around to it again |
//! | best | the smallest that fits, of equals the first | the whole list, or up to an exact fit |
//! | worst | the largest that fits, of equals the first | the whole list |
//!
//! In address order, and in an arena of more than 64 KiB, an index ([`crate::zones`]) lets a search pass over zones
//! whose holes cannot be taken. It finds the same hole, and tells the observer what it passed over.
//!
//! A policy is a value. [`First`], [`ByAddress`] and the like are values of no bytes, so that a program's heap is
//! compiled for its one policy; [`Fit`] and [`Order`] are the same as data, so that the prompt needs one compiled
//! heap for all.
//!
//! Worst cases. Let M units be live at most, in blocks of 1 to n units. Whatever the policy, an allocator that never
//! moves a block can be made to need about ½ M log₂ n units (Robson, "Bounds for some functions concerning dynamic
//! storage allocation", JACM 21(3), 1974). First fit never needs more than about M log₂ n; best fit can be made to
//! need about M n (Robson, "Worst case fragmentation of first fit and best fit storage allocation strategies", The
//! Computer Journal 20(3), 1977). Real programs come nowhere near: on five recorded ones the two without headers
//! waste 0.2 to 6 per cent. Next fit spreads small blocks over the whole arena and leaves fewer large holes (Bays, "A
//! comparison of next-fit, first-fit, and best-fit", CACM 20(3), 1977); worst fit cuts up every large hole it has.

use memory::Pages;

use crate::hole_list::{HoleList, Walk};
use crate::zones::{NIL, ZoneSet, class_bit, classes_from};
use crate::{
    Build, FreeList, Headerless, Heap, Info, Observer, Offset, OptionInfo, Order, Origin, Spec,
    Step, Takes,
};

/// Which of the holes that fit a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The first one in the list.
    First,
    /// The first one from where the last search ended.
    Next,
    /// The smallest.
    Best,
    /// The largest.
    Worst,
}

/// A [`Fit`] or an [`Order`]: as a type of its own, or as data.
pub trait Policy<T>: Copy + Send + Sync {
    /// The policy as data.
    fn get(self) -> T;
}

macro_rules! policies {
    ($($(#[doc = $doc:literal])* $name:ident is $data:ident::$variant:ident;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, Default)]
            pub struct $name;

            impl Policy<$data> for $name {
                #[inline]
                fn get(self) -> $data {
                    $data::$variant
                }
            }
        )*
    };
}

policies! {
    /// [`Fit::First`] as a type.
    First is Fit::First;
    /// [`Fit::Next`] as a type.
    Next is Fit::Next;
    /// [`Fit::Best`] as a type.
    Best is Fit::Best;
    /// [`Fit::Worst`] as a type.
    Worst is Fit::Worst;
    /// [`Order::Address`] as a type.
    ByAddress is Order::Address;
    /// [`Order::Lifo`] as a type.
    Lifo is Order::Lifo;
    /// [`Order::Size`] as a type.
    BySize is Order::Size;
}

impl Policy<Self> for Fit {
    #[inline]
    fn get(self) -> Self {
        self
    }
}

impl Policy<Self> for Order {
    #[inline]
    fn get(self) -> Self {
        self
    }
}

const OPTIONS: &[OptionInfo] = &[
    OptionInfo { key: "order", takes: Takes::Choice(&["address", "lifo", "size"]) },
    OptionInfo { key: "header", takes: Takes::Choice(&["tags", "none"]) },
];

/// A row of the table. Its `build` is one line: [`heap`] with the row's fit.
const fn row(
    name: &'static str,
    summary: &'static str,
    details: &'static str,
    build: Build,
) -> Info {
    Info { name, summary, details, options: OPTIONS, inner: &[], origin: Origin::Ours, build }
}

fn heap(fit: Fit, spec: &Spec, len: u32) -> Box<dyn Heap> {
    let order = match spec.choice("order") {
        "address" => Order::Address,
        "lifo" => Order::Lifo,
        _ => Order::Size,
    };
    let memory = Pages::new(len);
    match spec.choice("header") {
        "tags" => Box::new(FreeList::with(memory, fit, order)),
        _ => Box::new(Headerless::with(memory, fit, order)),
    }
}

impl FreeList<Pages, First> {
    /// The row of first fit.
    pub const INFO: Info = row(
        "first-fit",
        "a list of holes; the first that fits is split",
        "Holes are split when too large and joined when neighbours. With tags each block has a header of 8 bytes that knows its size and that of the block in front; header=none keeps 8 bytes in each hole instead, and finds neighbours by walking the list. Small holes gather at the front of the list.",
        |spec, len| Ok(heap(Fit::First, spec, len)),
    );
}

impl FreeList<Pages, Next> {
    /// The row of next fit.
    pub const INFO: Info = row(
        "next-fit",
        "first-fit that goes on where it stopped last",
        "The search starts at the hole behind the last one taken, and goes around. Shorter searches than first-fit, and more fragmentation: blocks spread over the whole arena, and no large hole is left anywhere.",
        |spec, len| Ok(heap(Fit::Next, spec, len)),
    );
}

impl FreeList<Pages, Best> {
    /// The row of best fit.
    pub const INFO: Info = row(
        "best-fit",
        "a list of holes; the smallest that fits is split",
        "Every hole is looked at, unless one fits exactly or the list is in order of size. Large holes last longest; what is left of a split is often too small for anything.",
        |spec, len| Ok(heap(Fit::Best, spec, len)),
    );
}

impl FreeList<Pages, Worst> {
    /// The row of worst fit.
    pub const INFO: Info = row(
        "worst-fit",
        "a list of holes; the largest is split",
        "The idea is to leave a rest that is large enough to use. It uses up the large holes first, so that large requests fail early.",
        |spec, len| Ok(heap(Fit::Worst, spec, len)),
    );
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The block's bytes.
    pub(crate) need: u32,
    pub(crate) align_bytes: u32,
}

/// A hole that holds the request.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// The hole in front of it in the list, `NIL` at the head; `None` if the search did not come past it.
    pub(crate) prev: Option<Offset>,
    pub(crate) hole: Offset,
    pub(crate) hole_bytes: u32,
    /// Where the block will start: the hole's start, or further up for alignment.
    pub(crate) block: Offset,
}

/// So few zones with holes are walked faster than sorted out.
const FEW_ZONES: u32 = 8;

/// Finds the hole that `list`'s fit takes.
#[inline]
pub(crate) fn find<L: HoleList>(
    list: &mut L,
    wanted: Wanted,
    observer: &mut impl Observer,
) -> Option<Found> {
    let head = list.head().first;
    let indexed = list.head().is_indexed();
    match (list.head().fit(), list.head().order()) {
        // By size, the first that fits is the smallest.
        (Fit::First, _) | (Fit::Best, Order::Size) => {
            first(list, Some(NIL), head, NIL, indexed, wanted, observer)
        }
        (Fit::Next, _) => {
            let rover = list.head().rover;
            if rover == NIL || rover == head {
                return first(list, Some(NIL), head, NIL, indexed, wanted, observer);
            }
            first(list, None, rover, NIL, indexed, wanted, observer)
                .or_else(|| first(list, Some(NIL), head, rover, indexed, wanted, observer))
        }
        _ if indexed && list.zones().occupied() > FEW_ZONES => {
            extreme_by_zone(list, wanted, observer)
        }
        _ => extreme(list, wanted, observer),
    }
}

/// Looks at one hole.
#[inline]
fn look<L: HoleList>(
    list: &L,
    prev: Option<Offset>,
    hole: Offset,
    wanted: Wanted,
    observer: &mut impl Observer,
) -> (u32, Option<Found>) {
    let hole_bytes = list.hole_bytes(hole);
    let block = L::place(hole, wanted.align_bytes);
    let fits = block.plus(wanted.need) <= hole.plus(hole_bytes);
    observer.step(Step::Looked { at: hole, size_bytes: hole_bytes, fits });
    (hole_bytes, fits.then_some(Found { prev, hole, hole_bytes, block }))
}

/// The first hole that fits, from `hole`, which is behind `prev`, up to `stop`.
#[inline]
fn first<L: HoleList>(
    list: &mut L,
    mut prev: Option<Offset>,
    mut hole: Offset,
    stop: Offset,
    indexed: bool,
    wanted: Wanted,
    observer: &mut impl Observer,
) -> Option<Found> {
    let mut walk = Walk::through(list);
    if !indexed {
        while hole != NIL && hole != stop {
            walk.past(hole);
            if let (_, Some(found)) = look(list, prev, hole, wanted, observer) {
                return Some(found);
            }
            prev = Some(hole);
            hole = list.next(hole);
        }
        return None;
    }
    let classes = classes_from(wanted.need);
    while hole < stop {
        let zone = list.zones().zone_of(hole);
        let mut unseen = zone;
        if list.zones().may_have(zone, classes) {
            let end = list.zones().end_of(zone).min(stop);
            let from_its_first = list.zones().first_in(zone) == hole;
            let mut seen = 0;
            while hole < end {
                walk.past(hole);
                let (hole_bytes, found) = look(list, prev, hole, wanted, observer);
                if found.is_some() {
                    return found;
                }
                seen |= class_bit(hole_bytes);
                prev = Some(hole);
                hole = list.next(hole);
            }
            if hole == stop {
                return None;
            }
            if from_its_first {
                list.zones().set_classes(zone, seen);
            }
            unseen = zone + 1;
        }
        let zones = list.zones();
        let candidate = zones.next_with(unseen, classes);
        let last = if stop == NIL { usize::MAX } else { zones.zone_of(stop) };
        let to = candidate.unwrap_or(usize::MAX).min(last);
        tell_skipped(zones.occupied_between(unseen, to), zones.zone_bytes(), observer);
        let next = candidate.map_or(NIL, |zone| zones.first_in(zone));
        if next != hole {
            (prev, hole) = (None, next);
        }
    }
    None
}

fn tell_skipped(zones: u32, zone_bytes: u32, observer: &mut impl Observer) {
    if zones > 0 {
        observer.step(Step::Skipped { zones, zone_bytes });
    }
}

/// Whether best or worst fit takes `new` and not `old`. Of equals the lower one, as a walk by address would.
#[inline]
fn is_better(fit: Fit, new: &Found, old: &Found) -> bool {
    match fit {
        Fit::Worst => new.hole_bytes > old.hole_bytes,
        _ => new.hole_bytes < old.hole_bytes,
    }
}

/// The smallest or the largest hole that fits: a walk through the list.
fn extreme<L: HoleList>(list: &L, wanted: Wanted, observer: &mut impl Observer) -> Option<Found> {
    let fit = list.head().fit();
    let mut taken: Option<Found> = None;
    let (mut prev, mut hole) = (NIL, list.head().first);
    let mut walk = Walk::through(list);
    while hole != NIL {
        walk.past(hole);
        let (_, found) = look(list, Some(prev), hole, wanted, observer);
        if let Some(found) = found {
            if taken.is_none_or(|taken| is_better(fit, &found, &taken)) {
                taken = Some(found);
            }
            if fit == Fit::Best && found.hole_bytes == wanted.need {
                break;
            }
        }
        prev = hole;
        hole = list.next(hole);
    }
    taken
}

/// The same with the index: the zones that may have a hole of the best class, then those of the next best. A zone is
/// walked once, and whole, so that the index knows its classes again.
fn extreme_by_zone<L: HoleList>(
    list: &mut L,
    wanted: Wanted,
    observer: &mut impl Observer,
) -> Option<Found> {
    let fit = list.head().fit();
    let mut classes = list.zones().all_classes() & classes_from(wanted.need);
    let mut walked = ZoneSet::default();
    let mut taken: Option<Found> = None;
    while classes != 0 {
        let class = match fit {
            Fit::Worst => 1 << classes.ilog2(),
            _ => classes & classes.wrapping_neg(),
        };
        classes &= !class;
        let mut from = 0;
        while let Some(zone) = list.zones().next_with(from, class) {
            from = zone + 1;
            if !walked.insert(zone) {
                continue;
            }
            let exact = walk_zone(list, zone, wanted, &mut taken, observer);
            if exact {
                classes = 0;
                break;
            }
        }
        if taken.is_some_and(|taken| class_bit(taken.hole_bytes) == class) {
            break;
        }
    }
    let zones = list.zones();
    tell_skipped(zones.occupied() - walked.count(), zones.zone_bytes(), observer);
    taken
}

/// Looks at the holes of `zone`, and says whether best fit has found one without a rest.
#[inline]
fn walk_zone<L: HoleList>(
    list: &mut L,
    zone: usize,
    wanted: Wanted,
    taken: &mut Option<Found>,
    observer: &mut impl Observer,
) -> bool {
    let fit = list.head().fit();
    let (mut hole, end) = (list.zones().first_in(zone), list.zones().end_of(zone));
    let (mut prev, mut seen) = (None, 0);
    let mut walk = Walk::through(list);
    while hole < end {
        walk.past(hole);
        let (hole_bytes, found) = look(list, prev, hole, wanted, observer);
        if let Some(found) = found {
            let replaces = taken.as_ref().is_none_or(|taken| {
                is_better(fit, &found, taken)
                    || found.hole_bytes == taken.hole_bytes && found.hole < taken.hole
            });
            if replaces {
                *taken = Some(found);
            }
            if fit == Fit::Best && hole_bytes == wanted.need {
                return true;
            }
        }
        seen |= class_bit(hole_bytes);
        prev = Some(hole);
        hole = list.next(hole);
    }
    list.zones().set_classes(zone, seen);
    false
}

/// What holds for every heap of the family: each fit in each order, with headers and without.
#[cfg(test)]
mod tests {
    use std::alloc::Layout;
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use proptest::prelude::*;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    use super::*;
    use crate::{Census, Full, MAX_ALIGN, MAX_ARENA, Piece, PieceKind, Placement, Value, named};

    fn layout(size: u32, align: u32) -> Layout {
        Layout::from_size_align(size as usize, align as usize).unwrap()
    }

    /// What `use` would be told.
    fn specs() -> Vec<Spec> {
        let mut specs = Vec::new();
        for name in ["first-fit", "next-fit", "best-fit", "worst-fit"] {
            for order in ["address", "lifo", "size"] {
                for header in ["tags", "none"] {
                    let mut spec = Spec::plain(named(name).unwrap());
                    spec.options =
                        vec![("order", Value::Choice(order)), ("header", Value::Choice(header))];
                    specs.push(spec);
                }
            }
        }
        specs
    }

    fn runner(cases: u32) -> TestRunner {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(ProptestConfig::with_cases(cases), rng)
    }

    #[derive(Clone, Debug)]
    enum Op {
        Alloc { size: u32, align: u32 },
        Free { which: usize },
        Realloc { which: usize, size: u32 },
    }

    fn op() -> impl Strategy<Value = Op> {
        let size = prop_oneof![4 => 1..64u32, 2 => 64..600u32, 1 => 600..9000u32];
        let align = prop_oneof![6 => 0..4u32, 1 => 4..13u32].prop_map(|power| 1 << power);
        prop_oneof![
            4 => (size.clone(), align).prop_map(|(size, align)| Op::Alloc { size, align }),
            3 => any::<usize>().prop_map(|which| Op::Free { which }),
            2 => (any::<usize>(), size).prop_map(|(which, size)| Op::Realloc { which, size }),
        ]
    }

    /// Live blocks by their offset, each with its layout and the byte it is filled with.
    #[derive(Default)]
    struct Oracle {
        live: BTreeMap<u32, (Layout, u8)>,
        next: u8,
    }

    impl Oracle {
        fn place(&mut self, heap: &mut dyn Heap, placed: Placement, layout: Layout) {
            let (at, end) = (placed.at.0, placed.at.0 + placed.granted_bytes);
            assert!(placed.granted_bytes as usize >= layout.size());
            assert!(at.is_multiple_of(layout.align() as u32) && end <= heap.len());
            if let Some((start, (other, _))) = self.live.range(..end).next_back() {
                assert!(start + other.size() as u32 <= at, "{placed:?} meets {start}: {other:?}");
            }
            self.next = self.next.wrapping_add(1);
            heap.fill(placed.at..placed.at.plus(placed.granted_bytes), self.next);
            self.live.insert(at, (layout, self.next));
        }

        fn pick(&self, which: usize) -> Option<(u32, Layout, u8)> {
            let (&at, &(layout, byte)) = self.live.iter().nth(which % self.live.len().max(1))?;
            Some((at, layout, byte))
        }

        /// Where the op placed a block, if it did.
        fn run(&mut self, heap: &mut dyn Heap, op: &Op) -> Option<Placement> {
            match *op {
                Op::Alloc { size, align } => {
                    let layout = layout(size, align);
                    let placed = heap.allocate(layout, &mut ()).ok()?;
                    self.place(heap, placed, layout);
                    Some(placed)
                }
                Op::Free { which } => {
                    let (at, layout, _) = self.pick(which)?;
                    self.live.remove(&at);
                    heap.deallocate(Offset(at), layout, &mut ());
                    None
                }
                Op::Realloc { which, size } => {
                    let (at, old, byte) = self.pick(which)?;
                    let placed = heap.reallocate(Offset(at), old, size, &mut ()).ok()?;
                    Self::judge(heap, placed.at, size.min(old.size() as u32), byte);
                    self.live.remove(&at);
                    self.place(heap, placed, layout(size, old.align() as u32));
                    Some(placed)
                }
            }
        }

        fn judge(heap: &dyn Heap, at: Offset, len: u32, byte: u8) {
            let mut bytes = vec![0; len as usize];
            heap.read(at, &mut bytes);
            assert!(bytes.iter().all(|&found| found == byte), "the block at {at:?} lost its bytes");
        }

        fn check(&self, heap: &dyn Heap) {
            for (&at, &(layout, byte)) in &self.live {
                Self::judge(heap, Offset(at), layout.size() as u32, byte);
            }
            let census = heap.check().unwrap();
            let mut end = Offset(0);
            let (mut blocks, mut holes) = (0, 0);
            for piece in heap.pieces() {
                assert_eq!(piece.at, end);
                end = piece.end();
                blocks += u32::from(piece.kind == PieceKind::Block);
                holes += u32::from(piece.kind == PieceKind::Hole);
            }
            assert_eq!((end.0, holes), (heap.len(), census.holes));
            assert!(blocks == 0 || blocks as usize == self.live.len());
            assert_eq!(heap.holes().count(), holes as usize);
        }
    }

    #[test]
    fn random_programs_agree_with_the_oracle() {
        // One zone, and thirty-two.
        for arena_bytes in [8 << 10, 128 << 10] {
            for spec in specs() {
                let programs = prop::collection::vec(op(), 0..150);
                let verdict = runner(30).run(&programs, |ops| {
                    let mut heap = spec.build(arena_bytes).unwrap();
                    let mut oracle = Oracle::default();
                    for op in &ops {
                        oracle.run(&mut *heap, op);
                        oracle.check(&*heap);
                    }
                    while oracle.pick(0).is_some() {
                        oracle.run(&mut *heap, &Op::Free { which: 0 });
                    }
                    assert_eq!(heap.check(), Ok(Census { used: 0, holes: 1 }));
                    assert_eq!(heap.holes().next(), Some(Piece::hole(Offset(0), arena_bytes)));
                    Ok(())
                });
                verdict.unwrap_or_else(|failure| panic!("{spec}: {failure}"));
            }
        }
    }

    /// Random numbers that are the same on every host (Marsaglia's xorshift).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            ((self.0 >> 33) % u64::from(bound)) as u32
        }

        /// From 1 to 2,047, each power of two as often as the next.
        fn size(&mut self) -> u32 {
            let power = self.below(11);
            (1 << power) + self.below(1 << power)
        }
    }

    /// The index is there for speed alone.
    #[test]
    fn the_index_finds_the_hole_that_a_walk_finds() {
        // In the small arena next fit comes around, and requests are refused.
        for (arena_bytes, large) in [(160 << 10, false), (12 << 20, true)] {
            for fit in [Fit::First, Fit::Next, Fit::Best, Fit::Worst] {
                let tags = FreeList::with(Pages::new(arena_bytes), fit, ByAddress);
                let none = Headerless::with(Pages::new(arena_bytes), fit, ByAddress);
                let pairs: [[Box<dyn Heap>; 2]; 2] = [
                    [Box::new(tags.clone()), Box::new(tags.without_index())],
                    [Box::new(none.clone()), Box::new(none.without_index())],
                ];
                for mut heaps in pairs {
                    index_or_walk(fit, &mut heaps, large);
                }
            }
        }
    }

    fn index_or_walk(fit: Fit, heaps: &mut [Box<dyn Heap>; 2], large: bool) {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut live = Vec::new();
        for round in 0..4 {
            // A large block each round moves the free end up, so that the index pairs its zones, full as they are.
            let large = (large && round > 0).then_some(1 << (19 + round));
            for step in 0..1500 {
                let grows = live.len() < 300 || dice.below(100) < 52;
                if !grows && step > 0 {
                    let (at, layout) = live.swap_remove(dice.below(live.len() as u32) as usize);
                    for heap in heaps.iter_mut() {
                        heap.deallocate(at, layout, &mut ());
                    }
                    continue;
                }
                let align = if dice.below(8) > 0 { 8 } else { 1 << dice.below(10) };
                let layout = match large {
                    Some(bytes) if step == 0 => layout(bytes, 8),
                    _ => layout(dice.size(), align),
                };
                let [with, without] = heaps.each_mut().map(|heap| heap.allocate(layout, &mut ()));
                assert_eq!(with, without, "{fit:?}, round {round}, step {step}: {layout:?}");
                live.extend(with.ok().map(|placed| (placed.at, layout)));
                if step % 50 == 0 {
                    heaps[0].check().unwrap();
                }
            }
        }
        assert!(heaps[0].pieces().eq(heaps[1].pieces()));
        let holes = heaps[0].holes().count();
        assert!(holes > 20, "{fit:?}: {holes} holes make no test");
    }

    #[test]
    fn a_search_tells_what_it_passed_over() {
        let mut heap = Spec::plain(named("first-fit").unwrap()).build(128 << 10).unwrap();
        let small: Vec<_> =
            (0..1000).map(|_| heap.allocate(layout(56, 8), &mut ()).unwrap().at).collect();
        for &at in small.iter().step_by(2) {
            heap.deallocate(at, layout(56, 8), &mut ());
        }
        let mut steps = Vec::new();
        heap.allocate(layout(4000, 8), &mut steps).unwrap();
        // 64,000 bytes of holes too small: fifteen zones, and the sixteenth has the large hole too.
        assert_eq!(steps[0], Step::Skipped { zones: 15, zone_bytes: 4096 });
        assert!(matches!(steps.last(), Some(Step::Cut { at: Offset(64_000), .. })), "{steps:?}");
    }

    #[test]
    fn a_checkpoint_copies_less_than_8_kib() {
        assert!(size_of::<FreeList<Pages, Fit, Order>>() < 8192);
        assert!(size_of::<Headerless<Pages, Fit, Order>>() < 8192);
    }

    #[test]
    fn in_a_small_arena_every_hole_is_looked_at_or_walked_past() {
        for spec in specs() {
            let mut heap = spec.build(64 << 10).unwrap();
            let mut steps = Vec::new();
            let blocks: Vec<_> =
                (0..100).map(|_| heap.allocate(layout(56, 8), &mut steps).unwrap().at).collect();
            for &at in blocks.iter().step_by(2) {
                heap.deallocate(at, layout(56, 8), &mut steps);
            }
            heap.allocate(layout(100, 8), &mut steps).unwrap();
            assert!(!steps.iter().any(|step| matches!(step, Step::Skipped { .. })), "{spec}");
        }
    }

    #[test]
    fn an_arena_that_grows_gets_an_index() {
        for spec in specs() {
            let mut heap = spec.build(32 << 10).unwrap();
            let mut oracle = Oracle::default();
            for i in 0..60 {
                oracle.run(&mut *heap, &Op::Alloc { size: 1 + i * 7 % 90, align: 8 });
                oracle.run(&mut *heap, &Op::Free { which: i as usize * 5 * (i as usize % 2) });
            }
            heap.grow(1 << 20, &mut ());
            oracle.check(&*heap);
            heap.grow(4 << 20, &mut ());
            oracle.run(&mut *heap, &Op::Alloc { size: 3 << 20, align: 4096 }).unwrap();
            oracle.check(&*heap);
        }
    }

    /// A program, then words of its holes and headers overwritten.
    #[test]
    fn check_survives_any_damage_and_every_walk_ends() {
        for spec in specs() {
            let damage = prop_oneof![
                any::<u32>(),
                (0..80u32 << 10).prop_map(|word| word & !7),
                Just(0),
                Just(u32::MAX)
            ];
            let damages = prop::collection::vec((any::<prop::sample::Index>(), damage), 1..6);
            let verdict = runner(64).run(&(prop::collection::vec(op(), 0..60), damages), |case| {
                let (ops, damages) = case;
                for arena_bytes in [4 << 10, 80 << 10] {
                    let mut heap = spec.build(arena_bytes).unwrap();
                    let mut oracle = Oracle::default();
                    for op in &ops {
                        oracle.run(&mut *heap, op);
                    }
                    // Near a hole or a header, where it hurts.
                    let starts: Vec<_> = heap.pieces().map(|piece| piece.at.0).collect();
                    for (place, word) in &damages {
                        let at = starts[place.index(starts.len())] + (place.index(4) as u32) * 4;
                        if at + 4 <= arena_bytes {
                            heap.write(Offset(at), &word.to_le_bytes());
                        }
                    }
                    let _ = heap.check();
                    // A damaged word may stop the program; it must not keep it.
                    for size in [8, 700, 5000] {
                        let mut heap = heap.clone();
                        let _ = catch_unwind(AssertUnwindSafe(|| {
                            let _ = heap.allocate(layout(size, 8), &mut ());
                            if let Some((at, old, _)) = oracle.pick(size as usize) {
                                let _ = heap.reallocate(Offset(at), old, 2 * size, &mut ());
                            }
                            if let Some((at, old, _)) = oracle.pick(size as usize + 1) {
                                heap.deallocate(Offset(at), old, &mut ());
                            }
                        }));
                    }
                    assert!(heap.pieces().count() + heap.holes().count() <= arena_bytes as usize);
                }
                Ok(())
            });
            verdict.unwrap_or_else(|failure| panic!("{spec}: {failure}"));
        }
    }

    // Bugs that bit others.

    #[test]
    fn alignment_padding_is_not_leaked_blog_os_796() {
        for spec in specs() {
            let mut heap = spec.build(4096).unwrap();
            let aligned = layout(64, 1024);
            let a = heap.allocate(layout(8, 8), &mut ()).unwrap().at;
            let b = heap.allocate(aligned, &mut ()).unwrap().at;
            let c = heap.allocate(layout(500, 8), &mut ()).unwrap().at;
            heap.deallocate(b, aligned, &mut ());
            heap.deallocate(a, layout(8, 8), &mut ());
            heap.deallocate(c, layout(500, 8), &mut ());
            assert_eq!(heap.holes().next(), Some(Piece::hole(Offset(0), 4096)), "{spec}");
            heap.check().unwrap();
        }
    }

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for spec in specs() {
            for arena_bytes in [0, 8, 16, 24] {
                let mut heap = spec.build(arena_bytes).unwrap();
                heap.check().unwrap();
                let least = heap.need(layout(1, 1)).block_bytes() as u32;
                let placed = heap.allocate(layout(1, 1), &mut ());
                assert_eq!(placed.is_ok(), arena_bytes >= least, "{spec} in {arena_bytes}");
                assert_eq!(heap.allocate(layout(arena_bytes + 1, 8), &mut ()), Err(Full), "{spec}");
                heap.check().unwrap();
                heap.grow(arena_bytes + 64, &mut ());
                heap.check().unwrap();
                assert!(heap.allocate(layout(24, 8), &mut ()).is_ok(), "{spec}");
            }
        }
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79_and_nothing_overflows_embedded_alloc_125() {
        for spec in specs() {
            for arena_bytes in [1024, 256 << 10, MAX_ARENA] {
                let mut heap = spec.build(arena_bytes).unwrap();
                let a = heap.allocate(layout(24, 8), &mut ()).unwrap().at;
                let before = (heap.holes().collect::<Vec<_>>(), heap.check());
                for size in [u64::from(arena_bytes), 1 << 30, (1 << 32) - 8, 1 << 32, u64::MAX / 4]
                {
                    for align in [1, 8, 4096, MAX_ALIGN] {
                        let huge = Layout::from_size_align(size as usize, align as usize).unwrap();
                        assert!(heap.need(huge).block_bytes() >= size);
                        assert_eq!(heap.allocate(huge, &mut ()), Err(Full), "{spec}: {huge:?}");
                    }
                    let new_bytes = (size + 1).min(u64::from(u32::MAX)) as u32;
                    assert_eq!(heap.resize(a, layout(24, 8), new_bytes, &mut ()), Err(Full));
                }
                assert_eq!(before, (heap.holes().collect(), heap.check()), "{spec}");
            }
        }
    }

    #[test]
    fn a_high_alignment_lies_inside_its_block_bumpalo_19() {
        for spec in specs() {
            let mut heap = spec.build(512 << 10).unwrap();
            let mut oracle = Oracle::default();
            for align in (0..=16).map(|power| 1 << power) {
                oracle.run(&mut *heap, &Op::Alloc { size: 1, align: 1 }).unwrap();
                oracle.run(&mut *heap, &Op::Alloc { size: 24, align }).unwrap();
                oracle.check(&*heap);
            }
        }
    }

    #[test]
    fn a_failed_realloc_leaves_the_block_as_it_was() {
        for spec in specs() {
            let mut heap = spec.build(1024).unwrap();
            let mut oracle = Oracle::default();
            oracle.run(&mut *heap, &Op::Alloc { size: 100, align: 8 }).unwrap();
            oracle.run(&mut *heap, &Op::Alloc { size: 100, align: 8 }).unwrap();
            let before: Vec<_> = heap.pieces().collect();
            assert_eq!(oracle.run(&mut *heap, &Op::Realloc { which: 0, size: 1000 }), None);
            oracle.check(&*heap);
            assert_eq!(heap.pieces().collect::<Vec<_>>(), before, "{spec}");
        }
    }

    #[test]
    fn memory_that_is_not_zero_is_none_of_its_business() {
        for fit in [Fit::First, Fit::Next, Fit::Best, Fit::Worst] {
            for order in [Order::Address, Order::Lifo, Order::Size] {
                let mut memory = Pages::new(128 << 10);
                memory.fill(0..128 << 10, 0xa5);
                let heaps: [Box<dyn Heap>; 2] = [
                    Box::new(FreeList::with(memory.clone(), fit, order)),
                    Box::new(Headerless::with(memory, fit, order)),
                ];
                for mut heap in heaps {
                    let mut oracle = Oracle::default();
                    for i in 0..100 {
                        oracle.run(&mut *heap, &Op::Alloc { size: 1 + i * 37 % 300, align: 8 });
                        if i % 3 == 0 {
                            oracle.run(&mut *heap, &Op::Free { which: i as usize * 5 });
                        }
                        oracle.check(&*heap);
                    }
                }
            }
        }
    }
}
