//! Owns what many woven programs are worth together, and weaving fresh ones to find out.
//!
//! Must not know how a policy came to be.

use super::FAILED;
use super::judge::{Look, look_at};
use crate::learn::episode::{Episode, Vocabulary};
use crate::learn::policy::ActorCritic;
use crate::learn::rollout::collect_on;
use crate::seed::{Rng, Seed};
use crate::weave::align::reference::REAL_WORLD;
use crate::weave::align::tally::Tally;
use crate::weave::chance::Chance;
use crate::weave::config::Bounds;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use crate::weave::weaver::goal::Goal;
use candle_core::Result;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Figures of many programs. Alignments are `1 - JSD` to the real world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Programs.
    pub episodes: usize,
    /// Mean R_total: R_align and R_length, and the depth's part where it has a weight and a target; -1 for a failed one.
    pub mean_reward: f64,
    /// Mean R_align.
    pub mean_align: f64,
    /// Mean R_length.
    pub mean_length: f64,
    /// Mean reward of depth; null where there is no target.
    pub mean_depth_reward: Option<f64>,
    /// Of the classes of all programs together.
    pub pooled_class_align: f64,
    /// Of their instructions.
    pub pooled_opcode_align: f64,
    /// Of their abstract trigrams.
    pub pooled_trigram_align: f64,
    /// Of the classes of the instructions that runs reach.
    pub executed_class_align: f64,
    /// Programs more like the real world than nine of ten real functions of their size.
    pub share_above_p90: f64,
    /// Canonical forms for each program.
    pub distinct_share: f64,
    /// Instructions of a program, on average.
    pub mean_instructions: f64,
    /// Fuel of a run, on average.
    pub mean_fuel: f64,
    /// Programs that failed; there should be none.
    pub failed_episodes: usize,
}

impl Figures {
    /// Of these programs; `None` failed.
    pub fn of(looks: &[Option<Look>], depth_weight: f32) -> Self {
        let good: Vec<&Look> = looks.iter().flatten().collect();
        let (all, count) = (looks.len().max(1) as f64, good.len().max(1) as f64);
        let mean = |of: &dyn Fn(&Look) -> f64| good.iter().map(|look| of(look)).sum::<f64>() / count;
        let (mut pooled, mut executed) = (Tally::default(), Tally::default());
        for look in &good {
            pooled.add(&look.tally, 1.0);
            executed.add(&look.executed, 1.0);
        }
        let likeness = pooled.likeness(&REAL_WORLD);
        let total = |look: &Look| look.align + look.length + f64::from(depth_weight) * look.depth.unwrap_or(0.0);
        let failed = looks.len() - good.len();
        let forms: HashSet<&str> = good.iter().map(|look| look.canonical.as_str()).collect();
        let has_depth = good.iter().any(|look| look.depth.is_some());
        Self {
            episodes: looks.len(),
            mean_reward: (good.iter().map(|look| total(look)).sum::<f64>() + f64::from(FAILED) * failed as f64) / all,
            mean_align: mean(&|look| look.align),
            mean_length: mean(&|look| look.length),
            mean_depth_reward: has_depth.then(|| mean(&|look| look.depth.unwrap_or(0.0))),
            pooled_class_align: likeness.class,
            pooled_opcode_align: likeness.opcode,
            pooled_trigram_align: likeness.trigram,
            executed_class_align: executed.class_alignment(&REAL_WORLD),
            share_above_p90: mean(&|look| f64::from(u8::from(look.is_above_p90()))),
            distinct_share: forms.len() as f64 / all,
            mean_instructions: mean(&Look::instructions),
            mean_fuel: mean(&|look| look.fuel as f64),
            failed_episodes: failed,
        }
    }
}

/// The weaver.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// A policy.
    Policy(&'a ActorCritic),
    /// The preferences that an untrained policy starts with.
    Prior(&'a Prior),
    /// Every legal action is as likely as any other.
    Chance,
}

/// Fresh programs to weave.
#[derive(Clone, Debug)]
pub struct Exam<'a> {
    /// What is woven.
    pub loom: &'a Arc<Loom>,
    /// What the policy's outputs stand for.
    pub vocabulary: &'a Arc<Vocabulary>,
    /// How many programs.
    pub programs: u64,
    /// Bounds of the targets of depth.
    pub depth: Option<Bounds>,
    /// All get the same goals.
    pub seed: Seed,
    /// Threads; they change nothing.
    pub threads: NonZeroUsize,
}

impl Exam<'_> {
    /// Has them woven and looks at them.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn take(&self, who: Who<'_>) -> Result<Vec<(Episode, Option<Look>)>> {
        let seeds: Vec<Seed> = (0..self.programs).map(|number| self.seed.indexed("episode", number)).collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        let mut episodes: Vec<Episode> = seeds.iter().map(|seed| self.episode(seed)).collect();
        match who {
            Who::Policy(policy) => {
                collect_on(self.threads, policy, &mut episodes, &mut rngs)?;
            }
            Who::Prior(prior) => {
                let taste = prior.taste(&self.loom.config.instructions());
                episodes.iter_mut().zip(&mut rngs).for_each(|(episode, rng)| taste.weave(&mut episode.weaver, rng));
            }
            Who::Chance => {
                let all = episodes.iter_mut().zip(&mut rngs);
                all.for_each(|(episode, rng)| Chance::Actions.weave(&mut episode.weaver, rng));
            }
        }
        let looks = look_at(&mut episodes, self.threads);
        Ok(episodes.into_iter().zip(looks).collect())
    }

    fn episode(&self, seed: &Seed) -> Episode {
        let goal = Goal::draw(self.loom.config.fuel, self.depth, &mut seed.child("goal").rng());
        Episode::new(self.loom, self.vocabulary, seed.to_u64()).with_goal(goal)
    }
}
