//! A program that grows line by line.

use std::fmt;
use std::sync::Arc;

use imbl::Vector;

use crate::items::Items;
use crate::lower::{self, Names};
use crate::machine::{Machine, Refused};
use crate::picture::{Picture, picture};
use crate::run::{self, State, Stop};
use crate::typed::{LocalId, Top};
use crate::types::Type;
use crate::{check, typed::At};

/// What the lines so far have made. A clone shares all of it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    names: Names,
    items: Items,
    body: Vector<Arc<Top>>,
    judge: check::Judge,
    state: State,
}

/// A variable in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: String,
    /// Whether it is `mut`.
    pub is_mutable: bool,
    /// Where it lies.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// Its value as `{:?}` prints it; `moved` or `unset` if it has none.
    pub value: String,
}

/// Why a line was not taken, or not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its grammar, names or types.
    Lower(lower::Fault),
    /// Its ownership or borrows.
    Check(check::Fault),
    /// It ran, and stopped. Only after a panic is the state of use.
    Run(Stop),
}

impl Fault {
    /// Where.
    pub fn at(&self) -> Option<At> {
        match self {
            Self::Lower(fault) => Some(fault.at),
            Self::Check(fault) => Some(fault.at),
            Self::Run(Stop::Panic { at, .. } | Stop::Abort { at, .. }) => Some(*at),
            Self::Run(_) => None,
        }
    }

    /// rustc's code, or ours.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lower(fault) => fault.code(),
            Self::Check(fault) => fault.code().unwrap_or("lifetime"),
            Self::Run(Stop::Panic { .. } | Stop::Abort { .. }) => "panic",
            Self::Run(Stop::Refused(Refused::Stack)) => "stack-overflow",
            Self::Run(Stop::Refused(Refused::Heap)) => "out-of-memory",
            Self::Run(Stop::Steps) => "too-many-steps",
            Self::Run(Stop::Interrupted) => "interrupted",
            Self::Run(Stop::TooLarge(_)) => "size-overflow",
        }
    }

    /// What else there is to say.
    pub fn note(&self) -> String {
        String::new()
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lower(fault) => fault.hint(),
            Self::Check(fault) => fault.hint(),
            Self::Run(Stop::Steps) => Some("a loop with fewer turns".to_owned()),
            Self::Run(_) => None,
        }
    }
}

/// Whether ownership and borrows are judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    Kept,
    Ignored,
}

impl Program {
    /// Takes in one line: it is typed, judged together with all lines before it, and run.
    ///
    /// # Errors
    ///
    /// A [`Fault`]. After one of [`Fault::Lower`] or [`Fault::Check`] nothing has changed; after a panic its effects stay;
    /// after any other stop the caller puts machine and program back.
    pub fn run(&mut self, line: u32, text: &str, machine: &mut dyn Machine) -> Result<(), Fault> {
        let (mut names, mut items) = (self.names.clone(), self.items.clone());
        let old_functions = items.functions.len();
        let tops = lower::line(&mut names, &mut items, line, text).map_err(Fault::Lower)?;
        for function in items.functions.iter().skip(old_functions) {
            check::function(&items, function).map_err(Fault::Check)?;
        }
        self.take_in(names, items, tops, Rules::Kept, machine)
    }

    /// Takes in one line that the rules of ownership and borrowing forbid, and runs it all the same: nothing it leaves
    /// behind is of use, but to be looked at.
    ///
    /// # Errors
    ///
    /// As [`Self::run`], but none of [`Fault::Check`].
    pub fn run_unjudged(
        &mut self,
        line: u32,
        text: &str,
        machine: &mut dyn Machine,
    ) -> Result<(), Fault> {
        let (mut names, mut items) = (self.names.clone(), self.items.clone());
        let tops = lower::line(&mut names, &mut items, line, text).map_err(Fault::Lower)?;
        self.take_in(names, items, tops, Rules::Ignored, machine)
    }

    fn take_in(
        &mut self,
        names: Names,
        items: Items,
        tops: Vec<Top>,
        rules: Rules,
        machine: &mut dyn Machine,
    ) -> Result<(), Fault> {
        let mut body = self.body.clone();
        body.extend(tops.into_iter().map(Arc::new));
        let from = self.body.len();
        if rules == Rules::Kept {
            self.judge.judge(&items, names.locals(), &body, from).map_err(Fault::Check)?;
        }
        (self.names, self.items, self.body) = (names, items, body);
        let tops: Vec<_> = self.body.iter().skip(from).cloned().collect();
        run::run(&self.items, &mut self.state, self.names.locals(), &tops, machine)
            .map_err(Fault::Run)
    }

    /// Ends the newest variable: it is dropped, and its slot is gone. `line` is the log's.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn pop(&mut self, line: u32, machine: &mut dyn Machine) -> Result<(), Fault> {
        let Some(local) = self.state.newest() else { return Ok(()) };
        let top = Arc::new(Top::Pop(local, At { line, start: 0, end: 0 }));
        let mut body = self.body.clone();
        body.push_back(Arc::clone(&top));
        self.judge
            .judge(&self.items, self.names.locals(), &body, self.body.len())
            .map_err(Fault::Check)?;
        self.body = body;
        self.names.forget(local);
        run::run(&self.items, &mut self.state, self.names.locals(), &[top], machine)
            .map_err(Fault::Run)
    }

    /// Whether it has no variables at all.
    pub fn is_empty(&self) -> bool {
        self.names.locals().is_empty()
    }

    /// What names stand for.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Its structs, functions and literals.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// Where its variables lie.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The variables in scope, the oldest first; a value's text ends after some `limit` characters.
    pub fn variables(&self, machine: &dyn Machine, limit: usize) -> Vec<Variable> {
        let rows = self.state.variables(&self.items, machine, limit);
        let named = rows.into_iter().filter_map(|row| {
            let local = &self.names.locals()[row.local.0 as usize];
            (!local.name.is_empty()).then(|| Variable {
                name: Arc::clone(&local.name),
                ty: local.ty.to_string(),
                is_mutable: local.is_mutable,
                address: row.address,
                size: row.size,
                value: row.value,
            })
        });
        named.collect()
    }

    /// The value of a type that lies at an address, as `{:?}` prints it. `None` for a type no line has used.
    pub fn describe_at(
        &self,
        machine: &dyn Machine,
        at: u64,
        ty: &Type,
        limit: usize,
    ) -> Option<String> {
        self.state.describe_at(&self.items, machine, at, ty, limit)
    }

    /// The pointers in the variables and in what they own.
    pub fn pointers(&self, machine: &dyn Machine) -> Vec<run::Pointer> {
        let name = |local: LocalId| Arc::clone(&self.names.locals()[local.0 as usize].name);
        self.state.pointers(&self.items, machine, &name)
    }

    /// The blocks that nothing owns any more.
    pub fn leaks(&self, machine: &dyn Machine) -> Vec<run::Leak> {
        self.state.leaks(&self.items, machine)
    }

    /// How the values of a type lie in memory.
    ///
    /// # Errors
    ///
    /// Text that is no type, or one too large.
    pub fn layout(&self, line: u32, text: &str) -> Result<Picture, Fault> {
        let ty = lower::type_of(&self.names, &self.items, line, text).map_err(Fault::Lower)?;
        picture(&ty, &self.items).map_err(|too_large| Fault::Run(Stop::TooLarge(too_large)))
    }

    /// Where the variable of that name lies.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.state.address(self.names.local(name)?)
    }

    /// The variable that a name stands for now.
    pub fn local(&self, name: &str) -> Option<LocalId> {
        self.names.local(name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower(fault) => fault.fmt(f),
            Self::Check(fault) => fault.fmt(f),
            Self::Run(stop) => stop.fmt(f),
        }
    }
}
