use std::sync::Arc;

use crate::arena::Arena;
use crate::args::Args;
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::view::{Rule, SoundRow, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "check",
    aliases: &[],
    group: Group::Look,
    params: &[],
    summary: "verify every invariant of the heap, and find leaks",
    details: "The allocator's own numbered invariants, and that its blocks are those of the ledger. A real allocator \
              has no ledger to compare with. Heaps that Rust named are checked, too. A block that a value of Rust owned and nothing owns any more is a leak: \
              an Rc in a circle, mem::forget, Box::leak.",
    examples: &[Example::new(&["alloc 40", "alloc 24", "free a"], "check")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
fn run(world: &mut World, _: &Args) -> Result<Answer, Problem> {
    let (rules, beside) = (rules(world.arena()), world.arenas.beside().map(sound).collect());
    let SoundRow { heap, blocks, holes, .. } = sound(world.arena());
    Ok(Answer::look(View::Check { heap, rules, blocks, holes, beside, leaks: world.leaks() }))
}

/// Each invariant of an arena, and whether it holds.
fn rules(arena: &Arena) -> Vec<Rule> {
    let broken = arena.heap.check().err().map(|broken| broken.invariant);
    let texts = arena.heap.rules();
    let rule =
        |(index, text): (usize, &&'static str)| Rule { text, holds: broken != Some(index + 1) };
    let mut rules: Vec<_> = texts.iter().enumerate().map(rule).collect();
    rules.push(Rule {
        text: "its blocks are those of the ledger, apart and aligned",
        holds: arena.ledger_agrees(),
    });
    rules
}

/// The same in a line.
fn sound(arena: &Arena) -> SoundRow {
    SoundRow {
        heap: Arc::clone(&arena.name),
        broken: rules(arena).into_iter().filter(|rule| !rule.holds).collect(),
        blocks: arena.ledger.live_count(),
        holes: arena.heap.holes().count() as u64,
    }
}
