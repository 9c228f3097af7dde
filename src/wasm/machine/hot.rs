//! Owns the columns of the instruction table that every step needs, packed side by side.
//!
//! Must not know state. A row of the table spreads over several cache lines; what execution asks of it fits into 24
//! bytes, computed from the rows when the program is compiled.

use crate::wasm::isa::{Imm, Op, Semantics, Trap};
use crate::wasm::types::ValType;

/// How an instruction is executed. What is not frequent goes through [`Dispatch::Vector`] and [`Dispatch::Other`], which look
/// at the row.
#[derive(Clone, Copy)]
pub(super) enum Dispatch {
    Unary(fn(u64) -> u64),
    Binary(fn(u64, u64) -> u64),
    TryUnary(fn(u64) -> Result<u64, Trap>),
    TryBinary(fn(u64, u64) -> Result<u64, Trap>),
    /// Pushes the number in the immediate.
    Const,
    LocalGet,
    LocalSet,
    LocalTee,
    Load(fn(u64) -> u64),
    Store,
    /// Everything that has a vector among its operands and results.
    Vector,
    Other,
}

/// The hot columns of one row.
pub(super) struct Hot {
    pub(super) kind: Dispatch,
    /// Fuel.
    pub(super) cost: u8,
    /// Bytes of a memory access.
    pub(super) width: u8,
    /// Type of the result, where it is the same in any module.
    pub(super) result: ValType,
}

/// [`Hot`] of every instruction, by its number.
pub(super) static HOT: [Hot; Op::COUNT] = {
    const EMPTY: Hot = Hot { kind: Dispatch::Other, cost: 0, width: 0, result: ValType::I32 };
    let mut table = [EMPTY; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        table[index] = hot(Op::ALL[index]);
        index += 1;
    }
    table
};

const fn hot(op: Op) -> Hot {
    let row = op.row();
    let result = if let [result, ..] = row.results { *result } else { ValType::I32 };
    let kind = match row.semantics {
        Semantics::Unary(f) => Dispatch::Unary(f),
        Semantics::Binary(f) => Dispatch::Binary(f),
        Semantics::TryUnary(f) => Dispatch::TryUnary(f),
        Semantics::TryBinary(f) => Dispatch::TryBinary(f),
        Semantics::Load(f) => Dispatch::Load(f),
        // The stores that write a vector read their operands as vectors.
        Semantics::Store => match row.imm {
            Imm::MemArg { width: 16 } => Dispatch::Vector,
            _ => Dispatch::Store,
        },
        Semantics::Special => match op {
            Op::I32Const | Op::I64Const | Op::F32Const | Op::F64Const => Dispatch::Const,
            Op::V128Const => Dispatch::Vector,
            Op::LocalGet => Dispatch::LocalGet,
            Op::LocalSet => Dispatch::LocalSet,
            Op::LocalTee => Dispatch::LocalTee,
            _ => Dispatch::Other,
        },
        _ => Dispatch::Vector,
    };
    Hot { kind, cost: !is_free(op) as u8, width: width(op), result }
}

/// Bytes that a load or store touches.
pub const fn width(op: Op) -> u8 {
    match op.row().imm {
        Imm::MemArg { width } | Imm::MemArgLane { width } => width,
        _ => 0,
    }
}

/// Instructions that cost no fuel.
pub const fn is_free(op: Op) -> bool {
    use Op::{Block, Drop, Else, End, Loop, Nop, Return, Unreachable};
    matches!(op, Nop | Drop | Block | Loop | Unreachable | Return | Else | End)
}
