//! Two heaps in one arena, side by side: what `fallback` and `split-by-size` are made of.
//!
//! ```text
//!  0                        border                     len
//!  |      first heap        |       second heap        |
//!  +------------------------+--------------------------+
//! ```
//!
//! Each heap has offsets of its own, from its own start. A [`Choice`] says which one a request goes to; a block goes back
//! to the heap whose bytes it lies in. The border is a power of two below half the arena, or a multiple of 64 KiB: the
//! second heap can align blocks as far as its own start is aligned.
//!
//! Invariants: the first heap's, then the second's.
//!
//! Cost: one comparison more than the heap that answers. Bad at: memory that one side has and the other side needs.

use std::alloc::Layout;
use std::fmt::Debug;
use std::ops::Range;

use crate::{
    AnyHeap, Because, Broken, Budget, Census, Design, Edges, Full, Info, Inner, MAX_ALIGN, Memory,
    Need, Observer, Offset, Origin, Over, Piece, Placement, Spec, Step, Storage, Structure, Unfit,
};

/// Which of two heaps a request goes to.
pub trait Choice: Clone + Copy + Debug {
    /// Whether the second heap is asked at once.
    fn asks_second(&self, size_bytes: u64) -> bool;

    /// Whether the second heap is asked when the first is full.
    fn falls_back(&self) -> bool;

    /// Sizes up to this go to the first, where size decides.
    fn most_bytes(&self) -> Option<u32>;
}

/// The first heap as long as it has room, then the second.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhenFull;

impl Choice for WhenFull {
    fn asks_second(&self, _: u64) -> bool {
        false
    }

    fn falls_back(&self) -> bool {
        true
    }

    fn most_bytes(&self) -> Option<u32> {
        None
    }
}

/// Requests of at most so many bytes to the first heap, larger ones to the second.
#[derive(Clone, Copy, Debug)]
pub struct UpTo(pub u32);

impl Default for UpTo {
    /// 64 bytes: most of a program's requests, and few of its bytes.
    fn default() -> Self {
        Self(64)
    }
}

impl Choice for UpTo {
    fn asks_second(&self, size_bytes: u64) -> bool {
        size_bytes > u64::from(self.0)
    }

    fn falls_back(&self) -> bool {
        false
    }

    fn most_bytes(&self) -> Option<u32> {
        Some(self.0)
    }
}

/// Two heaps, and which is asked. See the top of the file.
#[derive(Clone, Debug)]
pub struct Pair<A, B, C> {
    first: A,
    second: B,
    border: Offset,
    choice: C,
}

/// `A` as long as it has room, then `B`.
pub type Fallback<A, B> = Pair<A, B, WhenFull>;

/// Small requests to `A`, large ones to `B`.
pub type SplitBySize<A, B> = Pair<A, B, UpTo>;

impl Fallback<AnyHeap, AnyHeap> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "fallback",
        summary: "a wrapper: the second heap when the first is full",
        details: "The arena is cut in two, one half for each heap. A block goes back to the heap it lies in. The second heap aligns no further than its own start is aligned.",
        options: &[],
        inner: &[Inner::Heap, Inner::Heap],
        origin: Origin::Ours,
        build: |spec, len| Ok(Box::new(Self::built(spec, len, WhenFull)?)),
    };
}

impl SplitBySize<AnyHeap, AnyHeap> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "split-by-size",
        summary: "a wrapper: up to SIZE the first heap, else the second",
        details: "The arena is cut in two, one half for each heap. A block that is resized across SIZE moves to the other one.",
        options: &[],
        inner: &[Inner::Size, Inner::Heap, Inner::Heap],
        origin: Origin::Ours,
        build: |spec, len| {
            let choice = spec.border_bytes.map_or_else(UpTo::default, UpTo);
            Ok(Box::new(Self::built(spec, len, choice)?))
        },
    };
}

impl<C: Choice> Pair<AnyHeap, AnyHeap, C> {
    fn built(spec: &Spec, len: u32, choice: C) -> Result<Self, Unfit> {
        let border = border(len);
        // What is too small for one half asks for twice as much in all.
        let whole = |unfit| match unfit {
            Unfit::TooSmall { least_bytes } => {
                Unfit::TooSmall { least_bytes: least_bytes.saturating_mul(4) }
            }
            unfit => unfit,
        };
        if border.0 == 0 {
            return Err(Unfit::TooSmall { least_bytes: 64 });
        }
        let first = spec.inner[0].build(border.0).map_err(whole)?;
        // What grows has room behind it in the second place alone.
        if Design::budget(&first, 0).is_some() {
            return Err(Unfit::Grows);
        }
        let second = spec.inner[1].build(len - border.0).map_err(whole)?;
        Ok(Self { first, second, border, choice })
    }
}

impl<M: Memory, A: Over<M>, B: Over<M>, C: Choice + Default> Over<M> for Pair<A, B, C> {
    fn new(memory: M) -> Self {
        Self::over(memory, C::default())
    }
}

impl<A, B, C: Choice> Pair<A, B, C> {
    /// Both heaps over `memory`, which is cut in two.
    pub fn over<M: Memory>(mut memory: M, choice: C) -> Self
    where
        A: Over<M>,
        B: Over<M>,
    {
        let border = border(memory.len());
        let rest = memory.split(border);
        Self { first: A::new(memory), second: B::new(rest), border, choice }
    }

    /// Whether the second heap's start is aligned enough to align blocks so.
    fn second_aligns(&self, align_bytes: usize) -> bool {
        align_bytes as u64 <= 1 << self.border.0.trailing_zeros().min(16)
    }

    fn inner(&self, at: Offset) -> Offset {
        Offset(at.0.wrapping_sub(self.border.0))
    }

    fn outer(&self, piece: Piece) -> Piece {
        Piece { at: piece.at.plus(self.border.0), ..piece }
    }

    /// The bytes of a range that lie in the first arena, and those in the second, as each counts.
    fn parts(&self, range: Range<Offset>) -> (Range<Offset>, Range<Offset>) {
        let border = self.border.0;
        let first = range.start.0.min(border)..range.end.0.min(border);
        let second = range.start.0.max(border) - border..range.end.0.max(border) - border;
        (Offset(first.start)..Offset(first.end), Offset(second.start)..Offset(second.end))
    }
}

/// Where the second arena starts.
fn border(len: u32) -> Offset {
    let half = len / 2;
    Offset(if half >= MAX_ALIGN {
        half & !(MAX_ALIGN - 1)
    } else if half >= 16 {
        1 << half.ilog2()
    } else {
        0
    })
}

/// A step of the second heap, in the offsets of both.
struct Shifted<O> {
    observer: O,
    by: u32,
}

impl<O: Observer> Observer for Shifted<O> {
    fn step(&mut self, step: Step) {
        self.observer.step(step.moved(self.by));
    }
}

impl<A: Design, B: Design, C> Storage for Pair<A, B, C>
where
    C: Choice,
{
    fn len(&self) -> u32 {
        self.border.0 + self.second.len()
    }

    fn read(&self, at: Offset, into: &mut [u8]) {
        let (first, second) = self.parts(at..at.plus(into.len() as u32));
        let (low, high) = into.split_at_mut(first.end.since(first.start) as usize);
        if !low.is_empty() {
            self.first.read(first.start, low);
        }
        if !high.is_empty() {
            self.second.read(second.start, high);
        }
    }

    fn write(&mut self, at: Offset, bytes: &[u8]) {
        let (first, second) = self.parts(at..at.plus(bytes.len() as u32));
        let (low, high) = bytes.split_at(first.end.since(first.start) as usize);
        if !low.is_empty() {
            self.first.write(first.start, low);
        }
        if !high.is_empty() {
            self.second.write(second.start, high);
        }
    }

    fn fill(&mut self, range: Range<Offset>, byte: u8) {
        let (first, second) = self.parts(range);
        if first.start < first.end {
            self.first.fill(first, byte);
        }
        if second.start < second.end {
            self.second.fill(second, byte);
        }
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        let (in_first, to_first) = (from < self.border, to < self.border);
        match (in_first, to_first) {
            (true, true) => self.first.copy(from, to, len),
            (false, false) => {
                let (from, to) = (self.inner(from), self.inner(to));
                self.second.copy(from, to, len);
            }
            // From one memory to the other, a piece at a time: an allocator must not allocate a buffer.
            _ => {
                let mut buffer = [0; 256];
                let mut done = 0;
                while done < len {
                    let part = &mut buffer[..(len - done).min(256) as usize];
                    self.read(from.plus(done), part);
                    self.write(to.plus(done), part);
                    done += part.len() as u32;
                }
            }
        }
    }
}

impl<A: Design, B: Design, C: Choice> Pair<A, B, C> {
    fn allocate_second(
        &mut self,
        layout: Layout,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        if !self.second_aligns(layout.align()) {
            observer.step(Step::Handed { second: true, because: Because::Unaligned });
            return Err(Full);
        }
        let by = self.border.0;
        let placed = self.second.allocate(layout, Shifted { observer, by })?;
        Ok(Placement { at: placed.at.plus(by), ..placed })
    }
}

impl<A: Design, B: Design, C: Choice> Design for Pair<A, B, C> {
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        let small = if self.choice.falls_back() { Because::First } else { Because::Small };
        if self.choice.asks_second(layout.size() as u64) {
            observer.step(Step::Handed { second: true, because: Because::Large });
            return self.allocate_second(layout, observer);
        }
        observer.step(Step::Handed { second: false, because: small });
        match self.first.allocate(layout, &mut observer) {
            Err(Full) if self.choice.falls_back() => {
                observer.step(Step::Handed { second: true, because: Because::Full });
                let block_bytes = self.second.need(layout).block_bytes() as u32;
                let asked_bytes = layout.size() as u32;
                observer.step(Step::Rounded { asked_bytes, block_bytes });
                self.allocate_second(layout, observer)
            }
            answer => answer,
        }
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        let second = at >= self.border;
        observer.step(Step::Handed { second, because: Because::Owner });
        if second {
            let by = self.border.0;
            self.second.deallocate(self.inner(at), layout, Shifted { observer, by });
        } else {
            self.first.deallocate(at, layout, observer);
        }
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        let second = at >= self.border;
        let old_side = self.choice.asks_second(layout.size() as u64);
        if old_side != self.choice.asks_second(u64::from(new_bytes)) {
            return Err(Full);
        }
        observer.step(Step::Handed { second, because: Because::Owner });
        if second {
            let by = self.border.0;
            let observer = Shifted { observer, by };
            let placed = self.second.resize(self.inner(at), layout, new_bytes, observer)?;
            Ok(Placement { at: placed.at.plus(by), ..placed })
        } else {
            self.first.resize(at, layout, new_bytes, observer)
        }
    }

    fn grow(&mut self, len: u32, observer: impl Observer) {
        let by = self.border.0;
        self.second.grow(len - by, Shifted { observer, by });
    }

    fn can_grow(&self) -> bool {
        self.second.can_grow()
    }

    fn newer_than(&self, at: Offset) -> Option<Offset> {
        if at < self.border {
            return self.first.newer_than(at);
        }
        Some(self.second.newer_than(self.inner(at))?.plus(self.border.0))
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.first.pieces().chain(self.second.pieces().map(|piece| self.outer(piece)))
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        self.first.holes().chain(self.second.holes().map(|hole| self.outer(hole)))
    }

    fn structure(&self) -> Structure {
        Structure::Pair {
            border: self.border,
            most_bytes: self.choice.most_bytes(),
            first: Box::new(self.first.structure()),
            second: Box::new(self.second.structure()),
        }
    }

    fn need(&self, layout: Layout) -> Need {
        if self.choice.asks_second(layout.size() as u64) {
            self.second.need(layout)
        } else {
            self.first.need(layout)
        }
    }

    fn fits(&self, hole: Piece) -> u32 {
        let (most, second) = (self.choice.most_bytes(), hole.at >= self.border);
        match most {
            _ if second => {
                let fits = self.second.fits(Piece { at: self.inner(hole.at), ..hole });
                // Small requests never get here.
                if most.is_some_and(|most| fits <= most) { 0 } else { fits }
            }
            Some(most) => self.first.fits(hole).min(most),
            None => self.first.fits(hole),
        }
    }

    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        let by_size = self.choice.asks_second(layout.size() as u64);
        if hole.at < self.border {
            !by_size && self.first.eligible(hole, layout)
        } else {
            let hole = Piece { at: self.inner(hole.at), ..hole };
            (by_size || self.choice.falls_back()) && self.second.eligible(hole, layout)
        }
    }

    /// The first heap is never without a length of its own.
    fn budget(&self, size_bytes: u64) -> Option<Budget> {
        let asks_second = self.choice.asks_second(size_bytes) || self.choice.falls_back();
        if asks_second { self.second.budget(size_bytes) } else { None }
    }

    fn block_edges(&self, at: Offset) -> Edges {
        if at < self.border {
            self.first.block_edges(at)
        } else {
            self.second.block_edges(self.inner(at))
        }
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        if hole.at < self.border {
            self.first.hole_edges(hole)
        } else {
            self.second.hole_edges(Piece { at: self.inner(hole.at), ..hole })
        }
    }

    fn rules(&self) -> Vec<&'static str> {
        let mut rules = self.first.rules();
        rules.extend(self.second.rules());
        rules
    }

    fn check(&self) -> Result<Census, Broken> {
        let first = self.first.check()?;
        // `rules` allocates, and a program may check its global allocator: not before something is broken.
        let second = self.second.check().map_err(|broken| Broken {
            invariant: broken.invariant + self.first.rules().len(),
            at: broken.at.plus(self.border.0),
        })?;
        Ok(Census { used: first.used + second.used, holes: first.holes + second.holes })
    }
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;
    use crate::{Bump, FirstFit};

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn the_second_heap_serves_when_the_first_is_full() {
        let mut heap = Fallback::<Bump<Pages>, FirstFit<Pages>>::new(Pages::new(1024));
        let first = heap.allocate(layout(400), ()).unwrap().at;
        let second = heap.allocate(layout(200), ()).unwrap().at;
        assert_eq!((first, second), (Offset(0), Offset(512 + 8)));
        heap.write(second, b"there");
        heap.deallocate(first, layout(400), ());
        let moved = heap.reallocate(second, layout(200), 300, ()).unwrap().at;
        assert_eq!(moved, second, "the second heap has room behind");
        let moved = heap.reallocate(second, layout(300), 505, ()).unwrap().at;
        let mut bytes = [0; 5];
        heap.read(moved, &mut bytes);
        assert_eq!((moved, &bytes), (Offset(0), b"there"));
        heap.check().unwrap();
    }

    #[test]
    fn the_size_decides_and_a_block_that_outgrows_its_side_moves() {
        let mut heap =
            SplitBySize::<FirstFit<Pages>, FirstFit<Pages>>::over(Pages::new(1024), UpTo(64));
        let small = heap.allocate(layout(64), ()).unwrap().at;
        let large = heap.allocate(layout(65), ()).unwrap().at;
        assert_eq!((small, large), (Offset(8), Offset(520)));
        let moved = heap.reallocate(small, layout(64), 100, ()).unwrap().at;
        assert!(moved > large);
        heap.check().unwrap();
    }

    #[test]
    fn the_second_heap_aligns_no_further_than_its_start() {
        let mut heap = Fallback::<Bump<Pages>, FirstFit<Pages>>::new(Pages::new(4096));
        heap.allocate(layout(2000), ()).unwrap();
        let wide = Layout::from_size_align(64, 4096).unwrap();
        assert_eq!(heap.allocate(wide, ()), Err(Full));
        let wide = Layout::from_size_align(64, 1024).unwrap();
        assert_eq!(heap.allocate(wide, ()).unwrap().at.0 % 1024, 0);
    }
}
