use super::*;
use crate::attack::mutate::{Genome, Mutator};
use crate::cause::facts::Facts;
use crate::item::record::{Answer, Item, Purpose, SCHEMA_VERSION, Task, Verdict};
use crate::item::source::ItemSource;
use crate::item::task::ProbeConfig;
use crate::item::task::place::Placement;
use crate::seed::Seed;
use crate::wasm::machine::Machine;
use crate::weave::config::WeaveConfig;
use crate::weave::prior::Prior;
use crate::weave::weaver::Loom;
use std::collections::BTreeMap;
use std::sync::Arc;

fn loom() -> Arc<Loom> {
    let config: WeaveConfig =
        serde_yaml::from_str("fuel: {min: 15, max: 60}\nforbid: [nop, table, memory]").expect("valid settings");
    Arc::new(Loom::new(config).expect("valid settings"))
}

fn prior() -> Prior {
    serde_yaml::from_str("instructions: {i32.shl: 4, i64.rotl: 4, f32.min: 4}").expect("valid")
}

fn source() -> ItemSource {
    let loom = loom();
    let taste = Arc::new(prior().taste(&loom.config.instructions()));
    ItemSource::new(&loom, Task::Stack, ProbeConfig::default(), taste)
}

/// A record of an attack's question, with a verdict.
fn record(at: usize, item: Item, missed: bool, chosen_by: &str) -> Record {
    let verdict = if missed { Verdict::Wrong } else { Verdict::Correct };
    Record {
        schema: SCHEMA_VERSION,
        purpose: Purpose::Attack,
        model: None,
        round: at as u32 / 32,
        index: at as u32 % 32,
        chosen_by: chosen_by.into(),
        level: None,
        answer: Answer { slots: vec![!missed; item.truth.slots()], ..Answer::of(verdict) },
        item,
        reward: None,
        cell: Some(format!("shift/16-23/{verdict}")),
    }
}

/// Records of questions about woven programs, each with a verdict that follows from its facts.
pub(in crate::report) fn records(count: usize, mut missed: impl FnMut(&Facts, usize) -> bool) -> Vec<Record> {
    let items = source().items(Seed::new(8), count).expect("there are enough");
    let mut machine = Machine::default();
    let record = |(at, item): (usize, Item)| {
        let facts = Facts::of(&item, &mut machine).expect("readable");
        record(at, item, missed(&facts, at), "ppo")
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
    let lineages = found.found_in + found.tested_on;
    assert!(found.questions == 900 && (860..=900).contains(&lineages), "hardly any are relatives: {lineages}");
    assert!(found.tested_on > 200 && found.found_in > 500, "a third tests");
    let missed: Vec<&Record> = records.iter().filter(|record| record.answer.verdict.is_miss()).collect();
    assert_eq!(claim.misses.len(), missed.len());
    assert_eq!((claim.status, &claim.cure), (Status::Suspected, &None), "nobody has asked pairs");
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

/// So many families: a program, and children of children of it, as strategies that mutate make them.
fn families(count: usize, children: usize, seed: Seed) -> Vec<Vec<Item>> {
    let mutator = Mutator::new(loom(), &prior());
    let mut maker = source().maker();
    let mut family = |number: usize| {
        let seed = seed.indexed("family", number as u64);
        let mut rng = seed.child("parents").rng();
        let mut weavers = vec![mutator.fresh(seed)];
        while weavers.len() <= children {
            let parent = Genome::of(&weavers[rng.below(weavers.len() as u32) as usize]);
            weavers.push(mutator.child(&parent, None, seed.indexed("child", weavers.len() as u64)));
        }
        let mut make = |(at, weaver)| {
            let mut rng = seed.child("probe").rng();
            Some(maker.make(weaver, format!("f{number}-{at}"), Placement::Random(&mut rng))?.item)
        };
        weavers.iter().enumerate().filter_map(&mut make).collect()
    };
    (0..count).map(&mut family).collect()
}

#[test]
fn relatives_are_known_by_their_recipes() {
    let families = families(60, 12, Seed::new(5));
    let records: Vec<Record> =
        families.iter().flatten().enumerate().map(|(at, item)| record(at, item.clone(), false, "evolve")).collect();
    let found = lineage::lineages(&records.iter().collect::<Vec<_>>());
    let of = families.iter().enumerate().flat_map(|(number, items)| std::iter::repeat_n(number, items.len()));
    let (mut apart, mut mixed) = (0, 0);
    let mut named: BTreeMap<usize, usize> = BTreeMap::new();
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    for (family, lineage) in of.zip(found) {
        apart += usize::from(*first.entry(family).or_insert(lineage) != lineage);
        mixed += usize::from(*named.entry(lineage).or_insert(family) != family);
    }
    assert_eq!(mixed, 0, "no relatives");
    // Of short programs a child with values of its own may have no stretch of its parent left.
    assert!(apart * 100 <= 6 * records.len(), "{apart} of {} stand apart from their family", records.len());
}

#[test]
fn what_a_family_shares_is_no_claim() {
    // Each family is missed as a whole or not at all, whatever is in it: so all that it has goes with its misses.
    let families = families(120, 10, Seed::new(6));
    let told = |seed: u64| {
        let mut rng = crate::seed::Rng::from_u64(seed);
        let fates = families.iter().map(|family| (family, rng.unit() < 0.5)).collect::<Vec<_>>();
        let questions = fates.into_iter().flat_map(|(family, missed)| family.iter().map(move |item| (item, missed)));
        let records: Vec<Record> = questions
            .enumerate()
            .map(|(at, (item, missed))| record(at * 7 % 1024, item.clone(), missed, "evolve"))
            .collect();
        Weaknesses::of(&records).expect("readable")
    };
    for seed in 0..4 {
        let found = told(seed);
        assert!(found.claims.is_empty(), "{:#?}", found.claims);
        assert!(found.questions > 600 && found.found_in + found.tested_on <= 140, "{found:?}");
    }
}
