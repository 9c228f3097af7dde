//! Owns what one reply cost.
//!
//! Must not know why something was asked, nor what several replies cost. [`Prices::cost`] makes dollars
//! of a price and a count.

use super::models::Prices;
use crate::item::record::{Answer, Item, Usage};

/// Characters of a prompt or reply per token, roughly, for code.
pub(crate) const CHARACTERS_PER_TOKEN: u64 = 3;

/// Characters of a shipped prompt around its program, at most.
const PROMPT: usize = 3000;

/// What one reply cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paid {
    /// US dollars.
    pub usd: f64,
    /// Whether tokens are reckoned from the texts.
    pub estimated: bool,
}

/// What an answer cost. Where the provider did not count tokens they are reckoned from the program and the reply: nothing is
/// free because it was not counted. A reply that never came costs nothing.
pub(crate) fn paid(prices: &Prices, item: &Item, answer: &Answer) -> Paid {
    if let Some(usd) = prices.cost(&answer.usage) {
        return Paid { usd, estimated: false };
    }
    if !answer.verdict.is_reply() {
        return Paid { usd: 0.0, estimated: false };
    }
    let tokens = |characters: usize| Some(characters as u64 / CHARACTERS_PER_TOKEN);
    let said = [&answer.reply, &answer.reasoning].into_iter().flatten().map(|text| text.chars().count()).sum();
    let reckoned = Usage {
        prompt_tokens: answer.usage.prompt_tokens.or(tokens(PROMPT + item.program.chars().count())),
        completion_tokens: answer.usage.completion_tokens.or(tokens(said)),
        ..answer.usage
    };
    let usd = prices.cost(&reckoned).unwrap_or_default();
    // A price of zero makes any count free.
    Paid { usd, estimated: usd > 0.0 }
}

/// `$1.25`, and under one cent with four digits: `$0.0042`.
pub fn dollars(usd: f64) -> String {
    if usd <= 0.0 || usd >= 0.01 {
        format!("${:.2}", usd.max(0.0))
    } else if usd < 0.0001 {
        "<$0.0001".into()
    } else {
        format!("${usd:.4}")
    }
}
