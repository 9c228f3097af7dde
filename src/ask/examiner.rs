//! Owns who is asked and how: a model, its parameters, the prompt, the limits, and how exactly replies are held against
//! the truth; all that is the same for every question of a run.
//!
//! Must not know why anything is asked.

use super::chat::{ChatModel, ChatRequest, Params};
use super::judge::Strictness;
use super::limits::Limits;
use super::pipeline::Question;
use super::prompt::{Prompt, PromptError};
use crate::item::record::Item;
use std::sync::Arc;

/// One who asks a model.
#[derive(Clone)]
pub struct Examiner {
    /// How questions are put.
    pub prompt: Prompt,
    /// Who is asked.
    pub model: Arc<dyn ChatModel>,
    /// The model's id, as requests name it.
    pub model_id: String,
    /// Sampling parameters.
    pub params: Params,
    /// Limits of asking.
    pub limits: Limits,
    /// How exactly replies are held against the truth.
    pub strictness: Strictness,
}

impl Examiner {
    /// The question about an item, asked for the `epoch`-th time from 0. Each time has a sampling seed of its own, where one
    /// was given, and no reply of another time is taken from a cache.
    ///
    /// # Errors
    /// If the prompt cannot be rendered.
    pub fn question<T>(&self, item: &Item, epoch: u32, about: T) -> Result<Question<T>, PromptError> {
        let params = Params { seed: self.params.seed.map(|seed| seed + u64::from(epoch)), ..self.params.clone() };
        let messages = self.prompt.render(item)?;
        let request = ChatRequest { model: self.model_id.clone(), messages, params, epoch };
        Ok(Question { request, truth: item.truth.clone(), strictness: self.strictness, about })
    }
}
