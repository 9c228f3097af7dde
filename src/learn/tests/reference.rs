//! One update against `tests/reference/ppo_update.py`, which has PyTorch compute it in float64.

use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig, Shape};
use crate::learn::ppo::{self, PpoConfig};
use crate::learn::rollout::Rollout;
use crate::seed::Rng;

/// What the script prints.
const PARAMETERS: [&[f32]; 8] = [
    &[0.38756, 0.38528, -0.38692, -0.27893, 0.41029, 0.34697, -0.54925, -0.19927, 0.50248, 0.04399, -0.61208, 0.10681],
    &[0.49876, -0.13457, -0.56288, 0.08717],
    &[
        0.45907, -0.42548, -0.12535, 0.48087, 0.17472, -0.69991, -0.01621, 0.48017, -0.32870, -0.42085, 0.37975,
        0.46795, -0.49658, -0.30474, 0.55181, 0.26244, -0.69211, 0.08993, 0.49659, -0.04466,
    ],
    &[-0.11076, -0.62930, 0.44711, 0.34058, -0.36056],
    &[-0.63947, 0.04949, 0.50582, -0.09176, -0.62255, 0.18037, 0.53984, -0.34232, -0.35302, 0.42714, 0.38107, -0.58047],
    &[-0.47877, 0.38844, 0.20601, -0.53738],
    &[0.05801, 0.48467, -0.30024, -0.52291],
    &[0.52680],
];

fn rollout() -> Rollout {
    Rollout {
        obs_dim: 3,
        n_actions: 5,
        #[rustfmt::skip]
        observations: vec![
            1.0, 0.0, -1.0,  0.0, 2.0, 0.5,  0.3, -0.7, 1.0,
            1.0, 1.0, 1.0,  -1.0, 0.5, 0.0,  0.2, 0.1, -2.0,
            9.0, 9.0, 9.0,
        ],
        masks: vec![0b11111, 0b00100, 0b01011, 0b10010, 0b11100, 0b00111, 0b00111],
        actions: vec![4, 2, 0, 1, 3, 2, 0],
        log_probs: vec![-1.5, 0.0, -1.1, -0.3, -1.2, -1.0, -1.0],
        episodes: vec![0..3, 3..6, 6..7],
    }
}

#[test]
fn an_update_has_the_reference_numbers() {
    let shape = Shape { obs_dim: 3, n_actions: 5, network: PolicyConfig::mlp(&[4]).network() };
    let initial = |(at, (_, dims)): (usize, (String, Vec<usize>))| {
        (0..dims.iter().product()).map(|k: usize| 0.6 * (1.7 * k as f32 + at as f32 + 0.5).sin()).collect()
    };
    let values = shape.parameters().into_iter().enumerate().map(initial).collect();
    let policy = ActorCritic::from_values(shape, values).unwrap();
    let mut optimizer = Adam::new(policy.parameters());
    let config = PpoConfig {
        learning_rate: 0.05,
        epochs: 2,
        target_kl: None,
        entropy_coefficient: 0.1,
        value_coefficient: 0.5,
        ..PpoConfig::default()
    };
    let rewards = [Some(1.0), Some(0.25), None];
    let metrics = ppo::update(&policy, &mut optimizer, &rollout(), &rewards, &config, &mut Rng::from_u64(0)).unwrap();

    let found = [
        metrics.policy_loss,
        metrics.value_loss,
        metrics.entropy,
        metrics.relative_entropy,
        metrics.clip_fraction,
        metrics.gradient_norm,
        metrics.approx_kl,
        metrics.explained_variance,
    ];
    let expected = [0.369234, 0.091292, 0.980065, 0.870506, 0.8, 0.554801, 0.149527, -0.306817];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-5, "{metrics:?}");
    }
    for ((name, var), expected) in policy.parameters().iter().zip(PARAMETERS) {
        let found = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 5e-5, "{name}: {found} where the reference has {expected}");
        }
    }
}
