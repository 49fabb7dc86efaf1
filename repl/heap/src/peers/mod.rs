//! Well-known allocators, held the way ours are: the yardstick of the benchmarks, and guests at the prompt.
//!
//! Each file holds one crate behind [`Peer`], as that crate's own `GlobalAlloc` would call it, without the lock. A
//! peer over our memory works in the [`Region`] it is given; the others bring their own and take the region's length
//! at most as a limit.
//!
//! [`each_peer`] is the one list. [`Ours`] makes a peer of a [`Design`](crate::Design).

use std::alloc::Layout;
use std::ptr::NonNull;

use crate::{MAX_ALIGN, MAX_ARENA, Memory, Region};

mod buddy_system_allocator;
mod bumpalo;
mod dlmalloc;
mod linked_list_allocator;
mod ours;
mod process_wide;
mod rlsf;
mod talc;

pub use buddy_system_allocator::BuddySystemAllocator;
pub use bumpalo::Bumpalo;
pub use dlmalloc::Dlmalloc;
pub use linked_list_allocator::LinkedListAllocator;
pub use ours::Ours;
pub use process_wide::{Named, ProcessWide, Usable};
pub use rlsf::Rlsf;
pub use talc::Talc;

/// An allocator that can stand beside ours.
///
/// Layouts have a size above zero. A request that is beyond the peer, whatever its size or alignment, is `None`.
pub trait Peer: Sized {
    /// The crate's name, in kebab-case.
    const NAME: &'static str;

    /// Whether its blocks lie in the region. If not, it brings its own memory.
    const OVER_REGION: bool;

    /// One that has nothing allocated; `None` if the region is too small for it.
    ///
    /// The blocks of a peer that works for the whole process outlive it: whoever drops it frees them before.
    fn over(region: Region) -> Option<Self>;

    /// A block for `layout`.
    ///
    /// # Safety
    ///
    /// The layout has a size above zero.
    unsafe fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>>;

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `at` is a live block of this allocator with this layout.
    unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout);

    /// Resizes a block; its bytes stay as far as the new size goes. On `None` it is as it was. A crate without a way
    /// to resize gets what `GlobalAlloc` gives it: allocate, copy, deallocate.
    ///
    /// # Safety
    ///
    /// `at` is a live block of this allocator with this layout, and `new_bytes` is above zero.
    unsafe fn reallocate(
        &mut self,
        at: NonNull<u8>,
        layout: Layout,
        new_bytes: usize,
    ) -> Option<NonNull<u8>> {
        let new_layout = resized(layout, new_bytes)?;
        // SAFETY: the size is above zero; the new block is another one, both hold the smaller size, and the old one
        // is given back once.
        unsafe {
            let new = self.allocate(new_layout)?;
            new.copy_from_nonoverlapping(at, new_bytes.min(layout.size()));
            self.deallocate(at, layout);
            Some(new)
        }
    }
}

/// Does something with each peer: a generic closure.
pub trait Visit {
    /// The next one.
    fn visit<P: Peer>(&mut self);
}

/// Every peer there is on this target: those over our memory first, then those with their own.
pub fn each_peer(visitor: &mut impl Visit) {
    visitor.visit::<Rlsf>();
    visitor.visit::<Talc>();
    visitor.visit::<Dlmalloc>();
    visitor.visit::<LinkedListAllocator>();
    visitor.visit::<BuddySystemAllocator>();
    visitor.visit::<Bumpalo>();
    visitor.visit::<ProcessWide<std::alloc::System>>();
    #[cfg(not(target_arch = "wasm32"))]
    visitor.visit::<ProcessWide<mimalloc::MiMalloc>>();
    #[cfg(feature = "jemalloc")]
    visitor.visit::<ProcessWide<tikv_jemallocator::Jemalloc>>();
}

/// Whether a region can hold the request at all. Some crates add to a size before they compare it.
fn is_reasonable(layout: Layout) -> bool {
    layout.size() <= MAX_ARENA as usize && layout.align() <= MAX_ALIGN as usize
}

/// The layout after a resize, if it is [reasonable](is_reasonable).
fn resized(layout: Layout, new_bytes: usize) -> Option<Layout> {
    Layout::from_size_align(new_bytes, layout.align()).ok().filter(|&layout| is_reasonable(layout))
}

/// The region as the slice pointer crates ask for.
fn slice(region: &Region) -> NonNull<[u8]> {
    NonNull::slice_from_raw_parts(region.start(), region.len() as usize)
}
