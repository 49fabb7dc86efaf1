use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

/// What a transcript can be written as.
const FORMATS: &[&str] = &["text", "md", "json"];

pub(super) const COMMAND: Command = Command {
    name: "export",
    aliases: &[],
    group: Group::Time,
    params: &[
        Param { name: "FORMAT", kind: Kind::Choice(FORMATS), form: Form::Required },
        Param { name: "FILE", kind: Kind::File, form: Form::Required },
    ],
    summary: "write the session with its replies to a file",
    details: "FORMAT is text, md (Markdown) or json (one object a line).",
    examples: &[Example::new(&["alloc 200"], "export md session.md")],
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(args: &Args) -> Result<Ask, Problem> {
    let (word, _) = args.text("FORMAT").given();
    let format = FORMATS.iter().find(|format| *format == word);
    let format = format.expect("the parser lets only a listed format through");
    Ok(Ask::Export { format, file: args.text("FILE").given().0.clone() })
}
