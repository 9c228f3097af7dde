//! Owns how many finished items a second are made and confirmed by wasmtime, on two threads.
//!
//! Must not know how wasmtime is asked.

use crate::Options;
use crate::figure::Figure;
use std::time::{Duration, Instant};
use wasmweaver::item::make::{Confirmer, Draft};
use wasmweaver::item::source::ItemSource;
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;
use wasmweaver::wasm::oracle::{BATCH, Oracle};

const THREADS: u64 = 2;
const REPETITIONS: u64 = 4;
const REPETITION: Duration = Duration::from_secs(3);

/// Items that one thread confirms in a repetition.
fn confirmed(source: &ItemSource, oracle: &Oracle, seed: Seed) -> u64 {
    let mut bench = source.bench();
    let mut confirmer = Confirmer::default();
    let start = Instant::now();
    let mut items = 0;
    let mut drafts = (0..).filter_map(|number| bench.draft(seed, number));
    while start.elapsed() < REPETITION {
        let batch: Vec<Draft> = drafts.by_ref().take(BATCH).collect();
        confirmer.confirm(&batch.iter().collect::<Vec<_>>(), oracle).expect("wasmtime agrees");
        items += batch.len() as u64;
    }
    items
}

fn items_per_second(source: &ItemSource, repetition: u64) -> f64 {
    let oracle = Oracle::new();
    let seed = Seed::new(1).indexed("repetition", repetition);
    let start = Instant::now();
    let items: u64 = std::thread::scope(|scope| {
        let work = |thread| {
            let (oracle, seed) = (&oracle, seed.indexed("thread", thread));
            scope.spawn(move || confirmed(source, oracle, seed))
        };
        let handles: Vec<_> = (0..THREADS).map(work).collect();
        handles.into_iter().map(|handle| handle.join().expect("confirming does not panic")).sum()
    });
    items as f64 / start.elapsed().as_secs_f64()
}

fn figure(name: &str, target: Option<f64>) -> Figure {
    let preset = Preset::load(name).expect("the preset is shipped");
    let loom = preset.loom().expect("valid settings");
    let source = preset.source(&loom);
    let best = (0..REPETITIONS).map(|repetition| items_per_second(&source, repetition)).fold(0.0, f64::max);
    Figure {
        name: format!("generate_{name}"),
        value: best,
        core: None,
        unit: "items/s",
        preset: name.into(),
        detail: format!("woven, made and confirmed on {THREADS} threads"),
        limit: "wasmtime compiles",
        target,
    }
}

pub(crate) fn measure(_: &Options) -> Vec<Figure> {
    vec![figure("stack", Some(3000.0)), figure("everything", None)]
}
