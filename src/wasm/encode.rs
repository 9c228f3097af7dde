//! Owns the binary format: a program's bytes, and the exact size of each part before it is written.
//!
//! Must not know what a program does. Instructions are written from their row of the table (opcode, then the immediate
//! its [`Imm`] names); sections are wasm-encoder's work (`section`).

mod section;

pub use section::val_type;

use super::isa::Imm;
use super::program::{BlockType, Instr, Memory, Program};
use super::types::ValType;
use wasm_encoder as enc;

/// The module in binary form. Each part has the shortest encoding that WebAssembly 2.0 allows, but for segments of
/// functions in table 0, which keep the form of the first version where they can.
pub fn encode(program: &Program) -> Vec<u8> {
    let memories: Vec<Memory> = program.memory.iter().filter(|memory| memory.import.is_none()).cloned().collect();
    let own = program.imported_funcs()..program.funcs.len() as u32;
    let bodies = own.map(|func| body(program, func)).collect();
    encode_with(program, &memories, &Code { bodies, names_data: section::names_data(program) })
}

/// The code of a module in binary form.
pub struct Code {
    /// Locals and code of each function, imported ones left out.
    pub bodies: Vec<Vec<u8>>,
    /// Whether a data segment is named there.
    pub names_data: bool,
}

/// The module of a program whose own memories and code are given apart, so that there can be several memories.
pub fn encode_with(program: &Program, memories: &[Memory], code: &Code) -> Vec<u8> {
    let mut module = enc::Module::new();
    section::sections(program, memories, code, &mut module);
    module.finish()
}

/// Locals and code of a function, its size not included.
pub fn body(program: &Program, func: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_locals(&program.funcs[func as usize].locals, &mut bytes);
    program.flatten(func).iter().for_each(|flat| write_instr(program, &flat.instr, &mut bytes));
    bytes
}

/// The vector of local declarations: runs of one type (spec 5.5.13).
pub fn write_locals(locals: &[ValType], bytes: &mut Vec<u8>) {
    let runs: Vec<&[ValType]> = locals.chunk_by(|a, b| a == b).collect();
    write_u32(runs.len() as u32, bytes);
    for run in runs {
        write_u32(run.len() as u32, bytes);
        bytes.push(run[0].code());
    }
}

/// Appends an instruction; `else` and `end` are instructions here.
pub fn write_instr(program: &Program, instr: &Instr, bytes: &mut Vec<u8>) {
    let row = instr.op.row();
    bytes.extend_from_slice(row.opcode);
    match row.imm {
        Imm::None => {}
        Imm::Local | Imm::Global | Imm::Label | Imm::Func | Imm::Table | Imm::Elem | Imm::Data => {
            write_u32(instr.a, bytes)
        }
        Imm::TypeTable | Imm::TableTable | Imm::ElemTable => {
            write_u32(instr.a, bytes);
            write_u32(instr.b as u32, bytes);
        }
        Imm::DataMem => {
            write_u32(instr.a, bytes);
            bytes.push(0);
        }
        Imm::MemIndex => bytes.push(0),
        Imm::MemMem => bytes.extend([0, 0]),
        Imm::MemArg { .. } => {
            write_u32(instr.a, bytes);
            write_u32(instr.b as u32, bytes);
        }
        Imm::MemArgLane { .. } => {
            write_u32(instr.align(), bytes);
            write_u32(instr.b as u32, bytes);
            bytes.push(instr.lane());
        }
        Imm::Lane { .. } => bytes.push(instr.lane()),
        Imm::V128 | Imm::Shuffle => bytes.extend(program.vectors[instr.a as usize].to_le_bytes()),
        Imm::HeapType => bytes.push(instr.val_type().code()),
        Imm::ValTypes => bytes.extend([1, instr.val_type().code()]),
        Imm::I32 => write_signed(i64::from(instr.b as i32), bytes),
        Imm::I64 => write_signed(instr.b as i64, bytes),
        Imm::F32 => bytes.extend_from_slice(&(instr.b as u32).to_le_bytes()),
        Imm::F64 => bytes.extend_from_slice(&instr.b.to_le_bytes()),
        Imm::BlockType => match instr.block_type() {
            BlockType::Empty => bytes.push(0x40),
            BlockType::Value(ty) => bytes.push(ty.code()),
            BlockType::Func(index) => write_signed(i64::from(index), bytes),
        },
        Imm::LabelTable => {
            let labels = &program.label_tables[instr.a as usize];
            write_u32(labels.len() as u32 - 1, bytes);
            labels.iter().for_each(|&label| write_u32(label, bytes));
        }
    }
}

/// Bytes of one instruction, the `end` of a block not included.
pub fn instr_size(program: &Program, instr: &Instr) -> u32 {
    let row = instr.op.row();
    let immediate = match row.imm {
        Imm::None => 0,
        Imm::Local | Imm::Global | Imm::Label | Imm::Func | Imm::Table | Imm::Elem | Imm::Data => u32_size(instr.a),
        Imm::TypeTable | Imm::TableTable | Imm::ElemTable => u32_size(instr.a) + u32_size(instr.b as u32),
        Imm::DataMem => u32_size(instr.a) + 1,
        Imm::MemIndex | Imm::Lane { .. } | Imm::HeapType => 1,
        Imm::MemMem | Imm::ValTypes => 2,
        Imm::MemArg { .. } => u32_size(instr.a) + u32_size(instr.b as u32),
        Imm::MemArgLane { .. } => u32_size(instr.align()) + u32_size(instr.b as u32) + 1,
        Imm::V128 | Imm::Shuffle => 16,
        Imm::I32 => signed_size(i64::from(instr.b as i32)),
        Imm::I64 => signed_size(instr.b as i64),
        Imm::F32 => 4,
        Imm::F64 => 8,
        Imm::BlockType => match instr.block_type() {
            BlockType::Empty | BlockType::Value(_) => 1,
            BlockType::Func(index) => signed_size(i64::from(index)),
        },
        Imm::LabelTable => {
            let labels = &program.label_tables[instr.a as usize];
            u32_size(labels.len() as u32 - 1) + labels.iter().map(|&label| u32_size(label)).sum::<u32>()
        }
    };
    row.opcode.len() as u32 + immediate
}

/// Bytes of an unsigned LEB128 number (spec 5.2.2).
#[inline]
pub fn u32_size(value: u32) -> u32 {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    }
}

/// Bytes of a signed LEB128 number (spec 5.2.2).
#[inline]
pub fn signed_size(value: i64) -> u32 {
    // The sign takes a bit too.
    let magnitude = (value ^ value >> 63) as u64;
    1 + [6, 13, 20, 27, 34, 41, 48, 55, 62].iter().map(|bits| u32::from(magnitude >> bits != 0)).sum::<u32>()
}

/// Appends an unsigned LEB128 number.
pub(super) fn write_u32(mut value: u32, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn write_signed(mut value: i64, bytes: &mut Vec<u8>) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            return bytes.push(byte);
        }
        bytes.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_bytes() {
        let edges =
            [0, 1, 63, 64, 127, 128, 8191, 8192, 16383, 16384, i64::from(u32::MAX), i64::MAX, i64::MIN, -1, -64, -65];
        for value in edges {
            let mut bytes = Vec::new();
            write_signed(value, &mut bytes);
            assert_eq!(bytes.len() as u32, signed_size(value), "{value}");
            let mut read = wasmparser::BinaryReader::new(&bytes, 0);
            assert_eq!(read.read_var_i64().expect("a number"), value);
            bytes.clear();
            write_u32(value as u32, &mut bytes);
            assert_eq!(bytes.len() as u32, u32_size(value as u32), "{value}");
            assert_eq!(wasmparser::BinaryReader::new(&bytes, 0).read_var_u32().expect("a number"), value as u32);
        }
    }
}
