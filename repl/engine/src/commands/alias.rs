use std::sync::Arc;

use crate::args::{Args, Form, Given, Kind, Param, Place};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::{Answer, Event};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "alias",
    aliases: &[],
    group: Group::Heap,
    params: &[
        Param { name: "NAME", kind: Kind::NewName, form: Form::Required },
        Param { name: "=", kind: Kind::Choice(&[]), form: Form::Sign },
        Param { name: "H", kind: Kind::Place, form: Form::Required },
    ],
    summary: "make a second pointer to a block",
    details: "Two names, one block: freeing it through either kills both. Rust's rules are there to make this \
              impossible; C's are not.",
    examples: &[
        Example::new(&["alloc 200"], "alias q = a"),
        Example::refused(&["alloc 200", "alias q = a", "free a"], "read q", "use-after-free"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (place, span) = args.place("H").given();
    let (name, name_span) = args.name("NAME").given();
    world.check_free_name(Some((name, name_span)))?;
    let spot = world.locate(place, span)?;
    let address = world.alias(Arc::clone(name), &spot, span)?;
    let of = match place {
        Place::Name { name, plus: 0 } => name.as_str().into(),
        Place::Name { name, plus } => format!("{name}+{plus}").into(),
        Place::Address(address) => address.to_string().into(),
    };
    Ok(Answer::step(vec![Event::Alias {
        name: Arc::clone(name),
        of,
        address,
        on_heap: world.arenas.at(address).is_some(),
    }]))
}
