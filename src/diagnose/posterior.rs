//! Owns what is believed of the hypotheses, by Bayes' rule.
//!
//! Must not know which questions are asked, nor what a hypothesis is: it is a number with a prior, and each question says
//! what those that touch it predict. One hypothesis at a time holds, or none does; beside it a reader slips, with a rate
//! that is not known and may grow with length. How often a hypothesis shows where it could is not known either. Both are
//! summed out on a grid. Probabilities are relative to those of the values said as slips, so that what is common to all
//! hypotheses is never computed.

use super::candidate::{Candidate, Exposure, SLOTS};
use super::heard::{Heard, all};

/// Shares of the cases in which a misconception shows, and how likely each is beforehand.
const SHARES: [(f64, f64); 4] = [(0.35, 0.1), (0.7, 0.25), (0.9, 0.3), (0.985, 0.35)];

/// How often a reader slips.
#[derive(Clone, Copy, Debug)]
struct Slips {
    rate: f64,
    /// Whether that is of a question of the usual length, and grows with it.
    grows: bool,
    prior: f64,
}

/// The rates, and how likely each is beforehand.
const SLIPS: [Slips; 8] = [
    Slips { rate: 0.003, grows: false, prior: 0.25 },
    Slips { rate: 0.03, grows: false, prior: 0.15 },
    Slips { rate: 0.1, grows: false, prior: 0.07 },
    Slips { rate: 0.25, grows: false, prior: 0.03 },
    Slips { rate: 0.01, grows: true, prior: 0.25 },
    Slips { rate: 0.05, grows: true, prior: 0.15 },
    Slips { rate: 0.15, grows: true, prior: 0.07 },
    Slips { rate: 0.35, grows: true, prior: 0.03 },
];

const T: usize = SHARES.len();
const E: usize = SLIPS.len();

/// The probability that no hypothesis holds, beforehand.
const NONE: f64 = 0.5;
/// A slot wrong for no reason, beside slips of whole replies.
const SLOT: f64 = 0.003;
/// A mutant that holds gives its own value of a slot that it gets wrong, another one, or by accident the right one.
const OWN: f64 = 0.96;
const OTHER: f64 = 0.02;
/// A mutant without an answer: the reader says something wrong nearly always.
const LOST: f64 = 0.9;

/// The likelihoods of what was heard.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// How likely each hypothesis is beforehand, given that one holds; they sum to 1.
    prior: Vec<f64>,
    /// The length that growing rates are of.
    usual: f64,
    /// Of no hypothesis, by the rate of slips: logarithms.
    absent: [f64; E],
    /// What each hypothesis adds to that, by the share of cases and the rate of slips.
    added: Vec<[[f32; E]; T]>,
}

/// What is believed.
#[derive(Clone, Debug)]
pub struct Belief {
    /// The probability of each hypothesis.
    pub holds: Vec<f64>,
    /// The share of cases in which it shows, if it holds.
    pub share: Vec<f64>,
    /// The probability that none holds.
    pub none: f64,
    /// The probability of each rate of slips.
    rates: [f64; E],
    usual: f64,
}

impl Posterior {
    /// Before anything is heard. Priors need not sum to 1; `usual` is a usual number of executed instructions.
    pub fn new(prior: &[f64], usual: f64) -> Self {
        let sum: f64 = prior.iter().sum();
        let prior: Vec<f64> = prior.iter().map(|prior| prior / sum).collect();
        Self { added: vec![[[0.0; E]; T]; prior.len()], prior, usual, absent: [0.0; E] }
    }

    /// Takes an answer in. `hypothesis` numbers the mutants; those without a number are left out.
    pub fn hear(&mut self, candidate: &Candidate, heard: &Heard, hypothesis: impl Fn(u32) -> Option<usize>) {
        let (right, slipped) = (unaffected(heard.wrong, candidate.slots), slipped(heard.wrong, candidate.slots));
        let rates: [f64; E] = std::array::from_fn(|e| rate(e, candidate.steps / self.usual));
        let absent: [f64; E] = std::array::from_fn(|e| (1.0 - rates[e]) * right + rates[e] * slipped);
        self.absent.iter_mut().zip(absent).for_each(|(sum, likely)| *sum += likely.ln());
        for &exposure in &candidate.exposures {
            let Some(number) = hypothesis(exposure.mutant) else { continue };
            let with = likelihood(candidate, heard, exposure);
            for (added, (share, _)) in self.added[number].iter_mut().zip(SHARES) {
                let mixed = share * with + (1.0 - share) * right;
                for e in 0..E {
                    let likely = (1.0 - rates[e]) * mixed + rates[e] * slipped;
                    added[e] += (likely / absent[e]).ln() as f32;
                }
            }
        }
    }

    /// What is believed now.
    pub fn belief(&self) -> Belief {
        let highest = |added: &[[f32; E]; T]| {
            let of = |(e, added): (usize, &f32)| self.absent[e] + f64::from(*added);
            added.iter().flat_map(|row| row.iter().enumerate().map(of)).fold(f64::MIN, f64::max)
        };
        let top = self.added.iter().map(highest).chain(self.absent).fold(f64::MIN, f64::max);
        let mut rates: [f64; E] = std::array::from_fn(|e| NONE * SLIPS[e].prior * (self.absent[e] - top).exp());
        let none: f64 = rates.iter().sum();
        let (mut holds, mut shares) = (Vec::with_capacity(self.prior.len()), Vec::with_capacity(self.prior.len()));
        for (added, prior) in self.added.iter().zip(&self.prior) {
            let (mut sum, mut mean) = (0.0, 0.0);
            for (row, (share, of_share)) in added.iter().zip(SHARES) {
                for (e, added) in row.iter().enumerate() {
                    let log = self.absent[e] + f64::from(*added) - top;
                    let likely = (1.0 - NONE) * prior * of_share * SLIPS[e].prior * log.exp();
                    rates[e] += likely;
                    sum += likely;
                    mean += likely * share;
                }
            }
            holds.push(sum);
            shares.push(if sum > 0.0 { mean / sum } else { 0.7 });
        }
        let total = none + holds.iter().sum::<f64>();
        holds.iter_mut().chain(&mut rates).for_each(|p| *p /= total);
        Belief { holds, share: shares, none: none / total, rates, usual: self.usual }
    }

    /// How likely each hypothesis is beforehand, given that one holds.
    pub fn prior(&self) -> &[f64] {
        &self.prior
    }
}

impl Belief {
    /// The probability of a slip in a question of so many executed instructions.
    pub fn slip(&self, steps: f64) -> f64 {
        (0..E).map(|e| self.rates[e] * rate(e, steps / self.usual)).sum()
    }

    /// The most likely hypothesis.
    pub fn first(&self) -> Option<usize> {
        (0..self.holds.len()).max_by(|&a, &b| self.holds[a].total_cmp(&self.holds[b]))
    }
}

/// The probability of a slip, in a question that is so many times as long as a usual one.
fn rate(e: usize, length: f64) -> f64 {
    let Slips { rate, grows, .. } = SLIPS[e];
    if grows { (rate * length).clamp(0.002, 0.6) } else { rate }
}

/// Of a reply that slipped: mostly one slot is wrong.
fn slipped(wrong: u8, slots: usize) -> f64 {
    if wrong == 0 {
        return 0.0;
    }
    let single = if wrong.count_ones() == 1 { 0.7 / slots as f64 } else { 0.0 };
    single + 0.3 / f64::from(all(slots))
}

/// Of a reply that nothing affected.
fn unaffected(wrong: u8, slots: usize) -> f64 {
    let wrong = wrong.count_ones() as i32;
    SLOT.powi(wrong) * (1.0 - SLOT).powi(slots as i32 - wrong)
}

/// Of a reply of one who reads as this mutant, relative to how likely its wrong values are as slips.
fn likelihood(candidate: &Candidate, heard: &Heard, exposure: Exposure) -> f64 {
    let Some(said) = exposure.said else {
        return if heard.wrong == 0 { 1.0 - LOST } else { LOST / f64::from(all(candidate.slots)) };
    };
    let (said, matches) = (&candidate.said[usize::from(said)], heard.matches[usize::from(said)]);
    let is = |bits: u8, slot: usize| bits >> slot & 1 == 1;
    let slot = |slot: usize| match (is(said.wrong, slot), is(heard.wrong, slot)) {
        (true, true) if is(matches, slot) => OWN * f64::from(said.surprise[slot]).exp(),
        (true, _) => OTHER,
        (false, true) => SLOT,
        (false, false) => 1.0 - SLOT,
    };
    (0..candidate.slots.min(SLOTS)).map(slot).product()
}

#[cfg(test)]
mod tests {
    use super::super::candidate::tests::candidate;
    use super::*;

    /// Two hypotheses: the first gives [7, 99], the second [7, 0].
    fn question() -> Candidate {
        candidate(20.0, &[[7, 99], [7, 0]], &[(0, 0), (1, 1)])
    }

    fn heard(wrong: u8, matches: [u8; 2]) -> Heard {
        Heard { wrong, matches: matches.to_vec() }
    }

    fn believed(heard: &[Heard]) -> Belief {
        let mut posterior = Posterior::new(&[1.0, 3.0], 20.0);
        heard.iter().for_each(|heard| posterior.hear(&question(), heard, |mutant| Some(mutant as usize)));
        posterior.belief()
    }

    #[test]
    fn before_anything_is_heard_there_is_the_prior() {
        let belief = believed(&[]);
        assert!((belief.none - NONE).abs() < 1e-9);
        assert!((belief.holds[0] - 0.125).abs() < 1e-9 && (belief.holds[1] - 0.375).abs() < 1e-9);
        let slip: f64 = SLIPS.iter().map(|slips| slips.prior * slips.rate).sum();
        assert!((belief.slip(20.0) - slip).abs() < 1e-9 && belief.slip(200.0) > 2.0 * slip);
    }

    /// Bayes' rule written out for one answer, with no grid but the one that is summed.
    #[test]
    fn one_wrong_answer_is_weighed_by_bayes_rule() {
        let belief = believed(&[heard(0b10, [0b10, 0])]);
        let (right, slip) = (SLOT * (1.0 - SLOT), 0.7 / 2.0 + 0.3 / 3.0);
        let own = (1.0 - SLOT) * OWN * f64::from(9.2_f32).exp();
        let other = (1.0 - SLOT) * OTHER;
        let over = |likely: &dyn Fn(f64, f64) -> f64| -> f64 {
            let of = |slips: &Slips| {
                SHARES.iter().map(|(share, p)| slips.prior * p * likely(slips.rate, *share)).sum::<f64>()
            };
            SLIPS.iter().map(of).sum()
        };
        let none = 0.5 * over(&|rate, _| (1.0 - rate) * right + rate * slip);
        let with =
            |value: f64| over(&|rate, share| (1.0 - rate) * (share * value + (1.0 - share) * right) + rate * slip);
        let (first, second) = (0.5 * 0.25 * with(own), 0.5 * 0.75 * with(other));
        let total = none + first + second;
        for (found, expected) in [(belief.none, none), (belief.holds[0], first), (belief.holds[1], second)] {
            assert!((found - expected / total).abs() < 1e-6, "{found} {}", expected / total);
        }
        assert!(belief.holds[0] > 0.99);
    }

    #[test]
    fn right_answers_rule_out_and_obvious_values_convince_slowly() {
        let right = believed(&vec![heard(0, [0, 0]); 4]);
        assert!(right.none > 0.95 && right.slip(20.0) < believed(&[]).slip(20.0), "{right:?}");
        // 0 is what many slips say.
        let (dull, telling) = (believed(&[heard(0b10, [0, 0b10])]), believed(&[heard(0b10, [0b10, 0])]));
        assert!(dull.holds[1] > 0.375 && dull.none > 100.0 * telling.none, "{dull:?} {telling:?}");
        let often = believed(&vec![heard(0b10, [0, 0b10]); 4]);
        assert!(often.holds[1] > 0.98 && often.share[1] > 0.8, "{often:?}");
        // Other wrong values are slips.
        let noise = believed(&[heard(0b01, [0, 0]), heard(0b10, [0, 0]), heard(0, [0, 0])]);
        assert!(noise.none > 0.5 && noise.slip(20.0) > 0.1, "{noise:?}");
    }
}
