use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::session::Ask;

pub(super) const COMMAND: Command = Command {
    name: "quit",
    aliases: &["q", "exit"],
    group: Group::Else,
    params: &[],
    summary: "leave; Ctrl-D does the same",
    details: "A script ends here, too.",
    examples: &[Example::new(&[], "quit")],
    checks: &[],
    unchecked: None,
    run: Run::Request(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(_: &Args) -> Result<Ask, Problem> {
    Ok(Ask::Quit)
}
