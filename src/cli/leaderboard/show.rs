//! Owns the tables of a leaderboard in a terminal.
//!
//! Must not know how figures are computed.

use crate::cli::{Failure, print_line};
use crate::report::leaderboard::markdown::{cost, otherwise, place, sentence};
use crate::report::leaderboard::{Board, Leaderboard, Role, Row};
use comfy_table::{Cell, CellAlignment, Color, Table};
use std::path::Path;

/// Characters of a bar.
const BAR: usize = 20;

/// Shows all tables, and says where the files are.
pub(super) fn show(leaderboard: &Leaderboard, out: &Path) -> Result<(), Failure> {
    for board in &leaderboard.boards {
        let Board { suite, seed, task, items, fingerprint, .. } = board;
        print_line(&format!("{suite}, seed {seed}: {task}, {items} items, fingerprint {fingerprint}"))?;
        print_line(&table(board).to_string())?;
        let unsolved = match board.unsolved.len() {
            0 => "Every item was got right by a ranked model.".into(),
            n => format!("{n} items were got right by no ranked model."),
        };
        print_line(&format!("{} {unsolved}\n", sentence(board)))?;
    }
    print_line(&format!("page {}", out.join("index.html").display()))?;
    let files =
        ["leaderboard.md", "leaderboard.json", "leaderboard.csv"].map(|name| out.join(name).display().to_string());
    print_line(&format!("tables {}", files.join(", ")))
}

fn table(board: &Board) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "model", "right", "95 %", "", "of answered", "otherwise", "cost"]);
    for row in &board.rows {
        table.add_row(cells(board, row));
    }
    for column in [2, 3, 5, 6, 7] {
        table.column_mut(column).expect("there are eight").set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn cells(board: &Board, row: &Row) -> Vec<Cell> {
    let percent = |rate: Option<f64>| rate.map_or("unknown".into(), |rate| format!("{:.1} %", 100.0 * rate));
    let ci = row.ci95.map_or("unknown".into(), |[low, high]| format!("{:.1}–{:.1}", 100.0 * low, 100.0 * high));
    let cells = [
        place(row),
        row.label(&board.rows),
        percent(row.accuracy_strict),
        ci,
        bar(row),
        percent(row.accuracy_answered),
        otherwise(row),
        cost(row),
    ];
    // The library leaves colours out where the output is no terminal.
    let plain = row.role == Role::Model && row.is_complete();
    cells.into_iter().map(|text| if plain { Cell::new(text) } else { Cell::new(text).fg(Color::DarkGrey) }).collect()
}

/// The share as a bar: full up to the lower end of the interval, lighter up to the upper one.
fn bar(row: &Row) -> String {
    let Some([low, high]) = row.ci95 else { return String::new() };
    let at = |share: f64| (share * BAR as f64).round() as usize;
    let sure = at(low);
    let maybe = at(high).max(sure) - sure;
    format!("{}{}{}", "█".repeat(sure), "▒".repeat(maybe), "·".repeat(BAR - sure - maybe))
}
