//! Expressions of a wanted type.

use super::model::{Access, Place, Via};
use super::rows::{Callable, Receiver};
use super::types::{Params, Ty};
use super::{Ex, Generator};
use crate::program::{Stmt, in_braces};

impl Generator {
    /// An expression of the type. `is_known` says that its surroundings fix the type of a literal in it.
    pub(super) fn expr(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> Ex {
        for _ in 0..4 {
            let kind = if fuel == 0 { self.dice.below(50) } else { self.dice.below(100) };
            let found = match kind {
                0..35 => self.read(ty),
                35..50 => break,
                50..70 => self.row(ty, is_known, fuel - 1),
                70..78 => self.call(ty, fuel - 1),
                78..94 => self.operator(ty, is_known, fuel - 1),
                _ => self.nested(ty, is_known, fuel - 1),
            };
            if let Some(found) = found {
                return found;
            }
        }
        self.construct(ty, is_known, fuel.saturating_sub(1))
    }

    /// Expressions evaluated one after the other: what an earlier one borrows stays borrowed.
    pub(super) fn exprs(&mut self, types: &[(Ty, bool)], fuel: usize) -> Vec<Ex> {
        let held = self.model.temporaries.len();
        let exprs = types
            .iter()
            .map(|(ty, is_known)| {
                let ex = self.expr(ty, *is_known, fuel);
                self.model.temporaries.extend(ex.loans.iter().cloned());
                ex
            })
            .collect();
        self.model.temporaries.truncate(held);
        exprs
    }

    /// The value of a variable or of a part of one: copied, moved, cloned or taken.
    fn read(&mut self, ty: &Ty) -> Option<Ex> {
        let of_type = |_: &Self, place: &Place| place.ty == *ty;
        if self.has(ty, "Copy") {
            let place = self.place(Access::Read, of_type)?;
            let loans = if self.holds_references(ty) {
                self.model.vars[place.root].loans.clone()
            } else {
                Vec::new()
            };
            return Some(Ex { text: place.text, loans });
        }
        let is_reckless = self.is_reckless();
        if self.dice.chance(65) {
            let place = self.place(Access::Write, |generator, place| {
                place.ty == *ty && (is_reckless || generator.model.can_move(place))
            })?;
            let loans = self.model.vars[place.root].loans.clone();
            self.model.mark_moved(&place);
            return Some(Ex { text: place.text, loans });
        }
        if self.has(ty, "Clone") {
            let place = self.place(Access::Read, of_type)?;
            let loans = self.model.vars[place.root].loans.clone();
            return Some(Ex { text: format!("{}.clone()", place.text), loans });
        }
        None
    }

    /// The value written out.
    pub(super) fn construct(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> Ex {
        match ty {
            Ty::Scalar(_) => Ex::owned(self.literal(ty, is_known)),
            Ty::Tuple(items) => {
                let types: Vec<_> = items.iter().map(|item| (item.clone(), is_known)).collect();
                let (mut text, loans) = self.list(&types, fuel);
                if items.len() == 1 {
                    text.push(',');
                }
                Ex { text: format!("({text})"), loans }
            }
            Ty::Array(of, len) => {
                if *len > 0 && self.has(of, "Copy") && self.dice.chance(40) {
                    let ex = self.expr(of, is_known, fuel);
                    return Ex { text: format!("[{}; {len}]", ex.text), loans: ex.loans };
                }
                if *len == 0 && !is_known {
                    let written = self.written(ty);
                    return Ex::owned(format!("{{ let e: {written} = []; e }}"));
                }
                let (text, loans) = self.list(&vec![((**of).clone(), is_known); *len], fuel);
                Ex { text: format!("[{text}]"), loans }
            }
            Ty::Struct(id) => Ex::owned(self.struct_literal(*id, fuel)),
            Ty::Ref(of) => self.shared(of, is_known),
            Ty::RefMut(of) => self.exclusive(of),
            Ty::Lib(name, args) => self.construct_library(name, args, is_known, fuel),
            Ty::Str | Ty::Slice(_) | Ty::Number(_) | Ty::Param(_) | Ty::Heap(_) => {
                unreachable!("no value has the type {ty:?}")
            }
        }
    }

    fn list(&mut self, types: &[(Ty, bool)], fuel: usize) -> (String, Vec<super::Loan>) {
        let exprs = self.exprs(types, fuel);
        let text = exprs.iter().map(|ex| ex.text.clone()).collect::<Vec<_>>().join(", ");
        (text, exprs.into_iter().flat_map(|ex| ex.loans).collect())
    }

    fn struct_literal(&mut self, id: usize, fuel: usize) -> String {
        let of = self.structs[id].clone();
        if of.is_tuple {
            let types: Vec<_> = of.fields.iter().map(|(_, ty)| (ty.clone(), true)).collect();
            return format!("{}({})", of.name, self.list(&types, fuel).0);
        }
        let mut fields = of.fields;
        let len = fields.len();
        if len > 1 {
            fields.rotate_left(self.dice.below(len));
        }
        let types: Vec<_> = fields.iter().map(|(_, ty)| (ty.clone(), true)).collect();
        let exprs = self.exprs(&types, fuel);
        let fields = fields.iter().zip(exprs).map(|((name, _), ex)| {
            if *name == ex.text { ex.text } else { format!("{name}: {}", ex.text) }
        });
        format!("{} {{ {} }}", of.name, fields.collect::<Vec<_>>().join(", "))
    }

    fn construct_library(&mut self, name: &str, args: &[Ty], is_known: bool, fuel: usize) -> Ex {
        let first = args.first().cloned().unwrap_or_else(Ty::unit);
        let of = self.written(&first);
        let around = |generator: &mut Self, head: &str, ty: &Ty, is_known: bool| {
            let ex = generator.expr(ty, is_known, fuel);
            Ex { text: format!("{head}({})", ex.text), loans: ex.loans }
        };
        match (name, &first) {
            ("Box", Ty::Slice(element)) => {
                let heap = args.get(1).cloned();
                let items = Ty::Lib("Vec", [(**element).clone()].into_iter().chain(heap).collect());
                let ex = self.expr(&items, false, fuel);
                return Ex { text: format!("{}.into_boxed_slice()", ex.text), loans: ex.loans };
            }
            ("Cow", Ty::Slice(element)) => {
                let items = Ty::Lib("Vec", vec![(**element).clone()]);
                let ex = self.expr(&items, false, fuel);
                return Ex { text: format!("Cow::from({})", ex.text), loans: ex.loans };
            }
            // Nothing else is built around what has no size.
            ("Cow", Ty::Str) => {}
            (_, Ty::Slice(_) | Ty::Str) => unreachable!("{name} of {first:?}"),
            _ => {}
        }
        let heap = Ty::Lib("Vec", args.to_vec()).heap();
        match name {
            "Vec" if let Some(heap) = heap => match self.dice.below(4) {
                0 if is_known => Ex::owned(format!("Vec::new_in(&{heap})")),
                0 => Ex::owned(format!("Vec::<{of}, _>::new_in(&{heap})")),
                1 => {
                    let capacity = self.dice.below(7);
                    Ex::owned(format!("Vec::<{of}, _>::with_capacity_in({capacity}, &{heap})"))
                }
                _ => {
                    let ex = self.expr(&first, is_known, fuel);
                    let made = format!("Vec::<{of}, _>::new_in(&{heap})");
                    let text = format!("{{ let mut v = {made}; v.push({}); v }}", ex.text);
                    Ex { text, loans: ex.loans }
                }
            },
            "Box" if let Some(heap) = heap => {
                let ex = self.expr(&first, is_known, fuel);
                Ex { text: format!("Box::new_in({}, &{heap})", ex.text), loans: ex.loans }
            }
            "Vec" => match self.dice.below(if self.has(&first, "Clone") { 8 } else { 6 }) {
                0 if is_known => Ex::owned("Vec::new()"),
                0 => Ex::owned(format!("Vec::<{of}>::new()")),
                1 => Ex::owned(format!("Vec::<{of}>::with_capacity({})", self.dice.below(7))),
                2..6 => {
                    let len = 1 + self.dice.below(3);
                    let (text, loans) = self.list(&vec![(first, is_known); len], fuel);
                    Ex { text: format!("vec![{text}]"), loans }
                }
                _ => {
                    let ex = self.expr(&first, is_known, fuel);
                    let len = self.dice.below(6);
                    Ex { text: format!("vec![{}; {len}]", ex.text), loans: ex.loans }
                }
            },
            "String" => Ex::owned(match self.dice.below(6) {
                0 => "String::new()".to_owned(),
                1 => format!("String::with_capacity({})", self.dice.below(30)),
                2 => format!("{}.to_string()", self.text()),
                3 => {
                    let value = self.printable();
                    // What capacity `format!` leaves is std's guess at the length; the same text without it is compared.
                    format!("format!(\"{{}}-{{:?}}\", {value}, {value}).as_str().to_owned()")
                }
                _ => format!("String::from({})", self.text()),
            }),
            "Box" | "Rc" | "Arc" | "Cell" | "RefCell" => {
                around(self, &format!("{name}::new"), &first, is_known)
            }
            "Cow" => {
                // Text that is there as long as the program, or its own: nothing that would need a lifetime.
                let owned = self.expr(&Ty::string(), true, fuel);
                Ex::owned(match self.dice.below(4) {
                    0 if is_known => format!("Cow::Borrowed({})", self.text()),
                    1 if is_known => format!("Cow::Owned({})", owned.text),
                    2 => format!("Cow::from({})", owned.text),
                    _ => format!("Cow::from({})", self.text()),
                })
            }
            "Option" => match self.dice.below(4) {
                0 if is_known => Ex::owned("None"),
                0 if self.dice.chance(20) => Ex::owned(format!("None::<{of}>")),
                0 => Ex::owned(format!("{{ let o: Option<{of}> = None; o }}")),
                _ => around(self, "Some", &first, is_known),
            },
            "Result" => {
                let types = format!("{of}, {}", self.written(&args[1]));
                let is_error =
                    args[1].is("TryReserveError") || args[1].is("heapless::CapacityError");
                let is_ok = is_error || self.dice.chance(70);
                let (variant, of) = if is_ok { ("Ok", &first) } else { ("Err", &args[1]) };
                let ex = self.expr(of, true, fuel);
                let text = match self.dice.below(8) {
                    _ if is_known => format!("{variant}({})", ex.text),
                    0 => format!("{variant}::<{types}>({})", ex.text),
                    _ => format!("{{ let r: Result<{types}> = {variant}({}); r }}", ex.text),
                };
                Ex { text, loans: ex.loans }
            }
            "Weak" | "sync::Weak" => {
                let strong = if name == "Weak" { "Rc" } else { "Arc" };
                let of_strong = Ty::lib(strong, [first.clone()]);
                match self.place(Access::Read, |_, place| place.ty == of_strong) {
                    Some(rc) if self.dice.chance(80) => {
                        Ex::owned(format!("{strong}::downgrade(&{})", rc.text))
                    }
                    _ => Ex::owned(format!("{name}::<{of}>::new()")),
                }
            }
            "heapless::CapacityError" => {
                Ex::owned("heapless::String::<0>::new().push('a').unwrap_err()")
            }
            _ if name.starts_with("heapless::") => self.construct_heapless(name, args, fuel),
            _ => unreachable!("no value of {name} can be written out"),
        }
    }

    fn construct_heapless(&mut self, name: &str, args: &[Ty], fuel: usize) -> Ex {
        let list = args.iter().map(|arg| self.written(arg)).collect::<Vec<_>>().join(", ");
        let path = format!("{name}::<{list}>");
        let Some(Ty::Number(capacity)) = args.last() else { unreachable!("{name} has a capacity") };
        if self.dice.chance(20) {
            return Ex::owned(format!("{path}::new()"));
        }
        let variable = self.fresh("h");
        if name == "heapless::String" {
            let text = self.text();
            return Ex::owned(format!(
                "{{ let mut {variable} = {path}::new(); let _ = {variable}.push_str({text}); {variable} }}"
            ));
        }
        let len = self.dice.below(capacity + 1).min(3);
        let types = vec![(args[0].clone(), true); len];
        if name == "heapless::Vec" && self.has(&args[0], "Clone") && self.dice.chance(60) {
            let (items, loans) = self.list(&types, fuel);
            return Ex { text: format!("{path}::from_slice(&[{items}]).unwrap()"), loans };
        }
        let (mut text, mut loans) =
            (format!("{{ let mut {variable} = {path}::new(); "), Vec::new());
        for item in self.exprs(&types, fuel) {
            let push = match (name, self.dice.chance(50)) {
                ("heapless::Vec", _) => "push",
                (_, true) => "push_back",
                (_, false) => "push_front",
            };
            text += &format!("let _ = {variable}.{push}({}); ", item.text);
            loans.extend(item.loans);
        }
        Ex { text: format!("{text}{variable} }}"), loans }
    }

    /// A literal of a scalar type.
    pub(super) fn literal(&mut self, ty: &Ty, is_known: bool) -> String {
        let Ty::Scalar(name) = ty else { unreachable!("{ty:?} has no literals") };
        // rustc calls no method on a number whose type it does not know yet, not even on what will be an `i32`.
        let suffix = if !is_known || self.dice.chance(20) { *name } else { "" };
        match *name {
            "bool" => ["true", "false"][self.dice.below(2)].to_owned(),
            "char" => {
                (self.dice.word(&["'a'", "'Z'", "'7'", "'é'", "'😀'", "'\\n'", "' '"])).to_owned()
            }
            "f32" | "f64" => {
                let texts = ["0.0", "1.5", "2.25", "0.1", "100.0", "1e10", "-3.75", "1.0"];
                let text = self.dice.word(&texts);
                if text.starts_with('-') {
                    format!("({text}{suffix})")
                } else {
                    format!("{text}{suffix}")
                }
            }
            _ => {
                let is_signed = name.starts_with('i');
                match self.dice.below(12) {
                    0 if is_signed => format!("(-{}{suffix})", 1 + self.dice.below(50)),
                    1 => {
                        let texts = ["0x1f", "0b101", "0o17", "1_00"];
                        let separator = if suffix.is_empty() { "" } else { "_" };
                        format!("{}{separator}{suffix}", self.dice.pick(&texts))
                    }
                    2 => format!("{}{suffix}", 100 + self.dice.below(27)),
                    _ => format!("{}{suffix}", self.dice.below(12)),
                }
            }
        }
    }

    /// A string literal.
    pub(super) fn text(&mut self) -> String {
        let texts =
            ["", "a", "hello", "héllo", "two words", "line\\n", "\\\"q\\\"", "  trim  ", "αβγ"];
        format!("\"{}\"", self.dice.pick(&texts))
    }

    /// Something with `Display` and `Debug` that stays where it is.
    fn printable(&mut self) -> String {
        let place = self.place(Access::Read, |generator, place| {
            generator.has(&place.ty, "Display") && generator.has(&place.ty, "Debug")
        });
        place.map_or_else(|| self.text(), |place| place.text)
    }

    /// `&place`, or what else gives a reference.
    fn shared(&mut self, of: &Ty, is_known: bool) -> Ex {
        if let Ty::Str = of {
            let place = self.place(Access::Read, |_, place| {
                place.ty == Ty::string() || place.ty.is("heapless::String")
            });
            return match place {
                Some(place) if self.dice.chance(70) => {
                    let loans = self.model.loans_of(&place, Access::Read);
                    let text = match self.dice.below(3) {
                        0 if is_known => format!("&{}", place.text),
                        1 => format!("&{}[..]", place.text),
                        _ => format!("{}.as_str()", place.auto),
                    };
                    Ex { text, loans }
                }
                _ => Ex::owned(self.text()),
            };
        }
        if let Ty::Slice(element) = of {
            let place = self.place(Access::Read, |_, place| match &place.ty {
                Ty::Lib("Vec" | "heapless::Vec", args) => args[0] == **element,
                Ty::Array(of, _) => of == element,
                _ => false,
            });
            if let Some(place) = place {
                let loans = self.model.loans_of(&place, Access::Read);
                let bound = match &place.ty {
                    Ty::Array(_, len) => *len,
                    _ => self.model.vars[place.root].min_len,
                };
                let range = match self.dice.below(5) {
                    0 if is_known => String::new(),
                    1 if bound > 0 => "[1..]".to_owned(),
                    2 => format!("[..{bound}]"),
                    3 if bound > 1 => format!("[1..{bound}]"),
                    _ => "[..]".to_owned(),
                };
                return Ex { text: format!("&{}{range}", place.auto), loans };
            }
            let hoisted = self.hoist(&Ty::Array(element.clone(), 2), false);
            return Ex {
                text: format!("&{}[..]", hoisted.text),
                loans: self.model.loans_of(&hoisted, Access::Read),
            };
        }
        let place = self.place(Access::Read, |_, place| place.ty == *of);
        let place = place.unwrap_or_else(|| self.hoist(of, false));
        let loans = self.model.loans_of(&place, Access::Read);
        Ex { text: format!("&{}", place.text), loans }
    }

    /// `&mut place`.
    fn exclusive(&mut self, of: &Ty) -> Ex {
        if let Ty::Slice(element) = of {
            let place = self.place_mut(|_, place| match &place.ty {
                Ty::Lib("Vec" | "heapless::Vec", args) => args[0] == **element,
                Ty::Array(of, _) => of == element,
                _ => false,
            });
            let array = Ty::Array(element.clone(), 3);
            let place = place.unwrap_or_else(|| self.hoist(&array, true));
            let loans = self.model.loans_of(&place, Access::Write);
            return Ex { text: format!("&mut {}[..]", place.auto), loans };
        }
        if matches!(of, Ty::Str) {
            unreachable!("the generator borrows no text for writing");
        }
        let place = self.place_mut(|_, place| place.ty == *of);
        let place = place.unwrap_or_else(|| self.hoist(of, true));
        let loans = self.model.loans_of(&place, Access::Write);
        self.model.vars[place.root].min_len = 0;
        Ex { text: format!("&mut {}", place.text), loans }
    }

    /// A variable declared before the statement being written, for something to borrow. Nothing else is used in it, so
    /// that it may stand before all the statement's other parts.
    pub(super) fn hoist(&mut self, ty: &Ty, is_mutable: bool) -> Place {
        let name = self.fresh("t");
        let hidden = std::mem::take(&mut self.model);
        let value = self.construct(ty, true, 0);
        self.model = hidden;
        let keyword = if is_mutable { "let mut" } else { "let" };
        let written = self.written(ty);
        self.say(format!("{keyword} {name}: {written} = {};", value.text));
        let root = self.model.declare(&name, ty.clone(), is_mutable);
        Place {
            root,
            path: Vec::new(),
            text: name.clone(),
            auto: name,
            ty: ty.clone(),
            via: Via::Own,
            is_mutable,
            can_move: true,
            has_index: false,
        }
    }

    /// A call of a function of the program.
    pub(super) fn call(&mut self, ty: &Ty, fuel: usize) -> Option<Ex> {
        let fitting: Vec<_> = self.funs.iter().filter(|fun| fun.result == *ty).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let fun = self.dice.pick(&fitting).clone();
        let mut params = fun.params.clone();
        let mut held = Vec::new();
        let mut head = fun.name.clone();
        if fun.is_method {
            let receiver = params.remove(0);
            let (text, loans) = match &receiver {
                Ty::Ref(of) => {
                    let place = self.place(Access::Read, |_, place| place.ty == **of)?;
                    (place.auto.clone(), self.model.loans_of(&place, Access::Read))
                }
                Ty::RefMut(of) => {
                    let place = self.place_mut(|_, place| place.ty == **of)?;
                    (place.auto.clone(), self.model.loans_of(&place, Access::Write))
                }
                _ => {
                    let ex = self.expr(&receiver, false, 0);
                    (format!("({})", ex.text), ex.loans)
                }
            };
            head = format!("{text}.{head}");
            held = loans;
        }
        let before = self.model.temporaries.len();
        self.model.temporaries.extend(held.iter().cloned());
        let types: Vec<_> = params.iter().map(|ty| (ty.clone(), true)).collect();
        let (text, mut loans) = self.list(&types, fuel);
        self.model.temporaries.truncate(before);
        loans.extend(held);
        if !self.holds_references(ty) {
            loans.clear();
        }
        Some(Ex { text: format!("{head}({text})"), loans })
    }

    fn operator(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> Option<Ex> {
        match ty {
            Ty::Scalar("bool") => Some(Ex::owned(self.condition(fuel))),
            _ if ty.is_int() => Some(Ex::owned(self.arithmetic(ty, is_known, fuel))),
            _ if ty.is_float() => {
                let exprs = self.exprs(&[(ty.clone(), is_known), (ty.clone(), true)], fuel);
                let op = self.dice.word(&["+", "-", "*", "/", "%"]);
                Some(Ex::owned(format!("({} {op} {})", exprs[0].text, exprs[1].text)))
            }
            Ty::Scalar("char") => {
                let value = self.expr(&Ty::Scalar("u8"), false, fuel);
                Some(Ex::owned(format!("({} as char)", value.text)))
            }
            Ty::Lib("String", _) => {
                let types = [(ty.clone(), false), (Ty::reference(Ty::Str), true)];
                let exprs = self.exprs(&types, fuel);
                Some(Ex::owned(format!("({} + {})", exprs[0].text, exprs[1].text)))
            }
            _ => None,
        }
    }

    fn arithmetic(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> String {
        let Ty::Scalar(name) = ty else { unreachable!("arithmetic is on scalars") };
        if self.dice.chance(25) {
            let sources = ["u8", "i8", "u16", "i32", "i64", "u64", "usize", "f64", "bool", "char"];
            let from = Ty::Scalar(self.dice.word(&sources));
            let value = self.expr(&from, false, fuel);
            return format!("({} as {name})", value.text);
        }
        if name.starts_with('i') && self.dice.chance(10) {
            return format!("(-{})", self.expr(ty, false, fuel).text);
        }
        if self.dice.chance(6) {
            return format!("(!{})", self.expr(ty, false, fuel).text);
        }
        let left = self.expr(ty, is_known, fuel).text;
        let small = 1 + self.dice.below(7);
        if self.habits.is_bold {
            let right = self.expr(ty, true, fuel).text;
            let op = self.dice.word(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]);
            let right = if op.len() == 2 { small.to_string() } else { right };
            return format!("({left} {op} {right})");
        }
        match self.dice.below(9) {
            0 => format!("({left} / {small})"),
            1 => format!("({left} % {small})"),
            2 => format!("({left} >> {})", small - 1),
            3 => format!("({left} % 10 + {small})"),
            4 => format!("({left} % 10 * {small})"),
            5 if name.starts_with('i') => format!("({left} / 2 - {small})"),
            _ => {
                let right = self.expr(ty, true, fuel).text;
                let op = self.dice.word(&["&", "|", "^"]);
                format!("({left} {op} {right})")
            }
        }
    }

    /// An expression of type `bool`.
    pub(super) fn condition(&mut self, fuel: usize) -> String {
        let boolean = Ty::Scalar("bool");
        match self.dice.below(10) {
            0 => format!("!{}", self.expr(&boolean, true, fuel).text),
            1 if fuel > 0 => {
                let op = self.dice.word(&["&&", "||"]);
                let left = self.condition(fuel - 1);
                let right = self.condition(fuel - 1);
                format!("({left} {op} {right})")
            }
            2..=4 => {
                // Beyond scalars: both sides stay where they are.
                let left = self.place(Access::Read, |generator, place| {
                    generator.has(&place.ty, "PartialEq") && place.ty.is_sized()
                });
                let Some(left) = left else { return "true".to_owned() };
                let held = self.model.temporaries.len();
                self.model.hold(&left);
                let right = self.place(Access::Read, |_, place| place.ty == left.ty);
                self.model.temporaries.truncate(held);
                let right = right.unwrap_or_else(|| self.hoist(&left.ty, false)).text;
                let ops: &[&str] = if self.has(&left.ty, "Ord") {
                    &["==", "!=", "<", "<=", ">", ">="]
                } else {
                    &["==", "!="]
                };
                format!("({} {} {right})", left.text, self.dice.pick(ops))
            }
            _ => {
                let ty = self.ty(0);
                let ty = if ty == Ty::string() { Ty::Scalar("i32") } else { ty };
                let exprs = self.exprs(&[(ty.clone(), false), (ty, true)], fuel);
                let op = self.dice.word(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({} {op} {})", exprs[0].text, exprs[1].text)
            }
        }
    }

    /// A block, an `if`, a `loop`, or what lies in a `RefCell` or `Cell`.
    fn nested(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> Option<Ex> {
        if self.holds_references(ty) {
            return None;
        }
        let kind = self.dice.below(6);
        if kind < 2 {
            let cell = Ty::lib("RefCell", [ty.clone()]);
            let place = self.place(Access::Read, |_, place| place.ty == cell)?;
            if self.has(ty, "Copy") {
                return Some(Ex::owned(format!("*{}.borrow()", place.auto)));
            }
            if self.has(ty, "Clone") {
                return Some(Ex::owned(format!("{}.borrow().clone()", place.auto)));
            }
            return None;
        }
        if kind < 4 {
            let condition = self.condition(0);
            let before = self.model.clone();
            let (first, then) = self.block(ty, is_known, fuel);
            let after = self.model.end_branch(before);
            let (second, other) = self.block(ty, true, fuel);
            self.model.join(&after);
            let text = format!(
                "(if {condition} {} else {})",
                in_braces(&first, &then.text),
                in_braces(&second, &other.text)
            );
            return Some(Ex::owned(text));
        }
        if kind == 4 {
            self.model.loops += 1;
            let (body, tail) = self.block(ty, is_known, fuel);
            self.model.loops -= 1;
            return Some(Ex::owned(format!(
                "loop {}",
                in_braces(&body, &format!("break {};", tail.text))
            )));
        }
        let (body, tail) = self.block(ty, is_known, fuel);
        Some(Ex::owned(in_braces(&body, &tail.text)))
    }

    /// A body with a value.
    pub(super) fn block(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> (Vec<Stmt>, Ex) {
        self.bodies.push(Vec::new());
        self.model.open();
        for _ in 0..self.dice.below(3) {
            self.statement(fuel.min(1));
        }
        let tail = self.expr(ty, is_known, fuel);
        self.model.close();
        (self.bodies.pop().expect("the body was opened"), tail)
    }

    /// A call of the library that gives the type.
    pub(super) fn row(&mut self, ty: &Ty, is_known: bool, fuel: usize) -> Option<Ex> {
        let mut fitting = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut params: Params = [None, None];
            if ty.matches(&row.result, &mut params) {
                fitting.push((number, params));
            }
        }
        for _ in 0..3 {
            if fitting.is_empty() {
                return None;
            }
            let (number, mut params) = self.dice.pick(&fitting).clone();
            let row = self.rows[number].clone();
            if row.may_panic() && self.dice.chance(85) {
                continue;
            }
            if let Some(ex) = self.call_row(&row, &mut params, is_known, fuel) {
                return Some(ex);
            }
        }
        None
    }

    /// A call of a row; `params` learns what its parameters stand for.
    pub(super) fn call_row(
        &mut self,
        row: &Callable,
        params: &mut Params,
        is_known: bool,
        fuel: usize,
    ) -> Option<Ex> {
        if row.receiver == Receiver::None {
            return self.call_function(row, params, is_known, fuel);
        }
        let found = self.receiver(row, params, fuel)?;
        for (number, param) in params.iter_mut().enumerate().filter(|(_, param)| param.is_none()) {
            let bound = row.bounds.iter().find(|(of, _)| *of == Some(number));
            *param = Some(match bound {
                Some((_, "Pattern")) if self.dice.chance(50) => Ty::Scalar("char"),
                Some((_, "Pattern")) => Ty::reference(Ty::Str),
                Some((_, "FromStr")) => Ty::Scalar(self.dice.word(super::INTS)),
                _ => self.ty(0),
            });
        }
        let result = row.result.filled(params);
        let held = self.model.temporaries.len();
        if let Some(place) = &found.place {
            let holds = |(_, ty): &(_, Ty)| self.holds_references(&ty.filled(params));
            let is_two_phase = found.is_two_phase && !row.params.iter().any(holds);
            let access = match row.receiver {
                Receiver::Mut if !is_two_phase => Access::Write,
                _ => Access::Read,
            };
            let mut loans = self.model.loans_of(place, access);
            loans.retain(|loan| loan.var == place.root);
            self.model.temporaries.extend(loans);
        }
        self.model.temporaries.extend(found.ex.loans.iter().cloned());
        let (text, loans) = self.args(row, params, found.min_len, fuel);
        self.model.temporaries.truncate(held);
        let name = match (row.name, &params[0]) {
            ("parse", Some(of)) => format!("parse::<{}>", self.written(of)),
            (name, _) => name.to_owned(),
        };
        let text = format!("{}.{name}({text})", found.ex.text);
        let mut all = found.ex.loans;
        if let Some(place) = &found.place {
            let is_writing = row.receiver == Receiver::Mut;
            let access = if is_writing { Access::Write } else { Access::Read };
            if is_writing {
                self.changed(place, row.name);
            }
            if is_writing && !loans.is_empty() {
                // What was put in is borrowed as long as the container is.
                let var = &mut self.model.vars[place.root];
                if place.via != Via::Own || var.loops != self.model.loops {
                    return None;
                }
                var.loans.extend(loans.iter().cloned());
            }
            all.extend(self.model.loans_of(place, access));
        } else if self.holds_references(&result) && row.receiver != Receiver::Value {
            return None;
        }
        all.extend(loans);
        if row.is_static || !self.holds_references(&result) {
            all.clear();
        }
        Some(Ex { text, loans: all })
    }

    /// Notes what a method did to a vector's length.
    fn changed(&mut self, place: &Place, name: &str) {
        let var = &mut self.model.vars[place.root];
        match name {
            "push" | "insert" if var.ty.is("heapless::Vec") => {}
            "push" | "insert" if place.path.is_empty() && place.via == Via::Own => var.min_len += 1,
            "reserve" | "reserve_exact" | "try_reserve" | "shrink_to_fit" | "sort" | "swap"
            | "reverse" | "fill" | "extend_from_slice" | "get_mut" => {}
            _ => var.min_len = 0,
        }
    }

    fn receiver(&mut self, row: &Callable, params: &mut Params, fuel: usize) -> Option<Found> {
        let access = match row.receiver {
            Receiver::Mut | Receiver::Value => Access::Write,
            _ => Access::Read,
        };
        let is_reckless = self.is_reckless();
        let known = params.clone();
        let place = self.place(access, |generator, place| {
            let mut params = known.clone();
            fits(row, &place.ty, &mut params)
                && generator.is_bound(row, &params)
                && match row.receiver {
                    Receiver::Mut => {
                        is_reckless || (place.is_mutable && !matches!(place.ty, Ty::Ref(_)))
                    }
                    Receiver::Value => {
                        generator.has(&place.ty, "Copy")
                            || is_reckless
                            || generator.model.can_move(place)
                    }
                    _ => true,
                }
        });
        if let Some(mut place) = place {
            fits(row, &place.ty, params);
            let by_value = row.on == "*" || row.receiver == Receiver::Value;
            let is_option = place.ty.is("Option") || place.ty.is("Result");
            let text = if by_value || is_option { &place.text } else { &place.auto };
            let text = text.clone();
            if row.receiver == Receiver::Value {
                let loans = self.model.vars[place.root].loans.clone();
                if !self.has(&place.ty, "Copy") {
                    self.model.mark_moved(&place);
                }
                let ex = Ex { text, loans };
                return Some(Found { ex, place: None, min_len: 0, is_two_phase: false });
            }
            if matches!(place.ty, Ty::Ref(_)) {
                place.via = Via::Ref;
            }
            let is_direct = !place.has_index
                && place.via != Via::Call
                && (row.on != "[T]" || matches!(place.ty, Ty::Ref(_) | Ty::RefMut(_)));
            let min_len = match &place.ty {
                Ty::Array(_, len) => *len,
                _ if place.path.is_empty() => self.model.vars[place.root].min_len,
                _ => 0,
            };
            return Some(Found {
                ex: Ex::owned(text),
                place: Some(place),
                min_len,
                is_two_phase: is_direct,
            });
        }
        // No variable: a value of its own.
        let ty = match row.owner.as_ref() {
            Some(Ty::Str) => {
                return Some(Found::value(Ex::owned(self.text())));
            }
            Some(Ty::Slice(_) | Ty::Lib("Ref" | "RefMut", _)) | None if row.on != "*" => {
                return None;
            }
            Some(Ty::Scalar(kind)) => match &params[0] {
                Some(ty) => ty.clone(),
                None => Ty::Scalar(match *kind {
                    "{float}" => "f64",
                    "{integer}" => self.dice.word(super::INTS),
                    "{unsigned}" => "u16",
                    "{signed}" => "i32",
                    kind => kind,
                }),
            },
            Some(owner) => {
                if owner.is_heapless() && params[1].is_none() {
                    params[1] = Some(Ty::Number(1 + self.dice.below(4)));
                }
                for param in params.iter_mut().filter(|param| param.is_none()) {
                    *param = Some(self.ty(0));
                }
                owner.filled(params)
            }
            None => params[0].clone().unwrap_or(Ty::Scalar("u16")),
        };
        if self.holds_references(&ty) || !fits(row, &ty, params) || !self.is_bound(row, params) {
            return None;
        }
        let ex = if row.receiver == Receiver::Mut {
            self.construct(&ty, false, fuel.min(1))
        } else {
            self.expr(&ty, false, fuel.min(1))
        };
        Some(Found::value(Ex { text: format!("({})", ex.text), loans: ex.loans }))
    }

    fn is_bound(&self, row: &Callable, params: &Params) -> bool {
        row.bounds.iter().all(|(param, name)| {
            let ty = params[param.unwrap_or(0)].as_ref();
            ty.is_none_or(|ty| self.has(ty, name))
        })
    }

    /// The arguments of a method.
    fn args(
        &mut self,
        row: &Callable,
        params: &Params,
        min_len: usize,
        fuel: usize,
    ) -> (String, Vec<super::Loan>) {
        let held = self.model.temporaries.len();
        let (mut texts, mut loans) = (Vec::new(), Vec::new());
        for (name, ty) in &row.params {
            // A parameter that the receiver does not fix, as in `ok_or`, is fixed by nothing else.
            let is_known = !ty.mentions(1) || row.on.contains('E');
            let ty = ty.filled(params);
            let ex = if ty == Ty::Scalar("usize") || *name == "exp" || *name == "n" {
                Ex::owned(self.small(name, min_len))
            } else {
                self.expr(&ty, is_known, fuel)
            };
            self.model.temporaries.extend(ex.loans.iter().cloned());
            loans.extend(ex.loans);
            texts.push(ex.text);
        }
        self.model.temporaries.truncate(held);
        (texts.join(", "), loans)
    }

    /// A number that a method takes: mostly one that suits it.
    fn small(&mut self, name: &str, min_len: usize) -> String {
        let end = match name {
            "index" | "a" | "b" if min_len > 0 => min_len,
            "index" | "a" | "b" => 1 + self.dice.below(2),
            "capacity" | "additional" => 20,
            _ => 5,
        };
        self.dice.below(end).to_string()
    }

    /// A call of a library function without a receiver.
    fn call_function(
        &mut self,
        row: &Callable,
        params: &mut Params,
        is_known: bool,
        fuel: usize,
    ) -> Option<Ex> {
        let path = match &row.owner {
            Some(Ty::Lib(name, _)) => format!("{name}::{}", row.name),
            Some(Ty::Scalar(name)) if !name.starts_with('{') => format!("{name}::{}", row.name),
            Some(_) => return None,
            _ if row.name == "drop" => "drop".to_owned(),
            _ => format!("std::mem::{}", row.name),
        };
        match row.name {
            "default" => {
                let ty = params[0].clone().filter(|_| self.is_bound(row, params))?;
                let call = "Default::default()";
                let written = self.written(&ty);
                // An operand's type is not said by the other side's.
                return Some(Ex::owned(match &ty {
                    // An operator says of no operand which type it is.
                    Ty::Scalar(name) => format!("{name}::default()"),
                    Ty::Lib("String", _) => "String::default()".to_owned(),
                    _ if is_known => call.to_owned(),
                    Ty::Struct(_) => format!("{written}::default()"),
                    _ => format!("{{ let d: {written} = {call}; d }}"),
                }));
            }
            "size_of" | "align_of" | "needs_drop" => {
                let ty = self.ty(2);
                return Some(Ex::owned(format!("{path}::<{}>()", self.written(&ty))));
            }
            "take" | "replace" | "swap" if row.on == "std::mem" => {
                let wanted = params[0].clone();
                let place = self.place_mut(|generator, place| {
                    wanted.as_ref().is_none_or(|ty| *ty == place.ty)
                        && !generator.holds_references(&place.ty)
                        && (row.name != "take" || generator.has(&place.ty, "Default"))
                })?;
                params[0] = Some(place.ty.clone());
                self.model.vars[place.root].min_len = 0;
                let held = self.model.temporaries.len();
                let loans = self.model.loans_of(&place, Access::Write);
                self.model.temporaries.extend(loans);
                let second = match row.name {
                    "take" => String::new(),
                    "replace" => format!(", {}", self.expr(&place.ty, true, fuel).text),
                    _ => format!(", {}", self.exclusive(&place.ty).text),
                };
                self.model.temporaries.truncate(held);
                return Some(Ex::owned(format!("{path}(&mut {}{second})", place.text)));
            }
            _ => {}
        }
        if let Some((_, Ty::Ref(of) | Ty::RefMut(of))) = row.params.first()
            && params[0].is_none()
        {
            // What it is about decides its parameter.
            let pattern = (**of).clone();
            let place =
                self.place(Access::Read, |_, place| place.ty.matches(&pattern, &mut [None, None]))?;
            place.ty.matches(&pattern, params);
        }
        if params[0].is_none() {
            params[0] = Some(self.ty(1));
        }
        let path = match &row.owner {
            Some(owner) if owner.is_heapless() => {
                if params[1].is_none() {
                    params[1] = Some(Ty::Number(1 + self.dice.below(4)));
                }
                format!("{}::{}", owner.filled(params).written_in_path(&self.structs), row.name)
            }
            _ => path,
        };
        let params_known = is_known || row.result == Ty::Scalar("usize");
        if !self.is_bound(row, params) {
            return None;
        }
        let types: Vec<_> =
            row.params.iter().map(|(_, ty)| (ty.filled(params), params_known)).collect();
        if types.iter().any(|(ty, _)| matches!(ty, Ty::Ref(of) if !of.is_sized()))
            && !row.on.contains("String")
        {
            return None;
        }
        let path = match (&row.owner, types.is_empty() && !is_known) {
            (Some(owner), _) if owner.is_heapless() => path,
            (Some(Ty::Lib(name, args)), true) if !args.is_empty() => {
                let of = self.written(params[0].as_ref().expect("it was just set"));
                format!("{name}::<{of}>::{}", row.name)
            }
            _ => path,
        };
        if let [(Ty::Scalar("usize"), _)] = types[..]
            && row.name == "with_capacity"
        {
            let Some(Ty::Lib(name, args)) = &row.owner else { return None };
            let of = if args.is_empty() {
                String::new()
            } else {
                format!("::<{}>", self.written(params[0].as_ref().expect("it was just set")))
            };
            let capacity = self.dice.below(20);
            return Some(Ex::owned(format!("{name}{of}::with_capacity({capacity})")));
        }
        let (text, mut loans) = self.list(&types, fuel);
        if row.is_static || !self.holds_references(&row.result.filled(params)) {
            loans.clear();
        }
        Some(Ex { text: format!("{path}({text})"), loans })
    }
}

/// What a method is called on.
struct Found {
    ex: Ex,
    place: Option<Place>,
    min_len: usize,
    is_two_phase: bool,
}

impl Found {
    fn value(ex: Ex) -> Self {
        Self { ex, place: None, min_len: 0, is_two_phase: false }
    }
}

/// Whether a method can be called on a place of the type: it is the owner, or leads to it by `Deref`.
fn fits(row: &Callable, ty: &Ty, params: &mut Params) -> bool {
    // A row is written for the heap in use; what it takes or gives beside its receiver would be of that.
    let is_collection = |ty: &Ty| match ty {
        Ty::RefMut(to) | Ty::Ref(to) => to.is("Vec") || to.is("Box"),
        ty => ty.is("Vec") || ty.is("Box"),
    };
    let is_own = row.owner.as_ref().is_some_and(is_collection);
    if is_own && ty.heap().is_some() {
        let has_more = row.params.iter().any(|(_, ty)| is_collection(ty));
        return !has_more && !is_collection(&row.result) && fits(row, &ty.without_heap(), params);
    }
    let Some(owner) = &row.owner else {
        // A trait's method, whose `Self` is the first parameter.
        let is_clone = matches!(row.name, "clone" | "to_owned");
        return if is_clone {
            // On a reference it would clone what lies behind.
            !matches!(ty, Ty::Ref(_)) && ty.matches(&Ty::Param(0), params)
        } else {
            params[0] = Some(ty.clone());
            ty.is_sized()
        };
    };
    match (owner, ty) {
        (Ty::Slice(of), Ty::Lib("Vec" | "heapless::Vec", args)) => args[0].matches(of, params),
        (Ty::Slice(of), Ty::Array(element, _)) => element.matches(of, params),
        (Ty::Slice(_), Ty::Ref(to) | Ty::RefMut(to)) => to.matches(owner, params),
        (Ty::Str, Ty::Lib("String" | "Cow" | "heapless::String", _)) => true,
        (Ty::Str, Ty::Ref(to)) => **to == Ty::Str,
        (Ty::Scalar(_), _) => {
            ty.matches(owner, params) && *params[0].get_or_insert_with(|| ty.clone()) == *ty
        }
        _ => ty.matches(owner, params),
    }
}
