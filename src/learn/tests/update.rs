//! Properties of one update.

use crate::learn::categorical::Choices;
use crate::learn::loss::{Lesson, Size, Weights};
use crate::learn::network::{NetworkKind, Sequence};
use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig};
use crate::learn::ppo::{self, PpoConfig, UpdateMetrics};
use crate::learn::rollout::{Env, Rollout, collect, count_legal};
use crate::seed::Rng;

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
        let (features, recent) = out.split_at_mut(OBS);
        features.copy_from_slice(&self.observation);
        recent.iter_mut().enumerate().for_each(|(place, x)| *x = ((self.left * 7 + place * 31) % (ACTIONS + 1)) as f32);
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
    played_by(&PolicyConfig::mlp(&[24, 16]), choice)
}

fn played_by(config: &PolicyConfig, choice: bool) -> (ActorCritic, Rollout) {
    let mut rng = Rng::from_u64(11);
    let bias: Vec<f32> = (0..ACTIONS).map(|_| rng.normal() as f32).collect();
    let policy = ActorCritic::new(OBS, ACTIONS, config, Some(&bias), &mut rng).unwrap();
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

/// The log-probability that the graph gives each action taken.
fn of_the_graph(policy: &ActorCritic, rollout: &Rollout) -> Vec<f32> {
    let steps: Vec<usize> = (0..rollout.steps()).collect();
    let mut choices = Choices::default();
    steps.iter().for_each(|&step| choices.push(rollout.mask(step), rollout.actions[step]));
    let logits = policy.logits(&policy.observations(&rollout.observations).take(&steps).unwrap()).unwrap();
    choices.log_prob_and_entropy(&logits).unwrap().0.to_vec1().unwrap()
}

const KINDS: [NetworkKind; 3] = [NetworkKind::Mlp, NetworkKind::Towers, NetworkKind::Sequence];

fn small(network: NetworkKind) -> PolicyConfig {
    PolicyConfig { network, sequence: Sequence { actions: 6, width: 8, heads: 2 }, ..PolicyConfig::mlp(&[24, 16]) }
}

#[test]
fn the_first_minibatch_has_ratio_one_and_every_parameter_moves() {
    for kind in KINDS {
        let (policy, mut rollout) = played_by(&small(kind), true);
        let config = PpoConfig { epochs: 1, ..PpoConfig::default() };
        // Acting and learning round differently: a millionth. With the graph's own numbers nothing is left.
        let graph = of_the_graph(&policy, &rollout);
        for (graph, recorded) in graph.iter().zip(&rollout.log_probs) {
            assert!((graph - recorded).abs() < 1e-5, "{kind:?}: {graph} or {recorded}");
        }
        rollout.log_probs = graph;
        let (metrics, moved) = updated(&policy, &rollout, &varied(&rollout), &config);
        assert_eq!((metrics.approx_kl, metrics.clip_fraction), (0.0, 0.0), "{kind:?}: {metrics:?}");
        // At ratio 1 the surrogate is the mean of normalised advantages.
        assert!(metrics.policy_loss.abs() < 1e-5, "{metrics:?}");
        let names = policy.parameters().iter().map(|(name, _)| name);
        let stuck: Vec<_> = names.zip(moved).filter(|(_, moved)| !moved).collect();
        assert!(stuck.is_empty(), "{stuck:?}");
        assert_eq!(metrics.epochs_done, 1);
    }
}

#[test]
fn shares_of_a_minibatch_add_up_to_it() {
    for kind in KINDS {
        let (policy, rollout) = played_by(&small(kind), true);
        let observations = policy.observations(&rollout.observations);
        let ones = vec![1.0; rollout.steps()];
        let legal: Vec<u32> = (0..rollout.steps()).map(|step| count_legal(rollout.mask(step))).collect();
        let weights = Weights { clip: 0.2, entropy: 0.1, value: 0.5 };
        let (policy, rollout, observations) = (&policy, &rollout, &observations);
        let lesson =
            Lesson { policy, rollout, observations, legal: &legal, advantages: &ones, returns: &ones, weights };
        let steps: Vec<usize> = (0..rollout.steps()).rev().collect();
        let size = Size { steps: steps.len(), choices: lesson.choices(&steps).len() };
        let whole = lesson.share(&steps, size).unwrap();
        let mut sum = lesson.share(&steps[..100], size).unwrap();
        sum.add(lesson.share(&steps[100..120], size).unwrap());
        sum.add(lesson.share(&steps[120..], size).unwrap());
        assert_eq!((sum.sums.steps, sum.sums.choices), (size.steps as f64, size.choices as f64));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4 * (1.0 + b.abs());
        assert!(near(sum.sums.surrogate, whole.sums.surrogate) && near(sum.sums.errors, whole.sums.errors));
        assert!(near(sum.sums.entropy, whole.sums.entropy) && near(sum.sums.kl, whole.sums.kl));
        for ((a, b), (name, _)) in sum.gradients.iter().zip(&whole.gradients).zip(policy.parameters()) {
            let pairs = a.iter().flatten().zip(b.iter().flatten());
            pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{kind:?} {name}: {a} {b}"));
            assert!(a.is_some() && b.is_some(), "{name}");
        }
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
    assert_eq!(PolicyConfig::mlp(&[3, 0]).check().unwrap_err().field, "hidden");
    assert!(serde_yaml::from_str::<PpoConfig>("{ gama: 1.0 }").is_err());
}
