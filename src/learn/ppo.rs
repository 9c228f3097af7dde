//! Owns the update: proximal policy optimisation (Schulman et al. 2017) with masked actions (Huang and Ontañón 2022).
//!
//! Must not know environments or what a reward means. Meant to be read from top to bottom beside CleanRL's `ppo.py`.
//! What differs: one reward at the end of each episode; steps without a choice train the critic alone; the entropy
//! bonus is relative to the largest entropy that the mask allows, so that steps with many legal actions do not drown
//! the others.

use candle_core::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::categorical::{log_prob_and_entropy, penalties};
use super::gae::terminal_advantages;
use super::optim::Adam;
use super::policy::ActorCritic;
use super::rollout::{Rollout, count_legal};
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
        require(positive(self.learning_rate), "learning_rate", "must be above 0")?;
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
    let mut batch = Batch::new(policy, rollout, rewards, config)?;
    let mut metrics = UpdateMetrics { explained_variance: batch.explained_variance(), ..UpdateMetrics::default() };
    let mut tally = Tally::default();
    let parts = batch.steps.len().div_ceil(config.minibatch_size).max(1);
    let size = batch.steps.len().div_ceil(parts).max(1);

    'update: for _ in 0..config.epochs {
        if batch.steps.is_empty() {
            break;
        }
        rng.shuffle(&mut batch.steps);
        for steps in batch.steps.chunks(size) {
            let critic = critic_loss(policy, &batch, steps)?;
            let mut loss = (&critic * config.value_coefficient)?;
            if let Some(actor) = ActorTerms::new(policy, &batch, steps, config.clip)? {
                metrics.approx_kl = actor.approx_kl;
                if config.target_kl.is_some_and(|target| actor.approx_kl > target) {
                    break 'update;
                }
                loss = (loss + &actor.loss)?;
                loss = (loss - (&actor.relative_entropy * config.entropy_coefficient)?)?;
                tally.add_actor(&actor)?;
            }
            let gradients = loss.backward()?;
            let norm =
                optimizer.step(policy.parameters(), &gradients, config.learning_rate, config.max_gradient_norm)?;
            tally.add_critic(critic.to_scalar()?, norm);
        }
        metrics.epochs_done += 1;
    }
    tally.write_means(&mut metrics);
    Ok(metrics)
}

/// The episodes to learn from: which steps, and what each was worth. Vectors are indexed by the rollout's steps.
struct Batch<'a> {
    rollout: &'a Rollout,
    /// Steps of episodes with a reward.
    steps: Vec<usize>,
    /// Normalised to mean 0 and deviation 1 over `steps` with a choice; all 0 where every episode was worth the same.
    advantages: Vec<f32>,
    /// What the critic should have predicted.
    returns: Vec<f32>,
    /// What it did predict.
    values: Vec<f32>,
}

impl<'a> Batch<'a> {
    fn new(policy: &ActorCritic, rollout: &'a Rollout, rewards: &[Option<f32>], config: &PpoConfig) -> Result<Self> {
        let shape = policy.shape();
        assert_eq!(rollout.episodes.len(), rewards.len(), "one reward per episode");
        assert_eq!((rollout.obs_dim, rollout.n_actions), (shape.obs_dim, shape.n_actions), "the policy's own rollout");
        let values = predicted(policy, rollout)?;
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
        let mut batch = Self { rollout, steps, advantages, returns, values };
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
        let chosen: Vec<usize> = self.steps.iter().copied().filter(|&step| !self.rollout.is_forced(step)).collect();
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

    /// `[steps, obs_dim]`.
    fn observations(&self, steps: &[usize]) -> Result<Tensor> {
        let rows: Vec<f32> = steps.iter().flat_map(|&step| self.rollout.observation(step)).copied().collect();
        Tensor::from_vec(rows, (steps.len(), self.rollout.obs_dim), &Device::Cpu)
    }
}

/// The critic's prediction at every step of the rollout.
fn predicted(policy: &ActorCritic, rollout: &Rollout) -> Result<Vec<f32>> {
    if rollout.steps() == 0 {
        return Ok(Vec::new());
    }
    let observations = Tensor::from_slice(&rollout.observations, (rollout.steps(), rollout.obs_dim), &Device::Cpu)?;
    policy.values_detached(&observations)?.to_vec1()
}

/// Mean and (population) variance; zeros for nothing.
fn moments(numbers: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let count = numbers.clone().count().max(1) as f64;
    let mean = numbers.clone().map(f64::from).sum::<f64>() / count;
    (mean, numbers.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count)
}

/// Half the mean squared error of the predicted return.
fn critic_loss(policy: &ActorCritic, batch: &Batch, steps: &[usize]) -> Result<Tensor> {
    let returns: Vec<f32> = steps.iter().map(|&step| batch.returns[step]).collect();
    let returns = Tensor::from_vec(returns, steps.len(), &Device::Cpu)?;
    (policy.values(&batch.observations(steps)?)? - returns)?.sqr()?.mean_all()? / 2.0
}

/// The actor's part of one minibatch: two terms of the loss as scalars with their graph, the rest as numbers.
struct ActorTerms {
    loss: Tensor,
    relative_entropy: Tensor,
    entropy: Tensor,
    approx_kl: f32,
    clip_fraction: f32,
}

impl ActorTerms {
    /// None if no step of the minibatch left a choice.
    fn new(policy: &ActorCritic, batch: &Batch, steps: &[usize], clip: f32) -> Result<Option<Self>> {
        let rollout = batch.rollout;
        let steps: Vec<usize> = steps.iter().copied().filter(|&step| !rollout.is_forced(step)).collect();
        if steps.is_empty() {
            return Ok(None);
        }
        let row = |of: &dyn Fn(usize) -> f32| {
            Tensor::from_vec(steps.iter().map(|&step| of(step)).collect::<Vec<_>>(), steps.len(), &Device::Cpu)
        };
        let old_log_probs = row(&|step| rollout.log_probs[step])?;
        let advantages = row(&|step| batch.advantages[step])?;
        let largest_entropies = row(&|step| (count_legal(rollout.mask(step)) as f32).ln())?;
        let actions: Vec<u32> = steps.iter().map(|&step| rollout.actions[step]).collect();
        let actions = Tensor::from_vec(actions, steps.len(), &Device::Cpu)?;

        let logits = policy.logits(&batch.observations(&steps)?)?;
        let penalties = penalties(steps.iter().map(|&step| rollout.mask(step)), rollout.n_actions)?;
        let (log_probs, entropies) = log_prob_and_entropy(&logits, &penalties, &actions)?;

        let log_ratios = (log_probs - old_log_probs)?;
        let ratios = log_ratios.exp()?;
        let (approx_kl, clip_fraction) = divergence(&log_ratios.to_vec1()?, clip);
        let clipped = ratios.clamp(1.0 - clip, 1.0 + clip)?;
        let surrogate = (ratios * &advantages)?.minimum(&(clipped * &advantages)?)?;
        Ok(Some(Self {
            loss: surrogate.mean_all()?.neg()?,
            relative_entropy: (&entropies / largest_entropies)?.mean_all()?,
            entropy: entropies.mean_all()?,
            approx_kl,
            clip_fraction,
        }))
    }
}

/// The approximate KL divergence (Schulman 2020, "Approximating KL divergence", estimator k3) and the share of clipped
/// ratios.
fn divergence(log_ratios: &[f32], clip: f32) -> (f32, f32) {
    let count = log_ratios.len() as f64;
    let kl: f64 = log_ratios.iter().map(|&log| f64::from(log).exp_m1() - f64::from(log)).sum();
    let clipped = log_ratios.iter().filter(|log| log.exp_m1().abs() > clip).count();
    ((kl / count) as f32, (clipped as f64 / count) as f32)
}

/// Sums over minibatches, for the means in [`UpdateMetrics`].
#[derive(Default)]
struct Tally {
    actors: f32,
    critics: f32,
    sums: UpdateMetrics,
}

impl Tally {
    fn add_actor(&mut self, terms: &ActorTerms) -> Result<()> {
        self.actors += 1.0;
        self.sums.clip_fraction += terms.clip_fraction;
        self.sums.entropy += terms.entropy.to_scalar::<f32>()?;
        self.sums.relative_entropy += terms.relative_entropy.to_scalar::<f32>()?;
        self.sums.policy_loss += terms.loss.to_scalar::<f32>()?;
        Ok(())
    }

    fn add_critic(&mut self, loss: f32, gradient_norm: f32) {
        self.critics += 1.0;
        self.sums.value_loss += loss;
        self.sums.gradient_norm += gradient_norm;
    }

    fn write_means(&self, metrics: &mut UpdateMetrics) {
        let (actors, critics) = (self.actors.max(1.0), self.critics.max(1.0));
        metrics.clip_fraction = self.sums.clip_fraction / actors;
        metrics.entropy = self.sums.entropy / actors;
        metrics.relative_entropy = self.sums.relative_entropy / actors;
        metrics.policy_loss = self.sums.policy_loss / actors;
        metrics.value_loss = self.sums.value_loss / critics;
        metrics.gradient_norm = self.sums.gradient_norm / critics;
    }
}
