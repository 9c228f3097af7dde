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
/// The answer is the last `<OUTPUT>...</OUTPUT>`, else the last JSON object with `stack_values`; an earlier draft never
/// stands in for a last answer that cannot be read. A reply that a token limit cut off is `truncated` even with an
/// answer in it, since the model had not ended it. One that stopped for a reason we do not know (`error`, `abort`, ...)
/// may be `correct`, which no accident makes it, and is `truncated` otherwise, for it may have been cut off.
pub fn judge(reply: &ChatReply, truth: &Truth) -> Judged {
    let end = End::of(reply.finish_reason.as_deref().unwrap_or_default());
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    match end {
        _ if filled(&reply.refusal) => Judged::unread(Verdict::Refusal),
        End::Declined => Judged::unread(Verdict::Refusal),
        End::CutOff => Judged::unread(Verdict::Truncated),
        End::Whole if !filled(&reply.content) => Judged::unread(Verdict::NoResponse),
        End::Whole | End::Unlisted => {
            let judged = read(reply.content.as_deref().unwrap_or_default(), truth);
            let counts = end == End::Whole || judged.verdict == Verdict::Correct;
            if counts { judged } else { Judged::unread(Verdict::Truncated) }
        }
    }
}

/// How a reply came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The model ended it.
    Whole,
    /// The model or a filter declined.
    Declined,
    /// A token limit cut it off.
    CutOff,
    /// The provider gave a reason that stands in no list here, so nobody knows whether it is whole.
    Unlisted,
}

impl End {
    /// Reads a finish reason of any provider, in any case; an absent one is empty.
    fn of(reason: &str) -> Self {
        match reason.trim().to_ascii_lowercase().as_str() {
            "" | "null" | "stop" | "stop_sequence" | "end_turn" | "end" | "eos" | "eos_token" | "complete"
            | "completed" => Self::Whole,
            "content_filter"
            | "content_filtered"
            | "safety"
            | "refusal"
            | "prohibited_content"
            | "recitation"
            | "blocklist"
            | "spii"
            | "guardrail_intervened" => Self::Declined,
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "model_context_window_exceeded"
            | "incomplete" => Self::CutOff,
            _ => Self::Unlisted,
        }
    }
}

fn read(content: &str, truth: &Truth) -> Judged {
    match answer::find(content) {
        None => Judged::unread(Verdict::InvalidFormat),
        Some(given) => match truth {
            Truth::StackValues(values) | Truth::ReturnValues(values) => compare(&given, values),
            Truth::FlagStates(_) | Truth::Fuel(_) => Judged::unread(Verdict::InvalidFormat),
        },
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
