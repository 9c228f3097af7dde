//! Owns the tables of a leaderboard in a terminal.
//!
//! Must not know how figures are computed.

use crate::cli::palette::verdicts_by_count;
use crate::cli::table::{Column, TextTable, prose};
use crate::cli::{Failure, print_line};
use crate::item::record::Verdict;
use crate::report::leaderboard::markdown::{PLACES, cost, place, sentence};
use crate::report::leaderboard::{Board, Leaderboard, Overall, Role, Row};
use std::path::Path;

/// Characters of a bar.
const BAR: usize = 20;

/// Shows all tables, and says where the files are.
pub(super) fn show(leaderboard: &Leaderboard, out: &Path) -> Result<(), Failure> {
    for overall in &leaderboard.overall {
        let Overall { suite, seed, fingerprint, .. } = overall;
        print_line(&format!("{suite}, seed {seed}: all tasks, fingerprint {fingerprint}"))?;
        print_line(&matrix(overall).text())?;
        print_line(&format!("{}\n", prose(PLACES)))?;
    }
    for board in &leaderboard.boards {
        let Board { suite, seed, task, items, fingerprint, .. } = board;
        print_line(&format!("{suite}, seed {seed}: {task}, {items} items, fingerprint {fingerprint}"))?;
        print_line(&table(board).text())?;
        let unsolved = match board.unsolved.len() {
            0 => "Every item was solved by a ranked model.".into(),
            1 => "1 item was solved by no ranked model.".into(),
            n => format!("{n} items were solved by no ranked model."),
        };
        print_line(&format!("{}\n", prose(&format!("{} {unsolved}", sentence(board)))))?;
    }
    print_line(&format!("page {}", out.join("index.html").display()))?;
    let files =
        ["leaderboard.md", "leaderboard.json", "leaderboard.csv"].map(|name| out.join(name).display().to_string());
    print_line(&format!("tables {}", files.join(", ")))
}

/// Every model at every task.
fn matrix(overall: &Overall) -> TextTable {
    let heads = [Column::text(""), Column::text("model"), Column::number("mean"), Column::number("95 % CI").rank(2)];
    let tasks = overall.tasks.iter().map(|task| Column::number(task.name()).rank(1));
    let mut table = TextTable::new(heads.into_iter().chain(tasks));
    for row in &overall.rows {
        let cells = [overall.label(row), percent(row.mean), between(row.ci95)];
        let by_task = row.by_task.iter().map(|&right| percent(right));
        let cells = std::iter::once(row.told_place()).chain(cells).chain(by_task);
        if row.place.is_some() { table.row(cells) } else { table.faint_row(cells) }
    }
    table
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("unknown".into(), |rate| format!("{:.1} %", 100.0 * rate))
}

fn between(ci95: Option<[f64; 2]>) -> String {
    ci95.map_or("unknown".into(), |[low, high]| format!("{:.1}–{:.1}", 100.0 * low, 100.0 * high))
}

fn table(board: &Board) -> TextTable {
    let mut table = TextTable::new([
        Column::text(""),
        Column::text("model"),
        Column::number("accuracy"),
        Column::number("95 % CI"),
        Column::text("").rank(2),
        Column::number("if answered").rank(3),
        Column::number("otherwise").folding().rank(1),
        Column::number("cost"),
    ]);
    for row in &board.rows {
        // Who is not ranked stands back.
        if row.role == Role::Model && row.is_complete() {
            table.row(cells(board, row));
        } else {
            table.faint_row(cells(board, row));
        }
    }
    table
}

fn cells(board: &Board, row: &Row) -> [String; 8] {
    let otherwise = row.verdicts.iter().filter(|(verdict, _)| **verdict != Verdict::Correct);
    [
        place(row, &board.rows),
        row.label(&board.rows),
        percent(row.accuracy_strict),
        between(row.ci95),
        bar(row),
        percent(row.accuracy_answered),
        verdicts_by_count(otherwise.map(|(verdict, count)| (*verdict, *count))),
        cost(row),
    ]
}

/// The share as a bar: full up to the lower end of the interval, lighter up to the upper one.
fn bar(row: &Row) -> String {
    let Some([low, high]) = row.ci95 else { return String::new() };
    let at = |share: f64| (share * BAR as f64).round() as usize;
    let sure = at(low);
    let maybe = at(high).max(sure) - sure;
    format!("{}{}{}", "█".repeat(sure), "▒".repeat(maybe), "·".repeat(BAR - sure - maybe))
}
