//! Owns finding out early that a model never answers in the form that was asked for, so that a budget is not spent on it.
//!
//! Must not know who asks, or what is done about it. Only the first replies that a process hears count: a model that has
//! answered once can answer.

use crate::item::record::Verdict;
use std::collections::BTreeMap;
use std::fmt;

/// So many first replies, all without an answer, are no accident.
const ENOUGH: u32 = 30;

/// What the first replies of a model were.
#[derive(Clone, Debug, Default)]
pub struct Form {
    formless: BTreeMap<&'static str, (Verdict, u32)>,
    /// Whether one had an answer in it, or was declined: then nothing is wrong with the form.
    is_known: bool,
}

/// None of the first replies had an answer in the form that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeverInForm {
    /// What they were instead, and how many of each; the most frequent first.
    pub verdicts: Vec<(Verdict, u32)>,
}

impl Form {
    /// Takes in a verdict. Trouble of the provider does not count.
    pub fn hear(&mut self, verdict: Verdict) {
        let name = match verdict {
            Verdict::Truncated => "truncated",
            Verdict::InvalidFormat => "invalid_format",
            Verdict::NoResponse => "no_response",
            Verdict::ProviderError | Verdict::Timeout => return,
            Verdict::Correct | Verdict::Wrong | Verdict::Refusal => {
                self.is_known = true;
                return;
            }
        };
        self.formless.entry(name).or_insert((verdict, 0)).1 += 1;
    }

    /// What to end with, where enough replies had no answer.
    pub fn never(&self) -> Option<NeverInForm> {
        let mut verdicts: Vec<(Verdict, u32)> = self.formless.values().copied().collect();
        let all: u32 = verdicts.iter().map(|(_, count)| count).sum();
        verdicts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        (!self.is_known && all >= ENOUGH).then_some(NeverInForm { verdicts })
    }
}

impl fmt::Display for NeverInForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u32 = self.verdicts.iter().map(|(_, count)| count).sum();
        let each: Vec<String> = self.verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        let todo = match self.verdicts.first() {
            Some((Verdict::Truncated, _)) => "--max-tokens allows longer replies",
            Some((Verdict::NoResponse, _)) => "hidden reasoning may have used the tokens up: --max-tokens allows more",
            _ => "records.jsonl has what it said; --prompt names another prompt",
        };
        write!(
            f,
            "none of the first {all} replies has an answer in the form that was asked for ({}); {todo}",
            each.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(verdicts: &[(Verdict, u32)]) -> Option<NeverInForm> {
        let mut form = Form::default();
        for &(verdict, count) in verdicts {
            (0..count).for_each(|_| form.hear(verdict));
        }
        form.never()
    }

    #[test]
    fn only_a_model_that_never_answered_is_given_up() {
        use Verdict::{Correct, InvalidFormat, NoResponse, ProviderError, Refusal, Truncated, Wrong};
        assert_eq!(heard(&[(Truncated, 29), (ProviderError, 50)]), None);
        for answered in [Correct, Wrong, Refusal] {
            assert_eq!(heard(&[(answered, 1), (InvalidFormat, 500)]), None);
        }
        let mixed = heard(&[(NoResponse, 3), (Truncated, 20), (InvalidFormat, 7)]).expect("none is in form");
        assert_eq!(mixed.verdicts, [(Truncated, 20), (InvalidFormat, 7), (NoResponse, 3)]);
        insta::assert_snapshot!(mixed, @"none of the first 30 replies has an answer in the form that was asked for (truncated 20, invalid_format 7, no_response 3); --max-tokens allows longer replies");
    }
}
