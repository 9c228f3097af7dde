//! Owns the versioned record types: one [`Record`] is one line of a run's `records.jsonl`, and stands by itself.
//!
//! Must not know files (a [`RecordSink`] does) nor models. Nothing here may depend on the clock: two runs of one seed
//! have the same record lines, so latency and attempts are kept apart in [`Timing`]. Unknown is `None`, never zero.

mod flags;
mod names;
mod probes;
mod recipe;
mod task;

pub use names::UnknownName;
pub use recipe::Recipe;
pub use task::{Looks, Said, Shape, Task, Truth};

pub use crate::wasm::program::Probe;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of every type in this module; raised whenever a line changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What became of one question.
///
/// A *finished reply* is one that the model ended by itself; a *miss* is `wrong`. The miss rate is misses over finished
/// replies, strict accuracy is `correct` over all, accuracy over answered is `correct` over [`Verdict::answered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every value right, none missing, none too many.
    Correct,
    /// An answer of the right shape with something wrong in it.
    Wrong,
    /// A finished reply without an answer that can be read.
    InvalidFormat,
    /// The model or its provider's filter declined.
    Refusal,
    /// A finished reply with nothing in it.
    NoResponse,
    /// Cut off by a token limit, or stopped for an unknown reason, without a correct answer.
    Truncated,
    /// The provider failed after every retry.
    ProviderError,
    /// No reply within the time allowed, after every retry.
    Timeout,
}

impl Verdict {
    /// An answer was read: correct or wrong.
    pub fn answered(self) -> bool {
        matches!(self, Self::Correct | Self::Wrong)
    }

    /// The model ended a reply by itself: the denominator of the miss rate.
    pub fn is_finished_reply(self) -> bool {
        matches!(self, Self::Correct | Self::Wrong | Self::InvalidFormat | Self::Refusal)
    }

    /// The model said something, or ended without a word: everything but trouble of the provider.
    pub fn is_reply(self) -> bool {
        !matches!(self, Self::ProviderError | Self::Timeout)
    }

    /// A wrong answer from a finished reply: the only verdict that an attack is paid for.
    pub fn is_miss(self) -> bool {
        self == Self::Wrong
    }
}

/// A question about one program, with its answer and all that rebuilds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Names the item within its run or suite.
    pub id: String,
    /// What is asked.
    pub task: Task,
    /// The program as the model sees it: WAT with the probes' comments, without the truth.
    pub program: String,
    /// Where the question looks: one place for `stack`, one for each flag of `reachability` in the order of the text,
    /// none for the others. Lines of before there were several have one under `probe`.
    #[serde(alias = "probe", deserialize_with = "probes::one_or_many")]
    pub probes: Vec<Probe>,
    /// The exact answer.
    pub truth: Truth,
    /// Fuel of the whole execution, as wasmtime counts it.
    pub fuel: u64,
    /// Length of the encoded module, bytes.
    pub bytes: u32,
    /// Instructions executed.
    pub instructions: u32,
    /// Hash of the canonical form: equal for programs that count as the same.
    pub canonical: String,
    /// Rebuilds the program.
    pub recipe: Recipe,
}

/// Why a question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To find a miss.
    Attack,
    /// To see whether a miss happens again.
    Confirm,
    /// To measure the random baseline beside an attack.
    Baseline,
    /// To measure a model on a suite.
    Eval,
    /// To see whether a program that was cut down is still missed.
    Shrink,
    /// To see whether a miss is cured when one instruction is swapped.
    Pair,
}

/// Tokens as the provider counted them; `None` where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens written, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Tokens of hidden reasoning among those written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Adds what is known of another reply.
    pub fn add(&mut self, other: &Self) {
        let add = |sum: &mut Option<u64>, tokens: Option<u64>| {
            if let Some(tokens) = tokens {
                *sum = Some(sum.unwrap_or(0).saturating_add(tokens));
            }
        };
        add(&mut self.prompt_tokens, other.prompt_tokens);
        add(&mut self.completion_tokens, other.completion_tokens);
        add(&mut self.reasoning_tokens, other.reasoning_tokens);
    }
}

/// The final answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What became of it.
    pub verdict: Verdict,
    /// For each slot of the truth, in its order: was it right? Empty unless [`Verdict::answered`].
    #[serde(default)]
    pub slots: Vec<bool>,
    /// Share of slots missed, in `[0, 1]`, values too many included; `None` unless [`Verdict::answered`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_share: Option<f32>,
    /// The reply, without what was thought in it. Of a thought that was never closed the opening marker stays. Lines of
    /// before thoughts were told apart have all of it, and are judged alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Why the model stopped, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The provider's refusal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The model's visible reasoning: where the provider passes it on, and what was thought within the reply. Never judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The model that the provider says has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_returned: Option<String>,
    /// Tokens, as far as known.
    #[serde(default)]
    pub usage: Usage,
    /// What went wrong, for `provider_error` and `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Answer {
    /// An answer with this verdict and nothing else known.
    pub fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            slots: Vec::new(),
            wrong_share: None,
            reply: None,
            finish_reason: None,
            refusal: None,
            reasoning: None,
            model_returned: None,
            usage: Usage::default(),
            error: None,
        }
    }
}

/// One line of `records.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA_VERSION`] of the program that wrote the line.
    pub schema: u32,
    /// Why it was asked.
    pub purpose: Purpose,
    /// The model asked for, where one run asks several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The round of the run, from 0; of an evaluation the epoch.
    pub round: u32,
    /// Position within the round and purpose, from 0; of an evaluation the item's.
    pub index: u32,
    /// Who chose the program: a strategy, the kind of chance (`random/actions`), a suite (`standard@1`).
    pub chosen_by: String,
    /// How difficult the item was made, 1 to 5, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// The question; its fields stand beside the others in the line.
    #[serde(flatten)]
    pub item: Item,
    /// The answer.
    pub answer: Answer,
    /// What the learner was paid, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f32>,
    /// The cell of an attack's archive that a finished reply belongs to: construct, fuel and verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

impl Record {
    /// Of a program that was edited and asked about on its own: it belongs to no round, and nothing is paid for it.
    pub fn beside(purpose: Purpose, item: Item, answer: Answer) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            purpose,
            model: None,
            round: 0,
            index: 0,
            chosen_by: purpose.name().into(),
            level: None,
            item,
            answer,
            reward: None,
            cell: None,
        }
    }
}

/// One line of `timings.jsonl`: all that depends on the clock about one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The item's id.
    pub id: String,
    /// As in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// As in the record.
    pub purpose: Purpose,
    /// As in the record.
    pub round: u32,
    /// As in the record.
    pub index: u32,
    /// From the first attempt to the final answer, milliseconds.
    pub latency_ms: u64,
    /// Requests sent, retries included.
    pub attempts: u32,
}

/// Where records go.
pub trait RecordSink {
    /// Stores one record and its timing; when it returns, both survive a kill of this process.
    fn record(&mut self, record: &Record, timing: &Timing) -> Result<(), SinkError>;
}

/// A record could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file could not be written.
    #[error("cannot write {path}: {source}; free some space or name another directory with --log-dir")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The record could not be written as JSON.
    #[error("cannot write record {id} as JSON: {source}")]
    Encode {
        /// The item's id.
        id: String,
        /// What serde said.
        source: serde_json::Error,
    },
}

#[cfg(test)]
mod tests;
