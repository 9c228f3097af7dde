//! Weaves WebAssembly programs that language models mispredict, and proves it.
//!
//! One way down, each folder knowing only those before it: [`wasm`] the language, `weave` making programs, `item`
//! questions, `cause` causes, `solver` simulated solvers, `ask` answers, `learn` learning, `attack` attacking, `run` keeping,
//! `report` reporting, `export` other tools' formats, `job` the use cases, `cli` the command line. ARCHITECTURE.md draws it.
//!
//! # Features
//!
//! All are on by default. Without any there are [`wasm`], [`weave`], [`item`], [`cause`], [`solver`] and [`seed`]: what
//! weaves programs, asks about them, and has wasmtime confirm the answers. `ask`, `learn`, `attack`, `run`, `report`,
//! `export`, `job` and `cli` add the room of that name, each with those that it needs.

#[cfg(feature = "ask")]
pub mod ask;
#[cfg(feature = "attack")]
pub mod attack;
pub mod cause;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "export")]
pub mod export;
pub mod item;
#[cfg(feature = "job")]
pub mod job;
#[cfg(feature = "learn")]
pub mod learn;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "run")]
pub mod run;
pub mod seed;
pub mod solver;
pub mod wasm;
pub mod weave;
