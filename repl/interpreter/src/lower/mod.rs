//! From text to the typed form: names are resolved, types found, methods looked up, adjustments written out.
//!
//! [`line()`] takes one line of the log. [`Names`] is what lines before it have declared.

#![allow(
    clippy::match_same_arms,
    clippy::unused_self,
    reason = "a match here is a table that is read row by row, and every helper is called alike"
)]

mod cow;
mod expr;
mod fault;
mod finish;
mod format;
mod given;
mod heap;
mod infer;
mod item;
mod lifetimes;
mod method;
mod object;
mod place;
mod scan;
mod signature;
mod traits;
mod ty;

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use syn::parse::Parser;
use syn::spanned::Spanned;

pub use fault::{Fault, Kind};
use infer::{Class, Infer};
pub use scan::is_unfinished;
use signature::Receiver;
pub use signature::signature;

use crate::items::Items;
use crate::typed::{At, Expr, ExprKind, FunctionId, Local, LocalId, LoopId, Stmt, Top};
use crate::types::{StructId, Type};

type Result<T> = std::result::Result<T, Fault>;

/// What the lines so far have declared.
#[derive(Clone, Debug, Default)]
pub struct Names {
    infer: Infer,
    body: Body,
    items: Declared,
    /// Those of the scopes around, the innermost last.
    outer: Vector<Declared>,
    /// What std has that is written in Rust here.
    given: given::Names,
    methods: OrdMap<(StructId, Arc<str>), (FunctionId, Receiver)>,
    /// The heaps a program can name.
    heaps: &'static [&'static str],
}

/// What a scope sees of items.
#[derive(Clone, Debug, Default)]
struct Declared {
    functions: OrdMap<Arc<str>, FunctionId>,
    structs: OrdMap<Arc<str>, StructId>,
    traits: OrdMap<Arc<str>, u32>,
    /// Imports: the path that a name stands for.
    uses: OrdMap<Arc<str>, Arc<str>>,
}

/// One body's variables and scopes.
#[derive(Clone, Debug)]
struct Body {
    locals: Vector<Local>,
    /// Names by scope, the innermost last.
    scopes: Vector<OrdMap<Arc<str>, LocalId>>,
    /// Loops around, the innermost last.
    loops: Vec<Loop>,
    next_loop: u32,
    /// What `return` gives.
    result: Type,
    /// The names of the body around a function, which it cannot see.
    outer: Vector<OrdMap<Arc<str>, LocalId>>,
}

#[derive(Clone, Debug)]
struct Loop {
    id: LoopId,
    label: Option<String>,
    /// What `break` gives; `None` where it can give nothing.
    value: Option<Type>,
    /// Whether a `break` leaves it.
    is_left: bool,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            locals: Vector::new(),
            scopes: Vector::unit(OrdMap::new()),
            loops: Vec::new(),
            next_loop: 0,
            result: Type::unit(),
            outer: Vector::new(),
        }
    }
}

impl Names {
    /// Nothing is declared but these heaps.
    pub fn with_heaps(heaps: &'static [&'static str]) -> Self {
        Self { heaps, ..Self::default() }
    }

    /// The outermost body's variables.
    pub fn locals(&self) -> &Vector<Local> {
        &self.body.locals
    }

    /// The variable that a name stands for now.
    pub fn local(&self, name: &str) -> Option<LocalId> {
        self.body.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }

    /// How many scopes are open.
    pub fn depth(&self) -> usize {
        self.body.scopes.len() - 1
    }

    /// Opens a scope: what it declares hides what is around it.
    fn enter(&mut self) {
        self.outer.push_back(self.items.clone());
    }

    /// Closes it.
    fn leave(&mut self) {
        self.items = self.outer.pop_back().expect("a scope was opened before it is closed");
    }

    /// Whether the innermost scope itself has declared a name of a kind.
    fn has_own<T: Clone + PartialEq>(
        &self,
        name: &str,
        kind: impl Fn(&Declared) -> &OrdMap<Arc<str>, T>,
    ) -> bool {
        let own = kind(&self.items).get(name);
        own.is_some() && own != self.outer.back().and_then(|outer| kind(outer).get(name))
    }

    /// Forgets a variable whose slot is gone.
    pub fn forget(&mut self, local: LocalId) {
        for scope in &mut self.body.scopes {
            let names: Vec<_> = scope
                .iter()
                .filter(|(_, id)| **id == local)
                .map(|(name, _)| Arc::clone(name))
                .collect();
            for name in names {
                scope.remove(&name);
            }
        }
    }

    /// Every name a line may begin with, for completion.
    pub fn words(&self) -> impl Iterator<Item = &Arc<str>> {
        let items = &self.items;
        let locals = self.body.scopes.iter().flat_map(OrdMap::keys);
        locals.chain(items.functions.keys()).chain(items.structs.keys()).chain(items.traits.keys())
    }
}

/// Lowers one line. On a fault `names` and `items` are of no use any more: the caller keeps copies.
///
/// # Errors
///
/// What is wrong with its grammar, names or types.
pub fn line(names: &mut Names, items: &mut Items, line: u32, text: &str) -> Result<Vec<Top>> {
    scan::check_depth(text, line)?;
    given::load_for(text, names, items, line)?;
    let whole = At { line, start: 0, end: text.len() as u32 };
    match text.trim() {
        "{" => {
            names.body.scopes.push_back(OrdMap::new());
            names.enter();
            return Ok(vec![Top::Open(whole)]);
        }
        "}" => {
            if names.depth() == 0 {
                return Err(Fault { kind: Kind::StrayBrace, at: whole });
            }
            names.body.scopes.pop_back();
            names.leave();
            return Ok(vec![Top::Close(whole)]);
        }
        _ => {}
    }
    // The prompt and `-c` take a `let`, a `use` or a pool without its semicolon.
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_pool = first.contains("box_pool!") && syn::parse_str::<syn::Macro>(text).is_ok();
    let is_open = (matches!(first, "let" | "use") || is_pool) && !text.trim_end().ends_with(';');
    let closed = if is_open { format!("{};", text.trim_end()) } else { text.to_owned() };
    let parsed = syn::Block::parse_within.parse_str(&closed);
    let lowered = match parsed {
        Ok(stmts) => lower(names, items, line, &stmts),
        Err(error) => Err(scan::syntax(&error, line, text)),
    };
    // Spans keep every source ever parsed.
    proc_macro2::extra::invalidate_current_thread_spans();
    lowered
}

/// Reads a type, as `layout` takes it.
///
/// # Errors
///
/// What is wrong with it.
pub fn type_of(names: &Names, items: &Items, line: u32, text: &str) -> Result<Type> {
    scan::check_depth(text, line)?;
    let (mut names, mut items) = (names.clone(), items.clone());
    let at = At { line, start: 0, end: text.len() as u32 };
    let lowered = match syn::parse_str::<syn::Type>(text) {
        Ok(ty) => {
            let mut lower = Lower::new(&mut names, &mut items, line);
            let ty = lower.ty(&ty);
            ty.and_then(|ty| {
                if ty.any(&mut |ty| matches!(ty, Type::Var(_))) {
                    Err(Fault { kind: Kind::NeedsType { what: text.to_owned() }, at })
                } else {
                    Ok(ty)
                }
            })
        }
        Err(error) => Err(scan::syntax(&error, line, text)),
    };
    proc_macro2::extra::invalidate_current_thread_spans();
    lowered
}

fn lower(names: &mut Names, items: &mut Items, line: u32, stmts: &[syn::Stmt]) -> Result<Vec<Top>> {
    let old_locals = names.body.locals.len();
    let mut lower = Lower::new(names, items, line);
    lower.declare(stmts)?;
    let mut tops = Vec::new();
    for (index, stmt) in stmts.iter().enumerate() {
        let is_last = index + 1 == stmts.len();
        lower.top(stmt, is_last, &mut tops)?;
    }
    lower.finish(&mut tops, old_locals)?;
    let body = lower.body;
    names.body = body;
    Ok(tops)
}

/// An integer as it was written.
struct Literal {
    value: u128,
    ty: Type,
    is_negated: bool,
    at: At,
}

/// The lowering of one line.
struct Lower<'a> {
    names: &'a mut Names,
    items: &'a mut Items,
    body: Body,
    line: u32,
    /// Variables without a name that stand before the `let` being lowered: temporaries that live as long as it.
    hoisted: Vec<Stmt>,
    /// Whether a borrow of a temporary here makes it live as long as the `let`.
    is_extending: bool,
    /// Integers as they were written: whether they fit is known when their types are.
    literals: Vec<Literal>,
    /// Traits that types must have once they are known.
    bounds: Vec<(Type, &'static str, At, fault::Why)>,
    /// Whether it is std's own code: see [`given`].
    is_given: bool,
}

impl<'a> Lower<'a> {
    fn new(names: &'a mut Names, items: &'a mut Items, line: u32) -> Self {
        let body = std::mem::take(&mut names.body);
        Self {
            names,
            items,
            body,
            line,
            hoisted: Vec::new(),
            is_extending: false,
            literals: Vec::new(),
            bounds: Vec::new(),
            is_given: false,
        }
    }

    fn at(&self, node: &impl Spanned) -> At {
        let range = node.span().byte_range();
        At { line: self.line, start: range.start as u32, end: range.end as u32 }
    }

    fn fault<T>(&self, kind: Kind, node: &impl Spanned) -> Result<T> {
        Err(Fault { kind, at: self.at(node) })
    }

    fn unsupported<T>(&self, what: &str, instead: &'static str, node: &impl Spanned) -> Result<T> {
        self.fault(Kind::Unsupported { what: what.to_owned(), instead }, node)
    }

    fn fresh(&mut self, class: Class) -> Type {
        self.names.infer.fresh(class)
    }

    fn shallow(&self, ty: &Type) -> Type {
        self.names.infer.shallow(ty)
    }

    fn type_name(&self, ty: &Type) -> String {
        self.names.infer.name(ty)
    }

    fn mismatch(&self, expected: &Type, found: &Type, at: At) -> Fault {
        let (expected, found) = (self.type_name(expected), self.type_name(found));
        Fault { kind: Kind::Mismatch { expected, found }, at }
    }

    fn unify(&mut self, expected: &Type, found: &Type, at: At) -> Result<()> {
        let same = self.names.infer.unify(expected, found);
        same.map_err(|_| self.mismatch(expected, found, at))
    }

    /// Declares a variable that the rest of the scope sees.
    fn declare_local(&mut self, name: &str, ty: Type, is_mutable: bool, at: At) -> LocalId {
        let name: Arc<str> = name.into();
        let id = self.hidden_local(Arc::clone(&name), ty, is_mutable, at);
        let scope = self.body.scopes.back_mut().expect("a scope is open");
        scope.insert(name, id);
        id
    }

    /// Declares a variable that no name leads to.
    fn hidden_local(&mut self, name: Arc<str>, ty: Type, is_mutable: bool, at: At) -> LocalId {
        let id = LocalId(self.body.locals.len() as u32);
        self.body.locals.push_back(Local { name, ty, is_mutable, at });
        id
    }

    fn find_local(&self, name: &str) -> Option<LocalId> {
        self.body.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }

    fn local_type(&self, id: LocalId) -> Type {
        self.body.locals[id.0 as usize].ty.clone()
    }

    /// One statement of the outermost body.
    fn top(&mut self, stmt: &syn::Stmt, is_last: bool, tops: &mut Vec<Top>) -> Result<()> {
        if let (syn::Stmt::Expr(expr, None), true) = (stmt, is_last)
            && !is_block_like(expr)
        {
            let value = self.shown(expr)?;
            let ty = self.shallow(&value.ty);
            tops.push(if ty.is_unit() || ty == Type::Never {
                Top::Stmt(Stmt::Expr(value))
            } else {
                Top::Show(value)
            });
            return Ok(());
        }
        let mut stmts = Vec::new();
        self.stmt(stmt, &mut stmts)?;
        tops.extend(stmts.into_iter().map(Top::Stmt));
        Ok(())
    }

    /// A value to show. What is not `Copy` is looked at through a reference, so that showing it does not move it.
    fn shown(&mut self, expr: &syn::Expr) -> Result<Expr> {
        let at = self.at(expr);
        let operand = self.operand(expr, None)?;
        Ok(match operand {
            place::Operand::Place(place, _) => {
                let ty = self.names.infer.settle(&place.ty);
                if ty.is_copy(&self.items.structs) {
                    Expr { kind: ExprKind::Read(place), ty, at }
                } else {
                    self.borrow(place, crate::typed::BorrowKind::Shared, at)
                }
            }
            place::Operand::Value(value) => value,
        })
    }
}

/// Whether an expression may stand as a statement without a semicolon.
fn is_block_like(expr: &syn::Expr) -> bool {
    use syn::Expr as E;
    matches!(
        expr,
        E::Block(_)
            | E::If(_)
            | E::Loop(_)
            | E::While(_)
            | E::ForLoop(_)
            | E::Match(_)
            | E::Unsafe(_)
    )
}
