//! Owns looking at the machine, and what may be declared while it runs: locals and globals.
//!
//! Must not change what has been computed.

use super::Machine;
use crate::wasm::program::{Place, SeqId};
use crate::wasm::types::{Bits, ValType, Value};

impl Machine {
    /// Where execution stands.
    pub fn place(&self) -> Place {
        Place { seq: self.r.seq, index: self.r.pc }
    }

    /// The function that runs.
    pub fn func(&self) -> u32 {
        self.r.func
    }

    /// Fuel used so far.
    pub fn fuel(&self) -> u64 {
        self.r.fuel
    }

    /// Labels and activations open.
    pub fn depth(&self) -> u32 {
        self.r.lp
    }

    /// The unique number of the `index`-th open label, if there are so many.
    pub fn serial_at(&self, index: u32) -> Option<u32> {
        (index < self.r.lp).then(|| self.labels[index as usize].serial)
    }

    /// The sequence that the `index`-th open label runs in (its body, or the arm taken).
    pub fn body_at(&self, index: u32) -> SeqId {
        self.labels[index as usize].body
    }

    /// The operand `down` slots under the top of the stack.
    pub fn operand(&self, down: u32) -> Value {
        let at = (self.r.sp - 1 - down) as usize;
        Value::new(self.types[at], self.slots[at])
    }

    /// A local of the running function.
    pub fn local(&self, index: u32) -> Value {
        let at = (self.r.base + index) as usize;
        Value::new(self.types[at], self.slots[at])
    }

    /// Sets the type of a local that was declared while its function runs (its value is zero).
    pub fn declare_local(&mut self, index: u32, ty: ValType) {
        let at = (self.r.base + index) as usize;
        self.types[at] = ty;
    }

    /// Adds a global that was declared while the program runs.
    pub fn declare_global(&mut self, init: Bits) {
        self.globals.push(init);
    }

    /// The operands of the running function, those of enclosing blocks included, bottom first.
    pub fn frame_operands(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        let bottom = if self.r.lp == 0 { 0 } else { self.labels[self.r.bottom as usize].height };
        (bottom..self.r.sp).map(|at| Value::new(self.types[at as usize], self.slots[at as usize]))
    }

    /// How many of [`Machine::frame_operands`] belong to each open block of the running function, outermost first.
    pub fn frame_levels(&self) -> Vec<u32> {
        let heights = self.labels[self.r.bottom as usize..self.r.lp as usize].iter().map(|label| label.height);
        let ends = heights.clone().skip(1).chain([self.r.sp]);
        heights.zip(ends).map(|(start, end)| end - start).collect()
    }

    /// Globals, in order.
    pub fn globals(&self) -> &[Bits] {
        &self.globals
    }

    /// The memory.
    pub fn memory(&self) -> &[u8] {
        &self.memory
    }
}
