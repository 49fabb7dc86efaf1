//! An allocator of the whole process at the prompt: the system's, or one that takes its place.
//!
//! ```text
//!  Hosted: blocks by offset, bytes in pages          a clone is a clone: plain data
//!     | a new request                  ^ an answer, known of the line or new
//!     v                                |
//!  Host: the real blocks, wherever they lie
//! ```
//!
//! What stands here is what the allocator has answered so far; a [`Host`](crate::Host) asks it, or knows what it answered
//! when the line was new. So the same answers lead to the same state, on any machine, even one that lacks the allocator.
//!
//! There is no arena. The offsets grow with the blocks, and what lies between these may be anybody's: the allocator's own
//! words, free bytes, other blocks of this process. The heap's size limits the bytes live at once.
//!
//! Invariants:
//!
//! 1. Blocks lie inside the offsets handed out so far, apart from each other.
//!
//! Bad at: being the same twice. Its answers depend on all that the process did before.

use std::alloc::Layout;
use std::ptr::NonNull;

use crate::host::{self, Answer, Host, Seen, State, is_free};
use crate::outside::{Outside, drawn_outside, is_unprotected, stored_outside};
use crate::peers::Usable;
use crate::{
    AnyHeap, Budget, Design, Full, Info, MAX_ARENA, Observer, Offset, Origin, Placement, Storage,
    Structure, Unfit,
};

/// Offsets are handed out by so many.
const GRAIN: u32 = 16;

/// An allocator of the whole process. See the top of the file.
#[derive(Clone)]
pub struct Hosted {
    process: Process,
    outside: Outside,
    limit_bytes: u32,
    /// Bytes asked for by live blocks.
    live_bytes: u32,
    /// What the host mirrored when it last answered.
    state: Option<State>,
}

/// Which allocator.
#[derive(Clone, Copy)]
struct Process {
    name: &'static str,
    /// `None` where it was left out of the build.
    allocator: Option<&'static dyn Usable>,
    /// What to do then.
    missing: &'static str,
}

impl Process {
    const SYSTEM: Self = Self { name: "system", allocator: Some(&std::alloc::System), missing: "" };

    #[cfg(not(target_arch = "wasm32"))]
    const MIMALLOC: Self =
        Self { name: "mimalloc", allocator: Some(&mimalloc::MiMalloc), missing: "" };
    #[cfg(target_arch = "wasm32")]
    const MIMALLOC: Self = Self {
        name: "mimalloc",
        allocator: None,
        missing: "alloc-repl in a terminal: it is written in C, and not built for WebAssembly",
    };

    #[cfg(feature = "jemalloc")]
    const JEMALLOC: Self =
        Self { name: "jemalloc", allocator: Some(&tikv_jemallocator::Jemalloc), missing: "" };
    #[cfg(not(feature = "jemalloc"))]
    const JEMALLOC: Self = Self {
        name: "jemalloc",
        allocator: None,
        missing: "cargo run --release --features jemalloc, which builds it in about a minute",
    };
}

impl Hosted {
    /// The row of `system`.
    pub const SYSTEM: Info = Self::info(
        "system",
        "what a program gets that names no other",
        "std::alloc::System, in most programs the C library's malloc. The prompt itself uses it, so its blocks lie among the prompt's. The heap's size limits the bytes live at once.",
        |_, len| Self::build(Process::SYSTEM, len),
    );

    /// The row of `mimalloc`.
    pub const MIMALLOC: Info = Self::info(
        "mimalloc",
        "Microsoft's, with pages of its own for each size class",
        "mimalloc by Daan Leijen, through the crate mimalloc 0.1. The heap's size limits the bytes live at once. Not on WebAssembly, since it is written in C.",
        |_, len| Self::build(Process::MIMALLOC, len),
    );

    /// The row of `jemalloc`.
    pub const JEMALLOC: Info = Self::info(
        "jemalloc",
        "FreeBSD's, with slabs of its own for each size class",
        "jemalloc by Jason Evans, through the crate tikv-jemallocator 0.7. The heap's size limits the bytes live at once. Only in a build with `--features jemalloc`, which takes a minute.",
        |_, len| Self::build(Process::JEMALLOC, len),
    );

    const fn info(
        name: &'static str,
        summary: &'static str,
        details: &'static str,
        build: crate::Build,
    ) -> Info {
        Info { name, summary, details, options: &[], inner: &[], origin: Origin::Process, build }
    }

    fn build(process: Process, limit_bytes: u32) -> Result<AnyHeap, Unfit> {
        let here = if process.allocator.is_some() { Answer::Ready } else { Answer::Refused };
        match host::answer(|_, _| (here, None)) {
            (Answer::Ready, _) => Ok(Box::new(Self::new(process, limit_bytes))),
            _ => Err(Unfit::Missing { instead: process.missing }),
        }
    }

    fn new(process: Process, limit_bytes: u32) -> Self {
        let outside = Outside::new(0);
        Self { process, outside, limit_bytes, live_bytes: 0, state: None }
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            name: self.process.name,
            allocator: self.process.allocator,
            blocks: &self.outside.blocks,
            is_fresh: self.outside.pages.is_empty(),
            state: self.state,
            pages: &self.outside.pages,
        }
    }

    /// Whether so many more bytes may be live, with `fewer` that go.
    fn may_hold(&self, more: usize, fewer: usize) -> bool {
        (self.live_bytes as usize).saturating_sub(fewer).saturating_add(more)
            <= self.limit_bytes as usize
    }

    /// The place that was answered, if a block can lie there: an answer from a file may be anything. `at` is the block
    /// that moves there.
    fn accepted(
        &self,
        answer: Answer,
        layout: Layout,
        at: Option<Offset>,
    ) -> Result<Placement, Full> {
        let Answer::At(placed) = answer else { return Err(Full) };
        let Placement { at: to, granted_bytes } = placed;
        let inside = granted_bytes as usize >= layout.size()
            && granted_bytes <= MAX_ARENA
            && to.0 <= MAX_ARENA - granted_bytes;
        let mut others = self.outside.blocks.clone();
        at.map(|at| others.remove(&at.0));
        let apart =
            || to.is_aligned(layout.align() as u32) && is_free(&others, to.0, granted_bytes);
        if inside && (is_unprotected() || apart()) { Ok(placed) } else { Err(Full) }
    }

    /// Draws as far as `placed` reaches.
    fn reach(&mut self, placed: Placement) {
        let end = (placed.at.0 + placed.granted_bytes).next_multiple_of(GRAIN);
        self.outside.pages.grow(end.max(self.len()));
    }
}

impl Hosted {
    /// Where a byte really is, if it may be touched.
    fn real(&self, at: Offset, len: u32) -> Option<NonNull<u8>> {
        if is_unprotected() { host::tell(|host| host.real(self.seen(), at, len)) } else { None }
    }

    /// The same, to write to it: other states of this heap have other bytes there.
    fn real_mut(&mut self, at: Offset, len: u32) -> Option<NonNull<u8>> {
        let real = self.real(at, len)?;
        self.state = host::tell(Host::stepped);
        Some(real)
    }
}

stored_outside!(Hosted);

impl Design for Hosted {
    fn allocate(&mut self, layout: Layout, _: impl Observer) -> Result<Placement, Full> {
        if !self.may_hold(layout.size(), 0) {
            return Err(Full);
        }
        let (answer, state) = host::answer(|host, known| host.allocate(self.seen(), layout, known));
        self.state = state;
        let placed = self.accepted(answer, layout, None)?;
        self.reach(placed);
        self.outside.begin(placed, layout);
        self.live_bytes += layout.size() as u32;
        Ok(placed)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, _: impl Observer) {
        self.outside.assert_live(at, layout);
        self.state = host::tell(|host| host.deallocate(self.seen(), at, layout));
        self.outside.end(at, layout);
        self.live_bytes = self.live_bytes.saturating_sub(layout.size() as u32);
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        _: impl Observer,
    ) -> Result<Placement, Full> {
        self.outside.assert_live(at, layout);
        let new = Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        if !self.may_hold(new.size(), layout.size()) {
            return Err(Full);
        }
        let (answer, state) =
            host::answer(|host, known| host.reallocate(self.seen(), at, (layout, new), known));
        self.state = state;
        let placed = self.accepted(answer, new, Some(at))?;
        self.reach(placed);
        self.outside.relocate(at, layout, placed, new);
        self.live_bytes = self.live_bytes.saturating_sub(layout.size() as u32) + new_bytes;
        Ok(placed)
    }

    /// More may be live.
    fn grow(&mut self, len: u32, _: impl Observer) {
        self.limit_bytes = len;
    }

    fn structure(&self) -> Structure {
        Structure::Outside { whole_process: true }
    }

    fn budget(&self, _: u64) -> Option<Budget> {
        let missing = self.process.allocator.is_none().then_some(self.process.missing);
        let Self { limit_bytes, live_bytes, .. } = *self;
        Some(Budget { limit_bytes, live_bytes, missing })
    }

    drawn_outside! {}
}

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, System};
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    /// Gives the last block of a size back first, as a thread's cache does; resizes in place up to a page; and panics on
    /// a block that is not live.
    struct Stack {
        /// Live blocks by their addresses.
        live: Mutex<BTreeMap<usize, Layout>>,
        /// Those given back, the last one last.
        free: Mutex<Vec<Freed>>,
    }

    struct Freed(*mut u8, Layout);

    // SAFETY: nobody else has the block.
    unsafe impl Send for Freed {}

    impl Stack {
        const fn new() -> Self {
            Self { live: Mutex::new(BTreeMap::new()), free: Mutex::new(Vec::new()) }
        }

        /// Every block has a page at least.
        fn real(layout: Layout) -> Layout {
            Layout::from_size_align(layout.size().max(4096), layout.align()).unwrap()
        }

        fn live(&self) -> usize {
            self.live.lock().unwrap().len()
        }
    }

    // SAFETY: a block is the system's for this layout, handed out to one owner at a time.
    unsafe impl GlobalAlloc for Stack {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let mut free = self.free.lock().unwrap();
            let again = free.iter().rposition(|freed| freed.1 == layout);
            let at = match again {
                Some(index) => free.remove(index).0,
                // SAFETY: the caller's layout has a size.
                None => unsafe { System.alloc(Self::real(layout)) },
            };
            assert_eq!(self.live.lock().unwrap().insert(at.addr(), layout), None);
            at
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            let live = self.live.lock().unwrap().remove(&at.addr());
            assert_eq!(live, Some(layout), "no live block");
            self.free.lock().unwrap().push(Freed(at, layout));
        }

        unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
            let new = Layout::from_size_align(new_bytes, layout.align()).unwrap();
            if Self::real(layout) == Self::real(new) {
                let old = self.live.lock().unwrap().insert(at.addr(), new);
                assert_eq!(old, Some(layout), "no live block");
                return at;
            }
            // SAFETY: the caller's contract; the old block has a page or more.
            unsafe {
                let moved = self.alloc(new);
                moved.copy_from_nonoverlapping(at, layout.size().min(new_bytes));
                self.dealloc(at, layout);
                moved
            }
        }
    }

    impl Usable for Stack {}

    fn over(allocator: Option<&'static dyn Usable>) -> Hosted {
        Hosted::new(Process { name: "test", allocator, missing: "another build" }, 1 << 30)
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    fn allocate(heap: &mut Hosted, size: usize) -> Offset {
        let at = heap.allocate(layout(size), ()).unwrap().at;
        heap.check().unwrap();
        at
    }

    #[test]
    fn what_is_live_again_after_an_undo_shares_no_byte_with_a_new_block() {
        static STACK: Stack = Stack::new();
        let mut host = Host::default();
        host.answering(&[], || {
            let mut heap = over(Some(&STACK));
            let blocks = [1, 2, 3].map(|_| allocate(&mut heap, 64));
            let before = heap.clone();
            for at in blocks {
                heap.deallocate(at, layout(64), ());
            }
            allocate(&mut heap, 64);
            // The undo: from here on, the last block given back is one that is live here.
            let mut heap = before;
            for _ in 0..10 {
                allocate(&mut heap, 64);
                heap.deallocate(blocks[0], layout(64), ());
                let again = allocate(&mut heap, 64);
                heap.deallocate(again, layout(64), ());
                heap.begin_again(blocks[0]);
            }
        });
        assert!(STACK.live() > 3);
        drop(host);
        assert_eq!(STACK.live(), 0);
    }

    impl Hosted {
        /// A block of 64 bytes is live again, as after an undo.
        fn begin_again(&mut self, at: Offset) {
            self.outside.begin(Placement { at, granted_bytes: 64 }, layout(64));
            self.live_bytes += 64;
            self.state = None;
            self.check().unwrap();
        }
    }

    #[test]
    fn a_block_that_is_resized_behind_an_undo_stays_apart_from_the_others() {
        static STACK: Stack = Stack::new();
        let mut host = Host::default();
        host.answering(&[], || {
            let mut heap = over(Some(&STACK));
            let (a, b) = (allocate(&mut heap, 64), allocate(&mut heap, 64));
            let mut undone = heap.clone();
            heap.deallocate(a, layout(64), ());
            heap.deallocate(b, layout(64), ());
            for (at, size) in [(a, 500), (b, 5000), (a, 8)] {
                let mut heap = undone.clone();
                heap.reallocate(at, layout(64), size, ()).unwrap();
                heap.check().unwrap();
            }
            undone.reallocate(a, layout(64), 64, ()).unwrap();
            allocate(&mut undone, 64);
        });
        // What stands for the first one stays where it is, and has no neighbour there.
        let at = |at| Answer::At(Placement { at: Offset(at), granted_bytes: 64 });
        host.answering(&[at(0), at(64)], || {
            let mut heap = over(Some(&STACK));
            let a = allocate(&mut heap, 64);
            allocate(&mut heap, 64);
            let placed = heap.reallocate(a, layout(64), 500, ()).unwrap();
            assert!(placed.at > Offset(64), "{placed:?}");
            heap.check().unwrap();
        });
        drop(host);
        assert_eq!(STACK.live(), 0);
    }

    #[test]
    fn known_answers_lead_to_the_same_state_where_the_allocator_is_missing() {
        let story = |heap: &mut Hosted| {
            let blocks: Vec<_> = [200, 64, 4 << 20].map(|size| allocate(heap, size)).into();
            let wide = Layout::from_size_align(100, 1 << 16).unwrap();
            assert!(heap.allocate(wide, ()).unwrap().at.is_aligned(1 << 16));
            heap.deallocate(blocks[0], layout(200), ());
            heap.write(blocks[1], b"kept");
            let moved = heap.reallocate(blocks[1], layout(64), 6000, ()).unwrap().at;
            let mut bytes = [0; 4];
            heap.read(moved, &mut bytes);
            assert_eq!(&bytes, b"kept");
            heap.pieces().collect::<Vec<_>>()
        };
        let (pieces, answers) = Host::default().answering(&[], || story(&mut over(Some(&System))));
        assert_eq!(answers.len(), 5);
        let mut missing = over(None);
        let (again, _) = Host::default().answering(&answers, || story(&mut missing));
        assert_eq!(again, pieces);
        assert_eq!(missing.allocate(layout(8), ()), Err(Full));
        assert_eq!(missing.budget(8).unwrap().missing, Some("another build"));
    }

    #[test]
    fn an_answer_that_cannot_be_true_is_refused() {
        let mut host = Host::default();
        let mut heap = over(None);
        let at = |at, granted_bytes| Answer::At(Placement { at: Offset(at), granted_bytes });
        let answers = [at(64, 40), at(96, 40), at(40, 40), at(3, 40), at(128, 39)];
        let far = [at(MAX_ARENA - 32, 40), at(u32::MAX - 7, 40), at(8, u32::MAX), Answer::Ready];
        let answers = [&answers[..], &far].concat();
        let (placed, _) = host.answering(&answers, || {
            answers.iter().map(|_| heap.allocate(layout(40), ()).is_ok()).collect::<Vec<_>>()
        });
        assert_eq!(placed.iter().position(|ok| !ok), Some(1), "the first one can be");
        assert_eq!(placed.iter().filter(|ok| **ok).count(), 1, "{placed:?}");
        for text in ["", "0x", "0x10", "0x10+", "10+8", "0x10+8+8", "0x100000000+8", "Ready"] {
            assert!(text.parse::<Answer>().is_err(), "{text}");
        }
        for answer in answers {
            assert_eq!(answer.to_string().parse(), Ok(answer));
        }
    }

    #[test]
    fn the_size_limits_what_is_live_and_can_grow() {
        let mut heap = over(Some(&System));
        heap.grow(1000, ());
        let at = allocate(&mut heap, 900);
        assert_eq!(heap.allocate(layout(101), ()), Err(Full));
        assert_eq!(heap.reallocate(at, layout(900), 1001, ()), Err(Full));
        heap.grow(2000, ());
        allocate(&mut heap, 101);
        let budget = Budget { limit_bytes: 2000, live_bytes: 1001, missing: None };
        assert_eq!(heap.budget(1), Some(budget));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri holds every byte of 200 MiB")]
    fn offsets_are_used_again_when_a_gibibyte_of_them_is_used_up() {
        let mut heap = over(Some(&System));
        for round in 0..20 {
            // Too large to come from the same place each time, if others come in between.
            let size = (200 << 20) + (round << 20);
            let large = allocate(&mut heap, size);
            let small = allocate(&mut heap, 64);
            heap.deallocate(large, layout(size), ());
            heap.deallocate(small, layout(64), ());
        }
    }

    #[test]
    #[should_panic(expected = "no live block")]
    fn a_second_free_never_reaches_the_allocator() {
        let mut heap = over(Some(&System));
        let at = allocate(&mut heap, 8);
        heap.deallocate(at, layout(8), ());
        heap.deallocate(at, layout(8), ());
    }
}
