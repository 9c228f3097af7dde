//! Owns reporting: figures with their intervals, what a model fails on, the summary and the page of a run, and leaderboards.
//!
//! Must not know models or how programs are made: everything here is computed from the stored records and manifest of a
//! run alone, so that a report can be made again at any time, anywhere.

pub(crate) mod attack_page;
pub mod bands;
pub(crate) mod compare;
pub(crate) mod curve;
pub mod evaluation;
pub mod figures;
pub mod leaderboard;
pub mod page;
pub(crate) mod plot;
mod said;
pub mod stats;
pub(crate) mod strata;
pub mod summary;
pub mod weakness;
