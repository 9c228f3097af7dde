//! Owns the update: proximal policy optimisation (Schulman et al. 2017) with masked actions (Huang and Ontañón 2022).
//!
//! Must not know environments or what a reward means. Meant to be read from top to bottom beside CleanRL's `ppo.py`.
//! What differs: one reward at the end of each episode; steps without a choice train the critic alone; the entropy
//! bonus is relative to the largest entropy that the mask allows, so that steps with many legal actions do not drown
//! the others.

use candle_core::Result;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::gae::terminal_advantages;
use super::lanes;
use super::loss::{Lesson, Share, Size, Sums, Weights};
use super::network::Observations;
use super::optim::Adam;
use super::policy::ActorCritic;
use super::rollout::{Rollout, Stop, count_legal};
use crate::seed::Rng;

/// How to learn from one batch of episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PpoConfig {
    /// Adam's step size.
    pub learning_rate: f64,
    /// Passes over the batch.
    pub epochs: usize,
    /// Steps per gradient at most; a batch is cut into equal parts. From 512 to 2048 a pass costs the same, beyond that
    /// the caches overflow.
    pub minibatch_size: usize,
    /// Discount per step. 1: an episode's reward belongs to all of its steps alike.
    pub gamma: f32,
    /// Decay of the advantage estimator. 1: the return itself, no bias from the critic.
    pub lambda: f32,
    /// How far from 1 the probability ratio may go before its gradient is cut.
    pub clip: f32,
    /// The update ends as soon as a minibatch's approximate KL divergence exceeds this; null never ends it early.
    pub target_kl: Option<f32>,
    /// Weight of the relative entropy (0 to 1 per step).
    pub entropy_coefficient: f64,
    /// Weight of half the mean squared error of the predicted return.
    pub value_coefficient: f64,
    /// Largest L2 norm of the gradient over all parameters.
    pub max_gradient_norm: f32,
}

impl Default for PpoConfig {
    fn default() -> Self {
        Self {
            learning_rate: 5e-4,
            epochs: 4,
            minibatch_size: 1024,
            gamma: 1.0,
            lambda: 1.0,
            clip: 0.2,
            target_kl: Some(0.03),
            entropy_coefficient: 0.01,
            value_coefficient: 0.5,
            max_gradient_norm: 0.5,
        }
    }
}

impl PpoConfig {
    /// Refuses values with which no update can work.
    pub fn check(&self) -> std::result::Result<(), ConfigError> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let fraction = |x: f32| (0.0..=1.0).contains(&x);
        let require = |holds: bool, field, problem| if holds { Ok(()) } else { Err(ConfigError { field, problem }) };
        require(
            self.learning_rate > 0.0 && self.learning_rate <= 0.1,
            "learning_rate",
            "must be above 0, and at most 0.1",
        )?;
        require(self.epochs > 0, "epochs", "must be at least 1")?;
        require(self.minibatch_size > 0, "minibatch_size", "must be at least 1")?;
        require(fraction(self.gamma), "gamma", "must be from 0 to 1")?;
        require(fraction(self.lambda), "lambda", "must be from 0 to 1")?;
        require(positive(self.clip.into()), "clip", "must be above 0")?;
        require(self.target_kl.is_none_or(|kl| positive(kl.into())), "target_kl", "must be above 0, or null")?;
        require(self.entropy_coefficient >= 0.0, "entropy_coefficient", "must not be negative")?;
        require(self.value_coefficient >= 0.0, "value_coefficient", "must not be negative")?;
        require(self.max_gradient_norm > 0.0, "max_gradient_norm", "must be above 0")
    }
}

/// What an update did. Losses, entropies, clip fraction and gradient norm are means over its minibatches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateMetrics {
    /// KL divergence from the policy that acted, estimated as the mean of `ratio - 1 - ln ratio` over the last
    /// minibatch looked at, the one that ended the update included.
    pub approx_kl: f32,
    /// Share of the steps with a choice whose ratio left `1 +- clip`.
    pub clip_fraction: f32,
    /// Share of the returns' variance that the critic predicted before the update: 1 all, 0 none, below 0 worse than a
    /// constant. 0 where returns did not vary.
    pub explained_variance: f32,
    /// Mean entropy in nats over steps with a choice.
    pub entropy: f32,
    /// The same, each step divided by the logarithm of its number of legal actions: 1 is uniform.
    pub relative_entropy: f32,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: f32,
    /// Clipped surrogate loss, without the entropy bonus.
    pub policy_loss: f32,
    /// Half the mean squared error of the predicted return.
    pub value_loss: f32,
    /// Passes over the batch that were finished.
    pub epochs_done: usize,
}

/// Steps of a minibatch that are computed together, at most: enough to keep a matrix product busy.
const SHARE: usize = 512;
/// Numbers from which on candle has a tensor's elements computed by threads that the whole process shares
/// (`PAR_ELEMWISE_MIN` of its cpu_backend/utils.rs). Shares on threads of their own would wait for each other there.
const SHARED_BY_ALL: usize = 64 * 1024;

/// Improves the policy on episodes that it played. `rewards[i]` is what episode `i` was worth; `None` leaves the
/// episode out. Without any episode left nothing changes.
///
/// # Panics
/// If there is not one reward per episode, a reward is not finite, or the rollout is of other sizes than the policy.
pub fn update(
    policy: &ActorCritic,
    optimizer: &mut Adam,
    rollout: &Rollout,
    rewards: &[Option<f32>],
    config: &PpoConfig,
    rng: &mut Rng,
) -> Result<UpdateMetrics> {
    update_until(policy, optimizer, rollout, rewards, config, rng, &|| false)
}

/// As [`update`], but that no further minibatch is begun once `stop` says so; the policy is then as it was by then.
///
/// # Panics
/// As there.
pub fn update_until(
    policy: &ActorCritic,
    optimizer: &mut Adam,
    rollout: &Rollout,
    rewards: &[Option<f32>],
    config: &PpoConfig,
    rng: &mut Rng,
    stop: Stop<'_>,
) -> Result<UpdateMetrics> {
    let observations = policy.observations(&rollout.observations);
    let mut batch = Batch::new(policy, rollout, &observations, rewards, config)?;
    let mut metrics = UpdateMetrics { explained_variance: batch.explained_variance(), ..UpdateMetrics::default() };
    let mut tally = Tally::default();
    let parts = batch.steps.len().div_ceil(config.minibatch_size).max(1);
    let size = batch.steps.len().div_ceil(parts).max(1);
    let mut order = std::mem::take(&mut batch.steps);
    let weights = Weights { clip: config.clip, entropy: config.entropy_coefficient, value: config.value_coefficient };
    let Batch { legal, advantages, returns, .. } = &batch;
    let lesson = Lesson { policy, rollout, observations: &observations, legal, advantages, returns, weights };

    'update: for _ in 0..config.epochs {
        if order.is_empty() {
            break;
        }
        rng.shuffle(&mut order);
        for steps in order.chunks(size) {
            if stop() {
                break 'update;
            }
            let share = minibatch(&lesson, steps)?;
            if share.sums.choices > 0.0 {
                metrics.approx_kl = (share.sums.kl / share.sums.choices) as f32;
                if config.target_kl.is_some_and(|target| metrics.approx_kl > target) {
                    break 'update;
                }
            }
            let (rate, most) = (config.learning_rate, config.max_gradient_norm);
            let norm = optimizer.step(policy.parameters(), share.gradients, rate, most)?;
            tally.add(&share.sums, norm);
        }
        metrics.epochs_done += 1;
    }
    tally.write_means(&mut metrics);
    Ok(metrics)
}

/// The loss of these steps and its gradient. Where there are many, each thread has its share of them.
fn minibatch(lesson: &Lesson<'_>, steps: &[usize]) -> Result<Share> {
    let size = Size { steps: steps.len(), choices: lesson.choices(steps).len() };
    let shares = if lesson.policy.device().is_cpu() { steps.len().div_ceil(share_of(lesson.policy)) } else { 1 };
    // An even number keeps two threads busy to the end.
    let each = steps.len().div_ceil(if shares > 1 { shares.next_multiple_of(2) } else { 1 });
    let parts: Vec<&[usize]> = steps.chunks(each).collect();
    let mut shares = lanes::each(parts.len(), |at| lesson.share(parts[at], size)).into_iter();
    let mut sum = shares.next().transpose()?.unwrap_or_default();
    shares.try_for_each(|share| share.map(|share| sum.add(share)))?;
    Ok(sum)
}

/// Steps that are computed together.
fn share_of(policy: &ActorCritic) -> usize {
    let widest = policy.shape().network.widest(policy.shape().n_actions);
    ((SHARED_BY_ALL - 1) / widest).clamp(1, SHARE)
}

/// The episodes to learn from: which steps, and what each was worth. Vectors are indexed by the rollout's steps.
struct Batch {
    /// Steps of episodes with a reward.
    steps: Vec<usize>,
    /// How many actions were legal.
    legal: Vec<u32>,
    /// Normalised to mean 0 and deviation 1 over `steps` with a choice; all 0 where every episode was worth the same.
    advantages: Vec<f32>,
    /// What the critic should have predicted.
    returns: Vec<f32>,
    /// What it did predict.
    values: Vec<f32>,
}

impl Batch {
    fn new(
        policy: &ActorCritic,
        rollout: &Rollout,
        observations: &Observations<'_>,
        rewards: &[Option<f32>],
        config: &PpoConfig,
    ) -> Result<Self> {
        let shape = policy.shape();
        assert_eq!(rollout.episodes.len(), rewards.len(), "one reward per episode");
        let sizes = (shape.observation(), shape.n_actions);
        assert_eq!((rollout.obs_dim, rollout.n_actions), sizes, "the policy's own rollout");
        let values = predicted(policy, observations, rollout.steps())?;
        let legal = (0..rollout.steps()).map(|step| count_legal(rollout.mask(step))).collect();
        let mut steps = Vec::new();
        let (mut advantages, mut returns) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        for (episode, reward) in rollout.episodes.iter().zip(rewards) {
            let Some(reward) = *reward else { continue };
            assert!(reward.is_finite(), "a reward of {reward}");
            let found = terminal_advantages(reward, &values[episode.clone()], config.gamma, config.lambda);
            for (step, advantage) in episode.clone().zip(found) {
                advantages[step] = advantage;
                returns[step] = advantage + values[step];
                steps.push(step);
            }
        }
        let mut batch = Self { steps, legal, advantages, returns, values };
        let mut worth = rewards.iter().flatten();
        let first = worth.next();
        if worth.any(|reward| Some(reward) != first) {
            batch.normalise_advantages();
        } else {
            // Every episode was worth the same, so none was better: what is left are the critic's errors, and scaled up
            // they would push the policy about. Where rewards are rare that is what most batches would do.
            batch.advantages.fill(0.0);
        }
        Ok(batch)
    }

    fn normalise_advantages(&mut self) {
        let chosen: Vec<usize> = self.steps.iter().copied().filter(|&step| self.legal[step] > 1).collect();
        let (mean, variance) = moments(chosen.iter().map(|&step| self.advantages[step]));
        let deviation = variance.sqrt() + 1e-8;
        chosen.iter().for_each(|&step| {
            self.advantages[step] = ((f64::from(self.advantages[step]) - mean) / deviation) as f32;
        });
    }

    fn explained_variance(&self) -> f32 {
        let (_, of_returns) = moments(self.steps.iter().map(|&step| self.returns[step]));
        let (_, of_errors) = moments(self.steps.iter().map(|&step| self.returns[step] - self.values[step]));
        if of_returns == 0.0 { 0.0 } else { (1.0 - of_errors / of_returns) as f32 }
    }
}

/// The critic's prediction at every step of the rollout.
fn predicted(policy: &ActorCritic, observations: &Observations<'_>, steps: usize) -> Result<Vec<f32>> {
    let steps: Vec<usize> = (0..steps).collect();
    let parts: Vec<&[usize]> = steps.chunks(share_of(policy)).collect();
    let values = |at: usize| policy.values_detached(&observations.take(parts[at])?)?.to_vec1::<f32>();
    let values: Vec<Vec<f32>> = lanes::each(parts.len(), values).into_iter().collect::<Result<_>>()?;
    Ok(values.concat())
}

/// Mean and (population) variance; zeros for nothing.
fn moments(numbers: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let count = numbers.clone().count().max(1) as f64;
    let mean = numbers.clone().map(f64::from).sum::<f64>() / count;
    (mean, numbers.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count)
}

/// Means over minibatches, added up, for [`UpdateMetrics`].
#[derive(Default)]
struct Tally {
    /// Minibatches with a choice.
    actors: f64,
    /// All of them.
    critics: f64,
    means: Sums,
    norms: f64,
}

impl Tally {
    fn add(&mut self, sums: &Sums, gradient_norm: f32) {
        self.critics += 1.0;
        self.norms += f64::from(gradient_norm);
        self.means.errors += sums.errors / sums.steps;
        if sums.choices > 0.0 {
            self.actors += 1.0;
            self.means.surrogate += sums.surrogate / sums.choices;
            self.means.entropy += sums.entropy / sums.choices;
            self.means.relative_entropy += sums.relative_entropy / sums.choices;
            self.means.clipped += sums.clipped / sums.choices;
        }
    }

    fn write_means(&self, metrics: &mut UpdateMetrics) {
        let (actors, critics) = (self.actors.max(1.0), self.critics.max(1.0));
        metrics.clip_fraction = (self.means.clipped / actors) as f32;
        metrics.entropy = (self.means.entropy / actors) as f32;
        metrics.relative_entropy = (self.means.relative_entropy / actors) as f32;
        metrics.policy_loss = (-self.means.surrogate / actors) as f32;
        metrics.value_loss = (self.means.errors / 2.0 / critics) as f32;
        metrics.gradient_norm = (self.norms / critics) as f32;
    }
}
