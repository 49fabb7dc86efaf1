//! What `use` takes: an allocator, its options, and the heaps a wrapper wraps. Everything is read off
//! [`heap::HEAPS`].

use heap::{HEAPS, Info, Inner, MAX_NESTING, OptionInfo, Spec, Takes, Value};

use crate::literal;
use crate::problem::{Argument, Problem, Trouble};
use crate::scan::{Span, Word};

/// Parses `text`, which stands at `start` of the line: `guard(best-fit order=lifo) quarantine=4`.
///
/// # Errors
///
/// The first part of it that is no heap, no option of its heap, or not what the option takes.
pub(crate) fn parse(text: &str, start: usize) -> Result<Spec, Problem> {
    let mut cursor = Cursor { text, start, at: 0 };
    let spec = cursor.spec(0)?;
    match cursor.word(|_| true) {
        Some(extra) => {
            let (command, text) = ("use", extra.text.to_owned());
            Err(bad(Argument::Extra { command, text }, extra.span))
        }
        None => Ok(spec),
    }
}

/// How a row is typed: `first-fit [order=address|lifo|size]`.
pub fn usage(info: &Info) -> String {
    let mut usage = info.name.to_owned();
    if !info.inner.is_empty() {
        let inner = info.inner.iter().map(|inner| match inner {
            Inner::Size => "SIZE",
            Inner::Heap => "HEAP",
        });
        usage = format!("{usage}({})", inner.collect::<Vec<_>>().join(", "));
    }
    for option in info.options {
        usage = format!("{usage} [{}]", option_usage(option));
    }
    usage
}

fn option_usage(option: &OptionInfo) -> String {
    let value = match option.takes {
        Takes::Choice(words) => words.join("|"),
        Takes::Number { .. } => "N".to_owned(),
        Takes::Sizes { .. } => "SIZE,SIZE,...".to_owned(),
    };
    if option.key.is_empty() { value } else { format!("{}={value}", option.key) }
}

/// What could stand in place of the last word of `before`, the text behind `use`: its text and a few words about it.
pub(crate) fn complete(before: &str) -> Vec<(String, String)> {
    let word = before.rfind(char::is_whitespace).map_or(before, |at| before[at..].trim_start());
    // The heap being named is what stands behind the last bracket, or behind a comma and a space.
    let from = before.rfind('(').map_or(0, |at| at + 1);
    let from = before[from..].rfind(", ").map_or(from, |at| from + at + 2);
    let part = &before[from..];
    match part.split_once(char::is_whitespace) {
        None => {
            let head = word.strip_suffix(part).unwrap_or_default();
            let candidate = |info: &&Info| {
                let bracket = if info.inner.is_empty() { "" } else { "(" };
                (format!("{head}{}{bracket}", info.name), info.summary.to_owned())
            };
            HEAPS.iter().map(candidate).collect()
        }
        Some((name, _)) => {
            let name = name.split('(').next().unwrap_or_default();
            let Some(info) = heap::named(name) else { return Vec::new() };
            let words = info.options.iter().flat_map(|option| match option.takes {
                Takes::Choice(words) => {
                    words.iter().map(|word| format!("{}={word}", option.key)).collect()
                }
                Takes::Number { default, .. } => vec![format!("{}={default}", option.key)],
                Takes::Sizes { default, .. } => {
                    let sizes: Vec<_> = default.iter().map(u32::to_string).collect();
                    vec![sizes.join(",")]
                }
            });
            words.map(|word| (word, "option".to_owned())).collect()
        }
    }
}

fn bad(argument: Argument, span: Span) -> Problem {
    Problem::new(Trouble::BadArgument(argument), span)
}

/// Reads from the front of `text`.
struct Cursor<'a> {
    text: &'a str,
    /// Where `text` stands in the line.
    start: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip_space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    /// The next run of characters that `belongs` accepts, behind space; `None` at the end or before another character.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> Option<Word<'a>> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| c.is_whitespace() || !belongs(c)).unwrap_or(rest.len());
        let start = self.start + self.at;
        self.at += len;
        (len > 0).then(|| Word { text: &rest[..len], span: Span { start, end: start + len } })
    }

    fn takes(&mut self, sign: char) -> bool {
        self.skip_space();
        let there = self.text[self.at..].starts_with(sign);
        self.at += if there { sign.len_utf8() } else { 0 };
        there
    }

    /// Everything, or what is left if there is something.
    fn rest(&self) -> Span {
        let end = self.start + self.text.trim_end().len();
        Span { start: (self.start + self.at).min(end.saturating_sub(1)), end }
    }

    fn missing(&self, info: &Info) -> Problem {
        bad(Argument::Missing { command: "use", what: usage(info) }, self.rest())
    }

    fn spec(&mut self, depth: usize) -> Result<Spec, Problem> {
        let name = self.word(|c| !"(),=".contains(c)).ok_or_else(|| {
            bad(Argument::Missing { command: "use", what: "a heap's name".to_owned() }, self.rest())
        })?;
        let info = named(name.text, name.span)?;
        let mut spec = Spec::plain(info);
        if !info.inner.is_empty() {
            if depth >= MAX_NESTING {
                let max = MAX_NESTING as u64;
                return Err(Problem::new(Trouble::HeapsTooDeep { max }, name.span));
            }
            self.inner(&mut spec, depth)?;
        }
        while let Some(word) = self.word(|c| !"(),".contains(c)) {
            self.option(&mut spec, word)?;
        }
        Ok(spec)
    }

    /// What stands in a wrapper's brackets.
    fn inner(&mut self, spec: &mut Spec, depth: usize) -> Result<(), Problem> {
        let info = spec.info;
        for (index, inner) in info.inner.iter().enumerate() {
            if !self.takes(if index == 0 { '(' } else { ',' }) {
                return Err(self.missing(info));
            }
            match inner {
                Inner::Size => {
                    let word =
                        self.word(|c| !"(),".contains(c)).ok_or_else(|| self.missing(info))?;
                    let size = literal::size(word)?.bytes;
                    let max = u64::from(heap::MAX_ARENA);
                    if size == 0 || size > max {
                        let (text, min) = (word.text.to_owned(), 1);
                        return Err(bad(Argument::Outside { min, max, text }, word.span));
                    }
                    spec.border_bytes = Some(size as u32);
                }
                Inner::Heap => spec.inner.push(self.spec(depth + 1)?),
            }
        }
        if self.takes(')') { Ok(()) } else { Err(self.missing(info)) }
    }

    fn option(&mut self, spec: &mut Spec, word: Word<'a>) -> Result<(), Problem> {
        let (key, text) = word.text.split_once('=').unwrap_or(("", word.text));
        let option = spec.info.options.iter().find(|option| option.key == key);
        let Some(option) = option else {
            let options = spec.info.options.iter().map(option_usage).collect();
            let (heap, text) = (spec.info.name, word.text.to_owned());
            return Err(bad(Argument::NoOption { heap, text, options }, word.span));
        };
        if spec.options.iter().any(|(given, _)| *given == option.key) {
            let (heap, text) = (spec.info.name, word.text.to_owned());
            return Err(bad(Argument::OptionTwice { heap, text }, word.span));
        }
        let value =
            Word { text, span: Span { start: word.span.end - text.len(), end: word.span.end } };
        let value = match option.takes {
            Takes::Choice(choices) => {
                let choice = choices.iter().copied().find(|choice| *choice == text);
                let choice = choice.ok_or_else(|| {
                    bad(Argument::NoChoice { choices, text: text.to_owned() }, value.span)
                })?;
                Value::Choice(choice)
            }
            Takes::Number { min, max, .. } => Value::Number(number(value, min, max)?),
            Takes::Sizes { most, max_bytes, .. } => {
                Value::Sizes(self.sizes(value, most, max_bytes)?)
            }
        };
        spec.options.push((option.key, value));
        Ok(())
    }

    /// `16,64,512`: a comma belongs to the list if a digit follows at once.
    fn sizes(&mut self, first: Word<'a>, most: usize, max_bytes: u32) -> Result<Vec<u32>, Problem> {
        let mut sizes: Vec<u32> = Vec::new();
        let mut word = first;
        loop {
            let size = number(word, 8, max_bytes)?;
            let rising = sizes.last().is_none_or(|last| *last < size);
            if !size.is_multiple_of(8) || !rising {
                let text = word.text.to_owned();
                return Err(bad(Argument::NoSlotSize { text, rising }, word.span));
            }
            sizes.push(size);
            if sizes.len() > most {
                return Err(bad(Argument::ManySizes { max: most as u64 }, word.span));
            }
            let rest = &self.text[self.at..];
            let more = rest
                .strip_prefix(',')
                .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if more.is_none() {
                return Ok(sizes);
            }
            self.at += 1;
            word = self.word(|c| !"(),".contains(c)).expect("a digit follows the comma");
        }
    }
}

fn number(word: Word<'_>, min: u32, max: u32) -> Result<u32, Problem> {
    let outside = || {
        let (min, max) = (u64::from(min), u64::from(max));
        bad(Argument::Outside { min, max, text: word.text.to_owned() }, word.span)
    };
    let number = match literal::size(word) {
        Err(problem) if problem.code() == "size-overflow" => return Err(outside()),
        size => size?.bytes,
    };
    let (min, max) = (u64::from(min), u64::from(max));
    if (min..=max).contains(&number) {
        return Ok(number as u32);
    }
    Err(outside())
}

/// The row called `name`, which stands at `span`.
///
/// # Errors
///
/// That there is none, with the nearest.
pub(crate) fn named(name: &str, span: Span) -> Result<&'static Info, Problem> {
    heap::named(name).ok_or_else(|| unknown(Word { text: name, span }))
}

fn unknown(name: Word<'_>) -> Problem {
    let distance = |known: &&str| strsim::damerau_levenshtein(known, name.text);
    let nearest = HEAPS
        .iter()
        .map(|info| info.name)
        .filter(|_| name.text.len() <= 32)
        .min_by_key(|known| distance(known))
        .filter(|known| distance(known) <= 3);
    let trouble = Trouble::UnknownHeap { name: name.text.to_owned(), nearest };
    Problem::new(trouble, name.span)
}
