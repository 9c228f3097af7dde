//! Owns how very many globals are looked at: functions of the module copy them to a memory and a table of its own.
//!
//! Must not know what is in them. wasmtime looks through all exports for each access to a global that it compiles, so
//! thousands that are exported take it the square of their number. Up to [`EXPORTED`] that costs less than copying does.

use crate::wasm::encode::{write_instr, write_locals, write_u32};
use crate::wasm::isa::Op;
use crate::wasm::program::{Global, Instr, Memory, PAGE_BYTES, Program, Table};
use crate::wasm::types::ValType;

/// Globals that are exported each by itself, at most.
pub(in crate::wasm::oracle) const EXPORTED: usize = 1 << 12;
/// Bytes of memory that each global has.
pub(in crate::wasm::oracle) const PLACE: u32 = 16;
/// Globals that one function copies; all may be more than fit into one.
const AT_A_TIME: usize = 1 << 13;

/// The export of a function that copies.
pub(in crate::wasm::oracle) fn copying_name(number: u32) -> String {
    format!("c{number}")
}

/// Where globals are copied to: each of a number type to its place in the memory; of a null `externref` there is a 1, of
/// another a 0; and each `funcref` to the element of its own index.
#[derive(Clone)]
pub(in crate::wasm::oracle) struct Copying {
    pub(in crate::wasm::oracle) types: Vec<ValType>,
    pub(in crate::wasm::oracle) memory: u32,
    pub(in crate::wasm::oracle) table: u32,
}

impl Copying {
    /// Where all of these are copied to: memory and table get these indices.
    pub(super) fn new(globals: &[Global], memory: u32, table: u32) -> Self {
        Self { types: globals.iter().map(|global| global.ty).collect(), memory, table }
    }

    pub(super) fn memory(&self) -> Memory {
        let pages = (self.types.len() as u64 * u64::from(PLACE)).div_ceil(u64::from(PAGE_BYTES)) as u32;
        Memory { min: pages, max: Some(pages), import: None }
    }

    pub(super) fn table(&self) -> Table {
        let elements = self.elements();
        Table { ty: ValType::FuncRef, min: elements, max: Some(elements), import: None }
    }

    /// Elements of the table.
    pub(in crate::wasm::oracle) fn elements(&self) -> u32 {
        if self.types.contains(&ValType::FuncRef) { self.types.len() as u32 } else { 0 }
    }

    /// How many functions copy.
    pub(in crate::wasm::oracle) fn functions(&self) -> u32 {
        self.types.len().div_ceil(AT_A_TIME) as u32
    }

    /// Locals and code of each of them.
    pub(super) fn bodies(&self) -> Vec<Vec<u8>> {
        let mut index = 0;
        let body = |types: &[ValType]| {
            let mut bytes = Vec::new();
            write_locals(&[], &mut bytes);
            for &ty in types {
                self.copy(index, ty, &mut bytes);
                index += 1;
            }
            write(Instr::plain(Op::End), &mut bytes);
            bytes
        };
        self.types.chunks(AT_A_TIME).map(body).collect()
    }

    fn copy(&self, index: u32, ty: ValType, bytes: &mut Vec<u8>) {
        let at = if ty == ValType::FuncRef { index } else { 0 };
        write(Instr::constant(ValType::I32, at.into()), bytes);
        write(Instr::index(Op::GlobalGet, index), bytes);
        let store = match ty {
            ValType::I32 => Op::I32Store,
            ValType::I64 => Op::I64Store,
            ValType::F32 => Op::F32Store,
            ValType::F64 => Op::F64Store,
            ValType::V128 => Op::V128Store,
            ValType::FuncRef => return write(Instr::index(Op::TableSet, self.table), bytes),
            ValType::ExternRef => {
                write(Instr::plain(Op::RefIsNull), bytes);
                Op::I32Store
            }
        };
        bytes.extend_from_slice(store.row().opcode);
        // Aligned to a byte; bit 6 says that the memory is named (spec 5.4.7).
        [0x40, self.memory, index * PLACE].into_iter().for_each(|number| write_u32(number, bytes));
    }
}

/// Appends an instruction that names nothing but an index.
fn write(instr: Instr, bytes: &mut Vec<u8>) {
    write_instr(&Program::default(), &instr, bytes);
}
