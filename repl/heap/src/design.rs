use std::alloc::Layout;
use std::ops::Range;

use dyn_clone::DynClone;

use crate::Offset;

/// Where a block was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The first byte of the payload.
    pub at: Offset,
    /// How many bytes the caller may use: at least the size asked for.
    pub granted_bytes: u32,
}

/// No hole can hold the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// One thing an allocator did on the way to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It rounded the request up to what a block of this design has, its own bytes around the payload included. A
    /// wrapper says so of a heap it turns to.
    Rounded {
        /// The size asked for.
        asked_bytes: u32,
        /// The block's.
        block_bytes: u32,
    },
    /// It looked at the list of a class of sizes.
    Class {
        /// Which.
        class: Class,
        /// Whether the list has a hole in it.
        found: bool,
    },
    /// It looked at the hole at `at`; `fits` says whether the request goes in.
    Looked {
        /// Where the hole starts.
        at: Offset,
        /// Its bytes, header included.
        size_bytes: u32,
        /// Whether the request goes in.
        fits: bool,
    },
    /// It skipped zones of the arena without a look at their holes: its index says that none of them is large enough,
    /// or that another zone has a better one.
    Skipped {
        /// How many zones that have holes.
        zones: u32,
        /// The bytes of each zone.
        zone_bytes: u32,
    },
    /// It walked past so many holes to find a block's place among them.
    Walked {
        /// How many.
        holes: u32,
    },
    /// It halved the hole at `at`: the upper half is a hole of its own now.
    Halved {
        /// Where the lower half starts.
        at: Offset,
        /// The bytes of each half.
        half_bytes: u32,
    },
    /// It cut a piece from a hole, or took the hole whole (`remaining_bytes` is 0).
    Cut {
        /// Where the piece starts: its header, or its padding if there is some.
        at: Offset,
        /// Bytes left free in front of the piece so that the payload is aligned.
        padding_bytes: u32,
        /// Bytes of the piece's header.
        header_bytes: u32,
        /// Bytes of its payload, rounding included.
        payload_bytes: u32,
        /// Bytes of the hole that stay behind the piece.
        remaining_bytes: u32,
    },
    /// Bytes came free and are now a hole, or a part of one.
    Joined {
        /// Where the hole starts.
        at: Offset,
        /// The bytes that came free.
        freed_bytes: u32,
        /// The bytes of the hole they are in now.
        size_bytes: u32,
        /// Whether a hole in front took part.
        in_front: bool,
        /// Whether a hole behind took part.
        behind: bool,
    },
    /// A hole went to the list of its class.
    Listed {
        /// Where the hole starts.
        at: Offset,
        /// The class.
        class: Class,
    },
    /// Bytes were freed that this design cannot use again before others go.
    Stranded {
        /// Where they start.
        at: Offset,
        /// How many.
        size_bytes: u32,
    },
    /// A freed block is held back, so that a late use of it meets poison and not a new owner.
    Held {
        /// Where it starts.
        at: Offset,
        /// How many bytes.
        size_bytes: u32,
    },
    /// The block whose payload is at `at` has been held back long enough: it goes to the heap now.
    Released {
        /// Where its payload starts.
        at: Offset,
    },
    /// A wrapper handed the request to one of its heaps.
    Handed {
        /// To the second of the two, not the first.
        second: bool,
        /// Why.
        because: Because,
    },
}

impl Step {
    /// The same step in an arena that starts `by` bytes further down.
    #[must_use]
    pub fn moved(self, by: u32) -> Self {
        let mut step = self;
        match &mut step {
            Self::Looked { at, .. }
            | Self::Halved { at, .. }
            | Self::Cut { at, .. }
            | Self::Joined { at, .. }
            | Self::Listed { at, .. }
            | Self::Stranded { at, .. }
            | Self::Released { at }
            | Self::Held { at, .. } => *at = at.plus(by),
            Self::Rounded { .. }
            | Self::Class { .. }
            | Self::Skipped { .. }
            | Self::Walked { .. }
            | Self::Handed { .. } => {}
        }
        step
    }
}

/// Why a wrapper chose one of its heaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It always asks this one first.
    First,
    /// The first one was full.
    Full,
    /// It would be asked, but starts at no multiple of the alignment.
    Unaligned,
    /// The size is at most the border between the two.
    Small,
    /// It is above.
    Large,
    /// The block lies there.
    Owner,
    /// The lock is taken for it.
    Locked,
    /// No slab serves it: the heap underneath is asked.
    Underneath,
}

/// A class of sizes with a list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its number on the first level: a power of two for most designs.
    pub first: u32,
    /// Its number on the second level, for designs that have one.
    pub second: Option<u32>,
    /// The smallest hole in it, in bytes.
    pub min_bytes: u32,
    /// The largest.
    pub max_bytes: u32,
}

/// Hears each [`Step`]. With `()` the calls compile to nothing.
pub trait Observer {
    /// One step was taken.
    fn step(&mut self, step: Step);
}

impl Observer for () {
    #[inline]
    fn step(&mut self, _: Step) {}
}

impl Observer for Vec<Step> {
    fn step(&mut self, step: Step) {
        self.push(step);
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn step(&mut self, step: Step) {
        (**self).step(step);
    }
}

/// What may be live at once in a heap that takes memory as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes asked for that may be live at once.
    pub limit_bytes: u32,
    /// Those that are.
    pub live_bytes: u32,
    /// What to do for an allocator that is not in this build, and can answer nothing new.
    pub missing: Option<&'static str>,
}

/// Bytes at the two ends of a stretch that are not for its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// In front: a header, a canary.
    pub front_bytes: u32,
    /// Of those, the ones next to the payload that are a canary's.
    pub canary_bytes: u32,
    /// Behind: a footer, a canary.
    pub rear_bytes: u32,
}

impl Edges {
    /// None at all.
    pub const NONE: Self = Self::front(0);

    /// Bytes in front alone.
    pub const fn front(front_bytes: u32) -> Self {
        Self { front_bytes, canary_bytes: 0, rear_bytes: 0 }
    }

    /// Both together.
    pub const fn sum(self) -> u32 {
        self.front_bytes + self.rear_bytes
    }
}

/// What a request takes from a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The payload, rounded up.
    pub payload_bytes: u64,
    /// What the design keeps around it.
    pub edges: Edges,
}

impl Need {
    /// The whole block.
    pub fn block_bytes(&self) -> u64 {
        self.payload_bytes + u64::from(self.edges.sum())
    }
}

/// What a stretch of the arena is, as the allocator itself knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// One block: what [`Design::block_edges`] says is in front, then the payload, then what is behind.
    Block,
    /// Bytes this design handed out without keeping track of each block.
    Taken,
    /// Free bytes that the next request may get.
    Hole,
    /// Bytes the design keeps its own books in.
    Books,
    /// Bytes skipped so that a block behind them is aligned; they come back with others.
    Padding,
    /// Freed bytes that are held back for now.
    Held,
    /// Bytes between blocks, seen from outside: free, or the allocator's own.
    Gap,
}

/// A stretch of the arena. The pieces of a walk tile it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts, header included.
    pub at: Offset,
    /// Its bytes, header included.
    pub size_bytes: u32,
    /// What it is.
    pub kind: PieceKind,
}

impl Piece {
    /// The offset just behind the piece.
    pub fn end(&self) -> Offset {
        self.at.plus(self.size_bytes)
    }

    /// A hole.
    pub fn hole(at: Offset, size_bytes: u32) -> Self {
        Self { at, size_bytes, kind: PieceKind::Hole }
    }
}

/// How a design keeps its holes, for drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Structure {
    /// The holes in their order say it all.
    Holes,
    /// It is seen from outside alone: what looks like a hole may be the allocator's own.
    Outside {
        /// Whether it serves the whole process, whose other blocks lie there as well.
        whole_process: bool,
    },
    /// One number.
    Top {
        /// The border between taken and free.
        at: Offset,
        /// Whether it moves down.
        down: bool,
    },
    /// A list.
    List {
        /// What orders it.
        order: Order,
        /// Where the next search starts, for next fit.
        rover: Option<Offset>,
    },
    /// A list for each class of sizes, those that are not empty; bitmaps say which these are.
    Lists {
        /// Bit N of the first level: some list of class (N, _) is not empty.
        first: Option<u32>,
        /// Bit M of the second level of class N: the list (N, M) is not empty. Only those that have a bit set.
        second: Vec<(u32, u32)>,
        /// The lists.
        lists: Vec<List>,
    },
    /// Halves of halves, each node before its two halves, the lower half first.
    Tree(Vec<Node>),
    /// Slots of fixed sizes.
    Slots(Vec<Slots>),
    /// Slots in slabs, each slab a block of the heap underneath.
    Slabs {
        /// The slots of each class that has a slab.
        slots: Vec<Slots>,
        /// How the heap underneath keeps its holes.
        under: Box<Structure>,
    },
    /// The tops to go back to, newest first.
    Stack(Vec<Offset>),
    /// A wrapper around one heap.
    Around {
        /// What the wrapper itself knows.
        wrapper: Wrapper,
        /// The heap inside.
        inner: Box<Structure>,
    },
    /// A wrapper around two heaps.
    Pair {
        /// Where the second one's arena starts.
        border: Offset,
        /// Sizes up to this go to the first, where size decides.
        most_bytes: Option<u32>,
        /// The first.
        first: Box<Structure>,
        /// The second.
        second: Box<Structure>,
    },
}

/// What a wrapper around one heap knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// Counts.
    Counting(Counts),
    /// A guard: its canaries' bytes on each side, and the freed blocks it holds back, oldest first.
    Guard {
        /// Bytes of each canary.
        canary_bytes: u32,
        /// The byte freed blocks are filled with.
        poison: u8,
        /// Freed blocks.
        held: Vec<Piece>,
        /// How many it holds back at most.
        most: u32,
    },
    /// A lock, and how often it was taken.
    Locked {
        /// How often.
        taken: u64,
    },
}

/// What a counting wrapper counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were granted.
    pub allocs: u64,
    /// Blocks given back.
    pub frees: u64,
    /// Blocks resized.
    pub reallocs: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Bytes asked for by live blocks.
    pub live_bytes: u64,
    /// The most there were.
    pub peak_bytes: u64,
}

/// What orders a list of holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The lowest address first.
    Address,
    /// The last one freed first.
    Lifo,
    /// The smallest first.
    Size,
}

/// A list of the holes of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The class.
    pub class: Class,
    /// Its holes, the head first.
    pub holes: Vec<Piece>,
}

/// A node of a tree of halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it starts.
    pub at: Offset,
    /// Its bytes.
    pub size_bytes: u32,
    /// How often it was halved to get here.
    pub depth: u32,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node of a tree of halves is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Two halves.
    Split,
    /// A hole.
    Hole,
    /// A block.
    Block,
}

/// The slots of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The bytes of each.
    pub slot_bytes: u32,
    /// How many have been cut from the arena so far.
    pub cut: u32,
    /// The free ones among them, the next to be taken first.
    pub free: Vec<Offset>,
}

/// What a full check counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Pieces in use.
    pub used: u32,
    /// Holes.
    pub holes: u32,
}

/// An invariant that does not hold: a bug of ours, or damage on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number in the file's list, from 1.
    pub invariant: usize,
    /// Where it was seen.
    pub at: Offset,
}

/// The bytes a design manages, whatever it keeps them in: one memory, or the memories of the heaps it wraps.
pub trait Storage {
    /// How many bytes there are.
    fn len(&self) -> u32;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `at` on into `into`.
    fn read(&self, at: Offset, into: &mut [u8]);

    /// Stores `bytes` from `at` on.
    fn write(&mut self, at: Offset, bytes: &[u8]);

    /// Sets every byte of a range to `byte`.
    fn fill(&mut self, range: Range<Offset>, byte: u8);

    /// Copies `len` bytes from one place to another; the two may overlap only if `to` is the lower one.
    fn copy(&mut self, from: Offset, to: Offset, len: u32);
}

/// `Storage` for a design that keeps all its bytes in a field `memory`.
macro_rules! stored_in_memory {
    ($design:ident $(, $param:ident: $bound:path)*) => {
        impl<M: $crate::Memory $(, $param: $bound)*> $crate::Storage for $design<M $(, $param)*> {
            fn len(&self) -> u32 {
                self.memory.len()
            }

            fn read(&self, at: $crate::Offset, into: &mut [u8]) {
                self.memory.read(at, into);
            }

            fn write(&mut self, at: $crate::Offset, bytes: &[u8]) {
                self.memory.write(at, bytes);
            }

            fn fill(&mut self, range: std::ops::Range<$crate::Offset>, byte: u8) {
                self.memory.fill(range, byte);
            }

            fn copy(&mut self, from: $crate::Offset, to: $crate::Offset, len: u32) {
                self.memory.copy(from, to, len);
            }
        }
    };
}
pub(crate) use stored_in_memory;

/// A design that can take over a memory.
pub trait Over<M>: Design + Sized {
    /// Takes over `memory`, all of it free, with the options the design has when none are named.
    fn new(memory: M) -> Self;
}

/// An allocator over memory it was given.
///
/// Sizes are in bytes. A layout has a size above zero, and both size and align at most the arena's; the callers
/// ([`Locked`](crate::Locked), the prompt's engine) answer everything else.
///
/// The first half is what a program uses; the second half is how it is drawn and checked.
pub trait Design: Storage {
    /// Finds room for `layout`.
    ///
    /// # Errors
    ///
    /// [`Full`] if no hole can hold it; nothing has changed then.
    fn allocate(&mut self, layout: Layout, observer: impl Observer) -> Result<Placement, Full>;

    /// Gives the block at `at` back. `layout` is the one it was allocated with.
    fn deallocate(&mut self, at: Offset, layout: Layout, observer: impl Observer);

    /// Resizes the block at `at` to `new_bytes` without moving it.
    ///
    /// # Errors
    ///
    /// [`Full`] if it cannot stay where it is; nothing has changed then.
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: impl Observer,
    ) -> Result<Placement, Full>;

    /// Resizes the block at `at`: in place if it can, else by allocating, copying and freeing.
    ///
    /// # Errors
    ///
    /// [`Full`] if there is no room; the block is as it was.
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        if let Ok(placed) = self.resize(at, layout, new_bytes, &mut observer) {
            return Ok(placed);
        }
        move_block(self, at, layout, new_bytes, observer)
    }

    /// Makes the arena `len` bytes long; the new bytes, a multiple of 16, are free. Only over memory that can grow.
    fn grow(&mut self, len: u32, observer: impl Observer);

    /// Whether it can [grow](Design::grow) at all.
    fn can_grow(&self) -> bool {
        true
    }

    /// Frees all that was handed out since [`Design::top`] gave `mark`. Only for designs with a top.
    fn reset(&mut self, mark: Offset) {
        unreachable!("no top to reset to {mark:?}");
    }

    /// The bytes that `reset(mark)` frees: every block that starts in here goes. Its start lies above its end if the top
    /// has been back beyond the mark since, and the mark means nothing any more.
    fn reset_range(&self, mark: Offset) -> Range<Offset> {
        mark..self.top().unwrap_or(mark)
    }

    /// The top of a heap that has handed nothing out: the mark that resets everything.
    fn origin(&self) -> Offset {
        Offset(0)
    }

    /// The border between what was handed out and what was not, where a design has one and can go back to it.
    fn top(&self) -> Option<Offset> {
        None
    }

    /// The block that has to be freed before the one at `at`, where the order matters.
    fn newer_than(&self, _at: Offset) -> Option<Offset> {
        None
    }

    /// The arena from its first byte to its last.
    fn pieces(&self) -> impl Iterator<Item = Piece> + '_;

    /// The holes, in the order the allocator would look at them.
    fn holes(&self) -> impl Iterator<Item = Piece> + '_;

    /// How it keeps them.
    fn structure(&self) -> Structure {
        Structure::Holes
    }

    /// What a request takes from a hole, rounding included.
    fn need(&self, layout: Layout) -> Need;

    /// The largest request, at align 8, that a hole can hold.
    fn fits(&self, hole: Piece) -> u32;

    /// Whether a request like `layout` may get bytes of `hole` at all, were it large enough: not where a hole serves
    /// requests of its class alone.
    fn eligible(&self, _hole: Piece, _layout: Layout) -> bool {
        true
    }

    /// What limits a request of `size_bytes`, where that is not the arena: such a heap's `len` grows with its blocks.
    fn budget(&self, _size_bytes: u64) -> Option<Budget> {
        None
    }

    /// The bytes in front of every payload, if they are the same for all: what a drawing of many blocks need not ask for
    /// each.
    fn header_of_all(&self) -> Option<u32> {
        None
    }

    /// The bytes around the payload at `at`, of a live block, that are the design's.
    fn block_edges(&self, at: Offset) -> Edges;

    /// The bytes of the hole at `at` that the design wrote: links and tags.
    fn hole_edges(&self, hole: Piece) -> Edges;

    /// What [`Design::check`] verifies, in order: the numbered invariants of the file.
    fn rules(&self) -> Vec<&'static str>;

    /// Verifies every one of them.
    ///
    /// # Errors
    ///
    /// The first that does not hold.
    fn check(&self) -> Result<Census, Broken>;
}

/// Resizes the block at `at` by allocating, copying and freeing.
pub(crate) fn move_block<D: Design + ?Sized>(
    design: &mut D,
    at: Offset,
    layout: Layout,
    new_bytes: u32,
    mut observer: impl Observer,
) -> Result<Placement, Full> {
    let new_layout = Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
    let placed = design.allocate(new_layout, &mut observer)?;
    design.copy(at, placed.at, new_bytes.min(layout.size() as u32));
    design.deallocate(at, layout, &mut observer);
    Ok(placed)
}

/// A [`Design`] as the prompt holds it: object-safe, and cheap to clone.
///
/// Each method is the one of [`Design`] or [`Storage`] with the same name.
#[allow(missing_docs, clippy::missing_errors_doc, clippy::len_without_is_empty)]
pub trait Heap: DynClone + Send + Sync {
    fn len(&self) -> u32;
    fn read(&self, at: Offset, into: &mut [u8]);
    fn write(&mut self, at: Offset, bytes: &[u8]);
    fn fill(&mut self, range: Range<Offset>, byte: u8);
    fn copy(&mut self, from: Offset, to: Offset, len: u32);
    fn allocate(&mut self, layout: Layout, observer: &mut dyn Observer) -> Result<Placement, Full>;
    fn deallocate(&mut self, at: Offset, layout: Layout, observer: &mut dyn Observer);
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: &mut dyn Observer,
    ) -> Result<Placement, Full>;
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: &mut dyn Observer,
    ) -> Result<Placement, Full>;
    fn grow(&mut self, len: u32, observer: &mut dyn Observer);
    fn can_grow(&self) -> bool;
    fn reset(&mut self, mark: Offset);
    fn reset_range(&self, mark: Offset) -> Range<Offset>;
    fn origin(&self) -> Offset;
    fn top(&self) -> Option<Offset>;
    fn newer_than(&self, at: Offset) -> Option<Offset>;
    fn pieces(&self) -> Box<dyn Iterator<Item = Piece> + '_>;
    fn holes(&self) -> Box<dyn Iterator<Item = Piece> + '_>;
    fn structure(&self) -> Structure;
    fn need(&self, layout: Layout) -> Need;
    fn fits(&self, hole: Piece) -> u32;
    fn eligible(&self, hole: Piece, layout: Layout) -> bool;
    fn budget(&self, size_bytes: u64) -> Option<Budget>;
    fn header_of_all(&self) -> Option<u32>;
    fn block_edges(&self, at: Offset) -> Edges;
    fn hole_edges(&self, hole: Piece) -> Edges;
    fn rules(&self) -> Vec<&'static str>;
    fn check(&self) -> Result<Census, Broken>;
}

dyn_clone::clone_trait_object!(Heap);

/// Any heap there is, at the prompt.
pub type AnyHeap = Box<dyn Heap>;

impl<D: Design + Clone + Send + Sync> Heap for D {
    fn len(&self) -> u32 {
        Storage::len(self)
    }

    fn read(&self, at: Offset, into: &mut [u8]) {
        Storage::read(self, at, into);
    }

    fn write(&mut self, at: Offset, bytes: &[u8]) {
        Storage::write(self, at, bytes);
    }

    fn fill(&mut self, range: Range<Offset>, byte: u8) {
        Storage::fill(self, range, byte);
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        Storage::copy(self, from, to, len);
    }

    fn allocate(&mut self, layout: Layout, observer: &mut dyn Observer) -> Result<Placement, Full> {
        Design::allocate(self, layout, observer)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, observer: &mut dyn Observer) {
        Design::deallocate(self, at, layout, observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: &mut dyn Observer,
    ) -> Result<Placement, Full> {
        Design::resize(self, at, layout, new_bytes, observer)
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: &mut dyn Observer,
    ) -> Result<Placement, Full> {
        Design::reallocate(self, at, layout, new_bytes, observer)
    }

    fn grow(&mut self, len: u32, observer: &mut dyn Observer) {
        Design::grow(self, len, observer);
    }

    fn can_grow(&self) -> bool {
        Design::can_grow(self)
    }

    fn reset(&mut self, mark: Offset) {
        Design::reset(self, mark);
    }

    fn reset_range(&self, mark: Offset) -> Range<Offset> {
        Design::reset_range(self, mark)
    }

    fn origin(&self) -> Offset {
        Design::origin(self)
    }

    fn top(&self) -> Option<Offset> {
        Design::top(self)
    }

    fn newer_than(&self, at: Offset) -> Option<Offset> {
        Design::newer_than(self, at)
    }

    fn pieces(&self) -> Box<dyn Iterator<Item = Piece> + '_> {
        Box::new(Design::pieces(self))
    }

    fn holes(&self) -> Box<dyn Iterator<Item = Piece> + '_> {
        Box::new(Design::holes(self))
    }

    fn structure(&self) -> Structure {
        Design::structure(self)
    }

    fn need(&self, layout: Layout) -> Need {
        Design::need(self, layout)
    }

    fn fits(&self, hole: Piece) -> u32 {
        Design::fits(self, hole)
    }

    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        Design::eligible(self, hole, layout)
    }

    fn budget(&self, size_bytes: u64) -> Option<Budget> {
        Design::budget(self, size_bytes)
    }

    fn header_of_all(&self) -> Option<u32> {
        Design::header_of_all(self)
    }

    fn block_edges(&self, at: Offset) -> Edges {
        Design::block_edges(self, at)
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        Design::hole_edges(self, hole)
    }

    fn rules(&self) -> Vec<&'static str> {
        Design::rules(self)
    }

    fn check(&self) -> Result<Census, Broken> {
        Design::check(self)
    }
}

/// What a wrapper wraps at the prompt: any heap there is.
impl Storage for Box<dyn Heap> {
    fn len(&self) -> u32 {
        Heap::len(&**self)
    }

    fn read(&self, at: Offset, into: &mut [u8]) {
        Heap::read(&**self, at, into);
    }

    fn write(&mut self, at: Offset, bytes: &[u8]) {
        Heap::write(&mut **self, at, bytes);
    }

    fn fill(&mut self, range: Range<Offset>, byte: u8) {
        Heap::fill(&mut **self, range, byte);
    }

    fn copy(&mut self, from: Offset, to: Offset, len: u32) {
        Heap::copy(&mut **self, from, to, len);
    }
}

impl Design for Box<dyn Heap> {
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        Heap::allocate(&mut **self, layout, &mut observer)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, mut observer: impl Observer) {
        Heap::deallocate(&mut **self, at, layout, &mut observer);
    }

    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        Heap::resize(&mut **self, at, layout, new_bytes, &mut observer)
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        Heap::reallocate(&mut **self, at, layout, new_bytes, &mut observer)
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        Heap::grow(&mut **self, len, &mut observer);
    }

    fn can_grow(&self) -> bool {
        Heap::can_grow(&**self)
    }

    fn reset(&mut self, mark: Offset) {
        Heap::reset(&mut **self, mark);
    }

    fn reset_range(&self, mark: Offset) -> Range<Offset> {
        Heap::reset_range(&**self, mark)
    }

    fn origin(&self) -> Offset {
        Heap::origin(&**self)
    }

    fn top(&self) -> Option<Offset> {
        Heap::top(&**self)
    }

    fn newer_than(&self, at: Offset) -> Option<Offset> {
        Heap::newer_than(&**self, at)
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        Heap::pieces(&**self)
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        Heap::holes(&**self)
    }

    fn structure(&self) -> Structure {
        Heap::structure(&**self)
    }

    fn need(&self, layout: Layout) -> Need {
        Heap::need(&**self, layout)
    }

    fn fits(&self, hole: Piece) -> u32 {
        Heap::fits(&**self, hole)
    }

    fn eligible(&self, hole: Piece, layout: Layout) -> bool {
        Heap::eligible(&**self, hole, layout)
    }

    fn budget(&self, size_bytes: u64) -> Option<Budget> {
        Heap::budget(&**self, size_bytes)
    }

    fn header_of_all(&self) -> Option<u32> {
        Heap::header_of_all(&**self)
    }

    fn block_edges(&self, at: Offset) -> Edges {
        Heap::block_edges(&**self, at)
    }

    fn hole_edges(&self, hole: Piece) -> Edges {
        Heap::hole_edges(&**self, hole)
    }

    fn rules(&self) -> Vec<&'static str> {
        Heap::rules(&**self)
    }

    fn check(&self) -> Result<Census, Broken> {
        Heap::check(&**self)
    }
}
