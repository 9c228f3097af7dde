//! Owns the strategy `ppo`: a masked policy weaves, and every batch of verdicts updates it.
//!
//! Must not know questions or replies; a reward is a number, whether it was paid or a predictor expects it. What was woven
//! is played again before it is learned from: so the policy also learns from programs that it did not choose (those that
//! cover the space), as if it had just played them.

use super::{Strategy, Tried, Woven};
use crate::learn;
use crate::learn::checkpoint::{self, Card, CheckpointError};
use crate::learn::episode::{Episode, Vocabulary};
use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig};
use crate::learn::ppo::{self, PpoConfig, UpdateMetrics};
use crate::learn::pretrained::{self, Pretrained};
use crate::learn::rollout::{self, Env, Rollout};
use crate::seed::{Rng, Seed};
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use crate::weave::weaver::goal::Goal;
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
    fn recall(&self, rewards: &[f32], rng: &mut Rng) -> Vec<(Rollout, f32)> {
        let fresh = rewards.iter().filter(|&&reward| reward > 0.0).count();
        let wanted = (rewards.len() as f64 * Self::SHARE) as usize;
        let mut order: Vec<usize> = (0..self.episodes.len()).collect();
        rng.shuffle(&mut order);
        order.into_iter().take(wanted.saturating_sub(fresh)).map(|at| self.episodes[at].clone()).collect()
    }

    /// Remembers the misses among the first episodes of a rollout.
    fn keep(&mut self, rollout: &Rollout, rewards: &[f32]) {
        for (at, &reward) in rewards.iter().enumerate().filter(|(_, reward)| **reward > 0.0) {
            self.episodes.push((rollout.episode(at), reward));
        }
        let surplus = self.episodes.len().saturating_sub(Self::SIZE);
        self.episodes.drain(..surplus);
    }
}

/// What a policy is before its first reward.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// Untrained; it prefers what the prior says.
    Untrained(&'a PolicyConfig),
    /// Trained before. Its programs aim at a fuel, as they did in training.
    Trained(&'a Pretrained),
}

/// The learning strategy.
pub(crate) struct Ppo {
    loom: Arc<Loom>,
    vocabulary: Arc<Vocabulary>,
    config: PpoConfig,
    policy: ActorCritic,
    optimizer: Adam,
    /// Shuffles minibatches.
    rng: Rng,
    memory: Memory,
    updates: u64,
    episodes: u64,
    /// Whether programs aim at a fuel.
    aims: bool,
}

impl Ppo {
    /// A policy at its start; the prior speaks for what it knows nothing about. It chooses among so many parts of a
    /// program's places, if any.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub(crate) fn new(
        loom: Arc<Loom>,
        places: usize,
        prior: &Prior,
        start: Start<'_>,
        config: PpoConfig,
        device: &learn::Processor,
        seed: Seed,
    ) -> learn::Result<Self> {
        let vocabulary = Arc::new(Vocabulary::new(&loom.config).with_places(places));
        let logits = vocabulary.select(&prior.logits(&loom.config.instructions()));
        let mut init = seed.child("policy init").rng();
        let (inputs, outputs) = (Episode::OBSERVATION, vocabulary.len());
        let policy = match start {
            Start::Untrained(network) => ActorCritic::new(inputs, outputs, network, Some(&logits), &mut init)?,
            Start::Trained(policy) => policy.fitted(&vocabulary, &logits)?,
        };
        let policy = policy.on(device)?;
        Ok(Self {
            aims: matches!(start, Start::Trained(_)),
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

    /// At the start of the program of this seed. What it aims at depends on the seed alone, so that it can be played again.
    fn episode(&self, seed: u64) -> Episode {
        let episode = Episode::new(&self.loom, &self.vocabulary, seed);
        if !self.aims {
            return episode;
        }
        let goal = Goal::draw(self.loom.config.fuel, None, &mut Seed::new(seed).child("goal").rng());
        episode.with_goal(goal)
    }

    /// The episode in which this program was woven, without the probabilities.
    fn replay(&self, woven: &Woven) -> Rollout {
        let mut rollout = Rollout::of(&self.policy);
        let mut episode = self.episode(woven.weaver.seed());
        let (observation, words) = (rollout.obs_dim, rollout.n_actions.div_ceil(64));
        let output = |&action: &u16| self.vocabulary.output(action.into()).expect("what was chosen is possible");
        let placed = woven.place.map(|part| self.vocabulary.place(part));
        for (step, output) in woven.weaver.actions().iter().map(output).chain(placed).enumerate() {
            rollout.observations.resize((step + 1) * observation, 0.0);
            episode.observe(&mut rollout.observations[step * observation..]);
            rollout.masks.resize((step + 1) * words, 0);
            episode.mask(&mut rollout.masks[step * words..]);
            rollout.actions.push(output as u32);
            rollout.log_probs.push(0.0);
            episode.step(output);
        }
        rollout.episodes.push(0..rollout.actions.len());
        rollout
    }
}

impl Strategy for Ppo {
    fn name(&self) -> String {
        "ppo".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Woven>> {
        let mut episodes: Vec<Episode> = seeds.iter().map(|seed| self.episode(seed.to_u64())).collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        rollout::collect(&self.policy, &mut episodes, &mut rngs)?;
        Ok(episodes.into_iter().map(|Episode { weaver, place, .. }| Woven { weaver, place }).collect())
    }

    fn learn(&mut self, tried: &[Tried<'_>]) -> learn::Result<Option<UpdateMetrics>> {
        let worth = |real: bool| {
            let of = move |tried: &&Tried<'_>| tried.real == real && tried.reward.is_some();
            tried.iter().filter(of).map(|tried| (tried.woven, tried.reward.expect("only these")))
        };
        // Those that were paid come first: of these alone misses are remembered.
        let (woven, mut rewards): (Vec<&Woven>, Vec<f32>) = worth(true).chain(worth(false)).unzip();
        if woven.is_empty() {
            return Ok(None);
        }
        let paid = &rewards[..worth(true).count()];
        let mut batch = Rollout::of(&self.policy);
        woven.iter().for_each(|woven| batch.append(self.replay(woven)));
        let recalled = self.memory.recall(paid, &mut self.rng);
        self.memory.keep(&batch, paid);
        self.episodes += paid.len() as u64;
        for (episode, reward) in recalled {
            batch.append(episode);
            rewards.push(reward);
        }
        batch.rescore(&self.policy)?;
        let rewards: Vec<Option<f32>> = rewards.into_iter().map(Some).collect();
        let metrics = ppo::update(&self.policy, &mut self.optimizer, &batch, &rewards, &self.config, &mut self.rng)?;
        self.updates += 1;
        Ok(Some(metrics))
    }

    fn save(&self, path: &Path) -> Result<Option<PathBuf>, CheckpointError> {
        let card = Card::new(&self.policy, self.updates, self.episodes, pretrained::metadata(&self.vocabulary));
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
        let mut rewards = vec![0.0; 16];
        rewards[3] = 0.5;
        memory.keep(&episodes(16), &rewards);
        assert_eq!(memory.episodes.len(), 1);
        assert_eq!(memory.episodes[0].0.observations, [3.0]);
        let none = vec![0.0; 16];
        assert_eq!(memory.recall(&none, &mut rng).len(), 1);
        let many = vec![1.0; 16];
        assert!(memory.recall(&many, &mut rng).is_empty());
        (0..40).for_each(|_| memory.keep(&episodes(16), &many));
        assert_eq!(memory.episodes.len(), Memory::SIZE);
        assert_eq!(memory.recall(&none, &mut rng).len(), 4, "a quarter of the batch");
    }

    #[test]
    fn what_is_learned_from_is_what_was_played() {
        let loom = super::super::tests::loom();
        let (prior, network) = (Prior::default(), PolicyConfig::mlp(&[16]));
        for places in [0, 3] {
            let (start, config) = (Start::Untrained(&network), PpoConfig::default());
            let ppo = Ppo::new(loom.clone(), places, &prior, start, config, &learn::Processor::Cpu, Seed::new(2));
            let ppo = ppo.expect("builds");
            let episode = |n| Episode::new(&ppo.loom, &ppo.vocabulary, n);
            let (mut episodes, mut rngs): (Vec<Episode>, Vec<Rng>) =
                (0..20).map(|n| (episode(n), Rng::from_u64(n))).unzip();
            let played = rollout::collect(&ppo.policy, &mut episodes, &mut rngs).expect("plays");
            let mut again = Rollout::of(&ppo.policy);
            for Episode { weaver, place, .. } in episodes {
                assert_eq!(place.is_some(), places > 0);
                again.append(ppo.replay(&Woven { weaver, place }));
            }
            again.rescore(&ppo.policy).expect("scores");
            assert_eq!(again, played);
        }
    }

    #[test]
    fn the_place_of_a_question_is_learned() {
        let (prior, network) = (Prior::default(), PolicyConfig::mlp(&[32]));
        let (start, config) = (Start::Untrained(&network), PpoConfig::default());
        let loom = super::super::tests::loom();
        let mut ppo = Ppo::new(loom, 8, &prior, start, config, &learn::Processor::Cpu, Seed::new(4)).expect("builds");
        let mut late = Vec::new();
        for round in 0..15 {
            let seeds: Vec<Seed> = (0..32).map(|at| Seed::new(5).indexed("round", round).indexed("at", at)).collect();
            let woven = ppo.weave(&seeds).expect("weaves");
            let pays = |woven: &Woven| woven.place.expect("it chooses") >= 6;
            let tried = |woven| Tried { woven, reward: Some(f32::from(pays(woven))), cell: None, real: true };
            let tried: Vec<Tried<'_>> = woven.iter().map(tried).collect();
            late.push(woven.iter().filter(|woven| pays(woven)).count());
            ppo.learn(&tried).expect("learns");
        }
        assert!(late[0] < 16 && late[14] > 26, "two of eight places pay, so that chance finds 8 of 32: {late:?}");
    }
}
