//! The prompt without a terminal: one line in, one [`Reply`] out.
//!
//! A [`Session`] is its command log: nothing else decides its state, so `undo`, `goto`, saved sessions, lessons and
//! snapshot tests are all replays. There is no clock, no file and no terminal here; what needs one is asked of the
//! shell as a [`Request`].
#![forbid(unsafe_code)]

mod arena;
mod args;
mod checkpoints;
mod commands;
mod complete;
mod dare;
mod heap_spec;
mod ledger;
mod literal;
mod look;
mod problem;
mod reply;
mod rust;
mod scan;
mod session;
mod structure;
mod touched;
pub mod units;
mod view;
mod why;
mod world;

/// Whether a `dare` is at work on this thread: a panic in it is an answer, and no message is due.
pub use heap::sandbox::is_running as is_daring;

pub use args::{Form, Kind, Param};
pub use commands::{COMMANDS, Command, Daring, Example, ExportFormat, Group, Run, find};
pub use complete::{Candidate, Completion};
pub use dare::Unchecked;
pub use heap_spec::usage as heap_usage;
pub use problem::{
    Argument, Cause, Problem, Room, Scatter, Shortage, Successor, Trouble, Whereabouts,
};
pub use reply::{Answer, Event, Reply, Words};
pub use scan::{MAX_DEPTH, MAX_LINE_BYTES, Span, is_blank, is_unfinished, split, statements};
pub use session::{Ask, Done, Failure, MAX_LOG_LINES, Request, SESSION_HEADER, Session, Turn};
pub use view::{
    BlockRow, Cell, CellOwner, CellState, Check, CheckOutcome, ClassRow, Column, Crash,
    DanglingRow, Dare, DareRust, Deed, DumpRow, Ending, Fitting, Frag, HeapGroup, HeapHelp,
    HeapMap, HeapRow, HelpCommand, HelpExample, HelpGroup, HelpRow, HistoryRow, HoleRow, LayoutRow,
    LeakRow, MarkRow, NodeRow, Other, PointRow, Probe, ProbeOutcome, RegionItem, RegionRow, Rule,
    RustGroup, Spare, StackItem, StackMap, StackRow, Stats, StructureRow, TrapRow, Try, TypeLayout,
    VarRow, View, Why, WhyAnswer, WhyAsk, WhyHole, WhyNeed, WhyStep,
};
pub use world::World;
