//! Macros: `println!` and its like, `vec!`, `panic!`, `assert!`.

use std::sync::Arc;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;

use super::fault::Why;
use super::place::Operand;
use super::{Fault, Kind, Lower, Result};
use crate::library::Builtin;
use crate::typed::{
    At, BorrowKind, CompareOp, Expr, ExprKind, Format, FunctionId, How, Piece, Place, Spec, UnaryOp,
};
use crate::types::{Lib, Mutability, Type};

/// An argument: `x`, or `name = x`.
struct Arg {
    name: Option<String>,
    value: syn::Expr,
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named =
            input.peek(syn::Ident) && input.peek2(syn::Token![=]) && !input.peek2(syn::Token![==]);
        if named {
            let name: syn::Ident = input.parse()?;
            input.parse::<syn::Token![=]>()?;
            return Ok(Self { name: Some(name.to_string()), value: input.parse()? });
        }
        Ok(Self { name: None, value: input.parse()? })
    }
}

type Args = Punctuated<Arg, syn::Token![,]>;

/// What `vec![…]` holds.
enum Elements {
    List(Punctuated<syn::Expr, syn::Token![,]>),
    Repeat(Box<[syn::Expr; 2]>),
}

impl Parse for Elements {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Self::List(Punctuated::new()));
        }
        let first: syn::Expr = input.parse()?;
        if input.peek(syn::Token![;]) {
            input.parse::<syn::Token![;]>()?;
            return Ok(Self::Repeat(Box::new([first, input.parse()?])));
        }
        let mut list = Punctuated::new();
        list.push_value(first);
        while !input.is_empty() {
            list.push_punct(input.parse()?);
            if !input.is_empty() {
                list.push_value(input.parse()?);
            }
        }
        Ok(Self::List(list))
    }
}

impl Lower<'_> {
    /// `name!(…)`.
    pub(super) fn macro_call(
        &mut self,
        mac: &syn::Macro,
        expect: Option<&Type>,
        at: At,
    ) -> Result<Expr> {
        let name = mac.path.segments.last().expect("a path has a segment").ident.to_string();
        if self.is_box_pool(mac) {
            let instead = "It declares a pool: box_pool!(P: u32); and P.alloc(5) makes use of it.";
            return self.unsupported("box_pool! as a value", instead, mac);
        }
        if mac.path.segments[0].ident == "heapless" {
            let instead = "push_str and push take text: each says whether there was room.";
            return self.unsupported("A macro of heapless", instead, mac);
        }
        let unit = |kind| Expr { kind, ty: Type::unit(), at };
        match name.as_str() {
            "println" | "print" | "eprintln" | "eprint" => {
                let args = self.parse_args(mac)?;
                let format = self.format(args, name.ends_with("ln"), at)?;
                Ok(unit(ExprKind::Print(format)))
            }
            "format" => {
                let args = self.parse_args(mac)?;
                let format = self.format(args, false, at)?;
                Ok(Expr { kind: ExprKind::Formatted(format), ty: Type::string(), at })
            }
            "write" | "writeln" => self.write(mac, name.ends_with("ln"), at),
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                let args = self.parse_args(mac)?;
                let prefix = match name.as_str() {
                    "panic" if args.is_empty() => "explicit panic",
                    "unreachable" => "internal error: entered unreachable code",
                    "todo" => "not yet implemented",
                    "unimplemented" => "not implemented",
                    _ => "",
                };
                let has_message = !args.is_empty();
                let mut format = if has_message {
                    self.format(args, false, at)?
                } else {
                    Format { pieces: Vec::new(), args: Vec::new(), has_newline: false }
                };
                if !prefix.is_empty() {
                    let colon = if has_message { ": " } else { "" };
                    format.pieces.insert(0, Piece::Text(format!("{prefix}{colon}").into()));
                }
                Ok(Expr { kind: ExprKind::Panic(format), ty: Type::Never, at })
            }
            "assert" => {
                let mut args = self.parse_args(mac)?;
                if args.is_empty() {
                    return self.format_fault("assert! needs a condition", at);
                }
                let condition = args.remove(0);
                let text = self.source(&condition.value);
                let condition = self.coerced(&condition.value, &Type::BOOL)?;
                let message = if args.is_empty() {
                    let text = format!("assertion failed: {text}");
                    Format {
                        pieces: vec![Piece::Text(text.into())],
                        args: Vec::new(),
                        has_newline: false,
                    }
                } else {
                    self.format(args, false, at)?
                };
                Ok(self.unless(condition, message, at))
            }
            "assert_eq" | "assert_ne" => self.assert_compare(mac, &name, at),
            "vec" => self.vec(mac, expect, at),
            "dbg" | "matches" | "concat" | "stringify" | "line" | "file" | "env"
            | "include_str" | "debug_assert" | "debug_assert_eq" | "thread_local"
            | "format_args" => self.unsupported(
                &format!("{name}!"),
                "println!, format!, vec!, panic!, assert! and assert_eq! can be used.",
                &mac.path,
            ),
            _ => self.fault(Kind::UnknownMacro { name }, &mac.path),
        }
    }

    /// `write!(to, …)`: the text goes out in one piece, by the method that `Write` provides for that.
    fn write(&mut self, mac: &syn::Macro, has_newline: bool, at: At) -> Result<Expr> {
        let mut args = self.parse_args(mac)?;
        if args.is_empty() {
            return self.format_fault("write! needs something to write to", at);
        }
        let to = args.remove(0).value;
        let (found, place) = self.writer(&to)?;
        let to_at = self.at(&to);
        let this = self.borrow(place, BorrowKind::TwoPhase, to_at);
        let wanted = self.items.function(found).signature.params[0].clone();
        let this = self.coerce(this, &wanted)?;
        let format = self.format(args, has_newline, at)?;
        let bytes = Type::reference(Mutability::Shared, Type::Slice(Arc::new(Type::U8)));
        let bytes = Expr { kind: ExprKind::FormattedBytes(format), ty: bytes, at };
        let ty = self.items.function(found).signature.result.clone();
        Ok(Expr { kind: ExprKind::Call(found, vec![this, bytes]), ty, at })
    }

    /// What a text is written to, and what writes it.
    fn writer(&mut self, to: &syn::Expr) -> Result<(FunctionId, Place)> {
        let operand = self.operand(to, None)?;
        let (at, first_ty) = (operand.at(), self.shallow(operand.ty()));
        let mut place = operand.into_place();
        loop {
            let ty = self.shallow(&place.ty);
            if let Some(found) = self.provided(&ty, "write_all") {
                return Ok((found, place));
            }
            if ty.is_lib(Lib::String) {
                return self.unsupported(
                    "write! to a String",
                    "s += &format!(…), or a Vec<u8>, with use std::io::Write;",
                    to,
                );
            }
            place = match self.deref(place, at) {
                Ok(place) => place,
                Err(_) => break,
            };
        }
        let ty = self.type_name(&first_ty);
        let (method, nearest) = ("write_fmt".to_owned(), None);
        self.fault(Kind::NoMethod { method, ty, nearest, bound: None }, to)
    }

    /// `if !condition { panic }`.
    fn unless(&mut self, condition: Expr, message: Format, at: At) -> Expr {
        let not =
            Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(condition)), ty: Type::BOOL, at };
        let panic = Expr { kind: ExprKind::Panic(message), ty: Type::unit(), at };
        let kind = ExprKind::If(Box::new(not), Box::new(panic), None);
        Expr { kind, ty: Type::unit(), at }
    }

    /// Both sides are borrowed once, compared, and printed if they are not as they should be.
    fn assert_compare(&mut self, mac: &syn::Macro, name: &str, at: At) -> Result<Expr> {
        let args = self.parse_args(mac)?;
        if args.len() < 2 {
            return self.format_fault(&format!("{name}! compares two values"), at);
        }
        let mut args = args.into_iter();
        let (left, right) = (args.next().expect("two"), args.next().expect("two"));
        let (left_at, right_at) = (self.at(&left.value), self.at(&right.value));
        let left = self.operand(&left.value, None)?;
        let hint = left.ty().clone();
        let hint = self.names.infer.is_number(&hint).then_some(hint);
        let right = self.operand(&right.value, hint.as_ref())?;
        let (left_ty, right_ty) = (left.ty().clone(), right.ty().clone());
        let (sign, op) =
            if name == "assert_eq" { ("==", CompareOp::Eq) } else { ("!=", CompareOp::Ne) };
        let (left_part, right_part) = self.compared_parts(&left_ty, &right_ty, true);
        if self.names.infer.unify(&left_part, &right_part).is_err() {
            let kind = self.not_comparable(&left_ty, &right_ty, left_part != left_ty, sign);
            return Err(Fault { kind, at: right_at });
        }
        for ty in [&left_ty, &right_ty] {
            self.bounds.push((ty.clone(), "Debug", at, Why::Format("{:?}")));
            self.bounds.push((ty.clone(), "PartialEq", at, Why::Bound));
        }
        // Each side gets a hidden variable in a block of its own, so that it is found once.
        let mut stmts = Vec::new();
        let mut sides = Vec::new();
        for (operand, at) in [(left, left_at), (right, right_at)] {
            let mut place = operand.into_place();
            if let crate::typed::Root::Temporary(value) = &place.root
                && place.steps.is_empty()
            {
                let (ty, init) = (value.ty.clone(), Expr::clone(value));
                let local = self.hidden_local("".into(), ty.clone(), false, at);
                stmts.push(crate::typed::Stmt::Let { local, init: Some(init), at });
                place = Place::local(local, ty);
            }
            let borrow = self.borrow(place, BorrowKind::Shared, at);
            let ty = borrow.ty.clone();
            let local = self.hidden_local("".into(), ty.clone(), false, at);
            stmts.push(crate::typed::Stmt::Let { local, init: Some(borrow), at });
            sides.push(Expr { kind: ExprKind::Read(Place::local(local, ty.clone())), ty, at });
        }
        let rest: Vec<_> = args.collect();
        let mut message = Format { pieces: Vec::new(), args: Vec::new(), has_newline: false };
        let debug = |arg| Piece::Arg { arg, spec: Spec { how: How::Debug, ..Spec::default() } };
        message.pieces.push(Piece::Text(format!("assertion `left {sign} right` failed").into()));
        let mut own = if rest.is_empty() { None } else { Some(self.format(rest, false, at)?) };
        if let Some(own) = &mut own {
            message.pieces.push(Piece::Text(": ".into()));
            message.pieces.append(&mut own.pieces);
            message.args.append(&mut own.args);
        }
        let first = message.args.len();
        message.args.extend(sides.iter().cloned());
        message.pieces.push(Piece::Text("\n  left: ".into()));
        message.pieces.push(debug(first));
        message.pieces.push(Piece::Text("\n right: ".into()));
        message.pieces.push(debug(first + 1));
        let [left, right] = <[Expr; 2]>::try_from(sides).expect("two sides");
        let compare = ExprKind::Compare(op, Box::new(left), Box::new(right));
        let condition = Expr { kind: compare, ty: Type::BOOL, at };
        let check = self.unless(condition, message, at);
        let block = crate::typed::Block { stmts, tail: Some(Box::new(check)), end: at };
        Ok(Expr { kind: ExprKind::Block(block), ty: Type::unit(), at })
    }

    fn vec(&mut self, mac: &syn::Macro, expect: Option<&Type>, at: At) -> Result<Expr> {
        let elements: Elements = match mac.parse_body() {
            Ok(elements) => elements,
            Err(error) => return Err(self.macro_syntax(&error)),
        };
        let hint = match expect.map(|ty| self.shallow(ty)) {
            Some(Type::Lib(Lib::Vec, args)) => args[0].clone(),
            _ => self.fresh(super::Class::Any),
        };
        match elements {
            Elements::Repeat(pair) => {
                let [element, len] = *pair;
                let element = self.coerced(&element, &hint)?;
                let len = self.coerced(&len, &Type::USIZE)?;
                self.bounds.push((hint.clone(), "Clone", at, Why::Bound));
                Ok(self.library(Builtin::VecFromElem, vec![hint], vec![element, len], at))
            }
            Elements::List(list) if list.is_empty() => {
                Ok(self.library(Builtin::VecNew, vec![hint], Vec::new(), at))
            }
            Elements::List(list) => {
                let mut items = Vec::new();
                for (index, item) in list.iter().enumerate() {
                    items.push((index as u32, self.coerced(item, &hint)?));
                }
                let array = Type::Array(Arc::new(hint.clone()), items.len() as u64);
                let value = Expr { kind: ExprKind::Aggregate(items), ty: array.clone(), at };
                let boxed = self.library(Builtin::BoxNew, vec![array], vec![value], at);
                let slice = Type::lib(Lib::Box, [Type::Slice(Arc::new(hint.clone()))]);
                let boxed = Expr { kind: ExprKind::Unsize(Box::new(boxed)), ty: slice, at };
                Ok(self.library(Builtin::VecFromArray, vec![hint], vec![boxed], at))
            }
        }
    }

    fn parse_args(&self, mac: &syn::Macro) -> Result<Vec<Arg>> {
        let args = mac.parse_body_with(Args::parse_terminated);
        match args {
            Ok(args) => Ok(args.into_iter().collect()),
            Err(error) => Err(self.macro_syntax(&error)),
        }
    }

    pub(super) fn macro_syntax(&self, error: &syn::Error) -> Fault {
        let range = error.span().byte_range();
        let at = At { line: self.line, start: range.start as u32, end: range.end as u32 };
        Fault { kind: Kind::Syntax { message: error.to_string() }, at }
    }

    fn format_fault<T>(&self, message: &str, at: At) -> Result<T> {
        Err(Fault { kind: Kind::FormatArguments { message: message.to_owned() }, at })
    }

    /// The source of an expression, as `assert!` prints it.
    fn source(&self, expr: &syn::Expr) -> String {
        use syn::spanned::Spanned;
        expr.span().source_text().unwrap_or_else(|| "the condition".to_owned())
    }

    /// A format string and what goes into it.
    fn format(&mut self, args: Vec<Arg>, has_newline: bool, at: At) -> Result<Format> {
        let mut args = args.into_iter();
        let Some(first) = args.next() else {
            return Ok(Format { pieces: Vec::new(), args: Vec::new(), has_newline });
        };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &first.value else {
            return self
                .format_fault("format argument must be a string literal", self.at(&first.value));
        };
        let text_at = self.at(text);
        let given: Vec<Arg> = args.collect();
        let holes = match parse_format(&text.value()) {
            Ok(holes) => holes,
            Err(message) => return self.format_fault(message, text_at),
        };
        let mut format = Format { pieces: Vec::new(), args: Vec::new(), has_newline };
        let mut is_used = vec![false; given.len()];
        let mut next = 0;
        for arg in &given {
            let reference = self.format_arg(&arg.value)?;
            format.args.push(reference);
        }
        for hole in holes {
            match hole {
                Hole::Text(text) => format.pieces.push(Piece::Text(text.into())),
                Hole::Arg { name, spec } => {
                    let arg = match &name {
                        Name::Next => {
                            next += 1;
                            next - 1
                        }
                        Name::Number(number) => *number,
                        Name::Ident(name) => {
                            let named =
                                given.iter().position(|arg| arg.name.as_deref() == Some(name));
                            if let Some(index) = named {
                                index
                            } else {
                                let reference = self.captured(name, text_at)?;
                                self.format_bound(&reference.ty, spec, text_at);
                                format.args.push(reference);
                                format.pieces.push(Piece::Arg { arg: format.args.len() - 1, spec });
                                continue;
                            }
                        }
                    };
                    if arg >= given.len() {
                        let count = arg + 1;
                        let plural = if count == 1 { "" } else { "s" };
                        let message = format!(
                            "{count} positional argument{plural} in the format string, but {} given",
                            given.len()
                        );
                        return self.format_fault(&message, at);
                    }
                    is_used[arg] = true;
                    let ty = format.args[arg].ty.clone();
                    self.format_bound(&ty, spec, format.args[arg].at);
                    format.pieces.push(Piece::Arg { arg, spec });
                }
            }
        }
        if let Some(unused) = is_used.iter().position(|used| !used) {
            return self.format_fault("this argument is never used", self.at(&given[unused].value));
        }
        Ok(format)
    }

    /// A reference to what is to be written.
    fn format_arg(&mut self, value: &syn::Expr) -> Result<Expr> {
        let at = self.at(value);
        let operand = self.operand(value, None)?;
        Ok(self.borrow(operand.into_place(), BorrowKind::Shared, at))
    }

    /// `{name}`: a variable.
    fn captured(&mut self, name: &str, at: At) -> Result<Expr> {
        let Some(local) = self.find_local(name) else {
            let nearest = self.nearest_value(name);
            let kind = Kind::UnknownValue { name: name.to_owned(), nearest, is_moved_scope: false };
            return Err(Fault { kind, at });
        };
        let ty = self.local_type(local);
        let operand = Operand::Place(Place::local(local, ty), at);
        Ok(self.borrow(operand.into_place(), BorrowKind::Shared, at))
    }

    fn format_bound(&mut self, reference: &Type, spec: Spec, at: At) {
        let (_, ty) = reference.referent().expect("a format's argument is a reference");
        let (bound, shown) = match spec.how {
            How::Display => ("Display", "{}"),
            How::Debug => ("Debug", "{:?}"),
            How::LowerHex => ("LowerHex", "{:x}"),
            How::UpperHex => ("UpperHex", "{:X}"),
            How::Binary => ("Binary", "{:b}"),
            How::Octal => ("Octal", "{:o}"),
            How::LowerExp => ("LowerExp", "{:e}"),
            How::UpperExp => ("UpperExp", "{:E}"),
            How::Pointer => ("Pointer", "{:p}"),
        };
        self.bounds.push((ty.clone(), bound, at, Why::Format(shown)));
    }
}

/// A piece of a format string.
enum Hole {
    Text(String),
    Arg { name: Name, spec: Spec },
}

/// Which argument goes in.
enum Name {
    Next,
    Number(usize),
    Ident(String),
}

fn parse_format(text: &str) -> std::result::Result<Vec<Hole>, &'static str> {
    let mut holes = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.peek() == Some(&'{') => {
                chars.next();
                plain.push('{');
            }
            '}' if chars.peek() == Some(&'}') => {
                chars.next();
                plain.push('}');
            }
            '}' => return Err("invalid format string: unmatched `}` found"),
            '{' => {
                if !plain.is_empty() {
                    holes.push(Hole::Text(std::mem::take(&mut plain)));
                }
                let mut inner = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => inner.push(c),
                        None => {
                            return Err(
                                "invalid format string: expected `}` but string was terminated",
                            );
                        }
                    }
                }
                let (name, spec) = inner.split_once(':').unwrap_or((&inner, ""));
                let name = name.trim();
                let name = if name.is_empty() {
                    Name::Next
                } else if let Ok(number) = name.parse() {
                    Name::Number(number)
                } else if name == "self" || syn::parse_str::<syn::Ident>(name).is_ok() {
                    Name::Ident(name.to_owned())
                } else {
                    return Err("invalid format string: a name or number is expected in {}");
                };
                holes.push(Hole::Arg { name, spec: parse_spec(spec.trim_end())? });
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        holes.push(Hole::Text(plain));
    }
    Ok(holes)
}

/// `[[fill]align][sign]['#']['0'][width]['.' precision]type`, as `std::fmt` has it.
fn parse_spec(text: &str) -> std::result::Result<Spec, &'static str> {
    let mut spec = Spec::default();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |c: Option<&char>| matches!(c, Some('<' | '^' | '>'));
    if is_align(chars.get(1)) {
        (spec.fill, spec.align, at) = (Some(chars[0]), Some(chars[1]), 2);
    } else if is_align(chars.first()) {
        (spec.align, at) = (Some(chars[0]), 1);
    }
    let take = |expected: char, at: &mut usize| {
        let found = chars.get(*at) == Some(&expected);
        *at += usize::from(found);
        found
    };
    spec.has_sign = take('+', &mut at);
    spec.is_alternate = take('#', &mut at);
    spec.is_zero_padded = chars.get(at) == Some(&'0') && take('0', &mut at);
    let number = |at: &mut usize| {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        let digits: String = chars[start..*at].iter().collect();
        if digits.is_empty() {
            Ok(None)
        } else {
            digits.parse().map(Some).map_err(|_| "invalid format string: this width is too large")
        }
    };
    spec.width = number(&mut at)?;
    if chars.get(at) == Some(&'.') {
        at += 1;
        spec.precision = number(&mut at)?;
        if spec.precision.is_none() {
            return Err("invalid format string: a precision is a number here");
        }
    }
    if chars.get(at) == Some(&'$') {
        return Err("invalid format string: a width is a number here, not an argument");
    }
    let rest: String = chars[at..].iter().collect();
    spec.how = match rest.as_str() {
        "" => How::Display,
        "?" => How::Debug,
        "x" => How::LowerHex,
        "X" => How::UpperHex,
        "b" => How::Binary,
        "o" => How::Octal,
        "e" => How::LowerExp,
        "E" => How::UpperExp,
        "p" => How::Pointer,
        _ => {
            return Err(
                "unknown format trait: {} {:?} {:x} {:X} {:b} {:o} {:e} {:E} and {:p} can be used",
            );
        }
    };
    Ok(spec)
}
