//! Owns the miss-rate curve: how often the model was wrong over the last few replies, by query number.
//!
//! Must not know how it is drawn.

use super::stats::{self, Share};
use crate::item::record::{Purpose, Record};
use std::collections::{BTreeSet, VecDeque};

/// One point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Queries spent when the window ended, from 1.
    pub query: u64,
    /// Misses over the finished replies of the window.
    pub missed: Share,
}

/// The curves of an attack, each over windows of the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Curves {
    /// Finished replies in a window.
    pub window: usize,
    /// The attack; queries are its requests and those that confirm misses.
    pub attack: Vec<Point>,
    /// The random baseline; queries are its own.
    pub baseline: Vec<Point>,
    /// Attacks of other runs that it is held against, each with its name.
    pub others: Vec<(String, Vec<Point>)>,
}

/// The curves of a run, in windows that suit its length.
pub(crate) fn curves(records: &[Record]) -> Curves {
    let replies = stats::miss_share(&stats::asked(records, Purpose::Attack)).of;
    let window = window_for(replies as usize);
    Curves {
        window,
        attack: rolling(records, &[Purpose::Attack, Purpose::Confirm], window),
        baseline: rolling(records, &[Purpose::Baseline], window),
        others: Vec::new(),
    }
}

impl Curves {
    /// With the attack of another run beside it.
    pub(crate) fn against(mut self, name: &str, records: &[Record]) -> Self {
        self.others.push((name.into(), rolling(records, &[Purpose::Attack, Purpose::Confirm], self.window)));
        self
    }
}

/// Different canonical forms missed by the attack after each of its queries that found one: (queries, found).
pub(crate) fn found(records: &[Record], purposes: &[Purpose]) -> Vec<(u64, u64)> {
    let mut spent: Vec<&Record> = records.iter().filter(|record| purposes.contains(&record.purpose)).collect();
    spent.sort_by_key(|record| (record.round, record.purpose, record.index));
    let (mut forms, mut points) = (BTreeSet::new(), vec![(0, 0)]);
    let last = spent.len() as u64;
    for (record, query) in spent.into_iter().zip(1..) {
        let is_new = record.purpose == purposes[0] && record.answer.verdict.is_miss();
        if is_new && forms.insert(record.item.canonical.as_str()) {
            points.push((query, forms.len() as u64));
        }
    }
    points.push((last, forms.len() as u64));
    points
}

/// A tenth of the replies: long enough to smooth, short enough to show learning. Ten are the least that say something,
/// and at 200 the interval of a point is within 7 % either way.
fn window_for(replies: usize) -> usize {
    (replies / 10).clamp(10, 200)
}

/// The miss rate over the last `window` finished replies of the first purpose, after each of them; queries of every
/// purpose given are counted. A window that is not full yet says too little for a point.
pub(crate) fn rolling(records: &[Record], purposes: &[Purpose], window: usize) -> Vec<Point> {
    assert!(window > 0, "a window of nothing");
    let mut spent: Vec<&Record> = records.iter().filter(|record| purposes.contains(&record.purpose)).collect();
    // Within a round the questions come before their confirmations; `Purpose` is ordered so.
    spent.sort_by_key(|record| (record.round, record.purpose, record.index));
    let (mut last, mut hits, mut points) = (VecDeque::with_capacity(window + 1), 0, Vec::new());
    for (record, query) in spent.into_iter().zip(1..) {
        let verdict = record.answer.verdict;
        if record.purpose != purposes[0] || !verdict.is_finished_reply() {
            continue;
        }
        last.push_back(verdict.is_miss());
        hits += u64::from(verdict.is_miss());
        if last.len() > window {
            hits -= u64::from(last.pop_front() == Some(true));
        }
        if last.len() == window {
            points.push(Point { query, missed: Share { hits, of: window as u64 } });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::record::Verdict::{self, Correct, Timeout, Wrong};
    use crate::run::sink::tests::sample;

    fn attack(verdicts: &[Verdict]) -> Vec<Record> {
        verdicts.iter().zip(0..).map(|(&verdict, i)| sample(Purpose::Attack, 0, i, verdict)).collect()
    }

    fn pairs(points: &[Point]) -> Vec<(u64, u64)> {
        points.iter().map(|point| (point.query, point.missed.hits)).collect()
    }

    #[test]
    fn windows_roll() {
        let records = attack(&[Wrong, Correct, Wrong, Wrong, Correct, Correct]);
        let points = rolling(&records, &[Purpose::Attack], 3);
        assert_eq!(pairs(&points), [(3, 2), (4, 2), (5, 2), (6, 1)]);
        assert!(points.iter().all(|point| point.missed.of == 3));
        assert_eq!(rolling(&records, &[Purpose::Attack], 7), []);
    }

    #[test]
    fn queries_without_a_finished_reply_move_the_curve_on_alone() {
        let records = attack(&[Wrong, Timeout, Timeout, Correct, Wrong]);
        assert_eq!(pairs(&rolling(&records, &[Purpose::Attack], 2)), [(4, 1), (5, 1)]);
    }

    #[test]
    fn confirmations_are_spent_but_not_drawn() {
        let mut records = attack(&[Wrong, Correct]);
        records.push(sample(Purpose::Confirm, 0, 0, Wrong));
        records.push(sample(Purpose::Attack, 1, 0, Wrong));
        records.push(sample(Purpose::Baseline, 0, 0, Wrong));
        records.reverse();
        let points = rolling(&records, &[Purpose::Attack, Purpose::Confirm], 1);
        assert_eq!(pairs(&points), [(1, 1), (2, 0), (4, 1)]);
        assert_eq!(pairs(&rolling(&records, &[Purpose::Baseline], 1)), [(1, 1)]);
    }

    #[test]
    fn what_was_found_is_counted_by_canonical_form() {
        let mut records = attack(&[Correct, Wrong, Wrong, Timeout, Wrong]);
        records[2].item.canonical = records[1].item.canonical.clone();
        records.push(sample(Purpose::Confirm, 0, 1, Wrong));
        assert_eq!(found(&records, &[Purpose::Attack, Purpose::Confirm]), [(0, 0), (2, 1), (5, 2), (6, 2)]);
        assert_eq!(found(&[], &[Purpose::Attack]), [(0, 0), (0, 0)]);
    }

    #[test]
    fn the_window_suits_the_run() {
        assert_eq!([0, 99, 500, 1980, 50_000].map(window_for), [10, 10, 50, 198, 200]);
        assert_eq!(curves(&[]), Curves { window: 10, attack: vec![], baseline: vec![], others: vec![] });
    }
}
