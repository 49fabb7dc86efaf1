//! The typed form, run on a machine.
//!
//! A body is first made into a list of operations (`code`, `compile`), once; `vm` does them. Calls, drops and
//! unwinding are lists of their own there, so the process's stack does not grow with the program's.

mod char;
mod choice;
mod clone;
mod code;
mod compare;
mod compile;
mod cow;
mod drop;
mod format;
mod heapless;
mod leaks;
mod library;
mod memory;
mod number;
mod place;
mod pointers;
mod pool;
mod scalar;
mod shared;
mod slice;
mod text;
mod vec;
mod vm;

use std::fmt;
use std::sync::Arc;

use crate::items::Items;
use crate::layout::{Layout, LayoutId, Layouts, TooLarge};
use crate::machine::{Machine, Refused};
use crate::typed::{At, Local, LocalId, Stmt, Top};
use crate::types::StructId;

pub use leaks::Leak;
pub use pointers::{Pointer, Role};

use code::{Code, Op, Path, SlotRef};
use vm::Vm;

/// Operations a line may take. A turn of a short loop takes some ten.
pub const MAX_STEPS: u64 = 200_000_000;

/// Why a program stopped. After a [`Stop::Panic`] the state is whole and goes on; after any other the caller takes back the
/// machine and the state it had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It panicked: frames are unwound, what had to be dropped is dropped, effects stay.
    Panic {
        /// What it said.
        message: String,
        /// Where.
        at: At,
    },
    /// It panicked while a panic unwound: a process would be aborted.
    Abort {
        /// What the second panic said.
        message: String,
        /// Where.
        at: At,
    },
    /// The stack or the heap had no room.
    Refused(Refused),
    /// It took [`MAX_STEPS`].
    Steps,
    /// Somebody asked it to stop.
    Interrupted,
    /// It has a type that rustc refuses for its size.
    TooLarge(TooLarge),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { message, .. } => write!(f, "panicked: {message}"),
            Self::Abort { message, .. } => {
                write!(f, "panicked while a panic unwound, which aborts a process: {message}")
            }
            Self::Refused(Refused::Stack) => f.write_str("the stack has no room for that"),
            Self::Refused(Refused::Heap) => f.write_str("the heap has no room for that"),
            Self::Steps => {
                write!(
                    f,
                    "still running after {} million steps. Nothing changed.",
                    MAX_STEPS / 1_000_000
                )
            }
            Self::Interrupted => f.write_str("interrupted."),
            Self::TooLarge(too_large) => too_large.fmt(f),
        }
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<TooLarge> for Stop {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
    }
}

/// The outermost body's variables: where they lie, which were moved from. With it, what the program allocated and has
/// not freed, and what need not be computed again.
#[derive(Clone, Debug, Default)]
pub struct State {
    slots: imbl::Vector<Slot>,
    /// Whose slot each is, and which slot each has.
    locals: imbl::Vector<LocalId>,
    of_local: compile::Globals,
    /// How many slots there were when each open scope was opened.
    scopes: imbl::Vector<usize>,
    /// Slots of whose types something is not known yet: `let v = Vec::new();`.
    unknown: imbl::Vector<u32>,
    blocks: imbl::OrdMap<u64, leaks::Block>,
    /// The first free block of each pool of the program: its static memory.
    pools: imbl::OrdMap<StructId, u128>,
    layouts: Layouts,
    /// By the function's number.
    codes: imbl::Vector<Option<Arc<Code>>>,
}

/// A variable or temporary.
#[derive(Clone, Debug)]
struct Slot {
    address: u64,
    layout: LayoutId,
    held: Held,
    /// The variable's name, if the reader is told when it is dropped.
    name: Option<Arc<str>>,
    /// Whether it is a slot of the machine's; otherwise part of one.
    is_pushed: bool,
}

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    /// Nothing yet.
    Unset,
    /// A value.
    Live,
    /// Nothing any more.
    Moved,
    /// A value without these parts.
    Partly(Arc<Vec<Path>>),
}

impl Held {
    fn moved(&mut self, path: &Path) {
        if path.is_empty() {
            *self = Self::Moved;
        } else if let Self::Partly(parts) = self {
            Arc::make_mut(parts).push(Arc::clone(path));
        } else {
            *self = Self::Partly(Arc::new(vec![Arc::clone(path)]));
        }
    }

    fn revived(&mut self, path: &Path) {
        if path.is_empty() {
            *self = Self::Live;
        } else if let Self::Partly(parts) = self {
            let parts = Arc::make_mut(parts);
            parts.retain(|part| !part.starts_with(path));
            if parts.is_empty() {
                *self = Self::Live;
            }
        }
    }
}

/// Runs what a line added to the outermost body. `locals` are all of that body's variables.
///
/// # Errors
///
/// Any [`Stop`].
pub fn run(
    items: &Items,
    state: &mut State,
    locals: &imbl::Vector<Local>,
    tops: &[Arc<Top>],
    machine: &mut dyn Machine,
) -> Result<(), Stop> {
    let mut vm = Vm::new(items, state, machine);
    vm.learn_types(locals)?;
    let result = tops.iter().try_for_each(|top| run_top(&mut vm, locals, top));
    vm.finish();
    result
}

fn run_top(vm: &mut Vm<'_>, locals: &imbl::Vector<Local>, top: &Top) -> Result<(), Stop> {
    match top {
        Top::Stmt(stmt) => {
            let code =
                compile::statement(vm.items, &mut vm.layouts, locals, &vm.state.of_local, stmt)?;
            vm.run(code, &[])?;
            match stmt {
                Stmt::Let { local, .. } => vm.keep_variables([*local]),
                Stmt::Pattern { parts, .. } => vm.keep_variables(parts.iter().map(|part| part.0)),
                Stmt::Expr(_) | Stmt::Mention(..) => {}
            }
            Ok(())
        }
        Top::Show(expr) => {
            let globals = &vm.state.of_local;
            let code = compile::show(vm.items, &mut vm.layouts, locals, globals, expr)?;
            vm.run(code, &[])
        }
        Top::Open(_) => {
            let len = vm.state.slots.len();
            vm.state.scopes.push_back(len);
            Ok(())
        }
        Top::Close(at) => {
            let len = vm.state.scopes.pop_back().expect("a scope was opened before it is closed");
            close(vm, len, *at)
        }
        Top::Pop(local, at) => {
            let slot = vm.state.of_local[local] as usize;
            assert_eq!(slot + 1, vm.state.slots.len(), "only the newest variable can be popped");
            close(vm, slot, *at)
        }
    }
}

/// Drops the outermost body's variables down to so many, and takes their slots away, even after a panic.
fn close(vm: &mut Vm<'_>, len: usize, at: At) -> Result<(), Stop> {
    let slots: Vec<_> = (len..vm.state.slots.len())
        .filter(|slot| vm.layouts[vm.state.slots[*slot].layout].needs_drop)
        .map(|slot| SlotRef::Global(slot as u32))
        .collect();
    let ops = vec![Op::Leave { slots: 0, drops: 0 }, Op::Return];
    let code = Code { ats: vec![at; ops.len()], ops, ..Code::default() };
    let result = vm.run(code, &slots);
    if matches!(result, Ok(()) | Err(Stop::Panic { .. })) {
        vm.machine.pop(vm.state.slots.len() - len);
        vm.state.slots.truncate(len);
        vm.state.unknown.retain(|slot| (*slot as usize) < len);
        for local in vm.state.locals.split_off(len) {
            vm.state.of_local.remove(&local);
        }
    }
    result
}

/// A variable of the outermost body that is still in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Which.
    pub local: LocalId,
    /// Where it lies.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// Its value as `{:?}` prints it; `moved`, `unset`, or with `moved` in place of some parts.
    pub value: String,
}

impl State {
    /// The newest variable of the outermost body.
    pub fn newest(&self) -> Option<LocalId> {
        self.locals.last().copied()
    }

    /// Where a variable of the outermost body lies, while it is in scope.
    pub fn address(&self, local: LocalId) -> Option<u64> {
        Some(self.slots.get(*self.of_local.get(&local)? as usize)?.address)
    }

    /// How a variable's type is laid out, while it is in scope.
    pub fn layout(&self, local: LocalId) -> Option<&Layout> {
        let slot = self.slots.get(*self.of_local.get(&local)? as usize)?;
        Some(&self.layouts[slot.layout])
    }

    /// The outermost body's variables, the oldest first. A value's text ends after some `limit` characters.
    pub fn variables(&self, items: &Items, machine: &dyn Machine, limit: usize) -> Vec<Variable> {
        self.slots
            .iter()
            .zip(&self.locals)
            .map(|(slot, local)| Variable {
                local: *local,
                address: slot.address,
                size: self.layouts[slot.layout].size,
                value: self.describe(items, machine, *local, limit).unwrap_or_default(),
            })
            .collect()
    }
}
