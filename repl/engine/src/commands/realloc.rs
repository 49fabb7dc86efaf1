use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::dare::Unchecked;
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "realloc",
    aliases: &[],
    group: Group::Heap,
    params: &[
        Param { name: "H", kind: Kind::Block, form: Form::Required },
        Param { name: "SIZE", kind: Kind::Size, form: Form::Required },
    ],
    summary: "resize a block, in place or by moving it",
    details: "A block that moves takes its bytes along and keeps its handle. Its old address is dead, and so is every \
              alias made before.",
    examples: &[
        Example::new(&["alloc 200"], "realloc a 400"),
        Example::new(&["alloc 200", "alloc 8"], "realloc a 400"),
    ],
    checks: &[
        "unknown-handle",
        "foreign-pointer",
        "stale-handle",
        "double-free",
        "interior-pointer",
        "owned",
        "zero-size",
        "size-overflow",
        "not-lifo",
        "unsupported",
        "out-of-memory",
        "fragmented",
    ],
    unchecked: Some(unchecked),
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span)?;
    let id = world.block_at(&spot, span)?;
    let (size, span) = args.size("SIZE").given();
    Ok(Answer::step(world.realloc(id, size.bytes, span)?))
}

/// Resizes whatever is there.
fn unchecked(world: &World, args: &Args) -> Unchecked {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span).expect("the name is known: the checked run got further");
    let layout = world.raw_layout(&spot, None, None);
    let size = args.size("SIZE").given().0.bytes;
    let new_bytes = size.min(u64::from(heap::MAX_ARENA)) as u32;
    Unchecked::Realloc { address: spot.address, layout, new_bytes }
}
