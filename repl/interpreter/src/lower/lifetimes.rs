//! Lifetimes: as they are written, and what they are where nothing is written.

use syn::GenericArgument;
use syn::visit_mut::VisitMut;

use super::fault::Twice;
use super::{Kind, Lower, Result};
use crate::typed::{Lifetime, Lifetimes};
use crate::types::Type;

/// What `Self` is in an `impl` or a `trait`.
pub(super) struct This {
    /// Its type.
    pub(super) ty: Type,
    /// As an `impl` writes it.
    pub(super) path: syn::Path,
    /// The lifetimes that the `impl` declares.
    pub(super) declared: Vec<syn::Ident>,
}

/// The lifetime of a reference in a type.
#[derive(Clone, Copy)]
enum Written<'t> {
    /// `'a`, `'static`.
    Named(&'t syn::Lifetime),
    /// Left out, or `'_`.
    Elided,
    /// Of a `dyn Trait` behind a reference that does not name it: that reference's.
    OfReference,
    /// Of any other `dyn Trait` that does not name it: `'static`.
    Static,
}

impl<'t> Written<'t> {
    fn of(lifetime: Option<&'t syn::Lifetime>) -> Self {
        match lifetime {
            Some(lifetime) if lifetime.ident != "_" => Self::Named(lifetime),
            _ => Self::Elided,
        }
    }
}

impl Lower<'_> {
    /// The lifetimes that `<'a, 'b>` declares.
    pub(super) fn declared_lifetimes(&self, generics: &syn::Generics) -> Result<Vec<syn::Ident>> {
        let mut declared: Vec<syn::Ident> = Vec::new();
        for param in generics.lifetimes() {
            if !param.bounds.is_empty() {
                return self.unsupported(
                    "A bound on a lifetime",
                    "One name for both lifetimes does it.",
                    param,
                );
            }
            let ident = &param.lifetime.ident;
            if declared.contains(ident) {
                let (name, place) = (format!("'{ident}"), Twice::Lifetimes);
                return self.fault(Kind::DeclaredTwice { name, place }, param);
            }
            declared.push(ident.clone());
        }
        match &generics.where_clause {
            Some(clause) => self.unsupported("A where clause", "Name the types.", clause),
            None => Ok(declared),
        }
    }

    fn named(&self, declared: &[syn::Ident], written: &syn::Lifetime) -> Result<Lifetime> {
        if written.ident == "static" {
            return Ok(Lifetime::Static);
        }
        let Some(number) = declared.iter().position(|name| *name == written.ident) else {
            let name = written.ident.to_string();
            return self.fault(Kind::UnknownLifetime { name }, written);
        };
        Ok(Lifetime::Named(number as u8))
    }

    /// The lifetimes of a signature, those that are not written put in.
    pub(super) fn lifetimes(
        &self,
        sig: &syn::Signature,
        types: &[Type],
        this: Option<&This>,
    ) -> Result<Lifetimes> {
        let mut declared = this.map(|this| this.declared.clone()).unwrap_or_default();
        for ident in self.declared_lifetimes(&sig.generics)? {
            if declared.contains(&ident) {
                let (name, place) = (format!("'{ident}"), Twice::LifetimeOfImpl);
                return self.fault(Kind::DeclaredTwice { name, place }, &sig.generics);
            }
            declared.push(ident);
        }
        let mut elided = 0;
        let mut fresh = || {
            elided += 1;
            Lifetime::Elided(elided - 1)
        };
        let mut params: Vec<Vec<Lifetime>> = Vec::new();
        // Those that a result without a lifetime may have.
        let mut sources = Vec::new();
        let mut of_receiver = None;
        for input in &sig.inputs {
            let mut written = Vec::new();
            let mut is_own_from = usize::MAX;
            match input {
                syn::FnArg::Receiver(arg) => {
                    if let Some((_, lifetime)) = &arg.reference {
                        written.push(Written::of(lifetime.as_ref()));
                    }
                    is_own_from = written.len();
                    if let Some(This { ty, path, .. }) = this {
                        match ty {
                            Type::Dyn(..) => written.push(Written::Elided),
                            _ => self.path_lifetimes(path, &mut written),
                        }
                    }
                }
                syn::FnArg::Typed(arg) => {
                    self.check_static(&arg.ty)?;
                    self.written_lifetimes(&arg.ty, &mut written);
                }
            }
            let mut lifetimes = Vec::new();
            for (index, written) in written.iter().enumerate() {
                let lifetime = match written {
                    Written::Named(written) => self.named(&declared, written)?,
                    Written::Elided => fresh(),
                    Written::OfReference => lifetimes[index - 1],
                    Written::Static => Lifetime::Static,
                };
                lifetimes.push(lifetime);
                // What `Self` holds, and a `dyn` that says nothing, are not asked.
                if index < is_own_from && matches!(written, Written::Named(_) | Written::Elided) {
                    sources.push(lifetime);
                }
            }
            if let syn::FnArg::Receiver(arg) = input
                && arg.reference.is_some()
            {
                of_receiver = lifetimes.first().copied();
            }
            params.push(lifetimes);
        }
        // A heap's lifetime, which stands in no list, is one, too.
        for ty in types {
            ty.any(&mut |ty| {
                sources.extend(matches!(ty, Type::Heap(_)).then_some(Lifetime::Static));
                false
            });
        }
        let only = sources.first().copied().filter(|_| sources.len() == 1);
        let source = of_receiver.or(only);
        let mut result = Vec::new();
        if let syn::ReturnType::Type(_, ty) = &sig.output {
            self.check_static(ty)?;
            let mut written = Vec::new();
            self.written_lifetimes(ty, &mut written);
            for (index, written) in written.iter().enumerate() {
                result.push(match (written, source) {
                    (Written::Named(written), _) => self.named(&declared, written)?,
                    (Written::Static, _) => Lifetime::Static,
                    (Written::OfReference, _) => result[index - 1],
                    (Written::Elided, Some(source)) => source,
                    (Written::Elided, None) => {
                        return self.fault(Kind::MissingLifetime, &sig.output);
                    }
                });
            }
        }
        Ok(Lifetimes { params, result })
    }

    /// The lifetimes of a struct's field: each must be named.
    pub(super) fn field_lifetimes(
        &self,
        declared: &[syn::Ident],
        ty: &syn::Type,
    ) -> Result<Vec<Lifetime>> {
        let mut written = Vec::new();
        self.written_lifetimes(ty, &mut written);
        let mut lifetimes: Vec<Lifetime> = Vec::new();
        for written in written {
            lifetimes.push(match written {
                Written::Named(written) => self.named(declared, written)?,
                Written::Static => Lifetime::Static,
                Written::OfReference => *lifetimes.last().expect("a reference is in front of it"),
                Written::Elided => return self.fault(Kind::MissingLifetime, ty),
            });
        }
        Ok(lifetimes)
    }

    /// The lifetimes of a type's references, from outside in.
    fn written_lifetimes<'t>(&self, ty: &'t syn::Type, found: &mut Vec<Written<'t>>) {
        match ty {
            syn::Type::Reference(reference) => {
                found.push(Written::of(reference.lifetime.as_ref()));
                match without_parens(&reference.elem) {
                    syn::Type::TraitObject(object) if bound(object).is_none() => {
                        found.push(Written::OfReference);
                    }
                    inner => self.written_lifetimes(inner, found),
                }
            }
            syn::Type::Tuple(tuple) => {
                tuple.elems.iter().for_each(|ty| self.written_lifetimes(ty, found));
            }
            syn::Type::Array(array) => self.written_lifetimes(&array.elem, found),
            syn::Type::Slice(slice) => self.written_lifetimes(&slice.elem, found),
            syn::Type::Paren(inner) => self.written_lifetimes(&inner.elem, found),
            syn::Type::Group(inner) => self.written_lifetimes(&inner.elem, found),
            syn::Type::TraitObject(object) => found.push(match bound(object) {
                Some(lifetime) => Written::of(Some(lifetime)),
                None => Written::Static,
            }),
            syn::Type::Path(path) => self.path_lifetimes(&path.path, found),
            _ => {}
        }
    }

    fn path_lifetimes<'t>(&self, path: &'t syn::Path, found: &mut Vec<Written<'t>>) {
        let args = path.segments.last().and_then(|last| match &last.arguments {
            syn::PathArguments::AngleBracketed(args) => Some(&args.args),
            _ => None,
        });
        let own = args.into_iter().flatten().filter_map(|arg| match arg {
            GenericArgument::Lifetime(lifetime) => Some(lifetime),
            _ => None,
        });
        let count = match self.library_type(path) {
            Some(lib) => usize::from(lib.is_reference()),
            None => self.struct_at(path).map_or(0, |id| usize::from(id.lifetimes)),
        };
        let own = own.map(|lifetime| Written::of(Some(lifetime)));
        found.extend(own.chain(std::iter::repeat(Written::Elided)).take(count));
        for arg in args.into_iter().flatten() {
            if let GenericArgument::Type(ty) = arg
                && self.heap_behind(ty).is_none()
            {
                self.written_lifetimes(ty, found);
            }
        }
    }

    /// Refuses a heap in a signature that does not say that it lives to the end of the session: no lifetime is kept of it.
    fn check_static(&self, ty: &syn::Type) -> Result<()> {
        struct Find<'a, 'b>(&'a Lower<'b>, Option<syn::TypeReference>);
        impl VisitMut for Find<'_, '_> {
            fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
                let is_static = matches!(&reference.lifetime, Some(of) if of.ident == "static");
                if !is_static && self.0.heap_behind(&reference.clone().into()).is_some() {
                    self.1.get_or_insert_with(|| reference.clone());
                }
                syn::visit_mut::visit_type_reference_mut(self, reference);
            }
        }
        let mut find = Find(self, None);
        find.visit_type_mut(&mut ty.clone());
        match find.1 {
            Some(reference) => self.unsupported(
                "A heap without 'static in a signature",
                "Write Vec<u8, &'static Bump>: it lives to the end of the session.",
                &reference,
            ),
            None => Ok(()),
        }
    }
}

fn without_parens(ty: &syn::Type) -> &syn::Type {
    match ty {
        syn::Type::Paren(inner) => without_parens(&inner.elem),
        syn::Type::Group(inner) => without_parens(&inner.elem),
        other => other,
    }
}

/// `'a` in `dyn Trait + 'a`.
fn bound(object: &syn::TypeTraitObject) -> Option<&syn::Lifetime> {
    object.bounds.iter().find_map(|bound| match bound {
        syn::TypeParamBound::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    })
}
