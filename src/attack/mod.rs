//! Owns attacking: spending a budget of queries where a model fails, by strategies that learn from its failures.
//!
//! Must not know how records are stored, how progress is shown, or what is behind the model.

pub mod archive;
pub mod cover;
pub mod mutate;
pub mod pairs;
pub mod predictor;
pub mod search;
pub mod shrink;
pub mod strategy;
