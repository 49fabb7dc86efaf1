//! The same program, compiled by rustc into this test and run by the interpreter: what is printed and what a panic says
//! must agree, and afterwards nothing may be left on the machine.

#![allow(unused, unconditional_panic, arithmetic_overflow, invalid_nan_comparisons)]
#![allow(clippy::all, clippy::pedantic)]

mod machine;

use std::cell::RefCell as Shared;
use std::panic::{AssertUnwindSafe, catch_unwind};

use interpreter::run::Stop;
use interpreter::{Note, Program};
use machine::TestMachine;

thread_local! {
    static PRINTED: Shared<String> = const { Shared::new(String::new()) };
    static IS_QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

macro_rules! println {
    ($($arg:tt)*) => {
        PRINTED.with(|printed| *printed.borrow_mut() += &format!("{}\n", format_args!($($arg)*)))
    };
}

macro_rules! print {
    ($($arg:tt)*) => {
        PRINTED.with(|printed| *printed.borrow_mut() += &format!($($arg)*))
    };
}

/// What the compiled program prints, and what it panics with.
fn compiled(program: impl FnOnce()) -> (String, Option<String>) {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                loud(info);
            }
        }));
    });
    PRINTED.with(|printed| printed.borrow_mut().clear());
    IS_QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(program));
    IS_QUIET.set(false);
    let panic = outcome.err().map(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .expect("a panic says something")
    });
    (PRINTED.with(|printed| printed.borrow().clone()), panic)
}

/// What the interpreter prints, and what it panics with. The program is the body of a scope that is opened and closed.
fn interpreted(source: &str) -> (String, Option<String>) {
    let mut machine = TestMachine::new(256 << 10, 16 << 20);
    let mut program = Program::default();
    let mut panicked = None;
    for (number, line) in ["{", source, "}"].into_iter().enumerate() {
        match program.run(number as u32 + 1, line, &mut machine) {
            Ok(()) => {}
            Err(interpreter::Fault::Run(Stop::Panic { message, .. })) => {
                assert_eq!(panicked, None, "{source}");
                panicked = Some(message);
            }
            Err(fault) => panic!("{fault:?}: {fault}\n{line}"),
        }
    }
    assert_eq!(machine.slot_count(), 0, "slots are left: {source}");
    let leaks = program.state().leaks(program.items(), &machine);
    assert_eq!(leaks.len(), machine.blocks.len(), "{leaks:?}: {source}");
    let said: Vec<_> = machine
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Panic { message } => Some(message.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(said, panicked.iter().cloned().collect::<Vec<_>>());
    (machine.printed(), panicked)
}

macro_rules! agree {
    ($($name:ident { $($body:tt)* })*) => {$(
        #[test]
        fn $name() {
            #[rustfmt::skip]
            let real = compiled(|| { $($body)* });
            assert_eq!(interpreted(stringify!($($body)*)), real);
        }
    )*};
}

agree! {
    arithmetic_is_that_of_a_debug_build {
        let a = 7i32;
        let b = -3i32;
        println!("{} {} {} {} {}", a + b, a - b, a * b, a / b, a % b);
        println!("{} {} {}", a & 6, a | 8, a ^ 1);
        println!("{} {} {}", 1u8 << 7, -128i8 >> 3, 200u8 >> 3);
        println!("{} {} {}", !0u16, !a, -a);
        println!("{} {}", 1.5f64 / 0.25, 2.5f32 % 1.0);
        println!("{} {} {}", a > b, a == b, 1.0 < 0.5);
    }
    casts_cut_extend_and_saturate {
        println!("{} {} {}", 300i32 as u8, -1i8 as u64, 200u8 as i8);
        println!("{} {} {} {}", 1e20 as i32, -5.9 as u8, 3.99 as i64, (0.0f64 / 0.0) as u16);
        println!("{} {} {}", 'a' as u32, 97u8 as char, true as i32);
        println!("{} {} {}", u64::MAX as f32, -7i128 as f64, 0.1f64 as f32);
    }
    a_vec_grows_as_std_s_does {
        let mut v = Vec::new();
        for i in 0..20u32 {
            v.push(i);
            print!("{} ", v.capacity());
        }
        let mut bytes = Vec::new();
        bytes.push(1u8);
        println!("{} {} {:?}", v.len(), bytes.capacity(), v);
    }
    values_drop_in_reverse_and_fields_forward {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        struct Pair { a: Loud, b: Loud }
        let x = Loud(1);
        let y = Pair { a: Loud(2), b: Loud(3) };
        let z = vec![Loud(4), Loud(5)];
        let x = Loud(6);
        let _ = Loud(7);
        let moved = y.b;
        println!("end");
    }

    shadowed_values_live_to_the_end_of_their_scope {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        let a = Loud(1);
        let a = Loud(2);
        {
            let b = Loud(3);
            println!("in");
        }
        println!("out {}", a.0);
    }
    assignment_drops_the_old_value_when_the_new_one_is_there {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        fn make(n: u8) -> Loud { println!("make {n}"); Loud(n) }
        let mut a = make(1);
        a = make(2);
        let b = a;
        a = make(3);
        let mut c = (make(4), make(5));
        drop(c.0);
        c.0 = make(6);
        let late;
        println!("late");
        late = make(7);
        let mut boxed = Box::new(make(8));
        *boxed = make(9);
        let mut v = vec![make(10)];
        v[0] = make(11);
        println!("end");
    }
    temporaries_die_at_the_end_of_the_statement_in_reverse {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        impl Loud { fn id(&self) -> u8 { self.0 } }
        fn two(a: &Loud, b: &Loud) -> Loud { println!("two"); Loud(a.0 + b.0) }
        two(&Loud(1), &Loud(2));
        println!("then");
        let n = two(&Loud(3), &Loud(4)).id();
        println!("{n}");
        let kept = &Loud(9);
        if Loud(5).id() == 5 { println!("in if"); }
        let m = Loud(6).id() + { let inner = Loud(7); inner.id() + Loud(8).id() };
        println!("{m} {}", kept.id());
        let b = Loud(20).id() == 20 && Loud(21).id() == 21;
        println!("{b}");
    }
    partial_moves_drop_the_rest {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        struct Deep { a: Loud, pair: (Loud, Loud), b: Box<(Loud, Loud)> }
        let deep = Deep { a: Loud(1), pair: (Loud(2), Loud(3)), b: Box::new((Loud(4), Loud(5))) };
        let x = deep.pair.0;
        let y = deep.b.1;
        println!("moved {} {}", x.0, y.0);
        let boxed = Box::new(Loud(6));
        let out = *boxed;
        println!("out {}", out.0);
    }
    moves_in_branches_and_loops {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        fn eat(l: Loud) { println!("eat {}", l.0); }
        for i in 0..4u8 {
            let a = Loud(i);
            let b = Loud(i + 10);
            if i % 2 == 0 { eat(a); continue; }
            if i == 3 { eat(b); break; }
            println!("turn {i}");
        }
        let mut n = 0;
        let got = loop {
            let l = Loud(n + 50);
            n += 1;
            if n == 3 { break l; }
        };
        println!("got {}", got.0);
        while n > 0 { n -= 1; let _x = Loud(n + 70); }
    }
    functions_call_themselves_and_return_early {
        fn fact(n: u64) -> u64 { if n == 0 { return 1; } n * fact(n - 1) }
        fn find(v: &[i32], x: i32) -> Option<usize> {
            for i in 0..v.len() { if v[i] == x { return Some(i); } }
            None
        }
        fn swap(p: (i32, String)) -> (String, i32) { (p.1, p.0) }
        struct P { x: i32, y: i32 }
        impl P {
            fn new(x: i32, y: i32) -> P { P { x, y } }
            fn grow(&mut self, by: i32) -> &mut i32 { self.x += by; &mut self.y }
            fn sum(&self) -> i32 { self.x + self.y }
        }
        println!("{} {:?} {:?}", fact(20), find(&[1, 2, 3], 3), find(&vec![1], 9));
        println!("{:?}", swap((1, String::from("a"))));
        let mut p = P::new(1, 2);
        *p.grow(5) += 10;
        println!("{} {} {}", p.sum(), p.x, p.y);
    }
    deep_recursion_needs_none_of_the_process_s_stack {
        fn down(n: u32) -> u32 { if n == 0 { 0 } else { 1 + down(n - 1) } }
        println!("{}", down(3000));
    }
    a_panic_unwinds_and_drops {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        fn inner(a: Loud, b: Loud) -> u8 { let c = Loud(3); let v = vec![1u8]; v[a.0 as usize + 5] }
        let x = Loud(10);
        let y = [Loud(11), Loud(12)];
        let z = inner(Loud(1), Loud(2)) + Loud(4).0;
    }
    a_panic_in_an_argument_drops_those_before {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        fn fail() -> Loud { panic!("no {}", 5) }
        fn take(a: Loud, b: Loud, c: Loud) {}
        let outer = Loud(0);
        take(Loud(1), Loud(2), fail());
    }
    a_panic_in_an_aggregate_drops_its_parts {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        struct Two { a: Loud, b: Loud, c: u8 }
        fn fail(x: &Loud) -> u8 { panic!() }
        let t = Two { b: Loud(1), a: Loud(2), c: fail(&Loud(3)) };
    }
    a_panic_in_a_drop_goes_on_dropping {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); if self.0 == 2 { panic!("in drop") } } }
        struct Pair { a: Loud, b: Loud }
        let x = Loud(1);
        let y = Pair { a: Loud(2), b: Loud(3) };
        let z = vec![Loud(4), Loud(5)];
    }
    index_out_of_bounds { let v = vec![1, 2, 3]; let i = 7; println!("{}", v[i]); }
    array_out_of_bounds { let mut v = [1, 2, 3]; let i = v.len(); v[i] = 1; }
    add_overflow { let a = i32::MAX; let b = a + 1; }
    sub_overflow { let mut a = 0usize; a -= 1; }
    mul_overflow { let a = 200u8; let b = a * 2; }
    neg_overflow { let a = i8::MIN; let b = -a; }
    div_zero { let a = 0; let b = 1 / a; }
    rem_zero { let a = 0u8; let b = 1 % a; }
    div_overflow { let a = -1; let b = i32::MIN / a; }
    rem_overflow { let a = -1i64; let b = i64::MIN % a; }
    shl_overflow { let a = 32; let b = 1i32 << a; }
    shr_overflow { let a = -1i8; let b = 1u64 >> a; }
    unwrap_none { let a: Option<i32> = None; a.unwrap(); }
    expect_none { let a: Option<String> = None; a.expect("there"); }
    unwrap_err { let a: Result<i32, String> = Err(String::from("bad\n")); a.unwrap(); }
    expect_err { let a: Result<i32, (i32, char)> = Err((1, 'x')); a.expect("hm"); }
    unwrap_err_ok { let a: Result<i32, String> = Ok(5); a.unwrap_err(); }
    assert_fails { let a = 1; assert!(a == 2, "a is {a}"); }
    assert_plain_fails { let a = 1; assert!(a == 2); }
    borrow_mut_twice { let c = std::cell::RefCell::new(1); let a = c.borrow_mut(); let b = c.borrow_mut(); }
    borrow_while_mut { let c = std::cell::RefCell::new(1); let a = c.borrow_mut(); let b = c.borrow(); }
    borrow_mut_while_shared { let c = std::cell::RefCell::new(1); let a = c.borrow(); let b = c.borrow_mut(); }
    clone_while_mut {
        let c = std::cell::RefCell::new(vec![1]);
        let d = vec![std::cell::RefCell::new(1), std::cell::RefCell::new(2)];
        let a = d[1].borrow_mut();
        let e = d.clone();
    }
    capacity_overflow { let v: Vec<u64> = Vec::with_capacity(usize::MAX / 4); }
    reserve_overflow { let mut v = vec![1u8]; v.reserve(usize::MAX); }
    insert_beyond { let mut v = vec![String::from("a")]; v.insert(2, String::from("b")); }
    remove_beyond { let mut v = vec![1]; v.remove(1); }
    swap_remove_beyond { let mut v: Vec<u8> = vec![]; v.swap_remove(0); }
    slice_start { let v = vec![1, 2, 3]; let a = 4; let s = &v[a..]; }
    slice_end { let v = vec![1, 2, 3]; let a = 4; let s = &v[1..a]; }
    slice_both { let v = [1, 2, 3]; let (a, b) = (9, 1); let s = &v[a..b]; }
    slice_order { let v = [1, 2, 3]; let (a, b) = (2, 1); let s = &v[a..b]; }
    slice_inclusive { let v = [1, 2, 3]; let b = 3; let s = &v[1..=b]; }
    slice_inclusive_beyond { let v = [1, 2, 3]; let b = usize::MAX; let s = &v[..=b]; }
    slice_inclusive_order { let v = [1, 2, 3]; let b = 0; let s = &v[2..=b]; }
    slice_inclusive_start { let v = [1, 2, 3]; let a = 4; let s = &v[a..=3]; }
    str_inclusive { let s = "abé"; let b = 4; println!("{}", &s[1..=b]); }
    str_inclusive_inside { let s = "abé"; let b = 2; println!("{}", &s[1..=b]); }
    inclusive_slices {
        let mut v = vec![1, 2, 3];
        v[0..=1][0] = 9;
        println!("{:?} {:?} {} {}", &v[..=1], &v[3..=2], &"abé"[1..=3], &"abc"[2..=1]);
    }
    str_inside { let s = String::from("aéz"); let i = 2; println!("{}", &s[i..]); }
    str_end_inside { let s = String::from("aéz"); let i = 2; println!("{}", &s[..i]); }
    str_beyond { let s = "aéz"; let i = 9; println!("{}", &s[1..i]); }
    str_order { let s = "aéz"; let i = 3; println!("{}", &s[i..1]); }
    str_long { let s = "é".repeat(300); let i = 1; println!("{}", &s[i..]); }
    string_insert_inside { let mut s = String::from("é"); s.insert(1, 'x'); }
    string_remove_end { let mut s = String::from("é"); s.remove(2); }
    string_remove_inside { let mut s = String::from("é"); s.remove(1); }
    string_truncate_inside { let mut s = String::from("é"); s.truncate(1); }
    pow_overflow { let a = 10i32; a.pow(10); }
    abs_overflow { let a = i64::MIN; a.abs(); }
    next_power_overflow { let a = 200u8; a.next_power_of_two(); }
    slice_swap_beyond { let mut v = vec![1, 2]; v.swap(0, 5); }
    vec_methods {
        let mut v = vec![3, 1, 2];
        v.insert(1, 9);
        v.insert(4, 7);
        println!("{:?} {:?} {:?}", v.remove(0), v.pop(), v);
        v.extend_from_slice(&[5, 6, 7]);
        println!("{:?} {} {}", v.swap_remove(0), v.len(), v.capacity());
        v.truncate(3);
        v.reserve(10);
        println!("{:?} {}", v, v.capacity());
        v.shrink_to_fit();
        println!("{} {:?} {:?}", v.capacity(), v.first(), v.last());
        let mut w = vec![1; 3];
        v.append(&mut w);
        println!("{:?} {:?} {}", v, w, w.capacity());
        v.resize(8, 4);
        v.sort();
        println!("{:?} {:?} {:?}", v, v.get(2), v.get(99));
        v.reverse();
        v.swap(0, 1);
        println!("{:?} {} {}", v, v.contains(&4), v.contains(&40));
        v.resize(2, 0);
        v.fill(8);
        println!("{:?} {}", v, v.is_empty());
        v.clear();
        println!("{} {:?} {:?}", v.is_empty(), v.pop(), v);
        let mut x: Vec<u16> = Vec::with_capacity(10);
        x.reserve_exact(25);
        println!("{} {}", x.capacity(), x.len());
        let b = vec![1u8, 2, 3].into_boxed_slice();
        println!("{:?} {}", b, b.len());
    }
    vecs_of_strings {
        let mut v = vec![String::from("b"), String::from("a")];
        v.push("c".to_string());
        let w = v.clone();
        v.sort();
        println!("{:?} {:?} {}", v, w, v == w);
        v.truncate(1);
        v.resize(3, String::from("z"));
        v.insert(1, String::from("i"));
        v.reverse();
        v[0] = v[1].clone();
        println!("{:?} {:?}", v.remove(1), v);
        let n = vec![v.clone(), w];
        println!("{:?} {}", n, n[0] < n[1]);
        v.fill(String::from("fill"));
        println!("{:?}", v);
        let t = v.to_vec();
        println!("{}", t.len());
    }
    zero_sized_elements {
        let mut v = Vec::new();
        v.push(());
        v.push(());
        println!("{} {} {:?} {:?}", v.len(), v.capacity(), v.pop(), v);
        let w = vec![(); 5];
        println!("{}", w.len());
        let mut count = 0;
        for _x in &w { count += 1; }
        println!("{count}");
    }
    try_reserve_refuses_what_is_beyond {
        let mut v = vec![1u16];
        println!("{:?}", v.try_reserve(usize::MAX));
        println!("{:?} {}", v.try_reserve(3), v.capacity());
        println!("{:#?}", v.try_reserve(usize::MAX));
    }
    strings {
        let mut s = String::from("héllo");
        s.push('!');
        s.push_str(" wörld");
        println!("{s} {} {:?} {}", s.len(), s.pop(), s.capacity());
        s.insert(1, 'ß');
        println!("{} {}", s.remove(1), s);
        s.truncate(3);
        println!("{s} {}", s.is_empty());
        let t = s.clone() + "-" + &s;
        println!("{t} {} {}", t == s, t.as_str() > "h");
        println!("{} {} {}", t.to_uppercase(), t.to_lowercase(), "ab".repeat(3));
        println!("{} {} {}", t.contains("lé"), t.starts_with("h"), t.ends_with("é"));
        println!("[{}] {:?}", "  a b ".trim(), "é".as_bytes());
        println!("{} {}", &t[0..1], &t[3..]);
        s.clear();
        println!("{:?} {}", s, s.capacity() > 0);
        s.shrink_to_fit();
        println!("{}", s.capacity());
        let mut e = String::with_capacity(10);
        e.reserve(20);
        println!("{} {:?} {:?}", e.capacity(), e.pop(), String::new().into_bytes());
        println!("{} {} {}", 5.to_string(), 'x'.to_string(), 1.5.to_string());
        println!("{}", format!("{}-{:>4}", 1, "a"));
    }
    options_and_results {
        let mut a = Some(5);
        println!("{:?} {:?} {} {}", a.take(), a, a.is_none(), a.is_some());
        println!("{:?} {:?}", a.replace(3), a);
        *a.insert(7) += 1;
        println!("{:?} {}", a, a.unwrap_or(0));
        let mut s: Option<String> = None;
        s.get_or_insert(String::from("x")).push('y');
        println!("{:?} {}", s, s.as_ref().unwrap().len());
        s.as_mut().unwrap().push('z');
        s.insert(String::from("new"));
        println!("{:?}", s.clone().ok_or(1));
        let none: Option<String> = None;
        println!("{:?} {}", none.clone().ok_or("none"), none.unwrap_or(String::from("default")));
        let v = vec![String::from("q")];
        println!("{:?} {:?}", v.first().cloned(), v.get(4).cloned());
        println!("{:?}", [1u8].first().copied());
        let r: Result<u8, String> = Ok(3);
        println!("{} {} {:?}", r.is_ok(), r.is_err(), r.clone().ok());
        println!("{:?} {}", r.clone().err(), r.unwrap_or(9));
        let e: Result<String, String> = Err(String::from("e"));
        println!("{:?} {:?}", e.clone().ok(), e.clone().unwrap_err());
        println!("{:?} {}", e.clone().err(), e.unwrap_or(String::from("d")));
        let inner: Option<u8> = None;
        println!("{:?} {:?}", Some(Some(1)), Some(inner));
        println!("{} {}", Some(1) < Some(2), None < Some(0));
    }
    niches_hold_every_value {
        let none: Option<bool> = None;
        println!("{:?} {:?} {:?}", Some(true), Some(false), none);
        let nested: Option<Option<bool>> = None;
        println!("{:?} {:?} {:?}", Some(none), nested, Some(Some(true)));
        let no_char: Option<char> = None;
        println!("{:?} {:?}", Some('x'), no_char);
        let v: [Option<Vec<u8>>; 3] = [None, Some(vec![]), Some(vec![1])];
        let w = Some(v.clone());
        println!("{:?} {:?}", v, w == None);
        let b: Option<Box<i32>> = Some(Box::new(5));
        println!("{:?}", b);
        let n: Option<Option<String>> = Some(None);
        println!("{:?} {}", n, n.is_some());
    }
    counted_references {
        use std::rc::{Rc, Weak};
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        let a = Rc::new(Loud(1));
        let b = a.clone();
        let w = Rc::downgrade(&a);
        println!("{} {} {}", Rc::strong_count(&a), Rc::weak_count(&b), Rc::ptr_eq(&a, &b));
        let c = w.upgrade().unwrap();
        println!("{} {}", Rc::strong_count(&c), a.0);
        drop(a);
        drop(b);
        println!("one left");
        drop(c);
        println!("{} ", w.upgrade().is_none());
        let mut d = Rc::new(5);
        *Rc::get_mut(&mut d).unwrap() += 1;
        let e = d.clone();
        println!("{:?} {:?}", Rc::get_mut(&mut d), e);
        println!("{:?}", Rc::try_unwrap(d));
        println!("{:?}", Rc::try_unwrap(e));
        let none: Weak<i32> = Weak::new();
        println!("{:?} {}", none, none.clone().upgrade().is_none());
    }
    cells {
        use std::cell::{Cell, RefCell};
        let c = Cell::new(5);
        c.set(c.get() + 1);
        println!("{} {} {:?}", c.replace(9), c.get(), c);
        let s = Cell::new(String::from("a"));
        s.set(String::from("b"));
        println!("{} {}", s.replace(String::from("c")), s.into_inner());
        let r = RefCell::new(vec![1]);
        r.borrow_mut().push(2);
        {
            let a = r.borrow();
            let b = r.borrow();
            println!("{} {} {:?}", a.len(), b[1], r);
        }
        {
            let mut m = r.borrow_mut();
            m.push(3);
            println!("{:?}", r);
            *m = vec![7];
        }
        println!("{:?} {:#?}", r, r);
        println!("{:?}", r.into_inner());
    }
    shared_cells {
        use std::rc::Rc;
        use std::cell::RefCell;
        struct Node { value: i32, next: Option<Rc<RefCell<Node>>> }
        let a = Rc::new(RefCell::new(Node { value: 1, next: None }));
        let b = Rc::new(RefCell::new(Node { value: 2, next: Some(a.clone()) }));
        a.borrow_mut().value += 10;
        println!("{} {}", b.borrow().value, b.borrow().next.as_ref().unwrap().borrow().value);
        println!("{} {}", Rc::strong_count(&a), Rc::strong_count(&b));
    }
    swap_replace_take {
        let mut a = String::from("a");
        let mut b = String::from("b");
        std::mem::swap(&mut a, &mut b);
        println!("{a} {b} {}", std::mem::replace(&mut a, String::from("c")));
        println!("{} {a:?}", std::mem::take(&mut a));
        let mut p = (1, [2u8; 3]);
        let mut q = (3, [4u8; 3]);
        std::mem::swap(&mut p, &mut q);
        println!("{:?} {:?} {:?}", q, std::mem::take(&mut p), p);
        let (mut x, mut y) = (1, 2);
        std::mem::swap(&mut x, &mut y);
        println!("{x} {y}");
        let mut v = vec![1];
        println!("{:?} {:?}", std::mem::take(&mut v), v);
    }
    sizes {
        use std::mem::{size_of, align_of, size_of_val};
        struct S { a: u8, b: u32, c: u16 }
        #[repr(C)] struct C { a: u8, b: u32, c: u16 }
        println!("{} {} {}", size_of::<S>(), size_of::<C>(), align_of::<S>());
        println!("{} {} {}", size_of::<Option<Box<u8>>>(), size_of::<Option<u32>>(), size_of::<Vec<u8>>());
        println!("{} {} {}", size_of::<&str>(), size_of::<&u8>(), size_of::<(u8, u32, u8)>());
        println!("{} {} {}", size_of_val("héllo"), size_of_val(&[1u16, 2]), size_of_val(&[1u16, 2][..]));
        println!("{} {}", size_of::<Option<Option<bool>>>(), size_of::<Result<u8, String>>());
    }
    numbers_as_text {
        println!("[{:5}] [{:<5}] [{:^5}] [{:>5}] [{:05}]", 42, 42, 42, 42, -42);
        println!("[{:+}] [{:x}] [{:#X}] [{:#b}] [{:#o}] [{:#010x}]", 7, 255, 255u8, 5, 8, 255);
        println!("[{:x}] [{:b}] [{:e}] [{:.2e}]", -1i8, -2i8, 1500, 1234);
        println!("[{}] [{:?}] [{:.2}] [{:8.3}] [{:+08.2}] [{:e}]", 1.0, 1.0, 3.14159, 2.5, 1.5, 1500.0);
        println!("{} {} {} {:?}", 1e21, 1e-7, f64::MAX, f32::MAX);
        println!("{:?} {:?} {:?} {}", 0.1 + 0.2, 1e16, 0.1f32 + 0.2f32, -0.0);
        println!("[{:*^9}] [{:->6}] [{:#<4}]", "mid", 'c', true);
        println!("[{:.2}] [{:6.2}] [{:5}]", "abcdef", "abcdef", "é");
        println!("{:?} {:?} {:?} {:?}", "q\"\n\t\u{1}é", '\'', 'x', "'");
        println!("[{:5?}] [{:<3?}] [{:?}] [{:02}]", 1, 2, (), 3);
        println!("{} {}", u128::MAX, i128::MIN);
        println!("[{:6}] [{:6?}] [{:06}]", 1.5, 1.5, f64::INFINITY);
    }
    values_as_text {
        #[derive(Debug, Clone, PartialEq, Default)] struct P { x: i32, name: String }
        #[derive(Debug, Clone, Copy, PartialEq)] struct T(u8, f32);
        #[derive(Debug)] struct U;
        #[derive(Debug)] struct Holds { p: P, t: Option<T>, list: Vec<(i32, char)>, u: U }
        let h = Holds { p: P { x: 1, name: String::from("n") }, t: Some(T(1, 2.0)), list: vec![(1, 'a'), (2, 'b')], u: U };
        println!("{:?}", h);
        println!("{:#?}", h);
        println!("{:#?} {:#?} {:#?}", (), (1,), Vec::<u8>::new());
        println!("{:?} {:?} {:#?}", (1,), (1, 2), Some(()));
        println!("{:?} {:?}", [[1, 2], [3, 4]], &&5);
        println!("{:4?} {:?}", vec![1, 2], Box::new(String::from("b")));
        println!("{:?}", std::mem::take(&mut P { x: 1, name: String::new() }));
        println!("{:#?}", std::cell::Cell::new(1));
        println!("{:?}", std::rc::Rc::new(5));
    }
    comparisons {
        println!("{} {} {}", vec![1, 2] < vec![1, 3], [1, 2] == [1, 2], (1, "a") < (1, "b"));
        println!("{} {}", "abc" < "abd", String::from("a") == "a");
        println!("{} {}", vec![1] == [1], vec![1] != [2]);
        println!("{} {} {}", f64::NAN == f64::NAN, f64::NAN != f64::NAN, (1.0, f64::NAN) < (2.0, 0.0));
        println!("{} {}", 'a' < 'b', true > false);
        println!("{} {}", Box::new(1) == Box::new(1), Some("x") == Some("x"));
    }
    number_methods {
        println!("{} {} {} {}", 2i32.pow(10), (-5i8).abs(), 3i32.min(4), 3u8.max(4));
        println!("{} {} {}", 250u8.wrapping_add(10), 0u8.wrapping_sub(1), 100i8.wrapping_mul(2));
        println!("{:?} {:?} {:?} {:?}", 250u8.checked_add(10), 5u8.checked_sub(2), i32::MAX.checked_mul(2), 5i32.checked_div(0));
        println!("{} {} {}", 250u8.saturating_add(10), 0u8.saturating_sub(1), (-100i8).saturating_sub(100));
        println!("{} {} {} {}", 7u8.count_ones(), 1u16.leading_zeros(), 8u32.trailing_zeros(), 0u8.trailing_zeros());
        println!("{} {}", 8u8.is_power_of_two(), 5u32.next_power_of_two());
        println!("{} {} {} {} {} {}", 2.0f64.sqrt(), (-1.5f32).abs(), 1.0f64.min(2.0), 1.0f64.max(f64::NAN), 2.7f64.floor(), 2.0f64.powi(-2));
    }
    loops_and_slices {
        let mut v = vec![1, 2, 3];
        for x in &mut v { *x *= 2; }
        for x in v.iter() { print!("{x} "); }
        for x in &v[1..] { print!("{x} "); }
        let a = [10u8, 20, 30];
        for x in a.iter() { print!("{x} "); }
        for i in (0..3u8) { print!("{i}"); }
        for i in 250..=255u8 { print!("{i} "); }
        for i in -2..=2i8 { print!("{i} "); }
        for i in 5..3 { print!("never {i}"); }
        println!("{:?} {:?}", v, a.iter());
        let s = &mut v[..2];
        s[0] = 100;
        println!("{:?}", v);
        let mut grid = [[0u8; 3]; 2];
        grid[1][2] = 7;
        println!("{:?}", grid);
        let mut total = 0;
        for i in 0..10 { for j in 0..10 { if j > i { break; } if j % 2 == 1 { continue; } total += j; } }
        println!("{total}");
    }
    what_a_pattern_leaves_is_dropped_at_once {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        fn pair(n: u8) -> (Loud, Loud) { (Loud(n), Loud(n + 1)) }
        let (_, a) = pair(1);
        println!("then");
        let (b, (_, c)) = (Loud(3), pair(4));
        let (x, y) = (1, 2);
        let whole = pair(6);
        let (_, d) = whole;
        println!("end {} {} {} {} {}", a.0, b.0, c.0, d.0, x + y);
    }
    leaked_values_stay {
        struct Loud(u8);
        impl Drop for Loud { fn drop(&mut self) { println!("drop {}", self.0); } }
        std::mem::forget(Loud(1));
        let r = Box::leak(Box::new(5));
        *r += 1;
        println!("{r}");
        let s = vec![1, 2].leak();
        s[0] = 9;
        println!("{:?}", s);
    }
    boxes_and_unsizing {
        let b: Box<[i32]> = Box::new([1, 2, 3]);
        println!("{:?} {} {}", b, b.len(), b[1]);
        let c = b.clone();
        println!("{}", c == b);
        let nested = Box::new(Box::new(String::from("deep")));
        println!("{} {}", nested, nested.len());
        let moved = *nested;
        println!("{moved}");
        let mut pair = Box::new((1, String::from("x")));
        pair.0 += 1;
        pair.1.push('y');
        println!("{:?}", pair);
    }
    a_long_list_drops_clones_and_prints {
        #[derive(Clone, Debug, PartialEq)] struct Node { v: u32, next: Option<Box<Node>> }
        let mut head: Option<Box<Node>> = None;
        for i in 0..500 { head = Some(Box::new(Node { v: i, next: head })); }
        let copy = head.clone();
        println!("{} {}", copy == head, format!("{:?}", head).len());
    }
    pointers_differ_and_agree {
        let v = vec![1u8, 2];
        println!("{} {}", format!("{:p}", &v[0]) == format!("{:p}", v.as_slice()), format!("{:p}", &v) == format!("{:p}", &v));
        println!("{}", format!("{:p}", v.as_slice()).ends_with(", metadata: 2 }"));
        println!("{}", format!("{:#p}", &v[0]).len());
    }
}
