//! Owns the table of an evaluation.
//!
//! Must not know how figures are computed.

use crate::cli::palette::verdicts_by_count;
use crate::cli::table::{Column, TextTable, flow, prose};
use crate::cli::{Failure, print_line};
use crate::report::evaluation::{EvaluationFigures, Row, Slice};
use crate::run::spending;

/// Rows of which the shares by level, fuel and number of values are shown too; `--json` has them of all.
const DETAILED: usize = 8;

/// Shows the figures to people.
pub(in crate::cli) fn show(figures: &EvaluationFigures) -> Result<(), Failure> {
    let mut table = TextTable::new([
        Column::text("model"),
        Column::text("task"),
        Column::number("items"),
        Column::number("accuracy"),
        Column::number("95 % CI"),
        Column::number("if answered").rank(3),
        Column::number("not answered").folding().rank(1),
        Column::number("tokens").rank(2),
        Column::number("cost"),
    ]);
    // Where nothing is paid, nothing is told of it.
    let free = figures.rows.iter().all(|row| row.cost_usd == Some(0.0));
    figures.rows.iter().for_each(|row| table.row(cells(row, free)));
    print_line(&table.text())?;
    // Many rows would be followed by as many lines.
    let few = if figures.rows.len() <= DETAILED { &figures.rows[..] } else { &[] };
    for row in few {
        print_line(&format!("{} {}", row.model, row.task))?;
        for (what, slices) in [("level", &row.by_level), ("fuel", &row.by_fuel), ("values", &row.by_depth)] {
            if slices.len() > 1 {
                print_line(&flow(&format!("  by {what:7} "), slices.iter().map(slice), "   "))?;
            }
        }
    }
    let mut about = format!("{}, seed {}", figures.suite, figures.seed);
    if let Some(fingerprint) = &figures.fingerprint {
        about += &format!(", fingerprint {fingerprint}");
    }
    if figures.epochs > 1 {
        about += &format!(", {} epochs", figures.epochs);
    }
    if let Some(model) = &figures.chosen_against {
        about += &format!("; the items were chosen against {model}, and are no measure of it");
    }
    print_line(&prose(&about))?;
    print_line(&format!("records {}", figures.run_dir.join("records.jsonl").display()))
}

fn cells(row: &Row, free: bool) -> [String; 9] {
    let [low, high] = row.ci95.unwrap_or([f64::NAN; 2]);
    let other = row.verdicts.iter().filter(|(verdict, _)| !verdict.answered());
    let paid = |text: String| if free { String::new() } else { text };
    [
        row.model.clone(),
        row.task.to_string(),
        row.items.to_string(),
        percent(row.accuracy_strict),
        format!("{:.1}–{:.1}", 100.0 * low, 100.0 * high),
        percent(row.accuracy_answered),
        verdicts_by_count(other.map(|(verdict, count)| (*verdict, *count))),
        paid(spending::tokens(&row.tokens)),
        paid(spending::cost(row.cost_usd, row.cost_estimated)),
    ]
}

fn slice(slice: &Slice) -> String {
    format!("{}: {} ({})", slice.of, percent(slice.accuracy_strict), slice.items)
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("unknown".into(), |rate| format!("{:.1} %", 100.0 * rate))
}
