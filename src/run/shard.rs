//! Owns what a shard is: one of several deterministic parts of a piece of work, each made anywhere, at any time.
//!
//! Must not know the work. Positions are dealt out in turn, so that parts of one size hold items of each kind, and which
//! part has a position can be told without knowing how many there are.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One part of several: `3/16`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// From 0.
    at: u32,
    of: u32,
}

/// Something that is no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part; write it as I/N, from 1/N to N/N, as in 3/16")]
pub struct ShardError(String);

impl Shard {
    /// All of it, where nothing is split.
    pub const WHOLE: Self = Self { at: 0, of: 1 };

    /// The part `at` (from 0) of so many.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn new(at: u32, of: u32) -> Self {
        assert!(at < of, "part {at} of {of}, counted from 0");
        Self { at, of }
    }

    /// Its number, from 0.
    pub fn at(self) -> u32 {
        self.at
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether a position, from 0, belongs to it.
    pub fn has(self, position: u64) -> bool {
        position % u64::from(self.of) == u64::from(self.at)
    }

    /// The position, among all, of its own position `own`.
    pub fn position(self, own: u64) -> u64 {
        own * u64::from(self.of) + u64::from(self.at)
    }

    /// How many of so many positions belong to it.
    pub fn share(self, positions: u64) -> u64 {
        positions.saturating_sub(u64::from(self.at)).div_ceil(u64::from(self.of))
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(at, of)| Some((at.parse::<u32>().ok()?, of.parse().ok()?)));
        match parts {
            Some((at, of)) if (1..=of).contains(&at) => Ok(Self { at: at - 1, of }),
            _ => Err(ShardError(text.into())),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.at + 1, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_has_one_part() {
        for of in 1..6 {
            let parts: Vec<Shard> = (0..of).map(|at| Shard::new(at, of)).collect();
            for positions in 0..20 {
                let owned = |part: &Shard| (0..positions).filter(|&position| part.has(position)).collect::<Vec<_>>();
                let all: Vec<Vec<u64>> = parts.iter().map(owned).collect();
                assert_eq!(all.iter().map(Vec::len).sum::<usize>() as u64, positions);
                for (part, owned) in parts.iter().zip(&all) {
                    assert_eq!(part.share(positions), owned.len() as u64);
                    assert!((0..).zip(owned).all(|(own, &position)| part.position(own) == position));
                }
            }
        }
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        let part: Shard = "3/16".parse().expect("reads");
        assert_eq!((part, part.to_string()), (Shard::new(2, 16), "3/16".to_owned()));
        for wrong in ["0/4", "5/4", "3", "a/b", "1/0", "-1/4", "1/2/3", ""] {
            let error = wrong.parse::<Shard>().expect_err(wrong).to_string();
            assert!(error.contains("3/16") && error.contains(wrong), "{error}");
        }
    }
}
