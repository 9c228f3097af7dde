//! Owns what a reader has in mind beyond the operands: globals, tables, segments, and the memory; and the instructions on
//! these as a whole.
//!
//! Must not know control, nor misconceptions. It is total: what lies out of bounds is passed over, as the reader believes
//! that the program never traps.

use super::memory::Memory;
use super::value::Held;
use crate::wasm::isa::Op;
use crate::wasm::program::{Instr, Program, SegmentMode};
use crate::wasm::types::{Bits, ValType, Value};

/// Elements of a table at most.
const MAX_ELEMENTS: u64 = 1_000_000;

/// The state of a program beside its operands.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) globals: Vec<Held>,
    pub(super) memory: Memory,
    tables: Vec<Vec<Bits>>,
    dropped_elems: Vec<bool>,
    dropped_datas: Vec<bool>,
}

impl Store {
    /// As the program starts with it; `constant` says how the constants of globals are held.
    pub(super) fn new(program: &Program, constant: impl Fn(Value) -> Held) -> Self {
        let size = |min: u32| u64::from(min).min(MAX_ELEMENTS) as usize;
        let mut store = Self {
            globals: Vec::new(),
            memory: Memory::new(program),
            tables: program.tables.iter().map(|table| vec![0; size(table.min)]).collect(),
            dropped_elems: program.elems.iter().map(|elem| elem.mode != SegmentMode::Passive).collect(),
            dropped_datas: program.datas.iter().map(|data| data.mode != SegmentMode::Passive).collect(),
        };
        for global in &program.globals {
            let bits = store.initial(program, &global.init);
            store.globals.push(constant(Value::new(global.ty, bits)));
        }
        for elem in &program.elems {
            if let SegmentMode::Active { target, offset } = &elem.mode {
                let items = elem.items.iter().map(|item| store.initial(program, item)).collect();
                let at = store.initial(program, offset);
                store.set_elements(*target, at as u32 as u64, items);
            }
        }
        for data in &program.datas {
            if let SegmentMode::Active { offset, .. } = &data.mode {
                let at = store.initial(program, offset);
                store.memory.write(at as u32 as u64, &data.bytes);
            }
        }
        store
    }

    /// The bits of a constant expression.
    fn initial(&self, program: &Program, instr: &Instr) -> Bits {
        match instr.op {
            Op::RefNull => 0,
            Op::RefFunc => 1 + Bits::from(instr.a),
            Op::GlobalGet => self.globals.get(instr.a as usize).map_or(0, |held| held.wide()),
            Op::V128Const => program.vectors[instr.a as usize],
            _ => instr.b.into(),
        }
    }

    /// The function that an indirect call finds, if there is one of the right type.
    pub(super) fn callee(&self, program: &Program, instr: &Instr, index: u64) -> Option<u32> {
        let reference = *self.tables[instr.b as usize].get(usize::try_from(index).ok()?)?;
        let func = u32::try_from(reference.checked_sub(1)?).ok()?;
        let fits =
            program.funcs.get(func as usize).is_some() && *program.func_type(func) == program.types[instr.a as usize];
        fits.then_some(func)
    }

    /// Operands that an instruction on tables or on memory as a whole takes.
    pub(super) fn operands(op: Op) -> usize {
        use Op::{DataDrop, ElemDrop, MemoryGrow, MemorySize, TableGet, TableGrow, TableSet, TableSize};
        match op {
            ElemDrop | DataDrop | MemorySize | TableSize => 0,
            TableGet | MemoryGrow => 1,
            TableSet | TableGrow => 2,
            _ => 3,
        }
    }

    /// How many elements or bytes such an instruction moves, which costs as much fuel.
    pub(super) fn moved(op: Op, operands: &[Held]) -> u64 {
        use Op::{MemoryCopy, MemoryFill, MemoryInit, TableCopy, TableFill, TableGrow, TableInit};
        match op {
            TableGrow => operands[1].unsigned(),
            MemoryCopy | MemoryFill | MemoryInit | TableCopy | TableFill | TableInit => operands[2].unsigned(),
            _ => 0,
        }
    }

    /// Carries out an instruction on tables or on memory as a whole; its result, if it has one.
    pub(super) fn bulk(&mut self, program: &Program, instr: &Instr, operands: &[Held]) -> Option<Held> {
        let number = |at: usize| operands[at].unsigned();
        let size = |size: u32| Some(Held::exact(ValType::I32, size.into()));
        match instr.op {
            Op::MemorySize => return size(self.memory.pages()),
            Op::MemoryGrow => return size(self.memory.grow(number(0))),
            Op::TableSize => return size(self.tables[instr.a as usize].len() as u32),
            Op::TableGrow => return size(self.table_grow(program, instr.a, operands[0].wide(), number(1))),
            Op::TableGet => {
                let bits = usize::try_from(number(0)).ok().and_then(|at| self.tables[instr.a as usize].get(at));
                return Some(Held::exact(program.tables[instr.a as usize].ty, bits.copied().unwrap_or(0)));
            }
            Op::TableSet => self.set_elements(instr.a, number(0), vec![operands[1].wide()]),
            Op::TableFill => self.set_elements(instr.a, number(0), vec![operands[1].wide(); number(2) as usize]),
            Op::TableCopy => {
                let table = &self.tables[instr.b as usize];
                let copied = stretch(table, number(1), number(2)).map(<[Bits]>::to_vec);
                copied.into_iter().for_each(|copied| self.set_elements(instr.a, number(0), copied));
            }
            Op::TableInit if !self.dropped_elems[instr.a as usize] => {
                let items = stretch(&program.elems[instr.a as usize].items, number(1), number(2)).unwrap_or_default();
                let items = items.iter().map(|item| self.initial(program, item)).collect();
                self.set_elements(instr.b as u32, number(0), items);
            }
            Op::ElemDrop => self.dropped_elems[instr.a as usize] = true,
            Op::MemoryFill => self.memory.write(number(0), &vec![operands[1].bits() as u8; number(2) as usize]),
            Op::MemoryCopy => {
                let copied = self.memory.read(number(1), number(2)).unwrap_or_default();
                self.memory.write(number(0), &copied);
            }
            Op::MemoryInit if !self.dropped_datas[instr.a as usize] => {
                let bytes = stretch(&program.datas[instr.a as usize].bytes, number(1), number(2)).unwrap_or_default();
                self.memory.write(number(0), bytes);
            }
            Op::DataDrop => self.dropped_datas[instr.a as usize] = true,
            _ => {}
        }
        None
    }

    /// Writes elements. If one lies out of bounds nothing happens.
    fn set_elements(&mut self, table: u32, at: u64, items: Vec<Bits>) {
        let elements = &mut self.tables[table as usize];
        let end = at.saturating_add(items.len() as u64);
        if end <= elements.len() as u64 {
            elements[at as usize..end as usize].copy_from_slice(&items);
        }
    }

    fn table_grow(&mut self, program: &Program, table: u32, value: Bits, by: u64) -> u32 {
        let elements = &mut self.tables[table as usize];
        let (before, max) = (elements.len(), program.tables[table as usize].max.map_or(MAX_ELEMENTS, u64::from));
        match (before as u64).saturating_add(by) {
            size if size <= max.min(MAX_ELEMENTS) => {
                elements.resize(size as usize, value);
                before as u32
            }
            _ => u32::MAX,
        }
    }
}

fn stretch<T>(all: &[T], at: u64, count: u64) -> Option<&[T]> {
    all.get(usize::try_from(at).ok()?..usize::try_from(at.checked_add(count)?).ok()?)
}
