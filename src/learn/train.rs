//! Owns training without a model: a policy learns to weave programs like those of the real world, of a length that is
//! drawn for each (the original's first use case).
//!
//! Must not know files, nor when to stop. Read `goal` (in `weave`) for what is aimed at, `judge` for how near a program
//! came, `pool` for what all of them are like together, `figures` for what a policy is worth on fresh programs.

pub mod figures;
pub mod judge;
pub mod pool;
pub mod sample;

use super::ConfigError;
use super::episode::{Episode, Vocabulary};
use super::optim::Adam;
use super::policy::{ActorCritic, PolicyConfig};
use super::ppo::{self, PpoConfig, UpdateMetrics};
use super::reward::WeavingReward;
use super::rollout::{self, Stop};
use crate::seed::{Rng, Seed};
use crate::weave::config::Bounds;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use crate::weave::weaver::goal::Goal;
use candle_core::Result;
use figures::Figures;
use judge::Look;
use pool::Pool;
use sample::Sample;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The reward of a failed episode. There should be none.
pub const FAILED: f32 = -1.0;

/// How training goes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Episodes between two updates.
    pub batch: usize,
    /// Environment steps in all, where the command line does not say.
    pub steps: u64,
    /// Whether targets start low and rise as the policy gets good.
    pub curriculum: bool,
    /// Targets of depth: blocks and calls around each other at the deepest moment of a run; null sets none.
    pub depth: Option<Bounds>,
    /// The share of the learning rate that is left at the end; it falls in a straight line.
    pub final_rate: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self { batch: 256, steps: 4_000_000, curriculum: false, depth: None, final_rate: 0.1 }
    }
}

impl TrainConfig {
    /// Refuses values with which nothing can be trained.
    pub fn check(&self) -> std::result::Result<(), ConfigError> {
        let require = |holds: bool, field, problem| if holds { Ok(()) } else { Err(ConfigError { field, problem }) };
        require(self.batch > 0, "batch", "must be at least 1")?;
        require(self.steps > 0, "steps", "must be at least 1")?;
        let ordered = self.depth.is_none_or(|depth| depth.min <= depth.max);
        require(ordered, "depth", "must have a min that is not above its max")?;
        require((0.0..=1.0).contains(&self.final_rate), "final_rate", "must be from 0 to 1")
    }
}

/// How far the targets reach: the whole of the bounds, or with a curriculum a part of them that grows.
#[derive(Clone, Copy, Debug)]
struct Reach(f64);

impl Reach {
    /// The part that a curriculum starts with.
    const FIRST: f64 = 0.25;
    /// What it grows by.
    const STEP: f64 = 0.05;
    /// The mean R_length of a round from which on it grows.
    const GOOD: f64 = 0.9;

    fn new(curriculum: bool) -> Self {
        Self(if curriculum { Self::FIRST } else { 1.0 })
    }

    fn of(self, bounds: Bounds) -> Bounds {
        let span = f64::from(bounds.max - bounds.min) * self.0;
        Bounds { max: bounds.min + span.round() as u32, ..bounds }
    }

    fn hear(&mut self, length: f64) {
        if length >= Self::GOOD {
            self.0 = (self.0 + Self::STEP).min(1.0);
        }
    }
}

/// What one round was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// Environment steps so far.
    pub steps: u64,
    /// What its programs were.
    #[serde(flatten)]
    pub figures: Figures,
    /// How far targets reach, a share of their bounds.
    pub reach: f64,
    /// The learner's figures.
    #[serde(flatten)]
    pub update: UpdateMetrics,
}

/// A policy in training.
pub struct Trainer {
    /// What is woven.
    pub loom: Arc<Loom>,
    /// What the policy's outputs stand for.
    pub vocabulary: Arc<Vocabulary>,
    /// The policy.
    pub policy: ActorCritic,
    /// Its optimiser.
    pub optimizer: Adam,
    /// Episodes woven so far.
    pub episodes: u64,
    /// Rounds done so far.
    pub rounds: u64,
    /// Environment steps so far.
    pub steps: u64,
    config: TrainConfig,
    ppo: PpoConfig,
    reward: WeavingReward,
    pool: Pool,
    reach: Reach,
    seed: Seed,
    /// Shuffles minibatches.
    rng: Rng,
}

/// What a preset says about a policy and its training.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// The untrained policy's preferences.
    pub prior: &'a Prior,
    /// Its networks.
    pub policy: &'a PolicyConfig,
    /// How it learns.
    pub ppo: PpoConfig,
    /// What programs are worth.
    pub reward: WeavingReward,
    /// How training goes.
    pub train: TrainConfig,
}

impl Trainer {
    /// An untrained policy that prefers what the prior says.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn new(loom: Arc<Loom>, settings: Settings<'_>, device: &candle_core::Device, seed: Seed) -> Result<Self> {
        let vocabulary = Arc::new(Vocabulary::new(&loom.config));
        let logits = vocabulary.select(&settings.prior.logits(&loom.config.instructions()));
        let mut init = seed.child("policy init").rng();
        let (inputs, outputs) = (Episode::OBSERVATION, vocabulary.len());
        let policy = ActorCritic::new(inputs, outputs, settings.policy, Some(&logits), &mut init)?.on(device)?;
        Ok(Self {
            loom,
            vocabulary,
            optimizer: Adam::new(policy.parameters()),
            policy,
            episodes: 0,
            rounds: 0,
            steps: 0,
            config: settings.train,
            ppo: settings.ppo,
            reward: settings.reward,
            pool: Pool::default(),
            reach: Reach::new(settings.train.curriculum),
            rng: seed.child("minibatches").rng(),
            seed,
        })
    }

    /// Weaves programs, looks at them, and learns from what they were worth. `done` is the share of the training that is
    /// behind it. Returns what came of it, and the first of the programs; `None` once `stop` says that it is to end, which is
    /// heard within the round. The policy is then as it was by then.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn round(
        &mut self,
        done: f64,
        threads: NonZeroUsize,
        stop: Stop<'_>,
    ) -> Result<Option<(Round, Option<Sample>)>> {
        let fuel = self.reach.of(self.loom.config.fuel);
        let numbers = self.episodes..self.episodes + self.config.batch as u64;
        let seeds: Vec<Seed> = numbers.map(|number| self.seed.indexed("episode", number)).collect();
        let mut episodes: Vec<Episode> = seeds
            .iter()
            .map(|seed| {
                let goal = Goal::draw(fuel, self.config.depth, &mut seed.child("goal").rng());
                Episode::new(&self.loom, &self.vocabulary, seed.to_u64()).with_goal(goal)
            })
            .collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        let rollout = rollout::collect_until(threads, &self.policy, &mut episodes, &mut rngs, stop)?;
        if stop() {
            return Ok(None);
        }

        let looks = judge::look_at(&mut episodes, threads);
        self.pool.fade();
        looks.iter().flatten().for_each(|look| self.pool.add(look));
        let worth = self.worth(&looks);

        let rewards: Vec<Option<f32>> = worth.iter().copied().map(Some).collect();
        let mut ppo = self.ppo.clone();
        ppo.learning_rate *= 1.0 - done.clamp(0.0, 1.0) * (1.0 - self.config.final_rate);
        let (policy, optimizer, rng) = (&self.policy, &mut self.optimizer, &mut self.rng);
        let update = ppo::update_until(policy, optimizer, &rollout, &rewards, &ppo, rng, stop)?;
        if stop() {
            return Ok(None);
        }
        self.rounds += 1;
        self.steps += rollout.steps() as u64;
        let figures = Figures::of(&looks, self.reward.depth);
        let sample = looks[0].as_ref().map(|look| Sample::new(self.steps, self.episodes, &episodes[0], look, worth[0]));
        self.episodes += seeds.len() as u64;
        let reach = self.reach.0;
        self.reach.hear(figures.mean_length);
        Ok(Some((Round { round: self.rounds, steps: self.steps, figures, reach, update }, sample)))
    }

    /// What each program was worth to the learner.
    fn worth(&self, looks: &[Option<Look>]) -> Vec<f32> {
        let WeavingReward { align, length, depth, pooled } = &self.reward;
        let slope = self.pool.slope(pooled);
        let of = |look: &Look| {
            let plain = align * look.paid_align() as f32 + length * look.length as f32;
            plain + depth * look.depth.unwrap_or(0.0) as f32 + slope.of(look) as f32
        };
        looks.iter().map(|look| look.as_ref().map_or(FAILED, of)).collect()
    }
}

#[cfg(test)]
mod tests;
