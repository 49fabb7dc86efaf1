//! Statements.

use super::model::{Access, Place, Via};
use super::rows::Receiver;
use super::types::Ty;
use super::{Ex, Generator};
use crate::program::{Piece, Stmt};

#[derive(Clone, Copy)]
enum Kind {
    Let,
    LetReference,
    LetRow,
    LetLater,
    LetTuple,
    LetUnderscore,
    LetPlain,
    Show,
    Assign,
    AssignOp,
    Row,
    Call,
    Drop,
    If,
    Scope,
    ForRange,
    ForEach,
    While,
    Loop,
    Guard,
    Pointers,
    Assert,
    Panic,
    Return,
}

const KINDS: &[(usize, Kind)] = &[
    (20, Kind::Let),
    (10, Kind::LetReference),
    (10, Kind::LetRow),
    (3, Kind::LetLater),
    (4, Kind::LetTuple),
    (3, Kind::LetUnderscore),
    (3, Kind::LetPlain),
    (18, Kind::Show),
    (10, Kind::Assign),
    (7, Kind::AssignOp),
    (14, Kind::Row),
    (5, Kind::Call),
    (4, Kind::Drop),
    (6, Kind::If),
    (4, Kind::Scope),
    (3, Kind::ForRange),
    (4, Kind::ForEach),
    (2, Kind::While),
    (2, Kind::Loop),
    (3, Kind::Guard),
    (1, Kind::Pointers),
    (1, Kind::Assert),
    (1, Kind::Panic),
    (1, Kind::Return),
];

impl Generator {
    /// Adds a statement, and whatever must stand before it.
    pub(super) fn statement(&mut self, fuel: usize) {
        let kind = self.dice.weighted(KINDS);
        let is_nested = self.model.depth() > 4 || fuel == 0;
        match kind {
            Kind::Let => self.let_value(fuel),
            Kind::LetReference => self.let_reference(),
            Kind::LetRow => self.let_row(fuel),
            Kind::LetLater => self.let_later(fuel),
            Kind::LetTuple => self.let_tuple(fuel),
            Kind::LetUnderscore => self.let_underscore(fuel),
            Kind::LetPlain => self.let_plain(),
            Kind::Assign => self.assign(fuel),
            Kind::AssignOp => self.assign_op(fuel),
            Kind::Row => self.row_statement(fuel),
            Kind::Call => self.call_statement(fuel),
            Kind::Drop => self.drop_value(),
            Kind::If if !is_nested => self.branch(fuel),
            Kind::Scope if !is_nested => self.scope(fuel),
            Kind::ForRange if !is_nested => self.for_range(fuel),
            Kind::ForEach if !is_nested => self.for_each(fuel),
            Kind::While if !is_nested => self.while_loop(fuel),
            Kind::Loop if !is_nested => self.loop_with_break(fuel),
            Kind::Guard => self.guard(),
            Kind::Pointers => self.pointers(),
            Kind::Assert => self.assert(fuel),
            Kind::Panic if self.dice.chance(25) => self.panic(),
            Kind::Return if self.model.depth() > 1 => self.return_early(fuel),
            _ => self.show(),
        }
    }

    fn keyword(&mut self) -> (&'static str, bool) {
        if self.dice.chance(60) { ("let mut", true) } else { ("let", false) }
    }

    /// Declares a variable and writes its `let`.
    fn bind(&mut self, ty: Ty, value: &Ex, is_typed: bool) {
        let name = self.name();
        let (keyword, is_mutable) = self.keyword();
        let of = if is_typed { format!(": {}", self.written(&ty)) } else { String::new() };
        self.say(format!("{keyword} {name}{of} = {};", value.text));
        let is_list = ty.is("Vec") || ty.is("heapless::Vec");
        let min_len = if is_list { literal_len(&value.text) } else { 0 };
        let id = self.model.declare(&name, ty, is_mutable);
        self.model.vars[id].loans.clone_from(&value.loans);
        self.model.vars[id].min_len = min_len;
    }

    fn let_value(&mut self, fuel: usize) {
        let ty = if self.dice.chance(5) { Ty::lib("Cow", [Ty::Str]) } else { self.ty(2) };
        let is_typed = self.dice.chance(50);
        let value = self.expr(&ty, is_typed, fuel);
        self.bind(ty, &value, is_typed);
    }

    fn let_reference(&mut self) {
        let is_typed = self.dice.chance(40);
        match self.dice.below(10) {
            0 => {
                // A temporary that lives as long as its reference.
                let ty = self.ty(1);
                let value = self.construct(&ty, false, 0);
                let (sign, ty) = if self.dice.chance(30) {
                    ("&mut ", Ty::RefMut(Box::new(ty)))
                } else {
                    ("&", Ty::reference(ty))
                };
                let value = Ex { text: format!("{sign}{}", value.text), loans: value.loans };
                self.bind(ty, &value, false);
            }
            1 => {
                let ty = Ty::reference(Ty::Str);
                let value = self.expr(&ty, is_typed, 1);
                self.bind(ty, &value, is_typed);
            }
            2 => {
                let element = self.ty(0);
                let ty = Ty::reference(Ty::Slice(Box::new(element)));
                let value = self.expr(&ty, is_typed, 0);
                self.bind(ty, &value, is_typed);
            }
            3 => {
                let Some(place) = self.place(Access::Read, |g, p| !g.holds_references(&p.ty))
                else {
                    return;
                };
                let of = Ty::reference(place.ty);
                let ty = match self.dice.below(4) {
                    0 => Ty::lib("Vec", [of]),
                    1 => Ty::lib("Option", [of]),
                    2 => Ty::Tuple(vec![of.clone(), of]),
                    _ => Ty::Array(Box::new(of), 2),
                };
                let value = self.expr(&ty, is_typed, 0);
                self.bind(ty, &value, is_typed);
            }
            4..=6 => {
                let Some(place) =
                    self.place_mut(|g, p| p.ty.is_sized() && !g.holds_references(&p.ty))
                else {
                    return;
                };
                let loans = self.model.loans_of(&place, Access::Write);
                self.model.vars[place.root].min_len = 0;
                let value = Ex { text: format!("&mut {}", place.text), loans };
                self.bind(Ty::RefMut(Box::new(place.ty)), &value, is_typed);
            }
            _ => {
                let Some(place) = self.place(Access::Read, |_, p| p.ty.is_sized()) else { return };
                let loans = self.model.loans_of(&place, Access::Read);
                let value = Ex { text: format!("&{}", place.text), loans };
                self.bind(Ty::reference(place.ty), &value, is_typed);
            }
        }
    }

    /// A call of any row of the library.
    fn any_row(&mut self, fuel: usize) -> Option<(Ex, Ty)> {
        let number = self.dice.below(self.rows.len());
        let row = self.rows[number].clone();
        if row.may_panic() && self.dice.chance(85) {
            return None;
        }
        if row.result.is("Ref") || row.result.is("RefMut") || row.name == "drop" {
            return None;
        }
        let mut params = [None, None];
        let ex = self.call_row(&row, &mut params, false, fuel)?;
        Some((ex, row.result.filled(&params)))
    }

    fn let_row(&mut self, fuel: usize) {
        let Some((value, ty)) = self.any_row(fuel) else { return };
        if !is_complete(&ty) {
            return;
        }
        if !self.holds_references(&ty) && self.has(&ty, "Debug") && self.dice.chance(40) {
            self.say(format!("println!(\"{{:?}}\", {});", value.text));
        } else {
            self.bind(ty, &value, false);
        }
    }

    fn row_statement(&mut self, fuel: usize) {
        // Most often something that changes what it is called on.
        let is_change = self.dice.chance(70);
        let numbers: Vec<_> = (0..self.rows.len())
            .filter(|&at| !is_change || self.rows[at].receiver == Receiver::Mut)
            .collect();
        let row = self.rows[*self.dice.pick(&numbers)].clone();
        if row.may_panic() && self.dice.chance(85) {
            return;
        }
        if row.name == "drop" || row.result.is("Ref") || row.result.is("RefMut") {
            return;
        }
        if let Some(ex) = self.call_row(&row, &mut [None, None], false, fuel) {
            self.say(format!("{};", ex.text));
        }
    }

    fn let_later(&mut self, fuel: usize) {
        let ty = self.ty(1);
        let name = self.fresh("v");
        let written = self.written(&ty);
        self.say(format!("let {name}: {written};"));
        match self.dice.below(3) {
            0 => {
                let value = self.expr(&ty, true, fuel);
                self.say(format!("{name} = {};", value.text));
                self.model.declare(&name, ty, false);
            }
            1 => {
                let condition = self.condition(1);
                let before = self.model.clone();
                let first = self.expr(&ty, true, 0);
                let after = self.model.end_branch(before);
                let second = self.expr(&ty, true, 0);
                self.model.join(&after);
                self.say(format!(
                    "if {condition} {{ {name} = {}; }} else {{ {name} = {}; }}",
                    first.text, second.text
                ));
                self.model.declare(&name, ty, false);
            }
            _ => {
                // Perhaps never set: whether it is dropped is known when the program runs.
                let condition = self.condition(1);
                let before = self.model.clone();
                let value = self.expr(&ty, true, 0);
                let after = self.model.end_branch(before);
                self.model.join(&after);
                self.say(format!("if {condition} {{ {name} = {}; }}", value.text));
            }
        }
    }

    fn let_tuple(&mut self, fuel: usize) {
        let types: Vec<_> = (0..2 + self.dice.below(2)).map(|_| self.ty(1)).collect();
        let value = self.expr(&Ty::Tuple(types.clone()), false, fuel);
        let mut bound = Vec::new();
        let mut names = Vec::new();
        for ty in types {
            if self.dice.chance(15) {
                names.push("_".to_owned());
                continue;
            }
            let name = self.fresh("v");
            let is_mutable = self.dice.chance(40);
            names.push(if is_mutable { format!("mut {name}") } else { name.clone() });
            bound.push((name, ty, is_mutable));
        }
        self.say(format!("let ({}) = {};", names.join(", "), value.text));
        for (name, ty, is_mutable) in bound {
            self.model.declare(&name, ty, is_mutable);
        }
    }

    /// A number without a type, and what rustc takes it for.
    fn let_plain(&mut self) {
        let name = self.fresh("v");
        let value = self.dice.word(&["7", "-7", "2.5", "1_000", "0xff", "3 * 5", "1.0 / 3.0"]);
        self.say(format!("let {name} = {value};"));
        self.say(format!("println!(\"{{}} {{:?}}\", std::mem::size_of_val(&{name}), {name});"));
    }

    fn let_underscore(&mut self, fuel: usize) {
        if self.dice.chance(50)
            && let Some(place) = self.place(Access::Read, |_, place| place.ty.is_sized())
        {
            self.say(format!("let _ = {};", place.text));
            return;
        }
        let ty = self.ty(2);
        let value = self.expr(&ty, false, fuel);
        let name = if self.dice.chance(50) { "_".to_owned() } else { self.fresh("_v") };
        self.say(format!("let {name} = {};", value.text));
    }

    fn assign(&mut self, fuel: usize) {
        let is_reckless = self.is_reckless();
        // A moved variable, filled again.
        let empty: Vec<_> = self
            .model
            .visible()
            .into_iter()
            .filter(|&id| {
                let var = &self.model.vars[id];
                var.is_mutable && !var.moved.is_empty() && !self.holds_references(&var.ty)
            })
            .collect();
        if !empty.is_empty() && self.dice.chance(50) {
            let id = *self.dice.pick(&empty);
            let ty = self.model.vars[id].ty.clone();
            let value = self.expr(&ty, true, fuel);
            let var = &self.model.vars[id];
            let place = Place {
                root: id,
                path: Vec::new(),
                text: var.name.clone(),
                auto: String::new(),
                ty,
                via: Via::Own,
                is_mutable: true,
                can_move: true,
                has_index: false,
            };
            if self.model.is_free(&place, Access::Write) {
                self.say(format!("{} = {};", place.text, value.text));
                self.model.vars[id].moved.clear();
                self.model.vars[id].min_len = 0;
            }
            return;
        }
        let place = self.place_mut(|generator, place| {
            let loops = generator.model.vars[place.root].loops;
            let holds = generator.holds_references(&place.ty);
            let is_local = place.path.is_empty() && place.via == Via::Own && !place.has_index;
            place.ty.is_sized()
                && !place.ty.holds_guard(&generator.structs)
                && (!holds || is_reckless || (is_local && loops == generator.model.loops))
        });
        let Some(place) = place else { return };
        let held = self.model.temporaries.len();
        if place.via != Via::Own {
            self.model.hold(&place);
        }
        let value = self.expr(&place.ty, true, fuel);
        self.model.temporaries.truncate(held);
        if !self.model.is_free(&place, Access::Write) && !is_reckless {
            return;
        }
        // The value may have moved the place, or what it lies in.
        let var = &self.model.vars[place.root];
        if place.via != Via::Own || place.has_index || !place.path.is_empty() {
            let is_whole = var.moved.iter().all(|path| {
                !place.path.starts_with(path) || (*path == place.path && !place.has_index)
            });
            if !is_whole {
                return;
            }
        }
        self.say(format!("{} = {};", place.text, value.text));
        let var = &mut self.model.vars[place.root];
        var.min_len = 0;
        if place.via == Via::Own && !place.has_index {
            var.moved.retain(|path| !path.starts_with(&place.path));
        }
        if place.path.is_empty() && place.via == Via::Own && !place.has_index {
            var.loans = value.loans;
        } else {
            var.loans.extend(value.loans);
        }
    }

    fn assign_op(&mut self, fuel: usize) {
        let text = Ty::string();
        let place =
            self.place_mut(|_, place| place.ty.is_int() || place.ty.is_float() || place.ty == text);
        let Some(place) = place else { return };
        let held = self.model.temporaries.len();
        self.model.hold(&place);
        let (op, value) = if place.ty == text {
            // `a += &b` is a call, which borrows `a` before it reads `b`.
            let loans = self.model.loans_of(&place, Access::Write);
            self.model.temporaries.extend(loans);
            ("+=", self.expr(&Ty::reference(Ty::Str), true, 0).text)
        } else if place.ty.is_float() {
            let op = self.dice.word(&["+=", "-=", "*=", "/="]);
            (op, self.expr(&place.ty, true, fuel).text)
        } else if self.habits.is_bold {
            let op = self.dice.word(&["+=", "-=", "*=", "/=", "%="]);
            (op, self.expr(&place.ty, true, fuel).text)
        } else {
            match self.dice.below(4) {
                0 => ("+=", (1 + self.dice.below(3)).to_string()),
                1 => (self.dice.word(&["/=", "%=", ">>="]), (1 + self.dice.below(6)).to_string()),
                _ => {
                    let op = self.dice.word(&["&=", "|=", "^="]);
                    (op, self.expr(&place.ty, true, fuel).text)
                }
            }
        };
        self.model.temporaries.truncate(held);
        let is_whole = self.model.vars[place.root].moved.is_empty();
        if is_whole && self.model.is_free(&place, Access::Write) {
            self.say(format!("{} {op} {value};", place.text));
        }
    }

    fn call_statement(&mut self, fuel: usize) {
        if self.funs.is_empty() {
            return;
        }
        let result = self.dice.pick(&self.funs).result.clone();
        let Some(ex) = self.call(&result, fuel) else { return };
        if result == Ty::unit() || self.dice.chance(30) {
            self.say(format!("{};", ex.text));
        } else {
            self.bind(result, &ex, false);
        }
    }

    fn drop_value(&mut self) {
        let is_reckless = self.is_reckless();
        let place = self.place(Access::Write, |generator, place| {
            let is_copy = generator.has(&place.ty, "Copy");
            place.ty.is_sized() && !is_copy && (is_reckless || generator.model.can_move(place))
        });
        let Some(place) = place else { return };
        let function = if self.dice.chance(85) { "drop" } else { "std::mem::forget" };
        self.say(format!("{function}({});", place.text));
        self.model.mark_moved(&place);
    }

    fn branch(&mut self, fuel: usize) {
        let condition = self.condition(1);
        let before = self.model.clone();
        let statements = 1 + self.dice.below(3);
        let first = self.body(statements, fuel - 1);
        let after = self.model.end_branch(before);
        let mut pieces =
            vec![Piece::Text(format!("if {condition} ")), Piece::Body(first, String::new())];
        if self.dice.chance(50) {
            let second = self.body(statements, fuel - 1);
            pieces.push(Piece::Text(" else ".to_owned()));
            pieces.push(Piece::Body(second, String::new()));
        }
        self.model.join(&after);
        self.emit(Stmt { pieces, is_scope: false });
    }

    fn scope(&mut self, fuel: usize) {
        let statements = 2 + self.dice.below(4);
        let body = self.body(statements, fuel - 1);
        self.emit(Stmt::scope(body));
    }

    /// The body of a loop; it may be left or begun anew early.
    fn loop_body(&mut self, fuel: usize, extra: Option<(&str, Ty, bool)>) -> Vec<Stmt> {
        let before = self.model.clone();
        self.model.loops += 1;
        self.bodies.push(Vec::new());
        self.model.open();
        if let Some((name, ty, is_mutable)) = extra {
            self.model.declare(name, ty, is_mutable);
        }
        for _ in 0..=self.dice.below(3) {
            self.statement(fuel - 1);
            if self.dice.chance(12) {
                let condition = self.condition(0);
                let word = self.dice.word(&["break", "continue"]);
                self.say(format!("if {condition} {{ {word}; }}"));
            }
        }
        self.model.close();
        self.model.loops -= 1;
        self.model.join(&before);
        self.bodies.pop().expect("the body was opened")
    }

    fn for_range(&mut self, fuel: usize) {
        let ty = Ty::Scalar(self.dice.word(super::INTS));
        let name = self.fresh("i");
        let dots = self.dice.word(&["..", "..="]);
        let first = self.dice.below(3);
        let last = first + self.dice.below(4);
        let Ty::Scalar(suffix) = ty else { unreachable!("a range is of integers") };
        let head = format!("for {name} in {first}{suffix}{dots}{last} ");
        let body = self.loop_body(fuel, Some((&name, ty, false)));
        self.emit(Stmt::nest(head, body));
    }

    fn for_each(&mut self, fuel: usize) {
        let is_writing = self.dice.chance(40);
        let fits = |generator: &Self, place: &Place| {
            let is_deque = place.ty.is("heapless::Deque");
            (is_deque || matches!(&place.ty, Ty::Lib("Vec" | "heapless::Vec", _) | Ty::Array(..)))
                && !generator.holds_references(&place.ty)
        };
        let place = if is_writing { self.place_mut(fits) } else { self.place(Access::Read, fits) };
        let Some(place) = place else { return };
        let element = Box::new(place.ty.parts(&self.structs)[0].clone());
        let name = self.fresh("e");
        let (head, ty, access) = if is_writing {
            (format!("for {name} in &mut {} ", place.text), Ty::RefMut(element), Access::Write)
        } else if place.ty.is("heapless::Deque") || self.dice.chance(50) {
            (format!("for {name} in &{} ", place.text), Ty::Ref(element), Access::Read)
        } else {
            (format!("for {name} in {}.iter() ", place.auto), Ty::Ref(element), Access::Read)
        };
        let held = self.model.temporaries.len();
        let loans = self.model.loans_of(&place, access);
        self.model.temporaries.extend(loans);
        let body = self.loop_body(fuel, Some((&name, ty, false)));
        self.model.temporaries.truncate(held);
        self.emit(Stmt::nest(head, body));
    }

    fn while_loop(&mut self, fuel: usize) {
        let name = self.fresh("n");
        let end = self.dice.below(4);
        self.say(format!("let mut {name} = 0u8;"));
        let mut body = self.loop_body(fuel, None);
        // First, so that `continue` does not pass it by.
        body.insert(0, Stmt::text(format!("{name} += 1;")));
        self.emit(Stmt::nest(format!("while {name} < {end} "), body));
        self.model.declare(&name, Ty::Scalar("u8"), false);
    }

    fn loop_with_break(&mut self, fuel: usize) {
        let name = self.fresh("n");
        let end = 1 + self.dice.below(4);
        self.say(format!("let mut {name} = 0i32;"));
        let mut body = self.loop_body(fuel, None);
        let leave = format!("{name} += 1; if {name} > {end} {{ break; }}");
        body.insert(0, Stmt::text(leave));
        self.emit(Stmt::nest("loop ", body));
        self.model.declare(&name, Ty::Scalar("i32"), false);
    }

    /// `RefCell`: a guard in a variable, or one for a statement.
    fn guard(&mut self) {
        let place = self.place(Access::Read, |_, place| place.ty.is("RefCell"));
        let Some(place) = place else { return };
        let Ty::Lib(_, args) = &place.ty else { unreachable!("it is a RefCell") };
        let of = args[0].clone();
        let holder = self.model.vars.iter().any(|var| {
            var.is_alive
                && var.ty.holds_guard(&self.structs)
                && var.loans.iter().any(|loan| loan.var == place.root)
        });
        if holder && self.dice.chance(85) {
            return;
        }
        let loans = self.model.loans_of(&place, Access::Read);
        match self.dice.below(4) {
            0 => {
                let value = Ex { text: format!("{}.borrow()", place.auto), loans };
                self.bind(Ty::lib("Ref", [of]), &value, false);
            }
            1 => {
                let value = Ex { text: format!("{}.borrow_mut()", place.auto), loans };
                self.bind(Ty::lib("RefMut", [of]), &value, false);
            }
            2 => {
                let held = self.model.temporaries.len();
                self.model.temporaries.extend(loans);
                let value = self.expr(&of, true, 1);
                self.model.temporaries.truncate(held);
                self.say(format!("*{}.borrow_mut() = {};", place.auto, value.text));
            }
            _ if self.has(&of, "Debug") => {
                self.say(format!("println!(\"{{:?}}\", {}.borrow());", place.auto));
            }
            _ => {}
        }
    }

    /// Addresses differ between the machines; whether they are equal does not.
    fn pointers(&mut self) {
        let reference = self.place(Access::Read, |_, place| {
            matches!(&place.ty, Ty::Ref(of) if of.is_sized()) && place.via == Via::Own
        });
        let Some(reference) = reference else { return };
        let Ty::Ref(of) = &reference.ty else { unreachable!("it is a reference") };
        let other = self.place(Access::Read, |_, place| place.ty == **of && place.via == Via::Own);
        let Some(other) = other else { return };
        if self.written(of) == "()" {
            return;
        }
        self.say(format!(
            "println!(\"{{}}\", format!(\"{{:p}}\", {}) == format!(\"{{:p}}\", &{}));",
            reference.text, other.text
        ));
    }

    fn assert(&mut self, fuel: usize) {
        let condition = self.condition(fuel.min(1));
        match self.dice.below(4) {
            0 => self.say(format!("assert!({condition} || true, \"never\");")),
            1 => self.say(format!("assert!(!({condition}) || true);")),
            2 if self.dice.chance(20) => {
                self.say(format!("assert!({condition}, \"{{}} of {{}}\", 1, 2);"));
            }
            _ => self.say("assert_eq!(1 + 1, 2);"),
        }
    }

    fn panic(&mut self) {
        let value = self.dice.below(9);
        let condition = self.condition(0);
        let text = match self.dice.below(3) {
            0 => format!("panic!(\"stop at {{}}\", {value});"),
            1 => "unreachable!(\"here\");".to_owned(),
            _ => "panic!();".to_owned(),
        };
        self.say(format!("if {condition} {{ {text} }}"));
    }

    fn return_early(&mut self, fuel: usize) {
        let Some(result) = self.result.clone() else { return };
        if self.holds_references(&result) {
            return;
        }
        let condition = self.condition(1);
        let before = self.model.clone();
        let value = self.expr(&result, true, fuel.min(1));
        let after = self.model.end_branch(before);
        self.model.join(&after);
        if result == Ty::unit() {
            self.say(format!("if {condition} {{ return; }}"));
        } else {
            self.say(format!("if {condition} {{ return {}; }}", value.text));
        }
    }

    /// Prints a place, in one of the ways its type can be printed.
    pub(super) fn show(&mut self) {
        let place = self.place(Access::Read, |generator, place| {
            place.ty.is_sized() && generator.has(&place.ty, "Debug")
        });
        let Some(place) = place else { return };
        let specs: &[&str] = if place.ty.is_int() {
            &[
                "{}", "{}", "{:?}", "{:5}|", "{:<5}|", "{:^7}|", "{:>6}|", "{:05}", "{:+}",
                "{:#x}", "{:x}", "{:X}", "{:b}", "{:#b}", "{:o}", "{:#010b}", "{:e}", "{:*^9}",
                "{:#06x}", "{:+05}", "{:3?}|",
            ]
        } else if place.ty.is_float() {
            &[
                "{}", "{}", "{:?}", "{:.2}", "{:8.3}|", "{:+.1}", "{:e}", "{:08.2}", "{:.0}",
                "{:<9}|", "{:^9.1}|", "{:.3?}", "{:+}",
            ]
        } else if self.has(&place.ty, "Display") && matches!(place.ty, Ty::Scalar(_)) {
            &["{}", "{:?}", "{:8}|", "{:>8}|", "{:^8}|", "{:-<8}|"]
        } else if place.ty == Ty::string()
            || place.ty == Ty::reference(Ty::Str)
            || place.ty.is("heapless::String")
        {
            &["{}", "{:?}", "{:8}|", "{:>8}|", "{:^8}|", "{:-<8}|", "{:.2}|", "{:5.1}|", "{:#?}"]
        } else {
            &["{:?}", "{:?}", "{:?}", "{:?}", "{:?}", "{:#?}", "{:?} ok", "{:2?}"]
        };
        let spec = self.dice.word(specs);
        let is_name = place.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && self.dice.chance(40) {
            let spec = spec.replacen('{', &format!("{{{}", place.text), 1);
            self.say(format!("println!(\"{spec}\");"));
        } else {
            self.say(format!("println!(\"{spec}\", {});", place.text));
        }
    }
}

/// How many elements a vector written out has.
fn literal_len(text: &str) -> usize {
    let of_vec = text.strip_prefix("vec![").and_then(|text| text.strip_suffix(']'));
    let of_slice = || text.split_once("::from_slice(&[")?.1.strip_suffix("]).unwrap()");
    let Some(items) = of_vec.or_else(of_slice).filter(|items| !items.is_empty()) else { return 0 };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ", .'-\"_".contains(c);
    if items.chars().all(is_plain) { items.split(", ").count() } else { 0 }
}

/// Whether nothing of it is unknown.
fn is_complete(ty: &Ty) -> bool {
    match ty {
        Ty::Param(_) => false,
        Ty::Struct(_) => true,
        other => other.parts(&[]).into_iter().all(is_complete),
    }
}
