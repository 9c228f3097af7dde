//! Owns which items are asked about: those of a suite, of a preset, or that another run found.
//!
//! Must not know who is asked.

use crate::ask::evaluate::{Prompts, Subject};
use crate::ask::guess::Guesser;
use crate::ask::models::ModelEntry;
use crate::cli::Failure;
use crate::cli::suite;
use crate::item::halt::Halt;
use crate::item::record::{Item, Purpose, Record, Task};
use crate::item::source::ItemSource;
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::intact::{self, Lines, ReadError};
use crate::run::jsonl::{self, JsonLines};
use crate::run::level::AS_WRITTEN;
use crate::run::manifest::Manifest;
use crate::run::shard::Shard;
use crate::run::sink::read_records;
use crate::run::store::is_address;
use crate::run::suite::{Select, Suite, SuiteItem, fingerprint};
use crate::seed::Seed;
use crate::weave::weaver::Loom;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The suite that is asked where nobody says.
const SUITE: &str = "standard";
/// Items of each task of a preset where nobody says how many.
const ITEMS: u64 = 100;
/// Items of each task from which the length of prompts is reckoned.
const SAMPLE: u64 = 8;

/// Flags about the items.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Items")]
pub(in crate::cli) struct Flags {
    /// Suite: a name, a name with its version, or a file [default: standard]
    #[arg(long, value_name = "NAME[@VERSION]|FILE")]
    suite: Option<String>,
    /// Preset in place of a suite: a name in policies/, or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "suite")]
    preset: Option<String>,
    /// Difficulty of a preset's items, 1 to 5
    #[arg(long, default_value_t = AS_WRITTEN, value_name = "1-5", requires = "preset", conflicts_with_all = ["suite", "items"])]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
    level: u8,
    /// Items that are there: the misses of an attack or the items of an evaluation (its run directory), or a file of JSON
    /// lines as `generate` writes it
    #[arg(long, value_name = "RUN_DIR|FILE", conflicts_with_all = ["suite", "preset"])]
    items: Option<PathBuf>,
    /// These tasks alone; may be given several times
    #[arg(long, value_enum)]
    pub(in crate::cli) task: Vec<Task>,
    /// Items of each task at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) limit: Option<u64>,
    /// Seed of the items
    #[arg(long, default_value_t = 0)]
    pub(in crate::cli) seed: u64,
}

/// The items, or how they are woven.
enum Items {
    Woven(Suite, Select),
    There { subjects: Vec<Subject>, fingerprint: String },
}

/// What is asked.
pub(in crate::cli) struct Asked {
    /// What it is called.
    pub(in crate::cli) label: String,
    /// All of it that decides the items.
    pub(in crate::cli) config: serde_yaml::Value,
    /// The tasks that were selected, if any were.
    pub(in crate::cli) tasks: Vec<Task>,
    /// The model against which the items were chosen, if they were.
    pub(in crate::cli) chosen_against: Option<String>,
    seed: u64,
    shard: Shard,
    items: Items,
}

impl Flags {
    /// The same with a suite, run or file that is named without a flag: a folder is a run, a file is one of items, unless it
    /// is YAML, and anything else a suite.
    pub(in crate::cli) fn naming(mut self, what: Option<&str>) -> Self {
        let Some(what) = what else { return self };
        let path = Path::new(what);
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        match path.is_dir() || is_address(path) || (path.is_file() && !is_yaml) {
            true => self.items = Some(path.into()),
            false => self.suite = Some(what.to_owned()),
        }
        self
    }

    /// The run or file, if one is named.
    pub(in crate::cli) fn items(&self) -> Option<&Path> {
        self.items.as_deref()
    }

    /// Resolves names and files.
    pub(in crate::cli) fn resolve(&self, shard: Option<Shard>, homes: &Homes) -> Result<Asked, Failure> {
        let shard = shard.unwrap_or(Shard::WHOLE);
        let tasks = self.task.clone();
        if let Some(path) = &self.items {
            return self.there(path, tasks, shard, homes);
        }
        let suite = match (&self.preset, &self.suite) {
            (Some(preset), _) => {
                let items = self.limit.unwrap_or(ITEMS);
                Suite::of_preset(Some(preset), &tasks, self.level, items).map_err(Failure::usage)?
            }
            (None, suite) => suite::load(suite.as_deref().unwrap_or(SUITE))?,
        };
        let select = suite::select(&self.task, self.limit);
        // What is wrong with the selection is told before anything is made.
        suite.count(&select).map_err(Failure::usage)?;
        Ok(Asked {
            label: suite.label(),
            config: serde_yaml::to_value(&suite)?,
            tasks,
            chosen_against: None,
            seed: self.seed,
            shard,
            items: Items::Woven(suite, select),
        })
    }

    /// Items that are there already.
    fn there(&self, path: &Path, tasks: Vec<Task>, shard: Shard, homes: &Homes) -> Result<Asked, Failure> {
        let is_run = path.is_dir() || is_address(path);
        let (subjects, chosen_against) = if is_run { of_run(path, homes)? } else { (of_file(path)?, None) };
        let mut counts: BTreeMap<Task, u64> = BTreeMap::new();
        let most = self.limit.unwrap_or(u64::MAX);
        let mut is_selected = |subject: &Subject| {
            let task = subject.item.task;
            let count = counts.entry(task).or_default();
            *count += 1;
            (tasks.is_empty() || tasks.contains(&task)) && *count <= most
        };
        let subjects: Vec<Subject> = subjects.into_iter().filter(|subject| is_selected(subject)).collect();
        if subjects.is_empty() {
            let problem = format!("{} has no items to ask about; name another run or file", path.display());
            return Err(Failure::usage(anyhow::anyhow!(problem)));
        }
        let fingerprint = fingerprint(subjects.iter().map(|subject| &subject.item));
        let label = path.file_stem().map_or("items".into(), |stem| stem.to_string_lossy().into_owned());
        let config = serde_yaml::to_value(BTreeMap::from([("fingerprint", &fingerprint)]))?;
        Ok(Asked {
            label,
            config,
            tasks,
            chosen_against,
            seed: self.seed,
            shard,
            items: Items::There { subjects, fingerprint },
        })
    }
}

/// The items that a run found or asked, and the model against which they were chosen, if they were.
fn of_run(path: &Path, homes: &Homes) -> Result<(Vec<Subject>, Option<String>), Failure> {
    let dir = homes.open(path).map_err(Failure::usage)?;
    let manifest = Manifest::read(&dir).map_err(Failure::unread)?;
    if let Some(evaluation) = &manifest.plan.evaluation {
        let items = intact::lines(&dir.items(), Some(&manifest)).map_err(Failure::unread)?;
        let subjects = items.collect::<Result<_, _>>().map_err(Failure::unread)?;
        return Ok((subjects, evaluation.chosen_against.clone()));
    }
    let Some(model) = manifest.plan.model else {
        let problem = format!("{} asked nobody; name an attack or an evaluation", path.display());
        return Err(Failure::usage(anyhow::anyhow!(problem)));
    };
    let mut records = read_records(&dir).map_err(Failure::unread)?.rows;
    records.retain(|record| record.purpose == Purpose::Attack && record.answer.verdict.is_miss());
    records.sort_by_key(|record| (record.round, record.index));
    let mut seen = HashSet::new();
    records.retain(|record| seen.insert(record.item.canonical.clone()));
    let subject = |record: Record| Subject { chosen_by: record.chosen_by, level: record.level, item: record.item };
    Ok((records.into_iter().map(subject).collect(), Some(model)))
}

/// The items of a file, one on each line.
fn of_file(path: &Path) -> Result<Vec<Subject>, Failure> {
    let items = jsonl::read::<Item>(path).map_err(Failure::usage)?.rows;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let subject = |item| Subject { chosen_by: name.clone().into_owned(), level: None, item };
    Ok(items.into_iter().map(subject).collect())
}

/// The items of an evaluation that is being made, one after the other.
pub(in crate::cli) fn read_items(dir: &RunDir) -> Result<Lines<Subject>, ReadError> {
    intact::lines(&dir.items(), None)
}

impl Asked {
    /// Writes the items into the run directory, behind those that an earlier part of the run wrote, which are the same. `told`
    /// gets how many stand there. How many there are, and the fingerprint of all; for `halt` see [`Self::each`].
    pub(in crate::cli) fn write_items(
        &self,
        dir: &RunDir,
        halt: Option<&Halt>,
        mut told: impl FnMut(u64),
    ) -> Result<(u64, String), Failure> {
        let path = dir.items();
        let mut file = JsonLines::open(&path)?;
        let mut earlier = Some(jsonl::stream::<Subject>(&path)?);
        let (mut count, mut position) = (0, 0);
        let fingerprint = self.each(halt, |subject| {
            position += 1;
            if !self.shard.has(position - 1) {
                return Ok(());
            }
            match earlier.as_mut().and_then(Iterator::next).transpose()? {
                Some(known) if !is_same(&known, &subject)? => return Err(foreign(&path, count + 1)),
                Some(_) => {}
                None => {
                    // What stands behind the end from now on is ours.
                    earlier = None;
                    file.append(&subject)?;
                }
            }
            count += 1;
            told(count);
            Ok(())
        })?;
        if earlier.is_some_and(|mut earlier| earlier.next().is_some()) {
            return Err(foreign(&path, count + 1));
        }
        Ok((count, fingerprint))
    }

    /// Hands on each item, one after the other, up to the first failure. Their fingerprint. Who brings a `halt` shows progress
    /// and hears signals himself.
    pub(in crate::cli) fn each(
        &self,
        halt: Option<&Halt>,
        mut take: impl FnMut(Subject) -> Result<(), Failure>,
    ) -> Result<String, Failure> {
        match &self.items {
            Items::There { subjects, fingerprint } => {
                subjects.iter().cloned().try_for_each(take)?;
                Ok(fingerprint.clone())
            }
            Items::Woven(suite, select) => {
                let mut failed = None;
                let mut hand_on = |SuiteItem { item, level, .. }| {
                    failed = take(Subject { chosen_by: self.label.clone(), level: Some(level), item }).err();
                    failed.is_none()
                };
                let fingerprint = match halt {
                    None => suite::each(suite, self.seed, select, None, hand_on),
                    Some(halt) => {
                        let hand_on = |item: Option<SuiteItem>| item.is_none_or(&mut hand_on);
                        suite::each_until(suite, self.seed, select, (None, halt), hand_on)
                    }
                };
                failed.map_or(Ok(()), Err)?;
                fingerprint
            }
        }
    }

    /// How many items there will be.
    pub(in crate::cli) fn count(&self) -> Result<u64, Failure> {
        let count = match &self.items {
            Items::There { subjects, .. } => subjects.len() as u64,
            Items::Woven(suite, select) => suite.count(select).map_err(Failure::usage)?,
        };
        Ok(self.shard.share(count))
    }

    /// The characters of a prompt on average: of a suite reckoned from a few programs like its own, since weaving it takes
    /// longer than anybody waits for an estimate.
    pub(in crate::cli) fn characters(&self, prompts: &Prompts) -> Result<f64, Failure> {
        let sample: Vec<(f64, Vec<Item>)> = match &self.items {
            Items::There { subjects, .. } => {
                vec![(1.0, subjects.iter().map(|subject| subject.item.clone()).collect())]
            }
            Items::Woven(suite, select) => {
                let parts = suite.sketch(Seed::new(self.seed), select, SAMPLE).map_err(Failure::usage)?;
                parts.into_iter().map(|(share, items)| (share as f64, items)).collect()
            }
        };
        let (mut sum, mut weight) = (0.0, 0.0);
        for (share, items) in sample.iter().filter(|(_, items)| !items.is_empty()) {
            let mut characters = 0;
            for item in items {
                let messages = prompts.of(item.task).render(item)?;
                characters += messages.iter().map(|message| message.content.chars().count()).sum::<usize>();
            }
            sum += share * characters as f64 / items.len() as f64;
            weight += share;
        }
        Ok(if weight > 0.0 { sum / weight } else { 0.0 })
    }

    /// The tasks that are asked.
    pub(in crate::cli) fn asks(&self) -> Vec<Task> {
        let is_asked = |task: &Task| match &self.items {
            Items::Woven(suite, select) => {
                let is_selected = select.tasks.as_ref().is_none_or(|tasks| tasks.contains(task));
                is_selected && suite.parts.iter().any(|part| part.task == *task)
            }
            Items::There { subjects, .. } => subjects.iter().any(|subject| subject.item.task == *task),
        };
        Task::ALL.iter().copied().filter(is_asked).collect()
    }

    /// What `guess/learned` learns from; nothing for others, for whom reading programs would be wasted.
    pub(in crate::cli) fn sources_for(&self, entry: &ModelEntry) -> Vec<ItemSource> {
        match &self.items {
            Items::Woven(suite, select) if entry.name().parse() == Ok(Guesser::Learned) => {
                let is_asked = |task| select.tasks.as_ref().is_none_or(|tasks| tasks.contains(&task));
                let parts = suite.parts.iter().filter(|part| is_asked(part.task));
                parts.map(|part| part.settings.source(&Arc::new(Loom::new(part.settings.weave.clone())))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Whether both make the same line. A NaN is written without its payload, so that items must not be compared by bits.
fn is_same(known: &Subject, woven: &Subject) -> serde_json::Result<bool> {
    Ok(serde_json::to_string(known)? == serde_json::to_string(woven)?)
}

/// A line among the items of a run that is not what its plan says.
fn foreign(path: &Path, line: u64) -> Failure {
    let path = path.display();
    Failure::Error(anyhow::anyhow!(
        "{path}:{line}: this is not the item that the run asks about: the file was changed, or is of another version; begin a \
         new run"
    ))
}
