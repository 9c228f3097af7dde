//! Owns which items of an attack are on its page, and in which order: what was cut down, the confirmed misses, other misses,
//! then the rest.
//!
//! Must not know how items travel.

use super::super::page::ItemBook;
use super::super::page::items::Items;
use super::super::stats::confirmed;
use super::super::summary::text::count;
use super::Parts;
use crate::item::record::{Purpose, Record};
use std::collections::BTreeSet;

/// Items at most.
const MOST: usize = 10_000;
/// Items with their execution, instruction by instruction.
const IN_FULL: usize = 50;

pub(super) fn items(parts: Parts<'_>) -> Items {
    let mut book = ItemBook::new(parts.prompts);
    let prompts: Vec<_> = parts.manifest.plan.prompts().to_vec();
    let run = book.run(&parts.dir, &prompts);
    for line in parts.shrunk {
        let mut view = book.view(run, &line.record, true);
        view.notes.push(("cut down from".into(), line.from.clone()));
        book.add(view);
    }
    let asked: Vec<&Record> =
        parts.records.iter().filter(|record| matches!(record.purpose, Purpose::Attack | Purpose::Baseline)).collect();
    let first = confirmed(parts.records);
    let shown: BTreeSet<&str> = first.iter().map(|record| record.item.id.as_str()).collect();
    let mut rest: Vec<&Record> =
        asked.iter().copied().filter(|record| !shown.contains(record.item.id.as_str())).collect();
    rest.sort_by_key(|record| (!record.answer.verdict.is_miss(), record.purpose, record.round, record.index));
    for (at, record) in first.into_iter().chain(rest).take(MOST).enumerate() {
        let mut view = book.view(run, record, at < IN_FULL);
        let claims =
            parts.weaknesses.claims.iter().filter(|claim| claim.misses.iter().any(|miss| miss.id == record.item.id));
        view.notes.extend(claims.map(|claim| ("weakness".into(), claim.what.clone())));
        book.add(view);
    }
    let left = asked.len().saturating_sub(MOST);
    let cut = if left > 0 { format!(" {} more are in records.jsonl.", count(left as u64)) } else { String::new() };
    book.finish(format!(
        "Programs that were cut down first, then misses that happened again, other misses, and the rest. The first {IN_FULL} \
         come with their execution.{cut}"
    ))
}
