//! Owns what `guess/learned` is trained on: other items of the same presets.
//!
//! Must not know files, nor policies that learned. The choices are those of the preset's prior alone, so that the floor
//! is that of the preset.

use super::learned::{self, Learned};
use crate::item::record::Task;
use crate::item::source::{ItemSource, TooFew};
use crate::seed::Seed;
use crate::wasm::parse::ParseError;
use std::collections::BTreeMap;

/// Items that `guess/learned` is trained on.
pub const LESSONS: usize = 10_000;

/// Nothing can be learned.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// The preset makes too few items.
    #[error(transparent)]
    TooFew(#[from] TooFew),
    /// An item's own text cannot be read: a mistake in this program.
    #[error("an item cannot be read from its own text: {0}")]
    Unreadable(#[from] ParseError),
}

/// For each task a guesser trained on [`LESSONS`] items, as many of each source, that have nothing to do with those of the
/// seed itself.
///
/// # Errors
/// If there are too few.
pub fn learn(sources: &[ItemSource], seed: Seed) -> Result<BTreeMap<Task, Learned>, LessonError> {
    let mut learned = BTreeMap::new();
    for &task in Task::ALL {
        let of_task: Vec<&ItemSource> = sources.iter().filter(|source| source.task() == task).collect();
        let mut items = Vec::with_capacity(LESSONS);
        for source in &of_task {
            items.extend(source.items(seed.child("lessons"), LESSONS.div_ceil(of_task.len()))?);
        }
        if !items.is_empty() {
            learned.insert(task, learned::train(items.iter())?);
        }
    }
    Ok(learned)
}
