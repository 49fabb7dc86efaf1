use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "reset",
    aliases: &[],
    group: Group::Arena,
    params: &[Param { name: "MARK", kind: Kind::Mark, form: Form::Optional }],
    summary: "free every block since a mark, or all of them",
    details: "One assignment, however many blocks there were. Nobody runs their destructors.",
    examples: &[
        Example::new(&["use bump", "alloc 200", "mark", "alloc 8", "alloc 8"], "reset m1"),
        Example::new(&["use bump", "alloc 200"], "reset"),
    ],
    checks: &["unsupported", "stale-handle", "unknown-handle", "rust-lives"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    Ok(Answer::step(world.reset(args.text("MARK"), args.line)?))
}
