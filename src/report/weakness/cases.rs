//! Owns the questions that weaknesses are looked for in: what is true of each, whether it was missed, and which stratum it
//! belongs to.
//!
//! Must not know what is claimed. A program that was asked about twice counts once, and of relatives one speaks for all;
//! what has neither a right nor a wrong answer says nothing about reading code.

use super::lineage::lineages;
use crate::cause::facts::{Fact, Facts};
use crate::item::edit::UnreadableItem;
use crate::item::record::{Purpose, Record};
use crate::wasm::machine::Machine;
use std::collections::{BTreeMap, BTreeSet};

/// One lineage in this many tests the claims that are found in the others.
const HELD_OUT: u8 = 3;
/// Parts of a run that are compared within themselves: a policy changes while it learns.
const PARTS: u32 = 4;

/// A question.
pub(super) struct Case {
    /// Its item.
    pub(super) id: String,
    /// Whether it was missed.
    pub(super) missed: bool,
    /// Number of its stratum.
    pub(super) stratum: usize,
    /// Numbers of its facts, ascending.
    pub(super) facts: Vec<u32>,
    /// Number of its lineage.
    pub(super) lineage: usize,
    /// Whether it speaks for its lineage: relatives are no independent questions.
    pub(super) speaks: bool,
    /// Whether claims are tested on its lineage, rather than found in it.
    pub(super) is_held_out: bool,
}

impl Case {
    /// Whether a fact is true of it.
    pub(super) fn has(&self, fact: usize) -> bool {
        self.facts.binary_search(&(fact as u32)).is_ok()
    }
}

/// All of them.
pub(super) struct Cases {
    /// In the order asked.
    pub(super) cases: Vec<Case>,
    /// Every fact, in its order, which is its number.
    pub(super) facts: Vec<Fact>,
    /// How many strata there are.
    pub(super) strata: usize,
}

/// What questions of one stratum have in common: their purpose, who chose the program, the part of the run, how long it is.
type Key<'r> = (Purpose, &'r str, u32, u32);

impl Cases {
    /// Of the records of one model.
    ///
    /// # Errors
    /// If a program cannot be read.
    pub(super) fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Result<Self, UnreadableItem> {
        let mut asked: Vec<&'r Record> = records.into_iter().filter(|record| counts(record)).collect();
        asked.sort_by_key(|record| (record.purpose, record.round, record.index));
        let lineages = lineages(&asked);
        let mut seen = BTreeSet::new();
        let related = asked.into_iter().zip(lineages);
        let (asked, lineages): (Vec<&'r Record>, Vec<usize>) =
            related.filter(|(record, _)| seen.insert(record.item.canonical.as_str())).unzip();
        let lots = lots(&asked, &lineages);
        let rounds = asked.iter().map(|record| record.round.saturating_add(1)).max().unwrap_or(1);
        let mut machine = Machine::default();
        let found: Vec<Facts> =
            asked.iter().map(|record| Facts::of(&record.item, &mut machine)).collect::<Result<_, _>>()?;
        let facts: BTreeSet<Fact> = found.iter().flat_map(Facts::iter).collect();
        let numbers: BTreeMap<Fact, u32> = facts.iter().copied().zip(0..).collect();
        let mut strata: BTreeMap<Key<'_>, usize> = BTreeMap::new();
        let mut case = |((record, facts), lineage): ((&&'r Record, &Facts), usize)| {
            let next = strata.len();
            let part = (u64::from(record.round) * u64::from(PARTS) / u64::from(rounds)) as u32;
            let key = (record.purpose, record.chosen_by.as_str(), part, length(record.item.instructions));
            Case {
                id: record.item.id.clone(),
                missed: record.answer.verdict.is_miss(),
                stratum: *strata.entry(key).or_insert(next),
                facts: facts.iter().map(|fact| numbers[&fact]).collect(),
                lineage,
                speaks: lots[&lineage] == lot(&record.item.canonical),
                is_held_out: is_held_out(lots[&lineage]),
            }
        };
        let cases = asked.iter().zip(&found).zip(lineages).map(&mut case).collect();
        Ok(Self { cases, facts: facts.into_iter().collect(), strata: strata.len() })
    }
}

/// Whether a record is a question about a new program, with an answer.
fn counts(record: &Record) -> bool {
    matches!(record.purpose, Purpose::Attack | Purpose::Baseline | Purpose::Eval) && record.answer.verdict.answered()
}

/// The bucket of a length: two for each power of two.
fn length(instructions: u32) -> u32 {
    let power = instructions.max(1).ilog2();
    2 * power + u32::from(instructions >= 3 << power >> 1)
}

/// What is drawn for a program: the hash of its canonical form, which knows nothing of its verdict.
fn lot(canonical: &str) -> [u8; 32] {
    *blake3::hash(canonical.as_bytes()).as_bytes()
}

/// The lowest lot of each lineage; its question speaks for the others.
fn lots(asked: &[&Record], lineages: &[usize]) -> BTreeMap<usize, [u8; 32]> {
    let mut lots = BTreeMap::new();
    for (record, &lineage) in asked.iter().zip(lineages) {
        let own = lot(&record.item.canonical);
        lots.entry(lineage).and_modify(|lowest: &mut [u8; 32]| *lowest = own.min(*lowest)).or_insert(own);
    }
    lots
}

/// By the hash of the lineage's lot: the lowest of many lots is not evenly spread.
fn is_held_out(lot: [u8; 32]) -> bool {
    blake3::hash(&lot).as_bytes()[0].is_multiple_of(HELD_OUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_buckets_for_each_power_of_two() {
        let buckets = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16].map(length);
        assert_eq!(buckets, [1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8]);
    }
}
