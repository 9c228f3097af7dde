//! Owns the description of the language as data: every instruction of the table, and the binary format section by
//! section.
//!
//! Must not know how it is shown. What the table and `effect` say is taken from there; only what they do not hold is
//! written here: how immediates are encoded, and what decides a signature that the table leaves open.

mod effect;
mod immediate;
mod section;

#[cfg(test)]
mod tests;

use super::isa::{Op, Row};
use super::machine::is_free;
use super::types::ValType;
pub use immediate::{Encoding, Immediate, immediates};
pub use section::{FORMAT, Form, Format, Section};
use serde::Serialize;

/// Everything that is fixed about one instruction.
#[derive(Clone, Debug, Serialize)]
pub struct Instruction {
    /// Its name in the text format.
    pub name: &'static str,
    /// The bytes of its opcode, hexadecimal.
    pub opcode: Vec<String>,
    /// What follows the opcode, in the order of the binary format.
    pub immediates: Vec<Immediate>,
    /// Its effect on the operand stack.
    pub signature: Signature,
    /// The ways it can trap by itself, in the words of the official test suite.
    pub traps: Vec<String>,
    /// What it costs.
    pub fuel: Fuel,
    /// What sort of instruction it is.
    pub category: &'static str,
    /// The kind of expression it is in Binaryen, if it is one.
    pub class: Option<&'static str>,
    /// The proposal that brought it.
    pub proposal: &'static str,
}

/// The effect on the operand stack, top last.
#[derive(Clone, Debug, Serialize)]
pub struct Signature {
    /// Both sides: `[i32 i32] -> [i32]`. A word that starts with `t` stands for any type, with `*` for any number of
    /// types.
    pub text: String,
    /// What is popped in any module.
    pub params: &'static [ValType],
    /// What is pushed in any module.
    pub results: &'static [ValType],
    /// What decides about the rest, where there is more.
    pub depends_on: Option<&'static str>,
}

/// The cost of one execution, as wasmtime counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fuel {
    /// What it costs in any case.
    pub base: u32,
    /// What costs 1 more, each time it is there.
    pub and_per: Option<&'static str>,
}

/// What WebAssembly has that the table leaves out.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NotCovered {
    /// The proposal.
    pub proposal: &'static str,
    /// Its instructions, in words.
    pub instructions: &'static str,
}

/// Proposals that are left out: a program that needs one is refused by name.
pub const NOT_COVERED: [NotCovered; 4] = [
    NotCovered { proposal: "exceptions", instructions: "try_table, throw, throw_ref, and the older try and catch" },
    NotCovered {
        proposal: "gc",
        instructions: "struct.*, array.*, i31.*, ref.cast, ref.test, br_on_cast, ref.eq, any.convert_extern",
    },
    NotCovered { proposal: "threads", instructions: "*.atomic.*, memory.atomic.*, shared memories" },
    NotCovered {
        proposal: "others after WebAssembly 2.0",
        instructions: "function references, several memories, 64-bit memories, relaxed SIMD, wide arithmetic, stack switching",
    },
];

/// Every instruction, in the order of the table.
pub fn instructions() -> impl Iterator<Item = Instruction> {
    Op::ALL.iter().map(|&op| instruction(op))
}

/// Everything about one instruction.
pub fn instruction(op: Op) -> Instruction {
    let row = op.row();
    Instruction {
        name: row.mnemonic,
        opcode: row.opcode.iter().map(|byte| format!("{byte:#04x}")).collect(),
        immediates: immediates(row.imm),
        signature: signature(row),
        traps: row.traps.iter().map(ToString::to_string).collect(),
        fuel: fuel(op),
        category: row.category.name(),
        class: (!row.class.is_empty()).then_some(row.class),
        proposal: row.proposal.name(),
    }
}

fn signature(row: &'static Row) -> Signature {
    let (text, depends_on) = (effect::text(row.op), effect::depends_on(row.op));
    Signature { text, params: row.params, results: row.results, depends_on }
}

fn fuel(op: Op) -> Fuel {
    let and_per = match op {
        Op::MemoryCopy | Op::MemoryFill | Op::MemoryInit => Some("byte"),
        Op::TableCopy | Op::TableFill | Op::TableInit | Op::TableGrow => Some("element"),
        Op::Call | Op::CallIndirect | Op::ReturnCall | Op::ReturnCallIndirect => Some("function entered that has code"),
        _ => None,
    };
    Fuel { base: u32::from(!is_free(op)), and_per }
}
