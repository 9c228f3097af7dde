//! Owns showing how an attack went: how often the model was wrong, and how much was found, by queries.
//!
//! Must not know how lines are drawn.

use super::super::curve::{curves, found};
use super::super::page::chart::picture;
use super::super::page::table::{Cell, Column, HtmlTable};
use super::super::page::{Html, Section};
use super::super::plot::{Line, PlotError, found_svg, miss_rate_svg};
use super::super::summary::text::count;
use super::Parts;
use crate::item::record::{Purpose, Record};

/// Numbers of queries at which it is told what was found.
const MARKS: [u64; 4] = [100, 300, 1000, 3000];
/// Purposes whose requests an attack spends, the one that finds misses first.
const SPENT: [Purpose; 2] = [Purpose::Attack, Purpose::Confirm];

pub(super) fn section(parts: &Parts<'_>) -> Result<Section, PlotError> {
    let strategy = parts.figures.strategy.as_deref().unwrap_or("attack");
    let mut drawn = curves(parts.records);
    for (name, records) in parts.against {
        drawn = drawn.against(name, records);
    }
    let mut body = Html::default();
    let names = (strategy, "random baseline");
    if let Some(svg) = miss_rate_svg(&drawn, "How often it is wrong", names)? {
        let caption = "The bands are 95 % intervals of each window alone.";
        body = body.and(Html::figure(picture(&svg, "miss rate by queries"), Html::text(caption)));
    }
    let lines = lines(parts, strategy);
    if let Some(svg) = found_svg(&lines, "What was found")? {
        let caption = "Programs count as the same if their canonical form is.";
        body = body.and(Html::figure(picture(&svg, "different programs missed, by queries"), Html::text(caption)));
    }
    body = body.and(milestones(&lines));
    if parts.against.is_empty() {
        let plan = &parts.manifest.plan;
        let line = format!(
            "harness attack --preset {} --model {} --strategy matched --like {}",
            plan.preset().name,
            plan.attack().map_or("", |attack| &attack.model.name),
            parts.dir
        );
        let note = "Long programs are missed by themselves. A baseline of the same lengths and instructions is a run of its own, \
                    which `harness report RUN --against MATCHED_RUN` draws beside this one:";
        body = body.and(Html::note(note)).and(Html::command(&line));
    }
    Ok(Section::new("course", "How the attack went", body))
}

fn lines(parts: &Parts<'_>, strategy: &str) -> Vec<Line> {
    let line = |name: &str, records: &[Record], purposes: &[Purpose], dashed| {
        let points = found(records, purposes).into_iter().map(|(x, y)| (x as f64, y as f64)).collect();
        Line { name: name.into(), points, band: Vec::new(), dashed }
    };
    let mut lines = vec![
        line(strategy, parts.records, &SPENT, false),
        line("random baseline", parts.records, &[Purpose::Baseline], true),
    ];
    lines.extend(parts.against.iter().map(|(name, records)| line(name, records, &SPENT, true)));
    // Two points say that nothing was asked.
    lines.retain(|line| line.points.last().is_some_and(|(x, _)| *x > 0.0));
    lines
}

/// What was found with so many queries, in numbers.
fn milestones(lines: &[Line]) -> Html {
    let columns = MARKS.map(|mark| Column::number(&format!("at {}", count(mark))));
    let first = Column::number("to the first");
    let tenth = Column::number("to the tenth");
    let mut table = HtmlTable::new([Column::text("strategy")].into_iter().chain(columns).chain([first, tenth]));
    for line in lines {
        let last = line.points.last().map_or(0.0, |(x, _)| *x);
        let at = |mark: u64| {
            let reached = line.points.iter().rev().find(|(x, _)| *x <= mark as f64).map(|(_, y)| *y);
            // What was not spent says nothing.
            if mark as f64 <= last { Cell::maybe(reached, |n| count(n as u64)) } else { Cell::text("") }
        };
        let to = |number: f64| {
            let query = line.points.iter().find(|(_, y)| *y >= number).map(|(x, _)| *x);
            Cell::maybe(query, |n| count(n as u64))
        };
        table.row([Cell::text(&line.name)].into_iter().chain(MARKS.map(at)).chain([to(1.0), to(10.0)]));
    }
    Html::paragraph("Different programs missed after so many queries, and queries to the first and the tenth:")
        .and(table.html())
}
