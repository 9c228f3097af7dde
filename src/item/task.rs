//! Owns what the tasks have in common: their settings, the comments of their probes, and how a program is shown with
//! them.
//!
//! Must not know models. One file per task beside this one knows its sites, its truth and its triviality.

pub mod stack;

use super::record::{Probe, Task, Truth};
use crate::wasm::print::{Annotation, print};
use crate::wasm::program::Program;
use serde::{Deserialize, Serialize};

/// The comment that marks the place of a stack question; its truth stands behind it where it may be seen.
pub const INSPECT: &str = "INSPECT";
/// What the comments that mark the flags of a reachability question begin with: `;;FLAG_0`, `;;FLAG_1`, ...
pub const FLAG: &str = "FLAG_";

/// Which places may be asked about. A setting of another task than the preset's has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeConfig {
    /// `stack`: operands there at least.
    pub min_depth: u32,
    /// `stack`: operands there at most.
    pub max_depth: u32,
    /// `stack`: arrivals at one place that may be asked about.
    pub max_hit: u32,
    /// `stack`: the share of the execution that must lie before it: early on there is little to execute.
    pub after: f64,
    /// `reachability`: how many flags one program has.
    pub flags: FlagCount,
}

/// How many flags one program has; each number of them is equally likely, as far as there are places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlagCount {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { min_depth: 1, max_depth: 8, max_hit: 4, after: 0.5, flags: FlagCount::default() }
    }
}

impl Default for FlagCount {
    fn default() -> Self {
        Self { min: 1, max: 4 }
    }
}

/// The program with its probes, without the truth: what a model sees.
pub fn show(task: Task, program: &Program, probes: &[Probe]) -> String {
    print(program, &comments(task, probes, |_| String::new()))
}

/// The program with its probes and the truth at each: `;;INSPECT i32(10), f32(1.5)`.
pub fn show_with_truth(task: Task, program: &Program, probes: &[Probe], truth: &Truth) -> String {
    let at = |index: usize| match truth {
        Truth::StackValues(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Truth::FlagStates(flags) => flags.get(index).map_or(String::new(), |(_, state)| state.to_string()),
        Truth::ReturnValues(_) | Truth::Fuel(_) => String::new(),
    };
    print(program, &comments(task, probes, at))
}

/// The comments of a task's probes, in their order, each with some text about it.
fn comments(task: Task, probes: &[Probe], about: impl Fn(usize) -> String) -> Vec<Annotation> {
    let comment = |(index, probe): (usize, &Probe)| {
        let name = match task {
            Task::Stack => INSPECT.to_owned(),
            Task::Reachability => flag_name(index),
            Task::Result | Task::Fuel => unreachable!("these ask about the whole run"),
        };
        let hit = if probe.hit == 1 { String::new() } else { format!(" hit {}", probe.hit) };
        let text = format!("{name}{hit} {}", about(index)).trim_end().to_owned();
        Annotation { func: probe.func, pc: probe.pc, text }
    };
    probes.iter().enumerate().map(comment).collect()
}

/// The name of the `index`-th flag in the text.
pub fn flag_name(index: usize) -> String {
    format!("{FLAG}{index}")
}
