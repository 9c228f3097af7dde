//! Weaves WebAssembly programs that language models mispredict, and proves it.
//!
//! One way down, each folder knowing only those before it: [`wasm`] the language, `weave` making programs, `item`
//! questions, `cause` causes, `solver` simulated solvers, `ask` answers, `learn` learning, `attack` attacking, `run` keeping,
//! `report` reporting, `export` other tools' formats, `job` the use cases, `cli` the command line. ARCHITECTURE.md draws it.

pub mod ask;
pub mod attack;
pub mod cause;
pub mod cli;
pub mod export;
pub mod item;
pub mod job;
pub mod learn;
pub mod report;
pub mod run;
pub mod seed;
pub mod solver;
pub mod wasm;
pub mod weave;
