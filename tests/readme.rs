use crate::{exchange, text};
use engine::Session;

/// The fenced blocks of `markdown` that are marked `info`.
fn blocks<'a>(markdown: &'a str, info: &str) -> Vec<&'a str> {
    let fence = format!("```{info}\n");
    markdown.split(fence.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn the_transcripts_are_what_the_prompt_says() {
    let readme = text("README.md");
    let blocks = blocks(&readme, "text");
    let transcripts: Vec<_> = blocks.iter().filter(|block| block.starts_with("> ")).collect();
    assert_eq!(transcripts.len(), 2, "commands, and Rust");
    for shown in transcripts {
        let mut session = Session::default();
        let lines = shown.lines().filter_map(|line| line.strip_prefix("> "));
        let answered: Vec<_> = lines.map(|line| exchange(&mut session, line)).collect();
        assert_eq!(shown.trim_end(), answered.join("\n").trim_end());
    }
}

#[test]
fn the_two_commands_are_there_and_the_gate_runs_the_second() {
    let readme = text("README.md");
    let commands: Vec<_> = blocks(&readme, "sh").into_iter().flat_map(str::lines).collect();
    for command in ["cargo run --release", "cargo test"] {
        assert!(commands.contains(&command), "{commands:?}");
    }
    assert!(
        text(".ci/run").lines().any(|line| line.trim().ends_with("cargo test")),
        "the gate runs the README's test command"
    );
}
