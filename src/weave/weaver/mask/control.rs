//! Owns which blocks, labels and endings are legal.
//!
//! Must not know calls.

use super::Cost;
use crate::wasm::isa::Op;
use crate::wasm::program::SeqId;
use crate::wasm::types::ValType;
use crate::weave::action::{Action, ActionSet, MAX_PARAMS, MAX_TARGETS, TRIPS};
use crate::weave::budget::{NEW_LOCAL_BYTES, new_type_bytes};
use crate::weave::config::Feature;
use crate::weave::literal::min_const_bytes;
use crate::weave::scope::{Closing, Effect, Signature, TAIL_BYTES, TAIL_FUEL, TERMINATOR, Types};
use crate::weave::weaver::Weaver;

/// Bytes of `local.get c; i32.const 1; i32.add; local.tee c`, with one-byte indices.
const HEAD_BYTES: u32 = 7;
const HEAD_FUEL: u32 = 4;
/// `i32.const 0; local.set c`.
const COUNTER_BYTES: u32 = 4;
const COUNTER_FUEL: u32 = 2;
/// `local.get x; i32.const 1; i32.shr_u; local.tee x; br_if 0`.
const WHILE_BYTES: u32 = 9;
const WHILE_FUEL: u32 = 5;
/// What counting takes.
const COUNTING: [Op; 6] = [Op::LocalSet, Op::LocalGet, Op::I32Add, Op::LocalTee, Op::I32LtU, Op::BrIf];
/// What going on while a local is not zero takes.
const WHILE: [Op; 4] = [Op::LocalGet, Op::I32ShrU, Op::LocalTee, Op::BrIf];

/// What closing a block costs that has just been opened, its terminator included.
pub(super) fn fresh_closing(params: &Types, results: &Types) -> Closing {
    let kept = params.iter().zip(results.iter()).take_while(|(a, b)| a == b).count();
    let missing = &results[kept..];
    let constants: u32 = missing.iter().map(|&ty| min_const_bytes(ty)).sum();
    Closing { bytes: (params.len() - kept) as u32 + constants + TERMINATOR, fuel: missing.len() as u32 }
}

impl Weaver {
    // Labels

    pub(super) fn labels(&self, op: Op, set: &mut ActionSet) {
        let (condition, effect) = (op.row().params, Effect::of(op));
        let bytes = if op == Op::BrTable { 2 + self.pending.targets + self.targets.len() as u32 } else { 2 };
        if !self.scope().matches(condition) || !self.affords(&Cost::of(op, bytes, effect)) {
            return;
        }
        let taken = op != Op::BrIf || !self.live || self.machine.operand(0).bits as u32 != 0;
        let first = if op == Op::BrTable { self.targets.first() } else { None };
        let arity = first.map(|&depth| self.carried(depth).len());
        for (depth, target) in self.enclosing(self.cursor).enumerate() {
            let fits = arity.is_none_or(|arity| arity == self.carried(depth as u32).len());
            let banned = self.banned.contains(&(op, depth as u32));
            let legal = fits && !banned && self.can_leave_to(target, depth as u32, condition.len(), taken);
            set.insert_if(Action::Label(depth as u32), legal);
        }
    }

    /// The types that a label carries.
    fn carried(&self, depth: u32) -> Types {
        let seq = self.enclosing(self.cursor).nth(depth as usize).expect("the label is in scope");
        let scope = &self.scopes[seq as usize];
        if scope.op == Op::Loop { scope.params } else { scope.results }
    }

    /// Whether the operands under the top `above` are what the label carries, and a branch to it that is `taken` now can
    /// be executed.
    #[inline]
    pub(super) fn can_leave_to(&self, target: SeqId, depth: u32, above: usize, taken: bool) -> bool {
        let target = &self.scopes[target as usize];
        let carried = if target.op == Op::Loop { &target.params } else { &target.results };
        let scope = self.scope();
        if scope.types.len() < carried.len() + above || !scope.matches_under(carried, above) {
            return false;
        }
        if !self.live || !taken {
            return true;
        }
        if target.op == Op::Loop {
            return self.can_go_back(depth);
        }
        let finishes = target.op == Op::Call && target.func == self.entry();
        !finishes || self.may_finish()
    }

    /// Whether executing a loop's code again can be tried. Without a condition it must not be the only way on.
    fn can_go_back(&self, depth: u32) -> bool {
        self.room.fuel > 2 && self.trials_outlast(self.machine.depth() - depth)
    }

    pub(super) fn target_counts(&self, set: &mut ActionSet) {
        if self.banned.iter().any(|(op, _)| *op == Op::BrTable) || !self.any(|weaver, set| weaver.first_targets(set)) {
            return;
        }
        for count in 1..=MAX_TARGETS {
            set.insert_if(
                Action::Targets(count),
                self.affords(&Cost::of(Op::BrTable, 3 + count, Effect::of(Op::BrTable))),
            );
        }
    }

    /// Labels that a `br_table` could start with: nothing has been chosen of it yet.
    fn first_targets(&self, set: &mut ActionSet) {
        for (depth, target) in self.enclosing(self.cursor).enumerate() {
            set.insert_if(Action::Label(depth as u32), self.can_leave_to(target, depth as u32, 1, true));
        }
    }

    // Blocks

    #[inline]
    pub(super) fn can_block(&self, op: Op) -> bool {
        let condition =
            op != Op::If || self.scope().peek(0) == Some(ValType::I32) || self.scope().matches(&[ValType::I32]);
        condition && self.can_structure(op, Signature::NONE, false, false)
    }

    pub(super) fn block_types(&self, op: Op, set: &mut ActionSet) {
        let fits = |signature| self.can_shape(op, signature);
        set.insert_if(Action::Empty, fits(Signature::NONE));
        for ty in self.value_types() {
            set.insert_if(Action::Type(ty), fits(Signature::to(Types::one(ty))));
        }
        if !self.config().has(Feature::MultiValue) {
            return;
        }
        let two = Types::of(&[ValType::I32; 2]);
        set.insert_if(Action::Params(0), fits(Signature::to(two)));
        let known = self.scope().types.len().saturating_sub(usize::from(op == Op::If)) as u32;
        for count in 1..=MAX_PARAMS.min(known) {
            set.insert_if(Action::Params(count), fits(Signature::of(self.operands_under(op, count), Types::NONE)));
        }
    }

    /// Whether a block with this signature can be placed in some way.
    fn can_shape(&self, op: Op, signature: Signature) -> bool {
        self.can_structure(op, signature, op == Op::If && signature.params != signature.results, false)
    }

    /// Whether a block can be placed.
    pub(super) fn can_structure(&self, op: Op, signature: Signature, with_else: bool, counted: bool) -> bool {
        let (scope, limits) = (self.scope(), &self.config().limits);
        let Signature { params, results } = signature;
        let effect = Effect::with(op, &signature);
        let most = limits.stack as usize + effect.pops as usize;
        let full = !results.is_empty() && scope.types.len() + results.len() > most;
        if scope.depth >= limits.nesting || full {
            return false;
        }
        let close = fresh_closing(&params, &results);
        let arms = 1 + u32::from(with_else);
        let multi = !params.is_empty() || results.len() > 1;
        let (more_bytes, more_fuel) = if counted { (COUNTER_BYTES + NEW_LOCAL_BYTES, COUNTER_FUEL) } else { (0, 0) };
        let cost = Cost {
            body: 2 + arms * close.bytes + more_bytes,
            elsewhere: if multi { new_type_bytes(params.len() as u32, results.len() as u32) } else { 0 },
            fuel: u32::from(op == Op::If) + close.fuel + more_fuel,
            effect,
            runs: (op, if counted { &[Op::I32Const, Op::LocalSet] } else { &[] }),
            opens: true,
        };
        self.affords(&cost)
    }

    pub(super) fn results(&self, op: Op, set: &mut ActionSet) {
        if !matches!(op, Op::Block | Op::Loop | Op::If) {
            return self.function_results(op, set);
        }
        let Signature { params, results } = self.pending.signature;
        let done = self.can_shape(op, self.pending.signature) && (!params.is_empty() || results.len() > 1);
        set.insert_if(Action::Result(None), done);
        for ty in self.value_types().filter(|_| results.len() < Types::MAX) {
            let mut more = results;
            more.push(ty);
            let mut checked = more;
            if params.is_empty() && more.len() == 1 {
                checked.push(ValType::I32);
            }
            set.insert_if(Action::Result(Some(ty)), self.can_shape(op, Signature::of(params, checked)));
        }
    }

    /// The results of the exported function.
    pub(super) fn entry_results(&self, set: &mut ActionSet) {
        let (config, results) = (self.config(), self.pending.signature.results);
        let least = config.limits.min_results;
        set.insert_if(Action::Result(None), results.len() as u32 >= least);
        let bytes = |types: &Types| types.iter().map(|&ty| 1 + min_const_bytes(ty)).sum::<u32>();
        for ty in self.value_types() {
            let mut more = results;
            more.push(ty);
            let missing = least.saturating_sub(more.len() as u32);
            let size = self.loom.smallest + bytes(&more) + 3 * missing;
            let fits = size <= config.bytes.max && 1 + more.len() as u32 + missing <= config.fuel.max;
            let multi = more.len() < 2 || config.has(Feature::MultiValue);
            set.insert_if(Action::Result(Some(ty)), fits && multi && self.affords_results(&more, missing));
        }
    }

    pub(super) fn else_arms(&self, set: &mut ActionSet) {
        for with in [false, true] {
            set.insert_if(Action::Else(with), self.can_structure(Op::If, self.pending.signature, with, false));
        }
    }

    pub(super) fn countings(&self, set: &mut ActionSet) {
        set.insert(Action::Counted(false));
        set.insert_if(Action::Counted(true), self.can_structure(Op::Loop, self.pending.signature, false, true));
    }

    /// Whether there is a local to count with, and all that counting takes is allowed.
    pub(in crate::weave::weaver) fn can_count(&self) -> bool {
        let allowed = COUNTING.iter().all(|&op| self.allows(op));
        allowed && (self.local_count() < self.config().limits.locals || self.free_counter().is_some())
    }

    // Ending loops

    pub(super) fn trips(&self, set: &mut ActionSet) {
        set.insert(Action::Trips(None));
        let scope = self.scope();
        // Going back carries the operands that the loop starts with.
        if !scope.types.ends_with(&scope.params) {
            return;
        }
        if scope.counter.is_some() {
            let body = HEAD_BYTES + TAIL_BYTES;
            let cost = Cost {
                fuel: HEAD_FUEL + TAIL_FUEL,
                runs: (Op::BrIf, &[Op::LocalGet, Op::I32Const, Op::I32Add, Op::LocalTee, Op::I32Const, Op::I32LtU]),
                ..Cost::of(Op::BrIf, body, Effect::NONE)
            };
            let affordable = self.affords(&cost);
            TRIPS.iter().for_each(|&trips| set.insert_if(Action::Trips(Some(trips)), affordable));
            return;
        }
        let cost = Cost {
            fuel: WHILE_FUEL,
            runs: (Op::BrIf, &[Op::LocalGet, Op::I32Const, Op::I32ShrU, Op::LocalTee]),
            ..Cost::of(Op::BrIf, WHILE_BYTES, Effect::NONE)
        };
        if !WHILE.iter().all(|&op| self.allows(op)) || !self.affords(&cost) {
            return;
        }
        for local in 0..self.local_count() {
            let halves = self.local_type(local) == ValType::I32 && !self.is_counter(local);
            let goes_on = !self.live || self.machine.local(local).bits as u32 > 1;
            set.insert_if(Action::Local(local), halves && goes_on);
        }
    }
}
