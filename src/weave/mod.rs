//! Owns making programs: the lock-step environment, its choices, its masks and its budgets.
//!
//! Must not know questions, models or learning. A policy, a random generator or a recipe chooses among legal actions;
//! whatever they choose, the program is valid, does not trap, and keeps to its limits.

pub mod action;
pub mod align;
pub mod budget;
pub mod canon;
pub mod chance;
pub mod config;
pub mod imports;
pub mod literal;
pub mod prior;
pub mod recipe;
pub mod scope;
#[cfg(test)]
mod tests;
pub mod weaver;
