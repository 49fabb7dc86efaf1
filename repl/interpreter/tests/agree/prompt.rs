//! What the interpreter says of a program, line by line.

use interpreter::items::Items;
use interpreter::lower::{self, Names};
use interpreter::typed::At;


/// Whether it runs them too.
pub(crate) const RUNS: bool = false;

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

/// Types the lines at a fresh prompt, up to the first that is refused.
pub(crate) fn interpret(lines: &[String]) -> Answer {
    let (mut names, mut items) = (Names::default(), Items::default());
    let answer = Answer::default();
    for (number, text) in lines.iter().enumerate() {
        let line = number as u32;
        if let Err(fault) = lower::line(&mut names, &mut items, line, text) {
            let refusal = refusal(fault.code(), line, &[fault.at], fault.to_string());
            return Answer { refusal: Some(refusal), ..answer };
        }
    }
    answer
}

fn refusal(code: &str, line: u32, about: &[At], message: String) -> Refusal {
    Refusal {
        code: code.to_owned(),
        line: line as usize,
        about: about.iter().map(|at| at.line as usize).collect(),
        message,
    }
}
