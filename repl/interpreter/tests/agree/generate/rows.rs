//! The library's rows as the generator uses them.

use interpreter::library::ROWS;

use super::types::{Ty, parse, split};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    None,
    Value,
    Ref,
    Mut,
}

/// A function of the library, its signature read.
#[derive(Clone, Debug)]
pub(crate) struct Callable {
    /// `Vec<T>`, `[T]`, `*`, `std::mem`.
    pub(crate) on: &'static str,
    /// The same as a type, if it is one.
    pub(crate) owner: Option<Ty>,
    pub(crate) name: &'static str,
    pub(crate) receiver: Receiver,
    /// Names and types, without the receiver.
    pub(crate) params: Vec<(&'static str, Ty)>,
    pub(crate) result: Ty,
    pub(crate) is_static: bool,
    /// `T: Clone`; the parameter's number, or none for `Self`.
    pub(crate) bounds: Vec<(Option<usize>, &'static str)>,
}

impl Callable {
    /// Whether it panics on many a receiver.
    pub(crate) fn may_panic(&self) -> bool {
        ["unwrap", "expect", "unwrap_err", "remove", "swap_remove", "swap"].contains(&self.name)
            || (self.owner == Some(Ty::string()) && ["insert", "truncate"].contains(&self.name))
    }

    /// Whether integers of the type have it.
    pub(crate) fn suits(&self, ty: &Ty) -> bool {
        let Ty::Scalar(name) = ty else { return true };
        match self.name {
            "is_power_of_two" | "next_power_of_two" => name.starts_with('u'),
            "abs" => !name.starts_with('u'),
            _ => true,
        }
    }
}

/// Every row that a random program calls by its name. Operators, `vec!` and loops have their own syntax.
pub(crate) fn callables() -> Vec<Callable> {
    ROWS.iter()
        .filter(|row| row.on != "Deref" && row.on != "[..]")
        .filter_map(|row| {
            let (head, bounds) = row.signature.split_once(" where ").unwrap_or((row.signature, ""));
            let (name, rest) = head.strip_prefix("fn ")?.split_once('(')?;
            let (params, result) = rest.split_once(" -> ").unwrap_or((rest, "()"));
            // Heaps are named where a collection is written out.
            if params.contains("alloc: A") {
                return None;
            }
            if ["from_elem", "from_array", "add", "iter", "forget"].contains(&name) {
                return None;
            }
            let owner = parse(row.on);
            let mut receiver = Receiver::None;
            let mut typed = Vec::new();
            for param in split(params.trim().strip_suffix(')')?) {
                match param {
                    "self" => receiver = Receiver::Value,
                    "&self" => receiver = Receiver::Ref,
                    "&mut self" => receiver = Receiver::Mut,
                    _ => {
                        let (name, ty) = param.split_once(": ")?;
                        typed.push((name, with_self(ty, owner.as_ref())?));
                    }
                }
            }
            let bounds = split(bounds)
                .into_iter()
                .map(|bound| {
                    let (what, of) = bound.split_once(": ").expect("a bound has a colon");
                    (["T", "E"].iter().position(|param| *param == what), of)
                })
                .collect();
            Some(Callable {
                on: row.on,
                result: with_self(result, owner.as_ref())?,
                is_static: result.contains("'static"),
                owner,
                name,
                receiver,
                params: typed,
                bounds,
            })
        })
        .collect()
}

/// `Self` in a row's signature is a parameter where the row is for many types.
fn with_self(text: &str, owner: Option<&Ty>) -> Option<Ty> {
    match (text, owner) {
        ("Self", Some(owner)) if !matches!(owner, Ty::Scalar("{integer}" | "{float}")) => {
            Some(owner.clone())
        }
        ("Option<Self>", _) => Some(Ty::lib("Option", [Ty::Param(0)])),
        ("Self", _) => Some(Ty::Param(0)),
        _ => parse(text),
    }
}
