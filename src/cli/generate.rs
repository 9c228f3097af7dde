//! Owns `harness generate`: its flags, and what was made.

use super::{Failure, print_json, print_line, say, setting, signals, suite};
use crate::item::record::Task;
use crate::item::source::TooFew;
use crate::job::generate::{self, GeneratePlan, Outcome, Source};
use crate::run::dataset::{Counts, Format};
use crate::run::gathering::Gathered;
use crate::run::homes::Homes;
use crate::run::level::AS_WRITTEN;
use crate::run::plan::NamedConfig;
use crate::run::preset::Preset;
use crate::run::shard::Shard;
use clap::ValueEnum;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Weave labelled items into a folder, each confirmed by wasmtime; the same seed gives the same files
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What is asked; without it, what the preset asks
    #[arg(long, value_enum)]
    task: Option<Task>,
    /// Preset: a name in policies/, or a file; without it, that of the task
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,
    /// Policy that weaves the programs, as `harness train` keeps it; without it, the preset's preferences do
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Difficulty, 1 to 5
    #[arg(long, default_value_t = AS_WRITTEN, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    level: u8,
    /// The items of this suite instead, or those of its tasks that are asked for
    #[arg(long, value_name = "NAME[@VERSION]|FILE", conflicts_with_all = ["preset", "policy", "level", "count"])]
    suite: Option<String>,
    /// Items to make; no two have the same canonical form
    #[arg(short = 'n', long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder to write to, which must be empty or not exist yet; also s3://, gs://, az://
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// One JSON object a line, pairs of .wat and .meta files, or one recipe a line
    #[arg(long, value_enum, default_value_t = FormatName::Jsonl)]
    format: FormatName,
    /// Split by canonical form, as in train=0.9,test=0.1; no program stands on two sides
    #[arg(long, value_name = "NAME=SHARE,...")]
    split: Option<String>,
    /// Make this part alone; `harness merge` puts the parts together, and goes by their --split and --format then
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Threads; the items are the same for any number of them [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// The formats by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// One JSON object a line
    Jsonl,
    /// Pairs of .wat and .meta files, as the original's data sets have them
    Wat,
    /// One recipe a line, for a suite of the same preset and level
    Recipes,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Jsonl => Self::Jsonl,
            FormatName::Wat => Self::Wat,
            FormatName::Recipes => Self::Recipes,
        }
    }
}

#[derive(Serialize)]
struct SuiteReport<'a> {
    suite: &'a str,
    seed: u64,
    fingerprint: &'a str,
    #[serde(flatten)]
    counts: Counts,
    seconds: f64,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    counts: Counts,
    programs: u64,
    repeated: u64,
    complete: bool,
    seconds: f64,
    items_per_second: f64,
}

impl Args {
    /// Makes the data set; one that is stopped is whole as far as it goes.
    pub(super) fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let started = Instant::now();
        let plan = GeneratePlan {
            of: match self.suite.clone() {
                Some(name) => Source::Suite { name, task: self.task },
                None => Source::Preset {
                    preset: self.preset()?,
                    level: self.level,
                    count: self.count,
                    policy: self.policy.clone(),
                },
            },
            seed: self.seed,
            out: self.out.clone(),
            format: self.format.into(),
            split: self.split.clone(),
            shard: self.shard,
        };
        let setting = setting(homes, signals::worker_stopper()?);
        let made = generate::run(&plan, self.threads, &setting).map_err(suite::unwoven)?;
        let seconds = suite::seconds_since(started);
        match made {
            Outcome::Made { items } => self.show_made(items),
            Outcome::Suite { suite, fingerprint, counts } => self.show_suite(&SuiteReport {
                suite: &suite,
                seed: self.seed,
                fingerprint: &fingerprint,
                counts,
                seconds,
            }),
            Outcome::Woven { gathered, stopped } => self.show_woven(gathered, stopped, seconds),
        }
    }

    /// The preset that is meant, at its level.
    fn preset(&self) -> Result<NamedConfig, Failure> {
        let of_task = || self.task.and_then(|task| Some(task.to_possible_value()?.get_name().to_owned()));
        let name = self.preset.clone().or_else(of_task).unwrap_or_else(|| "stack".into());
        let mut preset = Preset::load(&name).map_err(Failure::usage)?;
        if let Some(task) = self.task {
            preset.task = task;
        }
        Ok(preset.at_level(self.level).named(&name))
    }

    fn show_made(&self, items: u64) -> Result<(), Failure> {
        say("the part is there already; nothing is left to make");
        if self.json {
            return print_json(&serde_json::json!({ "items": items, "complete": true, "seconds": 0.0 }));
        }
        print_line(&format!("{items} items: {}", self.out.display()))
    }

    fn show_suite(&self, report: &SuiteReport<'_>) -> Result<(), Failure> {
        if self.json {
            return print_json(report);
        }
        let SuiteReport { suite, seed, fingerprint, counts, .. } = report;
        let (items, place) = (counts.items, self.out.display());
        print_line(&format!("{items} items of {suite}, seed {seed}, fingerprint {fingerprint}: {place}"))
    }

    fn show_woven(&self, gathered: Gathered, stopped: bool, seconds: f64) -> Result<(), Failure> {
        let Gathered { counts, programs, repeated, complete } = gathered;
        let items_per_second = (counts.items as f64 / seconds).round();
        let report = Report { counts, programs, repeated, complete, seconds, items_per_second };
        self.show(&report)?;
        if complete {
            return Ok(());
        }
        if stopped {
            let what =
                "what was made is a data set of its own; for all of it, remove that and give the same command again";
            return signals::ended_early(what);
        }
        Err(Failure::Error(TooFew { programs, items: report.counts.items as usize }.into()))
    }

    fn show(&self, report: &Report) -> Result<(), Failure> {
        if !report.complete {
            say("not complete; everything up to here is written");
        }
        if self.json {
            return print_json(report);
        }
        let sides: Vec<String> = report.counts.splits.iter().map(|(name, count)| format!("{name} {count}")).collect();
        print_line(&format!(
            "{} items ({}) of {} programs in {:.1} s, {} repeated ones left out: {}",
            report.counts.items,
            sides.join(", "),
            report.programs,
            report.seconds,
            report.repeated,
            self.out.display()
        ))
    }
}
