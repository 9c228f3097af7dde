//! Owns what several replies to each item tell: how much of the spread is the items', how much the sampling's.
//!
//! Must not know whose replies they are.

use super::super::compare::{clustered, pass_all, pass_at};
use super::super::stats::{Interval, wilson};
use serde::Serialize;

/// How far replies to the same item agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Share of the variance of single replies that lies between items, from 0 (a coin is thrown for each reply) to 1 (an
    /// item is always or never right): the intraclass correlation of a one-way analysis of variance, not under 0. Null
    /// where all replies are right, or all wrong.
    pub between_items: Option<f64>,
    /// Replies to each item, of which the next two tell.
    pub k: u64,
    /// How likely one of `k` replies is right (pass@k).
    pub pass_at_k: f64,
    /// How likely all `k` replies are right (pass^k).
    pub pass_all_k: f64,
}

/// Of items with their right replies and all their replies; `None` where no item has two.
pub(super) fn noise(items: &[(u64, u64)]) -> Option<Noise> {
    let k = items.iter().map(|item| item.1).filter(|&of| of > 0).min().filter(|&k| k > 1)?;
    let asked: Vec<(u64, u64)> = items.iter().copied().filter(|item| item.1 > 0).collect();
    let mean = |of: fn(u64, u64, u64) -> Option<f64>| {
        asked.iter().filter_map(|&(right, replies)| of(k, right, replies)).sum::<f64>() / asked.len() as f64
    };
    Some(Noise { between_items: between(&asked), k, pass_at_k: mean(pass_at), pass_all_k: mean(pass_all) })
}

/// ICC(1) with unequal numbers of replies (Fleiss, Levin and Paik 2003, section 18.3).
fn between(items: &[(u64, u64)]) -> Option<f64> {
    let count = items.len() as f64;
    let replies: f64 = items.iter().map(|item| item.1 as f64).sum();
    let mean = items.iter().map(|item| item.0 as f64).sum::<f64>() / replies;
    if count < 2.0 || mean == 0.0 || mean == 1.0 {
        return None;
    }
    let (mut around, mut within) = (0.0, 0.0);
    for &(right, of) in items {
        let share = right as f64 / of as f64;
        around += of as f64 * (share - mean).powi(2);
        within += of as f64 * share * (1.0 - share);
    }
    let (around, within) = (around / (count - 1.0), within / (replies - count));
    let each = (replies - items.iter().map(|item| (item.1 as f64).powi(2)).sum::<f64>() / replies) / (count - 1.0);
    Some(((around - within) / (around + (each - 1.0) * within)).max(0.0))
}

/// The 95 % interval of a share of right replies that come item by item: Wilson's, with the number of independent replies
/// that would have the same standard error, at least that of the items and at most that of the replies.
pub(super) fn clustered_wilson(items: &[(u64, u64)]) -> Option<Interval> {
    let (share, error) = clustered(items)?;
    let count = items.iter().filter(|item| item.1 > 0).count() as f64;
    let replies: f64 = items.iter().map(|item| item.1 as f64).sum();
    let worth = if error > 0.0 { (share * (1.0 - share) / error.powi(2)).clamp(count, replies) } else { count };
    Some(wilson(share, worth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_between_items_is_that_of_an_analysis_of_variance() {
        // statsmodels: a = anova_lm(ols("y ~ C(item)")); msb, msw = a.mean_sq; (msb - msw) / (msb + 3 * msw)
        let items = [(4, 4), (3, 4), (0, 4), (1, 4), (4, 4), (2, 4)];
        let found = noise(&items).expect("four replies to each");
        assert!((found.between_items.expect("known") - 0.487_179_487_179_487_2).abs() < 1e-9, "{found:?}");
        assert_eq!((found.k, found.pass_all_k), (4, 2.0 / 6.0));
        assert_eq!(found.pass_at_k, 5.0 / 6.0);
        // Replies that do not depend on their item: less between items than chance puts there.
        assert_eq!(between(&[(1, 2), (1, 2), (1, 2)]), Some(0.0));
        assert_eq!(between(&[(2, 2), (0, 2), (2, 2)]), Some(1.0));
        assert_eq!(between(&[(2, 2), (2, 2)]), None);
        assert!((between(&[(3, 3), (1, 2), (0, 4), (1, 3)]).expect("known") - 0.504_672_897_196_261_5).abs() < 1e-9);
        assert_eq!(noise(&[(1, 1), (0, 1)]), None);
    }

    #[test]
    fn intervals_are_as_wide_as_the_items_allow() {
        let once: Vec<(u64, u64)> = (0..40).map(|at| (u64::from(at % 4 == 0), 1)).collect();
        assert_eq!(clustered_wilson(&once), Some(wilson(0.25, 40.0)));
        // Asked three times with always the same reply: no more is known than from one.
        let thrice: Vec<(u64, u64)> = once.iter().map(|&(right, _)| (3 * right, 3)).collect();
        let (a, b) = (clustered_wilson(&thrice).expect("known"), wilson(0.25, 40.0));
        assert!((a.low - b.low).abs() < 1e-9 && (a.high - b.high).abs() < 1e-9);
        assert_eq!(clustered_wilson(&[(1, 2); 30]), Some(wilson(0.5, 30.0)), "no spread at all says nothing of it");
        assert_eq!(clustered_wilson(&[(2, 2); 30]), Some(wilson(1.0, 30.0)));
        assert_eq!(clustered_wilson(&[]), None);
    }
}
