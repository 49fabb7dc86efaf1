use crate::{files, root, text};

/// Where code may be unsafe: the allocators, the book's listings that show how, and the test that looks at the bytes of
/// rustc's own values.
const UNSAFE_ALLOWED: &[&str] =
    &["repl/heap/", "book/listings/", "repl/interpreter/tests/layouts.rs"];

fn relative(path: &std::path::Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

fn sources() -> Vec<(String, String)> {
    ["repl", "book/listings", "tests"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|path| (relative(&path), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn unsafe_code_lives_with_the_allocators_and_every_other_crate_forbids_it() {
    for (path, _) in sources()
        .iter()
        .filter(|(path, _)| path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs"))
    {
        let allowed = UNSAFE_ALLOWED.iter().any(|folder| path.starts_with(folder));
        assert_eq!(text(path).contains("#![forbid(unsafe_code)]"), !allowed, "{path}");
    }
    for (path, source) in sources() {
        let allowed = UNSAFE_ALLOWED.iter().any(|folder| path.starts_with(folder));
        assert!(allowed || !source.contains(concat!("unsafe", " {")), "{path}");
    }
}

#[test]
fn the_quiet_crates_read_no_clock_no_files_and_no_environment() {
    for (path, source) in sources() {
        if ["repl/engine/src", "repl/render/src", "repl/stack/src", "repl/memory/src"]
            .iter()
            .any(|folder| path.starts_with(folder))
        {
            for word in ["std::fs", "std::env", "std::time", "std::process", "std::io", "println!"]
            {
                assert!(!source.contains(word), "{path} uses {word}");
            }
        }
    }
}

#[test]
fn only_render_knows_colour() {
    for (path, source) in sources() {
        let shell = path.starts_with("repl/render/")
            || path.starts_with("repl/alloc-repl/")
            || path.starts_with("tests/");
        assert!(shell || !source.contains("\\x1b"), "{path}");
    }
}

#[test]
fn every_dependency_says_what_it_saves() {
    let manifest = text("Cargo.toml");
    let table =
        manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let lines: Vec<_> = table.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let is_ours = line.contains("path = ");
        if line.contains(" = ") && !line.starts_with('#') && !is_ours {
            let above =
                lines[..index].iter().rev().find(|line| line.starts_with('#') || line.is_empty());
            assert!(
                above.is_some_and(|line| line.starts_with('#')),
                "{line} has no sentence above it"
            );
        }
    }
}

#[test]
fn lines_end_clean_and_files_with_a_newline() {
    let documents = ["book/src", "lessons"].iter().flat_map(|folder| files(folder, ".md"));
    let texts = documents.map(|path| (relative(&path), std::fs::read_to_string(&path).unwrap()));
    for (path, source) in sources().into_iter().chain(texts) {
        assert!(source.ends_with('\n') && !source.ends_with("\n\n"), "{path} ends in one newline");
        for (number, line) in source.lines().enumerate() {
            assert!(
                !line.ends_with(' ') && !line.contains('\t') && !line.contains('\r'),
                "{path}:{}",
                number + 1
            );
        }
    }
}

#[test]
fn snapshots_wait_for_nobody() {
    assert!(files("tests", ".snap.new").is_empty(), "review them with: cargo insta review");
}
