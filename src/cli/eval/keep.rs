//! Owns what an evaluation keeps: records, what is known of an earlier part of it, and its progress.
//!
//! Must not know what the records add up to.

use super::Examined;
use crate::ask::evaluate::Place;
use crate::ask::limits::Meter;
use crate::ask::models::Prices;
use crate::ask::prompt::PromptError;
use crate::cli::Failure;
use crate::cli::budget::Budget;
use crate::cli::progress::{EvalProgress, watch};
use crate::item::record::{Record, RecordSink, SinkError, Timing};
use crate::report::evaluation::{EvaluationFigures, EvaluationTally};
use crate::run::dir::RunDir;
use crate::run::intact::ReadError;
use crate::run::manifest::Manifest;
use crate::run::sink::{JsonlSink, stream_records};
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
    /// The prompt does not render.
    #[error(transparent)]
    Prompt(#[from] PromptError),
}

/// Keeps records as they come.
pub(super) struct Keep {
    sink: JsonlSink,
    budget: Budget,
    progress: EvalProgress,
}

impl Keep {
    /// Goes on in a directory; so many questions of so many have their answers.
    pub(super) fn open(dir: &RunDir, budget: Budget, (known, total): (u64, u64)) -> Result<Self, Failure> {
        Ok(Self { sink: JsonlSink::open(dir)?, budget, progress: EvalProgress::new(known, total) })
    }

    pub(super) fn record(
        &mut self,
        record: &Record,
        timing: &Timing,
        prices: Option<&Prices>,
    ) -> Result<(), KeepError> {
        self.sink.record(record, timing)?;
        if timing.attempts > 0 {
            self.budget.pay(prices, record);
        }
        self.progress.answered(record, self.budget.spent());
        Ok(())
    }

    /// Tells what is waited for, until it is aborted.
    pub(super) fn watch(
        &self,
        meters: Vec<Arc<Meter>>,
        woven: impl Fn() -> Option<String> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        tokio::spawn(watch(self.progress.line(), meters, woven))
    }

    pub(super) fn finish(self) {
        self.progress.finish();
    }
}

/// Notes what of each model is known, and what it cost.
pub(super) fn recall(dir: &RunDir, examined: &mut [Examined], budget: &mut Budget) -> Result<(), Failure> {
    for record in stream_records(dir).map_err(Failure::unread)? {
        let record = record.map_err(Failure::unread)?;
        let of = |one: &&mut Examined| Some(&one.candidate.name) == record.model.as_ref();
        if let Some(one) = examined.iter_mut().find(of) {
            one.known.insert(Place { index: record.index, epoch: record.round });
            budget.pay(one.prices.as_ref(), &record);
        }
    }
    Ok(())
}

/// Whether a run has no record.
pub(super) fn is_empty(dir: &RunDir) -> bool {
    std::fs::metadata(dir.records()).map_or(true, |file| file.len() == 0)
}

/// The figures of a run, from what is stored of it.
pub(in crate::cli) fn figures(dir: &RunDir) -> Result<EvaluationFigures, Failure> {
    let manifest = Manifest::read(dir).map_err(Failure::unread)?;
    let mut tally = EvaluationTally::new(&manifest)
        .ok_or_else(|| Failure::usage(anyhow::anyhow!("{} is no run of `harness eval`", dir.name())))?;
    for record in stream_records(dir).map_err(Failure::unread)? {
        tally.add(&record.map_err(Failure::unread)?);
    }
    Ok(tally.figures(std::path::Path::new(&dir.name())))
}
