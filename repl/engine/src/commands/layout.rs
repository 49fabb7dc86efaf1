use crate::args::{Args, Form, Given, Kind, Param};
use crate::commands::{Command, Example, Group, Run};
use crate::problem::Problem;
use crate::reply::Answer;
use crate::rust;
use crate::view::{LayoutRow, Spare, TypeLayout, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "layout",
    aliases: &[],
    group: Group::Look,
    params: &[Param { name: "TYPE", kind: Kind::Line, form: Form::Rest }],
    summary: "draw where the parts of a type lie, padding included",
    details: "Any type that a variable can have, structs of the session included. The order of fields is what rustc 1.95 \
              chooses on a 64-bit machine; it is free to choose another. A niche is a bit pattern that no value has: \
              an Option puts its None there.",
    examples: &[
        Example::new(&[], "layout (u8, u32, u16)"),
        Example::new(&[], "layout Option<Box<u8>>"),
        Example::new(&["#[repr(C)] struct S { a: u8, b: u32, c: u8 }"], "layout S"),
    ],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let (text, span) = args.text("TYPE").given();
    let picture = world.rust.layout(world.now.line, text).map_err(|fault| {
        let problem = rust::problem(world, fault, None, text);
        problem.moved(span.start)
    })?;
    let row = |row: interpreter::picture::Row| LayoutRow {
        offset: row.offset,
        size_bytes: row.size,
        name: row.name,
        what: row.what,
    };
    Ok(Answer::look(View::Layout(TypeLayout {
        ty: picture.ty,
        size_bytes: picture.size,
        align_bytes: picture.align,
        rows: picture.rows.into_iter().map(row).collect(),
        chosen_by_rustc: picture.is_ordered,
        spare: picture
            .spare
            .map(|spare| Spare { offset: spare.offset, patterns: spare.patterns.to_string() }),
    })))
}
