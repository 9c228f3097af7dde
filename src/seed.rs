//! Owns randomness: one master seed, named sub-streams, and the few distributions the program draws from.
//!
//! Must not know what the numbers are for. Every draw in the program comes from here, so that a run repeats from its
//! seed alone: a sub-stream depends on the seed and on its *name*, never on how many draws were made elsewhere, on
//! threads, or on time. The distributions are written here, since those of `rand` may change between versions.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A node in the tree of seeds: 256 bits that name one stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The root of the tree for the number that a user types.
    pub fn new(master: u64) -> Self {
        Self(blake3::derive_key("wasmweaver master seed v1", &master.to_le_bytes()))
    }

    /// The child stream with this name.
    pub fn child(&self, name: &str) -> Self {
        Self(*blake3::keyed_hash(&self.0, name.as_bytes()).as_bytes())
    }

    /// The `index`-th of the child streams with this name.
    pub fn indexed(&self, name: &str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(name.as_bytes()).update(&[0]).update(&index.to_le_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// A generator at the start of this stream.
    pub fn rng(&self) -> Rng {
        Rng(Xoshiro256PlusPlus::from_seed(self.0))
    }

    /// The first 64 bits: what a record stores so that one stream can be opened again with [`Rng::from_u64`].
    pub fn to_u64(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().expect("32 bytes hold 8"))
    }
}

/// A stream of random numbers (xoshiro256++).
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A stream from 64 bits; cheap, for the one stream that each woven program has.
    pub fn from_u64(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0..n`.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "nothing to draw from");
        // Lemire 2019, "Fast random integer generation in an interval", without the rejection step: the bias is
        // under n / 2^64, far below anything a sample could show.
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u32
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "empty range");
        let span = (high - low) as u128 + 1;
        low + ((u128::from(self.bits()) * span) >> 64) as i64
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One element of a slice that is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }

    /// Puts the slice in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_their_name_alone() {
        let seed = Seed::new(7);
        let mut drained = seed.child("a").rng();
        assert!((0..100).map(|_| drained.bits()).any(|bits| bits != 0));
        assert_eq!(seed.child("b").rng().bits(), Seed::new(7).child("b").rng().bits());
        assert_ne!(seed.child("a").rng().bits(), seed.child("b").rng().bits());
        assert_ne!(seed.indexed("a", 0).rng().bits(), seed.indexed("a", 1).rng().bits());
        assert_ne!(seed.rng().bits(), Seed::new(8).rng().bits());
    }

    #[test]
    fn draws_are_frozen() {
        // A change here changes every program ever recorded by its seed.
        let mut rng = Seed::new(0).child("frozen").rng();
        let drawn: Vec<u32> = (0..6).map(|_| rng.below(1000)).collect();
        assert_eq!(drawn, [950, 637, 591, 231, 981, 491]);
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut rng = Seed::new(1).rng();
        let n = 100_000;
        let normals: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|_| counts[rng.below(7) as usize] += 1);
        assert!(counts.iter().all(|&c| (9_500..10_500).contains(&c)), "{counts:?}");
        assert!((0..10_000).all(|_| (-3..=3).contains(&rng.between(-3, 3))));
        assert_eq!(rng.between(i64::MIN, i64::MIN), i64::MIN);
    }
}
