use crate::arena::ArenaId;
use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "map",
    aliases: &[],
    group: Group::Look,
    params: &[Param { name: "HEAP", kind: Kind::HeapName, form: Form::Optional }],
    summary: "draw stack and heap as one address space",
    details: "A row reaches up to the row above it. A star marks what the last change touched. An arrow leads from the \
              pointers of Rust in a row to what they point to. A heap that Rust named has an arena of its own, 1 KiB: \
              `map bump` draws it, once there was a &bump.",
    examples: &[
        Example::new(&["alloc 200", "push [0u8; 200]", "push"], "map"),
        Example::new(&["let mut v = Vec::new_in(&bump);", "v.push(1u8);"], "map bump"),
        Example::new(&["use bump", "alloc 40", "alloc 100", "alloc 20", "free b"], "map"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let arena = world.arena_asked(args)?;
    let (stack, heap) = (world.stack_map(), world.heap_map(arena));
    let between_bytes = stack.end.0 - heap.end.0;
    let beside = if arena.id == ArenaId::IN_USE { world.beside_rows() } else { Vec::new() };
    Ok(Answer::look(View::Map { stack, between_bytes, heap, beside }))
}
