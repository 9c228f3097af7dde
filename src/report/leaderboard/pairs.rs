//! Owns every two of a table's models against each other, on the items that both have.
//!
//! Must not know how rows came about. Where items were asked several times, an item speaks for the model with more right
//! replies to it; asked once, that is McNemar's test.

use super::super::compare::{holm, mcnemar, paired_bootstrap, smallest_detectable};
use crate::seed::Seed;
use rayon::prelude::*;
use serde::Serialize;

/// Every two of some models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Duels {
    /// Numbers of the rows that are compared.
    pub rows: Vec<usize>,
    /// Every two of them.
    pub all: Vec<Duel>,
    /// Of how many the interval of the difference includes zero.
    pub including_zero: u64,
}

/// Two models on the same items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duel {
    /// Number of a row.
    pub a: usize,
    /// Number of another one.
    pub b: usize,
    /// Items that both have.
    pub items: u64,
    /// Strict accuracy of `a` less that of `b`.
    pub difference: f64,
    /// Of the difference, 95 %: paired bootstrap over items.
    pub ci95: [f64; 2],
    /// Items of which `a` has more right replies.
    pub only_a: u64,
    /// Items of which `b` has more right replies.
    pub only_b: u64,
    /// Exact two-sided McNemar test.
    pub p: f64,
    /// The same, corrected for all pairs of the table (Holm).
    pub p_holm: f64,
    /// The smallest difference that so many items would have shown (level 5 %, power 80 %), given how often the two
    /// disagree; null where they could have shown none.
    pub smallest_detectable: Option<f64>,
}

impl Duel {
    /// Whether zero is within the interval of the difference.
    pub(crate) fn includes_zero(&self) -> bool {
        self.ci95[0] <= 0.0 && self.ci95[1] >= 0.0
    }
}

/// Right replies and all replies of a model to each item.
pub(super) type Counts = Vec<(u32, u32)>;

/// Every two of these rows, given by their numbers.
pub(super) fn duels(rows: Vec<(usize, &Counts)>, seed: Seed) -> Duels {
    let every_two: Vec<_> = (0..rows.len()).flat_map(|a| (a + 1..rows.len()).map(move |b| (a, b))).collect();
    let duel = |(at, (a, b)): (usize, (usize, usize))| {
        let ((a, counts_a), (b, counts_b)) = (rows[a], rows[b]);
        duel(a, counts_a, b, counts_b, seed.indexed("pair", at as u64))
    };
    let mut all: Vec<Duel> = every_two.into_par_iter().enumerate().filter_map(duel).collect();
    let corrected = holm(&all.iter().map(|duel| duel.p).collect::<Vec<_>>());
    all.iter_mut().zip(corrected).for_each(|(duel, p)| duel.p_holm = p);
    let including_zero = all.iter().filter(|duel| duel.includes_zero()).count() as u64;
    Duels { rows: rows.into_iter().map(|(at, _)| at).collect(), all, including_zero }
}

/// Rows `a` and `b` compared; `None` if they have no item in common.
fn duel(a: usize, counts_a: &Counts, b: usize, counts_b: &Counts, seed: Seed) -> Option<Duel> {
    let share = |&(right, of): &(u32, u32)| (of > 0).then(|| f64::from(right) / f64::from(of));
    let both = counts_a.iter().zip(counts_b).filter_map(|(a, b)| Some(share(a)? - share(b)?));
    let differences: Vec<f64> = both.collect();
    let ci = paired_bootstrap(&differences, seed)?;
    let items = differences.len() as u64;
    let count = |has: fn(&&f64) -> bool| differences.iter().filter(has).count() as u64;
    let (only_a, only_b) = (count(|d| **d > 0.0), count(|d| **d < 0.0));
    let p = mcnemar(only_a, only_b);
    Some(Duel {
        a,
        b,
        items,
        difference: differences.iter().sum::<f64>() / items as f64,
        ci95: [ci.low, ci.high],
        only_a,
        only_b,
        p,
        p_holm: p,
        smallest_detectable: smallest_detectable(items, (only_a + only_b) as f64 / items as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_told_on_the_items_that_both_have() {
        let once = |right: &[u32]| -> Counts { right.iter().map(|&right| (right, 1)).collect() };
        // b knows 10 items that a does not, a 3 that b does not: statsmodels says p = 0.09228515625 (see `compare`).
        let mut a = once(&[[0; 10].as_slice(), &[1; 3], &[1; 27]].concat());
        let mut b = once(&[[1; 10].as_slice(), &[0; 3], &[1; 27]].concat());
        let same = a.clone();
        // An item that only one has does not count.
        a.push((1, 1));
        b.push((0, 0));
        let found = duels(vec![(0, &a), (1, &b), (5, &same)], Seed::new(1));
        assert_eq!(found.rows, [0, 1, 5]);
        let [ab, same, _] = &found.all[..] else { panic!("three pairs") };
        assert_eq!((ab.items, ab.only_a, ab.only_b, ab.difference), (40, 3, 10, -7.0 / 40.0));
        assert!(
            (ab.p - 0.092_285_156_25).abs() < 1e-12 && (ab.p_holm - 3.0 * 0.092_285_156_25).abs() < 1e-12,
            "{ab:?}"
        );
        // numpy.percentile of 100,000 resampled means of the same differences: -0.35 and 0.0.
        assert!((ab.ci95[0] + 0.35).abs() < 0.051 && (-0.05..=0.026).contains(&ab.ci95[1]), "{ab:?}");
        assert_eq!((same.difference, same.ci95, same.p, same.smallest_detectable), (0.0, [0.0; 2], 1.0, None));
        assert!(same.includes_zero());
        let none = duels(vec![(0, &vec![(1, 1)]), (1, &vec![(0, 0)])], Seed::new(1));
        assert!(none.all.is_empty());
    }

    #[test]
    fn several_replies_speak_for_the_model_with_more_right_ones() {
        let (a, b) = (vec![(3, 3), (1, 3), (2, 3)], vec![(2, 3), (1, 3), (3, 3)]);
        let found = &duels(vec![(0, &a), (1, &b)], Seed::new(1)).all[0];
        assert_eq!((found.only_a, found.only_b, found.difference), (1, 1, 0.0));
    }
}
