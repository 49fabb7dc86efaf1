//! How long a line waits for its verdict: the log so far is judged with it.

use divan::Bencher;
use interpreter::check;
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
    body: Vec<Top>,
}

fn lowered(lines: &[String]) -> Log {
    let mut log = Log { names: Names::default(), items: Items::default(), body: Vec::new() };
    for (number, line) in (1..).zip(lines) {
        let tops = lower::line(&mut log.names, &mut log.items, number, line);
        log.body.extend(tops.unwrap_or_else(|fault| panic!("{line}: {fault}")));
    }
    log
}

#[divan::bench(args = [10, 100, 1_000])]
fn whole_log(bencher: Bencher, count: usize) {
    let log = lowered(&log(count));
    bencher.bench(|| check::body(&log.items, log.names.locals(), &log.body));
}
