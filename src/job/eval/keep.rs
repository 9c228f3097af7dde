//! Owns what an evaluation keeps: records, what is known of an earlier part of it, and its progress.
//!
//! Must not know what the records add up to.

use crate::ask::budget::Budget;
use crate::ask::evaluate::Place;
use crate::ask::exchange::{Exchange, ExchangeError};
use crate::item::record::{Record, RecordSink, SinkError, Timing};
use crate::job::error::JobError;
use crate::job::events::{Event, Events, Stage};
use crate::report::evaluation::{EvaluationFigures, EvaluationTally};
use crate::run::dir::RunDir;
use crate::run::intact::ReadError;
use crate::run::manifest::Manifest;
use crate::run::sink::{JsonlSink, stream_records};
use std::collections::HashSet;
use std::sync::Arc;

/// Why an evaluation ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    /// A record could not be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The items cannot be read.
    #[error(transparent)]
    Items(#[from] ReadError),
    /// The model could not be asked on.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

impl From<KeepError> for JobError {
    fn from(error: KeepError) -> Self {
        Self::Failed(error.into())
    }
}

/// Keeps records as they come.
pub(super) struct Keep {
    sink: JsonlSink,
    budget: Arc<Budget>,
    events: Arc<dyn Events>,
}

impl Keep {
    /// Goes on in a directory; so many questions of so many have their answers.
    pub(super) fn open(
        dir: &RunDir,
        budget: Arc<Budget>,
        known: u64,
        total: u64,
        events: Arc<dyn Events>,
    ) -> Result<Self, JobError> {
        let sink = JsonlSink::open(dir)?;
        events.tell(Event::Began(&Stage::Evaluation { known, total }));
        Ok(Self { sink, budget, events })
    }

    pub(super) fn record(&mut self, record: &Record, timing: &Timing) -> Result<(), KeepError> {
        self.sink.record(record, timing)?;
        self.events.tell(Event::Answered { record, spent: self.budget.spent() });
        Ok(())
    }
}

/// Notes which questions of each model have their answers, and pays them.
pub(super) fn recall(dir: &RunDir, exchanges: &[&Exchange]) -> Result<Vec<HashSet<Place>>, JobError> {
    let mut known = vec![HashSet::new(); exchanges.len()];
    for record in stream_records(dir).map_err(JobError::unread)? {
        let record = record.map_err(JobError::unread)?;
        let model = record.model.as_ref();
        if let Some(at) = exchanges.iter().position(|one| Some(&one.examiner().name) == model) {
            known[at].insert(Place { index: record.index, epoch: record.round });
            exchanges[at].recall(&record.item, &record.answer);
        }
    }
    Ok(known)
}

/// Whether a run has no record.
pub(super) fn is_empty(dir: &RunDir) -> bool {
    std::fs::metadata(dir.records()).map_or(true, |file| file.len() == 0)
}

/// The figures of a run, from what is stored of it.
pub fn figures(dir: &RunDir) -> Result<EvaluationFigures, JobError> {
    let manifest = Manifest::read(dir).map_err(JobError::unread)?;
    let mut tally = EvaluationTally::new(&manifest)
        .ok_or_else(|| JobError::wrong(format!("{} is no run of `harness eval`", dir.name())))?;
    for record in stream_records(dir).map_err(JobError::unread)? {
        tally.add(&record.map_err(JobError::unread)?);
    }
    Ok(tally.figures(std::path::Path::new(&dir.name())))
}
