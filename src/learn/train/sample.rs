//! Owns the record of one woven program, under the names that the original WasmWeaver gave them.
//!
//! Must not know files. Scripts that read the original's samples read these.

use super::judge::Look;
use crate::learn::episode::Episode;
use crate::wasm::print::print;
use crate::weave::action::Action;
use serde::{Deserialize, Serialize};

/// One woven program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Environment steps before it, in the whole training.
    pub step: u64,
    /// Every choice that made it.
    pub trace: Vec<String>,
    /// The program.
    pub wat_str: String,
    /// What it was worth to the learner, all parts together.
    pub reward: f32,
    /// R_length: `exp(-|fuel / target - 1|)`.
    pub length_reward: f64,
    /// Fuel of its run.
    pub used_fuel: u64,
    /// The fuel that was aimed at.
    pub target_fuel: u32,
    /// R_align: `1 - JSD` of its classes of instructions to those of the real world.
    pub module_reward: f64,
    /// Programs that were finished before it; none fails here.
    pub good_samples: u64,
    /// `1 - JSD` of the original's categories of instructions.
    pub bucket_reward: f64,
    /// How near its depth came to its target; null without one.
    pub dynamic_depth_reward: Option<f64>,
    /// Blocks and calls around each other that were aimed at; null without a target.
    pub depth_target: Option<u32>,
}

impl Sample {
    /// Of a finished episode.
    ///
    /// # Panics
    /// If it had no goal.
    pub fn new(step: u64, good_samples: u64, episode: &Episode, look: &Look, reward: f32) -> Self {
        let goal = episode.goal.expect("a goal");
        let name = |&number: &u16| match Action::from_number(number.into()) {
            Action::Instr(op) => op.mnemonic().to_owned(),
            other => format!("{other:?}"),
        };
        Self {
            step,
            trace: episode.weaver.actions().iter().map(name).collect(),
            wat_str: print(episode.weaver.program(), &[]),
            reward,
            length_reward: look.length,
            used_fuel: look.fuel,
            target_fuel: goal.fuel,
            module_reward: look.align,
            good_samples,
            bucket_reward: look.tally.bucket_alignment(),
            dynamic_depth_reward: look.depth,
            depth_target: goal.depth,
        }
    }
}
