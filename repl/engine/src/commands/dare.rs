use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::try_run::inner;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "dare",
    aliases: &[],
    group: Group::Understand,
    params: &[Param { name: "COMMAND", kind: Kind::Line, form: Form::Rest }],
    summary: "do what is forbidden, once, on a copy",
    details: "For a free, realloc, read or write that is refused. It is done without the ledger on a copy of the \
              machine, and so are a few innocent lines behind it, to show what breaks. Then the copy is thrown away.",
    examples: &[
        Example::new(&["alloc 40", "alloc 24", "free a"], "dare free a"),
        Example::new(&["alloc 40", "alloc 24"], "dare write a at 40 \"AAAA\""),
        Example::new(&["alloc 5", "write a \"hello\"", "free a"], "dare read a"),
        Example::refused(&["alloc 40"], "dare free a", "bad-argument"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (line, span) = args.text("COMMAND").given();
    let (command, inner_args) = inner("dare", line, span)?;
    let not_for = || Problem::new(Trouble::NothingToDare { line: line.clone() }, span);
    let unchecked = command.and_then(|command| command.unchecked).ok_or_else(not_for)?;
    let Run::World(checked) = command.ok_or_else(not_for)?.run else { return Err(not_for()) };
    let Err(problem) = checked(&mut world.clone(), &inner_args) else { return Err(not_for()) };
    if !problem.trouble.is_misuse() {
        return Err(problem);
    }
    if world.spec.is_foreign() {
        let heap = world.heap_called();
        return Err(Problem::new(Trouble::NotOurs { heap }, span));
    }
    let code = problem.code();
    let dare = world.clone().dared(line, code, |world| unchecked(world, &inner_args));
    Ok(Answer::look(View::Dare(dare)))
}
