//! Ours and the well-known allocators on the same requests: recordings of real programs, and synthetic traces.
//!
//! ```sh
//! cargo bench -p heap --bench replay                                     # everything: some minutes
//! cargo bench -p heap --bench replay -- --heap first-fit --trace ls --samples 31
//! cargo bench -p heap --features jemalloc                                # with jemalloc among the peers
//! cargo bench -p heap -- --test                                          # one sample of small traces: does it run?
//! ```
//!
//! Method:
//!
//! - Each allocator that takes a region gets the same 64 MiB, aligned to their size and touched before. It is made
//!   anew for each run. bumpalo's chunk is that memory as well; those of the whole process keep what they have.
//! - Blocks are aligned to 8. One byte is written to each block allocated or resized. The clock runs around the whole
//!   trace, so the loop, the table of pointers and that byte are part of each figure: 1 to 2 ns an operation.
//! - The replay is compiled for each allocator alone. Nobody observes ours.
//! - A sample runs every allocator in turn, so that a slower machine is slower for all; the figure is the median. A
//!   run shorter than 20 ms comes after three that do not count: else it would be about what the allocator before
//!   left in the caches. One that has used up half a second on a trace drops out of further samples. Ratios hold
//!   better than times.
//! - Utilisation is the peak of the live payload over the offset behind the highest byte handed out.
//! - The worst operation is the longest of a trace's, each at its fastest of up to 25 runs, as many as fit in half a
//!   second: what is due to the operation comes back in every run, an interrupt or a line that somebody else drove out
//!   of the cache does not. With five runs one operation of 20,000 was unlucky in all of them, now of ours, now of
//!   rlsf's. Resizes are left out, since a copy takes as long as its bytes. The clock's own 20 to 40 ns are in it.
//! - `full` is a trace that the allocator has no room for, `slow` one it was spared. A mean with a star leaves such
//!   out.

// Counts of operations and bytes are far below 2⁵³.
#![allow(clippy::cast_precision_loss)]

use std::collections::BTreeMap;
use std::time::Duration;

use arena::{ARENA_BYTES, Arena};
use contender::{Contender, Program, SMALL_CLASSES};
use heap::peers::{BuddySystemAllocator, Bumpalo, LinkedListAllocator, Peer, Rlsf};
use heap::trace::Trace;
use heap::{
    BestFit, Buddy, Bump, BumpDown, FirstFit, HeaderlessBestFit, HeaderlessFirstFit, NextFit, Pool,
    SizeClasses, Stack, Tlsf, TrustedRegion as T, WorstFit,
};
use synthetic::Scale;

mod arena;
mod contender;
mod report;
mod synthetic;

/// Ours, each with the peer of the same design. A new design is a new line.
const OURS: &[Contender] = &[
    Contender::ours::<Bump<T>>("bump", Bumpalo::NAME),
    Contender::ours::<BumpDown<T>>("bump grow=down", Bumpalo::NAME),
    Contender::ours::<Stack<T>>("stack", Bumpalo::NAME),
    Contender::ours::<FirstFit<T>>("first-fit", LinkedListAllocator::NAME),
    Contender::ours::<HeaderlessFirstFit<T>>("first-fit header=none", LinkedListAllocator::NAME),
    Contender::ours::<NextFit<T>>("next-fit", LinkedListAllocator::NAME),
    Contender::ours::<BestFit<T>>("best-fit", LinkedListAllocator::NAME),
    Contender::ours::<HeaderlessBestFit<T>>("best-fit header=none", LinkedListAllocator::NAME),
    Contender::ours::<WorstFit<T>>("worst-fit", LinkedListAllocator::NAME),
    Contender::ours::<Pool<T>>("pool", SMALL_CLASSES),
    Contender::ours::<SizeClasses<T>>("size-classes", SMALL_CLASSES),
    Contender::ours::<Buddy<T>>("buddy", BuddySystemAllocator::NAME),
    Contender::ours::<Tlsf<T>>("tlsf", Rlsf::NAME),
];

/// How long an allocator may take for the samples of one trace.
const BUDGET: Duration = Duration::from_millis(500);
/// A run shorter than this comes after a few that do not count.
const WARMS_ITSELF: Duration = Duration::from_millis(20);
/// Above this with 10,000 live blocks, an allocator is not asked for 100,000.
const SLOW_NS: f64 = 2_000.0;
/// Runs that time each operation, at most.
const WORST_RUNS: u128 = 25;

fn main() {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|wrong| {
        eprintln!("{wrong}\nknown: --trace NAME, --heap NAME, --samples N, --test");
        std::process::exit(2);
    });
    let contenders = options.contenders();
    let mut arena = Arena::new();
    let mut results = Vec::new();
    for (title, programs) in sets(&options) {
        let mut set = Set { title, programs, cells: BTreeMap::new() };
        for index in 0..set.programs.len() {
            set.measure(index, &contenders, &options, &mut arena);
        }
        if !set.programs.is_empty() {
            report::tables(&set, &contenders, options.samples);
            results.push(set);
        }
    }
    report::goals(&results, &contenders);
}

/// What the command line asks for.
struct Options {
    traces: Vec<String>,
    heaps: Vec<String>,
    samples: usize,
    test: bool,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { traces: vec![], heaps: vec![], samples: 11, test: false };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--trace" => options.traces.push(value()?),
                "--heap" => options.heaps.push(value()?),
                "--samples" => {
                    let count = value()?;
                    options.samples = count.parse().ok().filter(|&count| count > 0).ok_or(count)?;
                }
                "--test" => options.test = true,
                // cargo's own.
                "--bench" => {}
                _ => return Err(format!("what is {word}?")),
            }
        }
        if options.test {
            options.samples = 1;
        }
        Ok(options)
    }

    /// Those asked for, and the peers that ours are measured against. All, if none is.
    fn contenders(&self) -> Vec<Contender> {
        let all: Vec<_> = OURS.iter().copied().chain(Contender::peers()).collect();
        let asked = |name: &str| self.heaps.is_empty() || self.heaps.iter().any(|it| it == name);
        let is_peer_of_one =
            |name: &str| all.iter().any(|ours| asked(ours.name) && ours.against == Some(name));
        all.iter().copied().filter(|it| asked(it.name) || is_peer_of_one(it.name)).collect()
    }

    fn wants(&self, trace: &str) -> bool {
        self.traces.is_empty() || self.traces.iter().any(|it| it == trace)
    }
}

/// The traces, in tables of what belongs together.
fn sets(options: &Options) -> [(&'static str, Vec<Program>); 3] {
    let scale = if options.test { synthetic::SMALL } else { synthetic::FULL };
    let recorded = RECORDINGS.iter().filter(|(name, _)| options.wants(name)).map(|(name, text)| {
        let trace = Trace::parse(text).unwrap_or_else(|bad| panic!("{name}: {bad:?}"));
        Program::new(name, &trace)
    });
    let made = synthetic::all(scale);
    let made = made.iter().filter(|(name, _)| options.wants(name));
    let live = report::LIVE.iter().filter(|(name, _)| options.wants(name)).map(|&(name, live)| {
        let live = if options.test { live / 10 } else { live };
        let churn = 10_000;
        let trace = synthetic::five_classes(Scale { live, churn });
        Program::timing(name, &trace, live as usize, 2 * churn as usize)
    });
    [
        (report::RECORDED, recorded.collect()),
        (report::SYNTHETIC, made.map(|(name, trace)| Program::new(name, trace)).collect()),
        (report::BY_LIVE_BLOCKS, live.collect()),
    ]
}

/// Programs recorded as they ran; see `tests/traces`.
const RECORDINGS: &[(&str, &str)] = &[
    ("cargo-metadata", include_str!("../../../../tests/traces/cargo-metadata.rep")),
    ("gcc-cc1", include_str!("../../../../tests/traces/gcc-cc1.rep")),
    ("git-log", include_str!("../../../../tests/traces/git-log.rep")),
    ("ls", include_str!("../../../../tests/traces/ls.rep")),
    ("perl", include_str!("../../../../tests/traces/perl.rep")),
];

/// Some traces, and what each allocator made of them.
struct Set {
    title: &'static str,
    programs: Vec<Program>,
    /// By trace and allocator.
    cells: BTreeMap<(usize, &'static str), Outcome>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Full,
    Slow,
    Ran(Figures),
}

#[derive(Clone, Copy)]
struct Figures {
    ns_per_op: f64,
    /// Over our region alone.
    utilisation: Option<f64>,
    worst_ns: f64,
}

impl Set {
    fn figures(&self, index: usize, heap: &'static str) -> Option<Figures> {
        match self.cells.get(&(index, heap)) {
            Some(Outcome::Ran(figures)) => Some(*figures),
            _ => None,
        }
    }

    /// Whether `heap` took so long for the trace before that this one is not worth the wait.
    fn is_too_slow(&self, index: usize, heap: &'static str) -> bool {
        let before = index.checked_sub(1).filter(|_| self.title == report::BY_LIVE_BLOCKS);
        before.is_some_and(|before| {
            self.figures(before, heap).is_some_and(|figures| figures.ns_per_op > SLOW_NS)
        })
    }

    fn measure(
        &mut self,
        index: usize,
        contenders: &[Contender],
        options: &Options,
        arena: &mut Arena,
    ) {
        let program = &self.programs[index];
        let mut racing = Vec::new();
        for &contender in contenders {
            let outcome = if self.is_too_slow(index, contender.name) {
                Outcome::Slow
            } else if let Ok(span_bytes) = (contender.span)(arena, program) {
                racing.push((contender, span_bytes, Vec::new()));
                continue;
            } else {
                Outcome::Full
            };
            self.cells.insert((index, contender.name), outcome);
        }
        for _ in 0..options.samples {
            for (contender, _, samples) in &mut racing {
                if samples.iter().sum::<Duration>() < BUDGET {
                    let warm = samples.last().is_none_or(|&last| last < WARMS_ITSELF);
                    samples.push((contender.time)(arena, program, warm));
                }
            }
        }
        for (contender, span_bytes, mut samples) in racing {
            samples.sort_unstable();
            let median = samples[samples.len() / 2];
            let affordable = BUDGET.as_nanos() / median.as_nanos().max(1);
            let runs = if options.test { 1 } else { affordable.clamp(1, WORST_RUNS) };
            let warm = median < WARMS_ITSELF;
            let mut least = vec![Duration::MAX; program.ops()];
            for _ in 0..runs {
                (contender.time_each)(arena, program, warm, &mut least);
            }
            let worst = least.into_iter().max().unwrap_or_default();
            let figures = Figures {
                ns_per_op: nanoseconds(median) / program.ops() as f64,
                utilisation: contender
                    .over_region
                    .then(|| program.peak_payload_bytes as f64 / span_bytes as f64),
                worst_ns: nanoseconds(worst),
            };
            self.cells.insert((index, contender.name), Outcome::Ran(figures));
        }
    }
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
