//! Owns the trials: stretches of execution whose outcome is not known beforehand, since code runs again.
//!
//! Must not know choices. Code that runs again, in another iteration of a loop or a further call of a function, may trap
//! or run over a limit. So it runs under a mark: a loop whose next iteration fails stops before it; a call, a branch
//! back or a recursion that fails is taken back and not offered again at this place. Trials nest, and the innermost is
//! always the one to give way.

use super::{Phase, Weaver};
use crate::wasm::isa::{Op, Trap};
use crate::wasm::machine::Mark;
use crate::wasm::program::{Instr, SeqId};
use crate::wasm::types::ValType;
use crate::weave::scope::{Effect, TAIL_FUEL};

/// Something that runs again, and may fail.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) kind: TrialKind,
    mark: Mark,
    /// Labels outside of it. The innermost of these is the loop, or the block that holds the call: when it is gone, the
    /// trial is over.
    outside: u32,
    serial: Option<u32>,
    /// Where it is over if that label is still there.
    back: Back,
    /// Bytes held back in a function: closing may cost more again once the trial is taken back.
    held: (u32, u32),
    /// What to put back.
    fuel_limit: u64,
    fuel_base: u32,
    time: u64,
}

/// Where a trial is over: this many labels deep, at the end of this sequence if one is named.
#[derive(Clone, Copy, Debug)]
struct Back {
    depth: u32,
    seq: Option<SeqId>,
}

#[derive(Clone, Debug)]
pub(super) enum TrialKind {
    /// Iterations of the counted loop with this body.
    Loop { body: SeqId },
    /// An instruction placed last in `seq`, which had these operand types before: a call, or a branch to a loop.
    Placed { seq: SeqId, types: Vec<ValType>, polymorphic: bool, target: u32 },
    /// The last instructions of `seq`, behind the first `len`: a recursion, or the back-edge of a loop.
    Tail { seq: SeqId, len: usize },
}

impl Trial {
    /// Whether execution stands where the trial is over.
    #[inline]
    pub(super) fn is_back(&self, depth: u32, seq: SeqId) -> bool {
        self.back.depth == depth && self.back.seq.is_none_or(|end| end == seq)
    }
}

impl Weaver {
    /// Ends all trials whose label has been left for what lies behind it. Such a loop keeps the trips it was to have.
    /// False if the innermost must give way: it took too long, or its label was left for a loop around it, and from here
    /// execution would come by once more, at an unknown price.
    pub(super) fn settle(&mut self) -> bool {
        while let Some(trial) = self.trials.last() {
            // Without a label outside, only the end of the program ends it.
            let lasts = match trial.outside.checked_sub(1) {
                Some(label) => self.machine.serial_at(label) == trial.serial,
                None => self.machine.depth() > 0,
            };
            if lasts {
                return true;
            }
            // Labels are numbered as they are entered. What lies behind the trial runs in a label from before it.
            let innermost = self.machine.depth().checked_sub(1).and_then(|label| self.machine.serial_at(label));
            if innermost > trial.serial || self.spare_time() < 0 {
                return false;
            }
            let body = match trial.kind {
                TrialKind::Loop { body } => Some(body),
                TrialKind::Placed { .. } | TrialKind::Tail { .. } => None,
            };
            self.end_trial();
            if let Some(body) = body {
                let counting = self.scopes[body as usize].counting.expect("a loop on trial counts");
                self.finish_loop(body, counting.wanted);
            }
        }
        true
    }

    /// Keeps what the innermost trial did.
    pub(super) fn end_trial(&mut self) {
        let trial = self.trials.pop().expect("a trial is on");
        self.ledger.change_reserve(trial.held.0, trial.held.1, 0);
        self.machine.forget(trial.mark);
        (self.machine.fuel_limit, self.fuel_base) = (trial.fuel_limit, trial.fuel_base);
    }

    /// Takes the innermost trial back; true if a choice is due now.
    pub(super) fn give_way(&mut self, trap: Trap) -> bool {
        let Some(trial) = self.trials.pop() else {
            panic!(
                "fresh code failed with `{trap}`: the mask let it pass (seed {}, actions {:?})",
                self.seed(),
                self.actions()
            )
        };
        self.ledger.change_reserve(trial.held.0, trial.held.1, 0);
        self.machine.rollback(trial.mark);
        self.declare_locals_again();
        self.timer.spent = trial.time;
        (self.machine.fuel_limit, self.fuel_base) = (trial.fuel_limit, trial.fuel_base);
        match trial.kind {
            TrialKind::Loop { body } => {
                let counting = self.scopes[body as usize].counting.expect("a loop on trial counts");
                self.finish_loop(body, counting.done);
                false
            }
            TrialKind::Placed { seq, types, polymorphic, target } => {
                let len = self.program.seqs[seq as usize].code.len() - 1;
                let op = self.program.seqs[seq as usize].code[len].op;
                self.cut_to(seq, len);
                let scope = &mut self.scopes[seq as usize];
                (scope.types, scope.polymorphic) = (types, polymorphic);
                self.reprice(seq);
                self.banned.push((op, target));
                self.cursor = seq;
                self.phase = Phase::Instr;
                true
            }
            TrialKind::Tail { seq, len } => {
                self.cut_to(seq, len);
                false
            }
        }
    }

    /// A local that another activation declared on trial stays declared, and has been there from the start.
    fn declare_locals_again(&mut self) {
        let func = self.machine.func();
        let params = self.program.func_type(func).params.len() as u32;
        for (index, &ty) in (params..).zip(&self.program.funcs[func as usize].locals) {
            self.machine.declare_local(index, ty);
        }
    }

    /// Whether this frontier must not be written at. It is one that a trial waits for, met somewhere else, or lies around
    /// it: what were written here would stand in the way if the trial were taken back. Or an outer activation of the same
    /// function, which got here by way of a function that ended in a tail call, would still come by and run what were
    /// written here, at an unknown price.
    pub(super) fn is_astray(&self, frontier: SeqId) -> bool {
        let waits = self.trials.iter().any(|trial| match trial.kind {
            TrialKind::Placed { seq, .. } | TrialKind::Loop { body: seq } => {
                self.enclosing(seq).any(|seq| seq == frontier)
            }
            TrialKind::Tail { .. } => false,
        });
        waits || self.runs_outside(self.scopes[frontier as usize].func)
    }

    /// Whether an outer activation of a function is running. One that calls itself is past what is still open in it.
    fn runs_outside(&self, func: u32) -> bool {
        let body = self.program.funcs[func as usize].body as usize;
        let recursive = self.scopes[body].counter.is_some() && !self.program.seqs[body].open;
        let is_its = |label: u32| self.scopes[self.machine.body_at(label) as usize].func == func;
        !recursive && (0..self.machine.bottom()).any(is_its)
    }

    /// Whether the innermost trial leaves enough to close everything, once it is over.
    pub(super) fn can_end_trial(&self) -> bool {
        let trial = self.trials.last().expect("a trial is on");
        self.machine.fuel() + self.closing_fuel(trial.fuel_base) <= trial.fuel_limit && self.spare_time() >= 0
    }

    /// Whether all trials last while these outermost labels do.
    pub(super) fn trials_outlast(&self, labels: u32) -> bool {
        self.trials.iter().all(|trial| trial.outside <= labels)
    }

    /// What closing the labels outside costs, and `more`, is taken off the limit while the trial lasts.
    fn begin_trial(&mut self, kind: TrialKind, outside: u32, back: Back, more: u32) {
        let serial = outside.checked_sub(1).and_then(|label| self.machine.serial_at(label));
        let mark = self.machine.mark();
        let (fuel_limit, fuel_base) = (self.machine.fuel_limit, self.fuel_base);
        let time = self.timer.spent;
        let held = (self.scope().func, 0);
        self.trials.push(Trial { kind, mark, outside, serial, back, held, fuel_limit, fuel_base, time });
        let base = fuel_base.max(outside);
        let reserved = self.closing_fuel(fuel_base) - self.closing_fuel(base) + u64::from(more);
        self.machine.fuel_limit = fuel_limit.saturating_sub(reserved);
        self.fuel_base = base;
    }

    // Loops that count

    /// The loop at the cursor is complete but for its trip count: what follows runs on trial.
    pub(super) fn begin_iterations(&mut self) {
        let depth = self.machine.depth();
        let back = Back { depth, seq: Some(self.cursor) };
        self.begin_trial(TrialKind::Loop { body: self.cursor }, depth, back, TAIL_FUEL);
    }

    /// One more iteration is complete: goes round again, or writes the end of the loop.
    pub(super) fn next_iteration(&mut self, body: SeqId) {
        let counting = self.scopes[body as usize].counting.as_mut().expect("a loop on trial counts");
        counting.done += 1;
        let (done, wanted) = (counting.done, counting.wanted);
        if self.spare_time() < 0 {
            self.scopes[body as usize].counting.as_mut().expect("as above").done -= 1;
            self.give_way(Trap::OutOfFuel);
            return;
        }
        if done == wanted {
            self.end_trial();
            return self.finish_loop(body, done);
        }
        let time = self.timer.spent;
        let trial = self.trials.last_mut().expect("this loop's");
        self.machine.forget(trial.mark);
        (trial.mark, trial.time) = (self.machine.mark(), time);
        self.timer.spent += self.tail_time();
        if let Err(trap) = self.machine.loop_back(u64::from(TAIL_FUEL)) {
            self.give_way(trap);
        }
    }

    /// Writes the end of a counted loop: `i32.const trips; i32.lt_u; br_if 0`.
    pub(super) fn finish_loop(&mut self, seq: SeqId, trips: u32) {
        let count = Instr::constant(ValType::I32, trips.into());
        self.place_tail(seq, &[count, Instr::plain(Op::I32LtU), Instr::index(Op::BrIf, 0)]);
        self.scopes[seq as usize].counting = None;
        self.close(seq);
    }

    // Instructions that make code run again

    /// Places an instruction that runs existing code again, on trial while it is executed. `target` is what must not be
    /// offered again here if it fails: the function, or the label.
    pub(super) fn place_on_trial(&mut self, instr: Instr, effect: &Effect, target: u32) {
        let scope = self.scope();
        let (types, polymorphic) = (scope.types.clone(), scope.polymorphic);
        let banned = std::mem::take(&mut self.banned);
        let func = self.scope().func;
        let before = self.ledger.body_size(func);
        self.place(instr, effect);
        if self.live {
            self.banned = banned;
            let kind = TrialKind::Placed { seq: self.cursor, types, polymorphic, target };
            let depth = self.machine.depth();
            let here = Back { depth, seq: Some(self.cursor) };
            match instr.op {
                Op::Call | Op::CallIndirect => self.begin_trial(kind, depth, here, 0),
                // The frame is replaced: the trial is over in the caller.
                Op::ReturnCall | Op::ReturnCallIndirect => {
                    let bottom = self.machine.bottom();
                    self.begin_trial(kind, bottom, Back { depth: bottom, seq: None }, 0);
                }
                // A branch to a loop: its label stays, those inside it are left and entered anew.
                _ => self.begin_trial(kind, depth - target, here, 0),
            }
            let held = before.saturating_sub(self.ledger.body_size(func));
            self.hold(held);
        }
        self.advance();
    }

    /// Holds bytes back while the innermost trial lasts.
    fn hold(&mut self, bytes: u32) {
        let func = self.scope().func;
        self.ledger.change_reserve(func, 0, bytes);
        self.trials.last_mut().expect("it has just begun").held = (func, bytes);
    }

    /// Ends the sequence at the cursor with instructions that make code run again: on trial while it is executed, until
    /// only the `outside` labels are left. If that fails, the sequence ends without them. Closes the sequences named.
    pub(super) fn end_with_tail(&mut self, tail: &[Instr], outside: u32, close: &[SeqId]) {
        let seq = self.cursor;
        let len = self.program.seqs[seq as usize].code.len();
        self.place_tail(seq, tail);
        close.iter().for_each(|&seq| self.close(seq));
        if self.live {
            let back = Back { depth: outside, seq: None };
            self.begin_trial(TrialKind::Tail { seq, len }, outside, back, 0);
        }
        self.phase = Phase::Instr;
        self.advance();
    }
}
