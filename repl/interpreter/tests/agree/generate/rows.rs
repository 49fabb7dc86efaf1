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
        const PANICKING: &[&str] = &[
            "unwrap",
            "expect",
            "unwrap_err",
            "expect_err",
            "remove",
            "swap_remove",
            "swap",
            "split_off",
            "split_at",
            "rotate_left",
            "rotate_right",
            "copy_from_slice",
            "clamp",
            "isqrt",
            "ilog2",
            "ilog10",
            "is_digit",
            "to_digit",
            "from_digit",
            "insert_str",
        ];
        PANICKING.contains(&self.name)
            || (self.owner == Some(Ty::string()) && ["insert", "truncate"].contains(&self.name))
            || (self.on.starts_with("heapless::")
                && ["insert", "insert_str", "truncate"].contains(&self.name)
                && !self.on.contains("Deque"))
    }
}

/// Every row that a random program calls by its name. Operators, `vec!` and loops have their own syntax.
pub(crate) fn callables() -> Vec<Callable> {
    ROWS.iter()
        .filter(|row| !["Deref", "[..]", "given", "{pool}", "BoxBlock<T>"].contains(&row.on))
        // Which bits a NaN has is nobody's promise.
        .filter(|row| !row.signature.starts_with("fn to_bits"))
        .filter_map(|row| {
            let (head, bounds) = row.signature.split_once(" where ").unwrap_or((row.signature, ""));
            let (name, rest) = head.strip_prefix("fn ")?.split_once('(')?;
            let (params, result) = rest.split_once(" -> ").unwrap_or((rest, "()"));
            // Heaps are named where a collection is written out.
            if params.contains("alloc: A") {
                return None;
            }
            if ["from_elem", "from_array", "from_slice", "add", "iter", "forget"].contains(&name) {
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
        ("Self", Some(owner)) if !matches!(owner, Ty::Scalar(class) if class.starts_with('{')) => {
            Some(owner.clone())
        }
        ("Option<Self>", _) => Some(Ty::lib("Option", [Ty::Param(0)])),
        ("Self", _) => Some(Ty::Param(0)),
        _ => parse(text),
    }
}
