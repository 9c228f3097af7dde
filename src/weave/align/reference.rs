//! Owns the real-world code that programs are held against: a profile of 112 npm packages, which the binary carries.
//!
//! Must not know programs.

use super::divergence::Distribution;
use super::grams::{Bucket, CLASSES, TRIGRAMS, trigram};
use super::profile::{Profile, ShareTable};
use crate::wasm::isa::Op;
use std::sync::LazyLock;

/// The profile as text: what `harness corpus compare` calls `reference`.
pub const TEXT: &str = include_str!("reference_profile.json");

/// How each package weighs in what is aimed at: all the same, each module of it normalised first.
pub const COLUMN: &str = "mean";

/// What real code consists of, by the numbers that [`Tally`](super::tally::Tally) counts by. What the table does not
/// have (exceptions, atomics) is the rest of each distribution.
#[derive(Clone, Debug)]
pub struct Reference {
    /// By [`Op::index`].
    pub opcodes: Distribution,
    /// By the number in [`CLASSES`].
    pub classes: Distribution,
    /// Of abstract trigrams.
    pub trigrams: Distribution,
}

impl Reference {
    /// Of a profile's column; the one of this name, or else its first.
    pub fn new(profile: &Profile, column: &str) -> Self {
        let opcode = |name: &str| Op::parse(name).map(Op::index);
        let class = |name: &str| CLASSES.iter().position(|class| *class == name);
        let gram = |name: &str| {
            let mut buckets = name.split(' ').map(Bucket::parse);
            Some(trigram([buckets.next()??, buckets.next()??, buckets.next()??]))
        };
        Self {
            opcodes: distribution(&profile.opcodes, column, Op::COUNT, opcode),
            classes: distribution(&profile.classes, column, CLASSES.len(), class),
            trigrams: distribution(&profile.trigrams, column, TRIGRAMS, gram),
        }
    }
}

fn distribution(
    table: &ShareTable,
    column: &str,
    outcomes: usize,
    number: impl Fn(&str) -> Option<usize>,
) -> Distribution {
    let mut found = Distribution { shares: vec![0.0; outcomes], rest: 0.0 };
    for (name, share) in table.column(column) {
        match number(name) {
            Some(number) => found.shares[number] += share,
            None => found.rest += share,
        }
    }
    // Shares in files are rounded.
    let total = found.shares.iter().sum::<f64>() + found.rest;
    if total > 0.0 {
        found.shares.iter_mut().for_each(|share| *share /= total);
        found.rest /= total;
    }
    found
}

/// The real world.
pub static REAL_WORLD: LazyLock<Reference> = LazyLock::new(|| {
    let profile: Profile = serde_json::from_str(TEXT).expect("the profile in the binary is well-formed");
    Reference::new(&profile, COLUMN)
});

/// Alignment in classes of real functions of so many instructions: size, mean, and what one in ten exceeds. Measured on the
/// functions of the reference.
const FUNCTIONS: [(f64, f64, f64); 3] = [(20.0, 0.800, 0.891), (50.0, 0.882, 0.938), (100.0, 0.909, 0.961)];

/// How like the whole of real code single real functions of one size are, in their classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// On average.
    pub mean: f64,
    /// What one in ten exceeds. A program far above is not more real, but fitted.
    pub p90: f64,
}

/// Of functions with so many instructions; between the measured sizes and beyond by the logarithm of the size.
pub fn functions(instructions: f64) -> Spread {
    let x = instructions.max(1.0).ln();
    let [a, b, c] = FUNCTIONS.map(|(size, mean, p90)| (size.ln(), mean, p90));
    let (low, high) = if x < b.0 { (a, b) } else { (b, c) };
    let part = (x - low.0) / (high.0 - low.0);
    let between = |from: f64, to: f64| (from + (to - from) * part).clamp(0.0, 1.0);
    Spread { mean: between(low.1, high.1), p90: between(low.2, high.2) }
}
