//! Owns keeping: the run directory, its manifest, the lines that a run appends, and the reading of YAML presets with
//! errors that name file and line.
//!
//! Must not know reports, nor what a record means. A run may be killed at any time: whole files are replaced in one
//! step, lines are appended in one write each, and every reader here takes a half-written last line for what it is.

pub mod clock;
pub mod command;
pub mod commitment;
pub mod corpus;
pub mod dataset;
pub mod dir;
pub mod evidence;
pub mod extent;
pub mod gathering;
pub mod homes;
pub mod intact;
pub mod jsonl;
pub mod level;
pub mod lock;
pub mod manifest;
pub mod merge;
pub mod order;
pub mod pairs;
pub mod plan;
pub mod preset;
pub mod shard;
pub mod shrunk;
pub mod sink;
pub mod spending;
pub mod store;
pub mod suite;
pub mod yaml;
