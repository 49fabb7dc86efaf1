//! From a [`engine::Reply`] to something to look at.
//!
//! A reply becomes lines of [`Piece`]s, text with a [`Role`]. Plain text is the pieces without their roles, ANSI the
//! pieces with a colour each: so both always say the same, and colour never says anything alone.
#![forbid(unsafe_code)]

mod ansi;
mod events;
mod problem;
mod reasons;
mod text;
mod views;

pub use text::{Line, Piece, Role};

use engine::Reply;

/// How to lay text out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns there are; lines are wrapped to them where they can be.
    pub width: usize,
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Whether to stay within ASCII.
    pub ascii: bool,
    /// Rows of a listing at most, unless all are asked for.
    pub list_rows: usize,
}

impl Default for Style {
    /// Plain text, 80 columns, every row.
    fn default() -> Self {
        Self { width: 80, color: false, ascii: false, list_rows: usize::MAX }
    }
}

impl Style {
    /// The reply, without its input; every line ends with a newline. Empty if there is nothing to say.
    pub fn reply(&self, reply: &Reply) -> String {
        self.lines(&lines(reply, *self))
    }

    /// The input behind its prompt, as a transcript shows it.
    pub fn input(&self, input: &str) -> String {
        let mut lines = Vec::new();
        for (index, line) in input.split('\n').enumerate() {
            let prompt = if index == 0 { "> " } else { "  " };
            let line = text::visible(line, self.ascii);
            lines.push(text::Line::new().put(Role::Prompt, prompt).put(Role::Input, line));
        }
        self.lines(&lines)
    }

    /// Input and reply, as a transcript shows them.
    pub fn exchange(&self, reply: &Reply) -> String {
        self.input(&reply.input) + &self.reply(reply)
    }

    fn lines(&self, lines: &[text::Line]) -> String {
        let mut out = String::new();
        for line in lines {
            let line = if self.color { ansi::paint(line) } else { line.plain() };
            let line = line.trim_end();
            out.push_str(&if self.ascii { text::ascii(line) } else { line.to_owned() });
            out.push('\n');
        }
        out
    }
}

/// The reply as lines.
fn lines(reply: &Reply, style: Style) -> Vec<Line> {
    match &reply.outcome {
        Ok(answer) => {
            let mut lines = events::lines(&answer.events, style);
            for view in &answer.views {
                lines.extend(views::lines(view, style));
            }
            if let Some(panic) = &answer.panic {
                lines.extend(problem::lines(&reply.input, panic, style));
            }
            lines
        }
        Err(problem) => problem::lines(&reply.input, problem, style),
    }
}

/// The reply as one line of JSON.
pub fn json(reply: &Reply) -> String {
    serde_json::to_string(reply)
        .expect("a reply is maps, lists, strings and numbers, which JSON can all hold")
}

/// A session as Markdown: one fenced block.
pub fn markdown(exchanges: &str) -> String {
    // A fence longer than any run of backticks inside keeps the block whole.
    let longest = exchanges.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("# A session\n\n{fence}text\n{exchanges}{fence}\n")
}
