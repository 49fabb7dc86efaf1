//! Does the operations of [`Code`]: operands, frames, scopes, panics.

use std::sync::Arc;

use super::code::{Arg, Base, Call, Callee, Code, Loc, Op, SlotInfo, SlotRef, Text};
use super::compile::Locals;
use super::drop::Task;
use super::memory::{fat, thin};
use super::{Held, MAX_STEPS, Slot, State, Stop, compile, scalar};
use crate::items::Items;
use crate::layout::{Choice, Layout, Layouts, Shape, Tag, TooLarge, WORD_BYTES, vec};
use crate::machine::{Bound, Machine, NewSlot, Note, Refused};
use crate::typed::{At, FunctionId, LocalId};
use crate::types::{StructId, Type};

/// Steps between two looks at whether somebody wants to stop.
const STEPS_BETWEEN_LOOKS: u64 = 4096;

/// Why an operation does not end.
#[derive(Debug)]
pub(super) enum Halt {
    /// It panics.
    Panic(String),
    /// The program stops here, whatever it holds.
    Stop(Stop),
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        Self::Stop(Stop::Refused(refused))
    }
}

impl From<TooLarge> for Halt {
    fn from(too_large: TooLarge) -> Self {
        Self::Stop(Stop::TooLarge(too_large))
    }
}

/// What an operation of the machine gives.
pub(super) type Run<T = ()> = Result<T, Halt>;

/// A panic, and where.
pub(super) fn panic<T>(message: impl Into<String>) -> Run<T> {
    Err(Halt::Panic(message.into()))
}

/// A body being run.
struct Frame {
    code: Arc<Code>,
    /// The operation being done, and the one behind it.
    current: usize,
    next: usize,
    /// Lengths of the machine's lists when it was entered.
    slots: usize,
    drops: usize,
    operands: usize,
    tasks: usize,
    /// Where its result goes, if that lies in memory.
    result: u64,
    is_unwinding: bool,
}

/// What runs one line.
pub(super) struct Vm<'a> {
    pub(super) items: &'a Items,
    pub(super) state: &'a mut State,
    pub(super) machine: &'a mut dyn Machine,
    pub(super) layouts: Layouts,
    pub(super) operands: Vec<u128>,
    pub(super) tasks: Vec<Task>,
    slots: Vec<Slot>,
    /// What has to be dropped, the newest last. A slot's number counts from the first frame's.
    drops: Vec<SlotRef>,
    frame: Frame,
    callers: Vec<Frame>,
    panic: Option<(String, At)>,
    steps: u64,
    /// Where the last assignment through a pointer went.
    assigned: u64,
    /// The pool of each block that a clone being looked at would need.
    pub(super) wanted_blocks: Vec<StructId>,
}

impl<'a> Vm<'a> {
    pub(super) fn new(
        items: &'a Items,
        state: &'a mut State,
        machine: &'a mut dyn Machine,
    ) -> Self {
        let layouts = std::mem::take(&mut state.layouts);
        Self {
            items,
            state,
            machine,
            layouts,
            operands: Vec::new(),
            tasks: Vec::new(),
            slots: Vec::new(),
            drops: Vec::new(),
            frame: Frame::new(Arc::default(), 0),
            callers: Vec::new(),
            panic: None,
            steps: 0,
            assigned: 0,
            wanted_blocks: Vec::new(),
        }
    }

    /// Gives the state back what was borrowed from it.
    pub(super) fn finish(self) {
        self.state.layouts = self.layouts;
    }

    /// Runs code of the outermost body. `drops` are what it finds to drop.
    pub(super) fn run(&mut self, code: Code, drops: &[SlotRef]) -> Result<(), Stop> {
        self.slots.clear();
        self.drops.clear();
        self.drops.extend(drops);
        self.operands.clear();
        self.tasks.clear();
        self.frame = Frame::new(Arc::new(code), 0);
        loop {
            let is_done = self.run_until_change();
            match is_done {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Halt::Stop(stop)) => return Err(stop),
                Err(Halt::Panic(message)) => self.start_to_unwind(message)?,
            }
            if self.frame.is_unwinding
                && self.tasks.len() == self.frame.tasks
                && self.drops.len() == self.frame.drops
                && let Some(stop) = self.unwind_frame()
            {
                return Err(stop);
            }
        }
    }

    /// A `let` of the outermost body has run: its slots outlive the line.
    pub(super) fn keep_variables(&mut self, locals: impl IntoIterator<Item = LocalId>) {
        let mut slots = std::mem::take(&mut self.slots).into_iter();
        for local in locals {
            let slot = slots.next().expect("a let leaves a slot for each variable");
            let number = self.state.slots.len() as u32;
            if self.layouts[slot.layout].ty.any(&mut |ty| matches!(ty, Type::Var(_))) {
                self.state.unknown.push_back(number);
            }
            self.state.of_local.insert(local, number);
            self.state.locals.push_back(local);
            self.state.slots.push_back(slot);
        }
        assert!(slots.next().is_none(), "a let leaves no other slots");
    }

    /// A line may tell what an empty collection of an older line holds: only now does it have a layout, and its pointer,
    /// which points nowhere, the alignment.
    pub(super) fn learn_types(&mut self, locals: &Locals) -> Result<(), TooLarge> {
        for number in std::mem::take(&mut self.state.unknown) {
            let ty = &locals[self.state.locals[number as usize].0 as usize].ty;
            if ty.any(&mut |ty| matches!(ty, Type::Var(_))) {
                self.state.unknown.push_back(number);
                continue;
            }
            let layout = self.layouts.of(ty, &self.items.structs)?;
            let slot = &mut self.state.slots[number as usize];
            slot.layout = layout;
            if let (Held::Live, at) = (&slot.held, slot.address)
                && let Shape::Vec(element) = self.layouts[layout].shape
                && self.word(at + vec::CAPACITY) == 0
            {
                self.set_word(at + vec::POINTER, self.layouts[element].align);
            }
        }
        Ok(())
    }

    /// Does tasks, or operations until there are tasks or another frame. `true` at the end of the outermost code.
    fn run_until_change(&mut self) -> Run<bool> {
        if self.tasks.len() > self.frame.tasks {
            self.count_steps(1)?;
            self.do_task()?;
            return Ok(false);
        }
        if self.frame.is_unwinding {
            if self.drops.len() > self.frame.drops {
                let slot = self.drops.pop().expect("its length was seen above");
                self.drop_slot(slot);
            }
            return Ok(false);
        }
        let code = Arc::clone(&self.frame.code);
        loop {
            self.count_steps(1)?;
            self.frame.current = self.frame.next;
            self.frame.next += 1;
            let op = &code.ops[self.frame.current];
            match op {
                Op::Return if self.callers.is_empty() => return Ok(true),
                Op::Return => {
                    self.return_to_caller();
                    return Ok(false);
                }
                Op::Call(call) => {
                    self.call(call)?;
                    return Ok(false);
                }
                op => self.operation(op)?,
            }
            if self.tasks.len() > self.frame.tasks {
                return Ok(false);
            }
        }
    }

    /// Counts what the program does, so that it ends, and looks now and then whether it should.
    pub(super) fn count_steps(&mut self, count: u64) -> Run {
        let before = self.steps;
        self.steps += count;
        if before / STEPS_BETWEEN_LOOKS != self.steps / STEPS_BETWEEN_LOOKS {
            if self.steps > MAX_STEPS {
                return Err(Halt::Stop(Stop::Steps));
            }
            if self.machine.is_stopped() {
                return Err(Halt::Stop(Stop::Interrupted));
            }
        }
        Ok(())
    }

    // Panics.

    fn start_to_unwind(&mut self, message: String) -> Result<(), Stop> {
        let at = self.frame.code.ats[self.frame.current];
        if self.panic.is_some() {
            return Err(Stop::Abort { message, at });
        }
        self.machine.tell(Note::Panic { message: message.clone() });
        self.panic = Some((message, at));
        self.frame.is_unwinding = true;
        Ok(())
    }

    /// A frame that has dropped everything is left; its caller goes on with that.
    fn unwind_frame(&mut self) -> Option<Stop> {
        self.operands.truncate(self.frame.operands);
        let Some(caller) = self.callers.pop() else {
            self.pop_slots(0);
            let (message, at) = self.panic.take().expect("a frame unwinds after a panic");
            return Some(Stop::Panic { message, at });
        };
        self.machine.leave();
        self.slots.truncate(self.frame.slots);
        self.frame = caller;
        self.frame.is_unwinding = true;
        None
    }

    // Calls.

    fn code_of(&mut self, id: FunctionId) -> Run<Arc<Code>> {
        let number = id.0 as usize;
        if let Some(Some(code)) = self.state.codes.get(number) {
            return Ok(Arc::clone(code));
        }
        let function = self.items.function(id);
        let code = Arc::new(compile::function(self.items, &mut self.layouts, function)?);
        while self.state.codes.len() <= number {
            self.state.codes.push_back(None);
        }
        self.state.codes[number] = Some(Arc::clone(&code));
        Ok(code)
    }

    fn call(&mut self, call: &Call) -> Run {
        let operands = call.args.iter().filter(|arg| matches!(arg, Arg::Operand)).count();
        let first = self.operands.len() - operands;
        let function = match call.callee {
            Callee::Function(function) => function,
            Callee::Method { of, method } => {
                let (address, vtable) = thin(self.operands[first]);
                self.operands[first] = address.into();
                self.method(vtable, of, method)
            }
        };
        let code = self.code_of(function)?;
        let result = call.result.map_or(0, |loc| self.address(loc));
        let mut frame = self.new_frame(code, result)?;
        frame.operands = first;
        let mut operand = first;
        for (number, arg) in call.args.iter().enumerate() {
            let value = match arg {
                Arg::Operand => {
                    operand += 1;
                    self.operands[operand - 1]
                }
                Arg::Slot(slot) => {
                    let of = self.slot_mut(*slot);
                    of.held = Held::Moved;
                    of.address.into()
                }
            };
            let info = Arc::clone(&frame.code.params[number]);
            self.push_param(&info, value)?;
        }
        self.operands.truncate(first);
        self.enter(frame);
        Ok(())
    }

    /// The function that a vtable has at a trait's method.
    fn method(&self, vtable: u64, of: u32, method: u32) -> FunctionId {
        let of_value = &self.layouts[self.behind_dyn(vtable)].ty;
        self.items.traits[of as usize].implementors[of_value][method as usize]
    }

    /// Calls a `Drop::drop` for the value at `at`.
    pub(super) fn call_drop(&mut self, function: FunctionId, at: u64) -> Run {
        let code = self.code_of(function)?;
        let frame = self.new_frame(code, 0)?;
        let info = Arc::clone(&frame.code.params[0]);
        self.push_param(&info, at.into())?;
        self.enter(frame);
        Ok(())
    }

    fn new_frame(&mut self, code: Arc<Code>, result: u64) -> Run<Frame> {
        let line = self.frame.code.ats[self.frame.current].line;
        self.machine.enter(&code.name, line)?;
        let mut frame = Frame::new(code, result);
        frame.slots = self.slots.len();
        frame.drops = self.drops.len();
        frame.operands = self.operands.len();
        frame.tasks = self.tasks.len();
        Ok(frame)
    }

    fn push_param(&mut self, info: &SlotInfo, value: u128) -> Run {
        let address = self.push_slot(info, Held::Live)?;
        self.store(info.layout, value, address);
        if self.layouts[info.layout].needs_drop {
            self.drops.push(SlotRef::Own(self.slots.len() as u32 - 1));
        }
        Ok(())
    }

    fn enter(&mut self, frame: Frame) {
        self.callers.push(std::mem::replace(&mut self.frame, frame));
    }

    fn return_to_caller(&mut self) {
        let value = if self.frame.code.gives_operand { self.operands.pop() } else { None };
        self.operands.truncate(self.frame.operands);
        self.operands.extend(value);
        self.machine.leave();
        self.slots.truncate(self.frame.slots);
        self.frame = self.callers.pop().expect("a call has a caller");
    }

    // Slots.

    fn push_slot(&mut self, info: &SlotInfo, held: Held) -> Run<u64> {
        let layout = &self.layouts[info.layout];
        let address = self.machine.push(&NewSlot {
            name: info.name.as_ref(),
            ty: &layout.ty,
            size: layout.size,
            align: layout.align,
            is_mutable: info.is_mutable,
        })?;
        let name = if info.is_told { info.name.clone() } else { None };
        self.slots.push(Slot { address, layout: info.layout, held, name, is_pushed: true });
        Ok(address)
    }

    /// A slot for a value that an operation keeps for a moment; it pops the slot itself.
    pub(super) fn borrow_slot(&mut self, layout: &Layout) -> Run<u64> {
        let Layout { ty, size, align, .. } = layout;
        let (size, align) = (*size, *align);
        Ok(self.machine.push(&NewSlot { name: None, ty, size, align, is_mutable: true })?)
    }

    /// Takes slots of the present frame away, down to so many of all frames.
    fn pop_slots(&mut self, len: usize) {
        let pushed = self.slots[len..].iter().filter(|slot| slot.is_pushed).count();
        if pushed > 0 {
            self.machine.pop(pushed);
        }
        self.slots.truncate(len);
    }

    /// A slot by its number in the present frame, counted from the first frame's.
    fn absolute(&self, slot: SlotRef) -> SlotRef {
        match slot {
            SlotRef::Own(number) => SlotRef::Own(number + self.frame.slots as u32),
            global @ SlotRef::Global(_) => global,
        }
    }

    fn absolute_slot(&self, slot: SlotRef) -> &Slot {
        match slot {
            SlotRef::Own(number) => &self.slots[number as usize],
            SlotRef::Global(number) => &self.state.slots[number as usize],
        }
    }

    pub(super) fn absolute_slot_mut(&mut self, slot: SlotRef) -> &mut Slot {
        match slot {
            SlotRef::Own(number) => &mut self.slots[number as usize],
            SlotRef::Global(number) => &mut self.state.slots[number as usize],
        }
    }

    pub(super) fn slot(&self, slot: SlotRef) -> &Slot {
        self.absolute_slot(self.absolute(slot))
    }

    pub(super) fn slot_mut(&mut self, slot: SlotRef) -> &mut Slot {
        self.absolute_slot_mut(self.absolute(slot))
    }

    pub(super) fn address(&self, loc: Loc) -> u64 {
        loc.offset
            + match loc.base {
                Base::Slot(slot) => self.slot(slot).address,
                Base::Return => self.frame.result,
            }
    }

    // Operands.

    fn push(&mut self, value: impl Into<u128>) {
        self.operands.push(value.into());
    }

    fn pop(&mut self) -> u128 {
        self.operands.pop().expect("an operation has its operands")
    }

    fn pop_address(&mut self) -> u64 {
        self.pop() as u64
    }

    fn operation(&mut self, op: &Op) -> Run {
        match op {
            Op::Constant(value) => self.push(*value),
            Op::Wide(low, high) => self.push(fat(*low, *high)),
            Op::Heap(heap) => {
                let address = self.machine.heap(*heap)?;
                self.push(address);
            }
            Op::Address(loc) => self.push(self.address(*loc)),
            Op::Load(loc, size) => {
                let value = self.bits(self.address(*loc), u64::from(*size));
                self.push(value);
            }
            Op::LoadAt(size) => {
                let at = self.pop_address();
                self.push(self.bits(at, u64::from(*size)));
            }
            Op::Store(loc, size) => {
                let value = self.pop();
                self.set_bits(self.address(*loc), u64::from(*size), value);
            }
            Op::StoreAt(size) => {
                self.assigned = self.pop_address();
                let value = self.pop();
                self.set_bits(self.assigned, u64::from(*size), value);
            }
            Op::CopyTo(loc, size) => {
                let from = self.pop_address();
                self.count_steps(size / 64)?;
                self.copy(from, self.address(*loc), *size);
            }
            Op::CopyFrom(loc, size) => {
                self.assigned = self.pop_address();
                self.count_steps(size / 64)?;
                self.copy(self.address(*loc), self.assigned, *size);
            }
            Op::Offset(offset) => {
                let address = self.pop() + u128::from(*offset);
                self.push(address);
            }
            Op::Element { stride, len } => {
                let index = self.pop_address();
                let first = self.pop_address();
                self.push(element(first, *len, index, *stride)?);
            }
            Op::SliceElement { stride } => {
                let index = self.pop_address();
                let (first, len) = thin(self.pop());
                self.push(element(first, len, index, *stride)?);
            }
            Op::Fatten(len) => {
                let address = self.pop_address();
                self.push(fat(address, *len));
            }
            Op::Repeat { to, size, count } => {
                let value = self.pop();
                let (at, size) = (self.address(*to), u64::from(*size));
                if value.to_le_bytes()[..size as usize].iter().all(|byte| *byte == value as u8) {
                    self.count_steps(size * count / 4096)?;
                    self.machine.fill(at, size * count, value as u8);
                } else {
                    self.set_bits(at, size, value);
                    self.replicate(at, size, *count)?;
                }
            }
            Op::Replicate { at, size, count } => {
                self.replicate(self.address(*at), *size, *count)?;
            }
            Op::Slot(info) => {
                self.push_slot(info, Held::Unset)?;
            }
            Op::Part(loc, layout) => {
                let address = self.address(*loc);
                let held = Held::Live;
                let (layout, name, is_pushed) = (*layout, None, false);
                self.drops.push(SlotRef::Own(self.slots.len() as u32));
                self.slots.push(Slot { address, layout, held, name, is_pushed });
            }
            Op::Schedule { slot, below } => {
                let slot = self.absolute(*slot);
                self.drops.insert(self.frame.drops + *below as usize, slot);
            }
            Op::Live(slot) => self.slot_mut(*slot).held = Held::Live,
            Op::Moved(slot, path) => self.slot_mut(*slot).held.moved(path),
            Op::Revived(slot, path) => self.slot_mut(*slot).held.revived(path),
            Op::DropPart(slot, path) => self.drop_part(*slot, path),
            Op::DropAt(layout) => {
                let at = *self.operands.last().expect("an address is there") as u64;
                self.drop_later(at, *layout);
            }
            Op::Leave { slots, drops } => {
                if self.drops.len() > self.frame.drops + *drops as usize {
                    let slot = self.drops.pop().expect("its length was seen above");
                    self.drop_slot(slot);
                    self.frame.next -= 1;
                } else {
                    self.pop_slots(self.frame.slots + *slots as usize);
                }
            }
            Op::Jump(to) => self.frame.next = *to as usize,
            Op::JumpIfNot(to) => {
                if self.pop() == 0 {
                    self.frame.next = *to as usize;
                }
            }
            Op::Pop => {
                self.pop();
            }
            Op::Keep { operands, has_value } => {
                let value = if *has_value { self.operands.pop() } else { None };
                self.operands.truncate(self.frame.operands + *operands as usize);
                self.operands.extend(value);
            }
            Op::Binary { op, scalar, rhs } => {
                let b = self.pop();
                let a = self.pop();
                self.push(scalar::binary(*op, *scalar, a, *rhs, b)?);
            }
            Op::Unary(op, scalar) => {
                let a = self.pop();
                self.push(scalar::unary(*op, *scalar, a)?);
            }
            Op::Cast { from, to } => {
                let a = self.pop();
                self.push(scalar::cast(*from, *to, a));
            }
            Op::Compare(op, a_type, b_type) => {
                let b = self.pop();
                let a = self.pop();
                let result = self.compare(*op, (*a_type, a), (*b_type, b))?;
                self.push(result);
            }
            Op::Update { to, op, scalar, rhs } => {
                let b = self.pop();
                let (at, size) = (self.address(*to), u64::from(scalar.size_bytes()));
                let value = scalar::binary(*op, *scalar, self.bits(at, size), *rhs, b)?;
                self.set_bits(at, size, value);
            }
            Op::UpdateAt { op, scalar, rhs } => {
                self.assigned = self.pop_address();
                let b = self.pop();
                let size = u64::from(scalar.size_bytes());
                let a = self.bits(self.assigned, size);
                let value = scalar::binary(*op, *scalar, a, *rhs, b)?;
                self.set_bits(self.assigned, size, value);
            }
            Op::RangeNext { to, scalar, is_inclusive, exit } => {
                let count = self.operands.len();
                let [next, end] = &mut self.operands[count - 2..] else {
                    panic!("a range has two ends")
                };
                let value = *next;
                let (a, b) = (scalar::ordered(*scalar, value), scalar::ordered(*scalar, *end));
                if a > b || a == b && !is_inclusive {
                    self.frame.next = *exit as usize;
                } else {
                    if a == b {
                        // The last turn: what follows is a range without anything in it.
                        (*next, *end) = (1, 0);
                    } else {
                        *next = scalar::successor(*scalar, value);
                    }
                    self.set_bits(self.address(*to), u64::from(scalar.size_bytes()), value);
                }
            }
            Op::EachNext { to, stride, exit } => {
                let slice = self.operands.last_mut().expect("a slice is there");
                let (first, len) = thin(*slice);
                if len == 0 {
                    self.frame.next = *exit as usize;
                } else {
                    *slice = fat(first + stride, len - 1);
                    self.set_word(self.address(*to), first);
                }
            }
            Op::DequeNext { to, deque, exit } => {
                let (at, done) = thin(*self.operands.last().expect("a deque is there"));
                match self.ring(*deque, at).nth(done) {
                    None => self.frame.next = *exit as usize,
                    Some(place) => {
                        self.set_word(self.address(*to), place);
                        *self.operands.last_mut().expect("it was there") = fat(at, done + 1);
                    }
                }
            }
            Op::Tag { at, choice, variant } => {
                let at = self.address(*at);
                let layout = Arc::clone(&self.layouts[*choice]);
                let Shape::Choice(choice) = &layout.shape else {
                    panic!("{} has no variants", layout.ty)
                };
                self.set_variant(at, choice, usize::from(*variant));
            }
            Op::Library(call) => self.library(call)?,
            Op::Print(text) => {
                let text = self.written(text)?;
                self.machine.tell(Note::Print(text));
            }
            Op::Formatted(text, to) => {
                let text = self.written(text)?;
                let to = self.address(*to);
                self.new_string(&text, to)?;
            }
            Op::FormattedBytes(text) => {
                let text = self.written(text)?;
                let len = text.len() as u64;
                let layout = self.layouts.of(&Type::U8, &self.items.structs)?;
                let ty = Type::Array(Arc::new(Type::U8), len);
                let slot = NewSlot { name: None, ty: &ty, size: len, align: 1, is_mutable: false };
                let address = self.machine.push(&slot)?;
                self.machine.write(address, text.as_bytes());
                let (held, name, is_pushed) = (Held::Unset, None, true);
                self.slots.push(Slot { address, layout, held, name, is_pushed });
                self.push(fat(address, len));
            }
            Op::Panic(text) => {
                let text = self.written(text)?;
                return panic(text);
            }
            Op::Show(loc, layout) => {
                let value = self.value_text(self.address(*loc), *layout);
                let ty = self.layouts[*layout].ty.to_string();
                self.machine.tell(Note::Value { ty, value });
            }
            Op::Bind(slot, told) => {
                let address = self.slot(*slot).address;
                let value = self.value_text(address, told.layout);
                let layout = &self.layouts[told.layout];
                let behind = match layout.shape {
                    Shape::Reference(to) | Shape::Box(to)
                        if matches!(self.layouts[to].shape, Shape::Dyn) =>
                    {
                        let of = self.behind_dyn(self.word(address + WORD_BYTES));
                        Some(self.layouts[of].ty.to_string())
                    }
                    _ => None,
                };
                let bound = Bound {
                    name: Arc::clone(&told.name),
                    ty: layout.ty.clone(),
                    address,
                    size: layout.size,
                    value,
                    behind,
                };
                self.machine.tell(Note::Bind(bound));
            }
            Op::Assigned(loc, told) => {
                let address = loc.map_or(self.assigned, |loc| self.address(loc));
                let value = self.value_text(address, told.layout);
                let size = self.layouts[told.layout].size;
                let place = told.name.to_string();
                self.machine.tell(Note::Assign { place, address, size, value });
            }
            Op::Dropped(name) => self.machine.tell(Note::Drop { name: Arc::clone(name) }),
            Op::Return | Op::Call(_) => unreachable!("{op:?} changes the frame"),
        }
        Ok(())
    }

    /// The first of `count` values lies at `at`; the rest become copies of it.
    pub(super) fn replicate(&mut self, at: u64, size: u64, count: u64) -> Run {
        let mut done = size;
        while done < size * count {
            let len = done.min(size * count - done);
            self.count_steps(len / 64)?;
            self.copy(at, at + done, len);
            done += len;
        }
        Ok(())
    }

    // Variants.

    /// Which variant the `Option` or `Result` at `at` is.
    pub(super) fn variant(&self, at: u64, choice: &Choice) -> usize {
        self.view().variant(at, choice)
    }

    /// Marks the variant, once its payload is there.
    pub(super) fn set_variant(&mut self, at: u64, choice: &Choice, variant: usize) {
        match choice.tag {
            Tag::Direct(size) => self.set_bits(at, size, variant as u128),
            Tag::Niche { of, .. } if of == variant => {}
            Tag::Niche { offset, size, other, .. } => self.set_bits(at + offset, size, other),
        }
    }

    /// A text with its values; takes its operands.
    fn written(&mut self, text: &Text) -> Run<String> {
        let first = self.operands.len() - text.args.len();
        let written = self.view().written(&self.layouts, text, &self.operands[first..])?;
        self.operands.truncate(first);
        self.count_steps(written.len() as u64 / 16)?;
        Ok(written)
    }
}

impl Frame {
    fn new(code: Arc<Code>, result: u64) -> Self {
        Self {
            code,
            current: 0,
            next: 0,
            slots: 0,
            drops: 0,
            operands: 0,
            tasks: 0,
            result,
            is_unwinding: false,
        }
    }
}

/// The address of an element.
pub(super) fn element(first: u64, len: u64, index: u64, stride: u64) -> Run<u64> {
    if index >= len {
        return panic(format!("index out of bounds: the len is {len} but the index is {index}"));
    }
    Ok(first + index * stride)
}
