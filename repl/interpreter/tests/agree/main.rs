//! The proof against rustc: programs print what they print when rustc compiles them, and are refused where it refuses.

/// Where the two differ.
mod agreement;
/// The machine that the interpreter runs on.
mod bench;
/// Hand-picked programs.
mod cases;
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
            codes
                .entry(refusal.code.clone())
                .or_default()
                .push(format!("{number}: {} <- {}", refusal.message, program[refusal.line]));
        }
    }
    for (code, texts) in &codes {
        println!("{code}: {}", texts.len());
        for text in texts.iter().take(6) {
            println!("    {text}");
        }
    }
    let valid: Vec<_> = programs
        .iter()
        .zip(&refusals)
        .filter(|(_, r)| r.is_empty())
        .map(|(p, _)| p.clone())
        .collect();
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

#[test]
fn rustc_says_of_each_case_what_its_heading_says() {
    let faults = cases::faults();
    let programs: Vec<_> = faults.iter().map(|case| case.program().lines()).collect();
    let mut wrong = String::new();
    for ((case, lines), refusals) in faults.iter().zip(&programs).zip(rustc::judge(&programs)) {
        let is_right = refusals.first().is_some_and(|first| case.heading.starts_with(&first.code));
        if !is_right {
            wrong += &format!("{}\n    {}\n{refusals:#?}\n", case.heading, lines.join("\n    "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rustc_accepts_every_case() {
    let cases: Vec<_> = cases::programs().into_iter().chain(cases::library()).collect();
    let programs: Vec<_> = cases.iter().map(|case| case.program().lines()).collect();
    let mut wrong = String::new();
    for (case, refusals) in cases.iter().zip(rustc::judge(&programs)) {
        if !refusals.is_empty() {
            wrong += &format!("{}\n{refusals:#?}\n", case.heading);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (case, printed) in cases.iter().zip(rustc::run(&programs)) {
        let panics = printed.iter().any(|line| line.starts_with("panicked: "));
        let is_meant = case.heading.contains("panic");
        assert_eq!(panics, is_meant, "{}: {printed:#?}", case.heading);
    }
}

#[test]
fn hand_picked() {
    let cases = cases::programs().into_iter().chain(cases::library()).chain(cases::faults());
    let programs: Vec<_> = cases.map(|case| case.program()).collect();
    agreement::assert_none(&programs);
}

#[test]
fn woven_faults() {
    let count: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let start: u64 = std::env::var("START").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let faults = cases::faults();
    let programs: Vec<_> = (start..start + count)
        .map(|seed| generate::woven(seed, &faults[seed as usize * 7 % faults.len()]))
        .collect();
    agreement::assert_none(&programs);
}
