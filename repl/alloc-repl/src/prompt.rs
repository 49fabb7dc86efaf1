//! The prompt: rustyline around a session.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::units::size;
use engine::{Candidate, World};
use owo_colors::OwoColorize;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::shell::{Format, Next, Shell};

const PROMPT: &str = "> ";
/// The exit status of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;
/// Columns of a terminal that does not say.
const DEFAULT_WIDTH: usize = 80;
/// Rows of a listing; more are asked for with `all`.
const LIST_ROWS: usize = 20;
/// The narrowest layout; narrower terminals wrap by themselves.
const MIN_WIDTH: usize = 40;

/// Reads and answers lines until the end of input.
pub(crate) fn run(shell: &mut Shell) -> anyhow::Result<()> {
    let color = matches!(shell.format, Format::Text(style) if style.color);
    let interrupted = interrupts()?;
    shell.session.stop_when(Arc::clone(&interrupted));
    let mut warned = false;
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .bracketed_paste(true)
        .color_mode(if color {
            rustyline::ColorMode::Enabled
        } else {
            rustyline::ColorMode::Disabled
        })
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::<Assistant<'_>, MemHistory>::with_history(config, history)?;
    if let Format::Text(_) = shell.format {
        print!("{}", greeting(shell.session.world()));
        io::stdout().flush()?;
    }
    match shell.store.history() {
        Ok(lines) => {
            for line in lines {
                editor.add_history_entry(line)?;
            }
        }
        Err(error) => warn(&mut warned, "The history cannot be read", &error),
    }

    let shell = Rc::new(RefCell::new(shell));
    editor.set_helper(Some(Assistant { shell: Rc::clone(&shell), color }));
    loop {
        let typed = match editor.readline(PROMPT) {
            Ok(typed) => typed,
            // The line is dropped; so is a half-read one when the window changes.
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        };
        // A paste arrives whole, newlines and all. A line copied from a transcript brings its prompt along.
        let typed: Vec<_> =
            typed.lines().map(|line| line.strip_prefix(PROMPT).unwrap_or(line)).collect();
        let lines = engine::statements(&typed.join("\n"));
        for (_, line) in &lines {
            if line.trim().is_empty() {
                continue;
            }
            editor.add_history_entry(line)?;
            let mut shell = shell.borrow_mut();
            if let Err(error) = shell.store.remember(line) {
                warn(&mut warned, "The history cannot be written", &error);
            }
            if answer(&mut shell, line, lines.len() > 1, &mut warned, &interrupted)? == Next::Quit {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Runs one line, prints its reply, keeps it. `echo` repeats the line, for pastes.
fn answer(
    shell: &mut Shell,
    line: &str,
    echo: bool,
    warned: &mut bool,
    interrupted: &AtomicBool,
) -> anyhow::Result<Next> {
    if let Format::Text(style) = &mut shell.format {
        style.width = width();
        style.list_rows = LIST_ROWS;
    }
    interrupted.store(false, Ordering::Relaxed);
    let Some((reply, next)) = shell.run(line) else { return Ok(Next::GoOn) };
    let mut out = io::stdout().lock();
    if next == Next::Clear {
        // Home, then clear the screen and what scrolled off it.
        out.write_all(b"\x1b[H\x1b[2J\x1b[3J")?;
    }
    match (shell.format, echo) {
        (Format::Text(_), true) => shell.print_exchange(&mut out, &reply)?,
        _ => out.write_all(shell.text(&reply).as_bytes())?,
    }
    if matches!(shell.format, Format::Text(_)) && next == Next::GoOn {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    if reply.outcome.is_ok() && next != Next::Quit {
        keep(shell, &reply, line, warned);
    }
    Ok(next)
}

/// Writes an accepted line to the session's journal.
fn keep(shell: &mut Shell, reply: &engine::Reply, line: &str, warned: &mut bool) {
    use engine::Event::{New, Open};
    let events = reply.outcome.as_ref().map_or(&[][..], |answer| &answer.events);
    if events.iter().any(|event| matches!(event, New { .. } | Open { .. })) {
        shell.store.start_over();
        return;
    }
    let Shell { session, store, .. } = shell;
    if let Err(error) = store.note(&session.journaled(line), || session.saved()) {
        warn(warned, "This session cannot be kept", &error);
    }
}

/// Says once that something is not kept.
fn warn(warned: &mut bool, what: &str, error: &io::Error) {
    if !std::mem::replace(warned, true) {
        eprintln!("{what}: {}. Lines and sessions are not kept.", crate::files::reason(error));
    }
}

/// A flag that Ctrl-C sets while a line runs. A second Ctrl-C, which nobody has seen to, ends the program.
fn interrupts() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })?;
    Ok(flag)
}

fn greeting(world: &World) -> String {
    let (heap, stack) = (size(world.heap_bytes()), size(world.stack_bytes()));
    format!(
        "alloc-repl {}: a {} heap of {heap}, a stack of {stack}, all yours.\n\
         Try: alloc 200, then map. Also: help, Tab, and Ctrl-D to leave.\n",
        env!("CARGO_PKG_VERSION"),
        world.heap_name(),
    )
}

fn width() -> usize {
    terminal_size::terminal_size()
        .map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).max(MIN_WIDTH))
}

/// Completion, hints and colours for the line being typed.
struct Assistant<'a> {
    shell: Rc<RefCell<&'a mut Shell>>,
    color: bool,
}

impl Helper for Assistant<'_> {}

impl Validator for Assistant<'_> {
    /// A statement that goes on asks for more.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let last = engine::statements(context.input()).pop();
        Ok(if last.is_some_and(|(_, line)| engine::is_unfinished(&line)) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = self.shell.borrow().session.complete(&line[..pos]);
        let ends = if completion.is_rust { "" } else { " " };
        let mut pairs: Vec<Pair> =
            completion.candidates.iter().map(|candidate| pair(candidate, ends)).collect();
        if completion.wants_file {
            pairs.extend(file_pairs(&line[completion.start..pos]));
        }
        Ok((completion.start, pairs))
    }
}

/// The name with its note behind it, as the list shows it.
fn pair(candidate: &Candidate, ends: &str) -> Pair {
    let Candidate { text, note } = candidate;
    let display = if note.is_empty() { text.clone() } else { format!("{text:<8} {note}") };
    // Behind a bracket the next name follows at once.
    let ends = if text.ends_with('(') { "" } else { ends };
    Pair { display, replacement: format!("{text}{ends}") }
}

/// Files whose path starts with `prefix`.
fn file_pairs(prefix: &str) -> Vec<Pair> {
    let (folder, start) =
        prefix.rsplit_once('/').map_or(("", prefix), |(folder, start)| (folder, start));
    let base = if prefix.starts_with('/') && folder.is_empty() { "/" } else { folder };
    let Ok(entries) = std::fs::read_dir(if base.is_empty() { "." } else { base }) else {
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let hidden = name.starts_with('.') && !start.starts_with('.');
        if !name.starts_with(start) || hidden || name.contains(char::is_whitespace) {
            continue;
        }
        let ending = if entry.path().is_dir() { "/" } else { " " };
        let lead = &prefix[..prefix.len() - start.len()];
        pairs.push(Pair { display: name.clone(), replacement: format!("{lead}{name}{ending}") });
    }
    pairs.sort_by(|a, b| a.display.cmp(&b.display));
    pairs
}

impl Hinter for Assistant<'_> {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        (pos == line.len()).then(|| self.shell.borrow().session.hint(line)).flatten()
    }
}

impl Highlighter for Assistant<'_> {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.color { Cow::Owned(prompt.dimmed().to_string()) } else { Cow::Borrowed(prompt) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.color { Cow::Owned(hint.dimmed().to_string()) } else { Cow::Borrowed(hint) }
    }
}
