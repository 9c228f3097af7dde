//! Owns who is asked and how: a model, its parameters, the prompts, the limits, and how exactly replies are held against
//! the truth; all that is the same for every question that one model is asked in a run.
//!
//! Must not know why anything is asked.

use super::chat::{ChatModel, ChatRequest, Params};
use super::judge::Strictness;
use super::limits::Limits;
use super::models::Prices;
use super::pipeline::Query;
use super::prompt::{PromptError, Prompts};
use crate::item::record::Item;
use std::sync::Arc;

/// A model, and how it is asked.
#[derive(Clone)]
pub struct Examiner {
    /// Its full name, `provider/id`: what records call it.
    pub name: String,
    /// Its name at its endpoint.
    pub id: String,
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Sampling parameters; a seed among them is raised by one with each epoch.
    pub params: Params,
    /// How questions are put.
    pub prompts: Prompts,
    /// Limits of asking.
    pub limits: Limits,
    /// How exactly replies are held against the truth.
    pub strictness: Strictness,
    /// What it costs; `None` if unknown.
    pub prices: Option<Prices>,
}

impl Examiner {
    /// A model that is asked in the default way: with the prompts that come with the program,
    /// without sampling parameters, and for nothing.
    pub fn new(name: &str, model: Arc<dyn ChatModel>) -> Self {
        Self {
            name: name.into(),
            id: name.into(),
            model,
            params: Params::default(),
            prompts: Prompts::default(),
            limits: Limits::default(),
            strictness: Strictness::default(),
            prices: None,
        }
    }

    /// The question about an item, asked for the `epoch`-th time from 0.
    ///
    /// # Errors
    /// If the prompt cannot be rendered.
    pub fn question<T>(&self, item: &Item, epoch: u32, about: T) -> Result<Query<T>, PromptError> {
        let request = request(&self.id, &self.params, &self.prompts, item, epoch)?;
        Ok(Query { request, truth: item.truth.clone(), strictness: self.strictness, about })
    }
}

/// The request that puts an item to the model of this id, for the `epoch`-th time from 0. Each time has a sampling seed of
/// its own, where one was given, and no reply of another time is taken from a cache.
///
/// # Errors
/// If the prompt cannot be rendered.
pub fn request(
    id: &str,
    params: &Params,
    prompts: &Prompts,
    item: &Item,
    epoch: u32,
) -> Result<ChatRequest, PromptError> {
    let messages = prompts.of(item.task).render(item)?;
    let params = Params { seed: params.seed.map(|seed| seed + u64::from(epoch)), ..params.clone() };
    Ok(ChatRequest { model: id.to_owned(), messages, params, epoch })
}
