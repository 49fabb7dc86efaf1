//! How the allocator keeps its holes, with addresses and names: what `holes` shows below them.

use std::sync::Arc;

use heap::{Node, NodeKind, Offset, Order, Structure, Wrapper};

use crate::arena::{Arena, ArenaId};
use crate::view::{
    BitmapRow, ClassRow, CountsRow, HeldRow, ListRow, MarkRow, NodeRow, SlotsRow, StructureRow,
    WhyHole,
};
use crate::world::{Named, World};

/// Nodes of a tree, holes of a list, free slots of a size that are named; the rest is counted.
const MOST: usize = 64;
const MOST_IN_A_LIST: usize = 8;

impl World {
    /// The structure of an arena's heap.
    pub(crate) fn structure(&self, arena: &Arena) -> StructureRow {
        self.structure_row(arena, arena.heap.structure(), 0)
    }

    /// `structure`, of a part of the arena that starts `by` bytes into it.
    fn structure_row(&self, arena: &Arena, structure: Structure, by: u32) -> StructureRow {
        let address = |at: Offset| arena.address(at.plus(by));
        match structure {
            Structure::Holes => StructureRow::Holes {},
            Structure::Outside { whole_process } => StructureRow::Outside { whole_process },
            Structure::Top { at, down } => {
                StructureRow::Top { at: address(at), down, marks: self.marks(arena) }
            }
            Structure::List { order, rover } => StructureRow::List {
                order: match order {
                    Order::Address => "address",
                    Order::Lifo => "lifo",
                    Order::Size => "size",
                },
                rover: rover.map(address),
            },
            Structure::Lists { first, second, lists } => StructureRow::Lists {
                first_level: first,
                second_levels: second
                    .into_iter()
                    .map(|(first, bits)| BitmapRow { first, bits })
                    .collect(),
                lists: lists.into_iter().map(|list| list_row(arena, &list, by)).collect(),
            },
            Structure::Tree(nodes) => StructureRow::Tree {
                nodes: nodes.into_iter().take(MOST).map(|node| node_row(arena, node, by)).collect(),
            },
            Structure::Slabs { slots, under } => StructureRow::Slabs {
                slots: Box::new(self.structure_row(arena, Structure::Slots(slots), by)),
                large: Box::new(self.structure_row(arena, *under, by)),
            },
            Structure::Slots(rows) => StructureRow::Slots {
                rows: rows
                    .into_iter()
                    .map(|slots| SlotsRow {
                        slot_bytes: u64::from(slots.slot_bytes),
                        cut: u64::from(slots.cut),
                        free: slots.free.len() as u64,
                        list: slots.free.into_iter().take(MOST_IN_A_LIST).map(address).collect(),
                    })
                    .collect(),
            },
            Structure::Stack(tops) => StructureRow::Stack {
                tops: tops.into_iter().take(MOST_IN_A_LIST).map(address).collect(),
                marks: self.marks(arena),
            },
            Structure::Around { wrapper, inner } => {
                let inner = Box::new(self.structure_row(arena, *inner, by));
                wrapper_row(arena, wrapper, by, inner)
            }
            Structure::Pair { border, most_bytes, first, second } => StructureRow::Pair {
                border: address(border),
                most_bytes: most_bytes.map(u64::from),
                first: Box::new(self.structure_row(arena, *first, by)),
                second: Box::new(self.structure_row(arena, *second, by + border.0)),
            },
        }
    }

    /// The marks that can be gone back to, the newest last.
    fn marks(&self, arena: &Arena) -> Vec<MarkRow> {
        if arena.id != ArenaId::IN_USE {
            return Vec::new();
        }
        let marks = self.names.iter().filter(|(_, named)| self.is_live(named));
        let mark = |(name, named): (&Arc<str>, &Named)| match named {
            Named::Mark { at, .. } => {
                Some(MarkRow { name: Arc::clone(name), address: arena.address(*at) })
            }
            _ => None,
        };
        marks.filter_map(mark).take(MOST_IN_A_LIST).collect()
    }
}

fn wrapper_row(arena: &Arena, wrapper: Wrapper, by: u32, inner: Box<StructureRow>) -> StructureRow {
    match wrapper {
        Wrapper::Counting(counts) => {
            let heap::Counts { allocs, frees, reallocs, refusals, live_bytes, peak_bytes } = counts;
            let counts = CountsRow { allocs, frees, reallocs, refusals, live_bytes, peak_bytes };
            StructureRow::Counting { counts, inner }
        }
        Wrapper::Guard { canary_bytes, poison, held, most } => StructureRow::Guard {
            canary_bytes: u64::from(canary_bytes),
            poison,
            held: held
                .into_iter()
                .map(|piece| HeldRow {
                    handle: arena.ledger.dead_at(piece.at.0 + by).cloned(),
                    address: arena.address(piece.at.plus(by)),
                    size_bytes: u64::from(piece.size_bytes),
                })
                .collect(),
            most: u64::from(most),
            inner,
        },
        Wrapper::Locked { taken } => StructureRow::Locked { taken, inner },
    }
}

fn node_row(arena: &Arena, node: Node, by: u32) -> NodeRow {
    let at = node.at.plus(by);
    let (state, handle) = match node.kind {
        NodeKind::Split => ("split", None),
        NodeKind::Hole => ("hole", None),
        NodeKind::Block => {
            let owner = arena.ledger.live_around(at.0);
            ("block", owner.map(|(id, _)| Arc::clone(arena.ledger.name(id))))
        }
    };
    let (address, size_bytes) = (arena.address(at), u64::from(node.size_bytes));
    NodeRow { address, size_bytes, depth: node.depth, state, handle }
}

fn list_row(arena: &Arena, list: &heap::List, by: u32) -> ListRow {
    let holes = list.holes.iter().take(MOST_IN_A_LIST).map(|hole| WhyHole {
        address: arena.address(hole.at.plus(by)),
        size_bytes: u64::from(hole.size_bytes),
    });
    ListRow {
        class: ClassRow::from(list.class),
        holes: holes.collect(),
        total: list.holes.len() as u64,
    }
}
