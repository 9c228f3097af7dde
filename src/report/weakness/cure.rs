//! Owns what minimal pairs show: how many misses are gone when the suspected instruction is changed, and how many when another
//! one is.
//!
//! Must not know how twins are made. Of relatives one pair counts: the same change of nearly the same program says nothing
//! new.

use super::super::stats::{Interval, Share};
use super::super::strata::{Stratum, exact_greater};
use super::Claim;
use crate::cause::twin::{Manner, Role};
use crate::run::pairs::Pair;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What the pairs of a claim show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cure {
    /// Right answers among the twins with the suspect changed.
    pub suspect: Share,
    /// Its 95 % interval (Wilson); null of none.
    pub suspect_ci95: Option<Interval>,
    /// Right answers among their controls, in which the suspect stays.
    pub control: Share,
    /// Its 95 % interval (Wilson); null of none.
    pub control_ci95: Option<Interval>,
    /// How likely it is by chance that the suspect's changes cure so many more: exact, one-sided, corrected for the
    /// number of claims with pairs (Holm).
    pub p: f64,
    /// The same of the suspect by what was done to it.
    pub ways: Vec<Way>,
    /// The changes of the suspect, the most frequent first.
    pub changes: Vec<(String, u64)>,
}

/// What one manner of changing the suspect cures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    /// What was done; null for pairs of before it was kept.
    pub manner: Option<Manner>,
    /// Right answers.
    pub cured: Share,
}

impl Cure {
    /// Of two shares alone.
    pub(super) fn new(suspect: Share, control: Share) -> Self {
        let p = exact_greater(&[Stratum { with: suspect, without: control }]);
        let (suspect_ci95, control_ci95) = (suspect.wilson(), control.wilson());
        Self { suspect, suspect_ci95, control, control_ci95, p, ways: Vec::new(), changes: Vec::new() }
    }

    /// What the pairs of a run show of a claim; `None` without any.
    pub fn of(claim: &Claim, pairs: &[Pair]) -> Option<Self> {
        let suspects = own(claim, pairs, Role::Suspect);
        if suspects.is_empty() {
            return None;
        }
        let cured = |pairs: &[&Pair]| Share::count(pairs, |pair| !pair.record.answer.verdict.is_miss());
        let mut changes: BTreeMap<&str, u64> = BTreeMap::new();
        suspects.iter().for_each(|pair| *changes.entry(&pair.change).or_default() += 1);
        let mut changes: Vec<(String, u64)> = changes.into_iter().map(|(change, n)| (change.into(), n)).collect();
        changes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let mut ways: BTreeMap<Option<Manner>, Vec<&Pair>> = BTreeMap::new();
        suspects.iter().for_each(|pair| ways.entry(pair.manner).or_default().push(pair));
        let ways = ways.into_iter().map(|(manner, pairs)| Way { manner, cured: cured(&pairs) }).collect();
        let control = cured(&own(claim, pairs, Role::Control));
        Some(Self { ways, changes, ..Self::new(cured(&suspects), control) })
    }

    /// The p value if all of the suspect's changes cured and none of the others.
    pub(super) fn least_p(&self) -> f64 {
        let (suspect, control) = (self.suspect.of, self.control.of);
        Self::new(Share { hits: suspect, of: suspect }, Share { hits: 0, of: control }).p
    }

    /// `changing it cures 19 of 20 misses (a neighbour in its place: 19 of 20); ...`.
    pub fn sentence(&self) -> String {
        let of = |share: Share| format!("{} of {}", share.hits, share.of);
        let way = |way: &Way| format!("{}: {}", way.manner.map_or("a swap", Manner::words), of(way.cured));
        let ways = self.ways.iter().map(way).collect::<Vec<_>>().join("; ");
        let control = match self.control.of {
            0 => "there was no other instruction to change".into(),
            _ => format!("changing another instruction instead cures {}", of(self.control)),
        };
        format!("changing it cures {} misses ({ways}); {control}", of(self.suspect))
    }
}

/// The answered pairs of a claim in one role, one of each lineage; those of before manners were kept come last.
fn own<'p>(claim: &Claim, pairs: &'p [Pair], role: Role) -> Vec<&'p Pair> {
    let lineages: HashMap<&str, usize> = claim.misses.iter().map(|miss| (miss.id.as_str(), miss.lineage)).collect();
    let mut found: Vec<(usize, &Pair)> = pairs
        .iter()
        .filter(|pair| pair.claim == claim.what && pair.role == role && pair.record.answer.verdict.answered())
        .filter_map(|pair| Some((*lineages.get(pair.of.as_str())?, pair)))
        .collect();
    found.sort_by_key(|(lineage, pair)| (*lineage, pair.manner.is_none()));
    found.dedup_by_key(|(lineage, _)| *lineage);
    found.into_iter().map(|(_, pair)| pair).collect()
}
