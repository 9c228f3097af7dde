//! Owns what each choice does to the program.
//!
//! Must not know whether a choice is wise: it was offered, so it is legal and paid for.

use super::{Phase, Weaver};
use crate::wasm::encode::instr_size;
use crate::wasm::isa::{Imm, Op};
use crate::wasm::program::{BlockType, Global, Instr, Memory, SeqId};
use crate::wasm::types::{Bits, FuncType, ValType};
use crate::weave::action::Action;
use crate::weave::scope::{Counting, Effect, Scope};

impl Weaver {
    /// Carries out a choice and runs on to where the next one is due.
    pub(super) fn apply(&mut self, action: Action) {
        match (self.phase, action) {
            (Phase::Entry, Action::Signature { result, .. }) => self.begin(result),
            (Phase::Instr, Action::Instr(op)) => self.choose(op),
            (Phase::Local(op), Action::Local(index)) => self.access_local(op, index),
            (Phase::Local(op), Action::NewLocal(ty)) => {
                let index = self.add_local(ty);
                self.access_local(op, index);
            }
            (Phase::Global(op), Action::Global(index)) => self.access_global(op, index),
            (Phase::Global(Op::GlobalGet), Action::NewGlobal(ty)) => self.phase = Phase::GlobalInit(ty),
            (Phase::Global(op), Action::NewGlobal(ty)) => {
                let index = self.add_global(ty, 0);
                self.access_global(op, index);
            }
            (Phase::GlobalInit(ty), Action::Bucket(bucket)) => {
                let init = self.draw(ty, bucket);
                let index = self.add_global(ty, init);
                self.access_global(Op::GlobalGet, index);
            }
            (Phase::Label(op), Action::Label(depth)) => self.branch(op, depth),
            (Phase::BlockType(Op::If), Action::Block(ty)) => self.phase = Phase::Else(ty),
            (Phase::BlockType(op), Action::Block(ty)) => self.structure(op, ty, false),
            (Phase::Else(ty), Action::Else(with)) => self.structure(Op::If, ty, with),
            (Phase::Callee, Action::Func(func)) => self.call_again(func),
            (Phase::Callee, Action::NewFunc) => self.phase = Phase::Signature,
            (Phase::Signature, Action::Signature { params, result }) => self.call_new(params, result),
            (Phase::Trips, Action::Trips(trips)) => self.end_loop(trips),
            (Phase::Bucket(ty), Action::Bucket(bucket)) => {
                let bits = self.draw(ty, bucket);
                self.place_and_run(Instr::constant(ty, bits), Effect { pops: 0, push: Some(ty) });
            }
            (Phase::Offset(op), Action::Offset(offset)) => self.access_memory(op, offset),
            (phase, action) => unreachable!("{action:?} was offered in {phase:?}"),
        }
    }

    fn begin(&mut self, result: Option<ValType>) {
        self.add_function(FuncType { params: Vec::new(), results: result.into_iter().collect() });
        self.machine.reset(&self.program, self.config().limits.locals);
        self.machine.fuel_limit = u64::from(self.config().fuel.max);
        self.machine.invoke(&self.program, 0, &[]).expect("the fuel of one activation was checked");
        self.phase = Phase::Instr;
        self.advance();
    }

    /// An instruction was chosen: asks for its immediate, or places it.
    fn choose(&mut self, op: Op) {
        let row = op.row();
        match row.imm {
            Imm::Local => self.phase = Phase::Local(op),
            Imm::Global => self.phase = Phase::Global(op),
            Imm::Label => self.phase = Phase::Label(op),
            Imm::BlockType => self.phase = Phase::BlockType(op),
            Imm::Func => self.phase = Phase::Callee,
            Imm::MemArg { .. } => self.phase = Phase::Offset(op),
            Imm::I32 | Imm::I64 | Imm::F32 | Imm::F64 => self.phase = Phase::Bucket(row.results[0]),
            Imm::LabelTable => unreachable!("br_table is not offered"),
            _ => self.plain(op),
        }
    }

    fn plain(&mut self, op: Op) {
        match op {
            Op::End if self.scope().counter.is_some() => self.phase = Phase::Trips,
            Op::End => self.end(),
            Op::Drop => self.place_and_run(Instr::plain(op), Effect { pops: 1, push: None }),
            Op::Select => {
                let push = self.scope().peek(1);
                self.place_and_run(Instr::plain(op), Effect { pops: 3, push });
            }
            Op::Return | Op::Unreachable => self.leave(Instr::plain(op)),
            Op::MemorySize => {
                self.need_memory();
                self.place_and_run(Instr::plain(op), Effect::of(op.row()));
            }
            _ => self.place_and_run(Instr::plain(op), Effect::of(op.row())),
        }
    }

    pub(super) fn place_and_run(&mut self, instr: Instr, effect: Effect) {
        self.place(instr, effect);
        self.advance();
    }

    /// Places an instruction behind which nothing is reached.
    fn leave(&mut self, instr: Instr) {
        self.place(instr, Effect::default());
        self.scopes[self.cursor as usize].cut();
        self.reprice(self.cursor);
        self.advance();
    }

    fn access_local(&mut self, op: Op, index: u32) {
        let ty = self.program.local_type(self.scope().func, index);
        let effect = match op {
            Op::LocalGet => Effect { pops: 0, push: ty },
            Op::LocalSet => Effect { pops: 1, push: None },
            _ => Effect { pops: 1, push: ty },
        };
        self.place_and_run(Instr::index(op, index), effect);
    }

    fn access_global(&mut self, op: Op, index: u32) {
        let ty = self.program.globals[index as usize].ty;
        let effect =
            if op == Op::GlobalGet { Effect { pops: 0, push: Some(ty) } } else { Effect { pops: 1, push: None } };
        self.place_and_run(Instr::index(op, index), effect);
    }

    fn add_global(&mut self, ty: ValType, init: Bits) -> u32 {
        self.ledger.add_global(instr_size(&self.program, &Instr::constant(ty, init)));
        self.program.globals.push(Global { ty, mutable: true, init: Instr::constant(ty, init), import: None });
        self.machine.declare_global(init);
        self.program.globals.len() as u32 - 1
    }

    fn need_memory(&mut self) {
        if self.program.memory.is_none() {
            self.program.memory = Some(Memory { min: 1, max: None, import: None });
            self.ledger.add_memory();
            self.machine.declare_memory(1, None);
        }
    }

    fn access_memory(&mut self, op: Op, offset: u32) {
        self.need_memory();
        let align = crate::wasm::machine::width(op).trailing_zeros();
        self.place_and_run(Instr::memory(op, align, offset), Effect::of(op.row()));
    }

    fn branch(&mut self, op: Op, depth: u32) {
        match op {
            Op::BrIf => self.place_and_run(Instr::index(op, depth), Effect { pops: 1, push: None }),
            _ => self.leave(Instr::index(op, depth)),
        }
    }

    /// Places a block, loop or `if` with open sequences inside.
    fn structure(&mut self, op: Op, ty: BlockType, with_else: bool) {
        let result = match ty {
            BlockType::Value(ty) => Some(ty),
            _ => None,
        };
        let counter = (op == Op::Loop).then(|| self.start_counter());
        let (func, depth, parent) = (self.scope().func, self.scope().depth + 1, self.cursor);
        let inner = |counter| Scope { counter, ..Scope::new(func, Some(parent), op, result, depth) };
        let body = self.open(inner(counter));
        let otherwise = with_else.then(|| self.open(inner(None)));
        let pops = u32::from(op == Op::If);
        self.place(Instr::structured(op, ty, body, otherwise), Effect { pops, push: result });
        self.advance();
    }

    /// Sets the counter of a loop to zero: `i32.const 0; local.set c`.
    fn start_counter(&mut self) -> u32 {
        let counter = self.free_counter();
        let counter = counter.unwrap_or_else(|| self.add_local(ValType::I32));
        self.place(Instr::constant(ValType::I32, 0), Effect { pops: 0, push: Some(ValType::I32) });
        self.place(Instr::index(Op::LocalSet, counter), Effect { pops: 1, push: None });
        counter
    }

    /// A local that can count again when no more can be declared.
    pub(super) fn free_counter(&self) -> Option<u32> {
        if self.local_count() < self.config().limits.locals {
            return None;
        }
        let func = self.scope().func;
        (0..self.local_count())
            .find(|&local| self.program.local_type(func, local) == Some(ValType::I32) && !self.is_counter(local))
    }

    fn end(&mut self) {
        self.close(self.cursor);
        self.phase = Phase::Instr;
        self.advance();
    }

    /// Ends a counted loop: with trips, the counter goes up and further iterations are tried.
    fn end_loop(&mut self, trips: Option<u32>) {
        let Some(wanted) = trips else { return self.end() };
        let counter = self.scope().counter.expect("only counted loops ask for trips");
        if self.live {
            self.begin_iterations();
        }
        self.place(Instr::index(Op::LocalGet, counter), Effect { pops: 0, push: Some(ValType::I32) });
        self.place(Instr::constant(ValType::I32, 1), Effect { pops: 0, push: Some(ValType::I32) });
        self.place(Instr::plain(Op::I32Add), Effect { pops: 2, push: Some(ValType::I32) });
        self.place(Instr::index(Op::LocalTee, counter), Effect { pops: 1, push: Some(ValType::I32) });
        self.scopes[self.cursor as usize].counting = Some(Counting { wanted, done: 0 });
        self.reprice(self.cursor);
        if !self.live {
            self.finish_loop(self.cursor, wanted);
        }
        self.advance();
    }

    /// Writes the end of a counted loop: `i32.const trips; i32.lt_u; br_if 0`.
    pub(super) fn finish_loop(&mut self, seq: SeqId, trips: u32) {
        let tail =
            [Instr::constant(ValType::I32, Bits::from(trips)), Instr::plain(Op::I32LtU), Instr::index(Op::BrIf, 0)];
        let func = self.scopes[seq as usize].func;
        for instr in tail {
            self.ledger.add_code(func, i64::from(instr_size(&self.program, &instr)));
            self.program.seqs[seq as usize].code.push(instr);
        }
        self.scopes[seq as usize].counting = None;
        self.close(seq);
    }

    fn call_new(&mut self, params: u32, result: Option<ValType>) {
        let types = &self.scope().types;
        let params: Vec<ValType> = types[types.len() - params as usize..].to_vec();
        let effect = Effect { pops: params.len() as u32, push: result };
        let func = self.add_function(FuncType { params, results: result.into_iter().collect() });
        self.place_and_run(Instr::index(Op::Call, func), effect);
    }
}
