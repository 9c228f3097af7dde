//! Owns the use cases: each job is a plan that is data, and a function that carries it out.
//!
//! Must not know the command line: what goes on is told to [`events::Events`], how it came out is returned, and why it
//! failed is a [`error::JobError`]. Exit codes, tables and progress bars are for those who call.

pub mod attack;
pub(crate) mod bill;
pub mod connect;
mod disagreement;
pub mod error;
pub mod eval;
pub mod events;
pub mod export;
pub mod generate;
pub(crate) mod items;
pub mod leaderboard;
pub mod merge;
pub(crate) mod probe;
pub(crate) mod prompts;
pub mod report;
pub mod runs;
pub mod setting;
pub mod shrink;
pub mod suites;
pub mod train;
pub mod verify;

#[cfg(test)]
mod tests;
