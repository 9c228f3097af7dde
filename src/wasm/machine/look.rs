//! Owns looking at the machine, and what may be declared while instance 0 runs.
//!
//! Must not change what has been computed. Whatever is declared is there as if it had been from the start, and a
//! rollback leaves it there. A function needs no declaration: it can be called as soon as the program has it.

use super::Machine;
use crate::wasm::program::{Place, Program, SegmentMode, SeqId};
use crate::wasm::types::{Bits, ValType, Value};

impl Machine {
    /// Where execution stands.
    pub fn place(&self) -> Place {
        Place { seq: self.r.seq, index: self.r.pc }
    }

    /// After a trap: the place of the instruction that trapped, in [`Machine::func`] of [`Machine::instance`].
    pub fn trapped_at(&self) -> Place {
        Place { seq: self.r.seq, index: self.r.pc.saturating_sub(1) }
    }

    /// The instance that runs.
    pub fn instance(&self) -> u32 {
        self.r.instance
    }

    /// The function that runs, of [`Machine::instance`].
    pub fn func(&self) -> u32 {
        self.r.func
    }

    /// Fuel used so far.
    pub fn fuel(&self) -> u64 {
        self.r.fuel
    }

    /// Pages of a memory that could not be had since [`Machine::reset`]. What ran without them says nothing about the
    /// program.
    pub fn starved(&self) -> Option<u32> {
        self.starved
    }

    /// Labels and activations open.
    pub fn depth(&self) -> u32 {
        self.r.lp
    }

    /// Activations open.
    pub fn calls(&self) -> u32 {
        self.r.calls
    }

    /// The unique number of the activation that runs.
    pub fn activation(&self) -> u32 {
        self.labels[self.r.bottom as usize].serial
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

    /// Makes the memory that a program gets while it runs.
    pub fn declare_memory(&mut self, pages: u32, max: Option<u32>) {
        self.allocate_memory(pages, max);
    }

    /// Adds a table of null references that was declared while the program runs.
    pub fn declare_table(&mut self, size: u32, max: Option<u32>) {
        self.allocate_table(size, max);
    }

    /// Adds the last element segment of the program; an active one is copied to its table, which nothing has written
    /// to yet: that is how the table has been from the start, so no rollback takes it back.
    ///
    /// # Panics
    /// If it does not fit there.
    pub fn declare_elem(&mut self, program: &Program) {
        let elem = program.elems.last().expect("a segment was added");
        self.dropped_elems.push(elem.mode != SegmentMode::Passive);
        let SegmentMode::Active { target, offset } = &elem.mode else { return };
        let first = self.constant(program, offset) as u32;
        for (at, item) in (first..).zip(&elem.items) {
            self.declare_element(*target, at, self.constant(program, item));
        }
    }

    /// Adds the last data segment of the program; an active one is copied to the memory, where nothing has been written
    /// yet: as with [`Machine::declare_elem`], no rollback takes it back.
    ///
    /// # Panics
    /// If it does not fit there.
    pub fn declare_data(&mut self, program: &Program) {
        let data = program.datas.last().expect("a segment was added");
        self.dropped_datas.push(data.mode != SegmentMode::Passive);
        let SegmentMode::Active { offset, .. } = &data.mode else { return };
        let at = self.constant(program, offset);
        let (at, _) = self.stretch(at, data.bytes.len() as Bits).expect("it fits the memory");
        self.own_memory().write(at, &data.bytes);
    }

    /// Sets an element that a table of instance 0 has had from the start, since nothing has looked at it yet.
    pub fn declare_element(&mut self, table: u32, at: u32, bits: Bits) {
        self.tables[table as usize].elements[at as usize] = bits;
    }

    /// The index of the running function's activation among the open labels.
    pub fn bottom(&self) -> u32 {
        self.r.bottom
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

    /// Globals, in order. With several instances: all that the store has, those of instance 0 first.
    pub fn globals(&self) -> &[Bits] {
        &self.globals
    }

    /// Tables, in the same order as [`Machine::globals`].
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &[Bits]> {
        self.tables.iter().map(|table| &table.elements[..])
    }

    /// The elements of a table of instance 0.
    pub fn table(&self, index: u32) -> &[Bits] {
        &self.tables[index as usize].elements
    }

    /// The memory of instance 0, empty if it has none.
    pub fn memory(&self) -> &[u8] {
        self.memories.first().map_or(&[], |memory| memory.visible())
    }

    /// Pages of [`Machine::memory`].
    pub fn memory_pages(&self) -> u32 {
        self.memories.first().map_or(0, |memory| memory.pages())
    }

    /// Whether an element segment of instance 0 is dropped: by `elem.drop`, or from the start since it is not passive.
    pub fn elem_dropped(&self, index: u32) -> bool {
        self.dropped_elems[index as usize]
    }

    /// Whether a data segment of instance 0 is dropped, as [`Machine::elem_dropped`].
    pub fn data_dropped(&self, index: u32) -> bool {
        self.dropped_datas[index as usize]
    }
}
