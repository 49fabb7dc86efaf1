//! What a program has declared so far: its structs, its functions, and its string literals.

use std::sync::Arc;

use crate::machine::READ_ONLY_BASE;
use crate::typed::{Function, FunctionId};
use crate::types::Structs;

/// The items of a program. They only grow; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// Its structs.
    pub structs: Structs,
    /// Its functions.
    pub functions: imbl::Vector<Arc<Function>>,
    /// The bytes of its string literals, from [`READ_ONLY_BASE`] on.
    pub read_only: imbl::Vector<u8>,
}

impl Items {
    /// The function.
    pub fn function(&self, id: FunctionId) -> &Arc<Function> {
        &self.functions[id.0 as usize]
    }

    /// Lays a string literal down; its address.
    pub fn place_text(&mut self, text: &str) -> u64 {
        let at = self.read_only.len();
        self.read_only.extend(text.bytes());
        READ_ONLY_BASE + at as u64
    }
}
