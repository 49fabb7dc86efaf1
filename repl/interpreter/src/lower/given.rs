//! What std has that is written in Rust here: traits with their implementors, and the types and functions beside them.
//!
//! The files in `given/` are read as a program's items are, by the first line that may speak of their module. A function
//! whose first parameter is a `&mut dyn Trait` is a method that the trait provides.

use std::sync::Arc;

use imbl::OrdMap;

use super::{Lower, Result};
use crate::items::Items;
use crate::typed::FunctionId;
use crate::types::{StructId, TraitId, Type};

/// A module.
struct Module {
    path: &'static str,
    /// A word without which no line speaks of it.
    word: &'static str,
    source: &'static str,
}

const MODULES: &[Module] =
    &[Module { path: "std::io", word: "io", source: include_str!("given/io.txt") }];

/// What has been read, by its path.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) structs: OrdMap<Arc<str>, StructId>,
    pub(super) traits: OrdMap<Arc<str>, u32>,
    pub(super) functions: OrdMap<Arc<str>, FunctionId>,
    /// Methods that traits provide, by the trait and the name.
    pub(super) provided: OrdMap<(u32, Arc<str>), FunctionId>,
    read: OrdMap<&'static str, ()>,
}

impl Names {
    /// Whether there is something at a path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.structs.contains_key(path)
            || self.traits.contains_key(path)
            || self.functions.contains_key(path)
    }
}

/// Reads the modules that a line may speak of.
pub(super) fn load_for(
    text: &str,
    names: &mut super::Names,
    items: &mut Items,
    line: u32,
) -> Result<()> {
    for module in MODULES {
        if text.contains(module.word) && !names.given.read.contains_key(module.path) {
            load(module, names, items, line)?;
        }
    }
    Ok(())
}

fn load(module: &Module, names: &mut super::Names, items: &mut Items, line: u32) -> Result<()> {
    let file: syn::File = syn::parse_str(module.source).expect("what is given is Rust");
    let stmts: Vec<_> = file.items.into_iter().map(syn::Stmt::Item).collect();
    // It sees nothing of the program.
    let mut own = super::Names { given: names.given.clone(), ..super::Names::default() };
    let mut lower = Lower::new(&mut own, items, line);
    lower.is_given = true;
    lower.declare(&stmts)?;
    for stmt in &stmts {
        lower.stmt(stmt, &mut Vec::new())?;
    }
    let at = |name: &Arc<str>| -> Arc<str> { format!("{}::{name}", module.path).into() };
    let mut given = own.given;
    given.structs.extend(own.items.structs.iter().map(|(name, id)| (at(name), *id)));
    for (name, number) in &own.items.traits {
        given.traits.insert(at(name), *number);
        Arc::make_mut(&mut items.traits[*number as usize]).path = Some(at(name));
    }
    for (name, id) in &own.items.functions {
        match items.function(*id).signature.params.first().and_then(Type::referent) {
            Some((_, Type::Dyn(TraitId::Own(number), _))) => {
                given.provided.insert((*number, Arc::clone(name)), *id);
            }
            _ => {
                given.functions.insert(at(name), *id);
            }
        }
    }
    given.read.insert(module.path, ());
    names.given = given;
    proc_macro2::extra::invalidate_current_thread_spans();
    Ok(())
}
