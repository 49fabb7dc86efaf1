use engine::Session;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::{files, play, root, snapshot};

/// A fenced block of commands: ```` ```repl NAME ```` or ```` ```predict NAME ````, `fresh` if it starts a new session.
#[derive(Debug)]
struct Step {
    name: String,
    is_prediction: bool,
    is_fresh: bool,
    lines: Vec<String>,
    /// The paragraph in front of it.
    question: String,
}

/// The lesson's name, from a file called `NN-name.md`.
fn name(path: &std::path::Path) -> String {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    stem.split_once('-')
        .unwrap_or_else(|| panic!("{stem}.md is not called NN-name.md"))
        .1
        .to_owned()
}

fn steps(markdown: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut paragraph, mut fence) = (String::new(), None);
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Paragraph) => paragraph.clear(),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                fence = Some((info.to_string(), String::new()));
            }
            Event::Text(text) | Event::Code(text) => match &mut fence {
                Some((_, body)) => body.push_str(&text),
                None => paragraph.push_str(&text),
            },
            Event::End(TagEnd::CodeBlock) => {
                let (info, body) = fence.take().expect("a block ends that started");
                let mut words = info.split_whitespace();
                let kind = words.next().unwrap_or_default();
                assert!(
                    matches!(kind, "repl" | "predict"),
                    "a lesson's block is `repl NAME` or `predict NAME`, not `{info}`"
                );
                let name =
                    words.next().unwrap_or_else(|| panic!("`{info}` has no name")).to_owned();
                let flags: Vec<_> = words.collect();
                assert!(
                    flags.iter().all(|flag| *flag == "fresh"),
                    "`{info}`: only `fresh` may follow the name"
                );
                let lines = body.lines().map(str::to_owned).collect();
                let is_prediction = kind == "predict";
                let question = std::mem::take(&mut paragraph);
                steps.push(Step {
                    name,
                    is_prediction,
                    is_fresh: !flags.is_empty(),
                    lines,
                    question,
                });
            }
            _ => {}
        }
    }
    steps
}

#[test]
fn every_lesson_runs_into_its_transcript() {
    for path in files("lessons", ".md") {
        let name = name(&path);
        let mut session = Session::default();
        let mut text = String::new();
        for step in steps(&std::fs::read_to_string(&path).unwrap()) {
            if step.is_fresh {
                session = Session::default();
            }
            let replies = step.lines.iter().filter_map(|line| play(&mut session, line));
            let exchanges: Vec<_> =
                replies.map(|reply| render::Style::default().exchange(&reply)).collect();
            let body = exchanges.join("\n");
            text.push_str(&format!("ANCHOR: {0}\n{body}ANCHOR_END: {0}\n\n", step.name));
        }
        snapshot(&format!("lesson__{name}"), text.trim_end());
    }
}

#[test]
fn a_prediction_follows_a_question_and_is_refused_only_there() {
    for path in files("lessons", ".md") {
        let mut session = Session::default();
        let mut question = String::new();
        for step in steps(&std::fs::read_to_string(&path).unwrap()) {
            if step.is_fresh {
                session = Session::default();
            }
            // A question may have what it is about between itself and the answer.
            if !step.question.is_empty() {
                question.clone_from(&step.question);
            }
            if step.is_prediction {
                assert!(
                    question.contains('?'),
                    "{}: {} is asked nothing: {question}",
                    path.display(),
                    step.name
                );
            }
            for line in &step.lines {
                let reply = play(&mut session, line).expect("a lesson's lines are commands");
                let expected = reply.is_ok() || step.is_prediction;
                assert!(
                    expected,
                    "{}: `{line}` in {} is refused: {reply:?}",
                    path.display(),
                    step.name
                );
            }
        }
    }
}

#[test]
fn names_of_steps_are_unique_and_their_lines_fit_a_page() {
    for path in files("lessons", ".md") {
        let steps = steps(&std::fs::read_to_string(&path).unwrap());
        let mut names: Vec<_> = steps.iter().map(|step| &step.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), steps.len(), "{}", path.display());
    }
}

/// Every step of every lesson stands in its chapter, once, a prediction folded.
#[test]
fn each_chapter_shows_every_step_of_its_lesson() {
    for path in files("lessons", ".md") {
        let name = name(&path);
        let chapter = std::fs::read_to_string(root().join(format!("book/src/{name}.md"))).unwrap();
        for step in steps(&std::fs::read_to_string(&path).unwrap()) {
            let include =
                format!("{{{{#include ../../tests/snapshots/lesson__{name}.snap:{}}}}}", step.name);
            let (before, _) = chapter
                .split_once(&include)
                .unwrap_or_else(|| panic!("{name}.md does not include {}", step.name));
            let folded = before.matches("<details>").count() > before.matches("</details>").count();
            assert_eq!(
                folded,
                step.is_prediction,
                "{name}.md: {} is {}folded",
                step.name,
                if folded { "" } else { "not " }
            );
        }
    }
}
