//! From the state to what is drawn of it. A map is a screenful however many blocks there are.

use std::ops::Range;
use std::sync::Arc;

use heap::{Offset, PieceKind};
use stack::{Byte, Item, ItemKind};

use crate::units::{Address, HEAP_BASE};
use crate::view::{
    BlockRow, Cell, CellOwner, CellState, Column, DumpRow, HeapMap, HoleRow, RegionItem, RegionRow,
    StackItem, StackMap, StackRow, Stats,
};
use crate::world::{LINK_BYTES, World, line_of};

/// Columns of the heap's bar.
const COLUMNS: u32 = 64;
/// Stretches of the heap, or of the stack, that a map draws before it leaves some out.
const MAP_ROWS: usize = 20;
/// Bytes in a row of a dump.
const DUMP_ROW: u32 = 16;
/// Rows of a dump, runs of equal ones counted once.
const DUMP_ROWS: usize = 64;
/// Bytes a dump looks at.
const DUMP_BYTES: u64 = 1 << 20;

/// A stretch of the arena, seen through allocator and ledger together.
#[derive(Clone, Copy, Debug)]
struct Region {
    at: Offset,
    size_bytes: u32,
    kind: RegionKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RegionKind {
    /// A header, if the design has one, and a payload.
    Block,
    Hole,
    Stranded,
}

impl Region {
    fn end(&self) -> Offset {
        self.at.plus(self.size_bytes)
    }
}

impl World {
    /// The arena from its start: the allocator's own pieces, and the ledger's blocks where a design keeps no track.
    fn regions(&self) -> Vec<Region> {
        let mut regions = Vec::with_capacity(self.ledger.live_count() as usize * 2 + 1);
        for piece in self.heap.pieces() {
            let kind = match piece.kind {
                PieceKind::Block => RegionKind::Block,
                PieceKind::Hole => RegionKind::Hole,
                PieceKind::Taken => {
                    self.taken(piece.at..piece.end(), &mut regions);
                    continue;
                }
            };
            regions.push(Region { at: piece.at, size_bytes: piece.size_bytes, kind });
        }
        regions
    }

    /// Live blocks of a range, and what lies between them.
    fn taken(&self, range: Range<Offset>, regions: &mut Vec<Region>) {
        let mut at = range.start;
        let stranded = |from: Offset, to: Offset| {
            let size_bytes = to.since(from);
            (size_bytes > 0).then_some(Region { at: from, size_bytes, kind: RegionKind::Stranded })
        };
        for (start, live) in self.ledger.live_in(range.start.0..range.end.0) {
            regions.extend(stranded(at, start));
            regions.push(Region {
                at: start,
                size_bytes: live.size_bytes,
                kind: RegionKind::Block,
            });
            at = start.plus(live.size_bytes);
        }
        regions.extend(stranded(at, range.end));
    }

    fn block_name(&self, region: &Region) -> (Arc<str>, u32) {
        let payload = region.at.plus(self.heap.info().header_bytes);
        let (id, _) =
            self.ledger.live_around(payload.0).expect("every block in use is in the ledger");
        let life = self.ledger.life(id);
        (Arc::clone(self.ledger.name(id)), life.size_bytes)
    }

    pub(crate) fn heap_map(&self) -> HeapMap {
        let len = self.heap.memory().len();
        let header_bytes = self.heap.info().header_bytes;
        let regions = self.regions();
        let (mut free_bytes, mut focus) = (0, 0);
        let mut columns = Columns::new(len);
        for (index, region) in regions.iter().enumerate() {
            if self.has_changed(region.at.into(), u64::from(region.size_bytes)) {
                focus = index;
            }
            if region.kind == RegionKind::Hole {
                free_bytes += region.size_bytes;
            }
            columns.add(region, header_bytes);
        }
        let mut rows = Vec::new();
        let mut next = 0;
        for shown in selection(regions.len(), focus) {
            rows.extend(left_out(&regions[next.min(shown.start)..shown.start]));
            for region in &regions[shown.start.max(next)..shown.end.max(next)] {
                self.region_rows(region, &mut rows);
            }
            next = next.max(shown.end);
        }
        rows.reverse();
        HeapMap {
            heap: self.heap.info().name,
            size_bytes: u64::from(len),
            used_bytes: u64::from(len - free_bytes),
            start: HEAP_BASE,
            end: HEAP_BASE.plus(u64::from(len)),
            rows,
            column_bytes: u64::from(columns.column_bytes),
            bar: columns.finish(self),
        }
    }

    /// The rows of one stretch, from the lowest address up.
    fn region_rows(&self, region: &Region, rows: &mut Vec<RegionRow>) {
        let mut row = |at: Offset, size_bytes: u32, span: u32, item| {
            rows.push(RegionRow {
                changed: self.has_changed(at.into(), u64::from(span)),
                address: at.into(),
                size_bytes: u64::from(size_bytes),
                region: item,
            });
        };
        match region.kind {
            RegionKind::Hole => {
                let fits_bytes = u64::from(self.heap.fits(region.size_bytes));
                row(
                    region.at,
                    region.size_bytes,
                    region.size_bytes,
                    RegionItem::Hole { fits_bytes },
                );
            }
            RegionKind::Stranded => {
                row(region.at, region.size_bytes, region.size_bytes, RegionItem::Stranded);
            }
            RegionKind::Block => {
                let header_bytes = self.heap.info().header_bytes;
                if header_bytes > 0 {
                    row(region.at, header_bytes, header_bytes, RegionItem::Header);
                }
                let (handle, size_bytes) = self.block_name(region);
                let granted_bytes = region.size_bytes - header_bytes;
                let slack_bytes = u64::from(granted_bytes - size_bytes);
                let item = RegionItem::Block { handle, slack_bytes };
                row(region.at.plus(header_bytes), size_bytes, granted_bytes, item);
            }
        }
    }

    pub(crate) fn stack_map(&self) -> StackMap {
        let stack = &self.stack;
        let items: Vec<&Item> = stack.items().collect();
        let frames: Vec<_> = stack.frames().collect();
        let focus = items
            .iter()
            .rposition(|item| self.has_changed(item.address.into(), u64::from(item.size_bytes)));
        let shown = selection(items.len(), focus.unwrap_or(items.len().saturating_sub(1)));
        let mut rows: Vec<StackRow> = Vec::new();
        let mut omitted: Option<(Address, u64, u64)> = None;
        for (index, item) in items.iter().enumerate() {
            if !shown.iter().any(|range| range.contains(&index)) {
                let (_, bytes, count) = omitted.unwrap_or((Address(0), 0, 0));
                let bytes = bytes + u64::from(item.size_bytes + item.padding_bytes);
                omitted = Some((item.address.into(), bytes, count + 1));
                continue;
            }
            if let Some((address, size_bytes, count)) = omitted.take() {
                rows.push(StackRow {
                    changed: false,
                    address,
                    size_bytes,
                    item: StackItem::Omitted { count },
                });
            }
            let mut row = |address: u32, size_bytes: u32, item| {
                let changed = self.has_changed(address.into(), u64::from(size_bytes));
                rows.push(StackRow {
                    changed,
                    address: address.into(),
                    size_bytes: u64::from(size_bytes),
                    item,
                });
            };
            if item.padding_bytes > 0 {
                row(item.end(), item.padding_bytes, StackItem::Padding);
            }
            let frame = frames.iter().rev().find(|(_, first)| *first <= index);
            let function = || frame.map_or_else(|| "main".into(), |(name, _)| Arc::clone(name));
            let what = match &item.kind {
                ItemKind::Slot { name, ty, .. } => StackItem::Slot {
                    name: Arc::clone(name),
                    ty: ty.as_ref().map(ToString::to_string),
                    literal: stack.value(item).map(|value| value.literal()),
                    touched: stack.first_set(item.address..item.end()).is_some(),
                },
                ItemKind::ReturnAddress(to) => {
                    StackItem::Return { function: function(), to: Address(*to), line: line_of(*to) }
                }
                ItemKind::FramePointer(to) => StackItem::FramePointer { to: (*to).into() },
                ItemKind::Locals => StackItem::Locals { function: function() },
            };
            row(item.address, item.size_bytes, what);
        }
        if let Some((address, size_bytes, count)) = omitted {
            rows.push(StackRow {
                changed: false,
                address,
                size_bytes,
                item: StackItem::Omitted { count },
            });
        }
        let unused = u64::from(stack.sp() - stack.end());
        StackMap {
            size_bytes: u64::from(stack.size_bytes()),
            used_bytes: u64::from(stack.used_bytes()),
            start: stack::START.into(),
            end: stack.end().into(),
            sp: stack.sp().into(),
            rows,
            unused_changed: self.has_changed(stack.end().into(), unused),
        }
    }

    pub(crate) fn block_rows(&self) -> Vec<BlockRow> {
        let row = |(at, live): (Offset, crate::ledger::Live)| {
            let life = self.ledger.life(live.id);
            BlockRow {
                changed: self.has_changed(at.into(), u64::from(life.granted_bytes)),
                handle: Arc::clone(self.ledger.name(live.id)),
                address: at.into(),
                size_bytes: u64::from(life.size_bytes),
                granted_bytes: u64::from(life.granted_bytes),
                align_bytes: u64::from(life.align_bytes),
                line: self.ledger.birth(live.id).line,
            }
        };
        self.ledger.live().map(row).collect()
    }

    /// The holes in the allocator's order.
    pub(crate) fn hole_rows(&self) -> Vec<HoleRow> {
        let row = |hole: heap::Piece| HoleRow {
            changed: self.has_changed(hole.at.into(), u64::from(hole.size_bytes)),
            address: hole.at.into(),
            size_bytes: u64::from(hole.size_bytes),
            fits_bytes: u64::from(self.heap.fits(hole.size_bytes)),
        };
        self.heap.holes().map(row).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let info = self.heap.info();
        let live_blocks = self.ledger.live_count();
        let rows = self.hole_rows();
        let (holes, free_bytes) =
            (rows.len() as u64, rows.iter().map(|hole| hole.size_bytes).sum());
        let largest =
            rows.iter().map(|hole| (hole.size_bytes, hole.fits_bytes)).max().unwrap_or((0, 0));
        let size_bytes = u64::from(self.heap.memory().len());
        let payload_bytes = self.ledger.payload_bytes();
        let header_bytes = live_blocks * u64::from(info.header_bytes);
        // What is neither free, nor asked for, nor header: rounding where blocks are tracked, else what is stranded.
        let rest = size_bytes - free_bytes - payload_bytes - header_bytes;
        let (slack_bytes, stranded_bytes) = if info.links_in_holes { (rest, 0) } else { (0, rest) };
        Stats {
            heap: info.name,
            size_bytes,
            live_blocks,
            payload_bytes,
            slack_bytes,
            header_bytes,
            stranded_bytes,
            free_bytes,
            holes,
            largest_hole_bytes: largest.0,
            largest_fits_bytes: largest.1,
            peak_payload_bytes: self.tally.peak_payload_bytes,
            allocs: self.tally.allocs,
            frees: self.tally.frees,
            reallocs: self.tally.reallocs,
            moved: self.tally.moved,
            stack_used_bytes: u64::from(self.stack.used_bytes()),
            stack_peak_bytes: u64::from(self.tally.stack_peak_bytes),
        }
    }

    /// The rows of a dump from `start` on, and the bytes that did not fit in it.
    pub(crate) fn dump_rows(&self, start: Address, len: u64) -> (Vec<DumpRow>, u64) {
        let looked = len.min(DUMP_BYTES);
        let cells = match self.heap_offset(start) {
            Some(at) => self.heap_cells(at, at + looked as u32),
            None => self.stack_cells(start.0 as u32, (start.0 + looked) as u32),
        };
        let mut rows: Vec<DumpRow> = Vec::new();
        let mut shown = 0u64;
        let mut last: Option<&[Cell]> = None;
        for chunk in cells.chunks(DUMP_ROW as usize) {
            if last == Some(chunk) {
                match rows.last_mut() {
                    Some(DumpRow::Same { rows }) => *rows += 1,
                    _ => rows.push(DumpRow::Same { rows: 1 }),
                }
            } else if rows.len() >= DUMP_ROWS {
                break;
            } else {
                rows.push(DumpRow::Bytes { address: start.plus(shown), cells: chunk.to_vec() });
            }
            last = Some(chunk);
            shown += chunk.len() as u64;
        }
        (rows, len - shown)
    }

    fn heap_cells(&self, from: u32, to: u32) -> Vec<Cell> {
        let info = self.heap.info();
        let mut cells = Vec::with_capacity((to - from) as usize);
        let inside = self
            .regions()
            .into_iter()
            .skip_while(|region| region.end().0 <= from)
            .take_while(|region| region.at.0 < to);
        for region in inside {
            let header = region.at.plus(info.header_bytes);
            let block = (region.kind == RegionKind::Block).then(|| self.block_name(&region));
            for at in region.at.0.max(from)..region.end().0.min(to) {
                let inner = at - region.at.0;
                let has_header = region.kind != RegionKind::Stranded && info.header_bytes > 0;
                let owner = match &block {
                    _ if has_header && at < header.0 => CellOwner::Header,
                    Some((name, size_bytes)) if at - header.0 < *size_bytes => {
                        CellOwner::Block(Arc::clone(name))
                    }
                    Some(_) => CellOwner::Slack,
                    None if region.kind == RegionKind::Stranded => CellOwner::Stranded,
                    None if info.links_in_holes && inner < info.header_bytes + LINK_BYTES => {
                        CellOwner::Link
                    }
                    None => CellOwner::Hole,
                };
                let state = match owner {
                    CellOwner::Header | CellOwner::Link => CellState::Set,
                    CellOwner::Block(_) if self.ledger.is_set(at) => CellState::Set,
                    _ if self.ledger.was_written(at) => CellState::Old,
                    _ => CellState::Never,
                };
                let value = (state != CellState::Never).then(|| self.heap.memory().byte(at));
                cells.push(Cell { value, state, owner });
            }
        }
        cells
    }

    fn stack_cells(&self, from: u32, to: u32) -> Vec<Cell> {
        (from..to)
            .map(|at| {
                let owner = match self.stack.item_at(at) {
                    None => CellOwner::Unused,
                    Some(item) if at >= item.end() => CellOwner::Padding,
                    Some(item) => match &item.kind {
                        ItemKind::Slot { name, .. } => CellOwner::Slot(Arc::clone(name)),
                        _ => CellOwner::Frame,
                    },
                };
                let (value, state) = match self.stack.byte(at) {
                    Byte::Never => (None, CellState::Never),
                    Byte::Old(byte) => (Some(byte), CellState::Old),
                    Byte::Set(byte) => (Some(byte), CellState::Set),
                };
                Cell { value, state, owner }
            })
            .collect()
    }
}

/// Which of `count` stretches to draw: all if they are few, else the first, the last, and those around the change.
fn selection(count: usize, focus: usize) -> Vec<Range<usize>> {
    if count <= MAP_ROWS {
        return std::iter::once(0..count).collect();
    }
    let edge = MAP_ROWS / 5;
    let around = focus.saturating_sub(edge)..(focus + edge + 1).min(count);
    vec![0..edge, around, count - edge..count]
}

/// One row for stretches between drawn ones, if there are any.
fn left_out(regions: &[Region]) -> Option<RegionRow> {
    let of = |kind| regions.iter().filter(|region| region.kind == kind).count() as u64;
    let (first, last) = (regions.first()?, regions.last()?);
    Some(RegionRow {
        changed: false,
        address: first.at.into(),
        size_bytes: u64::from(last.end().since(first.at)),
        region: RegionItem::Omitted {
            count: regions.len() as u64,
            blocks: of(RegionKind::Block),
            holes: of(RegionKind::Hole),
        },
    })
}

/// The bar: for each column, what most of its bytes are.
struct Columns {
    column_bytes: u32,
    tallies: Vec<ColumnTally>,
    /// The column the last stretch ended in, and where it ends itself.
    column: usize,
    column_end: u32,
}

/// What is in a column, in bytes.
#[derive(Clone, Default)]
struct ColumnTally {
    header: u32,
    hole: u32,
    stranded: u32,
    payload: u32,
    /// Whether the column starts with a header.
    header_first: bool,
    /// The bytes and the place of the block with the most payload here.
    largest: (u32, u32),
    /// Whether all of that block's payload is here.
    whole: bool,
}

impl ColumnTally {
    fn is_empty(&self) -> bool {
        self.header + self.hole + self.stranded + self.payload == 0
    }
}

impl Columns {
    fn new(len: u32) -> Self {
        let column_bytes = len.div_ceil(COLUMNS).max(1);
        let tallies = vec![ColumnTally::default(); len.div_ceil(column_bytes) as usize];
        Self { column_bytes, tallies, column: 0, column_end: column_bytes }
    }

    fn add(&mut self, region: &Region, header_bytes: u32) {
        match region.kind {
            RegionKind::Hole => {
                self.spread(region.at, region.end(), |tally, bytes| tally.hole += bytes);
            }
            RegionKind::Stranded => {
                self.spread(region.at, region.end(), |tally, bytes| tally.stranded += bytes);
            }
            RegionKind::Block => {
                let payload = region.at.plus(header_bytes);
                if header_bytes > 0 {
                    self.spread(region.at, payload, |tally, bytes| {
                        tally.header_first |= tally.is_empty();
                        tally.header += bytes;
                    });
                }
                let payload_bytes = region.end().since(payload);
                self.spread(payload, region.end(), |tally, bytes| {
                    tally.payload += bytes;
                    if bytes > tally.largest.0 {
                        tally.largest = (bytes, payload.0);
                        tally.whole = bytes == payload_bytes;
                    }
                });
            }
        }
    }

    /// Adds the bytes of `from..to` to the columns they lie in. Stretches come in the order of their addresses.
    #[inline]
    fn spread(&mut self, from: Offset, to: Offset, mut add: impl FnMut(&mut ColumnTally, u32)) {
        let mut at = from.0;
        while at < to.0 {
            while at >= self.column_end {
                self.column += 1;
                self.column_end += self.column_bytes;
            }
            let end = to.0.min(self.column_end);
            add(&mut self.tallies[self.column], end - at);
            at = end;
        }
    }

    fn finish(self, world: &World) -> Vec<Column> {
        let name = |payload: u32| {
            let (id, _) = world.ledger.live_around(payload).expect("a column's block is live");
            Arc::clone(world.ledger.name(id))
        };
        let header_bytes = world.heap.info().header_bytes;
        let column = |tally: ColumnTally| {
            let (used, unused) = (tally.payload + tally.header, tally.hole + tally.stranded);
            if unused >= used {
                return if tally.stranded > tally.hole { Column::Stranded } else { Column::Hole };
            }
            let (largest_bytes, largest) = tally.largest;
            let one_header = tally.header <= header_bytes;
            if one_header
                && (tally.header > tally.payload
                    || (tally.header == tally.payload && tally.header_first && !tally.whole))
            {
                Column::Header
            } else if largest_bytes * 2 >= used {
                Column::Block(name(largest))
            } else {
                Column::Blocks
            }
        };
        self.tallies.into_iter().map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_is_drawn_whole_and_a_long_one_by_its_ends_and_its_change() {
        assert_eq!(selection(20, 3), vec![0..20; 1]);
        assert_eq!(selection(100_000, 500), [0..4, 496..505, 99_996..100_000]);
        assert_eq!(selection(21, 0), [0..4, 0..5, 17..21]);
    }
}
