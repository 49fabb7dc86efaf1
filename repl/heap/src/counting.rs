//! A wrapper that counts: requests, bytes, and the most there were at once.
//!
//! ```text
//!  request --> counting --> the heap inside
//!              allocs 3, frees 1, live 240 bytes, peak 280
//! ```
//!
//! It counts what was asked for, not what was granted, since that is what a program knows. Cost: a few additions.
//! Bad at: nothing but saying why; that is what the heap inside is for.

use std::alloc::Layout;

use crate::around::{ask_inner, stored_in_inner};
use crate::{
    AnyHeap, Counts, Design, Full, Info, Inner, Observer, Offset, Origin, Over, Placement,
    Structure, Wrapper,
};

/// The counting wrapper. See the top of the file.
#[derive(Clone, Debug)]
pub struct Counting<D> {
    inner: D,
    counts: Counts,
}

impl<D> Counting<D> {
    /// Counts what `inner` is asked for from now on.
    pub fn around(inner: D) -> Self {
        Self { inner, counts: Counts::default() }
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl Counting<AnyHeap> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "counting",
        summary: "a wrapper that counts requests and bytes",
        details: "`holes` shows the counts: requests granted and refused, bytes asked for now and at most.",
        options: &[],
        inner: &[Inner::Heap],
        origin: Origin::Ours,
        build: |spec, len| Ok(Box::new(Self::around(spec.inner[0].build(len)?))),
    };
}

impl<M, D: Over<M>> Over<M> for Counting<D> {
    fn new(memory: M) -> Self {
        Self::around(D::new(memory))
    }
}

stored_in_inner!(Counting);

impl<D: Design> Design for Counting<D> {
    fn allocate(&mut self, layout: Layout, observer: impl Observer) -> Result<Placement, Full> {
        let answer = self.inner.allocate(layout, observer);
        let counts = &mut self.counts;
        if answer.is_ok() {
            counts.allocs += 1;
            counts.live_bytes += layout.size() as u64;
            counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
        } else {
            counts.refusals += 1;
        }
        answer
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, observer: impl Observer) {
        self.inner.deallocate(at, layout, observer);
        self.counts.frees += 1;
        self.counts.live_bytes = self.counts.live_bytes.saturating_sub(layout.size() as u64);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: impl Observer,
    ) -> Result<Placement, Full> {
        let answer = self.inner.resize(at, layout, new_bytes, observer);
        if answer.is_ok() {
            self.resized(layout, new_bytes);
        }
        answer
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: impl Observer,
    ) -> Result<Placement, Full> {
        let answer = self.inner.reallocate(at, layout, new_bytes, observer);
        if answer.is_ok() {
            self.resized(layout, new_bytes);
        } else {
            self.counts.refusals += 1;
        }
        answer
    }

    fn structure(&self) -> Structure {
        let inner = Box::new(self.inner.structure());
        Structure::Around { wrapper: Wrapper::Counting(self.counts), inner }
    }

    /// Nothing is live after a reset of everything. What a mark further up leaves is not known here.
    fn reset(&mut self, mark: Offset) {
        if mark == self.inner.origin() {
            self.counts.live_bytes = 0;
        }
        self.inner.reset(mark);
    }

    ask_inner! { grow top newer_than pieces holes blocks check }
}

impl<D> Counting<D> {
    fn resized(&mut self, layout: Layout, new_bytes: u32) {
        let counts = &mut self.counts;
        counts.reallocs += 1;
        let live = counts.live_bytes + u64::from(new_bytes);
        counts.live_bytes = live.saturating_sub(layout.size() as u64);
        counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
    }
}

#[cfg(test)]
mod tests {
    use memory::Pages;

    use super::*;
    use crate::FirstFit;

    #[test]
    fn it_counts_what_was_asked_for_and_remembers_the_peak() {
        let mut heap = Counting::<FirstFit<Pages>>::new(Pages::new(1024));
        let layout = Layout::new::<[u8; 100]>();
        let a = heap.allocate(layout, ()).unwrap().at;
        let b = heap.allocate(layout, ()).unwrap().at;
        heap.deallocate(a, layout, ());
        heap.reallocate(b, layout, 150, ()).unwrap();
        assert!(heap.allocate(Layout::new::<[u8; 2000]>(), ()).is_err());
        let expect = Counts {
            allocs: 2,
            frees: 1,
            reallocs: 1,
            refusals: 1,
            live_bytes: 150,
            peak_bytes: 200,
        };
        assert_eq!(heap.counts(), expect);
    }
}
