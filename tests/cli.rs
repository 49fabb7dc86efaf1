use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alloc-repl"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// A run: its exit status, standard output and standard error.
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Run {
    finished(program().args(arguments).output().unwrap())
}

fn finished(output: Output) -> Run {
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A run with `input` on its standard input.
fn piped(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = program()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // The program may stop reading at a refused line: a broken pipe is no failure here.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    finished(output)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn replies(run: &Run) -> Vec<Value> {
    run.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn codes(run: &Run) -> Vec<String> {
    let code = |reply: &Value| reply["problem"]["code"].as_str().unwrap_or("ok").to_owned();
    replies(run).iter().map(code).collect()
}

#[test]
fn lines_given_with_c_print_a_transcript_and_exit_0() {
    let run = run(&["-c", "alloc 200; sp", "-c", "free a"]);
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    let inputs: Vec<_> = run.out.lines().filter(|line| line.starts_with("> ")).collect();
    assert_eq!(inputs, ["> alloc 200", "> sp", "> free a"]);
    assert!(!run.out.contains('\u{1b}'), "no colour when nobody looks");
}

#[test]
fn a_refused_line_stops_the_script_with_1_unless_told_to_keep_going() {
    let stopped = run(&["-c", "free a; alloc 8"]);
    assert_eq!((stopped.status, stopped.out.contains("> alloc 8")), (Some(1), false));
    assert!(stopped.out.contains("error[unknown-handle]") && stopped.err.is_empty());
    let went_on = run(&["--keep-going", "-c", "free a; alloc 8"]);
    assert_eq!((went_on.status, went_on.out.contains("> alloc 8")), (Some(1), true));
}

#[test]
fn wrong_usage_and_unreadable_files_exit_2_and_run_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for arguments in [
        &["--nonsense"][..],
        &["--heap", "nope", "-c", "sp"],
        &["--heap-size", "0", "-c", "sp"],
        &["--color", "blue"],
        &["-c", "sp", "/nonexistent/script"],
        &["-c", "sp", folder],
        &["--stack-size", "1G", "-c", "sp"],
    ] {
        let run = run(arguments);
        assert_eq!((run.status, run.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!run.err.is_empty() && !run.err.contains("panicked"), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn scripts_files_pipes_and_c_are_one_session_in_the_order_given() {
    let folder = tempfile::tempdir().unwrap();
    let first =
        write(folder.path(), "first.repl", "# a comment\nalloc 200\n\n// another\nwrite a 1 2 3");
    let run = piped(&["--json", &first, "-c", "read a 3", "-"], b"free a\r\nfree a\n");
    let inputs: Vec<_> =
        replies(&run).iter().map(|reply| reply["input"].as_str().unwrap().to_owned()).collect();
    assert_eq!(inputs, ["alloc 200", "write a 1 2 3", "read a 3", "free a", "free a"]);
    assert_eq!(codes(&run), ["ok", "ok", "ok", "ok", "double-free"]);
    assert_eq!(run.status, Some(1));
}

#[test]
fn standard_input_that_is_no_terminal_is_a_script() {
    let run = piped(&[], b"alloc 200\nquit\nalloc 8\n");
    assert_eq!(run.status, Some(0));
    assert!(
        run.out.starts_with("> alloc 200\na = 0x1000_0008") && !run.out.contains("alloc 8"),
        "{}",
        run.out
    );
    assert_eq!(piped(&[], b"").status, Some(0));
}

#[test]
fn options_become_the_log_s_first_lines() {
    let run = run(&[
        "--heap",
        "bump",
        "--heap-size",
        "4K",
        "--stack-size",
        "1K",
        "--json",
        "-c",
        "map; history; undo",
    ]);
    let replies = replies(&run);
    let map = &replies[0]["views"][0];
    assert_eq!((&map["heap"]["heap"], &map["heap"]["size_bytes"]), (&"bump".into(), &4096.into()));
    assert_eq!(map["stack"]["size_bytes"], 1024);
    let lines: Vec<_> = replies[1]["views"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["input"])
        .collect();
    assert_eq!(lines, ["heap new 4K", "use bump", "stack new 1K", "map"]);
    assert_eq!(replies[2]["problem"]["code"], "nothing-to-undo");
}

#[test]
fn hostile_input_is_answered_line_by_line() {
    let long = [b"alloc ".as_slice(), &vec![b'1'; 1 << 20], b"\nsp\n"].concat();
    let run = piped(
        &["--json", "--keep-going"],
        &[b"alloc\0 8\nalloc \xff\xfe8\nalloc 8\x1b[31m\n\xf0\x9f\xa6\x80\n".as_slice(), &long]
            .concat(),
    );
    assert_eq!(
        codes(&run),
        ["bad-input", "bad-input", "bad-input", "unsupported-rust", "too-long", "ok"]
    );
    assert_eq!((run.status, run.err.as_str()), (Some(1), ""));
    let text = piped(&["--keep-going"], b"alloc 8\x1b[31m\x07\n").out;
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{7}'),
        "control characters are spelt out: {text:?}"
    );
}

#[test]
fn colour_follows_the_option_and_the_environment() {
    let colored = |command: &mut Command| {
        finished(command.args(["-c", "alloc 8"]).output().unwrap()).out.contains('\u{1b}')
    };
    assert!(!colored(&mut program()));
    assert!(colored(program().args(["--color", "always"])));
    assert!(colored(program().env("CLICOLOR_FORCE", "1")));
    assert!(!colored(program().env("CLICOLOR_FORCE", "1").args(["--color", "never"])));
    assert!(!colored(program().env("NO_COLOR", "1")));
}

#[test]
fn a_reader_that_leaves_early_ends_the_run_quietly() {
    let mut child = program()
        .args(["--keep-going", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..2000 {
        if stdin.write_all(b"help\n").is_err() {
            break;
        }
    }
    drop(stdin);
    let run = finished(child.wait_with_output().unwrap());
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
}

#[test]
fn a_session_is_saved_opened_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (log, text, md, json) = (path("log"), path("t"), path("m.md"), path("j"));
    let lines = format!(
        "alloc 200; free a; save {log}; export text {text}; export md {md}; export json {json}"
    );
    assert_eq!(run(&["-c", &lines]).status, Some(0));
    let saved = std::fs::read_to_string(&log).unwrap();
    assert_eq!(saved, format!("{}\nalloc 200\nfree a\n", engine::SESSION_HEADER));
    let transcript = std::fs::read_to_string(&text).unwrap();
    assert!(transcript.starts_with("> alloc 200\na = 0x1000_0008"), "{transcript}");
    assert!(
        std::fs::read_to_string(&md).unwrap().contains(&format!("```text\n{}", &transcript[..40]))
    );
    let exported = std::fs::read_to_string(&json).unwrap();
    assert_eq!(exported.lines().count(), 5);

    let opened = run(&["--json", "-c", &format!("open {log}; free a")]);
    assert_eq!(codes(&opened), ["ok", "double-free"]);
    // A saved session is a script, too, and does not save itself again.
    let again = format!("open {log}; alloc 8; save {log}; free b; save {log}");
    assert_eq!(run(&["-c", &again]).status, Some(0));
    let saved = std::fs::read_to_string(&log).unwrap();
    assert_eq!(run(&[&log]).status, Some(0));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), saved);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let damaged =
        write(folder.path(), "damaged", &format!("{}\nalloc 200\nfr", engine::SESSION_HEADER));
    let precious = write(folder.path(), "precious", "not a session\n");
    let folder = folder.path().to_str().unwrap().to_owned();
    let lines = format!(
        "open /nonexistent; open {folder}; open {damaged}; save {folder}; save /nonexistent/x; export md /nonexistent/x; save {precious}"
    );
    let run = run(&["--json", "--keep-going", "-c", &lines]);
    assert_eq!(codes(&run), ["file-error"; 7]);
    let said = replies(&run)[2]["problem"]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("line 3"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_and_devices_are_written_to_or_refused_but_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let lines = format!("open {}; open /dev/zero", pipe.display());
    assert_eq!(codes(&run(&["--json", "--keep-going", "-c", &lines])), ["file-error"; 2]);
    let saved = run(&["-c", "alloc 8; save /dev/stdout"]);
    assert_eq!(saved.status, Some(0));
    assert!(saved.out.contains(engine::SESSION_HEADER), "{}", saved.out);
}

/// What a crate does then is measured; only the shape of the answer is ours.
#[test]
fn a_dare_on_somebody_else_s_crate_runs_in_a_process_of_its_own() {
    for heap in [
        "rlsf",
        "talc",
        "linked-list-allocator",
        "dlmalloc",
        "bumpalo",
        "system",
        "mimalloc",
        "counting(rlsf)",
        "guard(talc)",
        "guard(system)",
        "fallback(dlmalloc, first-fit)",
        "split-by-size(32, first-fit, mimalloc)",
    ] {
        let script = format!(
            "heap new 256K; use {heap}; alloc 64; alloc 64; free a; blocks; dare free a; dare write b at 64 \"A\"; \
             dare free b+8; dare read a; dare realloc a 200; blocks; check"
        );
        let run = run(&["--json", "-c", &script]);
        assert_eq!(run.status, Some(0), "{heap}: {}", run.out);
        let replies = replies(&run);
        for reply in &replies[6..11] {
            let view = &reply["views"][0];
            assert_eq!(
                (&reply["measured"], &view["kind"]),
                (&true.into(), &"crash".into()),
                "{heap}: {reply}"
            );
            let ending = view["ending"]["kind"].as_str().unwrap();
            assert!(["exited", "killed", "busy"].contains(&ending), "{heap}: {reply}");
        }
        assert_eq!(replies[5]["views"], replies[11]["views"], "{heap}: the session is as it was");
        assert_eq!(replies[12]["ok"], true, "{heap}");
    }
}

/// What no crate writes over is what the program left there, wherever its blocks went.
#[test]
fn a_dare_reads_the_bytes_that_are_really_there() {
    let mut heaps = vec!["rlsf", "counting(bumpalo)"];
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        heaps.push("counting(system)");
    }
    for heap in heaps {
        let script = format!(
            "heap new 256K; use {heap}; alloc 64; alloc 8; write a at 40 \"kept\"; realloc a 100; free a; \
             dare read a at 40 4"
        );
        let run = run(&["--json", "-c", &script]);
        let deed = &replies(&run)[7]["views"][0]["deed"];
        assert_eq!(
            (&deed["kind"], &deed["bytes"]),
            (&"read".into(), &serde_json::json!(b"kept")),
            "{heap}: {}",
            run.out
        );
    }
}

#[test]
fn a_dare_beside_somebody_else_s_heap_needs_no_process() {
    let run = run(&["--json", "-c", "use rlsf; push 8; pop; dare read s1; dare free 0x10"]);
    for reply in &replies(&run)[3..] {
        assert_eq!((&reply["ok"], &reply["measured"]), (&true.into(), &false.into()), "{reply}");
    }
}

#[test]
fn help_and_version_exit_0() {
    for flag in ["--help", "-h", "--version"] {
        let run = run(&[flag]);
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{flag}");
        assert!(run.out.contains("alloc-repl"), "{flag}");
    }
}

/// The prompt in a pseudo-terminal. Windows has none that rexpect knows.
#[cfg(unix)]
mod prompt {
    use std::path::Path;

    use rexpect::session::{PtySession, spawn_command};

    /// Milliseconds to wait for an answer before the test fails; nothing waits so long that succeeds.
    const PATIENCE: u64 = 30_000;

    /// What the prompt sends when it starts to read a line: bracketed paste on.
    const READY: &str = "\u{1b}[?2004h";

    fn prompt(home: Option<&Path>) -> PtySession {
        let mut command = super::program();
        command.env("TERM", "xterm").env("NO_COLOR", "1").env_remove("XDG_STATE_HOME");
        match home {
            Some(home) => command.env("HOME", home),
            // A home in which nothing can be made, not even by root.
            None => command.env("HOME", "/dev/null"),
        };
        command.stdin(std::process::Stdio::inherit());
        let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
        session.exp_string("Ctrl-D to leave.").unwrap();
        session
    }

    fn leave(mut session: PtySession) {
        session.send_control('d').unwrap();
        session.exp_eof().unwrap();
    }

    #[test]
    fn typed_lines_are_answered_and_a_dropped_one_is_not() {
        let home = tempfile::tempdir().unwrap();
        let mut session = prompt(Some(home.path()));
        session.send_line("alloc 200").unwrap();
        session.exp_string("816 remain.").unwrap();
        session.exp_string(READY).unwrap();
        session.send("free a").unwrap();
        session.send_control('c').unwrap();
        // What is typed ahead of a Ctrl-C's answer is dropped with the line, as a terminal itself does it.
        session.exp_string(READY).unwrap();
        session.send_line("blocks").unwrap();
        session.exp_string("1 live block").unwrap();
        leave(session);
    }

    #[test]
    fn type_ahead_and_pastes_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut session = prompt(Some(home.path()));
        session.send("alloc 8\nalloc 16\nalloc 24\n").unwrap();
        session.flush().unwrap();
        session.exp_string("c = 0x1000_0030").unwrap();
        // A bracketed paste, as a terminal sends it.
        session.send("\u{1b}[200~free a\nfree b\nsp\u{1b}[201~\r").unwrap();
        session.flush().unwrap();
        session.exp_string("> free b").unwrap();
        session.exp_string("sp = 0xffff_ffff").unwrap();
        leave(session);
    }

    #[test]
    fn tab_completes_a_command_and_a_live_block() {
        let home = tempfile::tempdir().unwrap();
        let mut session = prompt(Some(home.path()));
        session.send_line("alloc 200 as table").unwrap();
        session.exp_string("816 remain.").unwrap();
        session.send("reall\tt\t400\n").unwrap();
        session.flush().unwrap();
        session.exp_string("200 to 400 bytes, in place").unwrap();
        leave(session);
    }

    #[test]
    fn lines_and_sessions_are_kept_for_the_next_prompt() {
        let home = tempfile::tempdir().unwrap();
        let mut first = prompt(Some(home.path()));
        first.send_line("alloc 200").unwrap();
        first.exp_string("816 remain.").unwrap();
        first.exp_string("> ").unwrap();
        first.send_line("free a").unwrap();
        first.exp_string("one hole of 1,024").unwrap();
        // Killed, not left: nothing may depend on a clean exit.
        first.process_mut().kill(rexpect::process::Signal::SIGKILL).unwrap();

        let mut second = prompt(Some(home.path()));
        second.send_line("open last").unwrap();
        second.exp_string("2 lines.").unwrap();
        second.exp_string("> ").unwrap();
        second.send_line("free a").unwrap();
        second.exp_string("freed by line 2").unwrap();
        second.exp_string("> ").unwrap();
        // The key "up" three times: past "free a" and "open last" to the first prompt's line.
        second.send("\u{1b}[A\u{1b}[A\u{1b}[A\r").unwrap();
        second.flush().unwrap();
        second.exp_string("double-free").unwrap();
        leave(second);
    }

    /// Elsewhere than on Linux the state lies where the system wants it.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_an_allocator_of_the_process_answered_is_kept_with_the_line() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let mut command = super::program();
        command.env("TERM", "xterm").env("NO_COLOR", "1").env("XDG_STATE_HOME", &state);
        command.env("HOME", home.path()).stdin(std::process::Stdio::inherit());
        let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
        for line in ["use system", "alloc 200", "undo"] {
            session.exp_string(READY).unwrap();
            session.send_line(line).unwrap();
        }
        session.exp_string("Undone").unwrap();
        leave(session);
        let text = std::fs::read_to_string(state.join("alloc-repl/sessions/000001")).unwrap();
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!((lines[0], lines[1]), ("use system", "# answered: ready"));
        assert!(lines[2] == "alloc 200" && lines[3].starts_with("# answered: 0x"), "{text}");
        assert_eq!(lines[4], "undo");
    }

    #[test]
    fn without_a_home_the_prompt_says_so_once_and_works() {
        let mut session = prompt(None);
        session.send_line("alloc 200").unwrap();
        session.exp_string("cannot be").unwrap();
        session.exp_string("816 remain.").unwrap();
        session.send_line("free a").unwrap();
        session.exp_string("one hole of 1,024").unwrap();
        leave(session);
    }
}
