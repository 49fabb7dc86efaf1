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
        /// Whether the use is itself the move, one turn of a loop later.
        is_same: bool,
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
