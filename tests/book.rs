use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mdbook_driver::MDBook;
use pulldown_cmark::{Event, Options, Parser, Tag};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{files, root, text};

/// Collects what mdBook warns of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{} = {value:?} ", field.name());
            }
        }
        if *event.metadata().level() <= tracing::Level::WARN {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }
}

/// Builds the book into `target` and gives the pages by name.
fn build(target: &Path) -> BTreeMap<String, String> {
    let warnings = Warnings::default();
    let subscriber = tracing_subscriber::registry().with(warnings.clone());
    tracing::subscriber::with_default(subscriber, || {
        let mut book = MDBook::load(root()).expect("book.toml is sound");
        assert_eq!(
            book.config.build.build_dir,
            Path::new("target/book"),
            "the default deletes the sources"
        );
        assert!(!book.config.build.create_missing);
        target.clone_into(&mut book.config.build.build_dir);
        book.build().expect("the book builds");
    });
    let warnings = warnings.0.lock().unwrap();
    assert!(warnings.is_empty(), "mdBook warns: {warnings:#?}");
    let pages = std::fs::read_dir(target).unwrap().map(|entry| entry.unwrap().path());
    pages
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn chapters() -> Vec<PathBuf> {
    files("book/src", ".md")
}

#[test]
fn the_book_builds_without_a_warning_and_leaves_no_directive() {
    let target = tempfile::tempdir().unwrap();
    let pages = build(target.path());
    for chapter in chapters() {
        let stem = chapter.file_stem().unwrap().to_str().unwrap();
        if stem != "SUMMARY" {
            assert!(pages.contains_key(&format!("{stem}.html")), "{stem}.md is not in SUMMARY.md");
        }
    }
    for (name, html) in &pages {
        for directive in ["{{#", "ANCHOR:", "ANCHOR_END:"] {
            assert!(!html.contains(directive), "{name} still holds {directive}");
        }
        assert!(!html.contains("play.rust-lang.org"), "{name} would ask the playground");
    }
    // mdBook drops the whole table of a misspelt key without a word, so see that ours were read.
    assert!(
        pages["allocation.html"].contains("coal")
            && pages["allocation.html"].contains("default_light_theme = \"light\"")
    );
}

#[test]
fn every_include_names_a_file_and_an_anchor_that_are_there() {
    let mut included = 0;
    for chapter in chapters() {
        let markdown = std::fs::read_to_string(&chapter).unwrap();
        for rest in markdown.split("{{#include ").skip(1) {
            let target = rest.split("}}").next().unwrap();
            let (file, anchor) = target.split_once(':').unwrap_or((target, ""));
            let path = chapter.parent().unwrap().join(file);
            let included_text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {target}: {error}", chapter.display()));
            for mark in [format!("ANCHOR: {anchor}"), format!("ANCHOR_END: {anchor}")] {
                let found = included_text
                    .lines()
                    .filter(|line| line.trim().trim_start_matches("// ") == mark)
                    .count();
                assert_eq!(
                    found,
                    1,
                    "{}: {target}: `{mark}` stands there {found} times",
                    chapter.display()
                );
            }
            included += 1;
        }
    }
    assert!(included > 20, "only {included} includes were found: has their spelling changed?");
}

#[test]
fn every_link_inside_the_book_leads_somewhere() {
    for chapter in chapters() {
        for link in links(&std::fs::read_to_string(&chapter).unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            assert!(!link.starts_with("http:"), "{}: {link}", chapter.display());
            let (file, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                chapter.clone()
            } else {
                chapter.parent().unwrap().join(file)
            };
            assert!(target.is_file(), "{}: {link}", chapter.display());
            if !fragment.is_empty() {
                let headings = headings(&std::fs::read_to_string(&target).unwrap());
                assert!(headings.contains(fragment), "{}: {link}", chapter.display());
            }
        }
    }
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for link in links(&text(document)) {
            let file = link.split('#').next().unwrap();
            assert!(
                link.starts_with("https://") || file.is_empty() || root().join(file).exists(),
                "{document}: {link}"
            );
        }
    }
}

#[test]
fn every_listing_that_is_shown_is_compiled() {
    for chapter in chapters() {
        let markdown = std::fs::read_to_string(&chapter).unwrap();
        for (number, line) in markdown.lines().enumerate() {
            let at = format!("{}:{}", chapter.display(), number + 1);
            let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
                continue;
            };
            let next = markdown.lines().nth(number + 1).unwrap_or_default();
            // A fragment shown for its look says so; everything else comes from a file that a test compiles or runs.
            let included = next.starts_with("{{#include ../../tests/snapshots/")
                || next.starts_with("{{#include ../listings/");
            assert!(
                info == "rust,ignore" || included || next == "cargo run --release",
                "{at}: ```{info} is written by hand"
            );
        }
    }
}

fn links(markdown: &str) -> Vec<String> {
    let parser = Parser::new_ext(markdown, Options::all());
    parser
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.to_string())
            }
            _ => None,
        })
        .collect()
}

/// The ids mdBook gives the headings.
fn headings(markdown: &str) -> BTreeSet<String> {
    let lines = markdown.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            kept.chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                })
                .collect()
        })
        .collect()
}
