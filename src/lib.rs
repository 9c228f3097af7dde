//! Weaves WebAssembly programs that language models mispredict, and proves it.
//!
//! ```
//! use wasmweaver::{ChatReply, Preset, Prompts, Seed, Solver, judge};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let preset = Preset::load("stack")?;
//! let items = preset.source(&preset.loom()?).items(Seed::new(7), 1)?;
//! let item = &items[0];
//! println!("{}\nThe truth: {}", item.program, serde_json::to_string(&item.truth)?);
//!
//! let model: Solver = "sim/novice".parse()?;
//! let messages = Prompts::default().of(item.task).render(item)?;
//! let reply = ChatReply::text(model.reply(&messages, None)?);
//! println!("The verdict: {:?}", judge(&reply, &item.truth).verdict);
//! # Ok(())
//! # }
//! ```
//!
//! Whole runs are functions of plans: `job::attack::run`, `job::eval::run`, and so on; `examples/` has an attack
//! with a progress of one's own, and a model of one's own.
//!
//! One way down, each folder knowing only those before it: [`wasm`] the language, `weave` making programs, `item`
//! questions, `cause` causes, `solver` simulated solvers, `ask` answers, `learn` learning, `attack` attacking, `diagnose`
//! diagnosing, `run` keeping, `report` reporting, `export` other tools' formats, `job` the use cases, `cli` the command line. ARCHITECTURE.md draws it.
//!
//! # Features
//!
//! All are on by default. Without any there are [`wasm`], [`weave`], [`item`], [`cause`], [`solver`] and [`seed`]: what
//! weaves programs, asks about them, and has wasmtime confirm the answers. `ask`, `learn`, `attack`, `diagnose`, `run`,
//! `report`, `export`, `job` and `cli` add the room of that name, each with those that it needs.

// What only later rooms use is dead where those are left out.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, unreachable_pub))]

#[cfg(feature = "ask")]
pub mod ask;
#[cfg(feature = "attack")]
pub mod attack;
pub mod cause;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "diagnose")]
pub mod diagnose;
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

#[cfg(feature = "ask")]
pub use ask::{
    chat::{ChatModel, ChatReply},
    judge::judge,
    prompt::Prompts,
};
pub use item::record::{Item, Task, Truth, Verdict};
#[cfg(feature = "run")]
pub use run::preset::Preset;
pub use seed::Seed;
pub use solver::Solver;
