//! A recording of what a program asked of its allocator, in malloclab's `.rep` format.
//!
//! ```text
//! 20000     suggested heap size, ignored
//! 2         number of ids: the highest and one
//! 4         number of operations
//! 1         weight, ignored
//! a 0 512   allocate 512 bytes, call them 0
//! a 1 128
//! r 0 640   resize 0 to 640 bytes
//! f 1       free 1
//! ```
//!
//! Bryant and O'Hallaron, "Computer Systems: A Programmer's Perspective", its malloc lab. A size of 0 is legal there;
//! here it counts as 1, since a [`Layout`](std::alloc::Layout) of no bytes never reaches an allocator.
//!
//! Invariants of a [`Trace`], so that whoever replays it looks at nothing but memory:
//!
//! 1. Every id is below [`Trace::ids`].
//! 2. An id is allocated only while it is not live, and resized and freed only while it is.
//! 3. Every size is from 1 to [`MAX_ARENA`].

use std::str::FromStr;

use crate::MAX_ARENA;

/// One request of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A block of `size_bytes`, from now on known as `id`.
    Alloc {
        /// The block's number.
        id: u32,
        /// Its payload.
        size_bytes: u32,
    },
    /// The block gets another size, and keeps its bytes.
    Realloc {
        /// The block's number.
        id: u32,
        /// Its payload from now on.
        size_bytes: u32,
    },
    /// The block is given back.
    Free {
        /// The block's number.
        id: u32,
    },
}

/// A recording that holds together: see the invariants on top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    ids: u32,
    ops: Vec<Op>,
    peak_payload_bytes: u64,
}

/// Why a text is no trace, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTrace {
    /// The line, counted from 1. For a trace made of [`Op`]s, the line it would have.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text ends within the four lines of the header.
    HeaderEnds,
    /// A word that should be a number, and is none that fits in 32 bits.
    BadNumber,
    /// A line that does not start with `a`, `r` or `f`.
    UnknownOperation,
    /// A word is missing.
    TooFewWords,
    /// There are words behind the last one.
    TooManyWords,
    /// The header promises fewer ids.
    UnknownId {
        /// The id.
        id: u32,
        /// How many there should be.
        ids: u32,
    },
    /// The block was never allocated.
    NeverAllocated {
        /// The id.
        id: u32,
    },
    /// The block is free already.
    FreedBefore {
        /// The id.
        id: u32,
    },
    /// The block is live already.
    AllocatedTwice {
        /// The id.
        id: u32,
    },
    /// The size is above [`MAX_ARENA`].
    TooLarge {
        /// The size.
        size_bytes: u64,
    },
    /// The header promises another number of ids.
    WrongIds {
        /// What the header says.
        promised: u32,
        /// The highest id and one.
        found: u32,
    },
    /// The header promises more ids than operations; each id needs one.
    MoreIdsThanOps {
        /// The ids it promises.
        ids: u32,
    },
    /// The header promises another number of operations.
    WrongOps {
        /// What the header says.
        promised: u32,
        /// How many there are.
        found: usize,
    },
}

const HEADER_LINES: usize = 4;

impl Trace {
    /// Reads a `.rep` file. Blank lines are skipped.
    ///
    /// # Errors
    ///
    /// The first line that is wrong, and how.
    pub fn parse(text: &str) -> Result<Self, BadTrace> {
        let mut lines = text
            .lines()
            .zip(1..)
            .map(|(text, number)| Line { text, number })
            .filter(|line| !line.text.trim().is_empty());
        let mut header = || {
            let end = BadTrace { line: text.lines().count() + 1, fault: Fault::HeaderEnds };
            let line = lines.next().ok_or(end)?;
            Ok((line.only_number()?, line))
        };
        let [_, (ids, ids_line), (op_count, ops_line), _] =
            [header()?, header()?, header()?, header()?];

        let op_lines: Vec<_> = lines.collect();
        if op_lines.len() != op_count as usize {
            return ops_line.bad(Fault::WrongOps { promised: op_count, found: op_lines.len() });
        }
        // So a file can ask for no more memory than its own length.
        if ids > op_count {
            return ids_line.bad(Fault::MoreIdsThanOps { ids });
        }
        let mut judge = Judge::new(ids);
        for line in op_lines {
            line.op().and_then(|op| judge.take(op)).or_else(|fault| line.bad(fault))?;
        }
        let trace = judge.trace();
        if trace.ids != ids {
            return ids_line.bad(Fault::WrongIds { promised: ids, found: trace.ids });
        }
        Ok(trace)
    }

    /// A trace made by a program.
    ///
    /// # Errors
    ///
    /// The first operation that is wrong, and how.
    pub fn of(ops: &[Op]) -> Result<Self, BadTrace> {
        let mut judge = Judge::new(ops.len() as u32);
        for (&op, line) in ops.iter().zip(HEADER_LINES + 1..) {
            judge.take(op).map_err(|fault| BadTrace { line, fault })?;
        }
        Ok(judge.trace())
    }

    /// The operations, in order.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The highest id and one: how many slots a replay needs.
    pub fn ids(&self) -> u32 {
        self.ids
    }

    /// The most bytes that were live at once, as the program counts them.
    pub fn peak_payload_bytes(&self) -> u64 {
        self.peak_payload_bytes
    }
}

impl Op {
    /// The block it is about.
    pub fn id(self) -> u32 {
        match self {
            Self::Alloc { id, .. } | Self::Realloc { id, .. } | Self::Free { id } => id,
        }
    }
}

/// A line that is not blank, and its number from 1.
struct Line<'a> {
    text: &'a str,
    number: usize,
}

impl Line<'_> {
    fn bad<T>(&self, fault: Fault) -> Result<T, BadTrace> {
        Err(BadTrace { line: self.number, fault })
    }

    /// The number that is all of a line of the header.
    fn only_number(&self) -> Result<u32, BadTrace> {
        number(self.text.trim()).or_else(|fault| self.bad(fault))
    }

    fn op(&self) -> Result<Op, Fault> {
        let mut words = self.text.split_whitespace();
        let letter = words.next().unwrap_or_default();
        if !["a", "r", "f"].contains(&letter) {
            return Err(Fault::UnknownOperation);
        }
        let mut word = || words.next().ok_or(Fault::TooFewWords);
        let id = number(word()?)?;
        let op = match letter {
            "a" => Op::Alloc { id, size_bytes: size(number(word()?)?)? },
            "r" => Op::Realloc { id, size_bytes: size(number(word()?)?)? },
            _ => Op::Free { id },
        };
        if words.next().is_some() { Err(Fault::TooManyWords) } else { Ok(op) }
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, Fault> {
    word.parse().or(Err(Fault::BadNumber))
}

/// Invariant 3.
fn size(size_bytes: u64) -> Result<u32, Fault> {
    if size_bytes > u64::from(MAX_ARENA) {
        return Err(Fault::TooLarge { size_bytes });
    }
    Ok(size_bytes.max(1) as u32)
}

/// Checks operations one at a time, and counts the live bytes.
struct Judge {
    ids: u32,
    ops: Vec<Op>,
    /// By id.
    blocks: Vec<Block>,
    live_bytes: u64,
    peak_bytes: u64,
}

#[derive(Clone, Copy)]
enum Block {
    Never,
    Live { size_bytes: u32 },
    Freed,
}

impl Judge {
    fn new(ids: u32) -> Self {
        Self { ids, ops: Vec::new(), blocks: Vec::new(), live_bytes: 0, peak_bytes: 0 }
    }

    fn take(&mut self, op: Op) -> Result<(), Fault> {
        let (id, ids) = (op.id(), self.ids);
        if id >= ids {
            return Err(Fault::UnknownId { id, ids });
        }
        if id as usize >= self.blocks.len() {
            self.blocks.resize(id as usize + 1, Block::Never);
        }
        let block = &mut self.blocks[id as usize];
        let old_bytes = match (op, *block) {
            (Op::Alloc { .. }, Block::Never | Block::Freed) => 0,
            (Op::Realloc { .. } | Op::Free { .. }, Block::Live { size_bytes }) => size_bytes,
            (Op::Alloc { .. }, Block::Live { .. }) => return Err(Fault::AllocatedTwice { id }),
            (_, Block::Never) => return Err(Fault::NeverAllocated { id }),
            (_, Block::Freed) => return Err(Fault::FreedBefore { id }),
        };
        let (op, new_bytes) = match op {
            Op::Alloc { size_bytes, .. } => {
                let size_bytes = size(size_bytes.into())?;
                (Op::Alloc { id, size_bytes }, size_bytes)
            }
            Op::Realloc { size_bytes, .. } => {
                let size_bytes = size(size_bytes.into())?;
                (Op::Realloc { id, size_bytes }, size_bytes)
            }
            Op::Free { .. } => (op, 0),
        };
        *block = if new_bytes > 0 { Block::Live { size_bytes: new_bytes } } else { Block::Freed };
        self.live_bytes = self.live_bytes - u64::from(old_bytes) + u64::from(new_bytes);
        self.peak_bytes = self.peak_bytes.max(self.live_bytes);
        self.ops.push(op);
        Ok(())
    }

    fn trace(self) -> Trace {
        Trace { ids: self.blocks.len() as u32, ops: self.ops, peak_payload_bytes: self.peak_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with a header for `ids` ids and as many operations as there are lines.
    fn with_header(ids: u32, ops: &str) -> String {
        format!("1\n{ids}\n{}\n1\n{ops}\n", ops.lines().count())
    }

    #[track_caller]
    fn is_bad(text: &str, line: usize, fault: Fault) {
        assert_eq!(Trace::parse(text), Err(BadTrace { line, fault }), "{text:?}");
    }

    #[test]
    fn a_trace_is_read_and_its_peak_counted() {
        let text = with_header(2, "a 0 512\na 1 128\nr 0 640\nf 1\nr 0 100\nf 0\na 0 700");
        let trace = Trace::parse(&text).unwrap();
        assert_eq!(trace.ids(), 2);
        assert_eq!(trace.ops().len(), 7);
        assert_eq!(trace.ops()[2], Op::Realloc { id: 0, size_bytes: 640 });
        assert_eq!(trace.ops()[3], Op::Free { id: 1 });
        assert_eq!(trace.peak_payload_bytes(), 128 + 640);
        assert_eq!(Trace::of(trace.ops()), Ok(trace));
    }

    #[test]
    #[cfg_attr(miri, ignore = "150,000 lines take minutes there, and hold nothing unsafe")]
    fn every_recording_in_the_repository_is_a_trace() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/traces");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(Trace::parse(&text).is_ok_and(|trace| trace.ids() > 3000), "{path:?}");
            count += 1;
        }
        assert_eq!(count, 5);
    }

    #[test]
    fn line_ends_of_windows_and_blank_lines_are_no_matter() {
        let trace = Trace::parse("1\r\n1\r\n\r\n2\r\n1\r\na 0 8\r\n\r\n  f  0 \r\n\r\n");
        assert_eq!(trace.map(|trace| trace.ops().len()), Ok(2));
    }

    #[test]
    fn a_size_of_zero_counts_as_one() {
        let trace = Trace::parse(&with_header(1, "a 0 0\nr 0 0")).unwrap();
        let one =
            |op| matches!(op, Op::Alloc { size_bytes: 1, .. } | Op::Realloc { size_bytes: 1, .. });
        assert!(trace.ops().iter().all(|&op| one(op)));
        assert_eq!(trace.peak_payload_bytes(), 1);
    }

    #[test]
    fn a_header_has_four_numbers() {
        is_bad("", 1, Fault::HeaderEnds);
        is_bad("1\n2\n3\n", 4, Fault::HeaderEnds);
        is_bad("1\nmany\n0\n1\n", 2, Fault::BadNumber);
        is_bad("1\n0 0\n0\n1\n", 2, Fault::BadNumber);
        is_bad("-1\n0\n0\n1\n", 1, Fault::BadNumber);
        assert_eq!(Trace::parse("1\n0\n0\n1\n"), Trace::of(&[]));
    }

    #[test]
    fn a_line_has_a_letter_and_its_numbers() {
        for (line, fault) in [
            ("b 0 8", Fault::UnknownOperation),
            ("alloc 0 8", Fault::UnknownOperation),
            ("a", Fault::TooFewWords),
            ("a 0", Fault::TooFewWords),
            ("r 0", Fault::TooFewWords),
            ("a 0 8 8", Fault::TooManyWords),
            ("f 0 8", Fault::TooManyWords),
            ("a x 8", Fault::BadNumber),
            ("a -1 8", Fault::BadNumber),
            ("f 4294967296", Fault::BadNumber),
            ("a 0 0x8", Fault::BadNumber),
        ] {
            is_bad(&with_header(1, line), 5, fault);
        }
    }

    #[test]
    fn ids_are_those_the_header_promises() {
        is_bad(&with_header(1, "a 0 8\na 1 8"), 6, Fault::UnknownId { id: 1, ids: 1 });
        is_bad(&with_header(2, "a 0 8\nf 0"), 2, Fault::WrongIds { promised: 2, found: 1 });
        is_bad(
            &with_header(4_000_000_000, "a 0 8"),
            2,
            Fault::MoreIdsThanOps { ids: 4_000_000_000 },
        );
        let far = [Op::Alloc { id: 7, size_bytes: 8 }];
        let fault = Fault::UnknownId { id: 7, ids: 1 };
        assert_eq!(Trace::of(&far), Err(BadTrace { line: 5, fault }));
    }

    #[test]
    fn operations_are_as_many_as_the_header_promises() {
        is_bad("1\n1\n3\n1\na 0 8\nf 0\n", 3, Fault::WrongOps { promised: 3, found: 2 });
        is_bad("1\n1\n1\n1\na 0 8\nf 0\n", 3, Fault::WrongOps { promised: 1, found: 2 });
    }

    #[test]
    fn a_block_lives_once_at_a_time() {
        is_bad(&with_header(1, "f 0"), 5, Fault::NeverAllocated { id: 0 });
        is_bad(&with_header(1, "r 0 8"), 5, Fault::NeverAllocated { id: 0 });
        is_bad(&with_header(1, "a 0 8\na 0 8"), 6, Fault::AllocatedTwice { id: 0 });
        is_bad(&with_header(1, "a 0 8\nf 0\nf 0"), 7, Fault::FreedBefore { id: 0 });
        is_bad(&with_header(1, "a 0 8\nf 0\nr 0 9"), 7, Fault::FreedBefore { id: 0 });
        assert!(Trace::parse(&with_header(1, "a 0 8\nf 0\na 0 9")).is_ok());
    }

    #[test]
    fn a_size_is_at_most_an_arena() {
        assert!(Trace::parse(&with_header(1, "a 0 1073741824")).is_ok());
        for size_bytes in [1_073_741_825, 5_000_000_000] {
            let fault = Fault::TooLarge { size_bytes };
            is_bad(&with_header(1, &format!("a 0 {size_bytes}")), 5, fault);
            is_bad(&with_header(1, &format!("a 0 8\nr 0 {size_bytes}")), 6, fault);
        }
        let op = Op::Alloc { id: 0, size_bytes: MAX_ARENA + 1 };
        let size_bytes = u64::from(MAX_ARENA + 1);
        assert_eq!(
            Trace::of(&[op]),
            Err(BadTrace { line: 5, fault: Fault::TooLarge { size_bytes } })
        );
    }
}
