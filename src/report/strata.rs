//! Owns comparing two groups with other things held fixed: misses among those that have something and those that have
//! not, within strata of equal length and origin.
//!
//! Must not know what they have. Within a stratum everything but the groups is alike, so that a difference which is one of
//! length, or of who chose the programs, comes to nothing (Mantel and Haenszel 1959).

use super::stats::{Interval, Share};
use statrs::distribution::{ContinuousCDF, Discrete, Hypergeometric, Normal};

/// One stratum: misses among those that have it, and among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stratum {
    /// Those that have it.
    pub with: Share,
    /// The others.
    pub without: Share,
}

impl Stratum {
    fn all(&self) -> Share {
        Share { hits: self.with.hits + self.without.hits, of: self.with.of + self.without.of }
    }

    /// Whether both groups are there: only such strata say anything.
    fn compares(&self) -> bool {
        self.with.of > 0 && self.without.of > 0
    }
}

/// The statistic of Mantel and Haenszel, without a correction for continuity: how far the misses of those that have it
/// are from what their strata let expect, in standard deviations; `None` where no stratum says anything.
pub(crate) fn mantel_haenszel(strata: impl IntoIterator<Item = Stratum>) -> Option<f64> {
    let (mut difference, mut variance) = (0.0, 0.0);
    for stratum in strata.into_iter().filter(Stratum::compares) {
        let (all, n) = (stratum.all(), stratum.all().of as f64);
        let (with, missed) = (stratum.with.of as f64, all.hits as f64);
        difference += stratum.with.hits as f64 - with * missed / n;
        variance += with * (n - with) * missed * (n - missed) / (n * n * (n - 1.0));
    }
    (variance > 0.0).then(|| difference / variance.sqrt())
}

/// How likely a deviation of so many standard deviations, up or down, is by chance.
pub(crate) fn two_sided(deviations: f64) -> f64 {
    2.0 * Normal::standard().sf(deviations.abs())
}

/// How likely so many misses or more among those that have it are, if it made no difference: exact, given how many there
/// are of each kind in each stratum (R's `mantelhaen.test(exact = TRUE, alternative = "greater")`).
pub(crate) fn exact_greater(strata: &[Stratum]) -> f64 {
    let mut chances = vec![1.0];
    let mut seen = 0;
    for stratum in strata.iter().filter(|stratum| stratum.compares()) {
        let all = stratum.all();
        let drawn = Hypergeometric::new(all.of, all.hits, stratum.with.of).expect("counts of one stratum fit");
        let most = all.hits.min(stratum.with.of);
        let own: Vec<f64> = (0..=most).map(|hits| drawn.pmf(hits)).collect();
        chances = convolved(&chances, &own);
        seen += stratum.with.hits as usize;
    }
    // Rounding must not make it more than certain.
    chances[seen..].iter().sum::<f64>().min(1.0)
}

fn convolved(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            sum[i + j] += x * y;
        }
    }
    sum
}

/// The difference of the shares missed, weighted over the strata as Mantel and Haenszel do, with its 95 % interval (Sato
/// 1989, which holds for many small strata as well as for few large ones); `None` where no stratum says anything.
pub(crate) fn difference(strata: &[Stratum]) -> Option<(f64, Interval)> {
    let (mut weighted, mut weights, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for stratum in strata.iter().filter(|stratum| stratum.compares()) {
        let (n1, n0) = (stratum.with.of as f64, stratum.without.of as f64);
        let (a, c) = (stratum.with.hits as f64, stratum.without.hits as f64);
        let n = n1 + n0;
        weighted += (a * n0 - c * n1) / n;
        weights += n1 * n0 / n;
        p += (n1 * n1 * c - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2.0) / (n * n);
        q += (a * (n0 - c) + c * (n1 - a)) / (2.0 * n);
    }
    if weights == 0.0 {
        return None;
    }
    let difference = weighted / weights;
    let half = Normal::standard().inverse_cdf(0.975) * ((difference * p + q).max(0.0)).sqrt() / weights;
    let interval = Interval { low: (difference - half).max(-1.0), high: (difference + half).min(1.0) };
    Some((difference, interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strata(rows: &[[u64; 4]]) -> Vec<Stratum> {
        let stratum = |&[a, n1, c, n0]: &[u64; 4]| Stratum {
            with: Share { hits: a, of: n1 },
            without: Share { hits: c, of: n0 },
        };
        rows.iter().map(stratum).collect()
    }

    const ROWS: [[u64; 4]; 4] = [[10, 20, 5, 25], [3, 8, 6, 30], [12, 15, 20, 40], [0, 0, 3, 9]];

    #[test]
    fn the_statistic_is_that_of_statsmodels() {
        // statsmodels.stats.contingency_tables.StratifiedTable(tables).test_null_odds(correction=False): statistic, pvalue
        let z = mantel_haenszel(strata(&ROWS)).expect("known");
        assert!((z * z - 9.289778522686515).abs() < 1e-9, "{}", z * z);
        assert!((two_sided(z) - 0.0023043601932123403).abs() < 1e-9, "{}", two_sided(z));
        assert_eq!(mantel_haenszel(strata(&[[1, 2, 0, 0]])), None);
        assert_eq!(mantel_haenszel(strata(&[[2, 2, 3, 3]])), None, "all are missed");
    }

    #[test]
    fn the_exact_test_is_the_convolution_of_scipy() {
        // numpy.convolve over scipy.stats.hypergeom(n, hits, with).pmf, summed from the observed sum on
        let p = exact_greater(&strata(&ROWS));
        assert!((p - 0.002066041032812938).abs() < 1e-9, "{p}");
        // One stratum: scipy.stats.fisher_exact([[8, 2], [1, 5]], alternative="greater").pvalue
        let p = exact_greater(&strata(&[[8, 10, 1, 6]]));
        assert!((p - 0.024475524475524483).abs() < 1e-9, "{p}");
        assert_eq!(exact_greater(&[]), 1.0);
    }

    #[test]
    fn the_difference_is_that_of_the_formulas() {
        // One stratum: the plain difference; several: Sato's formulas in numpy.
        let (found, _) = difference(&strata(&[[8, 10, 1, 5]])).expect("known");
        assert!((found - 0.6).abs() < 1e-12, "{found}");
        let (found, interval) = difference(&strata(&ROWS)).expect("known");
        let [expected, low, high] = [0.2721388367729832, 0.10473750608136848, 0.4395401674645979];
        assert!((found - expected).abs() < 1e-9, "{found}");
        assert!((interval.low - low).abs() < 1e-9 && (interval.high - high).abs() < 1e-9, "{interval:?}");
        assert_eq!(difference(&strata(&[[1, 2, 0, 0]])), None);
    }
}
