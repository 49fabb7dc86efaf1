use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::dare::Unchecked;
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::{Answer, Event};
use crate::world::World;

/// Bytes one line reads at most.
const MAX_BYTES: u64 = 64 * 1024;
/// Bytes it reads when it is not told how many.
const DEFAULT_BYTES: u64 = 4096;

pub(super) const COMMAND: Command = Command {
    name: "read",
    aliases: &[],
    group: Group::Heap,
    params: &[
        Param { name: "H", kind: Kind::Place, form: Form::Required },
        Param { name: "OFFSET", kind: Kind::Number("an offset"), form: Form::Key("at") },
        Param { name: "LEN", kind: Kind::Size, form: Form::Optional },
    ],
    summary: "show bytes of a block or a slot",
    details: "Without LEN it reads to the end. A byte that was never written is not read: `uninitialised`.",
    examples: &[
        Example::new(&["alloc 5", "write a \"hello\""], "read a"),
        Example::new(&["alloc 5", "write a \"hello\""], "read a at 1 3"),
        Example::refused(&["alloc 200", "write a 1 2 3"], "read a 4", "uninitialised"),
    ],
    checks: &[
        "unknown-handle",
        "foreign-pointer",
        "use-after-return",
        "stale-handle",
        "use-after-free",
        "out-of-bounds",
        "uninitialised",
    ],
    unchecked: Some(unchecked),
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span)?;
    let target = world.target(&spot, false, span)?;
    let (offset, offset_span) = args.number("OFFSET").map_or((0, span), |(n, span)| (*n, span));
    let rest = world.range(&target, offset, None, offset_span)?;
    let (len, len_span) = match args.size("LEN") {
        Some((size, span)) => (size.bytes, span),
        None => (rest.len.min(DEFAULT_BYTES), offset_span),
    };
    if len == 0 {
        let argument = Argument::NoNumber { what: "a length", text: "0".into() };
        return Err(Problem::new(Trouble::BadArgument(argument), len_span));
    }
    if len > MAX_BYTES {
        let argument = Argument::ReadTooLong { max: MAX_BYTES };
        return Err(Problem::new(Trouble::BadArgument(argument), len_span));
    }
    let access = world.range(&target, offset, Some(len), len_span)?;
    let bytes = world.load(&access, len_span)?;
    let value = world.slot_value(&spot, &access);
    let more_bytes = rest.len - len;
    Ok(Answer::note(Event::Read {
        name: access.name,
        offset: access.offset,
        address: access.address,
        bytes,
        value,
        more_bytes,
    }))
}

/// Shows what is there, whosever it is.
fn unchecked(world: &World, args: &Args) -> Unchecked {
    let (place, span) = args.place("H").given();
    let spot = world.locate(place, span).expect("the name is known: the checked run got further");
    let offset = args.number("OFFSET").map_or(0, |(n, _)| *n);
    let natural = world.natural_len(&spot).unwrap_or(1);
    let len = args.size("LEN").map_or(natural, |(size, _)| size.bytes);
    Unchecked::Read { address: spot.address.plus(offset), len }
}
