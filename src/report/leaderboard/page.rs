//! Owns `index.html`: the tables as a page, with every reply to look into.
//!
//! Must not know how figures are computed.

use super::chart::cost_against_accuracy;
use super::markdown::{PLACES, cost, otherwise, place, sentence, tokens, version};
use super::read::Entrant;
use super::{Board, Duel, Heat, Leaderboard, LeaderboardError, Overall, Role, Row, drill};
use crate::ask::prompt::Prompt;
use crate::report::page::table::{Cell, Column, HtmlTable};
use crate::report::page::{Html, Page, Section, bar};
use crate::report::stats::Interval;
use crate::report::summary::text::{count, interval, percent};
use std::collections::BTreeSet;

/// Rows above which a table gets an input that filters.
const MANY: usize = 12;
/// Items that no model got right, at most; `leaderboard.json` has all.
const UNSOLVED: usize = 100;

/// The whole page; `prompts` are those whose texts do not come with the program.
///
/// # Errors
/// If a record cannot be read or a picture not drawn.
pub(crate) fn page(
    leaderboard: &Leaderboard,
    entrants: &[Entrant],
    prompts: Vec<Prompt>,
) -> Result<String, LeaderboardError> {
    let items = drill::items(leaderboard, entrants, prompts)?;
    let mut sections: Vec<Section> = leaderboard.overall.iter().enumerate().map(|(at, all)| overall(at, all)).collect();
    sections.push(Section::new("compared", "What is compared", compared(leaderboard)));
    for (at, board) in leaderboard.boards.iter().enumerate() {
        let heading = format!("{}, seed {}: {}", board.suite, board.seed, board.task);
        sections.push(Section::new(format!("board-{at}"), heading, section(board)?));
    }
    let page = Page { title: "Leaderboard".into(), lead: lead(leaderboard), sections, items: Some(items) };
    Ok(page.render())
}

fn lead(leaderboard: &Leaderboard) -> Html {
    let rows = || leaderboard.boards.iter().flat_map(|board| &board.rows);
    let models: BTreeSet<&str> = rows().filter(|row| row.role == Role::Model).map(|row| row.model.as_str()).collect();
    let replies: u64 = rows().map(|row| row.replies).sum();
    Html::paragraph(&format!(
        "How often {} right about what WebAssembly programs compute, in {} replies. The guessers are the floor: they \
         execute nothing. The solver that makes no mistake is the ceiling.",
        if models.len() == 1 { "one model is".into() } else { format!("{} models are", models.len()) },
        count(replies)
    ))
}

/// Every model at every task of the same items.
fn overall(at: usize, overall: &Overall) -> Section {
    let heads = [
        Column::text("place"),
        Column::text("model"),
        Column::number("mean").hint("Of the accuracies at each task"),
        Column::text("95 % CI").hint("Interval of the mean"),
        Column::text("from 0 to 100 %"),
    ];
    let tasks = overall.tasks.iter().map(|task| Column::number(task.name()));
    let mut table = HtmlTable::new(heads.into_iter().chain(tasks));
    for (at, row) in overall.rows.iter().enumerate() {
        let ci = row.interval();
        let said = format!(
            "{} of the tasks' mean, {}",
            row.mean.map_or("nothing".into(), percent),
            ci.map_or("".into(), interval)
        );
        let cells = [
            Cell::text(&row.told_place()).sorted_by(at as f64),
            Cell::text(&overall.label(row)).hint(&row.run),
            share(row.mean),
            ci.map_or_else(Cell::unknown, |ci| Cell::text(&interval(ci)).sorted_by(ci.low)),
            row.mean.map_or_else(Cell::unknown, |mean| Cell::html(bar::interval(mean, ci, &said)).sorted_by(mean)),
        ];
        let by_task =
            row.by_task.iter().map(|&right| right.map_or_else(Cell::unknown, |right| share(Some(right)).shaded(right)));
        table.row_of(class(row.complete, row.role), cells.into_iter().chain(by_task));
    }
    let note = Html::note(&format!("Accuracy by task. {PLACES}"));
    let heading = format!("{}, seed {}: all tasks", overall.suite, overall.seed);
    Section::new(format!("overall-{at}"), heading, table.html().and(note))
}

/// The class of a row by what it is there for.
fn class(is_complete: bool, role: Role) -> &'static str {
    match (is_complete, role) {
        (false, _) => "unranked",
        (_, Role::Model) => "",
        (_, Role::Floor) => "floor",
        (_, Role::Ceiling) => "ceiling",
    }
}

/// The sets of items, and how to read the tables.
fn compared(leaderboard: &Leaderboard) -> Html {
    let columns = [
        Column::text("items of"),
        Column::number("seed"),
        Column::text("fingerprint").hint("Equal exactly when the items are"),
        Column::text("task"),
        Column::number("items"),
        Column::number("models").hint("Those that are ranked"),
        Column::text("first"),
    ];
    let mut table = HtmlTable::new(columns);
    for (at, board) in leaderboard.boards.iter().enumerate() {
        let first = board.rows.iter().find(|row| row.rank == Some(1));
        table.row([
            Cell::html(Html::link(&format!("board-{at}"), &board.suite)),
            Cell::number(board.seed as f64, &board.seed.to_string()),
            Cell::html(Html::code(&board.fingerprint)),
            Cell::text(board.task.name()),
            number(board.items),
            number(board.rows.iter().filter(|row| row.rank.is_some()).count() as u64),
            first.map_or_else(Cell::unknown, |row| {
                let equals = board.rows.iter().filter(|other| other.rank == Some(1)).count() - 1;
                let more = if equals > 0 { format!(" and {equals} more") } else { String::new() };
                Cell::text(&(row.label(&board.rows) + &more))
            }),
        ]);
    }
    table.html().and(Html::note(
        "Runs share a table exactly when the fingerprints of their items are equal. Accuracy: correct over all replies, those \
         that never came included. If answered: correct over the replies from which an answer was read. Intervals are at \
         95 %: of shares Wilson's, by item where items were asked several times; of differences a paired bootstrap over \
         items.",
    ))
}

fn section(board: &Board) -> Result<Html, LeaderboardError> {
    let about = Html::text(&format!("{} items, fingerprint ", count(board.items)))
        .and(Html::code(&board.fingerprint))
        .and(Html::text(". "))
        .and(Html::prose(&sentence(board)))
        .within("p", "");
    let mut parts = vec![about, rows(board)];
    if board.duels.rows.len() > 1 {
        parts.extend([Html::heading("Head to head"), matrix(board), pairs(board)]);
    }
    if let Some(figure) = cost_against_accuracy(board)? {
        parts.extend([Html::heading("Cost against accuracy"), figure]);
    }
    parts.extend([levels(board), maps(board), unsolved(board), commands(board)]);
    Ok(parts.into_iter().collect())
}

fn number(n: u64) -> Cell {
    Cell::number(n as f64, &count(n))
}

fn share(share: Option<f64>) -> Cell {
    Cell::maybe(share, percent)
}

fn rows(board: &Board) -> Html {
    let epochs = board.rows.iter().any(|row| row.noise.is_some());
    let mut columns = vec![
        Column::text("place").hint("By accuracy alone; whether two differ by more than chance is told head to head"),
        Column::text("model"),
        Column::number("accuracy"),
        Column::text("95 % CI").hint("Interval of the accuracy"),
        Column::text("from 0 to 100 %"),
        Column::number("if answered"),
        Column::text("otherwise").hint("How often each other verdict came"),
        Column::number("tokens").hint("Read and written, thousands; sorted by those written"),
        Column::number("cost"),
        Column::text("asked on").hint("When the run began, and the version that asked"),
    ];
    if epochs {
        let noise = [
            Column::number("epochs"),
            Column::number("pass@k").hint("How likely one of so many replies is right"),
            Column::number("pass^k").hint("How likely all of so many replies are right"),
            Column::number("between items").hint("Share of the variance that is the items', not the sampling's"),
        ];
        columns.splice(6..6, noise);
    }
    let table = HtmlTable::new(columns);
    let mut table = if board.rows.len() > MANY { table.filtered() } else { table };
    for (at, row) in board.rows.iter().enumerate() {
        table.row_of(class(row.is_complete(), row.role), cells(board, at, row, epochs));
    }
    table.html()
}

fn cells(board: &Board, at: usize, row: &Row, epochs: bool) -> Vec<Cell> {
    let ci = row.ci95.map(|[low, high]| Interval { low, high });
    let said =
        format!("{} right, {}", row.accuracy_strict.map_or("nothing".into(), percent), ci.map_or("".into(), interval));
    let mut cells = vec![
        // By accuracy, whatever the cell says.
        Cell::text(&place(row, &board.rows)).sorted_by(at as f64),
        Cell::text(&row.label(&board.rows)).hint(&row.run),
        share(row.accuracy_strict),
        ci.map_or_else(Cell::unknown, |ci| Cell::text(&interval(ci)).sorted_by(ci.low)),
        row.accuracy_strict
            .map_or_else(Cell::unknown, |right| Cell::html(bar::interval(right, ci, &said)).sorted_by(right)),
        share(row.accuracy_answered),
        Cell::text(&otherwise(row)),
        row.tokens.completion_tokens.map_or_else(Cell::unknown, |n| Cell::number(n as f64, &tokens(row))),
        row.cost_usd.map_or_else(Cell::unknown, |usd| Cell::number(usd, &cost(row))),
        Cell::text(&row.started.as_str().chars().take(10).collect::<String>()).hint(&version(row)),
    ];
    if epochs {
        let noise = row.noise.as_ref();
        let told = [
            number(row.epochs.into()),
            share(noise.map(|noise| noise.pass_at_k)),
            share(noise.map(|noise| noise.pass_all_k)),
            share(noise.and_then(|noise| noise.between_items)),
        ];
        cells.splice(6..6, told);
    }
    cells
}

fn name(board: &Board, at: usize) -> String {
    board.rows[at].label(&board.rows)
}

/// What a comparison says, in a sentence.
fn told(board: &Board, duel: &Duel) -> String {
    format!(
        "{} less {}: {:+.1} points ({:+.1} to {:+.1}), {} and {} of {} items right by it alone, p = {:.2e}, corrected {:.2e}{}",
        name(board, duel.a),
        name(board, duel.b),
        100.0 * duel.difference,
        100.0 * duel.ci95[0],
        100.0 * duel.ci95[1],
        duel.only_a,
        duel.only_b,
        duel.items,
        duel.p,
        duel.p_holm,
        duel.smallest_detectable.map_or(String::new(), |d| format!(", smallest detectable {:.1}", 100.0 * d)),
    )
}

fn matrix(board: &Board) -> Html {
    let rows = &board.duels.rows;
    let heads = rows.iter().skip(1).map(|&at| Column::number(&name(board, at)));
    let mut table = HtmlTable::new(std::iter::once(Column::text("row less column, points")).chain(heads)).grid();
    for (n, &a) in rows[..rows.len() - 1].iter().enumerate() {
        let cells = rows.iter().enumerate().skip(1).map(|(m, &b)| {
            let Some(duel) = board.duels.all.iter().find(|duel| m > n && (duel.a, duel.b) == (a, b)) else {
                return Cell::text("");
            };
            let class = if duel.p_holm < 0.05 { "differs" } else { "same" };
            Cell::text(&format!("{:+.1}", 100.0 * duel.difference)).class(class).hint(&told(board, duel))
        });
        table.row(std::iter::once(Cell::text(&name(board, a))).chain(cells));
    }
    table.html().and(Html::note(
        "Bold: the two differ (exact McNemar, p < 0.05 after Holm's correction for all pairs of this table). Of the guessers \
         the best one is there.",
    ))
}

fn pairs(board: &Board) -> Html {
    let columns = [
        Column::text("a"),
        Column::text("b"),
        Column::number("a less b"),
        Column::text("95 % CI"),
        Column::text("from −100 to 100"),
        Column::number("only a"),
        Column::number("only b"),
        Column::number("p").hint("Exact McNemar, two-sided"),
        Column::number("corrected").hint("Holm, for all pairs of this table"),
        Column::number("detectable")
            .hint("The smallest difference that so many items would have shown: level 5 %, power 80 %"),
    ];
    let mut table = HtmlTable::new(columns).filtered();
    for duel in &board.duels.all {
        let [low, high] = duel.ci95;
        table.row([
            Cell::text(&name(board, duel.a)),
            Cell::text(&name(board, duel.b)),
            Cell::number(duel.difference, &format!("{:+.1}", 100.0 * duel.difference)),
            Cell::text(&format!("{:+.1} to {:+.1}", 100.0 * low, 100.0 * high)).sorted_by(low),
            Cell::html(bar::difference(duel.difference, Interval { low, high }, "")).sorted_by(duel.difference),
            number(duel.only_a),
            number(duel.only_b),
            Cell::number(duel.p, &p_value(duel.p)),
            Cell::number(duel.p_holm, &p_value(duel.p_holm)),
            Cell::maybe(duel.smallest_detectable, |d| format!("{:.1}", 100.0 * d)),
        ]);
    }
    let summary = if table.len() == 1 { "The pair".into() } else { format!("All {} pairs", count(table.len() as u64)) };
    Html::folded(&summary, table.html())
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

fn levels(board: &Board) -> Html {
    let levels: BTreeSet<&str> =
        board.rows.iter().flat_map(|row| row.by_level.iter().map(|slice| slice.of.as_str())).collect();
    if levels.len() < 2 {
        return Html::default();
    }
    let heads = levels.iter().map(|level| Column::number(&format!("level {level}")));
    let mut table = HtmlTable::new(std::iter::once(Column::text("model")).chain(heads));
    for row in board.rows.iter().filter(|row| row.is_complete()) {
        let cells = levels.iter().map(|level| {
            let slice = row.by_level.iter().find(|slice| slice.of == *level);
            slice.map_or_else(Cell::unknown, |slice| {
                let ci = slice.ci95.map_or(String::new(), |[low, high]| interval(Interval { low, high }));
                share(slice.accuracy_strict).hint(&format!("{} items, {ci}", slice.items))
            })
        });
        table.row(std::iter::once(Cell::text(&row.label(&board.rows))).chain(cells));
    }
    Html::heading("By level").and(table.html())
}

fn maps(board: &Board) -> Html {
    let Some((all, each)) = board.heat.split_first() else { return Html::default() };
    let folded = each.iter().filter_map(|heat| Some(Html::folded(&name(board, heat.row?), map(heat))));
    Html::heading("By category and length")
        .and(map(all))
        .and(Html::note(
            "All ranked models together; the fuller the colour, the more often right; small numbers are items. An item is of the category to \
             which most of what its answer is computed with belongs; columns are by the fuel of the run.",
        ))
        .and(Html::folded("Each model by itself", folded.collect()))
}

fn map(heat: &Heat) -> Html {
    let fuels: BTreeSet<[u64; 2]> = heat.cells.iter().map(|cell| cell.fuel).collect();
    let categories: BTreeSet<&str> = heat.cells.iter().map(|cell| cell.category).collect();
    let heads = fuels.iter().map(|[low, high]| Column::number(&format!("{low}–{high}")));
    let mut table = HtmlTable::new(std::iter::once(Column::text("fuel")).chain(heads)).grid();
    for category in categories {
        let cells = fuels.iter().map(|fuel| {
            let cell = heat.cells.iter().find(|cell| cell.category == category && cell.fuel == *fuel);
            cell.map_or_else(
                || Cell::text(""),
                |cell| {
                    let share = Html::text(&format!("{:.0} % ", 100.0 * cell.accuracy_strict));
                    let items = Html::text(&count(cell.items)).within("small", "");
                    Cell::html(share.and(items)).shaded(cell.accuracy_strict)
                },
            )
        });
        table.row(std::iter::once(Cell::text(category)).chain(cells));
    }
    table.html()
}

fn unsolved(board: &Board) -> Html {
    let heading = Html::heading("Right by no model");
    if board.unsolved.is_empty() {
        return heading.and(Html::paragraph("Every item was got right by a ranked model."));
    }
    let columns = [Column::text("item"), Column::number("level"), Column::number("fuel"), Column::text("category")];
    let mut table = HtmlTable::new(columns);
    for item in board.unsolved.iter().take(UNSOLVED) {
        table.row([
            Cell::html(Html::item_of(&item.id, &item.canonical)),
            Cell::maybe(item.level.map(f64::from), |level| format!("{level:.0}")),
            number(item.fuel),
            Cell::text(item.category),
        ]);
    }
    let more = board.unsolved.len().saturating_sub(UNSOLVED);
    let of = format!("{} of {} items.", count(board.unsolved.len() as u64), count(board.items));
    let more = if more > 0 {
        format!(" {} are left out here; leaderboard.json has all.", count(more as u64))
    } else {
        String::new()
    };
    heading.and(Html::paragraph(&format!("{of}{more}"))).and(table.html())
}

/// What repeats the runs, each once.
fn commands(board: &Board) -> Html {
    let runs: BTreeSet<(&str, &str, String, &str)> = board
        .rows
        .iter()
        .map(|row| (row.started.as_str(), row.run.as_str(), version(row), row.command.as_str()))
        .collect();
    let told = runs.into_iter().map(|(started, run, version, command)| {
        Html::note(&format!("{run}, begun {started} with {version}")).and(Html::command(command))
    });
    Html::folded("Commands that repeat the runs", told.collect())
}
