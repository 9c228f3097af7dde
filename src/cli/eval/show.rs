//! Owns the table of an evaluation.
//!
//! Must not know how figures are computed.

use crate::cli::{Failure, print_line};
use crate::report::evaluation::{EvaluationFigures, Row, Slice};
use comfy_table::{CellAlignment, Table};

/// Rows of which the shares by level, fuel and number of values are shown too; `--json` has them of all.
const DETAILED: usize = 8;

/// Shows the figures to people.
pub(in crate::cli) fn show(figures: &EvaluationFigures) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["model", "task", "items", "right", "95 %", "of answered", "not answered", "tokens", "cost"]);
    for row in &figures.rows {
        table.add_row(cells(row));
    }
    for column in 2..=8 {
        table.column_mut(column).expect("there are nine").set_cell_alignment(CellAlignment::Right);
    }
    print_line(&table.to_string())?;
    // Of many rows nobody reads as many lines again.
    let few = if figures.rows.len() <= DETAILED { &figures.rows[..] } else { &[] };
    for row in few {
        print_line(&format!("{} {}", row.model, row.task))?;
        for (what, slices) in [("level", &row.by_level), ("fuel", &row.by_fuel), ("values", &row.by_depth)] {
            if slices.len() > 1 {
                print_line(&format!("  by {what:7} {}", slices.iter().map(slice).collect::<Vec<_>>().join("   ")))?;
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
    print_line(&about)?;
    print_line(&format!("records {}", figures.run_dir.join("records.jsonl").display()))
}

fn cells(row: &Row) -> Vec<String> {
    let [low, high] = row.ci95.unwrap_or([f64::NAN; 2]);
    // What was not answered, most frequent first.
    let mut other: Vec<_> = row.verdicts.iter().filter(|(verdict, n)| !verdict.answered() && **n > 0).collect();
    other.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let other: Vec<String> = other.into_iter().map(|(verdict, n)| format!("{verdict} {n}")).collect();
    let tokens = match (row.tokens.prompt_tokens, row.tokens.completion_tokens) {
        (None, None) => "unknown".into(),
        (read, written) => format!("{} + {}", thousands(read), thousands(written)),
    };
    vec![
        row.model.clone(),
        row.task.to_string(),
        row.items.to_string(),
        percent(row.accuracy_strict),
        format!("{:.1}–{:.1}", 100.0 * low, 100.0 * high),
        percent(row.accuracy_answered),
        if other.is_empty() { "-".into() } else { other.join(", ") },
        tokens,
        row.cost_usd.map_or("unknown".into(), |cost| format!("${cost:.2}")),
    ]
}

fn slice(slice: &Slice) -> String {
    format!("{}: {} ({})", slice.of, percent(slice.accuracy_strict), slice.items)
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("unknown".into(), |rate| format!("{:.1} %", 100.0 * rate))
}

fn thousands(tokens: Option<u64>) -> String {
    tokens.map_or("unknown".into(), |tokens| format!("{:.1}k", tokens as f64 / 1000.0))
}
