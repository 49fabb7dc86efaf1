use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::rust;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "pop",
    aliases: &[],
    group: Group::Stack,
    params: &[],
    summary: "give the newest slot back",
    details: "The stack pointer goes back to where it was before the push, padding included. The bytes stay until \
              something else is pushed there: `dump` still shows them.",
    examples: &[Example::new(&["push [0u8; 200]", "push"], "pop")],
    checks: &["stack-underflow"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    if world.newest_variable().is_some() {
        return rust::pop(world);
    }
    Ok(Answer::step(world.pop(args.line)?))
}
