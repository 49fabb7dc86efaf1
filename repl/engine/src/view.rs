//! What the looking commands show: the data drawn, not the drawing.

use std::sync::Arc;

use serde::Serialize;

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
        all: bool,
    },
    /// Bytes.
    Dump { start: Address, rows: Vec<DumpRow>, more_bytes: u64 },
    /// Numbers of the heap.
    Stats(Stats),
    /// The invariants, each verified.
    Check { heap: Arc<str>, rules: Vec<Rule>, blocks: u64, holes: u64 },
    /// The allocators there are.
    Heaps { rows: Vec<HeapRow> },
    /// The commands by group.
    Help { groups: Vec<HelpGroup> },
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
    },
    Header,
    /// A guard's bytes, there to be damaged first.
    Canary,
    /// Freed or padding, and not to be had before a reset.
    Stranded,
    /// The allocator's own.
    Books,
    /// Freed, and held back.
    Held,
    Omitted {
        count: u64,
        blocks: u64,
        holes: u64,
    },
}

/// What most of a column's bytes are.
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
    pub stranded_bytes: u64,
    pub books_bytes: u64,
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
}

/// An invariant.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Rule {
    pub text: &'static str,
    pub holds: bool,
}

/// A row of the table of allocators.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct HeapRow {
    pub name: &'static str,
    pub summary: &'static str,
    /// What may stand behind the name.
    pub usage: String,
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
