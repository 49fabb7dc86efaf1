//! How long a line waits for its verdict: the log so far is judged with it.

use std::sync::Arc;

use divan::Bencher;
use imbl::Vector;
use interpreter::check::Judge;
use interpreter::items::Items;
use interpreter::lower::{self, Names};
use interpreter::typed::Top;

fn main() {
    divan::main();
}

/// A log of `count` statements: values, Vecs that grow, references that live for a while, things printed.
fn log(count: usize) -> Vec<String> {
    let group = |n: usize| {
        [
            format!("let a{n} = {n};"),
            format!("let mut v{n} = vec![a{n}, 2, 3];"),
            format!("v{n}.push(a{n} + 1);"),
            format!("let r{n} = &v{n}[0];"),
            format!("println!(\"{{}} {{r{n}}}\", v{n}.len());"),
            format!("for x in &v{n} {{ if *x > 2 {{ println!(\"{{x}}\"); }} }}"),
            format!("let s{n} = String::from(\"text\");"),
            format!("let t{n} = &s{n};"),
            format!("println!(\"{{t{n}}}\");"),
            format!("drop(v{n});"),
        ]
    };
    let first = ["let mut all: Vec<&i32> = Vec::new();".to_owned(), "let kept = 5;".to_owned()];
    let mut lines: Vec<_> =
        first.into_iter().chain((0..).map(group).take(count / 10).flatten()).collect();
    lines.push("all.push(&kept);".to_owned());
    lines
}

struct Log {
    names: Names,
    items: Items,
    body: Vector<Arc<Top>>,
    /// How many tops the last line has not.
    before: usize,
}

fn lowered(lines: &[String]) -> Log {
    let (names, items) = (Names::default(), Items::default());
    let mut log = Log { names, items, body: Vector::new(), before: 0 };
    for (number, line) in (1..).zip(lines) {
        log.before = log.body.len();
        let tops = lower::line(&mut log.names, &mut log.items, number, line);
        let tops = tops.unwrap_or_else(|fault| panic!("{line}: {fault}"));
        log.body.extend(tops.into_iter().map(Arc::new));
    }
    log
}

/// All lines at once: after an undo, or when a session is opened.
#[divan::bench(args = [10, 100, 1_000])]
fn all_lines(bencher: Bencher<'_, '_>, count: usize) {
    let log = lowered(&log(count));
    bencher.bench(|| Judge::default().judge(&log.items, log.names.locals(), &log.body, 0));
}

/// One more line.
#[divan::bench(args = [10, 100, 1_000])]
fn last_line(bencher: Bencher<'_, '_>, count: usize) {
    let log = lowered(&log(count));
    let before: Vector<_> = log.body.iter().take(log.before).cloned().collect();
    bencher
        .with_inputs(|| {
            let judge = Judge::default();
            judge.judge(&log.items, log.names.locals(), &before, 0).expect("it is accepted");
            judge
        })
        .bench_values(|judge| {
            judge
                .judge(&log.items, log.names.locals(), &log.body, log.before)
                .expect("it is accepted");
            judge
        });
}
