//! Owns the programs that stand for claims: the smallest of each, and which misses are worth cutting down.
//!
//! Must not know how programs are cut down.

use super::super::stats::confirmed;
use super::{Claim, Weaknesses};
use crate::cause::facts::Facts;
use crate::item::edit::UnreadableItem;
use crate::item::record::Record;
use crate::run::shrunk::Shrunk;
use crate::wasm::machine::Machine;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// The smallest program that shows a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Smallest {
    /// The item that was missed, or that it was cut out of.
    pub from: String,
    /// Whether it was cut down.
    pub cut_down: bool,
    /// The program with its truth, and the answer.
    #[serde(skip)]
    pub record: Record,
}

/// Finds it for each claim: the smallest that was cut down and has the fact, and none of an earlier claim, else the shortest
/// miss.
pub(super) fn find(claims: &mut [Claim], records: &[Record], shrunk: &[Shrunk]) -> Result<(), UnreadableItem> {
    let mut machine = Machine::default();
    let mut cut: Vec<(&Shrunk, Facts)> = Vec::new();
    for line in shrunk {
        cut.push((line, Facts::of(&line.record.item, &mut machine)?));
    }
    cut.sort_by_key(|(line, _)| line.after);
    let missed: HashMap<&str, &Record> = records
        .iter()
        .filter(|record| record.answer.verdict.is_miss())
        .map(|record| (record.item.id.as_str(), record))
        .collect();
    let mut earlier = Vec::new();
    for claim in claims {
        let ids: HashSet<&str> = claim.misses.iter().map(|miss| miss.id.as_str()).collect();
        let shows = |facts: &Facts| facts.contains(claim.fact) && !earlier.iter().any(|&fact| facts.contains(fact));
        let own = cut.iter().find(|(_, facts)| shows(facts));
        earlier.push(claim.fact);
        let whole = || {
            let own = ids.iter().filter_map(|id| missed.get(id).copied());
            own.min_by_key(|record| (record.item.bytes, record.item.instructions, record.item.id.as_str()))
        };
        claim.smallest = match own {
            Some((line, _)) => Some((line.from.clone(), true, &line.record)),
            None => whole().map(|record| (record.item.id.clone(), false, record)),
        }
        .map(|(from, cut_down, record)| Smallest { from, cut_down, record: record.clone() });
    }
    Ok(())
}

/// The misses that were missed again, in the order in which cutting them down says most: the shortest of each claim, then
/// the next of each; what no claim explains has its turn as well. Of one lineage the shortest comes first.
pub fn spread<'r>(records: &'r [Record], weaknesses: &Weaknesses) -> Vec<&'r Record> {
    let claims = &weaknesses.claims;
    let known = claims.iter().zip(0..).flat_map(|(claim, number)| {
        claim.misses.iter().map(move |miss| (miss.id.as_str(), (number, Some(miss.lineage))))
    });
    let known: HashMap<&str, (usize, Option<usize>)> = known.collect();
    let mut taken: HashMap<usize, usize> = HashMap::new();
    let mut relatives: HashMap<usize, usize> = HashMap::new();
    let turn = |record: &'r Record| {
        let (claim, lineage) = known.get(record.item.id.as_str()).copied().unwrap_or((claims.len(), None));
        let next = |counts: &mut HashMap<usize, usize>, key| {
            let count = counts.entry(key).or_default();
            *count += 1;
            *count
        };
        let relative = lineage.map_or(1, |lineage| next(&mut relatives, lineage));
        // Relatives wait until all lineages of their claim had a turn.
        let place = if relative > 1 { usize::MAX } else { next(&mut taken, claim) };
        ((place, relative, claim), record)
    };
    let mut turns: Vec<((usize, usize, usize), &Record)> = confirmed(records).into_iter().map(turn).collect();
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, record)| record).collect()
}
