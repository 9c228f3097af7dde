//! Owns what an episode is worth: pure functions from what happened to a number.
//!
//! Must not know how it happened.

use super::ConfigError;
use serde::{Deserialize, Serialize};

/// How misses are paid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardConfig {
    /// What a miss is worth in any case, `0..=1`; the rest grows with the share of wrong slots.
    pub miss: f32,
    /// The factor for a miss whose canonical form was missed before: finding it again is worth little.
    pub repeated: f32,
    /// The share of a miss's worth that is for the novelty of its cell (fuel, construct and verdict), `0..=1`: the n-th
    /// miss of one cell is paid `1 - novelty + novelty / sqrt(n)` of it. 0 pays every cell the same for ever.
    pub novelty: f32,
}

impl Default for RewardConfig {
    fn default() -> Self {
        Self { miss: 0.5, repeated: 0.25, novelty: 0.5 }
    }
}

/// A miss, as far as its worth depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// The share of slots that were wrong.
    pub wrong_share: f32,
    /// Whether its canonical form was missed before.
    pub repeated: bool,
    /// Misses known of its cell.
    pub known_of_cell: u32,
}

impl RewardConfig {
    /// Pays one reply; without a wrong slot nothing.
    pub fn pay(&self, miss: Miss) -> f32 {
        if miss.wrong_share <= 0.0 {
            return 0.0;
        }
        let whole = self.miss + (1.0 - self.miss) * miss.wrong_share;
        let novel = 1.0 - self.novelty + self.novelty / (1.0 + miss.known_of_cell as f32).sqrt();
        whole * novel * if miss.repeated { self.repeated } else { 1.0 }
    }
}

/// How a program is paid that is to be like the real world: `R_align + R_length`, and what is added here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeavingReward {
    /// Weight of R_align, up to half way from the mean of real functions of its size to what one in ten exceeds; beyond
    /// that it is taken off again, since such a program is fitted, not real.
    pub align: f32,
    /// Weight of R_length.
    pub length: f32,
    /// Weight of the depth, where it has a target.
    pub depth: f32,
    /// What a program does to all programs together.
    pub pooled: Pooled,
}

/// Weights of what a program changes in the alignment of the programs woven lately, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pooled {
    /// Over classes of instructions.
    pub class: f32,
    /// Over instructions.
    pub opcode: f32,
    /// Over abstract trigrams.
    pub trigram: f32,
    /// Over classes of the instructions that are executed.
    pub executed: f32,
}

impl WeavingReward {
    /// Refuses weights that are no numbers, or below 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Self { align, length, depth, pooled } = *self;
        let Pooled { class, opcode, trigram, executed } = pooled;
        let fields = [
            ("align", vec![align]),
            ("length", vec![length]),
            ("depth", vec![depth]),
            ("pooled", vec![class, opcode, trigram, executed]),
        ];
        let is_weight = |weight: &f32| weight.is_finite() && *weight >= 0.0;
        match fields.into_iter().find(|(_, weights)| !weights.iter().all(is_weight)) {
            Some((field, _)) => Err(ConfigError { field, problem: "must have weights of at least 0" }),
            None => Ok(()),
        }
    }
}

impl Default for WeavingReward {
    fn default() -> Self {
        Self { align: 1.0, length: 1.0, depth: 0.0, pooled: Pooled::default() }
    }
}

impl Default for Pooled {
    fn default() -> Self {
        Self { class: 1.0, opcode: 2.0, trigram: 1.0, executed: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_pays_for_its_size_and_its_novelty() {
        let config = RewardConfig { miss: 0.5, repeated: 0.25, novelty: 0.5 };
        let pay = |wrong_share, repeated, known_of_cell| config.pay(Miss { wrong_share, repeated, known_of_cell });
        assert_eq!(pay(0.0, false, 0), 0.0);
        assert_eq!(pay(1.0, false, 0), 1.0);
        assert_eq!(pay(0.5, false, 0), 0.75);
        assert_eq!(pay(1.0, true, 0), 0.25);
        assert_eq!(pay(1.0, false, 3), 0.75, "the fourth of its cell");
        assert_eq!(pay(0.5, true, 24), 0.75 * 0.25 * 0.6);
        let flat = RewardConfig { novelty: 0.0, ..config };
        assert_eq!(flat.pay(Miss { wrong_share: 1.0, repeated: false, known_of_cell: 1000 }), 1.0);
    }
}
