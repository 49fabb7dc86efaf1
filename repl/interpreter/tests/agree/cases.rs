//! Hand-picked programs, read from the files in `cases`.

use crate::program::Program;

/// A program and what its heading says of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) heading: &'static str,
    lines: Vec<&'static str>,
}

/// What the language does.
pub(crate) fn programs() -> Vec<Case> {
    read(include_str!("cases/programs.txt"))
}

/// Each function of the library.
pub(crate) fn library() -> Vec<Case> {
    read(include_str!("cases/library.txt"))
}

/// Each of the compiler's codes.
pub(crate) fn faults() -> Vec<Case> {
    read(include_str!("cases/faults.txt"))
}

fn read(text: &'static str) -> Vec<Case> {
    text.split("//// ")
        .skip(1)
        .map(|case| {
            let mut lines = case.lines();
            let heading = lines.next().expect("a case has a heading");
            Case { heading, lines: lines.filter(|line| !line.is_empty()).collect() }
        })
        .collect()
}

impl Case {
    /// As it stands, with a type and a value for each that it leaves open.
    pub(crate) fn program(&self) -> Program {
        self.filled(["Vec<u8>", "vec![1u8, 2]", "u32", "7u32"])
    }

    /// With `$T`, `$t`, `$U` and `$u` replaced.
    pub(crate) fn filled(&self, by: [&str; 4]) -> Program {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                let with = |line: String, (name, by): (&str, &str)| line.replace(name, by);
                ["$T", "$t", "$U", "$u"].into_iter().zip(by).fold((*line).to_owned(), with)
            })
            .collect();
        let imports = [
            "use std::rc::{Rc, Weak};",
            "use std::sync::{self, Arc};",
            "use std::cell::{Cell, RefCell};",
            "use std::borrow::Cow;",
        ];
        Program::of_lines(imports.into_iter().chain(lines.iter().map(String::as_str)))
    }
}
