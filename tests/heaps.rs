//! Every row of HEAPS over the prompt's memory. `repl/heap/tests` does the same over real memory.

use std::alloc::Layout;
use std::collections::BTreeMap;

use heap::{HEAPS, Heap, Info, Offset};
use memory::Pages;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::{exchange, session, snapshot};

const ARENA_BYTES: u32 = 8192;

#[derive(Clone, Debug)]
enum Op {
    Alloc { size: u32, align_shift: u32 },
    Free { which: usize },
    Realloc { which: usize, size: u32 },
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![4 => 1..64u32, 2 => 64..600u32, 1 => 600..3000u32];
    prop_oneof![
        4 => (size.clone(), 0..9u32).prop_map(|(size, align_shift)| Op::Alloc { size, align_shift }),
        3 => any::<usize>().prop_map(|which| Op::Free { which }),
        2 => (any::<usize>(), size).prop_map(|(which, size)| Op::Realloc { which, size }),
    ]
}

/// What must be true: live blocks by their offset, each with its layout and the byte it is filled with.
#[derive(Default)]
struct Oracle {
    live: BTreeMap<u32, (Layout, u8)>,
    next: u8,
}

impl Oracle {
    fn place(&mut self, heap: &mut dyn Heap, at: Offset, granted_bytes: u32, layout: Layout) {
        let end = at.0 + granted_bytes;
        assert!(granted_bytes as usize >= layout.size(), "{granted_bytes} granted for {layout:?}");
        assert!(
            at.0.is_multiple_of(layout.align() as u32) && end <= heap.memory().len(),
            "{at:?} for {layout:?}"
        );
        if let Some((start, (other, _))) = self.live.range(..end).next_back() {
            assert!(
                start + other.size() as u32 <= at.0,
                "{at:?} + {granted_bytes} meets {start} + {}",
                other.size()
            );
        }
        self.next = self.next.wrapping_add(1);
        heap.memory_mut().fill(at.0..at.0 + layout.size() as u32, self.next);
        self.live.insert(at.0, (layout, self.next));
    }

    fn check(&self, heap: &dyn Heap) {
        for (&at, &(layout, byte)) in &self.live {
            let bytes = heap.memory().read(at..at + layout.size() as u32);
            assert!(bytes.iter().all(|&found| found == byte), "the block at {at} lost its bytes");
        }
        heap.check().unwrap_or_else(|broken| panic!("{broken:?} in {}", heap.info().name));
    }

    fn run(&mut self, heap: &mut dyn Heap, op: &Op) {
        let pick = |live: &BTreeMap<u32, (Layout, u8)>, which: usize| {
            (!live.is_empty())
                .then(|| live.iter().nth(which % live.len()).map(|(&at, &block)| (at, block)))
                .flatten()
        };
        match *op {
            Op::Alloc { size, align_shift } => {
                let layout = Layout::from_size_align(size as usize, 1 << align_shift).unwrap();
                if let Ok(placed) = heap.allocate(layout, &mut ()) {
                    self.place(heap, placed.at, placed.granted_bytes, layout);
                }
            }
            Op::Free { which } => {
                if let Some((at, (layout, _))) = pick(&self.live, which) {
                    self.live.remove(&at);
                    heap.deallocate(Offset(at), layout, &mut ());
                }
            }
            Op::Realloc { which, size } => {
                let Some((at, (layout, byte))) = pick(&self.live, which) else { return };
                let new = Layout::from_size_align(size as usize, layout.align()).unwrap();
                if let Ok(placed) = heap.reallocate(Offset(at), layout, size, &mut ()) {
                    let kept = size.min(layout.size() as u32);
                    let bytes = heap.memory().read(placed.at.0..placed.at.0 + kept);
                    assert!(
                        bytes.iter().all(|&found| found == byte),
                        "realloc from {at} lost bytes"
                    );
                    self.live.remove(&at);
                    self.place(heap, placed.at, placed.granted_bytes, new);
                }
            }
        }
    }
}

fn fresh(info: &Info) -> Box<dyn Heap> {
    (info.build)(Pages::new(ARENA_BYTES))
}

#[test]
fn random_programs_agree_with_the_oracle() {
    for info in HEAPS {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::with_cases(200), rng);
        runner
            .run(&prop::collection::vec(op(), 0..120), |ops| {
                let mut heap = fresh(info);
                let mut oracle = Oracle::default();
                for op in &ops {
                    oracle.run(&mut *heap, op);
                    oracle.check(&*heap);
                }
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{}: {failure}", info.name));
    }
}

#[test]
fn after_everything_is_freed_one_block_of_the_whole_arena_fits() {
    for info in HEAPS {
        let mut heap = fresh(info);
        let layout = Layout::from_size_align(100, 8).unwrap();
        let blocks: Vec<_> = std::iter::from_fn(|| heap.allocate(layout, &mut ()).ok()).collect();
        assert!(blocks.len() > 50, "{}: {} blocks", info.name, blocks.len());
        // The newest first: bump takes back nothing else.
        for block in blocks.iter().rev() {
            heap.deallocate(block.at, layout, &mut ());
        }
        let whole = Layout::from_size_align(heap.fits(ARENA_BYTES) as usize, 8).unwrap();
        // Padding between bump's blocks stays taken until a reset.
        if heap.top().is_some() {
            heap.reset(Offset(0));
        }
        assert!(heap.allocate(whole, &mut ()).is_ok(), "{}: {whole:?}", info.name);
    }
}

#[test]
fn the_pieces_of_a_walk_tile_the_arena() {
    for info in HEAPS {
        let mut heap = fresh(info);
        let mut oracle = Oracle::default();
        for i in 0..60u32 {
            oracle.run(&mut *heap, &Op::Alloc { size: 1 + i * 7 % 90, align_shift: i % 7 });
            if i % 3 == 0 {
                oracle.run(&mut *heap, &Op::Free { which: i as usize * 5 });
            }
            let mut at = Offset(0);
            for piece in heap.pieces() {
                assert_eq!(piece.at, at, "{}", info.name);
                at = piece.end();
            }
            assert_eq!(at, Offset(ARENA_BYTES), "{}", info.name);
        }
    }
}

#[test]
fn a_refused_request_leaves_the_heap_as_it_was() {
    for info in HEAPS {
        let mut heap = fresh(info);
        let layout = Layout::from_size_align(64, 8).unwrap();
        let block = heap.allocate(layout, &mut ()).unwrap();
        let before = heap.memory().read(0..ARENA_BYTES);
        for (size, align) in [(ARENA_BYTES + 8, 8), (heap::MAX_ARENA, 8), (1, heap::MAX_ALIGN)] {
            let large = Layout::from_size_align(size as usize, align as usize).unwrap();
            assert!(heap.allocate(large, &mut ()).is_err(), "{}: {large:?}", info.name);
            if size > 1 {
                assert!(heap.reallocate(block.at, layout, size, &mut ()).is_err(), "{}", info.name);
            }
        }
        assert_eq!(heap.memory().read(0..ARENA_BYTES), before, "{}", info.name);
    }
}

/// The same story on every heap, as the prompt tells it.
#[test]
fn every_heap_tells_the_conformance_story() {
    const STORY: &[&str] = &[
        "alloc 40",
        "alloc 20 align 32",
        "alloc 100",
        "write c \"kept\"",
        "free b",
        "realloc c 300",
        "read c 4",
        "alloc 16",
        "free a",
        "free a",
        "blocks",
        "holes",
        "map",
        "check",
    ];
    for info in HEAPS {
        let mut session = session(&[&format!("use {}", info.name)]);
        let text: Vec<_> = STORY.iter().map(|line| exchange(&mut session, line)).collect();
        snapshot(&format!("heap__{}", info.name), &text.join("\n"));
    }
}

#[test]
fn a_heap_of_a_gibibyte_answers_at_once_and_holds_no_gibibyte() {
    for info in HEAPS {
        let mut session = session(&[&format!("use {}", info.name), "heap new 1G"]);
        for line in [
            "alloc 500M zeroed",
            "alloc 8 align 65536",
            "write b 1 2 3",
            "map",
            "dump b",
            "stats",
            "undo",
            "check",
        ] {
            assert!(crate::play(&mut session, line).unwrap().is_ok(), "{}: {line}", info.name);
        }
    }
}

#[test]
fn names_are_unique_and_kebab_case() {
    let mut names: Vec<_> = HEAPS.iter().map(|info| info.name).collect();
    for name in &names {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        assert_eq!(heap::named(name).map(|info| info.name), Some(*name));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), HEAPS.len());
}
