//! What one typed line costs, by how many blocks are live, and what going back costs in a long log.
//!
//! A session has a heap of 64 MiB with 10, 1,000 or 100,000 live blocks of 64 bytes, one line of its log each; making it
//! is not measured. A row of `lines` is 1,024 lines through `Session::run_alone`: reading, running, logging, and the
//! checkpoints that come due, but not drawing the replies. Before each sample `goto` restores the log and two lines drop
//! what could be redone, so that neither log nor names grow from sample to sample; none of this is measured. First-fit
//! has one hole, so its search is short at every size.
//!
//! A row of `undo` is one line, `undo`, in a log of 100,000. Each sample goes one step further back than the one before,
//! so the slowest is the one furthest from its checkpoint.
//!
//! Behind the tables, `cargo bench` prints for each workload the medians at 10 and at 100,000 live blocks, of samples
//! taken in turn, and their ratio.

use std::fmt;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use engine::Session;

fn main() {
    divan::main();
    // Without `--bench` this is a test run, and with a filter somebody wants one table.
    if std::env::args().skip(1).eq(["--bench".to_owned()]) {
        print!("{}", ratios());
    }
}

/// Lines of a sample: enough for a few checkpoints to come due in each.
const LINES: usize = 1024;
const HEAPS: [&str; 2] = ["bump", "first-fit"];
const LIVE: [usize; 3] = [10, 1_000, 100_000];

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        // Knuth's MMIX; the upper bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// What the lines of a sample are.
#[derive(Clone, Copy)]
enum Workload {
    /// `alloc`, and `free` of the same block.
    Newest,
    /// `free` of any live block, and `alloc` of its successor.
    Anywhere,
    /// `push`, and `pop`.
    Stack,
    /// `sp`, which looks.
    Look,
    /// Lines that are refused before they reach the state.
    Misread,
    /// Lines that are refused by the state: their names and sizes are judged against it.
    Misused,
}

impl Workload {
    const ALL: [Self; 6] =
        [Self::Newest, Self::Anywhere, Self::Stack, Self::Look, Self::Misread, Self::Misused];

    fn name(self) -> &'static str {
        match self {
            Self::Newest => "alloc, free it",
            Self::Anywhere => "free any, alloc",
            Self::Stack => "push, pop",
            Self::Look => "sp",
            Self::Misread => "misread",
            Self::Misused => "misused",
        }
    }

    fn is_refused(self) -> bool {
        matches!(self, Self::Misread | Self::Misused)
    }

    /// The lines of a sample for a session whose live blocks are `b0`, `b1` and so on.
    fn lines(self, live: usize) -> Vec<String> {
        let mut numbers = Numbers(1);
        let mut names: Vec<_> = (0..live).map(|n| format!("b{n}")).collect();
        let pair = |n: usize| match self {
            Self::Newest => [format!("alloc 64 as t{n}"), format!("free t{n}")],
            Self::Anywhere => {
                let name = &mut names[numbers.below(live)];
                let free = format!("free {name}");
                *name = format!("t{n}");
                [free, format!("alloc 64 as {name}")]
            }
            Self::Stack => ["push 8u64".to_owned(), "pop".to_owned()],
            Self::Look => ["sp".to_owned(), "sp".to_owned()],
            Self::Misread => [["aloc 200", "alloc 12 align"], ["push [1u8, 2", "if x { 1 }"]]
                [n % 2]
                .map(str::to_owned),
            Self::Misused => [["free nobody", "alloc 8 as b5"], ["alloc 64M", "free 0x1000_0015"]]
                [n % 2]
                .map(str::to_owned),
        };
        (0..LINES / 2).flat_map(pair).collect()
    }
}

/// A session, and the lines to measure on it.
struct Fixture {
    session: Session,
    home: String,
    lines: Vec<String>,
    refused: bool,
}

impl Fixture {
    fn new(workload: Workload, heap: &str, live: usize) -> Self {
        let mut session = on_heap(heap);
        for n in 0..live {
            accept(&mut session, &format!("alloc 64 as b{n}"));
        }
        let home = format!("goto {}", session.lines());
        Self { session, home, lines: workload.lines(live), refused: workload.is_refused() }
    }

    /// Goes back to the state behind the setup. Two steps then drop what could be redone.
    fn rewind(&mut self) {
        for line in [&self.home, "push 8u64", "pop"] {
            accept(&mut self.session, line);
        }
    }

    fn run(&mut self) {
        for line in &self.lines {
            let reply = self.session.run_alone(black_box(line)).expect("no line is blank");
            assert_eq!(reply.outcome.is_err(), self.refused, "{line}");
            black_box(reply);
        }
    }

    fn time(&mut self) -> Duration {
        self.rewind();
        let start = Instant::now();
        self.run();
        start.elapsed()
    }
}

fn on_heap(heap: &str) -> Session {
    let mut session = Session::default();
    accept(&mut session, "heap new 64M");
    accept(&mut session, &format!("use {heap}"));
    session
}

fn accept(session: &mut Session, line: &str) {
    let reply = session.run_alone(line).expect("no line is blank");
    if let Err(problem) = reply.outcome {
        panic!("{line}: {problem}");
    }
}

#[derive(Clone, Copy)]
struct Setup {
    heap: &'static str,
    live: usize,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} live", self.heap, self.live)
    }
}

fn setups() -> impl Iterator<Item = Setup> {
    HEAPS.into_iter().flat_map(|heap| LIVE.map(|live| Setup { heap, live }))
}

/// A sample is one iteration, so that each starts from the same state.
mod lines {
    use super::{Bencher, Fixture, ItemsCount, LINES, Setup, Workload, setups};

    fn measure(bencher: Bencher<'_, '_>, workload: Workload, setup: Setup) {
        let fixture = std::cell::RefCell::new(Fixture::new(workload, setup.heap, setup.live));
        bencher
            .counter(ItemsCount::new(LINES))
            .with_inputs(|| fixture.borrow_mut().rewind())
            .bench_local_values(|()| fixture.borrow_mut().run());
    }

    macro_rules! workloads {
        ($($name:ident = $workload:ident)*) => {
            $(
                #[divan::bench(args = setups(), sample_size = 1, sample_count = 100)]
                fn $name(bencher: Bencher<'_, '_>, setup: Setup) {
                    measure(bencher, Workload::$workload, setup);
                }
            )*
        };
    }

    workloads! {
        alloc_free = Newest
        free_any_alloc = Anywhere
        push_pop = Stack
        look = Look
        misread = Misread
        misused = Misused
    }
}

mod undo {
    use super::{Bencher, HEAPS, Numbers, Session, accept, on_heap};

    const LOG: usize = 100_000;

    /// Half `alloc`, a third `free`, the rest `push` and `pop`.
    fn mixed(heap: &str) -> Session {
        let mut session = on_heap(heap);
        let mut numbers = Numbers(2);
        let (mut live, mut slots) = (Vec::new(), 0);
        while session.lines() < LOG {
            match numbers.below(12) {
                0..6 => {
                    let name = format!("b{}", session.lines());
                    let size = 8 + numbers.below(500);
                    accept(&mut session, &format!("alloc {size} as {name}"));
                    live.push(name);
                }
                6..10 if !live.is_empty() => {
                    let name = live.swap_remove(numbers.below(live.len()));
                    accept(&mut session, &format!("free {name}"));
                }
                _ if slots < 100 => {
                    accept(&mut session, "push 8u64");
                    slots += 1;
                }
                _ => {
                    accept(&mut session, "pop");
                    slots -= 1;
                }
            }
        }
        session
    }

    /// Two thirds `alloc`, then `free` of every second block: 33,000 holes, each further down the list.
    fn many_holes() -> Session {
        let mut session = on_heap("first-fit");
        let blocks = LOG * 2 / 3;
        for n in 0..blocks {
            accept(&mut session, &format!("alloc 16 as b{n}"));
        }
        for n in (0..).step_by(2).take(LOG - session.lines()) {
            accept(&mut session, &format!("free b{n}"));
        }
        session
    }

    fn arenas(size: &str) -> Session {
        let mut session = on_heap("first-fit");
        while session.lines() < 2_000 {
            accept(&mut session, &format!("heap new {size}"));
        }
        session
    }

    /// `undo` after `undo`, each a step further back.
    fn walk_back(bencher: Bencher<'_, '_>, mut session: Session) {
        bencher.bench_local(|| accept(&mut session, "undo"));
    }

    #[divan::bench(args = HEAPS, sample_size = 1, sample_count = 1000)]
    fn in_a_mixed_log(bencher: Bencher<'_, '_>, heap: &str) {
        walk_back(bencher, mixed(heap));
    }

    /// `redo` is not measured: it undoes the undo, so the distance to the checkpoint is the same each time.
    #[divan::bench(args = HEAPS, sample_size = 1, sample_count = 100)]
    fn and_redo_in_a_mixed_log(bencher: Bencher<'_, '_>, heap: &str) {
        let session = std::cell::RefCell::new(mixed(heap));
        accept(&mut session.borrow_mut(), "undo");
        bencher
            .with_inputs(|| accept(&mut session.borrow_mut(), "redo"))
            .bench_local_values(|()| accept(&mut session.borrow_mut(), "undo"));
    }

    #[divan::bench(sample_size = 1, sample_count = 300)]
    fn among_33_000_holes(bencher: Bencher<'_, '_>) {
        walk_back(bencher, many_holes());
    }

    /// A log of 2,000 lines that each make an arena, the dearest step there is: no block is needed to slow `undo`.
    #[divan::bench(args = ["1K", "64M", "1G"], sample_size = 1, sample_count = 600)]
    fn of_a_fresh_arena(bencher: Bencher<'_, '_>, size: &str) {
        walk_back(bencher, arenas(size));
    }
}

/// Each workload at 10 and at 100,000 live blocks, in nanoseconds a line, and how many times as long that is.
fn ratios() -> String {
    const SAMPLES: usize = 51;
    let (few, many) = (LIVE[0], LIVE[LIVE.len() - 1]);
    let mut table =
        format!("\n{:<28}{:>10}{:>12}{:>8}\n", "ns a line, live blocks:", few, many, "ratio");
    for heap in HEAPS {
        for workload in Workload::ALL {
            let mut fixtures = [few, many].map(|live| Fixture::new(workload, heap, live));
            let mut samples = [Vec::new(), Vec::new()];
            // In turn, so that a busy moment of the machine meets both alike.
            for _ in 0..SAMPLES {
                for (fixture, samples) in fixtures.iter_mut().zip(&mut samples) {
                    samples.push(fixture.time());
                }
            }
            let [few, many] = samples.map(|mut samples| {
                samples.sort_unstable();
                samples[SAMPLES / 2].as_nanos() / LINES as u128
            });
            let hundredths = many * 100 / few.max(1);
            let what = format!("{heap}: {}", workload.name());
            writeln!(
                table,
                "{what:<28}{few:>10}{many:>12}{:>5}.{:02}",
                hundredths / 100,
                hundredths % 100
            )
            .expect("writing to a string");
        }
    }
    table
}
