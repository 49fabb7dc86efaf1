//! A process of its own for a line that may kill it: `dare` on somebody else's crate.
//!
//! The process is this program again, with the session on its standard input. It says a line for each thing that came
//! back, so that what it said last tells how far it got.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use engine::{Done, Ending, Session};

/// The argument that makes this program such a process.
pub(crate) const ARGUMENT: &str = "dare-for-real";
/// How long it may take: a heap whose list leads back into itself never ends.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at whether it still runs.
const PAUSE: Duration = Duration::from_millis(5);

/// The process's own work, if the program was started for it: does the line, and exits.
pub(crate) fn run_if_asked() {
    let mut arguments = std::env::args().skip(1);
    let (Some(first), Some(line)) = (arguments.next(), arguments.next()) else { return };
    if first != ARGUMENT {
        return;
    }
    let mut saved = String::new();
    let read = std::io::stdin().read_to_string(&mut saved).is_ok();
    let done = Session::dare_for_real(&saved, &line, |said| {
        // If nobody listens any more there is nobody to tell.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{said}").and_then(|()| out.flush());
    });
    std::process::exit(i32::from(!read || done.is_err()));
}

/// Runs `line` behind the session `saved` in a process of its own.
pub(crate) fn dare(saved: &str, line: &str) -> std::io::Result<Done> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([ARGUMENT, line])
        // Of a panic, its words are wanted.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that dies early breaks the pipe; how it ended says more.
        let _ = stdin.write_all(saved.as_bytes());
    }
    let (said, complained) = (lines_of(child.stdout.take()), lines_of(child.stderr.take()));
    let ending = wait(&mut child)?;
    // A panic's last line is advice to the programmer.
    let last_words = complained.iter().filter(|line| !line.starts_with("note: ")).last();
    Ok(Done::Dared { lines: said.iter().collect(), last_words, ending })
}

/// The lines of a pipe as they come, read by a thread of its own, so that the process is never kept waiting.
fn lines_of(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn wait(child: &mut Child) -> std::io::Result<Ending> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(ending_of(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(Ending::Busy { seconds: PATIENCE.as_secs() });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(unix)]
fn ending_of(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => Ending::Killed { signal },
        None => Ending::Exited { code: status.code().unwrap_or(-1) },
    }
}

#[cfg(not(unix))]
fn ending_of(status: ExitStatus) -> Ending {
    Ending::Exited { code: status.code().unwrap_or(-1) }
}
