use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "new",
    aliases: &[],
    group: Group::Else,
    params: &[],
    summary: "start over, with an empty log",
    details: "At the prompt the session so far is kept: `open last` brings it back.",
    examples: &[Example::new(&["alloc 200"], "new")],
    checks: &[],
    unchecked: None,
    run: Run::Session(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(session: &mut Session, _: &Args) -> Result<Answer, Problem> {
    Ok(session.restart())
}
