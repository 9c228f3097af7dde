//! Owns what is said of many runs at once: the interquartile mean over tasks and seeds, with a band.
//!
//! Must not know what was measured. After rliable (Agarwal et al. 2021): the mean of the middle half of all runs, which
//! one lucky run moves less than a mean and which wastes less than a median; and a percentile bootstrap stratified by
//! task, since the runs of a task are draws from its seeds while the tasks are those that were chosen.

use super::stats::Interval;
use crate::seed::{Rng, Seed};

/// Resamplings of a band.
const RESAMPLINGS: usize = 2000;

/// The runs of each task: `scores[task][seed]`. Tasks may have different numbers of seeds.
pub type Scores = Vec<Vec<f64>>;

/// The mean of what is left when the lowest and the highest quarter, each rounded down, are taken away; `None` of
/// nothing.
pub fn interquartile_mean(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 4;
    let middle = &sorted[cut..sorted.len() - cut];
    (!middle.is_empty()).then(|| middle.iter().sum::<f64>() / middle.len() as f64)
}

/// An estimate with its 95 % band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Of the runs themselves.
    pub estimate: f64,
    /// Where 95 % of the resampled estimates lie.
    pub interval: Interval,
}

/// The interquartile mean over all runs of all tasks; `None` without a run.
pub fn band(scores: &Scores, seed: Seed) -> Option<Band> {
    bootstrap(&[scores], seed, |parts| interquartile_mean(parts[0].iter().flatten().copied()))
}

/// How many times the interquartile mean of `scores` is that of `others`; `None` if that is unknown or zero.
pub fn ratio(scores: &Scores, others: &Scores, seed: Seed) -> Option<Band> {
    bootstrap(&[scores, others], seed, |parts| {
        let mean = |part: &Scores| interquartile_mean(part.iter().flatten().copied());
        let other = mean(&parts[1]).filter(|&mean| mean > 0.0)?;
        Some(mean(&parts[0])? / other)
    })
}

/// What `estimate` makes of some scores, and of the same with the seeds of each task drawn anew, with replacement.
/// Where a resampling has no estimate, it counts as beyond all others.
fn bootstrap(parts: &[&Scores], seed: Seed, estimate: impl Fn(&[Scores]) -> Option<f64>) -> Option<Band> {
    let whole: Vec<Scores> = parts.iter().map(|&part| part.clone()).collect();
    let found = estimate(&whole)?;
    let mut rng = seed.child("bootstrap").rng();
    let mut resampled: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let drawn: Vec<Scores> = parts.iter().map(|part| resample(part, &mut rng)).collect();
            estimate(&drawn).unwrap_or(f64::INFINITY)
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let at = |share: f64| resampled[((RESAMPLINGS - 1) as f64 * share).round() as usize];
    Some(Band { estimate: found, interval: Interval { low: at(0.025), high: at(0.975) } })
}

fn resample(scores: &Scores, rng: &mut Rng) -> Scores {
    let drawn = |runs: &Vec<f64>| runs.iter().map(|_| *rng.pick(runs)).collect();
    scores.iter().map(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interquartile_mean_is_that_of_the_middle_half() {
        // scipy.stats.trim_mean(x, 0.25): of 8 numbers two go at either end, of 5 one.
        assert_eq!(interquartile_mean([9.0, 1.0, 2.0, 4.0, 100.0, 3.0, 0.0, 5.0]), Some(3.5));
        assert_eq!(interquartile_mean([50.0, 1.0, 2.0, 3.0, -50.0]), Some(2.0));
        assert_eq!(interquartile_mean([7.0]), Some(7.0));
        assert_eq!(interquartile_mean([]), None);
    }

    #[test]
    fn bands_hold_what_the_seeds_of_each_task_spread() {
        // Tasks far apart whose seeds agree: stratified, there is no doubt at all.
        let sure: Scores = vec![vec![1.0; 5], vec![9.0; 5]];
        let found = band(&sure, Seed::new(1)).expect("there are runs");
        assert_eq!((found.estimate, found.interval.low, found.interval.high), (5.0, 5.0, 5.0));
        let unsure: Scores = vec![(0..40).map(f64::from).collect()];
        let found = band(&unsure, Seed::new(1)).expect("there are runs");
        assert_eq!(found.estimate, 19.5);
        // The standard error of the interquartile mean of a uniform sample is about a quarter larger than the mean's.
        let half = (found.interval.high - found.interval.low) / 2.0;
        assert!((3.0..7.0).contains(&half) && found.interval.low < 19.5, "{found:?}");
        assert_eq!(band(&unsure, Seed::new(1)), Some(found));
        assert_eq!(band(&vec![], Seed::new(1)), None);
    }

    #[test]
    fn ratios_are_of_the_means() {
        let (many, few): (Scores, Scores) = (vec![vec![6.0; 4]], vec![vec![2.0, 2.0, 2.0, 2.0]]);
        assert_eq!(ratio(&many, &few, Seed::new(1)).expect("known").estimate, 3.0);
        assert_eq!(ratio(&many, &vec![vec![0.0; 4]], Seed::new(1)), None, "there is no multiple of nothing");
    }
}
