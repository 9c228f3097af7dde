//! Owns the first thing a leaderboard shows: every model at every task of the same items, and its place over all of them.
//!
//! Must not know how figures of a task come about. The mean is over tasks, each weighing the same however many items it
//! has. Two models differ if their paired answers do, by more than chance and after correction for all pairs; a place
//! is one more than the number of models that are better by that measure, so models that cannot be told
//! apart share it.

use super::super::compare::{holm, weighted_mcnemar};
use super::super::stats::Interval;
use super::pairs::Counts;
use super::{Role, label};
use crate::item::record::Task;
use serde::Serialize;

/// How likely a difference may be by chance, corrected for all pairs, to count.
const DIFFERS: f64 = 0.05;

/// How several models did over all tasks of the same items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Name and version of the suite, or the preset, or where the items were taken from.
    pub suite: String,
    /// The seed of the items.
    pub seed: u64,
    /// Of all items.
    pub fingerprint: String,
    /// The tasks, in the order of the rows' figures.
    pub tasks: Vec<Task>,
    /// Ranked rows by their mean, then those that are not ranked.
    pub rows: Vec<OverallRow>,
}

/// How one model did in one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverallRow {
    /// One more than the number of models that are better by more than chance; null for floor, ceiling and what is not
    /// complete.
    pub place: Option<u64>,
    /// Whether another model has the same place.
    pub tied: bool,
    /// The model asked for.
    pub model: String,
    /// The run's directory, as it was given.
    pub run: String,
    /// What it is there for.
    pub role: Role,
    /// Whether every task is complete.
    pub complete: bool,
    /// The mean of the strict accuracies; null where one is not known.
    pub mean: Option<f64>,
    /// Of the mean, 95 %: the tasks' intervals together (MOVER, Zou and Donner 2008).
    pub ci95: Option<[f64; 2]>,
    /// The strict accuracy at each task; null where it is not known.
    pub by_task: Vec<Option<f64>>,
}

/// One model in one run.
pub(super) struct Line {
    pub(super) model: String,
    pub(super) run: String,
    pub(super) role: Role,
    /// How it did at each task, as far as it was asked.
    pub(super) tasks: Vec<Option<Part>>,
}

/// How it did at one task.
pub(super) struct Part {
    pub(super) accuracy: Option<f64>,
    pub(super) ci95: Option<[f64; 2]>,
    pub(super) complete: bool,
    pub(super) counts: Counts,
}

/// The rows, with their places.
pub(super) fn rows(lines: &[Line]) -> Vec<OverallRow> {
    let mut rows: Vec<(OverallRow, &Line)> = lines.iter().map(|line| (row(line), line)).collect();
    rows.sort_by(|(a, _), (b, _)| {
        let of = |row: &OverallRow| row.mean.unwrap_or(-1.0);
        b.complete.cmp(&a.complete).then(of(b).total_cmp(&of(a))).then((&a.model, &a.run).cmp(&(&b.model, &b.run)))
    });
    let is_ranked = |at: &usize| rows[*at].0.complete && rows[*at].0.role == Role::Model;
    let ranked: Vec<usize> = (0..rows.len()).filter(is_ranked).collect();
    let every_two = || ranked.iter().enumerate().flat_map(|(n, &a)| ranked[n + 1..].iter().map(move |&b| (a, b)));
    let p: Vec<f64> = every_two().map(|(a, b)| weighted_mcnemar(differences(rows[a].1, rows[b].1))).collect();
    // Rows stand by their mean: of every two the first is the better one, if any is.
    let worse: Vec<usize> =
        every_two().zip(holm(&p)).filter(|(_, p)| *p < DIFFERS).map(|((_, worse), _)| worse).collect();
    let place = |at: usize| 1 + worse.iter().filter(|&&worse| worse == at).count() as u64;
    let places: Vec<u64> = ranked.iter().map(|&at| place(at)).collect();
    for (&at, &place) in ranked.iter().zip(&places) {
        rows[at].0.place = Some(place);
        rows[at].0.tied = places.iter().filter(|&&other| other == place).count() > 1;
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

fn row(Line { model, run, role, tasks }: &Line) -> OverallRow {
    let by_task: Vec<Option<f64>> = tasks.iter().map(|part| part.as_ref()?.accuracy).collect();
    let known = tasks.iter().map(|part| Some((part.as_ref()?.accuracy?, part.as_ref()?.ci95?)));
    OverallRow {
        place: None,
        tied: false,
        model: model.clone(),
        run: run.clone(),
        role: *role,
        complete: tasks.iter().all(|part| part.as_ref().is_some_and(|part| part.complete)),
        mean: by_task.iter().copied().sum::<Option<f64>>().map(|sum| sum / tasks.len() as f64),
        ci95: known.collect::<Option<Vec<_>>>().map(|shares| mean_interval(&shares)),
        by_task,
    }
}

/// The interval of a mean of independent shares, of which each has its own: squared distances from the estimates add up.
fn mean_interval(shares: &[(f64, [f64; 2])]) -> [f64; 2] {
    let n = shares.len() as f64;
    let mean = shares.iter().map(|(share, _)| share).sum::<f64>() / n;
    let reach = |end: usize| shares.iter().map(|(share, ends)| (share - ends[end]).powi(2)).sum::<f64>().sqrt() / n;
    [mean - reach(0), mean + reach(1)]
}

/// How the mean of `a` over tasks less that of `b` adds up, item by item, on the items that both have.
fn differences(a: &Line, b: &Line) -> Vec<f64> {
    let share = |&(right, of): &(u32, u32)| (of > 0).then(|| f64::from(right) / f64::from(of));
    let mut parts = Vec::new();
    for (a, b) in a.tasks.iter().zip(&b.tasks).filter_map(|(a, b)| Some((&a.as_ref()?.counts, &b.as_ref()?.counts))) {
        let both: Vec<f64> = a.iter().zip(b).filter_map(|(a, b)| Some(share(a)? - share(b)?)).collect();
        let items = both.len() as f64;
        parts.extend(both.into_iter().map(|difference| difference / items));
    }
    parts
}

impl Overall {
    /// The name of a row: the model, with its run if another row has that model.
    pub(crate) fn label(&self, row: &OverallRow) -> String {
        label(&row.model, &row.run, self.rows.iter().map(|row| (row.model.as_str(), row.run.as_str())))
    }
}

impl OverallRow {
    /// The interval, if it is known.
    pub(crate) fn interval(&self) -> Option<Interval> {
        self.ci95.map(|[low, high]| Interval { low, high })
    }

    /// `2`, `=1` where others share it, or what stands in its place.
    pub(crate) fn told_place(&self) -> String {
        if self.complete { self.role.place(self.place, self.tied) } else { "not ranked".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::stats::Share;
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_that_of_its_shares() {
        // One share keeps its own; of several alike it shrinks with the root of their number.
        assert_eq!(mean_interval(&[(0.5, [0.25, 1.0])]), [0.25, 1.0]);
        let four = mean_interval(&[(0.5, [0.25, 1.0]); 4]);
        assert!((four[0] - 0.375).abs() < 1e-12 && (four[1] - 0.75).abs() < 1e-12, "{four:?}");
        // 0.6 less half of the root of 0.1² + 0.1², and more half of the root of 0.05² + 0.12².
        let two = mean_interval(&[(0.9, [0.8, 0.95]), (0.3, [0.2, 0.42])]);
        assert!((two[0] - 0.529_289_3).abs() < 1e-6 && (two[1] - 0.665).abs() < 1e-6, "{two:?}");
    }

    #[test]
    fn places_are_shared_by_those_that_cannot_be_told_apart() {
        // How many are right of 200 items of one task and of 10 of another one; both tasks weigh the same.
        let part = |right: u32, of: u32| {
            let (hits, all) = (right.into(), of.into());
            let interval = Share { hits, of: all }.wilson().expect("of some");
            Part {
                accuracy: Some(f64::from(right) / f64::from(of)),
                ci95: Some([interval.low, interval.high]),
                complete: true,
                counts: (0..of).map(|at| (u32::from(at < right), 1)).collect(),
            }
        };
        let line = |(model, many, few): (&str, u32, u32)| Line {
            model: model.into(),
            run: "run".into(),
            role: Role::Model,
            tasks: vec![Some(part(many, 200)), Some(part(few, 10))],
        };
        let told = |lines: &[Line]| -> Vec<(String, String)> {
            rows(lines).into_iter().map(|row| (row.told_place(), row.model)).collect()
        };
        let mut lines: Vec<Line> = [("a", 190, 5), ("b", 188, 6), ("c", 100, 5), ("d", 98, 5)].map(line).into();
        let expected = [("=1", "b"), ("=1", "a"), ("=3", "c"), ("=3", "d")];
        assert_eq!(told(&lines), expected.map(|(place, model)| (place.to_owned(), model.to_owned())));
        // A model that lacks a task has no place, and no mean.
        lines[1].tasks[1] = None;
        let rows = rows(&lines);
        assert_eq!((rows[0].told_place().as_str(), rows[3].told_place().as_str()), ("1", "not ranked"));
        assert_eq!((rows[3].mean, rows[3].ci95), (None, None));
    }
}
