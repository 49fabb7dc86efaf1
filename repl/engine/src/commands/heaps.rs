use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::heap_spec::usage;
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::{HeapRow, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "heaps",
    aliases: &[],
    group: Group::Arena,
    params: &[],
    summary: "list the allocators `use` can take",
    details: "The star marks the one in use.",
    examples: &[Example::new(&[], "heaps")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    let row = |info: &&heap::Info| HeapRow {
        name: info.name,
        summary: info.summary,
        usage: usage(info),
        in_use: info.name == world.spec.info.name,
    };
    Ok(Answer::look(View::Heaps { rows: heap::HEAPS.iter().map(row).collect() }))
}
