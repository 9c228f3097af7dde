//! Owns the instructions with a vector among their operands and results.
//!
//! Must not know what they compute: the table's functions do.

use super::{Machine, width};
use crate::wasm::isa::{Op, Semantics, Trap};
use crate::wasm::program::{Instr, Program};
use crate::wasm::types::Bits;

impl Machine {
    #[inline(never)]
    pub(super) fn vector(&mut self, program: &Program, instr: &Instr) -> Result<(), Trap> {
        let row = instr.op.row();
        let bits = match row.semantics {
            Semantics::Special if instr.op == Op::V128Const => program.vectors[instr.a as usize],
            Semantics::Wide1(f) => {
                let [a] = self.pops();
                f(a)
            }
            Semantics::Wide2(f) => {
                let [a, b] = self.pops();
                f(a, b)
            }
            Semantics::Wide3(f) => {
                let [a, b, c] = self.pops();
                f(a, b, c)
            }
            Semantics::Lane1(f) => {
                let [a] = self.pops();
                f(a, instr.lane())
            }
            Semantics::Lane2(f) => {
                let [a, b] = self.pops();
                f(a, b, instr.lane())
            }
            Semantics::Shuffle(f) => {
                let [a, b] = self.pops();
                f(a, b, program.vectors[instr.a as usize])
            }
            Semantics::WideLoad(f) => {
                let [address] = self.pops();
                let at = self.address(address, instr.b, width(instr.op))?;
                f(self.load_wide(at, width(instr.op)))
            }
            Semantics::LoadLane => {
                let [address, vector] = self.pops();
                let at = self.address(address, instr.b, width(instr.op))?;
                let lane = Lane::new(instr);
                vector & !lane.mask() | self.load_wide(at, width(instr.op)) << lane.shift
            }
            Semantics::StoreLane | Semantics::Store => {
                let [address, vector] = self.pops();
                let at = self.address(address, instr.b, width(instr.op))?;
                let shift = if let Semantics::StoreLane = row.semantics { Lane::new(instr).shift } else { 0 };
                self.store_wide(at, width(instr.op), vector >> shift);
                return Ok(());
            }
            _ => unreachable!("{} has no vector", instr.op),
        };
        self.push(row.results[0], bits);
        Ok(())
    }
}

/// Where a lane stands.
struct Lane {
    bits: u32,
    shift: u32,
}

impl Lane {
    fn new(instr: &Instr) -> Self {
        let bits = 8 * u32::from(width(instr.op));
        Self { bits, shift: bits * u32::from(instr.lane()) }
    }

    fn mask(&self) -> Bits {
        (Bits::MAX >> (Bits::BITS - self.bits)) << self.shift
    }
}
