//! Owns attacking: spending a budget of queries where a model fails, by strategies that learn from its failures.
//!
//! Must not know how records are stored, how progress is shown, or what is behind the model.

pub(crate) mod archive;
pub(crate) mod cover;
pub(crate) mod mutate;
pub(crate) mod pairs;
pub(crate) mod predictor;
pub mod search;
pub mod shrink;
pub(crate) mod strategy;
