use engine::{COMMANDS, Session};
use render::Style;
use serde_json::Value;

use crate::{play, session, snapshot};

const TOUR: &[&str] = &[
    "alloc 200",
    "push [0u8; 200]",
    "push",
    "write a \"hello\"",
    "dump a 32",
    "map",
    "call f 16 fp",
    "stack",
    "free a",
    "free a",
    "blocks",
    "history",
    "help free",
];

fn styled(color: bool, ascii: bool) -> String {
    let style = Style { color, ascii, ..Style::default() };
    let mut session = Session::default();
    TOUR.iter().map(|line| style.exchange(&play(&mut session, line).unwrap()) + "\n").collect()
}

/// `text` without its ANSI sequences.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').expect("only colours are used").1;
    }
    out + rest
}

#[test]
fn the_tour_in_every_format() {
    snapshot("render__plain", &styled(false, false));
    snapshot("render__ansi", &styled(true, false).replace('\u{1b}', "␛"));
    let mut session = Session::default();
    let json: String =
        TOUR.iter().map(|line| render::json(&play(&mut session, line).unwrap()) + "\n").collect();
    snapshot("render__json", &json);
}

#[test]
fn colour_only_repeats_what_the_text_says() {
    let plain = styled(false, false);
    // Padding at a line's end is trimmed inside the colours of a painted line or not at all.
    let without_color: String = stripped(&styled(true, false))
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect();
    assert_eq!(without_color, plain);
}

#[test]
fn ascii_needs_nothing_outside_ascii() {
    assert!(styled(false, true).is_ascii());
    let mut session = session(&["alloc 200"]);
    let style = Style { ascii: true, ..Style::default() };
    for line in ["write a \"é\"", "🦀", "map", "dump", "read a 1000"] {
        let text = style.exchange(&play(&mut session, line).unwrap());
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn every_example_fits_in_80_columns() {
    for command in COMMANDS {
        for example in command.examples {
            let mut session = session(example.setup);
            let text = Style::default().reply(&play(&mut session, example.line).unwrap());
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", example.line);
            }
        }
    }
}

#[test]
fn every_reply_is_one_json_object_with_the_fields_of_the_interface() {
    for command in COMMANDS {
        for example in command.examples {
            let mut session = session(example.setup);
            let line = render::json(&play(&mut session, example.line).unwrap());
            assert!(!line.contains('\n'));
            let reply: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                (&reply["v"], reply["input"].as_str()),
                (&Value::from(1), Some(example.line))
            );
            assert_eq!(reply["measured"], false);
            let ok = reply["ok"].as_bool().unwrap();
            assert_eq!(reply["problem"].is_null(), ok, "{line}");
            for event in
                reply["events"].as_array().unwrap().iter().chain(reply["views"].as_array().unwrap())
            {
                let kind = event["kind"].as_str().unwrap();
                assert!(
                    kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                    "{kind}"
                );
            }
        }
    }
}

#[test]
fn the_interface_s_own_example_is_answered_to_the_letter() {
    let mut session = Session::default();
    let reply: Value =
        serde_json::from_str(&render::json(&play(&mut session, "alloc 200").unwrap())).unwrap();
    let expect = serde_json::json!({"kind": "alloc", "handle": "a", "address": 268_435_464, "size_bytes": 200,
        "granted_bytes": 200, "align_bytes": 8});
    assert_eq!(reply["events"][0], expect);
    let reply: Value =
        serde_json::from_str(&render::json(&play(&mut session, "free z").unwrap())).unwrap();
    assert_eq!(
        (&reply["problem"]["code"], &reply["problem"]["span"]),
        (&"unknown-handle".into(), &serde_json::json!([5, 6]))
    );
}

#[test]
fn a_caret_stands_under_its_word_behind_wide_characters_and_in_long_lines() {
    let mut session = Session::default();
    for (line, marked) in
        [("write \"é🦀\" zz", "zz"), ("alloc 8 as 8", "8"), ("push x = [1u8, true]", "true")]
    {
        let reply = play(&mut session, line).unwrap();
        let text = Style::default().reply(&reply);
        assert!(text.contains('^') || !text.contains(marked), "{text}");
    }
    let long = format!("write a {}", "1 ".repeat(500) + "256");
    play(&mut session, "alloc 1000");
    let text = Style::default().reply(&play(&mut session, &long).unwrap());
    let lines: Vec<_> = text.lines().collect();
    let caret = lines[2].find('^').unwrap();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(lines[1].chars().skip(caret).take(3).collect::<String>(), "256", "{text}");
}
