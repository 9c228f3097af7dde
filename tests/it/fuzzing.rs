//! The fuzz targets without a fuzzer: fed with their seeds, and with random bytes that are others each time.
//!
//! `FUZZ_SEED=N` feeds the same bytes again, `FUZZ_INPUTS=N` as many as you like, and `FUZZ_INPUT=FILE` that file alone.

mod targets;

use std::path::Path;
use std::str::FromStr;
use wasmweaver::seed::{Rng, Seed};

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} cannot be read")))
}

/// A seed that is new each time: a test that fails says how to feed it again.
fn fresh() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    u64::from_le_bytes(bytes)
}

/// The seeds that libFuzzer begins with too. A published package has none.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("it can be read")).collect()
}

/// Bytes of any length, or a seed with some of its bytes changed.
fn input(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if seeds.is_empty() || rng.below(2) == 0 {
        return (0..rng.below(1500)).map(|_| rng.bits() as u8).collect();
    }
    let mut input = rng.pick(seeds).clone();
    for _ in 0..=rng.below(4) {
        let at = rng.below(input.len() as u32 + 1) as usize;
        match rng.below(3) {
            0 => input.truncate(at),
            1 => input.insert(at, rng.bits() as u8),
            _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.bits() as u8),
        }
    }
    input
}

/// How many times as many inputs are fed at most until one leads to what the target is about.
const LATER: u64 = 50;

/// Feeds a target; some of it must lead to what the target is about.
fn feed(target: &str, inputs: u64) {
    if let Some(path) = variable::<String>("FUZZ_INPUT") {
        targets::feed(target, &std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")));
        return;
    }
    let (seed, inputs) = (variable("FUZZ_SEED").unwrap_or_else(fresh), variable("FUZZ_INPUTS").unwrap_or(inputs));
    eprintln!(
        "{inputs} inputs; the same again: FUZZ_SEED={seed} FUZZ_INPUTS={inputs} cargo test --test it fuzzing::{target}"
    );
    let seeds = seeds(target);
    let stream = Seed::new(seed).child(target);
    let random = |number| input(&mut stream.indexed("input", number).rng(), &seeds);
    let fed = seeds.iter().cloned().chain((0..inputs).map(random));
    let led = fed.filter(|input| targets::feed(target, input)).count();
    // Chance may well lead none of so few there.
    let leads_later = || (inputs..LATER * inputs).any(|number| targets::feed(target, &random(number)));
    assert!(led > 0 || leads_later(), "nothing led to what the target is about");
}

#[test]
fn weave() {
    feed("weave", 100);
}

#[test]
fn judge() {
    feed("judge", 5000);
}

#[test]
fn modules() {
    feed("modules", 1000);
}

#[test]
fn solver() {
    feed("solver", 200);
}

#[test]
fn inspect() {
    feed("inspect", 150);
}
