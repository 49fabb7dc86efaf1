use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::View;
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "vars",
    aliases: &[],
    group: Group::Look,
    params: &[],
    summary: "list the variables of Rust, the oldest first",
    details: "Where each lies, its size, its type and its value. One that was moved from keeps its place until its scope \
              ends. A shadowed one is still there. An arrow leads from each pointer in it to what it points to: h1+4 is four \
              bytes inside of h1.",
    examples: &[Example::new(&["let x = 8u8;", "let mut v = vec![1, 2];", "let w = v;"], "vars")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    Ok(Answer::look(View::Vars { rows: world.variables() }))
}
