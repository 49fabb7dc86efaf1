use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::literal::{Size, Slot};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;
use ::stack::{Scalar, Type};

pub(super) const COMMAND: Command = Command {
    name: "push",
    aliases: &[],
    group: Group::Stack,
    params: &[Param {
        name: "SIZE, TYPE, VALUE or NAME = VALUE",
        kind: Kind::Slot,
        form: Form::OptionalRest,
    }],
    summary: "reserve a slot on the stack",
    details: "`push 200` is so many bytes at align 1, `push u64` a type, unset; `push 8u64` and `push x = 8` are \
              values. Alone it is an unset u64. `let x = 8;` is another spelling.",
    examples: &[
        Example::new(&[], "push [0u8; 200]"),
        Example::new(&["push [0u8; 200]"], "push"),
        Example::new(&[], "push x = 8"),
        Example::refused(&[], "push [0u8; n]", "E0435"),
    ],
    checks: &["size-overflow", "stack-overflow"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let word = || Slot {
        name: None,
        size: Size { bytes: 8, ty: Some(Type::Scalar(Scalar::U64)) },
        value: None,
    };
    let events = match args.slot("SIZE, TYPE, VALUE or NAME = VALUE") {
        Some((slot, span)) => world.push(slot, true, span)?,
        None => world.push(&word(), true, args.line)?,
    };
    Ok(Answer::step(events))
}
