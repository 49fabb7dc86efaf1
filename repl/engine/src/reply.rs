//! What one line answers: events and views as data, or a problem.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::problem::Problem;
use crate::units::Address;
use crate::view::View;

/// Something that happened. Serialized with its `kind` in kebab-case; addresses are numbers, sizes are bytes.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Event {
    /// A block was allocated.
    Alloc {
        handle: Arc<str>,
        address: Address,
        size_bytes: u64,
        granted_bytes: u64,
        align_bytes: u64,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        zeroed: bool,
    },
    /// A block was freed.
    Free { handle: Arc<str>, address: Address, size_bytes: u64 },
    /// A block was resized; `moved` says whether `from` is a dead address now.
    Realloc {
        handle: Arc<str>,
        from: Address,
        address: Address,
        old_bytes: u64,
        size_bytes: u64,
        granted_bytes: u64,
        moved: bool,
    },
    /// The allocator cut a piece from a hole; `remaining_bytes` is 0 when it took the hole whole.
    Split {
        heap: Arc<str>,
        address: Address,
        padding_bytes: u64,
        header_bytes: u64,
        payload_bytes: u64,
        slack_bytes: u64,
        remaining_bytes: u64,
    },
    /// Freed bytes became a hole, or joined the holes around them.
    Merge {
        address: Address,
        freed_bytes: u64,
        size_bytes: u64,
        fits_bytes: u64,
        in_front: bool,
        behind: bool,
        links: bool,
    },
    /// The allocator halved a hole, and again, until the half was just large enough.
    Halve { heap: Arc<str>, from_bytes: u64, to_bytes: u64, times: u32 },
    /// A block that was held back goes to the heap now.
    Release { handle: Option<Arc<str>>, address: Address },
    /// A freed slot is the first of its list again.
    List { heap: Arc<str>, address: Address, slot_bytes: u64 },
    /// A freed block that is held back for a while.
    Hold { heap: Arc<str>, address: Address, size_bytes: u64 },
    /// Freed bytes that this heap cannot use again before others go.
    Strand { heap: Arc<str>, address: Address, size_bytes: u64 },
    /// Bytes were written.
    Write {
        name: Arc<str>,
        offset: u64,
        address: Address,
        bytes: Vec<u8>,
        value: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        literal: Option<String>,
    },
    /// Bytes were read. `more_bytes` follow that were not.
    Read {
        name: Arc<str>,
        offset: u64,
        address: Address,
        bytes: Vec<u8>,
        value: Option<String>,
        more_bytes: u64,
    },
    /// A second pointer to a block or slot.
    Alias { name: Arc<str>, of: Arc<str>, address: Address, on_heap: bool },
    /// A fresh arena took the place of the old one.
    Use {
        heap: Arc<str>,
        address: Address,
        size_bytes: u64,
        lost_blocks: u64,
        /// Whether the size limits what is live, in a heap that takes memory as it goes.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        limits: bool,
    },
    /// The size asked for an arena or a stack was rounded up, to a multiple of 16.
    Rounded { asked_bytes: u64, size_bytes: u64 },
    /// The arena grew.
    Grow { heap: Arc<str>, added_bytes: u64, size_bytes: u64 },
    /// A mark was set.
    Mark { name: Arc<str>, address: Address },
    /// The top went back.
    Reset { address: Address, blocks: u64, size_bytes: u64, free_bytes: u64 },
    /// A slot was pushed.
    Push {
        name: Arc<str>,
        address: Address,
        size_bytes: u64,
        align_bytes: u64,
        padding_bytes: u64,
        value: Option<String>,
        #[serde(rename = "type")]
        ty: Option<String>,
        literal: Option<String>,
        sp_before: Address,
    },
    /// The newest slot was taken away.
    Pop { name: Arc<str>, address: Address, size_bytes: u64, padding_bytes: u64, sp: Address },
    /// A variable of Rust has its first value, as `{:?}` prints it.
    Bind {
        name: Arc<str>,
        #[serde(rename = "type")]
        ty: String,
        address: Address,
        size_bytes: u64,
        value: String,
        /// The words of a `Vec`, `String` or fat pointer.
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<Words>,
        /// What its pointer points to.
        #[serde(skip_serializing_if = "Option::is_none")]
        points_to: Option<Arc<str>>,
    },
    /// The value of a line without a semicolon.
    Value {
        #[serde(rename = "type")]
        ty: String,
        value: String,
    },
    /// Rust printed.
    Print { text: String },
    /// A variable of Rust was dropped, and had something to drop.
    Drop { name: Arc<str> },
    /// Rust panicked, and the panic unwound.
    Panic { message: String },
    /// So many events more, untold.
    More { events: u64 },
    /// A frame was opened.
    Call {
        name: Arc<str>,
        return_address: Address,
        address: Address,
        padding_bytes: u64,
        frame_pointer: Option<Address>,
        locals_bytes: u64,
        sp_before: Address,
        sp: Address,
    },
    /// A frame was left.
    Ret {
        name: Arc<str>,
        return_address: Address,
        line: u32,
        slots: u64,
        size_bytes: u64,
        sp: Address,
    },
    /// A fresh stack took the place of the old one.
    StackNew { size_bytes: u64, start: Address, end: Address },
    /// Lines were undone; `line` is the last that stands.
    Undo { steps: u64, last: Arc<str>, line: u64 },
    /// Lines were done again.
    Redo { steps: u64, last: Arc<str>, line: u64 },
    /// The state is that after `line`.
    Goto { line: u64, of: u64 },
    /// The session starts over.
    New { lines: u64 },
    /// The log was saved.
    Save { file: String, lines: u64 },
    /// A saved log was opened.
    Open { file: String, lines: u64 },
    /// The transcript was written.
    Export { file: String, format: &'static str, lines: u64 },
    /// The screen is to be cleared.
    Clear {},
    /// The session ends.
    Quit {},
}

/// The words that a value is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum Words {
    /// Of a `Vec` or `String`.
    Vec { capacity: u64, pointer: Address, length: u64 },
    /// Of a pointer to a slice or `str`.
    Slice { pointer: Address, length: u64 },
    /// Of a pointer to a `dyn`, and the type whose vtable it is.
    Dyn { pointer: Address, vtable: Address, of: String },
}

impl Words {
    /// Where the pointer leads.
    pub fn pointer(&self) -> Address {
        match self {
            Self::Vec { pointer, .. } | Self::Slice { pointer, .. } | Self::Dyn { pointer, .. } => {
                *pointer
            }
        }
    }
}

/// A line that was accepted.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What happened.
    pub events: Vec<Event>,
    /// What was asked to be shown.
    pub views: Vec<View>,
    /// Whether the state changed, so that `undo` can take it back.
    pub is_step: bool,
    /// The panic that ended it. What happened before it stays, so this is an answer, though no good one.
    pub panic: Option<Problem>,
}

impl Answer {
    /// The state changed.
    pub fn step(events: Vec<Event>) -> Self {
        Self { events, is_step: true, ..Self::default() }
    }

    /// Something was seen, nothing changed.
    pub fn look(view: View) -> Self {
        Self { views: vec![view], ..Self::default() }
    }

    /// Something happened that left the state as it was.
    pub fn note(event: Event) -> Self {
        Self { events: vec![event], ..Self::default() }
    }
}

/// A line and its answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The line, cut short if it was too long.
    pub input: String,
    /// What it answered.
    pub outcome: Result<Answer, Problem>,
    /// Whether it was measured on this machine, and may differ the next time.
    pub is_measured: bool,
}

impl Reply {
    /// Whether the line was accepted.
    pub fn is_ok(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|answer| answer.panic.is_none())
    }

    /// What went wrong.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.outcome {
            Ok(answer) => answer.panic.as_ref(),
            Err(problem) => Some(problem),
        }
    }
}

/// The version of the JSON. It changes when a field changes meaning.
const VERSION: u32 = 1;

impl Serialize for Reply {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (events, views): (&[Event], &[View]) = match &self.outcome {
            Ok(answer) => (&answer.events, &answer.views),
            Err(_) => (&[], &[]),
        };
        let mut fields = serializer.serialize_struct("Reply", 7)?;
        fields.serialize_field("v", &VERSION)?;
        fields.serialize_field("input", &self.input)?;
        fields.serialize_field("ok", &self.is_ok())?;
        fields.serialize_field("measured", &self.is_measured)?;
        fields.serialize_field("events", events)?;
        fields.serialize_field("views", views)?;
        fields.serialize_field("problem", &self.problem())?;
        fields.end()
    }
}
