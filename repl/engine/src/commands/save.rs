use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

pub(super) const COMMAND: Command = Command {
    name: "save",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "FILE", kind: Kind::File, form: Form::Required }],
    summary: "write the session's lines to a file",
    details: "The lines are all there is to a session: `open FILE` runs them again, and so does `alloc-repl FILE`. \
              What an allocator of the whole process answered stands behind its line, as a comment.",
    examples: &[Example::new(&["alloc 200"], "save lesson.log")],
    checks: &[],
    unchecked: None,
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(args: &Args) -> Result<Ask, Problem> {
    Ok(Ask::Save { file: args.text("FILE").given().0.clone() })
}
