//! An allocator that is seen from outside: its live blocks and what was written into them, and nothing of its own words.

use std::alloc::Layout;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use imbl::OrdMap;
use memory::Pages;

use crate::{Broken, Census, Offset, Piece, PieceKind, Placement};

/// Whether the allocators of this process are unprotected.
static UNPROTECTED: AtomicBool = AtomicBool::new(false);

/// From now on every request reaches somebody else's allocator as it is, right or wrong, and bytes are written to and read
/// from its real memory. There is no way back: for a process that was started to make a mistake, before a heap is set up.
pub fn unprotect_crates() {
    UNPROTECTED.store(true, Relaxed);
}

pub(crate) fn is_unprotected() -> bool {
    UNPROTECTED.load(Relaxed)
}

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) layout: Layout,
    pub(crate) granted_bytes: u32,
}

/// Live blocks by their offsets.
pub(crate) type Blocks = OrdMap<u32, Block>;

/// The blocks, and the bytes in them.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) pages: Pages,
    pub(crate) blocks: Blocks,
}

impl Outside {
    /// `len` bytes without a block.
    pub(crate) fn new(len: u32) -> Self {
        Self { pages: Pages::new(len), blocks: Blocks::new() }
    }

    /// A block begins.
    pub(crate) fn begin(&mut self, placed: Placement, layout: Layout) {
        let granted_bytes = placed.granted_bytes;
        self.blocks.insert(placed.at.0, Block { layout, granted_bytes });
    }

    /// The block at `at` ends. It must be live, with that layout: the ledger has looked.
    pub(crate) fn end(&mut self, at: Offset, layout: Layout) {
        self.assert_live(at, layout);
        self.blocks.remove(&at.0);
    }

    pub(crate) fn assert_live(&self, at: Offset, layout: Layout) {
        let live = self.blocks.get(&at.0).map(|block| block.layout);
        assert!(
            live == Some(layout) || is_unprotected(),
            "no live block of {layout:?} at {at:?}, but {live:?}"
        );
    }

    /// The block at `at` lies at `placed` from now on, with its bytes.
    pub(crate) fn relocate(&mut self, at: Offset, layout: Layout, placed: Placement, new: Layout) {
        let (from, to) = (at.0, placed.at.0);
        let size_bytes = layout.size().min(new.size()) as u32;
        // What is no block may not even have bytes.
        let kept = if self.blocks.contains_key(&from) { size_bytes } else { 0 };
        if to <= from || to >= from + kept {
            self.pages.copy(from, to, kept);
        } else {
            let bytes = self.pages.read(from..from + kept);
            self.pages.write(to, &bytes);
        }
        self.end(at, layout);
        self.begin(placed, new);
    }

    /// The blocks, and gaps between them.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let blocks = self.blocks.iter().map(|(&at, block)| (at, block.granted_bytes));
        let mut at = Offset(0);
        blocks.chain([(self.pages.len(), 0)]).flat_map(move |(start, size_bytes)| {
            let gap = Piece { at, size_bytes: Offset(start).since(at), kind: PieceKind::Gap };
            let block = Piece { at: Offset(start), size_bytes, kind: PieceKind::Block };
            at = block.end();
            [gap, block].into_iter().filter(|piece| piece.size_bytes > 0)
        })
    }

    /// The gaps: some of their bytes may be holes.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = Piece> + '_ {
        self.pieces().filter(|piece| piece.kind == PieceKind::Gap)
    }

    /// Blocks lie inside the arena, apart from each other.
    pub(crate) fn check(&self) -> Result<Census, Broken> {
        let mut end = 0;
        for (&at, block) in &self.blocks {
            if at < end || block.granted_bytes > self.pages.len().saturating_sub(at) {
                return Err(Broken { invariant: 1, at: Offset(at) });
            }
            end = at + block.granted_bytes;
        }
        Ok(Census { used: self.blocks.len() as u32, holes: self.gaps().count() as u32 })
    }
}

/// `Storage` for a design that has its blocks in a field `outside`. Its `real` says where bytes really are, in a process
/// that is unprotected, and its `real_mut` where to write them.
macro_rules! stored_outside {
    ($design:ident $(<$param:ident>)?) => {
        impl$(<$param>)? $crate::Storage for $design$(<$param>)? {
            fn len(&self) -> u32 {
                self.outside.pages.len()
            }

            fn read(&self, at: $crate::Offset, into: &mut [u8]) {
                match self.real(at, into.len() as u32) {
                    // SAFETY: none: the memory is read as it is. This is what is to be seen, in a process made for it.
                    Some(start) => unsafe {
                        let into = std::ptr::NonNull::from(into);
                        start.copy_to_nonoverlapping(into.cast(), into.len());
                    },
                    None => $crate::Memory::read(&self.outside.pages, at, into),
                }
            }

            fn write(&mut self, at: $crate::Offset, bytes: &[u8]) {
                let real = self.real_mut(at, bytes.len() as u32);
                if real.is_none() || bytes.len() <= self.len().saturating_sub(at.0) as usize {
                    $crate::Memory::write(&mut self.outside.pages, at, bytes);
                }
                if let Some(start) = real {
                    let from = std::ptr::NonNull::from(bytes);
                    // SAFETY: none, as above.
                    unsafe { start.copy_from_nonoverlapping(from.cast(), bytes.len()) }
                }
            }

            fn fill(&mut self, range: std::ops::Range<$crate::Offset>, byte: u8) {
                let len = range.end.since(range.start);
                let real = self.real_mut(range.start, len);
                $crate::Memory::fill(&mut self.outside.pages, range, byte);
                if let Some(start) = real {
                    // SAFETY: none, as above.
                    unsafe { start.write_bytes(byte, len as usize) }
                }
            }

            fn copy(&mut self, from: $crate::Offset, to: $crate::Offset, len: u32) {
                if self.real(from, len).is_none() {
                    return $crate::Memory::copy(&mut self.outside.pages, from, to, len);
                }
                let mut bytes = vec![0; len as usize];
                $crate::Storage::read(self, from, &mut bytes);
                $crate::Storage::write(self, to, &bytes);
            }
        }
    };
}

/// What such a design says of itself when it is drawn and checked.
macro_rules! drawn_outside {
    () => {
        /// It does not say whether a block could stay; [`Design::reallocate`] finds out.
        fn resize(
            &mut self,
            _: $crate::Offset,
            _: std::alloc::Layout,
            _: u32,
            _: impl $crate::Observer,
        ) -> Result<$crate::Placement, $crate::Full> {
            Err($crate::Full)
        }

        fn pieces(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.outside.pieces()
        }

        fn holes(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.outside.gaps()
        }

        fn need(&self, layout: std::alloc::Layout) -> $crate::Need {
            $crate::Need { payload_bytes: layout.size() as u64, edges: $crate::Edges::NONE }
        }

        fn fits(&self, hole: $crate::Piece) -> u32 {
            hole.size_bytes
        }

        fn block_edges(&self, _: $crate::Offset) -> $crate::Edges {
            $crate::Edges::NONE
        }

        fn hole_edges(&self, _: $crate::Piece) -> $crate::Edges {
            $crate::Edges::NONE
        }

        fn rules(&self) -> Vec<&'static str> {
            vec!["blocks lie inside the arena, apart from each other"]
        }

        fn check(&self) -> Result<$crate::Census, $crate::Broken> {
            self.outside.check()
        }
    };
}

pub(crate) use {drawn_outside, stored_outside};
