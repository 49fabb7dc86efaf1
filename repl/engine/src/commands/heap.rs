use std::sync::Arc;

use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Argument, Problem, Trouble};
use crate::reply::{Answer, Event};
use crate::scan::Span;
use crate::world::{SIZE_GRAIN, World};

pub(super) const COMMAND: Command = Command {
    name: "heap",
    aliases: &[],
    group: Group::Arena,
    params: &[
        Param { name: "new|grow", kind: Kind::Choice(&["new", "grow"]), form: Form::Required },
        Param { name: "SIZE", kind: Kind::Size, form: Form::Required },
    ],
    summary: "start a fresh arena of SIZE, or add SIZE to this one",
    details: "Sizes are rounded up to a multiple of 16; an arena is at most 1 GiB. `grow` keeps every block where it \
              is, as an operating system does that hands out the pages behind. Allocators of the whole process have no \
              arena: there the size limits the bytes live at once.",
    examples: &[Example::new(&[], "heap new 4K"), Example::new(&["alloc 200"], "heap grow 1K")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (what, _) = args.text("new|grow").given();
    let (size, span) = args.size("SIZE").given();
    let old_bytes = if what == "grow" { world.heap_bytes() } else { 0 };
    let size_bytes = rounded(size.bytes, old_bytes, "a heap", u64::from(heap::MAX_ARENA), span)?;
    let events = match what.as_str() {
        "grow" => {
            if !world.arena().heap.can_grow() {
                let heap = world.arena().called();
                return Err(Problem::new(Trouble::CannotGrow { heap }, span));
            }
            world.grow_heap(size_bytes)
        }
        _ => world.replace_heap(Arc::clone(&world.arena().spec), size_bytes, span)?,
    };
    Ok(step_of(size.bytes, events))
}

/// The step that `events` make up, and that the size asked for was rounded up, if it was.
pub(super) fn step_of(asked_bytes: u64, mut events: Vec<Event>) -> Answer {
    let size_bytes = asked_bytes.next_multiple_of(SIZE_GRAIN);
    if asked_bytes < size_bytes {
        events.insert(1, Event::Rounded { asked_bytes, size_bytes });
    }
    Answer::step(events)
}

/// `more` bytes on top of `old`, rounded up to the grain; the first to be refused for zero, the sum above `max`.
pub(super) fn rounded(
    more: u64,
    old: u64,
    what: &'static str,
    max: u64,
    span: Span,
) -> Result<u32, Problem> {
    if more == 0 {
        return Err(Problem::new(Trouble::BadArgument(Argument::NothingToHold { what }), span));
    }
    let sum = more
        .checked_next_multiple_of(SIZE_GRAIN)
        .and_then(|more| more.checked_add(old))
        .unwrap_or(u64::MAX);
    if sum > max {
        let argument = Argument::TooLarge { what, bytes: sum, max };
        return Err(Problem::new(Trouble::BadArgument(argument), span));
    }
    Ok(sum as u32)
}
