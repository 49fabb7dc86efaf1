//! The proof against rustc: programs print what they print when rustc compiles them, and are refused where it refuses.
//!
//! `RUST_PROGRAMS` and `RUST_FAULTS` say how many random programs are written, `RUST_SEED` where they begin.

/// Where the two differ.
mod agreement;
/// Hand-picked programs.
mod cases;
/// Random numbers.
mod dice;
/// Random programs.
mod generate;
/// The machine that the interpreter runs on.
#[path = "../machine/mod.rs"]
mod machine;
/// Programs as lines, and what is smaller than one.
mod program;
/// The interpreter.
mod prompt;
/// The real compiler.
mod rustc;

use agreement::assert_none;
use generate::Habits;

/// As many seeds as the environment says.
fn seeds(variable: &str, default: u64) -> std::ops::Range<u64> {
    let number = |variable: &str| {
        let text = std::env::var(variable).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
    };
    let first = number("RUST_SEED").unwrap_or(0);
    first..first + number(variable).unwrap_or(default)
}

#[test]
fn random_programs_print_what_rustc_s_print() {
    let programs: Vec<_> =
        seeds("RUST_PROGRAMS", 40).map(|seed| generate::program(seed, Habits::default())).collect();
    assert_none(&programs);
}

#[test]
fn a_fault_woven_into_a_random_program_is_refused_as_rustc_refuses_it() {
    let faults = cases::faults();
    let programs: Vec<_> = seeds("RUST_FAULTS", 40)
        .map(|seed| generate::woven(seed, &faults[seed as usize * 7 % faults.len()]))
        .collect();
    assert_none(&programs);
}

#[test]
fn a_program_that_looks_neither_at_moves_nor_at_borrows_is_refused_as_rustc_refuses_it() {
    let habits = Habits { reckless_percent: 5, ..Habits::default() };
    let programs: Vec<_> =
        seeds("RUST_FAULTS", 40).map(|seed| generate::program(seed + 1_000_000, habits)).collect();
    assert_none(&programs);
}

#[test]
fn each_case_agrees() {
    let cases = cases::programs().into_iter().chain(cases::library()).chain(cases::faults());
    let programs: Vec<_> = cases.map(|case| case.program()).collect();
    assert_none(&programs);
}

#[test]
fn rustc_says_of_each_case_what_its_heading_says() {
    let faults = cases::faults();
    let fine = cases::programs().into_iter().chain(cases::library());
    let cases: Vec<_> = faults.into_iter().chain(fine).collect();
    let programs: Vec<_> = cases.iter().map(|case| case.program().lines()).collect();
    let mut wrong = String::new();
    for (case, refusals) in cases.iter().zip(rustc::judge(&programs)) {
        let is_code = |word: &str| word.starts_with("E0") || word == "lifetime";
        let expected = case.heading.split(' ').next().filter(|word| is_code(word));
        let found = refusals.first().map(|refusal| &refusal.code[..]);
        if expected != found {
            wrong += &format!("{}: {refusals:#?}\n", case.heading);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_capacity_that_cannot_be_is_refused_where_rustc_builds_its_new() {
    for (line, code) in [
        ("let v = heapless::Vec::<u8, 256, u8>::new();", Some("E0080")),
        ("let v = heapless::Vec::<u8, 255, u8>::new();", None),
        ("let v = heapless::Vec::<u8, 65536, u16>::from_slice(&[1]);", Some("E0080")),
        ("let s: heapless::String<300, u8> = heapless::String::new();", Some("E0080")),
        ("let s = heapless::String::<300, u8>::try_from(\"\");", Some("E0080")),
        ("let d: heapless::Deque<u8, 0> = heapless::Deque::new();", Some("E0080")),
        ("let d: heapless::Deque<u8, 0>;", None),
    ] {
        let lines = [line.to_owned()];
        let ours = prompt::interpret(&lines).refusal.map(|refusal| refusal.code);
        assert_eq!((rustc::built(&lines).as_deref(), ours.as_deref()), (code, code), "{line}");
    }
}

#[test]
fn each_row_of_the_library_has_a_case() {
    let cases = cases::library();
    for row in interpreter::library::ROWS {
        let name = row.signature.strip_prefix("fn ").and_then(|text| text.split('(').next());
        let name = name.expect("a signature begins with a name");
        let of = match row.on {
            // Operators: no program calls them by name.
            "Deref" | "[..]" | "given" => continue,
            "*" => "",
            "{pool}" => "pool::",
            "{float}" | "f32" | "f64" => "float::",
            on if on.starts_with('[') => "slice::",
            on if on.starts_with('{') => "int::",
            "std::mem" => "mem::",
            on => &format!("{}::", on.split('<').next().expect("a type has a name")),
        };
        let wanted = format!("{of}{name}");
        let is_there = cases.iter().any(|case| case.heading.split(' ').any(|word| word == wanted));
        assert!(is_there, "no case is headed {wanted}");
    }
}

#[test]
fn the_generator_s_programs_are_nearly_all_accepted_by_rustc() {
    let programs: Vec<_> =
        (0..100).map(|seed| generate::program(seed, Habits::default()).lines()).collect();
    let verdicts = rustc::judge(&programs);
    let refused = verdicts.iter().flatten().count();
    assert!(refused <= 5, "{verdicts:#?}");
}
