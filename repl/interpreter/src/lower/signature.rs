//! What functions take and give, read from Rust's own signatures: the library's and the program's alike.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use stack::Scalar;
use syn::{FnArg, GenericArgument, PathArguments, ReturnType};

use crate::library::{ROWS, Row};
use crate::typed::{Flow, Lifetime, Lifetimes, Position, Signature};
use crate::types::{Lib, LibRow, Mutability, Type};

/// How a method takes what it is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// It is no method.
    None,
    /// `self`.
    Value,
    /// `&self`, `&mut self`.
    Ref(Mutability),
}

/// A trait that a parameter must have.
pub(crate) type Bound = (u8, &'static str);

/// A row of the library, read.
pub(crate) struct Parsed {
    pub(crate) row: &'static Row,
    pub(crate) name: &'static str,
    /// What it belongs to, where that is one type.
    pub(crate) on: Option<Type>,
    pub(crate) receiver: Receiver,
    pub(crate) signature: Signature,
    pub(crate) bounds: Vec<Bound>,
    /// How many parameters it has.
    pub(crate) types: usize,
}

/// Numbers that have the same methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    Integers,
    Unsigned,
    Signed,
    Floats,
}

/// The numbers that a row belongs to, if it is one class of them.
pub(crate) fn class(on: &str) -> Option<Numbers> {
    match on {
        "{integer}" => Some(Numbers::Integers),
        "{unsigned}" => Some(Numbers::Unsigned),
        "{signed}" => Some(Numbers::Signed),
        "{float}" => Some(Numbers::Floats),
        _ => None,
    }
}

impl Parsed {
    /// A type of its signature with the parameters put in. One type more than there are parameters is the allocator of what
    /// it is called on: every `Vec` and `Box` of the signature then has that.
    pub(crate) fn put(&self, ty: &Type, types: &[Type]) -> Type {
        let allocator = types.get(self.types);
        ty.map(&mut |ty| match (ty, allocator) {
            (Type::Param(number), _) => Some(types[usize::from(*number)].clone()),
            (Type::Lib(lib @ (Lib::Vec | Lib::Box), args), Some(allocator)) => {
                Some(Type::lib(*lib, [self.put(&args[0], types), allocator.clone()]))
            }
            _ => None,
        })
    }

    /// `types`, and the allocator of what it is called on, if it is a row of a type that may have one.
    pub(crate) fn with_allocator(&self, mut types: Vec<Type>, on: &Type) -> Vec<Type> {
        let may =
            self.on.as_ref().is_some_and(|row| matches!(row, Type::Lib(Lib::Vec | Lib::Box, _)));
        types.extend(on.allocator().filter(|_| may).cloned());
        types
    }

    /// Those of its parameters that what it belongs to does not have.
    pub(crate) fn own<'t>(&self, types: &'t [Type]) -> &'t [Type] {
        let Some(on) = &self.on else { return &[] };
        let types = &types[..self.types];
        let of_owner = (0..types.len()).find(|number| layer_of(on, *number as u8).is_none());
        &types[of_owner.unwrap_or(types.len())..]
    }

    /// Whether its second parameter stands for the bytes of the first.
    pub(crate) fn has_bytes(&self) -> bool {
        self.row.signature.contains("size_of::<Self>")
    }
}

impl Numbers {
    pub(crate) fn has(self, scalar: Scalar) -> bool {
        match self {
            Self::Integers => scalar.is_integer(),
            Self::Unsigned => scalar.is_integer() && !scalar.is_signed(),
            Self::Signed => scalar.is_integer() && scalar.is_signed(),
            Self::Floats => scalar.is_float(),
        }
    }
}

/// The rows by the name of the function.
static BY_NAME: LazyLock<BTreeMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
    let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, row) in ROWS.iter().enumerate() {
        by_name.entry(name_of(row)).or_default().push(index);
    }
    by_name
});

static PARSED: LazyLock<Vec<OnceLock<Parsed>>> =
    LazyLock::new(|| ROWS.iter().map(|_| OnceLock::new()).collect());

fn name_of(row: &Row) -> &'static str {
    let rest = row.signature.strip_prefix("fn ").expect("a signature starts with fn");
    rest.split('(').next().expect("a split has a first part")
}

/// The rows called `name`.
pub(crate) fn named(name: &str) -> impl Iterator<Item = &'static Parsed> {
    let found = BY_NAME.get(name).map_or(&[][..], Vec::as_slice);
    found.iter().map(|&index| PARSED[index].get_or_init(|| parse(&ROWS[index])))
}

/// The rows that each builtin runs.
static BY_RUN: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
    let mut by_run: Vec<Vec<usize>> = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        by_run.resize_with(by_run.len().max(row.run as usize + 1), Vec::new);
        by_run[row.run as usize].push(index);
    }
    by_run
});

/// The row that `run` runs; of several, the first.
pub(crate) fn of(run: crate::library::Builtin) -> &'static Parsed {
    let index = BY_RUN[run as usize][0];
    PARSED[index].get_or_init(|| parse(&ROWS[index]))
}

/// The row, read.
pub(crate) fn of_row(row: &'static Row) -> &'static Parsed {
    let same = &BY_RUN[row.run as usize];
    let is_it = |of: &Row| (of.on, of.signature) == (row.on, row.signature);
    let index = same.iter().copied().find(|index| same.len() == 1 || is_it(&ROWS[*index]));
    let index = index.expect("every row has its place");
    PARSED[index].get_or_init(|| parse(&ROWS[index]))
}

/// What a call of a row takes and gives, with its parameters put in.
pub fn signature(row: &'static Row, types: &[Type]) -> Signature {
    let parsed = of_row(row);
    let put = |ty: &Type| parsed.put(ty, types);
    let Signature { params, result, flows, lifetimes } = &parsed.signature;
    Signature {
        params: params.iter().map(put).collect(),
        result: put(result),
        flows: flows.clone(),
        lifetimes: lifetimes.clone(),
    }
}

fn parse(row: &'static Row) -> Parsed {
    let text = format!("{} {{}}", row.signature.replace("'static ", ""));
    let function: syn::ItemFn =
        syn::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", row.signature));
    // A pool's `Self` is no parameter of what it holds.
    let mut names = if row.on == "{pool}" { vec!["Self".to_owned()] } else { Vec::new() };
    let is_type = !matches!(row.on, "*" | "Deref" | "[..]" | "std::mem" | "given" | "{pool}")
        && class(row.on).is_none();
    let on = is_type.then(|| {
        let ty: syn::Type = syn::parse_str(row.on).expect("a row belongs to a type");
        library_type(&ty, None, &mut names)
    });
    // `Self` of a trait's method and of a number is the one parameter.
    let this = on.clone().unwrap_or(Type::Param(0));
    let mut receiver = Receiver::None;
    let mut params = Vec::new();
    for input in &function.sig.inputs {
        params.push(match input {
            FnArg::Receiver(this_arg) => {
                let mutability = if this_arg.mutability.is_some() {
                    Mutability::Mut
                } else {
                    Mutability::Shared
                };
                if this_arg.reference.is_some() {
                    receiver = Receiver::Ref(mutability);
                    Type::reference(mutability, this.clone())
                } else {
                    receiver = Receiver::Value;
                    this.clone()
                }
            }
            FnArg::Typed(arg) => library_type(&arg.ty, Some(&this), &mut names),
        });
    }
    let result = match &function.sig.output {
        ReturnType::Default => Type::unit(),
        ReturnType::Type(_, ty) => library_type(ty, Some(&this), &mut names),
    };
    let mut bounds = Vec::new();
    if let Some((_, clause)) = row.signature.split_once(" where ") {
        for bound in clause.split(", ") {
            let (param, bound) = bound.split_once(": ").expect("a bound has a colon");
            let number = names.iter().position(|name| name == param);
            bounds.push((number.unwrap_or(0) as u8, bound));
        }
    }
    let flows = if row.signature.contains("'static") {
        Vec::new()
    } else {
        let mut flows = elided(&params, &result);
        flows.extend(by_parameter(&params, &result));
        flows
    };
    let mut types = 0;
    for ty in params.iter().chain([&result]).chain(&on) {
        ty.any(&mut |ty| {
            if let Type::Param(number) = ty {
                types = types.max(usize::from(*number) + 1);
            }
            false
        });
    }
    // `size_of::<T>()`: a parameter that nothing else mentions.
    if types == 0 && row.on == "std::mem" {
        types = 1;
    }
    // Of the library's own parameters one alone is `'static`.
    let lifetimes = (row.run == crate::library::Builtin::PoolManage).then(|| Lifetimes {
        params: vec![vec![Lifetime::Elided(0)], vec![Lifetime::Static]],
        result: Vec::new(),
    });
    let signature = Signature { params, result, flows, lifetimes };
    Parsed { row, name: name_of(row), on, receiver, signature, bounds, types }
}

/// The names that stand for a parameter in the table.
const PARAMS: &[&str] = &["T", "E", "A", "N", "LenT", "P", "Data"];

/// A parameter: they are numbered as they come up, so that a type's own, which are named first, have their places in it.
fn param(name: &str, names: &mut Vec<String>) -> Type {
    let known = names.iter().position(|known| known == name);
    Type::Param(known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    }) as u8)
}

/// Reads a type of the table: the names in it are known.
fn library_type(ty: &syn::Type, this: Option<&Type>, names: &mut Vec<String>) -> Type {
    match ty {
        syn::Type::Reference(reference) => {
            let mutability =
                if reference.mutability.is_some() { Mutability::Mut } else { Mutability::Shared };
            Type::reference(mutability, library_type(&reference.elem, this, names))
        }
        syn::Type::Slice(slice) => Type::Slice(Arc::new(library_type(&slice.elem, this, names))),
        // `[u8; size_of::<Self>()]`: as long as the number says, see `Parsed::has_bytes`.
        syn::Type::Array(_) => Type::Param(1),
        syn::Type::Tuple(tuple) => {
            Type::Tuple(tuple.elems.iter().map(|ty| library_type(ty, this, names)).collect())
        }
        syn::Type::Path(path) => {
            let segment = path.path.segments.last().expect("a path has a segment");
            let segments = path.path.segments.iter().map(|segment| segment.ident.to_string());
            let name = segments.collect::<Vec<_>>().join("::");
            let mut args: Vec<_> = match &segment.arguments {
                PathArguments::AngleBracketed(args) => args
                    .args
                    .iter()
                    .map(|arg| match arg {
                        GenericArgument::Type(ty) => library_type(ty, this, names),
                        _ => panic!("{name}: the table has type arguments only"),
                    })
                    .collect(),
                _ => Vec::new(),
            };
            match name.as_str() {
                name if PARAMS.contains(&name) => param(name, names),
                "str" => Type::Str,
                "Self" => this.expect("Self stands in a method").clone(),
                _ => {
                    if let Some(scalar) = Scalar::named(&name) {
                        Type::Scalar(scalar)
                    } else {
                        let is_it = |row: &&LibRow| {
                            row.name == name || format!("{}::{}", row.module, row.name) == name
                        };
                        let row = Lib::ALL.iter().find(is_it);
                        let row = row.unwrap_or_else(|| panic!("no type {name}"));
                        // What a program need not write, the table does not.
                        for default in row.params.iter().skip(args.len()) {
                            args.push(param(default.split(' ').next().unwrap_or(default), names));
                        }
                        Type::lib(row.lib, args)
                    }
                }
            }
        }
        _ => panic!("the table has no such type"),
    }
}

/// The flows that elision gives: into the result from the first parameter with references, which is the receiver or the
/// only one.
fn elided(params: &[Type], result: &Type) -> Vec<Flow> {
    let source = params.iter().position(|ty| ty.layers() > 0);
    let source = source.filter(|_| result.layers() > 0);
    let flow = source.map(|param| Flow {
        from: Position { param: Some(param as u8), layer: 0 },
        to: Position { param: None, layer: 0 },
    });
    flow.into_iter().collect()
}

/// Whether what lies behind a parameter may be written to.
fn is_written(ty: &Type) -> bool {
    match ty {
        Type::Ref(Mutability::Mut, _) => true,
        Type::Ref(Mutability::Shared, to) => to.is_lib(Lib::Cell) || to.is_lib(Lib::RefCell),
        _ => false,
    }
}

/// The flows of values of a parameter type: what goes in as `T` may come out as `T`, or stay in another argument's.
fn by_parameter(params: &[Type], result: &Type) -> Vec<Flow> {
    let mut flows = Vec::new();
    for number in 0..2 {
        let layers: Vec<_> = params.iter().map(|ty| layer_of(ty, number)).collect();
        let target = layer_of(result, number);
        for (from, layer) in layers.iter().enumerate() {
            let Some(from_layer) = *layer else { continue };
            let from_position = Position { param: Some(from as u8), layer: from_layer };
            if let Some(layer) = target {
                flows.push(Flow { from: from_position, to: Position { param: None, layer } });
            }
            for (to, layer) in layers.iter().enumerate() {
                if let (true, Some(layer), true) = (to != from, *layer, is_written(&params[to])) {
                    let to = Position { param: Some(to as u8), layer };
                    flows.push(Flow { from: from_position, to });
                }
            }
        }
    }
    flows
}

/// The layer at which a parameter stands in a type.
fn layer_of(ty: &Type, number: u8) -> Option<u8> {
    match ty {
        Type::Param(found) if *found == number => Some(0),
        Type::Ref(_, to) => layer_of(to, number).map(|layer| layer + 1),
        Type::Lib(lib, args) if lib.is_reference() => {
            layer_of(&args[0], number).map(|layer| layer + 1)
        }
        Type::Tuple(items) | Type::Lib(_, items) => {
            items.iter().find_map(|item| layer_of(item, number))
        }
        Type::Array(inner, _) | Type::Slice(inner) => layer_of(inner, number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_library_can_be_read() {
        for row in ROWS {
            let parsed = of_row(row);
            assert_eq!(parsed.name, name_of(row));
            assert!(parsed.types <= 3, "{}", row.signature);
        }
    }

    #[test]
    fn what_is_pushed_flows_into_the_vec_and_what_is_got_comes_from_it() {
        use crate::library::Builtin;
        let flows = |run| of(run).signature.flows.clone();
        let at = |param, layer| Position { param, layer };
        assert_eq!(flows(Builtin::VecPush), [Flow { from: at(Some(1), 0), to: at(Some(0), 1) }]);
        assert_eq!(
            flows(Builtin::SliceGet),
            [
                Flow { from: at(Some(0), 0), to: at(None, 0) },
                Flow { from: at(Some(0), 1), to: at(None, 1) },
            ]
        );
    }
}
