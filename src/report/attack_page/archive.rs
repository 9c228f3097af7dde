//! Owns the archive as a map: construct by fuel, and how often each was missed.
//!
//! Must not know how cells are chosen; a record names its own, `shift/24-31/wrong`.

use super::super::page::table::{Cell, Column, HtmlTable};
use super::super::page::{Html, Section};
use super::super::stats::{Share, asked};
use super::super::summary::text::count;
use crate::item::record::{Purpose, Record};
use std::collections::{BTreeMap, BTreeSet};

/// Finished replies by construct and fuel bucket (its lower end, its name).
type Map<'r> = BTreeMap<(&'r str, (u64, &'r str)), Share>;

pub(super) fn section(records: &[Record]) -> Section {
    let map = map(records);
    let buckets: BTreeSet<(u64, &str)> = map.keys().map(|(_, bucket)| *bucket).collect();
    let constructs: BTreeSet<&str> = map.keys().map(|(construct, _)| *construct).collect();
    let columns = buckets.iter().map(|(_, name)| Column::number(name));
    let mut table = HtmlTable::new([Column::text("construct \\ fuel")].into_iter().chain(columns)).grid();
    for construct in constructs {
        let cells = buckets.iter().map(|&bucket| cell(map.get(&(construct, bucket))));
        table.row([Cell::text(construct)].into_iter().chain(cells));
    }
    let intro = "Each question belongs to the construct that most of its answer was computed with, and to a bucket of fuel. A \
                 cell says how often it was missed, and, small, of how many finished replies.";
    Section::new("archive", "Where the misses lie", Html::paragraph(intro).and(table.html()))
}

fn map(records: &[Record]) -> Map<'_> {
    let mut map = Map::new();
    for record in asked(records, Purpose::Attack) {
        let Some((construct, bucket)) = record.cell.as_deref().and_then(place) else { continue };
        let share: &mut Share = map.entry((construct, bucket)).or_default();
        share.of += 1;
        share.hits += u64::from(record.answer.verdict.is_miss());
    }
    map
}

/// Construct and bucket of a cell.
fn place(cell: &str) -> Option<(&str, (u64, &str))> {
    let (construct, rest) = cell.split_once('/')?;
    let (bucket, _) = rest.split_once('/')?;
    let low = bucket.split_once('-')?.0.parse().ok()?;
    Some((construct, (low, bucket)))
}

fn cell(share: Option<&Share>) -> Cell {
    let Some((share, rate)) = share.and_then(|share| Some((share, share.rate()?))) else { return Cell::text("") };
    let of = Html::text(&count(share.of)).within("small", "");
    Cell::html(Html::text(&format!("{:.0} % ", 100.0 * rate)).and(of)).sorted_by(rate).shaded(rate)
}
