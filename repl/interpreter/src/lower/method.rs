//! Calls: of methods, of the library's functions, of the program's.

use std::sync::Arc;

use stack::Scalar;
use syn::punctuated::Punctuated;

use super::fault::Why;
use super::infer::Class;
use super::place::{Operand, read};
use super::signature::{self, Parsed, Receiver};
use super::{Fault, Kind, Lower, Result, traits, ty};
use crate::library::{Builtin, ROWS};
use crate::typed::{At, BorrowKind, Expr, ExprKind, FunctionId, Place, Signature, Step};
use crate::types::{Lib, Mutability, TraitId, Type};

type Args = Punctuated<syn::Expr, syn::Token![,]>;

/// What a method name was found to be.
enum Found {
    Function(FunctionId, Receiver),
    /// A trait of the program, and the method's place in it.
    Dyn(u32, u32),
    /// A method that a trait of std provides: it takes a `dyn` of it.
    Provided(FunctionId),
    Library(&'static Parsed, Vec<Type>),
}

impl Lower<'_> {
    /// `receiver.name(args)`.
    pub(super) fn method_call(&mut self, call: &syn::ExprMethodCall) -> Result<Expr> {
        let receiver = self.operand(&call.receiver, None)?;
        let at = self.at(call);
        let name = call.method.to_string();
        let name_at = self.at(&call.method);
        let first_ty = self.shallow(receiver.ty());
        let (first_name, receiver_at) = (self.type_name(&first_ty), receiver.at());
        if first_ty == Type::Never {
            let ty = Type::Never;
            return Ok(Expr { kind: receiver.into_value().kind, ty, at });
        }
        if name == "drop" && call.args.is_empty() && self.has_destructor(&first_ty) {
            return Err(Fault { kind: Kind::ExplicitDrop, at: name_at });
        }
        if let Some(call) = self.special_method(&name, &receiver, call, at)? {
            return Ok(call);
        }
        let mut place = receiver.into_place();
        let mut bound = None;
        loop {
            let ty = self.shallow(&place.ty);
            match self.names.infer.class_of(&ty) {
                Some(Class::Any) => {
                    let what = format!("what {name} is called on");
                    return Err(Fault { kind: Kind::NeedsType { what }, at: receiver_at });
                }
                Some(_) if number_has(&name) => {
                    return Err(Fault {
                        kind: Kind::AmbiguousNumber { method: name },
                        at: name_at,
                    });
                }
                _ => {}
            }
            if let Some(found) = self.find_method(&ty, &name, &mut bound) {
                if let Some(generics) = &call.turbofish {
                    self.method_generics(&found, generics, &name, at)?;
                }
                return self.call_method(found, place, receiver_at, &call.args, &name, at);
            }
            place = match self.deref(place, receiver_at) {
                Ok(place) => place,
                Err(place) => match self.unsized_array(place, receiver_at) {
                    Ok(place) => place,
                    Err(_) => break,
                },
            };
        }
        let instead = instead_of_heapless(&name, innermost(&first_ty))
            .or_else(|| is_of_std(&name).then_some("help rust lists what can be called here."));
        if let Some(instead) = instead
            && !matches!(first_ty, Type::Struct(..))
            && bound.is_none()
        {
            let what = format!("{first_name}::{name}");
            return Err(Fault { kind: Kind::Unsupported { what, instead }, at: name_at });
        }
        if first_ty.is_lib(Lib::HeaplessVec) && name == "clone" {
            let kind = Kind::PrivateMethod { method: name, ty: first_name };
            return Err(Fault { kind, at: name_at });
        }
        let nearest = ty::nearest(&name, self.method_names(&first_ty));
        let kind = Kind::NoMethod { method: name, ty: first_name, nearest, bound };
        Err(Fault { kind, at: name_at })
    }

    /// `receiver.name::<T>(args)`: the parameters that the receiver's type does not have.
    fn method_generics(
        &mut self,
        found: &Found,
        generics: &syn::AngleBracketedGenericArguments,
        name: &str,
        at: At,
    ) -> Result<()> {
        let own = match found {
            Found::Library(parsed, types) => parsed.own(types),
            Found::Function(..) | Found::Dyn(..) | Found::Provided(_) => &[],
        };
        let given = self.generic_types(generics)?;
        if given.len() != own.len() {
            let (ty, takes, given) = (name.to_owned(), own.len(), given.len());
            return Err(Fault { kind: Kind::MissingGenerics { ty, takes, given }, at });
        }
        given.iter().zip(own).try_for_each(|(given, own)| self.unify(given, own, at))
    }

    /// Whether a type has an `impl Drop` of the program's, as itself or behind references.
    fn has_destructor(&self, ty: &Type) -> bool {
        match self.shallow(ty) {
            Type::Struct(id, _) => self.items.structs.get(id).drop.is_some(),
            Type::Ref(_, to) => self.has_destructor(&to),
            _ => false,
        }
    }

    /// The method of that name that a type itself has.
    fn find_method(
        &mut self,
        ty: &Type,
        name: &str,
        bound: &mut Option<&'static str>,
    ) -> Option<Found> {
        if let Type::Struct(id, _) = ty
            && let Some((function, receiver)) = self.names.methods.get(&(*id, name.into()))
            && *receiver != Receiver::None
        {
            return Some(Found::Function(*function, *receiver));
        }
        if let Some((function, receiver)) = self.of_trait(ty, name) {
            return Some(Found::Function(function, receiver));
        }
        if let Some(function) = self.provided(ty, name) {
            return Some(Found::Provided(function));
        }
        if let Type::Dyn(TraitId::Own(number), _) = ty {
            let methods = &self.items.traits[*number as usize].methods;
            if let Some(method) = methods.iter().position(|method| *method.name == *name) {
                return Some(Found::Dyn(*number, method as u32));
            }
        }
        for parsed in signature::named(name) {
            if parsed.receiver == Receiver::None {
                continue;
            }
            if parsed.row.on == "*" {
                // A reference's own `clone` is there only where what it points to has none.
                let inner = ty.referent().map(|(_, inner)| inner.clone());
                let (param, bound_name) = parsed.bounds[0];
                debug_assert!(param == 0, "the one parameter is Self");
                let has =
                    |ty: &Type| traits::has(ty, bound_name, &self.names.infer, &self.items.structs);
                if inner.as_ref().is_some_and(has)
                    || matches!(ty, Type::Str | Type::Slice(_)) && name != "to_string"
                {
                    continue;
                }
                if has(ty) {
                    return Some(Found::Library(parsed, vec![ty.clone()]));
                }
                bound.get_or_insert(bound_name);
                continue;
            }
            let types: Vec<_> = (0..parsed.types).map(|_| self.fresh(Class::Any)).collect();
            let fits = match (signature::class(parsed.row.on), self.shallow(ty)) {
                (Some(class), Type::Scalar(scalar)) => class.has(scalar),
                (Some(_), _) => false,
                (None, ty) if parsed.row.on == "{pool}" => self.data_of(&ty).is_some(),
                (None, ty) => parsed.on.as_ref().is_some_and(|on| self.fits(on, &ty)),
            };
            if fits {
                let types = parsed.with_allocator(types, ty);
                let on = parsed.put(parsed.on.as_ref().unwrap_or(&Type::Param(0)), &types);
                if self.names.infer.unify(&on, ty).is_ok() {
                    if let (Some(data), "{pool}") = (self.data_of(ty), parsed.row.on) {
                        return Some(Found::Library(parsed, vec![ty.clone(), data]));
                    }
                    return Some(Found::Library(parsed, types));
                }
            }
        }
        None
    }

    /// What a type's blocks hold, if it is a pool.
    fn data_of(&self, ty: &Type) -> Option<Type> {
        match ty {
            Type::Struct(id, _) => self.items.structs.get(*id).pool.clone(),
            _ => None,
        }
    }

    /// Whether a type is of a row's form.
    fn fits(&self, pattern: &Type, ty: &Type) -> bool {
        match (pattern, &self.shallow(ty)) {
            (Type::Param(_), _) => true,
            (Type::Lib(a, x), Type::Lib(b, y)) => {
                a == b && x.iter().zip(y.iter()).all(|(x, y)| self.fits(x, y))
            }
            (Type::Slice(x), Type::Slice(y)) => self.fits(x, y),
            (Type::Ref(m, x), Type::Ref(n, y)) => m == n && self.fits(x, y),
            (Type::Str, Type::Str) => true,
            (Type::Scalar(x), Type::Scalar(y)) => x == y,
            _ => false,
        }
    }

    fn call_method(
        &mut self,
        found: Found,
        place: Place,
        receiver_at: At,
        args: &Args,
        name: &str,
        at: At,
    ) -> Result<Expr> {
        let receiver = match &found {
            Found::Function(_, receiver) => *receiver,
            Found::Dyn(of, method) => {
                let methods = &self.items.traits[*of as usize].methods;
                Receiver::Ref(methods[*method as usize].receiver)
            }
            Found::Provided(_) => Receiver::Ref(Mutability::Mut),
            Found::Library(parsed, _) => parsed.receiver,
        };
        let this = match receiver {
            Receiver::Value => read(place, receiver_at),
            Receiver::Ref(Mutability::Shared) => {
                self.borrow(place, BorrowKind::Shared, receiver_at)
            }
            Receiver::Ref(Mutability::Mut) => self.borrow(place, BorrowKind::TwoPhase, receiver_at),
            Receiver::None => unreachable!("a method has a receiver"),
        };
        match found {
            Found::Function(id, _) => self.call_function(id, Some(this), args, at),
            Found::Provided(id) => {
                let wanted = self.items.function(id).signature.params[0].clone();
                let this = self.coerce(this, &wanted)?;
                self.call_function(id, Some(this), args, at)
            }
            Found::Dyn(of, method) => {
                let found = &self.items.traits[of as usize].methods[method as usize];
                let (signature, name) = (found.signature.clone(), Arc::clone(&found.name));
                let args = self.arguments(&name, &signature, Some(this), args, at)?;
                let kind = ExprKind::CallDyn { of, method, args };
                Ok(Expr { kind, ty: signature.result, at })
            }
            Found::Library(parsed, types) => {
                self.call_library(parsed, types, Some(this), args, name, at)
            }
        }
    }

    /// A call of one of the program's functions.
    pub(super) fn call_function(
        &mut self,
        id: FunctionId,
        this: Option<Expr>,
        args: &Args,
        at: At,
    ) -> Result<Expr> {
        let function = Arc::clone(self.items.function(id));
        let args = self.arguments(&function.name, &function.signature, this, args, at)?;
        let ty = function.signature.result.clone();
        Ok(Expr { kind: ExprKind::Call(id, args), ty, at })
    }

    /// Arguments as a signature wants them.
    fn arguments(
        &mut self,
        name: &str,
        signature: &Signature,
        this: Option<Expr>,
        args: &Args,
        at: At,
    ) -> Result<Vec<Expr>> {
        let params = &signature.params[usize::from(this.is_some())..];
        self.check_count(name, params.len(), args.len(), at)?;
        let mut values: Vec<_> = this.into_iter().collect();
        for (arg, param) in args.iter().zip(params) {
            values.push(self.coerced(arg, param)?);
        }
        Ok(values)
    }

    pub(super) fn check_count(&self, name: &str, takes: usize, given: usize, at: At) -> Result<()> {
        if takes == given {
            return Ok(());
        }
        Err(Fault { kind: Kind::ArgumentCount { function: name.to_owned(), takes, given }, at })
    }

    /// A call of the library: the arguments that are not there yet are lowered and made to fit.
    pub(super) fn call_library(
        &mut self,
        parsed: &'static Parsed,
        types: Vec<Type>,
        this: Option<Expr>,
        args: &Args,
        name: &str,
        at: At,
    ) -> Result<Expr> {
        let params: Vec<_> = parsed.signature.params[usize::from(this.is_some())..]
            .iter()
            .map(|param| parsed.put(param, &types))
            .collect();
        self.check_count(name, params.len(), args.len(), at)?;
        if parsed.has_bytes()
            && let Type::Scalar(scalar) = self.shallow(&types[0])
        {
            let bytes = Type::Array(Arc::new(Type::U8), scalar.size_bytes().into());
            self.unify(&bytes, &types[1], at)?;
        }
        if parsed.bounds.iter().any(|(_, bound)| *bound == "Pattern") {
            args.iter().try_for_each(|arg| self.check_not_default(arg))?;
        }
        let mut values: Vec<_> = this.into_iter().collect();
        for (arg, param) in args.iter().zip(&params) {
            let value = match self.heap_argument(arg, parsed.row.run)? {
                Some(heap) => heap,
                None => self.expr(arg, Some(param))?,
            };
            self.check_pattern(parsed.row.run, &value)?;
            if parsed.row.run == Builtin::HeaplessStringTryFrom && value.ty.referent().is_none() {
                let instead = "push_str takes text: to_string() makes some of a number.";
                return self.unsupported("A string from what is no text", instead, arg);
            }
            values.push(self.coerce(value, param)?);
        }
        for param in &parsed.signature.params {
            if let Type::Param(number) = param {
                // A value can only be passed if its size is known.
                self.bounds.push((types[usize::from(*number)].clone(), "Sized", at, Why::Bound));
            }
        }
        if parsed.receiver == Receiver::None
            && let Some(Type::Lib(lib, _)) = &parsed.on
            && lib.is_heapless()
        {
            let on = parsed.on.as_ref().expect("it was just looked at");
            let made = parsed.put(on, &types);
            self.bounds.push((made, "capacity", at, Why::Bound));
        }
        for &(param, bound) in &parsed.bounds {
            self.bounds.push((types[usize::from(param)].clone(), bound, at, Why::Bound));
        }
        Ok(self.library_row(parsed, types, values, at))
    }

    /// What text is looked for is anything that is a `Pattern`: `&str` and `&String` are, and nothing is coerced.
    fn check_pattern(&self, run: Builtin, value: &Expr) -> Result<()> {
        if let Builtin::StrContains | Builtin::StrStartsWith | Builtin::StrEndsWith = run
            && let Some((_, to)) = self.shallow(&value.ty).referent()
            && let Type::Lib(lib, _) = self.shallow(to)
            && lib != Lib::String
        {
            let (ty, is_struct) = (self.type_name(&value.ty), false);
            let kind = Kind::MissingTrait { ty, is_struct, bound: "Pattern", why: Why::Bound };
            return Err(Fault { kind, at: value.at });
        }
        Ok(())
    }

    /// Refuses `Default::default()` as what a text is searched for: that may be of many types.
    fn check_not_default(&self, arg: &syn::Expr) -> Result<()> {
        if let syn::Expr::Call(call) = arg
            && let syn::Expr::Path(path) = &*call.func
            && self.whole_path(&path.path).ends_with("Default::default")
        {
            return self.fault(Kind::NeedsOperand { code: "E0283" }, arg);
        }
        Ok(())
    }

    /// Methods that one signature cannot say.
    fn special_method(
        &mut self,
        name: &str,
        receiver: &Operand,
        call: &syn::ExprMethodCall,
        at: At,
    ) -> Result<Option<Expr>> {
        let mut ty = self.shallow(receiver.ty());
        while let Type::Ref(_, to) = &ty {
            ty = self.shallow(to);
        }
        let Type::Lib(Lib::Vec, args) = &ty else { return Ok(None) };
        if name != "extend" || call.args.len() != 1 {
            return Ok(None);
        }
        let (element, items) = (args[0].clone(), &call.args[0]);
        let receiver = self.operand(&call.receiver, None)?;
        let mut place = receiver.into_place();
        while let Type::Ref(_, to) = self.shallow(&place.ty) {
            place = place.step(Step::Deref(Type::clone(&to)));
        }
        let this = self.borrow(place, BorrowKind::TwoPhase, self.at(&call.receiver));
        let items_at = self.at(items);
        let items = self.operand(items, None)?;
        let types = args.to_vec();
        let given = self.shallow(items.ty());
        let (run, other) = if let Type::Lib(Lib::Vec, _) = &given {
            if given.allocator() != ty.allocator() {
                return self.unsupported(
                    "To extend by a Vec of another heap",
                    "extend_from_slice copies: v.extend_from_slice(&w).",
                    call,
                );
            }
            let expected = Type::Lib(Lib::Vec, Arc::clone(args));
            self.unify(&expected, &given, items_at)?;
            let value = items.into_value();
            let temporary = Operand::Value(Expr { at: items_at, ..value }).into_place();
            (Builtin::VecAppend, self.borrow(temporary, BorrowKind::Mut, items_at))
        } else {
            let slice = Type::reference(Mutability::Shared, Type::Slice(Arc::new(element.clone())));
            self.bounds.push((element, "Copy", items_at, Why::Bound));
            let value = match &given {
                Type::Array(..) => self.borrow(items.into_place(), BorrowKind::Shared, items_at),
                _ => items.into_value(),
            };
            (Builtin::VecExtendFromSlice, self.coerce(value, &slice)?)
        };
        Ok(Some(self.library(run, types, vec![this, other], at)))
    }

    /// What can be called on a type, for "did you mean".
    fn method_names(&self, ty: &Type) -> impl Iterator<Item = String> {
        let mut names: Vec<String> = Vec::new();
        let mut ty = self.shallow(ty);
        while let Type::Ref(_, to) = &ty {
            ty = self.shallow(to);
        }
        for row in ROWS {
            let parsed = signature::of_row(row);
            let is_list =
                matches!(&ty, Type::Lib(Lib::Vec | Lib::HeaplessVec, _) | Type::Array(..));
            let on_slice = is_list && row.on == "[T]";
            let is_text = ty.is_lib(Lib::String) || ty.is_lib(Lib::HeaplessString);
            let on_str = is_text && row.on == "str";
            let fits = parsed.on.as_ref().is_some_and(|on| self.fits(on, &ty));
            if parsed.receiver != Receiver::None && (fits || on_slice || on_str) {
                names.push(parsed.name.to_owned());
            }
        }
        if let Type::Dyn(TraitId::Own(number), _) = &ty {
            let methods = &self.items.traits[*number as usize].methods;
            names.extend(methods.iter().map(|method| method.name.to_string()));
        }
        if let Type::Struct(id, _) = &ty {
            let own = self.names.methods.iter().filter(|((of, _), _)| of == id);
            names.extend(own.map(|((_, name), _)| name.to_string()));
        }
        names.into_iter()
    }

    /// `path(args)`.
    pub(super) fn call(&mut self, call: &syn::ExprCall, expect: Option<&Type>) -> Result<Expr> {
        let at = self.at(call);
        let syn::Expr::Path(path) = &*call.func else {
            let callee = self.expr(&call.func, None)?;
            let ty = self.type_name(&callee.ty);
            return self.fault(Kind::NotCallable { ty }, &call.func);
        };
        let segments: Vec<_> =
            path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [name] = segments.as_slice() {
            if let Some(local) = self.find_local(name) {
                let ty = self.type_name(&self.local_type(local));
                return self.fault(Kind::NotCallable { ty }, &call.func);
            }
            if let Some(&id) = self.names.items.functions.get(name.as_str()) {
                return self.call_function(id, None, &call.args, at);
            }
            if self.is_given && name == "print_bytes" {
                let parsed = signature::of(Builtin::PrintBytes);
                return self.call_library(parsed, Vec::new(), None, &call.args, name, at);
            }
            if let Some(constructed) = self.constructor(name, call, expect, at)? {
                return Ok(constructed);
            }
        }
        if let Some(&id) = self.names.given.functions.get(self.whole_path(&path.path).as_str()) {
            return self.call_function(id, None, &call.args, at);
        }
        if let Some(cow) = self.cow(&path.path, call, expect, at)? {
            return Ok(cow);
        }
        self.call_path(&path.path, &segments, call, expect, at)
    }

    /// `Some(x)`, `Ok(x)`, `Err(e)` and tuple structs.
    fn constructor(
        &mut self,
        name: &str,
        call: &syn::ExprCall,
        expect: Option<&Type>,
        at: At,
    ) -> Result<Option<Expr>> {
        let variant = match name {
            "Some" => Some((Lib::Option, 1, 1, 0)),
            "Ok" => Some((Lib::Result, 2, 0, 0)),
            "Err" => Some((Lib::Result, 2, 1, 1)),
            _ => None,
        };
        if let Some((lib, params, number, payload)) = variant {
            self.check_count(name, 1, call.args.len(), at)?;
            let given = match &*call.func {
                syn::Expr::Path(path) => self.turbofish(&path.path.segments[0])?,
                _ => Vec::new(),
            };
            let mut given = given.into_iter();
            let types: Vec<_> = (0..params)
                .map(|_| given.next().unwrap_or_else(|| self.fresh(Class::Any)))
                .collect();
            let ty = Type::lib(lib, types.clone());
            if let Some(expect) = expect {
                // A hint alone: what does not fit is told where it is used.
                let hint = self.shallow(expect);
                if hint.is_lib(lib) {
                    let _ = self.names.infer.unify(&ty, &hint);
                }
            }
            let value = self.coerced(&call.args[0], &types[payload])?;
            return Ok(Some(Expr {
                kind: ExprKind::Variant(number, Some(Box::new(value))),
                ty,
                at,
            }));
        }
        let Some(&id) = self.names.items.structs.get(name) else { return Ok(None) };
        let of = Arc::clone(self.items.structs.get(id));
        if !of.is_tuple {
            return self.fault(Kind::NotTupleStruct { name: name.to_owned() }, &call.func);
        }
        self.check_count(name, of.fields.len(), call.args.len(), at)?;
        let mut fields = Vec::new();
        for (index, (arg, field)) in call.args.iter().zip(&of.fields).enumerate() {
            fields.push((index as u32, self.coerced(arg, &field.ty)?));
        }
        let ty = Type::Struct(id, Arc::clone(&of.name));
        Ok(Some(Expr { kind: ExprKind::Aggregate(fields), ty, at }))
    }

    fn call_path(
        &mut self,
        path: &syn::Path,
        segments: &[String],
        call: &syn::ExprCall,
        expect: Option<&Type>,
        at: At,
    ) -> Result<Expr> {
        let name = segments.last().expect("a path has a segment").clone();
        let owner = &segments[..segments.len() - 1];
        let turbofish = self.turbofish(path.segments.last().expect("a path has a segment"))?;
        // A function of std::mem, by its whole path, an import, or the prelude.
        if let Some(run) = self.memory_function(segments) {
            let parsed = signature::of(run);
            let mut types: Vec<_> = (0..parsed.types).map(|_| self.fresh(Class::Any)).collect();
            if let Some(given) = turbofish.first() {
                types[0] = given.clone();
            }
            return self.call_library(parsed, types, None, &call.args, &name, at);
        }
        if owner.is_empty() {
            let known = self.names.items.functions.keys().map(ToString::to_string);
            let nearest = ty::nearest(&name, known);
            return self.fault(Kind::UnknownFunction { name, nearest }, &call.func);
        }
        let mut owner_path = path.clone();
        owner_path.segments.pop();
        if let Some(punct) = owner_path.segments.pop() {
            owner_path.segments.push(punct.into_value());
        }
        let owner_name = owner.join("::");
        if self.is_trait(&owner_path) {
            return self.unsupported(
                &format!("{owner_name}::{name}"),
                "A method is called on its value here: x.f().",
                path,
            );
        }
        if let [one] = owner
            && let Some(&id) = self.names.items.structs.get(one.as_str())
        {
            let method = self.names.methods.get(&(id, name.as_str().into())).copied();
            let ty = Type::Struct(id, Arc::clone(&self.items.structs.get(id).name));
            if let Some((function, _)) = method.or_else(|| self.of_trait(&ty, &name)) {
                return self.call_function(function, None, &call.args, at);
            }
            if self.items.structs.get(id).pool.is_some() && ["alloc", "manage"].contains(&&*name) {
                let what = format!("{owner_name}::{name}");
                return self.unsupported(&what, "A pool is called by its name: P.alloc(5).", path);
            }
            let of_all = signature::named(&name).find(|parsed| {
                let has = |bound| traits::has(&ty, bound, &self.names.infer, &self.items.structs);
                parsed.row.on == "*" && has(parsed.bounds[0].1)
            });
            if let Some(parsed) = of_all {
                return self.call_library(parsed, vec![ty], None, &call.args, &name, at);
            }
            return self.fault(Kind::NoAssociated { function: name, ty: owner_name }, path);
        }
        if let [krate, ty] = owner
            && krate == "heapless"
            && self.library_type(&owner_path).is_none()
            && ty::HEAPLESS.split(' ').any(|known| known == ty)
        {
            return self.not_of_heapless(ty.clone(), path);
        }
        if segments == ["Default", "default"] {
            let ty = expect.cloned().unwrap_or_else(|| self.fresh(Class::Any));
            let parsed = signature::of(Builtin::Default);
            return self.call_library(parsed, vec![ty], None, &call.args, &name, at);
        }
        let scalar = match owner {
            [one] => Scalar::named(one),
            _ => None,
        };
        let lib = self.library_type(&owner_path);
        let on_str = matches!(owner, [one] if one == "str");
        if scalar.is_none() && lib.is_none() && !on_str {
            if self.names.items.uses.contains_key(owner[0].as_str()) || owner[0] == "std" {
                let nearest = None;
                return self.fault(Kind::UnknownFunction { name, nearest }, path);
            }
            return self.fault(Kind::UndeclaredType { name: owner_name }, &owner_path);
        }
        let (owner_types, allocator) = match (lib, owner_path.segments.last()) {
            (Some(lib), Some(segment)) if lib.is_heapless() && !segment.arguments.is_none() => {
                (self.library_args(lib, segment, &owner_path)?, None)
            }
            _ => self.owner_types(&owner_path, lib)?,
        };
        let found = signature::named(&name).find(|parsed| match (&parsed.on, lib) {
            (Some(Type::Lib(of, _)), Some(lib)) => *of == lib,
            (Some(Type::Scalar(of)), None) => scalar == Some(*of),
            _ => match (signature::class(parsed.row.on), parsed.row.on) {
                (Some(class), _) => scalar.is_some_and(|scalar| class.has(scalar)),
                (None, "str") => on_str,
                (None, "*") => true,
                _ => false,
            },
        });
        let Some(parsed) = found else {
            let of_heapless = lib.and_then(|lib| instead_of_heapless(&name, &Type::lib(lib, [])));
            let instead = of_heapless
                .or_else(|| is_of_std(&name).then_some("help rust lists what can be called here."));
            if let Some(instead) = instead {
                let what = format!("{owner_name}::{name}");
                return self.fault(Kind::Unsupported { what, instead }, path);
            }
            let ty = match lib {
                Some(lib) => lib.row().name.to_owned(),
                None => owner_name,
            };
            return self.fault(Kind::NoAssociated { function: name, ty }, path);
        };
        let mut types: Vec<_> = (0..parsed.types).map(|_| self.fresh(Class::Any)).collect();
        if parsed.row.on == "*" {
            // `Rc::clone(&a)`: Self is the owner.
            let this = match (lib, scalar) {
                (Some(lib), _) => {
                    let mut given = owner_types.iter().cloned();
                    let params = lib.row().params.iter();
                    let mut args: Vec<_> = params
                        .map(|_| given.next().unwrap_or_else(|| self.fresh(Class::Any)))
                        .collect();
                    args.extend(allocator);
                    if let (true, Lib::Vec | Lib::Box, Some(first)) =
                        (owner_types.is_empty(), lib, call.args.first())
                    {
                        args.extend(self.collection(first)?.allocator().cloned());
                    }
                    Type::lib(lib, args)
                }
                (_, Some(scalar)) => Type::Scalar(scalar),
                _ => Type::Str,
            };
            let (_, bound) = parsed.bounds[0];
            if !traits::has(&this, bound, &self.names.infer, &self.items.structs) {
                let ty = self.type_name(&this);
                return self.fault(Kind::NoAssociated { function: name, ty }, path);
            }
            let ty = this.clone();
            return self.call_library(parsed, vec![ty], None, &call.args, &name, at);
        }
        if let (Some(scalar), Some(_)) = (scalar, signature::class(parsed.row.on)) {
            types[0] = Type::Scalar(scalar);
        }
        for (param, given) in types.iter().zip(owner_types.iter().chain(&allocator)) {
            let _ = self.names.infer.unify(param, given);
        }
        if parsed.signature.params.first().is_some_and(is_collection)
            && (owner_types.is_empty() || allocator.is_some())
            && let Some(first) = call.args.first()
        {
            let on = self.collection(first)?;
            types = parsed.with_allocator(types, &on);
        } else if let (Some(Type::Heap(_)), 1) = (&allocator, types.len()) {
            let ty = Type::lib(lib.expect("a type has an allocator"), types);
            let ty = format!("{}, {}>", self.type_name(&ty).trim_end_matches('>'), "&_");
            return self.fault(Kind::NoAssociated { function: name, ty }, path);
        }
        self.call_library(parsed, types, None, &call.args, &name, at)
    }

    /// What a function of a collection is called on, looked at before the rest: whether it has an allocator, its type alone
    /// says.
    fn collection(&mut self, first: &syn::Expr) -> Result<Type> {
        let mut on = self.operand(first, None)?.ty().clone();
        while let Type::Ref(_, to) = self.shallow(&on) {
            on = Type::clone(&to);
        }
        Ok(self.shallow(&on))
    }

    /// The types in `Vec::<T>::`, and the allocator behind them, if there is one.
    fn owner_types(
        &mut self,
        owner: &syn::Path,
        lib: Option<Lib>,
    ) -> Result<(Vec<Type>, Option<Type>)> {
        let Some(segment) = owner.segments.last() else { return Ok((Vec::new(), None)) };
        let mut segment = segment.clone();
        let mut allocator = None;
        if let syn::PathArguments::AngleBracketed(args) = &mut segment.arguments
            && matches!(lib, Some(Lib::Vec | Lib::Box))
            && args.args.len() == 2
            && let Some(syn::GenericArgument::Type(ty)) =
                args.args.pop().map(syn::punctuated::Pair::into_value)
        {
            allocator = Some(self.allocator_type(&ty)?);
        }
        Ok((self.turbofish(&segment)?, allocator))
    }

    /// The types in `name::<T, U>`.
    pub(super) fn turbofish(&mut self, segment: &syn::PathSegment) -> Result<Vec<Type>> {
        match &segment.arguments {
            syn::PathArguments::AngleBracketed(args) => self.generic_types(args),
            _ => Ok(Vec::new()),
        }
    }

    fn generic_types(&mut self, args: &syn::AngleBracketedGenericArguments) -> Result<Vec<Type>> {
        let mut types = Vec::new();
        for arg in &args.args {
            if let syn::GenericArgument::Type(ty) = arg {
                types.push(self.ty(ty)?);
            }
        }
        Ok(types)
    }

    /// The function of `std::mem` that a path leads to.
    fn memory_function(&self, segments: &[String]) -> Option<Builtin> {
        const PRELUDE: &[&str] = &["drop", "size_of", "align_of", "size_of_val", "align_of_val"];
        let (name, owner) = segments.split_last()?;
        let is_there = match owner {
            [] => {
                PRELUDE.contains(&name.as_str())
                    || self
                        .names
                        .items
                        .uses
                        .get(name.as_str())
                        .is_some_and(|path| **path == *format!("std::mem::{name}"))
            }
            [one] => {
                one == "mem"
                    && self.names.items.uses.get("mem").is_some_and(|path| **path == *"std::mem")
            }
            [root, module] => matches!(root.as_str(), "std" | "core") && module == "mem",
            _ => false,
        };
        let mut rows = signature::named(name).filter(|parsed| parsed.row.on == "std::mem");
        rows.next().filter(|_| is_there).map(|parsed| parsed.row.run)
    }
}

/// Whether a parameter is a `Vec` or a `Box`, or leads to one.
fn is_collection(ty: &Type) -> bool {
    match ty {
        Type::Ref(_, to) => is_collection(to),
        ty => matches!(ty, Type::Lib(Lib::Vec | Lib::Box, _)),
    }
}

/// Whether numbers have a method of that name.
fn number_has(name: &str) -> bool {
    signature::named(name).any(|parsed| {
        let is_number =
            matches!(parsed.on, Some(Type::Scalar(of)) if of.is_integer() || of.is_float());
        is_number || signature::class(parsed.row.on).is_some()
    })
}

/// Names of std's methods and functions that are not part of what runs here: what they are called on may well have them.
static OF_STD: &str = include_str!("of_std.txt");

/// The same of heapless's collections, and what to write instead.
const OF_HEAPLESS: &[(&str, &str)] = &[
    ("iter iter_mut into_iter", "for x in &d walks through it, for x in &mut d changes it."),
    ("extend", "extend_from_slice says whether there was room."),
    ("from_array from into_array from_iter", "from_slice, push and as_slice go the same way."),
    (
        "cast_len_type drain as_view as_mut_view as_ptr as_mut_ptr pop_unchecked push_unchecked swap_remove_unchecked \
         set_len retain retain_mut spare_capacity_mut resize_default storage_len storage_capacity as_mut_slices \
         make_contiguous push_back_unchecked push_front_unchecked pop_back_unchecked pop_front_unchecked pop_front_if \
         pop_back_if get_unchecked get_unchecked_mut swap_unchecked from_utf8 from_utf8_unchecked from_utf16 as_mut_str \
         as_mut_vec from_str default try_from hash eq ne cmp partial_cmp try_into into write_str write_char write_fmt \
         borrow borrow_mut as_ref as_mut deref deref_mut",
        "help rust lists what can be called here.",
    ),
];

/// What to write instead of a function of heapless's that does not run here.
fn instead_of_heapless(name: &str, on: &Type) -> Option<&'static str> {
    let Type::Lib(lib, _) = on else { return None };
    let mut rows = OF_HEAPLESS.iter().filter(|_| lib.is_heapless());
    rows.find(|(names, _)| names.split_ascii_whitespace().any(|known| known == name))
        .map(|(_, instead)| *instead)
}

/// What references lead to.
fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::Ref(_, to) => innermost(to),
        ty => ty,
    }
}

/// Whether std has something of that name that we do not.
pub(super) fn is_of_std(name: &str) -> bool {
    OF_STD.split_ascii_whitespace().any(|known| known == name)
}
