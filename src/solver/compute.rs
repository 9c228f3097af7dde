//! Owns what a reader makes of one computing instruction, with its misconceptions.
//!
//! Must not know control, locals or memory. Each misconception is a detour before the row's own function, which alone
//! computes wherever no detour is taken: without misconceptions a reader is exact by construction. A misreading is told
//! by another row where there is one (`lt_u` read as `lt_s`, `f32.add` as `f64.add`).

use super::misconception::Misconception::{
    ArithmeticShift, F32AsF64, HalfAway, MinMaxNan, NoWrap, ShiftUnmasked, UnsignedAsSigned, ZeroExtended, ZeroUnsigned,
};
use super::misconception::{Misconception, Misconceptions};
use super::value::Held;
use crate::wasm::isa::{Category, Op, Row, Semantics};
use crate::wasm::types::ValType;
use std::sync::LazyLock;

/// What a misconception makes of an instruction and its operands, where it makes something else of them.
type Detour = fn(Op, &[Held]) -> Option<Held>;

/// The result of a unary or binary instruction on its operands, bottom first. What would trap gives zero: a reader who
/// believes that the program never traps passes over it.
pub(super) fn compute(op: Op, operands: &[Held], misread: Misconceptions) -> Held {
    if misread.is_empty() {
        return exact(op, operands);
    }
    let detours: [(Misconception, Detour); 4] =
        [(ZeroExtended, zero_extended), (MinMaxNan, number_alone), (HalfAway, half_away), (ZeroUnsigned, without_sign)];
    let mut taken = detours.into_iter().filter(|(one, _)| misread.has(*one));
    if let Some(held) = taken.find_map(|(_, detour)| detour(op, operands)) {
        return held;
    }
    let shift = matches!(op, Op::I32ShrU | Op::I64ShrU) && misread.has(ArithmeticShift);
    let op = if misread.has(UnsignedAsSigned) || shift { SIGNED[op.index()].unwrap_or(op) } else { op };
    shifted(op, operands, misread)
        .or_else(|| whole(op, operands, misread))
        .or_else(|| misread.has(F32AsF64).then(|| unrounded(op, operands)).flatten())
        .unwrap_or_else(|| exact(op, operands))
}

/// What the specification says, on what a machine would have of the operands.
fn exact(op: Op, operands: &[Held]) -> Held {
    let row = op.row();
    let bits = |at: usize| operands[at].bits();
    let result = match row.semantics {
        Semantics::Unary(f) => Ok(f(bits(0))),
        Semantics::Binary(f) => Ok(f(bits(0), bits(1))),
        Semantics::TryUnary(f) => f(bits(0)),
        Semantics::TryBinary(f) => f(bits(0), bits(1)),
        _ => unreachable!("{op} does not only compute"),
    };
    let ty = row.results[0];
    result.map_or(Held::zero(ty), |bits| Held::exact(ty, bits.into()))
}

/// Shifts and rotations whose count is not reduced, or whose operand or result does not stay in its type.
fn shifted(op: Op, operands: &[Held], misread: Misconceptions) -> Option<Held> {
    use Op::{I32Rotl, I32Rotr, I32Shl, I32ShrS, I32ShrU, I64Rotl, I64Rotr, I64Shl, I64ShrS, I64ShrU};
    let &[value, count] = operands else { return None };
    let ty = value.ty();
    let width = if ty == ValType::I32 { 32 } else { 64 };
    let count = if misread.has(ShiftUnmasked) { count.unsigned() } else { count.bits() % width };
    match op {
        I32Shl | I64Shl if misread.has(NoWrap) => Some(Held::integer(ty, grown(value.number(), count))),
        I32Shl | I64Shl | I32ShrU | I64ShrU | I32Rotl | I64Rotl | I32Rotr | I64Rotr if count >= width => {
            Some(Held::zero(ty))
        }
        I32ShrS | I64ShrS if count >= width || value.is_beyond() => {
            Some(Held::integer(ty, value.number() >> count.min(127)))
        }
        _ => None,
    }
}

/// The low bits that a sign extension begins with, and zeros.
fn zero_extended(op: Op, operands: &[Held]) -> Option<Held> {
    let kept = match op {
        Op::I32Extend8S | Op::I64Extend8S => 8,
        Op::I32Extend16S | Op::I64Extend16S => 16,
        Op::I64Extend32S | Op::I64ExtendI32S => 32,
        _ => return None,
    };
    let low = operands[0].bits() & ((1 << kept) - 1);
    Some(Held::exact(op.row().results[0], low.into()))
}

/// The operand of `min` or `max` beside a NaN.
fn number_alone(op: Op, operands: &[Held]) -> Option<Held> {
    let (Op::F32Min | Op::F32Max | Op::F64Min | Op::F64Max, &[a, b]) = (op, operands) else { return None };
    match (a.is_nan(), b.is_nan()) {
        (true, false) => Some(b),
        (false, true) => Some(a),
        _ => None,
    }
}

/// `nearest` of what lies halfway between two whole numbers: the one farther from zero.
fn half_away(op: Op, operands: &[Held]) -> Option<Held> {
    let (Op::F32Nearest | Op::F64Nearest, &[held]) = (op, operands) else { return None };
    let number = held.float();
    (number.fract().abs() == 0.5).then(|| held.with(number.round()))
}

/// `min` and `max` of zeros: the first operand. `copysign` from a zero or a NaN: positive.
fn without_sign(op: Op, operands: &[Held]) -> Option<Held> {
    let &[a, b] = operands else { return None };
    let (x, y) = match op {
        Op::F32Min | Op::F32Max | Op::F64Min | Op::F64Max | Op::F32Copysign | Op::F64Copysign => (a.float(), b.float()),
        _ => return None,
    };
    let copies = matches!(op, Op::F32Copysign | Op::F64Copysign);
    match a {
        _ if copies && y != 0.0 && !y.is_nan() => None,
        Held::Unrounded(_) if copies => Some(a.with(x.abs())),
        _ if copies => Some(exact(op, &[a, b.with(0.0)])),
        _ => (x == 0.0 && y == 0.0).then_some(a),
    }
}

/// `number * 2^count`, as far as it can be written.
fn grown(number: i128, count: u64) -> i128 {
    let mut number = number;
    for _ in 0..count.min(127) {
        number = number.saturating_mul(2);
    }
    number
}

/// Integer instructions on whole numbers: where nothing wraps, or something has grown past its type before.
fn whole(op: Op, operands: &[Held], misread: Misconceptions) -> Option<Held> {
    let grows = misread.has(NoWrap) && arithmetic(op).is_some();
    if !grows && !operands.iter().any(|held| held.is_beyond()) {
        return None;
    }
    let ty = op.row().results[0];
    let a = operands[0].number();
    let Some(b) = operands.get(1).map(|held| held.number()) else { return whole_unary(op, a) };
    if let Some(f) = arithmetic(op) {
        return Some(Held::integer(ty, f(a, b)));
    }
    use Op::{I32DivS, I32RemS, I64DivS, I64RemS};
    match op {
        I32DivS | I64DivS => Some(Held::integer(ty, a.checked_div(b).unwrap_or(0))),
        I32RemS | I64RemS => Some(Held::integer(ty, a.checked_rem(b).unwrap_or(0))),
        _ => compared(op, a, b).map(Held::truth),
    }
}

/// What grows, and how. Counting ends at 127 bits.
fn arithmetic(op: Op) -> Option<fn(i128, i128) -> i128> {
    match op {
        Op::I32Add | Op::I64Add => Some(i128::saturating_add),
        Op::I32Sub | Op::I64Sub => Some(i128::saturating_sub),
        Op::I32Mul | Op::I64Mul => Some(i128::saturating_mul),
        _ => None,
    }
}

fn compared(op: Op, a: i128, b: i128) -> Option<bool> {
    Some(match op {
        Op::I32Eq | Op::I64Eq => a == b,
        Op::I32Ne | Op::I64Ne => a != b,
        Op::I32LtS | Op::I64LtS => a < b,
        Op::I32GtS | Op::I64GtS => a > b,
        Op::I32LeS | Op::I64LeS => a <= b,
        Op::I32GeS | Op::I64GeS => a >= b,
        _ => return None,
    })
}

fn whole_unary(op: Op, a: i128) -> Option<Held> {
    Some(match op {
        Op::I32Eqz | Op::I64Eqz => Held::truth(a == 0),
        Op::I64ExtendI32S => Held::integer(ValType::I64, a),
        Op::F32ConvertI32S | Op::F32ConvertI64S => Held::exact(ValType::F32, (a as f32).to_bits().into()),
        Op::F64ConvertI32S | Op::F64ConvertI64S => Held::exact(ValType::F64, (a as f64).to_bits().into()),
        _ => return None,
    })
}

/// Instructions with an `f32` in them, at `f64` precision.
fn unrounded(op: Op, operands: &[Held]) -> Option<Held> {
    let is_wide = |held: &Held| matches!(held, Held::Unrounded(_));
    match (op, operands) {
        // On bits: exact at any precision, and they keep the payload of a NaN.
        (Op::F32Abs | Op::F32Neg | Op::F32Copysign, _) if !operands.iter().any(is_wide) => None,
        (Op::F64PromoteF32, [Held::Unrounded(x)]) if !x.is_nan() => Some(Held::exact(ValType::F64, x.to_bits().into())),
        (Op::F32DemoteF64, [held]) => Some(f64::from_bits(held.bits())).filter(|x| !x.is_nan()).map(Held::Unrounded),
        _ => {
            let twin = WIDE[op.index()]?;
            let widen = |held: &Held| match held.ty() {
                ValType::F32 => Held::exact(ValType::F64, held.widened().to_bits().into()),
                _ => *held,
            };
            // At most two operands; the second of a unary instruction is not looked at.
            let wide = [widen(&operands[0]), widen(&operands[operands.len() - 1])];
            let result = exact(twin, &wide);
            let rounds = op.row().results[0] == ValType::F32;
            Some(if rounds { Held::Unrounded(f64::from_bits(result.bits())) } else { result })
        }
    }
}

/// For each instruction another one, by number.
type Twins = [Option<Op>; Op::COUNT];

/// The signed twin of each unsigned instruction. Not of loads and truncations: what is unsigned there is not how an
/// operand is read.
static SIGNED: LazyLock<Twins> = LazyLock::new(|| {
    twins(|row| {
        let kept = row.category == Category::Load || row.mnemonic.contains("trunc");
        let stem = row.mnemonic.strip_suffix("_u").filter(|_| !kept)?;
        Op::parse(&format!("{stem}_s"))
    })
});

/// The `f64` twin of each instruction that computes with `f32`. Those between both floats, and those on bits, have none.
static WIDE: LazyLock<Twins> = LazyLock::new(|| {
    twins(|row| {
        let computes =
            matches!(row.category, Category::FloatArithmetic | Category::FloatComparison | Category::Conversion);
        let named = row.mnemonic.replace("f32", "f64");
        (computes && named != row.mnemonic).then(|| Op::parse(&named)).flatten()
    })
});

/// No misconception is about vectors.
fn twins(twin: impl Fn(&Row) -> Option<Op>) -> Twins {
    std::array::from_fn(|index| Op::from_index(index).filter(|_| index < Op::SCALARS).and_then(|op| twin(op.row())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::types::Value;

    fn names(twins: &Twins) -> String {
        let pairs = twins.iter().enumerate().filter_map(|(index, twin)| Some((Op::from_index(index)?, (*twin)?)));
        pairs.map(|(op, twin)| format!("{op}>{twin}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn twins_are_those_that_the_documentation_says() {
        let signed = names(&SIGNED);
        assert_eq!(signed.split(' ').count(), 2 * 7 + 1 + 4, "{signed}");
        for pair in ["i32.div_u>i32.div_s", "i64.shr_u>i64.shr_s", "f64.convert_i32_u>f64.convert_i32_s"] {
            assert!(signed.contains(pair), "{signed}");
        }
        let wide = names(&WIDE);
        assert_eq!(wide.split(' ').count(), 6 + 14 + 4 + 8, "{wide}");
        for pair in ["f32.trunc>f64.trunc", "i32.trunc_f32_s>i32.trunc_f64_s", "f32.convert_i64_u>f64.convert_i64_u"] {
            assert!(wide.contains(pair), "{wide}");
        }
        for (index, twin) in WIDE.iter().enumerate() {
            let Some(twin) = twin else { continue };
            let op = Op::from_index(index).expect("in the table");
            let widened = |ty: &ValType| if *ty == ValType::F32 { ValType::F64 } else { *ty };
            assert_eq!(op.row().params.iter().map(widened).collect::<Vec<_>>(), twin.row().params, "{op}");
        }
    }

    fn check(misread: &[Misconception], op: Op, operands: &[Held], expected: Held) {
        assert_eq!(compute(op, operands, Misconceptions::of(misread)), expected, "{op} {operands:?}");
    }

    #[test]
    fn numbers_past_their_type_are_seen_whole_where_a_number_is_read() {
        use ValType::{F64, I32, I64};
        let int = Held::integer;
        let big = int(I32, 1 << 40);
        let cases: &[(Op, &[Held], Held)] = &[
            (Op::I32Mul, &[int(I32, 1 << 20), int(I32, 1 << 20)], big),
            (Op::I32Sub, &[big, int(I32, (1 << 40) - 7)], int(I32, 7)),
            (Op::I32Shl, &[int(I32, -1), int(I32, 31)], int(I32, -(1 << 31))),
            (Op::I32Shl, &[int(I32, 3), int(I32, 33)], int(I32, 6)),
            (Op::I64Shl, &[int(I64, 1), int(I64, 63)], int(I64, 1 << 63)),
            (Op::I32LtS, &[int(I32, 5), big], Held::truth(true)),
            (Op::I32Eqz, &[big], Held::truth(false)),
            (Op::I32DivS, &[big, int(I32, 1 << 20)], int(I32, 1 << 20)),
            (Op::I32DivS, &[big, int(I32, 0)], int(I32, 0)),
            (Op::I32ShrS, &[big, int(I32, 39)], int(I32, 1 << 33)),
            (Op::I64ExtendI32S, &[big], int(I64, 1 << 40)),
            (Op::F64ConvertI32S, &[big], Held::exact(F64, (2_f64.powi(40)).to_bits().into())),
            (Op::I32And, &[int(I32, (1 << 40) + 6), int(I32, 3)], int(I32, 2)),
            (Op::I32LtU, &[big, int(I32, 1)], Held::truth(true)),
            (Op::I64Mul, &[int(I64, i128::MAX), int(I64, 2)], int(I64, i128::MAX)),
        ];
        for (op, operands, expected) in cases {
            check(&[NoWrap], *op, operands, *expected);
        }
        let both = [NoWrap, ShiftUnmasked];
        check(&both, Op::I32Shl, &[int(I32, 1), int(I32, 40)], big);
        check(&both, Op::I32Shl, &[int(I32, -1), int(I32, -1)], int(I32, i128::MIN));
        check(&[NoWrap, UnsignedAsSigned], Op::I32LtU, &[big, int(I32, 1)], Held::truth(false));
    }

    #[test]
    fn counts_that_are_not_reduced_move_everything_out() {
        let int = |n| Held::integer(ValType::I32, n);
        for op in [Op::I32Shl, Op::I32ShrU, Op::I32Rotl, Op::I32Rotr] {
            check(&[ShiftUnmasked], op, &[int(-5), int(32)], int(0));
            check(&[ShiftUnmasked], op, &[int(-5), int(-1)], int(0));
            check(&[ShiftUnmasked], op, &[int(-5), int(0)], int(-5));
        }
        check(&[ShiftUnmasked], Op::I32ShrS, &[int(-5), int(99)], int(-1));
        check(&[ShiftUnmasked], Op::I32ShrS, &[int(5), int(99)], int(0));
        check(&[ShiftUnmasked, UnsignedAsSigned], Op::I32ShrU, &[int(-5), int(99)], int(-1));
    }

    #[test]
    fn unsigned_instructions_read_signed_numbers() {
        let int = |n| Held::integer(ValType::I32, n);
        check(&[UnsignedAsSigned], Op::I32DivU, &[int(-9), int(2)], int(-4));
        check(&[UnsignedAsSigned], Op::I32DivU, &[int(i128::from(i32::MIN)), int(-1)], int(0));
        check(&[UnsignedAsSigned], Op::I32GtU, &[int(-1), int(1)], Held::truth(false));
        check(&[], Op::I32GtU, &[int(-1), int(1)], Held::truth(true));
        check(&[UnsignedAsSigned], Op::I32TruncSatF64U, &[Held::Exact(Value::f64(-1.0))], int(0));
    }

    #[test]
    fn sign_extension_fills_with_zeros() {
        let (short, long) = (|n| Held::integer(ValType::I32, n), |n| Held::integer(ValType::I64, n));
        check(&[ZeroExtended], Op::I64ExtendI32S, &[short(-2)], long((1 << 32) - 2));
        check(&[ZeroExtended], Op::I32Extend8S, &[short(-1)], short(255));
        check(&[ZeroExtended], Op::I64Extend16S, &[long(-1)], long(65535));
        check(&[ZeroExtended, UnsignedAsSigned], Op::I64ExtendI32U, &[short(-2)], long(-2));
    }

    #[test]
    fn a_number_wins_over_a_nan() {
        let held = |x: f32| Held::Exact(Value::f32(x));
        let nan = held(f32::NAN);
        check(&[MinMaxNan], Op::F32Min, &[nan, held(2.0)], held(2.0));
        check(&[MinMaxNan], Op::F32Max, &[Held::Unrounded(0.1), nan], Held::Unrounded(0.1));
        check(&[MinMaxNan], Op::F32Max, &[held(1.0), held(2.0)], held(2.0));
        check(&[MinMaxNan], Op::F32Add, &[nan, held(2.0)], nan);
    }

    #[test]
    fn halves_go_away_from_zero() {
        let cases = [(0.5, 1.0), (-0.5, -1.0), (2.5, 3.0), (1.5, 2.0), (0.3, 0.0), (-0.3, -0.0), (1e300, 1e300)];
        for (number, rounded) in cases {
            let held = |number: f64| Held::Exact(Value::f64(number));
            check(&[HalfAway], Op::F64Nearest, &[held(number)], held(rounded));
            let held = |number: f64| Held::Exact(Value::f32(number as f32));
            check(&[HalfAway], Op::F32Nearest, &[held(number)], held(rounded));
        }
        check(&[HalfAway, F32AsF64], Op::F32Nearest, &[Held::Unrounded(0.1)], Held::Unrounded(0.0));
        check(&[HalfAway, F32AsF64], Op::F32Nearest, &[Held::Unrounded(2.5)], Held::Unrounded(3.0));
        check(&[HalfAway], Op::F64Floor, &[Held::Exact(Value::f64(0.5))], Held::Exact(Value::f64(0.0)));
    }

    #[test]
    fn zeros_and_nans_lose_their_sign() {
        let held = |x: f32| Held::Exact(Value::f32(x));
        for (op, a, b, expected) in [
            (Op::F32Min, 0.0, -0.0, 0.0),
            (Op::F32Min, -0.0, 0.0, -0.0),
            (Op::F32Max, -0.0, 0.0, -0.0),
            (Op::F32Max, -0.0, 1.0, 1.0),
            (Op::F32Copysign, -3.0, -0.0, 3.0),
            (Op::F32Copysign, -3.0, -f32::NAN, 3.0),
            (Op::F32Copysign, 3.0, -f32::INFINITY, -3.0),
            (Op::F32Sub, -0.0, 0.0, -0.0),
        ] {
            check(&[ZeroUnsigned], op, &[held(a), held(b)], held(expected));
        }
        check(&[ZeroUnsigned, F32AsF64], Op::F32Copysign, &[Held::Unrounded(-0.1), held(-0.0)], Held::Unrounded(0.1));
    }

    #[test]
    fn only_shifts_read_as_arithmetic_keep_the_sign() {
        let int = |n| Held::integer(ValType::I32, n);
        check(&[ArithmeticShift], Op::I32ShrU, &[int(-5), int(1)], int(-3));
        check(&[ArithmeticShift, ShiftUnmasked], Op::I32ShrU, &[int(-5), int(99)], int(-1));
        check(&[ArithmeticShift], Op::I32DivU, &[int(-9), int(2)], int(i128::from(i32::MAX) - 4));
        check(
            &[ArithmeticShift, NoWrap],
            Op::I64ShrU,
            &[Held::integer(ValType::I64, 1 << 70), int(3)],
            Held::integer(ValType::I64, 1 << 67),
        );
    }

    #[test]
    fn floats_are_rounded_only_where_they_have_32_bits() {
        let wide = Held::Unrounded;
        let case = |op, operands: &[Held], expected| check(&[F32AsF64], op, operands, expected);
        case(Op::F32Add, &[wide(16_777_216.0), Held::Exact(Value::f32(1.0))], wide(16_777_217.0));
        case(Op::F32Neg, &[wide(0.1)], wide(-0.1));
        case(Op::F64PromoteF32, &[wide(0.1)], Held::Exact(Value::f64(0.1)));
        case(Op::F64PromoteF32, &[wide(-f64::NAN)], Held::exact(ValType::F64, 0x7ff8_0000_0000_0000));
        case(Op::F32DemoteF64, &[Held::Exact(Value::f64(0.1))], wide(0.1));
        case(Op::F32DemoteF64, &[Held::Exact(Value::f64(f64::NAN))], Held::exact(ValType::F32, 0x7fc0_0000));
        case(Op::F32Lt, &[wide(0.1), Held::Exact(Value::f32(0.1))], Held::truth(true));
        case(Op::I32ReinterpretF32, &[wide(0.1)], Held::exact(ValType::I32, 0.1_f32.to_bits().into()));
        case(Op::I64TruncF32S, &[wide(16_777_217.0)], Held::Exact(Value::i64(16_777_217)));
        case(Op::F32ConvertI32S, &[Held::Exact(Value::i32(16_777_217))], wide(16_777_217.0));
        let payload = Held::exact(ValType::F32, 0x7fa0_0001);
        case(Op::F32Neg, &[payload], Held::exact(ValType::F32, 0xffa0_0001));
    }
}
