//! Owns the proof that the generator keeps its promises: many programs, each held against every one of them.
//!
//! Must not know questions' answers by models, nor files; what broke is returned with all that rebuilds it.

use crate::seed::Seed;
use crate::wasm::isa::Trap;
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{BATCH, Case, Disagreement, Oracle, Run, Watch};
use crate::wasm::rerun::{Execution, Outcome};
use crate::wasm::{encode, parse};
use crate::weave::chance::Chance;
use crate::weave::prior::Taste;
use crate::weave::weaver::{Loom, Weaver};
use rayon::prelude::*;
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what was found; all but the first and the last two must be zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Programs woven.
    pub programs: u64,
    /// Rejected by wasmparser or wasmtime.
    pub invalid: u64,
    /// Trapped, here or in wasmtime.
    pub trapped: u64,
    /// Longer than the byte limit.
    pub over_bytes: u64,
    /// More fuel than the limit.
    pub over_fuel: u64,
    /// Encoded to another size than predicted.
    pub byte_mismatch: u64,
    /// Another fuel than predicted, in the second run or in wasmtime.
    pub fuel_mismatch: u64,
    /// Other results, globals or memory, in the second run or in wasmtime.
    pub state_mismatch: u64,
    /// The weaver gave up: a panic, which the mask must make impossible.
    pub failed_episodes: u64,
    /// Programs that wasmtime ran.
    pub checked_wasmtime: u64,
}

impl Verified {
    /// Whether every promise was kept.
    pub fn holds(&self) -> bool {
        let broken = self.invalid
            + self.trapped
            + self.over_bytes
            + self.over_fuel
            + self.byte_mismatch
            + self.fuel_mismatch
            + self.state_mismatch
            + self.failed_episodes;
        broken == 0 && self.checked_wasmtime == self.programs
    }

    fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.invalid += other.invalid;
        self.trapped += other.trapped;
        self.over_bytes += other.over_bytes;
        self.over_fuel += other.over_fuel;
        self.byte_mismatch += other.byte_mismatch;
        self.fuel_mismatch += other.fuel_mismatch;
        self.state_mismatch += other.state_mismatch;
        self.failed_episodes += other.failed_episodes;
        self.checked_wasmtime += other.checked_wasmtime;
    }
}

/// A program that broke a promise.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What it broke.
    pub what: String,
    /// The program, as far as it was woven.
    pub weaver: Weaver,
}

/// Weaves programs `0..count` of a seed, by both kinds of chance and by a taste in turn, and checks each; `progress` counts
/// them.
pub fn verify(
    loom: &Arc<Loom>,
    taste: &Taste,
    seed: Seed,
    count: u64,
    progress: &AtomicU64,
) -> (Verified, Vec<Broken>) {
    let oracle = Oracle::new();
    let places = || -> Vec<Place> {
        let place = |_| Place { weaver: Weaver::new(loom.clone(), 0), machine: Machine::default() };
        (0..BATCH).map(place).collect()
    };
    let batch = BATCH as u64;
    let parts = (0..count.div_ceil(batch)).into_par_iter().map_init(places, |places, at| {
        let numbers = at * batch..count.min((at + 1) * batch);
        verify_batch(places, taste, seed, numbers, &oracle, progress)
    });
    let (mut total, mut broken) = (Verified::default(), Vec::new());
    for (verified, found) in parts.collect::<Vec<_>>() {
        total.add(&verified);
        broken.extend(found);
    }
    (total, broken)
}

/// Holds one finished program against every promise.
///
/// # Errors
/// What it broke first.
pub fn hold(weaver: &Weaver, oracle: &Oracle) -> Result<(), String> {
    let mut machine = Machine::default();
    let outcome = check(weaver, &mut machine, &mut Verified::default())?;
    let held = oracle.check(weaver.program(), weaver.entry(), &outcome, &machine, Watch::default());
    held.map_err(|disagreement| disagreement.to_string())
}

/// Where one program is woven and run again.
struct Place {
    weaver: Weaver,
    machine: Machine,
}

/// At most [`BATCH`] programs, each at a place of its own.
fn verify_batch(
    places: &mut [Place],
    taste: &Taste,
    seed: Seed,
    numbers: Range<u64>,
    oracle: &Oracle,
    progress: &AtomicU64,
) -> (Verified, Vec<Broken>) {
    let (mut verified, mut broken) = (Verified::default(), Vec::new());
    let woven = places.iter_mut().zip(numbers);
    let outcomes: Vec<_> = woven.map(|(place, number)| place.weave(taste, seed, number, &mut verified)).collect();
    for (place, what) in places.iter().zip(confirm(places, outcomes, oracle, &mut verified)) {
        broken.extend(what.map(|what| Broken { what, weaver: place.weaver.clone() }));
        progress.fetch_add(1, Ordering::Relaxed);
    }
    (verified, broken)
}

impl Place {
    /// Weaves a program and holds it against the promises that need no wasmtime; says which broke first.
    fn weave(&mut self, taste: &Taste, seed: Seed, number: u64, verified: &mut Verified) -> Result<Outcome, String> {
        let seed = seed.indexed("program", number);
        let weaver = &mut self.weaver;
        weaver.reset(seed.to_u64());
        let chance = Chance::ALL.get(number as usize % (Chance::ALL.len() + 1));
        let woven = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let rng = &mut seed.child("choices").rng();
            match chance {
                Some(chance) => chance.weave(weaver, rng),
                None => taste.weave(weaver, rng),
            }
        }));
        verified.programs += 1;
        if woven.is_err() {
            verified.failed_episodes += 1;
            return Err("the weaver panicked".into());
        }
        check(&self.weaver, &mut self.machine, verified)
    }
}

/// The programs that kept every promise so far, as the oracle takes them.
fn cases<'a>(places: &'a [Place], outcomes: &'a [Result<Outcome, String>]) -> Vec<Case<'a>> {
    let sound = places.iter().zip(outcomes).filter_map(|(place, outcome)| Some((place, outcome.as_ref().ok()?)));
    let case = |(Place { weaver, machine }, outcome): (&'a Place, &'a Outcome)| Case {
        program: weaver.program(),
        run: Run { entry: weaver.entry(), args: &[], ended: Ok(outcome), fuel_limit: outcome.fuel, ran: None },
        machine,
        watch: Watch::default(),
    };
    sound.map(case).collect()
}

/// Holds the programs that kept every other promise against wasmtime; says of each what broke.
fn confirm(
    places: &[Place],
    outcomes: Vec<Result<Outcome, String>>,
    oracle: &Oracle,
    verified: &mut Verified,
) -> Vec<Option<String>> {
    let cases = cases(places, &outcomes);
    verified.checked_wasmtime += cases.len() as u64;
    let mut verdicts = oracle.check_all(&cases).into_iter();
    let mut disagreement = || {
        let disagreement = verdicts.next().expect("a verdict for each case").err()?;
        match disagreement {
            Disagreement::Invalid(_) | Disagreement::Limit(_) => verified.invalid += 1,
            Disagreement::Trapped { .. } => verified.trapped += 1,
            Disagreement::Fuel { .. } => verified.fuel_mismatch += 1,
            Disagreement::State { .. } => verified.state_mismatch += 1,
        }
        Some(disagreement.to_string())
    };
    outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(|what| Some(what.clone()), |_| disagreement())).collect()
}

/// What the program does when it is run again; or which promise it broke first.
fn check(weaver: &Weaver, machine: &mut Machine, verified: &mut Verified) -> Result<Outcome, String> {
    let (program, config) = (weaver.program(), weaver.config());
    let bytes = encode::encode(program);
    if let Err(error) = wasmparser::Validator::new_with_features(parse::FEATURES).validate_all(&bytes) {
        verified.invalid += 1;
        return Err(format!("invalid: {error}"));
    }
    if bytes.len() as u32 != weaver.bytes() {
        verified.byte_mismatch += 1;
        return Err(format!("{} bytes predicted, {} encoded", weaver.bytes(), bytes.len()));
    }
    if bytes.len() as u32 > config.bytes.max {
        verified.over_bytes += 1;
        return Err(format!("{} bytes of at most {}", bytes.len(), config.bytes.max));
    }
    let (entry, fuel_limit) = (weaver.entry(), u64::from(config.fuel.max));
    let mut execution = Execution { machine, program, entry, fuel_limit };
    let outcome = match execution.run_to_end() {
        Ok(outcome) => outcome,
        Err(Trap::OutOfFuel) => {
            verified.over_fuel += 1;
            return Err(format!("more than {} fuel", config.fuel.max));
        }
        Err(trap) => {
            verified.trapped += 1;
            return Err(format!("trapped: {trap}"));
        }
    };
    if outcome.fuel != weaver.machine().fuel() {
        verified.fuel_mismatch += 1;
        return Err(format!("{} fuel predicted, {} used", weaver.machine().fuel(), outcome.fuel));
    }
    if outcome.globals != weaver.machine().globals() || machine.memory() != weaver.machine().memory() {
        verified.state_mismatch += 1;
        return Err("the second run left another state than the first".into());
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weave::config::WeaveConfig;
    use crate::weave::prior::Prior;

    const SETTINGS: [&str; 4] = [
        "bytes: {max: 36}\nfuel: {max: 2}\nlimits: {results: 1}",
        "{}",
        "fuel: {min: 20, max: 200}\nbytes: {max: 2000}\nunaligned: true
features: [sign_extension, saturating_float_to_int, multi_value, bulk_memory, reference_types, simd, tail_call]
imports: {memory: true, globals: [i32, f64], functions: [{params: [i32], results: [i64, i32]}, {params: [], results: []}]}
limits: {functions: 6, locals: 12, globals: 6, nesting: 6, results: 3, min_results: 1, tables: 2}",
        "fuel: {min: 20, max: 400}\nbytes: {max: 2000}\nfeatures: [multi_value, tail_call]
allow: [loop, if, block, br_if, br, br_table, call, call_indirect, return_call, return_call_indirect, local, drop,
  i32.add, i32.sub, i32.eqz, i32.shr_u, i32.lt_u, global, unreachable]
limits: {functions: 8, nesting: 5, recursion: 8}",
    ];

    fn loom(yaml: &str) -> Arc<Loom> {
        let config: WeaveConfig = serde_yaml::from_str(yaml).expect("valid settings");
        Arc::new(Loom::new(config).expect("valid settings"))
    }

    fn taste(loom: &Loom) -> Taste {
        Prior::default().taste(&loom.config.instructions())
    }

    #[test]
    fn every_program_is_counted_once() {
        for yaml in SETTINGS {
            let progress = AtomicU64::new(0);
            let loom = loom(yaml);
            let (verified, broken) = verify(&loom, &taste(&loom), Seed::new(3), 2 * BATCH as u64 + 5, &progress);
            assert!(broken.is_empty() && verified.holds(), "{yaml}: {verified:?}");
            assert_eq!((verified.programs, progress.into_inner()), (69, 69), "{yaml}");
        }
    }

    /// Programs of all kinds can share a module; and one that is told wrongly is found, with all others right.
    #[test]
    fn a_broken_program_is_found_among_others() {
        let oracle = Oracle::new();
        for yaml in SETTINGS {
            let loom = loom(yaml);
            let taste = taste(&loom);
            let mut verified = Verified::default();
            let mut places: Vec<Place> = (0..BATCH)
                .map(|_| Place { weaver: Weaver::new(loom.clone(), 0), machine: Machine::default() })
                .collect();
            let weave = |(place, number): (&mut Place, u64)| place.weave(&taste, Seed::new(4), number, &mut verified);
            let outcomes: Vec<_> = places.iter_mut().zip(0..).map(weave).collect();
            assert_eq!(oracle.together(&cases(&places, &outcomes)), Ok(()), "{yaml}");
            for at in [0, 11, BATCH - 1] {
                let mut outcomes = outcomes.clone();
                outcomes[at].as_mut().expect("it keeps its promises").fuel += 1;
                let mut verified = Verified::default();
                let found = confirm(&places, outcomes, &oracle, &mut verified);
                let broken: Vec<usize> = (0..BATCH).filter(|&place| found[place].is_some()).collect();
                assert_eq!(broken, [at], "{yaml}");
                assert!(found[at].as_ref().is_some_and(|what| what.starts_with("fuel: our machine used")));
                let expected = Verified { fuel_mismatch: 1, checked_wasmtime: BATCH as u64, ..Verified::default() };
                assert_eq!(verified, expected);
            }
        }
    }
}
