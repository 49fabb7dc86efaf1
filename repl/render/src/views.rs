//! The looking commands, drawn.

use std::borrow::Cow;
use std::sync::Arc;

use engine::units::{Address, Count, bytes, count, size};
use engine::{
    BlockRow, Cell, CellOwner, CellState, Column, DumpRow, HeapGroup, HeapHelp, HeapMap,
    HelpCommand, HelpGroup, HistoryRow, HoleRow, LeakRow, MarkRow, PointRow, RegionItem, Rule,
    RustGroup, Spare, StackItem, StackMap, Stats, StructureRow, TypeLayout, VarRow, View,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::reasons::class_words;
use crate::text::{Line, Role, visible, wrap};
use crate::{Style, reasons};

pub(crate) fn lines(view: &View, style: Style) -> Vec<Line> {
    match view {
        View::Map { stack, between_bytes, heap } => {
            let rows = stack_rows(stack);
            let between = Row { label: "not yours".into(), ..Row::sized("", size(*between_bytes)) };
            let mut lines = stack_heading(stack);
            lines.extend(table(rows.into_iter().chain([between]), style));
            lines.extend(heap_lines(heap, style));
            lines
        }
        View::Stack(stack) => {
            let mut lines = stack_heading(stack);
            lines.extend(table(stack_rows(stack), style));
            lines
        }
        View::Sp { sp, start, used_bytes, left_bytes } => {
            let detail = if used_bytes == &0 {
                "The stack is empty. This byte itself is never used.".to_owned()
            } else {
                format!(
                    "{start} - {used_bytes}: the lowest byte in use. {} left below.",
                    bytes(*left_bytes)
                )
            };
            vec![Line::of("sp = ").address(*sp), Line::detail(detail)]
        }
        View::Blocks { total, rows, all } => block_lines(*total, &rows[..shown(rows, *all, style)]),
        View::Holes { heap, total, free_bytes, rows, stranded_bytes, structure, all } => {
            let end = shown(rows, *all, style);
            let rows = &rows[..end];
            let mut lines = hole_lines(heap, *total, *free_bytes, rows, *stranded_bytes, structure);
            lines.extend(structure_lines(structure, style));
            wrapped(lines, style)
        }
        View::Dump { start, rows, more_bytes } => dump_lines(*start, rows, *more_bytes),
        View::Stats(stats) => wrapped(stats_lines(stats), style),
        View::Check { heap, rules, blocks, holes, leaks } => {
            let mut lines = check_lines(heap, rules, *blocks, *holes);
            lines.extend(leak_lines(leaks));
            wrapped(lines, style)
        }
        View::Why(why) => reasons::why_lines(why, style),
        View::Try(dry) => reasons::try_lines(dry, style),
        View::Dare(dare) => reasons::dare_lines(dare, style),
        View::DareRust(dare) => reasons::dare_rust_lines(dare, style),
        View::Crash(crash) => reasons::crash_lines(crash, style),
        View::Frag(frag) => reasons::frag_lines(frag, style),
        View::Heaps { groups } => heaps_lines(groups),
        View::Heap(help) => heap_help_lines(help, style),
        View::Help { groups } => help_lines(groups),
        View::HelpCommand(help) => help_command_lines(help, style),
        View::HelpRust { forms, groups } => help_rust_lines(forms, groups, style),
        View::Layout(layout) => layout_lines(layout),
        View::Vars { rows } => vars_lines(rows, style),
        View::History { rows, undone, all } => {
            let earlier = rows.len() - shown(rows, *all, style);
            history_lines(&rows[earlier..], earlier as u64, *undone, style)
        }
    }
}

/// Lines that may hold a long name, broken where they must be.
fn wrapped(lines: Vec<Line>, style: Style) -> Vec<Line> {
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

/// How many rows of a listing to show.
fn shown<T>(rows: &[T], all: bool, style: Style) -> usize {
    if all { rows.len() } else { rows.len().min(style.list_rows) }
}

/// The two columns in front of a row: a star if the last change touched it.
fn star(changed: bool) -> Line {
    Line::new().put(Role::Changed, if changed { "* " } else { "  " })
}

// Map and stack.

/// A row of a map: star, address, label, size, note.
#[derive(Default)]
struct Row {
    changed: bool,
    address: Option<Address>,
    label: String,
    role: Option<Role>,
    size: String,
    note: String,
    is_sp: bool,
}

impl Row {
    fn sized(label: &str, size: impl Into<String>) -> Self {
        Self { label: label.to_owned(), size: size.into(), ..Self::default() }
    }

    /// A stretch of memory: its label, what the label is, and a note.
    fn stretch(
        changed: bool,
        address: Address,
        size_bytes: u64,
        (label, role, note): (String, Role, String),
    ) -> Self {
        let size = Count(size_bytes).to_string();
        let (address, role) = (Some(address), Some(role));
        Self { changed, address, label, role, size, note, is_sp: false }
    }

    /// A row without a size, such as the end.
    fn border(address: Address, label: &str) -> Self {
        Self {
            address: Some(address),
            label: label.to_owned(),
            role: Some(Role::Dim),
            ..Self::default()
        }
    }
}

/// The column `<- sp` stands in, if the row leaves room.
const SP_COLUMN: usize = 60;
/// What stands there.
const SP: &str = "  <- sp";

/// As much of a text as there is room for.
fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return text.into();
    }
    let mut room = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        room.checked_sub(width).inspect(|left| room = *left).is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect::<String>().into()
}

fn table(rows: impl IntoIterator<Item = Row>, style: Style) -> Vec<Line> {
    let rows: Vec<_> = rows.into_iter().collect();
    let sized = || rows.iter().filter(|row| !row.size.is_empty());
    let label_width = sized().map(|row| row.label.width()).max().unwrap_or(0).max(7);
    let size_width = sized().map(|row| row.size.len()).max().unwrap_or(0);
    rows.iter()
        .map(|row| {
            let address = row.address.map_or_else(|| " ".repeat(11), |address| address.to_string());
            let mut line = star(row.changed)
                .put(Role::Address, address)
                .text("  ")
                .put(row.role.unwrap_or(Role::Dim), row.label.as_str());
            if !row.size.is_empty() {
                let gap = label_width.saturating_sub(row.label.width());
                line = line.text(format!("{}  {:>size_width$}", " ".repeat(gap), row.size));
            }
            let end = if row.is_sp { SP } else { "" };
            if !row.note.is_empty() {
                let room = style.width.saturating_sub(line.width() + 2 + end.width());
                line = line.put(Role::Dim, format!("  {}", cut(&row.note, room)));
            }
            if row.is_sp {
                line = line.pad_to(SP_COLUMN).put(Role::Changed, end);
            }
            line
        })
        .collect()
}

fn stack_heading(stack: &StackMap) -> Vec<Line> {
    let head =
        format!("STACK  {}, {} used, grows down", size(stack.size_bytes), Count(stack.used_bytes));
    vec![Line::new().put(Role::Heading, head).pad_to(47).put(Role::Dim, "high addresses on top")]
}

fn stack_rows(stack: &StackMap) -> Vec<Row> {
    let mut rows = vec![Row { is_sp: stack.rows.is_empty(), ..Row::border(stack.start, "start") }];
    let lowest = stack.rows.iter().rposition(|row| row.address == stack.sp);
    for (index, row) in stack.rows.iter().enumerate() {
        let what = match &row.item {
            StackItem::Slot { name, ty, literal, touched, points } => (
                name.to_string(),
                Role::Name,
                beside(points, &slot_note(ty.as_deref(), literal.as_deref(), *touched)),
            ),
            StackItem::Padding => ("padding".to_owned(), Role::Dim, String::new()),
            StackItem::Return { function, to, line } => (
                "return".to_owned(),
                Role::Header,
                format!("to {to}, after line {line}, from {function}"),
            ),
            StackItem::FramePointer { to } => (
                "saved fp".to_owned(),
                Role::Header,
                match to.0 {
                    0 => "none before".to_owned(),
                    _ => to.to_string(),
                },
            ),
            StackItem::Locals { function } => {
                ("locals".to_owned(), Role::Name, format!("of {function}"))
            }
            StackItem::Omitted { count: left_out } => {
                (format!("… {}", Count(*left_out)), Role::Dim, "more".to_owned())
            }
        };
        rows.push(Row {
            is_sp: lowest == Some(index),
            ..Row::stretch(row.changed, row.address, row.size_bytes, what)
        });
    }
    let unused = Row::sized("unused", Count(stack.size_bytes - stack.used_bytes).to_string());
    rows.push(Row { changed: stack.unused_changed, ..unused });
    rows.push(Row::border(stack.end, "end; guard below"));
    rows
}

/// Targets that an arrow names.
const TARGETS_SHOWN: usize = 3;

/// `→ h1, v+4`: what the pointers of a row lead to, each once.
fn arrows(points: &[PointRow]) -> String {
    let mut targets: Vec<String> = Vec::new();
    for point in points {
        let target = match point.inside_bytes {
            0 => point.into.to_string(),
            inside => format!("{}+{inside}", point.into),
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let more = targets.len().saturating_sub(TARGETS_SHOWN);
    targets.truncate(TARGETS_SHOWN);
    match (targets.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("→ {}", targets.join(", ")),
        (false, more) => format!("→ {}, {} more", targets.join(", "), Count(more as u64)),
    }
}

/// The arrows of a row, and its note.
fn beside(points: &[PointRow], note: &str) -> String {
    match (arrows(points), note) {
        (arrows, "") => arrows,
        (arrows, note) if arrows.is_empty() => note.to_owned(),
        (arrows, note) => format!("{arrows}  {note}"),
    }
}

fn slot_note(ty: Option<&str>, literal: Option<&str>, touched: bool) -> String {
    match (ty, literal) {
        (_, Some(literal)) => literal.to_owned(),
        (Some(ty), None) if touched => format!("{ty}, partly set or no valid value"),
        (Some(ty), None) => format!("{ty}, unset"),
        (None, None) if touched => "bytes".to_owned(),
        (None, None) => "unset".to_owned(),
    }
}

fn heap_lines(heap: &HeapMap, style: Style) -> Vec<Line> {
    let head = format!(
        "HEAP   {}, {}, {} used, grows up",
        heap.heap,
        bytes(heap.size_bytes),
        Count(heap.used_bytes)
    );
    let mut lines = Line::new().put(Role::Heading, head).wrapped(style.width);
    let mut rows = vec![Row::border(heap.end, "end")];
    for row in &heap.rows {
        let what = match &row.region {
            RegionItem::Hole { fits_bytes } => {
                ("hole".to_owned(), Role::Hole, format!("fits up to {}", Count(*fits_bytes)))
            }
            RegionItem::Block { handle, slack_bytes, points } => {
                let slack =
                    if *slack_bytes > 0 { format!("+ {slack_bytes} slack") } else { String::new() };
                (handle.to_string(), Role::Name, beside(points, &slack))
            }
            RegionItem::Header => ("header".to_owned(), Role::Header, String::new()),
            RegionItem::Canary => ("canary".to_owned(), Role::Header, String::new()),
            RegionItem::Books => {
                ("books".to_owned(), Role::Header, "the allocator's own".to_owned())
            }
            RegionItem::Padding => ("padding".to_owned(), Role::Dim, "skipped to align".to_owned()),
            RegionItem::Gap { whole_process } => {
                let whose = if *whole_process {
                    "anybody's in this process"
                } else {
                    "free, or the crate's own"
                };
                ("gap".to_owned(), Role::Hole, whose.to_owned())
            }
            RegionItem::Held => ("held".to_owned(), Role::Dim, "freed, held back".to_owned()),
            RegionItem::Stranded => {
                ("dead".to_owned(), Role::Dim, "freed or padding; back at reset".to_owned())
            }
            RegionItem::Omitted { count: left_out, blocks, holes } => (
                format!("… {}", Count(*left_out)),
                Role::Dim,
                format!("more: {}, {}", count(*blocks, "block"), count(*holes, "hole")),
            ),
        };
        rows.push(Row::stretch(row.changed, row.address, row.size_bytes, what));
    }
    lines.extend(table(rows, style));
    lines.push(bar(&heap.bar));
    lines.extend(legend(heap, style));
    lines
}

fn bar(columns: &[Column]) -> Line {
    let mut line = Line::of("  |");
    for group in columns.chunk_by(|a, b| a == b) {
        line = match &group[0] {
            Column::Header => line.put(Role::Header, "[".repeat(group.len())),
            Column::Hole => line.put(Role::Hole, ".".repeat(group.len())),
            Column::Block(name) => line.name(run_of(name, group.len())),
            Column::Blocks => line.name("#".repeat(group.len())),
            Column::Stranded => line.put(Role::Dim, "-".repeat(group.len())),
            Column::Held => line.put(Role::Dim, ":".repeat(group.len())),
            Column::Padding => line.put(Role::Dim, "_".repeat(group.len())),
        };
    }
    line.text("|")
}

/// A name drawn over `len` columns: a letter is repeated, a longer name stands once and is filled up.
fn run_of(name: &str, len: usize) -> String {
    if name.len() == 1 {
        return name.repeat(len);
    }
    let shown: String = name.chars().take(len).collect();
    format!("{shown:=<len$}")
}

fn legend(heap: &HeapMap, style: Style) -> Vec<Line> {
    let mut parts = Vec::new();
    let mut part = |column: &Column, text: &str| {
        if heap.bar.contains(column) {
            parts.push(text.to_owned());
        }
    };
    part(&Column::Header, "[ header");
    part(&Column::Blocks, "# many blocks");
    part(&Column::Stranded, "- dead");
    part(&Column::Held, ": held");
    part(&Column::Padding, "_ padding");
    part(&Column::Hole, ". hole");
    let first = if heap.blocks_first { ", blocks before holes" } else { "" };
    parts.push(format!("1 column = {}{first}", bytes(heap.column_bytes)));
    parts.push("* changed last".to_owned());
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if 2 + line.width() + 3 + part.width() <= style.width => {
                line.push_str("   ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines.into_iter().map(Line::detail).collect()
}

// Lists.

fn block_lines(total: u64, rows: &[BlockRow]) -> Vec<Line> {
    if rows.is_empty() {
        return vec![Line::of("No live blocks. ").put(Role::Hint, "alloc 200").text(" makes one.")];
    }
    let name_width = rows.iter().map(|row| row.handle.len()).max().unwrap_or(0);
    let size_width =
        rows.iter().map(|row| Count(row.size_bytes).to_string().len()).max().unwrap_or(0);
    let mut lines = vec![Line::of(format!("{}, by address:", count(total, "live block")))];
    for row in rows {
        let slack = row.granted_bytes - row.size_bytes;
        let slack = if slack > 0 { format!(" + {slack} slack") } else { String::new() };
        lines.push(
            star(row.changed)
                .name(format!("{:<name_width$}", row.handle))
                .text("  ")
                .address(row.address)
                .text(format!(
                    "  {:>size_width$} bytes{slack}, align {}, line {}",
                    Count(row.size_bytes).to_string(),
                    row.align_bytes,
                    row.line
                )),
        );
    }
    lines.extend(more(total - rows.len() as u64, "blocks all"));
    lines
}

fn hole_lines(
    heap: &str,
    total: u64,
    free_bytes: u64,
    rows: &[HoleRow],
    stranded: u64,
    structure: &StructureRow,
) -> Vec<Line> {
    let linked = matches!(structure, StructureRow::List { .. });
    let outside = is_outside(structure);
    let dead = if stranded > 0 {
        format!(" {} dead until reset.", Count(stranded))
    } else {
        String::new()
    };
    if rows.is_empty() {
        return vec![Line::of(format!("No hole: every byte is in use.{dead}"))];
    }
    let sizes: Vec<_> = rows.iter().map(|row| Count(row.size_bytes).to_string()).collect();
    let width = sizes.iter().map(String::len).max().unwrap_or(0);
    let number_width = rows.len().to_string().len();
    let head = if outside {
        format!("{} between {heap}'s blocks, {}:", count(total, "gap"), bytes(free_bytes))
    } else {
        format!("{}, {} free, in {heap}'s order:{dead}", count(total, "hole"), bytes(free_bytes))
    };
    let mut lines = vec![Line::of(head)];
    let fits: Vec<_> = rows.iter().map(|row| Count(row.fits_bytes).to_string()).collect();
    let fits_width = fits.iter().map(String::len).max().unwrap_or(0);
    for (index, (row, size)) in rows.iter().zip(&sizes).enumerate() {
        let line = star(row.changed)
            .put(Role::Dim, format!("{:>number_width$}  ", index + 1))
            .address(row.address)
            .put(Role::Hole, format!("  {size:>width$}"));
        lines.push(match rows.get(index + 1) {
            _ if outside => line,
            _ if !linked => line.text(format!("  fits {}", fits[index])),
            Some(next) => line
                .text(format!("  fits {:<fits_width$}", fits[index]))
                .put(Role::Dim, format!("  -> {}", next.address)),
            None if rows.len() as u64 == total => line
                .text(format!("  fits {:<fits_width$}", fits[index]))
                .put(Role::Dim, "  -> end of the list"),
            None => line.text(format!("  fits {}", fits[index])),
        });
    }
    lines.extend(more(total - rows.len() as u64, "holes all"));
    lines
}

/// Whether what lies between its blocks is seen from outside, through whatever is wrapped around it.
fn is_outside(structure: &StructureRow) -> bool {
    match structure {
        StructureRow::Outside { .. } => true,
        StructureRow::Counting { inner, .. }
        | StructureRow::Guard { inner, .. }
        | StructureRow::Locked { inner, .. } => is_outside(inner),
        _ => false,
    }
}

/// How the allocator keeps its holes.
fn structure_lines(structure: &StructureRow, style: Style) -> Vec<Line> {
    let marks = |marks: &[MarkRow]| {
        let mark = |mark: &MarkRow| format!("{} at {}", mark.name, mark.address);
        let marks: Vec<_> = marks.iter().map(mark).collect();
        (!marks.is_empty()).then(|| Line::of(format!("  marks: {}", marks.join(", "))))
    };
    match structure {
        StructureRow::Holes {} | StructureRow::List { rover: None, .. } => Vec::new(),
        StructureRow::List { rover: Some(rover), .. } => {
            vec![Line::of("  the next search starts at ").address(*rover)]
        }
        StructureRow::Outside { whole_process: true } => vec![Line::detail(
            "Seen from outside: free bytes, its own, and other blocks of this process.",
        )],
        StructureRow::Outside { whole_process: false } => vec![Line::detail(
            "Seen from outside: some of these bytes are the crate's own, and not to be had.",
        )],
        StructureRow::Top { at, down, marks: marked } => {
            let way = if *down { "moves down" } else { "moves up" };
            let top = Line::of("  top ").address(*at).text(format!(", {way}"));
            std::iter::once(top).chain(marks(marked)).collect()
        }
        StructureRow::Lists { first_level, second_levels, lists } => {
            let mut lines = Vec::new();
            if let Some(bits) = first_level {
                lines.push(Line::of(format!("  first level   {}", bits_set(*bits))));
            }
            for level in second_levels {
                let bits = bits_set(level.bits);
                lines.push(Line::of(format!("  second of {:>2}  {bits}", level.first)));
            }
            for list in lists {
                let hole = |hole: &engine::WhyHole| {
                    format!("{} ({})", hole.address, Count(hole.size_bytes))
                };
                let holes: Vec<_> = list.holes.iter().map(hole).collect();
                let more = list.total - list.holes.len() as u64;
                let more =
                    if more > 0 { format!(" -> {} more", Count(more)) } else { String::new() };
                let line = Line::of(format!("  {}: ", class_words(&list.class)));
                let line = line.text(format!("{}{more}", holes.join(" -> ")));
                lines.extend(line.wrapped(style.width));
            }
            lines
        }
        StructureRow::Tree { nodes } => {
            let width = nodes.iter().map(|node| Count(node.size_bytes).to_string().len()).max();
            let width = width.unwrap_or(0);
            let node = |node: &engine::NodeRow| {
                let size = Count(node.size_bytes).to_string();
                let indent = " ".repeat(2 * node.depth as usize);
                let line = Line::of("  ")
                    .address(node.address)
                    .text(format!("  {size:>width$}  {indent}"));
                match (&node.handle, node.state) {
                    (Some(handle), _) => line.name(&**handle),
                    (None, "hole") => line.put(Role::Hole, "hole"),
                    (None, state) => line.put(Role::Dim, state),
                }
            };
            let shown = shown(nodes, false, style);
            let mut lines: Vec<_> = nodes[..shown].iter().map(node).collect();
            if shown < nodes.len() {
                lines.push(Line::detail("… and more"));
            }
            lines
        }
        StructureRow::Slots { rows } => rows
            .iter()
            .filter(|row| row.cut > 0)
            .flat_map(|row| {
                let list: Vec<_> = row.list.iter().map(Address::to_string).collect();
                let more = row.free - row.list.len() as u64;
                let more =
                    if more > 0 { format!(" -> {} more", Count(more)) } else { String::new() };
                let list = match row.free {
                    0 => "none free".to_owned(),
                    free => format!("{} free: {}{more}", Count(free), list.join(" -> ")),
                };
                let slots = count(row.cut, "slot");
                let line = format!("  {slots} of {}, {list}", bytes(row.slot_bytes));
                Line::of(line).wrapped(style.width)
            })
            .collect(),
        StructureRow::Slabs { slots, large } => {
            let mut lines = structure_lines(slots, style);
            lines.push(Line::of("  large blocks and slabs, in tlsf's lists:"));
            lines.extend(structure_lines(large, style));
            lines
        }
        StructureRow::Stack { tops, marks: marked } => {
            let tops: Vec<_> = tops.iter().map(Address::to_string).collect();
            let line = match tops.len() {
                0 => Line::of("  nothing on the stack"),
                _ => Line::of(format!("  tops to go back to, newest first: {}", tops.join(", "))),
            };
            line.wrapped(style.width).into_iter().chain(marks(marked)).collect()
        }
        StructureRow::Counting { counts, inner } => {
            let mut lines = vec![Line::of(format!(
                "  counted: {}, {}, {}; {} live, at most {}",
                count(counts.allocs, "alloc"),
                count(counts.frees, "free"),
                count(counts.reallocs, "realloc"),
                bytes(counts.live_bytes),
                Count(counts.peak_bytes)
            ))];
            lines.extend(structure_lines(inner, style));
            lines
        }
        StructureRow::Guard { canary_bytes, poison, held, most, inner } => {
            let mut lines = vec![Line::of(format!(
                "  canaries of {canary_bytes} bytes and more; {} of at most {most} blocks held, filled with {poison:#04x}",
                held.len()
            ))];
            for held in held {
                let name = held.handle.as_deref().unwrap_or("a block");
                lines.push(
                    Line::of("  held  ")
                        .address(held.address)
                        .text(format!("  {name}, {}", bytes(held.size_bytes))),
                );
            }
            lines.extend(structure_lines(inner, style));
            lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
        }
        StructureRow::Locked { taken, inner } => {
            let mut lines = vec![Line::of(format!(
                "  lock taken {}",
                match taken {
                    1 => "once".to_owned(),
                    taken => format!("{} times", Count(*taken)),
                }
            ))];
            lines.extend(structure_lines(inner, style));
            lines
        }
        StructureRow::Pair { border, most_bytes, first, second } => {
            let rule =
                most_bytes.map_or_else(String::new, |most| format!(", up to {}", bytes(most)));
            let mut lines = vec![Line::of(format!("  first heap{rule}, below {border}:"))];
            let indented = |structure| {
                structure_lines(structure, style)
                    .into_iter()
                    .map(|line| Line::of("  ").append(line))
            };
            lines.extend(indented(first));
            lines.push(Line::of(format!("  second heap, from {border} on:")));
            lines.extend(indented(second));
            lines
        }
    }
}

/// The numbers of the bits that are set, and the bits themselves up to the highest.
fn bits_set(bits: u32) -> String {
    let width = (32 - bits.leading_zeros()).next_multiple_of(4).max(4) as usize;
    let digits = format!("{bits:0width$b}");
    let groups: Vec<_> = digits.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    let numbers: Vec<_> =
        (0..32).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit.to_string()).collect();
    format!("{}  bits set: {}", groups.join("_"), numbers.join(", "))
}

/// The line that says what a capped list leaves out.
fn more(left_out: u64, command: &str) -> Option<Line> {
    (left_out > 0).then(|| Line::detail(format!("… {} more; \"{command}\"", Count(left_out))))
}

// Bytes.

fn dump_lines(start: Address, rows: &[DumpRow], more_bytes: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut shown = 0u64;
    let mut last_len = 0u64;
    for row in rows {
        match row {
            DumpRow::Bytes { address, cells } => {
                last_len = cells.len() as u64;
                shown += last_len;
                lines.push(dump_row(*address, cells));
            }
            DumpRow::Same { rows } => {
                shown += rows * last_len;
                let (row, s) = if *rows == 1 { ("row", "s") } else { ("rows", "") };
                lines.push(
                    Line::new()
                        .pad_to(13)
                        .put(Role::Dim, format!("… {} more {row} look{s} the same", Count(*rows))),
                );
            }
        }
    }
    if more_bytes > 0 {
        lines.push(Line::detail(format!(
            "… {} more; \"dump {}\"",
            bytes(more_bytes),
            start.plus(shown)
        )));
    }
    lines.extend(dump_legend(rows));
    lines
}

fn dump_row(address: Address, cells: &[Cell]) -> Line {
    let mut line = Line::new().address(address).text(" ");
    for (index, cell) in cells.iter().enumerate() {
        let gap = if index == 8 { " " } else { "" };
        let mark = if cell.state == CellState::Old { "~" } else { " " };
        let value = cell.value.map_or_else(|| "??".to_owned(), |value| format!("{value:02x}"));
        let role = match (&cell.owner, cell.state) {
            (CellOwner::Header | CellOwner::Link | CellOwner::Frame, _) => Role::Header,
            (_, CellState::Set) => Role::Plain,
            _ => Role::Dim,
        };
        line = line.put(Role::Dim, format!("{gap}{mark}")).put(role, value);
    }
    line = line.pad_to(63);
    for group in cells.chunk_by(|a, b| a.owner == b.owner) {
        line = match owner_sign(&group[0].owner) {
            Sign::Name(name) => line.name(run_of(name, group.len())),
            Sign::Char(sign, role, _) => line.put(role, sign.to_string().repeat(group.len())),
        };
    }
    line
}

enum Sign<'a> {
    Name(&'a Arc<str>),
    /// A character, its role, and what the legend says of it.
    Char(char, Role, &'static str),
}

fn owner_sign(owner: &CellOwner) -> Sign<'_> {
    match owner {
        CellOwner::Block(name) | CellOwner::Slot(name) => Sign::Name(name),
        CellOwner::Header => Sign::Char('[', Role::Header, "header"),
        CellOwner::Link => Sign::Char('>', Role::Header, "link"),
        CellOwner::Canary => Sign::Char('!', Role::Header, "canary"),
        CellOwner::Gap => Sign::Char('.', Role::Hole, "gap"),
        CellOwner::Books => Sign::Char('%', Role::Header, "books"),
        CellOwner::Held => Sign::Char(':', Role::Dim, "held"),
        CellOwner::Hole => Sign::Char('.', Role::Hole, "hole"),
        CellOwner::Slack => Sign::Char('+', Role::Dim, "slack"),
        CellOwner::Stranded => Sign::Char('-', Role::Dim, "dead"),
        CellOwner::Frame => Sign::Char('^', Role::Header, "frame"),
        CellOwner::Padding => Sign::Char('_', Role::Dim, "padding"),
        CellOwner::Unused => Sign::Char('.', Role::Hole, "unused"),
    }
}

/// What the signs in the rows mean, if there are any.
fn dump_legend(rows: &[DumpRow]) -> Option<Line> {
    let cells = || {
        rows.iter()
            .filter_map(
                |row| if let DumpRow::Bytes { cells, .. } = row { Some(cells) } else { None },
            )
            .flatten()
    };
    let mut parts: Vec<String> = Vec::new();
    let mut add = |part: String| {
        if !parts.contains(&part) {
            parts.push(part);
        }
    };
    for cell in cells() {
        if let Sign::Char(sign, _, text) = owner_sign(&cell.owner) {
            add(format!("{sign} {text}"));
        }
    }
    if cells().any(|cell| cell.state == CellState::Old) {
        add("~ old byte".to_owned());
    }
    if cells().any(|cell| cell.state == CellState::Never) {
        add("?? never written".to_owned());
    }
    (!parts.is_empty()).then(|| Line::detail(parts.join("   ")))
}

// Numbers.

fn stats_lines(stats: &Stats) -> Vec<Line> {
    let share = |part: u64| {
        let permille = (part * 1000 + stats.size_bytes / 2) / stats.size_bytes.max(1);
        format!("{}.{} %", permille / 10, permille % 10)
    };
    let between = if stats.whole_process {
        (
            "between",
            stats.free_bytes,
            format!(
                "{}  in {}: anybody's in this process",
                share(stats.free_bytes),
                count(stats.holes, "gap")
            ),
        )
    } else {
        (
            "free",
            stats.free_bytes,
            format!(
                "{}  in {}, the largest {}, fits {}",
                share(stats.free_bytes),
                count(stats.holes, "hole"),
                Count(stats.largest_hole_bytes),
                Count(stats.largest_fits_bytes)
            ),
        )
    };
    let mut rows = vec![
        (
            "payload",
            stats.payload_bytes,
            format!(
                "{}  in {}",
                share(stats.payload_bytes),
                count(stats.live_blocks, "live block")
            ),
        ),
        ("headers", stats.header_bytes, share(stats.header_bytes)),
        ("canaries", stats.canary_bytes, share(stats.canary_bytes)),
        ("slack", stats.slack_bytes, share(stats.slack_bytes)),
        ("dead", stats.stranded_bytes, share(stats.stranded_bytes)),
        ("held", stats.held_bytes, share(stats.held_bytes)),
        ("books", stats.books_bytes, share(stats.books_bytes)),
        ("padding", stats.padding_bytes, share(stats.padding_bytes)),
        between,
    ];
    // A row of zeros that this design never has says nothing.
    rows.retain(|(label, value, _)| *value > 0 || matches!(*label, "payload" | "free" | "between"));
    let mut lines = vec![
        Line::new()
            .put(Role::Heading, format!("HEAP   {}, {}", stats.heap, bytes(stats.size_bytes))),
    ];
    for (label, value, note) in rows {
        lines.push(
            Line::of(format!("  {label:<8}{:>13}  ", Count(value).to_string()))
                .put(Role::Dim, format!("{note:>7}")),
        );
    }
    let moved =
        if stats.moved > 0 { format!(" ({} moved)", Count(stats.moved)) } else { String::new() };
    lines.push(Line::detail(format!(
        "{}, {}, {}{moved}; payload peak {}",
        count(stats.allocs, "alloc"),
        count(stats.frees, "free"),
        count(stats.reallocs, "realloc"),
        bytes(stats.peak_payload_bytes)
    )));
    lines.push(Line::new().put(Role::Heading, "STACK  ").text(format!(
        "{} used, peak {}",
        bytes(stats.stack_used_bytes),
        Count(stats.stack_peak_bytes)
    )));
    lines
}

fn check_lines(heap: &str, rules: &[Rule], blocks: u64, holes: u64) -> Vec<Line> {
    let broken = rules.iter().filter(|rule| !rule.holds).count() as u64;
    let verdict = match broken {
        0 => format!("{heap} is sound: {}, {}.", count(blocks, "block"), count(holes, "hole")),
        broken => format!(
            "{heap} is damaged: {} broken. This is our bug, please report it.",
            count(broken, "invariant")
        ),
    };
    let mut lines = vec![Line::of(verdict)];
    for (index, rule) in rules.iter().enumerate() {
        let (role, word) =
            if rule.holds { (Role::Hole, "ok    ") } else { (Role::Error, "BROKEN") };
        lines.push(
            Line::of(format!("  {}  ", index + 1)).put(role, word).text(format!("  {}", rule.text)),
        );
    }
    lines
}

/// Leaks listed one by one; a loop may leave thousands.
const LEAKS_LISTED: usize = 8;

fn leak_lines(leaks: &[LeakRow]) -> Vec<Line> {
    let mut lines = Vec::new();
    if !leaks.is_empty() {
        let bytes_lost = leaks.iter().map(|leak| leak.size_bytes).sum();
        let lost = count(leaks.len() as u64, "block");
        lines.push(Line::of(format!(
            "{lost} leaked, {}: no variable leads there, so nothing will free it.",
            bytes(bytes_lost)
        )));
    }
    for leak in leaks.iter().take(LEAKS_LISTED) {
        let line = Line::of("  ").name(&*leak.handle).text("  ").address(leak.address);
        let size = bytes(leak.size_bytes);
        lines.push(
            line.text(format!("  {size} with {}, allocated by line {}", leak.holds, leak.line)),
        );
    }
    if leaks.len() > LEAKS_LISTED {
        lines.push(Line::detail(format!("… {} more", leaks.len() - LEAKS_LISTED)));
    }
    lines
}

// Help and history.

fn heaps_lines(groups: &[HeapGroup]) -> Vec<Line> {
    let names = groups.iter().flat_map(|group| &group.rows).map(|row| row.name.len());
    let width = names.max().unwrap_or(0);
    let mut lines = Vec::new();
    for group in groups {
        lines.push(Line::new().put(Role::Heading, group.title));
        for row in &group.rows {
            let line = star(row.in_use).name(format!("{:<width$}", row.name));
            lines.push(line.text(format!("  {}", row.summary)));
        }
    }
    lines.push(
        Line::new()
            .put(Role::Hint, "heaps tlsf")
            .text(" says how one works, and what may stand behind its name."),
    );
    lines
}

fn heap_help_lines(help: &HeapHelp, style: Style) -> Vec<Line> {
    let usage = format!("use {}", help.usage);
    let mut lines: Vec<_> = wrap(&usage, style.width)
        .into_iter()
        .map(|line| Line::new().put(Role::Heading, line))
        .collect();
    let in_use = if help.in_use { " It is in use." } else { "" };
    let mut summary = help.summary.to_owned();
    if let Some(first) = summary.get(..1) {
        let first = first.to_uppercase();
        summary.replace_range(..1, &first);
    }
    let text = format!("{summary}. {}{in_use}", help.details);
    lines
        .extend(wrap(&text, style.width - 2).into_iter().map(|line| Line::of(format!("  {line}"))));
    lines
}

fn help_lines(groups: &[HelpGroup]) -> Vec<Line> {
    let width =
        groups.iter().flat_map(|group| &group.rows).map(|row| row.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for group in groups {
        lines.push(Line::new().put(Role::Heading, group.title));
        for row in &group.rows {
            lines.push(
                Line::of("  ")
                    .name(format!("{:<width$}", row.name))
                    .text(format!("  {}", row.summary)),
            );
        }
    }
    lines.push(
        Line::of("")
            .put(Role::Hint, "help alloc")
            .text(" says what alloc takes. A line of Rust works, too: let x = 8;"),
    );
    lines
}

fn help_rust_lines(forms: &[&str], groups: &[RustGroup], style: Style) -> Vec<Line> {
    let mut lines = vec![Line::new().put(Role::Heading, "A line of Rust")];
    lines.extend(forms.iter().flat_map(|form| Line::of(format!("  {form}")).wrapped(style.width)));
    lines.push(Line::new().put(Role::Heading, "What can be called"));
    let width = groups.iter().map(|group| group.on.len()).max().unwrap_or(0);
    for group in groups {
        let room = style.width.saturating_sub(width + 4).max(20);
        for (index, names) in wrap(&group.names.join(" "), room).into_iter().enumerate() {
            let on = if index == 0 { group.on } else { "" };
            lines.push(Line::of("  ").name(format!("{on:<width$}")).text(format!("  {names}")));
        }
    }
    lines
}

fn layout_lines(layout: &TypeLayout) -> Vec<Line> {
    let TypeLayout { ty, size_bytes, align_bytes, rows, chosen_by_rustc, spare } = layout;
    let head = Line::new().put(Role::Heading, &**ty);
    let mut lines = vec![head.text(format!(": {}, align {align_bytes}.", bytes(*size_bytes)))];
    let offsets = rows.last().map_or(1, |row| Count(row.offset).to_string().len());
    let names = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(7);
    for row in rows {
        let at = format!("  {:>offsets$}  ", Count(row.offset).to_string());
        let size = format!("  {:>5}  ", Count(row.size_bytes).to_string());
        let line = Line::new().put(Role::Dim, at);
        lines.push(if row.name.is_empty() {
            line.put(Role::Dim, format!("{:<names$}{size}", row.what))
        } else {
            line.name(format!("{:<names$}", row.name)).text(format!("{size}{}", row.what))
        });
    }
    if *chosen_by_rustc {
        lines.push(Line::detail("The order is rustc's choice today; #[repr(C)] keeps yours."));
    }
    if let Some(Spare { offset, patterns }) = spare {
        let patterns = match patterns.parse::<u64>() {
            Ok(patterns) if patterns <= 1_000_000 => Count(patterns).to_string(),
            _ => "many".to_owned(),
        };
        let plural = if patterns == "1" { "pattern" } else { "patterns" };
        lines.push(Line::detail(format!(
            "Spare at {offset}: {patterns} bit {plural} that no value has, room for an Option's None."
        )));
    }
    lines
}

fn vars_lines(rows: &[VarRow], style: Style) -> Vec<Line> {
    if rows.is_empty() {
        return vec![Line::of("No variables. ").put(Role::Hint, "let x = 8;").text(" makes one.")];
    }
    let width = |text: &dyn Fn(&VarRow) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let (names, types) = (width(&|row| row.name.len()), width(&|row| row.ty.len()));
    let targets = width(&|row| arrows(&row.points).chars().count());
    let line = |row: &VarRow| {
        let mutable = if row.mutable { "mut " } else { "    " };
        let head =
            Line::of(mutable).name(format!("{:<names$}", row.name)).text("  ").address(row.address);
        let head = head.text(format!("  {:>4}  {:<types$}  ", Count(row.size_bytes), row.ty));
        let head = match targets {
            0 => head,
            _ => head.put(Role::Dim, format!("{:<targets$}  ", arrows(&row.points))),
        };
        let room = style.width.saturating_sub(head.width()).max(12);
        let value: String = match row.value.char_indices().nth(room) {
            Some((at, _)) => {
                let cut = row.value[..at].char_indices().next_back().map_or(0, |(at, _)| at);
                format!("{}…", &row.value[..cut])
            }
            None => row.value.clone(),
        };
        head.text(visible(&value, style.ascii))
    };
    rows.iter().map(line).collect()
}

fn help_command_lines(help: &HelpCommand, style: Style) -> Vec<Line> {
    let mut lines = vec![Line::new().put(Role::Heading, help.usage.as_str())];
    let aliases = match help.aliases {
        [] => String::new(),
        aliases => format!(" Also called {}.", aliases.join(", ")),
    };
    let mut summary: String = help.summary.to_owned();
    if let Some(first) = summary.get(..1) {
        let first = first.to_uppercase();
        summary.replace_range(..1, &first);
    }
    let text = format!("{summary}. {}{aliases}", help.details);
    lines
        .extend(wrap(&text, style.width - 2).into_iter().map(|line| Line::of(format!("  {line}"))));
    for (index, example) in help.examples.iter().enumerate() {
        let lead = if index == 0 { "  For example:  " } else { "                " };
        let line = Line::new().put(Role::Dim, lead).put(Role::Input, example.line);
        lines.push(match example.refused {
            Some(code) => line.put(Role::Dim, format!("   refused: {code}")),
            None => line,
        });
    }
    lines
}

fn history_lines(rows: &[HistoryRow], earlier: u64, undone: u64, style: Style) -> Vec<Line> {
    if rows.is_empty() {
        return vec![Line::of("No lines yet.")];
    }
    let width = rows.last().map_or(0, |row| Count(row.line).to_string().len());
    let mut lines = Vec::new();
    if earlier > 0 {
        lines.push(Line::detail(format!("… {} before these; \"history all\"", Count(earlier))));
    }
    for row in rows {
        let number = format!("  {:>width$}  ", Count(row.line).to_string());
        let input = visible(&row.input, style.ascii);
        let input: String =
            match input.char_indices().nth(style.width.saturating_sub(number.len() + 10)) {
                Some((at, _)) => format!("{}…", &input[..at]),
                None => input,
            };
        let line = Line::new().put(Role::Dim, number);
        lines.push(if row.undone {
            line.put(Role::Dim, input).put(Role::Dim, "  (undone)")
        } else {
            line.put(Role::Input, input)
        });
    }
    if undone > 0 {
        lines.push(Line::detail(format!(
            "{} undone; \"redo\" does the next again",
            count(undone, "line")
        )));
    }
    lines
}
