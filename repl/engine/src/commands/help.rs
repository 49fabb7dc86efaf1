use crate::args::{Args, Form, Kind, Param};
use crate::commands::{COMMANDS, Command, Example, Group, Run, find, nearest};
use crate::problem::{Problem, Trouble};
use crate::reply::Answer;
use crate::view::{HelpCommand, HelpExample, HelpGroup, HelpRow, View};
use crate::world::World;

pub(super) const COMMAND: Command = Command {
    name: "help",
    aliases: &[],
    group: Group::Else,
    params: &[Param { name: "WORD", kind: Kind::Command, form: Form::Optional }],
    summary: "list the commands, or explain one, or a heap",
    details: "`alloc?` and `?alloc` ask the same.",
    examples: &[Example::new(&[], "help alloc"), Example::new(&[], "help")],
    checks: &[],
    unchecked: None,
    run: Run::World(run),
};

fn run(world: &mut World, args: &Args) -> Result<Answer, Problem> {
    let Some((topic, span)) = args.text("WORD") else { return Ok(Answer::look(overview())) };
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
