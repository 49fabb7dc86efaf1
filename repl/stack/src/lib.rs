//! A simulated call stack.
//!
//! Typed slots, frames, padding, and a stack pointer that grows down from [`START`]. Nothing here is the process's own
//! stack; the bytes live in [`memory::Pages`], so a clone of a [`Stack`] is cheap.
#![forbid(unsafe_code)]

mod machine;
mod types;
mod value;

pub use machine::{
    Byte, Called, Item, ItemKind, Overflow, Popped, Pushed, Returned, START, SlotId, Stack,
    Underflow,
};
pub use types::{Scalar, Type};
pub use value::{Run, Value};
