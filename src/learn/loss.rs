//! Owns the loss of PPO over some steps, and its gradient.
//!
//! Must not know how steps are chosen nor what is done with a gradient. A minibatch's loss is a sum over its steps, so
//! shares of it can be computed apart and added up.

use candle_core::{Result, Tensor};

use super::categorical::Choices;
use super::network::{Inputs, Observations};
use super::policy::ActorCritic;
use super::rollout::Rollout;

/// What the parts of the loss weigh.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// How far from 1 the probability ratio may go before its gradient is cut.
    pub(super) clip: f32,
    /// Of the mean relative entropy.
    pub(super) entropy: f64,
    /// Of half the mean squared error of the predicted return.
    pub(super) value: f64,
}

/// What is to be learned. Slices are indexed by the rollout's steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lesson<'a> {
    pub(super) policy: &'a ActorCritic,
    pub(super) rollout: &'a Rollout,
    pub(super) observations: &'a Observations<'a>,
    /// How many actions were legal.
    pub(super) legal: &'a [u32],
    pub(super) advantages: &'a [f32],
    /// What the critic should have predicted.
    pub(super) returns: &'a [f32],
    pub(super) weights: Weights,
}

/// Sums over steps; those of the actor over steps with a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) steps: f64,
    pub(super) choices: f64,
    /// The clipped surrogate.
    pub(super) surrogate: f64,
    pub(super) entropy: f64,
    /// The entropy as a share of the largest that the mask allows.
    pub(super) relative_entropy: f64,
    /// `ratio - 1 - ln ratio` (Schulman 2020, "Approximating KL divergence", estimator k3).
    pub(super) kl: f64,
    /// Ratios that left `1 +- clip`.
    pub(super) clipped: f64,
    /// Squared errors of the predicted return.
    pub(super) errors: f64,
}

/// How large a minibatch is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Its steps.
    pub(super) steps: usize,
    /// Its steps with a choice.
    pub(super) choices: usize,
}

/// A share of a minibatch: its sums, and the gradient of each parameter in the policy's order, flattened.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) sums: Sums,
    pub(super) gradients: Vec<Option<Vec<f32>>>,
}

impl Share {
    /// Adds another share of the same minibatch.
    pub(super) fn add(&mut self, other: Self) {
        let (a, b) = (&mut self.sums, other.sums);
        *a = Sums {
            steps: a.steps + b.steps,
            choices: a.choices + b.choices,
            surrogate: a.surrogate + b.surrogate,
            entropy: a.entropy + b.entropy,
            relative_entropy: a.relative_entropy + b.relative_entropy,
            kl: a.kl + b.kl,
            clipped: a.clipped + b.clipped,
            errors: a.errors + b.errors,
        };
        for (sum, gradient) in self.gradients.iter_mut().zip(other.gradients) {
            match (sum.as_mut(), gradient) {
                (Some(sum), Some(gradient)) => sum.iter_mut().zip(gradient).for_each(|(a, b)| *a += b),
                (None, gradient) => *sum = gradient,
                (Some(_), None) => {}
            }
        }
    }
}

impl Lesson<'_> {
    /// The steps of these that left a choice.
    pub(super) fn choices(&self, steps: &[usize]) -> Vec<usize> {
        steps.iter().copied().filter(|&step| self.legal[step] > 1).collect()
    }

    /// These steps' share of the loss of a minibatch of this size.
    pub(super) fn share(&self, steps: &[usize], size: Size) -> Result<Share> {
        let mut share = Share::default();
        let (seen, chosen) = (self.observations.take(steps)?, self.choices(steps));
        let faced = self.observations.take(&chosen)?;
        let mut loss = self.critic(steps, &seen, size.steps, &mut share.sums)?;
        if !chosen.is_empty() {
            loss = (loss + self.actor(&chosen, &faced, size.choices, &mut share.sums)?)?;
        }
        let gradients = loss.backward()?;
        for (_, var) in self.policy.parameters() {
            let aside = || seen.gradient(var).or_else(|| faced.gradient(var)).map(Ok);
            let gradient = gradients.get(var).map(|gradient| gradient.flatten_all()?.to_vec1::<f32>());
            share.gradients.push(gradient.or_else(aside).transpose()?);
        }
        Ok(share)
    }

    /// Half the squared error of the predicted return.
    fn critic(&self, steps: &[usize], seen: &Inputs, all: usize, sums: &mut Sums) -> Result<Tensor> {
        let returns = self.row(steps, |step| self.returns[step])?;
        let errors = (self.policy.values(seen)? - returns)?.sqr()?.sum_all()?;
        sums.steps = steps.len() as f64;
        sums.errors = errors.to_scalar::<f32>()?.into();
        errors * (self.weights.value / 2.0 / all as f64)
    }

    /// The clipped surrogate and the entropy bonus, of steps with a choice.
    fn actor(&self, steps: &[usize], faced: &Inputs, all: usize, sums: &mut Sums) -> Result<Tensor> {
        let clip = self.weights.clip;
        let mut choices = Choices::default();
        steps.iter().for_each(|&step| choices.push(self.rollout.mask(step), self.rollout.actions[step]));
        let logits = self.policy.logits(faced)?;
        let (log_probs, entropies) = choices.log_prob_and_entropy(&logits)?;

        let log_ratios = (log_probs - self.row(steps, |step| self.rollout.log_probs[step])?)?;
        let ratios = log_ratios.exp()?;
        let advantages = self.row(steps, |step| self.advantages[step])?;
        let clipped = (ratios.clamp(1.0 - clip, 1.0 + clip)? * &advantages)?;
        let surrogate = (ratios * advantages)?.minimum(&clipped)?.sum_all()?;
        let relative = (&entropies / self.row(steps, |step| (self.legal[step] as f32).ln())?)?.sum_all()?;

        sums.choices = steps.len() as f64;
        sums.surrogate = surrogate.to_scalar::<f32>()?.into();
        sums.entropy = entropies.sum_all()?.to_scalar::<f32>()?.into();
        sums.relative_entropy = relative.to_scalar::<f32>()?.into();
        for log in log_ratios.to_vec1::<f32>()? {
            sums.kl += f64::from(log).exp_m1() - f64::from(log);
            sums.clipped += f64::from(u8::from(log.exp_m1().abs() > clip));
        }
        (surrogate + (relative * self.weights.entropy)?)? * (-1.0 / all as f64)
    }

    /// A number for each step, on the policy's device.
    fn row(&self, steps: &[usize], of: impl Fn(usize) -> f32) -> Result<Tensor> {
        let numbers: Vec<f32> = steps.iter().map(|&step| of(step)).collect();
        Tensor::from_vec(numbers, steps.len(), self.policy.device())
    }
}
