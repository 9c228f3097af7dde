//! Owns cutting down one miss of each claim of a report, where that is free or within what `--pairs` allows.
//!
//! Must not know how a program is cut.

use super::{Asking, Found, Line};
use crate::item::record::Record;
use crate::job::error::JobError;
use crate::job::events::Waiting;
use crate::job::shrink::{Cutting, QUERY_BUDGET, ShrinkLimits};
use crate::report::weakness::{Claim, Weaknesses, spread};
use crate::run::shrunk::read_shrunk;
use std::collections::HashSet;

/// Misses of a claim that are cut down where it is free, until one of them still shows the claim when it is small.
const TRIES: usize = 3;

/// Cuts one miss of each claim that has no small program down, then another one where the claim is still without. Each may
/// take as many requests as `wanted` pairs, or more where that is free.
pub(super) async fn cut_down(
    asking: &Asking<'_>,
    line: Option<Line>,
    mut found: Found,
    wanted: usize,
) -> Result<Found, JobError> {
    let (tries, query_budget) = if asking.is_free { (TRIES, QUERY_BUDGET) } else { (1, 2 * wanted as u64) };
    let limits = ShrinkLimits { query_budget, ..ShrinkLimits::default() };
    let mut tried: HashSet<String> = found.shrunk.iter().map(|line| line.from.clone()).collect();
    if query_budget < limits.least() || open(&found.weaknesses, asking.records, &tried, tries).is_empty() {
        return Ok(found);
    }
    let line = match line {
        Some(line) => line,
        None => asking.open().await?,
    };
    let meters = line.connection.meter.iter().cloned().collect();
    let _waiting = Waiting::begin(asking.setting.events.clone(), meters, || None);
    for _ in 0..tries {
        let open = open(&found.weaknesses, asking.records, &tried, tries);
        let Some(first) = open.first() else { break };
        tried.extend(open.iter().map(|record| record.item.id.clone()));
        asking.setting.note(&format!("cutting missed programs down, one of each weakness: {}", open.len()));
        let exchange = asking.exchange(&line, &[&first.item])?;
        let cutting = Cutting { dir: asking.dir, kept: &found.shrunk, model: None, limits };
        let shrinking = cutting.all(&open, exchange, asking.setting).await?;
        found.shrunk = read_shrunk(asking.dir)?;
        found.weaknesses = found.weaknesses.with(asking.records, &found.pairs, &found.shrunk)?;
        if shrinking.stopped {
            found.stopped = true;
            break;
        }
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
