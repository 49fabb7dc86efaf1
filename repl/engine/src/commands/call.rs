use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "call",
    aliases: &[],
    group: Group::Stack,
    params: &[
        Param { name: "NAME", kind: Kind::NewName, form: Form::Required },
        Param { name: "SIZE", kind: Kind::Size, form: Form::Optional },
        Param { name: "fp", kind: Kind::Choice(&[]), form: Form::Flag },
    ],
    summary: "call a function: return address, then SIZE bytes of locals",
    details: "A compiler reserves all of a function's locals at once. With `fp` the frame also saves the caller's \
              frame pointer, which rustc leaves out unless asked for it.",
    examples: &[
        Example::new(&[], "call f 16"),
        Example::new(&["call f 16"], "call f 16"),
        Example::new(&[], "call g 216 fp"),
    ],
    checks: &["size-overflow", "stack-overflow"],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (name, _) = args.name("NAME").given();
    let (locals, span) =
        args.size("SIZE").map_or((0, args.line), |(size, span)| (size.bytes, span));
    Ok(Answer::step(world.call(name.clone(), locals, args.flag("fp"), span)?))
}
