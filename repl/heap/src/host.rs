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

use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ptr::NonNull;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::outside::{Block, Blocks};
use crate::peers::Usable;
use crate::{MAX_ALIGN, MAX_ARENA, Misuse, Offset, Placement};

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
    /// Whether it was misused, and blocks may lie in each other.
    pub(crate) is_damaged: bool,
}

/// The real blocks behind a heap at the prompt. See the top of the file.
#[derive(Default)]
pub struct Host {
    name: &'static str,
    allocator: Option<&'static dyn Usable>,
    /// By the offset each stands for.
    blocks: BTreeMap<u32, RealBlock>,
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

/// Asks the host of this thread for an answer, if none is known. With the state it is in then, if it was asked.
pub(crate) fn answer(
    ask: impl FnOnce(&mut Host) -> (Answer, Option<State>),
) -> (Answer, Option<State>) {
    HOST.with_borrow_mut(|host| {
        let known = host.known.pop_front();
        let answer = known.map_or_else(|| ask(host), |answer| (answer, None));
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

    /// Asks for a block behind those of `heap`.
    pub(crate) fn allocate(&mut self, heap: Seen<'_>, layout: Layout) -> (Answer, Option<State>) {
        self.mirror(heap);
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

    /// Asks for a block of `heap` to be resized.
    pub(crate) fn reallocate(
        &mut self,
        heap: Seen<'_>,
        at: Offset,
        layout: Layout,
    ) -> (Answer, Option<State>) {
        self.mirror(heap);
        let Some(allocator) = self.allocator else { return (Answer::Refused, self.state) };
        let Some(&old) = self.blocks.get(&at.0) else { return (Answer::Refused, self.state) };
        // SAFETY: the block is live with this layout, and the new size is above zero.
        let moved = unsafe { allocator.realloc(old.at.as_ptr(), old.layout, layout.size()) };
        let Some(moved) = NonNull::new(moved) else { return (Answer::Refused, self.state) };
        let block = self.measured(moved, layout);
        self.blocks.remove(&at.0);
        let mut others = heap.blocks.clone();
        others.remove(&at.0);
        let heap = Seen { blocks: &others, ..heap };
        let stays = moved == old.at && is_free(&others, at.0, block.granted_bytes);
        let to = if stays { Some(at.0) } else { self.place(&block, heap, true) };
        let Some(to) = to else {
            self.give_back(block);
            self.state = None;
            return (Answer::Refused, None);
        };
        (self.stands_for(to, block), self.state)
    }

    /// Gives the block at `at` back, if the host is in step with its heap: else it is seen to before the next request.
    pub(crate) fn deallocate(&mut self, state: Option<State>, at: Offset) -> Option<State> {
        if state.is_none() || state != self.state {
            return None;
        }
        if let Some(block) = self.blocks.remove(&at.0) {
            self.give_back(block);
        }
        self.state = Some(State::next());
        self.state
    }

    /// Does to a real block what no program may do. It is a block of `heap`, or one like the block that is gone.
    pub(crate) fn misuse(&mut self, heap: Seen<'_>, misuse: Misuse<'_>) -> Option<State> {
        self.mirror(heap);
        let (Misuse::Free { at, block, .. } | Misuse::Write { at, block, .. }) = misuse;
        let ((start, block_layout), allocator) = (block?, self.allocator?);
        // From here on each real address is told as the offset it stands for.
        let stretch = |at: u32, block: &RealBlock| Stretch {
            address: block.at.addr().get(),
            at,
            len: block.granted_bytes,
        };
        self.stretches = self.blocks.iter().map(|(&at, block)| stretch(at, block)).collect();
        let block = if let Some(&live) = self.blocks.get(&start.0) {
            live
        } else {
            let gone = self.real_block(block_layout)?;
            self.stretches.push(stretch(start.0, &gone));
            self.give_back(gone);
            gone
        };
        // A pointer past a block may lie anywhere; its address is computed as the program would.
        let target = block.at.as_ptr().wrapping_add(at.since(start) as usize);
        match misuse {
            // SAFETY: none. This is what is to be seen, in a process made for it.
            Misuse::Free { layout, .. } => unsafe { allocator.dealloc(target, layout) },
            Misuse::Write { bytes, .. } => {
                // SAFETY: as above.
                unsafe { target.copy_from(bytes.as_ptr(), bytes.len()) }
            }
        }
        self.state
    }

    /// Brings the real blocks in step with those of `heap`.
    fn mirror(&mut self, heap: Seen<'_>) {
        if heap.state.is_some() && heap.state == self.state {
            return;
        }
        if heap.is_fresh || heap.name != self.name {
            self.give_all_back();
            self.stretches.clear();
            (self.name, self.allocator) = (heap.name, heap.allocator);
        }
        let is_wanted = |at: u32, block: &RealBlock| {
            heap.blocks.get(&at).is_some_and(|wanted| wanted.layout == block.layout)
        };
        let unwanted: Vec<_> =
            self.blocks.extract_if(.., |&at, block| !is_wanted(at, block)).collect();
        for (_, block) in unwanted {
            self.give_back(block);
        }
        for (&at, &Block { layout, .. }) in heap.blocks {
            if !self.blocks.contains_key(&at)
                && let Some(block) = self.real_block(layout)
            {
                self.blocks.insert(at, block);
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
        let mut is_known = false;
        for at in self.stretches.iter().filter_map(|stretch| stretch.offset(block)) {
            is_known = true;
            if heap.is_damaged || is_free(heap.blocks, at, block.granted_bytes) {
                return Some(at);
            }
        }
        if is_known && !or_new { None } else { self.place_in_new(block, heap.blocks) }
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
            match end.or_else(|| end_of_last(blocks, at + len).filter(|&end| end > at)) {
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

    fn give_all_back(&mut self) {
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
