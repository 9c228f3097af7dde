//! Owns `harness generate`: labelled items as a data set.

use super::flags::threads;
use super::progress::WeavingProgress;
use super::{Failure, print_json, print_line, say, signals, suite};
use crate::item::halt::Halt;
use crate::item::record::Task;
use crate::item::source::TooFew;
use crate::learn::pretrained::Pretrained;
use crate::run::dataset::{Card, Counts, DataSet, DataSetError, Format, Splits, SuiteCard, WovenCard};
use crate::run::gathering::{Gathered, Gathering};
use crate::run::homes::Homes;
use crate::run::level::AS_WRITTEN;
use crate::run::preset::Preset;
use crate::run::shard::Shard;
use crate::run::suite::Items;
use crate::seed::Seed;
use crate::weave::recipe::GENERATOR;
use crate::weave::weaver::Loom;
use clap::ValueEnum;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Weave labelled items into a folder, each confirmed by wasmtime; the same seed gives the same files
#[derive(Debug, clap::Args)]
pub struct Args {
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
    pub fn run(&self, homes: &Homes) -> Result<(), Failure> {
        let started = Instant::now();
        let splits = self.split.as_deref().map_or(Ok(Splits::default()), str::parse).map_err(Failure::usage)?;
        if let Some(name) = &self.suite {
            return self.write_suite(name, splits, homes, started);
        }
        let (name, preset) = self.preset()?;
        let loom = Arc::new(Loom::new(preset.weave.clone()));
        let policy = self.policy.as_deref().map(Pretrained::load).transpose().map_err(Failure::usage)?;
        let card = WovenCard {
            generator: GENERATOR.into(),
            task: preset.task,
            preset: name,
            level: self.level,
            seed: self.seed,
            items: self.count,
            complete: true,
            programs: 0,
            repeated: 0,
            split: self.split.clone(),
            policy: policy.as_ref().map(Pretrained::hash).transpose()?,
            format: self.format.into(),
            part: None,
            config: preset.clone(),
        };
        // Whatever is wrong with the rest leaves no folder behind.
        let out = homes.take_folder(&self.out).map_err(Failure::usage)?;
        if let Some(made) = self.made(&out, |_| Card::Woven(Box::new(card.clone()))) {
            return self.show_made(&made);
        }
        let data = self.data_set(&out, splits)?;
        let stop = signals::flag()?;
        let halt = Halt::from(stop.clone());
        let share = self.shard.map_or(self.count, |shard| shard.share(self.count));
        let mut progress = WeavingProgress::new(&card.preset, share);
        let source = match &policy {
            Some(policy) => preset.source_by(&loom, Arc::new(policy.chooser(&loom.config, &preset.prior)?), &halt),
            None => preset.source_until(&loom, &halt),
        };
        let seed = Seed::new(self.seed);
        let mut gathering = Gathering::new(data, self.count, self.shard);
        let number = |own| self.shard.unwrap_or(Shard::WHOLE).position(own);
        let streamed = source.stream_stretches(seed, threads(self.threads), number, |draft, woven| {
            let goes_on = gathering.take(draft.as_ref().map(|draft| &draft.item), woven);
            progress.reach(gathering.len());
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { goes_on }
        });
        progress.finish();
        streamed?;
        let Gathered { counts, programs, repeated, complete } = gathering.finish(card)?;
        let items_per_second = (counts.items as f64 / started.elapsed().as_secs_f64()).round();
        let seconds = suite::seconds_since(started);
        let report = Report { counts, programs, repeated, complete, seconds, items_per_second };
        self.show(&report)?;
        if complete {
            return Ok(());
        }
        if stop.load(Ordering::Relaxed) {
            let what =
                "what was made is a data set of its own; for all of it, remove that and give the same command again";
            return signals::ended_early(what);
        }
        Err(Failure::Error(TooFew { programs, items: report.counts.items as usize }.into()))
    }

    /// The preset that is meant, and its name.
    fn preset(&self) -> Result<(String, Preset), Failure> {
        let of_task = || self.task.and_then(|task| Some(task.to_possible_value()?.get_name().to_owned()));
        let name = self.preset.clone().or_else(of_task).unwrap_or_else(|| "stack".into());
        let mut preset = Preset::load(&name).map_err(Failure::usage)?;
        if let Some(task) = self.task {
            preset.task = task;
        }
        Ok((name, preset.at_level(self.level)))
    }

    /// The part that is to be made, if it is in the folder already: a scheduler may well ask for it again. `whole` is what it
    /// is to be a part of; what is known only of what was woven is taken from the card that it is given.
    fn made(&self, out: &Path, whole: impl Fn(&Card) -> Card) -> Option<Card> {
        let shard = self.shard?;
        let found = Card::of_finished(out)?;
        (found.shard() == Some(shard) && found.whole() == whole(&found).whole()).then_some(found)
    }

    fn show_made(&self, card: &Card) -> Result<(), Failure> {
        say("the part is there already; nothing is left to make");
        let items = card.items();
        if self.json {
            return print_json(&serde_json::json!({ "items": items, "complete": true, "seconds": 0.0 }));
        }
        print_line(&format!("{items} items: {}", self.out.display()))
    }

    /// The folder, made ready.
    fn data_set(&self, out: &Path, splits: Splits) -> Result<DataSet, Failure> {
        let made = match self.shard {
            None => DataSet::create(out, self.format.into(), splits),
            Some(_) => DataSet::part(out),
        };
        made.map_err(|error| match error {
            DataSetError::NotEmpty(_) => Failure::usage(DataSetError::NotEmpty(self.out.clone())),
            DataSetError::Write { .. } => Failure::Error(error.into()),
        })
    }

    /// Writes out the items of a suite.
    fn write_suite(&self, name: &str, splits: Splits, homes: &Homes, started: Instant) -> Result<(), Failure> {
        let suite = suite::load(name)?;
        let select = suite::select(self.task.as_slice(), None);
        let label = suite.label();
        let card = SuiteCard {
            generator: GENERATOR.into(),
            suite: label.clone(),
            seed: self.seed,
            fingerprint: String::new(),
            items: 0,
            task: self.task,
            split: self.split.clone(),
            format: self.format.into(),
            shard: None,
            parts: serde_yaml::to_value(&suite.parts)?,
        };
        let whole = |found: &Card| {
            let fingerprint = if let Card::Suite(found) = found { &found.fingerprint } else { &card.fingerprint };
            Card::Suite(SuiteCard { fingerprint: fingerprint.clone(), ..card.clone() })
        };
        let out = homes.take_folder(&self.out).map_err(Failure::usage)?;
        if let Some(made) = self.made(&out, whole) {
            return self.show_made(&made);
        }
        let mut data = self.data_set(&out, splits)?;
        let Items { items, fingerprint } = suite::weave(&suite, self.seed, &select, self.threads)?;
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let own = (0..).zip(&items).filter(|(at, _)| shard.has(*at));
        own.map(|(_, one)| data.add(&one.item)).try_for_each(|added| added.map(drop))?;
        let card = SuiteCard { items: data.len(), shard: self.shard, fingerprint: fingerprint.clone(), ..card };
        let counts = data.finish(&Card::Suite(card))?;
        let seconds = suite::seconds_since(started);
        let report = SuiteReport { suite: &label, seed: self.seed, fingerprint: &fingerprint, counts, seconds };
        if self.json {
            return print_json(&report);
        }
        let SuiteReport { counts, seed, .. } = &report;
        let place = self.out.display();
        print_line(&format!("{} items of {label}, seed {seed}, fingerprint {fingerprint}: {place}", counts.items))
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
