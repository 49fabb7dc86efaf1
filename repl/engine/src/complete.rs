//! What could stand where the cursor is: read off the same tables that parse the line.

use std::ops::Bound;

use heap::Info;
use interpreter::types::Heap;

use crate::args::{Assignment, Form, Kind, Param};
use crate::commands::{self, COMMANDS, Group};
use crate::heap_spec;
use crate::scan::words;
use crate::session::Session;
use crate::units::bytes;
use crate::world::Named;

/// Candidates at most; a menu of more is no help.
const MAX: usize = 200;

/// One thing that could be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The text to put in.
    pub text: String,
    /// A few words about it: a block's size, a command's summary.
    pub note: String,
}

/// What could replace the word at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where that word starts.
    pub start: usize,
    /// In the order to show.
    pub candidates: Vec<Candidate>,
    /// Whether a file's path belongs there, which only the shell can complete.
    pub wants_file: bool,
    /// Whether the line is Rust, where a name need not be followed by a space.
    pub is_rust: bool,
}

impl Session {
    /// What could stand at the end of `before`, the line up to the cursor.
    pub fn complete(&self, before: &str) -> Completion {
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let (head, prefix) = before.split_at(start);
        let mut completion = Completion { start, ..Completion::default() };
        let is_name = prefix.chars().all(|c| c.is_ascii_alphanumeric() || "-_?".contains(c));
        let found = if head.trim().is_empty() && is_name {
            let variables = self.rust_words();
            command_candidates().into_iter().chain(variables).collect()
        } else {
            let Some((command, expected)) = expected(head) else {
                return self.complete_rust(before);
            };
            completion.wants_file = expected.iter().any(|param| param.kind == Kind::File);
            let mut found: Vec<_> = expected
                .iter()
                .flat_map(|param| self.candidates_for(param, behind_command(before), prefix))
                .collect();
            if command == "open" {
                found.push(candidate("last", "the session before this one"));
            }
            found
        };
        completion.candidates =
            found.into_iter().filter(|c| c.text.starts_with(prefix)).take(MAX).collect();
        completion
    }

    /// The names of the program's variables, functions and structs.
    fn rust_words(&self) -> Vec<Candidate> {
        let words = self.world().rust.names().words();
        let mut names: Vec<_> = words.map(|word| candidate(word, "")).collect();
        names.sort_by(|a, b| a.text.cmp(&b.text));
        names.dedup();
        names
    }

    /// What could stand at the end of a line of Rust: a name, behind a dot a method, in `new_in(&` a heap.
    fn complete_rust(&self, before: &str) -> Completion {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let start = before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let (head, prefix) = before.split_at(start);
        let found = if head.ends_with('.') && !head.ends_with("..") {
            let mut methods: Vec<_> =
                interpreter::library::methods().map(|name| candidate(name, "")).collect();
            methods.sort_by(|a, b| a.text.cmp(&b.text));
            methods.dedup();
            methods
        } else if names_a_heap(head) {
            let beside = heap::HEAPS.iter().filter(|info| info.inner.is_empty());
            let name = |info: &&Info| candidate(&Heap(info.name).name(), info.summary);
            beside.map(name).collect()
        } else if prefix.is_empty() {
            Vec::new()
        } else {
            self.rust_words()
        };
        let fits = |candidate: &Candidate| candidate.text.starts_with(prefix);
        let candidates = found.into_iter().filter(fits).take(MAX).collect();
        Completion { start, candidates, wants_file: false, is_rust: true }
    }

    /// What the line still needs, to show behind the cursor.
    pub fn hint(&self, before: &str) -> Option<String> {
        let before = before.strip_suffix(' ').filter(|head| !head.trim().is_empty())?;
        let list = words(before).ok()?;
        let command = commands::find(list.first()?.text)?;
        let assignment = Assignment::new(command.params, &list[1..]);
        if assignment.extra.is_some() {
            return None;
        }
        let open = command.params.iter().zip(&assignment.given).enumerate();
        let usages: Vec<_> = match assignment.waiting {
            Some(index) => vec![command.params[index].name.to_owned()],
            None => open
                .filter(|(_, (_, given))| given.is_none())
                .map(|(_, (param, _))| param.usage())
                .collect(),
        };
        (!usages.is_empty()).then(|| usages.join(" "))
    }

    /// Candidates for `prefix`, the last word of `before`, which is what has been given to the parameter so far.
    fn candidates_for(&self, param: &Param, before: &str, prefix: &str) -> Vec<Candidate> {
        let kind = match param.form {
            // A keyword comes first, what it takes behind it.
            Form::Key(key) => return vec![candidate(key, param.name)],
            Form::Flag | Form::Sign => return vec![candidate(param.name, "")],
            _ => param.kind,
        };
        match kind {
            Kind::Block => self.live_names(prefix, |named| matches!(named, Named::Block { .. })),
            Kind::Place => self.live_names(prefix, |named| !matches!(named, Named::Mark { .. })),
            Kind::Mark => self.live_names(prefix, |named| matches!(named, Named::Mark { .. })),
            Kind::Heap => heap_spec::complete(before)
                .into_iter()
                .map(|(text, note)| Candidate { text, note })
                .collect(),
            Kind::HeapName => {
                heap::HEAPS.iter().map(|info| candidate(info.name, info.summary)).collect()
            }
            Kind::Command => command_candidates(),
            // A line in a line; not one in that again.
            Kind::Line => {
                let nested = commands::find(commands::first_word(before))
                    .is_some_and(|command| command.group == Group::Understand);
                if nested { Vec::new() } else { self.complete(before).candidates }
            }
            Kind::Choice(choices) => choices.iter().map(|choice| candidate(choice, "")).collect(),
            Kind::Size
            | Kind::Number(_)
            | Kind::NewName
            | Kind::Bytes
            | Kind::Slot
            | Kind::File => Vec::new(),
        }
    }

    fn live_names(&self, prefix: &str, wanted: impl Fn(&Named) -> bool) -> Vec<Candidate> {
        let world = self.world();
        let note = |named: &Named| match *named {
            Named::Block { id, .. } => bytes(u64::from(world.life(id).size_bytes)),
            Named::Slot { size_bytes, .. } => {
                format!("{}, on the stack", bytes(u64::from(size_bytes)))
            }
            Named::Mark { .. } => "a mark".to_owned(),
        };
        let from = world
            .names
            .range::<(Bound<&str>, Bound<&str>), str>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix));
        let live = from.filter(|(_, named)| wanted(named) && world.is_live(named));
        live.take(MAX).map(|(name, named)| candidate(name, &note(named))).collect()
    }
}

/// Whether an allocator stands behind `head`: `Box::new_in(7, &`.
fn names_a_heap(head: &str) -> bool {
    let call = head.strip_suffix('&').and_then(|head| head.rsplit_once("_in("));
    call.is_some_and(|(_, args)| !args.contains(')'))
}

fn candidate(text: &str, note: &str) -> Candidate {
    Candidate { text: text.to_owned(), note: note.to_owned() }
}

/// A line without its first word.
fn behind_command(line: &str) -> &str {
    line.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start())
}

fn command_candidates() -> Vec<Candidate> {
    COMMANDS.iter().map(|command| candidate(command.name, command.summary)).collect()
}

/// The command a line starts with, and the parameters its next word could go to.
fn expected(head: &str) -> Option<(&'static str, Vec<&'static Param>)> {
    let Ok(list) = words(head) else {
        // A heap's brackets are open while what stands in them is typed.
        let command = commands::find(commands::first_word(head))?;
        let [param @ Param { kind: Kind::Heap, .. }] = command.params else { return None };
        return Some((command.name, vec![param]));
    };
    let command = commands::find(list.first()?.text)?;
    let assignment = Assignment::new(command.params, &list[1..]);
    if assignment.extra.is_some() {
        return None;
    }
    let waiting = assignment.waiting.map(|index| &command.params[index]);
    if let Some(param) = waiting {
        // Behind its keyword a parameter is like one by place.
        return Some((command.name, vec![behind_key(param)]));
    }
    Some((command.name, assignment.expected(command.params)))
}

/// What a keyword's parameter takes, without the keyword. Only numbers, sizes and names do, which nothing completes.
fn behind_key(param: &'static Param) -> &'static Param {
    static NOTHING: Param = Param { name: "", kind: Kind::Bytes, form: Form::Required };
    debug_assert!(matches!(param.kind, Kind::Size | Kind::Number(_) | Kind::NewName), "{param:?}");
    &NOTHING
}
