use std::sync::Arc;

use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::session::Session;
use crate::view::View;
use crate::why::why;

pub(super) const COMMAND: Command = Command {
    name: "why",
    aliases: &[],
    group: Group::Understand,
    params: &[],
    summary: "show how the heap's last answer came about",
    details: "The steps of the last alloc, free or realloc, refused ones included: what it rounded, which holes it \
              looked at, what it cut or joined. Where the holes stand in one list, also what other fits would have taken.",
    examples: &[Example::new(
        &[
            "alloc 40",
            "alloc 24",
            "alloc 96",
            "alloc 16",
            "alloc 304",
            "alloc 16",
            "free a",
            "free c",
            "free e",
            "alloc 200",
        ],
        "why",
    )],
    checks: &[],
    unchecked: None,
    run: Run::Review(run),
};

fn run(session: &Session, args: &Args) -> Result<Answer, Problem> {
    let world = session.world();
    if let Some((line, code)) = &session.unasked {
        let trouble = Trouble::NeverAsked { line: Arc::clone(line), code };
        return Err(Problem::new(trouble, args.line));
    }
    let Some(asked) = &world.asked else {
        return Err(Problem::new(Trouble::NothingAsked, args.line));
    };
    let view = if asked.answer.is_err() {
        why(asked, &world.arenas[asked.of])
    } else {
        let before = session.state_behind(asked.by.line as usize - 1);
        why(asked, &before.arenas.before(asked.of, &world.arenas))
    };
    Ok(Answer::look(View::Why(view)))
}
