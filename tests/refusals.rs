use engine::Session;

use crate::{exchange, play, snapshot, state};

/// Lines that come before, the line that is refused, its code.
type Case = (&'static [&'static str], &'static str, &'static str);

const CHECKERED: &[&str] = &[
    "alloc 40",
    "alloc 24",
    "alloc 96",
    "alloc 16",
    "alloc 304",
    "alloc 16",
    "free a",
    "free c",
    "free e",
    "alloc 200",
];

const CASES: &[Case] = &[
    (&[], "alloc", "bad-argument"),
    (&[], "alloc 0", "zero-size"),
    (&[], "alloc -1", "bad-argument"),
    (&[], "alloc 99999999999999999999", "size-overflow"),
    (&[], "alloc 18446744073709551615", "size-overflow"),
    (&[], "alloc 9223372036854775807", "size-overflow"),
    (&[], "alloc 8 align 3", "bad-align"),
    (&[], "alloc 8 align 131072", "bad-align"),
    (&[], "alloc 8 align", "bad-argument"),
    (&[], "alloc 4KB", "bad-argument"),
    (&[], "alloc 8 9", "bad-argument"),
    (&[], "alloc 200; sp", "bad-argument"),
    (&[], "alloc 8 as let", "bad-argument"),
    (&["alloc 8"], "alloc 8 as a", "bad-argument"),
    (&["alloc 200"], "alloc 2000", "out-of-memory"),
    (&[], "alloc 3G", "out-of-memory"),
    (&["use bump", "alloc 1000", "free a", "alloc 900 as b"], "alloc 200", "out-of-memory"),
    (CHECKERED, "alloc 500", "fragmented"),
    (&[], "free", "bad-argument"),
    (&[], "free zz", "unknown-handle"),
    (&["alloc 8 as table"], "free tabel", "unknown-handle"),
    (&[], "free a-8", "bad-argument"),
    (&["alloc 200"], "free a+8", "interior-pointer"),
    (&["alloc 200", "alias q = a+8"], "free q", "interior-pointer"),
    (&["use system"], "alloc 2K", "out-of-memory"),
    (&[], "use fallback(system, bump)", "unsupported"),
    (&["alloc 200"], "free 0x10", "foreign-pointer"),
    (&["alloc 200"], "free 0x1000_0000", "foreign-pointer"),
    (&["alloc 200"], "free a+500", "foreign-pointer"),
    (&["push 8"], "free s1", "foreign-pointer"),
    (&["alloc 200"], "free a size 64", "wrong-layout"),
    (&["alloc 200"], "free a size 200 align 16", "wrong-layout"),
    (&["alloc 200"], "free a align 8", "bad-argument"),
    (&["alloc 200", "free a"], "free a", "double-free"),
    (&["alloc 200", "free a"], "free 0x1000_0008", "double-free"),
    (&["alloc 200", "alias q = a", "free a"], "free q", "double-free"),
    (&["alloc 200", "free a"], "read a", "use-after-free"),
    (&["alloc 200", "free a"], "write a 1", "use-after-free"),
    (&["alloc 200", "free a"], "realloc a 400", "double-free"),
    (&["alloc 200", "free a", "alloc 8"], "free a", "stale-handle"),
    (&["alloc 200", "free a", "alloc 8"], "write a 1", "stale-handle"),
    (&["alloc 200", "use bump"], "read a", "stale-handle"),
    (&["alloc 200", "heap new 2K"], "free a", "stale-handle"),
    (&["alloc 200", "alloc 8", "alias q = a", "realloc a 400"], "read q", "use-after-free"),
    (&["alloc 200"], "realloc a 0", "zero-size"),
    (&["alloc 200"], "realloc a 99999", "out-of-memory"),
    (&["alloc 200"], "write a at 200 7", "out-of-bounds"),
    (&["alloc 200"], "write a at 199 1 2", "out-of-bounds"),
    (&["alloc 200"], "write a 256", "bad-argument"),
    (&["alloc 200"], "write a \"", "bad-argument"),
    (&["alloc 200"], "write a \"\"", "bad-argument"),
    (&["alloc 200"], "read a", "uninitialised"),
    (&["alloc 200 zeroed"], "read a 201", "out-of-bounds"),
    (&["alloc 200 zeroed"], "read a at 300", "out-of-bounds"),
    (&["push 8"], "read s1", "uninitialised"),
    (&["push 8", "pop"], "read s1", "use-after-return"),
    (&["call f", "push x = 1", "ret"], "write x 1", "use-after-return"),
    (&["alloc 8"], "alias q a", "bad-argument"),
    (&[], "alias q = zz", "unknown-handle"),
    (&[], "use nope", "unknown-heap"),
    (&[], "use bmp", "unknown-heap"),
    (&[], "use bump size=3", "bad-argument"),
    (&[], "use", "bad-argument"),
    (&[], "use first-fit order=random", "bad-argument"),
    (&[], "use first-fit order", "bad-argument"),
    (&[], "use first-fit header=none header=tags", "bad-argument"),
    (&[], "use pool 7", "bad-argument"),
    (&[], "use pool 16,8", "bad-argument"),
    (&[], "use pool 12", "bad-argument"),
    (&[], "use pool 8,16,24,32,40,48,56,64,72,80,88,96,104,112,120,128,136", "bad-argument"),
    (&[], "use pool 99999999999999999999", "bad-argument"),
    (&[], "use guard", "bad-argument"),
    (&[], "use guard()", "bad-argument"),
    (&[], "use guard(nope)", "unknown-heap"),
    (&[], "use guard(bump", "bad-argument"),
    (&[], "use guard(bump))", "bad-argument"),
    (&[], "use guard(bump) quarantine=33", "bad-argument"),
    (&[], "use fallback(bump)", "bad-argument"),
    (&[], "use split-by-size(0, bump, tlsf)", "bad-argument"),
    (&[], "use split-by-size(bump, tlsf)", "bad-argument"),
    (
        &[],
        "use locked(locked(locked(locked(locked(locked(locked(locked(locked(bump)))))))))",
        "too-deep",
    ),
    (&["heap new 16"], "use tlsf", "bad-argument"),
    (&["heap new 16"], "use fallback(bump, bump)", "bad-argument"),
    (&[], "use size-classes", "bad-argument"),
    (&[], "use talc", "bad-argument"),
    (&["use rlsf"], "heap grow 1K", "unsupported"),
    (&["use rlsf"], "mark", "unsupported"),
    (&["use rlsf", "alloc 100", "free a"], "free a", "double-free"),
    (&["use rlsf", "alloc 100"], "alloc 1000", "out-of-memory"),
    (&["use stack", "alloc 8", "alloc 8"], "free a", "not-lifo"),
    (&["use stack", "alloc 8", "alloc 8"], "realloc a 16", "not-lifo"),
    (&["use pool 16,64,512"], "alloc 513", "unsupported"),
    (&["use bumpalo"], "alloc 8 align 64", "unsupported"),
    (&["alloc 8", "free a"], "free a", "double-free"),
    (
        &["use pool 16,64", "heap new 64", "alloc 16", "alloc 16", "free a", "free b"],
        "alloc 64",
        "out-of-memory",
    ),
    (
        &["use buddy", "alloc 200", "alloc 200", "alloc 200", "alloc 200", "free a", "free c"],
        "alloc 300",
        "fragmented",
    ),
    (&["use guard(first-fit)", "alloc 8", "free a"], "free a", "double-free"),
    (&["use guard(first-fit)", "alloc 8"], "write a at 8 1", "out-of-bounds"),
    (&["use fallback(bump, tlsf)", "alloc 8"], "alloc 8 align 1024", "fragmented"),
    (&[], "heaps nope", "unknown-heap"),
    (&[], "why", "nothing-to-explain"),
    (&[], "try", "bad-argument"),
    (&[], "try map", "bad-argument"),
    (&[], "try // nothing", "bad-argument"),
    (&[], "try try alloc 8", "bad-argument"),
    (&[], "try alloc x", "bad-argument"),
    (&[], "try undo", "bad-argument"),
    (&["alloc 8"], "dare free a", "bad-argument"),
    (&["alloc 8"], "dare alloc 0", "bad-argument"),
    (&[], "dare free zz", "unknown-handle"),
    (&["alloc 8", "free a"], "dare dare free a", "bad-argument"),
    (&[], "dare let x = 8;", "bad-argument"),
    (&[], "heap", "bad-argument"),
    (&[], "heap shrink 5", "bad-argument"),
    (&[], "heap new 0", "bad-argument"),
    (&[], "heap new 2G", "bad-argument"),
    (&[], "heap grow 1G", "bad-argument"),
    (&[], "mark", "unsupported"),
    (&[], "reset", "unsupported"),
    (&["use bump", "mark", "alloc 8", "mark", "reset m1"], "reset m2", "stale-handle"),
    (&["use bump", "alloc 8", "mark", "free a", "alloc 100"], "reset m1", "stale-handle"),
    (&["use bump grow=down", "alloc 8", "mark", "free a", "alloc 100"], "reset m1", "stale-handle"),
    (&["use stack", "alloc 8", "mark", "realloc a 100"], "reset m1", "stale-handle"),
    (&["use bump"], "reset m1", "unknown-handle"),
    (&[], "push [0u8; n]", "E0435"),
    (&[], "push [0u8; 70000]", "stack-overflow"),
    (&[], "push 18446744073709551615", "size-overflow"),
    (&[], "push 300u8", "bad-argument"),
    (&[], "push [1u8, true]", "E0308"),
    (&[], "push \"text\"", "bad-argument"),
    (&[], "push -1", "bad-argument"),
    (&[], "pop", "stack-underflow"),
    (&["call f"], "pop", "stack-underflow"),
    (&[], "ret", "stack-underflow"),
    (&[], "call f 70000", "stack-overflow"),
    (&[], "call 3", "bad-argument"),
    (&[], "stack new 1G", "bad-argument"),
    (&[], "stack old", "bad-argument"),
    (&["let mut items = [0u8; 200];"], "items[0] = 300;", "overflowing-literals"),
    (&["let items = [0u8; 200];"], "items[0] = 10;", "E0594"),
    (&["let x = 8;"], "x = true;", "E0308"),
    (&["let x = 8;"], "x[0] = 1;", "E0608"),
    (&[], "x = 1;", "E0425"),
    (&["alloc 8"], "a[0] = 1;", "E0425"),
    (&["alloc 8"], "let a = 1;", "bad-argument"),
    (&["let a = 1;"], "alloc 8 as a", "bad-argument"),
    (&["let v = vec![0u8; 200];", "drop(v)"], "v.len()", "E0382"),
    (&["let mut v = vec![1, 2];", "let r = &v[0];", "v.push(3);"], "println!(\"{r}\")", "E0502"),
    (&[], "let r;", "E0282"),
    (&["let r: &i32;", "{", "let x = 5;", "r = &x;", "}"], "println!(\"{r}\")", "E0597"),
    (&["let n = 5usize;"], "let items = [0u8; n];", "E0435"),
    (&["let v = vec![0u8; 200];"], "free h1", "owned"),
    (&["let v = vec![0u8; 200];"], "realloc h1 8", "owned"),
    (&["let v = vec![0u8; 200];"], "write h1 1", "owned"),
    (&["let v = vec![0u8; 200];"], "write v 1", "owned"),
    (&["let v = vec![0u8; 200];"], "use bump", "rust-lives"),
    (&["let v = vec![0u8; 200];"], "heap new 4K", "rust-lives"),
    (&["let v = Vec::<u8, _>::new_in(&first_fit);"], "use bump", "rust-lives"),
    (&["let b = Box::new_in(7, &bump);"], "use bump", "rust-lives"),
    (&["let b = Box::new_in(7, &bump);"], "free h1", "owned"),
    (
        &["let b = Box::new_in(7, &bump);"],
        "Vec::<u8, _>::with_capacity_in(2000, &bump)",
        "out-of-memory",
    ),
    (&["let b = Box::new_in(7, &bump);"], "let c: Box<i32> = b;", "E0308"),
    (&[], "let v = Vec::<u8, _>::new_in(&pond);", "E0425"),
    (&[], "let v = Vec::<u8, _>::new_in(&system);", "unsupported"),
    (&[], "let h = &bump;", "unsupported-rust"),
    (&[], "stats bump", "unknown-heap"),
    (&["let x = 5;"], "stack new 4K", "rust-lives"),
    (&["call f", "let x = 5;"], "ret", "rust-lives"),
    (&["use bump", "let v = vec![0u8; 200];"], "reset", "rust-lives"),
    (&[], "let v = vec![0u8; 2000];", "out-of-memory"),
    (&[], "let a = [0u8; 70000];", "stack-overflow"),
    (&[], "let a = [0u8; 9223372036854775807];", "size-overflow"),
    (&["fn f(x: u32) -> u32 { f(x + 1) }"], "f(0)", "stack-overflow"),
    (&[], "loop {}", "too-many-steps"),
    (&[], "}", "unsupported-rust"),
    (&[], "let x = ;", "unsupported-rust"),
    (&[], "let f = |x: u32| x;", "unsupported-rust"),
    (&[], "unsafe{}", "unsupported-rust"),
    (&[], "let r: &'static i32 = &5;", "unsupported-rust"),
    (
        &[],
        "let x = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1;",
        "too-deep",
    ),
    (&["let b = vec![1].into_boxed_slice();"], "let c = Box::new(*b);", "E0277"),
    (&[], "let s = \"a\" + \"b\";", "E0369"),
    (&[], "use std::rc::Rd;", "E0432"),
    (&[], "let v: Vec<u8> = vec![1u32];", "E0308"),
    (&["let v = vec![1];"], "v.push(2)", "E0596"),
    (&["let v = vec![1];"], "v.poush(2)", "E0599"),
    (&["let s = String::from(\"a\");"], "println!(\"{:x}\", s)", "E0277"),
    (&[], "let v: heapless::Vec<u8, 4> = heapless::Vec::<u8, 8>::new();", "E0308"),
    (&[], "let v: heapless::Vec<u8> = heapless::Vec::new();", "E0107"),
    (&[], "let v: heapless::Vec<4, u8>;", "E0747"),
    (&[], "let v = heapless::Vec::<u8, 256, u8>::new();", "E0080"),
    (&[], "let v = heapless::Vec::<u8, _>::new();", "E0284"),
    (&[], "let v = heapless::Vec::new();", "E0283"),
    (&["struct S;", "let v: heapless::Vec<S, 1> = heapless::Vec::new();"], "v.clone()", "E0624"),
    (&[], "use heapless::LinearMap;", "unsupported-rust"),
    (&["struct S { x: u8 }"], "heapless::box_pool!(P: S);", "E0446"),
    (&[], "let b: Option<heapless::pool::boxed::Box<u8>> = None;", "E0277"),
    (&[], "dump 0x10", "foreign-pointer"),
    (&["alloc 8"], "dump a 0", "bad-argument"),
    (&[], "undo", "nothing-to-undo"),
    (&["alloc 8"], "undo 5", "nothing-to-undo"),
    (&[], "redo", "nothing-to-redo"),
    (&["alloc 8"], "goto 99", "no-such-line"),
    (&[], "goto x", "bad-argument"),
    (&["alloc 8"], "undo 0", "bad-argument"),
    (&[], "undo 99999999999999999999", "bad-argument"),
    (&["use bump", "mark"], "read m1", "unknown-handle"),
    (&["use bump", "alloc 5", "mark", "use bump"], "reset m1", "stale-handle"),
    (&["alloc 8", "free a", "heap new 1K"], "read a", "stale-handle"),
    (&["alloc 8", "alias p = a+4", "write p 1"], "read p 4", "uninitialised"),
    (&["alloc 8", "alias p = a+4"], "write p at 4 1", "out-of-bounds"),
    (&["alloc 8"], "write a+4 at 4 1", "out-of-bounds"),
    (&["alloc 8"], "write 0x1000_000c at 4 1", "out-of-bounds"),
    (&["alloc 8"], "write a at 99999999999999999999 1", "bad-argument"),
    (&["alloc 8"], "write a at -1 1", "bad-argument"),
    (&["alloc 8 zeroed"], "read a 0", "bad-argument"),
    (&["stack new 64", "push 1", "push 55"], "push u64", "stack-overflow"),
    (&["stack new 64", "call f 24"], "call f 24", "stack-overflow"),
    (&[], "push 1e308f32", "bad-argument"),
    (&[], "alloc 8 align 65536", "out-of-memory"),
    (&["heap new 1G", "alloc 1073741816"], "alloc 8", "out-of-memory"),
    (&[], "export html x", "bad-argument"),
    (&[], "help alocc", "unknown-command"),
    (&[], "aloc 200", "unknown-command"),
    (&[], "mpa", "unsupported-rust"),
    (&[], "frobnicate 12", "unsupported-rust"),
    (&[], "🦀", "unsupported-rust"),
    (&[], "alloc 🦀", "bad-argument"),
    (&[], "alloc 8\u{7}", "bad-input"),
    (&[], "alloc\0 8", "bad-input"),
    (&[], "alloc \u{fffd}", "bad-input"),
];

#[test]
fn every_mistake_is_named_and_changes_nothing() {
    let mut texts = Vec::new();
    for (setup, line, code) in CASES {
        let mut session = Session::default();
        for line in *setup {
            let reply = play(&mut session, line).expect("a setup line is no comment");
            assert!(reply.is_ok(), "{line}: {reply:?}");
        }
        let before = state(&mut session);
        let lines = session.lines();
        let reply = play(&mut session, line).expect("a mistake is no comment");
        let problem = reply.outcome.as_ref().expect_err(line);
        assert_eq!(problem.code(), *code, "{line}: {problem}");
        assert!(
            problem.span.end <= line.len()
                && line.get(problem.span.start..problem.span.end).is_some(),
            "{line}"
        );
        assert_eq!(session.lines(), lines, "`{line}` was refused and logged");
        assert_eq!(state(&mut session), before, "`{line}` was refused and changed something");
        texts.push(render::Style::default().exchange(&reply));
    }
    snapshot("refusals", &texts.join("\n"));
}

/// What `try` lists before a line is refused is every check, in the order they are made.
#[test]
fn a_dry_run_of_every_mistake_names_the_check_it_fails() {
    for (setup, line, code) in CASES {
        let Some(command) = engine::find(line.split_whitespace().next().unwrap_or_default()) else {
            continue;
        };
        if command.checks.is_empty() || ["bad-argument", "bad-input"].contains(code) {
            continue;
        }
        let mut session = Session::default();
        for line in *setup {
            play(&mut session, line);
        }
        let before = state(&mut session);
        let reply = play(&mut session, &format!("try {line}")).expect("a dry run answers");
        let text = render::Style::default().exchange(&reply);
        if let Err(problem) = &reply.outcome {
            // A word that cannot be read is refused before there is anything to try.
            assert_eq!(problem.code(), *code, "{line}: {text}");
        } else {
            let failed = text.lines().find(|line| line.trim_start().starts_with("NO"));
            assert!(failed.is_some_and(|line| line.ends_with(code)), "{line}: {code}\n{text}");
        }
        assert_eq!(state(&mut session), before, "`try {line}` changed something");
    }
}

/// Whatever is forbidden can be dared, on each heap of ours; the session is as it was, and a check is still sound.
#[test]
fn every_misuse_can_be_dared_on_every_heap_of_ours() {
    const SETUP: &[&str] = &[
        "alloc 40",
        "alloc 24",
        "alloc 100",
        "write b 1 2 3",
        "alloc 16",
        "free d",
        "alias q = c",
    ];
    const DARED: &[&str] = &[
        "free d",
        "free b+8",
        "free 0x10",
        "free 0x1000_0002",
        "free b size 100",
        "free b size 24 align 64",
        "write b at 24 \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
        "write d 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff",
        "write d 0 0 0 0 0 0 0 0",
        "write 0x1000_0000 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff 0xff",
        "write a at 4000 1",
        "read d",
        "read a",
        "read c at 90 40",
        "realloc d 200",
        "realloc d 4",
    ];
    let mut transcript = Vec::new();
    // A panic in a dare is an answer, as in the shell.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !engine::is_daring() {
            report(panic);
        }
    }));
    for spec in crate::heaps::specs().iter().filter(|spec| !spec.is_foreign()) {
        let mut session = crate::heaps::using(spec);
        for line in SETUP {
            let reply = play(&mut session, line).expect("no comment");
            let code = reply.outcome.as_ref().err().map(engine::Problem::code);
            assert!(reply.is_ok() || code == Some("not-lifo"), "{spec}: {line}");
        }
        for line in DARED {
            let before = state(&mut session);
            let reply = play(&mut session, &format!("dare {line}")).expect("no comment");
            if let Err(problem) = &reply.outcome {
                assert_eq!(problem.code(), "bad-argument", "{spec}: {line}: {problem}");
            }
            assert_eq!(state(&mut session), before, "{spec}: `dare {line}` changed something");
            if spec.to_string() == "first-fit" || spec.to_string() == "tlsf" {
                transcript.push(render::Style::default().exchange(&reply));
            }
        }
    }
    snapshot("dares", &transcript.join("\n"));
}

#[test]
fn a_line_of_a_mebibyte_and_one_of_many_brackets_are_refused() {
    let mut session = Session::default();
    for (line, code) in [("x".repeat(1 << 20), "too-long"), ("(".repeat(65), "too-deep")] {
        let reply = play(&mut session, &line).unwrap();
        assert_eq!(reply.outcome.as_ref().unwrap_err().code(), code);
        assert!(render::Style::default().exchange(&reply).len() < 1000);
        assert!(render::json(&reply).len() < 1000);
    }
}

#[test]
fn nothing_typed_at_random_panics() {
    use proptest::prelude::*;
    let words = prop::sample::select(vec![
        "alloc",
        "free",
        "realloc",
        "write",
        "read",
        "alias",
        "use",
        "heap",
        "mark",
        "reset",
        "push",
        "pop",
        "call",
        "ret",
        "dump",
        "undo",
        "redo",
        "goto",
        "let",
        "a",
        "b",
        "s1",
        "m1",
        "q",
        "=",
        "==",
        "+",
        "at",
        "align",
        "as",
        "zeroed",
        "size",
        "new",
        "grow",
        "all",
        "fp",
        "bump",
        "first-fit",
        "0",
        "1",
        "8",
        "200",
        "-1",
        "0x1000_0008",
        "0xffff_ff37",
        "99999999999999999999",
        "[0u8; 200]",
        "[1, 2]",
        "[[0u8; 2]; 3]",
        "u64",
        "'x'",
        "'",
        "\"hi\"",
        "\"",
        "a+8",
        "x[0]",
        ";",
        "?",
        "[",
        "]",
        "é",
        "4K",
        "1G",
        "3.5",
        "true",
        "i32",
        ":",
    ]);
    let line = prop::collection::vec(words, 0..6).prop_map(|words| words.join(" "));
    let anything = prop_oneof![3 => line, 1 => "\\PC{0,20}"];
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::with_cases(300),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&prop::collection::vec(anything, 1..30), |lines| {
            let mut session = Session::default();
            for line in &lines {
                if let Some(reply) = play(&mut session, line) {
                    for ascii in [false, true] {
                        let style = render::Style { ascii, ..Default::default() };
                        let text = style.exchange(&reply);
                        prop_assert!(!ascii || text.is_ascii(), "{text}");
                    }
                }
                for end in line.char_indices().map(|(at, _)| at) {
                    session.complete(&line[..end]);
                    session.hint(&line[..end]);
                }
            }
            let sound = exchange(&mut session, "check");
            prop_assert!(sound.contains("is sound"), "{sound}");
            Ok(())
        })
        .unwrap();
}
