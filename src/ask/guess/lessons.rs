//! Owns what `guess/learned` is trained on: other items of the same preset.
//!
//! Must not know files, nor policies that learned. The choices are those of the preset's prior alone, so that the floor
//! is that of the preset.

use super::learned::{self, Learned};
use crate::item::source::{ItemSource, TooFew};
use crate::seed::Seed;
use crate::wasm::parse::ParseError;

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

/// A guesser trained on [`LESSONS`] items that have nothing to do with those of the seed itself.
///
/// # Errors
/// If there are too few.
pub fn learn(source: &ItemSource, seed: Seed) -> Result<Learned, LessonError> {
    let items = source.items(seed.child("lessons"), LESSONS)?;
    Ok(learned::train(items.iter())?)
}
