//! A subset of Rust at the prompt: parsed with syn, typed, judged by rustc's rules, run on a simulated stack and a real heap.
//!
//! One straight road, whose stages know nothing of each other's insides:
//!
//! 1. [`lower`]: text → the [`typed`] form. Names, types, methods; E0308, E0425, E0599 and their like.
//! 2. [`check`]: ownership and borrows over the whole log's body. E0382, E0499, E0502 and their like.
//! 3. [`run`]: the typed form on a [`Machine`]. Panics, limits.

#![forbid(unsafe_code)]

pub mod check;
mod deep;
pub mod items;
pub mod layout;
pub mod library;
pub mod lower;
pub mod machine;
pub mod picture;
pub mod program;
mod references;
pub mod run;
pub mod typed;
pub mod types;

pub use machine::{Bound, Machine, NewSlot, Note, Refused};
pub use program::{Fault, Program};
