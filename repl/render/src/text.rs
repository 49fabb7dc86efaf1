//! Lines of text whose parts know what they are.

use unicode_width::UnicodeWidthStr;

/// What a piece of text is. A colour may follow from it; nothing is said by it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// The `> ` in front of an input.
    Prompt,
    /// What was typed.
    Input,
    /// A block's, slot's or mark's name.
    Name,
    /// An address.
    Address,
    /// An allocator's own bytes.
    Header,
    /// Free bytes.
    Hole,
    /// What matters less: how it came about, what is unset.
    Dim,
    /// The star of what changed last.
    Changed,
    /// A heading.
    Heading,
    /// `error[code]`, and its caret.
    Error,
    /// What to try.
    Hint,
}

/// Text with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// The text.
    pub text: String,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces, from the left.
    pub pieces: Vec<Piece>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Ordinary text alone.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self::new().text(text)
    }

    /// How it came about: indented and dim.
    pub(crate) fn detail(text: impl AsRef<str>) -> Self {
        Self::new().put(Role::Dim, format!("  {}", text.as_ref()))
    }

    #[must_use]
    pub(crate) fn put(mut self, role: Role, text: impl Into<String>) -> Self {
        self.pieces.push(Piece { role, text: text.into() });
        self
    }

    #[must_use]
    pub(crate) fn text(self, text: impl Into<String>) -> Self {
        self.put(Role::Plain, text)
    }

    #[must_use]
    pub(crate) fn name(self, text: impl Into<String>) -> Self {
        self.put(Role::Name, text)
    }

    #[must_use]
    pub(crate) fn address(self, address: engine::units::Address) -> Self {
        self.put(Role::Address, address.to_string())
    }

    /// The pieces of another line behind this one's.
    #[must_use]
    pub(crate) fn append(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Spaces up to a column.
    #[must_use]
    pub(crate) fn pad_to(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width());
        self.text(" ".repeat(missing))
    }

    /// The line, or several of at most `width` columns: broken at spaces, indented from the second on, roles kept.
    pub(crate) fn wrapped(self, width: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self];
        }
        let mut lines = vec![Self::new()];
        for piece in &self.pieces {
            for word in piece.text.split_inclusive(' ') {
                let line = lines.last_mut().expect("there is always a line");
                if line.width() + word.trim_end().width() > width && !line.plain().trim().is_empty()
                {
                    lines.push(Self::of("  "));
                }
                let line = lines.last_mut().expect("there is always a line");
                *line = std::mem::take(line).put(piece.role, word);
            }
        }
        lines
    }

    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// `text` with its control characters spelt out, and what is not ASCII as well if it has to be.
pub(crate) fn visible(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            '…' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c if ascii && !c.is_ascii() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Our own characters in ASCII; others are escaped.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            c if c.is_ascii() => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// `text` broken at spaces into lines of at most `width` columns.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_spaces_and_keeps_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible yes", 5), ["incomprehensible", "yes"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn ascii_needs_nothing_outside_ascii() {
        assert_eq!(ascii("… é"), r"... \u{e9}");
        assert_eq!(visible("\u{1b}[31m", false), r"\u{1b}[31m");
    }
}
