//! The proof against rustc: programs print what they print when rustc compiles them, and are refused where it refuses.

/// Where the two differ.
mod agreement;
/// Random numbers.
mod dice;
/// Random programs.
mod generate;
/// Programs as lines, and what is smaller than one.
mod program;
/// The interpreter.
mod prompt;
/// The real compiler.
mod rustc;

use generate::Habits;

#[test]
fn look() {
    let count: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let start: u64 = std::env::var("START").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let reckless_percent = std::env::var("RECKLESS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let programs: Vec<_> = (start..start + count)
        .map(|seed| generate::program(seed, Habits { reckless_percent, is_bold: false }).lines())
        .collect();
    let time = std::time::Instant::now();
    let refusals = rustc::judge(&programs);
    println!("judged in {:?}", time.elapsed());
    let mut codes = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (number, (program, refusals)) in programs.iter().zip(&refusals).enumerate() {
        for refusal in refusals {
            codes.entry(refusal.code.clone()).or_default().push(format!("{number}: {} <- {}", refusal.message, program[refusal.line]));
        }
    }
    for (code, texts) in &codes {
        println!("{code}: {}", texts.len());
        for text in texts.iter().take(6) {
            println!("    {text}");
        }
    }
    let valid: Vec<_> = programs.iter().zip(&refusals).filter(|(_, r)| r.is_empty()).map(|(p, _)| p.clone()).collect();
    println!("{} of {} are valid", valid.len(), programs.len());
    if std::env::var("SHOW").is_ok() {
        for program in &valid {
            println!("-----\n{}", program.join("\n"));
        }
    }
    let time = std::time::Instant::now();
    let printed = rustc::run(&valid);
    println!("ran in {:?}", time.elapsed());
    let panics = printed.iter().filter(|p| p.iter().any(|l| l.starts_with("panicked: "))).count();
    println!("{panics} panic, {} lines", printed.iter().map(Vec::len).sum::<usize>());
    let mut messages = std::collections::BTreeMap::<String, usize>::new();
    for line in printed.iter().flatten().filter(|l| l.starts_with("panicked: ")) {
        *messages.entry(line.clone()).or_default() += 1;
    }
    println!("{messages:#?}");
}

#[test]
fn random() {
    let count: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let start: u64 = std::env::var("START").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let reckless_percent = std::env::var("RECKLESS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let programs: Vec<_> = (start..start + count)
        .map(|seed| generate::program(seed, Habits { reckless_percent, is_bold: false }))
        .collect();
    agreement::assert_none(&programs);
}
