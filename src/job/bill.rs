//! Owns what a run would cost, told before anything is spent.
//!
//! Must not know what is asked: only how many questions of what length.

use super::connect;
use super::error::JobError;
use crate::ask::models::{ModelEntry, Prices};
use crate::ask::price::{CHARACTERS_PER_TOKEN, dollars};
use crate::item::record::Usage;
use crate::run::plan::{Conditions, Examinee};
use serde::Serialize;

/// Tokens of a reply that thinks step by step, and of one that reasons in hiding before: an assumption, stated as such.
const REPLY_TOKENS: u64 = 600;
const REASONING_TOKENS: u64 = 3000;

/// What asking one model would cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bill {
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
    /// Dollars; null where they are not known.
    pub cost_usd: Option<f64>,
    #[serde(skip)]
    per_reply: u64,
    #[serde(skip)]
    as_of: Option<String>,
}

/// What is to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queries {
    /// Questions of the job itself.
    pub(super) queries: u64,
    /// Those of the random baseline; `None` where a job has none.
    pub(super) baseline: Option<u64>,
    /// Those that cut programs down, at most.
    pub(super) shrink: Option<u64>,
}

impl Bill {
    /// Of so many questions of a model with prompts of so many characters on average, asked as its plan says.
    ///
    /// # Errors
    /// If there is no such model.
    pub(super) fn of(
        model: &Examinee,
        conditions: &Conditions,
        queries: Queries,
        characters: f64,
    ) -> Result<Self, JobError> {
        let most = model.request.params.max_tokens.map(u64::from);
        Ok(Self::new(&connect::entry_of(model, conditions)?, queries, characters, most))
    }

    /// Of so many questions with prompts of so many characters on average, and replies of at most so many tokens.
    fn new(entry: &ModelEntry, queries: Queries, characters: f64, most: Option<u64>) -> Self {
        let per_reply = if entry.reasoning { REASONING_TOKENS } else { REPLY_TOKENS };
        let per_reply = most.map_or(per_reply, |most| per_reply.min(most));
        let Queries { queries, baseline: baseline_queries, shrink: shrink_queries } = queries;
        let asked = queries + baseline_queries.unwrap_or(0) + shrink_queries.unwrap_or(0);
        let prompt_tokens = (asked as f64 * characters / CHARACTERS_PER_TOKEN as f64) as u64;
        let completion_tokens = asked * per_reply;
        let usage = Usage {
            prompt_tokens: Some(prompt_tokens),
            completion_tokens: Some(completion_tokens),
            ..Usage::default()
        };
        let price = |prices: &Prices| prices.cost(&usage);
        let free = entry.provider.is_resident().then_some(0.0);
        Self {
            model: entry.name(),
            queries,
            baseline_queries,
            shrink_queries,
            prompt_tokens,
            completion_tokens,
            cost_usd: free.or(entry.prices.as_ref().and_then(price)),
            per_reply,
            as_of: entry.prices.as_ref().map(|prices| prices.as_of.clone()),
        }
    }

    /// In a sentence.
    pub(crate) fn sentence(&self) -> String {
        let cost = match (self.cost_usd, &self.as_of) {
            (Some(cost), Some(as_of)) => format!("about {} (prices of {as_of})", dollars(cost)),
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

/// What a limit in dollars buys of bills that share it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Bought {
    /// The limit.
    pub cost_limit_usd: f64,
    /// Questions that it buys, those of the baseline and of shrinking among them; null where prices are unknown.
    pub affordable_queries: Option<u64>,
    /// Questions in all.
    #[serde(skip)]
    all: u64,
}

impl Bought {
    /// By so many dollars.
    pub(crate) fn of(bills: &[Bill], limit: f64) -> Self {
        let asked = |bill: &Bill| bill.queries + bill.baseline_queries.unwrap_or(0) + bill.shrink_queries.unwrap_or(0);
        let all = bills.iter().map(asked).sum();
        let whole: Option<f64> = bills.iter().map(|bill| bill.cost_usd).sum();
        let share = |whole: f64| if whole > limit { limit / whole } else { 1.0 };
        let affordable_queries = whole.map(|whole| (all as f64 * share(whole)).floor() as u64);
        Self { cost_limit_usd: limit, affordable_queries, all }
    }

    /// In a sentence.
    pub(crate) fn sentence(&self) -> String {
        let limit = dollars(self.cost_limit_usd);
        match self.affordable_queries {
            None => format!("--cost-limit {limit}: nobody knows how many questions that buys"),
            Some(bought) if bought >= self.all => {
                format!("--cost-limit {limit} is enough for all {} questions", self.all)
            }
            Some(bought) => format!("--cost-limit {limit} buys about {bought} of these {} questions", self.all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_buys_its_share() {
        let entry = ModelEntry {
            prices: Some(Prices { input: 1.0, output: 4.0, as_of: "2026-01".into() }),
            ..crate::ask::models::Models::shipped().entries()[0].clone()
        };
        // 1000 tokens read and 250 written: a fifth of a cent each.
        let bill = Bill::new(&entry, Queries { queries: 100, baseline: Some(100), shrink: None }, 3000.0, Some(250));
        assert_eq!(bill.cost_usd, Some(0.4));
        let bought = |limit| Bought::of(std::slice::from_ref(&bill), limit);
        assert_eq!(bought(0.1).affordable_queries, Some(50));
        assert_eq!(bought(0.1).sentence(), "--cost-limit $0.10 buys about 50 of these 200 questions");
        assert_eq!(bought(0.4).sentence(), "--cost-limit $0.40 is enough for all 200 questions");
        let unknown = Bill { cost_usd: None, ..bill.clone() };
        assert_eq!(Bought::of(&[bill.clone(), unknown], 1.0).affordable_queries, None);
        assert_eq!(Bought::of(&[bill.clone(), bill.clone()], 0.1).affordable_queries, Some(50), "two share it");
    }
}
