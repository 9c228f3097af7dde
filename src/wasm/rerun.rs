//! Owns the questions that a second execution answers: what a finished program returns, what it leaves, and what stands
//! on the operand stack at a probe.
//!
//! Must not know why it is asked. Everything here is [`Machine`] plus an observer.

use super::isa::Trap;
use super::machine::{Blind, Machine, Observer, Stop};
use super::program::{Place, Probe, Program};
use super::types::{Bits, Value};

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Results of the function, bottom first.
    pub results: Vec<Value>,
    /// Fuel used.
    pub fuel: u64,
    /// Final globals.
    pub globals: Vec<Bits>,
}

/// The operands of one frame at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// All operands of the frame, bottom first.
    pub operands: Vec<Value>,
    /// How many of them belong to each open block, outermost first.
    pub levels: Vec<u32>,
}

impl Outcome {
    /// What a run that came to its end left in the machine.
    pub fn of(machine: &Machine) -> Self {
        Self { results: machine.frame_operands().collect(), fuel: machine.fuel(), globals: machine.globals().to_vec() }
    }
}

impl Snapshot {
    /// The operands of the frame that runs.
    pub fn of(machine: &Machine) -> Self {
        Self { operands: machine.frame_operands().collect(), levels: machine.frame_levels() }
    }
}

/// A function of a program that is to run without arguments, and the machine that it runs on.
#[derive(Debug)]
pub struct Execution<'a> {
    /// The machine; it keeps the final memory and tables.
    pub machine: &'a mut Machine,
    /// The program, which is instantiated for it.
    pub program: &'a Program,
    /// The function.
    pub entry: u32,
    /// Fuel at most; that of a start function apart.
    pub fuel_limit: u64,
}

impl Execution<'_> {
    /// Instantiates the program and runs the function to its end, watched by an observer.
    ///
    /// # Errors
    /// The trap that ended it; [`Trap::OutOfFuel`] past the limit.
    pub fn run(&mut self, observer: &mut impl Observer) -> Result<Outcome, Trap> {
        let Self { machine, program, entry, fuel_limit } = self;
        machine.reset(program, 0);
        machine.fuel_limit = *fuel_limit;
        machine.start(*program, 0, observer)?;
        machine.invoke(*program, *entry, &[])?;
        match machine.run(*program, observer) {
            Stop::Finished => Ok(Outcome::of(machine)),
            Stop::Trap(trap) => Err(trap),
            Stop::Frontier => unreachable!("a finished program has no open sequence"),
        }
    }

    /// Runs to the end, unwatched.
    ///
    /// # Errors
    /// As [`Execution::run`].
    pub fn run_to_end(&mut self) -> Result<Outcome, Trap> {
        self.run(&mut Blind)
    }

    /// The operand stack at a probe, if the run reaches it.
    ///
    /// # Errors
    /// As [`Execution::run`].
    pub fn snapshot(&mut self, probe: Probe) -> Result<Option<Snapshot>, Trap> {
        let Some(place) = self.program.place(probe.func, probe.pc) else { return Ok(None) };
        let mut waiting = Waiting { place, func: probe.func, hits_left: probe.hit, seen: None };
        self.run(&mut waiting)?;
        Ok(waiting.seen)
    }
}

/// Waits for one probe.
struct Waiting {
    place: Place,
    func: u32,
    hits_left: u32,
    seen: Option<Snapshot>,
}

impl Observer for Waiting {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        if place != self.place || func != self.func || self.hits_left == 0 {
            return;
        }
        self.hits_left -= 1;
        if self.hits_left == 0 {
            self.seen = Some(Snapshot::of(machine));
        }
    }
}
