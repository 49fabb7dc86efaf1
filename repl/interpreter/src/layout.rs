//! Where everything lies: size, alignment, order of fields, padding and niches, as rustc 1.95 chooses them on a 64-bit machine.
//!
//! rustc is free to order the fields of a struct or tuple that is not `repr(C)`. What it does choose is done here: large
//! alignments first, within one alignment large niches first, and if that puts the niche in the middle, a second try with
//! the niches at the end. A tuple's last field stays last. A *niche* is a range of bit patterns that no value has; `Option`
//! and `Result` mark their other variant with one, and carry a tag of their own if there is none.

use std::cmp::Reverse;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use stack::Scalar;

use crate::typed::FunctionId;
use crate::types::{Lib, Mutability, Struct, StructId, Structs, TraitId, Type};

/// Bytes of a pointer, a length, a count.
pub const WORD_BYTES: u64 = 8;

/// Bytes of a link between the free blocks of a pool: an address and a tag, exchanged as one.
pub const LINK_BYTES: u64 = 16;

/// rustc compiles no type of this many bytes.
const TOO_LARGE_BYTES: u64 = 1 << 61;

/// The capacity of a `Vec` has its highest bit clear, so what lies above marks `None`.
const MAX_CAPACITY: u128 = (1 << 63) - 1;

/// What a `Vec` is made of, in the order rustc lays it out: [`Layout::len_offset`] is behind them.
pub mod vec {
    /// The capacity in elements.
    pub const CAPACITY: u64 = 0;
    /// The address of the first element; without a block, the alignment.
    pub const POINTER: u64 = 8;
    /// The elements it has, where it has no allocator.
    pub const LEN: u64 = 16;
    /// All three.
    pub const SIZE: u64 = 24;
    /// The address of its allocator, where it has one. The elements it has are behind.
    pub const ALLOCATOR: u64 = 16;
}

/// The block behind an `Rc` or an `Arc`: the counts, then the value.
pub mod rc {
    /// How many `Rc` there are.
    pub const STRONG: u64 = 0;
    /// How many `Weak` there are, and one for all `Rc` together.
    pub const WEAK: u64 = 8;
}

/// What a `heapless::Deque` is made of before its elements.
pub mod deque {
    /// The index of the first element.
    pub const FRONT: u64 = 0;
    /// The index behind the last, in a circle.
    pub const BACK: u64 = 8;
    /// Whether front and back are equal because it is full, a `bool`.
    pub const FULL: u64 = 16;
}

/// `std::alloc::Layout` inside a `TryReserveError`.
pub mod reserve_error {
    /// The alignment, or 0: the capacity overflowed.
    pub const ALIGN: u64 = 0;
    /// The size.
    pub const SIZE: u64 = 8;
}

/// The types a program has used so far, laid out. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    /// A type that is only pointed to so far has a number before it has a layout.
    list: Arc<Vec<Option<Arc<Layout>>>>,
    ids: imbl::OrdMap<Type, LayoutId>,
    /// By their addresses, and the address by the types.
    vtables: imbl::OrdMap<u64, LayoutId>,
    vtable_of: imbl::OrdMap<(LayoutId, TraitId), u64>,
    vtables_end: u64,
}

/// A vtable, read-only: how a value behind a `dyn Trait` is dropped, how large it is, and where its methods are.
pub mod vtable {
    /// The address of the function that drops a value; 0 if nothing has to be done.
    pub const DROP: u64 = 0;
    /// The value's bytes.
    pub const SIZE: u64 = 8;
    /// Its alignment.
    pub const ALIGN: u64 = 16;
    /// The address of the first method; the others follow.
    pub const METHODS: u64 = 24;
    /// Where the first vtable lies.
    pub const BASE: u64 = 0x0800_0000;
}

/// Names a type of [`Layouts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayoutId(u32);

/// How the values of a type lie in memory.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The type.
    pub ty: Type,
    /// Its bytes, padding at its end included. 0 for `str` and `[T]`.
    pub size: u64,
    /// Its alignment.
    pub align: u64,
    /// Bit patterns that no value has.
    pub niche: Option<Niche>,
    /// What it is made of.
    pub shape: Shape,
    /// Whether the end of a value has something to do.
    pub needs_drop: bool,
}

/// What a type is made of.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A number, `bool` or `char`.
    Scalar(Scalar),
    /// `!`.
    Never,
    /// `str`, behind a pointer.
    Str,
    /// `[T]`, behind a pointer.
    Slice(LayoutId),
    /// `dyn Trait`, behind a pointer with the address of a vtable.
    Dyn,
    /// `&T`, `&mut T`: an address, and a length if `T` is unsized.
    Reference(LayoutId),
    /// `Box<T>`: the same, and it owns what it points to. Behind it lies its allocator, if it has one.
    Box(LayoutId),
    /// A struct or a tuple: its fields in the order they were declared.
    Record {
        /// The fields.
        fields: Box<[Part]>,
        /// Its `impl Drop`.
        drop: Option<FunctionId>,
    },
    /// `[T; N]`.
    Array(LayoutId, u64),
    /// `Option`, `Result` and `Cow`.
    Choice(Choice),
    /// `Vec<T>`, and `String` as a `Vec<u8>`: see [`mod@vec`]. One with an allocator is a word larger.
    Vec(LayoutId),
    /// `Rc<T>`, `Arc<T>`: the address of a block, see [`rc`].
    Rc(LayoutId),
    /// Their `Weak<T>`: the same; without a block all ones.
    Weak(LayoutId),
    /// `Cell<T>`.
    Cell(LayoutId),
    /// `RefCell<T>`: a flag, then the value.
    RefCell(Part),
    /// `Ref` and `RefMut`: the address of the value, then that of the flag.
    Guard {
        /// The value's type.
        to: LayoutId,
        /// Whether it is a `RefMut`.
        is_mut: bool,
    },
    /// `Range<T>`: both ends.
    Range(LayoutId, u64),
    /// `std::slice::Iter<'_, T>`: the address of the next element and that behind the last (or, of elements without a size,
    /// how many there are).
    Iter(LayoutId),
    /// `TryReserveError`, see [`reserve_error`].
    ReserveError,
    /// `heapless::Vec`, and `heapless::String` as one of bytes: the length in so many bytes, then the room.
    Inline(Room, u64),
    /// `heapless::Deque`: see [`deque`], then the room.
    Deque(Room),
    /// `heapless::pool::boxed::Box`: the address of a block, and a tag that says how often it was taken.
    PoolBox {
        /// The pool.
        pool: StructId,
        /// What lies in the block.
        data: LayoutId,
    },
    /// `BoxBlock<T>`: a value, or while it is free the [`LINK_BYTES`] of the next free one.
    BoxBlock(LayoutId),
    /// An error that says what it is by its type and perhaps by a number.
    Error(Lib),
}

/// Where the elements of a collection lie that has them in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Their type.
    pub element: LayoutId,
    /// How many there can be.
    pub capacity: u64,
    /// Bytes before the first.
    pub offset: u64,
}

/// A value within another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Bytes before it.
    pub offset: u64,
    /// Its type.
    pub id: LayoutId,
}

/// An `Option`, a `Result` or a `Cow`, its variants as [`Lib::variants`] names them.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What each variant carries.
    pub variants: [Option<Part>; 2],
    /// How the variant is told.
    pub tag: Tag,
}

/// How a value says which variant it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// By the variant's number, at the front, in so many bytes.
    Direct(u64),
    /// By a bit pattern that the payload of variant `of` never has, where that payload lies.
    Niche {
        /// The variant with the payload.
        of: usize,
        /// Bytes before the niche.
        offset: u64,
        /// Bytes of the niche.
        size: u64,
        /// The pattern of the other variant.
        other: u128,
    },
}

/// Bytes at `offset` whose valid bit patterns are `start..=end`, around the end of the range if `start` is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Niche {
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes, at most 16.
    pub size: u64,
    /// The first valid pattern.
    pub start: u128,
    /// The last.
    pub end: u128,
}

impl Niche {
    fn max(self) -> u128 {
        u128::MAX >> (128 - self.size * 8)
    }

    /// How many patterns no value has.
    pub fn available(self) -> u128 {
        self.start.wrapping_sub(self.end.wrapping_add(1)) & self.max()
    }

    /// Takes one pattern away, zero if that can be had; the pattern and what is left.
    fn reserve(self) -> Option<(u128, Self)> {
        if self.available() == 0 {
            return None;
        }
        let max = self.max();
        if (1..=self.end).contains(&self.start) && self.start <= max - self.end {
            let taken = self.start - 1;
            return Some((taken, Self { start: taken, ..self }));
        }
        let taken = self.end.wrapping_add(1) & max;
        Some((taken, Self { end: taken, ..self }))
    }
}

/// rustc refuses a type of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge(pub Type);

/// As rustc says it.
impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "values of the type `{}` are too big for the target architecture.", self.0)
    }
}

impl Index<LayoutId> for Layouts {
    type Output = Arc<Layout>;

    fn index(&self, id: LayoutId) -> &Arc<Layout> {
        self.list[id.0 as usize].as_ref().expect("what is pointed to is laid out in the end")
    }
}

impl Layouts {
    /// The layout of a type without parameters and unknowns; the types it mentions are laid out with it.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] for a type that rustc does not compile for its size.
    pub fn of(&mut self, ty: &Type, structs: &Structs) -> Result<LayoutId, TooLarge> {
        if let Some(id) = self.ids.get(ty) {
            return Ok(*id);
        }
        let before = self.clone();
        let mut waiting = Vec::new();
        let id = self.enter(ty, structs, &mut waiting);
        while let Some(ty) = waiting.pop() {
            if let Err(too_large) = self.enter(&ty, structs, &mut waiting) {
                *self = before;
                return Err(too_large);
            }
        }
        id.inspect_err(|_| *self = before)
    }

    /// The layout of a type that is laid out already.
    pub fn known(&self, ty: &Type) -> Option<LayoutId> {
        self.ids.get(ty).copied()
    }

    /// The address of the vtable for a type and a trait with so many methods.
    pub fn vtable(&mut self, of: LayoutId, of_trait: TraitId, methods: usize) -> u64 {
        if let Some(known) = self.vtable_of.get(&(of, of_trait)) {
            return *known;
        }
        let address = vtable::BASE + self.vtables_end;
        self.vtables_end += vtable::METHODS + methods as u64 * WORD_BYTES;
        self.vtables.insert(address, of);
        self.vtable_of.insert((of, of_trait), address);
        address
    }

    /// Whose vtable lies at an address.
    pub fn of_vtable(&self, address: u64) -> Option<LayoutId> {
        self.vtables.get(&address).copied()
    }

    /// Where the value lies in the block of an `Rc`.
    pub fn rc_value_offset(&self, value: LayoutId) -> u64 {
        (2 * WORD_BYTES).next_multiple_of(self[value].align)
    }

    /// Size and alignment of the block of an `Rc`.
    pub fn rc_block(&self, value: LayoutId) -> (u64, u64) {
        let align = self[value].align.max(WORD_BYTES);
        ((self.rc_value_offset(value) + self[value].size).next_multiple_of(align), align)
    }

    /// The number of a type. If it is new it has to wait for its layout: perhaps it holds what points to it.
    fn number(&mut self, ty: &Type, waiting: &mut Vec<Type>) -> LayoutId {
        if let Some(id) = self.ids.get(ty) {
            return *id;
        }
        let id = LayoutId(self.list.len() as u32);
        self.ids.insert(ty.clone(), id);
        Arc::make_mut(&mut self.list).push(None);
        waiting.push(ty.clone());
        id
    }

    fn enter(
        &mut self,
        ty: &Type,
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<LayoutId, TooLarge> {
        let id = self.number(ty, waiting);
        if self.list[id.0 as usize].is_none() {
            let mut layout = self.compute(ty, structs, waiting)?;
            layout.needs_drop = ty.needs_drop(structs);
            if layout.size >= TOO_LARGE_BYTES {
                return Err(TooLarge(ty.clone()));
            }
            Arc::make_mut(&mut self.list)[id.0 as usize] = Some(Arc::new(layout));
        }
        Ok(id)
    }

    fn compute(
        &mut self,
        ty: &Type,
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<Layout, TooLarge> {
        // An address is never 0.
        let address = Some(Niche { offset: 0, size: WORD_BYTES, start: 1, end: u64::MAX.into() });
        let words = |count, shape| Layout::new(ty, count * WORD_BYTES, WORD_BYTES, address, shape);
        Ok(match ty {
            Type::Scalar(scalar) => {
                let size = u64::from(scalar.size_bytes());
                let niche = match scalar {
                    Scalar::Bool => Some(Niche { offset: 0, size, start: 0, end: 1 }),
                    Scalar::Char => Some(Niche { offset: 0, size, start: 0, end: 0x10_ffff }),
                    _ => None,
                };
                Layout::new(ty, size, size, niche, Shape::Scalar(*scalar))
            }
            // What an empty collection holds may be known only when a later line uses it.
            // A `Const` is no value.
            Type::Never | Type::Const(_) | Type::Var(_) => {
                Layout::new(ty, 0, 1, None, Shape::Never)
            }
            Type::Str => Layout::new(ty, 0, 1, None, Shape::Str),
            Type::Slice(element) => {
                let id = self.enter(element, structs, waiting)?;
                Layout::new(ty, 0, self[id].align, None, Shape::Slice(id))
            }
            Type::Ref(_, to) => {
                words(pointer_words(to), Shape::Reference(self.number(to, waiting)))
            }
            Type::Tuple(items) => {
                let fields: Vec<_> = items.iter().collect();
                self.record(ty, &fields, Order::LastStays, None, structs, waiting)?
            }
            Type::Struct(id, _) => {
                let of = Arc::clone(structs.get(*id));
                let Struct { fields, is_repr_c, drop, .. } = &*of;
                let fields: Vec<_> = fields.iter().map(|field| &field.ty).collect();
                let order = if *is_repr_c { Order::Declared } else { Order::Free };
                self.record(ty, &fields, order, *drop, structs, waiting)?
            }
            Type::Array(element, len) => {
                let id = self.enter(element, structs, waiting)?;
                let Layout { size, align, niche, .. } = *self[id];
                let size = size.checked_mul(*len).ok_or_else(|| TooLarge(ty.clone()))?;
                Layout::new(ty, size, align, niche.filter(|_| *len > 0), Shape::Array(id, *len))
            }
            Type::Lib(lib, args) => match lib {
                Lib::Vec | Lib::String => {
                    let id = self.number(args.first().unwrap_or(&Type::U8), waiting);
                    let niche =
                        Niche { offset: vec::CAPACITY, size: 8, start: 0, end: MAX_CAPACITY };
                    let allocator = u64::from(ty.allocator().is_some());
                    Layout { niche: Some(niche), ..words(3 + allocator, Shape::Vec(id)) }
                }
                Lib::Box => {
                    let count = pointer_words(&args[0]) + u64::from(ty.allocator().is_some());
                    words(count, Shape::Box(self.number(&args[0], waiting)))
                }
                Lib::Rc | Lib::Arc => words(1, Shape::Rc(self.number(&args[0], waiting))),
                Lib::Weak | Lib::ArcWeak => words(1, Shape::Weak(self.number(&args[0], waiting))),
                Lib::RefGuard | Lib::RefMutGuard => {
                    let to = self.number(&args[0], waiting);
                    words(2, Shape::Guard { to, is_mut: *lib == Lib::RefMutGuard })
                }
                Lib::Iter => words(2, Shape::Iter(self.number(&args[0], waiting))),
                // What can change behind a shared reference has no niche: the other variant's mark might change with it.
                Lib::Cell => {
                    let id = self.enter(&args[0], structs, waiting)?;
                    Layout::new(ty, self[id].size, self[id].align, None, Shape::Cell(id))
                }
                Lib::RefCell => {
                    let fields = [&Type::Scalar(Scalar::Isize), &args[0]];
                    let record =
                        self.record(ty, &fields, Order::LastStays, None, structs, waiting)?;
                    let Shape::Record { fields, .. } = &record.shape else { unreachable!() };
                    Layout { niche: None, shape: Shape::RefCell(fields[1]), ..record }
                }
                Lib::Range => {
                    let fields = [&args[0], &args[0]];
                    let record = self.record(ty, &fields, Order::Free, None, structs, waiting)?;
                    let Shape::Record { fields, .. } = &record.shape else { unreachable!() };
                    Layout { shape: Shape::Range(fields[0].id, fields[1].offset), ..record }
                }
                Lib::Option => self.choice(ty, [None, Some(&args[0])], structs, waiting)?,
                Lib::Result => {
                    self.choice(ty, [Some(&args[0]), Some(&args[1])], structs, waiting)?
                }
                Lib::BorrowError | Lib::BorrowMutError => {
                    Layout::new(ty, 0, 1, None, Shape::Error(*lib))
                }
                // Five reasons, the last of which no integer that may be zero has.
                Lib::ParseIntError => {
                    let niche = Niche { offset: 0, size: 1, start: 0, end: 4 };
                    Layout::new(ty, 1, 1, Some(niche), Shape::Error(*lib))
                }
                Lib::Cow => {
                    let owned = args[0].owned().expect("the lowering lets no other Cow pass");
                    let borrowed = Type::reference(Mutability::Shared, args[0].clone());
                    self.choice(ty, [Some(&borrowed), Some(&owned)], structs, waiting)?
                }
                Lib::TryReserveError => {
                    let niche = Niche { offset: 0, size: WORD_BYTES, start: 0, end: 1 << 63 };
                    Layout { niche: Some(niche), ..words(2, Shape::ReserveError) }
                }
                Lib::HeaplessVec => self.inline(ty, &args[0], &args[1..], structs, waiting)?,
                Lib::HeaplessString => self.inline(ty, &Type::U8, args, structs, waiting)?,
                Lib::Deque => {
                    let head = deque::FULL + 1;
                    let (room, size, align) =
                        self.room(ty, &args[0], &args[1], [head, WORD_BYTES], structs, waiting)?;
                    let niche = Niche { offset: deque::FULL, size: 1, start: 0, end: 1 };
                    Layout::new(ty, size, align, Some(niche), Shape::Deque(room))
                }
                Lib::CapacityError => Layout::new(ty, 0, 1, None, Shape::Error(*lib)),
                Lib::PoolBox => {
                    let Type::Struct(pool, _) = args[0] else { panic!("{ty} has no pool") };
                    let shape = Shape::PoolBox { pool, data: self.number(&args[1], waiting) };
                    let niche = Niche { offset: 0, size: LINK_BYTES, start: 1, end: u128::MAX };
                    Layout::new(ty, LINK_BYTES, LINK_BYTES, Some(niche), shape)
                }
                Lib::BoxBlock => {
                    let id = self.enter(&args[0], structs, waiting)?;
                    let align = self[id].align.max(LINK_BYTES);
                    let size = self[id].size.max(LINK_BYTES).next_multiple_of(align);
                    Layout::new(ty, size, align, None, Shape::BoxBlock(id))
                }
            },
            Type::Dyn(..) => Layout::new(ty, 0, 1, None, Shape::Dyn),
            // Where the heap begins is all that is known of it.
            Type::Heap(_) => words(1, Shape::Reference(self.number(&Type::unit(), waiting))),
            Type::Param(_) => panic!("{ty} stands for nothing"),
        })
    }

    fn record(
        &mut self,
        ty: &Type,
        fields: &[&Type],
        order: Order,
        drop: Option<FunctionId>,
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<Layout, TooLarge> {
        let ids: Vec<_> = fields
            .iter()
            .map(|field| self.enter(field, structs, waiting))
            .collect::<Result<_, _>>()?;
        let parts: Vec<_> = ids.iter().map(|id| &*self[*id]).collect();
        let too_large = || TooLarge(ty.clone());
        let mut placed = Placed::of(&parts, order, Bias::Front).ok_or_else(too_large)?;
        // A niche in the middle is in the way of what an enum might put beside it: look whether it can be nearer to an edge.
        if order == Order::Free && fields.len() > 1 && placed.niche_to_edge() > 0 {
            let other = Placed::of(&parts, order, Bias::Back).ok_or_else(too_large)?;
            if other.niche_to_edge() < placed.niche_to_edge() {
                placed = other;
            }
        }
        let fields =
            placed.offsets.iter().zip(ids).map(|(offset, id)| Part { offset: *offset, id });
        let shape = Shape::Record { fields: fields.collect(), drop };
        Ok(Layout::new(ty, placed.size, placed.align, placed.niche, shape))
    }

    /// A length, then room for elements: what may be unset has no niche.
    fn inline(
        &mut self,
        ty: &Type,
        element: &Type,
        capacity_and_len: &[Type],
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<Layout, TooLarge> {
        let [capacity, Type::Scalar(len)] = capacity_and_len else { panic!("{ty} has no length") };
        let len = u64::from(len.size_bytes());
        let (room, size, align) = self.room(ty, element, capacity, [len, len], structs, waiting)?;
        Ok(Layout::new(ty, size, align, None, Shape::Inline(room, len)))
    }

    /// Room for elements behind so many bytes of that alignment, and size and alignment of the whole.
    fn room(
        &mut self,
        ty: &Type,
        element: &Type,
        capacity: &Type,
        [head, head_align]: [u64; 2],
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<(Room, u64, u64), TooLarge> {
        let Type::Const(capacity) = *capacity else { panic!("{ty} has no capacity") };
        let id = self.enter(element, structs, waiting)?;
        let Layout { size, align, .. } = *self[id];
        let offset = head.next_multiple_of(align);
        let align = align.max(head_align);
        let end = size.checked_mul(capacity).and_then(|room| room.checked_add(offset));
        let end = end.filter(|end| *end < TOO_LARGE_BYTES).ok_or_else(|| TooLarge(ty.clone()))?;
        let room = Room { element: id, capacity, offset };
        Ok((room, end.next_multiple_of(align), align))
    }

    fn choice(
        &mut self,
        ty: &Type,
        payloads: [Option<&Type>; 2],
        structs: &Structs,
        waiting: &mut Vec<Type>,
    ) -> Result<Layout, TooLarge> {
        let mut ids = [None; 2];
        for (id, payload) in ids.iter_mut().zip(payloads) {
            *id = payload.map(|payload| self.enter(payload, structs, waiting)).transpose()?;
        }
        let payloads = ids.map(|id| id.map(|id| &*self[id]));
        let tagged = Marked::with_tag(payloads).ok_or_else(|| TooLarge(ty.clone()))?;
        let available = |of: &Marked| of.niche.map_or(0, Niche::available);
        let marked = match Marked::in_niche(payloads) {
            Some(in_niche)
                if (in_niche.size, Reverse(available(&in_niche)))
                    < (tagged.size, Reverse(available(&tagged))) =>
            {
                in_niche
            }
            _ => tagged,
        };
        let part =
            |variant: usize| ids[variant].map(|id| Part { offset: marked.offsets[variant], id });
        let choice = Choice { variants: [part(0), part(1)], tag: marked.tag };
        Ok(Layout::new(ty, marked.size, marked.align, marked.niche, Shape::Choice(choice)))
    }
}

fn pointer_words(to: &Type) -> u64 {
    if to.is_sized() { 1 } else { 2 }
}

impl Layout {
    fn new(ty: &Type, size: u64, align: u64, niche: Option<Niche>, shape: Shape) -> Self {
        Self { ty: ty.clone(), size, align, niche, shape, needs_drop: false }
    }

    /// The type of the elements, if it is a slice or an array.
    pub fn element(&self) -> Option<LayoutId> {
        match self.shape {
            Shape::Slice(element) | Shape::Array(element, _) => Some(element),
            _ => None,
        }
    }

    /// Bytes before the length of a `Vec`: its last word.
    pub fn len_offset(&self) -> u64 {
        debug_assert!(matches!(self.shape, Shape::Vec(_)), "{} has no length", self.ty);
        self.size - WORD_BYTES
    }

    /// The bytes of the pointer that a reference or a `Box` begins with.
    pub fn pointer_bytes(&self) -> u64 {
        self.allocator_offset().unwrap_or(self.size)
    }

    /// Bytes before the allocator of a `Vec` or a `Box`, if it has one.
    pub fn allocator_offset(&self) -> Option<u64> {
        self.ty.allocator()?;
        Some(match self.shape {
            Shape::Vec(_) => vec::ALLOCATOR,
            _ => self.size - WORD_BYTES,
        })
    }

    /// Whether it is a number or a reference.
    pub fn is_operand(&self) -> bool {
        matches!(self.shape, Shape::Scalar(_) | Shape::Reference(_))
    }
}

/// Who orders the fields of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// They lie as declared: `repr(C)`.
    Declared,
    /// rustc orders them.
    Free,
    /// rustc orders all but the last, which might be of a type without a size.
    LastStays,
}

/// To which end of a record the largest niche should go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bias {
    Front,
    Back,
}

/// Fields with a place each.
struct Placed {
    offsets: Vec<u64>,
    size: u64,
    align: u64,
    niche: Option<Niche>,
}

impl Placed {
    /// `None` if the size is beyond counting.
    fn of(fields: &[&Layout], order: Order, bias: Bias) -> Option<Self> {
        let mut by_address: Vec<usize> = (0..fields.len()).collect();
        let movable = match order {
            Order::Declared => 0,
            Order::Free => fields.len(),
            Order::LastStays => fields.len().saturating_sub(1),
        };
        sort(&mut by_address[..movable], fields, bias);

        let mut offsets = vec![0; fields.len()];
        let (mut size, mut align, mut niche) = (0u64, 1, None::<Niche>);
        for index in by_address {
            let field = fields[index];
            let offset = size.next_multiple_of(field.align);
            offsets[index] = offset;
            align = align.max(field.align);
            if let Some(new) = field.niche {
                let known = niche.map_or(0, Niche::available);
                let is_better = match bias {
                    Bias::Front => new.available() > known,
                    Bias::Back => new.available() >= known,
                };
                if is_better {
                    niche = Some(Niche { offset: offset + new.offset, ..new });
                }
            }
            size = offset.checked_add(field.size).filter(|size| *size < TOO_LARGE_BYTES)?;
        }
        Some(Self { offsets, size: size.next_multiple_of(align), align, niche })
    }

    /// How far the niche is from the nearer edge.
    fn niche_to_edge(&self) -> u64 {
        self.niche.map_or(0, |niche| niche.offset.min(self.size - niche.offset - niche.size))
    }
}

/// rustc's own order, of fields that it may move.
fn sort(movable: &mut [usize], fields: &[&Layout], bias: Bias) {
    let available = |field: &Layout| field.niche.map_or(0, Niche::available);
    let of = || movable.iter().map(|index| fields[*index]);
    let largest_align = of().map(|field| field.align).max().unwrap_or(1);
    let largest_niche = of().map(available).max().unwrap_or(0);

    // An array of four bytes goes with the fields of alignment 4, unless it would push a niche from its edge.
    let group = |field: &Layout| {
        let like = field.align.max(field.size).trailing_zeros();
        match bias {
            _ if largest_niche == 0 => like,
            Bias::Front => like.min(largest_align.trailing_zeros()),
            Bias::Back if available(field) == largest_niche => field.align.trailing_zeros(),
            Bias::Back => like,
        }
    };
    movable.sort_by_key(|index| {
        let field = fields[*index];
        let (before, behind) = field
            .niche
            .map_or((0, u64::MAX), |niche| (niche.offset, field.size - niche.size - niche.offset));
        let niche_key = match bias {
            Bias::Front => (!available(field), before),
            Bias::Back => (available(field), if field.niche.is_some() { !behind } else { 0 }),
        };
        (Reverse(group(field)), niche_key)
    });
}

/// A choice with its variants told apart.
struct Marked {
    offsets: [u64; 2],
    size: u64,
    align: u64,
    tag: Tag,
    niche: Option<Niche>,
}

impl Marked {
    /// A tag at the front, as large as the payload's alignment allows.
    fn with_tag(payloads: [Option<&Layout>; 2]) -> Option<Self> {
        let of = || payloads.into_iter().flatten();
        let align = of().map(|payload| payload.align).max().unwrap_or(1);
        let offsets = payloads.map(|payload| payload.map_or(0, |payload| payload.align));
        let end = payloads.iter().zip(offsets).try_fold(1, |end: u64, (payload, offset)| {
            let size = payload.map_or(0, |payload| payload.size);
            Some(end.max(offset.checked_add(size)?))
        })?;
        let tag_size = of()
            .filter(|payload| payload.size > 0 || payload.align > 1)
            .map(|payload| payload.align)
            .min()
            .unwrap_or(1);
        let niche = Niche { offset: 0, size: tag_size, start: 0, end: 1 };
        let size = end.next_multiple_of(align);
        Some(Self { offsets, size, align, tag: Tag::Direct(tag_size), niche: Some(niche) })
    }

    /// A pattern that the larger payload never has, if the smaller one fits before or behind it.
    fn in_niche(payloads: [Option<&Layout>; 2]) -> Option<Self> {
        let size = |variant: usize| payloads[variant].map_or(0, |payload| payload.size);
        let of = usize::from(size(1) >= size(0));
        let large = payloads[of]?;
        let (other, rest) = large.niche?.reserve()?;
        let Niche { offset, size: niche_size, .. } = rest;
        let align = payloads.iter().flatten().map(|payload| payload.align).max().unwrap_or(1);
        let size = large.size.next_multiple_of(align);
        let mut offsets = [0; 2];
        if let Some(small) = payloads[1 - of]
            && small.size > offset
        {
            offsets[1 - of] = (offset + niche_size).next_multiple_of(small.align);
            if offsets[1 - of] + small.size > size {
                return None;
            }
        }
        let tag = Tag::Niche { of, offset, size: niche_size, other };
        Some(Self { offsets, size, align, tag, niche: Some(rest) })
    }
}
