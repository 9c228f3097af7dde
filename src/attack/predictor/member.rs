//! Owns one member of the ensemble: how likely a program with these features is missed, seen in two ways.
//!
//! Must not know what it is measured on. After a handful of misses a regression on hundreds of features learns them by
//! heart, while the few features that all of them share stand out by counting; after hundreds, counting sees each feature
//! alone, and the regression knows which of them matter together.

use crate::cause::profile::FEATURES;
use crate::item::task::logistic::odds;
use crate::seed::Rng;

/// Spread of the weights that a member begins with.
const SPREAD: f64 = 0.05;
/// How far one verdict moves a weight (AdaGrad, Duchi et al. 2011).
const RATE: f32 = 0.1;
/// How strongly a weight is drawn back to where it began by each sample that has its feature.
const DECAY: f32 = 1e-3;
/// So many programs as often missed as all are added to those that have a feature.
const DOUBT: f32 = 4.0;
/// How many of a program's features are suspected together.
const SUSPECTS: usize = 5;

/// One of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// How often programs with the same features were missed: the mean of the highest shares.
    Suspects,
    /// A logistic regression.
    Regression,
}

impl View {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Suspects, Self::Regression];
}

/// Programs with a feature, and misses among them.
#[derive(Clone, Copy, Default)]
struct Count {
    missed: f32,
    all: f32,
}

/// What it has learned.
pub(super) struct Member {
    counts: Vec<Count>,
    /// Of all programs.
    total: Count,
    start: Vec<f32>,
    weights: Vec<f32>,
    squares: Vec<f32>,
}

impl Member {
    /// One with weights of its own, which knows nothing.
    pub(super) fn new(rng: &mut Rng) -> Self {
        let start: Vec<f32> = (0..FEATURES).map(|_| (SPREAD * rng.normal()) as f32).collect();
        let counts = vec![Count::default(); FEATURES];
        Self { counts, total: Count::default(), weights: start.clone(), start, squares: vec![1e-6; FEATURES] }
    }

    /// Counts a verdict.
    pub(super) fn hear(&mut self, features: &[u16], missed: bool) {
        let counts = features.iter().map(|&at| usize::from(at));
        for at in counts {
            self.counts[at].add(missed);
        }
        self.total.add(missed);
    }

    /// Moves the regression towards a verdict.
    pub(super) fn look(&mut self, features: &[u16], missed: bool) {
        let likely = odds(self.logit(features));
        let error = likely / (1.0 + likely) - f32::from(u8::from(missed));
        for at in features.iter().map(|&at| usize::from(at)) {
            let gradient = error + DECAY * (self.weights[at] - self.start[at]);
            self.squares[at] += gradient * gradient;
            self.weights[at] -= RATE * gradient / self.squares[at].sqrt();
        }
    }

    /// The higher, the likelier a program is missed: log-odds, but of the verdicts that it has learned from, which are no
    /// fair sample.
    pub(super) fn score(&self, view: View, features: &[u16]) -> f32 {
        match view {
            View::Suspects => {
                let suspected = self.suspected(features);
                (suspected / (1.0 - suspected)).ln()
            }
            View::Regression => self.logit(features),
        }
    }

    fn suspected(&self, features: &[u16]) -> f32 {
        let share = (self.total.missed + 1.0) / (self.total.all + 2.0);
        let mut highest = [share; SUSPECTS];
        for &at in features {
            let Count { missed, all } = self.counts[usize::from(at)];
            let rate = (missed + DOUBT * share) / (all + DOUBT);
            // The lowest of the highest so far stands last.
            if rate > highest[SUSPECTS - 1] {
                highest[SUSPECTS - 1] = rate;
                highest.sort_by(|a, b| b.total_cmp(a));
            }
        }
        highest.iter().sum::<f32>() / SUSPECTS as f32
    }

    fn logit(&self, features: &[u16]) -> f32 {
        features.iter().map(|&at| self.weights[usize::from(at)]).sum()
    }
}

impl Count {
    fn add(&mut self, missed: bool) {
        self.missed += f32::from(u8::from(missed));
        self.all += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn suspects_are_those_that_misses_share() {
        let mut member = Member::new(&mut Seed::new(1).rng());
        // Of ten programs two are missed, all with feature 3.
        (0..2).for_each(|n| member.hear(&[3, 100 + n], true));
        (0..8).for_each(|n| member.hear(&[4, 200 + n], false));
        let share = 3.0 / 12.0;
        let rate = |missed: f32, all: f32| (missed + DOUBT * share) / (all + DOUBT);
        let expected = (rate(2.0, 2.0) + rate(1.0, 1.0) + 3.0 * share) / 5.0;
        assert!((member.suspected(&[3, 4, 100, 999]) - expected).abs() < 1e-6);
        assert_eq!(member.suspected(&[4]), share, "nothing speaks against anybody");
        assert!((member.score(View::Suspects, &[4]) - (1.0 / 3.0_f32).ln()).abs() < 1e-6);
    }
}
