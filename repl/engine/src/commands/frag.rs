use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "frag",
    aliases: &[],
    group: Group::Look,
    params: &[],
    summary: "measure fragmentation, and what would still fit",
    details: "Internal: bytes inside blocks that nobody asked for, headers and slack. External: free bytes that are not \
              in the largest hole. The table counts blocks of a size that still fit, against those of one whole hole.",
    examples: &[Example::new(
        &[
            "alloc 100",
            "alloc 100",
            "alloc 100",
            "alloc 100",
            "alloc 100",
            "alloc 100",
            "alloc 100",
            "free a",
            "free c",
            "free e",
        ],
        "frag",
    )],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    Ok(Answer::look(View::Frag(world.frag(world.arena()))))
}
