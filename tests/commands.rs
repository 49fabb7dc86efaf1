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
    assert!(texts("let v = Vec::new_in(&worst")[0].starts_with("worst_fit "));
    assert!(texts("let b = Box::new_in(x, &t").iter().any(|text| text.starts_with("tlsf ")));
    assert_eq!(texts("let b = f(Box::new_in(x, &bump), &t"), [""; 0]);
    assert!(texts("map be")[0].starts_with("best-fit "));
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

/// Eighty holes of 16 bytes in a row, and one of what is left behind them.
fn eighty_holes(session: &mut Session) {
    for _ in 0..160 {
        assert!(play(session, "alloc 8").unwrap().is_ok());
    }
    let blocks = serde_json::to_value(play(session, "blocks all")).unwrap();
    for block in blocks["views"][0]["rows"].as_array().unwrap().iter().step_by(2) {
        let line = format!("free {}", block["handle"].as_str().unwrap());
        assert!(play(session, &line).unwrap().is_ok());
    }
}

#[test]
fn why_names_holes_of_both_heaps_of_a_fallback_however_many_the_first_has() {
    let mut session = crate::session(&["heap new 8K", "use fallback(first-fit, first-fit)"]);
    eighty_holes(&mut session);
    assert!(!play(&mut session, "alloc 5000").unwrap().is_ok());
    let why = exchange(&mut session, "why");
    let end = "
  64  0x1000_07e0     16  4,992 short
  … and 17 holes more
  The first heap is full; the second is asked for 5,008
  82  0x1000_1000  4,096  912 short
Refused: no hole would do.
";
    assert!(why.ends_with(end), "{why}");
}

#[test]
fn why_measures_each_hole_of_a_fallback_by_what_its_own_heap_needs() {
    let mut session = crate::session(&["use fallback(buddy, first-fit)", "alloc 500"]);
    assert!(!play(&mut session, "alloc 600").unwrap().is_ok());
    let why = exchange(&mut session, "why");
    assert!(why.contains("600 is rounded up to 1,024; no header."), "{why}");
    assert!(why.contains("1  0x1000_0200  512  96 short"), "{why}");
    let mut session = crate::session(&["heap new 4K", "use fallback(bump, first-fit)", "alloc 1"]);
    assert!(!play(&mut session, "alloc 8 align 4096").unwrap().is_ok());
    let why = exchange(&mut session, "why");
    assert!(why.contains("The second heap starts at no multiple of the alignment"), "{why}");
}

#[test]
fn why_lists_no_hole_as_not_looked_at_that_was_counted_as_visited() {
    let mut session = crate::session(&["heap new 8K"]);
    eighty_holes(&mut session);
    let why = exchange(&mut session, "try alloc 5000");
    assert!(why.contains("81 of 81 holes visited"), "{why}");
    assert!(!why.contains("not looked at"), "{why}");
}

#[test]
fn why_counts_holes_only_where_they_stand_in_one_list() {
    for (heap, holes) in [("first-fit", Some(2)), ("buddy", None), ("guard(first-fit)", None)] {
        let lines = [&format!("use {heap}"), "alloc 40", "alloc 40", "free a", "alloc 100"];
        let reply = play(&mut crate::session(&lines), "why");
        let why = &serde_json::to_value(reply).unwrap()["views"][0];
        assert_eq!(why.get("holes").map(|holes| holes.as_u64().unwrap()), holes, "{heap}");
    }
}

#[test]
fn a_size_that_is_rounded_up_says_so() {
    let mut session = Session::default();
    for (line, rounding) in [
        ("heap new 1000", "\n  1,000 is no multiple of 16: rounded up to 1,008.\n"),
        ("heap grow 1", "\n  1 is no multiple of 16: rounded up to 16.\n"),
        ("stack new 1001", "\n  1,001 is no multiple of 16: rounded up to 1,008.\n"),
    ] {
        let text = exchange(&mut session, line);
        assert!(text.contains(rounding), "{text}");
    }
    assert!(!exchange(&mut session, "heap new 1008").contains("rounded"));
}
