//! Owns the bound on response time: what the executed instructions cost by a preset's table.
//!
//! Must not know the mask. The cost is counted beside the machine, by an observer, since only presets with a table pay
//! for it. As with bytes and fuel, what closing everything open costs is always kept in reserve.

use super::Weaver;
use crate::wasm::isa::Op;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Place, Program};
use crate::wasm::types::ValType;
use crate::weave::config::least_time;
use crate::weave::scope::{Effect, Scope};
use std::sync::Arc;

/// Adds up what instructions cost.
#[derive(Clone, Debug)]
pub(super) struct Timer {
    costs: Option<Arc<[u32]>>,
    pub(super) spent: u64,
}

impl Timer {
    pub(super) fn new(costs: Option<Arc<[u32]>>) -> Self {
        Self { costs, spent: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.spent = 0;
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    pub(super) fn is_on(&self) -> bool {
        self.costs.is_some()
    }

    fn cost(&self, op: Op) -> u64 {
        self.costs.as_ref().map_or(0, |costs| u64::from(costs[op.index()]))
    }
}

/// The timer beside the program that it watches.
pub(super) struct Timing<'a> {
    pub(super) timer: &'a mut Timer,
    pub(super) program: &'a Program,
}

impl Observer for Timing<'_> {
    fn before(&mut self, _: &Machine, _: u32, place: Place) {
        let code = &self.program.seqs[place.seq as usize].code;
        let op = code.get(place.index as usize).map_or(Op::End, |instr| instr.op);
        self.timer.spent += self.timer.cost(op);
    }
}

/// The instruction that pushes a default value.
pub(super) fn constant_op(ty: ValType) -> Op {
    match ty {
        ValType::I32 => Op::I32Const,
        ValType::I64 => Op::I64Const,
        ValType::F32 => Op::F32Const,
        ValType::F64 => Op::F64Const,
        ValType::V128 => Op::V128Const,
        ValType::FuncRef | ValType::ExternRef => Op::RefNull,
    }
}

impl Weaver {
    /// What closing a sequence would cost after an instruction with this effect.
    fn closing_time(&self, scope: &Scope, effect: &Effect) -> u64 {
        if scope.counting.is_some() {
            return self.tail_time() + self.timer.cost(Op::End);
        }
        let (drops, missing) = scope.closing_steps(effect);
        drops as u64 * self.timer.cost(Op::Drop) + self.constants_time(missing) + self.timer.cost(Op::End)
    }

    /// What the end of a counted loop costs each time, its `end` apart.
    pub(super) fn tail_time(&self) -> u64 {
        [Op::I32Const, Op::I32LtU, Op::BrIf].iter().map(|&op| self.timer.cost(op)).sum()
    }

    fn constants_time(&self, types: &[ValType]) -> u64 {
        types.iter().map(|&ty| self.timer.cost(constant_op(ty))).sum()
    }

    /// Whether the exported function can end with these results and so many more of the cheapest type, if it does nothing else.
    pub(super) fn affords_results(&self, results: &[ValType], more: u32) -> bool {
        let rest = self.timer.costs.as_ref().map_or(0, |costs| least_time(costs, more));
        self.config().time.is_none_or(|time| self.constants_time(results) + rest <= u64::from(time.max))
    }

    /// Time left to spend, all closing paid.
    pub(super) fn spare_time(&self) -> i64 {
        let Some(bounds) = self.config().time.filter(|_| self.live) else { return i64::MAX };
        let open = (0..self.machine.depth()).map(|label| self.machine.body_at(label));
        let closing: u64 = open
            .filter(|&seq| self.program.seqs[seq as usize].open)
            .map(|seq| self.closing_time(&self.scopes[seq as usize], &Effect::NONE))
            .sum();
        i64::from(bounds.max) - (self.timer.spent + closing) as i64
    }

    /// Whether an instruction can still be paid, with those that come with it, and where it opens a block or calls a new
    /// function, with the cheapest way to end that with its results.
    pub(super) fn affords_time(&self, op: Op, with: &[Op], effect: &Effect, opens: bool) -> bool {
        if self.config().time.is_none() || !self.live {
            return true;
        }
        let scope = self.scope();
        let mut cost = self.timer.cost(op) + with.iter().map(|&op| self.timer.cost(op)).sum::<u64>();
        if opens {
            // A recursive function has three ends to come by: of the arm, of its body, and of a first block.
            cost += self.constants_time(&effect.push) + 3 * self.timer.cost(Op::End) + 3 * self.timer.cost(Op::Drop);
        }
        let (now, then) = (self.closing_time(scope, &Effect::NONE), self.closing_time(scope, effect));
        (cost + then) as i64 - now as i64 <= self.spare_time()
    }
}
