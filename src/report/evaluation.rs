//! Owns the figures of an evaluation: one row for each model and task, computed from the stored records, one at a time,
//! for `--json` and the table alike.
//!
//! Must not know how they are shown. Records may be more than memory holds: of each item only the counts are kept.

use super::stats::{Interval, wilson};
use crate::item::record::{Purpose, Record, Task, Usage, Verdict};
use crate::run::manifest::Manifest;
use crate::run::plan::EvalPlan;
use crate::run::spending::{Spending, Tally as Spent};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// What an evaluation found, with the keys of `harness eval --json`. What is not known is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluationFigures {
    /// The run directory.
    pub run_dir: PathBuf,
    /// Name and version of the suite, or the preset, or where the items were taken from.
    pub suite: String,
    /// The seed of the items.
    pub seed: u64,
    /// Of the items; figures of runs with the same may be compared.
    pub fingerprint: Option<String>,
    /// How often each item was asked.
    pub epochs: u32,
    /// The model against which the items were chosen, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_against: Option<String>,
    /// By model, in the order of the command line, and task.
    pub rows: Vec<Row>,
    /// How long it took, as in the manifest; null while it runs.
    pub seconds: Option<f64>,
}

/// How one model did at one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The model asked for.
    pub model: String,
    /// The task.
    pub task: Task,
    /// Items with a final verdict.
    pub items: u64,
    /// Final verdicts: items times epochs, where all came to an end.
    pub replies: u64,
    /// `correct` over all final verdicts, those among them that are trouble of the provider.
    pub accuracy_strict: Option<f64>,
    /// `correct` over the replies from which an answer was read.
    pub accuracy_answered: Option<f64>,
    /// Of the strict accuracy: Wilson's 95 % interval with items, not replies, for the size of the sample, since the
    /// epochs of one item say little more than one.
    pub ci95: Option<[f64; 2]>,
    /// How often each verdict came.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Tokens, as far as the provider counted them; null where it never did.
    pub tokens: Usage,
    /// What they cost by the prices in the manifest, US dollars; null where those are unknown.
    pub cost_usd: Option<f64>,
    /// Whether the provider left tokens uncounted, so that they are reckoned from the texts.
    pub cost_estimated: bool,
    /// By how difficult the items were made, 1 to 5.
    pub by_level: Vec<Slice>,
    /// By the fuel of the run.
    pub by_fuel: Vec<Slice>,
    /// By how many values, flags or results there are to get right.
    pub by_depth: Vec<Slice>,
}

/// Some of a row's items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// What they have in common: `3`, `16-31`.
    pub of: String,
    /// How many there are.
    pub items: u64,
    /// As in the row.
    pub accuracy_strict: Option<f64>,
    /// As in the row.
    pub ci95: Option<[f64; 2]>,
}

/// Items and their correct replies.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    items: u64,
    /// The sum of the items' shares of correct replies.
    correct: f64,
}

impl Tally {
    fn add(&mut self, share: f64) {
        self.items += 1;
        self.correct += share;
    }

    fn rate(self) -> Option<f64> {
        (self.items > 0).then(|| self.correct / self.items as f64)
    }

    fn ci95(self) -> Option<[f64; 2]> {
        let Interval { low, high } = wilson(self.rate()?, self.items as f64);
        Some([low, high])
    }

    fn slice(self, of: String) -> Slice {
        Slice { of, items: self.items, accuracy_strict: self.rate(), ci95: self.ci95() }
    }
}

/// What is kept of an item: replies, correct ones among them, and where it belongs.
#[derive(Clone, Copy, Debug)]
struct Kept {
    replies: u32,
    correct: u32,
    level: Option<u8>,
    fuel: u64,
    depth: u32,
}

/// A row in the making.
#[derive(Clone, Debug, Default)]
struct Making {
    items: HashMap<u32, Kept>,
    verdicts: BTreeMap<Verdict, u64>,
    spent: Spent,
}

/// Takes in the records of an evaluation one by one.
#[derive(Clone, Debug)]
pub struct EvaluationTally<'m> {
    manifest: &'m Manifest,
    evaluation: &'m EvalPlan,
    rows: BTreeMap<(usize, Task), Making>,
}

impl<'m> EvaluationTally<'m> {
    /// Of the evaluation that a manifest tells of; `None` if it tells of another kind of run.
    pub fn new(manifest: &'m Manifest) -> Option<Self> {
        Some(Self { manifest, evaluation: manifest.plan.evaluation()?, rows: BTreeMap::new() })
    }

    /// Takes in the next one; those of other purposes and models are passed over.
    pub fn add(&mut self, record: &Record) {
        let of = |name: &String| self.evaluation.models.iter().position(|model| model.name == *name);
        let (Some(model), Purpose::Eval) = (record.model.as_ref().and_then(of), record.purpose) else { return };
        let (item, answer) = (&record.item, &record.answer);
        let row = self.rows.entry((model, item.task)).or_default();
        let depth = item.truth.slots() as u32;
        let new = Kept { replies: 0, correct: 0, level: record.level, fuel: item.fuel, depth };
        let kept = row.items.entry(record.index).or_insert(new);
        kept.replies += 1;
        kept.correct += u32::from(answer.verdict == Verdict::Correct);
        *row.verdicts.entry(answer.verdict).or_default() += 1;
        row.spent.add(self.evaluation.models[model].prices.as_ref(), item, answer);
    }

    /// The figures.
    pub fn figures(self, run_dir: &Path) -> EvaluationFigures {
        let Self { manifest, evaluation, rows } = self;
        EvaluationFigures {
            run_dir: run_dir.into(),
            suite: evaluation.suite.name.clone(),
            seed: evaluation.seed,
            fingerprint: manifest.fingerprint.clone(),
            epochs: evaluation.epochs,
            chosen_against: evaluation.chosen_against.clone(),
            rows: rows.into_iter().map(|((at, task), row)| row.finish(&evaluation.models[at].name, task)).collect(),
            seconds: manifest.seconds,
        }
    }
}

impl Making {
    fn finish(self, model: &str, task: Task) -> Row {
        let mut all = Tally::default();
        let (mut levels, mut fuels, mut depths) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        // In the order of the items: the sum of floats must not depend on how a table of hashes lies in memory.
        let items: BTreeMap<u32, Kept> = self.items.into_iter().collect();
        for Kept { replies, correct, level, fuel, depth } in items.into_values() {
            let share = f64::from(correct) / f64::from(replies);
            all.add(share);
            if let Some(level) = level {
                levels.entry(level).or_insert_with(Tally::default).add(share);
            }
            fuels.entry(bucket(fuel)).or_insert_with(Tally::default).add(share);
            depths.entry(depth).or_insert_with(Tally::default).add(share);
        }
        let count = |has: &dyn Fn(Verdict) -> bool| -> u64 {
            self.verdicts.iter().filter(|(verdict, _)| has(**verdict)).map(|(_, count)| count).sum()
        };
        let Spending { tokens, cost_usd, cost_estimated } = self.spent.spending();
        let (correct, answered) = (count(&|verdict| verdict == Verdict::Correct), count(&Verdict::answered));
        Row {
            model: model.into(),
            task,
            items: all.items,
            replies: count(&|_| true),
            accuracy_strict: all.rate(),
            accuracy_answered: (answered > 0).then(|| correct as f64 / answered as f64),
            ci95: all.ci95(),
            verdicts: Verdict::ALL.iter().map(|v| (*v, self.verdicts.get(v).copied().unwrap_or(0))).collect(),
            tokens,
            cost_usd,
            cost_estimated,
            by_level: levels.into_iter().map(|(level, tally)| tally.slice(level.to_string())).collect(),
            by_fuel: fuels.into_iter().map(|((low, high), tally)| tally.slice(format!("{low}-{high}"))).collect(),
            by_depth: depths.into_iter().map(|(depth, tally)| tally.slice(depth.to_string())).collect(),
        }
    }
}

/// From one power of two to below the next; below 8 there is one.
pub(super) fn bucket(fuel: u64) -> (u64, u64) {
    if fuel < 8 {
        return (0, 7);
    }
    let low = 1 << fuel.ilog2();
    (low, 2 * low - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::models::Prices;
    use crate::run::manifest::tests::sample as manifest;
    use crate::run::plan::tests::{evaluation, examinee};
    use crate::run::plan::{Examinee, Plan};
    use crate::run::sink::tests::sample;

    fn evaluated() -> Manifest {
        let prices = Prices { input: 1.0, output: 4.0, as_of: "2026-01".into() };
        let paid = Examinee { prices: Some(prices), ..examinee("a/b") };
        Manifest { plan: Plan::Eval(evaluation(vec![paid, examinee("c")], 2)), ..manifest() }
    }

    /// What `model` replied to item `index` in one epoch.
    fn reply(model: &str, index: u32, epoch: u32, verdict: Verdict) -> Record {
        let mut record = sample(Purpose::Eval, epoch, index, verdict);
        (record.model, record.level) = (Some(model.into()), Some(1 + (index % 2) as u8));
        record.item.fuel = 6 + 8 * u64::from(index);
        record
    }

    fn figures(records: &[Record]) -> EvaluationFigures {
        let manifest = evaluated();
        let mut tally = EvaluationTally::new(&manifest).expect("is one");
        records.iter().for_each(|record| tally.add(record));
        tally.figures(Path::new("x"))
    }

    #[test]
    fn the_figures_are_those_computed_by_hand() {
        use Verdict::{Correct, ProviderError, Wrong};
        let mut records = vec![
            reply("a/b", 0, 0, Correct),
            reply("a/b", 0, 1, Wrong),
            reply("a/b", 1, 0, Correct),
            reply("a/b", 1, 1, Correct),
            reply("a/b", 2, 0, ProviderError),
            reply("a/b", 2, 1, Wrong),
            reply("c", 0, 0, Correct),
        ];
        let usage = Usage { prompt_tokens: Some(100), completion_tokens: Some(50), ..Usage::default() };
        records[..6].iter_mut().filter(|r| r.answer.verdict.is_reply()).for_each(|r| r.answer.usage = usage);
        let found = figures(&records);
        let [row, other] = &found.rows[..] else { panic!("{:?}", found.rows) };
        assert_eq!((row.items, row.replies), (3, 6));
        assert_eq!((row.accuracy_strict, row.accuracy_answered), (Some(0.5), Some(0.6)));
        // Wilson at 0.5 of 3: centre 0.5, half width 1.959964 / 2.280486 * sqrt(0.25 / 3 + 3.841459 / 36).
        let [low, high] = row.ci95.expect("known");
        assert!((low - 0.125_334).abs() < 1e-5 && (high - 0.874_666).abs() < 1e-5, "{low} {high}");
        assert_eq!(row.verdicts[&Wrong], 2);
        assert_eq!(row.tokens.prompt_tokens, Some(500));
        assert!((row.cost_usd.expect("priced") - 5.0 * 300.0 / 1e6).abs() < 1e-12);
        let slices = |slices: &[Slice]| -> Vec<(String, u64, Option<f64>)> {
            slices.iter().map(|slice| (slice.of.clone(), slice.items, slice.accuracy_strict)).collect()
        };
        assert_eq!(slices(&row.by_level), [("1".into(), 2, Some(0.25)), ("2".into(), 1, Some(1.0))]);
        let fuels = [("0-7".into(), 1, Some(0.5)), ("8-15".into(), 1, Some(1.0)), ("16-31".into(), 1, Some(0.0))];
        assert_eq!(slices(&row.by_fuel), fuels);
        assert_eq!((other.model.as_str(), other.cost_usd), ("c", None), "what it costs is not known");
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter() {
        let verdict = |i: u32| if i.is_multiple_of(3) { Verdict::Correct } else { Verdict::Wrong };
        let mut records: Vec<Record> = (0..60).map(|i| reply("a/b", i / 3, i % 3, verdict(i * 7))).collect();
        let before = figures(&records);
        crate::seed::Rng::from_u64(1).shuffle(&mut records);
        assert_eq!(figures(&records), before);
    }
}
