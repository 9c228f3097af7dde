//! Owns counting: shares with their intervals, verdicts, and which records belong to a figure.
//!
//! Must not know files or formats. A share of nothing has no rate: unknown is `None`, never zero.

use crate::item::record::{Purpose, Record, Verdict};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many have the property.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Counts the elements with a property.
    pub fn count<T>(items: impl IntoIterator<Item = T>, has: impl Fn(&T) -> bool) -> Self {
        items
            .into_iter()
            .fold(Self::default(), |share, item| Self { hits: share.hits + u64::from(has(&item)), of: share.of + 1 })
    }

    /// In `[0, 1]`; `None` of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % score interval (Wilson 1927), which holds for small samples and for shares near 0 and 1; `None` of
    /// nothing.
    pub fn wilson(self) -> Option<Interval> {
        Some(wilson(self.rate()?, self.of as f64))
    }
}

/// The 95 % score interval (Wilson 1927) of a share measured on a sample of this size.
pub fn wilson(rate: f64, n: f64) -> Interval {
    /// 97.5 % quantile of the standard normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    let shrink = 1.0 + Z * Z / n;
    let centre = (rate + Z * Z / (2.0 * n)) / shrink;
    let half = Z / shrink * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Exactly 0 and 1 at the ends, where rounding would leave 1e-17.
    let low = if rate == 0.0 { 0.0 } else { centre - half };
    let high = if rate == 1.0 { 1.0 } else { centre + half };
    Interval { low, high }
}

/// Where a share lies, in `[0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// All of several shares together.
pub fn sum(shares: impl IntoIterator<Item = Share>) -> Share {
    shares.into_iter().fold(Share::default(), |all, share| Share { hits: all.hits + share.hits, of: all.of + share.of })
}

/// The records of one purpose in the order in which they were asked, whatever the order in which replies came.
pub fn asked(records: &[Record], purpose: Purpose) -> Vec<&Record> {
    let mut asked: Vec<&Record> = records.iter().filter(|record| record.purpose == purpose).collect();
    asked.sort_by_key(|record| (record.round, record.index));
    asked
}

/// The last quarter of what was asked, rounded down; empty for less than four.
pub fn last_quarter<'a, 'r>(asked: &'a [&'r Record]) -> &'a [&'r Record] {
    &asked[asked.len() - asked.len() / 4..]
}

/// Misses over finished replies.
pub fn miss_share(records: &[&Record]) -> Share {
    let finished = records.iter().filter(|record| record.answer.verdict.is_finished_reply());
    Share::count(finished, |record| record.answer.verdict.is_miss())
}

/// The most misses that one of the choosers had.
pub fn best_miss_share(records: &[&Record]) -> Share {
    let mut choosers: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    records.iter().for_each(|record| choosers.entry(&record.chosen_by).or_default().push(record));
    let shares = choosers.values().map(|records| miss_share(records));
    shares
        .max_by(|a, b| a.rate().partial_cmp(&b.rate()).expect("rates are numbers"))
        .unwrap_or(Share { hits: 0, of: 0 })
}

/// Different canonical forms among the misses, over the misses.
pub fn distinct_share(records: &[&Record]) -> Share {
    let misses: Vec<&str> = misses(records).map(|record| record.item.canonical.as_str()).collect();
    let distinct: BTreeSet<&str> = misses.iter().copied().collect();
    Share { hits: distinct.len() as u64, of: misses.len() as u64 }
}

/// The misses among the records.
pub fn misses<'r>(records: &[&'r Record]) -> impl Iterator<Item = &'r Record> {
    records.iter().copied().filter(|record| record.answer.verdict.is_miss())
}

/// How often each verdict came; every verdict is there, with zero where it never came.
pub fn verdicts(records: &[&Record]) -> BTreeMap<Verdict, u64> {
    let mut counts: BTreeMap<Verdict, u64> = Verdict::ALL.iter().map(|&verdict| (verdict, 0)).collect();
    for record in records {
        *counts.entry(record.answer.verdict).or_default() += 1;
    }
    counts
}

/// How often the misses that were asked again were missed again, by item id. Only finished replies count, so that a
/// provider's trouble refutes nothing.
pub fn confirmations(records: &[Record]) -> BTreeMap<&str, Share> {
    let mut again: BTreeMap<&str, Share> = BTreeMap::new();
    for record in asked(records, Purpose::Confirm) {
        let verdict = record.answer.verdict;
        if verdict.is_finished_reply() {
            let share = again.entry(&record.item.id).or_default();
            *share = Share { hits: share.hits + u64::from(verdict.is_miss()), of: share.of + 1 };
        }
    }
    again
}

/// Misses that happened again, shortest first, one for each canonical form.
pub fn confirmed(records: &[Record]) -> Vec<&Record> {
    let again = confirmations(records);
    let attack = asked(records, Purpose::Attack);
    let mut confirmed: Vec<&Record> =
        misses(&attack).filter(|r| again.get(r.item.id.as_str()).is_some_and(|share| share.hits > 0)).collect();
    // Stable: equals stay in the order asked.
    confirmed.sort_by_key(|record| (record.item.bytes, record.item.instructions, record.item.program.len()));
    let mut seen = BTreeSet::new();
    confirmed.retain(|record| seen.insert(record.item.canonical.as_str()));
    confirmed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::sink::tests::sample;

    #[track_caller]
    fn check(hits: u64, of: u64, low: f64, high: f64) {
        let interval = Share { hits, of }.wilson().expect("of something");
        assert!((interval.low - low).abs() < 5e-5 && (interval.high - high).abs() < 5e-5, "{interval:?}");
    }

    #[test]
    fn wilson_is_that_of_the_textbooks() {
        // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        check(81, 263, 0.2553, 0.3662);
        check(15, 148, 0.0624, 0.1605);
        check(0, 20, 0.0, 0.1611);
        check(1, 29, 0.0061, 0.1718);
        // By hand: z^2 = 3.8415, so 1 / (1 + z^2) = 0.2065.
        check(1, 1, 0.2065, 1.0);
        assert_eq!(Share::default().wilson(), None);
        assert_eq!(Share::default().rate(), None);
    }

    #[test]
    fn records_come_in_the_order_asked() {
        let mut records: Vec<Record> = (0..6).map(|i| sample(Purpose::Attack, i / 3, i % 3, Verdict::Wrong)).collect();
        records.push(sample(Purpose::Baseline, 0, 0, Verdict::Wrong));
        records.reverse();
        let ids: Vec<&str> = asked(&records, Purpose::Attack).iter().map(|record| record.item.id.as_str()).collect();
        assert_eq!(ids, ["r0-0", "r0-1", "r0-2", "r1-0", "r1-1", "r1-2"]);
    }

    #[test]
    fn a_quarter_is_rounded_down() {
        let records: Vec<Record> = (0..9).map(|i| sample(Purpose::Attack, 0, i, Verdict::Wrong)).collect();
        let asked = asked(&records, Purpose::Attack);
        let lengths: Vec<usize> = [0, 3, 4, 7, 8, 9].map(|n| last_quarter(&asked[..n]).len()).into();
        assert_eq!(lengths, [0, 0, 1, 1, 2, 2]);
        assert_eq!(last_quarter(&asked)[1].index, 8);
    }

    #[test]
    fn only_finished_replies_are_in_the_denominator() {
        let of_each: Vec<Record> =
            Verdict::ALL.iter().zip(0..).map(|(&verdict, i)| sample(Purpose::Attack, 0, i, verdict)).collect();
        let all = asked(&of_each, Purpose::Attack);
        let finished = Verdict::ALL.iter().filter(|verdict| verdict.is_finished_reply()).count() as u64;
        assert_eq!(miss_share(&all), Share { hits: 1, of: finished });
        assert!(verdicts(&all).values().all(|&count| count == 1));
        assert!(verdicts(&[]).len() == Verdict::ALL.len() && verdicts(&[]).values().all(|&count| count == 0));
    }

    #[test]
    fn distinct_is_by_canonical_form() {
        let mut records: Vec<Record> = (0..5).map(|i| sample(Purpose::Attack, 0, i, Verdict::Wrong)).collect();
        records.push(sample(Purpose::Attack, 0, 5, Verdict::Correct));
        records[1].item.canonical = records[0].item.canonical.clone();
        records[5].item.canonical = "only a right answer".into();
        let all = asked(&records, Purpose::Attack);
        assert_eq!(distinct_share(&all), Share { hits: 4, of: 5 });
        assert_eq!(distinct_share(&[]).rate(), None);
    }

    #[test]
    fn confirmations_are_by_item() {
        let confirm = |round, index, verdict| sample(Purpose::Confirm, round, index, verdict);
        let mut records = vec![
            confirm(0, 0, Verdict::Wrong),
            confirm(0, 1, Verdict::Correct),
            confirm(0, 2, Verdict::Timeout),
            confirm(1, 0, Verdict::Correct),
        ];
        records[3].item.id = "r0-0".into();
        let again = confirmations(&records);
        assert_eq!(again.get("r0-0"), Some(&Share { hits: 1, of: 2 }));
        assert_eq!(again.get("r0-1"), Some(&Share { hits: 0, of: 1 }));
        assert_eq!(again.len(), 2, "a timeout says nothing");
    }
}
