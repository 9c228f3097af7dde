//! Owns the questions that a second execution answers: what a finished program returns, what it leaves, and what stands
//! on the operand stack at a probe.
//!
//! Must not know why somebody asks. Everything here is [`Machine`] plus an observer.

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

/// Instantiates the program and runs function `func` without arguments to its end, watched by an observer. The final
/// memory and tables stay in the machine. Fuel is that of the function alone, not that of a start function.
///
/// # Errors
/// The trap that ended it; [`Trap::OutOfFuel`] past `fuel_limit`.
pub fn run(
    machine: &mut Machine,
    program: &Program,
    func: u32,
    fuel_limit: u64,
    observer: &mut impl Observer,
) -> Result<Outcome, Trap> {
    machine.reset(program, 0);
    machine.fuel_limit = fuel_limit;
    machine.start(program, 0, observer)?;
    machine.invoke(program, func, &[])?;
    match machine.run(program, observer) {
        Stop::Finished => Ok(Outcome::of(machine)),
        Stop::Trap(trap) => Err(trap),
        Stop::Frontier => unreachable!("a finished program has no open sequence"),
    }
}

/// Runs to the end, unwatched.
///
/// # Errors
/// As [`run`].
pub fn run_to_end(machine: &mut Machine, program: &Program, func: u32, fuel_limit: u64) -> Result<Outcome, Trap> {
    run(machine, program, func, fuel_limit, &mut Blind)
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

/// The operand stack at a probe, if the run of `entry` reaches it.
///
/// # Errors
/// As [`run`].
pub fn snapshot(
    machine: &mut Machine,
    program: &Program,
    entry: u32,
    probe: Probe,
    fuel_limit: u64,
) -> Result<Option<Snapshot>, Trap> {
    let Some(place) = program.place(probe.func, probe.pc) else { return Ok(None) };
    let mut waiting = Waiting { place, func: probe.func, hits_left: probe.hit, seen: None };
    run(machine, program, entry, fuel_limit, &mut waiting)?;
    Ok(waiting.seen)
}
