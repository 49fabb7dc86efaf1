use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

pub(super) const COMMAND: Command = Command {
    name: "clear",
    aliases: &[],
    group: Group::Else,
    params: &[],
    summary: "clear the screen; the session stays",
    details: "Ctrl-L does the same.",
    examples: &[Example::new(&[], "clear")],
    checks: &[],
    unchecked: None,
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(_: &Args) -> Result<Ask, Problem> {
    Ok(Ask::Clear)
}
