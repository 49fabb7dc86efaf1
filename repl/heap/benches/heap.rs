//! What one request costs an allocator, by how many blocks are live.
//!
//! Each heap lies in 64 MiB and holds 10, 1,000 or 100,000 live blocks of 64 bytes; making them is not measured. A row
//! is one `allocate` and one `deallocate` that leave the heap as it was, called on the design itself: over a `Region` of
//! real memory, and over the `Pages` of the prompt. `locked` adds the lock and `GlobalAlloc`. Nothing writes to the
//! blocks, no observer listens, and no page of `Pages` is shared, so none is copied.

use std::alloc::{self, GlobalAlloc, Layout};
use std::hint::black_box;

use divan::Bencher;
use heap::{Bump, Design, FirstFit, Locked, MAX_ALIGN, Offset, Over, Region};
use memory::Pages;

fn main() {
    divan::main();
}

const ARENA_BYTES: u32 = 64 << 20;
const BLOCK: Layout = Layout::new::<[u64; 8]>();
const LIVE: [usize; 3] = [10, 1_000, 100_000];

/// Memory that can be made for a benchmark.
trait Arena {
    fn fresh() -> Self;
}

impl Arena for Pages {
    fn fresh() -> Self {
        Self::new(ARENA_BYTES)
    }
}

impl Arena for Region {
    /// Leaked: a benchmark makes a handful, and most of their pages are never touched.
    fn fresh() -> Self {
        let layout = Layout::from_size_align(ARENA_BYTES as usize, MAX_ALIGN as usize)
            .expect("64 MiB at 64 KiB is a layout");
        // SAFETY: the layout has a size.
        let base = unsafe { alloc::alloc_zeroed(layout) };
        // SAFETY: the memory is never freed and nobody else has its address; `new` panics if it is null.
        unsafe { Self::new(base, ARENA_BYTES as usize) }
    }
}

/// A design over memory made for a benchmark.
trait Benched: Design {
    fn fresh() -> Self;
}

macro_rules! benched {
    ($($design:ident)*) => {
        $(
            impl Benched for $design<Pages> {
                fn fresh() -> Self {
                    Self::new(Arena::fresh())
                }
            }

            impl Benched for $design<Region> {
                fn fresh() -> Self {
                    Self::new(Arena::fresh())
                }
            }
        )*
    };
}

benched! { Bump FirstFit }

/// A heap with `count` live blocks and nothing free between them.
fn filled<D: Benched>(count: usize) -> (D, Vec<Offset>) {
    let mut heap = D::fresh();
    let blocks = (0..count).map(|_| allocate(&mut heap, BLOCK)).collect();
    (heap, blocks)
}

fn allocate(heap: &mut impl Design, layout: Layout) -> Offset {
    heap.allocate(layout, ()).expect("64 MiB have room for a benchmark").at
}

/// The block on top comes and goes.
#[divan::bench(types = [Bump<Region>, FirstFit<Region>, Bump<Pages>, FirstFit<Pages>], args = LIVE)]
fn newest<D: Benched>(bencher: Bencher<'_, '_>, live: usize) {
    let (mut heap, _blocks) = filled::<D>(live);
    bencher.bench_local(|| {
        let at = allocate(&mut heap, black_box(BLOCK));
        heap.deallocate(at, BLOCK, ());
    });
}

/// A block anywhere in the heap goes, and its successor takes the hole: the only one but for the rest of the arena.
/// A sample is long, so that the whole heap is visited.
#[divan::bench(
    types = [FirstFit<Region>, FirstFit<Pages>],
    args = LIVE,
    sample_size = 2000,
    sample_count = 100,
)]
fn anywhere<D: Benched>(bencher: Bencher<'_, '_>, live: usize) {
    let (mut heap, blocks) = filled::<D>(live);
    let mut turn = 0_usize;
    bencher.bench_local(|| {
        // Steps of a large prime reach every block before one comes again.
        turn = turn.wrapping_add(7_368_787);
        heap.deallocate(blocks[turn % blocks.len()], BLOCK, ());
        allocate(&mut heap, black_box(BLOCK))
    });
}

/// A request that fits only behind the last block, past a small hole in front of each: the search, which is O(holes).
#[divan::bench(types = [FirstFit<Region>, FirstFit<Pages>], args = LIVE)]
fn past_a_hole_each<D: Benched>(bencher: Bencher<'_, '_>, live: usize) {
    let (mut heap, blocks) = filled::<D>(2 * live);
    // From the last to the first: so each hole finds its place at the list's head.
    for &at in blocks.iter().step_by(2).rev() {
        heap.deallocate(at, BLOCK, ());
    }
    let large = Layout::new::<[u64; 16]>();
    bencher.bench_local(|| {
        let at = allocate(&mut heap, black_box(large));
        heap.deallocate(at, large, ());
    });
}

/// As `newest`, the way a program asks: through the lock, by pointer.
#[divan::bench(types = [Bump<Region>, FirstFit<Region>], args = LIVE)]
fn locked<D: Over<Region>>(bencher: Bencher<'_, '_>, live: usize) {
    let heap = Locked::<D>::new(Region::fresh());
    for _ in 0..live {
        // SAFETY: the layout has a size.
        assert!(!unsafe { GlobalAlloc::alloc(&heap, BLOCK) }.is_null());
    }
    bencher.bench_local(|| {
        // SAFETY: the layout has a size; the block, not null as the newest fitted before, goes back with its layout.
        unsafe {
            let block = GlobalAlloc::alloc(&heap, black_box(BLOCK));
            GlobalAlloc::dealloc(&heap, block, BLOCK);
        }
    });
}
