use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "ret",
    aliases: &[],
    group: Group::Stack,
    params: &[],
    summary: "return: everything the function pushed is gone at once",
    details: "The stack pointer goes back to where it was before the call.",
    examples: &[Example::new(&["call f 16", "push [1, 2, 3]"], "ret")],
    checks: &["rust-lives", "stack-underflow"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    if world.frame_has_variables() {
        return Err(Problem::new(Trouble::RustLives { what: "frame" }, args.line));
    }
    Ok(Answer::step(world.ret(args.line)?))
}
