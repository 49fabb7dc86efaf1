//! Heaps by name: `&bump` where an allocator stands, `&Bump` in a type.

use super::fault::Why;
use super::{Kind, Lower, Result, ty};
use crate::library::Builtin;
use crate::typed::{Expr, ExprKind};
use crate::types::{Heap, Type};

/// What to write.
pub(super) const INSTEAD: &str = "It stands behind & in Vec::new_in(&bump), Vec::with_capacity_in(4, &bump) and Box::new_in(7, &bump).";

impl Lower<'_> {
    /// The heap that a program calls so, unless a variable has the name.
    pub(super) fn heap(&self, name: &str) -> Option<Heap> {
        let is_hidden =
            self.body.scopes.iter().chain(&self.body.outer).any(|scope| scope.contains_key(name));
        let mut heaps = self.names.heaps.iter().map(|heap| Heap(heap)).filter(|_| !is_hidden);
        heaps.find(|heap| heap.name() == name)
    }

    /// `&bump` as the allocator of a call; `None` for what is an expression like any other.
    pub(super) fn heap_argument(&self, arg: &syn::Expr, run: Builtin) -> Result<Option<Expr>> {
        let takes_heap =
            matches!(run, Builtin::VecNewIn | Builtin::VecWithCapacityIn | Builtin::BoxNewIn);
        let syn::Expr::Reference(reference) = arg else { return Ok(None) };
        let syn::Expr::Path(path) = &*reference.expr else { return Ok(None) };
        let (Some(name), None, true) = (path.path.get_ident(), reference.mutability, takes_heap)
        else {
            return Ok(None);
        };
        let name = name.to_string();
        if let Some(heap) = self.heap(&name) {
            let (kind, ty) = (ExprKind::Heap(heap), Type::Heap(heap));
            return Ok(Some(Expr { kind, ty, at: self.at(arg) }));
        }
        let is_known = self.find_local(&name).is_some()
            || self.body.outer.iter().any(|scope| scope.contains_key(name.as_str()))
            || self.names.items.structs.contains_key(name.as_str());
        if is_known {
            return Ok(None);
        }
        let heaps = self.names.heaps.iter().map(|heap| Heap(heap).name());
        let nearest = ty::nearest(&name, heaps.clone());
        let heaps = heaps.collect::<Vec<_>>().join(", ");
        self.fault(Kind::UnknownHeap { name, nearest, heaps }, path)
    }

    /// The heap whose type is called so, unless a struct is.
    pub(super) fn heap_of_type(&self, name: &str) -> Option<Heap> {
        let mut heaps = self.names.heaps.iter().map(|heap| Heap(heap));
        heaps
            .find(|heap| heap.ty() == name)
            .filter(|_| !self.names.items.structs.contains_key(name))
    }

    /// The heap in `&Bump`, if a type is written so.
    pub(super) fn heap_behind(&self, written: &syn::Type) -> Option<Heap> {
        match written {
            syn::Type::Reference(syn::TypeReference { mutability: None, elem, .. }) => {
                match &**elem {
                    syn::Type::Path(path) => self.heap_of_type(&path.path.get_ident()?.to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The second argument of `Vec<u8, &Bump>`.
    pub(super) fn allocator_type(&mut self, written: &syn::Type) -> Result<Type> {
        if let Some(heap) = self.heap_behind(written) {
            return Ok(Type::Heap(heap));
        }
        let ty = self.ty(written)?;
        self.bounds.push((ty.clone(), "Allocator", self.at(written), Why::Bound));
        Ok(ty)
    }
}
