//! Does the attack learn? Attacks each simulated solver over five seeds and writes the table of
//! `results/attack-learns/`: `cargo bench --bench learns`.
//!
//! What is asked for: the miss rate of the last quarter is at least twice that of random programs at the same seed and
//! budget, or at least 80 %, in at least four of five seeds, and at least half of those misses differ in canonical form.

#![allow(clippy::print_stdout)] // A bench prints what it measures.

#[path = "common/asking.rs"]
mod asking;

use asking::asking;
use std::fmt::Write;
use std::path::Path;
use wasmweaver::job::attack;
use wasmweaver::job::connect::examinee;
use wasmweaver::job::runs::Place;
use wasmweaver::job::setting::Setting;
use wasmweaver::run::homes::Homes;
use wasmweaver::run::plan::{AttackPlan, Conditions};

const SOLVERS: [&str; 6] = ["novice", "no-wrap", "unsigned-as-signed", "shift-unmasked", "f32-as-f64", "loops-once"];
const SEEDS: u64 = 5;

/// One run's figures.
struct Run {
    last_quarter: f64,
    baseline: f64,
    distinct: Option<f64>,
    seconds: f64,
}

impl Run {
    fn holds(&self) -> bool {
        let learned = self.last_quarter >= 2.0 * self.baseline || self.last_quarter >= 0.8;
        learned && self.last_quarter > 0.0 && self.distinct.is_some_and(|share| share >= 0.5)
    }
}

fn attacked(solver: &str, seed: u64, log_dir: &Path) -> Run {
    let homes = Homes::telling(|text| println!("{text}"));
    let model = examinee(&format!("sim/{solver}")).expect("there is such a solver");
    let plan = AttackPlan { seed, ..attack::usual("stack", model).expect("is shipped") };
    let (place, setting) = (Place::Below(log_dir.into()), Setting::new(&homes));
    let figures = asking(attack::run(&plan, &Conditions::default(), place, &setting)).figures;
    Run {
        last_quarter: figures.miss_rate_last_quarter.expect("replies came"),
        baseline: figures.baseline_miss_rate.expect("asking is free"),
        distinct: figures.distinct_share_last_quarter,
        seconds: figures.seconds.expect("the run ended"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn main() {
    let log_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-learns");
    let mut table = String::from(
        "# Does the attack learn?\n\n\
         Made by `cargo bench --bench learns`: `harness attack --model sim/SOLVER --seed SEED` at the default budget of \
         2,000 queries.\nA cell holds the miss rate of the last quarter, that of random programs at the same seed and \
         budget (the better of uniform over actions and uniform over categories) in brackets, and the share of the last \
         quarter's misses that differ in canonical form. A seed holds if the first is at least twice the second or at \
         least 80 %, and the third at least half.\n\n",
    );
    let seeds: Vec<String> = (0..SEEDS).map(|seed| format!("seed {seed}")).collect();
    writeln!(table, "| solver | {} | seeds that hold | seconds, longest |", seeds.join(" | ")).expect("a string");
    writeln!(table, "|---|{}---|---|", "---|".repeat(seeds.len())).expect("a string");
    for solver in SOLVERS {
        let runs: Vec<Run> = (0..SEEDS).map(|seed| attacked(solver, seed, &log_dir)).collect();
        let cells: Vec<String> = runs
            .iter()
            .map(|run| {
                let distinct = run.distinct.map_or("-".into(), percent);
                format!("{} ({}), {distinct}", percent(run.last_quarter), percent(run.baseline))
            })
            .collect();
        let holds = runs.iter().filter(|run| run.holds()).count();
        let longest = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
        let row = format!("| `sim/{solver}` | {} | {holds} of {SEEDS} | {longest:.0} |", cells.join(" | "));
        println!("{row}");
        writeln!(table, "{row}").expect("a string");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/attack-learns");
    std::fs::create_dir_all(&folder).expect("results can be written");
    std::fs::write(folder.join("README.md"), table).expect("results can be written");
}
