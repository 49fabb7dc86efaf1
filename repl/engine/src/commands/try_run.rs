use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{self, Command, Example, Group, Read, Run};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::rust;
use crate::scan::Span;
use crate::view::{Check, CheckOutcome, Try, View};
use crate::why::why;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "try",
    aliases: &[],
    group: Group::Understand,
    params: &[Param { name: "COMMAND", kind: Kind::Line, form: Form::Rest }],
    summary: "run a line dry: each check, each step, nothing changed",
    details: "For commands that change heap or stack, and statements of Rust.",
    examples: &[
        Example::new(&["alloc 40", "alloc 24", "free a"], "try alloc 200"),
        Example::new(&["alloc 40", "free a"], "try free a"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

/// What is checked before a line changes anything: the code it is refused with, and what has to hold.
const CHECKS: &[(&str, &str)] = &[
    ("unknown-handle", "something has that name"),
    ("foreign-pointer", "the address is one the heap gave out"),
    ("use-after-return", "its slot is still on the stack"),
    ("stale-handle", "no other block has its bytes now"),
    ("double-free", "it has not been freed before"),
    ("use-after-free", "it is still live"),
    ("interior-pointer", "the pointer is to its first byte"),
    ("owned", "no value of Rust owns it"),
    ("rust-lives", "no variable of Rust would go with it"),
    ("wrong-layout", "size and alignment are those it was allocated with"),
    ("not-lifo", "nothing newer stands above it"),
    ("bad-align", "the alignment is a power of two, at most 65,536"),
    ("zero-size", "the size is above zero"),
    ("size-overflow", "the size, rounded up, is at most isize::MAX"),
    ("out-of-bounds", "every byte lies inside"),
    ("uninitialised", "every byte has been written"),
    ("out-of-memory", "enough bytes are free"),
    ("fragmented", "enough of them in one piece"),
    ("stack-overflow", "it fits above the guard"),
    ("stack-underflow", "there is something to take away"),
    ("unsupported", "this heap can do it"),
];

/// The command in `line`, which stands at `span` behind `outer`, and its arguments; `None` for a statement of Rust.
pub(crate) fn inner(
    outer: &'static str,
    line: &str,
    span: Span,
) -> Result<(Option<&'static Command>, Args), Problem> {
    let read = commands::read(line).map_err(|problem| problem.moved(span.start))?;
    match read {
        Read::Command(command, args) => {
            if !matches!(command.run, Run::World(_)) || command.group == Group::Understand {
                return Err(Problem::new(Trouble::NotToTry { outer, command: command.name }, span));
            }
            Ok((Some(command), args.moved(span.start)))
        }
        Read::Statement => Ok((None, Args::none(span))),
        Read::Blank => Err(Problem::new(Trouble::NotToTry { outer, command: "a comment" }, span)),
    }
}

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (line, span) = args.text("COMMAND").given();
    let (command, inner_args) = inner("try", line, span)?;
    let mut copy = world.clone();
    copy.asked = None;
    let outcome = match command {
        Some(Command { run: Run::World(run), .. }) => run(&mut copy, &inner_args),
        _ => rust::run(&mut copy, line).map_err(|problem| problem.moved(span.start)),
    };
    let (events, problem) = match outcome {
        Ok(answer) if answer.is_step => (answer.events, None),
        Ok(_) => {
            let command = command.map_or("that", |command| command.name);
            return Err(Problem::new(Trouble::NotToTry { outer: "try", command }, span));
        }
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let failed = problem.as_ref().map(Problem::code);
    let codes = command.map_or(&[][..], |command| command.checks);
    let view = Try {
        input: line.clone(),
        checks: checks(codes, failed, !world.rust.is_empty()),
        why: copy
            .asked
            .as_ref()
            .map(|asked| why(asked, &world.arenas.before(asked.of, &copy.arenas))),
        events,
        problem,
    };
    Ok(Answer::look(View::Try(view)))
}

/// The checks of a command. Those for values of Rust are left out where there are none.
fn checks(codes: &[&'static str], failed: Option<&str>, has_rust: bool) -> Vec<Check> {
    let mut reached = true;
    let check = |&code: &&'static str| {
        let text = CHECKS.iter().find(|(known, _)| *known == code);
        let (_, text) = text.unwrap_or_else(|| panic!("no words for the check {code}"));
        let outcome = match (reached, failed == Some(code)) {
            (true, true) => CheckOutcome::Failed,
            (true, false) => CheckOutcome::Passed,
            (false, _) => CheckOutcome::NotReached,
        };
        reached &= outcome == CheckOutcome::Passed;
        Check { code, text, outcome }
    };
    let is_told = |code: &&&str| has_rust || !["owned", "rust-lives"].contains(*code);
    codes.iter().filter(is_told).map(check).collect()
}
