//! Lines of Rust as a learner sees them: one story for each chapter that needs them.

use engine::Session;

use crate::{exchange, snapshot};

const STORIES: &[(&str, &[&str])] = &[
    (
        "vec",
        &[
            "let n = 200;",
            "let items = [0u8; n];",
            "let mut items = vec![0u8; n];",
            "let n: usize = 200;",
            "let mut items = vec![0u8; n];",
            "items[0] = 10;",
            "items.push(1);",
            "stack",
            "map",
            "undo",
            "drop(items);",
            "items.len()",
            "map",
        ],
    ),
    (
        "references",
        &[
            "let mut v = vec![1u32, 2, 3];",
            "let r = &v;",
            "let part = &v[1..];",
            "let text = \"abc\";",
            "vars",
            "v.push(4);",
            "r.len()",
            "dare r.len()",
            "let first = &mut v[0];",
            "*first = 10;",
            "v",
        ],
    ),
    (
        "box-and-dyn",
        &[
            "trait Shape { fn area(&self) -> f64; }",
            "struct Square { side: f64 }",
            "struct Circle { radius: f64, name: String }",
            "impl Shape for Square { fn area(&self) -> f64 { self.side * self.side } }",
            "let c: Box<dyn Shape> = Box::new(Circle { radius: 1.0, name: String::new() });",
            "impl Shape for Circle { fn area(&self) -> f64 { 3.14 * self.radius * self.radius } }",
            "let b: Box<dyn Shape> = Box::new(Square { side: 2.0 });",
            "let c: Box<dyn Shape> = Box::new(Circle { radius: 1.0, name: String::from(\"c\") });",
            "b.area() + c.area()",
            "std::mem::size_of_val(&*c)",
            "layout Box<dyn Shape>",
            "layout dyn Shape",
            "vars",
            "let r: &dyn Shape = &*b;",
            "b.side",
            "drop(b);",
            "r.area()",
            "dare drop(b)",
            "use std::io::Write;",
            "let mut out: Box<dyn Write> = Box::new(std::io::stdout());",
            "writeln!(out, \"{} and {}\", 1, 2).unwrap();",
        ],
    ),
    (
        "sharing",
        &[
            "use std::rc::Rc;",
            "use std::cell::RefCell;",
            "struct Node { next: RefCell<Option<Rc<Node>>>, id: u8 }",
            "let a = Rc::new(Node { next: RefCell::new(None), id: 1 });",
            "let b = a.clone();",
            "Rc::strong_count(&a)",
            "layout Node",
            "*a.next.borrow_mut() = Some(b);",
            "drop(a);",
            "check",
            "let cell = RefCell::new(5);",
            "let one = cell.borrow_mut();",
            "let two = cell.borrow_mut();",
            "cell",
        ],
    ),
    (
        "arrows",
        &[
            "use std::sync::Arc;",
            "struct Node { id: u8, text: String, next: Option<Box<Node>> }",
            "let v = vec![1u32, 2, 3];",
            "let r = &v[1];",
            "let list = vec![r, &v[2], r];",
            "let last = Node { id: 2, text: String::new(), next: None };",
            "let first = Node { id: 1, text: String::from(\"one\"), next: Some(Box::new(last)) };",
            "let seen = (Some(&first), &first.text[1..]);",
            "let shared = Arc::new(vec![String::from(\"a\")]);",
            "let also = shared.clone();",
            "let weak = Arc::downgrade(&also);",
            "vars",
            "map",
            "dare drop(v)",
            "drop(v);",
            "vars",
            "let pair = [&first.id, &first.id];",
            "dare drop(first)",
        ],
    ),
];

#[test]
fn each_story_is_told_as_its_snapshot_says() {
    for (name, story) in STORIES {
        let mut session = Session::default();
        let text: Vec<_> = story.iter().map(|line| exchange(&mut session, line)).collect();
        snapshot(&format!("rust__{name}"), &text.join("\n"));
    }
}
