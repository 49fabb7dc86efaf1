//! Where allocators of the whole process are really asked: their blocks, and what they answered.
//!
//! Such an allocator cannot be asked the same again: its next answer depends on all that the process did before. So an
//! answer is data. Whoever runs a line of a log runs it in [`Host::answering`]: requests get the answers that are known
//! of the line, in their order, and only what is not known is asked; all of them come back, to be kept with the line.
//!
//! Real blocks lie anywhere. They are told as offsets in *stretches*, each a range of real addresses and the offsets
//! drawn for it, 64 KiB-aligned both, so that an alignment is as true of an offset as of the address:
//!
//! ```text
//!  offsets          0 ... a ...... c ... | 1 MiB .. b ......... |
//!                   first stretch        | second stretch       |
//!  real addresses   0x5581_2ee4_0000 ... | 0x7f3b_9c00_0000 ... |
//! ```
//!
//! A host mirrors the blocks of one heap at the prompt: each has one real block that stands for it. The two drift apart
//! when the heap is replayed, undone or opened from a file. Before the next request, blocks that the heap does not have
//! are given back, and those it lacks are asked for; where these lie does not matter, since nobody is told. A new block
//! whose offsets are taken by then is put aside until another has been found.
//!
//! A host gives every real block back when it goes.
//!
//! In a process that is unprotected the allocator is asked for real even where its answer is known, so that its memory holds
//! what the lines so far lead to. Blocks go back to it when the mistake is made and not before, in their order: else the
//! prompt's own requests would get them. A pointer leads to the block it was made from, wherever that lies.

use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ptr::NonNull;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use memory::Pages;

use crate::outside::{Block, Blocks, is_unprotected};
use crate::peers::Usable;
use crate::{MAX_ALIGN, MAX_ARENA, Offset, Placement};

/// The offsets of a stretch, unless its first block needs more.
const STRETCH_BYTES: u32 = 1 << 20;
/// Blocks put aside for one request before a block gets a stretch of its own.
const MOST_ASIDE: usize = 16;

/// What an allocator of the whole process was asked, and said: a part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is there, when a heap is set up.
    Ready,
    /// A block.
    At(Placement),
    /// None.
    Refused,
}

/// `ready`, `0x92a0+200` or `refused`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::At(placed) => write!(f, "{:#x}+{}", placed.at.0, placed.granted_bytes),
            Self::Refused => f.write_str("refused"),
        }
    }
}

/// A text that is no [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl FromStr for Answer {
    type Err = NoAnswer;

    fn from_str(text: &str) -> Result<Self, NoAnswer> {
        match text {
            "ready" => Ok(Self::Ready),
            "refused" => Ok(Self::Refused),
            _ => {
                let placed = text.strip_prefix("0x").and_then(|text| text.split_once('+'));
                let (at, granted) = placed.ok_or(NoAnswer)?;
                let at = Offset(u32::from_str_radix(at, 16).or(Err(NoAnswer))?);
                let granted_bytes = granted.parse().or(Err(NoAnswer))?;
                Ok(Self::At(Placement { at, granted_bytes }))
            }
        }
    }
}

/// A state of a heap, which a host can be in step with. No two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

impl State {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// A heap as its host sees it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) name: &'static str,
    /// `None` where it was left out of the build.
    pub(crate) allocator: Option<&'static dyn Usable>,
    pub(crate) blocks: &'a Blocks,
    /// Whether it has never handed anything out.
    pub(crate) is_fresh: bool,
    pub(crate) state: Option<State>,
    /// What is written in the blocks.
    pub(crate) pages: &'a Pages,
}

/// The real blocks behind a heap at the prompt. See the top of the file.
#[derive(Default)]
pub struct Host {
    name: &'static str,
    allocator: Option<&'static dyn Usable>,
    /// By the offset each stands for.
    blocks: BTreeMap<u32, RealBlock>,
    /// Those that are gone, in a process that is unprotected: the last at each offset.
    gone: BTreeMap<u32, RealBlock>,
    /// Those of them that are still to be given back.
    waiting: Vec<RealBlock>,
    /// Whether a mistake is made, so that any pointer is good enough.
    is_misused: bool,
    stretches: Vec<Stretch>,
    /// The state of the heap that these blocks mirror.
    state: Option<State>,
    /// Answers to the requests to come.
    known: VecDeque<Answer>,
    /// Every answer, if somebody wants to keep them.
    given: Option<Vec<Answer>>,
}

#[derive(Clone, Copy)]
struct RealBlock {
    at: NonNull<u8>,
    layout: Layout,
    granted_bytes: u32,
}

/// Offsets for a range of real addresses.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The real address of its first byte.
    address: usize,
    at: u32,
    len: u32,
}

impl Stretch {
    /// The offset of a block, if it lies in here.
    fn offset(&self, block: &RealBlock) -> Option<u32> {
        let plus = block.at.addr().get().checked_sub(self.address)?;
        let inside = plus + block.granted_bytes as usize <= self.len as usize;
        inside.then_some(self.at + plus as u32)
    }
}

// SAFETY: a block may be given back by another thread than the one that asked for it, and the host alone has it.
unsafe impl Send for Host {}

thread_local! {
    /// The host that is asked on this thread.
    static HOST: RefCell<Host> = RefCell::default();
}

/// Asks the host of this thread for an answer, if none is known. With the state it is in then, if it was asked. In a process
/// that is unprotected it is always asked, and told what is known.
pub(crate) fn answer(
    ask: impl FnOnce(&mut Host, Option<Answer>) -> (Answer, Option<State>),
) -> (Answer, Option<State>) {
    HOST.with_borrow_mut(|host| {
        let answer = match host.known.pop_front() {
            Some(answer) if !is_unprotected() => (answer, None),
            known => ask(host, known),
        };
        if let Some(given) = &mut host.given {
            given.push(answer.0);
        }
        answer
    })
}

/// Does something with the host of this thread that has no answer.
pub(crate) fn tell<T>(tell: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(tell)
}

impl Host {
    /// Runs `work` with this host for those of its requests whose answers are not `known`. Every answer comes back.
    pub fn answering<T>(&mut self, known: &[Answer], work: impl FnOnce() -> T) -> (T, Vec<Answer>) {
        /// Changes the hosts back, even when the work panics.
        struct Exchanged<'a>(&'a mut Host);
        impl Drop for Exchanged<'_> {
            fn drop(&mut self) {
                HOST.with_borrow_mut(|host| std::mem::swap(host, self.0));
            }
        }
        self.known = known.iter().copied().collect();
        self.given = Some(Vec::new());
        HOST.with_borrow_mut(|host| std::mem::swap(host, self));
        let exchanged = Exchanged(self);
        let outcome = work();
        drop(exchanged);
        self.known.clear();
        (outcome, self.given.take().unwrap_or_default())
    }

    /// Runs `work`, which does what no program may, with this host. For a process that is unprotected.
    pub fn misused(&mut self, work: impl FnOnce()) {
        self.is_misused = true;
        self.answering(&[], work);
    }

    /// Asks for a block behind those of `heap`; it stands for what was `known` of it.
    pub(crate) fn allocate(
        &mut self,
        heap: Seen<'_>,
        layout: Layout,
        known: Option<Answer>,
    ) -> (Answer, Option<State>) {
        self.mirror(heap);
        if let Some(known) = known {
            return match (known, self.real_block(layout)) {
                (Answer::At(placed), Some(block)) => {
                    self.stands_for(placed.at.0, block);
                    (known, self.state)
                }
                // It has answered otherwise. What it lacks is asked for again before the next request.
                (_, block) => {
                    if let Some(block) = block {
                        self.give_back(block);
                    }
                    (known, None)
                }
            };
        }
        let mut aside = Vec::new();
        let placed = loop {
            let Some(block) = self.real_block(layout) else { break None };
            if let Some(at) = self.place(&block, heap, aside.len() == MOST_ASIDE) {
                break Some((at, block));
            }
            aside.push(block);
            if aside.len() > MOST_ASIDE {
                break None;
            }
        };
        for block in aside {
            self.give_back(block);
        }
        let Some((at, block)) = placed else { return (Answer::Refused, self.state) };
        (self.stands_for(at, block), self.state)
    }

    /// Asks for a block of `heap` to be resized; it stands for what was `known` of it.
    pub(crate) fn reallocate(
        &mut self,
        heap: Seen<'_>,
        at: Offset,
        (old, layout): (Layout, Layout),
        known: Option<Answer>,
    ) -> (Answer, Option<State>) {
        self.mirror(heap);
        if let Some(known) = known {
            let old = self.blocks.get(&at.0).copied();
            let (Answer::At(placed), Some(old), Some(block)) =
                (known, old, self.real_block(layout))
            else {
                return (known, None);
            };
            let kept = old.layout.size().min(layout.size());
            // SAFETY: both have as many bytes, and neither is anybody else's.
            unsafe { block.at.copy_from_nonoverlapping(old.at, kept) }
            self.blocks.remove(&at.0);
            self.gone(at.0, old);
            self.stands_for(placed.at.0, block);
            return (known, self.state);
        }
        let refused = (Answer::Refused, self.state);
        let Some(allocator) = self.allocator else { return refused };
        let Some(start) = self.start(at) else { return refused };
        // SAFETY: the block is live with this layout, unless the process is unprotected; the new size is above zero.
        let moved = unsafe { allocator.realloc(start.as_ptr(), old, layout.size()) };
        let Some(moved) = NonNull::new(moved) else { return refused };
        let block = self.measured(moved, layout);
        self.blocks.remove(&at.0);
        let mut others = heap.blocks.clone();
        others.remove(&at.0);
        let heap = Seen { blocks: &others, ..heap };
        let stays = moved == start && is_free(&others, at.0, block.granted_bytes);
        let to = if stays { Some(at.0) } else { self.place(&block, heap, true) };
        let Some(to) = to else {
            self.give_back(block);
            self.state = None;
            return (Answer::Refused, None);
        };
        (self.stands_for(to, block), self.state)
    }

    /// Gives the block at `at` back, if the host is in step with `heap`: else it is seen to before the next request.
    pub(crate) fn deallocate(
        &mut self,
        heap: Seen<'_>,
        at: Offset,
        layout: Layout,
    ) -> Option<State> {
        if is_unprotected() {
            self.mirror(heap);
        } else if heap.state.is_none() || heap.state != self.state {
            return None;
        }
        let start = self.start(at);
        match self.blocks.remove(&at.0) {
            Some(block) if self.is_misused => drop(self.gone.insert(at.0, block)),
            Some(block) => self.gone(at.0, block),
            None => {}
        }
        if let (true, Some(start), Some(allocator)) = (self.is_misused, start, self.allocator) {
            // SAFETY: none. This is what is to be seen, in a process made for it.
            unsafe { allocator.dealloc(start.as_ptr(), layout) }
        }
        self.stepped()
    }

    /// The heap has another state, and so has this host.
    pub(crate) fn stepped(&mut self) -> Option<State> {
        self.state = Some(State::next());
        self.state
    }

    /// Where a byte really is that a program may touch through a block of `heap`, in a process that is unprotected.
    pub(crate) fn real(&mut self, heap: Seen<'_>, at: Offset, len: u32) -> Option<NonNull<u8>> {
        // A look from outside of a line asks nobody.
        self.given.as_ref()?;
        self.mirror(heap);
        let has_all = |(&start, block): (&u32, &RealBlock)| {
            u64::from(at.0 - start) + u64::from(len) <= u64::from(block.granted_bytes)
        };
        let is_inside = self.blocks.range(..=at.0).next_back().is_some_and(has_all);
        if is_inside || self.is_misused { self.pointer(at) } else { None }
    }

    /// Where the block at `at` really starts; where a mistake is made, any pointer will do.
    fn start(&self, at: Offset) -> Option<NonNull<u8>> {
        if self.is_misused {
            self.pointer(at)
        } else {
            self.blocks.get(&at.0).map(|block| block.at)
        }
    }

    /// What a pointer to `at` really is: it leads into a block there is or was, or past the last one in front.
    fn pointer(&self, at: Offset) -> Option<NonNull<u8>> {
        let in_front = |blocks: &BTreeMap<u32, RealBlock>| {
            blocks.range(..=at.0).next_back().map(|(&start, &block)| (at.0 - start, block))
        };
        let has_it = |(plus, block): &(u32, RealBlock)| *plus < block.granted_bytes;
        let (live, gone) = (in_front(&self.blocks), in_front(&self.gone));
        let (plus, block) = live.filter(has_it).or(gone.filter(has_it)).or(live)?;
        NonNull::new(block.at.as_ptr().wrapping_add(plus as usize))
    }

    /// Gives a block back that stood for `at`. In a process that is unprotected it is only noted.
    fn gone(&mut self, at: u32, block: RealBlock) {
        if is_unprotected() {
            self.gone.insert(at, block);
            self.waiting.push(block);
        } else {
            self.give_back(block);
        }
    }

    /// Brings the real blocks in step with those of `heap`.
    fn mirror(&mut self, heap: Seen<'_>) {
        self.step_with(heap);
        if self.is_misused {
            self.give_back_what_waits();
        }
    }

    fn step_with(&mut self, heap: Seen<'_>) {
        if heap.state.is_some() && heap.state == self.state {
            return;
        }
        if heap.is_fresh || heap.name != self.name {
            self.give_all_back();
            self.gone.clear();
            self.stretches.clear();
            (self.name, self.allocator) = (heap.name, heap.allocator);
        }
        let is_wanted = |at: u32, block: &RealBlock| {
            heap.blocks.get(&at).is_some_and(|wanted| wanted.layout == block.layout)
        };
        let unwanted: Vec<_> =
            self.blocks.extract_if(.., |&at, block| !is_wanted(at, block)).collect();
        for (at, block) in unwanted {
            self.gone(at, block);
        }
        for (&at, &Block { layout, .. }) in heap.blocks {
            if !self.blocks.contains_key(&at)
                && let Some(block) = self.real_block(layout)
            {
                self.blocks.insert(at, block);
            }
        }
        if is_unprotected() {
            for (&at, block) in &self.blocks {
                let bytes = heap.pages.read(at..at + block.layout.size() as u32);
                // SAFETY: the block has this size, and is nobody else's.
                unsafe { block.at.copy_from(NonNull::from(&*bytes).cast(), bytes.len()) }
            }
        }
        self.state = Some(State::next());
    }

    fn stands_for(&mut self, at: u32, block: RealBlock) -> Answer {
        self.blocks.insert(at, block);
        self.state = Some(State::next());
        Answer::At(Placement { at: Offset(at), granted_bytes: block.granted_bytes })
    }

    /// The offset to draw a new block at. `None` if all there are for its address are taken; `or_new`, then it gets a
    /// stretch of its own, if there is room for one.
    fn place(&mut self, block: &RealBlock, heap: Seen<'_>, or_new: bool) -> Option<u32> {
        if is_unprotected()
            && let Some(at) = self.told_as(block)
        {
            return Some(at);
        }
        let mut is_known = false;
        for at in self.stretches.iter().filter_map(|stretch| stretch.offset(block)) {
            is_known = true;
            if is_free(heap.blocks, at, block.granted_bytes) {
                return Some(at);
            }
        }
        if is_known && !or_new { None } else { self.place_in_new(block, heap.blocks) }
    }

    /// The offset that a real address stands for in a process that is unprotected, where blocks may lie in each other.
    fn told_as(&self, block: &RealBlock) -> Option<u32> {
        let plus = |(&at, known): (&u32, &RealBlock)| {
            let plus = block.at.addr().get().checked_sub(known.at.addr().get())?;
            (plus < known.granted_bytes as usize).then_some(at + plus as u32)
        };
        self.blocks.iter().find_map(plus).or_else(|| self.gone.iter().find_map(plus))
    }

    fn place_in_new(&mut self, block: &RealBlock, blocks: &Blocks) -> Option<u32> {
        let address = block.at.addr().get() & !(MAX_ALIGN as usize - 1);
        let reach = block.at.addr().get() - address + block.granted_bytes as usize;
        let len = u32::try_from(reach.next_multiple_of(MAX_ALIGN as usize)).ok()?;
        let len = len.max(STRETCH_BYTES);
        let room = self.room(blocks, len).or_else(|| {
            self.stretches.retain(|stretch| !is_free(blocks, stretch.at, stretch.len));
            self.room(blocks, len)
        });
        let stretch = Stretch { address, at: room?, len };
        self.stretches.push(stretch);
        stretch.offset(block)
    }

    /// The first `len` offsets that no stretch and no block has.
    fn room(&self, blocks: &Blocks, len: u32) -> Option<u32> {
        let mut at = 0_u32;
        while at.checked_add(len)? <= MAX_ARENA {
            let stretch = self
                .stretches
                .iter()
                .find(|stretch| stretch.at < at + len && at < stretch.at + stretch.len);
            let end = stretch.map(|stretch| stretch.at + stretch.len);
            let gone = self.gone.range(..at + len).next_back();
            let gone = gone.map(|(&start, block)| start + block.granted_bytes);
            let last = end_of_last(blocks, at + len).max(gone).filter(|&end| end > at);
            match end.or(last) {
                None => return Some(at),
                Some(end) => at = end.next_multiple_of(MAX_ALIGN),
            }
        }
        None
    }

    fn real_block(&self, layout: Layout) -> Option<RealBlock> {
        // SAFETY: a layout at the prompt has a size.
        let at = NonNull::new(unsafe { self.allocator?.alloc(layout) })?;
        Some(self.measured(at, layout))
    }

    /// A block of the allocator's, with its real size.
    fn measured(&self, at: NonNull<u8>, layout: Layout) -> RealBlock {
        // SAFETY: the allocator has just given the block for this layout.
        let usable = self.allocator.map(|allocator| unsafe { allocator.usable_bytes(at, layout) });
        let usable = usable.unwrap_or(0).clamp(layout.size(), MAX_ARENA as usize);
        RealBlock { at, layout, granted_bytes: usable as u32 }
    }

    fn give_back(&self, block: RealBlock) {
        let allocator = self.allocator.expect("a real block came from an allocator");
        // SAFETY: the block came from it with this layout, and goes back once: nobody else has it.
        unsafe { allocator.dealloc(block.at.as_ptr(), block.layout) }
    }

    fn give_back_what_waits(&mut self) {
        for block in std::mem::take(&mut self.waiting) {
            self.give_back(block);
        }
    }

    fn give_all_back(&mut self) {
        self.give_back_what_waits();
        for block in std::mem::take(&mut self.blocks).into_values() {
            self.give_back(block);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.give_all_back();
    }
}

/// Where the last block ends that starts below `end`.
fn end_of_last(blocks: &Blocks, end: u32) -> Option<u32> {
    let (at, block) = blocks.get_prev(&end.checked_sub(1)?)?;
    Some(at + block.granted_bytes)
}

/// Whether no block has any of these bytes.
pub(crate) fn is_free(blocks: &Blocks, at: u32, len: u32) -> bool {
    end_of_last(blocks, at + len).is_none_or(|end| end <= at)
}
