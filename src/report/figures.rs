//! Owns the figures of an attack: one struct, computed in one place, for `--json` and for the summary alike.
//!
//! Must not know how they are shown.

use super::stats;
use crate::item::record::{Purpose, Record, Verdict};
use crate::run::manifest::Manifest;
use crate::run::spending::{Spending, Tally};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What an attack found, with the keys of `harness attack --json`. What is not known is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttackFigures {
    /// The run directory.
    pub run_dir: PathBuf,
    /// The model asked for.
    pub model: Option<String>,
    /// The preset's name or file.
    pub preset: String,
    /// Who chose the programs.
    pub strategy: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Questions of the run, confirmations among them; those of the baseline are apart. Retries of one question after
    /// trouble of the provider are in the timings.
    pub queries: u64,
    /// Finished replies to attack questions: the denominator of the miss rate.
    pub replies: u64,
    /// Misses among them.
    pub misses: u64,
    /// `misses / replies`.
    pub miss_rate: Option<f64>,
    /// The same over the last quarter of the attack questions, in the order asked.
    pub miss_rate_last_quarter: Option<f64>,
    /// The same over the questions of the random baseline; of several kinds of chance, the one with most misses.
    pub baseline_miss_rate: Option<f64>,
    /// Misses of different canonical form.
    pub unique_misses: u64,
    /// Different canonical forms over misses, in the last quarter.
    pub distinct_share_last_quarter: Option<f64>,
    /// Cells of the archive with a miss: construct, fuel and verdict.
    pub cells_filled: u64,
    /// How well the predictor told misses from others among queries that it did not choose: the area under its ROC curve,
    /// at the end. Null without a predictor, and while too few of either are known.
    pub predictor_auc: Option<f64>,
    /// Whether it was trusted at the end, and chose what was asked. Null without a predictor.
    pub predictor_trusted: Option<bool>,
    /// How often each verdict came, among attack questions.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// What all replies took and cost, those to confirmations and to the baseline among them. Pairs and shrinking are apart:
    /// they come later.
    #[serde(flatten)]
    pub spending: Spending,
    /// How long the run took; null while it runs, and for one that was killed.
    pub seconds: Option<f64>,
}

/// What the figures take from a line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Learner {
    predictor_auc: Option<f64>,
    predictor_trusted: Option<bool>,
}

impl AttackFigures {
    /// The figures of a run from what is stored of it; `learner` is what it said last. The order of the records does not
    /// matter.
    pub fn compute(run_dir: &Path, manifest: &Manifest, records: &[Record], learner: Learner) -> Self {
        let attack = stats::asked(records, Purpose::Attack);
        let confirm = stats::asked(records, Purpose::Confirm);
        let baseline = stats::asked(records, Purpose::Baseline);
        let last_quarter = stats::last_quarter(&attack);
        let missed = stats::miss_share(&attack);
        Self {
            run_dir: run_dir.into(),
            model: manifest.plan.attack().map(|attack| attack.model.name.clone()),
            preset: manifest.plan.preset().name.clone(),
            strategy: manifest.plan.attack().map(|attack| attack.strategy.name().to_owned()),
            seed: manifest.plan.seed(),
            queries: (attack.len() + confirm.len()) as u64,
            replies: missed.of,
            misses: missed.hits,
            miss_rate: missed.rate(),
            miss_rate_last_quarter: stats::miss_share(last_quarter).rate(),
            baseline_miss_rate: stats::best_miss_share(&baseline).rate(),
            unique_misses: stats::distinct_share(&attack).hits,
            distinct_share_last_quarter: stats::distinct_share(last_quarter).rate(),
            cells_filled: stats::misses(&attack)
                .filter_map(|record| record.cell.as_ref())
                .collect::<BTreeSet<_>>()
                .len() as u64,
            predictor_auc: learner.predictor_auc,
            predictor_trusted: learner.predictor_trusted,
            verdicts: stats::verdicts(&attack),
            spending: spending(manifest, records),
            seconds: manifest.seconds,
        }
    }

    /// What is to be told of the predictor, if there was one.
    pub fn predictor(&self) -> Option<String> {
        let trusted = if self.predictor_trusted? { "trusted" } else { "not trusted" };
        let auc = self.predictor_auc.map_or("unknown".into(), |auc| format!("{auc:.2}"));
        Some(format!("{trusted}; AUC on queries that it did not choose: {auc}"))
    }
}

/// What replies took and cost, by the prices of their run.
pub fn spending<'r>(manifest: &Manifest, records: impl IntoIterator<Item = &'r Record>) -> Spending {
    let (mut tally, prices) =
        (Tally::default(), manifest.prices_of(manifest.plan.attack().map(|attack| attack.model.name.as_str())));
    records.into_iter().for_each(|record| tally.add(prices, &record.item, &record.answer));
    tally.spending()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::models::Prices;
    use crate::item::record::Usage;
    use crate::run::manifest::tests::sample as manifest;
    use crate::run::plan::Plan;
    use crate::run::sink::tests::sample;

    /// Eight attack questions: wrong at 1, 2, 6, 7 with 6 and 7 of one form, 3 timed out; one confirmation, two of the
    /// baseline.
    fn records() -> Vec<Record> {
        let verdict = |i| match i {
            1 | 2 | 6 | 7 => Verdict::Wrong,
            3 => Verdict::Timeout,
            _ => Verdict::Correct,
        };
        let mut records: Vec<Record> = (0..8).map(|i| sample(Purpose::Attack, i / 4, i % 4, verdict(i))).collect();
        records[7].item.canonical = records[6].item.canonical.clone();
        for (at, cell) in
            [(1, "loop/8-11/wrong"), (2, "loop/8-11/wrong"), (4, "loop/8-11/correct"), (6, "float/0-7/wrong")]
        {
            records[at].cell = Some(cell.into());
        }
        records.push(sample(Purpose::Confirm, 0, 1, Verdict::Wrong));
        records.extend([Verdict::Wrong, Verdict::Correct].map(|v| sample(Purpose::Baseline, 0, 0, v)));
        records
    }

    /// As a line of `metrics.jsonl` has it.
    fn learner() -> Learner {
        let line = r#"{"round": 3, "predictor_auc": 0.75, "predictor_trusted": true, "entropy": 1.5}"#;
        serde_json::from_str(line).expect("a line")
    }

    #[test]
    fn the_json_has_exactly_these_keys_and_figures() {
        let figures = AttackFigures::compute(Path::new("results/x"), &manifest(), &records(), learner());
        let json = serde_json::to_string_pretty(&figures).expect("plain data");
        insta::assert_snapshot!(json, @r#"
        {
          "run_dir": "results/x",
          "model": "sim/novice",
          "preset": "stack",
          "strategy": "ppo",
          "seed": 18446744073709551615,
          "queries": 9,
          "replies": 7,
          "misses": 4,
          "miss_rate": 0.5714285714285714,
          "miss_rate_last_quarter": 1.0,
          "baseline_miss_rate": 0.5,
          "unique_misses": 3,
          "distinct_share_last_quarter": 0.5,
          "cells_filled": 2,
          "predictor_auc": 0.75,
          "predictor_trusted": true,
          "verdicts": {
            "correct": 3,
            "wrong": 4,
            "invalid_format": 0,
            "refusal": 0,
            "no_response": 0,
            "truncated": 0,
            "provider_error": 0,
            "timeout": 1
          },
          "tokens": {},
          "cost_usd": null,
          "cost_estimated": false,
          "seconds": null
        }
        "#);
        assert_eq!(serde_json::from_str::<AttackFigures>(&json).expect("reads back"), figures);
    }

    #[test]
    fn unknown_is_null() {
        let figures = AttackFigures::compute(Path::new("results/x"), &manifest(), &[], Learner::default());
        let json = serde_json::to_value(&figures).expect("plain data");
        let unknown = [
            "miss_rate",
            "miss_rate_last_quarter",
            "baseline_miss_rate",
            "distinct_share_last_quarter",
            "seconds",
            "predictor_auc",
            "predictor_trusted",
        ];
        assert!(unknown.iter().all(|key| json[key].is_null()), "{json}");
        assert_eq!((json["queries"].as_u64(), json["verdicts"]["wrong"].as_u64()), (Some(0), Some(0)));
    }

    /// Three purposes, each paid; the baseline's provider counts nothing.
    #[test]
    fn whatever_was_asked_cost_something() {
        let mut manifest = manifest();
        if let Plan::Attack(attack) = &mut manifest.plan {
            attack.model.prices = Some(Prices { input: 2.0, output: 10.0, as_of: "2026-01".into() });
        }
        let mut records = records();
        let usage = Usage { prompt_tokens: Some(1000), completion_tokens: Some(100), ..Usage::default() };
        let counted = records.iter_mut().filter(|record| record.purpose != Purpose::Baseline);
        counted.filter(|record| record.answer.verdict.is_reply()).for_each(|record| record.answer.usage = usage);
        let of = |records: &[Record]| {
            AttackFigures::compute(Path::new("x"), &manifest, records, Learner::default()).spending
        };
        let counted = of(&records[..9]);
        assert_eq!((counted.cost_usd, counted.cost_estimated), (Some(8.0 * 0.003), false));
        assert_eq!(counted.tokens.prompt_tokens, Some(8000));
        let all = of(&records);
        assert!(all.cost_usd > counted.cost_usd && all.cost_estimated, "{all:?}");
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter() {
        let compute = |records: &[Record]| AttackFigures::compute(Path::new("x"), &manifest(), records, learner());
        let mut shuffled = records();
        crate::seed::Rng::from_u64(1).shuffle(&mut shuffled);
        assert_eq!(compute(&shuffled), compute(&records()));
    }
}
