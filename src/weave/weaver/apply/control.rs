//! Owns what choices about blocks, branches, loops and calls do.
//!
//! Must not know values.

use crate::wasm::isa::Op;
use crate::wasm::program::{Instr, SeqId};
use crate::wasm::types::ValType;
use crate::weave::action::Action;
use crate::weave::scope::{Counting, Effect, Ending, Scope, Signature, Types};
use crate::weave::weaver::declare::is_indirect_call;
use crate::weave::weaver::{Phase, Weaver};

impl Weaver {
    pub(super) fn apply_control(&mut self, action: Action) {
        match (self.phase, action) {
            (Phase::Label(Op::BrTable), Action::Label(depth)) => self.choose_target(depth),
            (Phase::Label(op), Action::Label(depth)) => self.branch(op, depth),
            (Phase::Targets, Action::Targets(count)) => {
                self.targets.clear();
                self.pending.targets = count + 1;
                self.phase = Phase::Label(Op::BrTable);
            }
            (Phase::BlockType(op), action) => self.choose_block_type(op, action),
            (Phase::Results(op), Action::Result(result)) => self.choose_result(op, result),
            (Phase::Else, Action::Else(with)) => self.structure(Op::If, with, false),
            (Phase::Counted, Action::Counted(counted)) => self.structure(Op::Loop, false, counted),
            (Phase::Callee(op), Action::Func(func)) => self.choose_callee(op, func),
            (Phase::Callee(op), Action::NewFunc) => self.phase = Phase::Params(op),
            (Phase::Params(op), Action::Params(count)) => {
                self.pending.signature = Signature::of(self.operands_under(op, count), self.tail_results(op));
                self.phase = Phase::Results(op);
                if is_tail_call(op) {
                    self.signature_done(op);
                }
            }
            (Phase::Recursive(op), Action::Recursive(recursive)) => self.call_new(op, recursive),
            (Phase::Trips, Action::Trips(trips)) => self.end_loop(trips),
            (Phase::Trips, Action::Local(local)) => self.end_while(local),
            (Phase::Combine, Action::Instr(op)) => self.end_recursion(op),
            (phase, action) => unreachable!("{action:?} was offered in {phase:?}"),
        }
    }

    /// Places an instruction behind which nothing is reached.
    pub(super) fn leave(&mut self, instr: Instr) {
        self.place_and_run(instr, Effect::of(instr.op));
    }

    // Branches

    fn branch(&mut self, op: Op, depth: u32) {
        let taken = op == Op::Br || (self.live && self.machine.operand(0).bits as u32 != 0);
        self.go(Instr::index(op, depth), taken.then_some(depth));
    }

    /// Places a branch; one that goes back to a loop now makes code run again.
    fn go(&mut self, instr: Instr, taken: Option<u32>) {
        let effect = Effect::of(instr.op);
        match taken {
            Some(depth) if self.live && self.label_op(depth) == Op::Loop => {
                self.place_on_trial(instr, &effect, depth);
            }
            _ => self.place_and_run(instr, effect),
        }
    }

    /// What made the block that a label leaves.
    pub(in crate::weave::weaver) fn label_op(&self, depth: u32) -> Op {
        let seq = self.enclosing(self.cursor).nth(depth as usize).expect("the label is in scope");
        self.scopes[seq as usize].op
    }

    fn choose_target(&mut self, depth: u32) {
        self.targets.push(depth);
        self.pending.targets -= 1;
        if self.pending.targets > 0 {
            return;
        }
        let labels = self.targets.clone();
        let taken = self.live.then(|| {
            let index = self.machine.operand(0).bits as u32 as usize;
            labels[index.min(labels.len() - 1)]
        });
        self.program.label_tables.push(labels);
        let instr = Instr::index(Op::BrTable, self.program.label_tables.len() as u32 - 1);
        self.go(instr, taken);
    }

    // Signatures

    fn choose_block_type(&mut self, op: Op, action: Action) {
        self.pending.signature = match action {
            Action::Empty => Signature::NONE,
            Action::Type(ty) => Signature::to(Types::one(ty)),
            Action::Params(count) => {
                self.pending.signature = Signature::of(self.operands_under(op, count), Types::NONE);
                self.phase = Phase::Results(op);
                return;
            }
            action => unreachable!("{action:?} is no block type"),
        };
        self.signature_done(op);
    }

    fn choose_result(&mut self, op: Op, result: Option<ValType>) {
        match result {
            Some(ty) => {
                self.pending.signature.results.push(ty);
                let most = if op == Op::End { self.config().limits.results as usize } else { Types::MAX };
                if self.pending.signature.results.len() == most {
                    self.signature_done(op);
                }
            }
            None => self.signature_done(op),
        }
    }

    /// Parameters and results are chosen.
    fn signature_done(&mut self, op: Op) {
        match op {
            Op::End => self.begin(),
            Op::If if self.needs_else() => self.structure(op, true, false),
            Op::If => self.phase = Phase::Else,
            Op::Loop if self.can_count() => self.phase = Phase::Counted,
            Op::Loop | Op::Block => self.structure(op, false, false),
            _ if self.can_recur(op) => self.phase = Phase::Recursive(op),
            _ => self.call_new(op, false),
        }
    }

    /// An `if` without `else` leaves its parameters as they are.
    pub(in crate::weave::weaver) fn needs_else(&self) -> bool {
        self.pending.signature.params != self.pending.signature.results
    }

    /// The types of so many operands under what the instruction itself pops.
    pub(in crate::weave::weaver) fn operands_under(&self, op: Op, count: u32) -> Types {
        let above = usize::from(is_indirect_call(op) || op == Op::If);
        let types = &self.scope().types;
        let end = types.len().saturating_sub(above);
        Types::of(&types[end - count as usize..end])
    }

    /// A function that replaces its caller has the caller's results.
    pub(in crate::weave::weaver) fn tail_results(&self, op: Op) -> Types {
        if is_tail_call(op) { self.signature(self.scope().func).results } else { Types::NONE }
    }

    // Blocks

    /// Places a block, loop or `if` with open sequences inside.
    fn structure(&mut self, op: Op, with_else: bool, counted: bool) {
        let signature = self.pending.signature;
        let ty = self.block_type(&signature);
        let counter = counted.then(|| self.start_counter());
        let (func, depth, parent) = (self.scope().func, self.scope().depth + 1, self.cursor);
        let inner = || Scope::new(func, Some(parent), op, signature, depth);
        let ending = if op == Op::Loop { Ending::Loop } else { Ending::Plain };
        let body = self.open(Scope { counter, ending, ..inner() });
        let otherwise = with_else.then(|| self.open(inner()));
        self.place_and_run(Instr::structured(op, ty, body, otherwise), Effect::with(op, &signature));
    }

    /// Sets the counter of a loop to zero: `i32.const 0; local.set c`.
    fn start_counter(&mut self) -> u32 {
        let counter = self.free_counter();
        let counter = counter.unwrap_or_else(|| self.add_local(ValType::I32));
        self.place(Instr::constant(ValType::I32, 0), &Effect::of(Op::I32Const));
        self.place(Instr::index(Op::LocalSet, counter), &Effect::of(Op::LocalSet));
        counter
    }

    /// A local that can count again when no more can be declared.
    pub(in crate::weave::weaver) fn free_counter(&self) -> Option<u32> {
        if self.local_count() < self.config().limits.locals {
            return None;
        }
        (0..self.local_count()).find(|&local| self.local_type(local) == ValType::I32 && !self.is_counter(local))
    }

    pub(super) fn choose_end(&mut self) {
        match self.scope().ending {
            Ending::Plain => self.end(),
            Ending::Loop => self.phase = Phase::Trips,
            Ending::Recursion if self.live => self.phase = Phase::Combine,
            Ending::Recursion => self.end(),
        }
    }

    fn end(&mut self) {
        self.close(self.cursor);
        self.phase = Phase::Instr;
        self.advance();
    }

    // Loops

    /// Ends a loop: with trips, the counter goes up and further iterations are tried.
    fn end_loop(&mut self, trips: Option<u32>) {
        let Some(wanted) = trips else { return self.end() };
        let counter = self.scope().counter.expect("only counted loops ask for trips");
        if self.live {
            self.begin_iterations();
        }
        self.place(Instr::index(Op::LocalGet, counter), &Effect::on(Op::LocalGet, ValType::I32));
        self.place(Instr::constant(ValType::I32, 1), &Effect::of(Op::I32Const));
        self.place(Instr::plain(Op::I32Add), &Effect::of(Op::I32Add));
        self.place(Instr::index(Op::LocalTee, counter), &Effect::on(Op::LocalTee, ValType::I32));
        self.scopes[self.cursor as usize].counting = Some(Counting { wanted, done: 0 });
        self.reprice(self.cursor);
        if !self.live {
            self.finish_loop(self.cursor, wanted);
        }
        self.advance();
    }

    /// Ends a loop that goes on while a local, halved every time, is not zero: how often depends on the data.
    fn end_while(&mut self, local: u32) {
        let tail = [
            Instr::index(Op::LocalGet, local),
            Instr::constant(ValType::I32, 1),
            Instr::plain(Op::I32ShrU),
            Instr::index(Op::LocalTee, local),
            Instr::index(Op::BrIf, 0),
        ];
        let outside = self.machine.depth().saturating_sub(1);
        self.end_with_tail(&tail, outside, &[self.cursor]);
    }

    // Calls

    fn choose_callee(&mut self, op: Op, func: u32) {
        match op {
            Op::RefFunc => {
                self.declare_reference(func);
                self.place_and_run(Instr::index(op, func), Effect::of(op));
            }
            _ => self.call_again(op, func),
        }
    }

    /// The instruction that calls a function, and what it does to the operands.
    fn call(&mut self, op: Op, func: u32) -> (Instr, Effect) {
        let effect = Effect::with(op, &self.signature(func));
        let instr = if is_indirect_call(op) {
            Instr::indices(op, self.program.funcs[func as usize].ty, self.pending.table)
        } else {
            Instr::index(op, func)
        };
        (instr, effect)
    }

    /// A call through a table finds its function there; where the table still has room for it, it is put there.
    fn enter_in_table(&mut self, op: Op, func: u32) {
        if is_indirect_call(op) && self.live && self.fills_slot(self.pending.table) {
            self.add_element(self.pending.table, func);
        }
    }

    /// Calls a function that exists; in dead code the call is just written.
    fn call_again(&mut self, op: Op, func: u32) {
        self.enter_in_table(op, func);
        let (instr, effect) = self.call(op, func);
        if self.program.funcs[func as usize].import.is_some() {
            self.place_and_run(instr, effect);
        } else {
            self.place_on_trial(instr, &effect, func);
        }
    }

    fn call_new(&mut self, op: Op, recursive: bool) {
        let signature = self.pending.signature;
        let func = self.add_function(&signature);
        self.enter_in_table(op, func);
        let (instr, effect) = self.call(op, func);
        if recursive {
            self.start_recursion(func);
        }
        self.place_and_run(instr, effect);
    }

    /// Writes `local.get 0; i32.eqz; if BASE else STEP end` into a new function. The first parameter says how much
    /// deeper it may call itself; what it yields at the bottom is woven when execution gets there.
    fn start_recursion(&mut self, func: u32) {
        let caller = std::mem::replace(&mut self.cursor, self.program.funcs[func as usize].body);
        let signature = Signature::to(self.signature(func).results);
        self.scopes[self.cursor as usize].counter = Some(0);
        self.place(Instr::index(Op::LocalGet, 0), &Effect::on(Op::LocalGet, ValType::I32));
        self.place(Instr::plain(Op::I32Eqz), &Effect::of(Op::I32Eqz));
        let ty = self.block_type(&signature);
        let parent = self.cursor;
        let inner = || Scope::new(func, Some(parent), Op::If, signature, 1);
        let base = self.open(inner());
        let step = self.open(Scope { ending: Ending::Recursion, ..inner() });
        self.place(Instr::structured(Op::If, ty, base, Some(step)), &Effect::with(Op::If, &signature));
        self.cursor = caller;
    }

    /// Ends the step of a recursive function: it calls itself and combines both results with `op`, or does not.
    fn end_recursion(&mut self, op: Op) {
        if op == Op::End {
            return self.end();
        }
        let (step, func) = (self.cursor, self.scope().func);
        let body = self.program.funcs[func as usize].body;
        let params = self.signature(func).params.len() as u32;
        let mut tail = vec![Instr::index(Op::LocalGet, 0), Instr::constant(ValType::I32, 1), Instr::plain(Op::I32Sub)];
        tail.extend((1..params).map(|index| Instr::index(Op::LocalGet, index)));
        tail.push(Instr::index(Op::Call, func));
        let results = self.scope().results.len();
        tail.extend((0..results).map(|_| Instr::plain(op)));
        let outside = self.machine.bottom();
        let close: [SeqId; 2] = [step, body];
        self.end_with_tail(&tail, outside, &close);
    }
}

/// Whether an instruction replaces its caller.
pub(in crate::weave::weaver) fn is_tail_call(op: Op) -> bool {
    matches!(op, Op::ReturnCall | Op::ReturnCallIndirect)
}
