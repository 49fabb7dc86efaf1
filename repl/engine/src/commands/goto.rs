use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "goto",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "N", kind: Kind::Number("a line"), form: Form::Required }],
    summary: "go to the state after line N",
    details: "`history` numbers the lines; `goto 0` is the start. Lines behind N can be redone.",
    examples: &[Example::new(&["alloc 200", "alloc 8", "free a"], "goto 1")],
    checks: &[],
    unchecked: None,
    run: Run::Session(run),
};

fn run(session: &mut Session, args: &Args) -> Result<Answer, Problem> {
    let (line, span) = args.number("N").given();
    session.goto(*line, span)
}
