//! Owns merging: the parts of an evaluation or of a data set, put together.
//!
//! Must not know what is in them.

use super::error::JobError;
use super::eval::figures;
use super::events::Event;
use super::setting::Setting;
use crate::item::halt::Halt;
use crate::item::record::Item;
use crate::item::stream::Disagrees;
use crate::learn::pretrained::Pretrained;
use crate::report::evaluation::EvaluationFigures;
use crate::run::command::without;
use crate::run::dataset::{CARD, Card, Counts, WovenCard};
use crate::run::dir::{MANIFEST, RunDir, folders_with};
use crate::run::merge::{MergeError, Parts, merge_evaluation};
use crate::seed::Seed;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergePlan {
    /// Parts, or folders that have them.
    pub parts: Vec<PathBuf>,
    /// Where the whole goes.
    pub out: PathBuf,
    /// The policy that wove a data set's programs, where it was one.
    pub policy: Option<PathBuf>,
}

/// What merging made.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Merged {
    /// A run.
    Evaluation(Box<EvaluationFigures>),
    /// A data set.
    DataSet {
        /// Parts that it is of.
        parts: usize,
        /// What is in it.
        #[serde(flatten)]
        counts: Counts,
    },
}

/// How deep parts are looked for in a folder.
const DEPTH: usize = 3;

/// Puts parts together.
///
/// # Errors
/// If they are not all the parts of one whole; then nothing half-merged stays.
pub fn run(plan: &MergePlan, setting: &Setting<'_>) -> Result<Merged, JobError> {
    let parts = find(plan, setting)?;
    let (runs, data): (Vec<PathBuf>, Vec<PathBuf>) = parts.into_iter().partition(|path| path.join(MANIFEST).exists());
    match (&runs[..], &data[..]) {
        ([], []) => Err(wrong("there are no parts")),
        (runs, []) => evaluation(runs, &plan.out, setting),
        ([], data) => data_set(data, plan, setting),
        _ => Err(wrong("there are parts of an evaluation and of a data set")),
    }
}

/// The parts that were given, and those in the folders that were given; each once.
fn find(plan: &MergePlan, setting: &Setting<'_>) -> Result<Vec<PathBuf>, JobError> {
    let mut found = Vec::new();
    for path in &plan.parts {
        let here = setting.homes.bring(path).map_err(JobError::usage)?;
        let within = folders_with(&here, &[MANIFEST, CARD], DEPTH)
            .map_err(|error| wrong(&format!("cannot look for parts in {}: {error}", path.display())))?;
        if within.is_empty() {
            return Err(wrong(&format!("{} has no part", path.display())));
        }
        found.extend(within.into_iter().filter(|path| !found.contains(path)).collect::<Vec<_>>());
    }
    Ok(found)
}

fn wrong(problem: &str) -> JobError {
    JobError::wrong(format!(
        "{problem}; name what `harness eval --shard I/N` or `harness generate --shard I/N` made, for each I from 1 to N"
    ))
}

fn evaluation(runs: &[PathBuf], out: &Path, setting: &Setting<'_>) -> Result<Merged, JobError> {
    let open = |path: &PathBuf| Ok(setting.homes.named(RunDir::open(path).map_err(JobError::usage)?));
    let runs = runs.iter().map(open).collect::<Result<Vec<_>, JobError>>()?;
    let out = setting.homes.create_at(out).map_err(JobError::usage)?;
    let merged = merge_evaluation(&runs, &out).map_err(failure).and_then(|mut manifest| {
        // The command of the whole.
        for flag in ["--shard", "--into", "--log-dir"] {
            manifest.command = without(manifest.command.into_iter(), flag).collect();
        }
        manifest.write(&out)?;
        Ok(Merged::Evaluation(Box::new(figures(&out)?)))
    });
    if merged.is_err() {
        // Nothing half-merged stays.
        std::fs::remove_dir_all(out.path())?;
    }
    merged
}

fn data_set(folders: &[PathBuf], plan: &MergePlan, setting: &Setting<'_>) -> Result<Merged, JobError> {
    let parts = Parts::read(folders).map_err(failure)?;
    let mut weaver = match parts.whole() {
        Card::Woven(card) => Some(weaver(card, plan, setting)?),
        Card::Suite(_) => None,
    };
    let out = setting.homes.take_folder(&plan.out).map_err(JobError::usage)?;
    let counts = parts.write(&out, |stretch| {
        let weaver = weaver.as_mut().expect("items of a suite are all in its parts");
        weaver(stretch)
    });
    Ok(Merged::DataSet { parts: folders.len(), counts: counts.map_err(MergeFailure::told)? })
}

/// Makes the items of stretches that no part has.
fn weaver<'s>(
    card: &WovenCard,
    plan: &MergePlan,
    setting: &'s Setting<'_>,
) -> Result<impl FnMut(u64) -> Result<Vec<Item>, MergeFailure> + use<'s>, JobError> {
    let loom = card.config.loom().map_err(JobError::usage)?;
    let policy = plan.policy.as_deref().map(Pretrained::load).transpose().map_err(JobError::usage)?;
    let hash = policy.as_ref().map(Pretrained::hash).transpose()?;
    if hash.is_some() && hash != card.policy {
        return Err(wrong("--policy is not what wove these parts"));
    }
    let source = match &policy {
        Some(policy) => {
            let chooser = policy.chooser(&loom.config, &card.config.prior)?;
            card.config.source_by(&loom, Arc::new(chooser), &Halt::default())
        }
        None => card.config.source(&loom),
    };
    let (seed, is_ours, events) = (Seed::new(card.seed), hash == card.policy, setting.events.clone());
    Ok(move |stretch| {
        if !is_ours {
            return Err(MergeFailure::Policy);
        }
        events.tell(Event::Note("weaving a stretch of programs that no part has"));
        let mut items = Vec::new();
        source.stream_stretches(
            seed,
            1,
            |_| stretch,
            |draft, _| match draft {
                Some(draft) => {
                    items.push(draft.item);
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(()),
            },
        )?;
        Ok(items)
    })
}

/// Why a data set could not be merged.
#[derive(Debug, thiserror::Error)]
enum MergeFailure {
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    Disagrees(#[from] Disagrees),
    #[error("the parts have a stretch of programs too few, and a policy wove them; name it with --policy")]
    Policy,
}

impl MergeFailure {
    fn told(self) -> JobError {
        match self {
            Self::Merge(error) => failure(error),
            Self::Policy => JobError::usage(self),
            Self::Disagrees(_) => JobError::Failed(self.into()),
        }
    }
}

/// What the user can mend is told as that.
fn failure(error: MergeError) -> JobError {
    if error.is_usage() { JobError::usage(error) } else { JobError::Failed(error.into()) }
}
