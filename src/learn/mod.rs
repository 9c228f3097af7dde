//! Owns learning: a masked PPO learner for any environment with numbered actions.
//!
//! Must not know HTTP, or what a reward means: an environment is the trait [`rollout::Env`] (`episode` makes one of a
//! weaver, and is all that knows weaving), a reward is a number that the caller hands to [`ppo::update`] with the
//! episodes it is for. Read in this order: `policy` the two
//! networks, `infer` the actor without a graph, `rollout` whole episodes, `gae` their advantages, `categorical` the
//! masked distribution, `ppo` the update, `optim` its step, `checkpoint` keeping all of it.
//!
//! **Determinism.** Sampling runs through [`infer`], whose sums have one fixed order per observation, so actions depend
//! on weights, observation and the episode's own stream alone. candle's matrix products split their output among rayon
//! threads but never a sum, so an update gives the same bits whatever the number of threads (a test runs it under
//! several). Bits may differ between kinds of processors.
//!
//! **Threads and memory.** Matrices this small gain a tenth from a second thread, and lose far more when that thread is
//! busy weaving or asking: run with `RAYON_NUM_THREADS=1`, or build rayon's global pool with one thread first thing in
//! `main`. From minibatches of 2048 on, an update is up to twice as slow with the system's allocator as with mimalloc,
//! which the binary uses.

pub mod categorical;
pub mod checkpoint;
pub mod episode;
pub mod gae;
pub mod infer;
pub mod optim;
pub mod policy;
pub mod ppo;
pub mod reward;
pub mod rollout;

/// What the tensor library reports; the rest of the program need not know which one it is.
pub use candle_core::{Error, Result};

/// A setting with which learning can't work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct ConfigError {
    /// The setting's name, as in the preset.
    pub field: &'static str,
    /// What its value must be.
    pub problem: &'static str,
}

#[cfg(test)]
mod tests;
