//! Owns control: labels, activations, and how execution moves between them.
//!
//! Must not know what instructions compute. A label is written once, when it is entered, so that going back needs to
//! log it only where a live one is overwritten. Nothing here is recursive, whatever the program nests.

use super::{Flow, MAX_CALL_DEPTH, MAX_STACK, Machine, Modules, Stop, stop};
use crate::wasm::isa::{Op, Trap};
use crate::wasm::program::{BlockType, Instr, Place, Program, SeqId};
use crate::wasm::types::{FuncType, ValType};

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
    pub(super) kind: LabelKind,
}

/// What one who runs code in another way than it was written for must know of a label: valid code always has the operands
/// that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLabel {
    /// Operands above what it began with.
    pub above: u32,
    /// Values that a branch to it carries.
    pub carries: u32,
    /// Values that it leaves at its end.
    pub leaves: u32,
    /// Unique number of this entry into the block.
    pub serial: u32,
    /// Whether a branch to it goes back to its beginning.
    pub is_loop: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LabelKind {
    Block,
    Loop,
    /// An activation.
    Call(Caller),
}

/// The registers of the activation that called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    instance: u32,
    func: u32,
    base: u32,
    bottom: u32,
}

const NO_LABEL: Label = Label {
    body: 0,
    resume: Place { seq: 0, index: 0 },
    height: 0,
    arity: 0,
    results: 0,
    serial: 0,
    kind: LabelKind::Block,
};

impl Machine {
    pub(super) fn enter_block(&mut self, program: &Program, instr: &Instr, body: SeqId) {
        let (params, results) = match instr.block_type() {
            BlockType::Empty => (0, 0),
            BlockType::Value(_) => (0, 1),
            BlockType::Func(index) => {
                let FuncType { params, results } = &program.types[index as usize];
                (params.len() as u32, results.len() as u32)
            }
        };
        let (kind, arity) = if instr.op == Op::Loop { (LabelKind::Loop, params) } else { (LabelKind::Block, results) };
        self.push_label(Label {
            body,
            resume: self.place(),
            height: self.r.sp - params,
            arity,
            results,
            serial: 0,
            kind,
        });
        (self.r.seq, self.r.pc) = (body, 0);
    }

    /// Calls a function of the running instance.
    #[inline]
    pub(super) fn call(
        &mut self,
        modules: &(impl Modules + ?Sized),
        program: &Program,
        func: u32,
    ) -> Result<Flow, Trap> {
        if program.funcs[func as usize].import.is_some() {
            return self.call_address(modules, self.func_address(self.r.instance, func), self.place());
        }
        self.enter(program, self.r.instance, func, self.place())
    }

    /// Calls the function with this address.
    pub(super) fn call_address(
        &mut self,
        modules: &(impl Modules + ?Sized),
        address: u32,
        resume: Place,
    ) -> Result<Flow, Trap> {
        let (instance, func) = self.func_at(address);
        let program = modules.program(instance);
        if program.funcs[func as usize].import.is_none() {
            return self.enter(program, instance, func, resume);
        }
        // What an import still leads to is the host.
        let FuncType { params, results } = program.func_type(func);
        self.r.sp -= params.len() as u32;
        results.iter().for_each(|&ty| self.push(ty, 0));
        (self.r.seq, self.r.pc) = (resume.seq, resume.index);
        Ok(if self.r.lp == 0 { Flow::Finish } else { Flow::Jump })
    }

    /// Calls the function with this address in place of the one that runs.
    pub(super) fn tail_call(&mut self, modules: &(impl Modules + ?Sized), address: u32) -> Result<Flow, Trap> {
        let (instance, func) = self.func_at(address);
        let args = modules.program(instance).func_type(func).params.len() as u32;
        let label = self.labels[self.r.bottom as usize];
        let LabelKind::Call(caller) = label.kind else {
            unreachable!("the lowest label of a function is its activation")
        };
        // If this fails, it fails here, not in the caller.
        let (instance_here, func_here) = (self.r.instance, self.r.func);
        self.carry(self.r.base, args);
        self.r.lp = self.r.bottom;
        self.restore(caller);
        let flow = self.call_address(modules, address, label.resume);
        if flow.is_err() {
            (self.r.instance, self.r.func) = (instance_here, func_here);
        }
        flow
    }

    fn enter(&mut self, program: &Program, instance: u32, func: u32, resume: Place) -> Result<Flow, Trap> {
        self.burn(1)?;
        let declared = &program.funcs[func as usize];
        let ty = &program.types[declared.ty as usize];
        let locals = declared.locals.len() as u32;
        self.r.calls += 1;
        if self.r.calls > MAX_CALL_DEPTH || self.r.sp + locals > MAX_STACK || self.r.lp > MAX_STACK {
            return Err(Trap::CallStackExhausted);
        }
        let base = self.r.sp - ty.params.len() as u32;
        declared.locals.iter().for_each(|&ty| self.push(ty, 0));
        (locals..self.spare_locals).for_each(|_| self.push(ValType::I32, 0));
        let results = ty.results.len() as u32;
        let Self { r, .. } = self;
        let caller = Caller { instance: r.instance, func: r.func, base: r.base, bottom: r.bottom };
        self.push_label(Label {
            body: declared.body,
            resume,
            height: self.r.sp,
            arity: results,
            results,
            serial: 0,
            kind: LabelKind::Call(caller),
        });
        (self.r.func, self.r.base, self.r.bottom) = (func, base, self.r.lp - 1);
        (self.r.seq, self.r.pc) = (declared.body, 0);
        self.switch(instance);
        Ok(Flow::Jump)
    }

    /// The registers of the caller, whose operands are those below the arguments.
    fn restore(&mut self, caller: Caller) {
        (self.r.func, self.r.base, self.r.bottom) = (caller.func, caller.base, caller.bottom);
        self.r.calls -= 1;
        self.switch(caller.instance);
    }

    #[inline]
    fn switch(&mut self, instance: u32) {
        if instance != self.r.instance {
            self.r.instance = instance;
            self.r.memory = self.memory_address(instance);
        }
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
    #[inline]
    pub(super) fn end(&mut self) -> Flow {
        let label = self.labels[self.r.lp as usize - 1];
        self.leave(label, label.results)
    }

    pub(super) fn branch(&mut self, depth: u32) -> Flow {
        let target = self.r.lp - 1 - depth;
        let label = self.labels[target as usize];
        self.r.lp = target + 1;
        match label.kind {
            LabelKind::Loop => {
                self.carry(label.height, label.arity);
                (self.r.seq, self.r.pc) = (label.body, 0);
                Flow::Jump
            }
            LabelKind::Block | LabelKind::Call(_) => self.leave(label, label.arity),
        }
    }

    /// Leaves the block at this depth as its end does. The operands that it leaves must be there.
    pub fn leave_block(&mut self, depth: u32) -> Option<Stop> {
        self.r.lp -= depth;
        stop(Ok(self.end()))
    }

    /// An open label of the function that runs; `None` if it has none at this depth.
    pub fn open_label(&self, depth: u32) -> Option<OpenLabel> {
        let at = self.r.lp.checked_sub(1 + depth).filter(|&at| at >= self.r.bottom)?;
        let Label { height, arity, results, serial, kind, .. } = self.labels[at as usize];
        let above = self.r.sp.saturating_sub(height);
        Some(OpenLabel { above, carries: arity, leaves: results, serial, is_loop: matches!(kind, LabelKind::Loop) })
    }

    /// Leaves the running function.
    pub(super) fn return_(&mut self) -> Flow {
        self.branch(self.r.lp - 1 - self.r.bottom)
    }

    /// Leaves the innermost label with the top `count` values.
    #[inline]
    fn leave(&mut self, label: Label, count: u32) -> Flow {
        self.r.lp -= 1;
        (self.r.seq, self.r.pc) = (label.resume.seq, label.resume.index);
        let LabelKind::Call(caller) = label.kind else {
            self.carry(label.height, count);
            return Flow::Jump;
        };
        self.carry(self.r.base, count);
        self.restore(caller);
        if self.r.lp == 0 { Flow::Finish } else { Flow::Jump }
    }

    /// Moves the top `count` operands down to `height`.
    #[inline]
    fn carry(&mut self, height: u32, count: u32) {
        let from = self.r.sp - count;
        if from != height {
            (0..count).for_each(|i| self.copy_slot(from + i, height + i));
        }
        self.r.sp = height + count;
    }

    /// Opens a label, and numbers it.
    #[inline]
    fn push_label(&mut self, label: Label) {
        self.serial = self.serial.wrapping_add(1);
        let at = self.r.lp as usize;
        if at == self.labels.len() {
            self.labels.push(NO_LABEL);
        }
        if self.r.lp < self.label_floor {
            self.log.label(self.r.lp, self.labels[at]);
        }
        self.labels[at] = Label { serial: self.serial, ..label };
        self.r.lp += 1;
    }
}
