//! Heap allocators over memory they are given.
//!
//! An allocator here is a [`Design`]: arithmetic on [`Offset`]s over some [`Memory`], without a pointer in it. The
//! same code runs in two places:
//!
//! - over a [`Region`], a range of real memory: wrapped in [`Locked`] it is a `GlobalAlloc` and an `Allocator`;
//! - over [`memory::Pages`], whose clones are cheap: there it answers the prompt, behind the object-safe [`Heap`].
//!
//! Links and headers are `u32` offsets from the arena's start, little-endian. A block therefore lies at the same
//! place on every host, and a damaged link meets a bounds check instead of another object.
//!
//! [`peers`] holds well-known allocators the same way, and [`trace`] what real programs asked of theirs.
//!
//! The only crate of the workspace with unsafe code: `region.rs`, `locked.rs` and `peers`.

mod bump;
mod design;
mod first_fit;
mod heaps;
mod locked;
mod offset;
pub mod peers;
mod region;
pub mod trace;

pub use bump::Bump;
pub use design::{Broken, Census, Design, Full, Heap, Observer, Piece, PieceKind, Placement, Step};
pub use first_fit::FirstFit;
pub use heaps::{HEAPS, Info, named};
pub use locked::Locked;
pub use offset::{MAX_ALIGN, MAX_ARENA, Offset};
pub use region::{Memory, Region};
