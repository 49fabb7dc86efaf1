//! Random programs of the subset, from a seed: well typed, and valid as far as the model knows.

mod exprs;
mod items;
mod model;
mod rows;
mod stmts;
pub(crate) mod types;

use self::model::{Loan, Model, Place};
use self::rows::{Callable, callables};
use self::types::{FLOATS, INTS, Struct, Ty};
use crate::cases::Case;
use crate::dice::Dice;
use crate::program::{Program, Stmt};

/// How a program is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// Of a hundred uses of a place, how many look neither at moves nor at borrows.
    pub(crate) reckless_percent: usize,
    /// Whether arithmetic is left to overflow.
    pub(crate) is_bold: bool,
}

/// A function of the program.
#[derive(Clone, Debug)]
struct Fun {
    /// As it is called: `f1`, `P::new`, or `get` for a method.
    name: String,
    /// Whether the first parameter is `self`.
    is_method: bool,
    params: Vec<Ty>,
    result: Ty,
}

/// An expression, and what the references in its value borrow.
#[derive(Clone, Debug)]
struct Ex {
    text: String,
    loans: Vec<Loan>,
}

impl Ex {
    fn owned(text: impl Into<String>) -> Self {
        Self { text: text.into(), loans: Vec::new() }
    }
}

struct Generator {
    dice: Dice,
    habits: Habits,
    rows: Vec<Callable>,
    structs: Vec<Struct>,
    funs: Vec<Fun>,
    model: Model,
    /// The statements of each open body.
    bodies: Vec<Vec<Stmt>>,
    /// What the function being written returns.
    result: Option<Ty>,
    names: usize,
}

/// The program of a seed.
pub(crate) fn program(seed: u64, habits: Habits) -> Program {
    let mut generator = Generator::new(seed, habits);
    let items = generator.items();
    let statements = 6 + generator.dice.below(16);
    let body = generator.body(statements, 3);
    Program { items, body }
}

/// A random program with a case's lines woven into it, in their order.
pub(crate) fn woven(seed: u64, case: &Case) -> Program {
    let mut generator = Generator::new(seed, Habits::default());
    let mut items = generator.items();
    let (owned, number) = (generator.owned_type(), Ty::Scalar(generator.dice.word(INTS)));
    let [owned_value, number_value] =
        [&owned, &number].map(|ty| generator.construct(ty, false, 0).text);
    let (owned, number) = (generator.written(&owned), generator.written(&number));
    let fault = case.filled([&owned, &owned_value, &number, &number_value]);
    let declared: Vec<_> = items.iter().map(Stmt::on_one_line).collect();
    items.extend(fault.items.into_iter().filter(|item| !declared.contains(&item.on_one_line())));
    generator.bodies.push(Vec::new());
    generator.model.open();
    for _ in 0..generator.dice.below(8) {
        generator.statement(2);
    }
    match generator.dice.below(6) {
        0 if !fault.body.is_empty() => {
            let name = generator.fresh("f");
            items.push(Stmt::nest(format!("fn {name}() "), fault.body));
            generator.say(format!("{name}();"));
        }
        1 => {
            let body = generator.between(fault.body);
            generator.emit(Stmt::scope(body));
        }
        2 => {
            let body = generator.between(fault.body);
            generator.emit(Stmt::nest("if 1 + 1 == 2 ", body));
        }
        _ => {
            for stmt in fault.body {
                generator.emit(stmt);
                if generator.dice.chance(40) {
                    generator.statement(2);
                }
            }
        }
    }
    for _ in 0..generator.dice.below(4) {
        generator.statement(2);
    }
    Program { items, body: generator.bodies.pop().expect("the body was opened") }
}

impl Generator {
    /// These statements in a scope of their own, with others between them.
    fn between(&mut self, stmts: Vec<Stmt>) -> Vec<Stmt> {
        self.bodies.push(Vec::new());
        self.model.open();
        for stmt in stmts {
            self.emit(stmt);
            if self.dice.chance(30) {
                self.statement(1);
            }
        }
        self.model.close();
        self.bodies.pop().expect("the body was opened")
    }

    /// A type that is moved, and can be printed.
    fn owned_type(&mut self) -> Ty {
        for _ in 0..10 {
            let ty = self.ty_without_heaps(2);
            if !self.has(&ty, "Copy") && self.has(&ty, "Debug") && self.has(&ty, "Clone") {
                return ty;
            }
        }
        Ty::string()
    }

    fn new(seed: u64, habits: Habits) -> Self {
        let mut dice = Dice::new(seed);
        let habits = Habits { is_bold: habits.is_bold || dice.chance(12), ..habits };
        Self {
            dice,
            habits,
            rows: callables(),
            structs: Vec::new(),
            funs: Vec::new(),
            model: Model::default(),
            bodies: Vec::new(),
            result: None,
            names: 0,
        }
    }

    /// A body of its own scope.
    fn body(&mut self, statements: usize, fuel: usize) -> Vec<Stmt> {
        self.bodies.push(Vec::new());
        self.model.open();
        for _ in 0..statements {
            self.statement(fuel);
        }
        if self.model.depth() == 1 {
            for _ in 0..4 {
                self.show();
            }
        }
        self.model.close();
        self.bodies.pop().expect("the body was opened")
    }

    fn emit(&mut self, stmt: Stmt) {
        self.bodies.last_mut().expect("a body is open").push(stmt);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.emit(Stmt::text(text));
    }

    fn written(&self, ty: &Ty) -> String {
        ty.written(&self.structs)
    }

    fn has(&self, ty: &Ty, name: &str) -> bool {
        ty.has(name, &self.structs)
    }

    fn holds_references(&self, ty: &Ty) -> bool {
        ty.holds_references(&self.structs)
    }

    /// A name for a variable: a new one, or now and then one that is shadowed.
    fn name(&mut self) -> String {
        let mut visible = self.model.visible();
        visible.retain(|&id| self.model.vars[id].name != "self");
        if !visible.is_empty() && self.dice.chance(12) {
            let id = *self.dice.pick(&visible);
            return self.model.vars[id].name.clone();
        }
        self.fresh("v")
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A type whose values hold no reference.
    fn ty(&mut self, depth: usize) -> Ty {
        let scalar = |dice: &mut Dice| {
            let names =
                dice.weighted(&[(8, INTS), (1, &["i32"]), (1, FLOATS), (1, &["bool", "char"])]);
            Ty::Scalar(dice.word(names))
        };
        if depth == 0 {
            return if self.dice.chance(20) { Ty::string() } else { scalar(&mut self.dice) };
        }
        let kind = self.dice.below(24 + self.structs.len() * 2);
        let inner = |generator: &mut Self| generator.ty(depth - 1);
        match kind {
            0..=4 => scalar(&mut self.dice),
            5 | 6 => Ty::string(),
            7..=9 => {
                let of = inner(self);
                Ty::lib("Vec", [of].into_iter().chain(self.heap()))
            }
            10 => {
                let of = inner(self);
                Ty::lib("Box", [of].into_iter().chain(self.heap()))
            }
            11 | 12 => Ty::lib("Option", [inner(self)]),
            13 => {
                let len = 1 + self.dice.below(3);
                Ty::Tuple((0..len).map(|_| inner(self)).collect())
            }
            14 => {
                let of = Box::new(inner(self));
                Ty::Array(of, self.dice.below(4))
            }
            15 => Ty::lib(self.dice.word(&["Rc", "Arc"]), [inner(self)]),
            16 => Ty::lib("RefCell", [inner(self)]),
            17 => Ty::lib("Cell", [inner(self)]),
            18 => Ty::lib("Result", [inner(self), Ty::string()]),
            19 => Ty::lib(self.dice.word(&["Weak", "sync::Weak"]), [inner(self)]),
            20 | 21 => {
                let of = inner(self);
                Ty::lib("heapless::Vec", [of, Ty::Number(self.dice.below(5))])
            }
            22 => Ty::lib("heapless::String", [Ty::Number(self.dice.below(9))]),
            23 => {
                let of = inner(self);
                Ty::lib("heapless::Deque", [of, Ty::Number(1 + self.dice.below(4))])
            }
            _ => Ty::Struct(self.dice.below(self.structs.len())),
        }
    }

    /// The heap of a collection, seldom one by name.
    fn heap(&mut self) -> Option<Ty> {
        let (name, _) = self.dice.pick(types::HEAPS);
        self.dice.chance(20).then_some(Ty::Heap(name))
    }

    /// A type that stands in a struct, or that a reference to is given back.
    fn ty_without_heaps(&mut self, depth: usize) -> Ty {
        loop {
            let ty = self.ty(depth);
            if !ty.names_a_heap(&self.structs) {
                return ty;
            }
        }
    }

    /// Whether this use of a place looks at nothing.
    fn is_reckless(&mut self) -> bool {
        self.habits.reckless_percent > 0 && self.dice.chance(self.habits.reckless_percent)
    }

    /// A place that fits, which may be accessed so: what stands in the way is perhaps never used again.
    fn place(
        &mut self,
        access: model::Access,
        mut fits: impl FnMut(&Self, &Place) -> bool,
    ) -> Option<Place> {
        let is_reckless = self.is_reckless();
        let mut places = self.model.places(&self.structs, is_reckless);
        places.retain(|place| fits(self, place));
        for _ in 0..places.len().min(4) {
            let place = self.dice.pick(&places).clone();
            if is_reckless || self.model.is_free(&place, access) {
                return Some(place);
            }
            if self.dice.chance(40) && self.model.make_free(&place, access, &self.structs) {
                return Some(place);
            }
        }
        None
    }

    /// A place that may be written to.
    fn place_mut(&mut self, mut fits: impl FnMut(&Self, &Place) -> bool) -> Option<Place> {
        let is_reckless = self.is_reckless();
        self.place(model::Access::Write, |generator, place| {
            (place.is_mutable || is_reckless) && fits(generator, place)
        })
    }
}
