//! Random programs over the prompt's memory, against an interval map: what the unit tests of each design run.

use std::alloc::Layout;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::{Census, Design, Offset, Placement, sandbox};

#[derive(Clone, Debug)]
enum Op {
    Alloc { size: usize, align_shift: u32 },
    Free { which: usize },
    Realloc { which: usize, size: usize },
    Grow { added_grains: u32 },
}

fn any_op() -> impl Strategy<Value = Op> {
    let size = || prop_oneof![6 => 1..64_usize, 3 => 64..600_usize, 1 => 600..20_000_usize];
    prop_oneof![
        12 => (size(), 0..=12_u32).prop_map(|(size, align_shift)| Op::Alloc { size, align_shift }),
        9 => any::<usize>().prop_map(|which| Op::Free { which }),
        6 => (any::<usize>(), size()).prop_map(|(which, size)| Op::Realloc { which, size }),
        1 => (1..40_u32).prop_map(|added_grains| Op::Grow { added_grains }),
    ]
}

/// A heap, and what it owes: each live block by its offset, with its layout and the byte it is filled with.
struct Oracle<D> {
    heap: D,
    live: BTreeMap<u32, (Layout, u8)>,
    seed: u8,
}

impl<D: Design> Oracle<D> {
    fn run(&mut self, op: &Op) {
        match *op {
            Op::Alloc { size, align_shift } => {
                let layout = layout(size, 1 << align_shift);
                match self.heap.allocate(layout, ()) {
                    Ok(placed) => self.owe(placed, layout),
                    Err(_) => self.judge_refusal(layout),
                }
            }
            Op::Free { which } => {
                if let Some((at, layout, _)) = self.pick(which) {
                    self.live.remove(&at.0);
                    self.heap.deallocate(at, layout, ());
                }
            }
            Op::Realloc { which, size } => {
                let Some((at, old, byte)) = self.pick(which) else { return };
                let new = layout(size, old.align());
                match self.heap.reallocate(at, old, size as u32, ()) {
                    Ok(placed) => {
                        self.judge_bytes(placed.at, size.min(old.size()), byte);
                        self.live.remove(&at.0);
                        self.owe(placed, new);
                    }
                    Err(_) => self.judge_refusal(new),
                }
            }
            Op::Grow { added_grains } => {
                let len = self.heap.len() + 16 * added_grains;
                self.heap.grow(len, ());
            }
        }
    }

    fn pick(&self, which: usize) -> Option<(Offset, Layout, u8)> {
        let (&at, &(layout, byte)) = self.live.iter().nth(which % self.live.len().max(1))?;
        Some((Offset(at), layout, byte))
    }

    fn owe(&mut self, placed: Placement, layout: Layout) {
        let (at, end) = (placed.at, placed.at.plus(placed.granted_bytes));
        assert!(placed.granted_bytes as usize >= layout.size(), "{placed:?} for {layout:?}");
        assert!(at.is_aligned(layout.align() as u32), "{at:?} for {layout:?}");
        assert!(end.0 <= self.heap.len(), "{placed:?} of {}", self.heap.len());
        if let Some((start, (other, _))) = self.live.range(..end.0).next_back() {
            assert!(start + other.size() as u32 <= at.0, "{placed:?} meets {start} {other:?}");
        }
        self.seed = self.seed.wrapping_add(1);
        // All that was granted is the block's, and a design that still uses it is caught.
        self.heap.fill(at..end, self.seed);
        self.live.insert(at.0, (layout, self.seed));
    }

    fn judge_bytes(&self, at: Offset, len: usize, byte: u8) {
        let mut bytes = vec![0; len];
        self.heap.read(at, &mut bytes);
        assert!(bytes.iter().all(|&found| found == byte), "the block at {at:?} lost its bytes");
    }

    /// A refusal is right only if no hole that may serve the request has room for it wherever alignment puts it.
    fn judge_refusal(&self, layout: Layout) {
        let enough = self.heap.need(layout).block_bytes() as usize + 2 * layout.align() + 16;
        for hole in self.heap.holes().filter(|&hole| self.heap.eligible(hole, layout)) {
            assert!((self.heap.fits(hole) as usize) < enough, "{layout:?} is refused: {hole:?}");
        }
    }

    fn check(&self) -> Census {
        let census = self.heap.check().unwrap();
        for (&at, &(layout, byte)) in &self.live {
            self.judge_bytes(Offset(at), layout.size(), byte);
        }
        let mut at = Offset(0);
        for piece in self.heap.pieces() {
            assert!(piece.at == at && piece.size_bytes > 0, "{piece:?}, expected at {at:?}");
            at = piece.end();
        }
        assert_eq!(at, Offset(self.heap.len()));
        assert_eq!(self.heap.holes().count(), census.holes as usize);
        self.heap.structure();
        census
    }
}

/// Runs 200 random programs, the same ones each time, on what `fresh` makes; `settled` judges the heap when
/// everything is freed. `tracked` says that the design knows each block, so that its census can be compared.
pub(crate) fn random_programs<D: Design>(
    tracked: bool,
    fresh: impl Fn() -> D,
    settled: impl Fn(D),
) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let programs = prop::collection::vec(any_op(), 0..120);
    let verdict = TestRunner::new_with_rng(config, rng).run(&programs, |ops| {
        let mut oracle = Oracle { heap: fresh(), live: BTreeMap::new(), seed: 0 };
        for op in &ops {
            oracle.run(op);
            let used = oracle.check().used;
            assert!(!tracked || used as usize == oracle.live.len(), "{used} in use");
        }
        while !oracle.live.is_empty() {
            // From the middle, so that no order of freeing is favoured.
            oracle.run(&Op::Free { which: oracle.live.len() / 2 });
            oracle.check();
        }
        settled(oracle.heap);
        Ok(())
    });
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A layout that a test is sure of.
pub(crate) fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

/// Asks for more than there is in every way a layout can, and resizes a block beyond it: all of it is refused, and
/// nothing changes.
pub(crate) fn too_much_is_full<D: Design>(mut heap: D) {
    let small = layout(16, 8);
    let block = heap.allocate(small, ()).ok();
    let before = state(&heap);
    let largest = isize::MAX as usize;
    let len = heap.len() as usize;
    for size in [len + 1, crate::MAX_ARENA as usize, u32::MAX as usize - 7, largest - 65536] {
        for align in [1, 8, 4096, 65536] {
            assert!(heap.allocate(layout(size, align), ()).is_err(), "{size} at {align}");
            assert!(heap.need(layout(size, align)).block_bytes() >= size as u64);
        }
    }
    #[cfg(target_pointer_width = "64")]
    for size in [1 << 32, (1 << 32) + 8, 1 << 62] {
        assert!(heap.allocate(layout(size, 8), ()).is_err(), "{size}");
        assert!(heap.need(layout(size, 8)).block_bytes() >= size as u64);
    }
    if let Some(block) = block {
        for size in [len as u32 + 1, crate::MAX_ARENA + 1, u32::MAX - 7] {
            assert!(heap.reallocate(block.at, small, size, ()).is_err(), "{size}");
        }
    }
    assert_eq!(state(&heap), before);
}

fn state<D: Design>(heap: &D) -> impl PartialEq + std::fmt::Debug + use<D> {
    let mut bytes = vec![0; heap.len() as usize];
    heap.read(Offset(0), &mut bytes);
    (heap.pieces().collect::<Vec<_>>(), heap.structure(), bytes, heap.check())
}

/// Random programs with random words written over their heaps: a check and a drawing still end without a panic.
pub(crate) fn random_damage_is_survived<D: Design + Clone>(fresh: impl Fn() -> D) {
    let arena_bytes = fresh().len();
    let config =
        ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let word = prop_oneof![any::<u32>(), 0..arena_bytes, (0..64_u32).prop_map(|n| n * 4)];
    let damage = prop::collection::vec((0..arena_bytes / 4, word), 1..20);
    let programs = (prop::collection::vec(any_op(), 0..40), damage);
    let verdict = TestRunner::new_with_rng(config, rng).run(&programs, |(ops, damage)| {
        let mut oracle = Oracle { heap: fresh(), live: BTreeMap::new(), seed: 0 };
        for op in &ops {
            oracle.run(op);
        }
        for (index, word) in damage {
            oracle.heap.write(Offset(index * 4), &word.to_le_bytes());
        }
        judge_drawing(&oracle.heap);
        Ok(())
    });
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Frees twice and overwrites every byte of the arena, as a program without a ledger may: a check and a drawing still
/// end without a panic, and a run in the sandbox ends one way or another.
pub(crate) fn damage_is_survived<D: Design + Clone>(fresh: D) {
    let mut heap = fresh;
    let blocks: Vec<_> = (0..6).map(|_| heap.allocate(layout(40, 8), ()).unwrap().at).collect();
    for &at in &blocks[1..3] {
        heap.deallocate(at, layout(40, 8), ());
    }
    let mut twice = heap.clone();
    let program = |heap: &mut D| {
        heap.deallocate(blocks[1], layout(40, 8), ());
        heap.deallocate(blocks[0], layout(40, 8), ());
        heap.deallocate(blocks[5], layout(40, 8), ());
        while heap.allocate(layout(40, 8), ()).is_ok() {}
    };
    let _ = sandbox::run(10_000, || program(&mut twice));
    judge_drawing(&twice);
    let mut seed = 1_u32;
    for pattern in 0..200_u32 {
        let mut damaged = heap.clone();
        for at in (0..damaged.len()).step_by(4) {
            // A linear congruential generator (Knuth's MMIX has it in 64 bits); small words look most like links.
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let word = match pattern {
                0 => 0,
                1 => u32::MAX,
                2 => 1,
                _ => (seed >> 8) % (16 << (pattern % 20)) * (1 << (pattern % 5)),
            };
            damaged.write(Offset(at), &word.to_le_bytes());
        }
        judge_drawing(&damaged);
        let _ = sandbox::run(10_000, || program(&mut damaged));
        judge_drawing(&damaged);
    }
}

fn judge_drawing(heap: &impl Design) {
    let _ = heap.check();
    let _ = heap.structure();
    assert!(heap.holes().count() <= heap.len() as usize);
    let mut at = Offset(0);
    for piece in heap.pieces() {
        assert!(piece.at == at && piece.size_bytes > 0, "{piece:?}, expected at {at:?}");
        at = piece.end();
    }
    assert_eq!(at, Offset(heap.len()));
}
