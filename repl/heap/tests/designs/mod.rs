//! The list of designs that every test of real memory runs on, and an arena for each run.
//!
//! A new design or wrapper is a new line of `on_each_design!`: `containers.rs`, `bugs_of_others.rs`, `recordings.rs` and
//! `nightly.rs` follow.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use heap::{Census, Design, Locked, MAX_ALIGN, Over, Piece, PieceKind, Region, Structure};

/// Instantiates each test for each design, and for each wrapper around designs it is made for.
macro_rules! on_each_design {
    ($($test:ident)*) => {
        on_designs! {
            [$($test)*]
            bump: Bump<Region>,
            bump_down: BumpDown<Region>,
            stack: Stack<Region>,
            pool: Pool<Region>,
            first_fit: FirstFit<Region>,
            first_fit_lifo: FirstFit<Region, Lifo>,
            first_fit_by_size: FirstFit<Region, BySize>,
            next_fit: NextFit<Region>,
            next_fit_lifo: NextFit<Region, Lifo>,
            best_fit: BestFit<Region>,
            worst_fit: WorstFit<Region>,
            headerless_first_fit: HeaderlessFirstFit<Region>,
            headerless_first_fit_lifo: HeaderlessFirstFit<Region, Lifo>,
            headerless_next_fit: HeaderlessNextFit<Region>,
            headerless_next_fit_by_size: HeaderlessNextFit<Region, BySize>,
            headerless_best_fit: HeaderlessBestFit<Region>,
            headerless_worst_fit: HeaderlessWorstFit<Region>,
            buddy: Buddy<Region>,
            tlsf: Tlsf<Region>,
            size_classes: SizeClasses<Region>,

            counting: Counting<FirstFit<Region>>,
            serial: Serial<Buddy<Region>>,
            guard: Guard<FirstFit<Region>>,
            guard_around_stack: Guard<Stack<Region>>,
            fallback: Fallback<Bump<Region>, FirstFit<Region>>,
            split_by_size: SplitBySize<Pool<Region>, FirstFit<Region>>,
            guard_around_fallback: Guard<Fallback<Pool<Region>, HeaderlessBestFit<Region>>>,
        }
    };
}

/// Instantiates each test for some.
macro_rules! on_designs {
    ($tests:tt $($name:ident: $design:ty,)*) => {
        $(on_design! { $tests $name: $design })*
    };
}

macro_rules! on_design {
    ([$($test:ident)*] $name:ident: $design:ty) => {
        mod $name {
            #[allow(unused_imports, reason = "each design needs some of them")]
            use heap::*;

            $(
                #[test]
                fn $test() {
                    super::$test::<$design>();
                }
            )*
        }
    };
}

/// Bytes on either side of an arena that nobody may touch.
const MARGIN_BYTES: usize = MAX_ALIGN as usize;
/// Of those, the ones next to the arena are written before and looked at behind: the others cost nothing.
const WATCHED_BYTES: usize = 64;
const UNTOUCHED: u8 = 0x5a;

/// The system's memory for an arena and its margins. Freed even when a test panics, so that valgrind's report names the
/// first mistake alone.
struct Arena {
    memory: NonNull<u8>,
    layout: Layout,
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the memory came from `alloc::alloc` with this layout, and the heap over it is gone: `on_heap` only
        // lent it.
        unsafe { alloc::dealloc(self.memory.as_ptr(), self.layout) }
    }
}

impl Arena {
    fn new(arena_bytes: usize) -> Self {
        let layout = layout(2 * MARGIN_BYTES + arena_bytes, MAX_ALIGN as usize);
        // SAFETY: the layout has a size.
        let memory = NonNull::new(unsafe { alloc::alloc(layout) }).expect("memory for an arena");
        let arena = Self { memory, layout };
        for margin in arena.margins() {
            // SAFETY: the margin lies inside the memory, and outside the arena.
            unsafe { margin.write_bytes(UNTOUCHED, WATCHED_BYTES) }
        }
        arena
    }

    fn start(&self) -> NonNull<u8> {
        // SAFETY: the front margin lies inside the memory.
        unsafe { self.memory.add(MARGIN_BYTES) }
    }

    /// The watched bytes in front of the arena, and those behind.
    fn margins(&self) -> [NonNull<u8>; 2] {
        let behind = self.layout.size() - MARGIN_BYTES;
        // SAFETY: both lie inside the memory.
        [MARGIN_BYTES - WATCHED_BYTES, behind].map(|at| unsafe { self.memory.add(at) })
    }

    fn check_margins(&self) {
        for margin in self.margins() {
            // SAFETY: `new` has written these bytes, and nobody else may.
            let bytes = unsafe { std::slice::from_raw_parts(margin.as_ptr(), WATCHED_BYTES) };
            assert_eq!(bytes, [UNTOUCHED; WATCHED_BYTES], "a write beyond the arena's end");
        }
    }
}

/// Runs `work` on a heap over `arena_bytes` of memory that was never written, and checks behind it the design's invariants
/// and that nothing was written beyond the arena's ends.
pub(crate) fn on_heap<D: Over<Region>>(arena_bytes: usize, work: impl FnOnce(&Locked<D>)) {
    let arena = Arena::new(arena_bytes);
    // SAFETY: the memory lives as long as `arena`, which is dropped behind `heap`; nobody else has its address, which
    // is a multiple of 64 KiB.
    let heap = Locked::<D>::new(unsafe { Region::new(arena.start().as_ptr(), arena_bytes) });
    work(&heap);
    check(&heap);
    arena.check_margins();
}

/// Checks the design's invariants.
pub(crate) fn check<D: Over<Region>>(heap: &Locked<D>) -> Census {
    heap.with(|design| {
        Design::check(design).unwrap_or_else(|broken| {
            panic!("{broken:?}: {}", Design::rules(design)[broken.invariant - 1])
        })
    })
}

/// Asserts that all that was handed out since `before` has come back.
pub(crate) fn check_all_came_back<D: Over<Region>>(heap: &Locked<D>, before: Census) {
    let after = check(heap);
    let joined = heap.with(|design| joins(&design.structure()) && !holds_back(design));
    let holes = if joined { before.holes } else { after.holes };
    assert_eq!(after, Census { holes, ..before });
}

/// Whether the design knows each block, and not only the bytes it handed out.
pub(crate) fn tracks_blocks(design: &impl Design) -> bool {
    design.pieces().all(|piece| piece.kind != PieceKind::Taken)
}

/// Bytes of the arena that a later request may get: holes, and what is held back for a while.
pub(crate) fn free_bytes(design: &impl Design) -> u32 {
    let is_free = |piece: &Piece| matches!(piece.kind, PieceKind::Hole | PieceKind::Held);
    design.pieces().filter(is_free).map(|piece| piece.size_bytes).sum()
}

/// Whether free blocks become one again when all are free. Slots stay what they were cut as.
fn joins(structure: &Structure) -> bool {
    match structure {
        Structure::Slots(_) => false,
        Structure::Around { inner, .. } => joins(inner),
        Structure::Pair { first, second, .. } => joins(first) && joins(second),
        _ => true,
    }
}

fn holds_back(design: &impl Design) -> bool {
    design.pieces().any(|piece| piece.kind == PieceKind::Held)
}

pub(crate) fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}
