//! What lines of Rust cost: reading, typing, judging and running them on the prompt's stack and heap.

use divan::Bencher;
use divan::counter::ItemsCount;
use engine::Session;

fn main() {
    divan::main();
}

fn accept(session: &mut Session, line: &str) {
    let reply = session.run_alone(line).expect("no line is blank");
    if let Err(problem) = reply.outcome {
        panic!("{line}: {problem}");
    }
}

/// A session on `tlsf` in which these lines have run.
fn after(lines: &[&str]) -> Session {
    let mut session = Session::default();
    for line in ["heap new 64M", "use tlsf"].iter().chain(lines) {
        accept(&mut session, line);
    }
    session
}

/// One line, which counts as so many of what it repeats.
fn line(bencher: Bencher<'_, '_>, setup: &[&str], line: &str, count: u64) {
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| after(setup))
        .bench_local_refs(|session| accept(session, line));
}

/// A thousand lines, whose numbers stand for `#`.
fn thousand(bencher: Bencher<'_, '_>, setup: &[&str], text: &str) {
    let lines: Vec<_> = (0..1000).map(|number| text.replace('#', &number.to_string())).collect();
    bencher.counter(ItemsCount::new(1000u64)).with_inputs(|| after(setup)).bench_local_refs(
        |session| {
            for line in &lines {
                accept(session, line);
            }
        },
    );
}

#[divan::bench(sample_count = 5)]
fn a_loop_of_a_million_additions(bencher: Bencher<'_, '_>) {
    line(bencher, &["let mut s = 0u64;"], "for i in 0..1_000_000u64 { s += i; }", 1_000_000);
}

#[divan::bench(sample_count = 5)]
fn a_loop_with_a_variable(bencher: Bencher<'_, '_>) {
    let text = "for i in 0..1_000_000u64 { let y = i * 2; if y % 3 == 0 { s += y; } }";
    line(bencher, &["let mut s = 0u64;"], text, 1_000_000);
}

#[divan::bench(sample_count = 5)]
fn a_million_pushes(bencher: Bencher<'_, '_>) {
    let setup = ["let mut v: Vec<u32> = Vec::new();"];
    line(bencher, &setup, "for i in 0..1_000_000u32 { v.push(i); }", 1_000_000);
}

#[divan::bench(sample_count = 5)]
fn a_hundred_thousand_boxes(bencher: Bencher<'_, '_>) {
    line(bencher, &[], "for i in 0..100_000u32 { let b = Box::new(i); }", 100_000);
}

#[divan::bench(sample_count = 5)]
fn calls(bencher: Bencher<'_, '_>) {
    let setup = ["fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }"];
    line(bencher, &setup, "fib(20)", 21_891);
}

#[divan::bench(sample_count = 5)]
fn a_thousand_lets(bencher: Bencher<'_, '_>) {
    thousand(bencher, &[], "let a# = #;");
}

#[divan::bench(sample_count = 5)]
fn a_thousand_assignments(bencher: Bencher<'_, '_>) {
    thousand(bencher, &["let mut a = 1;"], "a = #;");
}

#[divan::bench(sample_count = 5)]
fn a_thousand_vecs(bencher: Bencher<'_, '_>) {
    thousand(bencher, &[], "{ let v = vec![0u8; 200]; }");
}

/// `undo` replays from the last checkpoint; `goto 2` and `redo` the whole of it.
#[divan::bench(sample_count = 5)]
fn a_thousand_statements_again(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| {
            let mut session = after(&["let mut a = 1;"]);
            for number in 0..1000 {
                accept(&mut session, &format!("a = {number};"));
            }
            accept(&mut session, "goto 2");
            session
        })
        .bench_local_refs(|session| accept(session, "redo 1000"));
}
