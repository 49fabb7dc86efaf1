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

/// The guard finds a damaged canary under the lock, on the heap that its message would be put together on.
#[test]
fn a_damaged_canary_stops_the_program_and_does_not_hang_it() {
    const DAMAGED: &str = "DAMAGED";
    const NAME: &str = "a_damaged_canary_stops_the_program_and_does_not_hang_it";
    if std::env::var_os(DAMAGED).is_some() {
        let layout = std::alloc::Layout::new::<[u8; 40]>();
        // SAFETY: the layout has a size. The write behind the block is what the guard is there for, and lies in the arena.
        unsafe {
            let block = std::alloc::alloc(layout);
            block.add(40).write(0);
            std::alloc::dealloc(block, layout);
        }
        return;
    }
    let program = std::env::current_exe().unwrap();
    let status = std::process::Command::new(program)
        .args(["--exact", NAME])
        .env(DAMAGED, "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success(), "{status}");
}
