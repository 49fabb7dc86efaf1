//! A body as a graph of points: what is read, moved, borrowed, written and dropped, in the order it happens.

use std::sync::Arc;

use crate::references::Slot;
use crate::typed::At;

use super::regions::{Owner, Regions};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name(u32);

        impl $name {
            pub(super) fn new(index: usize) -> Self {
                Self(index as u32)
            }

            pub(super) fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Names a point.
    NodeId
    /// Names a variable or a temporary.
    VariableId
    /// Names a path: a variable, or what some steps lead to from one.
    PathId
    /// Names a region.
    RegionId
    /// Names a loan.
    LoanId
}

/// A body as a graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    /// Its points, in the order of the source but for the ways back of loops.
    pub nodes: Vec<Node>,
    /// Its variables and temporaries.
    pub variables: Vec<Variable>,
    /// Its paths, each once.
    pub paths: Vec<Path>,
    /// Its regions.
    pub regions: Regions,
    /// Its loans, in the order of the source.
    pub loans: Vec<Loan>,
    /// How many marks moves need, see [`Path::mark`].
    pub marks: u32,
    /// The jumps, target first.
    jumps: Vec<(NodeId, NodeId)>,
}

/// A point.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What happens.
    pub act: Act,
    /// For whom it happens.
    pub at: At,
    /// What is next.
    pub next: Next,
    /// Whether somebody jumps here.
    pub is_target: bool,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing: ways part or meet here.
    Nothing,
    /// A variable begins without a value.
    Declare(VariableId),
    /// A place is copied.
    Copy(PathId),
    /// A place is moved out of.
    Move(PathId),
    /// A place is borrowed. What is behind a `&` is borrowed already, so that there is no new loan.
    Borrow(PathId, Borrow, Option<LoanId>),
    /// A two-phase borrow becomes a mutable one.
    Activate(LoanId),
    /// What a place held is dropped, since it is about to be assigned to.
    Replace(PathId),
    /// A place is assigned to.
    Assign(PathId),
    /// The value of a variable is dropped, if it has one.
    Drop(VariableId),
    /// A variable's memory is given up.
    End(VariableId),
    /// A temporary is used, for the last time.
    Use(VariableId),
    /// A temporary or a new variable gets its value.
    Define(VariableId),
}

/// How a place is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Borrow {
    /// `&`.
    Shared,
    /// `&mut`.
    Mut,
    /// `&mut` that is shared until its activation.
    TwoPhase,
}

/// What follows a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next one.
    Step,
    /// The next one, or this.
    Fork(NodeId),
    /// This one.
    Jump(NodeId),
    /// Nothing: the function returns, or a panic leaves it.
    Nothing,
}

/// A variable or a temporary.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Variable {
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
    /// Where it is declared; a temporary's expression.
    pub at: At,
    /// Its path.
    pub path: PathId,
    /// Whether it may be assigned to again.
    pub is_mutable: bool,
    /// Whether it gets its value where it is declared.
    pub is_set: bool,
    /// Whether it is a function's parameter.
    pub is_parameter: bool,
    /// Whether its end has something to do.
    pub needs_drop: bool,
    /// Whether it holds a constant, which lives as long as the program once it is borrowed.
    pub is_constant: bool,
    /// Whether it was borrowed.
    pub is_borrowed: bool,
    /// The first of its regions.
    pub first_region: RegionId,
    /// How many regions it has.
    pub region_count: usize,
    /// Whether its end looks through one of them.
    pub looks_when_dropped: bool,
    /// The point before which it does not exist.
    pub born: NodeId,
    /// Where it is used, if it has regions.
    pub uses: Vec<NodeId>,
    /// Where it is dropped, if that looks through its regions.
    pub drops: Vec<NodeId>,
    /// The paths from it that are moved out of, or begin unset.
    pub marked: Vec<PathId>,
    /// The mark that says whether it was ever assigned to, if that matters.
    pub ever_mark: Option<u32>,
    /// For a temporary that holds a reference to it: what a message should call it.
    pub stands_for: Option<PathId>,
}

impl Variable {
    /// Its regions, from outside in.
    pub(super) fn regions(&self) -> impl Iterator<Item = RegionId> + use<> {
        let first = self.first_region.index();
        (first..first + self.region_count).map(RegionId::new)
    }
}

/// A path: a variable, or what a step leads to.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// Where it starts.
    pub variable: VariableId,
    /// The path without the last step, and that step.
    pub last: Option<(PathId, Step)>,
    /// The paths one step longer are a list: the first, and this one's neighbour.
    first_longer: Option<PathId>,
    next: Option<PathId>,
    /// Which mark says whether it was moved out of, if it ever is.
    pub mark: Option<u32>,
}

/// A step of a path.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A field.
    Field {
        /// Its number.
        number: u32,
        /// Its name.
        name: Arc<str>,
        /// Whether what it is a field of has an `impl Drop`.
        is_of_drop: bool,
    },
    /// Through a `&`.
    DerefShared,
    /// Through a `&mut`.
    DerefMut,
    /// Through a `Box`.
    DerefBox,
    /// To an element. Which one is not asked.
    Index,
}

impl Step {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field { number: a, .. }, Self::Field { number: b, .. }) => a == b,
            (Self::DerefShared, Self::DerefShared)
            | (Self::DerefMut, Self::DerefMut)
            | (Self::DerefBox, Self::DerefBox)
            | (Self::Index, Self::Index) => true,
            _ => false,
        }
    }

    /// Whether it leads through a pointer.
    pub(super) fn is_deref(&self) -> bool {
        matches!(self, Self::DerefShared | Self::DerefMut | Self::DerefBox)
    }
}

/// A borrow of a place that may conflict with others.
#[derive(Clone, Debug)]
pub(super) struct Loan {
    /// What is borrowed.
    pub path: PathId,
    /// How.
    pub borrow: Borrow,
    /// For how long.
    pub region: RegionId,
    /// Where.
    pub node: NodeId,
    /// Where it is activated, if it is a two-phase borrow.
    pub active_from: Option<NodeId>,
}

/// How deep an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The bytes of the place alone: an assignment, the end of a variable.
    Shallow,
    /// What a drop may reach.
    Drop,
    /// All that can be reached from it.
    Deep,
}

impl Graph {
    /// Adds a point.
    pub(super) fn add(&mut self, act: Act, at: At) -> NodeId {
        let node = NodeId::new(self.nodes.len());
        if let Some(variable) = self.used(act) {
            let variable = &mut self.variables[variable.index()];
            if variable.region_count > 0 {
                variable.uses.push(node);
            }
        }
        if let Act::Drop(_) | Act::Replace(_) = act {
            let dropped = self.dropped(act).index();
            if self.variables[dropped].looks_when_dropped {
                self.variables[dropped].drops.push(node);
            }
        }
        self.nodes.push(Node { act, at, next: Next::Step, is_target: false });
        node
    }

    fn dropped(&self, act: Act) -> VariableId {
        match act {
            Act::Drop(variable) => variable,
            Act::Replace(path) => self.path(path).variable,
            other => unreachable!("{other:?} drops nothing"),
        }
    }

    /// The variable whose references an act needs.
    pub(super) fn used(&self, act: Act) -> Option<VariableId> {
        match act {
            Act::Copy(path) | Act::Move(path) | Act::Borrow(path, ..) => {
                Some(self.path(path).variable)
            }
            Act::Assign(path) => {
                let path = self.path(path);
                path.last.is_some().then_some(path.variable)
            }
            Act::Use(variable) => Some(variable),
            _ => None,
        }
    }

    /// The variable that has a new value after an act, or none, whatever it had before.
    pub(super) fn defined(&self, act: Act) -> Option<VariableId> {
        match act {
            Act::Assign(path) => {
                let path = self.path(path);
                path.last.is_none().then_some(path.variable)
            }
            Act::Define(variable) | Act::End(variable) | Act::Declare(variable) => Some(variable),
            _ => None,
        }
    }

    /// Whether the point defines the variable: what it held before is of no interest.
    pub(super) fn defines(&self, node: NodeId, variable: VariableId) -> bool {
        self.defined(self.nodes[node.index()].act) == Some(variable)
    }

    /// Lets `from` go to `to`, instead of to the next point or besides.
    pub(super) fn connect(&mut self, from: NodeId, to: NodeId, is_fork: bool) {
        self.nodes[from.index()].next = if is_fork { Next::Fork(to) } else { Next::Jump(to) };
        self.jumps.push((to, from));
        self.nodes[to.index()].is_target = true;
    }

    /// To be called when every jump is known.
    pub(super) fn finish(&mut self) {
        self.jumps.sort_unstable();
    }

    /// Forgets the points from `end` on, which nobody jumps to or from, and which use nothing.
    pub(super) fn truncate(&mut self, end: NodeId, alive: &[VariableId]) {
        self.nodes.truncate(end.index());
        for variable in alive {
            let drops = &mut self.variables[variable.index()].drops;
            drops.truncate(drops.partition_point(|node| *node < end));
        }
    }

    /// What may follow a point.
    pub(super) fn successors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        let step = NodeId::new(node.index() + 1);
        let (first, second) = match self.nodes[node.index()].next {
            Next::Step => (Some(step), None),
            Next::Fork(other) => (Some(step), Some(other)),
            Next::Jump(other) => (None, Some(other)),
            Next::Nothing => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// What may come before a point.
    pub(super) fn predecessors(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let before = node
            .index()
            .checked_sub(1)
            .filter(|before| matches!(self.nodes[*before].next, Next::Step | Next::Fork(_)));
        let jumps: &[_] = if self.nodes[node.index()].is_target {
            let first = self.jumps.partition_point(|(to, _)| *to < node);
            let count = self.jumps[first..].partition_point(|(to, _)| *to == node);
            &self.jumps[first..first + count]
        } else {
            &[]
        };
        before.map(NodeId::new).into_iter().chain(jumps.iter().map(|(_, from)| *from))
    }

    /// A new variable, with a region for each slot.
    pub(super) fn add_variable(
        &mut self,
        name: Option<Arc<str>>,
        at: At,
        slots: &[Slot],
    ) -> VariableId {
        let id = VariableId::new(self.variables.len());
        let path = PathId::new(self.paths.len());
        self.paths.push(Path {
            variable: id,
            last: None,
            first_longer: None,
            next: None,
            mark: None,
        });
        let first_region = RegionId::new(self.regions.len());
        for slot in slots {
            self.regions.add(Owner::Variable(id), slot.is_dropped);
        }
        self.variables.push(Variable {
            name,
            at,
            path,
            is_mutable: true,
            is_set: true,
            is_parameter: false,
            needs_drop: false,
            is_constant: false,
            is_borrowed: false,
            first_region,
            region_count: slots.len(),
            looks_when_dropped: slots.iter().any(|slot| slot.is_dropped),
            born: NodeId::new(self.nodes.len()),
            uses: Vec::new(),
            drops: Vec::new(),
            marked: Vec::new(),
            ever_mark: None,
            stands_for: None,
        });
        // What a reference leads to outlives it.
        for (slot, of) in slots.iter().enumerate() {
            if let Some(outer) = of.outer {
                let region = |slot| RegionId::new(first_region.index() + slot);
                self.regions.flow(region(slot), region(outer), at);
            }
        }
        id
    }

    /// The variable.
    pub(super) fn variable(&self, id: VariableId) -> &Variable {
        &self.variables[id.index()]
    }

    /// The path.
    pub(super) fn path(&self, id: PathId) -> &Path {
        &self.paths[id.index()]
    }

    /// The variable a path starts at.
    pub(super) fn root(&self, path: PathId) -> &Variable {
        self.variable(self.path(path).variable)
    }

    /// The path one step longer.
    pub(super) fn longer(&mut self, path: PathId, step: Step) -> PathId {
        let mut known = self.path(path).first_longer;
        while let Some(id) = known {
            let of = self.path(id);
            if of.last.as_ref().is_some_and(|(_, last)| last.is_same(&step)) {
                return id;
            }
            known = of.next;
        }
        let id = PathId::new(self.paths.len());
        let shorter = self.path(path);
        self.paths.push(Path {
            variable: shorter.variable,
            last: Some((path, step)),
            first_longer: None,
            next: shorter.first_longer,
            mark: None,
        });
        self.paths[path.index()].first_longer = Some(id);
        id
    }

    /// Lets a mark say whether the path was moved out of.
    pub(super) fn mark(&mut self, path: PathId) {
        if self.path(path).mark.is_none() {
            self.paths[path.index()].mark = Some(self.marks);
            self.marks += 1;
            let variable = self.path(path).variable;
            self.variables[variable.index()].marked.push(path);
        }
    }

    /// The path and the shorter ones it goes through, the longest first.
    pub(super) fn shorter(&self, path: PathId) -> impl Iterator<Item = PathId> + '_ {
        std::iter::successors(Some(path), |path| {
            self.path(*path).last.as_ref().map(|(shorter, _)| *shorter)
        })
    }

    /// Whether `path` is `other`, or leads on from there.
    pub(super) fn is_within(&self, path: PathId, other: PathId) -> bool {
        self.shorter(path).any(|shorter| shorter == other)
    }

    /// Whether an access to `path` touches what is borrowed as `borrowed`.
    pub(super) fn touches(&self, path: PathId, depth: Depth, borrowed: PathId) -> bool {
        if self.path(path).variable != self.path(borrowed).variable {
            return false;
        }
        if self.is_within(path, borrowed) {
            return true;
        }
        if !self.is_within(borrowed, path) {
            return false;
        }
        // From the accessed place on to the borrowed one: the step next to the accessed place decides first, so the
        // last word is the first step's.
        let mut is_touched = true;
        for longer in self.shorter(borrowed).take_while(|longer| *longer != path) {
            match (&self.path(longer).last.as_ref().expect("it is longer").1, depth) {
                (Step::DerefShared | Step::DerefMut | Step::DerefBox, Depth::Shallow)
                | (Step::DerefShared | Step::DerefMut, Depth::Drop) => is_touched = false,
                (Step::Field { is_of_drop: true, .. }, Depth::Drop) => is_touched = true,
                _ => {}
            }
        }
        is_touched
    }

    /// Whether an assignment to `path` certainly changes what the loan's path leads to, so that the loan is about
    /// something else from then on.
    pub(super) fn is_redirected(&self, borrowed: PathId, path: PathId) -> bool {
        self.is_within(borrowed, path)
            && !self
                .shorter(path)
                .any(|shorter| matches!(self.path(shorter).last, Some((_, Step::Index))))
    }

    /// A path as the program would write it. A temporary has no name.
    pub(super) fn name(&self, path: PathId) -> Option<String> {
        let of = self.path(path);
        match &of.last {
            None => {
                let variable = self.variable(of.variable);
                variable.name.as_ref().map(ToString::to_string)
            }
            Some((shorter, step)) => {
                // `*deref(&v)` is v to a reader.
                let root = self.path(*shorter);
                if step.is_deref()
                    && root.last.is_none()
                    && let Some(of) = self.variable(root.variable).stands_for
                {
                    return self.name(of);
                }
                let before = self.name(*shorter)?;
                Some(match step {
                    Step::Field { name, .. } => {
                        format!("{}.{name}", before.strip_prefix('*').unwrap_or(&before))
                    }
                    Step::Index => format!("{}[_]", before.strip_prefix('*').unwrap_or(&before)),
                    _ => format!("*{before}"),
                })
            }
        }
    }
}
