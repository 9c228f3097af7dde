//! One integration binary: what holds of the whole, not of one module, some of it against programs that others wrote.

mod asking;
mod command_line;
mod damaged;
mod documented;
mod evaluating;
mod exporting;
mod faults;
mod foreign;
mod forms;
mod generating;
mod keeping;
mod leaderboard;
mod looking;
mod models;
mod nothing_lost;
mod numeric;
mod refusals;
mod reporting;
mod sharding;
mod spec;
mod stopping;
mod suites;
mod tidy;
mod training;
mod verbs;
mod widths;
