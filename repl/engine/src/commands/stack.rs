use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run, heap};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::view::View;
use crate::world::{MAX_STACK_BYTES, World};

pub(super) const COMMAND: Command = Command {
    name: "stack",
    aliases: &[],
    group: Group::Look,
    params: &[Param { name: "SIZE", kind: Kind::Size, form: Form::Key("new") }],
    summary: "draw the stack; `stack new SIZE` starts a fresh one",
    details: "Slots, padding, return addresses, from the start down. A stack is at most 64 MiB, and its size a \
              multiple of 16.",
    examples: &[
        Example::new(&["push x = 8", "call f 16 fp", "push [1u8, 2, 3]"], "stack"),
        Example::new(&[], "stack new 1K"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    match args.size("SIZE") {
        None => Ok(Answer::look(View::Stack(world.stack_map()))),
        Some((size, span)) => {
            if world.has_variables() {
                return Err(Problem::new(Trouble::RustLives { what: "stack" }, span));
            }
            let size_bytes =
                heap::rounded(size.bytes, 0, "a stack", u64::from(MAX_STACK_BYTES), span)?;
            Ok(heap::step_of(size.bytes, world.replace_stack(size_bytes)))
        }
    }
}
