use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
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
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    let row = |info: &&heap::Info| HeapRow {
        name: info.name,
        summary: info.summary,
        header_bytes: u64::from(info.header_bytes),
        in_use: info.name == world.heap.info().name,
    };
    Ok(Answer::look(View::Heaps { rows: heap::HEAPS.iter().map(row).collect() }))
}
