//! A wrapper that shows a lock: each request takes it once.
//!
//! ```text
//!  thread 1 --> take --> the heap inside --> give back
//!  thread 2 ------ waits ------------------> take --> ...
//! ```
//!
//! The prompt has one thread, so nobody ever waits here; what it shows is how often a program would take the lock. The
//! real one, around real memory, is [`Locked`](crate::Locked): a spin lock that never allocates.

use std::alloc::Layout;

use crate::around::{ask_inner, stored_in_inner};
use crate::{
    AnyHeap, Because, Design, Full, Info, Inner, Observer, Offset, Origin, Over, Placement, Step,
    Structure, Wrapper,
};

/// The lock-counting wrapper. See the top of the file.
#[derive(Clone, Debug)]
pub struct Serial<D> {
    inner: D,
    taken: u64,
}

impl<D> Serial<D> {
    /// Takes the lock for each request to `inner`.
    pub fn around(inner: D) -> Self {
        Self { inner, taken: 0 }
    }

    fn take(&mut self, observer: &mut impl Observer) {
        self.taken += 1;
        observer.step(Step::Handed { second: false, because: Because::Locked });
    }
}

impl Serial<AnyHeap> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "locked",
        summary: "a wrapper with a lock, taken once for each request",
        details: "Nobody waits here: the prompt has one thread. `holes` shows how often a program would have taken the lock.",
        options: &[],
        inner: &[Inner::Heap],
        origin: Origin::Ours,
        build: |spec, len| Ok(Box::new(Self::around(spec.inner[0].build(len)?))),
    };
}

impl<M, D: Over<M>> Over<M> for Serial<D> {
    fn new(memory: M) -> Self {
        Self::around(D::new(memory))
    }
}

stored_in_inner!(Serial);

impl<D: Design> Design for Serial<D> {
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        self.take(&mut observer);
        self.inner.allocate(layout, observer)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        self.take(&mut observer);
        self.inner.deallocate(at, layout, observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        self.take(&mut observer);
        self.inner.resize(at, layout, new_bytes, observer)
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        self.take(&mut observer);
        self.inner.reallocate(at, layout, new_bytes, observer)
    }

    fn structure(&self) -> Structure {
        let inner = Box::new(self.inner.structure());
        Structure::Around { wrapper: Wrapper::Locked { taken: self.taken }, inner }
    }

    ask_inner! { grow top reset newer_than pieces holes blocks check }
}
