//! What the looking commands show: the data drawn, not the drawing.

use std::sync::Arc;

use serde::Serialize;

use crate::problem::Problem;
use crate::reply::Event;
use crate::units::Address;

/// Something to draw. Serialized with its `kind` in kebab-case.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum View {
    /// Stack and heap as one address space.
    Map { stack: StackMap, between_bytes: u64, heap: HeapMap },
    /// The stack alone.
    Stack(StackMap),
    /// The stack pointer.
    Sp { sp: Address, start: Address, used_bytes: u64, left_bytes: u64 },
    /// Live blocks by address.
    Blocks { total: u64, rows: Vec<BlockRow>, all: bool },
    /// Holes in the allocator's own order.
    Holes {
        heap: Arc<str>,
        total: u64,
        free_bytes: u64,
        rows: Vec<HoleRow>,
        stranded_bytes: u64,
        /// How the allocator itself keeps them.
        structure: StructureRow,
        all: bool,
    },
    /// Bytes.
    Dump { start: Address, rows: Vec<DumpRow>, more_bytes: u64 },
    /// Numbers of the heap.
    Stats(Stats),
    /// The invariants, each verified.
    Check {
        heap: Arc<str>,
        rules: Vec<Rule>,
        blocks: u64,
        holes: u64,
        /// Blocks that a value of Rust owned, and nothing owns now.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        leaks: Vec<LeakRow>,
    },
    /// How the heap's last answer came about.
    Why(Why),
    /// A dry run.
    Try(Try),
    /// What would really happen.
    Dare(Dare),
    /// What a line of Rust would do without the borrow checker.
    DareRust(DareRust),
    /// What did happen, in a process of its own.
    Crash(Crash),
    /// How much of the heap is lost to fragmentation.
    Frag(Frag),
    /// The allocators there are.
    Heaps { groups: Vec<HeapGroup> },
    /// One of them.
    Heap(HeapHelp),
    /// The commands by group.
    Help { groups: Vec<HelpGroup> },
    /// What a line of Rust can hold.
    HelpRust { forms: Vec<&'static str>, groups: Vec<RustGroup> },
    /// A type of Rust, byte by byte.
    Layout(TypeLayout),
    /// The variables of Rust, the oldest first.
    Vars { rows: Vec<VarRow> },
    /// One command.
    HelpCommand(HelpCommand),
    /// The log.
    History { rows: Vec<HistoryRow>, undone: u64, all: bool },
}

/// The stack, from its start down.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct StackMap {
    pub size_bytes: u64,
    pub used_bytes: u64,
    pub start: Address,
    pub end: Address,
    pub sp: Address,
    pub rows: Vec<StackRow>,
    /// Whether the last step gave bytes back to the unused part.
    pub unused_changed: bool,
}

/// A stretch of the stack.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct StackRow {
    /// Whether the last step changed it.
    pub changed: bool,
    pub address: Address,
    pub size_bytes: u64,
    pub item: StackItem,
}

/// What a stretch of the stack is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum StackItem {
    Slot {
        name: Arc<str>,
        #[serde(rename = "type")]
        ty: Option<String>,
        literal: Option<String>,
        /// Whether some byte was written, so that "unset" would be wrong.
        touched: bool,
        /// The pointers of Rust in it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        points: Vec<PointRow>,
    },
    Padding,
    Return {
        function: Arc<str>,
        to: Address,
        line: u32,
    },
    FramePointer {
        to: Address,
    },
    Locals {
        function: Arc<str>,
    },
    Omitted {
        count: u64,
    },
}

/// A pointer of Rust, in a variable or a block.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct PointRow {
    /// Bytes before it.
    pub offset: u64,
    pub to: Address,
    /// What lies there: a block's or a variable's name, `literal`, `vtable`; `gone` if nothing does any more.
    pub into: Arc<str>,
    /// How far inside.
    pub inside_bytes: u64,
}

/// The heap, from its end down.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeapMap {
    pub heap: Arc<str>,
    pub size_bytes: u64,
    pub used_bytes: u64,
    pub start: Address,
    pub end: Address,
    pub rows: Vec<RegionRow>,
    /// One entry a column, from the arena's start.
    pub bar: Vec<Column>,
    pub column_bytes: u64,
    /// Whether a column shows a block though less of it is in blocks than not.
    pub blocks_first: bool,
}

/// A stretch of the heap.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct RegionRow {
    pub changed: bool,
    pub address: Address,
    pub size_bytes: u64,
    pub region: RegionItem,
}

/// What a stretch of the heap is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum RegionItem {
    Hole {
        fits_bytes: u64,
    },
    Block {
        handle: Arc<str>,
        slack_bytes: u64,
        /// The pointers of Rust in it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        points: Vec<PointRow>,
    },
    Header,
    /// A guard's bytes, there to be damaged first.
    Canary,
    /// Freed or padding, and not to be had before a reset.
    Stranded,
    /// The allocator's own.
    Books,
    /// Skipped so that a block behind it is aligned.
    Padding,
    /// Freed, and held back.
    Held,
    /// Free, or the allocator's own: only it knows.
    Gap {
        /// Or, in a heap of the whole process, somebody else's.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        whole_process: bool,
    },
    Omitted {
        count: u64,
        blocks: u64,
        holes: u64,
    },
}

/// What a column of the bar shows: a live block if there is one, else what most of its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Column {
    Header,
    Hole,
    Block(Arc<str>),
    /// Several blocks, none with half of it.
    Blocks,
    Stranded,
    Held,
    Padding,
}

/// A live block.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct BlockRow {
    pub changed: bool,
    pub handle: Arc<str>,
    pub address: Address,
    pub size_bytes: u64,
    pub granted_bytes: u64,
    pub align_bytes: u64,
    pub line: u32,
}

/// A hole.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HoleRow {
    pub changed: bool,
    pub address: Address,
    pub size_bytes: u64,
    pub fits_bytes: u64,
}

/// How an allocator keeps its holes; what [`heap::Structure`] says, with addresses and names.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum StructureRow {
    /// The holes in their order say it all.
    Holes {},
    /// It is seen from outside: what looks like a hole may be the allocator's own.
    Outside {
        /// Or, in a heap of the whole process, somebody else's.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        whole_process: bool,
    },
    Top {
        at: Address,
        down: bool,
        marks: Vec<MarkRow>,
    },
    /// A list; each hole's link leads to the next row.
    List {
        order: &'static str,
        rover: Option<Address>,
    },
    Lists {
        first_level: Option<u32>,
        second_levels: Vec<BitmapRow>,
        lists: Vec<ListRow>,
    },
    Tree {
        nodes: Vec<NodeRow>,
    },
    Slots {
        rows: Vec<SlotsRow>,
    },
    Slabs {
        slots: Box<StructureRow>,
        large: Box<StructureRow>,
    },
    Stack {
        tops: Vec<Address>,
        marks: Vec<MarkRow>,
    },
    Counting {
        counts: CountsRow,
        inner: Box<StructureRow>,
    },
    Guard {
        canary_bytes: u64,
        poison: u8,
        held: Vec<HeldRow>,
        most: u64,
        inner: Box<StructureRow>,
    },
    Locked {
        taken: u64,
        inner: Box<StructureRow>,
    },
    Pair {
        border: Address,
        most_bytes: Option<u64>,
        first: Box<StructureRow>,
        second: Box<StructureRow>,
    },
}

/// A mark that can be gone back to.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct MarkRow {
    pub name: Arc<str>,
    pub address: Address,
}

/// The second level of a class.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct BitmapRow {
    pub first: u32,
    pub bits: u32,
}

/// A list of the holes of a class.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct ListRow {
    pub class: ClassRow,
    pub holes: Vec<WhyHole>,
    pub total: u64,
}

/// A node of a tree of halves.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct NodeRow {
    pub address: Address,
    pub size_bytes: u64,
    pub depth: u32,
    /// `split`, `hole` or `block`.
    pub state: &'static str,
    pub handle: Option<Arc<str>>,
}

/// The slots of one size.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct SlotsRow {
    pub slot_bytes: u64,
    pub cut: u64,
    pub free: u64,
    /// The first of the free ones, in the list's order.
    pub list: Vec<Address>,
}

/// What a counting wrapper counted.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct CountsRow {
    pub allocs: u64,
    pub frees: u64,
    pub reallocs: u64,
    pub refusals: u64,
    pub live_bytes: u64,
    pub peak_bytes: u64,
}

/// A freed block that is held back.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeldRow {
    pub handle: Option<Arc<str>>,
    pub address: Address,
    pub size_bytes: u64,
}

/// Up to sixteen bytes, or a run of rows like the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum DumpRow {
    Bytes { address: Address, cells: Vec<Cell> },
    Same { rows: u64 },
}

/// One byte of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Cell {
    /// `None` if nobody ever wrote it.
    pub value: Option<u8>,
    pub state: CellState,
    pub owner: CellOwner,
}

/// Who wrote a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CellState {
    Never,
    /// Somebody before its present owner.
    Old,
    Set,
}

/// Whose byte it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CellOwner {
    Header,
    /// A list's link inside a hole.
    Link,
    Hole,
    Block(Arc<str>),
    Slack,
    Canary,
    Stranded,
    Books,
    Held,
    Gap,
    Slot(Arc<str>),
    Frame,
    Padding,
    Unused,
}

/// Numbers of the heap and the stack.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Stats {
    pub heap: Arc<str>,
    pub size_bytes: u64,
    pub live_blocks: u64,
    pub payload_bytes: u64,
    pub slack_bytes: u64,
    pub header_bytes: u64,
    pub canary_bytes: u64,
    pub stranded_bytes: u64,
    pub books_bytes: u64,
    pub padding_bytes: u64,
    pub held_bytes: u64,
    pub free_bytes: u64,
    pub holes: u64,
    pub largest_hole_bytes: u64,
    pub largest_fits_bytes: u64,
    pub peak_payload_bytes: u64,
    pub allocs: u64,
    pub frees: u64,
    pub reallocs: u64,
    pub moved: u64,
    pub stack_used_bytes: u64,
    pub stack_peak_bytes: u64,
    /// Whether what is not in blocks may be anybody's in this process.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole_process: bool,
}

/// How an answer came about.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Why {
    /// The line that asked.
    pub line: u32,
    pub input: Arc<str>,
    pub name: Arc<str>,
    pub heap: Arc<str>,
    /// Whether it is somebody else's, and tells no steps.
    pub is_foreign: bool,
    /// Whether that works for the whole process.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole_process: bool,
    pub ask: WhyAsk,
    /// In the order they were taken.
    pub steps: Vec<WhyStep>,
    /// Holes looked at; the steps name only the first of each search.
    pub looked: u64,
    /// Holes behind, in the list's order, that were not looked at: the first few.
    pub unlooked: Vec<WhyHole>,
    pub unlooked_total: u64,
    /// All holes in the list, for a design with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holes: Option<u64>,
    /// What orders the list, if there is one.
    pub order: Option<&'static str>,
    pub answer: WhyAnswer,
    /// What other fits would have taken from the same list.
    pub others: Vec<Other>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum WhyAsk {
    Alloc { size_bytes: u64, align_bytes: u64, need: WhyNeed },
    Free { address: Address, size_bytes: u64 },
    Realloc { address: Address, old_bytes: u64, size_bytes: u64 },
}

/// What a block of that size takes.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct WhyNeed {
    /// The payload, rounded up.
    pub payload_bytes: u64,
    pub header_bytes: u64,
    pub canary_bytes: u64,
}

/// A step on the way; what [`heap::Step`] says, with addresses.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum WhyStep {
    Rounded {
        asked_bytes: u64,
        block_bytes: u64,
    },
    Class {
        class: ClassRow,
        found: bool,
    },
    Looked {
        address: Address,
        size_bytes: u64,
        fits: bool,
        short_bytes: u64,
    },
    /// More holes were looked at here than are named.
    Unnamed {
        holes: u64,
    },
    Skipped {
        zones: u64,
        zone_bytes: u64,
    },
    Walked {
        holes: u64,
    },
    Halved {
        address: Address,
        half_bytes: u64,
    },
    Cut {
        address: Address,
        padding_bytes: u64,
        taken_bytes: u64,
        remaining_bytes: u64,
    },
    Joined {
        address: Address,
        freed_bytes: u64,
        size_bytes: u64,
        in_front: bool,
        behind: bool,
    },
    Listed {
        address: Address,
        class: ClassRow,
    },
    Stranded {
        address: Address,
        size_bytes: u64,
    },
    Held {
        address: Address,
        size_bytes: u64,
    },
    Released {
        address: Address,
    },
    Handed {
        second: bool,
        because: &'static str,
    },
}

/// A class of sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ClassRow {
    pub first: u32,
    pub second: Option<u32>,
    pub min_bytes: u64,
    pub max_bytes: u64,
}

impl From<heap::Class> for ClassRow {
    fn from(class: heap::Class) -> Self {
        Self {
            first: class.first,
            second: class.second,
            min_bytes: u64::from(class.min_bytes),
            max_bytes: u64::from(class.max_bytes),
        }
    }
}

/// A hole by itself.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct WhyHole {
    pub address: Address,
    pub size_bytes: u64,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum WhyAnswer {
    At {
        address: Address,
        granted_bytes: u64,
    },
    /// `kept` says that its bytes cannot be had again yet.
    Freed {
        kept: bool,
    },
    Full {},
}

/// What another fit would have taken.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Other {
    pub heap: &'static str,
    pub looked: u64,
    pub address: Address,
    pub size_bytes: u64,
    pub same: bool,
}

/// A dry run of a line.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Try {
    pub input: String,
    /// What is checked before anything changes, in order.
    pub checks: Vec<Check>,
    pub why: Option<Why>,
    /// What the line would answer.
    pub events: Vec<Event>,
    /// Why it would be refused; its span is in the whole line.
    pub problem: Option<Problem>,
}

/// A check of a dry run.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Check {
    /// The code a line is refused with that fails it.
    pub code: &'static str,
    pub text: &'static str,
    pub outcome: CheckOutcome,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CheckOutcome {
    Passed,
    Failed,
    /// One before it failed.
    NotReached,
}

/// A forbidden line, done on a copy.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Dare {
    pub input: String,
    /// The code it is refused with outside of a dare.
    pub code: &'static str,
    pub heap: Arc<str>,
    pub deed: Deed,
    /// The first invariant of the heap that no longer holds.
    pub broken: Option<&'static str>,
    /// What innocent lines lead to from there.
    pub probes: Vec<Probe>,
}

/// A line of Rust run without the borrow checker, on a copy.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct DareRust {
    pub input: String,
    /// The code it is refused with outside of a dare; none if it is allowed as long as nobody uses what it breaks.
    pub code: Option<&'static str>,
    pub events: Vec<Event>,
    /// How it ended, if not well.
    pub ended: Option<String>,
    /// References that lead nowhere now.
    pub dangling: Vec<DanglingRow>,
}

/// A reference to what is gone.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct DanglingRow {
    pub name: Arc<str>,
    pub address: Address,
    /// Where that is now, in words.
    pub lies: String,
    /// What is read there now.
    pub value: String,
}

/// What the forbidden line itself did.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Deed {
    /// The allocator took the address and said nothing.
    Freed { address: Address },
    /// It had no room, and said so.
    Refused {},
    /// The bytes were stored. `over` says whose they are.
    Wrote { address: Address, bytes: Vec<u8>, over: String },
    /// These bytes were there.
    Read { address: Address, bytes: Vec<u8>, over: String },
    /// The block was resized, or moved.
    Moved { from: Address, address: Address, size_bytes: u64 },
    /// There is nothing at that address.
    Faulted { address: Address },
    /// The allocator did not get to the end.
    Trapped { trap: TrapRow },
}

/// How a run on a damaged heap ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TrapRow {
    Outside { address: Address },
    Endless {},
    Noticed {},
}

/// An innocent line on the damaged heap.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Probe {
    pub input: String,
    pub outcome: ProbeOutcome,
}

/// What became of it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum ProbeOutcome {
    /// A block; `shared_with` has some of its bytes, too.
    At {
        address: Address,
        shared_with: Option<Arc<str>>,
    },
    Freed {},
    Full {},
    Trapped {
        trap: TrapRow,
    },
}

/// A forbidden line, done to a crate in a process of its own.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Crash {
    pub input: String,
    /// The code it is refused with outside of a dare.
    pub code: &'static str,
    pub heap: Arc<str>,
    /// What the line did; nothing if the process was gone before it was done.
    pub deed: Option<Deed>,
    /// The innocent lines that were answered.
    pub probes: Vec<Probe>,
    /// The last the process wrote on its standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
    pub ending: Ending,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Ending {
    /// By itself.
    Exited { code: i32 },
    /// The system stopped it with a signal.
    Killed { signal: i32 },
    /// It was still at work after so many seconds, and was stopped.
    Busy { seconds: u64 },
}

/// How much of the heap is lost to fragmentation.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Frag {
    pub heap: Arc<str>,
    pub size_bytes: u64,
    /// Bytes inside blocks that nobody asked for: headers and slack.
    pub internal_bytes: u64,
    /// Bytes of blocks, all told.
    pub block_bytes: u64,
    pub payload_bytes: u64,
    pub free_bytes: u64,
    pub holes: u64,
    pub largest_hole_bytes: u64,
    pub largest_fits_bytes: u64,
    /// What would still fit, by size: how many blocks.
    pub fits: Vec<Fitting>,
    /// Bytes that are nobody's until a reset, held back, or the allocator's books.
    pub other_bytes: u64,
    /// What may still be live, in a heap that takes memory as it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_bytes: Option<u64>,
}

/// How many blocks of a size would still fit, one after the other.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Fitting {
    pub size_bytes: u64,
    pub blocks: u64,
    /// How many there would be if the free bytes lay in one piece.
    pub in_one_piece: u64,
}

/// An invariant.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Rule {
    pub text: &'static str,
    pub holds: bool,
}

/// Allocators that belong together.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeapGroup {
    pub title: &'static str,
    pub rows: Vec<HeapRow>,
}

/// An allocator in full.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeapHelp {
    pub name: &'static str,
    /// What may stand behind the name.
    pub usage: String,
    pub summary: &'static str,
    pub details: &'static str,
    pub in_use: bool,
}

/// A row of the table of allocators.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeapRow {
    pub name: &'static str,
    pub summary: &'static str,
    pub in_use: bool,
}

/// A group of commands.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HelpGroup {
    pub title: &'static str,
    pub rows: Vec<HelpRow>,
}

/// A command in a line.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HelpRow {
    pub name: &'static str,
    pub summary: &'static str,
}

/// What can be called on a type of Rust.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct RustGroup {
    pub on: &'static str,
    pub names: Vec<&'static str>,
}

/// How the values of a type lie in memory.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct TypeLayout {
    #[serde(rename = "type")]
    pub ty: String,
    pub size_bytes: u64,
    pub align_bytes: u64,
    /// By offset; padding has no name.
    pub rows: Vec<LayoutRow>,
    /// Whether the order of the fields is rustc's choice.
    pub chosen_by_rustc: bool,
    pub spare: Option<Spare>,
}

/// A stretch of a type.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct LayoutRow {
    pub offset: u64,
    pub size_bytes: u64,
    pub name: String,
    pub what: String,
}

/// A block that nothing owns any more.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct LeakRow {
    pub handle: Arc<str>,
    pub address: Address,
    pub size_bytes: u64,
    /// The type of what is in it.
    pub holds: String,
    /// The line it was allocated by.
    pub line: u32,
}

/// Bit patterns that no value has.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Spare {
    pub offset: u64,
    /// How many; as text, since there may be more than JSON's numbers hold.
    pub patterns: String,
}

/// A variable of Rust.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct VarRow {
    pub name: Arc<str>,
    #[serde(rename = "type")]
    pub ty: String,
    pub address: Address,
    pub size_bytes: u64,
    pub mutable: bool,
    /// As `{:?}` prints it; `moved` or `unset` if there is none.
    pub value: String,
    /// The pointers in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointRow>,
}

/// A command in full.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HelpCommand {
    pub name: &'static str,
    pub usage: String,
    pub aliases: &'static [&'static str],
    pub summary: &'static str,
    pub details: &'static str,
    pub examples: Vec<HelpExample>,
}

/// An example of a command.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HelpExample {
    pub line: &'static str,
    /// The code it is refused with, if that is the point of it.
    pub refused: Option<&'static str>,
}

/// A line of the log.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HistoryRow {
    pub line: u64,
    pub input: Arc<str>,
    /// Whether `undo` has taken it back.
    pub undone: bool,
}
