//! Owns exports: items as tasks and data sets of other tools, requests as files of a batch, the records of a run as a table.
//!
//! Must not know the formats.

use super::error::JobError;
use super::eval::asked::{EvalItems, Selection, Weaving};
use super::setting::Setting;
use crate::ask::batch;
use crate::ask::chat::Params;
use crate::ask::examiner::request;
use crate::ask::models::ModelEntry;
use crate::ask::prompt::Prompts;
use crate::export::folder::{ExportError, Folder};
use crate::export::hugging_face::HuggingFace;
use crate::export::inspect::Inspect;
use crate::export::lm_eval::LmEval;
use crate::export::openai_batch::{Lines, OpenAiBatch};
use crate::export::question::{About, Export, ExportedQuestion};
use crate::export::records::Records;
use crate::item::record::Task;
use crate::run::homes::Homes;
use crate::run::manifest::Manifest;
use crate::run::plan::ItemsPlan;
use crate::run::sink::stream_records;
use crate::run::store::is_address;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Items that are written in the format of another tool.
#[derive(Clone, Debug)]
pub struct ExportPlan {
    /// Which items.
    pub selection: Selection,
    /// How each task is asked.
    pub prompts: Prompts,
    /// The format.
    pub to: Target,
    /// The folder, which must be empty or not exist yet.
    pub out: PathBuf,
}

/// The formats of items.
#[derive(Clone, Debug)]
pub enum Target {
    /// Tasks for lm-evaluation-harness.
    LmEval {
        /// Most tokens of a reply.
        max_tokens: Option<u32>,
    },
    /// Samples and a task file for Inspect.
    Inspect,
    /// A data set for the Hugging Face Hub.
    HuggingFace,
    /// Requests for OpenAI's Batch API.
    OpenAiBatch(Box<BatchPlan>),
}

/// How items become requests of a batch.
#[derive(Clone, Debug)]
pub struct BatchPlan {
    /// The model that they are for.
    pub model: ModelEntry,
    /// Its sampling parameters.
    pub params: Params,
    /// How often each item is asked.
    pub epochs: u32,
    /// The command that judges the replies, up to the names of their files; it stands in the README of the export.
    pub import: String,
}

/// What was exported.
#[derive(Clone, Debug)]
pub struct Exported {
    /// What is told of all items.
    pub about: About,
    /// Items by task.
    pub counts: BTreeMap<Task, u64>,
}

/// Exports items; the same items give the same files.
///
/// # Errors
/// If there are no such items, one cannot be written in this format, or the folder is not empty; [`WeaveError::Stopped`] as
/// its cause if it was stopped.
///
/// [`WeaveError::Stopped`]: crate::run::suite::WeaveError::Stopped
pub fn run(plan: &ExportPlan, setting: &Setting<'_>) -> Result<Exported, JobError> {
    let ExportPlan { selection, prompts, .. } = plan;
    let asked = EvalItems::resolve(selection, setting.homes)?;
    let (label, seed) = named(selection, &asked, setting.homes)?;
    let mut export = begin(plan, setting.homes)?;
    let mut counts = BTreeMap::<Task, u64>::new();
    let fingerprint = asked.each(Weaving::Told(setting), |subject| {
        let messages = prompts.of(subject.item.task).render(&subject.item).map_err(JobError::usage)?;
        *counts.entry(subject.item.task).or_default() += 1;
        export.add(&ExportedQuestion { subject, messages }).map_err(refused)
    })?;
    let prompts = counts.keys().map(|&task| (task, prompts.of(task).id())).collect();
    let about = About { label, seed, fingerprint, chosen_against: asked.chosen_against.clone(), prompts };
    export.finish(&about).map_err(refused)?;
    Ok(Exported { about, counts })
}

/// Exports the records of a run as one Parquet file; how many there are.
///
/// # Errors
/// If there is no such run, it is damaged, or the folder is not empty.
pub fn records(run: &Path, out: &Path, setting: &Setting<'_>) -> Result<u64, JobError> {
    let dir = setting.homes.open(run).map_err(JobError::usage)?;
    let manifest = Manifest::read(&dir).map_err(JobError::unread)?;
    let records = stream_records(&dir).map_err(JobError::unread)?;
    let name = dir.path().canonicalize()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut export = Records::new(folder(out, setting.homes)?, name, manifest).map_err(refused)?;
    for record in records {
        export.add(record.map_err(JobError::unread)?).map_err(refused)?;
    }
    export.finish().map_err(refused)
}

/// What the items are called, and their seed. The items of a run are called as they were when it was made.
fn named(selection: &Selection, asked: &EvalItems, homes: &Homes) -> Result<(String, u64), JobError> {
    match &selection.items {
        ItemsPlan::Records { path } if path.is_dir() || is_address(path) => {
            let dir = homes.open(path).map_err(JobError::usage)?;
            let plan = Manifest::read(&dir).map_err(JobError::unread)?.plan;
            Ok((plan.preset().name.clone(), plan.seed()))
        }
        _ => Ok((asked.suite.name.clone(), selection.seed)),
    }
}

fn begin(plan: &ExportPlan, homes: &Homes) -> Result<Box<dyn Export>, JobError> {
    let folder = folder(&plan.out, homes)?;
    Ok(match &plan.to {
        Target::LmEval { max_tokens } => Box::new(LmEval::new(folder, *max_tokens)),
        Target::Inspect => Box::new(Inspect::new(folder).map_err(refused)?),
        Target::HuggingFace => Box::new(HuggingFace::new(folder)),
        Target::OpenAiBatch(batch) => {
            let import = batch.import.clone();
            Box::new(OpenAiBatch::new(folder, lines((**batch).clone(), plan.prompts.clone()), import))
        }
    })
}

fn folder(out: &Path, homes: &Homes) -> Result<Folder, JobError> {
    Folder::create(&homes.bring(out).map_err(JobError::usage)?).map_err(refused)
}

/// How an item is written as requests of a batch.
fn lines(BatchPlan { model, params, epochs, .. }: BatchPlan, prompts: Prompts) -> Lines {
    Box::new(move |question| {
        let item = question.item();
        let line = |epoch| {
            let request = request(&model.id, &params, &prompts, item, epoch).expect("was rendered before");
            let custom_id = batch::custom_id(&item.id, &request);
            let line = batch::line(&custom_id, &request, model.style());
            (custom_id, line)
        };
        (0..epochs).map(line).collect()
    })
}

fn refused(error: ExportError) -> JobError {
    if error.is_usage() { JobError::usage(error) } else { JobError::Failed(error.into()) }
}
