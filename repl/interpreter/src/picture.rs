//! A type as `layout` draws it: each byte has a row, padding too.

use crate::items::Items;
use crate::layout::{Choice, LayoutId, Layouts, Part, Shape, Tag, TooLarge, WORD_BYTES, vec};
use crate::types::{Lib, Type};

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
        Shape::Array(element, len) => {
            let shown = (*len).min(4);
            let size = layouts[*element].size;
            let mut list: Vec<_> = (0..shown)
                .map(|i| row(i * size, size, &format!("[{i}]"), layouts[*element].ty.to_string()))
                .collect();
            if *len > shown {
                let rest = len - shown;
                let what = format!("{rest} more");
                list.push(row(shown * size, rest * size, "…", what));
            }
            list
        }
        Shape::Reference(to) | Shape::Box(to) => {
            let target = &layouts[*to].ty;
            let mut list = vec![word(0, "pointer", &format!("to {target}"))];
            if !target.is_sized() {
                list.push(word(WORD_BYTES, "length", "usize"));
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

fn choice_rows(layouts: &Layouts, choice: &Choice, ty: &Type) -> Vec<Row> {
    let names = if ty.is_lib(Lib::Option) { ["None", "Some"] } else { ["Ok", "Err"] };
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
