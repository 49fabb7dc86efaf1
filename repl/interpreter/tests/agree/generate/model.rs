//! What the generator knows of a program's variables: which live, which were moved, who borrows what.
//!
//! It is coarser than rustc's model and on the safe side of it: a reference lives until it is *retired*, that is until
//! the generator decides never to use it again.

use super::types::{Struct, Ty};

pub(crate) type VarId = usize;

/// A path of fields from a variable; `*` leads into a `Box`.
pub(crate) type Path = Vec<String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A shared borrow, or a read.
    Read,
    /// An exclusive borrow, an assignment, a move.
    Write,
}

/// A borrow of part of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loan {
    pub(crate) var: VarId,
    pub(crate) path: Path,
    pub(crate) access: Access,
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) is_mutable: bool,
    pub(crate) is_alive: bool,
    pub(crate) is_set: bool,
    pub(crate) moved: Vec<Path>,
    /// What the references in it borrow.
    pub(crate) loans: Vec<Loan>,
    /// Whether it is never used again.
    pub(crate) is_retired: bool,
    /// How many loops it was declared in.
    pub(crate) loops: usize,
    /// How many elements it has at least, if it is a vector.
    pub(crate) min_len: usize,
}

impl Var {
    fn is_whole(&self) -> bool {
        self.is_set && self.moved.is_empty()
    }
}

/// How a place is reached from its variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Own,
    Ref,
    RefMut,
    /// Through `Rc` or a guard: by a call of `deref`.
    Call,
}

/// A place the program can name.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) root: VarId,
    pub(crate) path: Path,
    /// As an expression.
    pub(crate) text: String,
    /// As a method's receiver, which is dereferenced by itself.
    pub(crate) auto: String,
    pub(crate) ty: Ty,
    pub(crate) via: Via,
    pub(crate) is_mutable: bool,
    pub(crate) can_move: bool,
    pub(crate) has_index: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) vars: Vec<Var>,
    /// What temporaries of the statement being written borrow.
    pub(crate) temporaries: Vec<Loan>,
    /// The number of variables when each scope opened.
    scopes: Vec<usize>,
    pub(crate) loops: usize,
}

impl Model {
    pub(crate) fn declare(&mut self, name: &str, ty: Ty, is_mutable: bool) -> VarId {
        self.vars.push(Var {
            name: name.to_owned(),
            ty,
            is_mutable,
            is_alive: true,
            is_set: true,
            moved: Vec::new(),
            loans: Vec::new(),
            is_retired: false,
            loops: self.loops,
            min_len: 0,
        });
        self.vars.len() - 1
    }

    pub(crate) fn open(&mut self) {
        self.scopes.push(self.vars.len());
    }

    /// Ends a scope. What borrows its variables from outside is never used again.
    pub(crate) fn close(&mut self) {
        let first = self.scopes.pop().expect("a scope is open");
        for var in &mut self.vars[first..] {
            var.is_alive = false;
        }
        for var in &mut self.vars[..first] {
            if var.loans.iter().any(|loan| loan.var >= first) {
                var.is_retired = true;
            }
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.scopes.len()
    }

    /// The variables a name can reach, those of no further use aside.
    pub(crate) fn visible(&self) -> Vec<VarId> {
        self.named().filter(|&id| !self.vars[id].is_retired).collect()
    }

    fn named(&self) -> impl Iterator<Item = VarId> {
        (0..self.vars.len()).filter(|&id| {
            let var = &self.vars[id];
            let is_shadowed =
                || self.vars[id + 1..].iter().any(|v| v.is_alive && v.name == var.name);
            var.is_alive && !is_shadowed()
        })
    }

    /// Every place of the variables in reach, a few steps deep. What was moved or shall not be used again is among them
    /// only if asked for.
    pub(crate) fn places(&self, structs: &[Struct], with_spent: bool) -> Vec<Place> {
        if with_spent {
            let mut all = self.clone();
            for var in &mut all.vars {
                (var.is_set, var.is_retired) = (true, false);
                var.moved.clear();
            }
            return all.places(structs, false);
        }
        let mut found = Vec::new();
        for id in self.visible() {
            let var = &self.vars[id];
            if !var.is_set {
                continue;
            }
            let whole = Place {
                root: id,
                path: Vec::new(),
                text: var.name.clone(),
                auto: var.name.clone(),
                ty: var.ty.clone(),
                via: Via::Own,
                is_mutable: var.is_mutable,
                can_move: true,
                has_index: false,
            };
            self.walk(whole, 3, structs, &mut found);
        }
        found
    }

    fn walk(&self, place: Place, depth: usize, structs: &[Struct], found: &mut Vec<Place>) {
        let var = &self.vars[place.root];
        if place.via == Via::Own && var.moved.contains(&place.path) {
            return;
        }
        if depth > 0 {
            self.parts(&place, depth, structs, found);
        }
        let is_partly_moved =
            place.via == Via::Own && { var.moved.iter().any(|path| path.starts_with(&place.path)) };
        if !is_partly_moved {
            found.push(place);
        }
    }

    fn parts(&self, place: &Place, depth: usize, structs: &[Struct], found: &mut Vec<Place>) {
        let step = |name: &str, ty: &Ty, text: String, auto: String| {
            let mut part = place.clone();
            (part.text, part.auto, part.ty) = (text, auto, ty.clone());
            if part.via == Via::Own && !part.has_index {
                part.path.push(name.to_owned());
            }
            part
        };
        match &place.ty {
            Ty::Tuple(items) => {
                for (at, ty) in items.iter().enumerate() {
                    let text = format!("{}.{at}", place.auto);
                    let part = step(&at.to_string(), ty, text.clone(), text);
                    self.walk(part, depth - 1, structs, found);
                }
            }
            Ty::Struct(id) => {
                let of = &structs[*id];
                for (name, ty) in &of.fields {
                    let text = format!("{}.{name}", place.auto);
                    let mut part = step(name, ty, text.clone(), text);
                    part.can_move &= !of.has_drop;
                    self.walk(part, depth - 1, structs, found);
                }
            }
            Ty::Array(of, len) if *len > 0 => self.element(place, of, *len, depth, structs, found),
            Ty::Lib("Vec" | "heapless::Vec", args) => {
                let len = self.vars[place.root].min_len;
                if len > 0 && place.path.is_empty() && place.via == Via::Own {
                    self.element(place, &args[0], len, depth, structs, found);
                }
            }
            Ty::Ref(to) | Ty::RefMut(to) if to.is_sized() => {
                let mut part = place.clone();
                (part.text, part.ty) = (format!("(*{})", place.text), (**to).clone());
                part.can_move = false;
                if matches!(place.ty, Ty::Ref(_)) {
                    (part.via, part.is_mutable) = (Via::Ref, false);
                } else {
                    part.is_mutable = place.via != Via::Ref && place.via != Via::Call;
                    part.via = if part.is_mutable { Via::RefMut } else { place.via };
                }
                self.walk(part, depth - 1, structs, found);
            }
            Ty::Lib("Box", args) => {
                let text = format!("(*{})", place.text);
                let part = step("*", &args[0], text, place.auto.clone());
                self.walk(part, depth - 1, structs, found);
            }
            Ty::Lib(name @ ("Rc" | "Arc" | "Ref" | "RefMut"), args) => {
                let mut part = place.clone();
                (part.text, part.ty) = (format!("(*{})", place.text), args[0].clone());
                part.can_move = false;
                part.is_mutable &= *name == "RefMut";
                part.via = Via::Call;
                self.walk(part, depth - 1, structs, found);
            }
            _ => {}
        }
    }

    fn element(
        &self,
        place: &Place,
        of: &Ty,
        len: usize,
        depth: usize,
        structs: &[Struct],
        found: &mut Vec<Place>,
    ) {
        let at = (place.text.len() + depth) % len;
        let mut part = place.clone();
        part.text = format!("{}[{at}]", place.auto);
        part.auto.clone_from(&part.text);
        part.ty = of.clone();
        (part.can_move, part.has_index) = (false, true);
        self.walk(part, depth - 1, structs, found);
    }

    /// Who stands in the way of an access: variables, and whether a temporary does.
    fn holders(&self, place: &Place, access: Access) -> (Vec<VarId>, bool) {
        let is_in_the_way = |loan: &Loan| {
            loan.var == place.root
                && loan.path.iter().zip(&place.path).all(|(a, b)| a == b)
                && (loan.access == Access::Write || access == Access::Write)
        };
        let holders = (0..self.vars.len())
            .filter(|&id| {
                let var = &self.vars[id];
                var.is_alive && !var.is_retired && var.loans.iter().any(is_in_the_way)
            })
            .collect();
        (holders, self.temporaries.iter().any(is_in_the_way))
    }

    /// Whether nobody's borrow stands in the way.
    pub(crate) fn is_free(&self, place: &Place, access: Access) -> bool {
        let (holders, is_held) = self.holders(place, access);
        holders.is_empty() && !is_held
    }

    /// Never uses again what stands in the way, if that is possible.
    pub(crate) fn make_free(&mut self, place: &Place, access: Access, structs: &[Struct]) -> bool {
        let (holders, is_held) = self.holders(place, access);
        let can_retire = |&id: &VarId| {
            let var = &self.vars[id];
            let is_in_use = self.temporaries.iter().any(|loan| loan.var == id);
            let is_ours = var.loops == self.loops && id != place.root;
            is_ours && !is_in_use && !var.ty.holds_guard(structs)
        };
        if is_held || !holders.iter().all(can_retire) {
            return false;
        }
        for id in holders {
            self.vars[id].is_retired = true;
        }
        true
    }

    /// Keeps a place as it is until the temporaries go.
    pub(crate) fn hold(&mut self, place: &Place) {
        let access = Access::Read;
        self.temporaries.push(Loan { var: place.root, path: place.path.clone(), access });
        self.temporaries.extend(self.vars[place.root].loans.clone());
    }

    /// Whether a place may be moved from, its borrows aside.
    pub(crate) fn can_move(&self, place: &Place) -> bool {
        place.can_move && place.via == Via::Own && self.vars[place.root].loops == self.loops
    }

    pub(crate) fn mark_moved(&mut self, place: &Place) {
        self.vars[place.root].moved.push(place.path.clone());
    }

    /// What a reference to a place borrows.
    pub(crate) fn loans_of(&self, place: &Place, access: Access) -> Vec<Loan> {
        let mut loans = self.vars[place.root].loans.clone();
        if place.via != Via::Ref {
            loans.push(Loan { var: place.root, path: place.path.clone(), access });
        }
        loans
    }

    /// Goes back to where a branch began; what it left behind of the variables from before.
    pub(crate) fn end_branch(&mut self, before: Self) -> Self {
        let len = before.vars.len();
        let mut after = std::mem::replace(self, before);
        after.vars.truncate(len);
        after
    }

    /// Joins two ways a program may have come.
    pub(crate) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.vars.iter_mut().zip(&other.vars) {
            mine.is_set &= theirs.is_set;
            mine.is_retired |= theirs.is_retired;
            mine.min_len = mine.min_len.min(theirs.min_len);
            if !(mine.is_whole() && theirs.is_whole()) {
                mine.moved.extend(theirs.moved.iter().cloned());
                if mine.moved.is_empty() && !mine.is_set {
                    mine.loans.clear();
                }
            }
            for loan in &theirs.loans {
                if !mine.loans.contains(loan) {
                    mine.loans.push(loan.clone());
                }
            }
        }
    }
}
