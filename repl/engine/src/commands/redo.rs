use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "redo",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "N", kind: Kind::Number("a number of steps"), form: Form::Optional }],
    summary: "do what `undo` took back, or N steps of it",
    details: "A new change clears what could be redone.",
    examples: &[Example::new(&["alloc 200", "free a", "undo"], "redo")],
    checks: &[],
    unchecked: None,
    run: Run::Session(run),
};

fn run(session: &mut Session, args: &Args) -> Result<Answer, Problem> {
    let (steps, span) = args.number("N").map_or((1, args.line), |(n, span)| (*n, span));
    session.redo(steps, span)
}
