//! What a user can rely on, by subject.

/// The book builds without a warning; every include, anchor and link is there.
mod book;
/// A handful of runs of the binary: exit codes, scripts, a terminal session.
mod cli;
/// Every example of the command table, run and snapshotted; checks of the table.
mod commands;
/// The conformance story and random programs against an oracle, for every row of HEAPS.
mod heaps;
/// Every lesson run into an anchored transcript.
mod lessons;
/// The README's transcript and commands.
mod readme;
/// The reference pages of the book, generated from the tables.
mod reference;
/// Every mistake: its code, its words, the state unchanged.
mod refusals;
/// Replies in every format.
mod render;
/// Lines of Rust.
mod rust;
/// Any log: undone and redone, saved and opened, the same state and the same replies.
mod sessions;
/// What a reviewer should not have to look for.
mod tidy;

use std::path::{Path, PathBuf};

use engine::{Ask, Done, Reply, Session, Turn};

/// The workspace's root.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is where it was compiled")
}

/// A text of the workspace.
fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of the workspace below `folder` whose names end in `ending`, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Compares with `tests/snapshots/NAME.snap`.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(root().join("tests/snapshots"));
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Runs a line in a shell that has no files: what it asks for succeeds. `None` for a blank line.
fn play(session: &mut Session, line: &str) -> Option<Reply> {
    match session.run(line) {
        Turn::Blank => None,
        Turn::Reply(reply) => Some(reply),
        Turn::Ask(request) => {
            let done = match &request.ask {
                Ask::Open { file } => {
                    let text = format!("{}\nalloc 200\nfree a\n", engine::SESSION_HEADER);
                    let file =
                        if file == "last" { "the last session".to_owned() } else { file.clone() };
                    Done::Read { file, text }
                }
                _ => Done::Performed,
            };
            Some(session.answer(request, Ok(done)))
        }
    }
}

/// A session in which every line is accepted.
fn session(lines: &[&str]) -> Session {
    let mut session = Session::default();
    for line in lines {
        if let Some(reply) = play(&mut session, line) {
            assert!(reply.is_ok(), "{line}: {reply:?}");
        }
    }
    session
}

/// The input and its reply as plain text of 80 columns.
fn exchange(session: &mut Session, line: &str) -> String {
    let reply = play(session, line).unwrap_or_else(|| panic!("`{line}` is blank"));
    ::render::Style::default().exchange(&reply)
}

/// Everything a session shows of its state.
fn state(session: &mut Session) -> String {
    ["map", "blocks all", "holes all", "stack", "dump", "dump 0xffff_ff00 255", "stats", "check"]
        .iter()
        .map(|line| ::render::json(&session.run_alone(line).expect("a looking command answers")))
        .collect::<Vec<_>>()
        .join("\n")
}
