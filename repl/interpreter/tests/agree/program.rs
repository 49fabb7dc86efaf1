//! A program as its generator built it, and as the prompt reads it: lines.

/// A program: items first, each a line, then what happens, inside one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// `use`, structs, impls, functions.
    pub(crate) items: Vec<Stmt>,
    /// What is done.
    pub(crate) body: Vec<Stmt>,
}

/// A statement: text with bodies in it.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub(crate) pieces: Vec<Piece>,
    /// Whether a bare scope is written over several lines.
    pub(crate) is_scope: bool,
}

/// A piece of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// As it stands.
    Text(String),
    /// Statements between braces, with the value behind them.
    Body(Vec<Stmt>, String),
}

impl Stmt {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())], is_scope: false }
    }

    /// `HEAD { BODY }`.
    pub(crate) fn nest(head: impl Into<String>, body: Vec<Self>) -> Self {
        Self {
            pieces: vec![Piece::Text(head.into()), Piece::Body(body, String::new())],
            is_scope: false,
        }
    }

    /// A scope over several lines.
    pub(crate) fn scope(body: Vec<Self>) -> Self {
        Self { pieces: vec![Piece::Body(body, String::new())], is_scope: true }
    }

    pub(crate) fn on_one_line(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Body(body, tail) => in_braces(body, tail),
            })
            .collect()
    }

    fn lines(&self, into: &mut Vec<String>) {
        match &self.pieces[..] {
            [Piece::Body(body, _)] if self.is_scope => {
                into.push("{".to_owned());
                for stmt in body {
                    stmt.lines(into);
                }
                into.push("}".to_owned());
            }
            _ => into.push(self.on_one_line()),
        }
    }
}

/// `{ a; b; tail }`.
pub(crate) fn in_braces(body: &[Stmt], tail: &str) -> String {
    let mut text = "{ ".to_owned();
    for stmt in body {
        text += &stmt.on_one_line();
        text.push(' ');
    }
    text + tail + if tail.is_empty() { "}" } else { " }" }
}

impl Program {
    /// A program of these lines: those that declare something are its items.
    pub(crate) fn of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let is_item = |line: &&str| {
            let words = [
                "fn ",
                "struct ",
                "trait ",
                "impl ",
                "impl<",
                "use ",
                "#[",
                "box_pool!",
                "heapless::box_pool!",
            ];
            words.iter().any(|word| line.starts_with(word))
        };
        let (items, body): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_item);
        let stmts = |lines: Vec<&str>| lines.into_iter().map(Stmt::text).collect();
        Self { items: stmts(items), body: stmts(body) }
    }

    /// What is typed at the prompt. The body stands in a scope of its own, so that its variables go at its end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for item in &self.items {
            item.lines(&mut lines);
        }
        Stmt::scope(self.body.clone()).lines(&mut lines);
        lines
    }

    /// Every program with a statement less in it, or with less in one of its statements; the smallest first.
    pub(crate) fn smaller(&self, by: Less) -> Vec<Self> {
        let mut found = Vec::new();
        for items in fewer(&self.items, by) {
            found.push(Self { items, body: self.body.clone() });
        }
        for body in fewer(&self.body, by) {
            found.push(Self { items: self.items.clone(), body });
        }
        found.sort_by_key(|program| program.lines().iter().map(String::len).sum::<usize>());
        found
    }
}

/// What a smaller program has less of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Less {
    Statements,
    Text,
}

/// The statements without one half, one quarter, …, one of them, without something inside one, or with one body's
/// statements in its place; or with less text in one.
fn fewer(stmts: &[Stmt], by: Less) -> Vec<Vec<Stmt>> {
    let mut found = Vec::new();
    let mut len = if by == Less::Statements { stmts.len().div_ceil(2) } else { 0 };
    while len > 0 {
        for start in (0..stmts.len()).step_by(len) {
            let end = (start + len).min(stmts.len());
            found.push([&stmts[..start], &stmts[end..]].concat());
        }
        len /= 2;
    }
    for (at, stmt) in stmts.iter().enumerate() {
        for (number, piece) in stmt.pieces.iter().enumerate() {
            let mut put = |piece: Piece| {
                let mut stmts = stmts.to_vec();
                stmts[at].pieces[number] = piece;
                found.push(stmts);
            };
            match piece {
                Piece::Text(text) if by == Less::Text => {
                    shorter(text).into_iter().map(Piece::Text).for_each(put);
                }
                Piece::Text(_) => {}
                Piece::Body(body, tail) => {
                    for body in fewer(body, by) {
                        put(Piece::Body(body, tail.clone()));
                    }
                    if by == Less::Text {
                        for tail in shorter(tail) {
                            put(Piece::Body(body.clone(), tail));
                        }
                    } else {
                        found.push([&stmts[..at], body, &stmts[at + 1..]].concat());
                    }
                }
            }
        }
    }
    found
}

/// The text without a pair of brackets, without one item between them, or without them and the word before.
fn shorter(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut is_text = false;
    let mut before = ' ';
    for (end, c) in text.char_indices() {
        match c {
            '"' if before != '\\' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => open.push(end),
            ')' | ']' | '}' => {
                let Some(start) = open.pop() else { continue };
                let (head, inner, rest) = (&text[..start], &text[start + 1..end], &text[end + 1..]);
                found.push(format!("{head}{inner}{rest}"));
                let is_word = |c: char| c.is_ascii_alphanumeric() || "_.:!<>".contains(c);
                let word = head.trim_end_matches(is_word);
                found.push(format!("{word}{rest}"));
                found.push(format!("{word}{inner}{rest}"));
                for item in items(inner) {
                    found.push(format!("{word}{}{rest}", &inner[item.clone()]));
                    let left = format!("{}{}", &inner[..item.start], &inner[item.end..]);
                    let left = left.trim_start_matches([',', ' ']).replace(", ,", ",");
                    let open = &text[start..=start];
                    found.push(format!("{head}{open}{left}{}", &text[end..]));
                }
            }
            _ => {}
        }
        before = if before == '\\' { ' ' } else { c };
    }
    found.retain(|shorter| shorter.len() < text.len() && !shorter.trim().is_empty());
    found
}

/// The ranges between commas, semicolons and brackets of the outermost level.
fn items(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && ",;}".contains(c) {
            let end = if c == ',' { at } else { at + 1 };
            found.push(start..end);
            start = at + 1;
        }
    }
    if start < text.len() {
        found.push(start..text.len());
    }
    found
}
