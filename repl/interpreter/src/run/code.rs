//! A body as a list of operations, made once from the typed form, so that a turn of a loop does not walk a tree.
//!
//! Numbers, addresses and fat pointers pass over a stack of operands of 128 bits. Everything else lies in memory and is
//! made where it will stay. Slots (stretches of the stack) and what has to be dropped are two lists of a frame, whose
//! lengths are known at each operation: so a scope's end is one operation that cuts both lists to their lengths at its start.

use std::sync::Arc;

use stack::Scalar;

use crate::layout::LayoutId;
use crate::library::Builtin;
use crate::typed::{At, BinaryOp, CompareOp, FunctionId, Spec, UnaryOp};
use crate::types::Heap;

/// A body.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// The function's name.
    pub(super) name: Arc<str>,
    /// Its parameters' slots.
    pub(super) params: Vec<Arc<SlotInfo>>,
    /// Whether its result is an operand.
    pub(super) gives_operand: bool,
    /// What is done.
    pub(super) ops: Vec<Op>,
    /// Where in the source each operation stands.
    pub(super) ats: Vec<At>,
}

/// A stretch of the stack to reserve.
#[derive(Debug)]
pub(super) struct SlotInfo {
    /// The variable's name; a temporary has none.
    pub(super) name: Option<Arc<str>>,
    pub(super) layout: LayoutId,
    pub(super) is_mutable: bool,
    /// Whether the reader is told when it is dropped.
    pub(super) is_told: bool,
}

/// A variable or temporary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotRef {
    /// Of the outermost body, from an earlier line.
    Global(u32),
    /// Of this frame, by its number.
    Own(u32),
}

/// Where a value lies, or is to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loc {
    pub(super) base: Base,
    pub(super) offset: u64,
}

/// What a [`Loc`] is counted from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    Slot(SlotRef),
    /// Where the caller wants the result.
    Return,
}

impl Loc {
    pub(super) fn slot(slot: SlotRef) -> Self {
        Self { base: Base::Slot(slot), offset: 0 }
    }

    pub(super) fn plus(self, offset: u64) -> Self {
        Self { offset: self.offset + offset, ..self }
    }
}

/// A step from a variable to a part of it that can be moved out alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Field(u32),
    /// Through a `Box`.
    Deref,
}

/// The part of a variable that a move or assignment is about.
pub(super) type Path = Arc<[PathStep]>;

/// What moves say of a part.
pub(super) fn rest_of(moved: &[Path], step: PathStep) -> Vec<Path> {
    let of_part = moved.iter().filter(|path| path.first() == Some(&step));
    of_part.map(|path| Path::from(&path[1..])).collect()
}

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    /// On the stack of operands.
    Operand,
    /// In a slot of the caller, from which it moves.
    Slot(SlotRef),
}

/// A call of a function of the program.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) callee: Callee,
    pub(super) args: Vec<Arg>,
    /// Where a result that is no operand goes.
    pub(super) result: Option<Loc>,
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    Function(FunctionId),
    /// Of a trait by its number, the method at this place: the first argument is an operand, a fat pointer whose vtable
    /// says which function it is.
    Method {
        of: u32,
        method: u32,
    },
}

/// A call of the library.
#[derive(Debug)]
pub(super) struct LibraryCall {
    pub(super) run: Builtin,
    pub(super) types: Vec<LayoutId>,
    pub(super) args: Vec<Arg>,
    pub(super) arg_types: Vec<LayoutId>,
    pub(super) result: Option<Loc>,
    pub(super) result_type: LayoutId,
}

/// Text with values in it; the arguments are references, all operands.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) pieces: Vec<TextPiece>,
    /// What each argument refers to.
    pub(super) args: Vec<LayoutId>,
}

/// A piece of a [`Text`].
#[derive(Debug)]
pub(super) enum TextPiece {
    Text(Arc<str>),
    Arg(usize, Spec),
}

/// What a reader is told of a statement of the outermost body.
#[derive(Debug)]
pub(super) struct Told {
    /// The variable, or the place as the program calls it.
    pub(super) name: Arc<str>,
    pub(super) layout: LayoutId,
}

/// An operation. A stack in brackets: what it takes and leaves, the newest operand last.
#[derive(Debug)]
pub(super) enum Op {
    /// `[] → [value]`
    Constant(u64),
    /// The same, of 128 bits: low, high.
    Wide(u64, u64),
    /// `[] → [address]`: of a heap of the machine.
    Heap(Heap),
    /// `[] → [address]`
    Address(Loc),
    /// `[] → [value]`, of so many bytes.
    Load(Loc, u8),
    /// `[address] → [value]`
    LoadAt(u8),
    /// `[value] → []`
    Store(Loc, u8),
    /// `[value, address] → []`
    StoreAt(u8),
    /// `[address] → []`: so many bytes from there.
    CopyTo(Loc, u64),
    /// `[address] → []`: so many bytes to there.
    CopyFrom(Loc, u64),
    /// `[address] → [address]`
    Offset(u64),
    /// `[address, index] → [address]`: elements of `stride` bytes, `len` of them.
    Element {
        stride: u64,
        len: u64,
    },
    /// `[fat pointer, index] → [address]`
    SliceElement {
        stride: u64,
    },
    /// `[address] → [fat pointer]`
    Fatten(u64),
    /// `[value] → []`: as often as said.
    Repeat {
        to: Loc,
        size: u8,
        count: u64,
    },
    /// The first of `count` elements of `size` bytes lies at `at`: copy it to the rest.
    Replicate {
        at: Loc,
        size: u64,
        count: u64,
    },
    /// Reserves a slot.
    Slot(Arc<SlotInfo>),
    /// What lies at `Loc`, part of something unfinished, must be dropped if that is never finished. Counts as a slot.
    Part(Loc, LayoutId),
    /// The slot has a value. It is dropped at its scope's end, before what stands in the list of drops from `below` on.
    Schedule {
        slot: SlotRef,
        below: u32,
    },
    /// The slot has a value that needs no drop.
    Live(SlotRef),
    /// A part of a slot has been moved out.
    Moved(SlotRef, Path),
    /// A part of a slot has a value again.
    Revived(SlotRef, Path),
    /// Drops what a part of a slot holds, if it holds something.
    DropPart(SlotRef, Path),
    /// `[address] → [address]`: drops what is there.
    DropAt(LayoutId),
    /// Cuts both lists: drops, then slots. It is done again and again until nothing is left to drop.
    Leave {
        slots: u32,
        drops: u32,
    },
    Jump(u32),
    /// `[bool] → []`
    JumpIfNot(u32),
    /// `[value] → []`
    Pop,
    /// Cuts the operands to so many, but for the newest if it is the value of what is left.
    Keep {
        operands: u32,
        has_value: bool,
    },
    /// `[a, b] → [value]`
    Binary {
        op: BinaryOp,
        scalar: Scalar,
        rhs: Scalar,
    },
    /// `[value] → [value]`
    Unary(UnaryOp, Scalar),
    /// `[value] → [value]`
    Cast {
        from: Scalar,
        to: Scalar,
    },
    /// `[&a, &b] → [bool]`
    Compare(CompareOp, LayoutId, LayoutId),
    /// `[value] → []`
    Update {
        to: Loc,
        op: BinaryOp,
        scalar: Scalar,
        rhs: Scalar,
    },
    /// `[value, address] → []`
    UpdateAt {
        op: BinaryOp,
        scalar: Scalar,
        rhs: Scalar,
    },
    /// `[next, end] → [next, end]`: stores the next into the slot, or jumps. The value is the loop's.
    RangeNext {
        to: Loc,
        scalar: Scalar,
        is_inclusive: bool,
        exit: u32,
    },
    /// `[fat pointer] → [fat pointer]`: stores the address of the first element, or jumps.
    EachNext {
        to: Loc,
        stride: u64,
        exit: u32,
    },
    /// `[address of a Deque, with how many are done as its length] → [the same]`: as [`Self::EachNext`].
    DequeNext {
        to: Loc,
        deque: LayoutId,
        exit: u32,
    },
    /// Marks the variant of an `Option` or `Result`, whose payload is there already.
    Tag {
        at: Loc,
        choice: LayoutId,
        variant: u8,
    },
    Call(Box<Call>),
    Library(Box<LibraryCall>),
    /// `[references…] → []`
    Print(Box<Text>),
    Formatted(Box<Text>, Loc),
    /// `[references] → [fat pointer]`: the text lies in a slot of its own.
    FormattedBytes(Box<Text>),
    Panic(Box<Text>),
    /// `[value if it is an operand] → the caller's [value]`
    Return,
    /// Tells the value of a line.
    Show(Loc, LayoutId),
    /// Tells a variable's first value.
    Bind(SlotRef, Box<Told>),
    /// Tells what a place holds now: at the slot, or `[address] → []`.
    Assigned(Option<Loc>, Box<Told>),
    /// Tells that a variable was dropped by name.
    Dropped(Arc<str>),
}
