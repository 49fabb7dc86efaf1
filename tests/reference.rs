//! The reference pages of the book, generated from the tables that drive the prompt.

use engine::{COMMANDS, Command, Group};
use heap::{HEAPS, Info, Origin};

use crate::snapshot;

/// Markdown takes `<`, `|` and `*` for its own; the tables' texts hold them in code alone.
fn page(anchor: &str, text: &str) -> String {
    format!("ANCHOR: {anchor}\n{}\nANCHOR_END: {anchor}", text.trim_end())
}

#[test]
fn every_allocator_has_a_place_on_the_reference_page() {
    let part = |title: &str, belongs: fn(&Info) -> bool| {
        let of_part = HEAPS.iter().filter(|info| belongs(info)).map(|info| {
            let usage = engine::heap_usage(info);
            let Info { name, summary, details, .. } = info;
            let mut text = format!("### {name}\n\n```text\nuse {usage}\n```\n\n");
            let mut summary = (*summary).to_owned();
            summary.replace_range(..1, &summary[..1].to_uppercase());
            text += &format!("{summary}. {details}\n\n");
            let rules = heap::Spec::sample(info).build(1 << 20).map(|heap| heap.rules());
            if let Ok(rules) = rules.map_err(|_| ()).and_then(|rules| {
                if info.inner.is_empty() && info.origin == Origin::Ours {
                    Ok(rules)
                } else {
                    Err(())
                }
            }) {
                text += "`check` verifies:\n\n";
                for (index, rule) in rules.iter().enumerate() {
                    text += &format!("{}. {rule}\n", index + 1);
                }
                text += "\n";
            }
            text
        });
        format!("## {title}\n\n{}", of_part.collect::<String>())
    };
    let text = [
        part("Ours", |info| info.origin == Origin::Ours && info.inner.is_empty()),
        part("Wrappers", |info| !info.inner.is_empty()),
        part("Other people's crates", |info| info.origin == Origin::Crate),
        part("Allocators of the whole process", |info| info.origin == Origin::Process),
    ];
    snapshot("reference__allocators", &page("allocators", &text.concat()));
}

#[test]
fn every_command_has_a_place_on_the_reference_page() {
    let command = |command: &Command| {
        let aliases = match command.aliases {
            [] => String::new(),
            aliases => format!(" Also called `{}`.", aliases.join("`, `")),
        };
        let mut summary = command.summary.to_owned();
        summary.replace_range(..1, &summary[..1].to_uppercase());
        let examples: String = command
            .examples
            .iter()
            .map(|example| match example.refused {
                Some(code) => format!("{}    # refused: {code}\n", example.line),
                None => format!("{}\n", example.line),
            })
            .collect();
        format!(
            "### {}\n\n```text\n{}\n```\n\n{summary}. {}{aliases}\n\n```text\n{examples}```\n\n",
            command.name,
            command.usage(),
            command.details,
        )
    };
    let group = |&(group, title): &(Group, &str)| {
        let commands = COMMANDS.iter().filter(|command| command.group == group).map(command);
        let mut title = title.to_owned();
        title.replace_range(..1, &title[..1].to_uppercase());
        format!("## {title}\n\n{}", commands.collect::<String>())
    };
    let text: String = Group::ALL.iter().map(group).collect();
    snapshot("reference__commands", &page("commands", &text));
}
