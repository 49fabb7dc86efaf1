use std::sync::Arc;

use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "use",
    aliases: &[],
    group: Group::Arena,
    params: &[Param { name: "HEAP", kind: Kind::Heap, form: Form::Rest }],
    summary: "take another allocator, over a fresh arena",
    details: "The arena keeps its size. Blocks of the old one are gone: their handles answer `stale-handle`. `heaps` \
              lists the allocators and what may stand behind their names.",
    examples: &[
        Example::new(&[], "use bump"),
        Example::refused(&["alloc 200", "use bump"], "read a", "stale-handle"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (spec, span) = args.heap("HEAP").given();
    let size_bytes = world.arena().size_bytes;
    Ok(Answer::step(world.replace_heap(Arc::clone(spec), size_bytes, span)?))
}
