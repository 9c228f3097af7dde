//! Owns which runs may stand on a leaderboard, which of them share a table, and what their replies are worth: each is judged
//! anew, so that a verdict that was edited, or given by an older judge, ranks no model.
//!
//! Must not know figures. Items that were chosen against one model rank no models: neither attacks nor evaluations of
//! what an attack found are let in.

use crate::ask::pipeline::regrade;
use crate::item::edit::UnreadableItem;
use crate::item::record::Record;
use crate::run::dir::RunDir;
use crate::run::manifest::{Manifest, ManifestError};
use crate::run::plan::{EvalPlan, Examinee};
use crate::run::shard::Shard;
use crate::run::sink::{ReadError, stream_records};
use std::path::PathBuf;

/// A leaderboard could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum LeaderboardError {
    /// The items or records of a run cannot be read.
    #[error(transparent)]
    Records(#[from] ReadError),
    /// The program of an item cannot be read.
    #[error(transparent)]
    Item(#[from] UnreadableItem),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Plot(#[from] super::super::plot::PlotError),
    /// A table cannot be written as CSV.
    #[error("cannot write the table as CSV: {0}")]
    Csv(#[from] ::csv::Error),
}

/// A run that may stand on a leaderboard.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    /// Its directory.
    pub dir: RunDir,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Why a run ranks no models.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRanked {
    /// Its manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It is no evaluation.
    #[error(
        "{run} is a run of `harness {verb}`: items chosen against one model rank no models; a leaderboard takes runs of \
         `harness eval`"
    )]
    NoEvaluation {
        /// Its directory.
        run: PathBuf,
        /// What was run.
        verb: String,
    },
    /// Its items are an attack's.
    #[error(
        "the items of {run} were chosen against {model}: they rank no models; evaluate a suite instead (harness eval --suite)"
    )]
    ChosenAgainst {
        /// Its directory.
        run: PathBuf,
        /// The model.
        model: String,
    },
    /// It is a part of a run.
    #[error("{run} is part {shard} of an evaluation; put the parts together with `harness merge` first")]
    Part {
        /// Its directory.
        run: PathBuf,
        /// Which.
        shard: Shard,
    },
    /// It was stopped before it had items.
    #[error("{run} was stopped before it had any items; go on with `harness eval --resume {run}`")]
    NoItems {
        /// Its directory.
        run: PathBuf,
    },
}

impl Entrant {
    pub(super) fn evaluation(&self) -> &EvalPlan {
        self.manifest.plan.evaluation().expect("looked at when it was let in")
    }

    pub(super) fn fingerprint(&self) -> &str {
        self.manifest.fingerprint.as_deref().expect("looked at when it was let in")
    }

    /// Its records, each with the verdict that its reply deserves, and whether that is the one that was stored.
    pub(super) fn judged(&self) -> Result<impl Iterator<Item = Result<(Record, bool), ReadError>>, ReadError> {
        let judge = |mut record: Record| {
            let of = |model: &&Examinee| Some(&model.name) == record.model.as_ref();
            let strictness =
                self.evaluation().models.iter().find(of).map(|model| model.request.strictness()).unwrap_or_default();
            let stored = record.answer.verdict;
            record.answer = regrade(record.answer, &record.item.truth, strictness);
            let is_same = record.answer.verdict == stored;
            (record, is_same)
        };
        Ok(stream_records(&self.dir)?.map(move |record| record.map(judge)))
    }

    /// The directory as it was given.
    pub(super) fn name(&self) -> String {
        self.dir.name()
    }
}

/// A run, if models may be ranked by it.
///
/// # Errors
/// Why they may not.
pub(crate) fn entrant(dir: RunDir) -> Result<Entrant, NotRanked> {
    let manifest = Manifest::read(&dir)?;
    let run = PathBuf::from(dir.name());
    let Some(evaluation) = manifest.plan.evaluation() else {
        return Err(NotRanked::NoEvaluation { run, verb: manifest.plan.verb().into() });
    };
    if let Some(model) = evaluation.chosen_against.clone() {
        return Err(NotRanked::ChosenAgainst { run, model });
    }
    if let Some(shard) = evaluation.shard {
        return Err(NotRanked::Part { run, shard });
    }
    if manifest.fingerprint.is_none() {
        return Err(NotRanked::NoItems { run });
    }
    Ok(Entrant { dir, manifest })
}

/// Those with the same items together, in the order in which the first of each was given.
pub(super) fn groups(entrants: &[Entrant]) -> Vec<Vec<&Entrant>> {
    let mut groups: Vec<Vec<&Entrant>> = Vec::new();
    for entrant in entrants {
        match groups.iter_mut().find(|group| group[0].fingerprint() == entrant.fingerprint()) {
            Some(group) => group.push(entrant),
            None => groups.push(vec![entrant]),
        }
    }
    groups
}
