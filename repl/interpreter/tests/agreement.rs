//! The same program, compiled by rustc into this test and run by the interpreter: what is printed and what a panic says
//! must agree, and afterwards nothing may be left on the machine.

#![allow(unused, unconditional_panic, arithmetic_overflow, dead_code)]
#![allow(clippy::all, clippy::pedantic)]

mod machine;

use std::cell::RefCell as Shared;
use std::panic::{AssertUnwindSafe, catch_unwind};

use interpreter::run::Stop;
use interpreter::{Note, Program};
use machine::TestMachine;

thread_local! {
    static PRINTED: Shared<String> = const { Shared::new(String::new()) };
    static PANICKED: Shared<Vec<String>> = const { Shared::new(Vec::new()) };
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
    std::panic::set_hook(Box::new(|_| {}));
    PRINTED.with(|printed| printed.borrow_mut().clear());
    let outcome = catch_unwind(AssertUnwindSafe(program));
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
}
