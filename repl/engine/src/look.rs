//! From the state to what is drawn of it. A map is a screenful however many blocks there are.

use std::alloc::Layout;
use std::ops::Range;
use std::sync::Arc;

use heap::{Edges, Offset, Piece, PieceKind};
use stack::{Byte, Item, ItemKind};

use crate::arena::Arena;
use crate::ledger::{BlockId, Live};
use crate::rust::Pointers;
use crate::units::Address;
use crate::view::{
    BlockRow, Cell, CellOwner, CellState, Column, DumpRow, Fitting, Frag, HeapMap, HoleRow,
    RegionItem, RegionRow, StackItem, StackMap, StackRow, Stats,
};
use crate::world::{World, line_of};

/// Columns of the heap's bar.
const COLUMNS: u32 = 64;
/// Stretches of the heap, or of the stack, that a map draws before it leaves some out.
const MAP_ROWS: usize = 20;
/// Blocks of one size that `frag` allocates on a copy, at most.
const MOST_TRIED: u64 = 10_000;
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

#[derive(Clone, Copy, Debug)]
enum RegionKind {
    /// What is in front, the payload at `payload`, its slack, what is behind.
    Block {
        payload: Offset,
    },
    Hole,
    Stranded,
    Books,
    Padding,
    Held,
    Gap,
}

impl Region {
    fn end(&self) -> Offset {
        self.at.plus(self.size_bytes)
    }

    fn is_block(&self) -> bool {
        matches!(self.kind, RegionKind::Block { .. })
    }

    fn is_hole(&self) -> bool {
        matches!(self.kind, RegionKind::Hole)
    }

    fn block(payload: Offset, live: Live) -> Self {
        let at = live.start(payload);
        let size_bytes = live.end(payload).since(at);
        Self { at, size_bytes, kind: RegionKind::Block { payload } }
    }
}

impl Arena {
    /// The arena from its start: the allocator's own pieces, and the ledger's blocks in those that are in use.
    fn regions(&self) -> Vec<Region> {
        let mut regions = Vec::with_capacity(self.ledger.live_count() as usize * 2 + 1);
        let mut live = self.ledger.live().peekable();
        let header_of_all = self.heap.header_of_all();
        for piece in self.heap.pieces() {
            let Piece { at, size_bytes, kind } = piece;
            let kind = match kind {
                // The ledger need not be asked for each of 100,000 blocks.
                PieceKind::Block if let Some(header) = header_of_all => {
                    RegionKind::Block { payload: at.plus(header) }
                }
                PieceKind::Hole => RegionKind::Hole,
                PieceKind::Books => RegionKind::Books,
                PieceKind::Padding => RegionKind::Padding,
                PieceKind::Held => RegionKind::Held,
                PieceKind::Gap => RegionKind::Gap,
                PieceKind::Block | PieceKind::Taken => {
                    let mut next = at;
                    let stranded = |from: Offset, to: Offset, regions: &mut Vec<Region>| {
                        let size_bytes = to.since(from);
                        let region = Region { at: from, size_bytes, kind: RegionKind::Stranded };
                        regions.extend((size_bytes > 0).then_some(region));
                    };
                    while let Some((payload, live)) = live.next_if(|(at, _)| *at < piece.end()) {
                        let block = Region::block(payload, live);
                        stranded(next, block.at, &mut regions);
                        next = block.end();
                        regions.push(block);
                    }
                    stranded(next, piece.end(), &mut regions);
                    continue;
                }
            };
            regions.push(Region { at, size_bytes, kind });
        }
        regions
    }

    /// The live block whose payload starts there.
    fn block_with(&self, payload: Offset) -> BlockId {
        let block = self.ledger.live_around(payload.0);
        block.expect("a block in use is in the ledger").0
    }

    /// How many whole rows from `from` on look like the one in front of it, in a stretch that nobody has written to.
    fn blank_rows(&self, regions: &[Region], from: u32, to: u32) -> u64 {
        let index = regions.partition_point(|region| region.end().0 <= from);
        let Some(region) = regions.get(index) else { return 0 };
        let apart = region.at.0 + DUMP_ROW > from;
        if region.is_block() || matches!(region.kind, RegionKind::Books) || apart {
            return 0;
        }
        let before = self.ledger.first_written(from - DUMP_ROW..from);
        let end = self.ledger.first_written(from..region.end().0.min(to));
        let end = end.unwrap_or(region.end().0.min(to));
        if before.is_some() { 0 } else { u64::from((end - from) / DUMP_ROW) }
    }

    fn heap_cells(&self, regions: &[Region], from: u32, to: u32) -> Vec<Cell> {
        let mut bytes = vec![0; (to - from) as usize];
        self.heap.read(Offset(from), &mut bytes);
        let header_bytes = self.header_bytes();
        let mut cells = Vec::with_capacity(bytes.len());
        let first = regions.partition_point(|region| region.end().0 <= from);
        let inside = regions[first..].iter().take_while(|region| region.at.0 < to);
        for region in inside {
            let block = match region.kind {
                RegionKind::Block { payload } => {
                    let id = self.block_with(payload);
                    Some((self.ledger.life(id), self.ledger.name(id)))
                }
                _ => None,
            };
            let own = if region.is_hole() {
                self.heap.hole_edges(Piece::hole(region.at, region.size_bytes))
            } else {
                Edges::NONE
            };
            for at in region.at.0.max(from)..region.end().0.min(to) {
                let (inner, left) = (at - region.at.0, region.end().0 - at);
                let owner = match region.kind {
                    RegionKind::Block { payload } => {
                        let (life, name) = block.expect("a block has a life");
                        let edges = life.edges();
                        let granted = payload.0..payload.0 + life.granted_bytes;
                        if inner < edges.front_bytes - edges.canary_bytes {
                            CellOwner::Header
                        } else if !granted.contains(&at) {
                            CellOwner::Canary
                        } else if at - payload.0 < life.size_bytes {
                            CellOwner::Block(Arc::clone(name))
                        } else {
                            CellOwner::Slack
                        }
                    }
                    RegionKind::Stranded => CellOwner::Stranded,
                    RegionKind::Books => CellOwner::Books,
                    RegionKind::Padding => CellOwner::Padding,
                    RegionKind::Held => CellOwner::Held,
                    RegionKind::Gap => CellOwner::Gap,
                    RegionKind::Hole if inner < header_bytes.min(own.front_bytes) => {
                        CellOwner::Header
                    }
                    RegionKind::Hole if inner < own.front_bytes || left <= own.rear_bytes => {
                        CellOwner::Link
                    }
                    RegionKind::Hole => CellOwner::Hole,
                };
                let state = match owner {
                    CellOwner::Header | CellOwner::Link | CellOwner::Canary | CellOwner::Books => {
                        CellState::Set
                    }
                    CellOwner::Block(_) if self.ledger.is_set(at) => CellState::Set,
                    _ if self.ledger.was_written(at) => CellState::Old,
                    _ => CellState::Never,
                };
                let value = (state != CellState::Never).then(|| bytes[(at - from) as usize]);
                cells.push(Cell { value, state, owner });
            }
        }
        cells
    }
}

impl World {
    pub(crate) fn heap_map(&self, arena: &Arena) -> HeapMap {
        let len = arena.heap.len();
        let regions = arena.regions();
        let (mut free_bytes, mut focus) = (0, 0);
        let mut columns = Columns::new(len);
        let whole_process = arena.spec.is_measured();
        for (index, region) in regions.iter().enumerate() {
            if self.has_changed(arena.address(region.at), u64::from(region.size_bytes)) {
                focus = index;
            }
            if matches!(region.kind, RegionKind::Hole | RegionKind::Gap) {
                free_bytes += region.size_bytes;
            }
            // A gap that is anybody's is no reason to leave a block out of the bar.
            if !(whole_process && matches!(region.kind, RegionKind::Gap)) {
                columns.add(region);
            }
        }
        let pointers = self.pointers();
        let mut rows = Vec::new();
        let mut next = 0;
        for shown in selection(regions.len(), focus) {
            rows.extend(left_out(arena, &regions[next.min(shown.start)..shown.start]));
            for region in &regions[shown.start.max(next)..shown.end.max(next)] {
                self.region_rows(arena, region, &pointers, &mut rows);
            }
            next = next.max(shown.end);
        }
        rows.reverse();
        HeapMap {
            heap: Arc::clone(&arena.name),
            size_bytes: u64::from(len),
            used_bytes: u64::from(len - free_bytes),
            start: arena.id.base(),
            end: arena.end(),
            rows,
            column_bytes: u64::from(columns.column_bytes),
            blocks_first: columns.tallies.iter().any(ColumnTally::is_block_before_majority),
            bar: columns.finish(arena),
        }
    }

    /// The rows of one stretch, from the lowest address up.
    fn region_rows(
        &self,
        arena: &Arena,
        region: &Region,
        pointers: &Pointers,
        rows: &mut Vec<RegionRow>,
    ) {
        let mut row = |at: Offset, size_bytes: u32, span: u32, item| {
            rows.push(RegionRow {
                changed: self.has_changed(arena.address(at), u64::from(span)),
                address: arena.address(at),
                size_bytes: u64::from(size_bytes),
                region: item,
            });
        };
        match region.kind {
            RegionKind::Hole => {
                let hole = Piece::hole(region.at, region.size_bytes);
                let fits_bytes = u64::from(arena.heap.fits(hole));
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
            RegionKind::Books => {
                row(region.at, region.size_bytes, region.size_bytes, RegionItem::Books);
            }
            RegionKind::Padding => {
                row(region.at, region.size_bytes, region.size_bytes, RegionItem::Padding);
            }
            RegionKind::Held => {
                row(region.at, region.size_bytes, region.size_bytes, RegionItem::Held);
            }
            RegionKind::Gap => {
                let whole_process = arena.spec.is_measured();
                row(
                    region.at,
                    region.size_bytes,
                    region.size_bytes,
                    RegionItem::Gap { whole_process },
                );
            }
            RegionKind::Block { payload } => {
                let id = arena.block_with(payload);
                let life = arena.ledger.life(id);
                let Edges { front_bytes, canary_bytes: canary, rear_bytes: rear } = life.edges();
                let header = front_bytes - canary;
                if header > 0 {
                    row(region.at, header, header, RegionItem::Header);
                }
                if canary > 0 {
                    row(region.at.plus(header), canary, canary, RegionItem::Canary);
                }
                let slack_bytes = u64::from(life.granted_bytes - life.size_bytes);
                let handle = Arc::clone(arena.ledger.name(id));
                let points = pointers.within(arena.address(payload), life.size_bytes.into());
                let item = RegionItem::Block { handle, slack_bytes, points };
                row(payload, life.size_bytes, life.granted_bytes, item);
                if rear > 0 {
                    row(payload.plus(life.granted_bytes), rear, rear, RegionItem::Canary);
                }
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
        let (variables, pointers) = (self.variables(), self.pointers());
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
                    literal: stack.value(item).map(|value| value.literal()).or_else(|| {
                        let at = Address::from(item.address);
                        let variable = variables.iter().rfind(|row| row.address == at);
                        variable.map(|row| format!("{}: {}", row.ty, row.value))
                    }),
                    touched: stack.first_set(item.address..item.end()).is_some(),
                    points: pointers.within(item.address.into(), item.size_bytes.into()),
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

    pub(crate) fn block_rows(&self, arena: &Arena) -> Vec<BlockRow> {
        let row = |(at, live): (Offset, Live)| {
            let life = arena.ledger.life(live.id);
            BlockRow {
                changed: self.has_changed(arena.address(at), u64::from(life.granted_bytes)),
                handle: Arc::clone(arena.ledger.name(live.id)),
                address: arena.address(at),
                size_bytes: u64::from(life.size_bytes),
                granted_bytes: u64::from(life.granted_bytes),
                align_bytes: u64::from(life.align_bytes),
                line: arena.ledger.birth(live.id).line,
            }
        };
        arena.ledger.live().map(row).collect()
    }

    /// The holes in the allocator's order.
    pub(crate) fn hole_rows(&self, arena: &Arena) -> Vec<HoleRow> {
        let row = |hole: heap::Piece| HoleRow {
            changed: self.has_changed(arena.address(hole.at), u64::from(hole.size_bytes)),
            address: arena.address(hole.at),
            size_bytes: u64::from(hole.size_bytes),
            fits_bytes: u64::from(arena.heap.fits(hole)),
        };
        arena.heap.holes().map(row).collect()
    }

    pub(crate) fn stats(&self, arena: &Arena) -> Stats {
        let mut stats = Stats {
            heap: Arc::clone(&arena.name),
            size_bytes: u64::from(arena.heap.len()),
            live_blocks: arena.ledger.live_count(),
            payload_bytes: arena.ledger.payload_bytes(),
            slack_bytes: 0,
            header_bytes: 0,
            canary_bytes: 0,
            stranded_bytes: 0,
            books_bytes: 0,
            padding_bytes: 0,
            held_bytes: 0,
            free_bytes: 0,
            holes: 0,
            largest_hole_bytes: 0,
            largest_fits_bytes: 0,
            peak_payload_bytes: arena.tally.peak_payload_bytes,
            allocs: arena.tally.allocs,
            frees: arena.tally.frees,
            reallocs: arena.tally.reallocs,
            moved: arena.tally.moved,
            stack_used_bytes: u64::from(self.stack.used_bytes()),
            stack_peak_bytes: u64::from(self.stack_peak_bytes),
            whole_process: arena.spec.is_measured(),
        };
        for region in arena.regions() {
            let size_bytes = u64::from(region.size_bytes);
            match region.kind {
                RegionKind::Block { payload } => {
                    let life = arena.ledger.life(arena.block_with(payload));
                    let Edges { front_bytes, canary_bytes, rear_bytes } = life.edges();
                    stats.header_bytes += u64::from(front_bytes - canary_bytes);
                    stats.canary_bytes += u64::from(canary_bytes + rear_bytes);
                    stats.slack_bytes += u64::from(life.granted_bytes - life.size_bytes);
                }
                RegionKind::Stranded => stats.stranded_bytes += size_bytes,
                RegionKind::Books => stats.books_bytes += size_bytes,
                RegionKind::Padding => stats.padding_bytes += size_bytes,
                RegionKind::Held => stats.held_bytes += size_bytes,
                RegionKind::Hole | RegionKind::Gap => {
                    let hole = Piece::hole(region.at, region.size_bytes);
                    let fits_bytes = u64::from(arena.heap.fits(hole));
                    stats.free_bytes += size_bytes;
                    stats.holes += 1;
                    stats.largest_hole_bytes = stats.largest_hole_bytes.max(size_bytes);
                    stats.largest_fits_bytes = stats.largest_fits_bytes.max(fits_bytes);
                }
            }
        }
        stats
    }

    pub(crate) fn frag(&self, arena: &Arena) -> Frag {
        let stats = self.stats(arena);
        let left_bytes = arena
            .heap
            .budget(u64::MAX)
            .map(|budget| u64::from(budget.limit_bytes) - u64::from(budget.live_bytes));
        // Tried on a copy: how many really fit depends on headers, alignment and whose holes they are.
        let fitting = |size_bytes: u64| {
            let layout = Layout::from_size_align(size_bytes as usize, 8).expect("a size that fits");
            let block = arena.heap.need(layout).block_bytes();
            let mut copy = arena.heap.clone();
            let most = stats.free_bytes / size_bytes;
            let blocks =
                (0..most).take_while(|_| copy.allocate(layout, &mut ()).is_ok()).count() as u64;
            Fitting { size_bytes, blocks, in_one_piece: stats.free_bytes / block }
        };
        // Four to a step, from the first size of which not too many fit to the last that the free bytes would hold.
        let sizes = std::iter::successors(Some(16u64), |size| Some(size * 4));
        let sizes = sizes
            .skip_while(|size| stats.free_bytes / size > MOST_TRIED)
            .take_while(|size| *size <= stats.free_bytes && left_bytes.is_none());
        let fits = sizes.map(fitting).collect();
        Frag {
            heap: stats.heap,
            size_bytes: stats.size_bytes,
            internal_bytes: stats.header_bytes + stats.canary_bytes + stats.slack_bytes,
            block_bytes: stats.header_bytes
                + stats.canary_bytes
                + stats.slack_bytes
                + stats.payload_bytes,
            payload_bytes: stats.payload_bytes,
            free_bytes: stats.free_bytes,
            holes: stats.holes,
            largest_hole_bytes: stats.largest_hole_bytes,
            largest_fits_bytes: stats.largest_fits_bytes,
            fits,
            other_bytes: stats.stranded_bytes
                + stats.held_bytes
                + stats.books_bytes
                + stats.padding_bytes,
            left_bytes,
        }
    }

    /// The rows of a dump from `start` on, and the bytes that did not fit in it.
    pub(crate) fn dump_rows(&self, start: Address, len: u64) -> (Vec<DumpRow>, u64) {
        let looked = len.min(DUMP_BYTES);
        let on_heap = self.arenas.at(start);
        let regions = on_heap.map_or_else(Vec::new, |(arena, _)| arena.regions());
        let mut rows: Vec<DumpRow> = Vec::new();
        let mut shown = 0u64;
        let mut last = Vec::new();
        while shown < looked {
            let row_bytes = u64::from(DUMP_ROW).min(looked - shown) as u32;
            let at = on_heap.map_or(start.0 as u32, |(_, at)| at) + shown as u32;
            let cells = match on_heap {
                Some((arena, _)) => arena.heap_cells(&regions, at, at + row_bytes),
                None => self.stack_cells(at, at + row_bytes),
            };
            if last == cells {
                let left = (looked - shown) as u32;
                let ahead = on_heap
                    .map_or(0, |(arena, _)| arena.blank_rows(&regions, at + row_bytes, at + left));
                match rows.last_mut() {
                    Some(DumpRow::Same { rows }) => *rows += 1 + ahead,
                    _ => rows.push(DumpRow::Same { rows: 1 + ahead }),
                }
                shown += ahead * u64::from(DUMP_ROW);
            } else if rows.len() >= DUMP_ROWS {
                break;
            } else {
                rows.push(DumpRow::Bytes { address: start.plus(shown), cells: cells.clone() });
            }
            last = cells;
            shown += u64::from(row_bytes);
        }
        (rows, len - shown)
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
fn left_out(arena: &Arena, regions: &[Region]) -> Option<RegionRow> {
    let of = |is: fn(&Region) -> bool| regions.iter().filter(|region| is(region)).count() as u64;
    let (first, last) = (regions.first()?, regions.last()?);
    Some(RegionRow {
        changed: false,
        address: arena.address(first.at),
        size_bytes: u64::from(last.end().since(first.at)),
        region: RegionItem::Omitted {
            count: regions.len() as u64,
            blocks: of(Region::is_block),
            holes: of(Region::is_hole),
        },
    })
}

/// The bar: for each column its live block, or else what most of its bytes are.
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
    /// How many headers there are.
    headers: u32,
    hole: u32,
    stranded: u32,
    held: u32,
    padding: u32,
    payload: u32,
    /// How many blocks have payload here.
    blocks: u32,
    /// Whether the column starts with a header.
    header_first: bool,
    /// The bytes and the place of the block with the most payload here.
    largest: (u32, u32),
    /// Whether all of that block's payload is here.
    whole: bool,
}

impl ColumnTally {
    fn is_empty(&self) -> bool {
        self.header + self.payload + self.unused() == 0
    }

    /// Bytes that are no block's.
    fn unused(&self) -> u32 {
        self.hole + self.stranded + self.held + self.padding
    }

    /// Whether it shows a block though less of it is in blocks than not.
    fn is_block_before_majority(&self) -> bool {
        self.payload > 0 && self.unused() >= self.payload + self.header
    }

    /// What most of the bytes are of a column without a payload. Of equals a hole comes first, and a header last.
    fn majority(&self) -> Column {
        let kinds = [
            (self.header, Column::Header),
            (self.stranded, Column::Stranded),
            (self.padding, Column::Padding),
            (self.held, Column::Held),
            (self.hole, Column::Hole),
        ];
        let (_, column) =
            kinds.into_iter().max_by_key(|(bytes, _)| *bytes).expect("there are five");
        column
    }
}

impl Columns {
    fn new(len: u32) -> Self {
        let column_bytes = len.div_ceil(COLUMNS).max(1);
        let tallies = vec![ColumnTally::default(); len.div_ceil(column_bytes) as usize];
        Self { column_bytes, tallies, column: 0, column_end: column_bytes }
    }

    fn add(&mut self, region: &Region) {
        match region.kind {
            RegionKind::Hole | RegionKind::Gap => {
                self.spread(region.at, region.end(), |tally, bytes| tally.hole += bytes);
            }
            RegionKind::Stranded => {
                self.spread(region.at, region.end(), |tally, bytes| tally.stranded += bytes);
            }
            RegionKind::Held => {
                self.spread(region.at, region.end(), |tally, bytes| tally.held += bytes);
            }
            RegionKind::Padding => {
                self.spread(region.at, region.end(), |tally, bytes| tally.padding += bytes);
            }
            RegionKind::Books => self.header(region.at, region.end()),
            RegionKind::Block { payload } => {
                self.header(region.at, payload);
                let payload_bytes = region.end().since(payload);
                self.spread(payload, region.end(), |tally, bytes| {
                    tally.payload += bytes;
                    tally.blocks += 1;
                    if bytes > tally.largest.0 {
                        tally.largest = (bytes, payload.0);
                        tally.whole = bytes == payload_bytes;
                    }
                });
            }
        }
    }

    fn header(&mut self, from: Offset, to: Offset) {
        self.spread(from, to, |tally, bytes| {
            tally.header_first |= tally.is_empty();
            tally.header += bytes;
            tally.headers += 1;
        });
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

    fn finish(self, arena: &Arena) -> Vec<Column> {
        let name = |payload: u32| {
            let (id, _) = arena.ledger.live_around(payload).expect("a column's block is live");
            Arc::clone(arena.ledger.name(id))
        };
        let column = |tally: ColumnTally| {
            // A header alone at the front; its block goes on in the next column, which shows it.
            let header = tally.headers == 1
                && tally.header_first
                && tally.header >= tally.payload
                && !tally.whole;
            let (largest_bytes, largest) = tally.largest;
            if tally.payload == 0 {
                tally.majority()
            } else if header {
                Column::Header
            } else if tally.blocks == 1 || largest_bytes * 2 >= tally.payload + tally.header {
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
