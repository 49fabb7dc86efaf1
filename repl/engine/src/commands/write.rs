use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::dare::Unchecked;
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::{Answer, Event};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "write",
    aliases: &[],
    group: Group::Heap,
    params: &[
        Param { name: "H", kind: Kind::Place, form: Form::Required },
        Param { name: "OFFSET", kind: Kind::Number("an offset"), form: Form::Key("at") },
        Param { name: "BYTES", kind: Kind::Bytes, form: Form::Rest },
    ],
    summary: "store bytes in a block or a slot",
    details: "BYTES are numbers from 0 to 255, or \"text\". They go to the start, or to byte OFFSET.",
    examples: &[
        Example::new(&["alloc 200"], "write a \"hello\""),
        Example::new(&["push items = [0u8; 200]"], "write items at 199 0xff"),
        Example::refused(&["alloc 200"], "write a at 200 7", "out-of-bounds"),
    ],
    checks: &[
        "unknown-handle",
        "foreign-pointer",
        "use-after-return",
        "stale-handle",
        "use-after-free",
        "owned",
        "out-of-bounds",
    ],
    unchecked: Some(unchecked),
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span)?;
    let (bytes, bytes_span) = args.bytes("BYTES").given();
    if bytes.is_empty() {
        return Err(Problem::new(Trouble::BadArgument(Argument::NoBytes), bytes_span));
    }
    let target = world.target(&spot, true, span)?;
    let (offset, offset_span) =
        args.number("OFFSET").map_or((0, bytes_span), |(n, span)| (*n, span));
    let access = world.range(&target, offset, Some(bytes.len() as u64), offset_span)?;
    world.store(&access, bytes);
    Ok(Answer::step(vec![Event::Write {
        name: access.name,
        offset: access.offset,
        address: access.address,
        bytes: bytes.clone(),
        value: None,
        literal: None,
    }]))
}

/// Stores the bytes wherever they go.
fn unchecked(world: &World, args: &Args) -> Unchecked {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span).expect("the name is known: the checked run got further");
    let offset = args.number("OFFSET").map_or(0, |(n, _)| *n);
    let bytes = args.bytes("BYTES").given().0.clone();
    Unchecked::Write { address: spot.address.plus(offset), bytes }
}
