//! Owns the real-world code that programs are held against: a profile of 112 npm packages, which the binary carries.
//!
//! Must not know programs.

use super::divergence::Distribution;
use super::grams::{Bucket, CLASSES, TRIGRAMS, trigram};
use super::profile::{Profile, Table};
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

fn distribution(table: &Table, column: &str, outcomes: usize, number: impl Fn(&str) -> Option<usize>) -> Distribution {
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

/// Alignment in classes that one real function in ten exceeds, by how many instructions it has: measured on the
/// functions of the reference.
const P90: [(f64, f64); 3] = [(20.0, 0.891), (50.0, 0.938), (100.0, 0.961)];

/// The alignment in classes that one real function of this size in ten exceeds; in between and beyond by the logarithm
/// of the size. A program far above is not more real, but fitted.
pub fn p90(instructions: f64) -> f64 {
    let x = instructions.max(1.0).ln();
    let [a, b, c] = P90.map(|(size, alignment)| (size.ln(), alignment));
    let ((x0, y0), (x1, y1)) = if x < b.0 { (a, b) } else { (b, c) };
    (y0 + (y1 - y0) * (x - x0) / (x1 - x0)).min(1.0)
}
