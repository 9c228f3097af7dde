//! Owns what `guess/learned` is trained on: other items of the same presets.
//!
//! Must not know files, nor policies that learned. The choices are those of the preset's prior alone, so that the floor
//! is that of the preset.

use super::learned::{self, Learned};
use crate::item::record::Task;
use crate::item::source::ItemSource;
use crate::item::stream::ItemsError;
use crate::seed::Seed;
use crate::wasm::parse::ParseError;
use std::collections::BTreeMap;

/// Items that `guess/learned` is trained on.
pub const LESSONS: usize = 10_000;

/// Nothing can be learned.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// The preset makes too few items, or a wrong one.
    #[error(transparent)]
    Items(#[from] ItemsError),
    /// An item's own text cannot be read: a mistake in this program.
    #[error("an item cannot be read from its own text: {0}")]
    Unreadable(#[from] ParseError),
}

impl LessonError {
    /// Whether it is a mistake in this program, not in the preset.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Items(ItemsError::TooFew(_)))
    }
}

/// For each task a guesser trained on [`LESSONS`] items, as many of each source, that have nothing to do with those of the
/// seed itself.
///
/// # Errors
/// If there are too few, or one of them is wrong.
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
