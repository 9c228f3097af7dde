//! Owns `harness train`: its flags, and what the policy is worth.

use super::flags::file_here;
use super::table::{Column, TextTable, prose};
use super::{Failure, print_json, print_line, setting, signals};
use crate::job::train::{self, Outcome, Report};
use crate::learn::device::Device;
use crate::learn::pretrained;
use crate::learn::train::figures::Figures;
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::plan::{Conditions, TrainPlan};
use crate::run::preset::Preset;
use std::path::PathBuf;

/// Train a policy to weave programs like those of the real world, of a length drawn for each
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Preset: a name in policies/, or a file
    #[arg(long, default_value = "aligned", value_name = "NAME|FILE")]
    preset: String,
    /// Environment steps in all [default: what the preset says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Stop after so many minutes instead; how far it comes depends on the machine
    #[arg(long, value_name = "M", conflicts_with = "steps", value_parser = minutes)]
    minutes: Option<f64>,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fresh programs that the policy is judged by
    #[arg(long, default_value_t = 2000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    programs: u64,
    /// Where updates compute: cpu, cuda or metal
    #[arg(long, default_value_t = Device::Cpu, value_name = "DEVICE")]
    device: Device,
    /// Where run directories go
    #[arg(long, default_value = "results", value_name = "DIR")]
    log_dir: PathBuf,
    /// Keep the policy here as well, as FILE.safetensors and FILE.card.yaml
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long)]
    json: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "give a number of minutes".to_owned())?;
    if minutes > 0.0 && minutes <= 1e6 { Ok(minutes) } else { Err("give a number above 0".to_owned()) }
}

impl Args {
    /// Trains; writes a run directory and prints what the policy is worth.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        file_here("--out", self.out.as_deref())?;
        let plan = TrainPlan {
            seed: self.seed,
            preset: Preset::load(&self.preset).map_err(Failure::usage)?.named(&self.preset),
            steps: self.steps,
            minutes: self.minutes,
            programs: self.programs,
        };
        let conditions = Conditions { device: self.device, ..Conditions::default() };
        let setting = setting(homes, signals::worker_stopper()?);
        let Outcome { dir, kept, report } =
            train::run(&plan, &conditions, &self.log_dir, self.out.as_deref(), &setting)?;
        match report {
            None => {
                let kept = dir.shown(&pretrained::with_ending(&dir.checkpoint()));
                signals::ended_early(&format!("the policy is kept as it was by then: {kept}"))
            }
            Some(report) if self.json => print_json(&report),
            Some(report) => show(&report, &dir, &kept),
        }
    }
}

fn show(report: &Report, dir: &RunDir, kept: &[PathBuf]) -> Result<(), Failure> {
    let numbers = ["trained", "untrained", "random"].map(Column::number);
    let mut table = TextTable::new([Column::text("over fresh programs")].into_iter().chain(numbers));
    let all = [&report.trained, &report.untrained, &report.random];
    let mut row = |name: &str, of: &dyn Fn(&Figures) -> Option<f64>| {
        let text = |figures: &&Figures| of(figures).map_or("-".into(), |value| format!("{value:.3}"));
        table.row([name.to_owned()].into_iter().chain(all.iter().map(text)));
    };
    row("R_total, mean", &|figures| Some(figures.mean_reward));
    row("  R_align: one program's classes", &|figures| Some(figures.mean_align));
    row("  R_length: fuel near its target", &|figures| Some(figures.mean_length));
    if report.trained.mean_depth_reward.is_some() {
        row("  depth near its target", &|figures| figures.mean_depth_reward);
    }
    row("all programs: classes", &|figures| Some(figures.pooled_class_align));
    row("  classes of executed code", &|figures| Some(figures.executed_class_align));
    row("  instructions", &|figures| Some(figures.pooled_opcode_align));
    row("  abstract trigrams", &|figures| Some(figures.pooled_trigram_align));
    row("share above nine of ten real functions", &|figures| Some(figures.share_above_p90));
    row("share of distinct programs", &|figures| Some(figures.distinct_share));
    row("instructions of a program", &|figures| Some(figures.mean_instructions));
    row("failed", &|figures| Some(figures.failed_episodes as f64));
    print_line(&table.text())?;
    let Report { steps, trained_on, seconds, steps_per_s, .. } = report;
    print_line(&prose(&format!(
        "{steps} steps of {trained_on} programs in {seconds:.0} s ({steps_per_s:.0} a second); of likenesses and shares 1 \
         is the best"
    )))?;
    for (what, path) in [("figures", dir.metrics()), ("samples", dir.samples())] {
        print_line(&format!("{what:18} {}", dir.shown(&path)))?;
    }
    kept.iter().try_for_each(|path| print_line(&format!("{:18} {}", "policy", dir.shown(path))))
}
