//! What the interpreter says of a program, line by line.

use interpreter::check::{Later, NotMutable, Wrong};
use interpreter::run::Stop;
use interpreter::typed::At;
use interpreter::{Fault, Program};

use crate::bench::Bench;

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
    pub(crate) refusal: Option<Refusal>,
}

/// Types the lines at a fresh prompt, up to the first that is refused. After a panic all scopes are closed, which is what a
/// function does that panics.
pub(crate) fn interpret(lines: &[String]) -> Answer {
    let (mut program, mut machine) = (Program::default(), Bench::default());
    let mut refusal = None;
    for (number, text) in lines.iter().enumerate() {
        match program.run(number as u32, text, &mut machine) {
            Ok(()) => {}
            Err(Fault::Run(Stop::Panic { message, .. })) => {
                machine.printed += &format!("panicked: {message}\n");
                let depth = program.names().depth();
                for end in 0..depth {
                    let line = (number + 1 + end) as u32;
                    if let Err(fault) = program.run(line, "}", &mut machine) {
                        refusal = Some(refused(&fault, line as usize));
                        break;
                    }
                }
                break;
            }
            Err(fault) => {
                refusal = Some(refused(&fault, number));
                break;
            }
        }
    }
    Answer { printed: machine.printed.lines().map(str::to_owned).collect(), refusal }
}

fn refused(fault: &Fault, line: usize) -> Refusal {
    let mut about: Vec<_> = fault.at().into_iter().collect();
    if let Fault::Check(fault) = fault {
        about.extend(named(&fault.wrong));
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
