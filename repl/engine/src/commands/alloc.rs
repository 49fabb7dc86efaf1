use crate::arena::ArenaId;
use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::{DEFAULT_ALIGN, World};

pub(super) const COMMAND: Command = Command {
    name: "alloc",
    aliases: &["malloc"],
    group: Group::Heap,
    params: &[
        Param { name: "SIZE", kind: Kind::Size, form: Form::Required },
        Param { name: "N", kind: Kind::Number("an alignment"), form: Form::Key("align") },
        Param { name: "zeroed", kind: Kind::Choice(&[]), form: Form::Flag },
        Param { name: "NAME", kind: Kind::NewName, form: Form::Key("as") },
    ],
    summary: "reserve a block on the heap",
    details: "SIZE is bytes (200, 0xc8, 4K) or a type (u64, [u8; 200]). The block is aligned to 8 unless you say \
              otherwise, or the type needs more. Its bytes are unset until you write them, or all zero with `zeroed`.",
    examples: &[
        Example::new(&[], "alloc 200"),
        Example::new(&[], "alloc [u128; 4] zeroed as table"),
        Example::new(&["use bump", "alloc 3 align 1"], "alloc 64 align 32"),
    ],
    checks: &[
        "bad-align",
        "zero-size",
        "size-overflow",
        "unsupported",
        "out-of-memory",
        "fragmented",
    ],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (size, span) = args.size("SIZE").given();
    let name = args.name("NAME");
    world.check_free_name(name)?;
    let natural = size.ty.as_ref().map_or(1, |ty| u64::from(ty.align_bytes()));
    let (align, align_span) =
        args.number("N").map_or((DEFAULT_ALIGN.max(natural), span), |(n, span)| (*n, span));
    let layout = world.arena().layout(size.bytes, span, align, align_span)?;
    let name = name.map(|(name, _)| name.clone());
    Ok(Answer::step(world.alloc(ArenaId::IN_USE, layout, name, args.flag("zeroed"), span)?))
}
