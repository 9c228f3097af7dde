//! Owns `harness train`: a policy learns to weave programs like those of the real world.

use super::{Failure, print_json, print_line, say};
use crate::learn::device::Device;
use crate::learn::train::figures::{Exam, Figures, Who};
use crate::learn::train::{Settings, Trainer};
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::jsonl::JsonLines;
use crate::run::manifest::{self, Manifest, Plan, Status};
use crate::run::preset::Preset;
use crate::seed::Seed;
use crate::weave::weaver::Loom;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Train a policy to weave programs like those of the real world, of a length drawn for each
#[derive(Debug, clap::Args)]
pub struct Args {
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
    /// Keep the policy here as well, as FILE.safetensors and FILE.yaml
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

/// What came of a training.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    trained: Figures,
    /// Environment steps of the training.
    steps: u64,
    /// Programs woven in it.
    trained_on: u64,
    /// Environment steps a second, all in all.
    steps_per_s: f64,
    /// Seconds of training.
    seconds: f64,
    /// Every legal choice as likely as any other.
    random: Figures,
    /// What the policy began with.
    untrained: Figures,
}

impl Args {
    /// Trains; writes a run directory and prints what the policy is worth.
    pub fn run(&self) -> Result<(), Failure> {
        let preset = Preset::load(&self.preset).map_err(Failure::usage)?;
        let device = self.device.open().map_err(Failure::usage)?;
        let loom = Arc::new(Loom::new(preset.weave.clone()));
        let settings = Settings {
            prior: &preset.prior,
            policy: &preset.policy,
            ppo: preset.ppo.clone(),
            reward: preset.weaving_reward,
            train: preset.train,
        };
        let mut trainer = Trainer::new(loom, settings, &device, Seed::new(self.seed).child("train"))?;
        let started = Stamp::now();
        let name = RunName { verb: "train", preset: &self.preset, model: None, seed: self.seed };
        let dir = RunDir::create(&self.log_dir, &name, &started).map_err(Failure::usage)?;
        let mut manifest = self.manifest(&preset, started)?;
        manifest.write(&dir)?;
        let clock = Instant::now();
        self.train(&mut trainer, &preset, &dir)?;
        let seconds = clock.elapsed().as_secs_f64();
        let report = self.report(&trainer, &preset, seconds)?;
        manifest.end(Status::Complete, Stamp::now(), clock.elapsed());
        manifest.write(&dir)?;
        if self.json { print_json(&report) } else { show(&report, &dir) }
    }

    /// Until the steps are done or the time is up.
    fn train(&self, trainer: &mut Trainer, preset: &Preset, dir: &RunDir) -> Result<(), Failure> {
        let mut metrics = JsonLines::open(&dir.metrics())?;
        let mut samples = JsonLines::open(&dir.samples())?;
        let steps = self.steps.unwrap_or(preset.train.steps);
        let limit = self.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
        let clock = Instant::now();
        loop {
            let done = match limit {
                Some(limit) => clock.elapsed().div_duration_f64(limit),
                None => trainer.steps as f64 / steps as f64,
            };
            if done >= 1.0 {
                return Ok(());
            }
            let (round, sample) = trainer.round(done, threads())?;
            metrics.append(&round)?;
            if let Some(sample) = sample {
                samples.append(&sample)?;
            }
            if round.round % 10 == 0 {
                say(&format!(
                    "{:.2} {} steps {:.0}/s R {:.3} align {:.3} len {:.3} class {:.3} op {:.3} tri {:.3} ex {:.3} p90 {:.2} dist {:.3} ins {:.0} kl {:.4} ent {:.2} ev {:.2}",
                    done,
                    round.steps,
                    round.steps as f64 / clock.elapsed().as_secs_f64(),
                    round.figures.mean_reward,
                    round.figures.mean_align,
                    round.figures.mean_length,
                    round.figures.pooled_class_align,
                    round.figures.pooled_opcode_align,
                    round.figures.pooled_trigram_align,
                    round.figures.executed_class_align,
                    round.figures.share_above_p90,
                    round.figures.distinct_share,
                    round.figures.mean_instructions,
                    round.update.approx_kl,
                    round.update.relative_entropy,
                    round.update.explained_variance
                ));
            }
        }
    }

    fn report(&self, trainer: &Trainer, preset: &Preset, seconds: f64) -> Result<Report, Failure> {
        let exam = Exam {
            loom: &trainer.loom,
            vocabulary: &trainer.vocabulary,
            programs: self.programs,
            depth: preset.train.depth,
            seed: Seed::new(self.seed).child("exam"),
            threads: threads(),
        };
        let figures = |who: Who<'_>| -> Result<Figures, Failure> {
            let (_, looks): (Vec<_>, Vec<_>) = exam.take(who)?.into_iter().unzip();
            Ok(Figures::of(&looks, preset.weaving_reward.depth))
        };
        Ok(Report {
            trained: figures(Who::Policy(&trainer.policy))?,
            steps: trainer.steps,
            trained_on: trainer.episodes,
            steps_per_s: (trainer.steps as f64 / seconds).round(),
            seconds,
            random: figures(Who::Chance)?,
            untrained: figures(Who::Prior(&preset.prior))?,
        })
    }

    fn manifest(&self, preset: &Preset, started: Stamp) -> Result<Manifest, Failure> {
        let plan = Plan {
            verb: "train".into(),
            seed: self.seed,
            strategy: None,
            preset: manifest::Preset { name: self.preset.clone(), config: serde_yaml::to_value(preset)? },
            prompt: None,
            model: None,
            request: serde_yaml::Value::Null,
            query_budget: None,
        };
        Ok(Manifest::begin(plan, std::env::args(), 0, started))
    }
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn show(report: &Report, dir: &RunDir) -> Result<(), Failure> {
    print_line(&serde_json::to_string_pretty(report)?)?;
    print_line(&dir.path().display().to_string())
}
