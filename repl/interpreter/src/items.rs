//! What a program has declared so far: its structs, its functions, and its string literals.

use std::sync::Arc;

use crate::machine::READ_ONLY_BASE;
use crate::typed::{At, Function, FunctionId, Signature};
use crate::types::{Mutability, Structs, TraitId, Type};

/// The items of a program. They only grow; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// Its structs.
    pub structs: Structs,
    /// Its functions.
    pub functions: imbl::Vector<Arc<Function>>,
    /// Its traits.
    pub traits: imbl::Vector<Arc<Trait>>,
    /// The bytes of its string literals, from [`READ_ONLY_BASE`] on.
    pub read_only: imbl::Vector<u8>,
}

/// A trait of the program. Its methods take `&self` or `&mut self`, so that it can stand behind `dyn`.
#[derive(Clone, Debug)]
pub struct Trait {
    /// Its name.
    pub name: Arc<str>,
    /// Its methods, in the order of the vtable.
    pub methods: Vec<Method>,
    /// Where its name stands.
    pub at: At,
    /// The types that have it, each with its functions in the order of the methods.
    pub implementors: imbl::OrdMap<Type, Arc<[FunctionId]>>,
    /// Of a trait of std: its path.
    pub path: Option<Arc<str>>,
}

/// A method of a trait.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its name.
    pub name: Arc<str>,
    /// How it takes what it is called on.
    pub receiver: Mutability,
    /// What it takes and gives; `Self` is the `dyn Trait`.
    pub signature: Signature,
    /// Where its name stands.
    pub at: At,
}

impl Items {
    /// What a trait's methods are called, in the order of the vtable.
    pub fn methods(&self, of: TraitId) -> Vec<Arc<str>> {
        match of {
            TraitId::Debug | TraitId::Display => vec!["fmt".into()],
            TraitId::Own(number) => {
                let of = &self.traits[number as usize];
                of.methods.iter().map(|method| Arc::clone(&method.name)).collect()
            }
        }
    }

    /// The function.
    pub fn function(&self, id: FunctionId) -> &Arc<Function> {
        &self.functions[id.0 as usize]
    }

    /// Lays the bytes of a literal down; their address.
    pub fn place_bytes(&mut self, bytes: &[u8]) -> u64 {
        let at = self.read_only.len();
        self.read_only.extend(bytes.iter().copied());
        READ_ONLY_BASE + at as u64
    }
}
