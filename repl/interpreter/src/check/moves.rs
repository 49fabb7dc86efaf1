//! What has a value where: uses of what is unset or moved out of, and second assignments.
//!
//! A walk forward over the graph. A *mark* is a bit that says that a path may be without its value here.

use std::collections::BTreeMap;

use crate::typed::At;

use super::fault::{Fault, Use, Wrong};
use super::graph::{Act, Graph, Next, NodeId, PathId, VariableId};

/// The marks set at a point.
pub(super) type Marks = Vec<u64>;

fn has(marks: &Marks, mark: u32) -> bool {
    marks[mark as usize / 64] >> (mark % 64) & 1 == 1
}

fn set(marks: &mut Marks, mark: u32, is_set: bool) {
    let word = &mut marks[mark as usize / 64];
    *word = *word & !(1 << (mark % 64)) | u64::from(is_set) << (mark % 64);
}

/// Walks over the points from `from` on, until nothing new is found. `marks` are those before; what is behind the
/// last point comes out. Which of the points can be reached.
pub(super) fn walk(
    graph: &Graph,
    from: NodeId,
    marks: &mut Marks,
    faults: &mut Vec<Fault>,
) -> Vec<bool> {
    marks.resize((graph.marks as usize).div_ceil(64), 0);
    let is_reached = vec![false; graph.nodes.len() - from.index()];
    let mut walk = Walk { graph, from, faults: Vec::new(), entries: BTreeMap::new(), is_reached };
    loop {
        // Marks are only ever added, so a fault found in any turn is one.
        walk.faults.clear();
        let mut now = Some(marks.clone());
        if !walk.turn(&mut now) {
            *marks = now.unwrap_or_default();
            faults.append(&mut walk.faults);
            return walk.is_reached;
        }
    }
}

struct Walk<'a> {
    graph: &'a Graph,
    from: NodeId,
    faults: Vec<Fault>,
    /// The marks with which somebody jumps to a point.
    entries: BTreeMap<NodeId, Marks>,
    is_reached: Vec<bool>,
}

impl Walk<'_> {
    /// Walks over all points once, in order; whether a way back brought something new.
    fn turn(&mut self, now: &mut Option<Marks>) -> bool {
        let mut is_new = false;
        let from = self.from.index();
        for (index, node) in self.graph.nodes.iter().enumerate().skip(from) {
            let id = NodeId::new(index);
            if node.is_target
                && let Some(entry) = self.entries.get(&id)
            {
                match now {
                    Some(now) => now.iter_mut().zip(entry).for_each(|(now, entry)| *now |= entry),
                    None => *now = Some(entry.clone()),
                }
            }
            let Some(marks) = now else { continue };
            self.is_reached[index - from] = true;
            self.act(id, node.act, node.at, marks);
            let (Next::Fork(to) | Next::Jump(to)) = node.next else {
                if node.next == Next::Nothing {
                    *now = None;
                }
                continue;
            };
            let entry = self.entries.entry(to);
            let is_known = matches!(entry, std::collections::btree_map::Entry::Occupied(_));
            let entry = entry.or_insert_with(|| vec![0; marks.len()]);
            let mut is_more = !is_known;
            for (entry, mark) in entry.iter_mut().zip(marks) {
                is_more |= *mark & !*entry != 0;
                *entry |= *mark;
            }
            is_new |= is_more && to <= id;
            if matches!(node.next, Next::Jump(_)) {
                *now = None;
            }
        }
        is_new
    }

    fn act(&mut self, node: NodeId, act: Act, at: At, marks: &mut Marks) {
        match act {
            Act::Copy(path) => self.used(node, path, Use::Read, at, marks),
            Act::Borrow(path, ..) => self.used(node, path, Use::Borrowed, at, marks),
            Act::Move(path) => {
                self.used(node, path, Use::Moved, at, marks);
                if let Some(mark) = self.graph.path(path).mark {
                    set(marks, mark, true);
                }
            }
            Act::Assign(path) => self.assigned(node, path, at, marks),
            Act::Declare(variable) => {
                let path = self.graph.variable(variable).path;
                let mark = self.graph.path(path).mark.expect("an unset variable has a mark");
                set(marks, mark, true);
            }
            Act::End(variable) => {
                self.clear(variable, self.graph.variable(variable).path, marks);
                if let Some(ever) = self.graph.variable(variable).ever_mark {
                    set(marks, ever, false);
                }
            }
            _ => {}
        }
    }

    /// What lies on the path has a value again.
    fn clear(&self, variable: VariableId, path: PathId, marks: &mut Marks) {
        for marked in &self.graph.variable(variable).marked {
            if self.graph.is_within(*marked, path) {
                let mark = self.graph.path(*marked).mark.expect("it is marked");
                set(marks, mark, false);
            }
        }
    }

    /// A path of the variable that may be without a value and of which `concerns` holds.
    fn missing(
        &self,
        path: PathId,
        marks: &Marks,
        concerns: impl Fn(PathId) -> bool,
    ) -> Option<PathId> {
        let marked = &self.graph.root(path).marked;
        marked.iter().copied().find(|marked| {
            let mark = self.graph.path(*marked).mark.expect("it is marked");
            has(marks, mark) && concerns(*marked)
        })
    }

    fn used(&mut self, node: NodeId, path: PathId, how: Use, at: At, marks: &Marks) {
        if self.graph.root(path).marked.is_empty() {
            return;
        }
        let concerns =
            |marked| self.graph.is_within(path, marked) || self.graph.is_within(marked, path);
        if let Some(missing) = self.missing(path, marks, concerns) {
            self.fault(node, path, missing, how, at);
        }
    }

    fn assigned(&mut self, node: NodeId, path: PathId, at: At, marks: &mut Marks) {
        let variable = self.graph.path(path).variable;
        let of = self.graph.variable(variable);
        if let Some((shorter, _)) = &self.graph.path(path).last {
            let concerns = |marked| self.graph.is_within(*shorter, marked);
            if let Some(missing) = self.missing(path, marks, concerns) {
                self.fault(node, *shorter, missing, Use::Assigned, at);
            }
        } else if !of.is_mutable {
            let was_set = of.ever_mark.is_none_or(|ever| has(marks, ever));
            if was_set {
                let first = self.first_assignment(node, path).unwrap_or(of.at);
                let name = of.name.clone().unwrap_or_default();
                let is_parameter = of.is_parameter;
                let wrong = Wrong::AssignedTwice { name, first, is_parameter };
                self.faults.push(Fault { at, wrong });
            }
            if let Some(ever) = of.ever_mark {
                set(marks, ever, true);
            }
        }
        self.clear(variable, path, marks);
    }

    fn first_assignment(&self, node: NodeId, path: PathId) -> Option<At> {
        self.before(node, |_, act| act == Act::Assign(path), |_| false)
    }

    fn fault(&mut self, node: NodeId, path: PathId, missing: PathId, how: Use, at: At) {
        let variable = self.graph.path(missing).variable;
        let moved = self.before(
            node,
            |_, act| matches!(act, Act::Move(moved) if moved == missing),
            |act| match act {
                Act::Assign(assigned) => self.graph.is_within(missing, assigned),
                Act::Declare(other) | Act::End(other) => other == variable,
                _ => false,
            },
        );
        let place = self.graph.name(path);
        let declared = self.graph.variable(variable).at;
        let wrong = match moved {
            Some(by) => Wrong::Moved {
                place,
                part: (missing != path && self.graph.is_within(missing, path))
                    .then(|| self.graph.name(missing))
                    .flatten(),
                how,
                by,
                is_around: (by.line, by.start) >= (at.line, at.start),
            },
            None => Wrong::Unset { place, how, declared },
        };
        self.faults.push(Fault { at, wrong });
    }

    /// The nearest point before `node` of which `test` holds, not looking beyond those of which `ends` holds.
    fn before(
        &self,
        node: NodeId,
        test: impl Fn(NodeId, Act) -> bool,
        ends: impl Fn(Act) -> bool,
    ) -> Option<At> {
        let mut is_seen = vec![false; self.graph.nodes.len()];
        let mut next: std::collections::VecDeque<_> = self.graph.predecessors(node).collect();
        while let Some(id) = next.pop_front() {
            if std::mem::replace(&mut is_seen[id.index()], true) {
                continue;
            }
            let of = &self.graph.nodes[id.index()];
            if test(id, of.act) {
                return Some(of.at);
            }
            if !ends(of.act) {
                next.extend(self.graph.predecessors(id));
            }
        }
        None
    }
}
