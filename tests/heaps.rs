//! Every row of HEAPS over the prompt's memory. `repl/heap/tests` does the same over real memory.

use std::alloc::Layout;
use std::collections::BTreeMap;

use engine::Session;
use heap::{HEAPS, Heap, Info, Offset, PieceKind, Spec, Structure, Takes, Unfit, Value};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

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
    /// The blocks' names at the prompt, by their offsets, and how many there have been.
    names: BTreeMap<u32, String>,
    named: u32,
}

impl Oracle {
    fn place(&mut self, heap: &mut dyn Heap, at: Offset, granted_bytes: u32, layout: Layout) {
        let end = at.0 + granted_bytes;
        assert!(granted_bytes as usize >= layout.size(), "{granted_bytes} granted for {layout:?}");
        assert!(
            at.0.is_multiple_of(layout.align() as u32) && end <= heap.len(),
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
        heap.fill(at..at.plus(layout.size() as u32), self.next);
        self.live.insert(at.0, (layout, self.next));
    }

    fn check(&self, heap: &dyn Heap) {
        for (&at, &(layout, byte)) in &self.live {
            let bytes = bytes(heap, at, layout.size());
            assert!(bytes.iter().all(|&found| found == byte), "the block at {at} lost its bytes");
        }
        heap.check().unwrap_or_else(|broken| {
            panic!("{broken:?}: {}", heap.rules()[broken.invariant - 1]);
        });
    }

    /// The op as a line for the prompt, if it does anything; blocks have the names the prompt would give them.
    fn line(&self, op: &Op) -> Option<String> {
        let name = |which: usize| {
            let index = which.checked_rem(self.live.len())?;
            self.names.get(self.live.keys().nth(index)?).cloned()
        };
        Some(match *op {
            Op::Alloc { size, align_shift } => format!("alloc {size} align {}", 1 << align_shift),
            Op::Free { which } => format!("free {}", name(which)?),
            Op::Realloc { which, size } => format!("realloc {} {size}", name(which)?),
        })
    }

    /// Names for the blocks that have none yet, as the prompt gives them; a block that moved keeps its own.
    fn rename(&mut self) {
        let gone: Vec<_> =
            self.names.keys().copied().filter(|at| !self.live.contains_key(at)).collect();
        let new: Vec<_> =
            self.live.keys().copied().filter(|at| !self.names.contains_key(at)).collect();
        let mut names: Vec<_> = gone.iter().filter_map(|at| self.names.remove(at)).collect();
        for at in new {
            let name = names.pop().unwrap_or_else(|| {
                self.named += 1;
                let (high, low) = ((self.named - 1) / 26, (self.named - 1) % 26);
                let letter = |n: u32| char::from(b'a' + n as u8);
                (high > 0).then(|| letter(high - 1)).into_iter().chain([letter(low)]).collect()
            });
            self.names.insert(at, name);
        }
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
                    let bytes = bytes(heap, placed.at.0, kept as usize);
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

fn fresh(spec: &Spec) -> Box<dyn Heap> {
    spec.build(arena_bytes(spec, ARENA_BYTES)).expect("the arena is large enough for its books")
}

/// `bytes`, or what the heap's own books ask for.
fn arena_bytes(spec: &Spec, bytes: u32) -> u32 {
    match spec.build(bytes) {
        Ok(_) => bytes,
        Err(Unfit::TooSmall { least_bytes }) => least_bytes,
        Err(unfit) => panic!("{spec}: {unfit:?}"),
    }
}

/// A session with the heap in use, over an arena of 1 KiB if that is enough for it.
pub(crate) fn using(spec: &Spec) -> Session {
    let bytes = arena_bytes(spec, 1024);
    session(&[&format!("heap new {bytes}"), &format!("use {spec}")])
}

fn bytes(heap: &dyn Heap, at: u32, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    heap.read(Offset(at), &mut bytes);
    bytes
}

/// A spec as a part of a file's name.
fn file_name(spec: &Spec) -> String {
    let text = spec.to_string();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// Every row with its options at their defaults, every other choice of each option, and wrappers around some. Not what
/// is left out of this build.
pub(crate) fn specs() -> Vec<Spec> {
    let heap = |info: &&&'static Info| info.inner.is_empty();
    let mut specs: Vec<_> = HEAPS.iter().filter(heap).map(|info| Spec::plain(info)).collect();
    specs.retain(|spec| !matches!(spec.build(ARENA_BYTES), Err(Unfit::Missing { .. })));
    for info in HEAPS.iter().filter(heap) {
        for option in info.options {
            let Takes::Choice(words) = option.takes else { continue };
            for &word in &words[1..] {
                let mut spec = Spec::plain(info);
                spec.options.push((option.key, Value::Choice(word)));
                specs.push(spec);
            }
        }
    }
    specs.extend(WRAPPED.iter().map(|text| spec(text)));
    specs
}

/// Wrappers around heaps of different kinds, and around each other.
const WRAPPED: &[&str] = &[
    "counting(first-fit)",
    "guard(first-fit)",
    "guard(bump)",
    "guard(first-fit) quarantine=0",
    "locked(first-fit)",
    "fallback(bump, first-fit)",
    "split-by-size(64, first-fit, bump)",
    "guard(fallback(first-fit, counting(first-fit)))",
    "counting(system)",
    "guard(system)",
    "guard(mimalloc)",
    "fallback(bump, system)",
    "split-by-size(64, first-fit, mimalloc)",
];

/// What `use` makes of a text.
fn spec(text: &str) -> Spec {
    let session = session(&[&format!("use {text}")]);
    let spec = session.world().spec().clone();
    assert_eq!(spec.to_string(), text);
    spec
}

/// So many cases, and no file of failures: the seed is the same each time.
fn quiet(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// The program as lines for the prompt, up to the step at which it goes wrong: what a failure prints.
fn script(spec: &Spec, ops: &[Op]) -> String {
    let bytes = arena_bytes(spec, ARENA_BYTES);
    let mut lines = vec![format!("heap new {bytes}"), format!("use {spec}")];
    let mut heap = fresh(spec);
    let mut oracle = Oracle::default();
    for op in ops {
        let line = oracle.line(op);
        let goes_on = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            oracle.run(&mut *heap, op);
            oracle.check(&*heap);
        }));
        lines.extend(line);
        if goes_on.is_err() {
            break;
        }
        oracle.rename();
    }
    lines.push("check".to_owned());
    lines.join("\n")
}

#[test]
fn random_programs_agree_with_the_oracle() {
    for spec in &specs() {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(quiet(200), rng);
        let verdict = runner.run(&prop::collection::vec(op(), 0..120), |ops| {
            let mut heap = fresh(spec);
            let mut oracle = Oracle::default();
            for op in &ops {
                oracle.run(&mut *heap, op);
                oracle.check(&*heap);
            }
            Ok(())
        });
        if let Err(TestError::Fail(why, ops)) = verdict {
            panic!("{spec}: {why}. At the prompt:\n\n{}\n", script(spec, &ops));
        }
    }
}

/// Whatever a program did, every view can be drawn, and the sums of `stats` are the arena.
#[test]
fn random_programs_can_be_drawn_at_every_step() {
    for spec in &specs() {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(quiet(8), rng);
        let programs = prop::collection::vec(op(), 0..30);
        let verdict = runner.run(&programs, |ops| {
            let lines = script(spec, &ops);
            let mut session = Session::default();
            for line in lines.lines() {
                let reply = crate::play(&mut session, line).expect("no comment");
                let code = reply.outcome.as_ref().err().map(engine::Problem::code);
                let refused =
                    ["not-lifo", "out-of-memory", "fragmented", "unsupported", "stale-handle"];
                prop_assert!(code.is_none_or(|code| refused.contains(&code)), "{line}: {reply:?}");
                if line.starts_with("use") || line.starts_with("heap") {
                    continue;
                }
                for look in ["map", "stats", "holes", "frag", "dump", "why", "check"] {
                    let reply = crate::play(&mut session, look).expect("no comment");
                    let json = serde_json::to_value(&reply).unwrap();
                    let view = &json["views"][0];
                    if look == "stats" {
                        let bytes = |field: &str| view[field].as_u64().unwrap();
                        let parts = [
                            "payload", "slack", "header", "canary", "stranded", "books", "padding",
                            "held", "free",
                        ];
                        let sum: u64 =
                            parts.iter().map(|part| bytes(&format!("{part}_bytes"))).sum();
                        prop_assert_eq!(sum, bytes("size_bytes"), "{} after {}", view, line);
                    }
                    if look == "check" {
                        let sound = view["rules"]
                            .as_array()
                            .unwrap()
                            .iter()
                            .all(|rule| rule["holds"] == true);
                        prop_assert!(sound, "{view} after {line}");
                    }
                }
            }
            Ok(())
        });
        if let Err(TestError::Fail(why, ops)) = verdict {
            panic!("{spec}: {why}. At the prompt:\n\n{}\n", script(spec, &ops));
        }
    }
}

#[test]
fn a_failing_program_is_printed_as_lines_one_can_paste() {
    let ops = [
        Op::Alloc { size: 40, align_shift: 3 },
        Op::Alloc { size: 24, align_shift: 5 },
        Op::Realloc { which: 0, size: 100 },
        Op::Free { which: 0 },
    ];
    let lines = script(&Spec::plain(heap::named("first-fit").unwrap()), &ops);
    let expect = "heap new 8192\nuse first-fit\nalloc 40 align 8\nalloc 24 align 32\nrealloc a 100\nfree b\ncheck";
    assert_eq!(lines, expect);
    let mut session = session(&lines.lines().collect::<Vec<_>>());
    assert!(exchange(&mut session, "check").contains("is sound"));
}

#[test]
fn after_everything_is_freed_one_block_of_the_whole_arena_fits() {
    for spec in &specs() {
        let mut heap = fresh(spec);
        let layout = Layout::from_size_align(100, 8).unwrap();
        let blocks: Vec<_> = std::iter::from_fn(|| heap.allocate(layout, &mut ()).ok()).collect();
        assert!(blocks.len() > 30, "{spec}: {} blocks", blocks.len());
        // The newest first: bump takes back nothing else.
        for block in blocks.iter().rev() {
            heap.deallocate(block.at, layout, &mut ());
        }
        // Padding between bump's blocks stays taken until a reset.
        if heap.top().is_some() {
            heap.reset(heap.origin());
        }
        assert!(heap.pieces().all(|piece| piece.kind != PieceKind::Block), "{spec}");
        // A slot never changes its size, and a gap is no hole; everything else is one piece again.
        if !matches!(heap.structure(), Structure::Slots(_)) && !spec.is_foreign() {
            let largest = |heap: &dyn Heap| heap.holes().map(|hole| heap.fits(hole)).max();
            let whole = largest(&*fresh(spec)).expect("a fresh arena has a hole");
            // What a guard holds back, and a bump inside a wrapper cannot reset, stays.
            let kept = [PieceKind::Held, PieceKind::Taken];
            if heap.pieces().all(|piece| !kept.contains(&piece.kind)) {
                assert_eq!(largest(&*heap), Some(whole), "{spec}");
                let whole = Layout::from_size_align(whole as usize, 8).unwrap();
                assert!(heap.allocate(whole, &mut ()).is_ok(), "{spec}: {whole:?}");
            }
        }
    }
}

#[test]
fn the_pieces_of_a_walk_tile_the_arena() {
    for spec in &specs() {
        let mut heap = fresh(spec);
        let mut oracle = Oracle::default();
        for i in 0..60u32 {
            oracle.run(&mut *heap, &Op::Alloc { size: 1 + i * 7 % 90, align_shift: i % 7 });
            if i % 3 == 0 {
                oracle.run(&mut *heap, &Op::Free { which: i as usize * 5 });
            }
            let mut at = Offset(0);
            for piece in heap.pieces() {
                assert_eq!(piece.at, at, "{spec}");
                at = piece.end();
            }
            assert_eq!(at, Offset(heap.len()), "{spec}");
        }
    }
}

#[test]
fn a_refused_request_leaves_the_heap_as_it_was() {
    for spec in &specs() {
        let mut heap = fresh(spec);
        let layout = Layout::from_size_align(64, 8).unwrap();
        let block = heap.allocate(layout, &mut ()).unwrap();
        let len = heap.len() as usize;
        let before = bytes(&*heap, 0, len);
        let too_large = heap.len().max(arena_bytes(spec, ARENA_BYTES)) + 8;
        for (size, align) in [(too_large, 8), (heap::MAX_ARENA, 8), (1, heap::MAX_ALIGN)] {
            let large = Layout::from_size_align(size as usize, align as usize).unwrap();
            match heap.allocate(large, &mut ()) {
                // A bump that moves down meets the arena's start, which is a multiple of anything.
                Ok(placed) if size == 1 => {
                    assert!(placed.at.is_aligned(align), "{spec}: {placed:?}");
                    if spec.is_measured() {
                        heap.deallocate(placed.at, large, &mut ());
                    } else {
                        heap = fresh(spec);
                        assert_eq!(heap.allocate(layout, &mut ()), Ok(block));
                    }
                }
                answer => assert!(answer.is_err(), "{spec}: {large:?}"),
            }
            if size > 1 {
                assert!(heap.reallocate(block.at, layout, size, &mut ()).is_err(), "{spec}");
            }
        }
        assert_eq!(bytes(&*heap, 0, len), before, "{spec}");
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
    for spec in &specs() {
        let mut session = using(spec);
        if spec.is_measured() {
            for (index, line) in STORY.iter().enumerate() {
                let reply = crate::play(&mut session, line).expect("no comment");
                assert!(reply.is_measured, "{spec}: {line}");
                let code = reply.outcome.as_ref().err().map(engine::Problem::code);
                let twice = index > 0 && STORY[index - 1] == *line;
                assert_eq!(code, twice.then_some("double-free"), "{spec}: {line}: {reply:?}");
            }
            continue;
        }
        let text: Vec<_> = STORY.iter().map(|line| exchange(&mut session, line)).collect();
        snapshot(&format!("heap__{}", file_name(spec)), &text.join("\n"));
    }
}

#[test]
fn a_heap_of_a_gibibyte_answers_at_once_and_holds_no_gibibyte() {
    for spec in &specs() {
        let mut session = using(spec);
        assert!(crate::play(&mut session, "heap new 1G").unwrap().is_ok(), "{spec}");
        // A pool's largest slot is what it is, however large the arena.
        let slots = matches!(session.world().heap().structure(), Structure::Slots(_));
        // Bumpalo's chunk is no further aligned than the system's allocator aligns by itself.
        let (large, wide) = match spec.info.name {
            _ if slots => ("512", "512"),
            "bumpalo" => ("500M", "16"),
            _ => ("500M", "65536"),
        };
        for line in [
            &*format!("alloc {large} zeroed"),
            &*format!("alloc 8 align {wide}"),
            "write b 1 2 3",
            "map",
            "dump b",
            "stats",
            "undo",
            "check",
        ] {
            assert!(crate::play(&mut session, line).unwrap().is_ok(), "{spec}: {line}");
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

#[test]
fn what_a_stack_skipped_to_align_a_block_is_called_padding() {
    let mut session = session(&["use stack", "alloc 1", "alloc 8 align 128"]);
    let map = exchange(&mut session, "map");
    assert!(map.contains("  0x1000_0010  padding  104  skipped to align\n"), "{map}");
    assert!(map.contains("|a_______") && map.contains("  _ padding  "), "{map}");
    assert!(exchange(&mut session, "stats").contains("  padding           104 "));
    assert!(exchange(&mut session, "dump 0x1000_0010 16").contains("_ padding"));
    let refused = exchange(&mut session, "free 0x1000_0020");
    assert!(refused.contains("in padding, skipped to align a block"), "{refused}");
}

#[test]
fn the_bar_shows_every_live_block_however_large_the_arena() {
    for spec in &specs() {
        let mut session = using(spec);
        crate::play(&mut session, "heap new 1M");
        let len = session.world().heap_bytes();
        crate::play(&mut session, "alloc 8");
        crate::play(&mut session, &format!("alloc {}", (len / 2).min(512)));
        crate::play(&mut session, "alloc 8");
        let reply = serde_json::to_value(crate::play(&mut session, "map")).unwrap();
        let heap = &reply["views"][0]["heap"];
        let bar = heap["bar"].as_array().unwrap();
        let shows = bar.iter().any(|column| column == "blocks" || column.get("block").is_some());
        assert!(shows, "{spec}: {heap}");
        if spec.is_measured() {
            // It has no arena to be mostly hole.
            continue;
        }
        let text = exchange(&mut session, "map");
        assert!(text.contains("1 column = 16,384 bytes, blocks before holes"), "{spec}: {text}");
    }
}

#[test]
fn a_small_block_between_holes_has_a_column_of_the_bar() {
    let mut session = session(&["heap new 64K", "alloc 2000", "alloc 8", "free a"]);
    let map = exchange(&mut session, "map");
    assert!(map.contains("  |.b....") && map.contains(", blocks before holes"), "{map}");
}
