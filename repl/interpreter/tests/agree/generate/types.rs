//! The types the generator knows, and which traits they have.

/// A type of the subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// An integer, a float, `bool`, `char` or `()`.
    Scalar(&'static str),
    Str,
    Tuple(Vec<Ty>),
    Array(Box<Ty>, usize),
    Slice(Box<Ty>),
    Ref(Box<Ty>),
    RefMut(Box<Ty>),
    /// A struct of the program, by its number.
    Struct(usize),
    /// A type of the library, by its name.
    Lib(&'static str, Vec<Ty>),
    /// A number that a type takes: 4 in `heapless::Vec<u8, 4>`.
    Number(usize),
    /// `T` and then `E` or `N` of a library row.
    Param(usize),
    /// `&Bump`: the second argument of a `Vec` or `Box` of that heap.
    Heap(&'static str),
}

/// The types of the heaps that programs name, and the heaps.
pub(crate) const HEAPS: &[(&str, &str)] =
    &[("Bump", "bump"), ("FirstFit", "first_fit"), ("Tlsf", "tlsf")];

pub(crate) const INTS: &[&str] =
    &["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
pub(crate) const FLOATS: &[&str] = &["f32", "f64"];
pub(crate) const LIBRARY: &[&str] = &[
    "Vec",
    "String",
    "Box",
    "Option",
    "Result",
    "Rc",
    "Weak",
    "Arc",
    "sync::Weak",
    "Cow",
    "Cell",
    "RefCell",
    "Ref",
    "RefMut",
    "Iter",
    "TryReserveError",
    "heapless::Vec",
    "heapless::String",
    "heapless::Deque",
    "heapless::CapacityError",
    "BorrowError",
    "BorrowMutError",
    "ParseIntError",
];

/// A struct of the program.
#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<(String, Ty)>,
    pub(crate) is_tuple: bool,
    pub(crate) has_drop: bool,
    pub(crate) derives: Vec<&'static str>,
}

impl Ty {
    pub(crate) fn lib(name: &'static str, args: impl IntoIterator<Item = Self>) -> Self {
        Self::Lib(name, args.into_iter().collect())
    }

    pub(crate) fn string() -> Self {
        Self::lib("String", [])
    }

    pub(crate) fn unit() -> Self {
        Self::Tuple(Vec::new())
    }

    pub(crate) fn reference(to: Self) -> Self {
        Self::Ref(Box::new(to))
    }

    pub(crate) fn is_int(&self) -> bool {
        matches!(self, Self::Scalar(name) if INTS.contains(name))
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self, Self::Scalar(name) if FLOATS.contains(name))
    }

    /// Whether it is a collection of heapless, which takes a number.
    pub(crate) fn is_heapless(&self) -> bool {
        matches!(self, Self::Lib(name, args) if name.starts_with("heapless::") && !args.is_empty())
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Scalar(of) | Self::Lib(of, _) if *of == name)
    }

    /// Whether a value of it can be held in a variable.
    pub(crate) fn is_sized(&self) -> bool {
        !matches!(self, Self::Str | Self::Slice(_))
    }

    /// The types it is made of, one level down.
    pub(crate) fn parts<'a>(&'a self, structs: &'a [Struct]) -> Vec<&'a Self> {
        match self {
            Self::Tuple(items) | Self::Lib(_, items) => items.iter().collect(),
            Self::Array(of, _) | Self::Slice(of) | Self::Ref(of) | Self::RefMut(of) => vec![of],
            Self::Struct(id) => structs[*id].fields.iter().map(|(_, ty)| ty).collect(),
            Self::Scalar(_) | Self::Str | Self::Number(_) | Self::Param(_) | Self::Heap(_) => {
                Vec::new()
            }
        }
    }

    /// Whether a value of it holds a reference or a guard.
    pub(crate) fn holds_references(&self, structs: &[Struct]) -> bool {
        matches!(self, Self::Ref(_) | Self::RefMut(_) | Self::Lib("Ref" | "RefMut" | "Iter", _))
            || self.parts(structs).iter().any(|part| part.holds_references(structs))
    }

    /// Whether it holds a guard of a `RefCell`, whose end is a use.
    pub(crate) fn holds_guard(&self, structs: &[Struct]) -> bool {
        matches!(self, Self::Lib("Ref" | "RefMut", _))
            || self.parts(structs).iter().any(|part| part.holds_guard(structs))
    }

    /// Whether it has the trait.
    #[allow(clippy::match_same_arms)] // A trait after the other.
    pub(crate) fn has(&self, name: &str, structs: &[Struct]) -> bool {
        let all = || self.parts(structs).iter().all(|part| part.has(name, structs));
        let is_copy = |ty: &Self| ty.has("Copy", structs);
        if let Self::Struct(id) = self {
            return structs[*id].derives.contains(&name);
        }
        match (name, self) {
            // A collection has its traits whatever its heap, but for that of a value from nothing.
            (_, Self::Heap(_)) => name != "Default",
            ("Default", Self::Lib("Vec", _)) if self.heap().is_some() => false,
            ("Pattern", Self::Ref(of)) => **of == Self::Str || **of == Self::string(),
            ("Pattern", _) => self.is("char"),
            ("FromStr", _) => self.is_int(),
            ("ToOwned", _) => self.has("Clone", structs),
            (_, Self::Number(_)) => true,
            ("Clone" | "PartialEq", Self::Lib("heapless::CapacityError", _)) => false,
            ("Display", Self::Lib("heapless::String" | "heapless::CapacityError", _)) => true,
            ("Default", Self::Lib(of, _)) if of.starts_with("heapless::") => true,
            ("Ord", Self::Lib("heapless::Vec" | "heapless::String", _)) => all(),
            ("Copy", Self::Scalar(_) | Self::Ref(_)) | ("Clone", Self::Ref(_)) => true,
            ("Copy", Self::Tuple(_) | Self::Array(..) | Self::Lib("Option" | "Result", _)) => all(),
            ("Clone", Self::RefMut(_) | Self::Lib("Ref" | "RefMut", _)) => false,
            ("Clone", Self::Lib("Rc" | "Arc", _)) => true,
            ("Clone" | "Debug", Self::Lib("Weak" | "sync::Weak", _)) => true,
            ("Clone" | "Ord" | "Default", Self::Lib("Cow", _)) => true,
            ("Clone" | "Debug" | "PartialEq", Self::Lib("Cell", args)) => {
                is_copy(&args[0]) && all()
            }
            ("Clone" | "PartialEq", Self::Lib("BorrowError" | "BorrowMutError", _)) => false,
            ("Clone" | "Debug", _) => all(),
            ("Display", Self::Scalar(_) | Self::Str | Self::Lib("String", _)) => true,
            ("Default", Self::Lib("BorrowError" | "BorrowMutError" | "ParseIntError", _)) => false,
            (
                "Display",
                Self::Ref(_)
                | Self::RefMut(_)
                | Self::Lib("Box" | "Rc" | "Arc" | "Cow" | "Ref" | "RefMut", _),
            ) => all(),
            ("Default", Self::Ref(of)) => **of == Self::Str,
            ("Default", Self::RefMut(_) | Self::Lib("Result" | "Ref" | "RefMut", _)) => false,
            ("Default", Self::Lib("Option" | "Vec" | "Weak" | "sync::Weak", _)) => true,
            ("PartialEq", Self::Lib("Weak" | "sync::Weak" | "Iter" | "Ref" | "RefMut", _)) => false,
            ("Default" | "PartialEq", _) => all(),
            ("Ord", Self::Scalar(name)) => !FLOATS.contains(name),
            (
                "Ord",
                Self::Str
                | Self::Tuple(_)
                | Self::Array(..)
                | Self::Ref(_)
                | Self::Lib("String" | "Vec" | "Option", _),
            ) => all(),
            ("Copy" | "Display" | "Ord", _) => false,
            _ => panic!("no trait {name}"),
        }
    }

    /// Whether a parameter stands in it.
    pub(crate) fn mentions(&self, number: usize) -> bool {
        *self == Self::Param(number) || self.parts(&[]).iter().any(|part| part.mentions(number))
    }

    /// As a program writes it.
    pub(crate) fn written(&self, structs: &[Struct]) -> String {
        let list = |items: &[Self]| {
            items.iter().map(|item| item.written(structs)).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Scalar(name) => (*name).to_owned(),
            Self::Str => "str".to_owned(),
            Self::Tuple(items) if items.len() == 1 => format!("({},)", list(items)),
            Self::Tuple(items) => format!("({})", list(items)),
            Self::Array(of, len) => format!("[{}; {len}]", of.written(structs)),
            Self::Slice(of) => format!("[{}]", of.written(structs)),
            Self::Ref(of) => format!("&{}", of.written(structs)),
            Self::RefMut(of) => format!("&mut {}", of.written(structs)),
            Self::Struct(id) => structs[*id].name.clone(),
            Self::Lib(name, args) if args.is_empty() => (*name).to_owned(),
            Self::Lib(name, args) => format!("{name}<{}>", list(args)),
            Self::Number(number) => number.to_string(),
            Self::Param(number) => ["T", "E"][*number].to_owned(),
            Self::Heap(name) => format!("&{name}"),
        }
    }

    /// The same in a function's signature, where a heap's lifetime stands with it.
    pub(crate) fn written_in_signature(&self, structs: &[Struct]) -> String {
        HEAPS.iter().fold(self.written(structs), |text, (name, _)| {
            text.replace(&format!("&{name}"), &format!("&'static {name}"))
        })
    }

    /// The heap a `Vec` or `Box` names, as a program does.
    pub(crate) fn heap(&self) -> Option<&'static str> {
        match self {
            Self::Lib(_, args) => args.iter().find_map(|arg| match arg {
                Self::Heap(name) => HEAPS.iter().find(|(ty, _)| ty == name).map(|(_, heap)| *heap),
                _ => None,
            }),
            _ => None,
        }
    }

    /// The same on the heap in use, as its methods' signatures have it.
    pub(crate) fn without_heap(&self) -> Self {
        match self {
            Self::Lib(name, args) if self.heap().is_some() => Self::Lib(name, args[..1].to_vec()),
            other => other.clone(),
        }
    }

    /// Whether it, or a type inside it, names a heap.
    pub(crate) fn names_a_heap(&self, structs: &[Struct]) -> bool {
        matches!(self, Self::Heap(_))
            || self.parts(structs).iter().any(|part| part.names_a_heap(structs))
    }

    /// As a program writes it in front of `::new()`.
    pub(crate) fn written_in_path(&self, structs: &[Struct]) -> String {
        self.written(structs).replacen('<', "::<", 1)
    }

    /// With the parameters replaced by what is known of them.
    pub(crate) fn filled(&self, params: &Params) -> Self {
        let all = |items: &[Self]| items.iter().map(|item| item.filled(params)).collect();
        match self {
            Self::Param(number) => params[*number].clone().unwrap_or_else(|| self.clone()),
            Self::Tuple(items) => Self::Tuple(all(items)),
            Self::Lib(name, args) => Self::Lib(name, all(args)),
            Self::Array(of, len) => Self::Array(Box::new(of.filled(params)), *len),
            Self::Slice(of) => Self::Slice(Box::new(of.filled(params))),
            Self::Ref(of) => Self::Ref(Box::new(of.filled(params))),
            Self::RefMut(of) => Self::RefMut(Box::new(of.filled(params))),
            Self::Scalar(_) | Self::Str | Self::Struct(_) | Self::Number(_) | Self::Heap(_) => {
                self.clone()
            }
        }
    }

    /// Whether the type is of this pattern's form; what its parameters stand for is noted.
    pub(crate) fn matches(&self, pattern: &Self, params: &mut Params) -> bool {
        let all = |left: &[Self], right: &[Self], params: &mut Params| {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| l.matches(r, params))
        };
        match (self, pattern) {
            (_, Self::Param(number)) => {
                params[*number].get_or_insert_with(|| self.clone()) == self && self.is_sized()
            }
            (_, Self::Scalar("{integer}")) => self.is_int(),
            (Self::Scalar(name), Self::Scalar("{unsigned}")) => {
                self.is_int() && name.starts_with('u')
            }
            (Self::Scalar(name), Self::Scalar("{signed}")) => {
                self.is_int() && name.starts_with('i')
            }
            (_, Self::Scalar("{float}")) => self.is_float(),
            (Self::Tuple(left), Self::Tuple(right)) => all(left, right, params),
            (Self::Lib(left, args), Self::Lib(right, params_of)) => {
                left == right && all(args, params_of, params)
            }
            (Self::Ref(left), Self::Ref(right))
            | (Self::RefMut(left), Self::RefMut(right))
            | (Self::Slice(left), Self::Slice(right)) => left.matches(right, params),
            (Self::Array(left, n), Self::Array(right, m)) => n == m && left.matches(right, params),
            _ => self == pattern,
        }
    }
}

/// What the parameters `T` and `E` or `N` stand for, as far as it is known.
pub(crate) type Params = [Option<Ty>; 2];

/// Reads a type as `library.rs` writes it; `None` for what the generator leaves alone.
pub(crate) fn parse(text: &str) -> Option<Ty> {
    let text = text.trim();
    if let Some(of) = text.strip_prefix("&'static ") {
        return parse(&format!("&{of}"));
    }
    if let Some(of) = text.strip_prefix("&mut ") {
        return Some(Ty::RefMut(Box::new(parse(of)?)));
    }
    if let Some(of) = text.strip_prefix('&') {
        return Some(Ty::reference(parse(of)?));
    }
    if let Some(of) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Some(Ty::Slice(Box::new(parse(of)?)));
    }
    if let Some((name, args)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let args = split(args).into_iter().map(parse).collect::<Option<Vec<_>>>()?;
        return LIBRARY.iter().find(|of| **of == name).map(|name| Ty::Lib(name, args));
    }
    Some(match text {
        "T" => Ty::Param(0),
        "E" | "N" => Ty::Param(1),
        "()" => Ty::unit(),
        "str" => Ty::Str,
        "{integer}" => Ty::Scalar("{integer}"),
        "{unsigned}" => Ty::Scalar("{unsigned}"),
        "{signed}" => Ty::Scalar("{signed}"),
        "{float}" => Ty::Scalar("{float}"),
        "f32" => Ty::Scalar("f32"),
        "f64" => Ty::Scalar("f64"),
        "bool" => Ty::Scalar("bool"),
        "char" => Ty::Scalar("char"),
        _ => match INTS.iter().find(|int| **int == text) {
            Some(int) => Ty::Scalar(int),
            None => Ty::Lib(LIBRARY.iter().find(|name| **name == text)?, Vec::new()),
        },
    })
}

/// Splits at the commas outside brackets.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}
