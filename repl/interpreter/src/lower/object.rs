//! Traits of the program, who has them, and `dyn`.

use std::sync::Arc;

use super::infer::Class;
use super::lifetimes::This;
use super::signature::Receiver;
use super::{Kind, Lower, Result};
use crate::items::{Method, Trait};
use crate::typed::{FunctionId, Lifetime, Signature};
use crate::types::{TraitId, Type};

/// Traits of std that nothing can be a `dyn` of: they speak of `Self` by value.
const NEVER_DYN: &[&str] =
    &["Clone", "Copy", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Sized"];

impl Lower<'_> {
    /// The trait that a path leads to.
    pub(super) fn trait_at(&self, path: &syn::Path) -> Result<TraitId> {
        let name = path.segments.last().expect("a path has a segment").ident.to_string();
        if let Some(ident) = path.get_ident()
            && let Some(number) = self.names.items.traits.get(ident.to_string().as_str())
        {
            return Ok(TraitId::Own(*number));
        }
        let whole = self.whole_path(path);
        if let Some(number) = self.names.given.traits.get(whole.as_str()) {
            return Ok(TraitId::Own(*number));
        }
        match whole.strip_prefix("std::fmt::").or(whole.strip_prefix("core::fmt::")) {
            Some("Debug") => return Ok(TraitId::Debug),
            Some("Display") => return Ok(TraitId::Display),
            _ => {}
        }
        if self.struct_at(path).is_some() || self.library_type(path).is_some() {
            return self.fault(Kind::NotATrait { name }, path);
        }
        if NEVER_DYN.contains(&name.as_str()) {
            return self.fault(Kind::NeverDyn { name }, path);
        }
        if path.segments.len() > 1 || OF_STD.contains(&name.as_str()) {
            return self.unsupported(
                &format!("The trait {name}"),
                "Debug and Display can be used, and traits of the program.",
                path,
            );
        }
        self.fault(Kind::UnknownTrait { name }, path)
    }

    /// Whether a path leads to a trait that there are methods of.
    pub(super) fn is_trait(&self, path: &syn::Path) -> bool {
        path.get_ident()
            .is_some_and(|ident| self.names.items.traits.contains_key(ident.to_string().as_str()))
            || self.names.given.traits.contains_key(self.whole_path(path).as_str())
    }

    /// The function of the method that a trait of std provides for a type that has it.
    pub(super) fn provided(&mut self, ty: &Type, name: &str) -> Option<FunctionId> {
        let given = &self.names.given.provided;
        let named = given.iter().filter(|((_, method), _)| **method == *name);
        let candidates: Vec<_> = named.map(|((of, _), id)| (*of, *id)).collect();
        for (number, function) in candidates {
            let of = Arc::clone(&self.items.traits[number as usize]);
            let is_dyn = matches!(ty, Type::Dyn(TraitId::Own(found), _) if *found == number);
            if is_dyn || self.is_in_scope(&of) && self.implementor_of(&of, ty).is_some() {
                return Some(function);
            }
        }
        None
    }

    /// `dyn Trait`.
    pub(super) fn object_type(&mut self, object: &syn::TypeTraitObject) -> Result<Type> {
        let mut traits = object.bounds.iter().filter_map(|bound| match bound {
            syn::TypeParamBound::Trait(of) => Some(of),
            _ => None,
        });
        let Some(first) = traits.next() else {
            return self.unsupported("A type without a trait", "dyn names one: dyn Shape.", object);
        };
        if traits.next().is_some() || first.lifetimes.is_some() {
            return self.unsupported(
                "A dyn of several traits",
                "dyn names one trait: dyn Shape.",
                object,
            );
        }
        let id = self.trait_at(&first.path)?;
        let name = match id {
            TraitId::Debug => "Debug".into(),
            TraitId::Display => "Display".into(),
            TraitId::Own(number) => Arc::clone(&self.items.traits[number as usize].name),
        };
        Ok(Type::Dyn(id, name))
    }

    pub(super) fn declare_trait(&mut self, of: &syn::ItemTrait) -> Result<()> {
        let name = of.ident.to_string();
        self.check_new_type(&of.ident)?;
        if !of.generics.params.is_empty() || of.generics.where_clause.is_some() {
            return self.unsupported("A generic trait", "Name the types.", &of.generics);
        }
        if !of.supertraits.is_empty() {
            return self.unsupported(
                "A trait that asks for another",
                "Its methods can say what is needed.",
                &of.supertraits,
            );
        }
        if let Some(word) = &of.unsafety {
            return self.unsupported("An unsafe trait", "Nothing here needs one.", word);
        }
        let number = self.items.traits.len() as u32;
        let name: Arc<str> = name.into();
        let at = self.at(&of.ident);
        self.items.traits.push_back(Arc::new(Trait {
            name: Arc::clone(&name),
            methods: Vec::new(),
            at,
            implementors: imbl::OrdMap::new(),
            path: None,
        }));
        self.names.items.traits.insert(name, number);
        Ok(())
    }

    /// Its methods, once all types are known.
    pub(super) fn define_trait(&mut self, of: &syn::ItemTrait) -> Result<()> {
        let name: Arc<str> = of.ident.to_string().into();
        let number = self.names.items.traits[&name];
        let this = This {
            ty: Type::Dyn(TraitId::Own(number), Arc::clone(&name)),
            path: of.ident.clone().into(),
            declared: Vec::new(),
        };
        let mut methods: Vec<Method> = Vec::new();
        for item in &of.items {
            let syn::TraitItem::Fn(function) = item else {
                return self.unsupported("This in a trait", "Methods can stand here.", item);
            };
            if function.default.is_some() {
                return self.unsupported(
                    "A method with a body in a trait",
                    "Each impl can have it.",
                    &function.sig.ident,
                );
            }
            let Receiver::Ref(receiver) = receiver(&function.sig) else {
                return self.unsupported(
                    "A function of a trait without &self or &mut self",
                    "A function outside of it can do the work.",
                    &function.sig,
                );
            };
            if let Some(lifetime) = function.sig.generics.lifetimes().next() {
                return self.unsupported(
                    "A lifetime that a trait's method declares",
                    "Leave it out: the result borrows from self then.",
                    lifetime,
                );
            }
            let inputs = function.sig.inputs.iter().skip(1);
            if inputs.clone().any(mentions_self) || result_mentions_self(&function.sig) {
                return self.unsupported(
                    "Self in a trait's method",
                    "dyn Trait, or a type of its own, can stand there.",
                    &function.sig,
                );
            }
            let name: Arc<str> = function.sig.ident.to_string().into();
            if methods.iter().any(|known| known.name == name) {
                let name = name.to_string();
                return self.fault(Kind::Redefined { name }, &function.sig.ident);
            }
            let signature = self.signature(&function.sig, Some(&this))?;
            let at = self.at(&function.sig.ident);
            methods.push(Method { name, receiver, signature, at });
        }
        Arc::make_mut(&mut self.items.traits[number as usize]).methods = methods;
        Ok(())
    }

    /// `impl Trait for Struct`: the functions are declared already.
    pub(super) fn implement(
        &mut self,
        number: u32,
        implementation: &syn::ItemImpl,
        this: &This,
        functions: &[(Arc<str>, FunctionId, Receiver)],
    ) -> Result<()> {
        let of = Arc::clone(&self.items.traits[number as usize]);
        let ty = this.ty.to_string();
        let path = &implementation.trait_.as_ref().expect("it is of a trait").1;
        let name = of.name.to_string();
        if of.implementors.contains_key(&this.ty) {
            return self.fault(Kind::ImplementedTwice { name, ty }, path);
        }
        let mut in_order = Vec::new();
        for (method_name, function, _) in functions {
            if !of.methods.iter().any(|method| method.name == *method_name) {
                let (method, at) = (method_name.to_string(), self.items.function(*function).at);
                return Err(super::Fault { kind: Kind::NotInTrait { method, name }, at });
            }
        }
        let mut missing = Vec::new();
        for method in &of.methods {
            let Some((_, function, receiver)) =
                functions.iter().find(|(found, ..)| *found == method.name)
            else {
                missing.push(method.name.to_string());
                continue;
            };
            self.check_method(&of, method, *function, *receiver, this)?;
            in_order.push(*function);
        }
        if !missing.is_empty() {
            return self.fault(Kind::NotAllOfTrait { name, missing }, path);
        }
        for (method, ..) in functions {
            let is_own = match &this.ty {
                Type::Struct(id, _) => self.names.methods.contains_key(&(*id, Arc::clone(method))),
                _ => false,
            };
            if is_own || is_of_all(method) || self.has_of_trait(&this.ty, method) {
                let what = format!("A second {method} of {ty}");
                return self.unsupported(&what, "Give it another name.", path);
            }
        }
        let of = Arc::make_mut(&mut self.items.traits[number as usize]);
        of.implementors.insert(this.ty.clone(), in_order.into());
        Ok(())
    }

    /// Whether a type has a method of that name from a trait.
    pub(super) fn has_of_trait(&self, ty: &Type, name: &str) -> bool {
        self.items.traits.iter().any(|of| {
            of.implementors.contains_key(ty) && of.methods.iter().any(|of| *of.name == *name)
        })
    }

    /// The function that a type has for a trait's method. A trait of std must be imported for that.
    pub(super) fn of_trait(&mut self, ty: &Type, name: &str) -> Option<(FunctionId, Receiver)> {
        for number in 0..self.items.traits.len() as u32 {
            let of = Arc::clone(&self.items.traits[number as usize]);
            let Some(method) = of.methods.iter().position(|of| *of.name == *name) else { continue };
            if self.is_in_scope(&of)
                && let Some(implementor) = self.implementor_of(&of, ty)
            {
                let receiver = Receiver::Ref(of.methods[method].receiver);
                return Some((of.implementors[&implementor][method], receiver));
            }
        }
        None
    }

    pub(super) fn is_in_scope(&self, of: &Trait) -> bool {
        match &of.path {
            None => true,
            Some(path) => self.is_given || self.names.items.uses.values().any(|used| used == path),
        }
    }

    /// The type with the trait that this one is, or can be: what a `Vec` holds may still be open.
    pub(super) fn implementor_of(&mut self, of: &Trait, ty: &Type) -> Option<Type> {
        let ty = self.names.infer.resolve(ty);
        if of.implementors.contains_key(&ty) {
            return Some(ty);
        }
        let is_open = ty.any(&mut |ty| matches!(ty, Type::Var(_)))
            && self.names.infer.class_of(&ty) != Some(Class::Any);
        let mut candidates = of.implementors.keys().filter(|_| is_open);
        let found =
            candidates.find(|candidate| self.names.infer.clone().unify(candidate, &ty).is_ok())?;
        let _ = self.names.infer.unify(found, &ty);
        Some(found.clone())
    }

    /// Whether a method is what the trait says.
    fn check_method(
        &self,
        of: &Trait,
        method: &Method,
        function: FunctionId,
        receiver: Receiver,
        this: &This,
    ) -> Result<()> {
        let function = self.items.function(function);
        let (wanted, found) = (&method.signature, &function.signature);
        let name = method.name.to_string();
        let fault = |kind| Err(super::Fault { kind, at: function.at });
        if receiver == Receiver::None {
            return fault(Kind::NoReceiver { method: name });
        }
        if wanted.params.len() != found.params.len() {
            let (takes, given) = (wanted.params.len() - 1, found.params.len() - 1);
            return fault(Kind::MethodCount { method: name, takes, given });
        }
        let mut sides = wanted.params[1..].iter().chain([&wanted.result]);
        let mut others = found.params[1..].iter().chain([&found.result]);
        let differ = sides.by_ref().zip(others.by_ref()).find(|(wanted, found)| wanted != found);
        if receiver != Receiver::Ref(method.receiver) {
            let wanted = Type::reference(method.receiver, this.ty.clone()).to_string();
            let found = found.params[0].to_string();
            return fault(Kind::MethodDiffers { method: name, expected: wanted, found });
        }
        if let Some((wanted, found)) = differ {
            let (expected, found) = (wanted.to_string(), found.to_string());
            return fault(Kind::MethodDiffers { method: name, expected, found });
        }
        let of_impl = this.declared.len() as u8;
        if outside(wanted, 0) != outside(found, of_impl) {
            let what = format!("Other lifetimes than {}::{name} has", of.name);
            let instead = "Write the method's references as the trait does.";
            return fault(Kind::Unsupported { what, instead });
        }
        Ok(())
    }
}

/// The lifetimes of a method by the order in which they first come, what `Self` holds left out. `None` if it names one of
/// the `impl`'s.
fn outside(signature: &Signature, of_impl: u8) -> Option<Vec<usize>> {
    let lifetimes = signature.lifetimes.as_ref().expect("a method has lifetimes");
    let receiver = &lifetimes.params[0][..1];
    let rest = lifetimes.params[1..].iter().flatten().chain(&lifetimes.result);
    let mut seen: Vec<Lifetime> = Vec::new();
    receiver
        .iter()
        .chain(rest)
        .map(|lifetime| match lifetime {
            Lifetime::Named(number) if *number < of_impl => None,
            Lifetime::Static => Some(usize::MAX),
            lifetime => {
                Some(seen.iter().position(|known| known == lifetime).unwrap_or_else(|| {
                    seen.push(*lifetime);
                    seen.len() - 1
                }))
            }
        })
        .collect()
}

/// How a function takes what it is called on.
pub(super) fn receiver(sig: &syn::Signature) -> Receiver {
    use crate::types::Mutability;
    match sig.inputs.first() {
        Some(syn::FnArg::Receiver(this)) => match (&this.reference, &this.mutability) {
            (None, _) => Receiver::Value,
            (Some(_), None) => Receiver::Ref(Mutability::Shared),
            (Some(_), Some(_)) => Receiver::Ref(Mutability::Mut),
        },
        _ => Receiver::None,
    }
}

/// Methods that every type with some trait of std has.
fn is_of_all(name: &str) -> bool {
    crate::library::names("*").any(|known| known == name)
}

fn mentions_self(input: &syn::FnArg) -> bool {
    match input {
        syn::FnArg::Receiver(_) => true,
        syn::FnArg::Typed(arg) => type_mentions_self(&arg.ty),
    }
}

fn result_mentions_self(sig: &syn::Signature) -> bool {
    match &sig.output {
        syn::ReturnType::Default => false,
        syn::ReturnType::Type(_, ty) => type_mentions_self(ty),
    }
}

fn type_mentions_self(ty: &syn::Type) -> bool {
    use syn::visit_mut::VisitMut;
    struct Find(bool);
    impl VisitMut for Find {
        fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
            self.0 |= segment.ident == "Self";
            syn::visit_mut::visit_path_segment_mut(self, segment);
        }
    }
    let mut find = Find(false);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

/// Traits of the prelude that are there, though they cannot be used here.
const OF_STD: &[&str] = &[
    "AsMut",
    "AsRef",
    "Drop",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Into",
    "IntoIterator",
    "Iterator",
    "Send",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "DoubleEndedIterator",
    "ExactSizeIterator",
];
