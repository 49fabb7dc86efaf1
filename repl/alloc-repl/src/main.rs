//! The terminal shell: arguments, scripts, the prompt, files.
#![forbid(unsafe_code)]

mod arguments;
mod child;
mod files;
mod prompt;
mod script;
mod shell;
mod store;

use std::io::IsTerminal;
use std::process::ExitCode;

use anstream::ColorChoice;
use engine::Session;
use render::Style;

use crate::arguments::{Arguments, Color, Source};
use crate::shell::{Format, Shell};
use crate::store::Store;

/// Exit status of a run in which a line was refused.
const REFUSED: u8 = 1;
/// Exit status of wrong usage: arguments, or files that cannot be read.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !engine::is_daring() {
            report(panic);
        }
    }));
    child::run_if_asked();
    let arguments = arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("alloc-repl: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session::new(arguments.opening)
        .map_err(|problem| anyhow::anyhow!("{problem} Try: {}", problem.hint()))?;
    let color = match arguments.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
    };
    let style = Style { color, ascii: arguments.ascii, ..Style::default() };
    let format = if arguments.json { Format::Json } else { Format::Text(style) };
    let mut shell = Shell::new(session, format, Store::locate());

    let mut sources = arguments.sources;
    if sources.is_empty() {
        if std::io::stdin().is_terminal() {
            prompt::run(&mut shell)?;
            return Ok(ExitCode::SUCCESS);
        }
        sources.push(Source::Stdin);
    }
    let all_accepted = script::run(&mut shell, sources, arguments.keep_going)?;
    Ok(if all_accepted { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// Whether whoever read our output has left: no reason to complain.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
