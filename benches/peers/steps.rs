//! Owns how many environment steps a second are made, with what a policy sees written for it and without.
//!
//! Must not know policies: the choices are drawn beforehand and repeated, so that only the environment is timed.

use crate::Options;
use crate::figure::{Figure, Rate, rate};
use std::sync::Arc;
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;
use wasmweaver::weave::action::WORDS;
use wasmweaver::weave::chance::Chance;
use wasmweaver::weave::weaver::observe::OBSERVATION;
use wasmweaver::weave::weaver::{Loom, Weaver};

/// Environments that are stepped in turn.
const ROWS: usize = 256;
/// Programs that each of them repeats.
const EPISODES: usize = 16;

/// One environment with the choices it repeats.
struct Row {
    weaver: Weaver,
    episodes: Vec<(u64, Vec<u16>)>,
    episode: usize,
    step: usize,
}

impl Row {
    fn new(loom: &Arc<Loom>, seed: Seed) -> Self {
        let mut weaver = Weaver::new(loom.clone(), 0);
        let mut choices = seed.child("choices").rng();
        let mut record = |index| {
            weaver.reset(seed.indexed("program", index).to_u64());
            Chance::Actions.weave(&mut weaver, &mut choices);
            (weaver.seed(), weaver.actions().to_vec())
        };
        let episodes: Vec<(u64, Vec<u16>)> = (0..EPISODES as u64).map(&mut record).collect();
        weaver.reset(episodes[0].0);
        Self { weaver, episodes, episode: 0, step: 0 }
    }

    /// One step; starts the next program when one is finished.
    #[inline]
    fn step(&mut self) {
        let action = self.episodes[self.episode].1[self.step];
        self.step += 1;
        if self.weaver.step_number(action.into()) {
            self.step = 0;
            self.episode = (self.episode + 1) % EPISODES;
            self.weaver.reset(self.episodes[self.episode].0);
        }
    }
}

/// What a policy reads: one row for each environment.
struct Batch {
    observations: Vec<f32>,
    masks: Vec<u64>,
}

impl Batch {
    fn write(&mut self, row: usize, weaver: &Weaver) {
        weaver.observe(&mut self.observations[row * OBSERVATION..][..OBSERVATION]);
        self.masks[row * WORDS..][..WORDS].copy_from_slice(&weaver.legal().0);
    }
}

fn figures(preset: &str) -> [Figure; 2] {
    let loom = Preset::load(preset).expect("the preset is shipped").loom().expect("valid settings");
    let seed = Seed::new(1);
    let mut rows: Vec<Row> = (0..ROWS as u64).map(|row| Row::new(&loom, seed.indexed("row", row))).collect();
    let mut batch = Batch { observations: vec![0.0; ROWS * OBSERVATION], masks: vec![0; ROWS * WORDS] };
    let seen = rate(|| {
        for (index, row) in rows.iter_mut().enumerate() {
            row.step();
            batch.write(index, &row.weaver);
        }
        std::hint::black_box(&mut batch);
        ROWS as u64
    });
    let blind = rate(|| {
        rows.iter_mut().for_each(Row::step);
        ROWS as u64
    });
    let detail =
        |rate: Rate| format!("{ROWS} environments in turn, choices repeated; {:.0} ns/step", rate.nanoseconds());
    let figure = |name: &str, rate: Rate, target, limit| Figure {
        name: format!("steps_{name}_{preset}"),
        value: rate.per_second,
        core: rate.core,
        unit: "steps/s",
        preset: preset.into(),
        detail: detail(rate),
        limit,
        target: (preset == "stack").then_some(target),
    };
    [
        figure("observed", seen, 1e6, "the whole mask, and writing the observation"),
        figure(
            "blind",
            blind,
            5e6,
            "the state of 256 environments in the caches; checking, placing and executing one choice",
        ),
    ]
}

pub(crate) fn measure(_: &Options) -> Vec<Figure> {
    ["stack", "everything"].into_iter().flat_map(figures).collect()
}
