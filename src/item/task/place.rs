//! Owns the choice of the place that a question asks about, among all that are worth it.
//!
//! Must not know which places are worth it (the tasks do), nor what a policy is. Chance makes the reward of a program
//! noisy: one place of it is missed, another is not. A policy that chooses the place has one reward for each choice.

use crate::seed::Rng;
use serde::{Deserialize, Serialize};

/// How many parts the places of a program are divided into, from the first to the last; one of them can be chosen. A run
/// of the default presets' fuel has fewer places than this, so that each of them can be.
pub const PARTS: usize = 32;

/// What decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placer {
    /// Chance: each place is equally likely.
    #[default]
    Random,
    /// The policy of an attack, by its last action. A chooser without such an action leaves it to chance.
    Policy,
}

/// How the place of one question is chosen.
#[derive(Debug)]
pub enum Placement<'a> {
    /// By chance.
    Random(&'a mut Rng),
    /// At this part of all places, below [`PARTS`]: the same program always has the same question there.
    Part(u8),
}

/// The number of the first place of a part, of so many.
///
/// # Panics
/// If there are none, or no such part.
pub(super) fn first_of(part: u8, places: usize) -> usize {
    assert!(places > 0 && usize::from(part) < PARTS, "part {part} of {places} places");
    usize::from(part) * places / PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_can_be_chosen_while_there_are_no_more_than_parts() {
        for places in 1..=PARTS {
            let mut chosen: Vec<usize> = (0..PARTS as u8).map(|part| first_of(part, places)).collect();
            assert!(chosen.is_sorted());
            chosen.dedup();
            assert_eq!(chosen, (0..places).collect::<Vec<_>>());
        }
    }
}
