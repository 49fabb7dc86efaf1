//! `Cow`: what is borrowed until somebody writes.

use super::fault::Why;
use super::infer::Class;
use super::{Fault, Kind, Lower, Result};
use crate::typed::{At, Expr, ExprKind};
use crate::types::{Lib, Mutability, Type};

const BORROWED: u32 = 0;
const OWNED: u32 = 1;

impl Lower<'_> {
    /// Refuses a `Cow` of what is neither text nor a slice.
    pub(super) fn check_cow(&mut self, borrowed: &Type, at: At) -> Result<()> {
        match self.shallow(borrowed) {
            Type::Str | Type::Var(_) => Ok(()),
            Type::Slice(element) => {
                self.bounds.push((Type::clone(&element), "Clone", at, Why::Bound));
                Ok(())
            }
            other => {
                let what = format!("Cow<{}>", self.type_name(&other));
                let instead = "Cow<str> and Cow<[T]> can be used.";
                Err(Fault { kind: Kind::Unsupported { what, instead }, at })
            }
        }
    }

    /// `Cow::Borrowed(&b)`, `Cow::Owned(o)`, `Cow::from(x)`.
    pub(super) fn cow(
        &mut self,
        path: &syn::Path,
        call: &syn::ExprCall,
        expect: Option<&Type>,
        at: At,
    ) -> Result<Option<Expr>> {
        let mut owner = path.clone();
        let Some(name) = owner.segments.pop() else { return Ok(None) };
        owner.segments.pop_punct();
        let name = name.into_value().ident.to_string();
        if !matches!(&*name, "Borrowed" | "Owned" | "from")
            || self.library_type(&owner) != Some(Lib::Cow)
        {
            return Ok(None);
        }
        let of_owner = owner.segments.last().map(|segment| self.turbofish(segment)).transpose()?;
        let given = of_owner.and_then(|types| types.into_iter().next());
        let borrowed = given.unwrap_or_else(|| self.fresh(Class::Any));
        let ty = Type::lib(Lib::Cow, [borrowed.clone()]);
        if let Some(expect) = expect {
            // A hint alone: what does not fit is told where it is used.
            let _ = self.names.infer.unify(&ty, expect);
        }
        self.check_count(&format!("Cow::{name}"), 1, call.args.len(), at)?;
        let arg = &call.args[0];
        let (variant, value) = match &*name {
            "Borrowed" => {
                let wanted = Type::reference(Mutability::Shared, borrowed.clone());
                (BORROWED, self.coerced(arg, &wanted)?)
            }
            "Owned" => {
                let hint = self.shallow(&borrowed).owned();
                let value = self.expr(arg, hint.as_ref())?;
                let pair = Type::Tuple([borrowed.clone(), value.ty.clone()].into());
                self.bounds.push((pair, "Owned", value.at, Why::Bound));
                (OWNED, value)
            }
            _ => self.cow_from(arg, &borrowed)?,
        };
        self.check_cow(&borrowed, at)?;
        let kind = ExprKind::Variant(variant, Some(Box::new(value)));
        Ok(Some(Expr { kind, ty, at }))
    }

    /// What `Cow::from` makes of its argument: a reference is borrowed, anything else is owned.
    fn cow_from(&mut self, arg: &syn::Expr, borrowed: &Type) -> Result<(u32, Expr)> {
        let value = self.expr(arg, None)?;
        let ty = self.shallow(&value.ty);
        let to = ty.referent().map_or_else(|| ty.clone(), |(_, to)| self.shallow(to));
        let found = match &to {
            Type::Str | Type::Slice(_) => to.clone(),
            Type::Lib(Lib::String, _) => Type::Str,
            Type::Lib(Lib::Vec, args) => Type::Slice(args[0].clone().into()),
            Type::Array(element, _) => Type::Slice(element.clone()),
            _ => to,
        };
        let is_from = matches!(found, Type::Str | Type::Slice(_))
            && matches!(ty, Type::Ref(Mutability::Shared, _) | Type::Lib(..))
            && self.names.infer.unify(borrowed, &found).is_ok();
        if !is_from {
            let (ty, bound) = (self.type_name(&ty), "Into<Cow>");
            let kind = Kind::MissingTrait { ty, is_struct: false, bound, why: Why::Bound };
            return Err(Fault { kind, at: value.at });
        }
        if let Type::Ref(..) = ty {
            let wanted = Type::reference(Mutability::Shared, found);
            return Ok((BORROWED, self.coerce(value, &wanted)?));
        }
        Ok((OWNED, value))
    }
}
