//! Owns what replies took and cost: tokens by kind, dollars by the prices of a run, and how both are told to people.
//!
//! Must not know why something was asked. [`Prices::cost`] makes dollars of a price and a count. Sums do not
//! depend on the order of the replies: records come in any.

pub use crate::ask::price::dollars;

use crate::ask::models::Prices;
use crate::ask::price::{Paid, paid};
use crate::item::record::{Answer, Item, Usage};
use serde::{Deserialize, Serialize};

/// Of a dollar: what sums are kept in.
const PICO: f64 = 1e-12;

/// What replies took and cost, with the keys of `--json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    /// Tokens, as far as the provider counted them; no key for what it never did.
    #[serde(default)]
    pub tokens: Usage,
    /// US dollars by the prices of the run; null where those are unknown.
    #[serde(default)]
    pub cost_usd: Option<f64>,
    /// Whether the provider left tokens of some replies uncounted, so that these are reckoned from the texts.
    #[serde(default)]
    pub cost_estimated: bool,
}

/// Adds up what replies took and cost.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    tokens: Usage,
    picos: u128,
    estimated: bool,
    unpriced: bool,
}

impl Tally {
    /// Adds an answer, at these prices if they are known.
    pub fn add(&mut self, prices: Option<&Prices>, item: &Item, answer: &Answer) {
        self.tokens.add(&answer.usage);
        let Some(prices) = prices else {
            self.unpriced |= answer.verdict.is_reply();
            return;
        };
        let Paid { usd, estimated } = paid(prices, item, answer);
        self.picos = self.picos.saturating_add((usd / PICO).round() as u128);
        self.estimated |= estimated;
    }

    /// Adds what others took and cost.
    pub fn merge(&mut self, other: &Spending) {
        self.tokens.add(&other.tokens);
        self.picos = self.picos.saturating_add((other.cost_usd.unwrap_or_default() / PICO).round() as u128);
        self.estimated |= other.cost_estimated;
        self.unpriced |= other.cost_usd.is_none();
    }

    /// What it comes to.
    pub fn spending(&self) -> Spending {
        Spending {
            tokens: self.tokens,
            cost_usd: (!self.unpriced).then_some(self.picos as f64 * PICO),
            cost_estimated: self.estimated && !self.unpriced,
        }
    }
}

impl Spending {
    /// `about $1.25`; `unknown` without prices.
    pub fn cost(&self) -> String {
        cost(self.cost_usd, self.cost_estimated)
    }

    /// Whether there was nothing to pay, so that it is not worth telling.
    pub fn is_free(&self) -> bool {
        self.cost_usd == Some(0.0)
    }

    /// `1.2M tokens read, 340.0k written, 12.0k of them hidden reasoning`.
    pub fn tokens(&self) -> String {
        let Usage { prompt_tokens, completion_tokens, reasoning_tokens, .. } = &self.tokens;
        if prompt_tokens.is_none() && completion_tokens.is_none() {
            return "tokens not counted by the provider".into();
        }
        let hidden = reasoning_tokens.filter(|&tokens| tokens > 0);
        let hidden = hidden.map_or(String::new(), |_| format!(", {} of them hidden reasoning", short(hidden)));
        format!("{} tokens read, {} written{hidden}", short(*prompt_tokens), short(*completion_tokens))
    }
}

/// `about $1.25`; `unknown` without a price.
pub fn cost(usd: Option<f64>, estimated: bool) -> String {
    let Some(usd) = usd else { return "unknown".into() };
    if estimated { format!("about {}", dollars(usd)) } else { dollars(usd) }
}

/// Tokens read and written, in short: `6.5k + 0.4k`.
pub fn tokens(usage: &Usage) -> String {
    match (usage.prompt_tokens, usage.completion_tokens) {
        (None, None) => "unknown".into(),
        (read, written) => format!("{} + {}", short(read), short(written)),
    }
}

/// `6.5k`, `1.2M`.
fn short(tokens: Option<u64>) -> String {
    let Some(tokens) = tokens else { return "unknown".into() };
    if tokens < 999_950 { format!("{:.1}k", tokens as f64 / 1e3) } else { format!("{:.1}M", tokens as f64 / 1e6) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::{Purpose, Verdict};
    use crate::run::sink::tests::sample;

    fn prices() -> Prices {
        Prices { input: 1.0, output: 4.0, as_of: "2026-01".into() }
    }

    /// What answers of these verdicts and tokens come to; the reply of each is 600 characters long.
    fn spent(prices: Option<&Prices>, answers: &[(Verdict, Option<u64>, Option<u64>)]) -> Spending {
        let mut tally = Tally::default();
        for &(verdict, prompt_tokens, completion_tokens) in answers {
            let mut record = sample(Purpose::Attack, 0, 0, verdict);
            record.answer.usage = Usage { prompt_tokens, completion_tokens, ..Usage::default() };
            record.answer.reply = Some("x".repeat(600));
            record.item.program = "y".repeat(300);
            tally.add(prices, &record.item, &record.answer);
        }
        tally.spending()
    }

    #[test]
    fn what_is_counted_is_exact() {
        let spending = spent(Some(&prices()), &[(Verdict::Correct, Some(100), Some(50)); 3]);
        assert_eq!((spending.cost_usd, spending.cost_estimated), (Some(0.0009), false));
        assert_eq!((spending.cost(), spending.tokens()), ("$0.0009".into(), "0.3k tokens read, 0.1k written".into()));
    }

    #[test]
    fn what_nobody_counted_is_an_estimate() {
        let uncounted = (Verdict::Wrong, None, None);
        let spending = spent(Some(&prices()), &[uncounted, (Verdict::Wrong, Some(10), Some(10))]);
        // 3,300 characters read and 600 written, beside 10 and 10 tokens.
        assert_eq!(spending.cost_usd, Some((1100.0 + 4.0 * 200.0 + 50.0) / 1e6));
        assert_eq!((spending.cost_estimated, spending.cost()), (true, "about $0.0019".into()));
        let never = spent(Some(&prices()), &[(Verdict::Timeout, None, None)]);
        assert_eq!((never.cost_usd, never.cost_estimated), (Some(0.0), false), "no reply, no pay");
    }

    #[test]
    fn unknown_and_free_are_two_things() {
        let unknown = spent(None, &[(Verdict::Correct, Some(100), Some(50))]);
        assert_eq!((unknown.cost_usd, unknown.cost(), unknown.is_free()), (None, "unknown".into(), false));
        let free = Prices { input: 0.0, output: 0.0, as_of: "always".into() };
        let free = spent(Some(&free), &[(Verdict::Correct, None, None)]);
        assert!(free.is_free() && !free.cost_estimated);
        let mut all = Tally::default();
        [&free, &unknown].into_iter().for_each(|part| all.merge(part));
        assert_eq!(all.spending().cost_usd, None, "the whole of what is partly unknown is unknown");
    }

    #[test]
    fn dollars_read_well() {
        let read = [0.0, 0.000_01, 0.000_34, 0.0099, 0.01, 1.249, 1234.5].map(dollars);
        assert_eq!(read, ["$0.00", "<$0.0001", "$0.0003", "$0.0099", "$0.01", "$1.25", "$1234.50"]);
        let usage = |read, written| Usage { prompt_tokens: read, completion_tokens: written, ..Usage::default() };
        assert_eq!(tokens(&usage(Some(6_540), Some(1_250_000))), "6.5k + 1.2M");
        assert_eq!(tokens(&Usage::default()), "unknown");
    }
}
