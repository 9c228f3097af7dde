//! Owns credit assignment: from an episode's rewards and predicted values to one advantage per step.
//!
//! Must not know networks or where rewards come from; pure arithmetic, so that closed forms can test it.

/// Generalised advantage estimation (Schulman et al. 2016) over one whole episode; after its last step the value is
/// zero.
///
/// `rewards[t]` is paid after step `t`, `values[t]` is the return predicted before it. With `gamma = lambda = 1` the
/// advantage is the sum of the rewards still to come, less the predicted value.
///
/// # Panics
/// If there is not one reward per value.
pub(crate) fn advantages(rewards: &[f32], values: &[f32], gamma: f32, lambda: f32) -> Vec<f32> {
    assert_eq!(rewards.len(), values.len(), "one reward and one value per step");
    let mut advantages = vec![0.0; values.len()];
    let (mut next_value, mut next_advantage) = (0.0, 0.0);
    for step in (0..values.len()).rev() {
        let surprise = rewards[step] + gamma * next_value - values[step];
        next_advantage = surprise + gamma * lambda * next_advantage;
        next_value = values[step];
        advantages[step] = next_advantage;
    }
    advantages
}

/// As [`advantages`] where the one reward is paid at the end.
pub(crate) fn terminal_advantages(reward: f32, values: &[f32], gamma: f32, lambda: f32) -> Vec<f32> {
    let mut rewards = vec![0.0; values.len()];
    if let Some(last) = rewards.last_mut() {
        *last = reward;
    }
    advantages(&rewards, values, gamma, lambda)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_rewards_have_closed_forms() {
        // All values v, reward r at the end of n steps. With k steps to go after this one and x = gamma * lambda:
        // A = v (gamma - 1) (1 + x + ... + x^(k-1)) + x^k (r - v).
        let (n, v, r) = (7, 0.25f32, 1.5f32);
        for gamma in [1.0, 0.99f32] {
            for lambda in [1.0, 0.9f32] {
                let found = terminal_advantages(r, &vec![v; n], gamma, lambda);
                for (step, advantage) in found.iter().enumerate() {
                    let k = (n - 1 - step) as i32;
                    let x = gamma * lambda;
                    let geometric: f32 = (0..k).map(|power| x.powi(power)).sum();
                    let expected = v * (gamma - 1.0) * geometric + x.powi(k) * (r - v);
                    assert!((advantage - expected).abs() < 1e-6, "{gamma} {lambda} {step}: {advantage} {expected}");
                }
            }
        }
    }

    #[test]
    fn with_lambda_one_values_only_shift_the_return() {
        let (rewards, values) = ([1.0, -2.0, 0.5], [0.3, 0.1, 0.7]);
        let gamma = 0.5f32;
        let returns = [1.0 + gamma * (-2.0 + gamma * 0.5), -2.0 + gamma * 0.5, 0.5];
        for (step, advantage) in advantages(&rewards, &values, gamma, 1.0).into_iter().enumerate() {
            assert!((advantage - (returns[step] - values[step])).abs() < 1e-6);
        }
        assert!(terminal_advantages(1.0, &[], 1.0, 1.0).is_empty());
    }
}
