//! Owns the command line: one file per verb, each turning flags into one plan and one call.
//!
//! Must not hold logic worth a unit test; and it alone prints, and alone knows exit codes: 0 fine, 1 an error, 2 wrong
//! use, 100 a threshold missed, 130 interrupted by Ctrl-C, 143 by SIGTERM. What a limit of the user's own ended is fine.

mod asking;
mod attack;
mod bill;
mod budget;
mod carry;
mod completions;
mod corpus;
mod eval;
mod explain;
mod export;
mod failure;
mod flags;
mod gate;
mod generate;
mod given;
mod help;
mod inspect;
mod leaderboard;
mod merge;
mod models;
mod output;
mod palette;
mod progress;
mod report;
mod schema;
mod serve;
mod shrink;
mod signals;
mod suite;
mod table;
mod train;
mod verb;
mod verify;

pub(crate) use carry::{asking, ended_early, homes, runtime, setting, words};
pub(crate) use failure::Failure;
pub(crate) use output::{print_json, print_line, say};
pub use verb::{command, main};
