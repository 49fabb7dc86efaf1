use memory::Pages;

use crate::{Bump, Design, FirstFit, Heap};

/// What an allocator says of itself.
#[derive(Debug)]
pub struct Info {
    /// The name `use` takes, in kebab-case.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Bytes it keeps in front of each payload.
    pub header_bytes: u32,
    /// Whether it writes links into the blocks it is given back.
    pub links_in_holes: bool,
    /// The numbered invariants `check` verifies.
    pub invariants: &'static [&'static str],
    /// A fresh one over an arena of the prompt.
    pub build: fn(Pages) -> Box<dyn Heap>,
}

/// Every allocator there is, in the order they are taught.
pub static HEAPS: &[&Info] = &[&<Bump<Pages> as Design>::INFO, &<FirstFit<Pages> as Design>::INFO];

/// The row called `name`.
pub fn named(name: &str) -> Option<&'static Info> {
    HEAPS.iter().copied().find(|info| info.name == name)
}
