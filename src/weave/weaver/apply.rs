//! Owns what each choice does to the program.
//!
//! Must not know whether a choice is wise: it was offered, so it is legal and paid for.

mod control;

pub(super) use control::is_tail_call;

use super::declare::is_indirect_call;
use super::{Pending, Phase, Weaver};
use crate::wasm::isa::{Category, Imm, Op, Semantics};
use crate::wasm::machine::width;
use crate::wasm::program::Instr;
use crate::wasm::types::ValType;
use crate::weave::action::Action;
use crate::weave::scope::Effect;

/// An instruction that only computes: nothing follows it, and nothing but its operands matters.
#[derive(Clone, Copy)]
struct Plain {
    effect: Effect,
    size: u8,
}

/// [`Plain`] of every instruction that is, by its number: most choices need no more than this of the table.
static PLAIN: [Option<Plain>; Op::COUNT] = {
    let mut table = [None; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        let row = Op::ALL[index].row();
        if !matches!(row.semantics, Semantics::Special) && matches!(row.imm, Imm::None) {
            table[index] = Some(Plain { effect: Effect::of(Op::ALL[index]), size: row.opcode.len() as u8 });
        }
        index += 1;
    }
    table
};

/// What is chosen behind each instruction, by its number.
static ASKS: [Option<Phase>; Op::COUNT] = {
    let mut table = [None; Op::COUNT];
    let mut index = 0;
    while index < Op::COUNT {
        table[index] = asks(Op::ALL[index]);
        index += 1;
    }
    table
};

const fn asks(op: Op) -> Option<Phase> {
    Some(match op.row().imm {
        Imm::I32 => Phase::Bucket(ValType::I32),
        Imm::I64 => Phase::Bucket(ValType::I64),
        Imm::F32 => Phase::Bucket(ValType::F32),
        Imm::F64 => Phase::Bucket(ValType::F64),
        Imm::V128 => Phase::Bucket(ValType::V128),
        Imm::Local => Phase::Local(op),
        Imm::Global => Phase::Global(op),
        Imm::Label => Phase::Label(op),
        Imm::LabelTable => Phase::Targets,
        Imm::BlockType => Phase::BlockType(op),
        Imm::Func => Phase::Callee(op),
        Imm::MemArg { .. } | Imm::MemArgLane { .. } => Phase::Offset(op),
        Imm::Lane { .. } => Phase::Lane(op),
        Imm::HeapType => Phase::HeapType,
        Imm::TypeTable | Imm::Table | Imm::TableTable => Phase::Table(op),
        Imm::ElemTable | Imm::Elem | Imm::DataMem | Imm::Data => Phase::Segment(op),
        Imm::None | Imm::MemIndex | Imm::MemMem | Imm::ValTypes | Imm::Shuffle => return None,
    })
}

impl Weaver {
    /// Carries out the choice of anything but an instruction and runs on to where the next one is due.
    #[inline]
    pub(super) fn apply(&mut self, action: Action) {
        match (self.phase, action) {
            (Phase::Bucket(ty), Action::Bucket(bucket)) => {
                let bits = self.draw(ty, bucket);
                let instr = self.constant(ty, bits);
                self.place_and_run(instr, Effect::of(instr.op));
            }
            (Phase::Local(op), Action::Local(index)) => self.access_local(op, index),
            (Phase::Local(op), Action::NewLocal(ty)) => {
                let index = self.add_local(ty);
                self.access_local(op, index);
            }
            (Phase::Global(op), action) => self.choose_global(op, action),
            (Phase::GlobalInit(ty, mutable), action) => self.read_new_global(ty, mutable, action),
            (Phase::Offset(op), action) => self.choose_offset(op, action),
            (Phase::Align(op), Action::Align(align)) => {
                self.pending.align = align;
                self.aligned(op);
            }
            (Phase::Lane(op), Action::Lane(lane)) => self.choose_lane(op, lane),
            (Phase::HeapType, Action::Type(ty)) => {
                self.place_and_run(Instr::constant(ty, 0), Effect::on(Op::RefNull, ty));
            }
            (Phase::Table(op), action) => self.choose_table(op, action),
            (Phase::TableFrom(op), Action::Table(from)) => {
                self.settle_table(from);
                self.place_and_run(Instr::indices(op, self.pending.table, from), Effect::of(op));
            }
            (Phase::Segment(op), action) => self.choose_segment(op, action),
            _ => self.apply_control(action),
        }
    }

    /// Carries out the choice of an instruction: places it, or asks for its immediate.
    #[inline]
    pub(super) fn choose(&mut self, op: Op) {
        if let Some(plain) = &PLAIN[op.index()] {
            self.place_sized(op, 0, 0, &plain.effect, u32::from(plain.size));
            return self.advance();
        }
        self.pending = Pending::default();
        match ASKS[op.index()] {
            Some(phase) => self.phase = phase,
            None => self.plain(op),
        }
    }

    fn plain(&mut self, op: Op) {
        let scope = self.scope();
        match op {
            Op::End => return self.choose_end(),
            Op::Return | Op::Unreachable => return self.leave(Instr::plain(op)),
            Op::Select | Op::TypedSelect => {
                let ty = scope.peek(1).or(scope.peek(2)).unwrap_or(ValType::I32);
                let instr = Instr::index(op, if op == Op::Select { 0 } else { ty.index() as u32 });
                return self.place_and_run(instr, Effect::on(op, ty));
            }
            Op::I8x16Shuffle => {
                let lanes = std::array::from_fn(|_| self.rng.below(32) as u8);
                self.program.vectors.push(u128::from_le_bytes(lanes));
                let instr = Instr::index(op, self.program.vectors.len() as u32 - 1);
                return self.place_and_run(instr, Effect::of(op));
            }
            _ => {}
        }
        if op.row().category == Category::Memory {
            self.need_memory();
        }
        self.place_and_run(Instr::plain(op), Effect::of(op));
    }

    // Variables

    fn access_local(&mut self, op: Op, index: u32) {
        let ty = self.local_type(index);
        self.place_and_run(Instr::index(op, index), Effect::on(op, ty));
    }

    fn choose_global(&mut self, op: Op, action: Action) {
        match (op, action) {
            (_, Action::Global(index)) => self.access_global(op, index),
            (Op::GlobalSet, Action::NewGlobal(ty)) => {
                let init = self.constant(ty, 0);
                let index = self.add_global(ty, true, init);
                self.access_global(op, index);
            }
            (_, Action::NewGlobal(ty)) => self.phase = Phase::GlobalInit(ty, true),
            (_, Action::NewImmutable(ty)) => self.phase = Phase::GlobalInit(ty, false),
            (_, action) => unreachable!("{action:?} names no global"),
        }
    }

    fn read_new_global(&mut self, ty: ValType, mutable: bool, action: Action) {
        let init = match action {
            Action::Bucket(bucket) => {
                let bits = self.draw(ty, bucket);
                self.constant(ty, bits)
            }
            Action::Func(func) => Instr::index(Op::RefFunc, func),
            _ => Instr::constant(ty, 0),
        };
        let index = self.add_global(ty, mutable, init);
        self.access_global(Op::GlobalGet, index);
    }

    fn access_global(&mut self, op: Op, index: u32) {
        let ty = self.program.globals[index as usize].ty;
        self.place_and_run(Instr::index(op, index), Effect::on(op, ty));
    }

    // Memory

    fn choose_offset(&mut self, op: Op, action: Action) {
        match action {
            // The first access also says what the memory holds at the start.
            Action::NewData(size) => {
                self.need_memory();
                if size > 0 {
                    self.fill_memory(size);
                }
            }
            Action::Offset(offset) => {
                self.need_memory();
                (self.pending.offset, self.pending.align) = (offset, width(op).trailing_zeros());
                if self.config().unaligned && self.pending.align > 0 {
                    self.phase = Phase::Align(op);
                } else {
                    self.aligned(op);
                }
            }
            action => unreachable!("{action:?} is no offset"),
        }
    }

    fn aligned(&mut self, op: Op) {
        if matches!(op.row().imm, Imm::MemArgLane { .. }) {
            self.phase = Phase::Lane(op);
        } else {
            let Pending { align, offset, .. } = self.pending;
            self.place_and_run(Instr::memory(op, align, offset), Effect::of(op));
        }
    }

    fn choose_lane(&mut self, op: Op, lane: u32) {
        let instr = match op.row().imm {
            Imm::MemArgLane { .. } => Instr::memory_lane(op, self.pending.align, self.pending.offset, lane as u8),
            _ => Instr::index(op, lane),
        };
        self.place_and_run(instr, Effect::of(op));
    }

    // Tables and segments

    fn choose_table(&mut self, op: Op, action: Action) {
        let table = match action {
            Action::Table(table) => table,
            Action::NewTable(ty) => self.add_table(ty, op),
            action => unreachable!("{action:?} is no table"),
        };
        self.pending.table = table;
        if is_indirect_call(op) {
            self.phase = Phase::Callee(op);
            return;
        }
        let ty = self.program.tables[table as usize].ty;
        if op != Op::TableSize {
            self.settle_table(table);
        }
        if op == Op::TableCopy {
            self.phase = Phase::TableFrom(op);
            return;
        }
        let instr = match op {
            Op::TableInit => Instr::indices(op, self.pending.segment, table),
            _ => Instr::index(op, table),
        };
        self.place_and_run(instr, Effect::on(op, ty));
    }

    fn choose_segment(&mut self, op: Op, action: Action) {
        let data = matches!(op, Op::MemoryInit | Op::DataDrop);
        let segment = match action {
            Action::Segment(nth) => self.nth_segment(data, nth),
            Action::NewData(size) => self.add_data(size),
            Action::NewElem => self.add_elem(),
            action => unreachable!("{action:?} is no segment"),
        };
        match op {
            Op::TableInit => {
                self.pending.segment = segment;
                self.phase = Phase::Table(op);
                return;
            }
            Op::MemoryInit => self.need_memory(),
            _ => {}
        }
        if data {
            self.ledger.need_data_count();
        }
        self.place_and_run(Instr::index(op, segment), Effect::of(op));
    }
}
