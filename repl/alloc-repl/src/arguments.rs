//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

/// A prompt where alloc and push run on real allocators and a simulated stack.
///
/// Without arguments it is a prompt, or reads a script from standard input if that is no terminal.
#[derive(Debug, Parser)]
#[command(name = "alloc-repl", version, max_term_width = 100)]
struct Cli {
    /// Run these lines (split at newlines and `;`) and exit; may be repeated
    #[arg(short = 'c', value_name = "LINES")]
    lines: Vec<String>,

    /// Scripts to run; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The allocator to start with
    #[arg(long, value_name = "NAME")]
    heap: Option<String>,

    /// The bytes of its arena, such as 4K
    #[arg(long, value_name = "SIZE")]
    heap_size: Option<String>,

    /// The bytes of the stack
    #[arg(long, value_name = "SIZE")]
    stack_size: Option<String>,

    /// Answer with one JSON object a line
    #[arg(long)]
    json: bool,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,

    /// Use nothing outside ASCII
    #[arg(long)]
    ascii: bool,

    /// Go on after a refused line; the exit status is still 1
    #[arg(long)]
    keep_going: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `-c`.
    Lines(String),
    /// A script.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// In the order given: one session.
    pub(crate) sources: Vec<Source>,
    /// The log's first lines.
    pub(crate) opening: Vec<String>,
    pub(crate) json: bool,
    pub(crate) color: Color,
    pub(crate) ascii: bool,
    pub(crate) keep_going: bool,
}

/// Reads the command line; on wrong usage says so and exits with status 2.
pub(crate) fn parse() -> Arguments {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());

    let indices = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
    let lines = indices("lines").into_iter().zip(cli.lines.drain(..).map(Source::Lines));
    let files = cli.files.drain(..).map(|file| match file.to_str() {
        Some("-") => Source::Stdin,
        _ => Source::File(file),
    });
    let mut sources: Vec<_> = lines.chain(indices("files").into_iter().zip(files)).collect();
    sources.sort_by_key(|(index, _)| *index);

    let option =
        |command: &str, value: Option<String>| value.map(|value| format!("{command} {value}"));
    let opening = [
        option("heap new", cli.heap_size),
        option("use", cli.heap),
        option("stack new", cli.stack_size),
    ];
    Arguments {
        sources: sources.into_iter().map(|(_, source)| source).collect(),
        opening: opening.into_iter().flatten().collect(),
        json: cli.json,
        color: cli.color,
        ascii: cli.ascii,
        keep_going: cli.keep_going,
    }
}
