//! Owns the bytes of instructions: opcode, and the fields behind it.
//!
//! Must not know sections. The table says which fields there are; the bytes say how long each is.

use super::{Field, Hex, Instruction};
use crate::wasm::encode::{signed_size, u32_size};
use crate::wasm::print::Printer;
use crate::wasm::program::{BlockType, Instr, Program};
use crate::wasm::schema::{Encoding, immediates};
use crate::wasm::types::ValType;
use std::ops::Range;
use wasmparser::{BinaryReader, BinaryReaderError, FunctionBody};

/// The instructions of a function, whose code is this range of the module's bytes.
pub(super) fn instructions(
    printer: &Printer<'_>,
    program: &Program,
    func: u32,
    bytes: &[u8],
    code: Range<usize>,
    body: &FunctionBody<'_>,
) -> Result<Vec<Instruction>, BinaryReaderError> {
    let starts = body.get_operators_reader()?.into_iter_with_offsets();
    let starts = starts.map(|read| read.map(|(_, start)| start)).collect::<Result<Vec<_>, _>>()?;
    let ends = starts.iter().skip(1).copied().chain([code.end]);
    let flat = program.flatten(func);
    let all = starts.iter().zip(ends).zip(&flat).zip(0..);
    all.map(|(((&start, end), entry), pc)| {
        let bytes = &bytes[start..end];
        Ok(Instruction {
            offset: start as u32,
            bytes: Hex(bytes.to_vec()),
            pc,
            depth: entry.depth,
            text: printer.instr(&entry.instr),
            immediates: fields(printer, &entry.instr, bytes)?,
            ran: None,
        })
    })
    .collect()
}

/// Bits of the number that a block type is: negative numbers stand for value types.
const BLOCK_TYPE_BITS: u8 = 33;

fn block_type(ty: BlockType) -> String {
    match ty {
        BlockType::Empty => "empty".into(),
        BlockType::Value(ty) => ty.name().into(),
        BlockType::Func(index) => format!("type {index}"),
    }
}

/// The fields of an instruction.
fn fields(printer: &Printer<'_>, instr: &Instr, bytes: &[u8]) -> Result<Vec<Field>, BinaryReaderError> {
    // The number behind a prefix is a LEB128 number too, and may be padded.
    let opcode = if instr.op.row().opcode.len() > 1 { 1 + leb_len(&bytes[1..]) } else { 1 };
    let mut reader = BinaryReader::new(&bytes[opcode..], 0);
    let immediates = immediates(instr.op.row().imm);
    immediates
        .iter()
        .map(|immediate| {
            let start = reader.current_position();
            let (value, shortest) = value(printer, instr, immediate.encoding, &mut reader)?;
            let bytes = bytes[opcode..][start..reader.current_position()].to_vec();
            let padding = shortest.map_or(0, |shortest| bytes.len() as u32 - shortest);
            Ok(Field { name: immediate.name, encoding: immediate.encoding, bytes: Hex(bytes), value, padding })
        })
        .collect()
}

/// Reads a field: its value as text, and of a LEB128 number the bytes that it needs.
fn value(
    printer: &Printer<'_>,
    instr: &Instr,
    encoding: Encoding,
    reader: &mut BinaryReader<'_>,
) -> Result<(String, Option<u32>), BinaryReaderError> {
    Ok(match encoding {
        Encoding::U32 => {
            let value = reader.read_var_u32()?;
            (value.to_string(), Some(u32_size(value)))
        }
        Encoding::Signed(BLOCK_TYPE_BITS) => {
            let value = reader.read_var_s33()?;
            (block_type(instr.block_type()), Some(signed_size(value)))
        }
        Encoding::Signed(bits) => {
            let value = if bits == 32 { reader.read_var_i32()?.into() } else { reader.read_var_i64()? };
            (value.to_string(), Some(signed_size(value)))
        }
        Encoding::Byte | Encoding::Zero => (reader.read_u8()?.to_string(), None),
        Encoding::Bytes(count) => {
            reader.read_bytes(count.into())?;
            // The value stands behind the mnemonic.
            let text = printer.instr(instr);
            (text.split_once(' ').map_or(String::new(), |(_, value)| value.into()), None)
        }
        Encoding::Indices => {
            let count = reader.read_var_u32()?;
            let mut shortest = u32_size(count);
            let mut values = Vec::new();
            for _ in 0..count {
                let value = reader.read_var_u32()?;
                shortest += u32_size(value);
                values.push(value.to_string());
            }
            (values.join(" "), Some(shortest))
        }
        Encoding::Types => {
            let count = reader.read_var_u32()?;
            let types = (0..count).map(|_| reader.read_u8()).collect::<Result<Vec<u8>, _>>()?;
            let names = types.iter().map(|&code| ValType::from_code(code).map_or("unknown", ValType::name));
            (names.collect::<Vec<_>>().join(" "), Some(u32_size(count) + count))
        }
    })
}

/// Bytes of the LEB128 number that these begin with.
pub(super) fn leb_len(bytes: &[u8]) -> usize {
    1 + bytes.iter().take_while(|&&byte| byte & 0x80 != 0).count()
}
