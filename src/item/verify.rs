//! Owns the proof that the generator keeps its promises: many programs, each held against every one of them.
//!
//! Must not know questions' answers by models, nor files; what broke is returned with all that rebuilds it.

use crate::seed::Seed;
use crate::wasm::isa::Trap;
use crate::wasm::machine::Machine;
use crate::wasm::oracle::{Disagreement, Oracle, Watch};
use crate::wasm::{encode, parse, rerun};
use crate::weave::chance::Chance;
use crate::weave::prior::Taste;
use crate::weave::weaver::{Loom, Weaver};
use serde::Serialize;
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
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let oracle = Oracle::new();
    let parts = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                let oracle = &oracle;
                scope.spawn(move || {
                    verify_part(loom, taste, seed, (thread..count).step_by(threads as usize), oracle, progress)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("checking does not panic")).collect::<Vec<_>>()
    });
    let mut total = Verified::default();
    let mut broken = Vec::new();
    for (verified, found) in parts {
        total.add(&verified);
        broken.extend(found);
    }
    (total, broken)
}

fn verify_part(
    loom: &Arc<Loom>,
    taste: &Taste,
    seed: Seed,
    numbers: impl Iterator<Item = u64>,
    oracle: &Oracle,
    progress: &AtomicU64,
) -> (Verified, Vec<Broken>) {
    let (mut verified, mut broken) = (Verified::default(), Vec::new());
    let mut machine = Machine::default();
    let mut weaver = Weaver::new(loom.clone(), 0);
    for number in numbers {
        let seed = seed.indexed("program", number);
        weaver.reset(seed.to_u64());
        let chance = Chance::ALL.get(number as usize % (Chance::ALL.len() + 1));
        let woven = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let rng = &mut seed.child("choices").rng();
            match chance {
                Some(chance) => chance.weave(&mut weaver, rng),
                None => taste.weave(&mut weaver, rng),
            }
        }));
        verified.programs += 1;
        let found = match woven {
            Ok(()) => check(&weaver, &mut machine, oracle, &mut verified),
            Err(_) => {
                verified.failed_episodes += 1;
                Some("the weaver panicked".to_string())
            }
        };
        if let Some(what) = found {
            broken.push(Broken { what, weaver: weaver.clone() });
            weaver = Weaver::new(loom.clone(), 0);
        }
        progress.fetch_add(1, Ordering::Relaxed);
    }
    (verified, broken)
}

/// Holds one program against every promise; says which broke first.
fn check(weaver: &Weaver, machine: &mut Machine, oracle: &Oracle, verified: &mut Verified) -> Option<String> {
    let (program, config) = (weaver.program(), weaver.config());
    let bytes = encode::encode(program);
    if let Err(error) = wasmparser::Validator::new_with_features(parse::FEATURES).validate_all(&bytes) {
        verified.invalid += 1;
        return Some(format!("invalid: {error}"));
    }
    if bytes.len() as u32 != weaver.bytes() {
        verified.byte_mismatch += 1;
        return Some(format!("{} bytes predicted, {} encoded", weaver.bytes(), bytes.len()));
    }
    if bytes.len() as u32 > config.bytes.max {
        verified.over_bytes += 1;
        return Some(format!("{} bytes of at most {}", bytes.len(), config.bytes.max));
    }
    let outcome = match rerun::run_to_end(machine, program, weaver.entry(), u64::from(config.fuel.max)) {
        Ok(outcome) => outcome,
        Err(Trap::OutOfFuel) => {
            verified.over_fuel += 1;
            return Some(format!("more than {} fuel", config.fuel.max));
        }
        Err(trap) => {
            verified.trapped += 1;
            return Some(format!("trapped: {trap}"));
        }
    };
    if outcome.fuel != weaver.machine().fuel() {
        verified.fuel_mismatch += 1;
        return Some(format!("{} fuel predicted, {} used", weaver.machine().fuel(), outcome.fuel));
    }
    if outcome.globals != weaver.machine().globals() || machine.memory() != weaver.machine().memory() {
        verified.state_mismatch += 1;
        return Some("the second run left another state than the first".into());
    }
    verified.checked_wasmtime += 1;
    let disagreement = oracle.check(program, weaver.entry(), &outcome, machine, Watch::default()).err()?;
    match disagreement {
        Disagreement::Invalid(_) => verified.invalid += 1,
        Disagreement::Trapped { .. } => verified.trapped += 1,
        Disagreement::Fuel { .. } => verified.fuel_mismatch += 1,
        Disagreement::State { .. } => verified.state_mismatch += 1,
    }
    Some(disagreement.to_string())
}
