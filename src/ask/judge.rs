//! Owns the step from a reply to a verdict.
//!
//! Must not know prompts, models or rewards. Lenient in how an answer is written, exact in what it says: shapes,
//! fences, quotes and bases are forgiven; a bit is not. What cannot be read is `invalid_format`, never `wrong`, since
//! only an answer that was read may count against a model.

mod answer;
mod find;
mod number;
mod scan;
pub mod thought;
mod work;

use super::chat::ChatReply;
use crate::item::record::{Said, Truth, Verdict};
use crate::wasm::types::{ValType, Value};
use answer::{Given, GivenFlags};

/// What a reply is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// For each slot of the truth, in its order: is it right? Empty unless the verdict is correct or wrong.
    pub slots: Vec<bool>,
    /// Wrong, missing and surplus slots over those of the longer side; `None` unless correct or wrong.
    pub wrong_share: Option<f32>,
}

impl Judged {
    fn unread(verdict: Verdict) -> Self {
        Self { verdict, slots: Vec::new(), wrong_share: None }
    }

    /// An answer that was read: which slots of the truth it has right, and how many it has beyond them.
    fn compared(slots: Vec<bool>, surplus: usize) -> Self {
        let all = slots.len() + surplus;
        let wrong = all - slots.iter().filter(|&&right| right).count();
        let verdict = if wrong == 0 { Verdict::Correct } else { Verdict::Wrong };
        let wrong_share = if all == 0 { 0.0 } else { wrong as f32 / all as f32 };
        Self { verdict, slots, wrong_share: Some(wrong_share) }
    }
}

/// How near a float must come to the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Strictness {
    /// `None`, the default: its bits, any NaN for a NaN. `Some(T)`: as the original compares, for comparison with its
    /// results: `|given - truth|` at most `T`, or at most `T` times the larger of both magnitudes; an infinity is near
    /// itself alone, a NaN near every NaN.
    pub float_tolerance: Option<f64>,
}

impl Strictness {
    fn accepts(self, given: Value, truth: Value) -> bool {
        given.same(truth) || self.float_tolerance.is_some_and(|tolerance| is_near(given, truth, tolerance))
    }
}

/// Whether two values of one type are floats this near to each other.
fn is_near(given: Value, truth: Value, tolerance: f64) -> bool {
    let float = |value: Value| match value.ty {
        ValType::F32 => Some(f64::from(f32::from_bits(value.bits as u32))),
        ValType::F64 => Some(f64::from_bits(value.bits as u64)),
        _ => None,
    };
    let (Some(given), Some(truth)) = (float(given), float(truth)) else { return false };
    let finite = given.is_finite() && truth.is_finite();
    finite && (given - truth).abs() <= tolerance * given.abs().max(truth.abs()).max(1.0)
}

/// Judges a reply against the truth, exactly ([`judge_with`]).
pub fn judge(reply: &ChatReply, truth: &Truth) -> Judged {
    judge_with(reply, truth, Strictness::default())
}

/// Judges a reply against the truth. Total: no text makes it fail, and time is linear in the text.
///
/// What the model thought ([`thought::told`]) is no answer, and a thought that was never closed leaves a reply that is
/// `truncated`. The answer is the last `<OUTPUT>...</OUTPUT>` of the rest, else the last JSON object with the task's
/// key; an earlier draft never stands in for a last answer that cannot be read. Flags that are not in the program are
/// ignored; a flag that the reply does not mention is wrong. A reply that a token limit cut off is `truncated` even
/// with an answer in it, since the model had not ended it. One that stopped for a reason we do not know (`error`,
/// `abort`, ...) may be `correct`, which no accident makes it, and is `truncated` otherwise, for it may have been cut
/// off.
pub fn judge_with(reply: &ChatReply, truth: &Truth, strictness: Strictness) -> Judged {
    let end = End::of(reply.finish_reason.as_deref().unwrap_or_default());
    let told = thought::told(reply.content.as_deref().unwrap_or_default());
    match end {
        _ if reply.refusal.as_ref().is_some_and(|text| !text.trim().is_empty()) => Judged::unread(Verdict::Refusal),
        End::Declined => Judged::unread(Verdict::Refusal),
        End::CutOff => Judged::unread(Verdict::Truncated),
        _ if told.is_open => Judged::unread(Verdict::Truncated),
        End::Whole if told.answer.trim().is_empty() => Judged::unread(Verdict::NoResponse),
        End::Whole | End::Unlisted => {
            let judged = read(&told.answer, truth, strictness);
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
    /// The provider gave a reason that stands in no list here: the reply may be whole or not.
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

fn read(content: &str, truth: &Truth, strictness: Strictness) -> Judged {
    let compared = match truth.said() {
        Said::Values(values) => {
            answer::values(truth.task()).find(content).map(|given| compare_values(&given, values, strictness))
        }
        Said::Flags(flags) => answer::flags(truth.task()).find(content).map(|given| compare_flags(&given, flags)),
        Said::Amount(amount) => {
            let given = answer::amount(truth.task()).find(content);
            given.map(|given| Judged::compared(vec![number::is(&given, *amount)], 0))
        }
    };
    compared.unwrap_or_else(|| Judged::unread(Verdict::InvalidFormat))
}

fn compare_values(given: &[Given], truth: &[Value], strictness: Strictness) -> Judged {
    let right = |(at, &value): (usize, &Value)| {
        given.get(at).and_then(|given| given.read(value.ty)).is_some_and(|given| strictness.accepts(given, value))
    };
    Judged::compared(truth.iter().enumerate().map(right).collect(), given.len().saturating_sub(truth.len()))
}

/// A flag that is not there says nothing about the others; a flag that nothing is said about is wrong.
fn compare_flags(given: &GivenFlags, truth: &[(String, bool)]) -> Judged {
    let right = |(at, (name, state)): (usize, &(String, bool))| given.state(at, name) == Some(*state);
    Judged::compared(truth.iter().enumerate().map(right).collect(), 0)
}

#[cfg(test)]
mod tests;
