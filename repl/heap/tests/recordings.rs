//! The recordings of real programs in `tests/traces`, replayed on every design over real memory.
//!
//! Every block is written whole, and every byte of it looked at when it is resized or freed. `check` looks at the whole
//! arena every 1,024 operations.
//!
//! Designs that walk lists of holes replay the first 8,000 operations of a recording, and those that sort holes by size
//! the first 2,500; the others replay all, up to 110,378. Without optimisation the whole takes these minutes:
//! `WHOLE_RECORDINGS=1 cargo test --release -p heap --test recordings` spares nobody.
//!
//! Not under Miri, where 150,000 operations for each design take hours; `containers.rs` has random programs there.
#![cfg(not(miri))]

use std::alloc::{GlobalAlloc, Layout};
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::LazyLock;

use heap::trace::{Op, Trace};
use heap::{Locked, MAX_ALIGN, Order, Over, Region, Structure};

use crate::designs::{check, check_all_came_back, layout, on_heap, tracks_blocks};

#[macro_use]
#[allow(dead_code, reason = "the others use the rest")]
mod designs;

on_each_design! {
    cargo_metadata
    gcc_cc1
    git_log
    ls
    perl
}

fn cargo_metadata<D: Over<Region>>() {
    replay::<D>("cargo-metadata");
}

fn gcc_cc1<D: Over<Region>>() {
    replay::<D>("gcc-cc1");
}

fn git_log<D: Over<Region>>() {
    replay::<D>("git-log");
}

fn ls<D: Over<Region>>() {
    replay::<D>("ls");
}

fn perl<D: Over<Region>>() {
    replay::<D>("perl");
}

/// Enough for those that take nothing back: 24 MB are asked for in all, and slots and halves are up to twice as long.
const ARENA_BYTES: usize = 64 << 20;
/// What `malloc` promises the programs recorded here.
const ALIGN_BYTES: usize = 16;
const CHECK_EVERY: usize = 1024;

/// Bytes without a short period: a block's are the ones from its seed on.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(1 << 20).collect()
});

/// What a design of this structure replays at most.
fn most_ops(structure: &Structure) -> usize {
    match structure {
        _ if std::env::var_os("WHOLE_RECORDINGS").is_some() => usize::MAX,
        Structure::List { order: Order::Size, .. } => 2_500,
        Structure::List { .. } => 8_000,
        Structure::Around { inner, .. } => most_ops(inner),
        Structure::Pair { first, second, .. } => most_ops(first).min(most_ops(second)),
        _ => usize::MAX,
    }
}

#[derive(Clone, Copy, Debug)]
struct Block {
    pointer: NonNull<u8>,
    layout: Layout,
    seed: usize,
}

impl Block {
    fn pattern(&self, len: usize) -> &'static [u8] {
        &PATTERN[self.seed..self.seed + len]
    }

    fn write(&self) {
        let pattern = self.pattern(self.layout.size());
        // SAFETY: the heap handed out `layout.size()` bytes, and the replay is their only owner.
        unsafe {
            self.pointer.copy_from_nonoverlapping(NonNull::from(pattern).cast(), pattern.len());
        }
    }

    /// Asserts that the first `len` bytes are what `write` made them, at `pointer` now.
    fn check_at(&self, pointer: NonNull<u8>, len: usize, step: usize) {
        // SAFETY: `pointer` is a live block of at least `len` bytes, that `write` has set or `realloc` copied.
        let bytes = unsafe { std::slice::from_raw_parts(pointer.as_ptr(), len) };
        assert!(bytes == self.pattern(len), "operation {step}: {self:?} has changed");
    }
}

fn replay<D: Over<Region>>(name: &str) {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "traces"].iter().collect();
    let path = folder.join(name).with_extension("rep");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let trace = Trace::parse(&text).unwrap_or_else(|bad| panic!("{}: {bad:?}", path.display()));
    on_heap::<D>(ARENA_BYTES, |heap| {
        let before = check(heap);
        let most = heap.with(|design| most_ops(&design.structure()));
        let mut blocks = vec![None; trace.ids() as usize];
        for (step, &op) in trace.ops().iter().enumerate().take(most) {
            let block = &mut blocks[op.id() as usize];
            *block = run(heap, step, op, block.take());
            if step.is_multiple_of(CHECK_EVERY) {
                check(heap);
            }
        }
        for block in blocks.into_iter().flatten() {
            free(heap, trace.ops().len(), block);
        }
        if heap.with(|design| tracks_blocks(design)) {
            check_all_came_back(heap, before);
        }
    });
}

/// The block of the operation's id from now on; none if the heap has nothing so large. A [`Trace`] allocates an id only
/// while it is free, and the like.
fn run<D: Over<Region>>(
    heap: &Locked<D>,
    step: usize,
    op: Op,
    block: Option<Block>,
) -> Option<Block> {
    match (op, block) {
        (Op::Realloc { size_bytes, .. }, Some(old)) => {
            let layout = layout(size_bytes as usize, ALIGN_BYTES);
            old.check_at(old.pointer, old.layout.size(), step);
            // SAFETY: the block is live with its layout, and the new size above zero.
            let pointer = NonNull::new(unsafe {
                GlobalAlloc::realloc(heap, old.pointer.as_ptr(), old.layout, layout.size())
            });
            let kept = layout.size().min(old.layout.size());
            match pointer {
                Some(pointer) => old.check_at(pointer, kept, step),
                None => free(heap, step, old),
            }
            take(heap, step, pointer, layout)
        }
        (Op::Alloc { size_bytes, .. } | Op::Realloc { size_bytes, .. }, _) => {
            let layout = layout(size_bytes as usize, ALIGN_BYTES);
            // SAFETY: a trace's sizes are above zero.
            let pointer = NonNull::new(unsafe { GlobalAlloc::alloc(heap, layout) });
            take(heap, step, pointer, layout)
        }
        (Op::Free { .. }, block) => {
            if let Some(block) = block {
                free(heap, step, block);
            }
            None
        }
    }
}

fn take<D: Over<Region>>(
    heap: &Locked<D>,
    step: usize,
    pointer: Option<NonNull<u8>>,
    layout: Layout,
) -> Option<Block> {
    let Some(pointer) = pointer else {
        // The arena has room for all; but no slot is longer than 64 KiB.
        let nowhere = |design: &mut D| design.holes().all(|hole| !design.eligible(hole, layout));
        let too_long = layout.size() > MAX_ALIGN as usize && heap.with(nowhere);
        assert!(too_long, "operation {step}: no room for {layout:?}");
        return None;
    };
    assert!(pointer.addr().get().is_multiple_of(ALIGN_BYTES), "operation {step}: {pointer:?}");
    // Neighbours in time and in memory have bytes of their own.
    let block = Block { pointer, layout, seed: step * 61 % 4096 };
    block.write();
    Some(block)
}

fn free<D: Over<Region>>(heap: &Locked<D>, step: usize, block: Block) {
    block.check_at(block.pointer, block.layout.size(), step);
    // SAFETY: the block is live with its layout, and consumed here.
    unsafe { GlobalAlloc::dealloc(heap, block.pointer.as_ptr(), block.layout) }
}
