//! Owns the strategy `ppo`: a masked policy weaves, and every batch of verdicts updates it.
//!
//! Must not know questions or replies; a reward is a number. The predictor of the design, which would let the policy
//! also learn from programs that were never asked, has its place in [`Ppo::learn`]: further rollouts, paid by it.

use super::Strategy;
use super::prior::Prior;
use crate::learn;
use crate::learn::checkpoint::{self, Card, CheckpointError};
use crate::learn::optim::Adam;
use crate::learn::policy::{ActorCritic, PolicyConfig};
use crate::learn::ppo::{self, PpoConfig, UpdateMetrics};
use crate::learn::rollout::{self, Env, Rollout};
use crate::seed::{Rng, Seed};
use crate::weave::action::{self, Action};
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::observe::OBSERVATION;
use crate::weave::weaver::{Loom, Weaver};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A weaver as the learner sees it.
struct Episode(Weaver);

impl Env for Episode {
    fn observe(&self, out: &mut [f32]) {
        self.0.observe(out);
    }

    fn mask(&self, out: &mut [u64]) {
        out.copy_from_slice(&self.0.legal().0);
    }

    fn step(&mut self, action: usize) -> bool {
        self.0.step(Action::from_number(action))
    }
}

/// The learning strategy.
pub struct Ppo {
    loom: Arc<Loom>,
    config: PpoConfig,
    policy: ActorCritic,
    optimizer: Adam,
    /// Shuffles minibatches.
    rng: Rng,
    /// The episodes that wait for their rewards.
    pending: Rollout,
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
        let logits = prior.logits(&loom.config.instructions());
        let mut init = seed.child("policy init").rng();
        let policy = ActorCritic::new(OBSERVATION, action::COUNT, policy, Some(&logits), &mut init)?;
        let optimizer = Adam::new(policy.parameters());
        let rng = seed.child("minibatches").rng();
        let pending = Rollout::new(OBSERVATION, action::COUNT);
        Ok(Self { loom, config, policy, optimizer, rng, pending, updates: 0, episodes: 0 })
    }
}

impl Strategy for Ppo {
    fn name(&self) -> String {
        "ppo".into()
    }

    fn weave(&mut self, seeds: &[Seed]) -> learn::Result<Vec<Weaver>> {
        let weaver = |seed: &Seed| Episode(Weaver::new(self.loom.clone(), seed.to_u64()));
        let mut episodes: Vec<Episode> = seeds.iter().map(weaver).collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        self.pending = rollout::collect(&self.policy, &mut episodes, &mut rngs)?;
        Ok(episodes.into_iter().map(|episode| episode.0).collect())
    }

    fn learn(&mut self, rewards: &[Option<f32>]) -> learn::Result<Option<UpdateMetrics>> {
        if rewards.iter().all(Option::is_none) {
            return Ok(None);
        }
        let metrics =
            ppo::update(&self.policy, &mut self.optimizer, &self.pending, rewards, &self.config, &mut self.rng)?;
        self.updates += 1;
        self.episodes += rewards.iter().flatten().count() as u64;
        Ok(Some(metrics))
    }

    fn save(&self, path: &Path) -> Result<Option<PathBuf>, CheckpointError> {
        let metadata = BTreeMap::from([("generator".to_string(), GENERATOR.to_string())]);
        let card = Card::new(&self.policy, self.updates, self.episodes, metadata);
        checkpoint::save(path, &self.policy, &self.optimizer, &card)?;
        Ok(Some(path.into()))
    }
}
