//! Owns an evaluation: every item put to a model, as often as asked, each reply to one record.
//!
//! Must not know where items come from, where records go, or what they add up to. Items are taken one by one as there is
//! room for another request, so that there may be more of them than memory holds, and the first are asked while the others
//! are made.

use super::chat::{ChatModel, ChatRequest, Params};
use super::form::Form;
use super::judge::Strictness;
use super::limits::Limits;
use super::pipeline::{Clock, Ended, Question, StopSignal, ask_as_they_come};
use super::prompt::{Prompt, PromptError};
use crate::item::record::{Answer, Item, Purpose, Record, SCHEMA_VERSION, Task, Timing};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An item to be asked, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Who chose it: the suite, or whom it was chosen against.
    pub chosen_by: String,
    /// How difficult it was made, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The item; its fields stand beside the others in the line.
    #[serde(flatten)]
    pub item: Item,
}

/// A model under evaluation.
#[derive(Clone)]
pub struct Candidate {
    /// Its full name, `provider/id`: what records call it.
    pub name: String,
    /// Its name at its endpoint.
    pub id: String,
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Sampling parameters; a seed among them is raised by one with each epoch.
    pub params: Params,
    /// Limits of asking.
    pub limits: Limits,
    /// How exactly replies are held against the truth.
    pub strictness: Strictness,
}

/// How each task is asked.
#[derive(Clone, Debug)]
pub struct Prompts(Vec<Prompt>);

impl Prompts {
    /// These; of several for one task the last counts. A task without one is asked as usual.
    pub fn new(own: impl IntoIterator<Item = Prompt>) -> Self {
        let mut prompts: Vec<Prompt> = Task::ALL.iter().map(|&task| Prompt::shipped(task)).collect();
        for prompt in own {
            let of_task = prompts.iter_mut().find(|known| known.task == prompt.task);
            *of_task.expect("there is one for each task") = prompt;
        }
        Self(prompts)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.0.iter()
    }

    /// That of a task.
    pub fn of(&self, task: Task) -> &Prompt {
        self.0.iter().find(|prompt| prompt.task == task).expect("there is one for each task")
    }
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
/// Only those of `subjects` and `on_record`, and a prompt that does not render.
pub async fn evaluate<E: From<PromptError>>(
    candidate: &Candidate,
    (prompts, epochs): (&Prompts, u32),
    subjects: impl Stream<Item = (u32, Result<Subject, E>)>,
    is_known: impl Fn(Place) -> bool,
    stop: StopSignal,
    mut on_record: impl FnMut(Record, Timing) -> Result<(), E>,
) -> Result<Ended, E> {
    let places = subjects.flat_map(|(index, subject)| {
        let epochs: Vec<Place> = (0..epochs).map(|epoch| Place { index, epoch }).collect();
        let unknown: Vec<Place> = epochs.into_iter().filter(|&place| !is_known(place)).collect();
        // An item that cannot be read is one error, not one for each epoch.
        stream::iter(match subject {
            Ok(subject) => unknown.into_iter().map(|place| Ok((place, subject.clone()))).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    });
    let question = |(place, subject): (Place, Subject)| {
        let request = request(&candidate.id, &candidate.params, prompts, (&subject.item, place.epoch))?;
        let strictness = candidate.strictness;
        Ok(Question { request, truth: subject.item.truth.clone(), strictness, about: (place, subject) })
    };
    let questions = places.map(|asked| asked.and_then(question));
    let model = candidate.model.clone();
    let mut form = Form::default();
    let on_answer = |(place, subject), answer, clock: Clock| {
        let record = record(&candidate.name, place, subject, answer);
        let timing = clock.timing(&record);
        on_record(record, timing)
    };
    ask_as_they_come(model, questions, &candidate.limits, &mut form, stop, on_answer).await
}

/// The request that puts an item to the model of this id, for the `epoch`-th time from 0; a seed among the parameters is
/// raised by one with each epoch.
///
/// # Errors
/// If the prompt cannot be rendered.
pub fn request(
    id: &str,
    params: &Params,
    prompts: &Prompts,
    (item, epoch): (&Item, u32),
) -> Result<ChatRequest, PromptError> {
    let messages = prompts.of(item.task).render(item)?;
    let params = Params { seed: params.seed.map(|seed| seed + u64::from(epoch)), ..params.clone() };
    Ok(ChatRequest { model: id.to_owned(), messages, params, epoch })
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
