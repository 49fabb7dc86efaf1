use std::collections::BTreeSet;

use engine::{COMMANDS, Session};

use crate::{exchange, play, snapshot};

#[test]
fn every_example_answers_as_its_snapshot_says() {
    for command in COMMANDS {
        let mut texts = Vec::new();
        for example in command.examples {
            let mut session = Session::default();
            for line in example.setup {
                let reply = play(&mut session, line).expect("a setup line is no comment");
                assert!(reply.is_ok(), "{}: {line}: {reply:?}", command.name);
            }
            let setup: String =
                example.setup.iter().map(|line| format!("> {line}\n…\n\n")).collect();
            let mut again = crate::session(example.setup);
            let reply = play(&mut again, example.line).unwrap();
            let code = reply.outcome.as_ref().err().map(engine::Problem::code);
            assert_eq!(code, example.refused, "{}", example.line);
            texts.push(setup + &exchange(&mut session, example.line));
        }
        snapshot(&format!("command__{}", command.name), &texts.join("\n----\n\n"));
    }
}

#[test]
fn names_and_aliases_are_unique_and_plain() {
    let mut seen = BTreeSet::new();
    for command in COMMANDS {
        for name in std::iter::once(&command.name).chain(command.aliases) {
            assert!(seen.insert(*name), "{name} stands twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        }
    }
}

#[test]
fn every_row_has_a_summary_details_and_an_example_of_itself() {
    for command in COMMANDS {
        let name = command.name;
        assert!(
            !command.summary.ends_with('.') && command.summary.len() <= 60,
            "{name}: {}",
            command.summary
        );
        assert!(command.details.ends_with('.'), "{name}: {}", command.details);
        assert!(command.usage().len() <= 80, "{name}: {}", command.usage());
        assert!(!command.examples.is_empty(), "{name} has no example");
        let first = command.examples[0].line;
        assert_eq!(first.split(' ').next(), Some(name), "{first}");
    }
}

#[test]
fn every_command_of_help_has_help_of_its_own() {
    let mut session = Session::default();
    for command in COMMANDS {
        for line in [
            format!("help {}", command.name),
            format!("{}?", command.name),
            format!("?{}", command.name),
        ] {
            let text = exchange(&mut session, &line);
            assert!(text.contains(&command.usage()), "{line}: {text}");
        }
    }
}

#[test]
fn completion_offers_commands_heaps_and_live_blocks_with_their_sizes() {
    let session = crate::session(&["alloc 200", "alloc 8 as table", "free a", "push x = 8"]);
    let texts = |line: &str| {
        session
            .complete(line)
            .candidates
            .into_iter()
            .map(|c| format!("{} {}", c.text, c.note))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts("al"),
        ["alloc reserve a block on the heap", "alias make a second pointer to a block"]
    );
    assert_eq!(texts("free "), ["table 8 bytes"]);
    assert_eq!(texts("read "), ["table 8 bytes", "x 4 bytes, on the stack"]);
    assert_eq!(texts("free t"), ["table 8 bytes"]);
    assert!(texts("use f")[0].starts_with("first-fit"));
    assert_eq!(texts("use gu"), ["guard( a wrapper: canaries, poison, freed blocks held back"]);
    assert!(texts("use guard(wo")[0].starts_with("guard(worst-fit"));
    assert_eq!(texts("use guard(first-fit he"), ["header=tags option", "header=none option"]);
    assert!(texts("use fallback(bump, tl")[0].starts_with("tlsf"));
    assert!(texts("use pool ")[0].starts_with("8,16,32"));
    assert_eq!(texts("dare free t"), ["table 8 bytes"]);
    assert_eq!(texts("heap g"), ["grow "]);
    assert_eq!(texts("alloc 8 al"), ["align N"]);
    assert_eq!(texts("nonsense "), [""; 0]);
    assert!(session.complete("save ").wants_file);
}

#[test]
fn hints_say_what_the_line_still_needs() {
    let session = Session::default();
    assert_eq!(session.hint("alloc ").as_deref(), Some("SIZE [align N] [zeroed] [as NAME]"));
    assert_eq!(session.hint("alloc 8 align ").as_deref(), Some("N"));
    assert_eq!(session.hint("alloc 8 align 16 ").as_deref(), Some("[zeroed] [as NAME]"));
    assert_eq!(session.hint("sp "), None);
    assert_eq!(session.hint("alloc"), None);
}
