use heap::{HEAPS, Info, Origin};

use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::heap_spec;
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::{HeapGroup, HeapHelp, HeapRow, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "heaps",
    aliases: &[],
    group: Group::Arena,
    params: &[Param { name: "HEAP", kind: Kind::HeapName, form: Form::Optional }],
    summary: "list the allocators `use` can take, or explain one",
    details: "The star marks the one in use.",
    examples: &[Example::new(&[], "heaps"), Example::new(&[], "heaps tlsf")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    if let Some((name, span)) = args.text("HEAP") {
        let info = heap_spec::named(name, span)?;
        return Ok(Answer::look(View::Heap(help(info, world))));
    }
    let group = |title, belongs: fn(&Info) -> bool| {
        let row = |info: &&Info| HeapRow {
            name: info.name,
            summary: info.summary,
            in_use: info.name == world.arena().spec.info.name,
        };
        let of_group = HEAPS.iter().copied().filter(|info| belongs(info));
        HeapGroup { title, rows: of_group.map(|info| row(&info)).collect() }
    };
    Ok(Answer::look(View::Heaps {
        groups: vec![
            group("ours", |info| info.origin == Origin::Ours && info.inner.is_empty()),
            group("wrappers, around any of them", |info| !info.inner.is_empty()),
            group("other people's crates", |info| info.origin == Origin::Crate),
            group("of the whole process, measured", |info| info.origin == Origin::Process),
        ],
    }))
}

/// What there is to say of an allocator.
pub(super) fn help(info: &'static Info, world: &World) -> HeapHelp {
    HeapHelp {
        name: info.name,
        usage: heap_spec::usage(info),
        summary: info.summary,
        details: info.details,
        in_use: info.name == world.arena().spec.info.name,
    }
}
