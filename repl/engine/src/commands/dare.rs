use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{self, Command, Daring, Example, Group, Read, Run};
use crate::dare::forbidden;
use crate::problem::Problem;
use crate::reply::Answer;
use crate::rust;
use crate::session::Ask;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "dare",
    aliases: &[],
    group: Group::Understand,
    params: &[Param { name: "COMMAND", kind: Kind::Line, form: Form::Rest }],
    summary: "do what is forbidden, once, on a copy",
    details: "For a free, realloc, read or write that is refused. It is done without the ledger on a copy of the \
              machine, and so are a few innocent lines behind it, to show what breaks. Then the copy is thrown away. \
              Other people's crates do it for real, in a process of its own. A line of Rust that the borrow checker \
              refuses is run as if there were none.",
    examples: &[
        Example::new(&["alloc 40", "alloc 24", "free a"], "dare free a"),
        Example::new(&["alloc 40", "alloc 24"], "dare write a at 40 \"AAAA\""),
        Example::new(&["alloc 5", "write a \"hello\"", "free a"], "dare read a"),
        Example::new(
            &["let mut v = vec![1u32, 2];", "alloc 8", "let r = &v[0];"],
            "dare v.push(3);",
        ),
        Example::refused(&["alloc 40"], "dare free a", "bad-argument"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::Daring(run),
};

fn run(world: &World, args: &Args) -> Result<Daring, Problem> {
    let (line, span) = args.text("COMMAND").given();
    if let Ok(Read::Statement) = commands::read(line) {
        let dare = rust::dare(world, line).map_err(|problem| problem.moved(span.start))?;
        return Ok(Daring::Here(Box::new(Answer::look(View::DareRust(dare)))));
    }
    let forbidden = forbidden(world, line, span)?;
    let reached = forbidden.unchecked.reach(world);
    if reached.is_some_and(|(arena, _)| world.arenas[arena].spec.is_foreign()) {
        return Ok(Daring::Elsewhere(Ask::Dare { line: line.clone() }));
    }
    let dare = world.clone().dared(line, &forbidden);
    Ok(Daring::Here(Box::new(Answer::look(View::Dare(dare)))))
}
