//! Owns looking at a woven program: how near it came to its goal and to the real world.
//!
//! Must not know learning, nor what any of it is worth.

use crate::learn::episode::Episode;
use crate::wasm::machine::{Machine, Observer};
use crate::wasm::program::{Place, Program};
use crate::wasm::rerun::Execution;
use crate::weave::align::reference::{REAL_WORLD, Spread, functions};
use crate::weave::align::tally::Tally;
use crate::weave::canon::{Coverage, canonical};
use crate::weave::weaver::Weaver;
use crate::weave::weaver::goal::Goal;
use rayon::prelude::*;
use std::num::NonZeroUsize;

/// What became of one program.
#[derive(Clone, Debug)]
pub struct Look {
    /// What it consists of.
    pub tally: Tally,
    /// The part of it that its run reaches.
    pub executed: Tally,
    /// Alignment of its classes with the real world, `1 - JSD`: the R_align of the original.
    pub align: f64,
    /// `exp(-|fuel / target - 1|)`: the R_length of the original.
    pub length: f64,
    /// The same of its depth, where that has a target.
    pub depth: Option<f64>,
    /// Fuel of its run.
    pub fuel: u64,
    /// Its canonical form.
    pub canonical: String,
}

impl Look {
    /// Instructions, `end` and `else` not counted.
    pub fn instructions(&self) -> f64 {
        self.tally.instructions()
    }

    /// R_align as it is paid. Real functions are spread about a mean that is far from the best there could be; what is
    /// more than half way from there to nine of ten of them is fitted, and counts against the program.
    pub fn paid_align(&self) -> f64 {
        let Spread { mean, p90 } = functions(self.instructions());
        self.align - 2.0 * (self.align - (mean + p90) / 2.0).max(0.0)
    }

    /// Whether it is more like the real world than nine of ten real functions of its size.
    pub fn is_above_p90(&self) -> bool {
        self.align > functions(self.instructions()).p90
    }
}

/// Covers, and notes how deep a run gets: blocks and calls around each other, the exported function not counted.
struct Deepest<'a> {
    program: &'a Program,
    coverage: Coverage,
    depth: u32,
}

impl Observer for Deepest<'_> {
    fn before(&mut self, machine: &Machine, _: u32, place: Place) {
        self.coverage.note(self.program, place);
        self.depth = self.depth.max(machine.depth().saturating_sub(1));
    }
}

/// Looks at programs one after the other; keeps a machine to run them on.
#[derive(Debug, Default)]
pub struct Judge {
    machine: Machine,
}

impl Judge {
    /// Looks at a finished program; `None` if it failed, which none may.
    pub fn look(&mut self, weaver: &Weaver, goal: &Goal) -> Option<Look> {
        let (program, entry) = (weaver.program(), weaver.entry());
        let mut deepest = Deepest { program, coverage: Coverage::default(), depth: 0 };
        let limit = u64::from(weaver.config().fuel.max);
        let fuel =
            Execution { machine: &mut self.machine, program, entry, fuel_limit: limit }.run(&mut deepest).ok()?.fuel;
        let tally = Tally::of(program);
        let near = |is: f64, target: u32| (-(is / f64::from(target) - 1.0).abs()).exp();
        Some(Look {
            executed: Tally::where_reached(program, |place| deepest.coverage.contains(place)),
            align: tally.class_alignment(&REAL_WORLD),
            tally,
            length: near(fuel as f64, goal.fuel),
            depth: goal.depth.map(|target| near(deepest.depth.into(), target)),
            fuel,
            canonical: canonical(program, entry, &deepest.coverage),
        })
    }
}

/// Looks at finished episodes that had a goal, shared out among so many threads at most; they change nothing.
///
/// # Panics
/// If one had none.
pub fn look_at(episodes: &mut [Episode], threads: NonZeroUsize) -> Vec<Option<Look>> {
    let share = episodes.len().div_ceil(threads.get()).max(1);
    let part = |episodes: &mut [Episode]| {
        let mut judge = Judge::default();
        let look = |episode: &mut Episode| judge.look(&episode.weaver, &episode.goal.expect("a goal to look at"));
        episodes.iter_mut().map(look).collect::<Vec<_>>()
    };
    episodes.par_chunks_mut(share).flat_map_iter(part).collect()
}
