//! Bytes in copy-on-write pages.
//!
//! The prompt keeps many states of one machine: a checkpoint every so often, from which `undo` replays. A clone of
//! [`Pages`] copies one pointer per 256 KiB, and a page of 4 KiB is copied when one of its owners first writes to it:
//! what an operating system does for `fork`. A page nobody has written holds no memory at all.
//!
//! Words are little-endian, so the same bytes come out on every host.
#![forbid(unsafe_code)]

mod bits;
mod pages;

pub use bits::Bits;
pub use pages::{PAGE_BYTES, Pages};
