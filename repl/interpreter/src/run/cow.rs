//! `Cow`.

use super::library::Called;
use super::memory::{fat, thin};
use super::vm::{Run, Vm};
use crate::layout::{LayoutId, Shape};
use crate::library::Builtin;

impl Vm<'_> {
    pub(super) fn cow(&mut self, call: &Called<'_>) -> Run<u128> {
        let mut id = call.arg_types[0];
        if matches!(self.layouts[id].shape, Shape::Reference(_)) {
            id = self.referent(id);
        }
        let at = call.word(0);
        let choice = self.choice_of(id);
        let is_owned = self.variant(at, &choice) == 1;
        let [Some(borrowed), Some(owned)] = choice.variants else {
            panic!("both variants of a Cow hold something")
        };
        let place = at + if is_owned { owned.offset } else { borrowed.offset };
        match call.run {
            Builtin::CowDeref if is_owned => {
                let header = self.header(place);
                return Ok(fat(header.first, header.len));
            }
            Builtin::CowDeref => return Ok(self.bits(place, self.layouts[borrowed.id].size)),
            Builtin::CowIntoOwned if is_owned => {
                self.copy(place, call.to, self.layouts[owned.id].size);
            }
            Builtin::CowIntoOwned => self.own(borrowed.id, place, owned.id, call.to)?,
            // `to_mut`.
            _ => {
                let to = at + owned.offset;
                if !is_owned {
                    self.own(borrowed.id, place, owned.id, to)?;
                    self.set_variant(at, &choice, 1);
                }
                return Ok(to.into());
            }
        }
        Ok(0)
    }

    /// `to_owned` of what the reference at `from` refers to. It may lie where the result goes.
    fn own(&mut self, reference: LayoutId, from: u64, owned: LayoutId, to: u64) -> Run {
        let (first, len) = thin(self.bits(from, self.layouts[reference].size));
        let Shape::Vec(element) = self.layouts[owned].shape else {
            panic!("text and slices are owned by a String and a Vec")
        };
        let (place, capacity) = self.new_elements(element, len, false)?;
        self.clone_elements(element, first, place, len)?;
        self.write_vec(to, capacity, place, len);
        Ok(())
    }
}
