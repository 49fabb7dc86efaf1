//! What rustc would refuse, with its code and its reason.

use std::fmt;
use std::sync::Arc;

use crate::typed::At;

/// A program that rustc would refuse: the first of its errors, in the order of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where rustc points at. That may be an older line: one that was right until the newest was added.
    pub at: At,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong. A place is as the program writes it; `None` is a value without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Wrong {
    /// A variable is used that got no value on some way to here.
    Unset { place: Option<String>, how: Use, declared: At },
    /// A place is used that was moved out of on some way to here.
    Moved {
        place: Option<String>,
        /// What was moved, if that was only a part of it.
        part: Option<String>,
        how: Use,
        by: At,
        /// Whether it was moved in an earlier turn of a loop.
        is_around: bool,
    },
    /// A variable that is not `mut` gets a second value.
    AssignedTwice { name: Arc<str>, first: At, is_parameter: bool },
    /// A place is accessed while a borrow of it is in use.
    Borrowed {
        place: Option<String>,
        /// What is borrowed: the place, a part of it, or what it is a part of.
        loan: Option<String>,
        access: Access,
        is_mutable: bool,
        borrowed: At,
        later: Later,
    },
    /// A variable ends while it is borrowed.
    TooShort { name: Arc<str>, place: Option<String>, end: At, later: Later },
    /// A temporary ends while it is borrowed.
    TemporaryTooShort { borrowed: At, end: At, later: Later },
    /// A reference to what ends with the function is returned.
    Returned { name: Option<Arc<str>>, is_parameter: bool, borrowed: At },
    /// An `impl Drop` may look at what is borrowed.
    BorrowedByDestructor { place: Option<String>, end: At, later: Later },
    /// A place cannot give its value away.
    MovedOut { place: Option<String>, from: MovedFrom },
    /// A place that cannot be written is assigned to.
    Written { place: Option<String>, why: NotMutable },
    /// A place that cannot be written is borrowed as mutable.
    BorrowedToWrite { place: Option<String>, why: NotMutable },
    /// A reference leaves a function by a way that its signature does not name.
    Escapes { param: Option<Arc<str>>, is_returned: bool, needs: Needs },
    /// What we cannot rule out, but rustc might: a limit of this checker.
    Limit { wrong: Box<Wrong> },
}

/// What a signature lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Needs {
    /// A lifetime that is the same, or longer.
    Lifetime,
    /// A name for a parameter's lifetime.
    Name { param: Arc<str> },
    /// `'static`.
    Static,
}

/// How a place is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Use {
    Read,
    Moved,
    Borrowed,
    /// A part of it is assigned to.
    Assigned,
}

/// What conflicts with a borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Access {
    Read,
    Move,
    Borrow,
    BorrowMut,
    Assign,
}

/// Who needs a borrow that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Later {
    /// A variable or temporary that holds it is used.
    Use {
        name: Option<Arc<str>>,
        at: At,
        /// Whether that is in the next turn of a loop.
        is_around: bool,
    },
    /// The end of a variable that holds it looks at it.
    Drop { name: Option<Arc<str>>, at: At },
    /// The function's caller.
    Caller,
}

/// Why nothing can be moved out of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MovedFrom {
    /// It lies behind a reference.
    Reference,
    /// It is an element of an array or slice.
    Element,
    /// It is a field of something with an `impl Drop`.
    FieldOfDrop { ty: String },
}

/// Why a place cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NotMutable {
    /// Its variable is not `mut`.
    Variable { name: Arc<str>, at: At },
    /// It lies behind a `&`.
    Reference { place: Option<String> },
}

impl Fault {
    /// rustc's code. It has none for a lifetime that is too short for a signature, nor for what it would let through.
    pub fn code(&self) -> Option<&'static str> {
        Some(match &self.wrong {
            Wrong::Unset { .. } => "E0381",
            Wrong::Moved { .. } => "E0382",
            Wrong::AssignedTwice { .. } => "E0384",
            Wrong::Borrowed { access, is_mutable, .. } => match access {
                Access::BorrowMut if *is_mutable => "E0499",
                Access::Borrow | Access::BorrowMut => "E0502",
                Access::Read => "E0503",
                Access::Move => "E0505",
                Access::Assign => "E0506",
            },
            Wrong::TooShort { .. } => "E0597",
            Wrong::TemporaryTooShort { .. } => "E0716",
            Wrong::Returned { .. } => "E0515",
            Wrong::BorrowedByDestructor { .. } => "E0713",
            Wrong::MovedOut { from, .. } => match from {
                MovedFrom::Reference => "E0507",
                MovedFrom::Element => "E0508",
                MovedFrom::FieldOfDrop { .. } => "E0509",
            },
            Wrong::Written { .. } => "E0594",
            Wrong::BorrowedToWrite { .. } => "E0596",
            Wrong::Escapes { needs, .. } => match needs {
                Needs::Lifetime => return None,
                Needs::Name { .. } => "E0621",
                Needs::Static => "E0521",
            },
            Wrong::Limit { .. } => return None,
        })
    }
}

/// What is wrong, in words. Where a line of the log is meant, `line` says how to call it.
struct Told<'a> {
    fault: &'a Fault,
    line: &'a dyn Fn(u32) -> String,
}

impl Fault {
    /// What is wrong, in words, with a name of the caller's for each line of the log: `line 2 (`let r = &v`)`.
    pub fn told(&self, line: &dyn Fn(u32) -> String) -> String {
        Told { fault: self, line }.to_string()
    }

    /// The other places that have to do with it: where a value was moved, borrowed, declared; where a borrow is used
    /// later.
    pub fn others(&self) -> Vec<At> {
        let later = |later: &Later| match later {
            Later::Use { at, .. } | Later::Drop { at, .. } => Some(*at),
            Later::Caller => None,
        };
        let (first, second) = match &self.wrong {
            Wrong::Unset { declared: at, .. }
            | Wrong::Moved { by: at, .. }
            | Wrong::AssignedTwice { first: at, .. }
            | Wrong::Returned { borrowed: at, .. }
            | Wrong::Written { why: NotMutable::Variable { at, .. }, .. }
            | Wrong::BorrowedToWrite { why: NotMutable::Variable { at, .. }, .. } => {
                (Some(*at), None)
            }
            Wrong::Borrowed { borrowed: at, later: by, .. }
            | Wrong::TooShort { end: at, later: by, .. }
            | Wrong::TemporaryTooShort { end: at, later: by, .. }
            | Wrong::BorrowedByDestructor { end: at, later: by, .. } => (Some(*at), later(by)),
            Wrong::Limit { wrong } => {
                return Self { at: self.at, wrong: Wrong::clone(wrong) }.others();
            }
            _ => (None, None),
        };
        let others = first.into_iter().chain(second);
        others.filter(|at| *at != At::default() && *at != self.at).collect()
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        let or = |name: &Option<String>| name.clone().unwrap_or_else(|| "the value".to_owned());
        Some(match &self.wrong {
            Wrong::Unset { place, .. } => {
                format!("give {} a value where it is declared", or(place))
            }
            Wrong::Moved { place, part, .. } => {
                let moved = or(part.as_ref().map_or(place, |_| part));
                format!("lend it there instead, &{moved}, or move a copy, if it can be cloned")
            }
            Wrong::AssignedTwice { name, .. } => {
                format!("let mut {name}, or a new variable: let {name} = …")
            }
            Wrong::Borrowed { later: Later::Use { name: Some(name), .. }, .. } => {
                format!("use {name} for the last time before this, or borrow anew after it")
            }
            Wrong::Borrowed { .. } => "let the borrow end first".to_owned(),
            Wrong::TooShort { name, .. } => format!("declare {name} before what borrows it"),
            Wrong::TemporaryTooShort { .. } => {
                "give the value a name first: let value = …;".to_owned()
            }
            Wrong::Returned { .. } => "return the value itself, not a reference to it".to_owned(),
            Wrong::BorrowedByDestructor { .. } => "end the borrow before the value ends".to_owned(),
            Wrong::MovedOut { place, from: MovedFrom::FieldOfDrop { .. } } => {
                let place = or(place);
                format!("a copy, {place}.clone(), or std::mem::take(&mut {place})")
            }
            Wrong::MovedOut { place, .. } => {
                let place = or(place);
                format!("a reference, &{place}, or a copy, {place}.clone()")
            }
            Wrong::Written { why, .. } | Wrong::BorrowedToWrite { why, .. } => match why {
                NotMutable::Variable { name, .. } if &**name == "self" => "mut self".to_owned(),
                NotMutable::Variable { name, .. } => format!("let mut {name}"),
                NotMutable::Reference { .. } => "&mut where the reference is made".to_owned(),
            },
            Wrong::Escapes { needs, .. } => match needs {
                Needs::Lifetime => "one lifetime for both: fn f<'a>(a: &'a T, b: &'a T)".to_owned(),
                Needs::Name { param } => format!("write the lifetime of {param}: {param}: &'a T"),
                Needs::Static => {
                    "a parameter of type &'static T, or a value of one's own".to_owned()
                }
            },
            Wrong::Limit { .. } => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Told { fault: self, line: &|line| format!("line {line}") }.fmt(f)
    }
}

impl Told<'_> {
    /// Where `at` is, for a reader who looks at the fault's line.
    fn at(&self, at: At) -> String {
        match at.line {
            0 => "at the end".to_owned(),
            line if line == self.fault.at.line => "here".to_owned(),
            line => format!("in {}", (self.line)(line)),
        }
    }

    fn by(&self, at: At) -> String {
        if at.line == self.fault.at.line {
            "here".to_owned()
        } else {
            format!("by {}", (self.line)(at.line))
        }
    }

    fn later(&self, later: &Later) -> String {
        let name = |name: &Option<Arc<str>>| match name {
            Some(name) => name.to_string(),
            None => "the reference".to_owned(),
        };
        match later {
            Later::Use { name: of, is_around: true, .. } => {
                format!("{} is used again in the next turn of the loop", name(of))
            }
            Later::Use { name: of, at, .. } => {
                format!("{} is used again {}", name(of), self.at(*at))
            }
            Later::Drop { name: of, at } => {
                format!("{} is dropped only {}", name(of), self.at(*at))
            }
            Later::Caller => "the borrow must last beyond that".to_owned(),
        }
    }

    fn wrong(&self, wrong: &Wrong) -> String {
        let or = |place: &Option<String>, otherwise: &str| match place {
            Some(place) => place.clone(),
            None => otherwise.to_owned(),
        };
        match wrong {
            Wrong::Unset { place, how: Use::Assigned, .. } => {
                format!("{} has no value yet, so a part of it cannot be assigned to.", or(place, "It"))
            }
            Wrong::Unset { place, declared, .. } => {
                let place = or(place, "It");
                format!("{place} may have no value here; it is declared without one {}.", self.at(*declared))
            }
            Wrong::Moved { place, is_around: true, .. } => {
                format!("{} is moved in the loop's first turn, and gone in the next.", or(place, "It"))
            }
            Wrong::Moved { place, part: Some(part), by, .. } => {
                let place = or(place, "it");
                format!("{part} was moved {}, so {place} is no longer whole.", self.by(*by))
            }
            Wrong::Moved { place, by, .. } => {
                format!("{} was moved {}; its value is elsewhere now.", or(place, "It"), self.by(*by))
            }
            Wrong::AssignedTwice { name, is_parameter: true, .. } => {
                format!("{name} is a parameter without mut.")
            }
            Wrong::AssignedTwice { name, first, .. } => {
                format!("{name} is not mut, and it got its value {}.", self.at(*first))
            }
            Wrong::Borrowed { place, loan, access, is_mutable, borrowed, later } => {
                let loan = or(loan, "the value");
                let place = or(place, "the value");
                let what = match access {
                    Access::Read => format!("{place} cannot be read"),
                    Access::Move => format!("{place} cannot be moved"),
                    Access::Borrow => format!("{place} cannot be borrowed"),
                    Access::BorrowMut => format!("{place} cannot be borrowed mutably"),
                    Access::Assign => format!("{place} cannot be assigned to"),
                };
                let mutably = if *is_mutable { " mutably" } else { "" };
                let (by, later) = (self.by(*borrowed), self.later(later));
                format!("{what}: {loan} is borrowed{mutably} {by}, and {later}.")
            }
            Wrong::TooShort { name, end, later, .. } => {
                format!("{name} ends {} while it is borrowed, and {}.", self.at(*end), self.later(later))
            }
            Wrong::TemporaryTooShort { end, later, .. } => {
                let (end, later) = (self.at(*end), self.later(later));
                format!("The value has no name and ends with its statement {end}, but {later}.")
            }
            Wrong::Returned { name, is_parameter, .. } => match name {
                Some(name) if *is_parameter => {
                    format!("The parameter {name} ends with the function: no reference to it can be returned.")
                }
                Some(name) => {
                    format!("{name} ends with the function: no reference to it can be returned.")
                }
                None => "A value without a name ends with the function: no reference to it can be returned.".to_owned(),
            },
            Wrong::BorrowedByDestructor { place, end, later } => {
                let place = or(place, "the value");
                let (end, later) = (self.at(*end), self.later(later));
                format!("What {place} belongs to is dropped {end}, and its Drop may look at it, but {later}.")
            }
            Wrong::MovedOut { place, from } => {
                let place = or(place, "The value");
                match from {
                    MovedFrom::Reference => {
                        format!("{place} lies behind a reference, which would be left without it.")
                    }
                    MovedFrom::Element => {
                        format!("{place} is one of several elements, and cannot leave alone.")
                    }
                    MovedFrom::FieldOfDrop { ty } => {
                        format!("{place} cannot leave: {ty} has a Drop, which needs all of it.")
                    }
                }
            }
            Wrong::Written { place, why } | Wrong::BorrowedToWrite { place, why } => {
                let verb = match wrong {
                    Wrong::Written { .. } => "assigned to",
                    _ => "borrowed mutably",
                };
                let place = or(place, "The value");
                match why {
                    NotMutable::Variable { name, at } => {
                        let at = self.at(*at);
                        format!("{place} cannot be {verb}: {name} is declared without mut {at}.")
                    }
                    NotMutable::Reference { place: Some(reference) } => {
                        format!("{place} cannot be {verb}: {reference} is a & reference, to look only.")
                    }
                    NotMutable::Reference { place: None } => {
                        format!("{place} cannot be {verb}: it lies behind a & reference, to look only.")
                    }
                }
            }
            Wrong::Escapes { param, is_returned, needs } => {
                let param = or(&param.as_ref().map(ToString::to_string), "a parameter");
                let way = if *is_returned { "is returned" } else { "is kept" };
                match needs {
                    Needs::Static => format!("What {param} refers to {way}, and need not live so long: 'static is asked for."),
                    _ => format!("What {param} refers to {way} for a lifetime that the signature does not give it."),
                }
            }
            Wrong::Limit { wrong } => {
                format!("{} That is as far as this checker sees; rustc may know better.", self.wrong(wrong))
            }
        }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrong(&self.fault.wrong))
    }
}
