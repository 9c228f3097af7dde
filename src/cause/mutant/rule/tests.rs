//! Hand-computed values of every kind of rule.

use super::*;

fn made(name: &str, op: Op, x: u64, y: u64) -> Made {
    let mut named = RULES.iter().filter(|rule| rule.name == name && rule.has(op));
    let rule = named.next().unwrap_or_else(|| panic!("{name} is not about {op}"));
    assert!(named.next().is_none(), "two rules {name} about {op}");
    (rule.make)(op, x, y)
}

fn i32(number: i32) -> u64 {
    u64::from(number as u32)
}

#[test]
fn integers_by_other_rules() {
    let cases = [
        ("swapped", Op::I32Sub, i32(3), i32(10), Made::Bits(7)),
        ("swapped", Op::I32DivU, i32(0), i32(10), Made::Nothing),
        ("unmasked", Op::I32Shl, i32(1), i32(33), Made::Bits(0)),
        ("unmasked", Op::I32ShrS, i32(-5), i32(33), Made::Bits(i32(-1))),
        ("unmasked", Op::I64ShrS, (-5_i64) as u64, 64, Made::Bits(u64::MAX)),
        ("unmasked", Op::I32Rotl, i32(5), i32(31), Made::Exact),
        ("zero-extended", Op::I32Extend8S, 0, i32(-1), Made::Bits(255)),
        ("zero-extended", Op::I64ExtendI32S, 0, i32(-1), Made::Bits(0xffff_ffff)),
        ("saturating", Op::I32Add, i32(i32::MAX), i32(1), Made::Bits(i32(i32::MAX))),
        ("saturating", Op::I64Mul, i64::MIN as u64, 2, Made::Bits(i64::MIN as u64)),
        ("saturating", Op::I32WrapI64, 0, 1 << 40, Made::Bits(i32(i32::MAX))),
        ("floored", Op::I32DivS, i32(-7), i32(2), Made::Bits(i32(-4))),
        ("floored", Op::I32DivS, i32(7), i32(-2), Made::Bits(i32(-4))),
        ("floored", Op::I32RemS, i32(-7), i32(2), Made::Bits(i32(1))),
        ("floored", Op::I32RemS, i32(7), i32(-2), Made::Bits(i32(-1))),
        ("floored", Op::I32RemS, i32(6), i32(-2), Made::Bits(0)),
        ("euclidean", Op::I32RemS, i32(-7), i32(-2), Made::Bits(1)),
        ("euclidean", Op::I32DivS, i32(-7), i32(-2), Made::Bits(4)),
        ("rounded", Op::I32DivS, i32(-7), i32(2), Made::Bits(i32(-4))),
        ("rounded", Op::I32DivU, i32(7), i32(4), Made::Bits(2)),
        ("rounded", Op::I32DivU, i32(5), i32(4), Made::Bits(1)),
        ("zero-has-none", Op::I32Clz, 0, 0, Made::Bits(0)),
        ("position", Op::I32Clz, 0, i32(40), Made::Bits(5)),
        ("from-one", Op::I64Ctz, 8, 8, Made::Bits(4)),
        ("zeros", Op::I64Popcnt, 0, 7, Made::Bits(61)),
        ("minus-one", Op::I32LtU, i32(1), i32(2), Made::Bits(i32(-1))),
        ("negated", Op::I64Eqz, 0, 5, Made::Bits(1)),
        ("logical", Op::I32Xor, i32(6), i32(9), Made::Bits(0)),
        ("logical", Op::I32And, i32(6), i32(9), Made::Bits(1)),
        ("absolute", Op::I32Sub, i32(3), i32(10), Made::Bits(7)),
        ("one-less", Op::I32Shl, i32(1), i32(35), Made::Bits(4)),
        ("one-more", Op::I32ShrU, i32(16), i32(3), Made::Bits(1)),
        ("high", Op::I32WrapI64, 0, 5 << 32 | 9, Made::Bits(5)),
        ("first", Op::I32RemU, i32(7), i32(4), Made::Bits(7)),
    ];
    for (name, op, x, y, expected) in cases {
        assert_eq!(made(name, op, x, y), expected, "{name} {op}");
    }
}

#[test]
fn floats_by_other_rules() {
    let (f, nan) = (|x: f64| x.to_bits(), f64::NAN);
    let cases = [
        ("number-over-nan", Op::F64Min, f(nan), f(1.0), Made::Bits(f(1.0))),
        ("number-over-nan", Op::F64Max, f(2.0), f(1.0), Made::Exact),
        ("unsigned-zero", Op::F64Min, f(0.0), f(-0.0), Made::Bits(f(0.0))),
        ("unsigned-zero", Op::F64Copysign, f(-3.0), f(-0.0), Made::Bits(f(3.0))),
        ("half-away", Op::F64Nearest, 0, f(2.5), Made::Bits(f(3.0))),
        ("half-away", Op::F64Nearest, 0, f(-0.5), Made::Bits(f(-1.0))),
        ("half-up", Op::F64Nearest, 0, f(-2.5), Made::Bits(f(-2.0))),
        ("half-up", Op::F64Nearest, 0, f(2.4), Made::Exact),
        ("rounded", Op::I32TruncF64S, 0, f(-2.7), Made::Bits(i32(-3))),
        ("floored", Op::I32TruncSatF64U, 0, f(-0.5), Made::Bits(0)),
        ("floored", Op::I32TruncF64S, 0, f(-0.5), Made::Bits(i32(-1))),
        ("rounded", Op::I32TruncF64S, 0, f(2_147_483_647.6), Made::Nothing),
        ("wrapping", Op::I32TruncSatF64S, 0, f(4_294_967_301.0), Made::Bits(5)),
        ("wrapping", Op::I32TruncSatF64U, 0, f(-1.0), Made::Bits(i32(-1))),
        ("wrapping", Op::I64TruncSatF64U, 0, f(1e300), Made::Bits(0)),
        ("lowest", Op::I32TruncSatF64S, 0, f(nan), Made::Bits(i32(i32::MIN))),
        ("lowest", Op::I32TruncSatF64U, 0, f(3e9), Made::Exact),
        ("signless-zero", Op::F64Neg, 0, f(0.0), Made::Bits(0)),
        ("zero-divided", Op::F64Div, f(1.0), f(-0.0), Made::Bits(0)),
        ("nan-equal", Op::F64Ne, f(nan), f(nan), Made::Bits(0)),
        ("nan-equal", Op::F64Eq, f(nan), f(1.0), Made::Exact),
        ("nan-holds", Op::F64Lt, f(nan), f(1.0), Made::Bits(1)),
        ("toward-zero", Op::F64ConvertI64S, 0, i64::MAX as u64, Made::Bits(f(9_223_372_036_854_774_784.0))),
        ("toward-zero", Op::F64ConvertI64S, 0, 3, Made::Exact),
        ("sign-multiplied", Op::F64Copysign, f(-1.0), f(-2.0), Made::Bits(f(1.0))),
        ("minus-one", Op::F64Lt, f(1.0), f(2.0), Made::Bits(i32(-1))),
    ];
    for (name, op, x, y, expected) in cases {
        assert_eq!(made(name, op, x, y), expected, "{name} {op}");
    }
    assert!(made("nan-divided", Op::F32Div, 0, 0) == Made::Bits(u64::from(f32::NAN.to_bits())));
}

#[test]
fn what_has_no_order_is_not_swapped() {
    let swapped = &RULES[0];
    for op in [Op::I32Add, Op::I64Xor, Op::F64Mul, Op::F32Eq, Op::I32Clz, Op::F64Min] {
        assert!(!swapped.has(op), "{op}");
    }
    for op in [Op::I32Sub, Op::I64Rotl, Op::F64Div, Op::F32Lt, Op::I64RemU, Op::F32Copysign] {
        assert!(swapped.has(op), "{op}");
    }
}
