//! Owns learning: a masked PPO learner for any environment with numbered actions.
//!
//! Must not know HTTP, or what a reward means: an environment is the trait [`rollout::Env`] (`episode` makes one of a
//! weaver), a reward is a number that the caller hands to [`ppo::update`] with the
//! episodes it is for. Read in this order: `network` what kinds there are, `policy` the two of them, `infer` the actor
//! without a graph, `rollout` whole episodes, `gae` their advantages, `categorical` the masked distribution, `loss` what
//! is made small, `ppo` the update, `optim` its step, `checkpoint` keeping all of it. Below them `sparse`, the product
//! that costs most, `lanes` the threads, `device` where tensors are. Above them, for woven programs alone, `train` the
//! training without a model, and `pretrained` what others begin with.
//!
//! **Determinism.** Sampling runs through `infer`, whose sums have one fixed order per observation, so actions depend
//! on weights, observation and the episode's own stream alone. An update cuts a minibatch into shares whose number
//! depends on its size alone and adds their gradients in order; candle's matrix products split their output among
//! threads but never a sum. So it gives the same bits whatever the number of threads (a test runs it under several).
//! Bits may differ between kinds of processors.
//!
//! **Threads and memory.** `lanes` says how threads are used; `RAYON_NUM_THREADS=1` keeps an update to one. From
//! minibatches of 2048 on, an update is up to twice as slow with the system's allocator as with mimalloc, which the
//! binary uses.

mod categorical;
pub mod checkpoint;
mod config;
pub mod device;
pub mod episode;
pub(crate) mod gae;
pub(crate) mod infer;
mod lanes;
mod loss;
pub mod network;
pub mod optim;
pub mod policy;
pub mod ppo;
pub mod pretrained;
pub mod reward;
pub mod rollout;
mod sparse;
pub mod train;

/// What the tensor library reports; the rest of the program need not know which one it is.
pub use candle_core::{Device as Processor, Error, Result};
pub use config::ConfigError;

#[cfg(test)]
mod tests;
