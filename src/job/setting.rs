//! Owns what a job needs of the world around it: where runs lie, who listens, who stops it, and who answers.
//!
//! Must not know any job.

use super::events::{Event, Events, Silence};
use crate::ask::chat::ChatModel;
use crate::ask::stop::{Stop, Stopper};
use crate::run::homes::Homes;
use crate::run::suite::Shelf;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is around a job.
#[derive(Clone)]
pub struct Setting<'h> {
    /// Where runs lie.
    pub homes: &'h Homes,
    /// Who listens.
    pub events: Arc<dyn Events>,
    /// Who stops it.
    pub stopper: Stopper,
    /// The command line that asked for it, for the manifest; empty if none did.
    pub command: Vec<String>,
    /// Where woven suites are kept; `None` to weave them each time.
    pub shelf: Option<Shelf>,
    /// Who answers in place of the models of these names.
    pub models: BTreeMap<String, Arc<dyn ChatModel>>,
}

impl<'h> Setting<'h> {
    /// One without a listener, which is never stopped.
    pub fn new(homes: &'h Homes) -> Self {
        Self {
            homes,
            events: Arc::new(Silence),
            stopper: Stopper::default(),
            command: Vec::new(),
            shelf: None,
            models: BTreeMap::new(),
        }
    }

    /// The same where a model of the caller's own answers in place of the one of this name.
    pub fn answered_by(mut self, name: impl Into<String>, model: Arc<dyn ChatModel>) -> Self {
        self.models.insert(name.into(), model);
        self
    }

    /// Tells people something.
    pub(super) fn note(&self, text: &str) {
        self.events.tell(Event::Note(text));
    }

    /// Whether it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stopper.signal().borrow() != Stop::Go
    }
}
