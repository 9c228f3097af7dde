//! Owns data sets: labelled items of a preset or a suite, each confirmed by wasmtime, in a folder.
//!
//! Must not know the formats.

use super::error::JobError;
use super::eval::asked::select;
use super::events::{Event, Stage};
use super::setting::Setting;
use super::suites;
use crate::item::record::Task;
use crate::learn::pretrained::Pretrained;
use crate::run::dataset::{Card, Counts, DataSet, DataSetError, Format, Splits, SuiteCard, WovenCard};
use crate::run::gathering::{Gathered, Gathering};
use crate::run::plan::NamedConfig;
use crate::run::preset::Preset;
use crate::run::shard::Shard;
use crate::run::suite::{Items, Suite};
use crate::seed::Seed;
use crate::weave::recipe::GENERATOR;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A data set that is to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratePlan {
    /// Whose items.
    pub of: Source,
    /// The seed that everything random comes from.
    pub seed: u64,
    /// The folder, which must be empty or not exist yet.
    pub out: PathBuf,
    /// How items are written.
    pub format: Format,
    /// Shares by which programs are split, as in `train=0.9,test=0.1`.
    pub split: Option<String>,
    /// The part that is made, where the work is split.
    pub shard: Option<Shard>,
}

/// Whose items a data set has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Those of a preset.
    Preset {
        /// The preset, with its task and level.
        preset: NamedConfig,
        /// Its level.
        level: u8,
        /// How many; no two have the same canonical form.
        count: u64,
        /// The policy that weaves, in place of the preset's preferences.
        policy: Option<PathBuf>,
    },
    /// Those of a suite.
    Suite {
        /// Its name, with its version, or its file.
        name: String,
        /// This task alone.
        task: Option<Task>,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The part was there already, whole.
    Made {
        /// Items in it.
        items: u64,
    },
    /// Items were woven.
    Woven {
        /// What was gathered.
        gathered: Gathered,
        /// Whether it was stopped; what was made by then is a data set of its own.
        stopped: bool,
    },
    /// The items of a suite were written out.
    Suite {
        /// What it is called.
        suite: String,
        /// The fingerprint of its items.
        fingerprint: String,
        /// What was written.
        counts: Counts,
    },
}

/// Makes a data set; one that is stopped is whole as far as it goes.
///
/// # Errors
/// If a file cannot be read, or the folder not be written.
pub fn run(plan: &GeneratePlan, threads: Option<u16>, setting: &Setting<'_>) -> Result<Outcome, JobError> {
    let splits = plan.split.as_deref().map_or(Ok(Splits::default()), str::parse).map_err(JobError::usage)?;
    let making = Making { plan, threads, splits, setting };
    match &plan.of {
        Source::Preset { preset, level, count, policy } => {
            let settings = Preset::of_plan(preset).map_err(JobError::usage)?;
            let policy = policy.as_deref().map(Pretrained::load).transpose().map_err(JobError::usage)?;
            making.weave(&preset.name, settings, *level, *count, policy)
        }
        Source::Suite { name, task } => making.write_out(name, *task),
    }
}

struct Making<'a> {
    plan: &'a GeneratePlan,
    threads: Option<u16>,
    splits: Splits,
    setting: &'a Setting<'a>,
}

impl Making<'_> {
    fn weave(
        self,
        name: &str,
        preset: Preset,
        level: u8,
        count: u64,
        policy: Option<Pretrained>,
    ) -> Result<Outcome, JobError> {
        let Self { plan, setting, .. } = self;
        let threads = suites::threads(self.threads);
        let loom = preset.loom().map_err(JobError::usage)?;
        let card = WovenCard {
            generator: GENERATOR.into(),
            task: preset.task,
            preset: name.into(),
            level,
            seed: plan.seed,
            items: count,
            complete: true,
            programs: 0,
            repeated: 0,
            split: plan.split.clone(),
            policy: policy.as_ref().map(Pretrained::hash).transpose()?,
            format: plan.format,
            part: None,
            config: preset.clone(),
        };
        // Whatever is wrong with the rest leaves no folder behind.
        let out = setting.homes.take_folder(&plan.out).map_err(JobError::usage)?;
        if let Some(items) = self.made(&out, |_| Card::Woven(Box::new(card.clone()))) {
            return Ok(Outcome::Made { items });
        }
        let halt = setting.stopper.halt();
        let source = match &policy {
            Some(policy) => preset.source_by(&loom, Arc::new(policy.chooser(&loom.config, &preset.prior)?), &halt),
            None => preset.source_until(&loom, &halt),
        };
        let shard = plan.shard;
        let items = shard.map_or(count, |shard| shard.share(count));
        let data = self.data_set(&out)?;
        setting.events.tell(Event::Began(&Stage::Weaving { of: name.into(), items }));
        let mut gathering = Gathering::new(data, count, shard);
        let number = |own| shard.unwrap_or(Shard::WHOLE).position(own);
        let streamed = source.stream_stretches(Seed::new(plan.seed), threads, number, |draft, woven| {
            let goes_on = gathering.take(draft.as_ref().map(|draft| &draft.item), woven);
            setting.events.tell(Event::Woven(gathering.len()));
            if halt.is_wished() { ControlFlow::Break(()) } else { goes_on }
        });
        setting.events.tell(Event::Ended);
        streamed?;
        Ok(Outcome::Woven { gathered: gathering.finish(card)?, stopped: halt.is_wished() })
    }

    /// Writes out the items of a suite.
    fn write_out(self, name: &str, task: Option<Task>) -> Result<Outcome, JobError> {
        let Self { plan, setting, threads, .. } = self;
        let suite = Suite::load(name).map_err(JobError::usage)?;
        let select = select(task.as_slice(), None);
        let label = suite.label();
        let card = SuiteCard {
            generator: GENERATOR.into(),
            suite: label.clone(),
            seed: plan.seed,
            fingerprint: String::new(),
            items: 0,
            task,
            split: plan.split.clone(),
            format: plan.format,
            shard: None,
            parts: serde_yaml::to_value(&suite.parts)?,
        };
        let whole = |found: &Card| {
            let fingerprint = if let Card::Suite(found) = found { &found.fingerprint } else { &card.fingerprint };
            Card::Suite(SuiteCard { fingerprint: fingerprint.clone(), ..card.clone() })
        };
        let out = setting.homes.take_folder(&plan.out).map_err(JobError::usage)?;
        if let Some(items) = self.made(&out, whole) {
            return Ok(Outcome::Made { items });
        }
        let shard = plan.shard.unwrap_or(Shard::WHOLE);
        let mut data = self.data_set(&out)?;
        let Items { items, fingerprint } = suites::weave(&suite, plan.seed, &select, threads, setting)?;
        let own = (0..).zip(&items).filter(|(at, _)| shard.has(*at));
        own.map(|(_, one)| data.add(&one.item)).try_for_each(|added| added.map(drop))?;
        let card = SuiteCard { items: data.len(), shard: plan.shard, fingerprint: fingerprint.clone(), ..card };
        let counts = data.finish(&Card::Suite(card))?;
        Ok(Outcome::Suite { suite: label, fingerprint, counts })
    }

    /// Items of the part that is to be made, if it is in the folder already: a scheduler may well ask for it again. `whole` is
    /// what it is to be a part of; what is known only of what was woven is taken from the card that it is given.
    fn made(&self, out: &Path, whole: impl Fn(&Card) -> Card) -> Option<u64> {
        let shard = self.plan.shard?;
        let found = Card::of_finished(out)?;
        let is_it = found.shard() == Some(shard) && found.whole() == whole(&found).whole();
        is_it.then(|| found.items())
    }

    /// The folder, made ready.
    fn data_set(self, out: &Path) -> Result<DataSet, JobError> {
        let Self { plan, splits, setting, .. } = self;
        let explained = |error| match error {
            DataSetError::NotEmpty(_) => JobError::usage(DataSetError::NotEmpty(plan.out.clone())),
            DataSetError::Write { .. } => JobError::Failed(error.into()),
        };
        // A part has all of its items on one side.
        let splits = if plan.shard.is_some() { Splits::default() } else { splits };
        DataSet::mark(out, &splits).map_err(explained)?;
        // A store has the mark before anything else: what is killed early can be made again.
        setting.homes.send()?;
        let made = match plan.shard {
            None => DataSet::marked(out, plan.format, splits),
            Some(_) => DataSet::part(out),
        };
        made.map_err(explained)
    }
}
