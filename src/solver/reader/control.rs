//! Owns where reading goes on: blocks, branches, calls and their ends.
//!
//! Must not know what an instruction computes.

use super::super::misconception::Misconception::{ArgsReversed, LabelOffByOne, LocalsKept, TableDefault};
use super::super::value::{Held, reverse};
use super::{Frame, Going, Label, MAX_CALLS, Reader};
use crate::wasm::isa::Op;
use crate::wasm::program::{BlockType, Instr, Place};
use crate::wasm::types::{FuncType, ValType};

impl<'p> Reader<'p> {
    pub(super) fn open(&mut self, instr: &Instr) {
        let body = match instr.op {
            // Without an `else` arm the parameters are the results, and stay where they are.
            Op::If if !self.pop().is_true() => instr.otherwise(),
            _ => Some(instr.body()),
        };
        let Some(body) = body else { return };
        let program = self.program;
        let (params, results) = match instr.block_type() {
            BlockType::Empty => (&[][..], &[][..]),
            ty => program.block_arity(ty),
        };
        let height = self.slots.len() - params.len();
        let again = (instr.op == Op::Loop).then_some(params);
        self.labels.push(Label { body, resume: self.at, height, again, iterations: 1, results });
        self.at = Place { seq: body, index: 0 };
    }

    pub(super) fn jump(&mut self, instr: &Instr) -> Going {
        match instr.op {
            Op::Br => self.branch_to(instr.a),
            Op::BrIf if !self.pop().is_true() => Going::On,
            Op::BrIf => self.branch_to(instr.a),
            _ => {
                let labels = &self.program.label_tables[instr.a as usize];
                let index = usize::try_from(self.pop().unsigned()).unwrap_or(usize::MAX);
                let chosen = if self.misread.has(TableDefault) { usize::MAX } else { index };
                self.branch_to(labels[chosen.min(labels.len() - 1)])
            }
        }
    }

    /// A branch to a label as it stands in the text.
    fn branch_to(&mut self, label: u32) -> Going {
        let from_one = self.misread.has(LabelOffByOne);
        self.branch(label.saturating_sub(from_one.into()) as usize)
    }

    /// A call; of an imported function the stand-in answers with zeros.
    pub(super) fn call(&mut self, func: u32) -> Going {
        if self.program.funcs[func as usize].import.is_none() {
            return self.enter(func);
        }
        self.stand_in(self.program.funcs[func as usize].ty);
        Going::On
    }

    /// An unknown function takes its arguments and gives zeros.
    fn stand_in(&mut self, ty: u32) {
        let FuncType { params, results } = &self.program.types[ty as usize];
        self.slots.truncate(self.slots.len() - params.len());
        self.slots.extend(results.iter().map(|&ty| Held::zero(ty)));
        self.forget(results.len());
    }

    /// A call through a table. Where a misreading finds no such function there, it is passed over.
    pub(super) fn call_indirect(&mut self, instr: &Instr) -> Going {
        let index = self.pop().unsigned();
        let callee = self.store.callee(self.program, instr, index);
        match callee {
            _ if instr.op == Op::ReturnCallIndirect => self.tail_call(callee, instr.a),
            Some(func) => self.call(func),
            None => {
                self.stand_in(instr.a);
                Going::On
            }
        }
    }

    /// Leaves the function with the arguments of another one in the place of its results, and calls that.
    pub(super) fn tail_call(&mut self, callee: Option<u32>, ty: u32) -> Going {
        let Some(func) = callee.filter(|&func| self.program.funcs[func as usize].import.is_none()) else {
            self.stand_in(ty);
            return self.branch(self.outermost());
        };
        let frame = self.frame();
        let resume = self.label(self.outermost()).resume;
        let args = self.slots.split_off(self.slots.len() - self.program.func_type(func).params.len());
        self.keep(frame);
        self.slots.truncate(frame.base);
        self.slots.extend(args);
        self.labels.truncate(frame.first_label);
        self.frames.pop();
        self.at = resume;
        self.enter(func)
    }

    /// The depth of the label that is the function's own.
    pub(super) fn outermost(&self) -> usize {
        self.labels.len() - 1 - self.frame().first_label
    }

    pub(super) fn enter(&mut self, func: u32) -> Going {
        let program = self.program;
        let declared = &program.funcs[func as usize];
        let ty = program.func_type(func);
        if self.frames.len() == MAX_CALLS || self.steps_left <= declared.locals.len() {
            return Going::Ended;
        }
        self.steps_left -= declared.locals.len();
        self.fuel += 1;
        let base = self.slots.len() - ty.params.len();
        if self.misread.has(ArgsReversed) {
            reverse(&mut self.slots[base..]);
        }
        match self.kept.get(func as usize).filter(|kept| kept.len() == declared.locals.len()) {
            Some(kept) => self.slots.extend(kept),
            None => self.slots.extend(declared.locals.iter().map(|&ty| Held::zero(ty))),
        }
        let floor = self.slots.len();
        self.frames.push(Frame { func, base, floor, first_label: self.labels.len() });
        let body = declared.body;
        let resume = self.at;
        self.labels.push(Label { body, resume, height: floor, again: None, iterations: 1, results: &ty.results });
        self.at = Place { seq: body, index: 0 };
        Going::On
    }

    pub(super) fn branch(&mut self, depth: usize) -> Going {
        let label = self.label(depth);
        self.labels.truncate(self.labels.len() - depth);
        match label.again {
            Some(params) if label.iterations < self.most_iterations => {
                self.labels.last_mut().expect("it is branched to").iterations += 1;
                self.carry(label.height, params);
                self.at = Place { seq: label.body, index: 0 };
                Going::On
            }
            _ => self.leave(label),
        }
    }

    /// Leaves the innermost label with its results.
    pub(super) fn leave(&mut self, label: Label<'p>) -> Going {
        self.labels.pop();
        self.at = label.resume;
        self.carry(label.height, label.results);
        let frame = self.frame();
        if frame.first_label != self.labels.len() {
            return Going::On;
        }
        self.keep(frame);
        self.slots.drain(frame.base..frame.floor);
        self.frames.pop();
        self.forget(label.results.len());
        if self.frames.is_empty() { Going::Ended } else { Going::On }
    }

    /// Notes the declared locals of a call that ends, for a reader who believes that they stay.
    fn keep(&mut self, frame: Frame) {
        if !self.misread.has(LocalsKept) {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize(self.program.funcs.len(), Vec::new());
        }
        let first = frame.base + self.program.func_type(frame.func).params.len();
        self.kept[frame.func as usize] = self.slots[first..frame.floor].to_vec();
    }

    /// Moves the operands on top down to `height`. A jump that was misread may not have what is wanted there.
    fn carry(&mut self, height: usize, wanted: &[ValType]) {
        self.have(height, wanted.iter().map(|&ty| Some(ty)));
        let from = self.slots.len() - wanted.len();
        self.slots.drain(height..from);
    }
}
