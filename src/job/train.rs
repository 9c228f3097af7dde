//! Owns trainings: a policy learns to weave programs like those of the real world, and is judged by fresh ones.
//!
//! Must not know how a policy learns.

use super::error::JobError;
use super::events::{Event, Stage};
use super::setting::Setting;
use crate::learn::checkpoint::Card;
use crate::learn::pretrained;
use crate::learn::rollout::Stop;
use crate::learn::train::figures::{Exam, Figures, Who};
use crate::learn::train::{Round, Settings, Trainer};
use crate::run::clock::Stamp;
use crate::run::dir::{RunDir, RunName};
use crate::run::jsonl::JsonLines;
use crate::run::manifest::{Manifest, Status};
use crate::run::plan::{Conditions, Plan, TrainPlan};
use crate::run::preset::Preset;
use crate::seed::Seed;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What came of a training.
#[derive(Debug)]
pub struct Outcome {
    /// Where it lies.
    pub dir: RunDir,
    /// Where the policy was kept.
    pub kept: Vec<PathBuf>,
    /// What it is worth; `None` if it was stopped, since a user who stops it does not want to wait for the examination.
    pub report: Option<Report>,
}

/// What a policy is worth.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The policy.
    #[serde(flatten)]
    pub trained: Figures,
    /// Environment steps of the training.
    pub steps: u64,
    /// Programs woven in it.
    pub trained_on: u64,
    /// Environment steps a second, all in all.
    pub steps_per_s: f64,
    /// Seconds of training.
    pub seconds: f64,
    /// Every legal choice as likely as any other.
    pub random: Figures,
    /// What the policy began with.
    pub untrained: Figures,
}

/// Whether a policy can be kept there, before anything is learned that would be lost.
fn can_be_written(out: &Path) -> Result<(), JobError> {
    let file = pretrained::with_ending(out);
    let was_there = file.exists();
    let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let opened = made.and_then(|()| std::fs::OpenOptions::new().append(true).create(true).open(&file));
    let wrong = |error| {
        JobError::wrong(format!(
            "--out {}: cannot write {}: {error}; name another place",
            out.display(),
            file.display()
        ))
    };
    opened.map_err(wrong)?;
    if !was_there {
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

/// Trains, into a new run below `log_dir`; the policy is kept at `out` as well.
///
/// # Errors
/// See [`JobError`]; the policy is kept as it was by then.
pub fn run(
    plan: &TrainPlan,
    conditions: &Conditions,
    log_dir: &Path,
    out: Option<&Path>,
    setting: &Setting<'_>,
) -> Result<Outcome, JobError> {
    out.map_or(Ok(()), can_be_written)?;
    let preset = Preset::of_plan(&plan.preset).map_err(JobError::usage)?;
    let device = conditions.device.open().map_err(JobError::usage)?;
    let loom = preset.loom().map_err(JobError::usage)?;
    let settings = Settings {
        prior: &preset.prior,
        policy: &preset.policy,
        ppo: preset.ppo.clone(),
        reward: preset.weaving_reward,
        train: preset.train,
    };
    let mut trainer = Trainer::new(loom, settings, &device, Seed::new(plan.seed).child("train"))?;
    let started = Stamp::now();
    let name = RunName { verb: "train", strategy: None, preset: &plan.preset.name, model: None, seed: plan.seed };
    let dir = setting.homes.create(log_dir, &name, &started).map_err(JobError::usage)?;
    let command = setting.command.iter().cloned();
    let mut manifest = Manifest::begin(Plan::Train(plan.clone()), conditions.clone(), command, started);
    manifest.write(&dir)?;
    let clock = Instant::now();
    let training = Training { plan, preset: &preset, dir: &dir, setting };
    let trained = training.train(&mut trainer, &|| setting.is_stopped());
    let stopped = setting.is_stopped() || trained.is_err();
    let report = if stopped { None } else { Some(training.report(&trainer, clock.elapsed())?) };
    manifest.end(if stopped { Status::Interrupted } else { Status::Complete }, Stamp::now(), clock.elapsed());
    manifest.write(&dir)?;
    let checkpoint = dir.checkpoint();
    let paths = [Some(checkpoint.as_path()), out].into_iter().flatten();
    let kept = paths.map(|path| training.keep(path, &trainer, report.as_ref())).collect::<Result<_, _>>()?;
    trained?;
    Ok(Outcome { dir: dir.clone(), kept, report })
}

/// A training that goes on.
struct Training<'a> {
    plan: &'a TrainPlan,
    preset: &'a Preset,
    dir: &'a RunDir,
    setting: &'a Setting<'a>,
}

impl Training<'_> {
    /// Until the steps are done, the time is up, or it is stopped.
    fn train(&self, trainer: &mut Trainer, stop: Stop<'_>) -> Result<(), JobError> {
        let Self { plan, preset, dir, setting } = self;
        let (mut metrics, mut samples) = (JsonLines::open(&dir.metrics())?, JsonLines::open(&dir.samples())?);
        let steps = plan.steps.unwrap_or(preset.train.steps);
        let limit = plan.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
        setting.events.tell(Event::Began(&Stage::Training));
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
            setting.events.tell(Event::Trained { done, round: &round, steps_per_s });
        }
        setting.events.tell(Event::Ended);
        Ok(())
    }

    fn report(&self, trainer: &Trainer, took: Duration) -> Result<Report, JobError> {
        let Self { plan, preset, .. } = self;
        let exam = Exam {
            loom: &trainer.loom,
            vocabulary: &trainer.vocabulary,
            programs: plan.programs,
            depth: preset.train.depth,
            seed: Seed::new(plan.seed).child("exam"),
            threads: threads(),
        };
        let figures = |who: Who<'_>| -> Result<Figures, JobError> {
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
    fn keep(&self, path: &Path, trainer: &Trainer, report: Option<&Report>) -> Result<PathBuf, JobError> {
        let path = pretrained::with_ending(path);
        let mut metadata = pretrained::metadata(&trainer.vocabulary);
        let (preset, seed) = (self.plan.preset.name.clone(), self.plan.seed.to_string());
        let known = [("preset", preset), ("seed", seed), ("steps", trainer.steps.to_string())];
        metadata.extend(known.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if let Some(report) = report {
            metadata.insert("figures".to_owned(), serde_json::to_string(&report.trained)?);
        }
        let card = Card::new(&trainer.policy, trainer.rounds, trainer.episodes, metadata);
        pretrained::save(&path, &trainer.policy, &card)?;
        Ok(path)
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
