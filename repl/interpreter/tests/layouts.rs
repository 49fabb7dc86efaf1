//! Types laid out by rustc, in this test, and by us: sizes, alignments, and each byte that a value of ours has set. Bytes
//! that a pointer makes are left out: addresses differ.

#![allow(dead_code)]
#![allow(clippy::all, clippy::pedantic)]

mod machine;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::{Rc, Weak};
use std::sync::{self, Arc};

use interpreter::Program;
use machine::{HEAPS, HEAPS_OF_RUSTC, TestMachine};

/// The bytes of a value at the places asked for.
fn bytes_at<T>(value: &T, places: &[usize]) -> Vec<u8> {
    let first = std::ptr::from_ref(value).cast::<u8>();
    assert!(places.iter().all(|place| *place < size_of::<T>()));
    // SAFETY: each place lies in the value, as the line above says. It is no padding: if rustc and we agree, a field lies
    // there; if we do not, the test is about to fail, as sizes and the other fields' bytes say.
    places.iter().map(|place| unsafe { first.add(*place).read() }).collect()
}

/// Whether bytes are those of one of our addresses.
fn is_pointer(bytes: &[u8]) -> bool {
    let word = u64::from_le_bytes(bytes.try_into().unwrap());
    (0x0050_0000..=0xffff_ffff).contains(&word)
}

/// `let x: ty = text;`: the machine, where x lies, its size and its alignment.
fn laid_out_by_us(structs: &str, ty: &str, text: &str) -> (TestMachine, u64, u64, u64) {
    let mut machine = TestMachine::new(4096, 4096);
    let mut program = Program::with_heaps(HEAPS);
    let uses = "use std::rc::{Rc, Weak}; use std::sync::{self, Arc}; use std::cell::{Cell, RefCell}; use std::borrow::Cow;";
    let line = format!("let x: {ty} = {text};");
    for (number, line) in [uses, structs, &line].into_iter().enumerate() {
        if let Err(fault) = program.run(number as u32, line, &mut machine) {
            panic!("{fault}: {line}");
        }
    }
    let newest = program.state().variables(program.items(), &machine, 100).pop().unwrap();
    let of_type = program.state().layout(program.names().local("x").unwrap()).unwrap();
    (machine, newest.address, newest.size, of_type.align)
}

fn compare<T>(structs: &str, ty: &str, text: &str, value: &T) {
    let (machine, address, size, align) = laid_out_by_us(structs, ty, text);
    assert_eq!(size, size_of::<T>() as u64, "the size of {ty}");
    assert_eq!(address % align_of::<T>() as u64, 0, "the alignment of {ty}");
    assert_eq!(align, align_of::<T>() as u64, "the alignment of {ty}");

    let is_set = machine.set(address, size);
    let mut places: Vec<_> = (0..is_set.len()).filter(|place| is_set[*place]).collect();
    for word in (0..is_set.len() / 8).map(|word| word * 8) {
        let bytes = machine.bytes(address + word as u64, 8);
        if is_set[word..word + 8].iter().all(|set| *set) && is_pointer(&bytes) {
            places.retain(|place| !(word..word + 8).contains(place));
        }
    }
    let ours: Vec<_> =
        places.iter().map(|place| machine.bytes(address + *place as u64, 1)[0]).collect();
    let theirs = bytes_at(value, &places);
    assert_eq!(ours, theirs, "{text} of {ty}, at {places:?}");
}

macro_rules! laid_out {
    ($test:ident { $($structs:item)* } $($ty:ty = $value:expr;)*) => {
        #[test]
        fn $test() {
            $($structs)*
            let structs = stringify!($($structs)*);
            $(compare::<$ty>(structs, stringify!($ty), stringify!($value), &$value);)*
        }
    };
}

laid_out! { scalars_and_tuples {}
    u8 = 1;
    i128 = -5;
    char = 'x';
    bool = true;
    () = ();
    (u8, u32) = (1, 2);
    (u8, u32, u16) = (1, 2, 3);
    (u8, u16, u32) = (1, 2, 3);
    (u32, u8, u16, u8) = (1, 2, 3, 4);
    (u64, u8, u8, u64) = (1, 2, 3, 4);
    (u8, u128, u8) = (1, 2, 3);
    (bool, u32, char, u8) = (true, 2, 'c', 4);
    ((u8, u16), u8, (u16, u8)) = ((1, 2), 3, (4, 5));
    (u8, [u8; 4], u32) = (1, [2, 3, 4, 5], 6);
    ([u8; 6], u16, u8, u32) = ([1, 2, 3, 4, 5, 6], 7, 8, 9);
    [u16; 3] = [1, 2, 3];
    [(u8, u32); 2] = [(1, 2), (3, 4)];
    (u8, (), u16) = (1, (), 2);
}

laid_out! { structs {
        struct A { a: u8, b: u32, c: u16 }
        #[repr(C)] struct C { a: u8, b: u32, c: u16 }
        struct B { flag: bool, wide: u64, c: char, small: u8 }
        struct Deep { a: A, x: u8, b: B, y: u16 }
        struct Bools { a: u8, b: [u8; 3], c: bool, d: u16, e: bool }
        struct Arrays { a: u8, b: [u8; 16], c: u32 }
        struct NicheArray { a: bool, b: [u8; 16], c: u32 }
        struct Middle { a: (u8, u8, u8, bool), b: (u8, bool, u8) }
        struct Tuple(u8, u64, u8);
        struct Empty;
        struct Zero { a: u8, z: [u64; 0], b: u8 }
        struct Odd { a: [u8; 3], b: [u16; 3], c: u64, d: [u8; 5] }
        struct One { c: Cell<u8> }
    }
    A = A { a: 1, b: 2, c: 3 };
    C = C { a: 1, b: 2, c: 3 };
    B = B { flag: true, wide: 2, c: 'z', small: 4 };
    Deep = Deep { a: A { a: 1, b: 2, c: 3 }, x: 4, b: B { flag: false, wide: 5, c: 'q', small: 6 }, y: 7 };
    Bools = Bools { a: 1, b: [2, 3, 4], c: true, d: 5, e: false };
    Arrays = Arrays { a: 1, b: [2; 16], c: 3 };
    NicheArray = NicheArray { a: true, b: [2; 16], c: 3 };
    Middle = Middle { a: (9, 8, 7, true), b: (5, false, 4) };
    Tuple = Tuple(1, 2, 3);
    Empty = Empty;
    Zero = Zero { a: 1, z: [], b: 2 };
    Odd = Odd { a: [1, 2, 3], b: [4, 5, 6], c: 7, d: [8, 9, 10, 11, 12] };
    One = One { c: Cell::new(7) };
    Option<A> = Some(A { a: 1, b: 2, c: 3 });
    Option<A> = None;
    Option<B> = Some(B { flag: true, wide: 2, c: 'z', small: 4 });
    Option<B> = None;
    Option<Deep> = None;
    Option<Bools> = None;
    Option<Bools> = Some(Bools { a: 1, b: [2, 3, 4], c: true, d: 5, e: false });
    Option<NicheArray> = None;
    Option<Middle> = None;
    Option<Middle> = Some(Middle { a: (9, 8, 7, true), b: (5, false, 4) });
    Option<Empty> = None;
    Option<One> = None;
    [Option<A>; 2] = [None, Some(A { a: 1, b: 2, c: 3 })];
}

laid_out! { options_and_results {}
    Option<u8> = Some(7);
    Option<u8> = None;
    Option<u32> = Some(7);
    Option<u32> = None;
    Option<u64> = Some(7);
    Option<u128> = Some(7);
    Option<u128> = None;
    Option<i16> = Some(-1);
    Option<f64> = Some(1.5);
    Option<bool> = Some(true);
    Option<bool> = None;
    Option<Option<bool>> = None;
    Option<Option<bool>> = Some(None);
    Option<Option<bool>> = Some(Some(true));
    Option<Option<Option<bool>>> = Some(Some(None));
    Option<Option<u8>> = None;
    Option<Option<u8>> = Some(None);
    Option<Option<u32>> = Some(None);
    Option<char> = None;
    Option<char> = Some('a');
    Option<Option<char>> = Some(None);
    Option<()> = Some(());
    Option<()> = None;
    Option<(u8, bool)> = None;
    Option<(bool, u32)> = None;
    Option<(u32, bool)> = Some((5, true));
    Option<[bool; 2]> = None;
    Option<[bool; 0]> = None;
    Option<[u16; 3]> = Some([1, 2, 3]);
    Option<Box<u8>> = None;
    Option<Box<[u8]>> = None;
    Option<Rc<u8>> = None;
    Option<Weak<u8>> = None;
    Option<&str> = None;
    Option<&u8> = None;
    Option<Option<&u8>> = None;
    Option<Option<&u8>> = Some(None);
    Option<Vec<u8>> = None;
    Option<Option<Vec<u8>>> = None;
    Option<Option<Vec<u8>>> = Some(None);
    Option<Option<Option<String>>> = Some(Some(None));
    Option<String> = None;
    Option<Cell<bool>> = None;
    Option<Cell<bool>> = Some(Cell::new(true));
    Option<RefCell<u8>> = None;
    Option<(String, bool)> = None;
    Result<u8, u32> = Ok(1);
    Result<u8, u32> = Err(2);
    Result<u8, u8> = Err(2);
    Result<(), u8> = Ok(());
    Result<(), String> = Ok(());
    Result<u8, String> = Ok(3);
    Result<u32, Vec<u8>> = Ok(3);
    Result<u64, Vec<u8>> = Ok(3);
    Result<(u64, u64), String> = Ok((3, 4));
    Result<(u64, u64, u8), String> = Ok((3, 4, 5));
    Result<(bool, u32), u8> = Err(3);
    Result<(bool, u32), u8> = Ok((true, 3));
    Result<(bool, u32), u32> = Err(3);
    Result<bool, ()> = Err(());
    Result<String, String> = Ok(String::new());
    Result<Option<u8>, bool> = Ok(None);
    Result<Option<bool>, bool> = Err(true);
}

laid_out! { the_library_s_types {}
    Vec<u32> = vec![1, 2, 3];
    Vec<u32> = Vec::new();
    Vec<u64> = Vec::with_capacity(5);
    String = String::from("abc");
    String = String::new();
    Box<u8> = Box::new(1);
    Box<[u16]> = vec![1, 2].into_boxed_slice();
    &str = "four";
    &[u16] = &[1, 2, 3][..];
    Rc<u8> = Rc::new(1);
    Weak<u8> = Weak::new();
    Arc<u8> = Arc::new(1);
    sync::Weak<u8> = sync::Weak::new();
    Option<Arc<u8>> = None;
    Cow<'_, str> = Cow::Borrowed("four");
    Cow<'_, str> = Cow::Owned(String::from("four"));
    Cow<'_, [u16]> = Cow::Borrowed(&[1, 2, 3]);
    Cow<'_, [u16]> = Cow::Owned(vec![1]);
    Option<Cow<'_, str>> = None;
    Option<Cow<'_, str>> = Some(Cow::Borrowed("x"));
    Option<Cow<'_, str>> = Some(Cow::Owned(String::new()));
    (u8, Cow<'_, str>) = (1, Cow::Borrowed(""));
    Cell<u16> = Cell::new(3);
    RefCell<u8> = RefCell::new(3);
    RefCell<u64> = RefCell::new(3);
    RefCell<(bool, u128)> = RefCell::new((true, 3));
    (u8, String, u16) = (1, String::new(), 2);
    (Vec<u8>, bool, u32) = (vec![1], true, 5);
    [Option<Box<u8>>; 2] = [None, None];
}

laid_out! { what_lies_in_itself {
        struct Queue { id: u8, jobs: heapless::Deque<u16, 3>, ok: bool }
        struct Wide { id: u8, at: u128 }
        heapless::box_pool!(Numbers: u16);
    }
    heapless::Vec<u8, 8> = heapless::Vec::from_slice(&[1, 2, 3]).unwrap();
    heapless::Vec<u8, 0> = heapless::Vec::new();
    heapless::Vec<u8, 3, u8> = heapless::Vec::from_slice(&[1, 2]).unwrap();
    heapless::Vec<u16, 3, u8> = heapless::Vec::from_slice(&[1, 2]).unwrap();
    heapless::Vec<u64, 2, u16> = heapless::Vec::from_slice(&[1, 2]).unwrap();
    heapless::Vec<u8, 300, u32> = heapless::Vec::from_slice(&[1, 2]).unwrap();
    heapless::Vec<u128, 2, u8> = heapless::Vec::from_slice(&[1]).unwrap();
    heapless::Vec<bool, 2, u8> = heapless::Vec::from_slice(&[true]).unwrap();
    heapless::Vec<(), 2, u8> = heapless::Vec::from_slice(&[()]).unwrap();
    heapless::Vec<Wide, 2> = heapless::Vec::new();
    heapless::Vec<heapless::Vec<u8, 2, u8>, 2, u8> = heapless::Vec::new();
    Option<heapless::Vec<bool, 2, u8>> = None;
    Option<heapless::Vec<u8, 8>> = Some(heapless::Vec::from_slice(&[1, 2, 3]).unwrap());
    heapless::String<5> = heapless::String::try_from("abc").unwrap();
    heapless::String<5, u8> = heapless::String::try_from("hello").unwrap();
    Option<heapless::String<5, u8>> = None;
    heapless::Deque<u8, 4> = heapless::Deque::new();
    heapless::Deque<u128, 2> = heapless::Deque::new();
    heapless::Deque<Wide, 2> = heapless::Deque::new();
    Option<heapless::Deque<u8, 4>> = None;
    Option<heapless::Deque<u8, 4>> = Some(heapless::Deque::new());
    Option<Option<heapless::Deque<u64, 4>>> = Some(None);
    Result<heapless::Deque<u8, 4>, u32> = Err(5);
    Queue = Queue { id: 1, jobs: heapless::Deque::new(), ok: true };
    Option<Queue> = None;
    Result<(), heapless::CapacityError> = Ok(());
    Result<(), heapless::CapacityError> = heapless::String::<1, u8>::new().push_str("ab");
    Result<heapless::Vec<u8, 2>, heapless::CapacityError> = heapless::Vec::from_slice(&[1]);
    Result<(), u8> = heapless::Vec::<u8, 0>::new().push(7);
    heapless::pool::boxed::BoxBlock<u8> = heapless::pool::boxed::BoxBlock::new();
    heapless::pool::boxed::BoxBlock<[u64; 3]> = heapless::pool::boxed::BoxBlock::new();
    Option<heapless::pool::boxed::Box<Numbers>> = None;
    Option<Option<heapless::pool::boxed::Box<Numbers>>> = None;
    Result<heapless::pool::boxed::Box<Numbers>, u16> = Numbers.alloc(5);
    (u8, heapless::Vec<u8, 3, u8>, u32) = (1, heapless::Vec::from_slice(&[1, 2, 3]).unwrap(), 5);
}

#[test]
fn a_failed_request_and_a_granted_one_look_as_std_s() {
    let mut v: Vec<u16> = Vec::new();
    compare(
        "",
        "Result<(), std::collections::TryReserveError>",
        "Vec::<u16>::new().try_reserve(2)",
        &v.try_reserve(2),
    );
    let beyond = v.try_reserve(usize::MAX);
    compare(
        "",
        "Result<(), std::collections::TryReserveError>",
        "vec![1u16].try_reserve(usize::MAX)",
        &beyond,
    );
}

/// std's `Allocator` is not stable, so that these types are another program's: rustc compiles it, and it prints each word.
#[test]
fn a_vec_and_a_box_with_an_allocator_are_laid_out_as_rustc_lays_them_out() {
    let values = [
        ("Vec<u8, &Bump>", "Vec::new_in(&bump)"),
        ("Vec<u8, &Bump>", "Vec::with_capacity_in(5, &bump)"),
        ("Vec<u64, &FirstFit>", "{ let mut v = Vec::new_in(&first_fit); v.push(7); v }"),
        ("Vec<(u8, u128), &Tlsf>", "Vec::new_in(&tlsf)"),
        ("Option<Vec<u8, &Bump>>", "None"),
        ("(u8, Vec<u16, &Bump>)", "(3, Vec::with_capacity_in(2, &bump))"),
        ("Box<u64, &Bump>", "Box::new_in(7, &bump)"),
        ("Option<Box<u64, &Bump>>", "Some(Box::new_in(7, &bump))"),
        ("Box<[u8], &Tlsf>", "Vec::with_capacity_in(0, &tlsf).into_boxed_slice()"),
        ("Box<[u8], &Tlsf>", "{ let b: Box<[u8], &Tlsf> = Box::new_in([1, 2, 3], &tlsf); b }"),
        ("[Box<u8, &Bump>; 2]", "[Box::new_in(1, &bump), Box::new_in(2, &bump)]"),
        ("Result<Box<u8, &Bump>, u32>", "Err(7)"),
    ];
    let mut source = format!("#![feature(allocator_api)] {HEAPS_OF_RUSTC}\nfn main() {{\n");
    for (ty, value) in values {
        source += &format!(
            "let x: {ty} = {value};
            print!(\"{{}} {{}}\", size_of::<{ty}>(), align_of::<{ty}>());
            for word in 0..size_of::<{ty}>() / 8 {{
                // Words that have not been set are read, too, and not compared.
                let at = (&raw const x).cast::<std::mem::MaybeUninit<u64>>();
                print!(\" {{}}\", unsafe {{ at.add(word).read().assume_init() }});
            }}
            println!();\n"
        );
    }
    source += "}\n";
    let folder = tempfile::tempdir().unwrap();
    let (file, binary) = (folder.path().join("words.rs"), folder.path().join("words"));
    std::fs::write(&file, source).unwrap();
    let output = Command::new(option_env!("RUSTC").unwrap_or("rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition=2024", "--cap-lints=allow", "-o"])
        .args([&binary, &file])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(Command::new(&binary).output().unwrap().stdout).unwrap();
    assert_eq!(printed.lines().count(), values.len());
    for ((ty, value), line) in values.into_iter().zip(printed.lines()) {
        let mut theirs = line.split(' ').map(|number| number.parse::<u64>().unwrap());
        let (machine, address, size, align) = laid_out_by_us("", ty, value);
        assert_eq!(Some(size), theirs.next(), "the size of {ty}");
        assert_eq!(Some(align), theirs.next(), "the alignment of {ty}");
        for (word, theirs) in theirs.enumerate() {
            let at = address + word as u64 * 8;
            let bytes = machine.bytes(at, 8);
            if machine.set(at, 8).iter().all(|is_set| *is_set) && !is_pointer(&bytes) {
                let ours = u64::from_le_bytes(bytes.try_into().unwrap());
                assert_eq!(ours, theirs, "word {word} of {value}");
            } else if machine.set(at, 8).iter().all(|is_set| *is_set) {
                assert!(theirs > 0xffff, "word {word} of {value} is an address: {theirs:#x}");
            }
        }
    }
}

/// The bytes of the one block that a line leaves.
fn block_of(line: &str) -> Vec<u8> {
    let mut machine = TestMachine::new(4096, 4096);
    let mut program = Program::default();
    for (number, line) in ["use std::rc::Rc; use std::sync::Arc;", line].into_iter().enumerate() {
        program.run(number as u32, line, &mut machine).unwrap();
    }
    let (at, size) = machine.blocks.iter().map(|(at, block)| (*at, block.0)).next().unwrap();
    machine.bytes(at, size)
}

/// The bytes of a value and of the two counts before it. It has no padding and an alignment of at most 16.
fn counted_bytes<T>(value: *const T) -> Vec<u8> {
    let first = value.cast::<u8>().wrapping_sub(16);
    // SAFETY: an `Rc` or `Arc` made the pointer from one to its whole block, which begins with two counts.
    (0..16 + size_of::<T>()).map(|at| unsafe { first.add(at).read() }).collect()
}

macro_rules! block {
    ($kind:ident, $value:expr) => {{
        let x = $kind::new($value);
        let _copies = (x.clone(), x.clone(), $kind::downgrade(&x));
        let line = stringify!(
            let x = $kind::new($value);
            let copies = (x.clone(), x.clone(), $kind::downgrade(&x));
        );
        let (ours, theirs) = (block_of(line), counted_bytes($kind::as_ptr(&x)));
        assert_eq!(ours.len(), theirs.len().next_multiple_of(align_of_val(&*x).max(8)), "{line}");
        assert_eq!(ours[..theirs.len()], theirs, "{line}");
    }};
}

#[test]
fn the_counts_lie_before_the_value_of_an_rc_and_of_an_arc() {
    block!(Rc, 7u8);
    block!(Arc, 7u8);
    block!(Rc, [1u16, 2, 3]);
    block!(Arc, [1u16, 2, 3]);
    block!(Rc, 5u128);
    block!(Arc, 5u128);
}

#[test]
fn errors_look_as_std_s() {
    let parse = "Result<u8, std::num::ParseIntError>";
    for text in ["", "x", "256", "7"] {
        compare("", parse, &format!("{text:?}.parse::<u8>()"), &text.parse::<u8>());
    }
    compare("", "Result<i8, std::num::ParseIntError>", "\"-200\".parse()", &"-200".parse::<i8>());
    let none: Option<Result<(), std::num::ParseIntError>> = None;
    compare("", "Option<Result<(), std::num::ParseIntError>>", "None", &none);
    let cell = RefCell::new(5u8);
    let held = cell.borrow_mut();
    let tried = cell.try_borrow();
    let ty = "Result<std::cell::Ref<u8>, std::cell::BorrowError>";
    compare(
        "fn held(c: &RefCell<u8>) { std::mem::forget(c.borrow_mut()); }",
        ty,
        "{ let c = Box::leak(Box::new(RefCell::new(5u8))); held(c); c.try_borrow() }",
        &tried,
    );
    drop((tried, held));
    let tried = cell.try_borrow_mut();
    let ty = "Result<std::cell::RefMut<u8>, std::cell::BorrowMutError>";
    compare("", ty, "Box::leak(Box::new(RefCell::new(5u8))).try_borrow_mut()", &tried);
}

#[test]
fn a_type_too_large_to_be_is_refused() {
    let mut program = Program::default();
    let mut machine = TestMachine::new(4096, 4096);
    let fault = program
        .run(1, "std::mem::size_of::<[u8; 2305843009213693952]>()", &mut machine)
        .unwrap_err();
    assert_eq!(
        fault.to_string(),
        "values of the type `[u8; 2305843009213693952]` are too big for the target architecture."
    );
}
