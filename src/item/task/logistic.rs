//! Owns the logistic regression: how likely is something, by the features that are on?
//!
//! Must not know what the features mean. Sums, products and square roots alone, in one order, so that every machine
//! learns the same weights from the same samples.

use super::features::BUCKETS;
use serde::{Deserialize, Serialize};

/// Times that every sample is looked at.
const EPOCHS: usize = 6;
/// How far one sample moves a weight (AdaGrad, Duchi et al. 2011).
const RATE: f32 = 0.1;
/// How strongly a weight is drawn back to zero by each sample that has its feature.
const DECAY: f32 = 1e-3;

/// Samples to learn from: features, and whether it was so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    features: Vec<u16>,
    /// Where the features of each sample end, and its label.
    ends: Vec<(usize, bool)>,
}

impl Samples {
    pub(crate) fn push(&mut self, features: &[u16], label: bool) {
        self.features.extend_from_slice(features);
        self.ends.push((self.features.len(), label));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u16], bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, &(end, label))| (&self.features[start..end], label))
    }
}

/// What the features are worth, in logits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Logistic {
    weights: Vec<f32>,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { weights: vec![0.0; BUCKETS] }
    }
}

impl Logistic {
    /// Learns by gradient steps of each sample in turn. The weights are the mean over the second half of the way, which
    /// keeps less of the last samples' noise.
    pub(crate) fn train(samples: &Samples) -> Self {
        let mut now = Self::default();
        let mut squares = vec![1e-6_f32; BUCKETS];
        let mut mean = vec![0.0_f32; BUCKETS];
        for epoch in 0..EPOCHS {
            for (features, label) in samples.iter() {
                let error = sigmoid(now.logit(features)) - f32::from(label);
                for &at in features {
                    let at = usize::from(at);
                    let gradient = error + DECAY * now.weights[at];
                    squares[at] += gradient * gradient;
                    now.weights[at] -= RATE * gradient / squares[at].sqrt();
                }
            }
            if epoch >= EPOCHS / 2 {
                mean.iter_mut().zip(&now.weights).for_each(|(mean, weight)| *mean += weight);
            }
        }
        let counted = (EPOCHS - EPOCHS / 2) as f32;
        Self { weights: mean.into_iter().map(|sum| sum / counted).collect() }
    }

    /// The logit that it is so.
    pub(crate) fn logit(&self, features: &[u16]) -> f32 {
        features.iter().map(|&at| self.weights[usize::from(at)]).sum()
    }
}

/// The logistic function.
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + odds(-x))
}

/// The odds of a logit: its exponential, as the 1024th power of its first terms: within a few percent where it matters.
pub(crate) fn odds(logit: f32) -> f32 {
    let mut power = 1.0 + logit.clamp(-20.0, 20.0) / 1024.0;
    (0..10).for_each(|_| power *= power);
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn the_logistic_function_is_close() {
        for x in [-9.0_f32, -4.0, -1.0, 0.0, 0.5, 3.0, 8.0] {
            let exact = 1.0 / (1.0 + (-x).exp());
            assert!((sigmoid(x) - exact).abs() < 2e-3 && sigmoid(x) > 0.0, "{x}: {} {exact}", sigmoid(x));
        }
        assert!(sigmoid(f32::INFINITY) == sigmoid(20.0) && sigmoid(-1e9) == sigmoid(-20.0));
    }

    #[test]
    fn it_learns_how_likely_features_make_it() {
        let mut rng = Seed::new(3).rng();
        let mut samples = Samples::default();
        for _ in 0..40_000 {
            let (a, b, noise) = (rng.below(2), rng.below(2), rng.below(1000));
            let likely = 0.1 + 0.5 * f64::from(a) + 0.3 * f64::from(b);
            let features: Vec<u16> = [0, 2 + a, 4 + b, 10 + noise].map(|at| at as u16).into();
            samples.push(&features, rng.unit() < likely);
        }
        let model = Logistic::train(&samples);
        for (a, b, likely) in [(0, 0, 0.1_f32), (0, 1, 0.4), (1, 0, 0.6), (1, 1, 0.9)] {
            let learned = sigmoid(model.logit(&[0, 2 + a, 4 + b]));
            assert!((learned - likely).abs() < 0.05, "{a} {b}: {learned}");
        }
        assert_eq!(model, Logistic::train(&samples));
    }
}
