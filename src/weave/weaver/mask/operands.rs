//! Owns which immediates are legal that name variables, constants, memory, tables and segments.
//!
//! Must not know control.

use super::tables::least_bytes;
use super::{Cost, needs_memory};
use crate::wasm::encode::u32_size;
use crate::wasm::isa::{Category, Op};
use crate::wasm::program::SegmentMode;
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet, DATA_SIZES, MAX_SEGMENTS, OFFSETS};
use crate::weave::budget::{NEW_GLOBAL_BYTES, NEW_LOCAL_BYTES, NEW_SEGMENT_BYTES, NEW_TABLE_BYTES};
use crate::weave::config::{Feature, WeaveConfig};
use crate::weave::literal::{buckets, max_size, min_const_bytes};
use crate::weave::scope::{Effect, Types};
use crate::weave::weaver::Weaver;
use crate::weave::weaver::declare::{TABLE_MIN, is_indirect_call};
use crate::weave::weaver::time::constant_op;

/// The types of values in programs of these settings. References need their null to close blocks with.
pub(in crate::weave::weaver) fn value_types(config: &WeaveConfig) -> Vec<ValType> {
    let instructions = config.instructions();
    let has = |op: Op| instructions.contains(Action::Instr(op));
    let occurs = |ty: &ValType| match ty {
        ValType::V128 => config.has(Feature::Simd),
        ValType::FuncRef | ValType::ExternRef => has(Op::RefNull),
        _ => true,
    };
    ValType::ALL.into_iter().filter(occurs).collect()
}

/// A table that is declared with its elements.
const WHOLE_TABLE_BYTES: u32 = NEW_TABLE_BYTES + NEW_SEGMENT_BYTES + TABLE_MIN;

impl Weaver {
    fn has_type(&self, ty: ValType) -> bool {
        self.loom.types.contains(&ty)
    }

    /// The types that a new variable, block or function may have.
    pub(super) fn value_types(&self) -> impl Iterator<Item = ValType> + '_ {
        self.loom.types.iter().copied()
    }

    /// The constants that can be written, where `runs` is the instruction that pushes them.
    pub(super) fn constants(&self, ty: ValType, runs: Op, more: u32, set: &mut ActionSet) {
        let head = constant_op(ty).row().opcode.len() as u32;
        for bucket in 0..buckets(ty) {
            let cost = Cost { elsewhere: more, ..Cost::of(runs, head + max_size(ty, bucket), Effect::on(runs, ty)) };
            set.insert_if(Action::Bucket(bucket), self.affords(&cost));
        }
    }

    pub(super) fn heap_types(&self, set: &mut ActionSet) {
        for ty in [ValType::FuncRef, ValType::ExternRef] {
            set.insert_if(Action::Type(ty), self.affords(&Cost::of(Op::RefNull, 2, Effect::on(Op::RefNull, ty))));
        }
    }

    // Locals

    #[inline]
    pub(super) fn can_local(&self, op: Op) -> bool {
        let scope = self.scope();
        let top = scope.peek(0);
        if op != Op::LocalGet && top.is_none() {
            return false;
        }
        if !self.is_roomy(2 + NEW_LOCAL_BYTES, 1) {
            return self.any(|weaver, set| weaver.locals(op, set));
        }
        let count = self.local_count();
        let declares = count < self.config().limits.locals;
        let fits = |index: u32| top == Some(self.local_type(index)) && !self.is_counter(index);
        declares || (op == Op::LocalGet && count > 0) || (op != Op::LocalGet && (0..count).any(fits))
    }

    pub(super) fn locals(&self, op: Op, set: &mut ActionSet) {
        let (reads, top) = (op == Op::LocalGet, self.scope().peek(0));
        let affords = |ty, more| self.affords(&Cost::of(op, 2 + more, Effect::on(op, ty)));
        for index in 0..self.local_count() {
            let ty = self.local_type(index);
            let fits = reads || (top == Some(ty) && !self.is_counter(index));
            set.insert_if(Action::Local(index), fits && affords(ty, 0));
        }
        if self.local_count() < self.config().limits.locals {
            for ty in self.value_types().filter(|&ty| reads || top == Some(ty)) {
                set.insert_if(Action::NewLocal(ty), affords(ty, NEW_LOCAL_BYTES));
            }
        }
    }

    // Globals

    #[inline]
    pub(super) fn can_global(&self, op: Op) -> bool {
        let top = self.scope().peek(0);
        if op == Op::GlobalSet && top.is_none() {
            return false;
        }
        if !self.is_roomy(2 + NEW_GLOBAL_BYTES + 18, 1) {
            return self.any(|weaver, set| weaver.globals(op, set));
        }
        let globals = &self.program.globals;
        let declares = (globals.len() as u32) < self.config().limits.globals;
        let fits = || globals.iter().any(|global| global.mutable && top == Some(global.ty));
        declares || if op == Op::GlobalGet { !globals.is_empty() } else { fits() }
    }

    pub(super) fn globals(&self, op: Op, set: &mut ActionSet) {
        let (reads, top) = (op == Op::GlobalGet, self.scope().peek(0));
        let affords = |ty, elsewhere| self.affords(&Cost { elsewhere, ..Cost::of(op, 2, Effect::on(op, ty)) });
        for (index, global) in self.program.globals.iter().enumerate() {
            let fits = reads || (global.mutable && top == Some(global.ty));
            set.insert_if(Action::Global(index as u32), fits && affords(global.ty, 0));
        }
        if (self.program.globals.len() as u32) < self.config().limits.globals {
            for ty in self.value_types().filter(|&ty| reads || top == Some(ty)) {
                let affordable = affords(ty, NEW_GLOBAL_BYTES + min_const_bytes(ty));
                set.insert_if(Action::NewGlobal(ty), affordable);
                set.insert_if(Action::NewImmutable(ty), affordable && reads);
            }
        }
    }

    /// What a new global can start with.
    pub(super) fn global_inits(&self, ty: ValType, set: &mut ActionSet) {
        if !ty.is_ref() {
            self.constants(ty, Op::GlobalGet, NEW_GLOBAL_BYTES + 2, set);
            if set.is_empty() {
                // Where a length is about to grow by a byte it matters that the constant stands outside of the code.
                let head = constant_op(ty).row().opcode.len() as u32;
                for bucket in 0..buckets(ty) {
                    let elsewhere = NEW_GLOBAL_BYTES + head + max_size(ty, bucket);
                    let cost = Cost { elsewhere, ..Cost::of(Op::GlobalGet, 2, Effect::on(Op::GlobalGet, ty)) };
                    set.insert_if(Action::Bucket(bucket), self.affords(&cost));
                }
            }
            return;
        }
        set.insert(Action::Type(ty));
        if ty == ValType::FuncRef {
            (0..self.func_count()).for_each(|func| set.insert(Action::Func(func)));
        }
    }

    // Memory

    pub(super) fn offsets(&self, op: Op, set: &mut ActionSet) {
        let least = least_bytes(op);
        let elsewhere = if needs_memory(op) { self.new_memory_bytes() } else { 0 };
        let cost = |body, elsewhere| Cost { elsewhere, ..Cost::of(op, body, Effect::of(op)) };
        if self.program.memory.is_none() {
            for size in DATA_SIZES {
                let more = if size == 0 { 0 } else { NEW_SEGMENT_BYTES + size };
                set.insert_if(Action::NewData(size), self.affords(&cost(least, elsewhere + more)));
            }
            return;
        }
        for offset in OFFSETS {
            let body = least - 1 + u32_size(offset);
            let inside = !self.live || self.in_bounds(op, offset);
            set.insert_if(Action::Offset(offset), inside && self.affords(&cost(body, elsewhere)));
        }
    }

    // Tables

    /// The operand `down` places under the top, as an index.
    fn index(&self, down: u32) -> u64 {
        u64::from(self.machine.operand(down).bits as u32)
    }

    fn table_len(&self, table: u32) -> u64 {
        self.machine.table(table).len() as u64
    }

    pub(super) fn tables(&self, op: Op, set: &mut ActionSet) {
        for table in 0..self.program.tables.len() as u32 {
            let ty = self.program.tables[table as usize].ty;
            let len = if self.live { self.table_len(table) } else { 0 };
            set.insert_if(Action::Table(table), self.can_use_table(op, ty, len, Some(table)));
        }
        if (self.program.tables.len() as u32) < self.config().limits.tables {
            for ty in [ValType::FuncRef, ValType::ExternRef].into_iter().filter(|&ty| self.has_table_type(ty, op)) {
                set.insert_if(Action::NewTable(ty), self.can_use_table(op, ty, u64::from(TABLE_MIN), None));
            }
        }
    }

    /// Tables of functions serve calls too; other references must be on.
    fn has_table_type(&self, ty: ValType, op: Op) -> bool {
        (ty == ValType::FuncRef && is_indirect_call(op)) || self.has_type(ty)
    }

    /// Whether the operands fit a table of this type and length; `None` is one that would be declared.
    fn can_use_table(&self, op: Op, ty: ValType, len: u64, table: Option<u32>) -> bool {
        if is_indirect_call(op) {
            return ty == ValType::FuncRef && self.can_call_through(op, table);
        }
        let new = if table.is_none() { WHOLE_TABLE_BYTES } else { 0 };
        if !self.scope().matches(&Types::popped(op, ty)) {
            return false;
        }
        let inside = !self.live
            || match op {
                Op::TableGet => self.index(0) < len,
                Op::TableSet => self.index(1) < len,
                Op::TableGrow => self.index(0) <= u64::from(TABLE_MIN),
                Op::TableFill | Op::TableInit => self.index(2) + self.index(0) <= len,
                Op::TableCopy => self.index(2) + self.index(0) <= len && self.can_copy_from(ty, table, len),
                _ => true,
            };
        let elements = match op {
            Op::TableGrow | Op::TableFill | Op::TableCopy | Op::TableInit if self.live && inside => self.index(0),
            _ => 0,
        };
        let kind = op != Op::TableInit || ty == ValType::FuncRef;
        let mut cost = Cost { elsewhere: new, ..Cost::of(op, 4, Effect::on(op, ty)) };
        cost.fuel += elements as u32;
        inside && kind && self.affords(&cost)
    }

    fn can_copy_from(&self, ty: ValType, to: Option<u32>, len: u64) -> bool {
        let reaches = |len: u64| self.index(1) + self.index(0) <= len;
        let other =
            |(at, table): (usize, &crate::wasm::program::Table)| table.ty == ty && reaches(self.table_len(at as u32));
        (to.is_none() && reaches(len)) || self.program.tables.iter().enumerate().any(other)
    }

    pub(super) fn tables_from(&self, set: &mut ActionSet) {
        let ty = self.program.tables[self.pending.table as usize].ty;
        for (at, table) in self.program.tables.iter().enumerate() {
            let reaches = !self.live || self.index(1) + self.index(0) <= self.table_len(at as u32);
            set.insert_if(Action::Table(at as u32), table.ty == ty && reaches);
        }
    }

    // Segments

    /// The index of the `nth` segment that waits to be used.
    pub(in crate::weave::weaver) fn nth_segment(&self, data: bool, nth: u32) -> u32 {
        self.waiting(data).nth(nth as usize).expect("the segment was offered")
    }

    fn waiting(&self, data: bool) -> impl Iterator<Item = u32> + '_ {
        let datas = self.program.datas.iter().map(|segment| &segment.mode).take(if data { usize::MAX } else { 0 });
        let elems = self.program.elems.iter().map(|segment| &segment.mode).take(if data { 0 } else { usize::MAX });
        let modes = datas.chain(elems).enumerate();
        modes.filter(|(_, mode)| **mode == SegmentMode::Passive).map(|(index, _)| index as u32)
    }

    pub(super) fn segments(&self, op: Op, set: &mut ActionSet) {
        let data = op.row().category == Category::Memory;
        let copies = matches!(op, Op::MemoryInit | Op::TableInit);
        if !self.scope().matches(op.row().params) || (op == Op::TableInit && !self.has_target()) {
            return;
        }
        let reaches = |len: u64| !copies || !self.live || self.index(1) + self.index(0) <= len;
        if copies && data && self.live && self.index(2) + self.index(0) > self.memory_bytes() {
            return;
        }
        let count = if copies && self.live { self.index(0).min(u64::from(u32::MAX / 2)) as u32 } else { 0 };
        let elsewhere = match op {
            Op::MemoryInit => self.new_memory_bytes(),
            Op::TableInit => self.new_target_bytes(),
            _ => 0,
        };
        let cost = |more| {
            let mut cost = Cost { elsewhere: elsewhere + more, ..Cost::of(op, 4, Effect::of(op)) };
            cost.fuel += count;
            cost
        };
        let mut known = 0;
        for (nth, segment) in self.waiting(data).enumerate().take(MAX_SEGMENTS as usize) {
            known += 1;
            let (dropped, len) = if data {
                (self.machine.data_dropped(segment), self.program.datas[segment as usize].bytes.len())
            } else {
                (self.machine.elem_dropped(segment), self.program.elems[segment as usize].items.len())
            };
            let len = if dropped { 0 } else { len as u64 };
            set.insert_if(Action::Segment(nth as u32), reaches(len) && self.affords(&cost(NEW_SEGMENT_BYTES)));
        }
        if known == MAX_SEGMENTS {
            return;
        }
        if data {
            for size in DATA_SIZES.into_iter().filter(|&size| size > 0 && reaches(u64::from(size))) {
                set.insert_if(Action::NewData(size), self.affords(&cost(NEW_SEGMENT_BYTES + size)));
            }
        } else {
            let len = self.func_count().min(TABLE_MIN);
            let affordable = self.affords(&cost(NEW_SEGMENT_BYTES + len));
            set.insert_if(Action::NewElem, reaches(u64::from(len)) && affordable);
        }
    }

    /// Whether `table.init` has a table to fill.
    fn has_target(&self) -> bool {
        self.any(|weaver, set| weaver.tables(Op::TableInit, set))
    }

    /// What the table takes that `table.init` fills: nothing, if there is one already.
    fn new_target_bytes(&self) -> u32 {
        let mut targets = ActionSet::default();
        self.tables(Op::TableInit, &mut targets);
        let known = targets.iter().any(|target| matches!(target, Action::Table(_)));
        if known { 0 } else { WHOLE_TABLE_BYTES }
    }
}
