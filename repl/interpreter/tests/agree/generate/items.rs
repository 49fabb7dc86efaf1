//! Structs, their methods, and functions.

use super::model::{Model, Via};
use super::types::{Struct, Ty};
use super::{Ex, Fun, Generator};
use crate::program::{Piece, Stmt};

impl Generator {
    /// What a program declares before it begins.
    pub(super) fn items(&mut self) -> Vec<Stmt> {
        let mut items = vec![
            Stmt::text("use std::rc::{Rc, Weak};"),
            Stmt::text("use std::sync::{self, Arc};"),
            Stmt::text("use std::borrow::Cow;"),
            Stmt::text("use std::cell::{Cell, RefCell};"),
        ];
        for _ in 0..self.dice.below(4) {
            let number = self.structs.len();
            items.extend(self.declare_struct(number));
        }
        for id in 0..self.structs.len() {
            for _ in 0..self.dice.below(3) {
                items.push(self.method(id));
            }
        }
        for _ in 0..self.dice.below(4) {
            items.push(self.function());
        }
        if self.dice.chance(25) {
            items.push(self.recursive());
        }
        items
    }

    fn declare_struct(&mut self, number: usize) -> Vec<Stmt> {
        let name = format!("S{number}");
        let is_tuple = self.dice.chance(30);
        let has_drop = self.dice.chance(45);
        let mut fields = Vec::new();
        for at in 0..=self.dice.below(3) {
            let depth = self.dice.below(3);
            let ty =
                if at == 0 && has_drop { Ty::Scalar("u32") } else { self.ty_without_heaps(depth) };
            let field = if is_tuple { at.to_string() } else { ["id", "b", "c"][at].to_owned() };
            fields.push((field, ty));
        }
        let all =
            |generator: &Self, name: &str| fields.iter().all(|(_, ty)| generator.has(ty, name));
        let mut derives = Vec::new();
        for (trait_name, percent) in
            [("Debug", 90), ("Clone", 60), ("PartialEq", 50), ("Default", 50)]
        {
            if all(self, trait_name) && self.dice.chance(percent) {
                derives.push(trait_name);
            }
        }
        if !has_drop && derives.contains(&"Clone") && all(self, "Copy") && self.dice.chance(60) {
            derives.push("Copy");
        }
        let mut head = String::new();
        if !derives.is_empty() {
            head = format!("#[derive({})] ", derives.join(", "));
        }
        if self.dice.chance(20) {
            head += "#[repr(C)] ";
        }
        let written = fields.iter().map(|(name, ty)| {
            let ty = self.written(ty);
            if is_tuple { ty } else { format!("{name}: {ty}") }
        });
        let written = written.collect::<Vec<_>>().join(", ");
        let text = if is_tuple {
            format!("{head}struct {name}({written});")
        } else {
            format!("{head}struct {name} {{ {written} }}")
        };
        let first = fields[0].0.clone();
        let mut items = vec![Stmt::text(text)];
        if has_drop {
            items.push(Stmt::text(format!(
                "impl Drop for {name} {{ fn drop(&mut self) {{ println!(\"drop {name} {{}}\", self.{first}); }} }}"
            )));
        }
        self.structs.push(Struct { name, fields, is_tuple, has_drop, derives });
        items
    }

    /// A body with a result, in a world of its own; `params` are declared in it.
    fn fun_body(&mut self, params: &[(String, Ty, bool)], result: &Ty, tail: Option<Ex>) -> Piece {
        let outside = std::mem::take(&mut self.model);
        let result_outside = self.result.replace(result.clone());
        self.model = Model::default();
        self.bodies.push(Vec::new());
        self.model.open();
        for (name, ty, is_mutable) in params {
            self.model.declare(name, ty.clone(), *is_mutable);
        }
        self.model.open();
        for _ in 0..self.dice.below(4) {
            self.statement(1);
        }
        let tail = match tail {
            Some(tail) => tail.text,
            None if *result == Ty::unit() => String::new(),
            None => self.expr(result, true, 1).text,
        };
        let body = self.bodies.pop().expect("the body was opened");
        self.result = result_outside;
        self.model = outside;
        Piece::Body(body, tail)
    }

    fn params(&mut self, count: usize) -> Vec<(String, Ty, bool)> {
        (0..count)
            .map(|_| {
                let ty = self.ty(1);
                let ty = match self.dice.below(6) {
                    0 | 1 => Ty::reference(ty),
                    2 => Ty::RefMut(Box::new(ty)),
                    _ => ty,
                };
                let is_mutable = !self.holds_references(&ty) && self.dice.chance(30);
                (self.fresh("p"), ty, is_mutable)
            })
            .collect()
    }

    fn written_params(&self, params: &[(String, Ty, bool)], lifetime: &str) -> String {
        let one = |(name, ty, is_mutable): &(String, Ty, bool)| {
            let ty = ty.written_in_signature(&self.structs);
            let ty = match ty.strip_prefix('&') {
                Some(of) if !lifetime.is_empty() => format!("&{lifetime} {of}"),
                _ => ty,
            };
            format!("{}{name}: {ty}", if *is_mutable { "mut " } else { "" })
        };
        params.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn function(&mut self) -> Stmt {
        let name = self.fresh("f");
        if self.dice.chance(30) {
            return self.choosing_function(name);
        }
        let count = self.dice.below(4);
        let params = self.params(count);
        let result = if self.dice.chance(25) { Ty::unit() } else { self.ty(1) };
        let body = self.fun_body(&params, &result, None);
        let written = self.written_params(&params, "");
        let arrow = if result == Ty::unit() {
            String::new()
        } else {
            format!(" -> {}", result.written_in_signature(&self.structs))
        };
        let types = params.into_iter().map(|(_, ty, _)| ty).collect();
        let head = format!("fn {name}({written}){arrow} ");
        self.funs.push(Fun { name, is_method: false, params: types, result });
        Stmt { pieces: vec![Piece::Text(head), body], is_scope: false }
    }

    /// A function whose result is a reference to what one of its parameters refers to.
    fn choosing_function(&mut self, name: String) -> Stmt {
        let of = self.ty_without_heaps(1);
        let is_mut = self.dice.chance(30);
        let from =
            if is_mut { Ty::RefMut(Box::new(of.clone())) } else { Ty::reference(of.clone()) };
        let first = self.fresh("p");
        // What can be named inside.
        let mut inside = Model::default();
        inside.open();
        inside.declare(&first, from.clone(), false);
        let wanted = if is_mut { Via::RefMut } else { Via::Ref };
        let places: Vec<_> = inside
            .places(&self.structs, false)
            .into_iter()
            .filter(|place| place.via == wanted && place.ty.is_sized())
            .filter(|place| !self.holds_references(&place.ty))
            .collect();
        let place = self.dice.pick(&places).clone();
        let sign = if is_mut { "&mut " } else { "&" };
        let result = if is_mut {
            Ty::RefMut(Box::new(place.ty.clone()))
        } else {
            Ty::reference(place.ty.clone())
        };
        let mut text = format!("{sign}{}", place.text);
        let mut params = vec![(first, from.clone(), false)];
        let mut lifetime = "";
        if !is_mut && self.dice.chance(60) {
            let second = self.fresh("p");
            let other = place.text.replacen(&params[0].0, &second, 1);
            text = format!(
                "if {} {{ {text} }} else {{ &{other} }}",
                self.dice.pick(&["true", "1 > 2"])
            );
            params.push((second, from, false));
            lifetime = "'a";
        }
        let result_text = self.written(&result);
        let result_text = match result_text.strip_prefix('&') {
            Some(of) if !lifetime.is_empty() => format!("&'a {of}"),
            _ => result_text,
        };
        let head = format!(
            "fn {name}{}({}) -> {result_text} ",
            if lifetime.is_empty() { "" } else { "<'a>" },
            self.written_params(&params, lifetime)
        );
        // Its statements stand before the tail, and do not touch what it leads to for writing.
        let body = self.fun_body(&[], &result, Some(Ex::owned(text)));
        let types = params.into_iter().map(|(_, ty, _)| ty).collect();
        self.funs.push(Fun { name, is_method: false, params: types, result });
        Stmt { pieces: vec![Piece::Text(head), body], is_scope: false }
    }

    fn method(&mut self, id: usize) -> Stmt {
        let owner = self.structs[id].name.clone();
        let this = Ty::Struct(id);
        let name = self.fresh("m");
        let (receiver, ty) = match self.dice.below(4) {
            0 => ("&self", Ty::reference(this.clone())),
            1 => ("&mut self", Ty::RefMut(Box::new(this.clone()))),
            2 => ("self", this.clone()),
            _ => ("", this.clone()),
        };
        let count = self.dice.below(3);
        let mut params = self.params(count);
        let mut written = self.written_params(&params, "");
        let mut result = if self.dice.chance(25) { Ty::unit() } else { self.ty(1) };
        if receiver.is_empty() {
            result = this;
        } else {
            let rest = if written.is_empty() { String::new() } else { format!(", {written}") };
            written = format!("{receiver}{rest}");
            params.insert(0, ("self".to_owned(), ty, false));
        }
        let body = self.fun_body(&params, &result, None);
        let arrow = if result == Ty::unit() {
            String::new()
        } else {
            format!(" -> {}", result.written_in_signature(&self.structs))
        };
        let head = format!("impl {owner} {{ fn {name}({written}){arrow} ");
        let is_method = !receiver.is_empty();
        let call = if is_method { name } else { format!("{owner}::{name}") };
        let types = params.into_iter().map(|(_, ty, _)| ty).collect();
        self.funs.push(Fun { name: call, is_method, params: types, result });
        Stmt {
            pieces: vec![Piece::Text(head), body, Piece::Text(" }".to_owned())],
            is_scope: false,
        }
    }

    /// A function that calls itself a few times.
    fn recursive(&mut self) -> Stmt {
        let name = self.fresh("f");
        let result = self.ty(1);
        let count = self.fresh("p");
        let params = [(count.clone(), Ty::Scalar("u8"), false)];
        let written = result.written_in_signature(&self.structs);
        let last = self.construct(&result, true, 0).text;
        let body = self.fun_body(&params, &result, Some(Ex::owned("")));
        let head = format!(
            "fn {name}({count}: u8) -> {written} {{ if {count} % 8 == 0 {{ return {last}; }} println!(\"{{}}\", {count}); "
        );
        let wrapper = Stmt {
            pieces: vec![Piece::Text(head), body, Piece::Text(format!(" {name}({count} - 1) }}"))],
            is_scope: false,
        };
        self.funs.push(Fun { name, is_method: false, params: vec![Ty::Scalar("u8")], result });
        wrapper
    }
}
