//! Running an allocator whose words may be damaged: what happens without a ledger, shown without harm.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::Offset;

/// How a run in the [`sandbox`](run) ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The allocator went to an address outside its arena: a real process would have read or written something else
    /// there, or died of a fault.
    Outside {
        /// The address, as an offset.
        at: Offset,
    },
    /// It would never have come to an end: a list leads back into itself.
    Endless,
    /// It noticed damage by itself, and gave up.
    Noticed,
}

thread_local! {
    /// Accesses left, while a sandbox runs on this thread.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Runs `work` on heaps over [`Pages`](memory::Pages) whose words may be damaged: an access outside an arena, one too
/// many, or a panic of the design ends the run. The heaps `work` changed are good for looking at, and nothing else.
///
/// # Errors
///
/// The [`Trap`] that ended it.
pub fn run<T>(accesses: u32, work: impl FnOnce() -> T) -> Result<T, Trap> {
    let before = LEFT.replace(Some(accesses));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    LEFT.set(before);
    outcome.map_err(|cause: Box<dyn Any + Send>| {
        cause.downcast::<Trap>().map_or(Trap::Noticed, |trap| *trap)
    })
}

/// Whether a sandbox runs on this thread: a panic in it is an answer, and no message is due.
pub fn is_running() -> bool {
    LEFT.get().is_some()
}

/// An access to `len` bytes at `at` of an arena of `arena_bytes`; ends the sandbox's run if it must not be.
#[inline]
pub(crate) fn access(at: Offset, len: u32, arena_bytes: u32) {
    if let Some(left) = LEFT.get() {
        judge(left, at, len, arena_bytes);
    }
}

#[cold]
fn judge(left: u32, at: Offset, len: u32, arena_bytes: u32) {
    if len > arena_bytes || at.0 > arena_bytes - len {
        resume_unwind(Box::new(Trap::Outside { at }));
    }
    match left.checked_sub(1) {
        Some(left) => LEFT.set(Some(left)),
        None => resume_unwind(Box::new(Trap::Endless)),
    }
}

/// A design has found that a walk of its would never end; ends the sandbox's run, if there is one.
pub(crate) fn end_endless() {
    if is_running() {
        resume_unwind(Box::new(Trap::Endless));
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::Layout;

    use memory::Pages;

    use super::*;
    use crate::{Design, FirstFit, Over, Storage};

    const LAYOUT: Layout = Layout::new::<[u64; 8]>();

    /// A heap with a block and a hole, whose hole links to itself.
    fn looping() -> FirstFit<Pages> {
        let mut heap = FirstFit::<Pages>::new(Pages::new(1024));
        let block = heap.allocate(LAYOUT, ()).unwrap().at;
        heap.allocate(LAYOUT, ()).unwrap();
        heap.deallocate(block, LAYOUT, ());
        heap.write(block, &(block.0 - 8).to_le_bytes());
        heap
    }

    #[test]
    fn a_list_that_loops_ends_the_run() {
        let mut heap = looping();
        let large = Layout::new::<[u64; 60]>();
        assert_eq!(run(1000, || heap.allocate(large, ())), Err(Trap::Endless));
        assert!(!is_running());
    }

    #[test]
    fn a_link_that_leads_out_of_the_arena_ends_the_run() {
        let mut heap = looping();
        heap.write(Offset(8), &0x4000_u32.to_le_bytes());
        let large = Layout::new::<[u64; 60]>();
        let trap = run(1000, || heap.allocate(large, ()));
        assert_eq!(trap, Err(Trap::Outside { at: Offset(0x4000) }));
    }

    #[test]
    fn what_goes_well_goes_through() {
        let mut heap = FirstFit::<Pages>::new(Pages::new(1024));
        assert_eq!(run(1000, || heap.allocate(LAYOUT, ())).unwrap().unwrap().at, Offset(8));
    }
}
