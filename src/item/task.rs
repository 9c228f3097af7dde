//! Owns what the tasks have in common: their settings, the comments of their probes, how a program is shown with them,
//! and the reading of other programs that tells what would be guessed.
//!
//! Must not know models. One file per task beside this one knows its sites, its truth and its triviality; here is only
//! the branching between them.

pub mod fuel;
pub mod place;
pub mod reachability;
pub mod result;
pub mod stack;

mod familiar;
pub(crate) mod features;
pub(crate) mod logistic;
pub(crate) mod text;

use super::halt::Halt;
use super::record::{Probe, Said, Shape, Task, Truth};
use crate::seed::{Rng, Seed};
use crate::wasm::machine::Machine;
use crate::wasm::print::{Annotation, print};
use crate::wasm::program::Program;
use crate::wasm::rerun::{Execution, Outcome};
use crate::wasm::trap::Trap;
use crate::weave::canon::{Coverage, Covering, canonical};
use crate::weave::chooser::Chooser;
use crate::weave::weaver::{Loom, Weaver};
use familiar::Familiar;
use place::{PARTS, Placement, Placer};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

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
    /// `stack` and `reachability`: who chooses among the places worth asking about.
    pub placement: Placer,
}

/// How many flags one program has; each number of them is equally likely, as far as there are places. A single flag is
/// right in half of all cases whatever is answered, so one alone asks little.
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
        let (flags, placement) = (FlagCount::default(), Placer::default());
        Self { min_depth: 1, max_depth: 8, max_hit: 4, after: 0.5, flags, placement }
    }
}

impl Default for FlagCount {
    fn default() -> Self {
        Self { min: 2, max: 4 }
    }
}

/// A finished program and what its execution showed.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The program.
    pub program: &'a Program,
    /// The function that was run.
    pub entry: u32,
    /// What it left.
    pub outcome: &'a Outcome,
    /// What was executed.
    pub coverage: &'a Coverage,
    /// The fuel that it was allowed.
    pub fuel_limit: u64,
}

/// What is asked about a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Where the question looks, in the order of the text.
    pub probes: Vec<Probe>,
    /// The exact answer.
    pub truth: Truth,
}

/// An execution, and the question about it if there is one worth asking.
#[derive(Debug)]
pub struct Watched {
    /// What the execution left.
    pub outcome: Outcome,
    /// What was executed.
    pub coverage: Coverage,
    /// The question.
    pub asked: Option<Asked>,
}

/// Asks about programs; made once for a preset.
#[derive(Clone, Debug)]
pub struct Asker {
    /// What is asked.
    pub task: Task,
    config: ProbeConfig,
    /// For `reachability`.
    flagger: Option<reachability::Flagger>,
    /// For `stack` and `result`.
    familiar: Familiar,
}

impl Asker {
    /// One that asks about programs of this loom. First it has some woven by this chooser, always the same ones
    /// whatever the seed of the run, to learn what a reader of many such programs knows without executing them. If it
    /// is halted meanwhile, it is of no use.
    pub fn new(task: Task, config: ProbeConfig, loom: &Arc<Loom>, chooser: &dyn Chooser, halt: &Halt) -> Self {
        let flagger = (task == Task::Reachability).then(|| reachability::Flagger::new(loom, chooser, halt));
        let mut asker = Self { task, config, flagger, familiar: Familiar::default() };
        if task.shape() == Shape::Values {
            let values = |weaver: &Weaver, machine: &mut Machine, rng: &mut Rng| {
                let (program, entry) = (weaver.program(), weaver.entry());
                let execution = Execution { machine, program, entry, fuel_limit: u64::MAX };
                let watched = asker.ask(execution, Placement::Random(rng));
                let asked = watched.expect("it ran while woven").asked;
                match asked.as_ref().map(|asked| asked.truth.said()) {
                    Some(Said::Values(values)) => values.to_vec(),
                    _ => Vec::new(),
                }
            };
            let seen = reading(loom, chooser, halt, 0..READ, values);
            asker.familiar = Familiar::of(seen.into_iter().flatten());
        }
        asker
    }

    /// One that has read nothing: what it asks may be guessed, but has the form of what others ask.
    pub fn unread(task: Task, config: ProbeConfig) -> Self {
        let flagger = (task == Task::Reachability).then(reachability::Flagger::unread);
        Self { task, config, flagger, familiar: Familiar::default() }
    }

    /// How many parts of a program's places a policy chooses among; 0 where chance decides.
    pub fn places(&self) -> usize {
        let is_placed = matches!(self.task, Task::Stack | Task::Reachability);
        if is_placed && self.config.placement == Placer::Policy { PARTS } else { 0 }
    }

    /// Runs a finished program and asks about it, at one of the places worth asking about.
    ///
    /// # Errors
    /// The trap that ended the run.
    pub fn ask(&self, mut execution: Execution<'_>, placement: Placement<'_>) -> Result<Watched, Trap> {
        if self.task == Task::Stack {
            return stack::ask(&self.config, &self.familiar, execution, placement);
        }
        let Execution { program, entry, fuel_limit, .. } = execution;
        let mut covering = Covering { program, coverage: Coverage::default() };
        let outcome = execution.run(&mut covering)?;
        let coverage = covering.coverage;
        let run = Run { program, entry, outcome: &outcome, coverage: &coverage, fuel_limit };
        let asked = match (self.task, &self.flagger) {
            (Task::Result, _) => result::ask(&self.familiar, &run),
            (Task::Fuel, _) => fuel::ask(&run),
            (_, Some(flagger)) => match placement {
                Placement::Random(rng) => flagger.ask(&run, self.config.flags, None, rng),
                Placement::Part(part) => {
                    // Which places give themselves away too much is chance too: the program's own.
                    let form = canonical(program, entry, &coverage);
                    flagger.ask(&run, self.config.flags, Some(part), &mut Seed::new(0).child(&form).rng())
                }
            },
            (_, None) => unreachable!("made for it"),
        };
        Ok(Watched { outcome, coverage, asked })
    }
}

/// Programs that are read before the first question about values.
const READ: u64 = 4_000;

/// What is seen of these programs, in their order whatever the number of threads; less once it is halted.
fn reading<T: Send>(
    loom: &Arc<Loom>,
    chooser: &dyn Chooser,
    halt: &Halt,
    programs: Range<u64>,
    see: impl Fn(&Weaver, &mut Machine, &mut Rng) -> T + Sync,
) -> Vec<T> {
    let reader = || (Weaver::new(loom.clone(), 0), Machine::default());
    let read = |(weaver, machine): &mut (Weaver, Machine), number| {
        let seed = Seed::new(0).child("reader").indexed("program", number);
        weaver.reset(seed.to_u64());
        chooser.weave(weaver, &mut seed.child("choices").rng());
        see(weaver, machine, &mut seed.child("places").rng())
    };
    let programs = programs.into_par_iter().map_init(reader, |reader, number| {
        // A halt waits for at most one program on each thread.
        (!halt.is_wished()).then(|| read(reader, number))
    });
    programs.while_some().collect()
}

/// The program with its probes, without the truth: what a model sees.
pub fn show(task: Task, program: &Program, probes: &[Probe]) -> String {
    print(program, &comments(task, probes, |_| String::new()))
}

/// The program with its probes and the truth at each: `;;INSPECT i32(10), f32(1.5)`.
pub fn show_with_truth(task: Task, program: &Program, probes: &[Probe], truth: &Truth) -> String {
    let at = |index: usize| match truth.said() {
        Said::Values(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Said::Flags(flags) => flags.get(index).map_or(String::new(), |(_, state)| state.to_string()),
        Said::Amount(amount) => amount.to_string(),
    };
    print(program, &comments(task, probes, at))
}

/// The comments of a task's probes, in their order, each with some text about it.
fn comments(task: Task, probes: &[Probe], about: impl Fn(usize) -> String) -> Vec<Annotation> {
    let comment = |(index, probe): (usize, &Probe)| {
        let name = if task.shape() == Shape::Flags { flag_name(index) } else { INSPECT.to_owned() };
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
