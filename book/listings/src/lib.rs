//! The book's Rust: each chapter includes its listings from here by anchor, and `cargo test` runs them.

pub mod allocation;
pub mod stack;
