//! The typed form: what a program means, once names are resolved, types are found and sugar is gone.
//!
//! [`crate::lower`] makes it, [`crate::check`] judges it, [`crate::run`] runs it. Method calls are calls, `while` is
//! `loop`, adjustments (auto-borrow, auto-deref, unsizing) are written out, a comparison says what it compares.
//!
//! A *place* is memory with a path to it, a *value* is what an expression leaves behind. Reading a place copies it if its
//! type is `Copy` and moves it otherwise.

use std::sync::Arc;

use crate::library::Row;
use crate::types::{Heap, Type};

/// Where in the source: bytes `start..end` of the log's line `line`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct At {
    pub line: u32,
    pub start: u32,
    pub end: u32,
}

/// Names a variable of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalId(pub u32);

/// Names a function of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// Names a loop of one body, for `break` and `continue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoopId(pub u32);

/// A variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name. A shadowed variable is another local of the same name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it was declared `mut`.
    pub is_mutable: bool,
    /// Where it was declared.
    pub at: At,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name; `Point::new` for an associated one.
    pub name: Arc<str>,
    /// Every variable of its body; the parameters come first.
    pub locals: Vec<Local>,
    /// What it takes and gives.
    pub signature: Signature,
    /// Its body.
    pub body: Block,
    /// Where its name stands.
    pub at: At,
}

/// What a function takes and gives, and how references pass through it.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The parameters' types.
    pub params: Vec<Type>,
    /// The result's type.
    pub result: Type,
    /// Of a function of the library: how loans pass from one to the other.
    pub flows: Vec<Flow>,
    /// Of a function of the program: the lifetime of each reference.
    pub lifetimes: Option<Lifetimes>,
}

/// The lifetimes of a signature's references, in the order in which the references are written. `Ref`, `RefMut`, `Iter` and
/// `Cow` count as references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of each parameter.
    pub params: Vec<Vec<Lifetime>>,
    /// Of the result.
    pub result: Vec<Lifetime>,
}

/// A lifetime of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// `'static`.
    Static,
    /// One with a name, by its number among those declared.
    Named(u8),
    /// One that is not written: the parameters' are all different, the result's is that of a parameter.
    Elided(u8),
}

/// References at `from` may end up at `to`: by elision, or by one type parameter.
///
/// A position counts reference layers from outside: in `&'a mut Vec<&'b str>` the layer of `'a` is 0, that of `'b` is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// A parameter's layer.
    pub from: Position,
    /// Another parameter's layer, or the result's.
    pub to: Position,
}

/// A reference layer of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which parameter; `None` is the result.
    pub param: Option<u8>,
    /// Which layer, counted from outside; references at the same depth share one. This layer and all deeper ones flow.
    pub layer: u8,
}

/// Statements and perhaps a value, in a scope of their own.
#[derive(Clone, Debug)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The value, if the block has one. Its temporaries go before the block's variables do (edition 2024).
    pub tail: Option<Box<Expr>>,
    /// The closing brace: where its variables are dropped, in reverse.
    pub end: At,
}

/// A statement. Temporaries live to its end, unless [`Stmt::Let`] says otherwise.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// `let x = …;`, or without a value `let x;`. Temporaries that Rust keeps as long as the variable (`let r = &String::new();`) are [`Expr`]s turned into
    /// hidden locals by the lowering, so they too are `Let`s before this one.
    Let {
        /// The variable.
        local: LocalId,
        /// Its first value.
        init: Option<Expr>,
        /// The whole statement.
        at: At,
    },
    /// An expression whose value is dropped at the end of the statement. `let _ = value;` is one; `let _ = place;` is
    /// nothing at all, and lowers to a [`Stmt::Mention`].
    Expr(Expr),
    /// `let _ = place;`: must be a live place, is not read.
    Mention(Place, At),
    /// `let (a, b) = …;`: the value lies in a hidden local until each variable has its part of it. Then what no variable
    /// took is dropped, and the value's temporaries after that.
    Pattern {
        /// The hidden local.
        whole: LocalId,
        /// The value.
        init: Expr,
        /// Each variable with what it takes: a read of the hidden local.
        parts: Vec<(LocalId, Expr)>,
        /// The whole statement.
        at: At,
    },
}

/// What one line of the log adds to the outermost body.
#[derive(Clone, Debug)]
pub enum Top {
    /// A statement.
    Stmt(Stmt),
    /// A line's value without a semicolon: shown, then dropped.
    Show(Expr),
    /// `{` alone: a scope opens.
    Open(At),
    /// `}` alone: it closes, and its variables are dropped in reverse.
    Close(At),
    /// The prompt's `pop` took the newest variable away: it is dropped.
    Pop(LocalId, At),
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Where it stands.
    pub at: At,
}

/// What an expression does.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, `bool` or `char`: its bits, little end first.
    Constant(u128),
    /// A string literal: its bytes lie in the program's read-only memory at this address. The type is `&str`.
    Text {
        /// The address of its first byte.
        address: u64,
        /// Its bytes.
        len: u64,
    },
    /// `&bump`: a heap of the machine.
    Heap(Heap),
    /// Reads a place: a copy, or a move if the type is not `Copy`.
    Read(Place),
    /// `&place`, `&mut place`.
    Borrow {
        /// The type of borrow.
        borrow: BorrowKind,
        /// What is borrowed.
        place: Place,
    },
    /// A tuple, an array or a struct: the values in the order they are evaluated, each with its field's number.
    Aggregate(Vec<(u32, Expr)>),
    /// A value of an `Option`, a `Result` or a `Cow`: the variant's number, see [`crate::types::Lib::variants`], and what it
    /// holds.
    Variant(u32, Option<Box<Expr>>),
    /// `[value; N]`. `value` is `Copy`, or N is at most 1.
    Repeat(Box<Expr>, u64),
    /// `a + b` and the like on scalars of one type, comparisons included. Shifts may mix integer types.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `-a`, `!a` on scalars.
    Unary(UnaryOp, Box<Expr>),
    /// `a == b` and `a < b` beyond scalars. Both sides are borrowed: their types are references to what is compared.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `a as T` between scalars.
    Cast(Box<Expr>),
    /// `&[T; N]` as `&[T]`, `Box<[T; N]>` as `Box<[T]>`: a length joins the pointer. `&T` as `&dyn Trait`, `Box<T>` as
    /// `Box<dyn Trait>`: the address of a vtable does. A `&mut dyn Trait` as another that holds for less long: nothing joins.
    Unsize(Box<Expr>),
    /// `a && b`.
    And(Box<Expr>, Box<Expr>),
    /// `a || b`.
    Or(Box<Expr>, Box<Expr>),
    /// `place = value`: the value is found first, then what the place held is dropped, if it held something.
    Assign(Place, Box<Expr>),
    /// `place += value` on scalars: the value first, then the place.
    AssignOp(BinaryOp, Place, Box<Expr>),
    /// `{ … }`.
    Block(Block),
    /// `if c { … } else { … }`.
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// `loop { … }`. Its value is what `break` gives.
    Loop(LoopId, Block),
    /// `for x in start..end`: both ends are integers of the variable's type.
    ForRange {
        /// The loop's name.
        id: LoopId,
        /// The variable; a new one for each turn.
        local: LocalId,
        /// The first.
        start: Box<Expr>,
        /// The one behind the last, or the last.
        end: Box<Expr>,
        /// Whether `end` is the last: `..=`.
        is_inclusive: bool,
        /// What is done.
        body: Block,
    },
    /// `for x in &v`, `for x in v.iter()`, `for x in &mut v`: over a slice; `x` is a reference to each element.
    ForEach {
        /// The loop's name.
        id: LoopId,
        /// The variable; a new one for each turn.
        local: LocalId,
        /// A `&[T]` or `&mut [T]`, alive for the whole loop.
        slice: Box<Expr>,
        /// What is done.
        body: Block,
    },
    /// `break`, with the value of the loop if it has one.
    Break(LoopId, Option<Box<Expr>>),
    /// `continue`.
    Continue(LoopId),
    /// `return value`.
    Return(Option<Box<Expr>>),
    /// A call of a function of the program: arguments from left to right.
    Call(FunctionId, Vec<Expr>),
    /// A call of a trait's method on a `dyn`: the first argument's vtable says which function. The program's trait by its
    /// number, the method by its place in it.
    CallDyn {
        /// The trait.
        of: u32,
        /// The method.
        method: u32,
        /// A reference to a `dyn` comes first.
        args: Vec<Expr>,
    },
    /// A call of the library. `types` are what the row's `T` (and `E`) stand for here.
    Library {
        /// What is called.
        row: &'static Row,
        /// The row's parameters, in order.
        types: Vec<Type>,
        /// A receiver comes first.
        args: Vec<Expr>,
    },
    /// `println!`, `print!`: text into the reply.
    Print(Format),
    /// `format!`: a `String`.
    Formatted(Format),
    /// `write!`: the text's bytes, which lie on the stack until the statement ends. A `&[u8]`.
    FormattedBytes(Format),
    /// `panic!` and `assert!` that failed, `unreachable!`, `todo!`.
    Panic(Format),
}

/// How a place is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorrowKind {
    /// `&place`.
    Shared,
    /// `&mut place`.
    Mut,
    /// The `&mut` of `v.push(v.len())`: a shared borrow until the call happens (two-phase, RFC 2025).
    TwoPhase,
}

/// Memory with a path to it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the path starts.
    pub root: Root,
    /// The path.
    pub steps: Vec<Step>,
    /// The type of what lies there.
    pub ty: Type,
}

/// Where a path starts.
#[derive(Clone, Debug)]
pub enum Root {
    /// At a variable.
    Local(LocalId),
    /// At a value without a name: it lies in a temporary, dropped at the end of the statement.
    Temporary(Box<Expr>),
}

/// One step of a path, with the type it leads to.
#[derive(Clone, Debug)]
pub enum Step {
    /// A field of a struct or tuple, by its number in declaration order.
    Field(u32, Type),
    /// Through a reference or a `Box`. (Through a `Vec`, `String`, `Rc` or a guard leads a call of the library that gives
    /// a reference, and this step through that.)
    Deref(Type),
    /// An element of an array or slice: out of bounds is a panic.
    Index(Box<Expr>, Type),
}

impl Step {
    /// The type it leads to.
    pub fn ty(&self) -> &Type {
        match self {
            Self::Field(_, ty) | Self::Deref(ty) | Self::Index(_, ty) => ty,
        }
    }
}

/// An operator between two scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Compare(CompareOp),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// An operator before a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnaryOp {
    Neg,
    Not,
}

/// Text with values in it.
#[derive(Clone, Debug)]
pub struct Format {
    /// In order.
    pub pieces: Vec<Piece>,
    /// References to the values, evaluated from left to right.
    pub args: Vec<Expr>,
    /// Whether a newline ends it.
    pub has_newline: bool,
}

/// A piece of a format.
#[derive(Clone, Debug)]
pub enum Piece {
    /// As it stands.
    Text(Arc<str>),
    /// An argument.
    Arg {
        /// Its number.
        arg: usize,
        /// How it is written.
        spec: Spec,
    },
}

/// `{:>8.2}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The trait.
    pub how: How,
    /// The character that fills up to the width.
    pub fill: Option<char>,
    /// `<`, `^` or `>`.
    pub align: Option<char>,
    /// `+`.
    pub has_sign: bool,
    /// `#`.
    pub is_alternate: bool,
    /// `0`.
    pub is_zero_padded: bool,
    /// The least width.
    pub width: Option<u16>,
    /// Digits behind the point, or characters at most.
    pub precision: Option<u16>,
}

/// The trait a value is written by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum How {
    #[default]
    Display,
    Debug,
    LowerHex,
    UpperHex,
    Binary,
    Octal,
    LowerExp,
    UpperExp,
    Pointer,
}
