//! Owns an evaluation: every item put to a model, as often as asked, each reply to one record.
//!
//! Must not know where items come from, where records go, or what they add up to. Items are taken one by one as there is
//! room for another request, so that there may be more of them than memory holds, and the first are asked while the others
//! are made.

use super::exchange::{Exchange, ExchangeError, Finish, ToAsk};
use super::pipeline::Clock;
use crate::item::record::{Answer, Item, Purpose, Record, SCHEMA_VERSION, Timing};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};

/// An item to be asked, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What chose it: the suite, or an attack on a model.
    pub chosen_by: String,
    /// How difficult it was made, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The item; its fields stand beside the others in the line.
    #[serde(flatten)]
    pub item: Item,
}

/// One question of an evaluation, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The item's, in the order of all items.
    pub index: u32,
    /// How often it was asked before.
    pub epoch: u32,
}

/// Asks a model about all subjects, each with its position, `epochs` times each, but for the places that are known already.
/// `on_record` gets each record as it comes, with what the clock says of it.
///
/// # Errors
/// Only those of `subjects` and `on_record`, and of the exchange.
pub async fn evaluate<E: From<ExchangeError>>(
    exchange: &mut Exchange,
    epochs: u32,
    subjects: impl Stream<Item = (u32, Result<Subject, E>)>,
    is_known: impl Fn(Place) -> bool,
    mut on_record: impl FnMut(Record, Timing) -> Result<(), E>,
) -> Result<Finish, E> {
    let places = subjects.flat_map(|(index, subject)| {
        let epochs: Vec<Place> = (0..epochs).map(|epoch| Place { index, epoch }).collect();
        let unknown: Vec<Place> = epochs.into_iter().filter(|&place| !is_known(place)).collect();
        // An item that cannot be read is one error, not one for each epoch.
        stream::iter(match subject {
            Ok(subject) => unknown.into_iter().map(|place| Ok((place, subject.clone()))).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    });
    let asked = places.map(|asked| {
        asked.map(|(place, subject)| ToAsk { item: subject.item.clone(), epoch: place.epoch, about: (place, subject) })
    });
    let name = exchange.examiner().name.clone();
    let on_answer = |(place, subject), answer, clock: Clock| {
        let record = record(&name, place, subject, answer);
        let timing = clock.timing(&record);
        on_record(record, timing)
    };
    exchange.ask(asked, on_answer).await
}

/// The record of an answer of the model of this full name.
pub fn record(name: &str, place: Place, subject: Subject, answer: Answer) -> Record {
    Record {
        schema: SCHEMA_VERSION,
        purpose: Purpose::Eval,
        model: Some(name.to_owned()),
        round: place.epoch,
        index: place.index,
        chosen_by: subject.chosen_by,
        level: subject.level,
        item: subject.item,
        answer,
        reward: None,
        cell: None,
    }
}
