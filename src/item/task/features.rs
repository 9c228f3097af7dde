//! Owns how what is seen in a text becomes numbers: each fact is hashed into one of [`BUCKETS`] features that are on or
//! off.
//!
//! Must not know what the facts mean. With hashing no list of facts has to be kept, and facts that were never met while
//! learning weigh nothing.

use crate::wasm::program::Flat;

/// How many features there are.
pub(crate) const BUCKETS: usize = 1 << 14;

/// The features that are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    on: Vec<u16>,
}

impl Features {
    /// Turns on the feature that a fact of this kind has these values.
    pub(crate) fn add(&mut self, kind: &str, values: &[u64]) {
        // FNV-1a, with a last mixing so that the low bits depend on every value.
        let step = |hash: u64, part: u64| (hash ^ part).wrapping_mul(0x0100_0000_01b3);
        let hash = kind.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| step(hash, byte.into()));
        let hash = values.iter().fold(hash, |hash, &value| step(step(hash, value >> 32), value & 0xffff_ffff));
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.on.push((mixed >> 50) as u16);
    }

    /// The numbers of those that are on, each below [`BUCKETS`].
    pub(crate) fn on(&self) -> &[u16] {
        &self.on
    }
}

/// A count or a distance as its order of magnitude: exact below 4, then two steps for each power of two.
pub(crate) fn size(number: usize) -> u64 {
    match number {
        0..4 => number as u64,
        _ => u64::from(2 * number.ilog2()) + (number >> (number.ilog2() - 1) & 1) as u64,
    }
}

/// The instruction at a place as a number, with 0 for none: before the start or behind the end.
pub(crate) fn word(code: &[Flat], at: Option<usize>) -> u64 {
    at.and_then(|at| code.get(at)).map_or(0, |entry| 1 + entry.instr.op.index() as u64)
}

/// The `length` instructions before a place, nearest first.
pub(crate) fn before<const LENGTH: usize>(code: &[Flat], pc: usize) -> [u64; LENGTH] {
    std::array::from_fn(|at| word(code, pc.checked_sub(1 + at)))
}

/// The `length` instructions from a place on.
pub(crate) fn behind<const LENGTH: usize>(code: &[Flat], pc: usize) -> [u64; LENGTH] {
    std::array::from_fn(|at| word(code, Some(pc + at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_spread_over_all_buckets() {
        let mut features = Features::default();
        (0..200_000_u64).for_each(|value| features.add("fact", &[value % 7, value]));
        let mut counts = vec![0_u32; BUCKETS];
        features.on().iter().for_each(|&at| counts[usize::from(at)] += 1);
        // About 12 in each; Poisson's tails end far before these.
        assert!(counts.iter().all(|&count| (0..45).contains(&count)));
        assert!(counts.iter().filter(|&&count| count == 0).count() < 20);
        let one = |kind: &str, values: &[u64]| {
            let mut features = Features::default();
            features.add(kind, values);
            features.on()[0]
        };
        assert_eq!(one("a", &[1, 2]), one("a", &[1, 2]));
        assert!(one("a", &[1, 2]) != one("a", &[2, 1]) && one("a", &[1]) != one("b", &[1]));
    }

    #[test]
    fn sizes_grow_with_what_they_measure() {
        let sizes: Vec<u64> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 1000].into_iter().map(size).collect();
        assert_eq!(sizes, [0, 1, 2, 3, 4, 4, 5, 5, 6, 7, 8, 19]);
    }
}
