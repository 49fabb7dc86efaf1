use engine::Session;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::{play, state};

/// Lines of Rust that use the heap, and heaps by name. One is refused half-way, and one panics.
const RUST: &[&str] = &[
    "let mut v = vec![7u8; 40];",
    "v.push(1);",
    "v.extend([1, 2, 3]);",
    "v[300]",
    "drop(v);",
    "let s = String::from(\"kept\");",
    "let mut w = Vec::new_in(&bump); w.extend_from_slice(&[1u8, 2, 3]);",
    "w.resize(40, 9);",
    "drop(w);",
    "let t = Box::new_in(7u64, &tlsf); let u = Box::new_in(8u8, &rlsf);",
    "std::mem::forget(Box::new_in(9u16, &first_fit));",
    "{ let p = Box::new(7u64); let q = vec![0u8; 90]; }",
    "{ let p = vec![1u8; 60]; let q = vec![1u8; 100_000_000]; }",
];

/// Lines as people type them; some are refused, some only look.
fn line() -> impl Strategy<Value = String> {
    let handle = prop::sample::select(vec!["a", "b", "c", "d", "e", "q1", "q2", "s1", "s2"]);
    let size = 1..400u32;
    prop_oneof![
        4 => (size.clone(), 0..5u32).prop_map(|(size, shift)| format!("alloc {size} align {}", 1 << shift)),
        1 => size.clone().prop_map(|size| format!("alloc {size} zeroed")),
        4 => handle.clone().prop_map(|handle| format!("free {handle}")),
        2 => (handle.clone(), size.clone()).prop_map(|(handle, size)| format!("realloc {handle} {size}")),
        2 => (handle.clone(), 0..40u32).prop_map(|(handle, at)| format!("write {handle} at {at} 1 2 3")),
        1 => handle.clone().prop_map(|handle| format!("read {handle} 3")),
        1 => (1..3u32, handle.clone()).prop_map(|(n, handle)| format!("alias q{n} = {handle}")),
        1 => prop::sample::select(vec!["use bump", "use first-fit", "use system", "heap new 2K", "heap grow 512"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["mark", "reset", "reset m1", "stack new 1K"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["push", "push 3", "push [7u8; 20]", "push x = 8", "let y = 2.5;", "y = 3.5;"])
            .prop_map(str::to_owned),
        2 => prop::sample::select(RUST.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["pop", "call f 16", "call g 3 fp", "ret"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["map", "map bump", "blocks", "holes", "holes tlsf", "dump", "stats", "check", "help", "save f", "try alloc 40"])
            .prop_map(str::to_owned),
    ]
}

/// What a session may start with: our heaps, and those whose answers are never the same twice.
const OPENINGS: &[&str] = &[
    "use first-fit",
    "use system",
    "use mimalloc",
    "use guard(counting(system))",
    "use fallback(bump, system)",
];

/// Runs the test on as many random logs, started with each of the openings in turn.
fn check(cases: u32, test: impl Fn(Vec<String>) -> Result<(), TestCaseError>) {
    for opening in OPENINGS {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let cases = cases / OPENINGS.len() as u32;
        let mut runner = TestRunner::new_with_rng(ProptestConfig::with_cases(cases), rng);
        let logs = prop::collection::vec(line(), 0..60).prop_map(|mut lines| {
            lines.insert(0, (*opening).to_owned());
            lines
        });
        runner.run(&logs, &test).unwrap();
    }
}

/// Runs every line and gives the session with what each accepted step showed of the state behind it.
fn run(lines: &[String]) -> (Session, Vec<String>) {
    let mut session = Session::default();
    let mut states = vec![shown(&session)];
    for line in lines {
        let before = session.lines();
        if play(&mut session, line).is_some() && session.lines() > before {
            states.push(shown(&session));
        }
    }
    (session, states)
}

/// The state, looked at in a copy: the session's own log stays as it is.
fn shown(session: &Session) -> String {
    state(&mut reopened(session))
}

fn reopened(session: &Session) -> Session {
    let mut copy = Session::default();
    let engine::Turn::Ask(request) = copy.run("open copy") else { panic!("open asks the shell") };
    let done = engine::Done::Read { file: "copy".into(), text: session.saved() };
    let reply = copy.answer(request, Ok(done));
    assert!(reply.is_ok(), "{reply:?}\n{}", session.saved());
    copy
}

fn replies(session: &Session) -> Vec<String> {
    session.transcript().iter().map(render::json).collect()
}

#[test]
fn undoing_everything_and_redoing_it_gives_the_same_state_and_replies() {
    check(60, |lines| {
        let (mut session, states) = run(&lines);
        let replies_before = replies(&session);
        while session.run_alone("undo").unwrap().is_ok() {
            let here = session.lines();
            prop_assert_eq!(&state(&mut reopened(&session)), &states[here]);
        }
        while session.run_alone("redo").unwrap().is_ok() {}
        prop_assert_eq!(session.lines(), states.len() - 1);
        prop_assert_eq!(&shown(&session), states.last().unwrap());
        prop_assert_eq!(replies(&session), replies_before);
        Ok(())
    });
}

#[test]
fn going_to_any_line_shows_the_state_behind_it() {
    check(40, |lines| {
        let (mut session, states) = run(&lines);
        let last = states.len() - 1;
        for line in [last / 2, 0, last, last / 3, last] {
            let reply = session.run_alone(&format!("goto {line}")).unwrap();
            prop_assert!(reply.is_ok(), "{:?}", reply);
            prop_assert_eq!(&state(&mut reopened(&session)), &states[line]);
        }
        Ok(())
    });
}

#[test]
fn a_saved_session_opens_to_the_same_state_and_replies() {
    check(60, |lines| {
        let (session, states) = run(&lines);
        let mut opened = reopened(&session);
        prop_assert_eq!(replies(&opened), replies(&session));
        prop_assert_eq!(&state(&mut opened), states.last().unwrap());
        Ok(())
    });
}

/// Real blocks and the session's drift apart with each of these, and no two may ever share a byte.
#[test]
fn a_thousand_lines_that_go_back_and_forth_on_allocators_of_the_process_stay_sound() {
    let time = prop::sample::select(vec!["undo", "undo 3", "redo", "goto 1", "goto 20", "goto 99"]);
    let lines = prop_oneof![5 => line(), 1 => time.prop_map(str::to_owned)];
    for opening in ["use system", "use mimalloc"] {
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::with_cases(3), rng);
        let verdict = runner.run(&prop::collection::vec(lines.clone(), 1000), |lines| {
            let mut session = crate::session(&["heap new 64K", opening]);
            for line in lines.iter().filter(|line| !line.starts_with("use")) {
                let reply = play(&mut session, line).expect("no comment");
                let sound = crate::exchange(&mut session, "check");
                prop_assert!(sound.contains("is sound"), "{line}: {reply:?}: {sound}");
            }
            prop_assert_eq!(state(&mut reopened(&session)), shown(&session));
            Ok(())
        });
        verdict.unwrap();
    }
}

#[test]
fn a_session_on_an_allocator_of_the_process_is_saved_with_its_answers() {
    for heap in ["system", "mimalloc"] {
        let mut session = crate::session(&["heap new 16M"]);
        let lines = [
            &format!("use {heap}"),
            "alloc 200",
            "alloc 4M",
            "realloc a 900",
            "free a",
            "undo",
            "alloc 200",
        ];
        for line in lines {
            let reply = play(&mut session, line).unwrap();
            assert!(reply.is_ok(), "{heap}: {line}");
            assert_eq!(reply.is_measured, line != "undo" && !line.starts_with("use"), "{line}");
        }
        let saved = session.saved();
        let answers = saved.lines().filter(|line| line.starts_with("# answered: ")).count();
        assert_eq!(answers, 5, "{saved}");
        assert_eq!(session.journaled(" alloc 200 ").lines().count(), 2);
        assert_eq!(session.journaled("undo"), "undo\n");
        assert_eq!(reopened(&session).saved(), saved);

        // Line 3's answer is line 4 of the file. A file without the answers is one of an older version, or edited: it is
        // asked anew.
        let plain: Vec<_> = saved.lines().filter(|line| !line.starts_with("# answered")).collect();
        assert!(Session::from_saved(&plain.join("\n")).is_ok());
        let lines: Vec<_> = saved.lines().collect();
        let place = lines.iter().position(|line| line.starts_with("# answered: 0x")).unwrap();
        for (answer, number) in [
            ("# answered: 0x0+8", place),
            ("# answered: 0x1+200", place),
            ("# answered: 0x3fffffff+200", place),
            ("# answered: nonsense", place + 1),
        ] {
            let mut lines = lines.clone();
            lines[place] = answer;
            let problem = Session::from_saved(&lines.join("\n")).err().expect(answer);
            assert!(problem.to_string().contains(&format!("its line {number} ")), "{problem}");
        }
    }
}

#[test]
fn lines_of_rust_on_an_allocator_of_the_process_are_measured_and_kept_with_their_answers() {
    for heap in ["system", "mimalloc", "guard(counting(system))"] {
        let mut session = crate::session(&[&format!("use {heap}")]);
        for (line, is_ok) in [
            ("let mut v = vec![0u8; 200];", true),
            // Its second block is one too many: the first goes back.
            ("{ let p = vec![1u8; 60]; let q = vec![1u8; 2000]; }", false),
            ("v.extend([1; 100]);", true),
            ("let b = Box::new(1u64); v[999];", false),
            ("drop(v);", true),
        ] {
            let reply = play(&mut session, line).unwrap();
            assert_eq!(
                (reply.is_ok(), reply.is_measured),
                (is_ok, true),
                "{heap}: {line}: {reply:?}"
            );
        }
        let (before, replies_before) = (shown(&session), replies(&session));
        let saved = session.saved();
        // The heap, the Vec, its growth, and the Box, which the panic leaves to nobody.
        let answers = saved.lines().filter(|line| line.starts_with("# answered: ")).count();
        assert_eq!(answers, 4, "{saved}");
        for _ in 0..3 {
            assert!(play(&mut session, "undo").unwrap().is_ok());
        }
        for _ in 0..3 {
            assert!(play(&mut session, "redo").unwrap().is_ok());
        }
        assert_eq!((shown(&session), replies(&session)), (before, replies_before), "{heap}");
        assert_eq!(reopened(&session).saved(), saved, "{heap}");
    }
}

#[test]
fn what_is_left_out_of_a_build_is_refused_with_the_way_to_get_it_and_opened_all_the_same() {
    let saved = |heap: &str| {
        let header = engine::SESSION_HEADER;
        format!("{header}\nuse {heap}\n# answered: ready\nalloc 200\n# answered: 0x40+224\n")
    };
    for info in heap::HEAPS.iter().filter(|info| info.origin == heap::Origin::Process) {
        let mut session = Session::from_saved(&saved(info.name)).expect(info.name);
        assert!(crate::exchange(&mut session, "blocks").contains("a  0x1000_0040  200 bytes"));
        let reply = play(&mut session, "alloc 8").unwrap();
        match heap::Spec::plain(info).build(1024) {
            Ok(_) => assert!(reply.is_ok(), "{reply:?}"),
            Err(heap::Unfit::Missing { instead }) => {
                let used = play(&mut Session::default(), &format!("use {}", info.name)).unwrap();
                for reply in [reply, used] {
                    let problem = reply.outcome.unwrap_err();
                    assert_eq!((problem.code(), &*problem.hint()), ("unsupported", instead));
                }
            }
            Err(unfit) => panic!("{}: {unfit:?}", info.name),
        }
    }
}

#[test]
fn a_double_free_is_named_before_an_allocator_of_the_process_hears_of_it() {
    for heap in ["system", "mimalloc", "counting(system)", "guard(mimalloc)"] {
        let mut session =
            crate::session(&[&format!("use {heap}"), "alloc 64", "alloc 64", "free a"]);
        for (line, code) in [
            ("free a", "double-free"),
            ("read a", "use-after-free"),
            ("free b+8", "interior-pointer"),
            ("free b size 10", "wrong-layout"),
            ("write b at 64 1", "out-of-bounds"),
            ("alloc 2K", "out-of-memory"),
            ("realloc b 2K", "out-of-memory"),
            ("mark", "unsupported"),
        ] {
            let before = shown(&session);
            let problem = play(&mut session, line).unwrap().outcome.unwrap_err();
            assert_eq!(problem.code(), code, "{heap}: {line}");
            assert_eq!(shown(&session), before, "{heap}: {line}");
        }
    }
}

#[test]
fn a_long_log_goes_back_through_thinned_checkpoints() {
    let mut session = Session::default();
    play(&mut session, "heap new 1M");
    let mut expected = Vec::new();
    for i in 0..30_000 {
        let line =
            if i % 3 == 2 { format!("write n{} 7", i - 1) } else { format!("alloc 16 as n{i}") };
        assert!(play(&mut session, &line).unwrap().is_ok(), "{line}");
        if i % 5_000 == 0 {
            expected.push((session.lines(), render::json(&session.run_alone("stats").unwrap())));
            session.run_alone("undo 1").unwrap();
            session.run_alone("redo 1").unwrap();
        }
    }
    for (line, stats) in expected.iter().rev() {
        assert!(session.run_alone(&format!("goto {line}")).unwrap().is_ok());
        assert_eq!(&render::json(&session.run_alone("stats").unwrap()), stats);
        session.run_alone(&format!("goto {line}")).unwrap();
    }
}

#[test]
fn undo_does_not_reach_the_lines_a_session_was_opened_with() {
    let mut session = Session::new(vec!["use bump".into(), "heap new 4K".into()]).unwrap();
    assert_eq!(session.run_alone("undo").unwrap().outcome.unwrap_err().code(), "nothing-to-undo");
    play(&mut session, "alloc 8");
    assert!(session.run_alone("goto 0").unwrap().is_ok());
    assert_eq!(session.lines(), 2);
    assert!(session.run_alone("new").unwrap().is_ok());
    assert!(crate::exchange(&mut session, "map").contains("HEAP   bump, 4,096 bytes"));
}

#[test]
fn a_look_between_undo_and_redo_keeps_what_can_be_redone_and_a_step_clears_it() {
    let mut session = crate::session(&["alloc 8", "free a", "undo", "map"]);
    assert!(play(&mut session, "redo").unwrap().is_ok());
    let mut session = crate::session(&["alloc 8", "free a", "undo", "alloc 8"]);
    assert_eq!(play(&mut session, "redo").unwrap().outcome.unwrap_err().code(), "nothing-to-redo");
}

#[test]
fn a_damaged_session_is_refused_with_its_line_and_changes_nothing() {
    let header = engine::SESSION_HEADER;
    for (text, expect) in [
        (String::new(), "is not a saved session"),
        ("alloc 8\n".into(), "is not a saved session"),
        (format!("{header}\nalloc 8\nfree b\n"), "its line 3 is refused"),
        (format!("{header}\nalloc 8\nfr"), "its line 3 is refused"),
        (format!("{header}\n\0\u{1}\n"), "its line 2 is refused"),
    ] {
        let mut session = crate::session(&["alloc 200"]);
        let before = session.saved();
        let engine::Turn::Ask(request) = session.run("open x") else {
            panic!("open asks the shell")
        };
        let reply = session.answer(request, Ok(engine::Done::Read { file: "x".into(), text }));
        let problem = reply.outcome.unwrap_err();
        assert_eq!(problem.code(), "file-error");
        assert!(problem.to_string().contains(expect), "{problem}");
        assert_eq!(session.saved(), before);
    }
}

#[test]
fn a_line_that_is_stopped_is_refused_and_changes_nothing() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let mut session = crate::session(&["alloc 200", "alloc 8", "free a", "map", "undo"]);
    let before = (session.saved(), state(&mut reopened(&session)));
    let stop = Arc::new(AtomicBool::new(true));
    session.stop_when(Arc::clone(&stop));
    for line in ["goto 1", "undo", "goto 4", "redo"] {
        let problem = session.run_alone(line).unwrap().outcome.unwrap_err();
        assert_eq!(problem.code(), "interrupted", "{line}");
        assert_eq!((session.saved(), state(&mut reopened(&session))), before, "{line}");
    }
    stop.store(false, Ordering::Relaxed);
    assert!(session.run_alone("redo").unwrap().is_ok());
    assert!(session.run_alone("goto 1").unwrap().is_ok());

    // A new session and an opened one listen as well.
    for line in ["new", "open x"] {
        assert!(play(&mut session, line).unwrap().is_ok());
        for line in ["alloc 8 as x", "alloc 8 as y", "alloc 8 as z"] {
            assert!(play(&mut session, line).unwrap().is_ok());
        }
        stop.store(true, Ordering::Relaxed);
        assert_eq!(
            session.run_alone("goto 2").unwrap().outcome.unwrap_err().code(),
            "interrupted",
            "{line}"
        );
        stop.store(false, Ordering::Relaxed);
    }
}

/// `why` is about the last line on the heap; a refusal counts until something happens after it.
#[test]
fn why_forgets_a_refused_line_once_the_state_has_moved_on() {
    for after in ["undo", "goto 1", "push 8"] {
        let mut session = crate::session(&["alloc 8", "free a"]);
        assert!(crate::exchange(&mut session, "free a").contains("double-free"));
        assert!(crate::exchange(&mut session, "why").contains("nothing-to-explain"));
        crate::exchange(&mut session, after);
        let why = crate::exchange(&mut session, "why");
        assert!(!why.contains("error"), "{after}: {why}");
    }
}

#[test]
fn a_full_log_can_still_be_saved() {
    let mut session = Session::default();
    for _ in 0..engine::MAX_LOG_LINES {
        session.run("sp");
    }
    assert_eq!(session.run_alone("sp").unwrap().outcome.unwrap_err().code(), "log-full");
    assert!(play(&mut session, "save f").unwrap().is_ok());
    assert_eq!(session.lines(), engine::MAX_LOG_LINES);
}

/// Each value's block lies in the heap that it names, beside the one in use, and looks, refusals and time know it.
#[test]
fn values_of_rust_lie_on_the_heaps_they_name() {
    let lines = [
        "alloc 16",
        "let mut v = Vec::new_in(&bump);",
        "map bump",
        "v.push(1u8);",
        "why",
        "let b = Box::new_in(7u64, &tlsf);",
        "let p = vec![0u16; 4];",
        "map",
        "map bump",
        "blocks",
        "stats tlsf",
        "holes first-fit",
        "v.try_reserve(2000).is_err()",
        "v.reserve(2000);",
        "let w: Vec<u8> = v;",
        "free h1",
        "use bump",
        "map pool",
        "std::mem::forget(b);",
        "check",
        "drop(v);",
        "read h1",
        "dare free h1",
        "dump 0x5000_0000 16",
        "drop(p);",
        "use bump",
        "let v = Vec::<u8, _>::with_capacity_in(8, &bump);",
        "map bump",
        "undo 2",
        "map",
    ];
    let mut session = Session::default();
    let text: Vec<_> = lines.iter().map(|line| crate::exchange(&mut session, line)).collect();
    crate::snapshot("heaps_by_name", &text.join("\n"));
    let mut again = reopened(&session);
    assert_eq!(state(&mut session), state(&mut again));
}

/// Every row of the table by itself may stand behind `&`, but for what works for the whole process.
#[test]
fn any_heap_that_can_lie_beside_another_can_be_named() {
    for info in heap::HEAPS.iter().filter(|info| info.name != "first-fit") {
        let name = info.name.replace('-', "_");
        let line = format!("let mut v = Vec::new_in(&{name}); v.extend_from_slice(&[1u8, 2, 3]);");
        let mut session = Session::default();
        let outcome = session.run_alone(&line).unwrap().outcome;
        match (info.origin, info.inner.is_empty()) {
            (_, false) => assert_eq!(outcome.unwrap_err().code(), "E0425", "{name}"),
            (heap::Origin::Process, _) => {
                assert_eq!(outcome.unwrap_err().code(), "unsupported", "{name}");
            }
            _ => {
                outcome.unwrap_or_else(|problem| panic!("{line}: {problem:?}"));
                let map = crate::exchange(&mut session, &format!("map {}", info.name));
                assert!(map.contains("h1 "), "{map}");
                let told = crate::exchange(&mut session, "v.push(4); drop(v);");
                assert!(told.contains("h1 freed"), "{told}");
                let sound = crate::exchange(&mut session, "check");
                assert!(sound.contains(&format!("{} is sound: 0 blocks", info.name)), "{sound}");
            }
        }
    }
}

/// A heap of the process cannot lie beside another, but it can be the one in use.
#[test]
fn the_heap_in_use_can_be_named_too() {
    for heap in ["first-fit order=lifo", "system", "rlsf"] {
        let name = heap.split(' ').next().unwrap().replace('-', "_");
        let mut session = crate::session(&[&format!("use {heap}")]);
        let line = format!("let b = Box::new_in(7u64, &{name});");
        let reply = session.run_alone(&line).unwrap();
        assert!(reply.is_ok(), "{reply:?}");
        assert!(crate::exchange(&mut session, "map").contains("h1 "), "{heap}");
        assert!(crate::exchange(&mut session, "use bump").contains("rust-lives"));
    }
}
