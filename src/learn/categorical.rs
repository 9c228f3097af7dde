//! Owns the masked categorical distribution as the loss needs it: log-probability and entropy, differentiable.
//!
//! Must not know what is optimised. Two ways that agree. On the processor one pass over the legal actions alone, with the
//! gradient in closed form: the illegal ones, nine of ten, cost nothing. Elsewhere a graph of candle's own operations,
//! where illegal actions get the logit -1e9: their probability is exactly zero and so is every gradient through them,
//! where minus infinity would give NaN (0 * inf). candle's fused softmax has no gradient, and its `log_softmax` sends
//! one through the maximum for nothing; here one exponential serves both results.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::rollout::legal_actions;
use super::sparse::{numbers, with_numbers};

/// Added to the logit of an illegal action.
const ILLEGAL: f32 = -1e9;

/// For each row the legal actions, and which of them was chosen.
#[derive(Debug, Default)]
pub(super) struct Choices {
    legal: Vec<u32>,
    /// Where each row ends in `legal`.
    ends: Vec<usize>,
    chosen: Vec<u32>,
}

impl Choices {
    /// Adds a row. The chosen action must be legal.
    pub(super) fn push(&mut self, mask: &[u64], chosen: u32) {
        self.legal.extend(legal_actions(mask).map(|action| action as u32));
        self.ends.push(self.legal.len());
        self.chosen.push(chosen);
    }

    /// The natural logarithm of each chosen action's probability, and the entropy in nats, both `[n]`, of `[n, n_actions]`
    /// logits.
    pub(super) fn log_prob_and_entropy(self, logits: &Tensor) -> Result<(Tensor, Tensor)> {
        if !logits.device().is_cpu() {
            return self.composed(logits);
        }
        let both = logits.contiguous()?.apply_op1(Pass { choices: Arc::new(self), scores: OnceLock::new() })?;
        Ok((both.get(0)?, both.get(1)?))
    }

    /// The same of candle's own operations.
    fn composed(&self, logits: &Tensor) -> Result<(Tensor, Tensor)> {
        let (n, n_actions) = logits.dims2()?;
        let mut penalties = vec![ILLEGAL; n * n_actions];
        for (row, legal) in self.rows().enumerate() {
            legal.iter().for_each(|&action| penalties[row * n_actions + action as usize] = 0.0);
        }
        let masked = (logits + Tensor::from_vec(penalties, (n, n_actions), logits.device())?)?;
        let shifted = masked.broadcast_sub(&masked.max_keepdim(1)?.detach())?;
        let weights = shifted.exp()?;
        let total = weights.sum(1)?;
        let log_total = total.log()?;
        let chosen = Tensor::from_slice(&self.chosen, (n, 1), logits.device())?;
        let log_prob = (shifted.gather(&chosen, 1)?.squeeze(1)? - &log_total)?;
        // H = -sum p log p with p = weights / total and log p = shifted - log total.
        let entropy = (log_total - ((weights * shifted)?.sum(1)? / total)?)?;
        Ok((log_prob, entropy))
    }

    /// The legal actions of each row.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.legal[start..end])
    }
}

/// Both results at once: `[n, n_actions]` logits to `[2, n]`.
struct Pass {
    choices: Arc<Choices>,
    /// Logarithm and probability of each legal action, left by the forward pass for the gradient.
    scores: OnceLock<Vec<(f32, f32)>>,
}

impl CustomOp1 for Pass {
    fn name(&self) -> &'static str {
        "masked-categorical"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, n_actions) = layout.shape().dims2()?;
        let logits = numbers(logits, layout)?;
        let (mut scores, mut results) = (Vec::with_capacity(self.choices.legal.len()), vec![0.0; 2 * n]);
        for (row, (legal, &chosen)) in self.choices.rows().zip(&self.choices.chosen).enumerate() {
            let logits = &logits[row * n_actions..][..n_actions];
            let max = legal.iter().map(|&action| logits[action as usize]).fold(f32::NEG_INFINITY, f32::max);
            let first = scores.len();
            scores.extend(legal.iter().map(|&action| {
                let shifted = logits[action as usize] - max;
                (shifted, shifted.exp())
            }));
            let scores = &mut scores[first..];
            let total: f32 = scores.iter().map(|(_, weight)| weight).sum();
            let log_total = total.ln();
            let mut entropy = 0.0;
            for (log, p) in scores {
                (*log, *p) = (*log - log_total, *p / total);
                entropy -= *p * *log;
            }
            (results[row], results[n + row]) = (logits[chosen as usize] - max - log_total, entropy);
        }
        let _ = self.scores.set(scores);
        Ok((CpuStorage::F32(results), (2, n).into()))
    }

    /// With p the probabilities: d log p[a] / d logit[j] = (a = j) - p[j], and dH / d logit[j] = -p[j] (log p[j] + H).
    fn bwd(&self, logits: &Tensor, results: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (n, n_actions) = logits.dims2()?;
        let entropies = results.get(1)?.to_vec1::<f32>()?;
        let Some(scores) = self.scores.get() else { candle_core::bail!("no forward pass") };
        let gradients = with_numbers(gradient, |gradient| {
            let (mut all, mut scores) = (vec![0.0; n * n_actions], scores.iter());
            for (row, (legal, &chosen)) in self.choices.rows().zip(&self.choices.chosen).enumerate() {
                let (of_log_prob, of_entropy, entropy) = (gradient[row], gradient[n + row], entropies[row]);
                let out = &mut all[row * n_actions..][..n_actions];
                for (&action, (log, p)) in legal.iter().zip(&mut scores) {
                    out[action as usize] = -p * (of_log_prob + of_entropy * (log + entropy));
                }
                out[chosen as usize] += of_log_prob;
            }
            all
        })?;
        Tensor::from_vec(gradients, (n, n_actions), logits.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Rng;
    use candle_core::{DType, Device, Var};

    fn vector(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn choices(rows: &[(&[u64], u32)]) -> Choices {
        let mut choices = Choices::default();
        rows.iter().for_each(|(mask, chosen)| choices.push(mask, *chosen));
        choices
    }

    #[test]
    fn the_perplexity_of_equal_logits_is_the_number_of_legal_actions() -> Result<()> {
        let choices = choices(&[(&[0b1], 0), (&[0b1011], 3), (&[0b11_1111_1111], 9)]);
        let logits = Tensor::zeros((3, 10), DType::F32, &Device::Cpu)?;
        for (log_prob, entropy) in [choices.composed(&logits)?, choices.log_prob_and_entropy(&logits)?] {
            let found = vector(&log_prob).into_iter().zip(vector(&entropy));
            for ((log_prob, entropy), legal) in found.zip([1f32, 3., 10.]) {
                assert!((entropy.exp() - legal).abs() < 1e-5, "e^{entropy} is not {legal}");
                assert!((log_prob.exp() - 1.0 / legal).abs() < 1e-6);
            }
        }
        Ok(())
    }

    #[test]
    fn gradients_have_their_closed_forms_and_none_leak_to_illegal_actions() -> Result<()> {
        let logits = Var::new(&[[0.5f32, -1.0, 2.0, 30.0]], &Device::Cpu)?;
        let weights = [0.5f64, -1.0, 2.0].map(f64::exp);
        let p = weights.map(|weight| weight / weights.iter().sum::<f64>());
        let h: f64 = -p.iter().map(|p| p * p.ln()).sum::<f64>();
        let choices = choices(&[(&[0b0111], 0)]);
        for (log_prob, entropy) in [choices.composed(&logits)?, choices.log_prob_and_entropy(&logits)?] {
            let of_log_prob = vector(log_prob.sum_all()?.backward()?.get(&logits).unwrap());
            let of_entropy = vector(entropy.sum_all()?.backward()?.get(&logits).unwrap());
            for at in 0..3 {
                let chosen = f64::from(u8::from(at == 0));
                assert!((f64::from(of_log_prob[at]) - (chosen - p[at])).abs() < 1e-6);
                assert!((f64::from(of_entropy[at]) + p[at] * (p[at].ln() + h)).abs() < 1e-6);
            }
            assert_eq!((of_log_prob[3], of_entropy[3]), (0.0, 0.0));
        }
        Ok(())
    }

    #[test]
    fn both_ways_agree() -> Result<()> {
        const ROWS: usize = 40;
        let mut rng = Rng::from_u64(2);
        let numbers: Vec<f32> = (0..ROWS * 70).map(|_| 3.0 * rng.normal() as f32).collect();
        let logits = Var::from_vec(numbers, (ROWS, 70), &Device::Cpu)?;
        let mut choices = Choices::default();
        for _ in 0..ROWS {
            let mask = [rng.bits() | 1 << 7, rng.bits() & 0b11_1111];
            choices.push(&mask, 7);
        }
        let mixed = |(log_prob, entropy): (Tensor, Tensor)| (log_prob.exp()? + entropy.sqr()?)?.sum_all();
        let composed = mixed(choices.composed(&logits)?)?;
        let fused = mixed(choices.log_prob_and_entropy(&logits)?)?;
        assert!((composed.to_scalar::<f32>()? - fused.to_scalar::<f32>()?).abs() < 1e-2);
        let gradients = [composed.backward()?, fused.backward()?].map(|all| vector(all.get(&logits).unwrap()));
        for (a, b) in gradients[0].iter().zip(&gradients[1]) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
        Ok(())
    }
}
