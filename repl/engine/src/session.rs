//! A session: its log, and the state the log leads to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heap::Host;

use crate::checkpoints::Checkpoints;
use crate::commands::{self, Daring, ExportFormat, Group, Read, Run};
use crate::problem::{Argument, Cause, Problem, Trouble};
use crate::reply::{Answer, Event, Reply};
use crate::rust;
use crate::scan::{self, MAX_LINE_BYTES, Span};
use crate::view::{Ending, HistoryRow};
use crate::world::World;

/// The most lines a log can have.
pub const MAX_LOG_LINES: usize = 1_000_000;

/// The first line of a saved session.
pub const SESSION_HEADER: &str = "# alloc-repl session, version 1";

/// How a line of a saved session starts that says what allocators of the process answered to the line above it. To a
/// script it is a comment.
const ANSWERED: &str = "# answered: ";

/// Characters of a line that is too long that its reply repeats.
const TOO_LONG_SHOWN: usize = 60;

/// A line of the log.
#[derive(Clone, Debug)]
struct Entry {
    text: Arc<str>,
    /// Whether it changed the state.
    is_step: bool,
    /// What allocators of the process answered to it: a replay does not ask them again.
    answers: Vec<heap::Answer>,
}

impl Entry {
    /// A line that changed nothing, and asked nobody.
    fn note(line: &str) -> Self {
        Self { text: line.trim().into(), is_step: false, answers: Vec::new() }
    }

    fn save(&self, text: &mut String) {
        text.push_str(&self.text);
        text.push('\n');
        if !self.answers.is_empty() {
            let answers: Vec<_> = self.answers.iter().map(heap::Answer::to_string).collect();
            text.push_str(&format!("{ANSWERED}{}\n", answers.join(", ")));
        }
    }
}

/// What a line needs that is not the engine's to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Write [`Session::saved`] to a file.
    Save {
        /// Its path.
        file: String,
    },
    /// Read a saved session.
    Open {
        /// Its path, or `last`.
        file: String,
    },
    /// Write the transcript to a file.
    Export {
        /// As what.
        format: ExportFormat,
        /// Its path.
        file: String,
    },
    /// Do a forbidden line in a process of its own, which runs [`Session::dare_for_real`] on [`Session::saved`].
    Dare {
        /// The line.
        line: String,
    },
    /// Clear the screen.
    Clear,
    /// Leave.
    Quit,
}

/// A line that waits for its shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The line.
    pub input: String,
    /// What it needs.
    pub ask: Ask,
    span: Span,
}

/// What the shell did for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It wrote the file, cleared the screen, or will leave.
    Performed,
    /// It ran a process: what that said, a line each, and how it ended.
    Dared {
        /// What [`Session::dare_for_real`] said.
        lines: Vec<String>,
        /// The last it wrote on its standard error, where allocators complain.
        last_words: Option<String>,
        /// How the process ended.
        ending: Ending,
    },
    /// It read this text, from a file of this name.
    Read {
        /// What to call the file.
        file: String,
        /// What is in it.
        text: String,
    },
}

/// Why the shell could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In a few words: `No such file or directory`.
    pub reason: String,
}

/// What a line led to.
#[derive(Debug)]
pub enum Turn {
    /// Nothing: it was blank, or a comment.
    Blank,
    /// Its reply.
    Reply(Reply),
    /// Something the shell has to do; [`Session::answer`] then gives the reply.
    Ask(Request),
}

/// A session.
pub struct Session {
    world: World,
    done: Vec<Entry>,
    /// What `redo` would do, the next line last.
    undone: Vec<Entry>,
    checkpoints: Checkpoints,
    /// The lines it started with, which `undo` does not reach.
    opening: Vec<String>,
    /// Asks the allocators of the process.
    host: Host,
    /// The last line, if it was refused before its heap was asked: what it was, and the code.
    pub(crate) unasked: Option<(Arc<str>, &'static str)>,
    /// Set from outside while a line runs: a long replay is then given up.
    stop: Arc<AtomicBool>,
}

impl Default for Session {
    fn default() -> Self {
        let world = World::default();
        let checkpoints = Checkpoints::new(world.clone());
        Self {
            world,
            done: Vec::new(),
            undone: Vec::new(),
            checkpoints,
            opening: Vec::new(),
            host: Host::default(),
            unasked: None,
            stop: Arc::default(),
        }
    }
}

impl Session {
    /// A session whose log starts with `opening`: the lines that its options stand for.
    ///
    /// # Errors
    ///
    /// The first line that is refused.
    pub fn new(opening: Vec<String>) -> Result<Self, Problem> {
        let mut session = Self::default();
        for line in &opening {
            session.accept(line, &[])?;
        }
        session.opening = opening;
        Ok(session)
    }

    /// Lets `stop` give up a line that replays others: it is refused, and the state is as it was.
    pub fn stop_when(&mut self, stop: Arc<AtomicBool>) {
        self.world.stop = Arc::clone(&stop);
        self.stop = stop;
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The state.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How many lines the log has.
    pub fn lines(&self) -> usize {
        self.done.len()
    }

    /// Takes in one line.
    pub fn run(&mut self, line: &str) -> Turn {
        self.run_again(line, &[])
    }

    /// Takes in one line, of which is `known` what allocators of the process answered to it.
    fn run_again(&mut self, line: &str, known: &[heap::Answer]) -> Turn {
        let reply =
            |outcome, is_measured| Turn::Reply(Reply { input: shown(line), outcome, is_measured });
        let read = match scan::validate(line).and_then(|()| commands::read(line)) {
            Ok(read) => read,
            Err(problem) => return reply(Err(problem), false),
        };
        let is_measured = self.world.spec().is_measured();
        let (command, args) = match read {
            Read::Blank => return Turn::Blank,
            Read::Statement => {
                let answer = self.change(line, known, |world| rust::run(world, line));
                return reply(answer, is_measured);
            }
            Read::Command(command, args) => (command, args),
        };
        // What such an allocator answered shows in whatever is said of the heap, and of values that own blocks of it.
        let is_measured = is_measured
            && matches!(
                command.group,
                Group::Heap | Group::Stack | Group::Look | Group::Understand
            );
        let answer = match command.run {
            Run::Session(run) => run(self, &args),
            Run::Request(run) => match run(&args) {
                Ok(ask) => {
                    let (input, span) = (line.to_owned(), args.last_span());
                    return Turn::Ask(Request { input, ask, span });
                }
                Err(problem) => Err(problem),
            },
            Run::World(run) => {
                let answer = self.change(line, known, |world| run(world, &args));
                if command.group == Group::Heap {
                    self.note_unasked(line, &answer);
                }
                answer
            }
            Run::Daring(run) => match run(&self.world, &args) {
                Ok(Daring::Elsewhere(ask)) => {
                    let (input, span) = (line.to_owned(), args.last_span());
                    return Turn::Ask(Request { input, ask, span });
                }
                Ok(Daring::Here(answer)) => self.check_room(Span::all(line)).map(|()| {
                    self.note(line);
                    *answer
                }),
                Err(problem) => Err(problem),
            },
            Run::Review(run) => {
                let room = self.check_room(Span::all(line));
                let answer = room.and_then(|()| run(self, &args));
                if answer.is_ok() {
                    self.note(line);
                }
                answer
            }
        };
        reply(answer, is_measured)
    }

    /// Takes in one line where there is no shell: what needs one is refused. `None` for a blank line.
    pub fn run_alone(&mut self, line: &str) -> Option<Reply> {
        match self.run(line) {
            Turn::Blank => None,
            Turn::Reply(reply) => Some(reply),
            Turn::Ask(request) => {
                let command = commands::first_word(line);
                let command = commands::find(command).map_or("this", |command| command.name);
                let problem = Problem::new(Trouble::NeedsShell { command }, request.span);
                Some(Reply { input: request.input, outcome: Err(problem), is_measured: false })
            }
        }
    }

    /// The reply to a request that the shell has seen to.
    pub fn answer(&mut self, request: Request, result: Result<Done, Failure>) -> Reply {
        let outcome = self.conclude(&request, result);
        let is_measured = matches!(request.ask, Ask::Dare { .. }) && outcome.is_ok();
        Reply { input: request.input, outcome, is_measured }
    }

    fn conclude(
        &mut self,
        request: &Request,
        result: Result<Done, Failure>,
    ) -> Result<Answer, Problem> {
        let lines = self.done.len() as u64;
        let failed = |file: &str, failure: Failure| {
            let trouble = Trouble::File { file: file.to_owned(), reason: failure.reason };
            Problem::new(trouble, request.span)
        };
        let event = match (&request.ask, result) {
            (Ask::Save { file } | Ask::Open { file } | Ask::Export { file, .. }, Err(failure)) => {
                return Err(failed(file, failure));
            }
            (Ask::Open { .. }, Ok(Done::Read { file, text })) => {
                *self = self.opened(&file, &text, request.span)?;
                return Ok(Answer::note(Event::Open { file, lines: self.done.len() as u64 }));
            }
            (Ask::Save { file }, Ok(_)) => Event::Save { file: file.clone(), lines },
            (Ask::Export { file, format }, Ok(_)) => {
                Event::Export { file: file.clone(), format: format.name(), lines }
            }
            (Ask::Dare { line }, Ok(Done::Dared { lines, last_words, ending })) => {
                let answer = self.world.crashed(line, request.span, &lines, last_words, ending)?;
                self.note(&request.input);
                return Ok(answer);
            }
            (Ask::Dare { line }, Err(failure)) => return Err(failed(line, failure)),
            // A line of a saved session.
            (Ask::Dare { .. }, Ok(_)) => {
                self.note(&request.input);
                return Ok(Answer::default());
            }
            (Ask::Clear, _) => Event::Clear {},
            (Ask::Quit, _) => return Ok(Answer::note(Event::Quit {})),
            // A line of a saved session that is run as a script.
            (Ask::Open { file }, Ok(_)) => Event::Open { file: file.clone(), lines },
        };
        self.note(&request.input);
        Ok(Answer::note(event))
    }

    /// Runs something on the state and logs the line if it was accepted.
    fn change(
        &mut self,
        line: &str,
        known: &[heap::Answer],
        run: impl FnOnce(&mut World) -> Result<Answer, Problem>,
    ) -> Result<Answer, Problem> {
        self.check_room(Span::all(line))?;
        let text: Arc<str> = line.trim().into();
        let (world, lines) = (&mut self.world, self.done.len());
        let (answer, answers) = self.host.answering(known, || apply(world, lines, &text, run));
        let answer = answer?;
        let entry = Entry { text, is_step: answer.is_step, answers };
        if entry.is_step {
            self.unasked = None;
            self.undone.clear();
        }
        self.done.push(entry);
        self.checkpoints.offer(self.done.len(), &self.world);
        Ok(answer)
    }

    /// Remembers whether a line about blocks was refused before the heap was asked: `why` has nothing to say of it.
    fn note_unasked(&mut self, line: &str, answer: &Result<Answer, Problem>) {
        let line = line.trim();
        let asked = self.world.asked.as_ref();
        let reached = asked.is_some_and(|asked| asked.answer.is_err() && *asked.by.text == *line);
        self.unasked = match answer {
            Err(problem) if !reached => Some((line.into(), problem.code())),
            _ => None,
        };
    }

    /// Logs a line that only asked the shell for something. A full log leaves it out, so that it can still be saved.
    fn note(&mut self, line: &str) {
        if self.done.len() < MAX_LOG_LINES {
            self.done.push(Entry::note(line));
        }
    }

    fn check_room(&self, span: Span) -> Result<(), Problem> {
        if self.done.len() < MAX_LOG_LINES {
            Ok(())
        } else {
            Err(Problem::new(Trouble::LogFull, span))
        }
    }

    /// Runs a line of an opening or a saved session. What would ask the shell for something is logged, not asked.
    fn accept(&mut self, line: &str, known: &[heap::Answer]) -> Result<(), Problem> {
        match self.run_again(line, known) {
            Turn::Blank => Ok(()),
            // A panic is one of the log's lines like any other.
            Turn::Reply(reply) => reply.outcome.map(|_| ()),
            Turn::Ask(request) => {
                self.note(&request.input);
                Ok(())
            }
        }
    }

    // The log as text.

    /// The log as a file: [`SESSION_HEADER`] and a line each, behind some of them one with what was answered.
    pub fn saved(&self) -> String {
        let mut text = format!("{SESSION_HEADER}\n");
        self.done.iter().for_each(|entry| entry.save(&mut text));
        text
    }

    /// A line that was just accepted as a journal keeps it: with what was answered to it, if it is in the log.
    pub fn journaled(&self, line: &str) -> String {
        let mut text = String::new();
        match self.done.last() {
            Some(entry) if *entry.text == *line.trim() => entry.save(&mut text),
            _ => Entry::note(line).save(&mut text),
        }
        text
    }

    /// The session that [`Session::saved`] wrote.
    ///
    /// # Errors
    ///
    /// That it is none, or the first line that is refused.
    pub fn from_saved(text: &str) -> Result<Self, Problem> {
        Self::default().opened("the session", text, Span::default())
    }

    /// The session that [`Session::saved`] wrote, or a journal of typed lines.
    fn opened(&self, file: &str, text: &str, span: Span) -> Result<Self, Problem> {
        let mut lines = scan::statements(text).into_iter().peekable();
        if lines.next().is_none_or(|(_, first)| first.trim_end() != SESSION_HEADER) {
            return Err(Problem::new(Trouble::NotASession { file: file.to_owned() }, span));
        }
        let mut session = Self::default();
        session.stop_when(Arc::clone(&self.stop));
        while let Some((index, line)) = lines.next() {
            if self.is_stopped() {
                return Err(Problem::new(Trouble::Interrupted, span));
            }
            let damaged = |index: usize, problem| {
                let (file, line) = (file.to_owned(), index as u64 + 1);
                let trouble = Trouble::DamagedSession { file, line, problem: Box::new(problem) };
                Problem::new(trouble, span)
            };
            let answered = lines.next_if(|(_, next)| next.starts_with(ANSWERED));
            let known = match answered {
                None => Vec::new(),
                Some((at, text)) => {
                    answers(&text[ANSWERED.len()..]).map_err(|problem| damaged(at, problem))?
                }
            };
            session.accept(&line, &known).map_err(|problem| damaged(index, problem))?;
        }
        Ok(session)
    }

    /// Every line of the log with its reply, from a replay; a line that asked the shell for something answers nothing.
    pub fn transcript(&self) -> Vec<Reply> {
        let mut replay = Self::default();
        let answer = |entry: &Entry| match replay.run_again(&entry.text, &entry.answers) {
            Turn::Reply(reply) => reply,
            Turn::Ask(_) | Turn::Blank => {
                replay.note(&entry.text);
                let (input, outcome) = (entry.text.to_string(), Ok(Answer::default()));
                Reply { input, outcome, is_measured: false }
            }
        };
        self.done.iter().map(answer).collect()
    }

    /// The lines of the log, those undone behind, and how many of these there are.
    pub(crate) fn history(&self) -> (Vec<HistoryRow>, u64) {
        let entries = self.done.iter().map(|entry| (entry, false));
        let entries = entries.chain(self.undone.iter().rev().map(|entry| (entry, true)));
        let rows = entries.enumerate().map(|(index, (entry, undone))| HistoryRow {
            line: index as u64 + 1,
            input: Arc::clone(&entry.text),
            undone,
        });
        (rows.collect(), self.undone.len() as u64)
    }

    // Time.

    /// Takes back the last `steps` steps, and what was only looked at since.
    pub(crate) fn undo(&mut self, steps: u64, span: Span) -> Result<Answer, Problem> {
        check_steps(steps, span)?;
        let floor = self.opening.len();
        let mut left = steps;
        let mut at = self.done.len();
        while left > 0 && at > floor {
            at -= 1;
            left -= u64::from(self.done[at].is_step);
        }
        if left > 0 {
            let trouble = Trouble::NothingToUndo { asked: steps, there: steps - left };
            return Err(Problem::new(trouble, span));
        }
        let last = Arc::clone(&self.done[at].text);
        self.travel(at, span)?;
        Ok(Answer::note(Event::Undo { steps, last, line: at as u64 }))
    }

    /// Does the next `steps` undone steps again, and what was looked at behind them.
    pub(crate) fn redo(&mut self, steps: u64, span: Span) -> Result<Answer, Problem> {
        check_steps(steps, span)?;
        let ahead = || self.undone.iter().rev();
        let there = ahead().filter(|entry| entry.is_step).count() as u64;
        if there < steps {
            return Err(Problem::new(Trouble::NothingToRedo { asked: steps, there }, span));
        }
        let step_after = ahead().enumerate().filter(|(_, entry)| entry.is_step).nth(steps as usize);
        let lines = step_after.map_or(self.undone.len(), |(index, _)| index);
        let last = ahead().take(lines).rfind(|entry| entry.is_step);
        let last = last.map_or_else(|| "".into(), |entry| Arc::clone(&entry.text));
        self.travel(self.done.len() + lines, span)?;
        Ok(Answer::note(Event::Redo { steps, last, line: self.done.len() as u64 }))
    }

    /// Goes to the state behind `line` lines of the log, undone ones included.
    pub(crate) fn goto(&mut self, line: u64, span: Span) -> Result<Answer, Problem> {
        let of = (self.done.len() + self.undone.len()) as u64;
        if line > of {
            return Err(Problem::new(Trouble::NoSuchLine { line, last: of }, span));
        }
        let line = (line as usize).max(self.opening.len());
        self.travel(line, span)?;
        Ok(Answer::note(Event::Goto { line: line as u64, of }))
    }

    /// Starts over, with the same opening.
    pub(crate) fn restart(&mut self) -> Answer {
        let lines = self.done.len() as u64;
        let opening = std::mem::take(&mut self.opening);
        let fresh = Self::new(opening).expect("the opening was accepted before");
        let stop = Arc::clone(&self.stop);
        *self = fresh;
        self.stop_when(stop);
        Answer::note(Event::New { lines })
    }

    /// Goes to the state behind the first `lines` lines, done or undone: from the nearest checkpoint, by replaying.
    ///
    /// # Errors
    ///
    /// [`Trouble::Interrupted`]; the state is then as it was.
    fn travel(&mut self, lines: usize, span: Span) -> Result<(), Problem> {
        let (before, start) = (self.world.clone(), self.done.len());
        if lines < start {
            let (at, world) = self.checkpoints.back_to(lines);
            self.world = world;
            self.undone.extend(self.done.drain(at..).rev());
        }
        while self.done.len() < lines {
            if self.is_stopped() {
                // The lines in between move over without being run: their state is at hand.
                while self.done.len() < start {
                    self.done.extend(self.undone.pop());
                }
                self.undone.extend(self.done.drain(start..).rev());
                self.checkpoints.forget_after(start);
                self.world = before;
                return Err(Problem::new(Trouble::Interrupted, span));
            }
            let entry = self.undone.pop().expect("the line is one of the log's");
            self.replay(entry);
        }
        self.unasked = None;
        Ok(())
    }

    /// Runs a line that was accepted before, in the same state.
    fn replay(&mut self, entry: Entry) {
        replayed(&mut self.world, self.done.len(), &entry);
        self.done.push(entry);
        self.checkpoints.offer(self.done.len(), &self.world);
    }

    /// Does a forbidden line for real behind the session that [`Session::saved`] wrote, and a few innocent ones behind it;
    /// `say` hears of each that came back. From then on nobody else's allocator in this process is protected: it may die,
    /// hang, or do anything at all.
    ///
    /// # Errors
    ///
    /// The first line of the session that is refused.
    pub fn dare_for_real(saved: &str, line: &str, say: impl FnMut(&str)) -> Result<(), Problem> {
        heap::unprotect_crates();
        let mut session = Self::from_saved(saved)?;
        let Self { host, world, .. } = &mut session;
        host.misused(|| world.dare_for_real(line, say));
        // Its blocks may be damaged: nothing is given back.
        std::mem::forget(session);
        Ok(())
    }

    /// The state behind the first `lines` lines of those done.
    pub(crate) fn state_behind(&self, lines: usize) -> World {
        let (at, world) = self.checkpoints.at_most(lines);
        let mut world = world.clone();
        for (index, entry) in self.done.iter().enumerate().take(lines).skip(at) {
            replayed(&mut world, index, entry);
        }
        world
    }
}

/// Runs a line that was accepted before on `world`, the state behind `lines` lines.
fn replayed(world: &mut World, lines: usize, entry: &Entry) {
    if !entry.is_step {
        return;
    }
    let text = &entry.text;
    // Every answer is known; nobody is asked.
    let (outcome, _) = Host::default().answering(&entry.answers, || match commands::read(text) {
        Ok(Read::Command(command, args)) => match command.run {
            Run::World(run) => apply(world, lines, text, |world| run(world, &args)),
            _ => unreachable!("only a command on the world is a step: {text}"),
        },
        Ok(Read::Statement) => {
            // It came to its end once, so it does again: nobody stops it half-way.
            let stop = std::mem::take(&mut world.stop);
            let outcome = apply(world, lines, text, |world| rust::run(world, text));
            world.stop = stop;
            outcome
        }
        other => unreachable!("`{text}` was a step once, and now reads as {other:?}"),
    });
    if let Err(problem) = outcome {
        unreachable!("`{text}` was accepted once, and now answers {problem}");
    }
}

/// Runs one line on the state behind `lines` lines.
fn apply(
    world: &mut World,
    lines: usize,
    text: &Arc<str>,
    run: impl FnOnce(&mut World) -> Result<Answer, Problem>,
) -> Result<Answer, Problem> {
    world.now = Cause { line: lines as u32 + 1, text: Arc::clone(text) };
    let outcome = run(world);
    world.conclude(outcome.as_ref().is_ok_and(|answer| answer.is_step));
    outcome
}

/// What a line of a saved session says was answered.
fn answers(text: &str) -> Result<Vec<heap::Answer>, Problem> {
    let answer = |part: &str| {
        part.trim().parse().map_err(|heap::NoAnswer| {
            let trouble = Trouble::NoAnswer { text: part.trim().to_owned() };
            Problem::new(trouble, Span::default())
        })
    };
    text.split(',').map(answer).collect()
}

/// `undo 0` and `redo 0` mean nothing.
fn check_steps(steps: u64, span: Span) -> Result<(), Problem> {
    if steps > 0 {
        Ok(())
    } else {
        Err(Problem::new(Trouble::BadArgument(Argument::NoSteps), span))
    }
}

/// A line as its reply repeats it.
fn shown(line: &str) -> String {
    if line.len() <= MAX_LINE_BYTES {
        return line.to_owned();
    }
    line.chars().take(TOO_LONG_SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_loop_is_not_run_again_by_the_undo_of_what_came_after_it() {
        let mut session = Session::default();
        for line in ["let mut s = 0u64;", "for i in 0..200_000u64 { s += i; }", "s += 1;"] {
            assert!(session.run_alone(line).expect("it is no blank line").is_ok());
        }
        assert_eq!(session.checkpoints.newest(), 2);
    }
}
