//! Owns which of the woven programs are asked about.
//!
//! Must not know models. A candidate is a program with the question about it, if there is one.

use super::super::archive::Cell;
use super::super::predictor::Predictor;
use super::super::strategy::Woven;
use crate::cause::profile::Profile;
use crate::item::make::Draft;
use crate::item::record::Verdict;
use crate::seed::Rng;

/// A question that could be asked.
pub(super) struct WovenQuestion {
    pub(super) draft: Draft,
    pub(super) profile: Profile,
}

impl WovenQuestion {
    /// Its cell, if this becomes of it.
    pub(super) fn cell(&self, verdict: Verdict) -> Cell {
        Cell::new(&self.profile, verdict)
    }
}

/// A woven program.
pub(super) struct WovenCandidate {
    pub(super) woven: Woven,
    /// `None` where there is nothing to ask.
    pub(super) asked: Option<WovenQuestion>,
}

impl WovenCandidate {
    pub(super) fn profile(&self) -> Option<&Profile> {
        self.asked.as_ref().map(|question| &question.profile)
    }

    /// The question about a program that was picked.
    pub(super) fn question(&self) -> &WovenQuestion {
        self.asked.as_ref().expect("only programs with a question are picked")
    }
}

/// Who chose a program, in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChosenBy {
    Cover,
    Strategy,
    Predictor,
}

impl ChosenBy {
    /// The name in records.
    pub(super) fn name(self, strategy: &str) -> String {
        match self {
            Self::Cover => format!("{strategy}/cover"),
            Self::Strategy => strategy.into(),
            Self::Predictor => format!("{strategy}/predictor"),
        }
    }
}

/// A program that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    /// Its number among the candidates.
    pub(super) at: usize,
    pub(super) by: ChosenBy,
}

impl Pick {
    pub(super) fn all(numbers: impl IntoIterator<Item = usize>, by: ChosenBy) -> Vec<Self> {
        numbers.into_iter().map(|at| Self { at, by }).collect()
    }
}

/// Picks `count` candidates: the first `unbiased` as they come, each other as the one that a member of the ensemble,
/// drawn for it, expects most of: the chance of a miss times what the miss would be worth.
pub(super) fn by_predictor(
    candidates: &[WovenCandidate],
    count: usize,
    unbiased: usize,
    predictor: &Predictor,
    worth: impl Fn(&WovenCandidate) -> f32,
    rng: &mut Rng,
) -> Vec<Pick> {
    let mut open: Vec<usize> = (0..candidates.len()).filter(|&at| candidates[at].asked.is_some()).collect();
    let first = open.drain(..unbiased.min(open.len()));
    let mut picks = Pick::all(first, ChosenBy::Strategy);
    let worths: Vec<f32> = candidates.iter().map(worth).collect();
    while picks.len() < count && !open.is_empty() {
        let member = predictor.draw(rng);
        let expected = |&at: &usize| predictor.chance_by(member, &candidates[at].question().profile) * worths[at];
        let scores: Vec<f32> = open.iter().map(expected).collect();
        // Of equals the first.
        let best = (0..open.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("some are left");
        picks.push(Pick { at: open.remove(best), by: ChosenBy::Predictor });
    }
    picks
}
