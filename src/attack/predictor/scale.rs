//! Owns calibration: what a score means as a chance, from scores of queries whose verdict is known (Platt 1999).
//!
//! Must not know where scores come from. The verdicts that an ensemble learns from were partly chosen by itself, so its
//! scores say who is likelier missed, not how likely; a fair sample says that.

use crate::item::task::logistic::odds;

/// Steps of Newton's method at most.
const STEPS: usize = 30;
/// What keeps a step finite where all scores are equal.
const RIDGE: f64 = 1e-3;

/// The chance of a score `x` is the logistic function of `slope * x + offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Scale {
    slope: f64,
    offset: f64,
}

impl Scale {
    /// The most likely one after these scores and what came of them, with one more of either kind imagined so that
    /// nothing is ever certain.
    pub(super) fn fit(known: &[(f32, bool)]) -> Self {
        let hits = known.iter().filter(|(_, hit)| *hit).count() as f64;
        let others = known.len() as f64 - hits;
        let targets = [1.0 / (others + 2.0), (hits + 1.0) / (hits + 2.0)];
        let known: Vec<(f64, f64)> = known.iter().map(|&(x, hit)| (x.into(), targets[usize::from(hit)])).collect();
        let flat = Self { slope: 0.0, offset: ((hits + 1.0) / (others + 1.0)).ln() };
        let mut best = flat;
        for _ in 0..STEPS {
            let Some(next) = best.step(&known) else { break };
            best = next;
        }
        // A score that speaks for the opposite says nothing.
        if best.slope > 0.0 { best } else { flat }
    }

    /// How likely it is with this score.
    pub(super) fn chance(self, score: f32) -> f32 {
        let odds = odds(self.at(score.into()) as f32);
        odds / (1.0 + odds)
    }

    fn at(self, x: f64) -> f64 {
        self.slope * x + self.offset
    }

    fn loss(self, known: &[(f64, f64)]) -> f64 {
        // ln(1 + e^z) - t z, written so that no exponential overflows.
        let of = |&(x, target): &(f64, f64)| {
            let z = self.at(x);
            z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z
        };
        known.iter().map(of).sum()
    }

    /// A step of Newton's method, halved until it is better; `None` if it gets no better.
    fn step(self, known: &[(f64, f64)]) -> Option<Self> {
        let (mut slope, mut offset) = (0.0, 0.0);
        let [mut both, mut first, mut second] = [0.0, RIDGE, RIDGE];
        for &(x, target) in known {
            let chance = 1.0 / (1.0 + (-self.at(x)).exp());
            let weight = chance * (1.0 - chance);
            slope += (chance - target) * x;
            offset += chance - target;
            first += weight * x * x;
            both += weight * x;
            second += weight;
        }
        let determinant = first * second - both * both;
        let (along, up) =
            ((second * slope - both * offset) / determinant, (first * offset - both * slope) / determinant);
        let before = self.loss(known);
        let tries = (0..10).map(|halvings| 0.5_f64.powi(halvings));
        let mut moved = tries.map(|size| Self { slope: self.slope - size * along, offset: self.offset - size * up });
        moved.find(|moved| moved.loss(known) < before - 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn chances_are_as_frequent_as_they_say() {
        let mut rng = Seed::new(4).rng();
        let known: Vec<(f32, bool)> = (0..20_000)
            .map(|_| {
                let x = (4.0 * rng.unit() - 2.0) as f32;
                (x, rng.unit() < 1.0 / (1.0 + f64::from(1.0 - 3.0 * x).exp()))
            })
            .collect();
        let scale = Scale::fit(&known);
        assert!((scale.slope - 3.0).abs() < 0.15 && (scale.offset + 1.0).abs() < 0.1, "{scale:?}");
    }

    #[test]
    fn few_verdicts_make_nothing_certain() {
        let known = [(3.0, true), (2.0, true), (-1.0, false), (-2.0, false), (-2.5, false)];
        let scale = Scale::fit(&known);
        assert!(scale.chance(3.0) > 0.6 && scale.chance(3.0) < 0.95, "{scale:?}");
        assert!(scale.chance(-2.5) < 0.4 && scale.chance(-2.5) > 0.02, "{scale:?}");
        let flat = Scale::fit(&[(1.0, true), (1.0, false), (1.0, false), (1.0, false)]);
        assert!((flat.chance(1.0) - 1.0 / 3.0).abs() < 0.02 && flat.chance(5.0) < 1.0, "{flat:?}");
        let opposite = Scale::fit(&[(1.0, false), (2.0, false), (-1.0, true), (-2.0, true)]);
        assert_eq!(opposite.chance(2.0), opposite.chance(-2.0));
        assert!(Scale::fit(&[]).chance(9.0).is_finite());
    }
}
