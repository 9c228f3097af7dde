//! Owns what a run would cost, told before anything is spent.
//!
//! Must not know what is asked: only how many questions of what length.

use super::budget::CHARACTERS_PER_TOKEN;
use crate::ask::models::ModelEntry;
use serde::Serialize;

/// Tokens of a reply that thinks step by step, and of one that reasons in hiding before: an assumption, stated as such.
const REPLY_TOKENS: u64 = 600;
const REASONING_TOKENS: u64 = 3000;

/// What asking one model would cost.
#[derive(Clone, Debug, Serialize)]
pub struct Bill {
    /// The model.
    pub model: String,
    /// Questions; of an attack those of the baseline are apart.
    pub queries: u64,
    /// Questions of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_queries: Option<u64>,
    /// Questions of shrinking, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrink_queries: Option<u64>,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Dollars; null where nobody knows.
    pub cost_usd: Option<f64>,
    #[serde(skip)]
    per_reply: u64,
    #[serde(skip)]
    as_of: Option<String>,
}

impl Bill {
    /// Of so many questions with prompts of so many characters on average, and replies of at most so many tokens.
    pub fn new(
        entry: &ModelEntry,
        (queries, baseline_queries, shrink_queries): (u64, Option<u64>, Option<u64>),
        characters: f64,
        most: Option<u64>,
    ) -> Self {
        let per_reply = if entry.reasoning { REASONING_TOKENS } else { REPLY_TOKENS };
        let per_reply = most.map_or(per_reply, |most| per_reply.min(most));
        let asked = queries + baseline_queries.unwrap_or(0) + shrink_queries.unwrap_or(0);
        let prompt_tokens = (asked as f64 * characters / CHARACTERS_PER_TOKEN as f64) as u64;
        let completion_tokens = asked * per_reply;
        let price = |prices: &crate::ask::models::Prices| {
            (prompt_tokens as f64 * prices.input + completion_tokens as f64 * prices.output) / 1e6
        };
        let free = entry.provider.is_resident().then_some(0.0);
        Self {
            model: entry.name(),
            queries,
            baseline_queries,
            shrink_queries,
            prompt_tokens,
            completion_tokens,
            cost_usd: free.or(entry.prices.as_ref().map(price)),
            per_reply,
            as_of: entry.prices.as_ref().map(|prices| prices.as_of.clone()),
        }
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        let cost = match (self.cost_usd, &self.as_of) {
            (Some(cost), Some(as_of)) => format!("about ${cost:.2} (prices of {as_of})"),
            (Some(_), None) => "nothing: it answers here".into(),
            (None, _) => "unknown: models.yaml has no prices for this model".into(),
        };
        let baseline = self.baseline_queries.map_or(String::new(), |queries| format!(" and {queries} of the baseline"));
        let shrink = self.shrink_queries.map_or(String::new(), |most| format!(" and at most {most} to shrink misses"));
        format!(
            "{}: {} queries{baseline}{shrink}, about {} tokens read and {} written (assuming {} a reply); cost: {cost}",
            self.model, self.queries, self.prompt_tokens, self.completion_tokens, self.per_reply
        )
    }
}
