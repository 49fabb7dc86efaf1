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
//! The only crate of the workspace with unsafe code: `region.rs`, `locked.rs`, `guest.rs`, `host.rs`, `outside.rs` and `peers`.

#![cfg_attr(feature = "nightly", feature(allocator_api))]

mod around;
mod buddy;
mod bump;
mod bump_down;
mod counting;
mod design;
mod fit;
mod free_list;
mod guard;
mod guest;
mod headerless;
mod heaps;
mod hole_list;
mod host;
mod hosted;
mod locked;
mod offset;
#[cfg(test)]
mod oracle;
mod outside;
mod pair;
pub mod peers;
mod pool;
mod region;
pub mod sandbox;
mod serial;
mod size_classes;
mod stack;
mod tlsf;
mod top;
pub mod trace;
mod zones;

pub use buddy::Buddy;
pub use bump::Bump;
pub use bump_down::BumpDown;
pub use counting::Counting;
pub use design::{
    AnyHeap, Because, Broken, Budget, Census, Class, Counts, Design, Edges, Full, Heap, List, Need,
    Node, NodeKind, Observer, Order, Over, Piece, PieceKind, Placement, Slots, Step, Storage,
    Structure, Wrapper,
};
pub use fit::{Best, ByAddress, BySize, First, Fit, Lifo, Next, Policy, Worst};
pub use free_list::{BestFit, FirstFit, FreeList, NextFit, WorstFit};
pub use guard::Guard;
pub use guest::Guest;
pub use headerless::{
    Headerless, HeaderlessBestFit, HeaderlessFirstFit, HeaderlessNextFit, HeaderlessWorstFit,
};
pub use heaps::{
    Build, HEAPS, Info, Inner, MAX_NESTING, OptionInfo, Origin, Spec, Takes, Unfit, Value, named,
};
pub use host::{Answer, Host, NoAnswer};
pub use hosted::Hosted;
pub use locked::Locked;
pub use offset::{MAX_ALIGN, MAX_ARENA, Offset};
pub use outside::unprotect_crates;
pub use pair::{Choice, Fallback, Pair, SplitBySize, UpTo, WhenFull};
pub use pool::Pool;
pub use region::{Memory, Real, Region, TrustedRegion};
pub use serial::Serial;
pub use size_classes::SizeClasses;
pub use stack::Stack;
pub use tlsf::Tlsf;
