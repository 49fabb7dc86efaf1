use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "mark",
    aliases: &[],
    group: Group::Arena,
    params: &[],
    summary: "remember the heap's top, to reset to",
    details: "For heaps that have a top: bump. Marks are called m1, m2 and so on.",
    examples: &[Example::new(&["use bump", "alloc 200"], "mark")],
    checks: &["unsupported"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    Ok(Answer::step(world.mark(args.line)?))
}
