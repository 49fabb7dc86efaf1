//! A well-known allocator at the prompt: real code, at work in real memory of its own.
//!
//! ```text
//!  the prompt's offsets   0 ....... a ....... b ............ len      bytes written at the prompt lie in pages
//!  real memory         base ....... a ....... b ............ end      the crate's own words lie here
//! ```
//!
//! The crate decides where a block goes; its address, less that of its memory, is the offset. What is written into blocks
//! is kept apart, in [`Pages`], so that nothing done at the prompt can reach the crate's own words.
//!
//! A crate's state holds addresses and cannot be copied. So a guest remembers every request and its answer, and a clone
//! is that list: when it is asked for more, it asks a fresh instance the same again. The memory is aligned to its own
//! length, so the answers are the same.
//!
//! In a process of its own, which may die of it, this protection can be taken away ([`unprotect_crates`](crate::unprotect_crates)): to see what a
//! mistake really does.
//!
//! Seen from outside, a byte that is in no block may be free or the crate's own. Both are drawn as gaps.
//!
//! Invariants:
//!
//! 1. Blocks lie inside the arena, apart from each other.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use imbl::Vector;

use crate::outside::{Outside, drawn_outside, is_unprotected, stored_outside};
use crate::peers::{
    BuddySystemAllocator, Bumpalo, Dlmalloc, LinkedListAllocator, Peer, Rlsf, Talc,
};
use crate::{
    AnyHeap, Design, Full, Info, MAX_ARENA, Observer, Offset, Origin, Piece, Placement, Region,
    Storage, Structure, Unfit,
};

/// The alignment of what a crate that brings its own memory gets from the system, and so the widest that is the same in
/// every instance.
const OWN_ALIGN: usize = 16;

/// A crate at the prompt. See the top of the file.
pub struct Guest<P> {
    outside: Outside,
    requests: Vector<Request>,
    /// `None` until it is asked for something.
    instance: Option<Instance<P>>,
}

/// A request that was granted.
#[derive(Clone, Copy, Debug)]
enum Request {
    Allocate { layout: Layout, at: Offset },
    Deallocate { at: Offset, layout: Layout },
    Reallocate { at: Offset, layout: Layout, new_bytes: u32, to: Offset },
}

/// The crate at work, and its memory.
struct Instance<P> {
    peer: P,
    /// The address of offset 0. Inside `memory`, unless the crate brings its own.
    base: NonNull<u8>,
    /// Behind `peer` in the struct: dropped after it.
    _memory: RealMemory,
}

struct RealMemory {
    base: NonNull<u8>,
    layout: Layout,
}

impl Drop for RealMemory {
    fn drop(&mut self) {
        // SAFETY: the memory came from `alloc::alloc` with this layout; the peer that used it was dropped before.
        unsafe { alloc::dealloc(self.base.as_ptr(), self.layout) }
    }
}

// SAFETY: a peer is used by whoever owns the guest alone, through `&mut`; its pointers lead to memory it owns.
unsafe impl<P> Send for Instance<P> {}
// SAFETY: nothing is done with a shared reference to it.
unsafe impl<P> Sync for Instance<P> {}

impl<P> Clone for Guest<P> {
    fn clone(&self) -> Self {
        let (outside, requests) = (self.outside.clone(), self.requests.clone());
        Self { outside, requests, instance: None }
    }
}

impl<P: Peer> Instance<P> {
    /// A fresh one over `len` bytes; `None` if the crate can do nothing with so few.
    fn new(len: u32) -> Option<Self> {
        let align = (len as usize).next_power_of_two();
        let layout = Layout::from_size_align(len as usize, align).ok()?;
        // SAFETY: an arena has at least 16 bytes.
        let base = NonNull::new(unsafe { alloc::alloc(layout) })?;
        let memory = RealMemory { base, layout };
        // SAFETY: the memory is the instance's alone, and lives as long as the peer.
        let region = unsafe { Region::new(base.as_ptr(), len as usize) };
        let mut peer = P::over(region)?;
        let mut base = base;
        if !P::OVER_REGION {
            // Such a crate hands its memory out from the top; the first block tells where that is.
            let probe = Layout::from_size_align(OWN_ALIGN, OWN_ALIGN).ok()?;
            // SAFETY: the layout has a size, and the block goes back at once with the same.
            let end = unsafe {
                let block = peer.allocate(probe)?;
                peer.deallocate(block, probe);
                block.addr().get() + OWN_ALIGN
            };
            base = NonNull::new(std::ptr::without_provenance_mut(end - len as usize))?;
        }
        Some(Self { peer, base, _memory: memory })
    }

    fn offset(&self, at: NonNull<u8>) -> Option<Offset> {
        let at = at.addr().get().checked_sub(self.base.addr().get())?;
        u32::try_from(at).ok().map(Offset)
    }
}

/// Where each live block of an instance really lies.
type Pointers = std::collections::BTreeMap<u32, NonNull<u8>>;

impl<P: Peer> Guest<P> {
    /// The crate over an arena of `len` bytes.
    fn new(len: u32) -> Result<Self, Unfit> {
        let smallest = Layout::new::<u64>();
        let works = |len: u32| {
            let mut guest = Self::fresh(len);
            Design::allocate(&mut guest, smallest, ()).is_ok()
        };
        if works(len) {
            return Ok(Self::fresh(len));
        }
        let least = (5..=20).map(|power| 1 << power).find(|&len| works(len));
        Err(Unfit::TooSmall { least_bytes: least.unwrap_or(MAX_ARENA) })
    }

    fn fresh(len: u32) -> Self {
        Self { outside: Outside::new(len), requests: Vector::new(), instance: None }
    }

    /// The instance, brought to where the requests so far lead.
    fn at_work(&mut self) -> Result<&mut Instance<P>, Full> {
        if self.instance.is_none() {
            let mut instance = Instance::new(self.len()).ok_or(Full)?;
            replay(&mut instance, &self.requests);
            self.instance = Some(instance);
        }
        self.instance.as_mut().ok_or(Full)
    }

    /// Whether a crate can be asked for such a block here, and the answer be the same each time.
    fn serves(&self, layout: Layout) -> bool {
        layout.size() <= self.len() as usize && (P::OVER_REGION || layout.align() <= OWN_ALIGN)
    }

    fn block_pointer(instance: &Instance<P>, at: Offset) -> NonNull<u8> {
        // SAFETY: the block lies that far behind the base: its offset was computed so.
        unsafe { instance.base.add(at.0 as usize) }
    }

    /// The offset of a block, if it lies in the arena. A crate with memory of its own has a little more than we asked it
    /// to; what it placed there is undone with the instance, and the next one is asked for what was granted alone.
    fn inside(&mut self, at: Option<Offset>, size_bytes: u32) -> Result<Offset, Full> {
        let len = self.len();
        let inside = at.filter(|at| at.0 <= len && size_bytes <= len - at.0);
        if inside.is_none() {
            self.start_over();
        }
        inside.ok_or(Full)
    }

    /// A crate that refuses may have tidied up on the way, and would answer otherwise from then on; the next instance is
    /// asked for what was granted alone.
    fn granted(&mut self, block: Option<NonNull<u8>>) -> Result<NonNull<u8>, Full> {
        if block.is_none() {
            self.start_over();
        }
        block.ok_or(Full)
    }

    /// Leaves the next request to another instance; but a wrong request is not made twice.
    fn start_over(&mut self) {
        if !is_unprotected() {
            self.instance = None;
        }
    }

    fn remembered(&mut self, request: Request) {
        self.requests.push_back(request);
    }
}

/// Asks a fresh instance for everything again.
fn replay<P: Peer>(instance: &mut Instance<P>, requests: &Vector<Request>) {
    let mut pointers = Pointers::new();
    for &request in requests {
        // SAFETY: the requests were granted in this order, each on a live block with its layout.
        unsafe {
            match request {
                Request::Allocate { layout, at } => {
                    let block = instance.peer.allocate(layout).expect("it was granted before");
                    assert_eq!(instance.offset(block), Some(at), "{} answers otherwise", P::NAME);
                    pointers.insert(at.0, block);
                }
                Request::Deallocate { at, layout } => {
                    let block = pointers.remove(&at.0).expect("it was live before");
                    instance.peer.deallocate(block, layout);
                }
                Request::Reallocate { at, layout, new_bytes, to } => {
                    let block = pointers.remove(&at.0).expect("it was live before");
                    let block = instance.peer.reallocate(block, layout, new_bytes as usize);
                    let block = block.expect("it was granted before");
                    assert_eq!(instance.offset(block), Some(to), "{} answers otherwise", P::NAME);
                    pointers.insert(to.0, block);
                }
            }
        }
    }
}

impl<P> Guest<P> {
    /// Where a byte really is, if it may be touched.
    fn real(&self, at: Offset, _: u32) -> Option<NonNull<u8>> {
        let instance = self.instance.as_ref().filter(|_| is_unprotected())?;
        NonNull::new(instance.base.as_ptr().wrapping_add(at.0 as usize))
    }

    fn real_mut(&mut self, at: Offset, len: u32) -> Option<NonNull<u8>> {
        self.real(at, len)
    }
}

stored_outside!(Guest<P>);

impl<P: Peer> Design for Guest<P> {
    fn allocate(&mut self, layout: Layout, _: impl Observer) -> Result<Placement, Full> {
        if !self.serves(layout) {
            return Err(Full);
        }
        let instance = self.at_work()?;
        // SAFETY: a layout has a size.
        let block = unsafe { instance.peer.allocate(layout) };
        let block = self.granted(block)?;
        let Some(instance) = &self.instance else { return Err(Full) };
        let (at, granted_bytes) = (instance.offset(block), layout.size() as u32);
        let placed = Placement { at: self.inside(at, granted_bytes)?, granted_bytes };
        self.outside.begin(placed, layout);
        self.remembered(Request::Allocate { layout, at: placed.at });
        Ok(placed)
    }

    fn deallocate(&mut self, at: Offset, layout: Layout, _: impl Observer) {
        self.outside.end(at, layout);
        let instance = self.at_work().expect("it has granted a block");
        let block = Self::block_pointer(instance, at);
        // SAFETY: the block was live with this layout until now.
        unsafe { instance.peer.deallocate(block, layout) }
        self.remembered(Request::Deallocate { at, layout });
    }

    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        _: impl Observer,
    ) -> Result<Placement, Full> {
        self.outside.assert_live(at, layout);
        let new_layout =
            Layout::from_size_align(new_bytes as usize, layout.align()).or(Err(Full))?;
        if !self.serves(new_layout) {
            return Err(Full);
        }
        let instance = self.at_work()?;
        let block = Self::block_pointer(instance, at);
        // SAFETY: the block is live with this layout, and the new size is above zero.
        let block = unsafe { instance.peer.reallocate(block, layout, new_bytes as usize) };
        let block = self.granted(block)?;
        let Some(instance) = &self.instance else { return Err(Full) };
        let to = instance.offset(block);
        let placed = Placement { at: self.inside(to, new_bytes)?, granted_bytes: new_bytes };
        self.outside.relocate(at, layout, placed, new_layout);
        self.remembered(Request::Reallocate { at, layout, new_bytes, to: placed.at });
        Ok(placed)
    }

    fn grow(&mut self, len: u32, _: impl Observer) {
        unreachable!("{} cannot grow to {len}", P::NAME);
    }

    fn can_grow(&self) -> bool {
        false
    }

    fn structure(&self) -> Structure {
        Structure::Outside { whole_process: false }
    }

    fn eligible(&self, _: Piece, layout: Layout) -> bool {
        P::OVER_REGION || layout.align() <= OWN_ALIGN
    }

    drawn_outside! {}
}

impl<P: Peer + 'static> Guest<P> {
    const fn info(summary: &'static str, details: &'static str) -> Info {
        Info {
            name: P::NAME,
            summary,
            details,
            options: &[],
            inner: &[],
            origin: Origin::Crate,
            build: |_, len| Ok(Box::new(Self::new(len)?) as AnyHeap),
        }
    }
}

impl Guest<Rlsf> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: TLSF by yvt, 32 lists a power of two",
        "rlsf 0.2. Constant time; 16 bytes of header in front of each block on a machine of 64 bits.",
    );
}

impl Guest<Talc> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: boundary tags and binned holes",
        "talc 5, for WebAssembly and firmware. Its bins lie at the arena's start: 1,536 bytes on a machine of 64 bits.",
    );
}

impl Guest<LinkedListAllocator> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: first fit without headers",
        "linked_list_allocator 0.10, by the Rust OSDev team. Free blocks hold a size and a link, 16 bytes; a free walks the list to its place.",
    );
}

impl Guest<BuddySystemAllocator> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: a binary buddy, from rCore",
        "buddy_system_allocator 0.13. No header and no status bytes: a free walks its size's list to look for the buddy.",
    );
}

impl Guest<Dlmalloc> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: Doug Lea's malloc, std's on WebAssembly",
        "dlmalloc 0.2. Bins for small sizes, trees for large ones, boundary tags. It takes memory 64 KiB at a time.",
    );
}

impl Guest<Bumpalo> {
    /// Its row of the table.
    pub const INFO: Info = Self::info(
        "the crate: a bump allocator that moves down",
        "bumpalo 3. Only the last block comes back. It brings a chunk of its own, a little shorter than the arena.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn a_clone_answers_as_the_original_would() {
        fn check<P: Peer>() {
            let mut guest = Guest::<P>::new(1 << 20).unwrap();
            let mut blocks = Vec::new();
            for i in 0..200 {
                let size = 1 + i * 37 % 500;
                blocks.push((guest.allocate(layout(size), ()).unwrap().at, layout(size)));
                if i % 3 == 0 {
                    let (at, layout) = blocks.swap_remove(i * 7 % blocks.len());
                    guest.deallocate(at, layout, ());
                }
            }
            let mut clone = guest.clone();
            for size in [8, 100, 4000] {
                assert_eq!(
                    clone.allocate(layout(size), ()),
                    guest.allocate(layout(size), ()),
                    "{}",
                    P::NAME
                );
            }
            let (at, old) = blocks[0];
            assert_eq!(
                clone.reallocate(at, old, 600, ()),
                guest.reallocate(at, old, 600, ()),
                "{}",
                P::NAME
            );
            guest.check().unwrap();
        }
        check::<Rlsf>();
        check::<Talc>();
        check::<LinkedListAllocator>();
        check::<BuddySystemAllocator>();
        check::<Dlmalloc>();
        check::<Bumpalo>();
    }

    #[test]
    #[should_panic(expected = "no live block")]
    fn a_second_free_never_reaches_the_crate() {
        let mut guest = Guest::<Rlsf>::new(1024).unwrap();
        let at = guest.allocate(layout(8), ()).unwrap().at;
        guest.deallocate(at, layout(8), ());
        guest.deallocate(at, layout(8), ());
    }
}
