//! Owns the ladder of claims: what separates a suspicion from a proof.
//!
//! Must not know how pairs are asked. A claim that holds on lineages which had no part in finding it is a suspicion: what
//! goes with misses need not cause them. Only a change of the program by our own hand tells.

use super::super::compare::holm;
use super::{Claim, Cure};
use serde::Serialize;

/// How likely it may be by chance that the suspect's changes cure more than others, corrected for the number of claims.
const CURES: f64 = 0.05;
/// Pairs of different lineages that a proof takes.
const FEWEST: u64 = 4;
/// The share of misses that the suspect's changes must cure.
const MOST: f64 = 0.5;

/// What is known of a claim that holds on other lineages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Changing the suspect cures most misses, and more of them than the same change of another instruction.
    Confirmed,
    /// No pairs were asked or none are possible, or they are too few to tell.
    Suspected,
    /// Enough pairs were asked, and changing the suspect does not cure: it goes with the misses and is not their cause.
    NotCured,
}

impl Status {
    /// All of them, the strongest first.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Suspected, Self::NotCured];

    /// What it says of a claim.
    pub fn says(self) -> &'static str {
        match self {
            Self::Confirmed => "Confirmed: changing it cures the misses, changing something else does not",
            Self::Suspected => "Suspected: it goes with misses; no minimal pairs say yet whether it causes them",
            Self::NotCured => "Not the cause: it goes with misses, and changing it does not cure them",
        }
    }
}

/// Says of each claim what its pairs make of it.
pub(super) fn decide(claims: &mut [Claim]) {
    let own: Vec<f64> = claims.iter().filter_map(|claim| Some(claim.cure.as_ref()?.p)).collect();
    let corrected = holm(&own);
    let asked = claims.iter_mut().filter(|claim| claim.cure.is_some());
    for (claim, p) in asked.zip(corrected) {
        let Some(cure) = &mut claim.cure else { continue };
        cure.p = p;
        claim.status = of(cure, own.len());
    }
}

/// Of pairs with a corrected p value, beside those of so many claims in all.
fn of(cure: &Cure, claims: usize) -> Status {
    if cure.suspect.of < FEWEST {
        Status::Suspected
    } else if cure.p <= CURES && cure.suspect.rate() > Some(MOST) {
        Status::Confirmed
    } else if cure.least_p() * claims as f64 > CURES {
        Status::Suspected
    } else {
        Status::NotCured
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::stats::Share;
    use super::*;

    #[track_caller]
    fn check(suspect: (u64, u64), control: (u64, u64), expected: Status) {
        let share = |(hits, of)| Share { hits, of };
        assert_eq!(of(&Cure::new(share(suspect), share(control)), 1), expected, "{suspect:?} {control:?}");
    }

    #[test]
    fn pairs_decide() {
        check((19, 20), (2, 20), Status::Confirmed);
        check((4, 4), (0, 4), Status::Confirmed);
        // Too few: not even all against none would tell.
        check((3, 3), (0, 30), Status::Suspected);
        check((20, 20), (0, 0), Status::Suspected);
        // Any change cures, or hardly any does.
        check((19, 20), (18, 20), Status::NotCured);
        check((0, 20), (0, 20), Status::NotCured);
        check((8, 20), (0, 20), Status::NotCured);
    }
}
