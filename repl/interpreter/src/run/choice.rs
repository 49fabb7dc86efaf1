//! `Option` and `Result`.

use super::format::debug_text;
use super::library::Called;
use super::memory::thin;
use super::vm::{Run, Vm, panic};
use crate::layout::{Choice, LayoutId, Part, Shape};
use crate::library::Builtin;

impl Vm<'_> {
    pub(super) fn choice_of(&self, id: LayoutId) -> Choice {
        match &self.layouts[id].shape {
            Shape::Choice(choice) => choice.clone(),
            shape => panic!("{shape:?} has no variants"),
        }
    }

    /// Makes a variant at `to` with a payload: an operand, or the value at that address.
    pub(super) fn write_variant(&mut self, id: LayoutId, variant: usize, payload: u128, to: u64) {
        let choice = self.choice_of(id);
        if let Some(part) = choice.variants[variant] {
            self.store(part.id, payload, to + part.offset);
        }
        self.set_variant(to, &choice, variant);
    }

    /// The same, with a payload that lies at `from`, whatever it is.
    pub(super) fn write_payload(&mut self, id: LayoutId, variant: usize, from: u64, to: u64) {
        let choice = self.choice_of(id);
        if let Some(part) = choice.variants[variant] {
            let size = self.layouts[part.id].size;
            self.copy(from, to + part.offset, size);
        }
        self.set_variant(to, &choice, variant);
    }

    pub(super) fn write_none(&mut self, id: LayoutId, to: u64) {
        let choice = self.choice_of(id);
        self.set_variant(to, &choice, 0);
    }

    /// `Some(reference)` or `None`.
    pub(super) fn write_option(&mut self, id: LayoutId, value: Option<u128>, to: u64) {
        match value {
            Some(value) => self.write_variant(id, 1, value, to),
            None => self.write_none(id, to),
        }
    }

    pub(super) fn choice(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let at = call.word(0);
        let mut id = call.arg_types[0];
        if matches!(self.layouts[id].shape, Shape::Reference(_)) {
            id = self.referent(id);
        }
        let choice = self.choice_of(id);
        let variant = self.variant(at, &choice);
        let payload = choice.variants[variant];
        let place = at + payload.map_or(0, |part| part.offset);
        let held = |vm: &mut Self, to| {
            let part = payload.expect("this variant holds something");
            vm.take(part.id, place, to)
        };
        // `None` has number 0, as `Ok` has.
        let is_some = variant == 1;
        match call.run {
            B::OptionIsSome | B::ResultIsErr => return Ok(is_some.into()),
            B::OptionIsNone | B::ResultIsOk => return Ok((!is_some).into()),
            B::OptionUnwrap if !is_some => {
                return panic("called `Option::unwrap()` on a `None` value");
            }
            B::OptionExpect if !is_some => {
                let (text, len) = thin(call.args[1]);
                return panic(self.view().text(text, len));
            }
            B::OptionUnwrap | B::OptionExpect => return Ok(held(self, call.to)),
            B::ResultUnwrap | B::ResultExpect | B::ResultUnwrapErr | B::ResultExpectErr => {
                let wanted =
                    usize::from(matches!(call.run, B::ResultUnwrapErr | B::ResultExpectErr));
                if variant == wanted {
                    return Ok(held(self, call.to));
                }
                let part = payload.expect("a Result always holds something");
                let said = match call.run {
                    B::ResultUnwrap => "called `Result::unwrap()` on an `Err` value".to_owned(),
                    B::ResultUnwrapErr => {
                        "called `Result::unwrap_err()` on an `Ok` value".to_owned()
                    }
                    _ => {
                        let (text, len) = thin(call.args[1]);
                        self.view().text(text, len)
                    }
                };
                return panic(format!("{said}: {}", debug_text(self, place, part.id)?));
            }
            B::OptionUnwrapOr | B::ResultUnwrapOr => {
                let is_held = (call.run == B::OptionUnwrapOr) == is_some;
                let of = call.result;
                if is_held {
                    if !self.layouts[of].is_operand() {
                        self.drop_later(call.word(1), of);
                    }
                    return Ok(held(self, call.to));
                }
                self.drop_payload(place, payload);
                return Ok(self.moved(of, call.args[1], call.to));
            }
            B::OptionUnwrapOrDefault | B::ResultUnwrapOrDefault => {
                if (call.run == B::OptionUnwrapOrDefault) == is_some {
                    return Ok(held(self, call.to));
                }
                self.drop_payload(place, payload);
                return self.default(call.result, call.to);
            }
            B::OptionAnd | B::OptionOr | B::OptionXor | B::OptionZip => {
                self.two_options(call, &choice);
            }
            B::OptionFlatten if is_some => {
                self.copy(place, call.to, self.layouts[call.result].size);
            }
            B::OptionFlatten => self.write_none(call.result, call.to),
            B::ResultAsRef => self.write_variant(call.result, variant, place.into(), call.to),
            B::OptionTake => {
                self.copy(at, call.to, self.layouts[id].size);
                self.set_variant(at, &choice, 0);
            }
            B::OptionReplace => {
                self.copy(at, call.to, self.layouts[id].size);
                self.write_variant(id, 1, call.args[1], at);
            }
            B::OptionInsert | B::OptionGetOrInsert => {
                let part = choice.variants[1].expect("Some holds something");
                let place = at + part.offset;
                if !is_some {
                    self.write_variant(id, 1, call.args[1], at);
                } else if call.run == B::OptionInsert {
                    self.replace_later(part.id, call.args[1], place);
                } else if !self.layouts[part.id].is_operand() {
                    self.drop_later(call.word(1), part.id);
                }
                return Ok(place.into());
            }
            B::OptionAsRef | B::OptionAsMut => {
                self.write_option(call.result, is_some.then_some(place.into()), call.to);
            }
            B::OptionOkOr => {
                if is_some {
                    self.write_payload(call.result, 0, place, call.to);
                    if !self.layouts[call.arg_types[1]].is_operand() {
                        self.drop_later(call.word(1), call.arg_types[1]);
                    }
                } else {
                    self.write_variant(call.result, 1, call.args[1], call.to);
                }
            }
            B::OptionCloned | B::OptionCopied => {
                if is_some {
                    let result = self.choice_of(call.result);
                    let part = result.variants[1].expect("Some holds something");
                    let from = self.word(place);
                    self.clone_into(part.id, from, call.to + part.offset)?;
                    self.set_variant(call.to, &result, 1);
                } else {
                    self.write_none(call.result, call.to);
                }
            }
            B::ResultOk | B::ResultErr => {
                if is_some == (call.run == B::ResultErr) {
                    self.write_payload(call.result, 1, place, call.to);
                } else {
                    self.drop_payload(place, payload);
                    self.write_none(call.result, call.to);
                }
            }
            other => panic!("{other:?} is not of Option or Result"),
        }
        Ok(0)
    }

    /// `a.and(b)` and its like. Both are given away: what does not come back is dropped.
    fn two_options(&mut self, call: &Called<'_>, choice: &Choice) {
        use Builtin as B;
        let [(a, a_id), (b, b_id)] = [0, 1].map(|arg| (call.word(arg), call.arg_types[arg]));
        let of_b = self.choice_of(b_id);
        let (a_is, b_is) = (self.variant(a, choice) == 1, self.variant(b, &of_b) == 1);
        let given = match call.run {
            B::OptionZip if a_is && b_is => {
                let (of_a, of_b) = (choice.variants[1], of_b.variants[1]);
                let result = self.choice_of(call.result);
                let (Some(of_a), Some(of_b), Some(pair)) = (of_a, of_b, result.variants[1]) else {
                    panic!("Some holds something")
                };
                let values =
                    [(of_a, a), (of_b, b)].map(|(part, at)| self.stored(part.id, at + part.offset));
                self.write_tuple(pair.id, &values, call.to + pair.offset);
                self.set_variant(call.to, &result, 1);
                return;
            }
            B::OptionAnd if a_is => Some(b),
            B::OptionOr => Some(if a_is { a } else { b }),
            B::OptionXor if a_is != b_is => Some(if a_is { a } else { b }),
            _ => None,
        };
        // The newest task is done first.
        for (at, id) in [(b, b_id), (a, a_id)] {
            if given != Some(at) {
                self.drop_later(at, id);
            }
        }
        match given {
            Some(at) => self.copy(at, call.to, self.layouts[call.result].size),
            None => self.write_none(call.result, call.to),
        }
    }

    /// What lies at an address, as an argument: its bits, or the address.
    fn stored(&self, id: LayoutId, at: u64) -> u128 {
        let layout = &self.layouts[id];
        if layout.is_operand() { self.bits(at, layout.size) } else { at.into() }
    }

    fn drop_payload(&mut self, at: u64, payload: Option<Part>) {
        if let Some(part) = payload {
            self.drop_later(at, part.id);
        }
    }

    /// An argument becomes the result.
    fn moved(&mut self, id: LayoutId, value: u128, to: u64) -> u128 {
        if !self.layouts[id].is_operand() {
            self.copy(value as u64, to, self.layouts[id].size);
        }
        value
    }
}
