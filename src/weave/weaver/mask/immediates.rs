//! Owns which immediates are legal, once their instruction has been chosen.
//!
//! Must not know the table of instructions: that is the parent's.

use super::{COUNTER_BYTES, COUNTER_FUEL, Cost};
use crate::wasm::isa::Op;
use crate::wasm::program::{BlockType, SeqId};
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet, MAX_PARAMS, OFFSETS};
use crate::weave::budget::{NEW_GLOBAL_BYTES, NEW_LOCAL_BYTES, new_function_bytes, smallest_program};
use crate::weave::literal::{buckets, max_size, min_const_bytes};
use crate::weave::scope::{Effect, Scope, TERMINATOR};
use crate::weave::weaver::Weaver;

impl Weaver {
    pub(super) fn entries(&self, set: &mut ActionSet) {
        set.insert(Action::Signature { params: 0, result: None });
        let config = self.config();
        let fits = |ty: &ValType| {
            let more = 1 + min_const_bytes(*ty);
            config.limits.results > 0 && smallest_program() + more <= config.bytes.max && config.fuel.max >= 2
        };
        for ty in ValType::NUMBERS.into_iter().filter(fits) {
            set.insert(Action::Signature { params: 0, result: Some(ty) });
        }
    }

    pub(super) fn constants(&self, ty: ValType, more: u32, set: &mut ActionSet) {
        let effect = Effect { pops: 0, push: Some(ty) };
        for bucket in 0..buckets(ty) {
            let cost = Cost { body: 1 + max_size(ty, bucket), elsewhere: more, fuel: 1, effect };
            if self.affords(cost) {
                set.insert(Action::Bucket(bucket));
            }
        }
    }

    pub(super) fn offsets(&self, op: Op, set: &mut ActionSet) {
        let cost = self.fixed_cost(op);
        for offset in OFFSETS {
            let body = cost.body - 1 + crate::wasm::encode::u32_size(offset);
            if (!self.live || self.in_bounds(op, offset)) && self.affords(Cost { body, ..cost }) {
                set.insert(Action::Offset(offset));
            }
        }
    }

    pub(super) fn locals(&self, op: Op, set: &mut ActionSet) {
        let scope = self.scope();
        let (reads, top) = (op == Op::LocalGet, scope.peek(0));
        if !reads && top.is_none() {
            return;
        }
        let effect = |ty| match op {
            Op::LocalGet => Effect { pops: 0, push: Some(ty) },
            Op::LocalSet => Effect { pops: 1, push: None },
            _ => Effect { pops: 1, push: Some(ty) },
        };
        let affords = |ty, more| self.affords(Cost { body: 2 + more, fuel: 1, effect: effect(ty), ..Cost::default() });
        for index in 0..self.local_count() {
            let ty = self.program.local_type(scope.func, index).expect("below the count");
            if (reads || (top == Some(ty) && !self.is_counter(index))) && affords(ty, 0) {
                set.insert(Action::Local(index));
            }
        }
        if self.local_count() < self.config().limits.locals {
            let types = ValType::NUMBERS.into_iter().filter(|&ty| reads || top == Some(ty));
            types.filter(|&ty| affords(ty, NEW_LOCAL_BYTES)).for_each(|ty| set.insert(Action::NewLocal(ty)));
        }
    }

    pub(super) fn globals(&self, op: Op, set: &mut ActionSet) {
        let (reads, top) = (op == Op::GlobalGet, self.scope().peek(0));
        if !reads && top.is_none() {
            return;
        }
        let affords = |ty, elsewhere| {
            let effect = if reads { Effect { pops: 0, push: Some(ty) } } else { Effect { pops: 1, push: None } };
            self.affords(Cost { body: 2, elsewhere, fuel: 1, effect })
        };
        for (index, global) in self.program.globals.iter().enumerate() {
            if (reads || top == Some(global.ty)) && affords(global.ty, 0) {
                set.insert(Action::Global(index as u32));
            }
        }
        if (self.program.globals.len() as u32) < self.config().limits.globals {
            for ty in ValType::NUMBERS.into_iter().filter(|&ty| reads || top == Some(ty)) {
                if affords(ty, NEW_GLOBAL_BYTES + min_const_bytes(ty)) {
                    set.insert(Action::NewGlobal(ty));
                }
            }
        }
    }

    // Control

    pub(super) fn labels(&self, op: Op, set: &mut ActionSet) {
        let condition: &[ValType] = if op == Op::BrIf { &[ValType::I32] } else { &[] };
        let effect =
            if op == Op::BrIf { Effect { pops: 1, push: None } } else { Effect { pops: u32::MAX, push: None } };
        if !self.scope().matches(condition) || !self.affords(Cost { body: 2, fuel: 1, effect, ..Cost::default() }) {
            return;
        }
        for (depth, target) in self.enclosing(self.cursor).enumerate() {
            if self.can_branch_to(target, condition) {
                set.insert(Action::Label(depth as u32));
            }
        }
    }

    /// Whether the operands under `above` are what the label carries. Executed code does not branch to a loop: nobody
    /// could tell yet how often.
    pub(super) fn can_branch_to(&self, target: SeqId, above: &[ValType]) -> bool {
        let Scope { op, func, parent, result, .. } = self.scopes[target as usize];
        if op == Op::Loop {
            return !self.live && self.scope().matches(above);
        }
        let carried: Vec<ValType> = result.into_iter().chain(above.iter().copied()).collect();
        let known = self.scope().types.len() >= carried.len();
        let finishes = self.live && func == 0 && parent.is_none();
        known && self.scope().matches(&carried) && (!finishes || self.may_finish())
    }

    pub(super) fn block_types(&self, op: Op, set: &mut ActionSet) {
        let types = [BlockType::Empty].into_iter().chain(ValType::NUMBERS.map(BlockType::Value));
        for ty in types {
            if self.can_structure(op, ty, false) || (op == Op::If && self.can_structure(op, ty, true)) {
                set.insert(Action::Block(ty));
            }
        }
    }

    /// Whether a block of this type can be placed. An `if` with a result needs its `else`.
    pub(super) fn can_structure(&self, op: Op, ty: BlockType, with_else: bool) -> bool {
        let scope = self.scope();
        let result = match ty {
            BlockType::Value(ty) => Some(ty),
            _ => None,
        };
        let limits = &self.config().limits;
        let full = result.is_some() && scope.types.len() >= limits.stack as usize;
        if scope.depth >= limits.nesting || full || (op == Op::If && result.is_some() && !with_else) {
            return false;
        }
        let arms = 1 + u32::from(with_else);
        let close = result.map_or(0, min_const_bytes) + TERMINATOR;
        let mut cost = Cost {
            body: 2 + arms * close,
            fuel: u32::from(op == Op::If) + u32::from(result.is_some()),
            effect: Effect { pops: u32::from(op == Op::If), push: result },
            ..Cost::default()
        };
        if op == Op::Loop {
            if !self.can_count() {
                return false;
            }
            cost.body += COUNTER_BYTES + NEW_LOCAL_BYTES;
            cost.fuel += COUNTER_FUEL;
        }
        self.affords(cost)
    }

    /// Whether there is a local to count with, and all that counting takes is allowed.
    pub(super) fn can_count(&self) -> bool {
        const PARTS: [Op; 6] = [Op::LocalSet, Op::LocalGet, Op::I32Add, Op::LocalTee, Op::I32LtU, Op::BrIf];
        let allowed = PARTS.iter().all(|&op| self.loom.tables.allowed.contains(Action::Instr(op)));
        allowed && (self.local_count() < self.config().limits.locals || self.free_counter().is_some())
    }

    pub(super) fn callees(&self, set: &mut ActionSet) {
        for func in 0..self.program.funcs.len() as u32 {
            let ty = self.program.func_type(func);
            let effect = Effect { pops: ty.params.len() as u32, push: ty.results.first().copied() };
            let offered = !self.live || !(self.is_running(func) || self.banned.contains(&func));
            let room =
                self.scope().types.len() + ty.results.len() <= self.config().limits.stack as usize + ty.params.len();
            let cost = Cost { body: 2, fuel: 2, effect, ..Cost::default() };
            if offered && room && self.scope().matches(&ty.params) && self.affords(cost) {
                set.insert(Action::Func(func));
            }
        }
        let mut signatures = ActionSet::default();
        self.signatures(&mut signatures);
        if !signatures.is_empty() {
            set.insert(Action::NewFunc);
        }
    }

    pub(super) fn signatures(&self, set: &mut ActionSet) {
        let (scope, limits) = (self.scope(), &self.config().limits);
        if !self.live || self.program.funcs.len() as u32 >= limits.functions {
            return;
        }
        for params in 0..=MAX_PARAMS.min(scope.types.len() as u32).min(limits.locals) {
            for result in [None].into_iter().chain(ValType::NUMBERS.map(Some)) {
                let full = scope.types.len() as u32 - params + u32::from(result.is_some()) > limits.stack;
                let close = result.map_or(0, min_const_bytes) + TERMINATOR;
                let cost = Cost {
                    body: 2,
                    elsewhere: new_function_bytes(params) + close,
                    fuel: 2 + u32::from(result.is_some()),
                    effect: Effect { pops: params, push: result },
                };
                if !full && self.affords(cost) {
                    set.insert(Action::Signature { params, result });
                }
            }
        }
    }

    /// Whether a function is running now: calling it again would be recursion.
    pub(super) fn is_running(&self, func: u32) -> bool {
        (0..self.machine.depth()).any(|label| self.scopes[self.machine.body_at(label) as usize].func == func)
    }
}
