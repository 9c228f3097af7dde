//! How fast does the learner go? Environment steps a second of acting, of the network alone, of learning, and of all of
//! it together, with each preset's own network on two threads: `cargo bench --bench learn`. Prints a table and, last,
//! one JSON line. `-- --seconds N` sets how long each rate is taken (default 4), `-- --preset NAME` takes one preset.
//!
//! What is learned does not matter here: an episode is worth how near its length comes to a target.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

#[path = "common/cpu.rs"]
mod cpu;

use cpu::cpu_time;
use serde_json::{Map, Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmweaver::learn::episode::{Episode, Vocabulary};
use wasmweaver::learn::optim::Adam;
use wasmweaver::learn::policy::ActorCritic;
use wasmweaver::learn::ppo::{self, PpoConfig};
use wasmweaver::learn::rollout::{Rollout, collect_on};
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::{Rng, Seed};
use wasmweaver::weave::weaver::Loom;

/// As in the `harness` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Episodes between two updates.
const EPISODES: u64 = 512;
/// Steps of an episode that is worth most.
const TARGET: f32 = 60.0;
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
/// Environment steps a second that are asked for, end to end.
const ASKED: f64 = 10_000.0;

/// A learner as the strategies have one.
struct Learner {
    loom: Arc<Loom>,
    vocabulary: Arc<Vocabulary>,
    policy: ActorCritic,
    optimizer: Adam,
    config: PpoConfig,
    rng: Rng,
    round: u64,
}

impl Learner {
    fn new(name: &str) -> Self {
        let preset = Preset::load(name).expect("the preset is shipped");
        let loom = preset.loom().expect("valid settings");
        let vocabulary = Arc::new(Vocabulary::new(&loom.config));
        let logits = vocabulary.select(&preset.prior.logits(&loom.config.instructions()));
        let mut rng = Seed::new(1).rng();
        let sizes = (Episode::OBSERVATION, vocabulary.len());
        let policy = ActorCritic::new(sizes.0, sizes.1, &preset.policy, Some(&logits), &mut rng).expect("memory");
        let optimizer = Adam::new(policy.parameters());
        Self { loom, vocabulary, policy, optimizer, config: preset.ppo, rng, round: 0 }
    }

    fn weave(&mut self) -> Rollout {
        self.round += 1;
        let seeds: Vec<Seed> = (0..EPISODES).map(|at| Seed::new(self.round).indexed("episode", at)).collect();
        let episode = |seed: &Seed| Episode::new(&self.loom, &self.vocabulary, seed.to_u64());
        let mut episodes: Vec<Episode> = seeds.iter().map(episode).collect();
        let mut rngs: Vec<Rng> = seeds.iter().map(|seed| seed.child("choices").rng()).collect();
        collect_on(THREADS, &self.policy, &mut episodes, &mut rngs).expect("memory")
    }

    fn update(&mut self, rollout: &Rollout) {
        let worth = |steps: usize| (-(steps as f32 / TARGET - 1.0).abs()).exp();
        let rewards: Vec<_> = rollout.episodes.iter().map(|steps| Some(worth(steps.len()))).collect();
        ppo::update(&self.policy, &mut self.optimizer, rollout, &rewards, &self.config, &mut self.rng).expect("memory");
    }
}

/// Units of work by the wall clock, and the cores that this process had meanwhile.
struct Rate {
    per_second: f64,
    cores: f64,
}

fn rate(least: Duration, mut work: impl FnMut() -> usize) -> Rate {
    work();
    let (start, cpu, mut units) = (Instant::now(), cpu_time(), 0);
    while start.elapsed() < least {
        units += work();
    }
    let seconds = start.elapsed().as_secs_f64();
    Rate { per_second: units as f64 / seconds, cores: (cpu_time() - cpu) / seconds }
}

/// Everything of one preset.
fn measure(name: &str, least: Duration, table: &mut comfy_table::Table) -> Value {
    let mut learner = Learner::new(name);
    let rollout = learner.weave();
    let acting = rate(least, || learner.weave().steps());
    let mut again = rollout.clone();
    let inference = rate(least, || {
        again.rescore(&learner.policy).expect("memory");
        again.steps()
    });
    // The whole of it, however far it leads from the policy that acted.
    let target_kl = learner.config.target_kl.take();
    let learning = rate(least, || {
        learner.update(&rollout);
        rollout.steps()
    });
    learner = Learner::new(name);
    learner.config.target_kl = target_kl;
    let mut updating = Duration::ZERO;
    let begun = Instant::now();
    let total = rate(2 * least, || {
        let rollout = learner.weave();
        let start = Instant::now();
        learner.update(&rollout);
        updating += start.elapsed();
        rollout.steps()
    });
    let in_candle = updating.div_duration_f64(begun.elapsed());

    let steps_per_episode = rollout.steps() as f64 / EPISODES as f64;
    let parameters: usize = learner.policy.parameters().iter().map(|(_, var)| var.elem_count()).sum();
    let mut figures = Map::new();
    for (figure, rate) in [("rollout", acting), ("inference", inference), ("update", learning), ("total", total)] {
        table.add_row([name, figure, &format!("{:.0}", rate.per_second), &format!("{:.2}", rate.cores)]);
        figures.insert(figure.into(), json!({"steps_per_s": rate.per_second.round(), "cores": rate.cores}));
    }
    figures.insert("candle_share".into(), json!(in_candle));
    figures.insert("steps_per_episode".into(), json!(steps_per_episode));
    figures.insert("parameters".into(), json!(parameters));
    figures.insert("asked".into(), json!(ASKED));
    println!(
        "{name}: {steps_per_episode:.1} steps an episode, {parameters} parameters, {in_candle:.2} of it in updates"
    );
    Value::Object(figures)
}

fn main() {
    let (mut seconds, mut presets) = (4.0, vec!["stack".to_owned(), "aligned".to_owned()]);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| panic!("{arg} takes a value"));
        match arg.as_str() {
            "--seconds" => seconds = value().parse().expect("a number of seconds"),
            "--preset" => presets = vec![value()],
            // What cargo itself adds.
            "--bench" => {}
            other => panic!("no such option: {other}; there are --seconds N and --preset NAME"),
        }
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["preset", "figure", "steps/s", "cores"]);
    let least = Duration::from_secs_f64(seconds);
    let all: Map<String, Value> = presets.iter().map(|name| (name.clone(), measure(name, least, &mut table))).collect();
    println!("{table}");
    println!("{}", Value::Object(all));
}
