//! A program whose global allocator is `guard` around `first-fit`.

use heap::{FirstFit, Guard, Locked, Region};

mod story;

const ARENA_BYTES: usize = 64 << 20;

#[repr(align(65536))]
struct Arena(#[expect(dead_code, reason = "used through HEAP alone")] [u8; ARENA_BYTES]);
static mut ARENA: Arena = Arena([0; ARENA_BYTES]);

// SAFETY: nothing else names `ARENA`.
#[global_allocator]
static HEAP: Locked<Guard<FirstFit<Region>>> =
    Locked::new(unsafe { Region::new((&raw mut ARENA).cast(), ARENA_BYTES) });

#[test]
fn a_program_with_threads_runs_on_it() {
    story::everything_that_allocates();
    HEAP.with(|heap| heap::Design::check(heap).map(|_| ())).unwrap();
}
