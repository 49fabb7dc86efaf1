//! Arithmetic on numbers, `bool` and `char`, with the checks of a debug build.
//!
//! A value's bits are its own, zeros above them.

use std::cmp::Ordering;

use stack::Scalar;

use super::vm::{Run, panic};
use crate::typed::{BinaryOp, CompareOp, UnaryOp};

/// Calculates on floats of either size.
macro_rules! float {
    ($scalar:expr, |$($name:ident = $bits:ident),+| $result:expr) => {
        match $scalar {
            Scalar::F32 => {
                $(let $name = f32::from_bits($bits as u32);)+
                u128::from($result.to_bits())
            }
            _ => {
                $(let $name = f64::from_bits($bits as u64);)+
                u128::from($result.to_bits())
            }
        }
    };
}
pub(super) use float;

fn width(scalar: Scalar) -> u32 {
    scalar.size_bytes() * 8
}

/// The low bits that a value of the type has.
pub(super) fn mask(scalar: Scalar) -> u128 {
    u128::MAX >> (128 - width(scalar))
}

/// The value of a signed type.
pub(super) fn signed(scalar: Scalar, bits: u128) -> i128 {
    let unused = 128 - width(scalar);
    (bits << unused).cast_signed() >> unused
}

/// A number that is ordered as the integer, `bool` or `char` is.
pub(super) fn ordered(scalar: Scalar, bits: u128) -> u128 {
    if scalar.is_signed() { bits ^ (1 << (width(scalar) - 1)) } else { bits }
}

/// The next integer, around the end of the type.
pub(super) fn successor(scalar: Scalar, bits: u128) -> u128 {
    bits.wrapping_add(1) & mask(scalar)
}

fn float_of(scalar: Scalar, bits: u128) -> f64 {
    match scalar {
        Scalar::F32 => f32::from_bits(bits as u32).into(),
        _ => f64::from_bits(bits as u64),
    }
}

/// The order of two values; floats that are no numbers have none.
pub(super) fn order(scalar: Scalar, a: u128, b: u128) -> Option<Ordering> {
    if scalar.is_float() {
        float_of(scalar, a).partial_cmp(&float_of(scalar, b))
    } else {
        Some(ordered(scalar, a).cmp(&ordered(scalar, b)))
    }
}

/// Whether an order is what an operator asks for.
pub(super) fn holds(op: CompareOp, order: Option<Ordering>) -> bool {
    match op {
        CompareOp::Eq => order == Some(Ordering::Equal),
        CompareOp::Ne => order != Some(Ordering::Equal),
        CompareOp::Lt => order.is_some_and(Ordering::is_lt),
        CompareOp::Le => order.is_some_and(Ordering::is_le),
        CompareOp::Gt => order.is_some_and(Ordering::is_gt),
        CompareOp::Ge => order.is_some_and(Ordering::is_ge),
    }
}

/// The exact result of an integer operation, cut to the type, and whether it was cut.
pub(super) fn overflowing(op: BinaryOp, scalar: Scalar, a: u128, b: u128) -> (u128, bool) {
    if scalar.is_signed() {
        let (x, y) = (signed(scalar, a), signed(scalar, b));
        let (exact, is_beyond) = match op {
            BinaryOp::Add => x.overflowing_add(y),
            BinaryOp::Sub => x.overflowing_sub(y),
            BinaryOp::Mul => x.overflowing_mul(y),
            BinaryOp::Div => x.overflowing_div(y),
            BinaryOp::Rem if y == -1 => (0, x == signed(scalar, 1 << (width(scalar) - 1))),
            _ => (x % y, false),
        };
        let cut = exact.cast_unsigned() & mask(scalar);
        (cut, is_beyond || signed(scalar, cut) != exact)
    } else {
        let (exact, is_beyond) = match op {
            BinaryOp::Add => a.overflowing_add(b),
            BinaryOp::Sub => a.overflowing_sub(b),
            BinaryOp::Mul => a.overflowing_mul(b),
            BinaryOp::Div => (a / b, false),
            _ => (a % b, false),
        };
        (exact & mask(scalar), is_beyond || exact > mask(scalar))
    }
}

/// `a op b`.
pub(super) fn binary(op: BinaryOp, scalar: Scalar, a: u128, rhs: Scalar, b: u128) -> Run<u128> {
    let action = match op {
        BinaryOp::Compare(op) => return Ok(holds(op, order(scalar, a, b)).into()),
        BinaryOp::And => return Ok(a & b),
        BinaryOp::Or => return Ok(a | b),
        BinaryOp::Xor => return Ok(a ^ b),
        BinaryOp::Shl | BinaryOp::Shr => return shift(op, scalar, a, rhs, b),
        _ if scalar.is_float() => return Ok(float_binary(op, scalar, a, b)),
        BinaryOp::Div if b == 0 => return panic("attempt to divide by zero"),
        BinaryOp::Rem if b == 0 => {
            return panic("attempt to calculate the remainder with a divisor of zero");
        }
        BinaryOp::Add => "add",
        BinaryOp::Sub => "subtract",
        BinaryOp::Mul => "multiply",
        BinaryOp::Div => "divide",
        BinaryOp::Rem => "calculate the remainder",
    };
    match overflowing(op, scalar, a, b) {
        (_, true) => panic(format!("attempt to {action} with overflow")),
        (value, false) => Ok(value),
    }
}

fn float_binary(op: BinaryOp, scalar: Scalar, a: u128, b: u128) -> u128 {
    float!(scalar, |x = a, y = b| match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => x / y,
        BinaryOp::Rem => x % y,
        _ => panic!("{op:?} is not for floats"),
    })
}

fn shift(op: BinaryOp, scalar: Scalar, a: u128, rhs: Scalar, b: u128) -> Run<u128> {
    let is_left = op == BinaryOp::Shl;
    let is_negative = rhs.is_signed() && signed(rhs, b) < 0;
    if is_negative || b >= u128::from(width(scalar)) {
        let side = if is_left { "left" } else { "right" };
        return panic(format!("attempt to shift {side} with overflow"));
    }
    let by = b as u32;
    Ok(if is_left {
        (a << by) & mask(scalar)
    } else if scalar.is_signed() {
        (signed(scalar, a) >> by).cast_unsigned() & mask(scalar)
    } else {
        a >> by
    })
}

/// `-a`, `!a`.
pub(super) fn unary(op: UnaryOp, scalar: Scalar, a: u128) -> Run<u128> {
    match op {
        UnaryOp::Not if scalar == Scalar::Bool => Ok(a ^ 1),
        UnaryOp::Not => Ok(!a & mask(scalar)),
        UnaryOp::Neg if scalar.is_float() => Ok(float!(scalar, |x = a| -x)),
        UnaryOp::Neg if a == 1 << (width(scalar) - 1) => panic("attempt to negate with overflow"),
        UnaryOp::Neg => Ok(a.wrapping_neg() & mask(scalar)),
    }
}

/// `a as to`.
#[expect(clippy::cast_precision_loss, reason = "it rounds as the program's cast does")]
pub(super) fn cast(from: Scalar, to: Scalar, a: u128) -> u128 {
    match (from.is_float(), to) {
        (true, Scalar::F32) if from == to => a,
        (true, Scalar::F32) => u128::from((f64::from_bits(a as u64) as f32).to_bits()),
        (true, Scalar::F64) => u128::from(float_of(from, a).to_bits()),
        (true, _) => float_to_integer(float_of(from, a), to),
        (false, Scalar::F32) if from.is_signed() => u128::from((signed(from, a) as f32).to_bits()),
        (false, Scalar::F32) => u128::from((a as f32).to_bits()),
        (false, Scalar::F64) if from.is_signed() => u128::from((signed(from, a) as f64).to_bits()),
        (false, Scalar::F64) => u128::from((a as f64).to_bits()),
        (false, _) if from.is_signed() => signed(from, a).cast_unsigned() & mask(to),
        (false, _) => a & mask(to),
    }
}

/// Towards zero, and no farther than the type reaches.
#[expect(clippy::cast_sign_loss, reason = "below zero it is 0, as in the program's cast")]
fn float_to_integer(value: f64, to: Scalar) -> u128 {
    if to.is_signed() {
        let max = (mask(to) >> 1).cast_signed();
        (value as i128).clamp(-max - 1, max).cast_unsigned() & mask(to)
    } else {
        (value as u128).min(mask(to))
    }
}
