use crate::args::{Args, Form, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "blocks",
    aliases: &[],
    group: Group::Look,
    params: &[Param { name: "all", kind: Kind::Choice(&[]), form: Form::Flag }],
    summary: "list the live blocks by address",
    details: "The prompt shows the first twenty; `blocks all` lists every one.",
    examples: &[Example::new(&["alloc 40", "alloc 20", "alloc 96", "free a"], "blocks")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (rows, all) = (world.block_rows(), args.flag("all"));
    Ok(Answer::look(View::Blocks { total: rows.len() as u64, rows, all }))
}
