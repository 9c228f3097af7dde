//! Owns one watched run of any module: what stood at which places, which places were passed, and how
//! the run ended; and its confirmation by wasmtime.
//!
//! Must not know comments, files, or what the answers are for. A run that traps has answers too: what was seen before.

mod open;

use super::isa::Trap;
use super::machine::{Machine, Observer, Stop};
use super::oracle::{AMPLE_FUEL, Disagreement, Oracle, Run, Watch};
use super::program::{PAGE_BYTES, Place, Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::types::Value;
use std::collections::{BTreeSet, HashMap};

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
    /// Places where it is noted whether they are passed.
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
    /// The fuel that it could use: the limit, and what refused `table.grow`s asked for.
    pub fuel_limit: u64,
    /// The functions that began.
    pub ran: BTreeSet<u32>,
}

/// A memory that the system does not give. What a run without it does says nothing about the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for a memory of {pages} pages ({} MiB)", (u64::from(*.pages) * u64::from(PAGE_BYTES)) >> 20)]
pub struct NoRoom {
    /// Its size.
    pub pages: u32,
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
    /// Instantiates the module on `machine`, which keeps the final state, and calls the function: how that ended, why and
    /// where if early.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub fn run(&self, machine: &mut Machine, observer: &mut impl Observer) -> Result<Result<Outcome, Stopped>, NoRoom> {
        let mut located = Located { observer, last: None };
        let ended = self.run_by(machine, &mut located, |machine, observer| machine.run(self.program, observer))?;
        Ok(ended.map_err(|trap| Stopped { trap, at: located.last.and_then(|(func, place)| self.pc(func, place)) }))
    }

    /// Runs the function on the instantiated module in a way of its own.
    fn run_by<O: Observer>(
        &self,
        machine: &mut Machine,
        observer: &mut O,
        way: impl FnOnce(&mut Machine, &mut O) -> Stop,
    ) -> Result<Result<Outcome, Trap>, NoRoom> {
        let room = |machine: &Machine| machine.starved().map_or(Ok(()), |pages| Err(NoRoom { pages }));
        machine.reset(self.program, 0);
        room(machine)?;
        machine.fuel_limit = self.fuel_limit;
        machine.spares_refused = true;
        let called = machine.start(self.program, 0, observer).and_then(|()| {
            machine.invoke(self.program, self.entry, self.args)?;
            Ok(way(machine, observer))
        });
        room(machine)?;
        Ok(match called {
            Ok(Stop::Finished) => Ok(Outcome::of(machine)),
            Ok(Stop::Trap(trap)) | Err(trap) => Err(trap),
            Ok(Stop::Frontier) => unreachable!("a finished program has no open sequence"),
        })
    }

    /// The function with the pc of a place in it.
    fn pc(&self, func: u32, place: Place) -> Option<(u32, u32)> {
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
    ran: BTreeSet<u32>,
    /// The function that ran last.
    func: Option<u32>,
}

impl Observer for Watcher {
    fn before(&mut self, machine: &Machine, func: u32, place: Place) {
        if self.func != Some(func) {
            self.ran.insert(func);
            self.func = Some(func);
        }
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
    ///
    /// # Errors
    /// If the system has no room for it.
    pub fn look(&self, machine: &mut Machine) -> Result<Sight, NoRoom> {
        let mut watcher = self.watcher();
        let ended = self.call().run(machine, &mut watcher)?;
        Ok(self.seen(watcher, machine, ended))
    }

    fn call(&self) -> Call<'_> {
        Call { program: self.program, entry: self.entry, args: &self.args, fuel_limit: self.fuel_limit }
    }

    fn watcher(&self) -> Watcher {
        let watched: Vec<&Probe> = self.probes.iter().chain(&self.flags).collect();
        let mut watcher = Watcher {
            hits: vec![0; watched.len()],
            seen: vec![None; watched.len()],
            // A flag needs no operands.
            wanted: watched.iter().zip(0..).map(|(p, at)| if at < self.probes.len() { p.hit } else { 0 }).collect(),
            probes: HashMap::new(),
            ran: BTreeSet::new(),
            func: None,
        };
        let places = self.program.places(watched.iter().copied());
        for (number, (probe, place)) in watched.iter().zip(places).enumerate() {
            let place = place.expect("a probe stands in the program");
            watcher.probes.entry((probe.func, place)).or_default().push(number);
        }
        watcher
    }

    fn seen(&self, mut watcher: Watcher, machine: &Machine, ended: Result<Outcome, Stopped>) -> Sight {
        let flags = watcher.hits.split_off(self.probes.len());
        watcher.seen.truncate(self.probes.len());
        Sight {
            flags: flags.iter().map(|&hits| hits > 0).collect(),
            hits: watcher.hits,
            operands: watcher.seen,
            fuel: machine.fuel(),
            fuel_limit: machine.fuel_limit,
            ran: watcher.ran,
            ended,
        }
    }

    /// Holds what was seen against wasmtime; `machine` must be as [`Request::look`] left it.
    ///
    /// # Errors
    /// The first difference.
    pub fn confirm(&self, sight: &Sight, machine: &Machine, oracle: &Oracle) -> Result<(), Disagreement> {
        let held = self.hold(sight, machine, oracle);
        // wasmtime looks at its gauge at calls and loops alone, and goes on until there. A trap that it meets on the way
        // is that of the same run with more fuel.
        let cut_off = matches!(sight.ended, Err(Stopped { trap: Trap::OutOfFuel, .. }));
        if cut_off && matches!(held, Err(Disagreement::Trapped { .. })) {
            let longer = Self { fuel_limit: AMPLE_FUEL.max(self.fuel_limit.saturating_mul(16)), ..self.clone() };
            let mut machine = Machine::default();
            if let Ok(sight) = longer.look(&mut machine)
                && sight.ended.as_ref().is_err_and(|stopped| stopped.trap != Trap::OutOfFuel)
            {
                return longer.hold(&sight, &machine, oracle);
            }
        }
        held
    }

    fn hold(&self, sight: &Sight, machine: &Machine, oracle: &Oracle) -> Result<(), Disagreement> {
        let operands: Vec<_> = self.probes.iter().copied().zip(sight.operands.iter().map(Option::as_ref)).collect();
        let flags: Vec<_> = self.flags.iter().copied().zip(sight.flags.iter().copied()).collect();
        let run = Run {
            entry: self.entry,
            args: &self.args,
            ended: sight.ended.as_ref().map_err(|stopped| stopped.trap),
            fuel_limit: sight.fuel_limit,
            ran: Some(&sight.ran),
        };
        oracle.confirm(self.program, &run, machine, Watch { operands: &operands, flags: &flags })
    }
}
