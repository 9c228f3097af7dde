//! Owns the second opinion: wasmtime runs an instrumented copy of the program, and its word is the authority.
//!
//! Must not know the machine's result while it runs; [`Oracle::check`] compares afterwards: how the run ended, its
//! results and fuel, all globals, tables and the memory, and what was seen at probes and flags. What the copy costs
//! beyond the program is known exactly and taken off its fuel (`copy`).
//!
//! Nearly all of the time goes to compiling. So it compiles for wasmtime's own interpreter, Pulley, which takes less than
//! making machine code and runs long enough for what is run once; and [`Oracle::check_all`] runs many programs in one
//! module (`merge`). That is a way to agree sooner, never a way to agree: a batch in which anything is amiss is asked
//! again one by one, and what is said about a program is what is said about it alone.

mod around;
mod compare;
mod copy;
mod limits;
mod merge;
mod outcome;

#[cfg(test)]
mod tests;

use super::machine::Machine;
use super::print::printable;
use super::program::{Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::trap::Trap;
use super::types::{Bits, Value};
use compare::{equal_fuel, equal_values};
use copy::Copy;
use limits::rejected;
use merge::Merged;
use outcome::{Host, Left};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use wasmtime::{Config, Engine, Inlining, Module, OptLevel, RegallocAlgorithm};

/// Fuel given to a run beyond what the machine used: wasmtime looks at the gauge only at function entries and loop
/// headers, so the exact amount is measured with plenty and subtracted.
pub const AMPLE_FUEL: u64 = 1 << 27;

/// Stack of the second attempt, when a program nests more calls than the usual one has room for.
const ROOMY_STACK: usize = 64 << 20;

/// Programs in one module at most. More make it hardly cheaper; wasmtime takes at most 100 memories.
pub const BATCH: usize = 32;
/// Tables in one module at most (wasmparser's `MAX_WASM_TABLES`).
const MAX_TABLES: usize = 100;
/// Instructions, and bytes of memory, of programs that share a module at most: past that there is nothing to save.
const MAX_SHARED_CODE: usize = 1 << 15;
const MAX_SHARED_MEMORY: usize = 16 << 20;
/// Bytes that a large memory has room to grow by before it is moved, should wasmtime go further than our machine.
const GROWTH: u64 = 512 << 20;

/// wasmtime, set up for many small programs.
pub struct Oracle {
    engine: Engine,
    /// For programs that nest more calls than the usual stack has room for.
    roomy: OnceLock<Engine>,
}

/// What is watched while the copy runs, with what the machine saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch<'a> {
    /// The operands at probes; of one that was not hit so often, that it was not.
    pub operands: &'a [(Probe, Option<&'a Snapshot>)],
    /// Which places are passed at least once, and whether the machine passed them.
    pub flags: &'a [(Probe, bool)],
}

/// A run of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The function that was called.
    pub entry: u32,
    /// With these arguments.
    pub args: &'a [Value],
    /// How it ended.
    pub ended: Result<&'a Outcome, Trap>,
    /// The fuel that it could use.
    pub fuel_limit: u64,
    /// The functions that began, where that is known: the others need not be compiled.
    pub ran: Option<&'a BTreeSet<u32>>,
}

/// A run on a machine that is to be held against wasmtime.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What was run.
    pub program: &'a Program,
    /// How.
    pub run: Run<'a>,
    /// The machine as the run left it.
    pub machine: &'a Machine,
    /// What was watched.
    pub watch: Watch<'a>,
}

/// A disagreement between the machine and wasmtime, or wasmtime's refusal of a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// wasmtime rejects the module.
    #[error("wasmtime rejects the program: {0}")]
    Invalid(String),
    /// The run ends in another way.
    #[error("our machine says: {ours}; wasmtime says: {theirs}")]
    Trapped {
        /// The machine's.
        ours: String,
        /// wasmtime's.
        theirs: String,
    },
    /// Different fuel.
    #[error("fuel: our machine used {ours}, wasmtime {theirs}")]
    Fuel {
        /// The machine's.
        ours: u64,
        /// wasmtime's.
        theirs: u64,
    },
    /// wasmtime cannot run it: there is too much of something. That says nothing about the program.
    #[error("wasmtime cannot run the program: {0}")]
    Limit(String),
    /// Different results, globals, tables, memory or probe values.
    #[error("{what}: our machine has {ours}, wasmtime {theirs}")]
    State {
        /// What differs.
        what: &'static str,
        /// The machine's.
        ours: String,
        /// wasmtime's.
        theirs: String,
    },
}

impl Default for Oracle {
    fn default() -> Self {
        Self::new()
    }
}

impl Oracle {
    /// An engine with fuel and canonical NaNs, tuned for compiling quickly.
    pub fn new() -> Self {
        let engine = Engine::new(&Self::config()).expect("the settings fit each other");
        Self { engine, roomy: OnceLock::new() }
    }

    fn config() -> Config {
        let mut config = Config::new();
        config
            .target(pulley())
            .expect("wasmtime knows its own interpreter")
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            .wasm_multi_memory(true)
            // Programs run once and are small: what counts is how fast they compile and how little is mapped.
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            .compiler_inlining(Inlining::No)
            .generate_address_map(false)
            .native_unwind_info(false)
            .wasm_backtrace_max_frames(None)
            .memory_init_cow(false)
            .memory_reservation(1 << 20)
            .memory_guard_size(0)
            .memory_reservation_for_growth(0);
        config
    }

    /// Holds a finished run of function `entry` without arguments on `machine` against wasmtime, with what was watched.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(
        &self,
        program: &Program,
        entry: u32,
        outcome: &Outcome,
        machine: &Machine,
        watch: Watch<'_>,
    ) -> Result<(), Disagreement> {
        let run = Run { entry, args: &[], ended: Ok(outcome), fuel_limit: outcome.fuel, ran: None };
        self.confirm(program, &run, machine, watch)
    }

    /// Holds any run on `machine`, one that trapped too, against wasmtime, with what was watched.
    ///
    /// What a program did when it ran out of fuel or stack cannot be compared, since wasmtime looks at both at other
    /// moments: there it is confirmed that it runs out, and what was seen before.
    ///
    /// # Errors
    /// The first difference.
    pub fn confirm(
        &self,
        program: &Program,
        run: &Run<'_>,
        machine: &Machine,
        watch: Watch<'_>,
    ) -> Result<(), Disagreement> {
        self.check_one(&Case { program, run: *run, machine, watch })
    }

    /// What [`Oracle::confirm`] says about each of these, in less time. It does not depend on what stands beside it.
    pub fn check_all(&self, cases: &[Case<'_>]) -> Vec<Result<(), Disagreement>> {
        let mut verdicts = Vec::with_capacity(cases.len());
        while let Some(rest) = cases.get(verdicts.len()..).filter(|rest| !rest.is_empty()) {
            let batch = &rest[..shareable(rest)];
            if batch.len() > 1 && self.together(batch).is_ok() {
                verdicts.extend(batch.iter().map(|_| Ok(())));
            } else {
                verdicts.extend(batch.iter().map(|case| self.check_one(case)));
            }
        }
        verdicts
    }

    /// Holds several cases against wasmtime in one module. What it finds amiss may come of that:
    /// [`Oracle::check_all`] knows which cases may share a module, and finds out which of them is to blame.
    ///
    /// # Errors
    /// The first difference.
    pub(crate) fn together(&self, cases: &[Case<'_>]) -> Result<(), Disagreement> {
        hold(&self.engine, cases)
    }

    fn check_one(&self, case: &Case<'_>) -> Result<(), Disagreement> {
        let held = self.check_alone(case);
        // Where wasmtime goes on, out of fuel or of stack later than our machine, it comes to functions that did not
        // begin on ours; and all other faults are told of the whole program.
        match held {
            Err(ref amiss) if case.run.ran.is_some() && !matches!(amiss, Disagreement::Limit(_)) => {
                self.check_alone(&Case { run: Run { ran: None, ..case.run }, ..*case })
            }
            held => held,
        }
    }

    fn check_alone(&self, case: &Case<'_>) -> Result<(), Disagreement> {
        let alone = std::slice::from_ref(case);
        let grown = case.machine.memory().len() > MAX_SHARED_MEMORY;
        let engine = if grown { &large(case.machine.memory().len() as u64) } else { &self.engine };
        // How deep calls may nest is up to each machine (spec 7.2): where ours has room, wasmtime is given it too.
        match hold(engine, alone) {
            Err(Disagreement::Trapped { theirs, .. }) if theirs == Trap::CallStackExhausted.to_string() => {}
            held => return held,
        }
        let roomy = self.roomy.get_or_init(|| {
            let mut config = Self::config();
            // The settings must agree, though nothing here is asynchronous.
            config.max_wasm_stack(ROOMY_STACK).async_stack_size(ROOMY_STACK);
            Engine::new(&config).expect("the settings fit each other")
        });
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(2 * ROOMY_STACK);
            let held = thread.spawn_scoped(scope, || hold(roomy, alone));
            held.expect("a thread can be had").join().expect("comparing does not panic")
        })
    }
}

/// An engine for a memory that comes to this size. Otherwise each page that it grows by would have wasmtime copy it all.
fn large(memory: u64) -> Engine {
    let mut config = Oracle::config();
    config.memory_reservation(memory).memory_reservation_for_growth(GROWTH);
    Engine::new(&config).expect("the settings fit each other")
}

/// The name that Pulley has on a machine like this one.
fn pulley() -> &'static str {
    match (cfg!(target_pointer_width = "64"), cfg!(target_endian = "big")) {
        (true, false) => "pulley64",
        (true, true) => "pulley64be",
        (false, false) => "pulley32",
        (false, true) => "pulley32be",
    }
}

impl Case<'_> {
    /// Whether it may share a module: nothing of it runs when that is instantiated, and it is to come to its end.
    fn mergeable(&self) -> bool {
        self.program.start.is_none() && self.run.ended.is_ok()
    }

    /// Fuel for wasmtime's run.
    fn ample_fuel(&self) -> u64 {
        let plenty = AMPLE_FUEL.max(self.run.fuel_limit.saturating_mul(16));
        // wasmtime pays for a stretch before it looks whether that is there.
        let unpaid = match self.run.ended {
            Err(Trap::MemoryOutOfBounds | Trap::TableOutOfBounds) => u32::MAX.into(),
            _ => 0,
        };
        plenty.saturating_add(unpaid)
    }

    fn code_len(&self) -> usize {
        self.program.seqs.iter().map(|seq| seq.code.len()).sum()
    }
}

/// How many of the first cases may share a module, at least 1.
fn shareable(cases: &[Case<'_>]) -> usize {
    let (mut tables, mut code, mut memory) = (0, 0, 0);
    let fits = |case: &&Case<'_>| {
        tables += case.program.tables.len();
        code += case.code_len();
        memory += case.machine.memory().len();
        case.mergeable() && tables <= MAX_TABLES && code <= MAX_SHARED_CODE && memory <= MAX_SHARED_MEMORY
    };
    cases.iter().take(BATCH).take_while(fits).count().max(1)
}

/// Runs copies of all in one module and compares; the first disagreement. Of several cases each must be
/// [`Case::mergeable`].
fn hold(engine: &Engine, cases: &[Case<'_>]) -> Result<(), Disagreement> {
    let copies: Vec<Copy> = cases.iter().map(Copy::new).collect();
    let merged = Merged::new(&copies);
    let module = Module::new(engine, &merged.bytes).map_err(|error| rejected(&merged.bytes, &error))?;
    let mut host = match Host::new(engine, &module, &merged, cases[0].ample_fuel()) {
        Ok(host) => host,
        // Nothing has run, so that nothing was left behind.
        Err((error, limits)) => {
            return match trap_of(&error) {
                Err(text) if !limits.astray => Err(limits.failure().unwrap_or(Disagreement::Limit(text))),
                trap => same_end(&cases[0].run, trap),
            };
        }
    };
    for (number, (case, copy)) in cases.iter().zip(&copies).enumerate() {
        let (mut left, ended) = Left::by(&mut host, number, copy, &merged.homes[number], case.ample_fuel());
        let judged = judge(case, &mut left, ended.map_err(|error| trap_of(&error)));
        host.limits().failure().map_or(judged, Err)?;
    }
    Ok(())
}

/// Compares what a run left behind.
fn judge(case: &Case<'_>, left: &mut Left<'_>, theirs: Result<(), Result<Trap, String>>) -> Result<(), Disagreement> {
    let Case { program, run, machine, watch } = *case;
    let values = |bits: &[Bits]| program.globals.iter().zip(bits).map(|(g, &bits)| Value::new(g.ty, bits)).collect();
    match (run.ended, theirs) {
        (Ok(outcome), Ok(())) => {
            equal_fuel(outcome.fuel, left.fuel)?;
            equal_values("results", &outcome.results, &left.results())?;
            left.equal_watched(watch)?;
            left.equal_state(program, values(&outcome.globals), machine)
        }
        (Err(Trap::OutOfFuel), Ok(()) | Err(Ok(Trap::OutOfFuel))) if left.fuel > run.fuel_limit => {
            left.equal_seen(watch)
        }
        (Err(Trap::CallStackExhausted), Err(Ok(Trap::CallStackExhausted))) => left.equal_seen(watch),
        (Err(ours), Err(Ok(theirs))) if compare::same_trap(ours, theirs) => {
            left.equal_watched(watch)?;
            left.equal_state(program, values(machine.globals()), machine)
        }
        (_, Ok(())) => Err(other_end(&run, None)),
        (_, Err(theirs)) => Err(other_end(&run, Some(theirs))),
    }
}

/// Compares how a run ended that did not begin.
fn same_end(run: &Run<'_>, theirs: Result<Trap, String>) -> Result<(), Disagreement> {
    match (run.ended, &theirs) {
        (Err(ours), Ok(theirs)) if ours == *theirs || compare::same_trap(ours, *theirs) => Ok(()),
        _ => Err(other_end(run, Some(theirs))),
    }
}

fn other_end(run: &Run<'_>, theirs: Option<Result<Trap, String>>) -> Disagreement {
    let say = |trap: Option<String>| trap.unwrap_or_else(|| "the run ends well".into());
    let theirs = theirs.map(|trap| trap.map_or_else(|text| text, |trap| trap.to_string()));
    Disagreement::Trapped { ours: say(run.ended.err().map(|trap| trap.to_string())), theirs: say(theirs) }
}

/// Our name for wasmtime's trap, or the text of another error.
fn trap_of(error: &wasmtime::Error) -> Result<Trap, String> {
    use wasmtime::Trap as Theirs;
    Ok(match error.downcast_ref::<Theirs>() {
        Some(Theirs::UnreachableCodeReached) => Trap::Unreachable,
        Some(Theirs::IntegerDivisionByZero) => Trap::IntegerDivideByZero,
        Some(Theirs::IntegerOverflow) => Trap::IntegerOverflow,
        Some(Theirs::BadConversionToInteger) => Trap::InvalidConversionToInteger,
        Some(Theirs::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(Theirs::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(Theirs::IndirectCallToNull) => Trap::UninitializedElement,
        Some(Theirs::BadSignature) => Trap::IndirectCallTypeMismatch,
        Some(Theirs::StackOverflow) => Trap::CallStackExhausted,
        Some(Theirs::OutOfFuel) => Trap::OutOfFuel,
        _ => return Err(printable(&format!("{error:#}"))),
    })
}
