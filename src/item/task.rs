//! Owns what the tasks have in common: the keyword of their comment and how a program is shown with it.
//!
//! Must not know models. One file per task beside this one knows its sites, its truth and its triviality.

pub mod stack;

use super::record::{Probe, Truth};
use crate::wasm::print::{Annotation, print};
use crate::wasm::program::Program;

/// The comment that marks the place of a stack question; its truth stands behind it where it may be seen.
pub const INSPECT: &str = "INSPECT";

/// The program with its probe, without the truth: what a model sees.
pub fn show(program: &Program, probe: Probe) -> String {
    print(program, &[comment(probe, String::new())])
}

/// The program with its probe and the truth: `;;INSPECT i32(10), f32(1.5)`.
pub fn show_with_truth(program: &Program, probe: Probe, truth: &Truth) -> String {
    let Truth::StackValues(values) = truth;
    let list = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    print(program, &[comment(probe, list)])
}

fn comment(probe: Probe, truth: String) -> Annotation {
    let hit = if probe.hit == 1 { String::new() } else { format!(" hit {}", probe.hit) };
    let truth = if truth.is_empty() { truth } else { format!(" {truth}") };
    Annotation { func: probe.func, pc: probe.pc, text: format!("{INSPECT}{hit}{truth}") }
}
