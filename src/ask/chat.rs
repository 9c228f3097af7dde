//! Owns the shape of a conversation: what is sent to a model, what comes back, what can go wrong, and the trait that
//! every model stands behind, with its scripted twin for tests.
//!
//! Must not know HTTP, prompts or verdicts.

pub use crate::item::message::{Message, Role};

use crate::item::record::Usage;
pub use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Sampling parameters; `None` leaves the choice to the provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Most tokens written, hidden reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How long a reasoning model thinks: `low`, `medium`, `high`, or what the provider knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    /// Seed of the model's sampling, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// One request to a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The model's name as its endpoint knows it.
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// Sampling parameters.
    #[serde(default)]
    pub params: Params,
    /// How often the same was asked before. It is not sent; a cache must not take one of several replies for all.
    #[serde(default)]
    pub epoch: u32,
}

/// What came back, as far as the provider said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatReply {
    /// The text; `None` where the provider sent none.
    pub content: Option<String>,
    /// The provider's refusal text.
    pub refusal: Option<String>,
    /// Visible reasoning.
    pub reasoning: Option<String>,
    /// Why the model stopped, in the provider's words.
    pub finish_reason: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// Requests sent, retries included; 0 for a reply that was kept.
    pub attempts: u32,
}

impl ChatReply {
    /// A finished reply with this text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: Some(content.into()), finish_reason: Some("stop".into()), attempts: 1, ..Self::default() }
    }
}

/// What kind of trouble an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatErrorKind {
    /// The key is missing, wrong, or not allowed to do this (401, 403).
    Auth,
    /// There is no such model or address (404).
    NotFound,
    /// The account has no credit left; more patience does not help.
    Quota,
    /// The endpoint does not take a parameter of the request, which every other question has, too.
    Parameter,
    /// The provider's filter declined this question; it says nothing about others, and the model was not heard.
    Declined,
    /// The request itself was refused (other 4xx).
    BadRequest,
    /// Too many requests (429).
    RateLimit,
    /// The provider failed (5xx), or said that it did.
    Provider,
    /// No connection, or one that broke.
    Connect,
    /// Success, but no chat completion: a web page, broken JSON, nothing. Gateways under load do that.
    Malformed,
    /// No reply within the time allowed.
    Timeout,
    /// Given up between two attempts, since the run stops ([`ChatModel::close`]).
    Stopped,
}

/// Why there is no reply. Says nothing about the model's ability, so it must never count as a wrong answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ChatError {
    /// The kind of trouble.
    pub kind: ChatErrorKind,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// One sentence for the user.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Requests sent, retries included.
    pub attempts: u32,
}

impl ChatError {
    /// Trouble without a status; retryable where the kind suggests that it passes.
    pub fn new(kind: ChatErrorKind, message: impl Into<String>) -> Self {
        use ChatErrorKind::{Connect, Malformed, Provider, RateLimit, Timeout};
        let retryable = matches!(kind, RateLimit | Provider | Connect | Malformed | Timeout);
        Self { kind, status: None, message: message.into(), retryable, retry_after: None, attempts: 1 }
    }

    /// Whether every other question would fail the same way, so that asking on is pointless.
    pub fn is_fatal(&self) -> bool {
        use ChatErrorKind::{Auth, NotFound, Parameter, Quota};
        matches!(self.kind, Auth | NotFound | Parameter | Quota)
    }
}

/// A model that can be asked.
pub trait ChatModel: Send + Sync {
    /// Asks once and returns the final outcome; retries and time limits are the implementation's own, and bounded.
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>>;

    /// Sends no further request: attempts under way go on, a question that waits for another one gives up
    /// ([`ChatErrorKind::Stopped`]). A model that never waits has nothing to do.
    fn close(&self) {}
}

type Script = dyn Fn(&ChatRequest) -> Result<ChatReply, ChatError> + Send + Sync;

/// The scripted twin of a model: a function of the request, answered at once.
pub struct Scripted {
    script: Box<Script>,
    asked: AtomicUsize,
}

impl Scripted {
    /// A model that answers with `script`.
    pub fn new(script: impl Fn(&ChatRequest) -> Result<ChatReply, ChatError> + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), asked: AtomicUsize::new(0) }
    }

    /// A model that always says the same.
    pub fn saying(text: &str) -> Self {
        let reply = ChatReply::text(text);
        Self::new(move |_| Ok(reply.clone()))
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ChatModel for Scripted {
    fn ask<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatReply, ChatError>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            (self.script)(request)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trouble_of_all_questions_is_fatal_and_none_of_it_is_retried() {
        use ChatErrorKind::*;
        let passing = [Declined, BadRequest, RateLimit, Provider, Connect, Malformed, Timeout, Stopped];
        for kind in [Auth, NotFound, Quota, Parameter].into_iter().chain(passing) {
            let error = ChatError::new(kind, "x");
            assert_eq!(error.is_fatal(), !passing.contains(&kind));
            assert!(!(error.is_fatal() && error.retryable));
        }
    }

    #[test]
    fn unset_parameters_are_not_written() {
        let params = Params { seed: Some(3), ..Params::default() };
        assert_eq!(serde_json::to_string(&params).expect("plain data"), r#"{"seed":3}"#);
    }
}
