//! Owns the rules by which a reader may compute one instruction otherwise than the specification: one row each.
//!
//! Must not know machines: a rule sees an instruction and the bits of its operands. Rules come from other languages (C,
//! Java, JavaScript, Python, x86) and from slips that readers make; that one instruction is read as another needs no rule.

mod table;

pub(super) use table::RULES;

use crate::wasm::isa::{Category, Op, Semantics};
use crate::wasm::types::ValType;

/// What a rule makes of an instruction and its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// What the specification says.
    Exact,
    /// These bits.
    Bits(u64),
    /// No value: the rule would divide by zero.
    Nothing,
}

/// A rule. The operands are those of the instruction, the top one last; of a unary one both are the same.
pub(super) struct Rule {
    /// Its name in that of a mutant.
    pub(super) name: &'static str,
    /// The instructions that it is about, in the plural.
    pub(super) subject: &'static str,
    /// What is said of them, behind their names.
    pub(super) words: &'static str,
    /// Whether it is about an instruction; its name without the type before the dot is given, too.
    has: fn(Op, &str) -> bool,
    /// The result.
    pub(super) make: fn(Op, u64, u64) -> Made,
}

impl Rule {
    /// Whether it is about an instruction.
    pub(super) fn has(&self, op: Op) -> bool {
        op.index() < Op::SCALARS && (self.has)(op, bare(op))
    }
}

/// Its name without the type before the dot.
pub(super) fn bare(op: Op) -> &'static str {
    op.mnemonic().split_once('.').map_or(op.mnemonic(), |(_, name)| name)
}

/// What the specification says; `None` where it traps, or where more than operands matter.
pub(super) fn exact(op: Op, x: u64, y: u64) -> Option<u64> {
    match op.row().semantics {
        Semantics::Unary(f) => Some(f(y)),
        Semantics::Binary(f) => Some(f(x, y)),
        Semantics::TryUnary(f) => f(y).ok(),
        Semantics::TryBinary(f) => f(x, y).ok(),
        _ => None,
    }
}

/// Operands at which an instruction that has an order shows it.
const SAMPLE: [u64; 6] = [0, 1, 5, 0x4040_0000, 0x8000_0000, 0x4008_0000_0000_0000];

/// Two operands of one type, whose order matters.
fn is_ordered(op: Op) -> bool {
    let is_binary = matches!(op.row().semantics, Semantics::Binary(_) | Semantics::TryBinary(_));
    let differs = |x: u64, y: u64| exact(op, x, y) != exact(op, y, x);
    is_binary && SAMPLE.iter().any(|&x| SAMPLE.iter().any(|&y| differs(x & mask(op), y & mask(op))))
}

/// Two operands and a result of one type.
fn is_endomorphic(op: Op) -> bool {
    let row = op.row();
    matches!(row.semantics, Semantics::Binary(_) | Semantics::TryBinary(_)) && row.results == &row.params[1..]
}

fn is_int(op: Op) -> bool {
    op.row().results == [ValType::I32] && op_ty(op) == ValType::I32
        || op.row().results == [ValType::I64] && op_ty(op) == ValType::I64
}

fn is_float(op: Op) -> bool {
    op.row().category == Category::FloatArithmetic
}

fn is_comparison(op: Op) -> bool {
    matches!(op.row().category, Category::IntComparison | Category::FloatComparison)
}

fn is_truncation(op: Op) -> bool {
    op.row().category == Category::Conversion && bare(op).starts_with("trunc")
}

/// The type of its operands.
fn op_ty(op: Op) -> ValType {
    op.row().params.last().copied().unwrap_or(ValType::I32)
}

/// Bits of its operands.
fn width(op: Op) -> u64 {
    if matches!(op_ty(op), ValType::I32 | ValType::F32) { 32 } else { 64 }
}

fn mask(op: Op) -> u64 {
    if width(op) == 32 { u64::from(u32::MAX) } else { u64::MAX }
}

/// The bit of the sign.
fn sign(op: Op) -> u64 {
    1 << (width(op) - 1)
}

/// The number at the end of a name such as `extend16_s`.
fn digits(name: &str) -> u32 {
    name.chars().filter_map(|c| c.to_digit(10)).fold(0, |number, digit| number * 10 + digit)
}

fn signed(ty: ValType, bits: u64) -> i128 {
    if ty == ValType::I32 { i128::from(bits as u32 as i32) } else { i128::from(bits as i64) }
}

fn float(ty: ValType, bits: u64) -> f64 {
    if ty == ValType::F32 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
}

fn bits(ty: ValType, number: f64) -> u64 {
    if ty == ValType::F32 { u64::from((number as f32).to_bits()) } else { number.to_bits() }
}

/// An integer result, cut to its type.
fn int(ty: ValType, number: i128) -> Made {
    Made::Bits(if ty == ValType::I32 { u64::from(number as u32) } else { number as u64 })
}

/// The smallest and the largest number of an integer type.
fn bounds(ty: ValType, unsigned: bool) -> (i128, i128) {
    match (ty, unsigned) {
        (ValType::I32, false) => (i32::MIN.into(), i32::MAX.into()),
        (ValType::I32, true) => (0, u32::MAX.into()),
        (_, false) => (i64::MIN.into(), i64::MAX.into()),
        (_, true) => (0, u64::MAX.into()),
    }
}

fn clamp(ty: ValType, number: i128) -> i128 {
    let (low, high) = bounds(ty, false);
    number.clamp(low, high)
}

/// The result of an addition, subtraction or multiplication without a width.
fn mathematics(op: Op, x: u64, y: u64) -> Option<i128> {
    let (a, b) = (signed(op_ty(op), x), signed(op_ty(op), y));
    match bare(op) {
        "add" => Some(a + b),
        "sub" => Some(a - b),
        "mul" => Some(a * b),
        _ => None,
    }
}

/// A quotient, or the remainder that goes with it.
fn divided(op: Op, x: u64, y: u64, quotient: impl Fn(i128, i128) -> i128) -> Made {
    let of = |bits: u64| if bare(op).ends_with("_u") { i128::from(bits) } else { signed(op_ty(op), bits) };
    let (a, b) = (of(x), of(y));
    if b == 0 {
        return Made::Nothing;
    }
    let whole = quotient(a, b);
    int(op_ty(op), if bare(op).starts_with("rem") { a - whole * b } else { whole })
}

/// A halfway case rounded in another way; all else is exact.
fn of_half(op: Op, x: u64, round: fn(f64) -> f64) -> Made {
    let number = float(op_ty(op), x);
    if number.fract().abs() == 0.5 { Made::Bits(bits(op_ty(op), round(number))) } else { Made::Exact }
}

/// What a truncation makes of a number that was rounded before.
fn of_rounded(op: Op, x: u64, round: fn(f64) -> f64) -> Made {
    let ty = op_ty(op);
    let rounded = bits(ty, round(float(ty, x)));
    exact(op, rounded, rounded).map_or(Made::Nothing, Made::Bits)
}

#[cfg(test)]
mod tests;
