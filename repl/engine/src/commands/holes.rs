use std::sync::Arc;

use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "holes",
    aliases: &[],
    group: Group::Look,
    params: &[
        Param { name: "HEAP", kind: Kind::HeapName, form: Form::Optional },
        Param { name: "all", kind: Kind::Choice(&[]), form: Form::Flag },
    ],
    summary: "list the holes in the order the allocator looks at them",
    details: "A hole's size counts its header; what fits is less. The prompt shows the first \
              twenty; `holes all` lists every one. `holes bump` lists those of the heap that Rust calls &bump.",
    examples: &[Example::new(
        &["alloc 40", "alloc 24", "alloc 96", "alloc 16", "free a", "free c"],
        "holes",
    )],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let arena = world.arena_asked(args)?;
    let (rows, all) = (world.hole_rows(arena), args.flag("all"));
    let free_bytes = rows.iter().map(|hole| hole.size_bytes).sum();
    let stranded_bytes = arena.stranded_bytes(free_bytes);
    let (heap, total) = (Arc::clone(&arena.name), rows.len() as u64);
    let structure = world.structure(arena);
    Ok(Answer::look(View::Holes { heap, total, free_bytes, rows, stranded_bytes, structure, all }))
}
