//! What `map` costs, from the line to the text, by how many blocks are live.
//!
//! A session has a heap of 64 MiB with 10 or 100,000 live blocks of 64 bytes; making it is not measured. A row is one
//! `map` through `Session::run_alone` and `Style::reply`, plain and 80 columns wide. `draw` is the reply's text alone.
//! Each `map` adds a line to the log, which a look neither copies nor walks. The goal at 100,000 blocks is 5 ms.

use divan::Bencher;
use engine::{Reply, Session};
use render::Style;

fn main() {
    divan::main();
}

const LIVE: [usize; 2] = [10, 100_000];

fn accept(session: &mut Session, line: &str) -> Reply {
    let reply = session.run_alone(line).expect("no line is blank");
    assert!(reply.outcome.is_ok(), "{line}");
    reply
}

/// Blocks of 64 bytes and nothing free between them.
fn filled(heap: &str, live: usize) -> Session {
    let mut session = Session::default();
    accept(&mut session, "heap new 64M");
    accept(&mut session, &format!("use {heap}"));
    for n in 0..live {
        accept(&mut session, &format!("alloc 64 as b{n}"));
    }
    session
}

fn map(session: &mut Session) -> String {
    Style::default().reply(&accept(session, "map"))
}

/// Samples and their size are fixed: each iteration is a line of the log, and a log ends at a million.
#[divan::bench(args = LIVE, sample_count = 100, sample_size = 4)]
fn bump(bencher: Bencher<'_, '_>, live: usize) {
    let mut session = filled("bump", live);
    bencher.bench_local(|| map(&mut session));
}

#[divan::bench(args = LIVE, sample_count = 100, sample_size = 4)]
fn first_fit(bencher: Bencher<'_, '_>, live: usize) {
    let mut session = filled("first-fit", live);
    bencher.bench_local(|| map(&mut session));
}

/// As many holes as blocks.
#[divan::bench(args = LIVE, sample_count = 100, sample_size = 4)]
fn first_fit_with_holes(bencher: Bencher<'_, '_>, live: usize) {
    let mut session = filled("first-fit", 2 * live);
    // From the last to the first: so each hole finds its place at the list's head.
    for n in (0..2 * live).step_by(2).rev() {
        accept(&mut session, &format!("free b{n}"));
    }
    bencher.bench_local(|| map(&mut session));
}

#[divan::bench(args = LIVE)]
fn draw(bencher: Bencher<'_, '_>, live: usize) {
    let reply = accept(&mut filled("first-fit", live), "map");
    bencher.bench_local(|| Style::default().reply(&reply));
}
