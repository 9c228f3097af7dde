//! Owns a diagnosis: what was asked, what is suspected, and what is claimed.
//!
//! Must not know who is asked, nor where candidates come from. A mutant that is likely enough is suspected; it is claimed
//! when fresh questions that are chosen for it alone show it again. A refusal expires: chance may be against what is true.

use super::candidate::Candidate;
use super::designer::choose;
use super::heard::Heard;
use super::posterior::{Belief, Posterior};
use crate::cause::mutant::{Mutants, Sort};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How a diagnosis is led.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leading {
    /// Questions that are chosen at a time.
    pub batch: usize,
    /// Fresh questions that confirm a suspicion.
    pub confirm: usize,
    /// The probability from which on something is suspected.
    pub suspected: f64,
    /// Questions for which a refusal holds.
    pub refused: usize,
}

impl Default for Leading {
    fn default() -> Self {
        Self { batch: 8, confirm: 8, suspected: 0.99, refused: 16 }
    }
}

/// Mutants that no candidate tells apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Their numbers.
    pub mutants: Vec<usize>,
}

/// What fresh questions said of a suspicion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trial {
    /// The predicted answer came.
    hits: u32,
    /// Another wrong one.
    clashes: u32,
    /// The right one.
    right: u32,
}

impl Trial {
    fn is_passed(self) -> bool {
        self.hits >= 3 && 3 * self.clashes <= self.hits && self.right <= self.hits
    }
}

/// Something that the reader gets wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The hypothesis, by its number.
    pub hypothesis: usize,
    /// Its probability when it was claimed.
    pub posterior: f64,
    /// Questions asked until then.
    pub asked: usize,
    /// Whether fresh questions confirmed it; there may be none left.
    pub confirmed: bool,
}

/// A diagnosis of one reader.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    leading: Leading,
    candidates: Arc<[Candidate]>,
    hypotheses: Vec<Hypothesis>,
    /// The hypothesis of each mutant that stands for one: the first of those that no candidate tells apart.
    numbers: Vec<Option<usize>>,
    usual: f64,
    posterior: Posterior,
    taken: Vec<bool>,
    asked: usize,
    /// How telling the matches of each hypothesis were: 2 for a value that is no likely slip, 1 for another.
    matched: Vec<u32>,
    /// What is being confirmed.
    pending: Option<usize>,
    trials: BTreeMap<usize, Trial>,
    /// Until how many questions a suspicion is refused.
    refused: BTreeMap<usize, usize>,
    claims: Vec<Claim>,
}

/// Telling matches without which nothing is suspected.
const MATCHED: u32 = 2;

impl Diagnosis {
    /// Begins with candidates that are prepared for these mutants.
    pub fn new(mutants: &Mutants, candidates: Arc<[Candidate]>, leading: Leading) -> Self {
        let (hypotheses, numbers) = hypotheses(mutants, &candidates);
        let usual = median(candidates.iter().map(|candidate| candidate.steps).collect());
        let prior = prior(mutants, &hypotheses);
        Self {
            leading,
            posterior: Posterior::new(&prior, usual),
            taken: vec![false; candidates.len()],
            matched: vec![0; hypotheses.len()],
            candidates,
            hypotheses,
            numbers,
            usual,
            asked: 0,
            pending: None,
            trials: BTreeMap::new(),
            refused: BTreeMap::new(),
            claims: Vec::new(),
        }
    }

    /// The candidates.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The hypotheses.
    pub fn hypotheses(&self) -> &[Hypothesis] {
        &self.hypotheses
    }

    /// What is claimed, in the order in which it was.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Questions asked.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// What is believed.
    pub fn belief(&self) -> Belief {
        self.posterior.belief()
    }

    /// The questions that are asked next, by their numbers; they are not chosen again.
    pub fn choose_next(&mut self) -> Vec<usize> {
        let mut chosen = self.pending.map_or_else(Vec::new, |hypothesis| self.confirming(hypothesis));
        if chosen.is_empty() {
            let numbers = &self.numbers;
            let belief = self.posterior.belief();
            let number = |mutant: u32| numbers[mutant as usize];
            chosen = choose(&self.candidates, &belief, number, &self.taken, self.usual, self.leading.batch);
        }
        chosen.iter().for_each(|&at| self.taken[at] = true);
        chosen
    }

    /// Fresh questions on which a hypothesis has an answer of its own.
    fn confirming(&self, hypothesis: usize) -> Vec<usize> {
        let mutant = self.hypotheses[hypothesis].mutants[0] as u32;
        let score = |at: usize| {
            let candidate = &self.candidates[at];
            let said = candidate.exposure(mutant)?.said?;
            let telling = if candidate.said[usize::from(said)].is_telling() { 3.0 } else { 1.0 };
            let shared = candidate.exposures.iter().filter(|other| other.said == Some(said)).count();
            Some(telling / shared as f64 / (1.0 + candidate.steps / self.usual))
        };
        let fresh = (0..self.candidates.len()).filter(|&at| !self.taken[at]);
        let mut fit: Vec<(f64, usize)> = fresh.filter_map(|at| Some((score(at)?, at))).collect();
        fit.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        fit.into_iter().take(self.leading.confirm).map(|(_, at)| at).collect()
    }

    /// Takes in what was heard of a question; `None` where there was no answer.
    pub fn hear(&mut self, at: usize, heard: Option<&Heard>) {
        self.asked += 1;
        let Some(heard) = heard else { return };
        let candidate = &self.candidates[at];
        let numbers = &self.numbers;
        self.posterior.hear(candidate, heard, |mutant| numbers[mutant as usize]);
        for exposure in &candidate.exposures {
            let (Some(number), Some(said)) = (numbers[exposure.mutant as usize], exposure.said) else { continue };
            let (said, matches) = (&candidate.said[usize::from(said)], heard.matches[usize::from(said)]);
            let is_same = heard.wrong == said.wrong && matches == said.wrong;
            let telling = (0..8).any(|slot| matches >> slot & 1 == 1 && said.surprise[slot] >= 3.0);
            self.matched[number] += if telling { 2 } else { u32::from(is_same) };
            if self.pending == Some(number) {
                let trial = self.trials.entry(number).or_default();
                trial.right += u32::from(heard.wrong == 0);
                trial.hits += u32::from(is_same);
                trial.clashes += u32::from(heard.wrong != 0 && !is_same);
            }
        }
    }

    /// Draws conclusions when all that was chosen was heard; the claim that is new, if one is.
    pub fn conclude(&mut self) -> Option<Claim> {
        let belief = self.belief();
        if let Some(pending) = self.pending.take() {
            if self.trials.get(&pending).is_some_and(|trial| trial.is_passed()) {
                return Some(self.claim(pending, &belief, true));
            }
            self.refused.insert(pending, self.asked + self.leading.refused);
        }
        let first = belief.first()?;
        let is_refused = self.refused.get(&first).is_some_and(|&until| self.asked < until);
        let is_claimed = self.claims.iter().any(|claim| claim.hypothesis == first);
        let is_likely = belief.holds[first] > self.leading.suspected && self.matched[first] >= MATCHED;
        if !is_likely || is_refused || is_claimed {
            return None;
        }
        if self.confirming(first).is_empty() {
            return Some(self.claim(first, &belief, false));
        }
        self.pending = Some(first);
        None
    }

    fn claim(&mut self, hypothesis: usize, belief: &Belief, confirmed: bool) -> Claim {
        let claim = Claim { hypothesis, posterior: belief.holds[hypothesis], asked: self.asked, confirmed };
        self.claims.push(claim.clone());
        claim
    }
}

/// How likely each sort of misconception is beforehand, that nobody knows better: what is few but structural (loops,
/// calls, labels) would be asked about last if all mutants weighed the same.
fn share(sort: Sort) -> f64 {
    match sort {
        Sort::Pair => 0.35,
        Sort::Family | Sort::Rule => 0.2,
        Sort::Flow => 0.15,
        Sort::Partly => 0.1,
    }
}

/// How likely each hypothesis is beforehand: the share of each sort goes to its mutants alike, and mutants that are not told
/// apart add up.
fn prior(mutants: &Mutants, hypotheses: &[Hypothesis]) -> Vec<f64> {
    let sort = |mutant: &usize| mutants.all()[*mutant].sort();
    let of_sort = |wanted: Sort| {
        let all = hypotheses.iter().flat_map(|one| &one.mutants);
        all.filter(|mutant| sort(mutant) == wanted).count() as f64
    };
    let each: BTreeMap<Sort, f64> =
        Sort::ALL.into_iter().map(|sort| (sort, share(sort) / of_sort(sort).max(1.0))).collect();
    hypotheses.iter().map(|one| one.mutants.iter().map(|mutant| each[&sort(mutant)]).sum()).collect()
}

/// Mutants that have the same answers to all candidates are one hypothesis.
fn hypotheses(mutants: &Mutants, candidates: &[Candidate]) -> (Vec<Hypothesis>, Vec<Option<usize>>) {
    let mut signatures: Vec<Vec<(u32, Option<u16>)>> = vec![Vec::new(); mutants.all().len()];
    for (at, candidate) in candidates.iter().enumerate() {
        for exposure in &candidate.exposures {
            signatures[exposure.mutant as usize].push((at as u32, exposure.said));
        }
    }
    let mut found: HashMap<Vec<(u32, Option<u16>)>, usize> = HashMap::new();
    let mut all: Vec<Hypothesis> = Vec::new();
    let numbers = signatures.into_iter().enumerate().map(|(mutant, signature)| {
        // What no candidate gives a value to cannot be told from a slip.
        if !signature.iter().any(|(_, said)| said.is_some()) {
            return None;
        }
        match found.entry(signature) {
            Entry::Occupied(known) => {
                all[*known.get()].mutants.push(mutant);
                None
            }
            Entry::Vacant(new) => {
                all.push(Hypothesis { mutants: vec![mutant] });
                Some(*new.insert(all.len() - 1))
            }
        }
    });
    let numbers = numbers.collect();
    (all, numbers)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(1.0).max(1.0)
}

#[cfg(test)]
mod tests;
