//! A small program with everything in it that asks for memory: what each `global_NAME.rs` runs on its own heap.

use std::collections::BTreeMap;
use std::thread;

/// Vecs that grow, strings, a map, and four threads that hand blocks to each other.
pub(crate) fn everything_that_allocates() {
    let numbers: Vec<u64> = (0..1000).collect();
    assert_eq!(numbers.iter().sum::<u64>(), 499_500);

    #[allow(clippy::disallowed_types)]
    let mut counts = std::collections::HashMap::new();
    let text = "the quick brown fox jumps over the lazy dog and the quick cat".repeat(20);
    for word in text.split(' ') {
        *counts.entry(word.to_string()).or_insert(0) += 1;
    }
    assert_eq!(counts["quick"], 40);

    let (sender, receiver) = std::sync::mpsc::channel::<String>();
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let sender = sender.clone();
            thread::spawn(move || {
                for i in 0..200 {
                    let mut line = String::new();
                    for _ in 0..=i % 17 {
                        line += &worker.to_string();
                        line += ":";
                    }
                    sender.send(line).unwrap();
                }
            })
        })
        .collect();
    drop(sender);
    let mut lengths = BTreeMap::new();
    for line in receiver {
        *lengths.entry(line.len()).or_insert(0) += 1;
    }
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(lengths.values().sum::<i32>(), 800);

    let layout = std::alloc::Layout::from_size_align(100, 4096).unwrap();
    // SAFETY: the layout has a size; the block is given back with the same layout.
    unsafe {
        let block = std::alloc::alloc_zeroed(layout);
        assert!(!block.is_null() && block.addr().is_multiple_of(4096));
        assert_eq!(block.add(99).read(), 0);
        std::alloc::dealloc(block, layout);
    }
}
