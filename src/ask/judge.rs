//! Owns the step from a reply to a verdict.
//!
//! Must not know prompts, models or rewards. Lenient in how an answer is written, exact in what it says: shapes,
//! fences, quotes and bases are forgiven; a bit is not. What cannot be read is `invalid_format`, never `wrong`, since
//! only an answer that was read may count against a model.

mod answer;
mod number;
mod scan;

use super::chat::ChatReply;
use crate::item::record::{Truth, Verdict};
use crate::wasm::types::Value;
use answer::Given;

/// What a reply is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// For each value of the truth, bottom first: is it right? Empty unless the verdict is correct or wrong.
    pub slots: Vec<bool>,
    /// Wrong, missing and surplus values over the longer of both stacks; `None` unless correct or wrong.
    pub wrong_share: Option<f32>,
}

impl Judged {
    fn unread(verdict: Verdict) -> Self {
        Self { verdict, slots: Vec::new(), wrong_share: None }
    }
}

/// Judges a reply against the truth. Total: no text makes it fail, and time is linear in the text.
///
/// The answer is the last `<OUTPUT>...</OUTPUT>`, else the last JSON object with `stack_values`. A reply that a token
/// limit cut off is `truncated` even with an answer in it, since the model had not ended it.
pub fn judge(reply: &ChatReply, truth: &Truth) -> Judged {
    if let Some(verdict) = unfinished(reply) {
        return Judged::unread(verdict);
    }
    match answer::find(reply.content.as_deref().unwrap_or_default()) {
        None => Judged::unread(Verdict::InvalidFormat),
        Some(given) => match truth {
            Truth::StackValues(values) => compare(&given, values),
        },
    }
}

/// The verdict of a reply that needs no reading.
fn unfinished(reply: &ChatReply) -> Option<Verdict> {
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    match reply.finish_reason.as_deref() {
        _ if filled(&reply.refusal) => Some(Verdict::Refusal),
        Some("content_filter" | "safety" | "SAFETY" | "refusal") => Some(Verdict::Refusal),
        Some("length" | "max_tokens" | "MAX_TOKENS" | "model_length") => Some(Verdict::Truncated),
        _ if !filled(&reply.content) => Some(Verdict::NoResponse),
        _ => None,
    }
}

fn compare(given: &[Given], truth: &[Value]) -> Judged {
    let slots: Vec<bool> =
        truth.iter().enumerate().map(|(i, &value)| given.get(i).is_some_and(|g| g.is(value))).collect();
    let right = slots.iter().filter(|&&right| right).count();
    let all = truth.len().max(given.len());
    let verdict = if right == all { Verdict::Correct } else { Verdict::Wrong };
    let wrong_share = if all == 0 { 0.0 } else { (all - right) as f32 / all as f32 };
    Judged { verdict, slots, wrong_share: Some(wrong_share) }
}

#[cfg(test)]
mod tests;
