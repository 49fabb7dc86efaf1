use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "use",
    aliases: &[],
    group: Group::Arena,
    params: &[Param { name: "HEAP", kind: Kind::Heap, form: Form::Required }],
    summary: "take another allocator, over a fresh arena",
    details: "The arena keeps its size. Blocks of the old one are gone: their handles answer `stale-handle`.",
    examples: &[
        Example::new(&[], "use bump"),
        Example::refused(&["alloc 200", "use bump"], "read a", "stale-handle"),
    ],
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (name, span) = args.text("HEAP").given();
    let Some(info) = heap::named(name) else {
        let names: Vec<_> = heap::HEAPS.iter().map(|info| info.name).collect();
        let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
        let nearest = names
            .iter()
            .copied()
            .min_by_key(|known| distance(known))
            .filter(|known| distance(known) <= 3);
        return Err(Problem::new(
            Trouble::UnknownHeap { name: name.clone(), nearest, names },
            span,
        ));
    };
    let size_bytes = world.heap.memory().len();
    Ok(Answer::step(world.replace_heap(info, size_bytes)))
}
