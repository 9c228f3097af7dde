//! Owns the actor's forward pass outside of training: plain loops over a copy of its weights.
//!
//! Must not know environments or gradients. Two reasons not to use candle here. Its forward pass on variables records
//! a graph; and a matrix product may round a row differently depending on how many rows stand beside it, so that an
//! episode would depend on its neighbours. Here each row's sums have one order. Observations are sparse, so zero inputs
//! (and units that ReLU silenced) are skipped, and only legal actions are scored.

use candle_core::Result;

use super::policy::ActorCritic;
use crate::seed::Rng;

/// Partial sums of a dot product: enough independent ones to keep the adders busy.
const LANES: usize = 16;

/// A copy of the actor's weights, laid out for one observation at a time.
#[derive(Debug)]
pub struct Actor {
    /// `[in, out]`, row by row: an input that is zero skips its row.
    hidden: Vec<Layer>,
    /// `[out, in]`, row by row: an action that is illegal skips its row.
    head: Layer,
}

#[derive(Debug)]
struct Layer {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Buffers of the forward pass, kept between calls.
#[derive(Debug, Default)]
pub struct Scratch {
    active: Vec<usize>,
    input: Vec<f32>,
    output: Vec<f32>,
    logits: Vec<f32>,
}

impl Actor {
    /// Copies the weights out of a policy.
    pub fn new(policy: &ActorCritic) -> Result<Self> {
        let mut layers = Vec::new();
        for pair in policy.actor().chunks_exact(2) {
            layers.push(Layer { weight: pair[0].1.flatten_all()?.to_vec1()?, bias: pair[1].1.to_vec1()? });
        }
        let (_, weight) = &policy.actor()[policy.actor().len() - 2];
        layers.pop();
        let bias = policy.actor()[policy.actor().len() - 1].1.to_vec1()?;
        Ok(Self { hidden: layers, head: Layer { weight: weight.t()?.flatten_all()?.to_vec1()?, bias } })
    }

    /// Draws one of the `legal` actions; returns it with the natural logarithm of its probability.
    pub fn sample(&self, observation: &[f32], legal: &[usize], rng: &mut Rng, scratch: &mut Scratch) -> (usize, f32) {
        self.score(observation, legal, scratch);
        let (at, log_prob) = draw(&mut scratch.logits, rng);
        (legal[at], log_prob)
    }

    /// The natural logarithm of the probability of an action among the `legal` ones.
    pub fn log_prob(&self, observation: &[f32], legal: &[usize], action: usize, scratch: &mut Scratch) -> f32 {
        self.score(observation, legal, scratch);
        let at = legal.iter().position(|&other| other == action).expect("the action is legal");
        let total = shift(&mut scratch.logits);
        scratch.logits[at] - total.ln() as f32
    }

    /// Puts the logits of the legal actions into `scratch.logits`.
    fn score(&self, observation: &[f32], legal: &[usize], scratch: &mut Scratch) {
        let Scratch { active, input, output, logits } = scratch;
        input.clear();
        input.extend_from_slice(observation);
        for layer in &self.hidden {
            layer.accumulate(input, active, output);
            output.iter_mut().for_each(|x| *x = x.max(0.0));
            std::mem::swap(input, output);
        }
        logits.clear();
        let row = |action: usize| &self.head.weight[action * input.len()..][..input.len()];
        logits.extend(legal.iter().map(|&action| dot(row(action), input) + self.head.bias[action]));
    }
}

impl Layer {
    /// `output = input * weight + bias`, four inputs that are not zero at a time.
    fn accumulate(&self, input: &[f32], active: &mut Vec<usize>, output: &mut Vec<f32>) {
        output.clear();
        output.extend_from_slice(&self.bias);
        active.clear();
        active.extend((0..input.len()).filter(|&at| input[at] != 0.0));
        let row = |at: usize| &self.weight[at * self.bias.len()..][..self.bias.len()];
        let (fours, rest) = active.as_chunks::<4>();
        for &four in fours {
            add_four(output, four.map(|at| input[at]), four.map(row));
        }
        for &at in rest {
            output.iter_mut().zip(row(at)).for_each(|(sum, weight)| *sum += input[at] * weight);
        }
    }
}

/// `sums += x[0] * rows[0] + ... + x[3] * rows[3]`: each sum is loaded and stored once for four rows.
fn add_four(sums: &mut [f32], x: [f32; 4], rows: [&[f32]; 4]) {
    let [a, b, c, d] = rows.map(|row| &row[..sums.len()]);
    for at in 0..sums.len() {
        sums[at] += (x[0] * a[at] + x[1] * b[at]) + (x[2] * c[at] + x[3] * d[at]);
    }
}

/// The dot product, summed in an order that depends on the length alone.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Shifts the logits so that the largest is 0; returns the sum of their exponentials.
fn shift(logits: &mut [f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert!(max.is_finite(), "the policy's scores are not finite: training diverged");
    logits.iter_mut().for_each(|logit| *logit -= max);
    logits.iter().map(|logit| f64::from(logit.exp())).sum()
}

/// Draws an index in proportion to `exp(logits)`; returns it with its log-probability. Overwrites the logits.
fn draw(logits: &mut [f32], rng: &mut Rng) -> (usize, f32) {
    let total = shift(logits);
    let threshold = rng.unit() * total;
    let mut cumulative = 0f64;
    let mut chosen = 0;
    for (at, &logit) in logits.iter().enumerate() {
        let weight = f64::from(logit.exp());
        if weight > 0.0 {
            chosen = at;
        }
        cumulative += weight;
        if cumulative > threshold {
            break;
        }
    }
    (chosen, logits[chosen] - total.ln() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::PolicyConfig;
    use candle_core::{Device, Tensor};

    #[test]
    fn the_loops_agree_with_candle() -> Result<()> {
        // Widths that are no multiples of the lanes or of four, so that the remainders are covered.
        let config = PolicyConfig { hidden: vec![37, 21] };
        let mut rng = Rng::from_u64(5);
        let bias: Vec<f32> = (0..45).map(|_| rng.normal() as f32).collect();
        let policy = ActorCritic::new(50, 45, &config, Some(&bias), &mut rng)?;
        let actor = Actor::new(&policy)?;
        let legal: Vec<usize> = (0..45).step_by(2).collect();
        let mut scratch = Scratch::default();
        for _ in 0..20 {
            let observation: Vec<f32> = (0..50).map(|_| (rng.normal() * f64::from(rng.below(2))) as f32).collect();
            actor.score(&observation, &legal, &mut scratch);
            let graph = policy.logits(&Tensor::from_vec(observation, (1, 50), &Device::Cpu)?)?.to_vec2::<f32>()?;
            for (&action, &score) in legal.iter().zip(&scratch.logits) {
                assert!((score - graph[0][action]).abs() < 1e-5, "action {action}: {score} or {}", graph[0][action]);
            }
        }
        Ok(())
    }

    #[test]
    fn draws_follow_the_distribution() {
        let probabilities = [0.1f32, 0.0, 0.6, 0.3];
        let mut rng = Rng::from_u64(3);
        let mut counts = [0u32; 4];
        for _ in 0..20_000 {
            let (at, log_prob) = draw(&mut probabilities.map(|p| p.ln() + 4.0), &mut rng);
            assert!((log_prob.exp() - probabilities[at]).abs() < 1e-6);
            counts[at] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, probability) in counts.iter().zip(probabilities) {
            assert!((*count as f32 / 20_000.0 - probability).abs() < 0.015, "{counts:?}");
        }
    }
}
