use std::fmt;

use memory::Pages;

use crate::peers::{BuddySystemAllocator, Bumpalo, Dlmalloc, LinkedListAllocator, Rlsf, Talc};
use crate::{
    AnyHeap, BestFit, Buddy, Bump, Counting, Fallback, FirstFit, Guard, Guest, Hosted, NextFit,
    Pool, Serial, SizeClasses, SplitBySize, Stack, Tlsf, WorstFit,
};

/// How deep wrappers may nest.
pub const MAX_NESTING: usize = 8;

/// What an allocator says of itself: a row of [`HEAPS`].
pub struct Info {
    /// The name `use` takes, in kebab-case.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// How it does it, what that costs, and what it is bad at.
    pub details: &'static str,
    /// What may stand behind its name.
    pub options: &'static [OptionInfo],
    /// The heaps in brackets, for a wrapper.
    pub inner: &'static [Inner],
    /// Whose it is.
    pub origin: Origin,
    /// A fresh one over an arena of so many bytes, all zero.
    pub build: Build,
}

/// Whose an allocator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Ours: arithmetic on offsets, whose every step is known.
    Ours,
    /// Somebody else's crate, at work in real memory of its own.
    Crate,
    /// Somebody else's, at work for the whole process: what it answers is measured.
    Process,
}

/// Sets up a heap over an arena of so many bytes.
pub type Build = fn(&Spec, u32) -> Result<AnyHeap, Unfit>;

/// What stands in a wrapper's brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// A size in bytes.
    Size,
    /// A heap.
    Heap,
}

/// An option of an allocator.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// `order` in `order=lifo`; empty for the one that is given without a name.
    pub key: &'static str,
    /// What it takes. The first choice, or the value named, holds when it is not given.
    pub takes: Takes,
}

/// What an option takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number in a range.
    Number {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
        /// What holds when none is given.
        default: u32,
    },
    /// Sizes in rising order, each a multiple of 8, with commas between.
    Sizes {
        /// The most of them.
        most: usize,
        /// The largest, in bytes.
        max_bytes: u32,
        /// What holds when none are given.
        default: &'static [u32],
    },
}

/// What was given for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word.
    Choice(&'static str),
    /// A number.
    Number(u32),
    /// Sizes in bytes.
    Sizes(Vec<u32>),
}

/// An allocator with its options, and those it wraps: what `use` was told.
#[derive(Clone)]
pub struct Spec {
    /// The row.
    pub info: &'static Info,
    /// The options given, by key.
    pub options: Vec<(&'static str, Value)>,
    /// The size in a wrapper's brackets.
    pub border_bytes: Option<u32>,
    /// The heaps in a wrapper's brackets.
    pub inner: Vec<Self>,
}

/// Why an allocator cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its own books need a larger arena.
    TooSmall {
        /// The least that will do.
        least_bytes: u32,
    },
    /// It is not in this build.
    Missing {
        /// What to do.
        instead: &'static str,
    },
    /// It takes memory as it goes, and cannot lie in front of another heap.
    Grows,
}

impl Spec {
    /// The row with every option at its default.
    pub fn plain(info: &'static Info) -> Self {
        Self { info, options: Vec::new(), border_bytes: None, inner: Vec::new() }
    }

    /// The row with something in its brackets, for one that needs it: first-fit.
    pub fn sample(info: &'static Info) -> Self {
        let mut spec = Self::plain(info);
        for inner in info.inner {
            match inner {
                Inner::Size => spec.border_bytes = Some(64),
                Inner::Heap => spec.inner.push(Self::plain(&FirstFit::<Pages>::INFO)),
            }
        }
        spec
    }

    /// A fresh heap over an arena of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Unfit`] if the arena is too small for it, or there is none here.
    pub fn build(&self, len: u32) -> Result<AnyHeap, Unfit> {
        (self.info.build)(self, len)
    }

    /// Its name without the options: `guard(best-fit)`.
    pub fn called(&self) -> String {
        if self.inner.is_empty() {
            return self.info.name.to_owned();
        }
        let border = self.border_bytes.iter().map(u32::to_string);
        let parts: Vec<_> = border.chain(self.inner.iter().map(Self::called)).collect();
        format!("{}({})", self.info.name, parts.join(", "))
    }

    /// Whether it, or one it wraps, is somebody else's.
    pub fn is_foreign(&self) -> bool {
        self.info.origin != Origin::Ours || self.inner.iter().any(Self::is_foreign)
    }

    /// Whether it, or one it wraps, works for the whole process, so that its answers are measured.
    pub fn is_measured(&self) -> bool {
        self.info.origin == Origin::Process || self.inner.iter().any(Self::is_measured)
    }

    fn option(&self, key: &str) -> (&Takes, Option<&Value>) {
        let info = self.info.options.iter().find(|option| option.key == key);
        let info = info.unwrap_or_else(|| panic!("{} has no option {key}", self.info.name));
        (&info.takes, self.options.iter().find(|(given, _)| *given == key).map(|(_, value)| value))
    }

    /// The word given for an option, or the first there is.
    pub fn choice(&self, key: &str) -> &'static str {
        match self.option(key) {
            (_, Some(Value::Choice(word))) => word,
            (Takes::Choice(words), _) => words[0],
            (takes, _) => panic!("{key} takes {takes:?}, no word"),
        }
    }

    /// The number given for an option, or its default.
    pub fn number(&self, key: &str) -> u32 {
        match self.option(key) {
            (_, Some(Value::Number(number))) => *number,
            (Takes::Number { default, .. }, _) => *default,
            (takes, _) => panic!("{key} takes {takes:?}, no number"),
        }
    }

    /// The sizes given for an option, or its default.
    pub fn sizes(&self, key: &str) -> &[u32] {
        match self.option(key) {
            (_, Some(Value::Sizes(sizes))) => sizes,
            (Takes::Sizes { default, .. }, _) => default,
            (takes, _) => panic!("{key} takes {takes:?}, no sizes"),
        }
    }
}

/// As it is typed: `guard(best-fit order=lifo) quarantine=4`.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info.name)?;
        if !self.info.inner.is_empty() {
            let border = self.border_bytes.iter().map(u32::to_string);
            let parts: Vec<_> = border.chain(self.inner.iter().map(Self::to_string)).collect();
            write!(f, "({})", parts.join(", "))?;
        }
        for (key, value) in &self.options {
            let equals = if key.is_empty() { "" } else { "=" };
            write!(f, " {key}{equals}")?;
            match value {
                Value::Choice(word) => f.write_str(word)?,
                Value::Number(number) => write!(f, "{number}")?,
                Value::Sizes(sizes) => {
                    let sizes: Vec<_> = sizes.iter().map(u32::to_string).collect();
                    f.write_str(&sizes.join(","))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Every allocator there is, in the order they are taught.
pub static HEAPS: &[&Info] = &[
    &Bump::<Pages>::INFO,
    &Stack::<Pages>::INFO,
    &FirstFit::<Pages>::INFO,
    &NextFit::<Pages>::INFO,
    &BestFit::<Pages>::INFO,
    &WorstFit::<Pages>::INFO,
    &Pool::<Pages>::INFO,
    &SizeClasses::<Pages>::INFO,
    &Buddy::<Pages>::INFO,
    &Tlsf::<Pages>::INFO,
    &Guest::<Rlsf>::INFO,
    &Guest::<Talc>::INFO,
    &Guest::<LinkedListAllocator>::INFO,
    &Guest::<BuddySystemAllocator>::INFO,
    &Guest::<Dlmalloc>::INFO,
    &Guest::<Bumpalo>::INFO,
    &Hosted::SYSTEM,
    &Hosted::MIMALLOC,
    &Hosted::JEMALLOC,
    &Counting::<AnyHeap>::INFO,
    &Guard::<AnyHeap>::INFO,
    &Fallback::<AnyHeap, AnyHeap>::INFO,
    &SplitBySize::<AnyHeap, AnyHeap>::INFO,
    &Serial::<AnyHeap>::INFO,
];

/// The row called `name`.
pub fn named(name: &str) -> Option<&'static Info> {
    HEAPS.iter().copied().find(|info| info.name == name)
}
