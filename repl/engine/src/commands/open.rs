use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

pub(super) const COMMAND: Command = Command {
    name: "open",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "FILE", kind: Kind::File, form: Form::Required }],
    summary: "go on with a saved session",
    details: "`open last` brings back the session before this one, after a crash or a stray Ctrl-D: every session at \
              the prompt is kept as it goes.",
    examples: &[Example::new(&[], "open last")],
    checks: &[],
    unchecked: None,
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(args: &Args) -> Result<Ask, Problem> {
    Ok(Ask::Open { file: args.text("FILE").given().0.clone() })
}
