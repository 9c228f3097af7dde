//! Owns the weakness profile: which facts of the computation go with misses more than chance.
//!
//! Must not know how it is shown, nor ask a model. Facts that would explain the misses are looked for in some of the
//! questions, one after the other: the fact that goes with misses most closely, then the one that does so where the
//! first is not, and so on. Each is a claim, and is tested on the other questions, that had no part in finding it; only
//! claims that hold there are told. Relatives stand on one side, and one of them speaks for all (`lineage`): the
//! children of a missed program share with it what does no harm as well as what does. Throughout, questions are
//! compared within strata of equal length, of one chooser and of one part of the run, since long programs are missed by
//! themselves and a policy has habits that explain nothing.
//!
//! That a fact goes with misses elsewhere too makes a claim *suspected*. Minimal pairs decide what it is beyond that
//! ([`Status`]).

mod cases;
mod cure;
mod lineage;
mod smallest;
mod status;

pub use cure::{Cure, Way};
pub use smallest::{Smallest, spread};
pub use status::Status;

use super::stats::{Interval, Share};
use super::strata::{Stratum, difference, exact_greater, mantel_haenszel, two_sided};
use super::{compare::holm, stats};
use crate::cause::facts::Fact;
use crate::item::edit::UnreadableItem;
use crate::item::record::Record;
use crate::run::pairs::Pair;
use crate::run::shrunk::Shrunk;
use cases::{Case, Cases};
use serde::Serialize;
use std::collections::BTreeSet;

/// Claims at most.
const MOST: usize = 8;
/// Questions that must have a fact, and that must not, for anything to be said of it.
const FEWEST: u64 = 10;
/// How likely a fact may be by chance, corrected for the number of facts looked at, to become a claim.
const FOUND: f64 = 0.01;
/// How likely a claim may be by chance on questions that did not find it, corrected for the number of claims.
const HOLDS: f64 = 0.05;
/// How many of the facts that went with misses most closely a claim lists.
const CLOSEST: usize = 8;
/// A fact with this share of the closest one's statistic cannot be told from it.
const ALIKE: f64 = 0.97;
/// A more general fact with this share of the closest one's statistic may stand in its place.
const GENERAL: f64 = 0.9;
/// The share of the questions with a fact that have a more general one.
const WITHIN: f64 = 0.95;

/// What a model fails on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weaknesses {
    /// Lineages of questions with a right or wrong answer in which claims were looked for.
    pub found_in: u64,
    /// Those on which they were tested.
    pub tested_on: u64,
    /// Their questions: different canonical forms.
    pub questions: u64,
    /// Facts that were looked at.
    pub facts: usize,
    /// Claims that did not hold on questions that had no part in finding them.
    pub refuted: usize,
    /// Claims that did, in the order in which they were found: the first explains most.
    pub claims: Vec<Claim>,
}

/// A fact that goes with misses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// In plain words: `shifts and rotations by the width or more`.
    pub what: String,
    /// The fact.
    #[serde(skip)]
    pub fact: Fact,
    /// Misses among the tested questions that have it, and no fact of an earlier claim.
    pub with: Share,
    /// Misses among those that have neither.
    pub without: Share,
    /// The difference of the shares with all else held fixed, and its 95 % interval; null where no stratum has both.
    pub difference: Option<(f64, Interval)>,
    /// How likely it is by chance: exact, one-sided, corrected for the number of claims (Holm).
    pub p: f64,
    /// The share of misses among the tested questions that have it.
    pub explains: Share,
    /// Facts that go with the misses as closely here, so that these questions cannot tell them apart from it.
    pub alike: Vec<String>,
    /// The facts that went with misses most closely when it was found, and how closely, in standard deviations.
    pub closest: Vec<(String, f64)>,
    /// What is known of it beyond that.
    pub status: Status,
    /// What its minimal pairs show; null without any.
    pub cure: Option<Cure>,
    /// The smallest program that shows it; null if none is known.
    pub smallest: Option<Smallest>,
    /// The items that have it, and no fact of an earlier claim, and were missed: one of each lineage first, of those the
    /// ones that tested it.
    #[serde(skip)]
    pub misses: Vec<Miss>,
}

/// A missed item.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// Its id.
    pub id: String,
    /// Number of its lineage.
    pub lineage: usize,
}

impl Claim {
    /// `fails on shifts by the width or more: 91 % missed against 8 % elsewhere`.
    pub fn sentence(&self) -> String {
        let rate = |share: Share| share.rate().map_or("unknown".into(), |rate| format!("{} %", (100.0 * rate).round()));
        format!("fails on {}: {} missed against {} elsewhere", self.what, rate(self.with), rate(self.without))
    }
}

impl Weaknesses {
    /// Of the questions of a run to one model: of all purposes that ask about new programs.
    ///
    /// # Errors
    /// If a program cannot be read.
    pub fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Result<Self, UnreadableItem> {
        let cases = Cases::of(records)?;
        let speakers = cases.cases.iter().filter(|case| case.speaks);
        let (tested, found): (Vec<&Case>, Vec<&Case>) = speakers.partition(|case| case.is_held_out);
        let (claimed, facts) = search(&cases, &found);
        let mut claims = test(&cases, &tested, &claimed);
        let mut left: Vec<&Case> = cases.cases.iter().filter(|case| case.missed).collect();
        left.sort_by_key(|case| !case.is_held_out);
        for (claim, found) in claims.iter_mut().zip(&claimed) {
            claim.misses = misses(left.extract_if(.., |case| case.has(found.fact)));
        }
        let refuted = claims.iter().filter(|claim| claim.p > HOLDS).count();
        Ok(Self {
            found_in: found.len() as u64,
            tested_on: tested.len() as u64,
            questions: cases.cases.len() as u64,
            facts,
            refuted,
            claims: claims.into_iter().filter(|claim| claim.p <= HOLDS).collect(),
        })
    }

    /// The same with what minimal pairs and programs that were cut down show of each claim.
    ///
    /// # Errors
    /// If a program cannot be read.
    pub fn with(mut self, records: &[Record], pairs: &[Pair], shrunk: &[Shrunk]) -> Result<Self, UnreadableItem> {
        for claim in &mut self.claims {
            claim.cure = Cure::of(claim, pairs);
        }
        status::decide(&mut self.claims);
        smallest::find(&mut self.claims, records, shrunk)?;
        Ok(self)
    }

    /// The claims of a status, in the order found.
    pub fn of_status(&self, status: Status) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(move |claim| claim.status == status)
    }
}

/// Missed questions, the first of each lineage before its relatives.
fn misses<'c>(cases: impl Iterator<Item = &'c Case>) -> Vec<Miss> {
    let mut seen = BTreeSet::new();
    let (first, relatives): (Vec<&Case>, Vec<&Case>) = cases.partition(|case| seen.insert(case.lineage));
    let miss = |case: &Case| Miss { id: case.id.clone(), lineage: case.lineage };
    first.into_iter().chain(relatives).map(miss).collect()
}

/// A fact that explains misses, and those that do so as well.
struct Found {
    fact: usize,
    alike: Vec<usize>,
    closest: Vec<(usize, f64)>,
}

/// Looks for claims; and how many facts were looked at.
fn search(cases: &Cases, found: &[&Case]) -> (Vec<Found>, usize) {
    let (mut left, mut claims, mut looked) = (found.to_vec(), Vec::new(), 0);
    while claims.len() < MOST {
        let scores = scores(cases, &left);
        if claims.is_empty() {
            looked = scores.len();
        }
        let Some(best) = scores.iter().map(|(_, score)| *score).max_by(f64::total_cmp) else { break };
        // A Bonferroni bound over all that was looked at is the first step of Holm.
        if two_sided(best) * looked as f64 > FOUND {
            break;
        }
        let from = |share: f64| scores.iter().filter(move |(_, score)| *score >= share * best).map(|(fact, _)| *fact);
        let closest = scores.iter().find(|(_, score)| *score == best).expect("it is one of them").0;
        let fact = from(GENERAL).find(|&general| generalises(general, closest, &left)).unwrap_or(closest);
        let alike = from(ALIKE).filter(|&other| other != fact).collect();
        let mut closest = scores.clone();
        closest.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        closest.truncate(CLOSEST);
        let claim = Found { fact, alike, closest };
        left.retain(|case| !case.has(claim.fact));
        claims.push(claim);
    }
    (claims, looked)
}

/// Whether a fact says the same of more: nearly all questions with the special one have it, and those with it alone are missed
/// more than those with neither. Without the latter the special one is all there is to it.
fn generalises(general: usize, special: usize, among: &[&Case]) -> bool {
    let of = |has: &dyn Fn(&Case) -> bool| Share::count(among.iter().filter(|case| has(case)), |case| case.missed);
    let both = of(&|case| case.has(special) && case.has(general));
    let alone = of(&|case| !case.has(special) && case.has(general));
    let neither = of(&|case| !case.has(special) && !case.has(general));
    let is_within = both.of as f64 >= WITHIN * of(&|case| case.has(special)).of as f64;
    is_within && exact_greater(&[Stratum { with: alone, without: neither }]) < FOUND
}

/// How closely each fact goes with misses, in standard deviations; in the order of the facts.
fn scores(cases: &Cases, among: &[&Case]) -> Vec<(usize, f64)> {
    let strata = cases.strata;
    let mut all = vec![Share::default(); strata];
    let mut with = vec![vec![Share::default(); strata]; cases.facts.len()];
    for case in among {
        add(&mut all[case.stratum], case.missed);
        case.facts.iter().for_each(|&fact| add(&mut with[fact as usize][case.stratum], case.missed));
    }
    let of: u64 = all.iter().map(|share| share.of).sum();
    let score = |(fact, with): (usize, Vec<Share>)| {
        let having: u64 = with.iter().map(|share| share.of).sum();
        let enough = having >= FEWEST && of - having >= FEWEST;
        let pairs = with.iter().zip(&all).map(|(&with, &all)| Stratum { with, without: minus(all, with) });
        Some((fact, enough.then(|| mantel_haenszel(pairs)).flatten()?))
    };
    with.into_iter().enumerate().filter_map(score).collect()
}

fn add(share: &mut Share, missed: bool) {
    share.of += 1;
    share.hits += u64::from(missed);
}

fn minus(all: Share, some: Share) -> Share {
    Share { hits: all.hits - some.hits, of: all.of - some.of }
}

/// Holds the claims against questions that had no part in finding them.
fn test(cases: &Cases, tested: &[&Case], claimed: &[Found]) -> Vec<Claim> {
    let misses = Share::count(tested, |case| case.missed).hits;
    let mut left = tested.to_vec();
    let mut claims = Vec::new();
    for found in claimed {
        let mut strata = vec![Stratum::default(); cases.strata];
        for case in &left {
            let stratum = &mut strata[case.stratum];
            add(if case.has(found.fact) { &mut stratum.with } else { &mut stratum.without }, case.missed);
        }
        let explained = tested.iter().filter(|case| case.missed && case.has(found.fact)).count() as u64;
        let fact = cases.facts[found.fact];
        claims.push(Claim {
            what: fact.to_string(),
            fact,
            with: stats::sum(strata.iter().map(|stratum| stratum.with)),
            without: stats::sum(strata.iter().map(|stratum| stratum.without)),
            difference: difference(&strata),
            p: exact_greater(&strata),
            explains: Share { hits: explained, of: misses },
            closest: found.closest.iter().map(|&(fact, score)| (cases.facts[fact].to_string(), score)).collect(),
            status: Status::Suspected,
            cure: None,
            smallest: None,
            misses: Vec::new(),
            alike: found.alike.iter().map(|&fact| cases.facts[fact].to_string()).collect(),
        });
        left.retain(|case| !case.has(found.fact));
    }
    let corrected = holm(&claims.iter().map(|claim| claim.p).collect::<Vec<_>>());
    claims.iter_mut().zip(corrected).for_each(|(claim, p)| claim.p = p);
    claims
}

#[cfg(test)]
pub(super) mod tests;
