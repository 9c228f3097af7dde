//! Owns the strategy `ppo`: a masked policy weaves, and every batch of verdicts updates it.
//!
//! Must not know questions or replies; a reward is a number. The predictor of the design, which would let the policy
//! also learn from programs that were never asked, has its place in [`Ppo::learn`]: further rollouts, paid by it.

use super::Strategy;
use crate::learn;
use crate::learn::checkpoint::{self, Card, CheckpointError};
use crate::learn::episode::{Episode, Vocabulary};
use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig};
use crate::learn::ppo::{self, PpoConfig, UpdateMetrics};
use crate::learn::rollout::{self, Rollout};
use crate::seed::{Rng, Seed};
use crate::weave::prior::Prior;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::{Loom, Weaver};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Misses worth remembering. Where a model fails rarely, most batches hold no miss at all, and what was found would be
/// unlearned before it is found again; so a batch with few misses is filled up with earlier ones (after self-imitation
/// learning, Oh et al. 2018), scored anew as if the policy had just played them.
#[derive(Default)]
struct Memory {
    episodes: Vec<(Rollout, f32)>,
}

impl Memory {
    /// Episodes kept; the oldest go first.
    const SIZE: usize = 256;
    /// The share of a batch that misses, new and remembered, make up at least.
    const SHARE: f64 = 0.25;

    /// Earlier misses to learn from beside a batch with these rewards.
    fn recall(&self, rewards: &[Option<f32>], rng: &mut Rng) -> Vec<(Rollout, f32)> {
        let fresh = rewards.iter().flatten().filter(|&&reward| reward > 0.0).count();
        let wanted = (rewards.len() as f64 * Self::SHARE) as usize;
        let mut order: Vec<usize> = (0..self.episodes.len()).collect();
        rng.shuffle(&mut order);
        order.into_iter().take(wanted.saturating_sub(fresh)).map(|at| self.episodes[at].clone()).collect()
    }

    fn keep(&mut self, rollout: &Rollout, rewards: &[Option<f32>]) {
        for (at, reward) in rewards.iter().enumerate() {
            if let Some(reward) = reward.filter(|&reward| reward > 0.0) {
                self.episodes.push((rollout.episode(at), reward));
            }
        }
        let surplus = self.episodes.len().saturating_sub(Self::SIZE);
        self.episodes.drain(..surplus);
    }
}

/// The learning strategy.
pub struct Ppo {
    loom: Arc<Loom>,
    vocabulary: Arc<Vocabulary>,
    config: PpoConfig,
    policy: ActorCritic,
    optimizer: Adam,
    /// Shuffles minibatches.
    rng: Rng,
    /// The episodes that wait for their rewards.
    pending: Rollout,
    memory: Memory,
    updates: u64,
    episodes: u64,
}

impl Ppo {
    /// An untrained policy that prefers what the prior says.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn new(
        loom: Arc<Loom>,
        prior: &Prior,
        policy: &PolicyConfig,
        config: PpoConfig,
        seed: Seed,
    ) -> learn::Result<Self> {
        let vocabulary = Arc::new(Vocabulary::new(&loom.config));
        let logits = vocabulary.select(&prior.logits(&loom.config.instructions()));
        let mut init = seed.child("policy init").rng();
        let policy = ActorCritic::new(Episode::OBSERVATION, vocabulary.len(), policy, Some(&logits), &mut init)?;
        Ok(Self {
            pending: Rollout::of(&policy),
            loom,
            vocabulary,
            config,
            optimizer: Adam::new(policy.parameters()),
            policy,
            rng: seed.child("minibatches").rng(),
            memory: Memory::default(),
            updates: 0,
            episodes: 0,
        })
    }
}

impl Strategy for Ppo {
    fn name(&self) -> String {
        "ppo".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Weaver>> {
        let weaver = |seed: &Seed| Episode::new(&self.loom, &self.vocabulary, seed.to_u64());
        let mut episodes: Vec<Episode> = seeds.iter().map(weaver).collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        self.pending = rollout::collect(&self.policy, &mut episodes, &mut rngs)?;
        Ok(episodes.into_iter().map(|episode| episode.weaver).collect())
    }

    fn learn(&mut self, rewards: &[Option<f32>]) -> learn::Result<Option<UpdateMetrics>> {
        if rewards.iter().all(Option::is_none) {
            return Ok(None);
        }
        let recalled = self.memory.recall(rewards, &mut self.rng);
        self.memory.keep(&self.pending, rewards);
        let empty = Rollout::of(&self.policy);
        let (mut batch, mut worth) = (std::mem::replace(&mut self.pending, empty), rewards.to_vec());
        for (mut episode, reward) in recalled {
            episode.rescore(&self.policy)?;
            batch.append(episode);
            worth.push(Some(reward));
        }
        let metrics = ppo::update(&self.policy, &mut self.optimizer, &batch, &worth, &self.config, &mut self.rng)?;
        self.updates += 1;
        self.episodes += rewards.iter().flatten().count() as u64;
        Ok(Some(metrics))
    }

    fn save(&self, path: &Path) -> Result<Option<PathBuf>, CheckpointError> {
        let metadata = BTreeMap::from([("generator".to_string(), GENERATOR.to_string())]);
        let card = Card::new(&self.policy, self.updates, self.episodes, metadata);
        checkpoint::save(path, &self.policy, Some(&self.optimizer), &card)?;
        Ok(Some(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rollout of one-step episodes.
    fn episodes(count: usize) -> Rollout {
        let mut rollout = Rollout::new(1, 2);
        for at in 0..count {
            let one = Rollout {
                observations: vec![at as f32],
                masks: vec![0b11],
                actions: vec![0],
                log_probs: vec![-0.5],
                episodes: std::iter::once(0..1).collect(),
                ..Rollout::new(1, 2)
            };
            rollout.append(one);
        }
        rollout
    }

    #[test]
    fn rare_misses_are_remembered_and_frequent_ones_need_not_be() {
        let (mut memory, mut rng) = (Memory::default(), Seed::new(1).rng());
        let mut rewards = vec![Some(0.0); 16];
        (rewards[3], rewards[5]) = (Some(0.5), None);
        memory.keep(&episodes(16), &rewards);
        assert_eq!(memory.episodes.len(), 1);
        assert_eq!(memory.episodes[0].0.observations, [3.0]);
        let none = vec![Some(0.0); 16];
        assert_eq!(memory.recall(&none, &mut rng).len(), 1);
        let many = vec![Some(1.0); 16];
        assert!(memory.recall(&many, &mut rng).is_empty());
        (0..40).for_each(|_| memory.keep(&episodes(16), &many));
        assert_eq!(memory.episodes.len(), Memory::SIZE);
        assert_eq!(memory.recall(&none, &mut rng).len(), 4, "a quarter of the batch");
    }
}
