//! What the real compiler says of programs, and what they print once it has compiled them.
//!
//! Many programs are one crate, a function each: rustc 1.95 resolves, types and borrow-checks every function of a crate,
//! mostly whatever it found in the others. Those it found nothing in are one crate again, until it finds nothing: two or
//! three runs judge hundreds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::machine::HEAPS_OF_RUSTC;

/// An error of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `E0382`; where the compiler gives none, `lifetime` or `syntax`.
    pub(crate) code: String,
    /// The program's line it is about, from 0.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The code of what has none: a mistake in grammar or in a macro's arguments.
const SYNTAX: &str = "syntax";

/// Behind the last line a program printed.
const END: &str = "\u{1}end";

/// Lints are none of the prompt's business: overflow that the compiler foresees is a panic there.
const HEAD: &str = "#![feature(allocator_api)]\
    #![allow(warnings, unconditional_panic, arithmetic_overflow, overflowing_literals)]";

/// The errors of each program, in the order of its lines; empty for one that the compiler accepts.
pub(crate) fn judge(programs: &[Vec<String>]) -> Vec<Vec<Refusal>> {
    let mut refusals = vec![Vec::new(); programs.len()];
    let mut unjudged: Vec<_> = (0..programs.len()).collect();
    loop {
        let sources: Vec<_> = unjudged.iter().map(|&number| &programs[number][..]).collect();
        let found = judge_crate(&sources);
        // After some errors the compiler does not go on to all that it would say of others.
        let mut clean = Vec::new();
        for (number, found) in unjudged.into_iter().zip(found) {
            if found.is_empty() {
                clean.push(number);
            }
            refusals[number] = found;
        }
        if clean.len() == sources.len() {
            return refusals;
        }
        unjudged = clean;
    }
}

fn judge_crate(programs: &[&[String]]) -> Vec<Vec<Refusal>> {
    let mut source = format!("{HEAD}\n{HEAPS_OF_RUSTC}fn main() {{}}\n");
    // Which program each line of the file belongs to, and the number it has there.
    let mut owners: Vec<Option<(usize, usize)>> = vec![None; source.lines().count()];
    for (number, lines) in programs.iter().enumerate() {
        source += &format!("fn p{number}() {{\n");
        owners.push(Some((number, 0)));
        for (at, line) in lines.iter().enumerate() {
            assert!(!line.contains('\n'), "a line is one line: {line}");
            source += line;
            source.push('\n');
            owners.push(Some((number, at)));
        }
        source += "}\n";
        owners.push(Some((number, lines.len().saturating_sub(1))));
    }
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("judge.rs");
    std::fs::write(&file, source).expect("the folder takes a file");
    let output = rustc(&file)
        .args(["--emit=metadata", "--error-format=json", "-o"])
        .arg(folder.path().join("judge.rmeta"))
        .output()
        .expect("rustc runs: cargo has just used it");
    let mut refusals = vec![Vec::new(); programs.len()];
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            panic!("rustc said: {line}");
        };
        if message["level"] != "error" {
            continue;
        }
        let Some(at) = line_of(&message) else { continue };
        let text = message["message"].as_str().unwrap_or_default().to_owned();
        let Some((program, line)) = owners.get(at - 1).copied().flatten() else {
            panic!("rustc complains of the harness itself, line {at}: {text}");
        };
        let code = match message["code"]["code"].as_str() {
            Some(code) => code,
            None if text.starts_with("lifetime") => "lifetime",
            None => SYNTAX,
        };
        refusals[program].push(Refusal { code: code.to_owned(), line, message: text });
    }
    for found in &mut refusals {
        found.sort_by_key(|refusal| refusal.line);
    }
    assert_eq!(
        output.status.success(),
        refusals.iter().all(Vec::is_empty),
        "rustc said something of no program:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    refusals
}

/// The line of the file a message is about: of its first primary span, or of the macro's use it lies in.
fn line_of(message: &Value) -> Option<usize> {
    let mut span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    while let Some(outer) = span["expansion"].get("span") {
        span = outer;
    }
    span["line_start"].as_u64().map(|line| line as usize)
}

/// What each program prints, panics included, when it is compiled as `cargo build` does and run. All must compile.
pub(crate) fn run(programs: &[Vec<String>]) -> Vec<Vec<String>> {
    if programs.is_empty() {
        return Vec::new();
    }
    let mut source = format!("{HEAD}\n{HEAPS_OF_RUSTC}\n");
    for (number, lines) in programs.iter().enumerate() {
        source += &format!("fn p{number}() {{\n{}\n}}\n", lines.join("\n"));
    }
    source += "fn main() {
        std::panic::set_hook(Box::new(|info| {
            println!(\"panicked: {}\", info.payload_as_str().unwrap_or(\"?\"));
        }));
        let programs: &[fn()] = &[";
    for number in 0..programs.len() {
        source += &format!("p{number}, ");
    }
    source += &format!(
        "];
        for program in programs {{
            let _ = std::panic::catch_unwind(program);
            println!({END:?});
        }}
    }}\n"
    );
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let (file, binary) = (folder.path().join("run.rs"), folder.path().join("run"));
    std::fs::write(&file, source).expect("the scratch folder takes a file");
    let output = rustc(&file)
        .args(["-C", "debug-assertions=on", "-C", "overflow-checks=on", "-C", "opt-level=0"])
        .args(["-C", "debuginfo=0", "-o"])
        .arg(&binary)
        .output()
        .expect("rustc runs: cargo has just used it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new(&binary).stderr(Stdio::inherit()).output().expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("println writes UTF-8");
    let mut printed: Vec<_> = text
        .split(&format!("{END}\n"))
        .map(|part| part.lines().map(str::to_owned).collect())
        .collect();
    printed.pop();
    assert!(
        printed.len() == programs.len(),
        "{}: the program died after {text:?} of\n{}",
        output.status,
        programs[printed.len()].join("\n")
    );
    printed
}

/// The first error of a program that is not only judged but built: some constants are computed no earlier.
pub(crate) fn built(program: &[String]) -> Option<String> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("built.rs");
    let source = format!("{HEAD}\nfn main() {{\n{}\n}}\n", program.join("\n"));
    std::fs::write(&file, source).expect("the folder takes a file");
    let output = rustc(&file)
        .args(["--emit=obj", "--error-format=json", "-o"])
        .arg(folder.path().join("built.o"))
        .output()
        .expect("rustc runs: cargo has just used it");
    let text = String::from_utf8_lossy(&output.stderr);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut errors = messages.filter(|message| message["level"] == "error");
    errors.find_map(|message| message["code"]["code"].as_str().map(str::to_owned))
}

/// The compiler that built this test, told of a file and of heapless. std's `Allocator` is not stable.
fn rustc(file: &Path) -> Command {
    let mut command = Command::new(option_env!("RUSTC").unwrap_or("rustc"));
    command.env("RUSTC_BOOTSTRAP", "1");
    command.arg("--edition=2024").arg("--crate-type=bin").arg("--cap-lints=allow").arg(file);
    let folder = HEAPLESS.parent().expect("a file lies in a folder");
    command.arg("--extern").arg(format!("heapless={}", HEAPLESS.display()));
    command.arg("-L").arg(format!("dependency={}", folder.display()));
    command
}

/// The real crate as `Cargo.lock` names it, compiled. A package of its own has it built the same however these tests are.
static HEAPLESS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heapless");
    std::fs::create_dir_all(&folder).expect("the target folder takes a folder");
    let manifest = "[package]\nname = \"needs-heapless\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
                    [dependencies]\nheapless = { version = \"0.9\", features = [\"portable-atomic\"] }\n[workspace]\n";
    let lock = include_str!("../../../../Cargo.lock");
    for (name, text) in [("Cargo.toml", manifest), ("lib.rs", ""), ("Cargo.lock", lock)] {
        std::fs::write(folder.join(name), text).expect("the folder takes a file");
    }
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--target-dir=target", "--message-format=json"])
        .current_dir(&folder)
        .output()
        .expect("cargo runs: it has just run this test");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut files = messages
        .filter(|message| message["target"]["name"] == "heapless")
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from));
    files
        .find(|file| file.extension().is_some_and(|end| end == "rlib"))
        .unwrap_or_else(|| panic!("no heapless: {}", String::from_utf8_lossy(&output.stderr)))
});
