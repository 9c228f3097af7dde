//! Which strategy finds most with the same number of queries? Runs `harness attack` with every strategy against
//! simulated solvers over several seeds, two attacks at once on one core each, and writes the table and the picture of
//! `results/study-strategies/`: `cargo bench --bench study`.
//!
//! Each finished attack is one line of `runs.jsonl` there; what has a line is not run again, so the bench can be stopped
//! at any time and goes on where it was. Lines of another generator, other settings or another [`attack::VERSION`] are
//! left alone and not counted. `-- --minutes M` begins no attack after that time, `-- --only ppo,random` runs these
//! strategies alone, `-- --seeds N` takes fewer seeds. For trying things out, so that nothing is tuned on what the study
//! then measures: `-- --first-seed 100 --solvers no-wrap,novice --out DIR`.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

mod attack;
mod page;
mod picture;

use attack::{Line, Stamp, Unit};
use clap::Parser;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use wasmweaver::run::jsonl::{self, JsonLines};

/// The strategies by the names that they have here. `matched` follows what the run of `ppo` asked.
const STRATEGIES: [&str; 6] = ["ppo", "ppo-no-predictor", "random", "matched", "evolve", "map-elites"];
/// `novice` and single misconceptions, rare ones among them (`table-default` is not: the preset has no `br_table`).
const SOLVERS: [&str; 10] = [
    "novice",
    "no-wrap",
    "unsigned-as-signed",
    "shift-unmasked",
    "f32-as-f64",
    "loops-once",
    "zero-extended",
    "min-max-nan",
    "select-swapped",
    "args-reversed",
];
/// Attacks at once.
const LANES: usize = 2;

/// What the command line asks for.
#[derive(Parser)]
struct Options {
    /// Begin no attack after so many minutes
    #[arg(long)]
    minutes: Option<f64>,
    /// Run these strategies alone
    #[arg(long, value_delimiter = ',', default_values = STRATEGIES, value_parser = STRATEGIES)]
    only: Vec<String>,
    /// Attack these solvers alone
    #[arg(long, value_delimiter = ',', default_values = SOLVERS)]
    solvers: Vec<String>,
    /// Seeds of each
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Where lines, table and picture go
    #[arg(long, default_value = "results/study-strategies")]
    out: PathBuf,
    /// What cargo itself adds
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// What is wanted, all of one seed before the next.
    fn units(&self) -> VecDeque<Unit> {
        let of = |seed: u64| self.solvers.iter().map(move |solver| Unit { solver: solver.clone(), seed });
        (self.first_seed..self.first_seed + self.seeds).flat_map(of).collect()
    }

    /// The strategies in the order in which they have to run.
    fn strategies(&self) -> Vec<&'static str> {
        STRATEGIES.into_iter().filter(|name| self.only.iter().any(|only| only == name)).collect()
    }
}

fn main() {
    let options = Options::parse();
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join(&options.out);
    std::fs::create_dir_all(&out).expect("results can be written");
    let (runs, stamp) = (out.join("runs.jsonl"), Stamp::now());
    let sink = Mutex::new(JsonLines::open(&runs).expect("results can be written"));
    let old = read(&runs, &stamp);
    let has = |unit: &Unit, strategy: &str| old.iter().any(|line| line.is_of(unit, strategy));
    let strategies = options.strategies();
    let until = options.minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(60.0 * minutes));
    let open = Mutex::new(options.units());
    let work = |lane: usize| {
        while let Some(unit) = take(&open) {
            let missing: Vec<&str> = strategies.iter().copied().filter(|name| !has(&unit, name)).collect();
            let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("study-{}-{lane}", std::process::id()));
            let run = unit.run(&missing, &scratch, &stamp, until, |line| {
                println!("{line}");
                sink.lock().expect("nobody panics with it").append(&line).expect("results can be written");
            });
            let _ = std::fs::remove_dir_all(&scratch);
            run.unwrap_or_else(|trouble| println!("{unit}: {trouble}"));
        }
    };
    std::thread::scope(|scope| {
        (0..LANES).map(|lane| scope.spawn(move || work(lane))).for_each(drop);
    });
    let lines = read(&runs, &stamp);
    let wanted = options.units().len() * strategies.len();
    println!("{} lines, {wanted} attacks were wanted", lines.len());
    page::write(&lines, &out).expect("results can be written");
}

fn take(open: &Mutex<VecDeque<Unit>>) -> Option<Unit> {
    open.lock().expect("nobody panics with it").pop_front()
}

/// The finished attacks of this version.
fn read(path: &Path, stamp: &Stamp) -> Vec<Line> {
    let mut lines = jsonl::read::<Line>(path).expect("lines of this bench").rows;
    lines.retain(|line| line.stamp == *stamp);
    lines
}
