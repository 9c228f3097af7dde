//! Owns what an earlier part of an attack has asked already. An attack that goes on is played again from its seed, with
//! these answers in place of requests, and so comes to where it was: nothing of the learner has to be kept.
//!
//! Must not know how records are stored.

use super::AttackError;
use crate::item::record::{Answer, Item, Purpose, Record};
use std::collections::HashMap;

/// Answers by the place of their questions.
#[derive(Clone, Debug, Default)]
pub struct Known(HashMap<(Purpose, u32, u32), (u64, Answer)>);

impl Known {
    /// Those of records; the seed of the program tells whether it is the same question.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let entry =
            |record: Record| ((record.purpose, record.round, record.index), (record.item.recipe.seed, record.answer));
        Self(records.into_iter().map(entry).collect())
    }

    /// The answer to the question of this place, if it was asked.
    pub(super) fn take(&mut self, place: (Purpose, u32, u32), item: &Item) -> Result<Option<Answer>, AttackError> {
        match self.0.remove(&place) {
            None => Ok(None),
            Some((seed, answer)) if seed == item.recipe.seed => Ok(Some(answer)),
            Some(_) => Err(AttackError::Differs { purpose: place.0, round: place.1, index: place.2 }),
        }
    }
}
