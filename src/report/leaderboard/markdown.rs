//! Owns `leaderboard.md`: the tables as text that reads in a repository.
//!
//! Must not know how figures are computed.

use super::{Board, Leaderboard, Overall, OverallRow, Row};
use crate::item::record::Verdict;
use crate::report::stats::Interval;
use crate::report::summary::text::{count, interval, line, percent, table};
use crate::run::spending;
use std::collections::BTreeSet;

/// Items that no model got right, at most; `leaderboard.json` has all.
const UNSOLVED: usize = 20;

/// All tables.
pub(crate) fn markdown(leaderboard: &Leaderboard) -> String {
    let mut text = String::from("# Leaderboard\n");
    text += "\nOne table for each set of items and task; figures of different sets are not compared. *Accuracy* is over all \
             replies, those among them that never came. Intervals are at 95 %.\n";
    leaderboard.overall.iter().for_each(|all| text += &overall(all));
    leaderboard.boards.iter().for_each(|board| text += &section(board));
    text + &commands(leaderboard)
}

/// How places over all tasks are given.
pub(crate) const PLACES: &str = "The mean is over tasks, each weighing the same. A place is one more than the number of models that are better by \
                          more than chance (paired by item, 5 % after Holm's correction for all pairs); = marks places that several \
                          models share.";

/// Every model at every task.
fn overall(overall: &Overall) -> String {
    let tasks = overall.tasks.iter().map(|task| task.name());
    let head: Vec<&str> = ["", "model", "mean", "95 % CI"].into_iter().chain(tasks).collect();
    let share = |share: Option<f64>| share.map_or("unknown".into(), percent);
    let cells = |row: &OverallRow| {
        let ci = row.interval().map_or("unknown".into(), interval);
        let cells = [row.told_place(), line(&overall.label(row)), share(row.mean), ci];
        cells.into_iter().chain(row.by_task.iter().map(|&right| share(right))).collect()
    };
    let rows: Vec<Vec<String>> = overall.rows.iter().map(cells).collect();
    let (suite, seed) = (line(&overall.suite), overall.seed);
    format!("\n## {suite}, seed {seed}: all tasks\n\n{}\n{PLACES}\n", table(&head, &rows))
}

fn section(board: &Board) -> String {
    let Board { suite, seed, fingerprint, task, items, .. } = board;
    let mut text = format!("\n## {}, seed {seed}: {task}\n\n", line(suite));
    text += &format!("{} items, fingerprint `{fingerprint}`.\n\n", count(*items));
    text += &rows(board);
    text += &format!("\n{}\n", sentence(board));
    if board.duels.rows.len() > 1 {
        text += &format!("\n{}", matrix(board));
    }
    text + &unsolved(board)
}

fn rows(board: &Board) -> String {
    let epochs = board.rows.iter().any(|row| row.noise.is_some());
    let mut head = vec!["", "model", "accuracy", "95 % CI", "if answered", "otherwise", "tokens", "cost"];
    if epochs {
        head.extend(["epochs", "pass@k", "pass^k", "spread between items"]);
    }
    let cells = |row: &Row| {
        let mut cells = vec![
            place(row, &board.rows),
            line(&row.label(&board.rows)),
            row.accuracy_strict.map_or("unknown".into(), percent),
            row.ci95.map_or("unknown".into(), |[low, high]| interval(Interval { low, high })),
            row.accuracy_answered.map_or("unknown".into(), percent),
            otherwise(row),
            tokens(row),
            cost(row),
        ];
        if epochs {
            let noise =
                |of: fn(&super::Noise) -> Option<f64>| row.noise.as_ref().and_then(of).map_or("-".into(), percent);
            cells.push(row.epochs.to_string());
            cells.extend([
                noise(|noise| Some(noise.pass_at_k)),
                noise(|noise| Some(noise.pass_all_k)),
                noise(|noise| noise.between_items),
            ]);
        }
        cells
    };
    table(&head, &board.rows.iter().map(cells).collect::<Vec<_>>())
}

/// The rank by accuracy alone, or what stands in its place; `=1` where others have the very same accuracy.
pub(crate) fn place(row: &Row, rows: &[Row]) -> String {
    let tied = row.rank.is_some() && rows.iter().filter(|other| other.rank == row.rank).count() > 1;
    match &row.incomplete {
        Some(why) => format!("not ranked ({why})"),
        None => row.role.place(row.rank, tied),
    }
}

/// The verdicts but for `correct`, most frequent first.
pub(super) fn otherwise(row: &Row) -> String {
    let mut other: Vec<_> =
        row.verdicts.iter().filter(|(verdict, n)| **verdict != Verdict::Correct && **n > 0).collect();
    other.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let other: Vec<String> =
        other.into_iter().map(|(verdict, n)| format!("{} {}", verdict.name().replace('_', " "), count(*n))).collect();
    if other.is_empty() { "-".into() } else { other.join(", ") }
}

/// Read and written.
pub(super) fn tokens(row: &Row) -> String {
    spending::tokens(&row.tokens)
}

/// US dollars.
pub(crate) fn cost(row: &Row) -> String {
    spending::cost(row.cost_usd, row.cost_estimated)
}

/// How much the comparisons say in all.
pub(crate) fn sentence(board: &Board) -> String {
    let (pairs, including) = (board.duels.all.len(), board.duels.including_zero);
    if pairs == 0 {
        return "There are no two models to compare.".into();
    }
    let mut text = format!("{including} of {pairs} pairwise intervals include zero.");
    let mut smallest: Vec<f64> = board.duels.all.iter().filter_map(|duel| duel.smallest_detectable).collect();
    smallest.sort_by(f64::total_cmp);
    if let Some(middle) = smallest.get(smallest.len() / 2) {
        let points = 100.0 * middle;
        text += &format!(
            " Half of the pairs would have shown differences of {points:.1} points or less (power 80 %, level 5 %)."
        );
    }
    text
}

/// Differences in points, row less column.
fn matrix(board: &Board) -> String {
    let rows = &board.duels.rows;
    let name = |at: &usize| line(&board.rows[*at].label(&board.rows));
    let head: Vec<String> = std::iter::once("row less column".into()).chain(rows.iter().skip(1).map(name)).collect();
    let body = rows[..rows.len() - 1].iter().enumerate().map(|(n, a)| {
        let cells =
            rows.iter().enumerate().skip(1).map(|(m, b)| if m <= n { String::new() } else { cell(board, *a, *b) });
        std::iter::once(name(a)).chain(cells).collect()
    });
    let note = "In points; bold where the two differ (exact McNemar, p < 0.05 after Holm's correction for all pairs of the \
                table). `leaderboard.json` has intervals and p values.";
    let body: Vec<Vec<String>> = body.collect();
    table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &body) + &format!("\n{note}\n")
}

fn cell(board: &Board, a: usize, b: usize) -> String {
    let Some(duel) = board.duels.all.iter().find(|duel| (duel.a, duel.b) == (a, b)) else { return "-".into() };
    let points = format!("{:+.1}", 100.0 * duel.difference);
    if duel.p_holm < 0.05 { format!("**{points}**") } else { points }
}

fn unsolved(board: &Board) -> String {
    if board.unsolved.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = board.unsolved.iter().take(UNSOLVED).map(|item| format!("`{}`", line(&item.id))).collect();
    let more = board.unsolved.len().saturating_sub(UNSOLVED);
    let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    format!("\nRight by no model: {}{more}.\n", ids.join(", "))
}

/// What repeats the runs, each once.
fn commands(leaderboard: &Leaderboard) -> String {
    let rows = leaderboard.boards.iter().flat_map(|board| &board.rows);
    let commands: BTreeSet<(&str, String, &str)> =
        rows.map(|row| (row.command.as_str(), version(row), row.started.as_str())).collect();
    let lines = commands.iter().map(|(command, version, started)| format!("# {version}, {started}\n{command}\n"));
    format!("\n## Commands\n\n```sh\n{}```\n", lines.collect::<String>())
}

/// The program that asked.
pub(super) fn version(row: &Row) -> String {
    let commit = row.commit.as_ref().map_or(String::new(), |commit| format!(" ({commit})"));
    format!("wasmweaver {}{commit}", row.wasmweaver)
}
