use crate::arena::ArenaId;
use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

/// Bytes a dump shows from an address when it is not told how many.
const DEFAULT_BYTES: u64 = 64;

pub(super) const COMMAND: Command = Command {
    name: "dump",
    aliases: &[],
    group: Group::Look,
    params: &[
        Param { name: "ADDRESS", kind: Kind::Place, form: Form::Optional },
        Param { name: "LEN", kind: Kind::Size, form: Form::Optional },
    ],
    summary: "show bytes, whoever owns them",
    details: "Alone it shows the heap from its start; with a handle, that block; with an address, 64 bytes. It never \
              refuses a byte of heap or stack: `??` was never written, `~` marks an old byte, left by somebody else. \
              Numbers are little-endian: the lowest byte comes first.",
    examples: &[
        Example::new(&["alloc 20", "write a \"hello\""], "dump"),
        Example::new(&["push x = 258", "pop", "push u16"], "dump 0xffff_fff0 15"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (start, natural) = match args.place("ADDRESS") {
        None => (ArenaId::IN_USE.base(), u64::from(world.arena().heap.len())),
        Some((place, span)) => {
            let spot = world.locate(place, span)?;
            let natural = world.natural_len(&spot).unwrap_or(DEFAULT_BYTES);
            if world.arenas.at(spot.address).is_none()
                && world.stack_address(spot.address).is_none()
            {
                let lies = world.whereabouts(spot.address);
                return Err(Problem::new(
                    Trouble::ForeignPointer { address: spot.address, lies, free: false },
                    span,
                ));
            }
            (spot.address, natural)
        }
    };
    let end = match world.arenas.at(start) {
        Some((arena, _)) => arena.end().0,
        None => u64::from(::stack::START),
    };
    let len = match args.size("LEN") {
        Some((size, span)) if size.bytes == 0 => {
            let argument = Argument::NoNumber { what: "a length", text: "0".into() };
            return Err(Problem::new(Trouble::BadArgument(argument), span));
        }
        Some((size, _)) => size.bytes,
        None => natural,
    };
    let (rows, more_bytes) = world.dump_rows(start, len.min(end - start.0));
    Ok(Answer::look(View::Dump { start, rows, more_bytes }))
}
