//! Types that are found on the way: variables, and what is known of them.

use std::sync::Arc;

use stack::Scalar;

use crate::types::{Type, VarId};

/// What is known of a type that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing.
    Any,
    /// It is an integer: `5`.
    Integer,
    /// It is a float: `1.5`.
    Float,
}

#[derive(Clone, Debug)]
enum Known {
    Only(Class),
    Is(Type),
}

/// The variables of a session: an empty collection's may wait for a later line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Infer(imbl::Vector<Known>);

/// Two types that cannot be one.
pub(crate) struct Differ;

impl Infer {
    pub(crate) fn fresh(&mut self, class: Class) -> Type {
        let id = VarId(self.0.len() as u32);
        self.0.push_back(Known::Only(class));
        Type::Var(id)
    }

    /// The type as far as its outermost layer is known.
    pub(crate) fn shallow(&self, ty: &Type) -> Type {
        let mut ty = ty;
        while let Type::Var(id) = ty {
            match &self.0[id.0 as usize] {
                Known::Is(known) => ty = known,
                Known::Only(_) => break,
            }
        }
        ty.clone()
    }

    /// The type as far as it is known.
    pub(crate) fn resolve(&self, ty: &Type) -> Type {
        ty.map(&mut |ty| match ty {
            Type::Var(id) => Some(match &self.0[id.0 as usize] {
                Known::Is(known) => self.resolve(known),
                Known::Only(_) => ty.clone(),
            }),
            _ => None,
        })
    }

    /// What a type is called in a message: `{integer}` for a literal's that may be any.
    pub(crate) fn name(&self, ty: &Type) -> String {
        self.resolve(ty).named(&mut |id| match self.class(id) {
            Class::Any => "_",
            Class::Integer => "{integer}",
            Class::Float => "{float}",
        })
    }

    pub(crate) fn class(&self, id: VarId) -> Class {
        match &self.0[id.0 as usize] {
            Known::Only(class) => *class,
            Known::Is(_) => Class::Any,
        }
    }

    /// The class of a type whose outermost layer is not known.
    pub(crate) fn class_of(&self, ty: &Type) -> Option<Class> {
        match self.shallow(ty) {
            Type::Var(id) => Some(self.class(id)),
            _ => None,
        }
    }

    pub(crate) fn is_integer(&self, ty: &Type) -> bool {
        match self.shallow(ty) {
            Type::Scalar(scalar) => scalar.is_integer(),
            Type::Var(id) => self.class(id) == Class::Integer,
            _ => false,
        }
    }

    pub(crate) fn is_float(&self, ty: &Type) -> bool {
        match self.shallow(ty) {
            Type::Scalar(scalar) => scalar.is_float(),
            Type::Var(id) => self.class(id) == Class::Float,
            _ => false,
        }
    }

    pub(crate) fn is_number(&self, ty: &Type) -> bool {
        self.is_integer(ty) || self.is_float(ty)
    }

    /// Makes two types one.
    #[expect(clippy::many_single_char_names, reason = "x and y are the parts of a and b")]
    pub(crate) fn unify(&mut self, a: &Type, b: &Type) -> Result<(), Differ> {
        let (a, b) = (self.shallow(a), self.shallow(b));
        match (&a, &b) {
            (Type::Var(x), Type::Var(y)) if x == y => Ok(()),
            (Type::Var(x), Type::Var(y)) => {
                let (x_class, y_class) = (self.class(*x), self.class(*y));
                let (from, to) = match (x_class, y_class) {
                    (Class::Any, _) => (*x, &b),
                    (_, Class::Any) => (*y, &a),
                    _ if x_class == y_class => (*x, &b),
                    _ => return Err(Differ),
                };
                self.0[from.0 as usize] = Known::Is(to.clone());
                Ok(())
            }
            (Type::Var(id), other) | (other, Type::Var(id)) => {
                let fits = match self.class(*id) {
                    Class::Any => !self.resolve(other).any(&mut |ty| *ty == Type::Var(*id)),
                    Class::Integer => matches!(other, Type::Scalar(scalar) if scalar.is_integer()),
                    Class::Float => matches!(other, Type::Scalar(scalar) if scalar.is_float()),
                };
                if !fits {
                    return Err(Differ);
                }
                self.0[id.0 as usize] = Known::Is(other.clone());
                Ok(())
            }
            (Type::Tuple(x), Type::Tuple(y)) if x.len() == y.len() => {
                x.iter().zip(y.iter()).try_for_each(|(x, y)| self.unify(x, y))
            }
            (Type::Array(x, n), Type::Array(y, m)) if n == m => self.unify(x, y),
            (Type::Slice(x), Type::Slice(y)) => self.unify(x, y),
            (Type::Ref(m, x), Type::Ref(n, y)) if m == n => self.unify(x, y),
            (Type::Lib(l, x), Type::Lib(k, y)) if l == k && x.len() == y.len() => {
                x.iter().zip(y.iter()).try_for_each(|(x, y)| self.unify(x, y))
            }
            _ if a == b => Ok(()),
            _ => Err(Differ),
        }
    }

    /// What literals are that nothing else decides: `i32` and `f64`.
    pub(crate) fn settle(&mut self, ty: &Type) -> Type {
        let mut found = Vec::new();
        self.resolve(ty).any(&mut |ty| {
            if let Type::Var(id) = ty {
                found.push(*id);
            }
            false
        });
        for id in found {
            let scalar = match self.class(id) {
                Class::Integer => Scalar::I32,
                Class::Float => Scalar::F64,
                Class::Any => continue,
            };
            self.0[id.0 as usize] = Known::Is(Type::Scalar(scalar));
        }
        self.resolve(ty)
    }

    /// `[T; N]` for `[T]`, if that is what a type is.
    pub(crate) fn array_of(&self, ty: &Type) -> Option<(Arc<Type>, u64)> {
        match self.shallow(ty) {
            Type::Array(element, len) => Some((element, len)),
            _ => None,
        }
    }
}
