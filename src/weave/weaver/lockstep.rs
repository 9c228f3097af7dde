//! Owns how execution goes on between two choices, and the trials whose outcome nobody knows beforehand.
//!
//! Must not know what choices there are. Fresh code cannot fail: the mask saw the values. Only code that runs *again*,
//! in another iteration of a loop or a further call of a function, may trap or run over the fuel limit. So it runs on
//! trial, under a mark: a loop whose next iteration fails stops before it, a call that fails is taken back and not
//! offered again at this place. Trials nest, and the innermost is always the one to give way.

use super::{Phase, Weaver};
use crate::wasm::encode::instr_size;
use crate::wasm::isa::{Op, Trap};
use crate::wasm::machine::{Blind, Mark, Stop};
use crate::wasm::program::{Instr, SeqId};
use crate::wasm::types::ValType;
use crate::weave::scope::{Effect, TAIL_FUEL};

/// Something that runs again, and may fail.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    kind: Kind,
    mark: Mark,
    /// The label that it runs in: the loop, or the block that holds the call. When it is gone, the trial is over.
    label: u32,
    serial: u32,
    /// Limits to put back.
    fuel_limit: u64,
    fuel_base: u32,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Iterations of the loop with this body.
    Loop { body: SeqId },
    /// A call placed last in `seq`, which had these operand types before.
    Call { seq: SeqId, func: u32, types: Vec<ValType> },
}

impl Weaver {
    /// Runs to the next place where a choice is due.
    pub(super) fn advance(&mut self) {
        if !self.live {
            return self.next_dead();
        }
        loop {
            let due = match self.machine.run(&self.program, &mut Blind) {
                Stop::Frontier => self.at_frontier(),
                Stop::Finished => {
                    self.settle();
                    self.live = false;
                    self.next_dead();
                    true
                }
                Stop::Trap(trap) => self.give_way(trap),
            };
            if due {
                return;
            }
        }
    }

    /// At the end of an open sequence: true if a choice is due there.
    fn at_frontier(&mut self) -> bool {
        self.settle();
        let seq = self.machine.place().seq;
        if !self.program.seqs[seq as usize].open {
            return false;
        }
        let here = self.machine.depth() - 1;
        match self.trials.last() {
            Some(trial) if trial.label == here => match trial.kind {
                Kind::Loop { body } => {
                    self.next_iteration(body);
                    return false;
                }
                Kind::Call { .. } => {
                    self.end_trial();
                    self.banned.clear();
                }
            },
            _ => {}
        }
        self.cursor = seq;
        // A hole reached on trial may have come too late: even closing it would cost more than is left.
        if self.spare_fuel() < 0 { self.give_way(Trap::OutOfFuel) } else { true }
    }

    /// Ends all trials whose label has been left. Such a loop keeps the trips it was to have.
    fn settle(&mut self) {
        while let Some(trial) = self.trials.last() {
            if self.machine.serial_at(trial.label) == Some(trial.serial) {
                return;
            }
            let body = match trial.kind {
                Kind::Loop { body } => Some(body),
                Kind::Call { .. } => None,
            };
            self.end_trial();
            if let Some(body) = body {
                let counting = self.scopes[body as usize].counting.expect("a loop on trial counts");
                self.finish_loop(body, counting.wanted);
            }
        }
    }

    /// Keeps what the innermost trial did.
    fn end_trial(&mut self) {
        let trial = self.trials.pop().expect("a trial is on");
        self.machine.forget(trial.mark);
        (self.machine.fuel_limit, self.fuel_base) = (trial.fuel_limit, trial.fuel_base);
    }

    /// Takes the innermost trial back; true if a choice is due now.
    fn give_way(&mut self, trap: Trap) -> bool {
        let Some(trial) = self.trials.pop() else {
            panic!(
                "fresh code failed with `{trap}`: the mask let it pass (seed {}, actions {:?})",
                self.seed(),
                self.actions()
            )
        };
        self.machine.rollback(trial.mark);
        (self.machine.fuel_limit, self.fuel_base) = (trial.fuel_limit, trial.fuel_base);
        match trial.kind {
            Kind::Loop { body } => {
                let counting = self.scopes[body as usize].counting.expect("a loop on trial counts");
                self.finish_loop(body, counting.done);
                false
            }
            Kind::Call { seq, func, types } => {
                let call = self.program.seqs[seq as usize].code.pop().expect("the call stands last");
                let scope = &mut self.scopes[seq as usize];
                scope.types = types;
                self.ledger.add_code(scope.func, -i64::from(instr_size(&self.program, &call)));
                self.reprice(seq);
                self.histogram[Op::Call.index()] -= 1;
                self.banned.push(func);
                self.cursor = seq;
                self.phase = Phase::Instr;
                true
            }
        }
    }

    /// The loop at the cursor is complete but for its trip count: what follows runs on trial.
    pub(super) fn begin_iterations(&mut self) {
        let label = self.machine.depth() - 1;
        let outside = self.closing_fuel(self.fuel_base) - self.closing_fuel(label);
        self.begin_trial(Kind::Loop { body: self.cursor }, label, outside + u64::from(TAIL_FUEL), label);
    }

    /// One more iteration is complete: goes round again, or writes the end of the loop.
    fn next_iteration(&mut self, body: SeqId) {
        let counting = self.scopes[body as usize].counting.as_mut().expect("a loop on trial counts");
        counting.done += 1;
        let (done, wanted) = (counting.done, counting.wanted);
        if done == wanted {
            self.end_trial();
            return self.finish_loop(body, done);
        }
        let trial = self.trials.last_mut().expect("this loop's");
        self.machine.forget(trial.mark);
        trial.mark = self.machine.mark();
        if let Err(trap) = self.machine.loop_back(u64::from(TAIL_FUEL)) {
            self.give_way(trap);
        }
    }

    /// Calls a function that exists; in dead code the call is just written.
    pub(super) fn call_again(&mut self, func: u32) {
        let ty = self.program.func_type(func);
        let effect = Effect { pops: ty.params.len() as u32, push: ty.results.first().copied() };
        let types = self.scope().types.clone();
        let banned = std::mem::take(&mut self.banned);
        self.place(Instr::index(Op::Call, func), effect);
        if self.live {
            self.banned = banned;
            let label = self.machine.depth() - 1;
            let outside = self.closing_fuel(self.fuel_base);
            self.begin_trial(Kind::Call { seq: self.cursor, func, types }, label, outside, label + 1);
        }
        self.advance();
    }

    fn begin_trial(&mut self, kind: Kind, label: u32, reserved: u64, fuel_base: u32) {
        let serial = self.machine.serial_at(label).expect("execution stands in this label");
        let mark = self.machine.mark();
        let (fuel_limit, old_base) = (self.machine.fuel_limit, self.fuel_base);
        self.trials.push(Trial { kind, mark, label, serial, fuel_limit, fuel_base: old_base });
        self.machine.fuel_limit = fuel_limit - reserved;
        self.fuel_base = fuel_base;
    }

    /// The program has returned: goes to the innermost sequence that is still open, until none is.
    fn next_dead(&mut self) {
        match self.program.seqs.iter().rposition(|seq| seq.open) {
            Some(seq) => {
                self.cursor = seq as SeqId;
                self.phase = Phase::Instr;
            }
            None => self.phase = Phase::Done,
        }
    }
}
