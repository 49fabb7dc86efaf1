use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::dare::Unchecked;
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "free",
    aliases: &["dealloc"],
    group: Group::Heap,
    params: &[
        Param { name: "H", kind: Kind::Block, form: Form::Required },
        Param { name: "N", kind: Kind::Number("a size"), form: Form::Key("size") },
        Param { name: "A", kind: Kind::Number("an alignment"), form: Form::Key("align") },
    ],
    summary: "give a block back",
    details: "`free a` is C's: the pointer alone. Rust's dealloc gets the layout too: `free a size 200 align 8`, which \
              is checked against the one a was allocated with.",
    examples: &[
        Example::new(&["alloc 200"], "free a"),
        Example::new(&["alloc 40", "alloc 24", "alloc 96"], "free b size 24 align 8"),
        Example::refused(&["alloc 200", "free a"], "free a", "double-free"),
    ],
    checks: &[
        "unknown-handle",
        "foreign-pointer",
        "stale-handle",
        "double-free",
        "interior-pointer",
        "owned",
        "wrong-layout",
        "not-lifo",
    ],
    unchecked: Some(unchecked),
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span)?;
    let id = world.block_at(&spot, span)?;
    let life = world.life(id);
    let (size, align) = (u64::from(life.size_bytes), u64::from(life.align_bytes));
    match (args.number("N"), args.number("A")) {
        (None, None) => {}
        (None, Some((_, span))) => {
            return Err(Problem::new(Trouble::BadArgument(Argument::AlignWithoutSize), span));
        }
        (Some((given_size, size_span)), given_align) => {
            let given_align_value = given_align.map_or(align, |(n, _)| *n);
            if (*given_size, given_align_value) != (size, align) {
                let span = if *given_size == size {
                    given_align.map_or(size_span, |(_, span)| span)
                } else {
                    size_span
                };
                let trouble = Trouble::WrongLayout {
                    name: world.block_name(id).to_string(),
                    size,
                    align,
                    given_size: *given_size,
                    given_align: given_align_value,
                };
                return Err(Problem::new(trouble, span));
            }
        }
    }
    world.arenas[id.arena].check_newest(id, span)?;
    Ok(Answer::step(world.free(id)))
}

/// Frees whatever is there, with the layout that is given, or else the one the block had.
fn unchecked(world: &World, args: &Args) -> Unchecked {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span).expect("the name is known: the checked run got further");
    let layout = world.raw_layout(
        &spot,
        args.number("N").map(|(n, _)| *n),
        args.number("A").map(|(n, _)| *n),
    );
    Unchecked::Free { address: spot.address, layout }
}
