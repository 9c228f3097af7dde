//! Owns what an attack tells, and its `metrics.jsonl`: one line for each round that a strategy learned from.
//!
//! Must not change what is recorded.

use crate::attack::search::{RoundMetrics, Watch};
use crate::item::record::{Record, SinkError};
use crate::job::events::{Event, Events};
use crate::run::dir::RunDir;
use crate::run::jsonl::{self, JsonLines, LineError};
use serde::Serialize;
use std::time::Instant;

/// Hands on what a search tells.
pub(super) struct Rounds<'a> {
    events: &'a dyn Events,
    lines: JsonLines,
    /// Rounds that an earlier part of the attack told of already.
    told: u32,
    /// When the last round was over.
    learned: Instant,
    /// Who the provider says has answered.
    pub(super) model_returned: Option<String>,
}

/// One line of `metrics.jsonl`.
#[derive(Serialize)]
struct RoundLine<'a> {
    #[serde(flatten)]
    metrics: &'a RoundMetrics,
    /// Environment steps a second, asking and the baseline included.
    steps_per_s: f64,
}

impl<'a> Rounds<'a> {
    /// Goes on behind what is there.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn open(dir: &RunDir, events: &'a dyn Events) -> Result<Self, LineError> {
        let lines = JsonLines::open(&dir.metrics())?;
        let told = jsonl::read::<serde::de::IgnoredAny>(&dir.metrics())?.rows.len() as u32;
        Ok(Self { events, lines, told, learned: Instant::now(), model_returned: None })
    }
}

impl Watch for Rounds<'_> {
    fn answered(&mut self, record: &Record, spent: f64) {
        if self.model_returned.is_none() {
            self.model_returned.clone_from(&record.answer.model_returned);
        }
        self.events.tell(Event::Answered { record, spent });
    }

    fn learned(&mut self, metrics: &RoundMetrics) -> Result<(), SinkError> {
        self.events.tell(Event::Learned(metrics));
        let seconds = std::mem::replace(&mut self.learned, Instant::now()).elapsed().as_secs_f64();
        let steps_per_s = (metrics.steps as f64 / seconds).round();
        if metrics.round < self.told {
            return Ok(());
        }
        self.lines.append(&RoundLine { metrics, steps_per_s }).map_err(Into::into)
    }
}
