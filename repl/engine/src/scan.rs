//! Cutting text into lines, and a line into words.

use serde::Serialize;

use crate::problem::{Argument, Problem, Trouble};

/// The longest line, in bytes.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The words of Rust that no name may be and no command is called like.
pub(crate) const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while",
];

/// The deepest nesting of brackets.
pub const MAX_DEPTH: usize = 64;

/// A range of bytes of the line, half open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.start, self.end].serialize(serializer)
    }
}

impl Span {
    /// All of `line` but the space around it.
    pub fn all(line: &str) -> Self {
        let start = line.len() - line.trim_start().len();
        Self { start, end: (start + line.trim().len()).max(start) }
    }

    /// The same, `by` bytes further on.
    pub(crate) fn moved(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

/// A word of a line: what stands between spaces, with brackets and quotes kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// Its text.
    pub text: &'a str,
    /// Where it stands.
    pub span: Span,
}

/// Where a scan is: how deep in brackets, and in which quote.
#[derive(Default)]
struct State {
    depth: usize,
    quote: Option<char>,
    escaped: bool,
}

impl State {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.quote.is_some()
    }

    /// Takes the next character in; `rest` is the text from it on.
    fn step(&mut self, c: char, rest: &str) {
        if let Some(quote) = self.quote {
            if self.escaped {
                self.escaped = false;
            } else if c == '\\' {
                self.escaped = true;
            } else if c == quote {
                self.quote = None;
            }
            return;
        }
        match c {
            '"' => self.quote = Some('"'),
            '\'' if char_literal(rest) => self.quote = Some('\''),
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Whether `rest`, which starts with `'`, starts with a character literal: `'a'` or `'\n'`, not `a'b`.
fn char_literal(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => rest[2..].contains('\''),
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// Whether a comment starts at `rest`: `//`, or `#` that starts no Rust attribute.
fn starts_comment(rest: &str) -> bool {
    rest.starts_with("//")
        || (rest.starts_with('#') && !rest.starts_with("#[") && !rest.starts_with("#!"))
}

/// Whether there is nothing to run on the line.
pub fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || starts_comment(line)
}

/// The lines of `text`, without the space around them: one a newline, or a `;` outside brackets, quotes and comments.
pub fn split(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut state = State::default();
        let mut start = 0;
        let mut fresh = true;
        for (at, c) in line.char_indices() {
            if !state.is_open() {
                if c == ';' {
                    lines.push(line[start..at].trim());
                    start = at + 1;
                    fresh = true;
                    continue;
                }
                if fresh && starts_comment(&line[at..]) {
                    break;
                }
            }
            state.step(c, &line[at..]);
            fresh = c.is_whitespace();
        }
        lines.push(line[start..].trim());
    }
    lines
}

/// Joins the lines of `text` that are one statement of Rust: a statement goes on while a bracket or a string is open. Each
/// comes with the number of its first line, from 0.
pub fn statements(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        match joined.last_mut() {
            Some((_, last)) if is_open => {
                last.push('\n');
                last.push_str(line);
            }
            _ => joined.push((index, line.to_owned())),
        }
        is_open = joined.last().is_some_and(|(_, last)| is_unfinished(last));
    }
    joined
}

/// Whether a line is a statement of Rust that goes on.
pub fn is_unfinished(line: &str) -> bool {
    line.len() <= MAX_LINE_BYTES
        && matches!(crate::commands::read(line), Ok(crate::commands::Read::Statement))
        && interpreter::lower::is_unfinished(line)
}

/// Refuses what no line may hold, before anything else looks at it.
pub(crate) fn validate(line: &str) -> Result<(), Problem> {
    if line.len() > MAX_LINE_BYTES {
        return Err(Problem::new(
            Trouble::TooLong { bytes: line.len() as u64 },
            Span { start: 0, end: 0 },
        ));
    }
    let mut state = State::default();
    for (at, c) in line.char_indices() {
        let span = Span { start: at, end: at + c.len_utf8() };
        if c == char::REPLACEMENT_CHARACTER {
            return Err(Problem::new(Trouble::NotUtf8, span));
        }
        if c.is_control() && c != '\t' && c != '\n' {
            return Err(Problem::new(Trouble::ControlCharacter { code: c as u32 }, span));
        }
        state.step(c, &line[at..]);
        if state.depth > MAX_DEPTH {
            return Err(Problem::new(Trouble::TooDeep, span));
        }
    }
    Ok(())
}

/// The words of `line`, its comment left out. A `;` is a word of its own.
///
/// # Errors
///
/// A quote or bracket that is never closed.
pub(crate) fn words(line: &str) -> Result<Vec<Word<'_>>, Problem> {
    let mut words = Vec::new();
    let mut state = State::default();
    let mut start = None;
    let mut end = line.len();
    for (at, c) in line.char_indices() {
        if !state.is_open() {
            if start.is_none() && starts_comment(&line[at..]) {
                end = at;
                break;
            }
            if c.is_whitespace() || c == ';' {
                if let Some(start) = start.take() {
                    words.push(word(line, start, at));
                }
                if c == ';' {
                    words.push(word(line, at, at + 1));
                }
                continue;
            }
        }
        start.get_or_insert(at);
        state.step(c, &line[at..]);
    }
    if let Some(start) = start {
        if state.is_open() {
            let argument =
                if state.quote.is_some() { Argument::OpenQuote } else { Argument::OpenBracket };
            return Err(Problem::new(Trouble::BadArgument(argument), word(line, start, end).span));
        }
        words.push(word(line, start, end));
    }
    Ok(words)
}

fn word(line: &str, start: usize, end: usize) -> Word<'_> {
    Word { text: &line[start..end], span: Span { start, end } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<&str> {
        words(line).unwrap().iter().map(|word| word.text).collect()
    }

    #[test]
    fn brackets_and_quotes_keep_words_together() {
        assert_eq!(texts("push [0u8; 200]"), ["push", "[0u8; 200]"]);
        assert_eq!(texts(r#"write a "x \" y" 1"#), ["write", "a", r#""x \" y""#, "1"]);
        assert_eq!(texts("push x = ' '"), ["push", "x", "=", "' '"]);
    }

    #[test]
    fn a_comment_ends_the_line_but_not_inside_a_word() {
        assert_eq!(texts("alloc 8 // why"), ["alloc", "8"]);
        assert_eq!(texts("alloc 8 # why"), ["alloc", "8"]);
        assert_eq!(texts("save a#b"), ["save", "a#b"]);
        assert!(is_blank("  # x") && is_blank("") && is_blank("// y") && !is_blank("#[repr(C)]"));
    }

    #[test]
    fn a_semicolon_splits_outside_brackets_quotes_and_comments() {
        assert_eq!(split("alloc 200; sp"), ["alloc 200", "sp"]);
        assert_eq!(split("push [0u8; 4]; pop"), ["push [0u8; 4]", "pop"]);
        assert_eq!(split("write a \";\"; sp // a; b\nsp"), ["write a \";\"", "sp // a; b", "sp"]);
        assert_eq!(split("push ';'; sp"), ["push ';'", "sp"]);
    }

    #[test]
    fn unclosed_quotes_and_brackets_are_named() {
        assert!(words("write a \"x").is_err());
        assert!(words("push [0u8; 4").is_err());
        assert_eq!(texts("it's"), ["it's"]);
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused_and_the_limit_is_not() {
        assert!(validate(&"(".repeat(MAX_DEPTH)).is_ok());
        assert!(validate(&"(".repeat(MAX_DEPTH + 1)).is_err());
        assert!(validate(&"x".repeat(MAX_LINE_BYTES)).is_ok());
        assert!(validate(&"x".repeat(MAX_LINE_BYTES + 1)).is_err());
    }
}
