//! Owns one watched run of a module that anybody wrote: what stood at which places, which places were passed, and how
//! the run ended; and its confirmation by wasmtime.
//!
//! Must not know comments, files, or what the answers are for. A run that traps has answers too: what was seen before.

use super::isa::Trap;
use super::machine::{Machine, Observer, Stop};
use super::oracle::{Disagreement, Oracle, Run, Watch};
use super::program::{Place, Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::types::{FUNC_PREFIX, ValType, Value};
use std::collections::HashMap;

/// What is run, and what is watched.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The module.
    pub program: &'a Program,
    /// The function that is called.
    pub entry: u32,
    /// Its arguments, of the types of its parameters.
    pub args: Vec<Value>,
    /// Where the operands are wanted, and at which arrival.
    pub probes: Vec<Probe>,
    /// Places of which is wanted whether they are passed.
    pub flags: Vec<Probe>,
    /// Fuel at most.
    pub fuel_limit: u64,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// The operands at each probe, if it was hit so often.
    pub operands: Vec<Option<Snapshot>>,
    /// How often each probe was hit.
    pub hits: Vec<u32>,
    /// Whether each flag was passed.
    pub flags: Vec<bool>,
    /// How the run ended.
    pub ended: Result<Outcome, Stopped>,
    /// Fuel used, to the end or to the trap.
    pub fuel: u64,
}

/// Why and where a run ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The trap.
    pub trap: Trap,
    /// Function and pc of the instruction; none if no instruction was executed: a segment did not fit.
    pub at: Option<(u32, u32)>,
}

/// A call of a function of a module that is instantiated for it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The module.
    pub program: &'a Program,
    /// The function.
    pub entry: u32,
    /// Its arguments, of the types of its parameters.
    pub args: &'a [Value],
    /// Fuel at most.
    pub fuel_limit: u64,
}

impl Call<'_> {
    /// Instantiates the module on `machine`, which keeps the final state, and calls the function.
    ///
    /// # Errors
    /// Why and where it ended early.
    pub fn run(&self, machine: &mut Machine, observer: &mut impl Observer) -> Result<Outcome, Stopped> {
        let mut located = Located { observer, last: None };
        let ended = self.run_located(machine, &mut located);
        ended.map_err(|trap| Stopped { trap, at: located.last.and_then(|last| self.pc(last)) })
    }

    fn run_located(&self, machine: &mut Machine, observer: &mut impl Observer) -> Result<Outcome, Trap> {
        machine.reset(self.program, 0);
        machine.fuel_limit = self.fuel_limit;
        machine.start(self.program, 0, observer)?;
        machine.invoke(self.program, self.entry, self.args)?;
        match machine.run(self.program, observer) {
            Stop::Finished => Ok(Outcome::of(machine)),
            Stop::Trap(trap) => Err(trap),
            Stop::Frontier => unreachable!("a finished program has no open sequence"),
        }
    }

    fn pc(&self, (func, place): (u32, Place)) -> Option<(u32, u32)> {
        let pc = self.program.flatten(func).iter().position(|entry| entry.place == place)?;
        Some((func, pc as u32))
    }
}

/// Remembers where execution stands.
struct Located<'a, O> {
    observer: &'a mut O,
    last: Option<(u32, Place)>,
}

impl<O: Observer> Observer for Located<'_, O> {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        self.last = Some((func, place));
        self.observer.before(machine, func, place);
    }
}

/// Notes everything that is watched.
struct Watcher {
    probes: HashMap<(u32, Place), Vec<usize>>,
    wanted: Vec<u32>,
    hits: Vec<u32>,
    seen: Vec<Option<Snapshot>>,
}

impl Observer for Watcher {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        for &probe in self.probes.get(&(func, place)).map_or(&[][..], |probes| probes) {
            self.hits[probe] = self.hits[probe].saturating_add(1);
            if self.hits[probe] == self.wanted[probe] {
                self.seen[probe] = Some(Snapshot::of(machine));
            }
        }
    }
}

impl Request<'_> {
    /// Runs the module on `machine`, which keeps the final state.
    pub fn look(&self, machine: &mut Machine) -> Sight {
        let watched: Vec<Probe> = self.probes.iter().chain(&self.flags).copied().collect();
        let mut watcher = Watcher {
            hits: vec![0; watched.len()],
            seen: vec![None; watched.len()],
            // Of a flag the operands are not wanted.
            wanted: watched.iter().zip(0..).map(|(p, at)| if at < self.probes.len() { p.hit } else { 0 }).collect(),
            probes: HashMap::new(),
        };
        for (number, probe) in watched.iter().enumerate() {
            let place = self.program.place(probe.func, probe.pc).expect("a probe stands in the program");
            watcher.probes.entry((probe.func, place)).or_default().push(number);
        }
        let call = Call { program: self.program, entry: self.entry, args: &self.args, fuel_limit: self.fuel_limit };
        let ended = call.run(machine, &mut watcher);
        let (hits, flags) = watcher.hits.split_at(self.probes.len());
        Sight {
            flags: flags.iter().map(|&hits| hits > 0).collect(),
            hits: hits.to_vec(),
            operands: watcher.seen[..self.probes.len()].to_vec(),
            fuel: machine.fuel(),
            ended,
        }
    }

    /// Holds what was seen against wasmtime; `machine` must be as [`Request::look`] left it.
    ///
    /// # Errors
    /// The first difference.
    pub fn confirm(&self, sight: &Sight, machine: &Machine, oracle: &Oracle) -> Result<(), Disagreement> {
        let operands: Vec<_> = self.probes.iter().copied().zip(sight.operands.iter().map(Option::as_ref)).collect();
        let flags: Vec<_> = self.flags.iter().copied().zip(sight.flags.iter().copied()).collect();
        let run = Run {
            entry: self.entry,
            args: &self.args,
            ended: sight.ended.as_ref().map_err(|stopped| stopped.trap),
            fuel_limit: self.fuel_limit,
        };
        oracle.confirm(self.program, &run, machine, Watch { operands: &operands, flags: &flags })
    }
}

/// A value as it is told to people and files: as [`Value::text`], but a function by its name, if it has one.
pub fn value_text(program: &Program, value: Value) -> String {
    match value.ty {
        ValType::FuncRef if value.bits != 0 => func_text(program, value.bits as u32 - 1),
        _ => value.text(),
    }
}

/// A function by its name, or else by its index: `$fib`, `$f3`.
pub fn func_text(program: &Program, func: u32) -> String {
    program.func_name(func).map_or_else(|| format!("{FUNC_PREFIX}{func}"), |name| format!("${name}"))
}
