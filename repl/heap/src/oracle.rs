//! The oracle of the designs' own tests: random programs over [`Pages`] against a map of what is live.
//!
//! Each step is followed by the design's own check, and by one of everything it says of itself.

use std::alloc::Layout;
use std::collections::BTreeMap;

use memory::Pages;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::{Offset, Over, PieceKind, Placement};

#[derive(Clone, Debug)]
enum Op {
    Alloc { size: u32, align_shift: u32 },
    Free { which: usize },
    Realloc { which: usize, size: u32 },
    Grow,
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![4 => 1..64u32, 3 => 64..600u32, 2 => 600..3000u32, 1 => 3000..9000u32];
    let align_shift = prop_oneof![3 => Just(3), 1 => 0..10u32];
    prop_oneof![
        12 => (size.clone(), align_shift)
            .prop_map(|(size, align_shift)| Op::Alloc { size, align_shift }),
        9 => any::<usize>().prop_map(|which| Op::Free { which }),
        6 => (any::<usize>(), size).prop_map(|(which, size)| Op::Realloc { which, size }),
        1 => Just(Op::Grow),
    ]
}

/// A heap and what it owes: live blocks by their offset, each with its layout and the byte it is filled with.
struct Oracle<D> {
    heap: D,
    live: BTreeMap<u32, (Layout, u8)>,
    next: u8,
}

impl<D: Over<Pages> + Clone> Oracle<D> {
    fn run(&mut self, op: &Op) {
        match *op {
            Op::Alloc { size, align_shift } => {
                let layout = layout(size, 1 << align_shift);
                if let Ok(placed) = self.heap.allocate(layout, ()) {
                    self.place(placed, layout);
                }
            }
            Op::Free { which } => {
                if let Some((at, layout, _)) = self.pick(which) {
                    self.live.remove(&at);
                    self.heap.deallocate(Offset(at), layout, ());
                }
            }
            Op::Realloc { which, size } => {
                let Some((at, old, byte)) = self.pick(which) else { return };
                if let Ok(placed) = self.heap.reallocate(Offset(at), old, size, ()) {
                    self.live.remove(&at);
                    let kept = size.min(old.size() as u32);
                    assert!(self.is_filled(placed.at.0, kept, byte), "{at} lost bytes on its way");
                    self.place(placed, layout(size, old.align()));
                }
            }
            Op::Grow => self.heap.grow(self.heap.len() + 1024, ()),
        }
    }

    fn pick(&self, which: usize) -> Option<(u32, Layout, u8)> {
        let index = which.checked_rem(self.live.len())?;
        self.live.iter().nth(index).map(|(&at, &(layout, byte))| (at, layout, byte))
    }

    fn is_filled(&self, at: u32, len: u32, byte: u8) -> bool {
        let mut bytes = vec![0; len as usize];
        self.heap.read(Offset(at), &mut bytes);
        bytes.iter().all(|&found| found == byte)
    }

    /// Judges the place, and fills all that was granted.
    fn place(&mut self, placed: Placement, layout: Layout) {
        let (start, end) = (placed.at.0, placed.at.0 + placed.granted_bytes);
        assert!(placed.granted_bytes as usize >= layout.size(), "{placed:?} for {layout:?}");
        assert!(start.is_multiple_of(layout.align() as u32), "{placed:?} for {layout:?}");
        assert!(end <= self.heap.len(), "{placed:?} reaches behind the arena");
        if let Some((at, (other, _))) = self.live.range(..end).next_back() {
            assert!(at + other.size() as u32 <= start, "{placed:?} meets {other:?} at {at}");
        }
        self.next = self.next.wrapping_add(1);
        self.heap.fill(placed.at..Offset(end), self.next);
        self.live.insert(start, (layout, self.next));
    }

    fn check(&self) {
        let census = self.heap.check().unwrap_or_else(|broken| panic!("{broken:?}"));
        assert_eq!(census.used as usize, self.live.len());
        for (&at, &(layout, byte)) in &self.live {
            assert!(self.is_filled(at, layout.size() as u32, byte), "the block at {at} changed");
        }
        let mut at = Offset(0);
        let mut holes = Vec::new();
        let mut blocks = 0;
        for piece in self.heap.pieces() {
            assert_eq!(piece.at, at, "pieces tile the arena");
            at = piece.end();
            match piece.kind {
                PieceKind::Hole => holes.push(piece),
                PieceKind::Block => {
                    let (&live, _) = self.live.range(piece.at.0..).next().expect("a live block");
                    let edges = self.heap.block_edges(Offset(live));
                    assert_eq!(piece.at.plus(edges.front_bytes), Offset(live), "in {piece:?}");
                    blocks += 1;
                }
                _ => {}
            }
        }
        assert_eq!((at, blocks), (Offset(self.heap.len()), self.live.len()));
        let mut listed: Vec<_> = self.heap.holes().collect();
        listed.sort_unstable_by_key(|hole| hole.at);
        assert_eq!(listed, holes, "the holes of the walk are those of the books");
    }

    /// What the design writes into a hole stays inside, and so does the largest block it may be asked for.
    fn check_words_about_holes(&self) {
        for hole in self.heap.holes() {
            let edges = self.heap.hole_edges(hole);
            assert!(edges.sum() <= hole.size_bytes, "{edges:?} of {hole:?}");
            let fits = self.heap.fits(hole);
            assert!(fits <= hole.size_bytes, "{fits} bytes fit in {hole:?}");
        }
    }
}

fn layout(size: u32, align: usize) -> Layout {
    Layout::from_size_align(size as usize, align).expect("a valid layout")
}

/// 200 programs, the same on each run. When all is freed, `is_whole` says whether the heap is as good as new.
pub(crate) fn random_programs_agree<D>(arena_bytes: u32, is_whole: impl Fn(&D) -> bool)
where
    D: Over<Pages> + Clone,
{
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let programs = prop::collection::vec(op(), 0..150);
    let verdict = runner.run(&programs, |ops| {
        let heap = D::new(Pages::new(arena_bytes));
        let mut oracle = Oracle { heap, live: BTreeMap::new(), next: 0 };
        for op in &ops {
            oracle.run(op);
            oracle.check();
        }
        oracle.check_words_about_holes();
        while !oracle.live.is_empty() {
            oracle.run(&Op::Free { which: oracle.live.len() / 2 });
            oracle.check();
        }
        assert!(is_whole(&oracle.heap), "all is free, and it is not whole");
        Ok(())
    });
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Heaps with random words written over them: nothing that draws or checks may panic, loop or read outside, and a heap
/// whose check still passes is drawn to its last byte.
pub(crate) fn damage_is_survived<D: Over<Pages> + Clone>(arena_bytes: u32) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let word = prop_oneof![any::<u32>(), 0..arena_bytes, (0..64u32).prop_map(|n| n * 4)];
    let damage = prop::collection::vec((0..arena_bytes / 4, word), 1..20);
    let programs = (prop::collection::vec(op(), 0..40), damage);
    let verdict = runner.run(&programs, |(ops, damage)| {
        let heap = D::new(Pages::new(arena_bytes));
        let mut oracle = Oracle { heap, live: BTreeMap::new(), next: 0 };
        for op in &ops {
            oracle.run(op);
        }
        let mut heap = oracle.heap;
        for (index, word) in damage {
            heap.write(Offset(index * 4), &word.to_le_bytes());
        }
        let _ = heap.check();
        let most = heap.len() as usize;
        assert_eq!(heap.pieces().take(most).map(|piece| piece.size_bytes).sum::<u32>(), heap.len());
        assert!(heap.holes().take(most).all(|hole| hole.size_bytes <= heap.len()));
        let _ = heap.structure();
        Ok(())
    });
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}
