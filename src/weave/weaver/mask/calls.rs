//! Owns which calls are legal, and what a new function may look like.
//!
//! Must not know blocks.

use super::Cost;
use super::control::fresh_closing;
use crate::wasm::isa::Op;
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet, MAX_PARAMS};
use crate::weave::budget::{NEW_SEGMENT_BYTES, NEW_TABLE_BYTES, new_function_bytes, new_type_bytes};
use crate::weave::config::Feature;
use crate::weave::scope::{Effect, Signature, Types};
use crate::weave::weaver::apply::is_tail_call;
use crate::weave::weaver::declare::{TABLE_MIN, is_indirect_call};
use crate::weave::weaver::{Phase, Weaver};

/// What a recursive function is made of.
const RECURSION: [Op; 6] = [Op::LocalGet, Op::I32Eqz, Op::If, Op::I32Sub, Op::Call, Op::End];
/// `local.get 0; i32.eqz; if T ... else ... end`, without what is inside.
const PROLOGUE_BYTES: u32 = 5;
const PROLOGUE_FUEL: u32 = 3;

impl Weaver {
    /// Whether the operands fit a call of a function with this signature, and its results the stack.
    fn call_fits(&self, op: Op, signature: &Signature) -> bool {
        let above = usize::from(is_indirect_call(op));
        let scope = self.scope();
        let room = scope.types.len() + signature.results.len()
            <= self.config().limits.stack as usize + signature.params.len() + above;
        let returns = !is_tail_call(op) || signature.results == self.tail_results(op);
        room && returns && scope.matches_under(&signature.params, above)
    }

    /// Whether an existing function can be called here.
    fn can_call(&self, op: Op, func: u32) -> bool {
        let signature = self.signature(func);
        let imported = self.program.funcs[func as usize].import.is_some();
        if !self.call_fits(op, &signature) || (imported && is_tail_call(op)) {
            return false;
        }
        if self.live && (self.is_running(func) || self.banned.contains(&(op, func))) {
            return false;
        }
        if self.live && is_tail_call(op) && !self.trials_outlast(self.machine.bottom()) {
            return false;
        }
        let finishes = self.live && is_tail_call(op) && self.scope().func == self.entry();
        let bytes = if is_indirect_call(op) { 3 + new_type_bytes(3, 3) } else { 2 };
        let through_table = self.through_table(op);
        let cost = Cost { fuel: 2, elsewhere: through_table, ..Cost::of(op, bytes, Effect::with(op, &signature)) };
        self.affords(&cost) && (!finishes || self.may_finish())
    }

    /// What a call through a table takes beside the call: its table, until that has been chosen, and the segment.
    fn through_table(&self, op: Op) -> u32 {
        match self.phase {
            _ if !is_indirect_call(op) => 0,
            Phase::Instr | Phase::Table(_) => NEW_TABLE_BYTES + NEW_SEGMENT_BYTES,
            _ => NEW_SEGMENT_BYTES,
        }
    }

    /// Whether a function is running now: calling it again would run code that is not finished.
    fn is_running(&self, func: u32) -> bool {
        (0..self.machine.depth()).any(|label| self.scopes[self.machine.body_at(label) as usize].func == func)
    }

    pub(super) fn callees(&self, op: Op, set: &mut ActionSet) {
        if op == Op::RefFunc {
            let cost = Cost { elsewhere: NEW_SEGMENT_BYTES + 1, ..Cost::of(op, 2, Effect::of(op)) };
            if self.affords(&cost) {
                (0..self.func_count()).for_each(|func| set.insert(Action::Func(func)));
            }
            return;
        }
        let indirect = is_indirect_call(op);
        let free = !indirect || !self.live || self.fills_slot(self.pending.table);
        if indirect && !free {
            let found = self.in_slot(self.pending.table).filter(|&func| self.can_call(op, func));
            found.into_iter().for_each(|func| set.insert(Action::Func(func)));
            return;
        }
        for func in 0..self.func_count() {
            set.insert_if(Action::Func(func), self.can_call(op, func));
        }
        set.insert_if(Action::NewFunc, self.can_call_new(op));
    }

    // Tables

    /// The index that an indirect call finds on top.
    fn slot(&self) -> u32 {
        self.machine.operand(0).bits as u32
    }

    /// The function that an indirect call through this table would call.
    fn in_slot(&self, table: u32) -> Option<u32> {
        let found = self.machine.table(table).get(self.slot() as usize)?;
        (*found as u32).checked_sub(1)
    }

    /// Whether the call's place in the table is the next that can still be chosen.
    pub(in crate::weave::weaver) fn fills_slot(&self, table: u32) -> bool {
        self.pliable[table as usize] && self.slot() == self.elements(table) && self.slot() < TABLE_MIN
    }

    /// Whether an indirect call can be placed through a table; `None` is one that would be declared.
    pub(super) fn can_call_through(&self, op: Op, table: Option<u32>) -> bool {
        let known = self.scope().peek(0) == Some(ValType::I32);
        if !known
            || !self.affords(&Cost { elsewhere: NEW_TABLE_BYTES + NEW_SEGMENT_BYTES, ..Cost::of(op, 3, Effect::NONE) })
        {
            return false;
        }
        let any = || (0..self.func_count()).any(|func| self.can_call(op, func)) || self.can_call_new(op);
        match table {
            _ if !self.live => any(),
            Some(table) if self.fills_slot(table) => any(),
            Some(table) => self.in_slot(table).is_some_and(|func| self.can_call(op, func)),
            None => self.slot() == 0 && any(),
        }
    }

    // New functions

    fn can_call_new(&self, op: Op) -> bool {
        let limits = &self.config().limits;
        let tail = self.tail_results(op);
        self.live && self.func_count() < limits.functions && self.can_sign(op, Signature::to(tail))
    }

    /// Whether a new function of this signature can be called here.
    fn can_sign(&self, op: Op, signature: Signature) -> bool {
        let close = fresh_closing(&Types::NONE, &signature.results);
        let (params, results) = (signature.params.len() as u32, signature.results.len() as u32);
        let through_table = self.through_table(op);
        let cost = Cost {
            elsewhere: new_function_bytes(params, results) + close.bytes + through_table,
            fuel: 2 + close.fuel,
            opens: true,
            ..Cost::of(op, 3, Effect::with(op, &signature))
        };
        params <= self.config().limits.locals && self.call_fits(op, &signature) && self.affords(&cost)
    }

    pub(super) fn params(&self, op: Op, set: &mut ActionSet) {
        let known = self.scope().types.len().saturating_sub(usize::from(is_indirect_call(op))) as u32;
        let tail = self.tail_results(op);
        for count in 0..=MAX_PARAMS.min(known) {
            set.insert_if(
                Action::Params(count),
                self.can_sign(op, Signature::of(self.operands_under(op, count), tail)),
            );
        }
    }

    pub(super) fn function_results(&self, op: Op, set: &mut ActionSet) {
        let Signature { params, results } = self.pending.signature;
        set.insert_if(Action::Result(None), self.can_sign(op, self.pending.signature));
        let multi = self.config().has(Feature::MultiValue);
        if results.len() == Types::MAX || (!results.is_empty() && !multi) {
            return;
        }
        for ty in self.value_types() {
            let mut more = results;
            more.push(ty);
            set.insert_if(Action::Result(Some(ty)), self.can_sign(op, Signature::of(params, more)));
        }
    }

    // Recursion

    /// Whether the new function whose signature has been chosen may call itself: its first parameter is a small number,
    /// which says how deep.
    pub(in crate::weave::weaver) fn can_recur(&self, op: Op) -> bool {
        let Signature { params, results } = self.pending.signature;
        let deepest = self.config().limits.recursion;
        if is_tail_call(op)
            || params.first() != Some(&ValType::I32)
            || deepest == 0
            || self.config().limits.nesting == 0
        {
            return false;
        }
        let down = params.len() as u32 - 1 + u32::from(is_indirect_call(op));
        let depth = self.machine.operand(down).bits as u32;
        let close = fresh_closing(&Types::NONE, &results);
        let through_table = self.through_table(op);
        let multi = if results.len() > 1 { new_type_bytes(0, results.len() as u32) } else { 0 };
        let cost = Cost {
            elsewhere: new_function_bytes(params.len() as u32, results.len() as u32)
                + through_table
                + multi
                + PROLOGUE_BYTES
                + 2 * close.bytes
                + 1,
            fuel: 2 + PROLOGUE_FUEL + close.fuel,
            opens: true,
            runs: (Op::Call, &[Op::LocalGet, Op::I32Eqz, Op::If, Op::End]),
            ..Cost::of(op, 3, Effect::with(op, &self.pending.signature))
        };
        (1..=deepest).contains(&depth) && RECURSION.iter().all(|&op| self.allows(op)) && self.affords(&cost)
    }

    /// How a recursive function can go on: not at all, or by combining its own result with that of the deeper call.
    pub(super) fn combinations(&self, set: &mut ActionSet) {
        set.insert(Action::Instr(Op::End));
        let Signature { params, results } = self.signature(self.scope().func);
        let params = params.len() as u32;
        let count = results.len() as u32;
        let cost = Cost {
            fuel: 6 + params + count,
            runs: (Op::Call, &[Op::LocalGet, Op::I32Const, Op::I32Sub, Op::LocalGet, Op::LocalGet, Op::Drop]),
            ..Cost::of(Op::Call, 7 + 2 * params + 3 * count, Effect::NONE)
        };
        let room =
            self.scope().types.len() + results.len() + params as usize <= self.config().limits.stack as usize + 3;
        if !room || !self.affords(&cost) {
            return;
        }
        match *results {
            [] => set.insert(Action::Instr(Op::Call)),
            [ty] => set.unite(&self.loom.tables.combining[ty.index()]),
            _ => set.insert(Action::Instr(Op::Drop)),
        }
    }
}
