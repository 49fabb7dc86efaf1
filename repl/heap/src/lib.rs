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
//! The only crate of the workspace with unsafe code: `region.rs` and `locked.rs`.

mod bump;
mod design;
mod first_fit;
mod heaps;
mod locked;
mod offset;
#[cfg(test)]
mod oracle;
mod region;
mod size_classes;
mod tlsf;

pub use bump::Bump;
pub use design::{
    Because, Broken, Census, Class, Counts, Design, Edges, Full, Heap, List, Need, Node, NodeKind,
    Observer, Order, Over, Piece, PieceKind, Placement, Slots, Step, Storage, Structure, Wrapper,
};
pub use first_fit::FirstFit;
pub use heaps::{HEAPS, Info, Inner, MAX_NESTING, OptionInfo, Spec, Takes, Unfit, Value, named};
pub use locked::Locked;
pub use offset::{MAX_ALIGN, MAX_ARENA, Offset};
pub use region::{Memory, Real, Region, TrustedRegion};
pub use size_classes::SizeClasses;
pub use tlsf::Tlsf;
