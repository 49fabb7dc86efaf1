use std::alloc::Layout;

use dyn_clone::DynClone;
use memory::Pages;

use crate::{Info, Memory, Offset};

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
    /// It looked at the hole at `at`; `fits` says whether the request goes in.
    Looked {
        /// Where the hole starts.
        at: Offset,
        /// Its bytes, header included.
        size_bytes: u32,
        /// Whether the request goes in.
        fits: bool,
    },
    /// It walked past so many holes to find a freed block's place among them.
    Walked {
        /// How many.
        holes: u32,
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
    /// Bytes were freed that this design cannot use again before a reset.
    Stranded {
        /// Where they start.
        at: Offset,
        /// How many.
        size_bytes: u32,
    },
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

/// What a stretch of the arena is, as the allocator itself knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// One block: header, then payload.
    Block,
    /// Bytes this design handed out without keeping track of each block.
    Taken,
    /// Free bytes that the next request may get.
    Hole,
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

/// An allocator over a memory of type `Self::Memory`.
///
/// Sizes are in bytes. A layout has a size above zero, and both size and align at most the arena's; the callers
/// ([`Locked`](crate::Locked), the prompt's engine) answer everything else.
pub trait Design {
    /// What the arena is made of.
    type Memory: Memory;

    /// Its row of the table.
    const INFO: Info;

    /// Takes over `memory`, all of it free.
    fn new(memory: Self::Memory) -> Self;

    /// The arena.
    fn memory(&self) -> &Self::Memory;

    /// The arena, for whoever owns the blocks in it.
    fn memory_mut(&mut self) -> &mut Self::Memory;

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
        let new_layout =
            Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        let placed = self.allocate(new_layout, &mut observer)?;
        self.memory_mut().copy(at, placed.at, new_bytes.min(layout.size() as u32));
        self.deallocate(at, layout, &mut observer);
        Ok(placed)
    }

    /// The memory has grown from `old_bytes` to its present length; the new bytes are free.
    fn grown(&mut self, old_bytes: u32, observer: impl Observer);

    /// Frees everything from `at` on, a value [`Design::top`] gave. Only for designs with a top.
    fn reset(&mut self, at: Offset);

    /// The lowest byte never handed out, where a design has one.
    fn top(&self) -> Option<Offset>;

    /// The arena from its first byte to its last.
    fn pieces(&self) -> impl Iterator<Item = Piece> + '_;

    /// The holes, in the order the allocator would look at them.
    fn holes(&self) -> impl Iterator<Item = Piece> + '_;

    /// The bytes a block with that payload takes from a hole, header and rounding included.
    fn block_bytes(payload_bytes: u64) -> u64;

    /// The largest request, at align 8, that a hole of `hole_bytes` can hold.
    fn fits(hole_bytes: u32) -> u32 {
        hole_bytes.saturating_sub(Self::INFO.header_bytes)
    }

    /// Verifies every numbered invariant of the file.
    ///
    /// # Errors
    ///
    /// The first that does not hold.
    fn check(&self) -> Result<Census, Broken>;
}

/// A [`Design`] over [`Pages`], as the prompt holds it: object-safe, and cheap to clone.
///
/// Each method is the one of [`Design`] with the same name.
#[allow(missing_docs, clippy::missing_errors_doc)]
pub trait Heap: DynClone + Send + Sync {
    fn info(&self) -> &'static Info;
    fn memory(&self) -> &Pages;
    fn memory_mut(&mut self) -> &mut Pages;
    fn allocate(&mut self, layout: Layout, observer: &mut dyn Observer) -> Result<Placement, Full>;
    fn deallocate(&mut self, at: Offset, layout: Layout, observer: &mut dyn Observer);
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        observer: &mut dyn Observer,
    ) -> Result<Placement, Full>;
    fn grow(&mut self, len: u32, observer: &mut dyn Observer);
    fn reset(&mut self, at: Offset);
    fn top(&self) -> Option<Offset>;
    fn pieces(&self) -> Box<dyn Iterator<Item = Piece> + '_>;
    fn holes(&self) -> Box<dyn Iterator<Item = Piece> + '_>;
    fn block_bytes(&self, payload_bytes: u64) -> u64;
    fn fits(&self, hole_bytes: u32) -> u32;
    fn check(&self) -> Result<Census, Broken>;
}

dyn_clone::clone_trait_object!(Heap);

impl<D: Design<Memory = Pages> + Clone + Send + Sync> Heap for D {
    fn info(&self) -> &'static Info {
        const { &D::INFO }
    }

    fn memory(&self) -> &Pages {
        Design::memory(self)
    }

    fn memory_mut(&mut self) -> &mut Pages {
        Design::memory_mut(self)
    }

    fn allocate(&mut self, layout: Layout, observer: &mut dyn Observer) -> Result<Placement, Full> {
        Design::allocate(self, layout, observer)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, observer: &mut dyn Observer) {
        Design::deallocate(self, at, layout, observer);
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
        let old_bytes = Design::memory(self).len();
        Design::memory_mut(self).grow(len);
        Design::grown(self, old_bytes, observer);
    }

    fn reset(&mut self, at: Offset) {
        Design::reset(self, at);
    }

    fn top(&self) -> Option<Offset> {
        Design::top(self)
    }

    fn pieces(&self) -> Box<dyn Iterator<Item = Piece> + '_> {
        Box::new(Design::pieces(self))
    }

    fn holes(&self) -> Box<dyn Iterator<Item = Piece> + '_> {
        Box::new(Design::holes(self))
    }

    fn block_bytes(&self, payload_bytes: u64) -> u64 {
        D::block_bytes(payload_bytes)
    }

    fn fits(&self, hole_bytes: u32) -> u32 {
        D::fits(hole_bytes)
    }

    fn check(&self) -> Result<Census, Broken> {
        Design::check(self)
    }
}
