//! What is looked at before syn parses: nesting, and whether a line goes on.

use super::{Fault, Kind};
use crate::typed::At;

/// Brackets and operators that stand inside or behind one another, which is how deep syn's tree gets: each level is a
/// frame, and more, on the process's stack, here and in syn.
const MAX_DEPTH: usize = 64;

/// A token of Rust, as far as nesting is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    /// `}`: what stands behind it begins anew, unless that is an `else`.
    CloseBrace,
    /// `,` and `;`: what stands behind begins anew.
    Separator,
    /// Anything that joins two operands, or stands in front of or behind one: `+`, `.`, `as`.
    Operator,
    Else,
    Other,
}

/// The tokens of a text with where each starts. Strings, characters, lifetimes and comments are passed over.
fn tokens(text: &str) -> (Vec<(usize, Token)>, bool) {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut is_open = false;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'(' | b'[' | b'{' => tokens.push((start, Token::Open)),
            b')' | b']' => tokens.push((start, Token::Close)),
            b'}' => tokens.push((start, Token::CloseBrace)),
            b',' | b';' => tokens.push((start, Token::Separator)),
            b'-' | b'!' | b'*' | b'&' | b'+' | b'%' | b'^' | b'|' | b'<' | b'>' | b'=' | b'.' => {
                tokens.push((start, Token::Operator));
            }
            b'"' => {
                let (end, closed) = string_end(bytes, at);
                at = end;
                is_open |= !closed;
                tokens.push((start, Token::Other));
            }
            b'\'' => {
                at = quote_end(text, at);
                tokens.push((start, Token::Other));
            }
            b'/' if bytes.get(at) == Some(&b'/') => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes.get(at) == Some(&b'*') => {
                if let Some(end) = text[at..].find("*/") {
                    at += end + 2;
                } else {
                    at = bytes.len();
                    is_open = true;
                }
            }
            b'/' => tokens.push((start, Token::Operator)),
            byte if byte.is_ascii_whitespace() => {}
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                at += bytes[at..].iter().take_while(|byte| is_word(byte)).count();
                tokens.push((
                    start,
                    match &text[start..at] {
                        "else" => Token::Else,
                        "as" => Token::Operator,
                        _ => Token::Other,
                    },
                ));
            }
            _ => tokens.push((start, Token::Other)),
        }
    }
    (tokens, is_open)
}

fn string_end(bytes: &[u8], mut at: usize) -> (usize, bool) {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return (at + 1, true),
            _ => at += 1,
        }
    }
    (bytes.len(), false)
}

/// Behind a `'`: the end of a character, or of nothing if it starts a lifetime.
fn quote_end(text: &str, at: usize) -> usize {
    let mut chars = text[at..].chars();
    match chars.next() {
        Some('\\') => text[at + 1..].find('\'').map_or(text.len(), |end| {
            // `'\''`
            let end = at + 1 + end;
            if end == at + 1 { end + 2 } else { end + 1 }.min(text.len())
        }),
        Some(c) if chars.next() == Some('\'') => at + c.len_utf8() + 1,
        _ => at,
    }
}

/// Refuses what would overflow the process's stack.
pub(crate) fn check_depth(text: &str, line: u32) -> Result<(), Fault> {
    // What each open bracket holds so far, since its last separator.
    let mut levels = vec![0_usize];
    let mut is_behind_brace = false;
    for (start, token) in tokens(text).0 {
        let here = levels.last_mut().expect("the outermost level stays");
        if std::mem::take(&mut is_behind_brace) && token != Token::Else {
            *here = 0;
        }
        match token {
            Token::Open => {
                *here += 1;
                levels.push(0);
            }
            Token::Close | Token::CloseBrace => {
                if levels.len() > 1 {
                    levels.pop();
                }
                is_behind_brace = token == Token::CloseBrace;
            }
            Token::Separator => *here = 0,
            Token::Operator | Token::Else => *here += 1,
            Token::Other => {}
        }
        if levels.iter().sum::<usize>() > MAX_DEPTH {
            let at = At { line, start: start as u32, end: start as u32 + 1 };
            return Err(Fault { kind: Kind::TooDeep { limit: MAX_DEPTH }, at });
        }
    }
    Ok(())
}

/// Whether a statement goes on: a bracket or a string is not closed yet. A `{` alone opens a scope and is whole.
pub fn is_unfinished(text: &str) -> bool {
    if text.trim() == "{" {
        return false;
    }
    let (tokens, is_open) = tokens(text);
    let depth = tokens.iter().fold(0_i64, |depth, (_, token)| match token {
        Token::Open => depth + 1,
        Token::Close | Token::CloseBrace => depth - 1,
        _ => depth,
    });
    is_open || depth > 0
}

/// A fault of grammar, at the place syn names.
pub(crate) fn syntax(error: &syn::Error, line: u32, text: &str) -> Fault {
    let range = error.span().byte_range();
    let (start, end) = (range.start.min(text.len()), range.end.min(text.len()));
    let at = if start < end {
        At { line, start: start as u32, end: end as u32 }
    } else {
        At { line, start: text.trim_end().len() as u32, end: text.trim_end().len() as u32 }
    };
    let message = match error.to_string() {
        message if message.contains("token stream") => {
            "a character or an open quote that no token begins with".to_owned()
        }
        message => message,
    };
    Fault { kind: Kind::Syntax { message }, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_while_a_bracket_is_open() {
        for (text, expect) in [
            ("let x = [1,", true),
            ("fn f() {", true),
            ("{", false),
            ("}", false),
            ("let c = '{';", false),
            ("let c = '\\'';", false),
            ("let s = \"{\";", false),
            ("let s = \"a", true),
            ("let x: &'a str = f(", true),
            ("f() // (", false),
            ("/* a", true),
        ] {
            assert_eq!(is_unfinished(text), expect, "{text}");
        }
    }

    #[test]
    fn sixty_four_brackets_are_parsed_and_one_more_is_not() {
        let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(check_depth(&nested(64), 1).is_ok());
        assert_eq!(check_depth(&nested(65), 1).unwrap_err().at.start, 64);
        assert!(check_depth(&"-".repeat(65), 1).is_err());
        assert!(check_depth(&"1 + ".repeat(65), 1).is_err());
        assert!(check_depth(&"x.f()".repeat(40), 1).is_err());
        assert!(check_depth(&"if a { } else ".repeat(65), 1).is_err());
        assert!(check_depth(&"if a { b(1 + 2); } ".repeat(1000), 1).is_ok());
        assert!(check_depth(&format!("vec![{}]", "1 + 1, ".repeat(1000)), 1).is_ok());
    }
}
