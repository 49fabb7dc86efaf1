use std::alloc::Layout;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use heap::peers::{Ours, Peer, Visit, each_peer};
use heap::trace::{Op, Trace};
use heap::{Over, TrustedRegion};

use crate::arena::Arena;

/// A trace ready for replay: each step knows the block's old size, so that the replay keeps nothing but pointers.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) peak_payload_bytes: u64,
    /// Before the clock starts.
    setup: Vec<Step>,
    timed: Vec<Step>,
    /// After it stopped: whoever serves the whole process must get its blocks back.
    teardown: Vec<Step>,
    ids: usize,
}

/// An allocation if `old_bytes` is 0, a deallocation if `new_bytes` is, else a resize.
#[derive(Clone, Copy)]
struct Step {
    id: u32,
    old_bytes: u32,
    new_bytes: u32,
}

impl Program {
    /// The whole trace is timed.
    pub(crate) fn new(name: &str, trace: &Trace) -> Self {
        Self::timing(name, trace, 0, trace.ops().len())
    }

    /// Only `len` operations from the `start`th on are timed; those behind are not run.
    pub(crate) fn timing(name: &str, trace: &Trace, start: usize, len: usize) -> Self {
        let mut sizes = vec![0; trace.ids() as usize];
        let mut steps: Vec<_> = trace.ops()[..start + len]
            .iter()
            .map(|&op| {
                let new_bytes = match op {
                    Op::Alloc { size_bytes, .. } | Op::Realloc { size_bytes, .. } => size_bytes,
                    Op::Free { .. } => 0,
                };
                let old_bytes = std::mem::replace(&mut sizes[op.id() as usize], new_bytes);
                Step { id: op.id(), old_bytes, new_bytes }
            })
            .collect();
        let teardown = (0..trace.ids())
            .zip(sizes)
            .filter(|&(_, size_bytes)| size_bytes > 0)
            .map(|(id, old_bytes)| Step { id, old_bytes, new_bytes: 0 })
            .collect();
        let timed = steps.split_off(start);
        Self {
            name: name.to_owned(),
            peak_payload_bytes: trace.peak_payload_bytes(),
            setup: steps,
            timed,
            teardown,
            ids: trace.ids() as usize,
        }
    }

    /// How many operations are timed.
    pub(crate) fn ops(&self) -> usize {
        self.timed.len()
    }
}

/// The allocator had no room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// An allocator in the race, its type forgotten: each function is compiled for it alone.
#[derive(Clone, Copy)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// One of ours: the peer of the same design.
    pub(crate) against: Option<&'static str>,
    pub(crate) over_region: bool,
    pub(crate) time: fn(&mut Arena, &Program, warm: bool) -> Duration,
    pub(crate) span: fn(&mut Arena, &Program) -> Result<usize, Full>,
    pub(crate) time_each: fn(&mut Arena, &Program, warm: bool, &mut [Duration]),
}

impl Contender {
    /// A design of ours, and the peer it is measured against.
    pub(crate) const fn ours<D: Over<TrustedRegion>>(
        name: &'static str,
        against: &'static str,
    ) -> Self {
        Self { name, against: Some(against), ..Self::of::<Ours<D>>() }
    }

    const fn of<P: Peer>() -> Self {
        Self {
            name: P::NAME,
            against: None,
            over_region: P::OVER_REGION,
            time: time::<P>,
            span: span::<P>,
            time_each: time_each::<P>,
        }
    }

    /// Every peer there is.
    pub(crate) fn peers() -> Vec<Self> {
        struct Collect(Vec<Contender>);
        impl Visit for Collect {
            fn visit<P: Peer>(&mut self) {
                self.0.push(Contender::of::<P>());
            }
        }
        let mut collect = Collect(Vec::new());
        each_peer(&mut collect);
        collect.0
    }
}

/// What every block is aligned to.
const ALIGN_BYTES: usize = 8;

/// One request. The caller keeps the block at `id`'s slot.
///
/// # Safety
///
/// The steps come from a [`Program`], one after the other, all on this heap.
#[expect(
    clippy::inline_always,
    reason = "a call for some allocators and none for others would count"
)]
#[inline(always)]
unsafe fn take<P: Peer>(heap: &mut P, step: Step, slot: &mut NonNull<u8>) -> Result<(), Full> {
    // SAFETY: a trace's sizes are at most 1 GiB. It frees and resizes live blocks only, with the size they have, and
    // a block has room for the byte, since its size is above zero.
    unsafe {
        let layout = |bytes: u32| Layout::from_size_align_unchecked(bytes as usize, ALIGN_BYTES);
        if step.new_bytes == 0 {
            heap.deallocate(*slot, layout(step.old_bytes));
            return Ok(());
        }
        *slot = if step.old_bytes == 0 {
            heap.allocate(layout(step.new_bytes))
        } else {
            heap.reallocate(*slot, layout(step.old_bytes), step.new_bytes as usize)
        }
        .ok_or(Full)?;
        slot.write(1);
    }
    Ok(())
}

/// Runs `steps`. On `Full` the heap holds what it holds.
#[inline(never)]
fn replay<P: Peer>(heap: &mut P, steps: &[Step], slots: &mut [NonNull<u8>]) -> Result<(), Full> {
    for &step in steps {
        // SAFETY: the callers run a program from its first step to its last, and stop at the first that fails.
        unsafe { take(heap, step, &mut slots[step.id as usize])? }
    }
    Ok(())
}

/// How often a program runs before it counts. After one run, bump allocators still took three times as long on
/// `mixed-10k` as after two; three are as good as five.
const WARM_RUNS: usize = 3;

/// A heap and the pointers of its blocks, on its way through a program that fits.
struct Run<'a, P> {
    program: &'a Program,
    heap: P,
    slots: Vec<NonNull<u8>>,
}

impl<'a, P: Peer> Run<'a, P> {
    fn new(arena: &mut Arena, program: &'a Program) -> Self {
        let slots = vec![NonNull::dangling(); program.ids];
        let mut run = Self { program, heap: arena.heap(), slots };
        run.replay(&program.setup);
        run
    }

    /// If `warm`, the whole program has run before: code and memory are in the caches as far as they go there.
    fn after(arena: &mut Arena, program: &'a Program, warm: bool) -> Self {
        for _ in 0..if warm { WARM_RUNS } else { 0 } {
            let mut run = Self::new(arena, program);
            run.replay(&program.timed);
            run.give_back();
        }
        Self::new(arena, program)
    }

    fn replay(&mut self, steps: &[Step]) {
        replay(&mut self.heap, steps, &mut self.slots).expect("it fitted before");
    }

    /// Whoever works in the arena is forgotten as it is; the others get their blocks back first.
    fn give_back(mut self) {
        if !P::OVER_REGION {
            self.replay(&self.program.teardown);
        }
    }
}

/// How long the timed part takes on a fresh heap. The program fits.
fn time<P: Peer>(arena: &mut Arena, program: &Program, warm: bool) -> Duration {
    let mut run = Run::<P>::after(arena, program, warm);
    let start = Instant::now();
    run.replay(&program.timed);
    let taken = start.elapsed();
    run.give_back();
    taken
}

/// Lowers `least[i]` to the time of the `i`th timed step, if that was shorter. Resizes count as nothing: those that
/// copy take as long as their bytes. The program fits.
fn time_each<P: Peer>(arena: &mut Arena, program: &Program, warm: bool, least: &mut [Duration]) {
    let mut run = Run::<P>::after(arena, program, warm);
    for (&step, least) in program.timed.iter().zip(least) {
        let slot = &mut run.slots[step.id as usize];
        let start = Instant::now();
        // SAFETY: the program runs from its first step to its last.
        unsafe { take(&mut run.heap, step, slot).expect("it fitted before") }
        let taken = start.elapsed();
        let resized = step.old_bytes > 0 && step.new_bytes > 0;
        *least = if resized { Duration::ZERO } else { taken.min(*least) };
    }
    run.give_back();
}

/// The offset behind the highest byte handed out, over the region; and whether there is room at all.
fn span<P: Peer>(arena: &mut Arena, program: &Program) -> Result<usize, Full> {
    let mut slots = vec![NonNull::dangling(); program.ids];
    let mut heap = arena.heap::<P>();
    let mut end = 0;
    for &step in program.setup.iter().chain(&program.timed) {
        let slot = &mut slots[step.id as usize];
        // SAFETY: the program runs from its first step to its last, and stops at the first that fails.
        unsafe { take(&mut heap, step, slot)? }
        if step.new_bytes > 0 && P::OVER_REGION {
            end = end.max(arena.end_offset(*slot, step.new_bytes as usize));
        }
    }
    if !P::OVER_REGION {
        replay(&mut heap, &program.teardown, &mut slots)?;
    }
    Ok(end)
}

/// What a pool is measured against: the best known for small classes that is there.
pub(crate) const SMALL_CLASSES: &str =
    if cfg!(feature = "jemalloc") { "jemalloc" } else { "mimalloc" };
