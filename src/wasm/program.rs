//! Owns what a module *is*: types, functions, tables, memory, globals, segments, and the code as a tree of instruction
//! sequences.
//!
//! Must not know how a module runs, is written down, or comes to be. Code is a tree because it is woven while it runs:
//! a sequence can stay open (a hole) while others grow, and a tree grows anywhere without moving what stands elsewhere.
//! The flat numbering of the binary format ([`Program::flatten`]) is derived from the tree when it is needed.

use super::isa::{Imm, Op};
use super::types::{Bits, FuncType, ValType};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Index of a sequence in [`Program::seqs`].
pub type SeqId = u32;

/// Bytes of one page of memory (spec 4.2.8).
pub const PAGE_BYTES: u32 = 65_536;

/// The type of a block (spec 2.4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockType {
    /// `[] -> []`
    Empty,
    /// `[] -> [t]`
    Value(ValType),
    /// A function type of the module.
    Func(u32),
}

/// One instruction and its immediate, packed: [`Imm`] of its row says which fields are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instr {
    /// The instruction.
    pub op: Op,
    /// The first index, label depth, lane number or type; alignment exponent, with the lane from bit 8; or block type
    /// ([`Instr::block_type`]).
    pub a: u32,
    /// Constant bits, memory offset, the second index, or the sequences inside ([`Instr::body`]). A v128 constant and
    /// the lanes of a shuffle stand in [`Program::vectors`] at index `a`.
    pub b: u64,
}

impl Instr {
    /// An instruction without an immediate.
    pub fn plain(op: Op) -> Self {
        Self { op, a: 0, b: 0 }
    }

    /// An instruction whose immediate is an index or a label depth.
    pub fn index(op: Op, index: u32) -> Self {
        Self { op, a: index, b: 0 }
    }

    /// An instruction whose immediate is two indices, in the order of the text format.
    pub fn indices(op: Op, first: u32, second: u32) -> Self {
        Self { op, a: first, b: u64::from(second) }
    }

    /// The instruction that pushes this value of a number type, or a null reference.
    ///
    /// # Panics
    /// For a vector: its constant stands in [`Program::vectors`].
    pub fn constant(ty: ValType, bits: Bits) -> Self {
        let op = match ty {
            ValType::I32 => Op::I32Const,
            ValType::I64 => Op::I64Const,
            ValType::F32 => Op::F32Const,
            ValType::F64 => Op::F64Const,
            ValType::V128 => panic!("the constant of a vector belongs to its program"),
            ValType::FuncRef | ValType::ExternRef => return Self::index(Op::RefNull, ty.index() as u32),
        };
        Self { op, a: 0, b: bits as u64 }
    }

    /// A load or store with its alignment exponent and offset.
    pub fn memory(op: Op, align: u32, offset: u32) -> Self {
        Self { op, a: align, b: u64::from(offset) }
    }

    /// A load or store of one lane.
    pub fn memory_lane(op: Op, align: u32, offset: u32, lane: u8) -> Self {
        Self { op, a: align | u32::from(lane) << 8, b: u64::from(offset) }
    }

    /// Alignment exponent of a memory access.
    pub fn align(&self) -> u32 {
        self.a & 0xff
    }

    /// Lane of an instruction that has one.
    pub fn lane(&self) -> u8 {
        if matches!(self.op.row().imm, Imm::MemArgLane { .. }) { (self.a >> 8) as u8 } else { self.a as u8 }
    }

    /// The value type of `ref.null` and the typed `select`.
    pub fn val_type(&self) -> ValType {
        ValType::ALL[self.a as usize]
    }

    /// A `block` or `loop` around a sequence, or an `if` with its arms.
    pub fn structured(op: Op, ty: BlockType, body: SeqId, otherwise: Option<SeqId>) -> Self {
        let a = match ty {
            BlockType::Empty => 0,
            BlockType::Value(ty) => 1 + ty.index() as u32,
            BlockType::Func(index) => 16 + index,
        };
        let otherwise = otherwise.map_or(0, |seq| seq + 1);
        Self { op, a, b: u64::from(body) | u64::from(otherwise) << 32 }
    }

    /// The type of a `block`, `loop` or `if`.
    pub fn block_type(&self) -> BlockType {
        match self.a {
            0 => BlockType::Empty,
            n @ 1..16 => BlockType::Value(ValType::ALL[n as usize - 1]),
            n => BlockType::Func(n - 16),
        }
    }

    /// The sequence inside a `block` or `loop`, or the first arm of an `if`.
    pub fn body(&self) -> SeqId {
        self.b as u32
    }

    /// The `else` arm of an `if`.
    pub fn otherwise(&self) -> Option<SeqId> {
        ((self.b >> 32) as u32).checked_sub(1)
    }
}

/// A sequence of instructions: a function body, a block's inside, or one arm of an `if`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seq {
    /// The instructions, `end` not included.
    pub code: Vec<Instr>,
    /// Whether more may be appended. A finished program has no open sequence.
    pub open: bool,
}

/// The name under which something comes from outside (spec 2.5.11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Whose it is: `env`.
    pub module: String,
    /// What it is called there.
    pub name: String,
}

/// A function of the module. Imported ones come first, as in every index space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Func {
    /// Index of its type.
    pub ty: u32,
    /// Declared locals, parameters not included.
    pub locals: Vec<ValType>,
    /// Its code; meaningless for an imported function.
    pub body: SeqId,
    /// Where it comes from, if it is imported.
    pub import: Option<Box<Import>>,
}

/// A global.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its type.
    pub ty: ValType,
    /// Whether `global.set` may change it.
    pub mutable: bool,
    /// The constant instruction of its initial value; for an imported global that of its stand-in.
    pub init: Instr,
    /// Where it comes from, if it is imported.
    pub import: Option<Box<Import>>,
}

/// The memory, in pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Pages at the start.
    pub min: u32,
    /// Pages at most.
    pub max: Option<u32>,
    /// Where it comes from, if it is imported.
    pub import: Option<Box<Import>>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Type of its elements.
    pub ty: ValType,
    /// Elements at the start, all null.
    pub min: u32,
    /// Elements at most.
    pub max: Option<u32>,
    /// Where it comes from, if it is imported.
    pub import: Option<Box<Import>>,
}

/// What becomes of a segment when the module is instantiated (spec 2.5.7, 2.5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentMode {
    /// It waits for `table.init` or `memory.init`.
    Passive,
    /// It is copied at the start, and then dropped.
    Active {
        /// The table; 0 for the memory.
        target: u32,
        /// The constant instruction of the place.
        offset: Instr,
    },
    /// It only declares that `ref.func` may name its functions.
    Declared,
}

/// An element segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elem {
    /// Type of its elements.
    pub ty: ValType,
    /// A constant instruction for each element.
    pub items: Vec<Instr>,
    /// What becomes of it.
    pub mode: SegmentMode,
}

impl Elem {
    /// The functions of a segment that holds nothing but functions, by their indices.
    pub fn plain_functions(&self) -> Option<Vec<u32>> {
        let index = |item: &Instr| (item.op == Op::RefFunc).then_some(item.a);
        let all = self.items.iter().map(index).collect::<Option<Vec<u32>>>();
        all.filter(|_| self.ty == ValType::FuncRef)
    }
}

/// A data segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What becomes of it.
    pub mode: SegmentMode,
}

/// Kinds of what is imported and exported, in the order of their numbers in the binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extern {
    /// A function.
    Func,
    /// A table.
    Table,
    /// The memory.
    Memory,
    /// A global.
    Global,
}

/// Something that is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Extern,
    /// Its index among those of its kind.
    pub index: u32,
}

/// A module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Function types. Those that the weaver makes do not repeat.
    pub types: Vec<FuncType>,
    /// Functions.
    pub funcs: Vec<Func>,
    /// Tables.
    pub tables: Vec<Table>,
    /// The memory, if the module has one.
    pub memory: Option<Memory>,
    /// Globals.
    pub globals: Vec<Global>,
    /// What is exported.
    pub exports: Vec<Export>,
    /// The function that runs when the module is instantiated.
    pub start: Option<u32>,
    /// Element segments.
    pub elems: Vec<Elem>,
    /// Data segments.
    pub datas: Vec<Data>,
    /// Names of functions that there are, where the module gives any, in the order of their indices.
    pub names: Vec<(u32, String)>,
    /// Label tables of `br_table`: targets, the default last.
    pub label_tables: Vec<Vec<u32>>,
    /// Vectors that instructions carry: constants, and the lanes of shuffles.
    pub vectors: Vec<u128>,
    /// All code.
    pub seqs: Vec<Seq>,
}

/// A position between instructions: before `code[index]` of a sequence, or at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The sequence.
    pub seq: SeqId,
    /// The index in it, at most its length.
    pub index: u32,
}

/// One entry of a function's flat code, as the binary format has it.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    /// Where it stands in the tree. `else` and `end` stand at the end of the sequence that they close.
    pub place: Place,
    /// The instruction; `else` and `end` included.
    pub instr: Instr,
    /// Blocks around it; `else` and `end` stand as deep as their block.
    pub depth: u32,
}

/// A question's place: just before the `pc`-th entry of [`Program::flatten`], when it is reached for the `hit`-th time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Probe {
    /// The function.
    pub func: u32,
    /// The index in its flat code.
    pub pc: u32,
    /// Which time, from 1.
    pub hit: u32,
}

impl Program {
    /// The type of a function.
    pub fn func_type(&self, func: u32) -> &FuncType {
        &self.types[self.funcs[func as usize].ty as usize]
    }

    /// The type of local `index` of a function, parameters first.
    pub fn local_type(&self, func: u32, index: u32) -> Option<ValType> {
        let params = &self.func_type(func).params;
        params.iter().chain(&self.funcs[func as usize].locals).nth(index as usize).copied()
    }

    /// Parameters and results of a block.
    pub fn block_arity(&self, ty: BlockType) -> (&[ValType], &[ValType]) {
        match ty {
            BlockType::Empty => (&[], &[]),
            BlockType::Value(ty) => (&[], &ValType::ALL[ty.index()..=ty.index()]),
            BlockType::Func(index) => {
                let ty = &self.types[index as usize];
                (&ty.params, &ty.results)
            }
        }
    }

    /// The exported function of this name.
    pub fn export(&self, name: &str) -> Option<u32> {
        self.exports.iter().find(|export| export.kind == Extern::Func && export.name == name).map(|e| e.index)
    }

    /// How many functions are imported: the index of the first that has code.
    pub fn imported_funcs(&self) -> u32 {
        self.funcs.partition_point(|func| func.import.is_some()) as u32
    }

    /// The code of a function in the order of the binary format; none if it is imported. The index of an entry is its
    /// `pc`: the position just before that instruction. The last entry is the function's own `end`.
    pub fn flatten(&self, func: u32) -> Vec<Flat> {
        let func = &self.funcs[func as usize];
        if func.import.is_some() {
            return Vec::new();
        }
        let mut flat = Vec::new();
        // The next place of each open sequence, and the `else` arm behind it. The stack is explicit, so that no nesting a
        // stranger chose can exhaust ours.
        let mut open = vec![(Place { seq: func.body, index: 0 }, None)];
        while let Some((next, otherwise)) = open.last_mut() {
            let place = *next;
            if let Some(&instr) = self.seqs[place.seq as usize].code.get(place.index as usize) {
                next.index += 1;
                flat.push(Flat { place, instr, depth: open.len() as u32 - 1 });
                if instr.op.row().imm == Imm::BlockType {
                    open.push((Place { seq: instr.body(), index: 0 }, instr.otherwise()));
                }
                continue;
            }
            let op = match otherwise.take() {
                Some(seq) => {
                    *next = Place { seq, index: 0 };
                    Op::Else
                }
                None => Op::End,
            };
            flat.push(Flat { place, instr: Instr::plain(op), depth: (open.len() as u32).saturating_sub(2) });
            if op == Op::End {
                open.pop();
            }
        }
        flat
    }

    /// The place of `pc` in a function.
    pub fn place(&self, func: u32, pc: u32) -> Option<Place> {
        self.flatten(func).get(pc as usize).map(|flat| flat.place)
    }

    /// The places of probes, in their order.
    pub fn places<'a>(&self, probes: impl IntoIterator<Item = &'a Probe>) -> Vec<Option<Place>> {
        let mut flat: HashMap<u32, Vec<Flat>> = HashMap::new();
        let mut place = |probe: &Probe| {
            let flat = flat.entry(probe.func).or_insert_with(|| self.flatten(probe.func));
            flat.get(probe.pc as usize).map(|flat| flat.place)
        };
        probes.into_iter().map(&mut place).collect()
    }
}
