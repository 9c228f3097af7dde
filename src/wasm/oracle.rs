//! Owns the second opinion: wasmtime runs an instrumented copy of the program, and its word is the authority.
//!
//! Must not know the machine's result while it runs; [`Oracle::check`] compares afterwards: how the run ended, its
//! results and fuel, all globals, tables and the memory, and what was seen at probes and flags. What the copy costs
//! beyond the program is known exactly and taken off its fuel ([`copy`]).

mod compare;
mod copy;
mod left;

#[cfg(test)]
mod tests;

use super::encode;
use super::machine::Machine;
use super::program::{Probe, Program};
use super::rerun::{Outcome, Snapshot};
use super::trap::Trap;
use super::types::Value;
use compare::{equal_fuel, equal_values};
use copy::Copy;
use left::Left;
use wasmtime::{Config, Engine, Module, OptLevel, RegallocAlgorithm};

/// Fuel given to a run beyond what the machine used: wasmtime looks at the gauge only at function entries and loop
/// headers, so the exact amount is measured with plenty and subtracted.
const AMPLE_FUEL: u64 = 1 << 27;

/// wasmtime, set up for many small programs.
pub struct Oracle {
    engine: Engine,
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
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .cranelift_nan_canonicalization(true)
            // Programs run once and are small: what counts is how fast they compile and how little is mapped.
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            .memory_init_cow(false)
            .memory_reservation(1 << 20)
            .memory_guard_size(0)
            .memory_reservation_for_growth(0);
        Self { engine: Engine::new(&config).expect("the settings fit each other") }
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
        let run = Run { entry, args: &[], ended: Ok(outcome), fuel_limit: outcome.fuel };
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
        let copy = Copy::new(program, run.entry, run.args, watch);
        let bytes = encode::encode(&copy.program);
        let module = Module::new(&self.engine, &bytes).map_err(|e| Disagreement::Invalid(format!("{e:#}")))?;
        let mut left = Left::new(&self.engine);
        let fuel = AMPLE_FUEL.max(run.fuel_limit.saturating_mul(16));
        let theirs = left.run(&module, &copy, fuel).map_err(|error| trap_of(&error));
        let net_fuel = left.fuel(&copy, fuel);
        match (run.ended, theirs) {
            (Ok(outcome), Ok(())) => {
                equal_fuel(outcome.fuel, net_fuel)?;
                equal_values("results", &outcome.results, &left.globals(copy.results.clone()))?;
                let globals = program.globals.iter().zip(&outcome.globals).map(|(g, &bits)| Value::new(g.ty, bits));
                left.equal_watched(&copy, watch)?;
                left.equal_state(program, globals.collect(), machine)
            }
            (Err(Trap::OutOfFuel), Ok(()) | Err(Ok(Trap::OutOfFuel))) if net_fuel > run.fuel_limit => {
                left.equal_seen(&copy, watch)
            }
            (Err(Trap::CallStackExhausted), Err(Ok(Trap::CallStackExhausted))) => left.equal_seen(&copy, watch),
            (Err(ours), Err(Ok(theirs))) if compare::same_trap(ours, theirs) => {
                left.equal_watched(&copy, watch)?;
                let globals = program.globals.iter().zip(machine.globals()).map(|(g, &bits)| Value::new(g.ty, bits));
                left.equal_state(program, globals.collect(), machine)
            }
            (ours, theirs) => {
                let say = |trap: Option<String>| trap.map_or("the run ends well".into(), |trap| trap);
                let theirs = theirs.err().map(|trap| trap.map_or_else(|text| text, |trap| trap.to_string()));
                Err(Disagreement::Trapped { ours: say(ours.err().map(|t| t.to_string())), theirs: say(theirs) })
            }
        }
    }
}

/// Our name for wasmtime's trap, or the text of an error that is none.
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
        _ => return Err(format!("{error:#}")),
    })
}
