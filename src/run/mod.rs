//! Owns keeping: the run directory, its manifest, the lines that a run appends, and the reading of YAML presets with
//! errors that name file and line.
//!
//! Must not know reports, nor what a record means. A run may be killed at any time: whole files are replaced in one
//! step, lines are appended in one write each, and every reader here takes a half-written last line for what it is.

pub mod clock;
pub(crate) mod command;
pub(crate) mod commitment;
pub(crate) mod corpus;
pub(crate) mod dataset;
pub mod dir;
pub mod evidence;
pub(crate) mod extent;
pub(crate) mod gathering;
pub mod homes;
pub(crate) mod intact;
pub mod jsonl;
pub(crate) mod level;
pub(crate) mod lock;
pub mod manifest;
pub(crate) mod merge;
pub(crate) mod order;
pub(crate) mod pairs;
pub mod plan;
pub mod preset;
pub mod shard;
pub mod shrunk;
pub mod sink;
pub mod spending;
pub(crate) mod store;
pub mod suite;
pub mod yaml;
