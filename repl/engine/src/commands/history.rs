use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::session::Session;
use crate::view::View;

pub(super) const COMMAND: Command = Command {
    name: "history",
    aliases: &[],
    group: Group::Time,
    params: &[Param { name: "all", kind: Kind::Choice(&[]), form: Form::Flag }],
    summary: "list the lines of this session",
    details: "Refused lines, undo, redo, goto and history itself are not in it. The prompt shows the \
              last twenty; `history all` lists every one.",
    examples: &[Example::new(&["alloc 200", "map", "free a", "undo"], "history")],
    checks: &[],
    unchecked: None,
    run: Run::Session(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(session: &mut Session, args: &Args) -> Result<Answer, Problem> {
    let (rows, undone) = session.history();
    Ok(Answer::look(View::History { rows, undone, all: args.flag("all") }))
}
