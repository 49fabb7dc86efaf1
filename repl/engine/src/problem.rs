//! Every mistake the prompt can answer, with its numbers and its words.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::commands::Command;
use crate::scan::{MAX_DEPTH, MAX_LINE_BYTES, Span};
use crate::session::MAX_LOG_LINES;
use crate::units::{Address, Count, bytes, count, size};

/// A line of the log that did something: its number and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its number, from 1.
    pub line: u32,
    /// Its text.
    pub text: Arc<str>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (`{}`)", self.line, shortened(&self.text, 40))
    }
}

/// `text`, or its start and an ellipsis.
fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A refused line: what was wrong, and where in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was wrong.
    pub trouble: Trouble,
    /// The bytes of the line it is about.
    pub span: Span,
}

impl Problem {
    /// A problem about `span` of the line.
    pub fn new(trouble: Trouble, span: Span) -> Self {
        Self { trouble, span }
    }

    /// The same problem of a line that stands `by` bytes into another.
    pub(crate) fn moved(self, by: usize) -> Self {
        Self { span: self.span.moved(by), ..self }
    }
}

/// A word that is not what its parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Argument {
    Missing { command: &'static str, what: String },
    Extra { command: &'static str, text: String },
    Negative { what: &'static str },
    NoNumber { what: &'static str, text: String },
    TooBig { what: &'static str, text: String },
    NoName { text: String },
    NameTaken { name: Arc<str> },
    NoPlace { text: String },
    NoByte { text: String },
    NoValue { text: String },
    NoSign { sign: &'static str, text: String },
    NoChoice { choices: &'static [&'static str], text: String },
    OutOfRange { ty: &'static str, text: String },
    LongList { max: u64 },
    EmptyList,
    OpenQuote,
    OpenBracket,
    AlignWithoutSize,
    TooLarge { what: &'static str, bytes: u64, max: u64 },
    NoBytes,
    NoSteps,
    NothingToHold { what: &'static str },
    ReadTooLong { max: u64 },
    Outside { min: u64, max: u64, text: String },
    NoSlotSize { text: String, rising: bool },
    ManySizes { max: u64 },
    NoOption { heap: &'static str, text: String, options: Vec<String> },
    OptionTwice { heap: &'static str, text: String },
}

/// Where an address that is no block's start lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Whereabouts {
    Header { block: Arc<str> },
    HoleHeader,
    Hole { at: Address },
    Slot { name: Arc<str> },
    Frame,
    StackUnused,
    Guard,
    Stranded,
    Slack { block: Arc<str> },
    Canary { block: Arc<str> },
    Books,
    Padding,
    Held,
    Gap,
    Block { name: Arc<str> },
    Nowhere,
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { block } => write!(f, "in the header of {block}"),
            Self::HoleHeader => write!(f, "in the header of the hole behind"),
            Self::Hole { at } => write!(f, "in the hole at {at}"),
            Self::Slot { name } => write!(f, "on the stack, in {name}"),
            Self::Frame => write!(f, "on the stack, in a frame's own words"),
            Self::StackUnused => write!(f, "on the stack, below sp"),
            Self::Guard => write!(f, "in the guard below the stack"),
            Self::Stranded => write!(f, "among bytes that are nobody's until a reset"),
            Self::Slack { block } => write!(f, "in the slack behind {block}"),
            Self::Canary { block } => write!(f, "in the canary behind {block}"),
            Self::Books => write!(f, "in the allocator's own books"),
            Self::Padding => write!(f, "in padding, skipped to align a block"),
            Self::Gap => write!(f, "between the allocator's blocks"),
            Self::Held => write!(f, "in a freed block that the guard holds back"),
            Self::Block { name } => write!(f, "in {name}"),
            Self::Nowhere => write!(f, "neither in the heap nor on the stack"),
        }
    }
}

/// What would make room for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Room {
    /// More memory for this heap.
    Grow { bytes: u64 },
    /// A larger arena, for a heap that gets its memory once.
    New { bytes: u64 },
    /// A value of Rust less: no command speaks to this heap, which lies beside the one in use.
    Beside { heap: &'static str },
    /// Nothing: the heap is as large as one can be.
    None,
}

impl Room {
    /// Whose bytes they are, where it is not the heap in use.
    fn of(self) -> String {
        match self {
            Self::Beside { heap } => format!(" of {heap}"),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (command, bytes) = match *self {
            Self::Grow { bytes } => ("heap grow", bytes),
            Self::New { bytes } => ("heap new", bytes),
            Self::Beside { heap } => {
                return write!(
                    f,
                    "drop a value that has blocks of {heap}; or use {heap}, which can be larger"
                );
            }
            Self::None => return f.write_str("a smaller block: a heap is at most 1 GiB"),
        };
        match bytes {
            bytes if bytes >= 1 << 20 => write!(f, "{command} {}M", bytes >> 20),
            bytes => write!(f, "{command} {}K", bytes >> 10),
        }
    }
}

/// What keeps a block's old handle from working.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Successor {
    Block(Arc<str>),
    Arena,
}

/// What there was when a heap had no room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Shortage {
    pub heap: Arc<str>,
    pub need: u64,
    pub header: u64,
    pub total: u64,
    /// Bytes of the holes that may serve such a request, if these are not all.
    pub usable: Option<u64>,
    pub largest: u64,
    /// What the largest hole fits.
    pub fits: u64,
    /// Whether these are gaps, seen from outside.
    pub gaps: bool,
    pub align: u64,
    pub strands: bool,
    pub room: Room,
}

/// What lay where when a heap had room, and not in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Scatter {
    pub need: u64,
    pub payload: u64,
    pub header: u64,
    pub total: u64,
    pub holes: Vec<u64>,
    /// Whether these are gaps, seen from outside.
    pub gaps: bool,
    pub align: u64,
    pub cure: Option<(Arc<str>, u64)>,
    pub room: Room,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Trouble {
    TooLong {
        bytes: u64,
    },
    TooDeep,
    NotUtf8,
    ControlCharacter {
        code: u32,
    },
    UnknownCommand {
        word: String,
        nearest: &'static str,
    },
    UnknownTopic {
        word: String,
        nearest: Option<&'static str>,
    },
    BadArgument(Argument),
    SizeOverflow {
        bytes: Option<u64>,
        align: u32,
    },
    ZeroSize {
        block: Option<Arc<str>>,
    },
    BadAlign {
        align: u64,
    },
    OutOfMemory(Box<Shortage>),
    /// A hole would do, and the design does not look there.
    Missed {
        heap: Arc<str>,
        need: u64,
        largest: u64,
        fits: u64,
        room: Room,
    },
    Fragmented(Box<Scatter>),
    DoubleFree {
        name: String,
        cause: Cause,
        lies: Whereabouts,
        address: Address,
        size: u64,
        links: bool,
    },
    UseAfterFree {
        name: String,
        cause: Cause,
        lies: Whereabouts,
        address: Address,
        write: bool,
    },
    Stale {
        name: String,
        cause: Cause,
        now: Successor,
        address: Address,
    },
    UnknownHandle {
        name: String,
        nearest: Option<Arc<str>>,
    },
    InteriorPointer {
        block: Arc<str>,
        at: Address,
        inside: u64,
        start: Address,
    },
    ForeignPointer {
        address: Address,
        lies: Whereabouts,
        free: bool,
    },
    WrongLayout {
        name: String,
        size: u64,
        align: u64,
        given_size: u64,
        given_align: u64,
    },
    OutOfBounds {
        name: String,
        len: u64,
        at: u64,
        address: Address,
        lies: Whereabouts,
        write: bool,
    },
    Uninitialised {
        name: String,
        at: u64,
        address: Address,
        cause: Option<Cause>,
    },
    StackOverflow {
        wanted: u64,
        left: u64,
        size: u64,
    },
    StackEmpty,
    FrameEmpty {
        function: Arc<str>,
    },
    NoCall,
    UseAfterReturn {
        name: String,
        cause: Cause,
        write: bool,
    },
    HeapTooSmall {
        heap: String,
        size: u64,
        least: u64,
    },
    HeapMissing {
        heap: String,
        instead: &'static str,
    },
    /// It takes memory as it goes, and stands in front of another.
    HeapGrows {
        heap: String,
    },
    /// More would be live than the heap's size allows.
    OverLimit {
        heap: Arc<str>,
        need: u64,
        live: u64,
        limit: u64,
        room: Room,
    },
    /// Nothing that can be drawn was answered.
    OutOfReach {
        heap: Arc<str>,
        need: u64,
        live: u64,
    },
    /// A line of a saved session that says what was answered, and does not.
    NoAnswer {
        text: String,
    },
    CannotGrow {
        heap: Arc<str>,
    },
    HeapsTooDeep {
        max: u64,
    },
    Unsupported {
        heap: Arc<str>,
        command: &'static str,
    },
    MarkIsNoBlock {
        name: String,
    },
    UnknownMark {
        name: String,
        live: Option<Arc<str>>,
    },
    StaleMark {
        name: String,
        arena_gone: bool,
    },
    UnknownHeap {
        name: String,
        nearest: Option<&'static str>,
    },
    NotConstant {
        name: String,
    },
    Mismatched {
        expected: String,
        found: String,
    },
    UnsupportedRust {
        nearest: Option<&'static str>,
    },
    /// A line of Rust that rustc, or we, would not take; or that stopped.
    Rust {
        fault: Box<interpreter::Fault>,
        /// What is wrong, with the lines of the log by their text.
        message: String,
    },
    /// A line of Rust panicked. Its effects stay.
    Panicked {
        message: String,
    },
    /// A line of Rust that allocates without end.
    TooManyBlocks {
        most: u64,
    },
    /// A command on a block that a value of Rust owns.
    Owned {
        name: String,
    },
    /// A heap that a program names, and that cannot lie beside the one in use.
    HeapOfTheProcess {
        heap: &'static str,
    },
    /// There is no arena of that heap.
    NoArena {
        heap: &'static str,
    },
    /// An arena or stack that values of Rust live on.
    RustLives {
        what: &'static str,
    },
    NothingToUndo {
        asked: u64,
        there: u64,
    },
    NothingToRedo {
        asked: u64,
        there: u64,
    },
    NoSuchLine {
        line: u64,
        last: u64,
    },
    NothingAsked,
    /// The last line never got to the heap.
    NeverAsked {
        line: Arc<str>,
        code: &'static str,
    },
    /// However large the arena, this heap has no place for that.
    NeverServed {
        heap: Arc<str>,
        size: u64,
        align: u64,
        largest: u64,
    },
    NotToTry {
        outer: &'static str,
        command: &'static str,
    },
    NothingToDare {
        line: String,
    },
    NotLifo {
        block: Arc<str>,
        newer: Arc<str>,
        heap: Arc<str>,
    },
    LogFull,
    Interrupted,
    File {
        file: String,
        reason: String,
    },
    NotASession {
        file: String,
    },
    DamagedSession {
        file: String,
        line: u64,
        problem: Box<Problem>,
    },
    NeedsShell {
        command: &'static str,
    },
}

/// A problem in words: `error[code]: message`, the line with `label` under its caret, a `note`, a `hint`.
struct Words {
    code: &'static str,
    message: String,
    label: String,
    note: String,
    hint: String,
}

fn words(code: &'static str, message: impl Into<String>) -> Words {
    Words {
        code,
        message: message.into(),
        label: String::new(),
        note: String::new(),
        hint: String::new(),
    }
}

impl Words {
    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// What `command` takes, as its help shows it.
fn usage_of(command: &str) -> String {
    crate::commands::find(command).map_or_else(|| command.to_owned(), Command::usage)
}

impl Argument {
    fn words(&self) -> Words {
        let bad = |message: String| words("bad-argument", message);
        match self {
            Self::Missing { command, what } => {
                bad(format!("`{command}` needs {what}.")).hint(usage_of(command))
            }
            Self::Extra { command, text } if text == ";" => {
                bad(format!("`{command}` ends at `;`, and something follows."))
                    .hint("one command a line; -c splits at `;`")
            }
            Self::Extra { command, text } => {
                bad(format!("`{command}` has no place for `{}`.", shortened(text, 40)))
                    .hint(usage_of(command))
            }
            Self::Negative { what } => bad(format!("{what} is not negative."))
                .note("In Rust it is a usize, which has no sign.")
                .hint(if *what == "a size" { "1, or more" } else { "0, or more" }),
            Self::NoNumber { what, text } => {
                bad(format!("`{}` is not {what}.", shortened(text, 40))).hint(match *what {
                    "a size" => "200, 0xc8, 4K, 2MiB, u64 or [u8; 200]",
                    _ => "a whole number: 8 or 0x08",
                })
            }
            Self::TooBig { what, text } => {
                bad(format!("{} is not {what}: it has more than 64 bits.", shortened(text, 40)))
                    .hint("a whole number: 8 or 0x08")
            }
            Self::NoName { text } => bad(format!("`{}` cannot be a name.", shortened(text, 40)))
                .hint(
                    "up to 32 letters, digits and _, not first a digit, and no word of \
             Rust's own",
                ),
            Self::NameTaken { name } => {
                bad(format!("the name {name} is taken, and a name is never used twice."))
                    .hint("another name")
            }
            Self::NoPlace { text } => {
                bad(format!("`{}` is no block, slot or address.", shortened(text, 40)))
                    .hint("a, a+8 or 0x1000_0008")
            }
            Self::NoByte { text } => bad(format!("`{}` is not a byte.", shortened(text, 40)))
                .hint("0 to 255, 0x00 to 0xff, or \"text\", with spaces between"),
            Self::NoValue { text } => {
                bad(format!("`{}` is no value this prompt can store.", shortened(text, 40)))
                    .hint("8u64, 3.5, true, 'c', [0u8; 200] or [1, 2, 3]")
            }
            Self::NoSign { sign, text } => {
                bad(format!("`{sign}` belongs where `{}` stands.", shortened(text, 40)))
                    .hint("alias q = a")
            }
            Self::NoChoice { choices, text } => {
                bad(format!("`{}` is not one of: {}.", shortened(text, 40), choices.join(", ")))
                    .hint(choices.join(" or "))
            }
            Self::OutOfRange { ty, text } => {
                bad(format!("{} does not fit in {ty}.", shortened(text, 40)))
                    .note("rustc refuses it too: literal out of range.")
                    .hint("a larger type, such as u64 or i128")
            }
            Self::ManySizes { max } => {
                bad(format!("a pool has at most {} sizes.", Count(*max))).hint("16,64,512")
            }
            Self::LongList { max } => {
                bad(format!("a list has at most {} elements here.", Count(*max)))
                    .hint("[0u8; 5000]")
            }
            Self::EmptyList => bad("an empty list does not say what it is a list of.".into())
                .note("rustc: E0282, type annotations needed.")
                .hint("[0u8; 0]"),
            Self::OpenQuote => bad("the quote is never closed.".into()).hint("a second \""),
            Self::OpenBracket => {
                bad("the bracket is never closed.".into()).hint("the closing bracket")
            }
            Self::AlignWithoutSize => {
                bad("a layout is a size and an alignment.".into()).hint("free a size 200 align 8")
            }
            Self::TooLarge { what, bytes: given, max } => bad(format!(
                "{what} of {} is too large; the limit is {}.",
                bytes(*given),
                size(*max)
            ))
            .hint(format!("{} or less", size(*max))),
            Self::Outside { min, max, text } => bad(format!(
                "{} is outside {} to {}.",
                shortened(text, 40),
                Count(*min),
                Count(*max)
            ))
            .hint(format!("{} to {}", Count(*min), Count(*max))),
            Self::NoSlotSize { text, rising: true } => bad(format!(
                "{} is no multiple of 8, as a slot's size has to be.",
                shortened(text, 40)
            ))
            .hint("16,64,512"),
            Self::NoSlotSize { text, .. } => {
                bad(format!("{} is not above the size in front of it.", shortened(text, 40)))
                    .hint("16,64,512")
            }
            Self::NoOption { heap, text, options } if options.is_empty() => {
                bad(format!("{heap} has no options, and so no `{}`.", shortened(text, 40)))
                    .hint(format!("use {heap}"))
            }
            Self::NoOption { heap, text, options } => {
                bad(format!("{heap} has no option `{}`.", shortened(text, 40)))
                    .hint(options.join(", or "))
            }
            Self::OptionTwice { heap, text } => {
                bad(format!("`{}` gives {heap} the same option again.", shortened(text, 40)))
                    .hint("once")
            }
            Self::NothingToHold { what } => {
                bad(format!("{what} of 0 bytes holds nothing.")).hint("1K, or at least 1")
            }
            Self::NoSteps => bad("0 steps change nothing.".into()).hint("1, or more"),
            Self::NoBytes => {
                bad("there is nothing to write.".into()).hint("write a 1 2 3, or write a \"text\"")
            }
            Self::ReadTooLong { max } => bad(format!("one line shows at most {}.", bytes(*max)))
                .hint("a part of it: read a at 0 64"),
        }
    }
}

impl Trouble {
    /// Whether a program could do it, if nobody looked: what `dare` is for.
    pub(crate) fn is_misuse(&self) -> bool {
        matches!(
            self,
            Self::DoubleFree { .. }
                | Self::UseAfterFree { .. }
                | Self::Stale { .. }
                | Self::InteriorPointer { .. }
                | Self::ForeignPointer { .. }
                | Self::WrongLayout { .. }
                | Self::OutOfBounds { .. }
                | Self::Uninitialised { .. }
                | Self::UseAfterReturn { .. }
                | Self::NotLifo { .. }
        )
    }

    /// The stable code: kebab-case, or rustc's own.
    pub fn code(&self) -> &'static str {
        self.words().code
    }

    fn words(&self) -> Words {
        match self {
            Self::BadArgument(argument) => argument.words(),
            Self::TooLong { bytes: length } => words(
                "too-long",
                format!(
                    "the line has {} or more; the limit is {}.",
                    bytes(*length),
                    size(MAX_LINE_BYTES as u64)
                ),
            )
            .hint("several shorter lines"),
            Self::TooDeep => {
                words("too-deep", format!("brackets nest deeper than {MAX_DEPTH} here."))
                    .hint("fewer brackets")
            }
            Self::NotUtf8 => words("bad-input", "the line is not valid UTF-8.")
                .label("not a character")
                .hint("a file saved as UTF-8"),
            Self::ControlCharacter { code } => {
                words("bad-input", format!("the line holds the control character {code:#04x}."))
                    .label("cannot be seen, cannot be meant")
                    .hint("the same line without it")
            }
            Self::UnknownCommand { word, nearest } => {
                words("unknown-command", format!("no command is called `{}`.", shortened(word, 40)))
                    .label(format!("did you mean `{nearest}`?"))
                    .hint(format!("help {nearest}"))
            }
            Self::UnknownTopic { word, nearest } => {
                let words = words(
                    "unknown-command",
                    format!("no command is called `{}`.", shortened(word, 40)),
                );
                match nearest {
                    Some(nearest) => words
                        .label(format!("did you mean `{nearest}`?"))
                        .hint(format!("help {nearest}")),
                    None => words.hint("help"),
                }
            }
            Self::SizeOverflow { bytes: wanted, align } => words(
                "size-overflow",
                match wanted {
                    Some(wanted) => format!(
                        "{} rounded up to align {align} is more than isize::MAX.",
                        bytes(*wanted)
                    ),
                    None => "that is more than any 64-bit size.".to_owned(),
                },
            )
            .label("the most is 9,223,372,036,854,775,807")
            .note(
                "An allocator that adds its header without a check wraps around and \
             hands out a tiny block. Rust's Layout refuses such a size before any \
             allocator sees it.",
            )
            .hint("alloc 200"),
            Self::ZeroSize { block } => words("zero-size", "0 bytes need no block.")
                .note(
                    "GlobalAlloc forbids the request: undefined behaviour. C's malloc(0) \
             may answer null or a pointer; Allocator answers with a dangling \
             pointer.",
                )
                .hint(
                    block
                        .as_ref()
                        .map_or_else(|| "alloc 1".to_owned(), |block| format!("free {block}")),
                ),
            Self::BadAlign { align } => words(
                "bad-align",
                if align.is_power_of_two() {
                    format!("align {} is above this machine's limit of 65,536.", Count(*align))
                } else {
                    format!("align {} is not a power of two.", Count(*align))
                },
            )
            .note("Rust's Layout allows powers of two only: rounding up is then one mask.")
            .hint("align 8, or 1, 2, 4, 16, 32 up to 65,536"),
            Self::OutOfMemory(shortage) => {
                let Shortage { heap, need, header, total, usable, largest, fits, gaps, align, strands, room } = &**shortage;
                let words = words(
                    "out-of-memory",
                    format!(
                        "{}{} free in all, {} needed{}.",
                        bytes(*total),
                        room.of(),
                        Count(*need),
                        aligned(*align)
                    ),
                )
                .label(match header {
                    _ if *usable == Some(0) => "none of these bytes serve such a request".to_owned(),
                    _ if *gaps => {
                        format!("the largest gap is {}, part of it the crate's own", Count(*largest))
                    }
                    // Large enough by its bytes, and yet not for such a request.
                    _ if largest >= need => {
                        format!("the largest hole is {}, fits {}", Count(*largest), Count(*fits))
                    }
                    0 => format!("the largest hole is {}", Count(*largest)),
                    header => format!(
                        "with {header} header: {}; the largest hole is {}",
                        Count(*need),
                        Count(*largest)
                    ),
                });
                if *usable == Some(0) {
                    words
                        .note("A free slot serves requests of its own size alone, and nothing is left to cut.")
                        .hint(room.to_string())
                } else if *strands {
                    words
                        .note(format!(
                            "{heap} does not reuse freed blocks before a reset. An allocator \
             answers null; Rust then aborts, unless try_reserve asked."
                        ))
                        .hint(format!("reset, or {room}"))
                } else {
                    words.note("An allocator answers null; Rust then aborts, unless try_reserve asked.")
                        .hint(room.to_string())
                }
            }
            Self::Missed { heap, need, largest, fits, room } => words(
                "fragmented",
                format!(
                    "a hole of {} would do, and {heap} does not look at it.",
                    bytes(*largest)
                ),
            )
            .label(format!("needs {}; that hole fits {}", Count(*need), Count(*fits)))
            .note(
                "It takes only from lists in which every hole is large enough, and the heads of the \
             next ones: that is what keeps it from searching.",
            )
            .hint(room.to_string()),
            Self::Fragmented(scatter) => {
                let Scatter { need, payload, header, total, holes, gaps, align, cure, room } = &**scatter;
                let shown: Vec<_> =
                    holes.iter().take(6).map(|hole| Count(*hole).to_string()).collect();
                let more = if holes.len() > shown.len() { ", …" } else { "" };
                let aligned = aligned(*align);
                let grow = room.to_string();
                words(
                    "fragmented",
                    format!(
                        "{}{} free, none in one piece of {}{aligned}.",
                        bytes(*total),
                        room.of(),
                        Count(*need)
                    ),
                )
                .label(if *header > 0 {
                    format!("rounded to {}, + {header} header = {}", Count(*payload), Count(*need))
                } else {
                    format!("needs {}", Count(*need))
                })
                .note(format!(
                    "{}: {}{more}. Moving blocks would break their pointers.",
                    if *gaps { "Gaps, some of them its own bytes" } else { "Holes" },
                    shown.join(", ")
                ))
                .hint(match cure {
                    Some((name, joined)) => {
                        format!("free {name} (makes a hole of {}), or {grow}", Count(*joined))
                    }
                    None => grow,
                })
            }
            Self::DoubleFree { name, cause, lies, address, size, links } => {
                words("double-free", format!("{name} was freed by {cause}. Nothing changed."))
                    .label(format!("{address} lies {lies}"))
                    .note(if *links {
                        "Unchecked, the hole may be listed twice and two allocs share its \
             bytes. In Rust, drop(v) twice does not compile: E0382."
                    } else {
                        "Unchecked, this heap would not notice, and nothing would break here; \
             one with a list of holes hands the bytes out twice. In Rust, drop(v) \
             twice does not compile: E0382."
                    })
                    .hint(format!("alloc {size}"))
            }
            Self::UseAfterFree { name, cause, lies, address, write } => {
                words("use-after-free", format!("{name} was freed by {cause}. Nothing changed."))
                    .label(format!("{address} lies {lies}"))
                    .note(if *write {
                        "Unchecked, the write damages the allocator's links, or a block that \
             gets these bytes later. In Rust a use after drop(v) does not compile: \
             E0382."
                    } else {
                        "Unchecked, the read shows old bytes today and another block's \
             tomorrow. In Rust a use after drop(v) does not compile: E0382."
                    })
                    .hint("a block that is live: blocks")
            }
            Self::Stale { name, cause, now, address } => match now {
                Successor::Block(owner) => words(
                    "stale-handle",
                    format!(
                        "{name} died at {cause}, and {owner} has its bytes now. Nothing changed."
                    ),
                )
                .label(format!("{address} belongs to {owner}"))
                .note(format!(
                    "Unchecked, the old pointer reaches {owner}'s bytes: a read shows them, \
             a write or a free takes them from under a block that did nothing \
             wrong."
                ))
                .hint(format!("{owner}, or blocks to see what is live")),
                Successor::Arena => words(
                    "stale-handle",
                    format!("{name} died at {cause}, and its arena is gone. Nothing changed."),
                )
                .label(format!("{address} is a place in another heap now"))
                .note(
                    "Unchecked, the pointer reaches memory that was given back, or the new \
             heap's own bytes.",
                )
                .hint("undo brings the old heap back"),
            },
            Self::UnknownHandle { name, nearest } => {
                let words =
                    words("unknown-handle", format!("nothing is called {}.", shortened(name, 40)))
                        .note(
                            "An allocator cannot know: it would take any number for a pointer and \
             write to it.",
                        );
                match nearest {
                    Some(nearest) => words
                        .label(format!("did you mean {nearest}?"))
                        .hint("blocks, or stack, to see the names"),
                    None => words.hint("alloc 200 makes a block; blocks lists them"),
                }
            }
            Self::InteriorPointer { block, at, inside, start } => words(
                "interior-pointer",
                format!("{at} is {} into {block}. Nothing changed.", bytes(*inside)),
            )
            .label(format!("{block} starts at {start}"))
            .note(
                "Unchecked, the allocator takes the bytes in front of it for a header \
             and believes what they say.",
            )
            .hint(format!("{block} itself, which starts at {start}")),
            Self::ForeignPointer { address, lies, free } => words(
                "foreign-pointer",
                if *free {
                    format!("{address} is no pointer of this heap. Nothing changed.")
                } else {
                    format!("{address} is in no live block or slot. Nothing changed.")
                },
            )
            .label(format!("it lies {lies}"))
            .note(if *free {
                "Unchecked, the allocator takes the bytes in front of it for a header, \
             and a later, innocent alloc or free fails."
            } else {
                "Unchecked, the access reaches whatever lies there, or the process dies \
             of a fault."
            })
            .hint("blocks and stack list what is live"),
            Self::WrongLayout { name, size, align, given_size, given_align } => words(
                "wrong-layout",
                format!(
                    "{name} was allocated with size {} align {}, not size {} align {}. \
             Nothing changed.",
                    Count(*size),
                    Count(*align),
                    Count(*given_size),
                    Count(*given_align)
                ),
            )
            .label(format!("size {} align {}", Count(*size), Count(*align)))
            .note(
                "dealloc gets the layout from its caller. Unchecked, an allocator \
             without headers puts the block into the wrong list.",
            )
            .hint(format!("free {name} size {size} align {align}")),
            Self::OutOfBounds { name, len, at, address, lies, write } => words(
                "out-of-bounds",
                match len {
                    0 => format!("{name} has no bytes. Nothing changed."),
                    len => format!(
                        "{name} has bytes 0..={}, not {}. Nothing changed.",
                        Count(len - 1),
                        Count(*at)
                    ),
                },
            )
            .label(format!("{address}: {lies}"))
            .note(if *write {
                "In Rust v[i] panics. In C or unsafe the bytes behind are damaged, and \
             a later, innocent alloc or free fails."
            } else {
                "In Rust v[i] panics. In C or unsafe the read shows what lies behind: \
             Heartbleed read keys that way."
            })
            .hint(match len {
                0 => "a larger one".to_owned(),
                len => format!("an offset of at most {}", Count(len - 1)),
            }),
            Self::Uninitialised { name, at, address, cause } => words(
                "uninitialised",
                format!("byte {} of {name} is unset. Nothing changed.", Count(*at)),
            )
            .label(match cause {
                Some(cause) => format!("{address}: not written since {cause}"),
                None => format!("{address}: not written since the push"),
            })
            .note(
                "Unchecked, the read shows whatever was left there. In Rust it is \
             undefined behaviour: the compiler may assume it never happens.",
            )
            .hint(format!("write {name} at {at} 0")),
            Self::StackOverflow { wanted, left, size: whole } => words(
                "stack-overflow",
                format!(
                    "{} wanted, {} left of {}. Nothing changed.",
                    bytes(*wanted),
                    Count(*left),
                    size(*whole)
                ),
            )
            .label("would reach into the guard")
            .note(
                "A real process dies here: the guard page below the stack faults, and \
             Rust's handler reports the overflow and aborts.",
            )
            .hint("pop, ret, or a heap block: alloc"),
            Self::StackEmpty => {
                words("stack-underflow", "there is no slot on the stack. Nothing changed.")
                    .note(
                        "Unchecked, sp would rise above the stack's start, into memory of others.",
                    )
                    .hint("push 8")
            }
            Self::FrameEmpty { function } => words(
                "stack-underflow",
                format!("{function} has pushed nothing that is left to pop. Nothing changed."),
            )
            .note(
                "Unchecked, the return address would be popped as data, and ret would \
             jump to a number.",
            )
            .hint("ret leaves the frame"),
            Self::NoCall => {
                words("stack-underflow", "there is no call to return from. Nothing changed.")
                    .note(
                        "Unchecked, ret would take the bytes at sp for an address and jump there.",
                    )
                    .hint("call f")
            }
            Self::UseAfterReturn { name, cause, write } => words(
                "use-after-return",
                format!("{name} left the stack at {cause}. Nothing changed."),
            )
            .label("its bytes belong to the next push")
            .note(if *write {
                "Unchecked, the write lands in another function's slot. In Rust the \
             reference does not outlive its function: E0597, E0515."
            } else {
                "Unchecked, the read shows old bytes until the next call writes over \
             them. In Rust the reference does not outlive its function: E0597, \
             E0515."
            })
            .hint("dump shows the dead bytes"),
            Self::HeapTooSmall { heap, size: given, least } => words(
                "bad-argument",
                format!(
                    "{heap} keeps books of its own; they need {}, and this is {}.",
                    bytes(*least),
                    size(*given)
                ),
            )
            .label(format!("at least {}", bytes(*least)))
            .hint(format!("heap new {least}, then use {heap}")),
            Self::CannotGrow { heap } => {
                words("unsupported", format!("{heap} got its memory once, and cannot take more."))
                    .hint("heap new SIZE starts a larger one")
            }
            Self::HeapsTooDeep { max } => {
                words("too-deep", format!("wrappers nest at most {max} deep here."))
                    .hint("fewer wrappers")
            }
            Self::HeapMissing { heap, instead } => {
                words("unsupported", format!("{heap} is not in this build. Nothing changed."))
                    .note("A saved session shows what it answered elsewhere; nothing new can be asked of it.")
                    .hint(*instead)
            }
            Self::HeapGrows { heap } => words(
                "unsupported",
                format!("{heap} holds two heaps, and its first takes memory as it goes."),
            )
            .label("the second one has to start somewhere")
            .hint("the two the other way round: fallback(bump, system)"),
            Self::OverLimit { heap, need, live, limit, room } => words(
                "out-of-memory",
                format!(
                    "{} may be live at once, and {} are; {} more are too many.",
                    bytes(*limit),
                    Count(*live),
                    Count(*need)
                ),
            )
            .label(format!("{} left", Count(limit.saturating_sub(*live))))
            .note(format!(
                "By itself {heap} would take more memory; here the heap's size limits it. An allocator \
                 answers null; Rust then aborts, unless try_reserve asked."
            ))
            .hint(room.to_string()),
            Self::OutOfReach { heap, need, live } => words(
                "out-of-memory",
                format!("{heap} gave no {} that can be drawn.", bytes(*need)),
            )
            .label(format!("{} are live", Count(*live)))
            .note("It answered null, or its blocks lie so far apart that 1 GiB of addresses is used up.")
            .hint("free a block, or heap new SIZE"),
            Self::NoAnswer { text } => words(
                "file-error",
                format!("`{}` is no answer of an allocator.", shortened(text, 40)),
            )
            .hint("# answered: 0x10+24, refused"),
            Self::Unsupported { heap, command } => words(
                "unsupported",
                format!("{heap} cannot {command}: it keeps no top to go back to."),
            )
            .note("It takes each block back by itself.")
            .hint("use bump, or free a"),
            Self::UnknownMark { name, live } => {
                words("unknown-handle", format!("no mark is called {}.", shortened(name, 40))).hint(
                    match live {
                        Some(live) => format!("reset {live}"),
                        None => "mark, then reset".to_owned(),
                    },
                )
            }
            Self::StaleMark { name, arena_gone } => words(
                "stale-handle",
                if *arena_gone {
                    format!("{name} marks an arena that is gone. Nothing changed.")
                } else {
                    format!("{name} is stale: the top has been below it, or a block has grown over it. Nothing changed.")
                },
            )
            .note(
                "Unchecked, a reset there would leave bytes in use that no block owns, or cut a block in two.",
            )
            .hint("mark, for a new one"),
            Self::MarkIsNoBlock { name } => {
                words("unknown-handle", format!("{name} is a mark, not a block."))
                    .hint(format!("reset {name}"))
            }
            Self::UnknownHeap { name, nearest } => {
                let words =
                    words("unknown-heap", format!("no heap is called `{}`.", shortened(name, 40)));
                match nearest {
                    Some(nearest) => words
                        .label(format!("did you mean {nearest}?"))
                        .hint(format!("use {nearest}, or heaps")),
                    None => words.hint("heaps lists them"),
                }
            }
            Self::NotConstant { name } => words(
                "E0435",
                format!(
                    "attempt to use a non-constant value `{}` in a constant.",
                    shortened(name, 40)
                ),
            )
            .label("an array's length is part of its type")
            .note(
                "The compiler lays out the frame before the program runs, so it must \
             know the size. A size known only at run time belongs on the heap.",
            )
            .hint("[0u8; 200], or alloc 200"),
            Self::Mismatched { expected, found } => {
                words("E0308", format!("mismatched types: expected {expected}, found {found}."))
                    .hint(format!("a value of type {expected}"))
            }
            Self::Rust { fault, message } => {
                let words = words(fault.code(), message.clone()).note(fault.note());
                words.hint(fault.hint().unwrap_or_default())
            }
            Self::Panicked { message } => {
                words("panic", format!("{message}."))
                    .note("What the line did before stays; what it owned was dropped on the way out.")
                    .hint("undo takes the whole line back")
            }
            Self::TooManyBlocks { most } => words(
                "too-many-blocks",
                format!("one line allocated more than {} blocks. Nothing changed.", Count(*most)),
            )
            .hint("a loop with fewer turns"),
            Self::Owned { name } => words(
                "owned",
                format!("{name} belongs to a value of Rust, which frees it itself. Nothing changed."),
            )
            .note("Unchecked, the value would use freed memory, and free it again.")
            .hint("drop the value, or let it go out of scope"),
            Self::HeapOfTheProcess { heap } => words(
                "unsupported",
                format!("{heap} works for the whole process, and cannot lie beside the heap in use. Nothing changed."),
            )
            .hint(format!("use {heap}: then &{heap} is the heap in use")),
            Self::NoArena { heap } => {
                let name = heap.replace('-', "_");
                words("unknown-heap", format!("there is no arena of {heap} here. Nothing changed."))
                    .hint(format!("use {heap}; or let v = Vec::<u8, _>::new_in(&{name});"))
            }
            Self::RustLives { what } => words(
                "rust-lives",
                format!("variables of Rust live in this {what}. Nothing changed."),
            )
            .hint("new starts over; pop ends the newest variable"),
            Self::UnsupportedRust { nearest } => {
                let words = words(
                    "unsupported-rust",
                    "this is neither a command nor Rust that the prompt can run.",
                )
                .hint("let items = [0u8; 200]; or items[0] = 10; or help");
                match nearest {
                    Some(nearest) => words.label(format!("did you mean `{nearest}`?")),
                    None => words,
                }
            }
            Self::NothingToUndo { asked, there } => words(
                "nothing-to-undo",
                match there {
                    0 => "nothing has been changed yet.".to_owned(),
                    there => {
                        format!("{} asked for, {} there.", count(*asked, "step"), Count(*there))
                    }
                },
            )
            .hint(match there {
                0 => "alloc 200".to_owned(),
                there => format!("undo {there}"),
            }),
            Self::NothingToRedo { asked, there } => words(
                "nothing-to-redo",
                match there {
                    0 => "nothing has been undone since the last change.".to_owned(),
                    there => {
                        format!("{} asked for, {} there.", count(*asked, "step"), Count(*there))
                    }
                },
            )
            .hint(match there {
                0 => "undo".to_owned(),
                there => format!("redo {there}"),
            }),
            Self::NoSuchLine { line, last } => words(
                "no-such-line",
                format!("there is no line {}; the last is {}.", Count(*line), Count(*last)),
            )
            .hint("history lists them; goto 0 is the start"),
            Self::NotToTry { outer, command } => words(
                "bad-argument",
                format!("{command} changes neither heap nor stack; there is nothing to {outer}."),
            )
            .hint(format!("{outer} free a")),
            Self::NothingToDare { line } => words(
                "bad-argument",
                format!("`{}` is not forbidden; there is nothing to dare.", shortened(line, 40)),
            )
            .note("A dare does what the ledger refuses: a second free, a write out of bounds.")
            .hint(format!("try {}", shortened(line, 40))),
            Self::NotLifo { block, newer, heap } => words(
                "not-lifo",
                format!("{newer} stands above {block}; on {heap} the newest goes first. Nothing changed."),
            )
            .note(
                "Unchecked, ours keeps the bytes until everything above them has gone. One that just lowers \
             its top would hand the newer block's bytes out again.",
            )
            .hint(format!("free {newer}")),
            Self::NeverAsked { line, code } => words(
                "nothing-to-explain",
                format!("`{}` was refused before the heap was asked: {code}.", shortened(line, 40)),
            )
            .hint(format!("try {}", shortened(line, 40))),
            Self::NeverServed { heap, size: wanted, align, largest } => {
                let words = words(
                    "unsupported",
                    if wanted > largest {
                        format!("{heap} has no place for {}, only up to {}.", bytes(*wanted), Count(*largest))
                    } else {
                        format!("{heap} aligns nothing to {} here.", Count(*align))
                    },
                );
                words
                    .note("However much is free, an allocator of this kind answers null.")
                    .hint(if wanted > largest {
                        format!("alloc {largest}, or another heap: use first-fit")
                    } else {
                        "a smaller alignment, or another heap: use first-fit".to_owned()
                    })
            }
            Self::NothingAsked => {
                words("nothing-to-explain", "the heap has not been asked for anything yet.")
                    .hint("alloc 200")
            }
            Self::Interrupted => words("interrupted", "stopped by Ctrl-C. Nothing changed.")
                .hint("the same line again"),
            Self::LogFull => words(
                "log-full",
                format!("a session has at most {} lines.", Count(MAX_LOG_LINES as u64)),
            )
            .hint("save FILE, then new"),
            Self::File { file, reason } => {
                words("file-error", format!("{file}: {reason}.")).hint("another path")
            }
            Self::NotASession { file } => {
                words("file-error", format!("{file} is not a saved session. Nothing changed."))
                    .note("A session starts with a line that says so.")
                    .hint(format!("alloc-repl {file} runs a script"))
            }
            Self::DamagedSession { file, line, problem } => words(
                "file-error",
                format!(
                    "{file} is damaged: its line {} is refused. Nothing changed.",
                    Count(*line)
                ),
            )
            .note(format!(
                "It says {}: {}",
                problem.trouble.code(),
                problem.trouble.words().message
            ))
            .hint("the lines before it, in a file of their own"),
            Self::NeedsShell { command } => {
                words("unsupported", format!("`{command}` needs a terminal's shell."))
                    .hint("alloc-repl")
            }
        }
    }
}

/// Where a block must lie, if that is more than the usual.
fn aligned(align: u64) -> String {
    if align > 8 { format!(" at a multiple of {}", Count(align)) } else { String::new() }
}

impl Problem {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.trouble.code()
    }

    /// What to write under the caret; may be empty.
    pub fn label(&self) -> String {
        self.trouble.words().label
    }

    /// What an unchecked allocator, or Rust, would do; may be empty.
    pub fn note(&self) -> String {
        self.trouble.words().note
    }

    /// What to try.
    pub fn hint(&self) -> String {
        self.trouble.words().hint
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trouble.words().message)
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = self.trouble.words();
        let mut fields = serializer.serialize_struct("Problem", 6)?;
        fields.serialize_field("code", words.code)?;
        fields.serialize_field("message", &words.message)?;
        fields.serialize_field("hint", &words.hint)?;
        fields.serialize_field("span", &self.span)?;
        fields.serialize_field("label", &words.label)?;
        fields.serialize_field("note", &words.note)?;
        fields.end()
    }
}
