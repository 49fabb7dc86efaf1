//! Methods of numbers.

use stack::Scalar;

use super::library::Called;
use super::scalar::{binary, float, mask, order, overflowing, signed, unary};
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
        if let B::IntFromLeBytes | B::IntFromBeBytes = call.run {
            let size = self.layouts[call.result].size;
            let bits = self.bits(call.word(0), size);
            let is_little = call.run == B::IntFromLeBytes;
            return Ok(if is_little { bits } else { bits.swap_bytes() >> (128 - size * 8) });
        }
        let scalar = self.scalar_of(call);
        let [a, b, c] = call.args;
        let width = scalar.size_bytes() * 8;
        let zeros_above = 128 - width;
        let is_negative = scalar.is_signed() && signed(scalar, a) < 0;
        let is_less = |a, b| order(scalar, a, b).is_some_and(std::cmp::Ordering::is_lt);
        let turned = |left: u32| {
            if left == 0 { a } else { (a << left | a >> (width - left)) & mask(scalar) }
        };
        Ok(match call.run {
            B::IntClamp if is_less(c, b) => {
                let [min, max] = [b, c].map(|bits| self.number_text(call.arg_types[0], bits));
                return panic(format!("min > max. min = {min}, max = {max}"));
            }
            B::IntClamp if is_less(a, b) => b,
            B::IntClamp if is_less(c, a) => c,
            B::IntRemEuclid => {
                let rest = binary(BinaryOp::Rem, scalar, a, scalar, b)?;
                if scalar.is_signed() && signed(scalar, rest) < 0 {
                    let by = signed(scalar, b).unsigned_abs();
                    rest.wrapping_add(by) & mask(scalar)
                } else {
                    rest
                }
            }
            B::IntDivEuclid => {
                let quotient = binary(BinaryOp::Div, scalar, a, scalar, b)?;
                let rest = overflowing(BinaryOp::Rem, scalar, a, b).0;
                if scalar.is_signed() && signed(scalar, rest) < 0 {
                    let by = if signed(scalar, b) > 0 { u128::MAX } else { 1 };
                    quotient.wrapping_add(by) & mask(scalar)
                } else {
                    quotient
                }
            }
            B::IntWrappingNeg => a.wrapping_neg() & mask(scalar),
            B::IntCheckedRem => return Ok(self.checked(call, BinaryOp::Rem, scalar)),
            B::IntCheckedPow => {
                self.write_option(call.result, power(scalar, a, b).ok(), call.to);
                0
            }
            B::IntOverflowingAdd => self.overflowing(call, BinaryOp::Add, scalar),
            B::IntOverflowingSub => self.overflowing(call, BinaryOp::Sub, scalar),
            B::IntOverflowingMul => self.overflowing(call, BinaryOp::Mul, scalar),
            B::IntSaturatingMul => saturating(BinaryOp::Mul, scalar, a, b),
            B::IntCountZeros => (width - a.count_ones()).into(),
            B::IntLeadingOnes => ((!a & mask(scalar)).leading_zeros() - zeros_above).into(),
            B::IntTrailingOnes => a.trailing_ones().into(),
            B::IntRotateLeft => turned(b as u32 % width),
            B::IntRotateRight => turned((width - b as u32 % width) % width),
            B::IntSwapBytes => a.swap_bytes() >> zeros_above,
            B::IntReverseBits => a.reverse_bits() >> zeros_above,
            B::IntIsqrt if is_negative => {
                return panic("argument of integer square root cannot be negative");
            }
            B::IntIsqrt => a.isqrt(),
            B::IntIlog2 | B::IntIlog10 if a == 0 || is_negative => {
                return panic("argument of integer logarithm must be positive");
            }
            B::IntIlog2 => a.ilog2().into(),
            B::IntIlog10 => a.ilog10().into(),
            B::IntToLeBytes | B::IntToBeBytes => {
                let is_little = call.run == B::IntToLeBytes;
                let bits = if is_little { a } else { a.swap_bytes() >> zeros_above };
                self.set_bits(call.to, u64::from(width / 8), bits);
                0
            }
            B::IntAbsDiff => a.abs_diff(b),
            B::IntDivCeil if b != 0 => a.div_ceil(b),
            B::IntDivCeil => return binary(BinaryOp::Div, scalar, a, scalar, b),
            B::IntNextMultipleOf => {
                let rest = binary(BinaryOp::Rem, scalar, a, scalar, b)?;
                let missing = if rest == 0 { 0 } else { b - rest };
                return binary(BinaryOp::Add, scalar, a, scalar, missing);
            }
            B::IntCheckedNextPowerOfTwo => {
                let power = a.checked_next_power_of_two().filter(|power| *power <= mask(scalar));
                self.write_option(call.result, power, call.to);
                0
            }
            B::IntSignum if is_negative => mask(scalar),
            B::IntSignum => u128::from(a != 0),
            B::IntIsNegative => is_negative.into(),
            B::IntIsPositive => (!is_negative && a != 0).into(),
            B::IntPow => power(scalar, a, b)?,
            B::IntAbs if signed(scalar, a) >= 0 => a,
            B::IntAbs => unary(UnaryOp::Neg, scalar, a)?,
            B::IntMin if is_less(b, a) => b,
            B::IntMax if !is_less(b, a) => b,
            B::IntClamp | B::IntMin | B::IntMax => a,
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
        let value = if matches!(op, BinaryOp::Div | BinaryOp::Rem) && b == 0 {
            None
        } else {
            let (value, is_beyond) = overflowing(op, scalar, a, b);
            (!is_beyond).then_some(value)
        };
        self.write_option(call.result, value, call.to);
        0
    }

    fn overflowing(&mut self, call: &Called<'_>, op: BinaryOp, scalar: Scalar) -> u128 {
        let (value, is_beyond) = overflowing(op, scalar, call.args[0], call.args[1]);
        self.write_tuple(call.result, &[value, is_beyond.into()], call.to);
        0
    }

    pub(super) fn float(&mut self, call: &Called<'_>) -> u128 {
        use Builtin as B;
        let scalar = self.scalar_of(call);
        let [a, b, _] = call.args;
        match call.run {
            B::FloatSqrt => float!(scalar, |x = a| x.sqrt()),
            B::FloatAbs => float!(scalar, |x = a| x.abs()),
            B::FloatToBits | B::FloatFromBits => a,
            B::FloatIsNan => match scalar {
                Scalar::F32 => f32::from_bits(a as u32).is_nan().into(),
                _ => f64::from_bits(a as u64).is_nan().into(),
            },
            B::FloatCeil => float!(scalar, |x = a| x.ceil()),
            B::FloatRound => float!(scalar, |x = a| x.round()),
            B::FloatTrunc => float!(scalar, |x = a| x.trunc()),
            B::FloatSignum => float!(scalar, |x = a| x.signum()),
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
    let is_low = match (op, scalar.is_signed()) {
        (BinaryOp::Mul, true) => (signed(scalar, a) < 0) != (signed(scalar, b) < 0),
        (_, true) => signed(scalar, a) < 0,
        (_, false) => op == BinaryOp::Sub,
    };
    match (is_low, scalar.is_signed()) {
        (false, _) => max,
        (true, true) => max + 1,
        (true, false) => 0,
    }
}
