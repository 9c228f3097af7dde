//! Owns the masked categorical distribution as the loss needs it: log-probability and entropy, differentiable.
//!
//! Must not know what is optimised. Illegal actions get the logit -1e9: their probability is exactly zero and so is
//! every gradient through them, where minus infinity would give NaN (0 * inf). candle's fused softmax has no gradient,
//! and its `log_softmax` sends one through the maximum for nothing; here one exponential serves both results.

use candle_core::{Device, Result, Tensor};

use super::rollout::legal_actions;

/// Added to the logit of an illegal action.
const ILLEGAL: f32 = -1e9;

/// What is added to `[n, n_actions]` logits so that only legal actions are left.
pub fn penalties<'a>(masks: impl ExactSizeIterator<Item = &'a [u64]>, n_actions: usize) -> Result<Tensor> {
    let rows = masks.len();
    let mut penalties = vec![ILLEGAL; rows * n_actions];
    for (row, mask) in penalties.chunks_exact_mut(n_actions).zip(masks) {
        legal_actions(mask).for_each(|action| row[action] = 0.0);
    }
    Tensor::from_vec(penalties, (rows, n_actions), &Device::Cpu)
}

/// The natural logarithm of each chosen action's probability, and the entropy in nats, both `[n]`.
///
/// `logits` and `penalties` are `[n, n_actions]`, `actions` `[n]` of type u32.
pub fn log_prob_and_entropy(logits: &Tensor, penalties: &Tensor, actions: &Tensor) -> Result<(Tensor, Tensor)> {
    let masked = (logits + penalties)?;
    let shifted = masked.broadcast_sub(&masked.max_keepdim(1)?.detach())?;
    let weights = shifted.exp()?;
    let total = weights.sum(1)?;
    let log_total = total.log()?;
    let log_prob = (shifted.gather(&actions.unsqueeze(1)?, 1)?.squeeze(1)? - &log_total)?;
    // H = -sum p log p with p = weights / total and log p = shifted - log total.
    let entropy = (log_total - ((weights * shifted)?.sum(1)? / total)?)?;
    Ok((log_prob, entropy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    fn vector(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_perplexity_of_equal_logits_is_the_number_of_legal_actions() -> Result<()> {
        let masks: [&[u64]; 3] = [&[0b1], &[0b1011], &[0b11_1111_1111]];
        let penalties = penalties(masks.into_iter(), 10)?;
        let logits = Tensor::zeros((3, 10), candle_core::DType::F32, &Device::Cpu)?;
        let actions = Tensor::new(&[0u32, 3, 9], &Device::Cpu)?;
        let (log_prob, entropy) = log_prob_and_entropy(&logits, &penalties, &actions)?;
        for ((log_prob, entropy), legal) in vector(&log_prob).into_iter().zip(vector(&entropy)).zip([1f32, 3., 10.]) {
            assert!((entropy.exp() - legal).abs() < 1e-5, "e^{entropy} is not {legal}");
            assert!((log_prob.exp() - 1.0 / legal).abs() < 1e-6);
        }
        Ok(())
    }

    #[test]
    fn gradients_have_their_closed_forms_and_none_leak_to_illegal_actions() -> Result<()> {
        let logits = Var::new(&[[0.5f32, -1.0, 2.0, 30.0]], &Device::Cpu)?;
        let penalties = penalties([&[0b0111u64][..]].into_iter(), 4)?;
        let (log_prob, entropy) = log_prob_and_entropy(&logits, &penalties, &Tensor::new(&[0u32], &Device::Cpu)?)?;
        let weights = [0.5f64, -1.0, 2.0].map(f64::exp);
        let p = weights.map(|weight| weight / weights.iter().sum::<f64>());
        let h: f64 = -p.iter().map(|p| p * p.ln()).sum::<f64>();
        let of_log_prob = vector(log_prob.sum_all()?.backward()?.get(&logits).unwrap());
        let of_entropy = vector(entropy.sum_all()?.backward()?.get(&logits).unwrap());
        for at in 0..3 {
            let chosen = f64::from(u8::from(at == 0));
            assert!((f64::from(of_log_prob[at]) - (chosen - p[at])).abs() < 1e-6);
            assert!((f64::from(of_entropy[at]) + p[at] * (p[at].ln() + h)).abs() < 1e-6);
        }
        assert_eq!((of_log_prob[3], of_entropy[3]), (0.0, 0.0));
        Ok(())
    }
}
