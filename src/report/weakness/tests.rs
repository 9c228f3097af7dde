use super::*;
use crate::attack::facts::Facts;
use crate::item::record::{Answer, Purpose, SCHEMA_VERSION, Task, Verdict};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::sync::Arc;

/// Records of questions about woven programs, each with the verdict that somebody gives who knows its facts.
pub(in crate::report) fn records(count: usize, mut missed: impl FnMut(&Facts, usize) -> bool) -> Vec<Record> {
    let config: WeaveConfig =
        serde_yaml::from_str("fuel: {min: 15, max: 60}\nforbid: [nop, table, memory]").expect("valid settings");
    let loom = Arc::new(Loom::new(config));
    let prior: Prior = serde_yaml::from_str("instructions: {i32.shl: 4, i64.rotl: 4, f32.min: 4}").expect("valid");
    let taste = Arc::new(prior.taste(&loom.config.instructions()));
    let source = ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), taste);
    let items = source.items(Seed::new(8), count).expect("there are enough");
    let mut machine = Machine::default();
    let record = |(at, item): (usize, crate::item::record::Item)| {
        let facts = Facts::of(&item, &mut machine).expect("readable");
        let verdict = if missed(&facts, at) { Verdict::Wrong } else { Verdict::Correct };
        Record {
            schema: SCHEMA_VERSION,
            purpose: Purpose::Attack,
            model: None,
            round: at as u32 / 32,
            index: at as u32 % 32,
            chosen_by: "ppo".into(),
            level: None,
            answer: Answer { slots: vec![verdict == Verdict::Correct; item.truth.slots()], ..Answer::of(verdict) },
            item,
            reward: None,
            cell: Some(format!("shift/16-23/{verdict}")),
        }
    };
    items.into_iter().enumerate().map(record).collect()
}

fn has(facts: &Facts, words: &str) -> bool {
    facts.iter().any(|fact| fact.to_string() == words)
}

const SHIFTS: &str = "shifts and rotations by the width or more";
const NANS: &str = "float minima and maxima with a NaN";

#[test]
fn what_is_missed_for_one_reason_has_one_claim() {
    let records = records(900, |facts, at| has(facts, SHIFTS) && at % 10 > 0);
    let found = Weaknesses::of(&records).expect("readable");
    let [claim] = &found.claims[..] else { panic!("{:#?}", found.claims) };
    assert_eq!((claim.what.as_str(), found.refuted), (SHIFTS, 0));
    assert!(claim.with.rate() > Some(0.75) && claim.without.hits == 0 && claim.p < 1e-6, "{claim:?}");
    assert_eq!(claim.explains.hits, claim.explains.of);
    assert!(claim.difference.is_some_and(|(difference, range)| range.low < difference && range.low > 0.5));
    assert_eq!(found.found_in + found.tested_on, 900);
    assert!(found.tested_on > 200 && found.found_in > 500, "a third tests");
    let missed: Vec<&Record> = records.iter().filter(|record| record.answer.verdict.is_miss()).collect();
    assert_eq!(claim.misses.len(), missed.len());
    // Whatever the order of the lines.
    let mut shuffled = records.clone();
    crate::seed::Rng::from_u64(1).shuffle(&mut shuffled);
    assert_eq!(Weaknesses::of(&shuffled).expect("readable"), found);
}

#[test]
fn two_reasons_are_told_apart() {
    let records = records(1500, |facts, _| has(facts, SHIFTS) || has(facts, NANS));
    let found = Weaknesses::of(&records).expect("readable");
    let mut told: Vec<&str> = found.claims.iter().map(|claim| claim.what.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, [NANS, SHIFTS], "{:#?}", found.claims);
}

#[test]
fn noise_has_no_claim() {
    for seed in 0..5 {
        let mut rng = crate::seed::Rng::from_u64(seed);
        let records = records(600, |_, _| rng.unit() < 0.3);
        let found = Weaknesses::of(&records).expect("readable");
        assert!(found.claims.is_empty() && found.facts > 200, "{:#?}", found.claims);
    }
}

#[test]
fn length_is_no_weakness() {
    // What is long is missed, whatever is in it.
    let mut records = records(900, |_, _| false);
    for record in &mut records {
        let verdict = if record.item.instructions > 32 { Verdict::Wrong } else { Verdict::Correct };
        record.answer.verdict = verdict;
    }
    let found = Weaknesses::of(&records).expect("readable");
    assert!(found.claims.is_empty(), "{:#?}", found.claims);
}

#[test]
fn nothing_is_said_of_nothing() {
    let found = Weaknesses::of(&[]).expect("readable");
    assert_eq!((found.claims.len(), found.facts, found.found_in), (0, 0, 0));
    let all = records(200, |_, _| true);
    assert!(Weaknesses::of(&all).expect("readable").claims.is_empty(), "what is always missed goes with nothing");
}
