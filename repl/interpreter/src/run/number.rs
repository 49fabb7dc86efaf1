//! Methods of numbers.

use stack::Scalar;

use super::library::Called;
use super::scalar::{float, mask, order, overflowing, signed, unary};
use super::vm::{Run, Vm, panic};
use crate::layout::Shape;
use crate::library::Builtin;
use crate::typed::{BinaryOp, UnaryOp};

impl Vm<'_> {
    fn scalar_of(&self, call: &Called<'_>) -> Scalar {
        match self.layouts[call.arg_types[0]].shape {
            Shape::Scalar(scalar) => scalar,
            ref shape => panic!("{shape:?} is no number"),
        }
    }

    pub(super) fn integer(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let scalar = self.scalar_of(call);
        let [a, b, _] = call.args;
        let width = scalar.size_bytes() * 8;
        let zeros_above = 128 - width;
        Ok(match call.run {
            B::IntPow => power(scalar, a, b)?,
            B::IntAbs if signed(scalar, a) >= 0 => a,
            B::IntAbs => unary(UnaryOp::Neg, scalar, a)?,
            B::IntMin => {
                if order(scalar, b, a).is_some_and(std::cmp::Ordering::is_lt) {
                    b
                } else {
                    a
                }
            }
            B::IntMax => {
                if order(scalar, b, a).is_some_and(std::cmp::Ordering::is_lt) {
                    a
                } else {
                    b
                }
            }
            B::IntWrappingAdd => overflowing(BinaryOp::Add, scalar, a, b).0,
            B::IntWrappingSub => overflowing(BinaryOp::Sub, scalar, a, b).0,
            B::IntWrappingMul => overflowing(BinaryOp::Mul, scalar, a, b).0,
            B::IntCheckedAdd => return Ok(self.checked(call, BinaryOp::Add, scalar)),
            B::IntCheckedSub => return Ok(self.checked(call, BinaryOp::Sub, scalar)),
            B::IntCheckedMul => return Ok(self.checked(call, BinaryOp::Mul, scalar)),
            B::IntCheckedDiv => return Ok(self.checked(call, BinaryOp::Div, scalar)),
            B::IntSaturatingAdd => saturating(BinaryOp::Add, scalar, a, b),
            B::IntSaturatingSub => saturating(BinaryOp::Sub, scalar, a, b),
            B::IntCountOnes => a.count_ones().into(),
            B::IntLeadingZeros => (a.leading_zeros() - zeros_above).into(),
            B::IntTrailingZeros => a.trailing_zeros().min(width).into(),
            B::IntIsPowerOfTwo => a.is_power_of_two().into(),
            B::IntNextPowerOfTwo => match a.checked_next_power_of_two() {
                Some(power) if power <= mask(scalar) => power,
                _ => return panic("attempt to add with overflow"),
            },
            other => panic!("{other:?} is not of integers"),
        })
    }

    fn checked(&mut self, call: &Called<'_>, op: BinaryOp, scalar: Scalar) -> u128 {
        let [a, b, _] = call.args;
        let value = if op == BinaryOp::Div && b == 0 {
            None
        } else {
            let (value, is_beyond) = overflowing(op, scalar, a, b);
            (!is_beyond).then_some(value)
        };
        self.write_option(call.result, value, call.to);
        0
    }

    pub(super) fn float(&mut self, call: &Called<'_>) -> u128 {
        use Builtin as B;
        let scalar = self.scalar_of(call);
        let [a, b, _] = call.args;
        match call.run {
            B::FloatSqrt => float!(scalar, |x = a| x.sqrt()),
            B::FloatAbs => float!(scalar, |x = a| x.abs()),
            B::FloatFloor => float!(scalar, |x = a| x.floor()),
            B::FloatMin => float!(scalar, |x = a, y = b| x.min(y)),
            B::FloatMax => float!(scalar, |x = a, y = b| x.max(y)),
            B::FloatPowi => {
                let exponent = b as u32;
                float!(scalar, |x = a| x.powi(exponent.cast_signed()))
            }
            other => panic!("{other:?} is not of floats"),
        }
    }
}

/// By squaring, as std does: which product overflows first does not matter, one message fits all.
fn power(scalar: Scalar, base: u128, exponent: u128) -> Run<u128> {
    let (mut result, mut base, mut exponent) = (1, base, exponent);
    let multiply = |a, b| match overflowing(BinaryOp::Mul, scalar, a, b) {
        (_, true) => panic("attempt to multiply with overflow"),
        (product, false) => Ok(product),
    };
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, base)?;
        }
        exponent >>= 1;
        if exponent > 0 {
            base = multiply(base, base)?;
        }
    }
    Ok(result)
}

fn saturating(op: BinaryOp, scalar: Scalar, a: u128, b: u128) -> u128 {
    let (value, is_beyond) = overflowing(op, scalar, a, b);
    if !is_beyond {
        return value;
    }
    let max = if scalar.is_signed() { mask(scalar) >> 1 } else { mask(scalar) };
    // A sum of two negatives, and a difference that starts from one, go beyond the low end.
    let is_low = if scalar.is_signed() { signed(scalar, a) < 0 } else { op == BinaryOp::Sub };
    match (is_low, scalar.is_signed()) {
        (false, _) => max,
        (true, true) => max + 1,
        (true, false) => 0,
    }
}
