//! The commands: one file each, one row each in [`COMMANDS`]. Parser, help, completion, "did you mean" and the example
//! tests are loops over the table.

mod alias;
mod alloc;
mod blocks;
mod call;
mod check;
mod clear;
mod dare;
mod dump;
mod export;
mod frag;
mod free;
mod goto;
mod heap;
mod heaps;
mod help;
mod history;
mod holes;
mod layout;
mod map;
mod mark;
mod new;
mod open;
mod pop;
mod push;
mod quit;
mod read;
mod realloc;
mod redo;
mod reset;
mod ret;
mod save;
mod sp;
mod stack;
mod stats;
mod try_run;
mod undo;
mod use_heap;
mod vars;
mod why;
mod write;

pub use export::ExportFormat;
pub(crate) use try_run::inner;

use crate::args::{Args, Param};
use crate::dare::Unchecked;
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::scan::{self, KEYWORDS, Span, Word, words};
use crate::session::{Ask, Session};
use crate::world::World;

/// What a command runs on.
#[derive(Clone, Copy)]
pub enum Run {
    /// The machine: logged, and a step if it changed something.
    World(fn(&mut World, &Args) -> Result<Answer, Problem>),
    /// The session's own log: never logged.
    Session(fn(&mut Session, &Args) -> Result<Answer, Problem>),
    /// A copy of the machine, or else a process of its own: logged, never a step.
    Daring(fn(&World, &Args) -> Result<Daring, Problem>),
    /// The machine and how it came to be what it is: logged, never a step.
    Review(fn(&Session, &Args) -> Result<Answer, Problem>),
    /// The shell: a file, the screen, the end.
    Request(fn(&Args) -> Result<Ask, Problem>),
}

/// Where something forbidden is done.
#[derive(Debug)]
pub enum Daring {
    /// On a copy, here: what came of it.
    Here(Box<Answer>),
    /// In a process of its own.
    Elsewhere(Ask),
}

/// Where help lists a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Blocks.
    Heap,
    /// The arena.
    Arena,
    /// Slots and frames.
    Stack,
    /// Views.
    Look,
    /// Reasons.
    Understand,
    /// The log.
    Time,
    /// The rest.
    Else,
}

impl Group {
    /// Every group with its title, in the order of help.
    pub const ALL: &[(Self, &'static str)] = &[
        (Self::Heap, "heap"),
        (Self::Arena, "the heap itself"),
        (Self::Stack, "stack"),
        (Self::Look, "look"),
        (Self::Understand, "understand"),
        (Self::Time, "time"),
        (Self::Else, "else"),
    ];
}

/// A use of a command, run and snapshotted by a test.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Lines that come before it.
    pub setup: &'static [&'static str],
    /// The line.
    pub line: &'static str,
    /// The code it is refused with, if that is the point of it.
    pub refused: Option<&'static str>,
}

impl Example {
    /// A line that is accepted, after those of `setup`.
    pub const fn new(setup: &'static [&'static str], line: &'static str) -> Self {
        Self { setup, line, refused: None }
    }

    /// A line that is refused with `code`.
    pub const fn refused(
        setup: &'static [&'static str],
        line: &'static str,
        code: &'static str,
    ) -> Self {
        Self { setup, line, refused: Some(code) }
    }
}

/// A row of the table.
pub struct Command {
    /// What is typed.
    pub name: &'static str,
    /// Other spellings.
    pub aliases: &'static [&'static str],
    /// Where help lists it.
    pub group: Group,
    /// What it takes.
    pub params: &'static [Param],
    /// What it does, in a line without a full stop.
    pub summary: &'static str,
    /// What else there is to know.
    pub details: &'static str,
    /// At least one.
    pub examples: &'static [Example],
    /// The codes it may be refused with once its words are read, in the order they are judged: what `try` lists.
    pub checks: &'static [&'static str],
    /// What it does without a ledger, for `dare`.
    pub unchecked: Option<fn(&World, &Args) -> Unchecked>,
    /// What it runs.
    pub run: Run,
}

impl Command {
    /// The name and what it takes.
    pub fn usage(&self) -> String {
        std::iter::once(self.name.to_owned())
            .chain(self.params.iter().map(Param::usage))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every command there is, in the order of help.
pub static COMMANDS: &[Command] = &[
    alloc::COMMAND,
    free::COMMAND,
    realloc::COMMAND,
    write::COMMAND,
    read::COMMAND,
    alias::COMMAND,
    use_heap::COMMAND,
    heaps::COMMAND,
    heap::COMMAND,
    mark::COMMAND,
    reset::COMMAND,
    push::COMMAND,
    pop::COMMAND,
    call::COMMAND,
    ret::COMMAND,
    sp::COMMAND,
    map::COMMAND,
    stack::COMMAND,
    blocks::COMMAND,
    holes::COMMAND,
    dump::COMMAND,
    stats::COMMAND,
    frag::COMMAND,
    check::COMMAND,
    layout::COMMAND,
    vars::COMMAND,
    why::COMMAND,
    try_run::COMMAND,
    dare::COMMAND,
    undo::COMMAND,
    redo::COMMAND,
    goto::COMMAND,
    history::COMMAND,
    save::COMMAND,
    open::COMMAND,
    export::COMMAND,
    help::COMMAND,
    clear::COMMAND,
    new::COMMAND,
    quit::COMMAND,
];

/// The command called `name`, or an alias of that spelling.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

/// The command whose name is at most two edits from `word`, the nearest of them.
pub(crate) fn nearest(word: &str) -> Option<&'static str> {
    // Longer words than any command plus two edits need no comparing.
    if word.len() > 16 {
        return None;
    }
    let distance = |command: &&Command| strsim::damerau_levenshtein(command.name, word);
    let command = COMMANDS.iter().min_by_key(distance)?;
    (distance(&command) <= 2).then_some(command.name)
}

/// The leading identifier of a line.
pub(crate) fn first_word(line: &str) -> &str {
    let line = line.trim_start();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len());
    &line[..end]
}

/// How a line is to be read.
#[derive(Debug)]
pub(crate) enum Read {
    Blank,
    Command(&'static Command, Args),
    Statement,
}

/// Says who reads `line`: nobody, a command, or the statements of Rust.
pub(crate) fn read(line: &str) -> Result<Read, Problem> {
    if scan::is_blank(line) {
        return Ok(Read::Blank);
    }
    if let Some(topic) = help_topic(line) {
        return Ok(Read::Command(
            &help::COMMAND,
            Args::parse("help", help::COMMAND.params, line, &topic)?,
        ));
    }
    let first = first_word(line);
    let start = line.len() - line.trim_start().len();
    let rest = &line[start + first.len()..];
    let spaced = rest.is_empty() || rest.starts_with(char::is_whitespace);
    if !spaced || continues_as_rust(first, rest.trim_start()) {
        return Ok(Read::Statement);
    }
    if let Some(command) = find(first) {
        let words = words(line)?;
        return Ok(Read::Command(
            command,
            Args::parse(command.name, command.params, line, &words[1..])?,
        ));
    }
    if let Some(nearest) = nearest(first).filter(|_| !rest.is_empty() && !KEYWORDS.contains(&first))
    {
        let span = Span { start, end: start + first.len() };
        return Err(Problem::new(
            Trouble::UnknownCommand { word: first.to_owned(), nearest },
            span,
        ));
    }
    Ok(Read::Statement)
}

/// Whether what follows a first word makes the line Rust: an operator, or a path as in `use std::rc::Rc`.
fn continues_as_rust(first: &str, rest: &str) -> bool {
    let next_word = rest.split_whitespace().next().unwrap_or_default();
    // `save -` has an operator's sign, and nothing for it to work on.
    let has_more = rest.len() > next_word.len();
    let operator = |text: &str| {
        !text.is_empty()
            && has_more
            && text.chars().all(|c| "=+-*/%&|^<>!.".contains(c))
            && !text.starts_with("//")
            && !text.starts_with("..")
    };
    operator(next_word)
        || rest.starts_with('=')
        || rest.starts_with('.')
        || rest.starts_with("::")
        || first == "use"
            && first_word(next_word).len() < next_word.len()
            && next_word[first_word(next_word).len()..].starts_with("::")
}

/// `?`, `?alloc` and `alloc?` ask for help: about nothing in particular, or a word.
fn help_topic(line: &str) -> Option<Vec<Word<'_>>> {
    let start = line.len() - line.trim_start().len();
    let text = line.trim();
    let (from, topic) = match (text.strip_prefix('?'), text.strip_suffix('?')) {
        (Some(topic), _) => {
            (start + 1 + (topic.len() - topic.trim_start().len()), topic.trim_start())
        }
        (None, Some(topic)) => (start, topic),
        (None, None) => return None,
    };
    if topic.is_empty() {
        return Some(Vec::new());
    }
    let span = Span { start: from, end: from + topic.len() };
    (topic == first_word(topic)).then(|| vec![Word { text: topic, span }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(line: &str) -> String {
        match read(line) {
            Ok(Read::Blank) => "blank".into(),
            Ok(Read::Command(command, _)) => command.name.into(),
            Ok(Read::Statement) => "rust".into(),
            Err(problem) => problem.code().into(),
        }
    }

    #[test]
    fn a_line_goes_to_the_reader_the_interface_names() {
        for (line, expect) in [
            ("", "blank"),
            ("  // alloc 8", "blank"),
            ("# alloc 8", "blank"),
            ("#[repr(C)]", "rust"),
            ("alloc 200", "alloc"),
            ("  malloc 200", "alloc"),
            ("q", "quit"),
            ("?", "help"),
            ("?alloc", "help"),
            ("alloc?", "help"),
            ("use bump", "use"),
            ("use std::rc::Rc", "rust"),
            ("stack", "stack"),
            ("stack = 3", "rust"),
            ("stack.len()", "rust"),
            ("map += 1", "rust"),
            ("push -1i8", "push"),
            ("alloc -1", "bad-argument"),
            ("read - 1", "rust"),
            ("aloc 200", "unknown-command"),
            ("fere a", "unknown-command"),
            ("aloc", "rust"),
            ("aloc = 3", "rust"),
            ("let x = 8", "rust"),
            ("if x", "rust"),
            ("items[0] = 10;", "rust"),
            ("frobnicate 3", "rust"),
            ("sp // where", "sp"),
            ("save -", "save"),
            ("? alloc", "help"),
        ] {
            assert_eq!(reads(line), expect, "{line}");
        }
    }
}
