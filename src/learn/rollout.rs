//! Owns acting: environments, legal-action bitsets, and the record of whole episodes.
//!
//! Must not know what an action does or what an episode was worth. Each episode draws from its own stream and its
//! choices come from `infer`, so what happens in it does not depend on which episodes are collected
//! beside it, nor on threads.

use std::num::NonZeroUsize;
use std::ops::Range;

use candle_core::Result;
use rayon::prelude::*;

use super::infer::{Actor, Scratch};
use super::policy::ActorCritic;
use crate::seed::Rng;

/// One environment in which the policy acts. Actions are dense numbers from zero.
pub trait Env {
    /// Writes the observation; every entry must be written.
    fn observe(&self, out: &mut [f32]);

    /// Sets bit `a % 64` of word `a / 64` for every legal action `a`. The words come zeroed, `n_actions / 64` of them
    /// rounded up. At least one action must be legal while the episode lasts.
    fn mask(&self, out: &mut [u64]);

    /// Takes a legal action; true when the episode is over.
    fn step(&mut self, action: usize) -> bool;
}

/// Whether it is to end.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// The actions whose bit is set, in ascending order.
pub fn legal_actions(mask: &[u64]) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(at, &word)| {
        let with_lowest_cleared = |&rest: &u64| Some(rest & (rest - 1)).filter(|&rest| rest != 0);
        std::iter::successors(Some(word).filter(|&word| word != 0), with_lowest_cleared)
            .map(move |rest| 64 * at + rest.trailing_zeros() as usize)
    })
}

/// How many actions are legal.
pub fn count_legal(mask: &[u64]) -> u32 {
    mask.iter().map(|word| word.count_ones()).sum()
}

/// What happened in whole episodes, flattened: the steps of each episode are neighbours, episodes in the order of their
/// environments.
///
/// Predicted values are not kept: [`ppo::update`](super::ppo::update) has the critic compute them for all steps at
/// once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollout {
    /// Numbers in one observation ([`Shape::observation`](super::policy::Shape::observation)).
    pub obs_dim: usize,
    /// Actions, legal or not.
    pub n_actions: usize,
    /// `[steps, obs_dim]`.
    pub observations: Vec<f32>,
    /// `[steps, words]`, the legal actions.
    pub masks: Vec<u64>,
    /// The action taken at each step.
    pub actions: Vec<u32>,
    /// The natural logarithm of its probability when it was taken; 0 where it was the only legal one.
    pub log_probs: Vec<f32>,
    /// The steps of each episode.
    pub episodes: Vec<Range<usize>>,
}

impl Rollout {
    /// No episode yet, for a policy of these sizes.
    pub fn new(obs_dim: usize, n_actions: usize) -> Self {
        Self { obs_dim, n_actions, ..Self::default() }
    }

    /// No episode yet, for this policy.
    pub fn of(policy: &ActorCritic) -> Self {
        Self::new(policy.shape().observation(), policy.shape().n_actions)
    }

    /// Steps in all episodes.
    pub fn steps(&self) -> usize {
        self.actions.len()
    }

    /// What the policy saw at a step.
    pub fn observation(&self, step: usize) -> &[f32] {
        &self.observations[step * self.obs_dim..][..self.obs_dim]
    }

    /// The legal actions at a step, as bits.
    pub fn mask(&self, step: usize) -> &[u64] {
        let words = self.words();
        &self.masks[step * words..][..words]
    }

    /// Whether a step left no choice.
    pub fn is_forced(&self, step: usize) -> bool {
        count_legal(self.mask(step)) == 1
    }

    /// Adds the episodes of another rollout of the same sizes behind these.
    pub fn append(&mut self, mut other: Rollout) {
        assert_eq!((self.obs_dim, self.n_actions), (other.obs_dim, other.n_actions), "rollouts of one policy");
        let before = self.steps();
        self.observations.append(&mut other.observations);
        self.masks.append(&mut other.masks);
        self.actions.append(&mut other.actions);
        self.log_probs.append(&mut other.log_probs);
        self.episodes.extend(other.episodes.iter().map(|steps| steps.start + before..steps.end + before));
    }

    /// One episode by itself.
    pub fn episode(&self, at: usize) -> Self {
        let steps = self.episodes[at].clone();
        let words = self.words();
        Self {
            obs_dim: self.obs_dim,
            n_actions: self.n_actions,
            observations: self.observations[steps.start * self.obs_dim..steps.end * self.obs_dim].to_vec(),
            masks: self.masks[steps.start * words..steps.end * words].to_vec(),
            actions: self.actions[steps.clone()].to_vec(),
            log_probs: self.log_probs[steps.clone()].to_vec(),
            episodes: std::iter::once(0..steps.len()).collect(),
        }
    }

    /// Replaces the log-probabilities by those that this policy gives the same actions.
    ///
    /// # Errors
    /// Trouble in the tensor library.
    pub fn rescore(&mut self, policy: &ActorCritic) -> Result<()> {
        let (actor, mut scratch) = (Actor::new(policy)?, Scratch::default());
        for step in 0..self.steps() {
            let legal: Vec<usize> = legal_actions(self.mask(step)).collect();
            let action = self.actions[step] as usize;
            self.log_probs[step] = match legal[..] {
                [_] => 0.0,
                _ => actor.log_prob(self.observation(step), &legal, action, &mut scratch),
            };
        }
        Ok(())
    }

    fn words(&self) -> usize {
        self.n_actions.div_ceil(64)
    }

    /// Plays one environment to its end and records it.
    fn play<E: Env>(
        &mut self,
        actor: &Actor,
        env: &mut E,
        rng: &mut Rng,
        scratch: &mut Scratch,
        legal: &mut Vec<usize>,
    ) {
        let first = self.steps();
        loop {
            let step = self.steps();
            self.observations.resize((step + 1) * self.obs_dim, 0.0);
            env.observe(&mut self.observations[step * self.obs_dim..]);
            self.masks.resize((step + 1) * self.words(), 0);
            let words = self.words();
            env.mask(&mut self.masks[step * words..]);
            legal.clear();
            legal.extend(legal_actions(self.mask(step)));
            assert!(
                legal.last().is_some_and(|&action| action < self.n_actions),
                "no legal action, or one beyond the last"
            );
            let (action, log_prob) = match legal[..] {
                [only] => (only, 0.0),
                _ => actor.sample(self.observation(step), legal, rng, scratch),
            };
            self.actions.push(action as u32);
            self.log_probs.push(log_prob);
            if env.step(action) {
                break;
            }
        }
        self.episodes.push(first..self.steps());
    }
}

/// Steps every environment from its current state until it is over, drawing each one's choices from its own stream.
///
/// Steps with one legal action draw nothing and need no inference.
///
/// # Panics
/// If there is not one stream per environment, if an environment offers no legal action, or if the policy's scores are
/// not finite.
pub fn collect<E: Env>(policy: &ActorCritic, envs: &mut [E], rngs: &mut [Rng]) -> Result<Rollout> {
    Ok(play_all(policy, &Actor::new(policy)?, envs, rngs, &|| false))
}

/// As [`collect`], with the environments shared out among so many threads at most. The result is the same.
pub fn collect_on<E: Env + Send>(
    threads: NonZeroUsize,
    policy: &ActorCritic,
    envs: &mut [E],
    rngs: &mut [Rng],
) -> Result<Rollout> {
    collect_until(threads, policy, envs, rngs, &|| false)
}

/// As [`collect_on`], but that no further environment is begun once `stop` says so.
pub fn collect_until<E: Env + Send>(
    threads: NonZeroUsize,
    policy: &ActorCritic,
    envs: &mut [E],
    rngs: &mut [Rng],
    stop: Stop<'_>,
) -> Result<Rollout> {
    assert_eq!(envs.len(), rngs.len(), "one stream per environment");
    let actor = &Actor::new(policy)?;
    let share = envs.len().div_ceil(threads.get()).max(1);
    let shares = envs.par_chunks_mut(share).zip(rngs.par_chunks_mut(share));
    let parts: Vec<Rollout> = shares.map(|(envs, rngs)| play_all(policy, actor, envs, rngs, stop)).collect();
    let mut rollout = Rollout::of(policy);
    parts.into_iter().for_each(|part| rollout.append(part));
    Ok(rollout)
}

fn play_all<E: Env>(policy: &ActorCritic, actor: &Actor, envs: &mut [E], rngs: &mut [Rng], stop: Stop<'_>) -> Rollout {
    assert_eq!(envs.len(), rngs.len(), "one stream per environment");
    let mut rollout = Rollout::of(policy);
    let (mut scratch, mut legal) = (Scratch::default(), Vec::new());
    for (env, rng) in envs.iter_mut().zip(rngs).take_while(|_| !stop()) {
        rollout.play(actor, env, rng, &mut scratch, &mut legal);
    }
    rollout
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::PolicyConfig;

    /// Counts down; every third step is forced; the observation shows the count and the last action.
    struct Countdown {
        left: usize,
        last: usize,
    }

    impl Env for Countdown {
        fn observe(&self, out: &mut [f32]) {
            out.fill(0.0);
            out[self.left % 8] = 1.0;
            out[8 + self.last % 8] = 0.5;
        }

        fn mask(&self, out: &mut [u64]) {
            out[0] = if self.left.is_multiple_of(3) { 1 << 63 } else { 0b1011 };
            out[1] = u64::from(self.left % 3 == 1);
        }

        fn step(&mut self, action: usize) -> bool {
            self.last = action;
            self.left -= 1;
            self.left == 0
        }
    }

    fn policy() -> ActorCritic {
        ActorCritic::new(16, 70, &PolicyConfig::mlp(&[12]), None, &mut Rng::from_u64(1)).unwrap()
    }

    fn countdowns(lengths: Range<usize>) -> (Vec<Countdown>, Vec<Rng>) {
        (
            lengths.clone().map(|left| Countdown { left, last: 0 }).collect(),
            lengths.map(|n| Rng::from_u64(n as u64)).collect(),
        )
    }

    #[test]
    fn bits_become_actions_in_order() {
        let mask = [1 << 63 | 5, 0, 1];
        assert_eq!(legal_actions(&mask).collect::<Vec<_>>(), [0, 2, 63, 128]);
        assert_eq!(count_legal(&mask), 4);
        assert_eq!(legal_actions(&[u64::MAX]).count(), 64);
        assert_eq!(legal_actions(&[]).count(), 0);
    }

    #[test]
    fn episodes_do_not_depend_on_their_neighbours_or_threads() {
        let policy = policy();
        let (mut envs, mut rngs) = countdowns(1..20);
        let together = collect(&policy, &mut envs, &mut rngs).unwrap();
        let mut one_by_one = Rollout::new(16, 70);
        for length in 1..20 {
            let (mut envs, mut rngs) = countdowns(length..length + 1);
            one_by_one.append(collect(&policy, &mut envs, &mut rngs).unwrap());
        }
        assert_eq!(together, one_by_one);
        for threads in [1, 3, 50] {
            let (mut envs, mut rngs) = countdowns(1..20);
            let threads = NonZeroUsize::new(threads).unwrap();
            assert_eq!(collect_on(threads, &policy, &mut envs, &mut rngs).unwrap(), together);
        }
    }

    #[test]
    fn records_are_whole_legal_and_forced_where_one_action_is_left() {
        let (mut envs, mut rngs) = countdowns(1..20);
        let rollout = collect(&policy(), &mut envs, &mut rngs).unwrap();
        assert_eq!(rollout.episodes.len(), 19);
        assert_eq!(rollout.steps(), (1..20).sum::<usize>());
        let mut first = 0;
        for (at, steps) in rollout.episodes.iter().enumerate() {
            assert_eq!((steps.start, steps.len()), (first, at + 1));
            first = steps.end;
            for step in steps.clone() {
                let action = rollout.actions[step] as usize;
                assert!(legal_actions(rollout.mask(step)).any(|legal| legal == action));
                let left = steps.end - step;
                assert_eq!(rollout.is_forced(step), left % 3 == 0);
                assert_eq!(rollout.log_probs[step] == 0.0, rollout.is_forced(step));
            }
        }
    }
}
