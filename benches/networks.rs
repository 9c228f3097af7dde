//! Which network learns most for the time that it takes? Trains the preset `aligned` with each of them and tells what
//! fresh programs are worth after so many seconds of processor time: `cargo bench --bench networks`. Writes
//! results/networks/README.md. `-- --seconds N` sets how long each network has (default 240), `-- --seeds N` how many
//! seeds are averaged (default 2).

#![allow(clippy::print_stdout)] // A bench prints what it measures.

#[path = "common/cpu.rs"]
mod cpu;

use cpu::cpu_time;
use std::fmt::Write;
use std::num::NonZeroUsize;
use wasmweaver::learn::Processor;
use wasmweaver::learn::policy::PolicyConfig;
use wasmweaver::learn::train::figures::{Exam, Figures, Who};
use wasmweaver::learn::train::{Settings, Trainer};
use wasmweaver::run::preset::Preset;
use wasmweaver::seed::Seed;

/// As in the `harness` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The networks, as a preset names them.
const NETWORKS: [(&str, &str); 4] = [
    ("mlp (default)", "{}"),
    ("towers, tanh (the original's)", "{network: towers}"),
    ("towers, relu", "{network: towers, activation: relu}"),
    ("sequence", "{network: sequence}"),
];
/// Parts of the time after which fresh programs are looked at.
const MARKS: [f64; 4] = [0.125, 0.25, 0.5, 1.0];
const PROGRAMS: u64 = 1000;
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// What one network came to.
#[derive(Default)]
struct Course {
    /// Mean R_total at each mark.
    rewards: [f64; MARKS.len()],
    /// Environment steps for each second of processor time.
    steps_per_second: f64,
}

fn course(preset: &Preset, network: &PolicyConfig, seed: u64, seconds: f64) -> Course {
    let loom = preset.loom().expect("valid settings");
    let settings = Settings {
        prior: &preset.prior,
        policy: network,
        ppo: preset.ppo.clone(),
        reward: preset.weaving_reward,
        train: preset.train,
    };
    let mut trainer = Trainer::new(loom, settings, &Processor::Cpu, Seed::new(seed)).expect("memory");
    let (mut course, mut spent) = (Course::default(), 0.0);
    for (mark, reward) in MARKS.iter().zip(&mut course.rewards) {
        while spent < mark * seconds {
            let start = cpu_time();
            trainer.round(spent / seconds, THREADS, &|| false).expect("memory");
            let took = cpu_time() - start;
            assert!(took > 0.0, "this system does not tell processor time");
            spent += took;
        }
        *reward = worth(&trainer);
    }
    course.steps_per_second = trainer.steps as f64 / spent;
    course
}

fn worth(trainer: &Trainer) -> f64 {
    let (loom, vocabulary, seed) = (&trainer.loom, &trainer.vocabulary, Seed::new(0).child("exam"));
    let exam = Exam { loom, vocabulary, programs: PROGRAMS, depth: None, seed, threads: THREADS };
    let woven = exam.take(Who::Policy(&trainer.policy)).expect("memory");
    Figures::of(&woven.into_iter().map(|(_, look)| look).collect::<Vec<_>>(), 0.0).mean_reward
}

fn main() {
    let (mut seconds, mut seeds) = (240.0, 2);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| panic!("{arg} takes a value"));
        match arg.as_str() {
            "--seconds" => seconds = value().parse().expect("a number of seconds"),
            "--seeds" => seeds = value().parse().expect("a number of seeds"),
            // What cargo itself adds.
            "--bench" => {}
            other => panic!("no such option: {other}; there are --seconds N and --seeds N"),
        }
    }
    let preset = Preset::load("aligned").expect("the preset is shipped");
    let marks: Vec<String> = MARKS.iter().map(|mark| format!("{:.0} s", mark * seconds)).collect();
    let mut table = format!("| network | steps a second | {} |\n|{}\n", marks.join(" | "), "---|".repeat(6));
    for (name, yaml) in NETWORKS {
        let network: PolicyConfig = serde_yaml::from_str(yaml).expect("well-formed");
        let courses: Vec<Course> = (0..seeds).map(|seed| course(&preset, &network, seed, seconds)).collect();
        let mean = |of: &dyn Fn(&Course) -> f64| courses.iter().map(of).sum::<f64>() / seeds as f64;
        let rewards: Vec<String> =
            (0..MARKS.len()).map(|at| format!("{:.3}", mean(&|course| course.rewards[at]))).collect();
        let speed = mean(&|course| course.steps_per_second);
        writeln!(table, "| `{name}` | {speed:.0} | {} |", rewards.join(" | ")).expect("memory");
        println!("{}", table.lines().last().unwrap_or_default());
    }
    let page = format!(
        "# Reward against processor time\n\nMean R_total of {PROGRAMS} fresh programs of the preset `aligned`, after so \
         much processor time of training (both cores together; mean over seeds: {seeds}). Steps are environment steps for \
         each second of processor time. The learning rate falls over the whole of the time.\n\nMade by `cargo bench \
         --bench networks -- --seconds {seconds} --seeds {seeds}`.\n\n{table}"
    );
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results/networks");
    std::fs::create_dir_all(&folder).expect("can be made");
    std::fs::write(folder.join("README.md"), &page).expect("can be written");
    println!("{page}");
}
