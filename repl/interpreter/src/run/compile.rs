//! The typed form into [`Code`].

use std::ops::Index;
use std::sync::Arc;

use stack::Scalar;

use super::code::{
    Arg, Base, Call, Callee, Code, LibraryCall, Loc, Op, Path, SlotInfo, SlotRef, Text, TextPiece,
    Told,
};
use crate::deep::deep;
use crate::items::Items;
use crate::layout::{LayoutId, Layouts, Shape, TooLarge, WORD_BYTES};
use crate::library::Builtin;
use crate::typed::{
    At, Block, Expr, ExprKind, Format, Function, Local, LocalId, LoopId, Piece, Place, Root, Step,
    Stmt,
};
use crate::types::{Lib, Type};

pub(super) type Result<T = ()> = std::result::Result<T, TooLarge>;

/// The variables of a body, by their numbers.
pub(super) type Locals = dyn Index<usize, Output = Local>;

/// The slots of the outermost body's variables.
pub(super) type Globals = imbl::OrdMap<LocalId, u32>;

/// Makes the code of a function.
pub(super) fn function(items: &Items, layouts: &mut Layouts, function: &Function) -> Result<Code> {
    let mut compiler = Compiler::new(items, layouts, &function.locals, None);
    compiler.code.name = Arc::clone(&function.name);
    for (number, ty) in function.signature.params.iter().enumerate() {
        let info = compiler.slot_info(LocalId(number as u32))?;
        let slot = SlotRef::Own(compiler.slots);
        compiler.slots += 1;
        compiler.drops += u32::from(ty.needs_drop(&items.structs));
        compiler.known.push((LocalId(number as u32), slot));
        compiler.code.params.push(info);
    }
    let result = &function.signature.result;
    compiler.code.gives_operand = is_operand(result);
    let want = want_of(result, Loc { base: Base::Return, offset: 0 });
    compiler.result = want;
    compiler.block(&function.body, want)?;
    compiler.at = function.body.end;
    compiler.emit(Op::Leave { slots: 0, drops: 0 });
    compiler.emit(Op::Return);
    Ok(compiler.code)
}

/// Makes the code of a statement of the outermost body. Of what it declares, slot 0 stays.
pub(super) fn statement(
    items: &Items,
    layouts: &mut Layouts,
    locals: &Locals,
    globals: &Globals,
    stmt: &Stmt,
) -> Result<Code> {
    let mut compiler = Compiler::new(items, layouts, locals, Some(globals));
    compiler.is_told = true;
    match stmt {
        Stmt::Let { local, init, at } => {
            compiler.at = *at;
            compiler.declare(*local, init.as_ref(), *at, true)?;
        }
        Stmt::Pattern { whole, init, parts, at } => {
            compiler.at = *at;
            compiler.pattern(*whole, init, parts, true)?;
        }
        Stmt::Expr(Expr { kind: ExprKind::Assign(place, value), at, .. }) => {
            compiler.at = *at;
            compiler.scoped(|c| {
                let loc = c.assign(place, value)?;
                c.tell_assigned(place, loc)
            })?;
        }
        Stmt::Expr(Expr { kind: ExprKind::AssignOp(op, place, value), at, .. }) => {
            compiler.at = *at;
            compiler.scoped(|c| {
                let loc = c.assign_op(*op, place, value)?;
                c.tell_assigned(place, loc)
            })?;
        }
        stmt => compiler.stmt(stmt)?,
    }
    compiler.emit(Op::Return);
    Ok(compiler.code)
}

/// Makes the code of a line's value.
pub(super) fn show(
    items: &Items,
    layouts: &mut Layouts,
    locals: &Locals,
    globals: &Globals,
    expr: &Expr,
) -> Result<Code> {
    let mut compiler = Compiler::new(items, layouts, locals, Some(globals));
    compiler.is_told = true;
    compiler.scoped(|c| {
        c.at = expr.at;
        if matches!(expr.ty, Type::Never) || expr.ty.is_unit() {
            return c.expr(expr, Want::Nothing);
        }
        let slot = c.temporary(&expr.ty)?;
        c.expr(expr, Want::Into(Loc::slot(slot)))?;
        c.schedule(slot, &expr.ty);
        let layout = c.layout(&expr.ty)?;
        c.emit(Op::Show(Loc::slot(slot), layout));
        Ok(())
    })?;
    compiler.emit(Op::Return);
    Ok(compiler.code)
}

/// Whether values of the type pass over the stack of operands: numbers and references.
pub(super) fn is_operand(ty: &Type) -> bool {
    matches!(ty, Type::Scalar(_) | Type::Ref(..) | Type::Heap(_))
}

/// What is to become of a value.
#[derive(Clone, Copy)]
pub(super) enum Want {
    Operand,
    Into(Loc),
    /// It is dropped at the end of the statement.
    Nothing,
}

/// Where a place lies.
#[derive(Clone, Copy)]
pub(super) enum Spot {
    At(Loc),
    /// Its address is the newest operand.
    Operand,
}

struct Loop {
    id: LoopId,
    /// Where `continue` goes.
    next: u32,
    want: Want,
    slots: u32,
    drops: u32,
    operands: u32,
    /// Jumps to be led behind the loop.
    breaks: Vec<usize>,
}

pub(super) struct Compiler<'a> {
    pub(super) items: &'a Items,
    layouts: &'a mut Layouts,
    pub(super) locals: &'a Locals,
    globals: Option<&'a Globals>,
    code: Code,
    /// The slots of this body's variables; a later entry hides an earlier one.
    known: Vec<(LocalId, SlotRef)>,
    /// Lengths of the frame's lists here, and operands that rest while an expression is evaluated.
    slots: u32,
    drops: u32,
    pub(super) operands: u32,
    /// Where the first argument or part that waits for others stands among the drops. It belongs to its expression, inside
    /// the statement: a temporary's drop goes below it, since a panic drops what is inside first.
    first_waiting: Option<u32>,
    loops: Vec<Loop>,
    result: Want,
    at: At,
    /// Whether the reader is told what happens to the variables: in the outermost body, outside loops.
    is_told: bool,
}

impl<'a> Compiler<'a> {
    fn new(
        items: &'a Items,
        layouts: &'a mut Layouts,
        locals: &'a Locals,
        globals: Option<&'a Globals>,
    ) -> Self {
        Self {
            items,
            layouts,
            locals,
            globals,
            code: Code::default(),
            known: Vec::new(),
            slots: 0,
            drops: 0,
            operands: 0,
            first_waiting: None,
            loops: Vec::new(),
            result: Want::Nothing,
            at: At::default(),
            is_told: false,
        }
    }

    pub(super) fn emit(&mut self, op: Op) -> usize {
        self.code.ops.push(op);
        self.code.ats.push(self.at);
        self.code.ops.len() - 1
    }

    fn here(&self) -> u32 {
        self.code.ops.len() as u32
    }

    /// Leads the jump at `at` to here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.code.ops[at] {
            Op::Jump(to)
            | Op::JumpIfNot(to)
            | Op::RangeNext { exit: to, .. }
            | Op::EachNext { exit: to, .. }
            | Op::DequeNext { exit: to, .. } => *to = here,
            op => panic!("{op:?} does not jump"),
        }
    }

    pub(super) fn layout(&mut self, ty: &Type) -> Result<LayoutId> {
        self.layouts.of(ty, &self.items.structs)
    }

    pub(super) fn size(&mut self, ty: &Type) -> Result<u64> {
        let id = self.layout(ty)?;
        Ok(self.layouts[id].size)
    }

    /// The bytes of the pointer that a reference or a `Box` begins with.
    pub(super) fn pointer_bytes(&mut self, ty: &Type) -> Result<u64> {
        let id = self.layout(ty)?;
        Ok(self.layouts[id].pointer_bytes())
    }

    pub(super) fn needs_drop(&self, ty: &Type) -> bool {
        ty.needs_drop(&self.items.structs)
    }

    // Slots and scopes.

    /// Does `inside` in a scope of its own: what it reserves and schedules goes at its end.
    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (slots, drops, known) = (self.slots, self.drops, self.known.len());
        let waiting = self.first_waiting.take();
        let result = inside(self)?;
        self.first_waiting = waiting;
        self.leave(slots, drops);
        self.known.truncate(known);
        (self.slots, self.drops) = (slots, drops);
        Ok(result)
    }

    fn leave(&mut self, slots: u32, drops: u32) {
        if self.slots > slots || self.drops > drops {
            self.emit(Op::Leave { slots, drops });
        }
    }

    fn slot_info(&mut self, local: LocalId) -> Result<Arc<SlotInfo>> {
        let Local { name, ty, is_mutable, .. } = &self.locals[local.0 as usize];
        Ok(Arc::new(SlotInfo {
            name: Some(Arc::clone(name)),
            layout: self.layout(ty)?,
            is_mutable: *is_mutable,
            is_told: self.is_told && !name.is_empty(),
        }))
    }

    pub(super) fn temporary(&mut self, ty: &Type) -> Result<SlotRef> {
        let layout = self.layout(ty)?;
        let info = SlotInfo { name: None, layout, is_mutable: true, is_told: false };
        Ok(self.reserve(Arc::new(info)))
    }

    fn reserve(&mut self, info: Arc<SlotInfo>) -> SlotRef {
        self.emit(Op::Slot(info));
        self.slots += 1;
        SlotRef::Own(self.slots - 1)
    }

    /// The temporary has its value now.
    pub(super) fn schedule(&mut self, slot: SlotRef, ty: &Type) {
        if self.needs_drop(ty) {
            let below = self.first_waiting.unwrap_or(self.drops);
            self.first_waiting = self.first_waiting.map(|first| first + 1);
            self.schedule_below(slot, below);
        }
    }

    /// The argument has its value now, and waits for the others.
    fn schedule_waiting(&mut self, slot: SlotRef, ty: &Type) {
        if self.needs_drop(ty) {
            self.first_waiting.get_or_insert(self.drops);
            self.schedule_below(slot, self.drops);
        }
    }

    fn schedule_below(&mut self, slot: SlotRef, below: u32) {
        self.emit(Op::Schedule { slot, below });
        self.drops += 1;
        self.emit(Op::Live(slot));
    }

    pub(super) fn slot_of(&self, local: LocalId) -> SlotRef {
        let own = self.known.iter().rev().find(|(known, _)| *known == local);
        own.map(|(_, slot)| *slot)
            .or_else(|| Some(SlotRef::Global(*self.globals?.get(&local)?)))
            .unwrap_or_else(|| panic!("{:?} has no slot", self.locals[local.0 as usize]))
    }

    // Statements.

    fn stmt(&mut self, stmt: &Stmt) -> Result {
        match stmt {
            Stmt::Let { local, init, at } => {
                self.at = *at;
                self.declare(*local, init.as_ref(), *at, false)?;
                Ok(())
            }
            Stmt::Expr(expr) => self.scoped(|c| c.expr(expr, Want::Nothing)),
            Stmt::Pattern { whole, init, parts, at } => {
                self.at = *at;
                self.pattern(*whole, init, parts, false)
            }
            Stmt::Mention(place, at) => {
                self.at = *at;
                self.scoped(|c| {
                    let spot = c.place(place)?;
                    c.forget(spot);
                    Ok(())
                })
            }
        }
    }

    /// The variable's slot comes first, so that the temporaries of its value lie below it and go before it.
    fn declare(&mut self, local: LocalId, init: Option<&Expr>, at: At, tells: bool) -> Result {
        let Local { name, ty, .. } = &self.locals[local.0 as usize];
        let info = self.slot_info(local)?;
        let slot = self.reserve(info);
        let (slots, drops) = (self.slots, self.drops);
        let scheduled = u32::from(self.needs_drop(ty));
        if let Some(init) = init {
            self.expr(init, Want::Into(Loc::slot(slot)))?;
            self.at = at;
            self.emit(Op::Live(slot));
            // Before the temporaries die: the value may refer to them, as long as it is not used any more.
            if tells && !name.is_empty() {
                let (name, layout) = (Arc::clone(name), self.layout(ty)?);
                self.emit(Op::Bind(slot, Box::new(Told { name, layout })));
            }
        }
        if scheduled > 0 {
            self.emit(Op::Schedule { slot, below: drops });
            self.drops += 1;
        }
        self.leave(slots, drops + scheduled);
        (self.slots, self.drops) = (slots, drops + scheduled);
        self.known.push((local, slot));
        Ok(())
    }

    /// The variables' slots come first: they stay when the value and its temporaries go.
    fn pattern(
        &mut self,
        whole: LocalId,
        init: &Expr,
        parts: &[(LocalId, Expr)],
        tells: bool,
    ) -> Result {
        let at = self.at;
        let mut places = Vec::with_capacity(parts.len());
        for (local, _) in parts {
            let info = self.slot_info(*local)?;
            places.push(self.reserve(info));
        }
        let (slots, mut drops, known) = (self.slots, self.drops, self.known.len());
        let place = self.temporary(&init.ty)?;
        self.expr(init, Want::Into(Loc::slot(place)))?;
        self.at = at;
        self.emit(Op::Live(place));
        self.schedule(place, &init.ty);
        self.known.push((whole, place));
        for ((local, part), slot) in parts.iter().zip(&places) {
            self.expr(part, Want::Into(Loc::slot(*slot)))?;
            self.at = at;
            self.emit(Op::Live(*slot));
            let Local { name, ty, .. } = &self.locals[local.0 as usize];
            if tells {
                let (name, layout) = (Arc::clone(name), self.layout(ty)?);
                self.emit(Op::Bind(*slot, Box::new(Told { name, layout })));
            }
            if self.needs_drop(ty) {
                self.emit(Op::Schedule { slot: *slot, below: drops });
                (self.drops, drops) = (self.drops + 1, drops + 1);
            }
        }
        self.leave(slots, drops);
        (self.slots, self.drops) = (slots, drops);
        self.known.truncate(known);
        self.known.extend(parts.iter().map(|(local, _)| *local).zip(places));
        Ok(())
    }

    fn block(&mut self, block: &Block, want: Want) -> Result {
        self.scoped(|c| {
            for stmt in &block.stmts {
                c.stmt(stmt)?;
            }
            if let Some(tail) = &block.tail {
                c.expr(tail, want)?;
            }
            c.at = block.end;
            Ok(())
        })
    }

    // Expressions.

    pub(super) fn operand(&mut self, expr: &Expr) -> Result {
        self.expr(expr, Want::Operand)
    }

    /// Two operands, the second on top of the first.
    fn operands(&mut self, a: &Expr, b: &Expr) -> Result {
        self.operand(a)?;
        self.operands += 1;
        self.operand(b)?;
        self.operands -= 1;
        Ok(())
    }

    pub(super) fn expr(&mut self, expr: &Expr, want: Want) -> Result {
        deep(|| self.one_expr(expr, want))
    }

    fn one_expr(&mut self, expr: &Expr, want: Want) -> Result {
        let outer = std::mem::replace(&mut self.at, expr.at);
        let is_memory = !is_operand(&expr.ty) && !expr.ty.is_unit() && expr.ty != Type::Never;
        if matches!(want, Want::Nothing) && is_memory {
            let slot = self.temporary(&expr.ty)?;
            self.expr_at(expr, Want::Into(Loc::slot(slot)))?;
            self.schedule(slot, &expr.ty);
        } else {
            self.expr_at(expr, want)?;
        }
        self.at = outer;
        Ok(())
    }

    fn expr_at(&mut self, expr: &Expr, want: Want) -> Result {
        let Expr { kind, ty, at } = expr;
        match kind {
            ExprKind::Constant(bits) => {
                let (low, high) = (*bits as u64, (*bits >> 64) as u64);
                let op = if high == 0 { Op::Constant(low) } else { Op::Wide(low, high) };
                self.give_operand(op, ty, want)
            }
            ExprKind::Text { address, len } => {
                self.give_operand(Op::Wide(*address, *len), ty, want)
            }
            ExprKind::Heap(heap) => self.give_operand(Op::Heap(*heap), ty, want),
            ExprKind::Read(place) => self.read(place, want),
            ExprKind::Borrow { place, .. } => {
                if let Spot::At(loc) = self.place(place)? {
                    self.emit(Op::Address(loc));
                }
                self.settle(ty, want)
            }
            ExprKind::Aggregate(fields) => match want {
                Want::Into(loc) => self.aggregate(ty, fields, loc),
                // The value of `()`.
                _ => Ok(()),
            },
            ExprKind::Variant(variant, payload) => {
                let at = self.wanted(want);
                let choice = self.layout(ty)?;
                if let Some(payload) = payload {
                    let offset = self.offset_of(ty, *variant)?;
                    self.expr(payload, Want::Into(at.plus(offset)))?;
                }
                self.emit(Op::Tag { at, choice, variant: *variant as u8 });
                Ok(())
            }
            ExprKind::Repeat(value, count) => self.repeat(value, *count, want),
            ExprKind::Binary(op, a, b) => {
                self.operands(a, b)?;
                let op = Op::Binary { op: *op, scalar: scalar(&a.ty), rhs: scalar(&b.ty) };
                self.give_operand(op, ty, want)
            }
            ExprKind::Unary(op, a) => {
                self.operand(a)?;
                self.give_operand(Op::Unary(*op, scalar(ty)), ty, want)
            }
            ExprKind::Compare(op, a, b) => {
                self.operands(a, b)?;
                let (a, b) = (self.layout(referent(&a.ty))?, self.layout(referent(&b.ty))?);
                self.give_operand(Op::Compare(*op, a, b), ty, want)
            }
            ExprKind::Cast(a) => {
                self.operand(a)?;
                self.give_operand(Op::Cast { from: scalar(&a.ty), to: scalar(ty) }, ty, want)
            }
            ExprKind::Unsize(inner) => self.unsize(inner, ty, want),
            ExprKind::And(a, b) => self.lazy(a, b, false, want),
            ExprKind::Or(a, b) => self.lazy(a, b, true, want),
            ExprKind::Assign(place, value) => self.assign(place, value).map(drop),
            ExprKind::AssignOp(op, place, value) => self.assign_op(*op, place, value).map(drop),
            ExprKind::Block(block) => self.block(block, want),
            ExprKind::If(condition, then, other) => {
                self.choose(condition, then, other.as_deref(), want)
            }
            ExprKind::Loop(id, body) => self.endless(*id, body, want),
            ExprKind::ForRange { id, local, start, end, is_inclusive, body } => {
                self.operands(start, end)?;
                let (scalar, is_inclusive) = (scalar(&start.ty), *is_inclusive);
                self.turns(*id, *local, body, 2, |to| Op::RangeNext {
                    to,
                    scalar,
                    is_inclusive,
                    exit: 0,
                })
            }
            ExprKind::ForEach { id, local, slice, body } => {
                self.operand(slice)?;
                if referent(&slice.ty).is_lib(Lib::Deque) {
                    let deque = self.layout(referent(&slice.ty))?;
                    return self.turns(*id, *local, body, 1, |to| Op::DequeNext {
                        to,
                        deque,
                        exit: 0,
                    });
                }
                let Type::Slice(element) = referent(&slice.ty) else {
                    panic!("{} is no slice", slice.ty)
                };
                let stride = self.size(element)?;
                self.turns(*id, *local, body, 1, |to| Op::EachNext { to, stride, exit: 0 })
            }
            ExprKind::Break(id, value) => {
                let index = self.loop_index(*id);
                let Loop { want, slots, drops, operands, .. } = self.loops[index];
                if let Some(value) = value {
                    self.expr(value, want)?;
                }
                self.at = *at;
                self.leave(slots, drops);
                let has_value = value.is_some() && matches!(want, Want::Operand);
                self.emit(Op::Keep { operands, has_value });
                let jump = self.emit(Op::Jump(0));
                self.loops[index].breaks.push(jump);
                Ok(())
            }
            ExprKind::Continue(id) => {
                let Loop { next, slots, drops, operands, .. } = self.loops[self.loop_index(*id)];
                self.leave(slots, drops);
                self.emit(Op::Keep { operands, has_value: false });
                self.emit(Op::Jump(next));
                Ok(())
            }
            ExprKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value, self.result)?;
                }
                self.leave(0, 0);
                self.emit(Op::Return);
                Ok(())
            }
            ExprKind::Call(function, args) => {
                self.call(Callee::Function(*function), args, ty, want)
            }
            ExprKind::CallDyn { of, method, args } => {
                self.call(Callee::Method { of: *of, method: *method }, args, ty, want)
            }
            ExprKind::Library { row, types, args } => {
                self.library(expr, row.run, types, args, want)
            }
            ExprKind::Print(format) => {
                let text = self.text(format)?;
                self.emit(Op::Print(Box::new(text)));
                Ok(())
            }
            ExprKind::Formatted(format) => {
                let text = self.text(format)?;
                let to = self.wanted(want);
                self.emit(Op::Formatted(Box::new(text), to));
                Ok(())
            }
            ExprKind::FormattedBytes(format) => {
                let text = self.text(format)?;
                self.slots += 1;
                self.give_operand(Op::FormattedBytes(Box::new(text)), ty, want)
            }
            ExprKind::Panic(format) => {
                let text = self.text(format)?;
                self.emit(Op::Panic(Box::new(text)));
                Ok(())
            }
        }
    }

    /// An operation that leaves an operand.
    fn give_operand(&mut self, op: Op, ty: &Type, want: Want) -> Result {
        self.emit(op);
        self.settle(ty, want)
    }

    /// An operation that leaves an operand, or has written its result where it is wanted.
    fn give(&mut self, op: Op, ty: &Type, want: Want) -> Result {
        self.emit(op);
        if is_operand(ty) { self.settle(ty, want) } else { Ok(()) }
    }

    /// What becomes of the newest operand.
    fn settle(&mut self, ty: &Type, want: Want) -> Result {
        match want {
            Want::Operand => {}
            Want::Into(loc) => {
                let size = self.size(ty)? as u8;
                self.emit(Op::Store(loc, size));
            }
            Want::Nothing => {
                self.emit(Op::Pop);
            }
        }
        Ok(())
    }

    fn wanted(&self, want: Want) -> Loc {
        match want {
            Want::Into(loc) => loc,
            _ => panic!("a value in memory is wanted nowhere at {:?}", self.at),
        }
    }

    fn call(&mut self, callee: Callee, args: &[Expr], ty: &Type, want: Want) -> Result {
        let args = self.args(args)?;
        let result = memory_result(ty, want);
        self.give(Op::Call(Box::new(Call { callee, args, result })), ty, want)
    }

    fn args(&mut self, exprs: &[Expr]) -> Result<Vec<Arg>> {
        let (resting, waiting) = (self.operands, self.first_waiting);
        let mut args = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if is_operand(&expr.ty) {
                self.operand(expr)?;
                self.operands += 1;
                args.push(Arg::Operand);
            } else {
                let slot = self.temporary(&expr.ty)?;
                self.expr(expr, Want::Into(Loc::slot(slot)))?;
                self.schedule_waiting(slot, &expr.ty);
                args.push(Arg::Slot(slot));
            }
        }
        self.operands = resting;
        self.first_waiting = waiting.and(self.first_waiting);
        Ok(args)
    }

    fn library(
        &mut self,
        expr: &Expr,
        run: Builtin,
        types: &[Type],
        exprs: &[Expr],
        want: Want,
    ) -> Result {
        let args = self.args(exprs)?;
        let types = types.iter().map(|ty| self.layout(ty)).collect::<Result<_>>()?;
        let arg_types = exprs.iter().map(|arg| self.layout(&arg.ty)).collect::<Result<_>>()?;
        let call = LibraryCall {
            run,
            types,
            args,
            arg_types,
            result: memory_result(&expr.ty, want),
            result_type: self.layout(&expr.ty)?,
        };
        self.give(Op::Library(Box::new(call)), &expr.ty, want)?;
        if self.is_told
            && run == Builtin::Drop
            && let ExprKind::Read(Place { root: Root::Local(local), steps, ty }) = &exprs[0].kind
            && steps.is_empty()
            && self.needs_drop(ty)
        {
            let name = Arc::clone(&self.locals[local.0 as usize].name);
            self.emit(Op::Dropped(name));
        }
        Ok(())
    }

    fn text(&mut self, format: &Format) -> Result<Text> {
        self.args(&format.args)?;
        let args =
            format.args.iter().map(|arg| self.layout(referent(&arg.ty))).collect::<Result<_>>()?;
        let mut pieces: Vec<_> = format
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => TextPiece::Text(Arc::clone(text)),
                Piece::Arg { arg, spec } => TextPiece::Arg(*arg, *spec),
            })
            .collect();
        if format.has_newline {
            pieces.push(TextPiece::Text(Arc::from("\n")));
        }
        Ok(Text { pieces, args })
    }

    /// A copy or a move out of a place.
    fn read(&mut self, place: &Place, want: Want) -> Result {
        let spot = self.place(place)?;
        if is_operand(&place.ty) {
            let size = self.size(&place.ty)? as u8;
            match spot {
                Spot::At(loc) => self.emit(Op::Load(loc, size)),
                Spot::Operand => self.emit(Op::LoadAt(size)),
            };
            self.settle(&place.ty, want)?;
        } else if let Want::Into(to) = want {
            if let Spot::At(loc) = spot {
                self.emit(Op::Address(loc));
            }
            let size = self.size(&place.ty)?;
            self.emit(Op::CopyTo(to, size));
        } else {
            self.forget(spot);
        }
        if !place.ty.is_copy(&self.items.structs)
            && let Some((slot, path)) = self.own_part(place)
        {
            self.emit(Op::Moved(slot, path));
        }
        Ok(())
    }

    fn aggregate(&mut self, ty: &Type, fields: &[(u32, Expr)], to: Loc) -> Result {
        let mut parts = Vec::new();
        let waiting = self.first_waiting;
        for (index, (number, field)) in fields.iter().enumerate() {
            let at = to.plus(self.offset_of(ty, *number)?);
            self.expr(field, Want::Into(at))?;
            let may_fail = fields[index + 1..].iter().any(|(_, later)| !is_simple(later));
            if may_fail && self.needs_drop(&field.ty) {
                let layout = self.layout(&field.ty)?;
                self.first_waiting.get_or_insert(self.drops);
                self.emit(Op::Part(at, layout));
                parts.push(SlotRef::Own(self.slots));
                self.slots += 1;
                self.drops += 1;
            }
        }
        self.first_waiting = waiting.and(self.first_waiting);
        for part in parts {
            self.emit(Op::Moved(part, Path::from([])));
        }
        Ok(())
    }

    /// Where a field of a struct or tuple, an element of an array, the payload of a variant lies.
    pub(super) fn offset_of(&mut self, ty: &Type, number: u32) -> Result<u64> {
        let id = self.layout(ty)?;
        Ok(match &self.layouts[id].shape {
            Shape::Record { fields, .. } => fields[number as usize].offset,
            Shape::Array(element, _) => self.layouts[*element].size * u64::from(number),
            Shape::Choice(choice) => choice.variants[number as usize].map_or(0, |part| part.offset),
            Shape::Range(_, end) => [0, *end][number as usize],
            shape => panic!("{ty}, {shape:?}, has no part {number}"),
        })
    }

    fn repeat(&mut self, value: &Expr, count: u64, want: Want) -> Result {
        if count == 0 {
            return self.expr(value, Want::Nothing);
        }
        let to = self.wanted(want);
        let size = self.size(&value.ty)?;
        if is_operand(&value.ty) {
            self.operand(value)?;
            self.emit(Op::Repeat { to, size: size as u8, count });
        } else {
            self.expr(value, want)?;
            self.emit(Op::Replicate { at: to, size, count });
        }
        Ok(())
    }

    fn unsize(&mut self, inner: &Expr, ty: &Type, want: Want) -> Result {
        let word = match (referent(&inner.ty), referent(ty)) {
            (Type::Dyn(..), _) => return self.expr(inner, want),
            (of, Type::Dyn(of_trait, _)) => {
                let methods = self.items.methods(*of_trait).len();
                let id = self.layout(of)?;
                self.layouts.vtable(id, *of_trait, methods)
            }
            (Type::Array(_, len), _) => *len,
            (other, _) => panic!("{other} has nothing to join its pointer"),
        };
        if is_operand(ty) {
            self.operand(inner)?;
            return self.give_operand(Op::Fatten(word), ty, want);
        }
        let to = self.wanted(want);
        self.expr(inner, want)?;
        if ty.allocator().is_some() {
            // The allocator makes room for the length.
            let word = WORD_BYTES as u8;
            self.emit(Op::Load(to.plus(WORD_BYTES), word));
            self.emit(Op::Store(to.plus(2 * WORD_BYTES), word));
        }
        self.emit(Op::Constant(word));
        self.emit(Op::Store(to.plus(WORD_BYTES), WORD_BYTES as u8));
        Ok(())
    }

    /// `a && b`, `a || b`. Temporaries of either side end with it.
    fn lazy(&mut self, a: &Expr, b: &Expr, is_or: bool, want: Want) -> Result {
        self.scoped(|c| c.operand(a))?;
        let to_other = self.emit(Op::JumpIfNot(0));
        let constant = |c: &mut Self| {
            c.emit(Op::Constant(u64::from(is_or)));
            Ok(())
        };
        let rest = |c: &mut Self| c.scoped(|c| c.operand(b));
        if is_or { constant(self) } else { rest(self) }?;
        let to_end = self.emit(Op::Jump(0));
        self.land(to_other);
        if is_or { rest(self) } else { constant(self) }?;
        self.land(to_end);
        self.settle(&Type::BOOL, want)
    }

    // Control.

    fn choose(
        &mut self,
        condition: &Expr,
        then: &Expr,
        other: Option<&Expr>,
        want: Want,
    ) -> Result {
        self.scoped(|c| c.operand(condition))?;
        let to_other = self.emit(Op::JumpIfNot(0));
        self.scoped(|c| c.expr(then, want))?;
        let Some(other) = other else {
            self.land(to_other);
            return Ok(());
        };
        let to_end = self.emit(Op::Jump(0));
        self.land(to_other);
        self.scoped(|c| c.expr(other, want))?;
        self.land(to_end);
        Ok(())
    }

    fn endless(&mut self, id: LoopId, body: &Block, want: Want) -> Result {
        let next = self.here();
        self.turn(id, next, body, want)
    }

    /// A `for` loop: `next` stores what a turn is about into the variable's slot, or leads out. `resting` operands say how
    /// far it is. The slot is the same for each turn.
    fn turns(
        &mut self,
        id: LoopId,
        local: LocalId,
        body: &Block,
        resting: u32,
        next: impl FnOnce(Loc) -> Op,
    ) -> Result {
        self.operands += resting;
        self.scoped(|c| {
            let info = c.slot_info(local)?;
            let slot = c.reserve(info);
            c.known.push((local, slot));
            let start = c.emit(next(Loc::slot(slot)));
            c.turn(id, start as u32, body, Want::Nothing)?;
            c.land(start);
            Ok(())
        })?;
        self.operands -= resting;
        self.emit(Op::Keep { operands: self.operands, has_value: false });
        Ok(())
    }

    fn turn(&mut self, id: LoopId, next: u32, body: &Block, want: Want) -> Result {
        let was_told = std::mem::replace(&mut self.is_told, false);
        let Self { slots, drops, operands, .. } = *self;
        self.loops.push(Loop { id, next, want, slots, drops, operands, breaks: Vec::new() });
        self.block(body, Want::Nothing)?;
        self.emit(Op::Jump(next));
        let ended = self.loops.pop().expect("it was pushed above");
        for jump in ended.breaks {
            self.land(jump);
        }
        self.is_told = was_told;
        Ok(())
    }

    fn loop_index(&self, id: LoopId) -> usize {
        let found = self.loops.iter().rposition(|of| of.id == id);
        found.unwrap_or_else(|| panic!("{id:?} is not around {:?}", self.at))
    }
}

impl Spot {
    pub(super) fn known(self) -> Option<Loc> {
        match self {
            Self::At(loc) => Some(loc),
            Self::Operand => None,
        }
    }
}

fn want_of(ty: &Type, loc: Loc) -> Want {
    if matches!(ty, Type::Never) || ty.is_unit() {
        Want::Nothing
    } else if is_operand(ty) {
        Want::Operand
    } else {
        Want::Into(loc)
    }
}

fn memory_result(ty: &Type, want: Want) -> Option<Loc> {
    match want {
        Want::Into(loc) if !is_operand(ty) => Some(loc),
        _ => None,
    }
}

/// Whether evaluating it can neither panic nor do anything.
fn is_simple(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Constant(_) | ExprKind::Text { .. } => true,
        ExprKind::Read(place) => {
            matches!(place.root, Root::Local(_))
                && !place.steps.iter().any(|step| matches!(step, Step::Index(..)))
        }
        _ => false,
    }
}

pub(super) fn scalar(ty: &Type) -> Scalar {
    match ty {
        Type::Scalar(scalar) => *scalar,
        other => panic!("{other} is no scalar"),
    }
}

/// What a reference or `Box` points to.
fn referent(ty: &Type) -> &Type {
    match ty {
        Type::Ref(_, to) => to,
        Type::Lib(Lib::Box, args) => &args[0],
        other => panic!("{other} does not point to anything"),
    }
}
