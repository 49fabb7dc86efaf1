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

use crate::host::{self, Answer, Seen, State, is_free};
use crate::outside::{Outside, drawn_outside, stored_outside};
use crate::peers::Usable;
use crate::{
    AnyHeap, Budget, Design, Full, Info, MAX_ARENA, Misuse, Observer, Offset, Origin, Placement,
    Storage, Structure, Unfit,
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
    is_damaged: bool,
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
        "what a program has that names no other: the C library's malloc, mostly",
        "std::alloc::System, the allocator this program itself uses: its blocks lie among those of the program.",
        |_, len| Self::build(Process::SYSTEM, len),
    );

    /// The row of `mimalloc`.
    pub const MIMALLOC: Info = Self::info(
        "mimalloc",
        "Microsoft's, with pages of its own for each size class",
        "mimalloc by Daan Leijen, through the crate mimalloc 0.1. Not on WebAssembly, since it is written in C.",
        |_, len| Self::build(Process::MIMALLOC, len),
    );

    /// The row of `jemalloc`.
    pub const JEMALLOC: Info = Self::info(
        "jemalloc",
        "FreeBSD's, with slabs of its own for each size class",
        "jemalloc by Jason Evans, through the crate tikv-jemallocator 0.7. Only in a build with `--features jemalloc`, which takes a minute.",
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
        let is_here = process.allocator.is_some();
        let answer = || if is_here { Answer::Ready } else { Answer::Refused };
        match host::answer(|_| (answer(), None)) {
            (Answer::Ready, _) => Ok(Box::new(Self::new(process, limit_bytes))),
            _ => Err(Unfit::Missing { instead: process.missing }),
        }
    }

    fn new(process: Process, limit_bytes: u32) -> Self {
        let outside = Outside::new(0);
        Self { process, outside, limit_bytes, live_bytes: 0, state: None, is_damaged: false }
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            name: self.process.name,
            allocator: self.process.allocator,
            blocks: &self.outside.blocks,
            is_fresh: self.outside.pages.is_empty(),
            state: self.state,
            is_damaged: self.is_damaged,
        }
    }

    /// Whether so many more bytes may be live, with `fewer` that go.
    fn may_hold(&self, more: usize, fewer: usize) -> bool {
        (self.live_bytes as usize - fewer).saturating_add(more) <= self.limit_bytes as usize
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
            && to.0 <= MAX_ARENA - granted_bytes
            && to.is_aligned(layout.align() as u32);
        let mut others = self.outside.blocks.clone();
        at.map(|at| others.remove(&at.0));
        let apart = self.is_damaged || inside && is_free(&others, to.0, granted_bytes);
        if inside && apart { Ok(placed) } else { Err(Full) }
    }

    /// Draws as far as `placed` reaches.
    fn reach(&mut self, placed: Placement) {
        let end = (placed.at.0 + placed.granted_bytes).next_multiple_of(GRAIN);
        self.outside.pages.grow(end.max(self.len()));
    }
}

stored_outside!(Hosted);

impl Design for Hosted {
    fn allocate(&mut self, layout: Layout, _: impl Observer) -> Result<Placement, Full> {
        if !self.may_hold(layout.size(), 0) {
            return Err(Full);
        }
        let (answer, state) = host::answer(|host| host.allocate(self.seen(), layout));
        self.state = state;
        let placed = self.accepted(answer, layout, None)?;
        self.reach(placed);
        self.outside.begin(placed, layout);
        self.live_bytes += layout.size() as u32;
        Ok(placed)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, _: impl Observer) {
        self.outside.end(at, layout);
        self.live_bytes -= layout.size() as u32;
        self.state = host::tell(|host| host.deallocate(self.state, at));
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
        let (answer, state) = host::answer(|host| host.reallocate(self.seen(), at, new));
        self.state = state;
        let placed = self.accepted(answer, new, Some(at))?;
        self.reach(placed);
        self.outside.relocate(at, layout, placed, new);
        self.live_bytes = self.live_bytes - layout.size() as u32 + new_bytes;
        Ok(placed)
    }

    fn misuse(&mut self, misuse: Misuse<'_>) {
        self.state = host::tell(|host| host.misuse(self.seen(), misuse));
        self.is_damaged = true;
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
