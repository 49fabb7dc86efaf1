//! What wrappers around one heap have in common: the arena, its pieces and its holes are the inner heap's.

/// `Storage` for a design with a field `inner`.
macro_rules! stored_in_inner {
    ($design:ident) => {
        impl<D: $crate::Design> $crate::Storage for $design<D> {
            fn len(&self) -> u32 {
                self.inner.len()
            }

            fn read(&self, at: $crate::Offset, into: &mut [u8]) {
                self.inner.read(at, into);
            }

            fn write(&mut self, at: $crate::Offset, bytes: &[u8]) {
                self.inner.write(at, bytes);
            }

            fn fill(&mut self, range: std::ops::Range<$crate::Offset>, byte: u8) {
                self.inner.fill(range, byte);
            }

            fn copy(&mut self, from: $crate::Offset, to: $crate::Offset, len: u32) {
                self.inner.copy(from, to, len);
            }
        }
    };
}

/// Methods of `Design` that only ask the field `inner`, by name.
macro_rules! ask_inner {
    () => {};
    (grow $($rest:ident)*) => {
        fn grow(&mut self, len: u32, observer: impl $crate::Observer) {
            self.inner.grow(len, observer);
        }

        fn can_grow(&self) -> bool {
            self.inner.can_grow()
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (reset $($rest:ident)*) => {
        fn reset(&mut self, mark: $crate::Offset) {
            self.inner.reset(mark);
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (top $($rest:ident)*) => {
        fn reset_range(&self, mark: $crate::Offset) -> std::ops::Range<$crate::Offset> {
            self.inner.reset_range(mark)
        }

        fn origin(&self) -> $crate::Offset {
            self.inner.origin()
        }

        fn top(&self) -> Option<$crate::Offset> {
            self.inner.top()
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (newer_than $($rest:ident)*) => {
        fn newer_than(&self, at: $crate::Offset) -> Option<$crate::Offset> {
            self.inner.newer_than(at)
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (pieces $($rest:ident)*) => {
        fn pieces(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.inner.pieces()
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (holes $($rest:ident)*) => {
        fn holes(&self) -> impl Iterator<Item = $crate::Piece> + '_ {
            self.inner.holes()
        }

        fn hole_edges(&self, hole: $crate::Piece) -> $crate::Edges {
            self.inner.hole_edges(hole)
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (blocks $($rest:ident)*) => {
        fn need(&self, layout: std::alloc::Layout) -> $crate::Need {
            self.inner.need(layout)
        }

        fn fits(&self, hole: $crate::Piece) -> u32 {
            self.inner.fits(hole)
        }

        fn eligible(&self, hole: $crate::Piece, layout: std::alloc::Layout) -> bool {
            self.inner.eligible(hole, layout)
        }

        fn budget(&self, size_bytes: u64) -> Option<$crate::Budget> {
            self.inner.budget(size_bytes)
        }

        fn block_edges(&self, at: $crate::Offset) -> $crate::Edges {
            self.inner.block_edges(at)
        }
        $crate::around::ask_inner! { $($rest)* }
    };
    (check $($rest:ident)*) => {
        fn rules(&self) -> Vec<&'static str> {
            self.inner.rules()
        }

        fn check(&self) -> Result<$crate::Census, $crate::Broken> {
            self.inner.check()
        }
        $crate::around::ask_inner! { $($rest)* }
    };
}

pub(crate) use {ask_inner, stored_in_inner};
