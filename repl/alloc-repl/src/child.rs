//! A process of its own for a line that may kill it: `dare` on somebody else's crate.
//!
//! The process is this program again, with the session on its standard input. It says a line for each thing that came
//! back, so that what it said last tells how far it got.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use engine::{Ending, Session};

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

/// Runs `line` behind the session `saved` in a process of its own: what it said, and how it ended.
pub(crate) fn dare(saved: &str, line: &str) -> std::io::Result<(Vec<String>, Ending)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([ARGUMENT, line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that dies early breaks the pipe; how it ended says more.
        let _ = stdin.write_all(saved.as_bytes());
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            for said in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(said).is_err() {
                    return;
                }
            }
        });
    }
    let ending = wait(&mut child)?;
    Ok((receiver.iter().collect(), ending))
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
