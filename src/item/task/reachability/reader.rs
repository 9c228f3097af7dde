//! Owns a reader who has seen many programs and executes none: how likely is a place reached, by its looks alone?
//!
//! Must not know what the features mean. It is a logistic regression; what it can tell, a flag must not show. It adds,
//! multiplies, divides and takes square roots in one order, so that every machine learns the same.

use super::look::FEATURES;

/// Passes over the samples.
const EPOCHS: u32 = 6;
/// How far one sample moves a weight that has not moved before.
const RATE: f32 = 0.1;
/// How strongly weights are drawn to zero.
const DECAY: f32 = 1e-3;

/// What features are worth, in logits.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    weights: Vec<f32>,
}

impl Reader {
    /// Learns from the features of places and whether these were reached. Each weight has a rate of its own that falls
    /// with what it has moved (Duchi and others 2011).
    pub(super) fn train(samples: &[(Vec<u16>, bool)]) -> Self {
        let mut reader = Self { weights: vec![0.0; FEATURES] };
        let mut moved = vec![1.0_f32; FEATURES];
        for _ in 0..EPOCHS {
            for (features, reached) in samples {
                let error = f32::from(*reached) - logistic(reader.logit(features));
                for at in features.iter().map(|&at| usize::from(at)) {
                    let slope = error - DECAY * reader.weights[at];
                    moved[at] += slope * slope;
                    reader.weights[at] += RATE * slope / moved[at].sqrt();
                }
            }
        }
        reader
    }

    /// How surely a place that looks so is reached, as a logit: positive if rather yes.
    pub(super) fn logit(&self, features: &[u16]) -> f32 {
        features.iter().map(|&at| self.weights[usize::from(at)]).sum()
    }
}

/// The odds of a logit: its exponential, without a library's `exp`, of which no two give the same last bit.
pub(super) fn odds(logit: f32) -> f32 {
    const HALVINGS: u32 = 10;
    let mut power = 1.0 + logit.clamp(-30.0, 30.0) / (1 << HALVINGS) as f32;
    (0..HALVINGS).for_each(|_| power *= power);
    power
}

/// The probability of a logit.
fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + odds(-logit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn it_learns_what_tells_and_only_that() {
        // Feature 1 tells three times out of four, feature 2 nothing, feature 3 never comes.
        let mut rng = Seed::new(1).rng();
        let sample = |_| {
            let reached = rng.below(2) == 0;
            let tells = if rng.below(4) == 0 { !reached } else { reached };
            let features = [(0, true), (1, tells), (2, rng.below(2) == 0)];
            (features.into_iter().filter(|feature| feature.1).map(|feature| feature.0).collect(), reached)
        };
        let samples: Vec<(Vec<u16>, bool)> = (0..20_000).map(sample).collect();
        let reader = Reader::train(&samples);
        let ln3 = 3.0_f32.ln();
        assert!((reader.logit(&[0, 1]) - ln3).abs() < 0.15 && (reader.logit(&[0]) + ln3).abs() < 0.15);
        assert!((reader.logit(&[0, 1, 2]) - reader.logit(&[0, 1])).abs() < 0.1);
        assert_eq!(reader.logit(&[3]), 0.0);
    }

    #[test]
    fn the_logistic_function_is_near_enough() {
        for x in [-40.0, -3.0, -0.1, 0.0, 0.5, 2.0, 9.0, 40.0] {
            assert!((logistic(x) - 1.0 / (1.0 + (-x).exp())).abs() < 0.01, "{x}");
        }
    }
}
