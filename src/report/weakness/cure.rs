//! Owns what minimal pairs show: how many misses are gone when the suspected instruction is swapped, and how many when another
//! one is.
//!
//! Must not know how twins are made.

use super::super::stats::Share;
use super::Claim;
use crate::attack::pairs::Role;
use crate::run::pairs::Pair;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the pairs of a claim show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cure {
    /// Right answers among the twins without the suspect.
    pub suspect: Share,
    /// Right answers among their controls, in which the suspect stays.
    pub control: Share,
    /// The changes of the suspect, the most frequent first.
    pub changes: Vec<(String, u64)>,
}

impl Cure {
    /// What the pairs of a run show of a claim; `None` without any.
    pub fn of(claim: &Claim, pairs: &[Pair]) -> Option<Self> {
        let own = |role: Role| {
            pairs.iter().filter(move |pair| {
                pair.claim == claim.what && pair.role == role && pair.record.answer.verdict.answered()
            })
        };
        let cured = |role: Role| Share::count(own(role), |pair| !pair.record.answer.verdict.is_miss());
        let mut changes: BTreeMap<&str, u64> = BTreeMap::new();
        own(Role::Suspect).for_each(|pair| *changes.entry(&pair.change).or_default() += 1);
        let mut changes: Vec<(String, u64)> = changes.into_iter().map(|(change, n)| (change.into(), n)).collect();
        changes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let cure = Self { suspect: cured(Role::Suspect), control: cured(Role::Control), changes };
        (cure.suspect.of > 0).then_some(cure)
    }

    /// `swapping it cures 19 of 20 misses; swapping another instruction in its place 2 of 20`.
    pub fn sentence(&self) -> String {
        let of = |share: Share| format!("{} of {}", share.hits, share.of);
        let control = match self.control.of {
            0 => "there was no other instruction to swap".into(),
            _ => format!("swapping another instruction instead cures {}", of(self.control)),
        };
        format!("swapping it for a neighbour cures {} misses; {control}", of(self.suspect))
    }
}
