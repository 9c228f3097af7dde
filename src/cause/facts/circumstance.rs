//! Owns the circumstances in which an instruction executes: what is special about its operands and its result.
//!
//! Must not know which instructions are a weakness. Circumstances are those at which readers of WebAssembly stumble: the
//! borders of what is the same in mathematics, in other languages, and here.

use super::Subject;
use super::group::CODE;
use crate::cause::construct::Construct;
use crate::cause::flow::Node;
use crate::wasm::isa::Op;
use crate::wasm::types::{ValType, Value};

/// What is special about one execution of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Circumstance {
    /// Nothing.
    Any,
    /// An integer operand is negative, read as signed.
    NegativeOperand,
    /// An operand is zero, of either sign.
    ZeroOperand,
    /// A float operand is zero with a sign.
    NegativeZero,
    /// A float operand is a NaN.
    Nan,
    /// A float operand is infinite.
    Infinite,
    /// The result of integer arithmetic is not the mathematical one.
    Wraps,
    /// The count of a shift is the width or more, read as unsigned.
    CountPastWidth,
    /// The operand lies halfway between two integers.
    Halfway,
    /// The result is an f32 that its shortest decimal does not equal exactly.
    Inexact,
    /// An integer result is negative, read as signed.
    NegativeResult,
    /// The same activation has executed it before.
    Again,
    /// It stands in a called function.
    Called,
    /// An argument that could be taken for another: a second one of its type is passed with it.
    Alike,
}

impl Circumstance {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Any,
        Self::NegativeOperand,
        Self::ZeroOperand,
        Self::NegativeZero,
        Self::Nan,
        Self::Infinite,
        Self::Wraps,
        Self::CountPastWidth,
        Self::Halfway,
        Self::Inexact,
        Self::NegativeResult,
        Self::Again,
        Self::Called,
        Self::Alike,
    ];

    /// Its name in that of a mutant.
    pub(in crate::cause) fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::NegativeOperand => "negative-operand",
            Self::ZeroOperand => "zero-operand",
            Self::NegativeZero => "negative-zero",
            Self::Nan => "nan",
            Self::Infinite => "infinite",
            Self::Wraps => "wraps",
            Self::CountPastWidth => "count-past-width",
            Self::Halfway => "halfway",
            Self::Inexact => "inexact",
            Self::NegativeResult => "negative-result",
            Self::Again => "again",
            Self::Called => "called",
            Self::Alike => "alike",
        }
    }

    /// What is said of instructions that execute so, behind their names.
    pub(in crate::cause) fn words(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::NegativeOperand => " with a negative operand",
            Self::ZeroOperand => " with a zero",
            Self::NegativeZero => " with a negative zero",
            Self::Nan => " with a NaN",
            Self::Infinite => " with an infinity",
            Self::Wraps => " whose result wraps around",
            Self::CountPastWidth => " by the width or more",
            Self::Halfway => " of halfway cases",
            Self::Inexact => " with a result that is rounded to f32",
            Self::NegativeResult => " with a negative result",
            Self::Again => " in a repeated iteration",
            Self::Called => " in a called function",
            Self::Alike => " with several arguments of one type",
        }
    }

    /// Whether it says something of instructions of this kind; of all together only if no values matter.
    pub(super) fn suits(self, kind: Subject) -> bool {
        kind != Subject::Group(CODE) || matches!(self, Self::Again | Self::Called)
    }

    /// Whether an execution is so.
    pub(in crate::cause) fn holds(self, node: &Node) -> bool {
        let [second, top, result] = node.values;
        let operands = || [second, top].into_iter().take(2).skip(usize::from(arity(node.op()) < 2)).flatten();
        let computes = arity(node.op()) > 0;
        match self {
            Self::Any => true,
            Self::NegativeOperand => computes && operands().any(is_negative),
            Self::ZeroOperand => computes && operands().any(is_zero),
            Self::NegativeZero => computes && operands().any(|value| is_zero(value) && has_sign(value)),
            Self::Nan => computes && operands().any(Value::is_nan),
            Self::Infinite => computes && operands().any(is_infinite),
            Self::Wraps => second.zip(top).zip(result).is_some_and(|((a, b), made)| wraps(node.op(), a, b, made)),
            Self::CountPastWidth => {
                Construct::of(node.op()) == Some(Construct::Shift)
                    && top.is_some_and(|count| count.bits >= width(count.ty))
            }
            Self::Halfway => computes && operands().any(|value| float(value).is_some_and(|x| x.fract().abs() == 0.5)),
            Self::Inexact => result.is_some_and(|made| made.ty == ValType::F32 && is_rounded(made)),
            Self::NegativeResult => node.argument.is_none() && computes && result.is_some_and(is_negative),
            Self::Again => node.before > 0,
            Self::Called => node.depth > 0 && node.argument.is_none(),
            Self::Alike => node.argument.is_some_and(|(_, alike)| alike > 0),
        }
    }
}

/// Operands of an instruction, as far as they are looked at.
fn arity(op: Op) -> usize {
    match op {
        Op::Select | Op::TypedSelect => 2,
        Op::If | Op::BrIf | Op::BrTable => 1,
        op => op.row().params.len(),
    }
}

fn signed(value: Value) -> Option<i64> {
    match value.ty {
        ValType::I32 => Some(i64::from(value.bits as u32 as i32)),
        ValType::I64 => Some(value.bits as u64 as i64),
        _ => None,
    }
}

fn float(value: Value) -> Option<f64> {
    match value.ty {
        ValType::F32 => Some(f64::from(f32::from_bits(value.bits as u32))),
        ValType::F64 => Some(f64::from_bits(value.bits as u64)),
        _ => None,
    }
}

fn is_negative(value: Value) -> bool {
    signed(value).is_some_and(|x| x < 0)
}

fn is_zero(value: Value) -> bool {
    signed(value) == Some(0) || float(value) == Some(0.0)
}

fn has_sign(value: Value) -> bool {
    float(value).is_some_and(f64::is_sign_negative)
}

fn is_infinite(value: Value) -> bool {
    float(value).is_some_and(f64::is_infinite)
}

/// Bits of an integer type; what no shift has as its count for the others.
fn width(ty: ValType) -> u128 {
    match ty {
        ValType::I32 => 32,
        ValType::I64 => 64,
        _ => u128::MAX,
    }
}

/// Whether the signed result is another than that of mathematics.
fn wraps(op: Op, a: Value, b: Value, made: Value) -> bool {
    let (Some(a), Some(b), Some(made)) = (signed(a), signed(b), signed(made)) else { return false };
    let (a, b) = (i128::from(a), i128::from(b));
    let exact = match op {
        Op::I32Add | Op::I64Add => a + b,
        Op::I32Sub | Op::I64Sub => a - b,
        Op::I32Mul | Op::I64Mul => a * b,
        Op::I32Shl => a << (b & 31),
        Op::I64Shl => a << (b & 63),
        _ => return false,
    };
    exact != i128::from(made)
}

/// Whether the shortest decimal that names an f32 is another number than the f32: 0.1 is, 0.5 is not.
fn is_rounded(value: Value) -> bool {
    let x = f32::from_bits(value.bits as u32);
    x.is_finite() && x.to_string().parse::<f64>().is_ok_and(|decimal| decimal != f64::from(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_wraps_where_mathematics_does_not() {
        let i32 = Value::i32;
        for (op, a, b, made, expected) in [
            (Op::I32Add, i32(i32::MAX), i32(1), i32(i32::MIN), true),
            (Op::I32Add, i32(1), i32(-1), i32(0), false),
            (Op::I32Mul, i32(65_536), i32(65_536), i32(0), true),
            (Op::I32Shl, i32(1), i32(33), i32(2), false),
            (Op::I32Shl, i32(3), i32(31), i32(i32::MIN), true),
            (Op::I64Sub, Value::i64(i64::MIN), Value::i64(1), Value::i64(i64::MAX), true),
            (Op::I32Xor, i32(-1), i32(1), i32(-2), false),
        ] {
            assert_eq!(wraps(op, a, b, made), expected, "{op:?} {a} {b}");
        }
    }

    #[test]
    fn decimals_that_f32_rounds() {
        for (x, expected) in
            [(0.1, true), (0.5, false), (16_777_216.0, false), (3.3, true), (f32::NAN, false), (0.0, false)]
        {
            assert_eq!(is_rounded(Value::f32(x)), expected, "{x}");
        }
    }
}
