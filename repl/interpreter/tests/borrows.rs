//! Ownership and borrows: each program of `borrows.txt` is judged line by line, and by the real rustc as a function.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use imbl::Vector;
use interpreter::items::Items;
use interpreter::typed::{FunctionId, Top};
use interpreter::{check, lower};

/// A program of the table.
struct Program {
    title: String,
    expected: Verdict,
    lines: Vec<String>,
}

/// The first error, in the order of the source.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    /// A code, or `lifetime` where rustc has none, and the line it points at, from 1.
    Refused(String, u32),
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(code, line) => write!(f, "{code} in line {line}"),
        }
    }
}

/// A program begins with `# accepted: title` or `# CODE in line N: title`.
fn programs() -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for line in include_str!("borrows.txt").lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let (expected, title) = head.split_once(": ").expect("a program has a title");
            let expected = if let Some((code, line)) = expected.split_once(" in line ") {
                Verdict::Refused(code.to_owned(), line.parse().expect("a line is a number"))
            } else {
                assert_eq!(expected, "accepted", "{line}");
                Verdict::Accepted
            };
            programs.push(Program { title: title.to_owned(), expected, lines: Vec::new() });
        } else if !line.is_empty() {
            let program = programs.last_mut().expect("a program begins with its title");
            program.lines.push(line.to_owned());
        }
    }
    programs
}

/// What the checker says, at the first line that it refuses.
fn fault_of(program: &Program) -> Result<Result<(), check::Fault>, String> {
    let mut names = lower::Names::default();
    let mut items = Items::default();
    let mut body: Vector<Arc<Top>> = Vector::new();
    let judge = check::Judge::default();
    let mut functions = 0;
    for (number, text) in (1..).zip(&program.lines) {
        let before = body.len();
        match lower::line(&mut names, &mut items, number, text) {
            Ok(new) => body.extend(new.into_iter().map(Arc::new)),
            Err(fault) => return Err(format!("line {number} is not lowered: {:?}", fault.kind)),
        }
        while functions < items.functions.len() {
            let function = items.function(FunctionId(functions as u32));
            if let Err(fault) = check::function(&items, function) {
                return Ok(Err(fault));
            }
            functions += 1;
        }
        let verdict = judge.judge(&items, names.locals(), &body, before);
        let anew = check::Judge::default().judge(&items, names.locals(), &body, 0);
        assert_eq!(verdict, anew, "{}: a judge who remembers says something else", program.title);
        if let Err(fault) = verdict {
            return Ok(Err(fault));
        }
    }
    Ok(Ok(()))
}

/// The checker's verdict.
fn judged(program: &Program) -> Result<Verdict, String> {
    Ok(match fault_of(program)? {
        Ok(()) => Verdict::Accepted,
        Err(fault) => {
            let is_limit = matches!(fault.wrong, check::Wrong::Limit { .. });
            let code = if is_limit { "limit" } else { fault.code().unwrap_or("lifetime") };
            Verdict::Refused(code.to_owned(), fault.at.line)
        }
    })
}

/// What rustc says of each program: one crate, a function each.
fn judged_by_rustc(programs: &[Program]) -> Vec<Verdict> {
    let mut source = "#![allow(warnings)]\nuse std::rc::*; use std::cell::*;\n".to_owned();
    let mut starts = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        writeln!(source, "fn program_{number}() {{").expect("a string takes all");
        starts.push(source.lines().count() as u64);
        for line in &program.lines {
            source.push_str(line);
            source.push('\n');
        }
        // Scopes left open are closed.
        let braces = |brace| program.lines.iter().filter(|line| line.trim() == brace).count();
        source.push_str(&"}".repeat(1 + braces("{") - braces("}")));
        source.push('\n');
    }
    source.push_str("fn main() {}\n");
    let directory = env!("CARGO_TARGET_TMPDIR");
    let path = format!("{directory}/borrows.rs");
    std::fs::write(&path, &source).expect("the test can write its source");
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--emit=metadata", "--error-format=json", "--out-dir"])
        .args([directory, &path])
        .stdout(Stdio::null())
        .output()
        .expect("rustc is there, since cargo runs");
    let mut verdicts: Vec<_> = programs.iter().map(|_| Verdict::Accepted).collect();
    for line in String::from_utf8(output.stderr).expect("rustc speaks UTF-8").lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("rustc speaks JSON");
        let spans = message["spans"].as_array().expect("a message has spans");
        let Some(mut span) = spans.iter().find(|span| span["is_primary"] == true) else { continue };
        // What a macro of std does is done where it is called.
        while span["file_name"] != path {
            span = &span["expansion"]["span"];
        }
        assert_eq!(message["level"], "error", "{}", message["rendered"]);
        let line = span["line_start"].as_u64().expect("a line is a number");
        let index = starts.partition_point(|start| *start < line) - 1;
        let code = message["code"]["code"].as_str().unwrap_or("lifetime").to_owned();
        let of_program = (line - starts[index]) as u32;
        let is_first = match &verdicts[index] {
            Verdict::Accepted => true,
            Verdict::Refused(_, other) => of_program < *other,
        };
        if is_first {
            verdicts[index] = Verdict::Refused(code, of_program);
        }
    }
    verdicts
}

/// What each refused program is told. Read the snapshot as a user would.
#[test]
fn each_refusal_is_told_in_words() {
    let mut told = String::new();
    for program in programs() {
        let Ok(Err(fault)) = fault_of(&program) else { continue };
        let line = |line: u32| format!("line {line} (`{}`)", program.lines[line as usize - 1]);
        let code = fault.code().map_or_else(String::new, |code| format!("[{code}]"));
        writeln!(told, "{}", program.lines[fault.at.line as usize - 1])
            .expect("a string takes all");
        let start = " ".repeat(fault.at.start as usize);
        let mark = "^".repeat((fault.at.end - fault.at.start).max(1) as usize);
        writeln!(told, "{start}{mark} error{code}: {}", fault.told(&line))
            .expect("a string takes all");
        let hint = fault.hint().unwrap_or_default();
        writeln!(told, "    Try: {hint}\n").expect("a string takes all");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn each_program_is_refused_as_rustc_refuses_it() {
    let programs = programs();
    let mut wrong = String::new();
    for (program, rustc) in programs.iter().zip(judged_by_rustc(&programs)) {
        let ours = judged(program).map_or_else(|fault| fault, |verdict| verdict.to_string());
        let (expected, rustc) = (program.expected.to_string(), rustc.to_string());
        if ours != expected || rustc != expected {
            let lines = program.lines.join("\n    ");
            let title = &program.title;
            writeln!(wrong, "{title}: table {expected}, rustc {rustc}, ours {ours}\n    {lines}")
                .expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "of {} programs:\n{wrong}", programs.len());
}
