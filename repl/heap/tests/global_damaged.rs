//! A program that writes to blocks after it freed them, on a global allocator of ours: the process stops. It must not hang,
//! though the panic that notices the damage wants memory of the heap that it holds.
//!
//! Not under Miri, which has no child processes.
#![cfg(not(miri))]

use std::alloc::{self, Layout};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use heap::{FirstFit, Locked, Region};

const ARENA_BYTES: usize = 64 << 20;

#[repr(align(65536))]
struct Arena(#[expect(dead_code, reason = "used through HEAP alone")] [u8; ARENA_BYTES]);
static mut ARENA: Arena = Arena([0; ARENA_BYTES]);

// SAFETY: nothing else names `ARENA`.
#[global_allocator]
static HEAP: Locked<FirstFit<Region>> =
    Locked::new(unsafe { Region::new((&raw mut ARENA).cast(), ARENA_BYTES) });

/// Says to the test, run as a child, that it is one.
const CHILD: &str = "HEAP_DAMAGED_CHILD";
const ROUNDS: u32 = 600;

#[test]
fn a_damaged_heap_stops_the_process() {
    if std::env::var_os(CHILD).is_some() {
        return damage_the_heap();
    }
    let program = std::env::current_exe().expect("a path to this test");
    let mut child = Command::new(program)
        .args(["--exact", "a_damaged_heap_stops_the_process", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    for _ in 0..ROUNDS {
        if let Some(status) = child.try_wait().expect("a status") {
            assert!(!status.success(), "the damage went unnoticed");
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    child.kill().expect("it still runs");
    panic!("the child hangs");
}

/// Frees every second block, writes to it, and frees its neighbours.
fn damage_the_heap() {
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout has a size.
    let mut blocks: Vec<*mut u32> =
        (0..200).map(|_| unsafe { alloc::alloc(layout) }.cast()).collect();
    blocks.sort_unstable();
    let (freed, live): (Vec<_>, Vec<_>) = (0_u32..).zip(blocks).partition(|(n, _)| n % 2 == 0);
    for (_, block) in &freed {
        // SAFETY: the block is live with this layout.
        unsafe { alloc::dealloc(block.cast(), layout) }
    }
    for (_, block) in &freed {
        // SAFETY: none; this is the mistake. The bytes lie in `ARENA`, and the heap checks each link it follows.
        unsafe {
            block.write(0xffff_fff0);
            block.add(1).write(0xffff_fff0);
        }
    }
    for (_, block) in &live {
        // SAFETY: the block is live with this layout.
        unsafe { alloc::dealloc(block.cast(), layout) }
    }
}
