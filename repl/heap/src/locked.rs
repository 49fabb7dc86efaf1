use std::alloc::{GlobalAlloc, Layout};
use std::ptr::{self, NonNull};

use spin::{Mutex, MutexGuard};

use crate::{Offset, Over, Placement, Real, Region, TrustedRegion};

/// A [`Design`](crate::Design) over a [`Region`], shared by threads: what a program uses.
///
/// ```
/// use heap::{Bump, Locked, Region};
///
/// #[repr(align(65536))]
/// struct Arena([u8; 1 << 20]);
/// static mut ARENA: Arena = Arena([0; 1 << 20]);
///
/// // SAFETY: nothing else names `ARENA`.
/// static HEAP: Locked<Bump<Region>> =
///     Locked::new(unsafe { Region::new((&raw mut ARENA).cast(), 1 << 20) });
///
/// let mut numbers = allocator_api2::vec::Vec::new_in(&HEAP);
/// numbers.extend(0..100);
/// ```
///
/// The design is set up by the first request, so that `new` can run in a `static`. The lock spins: it needs no
/// operating system and never allocates.
///
/// Zero sizes: `GlobalAlloc` forbids them, `Allocator` allows them and gets a dangling pointer, as the contract says.
/// A request beyond the arena's own alignment or length is out of memory.
///
/// `Allocator` is the trait of `allocator-api2`, for stable Rust. With the feature `nightly` it is the one of `core` as
/// well, and std's containers take a `&Locked`.
pub struct Locked<D, M = Region> {
    base: NonNull<u8>,
    state: Mutex<State<D, M>>,
}

/// How long a thread that panics waits for the lock: a second or more.
const PANICKING_SPINS: u32 = 1 << 26;

enum State<D, M> {
    Fresh(M),
    Running(D),
    /// Only while one becomes the other.
    Between,
}

// SAFETY: `base` is only used to compute addresses in the region, which the mutex guards with the design.
unsafe impl<D: Send, M: Send> Send for Locked<D, M> {}
// SAFETY: as above.
unsafe impl<D: Send, M: Send> Sync for Locked<D, M> {}

impl<D: Over<Region>> Locked<D> {
    /// A design that will manage `region`.
    pub const fn new(region: Region) -> Self {
        Self { base: region.start(), state: Mutex::new(State::Fresh(region)) }
    }
}

impl<D: Over<TrustedRegion>> Locked<D, TrustedRegion> {
    /// A design that will manage `region`, without a check of each access.
    pub const fn trusting(region: TrustedRegion) -> Self {
        Self { base: region.start(), state: Mutex::new(State::Fresh(region)) }
    }
}

impl<D: Over<M>, M: Real> Locked<D, M> {
    /// Runs `work` on the design, alone. For drawing and checking; it must not allocate from this heap.
    pub fn with<T>(&self, work: impl FnOnce(&mut D) -> T) -> T {
        let mut state = self.lock();
        if let State::Fresh(_) = *state {
            let State::Fresh(region) = std::mem::replace(&mut *state, State::Between) else {
                unreachable!("it was fresh a line ago, under the same lock")
            };
            *state = State::Running(D::new(region));
        }
        let State::Running(design) = &mut *state else {
            unreachable!("a design is between states only under the lock")
        };
        work(design)
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, State<D, M>> {
        self.state.try_lock().unwrap_or_else(|| self.wait())
    }

    /// Waits for the lock. A design that panics under it, in a global allocator, would wait for itself: the panic's own
    /// message takes memory, before [`Locked::or_abort`] has its turn. So a thread that panics waits for seconds, while
    /// others need no more than a request takes, and then stops the process.
    #[cold]
    fn wait(&self) -> MutexGuard<'_, State<D, M>> {
        let mut spins = 0_u32;
        loop {
            if let Some(state) = self.state.try_lock() {
                return state;
            }
            std::hint::spin_loop();
            spins = spins.saturating_add(1);
            if spins > PANICKING_SPINS && std::thread::panicking() {
                std::process::abort();
            }
        }
    }

    /// Where the arena starts.
    pub const fn start(&self) -> NonNull<u8> {
        self.base
    }

    /// The largest alignment at which offsets and addresses agree.
    fn base_align(&self) -> usize {
        1 << self.base.addr().trailing_zeros()
    }

    fn serves(&self, design: &D, size: usize, align: usize) -> bool {
        size <= design.len() as usize && align <= self.base_align().min(crate::MAX_ALIGN as usize)
    }

    fn pointer(&self, placed: Placement) -> NonNull<u8> {
        // SAFETY: the design places blocks inside its region, whose base this is.
        unsafe { self.base.add(placed.at.0 as usize) }
    }

    fn offset(&self, pointer: NonNull<u8>) -> Offset {
        Offset((pointer.addr().get() - self.base.addr().get()) as u32)
    }

    /// [`Locked::with`] for the allocator traits, which must not unwind: a design that finds its own words damaged by a
    /// program that wrote past its block stops the process, before it does worse.
    fn or_abort<T>(&self, work: impl FnOnce(&mut D) -> T) -> T {
        struct AbortOnDrop;
        impl Drop for AbortOnDrop {
            fn drop(&mut self) {
                std::process::abort();
            }
        }
        let guard = AbortOnDrop;
        let result = self.with(work);
        std::mem::forget(guard);
        result
    }

    fn take(&self, layout: Layout) -> Option<(NonNull<u8>, usize)> {
        let placed = self.or_abort(|design| {
            self.serves(design, layout.size(), layout.align())
                .then(|| design.allocate(layout, ()).ok())
                .flatten()
        })?;
        Some((self.pointer(placed), placed.granted_bytes as usize))
    }

    /// # Safety
    ///
    /// `pointer` is a block of this heap, allocated with `layout`.
    unsafe fn give_back(&self, pointer: NonNull<u8>, layout: Layout) {
        self.or_abort(|design| design.deallocate(self.offset(pointer), layout, ()));
    }

    /// # Safety
    ///
    /// `pointer` is a block of this heap, allocated with `layout`.
    unsafe fn change(
        &self,
        pointer: NonNull<u8>,
        layout: Layout,
        size: usize,
    ) -> Option<(NonNull<u8>, usize)> {
        let placed = self.or_abort(|design| {
            self.serves(design, size, layout.align())
                .then(|| design.reallocate(self.offset(pointer), layout, size as u32, ()).ok())
                .flatten()
        })?;
        Some((self.pointer(placed), placed.granted_bytes as usize))
    }
}

// SAFETY: a design hands out disjoint, aligned blocks inside its region and keeps their bytes until they come back;
// the tests hold every design to that against an oracle. `or_abort` keeps a panic in, and nothing here allocates.
unsafe impl<D: Over<M>, M: Real> GlobalAlloc for Locked<D, M> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout).map_or(ptr::null_mut(), |(pointer, _)| pointer.as_ptr())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: the caller's contract is ours.
            unsafe { self.give_back(pointer, layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(pointer) = NonNull::new(pointer) else { return ptr::null_mut() };
        // SAFETY: the caller's contract is ours.
        unsafe { self.change(pointer, layout, new_size) }
            .map_or(ptr::null_mut(), |(pointer, _)| pointer.as_ptr())
    }
}

/// `Allocator` of the given module, which has an `AllocError` beside it. The trait and its copy for stable Rust have the
/// same methods, and what they do stands below, once.
macro_rules! allocator_of {
    ($($module:ident)::+) => {
        // SAFETY: as for `GlobalAlloc`; blocks outlive every move of the reference, since they lie in the region.
        unsafe impl<D: Over<M>, M: Real> $($module)::+::Allocator for &Locked<D, M> {
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, $($module)::+::AllocError> {
                self.take_any(layout).ok_or($($module)::+::AllocError)
            }

            unsafe fn deallocate(&self, pointer: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller's contract is ours.
                unsafe { self.give_back_any(pointer, layout) }
            }

            unsafe fn grow(
                &self,
                pointer: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($module)::+::AllocError> {
                // SAFETY: the caller's contract is ours.
                unsafe { self.refit(pointer, old, new) }.ok_or($($module)::+::AllocError)
            }

            unsafe fn grow_zeroed(
                &self,
                pointer: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($module)::+::AllocError> {
                // SAFETY: the caller's contract is ours.
                unsafe { self.refit_zeroed(pointer, old, new) }.ok_or($($module)::+::AllocError)
            }

            unsafe fn shrink(
                &self,
                pointer: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, $($module)::+::AllocError> {
                // SAFETY: the caller's contract is ours.
                unsafe { self.refit(pointer, old, new) }.ok_or($($module)::+::AllocError)
            }
        }
    };
}

allocator_of!(allocator_api2::alloc);
#[cfg(feature = "nightly")]
allocator_of!(core::alloc);

/// What `Allocator` asks for: requests for nothing are fine, and alignments may change.
impl<D: Over<M>, M: Real> Locked<D, M> {
    fn take_any(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        if layout.size() == 0 {
            return Some(dangling(layout.align()));
        }
        self.take(layout).map(slice)
    }

    /// # Safety
    ///
    /// `pointer` is a block of this heap, allocated with `layout`, or one of no bytes.
    unsafe fn give_back_any(&self, pointer: NonNull<u8>, layout: Layout) {
        if layout.size() > 0 {
            // SAFETY: the caller's contract is ours.
            unsafe { self.give_back(pointer, layout) }
        }
    }

    /// In place where alignment and design allow it, else by moving.
    ///
    /// # Safety
    ///
    /// `pointer` is a block of this heap, allocated with `old`, or one of no bytes.
    unsafe fn refit(
        &self,
        pointer: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Option<NonNull<[u8]>> {
        if old.align() == new.align() && old.size() > 0 && new.size() > 0 {
            // SAFETY: the caller's contract is ours.
            return unsafe { self.change(pointer, old, new.size()) }.map(slice);
        }
        let block = self.take_any(new)?;
        // SAFETY: both blocks hold the smaller size, and they are different blocks; `pointer` is given back once.
        unsafe {
            block.cast::<u8>().copy_from_nonoverlapping(pointer, old.size().min(new.size()));
            self.give_back_any(pointer, old);
        }
        Some(block)
    }

    /// [`Locked::refit`] to a larger block, whose bytes behind the old ones are zero.
    ///
    /// # Safety
    ///
    /// As for `refit`; `new` is at least as long as `old`.
    unsafe fn refit_zeroed(
        &self,
        pointer: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Option<NonNull<[u8]>> {
        // SAFETY: the caller's contract is ours; the bytes behind the old ones are part of the new block.
        unsafe {
            let block = self.refit(pointer, old, new)?;
            block.cast::<u8>().add(old.size()).write_bytes(0, block.len() - old.size());
            Some(block)
        }
    }
}

fn slice((pointer, granted): (NonNull<u8>, usize)) -> NonNull<[u8]> {
    NonNull::slice_from_raw_parts(pointer, granted)
}

/// What a request for nothing gets: an aligned address, no bytes.
fn dangling(align: usize) -> NonNull<[u8]> {
    let address = NonNull::new(ptr::without_provenance_mut(align));
    NonNull::slice_from_raw_parts(address.unwrap_or(NonNull::dangling()), 0)
}
