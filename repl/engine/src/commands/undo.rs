use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "undo",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "N", kind: Kind::Number("a number of steps"), form: Form::Optional }],
    summary: "take back the last change, or the last N",
    details: "Only lines that changed something count. `redo` does them again until a new change is made.",
    examples: &[Example::new(&["alloc 200", "free a"], "undo")],
    checks: &[],
    unchecked: None,
    run: Run::Session(run),
};

fn run(session: &mut Session, args: &Args) -> Result<Answer, Problem> {
    let (steps, span) = args.number("N").map_or((1, args.line), |(n, span)| (*n, span));
    session.undo(steps, span)
}
