//! Owns what a careful reader asks of two models, or of several replies to one item: is the difference more than chance,
//! how small a one could have been seen, how far do replies vary.
//!
//! Must not know files or formats. What is asked twice of one program, or several values of it, are not independent: sums
//! go by program (Miller 2024, "Adding error bars to evals").

use super::stats::Interval;
use crate::seed::Seed;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

/// Resamplings of a bootstrap.
const RESAMPLINGS: usize = 10_000;

/// The exact two-sided McNemar test: how likely a split at least this uneven is, if both models were equally good. Of two
/// models on the same items, `only_a` and `only_b` count those that one of them alone got right.
pub(crate) fn mcnemar(only_a: u64, only_b: u64) -> f64 {
    let fair = Binomial::new(0.5, only_a + only_b).expect("one half is a probability");
    (2.0 * fair.cdf(only_a.min(only_b))).min(1.0)
}

/// How likely a weighted sum at least this far from zero is, if each of its parts could as well have the other sign: the
/// McNemar test of items that do not all weigh the same, by the normal approximation with Edwards' correction. `parts` are
/// differences times weights.
pub(crate) fn weighted_mcnemar(parts: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut squares, mut largest) = (0.0, 0.0, 0.0_f64);
    for part in parts {
        (sum, squares, largest) = (sum + part, squares + part * part, largest.max(part.abs()));
    }
    let beyond = (f64::abs(sum) - largest).max(0.0);
    if beyond == 0.0 { 1.0 } else { 2.0 * Normal::standard().cdf(-beyond / squares.sqrt()) }
}

/// P values corrected for being several (Holm 1979), in their order.
pub(crate) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut corrected, mut largest) = (vec![0.0; p_values.len()], 0.0_f64);
    for (rank, &at) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        largest = largest.max((factor * p_values[at]).min(1.0));
        corrected[at] = largest;
    }
    corrected
}

/// The 95 % band of a mean difference, by drawing programs anew with replacement (percentile bootstrap): `differences` has
/// one number for each program. `None` of none.
pub(crate) fn paired_bootstrap(differences: &[f64], seed: Seed) -> Option<Interval> {
    if differences.is_empty() {
        return None;
    }
    let mut rng = seed.child("paired bootstrap").rng();
    let mean = |_| differences.iter().map(|_| *rng.pick(differences)).sum::<f64>() / differences.len() as f64;
    let mut means: Vec<f64> = (0..RESAMPLINGS).map(mean).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLINGS - 1) as f64 * share).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
}

/// The smallest difference of two shares that `items` items would have shown at a level of 5 % with a power of 80 %, if
/// the two models disagree on this share of them (Connor 1987); `None` where they could not have shown any.
pub(crate) fn smallest_detectable(items: u64, disagree: f64) -> Option<f64> {
    let normal = Normal::standard();
    let (level, power) = (normal.inverse_cdf(0.975), normal.inverse_cdf(0.8));
    let missing =
        |d: f64| level * disagree.sqrt() + power * (disagree - d * d).max(0.0).sqrt() - d * (items as f64).sqrt();
    // They cannot differ by more than they disagree.
    if disagree <= 0.0 || missing(disagree) > 0.0 {
        return None;
    }
    // It falls with the difference, so halving finds the root.
    let (mut low, mut high) = (0.0, disagree);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if missing(middle) > 0.0 { low = middle } else { high = middle }
    }
    Some(high)
}

/// A share of hits among answers that come in clusters, and its standard error; `None` of nothing. `clusters` has the
/// hits and the answers of each.
pub(crate) fn clustered(clusters: &[(u64, u64)]) -> Option<(f64, f64)> {
    let (hits, of) = clusters.iter().fold((0, 0), |(hits, of), cluster| (hits + cluster.0, of + cluster.1));
    if of == 0 {
        return None;
    }
    let share = hits as f64 / of as f64;
    let deviation = |&(hits, of): &(u64, u64)| (hits as f64 - share * of as f64).powi(2);
    Some((share, clusters.iter().map(deviation).sum::<f64>().sqrt() / of as f64))
}

/// How likely one of `k` replies is right, told from `right` of `of` replies (pass@k, Chen et al. 2021); `None` of fewer
/// than `k`.
pub(crate) fn pass_at(k: u64, right: u64, of: u64) -> Option<f64> {
    Some(1.0 - all_of(k, of - right, of)?)
}

/// How likely all of `k` replies are right (pass^k); `None` of fewer than `k`.
pub(crate) fn pass_all(k: u64, right: u64, of: u64) -> Option<f64> {
    all_of(k, right, of)
}

/// How likely `k` drawn of `of` without replacement are all among `some`.
fn all_of(k: u64, some: u64, of: u64) -> Option<f64> {
    (k <= of).then(|| (0..k).map(|n| some.saturating_sub(n) as f64 / (of - n) as f64).product())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn weighted_mcnemar_is_mcnemar_where_all_weigh_the_same() {
        // scipy.stats.chi2.sf((abs(b - c) - 1) ** 2 / (b + c), 1)
        for (b, c, p) in
            [(5, 1, 0.220_671_361_9), (10, 3, 0.096_092_329_5), (40, 60, 0.057_433_119_6), (300, 250, 0.036_674_697_6)]
        {
            let parts = |weight: f64| std::iter::repeat_n(weight, b).chain(std::iter::repeat_n(-weight, c));
            let found = weighted_mcnemar(parts(1.0));
            assert!((found - p).abs() < 1e-6, "{b} {c}: {found}");
            assert!((weighted_mcnemar(parts(0.01)) - found).abs() < 1e-12, "the unit does not matter");
        }
        assert_eq!((weighted_mcnemar([]), weighted_mcnemar([0.3, 0.0])), (1.0, 1.0));
    }

    #[test]
    fn mcnemar_is_that_of_statsmodels() {
        // statsmodels.stats.contingency_tables.mcnemar([[0, b], [c, 0]], exact=True).pvalue
        for (b, c, p) in [
            (0, 0, 1.0),
            (1, 0, 1.0),
            (5, 1, 0.21875),
            (10, 3, 0.09228515625),
            (40, 60, 0.05688793364098089),
            (300, 250, 0.036578745549102676),
        ] {
            close(mcnemar(b, c), p);
            close(mcnemar(c, b), p);
        }
    }

    #[test]
    fn holm_is_that_of_statsmodels() {
        // statsmodels.stats.multitest.multipletests(p, method="holm")[1]
        let same = |p: &[f64], corrected: &[f64]| holm(p).iter().zip(corrected).for_each(|(a, b)| close(*a, *b));
        same(&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        same(&[0.5, 0.6, 0.9], &[1.0, 1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn clusters_count_as_in_statsmodels() {
        // OLS on a constant, fit(cov_type="cluster", cov_kwds={"groups": g, "use_correction": False})
        let (share, error) = clustered(&[(2, 3), (1, 2), (4, 4), (0, 3), (1, 1)]).expect("there are some");
        close(share, 0.6153846153846154);
        assert!((error - 0.18842229).abs() < 1e-8, "{error}");
        assert_eq!(clustered(&[]), None);
        // Alone in their clusters they are as independent as can be.
        close(clustered(&[(1, 1), (0, 1), (0, 1), (1, 1)]).expect("there are some").1, 0.25);
    }

    #[test]
    fn the_smallest_difference_is_that_of_scipy() {
        // scipy.optimize.brentq on the same equation, with scipy.stats.norm.ppf
        for (items, disagree, difference) in [(500, 0.2, 0.055899692822044954), (2000, 0.1, 0.01979852387948996)] {
            let found = smallest_detectable(items, disagree).expect("it can be seen");
            assert!((found - difference).abs() < 1e-9, "{found} is not {difference}");
        }
        assert_eq!(smallest_detectable(5, 0.2), None, "all could differ, and it would be chance");
        assert_eq!(smallest_detectable(500, 0.0), None);
    }

    #[test]
    fn several_replies_are_drawn_without_replacement() {
        // 1 - comb(3, 5) / comb(10, 5) would be 1: five cannot all be among three. comb(7, 3) / comb(10, 3).
        assert_eq!(pass_at(5, 7, 10), Some(1.0));
        close(pass_at(2, 7, 10).expect("enough"), 1.0 - 3.0 / 45.0);
        close(pass_all(3, 7, 10).expect("enough"), 0.2916666666666667);
        assert_eq!((pass_at(3, 1, 2), pass_all(1, 0, 1)), (None, Some(0.0)));
    }

    #[test]
    fn a_paired_bootstrap_is_as_wide_as_theory_says() {
        // 400 programs, a tenth better, a tenth worse: the standard error of the mean is sqrt(0.2 / 400).
        let differences: Vec<f64> =
            (0..400).map(|n| [1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0][n % 10]).collect();
        let Interval { low, high } = paired_bootstrap(&differences, Seed::new(1)).expect("there are some");
        let expected = 1.96 * (0.2_f64 / 400.0).sqrt();
        assert!((high - expected).abs() < 0.1 * expected && (low + expected).abs() < 0.1 * expected, "{low} {high}");
        assert_eq!(paired_bootstrap(&[], Seed::new(1)), None);
    }
}
