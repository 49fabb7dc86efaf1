//! What every peer, and each of ours held as one, must give before its figures mean anything: blocks that are
//! aligned, apart from each other, inside the region if it works in one, and keep their bytes; and `None` where there
//! is no room.
//!
//! Every run is over a region of its own that was never written, so valgrind sees a header that is read before it is
//! set.
//!
//! Not under Miri, which cannot call C and would judge the code of others; `containers.rs` has ours there.
#![cfg(not(miri))]

use std::alloc::{self, Layout};
use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;

use heap::peers::{Ours, Peer, Visit, each_peer};
use heap::{
    BestFit, Buddy, Bump, FirstFit, HeaderlessFirstFit, MAX_ALIGN, Region, SizeClasses, Stack,
    Tlsf, TrustedRegion,
};
use proptest::prelude::*;
use proptest::test_runner::{
    Config, RngAlgorithm, TestCaseError, TestCaseResult, TestRng, TestRunner,
};

const KIB: usize = 1024;

/// The peers, and ours held as one.
fn each(visitor: &mut impl Visit) {
    visitor.visit::<Ours<Bump<TrustedRegion>>>();
    visitor.visit::<Ours<Stack<TrustedRegion>>>();
    visitor.visit::<Ours<FirstFit<TrustedRegion>>>();
    visitor.visit::<Ours<BestFit<TrustedRegion>>>();
    visitor.visit::<Ours<HeaderlessFirstFit<TrustedRegion>>>();
    visitor.visit::<Ours<Buddy<TrustedRegion>>>();
    visitor.visit::<Ours<SizeClasses<TrustedRegion>>>();
    visitor.visit::<Ours<Tlsf<TrustedRegion>>>();
    each_peer(visitor);
}

/// Runs `work` on a peer over `region_bytes` of memory and hands it the addresses; not at all if the region is too
/// small. Whether it ran.
fn on_peer<P: Peer>(region_bytes: usize, work: impl FnOnce(&mut P, Range<usize>)) -> bool {
    /// Frees the memory even when a test panics, so that valgrind's report names the first mistake alone.
    struct Arena(NonNull<u8>, Layout);
    impl Drop for Arena {
        fn drop(&mut self) {
            // SAFETY: the memory came from `alloc::alloc` with this layout; the peer is gone and `work` only borrowed
            // it.
            unsafe { alloc::dealloc(self.0.as_ptr(), self.1) }
        }
    }
    // A byte more, so that a region of nothing has an address, and blocks behind it are seen.
    let layout = layout(region_bytes + 1, MAX_ALIGN as usize);
    // SAFETY: the layout has a size.
    let memory = NonNull::new(unsafe { alloc::alloc(layout) }).expect("memory for a region");
    let arena = Arena(memory, layout);
    let start = arena.0.addr().get();
    // SAFETY: the memory lives as long as `arena`, which is dropped behind the peer; nobody else has its address,
    // which is a multiple of 64 KiB.
    let region = unsafe { Region::new(arena.0.as_ptr(), region_bytes) };
    let Some(mut peer) = P::over(region) else { return false };
    work(&mut peer, start..start + region_bytes);
    drop(peer);
    true
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

/// A peer and what it owes: each live block by its address.
struct Oracle<'a, P> {
    peer: &'a mut P,
    region: Range<usize>,
    blocks: BTreeMap<usize, Owed>,
    /// The seed of the next block's bytes.
    seed: u8,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    at: NonNull<u8>,
    layout: Layout,
    seed: u8,
}

impl Owed {
    /// The byte at `index`: neighbours differ, and so do blocks.
    fn byte(&self, index: usize) -> u8 {
        self.seed.wrapping_mul(29).wrapping_add(index as u8)
    }

    fn write(&self) {
        for index in 0..self.layout.size() {
            // SAFETY: the peer handed out `layout.size()` bytes, and the oracle owns the block.
            unsafe { self.at.add(index).write(self.byte(index)) }
        }
    }

    /// Whether the first `len` bytes of the block at `at` are still this one's.
    fn is_kept_at(&self, at: NonNull<u8>, len: usize) -> bool {
        // SAFETY: `at` is a live block of at least `len` bytes, written by `write` or copied from one that was.
        let bytes = unsafe { std::slice::from_raw_parts(at.as_ptr(), len) };
        bytes.iter().enumerate().all(|(index, &byte)| byte == self.byte(index))
    }

    fn is_kept(&self) -> bool {
        self.is_kept_at(self.at, self.layout.size())
    }
}

impl<'a, P: Peer> Oracle<'a, P> {
    fn new(peer: &'a mut P, region: Range<usize>) -> Self {
        Self { peer, region, blocks: BTreeMap::new(), seed: 0 }
    }

    /// Whether there was room.
    fn allocate(&mut self, layout: Layout) -> Result<bool, TestCaseError> {
        // SAFETY: every size is above zero.
        let Some(at) = (unsafe { self.peer.allocate(layout) }) else { return Ok(false) };
        self.owe(at, layout)?;
        Ok(true)
    }

    /// Whether there was room.
    fn reallocate(&mut self, address: usize, size: usize) -> Result<bool, TestCaseError> {
        let old = self.blocks[&address];
        prop_assert!(old.is_kept(), "{old:?} has changed");
        // SAFETY: the block is live with this layout, and the new size is above zero.
        let Some(at) = (unsafe { self.peer.reallocate(old.at, old.layout, size) }) else {
            prop_assert!(old.is_kept(), "{old:?} has changed, and was not moved");
            return Ok(false);
        };
        self.blocks.remove(&address);
        let new = layout(size, old.layout.align());
        let kept = size.min(old.layout.size());
        prop_assert!(old.is_kept_at(at, kept), "{old:?} lost bytes on its way to {new:?}");
        self.owe(at, new)?;
        Ok(true)
    }

    fn deallocate(&mut self, address: usize) -> TestCaseResult {
        let block = self.blocks.remove(&address).expect("a live block");
        prop_assert!(block.is_kept(), "{block:?} has changed");
        // SAFETY: the block is live with this layout, and the oracle has just forgotten it.
        unsafe { self.peer.deallocate(block.at, block.layout) }
        Ok(())
    }

    /// Frees what is left; whoever serves the whole process would keep it.
    fn deallocate_all(&mut self) -> TestCaseResult {
        while let Some((&address, _)) = self.blocks.first_key_value() {
            self.deallocate(address)?;
        }
        Ok(())
    }

    /// Aligned, inside, apart from every live block: then its bytes are written and it is remembered.
    fn owe(&mut self, at: NonNull<u8>, layout: Layout) -> TestCaseResult {
        let (start, end) = (at.addr().get(), at.addr().get() + layout.size());
        prop_assert!(start.is_multiple_of(layout.align()), "{start:#x} for {layout:?}");
        let inside = self.region.start <= start && end <= self.region.end;
        prop_assert!(inside || !P::OVER_REGION, "outside: {start:#x} for {layout:?}");
        // Live blocks are disjoint, so the last that starts below `end` is the only one that can reach `start`.
        if let Some((&other, owed)) = self.blocks.range(..end).next_back() {
            prop_assert!(other + owed.layout.size() <= start, "{owed:?} overlaps {layout:?}");
        }
        self.seed = self.seed.wrapping_add(1);
        let owed = Owed { at, layout, seed: self.seed };
        owed.write();
        self.blocks.insert(start, owed);
        Ok(())
    }
}

// Random programs.

const PROGRAM_REGION: usize = 128 * KIB;

/// A step of a random program. `pick` chooses among the live blocks, if there are any.
#[derive(Clone, Debug)]
enum Step {
    Allocate { size: usize, align: usize },
    Reallocate { pick: prop::sample::Index, size: usize },
    Deallocate { pick: prop::sample::Index },
}

fn any_size() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 1..64_usize, 3 => 64..1024_usize, 1 => 1024..16_000_usize]
}

fn any_step() -> impl Strategy<Value = Step> {
    let align = prop_oneof![8 => 0..=4_u32, 2 => 5..=16_u32].prop_map(|power| 1 << power);
    let pick = any::<prop::sample::Index>;
    prop_oneof![
        4 => (any_size(), align).prop_map(|(size, align)| Step::Allocate { size, align }),
        2 => (pick(), any_size()).prop_map(|(pick, size)| Step::Reallocate { pick, size }),
        3 => pick().prop_map(|pick| Step::Deallocate { pick }),
    ]
}

fn run_program<P: Peer>(oracle: &mut Oracle<'_, P>, program: &[Step]) -> TestCaseResult {
    for step in program {
        let live: Vec<_> = oracle.blocks.keys().copied().collect();
        match step {
            Step::Allocate { size, align } => {
                oracle.allocate(layout(*size, *align))?;
            }
            Step::Reallocate { pick, size } if !live.is_empty() => {
                oracle.reallocate(*pick.get(&live), *size)?;
            }
            Step::Deallocate { pick } if !live.is_empty() => oracle.deallocate(*pick.get(&live))?,
            Step::Reallocate { .. } | Step::Deallocate { .. } => {}
        }
    }
    oracle.deallocate_all()
}

#[test]
fn a_random_program_never_sees_blocks_overlap_or_bytes_change() {
    struct RunPrograms;
    impl Visit for RunPrograms {
        fn visit<P: Peer>(&mut self) {
            let config = Config {
                cases: 48,
                failure_persistence: None,
                ..Config::with_source_file(file!())
            };
            // The seed is a constant, so every run and every host sees the same programs.
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let mut runner = TestRunner::new_with_rng(config, rng);
            let programs = prop::collection::vec(any_step(), 1..200);
            let verdict = runner.run(&programs, |program| {
                let mut verdict = Ok(());
                let ran = on_peer::<P>(PROGRAM_REGION, |peer, region| {
                    verdict = run_program(&mut Oracle::new(peer, region), &program);
                });
                prop_assert!(ran, "128 KiB are too small");
                verdict
            });
            verdict.unwrap_or_else(|failure| panic!("{}: {failure}", P::NAME));
        }
    }
    each(&mut RunPrograms);
}

// Stories.

/// Runs one story on each peer; a verdict that is bad names the peer.
fn story(region_bytes: usize, tell: impl Fn(&mut dyn Teller) -> TestCaseResult) {
    struct Told<F>(usize, F);
    impl<F: Fn(&mut dyn Teller) -> TestCaseResult> Visit for Told<F> {
        fn visit<P: Peer>(&mut self) {
            let ran = on_peer::<P>(self.0, |peer, region| {
                let mut oracle = Oracle::new(peer, region);
                (self.1)(&mut oracle)
                    .and_then(|()| oracle.deallocate_all())
                    .unwrap_or_else(|failure| panic!("{}: {failure}", P::NAME));
            });
            assert!(ran, "{}: {} bytes are too small", P::NAME, self.0);
        }
    }
    each(&mut Told(region_bytes, tell));
}

/// What a story may ask of an [`Oracle`], whatever its peer.
trait Teller {
    fn over_region(&self) -> bool;
    fn allocate(&mut self, layout: Layout) -> Result<bool, TestCaseError>;
    fn reallocate_first(&mut self, size: usize) -> Result<bool, TestCaseError>;
}

impl<P: Peer> Teller for Oracle<'_, P> {
    fn over_region(&self) -> bool {
        P::OVER_REGION
    }

    fn allocate(&mut self, layout: Layout) -> Result<bool, TestCaseError> {
        self.allocate(layout)
    }

    fn reallocate_first(&mut self, size: usize) -> Result<bool, TestCaseError> {
        let (&first, _) = self.blocks.first_key_value().expect("a live block");
        self.reallocate(first, size)
    }
}

#[test]
fn every_alignment_up_to_64_kib_is_kept() {
    story(1024 * KIB, |peer| {
        for power in 0..=16 {
            prop_assert!(peer.allocate(layout(40, 1 << power))?, "no room at align 2^{}", power);
            prop_assert!(peer.allocate(layout(3, 1))?);
        }
        Ok(())
    });
}

#[test]
fn a_block_that_grows_and_shrinks_keeps_its_bytes_and_its_alignment() {
    for align in [1, 16, 512, 8192] {
        story(512 * KIB, |peer| {
            prop_assert!(peer.allocate(layout(100, align))?);
            for size in [1000, 10_000, 64, 1, 5000, 5001, 40_000, 8] {
                prop_assert!(peer.reallocate_first(size)?, "no room for {}", size);
            }
            Ok(())
        });
    }
}

#[test]
fn a_resize_that_fails_leaves_the_block_alone() {
    story(64 * KIB, |peer| {
        // What serves the whole process has room for these.
        if !peer.over_region() {
            return Ok(());
        }
        prop_assert!(peer.allocate(layout(1000, 8))?);
        for size in [64 * KIB + 1, 1 << 30, (1 << 30) + 8] {
            // The oracle looks at the bytes.
            prop_assert!(!peer.reallocate_first(size)?, "{}", size);
        }
        Ok(())
    });
}

#[test]
fn a_region_that_is_full_says_so_and_serves_again_after_a_free() {
    struct Fill;
    impl Visit for Fill {
        fn visit<P: Peer>(&mut self) {
            // What serves the whole process is never full.
            if !P::OVER_REGION {
                return;
            }
            on_peer::<P>(64 * KIB, |peer, region| {
                let mut oracle = Oracle::new(peer, region);
                let block = layout(1000, 8);
                let mut count = 0;
                while oracle.allocate(block).unwrap_or_else(|bad| panic!("{}: {bad}", P::NAME)) {
                    count += 1;
                }
                assert!((32..=65).contains(&count), "{}: {count} blocks of 1000", P::NAME);
                // The newest block, the lowest of a downward bump: a bump allocator reclaims no other.
                let newest = oracle.blocks.iter().max_by_key(|(_, owed)| owed.seed);
                let (&newest, _) = newest.expect("a live block, and fewer than there are seeds");
                oracle.deallocate(newest).unwrap_or_else(|bad| panic!("{}: {bad}", P::NAME));
                assert!(oracle.allocate(block).is_ok_and(|fits| fits), "{}", P::NAME);
            });
        }
    }
    each(&mut Fill);
}

#[test]
fn a_request_beyond_the_region_or_its_alignment_is_none() {
    let largest = isize::MAX.cast_unsigned();
    story(256 * KIB, |peer| {
        // What serves the whole process may well have room, or a limit of its own.
        if !peer.over_region() {
            return Ok(());
        }
        for layout in [
            layout(256 * KIB + 1, 1),
            layout(1 << 30, 1),
            layout((1 << 30) + 8, 8),
            layout(largest, 1),
            layout(largest - 7, 8),
            layout(8, 2 * MAX_ALIGN as usize),
            layout(8, 1 << 30),
        ] {
            prop_assert!(!peer.allocate(layout)?, "{:?}", layout);
        }
        prop_assert!(peer.allocate(layout(8, 8))?);
        prop_assert!(!peer.reallocate_first(largest - 7)?);
        prop_assert!(!peer.reallocate_first(256 * KIB + 1)?);
        Ok(())
    });
}

#[test]
fn a_tiny_region_is_refused_or_served_within() {
    struct Tiny;
    impl Visit for Tiny {
        fn visit<P: Peer>(&mut self) {
            for region_bytes in (0..=1024).step_by(16).chain([2048, 4096]) {
                on_peer::<P>(region_bytes, |peer, region| {
                    let mut oracle = Oracle::new(peer, region);
                    for size in [1, 16, 100, 4000, 4096] {
                        oracle
                            .allocate(layout(size, 8))
                            .unwrap_or_else(|bad| panic!("{} in {region_bytes}: {bad}", P::NAME));
                    }
                    oracle
                        .deallocate_all()
                        .unwrap_or_else(|bad| panic!("{} in {region_bytes}: {bad}", P::NAME));
                });
            }
        }
    }
    each(&mut Tiny);
}
