//! Items: functions, structs, their methods, imports.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use syn::visit_mut::{self, VisitMut};

use super::fault::Twice;
use super::lifetimes::This;
use super::object::receiver;
use super::ty::{HEAPLESS, library_at};
use super::{Body, Kind, Lower, Result};
use crate::references;
use crate::typed::{At, Block, Function, FunctionId, Lifetime, Signature};
use crate::types::{Derives, Field, Held, Mutability, Struct, StructId, TraitId, Type};

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
    "std::io",
    "std::io::Result",
    "std::mem::needs_drop",
    "std::rc",
    "std::sync",
    "std::borrow",
    "std::cell",
    "std::collections",
    "std::fmt",
    "std::num",
    "std::ops",
    "std::fmt::Debug",
    "std::fmt::Display",
    "heapless",
    "heapless::vec",
    "heapless::string",
    "heapless::deque",
    "heapless::box_pool",
    "heapless::pool",
    "heapless::pool::boxed",
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
            match item {
                syn::Item::Struct(of) => self.declare_struct(of)?,
                syn::Item::Trait(of) => self.declare_trait(of)?,
                _ => {}
            }
        }
        self.declare_pools(stmts)?;
        for item in &items {
            match item {
                syn::Item::Struct(of) => self.define_struct(of)?,
                syn::Item::Trait(of) => self.define_trait(of)?,
                _ => {}
            }
        }
        for item in &items {
            match item {
                syn::Item::Fn(function) => {
                    let name = function.sig.ident.to_string();
                    if self.names.has_own(&name, |of| &of.functions) {
                        return self.fault(Kind::Redefined { name }, &function.sig.ident);
                    }
                    let id = self.declare_function(&function.sig, &name, None)?;
                    self.names.items.functions.insert(name.into(), id);
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
                let id = self.names.items.functions[&Arc::from(function.sig.ident.to_string())];
                self.define_function(id, &function.sig, &function.block)
            }
            syn::Item::Impl(implementation) => {
                let this = self.implementor(implementation)?;
                for item in &implementation.items {
                    if let syn::ImplItem::Fn(function) = item {
                        let function = &this.put_into(function);
                        let method = self.declared_method(implementation, &this, function)?;
                        self.define_function(method, &function.sig, &function.block)?;
                    }
                }
                Ok(())
            }
            syn::Item::Struct(_) | syn::Item::Trait(_) | syn::Item::Use(_) => Ok(()),
            syn::Item::Enum(_) => self.unsupported(
                "An enum of one's own",
                "Option and Result can be used, and structs.",
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
        let is_known = library_at(&path).is_some()
            || IMPORTS.contains(&path.as_str())
            || self.names.given.has(&path);
        if is_known {
            // `as _`: the trait's methods are there, its name is not.
            if short == "_" {
                self.names.items.uses.insert(format!("_ {path}").into(), path.into());
                return Ok(());
            }
            if self.names.has_own(&short, |of| &of.uses) {
                let place = Twice::Imports;
                return self.fault(Kind::DeclaredTwice { name: short, place }, tree);
            }
            self.names.items.uses.insert(short.into(), path.into());
            return Ok(());
        }
        let (module, name) = path.rsplit_once("::").unwrap_or(("", &path));
        if module == "heapless" && HEAPLESS.split(' ').any(|known| known == name) {
            return self.not_of_heapless(name.to_owned(), tree);
        }
        if listed_in(module).is_some_and(|names| !names.split(' ').any(|known| known == name)) {
            return self.fault(Kind::UnresolvedImport { path }, tree);
        }
        if path.starts_with("heapless::pool::") {
            let instead = "heapless::box_pool and heapless::pool::boxed::BoxBlock can be imported.";
            return self.unsupported(&path, instead, tree);
        }
        if OF_STD_MODULES
            .iter()
            .any(|known| path == *known || path.starts_with(&format!("{known}::")))
        {
            return self.unsupported(
                &path,
                "std::mem, Rc, Arc, Weak, Cell, RefCell, Cow and io::Write can be imported.",
                tree,
            );
        }
        self.fault(Kind::UnresolvedImport { path }, tree)
    }

    fn declare_struct(&mut self, of: &syn::ItemStruct) -> Result<()> {
        self.check_new_type(&of.ident)?;
        if of.generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
            return self.unsupported(
                "A generic struct",
                "Name the types: struct S { x: u32 }.",
                &of.generics,
            );
        }
        let lifetimes = self.declared_lifetimes(&of.generics)?.len();
        let name = of.ident.to_string();
        let is_tuple = !matches!(of.fields, syn::Fields::Named(_));
        let id = self.new_struct(name, lifetimes, is_tuple, self.at(&of.ident));
        let mut new = Struct::clone(self.items.structs.get(id));
        new.is_public = matches!(of.vis, syn::Visibility::Public(_));
        self.items.structs.0[id.number as usize] = Arc::new(new);
        Ok(())
    }

    fn new_struct(&mut self, name: String, lifetimes: usize, is_tuple: bool, at: At) -> StructId {
        let number = self.items.structs.0.len() as u32;
        let id = StructId { number, lifetimes: lifetimes as u8 };
        let name: Arc<str> = name.into();
        self.items.structs.0.push_back(Arc::new(Struct {
            name: Arc::clone(&name),
            fields: Vec::new(),
            is_tuple,
            is_repr_c: false,
            lifetimes: vec![Held::default(); lifetimes],
            is_of_std: self.is_given,
            at,
            derives: Derives::default(),
            drop: None,
            is_public: true,
            pool: None,
        }));
        self.names.items.structs.insert(name, id);
        id
    }

    /// Whether a macro is `heapless::box_pool!`.
    pub(super) fn is_box_pool(&self, mac: &syn::Macro) -> bool {
        let names: Vec<_> =
            mac.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match names.as_slice() {
            [one] => {
                self.names.items.uses.get(one.as_str()).is_some_and(|path| **path == *BOX_POOL)
            }
            names => names.join("::") == BOX_POOL,
        }
    }

    /// `box_pool!(P: u32);` declares a struct `P` without fields, and the pool behind it. All are declared before the types
    /// that they hold are read, which may lead to them.
    fn declare_pools(&mut self, stmts: &[syn::Stmt]) -> Result<()> {
        let mut pools = Vec::new();
        for stmt in stmts {
            let syn::Stmt::Macro(mac) = stmt else { continue };
            if !self.is_box_pool(&mac.mac) {
                continue;
            }
            let pool: Pool = match mac.mac.parse_body() {
                Ok(pool) => pool,
                Err(error) => return Err(self.macro_syntax(&error)),
            };
            let name = pool.name.to_string();
            if self.names.has_own(&name, |of| &of.structs) {
                return self.fault(Kind::Redefined { name }, &pool.name);
            }
            let id = self.new_struct(name, 0, true, self.at(&pool.name));
            pools.push((id, pool.data));
        }
        for (id, written) in pools {
            let data = self.sized_type(&written)?;
            if data.layers() > 0 {
                let instead = "Let it own what it holds: String, Vec, Box, Rc.";
                return self.unsupported("A reference in a pool", instead, &written);
            }
            let mut private = None;
            data.any(&mut |ty| {
                if let Type::Struct(of, name) = ty
                    && !self.items.structs.get(*of).is_public
                {
                    private = Some(name.to_string());
                }
                false
            });
            if let Some(name) = private {
                return self.fault(Kind::PrivateType { name }, &written);
            }
            let mut new = Struct::clone(self.items.structs.get(id));
            new.pool = Some(data);
            self.items.structs.0[id.number as usize] = Arc::new(new);
        }
        Ok(())
    }

    fn define_struct(&mut self, of: &syn::ItemStruct) -> Result<()> {
        let name: Arc<str> = of.ident.to_string().into();
        let id = self.names.items.structs[&name];
        let declared = self.declared_lifetimes(&of.generics)?;
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
            let lifetimes = self.field_lifetimes(&declared, &field.ty)?;
            if ty.any(&mut |ty| matches!(ty, Type::Heap(_))) {
                return self.unsupported(
                    "A heap in a struct",
                    "Let it hold a Vec or Box of the heap in use.",
                    &field.ty,
                );
            }
            // With one lifetime for all, nothing is to be known of which outlives which.
            if ty.layers() > 1 && lifetimes.windows(2).any(|pair| pair[0] != pair[1]) {
                return self.unsupported(
                    "A reference to a reference of another lifetime in a struct",
                    "One lifetime for both does: &'a [&'a str].",
                    &field.ty,
                );
            }
            if new.derives.copy && !ty.is_copy(&self.items.structs) {
                let field = field_name.to_string();
                return self
                    .fault(Kind::BadCopy { name: name.to_string(), field }, &field_name_span(of));
            }
            new.fields.push(Field { name: field_name, ty, lifetimes });
        }
        for (number, name) in declared.iter().enumerate() {
            let lifetime = Lifetime::Named(number as u8);
            if !new.fields.iter().any(|field| field.lifetimes.contains(&lifetime)) {
                let name = name.to_string();
                return self.fault(Kind::UnusedLifetime { name }, &of.generics);
            }
        }
        self.items.structs.change(id, |of| *of = new);
        loop {
            let of = self.items.structs.get(id);
            let held = references::held(&self.items.structs, of);
            if held == of.lifetimes {
                break;
            }
            self.items.structs.change(id, |of| of.lifetimes = held);
        }
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
            Type::Lib(
                Lib::Option
                | Lib::Result
                | Lib::Cell
                | Lib::RefCell
                | Lib::Range
                | Lib::HeaplessVec
                | Lib::Deque,
                args,
            ) => args.iter().any(|arg| self.inline_holds(id, arg, depth)),
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

    /// Refuses a second type of one name.
    pub(super) fn check_new_type(&self, ident: &syn::Ident) -> Result<()> {
        let name = ident.to_string();
        let is_known = self.names.has_own(&name, |of| &of.structs)
            || self.names.has_own(&name, |of| &of.traits);
        if is_known { self.fault(Kind::Redefined { name }, ident) } else { Ok(()) }
    }

    /// The struct that an `impl` is for.
    fn implementor(&mut self, implementation: &syn::ItemImpl) -> Result<This> {
        let generics = &implementation.generics;
        if generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
            return self.unsupported("A generic impl", "Name the types.", generics);
        }
        let mut declared = self.declared_lifetimes(generics)?;
        let syn::Type::Path(syn::TypePath { qself: None, path }) = &*implementation.self_ty else {
            return self.unsupported(
                "An impl for this",
                "A struct of the program can have methods.",
                &implementation.self_ty,
            );
        };
        let name = path.segments.last().expect("a path has a segment").ident.to_string();
        if self.is_given && self.library_type(path).is_some() {
            let ty = self.ty(&implementation.self_ty)?;
            return Ok(This { ty, path: path.clone(), declared });
        }
        let Some(id) = self.struct_at(path).filter(|id| self.is_own(*id)) else {
            if self.struct_at(path).is_some()
                || self.library_type(path).is_some()
                || stack::Scalar::named(&name).is_some()
            {
                return self.unsupported(
                    "An impl for a type that is not the program's",
                    "A struct can hold one, and have the methods.",
                    path,
                );
            }
            return self.fault(Kind::UnknownType { name, nearest: None }, path);
        };
        let mut path = path.clone();
        let last = path.segments.last_mut().expect("a path has a segment");
        match &mut last.arguments {
            syn::PathArguments::AngleBracketed(args) => {
                if args.args.len() != usize::from(id.lifetimes) {
                    let (takes, given) = (id.lifetimes.into(), args.args.len());
                    return self.fault(Kind::MissingGenerics { ty: name, takes, given }, &path);
                }
                for arg in &mut args.args {
                    // A lifetime without a name is one for the whole `impl`, too.
                    if let syn::GenericArgument::Lifetime(lifetime) = arg
                        && lifetime.ident == "_"
                    {
                        let ident = quote_ident(declared.len(), lifetime.ident.span());
                        lifetime.ident = ident.clone();
                        declared.push(ident);
                    }
                }
            }
            _ if id.lifetimes > 0 => return self.fault(Kind::ImplicitLifetime { name }, &path),
            _ => {}
        }
        let ty = Type::Struct(id, name.into());
        Ok(This { ty, path, declared })
    }

    /// Whether a struct is the program's own, or all code here is std's.
    fn is_own(&self, id: StructId) -> bool {
        self.is_given || !self.items.structs.get(id).is_of_std
    }

    /// The function that [`Self::declare_impl`] declared for a method.
    fn declared_method(
        &self,
        implementation: &syn::ItemImpl,
        this: &This,
        function: &syn::ImplItemFn,
    ) -> Result<FunctionId> {
        let name: Arc<str> = function.sig.ident.to_string().into();
        let of_trait = implementation.trait_.as_ref().filter(|_| !is_drop(implementation));
        if let Some((_, path, _)) = of_trait {
            let TraitId::Own(number) = self.trait_at(path)? else {
                unreachable!("no other is implemented")
            };
            let of = &self.items.traits[number as usize];
            let method = of.methods.iter().position(|method| method.name == name);
            return Ok(of.implementors[&this.ty][method.expect("it was compared above")]);
        }
        let Type::Struct(id, _) = &this.ty else {
            unreachable!("std's types have no more methods")
        };
        Ok(if is_drop(implementation) {
            self.items.structs.get(*id).drop.expect("it was declared above")
        } else {
            self.names.methods[&(*id, name)].0
        })
    }

    fn declare_impl(&mut self, implementation: &syn::ItemImpl) -> Result<()> {
        let of_trait = match &implementation.trait_ {
            None => None,
            Some(_) if is_drop(implementation) => None,
            Some((not, path, _)) => {
                let is_derived = path.get_ident().is_some_and(|name| {
                    ["Clone", "Copy", "Debug", "Default", "Eq", "PartialEq"]
                        .contains(&name.to_string().as_str())
                });
                if is_derived || not.is_some() {
                    return self.unsupported("An impl of this trait", "It can be derived.", path);
                }
                match self.trait_at(path)? {
                    TraitId::Own(number) => Some(number),
                    TraitId::Debug | TraitId::Display => {
                        return self.unsupported(
                            "An impl of this trait",
                            "Drop can be implemented, and traits of the program.",
                            path,
                        );
                    }
                }
            }
        };
        let this = self.implementor(implementation)?;
        let mut functions = Vec::new();
        for item in &implementation.items {
            let syn::ImplItem::Fn(function) = item else {
                return self.unsupported("This in an impl", "Functions can stand here.", item);
            };
            let function = &this.put_into(function);
            let name = function.sig.ident.to_string();
            let method =
                self.declare_function(&function.sig, &format!("{}::{name}", this.ty), Some(&this))?;
            let name: Arc<str> = name.into();
            let receiver = receiver(&function.sig);
            let Type::Struct(id, _) = this.ty else {
                functions.push((name, method, receiver));
                continue;
            };
            if is_drop(implementation) {
                let of = self.items.structs.get(id);
                if of.derives.copy {
                    let (name, derived) = (of.name.to_string(), of.at);
                    return self.fault(Kind::DropOfCopy { name, derived }, implementation);
                }
                if of.drop.is_some() {
                    return self.fault(
                        Kind::Redefined { name: format!("Drop for {}", of.name) },
                        implementation,
                    );
                }
                self.items.structs.change(id, |of| {
                    of.drop = Some(method);
                    of.lifetimes.iter_mut().for_each(|held| held.is_dropped = true);
                });
                continue;
            }
            if of_trait.is_some() {
                functions.push((name, method, receiver));
                continue;
            }
            let key = (id, name);
            if let Some((earlier, _)) = self.names.methods.get(&key) {
                let first = self.items.function(*earlier).at;
                let kind = Kind::RedefinedMethod { name: key.1.to_string(), first };
                return self.fault(kind, &function.sig.ident);
            }
            if self.has_of_trait(&this.ty, &key.1) {
                let what = format!("A second {} of {}", key.1, this.ty);
                return self.unsupported(&what, "Give it another name.", &function.sig.ident);
            }
            self.names.methods.insert(key, (method, receiver));
        }
        match of_trait {
            Some(number) => self.implement(number, implementation, &this, &functions),
            None => Ok(()),
        }
    }

    /// Gives a function its number and its signature; its body is empty until [`Self::define_function`].
    fn declare_function(
        &mut self,
        sig: &syn::Signature,
        name: &str,
        this: Option<&This>,
    ) -> Result<FunctionId> {
        let signature = self.signature(sig, this)?;
        let id = FunctionId(self.items.functions.len() as u32);
        let at = self.at(&sig.ident);
        self.items.functions.push_back(Arc::new(Function {
            name: name.into(),
            locals: Vec::new(),
            signature,
            body: Block { stmts: Vec::new(), tail: None, end: at },
            at,
        }));
        Ok(id)
    }

    /// What a function takes and gives.
    pub(super) fn signature(
        &mut self,
        sig: &syn::Signature,
        this: Option<&This>,
    ) -> Result<Signature> {
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
                    let Some(this) = this else {
                        let kind =
                            Kind::Syntax { message: "self stands in methods alone".to_owned() };
                        return self.fault(kind, arg);
                    };
                    let ty = this.ty.clone();
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
        let lifetimes = Some(self.lifetimes(sig, &params, this)?);
        Ok(Signature { params, result, flows: Vec::new(), lifetimes })
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

/// Declares a pool.
const BOX_POOL: &str = "heapless::box_pool";

/// What stands in `box_pool!`: `P: u32`.
struct Pool {
    name: syn::Ident,
    data: syn::Type,
}

impl syn::parse::Parse for Pool {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<syn::Token![:]>()?;
        Ok(Self { name, data: input.parse()? })
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
];

/// Modules of which everything is listed: another name in them is a mistake, not our limit.
const MODULES_LISTED: &[(&str, &str)] = &[
    ("std::rc", "Rc Weak UniqueRc"),
    ("std::borrow", "Cow Borrow BorrowMut ToOwned"),
    (
        "std::sync",
        "Arc Weak Mutex MutexGuard MappedMutexGuard RwLock RwLockReadGuard RwLockWriteGuard MappedRwLockReadGuard \
         MappedRwLockWriteGuard Condvar WaitTimeoutResult Barrier BarrierWaitResult Once OnceState OnceLock LazyLock \
         ReentrantLock ReentrantLockGuard Exclusive UniqueArc PoisonError TryLockError LockResult TryLockResult atomic mpsc \
         mpmc poison nonpoison ONCE_INIT",
    ),
    (
        "std::cell",
        "Cell RefCell Ref RefMut OnceCell LazyCell UnsafeCell SyncUnsafeCell BorrowError BorrowMutError",
    ),
    (
        "std::io",
        "BorrowedBuf BorrowedCursor BufRead BufReader BufWriter Bytes Chain Cursor Empty Error ErrorKind IntoInnerError \
         IoSlice IoSliceMut IsTerminal LineWriter Lines PipeReader PipeWriter Read Repeat Result Seek SeekFrom SimpleMessage \
         Sink Split Stderr StderrLock Stdin StdinLock Stdout StdoutLock Take Write const_error copy empty pipe prelude \
         read_to_string repeat sink stderr stdin stdout",
    ),
    (
        "std::mem",
        "ManuallyDrop MaybeUninit Discriminant align_of align_of_val discriminant drop forget needs_drop replace \
         size_of size_of_val swap take transmute transmute_copy zeroed offset_of align_of_val_raw size_of_val_raw \
         variant_count uninitialized copy forget_unsized",
    ),
];

/// Everything there is in a module, if that is listed.
pub(super) fn listed_in(module: &str) -> Option<&'static str> {
    MODULES_LISTED.iter().find(|(known, _)| *known == module).map(|(_, names)| *names)
}

/// Whether an impl is one of `Drop`.
fn is_drop(implementation: &syn::ItemImpl) -> bool {
    implementation.trait_.as_ref().is_some_and(|(_, path, _)| path.is_ident("Drop"))
}

/// A name for a lifetime that has none; no program can write it.
fn quote_ident(number: usize, span: proc_macro2::Span) -> syn::Ident {
    syn::Ident::new(&format!("_of_impl_{number}"), span)
}

impl This {
    /// A function of an impl, with the struct's path for `Self`.
    fn put_into(&self, function: &syn::ImplItemFn) -> syn::ImplItemFn {
        let mut function = function.clone();
        SelfIs(&self.path).visit_impl_item_fn_mut(&mut function);
        function
    }
}

struct SelfIs<'a>(&'a syn::Path);

impl VisitMut for SelfIs<'_> {
    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if segment.ident == "Self" {
            let span = segment.ident.span();
            *segment = self.0.segments.last().expect("a path has a segment").clone();
            segment.ident.set_span(span);
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }
}
