//! Items: functions, structs, their methods, imports.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use syn::visit_mut::{self, VisitMut};

use super::fault::Twice;
use super::signature::Receiver;
use super::ty::library_at;
use super::{Body, Kind, Lower, Result};
use crate::typed::{Block, Function, FunctionId, Lifetime, Lifetimes, Signature};
use crate::types::{Derives, Field, Lib, Mutability, Struct, StructId, Type};

/// Modules of std that can be imported whole, and functions.
const IMPORTS: &[&str] = &[
    "std::mem",
    "std::mem::swap",
    "std::mem::replace",
    "std::mem::take",
    "std::mem::drop",
    "std::mem::forget",
    "std::mem::size_of",
    "std::mem::align_of",
    "std::mem::size_of_val",
    "std::mem::align_of_val",
    "std::rc",
    "std::cell",
    "std::collections",
    "std::fmt",
    "std::ops",
    "std::fmt::Debug",
    "std::fmt::Display",
];

impl Lower<'_> {
    /// Declares what the items among some statements are called, so that they can use each other.
    pub(super) fn declare(&mut self, stmts: &[syn::Stmt]) -> Result<()> {
        let items: Vec<_> = stmts
            .iter()
            .filter_map(|stmt| match stmt {
                syn::Stmt::Item(item) => Some(item),
                _ => None,
            })
            .collect();
        for item in &items {
            if let syn::Item::Use(import) = item {
                let prefix = String::new();
                self.import(&import.tree, &prefix)?;
            }
        }
        for item in &items {
            if let syn::Item::Struct(of) = item {
                self.declare_struct(of)?;
            }
        }
        for item in &items {
            if let syn::Item::Struct(of) = item {
                self.define_struct(of)?;
            }
        }
        for item in &items {
            match item {
                syn::Item::Fn(function) => {
                    let name = function.sig.ident.to_string();
                    if self.names.functions.contains_key(name.as_str()) {
                        return self.fault(Kind::Redefined { name }, &function.sig.ident);
                    }
                    let id = self.declare_function(&function.sig, &name, None)?;
                    self.names.functions.insert(name.into(), id);
                }
                syn::Item::Impl(implementation) => self.declare_impl(implementation)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Lowers what [`Self::declare`] declared.
    pub(super) fn item(&mut self, item: &syn::Item) -> Result<()> {
        match item {
            syn::Item::Fn(function) => {
                let id = self.names.functions[&Arc::from(function.sig.ident.to_string())];
                self.define_function(id, &function.sig, &function.block)
            }
            syn::Item::Impl(implementation) => {
                let id = self.impl_struct(implementation)?;
                for item in &implementation.items {
                    if let syn::ImplItem::Fn(function) = item {
                        let function = &self.with_self(function, id);
                        let name: Arc<str> = function.sig.ident.to_string().into();
                        let method = if implementation.trait_.is_some() {
                            self.items.structs.get(id).drop.expect("it was declared above")
                        } else {
                            self.names.methods[&(id, name)].0
                        };
                        self.define_function(method, &function.sig, &function.block)?;
                    }
                }
                Ok(())
            }
            syn::Item::Struct(_) | syn::Item::Use(_) => Ok(()),
            syn::Item::Enum(_) => self.unsupported(
                "An enum of one's own",
                "Option and Result can be used, and structs.",
                item,
            ),
            syn::Item::Trait(_) => self.unsupported(
                "A trait of one's own",
                "Methods can stand in impl Name { … }.",
                item,
            ),
            syn::Item::Mod(_) => self.unsupported(
                "A module of one's own",
                "Items can stand on lines of their own.",
                item,
            ),
            syn::Item::Macro(_) => {
                self.unsupported("A macro of one's own", "A function can do the work.", item)
            }
            syn::Item::Const(_) | syn::Item::Static(_) => {
                self.unsupported("A constant of one's own", "let does for the prompt.", item)
            }
            _ => self.unsupported("This item", "fn, struct, impl and use can be declared.", item),
        }
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &str) -> Result<()> {
        let join = |name: &str| {
            if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") }
        };
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &join(&path.ident.to_string())),
            syn::UseTree::Group(group) => {
                group.items.iter().try_for_each(|tree| self.import(tree, prefix))
            }
            syn::UseTree::Name(name) => {
                let ident = name.ident.to_string();
                let (path, short) = if ident == "self" {
                    let short = prefix.rsplit("::").next().unwrap_or_default().to_owned();
                    (prefix.to_owned(), short)
                } else {
                    (join(&ident), ident)
                };
                self.import_path(&path, short, tree)
            }
            syn::UseTree::Rename(rename) => {
                let path = join(&rename.ident.to_string());
                self.import_path(&path, rename.rename.to_string(), tree)
            }
            syn::UseTree::Glob(_) => self.unsupported(
                "An import of everything",
                "Name what is used: use std::rc::Rc;",
                tree,
            ),
        }
    }

    fn import_path(&mut self, path: &str, short: String, tree: &syn::UseTree) -> Result<()> {
        let path = path.replacen("core::", "std::", usize::from(path.starts_with("core::")));
        let is_known = library_at(&path).is_some() || IMPORTS.contains(&path.as_str());
        if is_known {
            if self.names.uses.contains_key(short.as_str()) {
                let place = Twice::Imports;
                return self.fault(Kind::DeclaredTwice { name: short, place }, tree);
            }
            self.names.uses.insert(short.into(), path.into());
            return Ok(());
        }
        let (module, name) = path.rsplit_once("::").unwrap_or(("", &path));
        let listed = MODULES_LISTED.iter().find(|(known, _)| *known == module);
        if listed.is_some_and(|(_, names)| !names.split(' ').any(|known| known == name)) {
            return self.fault(Kind::UnresolvedImport { path }, tree);
        }
        if OF_STD_MODULES
            .iter()
            .any(|known| path == *known || path.starts_with(&format!("{known}::")))
        {
            return self.unsupported(
                &path,
                "std::mem, Rc, Weak, Cell and RefCell can be imported.",
                tree,
            );
        }
        self.fault(Kind::UnresolvedImport { path }, tree)
    }

    fn declare_struct(&mut self, of: &syn::ItemStruct) -> Result<()> {
        let name = of.ident.to_string();
        if self.names.structs.contains_key(name.as_str()) {
            return self.fault(Kind::Redefined { name }, &of.ident);
        }
        if !of.generics.params.is_empty() {
            return self.unsupported(
                "A generic struct",
                "Name the types: struct S { x: u32 }.",
                &of.generics,
            );
        }
        let id = StructId(self.items.structs.0.len() as u32);
        let name: Arc<str> = name.into();
        self.items.structs.0.push_back(Arc::new(Struct {
            name: Arc::clone(&name),
            fields: Vec::new(),
            is_tuple: !matches!(of.fields, syn::Fields::Named(_)),
            is_repr_c: false,
            at: self.at(&of.ident),
            derives: Derives::default(),
            drop: None,
        }));
        self.names.structs.insert(name, id);
        Ok(())
    }

    fn define_struct(&mut self, of: &syn::ItemStruct) -> Result<()> {
        let name: Arc<str> = of.ident.to_string().into();
        let id = self.names.structs[&name];
        let mut new = Struct::clone(self.items.structs.get(id));
        for attribute in &of.attrs {
            self.attribute(attribute, &mut new)?;
        }
        for (index, field) in of.fields.iter().enumerate() {
            let field_name: Arc<str> = match &field.ident {
                Some(ident) => ident.to_string().into(),
                None => index.to_string().into(),
            };
            if new.fields.iter().any(|known| known.name == field_name) {
                let (name, place) = (field_name.to_string(), Twice::Fields);
                return self.fault(Kind::DeclaredTwice { name, place }, field);
            }
            let ty = self.sized_type(&field.ty)?;
            if ty.layers() > 0 || ty.any(&mut |ty| matches!(ty, Type::Heap(_))) {
                return self.unsupported(
                    "A reference in a struct",
                    "Let it own what it holds: String, Vec, Box, Rc.",
                    &field.ty,
                );
            }
            if new.derives.copy && !ty.is_copy(&self.items.structs) {
                let field = field_name.to_string();
                return self
                    .fault(Kind::BadCopy { name: name.to_string(), field }, &field_name_span(of));
            }
            new.fields.push(Field { name: field_name, ty });
        }
        self.items.structs.0[id.0 as usize] = Arc::new(new);
        if self.holds_itself(id, id, 0) {
            return self.fault(Kind::RecursiveStruct { name: name.to_string() }, &of.ident);
        }
        Ok(())
    }

    /// Whether a struct's size would depend on itself.
    fn holds_itself(&self, id: StructId, of: StructId, depth: usize) -> bool {
        const DEPTH: usize = 64;
        let fields = &self.items.structs.get(of).fields;
        depth > DEPTH || fields.iter().any(|field| self.inline_holds(id, &field.ty, depth))
    }

    fn inline_holds(&self, id: StructId, ty: &Type, depth: usize) -> bool {
        use crate::types::Lib;
        match ty {
            Type::Struct(of, _) => *of == id || self.holds_itself(id, *of, depth + 1),
            Type::Tuple(items) => items.iter().any(|item| self.inline_holds(id, item, depth)),
            Type::Array(inner, _) => self.inline_holds(id, inner, depth),
            Type::Lib(Lib::Option | Lib::Result | Lib::Cell | Lib::RefCell | Lib::Range, args) => {
                args.iter().any(|arg| self.inline_holds(id, arg, depth))
            }
            _ => false,
        }
    }

    fn attribute(&self, attribute: &syn::Attribute, of: &mut Struct) -> Result<()> {
        if attribute.path().is_ident("doc") || attribute.path().is_ident("allow") {
            return Ok(());
        }
        let mut names = Vec::new();
        let parsed = attribute.parse_nested_meta(|meta| {
            names.push(
                meta.path
                    .segments
                    .last()
                    .map(|segment| segment.ident.to_string())
                    .unwrap_or_default(),
            );
            Ok(())
        });
        if parsed.is_err() {
            return self.unsupported(
                "This attribute",
                "#[derive(…)] and #[repr(C)] can stand here.",
                attribute,
            );
        }
        for name in names {
            match (attribute.path().is_ident("derive"), name.as_str()) {
                (true, "Copy") => of.derives.copy = true,
                (true, "Clone") => of.derives.clone = true,
                (true, "Debug") => of.derives.debug = true,
                (true, "PartialEq") => of.derives.partial_eq = true,
                (true, "Default") => of.derives.default = true,
                (true, "Eq") => {}
                (false, "C") if attribute.path().is_ident("repr") => of.is_repr_c = true,
                _ => {
                    return self.unsupported(
                        &format!("{name} in this attribute"),
                        "Copy, Clone, Debug, PartialEq, Eq and Default can be derived; #[repr(C)] keeps the fields' order.",
                        attribute,
                    );
                }
            }
        }
        Ok(())
    }

    fn impl_struct(&self, implementation: &syn::ItemImpl) -> Result<StructId> {
        if !implementation.generics.params.is_empty() {
            return self.unsupported("A generic impl", "Name the types.", &implementation.generics);
        }
        if let syn::Type::Path(path) = &*implementation.self_ty
            && let Some(ident) = path.path.get_ident()
        {
            let name = ident.to_string();
            return match self.names.structs.get(name.as_str()) {
                Some(id) => Ok(*id),
                None => {
                    self.fault(Kind::UnknownType { name, nearest: None }, &implementation.self_ty)
                }
            };
        }
        self.unsupported(
            "An impl for this",
            "A struct of the program can have methods.",
            &implementation.self_ty,
        )
    }

    fn declare_impl(&mut self, implementation: &syn::ItemImpl) -> Result<()> {
        let id = self.impl_struct(implementation)?;
        let of = Arc::clone(self.items.structs.get(id));
        let is_drop = match &implementation.trait_ {
            None => false,
            Some((_, path, _)) if path.is_ident("Drop") => true,
            Some((_, path, _)) => {
                return self.unsupported(
                    "An impl of this trait",
                    "Drop can be implemented; Copy, Clone, Debug, PartialEq and Default can be derived.",
                    path,
                );
            }
        };
        for item in &implementation.items {
            let syn::ImplItem::Fn(function) = item else {
                return self.unsupported("This in an impl", "Functions can stand here.", item);
            };
            let function = &self.with_self(function, id);
            let name = function.sig.ident.to_string();
            let method =
                self.declare_function(&function.sig, &format!("{}::{name}", of.name), Some(id))?;
            if is_drop {
                let mut new = Struct::clone(self.items.structs.get(id));
                if new.derives.copy {
                    let name = of.name.to_string();
                    return self.fault(Kind::DropOfCopy { name, derived: of.at }, implementation);
                }
                if new.drop.is_some() {
                    return self.fault(
                        Kind::Redefined { name: format!("Drop for {}", of.name) },
                        implementation,
                    );
                }
                new.drop = Some(method);
                self.items.structs.0[id.0 as usize] = Arc::new(new);
            } else {
                let receiver = match function.sig.inputs.first() {
                    Some(syn::FnArg::Receiver(this)) => match (&this.reference, &this.mutability) {
                        (None, _) => Receiver::Value,
                        (Some(_), None) => Receiver::Ref(Mutability::Shared),
                        (Some(_), Some(_)) => Receiver::Ref(Mutability::Mut),
                    },
                    _ => Receiver::None,
                };
                let key = (id, Arc::from(name.as_str()));
                if let Some((earlier, _)) = self.names.methods.get(&key) {
                    let first = self.items.function(*earlier).at;
                    let kind = Kind::RedefinedMethod { name, first };
                    return self.fault(kind, &function.sig.ident);
                }
                self.names.methods.insert(key, (method, receiver));
            }
        }
        Ok(())
    }

    /// Gives a function its number and its signature; its body is empty until [`Self::define_function`].
    fn declare_function(
        &mut self,
        sig: &syn::Signature,
        name: &str,
        this: Option<StructId>,
    ) -> Result<FunctionId> {
        for param in &sig.generics.params {
            if !matches!(param, syn::GenericParam::Lifetime(_)) {
                return self.unsupported(
                    "A generic function",
                    "Name the types: fn f(x: u32).",
                    &sig.generics,
                );
            }
        }
        if let Some(word) = &sig.asyncness {
            return self.unsupported("async", "Calls here run to their end.", word);
        }
        if let Some(word) = &sig.unsafety {
            return self.unsupported("An unsafe function", "Nothing here needs one.", word);
        }
        let mut params = Vec::new();
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(arg) => {
                    let Some(id) = this else {
                        let kind =
                            Kind::Syntax { message: "self stands in methods alone".to_owned() };
                        return self.fault(kind, arg);
                    };
                    let ty = Type::Struct(id, Arc::clone(&self.items.structs.get(id).name));
                    let mutability =
                        if arg.mutability.is_some() { Mutability::Mut } else { Mutability::Shared };
                    if arg.colon_token.is_some() {
                        return self.unsupported(
                            "A self with a type",
                            "self, &self and &mut self can stand here.",
                            arg,
                        );
                    }
                    if arg.reference.is_some() {
                        params.push(Type::reference(mutability, ty));
                    } else {
                        params.push(ty);
                    }
                }
                syn::FnArg::Typed(arg) => {
                    params.push(self.sized_type(&arg.ty)?);
                }
            }
        }
        let result = match &sig.output {
            syn::ReturnType::Default => Type::unit(),
            syn::ReturnType::Type(_, ty) => self.sized_type(ty)?,
        };
        let lifetimes = Some(self.lifetimes(sig, &params)?);
        let id = FunctionId(self.items.functions.len() as u32);
        let at = self.at(&sig.ident);
        self.items.functions.push_back(Arc::new(Function {
            name: name.into(),
            locals: Vec::new(),
            signature: Signature { params, result, flows: Vec::new(), lifetimes },
            body: Block { stmts: Vec::new(), tail: None, end: at },
            at,
        }));
        Ok(id)
    }

    /// The lifetimes of a signature, those that are not written put in.
    fn lifetimes(&self, sig: &syn::Signature, types: &[Type]) -> Result<Lifetimes> {
        let declared: Vec<_> =
            sig.generics.lifetimes().map(|param| &param.lifetime.ident).collect();
        let find = |written: &syn::Lifetime| match declared
            .iter()
            .position(|name| **name == written.ident)
        {
            _ if written.ident == "static" => Ok(Lifetime::Static),
            Some(number) => Ok(Lifetime::Named(number as u8)),
            None => {
                let name = written.ident.to_string();
                self.fault(Kind::UnknownLifetime { name }, written)
            }
        };
        let mut elided = 0;
        let mut params = Vec::new();
        for input in &sig.inputs {
            let mut written = Vec::new();
            match input {
                syn::FnArg::Receiver(arg) => {
                    written.extend(arg.reference.as_ref().map(|(_, lifetime)| lifetime.as_ref()));
                }
                syn::FnArg::Typed(arg) => self.written_lifetimes(&arg.ty, &mut written)?,
            }
            let mut lifetimes = Vec::new();
            for written in written {
                if let Some(written) = written.filter(|written| written.ident != "_") {
                    lifetimes.push(find(written)?);
                } else {
                    lifetimes.push(Lifetime::Elided(elided));
                    elided += 1;
                }
            }
            params.push(lifetimes);
        }
        // A result's lifetime that is not written is that of `&self`, or the only one there is.
        let is_method = matches!(sig.inputs.first(), Some(syn::FnArg::Receiver(_)));
        let receiver = params.first().filter(|_| is_method).and_then(|of: &Vec<_>| of.first());
        let mut heaps = Vec::new();
        for ty in types {
            ty.any(&mut |ty| {
                heaps.extend(matches!(ty, Type::Heap(_)).then_some(Lifetime::Static));
                false
            });
        }
        let mut all = params.iter().flatten().chain(&heaps);
        let only = all.next().filter(|_| all.next().is_none());
        let source = receiver.or(only).copied();
        let mut result = Vec::new();
        if let syn::ReturnType::Type(_, ty) = &sig.output {
            let mut written = Vec::new();
            self.written_lifetimes(ty, &mut written)?;
            for written in written {
                result.push(match (written.filter(|written| written.ident != "_"), source) {
                    (Some(written), _) => find(written)?,
                    (None, Some(source)) => source,
                    (None, None) => return self.fault(Kind::MissingLifetime, &sig.output),
                });
            }
        }
        Ok(Lifetimes { params, result })
    }

    /// The lifetimes of a type's references, as far as they are written.
    fn written_lifetimes<'t>(
        &self,
        ty: &'t syn::Type,
        found: &mut Vec<Option<&'t syn::Lifetime>>,
    ) -> Result<()> {
        match ty {
            syn::Type::Reference(reference) => {
                found.push(reference.lifetime.as_ref());
                self.written_lifetimes(&reference.elem, found)?;
            }
            syn::Type::Tuple(tuple) => {
                for ty in &tuple.elems {
                    self.written_lifetimes(ty, found)?;
                }
            }
            syn::Type::Array(array) => self.written_lifetimes(&array.elem, found)?,
            syn::Type::Slice(slice) => self.written_lifetimes(&slice.elem, found)?,
            syn::Type::Paren(inner) => self.written_lifetimes(&inner.elem, found)?,
            syn::Type::Group(inner) => self.written_lifetimes(&inner.elem, found)?,
            syn::Type::Path(path) => {
                let args = path.path.segments.last().and_then(|last| match &last.arguments {
                    syn::PathArguments::AngleBracketed(args) => Some(&args.args),
                    _ => None,
                });
                let lib = self.library_type(&path.path);
                if matches!(lib, Some(Lib::RefGuard | Lib::RefMutGuard | Lib::Iter)) {
                    found.push(args.into_iter().flatten().find_map(|arg| match arg {
                        syn::GenericArgument::Lifetime(lifetime) => Some(lifetime),
                        _ => None,
                    }));
                }
                let is_collection = matches!(lib, Some(Lib::Vec | Lib::Box));
                for (index, arg) in args.into_iter().flatten().enumerate() {
                    let syn::GenericArgument::Type(ty) = arg else { continue };
                    if is_collection && index == 1 {
                        self.check_static(ty)?;
                    } else {
                        self.written_lifetimes(ty, found)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A heap lives to the end of the session, and a signature has to say so: no lifetime is kept of it.
    fn check_static(&self, allocator: &syn::Type) -> Result<()> {
        let syn::Type::Reference(syn::TypeReference { lifetime, elem, .. }) = allocator else {
            return Ok(());
        };
        let is_static = lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
        let is_heap = matches!(&**elem, syn::Type::Path(path)
            if path.path.get_ident().is_some_and(|name| self.heap_of_type(&name.to_string()).is_some()));
        if is_heap && !is_static {
            return self.unsupported(
                "A heap without 'static in a signature",
                "Write Vec<u8, &'static Bump>: it lives to the end of the session.",
                allocator,
            );
        }
        Ok(())
    }

    /// A function of an impl, with the struct's name for `Self`.
    fn with_self(&self, function: &syn::ImplItemFn, id: StructId) -> syn::ImplItemFn {
        let name = Arc::clone(&self.items.structs.get(id).name);
        let mut function = function.clone();
        SelfIs(&name).visit_impl_item_fn_mut(&mut function);
        function
    }

    fn define_function(
        &mut self,
        id: FunctionId,
        sig: &syn::Signature,
        block: &syn::Block,
    ) -> Result<()> {
        let declared = Arc::clone(self.items.function(id));
        let outer =
            self.body.scopes.iter().chain(self.body.outer.iter()).cloned().collect::<Vector<_>>();
        let body = Body {
            locals: Vector::new(),
            scopes: Vector::unit(OrdMap::new()),
            loops: Vec::new(),
            next_loop: 0,
            result: declared.signature.result.clone(),
            outer,
        };
        let saved = std::mem::replace(&mut self.body, body);
        let hoisted = std::mem::take(&mut self.hoisted);
        let lowered = self.function_body(&declared, sig, block);
        let body = std::mem::replace(&mut self.body, saved);
        self.hoisted = hoisted;
        let block = lowered?;
        let mut function = Function::clone(&declared);
        function.locals = body.locals.into_iter().collect();
        function.body = block;
        self.finish_function(&mut function)?;
        self.items.functions[id.0 as usize] = Arc::new(function);
        Ok(())
    }

    fn function_body(
        &mut self,
        declared: &Function,
        sig: &syn::Signature,
        block: &syn::Block,
    ) -> Result<Block> {
        for (input, ty) in sig.inputs.iter().zip(&declared.signature.params) {
            match input {
                syn::FnArg::Receiver(arg) => {
                    let is_mutable = arg.reference.is_none() && arg.mutability.is_some();
                    let at = self.at(arg);
                    self.declare_local("self", ty.clone(), is_mutable, at);
                }
                syn::FnArg::Typed(arg) => match &*arg.pat {
                    syn::Pat::Ident(name) => {
                        let at = self.at(&name.ident);
                        let text = name.ident.to_string();
                        if self.find_local(&text).is_some() {
                            let place = Twice::Parameters;
                            return self.fault(Kind::DeclaredTwice { name: text, place }, name);
                        }
                        self.declare_local(&text, ty.clone(), name.mutability.is_some(), at);
                    }
                    syn::Pat::Wild(pattern) => {
                        let at = self.at(pattern);
                        self.hidden_local("_".into(), ty.clone(), false, at);
                    }
                    pattern => {
                        return self.unsupported(
                            "This parameter",
                            "A name can stand here.",
                            pattern,
                        );
                    }
                },
            }
        }
        let result = declared.signature.result.clone();
        let (block, ty) = self.scoped(block, Some(&result))?;
        if block.tail.is_none() && ty != Type::Never {
            // `fn f() -> u32 { }`
            let at = match &sig.output {
                syn::ReturnType::Type(_, ty) => self.at(&**ty),
                syn::ReturnType::Default => declared.at,
            };
            self.names.infer.unify(&result, &ty).map_err(|_| self.mismatch(&result, &ty, at))?;
        }
        Ok(block)
    }
}

fn field_name_span(of: &syn::ItemStruct) -> syn::Ident {
    of.ident.clone()
}

/// Modules of std that are there, though nothing of them can be used here.
const OF_STD_MODULES: &[&str] = &[
    "std::alloc",
    "std::any",
    "std::array",
    "std::borrow",
    "std::boxed",
    "std::cell",
    "std::char",
    "std::cmp",
    "std::collections",
    "std::convert",
    "std::env",
    "std::error",
    "std::fmt",
    "std::fs",
    "std::hash",
    "std::io",
    "std::iter",
    "std::marker",
    "std::net",
    "std::num",
    "std::ops",
    "std::option",
    "std::path",
    "std::pin",
    "std::process",
    "std::ptr",
    "std::rc",
    "std::result",
    "std::slice",
    "std::str",
    "std::string",
    "std::sync",
    "std::thread",
    "std::time",
    "std::vec",
    "heapless",
];

/// Modules of which everything is listed: another name in them is a mistake, not our limit.
const MODULES_LISTED: &[(&str, &str)] = &[
    ("std::rc", "Rc Weak UniqueRc"),
    (
        "std::cell",
        "Cell RefCell Ref RefMut OnceCell LazyCell UnsafeCell SyncUnsafeCell BorrowError BorrowMutError",
    ),
    (
        "std::mem",
        "ManuallyDrop MaybeUninit Discriminant align_of align_of_val discriminant drop forget needs_drop replace \
         size_of size_of_val swap take transmute transmute_copy zeroed offset_of align_of_val_raw size_of_val_raw \
         variant_count uninitialized copy forget_unsized",
    ),
];

/// Puts a struct's name where an impl says `Self`.
struct SelfIs<'a>(&'a str);

impl VisitMut for SelfIs<'_> {
    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if segment.ident == "Self" {
            segment.ident = syn::Ident::new(self.0, segment.ident.span());
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }
}
