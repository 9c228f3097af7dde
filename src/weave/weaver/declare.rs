//! Owns what a program gets beside code while it runs: globals, memory, tables and segments.
//!
//! Must not know code. What is declared late has been there from the start: nothing has looked at it before, so its
//! initial state can still be chosen. The functions in a table are chosen one by one, when an indirect call first meets
//! their place; as soon as any other instruction has looked at the table, its elements are settled.

use super::Weaver;
use crate::wasm::encode::instr_size;
use crate::wasm::isa::Op;
use crate::wasm::program::{Data, Elem, Global, Instr, Memory, SegmentMode, Table};
use crate::wasm::types::{Bits, ValType};
use crate::weave::action::Action;
use crate::weave::budget::limits_size;

/// Elements of a new table at the start.
pub(super) const TABLE_MIN: u32 = 4;
/// Elements of a new table at most.
const TABLE_MAX: u32 = 8;
/// Pages of a memory that can grow, at most.
const MEMORY_MAX: u32 = 3;
/// Where the first data segment lies.
const DATA_AT: u32 = 0;

impl Weaver {
    pub(super) fn add_global(&mut self, ty: ValType, mutable: bool, init: Instr) -> u32 {
        self.ledger.add_global(instr_size(&self.program, &init));
        let bits = match init.op {
            Op::RefFunc => Bits::from(init.a) + 1,
            Op::V128Const => self.program.vectors[init.a as usize],
            _ => Bits::from(init.b),
        };
        self.program.globals.push(Global { ty, mutable, init, import: None });
        self.machine.declare_global(bits);
        self.program.globals.len() as u32 - 1
    }

    /// The instruction that pushes this value of a number type or vector, or a null reference.
    pub(super) fn constant(&mut self, ty: ValType, bits: Bits) -> Instr {
        if ty != ValType::V128 {
            return Instr::constant(ty, bits);
        }
        self.program.vectors.push(bits);
        Instr::index(Op::V128Const, self.program.vectors.len() as u32 - 1)
    }

    pub(super) fn need_memory(&mut self) {
        if self.program.memory.is_none() {
            let max = self.allows(Op::MemoryGrow).then_some(MEMORY_MAX);
            self.program.memory = Some(Memory { min: 1, max, import: None });
            self.ledger.add_memory(limits_size(max));
            self.machine.declare_memory(1, max);
        }
    }

    /// The memory starts with drawn bytes.
    pub(super) fn fill_memory(&mut self, size: u32) {
        let bytes = self.draw_bytes(size);
        self.ledger.add_data(1 + 3, size);
        let mode = SegmentMode::Active { target: 0, offset: Instr::constant(ValType::I32, DATA_AT.into()) };
        self.program.datas.push(Data { bytes, mode });
        self.machine.declare_data(&self.program);
    }

    /// A data segment for `memory.init`.
    pub(super) fn add_data(&mut self, size: u32) -> u32 {
        let bytes = self.draw_bytes(size);
        self.ledger.add_data(1, size);
        self.program.datas.push(Data { bytes, mode: SegmentMode::Passive });
        self.machine.declare_data(&self.program);
        self.program.datas.len() as u32 - 1
    }

    /// Bytes as programs have them: small numbers, text, and anything.
    fn draw_bytes(&mut self, size: u32) -> Vec<u8> {
        let kind = self.rng.below(3);
        let rng = &mut self.rng;
        let byte = |_| match kind {
            0 => rng.below(16) as u8,
            1 => b'a' + rng.below(26) as u8,
            _ => rng.bits() as u8,
        };
        (0..size).map(byte).collect()
    }

    pub(super) fn add_table(&mut self, ty: ValType, op: Op) -> u32 {
        let max = Some(TABLE_MAX);
        self.ledger.add_table(limits_size(max));
        self.program.tables.push(Table { ty, min: TABLE_MIN, max, import: None });
        self.machine.declare_table(TABLE_MIN, max);
        let table = self.program.tables.len() as u32 - 1;
        self.pliable.push(ty == ValType::FuncRef);
        if !is_indirect_call(op) && ty == ValType::FuncRef {
            (0..self.func_count().min(TABLE_MIN)).for_each(|func| self.add_element(table, func));
        }
        table
    }

    /// The elements of this table are what they are now.
    pub(super) fn settle_table(&mut self, table: u32) {
        self.pliable[table as usize] = false;
    }

    /// How many elements of a table were chosen.
    pub(super) fn elements(&self, table: u32) -> u32 {
        self.segment_of(table).map_or(0, |at| self.program.elems[at].items.len() as u32)
    }

    fn segment_of(&self, table: u32) -> Option<usize> {
        let fills = |elem: &Elem| matches!(&elem.mode, SegmentMode::Active { target, .. } if *target == table);
        self.program.elems.iter().position(fills)
    }

    /// The next element of a table is this function.
    pub(super) fn add_element(&mut self, table: u32, func: u32) {
        let slot = self.elements(table);
        match self.segment_of(table) {
            Some(at) => {
                self.ledger.grow_elem();
                self.program.elems[at].items.push(Instr::index(Op::RefFunc, func));
            }
            None => {
                // Behind the flags: table 0 is not named, any other is, with the kind of its elements.
                let mode = 1 + 3 + if table == 0 { 0 } else { 2 };
                self.ledger.add_elem(mode, 1);
                let mode = SegmentMode::Active { target: table, offset: Instr::constant(ValType::I32, 0) };
                self.push_elem(mode, vec![func]);
                return;
            }
        }
        self.machine.declare_element(table, slot, Bits::from(func) + 1);
    }

    /// An element segment for `table.init`: the functions there are.
    pub(super) fn add_elem(&mut self) -> u32 {
        let funcs: Vec<u32> = (0..self.func_count().min(TABLE_MIN)).collect();
        self.ledger.add_elem(1 + 1, funcs.len() as u32);
        self.push_elem(SegmentMode::Passive, funcs);
        self.program.elems.len() as u32 - 1
    }

    fn push_elem(&mut self, mode: SegmentMode, funcs: Vec<u32>) {
        let items = funcs.into_iter().map(|func| Instr::index(Op::RefFunc, func)).collect();
        self.program.elems.push(Elem { ty: ValType::FuncRef, items, mode });
        self.machine.declare_elem(&self.program);
    }

    /// `ref.func` may name only functions that something outside of code names.
    pub(super) fn declare_reference(&mut self, func: u32) {
        if self.is_declared(func) {
            return;
        }
        match self.program.elems.iter().position(|elem| elem.mode == SegmentMode::Declared) {
            Some(at) => {
                self.ledger.grow_elem();
                self.program.elems[at].items.push(Instr::index(Op::RefFunc, func));
            }
            None => {
                self.ledger.add_elem(1 + 1, 1);
                self.push_elem(SegmentMode::Declared, vec![func]);
            }
        }
    }

    fn is_declared(&self, func: u32) -> bool {
        let named = |instr: &Instr| instr.op == Op::RefFunc && instr.a == func;
        func == self.entry()
            || self.program.elems.iter().flat_map(|elem| &elem.items).any(named)
            || self.program.globals.iter().any(|global| named(&global.init))
    }

    pub(super) fn func_count(&self) -> u32 {
        self.program.funcs.len() as u32
    }

    /// Whether the preset allows an instruction.
    pub(super) fn allows(&self, op: Op) -> bool {
        self.loom.tables.allowed.contains(Action::Instr(op))
    }
}

/// Whether an instruction calls through a table.
pub(super) fn is_indirect_call(op: Op) -> bool {
    matches!(op, Op::CallIndirect | Op::ReturnCallIndirect)
}
