//! Owns putting several copies into one module, since a module costs far more to compile than what stands in it.
//!
//! Must not know what the copies are for, nor wasmtime.
//!
//! Merging cannot make a wrong claim hold. Each copy keeps functions, globals, tables, a memory and segments of its own:
//! their indices move to a stretch that no other copy has, and nothing else of its code changes. Function types alone
//! are shared, and they are compared by what they are (spec 3.3.4). What a copy reaches by an index is therefore its
//! own, and what it reaches by a value, a reference to a function, came from a `ref.func` of its own. So it computes
//! what it would compute alone, whatever ran before it; what differs, the module's instantiation, is merged only where
//! nothing runs in it ([`super::Case::mergeable`]) and nothing fails. An index moved wrongly would be a bug, which
//! shows as a disagreement; and a case that disagrees is run again alone.

use super::copy::{Copy, Role};
use crate::wasm::encode::{Code, encode_with, write_instr, write_locals, write_u32};
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Data, Elem, Export, Extern, Func, Global, Instr, Memory, Program, SegmentMode};
use crate::wasm::types::{FuncType, ValType};
use std::collections::HashMap;

/// The export that runs the copy of a number: a function with one parameter, an `i32`.
pub(super) const RUN: &str = "run";

/// The export of a function, global, table or memory of the module.
pub(super) fn export_name(kind: Extern, index: u32) -> String {
    let letter = match kind {
        Extern::Func => 'f',
        Extern::Table => 't',
        Extern::Memory => 'm',
        Extern::Global => 'g',
    };
    format!("{letter}{index}")
}

/// Several copies as one module.
pub(super) struct Merged {
    pub(super) bytes: Vec<u8>,
    /// Where each copy's things are.
    pub(super) homes: Vec<Home>,
    /// The functions that can become values: those that a `ref.func` names.
    pub(super) values: Vec<u32>,
    /// For each imported function, whether a copy that calls it is astray ([`Role::Absent`]).
    pub(super) astray: Vec<bool>,
}

/// Where a copy's things are in the module: the first index of each kind, and the index of each function.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// What is gone has none that is.
    funcs: Vec<u32>,
    /// The functions of the copy by their indices in the module.
    own: HashMap<u32, u32>,
    pub(super) tables: u32,
    pub(super) memory: u32,
    pub(super) globals: u32,
    elems: u32,
    datas: u32,
}

impl Home {
    fn func(&self, index: u32) -> u32 {
        self.funcs[index as usize]
    }

    /// The index that a function of the module has in the copy; `None` if it is another copy's.
    pub(super) fn own_func(&self, index: u32) -> Option<u32> {
        self.own.get(&index).copied()
    }
}

impl Merged {
    pub(super) fn new(copies: &[Copy]) -> Self {
        // All imports stand before all functions.
        let imported =
            |copy: &Copy| copy.roles.iter().filter(|role| matches!(role, Role::Imported | Role::Absent)).count();
        let imported = copies.iter().map(imported).sum::<usize>() as u32;
        let mut merge = Merge { imported, ..Merge::default() };
        let homes: Vec<Home> = copies.iter().map(|copy| merge.add(copy)).collect();
        let all = || copies.iter().zip(&homes);
        let values: Vec<u32> = all().flat_map(|(copy, home)| copy.values().into_iter().map(|f| home.func(f))).collect();
        merge.add_run(all());
        merge.export(&values);
        let astray = std::mem::take(&mut merge.astray);
        Self { bytes: merge.encode(), homes, values, astray }
    }

    /// Fuel of running a copy, beside that of what it calls: entering the function, finding the copy, calling.
    pub(super) fn run_fuel(copy: &Copy) -> u64 {
        1 + 2 + copy.call.len() as u64
    }
}

/// A module that is being put together.
#[derive(Default)]
struct Merge {
    /// Everything but memories, code, and functions that are not imported.
    whole: Program,
    memories: Vec<Memory>,
    /// Functions that are not imported, and their code.
    funcs: Vec<Func>,
    bodies: Vec<Vec<u8>>,
    /// How many functions will be imported.
    imported: u32,
    astray: Vec<bool>,
    /// The indices of the types.
    types: HashMap<FuncType, u32>,
}

impl Merge {
    /// Adds all that a copy has.
    fn add(&mut self, copy: &Copy) -> Home {
        let part = &copy.program;
        let (mut imports, mut defined) = (self.whole.funcs.len() as u32, self.imported + self.funcs.len() as u32);
        let index = |role: &Role| match role {
            Role::Imported | Role::Absent => next(&mut imports),
            Role::Defined => next(&mut defined),
            Role::Gone => u32::MAX,
        };
        let funcs: Vec<u32> = copy.roles.iter().map(index).collect();
        let home = Home {
            own: funcs.iter().copied().zip(0..).collect(),
            funcs,
            tables: self.whole.tables.len() as u32,
            memory: self.memories.len() as u32,
            globals: self.whole.globals.len() as u32,
            elems: self.whole.elems.len() as u32,
            datas: self.whole.datas.len() as u32,
        };
        for ((func, role), index) in part.funcs.iter().zip(&copy.roles).zip(0..) {
            if *role == Role::Gone {
                continue;
            }
            let ty = self.type_index(&part.types[func.ty as usize]);
            if *role != Role::Defined {
                // What is never called needs no name.
                let import = func.import.clone().or_else(|| Some(Box::default()));
                self.whole.funcs.push(Func { ty, locals: Vec::new(), body: 0, import });
                self.astray.push(*role == Role::Absent);
                continue;
            }
            self.funcs.push(Func { ty, locals: Vec::new(), body: 0, import: None });
            let mut body = Vec::new();
            write_locals(&func.locals, &mut body);
            part.flatten(index).iter().for_each(|flat| self.write(part, &home, flat.instr, &mut body));
            self.bodies.push(body);
        }
        self.memories.extend(part.memory.clone());
        self.whole.tables.extend(part.tables.iter().cloned());
        for global in &part.globals {
            let init = self.constant(part, &home, global.init);
            self.whole.globals.push(Global { init, ..global.clone() });
        }
        self.add_segments(part, &home);
        // Where there are several copies none has one.
        self.whole.start = part.start.map(|func| home.func(func));
        home
    }

    fn add_segments(&mut self, part: &Program, home: &Home) {
        for elem in &part.elems {
            let items = elem.items.iter().map(|&item| self.constant(part, home, item)).collect();
            let mode = self.mode(part, home, &elem.mode, home.tables);
            self.whole.elems.push(Elem { items, mode, ..elem.clone() });
        }
        for data in &part.datas {
            let mode = self.mode(part, home, &data.mode, home.memory);
            self.whole.datas.push(Data { mode, ..data.clone() });
        }
    }

    fn mode(&mut self, part: &Program, home: &Home, mode: &SegmentMode, first: u32) -> SegmentMode {
        match mode {
            SegmentMode::Active { target, offset } => {
                SegmentMode::Active { target: first + target, offset: self.constant(part, home, *offset) }
            }
            other => other.clone(),
        }
    }

    /// The index of a type, which is added if it is not there.
    fn type_index(&mut self, ty: &FuncType) -> u32 {
        if let Some(&known) = self.types.get(ty) {
            return known;
        }
        let index = self.whole.types.len() as u32;
        self.whole.types.push(ty.clone());
        self.types.insert(ty.clone(), index);
        index
    }

    /// A constant instruction as it is in the module.
    fn constant(&mut self, part: &Program, home: &Home, instr: Instr) -> Instr {
        if instr.op == Op::V128Const {
            self.whole.vectors.push(part.vectors[instr.a as usize]);
            return Instr::index(Op::V128Const, self.whole.vectors.len() as u32 - 1);
        }
        self.moved(part, home, instr)
    }

    /// An instruction with the indices that it has in the module, but for that of a memory.
    fn moved(&mut self, part: &Program, home: &Home, instr: Instr) -> Instr {
        let Instr { op, a, b } = instr;
        let two = |a: u32, b: u32| Instr::indices(op, a, b);
        match op.row().imm {
            Imm::Func => Instr::index(op, home.func(a)),
            Imm::Global => Instr::index(op, home.globals + a),
            Imm::Table => Instr::index(op, home.tables + a),
            Imm::Elem => Instr::index(op, home.elems + a),
            Imm::Data | Imm::DataMem => Instr::index(op, home.datas + a),
            Imm::TypeTable => two(self.type_index(&part.types[a as usize]), home.tables + b as u32),
            Imm::TableTable => two(home.tables + a, home.tables + b as u32),
            Imm::ElemTable => two(home.elems + a, home.tables + b as u32),
            Imm::BlockType => match instr.block_type() {
                BlockType::Func(ty) => {
                    let ty = BlockType::Func(self.type_index(&part.types[ty as usize]));
                    Instr::structured(op, ty, instr.body(), instr.otherwise())
                }
                _ => instr,
            },
            // No indices of the module, or those of a memory: listed, so that a new kind is not forgotten.
            Imm::MemArg { .. } | Imm::MemArgLane { .. } | Imm::MemIndex | Imm::MemMem => instr,
            Imm::None | Imm::Label | Imm::LabelTable | Imm::Local | Imm::HeapType | Imm::ValTypes => instr,
            Imm::V128 | Imm::Shuffle | Imm::Lane { .. } | Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 => instr,
        }
    }

    /// Appends an instruction of a copy.
    fn write(&mut self, part: &Program, home: &Home, instr: Instr, bytes: &mut Vec<u8>) {
        let instr = self.moved(part, home, instr);
        let row = instr.op.row();
        let (memory, offset) = (home.memory, instr.b as u32);
        // The numbers of the immediate where a memory is named. An alignment says that by its bit 6 (spec 5.4.7).
        let mut named = |numbers: &[u32]| {
            bytes.extend_from_slice(row.opcode);
            numbers.iter().for_each(|&number| write_u32(number, bytes));
        };
        match row.imm {
            Imm::MemIndex => named(&[memory]),
            Imm::MemMem => named(&[memory, memory]),
            Imm::DataMem => named(&[instr.a, memory]),
            Imm::MemArg { .. } => named(&[instr.align() | 0x40, memory, offset]),
            Imm::MemArgLane { .. } => named(&[instr.align() | 0x40, memory, offset, instr.lane().into()]),
            _ => write_instr(part, &instr, bytes),
        }
    }

    /// The function that runs a copy: a block for each, left by the table of labels where its code stands.
    fn add_run<'a>(&mut self, copies: impl ExactSizeIterator<Item = (&'a Copy, &'a Home)>) {
        let count = copies.len() as u32;
        let plain = Program { label_tables: vec![(0..count).collect()], ..Program::default() };
        let mut body = Vec::new();
        write_locals(&[], &mut body);
        let block = Instr::structured(Op::Block, BlockType::Empty, 0, None);
        (0..count).for_each(|_| write_instr(&plain, &block, &mut body));
        write_instr(&plain, &Instr::index(Op::LocalGet, 0), &mut body);
        write_instr(&plain, &Instr::index(Op::BrTable, 0), &mut body);
        for (copy, home) in copies {
            write_instr(&plain, &Instr::plain(Op::End), &mut body);
            copy.call.iter().for_each(|&instr| self.write(&copy.program, home, instr, &mut body));
            write_instr(&plain, &Instr::plain(Op::Return), &mut body);
        }
        write_instr(&plain, &Instr::plain(Op::End), &mut body);
        let ty = self.type_index(&FuncType { params: vec![ValType::I32], results: Vec::new() });
        self.funcs.push(Func { ty, locals: Vec::new(), body: 0, import: None });
        self.bodies.push(body);
    }

    /// Shows what runs the copies, and everything that is compared.
    fn export(&mut self, values: &[u32]) {
        let run = self.imported + self.funcs.len() as u32 - 1;
        let named = |kind, index| Export { name: export_name(kind, index), kind, index };
        let all = |kind, count: usize| (0..count as u32).map(move |index| named(kind, index));
        let exports = &mut self.whole.exports;
        exports.push(Export { name: RUN.into(), kind: Extern::Func, index: run });
        exports.extend(values.iter().map(|&func| named(Extern::Func, func)));
        exports.extend(all(Extern::Table, self.whole.tables.len()));
        exports.extend(all(Extern::Memory, self.memories.len()));
        exports.extend(all(Extern::Global, self.whole.globals.len()));
    }

    fn encode(mut self) -> Vec<u8> {
        self.whole.funcs.append(&mut self.funcs);
        encode_with(&self.whole, &self.memories, &Code { bodies: self.bodies, names_data: true })
    }
}

fn next(counter: &mut u32) -> u32 {
    *counter += 1;
    *counter - 1
}

#[cfg(test)]
mod tests;
