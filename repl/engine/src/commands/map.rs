use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "map",
    aliases: &[],
    group: Group::Look,
    params: &[],
    summary: "draw stack and heap as one address space",
    details: "A row reaches up to the row above it. A star marks what the last change touched. An arrow leads from the \
              pointers of Rust in a row to what they point to.",
    examples: &[
        Example::new(&["alloc 200", "push [0u8; 200]", "push"], "map"),
        Example::new(&["use bump", "alloc 40", "alloc 100", "alloc 20", "free b"], "map"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    let (stack, heap) = (world.stack_map(), world.heap_map(world.arena()));
    let between_bytes = stack.end.0 - heap.end.0;
    Ok(Answer::look(View::Map { stack, between_bytes, heap }))
}
