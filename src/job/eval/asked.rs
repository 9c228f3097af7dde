//! Owns which items are asked about: those of a suite, of a preset, or that another run found.
//!
//! Must not know who is asked.

use crate::ask::evaluate::Subject;
use crate::ask::guess::Guesser;
use crate::ask::prompt::Prompts;
use crate::item::halt::Halt;
use crate::item::record::{Item, Purpose, Record, Task};
use crate::item::source::ItemSource;
use crate::job::error::JobError;
use crate::job::setting::Setting;
use crate::job::suites;
use crate::run::dir::RunDir;
use crate::run::homes::Homes;
use crate::run::intact::{self, Lines, ReadError};
use crate::run::jsonl::{self, JsonLines};
use crate::run::manifest::Manifest;
use crate::run::plan::{ItemsPlan, NamedConfig, Plan};
use crate::run::shard::Shard;
use crate::run::sink::read_records;
use crate::run::store::is_address;
use crate::run::suite::{Select, Shelf, Suite, SuiteItem, fingerprint};
use crate::run::yaml::ConfigError;
use crate::seed::Seed;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Items of each task of a preset by default.
const ITEMS: u64 = 100;
/// Items of each task from which the length of prompts is reckoned.
const SAMPLE: u64 = 8;

/// Which items are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where they come from.
    pub items: ItemsPlan,
    /// These tasks alone; all, if there are none.
    pub tasks: Vec<Task>,
    /// Items of each task at most.
    pub limit: Option<u64>,
    /// Their seed.
    pub seed: u64,
    /// The part of them.
    pub shard: Option<Shard>,
}

impl Selection {
    /// All items of a suite, with seed 0.
    pub fn of_suite(name: impl Into<String>) -> Self {
        Self { items: ItemsPlan::Suite { name: name.into() }, tasks: Vec::new(), limit: None, seed: 0, shard: None }
    }
}

/// How items are woven that are not there yet.
pub enum Weaving<'a> {
    /// With what is told of it, until the job is stopped.
    Told(&'a Setting<'a>),
    /// In silence, until it is halted.
    Silent {
        /// What ends it.
        halt: &'a Halt,
        /// Where woven suites are kept.
        shelf: Option<&'a Shelf>,
    },
}

/// The items, or how they are woven.
enum Items {
    Woven(Suite, Select),
    There { subjects: Vec<Subject>, fingerprint: String },
}

/// What is asked.
pub struct EvalItems {
    /// What it is called, and all of it that decides the items.
    pub suite: NamedConfig,
    /// The model against which the items were chosen, if they were.
    pub chosen_against: Option<String>,
    seed: u64,
    shard: Shard,
    items: Items,
}

impl EvalItems {
    /// Resolves names and files.
    ///
    /// # Errors
    /// If there is no such suite, preset, run or file, or nothing in it is selected.
    pub fn resolve(selection: &Selection, homes: &Homes) -> Result<Self, JobError> {
        let Selection { items, tasks, limit, .. } = selection;
        let suite = match items {
            ItemsPlan::Records { path } => return Self::there(path, selection, homes),
            ItemsPlan::Preset { name, level } => {
                Suite::of_preset(Some(name), tasks, *level, limit.unwrap_or(ITEMS)).map_err(JobError::usage)?
            }
            ItemsPlan::Suite { name } => Suite::load(name).map_err(JobError::usage)?,
        };
        let select = select(tasks, *limit);
        // What is wrong with the selection is told before anything is made.
        suite.count(&select).map_err(JobError::usage)?;
        Ok(Self {
            suite: NamedConfig { name: suite.label(), config: serde_yaml::to_value(&suite)? },
            chosen_against: None,
            seed: selection.seed,
            shard: selection.shard.unwrap_or(Shard::WHOLE),
            items: Items::Woven(suite, select),
        })
    }

    /// Items that are there already.
    fn there(path: &Path, selection: &Selection, homes: &Homes) -> Result<Self, JobError> {
        let is_run = path.is_dir() || is_address(path);
        let (subjects, chosen_against) = if is_run { of_run(path, homes)? } else { (of_file(path)?, None) };
        let mut counts: BTreeMap<Task, u64> = BTreeMap::new();
        let most = selection.limit.unwrap_or(u64::MAX);
        let mut is_selected = |subject: &Subject| {
            let task = subject.item.task;
            let count = counts.entry(task).or_default();
            *count += 1;
            (selection.tasks.is_empty() || selection.tasks.contains(&task)) && *count <= most
        };
        let subjects: Vec<Subject> = subjects.into_iter().filter(|subject| is_selected(subject)).collect();
        if subjects.is_empty() {
            let path = path.display();
            return Err(JobError::wrong(format!("{path} has no items to ask about; name another run or file")));
        }
        let fingerprint = fingerprint(subjects.iter().map(|subject| &subject.item));
        let name = path.file_stem().map_or("items".into(), |stem| stem.to_string_lossy().into_owned());
        let config = serde_yaml::to_value(BTreeMap::from([("fingerprint", &fingerprint)]))?;
        Ok(Self {
            suite: NamedConfig { name, config },
            chosen_against,
            seed: selection.seed,
            shard: selection.shard.unwrap_or(Shard::WHOLE),
            items: Items::There { subjects, fingerprint },
        })
    }
}

/// The tasks that are selected, if any, and how many items of each.
pub fn select(tasks: &[Task], limit: Option<u64>) -> Select {
    Select { tasks: Some(tasks.to_vec()).filter(|tasks| !tasks.is_empty()), limit }
}

/// The items that a run found or asked, and the model against which they were chosen, if they were.
fn of_run(path: &Path, homes: &Homes) -> Result<(Vec<Subject>, Option<String>), JobError> {
    let dir = homes.open(path).map_err(JobError::usage)?;
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    if let Some(evaluation) = manifest.plan.evaluation() {
        let items = intact::lines(&dir.items(), Some(&manifest)).map_err(JobError::unread)?;
        let subjects = items.collect::<Result<_, _>>().map_err(JobError::unread)?;
        return Ok((subjects, evaluation.chosen_against.clone()));
    }
    let Plan::Attack(attack) = manifest.plan else {
        let problem = format!("{} asked nobody; name an attack or an evaluation", path.display());
        return Err(JobError::wrong(problem));
    };
    let mut records = read_records(&dir).map_err(JobError::unread)?.rows;
    records.retain(|record| record.purpose == Purpose::Attack && record.answer.verdict.is_miss());
    records.sort_by_key(|record| (record.round, record.index));
    let mut seen = HashSet::new();
    records.retain(|record| seen.insert(record.item.canonical.clone()));
    let subject = |record: Record| Subject { chosen_by: record.chosen_by, level: record.level, item: record.item };
    Ok((records.into_iter().map(subject).collect(), Some(attack.model.name)))
}

/// The items of a file, one on each line.
fn of_file(path: &Path) -> Result<Vec<Subject>, JobError> {
    let items = jsonl::read::<Item>(path).map_err(JobError::usage)?.rows;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let subject = |item| Subject { chosen_by: name.clone().into_owned(), level: None, item };
    Ok(items.into_iter().map(subject).collect())
}

/// The items of an evaluation that is being made, one after the other.
pub(super) fn read_items(dir: &RunDir) -> Result<Lines<Subject>, ReadError> {
    intact::lines(&dir.items(), None)
}

impl EvalItems {
    /// Writes the items into the run directory, behind those that an earlier part of the run wrote, which are the same. `told`
    /// gets how many stand there. How many there are, and the fingerprint of all.
    pub(super) fn write_items(
        &self,
        dir: &RunDir,
        weaving: Weaving<'_>,
        mut told: impl FnMut(u64),
    ) -> Result<(u64, String), JobError> {
        let path = dir.items();
        let mut file = JsonLines::open(&path)?;
        let mut earlier = Some(jsonl::stream::<Subject>(&path)?);
        let (mut count, mut position) = (0, 0);
        let fingerprint = self.each(weaving, |subject| {
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

    /// Hands on each item, one after the other, up to the first failure. Their fingerprint.
    ///
    /// # Errors
    /// The first failure of `take`, or of the weaving.
    pub fn each(
        &self,
        weaving: Weaving<'_>,
        mut take: impl FnMut(Subject) -> Result<(), JobError>,
    ) -> Result<String, JobError> {
        match &self.items {
            Items::There { subjects, fingerprint } => {
                subjects.iter().cloned().try_for_each(take)?;
                Ok(fingerprint.clone())
            }
            Items::Woven(suite, select) => {
                let mut failed = None;
                let mut hand_on = |SuiteItem { item, level, .. }| {
                    failed = take(Subject { chosen_by: self.suite.name.clone(), level: Some(level), item }).err();
                    failed.is_none()
                };
                let fingerprint = match weaving {
                    Weaving::Told(setting) => suites::each(suite, self.seed, select, None, setting, hand_on),
                    Weaving::Silent { halt, shelf } => {
                        let hand_on = |item: Option<SuiteItem>| item.is_none_or(&mut hand_on);
                        suites::each_until(suite, self.seed, select, None, halt, shelf, hand_on)
                    }
                };
                failed.map_or(Ok(()), Err)?;
                fingerprint
            }
        }
    }

    /// How many items there will be.
    ///
    /// # Errors
    /// If the suite asks nothing of what is selected.
    pub fn count(&self) -> Result<u64, JobError> {
        let count = match &self.items {
            Items::There { subjects, .. } => subjects.len() as u64,
            Items::Woven(suite, select) => suite.count(select).map_err(JobError::usage)?,
        };
        Ok(self.shard.share(count))
    }

    /// The characters of a prompt on average: of a suite reckoned from a few programs like its own, since weaving it takes
    /// longer than anybody waits for an estimate.
    ///
    /// # Errors
    /// If a sample cannot be woven.
    pub fn characters(&self, prompts: &Prompts) -> Result<f64, JobError> {
        let sample: Vec<(f64, Vec<Item>)> = match &self.items {
            Items::There { subjects, .. } => {
                vec![(1.0, subjects.iter().map(|subject| subject.item.clone()).collect())]
            }
            Items::Woven(suite, select) => {
                let parts = suite.sketch(Seed::new(self.seed), select, SAMPLE).map_err(JobError::usage)?;
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
    pub fn asks(&self) -> Vec<Task> {
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
    pub(super) fn sources_for(&self, model: &str) -> Result<Vec<ItemSource>, ConfigError> {
        match &self.items {
            Items::Woven(suite, select) if model.parse() == Ok(Guesser::Learned) => {
                let is_asked = |task| select.tasks.as_ref().is_none_or(|tasks| tasks.contains(&task));
                let parts = suite.parts.iter().filter(|part| is_asked(part.task));
                parts.map(|part| Ok(part.settings.source(&part.loom()?))).collect()
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether both make the same line. A NaN is written without its payload, so that items must not be compared by bits.
fn is_same(known: &Subject, woven: &Subject) -> serde_json::Result<bool> {
    Ok(serde_json::to_string(known)? == serde_json::to_string(woven)?)
}

/// A line among the items of a run that is not what its plan says.
fn foreign(path: &Path, line: u64) -> JobError {
    let path = path.display();
    JobError::Failed(anyhow::anyhow!(
        "{path}:{line}: this is not the item that the run asks about: the file was changed, or is of another version; begin a \
         new run"
    ))
}
