//! Chapter 1: an allocation by hand, and the same by `Vec`.

// ANCHOR: by_hand
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

/// Reserves 200 bytes, uses five of them, gives all of them back.
pub fn by_hand() -> [u8; 5] {
    let layout = Layout::new::<[u8; 200]>();
    // SAFETY: the layout's size is not zero.
    let block = unsafe { alloc(layout) };
    if block.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: bytes 16 to 20 lie inside the block, and are written before they are read.
    let hello = unsafe {
        block.add(16).copy_from_nonoverlapping(b"hello".as_ptr(), 5);
        block.add(16).cast::<[u8; 5]>().read()
    };
    // SAFETY: the block came from `alloc` with this layout, and nothing uses it from here on.
    unsafe { dealloc(block, layout) };
    hello
}
// ANCHOR_END: by_hand

// ANCHOR: by_vec
/// The same: reserve, use, release.
pub fn by_vec() -> [u8; 5] {
    let mut block = Vec::with_capacity(200);
    block.extend_from_slice(b"hello");
    [block[0], block[1], block[2], block[3], block[4]]
    // `block` is dropped here: its 200 bytes go back.
}
// ANCHOR_END: by_vec

#[cfg(test)]
mod tests {
    #[test]
    fn both_say_hello() {
        assert_eq!(super::by_hand(), *b"hello");
        assert_eq!(super::by_vec(), *b"hello");
    }
}
