//! Owns how execution goes on between two choices.
//!
//! Must not know what choices there are. Fresh code cannot fail: the mask saw the values. Only code that runs *again*
//! may trap or run over a limit; that is what trials are for.

use super::time::Timing;
use super::trial::TrialKind;
use super::{Phase, Weaver};
use crate::wasm::isa::Trap;
use crate::wasm::machine::{Blind, Stop};
use crate::wasm::program::SeqId;
use std::ops::ControlFlow;

impl Weaver {
    /// Runs to the next place where a choice is due.
    #[inline]
    pub(super) fn advance(&mut self) {
        if !self.live {
            return self.next_dead();
        }
        loop {
            let due = match self.execute() {
                Stop::Frontier => self.at_frontier(),
                Stop::Finished => {
                    if !self.settle() || self.spare_time() < 0 {
                        self.give_way(Trap::OutOfFuel)
                    } else {
                        self.returned()
                    }
                }
                Stop::Trap(trap) => self.give_way(trap),
            };
            if due {
                return;
            }
        }
    }

    #[inline]
    fn execute(&mut self) -> Stop {
        if self.timer.is_on() {
            let mut timing = Timing { timer: &mut self.timer, program: &self.program };
            self.machine.run(&self.program, &mut timing)
        } else {
            self.machine.run(&self.program, &mut Blind)
        }
    }

    /// The program has returned; what is still open is dead code.
    fn returned(&mut self) -> bool {
        self.live = false;
        self.next_dead();
        true
    }

    /// At the end of an open sequence: true if a choice is due there.
    #[inline]
    fn at_frontier(&mut self) -> bool {
        let seq = self.machine.place().seq;
        if self.trials.is_empty() {
            self.cursor = seq;
            return true;
        }
        if !self.settle() {
            return self.give_way(Trap::OutOfFuel);
        }
        if !self.program.seqs[seq as usize].open {
            return false;
        }
        match self.end_trials_at(seq) {
            ControlFlow::Break(due) => return due,
            ControlFlow::Continue(0) if self.is_astray(seq) => return self.give_way(Trap::OutOfFuel),
            ControlFlow::Continue(_) => {}
        }
        self.cursor = seq;
        // A hole reached on trial may have come too late: even closing it would cost more than is left.
        if self.spare_fuel() < 0 || self.spare_time() < 0 { self.give_way(Trap::OutOfFuel) } else { true }
    }

    /// Ends the trials that are over at the end of this sequence, and counts them. Breaks off where execution goes on
    /// elsewhere: in a loop's next iteration, or where a trial gave way (true if a choice is due there).
    fn end_trials_at(&mut self, seq: SeqId) -> ControlFlow<bool, u32> {
        let depth = self.machine.depth();
        let mut ended = 0;
        // One that a tail call began may come back to just where the one around it is over too.
        while let Some(at) = self.trials.iter().rposition(|trial| trial.is_back(depth, seq)) {
            // Trials inside of one that is over are over with it.
            while self.trials.len() > at + 1 {
                if !self.can_end_trial() {
                    return ControlFlow::Break(self.give_way(Trap::OutOfFuel));
                }
                self.end_trial();
            }
            if let TrialKind::Loop { body } = self.trials[at].kind {
                self.next_iteration(body);
                return ControlFlow::Break(false);
            }
            if !self.can_end_trial() {
                return ControlFlow::Break(self.give_way(Trap::OutOfFuel));
            }
            self.end_trial();
            self.banned.clear();
            // One that waited for the end of a loop may have been outlived by the one that ended it.
            if !self.settle() {
                return ControlFlow::Break(self.give_way(Trap::OutOfFuel));
            }
            ended += 1;
        }
        ControlFlow::Continue(ended)
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
