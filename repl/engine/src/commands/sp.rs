use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "sp",
    aliases: &[],
    group: Group::Stack,
    params: &[],
    summary: "show the stack pointer",
    details: "It names the lowest byte in use. An empty stack's is 0xffff_ffff, a byte that is never used.",
    examples: &[Example::new(&["push [0u8; 200]"], "sp")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    Ok(Answer::look(View::Sp {
        sp: world.stack.sp().into(),
        start: ::stack::START.into(),
        used_bytes: u64::from(world.stack.used_bytes()),
        left_bytes: u64::from(world.stack.sp() - world.stack.end()),
    }))
}
