//! Values as text, as std's `Display`, `Debug` and the rest write them.
//!
//! Numbers are written by std itself. What is made of parts is written part after part from a list of what is left to
//! write, so that a long chain of boxes needs no more of the process's stack than a short one.

use std::borrow::Cow;
use std::fmt;
use std::fmt::{Debug, Display, LowerExp, UpperExp};
use std::sync::Arc;

use stack::Scalar;

use super::code::{Path, PathStep, Text, TextPiece, rest_of};
use super::memory::{Bytes, fat, thin};
use super::scalar;
use super::shared::{ALREADY_BORROWED, ALREADY_MUTABLY_BORROWED};
use super::text::PARSE_ERRORS;
use super::vm::{Halt, Run, Vm};
use super::{Held, State, Stop};
use crate::items::Items;
use crate::layout::{LayoutId, Layouts, Shape, WORD_BYTES, reserve_error, vec};
use crate::machine::{Machine, is_read_only};
use crate::typed::{How, LocalId, Spec};
use crate::types::{Lib, Type};

/// The longest text a format may make.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// What is told in place of what a reference referred to.
const GONE: &str = "gone";

/// The longest value a note tells.
const NOTE_BYTES: usize = 4096;

const DEBUG: Spec = Spec {
    how: How::Debug,
    fill: None,
    align: None,
    has_sign: false,
    is_alternate: false,
    is_zero_padded: false,
    width: None,
    precision: None,
};

/// Lets std write a number, with all of the spec but for what fills it up other than zeros.
macro_rules! by_std {
    ($value:expr, $spec:expr, $how:literal) => {{
        let (value, spec) = ($value, $spec);
        let w = if spec.is_zero_padded { usize::from(spec.width.unwrap_or(0)) } else { 0 };
        let p = usize::from(spec.precision.unwrap_or(0));
        macro_rules! one {
            ($flags:literal) => {
                if spec.precision.is_some() {
                    format!(concat!("{:", $flags, "w$.p$", $how, "}"), value, w = w, p = p)
                } else {
                    format!(concat!("{:", $flags, "w$", $how, "}"), value, w = w)
                }
            };
        }
        match (spec.has_sign, spec.is_alternate, spec.is_zero_padded) {
            (false, false, false) => one!(""),
            (false, false, true) => one!("0"),
            (false, true, false) => one!("#"),
            (false, true, true) => one!("#0"),
            (true, false, false) => one!("+"),
            (true, false, true) => one!("+0"),
            (true, true, false) => one!("+#"),
            (true, true, true) => one!("+#0"),
        }
    }};
}

/// Something left to write.
enum Todo {
    Text(Cow<'static, str>),
    Value(Value),
    /// Elements of a list, and whether it has one already.
    Elements {
        at: u64,
        id: LayoutId,
        left: u64,
        /// Where more of them lie, and how many: of a `Deque`.
        more: (u64, u64),
        depth: usize,
        is_first: bool,
    },
}

/// A value in memory.
struct Value {
    at: u64,
    id: LayoutId,
    /// How many bytes or elements there are, of `str` and `[T]`.
    len: u64,
    /// How many groups it is in.
    depth: usize,
    /// What was moved out of it.
    moved: Vec<Path>,
}

struct Writer<'a> {
    view: Bytes<'a>,
    layouts: &'a Layouts,
    spec: Spec,
    out: String,
    todo: Vec<Todo>,
    limit: usize,
    trust: Trust,
}

/// How far references can be followed. A variable may hold one to what is gone, as long as the program does not use it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The program uses the value: all it refers to is there.
    Used,
    /// What it refers to may be gone, which the machine knows.
    Checked,
}

impl Bytes<'_> {
    /// A text with its values: references.
    pub(super) fn written(self, layouts: &Layouts, text: &Text, args: &[u128]) -> Run<String> {
        let mut out = String::new();
        for piece in &text.pieces {
            match piece {
                TextPiece::Text(text) => out.push_str(text),
                TextPiece::Arg(arg, spec) => {
                    out += &self.value_text(layouts, text.args[*arg], args[*arg], *spec)?;
                }
            }
        }
        Ok(out)
    }

    /// What a reference refers to, as text.
    pub(super) fn value_text(
        self,
        layouts: &Layouts,
        id: LayoutId,
        reference: u128,
        spec: Spec,
    ) -> Run<String> {
        let (at, len) = thin(reference);
        let value = Value { at, id, len, depth: 0, moved: Vec::new() };
        let text = self.write(layouts, value, spec, MAX_TEXT_BYTES, Trust::Used);
        text.map_err(|_| Halt::Stop(Stop::Steps))
    }

    /// Gives what was written up to the limit if there is more.
    fn write(
        self,
        layouts: &Layouts,
        value: Value,
        spec: Spec,
        limit: usize,
        trust: Trust,
    ) -> Result<String, String> {
        let (todo, out) = (vec![Todo::Value(value)], String::new());
        let mut writer = Writer { view: self, layouts, spec, out, todo, limit, trust };
        while let Some(todo) = writer.todo.pop() {
            writer.write(todo);
            if writer.out.len() > limit {
                let end = writer.out.floor_char_boundary(limit);
                writer.out.truncate(end);
                return Err(writer.out);
            }
        }
        Ok(writer.out)
    }
}

impl Vm<'_> {
    /// A value as `{:?}` prints it, for a note.
    pub(super) fn value_text(&self, at: u64, id: LayoutId) -> String {
        let value = Value { at, id, len: 0, depth: 0, moved: Vec::new() };
        bounded(self.view().write(&self.layouts, value, DEBUG, NOTE_BYTES, Trust::Checked))
    }
}

impl State {
    /// A variable of the outermost body as `{:?}` prints it, with `moved` for what was moved out and `gone` for what a
    /// reference led to; `unset` before it has a value. The text ends after some `limit` bytes. `None` if the variable is
    /// not in scope.
    pub fn describe(
        &self,
        items: &Items,
        machine: &dyn Machine,
        local: LocalId,
        limit: usize,
    ) -> Option<String> {
        let slot = self.slots.get(*self.of_local.get(&local)? as usize)?;
        let moved = match &slot.held {
            Held::Unset => return Some("unset".to_owned()),
            Held::Moved => vec![Path::from([])],
            Held::Partly(parts) => parts.to_vec(),
            Held::Live => Vec::new(),
        };
        let value = Value { at: slot.address, id: slot.layout, len: 0, depth: 0, moved };
        Some(self.shown(Bytes { items, machine }, value, limit))
    }

    /// The value of a type that lies at an address, as `{:?}` prints it. `None` for a type no line has used.
    pub fn describe_at(
        &self,
        items: &Items,
        machine: &dyn Machine,
        at: u64,
        ty: &Type,
        limit: usize,
    ) -> Option<String> {
        let id = self.layouts.known(ty)?;
        let value = Value { at, id, len: 0, depth: 0, moved: Vec::new() };
        Some(self.shown(Bytes { items, machine }, value, limit))
    }

    fn shown(&self, bytes: Bytes<'_>, value: Value, limit: usize) -> String {
        bounded(bytes.write(&self.layouts, value, DEBUG, limit, Trust::Checked))
    }
}

fn bounded(text: Result<String, String>) -> String {
    text.unwrap_or_else(|start| start + "…")
}

impl Writer<'_> {
    fn write(&mut self, todo: Todo) {
        match todo {
            Todo::Text(text) => self.out.push_str(&text),
            Todo::Value(value) if value.moved.iter().any(|path| path.is_empty()) => {
                self.out.push_str("moved");
            }
            Todo::Value(value) => self.value(&value),
            Todo::Elements { left: 0, id, more: (at, left @ 1..), depth, is_first, .. } => {
                self.todo.push(Todo::Elements { at, id, left, more: (0, 0), depth, is_first });
            }
            Todo::Elements { left: 0, depth, is_first, .. } => {
                if self.spec.is_alternate && !is_first {
                    self.new_line(depth);
                }
                self.out.push(']');
            }
            Todo::Elements { at, id, left, more, depth, is_first } => {
                if self.spec.is_alternate {
                    self.new_line(depth + 1);
                } else if !is_first {
                    self.out.push_str(", ");
                }
                let next = at + self.layouts[id].size;
                let left = left - 1;
                let is_first = false;
                self.todo.push(Todo::Elements { at: next, id, left, more, depth, is_first });
                if self.spec.is_alternate {
                    self.later(",");
                }
                self.part(at, id, 0, depth + 1);
            }
        }
    }

    fn new_line(&mut self, depth: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("    ", depth));
    }

    fn later(&mut self, text: impl Into<Cow<'static, str>>) {
        self.todo.push(Todo::Text(text.into()));
    }

    fn part(&mut self, at: u64, id: LayoutId, len: u64, depth: usize) {
        self.todo.push(Todo::Value(Value { at, id, len, depth, moved: Vec::new() }));
    }

    /// Whether what a pointer leads to is there.
    fn is_there(&self, at: u64, id: LayoutId, count: u64) -> bool {
        let bytes = self.layouts[id].size.checked_mul(count);
        self.trust == Trust::Used
            || bytes == Some(0)
            || is_read_only(at)
            || bytes.is_some_and(|bytes| self.view.machine.is_live(at, bytes))
    }

    /// The elements behind a pointer.
    fn list_behind(&mut self, at: u64, id: LayoutId, len: u64, depth: usize) {
        if self.is_there(at, id, len) {
            self.list(at, id, len, depth);
        } else {
            self.out.push_str(GONE);
        }
    }

    fn value(&mut self, value: &Value) {
        let Value { at, id, len, depth, .. } = *value;
        let layout = Arc::clone(&self.layouts[id]);
        if self.spec.how == How::Pointer {
            let size = layout.pointer_bytes();
            return self.pointer(thin(self.view.bits(at, size)), size, depth);
        }
        match &layout.shape {
            Shape::Scalar(of) => self.scalar(*of, self.view.bits(at, layout.size)),
            Shape::Never => self.out.push('!'),
            Shape::Str => self.text(at, len),
            // In place of a length there is the address of the vtable.
            Shape::Dyn => {
                let of = self.layouts.of_vtable(len).expect("a dyn has a vtable");
                self.todo.push(Todo::Value(Value { id: of, len: 0, moved: Vec::new(), ..*value }));
            }
            Shape::Vec(byte) if layout.ty.is_lib(Lib::String) => {
                let [first, len] =
                    [vec::POINTER, vec::LEN].map(|offset| self.view.word(at + offset));
                if self.is_there(first, *byte, len) {
                    self.text(first, len);
                } else {
                    self.out.push_str(GONE);
                }
            }
            Shape::Slice(element) => self.list(at, *element, len, depth),
            Shape::Array(element, len) => self.list(at, *element, *len, depth),
            Shape::Vec(element) => {
                let [first, len] =
                    [vec::POINTER, layout.len_offset()].map(|offset| self.view.word(at + offset));
                self.list_behind(first, *element, len, depth);
            }
            Shape::Iter(element) => {
                let [first, end] = [0, WORD_BYTES].map(|offset| self.view.word(at + offset));
                self.later(")");
                let size = self.layouts[*element].size;
                let len = (end - first).checked_div(size).unwrap_or(end);
                self.out.push_str("Iter(");
                self.list_behind(first, *element, len, depth);
            }
            Shape::Reference(to) | Shape::Box(to) => {
                let (at, len) = thin(self.view.bits(at, layout.pointer_bytes()));
                let behind = match self.layouts[*to].shape {
                    Shape::Slice(element) => self.is_there(at, element, len),
                    Shape::Str => self.trust == Trust::Used || self.is_text(at, len),
                    Shape::Dyn => {
                        let of = self.layouts.of_vtable(len);
                        of.is_some_and(|of| self.is_there(at, of, 1))
                    }
                    _ => self.is_there(at, *to, 1),
                };
                if behind {
                    let moved = rest_of(&value.moved, PathStep::Deref);
                    self.todo.push(Todo::Value(Value { at, id: *to, len, depth, moved }));
                } else {
                    self.out.push_str(GONE);
                }
            }
            Shape::Rc(to) => {
                let at = self.view.word(at).wrapping_add(self.layouts.rc_value_offset(*to));
                if self.is_there(at, *to, 1) {
                    self.part(at, *to, 0, depth);
                } else {
                    self.out.push_str(GONE);
                }
            }
            Shape::Weak(_) => self.out.push_str("(Weak)"),
            Shape::Guard { to, .. } | Shape::PoolBox { data: to, .. } => {
                let at = self.view.word(at);
                if self.is_there(at, *to, 1) {
                    self.part(at, *to, 0, depth);
                } else {
                    self.out.push_str(GONE);
                }
            }
            Shape::Cell(to) => {
                let field = ("value: ".to_owned(), Some((at, *to)));
                self.named("Cell", vec![field], depth);
            }
            Shape::RefCell(part) => {
                // Below zero while a `RefMut` is out.
                let field = if self.view.word(at).cast_signed() < 0 {
                    ("value: <borrowed>".to_owned(), None)
                } else {
                    ("value: ".to_owned(), Some((at + part.offset, part.id)))
                };
                self.named("RefCell", vec![field], depth);
            }
            Shape::Range(id, end) => {
                self.part(at + end, *id, 0, depth);
                self.later("..");
                self.part(at, *id, 0, depth);
            }
            Shape::Choice(choice) => {
                let variant = self.view.variant(at, choice);
                let Type::Lib(lib, _) = layout.ty else { unreachable!("Option and its like") };
                if let (Lib::Cow, Some(part)) = (lib, choice.variants[variant]) {
                    return self.part(at + part.offset, part.id, 0, depth);
                }
                self.out.push_str(lib.variants().expect("it has variants")[variant]);
                if let Some(part) = choice.variants[variant] {
                    let field = (String::new(), Some((at + part.offset, part.id)));
                    self.group(["(", ")"], vec![field], depth, &[]);
                }
            }
            Shape::ReserveError => self.reserve_error(at, depth),
            Shape::Inline(room, len_bytes) => {
                let list = self.view.inline(*room, *len_bytes, at);
                if layout.ty.is_lib(Lib::HeaplessString) {
                    self.text(list.first, list.len);
                } else {
                    self.list(list.first, room.element, list.len, depth);
                }
            }
            Shape::Deque(room) => {
                let ring = self.view.ring(*room, self.layouts[room.element].size, at);
                self.lists(ring.stretches(), room.element, depth);
            }
            Shape::BoxBlock(_) => self.out.push_str("BoxBlock"),
            Shape::Error(lib) => self.error(*lib, self.view.bits(at, layout.size), depth),
            Shape::Record { fields, .. } => {
                let places = fields.iter().map(|part| Some((at + part.offset, part.id)));
                let Type::Struct(id, name) = &layout.ty else {
                    if fields.is_empty() {
                        return self.pad("()", Side::Left);
                    }
                    let is_single = fields.len() == 1 && !self.spec.is_alternate;
                    let close = if is_single { ",)" } else { ")" };
                    let fields = places.map(|place| (String::new(), place)).collect();
                    return self.group(["(", close], fields, depth, &value.moved);
                };
                let of = Arc::clone(self.view.items.structs.get(*id));
                self.out.push_str(name);
                if fields.is_empty() {
                    return;
                }
                // What std's own are made of here is not what they are made of there.
                if of.is_of_std {
                    return self.out.push_str(" { .. }");
                }
                let names = of.fields.iter().map(|field| {
                    if of.is_tuple { String::new() } else { format!("{}: ", field.name) }
                });
                let fields = names.zip(places).collect();
                let around = match (of.is_tuple, self.spec.is_alternate) {
                    (true, _) => ["(", ")"],
                    (false, true) => [" {", "}"],
                    (false, false) => [" { ", " }"],
                };
                self.group(around, fields, depth, &value.moved);
            }
        }
    }

    /// A struct of the library.
    fn named(&mut self, name: &str, fields: Vec<(String, Option<(u64, LayoutId)>)>, depth: usize) {
        self.out.push_str(name);
        let around = if self.spec.is_alternate { [" {", "}"] } else { [" { ", " }"] };
        self.group(around, fields, depth, &[]);
    }

    /// Fields in brackets: what stands before each, and where it is.
    fn group(
        &mut self,
        [open, close]: [&'static str; 2],
        fields: Vec<(String, Option<(u64, LayoutId)>)>,
        depth: usize,
        moved: &[Path],
    ) {
        let is_pretty = self.spec.is_alternate;
        self.out.push_str(open);
        self.later(close);
        if is_pretty {
            self.later(format!("\n{}", "    ".repeat(depth)));
        }
        let depth = depth + 1;
        for (number, (before, place)) in fields.into_iter().enumerate().rev() {
            if is_pretty {
                self.later(",");
            }
            if let Some((at, id)) = place {
                let moved = rest_of(moved, PathStep::Field(number as u32));
                self.todo.push(Todo::Value(Value { at, id, len: 0, depth, moved }));
            }
            self.later(before);
            if is_pretty {
                self.later(format!("\n{}", "    ".repeat(depth)));
            } else if number > 0 {
                self.later(", ");
            }
        }
    }

    fn list(&mut self, at: u64, id: LayoutId, len: u64, depth: usize) {
        self.lists([(at, len), (0, 0)], id, depth);
    }

    /// A list in two stretches.
    fn lists(&mut self, [(at, left), more]: [(u64, u64); 2], id: LayoutId, depth: usize) {
        self.out.push('[');
        self.todo.push(Todo::Elements { at, id, left, more, depth, is_first: true });
    }

    fn is_text(&self, at: u64, len: u64) -> bool {
        len == 0 || is_read_only(at) || self.view.machine.is_live(at, len)
    }

    fn text(&mut self, at: u64, len: u64) {
        // A text is cut where nobody will see what follows.
        let is_long = len as usize > self.limit;
        let bytes = self.view.bytes(at, if is_long { self.limit as u64 + 4 } else { len });
        let text = String::from_utf8_lossy(&bytes);
        match self.spec.how {
            How::Debug => self.out.push_str(&format!("{text:?}")),
            _ => self.pad_text(&text),
        }
    }

    fn scalar(&mut self, of: Scalar, bits: u128) {
        let spec = self.spec;
        match of {
            Scalar::Bool => self.pad_text(if bits == 0 { "false" } else { "true" }),
            Scalar::Char => {
                let of = char::from_u32(bits as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                match spec.how {
                    How::Debug => self.out.push_str(&format!("{of:?}")),
                    _ => self.pad_text(of.encode_utf8(&mut [0; 4])),
                }
            }
            Scalar::F32 => {
                let text = float_text(f32::from_bits(bits as u32), spec);
                self.pad(&text, Side::Right);
            }
            Scalar::F64 => {
                let text = float_text(f64::from_bits(bits as u64), spec);
                self.pad(&text, Side::Right);
            }
            _ => {
                let text = integer_text(of, bits, spec);
                self.pad(&text, Side::Right);
            }
        }
    }

    /// As `Formatter::pad`: cut to the precision, filled up to the width.
    fn pad_text(&mut self, text: &str) {
        match self.spec.precision {
            Some(most) => {
                let cut: String = text.chars().take(most.into()).collect();
                self.pad(&cut, Side::Left);
            }
            None => self.pad(text, Side::Left),
        }
    }

    fn pad(&mut self, text: &str, side: Side) {
        self.out += &padded(text, self.spec, side);
    }

    /// `{:p}`; a fat pointer is written with its length, as std does.
    fn pointer(&mut self, (address, len): (u64, u64), size: u64, depth: usize) {
        let address = padded(&pointer_text(address, self.spec), self.spec, Side::Right);
        if size == WORD_BYTES {
            self.out.push_str(&address);
            return;
        }
        let len = by_std!(len, self.spec, "?");
        let len = padded(&len, self.spec, Side::Right);
        let fields = [format!("addr: {address}"), format!("metadata: {len}")];
        self.named("Pointer", fields.map(|field| (field, None)).into(), depth);
    }

    fn error(&mut self, lib: Lib, number: u128, depth: usize) {
        let is_debug = self.spec.how == How::Debug;
        match lib {
            Lib::ParseIntError => {
                let (kind, text) = &PARSE_ERRORS[number as usize];
                if is_debug {
                    let kind = format!("kind: {kind:?}");
                    self.named("ParseIntError", vec![(kind, None)], depth);
                } else {
                    self.pad_text(text);
                }
            }
            Lib::CapacityError if is_debug => self.out.push_str("CapacityError"),
            // Its `Display` looks at no width.
            Lib::CapacityError => self.out.push_str("insufficient capacity"),
            _ if is_debug => self.out.push_str(lib.row().name),
            Lib::BorrowError => self.pad_text(ALREADY_MUTABLY_BORROWED),
            _ => self.pad_text(ALREADY_BORROWED),
        }
    }

    fn reserve_error(&mut self, at: u64, depth: usize) {
        let align = self.view.word(at + reserve_error::ALIGN);
        if self.spec.how == How::Display {
            self.out.push_str("memory allocation failed because ");
            self.out.push_str(if align == 0 {
                "the computed capacity exceeded the collection's maximum"
            } else {
                "the memory allocator returned an error"
            });
            return;
        }
        let kind = if align == 0 {
            "CapacityOverflow".to_owned()
        } else {
            let size = self.view.word(at + reserve_error::SIZE);
            let layout = AskedFor { size, align: Alignment(align) };
            let kind = AllocError { layout, non_exhaustive: () };
            if self.spec.is_alternate {
                format!("{kind:#?}").replace('\n', &format!("\n{}", "    ".repeat(depth + 1)))
            } else {
                format!("{kind:?}")
            }
        };
        self.named("TryReserveError", vec![(format!("kind: {kind}"), None)], depth);
    }
}

/// What std prints of a request that failed.
#[derive(Debug)]
struct AllocError {
    #[expect(dead_code, reason = "it is printed")]
    layout: AskedFor,
    #[expect(dead_code, reason = "it is printed")]
    non_exhaustive: (),
}

struct AskedFor {
    size: u64,
    align: Alignment,
}

impl fmt::Debug for AskedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout").field("size", &self.size).field("align", &self.align).finish()
    }
}

struct Alignment(u64);

impl fmt::Debug for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (1 << {})", self.0, self.0.trailing_zeros())
    }
}

/// Text filled up to the width.
fn padded(text: &str, spec: Spec, side: Side) -> String {
    let missing = usize::from(spec.width.unwrap_or(0)).saturating_sub(text.chars().count());
    let before = match (spec.align, side) {
        (Some('<'), _) | (None, Side::Left) => 0,
        (Some('^'), _) => missing / 2,
        _ => missing,
    };
    let fill = |count| std::iter::repeat_n(spec.fill.unwrap_or(' '), count);
    fill(before).chain(text.chars()).chain(fill(missing - before)).collect()
}

/// On which side text stands when nobody says.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

fn integer_text(of: Scalar, bits: u128, spec: Spec) -> String {
    match spec.how {
        How::LowerHex => by_std!(bits, spec, "x"),
        How::UpperHex => by_std!(bits, spec, "X"),
        How::Binary => by_std!(bits, spec, "b"),
        How::Octal => by_std!(bits, spec, "o"),
        How::LowerExp if of.is_signed() => by_std!(scalar::signed(of, bits), spec, "e"),
        How::LowerExp => by_std!(bits, spec, "e"),
        How::UpperExp if of.is_signed() => by_std!(scalar::signed(of, bits), spec, "E"),
        How::UpperExp => by_std!(bits, spec, "E"),
        _ if of.is_signed() => by_std!(scalar::signed(of, bits), spec, ""),
        _ => by_std!(bits, spec, ""),
    }
}

fn float_text<F: Display + Debug + LowerExp + UpperExp>(value: F, spec: Spec) -> String {
    match spec.how {
        How::Debug => by_std!(value, spec, "?"),
        How::LowerExp => by_std!(value, spec, "e"),
        How::UpperExp => by_std!(value, spec, "E"),
        _ => by_std!(value, spec, ""),
    }
}

/// `{:p}`: hexadecimal, and with `#` all of its 16 digits.
fn pointer_text(address: u64, spec: Spec) -> String {
    let spec = if spec.is_alternate {
        Spec { is_zero_padded: true, width: spec.width.or(Some(18)), ..spec }
    } else {
        spec
    };
    by_std!(address, Spec { is_alternate: true, ..spec }, "x")
}

/// What `T: Display` prints of what a reference refers to.
pub(super) fn display_text(vm: &Vm<'_>, id: LayoutId, reference: u128) -> Run<String> {
    vm.view().value_text(&vm.layouts, id, reference, Spec::default())
}

impl Vm<'_> {
    /// A number as `{:?}` prints it.
    pub(super) fn number_text(&self, id: LayoutId, bits: u128) -> String {
        match self.layouts[id].shape {
            Shape::Scalar(of) => integer_text(of, bits, DEBUG),
            ref shape => panic!("{shape:?} is no number"),
        }
    }
}

/// What `T: Debug` prints of a value that an error message shows.
pub(super) fn debug_text(vm: &Vm<'_>, at: u64, id: LayoutId) -> Run<String> {
    vm.view().value_text(&vm.layouts, id, fat(at, 0), DEBUG)
}
