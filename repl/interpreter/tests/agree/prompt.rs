//! What the interpreter says of a program, line by line.

use interpreter::check::{Later, NotMutable, Wrong};
use interpreter::run::Stop;
use interpreter::typed::At;
use interpreter::{Fault, Note, Program};

use crate::machine::{HEAPS, TestMachine};

const STACK_BYTES: u64 = 1 << 20;
const HEAP_BYTES: u64 = 4 << 20;
/// A program whose loop has lost its end, as shrinking makes them, is stopped when it has asked so often.
const MOST_LOOKS: u64 = 500;

/// A line the interpreter refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    /// The line that was refused.
    pub(crate) line: usize,
    /// The lines it is about: where the fault lies, and what it names.
    pub(crate) about: Vec<usize>,
    pub(crate) message: String,
}

/// What came of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What it printed, a panic's message included.
    pub(crate) printed: Vec<String>,
    /// The line that panicked: none after it was typed.
    pub(crate) panicked: Option<usize>,
    pub(crate) refusal: Option<Refusal>,
}

/// Types the lines at a fresh prompt, up to the first that is refused. After a panic all scopes are closed, which is what a
/// function does that panics.
pub(crate) fn interpret(lines: &[String]) -> Answer {
    let mut program = Program::with_heaps(HEAPS);
    let mut machine = TestMachine::new(STACK_BYTES, HEAP_BYTES);
    machine.looks_left.set(MOST_LOOKS);
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let mut number = 0;
    let (mut refusal, mut panicked) = (None, None);
    while number < lines.len() {
        match program.run(number as u32, lines[number], &mut machine) {
            Ok(()) => {}
            Err(Fault::Run(Stop::Panic { .. })) => {
                panicked = Some(number);
                lines.truncate(number + 1);
                lines.resize(number + 1 + program.names().depth(), "}");
            }
            Err(fault) => {
                refusal = Some(refused(&fault, number));
                break;
            }
        }
        number += 1;
    }
    let mut printed = String::new();
    for note in &machine.notes {
        match note {
            Note::Print(text) => printed += text,
            Note::Panic { message } => printed += &format!("panicked: {message}\n"),
            _ => {}
        }
    }
    Answer { printed: printed.lines().map(str::to_owned).collect(), panicked, refusal }
}

fn refused(fault: &Fault, line: usize) -> Refusal {
    let mut about: Vec<_> = fault.at().into_iter().collect();
    match fault {
        Fault::Check(fault) => about.extend(named(&fault.wrong)),
        Fault::Lower(fault) => about.extend(fault.other()),
        Fault::Run(_) => {}
    }
    Refusal {
        code: fault.code().to_owned(),
        line,
        about: about.iter().map(|at| at.line as usize).collect(),
        message: fault.to_string(),
    }
}

/// The other places that a fault names.
fn named(wrong: &Wrong) -> Vec<At> {
    let user = |later: &Later| match later {
        Later::Use { at, .. } | Later::Drop { at, .. } => vec![*at],
        Later::Caller => Vec::new(),
    };
    match wrong {
        Wrong::Unset { declared, .. } => vec![*declared],
        Wrong::Moved { by, .. } => vec![*by],
        Wrong::AssignedTwice { first, .. } => vec![*first],
        Wrong::Borrowed { borrowed, later, .. } => [vec![*borrowed], user(later)].concat(),
        Wrong::TemporaryTooShort { borrowed, end, later } => {
            [vec![*borrowed, *end], user(later)].concat()
        }
        Wrong::TooShort { end, later, .. } | Wrong::BorrowedByDestructor { end, later, .. } => {
            [vec![*end], user(later)].concat()
        }
        Wrong::Returned { borrowed, .. } => vec![*borrowed],
        Wrong::Written { why: NotMutable::Variable { at, .. }, .. }
        | Wrong::BorrowedToWrite { why: NotMutable::Variable { at, .. }, .. } => vec![*at],
        _ => Vec::new(),
    }
}
