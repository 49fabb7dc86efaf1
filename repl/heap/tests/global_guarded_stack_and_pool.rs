//! A program whose global allocator is `guard` around two heaps whose walks through their blocks need memory.

use heap::{Guard, Locked, Pool, Region, SplitBySize, Stack};

mod story;

const ARENA_BYTES: usize = 64 << 20;

#[repr(align(65536))]
struct Arena(#[expect(dead_code, reason = "used through HEAP alone")] [u8; ARENA_BYTES]);
static mut ARENA: Arena = Arena([0; ARENA_BYTES]);

// SAFETY: nothing else names `ARENA`.
#[global_allocator]
static HEAP: Locked<Guard<SplitBySize<Pool<Region>, Stack<Region>>>> =
    Locked::new(unsafe { Region::new((&raw mut ARENA).cast(), ARENA_BYTES) });

/// Under the lock a check that asked its own heap for memory would wait for itself.
#[test]
fn a_check_asks_for_no_memory() {
    story::everything_that_allocates();
    HEAP.with(|heap| heap::Design::check(heap).map(|_| ())).unwrap();
}
