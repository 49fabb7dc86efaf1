//! What is left after a line, and what is told of it: notes, panics, stops, variables, leaks.

mod machine;

use interpreter::run::{Leak, Stop};
use interpreter::{Bound, Fault, Note, Program, Refused};
use machine::{HEAPS, TestMachine};

/// A program at a prompt.
struct Prompt {
    program: Program,
    machine: TestMachine,
    line: u32,
}

impl Prompt {
    fn new() -> Self {
        let program = Program::with_heaps(HEAPS);
        Self { program, machine: TestMachine::new(64 << 10, 4 << 20), line: 0 }
    }

    /// Runs lines that must run.
    fn after(lines: &[&str]) -> Self {
        let mut prompt = Self::new();
        for line in lines {
            prompt.run(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        }
        prompt.machine.notes.clear();
        prompt
    }

    fn run(&mut self, line: &str) -> Result<(), Fault> {
        self.line += 1;
        self.program.run(self.line, line, &mut self.machine)
    }

    fn stop(&mut self, line: &str) -> Stop {
        match self.run(line) {
            Err(Fault::Run(stop)) => stop,
            other => panic!("{line} should stop, not {other:?}"),
        }
    }

    fn value(&self, name: &str) -> String {
        let local = self.program.local(name).expect("it is declared");
        let (state, items) = (self.program.state(), self.program.items());
        state.describe(items, &self.machine, local, 60).expect("it is in scope")
    }

    fn leaks(&self) -> Vec<String> {
        let leaks = self.program.state().leaks(self.program.items(), &self.machine);
        leaks.iter().map(|Leak { kind, content, .. }| format!("{kind:?} {content}")).collect()
    }

    fn printed(&mut self) -> String {
        let printed = self.machine.printed();
        self.machine.notes.clear();
        printed
    }
}

const LOUD: &str =
    "struct Loud(u8); impl Drop for Loud { fn drop(&mut self) { println!(\"drop {}\", self.0); } }";

#[test]
fn a_vec_is_three_words_on_the_stack_and_its_bytes_on_the_heap() {
    let mut prompt = Prompt::after(&["let v = vec![0u8; 200];"]);
    assert_eq!(prompt.machine.slot_count(), 1);
    assert_eq!(prompt.machine.blocks.values().collect::<Vec<_>>(), [&(200, 1)]);
    assert_eq!(prompt.machine.zeroed, 1, "zeros are asked for, not written");
    let at = prompt.program.address("v").unwrap();
    let words = prompt.machine.bytes(at, 24);
    let words: Vec<_> =
        words.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, [200, 0x1000_0000, 200]);
    prompt.run("drop(v)").unwrap();
    assert!(prompt.machine.blocks.is_empty());
    assert_eq!(prompt.machine.notes, [Note::Drop { name: "v".into() }]);
    assert_eq!(prompt.value("v"), "moved");
}

#[test]
fn notes_tell_what_statements_do() {
    let mut prompt =
        Prompt::after(&[LOUD, "let mut p = (1, [2u8; 2]);", "let mut v = vec![1, 2];"]);
    let address = prompt.program.address("p").unwrap();
    prompt.run("p.1[0] = 9;").unwrap();
    prompt.run("p.0 += 4;").unwrap();
    prompt.run("v[1] = 7;").unwrap();
    prompt.run("&v").unwrap();
    prompt.run("let x = Loud(1);").unwrap();
    prompt.run("{ let y = Loud(2); }").unwrap();
    prompt.run("for i in 0..2 { let z = Loud(3); }").unwrap();
    let first = prompt.machine.notes.remove(0);
    let Note::Assign { place, address: at, size, value } = first else { panic!("{first:?}") };
    assert_eq!((place.as_str(), size, value.as_str()), ("p.1[0]", 1, "9"));
    assert!((address..address + 8).contains(&at));
    let told: Vec<_> = prompt
        .machine
        .notes
        .iter()
        .map(|note| match note {
            Note::Bind(Bound { name, ty, value, .. }) => format!("{name}: {ty} = {value}"),
            Note::Assign { place, value, .. } => format!("{place} = {value}"),
            Note::Value { ty, value } => format!("{value}: {ty}"),
            Note::Print(text) => text.trim_end().to_owned(),
            Note::Drop { name } => format!("drop of {name}"),
            Note::Panic { message } => message.clone(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "p.0 = 5",
            "v[1] = 7",
            "[1, 7]: &Vec<i32>",
            "x: Loud = Loud(1)",
            "drop of y",
            "drop 2",
            "drop 3",
            "drop 3",
        ]
    );
}

#[test]
fn a_scope_over_several_lines_drops_what_is_in_it() {
    let mut prompt =
        Prompt::after(&[LOUD, "let a = Loud(1);", "{", "let b = Loud(2);", "let a = Loud(3);"]);
    prompt.run("}").unwrap();
    assert_eq!(prompt.printed(), "drop 3\ndrop 2\n");
    assert_eq!(prompt.machine.slot_count(), 1);
    assert_eq!(prompt.value("a"), "Loud(1)");
}

#[test]
fn a_panic_leaves_the_state_whole() {
    let mut prompt = Prompt::after(&[
        LOUD,
        "let mut v = vec![1u8];",
        "fn f(n: u8, l: Loud) -> u8 { let x = Loud(n); 100 / (n - 5) }",
        "let a = Loud(9);",
    ]);
    let stop = prompt.stop("v.push(2); let b = Loud(8); let c = f(5, Loud(7)); v.push(3);");
    let Stop::Panic { message, at } = stop else { panic!("{stop:?}") };
    assert_eq!(message, "attempt to divide by zero");
    assert_eq!(at.line, 3);
    assert_eq!(prompt.printed(), "drop 5\ndrop 7\n");
    assert_eq!(prompt.value("v"), "[1, 2]");
    assert_eq!(prompt.value("b"), "Loud(8)");
    prompt.run("v.push(4);").unwrap();
    assert_eq!((prompt.value("v"), prompt.machine.slot_count()), ("[1, 2, 4]".to_owned(), 3));
}

#[test]
fn a_panic_while_a_scope_closes_closes_it() {
    let mut prompt = Prompt::after(&[
        "struct Bad(u8); impl Drop for Bad { fn drop(&mut self) { if self.0 == 2 { panic!(\"two\") } println!(\"{}\", self.0); } }",
        "{",
        "let a = Bad(1);",
        "let b = Bad(2);",
        "let c = Bad(3);",
    ]);
    assert!(matches!(prompt.stop("}"), Stop::Panic { message, .. } if message == "two"));
    assert_eq!(prompt.printed(), "3\n1\n");
    assert_eq!(prompt.machine.slot_count(), 0);
    prompt.run("let d = 1;").unwrap();
}

#[test]
fn a_panic_while_a_panic_unwinds_aborts() {
    let mut prompt = Prompt::after(&[
        "struct Bad; impl Drop for Bad { fn drop(&mut self) { panic!(\"second\") } }",
    ]);
    let stop = prompt.stop("{ let a = Bad; let n = 1; let b = 1 / (n - 1); }");
    assert!(matches!(stop, Stop::Abort { message, .. } if message == "second"));
}

#[test]
fn recursion_without_end_overflows_the_machine_s_stack_alone() {
    let mut prompt = Prompt::after(&["fn f(n: u64) -> u64 { f(n + 1) + 1 }"]);
    assert_eq!(prompt.stop("f(0)"), Stop::Refused(Refused::Stack));
    let mut large = Prompt::after(&["fn f() { f() }"]);
    large.machine = TestMachine::new(2 << 20, 1024);
    assert_eq!(large.stop("f()"), Stop::Refused(Refused::Stack));
}

#[test]
fn a_loop_without_end_is_stopped() {
    let mut prompt = Prompt::after(&[]);
    prompt.machine.looks_left.set(3);
    assert_eq!(prompt.stop("loop {}"), Stop::Interrupted);
    prompt.machine.looks_left.set(1000);
    assert_eq!(
        prompt.stop("let mut v = vec![0u8; 1 << 12]; loop { v.reverse(); }"),
        Stop::Interrupted
    );
}

#[test]
fn a_heap_without_room_refuses_unless_it_is_only_asked() {
    let mut prompt = Prompt::after(&["let mut v = vec![1u64];"]);
    prompt.machine.most_bytes = 64;
    prompt.run("v.try_reserve(100)").unwrap();
    let Some(Note::Value { value, .. }) = prompt.machine.notes.last() else { panic!() };
    assert_eq!(
        value,
        "Err(TryReserveError { kind: AllocError { layout: Layout { size: 808, align: 8 (1 << 3) }, non_exhaustive: () } })"
    );
    assert_eq!(prompt.stop("v.reserve(100);"), Stop::Refused(Refused::Heap));
}

#[test]
fn an_array_larger_than_the_stack_is_refused() {
    assert_eq!(Prompt::new().stop("let a = [0u8; 100000];"), Stop::Refused(Refused::Stack));
}

#[test]
fn variables_say_what_was_moved_or_never_set() {
    let prompt = Prompt::after(&[
        "struct P { a: String, b: (String, u8) }",
        "let p = P { a: String::from(\"x\"), b: (String::from(\"y\"), 1) };",
        "let q = p.b.0;",
        "let late: u8;",
        "let long = vec![7u8; 1000];",
        "let mut back = (String::new(), 1);",
        "let taken = back.0;",
        "back.0 = String::from(\"new\");",
        "let boxed = Box::new((String::from(\"in\"), 2));",
        "let out = boxed.0;",
    ]);
    assert_eq!(prompt.value("p"), "P { a: \"x\", b: (moved, 1) }");
    assert_eq!(prompt.value("late"), "unset");
    assert_eq!(prompt.value("long"), format!("{}…", &format!("{:?}", [7; 1000])[..60]));
    assert_eq!(prompt.value("back"), "(\"new\", 1)");
    assert_eq!(prompt.value("boxed"), "(moved, 2)");
}

#[test]
fn leaks_are_found_by_what_they_hold() {
    let mut prompt = Prompt::after(&[
        "use std::rc::Rc; use std::cell::RefCell;",
        "struct Node { next: RefCell<Option<Rc<Node>>>, text: String }",
        "let kept = vec![Box::new(1u8), Box::new(2)];",
        "let a = Rc::new(Node { next: RefCell::new(None), text: String::from(\"ring\") });",
        "let weak = Rc::downgrade(&a);",
        "*a.next.borrow_mut() = Some(a.clone());",
    ]);
    assert_eq!(prompt.leaks(), Vec::<String>::new());
    prompt.run("drop(a);").unwrap();
    assert_eq!(prompt.leaks(), ["Elements u8", "Counted Node"]);
    prompt.run("std::mem::forget(vec![1u16]); let r = Box::leak(Box::new(5i8));").unwrap();
    assert_eq!(prompt.leaks(), ["Elements u8", "Counted Node", "Elements u16", "Value i8"]);
}

#[test]
fn every_pointer_is_found_by_the_layout_of_what_holds_it() {
    let prompt = Prompt::after(&[
        "use std::rc::Rc; use std::cell::RefCell; use std::borrow::Cow;",
        "struct Node { id: u8, text: String, next: Option<Box<Node>> }",
        "let v = vec![1u32, 2, 3];",
        "let list = vec![&v[0], &v[2]];",
        "let inner = Node { id: 2, text: String::new(), next: None };",
        "let node = Node { id: 1, text: String::from(\"t\"), next: Some(Box::new(inner)) };",
        "let part = &v[1..];",
        "let none: (&[u8], Option<&u32>, Vec<u8>) = (&[], None, Vec::new());",
        "let cow: Cow<str> = Cow::Borrowed(\"c\");",
        "let cell = RefCell::new(Some(&node.id));",
        "let guard = cell.borrow();",
        "let shared = Rc::new(vec![String::from(\"a\"), String::from(\"b\")]);",
        "let weak = Rc::downgrade(&shared);",
        "let moved = (String::from(\"m\"), String::from(\"k\"));",
        "let out = moved.0;",
    ]);
    let pointers = prompt.program.pointers(&prompt.machine);
    let address = |name| prompt.program.address(name).unwrap();
    let v = u64::from_le_bytes(prompt.machine.bytes(address("v") + 8, 8).try_into().unwrap());
    let to = |path: &str| {
        let found = pointers.iter().filter(|pointer| pointer.path == path);
        found.map(|pointer| pointer.to).collect::<Vec<_>>()
    };
    assert_eq!(to("list[1]"), [v + 8]);
    assert_eq!(to("part"), [v + 4]);
    assert_eq!(to("guard"), [address("cell") + 8, address("cell")]);
    assert!((address("node")..address("node") + 40).contains(&to("cell")[0]));
    assert_eq!(to("weak")[0], to("shared")[0]);
    let found: Vec<_> =
        pointers.iter().map(|of| format!("{} {:?} {}", of.path, of.role, of.ty)).collect();
    assert_eq!(
        found,
        [
            "v Owner Vec<u32>",
            "list Owner Vec<&u32>",
            "list[0] Guest &u32",
            "list[1] Guest &u32",
            "node.text Owner String",
            "node.next Owner Box<Node>",
            "part Guest &[u32]",
            "cow Guest &str",
            "cell Guest &u8",
            "guard Guest Ref<Option<&u8>>",
            "guard Guest Ref<Option<&u8>>",
            "shared Owner Rc<Vec<String>>",
            "shared Owner Vec<String>",
            "shared[0] Owner String",
            "shared[1] Owner String",
            "weak Guest Weak<Vec<String>>",
            "moved.1 Owner String",
            "out Owner String",
        ]
    );
}

#[test]
fn arcs_in_a_circle_leak_as_rcs_do() {
    let mut prompt = Prompt::after(&[
        "use std::sync::{Arc, Weak}; use std::cell::RefCell;",
        "struct Node { next: RefCell<Option<Arc<Node>>>, back: RefCell<Weak<Node>> }",
        "let a = Arc::new(Node { next: RefCell::new(None), back: RefCell::new(Weak::new()) });",
        "*a.back.borrow_mut() = Arc::downgrade(&a);",
        "let b = Arc::new(Node { next: RefCell::new(Some(a)), back: RefCell::new(Weak::new()) });",
        "drop(b);",
    ]);
    assert_eq!((prompt.leaks().len(), prompt.machine.blocks.len()), (0, 0));
    prompt
        .run(
            "let c = Arc::new(Node { next: RefCell::new(None), back: RefCell::new(Weak::new()) });",
        )
        .unwrap();
    prompt.run("*c.next.borrow_mut() = Some(Arc::clone(&c)); drop(c);").unwrap();
    assert_eq!(prompt.leaks(), ["Counted Node"]);
}

#[test]
fn a_weak_alone_keeps_a_block_that_is_no_leak() {
    let mut prompt = Prompt::after(&[
        "use std::rc::Rc;",
        "let a = Rc::new(1);",
        "let weak = Rc::downgrade(&a);",
        "drop(a);",
    ]);
    assert_eq!((prompt.leaks().len(), prompt.machine.blocks.len()), (0, 1));
    prompt.run("drop(weak);").unwrap();
    assert!(prompt.machine.blocks.is_empty());
}

#[test]
fn padding_and_the_payload_of_none_stay_unset() {
    let prompt =
        Prompt::after(&["let p = (1u8, 2u32);", "let n: Option<u64> = None;", "let q = p;"]);
    let set = |name: &str, len| prompt.machine.set(prompt.program.address(name).unwrap(), len);
    let of_pair = [true, false, false, false, true, true, true, true];
    assert_eq!((set("p", 8), set("q", 8)), (of_pair.to_vec(), of_pair.to_vec()));
    assert_eq!(set("n", 16).iter().filter(|set| **set).count(), 8);
}

#[test]
fn an_empty_vec_learns_what_it_holds() {
    let mut prompt = Prompt::after(&["let mut v = Vec::new();"]);
    assert_eq!(prompt.value("v"), "[]");
    prompt.run("v.push(1u32);").unwrap();
    prompt.run("v.push(2);").unwrap();
    assert_eq!(prompt.value("v"), "[1, 2]");
    prompt.run("{").unwrap();
    prompt.run("let mut w = Vec::new();").unwrap();
    prompt.run("if false { w.push(1u64); }").unwrap();
    let pointer = prompt.machine.bytes(prompt.program.address("w").unwrap() + 8, 8);
    assert_eq!(pointer, 8u64.to_le_bytes(), "it points nowhere, but aligned");
    prompt.run("}").unwrap();
}

#[test]
fn a_name_of_a_closed_scope_has_no_address() {
    let mut prompt = Prompt::after(&["{", "let a = 1;"]);
    let a = prompt.program.local("a").unwrap();
    prompt.run("}").unwrap();
    prompt.run("let b = 2;").unwrap();
    assert_eq!(prompt.program.state().address(a), None);
    assert_eq!(prompt.program.state().newest(), prompt.program.local("b"));
}

#[test]
fn a_reference_to_what_is_gone_is_not_followed() {
    let mut prompt = Prompt::after(&[
        "let mut v = vec![1];",
        "let r = &v[0];",
        "let s = (1, &v);",
        "let late: &i32;",
        "{",
        "let inner = 5;",
        "late = &inner;",
    ]);
    assert_eq!(["r", "s", "late"].map(|name| prompt.value(name)), ["1", "(1, [1])", "5"]);
    prompt.run("}").unwrap();
    prompt.run("v.push(2);").unwrap();
    assert_eq!(["r", "s", "late"].map(|name| prompt.value(name)), ["gone", "(1, [1, 2])", "gone"]);
}

#[test]
fn where_a_heapless_vector_has_no_item_its_bytes_are_unset() {
    let mut prompt = Prompt::after(&[
        "let mut v: heapless::Vec<u16, 4, u8> = heapless::Vec::new();",
        "v.push(1).unwrap();",
        "v.push(2).unwrap();",
    ]);
    let (state, items) = (prompt.program.state(), prompt.program.items());
    let newest = state.variables(items, &prompt.machine, 60).pop().expect("v is there");
    assert_eq!((newest.size, &newest.value[..]), (10, "[1, 2]"));
    let is_set = prompt.machine.set(newest.address, newest.size);
    assert_eq!(is_set, [true, false, true, true, true, true, false, false, false, false]);
    // What was popped is still there, as in memory it is; only a length says that it is gone.
    prompt.run("v.pop();").expect("it pops");
    assert_eq!(prompt.machine.bytes(newest.address + 4, 2), [2, 0]);
    assert_eq!(prompt.value("v"), "[1]");
}

#[test]
fn what_a_heapless_collection_owns_is_not_lost() {
    let prompt = Prompt::after(&[
        "let mut d: heapless::Deque<Box<u8>, 2> = heapless::Deque::new();",
        "d.push_back(Box::new(1)).unwrap();",
        "d.push_front(Box::new(2)).unwrap();",
        "let v = heapless::Vec::<String, 2>::from_slice(&[String::from(\"a\")]);",
        "std::mem::forget(heapless::Vec::<String, 2>::from_slice(&[String::from(\"b\")]));",
    ]);
    assert_eq!(prompt.value("d"), "[2, 1]");
    assert_eq!(prompt.leaks(), ["Elements u8"]);
}

#[test]
fn a_pool_owns_the_blocks_it_was_given_and_its_values_those_they_lie_in() {
    let mut prompt = Prompt::after(&[
        "heapless::box_pool!(P: String);",
        "let first = Box::leak(Box::new(heapless::pool::boxed::BoxBlock::<String>::new()));",
        "P.manage(first);",
        "P.manage(Box::leak(Box::new(heapless::pool::boxed::BoxBlock::new())));",
        "let a = P.alloc(String::from(\"a\"));",
    ]);
    assert_eq!(prompt.value("a"), "Ok(\"a\")");
    assert_eq!(prompt.leaks(), Vec::<String>::new());
    prompt.run("let b = P.alloc(String::from(\"b\")); std::mem::forget(b);").expect("there is one");
    assert_eq!(prompt.leaks(), ["Value BoxBlock<String>", "Elements u8"]);
}

#[test]
fn a_pool_is_declared_without_a_semicolon_too() {
    let prompt = Prompt::after(&["heapless::box_pool!(P: [u8; 2])", "let a = P.alloc([1, 2])"]);
    assert_eq!(prompt.value("a"), "Err([1, 2])");
}

#[test]
fn a_block_of_a_heap_by_name_stays_that_heap_s_until_it_is_given_back() {
    let mut prompt = Prompt::after(&[
        "let plain = vec![1u8];",
        "let mut v = Vec::new_in(&bump);",
        "for i in 0..9u8 { v.push(i); }",
        "let c = v.clone();",
        "let b = Box::new_in(7u64, &first_fit);",
        "let d = b.clone();",
    ]);
    let mut named: Vec<_> = prompt.machine.named.values().map(|heap| heap.0).collect();
    named.sort_unstable();
    assert_eq!(named, ["bump", "bump", "first-fit", "first-fit"]);
    let heaps: Vec<_> = prompt.program.heaps().into_iter().map(|heap| heap.0).collect();
    assert_eq!(heaps, ["bump", "first-fit"]);
    prompt.run("drop((v, c, b)); drop(d);").unwrap();
    assert!(prompt.machine.named.is_empty());
    assert!(prompt.program.heaps().is_empty());
    assert_eq!(prompt.machine.blocks.len(), 1, "plain's own");
    assert_eq!(prompt.leaks(), [] as [&str; 0]);
    prompt.run("std::mem::forget(Box::new_in(1u16, &bump));").unwrap();
    assert_eq!(prompt.leaks(), ["Value u16"]);
}

#[test]
fn a_variable_of_a_heap_s_name_hides_it() {
    let mut prompt = Prompt::after(&["let bump = 5u8;"]);
    let mut code = |line| prompt.run(line).unwrap_err().code();
    assert_eq!(code("let v = Vec::<u8, _>::new_in(&bump);"), "E0277");
    assert_eq!(code("fn f() -> usize { Vec::<u8, _>::new_in(&bump).len() }"), "E0434");
    assert_eq!(code("let v = Vec::<u8, _>::new_in(&tlfs);"), "E0425");
    assert_eq!(code("let h = &tlsf;"), "unsupported-rust");
    assert_eq!(code("let v = Vec::<u8, _>::new_in(tlsf);"), "unsupported-rust");
    assert_eq!(code("struct S { v: Vec<u8, &'static Bump> }"), "unsupported-rust");
    assert_eq!(code("fn f(v: Vec<u8, &Bump>) {}"), "unsupported-rust");
    assert_eq!(code("let v: Vec<u8, Bump> = Vec::new();"), "unsupported-rust");
    assert_eq!(code("let v: Vec<u8, &u8> = Vec::new_in(&tlsf);"), "E0308");
    assert_eq!(code("fn f(v: &Vec<u8, &'static Pump>) {}"), "E0425");
    assert_eq!(code("fn f(heap: &Bump) {}"), "unsupported-rust");
    assert_eq!(code("Vec::<u8, _>::new_in(&tlsf).allocator();"), "unsupported-rust");
    assert_eq!(code("Box::try_new_in(7, &tlsf);"), "unsupported-rust");
    assert_eq!(
        code("let mut v = Vec::<u8, _>::new_in(&tlsf); v.extend(vec![1u8]);"),
        "unsupported-rust"
    );
}
