//! What a program gets from a heap: containers through `Allocator`, and raw blocks through `GlobalAlloc`.
//!
//! Every test runs on each design, over an arena of its own that was never written. So valgrind sees a header or a link
//! that is read before it is set, and the tests do not share a lock.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ptr::NonNull;

use allocator_api2::alloc::Allocator;
use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use hashbrown::HashMap;
use heap::{Design, Locked, MAX_ALIGN, Over, Region};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};

use crate::designs::{check, check_all_came_back, layout, on_heap, tracks_blocks};

#[macro_use]
mod designs;

// A block grows wherever the bytes behind it are free. Not so elsewhere: a slot has one size, a downward bump slides, and a
// buddy that is an upper half moves.
on_designs! {
    [a_vec_that_grows_last_stays_in_place]
    bump_in_place: Bump<Region>,
    stack_in_place: Stack<Region>,
    first_fit_in_place: FirstFit<Region>,
}

on_each_design! {
    a_vec_with_a_block_behind_it_moves_with_its_items
    a_vec_that_shrinks_last_gives_its_tail_back
    boxes_are_freed_in_any_order
    a_hash_map_keeps_its_entries_while_it_grows_and_shrinks
    containers_of_all_kinds_share_a_heap
    a_request_for_nothing_gets_an_aligned_address_and_no_bytes
    a_block_grows_from_nothing_and_shrinks_to_nothing
    every_alignment_up_to_64_kib_is_kept
    growing_to_a_larger_alignment_keeps_the_bytes
    growing_zeroed_clears_what_was_written_there_before
    shrinking_to_another_alignment_keeps_the_bytes_that_stay
    a_full_heap_is_an_error_and_nothing_is_lost
    a_request_beyond_the_arena_or_its_alignment_is_out_of_memory
    a_random_program_never_sees_blocks_overlap_or_bytes_change
}

const KIB: usize = 1024;

// Blocks.

/// Allocates a block of which every byte is `byte`.
fn filled(heap: impl Allocator, layout: Layout, byte: u8) -> NonNull<[u8]> {
    let block = heap.allocate(layout).expect("room for a block");
    fill(block, byte);
    block
}

fn fill(block: NonNull<[u8]>, byte: u8) {
    // SAFETY: the heap granted `block.len()` bytes, and the test is their only owner.
    unsafe { block.cast::<u8>().write_bytes(byte, block.len()) }
}

/// The first `len` bytes of a block.
fn bytes(block: NonNull<[u8]>, len: usize) -> std::vec::Vec<u8> {
    assert!(len <= block.len());
    // SAFETY: `len` bytes are inside the block, and every test writes the bytes it asks for here, or had them zeroed.
    unsafe { std::slice::from_raw_parts(block.cast().as_ptr(), len) }.to_vec()
}

fn address(block: NonNull<[u8]>) -> usize {
    block.cast::<u8>().addr().get()
}

// Containers.

fn a_vec_that_grows_last_stays_in_place<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        let mut numbers = Vec::new_in(heap);
        numbers.push(0_u64);
        let start = numbers.as_ptr();
        numbers.extend(1..1000);
        assert_eq!(numbers.as_ptr(), start);
        assert!(numbers.iter().copied().eq(0..1000));
    });
}

fn a_vec_with_a_block_behind_it_moves_with_its_items<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        let mut numbers = Vec::with_capacity_in(4, heap);
        numbers.extend(0_u64..4);
        let wall = Box::new_in([7_u8; 24], heap);
        let start = numbers.as_ptr();
        numbers.extend(4..1000);
        assert_ne!(numbers.as_ptr(), start);
        assert!(numbers.iter().copied().eq(0..1000));
        assert_eq!(*wall, [7; 24]);
    });
}

fn a_vec_that_shrinks_last_gives_its_tail_back<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        let mut numbers = Vec::with_capacity_in(1000, heap);
        numbers.extend(0_u64..10);
        let free_bytes = || heap.with(|design| designs::free_bytes(design));
        let before = free_bytes();
        numbers.shrink_to_fit();
        let gained = free_bytes() - before;
        assert!(gained > 7_800, "{gained} of 7,920 bytes came back");
        assert!(numbers.iter().copied().eq(0..10));
    });
}

fn boxes_are_freed_in_any_order<D: Over<Region>>() {
    struct Counted<'a>(&'a Cell<u32>, [u8; 40]);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            assert_eq!(self.1, [self.1[0]; 40]);
            self.0.set(self.0.get() + 1);
        }
    }
    on_heap::<D>(64 * KIB, |heap| {
        let dropped = Cell::new(0);
        let mut boxes = std::vec::Vec::new();
        for byte in 0..100 {
            boxes.push(Box::new_in(Counted(&dropped, [byte; 40]), heap));
        }
        for step in [7, 3, 2, 1] {
            for index in (0..boxes.len()).rev().step_by(step) {
                drop(boxes.swap_remove(index));
                check(heap);
            }
        }
        assert_eq!((boxes.len(), dropped.get()), (0, 100));
    });
}

fn a_hash_map_keeps_its_entries_while_it_grows_and_shrinks<D: Over<Region>>() {
    on_heap::<D>(512 * KIB, |heap| {
        let mut squares = HashMap::new_in(heap);
        for n in 0..1000_u64 {
            squares.insert(n, n * n);
        }
        for n in (0..1000).filter(|n| n % 10 != 0) {
            assert_eq!(squares.remove(&n), Some(n * n));
        }
        squares.shrink_to_fit();
        assert_eq!(squares.len(), 100);
        assert!(squares.iter().all(|(n, square)| n % 10 == 0 && n * n == *square));
    });
}

fn containers_of_all_kinds_share_a_heap<D: Over<Region>>() {
    on_heap::<D>(512 * KIB, |heap| {
        let mut lists = HashMap::new_in(heap);
        for n in 0..300_usize {
            let list = lists.entry(n % 30).or_insert_with(|| Vec::new_in(heap));
            list.push(Box::new_in(n.to_string(), heap));
            if n % 7 == 0 {
                lists.remove(&(n / 2 % 30));
                check(heap);
            }
        }
        for (key, list) in &lists {
            for text in list {
                assert_eq!(text.parse::<usize>().expect("a number") % 30, *key);
            }
        }
    });
}

// Requests.

fn a_request_for_nothing_gets_an_aligned_address_and_no_bytes<D: Over<Region>>() {
    on_heap::<D>(4 * KIB, |heap| {
        let before = check(heap);
        for align in (0..=16).map(|power| 1 << power) {
            let nothing = layout(0, align);
            let block = heap.allocate(nothing).expect("nothing always fits");
            assert_eq!((block.len(), address(block) % align), (0, 0), "align {align}");
            // SAFETY: the block came from this heap with this layout, and is given back once.
            unsafe { Allocator::deallocate(&heap, block.cast(), nothing) }
        }
        let mut units = Vec::new_in(heap);
        units.extend([(); 5]);
        assert_eq!(units.len(), 5);
        assert_eq!(check(heap), before);
    });
}

fn a_block_grows_from_nothing_and_shrinks_to_nothing<D: Over<Region>>() {
    on_heap::<D>(4 * KIB, |heap| {
        let (nothing, some) = (layout(0, 8), layout(100, 8));
        let before = check(heap);
        let block = heap.allocate(nothing).expect("nothing always fits");
        // SAFETY: each call gets the block of the one before with the layout it has, and the old one is forgotten.
        unsafe {
            let block = heap.grow_zeroed(block.cast(), nothing, some).expect("room for 100");
            assert_eq!(bytes(block, 100), [0; 100]);
            let block = heap.shrink(block.cast(), some, nothing).expect("shrinking to nothing");
            assert_eq!((block.len(), address(block) % 8), (0, 0));
            Allocator::deallocate(&heap, block.cast(), nothing);
        }
        check_all_came_back(heap, before);
    });
}

fn every_alignment_up_to_64_kib_is_kept<D: Over<Region>>() {
    on_heap::<D>(512 * KIB, |heap| {
        let mut blocks = std::vec::Vec::new();
        for align in (0..=16).map(|power| 1 << power) {
            // A block of one byte in between leaves the next request at an odd place.
            for layout in [layout(1, 1), layout(24, align)] {
                let block = filled(heap, layout, align.trailing_zeros() as u8);
                assert!(address(block).is_multiple_of(layout.align()), "{layout:?}");
                blocks.push((block, layout, align.trailing_zeros() as u8));
                check(heap);
            }
        }
        for (block, layout, byte) in blocks {
            assert_eq!(bytes(block, layout.size()), vec![byte; layout.size()]);
            // SAFETY: the block came from this heap with this layout, and is given back once.
            unsafe { Allocator::deallocate(&heap, block.cast(), layout) }
            check(heap);
        }
    });
}

fn growing_to_a_larger_alignment_keeps_the_bytes<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        filled(heap, layout(8, 8), 1);
        let (old, new) = (layout(100, 8), layout(300, 4096));
        let block = filled(heap, old, 0xab);
        // SAFETY: the block came from this heap with `old`, and is not used again.
        let block = unsafe { heap.grow(block.cast(), old, new) }.expect("room for 300");
        assert!(block.len() >= 300 && address(block).is_multiple_of(4096));
        assert_eq!(bytes(block, 100), [0xab; 100]);
    });
}

fn growing_zeroed_clears_what_was_written_there_before<D: Over<Region>>() {
    for align in [8, 1024] {
        on_heap::<D>(64 * KIB, |heap| {
            let dirty = layout(16 * KIB, 8);
            let block = filled(heap, dirty, 0xff);
            // SAFETY: the block came from this heap with this layout, and is given back once.
            unsafe { Allocator::deallocate(&heap, block.cast(), dirty) }

            let (old, new) = (layout(100, 8), layout(5000, align));
            let block = filled(heap, old, 0xab);
            // SAFETY: the block came from this heap with `old`, and is not used again.
            let block = unsafe { heap.grow_zeroed(block.cast(), old, new) }.expect("room for 5000");
            assert!(address(block).is_multiple_of(align));
            let bytes = bytes(block, 5000);
            let kept = bytes.iter().take_while(|&&byte| byte == 0xab).count();
            // The slack of the old block is as the old owner left it, or zero; what was asked for is what counts.
            assert!(kept >= 100 && bytes[kept..].iter().all(|&byte| byte == 0), "align {align}");
        });
    }
}

fn shrinking_to_another_alignment_keeps_the_bytes_that_stay<D: Over<Region>>() {
    for (old_align, new_align) in [(8, 2048), (2048, 1)] {
        on_heap::<D>(64 * KIB, |heap| {
            filled(heap, layout(8, 8), 1);
            let (old, new) = (layout(1000, old_align), layout(50, new_align));
            let block = filled(heap, old, 0xcd);
            // SAFETY: the block came from this heap with `old`, and is not used again.
            let block = unsafe { heap.shrink(block.cast(), old, new) }.expect("room for 50");
            assert!(block.len() >= 50 && address(block).is_multiple_of(new_align));
            assert_eq!(bytes(block, 50), [0xcd; 50]);
        });
    }
}

fn a_full_heap_is_an_error_and_nothing_is_lost<D: Over<Region>>() {
    on_heap::<D>(4 * KIB, |heap| {
        let mut numbers = Vec::new_in(heap);
        numbers.extend(0_u64..100);
        let wall = Box::try_new_in([9_u8; 100], heap).expect("room for 100");
        let before = check(heap);

        numbers.try_reserve(1000).expect_err("8,000 bytes do not fit in 4 KiB");
        assert!(Box::try_new_in([0_u8; 4000], heap).is_err());
        let mut map = HashMap::<u64, u64, _, _>::new_in(heap);
        map.try_reserve(1000).expect_err("16,000 bytes do not fit in 4 KiB");
        let (old, new) = (layout(40, 8), layout(4000, 8));
        let block = filled(heap, old, 0xee);
        // SAFETY: the block came from this heap with `old`; as these calls fail, it is still that.
        unsafe {
            assert!(heap.grow(block.cast(), old, new).is_err());
            assert!(heap.grow_zeroed(block.cast(), old, layout(4000, 64)).is_err());
            assert!(GlobalAlloc::realloc(heap, block.cast().as_ptr(), old, 4000).is_null());
            assert_eq!(bytes(block, 40), [0xee; 40]);
            Allocator::deallocate(&heap, block.cast(), old);
        }
        check_all_came_back(heap, before);
        assert!(numbers.iter().copied().eq(0..100));
        assert_eq!(*wall, [9; 100]);
    });
}

fn a_request_beyond_the_arena_or_its_alignment_is_out_of_memory<D: Over<Region>>() {
    on_heap::<D>(256 * KIB, |heap| {
        let largest = isize::MAX.cast_unsigned();
        for layout in [
            layout(256 * KIB + 1, 1),
            layout(1 << 30, 1),
            #[cfg(target_pointer_width = "64")]
            layout((1 << 32) + 8, 8),
            layout(largest, 1),
            layout(8, 2 * MAX_ALIGN as usize),
            layout(8, 1 << 30),
        ] {
            assert!(heap.allocate(layout).is_err(), "{layout:?}");
            // SAFETY: the layout has a size.
            assert!(unsafe { GlobalAlloc::alloc(heap, layout) }.is_null(), "{layout:?}");
        }
        let block = filled(heap, layout(8, 8), 3);
        // SAFETY: the block came from this heap with this layout; as the call fails, it is still that.
        let moved =
            unsafe { GlobalAlloc::realloc(heap, block.cast().as_ptr(), layout(8, 8), largest - 7) };
        assert!(moved.is_null());
        assert_eq!(bytes(block, 8), [3; 8]);
    });
}

// Random programs.

const PROGRAM_ARENA: usize = 256 * KIB;

/// A step of a random program. `pick` chooses among the live blocks, if there are any.
#[derive(Clone, Debug)]
enum Step {
    Alloc { size: usize, align: usize, zeroed: bool },
    Realloc { pick: prop::sample::Index, size: usize },
    Dealloc { pick: prop::sample::Index },
}

fn any_size() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 1..64_usize, 3 => 64..1024_usize, 1 => 1024..60_000_usize]
}

fn any_step() -> impl Strategy<Value = Step> {
    let align = prop_oneof![8 => 0..=4_u32, 2 => 5..=16_u32].prop_map(|power| 1 << power);
    let pick = any::<prop::sample::Index>;
    prop_oneof![
        4 => (any_size(), align, any::<bool>())
            .prop_map(|(size, align, zeroed)| Step::Alloc { size, align, zeroed }),
        2 => (pick(), any_size()).prop_map(|(pick, size)| Step::Realloc { pick, size }),
        3 => pick().prop_map(|pick| Step::Dealloc { pick }),
    ]
}

/// A heap and what it owes: each live block by its address, its layout, and the seed of its bytes.
struct Oracle<'a, D> {
    heap: &'a Locked<D>,
    arena: std::ops::Range<usize>,
    blocks: BTreeMap<usize, Owed>,
    /// The seed of the next block's bytes.
    seed: u8,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    pointer: *mut u8,
    layout: Layout,
    seed: u8,
}

impl Owed {
    /// The byte at `index`: neighbours differ, and so do blocks.
    fn byte(&self, index: usize) -> u8 {
        self.seed.wrapping_mul(31).wrapping_add(index as u8)
    }

    fn write(&self) {
        for index in 0..self.layout.size() {
            // SAFETY: the heap handed out `layout.size()` bytes at `pointer`, and the oracle owns the block.
            unsafe { self.pointer.add(index).write(self.byte(index)) }
        }
    }

    /// Whether the first `len` bytes of the block at `pointer` are still this one's.
    fn is_kept_at(&self, pointer: *const u8, len: usize) -> bool {
        // SAFETY: `pointer` is a live block of at least `len` bytes, and `write` has set them, or `realloc` copied them.
        let bytes = unsafe { std::slice::from_raw_parts(pointer, len) };
        bytes.iter().enumerate().all(|(index, &byte)| byte == self.byte(index))
    }
}

impl<D: Over<Region>> Oracle<'_, D> {
    fn run(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::Alloc { size, align, zeroed } => self.alloc(layout(size, align), zeroed)?,
            Step::Realloc { pick, size } => {
                if let Some(at) = self.pick(pick) {
                    self.realloc(at, size)?;
                }
            }
            Step::Dealloc { pick } => {
                if let Some(at) = self.pick(pick) {
                    self.dealloc(at)?;
                }
            }
        }
        let census = self.heap.with(|design| Design::check(design));
        let census = census.map_err(|broken| TestCaseError::fail(format!("{broken:?}")))?;
        // A design that tracks its blocks has as many as the oracle.
        if self.heap.with(|design| tracks_blocks(design)) {
            prop_assert_eq!(census.used as usize, self.blocks.len());
        }
        Ok(())
    }

    fn pick(&self, pick: prop::sample::Index) -> Option<usize> {
        let count = self.blocks.len();
        (count > 0).then(|| self.blocks.keys().copied().nth(pick.index(count))).flatten()
    }

    fn alloc(&mut self, layout: Layout, zeroed: bool) -> TestCaseResult {
        // SAFETY: every size the strategy makes is above zero.
        let pointer = unsafe {
            if zeroed {
                GlobalAlloc::alloc_zeroed(self.heap, layout)
            } else {
                GlobalAlloc::alloc(self.heap, layout)
            }
        };
        if pointer.is_null() {
            return self.was_full_for(layout);
        }
        self.judge_place(pointer, layout)?;
        if zeroed {
            // SAFETY: the block has `layout.size()` bytes, and `alloc_zeroed` has set each of them.
            let bytes = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            prop_assert!(bytes.iter().all(|&byte| byte == 0), "{layout:?} is not all zero");
        }
        self.owe(pointer, layout);
        Ok(())
    }

    fn realloc(&mut self, at: usize, size: usize) -> TestCaseResult {
        let old = self.blocks[&at];
        prop_assert!(old.is_kept_at(old.pointer, old.layout.size()), "{old:?} has changed");
        // SAFETY: the block is live with this layout, and the new size is above zero and far below `isize::MAX`.
        let pointer = unsafe { GlobalAlloc::realloc(self.heap, old.pointer, old.layout, size) };
        let new = layout(size, old.layout.align());
        if pointer.is_null() {
            prop_assert!(old.is_kept_at(old.pointer, old.layout.size()), "{old:?} has changed");
            return self.was_full_for(new);
        }
        self.blocks.remove(&at);
        self.judge_place(pointer, new)?;
        let kept = size.min(old.layout.size());
        prop_assert!(old.is_kept_at(pointer, kept), "{old:?} lost bytes on its way to {new:?}");
        self.owe(pointer, new);
        Ok(())
    }

    fn dealloc(&mut self, at: usize) -> TestCaseResult {
        let block = self.blocks.remove(&at).expect("the block was picked among the live ones");
        prop_assert!(block.is_kept_at(block.pointer, block.layout.size()), "{block:?} has changed");
        // SAFETY: the block is live with this layout, and the oracle has just forgotten it.
        unsafe { GlobalAlloc::dealloc(self.heap, block.pointer, block.layout) }
        Ok(())
    }

    /// Writes the block's bytes and remembers it.
    fn owe(&mut self, pointer: *mut u8, layout: Layout) {
        self.seed = self.seed.wrapping_add(1);
        let owed = Owed { pointer, layout, seed: self.seed };
        owed.write();
        self.blocks.insert(pointer.addr(), owed);
    }

    /// Aligned, inside the arena, and apart from every block that is live.
    fn judge_place(&self, pointer: *const u8, layout: Layout) -> TestCaseResult {
        let (start, end) = (pointer.addr(), pointer.addr() + layout.size());
        prop_assert!(start.is_multiple_of(layout.align()), "{start:#x} for {layout:?}");
        prop_assert!(self.arena.start <= start && end <= self.arena.end, "outside: {start:#x}");
        // Live blocks are disjoint, so the last that starts below `end` is the only one that can reach `start`.
        if let Some((at, owed)) = self.blocks.range(..end).next_back() {
            prop_assert!(at + owed.layout.size() <= start, "{owed:?} overlaps {layout:?}");
        }
        Ok(())
    }

    /// A refusal is right only if no hole that may serve the request has room wherever its alignment puts it.
    fn was_full_for(&self, layout: Layout) -> TestCaseResult {
        // Designs with classes round a request up, at most to the next power of two; and at most a grain of 16 bytes goes
        // for the rest in front that is too small for a hole.
        let enough = 2 * layout.size() + 2 * layout.align() + 16;
        let largest = self.heap.with(|design| {
            let holes = Design::holes(design).filter(|&hole| design.eligible(hole, layout));
            holes.map(|hole| design.fits(hole) as usize).max().unwrap_or(0)
        });
        prop_assert!(largest < enough, "{layout:?} is refused beside a hole that fits {largest}");
        Ok(())
    }
}

fn a_random_program_never_sees_blocks_overlap_or_bytes_change<D: Over<Region>>() {
    let config = Config { failure_persistence: None, ..Config::with_source_file(file!()) };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 64 };
    let config = Config { cases, ..config };
    // The seed is a constant, so every run and every host sees the same programs.
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let programs = prop::collection::vec(any_step(), 1..200);
    let verdict = runner.run(&programs, |program| {
        let mut verdict = Ok(());
        on_heap::<D>(PROGRAM_ARENA, |heap| verdict = run_program(heap, &program));
        verdict
    });
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}

fn run_program<D: Over<Region>>(heap: &Locked<D>, program: &[Step]) -> TestCaseResult {
    let start = heap.start().addr().get();
    let len = heap.with(|design| design.len() as usize);
    let before = check(heap);
    let mut oracle = Oracle { heap, arena: start..start + len, blocks: BTreeMap::new(), seed: 0 };
    for step in program {
        oracle.run(step)?;
    }
    while let Some((&at, _)) = oracle.blocks.first_key_value() {
        oracle.dealloc(at)?;
    }
    if heap.with(|design| tracks_blocks(design)) {
        check_all_came_back(heap, before);
    }
    Ok(())
}
