//! How a heap is drawn and checked that is one number, the top: a stretch that was handed out, and one hole.

use crate::{Broken, Census, Offset, Piece, PieceKind, Structure};

/// The arena of a bump allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halves {
    /// The border between what was handed out and what was not.
    pub(crate) top: Offset,
    /// Where the arena ends.
    pub(crate) end: Offset,
    /// Whether the hole lies below the top.
    pub(crate) down: bool,
}

impl Halves {
    #[inline]
    pub(crate) fn hole(self) -> Option<Piece> {
        self.half(self.down, PieceKind::Hole)
    }

    fn taken(self) -> Option<Piece> {
        self.half(!self.down, PieceKind::Taken)
    }

    #[inline]
    fn half(self, below: bool, kind: PieceKind) -> Option<Piece> {
        let (at, end) = if below { (Offset(0), self.top) } else { (self.top, self.end) };
        (at < end).then(|| Piece { at, size_bytes: end.since(at), kind })
    }

    pub(crate) fn pieces(self) -> impl Iterator<Item = Piece> {
        let (hole, taken) = (self.hole(), self.taken());
        let [below, above] = if self.down { [hole, taken] } else { [taken, hole] };
        below.into_iter().chain(above)
    }

    pub(crate) fn structure(self) -> Structure {
        Structure::Top { at: self.top, down: self.down }
    }

    pub(crate) fn check(self) -> Result<Census, Broken> {
        if self.top > self.end {
            return Err(Broken { invariant: 1, at: self.top });
        }
        let count = |half: Option<Piece>| u32::from(half.is_some());
        Ok(Census { used: count(self.taken()), holes: count(self.hole()) })
    }
}

/// The methods of `Design` that draw and check a heap with a field `top` and a method `halves`.
macro_rules! drawn_by_top {
    () => {
        fn top(&self) -> Option<$crate::Offset> {
            Some(self.top)
        }

        fn pieces(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.halves().pieces()
        }

        fn holes(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.halves().hole().into_iter()
        }

        fn structure(&self) -> $crate::Structure {
            self.halves().structure()
        }

        fn block_edges(&self, _: $crate::Offset) -> $crate::Edges {
            $crate::Edges::NONE
        }

        fn hole_edges(&self, _: $crate::Piece) -> $crate::Edges {
            $crate::Edges::NONE
        }

        fn rules(&self) -> Vec<&'static str> {
            vec!["the top lies inside the arena"]
        }

        fn check(&self) -> Result<$crate::Census, $crate::Broken> {
            self.halves().check()
        }
    };
}

pub(crate) use drawn_by_top;
