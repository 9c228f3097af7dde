//! Owns the rows of the rules.
//!
//! Must not know how numbers are read off bits (the parent does).

use super::{
    Made, Rule, bare, bits, bounds, clamp, digits, divided, exact, float, int, is_comparison, is_endomorphic, is_float,
    is_int, is_ordered, is_truncation, mathematics, of_half, of_rounded, op_ty, sign, signed, width,
};
use crate::cause::construct::Construct;
use crate::wasm::types::ValType;

/// Every rule.
pub(in crate::cause::mutant) static RULES: [Rule; 37] = [
    Rule {
        name: "swapped",
        subject: "instructions of two operands",
        words: "with the operands in the other order",
        has: |op, _| is_ordered(op),
        make: |op, x, y| exact(op, y, x).map_or(Made::Nothing, Made::Bits),
    },
    Rule {
        name: "unmasked",
        subject: "shifts and rotations",
        words: "by their whole count, which is not taken modulo the width",
        has: |op, _| Construct::of(op) == Some(Construct::Shift),
        make: |op, x, y| match y >= width(op) {
            false => Made::Exact,
            true if bare(op) == "shr_s" => int(op_ty(op), signed(op_ty(op), x) >> 63),
            true => Made::Bits(0),
        },
    },
    Rule {
        name: "zero-extended",
        subject: "sign extensions",
        words: "with zeros above",
        has: |_, name| name.starts_with("extend") && name.ends_with("_s"),
        make: |op, _, y| {
            let kept = if bare(op) == "extend_i32_s" { 32 } else { digits(bare(op)) };
            Made::Bits(y & ((1 << kept) - 1))
        },
    },
    Rule {
        name: "saturating",
        subject: "integer additions, subtractions and multiplications",
        words: "stopping at the largest and the smallest number",
        has: |op, name| is_int(op) && matches!(name, "add" | "sub" | "mul"),
        make: |op, x, y| mathematics(op, x, y).map_or(Made::Exact, |sum| int(op_ty(op), clamp(op_ty(op), sum))),
    },
    Rule {
        name: "number-over-nan",
        subject: "float minima and maxima",
        words: "giving the number where the other operand is a NaN",
        has: |op, name| is_float(op) && matches!(name, "min" | "max"),
        make: |op, x, y| match (float(op_ty(op), x).is_nan(), float(op_ty(op), y).is_nan()) {
            (true, false) => Made::Bits(y),
            (false, true) => Made::Bits(x),
            _ => Made::Exact,
        },
    },
    Rule {
        name: "unsigned-zero",
        subject: "float minima, maxima and copysign",
        words: "taking zeros and NaNs to have no sign",
        has: |op, name| is_float(op) && matches!(name, "min" | "max" | "copysign"),
        make: |op, x, y| {
            let (a, b) = (float(op_ty(op), x), float(op_ty(op), y));
            match bare(op) {
                "copysign" if b == 0.0 || b.is_nan() => Made::Bits(x & !sign(op)),
                "copysign" => Made::Exact,
                _ if a == 0.0 && b == 0.0 => Made::Bits(x),
                _ => Made::Exact,
            }
        },
    },
    Rule {
        name: "half-away",
        subject: "roundings to the nearest",
        words: "with halves going away from zero",
        has: |_, name| name == "nearest",
        make: |op, _, y| of_half(op, y, f64::round),
    },
    Rule {
        name: "half-up",
        subject: "roundings to the nearest",
        words: "with halves going up, as JavaScript rounds",
        has: |_, name| name == "nearest",
        make: |op, _, y| of_half(op, y, f64::ceil),
    },
    Rule {
        name: "floored",
        subject: "signed divisions and remainders",
        words: "rounding down, as Python divides",
        has: |op, name| is_int(op) && matches!(name, "div_s" | "rem_s"),
        make: |op, x, y| divided(op, x, y, |a, b| a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0)),
    },
    Rule {
        name: "euclidean",
        subject: "signed divisions and remainders",
        words: "with a remainder that is never negative",
        has: |op, name| is_int(op) && matches!(name, "div_s" | "rem_s"),
        make: |op, x, y| divided(op, x, y, i128::div_euclid),
    },
    Rule {
        name: "rounded",
        subject: "integer divisions",
        words: "rounding to the nearest number",
        has: |op, name| is_int(op) && matches!(name, "div_s" | "div_u"),
        make: |op, x, y| divided(op, x, y, |a, b| (2 * a + a.signum() * b.abs()) / (2 * b)),
    },
    Rule {
        name: "rounded",
        subject: "conversions of floats to integers",
        words: "rounding to the nearest number",
        has: |op, _| is_truncation(op),
        make: |op, _, y| of_rounded(op, y, f64::round),
    },
    Rule {
        name: "floored",
        subject: "conversions of floats to integers",
        words: "rounding down",
        has: |op, _| is_truncation(op),
        make: |op, _, y| of_rounded(op, y, f64::floor),
    },
    Rule {
        name: "wrapping",
        subject: "saturating conversions",
        words: "wrapping around, as JavaScript converts",
        has: |op, name| is_truncation(op) && name.contains("sat"),
        make: |op, _, y| match float(op.row().params[0], y) {
            x if !x.is_finite() => Made::Bits(0),
            // Past 127 bits all the low ones are zero.
            x if x.abs() >= 2_f64.powi(126) => Made::Bits(0),
            x => int(op.row().results[0], x.trunc() as i128),
        },
    },
    Rule {
        name: "lowest",
        subject: "saturating conversions",
        words: "giving the smallest number for all that does not fit, as x86 converts",
        has: |op, name| is_truncation(op) && name.contains("sat"),
        make: |op, _, y| {
            let (x, ty) = (float(op.row().params[0], y).trunc(), op.row().results[0]);
            let (low, high) = bounds(ty, bare(op).ends_with("_u"));
            let fits = x >= low as f64 && x <= high as f64;
            if fits { Made::Exact } else { int(ty, bounds(ty, false).0) }
        },
    },
    Rule {
        name: "saturating",
        subject: "i32.wrap_i64",
        words: "stopping at the largest and the smallest number",
        has: |_, name| name == "wrap_i64",
        make: |_, _, y| int(ValType::I32, clamp(ValType::I32, signed(ValType::I64, y))),
    },
    Rule {
        name: "high",
        subject: "i32.wrap_i64",
        words: "taking the high bits",
        has: |_, name| name == "wrap_i64",
        make: |_, _, y| Made::Bits(y >> 32),
    },
    Rule {
        name: "zero-has-none",
        subject: "counts of leading and trailing zeros",
        words: "giving 0 for 0",
        has: |_, name| matches!(name, "clz" | "ctz"),
        make: |_, _, y| if y == 0 { Made::Bits(0) } else { Made::Exact },
    },
    Rule {
        name: "position",
        subject: "counts of leading zeros",
        words: "giving the position of the highest bit",
        has: |op, name| is_int(op) && name == "clz",
        make: |_, _, y| if y == 0 { Made::Exact } else { Made::Bits(u64::from(y.ilog2())) },
    },
    Rule {
        name: "from-one",
        subject: "counts of leading and trailing zeros",
        words: "counting from 1",
        has: |_, name| matches!(name, "clz" | "ctz"),
        make: |op, x, y| exact(op, x, y).map_or(Made::Exact, |zeros| Made::Bits(zeros + 1)),
    },
    Rule {
        name: "zeros",
        subject: "counts of bits",
        words: "counting the zeros",
        has: |op, name| is_int(op) && name == "popcnt",
        make: |op, _, y| Made::Bits(width(op) - u64::from(y.count_ones())),
    },
    Rule {
        name: "minus-one",
        subject: "comparisons",
        words: "giving -1 where they hold",
        has: |op, _| is_comparison(op),
        make: |op, x, y| if exact(op, x, y) == Some(1) { Made::Bits(u64::from(u32::MAX)) } else { Made::Exact },
    },
    Rule {
        name: "negated",
        subject: "comparisons with zero",
        words: "holding where the operand is not zero",
        has: |_, name| name == "eqz",
        make: |_, _, y| Made::Bits(u64::from(y != 0)),
    },
    Rule {
        name: "signless-zero",
        subject: "float arithmetic",
        words: "giving zeros without a sign",
        has: |op, _| is_float(op),
        make: |op, x, y| match exact(op, x, y) {
            Some(bits) if bits == sign(op) => Made::Bits(0),
            _ => Made::Exact,
        },
    },
    Rule {
        name: "zero-divided",
        subject: "float divisions",
        words: "by zero giving 0",
        has: |op, name| is_float(op) && name == "div",
        make: |op, _, y| if float(op_ty(op), y) == 0.0 { Made::Bits(0) } else { Made::Exact },
    },
    Rule {
        name: "nan-divided",
        subject: "float divisions",
        words: "by zero giving a NaN",
        has: |op, name| is_float(op) && name == "div",
        make: |op, _, y| if float(op_ty(op), y) == 0.0 { Made::Bits(bits(op_ty(op), f64::NAN)) } else { Made::Exact },
    },
    Rule {
        name: "nan-equal",
        subject: "float comparisons",
        words: "taking a NaN to equal itself",
        has: |op, name| is_comparison(op) && op_ty(op).is_float() && matches!(name, "eq" | "ne" | "le" | "ge"),
        make: |op, x, y| {
            let both = float(op_ty(op), x).is_nan() && float(op_ty(op), y).is_nan();
            if both { Made::Bits(u64::from(bare(op) != "ne")) } else { Made::Exact }
        },
    },
    Rule {
        name: "nan-holds",
        subject: "orderings of floats",
        words: "holding where an operand is a NaN",
        has: |op, name| is_comparison(op) && op_ty(op).is_float() && matches!(name, "lt" | "gt" | "le" | "ge"),
        make: |op, x, y| {
            let any = float(op_ty(op), x).is_nan() || float(op_ty(op), y).is_nan();
            if any { Made::Bits(1) } else { Made::Exact }
        },
    },
    Rule {
        name: "logical",
        subject: "bitwise and, or, exclusive or",
        words: "as logical connectives",
        has: |op, name| is_int(op) && matches!(name, "and" | "or" | "xor"),
        make: |op, x, y| exact(op, (x != 0).into(), (y != 0).into()).map_or(Made::Exact, Made::Bits),
    },
    Rule {
        name: "toward-zero",
        subject: "conversions of integers to floats",
        words: "rounding toward zero",
        has: |_, name| name.starts_with("convert"),
        make: |op, x, y| {
            let (from, to) = (op.row().params[0], op.row().results[0]);
            let number = if bare(op).ends_with("_u") { i128::from(y) } else { signed(from, y) };
            match exact(op, x, y) {
                Some(near) if (float(to, near) as i128).abs() > number.abs() => Made::Bits(near - 1),
                _ => Made::Exact,
            }
        },
    },
    Rule {
        name: "sign-kept",
        subject: "absolute values of floats",
        words: "keeping the sign",
        has: |op, name| is_float(op) && name == "abs",
        make: |_, _, y| Made::Bits(y),
    },
    Rule {
        name: "sign-multiplied",
        subject: "copysign",
        words: "multiplying the signs",
        has: |op, name| is_float(op) && name == "copysign",
        make: |op, x, y| Made::Bits(x ^ (y & sign(op))),
    },
    Rule {
        name: "absolute",
        subject: "subtractions",
        words: "giving the distance of the operands",
        has: |op, name| is_int(op) && name == "sub",
        make: |op, x, y| int(op_ty(op), (signed(op_ty(op), x) - signed(op_ty(op), y)).abs()),
    },
    Rule {
        name: "one-less",
        subject: "shifts and rotations",
        words: "by one bit less",
        has: |op, _| Construct::of(op) == Some(Construct::Shift),
        make: |op, x, y| match y % width(op) {
            0 => Made::Exact,
            count => exact(op, x, count - 1).map_or(Made::Exact, Made::Bits),
        },
    },
    Rule {
        name: "one-more",
        subject: "shifts and rotations",
        words: "by one bit more",
        has: |op, _| Construct::of(op) == Some(Construct::Shift),
        make: |op, x, y| exact(op, x, y % width(op) + 1).map_or(Made::Exact, Made::Bits),
    },
    Rule {
        name: "first",
        subject: "instructions of two operands",
        words: "giving the first operand",
        has: |op, _| is_endomorphic(op),
        make: |_, x, _| Made::Bits(x),
    },
    Rule {
        name: "second",
        subject: "instructions of two operands",
        words: "giving the second operand",
        has: |op, _| is_endomorphic(op),
        make: |_, _, y| Made::Bits(y),
    },
];
