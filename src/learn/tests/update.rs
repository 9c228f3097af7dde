//! Properties of one update.

use crate::learn::categorical::{log_prob_and_entropy, penalties};
use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig};
use crate::learn::ppo::{self, PpoConfig, UpdateMetrics};
use crate::learn::rollout::{Env, Rollout, collect};
use crate::seed::Rng;
use candle_core::{Device, Tensor};

const OBS: usize = 40;
const ACTIONS: usize = 70;

/// Random observations and masks from a stream of its own; `choice` false leaves one action at every step.
struct Noise {
    observation: Vec<f32>,
    mask: u64,
    left: usize,
    choice: bool,
    rng: Rng,
}

impl Noise {
    fn new(seed: u64, choice: bool) -> Self {
        let mut noise = Self { observation: vec![], mask: 1, left: 9, choice, rng: Rng::from_u64(seed) };
        noise.step(0);
        noise
    }
}

impl Env for Noise {
    fn observe(&self, out: &mut [f32]) {
        out.copy_from_slice(&self.observation);
    }

    fn mask(&self, out: &mut [u64]) {
        (out[0], out[1]) = if self.choice { (self.mask, 0b1001) } else { (0, 0b1000) };
    }

    fn step(&mut self, _action: usize) -> bool {
        let rng = &mut self.rng;
        self.observation = (0..OBS).map(|_| (rng.normal() * f64::from(rng.below(2))) as f32).collect();
        self.mask = rng.bits();
        self.left -= 1;
        self.left == 0
    }
}

fn played(choice: bool) -> (ActorCritic, Rollout) {
    let mut rng = Rng::from_u64(11);
    let bias: Vec<f32> = (0..ACTIONS).map(|_| rng.normal() as f32).collect();
    let policy = ActorCritic::new(OBS, ACTIONS, &PolicyConfig { hidden: vec![24, 16] }, Some(&bias), &mut rng).unwrap();
    let mut envs: Vec<Noise> = (0..30).map(|seed| Noise::new(seed, choice)).collect();
    let mut rngs: Vec<Rng> = (100..130).map(Rng::from_u64).collect();
    let rollout = collect(&policy, &mut envs, &mut rngs).unwrap();
    (policy, rollout)
}

fn weights(policy: &ActorCritic) -> Vec<Vec<f32>> {
    policy.parameters().iter().map(|(_, var)| var.flatten_all().unwrap().to_vec1().unwrap()).collect()
}

/// One update with rewards that vary; the weights before and after.
fn updated(
    policy: &ActorCritic,
    rollout: &Rollout,
    rewards: &[Option<f32>],
    config: &PpoConfig,
) -> (UpdateMetrics, Vec<bool>) {
    let before = weights(policy);
    let mut optimizer = Adam::new(policy.parameters());
    let metrics = ppo::update(policy, &mut optimizer, rollout, rewards, config, &mut Rng::from_u64(1)).unwrap();
    let moved = before.iter().zip(weights(policy)).map(|(before, after)| *before != after).collect();
    (metrics, moved)
}

fn varied(rollout: &Rollout) -> Vec<Option<f32>> {
    (0..rollout.episodes.len()).map(|at| Some((at % 3) as f32)).collect()
}

#[test]
fn the_first_minibatch_has_ratio_one_and_every_parameter_moves() {
    let (policy, rollout) = played(true);
    let config = PpoConfig { epochs: 1, ..PpoConfig::default() };
    let (metrics, moved) = updated(&policy, &rollout, &varied(&rollout), &config);
    assert!(metrics.approx_kl.abs() < 1e-6 && metrics.clip_fraction == 0.0, "{metrics:?}");
    // At ratio 1 the surrogate is the mean of normalised advantages.
    assert!(metrics.policy_loss.abs() < 1e-5, "{metrics:?}");
    assert!(moved.iter().all(|&moved| moved), "{moved:?}");
    assert_eq!(metrics.epochs_done, 1);
}

#[test]
fn recorded_log_probs_are_those_of_the_graph() {
    let (policy, rollout) = played(true);
    let n = rollout.steps();
    let observations = Tensor::from_slice(&rollout.observations, (n, OBS), &Device::Cpu).unwrap();
    let penalties = penalties((0..n).map(|step| rollout.mask(step)), ACTIONS).unwrap();
    let actions = Tensor::from_slice(&rollout.actions, n, &Device::Cpu).unwrap();
    let (graph, _) = log_prob_and_entropy(&policy.logits(&observations).unwrap(), &penalties, &actions).unwrap();
    for (graph, recorded) in graph.to_vec1::<f32>().unwrap().iter().zip(&rollout.log_probs) {
        assert!((graph - recorded).abs() < 1e-5, "{graph} or {recorded}");
    }
}

#[test]
fn forced_steps_train_the_critic_alone() {
    let (policy, rollout) = played(false);
    let (metrics, moved) = updated(&policy, &rollout, &varied(&rollout), &PpoConfig::default());
    let half = moved.len() / 2;
    assert!(moved[..half].iter().all(|&moved| !moved) && moved[half..].iter().all(|&moved| moved), "{moved:?}");
    assert!(metrics.value_loss > 0.0 && metrics.entropy == 0.0, "{metrics:?}");
}

#[test]
fn episodes_without_a_reward_leave_no_trace() {
    let (policy, rollout) = played(true);
    let nothing = vec![None; rollout.episodes.len()];
    let (metrics, moved) = updated(&policy, &rollout, &nothing, &PpoConfig::default());
    assert_eq!((metrics, moved.contains(&true)), (UpdateMetrics::default(), false));

    // Only the first ten episodes have a reward: the same weights as if only they had been played.
    let (again, _) = played(true);
    let mut rewards = varied(&rollout);
    rewards[10..].fill(None);
    updated(&policy, &rollout, &rewards, &PpoConfig::default());
    let mut short = rollout.clone();
    short.episodes.truncate(10);
    updated(&again, &short, &rewards[..10], &PpoConfig::default());
    assert_eq!(weights(&policy), weights(&again));
}

#[test]
fn a_small_target_ends_the_update_early() {
    let (policy, rollout) = played(true);
    let config = PpoConfig { learning_rate: 0.01, target_kl: Some(1e-4), epochs: 10, ..PpoConfig::default() };
    let (metrics, _) = updated(&policy, &rollout, &varied(&rollout), &config);
    assert!(metrics.epochs_done < 10 && metrics.approx_kl > 1e-4, "{metrics:?}");
}

#[test]
fn settings_that_cannot_work_are_named() {
    PpoConfig::default().check().unwrap();
    PolicyConfig::default().check().unwrap();
    let config: PpoConfig = serde_yaml::from_str("{ gamma: 1.5 }").unwrap();
    assert_eq!(config.check().unwrap_err().to_string(), "gamma must be from 0 to 1");
    let config: PpoConfig = serde_yaml::from_str("{ target_kl: null, minibatch_size: 0 }").unwrap();
    assert_eq!(config.check().unwrap_err().field, "minibatch_size");
    assert_eq!(PolicyConfig { hidden: vec![3, 0] }.check().unwrap_err().field, "hidden");
    assert!(serde_yaml::from_str::<PpoConfig>("{ gama: 1.0 }").is_err());
}
