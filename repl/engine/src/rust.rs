//! Rust at the prompt: the interpreter's machine is the world's stack and heap.

use std::alloc::Layout;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use heap::sandbox;
use interpreter::layout;
use interpreter::machine::is_read_only;
use interpreter::run::{Pointer, Role, Stop};
use interpreter::types::{Heap, Lib, Type};
use interpreter::{Bound, Fault, Machine, NewSlot, Note, Refused};
use stack::ItemKind;

use crate::arena::Arena;
use crate::ledger::BlockId;
use crate::problem::{Cause, Problem, Trouble, Whereabouts};
use crate::reply::{Answer, Event, Words};
use crate::scan::Span;
use crate::units::Address;
use crate::view::{DanglingRow, DareRust, LeakRow, PointRow, VarRow};
use crate::world::{Named, World, popped_event};

/// Events of one statement that its reply tells; what a long loop does beyond is counted.
const EVENTS_TOLD: usize = 100;
/// Bytes of one assignment that its reply tells.
const BYTES_TOLD: u64 = 4096;
/// Characters of a variable's value that a view shows.
const VALUE_SHOWN: usize = 200;
/// Accesses to the heap's own words that a dared line may take.
const MOST_ACCESSES: u32 = 10_000_000;
/// Blocks one statement may allocate: each leaves a life in the ledger.
const MOST_BLOCKS: u64 = 1 << 18;

/// Takes in a line of Rust.
///
/// # Errors
///
/// What rustc would refuse, what is beyond the subset, and a machine without room; nothing has changed then. A panic is no
/// error here: its effects stay, and the answer carries it.
pub(crate) fn run(world: &mut World, line: &str) -> Result<Answer, Problem> {
    check_mistyped(world, line)?;
    with_program(world, line, |program, machine| {
        let number = machine.world.now.line;
        program.run(number, line, machine)
    })
}

/// Refuses a lone word that is nearly a command's name, and no variable's.
fn check_mistyped(world: &World, line: &str) -> Result<(), Problem> {
    let word = line.trim();
    let is_word = crate::literal::is_identifier(word) && world.rust.local(word).is_none();
    let close = |name: &&str| strsim::damerau_levenshtein(name, word) * 2 < word.len();
    match crate::commands::nearest(word).filter(|name| is_word && close(name)) {
        Some(nearest) => {
            let trouble = Trouble::UnsupportedRust { nearest: Some(nearest) };
            Err(Problem::new(trouble, Span::all(line)))
        }
        None => Ok(()),
    }
}

/// Ends the newest variable, whose slot is the newest: it is dropped, as at the end of its scope.
pub(crate) fn pop(world: &mut World) -> Result<Answer, Problem> {
    let text = Arc::clone(&world.now.text);
    let item = world.newest_variable().expect("the caller looked").clone();
    let answer = with_program(world, &text, |program, machine| {
        let number = machine.world.now.line;
        program.pop(number, machine)
    });
    answer.map(|mut answer| {
        answer.events.insert(0, popped_event(&item));
        answer
    })
}

/// What a line that the borrow checker refuses would do without it: run on a copy, which is thrown away.
///
/// # Errors
///
/// A line that is allowed, or that is no program at all.
pub(crate) fn dare(world: &World, line: &str) -> Result<DareRust, Problem> {
    let nothing = || {
        let trouble = Trouble::NothingToDare { line: line.to_owned() };
        Problem::new(trouble, Span::all(line))
    };
    let code = match run(&mut world.clone(), line) {
        // Allowed, as long as nobody uses what it breaks: that is worth a look, too.
        Ok(_) => None,
        Err(problem) => {
            let is_check = |fault: &Fault| matches!(fault, Fault::Check(_));
            if !matches!(&problem.trouble, Trouble::Rust { fault, .. } if is_check(fault)) {
                return Err(problem);
            }
            Some(problem.code())
        }
    };
    let mut copy = world.clone();
    let number = copy.now.line;
    let mut program = std::mem::take(&mut copy.rust);
    let mut runner = Runner { is_daring: true, ..Runner::new(&mut copy, Span::all(line)) };
    let outcome = sandbox::run(MOST_ACCESSES, || program.run_unjudged(number, line, &mut runner));
    let (events, breach) = (std::mem::take(&mut runner.events), runner.breach.take());
    copy.rust = program;
    let ended = match outcome {
        Err(_) => {
            Some(breach.unwrap_or_else(|| "It went on with bytes that are no value.".to_owned()))
        }
        Ok(Err(Fault::Run(Stop::Panic { message, .. }))) => {
            Some(format!("It panicked: {message}."))
        }
        Ok(Err(fault)) => Some(fault.to_string()),
        Ok(Ok(())) => None,
    };
    let before = sandbox::run(MOST_ACCESSES, || world.dangling()).unwrap_or_default();
    let mut dangling = sandbox::run(MOST_ACCESSES, || copy.dangling()).unwrap_or_default();
    // What another line broke is none of this one's.
    dangling.retain(|row| {
        !before.iter().any(|old| (&old.name, old.address) == (&row.name, row.address))
    });
    if code.is_none() && dangling.is_empty() {
        return Err(nothing());
    }
    Ok(DareRust { input: line.to_owned(), code, events, ended, dangling })
}

fn with_program(
    world: &mut World,
    line: &str,
    run: impl FnOnce(&mut interpreter::Program, &mut Runner<'_>) -> Result<(), Fault>,
) -> Result<Answer, Problem> {
    let span = Span::all(line);
    let before = world.clone();
    let mut program = std::mem::take(&mut world.rust);
    let mut runner = Runner::new(world, span);
    let outcome = run(&mut program, &mut runner);
    let Runner { mut events, untold, refused, .. } = runner;
    world.rust = program;
    if untold > 0 {
        events.push(Event::More { events: untold });
    }
    if matches!(outcome, Ok(()) | Err(Fault::Run(Stop::Panic { .. }))) {
        world.rust_lines.insert(world.now.line, Arc::clone(&world.now.text));
    }
    match outcome {
        Ok(()) => Ok(Answer::step(events)),
        Err(Fault::Run(Stop::Panic { message, at })) => {
            events.push(Event::Panic { message: message.clone() });
            let panic =
                Problem::new(Trouble::Panicked { message }, span_of(world.now.line, at, line));
            Ok(Answer { panic: Some(panic), ..Answer::step(events) })
        }
        Err(fault) => {
            let now = world.now.clone();
            *world = before;
            world.now = now;
            Err(problem(world, fault, refused, line))
        }
    }
}

/// What a fault is at the prompt.
pub(crate) fn problem(
    world: &World,
    fault: Fault,
    refused: Option<Problem>,
    line: &str,
) -> Problem {
    if let (Fault::Run(Stop::Refused(_)), Some(problem)) = (&fault, refused) {
        return problem;
    }
    let number = world.now.line;
    let span = fault.at().map_or(Span::all(line), |at| span_of(number, at, line));
    match fault {
        Fault::Run(Stop::Interrupted) => Problem::new(Trouble::Interrupted, span),
        fault => {
            let message = told(world, &fault, line);
            Problem::new(Trouble::Rust { fault: Box::new(fault), message }, span)
        }
    }
}

/// What is wrong, with each line of the log called by its number and its text. A line that was right until now is named
/// first.
fn told(world: &World, fault: &Fault, line: &str) -> String {
    let number = world.now.line;
    let text = |of: u32| match world.rust_lines.get(&of) {
        Some(text) if of != number => Cause { line: of, text: Arc::clone(text) }.to_string(),
        _ => "this line".to_owned(),
    };
    let Fault::Check(check) = fault else { return fault.to_string() };
    let told = check.told(&text);
    match check.at.line {
        at if at == number || line.is_empty() => told,
        at => format!("with this line, {} is wrong: {told}", text(at)),
    }
}

/// Where in the present line; all of it, if the place is in an older one.
fn span_of(number: u32, at: interpreter::typed::At, line: &str) -> Span {
    if at.line == number && (at.end as usize) <= line.len() {
        Span { start: at.start as usize, end: at.end as usize }
    } else {
        Span::all(line)
    }
}

/// The world as the interpreter's machine, while one statement runs.
pub(crate) struct Runner<'a> {
    world: &'a mut World,
    span: Span,
    events: Vec<Event>,
    untold: u64,
    blocks: u64,
    /// Why the machine refused.
    refused: Option<Problem>,
    /// Whether the program's own mistakes are to be shown: nobody has judged it.
    is_daring: bool,
    /// The mistake that ended a dared line.
    breach: Option<String>,
}

impl<'a> Runner<'a> {
    fn new(world: &'a mut World, span: Span) -> Self {
        Self {
            world,
            span,
            events: Vec::new(),
            untold: 0,
            blocks: 0,
            refused: None,
            is_daring: false,
            breach: None,
        }
    }

    fn event(&mut self, event: Event) {
        if self.events.len() < EVENTS_TOLD {
            self.events.push(event);
        } else {
            self.untold += 1;
        }
    }

    fn refuse<T>(&mut self, problem: Problem, refused: Refused) -> Result<T, Refused> {
        self.refused = Some(problem);
        Err(refused)
    }

    /// The live block that starts there.
    fn live_block(&self, at: u64) -> Option<BlockId> {
        let (id, inside) = self.world.live_around(Address(at))?;
        (inside == 0).then_some(id)
    }

    /// The program's own block.
    fn block(&self, at: u64) -> BlockId {
        self.live_block(at).unwrap_or_else(|| panic!("no live block starts at {at:#x}"))
    }

    fn tell_all(&mut self, events: Vec<Event>) {
        for event in events {
            self.event(event);
        }
    }

    fn overflowed<T>(&mut self, overflow: stack::Overflow) -> Result<T, Refused> {
        let problem = self.world.stack_overflow(overflow, self.span);
        self.refuse(problem, Refused::Stack)
    }

    fn is_outermost(&self) -> bool {
        self.world.rust_frames == 0
    }
}

impl Machine for Runner<'_> {
    fn push(&mut self, slot: &NewSlot<'_>) -> Result<u64, Refused> {
        let name: Arc<str> = slot.name.map_or_else(|| "".into(), Arc::clone);
        let ty = stack_type(slot.ty, slot.size, slot.align);
        let kind =
            ItemKind::Slot { name: Arc::clone(&name), ty: Some(ty), mutable: slot.is_mutable };
        if slot.name.is_some() && self.is_outermost() && self.world.is_taken(&name) {
            let argument = crate::problem::Argument::NameTaken { name };
            return self
                .refuse(Problem::new(Trouble::BadArgument(argument), self.span), Refused::Stack);
        }
        match self.world.push_rust(slot.size, slot.align as u32, kind) {
            Ok(pushed) => {
                let item = &pushed.item;
                if self.is_outermost() && !name.is_empty() {
                    self.event(Event::Push {
                        name,
                        address: item.address.into(),
                        size_bytes: slot.size,
                        align_bytes: slot.align,
                        padding_bytes: u64::from(item.padding_bytes),
                        value: None,
                        ty: Some(slot.ty.to_string()),
                        literal: None,
                        sp_before: pushed.sp_before.into(),
                    });
                }
                Ok(u64::from(pushed.item.address))
            }
            Err(overflow) => self.overflowed(overflow),
        }
    }

    fn pop(&mut self, count: usize) {
        self.world.pop_rust(count);
    }

    fn enter(&mut self, function: &Arc<str>, line: u32) -> Result<(), Refused> {
        let entered = self.world.enter_rust(Arc::clone(function), line);
        entered.or_else(|overflow| self.overflowed(overflow))
    }

    fn leave(&mut self) {
        self.world.leave_rust();
    }

    fn heap(&mut self, heap: Heap) -> Result<u64, Refused> {
        let info = heap::named(heap.0).expect("a program can name heaps of the table alone");
        match self.world.arena_named(info, self.span) {
            Ok(id) => Ok(id.base().0),
            Err(problem) => self.refuse(problem, Refused::Heap),
        }
    }

    fn allocate(
        &mut self,
        heap: Option<u64>,
        size: u64,
        align: u64,
        is_zeroed: bool,
    ) -> Result<u64, Refused> {
        self.blocks += 1;
        if self.blocks > MOST_BLOCKS {
            let problem = Problem::new(Trouble::TooManyBlocks { most: MOST_BLOCKS }, self.span);
            return self.refuse(problem, Refused::Heap);
        }
        let of = heap.and_then(|at| self.world.arenas.at(Address(at)));
        let arena = of.map_or(self.world.arena(), |(arena, _)| arena);
        let of = arena.id;
        let layout = arena.layout(size, self.span, align, self.span);
        let events = layout.and_then(|layout: Layout| {
            let name = Some(self.world.next_owned_name());
            self.world.alloc(of, layout, name, is_zeroed, self.span)
        });
        match events {
            Ok(events) => {
                let Some(&Event::Alloc { address, .. }) = events.first() else {
                    unreachable!("an allocation's first event says so")
                };
                self.world.owned.insert(self.block(address.0));
                self.tell_all(events);
                Ok(address.0)
            }
            Err(problem) => self.refuse(problem, Refused::Heap),
        }
    }

    fn reallocate(&mut self, at: u64, size: u64, align: u64, new: u64) -> Result<u64, Refused> {
        debug_assert!(size > 0 && align > 0, "a block has a layout");
        let id = self.block(at);
        match self.world.realloc(id, new, self.span) {
            Ok(events) => {
                let Some(&Event::Realloc { address, .. }) = events.first() else {
                    unreachable!("a reallocation's first event says so")
                };
                self.world.owned.remove(&id);
                self.world.owned.insert(self.block(address.0));
                self.tell_all(events);
                Ok(address.0)
            }
            Err(problem) => self.refuse(problem, Refused::Heap),
        }
    }

    fn deallocate(&mut self, at: u64, _size: u64, _align: u64) {
        if self.is_daring && self.live_block(at).is_none() {
            let lies = self.world.whereabouts(Address(at));
            let at = Address(at);
            self.breach = Some(format!(
                "{at}, {lies}, was freed a second time: the list of holes is damaged."
            ));
            std::panic::resume_unwind(Box::new("a dared line freed a block twice"));
        }
        let id = self.block(at);
        self.world.owned.remove(&id);
        let events = self.world.free(id);
        self.tell_all(events);
    }

    fn is_live(&self, at: u64, len: u64) -> bool {
        let Some(end) = at.checked_add(len) else { return false };
        match self.world.arenas.at(Address(at)) {
            // A dare looks at what is left there.
            Some((arena, offset)) if self.is_daring => {
                u64::from(offset) + len <= arena.heap.len().into()
            }
            Some((Arena { ledger, .. }, offset)) => {
                ledger.live_around(offset).is_some_and(|(id, inside)| {
                    u64::from(inside) + len <= u64::from(ledger.life(id).size_bytes)
                })
            }
            None => at >= self.world.stack.sp().into() && end <= stack::START.into(),
        }
    }

    fn read(&self, at: u64, bytes: &mut [u8]) {
        self.world.read_rust(at, bytes);
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.world.put(Address(at), bytes);
    }

    fn fill(&mut self, at: u64, len: u64, byte: u8) {
        self.world.fill_rust(at, len, byte);
    }

    fn copy(&mut self, from: u64, to: u64, len: u64) {
        self.world.copy_rust(from, to, len);
    }

    fn tell(&mut self, note: Note) {
        match note {
            Note::Bind(bound) if bound.name.is_empty() => {}
            Note::Bind(bound) => self.bind(bound),
            Note::Assign { place, address, size, value } => {
                let mut bytes = vec![0; size.min(BYTES_TOLD) as usize];
                self.read(address, &mut bytes);
                let address = Address(address);
                let owner = self.world.owner_at(address);
                let (name, offset) = owner.unwrap_or_else(|| (place.into(), 0));
                let literal = Some(value.clone());
                self.event(Event::Write {
                    name,
                    offset,
                    address,
                    bytes,
                    value: Some(value),
                    literal,
                });
            }
            Note::Value { ty, value } => self.event(Event::Value { ty, value }),
            Note::Print(text) => {
                if let Some(Event::Print { text: last }) = self.events.last_mut() {
                    last.push_str(&text);
                } else {
                    self.event(Event::Print { text });
                }
            }
            Note::Drop { name } => self.event(Event::Drop { name }),
            Note::Panic { .. } => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.world.stop.load(Ordering::Relaxed)
    }
}

impl Runner<'_> {
    /// A variable has its first value. Plain numbers and arrays of them are told by their push, as `push` tells them.
    fn bind(&mut self, bound: Bound) {
        let Bound { name, ty, address, size, value, behind } = bound;
        let at = Address(address);
        let plain = self.world.stack_value(at);
        let pushed = self.events.iter_mut().find_map(|event| match event {
            Event::Push { address, value, literal, .. } if *address == at => Some((value, literal)),
            _ => None,
        });
        if let (Some((value, literal)), Some(plain)) = (pushed, plain) {
            (*value, *literal) = (Some(plain.to_string()), Some(plain.literal()));
        }
        let word = |offset| self.read_bits(address + offset, layout::WORD_BYTES) as u64;
        let target = match &ty {
            Type::Ref(_, to) => Some(&**to),
            Type::Lib(Lib::Box | Lib::Rc | Lib::Arc, args) => Some(&args[0]),
            Type::Lib(Lib::PoolBox, args) => Some(&args[1]),
            _ => None,
        };
        let pointer = Address(target.map_or(0, |_| word(0)));
        let words = match (&ty, target) {
            (Type::Lib(Lib::Vec | Lib::String, _), _) => Some(Words::Vec {
                capacity: word(layout::vec::CAPACITY),
                pointer: Address(word(layout::vec::POINTER)),
                length: word(size - layout::WORD_BYTES),
            }),
            (_, Some(Type::Str | Type::Slice(_))) => {
                Some(Words::Slice { pointer, length: word(layout::WORD_BYTES) })
            }
            (_, Some(Type::Dyn(..))) => {
                let vtable = Address(word(layout::WORD_BYTES));
                Some(Words::Dyn { pointer, vtable, of: behind.unwrap_or_default() })
            }
            _ => None,
        };
        let pointer = words.as_ref().map(Words::pointer).or_else(|| target.map(|_| pointer));
        let owner = |pointer: Address| match self.world.owner_at(pointer) {
            None if is_read_only(pointer.0) => Some(("read-only memory".into(), 0)),
            owner => owner,
        };
        let points_to = pointer.and_then(owner);
        let points_to = points_to.map(|(name, offset)| match offset {
            0 => name,
            offset => format!("{name}+{offset}").into(),
        });
        self.event(Event::Bind {
            name,
            ty: ty.to_string(),
            address: at,
            size_bytes: size,
            value,
            words,
            points_to,
        });
    }
}

/// The pointers of Rust, each with the address at which it lies.
pub(crate) struct Pointers(Vec<(u64, PointRow)>);

impl Pointers {
    /// Those that lie in a stretch.
    pub(crate) fn within(&self, start: Address, bytes: u64) -> Vec<PointRow> {
        let stretch = start.0..start.0 + bytes;
        let inside = self.0.iter().filter(|(at, _)| stretch.contains(at));
        inside.map(|(at, row)| PointRow { offset: at - start.0, ..row.clone() }).collect()
    }
}

/// A type as the stack knows it: numbers and arrays of them by themselves, the rest by name and size.
fn stack_type(ty: &Type, size: u64, align: u64) -> stack::Type {
    let simple = match ty {
        Type::Scalar(scalar) => Some(stack::Type::Scalar(*scalar)),
        Type::Array(element, len) => {
            let element_size = if *len == 0 { 0 } else { size / len };
            match stack_type(element, element_size, align) {
                stack::Type::Named { .. } => None,
                element => Some(stack::Type::Array(Arc::new(element), *len)),
            }
        }
        _ => None,
    };
    simple.unwrap_or_else(|| stack::Type::Named {
        name: ty.to_string().into(),
        size_bytes: size,
        align_bytes: align as u32,
    })
}

impl World {
    /// The variables of Rust that are in scope, the oldest first.
    pub(crate) fn variables(&self) -> Vec<VarRow> {
        self.read_by_rust(false, |reader| self.variables_read_by(reader)).unwrap_or_default()
    }

    /// The pointers of Rust, wherever they lie.
    pub(crate) fn pointers(&self) -> Pointers {
        let rows = self.read_by_rust(false, |reader| {
            let pointers = self.rust.pointers(reader);
            pointers.iter().map(|pointer| (pointer.at, self.point_row(pointer))).collect()
        });
        Pointers(rows.unwrap_or_default())
    }

    /// Reads what there is of Rust, if there is any. Reading needs a machine, and a machine may be written to: a copy is one.
    fn read_by_rust<T>(&self, is_daring: bool, read: impl FnOnce(&Runner<'_>) -> T) -> Option<T> {
        if self.rust.is_empty() {
            return None;
        }
        let mut copy = self.clone();
        Some(read(&Runner { is_daring, ..Runner::new(&mut copy, Span::default()) }))
    }

    fn variables_read_by(&self, reader: &Runner<'_>) -> Vec<VarRow> {
        let pointers = self.rust.pointers(reader);
        let row = |variable: interpreter::program::Variable| VarRow {
            name: variable.name,
            ty: variable.ty,
            address: Address(variable.address),
            size_bytes: variable.size,
            mutable: variable.is_mutable,
            value: variable.value,
            points: pointers
                .iter()
                .filter(|pointer| {
                    (variable.address..variable.address + variable.size).contains(&pointer.at)
                })
                .map(|pointer| PointRow {
                    offset: pointer.at - variable.address,
                    ..self.point_row(pointer)
                })
                .collect(),
        };
        self.rust.variables(reader, VALUE_SHOWN).into_iter().map(row).collect()
    }

    /// Where a pointer leads, by names.
    fn point_row(&self, pointer: &Pointer) -> PointRow {
        let to = Address(pointer.to);
        let (into, inside_bytes) = match (pointer.role, self.owner_at(to)) {
            (Role::Vtable, _) => ("vtable".into(), 0),
            (_, Some(owner)) => owner,
            _ if is_read_only(pointer.to) => ("literal".into(), 0),
            // A temporary has no name.
            _ if matches!(self.whereabouts(to), Whereabouts::Slot { .. }) => {
                (to.to_string().into(), 0)
            }
            _ => ("gone".into(), 0),
        };
        PointRow { offset: 0, to, into, inside_bytes }
    }

    /// The references in the variables and in what they own that lead to nothing live.
    fn dangling(&self) -> Vec<DanglingRow> {
        let rows = self.read_by_rust(true, |reader| {
            let variables = self.variables_read_by(reader);
            let pointers = self.rust.pointers(reader);
            let guests = pointers.iter().filter(|pointer| pointer.role == Role::Guest);
            guests.filter_map(|pointer| self.dangling_row(pointer, &variables, reader)).collect()
        });
        rows.unwrap_or_default()
    }

    fn dangling_row(
        &self,
        pointer: &Pointer,
        variables: &[VarRow],
        reader: &Runner<'_>,
    ) -> Option<DanglingRow> {
        let address = Address(pointer.to);
        let is_inside =
            |row: &&VarRow| (row.address.0..row.address.0 + row.size_bytes).contains(&pointer.to);
        let owner = variables.iter().rfind(is_inside);
        let lies = match (self.whereabouts(address), owner) {
            (_, Some(owner)) if owner.value == "moved" => {
                format!("in {}, which was moved from", owner.name)
            }
            (Whereabouts::Block { .. } | Whereabouts::Slot { .. } | Whereabouts::Nowhere, _) => {
                return None;
            }
            (lies, _) => lies.to_string(),
        };
        let value = self.rust.describe_at(reader, pointer.at, &pointer.ty, VALUE_SHOWN);
        let (name, value) = (pointer.path.as_str().into(), value.unwrap_or_default());
        Some(DanglingRow { name, address, lies, value })
    }

    /// The blocks of the program that nothing owns any more.
    pub(crate) fn leaks(&self) -> Vec<LeakRow> {
        if self.owned.is_empty() {
            return Vec::new();
        }
        let mut copy = self.clone();
        let leaks = self.rust.leaks(&Runner::new(&mut copy, Span::default()));
        let row = |leak: interpreter::run::Leak| {
            let address = Address(leak.address);
            let (id, _) = self.live_around(address).expect("a leak is a live block");
            LeakRow {
                handle: self.block_name(id),
                address,
                size_bytes: u64::from(self.life(id).size_bytes),
                holds: leak.content.to_string(),
                line: self.arenas[id.arena].ledger.birth(id).line,
            }
        };
        leaks.into_iter().map(row).collect()
    }

    /// Whether a live handle, slot or mark of the prompt has that name, so that no variable can.
    fn is_taken(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|named| {
            self.is_live(named)
                && !matches!(named, Named::Slot { id, .. } if self.rust_slots.contains(id))
        })
    }

    /// What an address lies in, a block or a variable, and how far inside.
    fn owner_at(&self, address: Address) -> Option<(Arc<str>, u64)> {
        if let Some((Arena { ledger, .. }, offset)) = self.arenas.at(address) {
            let (id, inside) = ledger.live_around(offset)?;
            return Some((Arc::clone(ledger.name(id)), u64::from(inside)));
        }
        let item = self.stack.item_at(self.stack_address(address)?)?;
        match &item.kind {
            ItemKind::Slot { name, .. } if !name.is_empty() => {
                Some((Arc::clone(name), address.0 - u64::from(item.address)))
            }
            _ => None,
        }
    }

    /// The value of a variable of the stack, where the stack can read it.
    fn stack_value(&self, at: Address) -> Option<stack::Value> {
        let item = self.stack.item_at(self.stack_address(at)?)?;
        (item.address == at.0 as u32).then(|| self.stack.value(item)).flatten()
    }

    fn read_rust(&self, at: u64, bytes: &mut [u8]) {
        match self.arenas.at(Address(at)) {
            Some((arena, offset)) => arena.heap.read(heap::Offset(offset), bytes),
            None => self.stack.read_into(at as u32, bytes),
        }
    }

    fn fill_rust(&mut self, at: u64, len: u64, byte: u8) {
        let len = len as u32;
        match self.arenas.at_mut(Address(at)) {
            Some((arena, offset)) => {
                arena.heap.fill(heap::Offset(offset)..heap::Offset(offset + len), byte);
                arena.ledger.note_written(offset..offset + len);
            }
            None => self.stack.fill(at as u32..at as u32 + len, byte),
        }
        self.touch(Address(at), u64::from(len));
        self.work += u64::from(len) / 4096;
    }

    /// Copies bytes that may overlap. What is unset stays unset.
    fn copy_rust(&mut self, from: u64, to: u64, len: u64) {
        let mut bytes = vec![0; len as usize];
        self.read_rust(from, &mut bytes);
        let unset: Vec<_> = (0..len).filter(|index| !self.is_set(from + index)).collect();
        self.put(Address(to), &bytes);
        for index in unset {
            self.forget_rust(to + index);
        }
        self.work += len / 4096;
    }

    fn is_set(&self, at: u64) -> bool {
        match self.arenas.at(Address(at)) {
            Some((arena, offset)) => arena.ledger.is_set(offset),
            None => matches!(self.stack.byte(at as u32), stack::Byte::Set(_)),
        }
    }

    fn forget_rust(&mut self, at: u64) {
        match self.arenas.at_mut(Address(at)) {
            Some((arena, offset)) => arena.ledger.forget(offset..offset + 1),
            None => self.stack.unset(at as u32..at as u32 + 1),
        }
    }
}
