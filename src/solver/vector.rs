//! Owns what a reader makes of instructions with a vector among their operands or results.
//!
//! Must not know misconceptions: none is about vectors, so the row's own function computes.

use super::value::Held;
use crate::wasm::isa::{Op, Semantics};
use crate::wasm::machine::width;
use crate::wasm::program::{Instr, Program};
use crate::wasm::types::{Bits, ValType};

/// The result, if the instruction is one with vectors that only computes.
pub(super) fn compute(program: &Program, instr: &Instr, operands: &[Held]) -> Option<Held> {
    let row = instr.op.row();
    let bits = |at: usize| operands[at].wide();
    let result = match row.semantics {
        Semantics::Wide1(f) => f(bits(0)),
        Semantics::Wide2(f) => f(bits(0), bits(1)),
        Semantics::Wide3(f) => f(bits(0), bits(1), bits(2)),
        Semantics::Lane1(f) => f(bits(0), instr.lane()),
        Semantics::Lane2(f) => f(bits(0), bits(1), instr.lane()),
        Semantics::Shuffle(f) => f(bits(0), bits(1), program.vectors[instr.a as usize]),
        _ => return None,
    };
    Some(Held::exact(row.results[0], result))
}

/// The vector with these bits in the lane of the instruction.
pub(super) fn with_lane(instr: &Instr, vector: Bits, bits: Bits) -> Held {
    let shift = shift(instr);
    let mask = (Bits::MAX >> (Bits::BITS - lane_bits(instr))) << shift;
    Held::exact(ValType::V128, vector & !mask | bits << shift)
}

/// The bits that a store writes: those of its lane, if it has one.
pub(super) fn stored(instr: &Instr, value: Bits) -> Bits {
    if let Semantics::StoreLane = instr.op.row().semantics { value >> shift(instr) } else { value }
}

fn lane_bits(instr: &Instr) -> u32 {
    8 * u32::from(width(instr.op))
}

fn shift(instr: &Instr) -> u32 {
    lane_bits(instr) * u32::from(instr.lane())
}

/// The constant of `v128.const`.
pub(super) fn constant(program: &Program, instr: &Instr) -> Option<Held> {
    (instr.op == Op::V128Const).then(|| Held::exact(ValType::V128, program.vectors[instr.a as usize]))
}
