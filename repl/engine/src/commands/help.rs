use crate::args::{Args, Form, Kind, Param};
use crate::commands::{COMMANDS, Command, Example, Group, Run, find, nearest};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::view::{HelpCommand, HelpExample, HelpGroup, HelpRow, RustGroup, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "help",
    aliases: &[],
    group: Group::Else,
    params: &[Param { name: "WORD", kind: Kind::Command, form: Form::Optional }],
    summary: "list the commands, or explain one, a heap, or rust",
    details: "`alloc?` and `?alloc` ask the same. `help rust` lists what a line of Rust can hold.",
    examples: &[Example::new(&[], "help alloc"), Example::new(&[], "help")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let Some((topic, span)) = args.text("WORD") else { return Ok(Answer::look(overview())) };
    if topic == RUST {
        return Ok(Answer::look(rust()));
    }
    let Some(command) = find(topic) else {
        if let Some(info) = heap::named(topic) {
            return Ok(Answer::look(View::Heap(super::heaps::help(info, world))));
        }
        let trouble = Trouble::UnknownTopic {
            word: topic.clone(),
            nearest: nearest(topic).filter(|_| topic.len() > 4),
        };
        return Err(Problem::new(trouble, span));
    };
    Ok(Answer::look(View::HelpCommand(HelpCommand {
        name: command.name,
        usage: command.usage(),
        aliases: command.aliases,
        summary: command.summary,
        details: command.details,
        examples: command.examples.iter().map(shown).collect(),
    })))
}

/// The topic that is no command's name.
const RUST: &str = "rust";

/// What of Rust can be written, and what can be called: from the interpreter's own table.
fn rust() -> View {
    let groups = interpreter::library::owners()
        .map(|on| RustGroup { on, names: interpreter::library::names(on).collect() });
    View::HelpRust { forms: interpreter::library::FORMS.to_vec(), groups: groups.collect() }
}

fn shown(example: &Example) -> HelpExample {
    HelpExample { line: example.line, refused: example.refused }
}

fn overview() -> View {
    let group = |&(group, title): &(Group, &'static str)| {
        let of_group = COMMANDS.iter().filter(|command| command.group == group);
        let rows = of_group.map(|command| HelpRow { name: command.name, summary: command.summary });
        HelpGroup { title, rows: rows.collect() }
    };
    View::Help { groups: Group::ALL.iter().map(group).collect() }
}
