//! The few statements of Rust the prompt knows: other spellings of `push` and `write`.

use stack::{ItemKind, Type, Value};

use crate::literal::{self, assignment, trimmed};
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::{Answer, Event};
use crate::scan::{Span, Word};
use crate::world::{Named, World};

/// The words of Rust that no name may be and no command is called like.
pub(crate) const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while",
];

/// Runs `let x = …`, `x[i] = …` or `x = …`.
///
/// # Errors
///
/// Any other statement, and whatever `push` and `write` refuse.
pub(crate) fn run(world: &mut World, line: &str) -> Result<Answer, Problem> {
    let whole = trimmed(line, 0);
    let body = whole.text.strip_suffix(';').map_or(whole, |text| trimmed(text, whole.span.start));
    if let Some(rest) = body.text.strip_prefix("let ") {
        return bind(world, trimmed(rest, body.span.start + 4), whole.span);
    }
    match assignment(body) {
        Some((left, right)) => assign(world, left, right, whole.span),
        None => Err(unsupported(whole)),
    }
}

fn unsupported(word: Word<'_>) -> Problem {
    let first = word.text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let close = |name: &&str| strsim::damerau_levenshtein(name, first) * 2 < first.len();
    let nearest = crate::commands::nearest(first).filter(|_| first == word.text).filter(close);
    Problem::new(Trouble::UnsupportedRust { nearest }, word.span)
}

fn bind(world: &mut World, rest: Word<'_>, span: Span) -> Result<Answer, Problem> {
    let Some((left, right)) = assignment(rest) else {
        return Err(unsupported(Word { text: rest.text, span }));
    };
    let (pattern, ty) = match left.text.split_once(':') {
        Some((pattern, ty)) => {
            let start = left.span.start + pattern.len() + 1;
            (trimmed(pattern, left.span.start), Some(trimmed(ty, start)))
        }
        None => (left, None),
    };
    let name = match pattern.text.strip_prefix("mut ") {
        Some(name) => trimmed(name, pattern.span.start + 4),
        None => pattern,
    };
    if !literal::is_identifier(name.text) {
        return Err(unsupported(Word { text: rest.text, span }));
    }
    let name_text = literal::name(name)?;
    world.check_free_name(Some((&name_text, name.span)))?;
    let ty =
        match ty {
            Some(word) => Some(literal::type_of(word)?.ok_or_else(|| {
                Problem::new(Trouble::UnsupportedRust { nearest: None }, word.span)
            })?),
            None => None,
        };
    let value = value(right, ty.as_ref())?;
    let slot = literal::with_value(Some(name_text), value, right.span)?;
    Ok(Answer::step(world.push(&slot, pattern != name, right.span)?))
}

/// A literal. Any other expression is Rust that waits for its interpreter.
fn value(word: Word<'_>, expect: Option<&Type>) -> Result<Value, Problem> {
    literal::value(word, expect).map_err(|problem| match problem.trouble {
        Trouble::BadArgument(Argument::NoValue { .. }) => unsupported(word),
        _ => problem,
    })
}

fn assign(
    world: &mut World,
    left: Word<'_>,
    right: Word<'_>,
    span: Span,
) -> Result<Answer, Problem> {
    let (name, index) = match left.text.split_once('[') {
        Some((name, index)) => {
            let Some(index) = index.strip_suffix(']').filter(|index| !index.contains('[')) else {
                return Err(unsupported(Word { text: left.text, span }));
            };
            let start = left.span.start + name.len() + 1;
            (trimmed(name, left.span.start), Some(trimmed(index, start)))
        }
        None => (left, None),
    };
    if !literal::is_identifier(name.text) {
        return Err(unsupported(Word { text: left.text, span }));
    }
    let id = match world.names.get(name.text) {
        Some(Named::Slot { id, .. }) => *id,
        Some(Named::Block { .. }) => {
            return Err(Problem::new(
                Trouble::NotAssignable { name: name.text.to_owned() },
                left.span,
            ));
        }
        _ => {
            return Err(Problem::new(
                Trouble::UnknownVariable { name: name.text.to_owned() },
                name.span,
            ));
        }
    };
    let place = crate::args::Place::Name { name: name.text.to_owned(), plus: 0 };
    let spot = world.locate(&place, name.span)?;
    let target = world.target(&spot, true, name.span)?;
    let item = world.stack.item(id).expect("a live slot is on the stack");
    let ItemKind::Slot { ty, mutable, .. } = &item.kind else {
        unreachable!("only slots have names: {item:?}")
    };
    let needs_mut = !mutable;
    let untyped = || Trouble::NotAnArray { name: name.text.to_owned(), ty: "bytes".to_owned() };
    let ty = ty.clone().ok_or_else(|| Problem::new(untyped(), left.span))?;
    let (offset, ty) = match (index, &ty) {
        (None, ty) => (0, ty.clone()),
        (Some(index), Type::Array(element, len)) => {
            let digits = index.text.strip_suffix("usize").unwrap_or(index.text);
            let at = literal::number(Word { text: digits, span: index.span }, "an index")?;
            if at >= *len {
                return Err(Problem::new(Trouble::IndexPanic { len: *len, index: at }, index.span));
            }
            let size_bytes = element.size_bytes().expect("a type on the stack has a size");
            (at * size_bytes, Type::clone(element))
        }
        (Some(_), other) => {
            let trouble = Trouble::NotAnArray { name: name.text.to_owned(), ty: other.to_string() };
            return Err(Problem::new(trouble, left.span));
        }
    };
    let value = value(right, Some(&ty))?;
    let bytes = to_bytes(&value);
    if bytes.is_empty() {
        return Err(Problem::new(Trouble::UnsupportedRust { nearest: None }, span));
    }
    let access = world.range(&target, offset, Some(bytes.len() as u64), span)?;
    world.store(&access, &bytes);
    Ok(Answer::step(vec![Event::Write {
        name: access.name,
        offset,
        address: access.address,
        bytes,
        value: Some(value.to_string()),
        literal: Some(value.literal()),
        needs_mut,
    }]))
}

/// The bytes of a value that lies on the stack already, so its size is bounded.
fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.bytes(&mut |run| match run {
        stack::Run::Bytes(some) => bytes.extend_from_slice(some),
        stack::Run::Repeat(byte, count) => bytes.resize(bytes.len() + count as usize, byte),
    });
    bytes
}
