//! Owns answers: from an item to a prompt, through a model, to a verdict.
//!
//! Must not know rewards or learning. Every outside system sits behind [`chat::ChatModel`], which has a scripted twin;
//! provider trouble is kept apart from wrong answers all the way ([`chat::ChatError`], never a verdict of `wrong`).

pub(crate) mod batch;
pub mod budget;
pub(crate) mod cache;
pub mod chat;
pub mod evaluate;
pub mod examiner;
pub mod exchange;
pub(crate) mod form;
pub mod guess;
pub mod judge;
pub mod limits;
pub mod models;
pub mod openai;
pub mod pipeline;
pub(crate) mod price;
pub(crate) mod probe;
pub mod prompt;
pub mod residents;
pub mod serve;
pub mod stop;
