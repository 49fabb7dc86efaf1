//! The references of a type.
//!
//! Lifetimes are not part of a [`Type`], so a type is walked from outside in, and each reference it has gets a number: its
//! *slot*. `&Vec<&str>` has two. A struct has one for each of its lifetimes, a `dyn Trait` one for whatever its value holds.

use crate::typed::Lifetime;
use crate::types::{Held, Lib, Mutability, Struct, Structs, Type};

/// A reference of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// How many references it lies inside of.
    pub layer: u8,
    /// The slot of the innermost of these.
    pub outer: Option<usize>,
    /// Whether it must be the same on both sides of an assignment, because it can be written through what it lies in.
    pub is_invariant: bool,
    /// Whether the end of a value of the type looks through it: that of a `Ref` does, that of a `Vec<&T>` does not.
    pub is_dropped: bool,
    /// Whether it lies in a type whose `impl Drop` may look through what it holds: std's collections promise not to
    /// (`#[may_dangle]`), those of heapless do not.
    is_looked_at: bool,
}

/// The slots of a type, from outside in.
pub(crate) fn slots(structs: &Structs, ty: &Type) -> Vec<Slot> {
    let mut slots = Vec::new();
    let outermost =
        Slot { layer: 0, outer: None, is_invariant: false, is_dropped: true, is_looked_at: false };
    walk(structs, ty, outermost, &mut slots);
    slots
}

/// Adds the slots of `ty`, which lies where `here` says.
fn walk(structs: &Structs, ty: &Type, here: Slot, slots: &mut Vec<Slot>) {
    let inside = |slots: &[Slot], is_written: bool| Slot {
        layer: here.layer + 1,
        outer: Some(slots.len() - 1),
        is_invariant: here.is_invariant || is_written,
        is_dropped: here.is_dropped && here.is_looked_at,
        is_looked_at: here.is_looked_at,
    };
    match ty {
        Type::Scalar(_)
        | Type::Str
        | Type::Never
        | Type::Const(_)
        | Type::Heap(_)
        | Type::Param(_)
        | Type::Var(_) => {}
        Type::Tuple(items) => items.iter().for_each(|item| walk(structs, item, here, slots)),
        Type::Array(inner, _) | Type::Slice(inner) => walk(structs, inner, here, slots),
        Type::Ref(mutability, to) => {
            slots.push(Slot { is_dropped: here.is_dropped && here.is_looked_at, ..here });
            walk(structs, to, inside(slots, *mutability == Mutability::Mut), slots);
        }
        Type::Struct(id, _) => slots.extend(structs.get(*id).lifetimes.iter().map(|held| Slot {
            is_invariant: here.is_invariant || held.is_invariant,
            is_dropped: here.is_dropped && (held.is_dropped || here.is_looked_at),
            ..here
        })),
        // Its end is that of a value nobody knows: it may look at everything.
        Type::Dyn(..) => slots.push(here),
        Type::Lib(lib, args) if lib.is_reference() => {
            let is_guard = matches!(lib, Lib::RefGuard | Lib::RefMutGuard);
            slots.push(Slot {
                is_dropped: here.is_dropped && (is_guard || here.is_looked_at),
                ..here
            });
            walk(structs, &args[0], inside(slots, *lib == Lib::RefMutGuard), slots);
        }
        Type::Lib(lib, args) => {
            let is_written = matches!(lib, Lib::Cell | Lib::RefCell);
            let here = Slot {
                is_invariant: here.is_invariant || is_written,
                // The end of a `Weak` does not touch the value; that of what the `Weak` lies in may.
                is_dropped: here.is_dropped
                    && (here.is_looked_at || !matches!(lib, Lib::Weak | Lib::ArcWeak)),
                is_looked_at: here.is_looked_at || lib.is_heapless(),
                ..here
            };
            args.iter().for_each(|arg| walk(structs, arg, here, slots));
        }
    }
}

/// How many slots a type has.
pub(crate) fn slot_count(structs: &Structs, ty: &Type) -> usize {
    slots(structs, ty).len()
}

/// How a struct holds the references of each of its lifetimes, as far as its fields tell: what it says of itself counts for
/// the fields that hold it.
pub(crate) fn held(structs: &Structs, of: &Struct) -> Vec<Held> {
    let mut held = of.lifetimes.clone();
    for field in &of.fields {
        for (slot, lifetime) in slots(structs, &field.ty).iter().zip(&field.lifetimes) {
            if let Lifetime::Named(number) = lifetime {
                let held = &mut held[usize::from(*number)];
                held.is_invariant |= slot.is_invariant;
                held.is_dropped |= slot.is_dropped;
            }
        }
    }
    held
}
