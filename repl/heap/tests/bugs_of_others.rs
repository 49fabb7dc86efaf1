//! Bugs that other allocators had, each named in a test that every design of ours must pass on real memory.
//!
//! | bug | what went wrong there |
//! |---|---|
//! | `blog_os#796`, `linked-list-allocator#66` | bytes in front of an aligned block belonged to nobody once it was freed |
//! | `RUSTSEC-2022-0063` | a region too small for the first header was written to all the same |
//! | `embedded-alloc#125` | a sum overflowed at the end of the address space |
//! | `linked-list-allocator#79` | a layout too large to round up panicked instead of being refused |
//! | `bumpalo#19` | a block of high alignment overlapped others |
//! | a failed realloc | the old block was lost or damaged when there was no room for the new one |
//! | `bumpalo GHSA-j7wg-xg3h-2pr6` | requests for nothing, from several threads, wrote to what they shared |
//! | `miri#2104` | a header was reached from the user's pointer, which is good for the payload alone |
//!
//! The prompt's half of these, over offsets, stands in the unit tests of each design.

use std::alloc::{GlobalAlloc, Layout};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::Barrier;
use std::thread;

use allocator_api2::alloc::Allocator;
use heap::{Locked, MAX_ALIGN, MAX_ARENA, Over, Region};

use crate::designs::{check, check_all_came_back, free_bytes, layout, on_heap, tracks_blocks};

#[macro_use]
mod designs;

on_each_design! {
    alignment_padding_comes_back_blog_os_796_linked_list_allocator_66
    a_region_too_small_is_refused_or_served_within_rustsec_2022_0063
    no_sum_overflows_at_the_end_of_the_largest_arena_embedded_alloc_125
    a_huge_layout_is_out_of_memory_linked_list_allocator_79
    a_high_alignment_overlaps_nothing_bumpalo_19
    a_failed_realloc_leaves_block_and_heap_alone
    zero_sizes_from_several_threads_touch_nothing_bumpalo_ghsa_j7wg_xg3h_2pr6
    header_pointers_come_from_the_region_miri_2104
}

const KIB: usize = 1024;

/// A live block, every byte of which is `byte`.
#[derive(Clone, Copy, Debug)]
struct Block {
    pointer: *mut u8,
    layout: Layout,
    byte: u8,
}

impl Block {
    /// Asks for a block through `GlobalAlloc`. `None` if there is no room.
    fn take<D: Over<Region>>(heap: &Locked<D>, layout: Layout, byte: u8) -> Option<Self> {
        // SAFETY: no test asks for a block of no bytes here.
        let pointer = NonNull::new(unsafe { GlobalAlloc::alloc(heap, layout) })?.as_ptr();
        assert!(pointer.addr().is_multiple_of(layout.align()), "{pointer:?} for {layout:?}");
        let start = heap.start().addr().get();
        let end = start + heap.with(|design| design.len()) as usize;
        assert!(start <= pointer.addr() && pointer.addr() + layout.size() <= end, "{layout:?}");
        let block = Self { pointer, layout, byte };
        // SAFETY: the heap handed out `layout.size()` bytes, and the test is their only owner.
        unsafe { pointer.write_bytes(byte, layout.size()) }
        Some(block)
    }

    fn addresses(&self) -> Range<usize> {
        self.pointer.addr()..self.pointer.addr() + self.layout.size()
    }

    #[track_caller]
    fn check(&self) {
        // SAFETY: `take` has written every byte of the block, which is live.
        let bytes = unsafe { std::slice::from_raw_parts(self.pointer, self.layout.size()) };
        assert!(bytes.iter().all(|&byte| byte == self.byte), "{self:?} has changed");
    }

    #[track_caller]
    fn give_back<D: Over<Region>>(self, heap: &Locked<D>) {
        self.check();
        // SAFETY: the block is live with this layout, and consumed here. What `Copy` leaves behind is not used.
        unsafe { GlobalAlloc::dealloc(heap, self.pointer, self.layout) }
    }
}

/// Asserts that no two of `blocks` share a byte, and each has its own.
#[track_caller]
fn check_apart(blocks: &[Block]) {
    let mut blocks = blocks.to_vec();
    blocks.sort_by_key(|block| block.pointer.addr());
    for (lower, upper) in blocks.iter().zip(&blocks[1.min(blocks.len())..]) {
        assert!(lower.addresses().end <= upper.addresses().start, "{lower:?} overlaps {upper:?}");
    }
    blocks.iter().for_each(Block::check);
}

/// Takes blocks of a layout until there is no more room.
fn fill_with<D: Over<Region>>(heap: &Locked<D>, layout: Layout) -> Vec<Block> {
    (0..=u8::MAX).cycle().map_while(|byte| Block::take(heap, layout, byte)).collect()
}

fn alignment_padding_comes_back_blog_os_796_linked_list_allocator_66<D: Over<Region>>() {
    on_heap::<D>(256 * KIB, |heap| {
        // What a heap is like once it has been used: a pool has cut its slots.
        let mut settled = None;
        for round in 0..if cfg!(miri) { 6 } else { 40_usize } {
            // Odd sizes in between leave every rest there can be in front of an aligned block.
            let mut blocks: Vec<_> = (0..=12)
                .flat_map(|power| [layout(1 + round, 1), layout(1 + (round * 7) % 50, 1 << power)])
                .map(|layout| Block::take(heap, layout, round as u8))
                .map(|block| block.unwrap_or_else(|| panic!("bytes leaked by round {round}")))
                .collect();
            check_apart(&blocks);
            // From the front, from the back, and from the middle.
            match round % 3 {
                0 => blocks.reverse(),
                1 => {}
                _ => blocks.rotate_left(9),
            }
            for block in blocks {
                block.give_back(heap);
            }
            check(heap);
            // A bump allocator takes everything back at once, the padding included.
            heap.with(|design| {
                if design.top().is_some() {
                    design.reset(design.origin());
                }
            });
            let free = heap.with(|design| free_bytes(design));
            if heap.with(|design| tracks_blocks(design)) {
                assert_eq!(*settled.get_or_insert(free), free, "round {round}");
            }
        }
    });
}

fn a_region_too_small_is_refused_or_served_within_rustsec_2022_0063<D: Over<Region>>() {
    // The arena's margins are watched, and `Region` checks each access.
    let step = if cfg!(miri) { 24 } else { 1 };
    for arena_bytes in (0..300).step_by(step).chain([511, 512, 1023, 1024, 1040, 2047, 4095]) {
        on_heap::<D>(arena_bytes, |heap| {
            let mut blocks = Vec::new();
            for (byte, size) in (0..).zip([1, 4, 8, 16, 24, 100, 4000, 4096]) {
                for align in [1, 8, 16, 64] {
                    blocks.extend(Block::take(heap, layout(size, align), byte));
                    check(heap);
                }
            }
            check_apart(&blocks);
            for block in blocks {
                block.give_back(heap);
                check(heap);
            }
        });
    }
}

/// Our sums count from the arena's start, so the end of the address space is the end of the largest arena.
fn no_sum_overflows_at_the_end_of_the_largest_arena_embedded_alloc_125<D: Over<Region>>() {
    // Miri would hold every byte of it, and a 32-bit host has no room for several at once.
    if cfg!(miri) || cfg!(target_pointer_width = "32") {
        return;
    }
    let arena_bytes = MAX_ARENA as usize;
    on_heap::<D>(arena_bytes, |heap| {
        let take = |layout: Layout| {
            // SAFETY: the layout has a size.
            let pointer = NonNull::new(unsafe { GlobalAlloc::alloc(heap, layout) })?;
            let at = pointer.addr().get() - heap.start().addr().get();
            assert!(at + layout.size() <= arena_bytes && at.is_multiple_of(layout.align()));
            Some((at, pointer, layout))
        };
        // Half of what is left each time, so that few blocks reach the end. The bytes are never written, so they cost
        // nothing; and a pool, whose slots end at 64 KiB, would need 16,384 to get there.
        let mut blocks = Vec::new();
        for power in (7..30).rev() {
            blocks.extend((0..4).map_while(|_| take(layout((1 << power) - 64, 8))));
        }
        let mut spans: Vec<_> =
            blocks.iter().map(|&(at, _, layout)| at..at + layout.size()).collect();
        spans.sort_by_key(|span| span.start);
        assert!(spans.is_sorted_by(|lower, upper| lower.end <= upper.start));

        for size in [arena_bytes, arena_bytes - 1, arena_bytes - 64, arena_bytes / 2] {
            for align in [1, 16, MAX_ALIGN as usize] {
                assert!(take(layout(size, align)).is_none(), "{size} bytes at {align}");
            }
            for &(_, pointer, layout) in &blocks {
                let new_size = size.max(layout.size() + arena_bytes / 2);
                // SAFETY: the block is live with this layout; as the call fails, it still is.
                let moved =
                    unsafe { GlobalAlloc::realloc(heap, pointer.as_ptr(), layout, new_size) };
                assert!(moved.is_null(), "{layout:?} to {new_size} bytes");
            }
        }
        for (_, pointer, layout) in blocks.into_iter().rev() {
            // SAFETY: the block is live with this layout, and given back once.
            unsafe { GlobalAlloc::dealloc(heap, pointer.as_ptr(), layout) }
        }
    });
}

fn a_huge_layout_is_out_of_memory_linked_list_allocator_79<D: Over<Region>>() {
    let largest = isize::MAX.cast_unsigned();
    on_heap::<D>(64 * KIB, |heap| {
        let small = layout(40, 8);
        let block = Block::take(heap, small, 7).expect("room for 40");
        let before = check(heap);
        for align in (0..=32).map(|power| 1_usize << power) {
            // What rounds up to the alignment without an overflow is a layout; 4 GiB and a bit is small in 32 bits.
            let highest = largest - (align - 1);
            let sizes = [highest, highest - 1, highest / 2, 1 << 31, (1 << 32) - 1, (1 << 32) + 8];
            for huge in sizes.map(|size| layout(size.min(highest), align)) {
                assert!(heap.allocate(huge).is_err(), "{huge:?}");
                assert!(heap.allocate_zeroed(huge).is_err(), "{huge:?}");
                // SAFETY: `block` is live with `small`; as the calls fail, it stays that.
                unsafe {
                    assert!(GlobalAlloc::alloc(heap, huge).is_null(), "{huge:?}");
                    assert!(GlobalAlloc::alloc_zeroed(heap, huge).is_null(), "{huge:?}");
                    let pointer = NonNull::new(block.pointer).expect("a block");
                    assert!(heap.grow(pointer, small, huge).is_err(), "{huge:?}");
                    assert!(heap.grow_zeroed(pointer, small, huge).is_err(), "{huge:?}");
                    // `realloc` keeps the alignment, and its size rounds up to that.
                    let size = huge.size().min(largest - 7);
                    assert!(GlobalAlloc::realloc(heap, block.pointer, small, size).is_null());
                }
            }
        }
        assert_eq!(check(heap), before);
        block.give_back(heap);
    });
}

fn a_high_alignment_overlaps_nothing_bumpalo_19<D: Over<Region>>() {
    for power in [4, 6, 9, 12, 14, 16] {
        on_heap::<D>(512 * KIB, |heap| {
            let align = 1 << power;
            // Sizes below, at and above the alignment, each behind a block that leaves an odd place.
            let mut blocks = Vec::new();
            for (byte, size) in (0..).zip([1, align / 2, align - 1, align, align + 1]) {
                blocks.extend(Block::take(heap, layout(1 + byte * 3, 1), byte as u8));
                blocks.extend(Block::take(heap, layout(size, align), 0x80 + byte as u8));
                check(heap);
            }
            assert!(blocks.len() >= 6, "{} blocks at {align} find room", blocks.len());
            check_apart(&blocks);
            // Every second one goes and comes again, into what the first left; a bump allocator may have no room for it.
            let layouts = blocks.iter().skip(1).step_by(2).map(|block| block.layout);
            for layout in layouts.collect::<Vec<_>>() {
                let gone = blocks.iter().position(|block| block.layout == layout);
                blocks.remove(gone.expect("it is live")).give_back(heap);
                blocks.extend(Block::take(heap, layout, 0x40));
                check_apart(&blocks);
            }
            for block in blocks {
                block.give_back(heap);
                check(heap);
            }
        });
    }
}

fn a_failed_realloc_leaves_block_and_heap_alone<D: Over<Region>>() {
    // Miri takes a hundred times as long for each block that a check looks at.
    let arena_bytes = if cfg!(miri) { 4 * KIB } else { 16 * KIB };
    on_heap::<D>(arena_bytes, |heap| {
        let before = check(heap);
        let mut blocks = Vec::new();
        for (size, align) in [(1000, 8), (300, 256), (65, 1), (24, 16), (1, 1)] {
            blocks.extend(fill_with(heap, layout(size, align)));
        }
        check_apart(&blocks);
        let full = check(heap);
        for block in &blocks {
            for size in [2000, arena_bytes / 2, arena_bytes, arena_bytes + 1, 1 << 30] {
                // SAFETY: the block is live with this layout; as the call fails, it still is.
                let moved =
                    unsafe { GlobalAlloc::realloc(heap, block.pointer, block.layout, size) };
                assert!(moved.is_null(), "{block:?} to {size} in a full heap");
            }
        }
        assert_eq!(check(heap), full);
        check_apart(&blocks);
        for block in blocks.into_iter().rev() {
            block.give_back(heap);
            check(heap);
        }
        if heap.with(|design| tracks_blocks(design)) {
            check_all_came_back(heap, before);
        }
    });
}

fn zero_sizes_from_several_threads_touch_nothing_bumpalo_ghsa_j7wg_xg3h_2pr6<D>()
where
    D: Over<Region> + Send,
{
    const THREADS: u8 = 4;
    let rounds = if cfg!(miri) { 8 } else { 200 };
    on_heap::<D>(64 * KIB, |heap| {
        // All threads ask first at once, and the first request sets the heap up.
        let start = Barrier::new(THREADS.into());
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for round in 0..rounds {
                        nothing_becomes_a_block_and_nothing_again(heap, 1 << (round % 17), thread);
                    }
                });
            }
        });
        let free = heap.with(|design| free_bytes(design));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for power in 0..=16 {
                        let nothing = layout(0, 1 << power);
                        let block = heap.allocate(nothing).expect("nothing always fits");
                        // SAFETY: the block came from this heap with this layout, and is given back once.
                        unsafe { Allocator::deallocate(&heap, block.cast(), nothing) }
                    }
                });
            }
        });
        assert_eq!(heap.with(|design| free_bytes(design)), free);
    });
}

fn nothing_becomes_a_block_and_nothing_again<D>(heap: &Locked<D>, align: usize, byte: u8)
where
    D: Over<Region>,
{
    let (nothing, some) = (layout(0, align), layout(24, align.min(64)));
    let block = heap.allocate(nothing).expect("nothing always fits");
    assert_eq!((block.len(), block.cast::<u8>().addr().get() % align), (0, 0));
    // SAFETY: the block has no bytes, as `nothing` says, and is forgotten when it has grown.
    let Ok(grown) = (unsafe { heap.grow(block.cast(), layout(0, some.align()), some) }) else {
        // A bump allocator fills up when others hold its top.
        return;
    };
    // SAFETY: the block has 24 bytes, and this thread alone has it; each call gets what the one before returned.
    unsafe {
        grown.cast::<u8>().write_bytes(byte, 24);
        thread::yield_now();
        assert_eq!(grown.cast::<[u8; 24]>().read(), [byte; 24]);
        let shrunk = heap.shrink(grown.cast(), some, nothing).expect("shrinking to nothing");
        assert_eq!((shrunk.len(), shrunk.cast::<u8>().addr().get() % align), (0, 0));
        Allocator::deallocate(&heap, shrunk.cast(), nothing);
    }
}

/// Hands pointers back of which only the address is left. On a machine they are as good as any. Under Miri, with
/// `-Zmiri-strict-provenance`, a read or write through one of them, or through a sum with one, is an error: an allocator
/// that reaches its header by `pointer.sub(8)` fails here, and one that counts from its region does not.
fn header_pointers_come_from_the_region_miri_2104<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        let address_of = |block: &Block| ptr::without_provenance_mut::<u8>(block.pointer.addr());
        let mut blocks = Vec::new();
        for (size, align) in [(1, 1), (40, 8), (200, 64), (3000, 16), (24, 4096)] {
            blocks.extend(Block::take(heap, layout(size, align), align as u8));
        }
        for block in &mut blocks {
            for new_size in [block.layout.size() + 700, block.layout.size().div_ceil(2)] {
                let kept = new_size.min(block.layout.size());
                // SAFETY: the address is that of a live block with this layout, and our heaps ask for no more: they
                // say so in `Locked::give_back` and `Locked::change`.
                let moved = unsafe {
                    GlobalAlloc::realloc(heap, address_of(block), block.layout, new_size)
                };
                assert!(!moved.is_null(), "{block:?} to {new_size}");
                block.pointer = moved;
                block.layout = layout(kept, block.layout.align());
                block.check();
                block.layout = layout(new_size, block.layout.align());
                // SAFETY: the block has `new_size` bytes, and the test is their only owner.
                unsafe { moved.write_bytes(block.byte, new_size) }
            }
        }
        check_apart(&blocks);
        for block in &blocks {
            block.check();
            // SAFETY: as above; each block is given back once.
            unsafe { GlobalAlloc::dealloc(heap, address_of(block), block.layout) }
            check(heap);
        }
    });
}
