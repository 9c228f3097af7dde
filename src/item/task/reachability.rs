//! Owns the task `reachability`: which of several flags (`;;FLAG_0`, `;;FLAG_1`, ...) does execution pass at least once?
//!
//! Must not know how the program came to be. Flags stand where reaching is in doubt (`doubt`), and so that the text gives
//! little away: a regression learns from other programs how likely a place is reached by its looks (`look`), and a place
//! that turned out as it looks is kept only by the odds against it. So among flags that look alike to that reader about
//! half are true.

pub(crate) mod look;
mod undecided;

use super::features::Features;
use super::logistic::{Logistic, Samples, odds};
use super::place::first_of;
use super::text::{self, Text};
use super::{Asked, FlagCount, Run, flag_name, reading};
use crate::item::halt::Halt;
use crate::item::record::{Probe, Truth};
use crate::seed::Rng;
use crate::wasm::machine::Machine;
use crate::wasm::program::{Flat, Place, Program};
use crate::wasm::rerun::Execution;
use crate::weave::canon::{Coverage, Covering};
use crate::weave::chooser::Chooser;
use crate::weave::weaver::{Loom, Weaver};
use std::collections::HashMap;
use std::sync::Arc;
use undecided::Site;

/// Programs that are read before the first question, at most.
const READ: u64 = 12_000;
/// Programs that are read at a time.
const STRETCH: u64 = 1000;
/// Places that are enough: long programs have many, so that fewer of them are read.
const ENOUGH: usize = 250_000;
/// Places of one stretch that are looked at while reading.
const READ_PLACES: u32 = 3;
/// Places of one stretch that are looked at.
const PLACES: u32 = 2;

/// Asks about flags, knowing what the text of such programs gives away.
#[derive(Clone, Debug)]
pub(super) struct Flagger {
    /// How likely a place is reached, by its looks.
    reader: Logistic,
}

/// A doubtful place, and how it looks.
struct Look {
    probe: Probe,
    place: Place,
    stretch: u32,
    features: Features,
}

impl Flagger {
    /// Reads programs woven on this loom: always the same ones, whatever the seed of the run. One that is halted has read less,
    /// and is of no use.
    pub(super) fn new(loom: &Arc<Loom>, chooser: &dyn Chooser, halt: &Halt) -> Self {
        let mut samples = Samples::default();
        for start in (0..READ).step_by(STRETCH as usize) {
            let seen = reading(loom, chooser, halt, start..start + STRETCH, look_around);
            seen.iter().flatten().for_each(|(features, reached)| samples.push(features.on(), *reached));
            if samples.len() >= ENOUGH {
                break;
            }
            if halt.is_wished() {
                return Self::unread();
            }
        }
        Self { reader: Logistic::train(&samples) }
    }

    /// One that has read nothing: to it all places look alike.
    pub(super) fn unread() -> Self {
        Self { reader: Logistic::default() }
    }

    /// The question, if there are enough places that do not give themselves away: any of them, or those nearest to a
    /// part of the text.
    pub(super) fn ask(&self, run: &Run, count: FlagCount, part: Option<u8>, rng: &mut Rng) -> Option<Asked> {
        let wanted = rng.between(count.min.into(), count.max.into()) as usize;
        let mut open = self.open(run, rng);
        if let Some(part) = part {
            open = by_nearness(open, part);
        }
        // The order counts only where it is that of nearness.
        let take = if part.is_some() { Vec::remove } else { Vec::swap_remove };
        let mut flags: Vec<(Probe, bool)> = Vec::new();
        while flags.len() < wanted {
            let state = rng.below(2) == 0;
            // In random order the first that fits is any of them, in the other the nearest.
            let Some(at) = open.iter().position(|(_, reached)| *reached == state) else { break };
            flags.push(take(&mut open, at));
        }
        if flags.len() < count.min as usize {
            return None;
        }
        flags.sort_unstable();
        let states = flags.iter().enumerate().map(|(index, (_, state))| (flag_name(index), *state)).collect();
        let probes = flags.into_iter().map(|(probe, _)| probe).collect();
        Some(Asked { probes, truth: Truth::FlagStates(states) })
    }

    /// Places that do not give themselves away, at most one of each stretch, in random order: of those that look reached
    /// as many are kept as were missed, and the other way round, so that among all that look alike half are reached.
    fn open(&self, run: &Run, rng: &mut Rng) -> Vec<(Probe, bool)> {
        let mut best: Vec<(f32, Look)> = Vec::new();
        for look in looks(run.program, run.entry, PLACES, rng) {
            let logit = self.reader.logit(look.features.on());
            match best.iter_mut().find(|(_, other)| other.stretch == look.stretch) {
                Some(known) if logit.abs() < known.0.abs() => *known = (logit, look),
                Some(_) => {}
                None => best.push((logit, look)),
            }
        }
        let mut kept = Vec::new();
        for (logit, look) in best {
            let reached = run.coverage.contains(look.place);
            let surprise = if reached { -logit } else { logit };
            // The odds of what was seen against the other, at most one.
            if rng.unit() < f64::from(odds(surprise).min(1.0)) {
                kept.push((look.probe, reached));
            }
        }
        kept
    }
}

/// The places in the order of their distance, in the order of the text, from the first of a part.
fn by_nearness(mut open: Vec<(Probe, bool)>, part: u8) -> Vec<(Probe, bool)> {
    if open.is_empty() {
        return open;
    }
    open.sort_unstable();
    let first = first_of(part, open.len());
    let mut ranked: Vec<(usize, (Probe, bool))> = open.into_iter().enumerate().collect();
    ranked.sort_by_key(|(rank, _)| rank.abs_diff(first));
    ranked.into_iter().map(|(_, place)| place).collect()
}

/// The looks of some doubtful places, a few of each stretch.
fn looks(program: &Program, entry: u32, places: u32, rng: &mut Rng) -> Vec<Look> {
    let mut sites = undecided::sites(program, entry);
    rng.shuffle(&mut sites);
    let mut taken = HashMap::new();
    sites.retain(|site| {
        let count = taken.entry(site.stretch).or_insert(0);
        *count += 1;
        *count <= places
    });
    let code: Vec<Vec<Flat>> = text::functions(program).collect();
    let text = Text { program, code: &code, entry };
    let look = |site: &Site| {
        let pc = code[site.func as usize].iter().position(|entry| entry.place == site.place);
        let probe = Probe { func: site.func, pc: pc.expect("every place has its entry") as u32, hit: 1 };
        let features = look::features(&text, probe.func, probe.pc);
        Look { probe, place: site.place, stretch: site.stretch, features }
    };
    sites.iter().map(look).collect()
}

/// How some places of a program look, and whether they were reached.
fn look_around(weaver: &Weaver, machine: &mut Machine, rng: &mut Rng) -> Vec<(Features, bool)> {
    let (program, entry) = (weaver.program(), weaver.entry());
    let mut covering = Covering { program, coverage: Coverage::default() };
    Execution { machine, program, entry, fuel_limit: u64::MAX }.run(&mut covering).expect("it ran while woven");
    let looks = looks(program, entry, READ_PLACES, rng);
    looks.into_iter().map(|look| (look.features, covering.coverage.contains(look.place))).collect()
}
