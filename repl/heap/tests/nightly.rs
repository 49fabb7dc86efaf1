//! std's own containers on every heap, through `core::alloc::Allocator`:
//! `cargo +nightly test -p heap --features nightly`.
#![feature(allocator_api, btreemap_alloc)]

use std::alloc::Allocator;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use heap::{Over, Region};

use crate::designs::{check, layout, on_heap};

#[macro_use]
#[allow(dead_code, reason = "the others use the rest")]
mod designs;

on_each_design! {
    a_vec_grows_and_shrinks
    boxes_and_counted_boxes_are_freed_in_any_order
    a_btree_map_keeps_its_entries_while_it_grows_and_shrinks
    a_block_grows_from_nothing_and_is_zero
    a_full_heap_is_an_error
}

const KIB: usize = 1024;

fn a_vec_grows_and_shrinks<D: Over<Region>>() {
    on_heap::<D>(128 * KIB, |heap| {
        let mut numbers = Vec::new_in(heap);
        numbers.extend(0_u64..1000);
        numbers.truncate(10);
        numbers.shrink_to_fit();
        let mut queue = VecDeque::new_in(heap);
        for number in 0..1000_u64 {
            queue.push_back(number);
            if number % 3 == 0 {
                queue.pop_front();
            }
        }
        assert!(numbers.iter().copied().eq(0..10));
        assert!(queue.iter().copied().eq(334..1000));
    });
}

fn boxes_and_counted_boxes_are_freed_in_any_order<D: Over<Region>>() {
    on_heap::<D>(64 * KIB, |heap| {
        let mut boxes: Vec<_> = (0..100_u8).map(|byte| Box::new_in([byte; 40], heap)).collect();
        let counted = Rc::new_in([7_u8; 100], heap);
        let other = Rc::clone(&counted);
        for step in [7, 3, 2] {
            for index in (0..boxes.len()).rev().step_by(step) {
                let bytes = boxes.swap_remove(index);
                assert_eq!(*bytes, [bytes[0]; 40]);
            }
            check(heap);
        }
        drop(counted);
        assert_eq!(*other, [7; 100]);
    });
}

fn a_btree_map_keeps_its_entries_while_it_grows_and_shrinks<D: Over<Region>>() {
    on_heap::<D>(512 * KIB, |heap| {
        let mut squares = BTreeMap::new_in(heap);
        for n in 0..1000_u64 {
            squares.insert(n * 7 % 1000, Box::new_in(n, heap));
        }
        squares.retain(|key, _| key % 10 == 0);
        check(heap);
        assert_eq!(squares.len(), 100);
        assert!(squares.iter().all(|(key, n)| **n * 7 % 1000 == *key));
    });
}

fn a_block_grows_from_nothing_and_is_zero<D: Over<Region>>() {
    on_heap::<D>(4 * KIB, |heap| {
        let (nothing, some, aligned) = (layout(0, 8), layout(100, 8), layout(200, 64));
        let block = heap.allocate(nothing).expect("nothing always fits");
        // SAFETY: each call gets the block of the one before with the layout it has, and the old one is forgotten; the
        // bytes read are zeroed ones.
        unsafe {
            let block = heap.grow_zeroed(block.cast(), nothing, some).expect("room for 100");
            let block = heap.grow_zeroed(block.cast(), some, aligned).expect("room for 200");
            assert_eq!(block.cast::<[u8; 200]>().read(), [0; 200]);
            let block = heap.shrink(block.cast(), aligned, nothing).expect("shrinking to nothing");
            heap.deallocate(block.cast(), nothing);
        }
    });
}

fn a_full_heap_is_an_error<D: Over<Region>>() {
    on_heap::<D>(4 * KIB, |heap| {
        let mut numbers = Vec::new_in(heap);
        numbers.extend(0_u64..50);
        numbers.try_reserve(1000).expect_err("8,000 bytes do not fit in 4 KiB");
        assert!(Box::try_new_in([0_u8; 4000], heap).is_err());
        assert!(numbers.iter().copied().eq(0..50));
    });
}
