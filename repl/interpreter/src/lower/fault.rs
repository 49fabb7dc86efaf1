//! What is wrong with a line before anything runs: its grammar, its names, its types.

use std::fmt;

use crate::typed::At;

/// A line that rustc, or we, would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: Kind,
    /// Where.
    pub at: At,
}

/// What is wrong. Types are as rustc writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    /// Not Rust's grammar.
    Syntax {
        message: String,
    },
    /// Brackets or prefix operators nested too deep for the parser.
    TooDeep {
        limit: usize,
    },
    /// Rust, but not ours.
    Unsupported {
        what: String,
        instead: &'static str,
    },
    Mismatch {
        expected: String,
        found: String,
    },
    /// The same, of a variable that is a number: perhaps a literal's type was not what the reader thought.
    NumberMismatch {
        name: String,
        expected: String,
        found: String,
    },
    MutabilityMismatch {
        expected: String,
        found: String,
    },
    NoElse {
        expected: String,
    },
    UnknownValue {
        name: String,
        nearest: Option<String>,
        is_moved_scope: bool,
    },
    UnknownHeap {
        name: String,
        nearest: Option<String>,
        heaps: String,
    },
    UnknownFunction {
        name: String,
        nearest: Option<String>,
    },
    UnknownType {
        name: String,
        nearest: Option<String>,
    },
    UnknownStruct {
        name: String,
    },
    UndeclaredType {
        name: String,
    },
    UnresolvedImport {
        path: String,
    },
    NoMethod {
        method: String,
        ty: String,
        nearest: Option<String>,
        bound: Option<&'static str>,
    },
    /// heapless has a `clone` of its own, for itself.
    PrivateMethod {
        method: String,
        ty: String,
    },
    NoAssociated {
        function: String,
        ty: String,
    },
    NoField {
        field: String,
        ty: String,
        has: Vec<String>,
    },
    NoFieldsAtAll {
        ty: String,
    },
    MethodNotField {
        method: String,
        ty: String,
    },
    PrivateField {
        field: String,
        ty: String,
    },
    MissingTrait {
        ty: String,
        is_struct: bool,
        bound: &'static str,
        why: Why,
    },
    NotBinary {
        op: &'static str,
        left: String,
        right: String,
    },
    NotBinaryWith {
        op: &'static str,
        left: String,
        right: String,
    },
    NotBinaryAssign {
        op: &'static str,
        left: String,
        right: String,
    },
    NotUnary {
        op: &'static str,
        ty: String,
    },
    BadIndexType {
        of: String,
        by: String,
    },
    NotIndexable {
        ty: String,
    },
    NotDereferenceable {
        ty: String,
    },
    ArgumentCount {
        function: String,
        takes: usize,
        given: usize,
    },
    NotCallable {
        ty: String,
    },
    NonConstant {
        name: String,
    },
    MissingFields {
        of: String,
        fields: Vec<String>,
    },
    UnknownField {
        of: String,
        field: String,
        has: Vec<String>,
    },
    TwiceField {
        field: String,
    },
    NotTupleStruct {
        name: String,
    },
    MissingGenerics {
        ty: String,
        takes: usize,
        given: usize,
    },
    /// A number where a type is taken, or a type where a number is.
    WrongArgument {
        takes: &'static str,
    },
    /// A pool is public, so what it holds must be.
    PrivateType {
        name: String,
    },
    /// A heapless collection that no value can have: see [`crate::types::Lib::HeaplessVec`].
    BadCapacity {
        ty: String,
    },
    NeedsType {
        what: String,
    },
    /// The number or the length type of a heapless collection.
    NeedsArgument {
        what: String,
        param: &'static str,
    },
    NeedsCow,
    NeedsOperand {
        code: &'static str,
    },
    NeedsParsed,
    NeedsDefault,
    NotOwned {
        borrowed: String,
        found: String,
    },
    CastBool {
        from: String,
    },
    CastChar {
        from: String,
    },
    CastInvalid {
        from: String,
        to: String,
    },
    CastNonPrimitive {
        from: String,
        to: String,
    },
    BadAssignmentOp,
    UnknownLabel {
        label: String,
    },
    EmptyReturn {
        expected: String,
    },
    ExplicitDrop,
    DropOfCopy {
        name: String,
        derived: At,
    },
    SelfOutside,
    DeclaredTwice {
        name: String,
        place: Twice,
    },
    OutsideLoop {
        word: &'static str,
    },
    BreakWithValue,
    BadAssignment,
    LiteralOutOfRange {
        literal: String,
        ty: String,
    },
    Captures {
        name: String,
    },
    Redefined {
        name: String,
    },
    RedefinedMethod {
        name: String,
        first: At,
    },
    UnknownMacro {
        name: String,
    },
    NotIterable {
        ty: String,
    },
    Unsized {
        ty: String,
    },
    MissingLifetime,
    AmbiguousNumber {
        method: String,
    },
    FormatArguments {
        message: String,
    },
    UnclosedScope,
    StrayBrace,
    BadCopy {
        name: String,
        field: String,
    },
    RecursiveStruct {
        name: String,
    },
    UnknownLifetime {
        name: String,
    },
    /// A struct's lifetime that none of its fields has.
    UnusedLifetime {
        name: String,
    },
    /// An `impl` that leaves a struct's lifetimes out.
    ImplicitLifetime {
        name: String,
    },
    UnknownTrait {
        name: String,
    },
    NotATrait {
        name: String,
    },
    /// `Box<Shape>` for `Box<dyn Shape>`.
    TraitAsType {
        name: String,
    },
    NeverDyn {
        name: String,
    },
    NotInTrait {
        method: String,
        name: String,
    },
    NotAllOfTrait {
        name: String,
        missing: Vec<String>,
    },
    ImplementedTwice {
        name: String,
        ty: String,
    },
    NoReceiver {
        method: String,
    },
    MethodCount {
        method: String,
        takes: usize,
        given: usize,
    },
    MethodDiffers {
        method: String,
        expected: String,
        found: String,
    },
    LacksTrait {
        ty: String,
        name: String,
    },
}

/// Where a name is declared twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Twice {
    Fields,
    Parameters,
    Pattern,
    Imports,
    Lifetimes,
    LifetimeOfImpl,
}

/// What needed the trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `{}` and the like.
    Format(&'static str),
    /// `[value; N]`.
    Repeat,
    /// A function's bound.
    Bound,
}

impl Fault {
    /// rustc's code, or ours.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            Kind::Syntax { .. } | Kind::FormatArguments { .. } | Kind::UnknownMacro { .. } => {
                "unsupported-rust"
            }
            Kind::UnclosedScope | Kind::StrayBrace => "unsupported-rust",
            Kind::TooDeep { .. } => "too-deep",
            Kind::Unsupported { .. } => "unsupported-rust",
            Kind::Mismatch { .. }
            | Kind::NumberMismatch { .. }
            | Kind::MutabilityMismatch { .. } => "E0308",
            Kind::NoElse { .. } => "E0317",
            Kind::UnknownValue { .. }
            | Kind::UnknownHeap { .. }
            | Kind::UnknownFunction { .. }
            | Kind::UnknownType { .. } => "E0425",
            Kind::UnknownStruct { .. } => "E0422",
            Kind::UndeclaredType { .. } => "E0433",
            Kind::UnresolvedImport { .. } => "E0432",
            Kind::NoMethod { .. } | Kind::NoAssociated { .. } => "E0599",
            Kind::PrivateMethod { .. } => "E0624",
            Kind::NoField { .. } => "E0609",
            Kind::NoFieldsAtAll { .. } => "E0610",
            Kind::MethodNotField { .. } => "E0615",
            Kind::PrivateField { .. } => "E0616",
            Kind::MissingTrait { .. } | Kind::BadIndexType { .. } | Kind::NotBinaryWith { .. } => {
                "E0277"
            }
            Kind::NotIterable { .. } | Kind::Unsized { .. } => "E0277",
            Kind::NotBinary { .. } => "E0369",
            Kind::NotBinaryAssign { .. } => "E0368",
            Kind::NotUnary { .. } => "E0600",
            Kind::NotIndexable { .. } => "E0608",
            Kind::NotDereferenceable { .. } => "E0614",
            Kind::ArgumentCount { .. } => "E0061",
            Kind::NotCallable { .. } => "E0618",
            Kind::NonConstant { .. } => "E0435",
            Kind::MissingFields { .. } => "E0063",
            Kind::UnknownField { .. } => "E0560",
            Kind::TwiceField { .. } => "E0062",
            Kind::NotTupleStruct { .. } => "E0423",
            Kind::MissingGenerics { .. } => "E0107",
            Kind::WrongArgument { .. } => "E0747",
            Kind::BadCapacity { .. } => "E0080",
            Kind::PrivateType { .. } => "E0446",
            Kind::NeedsType { .. } => "E0282",
            Kind::NeedsArgument { param: "LenT", .. } => "E0283",
            Kind::NeedsArgument { .. } => "E0284",
            Kind::NeedsCow => "E0283",
            Kind::NeedsOperand { code } => code,
            Kind::NeedsParsed => "E0284",
            Kind::NeedsDefault => "E0790",
            Kind::NotOwned { .. } => "E0271",
            Kind::CastBool { .. } => "E0054",
            Kind::CastChar { .. } => "E0604",
            Kind::CastInvalid { .. } => "E0606",
            Kind::CastNonPrimitive { .. } => "E0605",
            Kind::OutsideLoop { .. } => "E0268",
            Kind::BreakWithValue => "E0571",
            Kind::BadAssignment => "E0070",
            Kind::BadAssignmentOp => "E0067",
            Kind::UnknownLabel { .. } => "E0426",
            Kind::EmptyReturn { .. } => "E0069",
            Kind::ExplicitDrop => "E0040",
            Kind::DropOfCopy { .. } => "E0184",
            Kind::SelfOutside => "E0424",
            Kind::DeclaredTwice { place, .. } => match place {
                Twice::Fields => "E0124",
                Twice::Parameters => "E0415",
                Twice::Pattern => "E0416",
                Twice::Imports => "E0252",
                Twice::Lifetimes => "E0403",
                Twice::LifetimeOfImpl => "E0496",
            },
            Kind::LiteralOutOfRange { .. } => "overflowing-literals",
            Kind::Captures { .. } => "E0434",
            Kind::Redefined { .. } => "E0428",
            Kind::RedefinedMethod { .. } => "E0592",
            Kind::MissingLifetime => "E0106",
            Kind::AmbiguousNumber { .. } => "E0689",
            Kind::BadCopy { .. } => "E0204",
            Kind::RecursiveStruct { .. } => "E0072",
            Kind::UnknownLifetime { .. } => "E0261",
            Kind::UnusedLifetime { .. } => "E0392",
            Kind::ImplicitLifetime { .. } => "E0726",
            Kind::UnknownTrait { .. } => "E0405",
            Kind::NotATrait { .. } => "E0404",
            Kind::TraitAsType { .. } => "E0782",
            Kind::NeverDyn { .. } => "E0038",
            Kind::NotInTrait { .. } => "E0407",
            Kind::NotAllOfTrait { .. } => "E0046",
            Kind::ImplementedTwice { .. } => "E0119",
            Kind::NoReceiver { .. } => "E0186",
            Kind::MethodCount { .. } => "E0050",
            Kind::MethodDiffers { .. } => "E0053",
            Kind::LacksTrait { .. } => "E0277",
        }
    }

    /// The other place that has to do with it.
    pub fn other(&self) -> Option<At> {
        match &self.kind {
            Kind::RedefinedMethod { first: at, .. } | Kind::DropOfCopy { derived: at, .. } => {
                Some(*at)
            }
            _ => None,
        }
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        let did_you_mean = |nearest: &Option<String>| nearest.clone();
        match &self.kind {
            Kind::Unsupported { instead, .. } => Some((*instead).to_owned()),
            Kind::UnknownValue { nearest, is_moved_scope, .. } => {
                did_you_mean(nearest).or_else(|| {
                    is_moved_scope.then(|| "a name that is in scope: vars lists them".to_owned())
                })
            }
            Kind::UnknownHeap { nearest, heaps, .. } => {
                did_you_mean(nearest).or_else(|| Some(format!("a heap's name: {heaps}")))
            }
            Kind::UnknownFunction { nearest, .. } | Kind::UnknownType { nearest, .. } => {
                did_you_mean(nearest)
            }
            Kind::NoMethod { nearest, bound, ty, .. } => did_you_mean(nearest)
                .or_else(|| bound.map(|bound| format!("#[derive({bound})] in front of {ty}"))),
            Kind::NumberMismatch { name, expected, .. } => Some(format!(
                "let {name}: {expected} = …; here, a literal has its type once its line is answered"
            )),
            Kind::NoField { has, .. } | Kind::UnknownField { has, .. } if !has.is_empty() => {
                Some(has.join(", "))
            }
            Kind::MethodNotField { method, .. } => Some(format!("{method}()")),
            Kind::PrivateField { field, .. } => Some(format!("{field}()")),
            Kind::MissingTrait { why: Why::Format(_), bound: "Display", .. } => {
                Some("{:?}".to_owned())
            }
            Kind::MissingTrait { is_struct: true, bound, ty, .. } => {
                Some(format!("#[derive({bound})] in front of {ty}"))
            }
            Kind::BadIndexType { by, .. } if by.starts_with(['i', 'u']) => {
                Some("i as usize: an index is a usize".to_owned())
            }
            Kind::ExplicitDrop => Some("drop(x)".to_owned()),
            Kind::NonConstant { .. } => Some("[0u8; 200], or on the heap: vec![0u8; n]".to_owned()),
            Kind::WrongArgument { .. } => Some("heapless::Vec<u8, 8>".to_owned()),
            Kind::NeedsArgument { .. } => {
                Some("a type: let v: heapless::Vec<u8, 8> = heapless::Vec::new();".to_owned())
            }
            Kind::PrivateType { name } => Some(format!("pub struct {name}")),
            Kind::BadCapacity { .. } => {
                Some("a capacity of at least 1, and a length type that holds it".to_owned())
            }
            Kind::NeedsType { .. } => {
                Some("its type, which a line fixes here: let x: Option<u8> = None;".to_owned())
            }
            Kind::NeedsDefault => Some("a type: u32::default()".to_owned()),
            Kind::NeedsParsed => Some("a type: \"5\".parse::<u32>()".to_owned()),
            Kind::NeedsCow => Some("a type: let c: Cow<str> = …;".to_owned()),
            Kind::CastBool { .. } => Some("x != 0".to_owned()),
            Kind::CastChar { .. } => Some("x as u8 as char".to_owned()),
            Kind::NoElse { .. } => Some("an else with a value".to_owned()),
            Kind::Captures { .. } => Some("pass it as a parameter".to_owned()),
            Kind::TooDeep { .. } => Some("a name for the inner part, with let".to_owned()),
            Kind::MissingLifetime => Some("fn f<'a>(x: &'a T, y: &'a T) -> &'a T".to_owned()),
            Kind::AmbiguousNumber { method } => {
                Some(format!("a type for the number: 1u32.{method}(…)"))
            }
            Kind::StrayBrace => Some("{ opens one".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Syntax { message } => write!(f, "this is not Rust: {message}."),
            Kind::FormatArguments { message } => write!(f, "{message}."),
            Kind::TooDeep { limit } => {
                write!(f, "this is nested more than {limit} deep, operators counted.")
            }
            Kind::Unsupported { what, .. } => {
                write!(f, "{what} is Rust, but not part of what runs here.")
            }
            Kind::Mismatch { expected, found } | Kind::NumberMismatch { expected, found, .. } => {
                write!(f, "mismatched types: expected {expected}, found {found}.")
            }
            Kind::MutabilityMismatch { expected, found } => {
                write!(f, "expected {expected}, found {found}: it may not be written through.")
            }
            Kind::NoElse { expected } => {
                write!(f, "without an else this if has no value, and {expected} is expected.")
            }
            Kind::UnknownValue { name, .. } => write!(f, "there is no variable {name} here."),
            Kind::UnknownHeap { name, .. } => write!(f, "there is no heap {name} here."),
            Kind::UnknownFunction { name, .. } => write!(f, "there is no function {name} here."),
            Kind::UnknownType { name, .. } | Kind::UnknownStruct { name } => {
                write!(f, "there is no type {name} here.")
            }
            Kind::UndeclaredType { name } => write!(f, "{name} is not declared here."),
            Kind::UnresolvedImport { path } => write!(f, "there is no {path}."),
            Kind::NoMethod { method, ty, .. } => write!(f, "{ty} has no method {method}."),
            Kind::PrivateMethod { method, ty } => {
                write!(f, "{ty} has a private method {method}, but none that can be called here.")
            }
            Kind::NoAssociated { function, ty } => write!(f, "{ty} has no function {function}."),
            Kind::NoField { field, ty, .. } => write!(f, "{ty} has no field {field}."),
            Kind::NoFieldsAtAll { ty } => write!(f, "{ty} is a primitive type and has no fields."),
            Kind::MethodNotField { method, ty } => {
                write!(f, "{method} is a method of {ty}, not a field.")
            }
            Kind::PrivateField { field, ty } => write!(f, "the field {field} of {ty} is private."),
            Kind::MissingTrait { ty, bound, why, .. } => match why {
                Why::Format(spec) => {
                    write!(f, "{ty} cannot be written with {spec}: it is not {bound}.")
                }
                Why::Repeat => {
                    write!(f, "{ty} is not {bound}, so one value cannot fill several elements.")
                }
                Why::Bound => write!(f, "{ty} is not {bound}, which this needs."),
            },
            Kind::NotBinary { op, left, right }
            | Kind::NotBinaryWith { op, left, right }
            | Kind::NotBinaryAssign { op, left, right } => {
                write!(f, "there is no {left} {op} {right}.")
            }
            Kind::NotUnary { op, ty } => write!(f, "there is no {op} for {ty}."),
            Kind::BadIndexType { of, by } => write!(f, "{of} cannot be indexed by {by}."),
            Kind::NotIndexable { ty } => write!(f, "{ty} cannot be indexed."),
            Kind::NotDereferenceable { ty } => {
                write!(f, "{ty} is no pointer; there is nothing behind it.")
            }
            Kind::ArgumentCount { function, takes, given } => {
                let plural = if *takes == 1 { "" } else { "s" };
                write!(f, "{function} takes {takes} argument{plural}; {given} given.")
            }
            Kind::NotCallable { ty } => write!(f, "a value of type {ty} cannot be called."),
            Kind::NonConstant { name } => {
                write!(f, "attempt to use a non-constant value `{name}` in a constant.")
            }
            Kind::MissingFields { of, fields } => {
                write!(f, "{of} needs a value for {}.", fields.join(", "))
            }
            Kind::UnknownField { of, field, .. } => write!(f, "{of} has no field {field}."),
            Kind::TwiceField { field } => write!(f, "{field} is given twice."),
            Kind::NotTupleStruct { name } => {
                write!(f, "{name} is a struct with named fields: {name} {{ … }}.")
            }
            Kind::MissingGenerics { ty, takes, given } => {
                write!(
                    f,
                    "{ty} takes {takes} argument{} in angle brackets; {given} given.",
                    if *takes == 1 { "" } else { "s" }
                )
            }
            Kind::NeedsArgument { what, param } => {
                write!(f, "{param} in the type of {what} is not known, so its size is not either.")
            }
            Kind::WrongArgument { takes } => write!(f, "{takes} is taken here, and this is none."),
            Kind::PrivateType { name } => {
                write!(f, "{name} is private, and what a pool holds is public, as the pool is.")
            }
            Kind::BadCapacity { ty } => {
                write!(f, "evaluation panicked: {ty} cannot be made; its capacity does not fit.")
            }
            Kind::NeedsType { what } => {
                write!(f, "the type of {what} is not known, so its size is not either.")
            }
            Kind::NeedsDefault => f.write_str("whose default is meant is not known."),
            Kind::NeedsOperand { .. } => f.write_str("the type of the right side is not known."),
            Kind::NeedsParsed => f.write_str("what the text is to be parsed as is not known."),
            Kind::NeedsCow => f.write_str("what this Cow borrows is not known."),
            Kind::NotOwned { borrowed, found } => {
                write!(f, "a Cow<{borrowed}> owns no {found}.")
            }
            Kind::CastBool { from } => write!(f, "{from} cannot be cast to bool."),
            Kind::CastChar { from } => write!(f, "only u8 can be cast to char, not {from}."),
            Kind::CastInvalid { from, to } => write!(f, "{from} cannot be cast to {to}."),
            Kind::CastNonPrimitive { from, to } => {
                write!(f, "as is for primitive types; it does not make {to} of {from}.")
            }
            Kind::OutsideLoop { word } => write!(f, "{word} stands outside of any loop."),
            Kind::BreakWithValue => {
                write!(f, "only loop gives break's value on; for and while do not.")
            }
            Kind::UnknownLabel { label } => write!(f, "no loop around this is called '{label}."),
            Kind::EmptyReturn { expected } => {
                write!(f, "return needs a value here: the function gives {expected}.")
            }
            Kind::ExplicitDrop => {
                f.write_str("a destructor is not called by hand: it would run twice.")
            }
            Kind::DropOfCopy { name, .. } => {
                write!(
                    f,
                    "{name} is Copy, so it cannot have a destructor: which copy's end would it be?"
                )
            }
            Kind::SelfOutside => f.write_str("self stands in methods with a self parameter alone."),
            Kind::DeclaredTwice { name, place } => {
                let place = match place {
                    Twice::Fields => "in this struct",
                    Twice::Parameters => "in this parameter list",
                    Twice::Pattern => "in this pattern",
                    Twice::Imports => "by an import",
                    Twice::Lifetimes => "in these brackets",
                    Twice::LifetimeOfImpl => "here and by the impl around",
                };
                write!(f, "{name} is declared twice {place}.")
            }
            Kind::BadAssignment | Kind::BadAssignmentOp => {
                write!(f, "this is a value, not a place; nothing can be assigned to it.")
            }
            Kind::LiteralOutOfRange { literal, ty } => {
                write!(f, "{literal} does not fit into {ty}.")
            }
            Kind::Captures { name } => {
                write!(f, "a function cannot see {name}, a variable of the code around it.")
            }
            Kind::UnknownMacro { name } => write!(f, "there is no macro {name}!."),
            Kind::Redefined { name } | Kind::RedefinedMethod { name, .. } => {
                write!(f, "{name} is defined already.")
            }
            Kind::NotIterable { ty } => write!(f, "{ty} is not an iterator."),
            Kind::Unsized { ty } => write!(
                f,
                "the size of {ty} is not known when compiling; it lives behind a pointer."
            ),
            Kind::MissingLifetime => {
                write!(f, "the result is a reference, and nothing says into which argument.")
            }
            Kind::AmbiguousNumber { method } => {
                write!(f, "{method} needs to know which integer or float this is.")
            }
            Kind::UnclosedScope => write!(f, "this scope is not closed."),
            Kind::StrayBrace => write!(f, "no scope is open."),
            Kind::BadCopy { name, field } => {
                write!(f, "{name} cannot be Copy: its field {field} is not.")
            }
            Kind::RecursiveStruct { name } => {
                write!(
                    f,
                    "{name} holds itself and would be infinitely large. A Box in between ends it."
                )
            }
            Kind::UnknownLifetime { name } => write!(f, "the lifetime '{name} is not declared."),
            Kind::UnusedLifetime { name } => write!(f, "no field has the lifetime '{name}."),
            Kind::ImplicitLifetime { name } => {
                write!(f, "{name} has a lifetime, which an impl has to show: impl {name}<'_>.")
            }
            Kind::UnknownTrait { name } => write!(f, "there is no trait {name} here."),
            Kind::NotATrait { name } => write!(f, "{name} is a type, not a trait."),
            Kind::TraitAsType { name } => {
                write!(f, "{name} is a trait; the type of a value that has it is dyn {name}.")
            }
            Kind::NeverDyn { name } => {
                write!(
                    f,
                    "{name} cannot stand behind dyn: its methods need to know the size of Self."
                )
            }
            Kind::NotInTrait { method, name } => write!(f, "{name} has no method {method}."),
            Kind::NotAllOfTrait { name, missing } => {
                write!(f, "{name} asks for {}, too.", missing.join(", "))
            }
            Kind::ImplementedTwice { name, ty } => write!(f, "{ty} has {name} already."),
            Kind::NoReceiver { method } => {
                write!(f, "the trait's {method} takes self; this one does not.")
            }
            Kind::MethodCount { method, takes, given } => {
                let plural = if *takes == 1 { "" } else { "s" };
                write!(
                    f,
                    "the trait's {method} takes {takes} argument{plural} besides self; this one {given}."
                )
            }
            Kind::MethodDiffers { method, expected, found } => {
                write!(f, "the trait's {method} has {expected} where this one has {found}.")
            }
            Kind::LacksTrait { ty, name } => write!(f, "{ty} has no impl of {name}."),
        }
    }
}
