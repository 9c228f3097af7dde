//! Owns `harness train`: a policy learns to weave programs like those of the real world.

use super::flags::file_here;
use super::progress::TrainingProgress;
use super::table::{Column, Table, prose};
use super::{Failure, print_json, print_line, signals};
use crate::learn::checkpoint::Card;
use crate::learn::device::Device;
use crate::learn::pretrained;
use crate::learn::rollout::Stop;
use crate::learn::train::figures::{Exam, Figures, Who};
use crate::learn::train::{Round, Settings, Trainer};
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::homes::Homes;
use crate::run::jsonl::JsonLines;
use crate::run::manifest::{self, Manifest, Plan, Status};
use crate::run::preset::Preset;
use crate::seed::Seed;
use crate::weave::weaver::Loom;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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

/// Whether a policy can be kept there, before anything is learned that would be lost.
fn can_be_written(out: &Path) -> Result<(), Failure> {
    let file = pretrained::with_ending(out);
    let was_there = file.exists();
    let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let opened = made.and_then(|()| std::fs::OpenOptions::new().append(true).create(true).open(&file));
    let wrong = |error| {
        anyhow::anyhow!("--out {}: cannot write {}: {error}; name another place", out.display(), file.display())
    };
    opened.map_err(wrong).map_err(Failure::usage)?;
    if !was_there {
        std::fs::remove_file(&file)?;
    }
    Ok(())
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
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        file_here("--out", self.out.as_deref())?;
        self.out.as_deref().map_or(Ok(()), can_be_written)?;
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
        let name = RunName { verb: "train", strategy: None, preset: &self.preset, model: None, seed: self.seed };
        let dir = homes.create(&self.log_dir, &name, &started).map_err(Failure::usage)?;
        let mut manifest = self.manifest(&preset, started)?;
        manifest.write(&dir)?;
        let stop = signals::flag()?;
        let is_told = || stop.load(Ordering::Relaxed);
        let clock = Instant::now();
        let trained = self.train(&mut trainer, &preset, &dir, &is_told);
        let stopped = is_told() || trained.is_err();
        // Whoever stops it does not want to wait until it is examined.
        let report = if stopped { None } else { Some(self.report(&trainer, &preset, clock.elapsed())?) };
        manifest.end(if stopped { Status::Interrupted } else { Status::Complete }, Stamp::now(), clock.elapsed());
        manifest.write(&dir)?;
        let paths = [Some(dir.checkpoint()), self.out.clone()].into_iter().flatten();
        let keep = |path: PathBuf| self.keep(&path, &trainer, report.as_ref());
        let kept: Vec<PathBuf> = paths.map(keep).collect::<Result<_, _>>()?;
        trained?;
        match report {
            None => {
                let kept = dir.shown(&pretrained::with_ending(&dir.checkpoint()));
                signals::ended_early(&format!("the policy is kept as it was by then: {kept}"))
            }
            Some(report) if self.json => print_json(&report),
            Some(report) => show(&report, &dir, &kept),
        }
    }

    /// Until the steps are done, the time is up, or somebody stops it.
    fn train(&self, trainer: &mut Trainer, preset: &Preset, dir: &RunDir, stop: Stop<'_>) -> Result<(), Failure> {
        let (mut metrics, mut samples) = (JsonLines::open(&dir.metrics())?, JsonLines::open(&dir.samples())?);
        let steps = self.steps.unwrap_or(preset.train.steps);
        let limit = self.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
        let mut progress = TrainingProgress::new();
        let clock = Instant::now();
        while !stop() {
            let done = match limit {
                Some(limit) => clock.elapsed().div_duration_f64(limit),
                None => trainer.steps as f64 / steps as f64,
            };
            if done >= 1.0 {
                break;
            }
            let round_clock = Instant::now();
            let before = trainer.steps;
            let Some((round, sample)) = trainer.round(done, threads(), stop)? else { break };
            let steps_per_s = (round.steps - before) as f64 / round_clock.elapsed().as_secs_f64();
            metrics.append(&Line { round: &round, steps_per_s: steps_per_s.round() })?;
            if let Some(sample) = sample {
                samples.append(&sample)?;
            }
            progress.show(done, &round, steps_per_s);
        }
        progress.finish();
        Ok(())
    }

    fn report(&self, trainer: &Trainer, preset: &Preset, took: Duration) -> Result<Report, Failure> {
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
            steps_per_s: (trainer.steps as f64 / took.as_secs_f64()).round(),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            random: figures(Who::Chance)?,
            untrained: figures(Who::Prior(&preset.prior))?,
        })
    }

    /// Writes the policy and its card, with the figures that are known.
    fn keep(&self, path: &Path, trainer: &Trainer, report: Option<&Report>) -> Result<PathBuf, Failure> {
        let path = pretrained::with_ending(path);
        let mut metadata = pretrained::metadata(&trainer.vocabulary);
        let steps = trainer.steps.to_string();
        let known = [("preset", self.preset.clone()), ("seed", self.seed.to_string()), ("steps", steps)];
        metadata.extend(known.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if let Some(report) = report {
            metadata.insert("figures".to_owned(), serde_json::to_string(&report.trained)?);
        }
        pretrained::save(
            &path,
            &trainer.policy,
            &Card::new(&trainer.policy, trainer.rounds, trainer.episodes, metadata),
        )?;
        Ok(path)
    }

    fn manifest(&self, preset: &Preset, started: Stamp) -> Result<Manifest, Failure> {
        let plan = Plan {
            verb: "train".into(),
            seed: self.seed,
            strategy: None,
            preset: manifest::Preset { name: self.preset.clone(), config: serde_yaml::to_value(preset)? },
            prompt: None,
            model: None,
            policy: None,
            request: serde_yaml::Value::Null,
            query_budget: None,
            evaluation: None,
        };
        Ok(Manifest::begin(plan, std::env::args(), 0, started))
    }
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// One line of `metrics.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    round: &'a Round,
    /// Environment steps a second, the update included.
    steps_per_s: f64,
}

fn show(report: &Report, dir: &RunDir, kept: &[PathBuf]) -> Result<(), Failure> {
    let numbers = ["trained", "untrained", "random"].map(Column::number);
    let mut table = Table::new([Column::text("over fresh programs")].into_iter().chain(numbers));
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
