use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

/// What a transcript is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// As the prompt shows it.
    Text,
    /// Text in a fenced block.
    Markdown,
    /// One JSON object a line.
    Json,
}

impl ExportFormat {
    /// Every spelling with its format.
    const SPELLINGS: &[(&'static str, Self)] = &[
        ("text", Self::Text),
        ("markdown", Self::Markdown),
        ("md", Self::Markdown),
        ("json", Self::Json),
    ];

    /// Its full name.
    pub fn name(self) -> &'static str {
        let row = Self::SPELLINGS.iter().find(|(_, format)| *format == self);
        row.expect("every format has a spelling").0
    }
}

/// The spellings alone, as a parameter lists them.
const SPELLINGS: &[&str] = &{
    let mut names = [""; ExportFormat::SPELLINGS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = ExportFormat::SPELLINGS[index].0;
        index += 1;
    }
    names
};

pub(super) const COMMAND: Command = Command {
    name: "export",
    aliases: &[],
    group: Group::Time,
    params: &[
        Param { name: "FORMAT", kind: Kind::Choice(SPELLINGS), form: Form::Required },
        Param { name: "FILE", kind: Kind::File, form: Form::Required },
    ],
    summary: "write the session with its replies to a file",
    details: "FORMAT is text, markdown (or md), or json: one object a line.",
    examples: &[Example::new(&["alloc 200"], "export md session.md")],
    checks: &[],
    unchecked: None,
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(args: &Args) -> Result<Ask, Problem> {
    let (word, _) = args.text("FORMAT").given();
    let row = ExportFormat::SPELLINGS.iter().find(|(spelling, _)| spelling == word);
    let (_, format) = row.expect("the parser lets only a listed spelling through");
    Ok(Ask::Export { format: *format, file: args.text("FILE").given().0.clone() })
}
