//! Owns cutting down one miss of each claim of a report, where that is free or within what `--pairs` allows.
//!
//! Must not know how a program is cut.

use super::super::progress::ShrinkProgress;
use super::super::shrink::{self, CONFIRM, QUERY_BUDGET};
use super::super::{Failure, budget, runtime, say, signals};
use super::{Asked, Found};
use crate::item::record::Record;
use crate::report::weakness::{Claim, Weaknesses, spread};
use crate::run::shrunk::read_shrunk;
use std::collections::HashSet;

/// Misses of a claim that are cut down where it is free, until one of them still shows the claim when it is small.
const TRIES: usize = 3;

/// Cuts a miss down for each claim that has no small program yet. Each may take as many requests as `wanted` pairs.
pub(super) fn cut_down(asked: &Asked<'_>, found: Found, wanted: usize) -> Result<Found, Failure> {
    let is_free = asked.entry.provider.is_resident();
    let (tries, budget) = if is_free { (TRIES, QUERY_BUDGET) } else { (1, 2 * wanted as u64) };
    let tried: HashSet<String> = found.shrunk.iter().map(|line| line.from.clone()).collect();
    if budget < shrink::least(CONFIRM) || open(&found.weaknesses, asked.records, &tried, tries).is_empty() {
        return Ok(found);
    }
    runtime()?.block_on(in_rounds(asked, found, (tries, budget), tried))
}

/// Cuts one miss of each claim down, then another one where the claim is still without a small program.
async fn in_rounds(
    asked: &Asked<'_>,
    mut found: Found,
    (tries, budget): (usize, u64),
    mut tried: HashSet<String>,
) -> Result<Found, Failure> {
    let connection = asked.connect().await?;
    for _ in 0..tries {
        let open = open(&found.weaknesses, asked.records, &tried, tries);
        let Some(first) = open.first() else { break };
        tried.extend(open.iter().map(|record| record.item.id.clone()));
        say(&format!("cutting missed programs down, one of each weakness: {}", open.len()));
        let prompt = (asked.prompt)(&[&first.item])?;
        let shrinker = shrink::shrinker(asked.way, &connection, prompt, (CONFIRM, budget));
        let (spent, stop) = budget::Flags::default().open();
        let progress = ShrinkProgress::new(spent, asked.entry.prices_here());
        let shrinking = shrink::shrink_all(asked.dir, (&open, &found.shrunk), shrinker, progress, stop).await?;
        if shrinking.stopped {
            signals::ended_early("what was cut down is kept; go on with the same command")?;
        }
        found.shrunk = read_shrunk(asked.dir)?;
        found.weaknesses = found.weaknesses.with(asked.records, &found.pairs, &found.shrunk)?;
    }
    Ok(found)
}

/// Of each claim without a small program that was not tried so often, the miss that says most when it is cut down.
fn open<'r>(weaknesses: &Weaknesses, records: &'r [Record], tried: &HashSet<String>, tries: usize) -> Vec<&'r Record> {
    let order = spread(records, weaknesses);
    let open = |claim: &Claim| {
        let own: HashSet<&str> = claim.misses.iter().map(|miss| miss.id.as_str()).collect();
        let is_cut = claim.smallest.as_ref().is_some_and(|smallest| smallest.cut_down);
        let turns = own.iter().filter(|id| tried.contains(**id)).count();
        let is_open = |record: &&&Record| own.contains(record.item.id.as_str()) && !tried.contains(&record.item.id);
        if is_cut || turns >= tries { None } else { order.iter().find(is_open).copied() }
    };
    weaknesses.claims.iter().filter_map(open).collect()
}
