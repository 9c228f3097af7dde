//! Owns the machine's memory: bounds, little-endian access, and the log of what was overwritten.
//!
//! Must not know which instruction asks.

use super::{Machine, Undo, width};
use crate::wasm::isa::Trap;
use crate::wasm::program::{Instr, PAGE_BYTES};

impl Machine {
    /// Pops the address; the effective address if the whole access is in bounds.
    pub(super) fn address(&mut self, instr: &Instr) -> Result<u32, Trap> {
        let at = u64::from(self.pop() as u32) + instr.b;
        if self.in_bounds(at, width(instr.op)) { Ok(at as u32) } else { Err(Trap::MemoryOutOfBounds) }
    }

    fn in_bounds(&self, at: u64, width: u8) -> bool {
        at + u64::from(width) <= self.memory.len() as u64
    }

    pub(super) fn bytes_at(&self, at: u32, width: u8) -> u64 {
        let mut bytes = [0; 8];
        bytes[..usize::from(width)].copy_from_slice(&self.memory[at as usize..at as usize + usize::from(width)]);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn write_bytes(&mut self, at: u32, width: u8, value: u64) {
        self.log.push(Undo::Memory { at, width, bytes: self.bytes_at(at, width) });
        self.put_bytes(at, width, value);
    }

    pub(super) fn put_bytes(&mut self, at: u32, width: u8, value: u64) {
        let range = at as usize..at as usize + usize::from(width);
        self.memory[range].copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
    }

    /// Makes the memory that a program gets while it runs.
    pub fn declare_memory(&mut self, pages: u32) {
        self.memory.resize((pages * PAGE_BYTES) as usize, 0);
    }
}
