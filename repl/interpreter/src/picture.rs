//! A type as `layout` draws it: each byte has a row, padding too.

use crate::items::Items;
use crate::layout::{
    Choice, Layout, LayoutId, Layouts, Part, Shape, Tag, TooLarge, WORD_BYTES, deque, vec, vtable,
};
use crate::types::{TraitId, Type};

/// A type's bytes, from the lowest offset up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The type.
    pub ty: String,
    /// Its bytes.
    pub size: u64,
    /// Its alignment.
    pub align: u64,
    /// What lies where.
    pub rows: Vec<Row>,
    /// Whether rustc chose the order of its fields.
    pub is_ordered: bool,
    /// Bit patterns that no value has: a wrapping `Option` needs no byte of its own.
    pub spare: Option<Spare>,
}

/// A stretch of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// What it is called; padding has no name.
    pub name: String,
    /// Its type, or what it says.
    pub what: String,
}

/// Where patterns are unused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spare {
    /// Bytes before it.
    pub offset: u64,
    /// How many patterns.
    pub patterns: u128,
}

/// The picture of a type.
///
/// # Errors
///
/// [`TooLarge`] for a type that rustc refuses for its size.
pub fn picture(ty: &Type, items: &Items) -> Result<Picture, TooLarge> {
    if let Type::Dyn(of, _) = ty {
        return Ok(vtable(*of, ty, items));
    }
    let mut layouts = Layouts::default();
    let id = layouts.of(ty, &items.structs)?;
    let layout = &layouts[id];
    let mut rows = rows(&layouts, id, ty, items);
    rows.sort_by_key(|row| (row.offset, row.size));
    let is_ordered = rows.len() > 1
        && match ty {
            Type::Struct(of, _) => !items.structs.get(*of).is_repr_c,
            Type::Tuple(_) => true,
            _ => false,
        };
    Ok(Picture {
        ty: ty.to_string(),
        size: layout.size,
        align: layout.align,
        rows: padded(rows, layout.size),
        is_ordered,
        spare: layout
            .niche
            .filter(|niche| niche.available() > 0)
            .map(|niche| Spare { offset: niche.offset, patterns: niche.available() }),
    })
}

/// A `dyn` has no size of its own; what can be drawn is the vtable that its pointers lead to.
fn vtable(of: TraitId, ty: &Type, items: &Items) -> Picture {
    let word = |offset, name: &str, what: &str| Row {
        offset,
        size: WORD_BYTES,
        name: name.to_owned(),
        what: what.to_owned(),
    };
    let mut rows = vec![
        word(vtable::DROP, "drop", "the function that ends a value, or 0"),
        word(vtable::SIZE, "size", "the value's bytes"),
        word(vtable::ALIGN, "align", "its alignment"),
    ];
    for (method, offset) in
        items.methods(of).iter().zip((vtable::METHODS..).step_by(WORD_BYTES as usize))
    {
        rows.push(word(offset, method, "the function of the value's type"));
    }
    Picture {
        ty: format!("the vtable of {ty}"),
        size: rows.len() as u64 * WORD_BYTES,
        align: WORD_BYTES,
        rows,
        is_ordered: false,
        spare: None,
    }
}

/// Puts rows of padding between the others.
fn padded(rows: Vec<Row>, size: u64) -> Vec<Row> {
    let mut all = Vec::new();
    let mut next = 0;
    let gap = |from: u64, to: u64| Row {
        offset: from,
        size: to - from,
        name: String::new(),
        what: "padding".to_owned(),
    };
    for row in rows {
        if row.offset > next {
            all.push(gap(next, row.offset));
        }
        next = next.max(row.offset + row.size);
        all.push(row);
    }
    if next < size {
        all.push(gap(next, size));
    }
    all
}

fn rows(layouts: &Layouts, id: LayoutId, ty: &Type, items: &Items) -> Vec<Row> {
    let layout = &layouts[id];
    let row = |offset: u64, size: u64, name: &str, what: String| Row {
        offset,
        size,
        name: name.to_owned(),
        what,
    };
    let word = |offset, name, what: &str| row(offset, WORD_BYTES, name, what.to_owned());
    let heap = |to: &Type| format!("to a heap, {}", to.named(&mut |_| "_").trim_start_matches('&'));
    let allocator = layout
        .allocator_offset()
        .zip(ty.allocator())
        .map(|(offset, to)| word(offset, "allocator", &heap(to)));
    match &layout.shape {
        Shape::Record { fields, .. } => {
            let names: Vec<String> = match ty {
                Type::Struct(of, _) => {
                    let fields = &items.structs.get(*of).fields;
                    fields.iter().map(|field| field.name.to_string()).collect()
                }
                _ => (0..fields.len()).map(|index| index.to_string()).collect(),
            };
            let part = |(part, name): (&Part, &String)| {
                row(part.offset, layouts[part.id].size, name, layouts[part.id].ty.to_string())
            };
            fields.iter().zip(&names).map(part).collect()
        }
        Shape::Array(element, len) => element_rows(layouts, *element, 0, *len),
        Shape::Inline(room, len_bytes) => {
            let what = ["u8", "u16", "u32", "usize"][len_bytes.ilog2() as usize];
            let mut list = vec![row(0, *len_bytes, "length", what.to_owned())];
            list.extend(element_rows(layouts, room.element, room.offset, room.capacity));
            list
        }
        Shape::PoolBox { data, .. } => vec![
            word(0, "pointer", &format!("to {} in a block of the pool", layouts[*data].ty)),
            word(WORD_BYTES, "tag", "u64: how often the block was taken"),
        ],
        Shape::BoxBlock(data) => {
            let what = format!("{}, or of a free block the link to the next", layouts[*data].ty);
            vec![row(0, layout.size, "value", what)]
        }
        Shape::Deque(room) => {
            let mut list = vec![
                word(deque::FRONT, "front", "usize: the first element's index"),
                word(deque::BACK, "back", "usize: the index behind the last"),
                row(deque::FULL, 1, "full", "bool".to_owned()),
            ];
            list.extend(element_rows(layouts, room.element, room.offset, room.capacity));
            list
        }
        Shape::Reference(to) | Shape::Box(to) => {
            let target = &layouts[*to].ty;
            let mut list = vec![word(0, "pointer", &format!("to {target}"))];
            match target {
                Type::Dyn(..) => {
                    list.push(word(WORD_BYTES, "vtable", "drop, size, align, methods"));
                }
                target if !target.is_sized() => list.push(word(WORD_BYTES, "length", "usize")),
                _ => {}
            }
            list.extend(allocator);
            list
        }
        Shape::Vec(element) => {
            let to = format!("to {} on the heap", layouts[*element].ty);
            let mut list =
                vec![word(vec::CAPACITY, "capacity", "usize"), word(vec::POINTER, "pointer", &to)];
            list.extend(allocator);
            list.push(word(layout.len_offset(), "length", "usize"));
            list
        }
        Shape::Rc(to) | Shape::Weak(to) => {
            let what = format!("to a block: strong count, weak count, {}", layouts[*to].ty);
            vec![word(0, "pointer", &what)]
        }
        Shape::RefCell(part) => vec![
            word(0, "flag", "isize: borrows, -1 if mutable"),
            row(part.offset, layouts[part.id].size, "value", layouts[part.id].ty.to_string()),
        ],
        Shape::Cell(inner) => {
            vec![row(0, layouts[*inner].size, "value", layouts[*inner].ty.to_string())]
        }
        Shape::Guard { to, .. } => vec![
            word(0, "pointer", &format!("to {}", layouts[*to].ty)),
            word(WORD_BYTES, "pointer", "to the flag"),
        ],
        Shape::Choice(choice) => choice_rows(layouts, choice, ty),
        _ => vec![row(0, layout.size, "", ty.to_string())],
    }
}

/// The first elements of so many from an offset on, and how many more there are.
fn element_rows(layouts: &Layouts, element: LayoutId, offset: u64, len: u64) -> Vec<Row> {
    let Layout { size, ty, .. } = &*layouts[element];
    let shown = len.min(4);
    let (size, at) = (*size, |index: u64| offset + index * size);
    let mut rows: Vec<_> = (0..shown)
        .map(|index| Row {
            offset: at(index),
            size,
            name: format!("[{index}]"),
            what: ty.to_string(),
        })
        .collect();
    if len > shown {
        let rest = len - shown;
        let (name, what) = ("…".to_owned(), format!("{rest} more"));
        rows.push(Row { offset: at(shown), size: rest * size, name, what });
    }
    rows
}

fn choice_rows(layouts: &Layouts, choice: &Choice, ty: &Type) -> Vec<Row> {
    let Type::Lib(lib, _) = ty else { return Vec::new() };
    let names = lib.variants().expect("it has variants");
    let mut rows = Vec::new();
    if let Tag::Direct(size) = choice.tag {
        let what = format!("0 {}, 1 {}", names[0], names[1]);
        rows.push(Row { offset: 0, size, name: "tag".to_owned(), what });
    }
    for (name, part) in names.iter().zip(&choice.variants) {
        if let Some(part) = part {
            let (size, what) = (layouts[part.id].size, layouts[part.id].ty.to_string());
            rows.push(Row { offset: part.offset, size, name: (*name).to_owned(), what });
        }
    }
    if let Tag::Niche { of, offset, size, other } = choice.tag {
        let what = format!("{other:#x} here means {}", names[1 - of]);
        rows.push(Row { offset, size, name: "niche".to_owned(), what });
    }
    rows
}
