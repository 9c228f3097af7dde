//! Owns control: labels, activations, and how execution moves between them.
//!
//! Must not know what instructions compute. A label is written once, when it is entered, so that going back needs to
//! log it only where a live one is overwritten.

use super::{MAX_CALL_DEPTH, Machine, Stop, Undo};
use crate::wasm::isa::{Op, Trap};
use crate::wasm::program::{BlockType, Instr, Place, Program, SeqId};
use crate::wasm::types::ValType;

/// What a label or an activation needs when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    /// Where a branch to a loop goes.
    pub(super) body: SeqId,
    /// Where execution goes on after it.
    pub(super) resume: Place,
    /// First slot of its operands.
    pub(super) height: u32,
    /// Values that a branch to it carries.
    pub(super) arity: u32,
    /// Values that it leaves at its end.
    pub(super) results: u32,
    /// Unique number of this entry into the block.
    pub(super) serial: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Block,
    Loop,
    /// An activation, with the registers of its caller.
    Call {
        func: u32,
        base: u32,
        bottom: u32,
    },
}

pub(super) const NO_LABEL: Label = Label {
    body: 0,
    resume: Place { seq: 0, index: 0 },
    height: 0,
    arity: 0,
    results: 0,
    serial: 0,
    kind: Kind::Block,
};

impl Machine {
    pub(super) fn enter_block(&mut self, program: &Program, instr: &Instr, body: SeqId) {
        let (params, results) = match instr.block_type() {
            BlockType::Empty => (0, 0),
            ty => {
                let (params, results) = program.block_arity(ty);
                (params.len() as u32, results.len() as u32)
            }
        };
        let is_loop = instr.op == Op::Loop;
        self.serial += 1;
        self.push_label(Label {
            body,
            resume: self.place(),
            height: self.r.sp - params,
            arity: if is_loop { params } else { results },
            results,
            serial: self.serial,
            kind: if is_loop { Kind::Loop } else { Kind::Block },
        });
        (self.r.seq, self.r.pc) = (body, 0);
    }

    pub(super) fn enter(&mut self, program: &Program, func: u32, resume: Place) -> Result<(), Trap> {
        self.burn(1)?;
        self.r.calls += 1;
        if self.r.calls > MAX_CALL_DEPTH {
            return Err(Trap::CallStackExhausted);
        }
        let declared = &program.funcs[func as usize];
        let ty = &program.types[declared.ty as usize];
        let base = self.r.sp - ty.params.len() as u32;
        declared.locals.iter().for_each(|&ty| self.push(ty, 0));
        let spare = self.spare_locals.saturating_sub(declared.locals.len() as u32);
        (0..spare).for_each(|_| self.push(ValType::I32, 0));
        let results = ty.results.len() as u32;
        self.serial += 1;
        self.push_label(Label {
            body: declared.body,
            resume,
            height: self.r.sp,
            arity: results,
            results,
            serial: self.serial,
            kind: Kind::Call { func: self.r.func, base: self.r.base, bottom: self.r.bottom },
        });
        (self.r.func, self.r.base, self.r.bottom) = (func, base, self.r.lp - 1);
        (self.r.seq, self.r.pc) = (declared.body, 0);
        Ok(())
    }

    /// What the end of a counted loop does while it is not written yet: pops the counter, pays, and goes round again.
    ///
    /// # Errors
    /// [`Trap::OutOfFuel`].
    pub fn loop_back(&mut self, fuel: u64) -> Result<(), Trap> {
        self.burn(fuel)?;
        self.pop();
        self.branch(0);
        Ok(())
    }

    /// The implicit `end` of the current sequence.
    pub(super) fn end(&mut self) -> Option<Stop> {
        let label = self.labels[self.r.lp as usize - 1];
        self.leave(label, label.results)
    }

    pub(super) fn branch(&mut self, depth: u32) -> Option<Stop> {
        let target = self.r.lp - 1 - depth;
        let label = self.labels[target as usize];
        self.r.lp = target + 1;
        match label.kind {
            Kind::Loop => {
                self.carry(label.height, label.arity);
                (self.r.seq, self.r.pc) = (label.body, 0);
                None
            }
            Kind::Block | Kind::Call { .. } => self.leave(label, label.arity),
        }
    }

    /// Leaves the innermost label with the top `count` values.
    pub(super) fn leave(&mut self, label: Label, count: u32) -> Option<Stop> {
        self.r.lp -= 1;
        (self.r.seq, self.r.pc) = (label.resume.seq, label.resume.index);
        let Kind::Call { func, base, bottom } = label.kind else {
            self.carry(label.height, count);
            return None;
        };
        self.carry(self.r.base, count);
        (self.r.func, self.r.base, self.r.bottom) = (func, base, bottom);
        self.r.calls -= 1;
        (self.r.lp == 0).then_some(Stop::Finished)
    }

    /// Moves the top `count` operands down to `height`.
    pub(super) fn carry(&mut self, height: u32, count: u32) {
        let from = self.r.sp - count;
        if from != height {
            for i in 0..count {
                let at = (from + i) as usize;
                self.write_slot(height + i, self.slots[at], self.types[at]);
            }
        }
        self.r.sp = height + count;
    }

    pub(super) fn push_label(&mut self, label: Label) {
        let at = self.r.lp as usize;
        if at == self.labels.len() {
            self.labels.push(NO_LABEL);
        }
        if self.r.lp < self.label_floor {
            self.log.push(Undo::Label { at: self.r.lp, label: self.labels[at] });
        }
        self.labels[at] = label;
        self.r.lp += 1;
    }
}
