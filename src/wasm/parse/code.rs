//! Owns the encoding of instructions (spec 5.4), read by the rows of the table.
//!
//! Must not know sections. The bytes have been validated, so what cannot be read here is outside of the table.

use super::ParseError;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Instr, Program, Seq, SeqId};
use crate::wasm::types::ValType;
use std::sync::LazyLock;
use wasmparser::BinaryReader;

/// Reads instructions to the function's own `end`. The stack of open sequences is explicit, so that no nesting a
/// stranger chose can exhaust ours.
pub(super) fn read_code(program: &mut Program, reader: &mut BinaryReader<'_>) -> Result<SeqId, ParseError> {
    let body = new_seq(program);
    let mut open = vec![body];
    while let Some(&seq) = open.last() {
        let mut instr = read_instr(program, reader)?;
        match instr.op {
            Op::End => drop(open.pop()),
            Op::Else => {
                open.pop();
                let otherwise = new_seq(program);
                open.push(otherwise);
                let parent = open[open.len() - 2];
                let last = program.seqs[parent as usize].code.last_mut().expect("an `if` came before its `else`");
                *last = Instr::structured(Op::If, last.block_type(), last.body(), Some(otherwise));
            }
            Op::Block | Op::Loop | Op::If => {
                let inner = new_seq(program);
                instr = Instr::structured(instr.op, instr.block_type(), inner, None);
                program.seqs[seq as usize].code.push(instr);
                open.push(inner);
            }
            _ => program.seqs[seq as usize].code.push(instr),
        }
    }
    Ok(body)
}

fn new_seq(program: &mut Program) -> SeqId {
    program.seqs.push(Seq::default());
    program.seqs.len() as SeqId - 1
}

/// Every instruction by its first byte and, behind a prefix, its number.
static BY_OPCODE: LazyLock<Vec<Vec<Option<Op>>>> = LazyLock::new(|| {
    let mut known = vec![Vec::new(); 256];
    for &op in Op::ALL {
        let (first, rest) = op.row().opcode.split_first().expect("an opcode has a byte");
        let number = rest.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
        let behind = &mut known[usize::from(*first)];
        behind.resize(behind.len().max(number + 1), None);
        behind[number] = Some(op);
    }
    known
});

/// First bytes behind which a number follows.
fn is_prefix(first: u8) -> bool {
    matches!(first, 0xfb..=0xfe)
}

pub(super) fn read_instr(program: &mut Program, reader: &mut BinaryReader<'_>) -> Result<Instr, ParseError> {
    let op = read_opcode(reader)?;
    Ok(match op.row().imm {
        Imm::None => Instr::plain(op),
        Imm::Local | Imm::Global | Imm::Label | Imm::Func | Imm::Table | Imm::Elem | Imm::Data => {
            Instr::index(op, reader.read_var_u32()?)
        }
        Imm::TypeTable | Imm::TableTable | Imm::ElemTable => {
            Instr::indices(op, reader.read_var_u32()?, reader.read_var_u32()?)
        }
        Imm::MemIndex => {
            reader.read_var_u32()?;
            Instr::plain(op)
        }
        Imm::MemMem => {
            reader.read_var_u32()?;
            reader.read_var_u32()?;
            Instr::plain(op)
        }
        Imm::DataMem => {
            let segment = reader.read_var_u32()?;
            reader.read_var_u32()?;
            Instr::index(op, segment)
        }
        Imm::MemArg { .. } => Instr::memory(op, reader.read_var_u32()?, reader.read_var_u32()?),
        Imm::MemArgLane { .. } => {
            Instr::memory_lane(op, reader.read_var_u32()?, reader.read_var_u32()?, reader.read_u8()?)
        }
        Imm::Lane { .. } => Instr::index(op, u32::from(reader.read_u8()?)),
        Imm::V128 | Imm::Shuffle => {
            let bytes = reader.read_bytes(16)?.try_into().expect("16 bytes were asked for");
            program.vectors.push(u128::from_le_bytes(bytes));
            Instr::index(op, program.vectors.len() as u32 - 1)
        }
        Imm::HeapType => Instr::index(op, short_type(reader.read_var_s33()?)?.index() as u32),
        Imm::ValTypes => {
            // A vector of one type.
            reader.read_var_u32()?;
            Instr::index(op, short_type(reader.read_var_s33()?)?.index() as u32)
        }
        Imm::I32 => Instr { op, a: 0, b: u64::from(reader.read_var_i32()? as u32) },
        Imm::I64 => Instr { op, a: 0, b: reader.read_var_i64()? as u64 },
        Imm::F32 => Instr { op, a: 0, b: u64::from(reader.read_f32()?.bits()) },
        Imm::F64 => Instr { op, a: 0, b: reader.read_f64()?.bits() },
        Imm::BlockType => Instr::structured(op, read_block_type(reader)?, 0, None),
        Imm::LabelTable => {
            let count = reader.read_var_u32()?;
            let labels = (0..=count).map(|_| reader.read_var_u32()).collect::<Result<Vec<u32>, _>>()?;
            program.label_tables.push(labels);
            Instr::index(op, program.label_tables.len() as u32 - 1)
        }
    })
}

fn read_opcode(reader: &mut BinaryReader<'_>) -> Result<Op, ParseError> {
    let first = reader.read_u8()?;
    let number = if is_prefix(first) { reader.read_var_u32()? } else { 0 };
    BY_OPCODE[usize::from(first)].get(number as usize).copied().flatten().ok_or_else(|| {
        let number = if is_prefix(first) { format!(" {number}") } else { String::new() };
        ParseError::Unsupported(format!("the instruction with opcode {first:#04x}{number}"))
    })
}

fn read_block_type(reader: &mut BinaryReader<'_>) -> Result<BlockType, ParseError> {
    const EMPTY: i64 = -0x40;
    let code = reader.read_var_s33()?;
    match u32::try_from(code) {
        Ok(index) => Ok(BlockType::Func(index)),
        Err(_) if code == EMPTY => Ok(BlockType::Empty),
        Err(_) => short_type(code).map(BlockType::Value),
    }
}

/// The code of a value type, read as the negative number of one byte that it is.
fn short_type(code: i64) -> Result<ValType, ParseError> {
    let byte = (code & 0x7f) as u8;
    ValType::from_code(byte).ok_or_else(|| ParseError::Unsupported(format!("the type with code {byte:#04x}")))
}
