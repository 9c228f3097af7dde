//! Owns how far apart two distributions are.
//!
//! Must not know what they are of.

/// A distribution over numbered outcomes, and the share of all others: what a corpus has and a program
/// cannot have.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// The share of each outcome.
    pub shares: Vec<f64>,
    /// The share of everything else.
    pub rest: f64,
}

impl Distribution {
    /// Of counts; all zero where nothing was counted.
    pub fn of_counts(counts: &[f64]) -> Self {
        let total: f64 = counts.iter().sum();
        let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
        Self { shares: counts.iter().map(|count| count * scale).collect(), rest: 0.0 }
    }
}

/// Jensen-Shannon divergence in bits (Lin 1991): 0 for equal distributions, 1 for such as have no outcome in common. An
/// empty one is as far from any other as can be.
///
/// # Panics
/// If the two are of other outcomes.
pub fn jensen_shannon(p: &Distribution, q: &Distribution) -> f64 {
    assert_eq!(p.shares.len(), q.shares.len(), "distributions of the same outcomes");
    let is_empty = |d: &Distribution| d.rest <= 0.0 && d.shares.iter().all(|&share| share <= 0.0);
    if is_empty(p) || is_empty(q) {
        return if is_empty(p) && is_empty(q) { 0.0 } else { 1.0 };
    }
    let shares = p.shares.iter().zip(&q.shares).map(|(&p, &q)| term(p, q)).sum::<f64>();
    (shares + term(p.rest, q.rest)).clamp(0.0, 1.0)
}

/// What one outcome adds.
fn term(p: f64, q: f64) -> f64 {
    let middle = (p + q) / 2.0;
    let part = |x: f64| if x > 0.0 { x * (x / middle).log2() } else { 0.0 };
    (part(p) + part(q)) / 2.0
}

/// Likeness, `1 - JSD`: 1 for equal distributions.
pub fn alignment(p: &Distribution, q: &Distribution) -> f64 {
    1.0 - jensen_shannon(p, q)
}

/// How fast the alignment of `p` with `q` grows as an outcome's share grows: the derivative of `1 - JSD`, up to a term
/// that is the same for all outcomes. An outcome that `p` does not have at all is treated as one that it nearly lacks.
pub fn pull(p: &Distribution, q: &Distribution) -> Vec<f64> {
    const LEAST: f64 = 1e-6;
    let pull = |p: f64, q: f64| {
        let p = p.max(LEAST);
        0.5 * ((p + q) / (2.0 * p)).log2()
    };
    p.shares.iter().zip(&q.shares).map(|(&p, &q)| pull(p, q)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shares: &[f64], rest: f64) -> Distribution {
        Distribution { shares: shares.to_vec(), rest }
    }

    #[test]
    fn known_values() {
        let (p, q) = (of(&[0.5, 0.5, 0.0], 0.0), of(&[0.0, 0.0, 1.0], 0.0));
        assert_eq!(jensen_shannon(&p, &p), 0.0);
        assert_eq!(jensen_shannon(&p, &q), 1.0);
        // JSD((1, 0), (1/2, 1/2)) = (log2(4/3) + (log2(2/3) + 1) / 2) / 2 = 0.31127812...
        assert!((jensen_shannon(&of(&[1.0, 0.0], 0.0), &of(&[0.5, 0.5], 0.0)) - 0.311_278_124_459_132_8).abs() < 1e-15);
        // What falls on the rest counts like any other outcome.
        assert!((jensen_shannon(&of(&[1.0], 0.0), &of(&[0.5], 0.5)) - 0.311_278_124_459_132_8).abs() < 1e-15);
        let empty = Distribution::of_counts(&[0.0, 0.0]);
        assert_eq!(jensen_shannon(&empty, &of(&[0.5, 0.5], 0.0)), 1.0);
    }

    #[test]
    fn the_pull_is_the_derivative() {
        let (p, q) = (of(&[0.2, 0.5, 0.3], 0.0), of(&[0.4, 0.35, 0.2], 0.05));
        let pull = pull(&p, &q);
        let step = 1e-6;
        for (more, less) in [(0, 1), (1, 2), (2, 0)] {
            let mut moved = p.clone();
            moved.shares[more] += step;
            moved.shares[less] -= step;
            let gained = (alignment(&moved, &q) - alignment(&p, &q)) / step;
            assert!((gained - (pull[more] - pull[less])).abs() < 1e-4, "{more} {less}: {gained}");
        }
    }
}
