//! Parameters of a command, and the words of a line given to them.

use std::sync::Arc;

use heap::Spec;

use crate::heap_spec;
use crate::literal::{self, Size, Slot};
use crate::problem::{Argument, Problem, Trouble};
use crate::scan::{Span, Word};
use crate::units::Address;

/// What a parameter takes. Parsing, completion and hints follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes, as a number, with a unit, or a type.
    Size,
    /// A number of 64 bits, called so in messages.
    Number(&'static str),
    /// A block or slot: a handle, a handle plus a number, or an address.
    Place,
    /// A place that only a block can be.
    Block,
    /// A name for something new.
    NewName,
    /// A mark.
    Mark,
    /// `u8` values or text, to the line's end.
    Bytes,
    /// What `push` takes, to the line's end.
    Slot,
    /// An allocator with its options, to the line's end.
    Heap,
    /// An allocator's name alone.
    HeapName,
    /// A command's name.
    Command,
    /// Another line.
    Line,
    /// A file's path.
    File,
    /// A word of a list.
    Choice(&'static [&'static str]),
}

/// How a parameter is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By its place; it must be there.
    Required,
    /// By its place; it may be left out.
    Optional,
    /// Everything to the line's end; it must be there.
    Rest,
    /// Everything to the line's end; it may be left out.
    OptionalRest,
    /// Behind this word.
    Key(&'static str),
    /// This word alone.
    Flag,
    /// This sign, which must stand there.
    Sign,
}

/// One parameter of a command.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name in the usage, in capitals; a flag's or sign's own text.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// How it is given.
    pub form: Form,
}

impl Param {
    /// As the usage line shows it.
    pub fn usage(&self) -> String {
        let name = self.name;
        match self.form {
            Form::Required | Form::Rest | Form::Sign => name.to_owned(),
            Form::Optional | Form::Flag | Form::OptionalRest => format!("[{name}]"),
            Form::Key(key) => format!("[{key} {name}]"),
        }
    }

    fn is_positional(&self) -> bool {
        !matches!(self.form, Form::Key(_) | Form::Flag)
    }

    fn must_be_given(&self) -> bool {
        matches!(self.form, Form::Required | Form::Rest | Form::Sign)
    }
}

/// Which words went to which parameter.
pub(crate) struct Assignment<'a> {
    /// For each parameter, its words, if it has any.
    pub given: Vec<Option<Vec<Word<'a>>>>,
    /// A keyword that still waits for its word.
    pub waiting: Option<usize>,
    /// The first word nothing takes.
    pub extra: Option<Word<'a>>,
}

impl<'a> Assignment<'a> {
    /// Gives `words` to `params`, in order. A keyword counts once every parameter that must stand before it is given.
    pub(crate) fn new(params: &[Param], words: &[Word<'a>]) -> Self {
        let mut given: Vec<Option<Vec<Word<'a>>>> = vec![None; params.len()];
        let mut rest = words.iter();
        while let Some(&word) = rest.next() {
            let candidate = params.iter().enumerate().filter(|(i, _)| given[*i].is_none()).find(
                |(i, param)| {
                    let reached = params[..*i]
                        .iter()
                        .zip(&given)
                        .all(|(p, g)| g.is_some() || !p.must_be_given());
                    reached
                        && match param.form {
                            Form::Key(key) => word.text == key,
                            Form::Flag => word.text == param.name,
                            _ => !is_later_key(params, &given, *i, word.text),
                        }
                },
            );
            let Some((index, param)) = candidate else {
                return Self { given, waiting: None, extra: Some(word) };
            };
            given[index] = Some(match param.form {
                Form::Key(_) => match rest.next() {
                    Some(&word) => vec![word],
                    None => return Self { given, waiting: Some(index), extra: None },
                },
                Form::Rest | Form::OptionalRest => {
                    std::iter::once(word).chain(rest.by_ref().copied()).collect()
                }
                _ => vec![word],
            });
        }
        Self { given, waiting: None, extra: None }
    }

    /// The parameters the next word could go to.
    pub(crate) fn expected<'p>(&self, params: &'p [Param]) -> Vec<&'p Param> {
        if let Some(index) = self.waiting {
            return vec![&params[index]];
        }
        let mut expected = Vec::new();
        for (param, given) in params.iter().zip(&self.given) {
            if given.is_some() && !matches!(param.form, Form::Rest | Form::OptionalRest) {
                continue;
            }
            expected.push(param);
            if param.must_be_given() {
                break;
            }
        }
        expected
    }
}

/// Whether `word` is a keyword of a parameter behind `index` that an optional one should leave to it.
fn is_later_key(
    params: &[Param],
    given: &[Option<Vec<Word<'_>>>],
    index: usize,
    word: &str,
) -> bool {
    !params[index].must_be_given()
        && params.iter().zip(given).skip(index + 1).any(|(param, given)| {
            given.is_none()
                && match param.form {
                    Form::Key(key) => key == word,
                    Form::Flag => param.name == word,
                    _ => false,
                }
        })
}

/// A block, slot or address as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `H`, or `H+N`.
    Name {
        /// The handle or slot.
        name: String,
        /// How far behind its start.
        plus: u64,
    },
    /// `0x1000_0008`.
    Address(Address),
}

/// A parsed argument.
#[derive(Clone, Debug)]
enum Value {
    Size(Size),
    Number(u64),
    Place(Place),
    Name(Arc<str>),
    Bytes(Vec<u8>),
    Slot(Slot),
    Heap(Arc<Spec>),
    Text(String),
}

/// The arguments of one line, parsed as its command's parameters say.
#[derive(Debug)]
pub struct Args {
    names: Vec<&'static str>,
    values: Vec<Option<(Value, Span)>>,
    /// Where the whole line stands, without the space around it.
    pub line: Span,
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $t:ty) => {
        $(#[$doc])*
        pub fn $name(&self, param: &str) -> Option<(&$t, Span)> {
            match self.get(param) {
                Some((Value::$variant(value), span)) => Some((value, *span)),
                None => None,
                Some((other, _)) => unreachable!("{param} was parsed as {other:?}"),
            }
        }
    };
}

impl Args {
    /// Parses `words` as `params` say. `text` is the line.
    ///
    /// # Errors
    ///
    /// The first word that is missing, one too many, or not of its parameter's kind.
    pub fn parse(
        command: &'static str,
        params: &'static [Param],
        text: &str,
        words: &[Word<'_>],
    ) -> Result<Self, Problem> {
        let line = Span::all(text);
        // A `;` at the end is a habit from Rust, and does no harm.
        let words = match words.split_last() {
            Some((last, rest)) if last.text == ";" => rest,
            _ => words,
        };
        let assignment = Assignment::new(params, words);
        let missing = |index: usize| {
            let what = match params[index] {
                Param { name, form: Form::Key(key), .. } => format!("{name} behind `{key}`"),
                Param { name, .. } => name.to_owned(),
            };
            Problem::new(Trouble::BadArgument(Argument::Missing { command, what }), line)
        };
        if let Some(index) = assignment.waiting {
            return Err(missing(index));
        }
        if let Some(extra) = assignment.extra {
            let text = extra.text.to_owned();
            let argument = Argument::Extra { command, text };
            return Err(Problem::new(Trouble::BadArgument(argument), extra.span));
        }
        let mut values = Vec::with_capacity(params.len());
        for (index, (param, given)) in params.iter().zip(&assignment.given).enumerate() {
            values.push(match given {
                Some(words) => Some(param.kind.parse(words, param, text)?),
                None if param.is_positional() && param.must_be_given() => {
                    return Err(missing(index));
                }
                None => None,
            });
        }
        Ok(Self { names: params.iter().map(|param| param.name).collect(), values, line })
    }

    /// No arguments at all.
    pub(crate) fn none(line: Span) -> Self {
        Self { names: Vec::new(), values: Vec::new(), line }
    }

    /// The arguments of a line that stands `by` bytes into another.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        self.line = self.line.moved(by);
        for (_, span) in self.values.iter_mut().flatten() {
            *span = span.moved(by);
        }
        self
    }

    fn get(&self, param: &str) -> Option<&(Value, Span)> {
        let index = self.names.iter().position(|name| *name == param);
        self.values[index.unwrap_or_else(|| panic!("no parameter {param} in {:?}", self.names))]
            .as_ref()
    }

    getter!(/// A size.
        size, Size, Size);
    getter!(/// A number.
        number, Number, u64);
    getter!(/// A place.
        place, Place, Place);
    getter!(/// A new name.
        name, Name, Arc<str>);
    getter!(/// Bytes.
        bytes, Bytes, Vec<u8>);
    getter!(/// A slot.
        slot, Slot, Slot);
    getter!(/// A heap.
        heap, Heap, Arc<Spec>);
    getter!(/// A word: of a list, a mark, a command, a file.
        text, Text, String);

    /// Where the last argument stands, or the whole line.
    pub fn last_span(&self) -> Span {
        self.values.iter().rev().flatten().map(|(_, span)| *span).next().unwrap_or(self.line)
    }

    /// Whether a flag is given.
    pub fn flag(&self, param: &str) -> bool {
        self.get(param).is_some()
    }
}

/// A parameter's value that the parser has made sure of.
pub(crate) trait Given<T> {
    /// The value.
    fn given(self) -> T;
}

impl<T> Given<T> for Option<T> {
    fn given(self) -> T {
        self.expect("a required parameter is there once the line is parsed")
    }
}

impl Kind {
    fn parse(
        self,
        words: &[Word<'_>],
        param: &Param,
        line: &str,
    ) -> Result<(Value, Span), Problem> {
        let word = words[0];
        let span = Span { start: word.span.start, end: words[words.len() - 1].span.end };
        let value = match self {
            _ if matches!(param.form, Form::Flag) => Value::Text(param.name.to_owned()),
            _ if matches!(param.form, Form::Sign) && word.text == param.name => {
                Value::Text(param.name.to_owned())
            }
            _ if matches!(param.form, Form::Sign) => {
                let argument = Argument::NoSign { sign: param.name, text: word.text.to_owned() };
                return Err(Problem::new(Trouble::BadArgument(argument), word.span));
            }
            Self::Size => Value::Size(literal::size(word)?),
            Self::Number(what) => Value::Number(literal::number(word, what)?),
            Self::Place | Self::Block => Value::Place(place(word)?),
            Self::NewName => Value::Name(literal::name(word)?),
            Self::Bytes => Value::Bytes(literal::bytes(words)?),
            Self::Slot => Value::Slot(literal::slot(&line[span.start..span.end], span.start)?),
            Self::Choice(choices) if !choices.contains(&word.text) => {
                let argument = Argument::NoChoice { choices, text: word.text.to_owned() };
                return Err(Problem::new(Trouble::BadArgument(argument), word.span));
            }
            Self::Heap => {
                let text = &line[span.start..span.end];
                Value::Heap(Arc::new(heap_spec::parse(text, span.start)?))
            }
            Self::Line => Value::Text(line[span.start..span.end].to_owned()),
            Self::Command | Self::HeapName | Self::Mark | Self::Choice(_) => {
                Value::Text(word.text.to_owned())
            }
            Self::File => Value::Text(path(word.text)),
        };
        Ok((value, span))
    }
}

/// A path may stand in quotes.
fn path(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

fn place(word: Word<'_>) -> Result<Place, Problem> {
    let (base, plus) = match word.text.split_once('+') {
        Some((base, plus)) => {
            let start = word.span.start + base.len() + 1;
            (base, literal::number(literal::trimmed(plus, start), "an offset")?)
        }
        None => (word.text, 0),
    };
    if base.starts_with(|c: char| c.is_ascii_digit()) {
        let address = literal::number(Word { text: base, span: word.span }, "an address")?;
        return Ok(Place::Address(Address(address).plus(plus)));
    }
    if !literal::is_identifier(base) {
        let argument = Argument::NoPlace { text: word.text.to_owned() };
        return Err(Problem::new(Trouble::BadArgument(argument), word.span));
    }
    Ok(Place::Name { name: base.to_owned(), plus })
}
