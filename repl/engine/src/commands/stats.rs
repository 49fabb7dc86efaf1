use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "stats",
    aliases: &[],
    group: Group::Look,
    params: &[Param { name: "HEAP", kind: Kind::HeapName, form: Form::Optional }],
    summary: "count what the heap's bytes are used for",
    details: "Payload is what was asked for, slack what rounding added. Counts start with the arena. \
              `stats bump` is about the heap that Rust calls &bump.",
    examples: &[Example::new(
        &["alloc 40", "alloc 20", "alloc 96", "free a", "realloc b 30"],
        "stats",
    )],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    Ok(Answer::look(View::Stats(world.stats(world.arena_asked(args)?))))
}
